"""A dataset: its photos on disk, its tables, its previews and its thumbnails."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image

from imagesearch.bucket_paths import is_bucket
from imagesearch.config import Config
from imagesearch.downloads import KEPT, DownloadCache, ObjectCache, OutageGuard, download_photos
from imagesearch.errors import UserError
from imagesearch.photos import (
    Photo,
    PhotoError,
    PreviewCache,
    ThumbnailCache,
    compute_photo_id,
    describe_missing,
    is_download_path,
    is_source,
    list_relative_paths,
    locate_file,
)
from imagesearch.pipeline.drives import Drives, keep_missing_drives, save_drives
from imagesearch.pipeline.imported import ImportedVectors
from imagesearch.pipeline.known_entries import KnownEntries, is_entry_of
from imagesearch.pipeline.known_photos import KnownVersions, list_unreadable_photos, read_known_hashes
from imagesearch.pipeline.listed_photos import ListReader, find_downloaded, list_all_photos
from imagesearch.pipeline.memory import ProcessMemory, T
from imagesearch.pipeline.moves import read_moves
from imagesearch.pipeline.processed_photo import ProcessedPhoto
from imagesearch.pipeline.progress import Progress
from imagesearch.pipeline.root_notes import describe_copies, describe_roots, describe_undecided
from imagesearch.pipeline.roots import (
    FolderChange,
    PhotoRoots,
    check_root,
    choose_roots,
    has_photo_tables,
    load_roots,
)
from imagesearch.pipeline.runner import update_tables
from imagesearch.pipeline.steps import ProcessorCache, RunOptions, StepSpec
from imagesearch.pipeline.summary import StepSummary
from imagesearch.pipeline.tables import Table


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
    memory
        What this process keeps for other datasets of the same name and config, such as the entries of
        tables, and the processors of steps. By default, nothing is kept.
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
    missing_drives : list of Path
        The folders below these that were on drives of their own, and were not mounted.
    """

    def __init__(
        self,
        config: Config,
        images: Sequence[Path] | None = None,
        paths: Collection[str] | None = None,
        change: FolderChange = "",
        *,
        memory: ProcessMemory | None = None,
        keep_missing_roots: bool = False,
        refresh: bool = False,
    ) -> None:
        self.config = config
        self._memory, self._keep_missing_roots = memory, keep_missing_roots
        self.missing_roots: list[Path] = []
        self.folder = config.dataset.folder
        self.refresh = refresh
        self._paths = paths
        self._left_out: dict[str, str] = {}
        self.missing_drives: list[Path] = []
        self._drives: Drives | None = None
        self._lists: ListReader | None = None
        self._has_downloaded = False
        self._not_refreshed: dict[str, str] = {}
        self._has_new_roots = bool(images)
        self.imported: ImportedVectors | None = None
        self.reload_roots()
        if self.imported is None and (images or (change and self.photo_roots.refused)):
            self._has_new_roots = True
            self.photo_roots = choose_roots(config, images or (), change)
        self.objects, self._versions = ObjectCache.from_config(config), KnownVersions(self.folder)
        self.previews = self.make_previews(self.objects)
        self.downloads = DownloadCache(self.folder)
        self.thumbnails = ThumbnailCache(self.folder / "thumbnails", self.previews)

    def make_previews(self, files: ObjectCache | OutageGuard) -> PreviewCache:
        """Return the cache of previews, with what opens photos in buckets."""
        sizes = self.config.extraction.preview_size, self.config.extraction.max_megapixels
        return PreviewCache(self.folder / "previews", *sizes, files.provide_file)

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
        listing = list_all_photos(present, exclude, self.lists.read(), self.downloads, self.objects.reader)
        listing.unreadable += [labels[root] or str(root) for root in self.missing_roots]
        if self._has_new_roots:
            self._save_roots()
        self._left_out = listing.left_out
        if self.imported is not None:
            return listing.photos
        self.missing_drives = keep_missing_drives(self.folder, listing, labels, exclude, self.locate_file)
        self._drives = listing.drives
        unreadable = list_unreadable_photos(listing, self.roots, self.folder, self.locate_file)
        return [*listing.photos, *unreadable]

    def _has_photos(self, root: Path) -> bool:
        try:
            check_root(root, self.config)
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
        return Table(self.folder / name, self._memory.recall(KnownEntries) if self._memory else None)

    def recall(self, kind: type[T]) -> T:
        """Return the object of a class that is kept between datasets of this process; else a new one."""
        return self._memory.recall(kind) if self._memory else kind()

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
        return self.recall(KnownEntries).select(name, processed, self.photos) if processed else {}

    def count_waiting(self, name: str) -> int:
        """Count the photos that are new or have changed since a table's step was last run."""
        entries = self.open_table(name).read_processed()
        return sum(not is_entry_of(entries.get(photo.photo_id), photo) for photo in self.photos)

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
        if options.engine == "local":
            steps = [self.recall(ProcessorCache).keep_processor(step) for step in steps]
            if any(map(is_bucket, self.roots)):
                options = replace(options, transfers=self.config.downloads.concurrency)
        names = {table.name for step in steps for table in step.tables}
        hashes = {} if "clip" in names else read_known_hashes(self.open_table("clip"), self.photos)
        previews = self.make_previews(OutageGuard(self.objects))
        save_drives(self.folder, self._drives, keep_others=True)  # for a run that is interrupted
        try:
            summary = update_tables(steps, self.photos, previews, options, hashes)
        except BaseException:
            self.objects.reader.cancel()  # the program would wait for them before it ends
            raise
        self.thumbnails.prune(self.photos)
        summary.failed |= self._left_out | self._not_refreshed
        summary.downloaded, self._not_refreshed = downloaded, {}
        if self._paths is None:
            self._save_roots()
        save_drives(self.folder, self._drives)
        return summary

    @property
    def roots_note(self) -> str:
        """Lines about the folders of photos, if they are not those of the config or have changed."""
        return "" if self.imported else describe_roots(self.photo_roots, self.config.dataset.images)

    @property
    def undecided_note(self) -> str:
        """A line that says why the folders in the config are not used yet; empty if they are."""
        return "" if self.imported else describe_undecided(self.photo_roots)

    def describe_copies(self, folder: Path) -> str:
        """Return a note if copies in a folder become photos of the dataset; else an empty string."""
        return "" if self.imported else describe_copies(folder, self.photo_roots, self.config.dataset.exclude)

    def locate_file(self, path: str) -> Path:
        """Return the file at a photo's relative path; of one in a bucket its address: see `fetch_file`."""
        if is_download_path(path) and self.lists.lists:
            return self.downloads.locate(path)
        if ".." in path and path in (files := self.lists.read().files):
            return files[path]  # outside the folder of its list
        return locate_file(path, self.roots, self.photo_roots.labels)

    def fetch_file(self, file: Path) -> Path:
        """Return a file that can be opened: of an object in a bucket, its copy on the disk.

        Raises
        ------
        PhotoError
            If the object cannot be read, or the bucket does not answer.
        """
        if not is_bucket(file):
            return file
        photo = next(filter(None, map(self.find_photo, self.list_paths_of(file))), None)
        if photo is None:
            raise PhotoError("no photo of the dataset")
        return self.objects.fetch(photo)

    def list_paths_of(self, file: Path) -> set[str]:
        """Return the relative paths that a file can have as a photo of the dataset.

        There is one for the file as it is given, and one with links to its folder followed. There is none if
        the file is not below the folders of photos.
        """
        if self.lists.lists and (found := find_downloaded(file, self.lists.read(), self.downloads)):
            return found
        return list_relative_paths(file, self.roots, self.photo_roots.labels)

    def list_known_paths(self) -> list[str]:
        """List the paths of the photos in the tables, without reading the folders. Some may be gone."""
        for name in ("clip", "vit", "faces", "geo") if self.imported is None else ():
            if paths := Table(self.folder / name).list_paths():
                return paths
        return []

    def find_photo(self, path: str) -> Photo | None:
        """Return the photo at a relative path as it is on disk now, or None if there is none.

        One in a bucket is returned as it was when it was processed last.
        """
        file = self.locate_file(path)
        try:
            photo_id = compute_photo_id(path)
            if is_bucket(file):
                version = self._versions.find(photo_id)
                return Photo(photo_id, path, file, *version) if version else None
            status = file.stat()
        except (OSError, ValueError):  # a path given by a user or a file may be invalid
            return None
        return Photo(photo_id, path, file, status.st_size, status.st_mtime_ns)

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
