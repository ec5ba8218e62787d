"""Random choices that the drawing, the album and the scoring make alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Rng = np.random.Generator


def pick_option(rng: Rng, options: Sequence) -> Any:
    """Return one of some options, each as likely."""
    return options[int(rng.integers(len(options)))]
