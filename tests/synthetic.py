"""Synthetic faces: unit vectors near the vectors of a few people, and photos without files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from imagesearch.faces.extract import FaceTable, compute_face_id
from imagesearch.photos import compute_photo_id
from imagesearch.pipeline import ProcessedPhoto

WIDTH, HEIGHT = 1000, 800
# Boxes in a photo that do not overlap.
PLACES = tuple((x, y, x + 100.0, y + 120.0) for y in (40.0, 300.0, 600.0) for x in (50.0, 300.0, 600.0))

NAMES = ("Maya", "Zoë", "नूर", "김민준", "O'Brien", "Мария", "Ana\u2028Lu", "李 四")
REFERENCE = ("2023/Zoë.jpg", "00112233aabbccdd", (0.1, 0.2, 0.3, 0.4))


def people_vectors(count: int, dimension: int = 32, seed: int = 0) -> np.ndarray:
    """Return orthogonal unit vectors, one for each person."""
    rng = np.random.default_rng(seed)
    return np.linalg.qr(rng.standard_normal((dimension, count)))[0].T


def vectors_of(who: Sequence[int], people: np.ndarray, noise: float = 0.4, seed: int = 1) -> np.ndarray:
    """Return, for each entry of `who`, a unit vector near that of the person."""
    rng = np.random.default_rng(seed)
    scatter = rng.standard_normal((len(who), people.shape[1])) / np.sqrt(people.shape[1])
    mixed = people[np.asarray(who, int)] + noise * scatter
    return (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)


def content_of_photo(name: str) -> bytes:
    return name.encode().ljust(16, b".")[:16]


def make_entry(path: str, content: str = "") -> ProcessedPhoto:
    """Return the entry of a photo in a table; entries with the same content are copies."""
    return ProcessedPhoto(
        photo_id=compute_photo_id(path),
        path=path,
        size=1,
        mtime_ns=1,
        content=content_of_photo(content or path),
        width=WIDTH,
        height=HEIGHT,
        error=None,
        fingerprint="synthetic",
        shard=1,
    )


def make_faces(
    items: Sequence[tuple[str, Sequence[float], np.ndarray]], contents: dict[str, str] | None = None
) -> FaceTable:
    """Make faces from (path, box in pixels, vector); `contents` overrides the content of files by path."""
    order = sorted(range(len(items)), key=lambda i: compute_photo_id(items[i][0]))
    items = [items[i] for i in order]
    paths = dict.fromkeys(path for path, _, _ in items)
    photo_ids = [compute_photo_id(path) for path, _, _ in items]
    positions = [photo_ids[:i].count(photo_id) for i, photo_id in enumerate(photo_ids)]
    entries = [make_entry(path, (contents or {}).get(path, "")) for path in paths]
    return FaceTable(
        ids=np.asarray([compute_face_id(*p) for p in zip(photo_ids, positions, strict=True)], np.int64),
        photo_ids=np.asarray(photo_ids, np.int64),
        positions=np.asarray(positions, np.int64),
        boxes=np.asarray([box for _, box, _ in items], np.float32).reshape(-1, 4),
        scores=np.full(len(items), 0.9, np.float32),
        vectors=np.asarray([vector for _, _, vector in items], np.float32).reshape(
            len(items), -1 if items else 0
        ),
        processed={entry.photo_id: entry for entry in entries},
    )


def row_of(faces: FaceTable, path: str, position: int = 0) -> int:
    """Return the row of a face of a photo."""
    return int(np.flatnonzero(faces.photo_ids == compute_photo_id(path))[position])
