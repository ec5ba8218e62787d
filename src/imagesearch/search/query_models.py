"""The models that encode queries, loaded when first used, on the CPU."""

from __future__ import annotations

import functools
import threading
from concurrent.futures import ThreadPoolExecutor

from imagesearch.config import Config
from imagesearch.faces import FaceDetector, make_detector
from imagesearch.features import ClipEncoder, VitEncoder, is_converted


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
        """Load CLIP's text encoder in another thread, for example while Milvus is being opened.

        Python waits for the thread when it exits, so it only loads a model that is converted already.
        """
        if self._clip is None:
            pool = ThreadPoolExecutor(1, thread_name_prefix="clip")
            pool.submit(self._load_text_encoder)  # an error is raised again by the query
            pool.shutdown(wait=False)

    def _load_text_encoder(self) -> None:
        if is_converted("clip", self._config.models.clip):
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
