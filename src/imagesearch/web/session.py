"""What all pages share: one library, which one thread uses at a time, and the photos by their ids."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pyarrow as pa

from imagesearch.files import FileVersion
from imagesearch.library import PhotoLibrary
from imagesearch.photos import compute_photo_id
from imagesearch.query import Completion
from imagesearch.search import Answer, Query, SearchResult
from imagesearch.store import Vocabulary
from imagesearch.web.album_data import AlbumData
from imagesearch.web.people_desk import PeopleDesk

T = TypeVar("T")


class PhotoSession:
    """A library that is used from the event loop of a server.

    A library is not made for several threads, and a search takes some milliseconds. Therefore one thread does
    all the work with the library, in the order of the requests, and the event loop is never blocked.

    Parameters
    ----------
    library
        The library. It is closed with the session.
    """

    def __init__(self, library: PhotoLibrary) -> None:
        self.library = library
        self._worker = ThreadPoolExecutor(1, "library")
        self._paths: dict[int, str] = {}
        self._version: FileVersion = None  # of the collections that the paths are from
        self._requested: set[int] = set()  # ids of photos whose paths are to be read
        self._reading = asyncio.Lock()
        self.people = PeopleDesk(self.run)
        self.album = AlbumData(self.run)

    def close(self) -> None:
        """Wait for the work in progress, and close the library."""
        self._worker.submit(self.library.close)
        self._worker.shutdown()

    async def run(self, work: Callable[[PhotoLibrary], T]) -> T:
        """Run a function of the library in the thread of the library, and return its result."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, work, self.library)

    async def search(self, query: Query) -> Answer:
        """Answer a query, and remember the photos found; see `PhotoLibrary.search`."""
        answer = await self.run(lambda library: library.search(query))
        self.remember(answer.results)
        return answer

    async def complete(self, text: str, cursor: int) -> list[Completion]:
        """Return names that complete a sentence; see `NameCompleter.complete`.

        The names are in memory, so this does not wait for the searches of other pages, except the first time.

        Raises
        ------
        UserError
            If the dataset has no collections.
        """
        resources = self.library.searcher.resources
        completer = vars(resources).get("completer") or await self.run(lambda _: resources.completer)
        return completer.complete(text, cursor)

    def remember(self, results: Iterable[SearchResult]) -> None:
        """Remember the paths of the photos found, so that their images are read without the collections."""
        self._forget_outdated()
        self._paths |= {compute_photo_id(result.path): result.path for result in results}

    def _forget_outdated(self) -> None:
        version = Vocabulary.get_version(self.library.dataset.folder)
        if version != self._version:  # a build, which may have removed photos
            self._version = version
            self._paths.clear()

    async def find_path(self, photo_id: int) -> str | None:
        """Return the path of a photo of the collections, or None if they have no photo with this id.

        The ids that are requested while others are read are read together: a page requests many images at
        once, and reading one id takes nearly as long as reading all of them.
        """
        self._forget_outdated()
        if photo_id not in self._paths:
            self._requested.add(photo_id)
            async with self._reading:
                if photo_id in self._requested:
                    await self._read_requested(photo_id)
        return self._paths.get(photo_id)

    async def _read_requested(self, photo_id: int) -> None:
        ids, self._requested = self._requested, set()
        try:
            self._paths |= await self.run(lambda library: read_photo_paths(library, ids))
        except BaseException:
            self._requested |= ids - {photo_id}  # each of the others fails by itself
            raise


def read_photo_path(library: PhotoLibrary, photo_id: int) -> str | None:
    """Return the path of a photo, or None; see `read_photo_paths`."""
    return read_photo_paths(library, [photo_id]).get(photo_id)


def read_photo_paths(library: PhotoLibrary, photo_ids: Collection[int]) -> dict[int, str]:
    """Return the paths of photos by id, without unknown ones; in the thread of the library.

    A photo that the collections do not have yet is found in the tables, unless it was gone or left out in the
    last run of a step.
    """
    resources = library.searcher.resources
    resources.refresh()
    paths: dict[int, str] = {}
    for kind in filter(resources.has_collection, ("clip", "vit")):
        if missing := [one for one in photo_ids if one not in paths]:
            rows = library.store.read_rows(resources.get_collection_ref(kind), missing, ["path"])
            paths |= {row.id: row.fields["path"] for row in rows}
    for name in ("clip", "vit", "faces") if library.dataset.imported is None else ():
        if missing := [one for one in photo_ids if one not in paths]:
            table = library.dataset.open_table(name)
            entries = table.read_processed(pa.array(missing, pa.int64()))
            removed = table.read_removed() if entries else ()
            paths |= {one: entry.path for one, entry in entries.items() if one not in removed}
    return paths
