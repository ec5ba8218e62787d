"""Face detection with InsightFace on ONNX Runtime: boxes, landmarks, scores and embeddings."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import os
import sys
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from imagesearch.errors import UserError, describe_error
from imagesearch.pipeline import count_cores
from imagesearch.text import shorten_reason

# The folder in which InsightFace stores downloaded packs.
_PACKS = Path("~/.insightface")
# InsightFace's own code causes this warning, once for each face.
warnings.filterwarnings("ignore", category=FutureWarning, module="insightface")
_PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "mps": "CoreMLExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
# Maximum number of faces in one run of the recognition model. Larger batches are not faster: see
# benchmarks/README.md, "Detection of faces".
_FACES_A_RUN = 8


@dataclass(frozen=True)
class DetectedFace:
    """A detected face, in pixels of the image.

    Attributes
    ----------
    box : (4,) float32
        Left, top, right, bottom; may extend beyond the edges of the image.
    landmarks : (5, 2) float32
        Eyes, nose, corners of the mouth.
    score : float
        Confidence of the detector, 0 to 1.
    embedding : (d,) float32
        Unit vector.
    """

    box: np.ndarray
    landmarks: np.ndarray
    score: float
    embedding: np.ndarray


class _AlignedFace(NamedTuple):
    """A detected face and its pixels, aligned for the recognition model."""

    box: np.ndarray
    landmarks: np.ndarray
    score: float
    crop: np.ndarray


class FaceDetector:
    """Detects and embeds faces with an InsightFace pack: a detection model and a recognition model.

    Parameters
    ----------
    pack
        Name of a pack (``buffalo_l``), which InsightFace downloads on first use, or a folder with its
        ``.onnx`` files.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``. An unavailable device falls back to the CPU with a
        message.
    det_size
        Side in pixels of the square that a photo is scaled to. A larger one finds smaller faces, but is
        slower.
    min_score
        Minimum score of a face.
    in_flight
        Number of images that `detect_batch` processes at the same time on a CPU. The cores are divided among
        them. On another device, it is always one.

    Raises
    ------
    UserError
        If the pack does not exist, cannot be downloaded, or lacks one of the two models.
    """

    def __init__(
        self,
        pack: str,
        device: str = "auto",
        det_size: int = 640,
        min_score: float = 0.5,
        in_flight: int = 1,
    ) -> None:
        folder, providers = fetch_pack(pack), _choose_providers(device)
        is_on_cpu = providers == [_PROVIDERS["cpu"]]
        self._det_size, self._in_flight = det_size, in_flight if is_on_cpu else 1
        with contextlib.redirect_stdout(io.StringIO()):  # InsightFace prints each model that it loads
            app = _load_pack(folder, providers, _make_session_options(in_flight) if is_on_cpu else None)
            app.prepare(0, det_thresh=min_score, det_size=(det_size, det_size))
        self._detection, self._recognition = app.det_model, app.models["recognition"]
        # On CUDA, ONNX Runtime searches for the fastest algorithms again for each new batch size.
        self._max_faces = _FACES_A_RUN if is_on_cpu and _has_batch_axis(self._recognition) else 1
        self._pool = ThreadPoolExecutor(self._in_flight, thread_name_prefix="faces")

    def detect(self, image: Image.Image) -> list[DetectedFace]:
        """Return the faces in an upright RGB image, the largest first."""
        (faces,) = self.detect_batch([image])
        if isinstance(faces, Exception):
            raise faces
        return faces

    def detect_batch(self, images: Sequence[Image.Image]) -> list[list[DetectedFace] | Exception]:
        """Return the faces in each upright RGB image, the largest first.

        The result of an image that could not be processed is the exception.
        """
        found = list(self._pool.map(self._find_faces, images))
        crops = [face.crop for faces in found if not isinstance(faces, Exception) for face in faces]
        embeddings = iter(self._embed_faces(crops))
        results: list[list[DetectedFace] | Exception] = []
        for faces in found:
            if not isinstance(faces, Exception):
                faces = _join_faces(faces, list(islice(embeddings, len(faces))))
            results.append(faces)
        return results

    def _find_faces(self, image: Image.Image) -> list[_AlignedFace] | Exception:
        from insightface.utils.face_align import norm_crop

        if max(image.size) >= self._det_size * min(image.size):
            return []  # InsightFace would scale its shorter side to 0 pixels, and OpenCV raises an error
        try:
            bgr = np.ascontiguousarray(np.asarray(image)[..., ::-1])
            boxes, landmarks = self._detection.detect(bgr)
            if not len(boxes):
                return []  # a detector without landmarks returns None instead of them
            side = self._recognition.input_size[0]
            return [
                _AlignedFace(box[:4], points, float(box[4]), norm_crop(bgr, points, side))
                for box, points in zip(boxes, landmarks, strict=True)
            ]
        except Exception as error:  # an error in one image must not end the batch
            return error

    def _embed_faces(self, crops: Sequence[np.ndarray]) -> list[np.ndarray | Exception]:
        """Return the embedding of each aligned face, or the exception."""
        # Each thread gets a share of the faces.
        size = max(1, min(self._max_faces, -(-len(crops) // self._in_flight)))
        chunks = [crops[start : start + size] for start in range(0, len(crops), size)]
        return [embedding for chunk in self._pool.map(self._embed_chunk, chunks) for embedding in chunk]

    def _embed_chunk(self, crops: Sequence[np.ndarray]) -> list[np.ndarray | Exception]:
        try:
            outputs = self._recognition.get_feat(list(crops))
            if len(crops) == 1:
                return [outputs.flatten()]
            if len(outputs) == len(crops):
                return [output.flatten() for output in outputs]
        except Exception as error:  # an error in one face must not end the batch
            if len(crops) == 1:
                return [error]
        embeddings = [embedding for crop in crops for embedding in self._embed_chunk([crop])]
        if not any(isinstance(embedding, Exception) for embedding in embeddings):
            self._max_faces = 1  # the model or the memory does not allow batches
        return embeddings


@functools.cache
def fetch_pack(pack: str) -> Path:
    """Return the folder of a pack's models. InsightFace downloads a pack that is not on the disk yet.

    Raises
    ------
    UserError
        If the folder does not exist or has no models, or the pack cannot be downloaded.
    """
    folder, advice = Path(pack), "; a pack has two: one detects faces, the other recognizes them"
    # InsightFace would make folders for a name with slashes
    if not folder.is_absolute() and "/" not in pack and "\\" not in pack:
        folder = _PACKS.expanduser() / "models" / pack
        advice = "; remove the folder to download the pack again"
        if not folder.is_dir():
            _download_pack(pack)
    if not folder.is_dir():
        raise UserError(f"models.faces: {folder}: no such folder")
    if not any(folder.glob("*.onnx")):
        raise UserError(f"models.faces: {folder}: the folder has no .onnx models{advice}")
    return folder


@functools.cache
def get_pack_id(pack: str) -> str:
    """Return an id of a pack, the same for any folder: ``faces-`` and 16 hexadecimal digits of a hash."""
    digest = hashlib.sha256()
    for file in sorted(fetch_pack(pack).glob("*.onnx")):
        with file.open("rb") as stream:
            digest.update(file.name.encode() + hashlib.file_digest(stream, "sha256").digest())
    return f"faces-{digest.hexdigest()[:16]}"


def _download_pack(pack: str) -> None:
    from insightface.utils.storage import ensure_available

    print(f"models.faces: downloading {pack}", file=sys.stderr)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            ensure_available("models", pack, root=str(_PACKS))
    except Exception as error:  # from requests, zipfile or the file system
        reason = " ".join(describe_error(error).split())[:120]
        raise UserError(
            f"models.faces: {pack}: not in {_PACKS}/models, and cannot be downloaded ({reason}); "
            "connect once, or name a folder with a pack (data/demo/models/faces works offline)"
        ) from None


def _make_session_options(in_flight: int):
    """Return the options of a model that runs in ``in_flight`` threads at once on a CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    threads = max(1, count_cores() // in_flight)
    if threads < (os.cpu_count() or 1):  # otherwise ONNX Runtime uses all cores
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
    # waiting threads must not occupy the cores that decode photos
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _has_batch_axis(model) -> bool:
    """Return whether a model accepts several images in one run: the size of its first axis is not fixed."""
    return not isinstance(model.input_shape[0], int)


def _load_pack(folder: Path, providers: list[str], options):
    import onnxruntime
    from insightface.app import FaceAnalysis

    onnxruntime.set_default_logger_severity(3)
    try:
        app = FaceAnalysis(
            str(folder),
            allowed_modules=["detection", "recognition"],
            providers=providers,
            **({"sess_options": options} if options else {}),
        )
    except Exception as error:  # ONNX Runtime, protobuf and InsightFace each raise their own types
        reason = shorten_reason(f"{type(error).__name__}: {describe_error(error)}")
        raise UserError(f"models.faces: {folder}: cannot be loaded: {reason}") from None
    if "recognition" not in app.models:
        raise UserError(f"models.faces: {folder}: has a detection model, but no recognition model")
    return app


@functools.cache  # the message about an unavailable device is printed only once
def _choose_providers(device: str) -> list[str]:
    import onnxruntime

    available = onnxruntime.get_available_providers()
    preferred = list(_PROVIDERS.values()) if device == "auto" else [_PROVIDERS[device]]
    chosen = next((provider for provider in preferred if provider in available), None)
    if chosen is None:
        print(
            f"models.device: {device} is not available to ONNX Runtime; using the cpu for faces",
            file=sys.stderr,
        )
    cpu = _PROVIDERS["cpu"]
    return [chosen, cpu] if chosen not in (None, cpu) else [cpu]


def _join_faces(
    faces: Sequence[_AlignedFace], embeddings: Sequence[np.ndarray | Exception]
) -> list[DetectedFace] | Exception:
    """Return the faces of an image with their embeddings, the largest first, or the first exception."""
    detected = []
    for face, embedding in zip(faces, embeddings, strict=True):
        if isinstance(embedding, Exception):
            return embedding
        detected.append(
            DetectedFace(
                box=np.asarray(face.box, np.float32),
                landmarks=np.asarray(face.landmarks, np.float32),
                score=face.score,
                embedding=np.asarray(embedding / np.linalg.norm(embedding), np.float32),
            )
        )
    return sorted(detected, key=lambda face: (-_compute_area(face.box), *face.box.tolist()))


def _compute_area(box: np.ndarray) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))
