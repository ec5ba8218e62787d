"""A window with pages of photos: keys turn the pages, and a click shows a photo large with its details."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from imagesearch.figures.display import (
    can_open_window,
    create_figure,
    fit_text,
    measure_text,
    open_window,
    report_figure_path,
    show_figure,
)
from imagesearch.figures.grids import LabelledBox, draw_faces
from imagesearch.figures.style import ACCENT, INK, QUIET, make_drawable, wrap_path, wrap_text
from imagesearch.text_table import fit_names

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import KeyEvent, MouseEvent
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

WINDOW_INCHES = (12.4, 6.3)
"""With title bar and tool bar, the window fits the smallest common screens, 1366 by 768 pixels."""
FOOTER_HEIGHT = 0.045
"""Fraction of a window's height for the line that explains keys and clicks."""
_PANEL_WIDTH = 0.30  # fraction of the width, for the details of a photo
_MIN_PIXELS = 1600  # longer side of a large photo; it stays sharp if the window is enlarged later
_KEY_STEPS = {"right": 1, "down": 1, "pagedown": 1, "left": -1, "up": -1, "pageup": -1}
_KEY_ENDS = {"home": 0, "end": -1}
_NAME_GAP, _MORE_POINTS = 9, 60  # points between names, and for the number of names that do not fit
_PANEL_LETTERS, _MAX_LINES = 40, 6  # characters in a line of the panel, and lines in a section


@dataclass(frozen=True)
class DetailSection:
    """A section of a photo's details: a heading, the lines below it, and optionally their colours."""

    heading: str
    lines: tuple[str, ...]
    colours: tuple[str, ...] = ()


@dataclass(frozen=True)
class Detail:
    """A photo shown large with its details. The image is upright, or None with the reason."""

    image: Image.Image | None
    title: str
    sections: tuple[DetailSection, ...]
    missing_reason: str = "photo not found"
    faces: Sequence[LabelledBox] = ()
    """Boxes to draw on the image."""
    cast: Sequence[str] = ()
    """The names of all named people, for their colours."""


@dataclass(frozen=True)
class PagedPhotos:
    """Photos in pages, for a window.

    Attributes
    ----------
    title : str
        Title of the window.
    pages : sequence of range
        The numbers of the photos on each page, from 0. There is at least one page, which may be empty.
    draw_page : callable
        Draws the photos of a page on an empty figure and returns the axes or the picture of each photo.
    load_detail : callable
        Returns the details of a photo, given its number and the pixels of the longer side.
    """

    title: str
    pages: Sequence[range]
    draw_page: Callable[[Figure, range], Sequence[Artist]]
    load_detail: Callable[[int, int], Detail]

    def __len__(self) -> int:
        return sum(map(len, self.pages))


class Viewer:
    """Shows paged photos on a figure, and handles its clicks and keys.

    Parameters
    ----------
    photos
        The photos to show.
    figure
        An empty figure. It can have any backend, so that tests can run without a window.

    Attributes
    ----------
    page : int
        The current page. While a photo is open, the page from which it was opened.
    open_number : int or None
        The number of the photo that is shown large, if any.
    """

    def __init__(self, photos: PagedPhotos, figure: Figure) -> None:
        self.photos, self.figure = photos, figure
        self.page = 0
        self.open_number: int | None = None
        self._pictures: Sequence[Artist] = ()
        manager = figure.canvas.manager
        if manager is not None:  # matplotlib's own left and right keys switch between zoomed views
            figure.canvas.mpl_disconnect(manager.key_press_handler_id)
        figure.canvas.mpl_connect("key_press_event", self._handle_key_event)
        figure.canvas.mpl_connect("button_press_event", self._handle_click_event)
        self._redraw()

    def handle_key(self, key: str) -> bool:
        """Handle a key; return False if it has no function here."""
        if self.open_number is not None and key in ("escape", "backspace", "enter"):
            self.show_page()
        elif self.open_number is None and key == "enter" and len(self.photos):
            self.show_photo(self.photos.pages[self.page].start)
        elif key in _KEY_STEPS or key in _KEY_ENDS:
            self._turn_page(key)
        else:
            return False
        return True

    def handle_click(self, x: float, y: float) -> None:
        """Handle a click, in pixels of the canvas: close the open photo, or open the photo at this point."""
        if self.open_number is not None:
            self.show_page()
            return
        for number, picture in zip(self.photos.pages[self.page], self._pictures, strict=True):
            title = getattr(picture, "title", picture)  # of axes
            if any(artist.get_window_extent().contains(x, y) for artist in (picture, title)):
                self.show_photo(number)
                return

    def show_photo(self, number: int) -> None:
        """Show one photo large."""
        self.open_number = number
        self._redraw()

    def show_page(self) -> None:
        """Close the open photo, and show the page that it is on."""
        self.page = next(i for i, page in enumerate(self.photos.pages) if self.open_number in page)
        self.open_number = None
        self._redraw()

    @property
    def footer(self) -> str:
        """The last line of the figure: the number of the page or photo, and the keys and clicks."""
        if self.open_number is not None:
            position = f"{self.open_number + 1} of {len(self.photos)}"
            return f"{position}   ·   ← → other photos   ·   click or Esc: back"
        pages = len(self.photos.pages)
        turn = f"page {self.page + 1} of {pages}   ·   ← → turn pages   ·   " if pages > 1 else ""
        return f"{turn}click a photo to enlarge it" if len(self.photos) else ""

    def _turn_page(self, key: str) -> None:
        """Go to another page, or to another photo if one is open."""
        count = len(self.photos.pages) if self.open_number is None else len(self.photos)
        current = self.page if self.open_number is None else self.open_number
        if key in _KEY_ENDS:
            target = _KEY_ENDS[key] % count
        else:
            target = min(max(current + _KEY_STEPS[key], 0), count - 1)
        if target == current:
            return
        if self.open_number is None:
            self.page = target
        else:
            self.open_number = target
        self._redraw()

    def _redraw(self) -> None:
        figure = self.figure
        figure.clear()
        if self.open_number is None:
            figure.set_layout_engine("constrained", rect=(0, FOOTER_HEIGHT, 1, 1 - FOOTER_HEIGHT))
            self._pictures = self.photos.draw_page(figure, self.photos.pages[self.page])
        else:
            figure.set_layout_engine("none")
            pixels = max(_MIN_PIXELS, round(max(figure.bbox.width, figure.bbox.height)))
            draw_detail(figure, self.photos.load_detail(self.open_number, pixels))
        figure.text(0.5, FOOTER_HEIGHT / 3, self.footer, ha="center", size=8.5, color=QUIET, in_layout=False)
        toolbar = figure.canvas.toolbar
        if toolbar is not None:
            toolbar.update()  # discards the views of removed axes
        figure.canvas.draw_idle()

    def _handle_key_event(self, event: KeyEvent) -> None:
        from matplotlib.backend_bases import key_press_handler

        if event.key and not self.handle_key(event.key) and event.key in _list_figure_keys():
            key_press_handler(event)

    def _handle_click_event(self, event: MouseEvent) -> None:
        toolbar = self.figure.canvas.toolbar
        is_zooming = toolbar is not None and bool(toolbar.mode)
        # the first click of a double click opens a photo; the second one must not close it
        if event.button == 1 and not event.dblclick and not is_zooming:
            self.handle_click(event.x, event.y)


def _list_figure_keys() -> set[str]:
    """Return matplotlib's keys for quit, full screen, save and zoom; not those for grid and log scale."""
    from matplotlib import rcParams

    actions = ("quit", "fullscreen", "save", "pan", "zoom", "home")
    return {key for action in actions for key in rcParams[f"keymap.{action}"]}


def show_viewer(photos: PagedPhotos) -> None:
    """Show paged photos in a window, and wait until it is closed."""
    import matplotlib.pyplot as plt

    figure = create_figure(WINDOW_INCHES)
    viewer = Viewer(photos, figure)  # matplotlib's callbacks hold only a weak reference to it
    open_window(viewer.figure, photos.title)
    plt.close(figure)


def show_or_save(
    name: str,
    draw_all: Callable[[], Figure],
    make_pages: Callable[[], PagedPhotos],
    save: Path | None,
    window: bool,
    more_figures: Sequence[Callable[[], Figure]] = (),
) -> None:
    """Show pages in a window; save all as one figure if `save` is given or no window is shown.

    If there is more than one figure, the others are saved beside the first: FILE-2.png, FILE-3.png ...
    """
    window = window and can_open_window()
    first = show_figure(draw_all(), name, save=save, window=False) if save or not window else None
    report_figure_path(first)
    for number, draw_figure in enumerate(more_figures if save and first else (), 2):
        file = first.with_name(f"{first.stem}-{number}{first.suffix}")
        report_figure_path(show_figure(draw_figure(), name, save=file, window=False))
    if window:
        show_viewer(make_pages())


def split_pages(count: int, page_size: int) -> list[range]:
    """Split photos into pages of at most `page_size`; without photos there is one empty page."""
    return [range(start, min(start + page_size, count)) for start in range(0, max(count, 1), page_size)]


def draw_detail(figure: Figure, detail: Detail) -> None:
    """Draw a photo as large as fits on an empty figure, with its details beside it."""
    picture = figure.add_axes((0.01, FOOTER_HEIGHT + 0.02, 0.98 - _PANEL_WIDTH, 0.96 - FOOTER_HEIGHT))
    picture.axis("off")
    if detail.image is None:
        style = {"ha": "center", "color": QUIET, "wrap": True, "parse_math": False}
        picture.text(0.5, 0.5, make_drawable(detail.missing_reason), **style)
        picture.set(xlim=(0, 1), ylim=(0, 1))
    else:
        picture.imshow(detail.image)
        draw_faces(picture, detail.faces, detail.cast)
    panel = figure.add_axes(
        (1 - _PANEL_WIDTH + 0.01, FOOTER_HEIGHT + 0.02, _PANEL_WIDTH - 0.02, 0.96 - FOOTER_HEIGHT)
    )
    panel.axis("off")
    for max_lines in range(_MAX_LINES, 1, -1):  # fewer lines per section, until all sections fit
        for text in list(panel.texts):
            text.remove()
        if _fill_panel(panel, detail, max_lines) <= panel.bbox.height * 72 / figure.dpi:
            break


def _fill_panel(panel: Axes, detail: Detail, max_lines: int) -> float:
    """Draw all sections with at most `max_lines` lines each; return their total height in points."""
    bottom = _draw_text(panel, detail.title, 0, min(max_lines, 3), size=12, color=ACCENT, weight="bold")
    for section in detail.sections:
        bottom = _draw_text(panel, section.heading, bottom + 9, 1, size=8, color=QUIET)
        lines = section.lines
        if section.colours:
            bottom = _draw_names(panel, lines, section.colours, bottom, max_lines)
            continue
        shown = lines if len(lines) <= max_lines else lines[: max_lines - 1]
        wrap = wrap_path if section.heading == "file" else wrap_text
        for line in shown:
            limit = max_lines if len(lines) == 1 else 1
            bottom = _draw_text(panel, line, bottom, limit, wrap, size=10, color=INK)
        if len(shown) < len(lines):
            more = f"+{len(lines) - len(shown)} more"
            bottom = _draw_text(panel, more, bottom, 1, size=10, color=QUIET)
    return bottom


def _draw_names(
    panel: Axes, names: Sequence[str], colours: Sequence[str], offset: float, max_lines: int
) -> float:
    """Draw names side by side, as many as fit into `max_lines` lines; return the offset of the end."""
    points = 72 / panel.figure.dpi
    width, right, lines = panel.bbox.width * points, 0.0, 1
    for number, (name, colour) in enumerate(zip(names, colours, strict=True)):
        left = right + _NAME_GAP if right else 0
        text = _annotate(panel, left, offset + 11, size=10, va="baseline", color=colour, weight="bold")
        text.set_text(make_drawable(fit_names([name], _PANEL_LETTERS)))
        is_last = number == len(names) - 1
        space = width - (_MORE_POINTS if lines == max_lines and not is_last else 0)
        if left and left + measure_text(text) * points > space:
            if lines == max_lines:
                text.set(text=f"+{len(names) - number} more", color=QUIET, weight="normal")
                break
            left, lines, offset = 0, lines + 1, offset + 15
            text.set_position((left, -offset - 11))
        right = left + measure_text(text) * points
    return offset + 15


def _draw_text(
    panel: Axes,
    content: str,
    offset: float,
    max_lines: int,
    wrap: Callable[[str, int, int], str] = wrap_text,
    *,
    size: float,
    **style: str,
) -> float:
    """Draw a text in a panel at an offset in points below its top; return the offset of its end."""
    text = _annotate(panel, 0, offset, size, **style)
    fit_text(text, content, panel.bbox.width, _PANEL_LETTERS, max_lines, wrap)
    return offset + (text.get_text().count("\n") + 1) * size * 1.5


def _annotate(panel: Axes, left: float, offset: float, size: float, **style: str) -> Annotation:
    """Return an empty text at a position in points from the left and below the top of a panel."""
    # in points, so that the size of the window does not change the panel
    points = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
    more = {"size": size, "linespacing": 1.25, "parse_math": False} | {"va": "top", **style}
    return panel.annotate("", (0, 1), (left, -offset), **points, **more)
