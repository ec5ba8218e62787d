"""Photos in words, for those who do not see them: people, class, place and date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from imagesearch.library import PhotoLibrary
from imagesearch.search import PhotoDetails, SearchResult, read_details_by_id
from imagesearch.text import is_numbered_label
from imagesearch.web.photo_ids import format_photo_id

_MAX_NAMES = 4


def describe_result(result: SearchResult) -> str:
    """Return a photo that was found in words."""
    place = ", ".join(filter(None, (result.city, result.country)))
    return _describe(result.people, result.class_label, place, result.date, result.path)


def describe_details(details: PhotoDetails, people: Sequence[str] | None = None) -> str:
    """Return a photo in words, with the labels of its people, by default those of the collections."""
    place = ", ".join(filter(None, (details.city, details.country)))
    label = details.classes[0][0] if details.classes else ""
    return _describe(details.people if people is None else people, label, place, details.date, details.path)


def read_alt_texts(library: PhotoLibrary, photo_ids: Sequence[int]) -> dict[str, str]:
    """Return photos in words, by the ids in their addresses; in the thread of the library.

    Raises
    ------
    UserError
        If there are no collections, or Milvus cannot be reached.
    """
    details = read_details_by_id(library.searcher.resources, photo_ids)
    return {format_photo_id(one): describe_details(details[one]) for one in photo_ids if one in details}


def join_names(names: Sequence[str]) -> str:
    """Return the first names of a photo's people, and the number of the others."""
    shown = list(names[:_MAX_NAMES])
    return ", ".join(shown) + (f" +{len(names) - len(shown)}" if len(names) > len(shown) else "")


def format_day(text: str, is_short: bool = False) -> str:
    """Return a date in words, as far as it is known: ``3 June 2025``, or short ``Tue, 3 Jun 2025``."""
    if not text:
        return "Without a date" if is_short else ""
    try:
        match text.split("-"):
            case [year]:
                return year
            case [year, month]:
                return date(int(year), int(month), 1).strftime("%B %Y")
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day:%a}, {day.day} {day:%b %Y}" if is_short else f"{day.day} {day:%B %Y}"


def _describe(labels: Sequence[str], label: str, place: str, day: str, path: str) -> str:
    names = [name for name in labels if not is_numbered_label(name)]
    people = join_names(names)
    if others := len(labels) - len(names):
        unnamed = f"{others} unnamed {'person' if others == 1 else 'people'}"
        people = f"{people} and {unnamed}" if people else unnamed
    parts = [people, label.split(",")[0], f"in {place}" if place else "", format_day(day)]
    return ", ".join(filter(None, parts)) or path.rpartition("/")[2]
