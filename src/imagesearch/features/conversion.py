"""Converting models from PyTorch to OpenVINO, once, with a check that the results are the same."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from imagesearch.errors import UserError
from imagesearch.features.hub import fetch_model, fingerprint_model
from imagesearch.features.model_cache import make_cached_folder
from imagesearch.features.openvino_models import OpenvinoClip, OpenvinoVit, import_openvino
from imagesearch.features.runtimes import Runtime
from imagesearch.features.tokenization import save_tokenizer
from imagesearch.features.torch_models import TorchClip, TorchVit

MIN_COSINE = 0.999
"""Every vector of a converted model has at least this cosine similarity to PyTorch's in float32."""

# Increased when converted models have other files or settings.
_FORMAT = 1
_CHECKED_SIZES = (
    (640, 480),
    (480, 640),
    (300, 300),
    (997, 331),
    (233, 1021),
    (96, 64),
    (1600, 225),
    (31, 17),
)
_CHECKED_TEXTS = (
    "a photo of a dog",
    "",
    "Two people on a BEACH, at sunset!",
    "caf\u00e9 \u6771\u4eac \N{DOG FACE} 50% re-do's",
    "a very long text " * 40,
)


class ConversionError(Exception):
    """A model that OpenVINO cannot run, or not with the same results."""


def find_or_convert(kind: str, name: str, precision: str) -> Path:
    """Return the folder of a converted model, which is converted if it is not in the cache.

    Parameters
    ----------
    kind
        ``"clip"`` or ``"vit"``.
    name
        Of the model: a folder, or a name on the Hugging Face hub.
    precision
        In which the results are checked.

    Raises
    ------
    ConversionError
        If the model cannot be converted.
    """
    convert = {"clip": _convert_clip, "vit": _convert_vit}[kind]
    version = f"openvino-{_get_openvino_version()}-{_FORMAT}-{precision}"
    fill = partial(_convert, convert, name, precision)
    return make_cached_folder(f"{kind}-{fingerprint_model(name)}", version, fill)


def _get_openvino_version() -> str:
    from importlib.metadata import version

    return version("openvino")


def _convert(convert: Callable[[str, str, Path], None], name: str, precision: str, folder: Path) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of branches that tracing does not follow
            convert(name, precision, folder)
    except (ConversionError, UserError):
        raise
    except Exception as error:  # torch and OpenVINO raise errors of many types
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise ConversionError(reason) from None


def _convert_clip(name: str, precision: str, folder: Path) -> None:
    model = TorchClip(name, fetch_model(name), Runtime("torch", "cpu", "float32"))
    settings = {"preparation": _get_preparation(model), "tokenizer": asdict(model.get_tokenizer_settings())}
    (folder / "model.json").write_text(json.dumps(settings), "utf-8")
    save_tokenizer(model.tokenizer, model.get_tokenizer_settings(), folder)
    tokens = model.tokenize(list(_CHECKED_TEXTS))
    _save_network(model.module, model.embed_pixels, {"pixels": _draw_pixels(model)}, folder / "image.xml")
    _save_network(model.module, model.embed_tokens, tokens, folder / "text.xml", dynamic_axes=(0, 1))
    converted = OpenvinoClip(lambda: folder, Runtime("openvino", "cpu", precision))
    _check_preparation(model, converted)
    for key, expected in tokens.items():
        if not np.array_equal(converted.tokenize(list(_CHECKED_TEXTS))[key], expected):
            raise ConversionError("its tokenizer gives other tokens without transformers")
    _check_vectors(model.encode_tokens(tokens), converted.encode_tokens(tokens))
    for text in _CHECKED_TEXTS[::2]:  # other batch sizes and lengths than the ones of the conversion
        tokens = model.tokenize([text])
        _check_vectors(model.encode_tokens(tokens), converted.encode_tokens(tokens))
    for pixels in (_draw_pixels(model, 1), _draw_pixels(model, 5)):
        _check_vectors(model.encode_pixels(pixels), converted.encode_pixels(pixels))


def _convert_vit(name: str, precision: str, folder: Path) -> None:
    model = TorchVit(name, fetch_model(name), Runtime("torch", "cpu", "float32"))
    settings = {"preparation": _get_preparation(model), "labels": model.labels}
    (folder / "model.json").write_text(json.dumps(settings), "utf-8")
    _save_network(model.module, model.embed_pixels, {"pixels": _draw_pixels(model)}, folder / "image.xml")
    converted = OpenvinoVit(lambda: folder, Runtime("openvino", "cpu", precision))
    _check_preparation(model, converted)
    for pixels in (_draw_pixels(model, 1), _draw_pixels(model, 5)):
        _check_vectors(model.encode_pixels(pixels)[0], converted.encode_pixels(pixels)[0])


def _get_preparation(model: TorchClip | TorchVit) -> dict[str, Any]:
    if model.preparation is None:
        raise ConversionError(f"its image processor ({type(model.processor).__name__}) is not a known one")
    return asdict(model.preparation)


def _save_network(
    module: Any,
    function: Callable,
    inputs: dict[str, np.ndarray],
    file: Path,
    dynamic_axes: Sequence[int] = (0,),
) -> None:
    """Convert a function of a module and some tensors, and save it as float32."""
    import torch

    openvino = import_openvino()

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module = module  # its parameters must belong to the traced module

        def forward(self, *tensors: torch.Tensor) -> Any:
            return function(**dict(zip(inputs, tensors, strict=True)))

    shapes = [
        [-1 if axis in dynamic_axes else length for axis, length in enumerate(array.shape)]
        for array in inputs.values()
    ]
    example = tuple(torch.from_numpy(array) for array in inputs.values())
    with torch.no_grad():
        # what torch would check, by tracing again, is checked by comparing vectors
        traced = torch.jit.trace(Network().eval(), example, check_trace=False)
        network = openvino.convert_model(
            traced, example_input=example, input=[openvino.PartialShape(shape) for shape in shapes]
        )
    openvino.save_model(network, str(file), compress_to_fp16=False)


def _draw_pixels(model: TorchClip | TorchVit, count: int = 2) -> np.ndarray:
    """Return prepared pictures of smooth noise."""
    rng = np.random.default_rng(count)
    return np.stack([model.prepare(_draw_picture(rng, (320, 240))) for _ in range(count)])


def _draw_picture(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    noise = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    return noise.resize(size, Image.Resampling.BICUBIC)


def _check_preparation(model: TorchClip | TorchVit, converted: OpenvinoClip | OpenvinoVit) -> None:
    rng = np.random.default_rng(0)
    for size in _CHECKED_SIZES:
        picture = _draw_picture(rng, size)
        if not np.array_equal(model.prepare(picture), converted.prepare(picture)):
            raise ConversionError("its image processor gives other pixels without transformers")


def _check_vectors(expected: np.ndarray, found: np.ndarray) -> None:
    cosine = float((expected * found).sum(axis=1).min())
    if not cosine >= MIN_COSINE:
        raise ConversionError(f"its vectors differ from PyTorch's (cosine {cosine:.4f})")
