"""Reads the criteria that a sentence could have too: a place, and dates in digits and words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime

from imagesearch.errors import UserError, name_option
from imagesearch.filters import Condition
from imagesearch.query.parser import SentenceParser
from imagesearch.store import Vocabulary

_DATE = re.compile(r"(\d{4})(?:-(\d\d?)(?:-(\d\d?)(?:[T ](\d\d?):(\d\d))?)?)?", re.ASCII)
_FIRST = (1, 1, 1, 0, 0)  # the year, month, day, hour and minute where a shorter date begins


class PhraseReader:
    """Reads places, and dates in words, as a sentence would have them, and collects the notes on them."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        make_parser: Callable[[], SentenceParser] | None,
        today: date,
        notes: list[str],
    ) -> None:
        self._vocabulary, self._make_parser, self._today = vocabulary, make_parser, today
        self._notes = notes

    def read_dates(
        self, typed: Mapping[str, str], lead: str = ""
    ) -> tuple[list[datetime | None], list[Condition]]:
        """Return the two limits of a time as dates, and conditions for those that are in words."""
        limits: list[datetime | None] = []
        parts: list[Condition] = []
        for (name, text), word in zip(typed.items(), ("since", "before"), strict=True):
            limits.append(_parse_date(name, text))
            if text and limits[-1] is None:
                expected = 'a date: 2023, 2023-06, 2023-06-01, 2023-06-01T18:30, 01.06.2023 or "last summer"'
                parts.append(self.read(name, text, f"{lead}{word}", expected))
        return limits, parts

    def read(self, name: str, text: str, lead: str, expected: str) -> Condition:
        """Return what a text means in a sentence after the words of ``lead``."""
        parser = self._make_parser() if self._make_parser else SentenceParser(self._vocabulary)
        parsed = parser.parse(f"{lead} {text}", self._today)
        is_where = name in ("near", "places")
        is_read = (parsed.places or parsed.areas) if is_where else (parsed.dates or parsed.facts)
        others = (parsed.dates or parsed.facts) if is_where else (parsed.places or parsed.areas)
        rest = (parsed.caption, parsed.not_understood, parsed.people.named_count, parsed.excluded)
        if not is_read or others or any(rest):
            raise UserError(f"{name_criterion(name)} {text}: expected {expected}")
        self._notes += parsed.notes
        return parsed.condition


def name_criterion(name: str) -> str:
    """Return what a message calls a criterion: ``--added-after`` in a script."""
    plural = {"years": "--year", "months": "--month", "places": "--place"}
    return name_option(plural.get(name, f"--{name.replace('_', '-')}"), name)


def _parse_date(name: str, text: str) -> datetime | None:
    """Return the start of a date; None if there is no text, or it is in words."""
    match = _DATE.fullmatch(text.strip())
    if not match:
        return None
    parts = [first if part is None else int(part) for part, first in zip(match.groups(), _FIRST, strict=True)]
    try:
        return datetime(*parts)
    except ValueError as error:
        raise UserError(f"{name_criterion(name)} {text}: {error}") from None
