"""Faces in a photo: boxes, landmarks, scores and unit embeddings; by InsightFace on ONNX Runtime."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from imagesearch.errors import UserError

# Where InsightFace stores the packs that it has fetched.
_PACKS = Path("~/.insightface")
# A warning about code of InsightFace itself, repeated for each face.
warnings.filterwarnings("ignore", category=FutureWarning, module="insightface")
_PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "mps": "CoreMLExecutionProvider",
    "cpu": "CPUExecutionProvider",
}


@dataclass(frozen=True)
class DetectedFace:
    """A face found in an image, in that image's pixels.

    Attributes
    ----------
    box : (4,) float32
        Left, top, right, bottom; may reach beyond the image at its edges.
    landmarks : (5, 2) float32
        Eyes, nose, corners of the mouth.
    score : float
        0 to 1, how sure the detector is.
    embedding : (d,) float32
        Of unit length.
    """

    box: np.ndarray
    landmarks: np.ndarray
    score: float
    embedding: np.ndarray


class FaceDetector:
    """Finds faces with a pack of InsightFace: a detector and a recogniser.

    Parameters
    ----------
    pack
        Its name (``buffalo_l``), fetched by InsightFace on first use, or a folder with its ``.onnx`` files.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``; what is not available falls back to the CPU with a
        message.
    det_size
        Side in pixels of the square that a photo is scaled to; larger finds smaller faces, slower.
    min_score
        Leave out faces with a lower score.

    Raises
    ------
    UserError
        If there is no such pack or it cannot be fetched, or it lacks one of the two models.
    """

    def __init__(self, pack: str, device: str = "auto", det_size: int = 640, min_score: float = 0.5) -> None:
        folder = fetch_pack(pack)
        self._det_size = det_size
        with contextlib.redirect_stdout(io.StringIO()):  # the loading of each model is printed there
            self._app = _load_pack(folder, _choose_providers(device))
            self._app.prepare(0, det_thresh=min_score, det_size=(det_size, det_size))

    def detect(self, image: Image.Image) -> list[DetectedFace]:
        """Return the faces in an upright RGB image, the largest first."""
        if max(image.size) >= self._det_size * min(image.size):
            return []  # InsightFace would shrink it to no pixels at all, and OpenCV refuses that
        bgr = np.ascontiguousarray(np.asarray(image)[..., ::-1])
        faces = [
            DetectedFace(
                box=np.asarray(face.bbox, np.float32),
                landmarks=np.asarray(face.kps, np.float32),
                score=float(face.det_score),
                embedding=np.asarray(face.normed_embedding, np.float32),
            )
            for face in self._app.get(bgr)
        ]
        return sorted(faces, key=lambda face: (-_compute_area(face.box), *face.box.tolist()))


@functools.cache
def fetch_pack(pack: str) -> Path:
    """Return the folder with a pack's models, fetched by InsightFace when it is not there yet.

    Raises
    ------
    UserError
        If there is no such folder, or the pack cannot be fetched.
    """
    folder = Path(pack)
    if not folder.is_absolute():
        folder = _PACKS.expanduser() / "models" / pack
        if not folder.is_dir():
            _download_pack(pack)
    if not any(folder.glob("*.onnx")):
        missing, empty = "no such folder", "no .onnx models in it; remove it, and it is fetched anew"
        raise UserError(f"models.faces: {folder}: {empty if folder.is_dir() else missing}")
    return folder


@functools.cache
def get_pack_id(pack: str) -> str:
    """Return an id of a pack's models, wherever they are: ``faces-`` and 16 hexadecimal digits of a hash."""
    digest = hashlib.sha256()
    for file in sorted(fetch_pack(pack).glob("*.onnx")):
        with file.open("rb") as stream:
            digest.update(file.name.encode() + hashlib.file_digest(stream, "sha256").digest())
    return f"faces-{digest.hexdigest()[:16]}"


def _download_pack(pack: str) -> None:
    from insightface.utils.storage import ensure_available

    print(f"models.faces: fetching {pack}", file=sys.stderr)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            ensure_available("models", pack, root=str(_PACKS))
    except Exception as error:  # of requests, zipfile, the disk
        reason = " ".join(str(error).split())[:120]
        raise UserError(
            f"models.faces: {pack}: not in {_PACKS}/models, and it cannot be fetched ({reason}); "
            "name a folder with a pack instead (data/demo/models/faces works offline)"
        ) from None


def _load_pack(folder: Path, providers: list[str]):
    import onnxruntime
    from insightface.app import FaceAnalysis

    onnxruntime.set_default_logger_severity(3)
    try:
        app = FaceAnalysis(str(folder), allowed_modules=["detection", "recognition"], providers=providers)
    except Exception as error:  # ONNX Runtime, protobuf and InsightFace raise as many kinds
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise UserError(f"models.faces: {folder}: cannot be loaded: {reason}") from None
    if "recognition" not in app.models:
        raise UserError(f"models.faces: {folder}: has a detector, but no model that recognises faces")
    return app


@functools.cache  # so that the message about a missing device is printed once
def _choose_providers(device: str) -> list[str]:
    import onnxruntime

    available = onnxruntime.get_available_providers()
    preferred = list(_PROVIDERS.values()) if device == "auto" else [_PROVIDERS[device]]
    chosen = next((provider for provider in preferred if provider in available), None)
    if chosen is None:
        print(f"models.device: ONNX Runtime knows no {device} here; faces use the cpu", file=sys.stderr)
    cpu = _PROVIDERS["cpu"]
    return [chosen, cpu] if chosen not in (None, cpu) else [cpu]


def _compute_area(box: np.ndarray) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))
