"""Runtimes: the device and the precision of a model, chosen once per process.

A runtime is a library that computes a model's forward pass, on a device and in a precision. The only library
at present is PyTorch. Another one, such as OpenVINO on CPUs, should be chosen here too, so that libraries,
devices and precisions are all listed in one place. If its vectors differ from PyTorch's, it must become part
of `imagesearch.features.encoders.fingerprint_encoder`, as the precision is.
"""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Runtime:
    """A torch device, and the data type of a model's weights on it."""

    device: str
    precision: str

    @classmethod
    def choose(cls, device: str = "auto", precision: str = "auto") -> Runtime:
        """Return a runtime with the requested device, or with the CPU if that device is not available.

        Parameters
        ----------
        device
            ``auto`` chooses the first available of CUDA, MPS and CPU.
        precision
            ``auto`` chooses bfloat16 on CUDA and on CPUs that compute in it (AVX512-BF16, AMX, ARM's BF16),
            where it triples the speed, and float32 elsewhere.
        """
        return _choose_runtime(device, precision)

    def get_torch_dtype(self) -> torch.dtype:
        """Return the precision as a torch data type."""
        import torch

        return getattr(torch, self.precision)


@functools.cache  # the message about a missing device is printed only once
def _choose_runtime(device: str, precision: str) -> Runtime:
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    chosen = next(name for name, usable in available.items() if usable) if device == "auto" else device
    if not available[chosen]:
        print(f"models.device: {device} is not available here; using the cpu", file=sys.stderr)
        chosen = "cpu"
    if precision == "auto":
        precision = "bfloat16" if _supports_bfloat16(chosen) else "float32"
    return Runtime(chosen, precision)


def _supports_bfloat16(device: str) -> bool:
    import torch

    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return device == "cpu" and any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
