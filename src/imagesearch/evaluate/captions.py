"""How well captions find their photos, and photos their captions."""

from __future__ import annotations

import contextlib
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imagesearch.config import Config
from imagesearch.csv_files import check_fields, read_csv
from imagesearch.errors import UserError
from imagesearch.evaluate.metrics import CUTOFFS, compute_ranks, recall_at
from imagesearch.evaluate.temporary_collection import extract_vectors, list_left_out, make_evaluation_dataset
from imagesearch.features import ClipEncoder
from imagesearch.photos import locate_file, make_path_prefix
from imagesearch.pipeline import Dataset, PhotoProgress
from imagesearch.text_table import format_table

_TEXTS_A_BATCH = 64
_QUERIES_A_BLOCK = 1024
_WORST = 5  # on the terminal


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
        figures = {name.replace(" ", "_"): _compute_figures(found) for name, found in self.directions.items()}
        worst = [{"rank": rank, "caption": text, "path": path} for rank, text, path in self.worst]
        return {"model": self.model, "photos": self.photos, "captions": self.texts, **figures, "worst": worst}

    def __str__(self) -> str:
        rows = [
            [name, len(found), *(recall_at(found, k) for k in CUTOFFS), f"{np.median(found):g}"]
            for name, found in self.directions.items()
        ]
        lines = [format_table(["direction", "queries", *(f"R@{k}" for k in CUTOFFS), "median rank"], rows)]
        last = [line for line in self.worst[:_WORST] if line[0] > CUTOFFS[-1]]
        return "\n".join(lines + [f"found at {rank} only: {text!r}, {path}" for rank, text, path in last])


def _compute_figures(found: np.ndarray) -> dict[str, float]:
    return {f"recall@{k}": recall_at(found, k) for k in CUTOFFS} | {"median_rank": float(np.median(found))}


def evaluate_captions(config: Config, file: Path, progress: PhotoProgress | None = None) -> CaptionsReport:
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
    written = list(dict.fromkeys(path for path, _ in pairs))
    root, names = _find_common_root(config, file, written)
    if not names:
        raise UserError(f"{file}: none of its photos can be read: {written[0]}: no such photo")
    extracted = extract_vectors(
        make_evaluation_dataset(config, root, ("clip",), list(names.values())), ("clip",), progress
    )
    current = extracted.dataset.current_entries("clip")
    ids, images = extracted.dataset.table("clip").read_vectors(current.values())
    row_of = {current[key].path: i for i, key in enumerate(ids.tolist())}
    column = {path: row_of[name] for path, name in names.items() if name in row_of}
    missed = [
        f"{path}: {extracted.failed.get(names.get(path, ''), 'no such photo')}"
        for path in written
        if path not in column
    ]
    if not column:
        raise UserError(f"{file}: none of its photos can be read: {missed[0]}")
    used = [(path, text) for path, text in pairs if path in column]
    texts = list(dict.fromkeys(text for _, text in used))
    row = {text: i for i, text in enumerate(texts)}
    right = np.zeros((len(texts), len(images)), bool)
    for path, text in used:
        right[row[text], column[path]] = True
    vectors = _encode_texts(config, texts)
    to_images = _compute_ranks(vectors, images, right)
    paths = {row[text]: path for path, text in reversed(used)}
    worst = np.argsort(-to_images, kind="stable")[: 4 * _WORST].tolist()
    return CaptionsReport(
        config.models.clip,
        len(images),
        len(texts),
        to_images,
        _compute_ranks(images, vectors, right.T),
        tuple((int(to_images[i]), texts[i], paths[i]) for i in worst),
        (*notes, *list_left_out(missed)),
    )


def _read_pairs(file: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Return paths and captions, and what is to be said of lines that have none."""
    lines, columns = read_csv(file)
    if not {"path", "caption"} <= columns:
        raise UserError(f"{file}: columns path and caption are wanted in the first line")
    pairs, wrong = [], []
    for number, line in lines.items():
        path, text = ((line[name] or "").strip() for name in ("path", "caption"))
        try:
            check_fields(line)
        except UserError as error:
            wrong.append(f"line {number}: {error}")
            continue
        if path and text:
            pairs.append((unicodedata.normalize("NFC", path).replace("\\", "/"), text))
    if not pairs:
        raise UserError(f"{file}: {wrong[0] if wrong else 'no line has a path and a caption'}")
    return pairs, list_left_out(wrong, "line")


def _find_common_root(config: Config, file: Path, paths: Sequence[str]) -> tuple[Path, dict[str, str]]:
    """Return the folder that all photos are in, and where below it each written path is, if it is there."""
    dataset = Dataset(config)
    found = {path: place for path in paths if (place := _locate_photo(path, file.absolute().parent, dataset))}
    if not found:
        return Path(), {}
    root = Path(os.path.commonpath([place.parent for place in found.values()]))
    return root, {path: make_path_prefix(str(place), [root]) for path, place in found.items()}


def _locate_photo(path: str, folder: Path, dataset: Dataset) -> Path | None:
    """Return the file that is meant: of the whole path or one from a folder on, else the dataset's."""
    near = Path(os.path.normpath(folder / path))
    anchor = Path(near.anchor)
    for place in (locate_file(near.relative_to(anchor).as_posix(), [anchor]), dataset.locate_file(path)):
        with contextlib.suppress(OSError, ValueError):
            if place.is_file():
                return Path(os.path.normpath(place.absolute()))
    return None


def _encode_texts(config: Config, texts: list[str]) -> np.ndarray:
    models = config.models
    encoder = ClipEncoder(models.clip, models.device, models.precision)
    written = [config.search.template.replace("{text}", text) for text in texts]
    starts = range(0, len(written), _TEXTS_A_BATCH)
    return np.concatenate([encoder.encode_texts(written[i : i + _TEXTS_A_BATCH]) for i in starts])


def _compute_ranks(queries: np.ndarray, answers: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the rank of each query's best right answer, by blocks: all scores at once could be gigabytes."""
    starts = range(0, len(queries), _QUERIES_A_BLOCK)
    blocks = (slice(start, start + _QUERIES_A_BLOCK) for start in starts)
    return np.concatenate([compute_ranks(queries[block] @ answers.T, right[block]) for block in blocks])
