"""From a sentence's words to what they stand for: people, places, dates, numbers of people, and the rest."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Literal, NamedTuple

from imagesearch.query.date_parser import Dated, DateReader
from imagesearch.query.gazetteer import Found, Names
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
    listed,
)
from imagesearch.query.parsed_query import NUMBERS
from imagesearch.query.tokenizer import Token, joined
from imagesearch.text import normalize

Kind = Literal["word", "mark", "quote", "frame", "person", "place", "date", "count", "only", "alone"]
ENTITIES = frozenset(("person", "place", "date", "count"))
_GUESSES = 24  # words of one sentence that may be misspelt or partial names; each costs some time
_MOST = 1200  # words and marks of a sentence that are read; CLIP reads some 70
_N = rf"(?:\d{{1,3}}|{'|'.join(NUMBERS[1:])})"
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
_PHRASE_STARTS = listed(
    "nobody no noone and with but alone solo all by on only without not at minimum more over up "
    "maximum fewer less under between exactly just a the group"
) | frozenset(NUMBERS[1:])
_FRAME = re.compile(
    r"(?:(?:please|can you|could you|i want to see|i want|i would like to see|show me|show us|show|find me|"
    r"find|search for|search|look for|looking for|give me|get me|display|list|where are|where is) )+"
)


class Item(NamedTuple):
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

    kind: Kind
    start: int
    end: int
    keys: tuple[str, ...] = ()
    owns: bool = False
    dated: Dated | None = None
    count: tuple[int, int | None] = (0, None)
    others: bool = False


class Scanner:
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

    def __init__(self, tokens: Sequence[Token], people: Names, places: Names, today: date) -> None:
        self.tokens, self.people, self.places = tokens, people, places
        self.items: list[Item] = []
        self.notes: list[str] = []
        self._dates = DateReader(tokens, today)
        self._text, self._starts = joined(tokens)
        self._guesses = _GUESSES

    def scan(self) -> list[Item]:
        """Return all items, in order."""
        frame = _FRAME.match(self._text)
        if frame:
            self.items.append(Item("frame", 0, self._token(frame.end())))
        i = self.items[-1].end if self.items else 0
        if len(self.tokens) > _MOST:
            self.notes.append(f"only the first {_MOST} words and marks were read")
        while i < len(self.tokens):
            self.items.append(self._item(i) if i < _MOST else Item("frame", i, len(self.tokens)))
            i = self.items[-1].end
        return self.items

    def _item(self, i: int) -> Item:
        token = self.tokens[i]
        if token.kind == "explicit":
            return self._explicit(i)
        if token.kind != "word":
            return Item(token.kind, i, i + 1)
        person, place = self.people.exact(self.tokens, i), self.places.exact(self.tokens, i)
        return (
            self._date(i, person, place)
            or self._phrase(i, person, place)
            or self._name(i, person, place)
            or self._guess(i)
            or Item("word", i, i + 1)
        )

    def _token(self, offset: int) -> int:
        return bisect_left(self._starts, offset)

    # --- what is clear -------------------------------------------------------------------------------------

    def _explicit(self, i: int) -> Item:
        """``person:``, ``place:`` or ``text:`` and a quote, a known name, or a word."""
        kind = self.tokens[i].folded
        if i + 1 >= len(self.tokens) or self.tokens[i + 1].kind not in ("word", "quote"):
            return Item("mark", i, i + 1)
        after = self.tokens[i + 1]
        if kind == "text":
            return Item("quote", i, i + 2)
        names = self.people if kind == "person" else self.places
        if after.kind == "quote":
            key = names.quoted(after.text)
            found = Found((key,), i + 2) if key is not None else None
        else:
            found = names.exact(self.tokens, i + 1)
        if found is None:
            who = "nobody" if kind == "person" else "no place"
            self.notes.append(f'{who} is called "{after.text}"')
            found = Found((after.text if kind == "person" else normalize(after.text),), i + 2)
        return Item(kind, i, found.end, found.keys, found.owns)  # type: ignore[arg-type]

    def _date(self, i: int, person: Found | None, place: Found | None) -> Item | None:
        dated = self._dates.at(i)
        if dated is None:
            return None
        core = i if dated.core < 0 else dated.core
        rivals = [person, place]
        if core != i:
            rivals = [self.people.exact(self.tokens, core), self.places.exact(self.tokens, core)]
        if any(rival and rival.end > dated.end for rival in (*rivals, person, place)):
            return None
        if not dated.certain and rivals[0]:
            return None
        if dated.loose and not self._is_date(i, core, dated):
            return None
        if dated.note:
            self.notes.append(dated.note)
        return Item("date", core, dated.end, dated=dated) if core == i else self._led_date(i, core, dated)

    def _led_date(self, i: int, core: int, dated: Dated) -> Item:
        """A date with its leading word, which belongs to it."""
        return Item("date", i, dated.end, dated=replace(dated, core=core))

    def _is_date(self, i: int, core: int, dated: Dated) -> bool:
        """Whether a year, season or holiday is not part of what follows: "2000 cars", "a summer dress"."""
        if dated.moment.family == "year":
            following = self.tokens[dated.end].folded if dated.end < len(self.tokens) else ""
            is_name = self._before(i) in ARTICLES
            return core != i or not (is_name or following in _UNITS)
        return self._phrase_ends(dated.end)

    def _phrase_ends(self, i: int) -> bool:
        if i >= len(self.tokens) or self.tokens[i].kind != "word" or self.tokens[i].folded in _ENDS:
            return True
        return any(names.exact(self.tokens, i) for names in (self.people, self.places)) or (
            self._dates.at(i) is not None
        )

    def _phrase(self, i: int, person: Found | None, place: Found | None) -> Item | None:
        """How many people, or that there is nobody else."""
        word = self.tokens[i].folded
        if word not in _PHRASE_STARTS and not word.isdigit():
            return None
        for kind, pattern in _PHRASES:
            match = pattern.match(self._text, self._starts[i])
            if match is None:
                continue
            end = self._token(match.end() + 1)
            if any(found and found.end >= end for found in (person, place)):
                return None
            if kind == "alone":
                return self._alone(i, end, match[0].endswith((" else", " others")))
            if kind == "only":
                return Item("only", i, end)
            return Item("count", i, end, count=_count(kind, match), others="other" in match[0])
        return None

    def _alone(self, i: int, end: int, nobody_else: bool) -> Item | None:
        """*Alone* right behind a person, or *nobody else* further on; of a number that says nothing."""
        kinds = {item.kind for item in (self.items if nobody_else else self.items[-1:])}
        if nobody_else and "count" in kinds:
            return Item("frame", i, end)
        return Item("alone", i, end) if "person" in kinds else None

    # --- names ---------------------------------------------------------------------------------------------

    def _name(self, i: int, person: Found | None, place: Found | None) -> Item | None:
        if person and place and person.end != place.end:
            person, place = (person, None) if person.end > place.end else (None, place)
        if person and not (place and self._means_place(i, place)) and self._is_person(i, person):
            return Item("person", i, person.end, person.keys, person.owns)
        if place and self._is_place(i, place):
            return Item("place", i, place.end, place.keys, place.owns)
        return None

    def _means_place(self, i: int, found: Found) -> bool:
        """Whether a name of a person and of a place is the place: after *in*, or beside other places."""
        before = self._before(i)
        if self._leads_place(i):
            return True
        joins = before in ("and", "or", ",", "&") and len(self.items) > 1
        last = self.items[-2].kind if joins else ""
        if last in ENTITIES and (before, last) != (",", "place"):
            return last == "place"
        after = found.end + 1
        listed = after < len(self.tokens) and self.tokens[found.end].folded in ("and", "or", "&")
        if listed and self.places.exact(self.tokens, after) and not self.people.exact(self.tokens, after):
            return True
        return self._contained(found)

    def _is_person(self, i: int, found: Found) -> bool:
        """Whether a known name is one here: names take no article, and everyday words want a name's place."""
        if found.end - i > 1:
            return True
        if self._before(i) in ("a", "an") and not found.owns:
            return False
        if self._describes(i):
            return False
        if self.tokens[i].folded in EMPTY and not self._before(i):  # me and maya, but not: a dog
            after = self.tokens[found.end].folded if found.end < len(self.tokens) else "and"
            return after in JOINERS
        return not _is_everyday(self.tokens[i]) or self._stands_like_name(i)

    def _describes(self, i: int) -> bool:
        """Whether a word is what the next one is like: a sandy beach is no picture of Sandy."""
        if self.tokens[i].folded not in ADJECTIVES or i + 1 >= len(self.tokens):
            return False
        after = self.tokens[i + 1]
        is_doing = after.folded.endswith("ing") and after.folded not in NOUNS_IN_ING
        return after.kind == "word" and after.folded in COMMON - EMPTY - LEADING and not is_doing

    def _is_place(self, i: int, found: Found) -> bool:
        if found.end - i > 1 or not _is_everyday(self.tokens[i]):
            return True
        listed = self._before(i) == "," and len(self.items) > 1 and self.items[-2].kind == "place"
        return self._before(i) in PLACE_LEADS or listed or self._contained(found)

    def _contained(self, place: Found) -> bool:
        """Whether a place that may contain this one follows directly: paris, france."""
        i = place.end
        if i < len(self.tokens) and self.tokens[i].folded == ",":
            i += 1
        after = self.places.exact(self.tokens, i) if i < len(self.tokens) else None
        if after is None or (i == place.end and self.people.exact(self.tokens, i)):
            return False
        return self.places.contains(after.keys[0], place.keys[0])

    def _before(self, i: int, skip: str = "") -> str:
        """The folded word or mark before a token; empty at the start."""
        while i and self.tokens[i - 1].folded == skip:
            i -= 1
        return self.tokens[i - 1].folded if i and not self._framed(i) else ""

    def _framed(self, i: int) -> bool:
        return bool(self.items) and self.items[0].kind == "frame" and self.items[0].end == i

    def _leads_place(self, i: int) -> bool:
        return self._before(i, "the") in PLACE_LEADS

    def _stands_like_name(self, i: int) -> bool:
        before = self._before(i)
        return before in NAME_LEADS or not before or (bool(self.items) and self.items[-1].kind in ENTITIES)

    # --- guesses -------------------------------------------------------------------------------------------

    def _guess(self, i: int) -> Item | None:
        """A part of a name, or one with a typing error, where a name would stand."""
        leads_place, stands = self._leads_place(i), self._stands_like_name(i)
        if not (leads_place or stands) or self._guesses <= 0:
            return None
        self._guesses -= self.tokens[i].folded not in COMMON
        notes = len(self.notes)
        part, mistyped = self._part(i, leads_place), self._mistyped(i, leads_place)
        if part and mistyped:  # rio de janero is more than a part, rio de
            chosen = mistyped if mistyped.end > part.end else part
            self.notes[notes:] = [self.notes[notes + (chosen is mistyped)]]
            return chosen
        return part or mistyped

    def _part(self, i: int, leads_place: bool) -> Item | None:
        found = None if leads_place else self.people.partly(self.tokens, i)
        if found:
            return self._noted("person", i, found)
        found = self.places.partly(self.tokens, i)
        if found is None:
            return None
        if self._follows_place(i, found):
            return None
        known = all(self.places.words[key].kind for key in found.keys)
        if not leads_place and found.end - i == 1 and (found.more or not known):
            return None
        return self._noted("place", i, found)

    def _mistyped(self, i: int, leads_place: bool) -> Item | None:
        places = [
            found for found in self.places.mistyped(self.tokens, i) if not self._follows_place(i, found)
        ]
        people = [] if leads_place and places else self.people.mistyped(self.tokens, i)
        keys = {key: names for names, found in ((self.places, places), (self.people, people))
                for match in found for key in match.keys}  # fmt: skip
        if len(keys) != 1:
            if keys:
                names = " or ".join(sorted(found.words[key].name for key, found in keys.items()))
                self.notes.append(f'"{self.tokens[i].text}" could be {names}: read as text')
            return None
        kind: Kind = "person" if people else "place"
        found = (people or places)[0]
        typed = " ".join(token.text for token in self.tokens[i : found.end])
        spelled = (self.people if people else self.places).words[found.keys[0]].name
        return self._noted(kind, i, replace(found, note=f'read "{typed}" as {spelled}'))

    def _follows_place(self, i: int, found: Found) -> bool:
        """Whether a guess stands right behind a place that is not in it: york minster is not Münster."""
        if not self.items or self.items[-1].kind != "place" or self.items[-1].end != i:
            return False
        return not self.places.contains(found.keys[0], self.items[-1].keys[0])

    def _noted(self, kind: Kind, i: int, found: Found) -> Item:
        self.notes.append(found.note)
        return Item(kind, i, found.end, found.keys, found.owns)


_UNITS = listed("people persons m km meters metres feet miles dollars euros cars things times mm")
_ENDS = JOINERS | PLACE_LEADS | NEGATIONS | ONLY | PHOTOS | listed(
    "of on by for with the when where who alone is was day time holidays season"
)  # fmt: skip


def _is_everyday(token: Token) -> bool:
    return token.folded in COMMON or token.folded.isdigit()


def _count(kind: str, match: re.Match[str]) -> tuple[int, int | None]:
    """Least and most faces. At most some people are some people."""
    found = match.groupdict()
    numbers = [_number(found[name]) for name in ("n", "m") if found.get(name)]
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


def _number(text: str) -> int:
    return NUMBERS.index(text) if text in NUMBERS else int(text)
