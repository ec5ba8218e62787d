"""What the pages of the map, the timeline and the collection share: facts about all photos, read once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from imagesearch.library import PhotoLibrary
from imagesearch.store import PhotoFacts, Vocabulary, VocabularyTrip, read_photo_facts
from imagesearch.web.session import PhotoSession


class AtlasData:
    """The positions and times of all photos, and the trips; read again after each build.

    Parameters
    ----------
    session
        Reads the collection, in parts, so that searches do not wait for all of it.
    """

    def __init__(self, session: PhotoSession) -> None:
        self._session = session
        self._lock = asyncio.Lock()
        self._version: Any = ()
        self._facts = PhotoFacts()
        self._trips: tuple[VocabularyTrip, ...] = ()

    async def load(self) -> tuple[PhotoFacts, str]:
        """Return the facts about all photos, and what changes with them.

        Raises
        ------
        UserError
            If there is no collection of photos.
        """
        async with self._lock:
            version = await self._session.run(_read_version)
            if version != self._version:
                reader = await self._session.run(_open_reader)
                facts = None
                while facts is None:
                    facts = await self._session.run(lambda _: next(reader))
                vocabulary = await self._session.run(lambda one: Vocabulary.read(one.dataset.folder))
                self._facts, self._trips, self._version = facts, vocabulary.trips or (), version
            return self._facts, f"{abs(hash(self._version)):x}"

    async def load_trips(self) -> tuple[VocabularyTrip, ...]:
        """Return the trips, the oldest first."""
        await self.load()
        return self._trips


def _read_version(library: PhotoLibrary) -> Any:
    """Return what changes with each build of the collections."""
    return Vocabulary.get_version(library.dataset.folder), library.config.dataset.name


def _open_reader(library: PhotoLibrary) -> Iterator[PhotoFacts | None]:
    resources = library.searcher.resources
    resources.refresh()
    ref = resources.get_collection_ref("clip" if resources.has_collection("clip") else "vit")
    return read_photo_facts(library.store, ref)
