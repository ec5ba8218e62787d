"""CLIP and ViT encoders: photos or texts to unit vectors, and photos to classes."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Self

import numpy as np
from PIL import Image

from imagesearch.config import ModelsConfig
from imagesearch.features.hub import check_model_kind, fetch_model, fingerprint_model
from imagesearch.features.runtimes import Runtime


class ClipEncoder:
    """A dual encoder (CLIP, SigLIP): encodes photos and texts to unit vectors in the same space.

    Parameters
    ----------
    name
        A folder, or a model's name on the Hugging Face hub.
    device, precision, library
        See `Runtime.choose`.

    Raises
    ------
    UserError
        If the model cannot be found or loaded, or does not encode both photos and texts.
    """

    def __init__(
        self, name: str, device: str = "auto", precision: str = "auto", library: str = "auto"
    ) -> None:
        self._model = _load_model("clip", name, Runtime.choose(device, precision, library))
        self.runtime, self.input_side = self._model.runtime, self._model.input_side

    @classmethod
    def from_config(cls, models: ModelsConfig, *, on_cpu: bool = False) -> Self:
        """Load the config's model, on the config's device or on the CPU."""
        return cls(models.clip, *_choose_settings(models, on_cpu))

    def preprocess(self, image: Image.Image) -> np.ndarray:
        """Resize and crop one RGB photo to the model's input, (3, height, width) uint8."""
        return self._model.prepare(image)

    def encode_images(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Encode a batch of preprocessed photos.

        Parameters
        ----------
        inputs : n arrays of (3, height, width) uint8
            Photos from `preprocess`.

        Returns
        -------
        (n, d) float32
            Unit vectors.
        """
        return self._model.encode_pixels(np.stack(inputs))

    def tokenize(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """Tokenize texts for the text encoder. Tokens beyond the model's context length are cut off.

        Returns
        -------
        dict of (n, tokens) int64
            ``input_ids``, and ``attention_mask`` if the model receives one.
        """
        return self._model.tokenize(texts)

    def load_text_encoder(self) -> None:
        """Load what texts require. Without this call, it is loaded with the first text."""
        self._model.load_text_network()

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts to unit vectors, (n, d) float32. Tokens beyond the context length are cut off."""
        return self._model.encode_tokens(self._model.tokenize(texts))

    def encode_stream(self, images: Iterable[Image.Image], batch_size: int = 32) -> Iterator[np.ndarray]:
        """Encode a stream of RGB photos, and yield a (d,) float32 unit vector for each."""
        for batch in _split_batches((self.preprocess(image) for image in images), batch_size):
            yield from self.encode_images(batch)


class VitEncoder:
    """A vision transformer with a classification head: features and classes from one forward pass.

    The feature is the CLS token after the final LayerNorm of the classification model. For a model without a
    CLS token it is the mean of the tokens. A checkpoint without a trained head has features but no classes.

    Parameters
    ----------
    name, device, precision, library
        As for `ClipEncoder`.
    """

    def __init__(
        self, name: str, device: str = "auto", precision: str = "auto", library: str = "auto"
    ) -> None:
        self._model = _load_model("vit", name, Runtime.choose(device, precision, library))
        self.runtime, self.input_side = self._model.runtime, self._model.input_side
        self.labels: list[str] = self._model.labels

    @classmethod
    def from_config(cls, models: ModelsConfig, *, on_cpu: bool = False) -> Self:
        """Load the config's model, on the config's device or on the CPU."""
        return cls(models.vit, *_choose_settings(models, on_cpu))

    def preprocess(self, image: Image.Image) -> np.ndarray:
        """Resize and crop one RGB photo to the model's input, (3, height, width) uint8."""
        return self._model.prepare(image)

    def encode(self, inputs: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Encode and classify a batch of preprocessed photos.

        Returns
        -------
        features : (n, d) float32
            Unit vectors.
        probabilities : (n, labels) float32
            Probability of each label in `labels`; rows sum to 1. No columns if the model has no trained head.
        """
        features, probabilities = self._model.encode_pixels(np.stack(inputs))
        return features, probabilities if self.labels else probabilities[:, :0]

    def classify_stream(
        self, images: Iterable[Image.Image], top_k: int = 5
    ) -> Iterator[list[tuple[str, float]]]:
        """Yield the ``top_k`` most probable labels of each RGB photo, with their probabilities."""
        for batch in _split_batches((self.preprocess(image) for image in images), 32):
            yield from self.classify_batch(batch, top_k)

    def classify_batch(self, inputs: Sequence[np.ndarray], top_k: int = 5) -> list[list[tuple[str, float]]]:
        """Return the ``top_k`` most probable labels of each preprocessed photo of a batch."""
        _, probabilities = self.encode(inputs)
        return [[(self.labels[i], float(row[i])) for i in select_top_k(row, top_k)] for row in probabilities]


def _choose_settings(models: ModelsConfig, on_cpu: bool) -> tuple[str, str, str]:
    """Return device, precision and library."""
    if not on_cpu:
        return models.device, models.precision, models.runtime
    # float16 is meant for a GPU; CPUs do not compute in it
    return "cpu", "auto" if models.precision == "float16" else models.precision, models.runtime


def load_preparation(kind: str, models: ModelsConfig) -> Any:
    """Return what prepares photos for the config's CLIP or ViT, without loading its weights.

    It has ``input_side`` and ``prepare``, as the models have.
    """
    runtime = Runtime.choose(models.device, models.precision, models.runtime)
    return _load_model(kind, getattr(models, kind), runtime, without_weights=True)


def _load_model(kind: str, name: str, runtime: Runtime, without_weights: bool = False) -> Any:
    """Return a model on OpenVINO, or on PyTorch if the runtime says so or the model cannot be converted.

    Models on OpenVINO load their weights when they are first used. ``without_weights`` returns only the
    preparation of a model on PyTorch.
    """
    folder = fetch_model(name, kind)
    check_model_kind(kind, name, folder)
    if runtime.library == "openvino":
        from imagesearch.features.conversion import ConversionError, discard_converted, find_or_convert
        from imagesearch.features.openvino_models import OpenvinoClip, OpenvinoVit

        find_folder, discard = partial(find_or_convert, kind, name), partial(discard_converted, kind, name)
        try:
            return {"clip": OpenvinoClip, "vit": OpenvinoVit}[kind](find_folder, runtime, discard)
        except ConversionError as error:
            _report_fallback(f"models.{kind}: {name} runs on torch, because {error}")
            runtime = Runtime("torch", runtime.device, runtime.precision)
    from imagesearch.features.torch_models import TorchClip, TorchPreparation, TorchVit

    if without_weights:
        return TorchPreparation(kind, name, folder)
    return {"clip": TorchClip, "vit": TorchVit}[kind](name, folder, runtime)


@functools.cache  # once per process
def _report_fallback(message: str) -> None:
    print(message, file=sys.stderr)


def fingerprint_encoder(kind: str, name: str, device: str = "auto", precision: str = "auto") -> str:
    """Return an id of everything that a model's vectors depend on, without loading the model.

    The part before the slash identifies the model, the part after it the precision. Vectors of the same model
    in two precisions, or by two libraries, can be compared.
    """
    return f"{get_model_id(kind, name)}/{Runtime.choose(device, precision).precision}"


def check_model(models: ModelsConfig, kind: str) -> None:
    """Check that the CLIP or ViT of a config can be found and is of this kind. It is not loaded.

    Raises
    ------
    UserError
        If it cannot be found or downloaded, has no weights, or is another kind of model.
    """
    name = getattr(models, kind)
    check_model_kind(kind, name, fetch_model(name, kind))
    fingerprint_encoder(kind, name, models.device, models.precision)


def get_model_id(kind: str, name: str) -> str:
    """Return an id of a model's weights and settings. It does not depend on the folder they are in."""
    return f"{kind}-{fingerprint_model(name, kind)}"


def select_top_k(probabilities: np.ndarray, k: int) -> np.ndarray:
    """Return the indices of the ``k`` largest values in descending order."""
    k = min(k, len(probabilities))
    top = np.argpartition(-probabilities, k - 1)[:k] if k else np.empty(0, int)
    return top[np.argsort(-probabilities[top], kind="stable")]


def _split_batches(stream: Iterable[Any], size: int) -> Iterator[list[Any]]:
    stream = iter(stream)
    while batch := list(islice(stream, size)):
        yield batch
