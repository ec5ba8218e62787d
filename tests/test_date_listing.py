"""Photos listed by date: newest first, oldest first, and period by period if many pass the filter."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from test_store import rows, spec, update, vectors
from test_store import settings as milvus

from imagesearch.filters import And, Between, Condition, Eq, is_fulfilled
from imagesearch.store import PHOTO_FIELDS, CollectionRef, Store
from imagesearch.store.vocabulary import split_periods

FIELDS = ("path", "face_labels", "year", "class_label", "has_time", "taken_at")
SPEC = spec(fields=tuple(item for item in PHOTO_FIELDS if item.name in FIELDS))
ALBUM = CollectionRef("album", "clip")
COUNT = 2_600


def draw_times() -> list[int | None]:
    """Times around 1970, some of them equal, and some unknown."""
    rng = random.Random(3)
    return [None if rng.random() < 0.02 else rng.randrange(-900, 900) for _ in range(COUNT)]


TIMES = draw_times()
YEARS = [random.Random(n).choice([0, 1, 1, 1, 1, 1]) if n % 40 else 2 for n in range(COUNT)]
PERIODS = split_periods([time for time in TIMES if time is not None])
ROWS = [
    {"has_time": time is not None, "taken_at": time or 0, "year": year}
    for time, year in zip(TIMES, YEARS, strict=True)
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(milvus(tmp_path_factory.mktemp("listing"))) as opened:
        columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
        update(opened, SPEC, rows(vectors(COUNT), **columns))
        yield opened


def sort_by_hand(where: Condition, oldest_first: bool) -> list[int]:
    """The ids of the photos that pass, undated ones last."""
    passing = [n for n, row in enumerate(ROWS) if is_fulfilled(where, row)]
    dated = [n for n in passing if TIMES[n] is not None]
    dated.sort(key=lambda n: (TIMES[n] if oldest_first else -TIMES[n], n))  # type: ignore[operator]
    return dated + [n for n in passing if TIMES[n] is None]


@pytest.mark.parametrize("limit", [1, 10, 700, COUNT])
@pytest.mark.parametrize(
    "where",
    [
        And(),
        Eq("year", 1),
        Eq("year", 2),
        Eq("year", 3),
        Eq("has_time", False),
        Between("taken_at", -400, 300),
        And((Eq("has_time", True), Between("taken_at", 100, None))),
    ],
)
def test_photos_are_listed_from_both_ends(store: Store, where: Condition, limit: int) -> None:
    for oldest_first in (False, True):
        hits, passing_count = store.list_by_date(
            ALBUM, limit, newest_first=not oldest_first, where=where, fields=["taken_at"], periods=PERIODS
        )
        expected = sort_by_hand(where, oldest_first)
        assert [hit.id for hit in hits] == expected[:limit]
        assert passing_count == min(len(expected), max(limit, 300) + 1)
