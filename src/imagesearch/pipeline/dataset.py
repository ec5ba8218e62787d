"""A dataset: its photos on disk, its tables, its previews and its thumbnails."""

from __future__ import annotations

import functools
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from PIL import Image

from imagesearch.config import Config
from imagesearch.downloads import KEPT, DownloadCache, download_photos
from imagesearch.errors import UserError
from imagesearch.photos import (
    Photo,
    PhotoError,
    PreviewCache,
    ThumbnailCache,
    check_photo_folder,
    compute_photo_id,
    describe_missing,
    get_base,
    is_download_path,
    is_source,
    locate_file,
    make_path_prefix,
)
from imagesearch.pipeline.folder_comparison import is_covered
from imagesearch.pipeline.imported import ImportedVectors
from imagesearch.pipeline.known_photos import list_unreadable_photos
from imagesearch.pipeline.listed_photos import ListReader, find_downloaded, list_all_photos
from imagesearch.pipeline.moves import read_moves
from imagesearch.pipeline.progress import Progress
from imagesearch.pipeline.roots import (
    FolderChange,
    OtherFoldersError,
    PhotoRoots,
    choose_roots,
    has_photo_tables,
    join_names,
    load_roots,
)
from imagesearch.pipeline.runner import update_tables
from imagesearch.pipeline.steps import ProcessorCache, RunOptions, StepSpec
from imagesearch.pipeline.summary import StepSummary
from imagesearch.pipeline.tables import ProcessedPhoto, Table


class Dataset:
    """The photos of one ``dataset.name``, and the tables that the steps made from them.

    Parameters
    ----------
    config
        The config, with the folders of the photos and tables.
    images
        Folders of photos to use in place of those of the config (``-i``). They are saved beside the tables,
        so that later steps use them too, until other folders are given or ``dataset.images`` is changed.
        A change of ``dataset.images`` by which photos would be lost is refused as other folders are; see
        `PhotoRoots.refused`.
    paths
        Relative paths of the photos that belong to the dataset; by default all photos below the folders. Rows
        of other photos are dropped when the tables are compacted.
    change
        What to do if the tables have photos of other folders than those given: "add" uses both, "replace"
        only the new ones.
    processors
        Keeps the processors of the steps for other datasets of this process; by default, each run of a step
        makes its own.
    keep_missing_roots
        Whether the photos of a folder that is missing or empty, such as a drive that is not mounted, are kept
        as they are. By default, `photos` raises an error.
    refresh
        Ask for all downloaded photos again, when tables are updated first.

    Raises
    ------
    UserError
        If a folder given does not exist or has no photos, or if `change` is required and empty.

    Attributes
    ----------
    imported : ImportedVectors or None
        The source of the vectors, if they were imported from a file. Such a dataset has no tables.
    missing_roots : list of Path
        The folders that were missing or empty when the photos were listed, if they are kept.
    """

    def __init__(
        self,
        config: Config,
        images: Sequence[Path] | None = None,
        paths: Collection[str] | None = None,
        change: FolderChange = "",
        *,
        processors: ProcessorCache | None = None,
        keep_missing_roots: bool = False,
        refresh: bool = False,
    ) -> None:
        self.config = config
        self._processors, self._keep_missing_roots = processors, keep_missing_roots
        self.missing_roots: list[Path] = []
        self.folder = config.dataset.folder
        self.refresh = refresh
        self._paths = paths
        self._left_out: dict[str, str] = {}
        self._lists: ListReader | None = None
        self._has_downloaded = False
        self._not_refreshed: dict[str, str] = {}
        self._has_new_roots = bool(images)
        self.imported: ImportedVectors | None = None
        self.reload_roots()
        if self.imported is None and (images or (change and self.photo_roots.refused)):
            self._has_new_roots = True
            self.photo_roots = choose_roots(config, images or (), change)
        self.previews = PreviewCache(
            self.folder / "previews", config.extraction.preview_size, config.extraction.max_megapixels
        )
        self.downloads = DownloadCache(self.folder)
        self.thumbnails = ThumbnailCache(self.folder / "thumbnails", self.previews)

    @property
    def roots(self) -> list[Path]:
        """The folders of the photos."""
        return self.photo_roots.folders

    @property
    def lists(self) -> ListReader:
        """The lists among the folders of the photos."""
        roots = self.photo_roots
        if self._lists is None or (self._lists.roots, self._lists.labels) != (roots.folders, roots.labels):
            self._lists = ListReader(self.config.dataset, roots.folders, roots.labels)
        return self._lists

    def reload_roots(self) -> None:
        """Read again which folders the photos are in: another program may have been given others."""
        self.imported = ImportedVectors.read(self.folder)
        if self.imported is not None:
            self.photo_roots = PhotoRoots([Path(self.imported.root)], [""])
        elif not self._has_new_roots:
            self.photo_roots = load_roots(self.config)

    @functools.cached_property
    def photos(self) -> list[Photo]:
        """The photos as listed on first access; see `imagesearch.photos.list_photos`."""
        if self._paths is not None:
            return list(filter(None, map(self.find_photo, sorted(set(self._paths)))))
        if self._keep_missing_roots and has_photo_tables(self.config):
            self.missing_roots = [root for root in self.roots if not self._has_photos(root)]
        labels = dict(zip(self.roots, self.photo_roots.labels, strict=True))
        present = {root: label for root, label in labels.items() if root not in self.missing_roots}
        for root in present:
            if not is_source(root) and has_photo_tables(self.config):
                raise UserError(
                    f"{describe_missing(root)}; mount its drive, or if it was renamed, "
                    "run 00_run_steps.py -i NEW_NAME"
                )
        exclude = self.config.dataset.exclude
        listing = list_all_photos(present, exclude, self.lists.read(), self.downloads)
        listing.unreadable += [labels[root] or str(root) for root in self.missing_roots]
        if self._has_new_roots:
            self._save_roots()
        self._left_out = listing.left_out
        if self.imported is not None:
            return listing.photos
        unreadable = list_unreadable_photos(listing, self.roots, self.folder, self.locate_file)
        return [*listing.photos, *unreadable]

    def _has_photos(self, root: Path) -> bool:
        try:
            check_photo_folder(root, self.config.dataset.exclude)
        except UserError:
            return False
        return True

    def use_photos(self, photos: Sequence[Photo]) -> None:
        """Use these photos in place of those that were listed."""
        self.photos = list(photos)

    def download_photos(self, retry_failed: bool = False, progress: Progress | None = None) -> int:
        """Download the photos of the lists that are missing, once for this object; return how many.

        Parameters
        ----------
        retry_failed, progress
            See `update_tables`.

        Raises
        ------
        UserError
            If a list cannot be read, or another run is downloading.
        """
        if self._has_downloaded or self._paths is not None or self.imported is not None:
            return 0
        self._has_downloaded = True
        addresses = self.lists.read().addresses
        if not addresses:
            return 0
        options = {"retry_failed": retry_failed, "refresh": self.refresh, "progress": progress}
        summary = download_photos(self.config, self.downloads, addresses, **options)
        self._not_refreshed = {path: e for path, e in summary.failed.items() if e.startswith(KEPT)}
        self.__dict__.pop("photos", None)
        return summary.downloaded

    def open_table(self, name: str) -> Table:
        """Return the table with this name. It does not have to exist yet.

        Raises
        ------
        UserError
            If the dataset's vectors were imported.
        """
        self.refuse_imported()
        return Table(self.folder / name)

    def refuse_imported(self) -> None:
        """Raise `UserError` if the dataset's vectors were imported: it has no tables, faces or places."""
        if self.imported is not None:
            raise UserError(
                f"{self.config.dataset.name}: its vectors were imported from {self.imported.vectors}, and it "
                "has no tables, faces or places; update it with 05_build_collections.py --from-npy, or "
                "select another dataset with -n"
            )

    def refuse_undecided_folders(self) -> None:
        """Raise `UserError` if ``dataset.images`` was changed so that photos would be lost."""
        if self.photo_roots.refused is not None and self._paths is None:
            raise self.photo_roots.refused

    def read_moves(self, name: str) -> dict[int, int]:
        """Return the new ids of moved photos by the ids of their old entries in a table."""
        return read_moves(self.open_table(name))

    def read_current_entries(self, name: str) -> dict[int, ProcessedPhoto]:
        """Return a table's newest entries of the dataset's photos, by photo id.

        Entries of photos that failed are left out, and entries made by a different model than the newest
        entry's: vectors of two models cannot be compared. A photo that has changed keeps its old entry until
        its step is run again.
        """
        processed = self.open_table(name).read_processed()
        if not processed:
            return {}
        present = [processed[photo.photo_id] for photo in self.photos if photo.photo_id in processed]
        if not present:
            return {}
        newest = max(present, key=lambda entry: entry.shard).fingerprint
        return {e.photo_id: e for e in present if e.error is None and e.fingerprint == newest}

    def count_waiting(self, name: str) -> int:
        """Count the photos that are new or have changed since a table's step was last run."""
        entries = self.open_table(name).read_processed().values()
        known = {(entry.photo_id, entry.size, entry.mtime_ns) for entry in entries}
        return sum((p.photo_id, p.size, p.mtime_ns) not in known for p in self.photos)

    def update_tables(
        self,
        steps: Sequence[StepSpec],
        *,
        batch_size: int | None = None,
        retry_failed: bool = False,
        progress: Progress | None = None,
    ) -> StepSummary:
        """Bring the tables of some steps up to date with the photos; see `runner.update_tables`.

        Photos of lists that are missing are downloaded first.

        Files that step 01 has hashed and that have not changed since are not read again for hashing.

        Parameters
        ----------
        steps
            The steps to run; each photo is decoded once for all of them.
        batch_size
            Photos in a batch; by default ``extraction.batch_size``, which is meant for models.
        retry_failed
            Process unchanged photos again that failed before, and download those that failed.
        progress
            Wraps the photos to process, for a progress bar.
        """
        self.refuse_undecided_folders()
        downloaded = self.download_photos(retry_failed, progress)
        options = RunOptions.from_config(self.config.extraction, batch_size, retry_failed, progress)
        if self._processors is not None and options.engine == "local":
            steps = [self._processors.keep_processor(step) for step in steps]
        names = {table.name for step in steps for table in step.tables}
        hashes = {} if "clip" in names else self._read_known_hashes("clip")
        summary = update_tables(steps, self.photos, self.previews, options, hashes)
        self.thumbnails.prune(self.photos)
        summary.failed |= self._left_out | self._not_refreshed
        summary.downloaded, self._not_refreshed = downloaded, {}
        if self._paths is None:
            self._save_roots()
        return summary

    def _read_known_hashes(self, name: str) -> dict[int, bytes]:
        """Return a table's content hashes, by photo id, of the files that have not changed since."""
        processed = self.open_table(name).read_processed()
        pairs = ((photo, processed.get(photo.photo_id)) for photo in self.photos)
        return {
            photo.photo_id: entry.content
            for photo, entry in pairs
            if entry and entry.error is None and (entry.size, entry.mtime_ns) == (photo.size, photo.mtime_ns)
        }

    @property
    def roots_note(self) -> str:
        """Lines about the folders of photos, if they are not those of the config or have changed."""
        roots = self.photo_roots
        if self.imported is not None:
            return ""
        if isinstance(roots.refused, OtherFoldersError):
            return self.undecided_note
        lines = [roots.note, self.undecided_note]
        if roots.are_given and roots.differ_from(self.config.dataset.images):
            lines.append(
                f"photos in {join_names(self.roots)} (as given before, not dataset.images; other folders "
                "with --add or --replace change this)"
            )
        return "\n".join(filter(None, lines))

    @property
    def undecided_note(self) -> str:
        """A line that says why the folders in the config are not used yet; empty if they are."""
        refused = None if self.imported is not None else self.photo_roots.refused
        if isinstance(refused, OtherFoldersError):
            return f"{refused.situation}; run 00_run_steps.py with --add or --replace"
        return f"{refused}; until then, photos in {join_names(self.roots)} are used" if refused else ""

    def describe_copies(self, folder: Path) -> str:
        """Return a note if copies in a folder become photos of the dataset; else an empty string."""
        exclude = self.config.dataset.exclude
        root = next((root for root in self.roots if is_covered(folder, root, exclude)), None)
        if root is None or self.imported is not None:
            return ""
        return f"{folder} is inside {root}: the next run of 00_run_steps.py adds the copies to the photos"

    def locate_file(self, path: str) -> Path:
        """Return the file at a photo's relative path."""
        if is_download_path(path) and self.lists.lists:
            return self.downloads.locate(path)
        if ".." in path and path in (files := self.lists.read().files):
            return files[path]  # outside the folder of its list
        return locate_file(path, self.roots, self.photo_roots.labels)

    def list_paths_of(self, file: Path) -> set[str]:
        """Return the relative paths that a file can have as a photo of the dataset.

        There is one for the file as it is given, and one with links to its folder followed. There is none if
        the file is not below the folders of photos.
        """
        if self.lists.lists and (found := find_downloaded(file, self.lists.read(), self.downloads)):
            return found
        paths: set[str] = set()
        for resolve in (os.path.abspath, os.path.realpath):
            place = Path(resolve(file.parent)) / file.name
            for root in self.roots:
                root_place = Path(resolve(get_base(root)))
                if place.is_relative_to(root_place):
                    inside = str(get_base(root) / place.relative_to(root_place))
                    paths.add(make_path_prefix(inside, self.roots, self.photo_roots.labels))
        return paths

    def list_known_paths(self) -> list[str]:
        """List the paths of the photos in the tables, without reading the folders. Some may be gone."""
        for name in ("clip", "vit", "faces", "geo") if self.imported is None else ():
            if paths := Table(self.folder / name).list_paths():
                return paths
        return []

    def find_photo(self, path: str) -> Photo | None:
        """Return the photo at a relative path as it is on disk now, or None if there is none."""
        file = self.locate_file(path)
        try:
            status = file.stat()
        except (OSError, ValueError):  # a path given by a user or a file may be invalid
            return None
        return Photo(compute_photo_id(path), path, file, status.st_size, status.st_mtime_ns)

    def load_thumbnail(self, path: str, size: int) -> Image.Image | None:
        """Return the photo at a relative path, upright, with at most ``size`` pixels on its longer side.

        Returns None if there is no such photo or it cannot be decoded.
        """
        photo = self.find_photo(path)
        try:
            image = self.previews.load(photo, size // 2).image if photo else None
        except PhotoError:
            return None
        if image is not None:
            image.thumbnail((size, size), Image.Resampling.LANCZOS)
        return image

    def _save_roots(self) -> None:
        if self.imported is None:
            self.photo_roots.save(self.folder, self.config.dataset.images)
