"""Photos compared with several texts: with what they must not show, and with several things at once.

The scores of two texts mean different things, so they are compared on a common scale: the calibrated scores
of `imagesearch.features.ScoreBands`. Without score bands, the scale is the number of standard deviations
above the mean of a sample of the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from imagesearch.filters import Condition
from imagesearch.search.resources import SearchResources
from imagesearch.search.target import SearchTarget
from imagesearch.store import MAX_HITS, CollectionInfo, Hit

FIT = 0.5
"""The calibrated score from which a photo shows what a text describes."""
RELEVANT = 0.25
"""The calibrated score of a typical best photo for absent content. Relevant photos reach it."""
# The ranking of several things is exact if no photo beyond the lists can belong to it. "and" needs longer
# lists than "or": the photos that show both are rarely the best of each.
_MIN_DEPTH = 200
_MAX_DEPTH = 4_096


class ContentMatcher:
    """Compares photos with the excluded and joined texts of one query, and keeps the results.

    Parameters
    ----------
    target
        The vectors of the texts.
    join
        How the joined texts are combined: ``"and"`` or ``"or"``.
    collection
        The collection that is searched. If it has no CLIP vectors, they are read from the one that has.
    resources
        The Milvus connection and the score bands.

    Attributes
    ----------
    left_out : set of int
        The photos that were found and show something excluded.
    fits : dict
        The combined calibrated score of the joined texts, by photo id.
    """

    def __init__(
        self, target: SearchTarget, join: str, collection: CollectionInfo, resources: SearchResources
    ) -> None:
        self._target, self._join, self._resources = target, join, resources
        self._clip = resources.get_collection_ref("clip")
        self._has_clip = collection.ref == self._clip
        self._rows = collection.rows
        self.left_out: set[int] = set()
        self.fits: dict[int, float] = {}

    @property
    def excludes(self) -> bool:
        """Whether photos can be left out."""
        if self._target.excluded is None:
            return False
        return self._target.vector is not None or self._resources.score_bands is not None

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields to fetch with each photo.

        A vector is fetched in the search: for 200 photos in Milvus Lite, this takes 4 ms, and reading them
        afterwards 19 ms.
        """
        return ("embedding",) if self._has_clip and self.excludes else ()

    # --- excluded texts -----------------------------------------------------------------------------------

    def drop_excluded(self, hits: Sequence[Hit], limit: int) -> list[Hit]:
        """Return up to ``limit`` photos that show nothing excluded. Those left out before are recorded."""
        kept: list[Hit] = []
        for hit, is_shown in zip(hits, self._show_excluded(hits), strict=True):
            if len(kept) == limit:
                break
            if is_shown:
                self.left_out.add(hit.id)
            else:
                kept.append(hit)
        return kept

    def _show_excluded(self, hits: Sequence[Hit]) -> np.ndarray:
        """Return whether each photo shows something excluded, (n,) bool.

        Without score bands: whether it is more like an excluded text than like the query.
        """
        if not hits or not self.excludes:
            return np.zeros(len(hits), bool)
        vectors = self._get_vectors(hits)
        scores = scale_scores(vectors, self._target.excluded, self._resources).max(axis=1)
        if self._resources.score_bands is not None:
            return scores >= FIT
        return scores > scale_scores(vectors, self._target.vector[np.newaxis], self._resources)[:, 0]

    def _get_vectors(self, hits: Sequence[Hit]) -> np.ndarray:
        if self._has_clip:
            return np.asarray([hit.fields["embedding"] for hit in hits], np.float32)
        vectors = self._resources.store.read_vectors(self._clip, [hit.id for hit in hits])
        unknown = np.zeros_like(self._target.excluded[0])
        return np.stack([vectors.get(hit.id, unknown) for hit in hits])

    # --- joined texts --------------------------------------------------------------------------------------

    def search_joined(
        self, where: Condition, limit: int, fields: Sequence[str], fetch: Callable[..., list[Hit]]
    ) -> list[Hit]:
        """Return the photos with the best combined scores, best first.

        A photo beyond the lists of all texts has, with each text, at most the last score of the text's list.
        The lists are made longer until no such photo is relevant and among the best, or until they are very
        long. So the relevant photos of the result are exact, except in collections with thousands of photos
        that show each thing.

        Parameters
        ----------
        fetch
            Searches with one vector: ``fetch(vector, depth, where, fields)``.
        """
        texts = self._target.joined
        depth = min(max(limit, _MIN_DEPTH if self._join == "and" else 0), MAX_HITS)
        while True:
            if self._join == "and" and self._rows <= 4 * depth:
                depth = min(self._rows + 1, MAX_HITS)  # all photos cost less than a second search
            lists = [fetch(text, depth, where, (*fields, "embedding")) for text in texts]
            hits = list({hit.id: hit for ranking in lists for hit in ranking}.values())
            if not hits:
                return []
            vectors = np.asarray([hit.fields["embedding"] for hit in hits], np.float32)
            scaled = scale_scores(vectors, texts, self._resources)
            combined = combine_scores(scaled, self._join)
            raw = vectors @ texts.T
            order = np.lexsort((-raw.sum(axis=1), -combined))[:limit]
            least = combined[order[-1]] if len(order) == limit else -np.inf
            if self._is_exact(lists, depth, least) or 4 * depth > _MAX_DEPTH:
                break
            depth *= 4
        if self._resources.score_bands is not None:
            self.fits |= {hits[n].id: float(combined[n]) for n in order}
        deciding = scaled.argmin(axis=1) if self._join == "and" else scaled.argmax(axis=1)
        return [Hit(hits[n].id, float(raw[n, deciding[n]]), hits[n].fields) for n in order]

    def _is_exact(self, lists: Sequence[Sequence[Hit]], depth: int, least: float) -> bool:
        """Whether no photo beyond the lists is relevant and has a higher combined score than ``least``."""
        if any(len(ranking) < depth for ranking in lists):
            return True  # a list with all photos
        last = np.asarray([[ranking[-1].score for ranking in lists]])
        bounds = scale_raw_scores(last, self._target.joined, self._resources)
        bound = float(combine_scores(bounds, self._join)[0])
        return least >= bound or (self._resources.score_bands is not None and bound < RELEVANT)


def combine_scores(scaled: np.ndarray, join: str) -> np.ndarray:
    """Return the smaller (``"and"``) or larger (``"or"``) of the scores of each photo, (n, m) to (n,)."""
    return scaled.min(axis=1) if join == "and" else scaled.max(axis=1)


def scale_scores(vectors: np.ndarray, texts: np.ndarray, resources: SearchResources) -> np.ndarray:
    """Return the scores of photos with texts on the common scale.

    Parameters
    ----------
    vectors : (n, d) float32
        Photos.
    texts : (m, d) float32
        Texts.

    Returns
    -------
    (n, m) float64
        Calibrated scores; without score bands, standard deviations above the mean.
    """
    return scale_raw_scores(vectors @ texts.T, texts, resources)


def scale_raw_scores(scores: np.ndarray, texts: np.ndarray, resources: SearchResources) -> np.ndarray:
    """Return similarities of photos to texts on the common scale, (n, m) to (n, m)."""
    bands = resources.score_bands
    if bands is not None:
        columns = [bands.calibrate(scores[:, n], text).calibrated for n, text in enumerate(texts)]
        return np.stack(columns, axis=1)
    sample = resources.sample_vectors @ texts.T
    return (scores - sample.mean(axis=0)) / np.maximum(sample.std(axis=0), 1e-6)
