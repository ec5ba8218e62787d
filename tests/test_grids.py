"""Grids and sheets of no, one and many pictures with unusual names; colours of people; saved figures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import draw
from matplotlib.figure import Figure
from PIL import Image

from imagesearch.figures import (
    Tile,
    draw_classifications,
    draw_contact_sheet,
    draw_result_grid,
    show_figure,
)
from imagesearch.figures.display import open_window
from imagesearch.figures.style import PALETTE, choose_person_colour

NAMES = [
    "IMG_0001.jpg",
    "a very long name of a photo that goes on.jpeg",
    "$x^2$ & 100%.png",
    "日本 😀.heic",
    "_",
]
pytestmark = pytest.mark.filterwarnings("ignore:Glyph")  # this machine may lack fonts for some names


def make_tiles(count: int) -> list[Tile]:
    shapes = [(96, 64), (64, 96), (200, 20), (20, 200)]
    return [Tile(draw(i, shapes[i % 4]), f"{i} · 0.3", NAMES[i % 5]) for i in range(count)]


def find_texts_outside(figure: Figure) -> list[str]:
    """Return the texts that extend beyond the edge of the figure."""
    figure.draw_without_rendering()
    boxes = [
        (text.get_text(), text.get_window_extent())
        for axis in figure.axes
        for text in [*axis.texts, axis.title]
        if text.get_text()
    ]
    page = figure.bbox.padded(1)
    return [text for text, box in boxes if not (page.contains(*box.min) and page.contains(*box.max))]


@pytest.mark.parametrize("count", [0, 1, 7, 60])
@pytest.mark.parametrize("image", [None, draw(99)], ids=["text", "photo"])
def test_a_grid_shows_every_result_and_every_complete_title(count: int, image: Image.Image | None) -> None:
    figure = draw_result_grid(
        "a sailing boat on a very wide sea at sunset with many clouds", make_tiles(count), image
    )
    shown = [axis for axis in figure.axes if axis.images]
    assert len(shown) == count + (image is not None)
    assert find_texts_outside(figure) == []
    plt.close(figure)


def test_a_grid_has_a_text_for_no_results_and_for_a_missing_photo() -> None:
    empty = draw_result_grid("unicorn", [])
    assert "nothing found" in [text.get_text() for axis in empty.axes for text in axis.texts]
    missing = draw_result_grid("boat", [Tile(None, "1 · 0.3", "missing.jpg")])
    assert "photo not found" in [text.get_text() for axis in missing.axes for text in axis.texts]
    plt.close("all")


def test_titles_do_not_overlap_in_a_large_grid() -> None:
    long = [
        Tile(draw(i), f"{i}", "a long name of a photo " * 3, ["Elisabeth von Hohenzollern"] * 2)
        for i in range(60)
    ]
    figure = draw_result_grid("boat", long)
    figure.draw_without_rendering()
    boxes = [axis.title.get_window_extent() for axis in figure.axes if axis.images]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])
    plt.close(figure)


@pytest.mark.filterwarnings("error:Glyph")
def test_an_emoji_that_no_font_has_is_left_out_instead_of_a_box() -> None:
    names = ["Ana 🎂 party.jpg", "🎂.jpg", "family 👨‍👩‍👧 ❤️.png", "Zoë ♥ Øre №5.jpg"]
    figure = draw_result_grid("🎂 cake", [Tile(draw(i), f"{i}", name) for i, name in enumerate(names)])
    figure.draw_without_rendering()
    drawn = [axis.get_title() for axis in figure.axes if axis.images]
    assert [title.split("\n")[1] for title in drawn][:2] == ["Ana party.jpg", ".jpg"]
    assert "family" in drawn[2] and "\u200d" not in drawn[2]
    assert "Zoë ♥ Øre №5.jpg" in drawn[3]  # the first font has all of these
    plt.close(figure)


@pytest.mark.parametrize("seed", range(20))
def test_as_many_named_people_as_there_are_colours_have_different_colours(seed: int) -> None:
    cast = [f"Name {seed} {i}" for i in range(len(PALETTE))]
    colours = [choose_person_colour(name, cast) for name in cast]
    assert sorted(colours) == sorted(PALETTE)
    assert [choose_person_colour(f"3 · {name}", cast) for name in cast] == colours
    # naming one more person changes nobody's colour
    for count in range(len(cast)):
        assert [choose_person_colour(name, cast[:count]) for name in cast[:count]] == colours[:count]
    assert choose_person_colour(cast[0], [*cast, "One", "More"]) == colours[0]
    assert choose_person_colour("More", [*cast, "One", "More"]) in PALETTE


def test_the_colour_of_a_name_does_not_depend_on_the_figure() -> None:
    assert choose_person_colour("Maya") == choose_person_colour("7 · Maya")
    assert choose_person_colour("Maya", ["Kim"]) in PALETTE


def test_people_without_a_name_share_no_colour_with_a_name_nor_with_each_other() -> None:
    cast = ["Kofi", "Maya", "Zoë", "Kim", "Noor", "Ana"]
    unnamed = len(PALETTE) - len(cast)
    taken = {choose_person_colour(name, cast) for name in cast}
    for first in range(20):
        colours = {choose_person_colour(f"person {i}", cast) for i in range(first, first + unnamed)}
        assert len(colours) == unnamed and not taken & colours


@pytest.mark.parametrize("backend", ["nonsense", "module://nowhere.at_all"])
def test_an_unknown_backend_is_reported_in_one_line(backend: str) -> None:
    code = (
        "from imagesearch import cli; from imagesearch.figures import display as d;"
        "cli.run_script(lambda: (d.can_open_window(), d.create_figure((3, 3))))"
    )
    environment = os.environ | {"MPLBACKEND": backend}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert f"MPLBACKEND={backend} cannot be used" in done.stderr


class Screen:
    """A Tk window that reports the size of the screen."""

    tk = SimpleNamespace(call=lambda *_: 96 / 72)

    def winfo_screenwidth(self) -> int:
        return 1366

    def winfo_screenheight(self) -> int:
        return 768


def test_a_figure_larger_than_the_screen_is_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    for inches in ((3, 30), (30, 3), (4, 4)):
        figure = plt.figure(figsize=inches, dpi=100)
        monkeypatch.setattr(figure.canvas.manager, "window", Screen(), raising=False)
        monkeypatch.setattr(plt, "show", lambda: None)
        open_window(figure, "x")
        sizes.append(tuple(figure.get_size_inches().tolist()))
        plt.close(figure)
    assert sizes[0][0] == 3 and 6 < sizes[0][1] < 7 and 13 < sizes[1][0] < 13.66 and sizes[2] == (4, 4)


def test_the_lengths_of_bars_are_the_probabilities() -> None:
    figure = draw_classifications([(draw(1), "photo.jpg", [("beach", 0.75), ("sea", 0.25)])])
    bars = [patch.get_width() for axis in figure.axes for patch in axis.patches]
    assert bars == [0.75, 0.25]
    labels = [label.get_text() for axis in figure.axes for label in axis.get_yticklabels()]
    assert "beach" in labels and find_texts_outside(figure) == []
    plt.close(figure)


def test_without_a_window_a_figure_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = show_figure(draw_result_grid("maya / goa?", make_tiles(2)), "search maya / goa?")
    assert file == Path("outputs/search_maya_goa.png")
    with Image.open(file) as picture:
        assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 100
    assert plt.get_fignums() == []


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_a_figure_is_saved_in_the_format_of_the_file_name(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / "new folder" / f"grid.{suffix}"
    assert show_figure(draw_result_grid("boat", make_tiles(1)), "x", save=file) == file
    assert file.stat().st_size > 1000


def test_a_sheet_without_people_has_a_text() -> None:
    figure = draw_contact_sheet([])
    figure.draw_without_rendering()
    (text,) = figure.texts
    assert text.get_text() == "no people yet" and text.get_window_extent().height < figure.bbox.height / 2
    plt.close(figure)


LONG = ["12 · Great-grandmother Elisabeth von Hohenzollern-Sigmaringen", "3 · " + "李四" * 20, "person 4", ""]


@pytest.mark.parametrize("count", [1, 4, 8])
def test_long_names_do_not_move_the_faces_and_stay_in_the_sheet(count: int) -> None:
    rows = [(heading, make_tiles(count)) for heading in LONG]
    figure, plain = (
        draw_contact_sheet(rows),
        draw_contact_sheet([(heading[:1], row) for heading, row in rows]),
    )
    for sheet in (figure, plain):
        sheet.draw_without_rendering()
    places, expected = ([axis.get_position().bounds for axis in sheet.axes] for sheet in (figure, plain))
    assert np.allclose(places, expected, atol=1e-6)
    headings = [text for axis in figure.axes for text in axis.texts if text.get_weight() == "bold"]
    assert len(headings) == 3 and find_texts_outside(figure) == []
    assert max(text.get_window_extent().width for text in headings) > 0.55 * figure.bbox.width
    plt.close("all")
