"""A dataset: its photos on disk, its tables, its previews, and which of the tables' entries hold today."""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Sequence
from pathlib import Path

from PIL import Image

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.files import atomic_write
from imagesearch.photos import Photo, PhotoError, PreviewCache, compute_photo_id, find_photos, locate_file
from imagesearch.pipeline.runner import PhotoProgress, StepSpec, StepSummary, update_tables
from imagesearch.pipeline.tables import ProcessedPhoto, Table


class Dataset:
    """The photos of one ``dataset.name``, and what was read from them.

    Parameters
    ----------
    config
        Says where photos and tables are.
    images
        Folders of photos in place of the config's (``-i``). They are remembered beside the tables, so that
        the later steps use them too, until they are replaced again or ``dataset.images`` is changed.
    paths
        Of the only photos below these folders that are meant, if not all are. What the tables know of others
        is forgotten by and by.
    """

    def __init__(
        self, config: Config, images: Sequence[Path] | None = None, paths: Collection[str] | None = None
    ) -> None:
        self.config = config
        self.folder = config.dataset.folder
        self._paths = paths
        self._given = [Path(root).expanduser().absolute() for root in images or ()]
        self.roots = self._given or self._load_roots() or list(config.dataset.images)
        self.previews = PreviewCache(
            self.folder / "previews", config.extraction.preview_size, config.extraction.max_megapixels
        )

    @functools.cached_property
    def photos(self) -> list[Photo]:
        """The photos that were there at the first look; see `imagesearch.photos.decoding.find_photos`."""
        if self._paths is not None:
            return list(filter(None, map(self.find_photo, sorted(set(self._paths)))))
        photos = find_photos(self.roots, self.config.dataset.exclude)
        if self._given:
            self._save_roots()
        return photos

    def table(self, name: str) -> Table:
        """Return the table of that name, which need not exist yet."""
        return Table(self.folder / name)

    def current_entries(self, name: str) -> dict[int, ProcessedPhoto]:
        """Return a table's newest entries of the photos that are there, without those that failed.

        A photo that has changed since keeps its old entry until its step has been run again. Entries made by
        another model than the newest of these was are left out: vectors of two models do not belong together.
        """
        seen = self.table(name).read_processed()
        present = [seen[photo.photo_id] for photo in self.photos if photo.photo_id in seen] if seen else []
        if not present:
            return {}
        newest = max(present, key=lambda entry: entry.shard).fingerprint
        return {e.photo_id: e for e in present if e.error is None and e.fingerprint == newest}

    def count_waiting(self, name: str) -> int:
        """Count the photos that are new, or have changed, since a table's step was run."""
        seen = self.table(name).read_processed()
        known = {(entry.photo_id, entry.size, entry.mtime_ns) for entry in seen.values()}
        return sum((p.photo_id, p.size, p.mtime_ns) not in known for p in self.photos)

    def update_tables(
        self,
        steps: Sequence[StepSpec],
        *,
        batch_size: int | None = None,
        retry_failed: bool = False,
        progress: PhotoProgress | None = None,
    ) -> StepSummary:
        """Bring the tables of some steps up to date with the photos; see `runner.update_tables`.

        A batch is as large as the config says, for models, unless its size is given. Files that step 01 has
        hashed, and that have not changed since, are not read again to be hashed.
        """
        extraction = self.config.extraction
        names = {table.name for step in steps for table in step.tables}
        return update_tables(
            steps,
            self.photos,
            self.previews,
            batch_size=batch_size or extraction.batch_size,
            workers=extraction.workers,
            retry_failed=retry_failed,
            progress=progress,
            hashes={} if "clip" in names else self._read_known_hashes("clip"),
        )

    def _read_known_hashes(self, name: str) -> dict[int, bytes]:
        """Return the content hashes that a table's step noted of files which have not changed since."""
        seen = self.table(name).read_processed()
        entries = ((photo, seen.get(photo.photo_id)) for photo in self.photos)
        return {
            photo.photo_id: entry.content
            for photo, entry in entries
            if entry and entry.error is None and (entry.size, entry.mtime_ns) == (photo.size, photo.mtime_ns)
        }

    @property
    def roots_note(self) -> str:
        """A line that says where the photos are, if not where the config says; else nothing."""
        if self.roots == list(self.config.dataset.images):
            return ""
        folders = ", ".join(map(str, self.roots))
        return f"photos in {folders} (given with -i, and used until -i names others)"

    def locate_file(self, path: str) -> Path:
        """Return the file of a photo's relative path."""
        return locate_file(path, self.roots)

    def find_photo(self, path: str) -> Photo | None:
        """Return the photo at a relative path as it is on the disk now, or None if it is not there."""
        file = self.locate_file(path)
        try:
            status = file.stat()
        except (OSError, ValueError):  # a path from elsewhere may be no path at all
            return None
        return Photo(compute_photo_id(path), path, file, status.st_size, status.st_mtime_ns)

    def load_thumbnail(self, path: str, longest: int) -> Image.Image | None:
        """Return the photo at a relative path, upright and small; None if it is gone or cannot be decoded."""
        photo = self.find_photo(path)
        try:
            image = self.previews.load(photo, longest // 2).image if photo else None
        except PhotoError:
            return None
        if image is not None:
            image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
        return image

    # --- the roots that were given by hand -----------------------------------------------------------------

    @property
    def _roots_file(self) -> Path:
        return self.folder / "images.json"

    @property
    def _configured_roots(self) -> list[str]:
        return [str(root) for root in self.config.dataset.images]

    def _save_roots(self) -> None:
        note = {"configured": self._configured_roots, "used": [str(root) for root in self._given]}
        with atomic_write(self._roots_file) as unfinished:
            unfinished.write_text(json.dumps(note, indent=2), "utf-8")

    def _load_roots(self) -> list[Path]:
        try:
            note = json.loads(self._roots_file.read_text("utf-8"))
            used = note["used"] if note["configured"] == self._configured_roots else []
            return [Path(root) for root in used]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{self._roots_file}: cannot be read ({error}); remove it and give -i again"
            ) from None
