"""Finds the duplicates of a dataset: hashes new photos, selects pairs, compares them and joins groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imagesearch.config import Config
from imagesearch.duplicates.candidates import find_similar_hashes, find_similar_vectors, measure_hash_distance
from imagesearch.duplicates.groups import DisjointSets, DuplicateGroup, GroupedPhoto, make_groups
from imagesearch.duplicates.hashes import PhotoHash, read_hashes, update_hashes
from imagesearch.duplicates.verdicts import PIXELS, SHOT, VerdictCache
from imagesearch.errors import UserError
from imagesearch.faces import count_faces
from imagesearch.geo import PhotoLocation, read_locations
from imagesearch.local_times import measure_seconds
from imagesearch.pipeline import Dataset, ProcessedPhoto, Progress

MAX_COPY_DISTANCE = 26  # bits of 64, of pairs with similar vectors: crops of 10 % have up to 26
_MAX_HASH_DISTANCE = 12  # bits of 64, of pairs that are found by their hashes
_SAME_PIXELS_DISTANCE = 4  # photos with equal pixels can differ by the way they were scaled for the hash
_BURST_SECONDS = 2
_BURST_COSINE = 0.9
_QUARTER_HOUR, _HALF_DAY_HOURS = 900, 14  # a copy can have a time in another time zone


Pairs = list[tuple[int, int]]


@dataclass(frozen=True)
class _Candidates:
    """The photos that can be compared, and what is known of them; all in the same order."""

    entries: list[ProcessedPhoto]
    hashes: list[PhotoHash]
    locations: list[PhotoLocation | None]

    def __len__(self) -> int:
        return len(self.entries)

    def get_second(self, row: int) -> float | None:
        """Return the time of a photo in seconds, if its seconds are known."""
        location = self.locations[row]
        if location is None or location.metadata.taken_at is None:
            return None
        metadata = location.metadata
        # tables of an earlier version have no precision: their times are from EXIF
        is_exact = metadata.time_precision in ("", "second")
        return measure_seconds(metadata.taken_at) if is_exact else None


def find_duplicates(
    config: Config,
    dataset: Dataset,
    *,
    kinds: Sequence[str] = (),
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> list[DuplicateGroup]:
    """Return the groups of duplicates of a dataset, after hashing its new photos.

    Parameters
    ----------
    config, dataset
        The config, and the dataset with the vectors of step 01. Faces, times and ratings of steps 02 and 04
        are used if they are there.
    kinds
        The kinds of groups to return, from `DUPLICATE_KINDS`; all by default.
    retry_failed, progress
        See `imagesearch.pipeline.Dataset.update_tables`.

    Raises
    ------
    UserError
        If the photos have no ViT vectors yet, or the vectors were imported.
    """
    dataset.refuse_imported()
    entries = dataset.read_current_entries("vit")
    if not entries:
        raise UserError(f"{config.dataset.name}: no photo has a ViT vector; run 01_extract_features.py first")
    update_hashes(dataset, retry_failed=retry_failed, progress=progress)
    candidates = _read_candidates(dataset, entries)
    ids, vectors = dataset.open_table("vit").read_vectors(candidates.entries)
    row_by_id = {int(photo_id): row for row, photo_id in enumerate(ids)}
    vectors = vectors[[row_by_id[entry.photo_id] for entry in candidates.entries]]
    similar = find_similar_vectors(vectors)
    pixels, shots = _find_copies(dataset, candidates, similar, progress)
    bursts = _find_bursts(candidates, vectors)
    rows = sorted({row for pairs in (pixels, shots, bursts) for pair in pairs for row in pair})
    number = {row: position for position, row in enumerate(rows)}
    photos = _describe_photos(config, dataset, candidates, rows)
    pairs_by_kind = {
        kind: [(number[i], number[j]) for i, j in pairs]
        for kind, pairs in (("pixels", pixels), ("shot", shots), ("burst", bursts))
    }
    return [group for group in make_groups(photos, pairs_by_kind) if not kinds or group.kind in kinds]


def _read_candidates(dataset: Dataset, entries: dict[int, ProcessedPhoto]) -> _Candidates:
    hashes, locations = read_hashes(dataset), read_locations(dataset)
    known = [entry for photo_id, entry in entries.items() if photo_id in hashes]
    known.sort(key=lambda entry: entry.path)
    return _Candidates(
        known,
        [hashes[entry.photo_id] for entry in known],
        [locations.get(entry.photo_id) for entry in known],
    )


def _find_copies(
    dataset: Dataset,
    candidates: _Candidates,
    similar: dict[tuple[int, int], float],
    progress: Progress | None,
) -> tuple[Pairs, Pairs]:
    """Return the pairs with the same pixels, and those of the same shot."""
    same_files = _find_same_files(candidates)
    files = DisjointSets(len(candidates))
    for one, other in same_files:
        files.join(one, other)
    bits = [one.bits for one in candidates.hashes]
    near = {
        pair for pair in similar if measure_hash_distance(*(bits[row] for row in pair)) <= MAX_COPY_DISTANCE
    }
    near |= find_similar_hashes(bits, _MAX_HASH_DISTANCE)
    # one of several equal files is enough
    near = {tuple(sorted((files.find(one), files.find(other)))) for one, other in near}
    pairs = sorted(pair for pair in near if pair[0] != pair[1])
    exact = {pair: _may_have_same_pixels(candidates, *pair) for pair in pairs}
    pairs = [pair for pair in pairs if exact[pair] or not _are_two_frames(candidates, *pair)]
    rows = {row for pair in pairs for row in pair}
    photos = {row: photo for row in rows if (photo := dataset.find_photo(candidates.entries[row].path))}
    compared = [(one, other) for one, other in pairs if one in photos and other in photos]
    verdicts = VerdictCache(dataset).compare(
        [(photos[one], photos[other]) for one, other in compared],
        may_be_pixels=[exact[pair] for pair in compared],
        progress=progress,
    )
    pixels, shots = list(same_files), []
    for pair, verdict in zip(compared, verdicts, strict=True):
        if verdict == PIXELS:
            pixels.append(pair)
        elif verdict == SHOT and not _are_two_frames(candidates, *pair):
            shots.append(pair)
    return pixels, shots


def _find_same_files(candidates: _Candidates) -> Pairs:
    """Return pairs of files with the same content; the first one of a content is in each of its pairs."""
    first: dict[bytes, int] = {}
    pairs = []
    for row, entry in enumerate(candidates.entries):
        if first.setdefault(entry.content, row) != row:
            pairs.append((first[entry.content], row))
    return pairs


def _may_have_same_pixels(candidates: _Candidates, one: int, other: int) -> bool:
    sizes = [(candidates.entries[row].width, candidates.entries[row].height) for row in (one, other)]
    distance = measure_hash_distance(candidates.hashes[one].bits, candidates.hashes[other].bits)
    return sizes[0] == sizes[1] and distance <= _SAME_PIXELS_DISTANCE


def _are_two_frames(candidates: _Candidates, one: int, other: int) -> bool:
    """Whether two photos were taken at different seconds, in whatever time zones their times are."""
    first, second = candidates.get_second(one), candidates.get_second(other)
    if first is None or second is None:
        return False
    difference = abs(first - second)
    is_other_zone = difference % _QUARTER_HOUR == 0 and difference <= _HALF_DAY_HOURS * 3600
    return difference > 0 and not is_other_zone


def _find_bursts(candidates: _Candidates, vectors: np.ndarray) -> Pairs:
    """Return pairs of photos that were taken within two seconds of each other and are alike."""
    times = [
        (second, row) for row in range(len(candidates)) if (second := candidates.get_second(row)) is not None
    ]
    times.sort()
    # a second with many photos is no burst but a batch of scans or exports with one time
    crowded = {second for second, count in Counter(second for second, _ in times).items() if count > 40}
    pairs = []
    for position, (second, row) in enumerate(times):
        for later, other in times[position + 1 :]:
            if later - second > _BURST_SECONDS:
                break
            if second in crowded or later in crowded:
                continue
            if float(vectors[row] @ vectors[other]) >= _BURST_COSINE:
                pairs.append((row, other))
    return pairs


def _describe_photos(
    config: Config, dataset: Dataset, candidates: _Candidates, rows: Sequence[int]
) -> list[GroupedPhoto]:
    faces = count_faces(config, dataset)
    photos = []
    for row in rows:
        entry, location = candidates.entries[row], candidates.locations[row]
        metadata = location.metadata if location else None
        photos.append(
            GroupedPhoto(
                path=entry.path,
                file=dataset.locate_file(entry.path),
                width=entry.width,
                height=entry.height,
                file_size=entry.size,
                mtime_ns=entry.mtime_ns,
                sharpness=candidates.hashes[row].sharpness,
                faces=faces.get(entry.photo_id, 0),
                rating=metadata.rating if metadata else None,
                taken_at=metadata.taken_at if metadata else None,
                has_position=bool(metadata and metadata.latitude is not None),
            )
        )
    return photos
