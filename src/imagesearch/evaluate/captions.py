"""How well captions find their photos, and photos their captions."""

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
from imagesearch.csv_files import check_fields, read_csv
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
from imagesearch.text_table import format_table

_TEXTS_PER_BATCH = 64
_QUERIES_PER_BLOCK = 1024
_MAX_WORST = 5  # captions that are named on the terminal


@dataclass(frozen=True)
class CaptionsReport:
    """Where the right answers stand in both directions.

    Attributes
    ----------
    model
        The CLIP.
    photos, texts
        How many different ones.
    text_to_image, image_to_text : (n,) int64
        Rank of the best right answer of each query, counted from 1.
    worst
        Captions that find their photo last: rank, caption, path.
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
        last = [line for line in self.worst[:_MAX_WORST] if line[0] > CUTOFFS[-1]]
        return "\n".join(lines + [f"found at {rank} only: {text!r}, {path}" for rank, text, path in last])


@dataclass(frozen=True)
class _ExtractedImages:
    """The photos that captions name.

    Attributes
    ----------
    vectors : (n, d) float32
        By CLIP, of each photo once.
    columns
        Row of `vectors` by path as it is written in the file; without photos that cannot be read.
    missed
        Paths that are not in `columns`, each with the reason.
    """

    vectors: np.ndarray
    columns: dict[str, int]
    missed: list[str]


def evaluate_captions(config: Config, file: Path, progress: Progress | None = None) -> CaptionsReport:
    """Let each caption search the photos, and each photo the captions, exactly.

    The captions are encoded with ``search.template`` around them, as ``--strategy semantic`` does. A photo
    with several captions counts by the best of them, and photos with the same caption are all right for it.

    Parameters
    ----------
    config
        Names the CLIP.
    file
        A CSV with columns ``path`` and ``caption``, a line a pair; paths absolute, relative to the file's
        folder, or as the config's dataset has them.
    progress
        For a progress bar.

    Raises
    ------
    UserError
        If the file cannot be read, or none of its photos can.
    """
    pairs, notes = _read_pairs(file)
    images = _extract_images(config, file, list(dict.fromkeys(path for path, _ in pairs)), progress)
    pairs = [(path, text) for path, text in pairs if path in images.columns]
    texts = list(dict.fromkeys(text for _, text in pairs))
    row_of = {text: i for i, text in enumerate(texts)}
    relevant = np.zeros((len(texts), len(images.vectors)), bool)
    for path, text in pairs:
        relevant[row_of[text], images.columns[path]] = True
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
        worst=tuple((int(text_to_image[row_of[text]]), text, first_paths[text]) for text in worst),
        notes=(*notes, *format_left_out(images.missed)),
    )


def _compute_metrics(ranks: np.ndarray) -> dict[str, float]:
    recalls = {f"recall@{k}": compute_recall_at(ranks, k) for k in CUTOFFS}
    return recalls | {"median_rank": float(np.median(ranks))}


def _extract_images(
    config: Config, file: Path, paths: Sequence[str], progress: Progress | None
) -> _ExtractedImages:
    """Extract the CLIP vectors of the photos that a file names."""
    root, names = _find_common_root(config, file, paths)
    if not names:
        raise UserError(f"{file}: none of its photos can be read: {paths[0]}: no such photo")
    dataset = make_evaluation_dataset(config, root, ("clip",), list(names.values()))
    failed = extract_vectors(dataset, ("clip",), progress).failed
    current = dataset.read_current_entries("clip")
    ids, vectors = dataset.open_table("clip").read_vectors(current.values())
    row_of = {current[key].path: i for i, key in enumerate(ids.tolist())}
    columns = {path: row_of[name] for path, name in names.items() if name in row_of}
    missed = _describe_missed(paths, names, columns, failed)
    if not columns:
        raise UserError(f"{file}: none of its photos can be read: {missed[0]}")
    return _ExtractedImages(vectors, columns, missed)


def _describe_missed(
    paths: Sequence[str], names: Mapping[str, str], columns: Mapping[str, int], failed: Mapping[str, str]
) -> list[str]:
    """Return the paths that have no vector, each with the reason."""
    missed = [path for path in paths if path not in columns]
    return [f"{path}: {failed.get(names.get(path, ''), 'no such photo')}" for path in missed]


def _read_pairs(file: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Return paths and captions, and notes of the lines that cannot be used."""
    lines, columns = read_csv(file)
    if not {"path", "caption"} <= columns:
        raise UserError(f"{file}: columns path and caption are wanted in the first line")
    pairs, unusable = [], []
    for number, line in lines.items():
        path, text = ((line[name] or "").strip() for name in ("path", "caption"))
        try:
            check_fields(line)
        except UserError as error:
            unusable.append(f"line {number}: {error}")
            continue
        if path and text:
            pairs.append((unicodedata.normalize("NFC", path).replace("\\", "/"), text))
    if not pairs:
        raise UserError(f"{file}: {unusable[0] if unusable else 'no line has a path and a caption'}")
    return pairs, format_left_out(unusable, "line")


def _find_common_root(config: Config, file: Path, paths: Sequence[str]) -> tuple[Path, dict[str, str]]:
    """Return the folder that all photos are in, and where below it each written path is, if it is there."""
    dataset = Dataset(config)
    folder = file.absolute().parent
    found = {path: photo for path in paths if (photo := _locate_photo(path, folder, dataset))}
    if not found:
        return Path(), {}
    root = Path(os.path.commonpath([photo.parent for photo in found.values()]))
    return root, {path: make_path_prefix(str(photo), [root]) for path, photo in found.items()}


def _locate_photo(path: str, folder: Path, dataset: Dataset) -> Path | None:
    """Return the file that a path means: from the root or from a folder on, else the dataset's."""
    near = Path(os.path.normpath(folder / path))
    anchor = Path(near.anchor)
    for file in (locate_file(near.relative_to(anchor).as_posix(), [anchor]), dataset.locate_file(path)):
        with contextlib.suppress(OSError, ValueError):
            if file.is_file():
                return Path(os.path.normpath(file.absolute()))
    return None


def _encode_texts(config: Config, texts: Sequence[str]) -> np.ndarray:
    models = config.models
    encoder = ClipEncoder(models.clip, models.device, models.precision)
    prompts = [config.search.template.replace("{text}", text) for text in texts]
    starts = range(0, len(prompts), _TEXTS_PER_BATCH)
    return np.concatenate([encoder.encode_texts(prompts[i : i + _TEXTS_PER_BATCH]) for i in starts])


def _compute_ranks_in_blocks(queries: np.ndarray, items: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Return the rank of each query's first relevant item; all scores at once could be gigabytes."""
    starts = range(0, len(queries), _QUERIES_PER_BLOCK)
    blocks = (slice(start, start + _QUERIES_PER_BLOCK) for start in starts)
    return np.concatenate([compute_ranks(queries[block] @ items.T, relevant[block]) for block in blocks])
