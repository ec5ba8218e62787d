"""The photos of a query after the first ones: ranked when the page requests more, and read in parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from imagesearch.photos import compute_photo_id
from imagesearch.search import Answer, RankedPhotos
from imagesearch.store import MAX_HITS
from imagesearch.web.photo_grid import GridPhoto, read_grid_photos
from imagesearch.web.session import PhotoSession

# Ranking all photos of a large collection takes seconds, in which a page would wait.
_FIRST_RANKED = 600
_GROWTH = 4

Rank = Callable[[int], Awaitable[RankedPhotos]]


class FurtherPhotos:
    """The photos of a query after those in the page, in the order of the query. Each is read once.

    Parameters
    ----------
    session
        Reads the photos.
    first
        The answer, with the first photos.
    rank
        Ranks up to so many photos of the query.
    limit
        Maximum number of photos, with the first ones.
    """

    def __init__(self, session: PhotoSession, first: Answer, rank: Rank, limit: int = MAX_HITS) -> None:
        self._session, self._first, self._rank = session, first, rank
        self._known = {compute_photo_id(result.path) for result in first.results}
        self._ranked: RankedPhotos | None = None
        self._ids: list[int] = []  # that are ranked, and not read
        self._ready: list[GridPhoto] = []
        self._limits = _list_limits(first, limit)

    @property
    def is_finished(self) -> bool:
        """Whether no photo remains to be taken."""
        return not (self._limits or self._ids or self._ready)

    async def read(self, count: int) -> None:
        """Read photos until at least `count` are ready to be taken, or none remain.

        Raises
        ------
        UserError
            If the photos cannot be read; then only those that are ready remain.
        """
        try:
            while len(self._ready) < count and (self._ids or self._limits):
                if not self._ids:
                    await self._rank_next()
                part, self._ids = self._ids[:count], self._ids[count:]
                self._ready += await self._read_part(part)
        except BaseException:
            self._ids, self._limits = [], []
            raise

    async def _rank_next(self) -> None:
        limit = self._limits.pop(0)
        self._ranked = await self._rank(limit)
        if len(self._ranked.ids) < limit:
            self._limits = []  # these are all
        self._ids = [photo_id for photo_id in self._ranked.ids if photo_id not in self._known]
        self._known.update(self._ids)

    async def _read_part(self, ids: Sequence[int]) -> list[GridPhoto]:
        ranked = self._ranked
        if not ids or ranked is None:
            return []
        results = await self._session.run(lambda library: ranked.read(ids))
        self._session.remember(results)
        return await self._session.run(partial(read_grid_photos, answer=self._first, results=results))

    def take(self, count: int) -> list[GridPhoto]:
        """Return up to `count` photos that are ready, in the order of the query."""
        taken, self._ready = self._ready[:count], self._ready[count:]
        return taken


def is_complete(answer: Answer) -> bool:
    """Whether a search for more photos would return no others."""
    count, order = len(answer.results), answer.parsed.order
    has_limit = order is not None and order.count is not None
    return has_limit or count < answer.query.top_k or count >= min(answer.photos, MAX_HITS)


def _list_limits(first: Answer, limit: int) -> list[int]:
    """Return how many photos are ranked, one after the other.

    Photos that a search by content has found and sorted by date are ranked at once: among more photos, others
    would come first.
    """
    if is_complete(first) or len(first.results) >= limit:
        return []
    is_sorted = first.query.sort != "score" and any(result.score is not None for result in first.results)
    most = min(limit, MAX_HITS)
    limits = [most if is_sorted else min(_FIRST_RANKED, most)]
    while limits[-1] < most:
        limits.append(min(_GROWTH * limits[-1], most))
    return limits
