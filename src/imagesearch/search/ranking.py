"""Reordering ranked photos: newest first, bursts as one photo, several rankings as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from imagesearch.store import Hit

# Photos of a burst are taken within so many seconds of each other, and look alike to CLIP.
_BURST_SECONDS = 60
_BURST_COSINE = 0.95

RankedHits = list[tuple[Hit, float | None]]
"""Hits and their calibrated scores."""


def sort_newest_first(ranked: RankedHits) -> RankedHits:
    """Return ranked photos by their time, those without one last."""
    return sorted(ranked, key=lambda pair: (not pair[0].fields["has_time"], -pair[0].fields["taken_at"]))


def collapse_bursts(
    ranked: RankedHits, vectors: Mapping[int, np.ndarray]
) -> tuple[RankedHits, dict[int, int]]:
    """Keep of each burst the photo that comes first.

    A photo belongs to a burst if it was taken within a minute of the one that is kept, and their vectors'
    cosine is 0.95 or more. Photos of unknown time stay.

    Parameters
    ----------
    ranked
        In the order in which they are shown.
    vectors
        By photo id.

    Returns
    -------
    kept
        In the same order.
    burst_counts : dict
        How many were left out for each that is kept, by photo id.
    """
    kept: RankedHits = []
    burst_counts: dict[int, int] = {}
    for pair in ranked:
        first = next((hit for hit, _ in kept if _is_burst(hit, pair[0], vectors)), None)
        if first is None:
            kept.append(pair)
        else:
            burst_counts[first.id] = burst_counts.get(first.id, 0) + 1
    return kept, burst_counts


def merge_rankings(rankings: Sequence[RankedHits], top_k: int) -> RankedHits:
    """Return the best of several rankings, one after another, each with an equal share as far as it goes."""
    counts = [0] * len(rankings)
    while sum(counts) < top_k and any(n < len(ranked) for n, ranked in zip(counts, rankings, strict=True)):
        for i, ranked in enumerate(rankings):
            counts[i] += counts[i] < len(ranked) and sum(counts) < top_k
    chosen = [pair for n, ranked in zip(counts, rankings, strict=True) for pair in ranked[:n]]
    return list({hit.id: (hit, calibrated) for hit, calibrated in chosen}.values())


def _is_burst(a: Hit, b: Hit, vectors: Mapping[int, np.ndarray]) -> bool:
    if not (a.fields["has_time"] and b.fields["has_time"]):
        return False
    apart = abs(a.fields["taken_at"] - b.fields["taken_at"])
    return apart <= _BURST_SECONDS and float(vectors[a.id] @ vectors[b.id]) >= _BURST_COSINE
