"""Runtimes: which library computes a model's forward pass, on which device, in which precision.

There are two libraries: PyTorch, and OpenVINO on CPUs. Both give the same vectors (cosine at least 0.999),
so the library is not part of a table's fingerprint; the precision is. Devices and precisions are detected
without importing PyTorch, which takes seconds.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_CPU_FLAGS_FOR_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}
# The first compute capability of NVIDIA GPUs that computes in bfloat16.
_CUDA_CAPABILITY_FOR_BFLOAT16 = 8
_CUDA_ATTRIBUTE_CAPABILITY_MAJOR = 75  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR of the CUDA driver


@dataclass(frozen=True)
class Runtime:
    """A library, a device, and the data type that a model computes in.

    Attributes
    ----------
    library : str
        ``"openvino"`` or ``"torch"``. With OpenVINO, a model that cannot be converted runs on PyTorch.
    device : str
        ``"cpu"``, ``"cuda"`` or ``"mps"``.
    precision : str
        ``"float32"``, ``"bfloat16"`` or ``"float16"``.
    """

    library: str
    device: str
    precision: str

    @classmethod
    def choose(cls, device: str = "auto", precision: str = "auto", library: str = "auto") -> Runtime:
        """Return a runtime with the requested device, or with the CPU if that device is not available.

        Parameters
        ----------
        device
            ``auto`` chooses the first available of CUDA, MPS and CPU.
        precision
            ``auto`` chooses bfloat16 on CUDA and on CPUs that compute in it (AVX512-BF16, AMX, ARM's BF16),
            where it triples the speed, and float32 elsewhere.
        library
            ``auto`` chooses OpenVINO on CPUs, and PyTorch elsewhere.
        """
        return _choose_runtime(device, precision, library)

    def get_torch_dtype(self) -> torch.dtype:
        """Return the precision as a torch data type."""
        import torch

        return getattr(torch, self.precision)


@functools.cache  # the message about a missing device is printed only once
def _choose_runtime(device: str, precision: str, library: str) -> Runtime:
    chosen = (
        next(name for name in ("cuda", "mps", "cpu") if _is_available(name)) if device == "auto" else device
    )
    if not _is_available(chosen):
        print(f"models.device: {device} is not available here; using the cpu", file=sys.stderr)
        chosen = "cpu"
    if precision == "auto":
        precision = "bfloat16" if _supports_bfloat16(chosen) else "float32"
    runs_on_openvino = library != "torch" and chosen == "cpu" and precision != "float16"
    return Runtime("openvino" if runs_on_openvino else "torch", chosen, precision)


def _is_available(device: str) -> bool:
    if device == "cpu":
        return True
    if device == "mps":
        return platform.system() == "Darwin" and platform.machine() == "arm64"
    return _is_torch_built_for_gpus() and (_is_torch_built_for_rocm() or _get_cuda_capability() > 0)


def _supports_bfloat16(device: str) -> bool:
    if device == "cuda":
        return _is_torch_built_for_rocm() or _get_cuda_capability() >= _CUDA_CAPABILITY_FOR_BFLOAT16
    return device == "cpu" and bool(_CPU_FLAGS_FOR_BFLOAT16 & _read_cpu_flags())


def _read_cpu_flags() -> set[str]:
    """Return the instruction sets of the CPU; none on systems other than Linux."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return set()
    lines = re.findall(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
    return set(lines[0].split()) if lines else set()


def _is_torch_built_for_gpus() -> bool:
    return bool(re.search(r"^(?:cuda|hip)\b[^=\n]*= *'", _read_torch_version_file(), re.MULTILINE))


def _is_torch_built_for_rocm() -> bool:
    return bool(re.search(r"^hip\b[^=\n]*= *'", _read_torch_version_file(), re.MULTILINE))


@functools.cache
def _read_torch_version_file() -> str:
    """Return the text of torch/version.py, which says what the installed PyTorch was built for."""
    spec = importlib.util.find_spec("torch")
    try:
        return (Path(spec.origin).parent / "version.py").read_text("utf-8") if spec and spec.origin else ""
    except OSError:
        return ""


@functools.cache
def _get_cuda_capability() -> int:
    """Return the major compute capability of the first NVIDIA GPU; 0 if there is none."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return 0
    device, major = ctypes.c_int(), ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(device), 0):
        return 0
    status = driver.cuDeviceGetAttribute(ctypes.byref(major), _CUDA_ATTRIBUTE_CAPABILITY_MAJOR, device)
    return 0 if status else major.value
