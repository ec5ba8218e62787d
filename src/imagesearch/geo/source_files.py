"""Reads the files of other projects that are converted for this package, and writes the compact ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from imagesearch.errors import UserError
from imagesearch.files import atomic_write


@contextmanager
def expect_layout(source: Path, expected: str) -> Iterator[None]:
    """Turn errors that another layout of a file causes, inside the ``with`` block, into one of the user.

    Parameters
    ----------
    source
        The file.
    expected
        What it should be, for the message.
    """
    try:
        yield
    except (OSError, LookupError, TypeError, ValueError) as error:
        raise UserError(f"{source}: expected {expected} ({type(error).__name__}: {error})") from None


def write_arrays(target: Path, **arrays: np.ndarray) -> None:
    """Write arrays to a compressed file, at once."""
    with atomic_write(target) as unfinished, unfinished.open("wb") as file:
        np.savez_compressed(file, **arrays)
