"""What happens to ranked photos before they are shown: other orders, and bursts as one."""

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
    alike : dict
        How many were left out for each that is kept, by photo id.
    """
    kept: RankedHits = []
    alike: dict[int, int] = {}
    for pair in ranked:
        first = next((hit for hit, _ in kept if _is_burst(hit, pair[0], vectors)), None)
        if first is None:
            kept.append(pair)
        else:
            alike[first.id] = alike.get(first.id, 0) + 1
    return kept, alike


def merge_rankings(each: Sequence[RankedHits], top_k: int) -> RankedHits:
    """Return the best of several answers, one after another, each with an equal share as far as it goes."""
    kept: list[int] = [0] * len(each)
    while sum(kept) < top_k and any(count < len(ranked) for count, ranked in zip(kept, each, strict=True)):
        for i, ranked in enumerate(each):
            kept[i] += kept[i] < len(ranked) and sum(kept) < top_k
    chosen = [pair for count, ranked in zip(kept, each, strict=True) for pair in ranked[:count]]
    return list({hit.id: (hit, fit) for hit, fit in chosen}.values())


def _is_burst(a: Hit, b: Hit, vectors: Mapping[int, np.ndarray]) -> bool:
    if not (a.fields["has_time"] and b.fields["has_time"]):
        return False
    apart = abs(a.fields["taken_at"] - b.fields["taken_at"])
    return apart <= _BURST_SECONDS and float(vectors[a.id] @ vectors[b.id]) >= _BURST_COSINE
