"""Stage 5, judge: calibrated scores, which photos are relevant, and their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imagesearch.features import CalibratedScores
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
class JudgedPhotos:
    """The photos to show.

    Attributes
    ----------
    retrieved : RetrievedPhotos
        The photos from which the shown photos were selected.
    ranking : tuple of RankedHit
        The photos to show, in order.
    burst_counts : dict
        Number of photos of the same burst that are left out, by the id of the photo shown.
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
    calibrated = _calibrate_scores(request, target, retrieved, resources)
    calibrated_by_id = _map_calibrated_scores(retrieved, calibrated)
    rankings = [
        _rank_hits(hits, query, calibrated, calibrated_by_id, retrieved.part_counts)
        for hits in retrieved.hits_by_attempt
    ]
    burst_counts: dict[int, int] = {}
    if query.collapse:
        ids = [ranked.hit.id for ranking in rankings for ranked in ranking]
        vectors = resources.store.read_vectors(scope.collection.ref, ids)
        collapsed = [collapse_bursts(ranking, vectors) for ranking in rankings]
        rankings = [ranking for ranking, _ in collapsed]
        burst_counts = {photo: count for _, counts in collapsed for photo, count in counts.items()}
    return JudgedPhotos(
        retrieved,
        tuple(merge_rankings(rankings, request.max_shown)),
        burst_counts,
        is_calibrated=calibrated is not None,
        nothing_fits=bool(calibrated and retrieved.hits and calibrated.relevant_count == 0),
    )


def _calibrate_scores(
    request: ParsedRequest, target: SearchTarget, retrieved: RetrievedPhotos, resources: SearchResources
) -> CalibratedScores | None:
    """Return the calibrated scores of all photos; None if this kind of query has no calibration.

    If there is a filter, a sample of the whole collection is scored too, to decide whether any photo of the
    collection matches the query.
    """
    if not request.is_calibratable or resources.score_bands is None:
        return None
    is_filtered = bool(retrieved.relaxed or resources.store.format_filter(retrieved.condition))
    scores = [hit.score for hit in retrieved.hits]
    sample = resources.sample_vectors if is_filtered else None
    return resources.score_bands.calibrate(scores, target.vector, sample)


def _map_calibrated_scores(
    retrieved: RetrievedPhotos, calibrated: CalibratedScores | None
) -> dict[int, float]:
    if calibrated is None:
        return {}
    ids = [hit.id for hit in retrieved.hits]
    return dict(zip(ids, calibrated.calibrated.tolist(), strict=True))


def _rank_hits(
    hits: Sequence[Hit],
    query: Query,
    calibrated: CalibratedScores | None,
    calibrated_by_id: Mapping[int, float],
    part_counts: Mapping[int, int],
) -> list[RankedHit]:
    """Return the photos of one filter in order, without those below the minimum scores."""
    ranking = [RankedHit(hit, calibrated_by_id.get(hit.id)) for hit in hits]
    if query.sort != "score":
        ranking = sort_by_date(_select_relevant(ranking, query, calibrated), query.sort == "date")
        if part_counts:  # the order of a union
            ranking.sort(key=lambda ranked: -part_counts[ranked.hit.id])
    min_score = None if query.strategy == "hybrid" else query.min_score
    return drop_low_scores(ranking, min_score, query.min_fit)


def _select_relevant(
    ranking: list[RankedHit], query: Query, calibrated: CalibratedScores | None
) -> list[RankedHit]:
    """Return the relevant photos; if the scores have no calibration, the best ones."""
    if calibrated is not None:
        least = calibrated.relevance_threshold
        return [ranked for ranked in ranking if calibrated.relevant_count and ranked.hit.score >= least]
    has_scores = bool(ranking) and ranking[0].hit.score is not None
    return ranking[: query.top_k] if has_scores and not query.collapse else ranking
