"""CLIP and ViT models converted to OpenVINO, which run on CPUs without torch and transformers.

A model is converted from PyTorch when it is first used (`conversion`), and is read from the cache afterwards.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import types
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from imagesearch.features.image_preparation import ImagePreparation
from imagesearch.features.runtimes import Runtime
from imagesearch.features.tokenization import TokenizerSettings, load_tokenizer
from imagesearch.pipeline import count_cores

OUTCOME_FILE = "outcome.json"
"""File of a converted model that lists the precisions in which its vectors are PyTorch's."""

_PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}


def import_openvino() -> Any:
    """Import OpenVINO without its telemetry, which would send usage data over the network."""
    if "openvino" not in sys.modules:
        silent = types.ModuleType("openvino_telemetry")
        silent.Telemetry = _SilentTelemetry  # type: ignore[attr-defined]
        sys.modules["openvino_telemetry"] = silent
    import openvino

    return openvino


class _SilentTelemetry:
    """Replaces ``openvino_telemetry.Telemetry``: every method does nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


class _OpenvinoModel:
    """Base class: the settings of a converted model, and its networks, compiled when first used.

    Parameters
    ----------
    find_folder
        Returns the folder of the converted model. It is called whenever files are read, because the cache can
        be deleted at any time.
    runtime
        Its precision is ``float32`` or ``bfloat16``. OpenVINO computes in exactly this precision, or in
        float32 if the model's vectors are too inexact in it.
    discard
        Removes the folder if its files are damaged, so that the model is converted again.
    """

    def __init__(
        self, find_folder: Callable[[], Path], runtime: Runtime, discard: Callable[[], None] = lambda: None
    ) -> None:
        self._find_folder, self.runtime, self._discard = find_folder, runtime, discard
        self.settings = self._read(lambda folder: json.loads((folder / "model.json").read_text("utf-8")))
        self.preparation = ImagePreparation.from_dict(self.settings["preparation"])
        self.input_side, self.prepare = self.preparation.input_side, self.preparation.prepare
        self._loaded: dict[str, Any] = {}
        # Not functools.cached_property: in Python 3.11 all instances share its lock, which another instance
        # may hold while it waits for the conversion in which this one is checked.
        self._lock = threading.RLock()

    def _read(self, read: Callable[[Path], Any]) -> Any:
        """Return what is read from the folder; damaged files are replaced once."""
        try:
            return read(self._find_folder())
        except (OSError, ValueError, RuntimeError):
            self._discard()
            return read(self._find_folder())

    def _load_once(self, name: str, load: Callable[[], Any]) -> Any:
        """Return what ``load`` returns; it is called the first time only."""
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = load()
            return self._loaded[name]

    def _get_network(self, name: str) -> Any:
        """Return a compiled network, which is read when it is first used."""
        return self._load_once(name, lambda: self._read(partial(self._compile, name)))

    def _compile(self, name: str, folder: Path) -> Any:
        outcome = folder / OUTCOME_FILE  # not there yet while a conversion is checked
        precision = self.runtime.precision
        if outcome.is_file() and precision not in json.loads(outcome.read_text("utf-8"))["precisions"]:
            precision = "float32"
        return compile_network(folder / f"{name}.xml", precision)

    def _run(self, name: str, *inputs: np.ndarray) -> list[np.ndarray]:
        """Run a network. Its memory is used by one thread at a time."""
        network = self._get_network(name)
        with self._lock:
            return run_network(network, *inputs)


class OpenvinoClip(_OpenvinoModel):
    """A dual encoder of photos and texts."""

    def tokenize(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """Return ``input_ids``, and ``attention_mask`` if the model receives one, (n, tokens) int64."""
        return self._get_tokenizer().tokenize(texts)

    def encode_pixels(self, pixels: np.ndarray) -> np.ndarray:
        """Encode prepared photos, (n, 3, height, width) uint8, as unit vectors, (n, d) float32."""
        return self._run("image", pixels)[0]

    def encode_tokens(self, tokens: dict[str, np.ndarray]) -> np.ndarray:
        """Encode tokens as unit vectors, (n, d) float32."""
        return self._run("text", *tokens.values())[0]

    def load_text_network(self) -> None:
        """Load what texts require, before the first text is encoded."""
        self._get_tokenizer()
        self._get_network("text")

    def _get_tokenizer(self) -> Any:
        settings = TokenizerSettings(**self.settings["tokenizer"])
        return self._load_once("tokenizer", lambda: self._read(partial(load_tokenizer, settings)))


class OpenvinoVit(_OpenvinoModel):
    """A vision transformer with a classification head; see `torch_models.TorchVit`."""

    def __init__(
        self, find_folder: Callable[[], Path], runtime: Runtime, discard: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(find_folder, runtime, discard)
        self.labels: list[str] = self.settings["labels"]

    def encode_pixels(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Encode prepared photos, (n, 3, height, width) uint8, and classify them.

        Returns
        -------
        features : (n, d) float32
            Unit vectors.
        probabilities : (n, labels) float32
        """
        features, probabilities = self._run("image", pixels)
        return features, probabilities


def compile_network(file: Path, precision: str) -> Any:
    """Read and compile a network for the CPU, in a precision that is set and never left to the library."""
    openvino = import_openvino()
    settings = {"INFERENCE_PRECISION_HINT": _PRECISIONS[precision], "PERFORMANCE_HINT": "LATENCY"}
    if count_cores() < (os.cpu_count() or 1):  # OpenVINO does not read OMP_NUM_THREADS
        settings["INFERENCE_NUM_THREADS"] = count_cores()
    return openvino.Core().compile_model(str(file), "CPU", settings)


def run_network(network: Any, *inputs: np.ndarray) -> list[np.ndarray]:
    """Return the outputs of a network, float32. OpenVINO reuses the memory of outputs, so they are copied."""
    outputs = network(list(inputs))
    return [np.array(outputs[i], np.float32) for i in range(len(network.outputs))]
