"""Ranked photos: by time, and a burst as one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imagesearch.search.ranking import RankedHit, collapse_bursts, sort_by_date
from imagesearch.store import Hit

ALIKE = np.asarray([0.99, np.sqrt(1 - 0.99**2)], np.float32)
SIMILAR = np.asarray([0.999, -np.sqrt(1 - 0.999**2)], np.float32)
FIRST, OTHER = np.asarray([1, 0], np.float32), np.asarray([0, 1], np.float32)


def ranked(*times: int | None) -> list[RankedHit]:
    """Photos 0, 1, ... taken at some seconds, or at an unknown time."""
    return [
        RankedHit(Hit(i, 1.0 - i, {"has_time": t is not None, "taken_at": t or 0}))
        for i, t in enumerate(times)
    ]


def ids(ranking: list[RankedHit]) -> list[int]:
    return [ranked.hit.id for ranked in ranking]


def test_the_newest_come_first_and_those_of_unknown_time_last() -> None:
    assert ids(sort_by_date(ranked(5, None, 30, 20, None, -7), newest_first=True)) == [2, 3, 0, 5, 1, 4]


def test_the_oldest_come_first_without_those_of_unknown_time() -> None:
    assert ids(sort_by_date(ranked(5, None, 30, 20, None, -7), newest_first=False)) == [5, 0, 3, 2]


def test_photos_taken_at_once_keep_their_rank() -> None:
    assert ids(sort_by_date(ranked(5, 5, 5), newest_first=True)) == [0, 1, 2]


def test_a_burst_is_one_photo_with_the_count() -> None:
    vectors = {0: FIRST, 1: ALIKE, 2: OTHER, 3: ALIKE, 4: SIMILAR}
    kept, alike = collapse_bursts(ranked(100, 160, 100, 40, 161), vectors)
    assert ids(kept) == [0, 2, 4], "alike and within a minute: 1 and 3; unlike: 2; too late: 4"
    assert alike == {0: 2}


def test_photos_of_unknown_time_are_no_burst() -> None:
    kept, alike = collapse_bursts(ranked(None, None, 0), {0: FIRST, 1: ALIKE, 2: SIMILAR})
    assert ids(kept) == [0, 1, 2] and alike == {}


def test_copies_are_one_photo_whatever_is_known_of_their_times() -> None:
    rounded = FIRST + np.asarray([0, 3e-4], np.float32)  # as from another batch: 1 - cosine is below 1e-7
    vectors = {0: FIRST, 1: OTHER, 2: FIRST, 3: rounded, 4: FIRST}
    kept, alike = collapse_bursts(ranked(None, None, None, 0, 90_000), vectors)
    assert ids(kept) == [0, 1] and alike == {0: 3}


def test_a_burst_does_not_spread_from_photo_to_photo() -> None:
    vectors = {0: FIRST, 1: ALIKE, 2: SIMILAR, 3: ALIKE}
    kept, alike = collapse_bursts(ranked(0, 50, 100, 150), vectors)
    assert ids(kept) == [0, 2] and alike == {0: 1, 2: 1}, "each is within a minute of the one that is kept"


@given(st.lists(st.integers(0, 300) | st.none(), max_size=30))
def test_nothing_is_lost(times: list[int | None]) -> None:
    photos = ranked(*times)
    kept, alike = collapse_bursts(photos, {i: FIRST if i % 3 else OTHER for i in range(len(times))})
    assert len(kept) + sum(alike.values()) == len(photos)
    assert ids(kept) == sorted(ids(kept)) and set(alike) <= set(ids(kept))
    assert sorted(ids(sort_by_date(photos, newest_first=True))) == list(range(len(times)))
