"""A grid in a window: keys turn its pages, a click opens a photo large, with what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from PIL import Image

from imagesearch.figures.display import fit_text, new_figure, open_window
from imagesearch.figures.grids import draw_faces
from imagesearch.figures.style import ACCENT, INK, QUIET, choose_person_colour, escape_undecodable
from imagesearch.search import SearchResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import KeyEvent, MouseEvent
    from matplotlib.figure import Figure

WINDOW_INCHES = (12.4, 6.3)
"""With title bar and tool bar the smallest usual screens, 1366 by 768 pixels, hold it."""
_FOOT = 0.045  # of the height, for the line that says what can be done
_PANEL = 0.30  # of the width, for what is known of a photo
_SHARP = 1600  # pixels; a window that is made larger later need not show a blurred photo
_STEPS = {"right": 1, "down": 1, "pagedown": 1, "left": -1, "up": -1, "pageup": -1}
_ENDS = {"home": 0, "end": -1}
_LETTERS, _MOST_LINES = 40, 6  # of the panel: in a line, and of one fact
_LEAST_PROBABLE = 0.005  # less would be shown as 0%


@dataclass(frozen=True)
class DetailSection:
    """Something known of a photo: a heading, lines below it, and the colours of these if they have any."""

    heading: str
    lines: tuple[str, ...]
    colours: tuple[str, ...] = ()


@dataclass(frozen=True)
class Detail:
    """A photo as it is shown large: upright, or None and why; its title, and what is known of it."""

    image: Image.Image | None
    title: str
    facts: tuple[DetailSection, ...]
    missing: str = "not there any more"
    faces: Sequence[tuple[Sequence[float], str]] = ()
    """Box in pixels of the image, and name, of those to be marked on it."""
    cast: Sequence[str] = ()


@dataclass(frozen=True)
class PagedPhotos:
    """What a window turns the pages of.

    Attributes
    ----------
    title : str
        Of the window.
    pages : sequence of range
        The numbers of the photos on each page, from 0; at least one page, which may be empty.
    draw : callable
        Draws the photos of a page on an empty figure and returns the axes of each.
    open : callable
        Returns one photo as it is shown large, given its number and the pixels of the longer side.
    """

    title: str
    pages: Sequence[range]
    draw: Callable[[Figure, range], Sequence[Axes]]
    open: Callable[[int, int], Detail]

    def __len__(self) -> int:
        return sum(map(len, self.pages))


class Viewer:
    """An album on a figure: which page, which photo is open, and what clicks and keys do.

    Parameters
    ----------
    album
        What is shown.
    figure
        Empty; of any backend, so that all of it can be tried without a window.
    """

    def __init__(self, album: PagedPhotos, figure: Figure) -> None:
        self.album, self.figure = album, figure
        self.page = 0
        self.opened: int | None = None
        self._axes: Sequence[Axes] = ()
        manager = figure.canvas.manager
        if manager is not None:  # its left and right would go through views of zoomed axes
            figure.canvas.mpl_disconnect(manager.key_press_handler_id)
        figure.canvas.mpl_connect("key_press_event", self._on_key)
        figure.canvas.mpl_connect("button_press_event", self._on_click)
        self._draw()

    def press(self, key: str) -> bool:
        """Do what a key says; False if it says nothing here."""
        if self.opened is not None and key in ("escape", "backspace", "enter"):
            self.close()
        elif self.opened is None and key == "enter" and len(self.album):
            self.open(self.album.pages[self.page].start)
        elif key in _STEPS or key in _ENDS:
            count = len(self.album.pages) if self.opened is None else len(self.album)
            now = self.page if self.opened is None else self.opened
            there = _ENDS[key] % count if key in _ENDS else min(max(now + _STEPS[key], 0), count - 1)
            if there != now:
                self._go(there)
        else:
            return False
        return True

    def click(self, x: float, y: float) -> None:
        """Open the photo at a place in pixels of the canvas, or go back from an open one."""
        if self.opened is not None:
            self.close()
            return
        for number, axis in zip(self.album.pages[self.page], self._axes, strict=True):
            title = axis.title.get_window_extent()
            if axis.get_window_extent().contains(x, y) or title.contains(x, y):
                self.open(number)
                return

    def open(self, number: int) -> None:
        """Show one photo large."""
        self.opened = number
        self._draw()

    def close(self) -> None:
        """Go back to the page with the photo that was open."""
        self.page = next(i for i, page in enumerate(self.album.pages) if self.opened in page)
        self.opened = None
        self._draw()

    @property
    def foot(self) -> str:
        """What the figure's last line says: where one is, and what can be done."""
        if self.opened is not None:
            return f"{self.opened + 1} of {len(self.album)}   ·   ← → other photos   ·   click or Esc: back"
        pages = len(self.album.pages)
        turn = f"page {self.page + 1} of {pages}   ·   ← → turn pages   ·   " if pages > 1 else ""
        return f"{turn}click a photo to see it large" if len(self.album) else ""

    def _go(self, there: int) -> None:
        if self.opened is None:
            self.page = there
        else:
            self.opened = there
        self._draw()

    def _draw(self) -> None:
        figure = self.figure
        figure.clear()
        if self.opened is None:
            figure.set_layout_engine("constrained", rect=(0, _FOOT, 1, 1 - _FOOT))
            self._axes = self.album.draw(figure, self.album.pages[self.page])
        else:
            figure.set_layout_engine("none")
            sharp = max(_SHARP, round(max(figure.bbox.width, figure.bbox.height)))
            draw_detail(figure, self.album.open(self.opened, sharp))
        figure.text(0.5, _FOOT / 3, self.foot, ha="center", size=8.5, color=QUIET, in_layout=False)
        toolbar = figure.canvas.toolbar
        if toolbar is not None:
            toolbar.update()  # forgets the views of axes that are gone
        figure.canvas.draw_idle()

    def _on_key(self, event: KeyEvent) -> None:
        from matplotlib.backend_bases import key_press_handler

        if event.key and not self.press(event.key) and event.key in _list_figure_keys():
            key_press_handler(event)

    def _on_click(self, event: MouseEvent) -> None:
        toolbar = self.figure.canvas.toolbar
        zooms = toolbar is not None and bool(toolbar.mode)
        # of a double click the first one has opened the photo; the second must not shut it again
        if event.button == 1 and not event.dblclick and not zooms:
            self.click(event.x, event.y)


def _list_figure_keys() -> set[str]:
    """What closes, fills the screen, saves and zooms in every figure; not what draws grids and logarithms."""
    from matplotlib import rcParams

    kinds = ("quit", "fullscreen", "save", "pan", "zoom", "home")
    return {key for kind in kinds for key in rcParams[f"keymap.{kind}"]}


def open_viewer(album: PagedPhotos) -> None:
    """Show an album in a window, and wait until it is closed."""
    import matplotlib.pyplot as plt

    figure = new_figure(WINDOW_INCHES)
    browser = Viewer(album, figure)  # a callback alone would not keep it alive
    open_window(browser.figure, album.title)
    plt.close(figure)


def split_pages(count: int, most: int) -> list[range]:
    """Part some photos into pages of so many at most; without photos there is one empty page."""
    return [range(start, min(start + most, count)) for start in range(0, max(count, 1), most)]


def describe_result(
    result: SearchResult, classes: Sequence[tuple[str, float]] = (), cast: Sequence[str] = ()
) -> tuple[DetailSection, ...]:
    """Return what is known of a result: people, time, place, classes, score, file.

    Parameters
    ----------
    result
        Of an answer.
    classes
        Its labels with probabilities, if more are known than the result's own.
    cast
        All named people, for their colours.
    """
    if result.class_label and not classes:
        classes = ((result.class_label, result.class_score),)
    place = result.address or ", ".join(filter(None, (result.city, result.country)))
    score = f"score {result.score:.4f}" if result.score is not None else ""
    fit = (
        f"fit {result.calibrated_score:.2f} (0.5 and more: it shows that)"
        if result.calibrated_score is not None
        else ""
    )
    facts = (
        DetailSection(
            "people", result.people, tuple(choose_person_colour(name, cast) for name in result.people)
        ),
        DetailSection("time", (_format_day(result.taken_at),) if result.taken_at else ()),
        DetailSection("place", (place,) if place else ()),
        DetailSection("shows", tuple(f"{label}  {p:.0%}" for label, p in classes if p >= _LEAST_PROBABLE)),
        DetailSection("match", tuple(filter(None, (score, fit)))),
        DetailSection("file", (result.path,)),
    )
    return tuple(fact for fact in facts if fact.lines)


def draw_detail(figure: Figure, detail: Detail) -> None:
    """Draw a photo as large as an empty figure holds it, and beside it what is known of it."""
    picture = figure.add_axes((0.01, _FOOT + 0.02, 0.98 - _PANEL, 0.96 - _FOOT))
    picture.axis("off")
    if detail.image is None:
        style = {"ha": "center", "color": QUIET, "wrap": True, "parse_math": False}
        picture.text(0.5, 0.5, escape_undecodable(detail.missing), **style)
        picture.set(xlim=(0, 1), ylim=(0, 1))
    else:
        picture.imshow(detail.image)
        draw_faces(picture, detail.faces, detail.cast)
    panel = figure.add_axes((1 - _PANEL + 0.01, _FOOT + 0.02, _PANEL - 0.02, 0.96 - _FOOT))
    panel.axis("off")
    for most in range(_MOST_LINES, 1, -1):  # of each fact, until all have room
        for text in list(panel.texts):
            text.remove()
        if _fill_panel(panel, detail, most) <= panel.bbox.height * 72 / figure.dpi:
            break


def _fill_panel(panel: Axes, detail: Detail, most: int) -> float:
    """Write what is known of a photo, of each fact so many lines at most; return the height in points."""
    below = _write_text(panel, detail.title, 0, min(most, 3), size=12, color=ACCENT, weight="bold")
    for fact in detail.facts:
        below = _write_text(panel, fact.heading, below + 9, 1, size=8, color=QUIET)
        shown = fact.lines if len(fact.lines) <= most else fact.lines[: most - 1]
        for i, line in enumerate(shown):
            style = {"color": fact.colours[i], "weight": "bold"} if fact.colours else {"color": INK}
            below = _write_text(panel, line, below, most if len(fact.lines) == 1 else 1, size=10, **style)
        if len(shown) < len(fact.lines):
            more = f"+{len(fact.lines) - len(shown)} more"
            below = _write_text(panel, more, below, 1, size=10, color=QUIET)
    return below


def _write_text(panel: Axes, words: str, below: float, most: int, size: float, **style: str) -> float:
    """Write words into a panel, so many points below its top; return how many points below they end."""
    # in points, so that the panel stays as it is when the window grows
    points = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
    more = {"size": size, "va": "top", "linespacing": 1.25, "parse_math": False}
    text = panel.annotate("", (0, 1), (0, -below), **points, **more, **style)
    fit_text(text, words, panel.bbox.width, _LETTERS, most)
    return below + (text.get_text().count("\n") + 1) * size * 1.5


def _format_day(taken_at: str) -> str:
    time = datetime.fromisoformat(taken_at)
    return f"{time:%A}, {time.day} {time:%B %Y, %H:%M}"
