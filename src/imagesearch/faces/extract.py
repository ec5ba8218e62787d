"""Step 02, first part: detects the faces in all photos; writes and reads the table ``faces``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagesearch.config import Config
from imagesearch.faces.detector import DetectedFace, FaceDetector, get_pack_id
from imagesearch.photos import DecodedPhoto, Photo, compute_photo_id
from imagesearch.pipeline import (
    BatchOutput,
    Dataset,
    ProcessedPhoto,
    Progress,
    StepSpec,
    StepSummary,
    count_cores,
    make_vector_column,
)

# The table also has detections with low scores, so that faces.min_score can be changed without processing
# every photo again, unless it is lower than this.
_MIN_STORED_SCORE = 0.3
_FACE_COLUMNS = ("photo_id", "face", "box", "score", "embedding")  # that are read again
# Maximum number of photos in which faces are detected at the same time. Each takes about 100 MB with a
# full-size pack: see benchmarks/README.md, "Detection of faces".
_MAX_IN_FLIGHT = 8


@dataclass(frozen=True)
class FaceTable:
    """The faces of a dataset's photos, sorted by photo; within a photo, the largest first.

    Attributes
    ----------
    ids, photo_ids : (n,) int64
        Ids of the faces and of their photos; see `compute_face_id`.
    positions : (n,) int64
        The position of each face among all detections in its photo, from 0.
    boxes : (n, 4) float32
        Left, top, right, bottom in pixels of the upright photo.
    scores : (n,) float32
        Scores of the detector, 0 to 1.
    vectors : (n, d) float32
        Embeddings, of unit length.
    processed : dict
        The entry of each processed photo, by photo id.
    """

    ids: np.ndarray
    photo_ids: np.ndarray
    positions: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    vectors: np.ndarray
    processed: dict[int, ProcessedPhoto]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def sizes(self) -> np.ndarray:
        """The shorter side of each box in pixels, (n,) float32."""
        return (self.boxes[:, 2:] - self.boxes[:, :2]).min(axis=1, initial=np.inf)

    def get_photo(self, row: int) -> ProcessedPhoto:
        """Return the entry of a face's photo."""
        return self.processed[int(self.photo_ids[row])]


def detect_faces(
    config: Config,
    dataset: Dataset,
    *,
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> StepSummary:
    """Bring the table ``faces`` up to date with a dataset's photos.

    Parameters
    ----------
    config
        Gives the pack and the sizes.
    dataset
        The dataset to update.
    retry_failed, progress
        See `imagesearch.pipeline.Dataset.update_tables`.

    Raises
    ------
    UserError
        If the pack or a root of the dataset cannot be found, or another run is writing the table.
    """
    dataset.refuse_imported()
    _ = dataset.photos  # reports a missing folder before a missing pack
    table, fingerprint = dataset.open_table("faces"), _make_fingerprint(config)
    settings, uses_gpu = config.for_workers, config.models.device in ("auto", "cuda")
    step = StepSpec(
        "faces",
        (table,),
        fingerprint,
        partial(_FaceProcessor, settings),
        partial(_make_fingerprint, settings),
        uses_gpu,
    )
    return dataset.update_tables([step], retry_failed=retry_failed, progress=progress)


def read_faces(dataset: Dataset) -> FaceTable:
    """Return the faces of a dataset's photos whose score is at least ``faces.min_score``."""
    return dataset.recall(_KnownFaces).update(dataset, dataset.read_current_entries("faces"))


class _KnownFaces:
    """The faces that were read last: only those of photos that are new or have changed are read again."""

    def __init__(self) -> None:
        self._current: dict[int, ProcessedPhoto] = {}
        self._rows: pa.Table | None = None
        self._faces: FaceTable | None = None

    def update(self, dataset: Dataset, current: dict[int, ProcessedPhoto]) -> FaceTable:
        """Return the faces of these photos; the same table for the same dict."""
        if self._faces is None or self._faces.processed is not current:
            changed = [entry for photo, entry in current.items() if self._current.get(photo) is not entry]
            rows = _read_rows(dataset, changed)
            if self._rows is not None:
                kept = np.array(list(current.keys() - {entry.photo_id for entry in changed}), np.int64)
                old = self._rows.filter(np.isin(self._rows["photo_id"].to_numpy(), kept))
                rows = old if rows is None else pa.concat_tables([old, rows])
            if rows is not None:
                order = np.lexsort((rows["face"].to_numpy(), rows["photo_id"].to_numpy()))
                rows = rows.take(order).combine_chunks()
            self._current, self._rows, self._faces = current, rows, _make_face_table(rows, current)
        return self._faces


def _read_rows(dataset: Dataset, entries: Sequence[ProcessedPhoto]) -> pa.Table | None:
    """Return the rows of faces with a sufficient score, with the ids of the faces; None if there are none."""
    table = dataset.open_table("faces").read_rows(entries, _FACE_COLUMNS)
    if table is None or "face" not in table.column_names:
        return None
    table = table.filter(pc.greater_equal(table["score"], dataset.config.faces.min_score))
    pairs = zip(table["photo_id"].to_pylist(), table["face"].to_pylist(), strict=True)
    ids = pa.array([compute_face_id(*pair) for pair in pairs], pa.int64())
    return table.append_column("face_id", ids)


def _make_face_table(rows: pa.Table | None, current: dict[int, ProcessedPhoto]) -> FaceTable:
    if rows is None:
        no_ids = np.empty(0, np.int64)
        no_vectors = np.empty((0, 0), np.float32)
        return FaceTable(no_ids, no_ids, no_ids, np.empty((0, 4)), np.empty(0), no_vectors, current)
    return FaceTable(
        rows["face_id"].to_numpy(),
        rows["photo_id"].to_numpy(),
        rows["face"].to_numpy().astype(np.int64),
        _to_matrix(rows["box"]),
        rows["score"].to_numpy(),
        _to_matrix(rows["embedding"]),
        current,
    )


def compute_face_id(photo_id: int, position: int) -> int:
    """Compute the id of a face from the id of its photo and its position among the photo's faces."""
    return compute_photo_id(f"{photo_id} face {position}")


def shrink_for_detection(decoded: DecodedPhoto, config: Config) -> DecodedPhoto:
    """Scale a photo down to the size for face detection, so that the file format makes no difference."""
    side = config.extraction.preview_size
    if max(decoded.image.size) <= side:
        return decoded
    image = decoded.image.copy()
    image.thumbnail((side, side), reducing_gap=3)
    return DecodedPhoto(image, decoded.width, decoded.height)


def make_detector(config: Config, in_flight: int = 1) -> FaceDetector:
    """Return the detector that the config describes.

    Parameters
    ----------
    config
        Gives the pack, the device and the sizes.
    in_flight
        Number of photos that are processed at the same time on a CPU.
    """
    models, faces = config.models, config.faces
    return FaceDetector(models.faces, models.device, faces.det_size, _choose_min_score(config), in_flight)


def _choose_min_score(config: Config) -> float:
    return min(_MIN_STORED_SCORE, config.faces.min_score)


def _make_fingerprint(config: Config) -> str:
    sizes = f"{config.faces.det_size}/{config.extraction.preview_size}"
    return f"{get_pack_id(config.models.faces)}/{sizes}/{_choose_min_score(config):g}"


class _FaceProcessor:
    """Detects faces; the models are loaded with the first batch, because `prepare` does not require them."""

    min_short_side = 0

    def __init__(self, config: Config) -> None:
        self._config = config
        self._detector: FaceDetector | None = None
        self.min_long_side = config.extraction.preview_size

    def prepare(self, photo: Photo, decoded: DecodedPhoto) -> DecodedPhoto:
        return shrink_for_detection(decoded, self._config)

    def process(self, photo_ids: list[int], inputs: list[DecodedPhoto]) -> BatchOutput:
        rows: list[dict[str, Any]] = []
        errors: dict[int, str] = {}
        if self._detector is None:
            self._detector = make_detector(self._config, min(count_cores(), _MAX_IN_FLIGHT))
        results = self._detector.detect_batch([decoded.image for decoded in inputs])
        for photo_id, decoded, detected in zip(photo_ids, inputs, results, strict=True):
            if isinstance(detected, Exception):
                errors[photo_id] = f"face detection failed: {type(detected).__name__}: {detected}"
                continue
            scale = decoded.width / decoded.image.width
            faces = [face for face in detected if np.isfinite(face.embedding).all()]
            rows += [_make_row(photo_id, position, face, scale) for position, face in enumerate(faces)]
        return BatchOutput({"faces": _make_table(rows)}, errors)


def _make_row(photo_id: int, position: int, face: DetectedFace, scale: float) -> dict[str, Any]:
    return {
        "photo_id": photo_id,
        "face": position,
        "box": face.box * scale,
        "landmarks": (face.landmarks * scale).reshape(-1),
        "score": face.score,
        "embedding": face.embedding,
    }


def _make_table(rows: list[dict[str, Any]]) -> pa.Table:
    if not rows:
        return pa.table({"photo_id": pa.array([], pa.int64())})
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    vectors = {
        name: make_vector_column(np.stack(columns[name])) for name in ("box", "landmarks", "embedding")
    }
    scalars = {
        "photo_id": pa.array(columns["photo_id"], pa.int64()),
        "face": pa.array(columns["face"], pa.int32()),
        "score": pa.array(columns["score"], pa.float32()),
    }
    return pa.table(scalars | vectors)


def _to_matrix(column: pa.ChunkedArray) -> np.ndarray:
    combined = column.combine_chunks()
    return combined.flatten().to_numpy(zero_copy_only=False).reshape(-1, combined.type.list_size)
