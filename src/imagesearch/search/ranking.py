"""Operations on ranked photos: sort by date, drop low scores, collapse bursts, merge rankings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imagesearch.store import Hit

# Photos of a burst are taken within a minute of each other, and have nearly equal vectors.
_BURST_SECONDS = 60
_BURST_COSINE = 0.95
# The vectors of copies differ by the rounding of the model, which depends on the batch. With the demo's CLIP
# and 48 photos, 1 - cosine is at most 2e-7 for copies, and at least 8e-5 for photos moved by two pixels.
_COPY_COSINE = 1 - 1e-5


@dataclass(frozen=True, slots=True)
class RankedHit:
    """A photo from Milvus with its calibrated score, if it has one."""

    hit: Hit
    calibrated_score: float | None = None


def sort_by_date(ranking: Sequence[RankedHit], newest_first: bool) -> list[RankedHit]:
    """Sort photos by their time.

    Photos of unknown time come last if the newest come first. They are left out if the oldest come first,
    because each of them could be the oldest.
    """
    if newest_first:
        return sorted(ranking, key=lambda one: (not one.hit.fields["has_time"], -one.hit.fields["taken_at"]))
    dated = [ranked for ranked in ranking if ranked.hit.fields["has_time"]]
    return sorted(dated, key=lambda ranked: ranked.hit.fields["taken_at"])


def drop_low_scores(
    ranking: Sequence[RankedHit], min_score: float | None, min_calibrated: float | None
) -> list[RankedHit]:
    """Keep the photos that reach the minimum scores. Photos without a score are kept."""
    return [
        ranked
        for ranked in ranking
        # the same inner product differs by some 1e-7 from one search path to another
        if _reaches(ranked.hit.score, None if min_score is None else min_score - 1e-6)
        and _reaches(ranked.calibrated_score, min_calibrated)
    ]


def _reaches(score: float | None, least: float | None) -> bool:
    return score is None or least is None or score >= least


def collapse_bursts(
    ranking: Sequence[RankedHit], vectors: Mapping[int, np.ndarray]
) -> tuple[list[RankedHit], dict[int, int]]:
    """Keep the first photo of each burst, and one of several copies.

    A photo belongs to a burst if it was taken within a minute of the photo that is kept, and the cosine of
    their vectors is at least 0.95. Photos of unknown time belong to no burst. Photos with equal vectors are
    copies, whatever is known of their times.

    Parameters
    ----------
    ranking
        In the order in which photos are shown.
    vectors
        CLIP or ViT vectors by photo id.

    Returns
    -------
    kept
        In the same order.
    burst_counts : dict
        Number of photos left out, by the id of the photo that is kept.
    """
    kept: list[RankedHit] = []
    burst_counts: dict[int, int] = {}
    if not ranking:
        return kept, burst_counts
    kept_vectors = np.empty((len(ranking), len(vectors[ranking[0].hit.id])), np.float32)
    kept_times = np.empty(len(ranking))
    for ranked in ranking:
        fields, count = ranked.hit.fields, len(kept)
        taken_at = float(fields["taken_at"]) if fields["has_time"] else np.nan  # nan is near no time
        cosines = kept_vectors[:count] @ vectors[ranked.hit.id]
        is_burst = (np.abs(kept_times[:count] - taken_at) <= _BURST_SECONDS) & (cosines >= _BURST_COSINE)
        (alike,) = np.nonzero(is_burst | (cosines >= _COPY_COSINE))
        if len(alike):
            first = kept[alike[0]].hit.id
            burst_counts[first] = burst_counts.get(first, 0) + 1
        else:
            kept_vectors[count], kept_times[count] = vectors[ranked.hit.id], taken_at
            kept.append(ranked)
    return kept, burst_counts


def merge_rankings(rankings: Sequence[Sequence[RankedHit]], top_k: int) -> list[RankedHit]:
    """Return up to ``top_k`` photos of several rankings, one ranking after another.

    Each ranking has an equal share. If a ranking has fewer photos than its share, the remaining positions go
    to the other rankings.
    """
    counts = [0] * len(rankings)
    while sum(counts) < top_k and any(n < len(r) for n, r in zip(counts, rankings, strict=True)):
        for i, ranking in enumerate(rankings):
            counts[i] += counts[i] < len(ranking) and sum(counts) < top_k
    chosen = [ranked for n, ranking in zip(counts, rankings, strict=True) for ranked in ranking[:n]]
    return list({ranked.hit.id: ranked for ranked in chosen}.values())
