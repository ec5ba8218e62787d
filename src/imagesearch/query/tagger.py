"""From a sentence's words to what they stand for: people, places, dates, numbers of people, and the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Literal, NamedTuple

from imagesearch.query.date_parser import DateMatch, DateParser
from imagesearch.query.gazetteer import Gazetteer, NameMatch
from imagesearch.query.lexicon import (
    ADJECTIVES,
    ARTICLES,
    COMMON,
    EMPTY,
    JOINERS,
    LEADING,
    NAME_LEADS,
    NEGATIONS,
    NOUNS_IN_ING,
    ONLY,
    PHOTOS,
    PLACE_LEADS,
    split_set,
)
from imagesearch.query.phrases import match_phrase, match_request
from imagesearch.query.tokenizer import Sentence, Token
from imagesearch.text import normalize

TagKind = Literal["word", "mark", "quote", "frame", "person", "place", "date", "count", "only", "alone"]
ENTITIES = frozenset(("person", "place", "date", "count"))
_MAX_GUESSES = 24  # words of one sentence that may be misspelt or partial names; each costs some time
_MAX_TOKENS = 1200  # words and marks of a sentence that are read; CLIP reads some 70
_UNITS = split_set("people persons m km meters metres feet miles dollars euros cars things times mm")
_PHRASE_ENDS = JOINERS | PLACE_LEADS | NEGATIONS | ONLY | PHOTOS | split_set(
    "of on by for with the when where who alone is was day time holidays season"
)  # fmt: skip


class TaggedSpan(NamedTuple):
    """Some words of a sentence, and what they stand for.

    Attributes
    ----------
    kind
        A *frame* is words that say nothing of the photos: "please show me".
    start, end
        Its first token, and the one after its last.
    keys
        Of people and places: the normalized names; several where any of them may be meant.
    is_possessive
        Whether a name was possessive.
    date
        Of a date: how it was read.
    count
        Of a number of people: least and most; None is no limit.
    says_other
        Whether it counts *other* people than those that are named.
    """

    kind: TagKind
    start: int
    end: int
    keys: tuple[str, ...] = ()
    is_possessive: bool = False
    date: DateMatch | None = None
    count: tuple[int, int | None] = (0, None)
    says_other: bool = False


class Tagger:
    """Reads one sentence from left to right.

    Parameters
    ----------
    people, places
        The known names.
    today
        What relative dates count from.
    """

    def __init__(self, sentence: Sentence, people: Gazetteer, places: Gazetteer, today: date) -> None:
        self._sentence, self._tokens = sentence, sentence.tokens
        self._people, self._places = people, places
        self._dates = DateParser(sentence, today)
        self._spans: list[TaggedSpan] = []
        self._notes: list[str] = []
        self._guesses_left = _MAX_GUESSES

    def tag(self) -> tuple[list[TaggedSpan], list[str]]:
        """Return all spans, in order, and notes of what was read otherwise than it stands."""
        if i := match_request(self._sentence):
            self._spans.append(TaggedSpan("frame", 0, i))
        if len(self._tokens) > _MAX_TOKENS:
            self._notes.append(f"only the first {_MAX_TOKENS} words and marks were read")
        while i < len(self._tokens):
            is_read = i < _MAX_TOKENS
            self._spans.append(self._tag_at(i) if is_read else TaggedSpan("frame", i, len(self._tokens)))
            i = self._spans[-1].end
        return self._spans, self._notes

    def _tag_at(self, i: int) -> TaggedSpan:
        token = self._tokens[i]
        if token.kind == "explicit":
            return self._tag_explicit(i)
        if token.kind != "word":
            return TaggedSpan(token.kind, i, i + 1)
        person = self._people.match_exact(self._tokens, i)
        place = self._places.match_exact(self._tokens, i)
        return (
            self._tag_date(i, person, place)
            or self._tag_phrase(i, person, place)
            or self._tag_name(i, person, place)
            or self._tag_guess(i)
            or TaggedSpan("word", i, i + 1)
        )

    # --- what is clear -------------------------------------------------------------------------------------

    def _tag_explicit(self, i: int) -> TaggedSpan:
        """``person:``, ``place:`` or ``text:`` and a quote, a known name, or a word."""
        kind = self._tokens[i].norm
        if i + 1 >= len(self._tokens) or self._tokens[i + 1].kind not in ("word", "quote"):
            return TaggedSpan("mark", i, i + 1)
        after = self._tokens[i + 1]
        if kind == "text":
            return TaggedSpan("quote", i, i + 2)
        names = self._people if kind == "person" else self._places
        if after.kind == "quote":
            key = names.match_quoted(after.text)
            match = NameMatch((key,), i + 2) if key is not None else None
        else:
            match = names.match_exact(self._tokens, i + 1)
        if match is None:
            nobody = "nobody" if kind == "person" else "no place"
            self._notes.append(f'{nobody} is called "{after.text}"')
            match = NameMatch((after.text if kind == "person" else normalize(after.text),), i + 2)
        return TaggedSpan(kind, i, match.end, match.keys, match.is_possessive)  # type: ignore[arg-type]

    def _tag_date(self, i: int, person: NameMatch | None, place: NameMatch | None) -> TaggedSpan | None:
        match = self._dates.match_at(i)
        if match is None:
            return None
        core = i if match.core < 0 else match.core
        names = [person, place]
        if core != i:
            names = [gazetteer.match_exact(self._tokens, core) for gazetteer in (self._people, self._places)]
        if any(name and name.end > match.end for name in (*names, person, place)):
            return None
        if not match.is_certain and names[0]:
            return None
        if match.must_end_phrase and not self._is_date(i, core, match):
            return None
        if match.note:
            self._notes.append(match.note)
        return TaggedSpan("date", i, match.end, date=replace(match, core=core))

    def _is_date(self, i: int, core: int, match: DateMatch) -> bool:
        """Whether a year, season or holiday is not part of what follows: "2000 cars", "a summer dress"."""
        if match.reference.family == "year":
            following = self._tokens[match.end].norm if match.end < len(self._tokens) else ""
            return core != i or not (self._norm_before(i) in ARTICLES or following in _UNITS)
        return self._is_phrase_end(match.end)

    def _is_phrase_end(self, i: int) -> bool:
        if i >= len(self._tokens) or self._tokens[i].kind != "word" or self._tokens[i].norm in _PHRASE_ENDS:
            return True
        return any(names.match_exact(self._tokens, i) for names in (self._people, self._places)) or (
            self._dates.match_at(i) is not None
        )

    def _tag_phrase(self, i: int, person: NameMatch | None, place: NameMatch | None) -> TaggedSpan | None:
        """How many people, or that there is nobody else."""
        match = match_phrase(self._sentence, i)
        if match is None or any(name and name.end >= match.end for name in (person, place)):
            return None
        if match.kind == "alone":
            return self._tag_alone(i, match.end, match.says_else)
        return TaggedSpan(match.kind, i, match.end, count=match.count, says_other=match.says_other)

    def _tag_alone(self, i: int, end: int, says_else: bool) -> TaggedSpan | None:
        """*Alone* right behind a person, or *nobody else* further on; of a number that says nothing."""
        kinds = {span.kind for span in (self._spans if says_else else self._spans[-1:])}
        if says_else and "count" in kinds:
            return TaggedSpan("frame", i, end)
        return TaggedSpan("alone", i, end) if "person" in kinds else None

    # --- names ---------------------------------------------------------------------------------------------

    def _tag_name(self, i: int, person: NameMatch | None, place: NameMatch | None) -> TaggedSpan | None:
        if person and place and person.end != place.end:
            person, place = (person, None) if person.end > place.end else (None, place)
        if person and not (place and self._is_rather_place(i, place)) and self._is_person(i, person):
            return TaggedSpan("person", i, person.end, person.keys, person.is_possessive)
        if place and self._is_place(i, place):
            return TaggedSpan("place", i, place.end, place.keys, place.is_possessive)
        return None

    def _is_rather_place(self, i: int, match: NameMatch) -> bool:
        """Whether a name of a person and of a place is the place: after *in*, or beside other places."""
        before = self._norm_before(i)
        if self._follows_place_lead(i):
            return True
        is_joined = before in ("and", "or", ",", "&") and len(self._spans) > 1
        last = self._spans[-2].kind if is_joined else ""
        if last in ENTITIES and (before, last) != (",", "place"):
            return last == "place"
        after = match.end + 1
        joins_next = after < len(self._tokens) and self._tokens[match.end].norm in ("and", "or", "&")
        if (
            joins_next
            and self._places.match_exact(self._tokens, after)
            and not self._people.match_exact(self._tokens, after)
        ):
            return True
        return self._is_contained(match)

    def _is_person(self, i: int, match: NameMatch) -> bool:
        """Whether a known name is one here: without an article, and an everyday word where a name stands."""
        if match.end - i > 1:
            return True
        if self._norm_before(i) in ("a", "an") and not match.is_possessive:
            return False
        if self._is_adjective(i):
            return False
        if self._tokens[i].norm in EMPTY and not self._norm_before(i):  # me and maya, but not: a dog
            after = self._tokens[match.end].norm if match.end < len(self._tokens) else "and"
            return after in JOINERS
        return not _is_everyday(self._tokens[i]) or self._is_name_position(i)

    def _is_adjective(self, i: int) -> bool:
        """Whether a word is what the next one is like: a sandy beach is no picture of Sandy."""
        if self._tokens[i].norm not in ADJECTIVES or i + 1 >= len(self._tokens):
            return False
        after = self._tokens[i + 1]
        is_verb = after.norm.endswith("ing") and after.norm not in NOUNS_IN_ING
        return after.kind == "word" and after.norm in COMMON - EMPTY - LEADING and not is_verb

    def _is_place(self, i: int, match: NameMatch) -> bool:
        if match.end - i > 1 or not _is_everyday(self._tokens[i]):
            return True
        before = self._norm_before(i)
        is_listed = before == "," and len(self._spans) > 1 and self._spans[-2].kind == "place"
        return before in PLACE_LEADS or is_listed or self._is_contained(match)

    def _is_contained(self, place: NameMatch) -> bool:
        """Whether a place that may contain this one follows directly: paris, france."""
        i = place.end
        if i < len(self._tokens) and self._tokens[i].norm == ",":
            i += 1
        after = self._places.match_exact(self._tokens, i) if i < len(self._tokens) else None
        if after is None or (i == place.end and self._people.match_exact(self._tokens, i)):
            return False
        return self._places.contains(after.keys[0], place.keys[0])

    def _norm_before(self, i: int, skip: str = "") -> str:
        """The normalized word or mark before a token; empty at the start."""
        while i and self._tokens[i - 1].norm == skip:
            i -= 1
        is_first = bool(self._spans) and self._spans[0].kind == "frame" and self._spans[0].end == i
        return self._tokens[i - 1].norm if i and not is_first else ""

    def _follows_place_lead(self, i: int) -> bool:
        return self._norm_before(i, "the") in PLACE_LEADS

    def _is_name_position(self, i: int) -> bool:
        """Whether a name would stand here: at the start, after "with" and the like, or behind a name."""
        before = self._norm_before(i)
        return before in NAME_LEADS or not before or (bool(self._spans) and self._spans[-1].kind in ENTITIES)

    # --- guesses -------------------------------------------------------------------------------------------

    def _tag_guess(self, i: int) -> TaggedSpan | None:
        """A part of a name, or one with a typing error, where a name would stand."""
        is_place = self._follows_place_lead(i)
        if not (is_place or self._is_name_position(i)) or self._guesses_left <= 0:
            return None
        self._guesses_left -= self._tokens[i].norm not in COMMON
        notes = len(self._notes)
        part, mistyped = self._tag_part(i, is_place), self._tag_mistyped(i, is_place)
        if part and mistyped:  # rio de janero is more than a part, rio de
            chosen = mistyped if mistyped.end > part.end else part
            self._notes[notes:] = [self._notes[notes + (chosen is mistyped)]]
            return chosen
        return part or mistyped

    def _tag_part(self, i: int, is_place: bool) -> TaggedSpan | None:
        match = None if is_place else self._people.match_partly(self._tokens, i)
        if match:
            return self._tag_with_note("person", i, match)
        match = self._places.match_partly(self._tokens, i)
        if match is None or self._follows_other_place(i, match):
            return None
        has_kind = all(self._places.entries[key].kind for key in match.keys)
        if not is_place and match.end - i == 1 and (match.more or not has_kind):
            return None
        return self._tag_with_note("place", i, match)

    def _tag_mistyped(self, i: int, is_place: bool) -> TaggedSpan | None:
        places = [
            match
            for match in self._places.match_mistyped(self._tokens, i)
            if not self._follows_other_place(i, match)
        ]
        people = [] if is_place and places else self._people.match_mistyped(self._tokens, i)
        names = {key: self._places.entries[key].name for match in places for key in match.keys}
        names |= {key: self._people.entries[key].name for match in people for key in match.keys}
        if len(names) > 1:
            options = " or ".join(sorted(names.values()))
            self._notes.append(f'"{self._tokens[i].text}" could be {options}: read as text')
        if len(names) != 1:
            return None
        match = (people or places)[0]
        typed = " ".join(token.text for token in self._tokens[i : match.end])
        note = f'read "{typed}" as {names[match.keys[0]]}'
        return self._tag_with_note("person" if people else "place", i, replace(match, note=note))

    def _follows_other_place(self, i: int, match: NameMatch) -> bool:
        """Whether a guess stands right behind a place that is not in it: york minster is not Münster."""
        if not self._spans or self._spans[-1].kind != "place" or self._spans[-1].end != i:
            return False
        return not self._places.contains(match.keys[0], self._spans[-1].keys[0])

    def _tag_with_note(self, kind: TagKind, i: int, match: NameMatch) -> TaggedSpan:
        self._notes.append(match.note)
        return TaggedSpan(kind, i, match.end, match.keys, match.is_possessive)


def _is_everyday(token: Token) -> bool:
    return token.norm in COMMON or token.norm.isdigit()
