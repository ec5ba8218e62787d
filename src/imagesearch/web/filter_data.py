"""What the drawer of filters offers: names, places, months, cameras and folders, with numbers of photos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from imagesearch.errors import UserError
from imagesearch.library import PhotoLibrary
from imagesearch.query import Criteria
from imagesearch.search import Query
from imagesearch.store import VocabularyEntry, list_named
from imagesearch.web.photo_ids import format_photo_id

_PLACE_FIELDS = ("country", "state", "city")
_COUNTED_FIELDS = ("path", "has_time", "year", "month", "face_labels", "face_count")
_FOLDER_LEVELS = 2
_CRITERIA = frozenset(
    (
        "people",
        "without",
        "any_person",
        "places",
        "cameras",
        "trips",
        "after",
        "before",
        "rating",
        "max_rating",
        "has_gps",
    )
)
_OPTIONS = frozenset(("strategy", "sort", "collapse", "min_fit", "folder"))
_LISTS = frozenset(("people", "without", "places", "cameras", "trips"))
_NUMBERS = {"rating": int, "max_rating": int, "min_fit": float}


def read_filter_data(library: PhotoLibrary) -> dict[str, Any]:
    """Return what can be selected, as plain data; in the thread of the library."""
    resources = library.searcher.resources
    resources.refresh()
    vocabulary = resources.vocabulary
    counts = _count_rows(library)
    return {
        "people": [
            one | {"face": counts.faces.get(one["name"], "")}
            for one in _list_by_count(list_named(vocabulary.people).values())
        ],
        "places": make_place_tree(counts.places),
        "cameras": _list_by_count(vocabulary.cameras.values()),
        "trips": [{"name": trip.name, "count": trip.photos} for trip in reversed(vocabulary.trips or ())],
        "months": [{"month": month, "count": counts.months[month]} for month in sorted(counts.months)],
        "folders": [{"name": name, "count": counts.folders[name]} for name in sorted(counts.folders)],
    }


@dataclass
class _Counts:
    """Numbers of photos, by month, by folder, and by country, state and city; and a face of each person."""

    months: Counter[str] = field(default_factory=Counter)
    folders: Counter[str] = field(default_factory=Counter)
    places: Counter[tuple[str, ...]] = field(default_factory=Counter)
    faces: dict[str, str] = field(default_factory=dict)


def _count_rows(library: PhotoLibrary) -> _Counts:
    resources = library.searcher.resources
    ref = resources.get_collection_ref("clip" if resources.has_collection("clip") else "vit")
    has = library.store.collections.open(ref).field_types
    fields = [name for name in (*_COUNTED_FIELDS, *_PLACE_FIELDS) if name in has]
    counts = _Counts()
    for row in library.store.read_all_rows(ref, fields):
        values = row.fields
        if values.get("has_time") and values.get("month"):
            counts.months[f"{values['year']:04d}-{values['month']:02d}"] += 1
        parts = values["path"].split("/")[:-1]
        counts.folders.update("/".join(parts[: n + 1]) for n in range(min(_FOLDER_LEVELS, len(parts))))
        if values.get("face_count") == 1:  # the only face of the photo is this person's
            for name in values["face_labels"]:
                counts.faces.setdefault(name, f"/face/{format_photo_id(row.id)}/0")
        counts.places[tuple(values.get(name, "") for name in _PLACE_FIELDS)] += 1
    return counts


def _list_by_count(entries: Iterable[VocabularyEntry]) -> list[dict[str, Any]]:
    ordered = sorted(entries, key=lambda entry: (-entry.photos, entry.name))
    return [{"name": entry.name, "count": entry.photos} for entry in ordered]


def make_place_tree(places: Mapping[tuple[str, ...], int]) -> list[dict[str, Any]]:
    """Return countries, with the states and cities in them, as plain data.

    Parameters
    ----------
    places
        The number of photos by country, state and city. A name that is empty, or that of the place around
        it, is left out.
    """
    root: dict[str, Any] = {"children": {}}
    for names, count in places.items():
        node, country = root, names[0]
        for name in dict.fromkeys(filter(None, names)):
            is_inner = node is not root and country and "," not in name
            value = f"{name}, {country}" if is_inner else name
            node = node["children"].setdefault(
                name, {"name": name, "value": value, "count": 0, "children": {}}
            )
            node["count"] += count
    return _sort_nodes(root["children"])


def _sort_nodes(nodes: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    ordered = sorted(nodes.values(), key=lambda node: (-node["count"], node["name"]))
    return [node | {"children": _sort_nodes(node["children"])} for node in ordered]


def describe_selection(query: Query) -> dict[str, Any]:
    """Return what is selected in a query, by the names of its fields."""
    values = {name: getattr(query, name) for name in _OPTIONS}
    values |= {name: getattr(query.criteria, name) for name in _CRITERIA}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def change_query(query: Query, changes: Mapping[str, Any], default: Query) -> Query:
    """Return a query with other values of some fields, as the drawer sends them.

    Raises
    ------
    UserError
        If a field or a value is not one of the drawer's.
    """
    criteria, options = {}, {}
    for name, value in changes.items():
        if name in _CRITERIA:
            criteria[name] = _read_value(name, value, getattr(Criteria(), name))
        elif name in _OPTIONS:
            options[name] = _read_value(name, value, getattr(default, name))
        else:
            raise UserError(f"{str(name)[:40]}: there is no such filter")
    return replace(query, **options, criteria=replace(query.criteria, **criteria))


def _read_value(name: str, value: Any, default: Any) -> Any:
    if value is None or value == "":
        return default
    try:
        if name in _LISTS:
            return tuple(str(item) for item in value if str(item).strip())[:50]
        if name in _NUMBERS:
            return _NUMBERS[name](value)
    except (TypeError, ValueError):
        raise UserError(f"{name}: expected a number, got {str(value)[:40]!r}") from None
    return bool(value) if isinstance(default, bool) else str(value)[:200]
