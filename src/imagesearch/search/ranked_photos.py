"""The ranking of a query: all photos found are ranked once, and read in parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from imagesearch.search.answer import SearchResult
from imagesearch.search.judgement import JudgedPhotos
from imagesearch.search.presentation import read_results
from imagesearch.search.ranking import RankedHit
from imagesearch.search.request import ParsedRequest
from imagesearch.search.resources import SearchResources
from imagesearch.search.scope import SearchScope


@dataclass(frozen=True)
class RankedPhotos:
    """The photos that a query finds, in order; see `Searcher.rank`.

    Attributes
    ----------
    request, scope, judged
        What the stages have returned.
    resources
        To read the photos with.
    """

    request: ParsedRequest
    scope: SearchScope
    judged: JudgedPhotos
    resources: SearchResources

    @cached_property
    def _hits(self) -> dict[int, RankedHit]:
        return {ranked.hit.id: ranked for ranked in self.judged.ranking}

    @property
    def ids(self) -> list[int]:
        """The ids of the photos, in order."""
        return list(self._hits)

    @property
    def nothing_fits(self) -> bool:
        """Whether no photo shows what the query describes."""
        return self.judged.nothing_fits

    def read(self, ids: Sequence[int]) -> tuple[SearchResult, ...]:
        """Return some of the photos by id, without those that were deleted since.

        Raises
        ------
        UserError
            If the collection was dropped, or the server does not answer.
        """
        ranking = [self._hits[photo_id] for photo_id in ids]
        return read_results(ranking, self.request, self.scope, self.judged, self.resources)
