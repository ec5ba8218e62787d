"""A small world for the runner: a folder of photos, a processor of their mean colours, and its tables."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from conftest import draw
from PIL import Image

from imagesearch.photos import DecodedPhoto, Photo, PreviewCache, compute_photo_id, find_photos
from imagesearch.pipeline import BatchOutput, StepSpec, StepSummary, make_vector_column
from imagesearch.pipeline.runner import update_tables
from imagesearch.pipeline.steps import RunOptions
from imagesearch.pipeline.tables import Table


class ColourProcessor:
    """Turns a photo into its mean colour, and records the photos that it was given."""

    min_short_side, min_long_side = 8, 0

    def __init__(self, tables: tuple[str, ...] = ("colour",)) -> None:
        self.tables = tables
        self.given: list[int] = []

    def prepare(self, photo: Photo, decoded: DecodedPhoto | None) -> np.ndarray:
        return np.asarray(decoded.image, np.float32).mean(axis=(0, 1))

    def process(self, photo_ids: list[int], inputs: list[Any]) -> BatchOutput:
        self.given += photo_ids
        table = pa.table(
            {"photo_id": pa.array(photo_ids, pa.int64()), "vector": make_vector_column(np.stack(inputs))}
        )
        return BatchOutput(dict.fromkeys(self.tables, table))


class World:
    """A folder of photos, and steps that process it."""

    def __init__(self, folder: Path) -> None:
        self.root, self.data = folder / "photos", folder / "data"
        self.root.mkdir()
        self.processors: list[ColourProcessor] = []

    def add(self, *names: str, seed: int | None = None) -> None:
        for name in names:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            draw(sum(name.encode()) if seed is None else seed, (24, 16)).save(self.root / name)

    def touch(self, name: str) -> None:
        status = (self.root / name).stat()
        os.utime(self.root / name, ns=(status.st_atime_ns, status.st_mtime_ns + 1))

    def open_table(self, name: str = "colour") -> Table:
        return Table(self.data / name)

    def step(
        self, name: str = "colour", fingerprint: str = "A", processor: ColourProcessor | None = None
    ) -> StepSpec:
        def make() -> ColourProcessor:
            self.processors.append(processor or ColourProcessor((name,)))
            return self.processors[-1]

        return StepSpec(name, (self.open_table(name),), fingerprint, make)

    @property
    def photos(self) -> list[Photo]:
        return find_photos([self.root])

    def run(
        self, *steps: StepSpec, batch_size: int = 4, photos: list[Photo] | None = None, **options
    ) -> StepSummary:
        self.processors = []
        return update_tables(
            steps or [self.step()],
            self.photos if photos is None else photos,
            PreviewCache(self.data / "previews", 256),
            RunOptions(batch_size, **{"workers": 2, **options}),
        )

    def given(self) -> list[str]:
        """Return the paths of the photos that the processors were given in the last run."""
        names = {compute_photo_id(photo.path): photo.path for photo in self.photos}
        return sorted(names[i] for processor in self.processors for i in processor.given)

    def check(self, table: str = "colour") -> None:
        """Check that each photo has exactly one row, with its own colour."""
        processed = self.open_table(table).read_processed()
        photos = self.photos
        entries = [processed[photo.photo_id] for photo in photos]
        assert all((e.size, e.mtime_ns) == (p.size, p.mtime_ns) for e, p in zip(entries, photos, strict=True))
        good = {e.photo_id: p for e, p in zip(entries, photos, strict=True) if e.error is None}
        ids, vectors = self.open_table(table).read_vectors(entries)
        assert sorted(ids.tolist()) == sorted(good)
        for i, vector in zip(ids.tolist(), vectors, strict=True):
            with Image.open(good[i].file) as image:
                own = np.asarray(image.convert("RGB"), np.float32).mean(axis=(0, 1))
            assert np.abs(vector - own).max() < 1e-3
            assert (processed[i].width, processed[i].height) == (24, 16)


def count_photos(summary: StepSummary) -> tuple[int, int, int, int, int]:
    return summary.new, summary.unchanged, summary.moved, summary.gone, len(summary.failed)
