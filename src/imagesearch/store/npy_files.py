"""Reads vectors of another program: a .npy matrix, and a text file with the path of the photo of each row."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from imagesearch.config import Config
from imagesearch.errors import UserError, describe_error
from imagesearch.photos import locate_file, normalize_file_name
from imagesearch.pipeline import Progress
from imagesearch.text_table import format_count

_FLOAT_BYTES = (2, 4, 8)
_MAX_DIMENSION = 32_768  # the limit of Milvus
_BATCH_ROWS = 2_048
# Norms closer to 1 than the first are reported as 1, and vectors closer than the second are stored unchanged:
# float32 rounds the norm of a unit vector by about 1e-7, float16 by about 1e-4.
_UNIT_TOLERANCE = 1e-3
_ROUNDING_TOLERANCE = 1e-6
# Number of listed paths by which the folder is chosen that the relative ones belong to.
_SAMPLED_PATHS = 200


@dataclass(frozen=True)
class NpyVectors:
    """The vectors and paths of another program.

    Attributes
    ----------
    file, paths_file : Path
        The two files.
    matrix : (n, d) float16, float32 or float64
        Memory-mapped; of any length, see `scale_to_unit`.
    root : Path
        The folder that contains all photos.
    paths : list of n str
        The photos, relative to the root, in Unicode NFC.
    missing : list of str
        Those of the paths for which there is no file.
    digest : str
        A digest of the matrix.
    off_unit : int
        Number of vectors that are not of unit length, without those that cannot be used.
    norms : tuple of float
        The smallest and the largest norm of these vectors.
    base_note : str
        Which folder relative paths belong to, if it is not the folder of the paths file.
    """

    file: Path
    paths_file: Path
    matrix: np.ndarray
    root: Path
    paths: list[str]
    missing: list[str]
    digest: str
    off_unit: int
    norms: tuple[float, float]
    base_note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {"missing": self.missing, "not_unit": {"vectors": self.off_unit, "norms": self.norms}}

    @property
    def notes(self) -> list[str]:
        """Remarks for the user, one line each."""
        notes = [self.base_note]
        if self.off_unit:
            low, high = self.norms
            notes.append(
                f"{self.file}: {self.off_unit:,} of {format_count(len(self.paths), 'vector')} "
                f"{'is' if self.off_unit == 1 else 'are'} not of unit length "
                f"(norms {low:.3g} to {high:.3g}); they are normalised"
            )
        if self.missing:
            notes.append(
                f"{self.paths_file}: {len(self.missing):,} of {format_count(len(self.paths), 'photo')} "
                f"{'does' if len(self.missing) == 1 else 'do'} not exist "
                f"below {self.root}; a search finds them, but cannot show them"
            )
        return [note for note in notes if note]


def read_npy_vectors(
    config: Config, file: Path, paths_file: Path, progress: Progress | None = None
) -> NpyVectors:
    """Open a matrix of vectors, and read and check the list of its photos.

    Relative paths belong to the folder in which most of them exist: the folder of the list, the folders of
    photos in the config, or the current folder; if none exists, to the folder of the list.

    Parameters
    ----------
    config
        Names the folders of photos.
    file
        A .npy file with one vector per row.
    paths_file
        A UTF-8 text file with one path per line.
    progress
        Shows the photos and vectors that are read.

    Raises
    ------
    UserError
        If a file cannot be read or is not in this format, or the numbers of rows and lines differ.
    """
    matrix = _open_matrix(file)
    listed = _read_lines(paths_file)
    _check_counts(file, matrix, paths_file, listed)
    files, base_note = _locate_photos(config, paths_file, listed)
    root = os.path.commonpath({os.path.dirname(name) for name in files})  # noqa: PTH120 - 20 times as fast
    paths = [normalize_file_name(os.path.relpath(name, root)) for name in files]
    _check_duplicates(paths_file, paths)
    missing = _find_missing(paths, Path(root), progress)
    digest, norms = _scan_matrix(matrix, progress)
    usable = np.isfinite(norms) & (norms > 0)
    if not usable.any():
        raise UserError(f"{file}: every vector is zero or not finite")
    off = norms[usable & (abs(norms - 1) > _UNIT_TOLERANCE)]
    return NpyVectors(
        file,
        paths_file,
        matrix,
        Path(root),
        paths,
        missing,
        digest,
        off_unit=len(off),
        norms=(float(off.min()), float(off.max())) if len(off) else (1.0, 1.0),
        base_note=base_note,
    )


def scale_to_unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors as (n, d) float32 of unit length; zero vectors and those not finite are not scaled.

    Vectors whose length differs from 1 only by rounding are returned unchanged.
    """
    norms = _compute_norms(vectors)
    keeps = ~np.isfinite(norms) | (norms == 0) | (abs(norms - 1) <= _ROUNDING_TOLERANCE)
    with np.errstate(all="ignore"):  # for rows that are not finite
        if not keeps.all():
            vectors = vectors / np.where(keeps, 1, norms)[:, np.newaxis]
        return np.asarray(vectors, np.float32)


# --- the matrix --------------------------------------------------------------------------------------------


def _open_matrix(file: Path) -> np.ndarray:
    """Return the matrix in a .npy file, memory-mapped."""
    try:
        matrix = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        # for a file of another format NumPy advises to load it as a pickle, which can run code
        reason = "another format" if "pickle" in str(error) else describe_error(error)
        raise UserError(
            f"{file}: not a .npy file of numbers ({reason}); np.save(file, vectors) writes one"
        ) from None
    if not isinstance(matrix, np.ndarray):
        raise UserError(f"{file}: an archive of several arrays; save one of them with np.save(file, vectors)")
    shape = " x ".join(map(str, matrix.shape))
    if matrix.ndim != 2:
        raise UserError(
            f"{file}: expected a matrix with one vector per row, got an array of {matrix.ndim} dimensions "
            f"({shape})"
        )
    if matrix.dtype.kind != "f" or matrix.dtype.itemsize not in _FLOAT_BYTES:
        raise UserError(f"{file}: expected float16, float32 or float64, got {matrix.dtype}")
    if not len(matrix) or not 2 <= matrix.shape[1] <= _MAX_DIMENSION:
        raise UserError(
            f"{file}: expected at least one vector of 2 to {_MAX_DIMENSION:,} dimensions, got {shape}"
        )
    return matrix


def _scan_matrix(matrix: np.ndarray, progress: Progress | None) -> tuple[str, np.ndarray]:
    """Return a digest of a matrix, and the norm of each row."""
    digest = hashlib.blake2b(f"{matrix.shape} {matrix.dtype.str}".encode(), digest_size=8)
    norms = np.empty(len(matrix))

    def scan() -> Iterator[int]:
        for start in range(0, len(matrix), _BATCH_ROWS):
            batch = np.ascontiguousarray(matrix[start : start + _BATCH_ROWS])
            digest.update(batch.view(np.uint8))
            norms[start : start + len(batch)] = _compute_norms(batch)
            yield from range(start, start + len(batch))

    _run(scan(), len(matrix), "vectors", progress)
    return digest.hexdigest(), norms


def _compute_norms(vectors: np.ndarray) -> np.ndarray:
    """Return the norm of each row as float64, without a copy of the matrix."""
    with np.errstate(all="ignore"):
        return np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))


# --- the list ----------------------------------------------------------------------------------------------


def _read_lines(file: Path) -> list[str]:
    """Return the lines of a text file without their ends; blanks at the end of a line belong to its path."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror})") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{file}: line {line} is not valid UTF-8; save the list as UTF-8") from None
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            raise UserError(f"{file}: line {number} is blank; expected the path of a photo")
        if "\0" in line:
            raise UserError(f"{file}: line {number} is not a path: it contains a NUL character")
    return lines


def _check_counts(file: Path, matrix: np.ndarray, paths_file: Path, lines: Sequence[str]) -> None:
    rows, dimension, count = *matrix.shape, len(lines)
    if rows == count:
        return
    if dimension == count:
        reason = "the matrix seems to be transposed; save it with np.save(file, matrix.T)"
    elif count > rows:
        reason = f"line {rows + 1} has no vector"
    else:
        reason = f"row {count + 1} has no path: line {count + 1} is missing"
    raise UserError(
        f"{paths_file}: {format_count(count, 'path')}, but {file} has {format_count(rows, 'vector')} of "
        f"{dimension:,} dimensions; "
        f"{reason}"
    )


def _check_duplicates(paths_file: Path, paths: Sequence[str]) -> None:
    if len(set(paths)) == len(paths):
        return
    first_lines: dict[str, int] = {}
    for number, path in enumerate(paths, 1):
        if path in first_lines:
            raise UserError(
                f"{paths_file}: line {number} has the same path as line {first_lines[path]}: {path}"
            )
        first_lines[path] = number


def _locate_photos(config: Config, paths_file: Path, lines: Sequence[str]) -> tuple[list[str], str]:
    """Return the absolute path of each photo, and a note on the folder that relative paths belong to."""
    is_relative = [not os.path.isabs(line) for line in lines]  # noqa: PTH117 - for a million lines
    relative = [line for line, flag in zip(lines, is_relative, strict=True) if flag]
    own, roots = str(paths_file.absolute().parent), list(config.dataset.images)
    images, here = ", ".join(map(str, roots)), str(Path.cwd())
    locators: dict[str, Callable[[str], str]] = {name: partial(os.path.join, name) for name in (own, here)}
    # With several roots a path starts with the name of its root; `01 --export-npy` writes such paths.
    locators[images] = partial(os.path.join, images) if len(roots) == 1 else partial(_locate_below, roots)
    sample = relative[:: max(1, len(relative) // _SAMPLED_PATHS)]
    counts = {name: sum(map(_is_file, map(locators[name], sample))) for name in (own, images, here)}
    base = max(counts, key=lambda name: counts[name])  # the first one if several have the same count
    locate = locators[base]
    files = [
        os.path.abspath(locate(line) if flag else line)  # noqa: PTH100 - for a million lines
        for line, flag in zip(lines, is_relative, strict=True)
    ]
    shown = base.removeprefix(f"{here}/")
    return files, "" if base == own else f"{paths_file}: the paths are relative to {shown}"


def _is_file(name: str) -> bool:
    return os.path.isfile(name)  # noqa: PTH113 - Path.is_file raises an error for a name that is too long


def _locate_below(roots: Sequence[Path], path: str) -> str:
    return str(locate_file(path, roots))


def _find_missing(paths: Sequence[str], root: Path, progress: Progress | None) -> list[str]:
    """Return the paths for which there is no file, whatever the Unicode form of its name.

    Each folder is listed once. On a network drive this is much faster than a request for each file.
    """
    missing: list[str] = []

    def is_file(entry: os.DirEntry[str]) -> bool:
        try:
            return entry.is_file()
        except OSError:  # a link to itself
            return False

    @functools.cache
    def list_names(folder: str) -> frozenset[str]:
        try:
            with os.scandir(locate_file(folder, [root])) as entries:
                return frozenset(normalize_file_name(entry.name) for entry in entries if is_file(entry))
        except OSError:
            return frozenset()

    def check() -> Iterator[str]:
        for path in paths:
            folder, _, name = path.rpartition("/")
            if name not in list_names(folder):
                missing.append(path)
            yield path

    _run(check(), len(paths), "photos", progress)
    return missing


def _run(items: Iterator[object], total: int, label: str, progress: Progress | None) -> None:
    """Take all items, and show their progress."""
    for _ in progress(items, total, label=label) if progress else items:
        pass
