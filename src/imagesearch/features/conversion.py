"""Converting models from PyTorch to OpenVINO, once, with a check that the results are the same."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from imagesearch.errors import UserError, describe_error
from imagesearch.features.hub import fetch_model, fingerprint_model
from imagesearch.features.model_cache import find_cached_folder, make_cached_folder
from imagesearch.features.openvino_models import OUTCOME_FILE, OpenvinoClip, OpenvinoVit, import_openvino
from imagesearch.features.runtimes import Runtime
from imagesearch.features.tokenization import save_tokenizer
from imagesearch.features.torch_models import TorchClip, TorchVit
from imagesearch.text import shorten_reason

MIN_COSINE = 0.999
"""Every vector of a converted model has at least this cosine similarity to PyTorch's in float32."""

# Increased when converted models have other files or settings.
_FORMAT = 1
_PRECISIONS = ("float32", "bfloat16")
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


class ConversionError(UserError):
    """A model that OpenVINO cannot run, or not with the same results.

    An encoder then uses PyTorch. It is a message to the user only if the cache is deleted during a run and
    cannot be written again.
    """


def is_converted(kind: str, name: str) -> bool:
    """Whether `find_or_convert` would find a model and not convert it."""
    return find_cached_folder(*_identify(kind, name)).is_dir()


def find_or_convert(kind: str, name: str) -> Path:
    """Return the folder of a converted model, which is converted if it is not in the cache.

    Parameters
    ----------
    kind
        ``"clip"`` or ``"vit"``.
    name
        Of the model: a folder, or a name on the Hugging Face hub.

    Raises
    ------
    ConversionError
        If the model cannot be converted. This too is remembered in the cache.
    """
    convert = {"clip": _convert_clip, "vit": _convert_vit}[kind]
    make_folder = partial(make_cached_folder, *_identify(kind, name), partial(_convert, convert, name))
    try:
        try:
            outcome = _read_outcome(folder := make_folder())
        except (FileNotFoundError, ValueError):  # damaged
            discard_converted(kind, name)
            outcome = _read_outcome(folder := make_folder())
    except (OSError, ValueError) as error:
        raise ConversionError(
            f"the cache of converted models cannot be used ({describe_error(error)})"
        ) from None
    if outcome["reason"]:
        raise ConversionError(outcome["reason"])
    return folder


def _read_outcome(folder: Path) -> dict[str, Any]:
    return json.loads((folder / OUTCOME_FILE).read_text("utf-8"))


def discard_converted(kind: str, name: str) -> None:
    """Remove a converted model whose files are damaged."""
    shutil.rmtree(find_cached_folder(*_identify(kind, name)), ignore_errors=True)


def _identify(kind: str, name: str) -> tuple[str, str]:
    """Return the name of a model's folder in the cache, and the version of its conversion."""
    openvino = importlib.metadata.version("openvino")
    return f"{kind}-{fingerprint_model(name, kind)}", f"openvino-{openvino}-{_FORMAT}"


def _convert(convert: Callable[[str, Path], dict[str, float]], name: str, folder: Path) -> None:
    """Convert a model, and write which precisions give PyTorch's vectors, or why it cannot be converted."""
    precisions, reason = [], ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of branches that tracing does not follow
            cosines = convert(name, folder)
        precisions = [precision for precision, cosine in cosines.items() if cosine >= MIN_COSINE]
        if "float32" not in precisions:
            reason = f"its vectors differ from PyTorch's (cosine {cosines['float32']:.4f})"
    except (UserError, OSError):
        raise
    except MemoryError:
        raise ConversionError("there is not enough memory to convert it") from None
    except Exception as error:  # torch and OpenVINO raise errors of many types
        name = "" if isinstance(error, ConversionError) else f"{type(error).__name__}: "
        reason = shorten_reason(f"{name}{error}")
    if reason:
        for file in folder.iterdir():
            file.unlink()
    outcome = {"precisions": precisions, "reason": reason}
    (folder / OUTCOME_FILE).write_text(json.dumps(outcome), "utf-8")


def _convert_clip(name: str, folder: Path) -> dict[str, float]:
    """Convert CLIP; return the lowest cosine similarity to PyTorch's vectors by precision."""
    model = TorchClip(name, fetch_model(name, "clip"), Runtime("torch", "cpu", "float32"))
    settings = {"preparation": _get_preparation(model), "tokenizer": asdict(model.get_tokenizer_settings())}
    (folder / "model.json").write_text(json.dumps(settings), "utf-8")
    save_tokenizer(model.tokenizer, model.get_tokenizer_settings(), folder)
    tokens = model.tokenize(list(_CHECKED_TEXTS))
    _save_network(model.module, model.embed_pixels, {"pixels": _draw_pixels(model)}, folder / "image.xml")
    _save_network(model.module, model.embed_tokens, tokens, folder / "text.xml", dynamic_axes=(0, 1))
    # the texts also one by one: with other batch sizes and lengths than those of the conversion
    batches = [tokens, *(model.tokenize([text]) for text in _CHECKED_TEXTS[::2])]
    pictures = [_draw_pixels(model, count) for count in (1, 5)]
    cosines = {}
    for precision in _PRECISIONS:
        converted = OpenvinoClip(lambda: folder, Runtime("openvino", "cpu", precision))
        _check_preparation(model, converted)
        if any(
            not np.array_equal(ids, tokens[key])
            for key, ids in converted.tokenize(list(_CHECKED_TEXTS)).items()
        ):
            raise ConversionError("its tokenizer gives other tokens without transformers")
        pairs = [(model.encode_tokens(batch), converted.encode_tokens(batch)) for batch in batches]
        pairs += [(model.encode_pixels(pixels), converted.encode_pixels(pixels)) for pixels in pictures]
        cosines[precision] = float(np.min([_compute_min_cosine(*pair) for pair in pairs]))
    return cosines


def _convert_vit(name: str, folder: Path) -> dict[str, float]:
    """Convert ViT; return the lowest cosine similarity to PyTorch's vectors by precision."""
    model = TorchVit(name, fetch_model(name, "vit"), Runtime("torch", "cpu", "float32"))
    settings = {"preparation": _get_preparation(model), "labels": model.labels}
    (folder / "model.json").write_text(json.dumps(settings), "utf-8")
    _save_network(model.module, model.embed_pixels, {"pixels": _draw_pixels(model)}, folder / "image.xml")
    pictures = [_draw_pixels(model, count) for count in (1, 5)]
    cosines = {}
    for precision in _PRECISIONS:
        converted = OpenvinoVit(lambda: folder, Runtime("openvino", "cpu", precision))
        _check_preparation(model, converted)
        pairs = [(model.encode_pixels(p)[0], converted.encode_pixels(p)[0]) for p in pictures]
        cosines[precision] = float(np.min([_compute_min_cosine(*pair) for pair in pairs]))
    return cosines


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


def _compute_min_cosine(expected: np.ndarray, found: np.ndarray) -> float:
    """Return the lowest cosine similarity of two rows of unit vectors; NaN if one is not finite."""
    return float((expected * found).sum(axis=1).min())
