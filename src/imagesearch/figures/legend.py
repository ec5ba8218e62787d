"""Legends: how many groups of photos have a colour of their own, and what all others share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from imagesearch.figures.style import INK, shorten_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_GROUPS = 8
"""So many classes or people have a colour of their own; the others share one."""
OTHERS, NOBODY = " others", " nobody known"
"""Groups of all others, and of photos without a known person. No name begins with a space."""
GREYS = {OTHERS: "#9fb3c8", NOBODY: "#d5dae0"}


def draw_legend(figure: Figure, handles: Sequence[Any], names: Sequence[str]) -> None:
    """Draw a legend on the right, whatever letters a name has."""
    legend = figure.legend(handles, [""] * len(names), loc="outside right upper", frameon=False)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set(text=shorten_text(name.strip(), 28), parse_math=False, color=INK)
