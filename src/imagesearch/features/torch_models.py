"""CLIP and ViT models on PyTorch, loaded by transformers: for GPUs, and for what cannot be converted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from imagesearch.errors import UserError, describe_error
from imagesearch.features.image_preparation import (
    ImagePreparation,
    compute_normalization,
    crop_long_photo,
)
from imagesearch.features.runtimes import Runtime
from imagesearch.features.tokenization import TokenizerSettings
from imagesearch.text import shorten_reason

if TYPE_CHECKING:
    import torch


class TorchPreparation:
    """Prepares photos with a model's image processor. Photos are resized and cropped to uint8.

    Parameters
    ----------
    kind, name, folder
        ``"clip"`` or ``"vit"``, the name of the model in messages, and the folder of its files.

    Raises
    ------
    UserError
        If the settings of the image processor cannot be read.
    """

    def __init__(self, kind: str, name: str, folder: Path) -> None:
        with _explain_load_errors(kind, name):
            self.processor = _load_image_processor(str(folder))

    @property
    def input_side(self) -> int:
        """Minimum number of pixels of a photo's shorter side, so that it is not enlarged."""
        size = self.processor.size
        return int(size.get("shortest_edge") or max(size.get("height", 0), size.get("width", 0)) or 224)

    def prepare(self, image: Image.Image) -> np.ndarray:
        """Resize and crop an RGB photo to the model's input, (3, height, width) uint8."""
        if getattr(self.processor, "do_center_crop", False):
            image = crop_long_photo(image)
        pixels = self.processor(image, do_rescale=False, do_normalize=False, return_tensors="np")
        return np.asarray(pixels["pixel_values"][0], np.uint8)


class _TorchModel(TorchPreparation):
    """Base class: loads a model to its device, and prepares photos with its image processor.

    Photos are prepared in the decoding threads. They are normalized on the device.
    """

    kind: str

    def __init__(self, name: str, folder: Path, runtime: Runtime) -> None:
        import torch

        super().__init__(self.kind, name, folder)
        self.name, self.runtime = name, runtime
        with _explain_load_errors(self.kind, name):
            self.module = self._load_module(str(folder)).to(runtime.device).eval()
        self.preparation = ImagePreparation.from_processor(self.processor)
        scale, shift = compute_normalization(self.processor)
        self._scale = torch.tensor(scale).view(1, 3, 1, 1).to(runtime.device)
        self._shift = torch.tensor(shift).view(1, 3, 1, 1).to(runtime.device)

    def _load_module(self, folder: str) -> Any:
        raise NotImplementedError

    def normalize(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the model's input for (n, 3, height, width) uint8 pixels."""
        return (pixels * self._scale + self._shift).to(self.runtime.get_torch_dtype())

    def _upload(self, pixels: np.ndarray) -> torch.Tensor:
        import torch

        return torch.from_numpy(pixels).to(self.runtime.device)


class TorchClip(_TorchModel):
    """A dual encoder of photos and texts."""

    kind = "clip"

    def _load_module(self, folder: str) -> Any:
        from transformers import AutoModel, AutoTokenizer

        module = _load_pretrained(AutoModel, folder, self.runtime)
        if not (hasattr(module, "get_image_features") and hasattr(module, "get_text_features")):
            raise UserError(
                f"{self.name}: models.clip: expected a model of photos and texts (CLIP, SigLIP), "
                f"got {module.config.model_type}"
            )
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        text = module.config.text_config
        self._max_tokens = int(getattr(text, "max_position_embeddings", None) or 77)
        # SigLIP was trained with texts padded to the full length; its text vector is the last token's output
        self._pads_to_max = "siglip" in module.config.model_type
        return module

    def tokenize(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """Return ``input_ids``, and ``attention_mask`` if the tokenizer has one, (n, tokens) int64."""
        tokens = self.tokenizer(
            list(texts),
            padding="max_length" if self._pads_to_max else True,
            truncation=True,
            max_length=self._max_tokens,
            return_tensors="np",
        )
        return {key: tokens[key] for key in ("input_ids", "attention_mask") if key in tokens}

    def get_tokenizer_settings(self) -> TokenizerSettings:
        """Return the settings with which the tokenizer can be used without transformers."""
        tokenizer = self.tokenizer
        library = "tokenizers" if tokenizer.is_fast else "sentencepiece"
        return TokenizerSettings(
            library,
            self._max_tokens,
            self._pads_to_max,
            tokenizer.pad_token_id,
            str(tokenizer.pad_token),
            "attention_mask" in self.tokenize(["a"]),
            bool(getattr(tokenizer, "do_lower_case", False)),
        )

    def load_text_network(self) -> None:
        """Do nothing: both networks are loaded with the model."""

    def embed_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return (n, d) unit vectors of (n, 3, height, width) uint8 pixels."""
        return _pool_and_normalize(self.module.get_image_features(pixel_values=self.normalize(pixels)))

    def embed_tokens(self, **tokens: torch.Tensor) -> torch.Tensor:
        """Return (n, d) unit vectors of tokens."""
        return _pool_and_normalize(self.module.get_text_features(**tokens))

    def encode_pixels(self, pixels: np.ndarray) -> np.ndarray:
        """Encode prepared photos, (n, 3, height, width) uint8, as unit vectors, (n, d) float32."""
        import torch

        with torch.inference_mode():
            return self.embed_pixels(self._upload(pixels)).cpu().numpy()

    def encode_tokens(self, tokens: dict[str, np.ndarray]) -> np.ndarray:
        """Encode tokens as unit vectors, (n, d) float32."""
        import torch

        with torch.inference_mode():
            return self.embed_tokens(**{k: self._upload(ids) for k, ids in tokens.items()}).cpu().numpy()


class TorchVit(_TorchModel):
    """A vision transformer with a classification head.

    Attributes
    ----------
    labels : list of str
        Empty if the checkpoint has no trained head.
    """

    kind = "vit"

    def _load_module(self, folder: str) -> Any:
        from transformers import AutoModelForImageClassification

        module, info = _load_pretrained(
            AutoModelForImageClassification, folder, self.runtime, output_loading_info=True
        )
        labels = module.config.id2label
        trained = not any(key.startswith(("classifier", "head")) for key in info["missing_keys"])
        self.labels = [_shorten_label(labels[i]) for i in range(len(labels))] if trained else []
        module.base_model.register_forward_hook(self._save_tokens)
        return module

    def _save_tokens(self, _module: Any, _inputs: Any, outputs: Any) -> None:
        tokens = outputs[0] if isinstance(outputs, tuple) else getattr(outputs, "last_hidden_state", None)
        if tokens is None:
            raise UserError(
                f"{self.name}: models.vit: expected a model that classifies photos (ViT), "
                f"got {self.module.config.model_type}"
            )
        self._tokens = tokens

    def embed_pixels(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (n, d) unit vectors and (n, labels) probabilities of (n, 3, height, width) uint8 pixels."""
        import torch

        logits = self.module(pixel_values=self.normalize(pixels)).logits
        features = _pool_and_normalize(self._pool_tokens(self._tokens))
        self._tokens = None
        return features, torch.softmax(logits.float(), dim=-1)

    def encode_pixels(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Encode prepared photos, (n, 3, height, width) uint8, and classify them.

        Returns
        -------
        features : (n, d) float32
            Unit vectors.
        probabilities : (n, labels) float32
        """
        import torch

        with torch.inference_mode():
            features, probabilities = self.embed_pixels(self._upload(pixels))
        return features.cpu().numpy(), probabilities.cpu().numpy()

    def _pool_tokens(self, tokens: torch.Tensor) -> torch.Tensor:
        if tokens.ndim == 4:  # a convolutional or hierarchical model: (n, channels, height, width)
            return tokens.mean(dim=(2, 3))
        embeddings = getattr(self.module.base_model, "embeddings", None)
        return tokens[:, 0] if hasattr(embeddings, "cls_token") else tokens.mean(dim=1)


# --- helpers -----------------------------------------------------------------------------------------------


def _load_pretrained(auto: Any, folder: str, runtime: Runtime, **options: Any) -> Any:
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    # Nothing is downloaded here (local_files_only), and no code from the hub is run (trust_remote_code). A
    # .bin file is read by torch's weights_only loader, the only one that transformers uses.
    return auto.from_pretrained(
        folder, dtype=runtime.get_torch_dtype(), local_files_only=True, trust_remote_code=False, **options
    )


@contextmanager
def _explain_load_errors(kind: str, name: str) -> Iterator[None]:
    """Raise `UserError` for a model that cannot be loaded."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # libraries raise errors of many types for a damaged checkpoint
        reason = shorten_reason(f"{type(error).__name__}: {describe_error(error)}")
        raise UserError(f"{name}: cannot be loaded as a {kind} model: {reason}") from None


def _load_image_processor(folder: str) -> Any:
    from transformers import AutoImageProcessor

    return AutoImageProcessor.from_pretrained(folder, local_files_only=True, backend="pil")


def _pool_and_normalize(outputs: Any) -> torch.Tensor:
    import torch

    features = getattr(outputs, "pooler_output", outputs)
    return torch.nn.functional.normalize(features.float(), dim=-1)


def _shorten_label(label: str) -> str:
    """Return the first synonym of an ImageNet label."""
    return label.split(",")[0].strip()
