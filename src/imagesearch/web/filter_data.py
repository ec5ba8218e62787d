"""What the drawer of filters offers: names, places, months, cameras and folders, with numbers of photos."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from nicegui import background_tasks

from imagesearch.errors import UserError
from imagesearch.library import PhotoLibrary
from imagesearch.query import Criteria
from imagesearch.search import Query
from imagesearch.store import Hit, Vocabulary, VocabularyEntry, list_named
from imagesearch.text import normalize
from imagesearch.web.photo_ids import format_photo_id
from imagesearch.web.session import PhotoSession

_PLACE_FIELDS = ("country", "state", "city")
_COUNTED_FIELDS = ("path", "has_time", "year", "month")
_BATCH_ROWS = 1_000
_SECONDS_BEFORE_READING = 1.5  # the photos of the first page come first
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


class FilterOffers:
    """What can be selected, as plain data; read again after each build, once for all pages.

    Parameters
    ----------
    session
        Reads the collection, in parts, so that searches do not wait for all of it.
    """

    def __init__(self, session: PhotoSession) -> None:
        self._session = session
        self._lock = asyncio.Lock()
        self._version: Any = None
        self._offers: dict[str, Any] | None = None
        self._ahead: asyncio.Task[None] | None = None

    def read_ahead(self) -> None:
        """Read all photos after the first page is shown, so that the drawer does not wait for them."""
        if self._offers is None and self._ahead is None:
            self._ahead = background_tasks.create(self._load_later())

    async def _load_later(self) -> None:
        await asyncio.sleep(_SECONDS_BEFORE_READING)
        with suppress(UserError):  # a page shows it when its drawer is opened
            await self.load()

    async def read_names(self) -> dict[str, Any]:
        """Return what is known without reading all photos, unless `load` has read them."""
        version = await self._session.run(_read_version)
        if self._offers is not None and version == self._version:
            return self._offers
        return await self._session.run(lambda library: _list_offers(library, _Counts()) | {"waiting": True})

    async def load(self) -> dict[str, Any]:
        """Return all that can be selected.

        Raises
        ------
        UserError
            If there is no collection of photos.
        """
        async with self._lock:
            version = await self._session.run(_read_version)
            if self._offers is None or version != self._version:
                reader, counts = await self._session.run(_count_rows), None
                while counts is None:
                    counts = await self._session.run(lambda _: next(reader))
                found = counts
                self._offers = await self._session.run(lambda library: _list_offers(library, found))
                self._version = version
            return self._offers


def _read_version(library: PhotoLibrary) -> Any:
    """Return what changes with each build of the collections."""
    return Vocabulary.get_version(library.dataset.folder)


def _list_offers(library: PhotoLibrary, counts: _Counts) -> dict[str, Any]:
    resources = library.searcher.resources
    resources.refresh()
    vocabulary = resources.vocabulary
    return {
        "people": [
            one | {"face": _get_portrait(vocabulary, one["name"])}
            for one in _list_by_count(list_named(vocabulary.people).values())
        ],
        "places": make_place_tree(counts.places),
        "cameras": _list_by_count(vocabulary.cameras.values()),
        "trips": [{"name": trip.name, "count": trip.photos} for trip in reversed(vocabulary.trips or ())],
        "months": [{"month": month, "count": counts.months[month]} for month in sorted(counts.months)],
        "folders": make_folder_tree(counts.folders),
    }


def _get_portrait(vocabulary: Vocabulary, name: str) -> str:
    """Return the address of the best face of a person; empty for somebody without a face."""
    photo, position = vocabulary.portraits.get(normalize(name), (None, 0))
    return "" if photo is None else f"/face/{format_photo_id(photo)}/{position}"


@dataclass
class _Counts:
    """Numbers of photos, by month, by folder, and by country, state and city."""

    months: Counter[str] = field(default_factory=Counter)
    folders: Counter[str] = field(default_factory=Counter)
    places: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def add(self, row: Hit) -> None:
        """Count a photo."""
        values = row.fields
        if values.get("has_time") and values.get("month"):
            self.months[f"{values['year']:04d}-{values['month']:02d}"] += 1
        self.folders[values["path"].rpartition("/")[0]] += 1
        self.places[tuple(values.get(name, "") for name in _PLACE_FIELDS)] += 1


def _count_rows(library: PhotoLibrary) -> Iterator[_Counts | None]:
    """Yield None for each batch of photos that was read, and at last the numbers of all photos."""
    resources = library.searcher.resources
    resources.refresh()
    ref = resources.get_collection_ref("clip" if resources.has_collection("clip") else "vit")
    has = library.store.collections.open(ref).field_types
    fields = [name for name in (*_COUNTED_FIELDS, *_PLACE_FIELDS) if name in has]

    def count() -> Iterator[_Counts | None]:
        counts = _Counts()
        for number, row in enumerate(library.store.read_all_rows(ref, fields), 1):
            counts.add(row)
            if number % _BATCH_ROWS == 0:
                yield None
        yield counts

    return count()


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


def make_folder_tree(folders: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return folders, with the folders in them, as plain data, sorted by name.

    Parameters
    ----------
    folders
        The number of photos directly in each folder, by its path. The photos of an empty path are in none.
    """
    root: dict[str, Any] = {"children": {}}
    for path in sorted(filter(None, folders)):
        node, parts = root, path.split("/")
        for depth, name in enumerate(parts, 1):
            value = "/".join(parts[:depth])
            node = node["children"].setdefault(
                name, {"name": name, "value": value, "count": 0, "children": {}}
            )
            node["count"] += folders[path]
    return _list_children(root)


def _list_children(node: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [child | {"children": _list_children(child)} for child in node["children"].values()]


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
