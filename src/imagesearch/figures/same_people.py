"""The question whether two people are the same: their faces side by side, answered by a key in the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imagesearch.faces import SHOWN_FACES, People, Side, Suggestion
from imagesearch.figures.display import (
    can_open_window,
    create_figure,
    open_window,
    report_figure_path,
    show_figure,
)
from imagesearch.figures.grids import Tile, fill_sheet
from imagesearch.figures.show_people import crop_faces, load_face_detail
from imagesearch.figures.viewer import WINDOW_INCHES, Detail, PagedPhotos, Viewer
from imagesearch.pipeline import Dataset

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 4
_ROWS = SHOWN_FACES // _COLUMNS
_KEYS = {"y": "yes", "n": "no", "s": "skip", "b": "back", "u": "undo", "q": "quit"}
_FOOTER = "the same?   ·   y: yes   ·   n: no   ·   s: skip   ·   b: back   ·   u: undo   ·   q: quit"


class SameViewer(Viewer):
    """Shows the faces of two people. A key that answers closes the window.

    Attributes
    ----------
    reply : str
        ``yes``, ``no``, ``skip``, ``back``, ``undo`` or ``quit``; empty as long as no key was pressed.
    """

    reply = ""

    def handle_key(self, key: str) -> bool:
        """Handle a key; return False if it has no function here."""
        if key not in _KEYS:
            return super().handle_key(key)
        import matplotlib.pyplot as plt

        self.reply = _KEYS[key]
        plt.close(self.figure)
        return True

    @property
    def footer(self) -> str:
        """The last line of the figure: the keys."""
        return _FOOTER if self.open_number is None else f"{super().footer}   ·   {_FOOTER}"


def ask_same(
    suggestion: Suggestion, people: People, dataset: Dataset, save: Path | None, window: bool
) -> str | None:
    """Show the faces of two people side by side, and return the answer of the window.

    Without a window, the figure is saved, and the path is printed.

    Returns
    -------
    reply : str or None
        An answer as in `SameViewer`; empty if the window was closed without one. None if there is no window.
    """
    photos = make_question(suggestion, people, dataset)
    title = f"same {suggestion.one.selector} {suggestion.other.selector}"
    window = window and can_open_window()
    if save or not window:
        figure = create_figure((WINDOW_INCHES[0], WINDOW_INCHES[1] * 0.72))
        photos.draw_page(figure, photos.pages[0])
        report_figure_path(show_figure(figure, title, save=save, window=False))
    if not window:
        return None
    viewer = SameViewer(photos, create_figure(WINDOW_INCHES))
    open_window(viewer.figure, photos.title)
    return viewer.reply


def make_question(suggestion: Suggestion, people: People, dataset: Dataset) -> PagedPhotos:
    """Return the faces of both sides as one page, for a window or a figure."""
    sides = [_FaceBlock(side, people, dataset) for side in (suggestion.one, suggestion.other)]
    faces = [row for side in sides for row in side.rows]

    def draw_page(figure: Figure, page: range) -> list[Axes]:
        parts = figure.subfigures(1, 2, wspace=0.04)
        return [
            axis
            for part, side in zip(parts, sides, strict=True)
            for axis in fill_sheet(part, side.sheet, _COLUMNS, people.cast)
        ]

    def load_detail(number: int, pixels: int) -> Detail:
        return load_face_detail(people, dataset, faces[number], pixels)

    return PagedPhotos("Are these the same?", [range(len(faces))], draw_page, load_detail)


class _FaceBlock:
    """The best faces of one side, cropped once, in rows under one heading."""

    def __init__(self, side: Side, people: People, dataset: Dataset) -> None:
        self.rows = side.rows[:SHOWN_FACES].tolist()
        titles = {
            int(person.rows[place]): f"{person.number}.{place + 1}"
            for person in people.persons
            for place in np.flatnonzero(np.isin(person.rows, self.rows)).tolist()
        }
        tiles = crop_faces(people, self.rows, [titles[row] for row in self.rows], dataset)
        number = f"{side.number} · " if side.name else ""
        heading = f"{number}{side.label} ({len(side.rows)} face{'' if len(side.rows) == 1 else 's'})"
        self.sheet: list[tuple[str, list[Tile]]] = [(heading, tiles[:_COLUMNS]), ("", tiles[_COLUMNS:])]
