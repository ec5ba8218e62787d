"""The models that encode queries, loaded when first used, on the CPU."""

from __future__ import annotations

import functools
import threading
from contextlib import suppress

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.faces import FaceDetector, make_detector
from imagesearch.features import ClipEncoder, VitEncoder


class QueryModels:
    """CLIP, ViT and the face models of a config.

    Photos and texts of queries are encoded on the CPU: starting a GPU takes longer than encoding one of them.

    Parameters
    ----------
    config
        Names the models.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._clip: ClipEncoder | None = None
        self._clip_lock = threading.Lock()

    def preload_text_encoder(self) -> None:
        """Load CLIP's text encoder in another thread, for example while Milvus is being opened."""
        if self._clip is None:
            threading.Thread(target=self._load_text_encoder, daemon=True).start()

    def _load_text_encoder(self) -> None:
        with suppress(UserError):  # the query raises the error again
            self.clip.load_text_encoder()

    @property
    def clip(self) -> ClipEncoder:
        """The config's CLIP model."""
        with self._clip_lock:
            if self._clip is None:
                self._clip = ClipEncoder.from_config(self._config.models, on_cpu=True)
            return self._clip

    @functools.cached_property
    def vit(self) -> VitEncoder:
        """The config's ViT model."""
        return VitEncoder.from_config(self._config.models, on_cpu=True)

    @functools.cached_property
    def face_detector(self) -> FaceDetector:
        """The config's face models."""
        return make_detector(self._config)
