"""What the map, the timeline, the collection page and the drawer of filters share: all photos, read once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from imagesearch.library import PhotoLibrary
from imagesearch.store import Hit, PhotoFacts, PhotoFactsBuilder, Vocabulary, VocabularyTrip
from imagesearch.web.people_desk import Run

_PLACE_FIELDS = ("country", "state", "city")
_COUNTED_FIELDS = ("path", "has_time", "year", "month", *_PLACE_FIELDS)
_BATCH_ROWS = 1_000


@dataclass
class PhotoCounts:
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


@dataclass(frozen=True)
class AlbumFacts:
    """What is known of all photos of a build.

    Attributes
    ----------
    version : str
        Changes with each build.
    photos : PhotoFacts
        Times and positions.
    counts : PhotoCounts
    trips : tuple of VocabularyTrip
        The oldest first.
    """

    version: str
    photos: PhotoFacts
    counts: PhotoCounts
    trips: tuple[VocabularyTrip, ...]


class AlbumData:
    """The facts about all photos of the collections; read again after each build, once for all pages.

    Parameters
    ----------
    run
        Runs a function in the thread of the library; see `PhotoSession.run`. The collection is read in parts,
        so that searches do not wait for all of it.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lock = asyncio.Lock()
        self._facts: AlbumFacts | None = None

    async def load(self) -> AlbumFacts:
        """Return the facts about all photos.

        Raises
        ------
        UserError
            If there is no collection of photos.
        """
        async with self._lock:
            version = await self._run(_read_version)
            if self._facts is None or version != self._facts.version:
                reader, read = await self._run(_open_reader), None
                while read is None:
                    read = await self._run(lambda _: next(reader))
                vocabulary = await self._run(lambda one: Vocabulary.read(one.dataset.folder))
                self._facts = AlbumFacts(version, *read, vocabulary.trips or ())
            return self._facts

    async def get_read(self) -> AlbumFacts | None:
        """Return the facts if they were read after the last build; else None."""
        version = await self._run(_read_version)
        return self._facts if self._facts is not None and version == self._facts.version else None


def _read_version(library: PhotoLibrary) -> str:
    """Return what changes with each build of the collections."""
    version: Any = (Vocabulary.get_version(library.dataset.folder), library.config.dataset.name)
    return f"{abs(hash(version)):x}"


def _open_reader(library: PhotoLibrary) -> Iterator[tuple[PhotoFacts, PhotoCounts] | None]:
    """Yield None for each batch of photos that was read, and at last what is known of all photos."""
    resources = library.searcher.resources
    resources.refresh()
    ref = resources.get_photo_collection_ref()
    known = library.store.collections.open(ref).field_types
    facts, counts = PhotoFactsBuilder(), PhotoCounts()
    counted = (name for name in _COUNTED_FIELDS if name in known)  # one of an earlier version lacks some
    rows = library.store.read_all_rows(ref, tuple(dict.fromkeys((*facts.fields, *counted))))

    def read() -> Iterator[tuple[PhotoFacts, PhotoCounts] | None]:
        for number, row in enumerate(rows, 1):
            facts.add(row)
            counts.add(row)
            if number % _BATCH_ROWS == 0:
                yield None
        yield facts.build(), counts

    return read()
