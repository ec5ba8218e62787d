"""Names trips by place and time: "Goa, August 2025"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from imagesearch.text import enumerate_names

_KINDS = ("city", "county", "state", "country")  # from small to large
_MIN_SHARE = 0.6  # of the photos with an address; a place with more gives its name to the trip
_MAX_COUNTRIES = 3


def name_place(addresses: Sequence[Sequence[tuple[str, str]]]) -> str:
    """Return the name of the smallest place where most photos were taken, or of the countries.

    Parameters
    ----------
    addresses
        For each photo with an address, the names of its places, each with its kind.
    """
    for kind in _KINDS:
        counts = Counter(_find_name(places, kind) for places in addresses)
        del counts[""]
        if counts:
            name, count = min(counts.items(), key=lambda item: (-item[1], item[0]))
            if count >= _MIN_SHARE * len(addresses):
                return name
    countries = [
        name for name, _ in Counter(_find_name(p, "country") for p in addresses).most_common() if name
    ]
    if len(countries) > _MAX_COUNTRIES:
        return f"{len(countries)} countries"
    return enumerate_names(countries)


def find_smallest(places: Sequence[tuple[str, str]]) -> str:
    """Return the name of the city in an address, or else of its smallest place."""
    ranks = {kind: rank for rank, kind in enumerate(_KINDS)}
    return min(places, key=lambda place: ranks.get(place[1], len(ranks)))[0]


def name_months(first: datetime, last: datetime) -> str:
    """Return the months of a trip: ``August 2025``, ``July to August 2025``, ``December 2024 to ...``."""
    if (first.year, first.month) == (last.year, last.month):
        return f"{first:%B} {first.year}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first:%B}{year} to {last:%B} {last.year}"


def name_days(first: datetime, last: datetime) -> str:
    """Return the days of a trip: ``3 to 5 August 2025``."""
    end = f"{last.day} {last:%B} {last.year}"
    if first.date() == last.date():
        return end
    parts = [str(first.day)]
    parts += [f"{first:%B}"] if (first.year, first.month) != (last.year, last.month) else []
    parts += [str(first.year)] if first.year != last.year else []
    return f"{' '.join(parts)} to {end}"


def _find_name(places: Sequence[tuple[str, str]], kind: str) -> str:
    return next((name for name, other in places if other == kind), "")
