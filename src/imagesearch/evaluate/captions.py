"""Caption retrieval: captions search photos and photos search captions, by recall@k and median rank."""

from __future__ import annotations

import contextlib
import os
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imagesearch.config import Config
from imagesearch.csv_files import read_csv, use_lines
from imagesearch.errors import UserError
from imagesearch.evaluate.metrics import CUTOFFS, compute_ranks, compute_recall_at
from imagesearch.evaluate.temporary_collection import (
    extract_vectors,
    format_left_out,
    make_evaluation_dataset,
)
from imagesearch.features import ClipEncoder
from imagesearch.photos import locate_file, make_path_prefix
from imagesearch.pipeline import Dataset, Progress
from imagesearch.text_table import format_count, format_table

_TEXTS_PER_BATCH = 64
_QUERIES_PER_BLOCK = 1024
_MAX_REASONS = 4  # maximum number of lines named in an error
_MAX_WORST = 5  # maximum number of captions listed on the terminal


@dataclass(frozen=True)
class CaptionsReport:
    """Results of caption retrieval in both directions.

    Attributes
    ----------
    model
        Name of the CLIP model.
    photos, texts
        Numbers of distinct photos and captions.
    text_to_image, image_to_text : (n,) int64
        Rank of the first relevant result of each query, counted from 1.
    worst
        The captions with the lowest-ranked photos: rank, caption, path.
    notes
        What was left out, one line each.
    """

    model: str
    photos: int
    texts: int
    text_to_image: np.ndarray
    image_to_text: np.ndarray
    worst: tuple[tuple[int, str, str], ...]
    notes: tuple[str, ...] = ()

    @property
    def directions(self) -> dict[str, np.ndarray]:
        """The ranks by direction."""
        return {"text to image": self.text_to_image, "image to text": self.image_to_text}

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        metrics = {name.replace(" ", "_"): _compute_metrics(ranks) for name, ranks in self.directions.items()}
        worst = [{"rank": rank, "caption": text, "path": path} for rank, text, path in self.worst]
        return {"model": self.model, "photos": self.photos, "captions": self.texts, **metrics, "worst": worst}

    def __str__(self) -> str:
        rows = [
            [name, len(ranks), *(compute_recall_at(ranks, k) for k in CUTOFFS), f"{np.median(ranks):g}"]
            for name, ranks in self.directions.items()
        ]
        lines = [format_table(["direction", "queries", *(f"R@{k}" for k in CUTOFFS), "median rank"], rows)]
        worst = [entry for entry in self.worst[:_MAX_WORST] if entry[0] > CUTOFFS[-1]]
        return "\n".join(
            lines + [f"found only at rank {rank}: {text!r}, {path}" for rank, text, path in worst]
        )


@dataclass(frozen=True)
class _ExtractedImages:
    """The photos of a captions file.

    Attributes
    ----------
    vectors : (n, d) float32
        CLIP vectors, one for each distinct photo.
    row_by_path
        The row of `vectors` for each path as written in the file. Photos that cannot be read have no entry.
    missing
        Paths without an entry in `row_by_path`, each with the reason.
    """

    vectors: np.ndarray
    row_by_path: dict[str, int]
    missing: list[str]


def evaluate_captions(config: Config, file: Path, progress: Progress | None = None) -> CaptionsReport:
    """Measure caption retrieval: each caption searches the photos and each photo the captions, exactly.

    Captions are encoded with ``search.template`` around them, as ``--strategy semantic`` does. If a photo has
    several captions, the rank of the first one counts. If several photos have the same caption, all of them
    are relevant to it.

    Parameters
    ----------
    config
        Provides the CLIP model and the dataset.
    file
        A CSV file with the columns ``path`` and ``caption``, one pair per line. A path is absolute, relative
        to the file's folder, or as stored in the dataset.
    progress
        Optional; shows the progress of the extraction.

    Raises
    ------
    UserError
        If the file cannot be read, or none of its photos can be read.
    """
    pairs, unusable = _read_pairs(file)
    images = _extract_images(config, file, list(dict.fromkeys(path for path, _ in pairs)), progress)
    left_out = [*unusable, *images.missing]
    if not images.row_by_path:
        raise UserError(f"{file}: none of its photos can be read: {_join_reasons(left_out)}")
    pairs = [(path, text) for path, text in pairs if path in images.row_by_path]
    texts = list(dict.fromkeys(text for _, text in pairs))
    row_by_text = {text: i for i, text in enumerate(texts)}
    relevant = np.zeros((len(texts), len(images.vectors)), bool)
    for path, text in pairs:
        relevant[row_by_text[text], images.row_by_path[path]] = True
    text_vectors = _encode_texts(config, texts)
    text_to_image = _compute_ranks_in_blocks(text_vectors, images.vectors, relevant)
    first_paths = {text: path for path, text in reversed(pairs)}
    worst = [texts[i] for i in np.argsort(-text_to_image, kind="stable")[: 4 * _MAX_WORST].tolist()]
    return CaptionsReport(
        model=config.models.clip,
        photos=len(images.vectors),
        texts=len(texts),
        text_to_image=text_to_image,
        image_to_text=_compute_ranks_in_blocks(images.vectors, text_vectors, relevant.T),
        worst=tuple((int(text_to_image[row_by_text[text]]), text, first_paths[text]) for text in worst),
        notes=tuple(format_left_out(left_out, "line")),
    )


def _compute_metrics(ranks: np.ndarray) -> dict[str, float]:
    recalls = {f"recall@{k}": compute_recall_at(ranks, k) for k in CUTOFFS}
    return recalls | {"median_rank": float(np.median(ranks))}


def _extract_images(
    config: Config, file: Path, paths: Sequence[str], progress: Progress | None
) -> _ExtractedImages:
    """Extract the CLIP vectors of the photos of a captions file."""
    root, names = _find_common_root(config, file, paths)
    if not names:
        return _ExtractedImages(np.empty((0, 0), np.float32), {}, _describe_missing(paths, names, {}, {}))
    dataset = make_evaluation_dataset(config, root, ("clip",), list(names.values()))
    failed = extract_vectors(dataset, ("clip",), progress).failed
    current = dataset.read_current_entries("clip")
    ids, vectors = dataset.open_table("clip").read_vectors(current.values())
    row_of = {current[key].path: i for i, key in enumerate(ids.tolist())}
    row_by_path = {path: row_of[name] for path, name in names.items() if name in row_of}
    missing = _describe_missing(paths, names, row_by_path, failed)
    return _ExtractedImages(vectors, row_by_path, missing)


def _describe_missing(
    paths: Sequence[str], names: Mapping[str, str], row_by_path: Mapping[str, int], failed: Mapping[str, str]
) -> list[str]:
    """Return the paths that have no vector, each with the reason."""
    missing = [path for path in paths if path not in row_by_path]
    return [f"{path}: {failed.get(names.get(path, ''), 'no such photo')}" for path in missing]


def _read_pairs(file: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the pairs of path and caption, and the lines that cannot be used, each with the reason."""
    lines, columns = read_csv(file)
    if not {"path", "caption"} <= columns:
        raise UserError(f"{file}: expected the columns path and caption in the first line")
    pairs: list[tuple[str, str]] = []

    def add_pair(line: dict[str, Any]) -> None:
        path, text = ((line[name] or "").strip() for name in ("path", "caption"))
        if not (path and text):
            raise UserError(f"{path} has no caption" if path else "no path")
        pairs.append((unicodedata.normalize("NFC", path).replace("\\", "/"), text))

    unusable = [f"{line}: {reason}" for line, reason in use_lines(lines, add_pair).items()]
    if not pairs:
        reasons = f": {_join_reasons(unusable)}" if unusable else ""
        raise UserError(f"{file}: no line has a path and a caption{reasons}")
    return pairs, unusable


def _join_reasons(reasons: Sequence[str]) -> str:
    """Return the first reasons and the number of others, for one line."""
    rest = len(reasons) - _MAX_REASONS
    return "; ".join(
        [*reasons[:_MAX_REASONS], *([f"and {format_count(rest, 'more line')}"] if rest > 0 else [])]
    )


def _find_common_root(config: Config, file: Path, paths: Sequence[str]) -> tuple[Path, dict[str, str]]:
    """Return the deepest folder that contains all photos, and their paths in it by the paths as written."""
    dataset = Dataset(config)
    folder = file.absolute().parent
    found = {path: photo for path in paths if (photo := _locate_photo(path, folder, dataset))}
    if not found:
        return Path(), {}
    root = Path(os.path.commonpath([photo.parent for photo in found.values()]))
    return root, {path: make_path_prefix(str(photo), [root]) for path, photo in found.items()}


def _locate_photo(path: str, folder: Path, dataset: Dataset) -> Path | None:
    """Return the file of a path, which is absolute, relative to a folder, or in the dataset."""
    absolute = Path(os.path.normpath(folder / path))
    anchor = Path(absolute.anchor)
    for file in (locate_file(absolute.relative_to(anchor).as_posix(), [anchor]), dataset.locate_file(path)):
        with contextlib.suppress(OSError, ValueError):
            if file.is_file():
                return Path(os.path.normpath(file.absolute()))
    return None


def _encode_texts(config: Config, texts: Sequence[str]) -> np.ndarray:
    encoder = ClipEncoder.from_config(config.models)
    prompts = [config.search.template.replace("{text}", text) for text in texts]
    starts = range(0, len(prompts), _TEXTS_PER_BATCH)
    return np.concatenate([encoder.encode_texts(prompts[i : i + _TEXTS_PER_BATCH]) for i in starts])


def _compute_ranks_in_blocks(queries: np.ndarray, items: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Return the rank of each query's first relevant item; in blocks, as all scores can take gigabytes."""
    starts = range(0, len(queries), _QUERIES_PER_BLOCK)
    blocks = (slice(start, start + _QUERIES_PER_BLOCK) for start in starts)
    return np.concatenate([compute_ranks(queries[block] @ items.T, relevant[block]) for block in blocks])
