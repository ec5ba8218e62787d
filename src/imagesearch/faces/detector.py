"""Face detection with InsightFace on ONNX Runtime: boxes, landmarks, scores and embeddings."""

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

# The folder in which InsightFace stores downloaded packs.
_PACKS = Path("~/.insightface")
# InsightFace's own code causes this warning, once for each face.
warnings.filterwarnings("ignore", category=FutureWarning, module="insightface")
_PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "mps": "CoreMLExecutionProvider",
    "cpu": "CPUExecutionProvider",
}


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

    Raises
    ------
    UserError
        If the pack does not exist, cannot be downloaded, or lacks one of the two models.
    """

    def __init__(self, pack: str, device: str = "auto", det_size: int = 640, min_score: float = 0.5) -> None:
        folder = fetch_pack(pack)
        self._det_size = det_size
        with contextlib.redirect_stdout(io.StringIO()):  # InsightFace prints each model that it loads
            self._app = _load_pack(folder, _choose_providers(device))
            self._app.prepare(0, det_thresh=min_score, det_size=(det_size, det_size))

    def detect(self, image: Image.Image) -> list[DetectedFace]:
        """Return the faces in an upright RGB image, the largest first."""
        if max(image.size) >= self._det_size * min(image.size):
            return []  # InsightFace would scale its shorter side to 0 pixels, and OpenCV raises an error
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
    """Return the folder of a pack's models. InsightFace downloads a pack that is not on the disk yet.

    Raises
    ------
    UserError
        If the folder does not exist or has no models, or the pack cannot be downloaded.
    """
    folder, advice = Path(pack), ""
    if not folder.is_absolute():
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
        reason = " ".join(str(error).split())[:120]
        raise UserError(
            f"models.faces: {pack}: not in {_PACKS}/models, and cannot be downloaded ({reason}); "
            "connect once, or name a folder with a pack (data/demo/models/faces works offline)"
        ) from None


def _load_pack(folder: Path, providers: list[str]):
    import onnxruntime
    from insightface.app import FaceAnalysis

    onnxruntime.set_default_logger_severity(3)
    try:
        app = FaceAnalysis(str(folder), allowed_modules=["detection", "recognition"], providers=providers)
    except Exception as error:  # ONNX Runtime, protobuf and InsightFace each raise their own types
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
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


def _compute_area(box: np.ndarray) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))
