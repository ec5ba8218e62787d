"""The random generator and the random choice that all rooms of the demo use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Rng = np.random.Generator


def pick_option(rng: Rng, options: Sequence) -> Any:
    """Return a random option; all options are equally likely."""
    return options[int(rng.integers(len(options)))]
