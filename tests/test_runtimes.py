"""The choice of a library, a device and a precision, without importing torch."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesearch.config import ModelsConfig
from imagesearch.features import runtimes as runtimes_module
from imagesearch.features.encoders import _choose_settings
from imagesearch.features.runtimes import Runtime


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("cpu", "float32", "auto"), Runtime("openvino", "cpu", "float32")),
        (("cpu", "float32", "torch"), Runtime("torch", "cpu", "float32")),
        (("cpu", "float16", "auto"), Runtime("torch", "cpu", "float16")),
        (("cpu", "bfloat16", "openvino"), Runtime("openvino", "cpu", "bfloat16")),
    ],
)
def test_the_runtime_follows_device_precision_and_library(arguments: tuple, expected: Runtime) -> None:
    assert Runtime.choose(*arguments) == expected


def test_the_precision_of_the_cpu_is_the_one_that_torch_detects() -> None:
    import torch

    capabilities = torch.cpu.get_capabilities()
    has_bfloat16 = any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    assert Runtime.choose("cpu").precision == ("bfloat16" if has_bfloat16 else "float32")


class FakeDriver:
    """The functions of the CUDA driver that are called, for a GPU of a compute capability."""

    def __init__(self, major: int, status: int = 0) -> None:
        self.major, self.status = major, status

    def cuInit(self, _: int) -> int:  # noqa: N802 - the driver's name
        return self.status

    def cuDeviceGet(self, _device: object, _ordinal: int) -> int:  # noqa: N802 - the driver's name
        return 0

    def cuDeviceGetAttribute(self, value: object, attribute: int, _device: object) -> int:  # noqa: N802 - the driver's name
        assert attribute == 75
        value._obj.value = self.major
        return 0


@pytest.mark.parametrize(
    ("torch_build", "driver", "expected"),
    [
        ("cuda: Optional[str] = '12.8'", FakeDriver(8), Runtime("torch", "cuda", "bfloat16")),
        ("cuda: Optional[str] = '12.8'", FakeDriver(7), Runtime("torch", "cuda", "float32")),
        ("cuda: Optional[str] = '12.8'", FakeDriver(8, status=100), None),
        ("cuda: Optional[str] = '12.8'", None, None),
        ("cuda: Optional[str] = None", FakeDriver(8), None),
        (
            "cuda: Optional[str] = None\nhip: Optional[str] = '6.2'",
            None,
            Runtime("torch", "cuda", "bfloat16"),
        ),
    ],
)
def test_a_gpu_is_found_without_torch(
    torch_build: str, driver: FakeDriver | None, expected: Runtime | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_driver(name: str) -> FakeDriver:
        if driver is None:
            raise OSError(name)
        return driver

    monkeypatch.setattr(runtimes_module.ctypes, "CDLL", open_driver)
    monkeypatch.setattr(runtimes_module, "_read_torch_version_file", lambda: torch_build)
    monkeypatch.setattr(runtimes_module.platform, "system", lambda: "Linux")
    for function in (runtimes_module._choose_runtime, runtimes_module._get_cuda_capability):
        function.cache_clear()
    try:
        chosen = Runtime.choose("auto")
    finally:
        for function in (runtimes_module._choose_runtime, runtimes_module._get_cuda_capability):
            function.cache_clear()
    assert chosen == expected if expected else chosen.device == "cpu"


def test_queries_are_encoded_on_the_cpu_in_a_precision_that_it_has() -> None:
    settings = {"device": "cuda", "precision": "float16", "runtime": "auto"}
    models = ModelsConfig.model_validate(settings, context={"base": Path()})
    assert _choose_settings(models, on_cpu=False) == ("cuda", "float16", "auto")
    assert _choose_settings(models, on_cpu=True) == ("cpu", "auto", "auto")
    assert _choose_settings(models.model_copy(update={"precision": "float32"}), on_cpu=True)[1] == "float32"
