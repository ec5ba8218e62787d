"""How well captions find their photos, and photos their captions."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imagesearch.config import Config
from imagesearch.csvfile import read_csv
from imagesearch.dataset import Dataset
from imagesearch.encoders import ClipEncoder
from imagesearch.errors import UserError
from imagesearch.metrics import ranks, recall_at
from imagesearch.scratch import extract
from imagesearch.steps import PhotoProgress
from imagesearch.tabular import table

CUTOFFS = (1, 5, 10)
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
        figures = {name.replace(" ", "_"): _figures(found) for name, found in self.directions.items()}
        worst = [{"rank": rank, "caption": text, "path": path} for rank, text, path in self.worst]
        return {"model": self.model, "photos": self.photos, "captions": self.texts, **figures, "worst": worst}

    def __str__(self) -> str:
        rows = [
            [name, len(found), *(recall_at(found, k) for k in CUTOFFS), f"{np.median(found):g}"]
            for name, found in self.directions.items()
        ]
        lines = [table(["direction", "queries", *(f"R@{k}" for k in CUTOFFS), "median rank"], rows)]
        last = [line for line in self.worst[:_WORST] if line[0] > CUTOFFS[-1]]
        return "\n".join(lines + [f"found at {rank} only: {text!r}, {path}" for rank, text, path in last])


def _figures(found: np.ndarray) -> dict[str, float]:
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
        A CSV with columns ``path`` and ``caption``, a line a pair; paths relative to the file's folder, or
        as the config's dataset has them.
    progress
        For a progress bar.

    Raises
    ------
    UserError
        If the file cannot be read, or none of its photos can.
    """
    pairs = _read_pairs(file)
    folder = _folder_of(config, file, [path for path, _ in pairs])
    wanted = sorted({path for path, _ in pairs})
    extracted = extract(config, folder, ("clip",), paths=wanted, progress=progress)
    current = extracted.dataset.current("clip")
    ids, images = extracted.dataset.table("clip").vectors(current.values())
    column = {current[key].path: i for i, key in enumerate(ids.tolist())}
    used = [(path, text) for path, text in pairs if path in column]
    if not used:
        raise UserError(f"{file}: none of its photos can be read: {_reason(wanted[0], extracted.failed)}")
    missed = [path for path in wanted if path not in column]
    notes = [f"left out: {path}: {_reason(path, extracted.failed)}" for path in missed[:10]]
    notes += [f"left out: and {len(missed) - 10} more photos"] if len(missed) > 10 else []
    texts = list(dict.fromkeys(text for _, text in used))
    row = {text: i for i, text in enumerate(texts)}
    right = np.zeros((len(texts), len(images)), bool)
    for path, text in used:
        right[row[text], column[path]] = True
    vectors = _encode(config, texts)
    to_images = _ranks(vectors, images, right)
    paths = {row[text]: path for path, text in reversed(used)}
    worst = np.argsort(-to_images, kind="stable")[: 4 * _WORST].tolist()
    return CaptionsReport(
        config.models.clip,
        len(images),
        len(texts),
        to_images,
        _ranks(images, vectors, right.T),
        tuple((int(to_images[i]), texts[i], paths[i]) for i in worst),
        tuple(notes),
    )


def _read_pairs(file: Path) -> list[tuple[str, str]]:
    lines, columns = read_csv(file)
    if not {"path", "caption"} <= columns:
        raise UserError(f"{file}: columns path and caption are wanted in the first line")
    pairs = [((line["path"] or "").strip(), (line["caption"] or "").strip()) for line in lines]
    pairs = [(unicodedata.normalize("NFC", path).replace("\\", "/"), text) for path, text in pairs]
    pairs = [(path.removeprefix("./").lstrip("/"), text) for path, text in pairs if path and text]
    if not pairs:
        raise UserError(f"{file}: no line has a path and a caption")
    return pairs


def _folder_of(config: Config, file: Path, paths: list[str]) -> Path:
    """Return the folder that the paths start from: the one in which most of them are."""
    own = Dataset(config).roots
    # the root of the disk is that of absolute paths
    folders = [file.absolute().parent, *(own if len(own) == 1 else []), Path(file.absolute().anchor)]
    return max(folders, key=lambda folder: sum((folder / path).is_file() for path in paths))


def _reason(path: str, failed: dict[str, str]) -> str:
    return failed.get(path, "no such photo")


def _encode(config: Config, texts: list[str]) -> np.ndarray:
    models = config.models
    encoder = ClipEncoder(models.clip, models.device, models.precision)
    written = [config.search.template.replace("{text}", text) for text in texts]
    starts = range(0, len(written), _TEXTS_A_BATCH)
    return np.concatenate([encoder.encode_texts(written[i : i + _TEXTS_A_BATCH]) for i in starts])


def _ranks(queries: np.ndarray, answers: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the rank of each query's best right answer, by blocks: all scores at once could be gigabytes."""
    starts = range(0, len(queries), _QUERIES_A_BLOCK)
    blocks = (slice(start, start + _QUERIES_A_BLOCK) for start in starts)
    return np.concatenate([ranks(queries[block] @ answers.T, right[block]) for block in blocks])
