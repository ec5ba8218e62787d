"""The result of parsing a sentence: people, places, dates and text. As a condition, in words, and as JSON."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from imagesearch.filters import And, Between, Condition, Contains, Eq, Not, Or

_YEAR = re.compile(r"\b\d{4}")
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
    """

    all_of: tuple[str, ...] = ()
    any_of: tuple[tuple[str, ...], ...] = ()
    none_of: tuple[str, ...] = ()
    only: bool = False
    count: tuple[int, int | None] | None = None
    other_than: int | None = None

    def __bool__(self) -> bool:
        return self != PeopleClause()

    @property
    def named_count(self) -> int:
        """The number of people named, each group of alternatives as one person."""
        return len(self.all_of) + len(self.any_of)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Conditions that must all hold. No condition on a number accepts -1: faces not detected yet."""
        parts: list[Condition] = [_has_person(name) for name in self.all_of]
        parts += [Or(tuple(map(_has_person, names))) for names in self.any_of]
        parts += [Not(_has_person(name)) for name in self.none_of]
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
        text = _join_names([*self.all_of, *groups])
        if self.only:
            text = f"only {text}"
        if self.none_of:
            text += (" " if text else "") + f"without {_join_names(self.none_of)}"
        counts = [] if self.count is None or self.only else [_format_people_count(*self.count)]
        if self.other_than is not None:
            counts.append(f"not {_format_people_count(self.other_than, self.other_than)}")
        return ", ".join(filter(None, [text, *counts]))


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
    """

    words: str
    condition: Condition
    dates: str = ""

    def __str__(self) -> str:
        has_days = _YEAR.search(self.words) is not None and "winter" not in self.words  # it spans two years
        return self.words if has_days or not self.dates else f"{self.words} ({self.dates})"


@dataclass(frozen=True)
class ParsedQuery:
    """A parsed sentence.

    Attributes
    ----------
    people
        Who must be in the photo, and who must not.
    places
        Where it must be taken: alternatives. All words of one must be among the photo's ``place_words``.
    not_places
        Words that must not be among them.
    dates
        When it must be taken. All clauses must hold.
    text
        The text that CLIP encodes: the caption in the template. Empty without a caption.
    caption
        The rest of the sentence, with "a person" or "two people" in place of the people.
    words
        The words of the sentence in the caption.
    notes
        Notes for the user on words that were not taken literally, or were ignored.
    place_names
        Pairs of a place word and its display name: ``("goa", "Goa (state)")``.
    """

    people: PeopleClause = PeopleClause()
    places: tuple[tuple[str, ...], ...] = ()
    not_places: tuple[str, ...] = ()
    dates: tuple[DateClause, ...] = ()
    text: str = ""
    caption: str = ""
    words: str = ""
    notes: tuple[str, ...] = ()
    place_names: tuple[tuple[str, str], ...] = ()

    @property
    def place_conditions(self) -> tuple[Condition, ...]:
        """Conditions on the place that must all hold."""
        options = [
            _join_conditions(tuple(Contains("place_words", word) for word in words)) for words in self.places
        ]
        parts: list[Condition] = [Or(tuple(options)) if len(options) > 1 else options[0]] if options else []
        return (*parts, *(Not(Contains("place_words", word)) for word in self.not_places))

    @property
    def condition(self) -> Condition:
        """The condition on people, places and dates."""
        dates = tuple(clause.condition for clause in self.dates)
        return _join_conditions((*self.people.conditions, *self.place_conditions, *dates))

    @property
    def summary(self) -> str:
        """The parsed sentence in one line: ``Maya · Goa (state) · "a person on the beaches"``."""
        parts = [str(self.people), self._places_title, *self._not_places_titles]
        parts += [*map(str, self.dates), self._caption_title]
        return " · ".join(filter(None, parts))

    @property
    def union_summary(self) -> str:
        """The parsed sentence in one line, for a search in which one of who, where and when is enough."""
        people, dates = str(replace(self.people, none_of=())), " and ".join(map(str, self.dates))
        options = [part for part in (people, self._places_title, dates) if part]
        if len(options) < 2:
            return self.summary
        without = str(PeopleClause(none_of=self.people.none_of))
        parts = [f"{', or '.join(options)}; those with more of these first", without]
        return " · ".join(filter(None, (*parts, *self._not_places_titles, self._caption_title)))

    @property
    def _places_title(self) -> str:
        names = dict(self.place_names)
        return " or ".join(", ".join(names.get(word, word) for word in words) for words in self.places)

    @property
    def _not_places_titles(self) -> list[str]:
        names = dict(self.place_names)
        return [f"not {names.get(word, word)}" for word in self.not_places]

    @property
    def _caption_title(self) -> str:
        return f'"{self.caption}"' if self.caption else ""

    def to_dict(self) -> dict[str, Any]:
        """Return the value for ``--json``, without the conditions."""
        return {
            "people": asdict(self.people),
            "places": {"any_of": self.places, "none_of": self.not_places},
            "dates": [{"words": clause.words, "means": clause.dates} for clause in self.dates],
            "text": self.text,
            "words": self.words,
            "read_as": self.summary,
            "notes": self.notes,
        }


def _has_person(name: str) -> Condition:
    return Contains("face_labels", name)


def _face_count_between(low: int, high: int | None) -> Condition:
    return Between("face_count", low, None if high is None else high + 1)


def _join_conditions(parts: tuple[Condition, ...]) -> Condition:
    return parts[0] if len(parts) == 1 else And(parts)


def _join_names(names: tuple[str, ...] | list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


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
