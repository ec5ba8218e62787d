"""From a sentence's words to what they stand for: people, places, dates, numbers of people, and the rest."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
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
from imagesearch.query.parsed_query import NUMBER_WORDS
from imagesearch.query.tokenizer import Token, join_norms
from imagesearch.text import normalize

TagKind = Literal["word", "mark", "quote", "frame", "person", "place", "date", "count", "only", "alone"]
ENTITIES = frozenset(("person", "place", "date", "count"))
_GUESSES = 24  # words of one sentence that may be misspelt or partial names; each costs some time
_MOST = 1200  # words and marks of a sentence that are read; CLIP reads some 70
_N = rf"(?:\d{{1,3}}|{'|'.join(NUMBER_WORDS[1:])})"
_P = r"(?:(?:other )?(?:people|persons|person|faces|face|humans)|others)"
_ONE = r"(?:nobody|no one|noone)"
_PHRASES: list[tuple[str, re.Pattern[str]]] = [
    (kind, re.compile(rf"(?:{text})(?= |$)"))
    for kind, text in (
        ("only", rf"{_ONE} (?:else )?(?:but|except|besides|other than)"),
        ("only", rf"(?:only|just) (?:{'|'.join(sorted(PHOTOS))}) (?:of|with)"),
        ("alone", rf"(?:(?:and|with|but) )?(?:{_ONE} else|no other people|no others)|(?:all )?alone|solo"),
        ("alone", r"(?:all )?by (?:(?:her|him|my|it)self|themsel(?:f|ves))|on (?:her|his|their|my) own"),
        ("alone", r"only(?= [^a-z]|$)"),
        ("none", rf"(?:{_ONE}|(?:no|without|without any|not any) {_P}|"
                 r"without (?:anyone|anybody))(?: else)?(?: in the background)?"),
        ("least", rf"(?:at least|no fewer than|minimum) (?P<n>{_N}) {_P}|(?P<m>{_N}) (?:or more|\+) {_P}"),
        ("more", rf"(?:more than|over) (?P<n>{_N}) {_P}"),
        ("most", rf"(?:at most|up to|no more than|maximum) (?P<n>{_N}) {_P}"),
        ("fewer", rf"(?:fewer than|less than|under) (?P<n>{_N}) {_P}"),
        ("between", rf"(?:between )?(?P<n>{_N}) (?:and|to|or|-|\u2013) (?P<m>{_N}) {_P}"),
        ("exact", rf"(?:exactly |only |just )?(?P<n>{_N}) {_P}|(?:a |the )?group of (?P<m>{_N})(?: {_P})?"),
    )
]  # fmt: skip
_PHRASE_STARTS = split_set(
    "nobody no noone and with but alone solo all by on only without not at minimum more over up "
    "maximum fewer less under between exactly just a the group"
) | frozenset(NUMBER_WORDS[1:])
_FRAME = re.compile(
    r"(?:(?:please|can you|could you|i want to see|i want|i would like to see|show me|show us|show|find me|"
    r"find|search for|search|look for|looking for|give me|get me|display|list|where are|where is) )+"
)


class TaggedSpan(NamedTuple):
    """Some words of a sentence, and what they stand for.

    Attributes
    ----------
    start, end
        Its first token, and the one after its last.
    keys
        Of people and places: the folded names; several where any of them may be meant.
    owns
        Whether a name was possessive.
    """

    kind: TagKind
    start: int
    end: int
    keys: tuple[str, ...] = ()
    is_possessive: bool = False
    date: DateMatch | None = None
    count: tuple[int, int | None] = (0, None)
    others: bool = False


class Tagger:
    """Reads one sentence from left to right.

    Parameters
    ----------
    tokens
        The sentence.
    people, places
        The known names.
    today
        What relative dates count from.
    """

    def __init__(self, tokens: Sequence[Token], people: Gazetteer, places: Gazetteer, today: date) -> None:
        self.tokens, self.people, self.places = tokens, people, places
        self.items: list[TaggedSpan] = []
        self.notes: list[str] = []
        self._dates = DateParser(tokens, today)
        self._text, self._starts = join_norms(tokens)
        self._guesses = _GUESSES

    def tag(self) -> list[TaggedSpan]:
        """Return all items, in order."""
        frame = _FRAME.match(self._text)
        if frame:
            self.items.append(TaggedSpan("frame", 0, self._token_at(frame.end())))
        i = self.items[-1].end if self.items else 0
        if len(self.tokens) > _MOST:
            self.notes.append(f"only the first {_MOST} words and marks were read")
        while i < len(self.tokens):
            self.items.append(self._tag_at(i) if i < _MOST else TaggedSpan("frame", i, len(self.tokens)))
            i = self.items[-1].end
        return self.items

    def _tag_at(self, i: int) -> TaggedSpan:
        token = self.tokens[i]
        if token.kind == "explicit":
            return self._tag_explicit(i)
        if token.kind != "word":
            return TaggedSpan(token.kind, i, i + 1)
        person, place = self.people.match_exact(self.tokens, i), self.places.match_exact(self.tokens, i)
        return (
            self._tag_date(i, person, place)
            or self._tag_phrase(i, person, place)
            or self._tag_name(i, person, place)
            or self._tag_guess(i)
            or TaggedSpan("word", i, i + 1)
        )

    def _token_at(self, offset: int) -> int:
        return bisect_left(self._starts, offset)

    # --- what is clear -------------------------------------------------------------------------------------

    def _tag_explicit(self, i: int) -> TaggedSpan:
        """``person:``, ``place:`` or ``text:`` and a quote, a known name, or a word."""
        kind = self.tokens[i].norm
        if i + 1 >= len(self.tokens) or self.tokens[i + 1].kind not in ("word", "quote"):
            return TaggedSpan("mark", i, i + 1)
        after = self.tokens[i + 1]
        if kind == "text":
            return TaggedSpan("quote", i, i + 2)
        names = self.people if kind == "person" else self.places
        if after.kind == "quote":
            key = names.match_quoted(after.text)
            found = NameMatch((key,), i + 2) if key is not None else None
        else:
            found = names.match_exact(self.tokens, i + 1)
        if found is None:
            who = "nobody" if kind == "person" else "no place"
            self.notes.append(f'{who} is called "{after.text}"')
            found = NameMatch((after.text if kind == "person" else normalize(after.text),), i + 2)
        return TaggedSpan(kind, i, found.end, found.keys, found.is_possessive)  # type: ignore[arg-type]

    def _tag_date(self, i: int, person: NameMatch | None, place: NameMatch | None) -> TaggedSpan | None:
        dated = self._dates.match_at(i)
        if dated is None:
            return None
        core = i if dated.core < 0 else dated.core
        rivals = [person, place]
        if core != i:
            rivals = [self.people.match_exact(self.tokens, core), self.places.match_exact(self.tokens, core)]
        if any(rival and rival.end > dated.end for rival in (*rivals, person, place)):
            return None
        if not dated.certain and rivals[0]:
            return None
        if dated.loose and not self._is_date(i, core, dated):
            return None
        if dated.note:
            self.notes.append(dated.note)
        return (
            TaggedSpan("date", core, dated.end, date=dated)
            if core == i
            else self._tag_led_date(i, core, dated)
        )

    def _tag_led_date(self, i: int, core: int, dated: DateMatch) -> TaggedSpan:
        """A date with its leading word, which belongs to it."""
        return TaggedSpan("date", i, dated.end, date=replace(dated, core=core))

    def _is_date(self, i: int, core: int, dated: DateMatch) -> bool:
        """Whether a year, season or holiday is not part of what follows: "2000 cars", "a summer dress"."""
        if dated.moment.family == "year":
            following = self.tokens[dated.end].norm if dated.end < len(self.tokens) else ""
            is_name = self._norm_before(i) in ARTICLES
            return core != i or not (is_name or following in _UNITS)
        return self._phrase_ends(dated.end)

    def _phrase_ends(self, i: int) -> bool:
        if i >= len(self.tokens) or self.tokens[i].kind != "word" or self.tokens[i].norm in _ENDS:
            return True
        return any(names.match_exact(self.tokens, i) for names in (self.people, self.places)) or (
            self._dates.match_at(i) is not None
        )

    def _tag_phrase(self, i: int, person: NameMatch | None, place: NameMatch | None) -> TaggedSpan | None:
        """How many people, or that there is nobody else."""
        word = self.tokens[i].norm
        if word not in _PHRASE_STARTS and not word.isdigit():
            return None
        for kind, pattern in _PHRASES:
            match = pattern.match(self._text, self._starts[i])
            if match is None:
                continue
            end = self._token_at(match.end() + 1)
            if any(found and found.end >= end for found in (person, place)):
                return None
            if kind == "alone":
                return self._tag_alone(i, end, match[0].endswith((" else", " others")))
            if kind == "only":
                return TaggedSpan("only", i, end)
            return TaggedSpan("count", i, end, count=_parse_count(kind, match), others="other" in match[0])
        return None

    def _tag_alone(self, i: int, end: int, nobody_else: bool) -> TaggedSpan | None:
        """*Alone* right behind a person, or *nobody else* further on; of a number that says nothing."""
        kinds = {item.kind for item in (self.items if nobody_else else self.items[-1:])}
        if nobody_else and "count" in kinds:
            return TaggedSpan("frame", i, end)
        return TaggedSpan("alone", i, end) if "person" in kinds else None

    # --- names ---------------------------------------------------------------------------------------------

    def _tag_name(self, i: int, person: NameMatch | None, place: NameMatch | None) -> TaggedSpan | None:
        if person and place and person.end != place.end:
            person, place = (person, None) if person.end > place.end else (None, place)
        if person and not (place and self._means_place(i, place)) and self._is_person(i, person):
            return TaggedSpan("person", i, person.end, person.keys, person.is_possessive)
        if place and self._is_place(i, place):
            return TaggedSpan("place", i, place.end, place.keys, place.is_possessive)
        return None

    def _means_place(self, i: int, found: NameMatch) -> bool:
        """Whether a name of a person and of a place is the place: after *in*, or beside other places."""
        before = self._norm_before(i)
        if self._leads_place(i):
            return True
        joins = before in ("and", "or", ",", "&") and len(self.items) > 1
        last = self.items[-2].kind if joins else ""
        if last in ENTITIES and (before, last) != (",", "place"):
            return last == "place"
        after = found.end + 1
        listed = after < len(self.tokens) and self.tokens[found.end].norm in ("and", "or", "&")
        if (
            listed
            and self.places.match_exact(self.tokens, after)
            and not self.people.match_exact(self.tokens, after)
        ):
            return True
        return self._is_contained(found)

    def _is_person(self, i: int, found: NameMatch) -> bool:
        """Whether a known name is one here: names take no article, and everyday words want a name's place."""
        if found.end - i > 1:
            return True
        if self._norm_before(i) in ("a", "an") and not found.is_possessive:
            return False
        if self._describes(i):
            return False
        if self.tokens[i].norm in EMPTY and not self._norm_before(i):  # me and maya, but not: a dog
            after = self.tokens[found.end].norm if found.end < len(self.tokens) else "and"
            return after in JOINERS
        return not _is_everyday(self.tokens[i]) or self._stands_like_name(i)

    def _describes(self, i: int) -> bool:
        """Whether a word is what the next one is like: a sandy beach is no picture of Sandy."""
        if self.tokens[i].norm not in ADJECTIVES or i + 1 >= len(self.tokens):
            return False
        after = self.tokens[i + 1]
        is_doing = after.norm.endswith("ing") and after.norm not in NOUNS_IN_ING
        return after.kind == "word" and after.norm in COMMON - EMPTY - LEADING and not is_doing

    def _is_place(self, i: int, found: NameMatch) -> bool:
        if found.end - i > 1 or not _is_everyday(self.tokens[i]):
            return True
        listed = self._norm_before(i) == "," and len(self.items) > 1 and self.items[-2].kind == "place"
        return self._norm_before(i) in PLACE_LEADS or listed or self._is_contained(found)

    def _is_contained(self, place: NameMatch) -> bool:
        """Whether a place that may contain this one follows directly: paris, france."""
        i = place.end
        if i < len(self.tokens) and self.tokens[i].norm == ",":
            i += 1
        after = self.places.match_exact(self.tokens, i) if i < len(self.tokens) else None
        if after is None or (i == place.end and self.people.match_exact(self.tokens, i)):
            return False
        return self.places.contains(after.keys[0], place.keys[0])

    def _norm_before(self, i: int, skip: str = "") -> str:
        """The folded word or mark before a token; empty at the start."""
        while i and self.tokens[i - 1].norm == skip:
            i -= 1
        return self.tokens[i - 1].norm if i and not self._is_framed(i) else ""

    def _is_framed(self, i: int) -> bool:
        return bool(self.items) and self.items[0].kind == "frame" and self.items[0].end == i

    def _leads_place(self, i: int) -> bool:
        return self._norm_before(i, "the") in PLACE_LEADS

    def _stands_like_name(self, i: int) -> bool:
        before = self._norm_before(i)
        return before in NAME_LEADS or not before or (bool(self.items) and self.items[-1].kind in ENTITIES)

    # --- guesses -------------------------------------------------------------------------------------------

    def _tag_guess(self, i: int) -> TaggedSpan | None:
        """A part of a name, or one with a typing error, where a name would stand."""
        leads_place, stands = self._leads_place(i), self._stands_like_name(i)
        if not (leads_place or stands) or self._guesses <= 0:
            return None
        self._guesses -= self.tokens[i].norm not in COMMON
        notes = len(self.notes)
        part, mistyped = self._tag_part(i, leads_place), self._tag_mistyped(i, leads_place)
        if part and mistyped:  # rio de janero is more than a part, rio de
            chosen = mistyped if mistyped.end > part.end else part
            self.notes[notes:] = [self.notes[notes + (chosen is mistyped)]]
            return chosen
        return part or mistyped

    def _tag_part(self, i: int, leads_place: bool) -> TaggedSpan | None:
        found = None if leads_place else self.people.match_partly(self.tokens, i)
        if found:
            return self._tag_noted("person", i, found)
        found = self.places.match_partly(self.tokens, i)
        if found is None:
            return None
        if self._follows_place(i, found):
            return None
        known = all(self.places.words[key].kind for key in found.keys)
        if not leads_place and found.end - i == 1 and (found.more or not known):
            return None
        return self._tag_noted("place", i, found)

    def _tag_mistyped(self, i: int, leads_place: bool) -> TaggedSpan | None:
        places = [
            found for found in self.places.match_mistyped(self.tokens, i) if not self._follows_place(i, found)
        ]
        people = [] if leads_place and places else self.people.match_mistyped(self.tokens, i)
        keys = {key: names for names, found in ((self.places, places), (self.people, people))
                for match in found for key in match.keys}  # fmt: skip
        if len(keys) != 1:
            if keys:
                names = " or ".join(sorted(found.words[key].name for key, found in keys.items()))
                self.notes.append(f'"{self.tokens[i].text}" could be {names}: read as text')
            return None
        kind: TagKind = "person" if people else "place"
        found = (people or places)[0]
        typed = " ".join(token.text for token in self.tokens[i : found.end])
        spelled = (self.people if people else self.places).words[found.keys[0]].name
        return self._tag_noted(kind, i, replace(found, note=f'read "{typed}" as {spelled}'))

    def _follows_place(self, i: int, found: NameMatch) -> bool:
        """Whether a guess stands right behind a place that is not in it: york minster is not Münster."""
        if not self.items or self.items[-1].kind != "place" or self.items[-1].end != i:
            return False
        return not self.places.contains(found.keys[0], self.items[-1].keys[0])

    def _tag_noted(self, kind: TagKind, i: int, found: NameMatch) -> TaggedSpan:
        self.notes.append(found.note)
        return TaggedSpan(kind, i, found.end, found.keys, found.is_possessive)


_UNITS = split_set("people persons m km meters metres feet miles dollars euros cars things times mm")
_ENDS = JOINERS | PLACE_LEADS | NEGATIONS | ONLY | PHOTOS | split_set(
    "of on by for with the when where who alone is was day time holidays season"
)  # fmt: skip


def _is_everyday(token: Token) -> bool:
    return token.norm in COMMON or token.norm.isdigit()


def _parse_count(kind: str, match: re.Match[str]) -> tuple[int, int | None]:
    """Least and most faces. At most some people are some people."""
    found = match.groupdict()
    numbers = [_parse_number(found[name]) for name in ("n", "m") if found.get(name)]
    n = numbers[0] if numbers else 0
    if kind == "between":
        return min(numbers), max(numbers)
    return {
        "none": (0, 0),
        "least": (n, None),
        "more": (n + 1, None),
        "most": (min(1, n), n),
        "fewer": (min(1, max(n - 1, 0)), max(n - 1, 0)),
    }.get(kind, (n, n))


def _parse_number(text: str) -> int:
    return NUMBER_WORDS.index(text) if text in NUMBER_WORDS else int(text)
