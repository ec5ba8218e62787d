"""Stage 5, judge: calibrated scores, which photos are relevant, and their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imagesearch.search.content import FIT, RELEVANT, combine_scores, scale_scores
from imagesearch.search.query import Query
from imagesearch.search.ranking import (
    RankedHit,
    collapse_bursts,
    drop_low_scores,
    merge_rankings,
    sort_by_date,
)
from imagesearch.search.request import ParsedRequest
from imagesearch.search.resources import SearchResources
from imagesearch.search.retrieval import RetrievedPhotos
from imagesearch.search.scope import SearchScope
from imagesearch.search.target import SearchTarget
from imagesearch.store import Hit


@dataclass(frozen=True)
class _Fits:
    """The calibrated scores of all photos.

    Attributes
    ----------
    by_id
        Calibrated scores by photo id.
    relevant_ids
        The photos that are relevant; none if nothing fits.
    """

    by_id: Mapping[int, float]
    relevant_ids: frozenset[int]


@dataclass(frozen=True)
class JudgedPhotos:
    """The photos to show.

    Attributes
    ----------
    retrieved : RetrievedPhotos
        The photos from which the shown photos were selected.
    ranking : tuple of RankedHit
        The photos to show, in order.
    burst_counts : dict
        Number of photos of the same burst, and of copies, that are left out, by the id of the photo shown.
    is_calibrated : bool
        Whether the scores could be calibrated.
    nothing_fits : bool
        Whether no photo shows what the query describes.
    """

    retrieved: RetrievedPhotos
    ranking: tuple[RankedHit, ...]
    burst_counts: Mapping[int, int]
    is_calibrated: bool = False
    nothing_fits: bool = False


def judge_photos(
    request: ParsedRequest,
    scope: SearchScope,
    target: SearchTarget,
    retrieved: RetrievedPhotos,
    resources: SearchResources,
) -> JudgedPhotos:
    """Calibrate scores, drop photos below the minimum scores, sort, collapse bursts, and keep the best."""
    query = request.query
    fits = _calibrate_scores(request, target, retrieved, resources)
    if fits is not None and retrieved.described_ids:
        fits = _Fits(fits.by_id, fits.relevant_ids | retrieved.described_ids)
    rankings = [_rank_hits(hits, query, fits, retrieved.part_counts) for hits in retrieved.hits_by_attempt]
    burst_counts: dict[int, int] = {}
    if query.collapse:
        ids = [ranked.hit.id for ranking in rankings for ranked in ranking]
        vectors = resources.store.read_vectors(scope.collection.ref, ids)
        kept, burst_counts = collapse_bursts(merge_rankings(rankings, len(ids)), vectors)
        kept_ids = {ranked.hit.id for ranked in kept}
        rankings = [[ranked for ranked in ranking if ranked.hit.id in kept_ids] for ranking in rankings]
    return JudgedPhotos(
        retrieved,
        tuple(merge_rankings(rankings, request.max_shown)),
        burst_counts,
        is_calibrated=fits is not None,
        nothing_fits=bool(fits and retrieved.hits and not fits.relevant_ids),
    )


def _calibrate_scores(
    request: ParsedRequest, target: SearchTarget, retrieved: RetrievedPhotos, resources: SearchResources
) -> _Fits | None:
    """Return the calibrated scores of all photos; None if this kind of query has no calibration.

    If there is a filter, a sample of the whole collection is scored too, to decide whether any photo of the
    collection matches the query.
    """
    if not request.is_calibratable or resources.score_bands is None:
        return None
    is_filtered = bool(retrieved.relaxed or resources.store.format_filter(retrieved.condition))
    sample = resources.sample_vectors if is_filtered else None
    if target.joined is not None:
        return _judge_joined(request, target, retrieved, sample, resources)
    scores = [hit.score for hit in retrieved.hits]
    calibrated = resources.score_bands.calibrate(scores, target.vector, sample)
    ids, least = [hit.id for hit in retrieved.hits], calibrated.relevance_threshold
    relevant = (hit.id for hit in retrieved.hits if calibrated.relevant_count and hit.score >= least)
    return _Fits(dict(zip(ids, calibrated.calibrated.tolist(), strict=True)), frozenset(relevant))


def _judge_joined(
    request: ParsedRequest,
    target: SearchTarget,
    retrieved: RetrievedPhotos,
    sample: np.ndarray | None,
    resources: SearchResources,
) -> _Fits:
    """Judge photos by the combined scores of several things, as `ScoreBands.calibrate` does by one."""
    best = max(retrieved.fits.values(), default=0.0)
    if sample is not None and len(sample):
        scaled = scale_scores(sample, target.joined, resources)
        best = max(best, float(combine_scores(scaled, request.parsed.join).max()))
    relevant = (photo for photo, fit in retrieved.fits.items() if best >= FIT and fit >= RELEVANT)
    return _Fits(retrieved.fits, frozenset(relevant))


def _rank_hits(
    hits: Sequence[Hit],
    query: Query,
    fits: _Fits | None,
    part_counts: Mapping[int, int],
) -> list[RankedHit]:
    """Return the photos of one filter in order, without those below the minimum scores."""
    ranking = [RankedHit(hit, fits and fits.by_id.get(hit.id)) for hit in hits]
    if query.sort != "score":
        ranking = sort_by_date(_select_relevant(ranking, query, fits), query.sort == "date")
        if part_counts:  # the order of a union
            ranking.sort(key=lambda ranked: -part_counts[ranked.hit.id])
    min_score = None if query.strategy == "hybrid" else query.min_score
    return drop_low_scores(ranking, min_score, query.min_fit)


def _select_relevant(ranking: list[RankedHit], query: Query, fits: _Fits | None) -> list[RankedHit]:
    """Return the relevant photos; if the scores have no calibration, the best ones."""
    if fits is not None:
        return [ranked for ranked in ranking if ranked.hit.id in fits.relevant_ids]
    has_scores = bool(ranking) and ranking[0].hit.score is not None
    return ranking[: query.top_k] if has_scores and not query.collapse else ranking
