"""The parts of a parsed sentence, each with its condition on the fields of a photo, and in words."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass, replace
from itertools import combinations

from imagesearch.filters import And, Between, Condition, Contains, Eq, Not, Or
from imagesearch.query.lexicon import split_set
from imagesearch.text import enumerate_names

# A time of these words and numbers, with a year, needs no explanation: "from 3 june to 5 july 2023".
_PLAIN_WORDS = split_set(
    "and or to from until till through between before after since not of in the st nd rd th year "
    "spring summer autumn fall christmas xmas halloween"
) | {name[:length].lower() for name in calendar.month_name[1:] for length in (3, 4, 9)}
_YEAR, _WORD = re.compile(r"\b\d{4}"), re.compile("[a-z]+")
NUMBER_WORDS = ("nobody", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class PeopleClause:
    """Who must be in a photo.

    Attributes
    ----------
    all_of, any_of, none_of
        Names as the user writes them. One person of each group in ``any_of`` is enough.
    only
        Whether nobody else may be in the photo.
    count
        Minimum and maximum number of faces. A maximum of None means no limit.
    other_than
        A number of faces that the photo must not have.
    at_most
        Pairs of a number and names: no more than this number of these people may be in the photo. In "kim or
        zoe but not both" it is one of Kim and Zoe.
    """

    all_of: tuple[str, ...] = ()
    any_of: tuple[tuple[str, ...], ...] = ()
    none_of: tuple[str, ...] = ()
    only: bool = False
    count: tuple[int, int | None] | None = None
    other_than: int | None = None
    at_most: tuple[tuple[int, tuple[str, ...]], ...] = ()

    def __bool__(self) -> bool:
        return self != PeopleClause()

    @property
    def named_count(self) -> int:
        """The number of people named, each group of alternatives as one person."""
        return len(self.all_of) + len(self.any_of)

    @property
    def included(self) -> PeopleClause:
        """The clause without the people that the photo must not show, or not together."""
        return replace(self, none_of=(), at_most=())

    @property
    def excluded(self) -> PeopleClause:
        """The people that the photo must not show, or not together."""
        return PeopleClause(none_of=self.none_of, at_most=self.at_most)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Conditions that must all hold. No condition on a number accepts -1: faces not detected yet."""
        parts: list[Condition] = [_has_person(name) for name in self.all_of]
        parts += [Or(tuple(map(_has_person, names))) for names in self.any_of]
        parts += [Not(_has_person(name)) for name in self.none_of]
        parts += [_has_at_most(number, names) for number, names in self.at_most]
        if self.only:
            parts.append(Eq("face_count", self.named_count))
        elif self.count is not None:
            low, high = self.count
            parts.append(Eq("face_count", low) if low == high else _face_count_between(low, high))
        if self.other_than is not None:
            parts.append(And((_face_count_between(0, None), Not(Eq("face_count", self.other_than)))))
        return tuple(parts)

    def __str__(self) -> str:
        groups = [" or ".join(names) for names in self.any_of]
        if len(groups) + bool(self.all_of) > 1:
            groups = [f"({group})" for group in groups]
        text = enumerate_names([*self.all_of, *groups])
        if self.only:
            text = f"only {text}"
        if self.none_of:
            text += (" " if text else "") + f"without {enumerate_names(self.none_of)}"
        limits = [self._format_limit(number, names) for number, names in self.at_most]
        counts = [] if self.count is None or self.only else [_format_people_count(*self.count)]
        if self.other_than is not None:
            counts.append(f"not {_format_people_count(self.other_than, self.other_than)}")
        return ", ".join(filter(None, [text, *limits, *counts]))

    def _format_limit(self, number: int, names: tuple[str, ...]) -> str:
        if names in self.any_of and len(names) == 2:
            return "but not both"
        whom = "them" if names in self.any_of else enumerate_names(names)
        return f"at most {_format_number(number)} of {whom}"


@dataclass(frozen=True)
class DateClause:
    """When a photo must be taken.

    Attributes
    ----------
    words
        The words of the sentence, without *in* and *on*.
    condition
        The condition on the time, which also requires that the time is known.
    dates
        The days that the words refer to: ``2023-12-01 to 2023-12-31``. Empty if they recur every year.
    trips
        The names of the trips that the words refer to.
    """

    words: str
    condition: Condition
    dates: str = ""
    trips: tuple[str, ...] = ()

    def __str__(self) -> str:
        is_plain = _YEAR.search(self.words) is not None and _PLAIN_WORDS.issuperset(_WORD.findall(self.words))
        return self.words if is_plain or not self.dates else f"{self.words} ({self.dates})"


@dataclass(frozen=True)
class PhotoFact:
    """What is known of a photo besides people, place and time: its rating, camera, shape, file name, ...

    Attributes
    ----------
    words
        The fact in words: ``rated 4 or more``.
    condition
        The fact as a condition.
    family
        Facts of one family are alternatives when *and* or a comma stands between them: a photo has one
        camera, one name and one shape.
    opposite
        The fact after *not* or *without*, if it is more than that ``condition`` does not hold.
    """

    words: str
    condition: Condition
    family: str = ""
    opposite: PhotoFact | None = None

    @property
    def negated(self) -> PhotoFact:
        """The fact after *not* or *without*."""
        return self.opposite or PhotoFact(f"not {self.words}", Not(self.condition), f"not {self.family}")


@dataclass(frozen=True)
class Area:
    """A region, or a circle around a place, where a photo may be taken.

    Attributes
    ----------
    name
        ``Europe``, ``within 25 km of Banff``.
    condition
        The area as a condition on a photo's position or country.
    lead
        The word before the name in a description; empty for a circle.
    substitute
        For a place where no photo was taken: the nearest place where photos were.
    """

    name: str
    condition: Condition
    lead: str = "in"
    substitute: Area | None = None

    def __str__(self) -> str:
        return f"{self.lead} {self.name}".strip()


@dataclass(frozen=True)
class PhotoOrder:
    """The order that a sentence requests: "oldest photo of maya", "the last three photos".

    Attributes
    ----------
    newest_first
        Whether the newest photo comes first; else the oldest does.
    count
        How many photos are requested; None if the sentence has no number.
    """

    newest_first: bool
    count: int | None = None

    def __str__(self) -> str:
        word = "newest" if self.newest_first else "oldest"
        if self.count is None:
            return f"{word} first"
        return f"the {word}" if self.count == 1 else f"the {self.count} {word}"


@dataclass(frozen=True)
class Content:
    """Something that photos must show, or must not show.

    Attributes
    ----------
    caption
        In the words of the sentence: ``a dog``.
    text
        The text that CLIP encodes: the caption in the template.
    """

    caption: str
    text: str


def _has_person(name: str) -> Condition:
    return Contains("face_labels", name)


def _has_at_most(number: int, names: tuple[str, ...]) -> Condition:
    too_many = combinations(names, number + 1)
    return And(tuple(Not(And(tuple(map(_has_person, group)))) for group in too_many))


def _face_count_between(low: int, high: int | None) -> Condition:
    return Between("face_count", low, None if high is None else high + 1)


def _format_number(count: int) -> str:
    return NUMBER_WORDS[count] if 0 < count < len(NUMBER_WORDS) else str(count)


def _format_people_count(low: int, high: int | None) -> str:
    people = "people" if (high or 2) != 1 else "person"
    if high == 0:
        return "nobody"
    if high == low:
        return f"{_format_number(low)} {people}"
    if high is None:
        return f"at least {_format_number(low)} {people if low != 1 else 'person'}"
    return f"{low} to {high} people"


def make_neutral_phrase(low: int, high: int | None) -> str:
    """Return the words that replace people in a caption, for a minimum and maximum number."""
    if low == high and low < 3:
        return "a person" if low == 1 else "two people"
    return "a group of people" if low > 2 else "people"
