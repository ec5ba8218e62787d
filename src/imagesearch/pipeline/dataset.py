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
from imagesearch.photos import Photo, PhotoError, Previews, find_photos, locate, photo_id
from imagesearch.pipeline.runner import PhotoProgress, Step, Summary, run_steps
from imagesearch.pipeline.tables import Seen, Table


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
        self.roots = self._given or self._remembered() or list(config.dataset.images)
        self.previews = Previews(
            self.folder / "previews", config.extraction.preview_size, config.extraction.max_megapixels
        )

    @functools.cached_property
    def photos(self) -> list[Photo]:
        """The photos that were there at the first look; see `imagesearch.photos.decoding.find_photos`."""
        if self._paths is not None:
            return list(filter(None, map(self.photo, sorted(set(self._paths)))))
        photos = find_photos(self.roots, self.config.dataset.exclude)
        if self._given:
            self._remember()
        return photos

    def table(self, name: str) -> Table:
        """Return the table of that name, which need not exist yet."""
        return Table(self.folder / name)

    def current(self, name: str) -> dict[int, Seen]:
        """Return a table's newest entries of the photos that are there, without those that failed.

        A photo that has changed since keeps its old entry until its step has been run again. Entries made by
        another model than the newest of these was are left out: vectors of two models do not belong together.
        """
        seen = self.table(name).seen()
        present = [seen[photo.photo_id] for photo in self.photos if photo.photo_id in seen] if seen else []
        if not present:
            return {}
        newest = max(present, key=lambda entry: entry.shard).fingerprint
        return {e.photo_id: e for e in present if e.error is None and e.fingerprint == newest}

    def waiting(self, name: str) -> int:
        """Count the photos that are new, or have changed, since a table's step was run."""
        seen = self.table(name).seen()
        known = {(entry.photo_id, entry.size, entry.mtime_ns) for entry in seen.values()}
        return sum((p.photo_id, p.size, p.mtime_ns) not in known for p in self.photos)

    def catch_up(
        self,
        steps: Sequence[Step],
        *,
        batch_size: int | None = None,
        retry_failed: bool = False,
        progress: PhotoProgress | None = None,
    ) -> Summary:
        """Bring the tables of some steps up to date with the photos; see `imagesearch.pipeline.runner.run_steps`.

        A batch is as large as the config says, for models, unless its size is given. Files that step 01 has
        hashed, and that have not changed since, are not read again to be hashed.
        """
        extraction = self.config.extraction
        names = {table.name for step in steps for table in step.tables}
        return run_steps(
            steps,
            self.photos,
            self.previews,
            batch_size=batch_size or extraction.batch_size,
            workers=extraction.workers,
            retry_failed=retry_failed,
            progress=progress,
            hashes={} if "clip" in names else self._hashes("clip"),
        )

    def _hashes(self, name: str) -> dict[int, bytes]:
        """Return the content hashes that a table's step noted of files which have not changed since."""
        seen = self.table(name).seen()
        entries = ((photo, seen.get(photo.photo_id)) for photo in self.photos)
        return {
            photo.photo_id: entry.content
            for photo, entry in entries
            if entry and entry.error is None and (entry.size, entry.mtime_ns) == (photo.size, photo.mtime_ns)
        }

    @property
    def where(self) -> str:
        """A line that says where the photos are, if not where the config says; else nothing."""
        if self.roots == list(self.config.dataset.images):
            return ""
        folders = ", ".join(map(str, self.roots))
        return f"photos in {folders} (given with -i, and used until -i names others)"

    def file(self, path: str) -> Path:
        """Return the file of a photo's relative path."""
        return locate(path, self.roots)

    def photo(self, path: str) -> Photo | None:
        """Return the photo at a relative path as it is on the disk now, or None if it is not there."""
        file = self.file(path)
        try:
            status = file.stat()
        except (OSError, ValueError):  # a path from elsewhere may be no path at all
            return None
        return Photo(photo_id(path), path, file, status.st_size, status.st_mtime_ns)

    def thumbnail(self, path: str, longest: int) -> Image.Image | None:
        """Return the photo at a relative path, upright and small; None if it is gone or cannot be decoded."""
        photo = self.photo(path)
        try:
            image = self.previews.open(photo, longest // 2).image if photo else None
        except PhotoError:
            return None
        if image is not None:
            image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
        return image

    # --- the roots that were given by hand -----------------------------------------------------------------

    @property
    def _note(self) -> Path:
        return self.folder / "images.json"

    @property
    def _configured(self) -> list[str]:
        return [str(root) for root in self.config.dataset.images]

    def _remember(self) -> None:
        note = {"configured": self._configured, "used": [str(root) for root in self._given]}
        with atomic_write(self._note) as unfinished:
            unfinished.write_text(json.dumps(note, indent=2), "utf-8")

    def _remembered(self) -> list[Path]:
        try:
            note = json.loads(self._note.read_text("utf-8"))
            used = note["used"] if note["configured"] == self._configured else []
            return [Path(root) for root in used]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{self._note}: cannot be read ({error}); remove it and give -i again") from None
