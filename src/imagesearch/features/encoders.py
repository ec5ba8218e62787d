"""CLIP and ViT encoders: photos or texts to unit vectors, and photos to classes, with PyTorch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from imagesearch.errors import UserError
from imagesearch.features.hub import fetch_model, fingerprint_model
from imagesearch.features.runtimes import Runtime

if TYPE_CHECKING:
    import torch

# A photo whose longer side is more than this many times the shorter side is cropped to its middle first. The
# image processor scales the shorter side to its input size before it crops the middle, so it would enlarge a
# strip of 20,000 x 200 pixels to 100 times the length of its input. The crop is the same.
_LONGEST_ASPECT = 3


class _ImageEncoder:
    """Base class of the encoders: loads the model onto its device and preprocesses photos.

    Photos are resized and cropped to uint8 by the model's own image processor, in the decoding threads. They
    are normalised on the device.
    """

    kind: str

    def __init__(self, name: str, device: str = "auto", precision: str = "auto") -> None:
        self.name = name
        self.runtime = Runtime.choose(device, precision)
        folder = fetch_model(name)
        try:
            self.processor = _load_image_processor(str(folder))
            self._model = self._load_model(str(folder)).to(self.runtime.device).eval()
        except UserError:
            raise
        except Exception as error:  # libraries raise errors of many types for a damaged checkpoint
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            raise UserError(f"{name}: cannot be loaded as a {self.kind} model: {reason}") from None
        import torch

        shape = (1, 3, 1, 1)
        factor = self.processor.rescale_factor if self.processor.do_rescale else 1.0
        mean = self.processor.image_mean if self.processor.do_normalize else [0.0] * 3
        std = self.processor.image_std if self.processor.do_normalize else [1.0] * 3
        # (x * factor - mean) / std, as one multiplication and one addition
        scale, shift = torch.tensor([factor]) / torch.tensor(std), -torch.tensor(mean) / torch.tensor(std)
        self._scale = scale.view(shape).to(self.runtime.device)
        self._shift = shift.view(shape).to(self.runtime.device)

    def _load_model(self, folder: str) -> Any:
        raise NotImplementedError

    @property
    def input_side(self) -> int:
        """Minimum number of pixels of a photo's shorter side, so that it is not enlarged."""
        size = self.processor.size
        return int(size.get("shortest_edge") or max(size.get("height", 0), size.get("width", 0)) or 224)

    def preprocess(self, image: Image.Image) -> np.ndarray:
        """Resize and crop one photo to the model's input, (3, height, width) uint8."""
        if getattr(self.processor, "do_center_crop", False):
            image = _crop_middle(image)
        pixels = self.processor(image, do_rescale=False, do_normalize=False, return_tensors="np")
        return np.asarray(pixels["pixel_values"][0], np.uint8)

    def _to_pixel_values(self, inputs: Sequence[np.ndarray]) -> torch.Tensor:
        import torch

        pixels = torch.from_numpy(np.stack(inputs)).to(self.runtime.device)
        return (pixels * self._scale + self._shift).to(self.runtime.get_torch_dtype())


class ClipEncoder(_ImageEncoder):
    """A dual encoder (CLIP, SigLIP): encodes photos and texts to unit vectors in the same space.

    Parameters
    ----------
    name
        A folder, or a model's name on the Hugging Face hub.
    device, precision
        See `Runtime.choose`.

    Raises
    ------
    UserError
        If the model cannot be found or loaded, or does not encode both photos and texts.
    """

    kind = "clip"

    def _load_model(self, folder: str) -> Any:
        from transformers import AutoModel, AutoTokenizer

        model = _load_pretrained(AutoModel, folder, self.runtime)
        if not (hasattr(model, "get_image_features") and hasattr(model, "get_text_features")):
            raise UserError(
                f"{self.name}: models.clip: expected a model of photos and texts (CLIP, SigLIP), "
                f"got {model.config.model_type}"
            )
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        text = model.config.text_config
        self._max_tokens = int(getattr(text, "max_position_embeddings", None) or 77)
        # SigLIP was trained with texts padded to the full length, and its text vector is the output for the
        # last token
        self._padding = "max_length" if "siglip" in model.config.model_type else True
        return model

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
        import torch

        with torch.inference_mode():
            return _normalize_rows(
                _get_pooled_output(self._model.get_image_features(pixel_values=self._to_pixel_values(inputs)))
            )

    def tokenize(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """Tokenize texts for the text encoder. Tokens beyond the model's context length are cut off.

        Returns
        -------
        dict of (n, tokens) int64
            ``input_ids``, and ``attention_mask`` if the tokenizer returns one.
        """
        tokens = self._tokenizer(
            list(texts),
            padding=self._padding,
            truncation=True,
            max_length=self._max_tokens,
            return_tensors="np",
        )
        return {key: tokens[key] for key in ("input_ids", "attention_mask") if key in tokens}

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts to unit vectors, (n, d) float32. Tokens beyond the context length are cut off."""
        import torch

        tokens = self.tokenize(texts)
        inputs = {key: torch.from_numpy(ids).to(self.runtime.device) for key, ids in tokens.items()}
        with torch.inference_mode():
            return _normalize_rows(_get_pooled_output(self._model.get_text_features(**inputs)))

    def encode_stream(self, images: Iterable[Image.Image], batch_size: int = 32) -> Iterator[np.ndarray]:
        """Encode a stream of RGB photos, and yield a (d,) float32 unit vector for each."""
        for batch in _split_batches((self.preprocess(image) for image in images), batch_size):
            yield from self.encode_images(batch)


class VitEncoder(_ImageEncoder):
    """A vision transformer with a classification head: features and classes from one forward pass.

    The feature is the CLS token after the final LayerNorm of the classification model. For a model without a
    CLS token it is the mean of the tokens. A checkpoint without a trained head has features but no classes.

    Parameters
    ----------
    name, device, precision
        As for `ClipEncoder`.
    """

    kind = "vit"

    def _load_model(self, folder: str) -> Any:
        from transformers import AutoModelForImageClassification

        model, info = _load_pretrained(
            AutoModelForImageClassification, folder, self.runtime, output_loading_info=True
        )
        labels = model.config.id2label
        trained = not any(key.startswith(("classifier", "head")) for key in info["missing_keys"])
        self.labels = [_shorten_label(labels[i]) for i in range(len(labels))] if trained else []
        model.base_model.register_forward_hook(self._save_tokens)
        return model

    def _save_tokens(self, _module: Any, _inputs: Any, outputs: Any) -> None:
        self._tokens = outputs[0] if isinstance(outputs, tuple) else outputs.last_hidden_state

    def encode(self, inputs: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Encode and classify a batch of preprocessed photos.

        Returns
        -------
        features : (n, d) float32
            Unit vectors.
        probabilities : (n, labels) float32
            Probability of each label in `labels`; rows sum to 1. No columns if the model has no trained head.
        """
        import torch

        with torch.inference_mode():
            logits = self._model(pixel_values=self._to_pixel_values(inputs)).logits
            features = _normalize_rows(self._pool_tokens(self._tokens))
            probabilities = torch.softmax(logits.float(), dim=-1).cpu().numpy()
        self._tokens = None
        return features, probabilities if self.labels else probabilities[:, :0]

    def _pool_tokens(self, tokens: torch.Tensor) -> torch.Tensor:
        if tokens.ndim == 4:  # a convolutional or hierarchical model: (n, channels, height, width)
            return tokens.mean(dim=(2, 3))
        embeddings = getattr(self._model.base_model, "embeddings", None)
        return tokens[:, 0] if hasattr(embeddings, "cls_token") else tokens.mean(dim=1)

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


def fingerprint_encoder(kind: str, name: str, device: str = "auto", precision: str = "auto") -> str:
    """Return an id of everything that a model's vectors depend on, without loading the model.

    The part before the slash identifies the model, and the part after it identifies the precision. Vectors of
    the same model in two precisions can be compared.
    """
    return f"{get_model_id(kind, name)}/{Runtime.choose(device, precision).precision}"


def get_model_id(kind: str, name: str) -> str:
    """Return an id of a model's weights and settings. It does not depend on the folder they are in."""
    return f"{kind}-{fingerprint_model(name)}"


def select_top_k(probabilities: np.ndarray, k: int) -> np.ndarray:
    """Return the indices of the ``k`` largest values in descending order."""
    k = min(k, len(probabilities))
    top = np.argpartition(-probabilities, k - 1)[:k] if k else np.empty(0, int)
    return top[np.argsort(-probabilities[top], kind="stable")]


# --- helpers -----------------------------------------------------------------------------------------------


def _load_pretrained(auto: Any, folder: str, runtime: Runtime, **options: Any) -> Any:
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    # Nothing is downloaded here (local_files_only), and no code from the hub is run (trust_remote_code). .bin
    # files are read by torch's weights_only loader, the only one that transformers uses.
    return auto.from_pretrained(
        folder, dtype=runtime.get_torch_dtype(), local_files_only=True, trust_remote_code=False, **options
    )


def _load_image_processor(folder: str) -> Any:
    from transformers import AutoImageProcessor

    return AutoImageProcessor.from_pretrained(folder, local_files_only=True, backend="pil")


def _get_pooled_output(outputs: Any) -> torch.Tensor:
    return getattr(outputs, "pooler_output", outputs)


def _normalize_rows(features: torch.Tensor) -> np.ndarray:
    import torch

    return torch.nn.functional.normalize(features.float(), dim=-1).cpu().numpy()


def _crop_middle(image: Image.Image) -> Image.Image:
    """Crop a photo that is much longer than wide to its middle; see `_LONGEST_ASPECT`."""
    width, height = image.size
    longest = _LONGEST_ASPECT * min(width, height)
    if max(width, height) <= longest:
        return image
    left, top = max(0, (width - longest) // 2), max(0, (height - longest) // 2)
    return image.crop((left, top, width - left, height - top))


def _shorten_label(label: str) -> str:
    """Return the first synonym of an ImageNet label."""
    return label.split(",")[0].strip()


def _split_batches(stream: Iterable[Any], size: int) -> Iterator[list[Any]]:
    stream = iter(stream)
    while batch := list(islice(stream, size)):
        yield batch
