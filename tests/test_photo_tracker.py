"""Which photos of a listing the next batch takes: settled ones, in limited numbers, moves as a whole."""

from __future__ import annotations

from pathlib import Path

from imagesearch.photos import Photo
from imagesearch.workflow.photo_tracker import PhotoTracker


def photo(number: int, size: int = 100, mtime_ns: int = 1) -> Photo:
    return Photo(number, f"{number}.jpg", Path(f"/{number}.jpg"), size + number, mtime_ns)


def make_tracker(*known: Photo, batch_size: int = 100, incomplete: tuple[Photo, ...] = ()) -> PhotoTracker:
    """Return a tracker that has processed some photos, at the time 0."""
    tracker = PhotoTracker(1.0, 10.0, batch_size, lambda photo: photo not in incomplete)
    tracker.select(known, -2.0)
    tracker.select(known, 0.0)
    tracker.mark_processed()
    return tracker


def list_readable(tracker: PhotoTracker, listed: list[Photo], now: float) -> list[int]:
    return [p.photo_id for p in tracker.select(listed, now).photos if p.is_readable]


def test_a_photo_waits_until_it_has_been_unchanged_for_a_moment() -> None:
    tracker = make_tracker(photo(1))
    assert list_readable(tracker, [photo(1), photo(2)], 1.0) == [1]
    growing = photo(2, size=200)
    assert list_readable(tracker, [photo(1), growing], 2.5) == [1]
    assert tracker.select([photo(1), growing], 3.4).waiting == 1
    found = tracker.select([photo(1), growing], 3.5)
    assert (found.ready, found.waiting, [p.photo_id for p in found.photos]) == (1, 0, [1, 2])


def test_an_incomplete_file_waits_longer_and_is_processed_in_the_end() -> None:
    half = photo(2)
    tracker = make_tracker(photo(1), incomplete=(half,))
    assert [tracker.select([photo(1), half], now).ready for now in (1.0, 5.0, 10.9, 11.0)] == [0, 0, 0, 1]
    whole = photo(2, size=300)
    tracker = make_tracker(photo(1), incomplete=(half,))
    assert [tracker.select([photo(1), p], now).ready for p, now in ((half, 1), (half, 5), (whole, 6))] == [
        *(0, 0, 0)
    ]
    assert tracker.select([photo(1), whole], 7.0).ready == 1


def test_a_changed_photo_keeps_its_rows_while_it_is_being_written() -> None:
    tracker = make_tracker(photo(1))
    found = tracker.select([photo(1, mtime_ns=2)], 1.0)
    assert [(p.photo_id, p.is_readable) for p in found.photos] == [(1, False)]
    assert (found.ready, found.gone) == (0, 0)
    tracker.mark_processed()  # another photo's batch
    assert tracker.select([photo(1, mtime_ns=2)], 2.0).ready == 1


def test_a_photo_is_gone_when_it_has_been_missing_for_a_moment() -> None:
    tracker = make_tracker(photo(1), photo(2))
    found = tracker.select([photo(1)], 1.0)
    assert (found.gone, [p.photo_id for p in found.photos]) == (0, [1, 2])
    assert tracker.select([photo(1), photo(2)], 1.5).gone == 0  # it is back
    assert tracker.select([photo(1)], 2.0).gone == 0
    found = tracker.select([photo(1)], 3.0)
    assert (found.gone, [p.photo_id for p in found.photos]) == (1, [1])
    tracker.mark_processed()
    assert tracker.select([photo(1)], 4.0).gone == 0


def test_a_moved_photo_is_not_gone_before_its_new_file_is_ready() -> None:
    tracker = make_tracker(photo(1), photo(2))
    moved = photo(3, size=photo(2).size - 3)  # of the same size
    tracker.select([photo(1)], 1.0)
    found = tracker.select([photo(1), moved], 2.5)
    assert (found.ready, found.gone, found.waiting) == (0, 0, 2)
    found = tracker.select([photo(1), moved], 3.5)
    assert (found.ready, found.gone, found.waiting) == (1, 1, 0)


def test_a_burst_is_limited_except_at_the_start() -> None:
    burst = [photo(number) for number in range(1, 31)]
    tracker = PhotoTracker(1.0, 10.0, 8, lambda photo: True)
    tracker.select(burst, 0.0)
    assert tracker.select(burst, 1.0).ready == 30

    tracker = make_tracker(photo(50), batch_size=8)
    tracker.select([photo(50), *burst], 1.0)
    sizes = []
    while (found := tracker.select([photo(50), *burst], 2.0)).ready:
        sizes.append(found.ready)
        tracker.mark_processed()
    assert sizes == [8, 8, 8, 6]


def test_the_batches_of_a_large_album_are_larger() -> None:
    known = [photo(number) for number in range(1000, 2000)]
    tracker = make_tracker(*known, batch_size=8)
    listed = [*known, *(photo(number) for number in range(1, 301))]
    tracker.select(listed, 1.0)
    assert tracker.select(listed, 2.0).ready == 100


def test_a_batch_that_failed_is_taken_again() -> None:
    tracker = make_tracker(photo(1))
    tracker.select([photo(1), photo(2)], 1.0)
    assert [tracker.select([photo(1), photo(2)], 2.0 + n).ready for n in range(3)] == [1, 1, 1]
