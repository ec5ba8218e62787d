"""What the drawer of filters offers: names, places, months, cameras and folders, with numbers of photos."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from nicegui import background_tasks

from imagesearch.errors import UserError
from imagesearch.library import PhotoLibrary
from imagesearch.query import Criteria
from imagesearch.search import Query
from imagesearch.store import Vocabulary, VocabularyEntry, list_named
from imagesearch.text import normalize
from imagesearch.web.album_data import AlbumFacts, PhotoCounts
from imagesearch.web.photo_ids import format_photo_id
from imagesearch.web.session import PhotoSession

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
_OPTIONS = frozenset(("strategy", "sort", "collapse", "min_fit", "min_score", "folder"))
_LISTS = frozenset(("people", "without", "places", "cameras", "trips"))
_NUMBERS = {"rating": int, "max_rating": int, "min_fit": float, "min_score": float}

NO_OFFERS: dict[str, Any] = {
    name: [] for name in ("people", "places", "cameras", "trips", "months", "folders")
}
"""What can be selected without photos."""


class FilterOffers:
    """What can be selected, as plain data; listed again after each build, once for all pages.

    Parameters
    ----------
    session
        Its album data has the numbers of photos.
    """

    def __init__(self, session: PhotoSession) -> None:
        self._session = session
        self._facts: AlbumFacts | None = None
        self._offers: dict[str, Any] = {}
        self._ahead: asyncio.Task[None] | None = None

    def read_ahead(self) -> None:
        """Read all photos after the first page is shown, so that the drawer does not wait for them."""
        if not self._offers and self._ahead is None:
            self._ahead = background_tasks.create(self._load_later())

    async def _load_later(self) -> None:
        await asyncio.sleep(_SECONDS_BEFORE_READING)
        with suppress(UserError):  # a page shows it when its drawer is opened
            await self.load()

    async def read_names(self) -> dict[str, Any]:
        """Return what is known without reading all photos, unless they have been read."""
        if await self._session.album.get_read():
            return await self.load()
        return await self._session.run(
            lambda library: _list_offers(library, PhotoCounts()) | {"waiting": True}
        )

    async def load(self) -> dict[str, Any]:
        """Return all that can be selected.

        Raises
        ------
        UserError
            If there is no collection of photos.
        """
        facts = await self._session.album.load()
        if facts is not self._facts:
            self._offers = await self._session.run(lambda library: _list_offers(library, facts.counts))
            self._facts = facts
        return self._offers


def _list_offers(library: PhotoLibrary, counts: PhotoCounts) -> dict[str, Any]:
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

    In place of a list, there can be one value that is added to it or removed from it: ``{"add": "Maya"}``.

    Raises
    ------
    UserError
        If a field or a value is not one of the drawer's.
    """
    criteria, options = {}, {}
    for name, value in changes.items():
        if name in _CRITERIA:
            if isinstance(value, Mapping) and name in _LISTS:
                value = _change_list(getattr(query.criteria, name), value)
            criteria[name] = _read_value(name, value, getattr(Criteria(), name))
        elif name in _OPTIONS:
            options[name] = _read_value(name, value, getattr(default, name))
        else:
            raise UserError(f"{str(name)[:40]}: there is no such filter")
    return replace(query, **options, criteria=replace(query.criteria, **criteria))


def _change_list(present: Sequence[str], change: Mapping[str, Any]) -> list[str]:
    changed = {str(one) for one in change.values()}
    added = [str(change["add"])] if "add" in change else []
    return [*(one for one in present if one not in changed), *added]


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
