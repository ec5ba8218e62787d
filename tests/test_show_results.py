"""Contents of the windows of 03, 06 and 07, tested on figures without a window."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from albums import NAMES, make_people
from conftest import World, draw
from matplotlib.backend_bases import KeyEvent
from PIL import Image
from synthetic import HEIGHT, PLACES, WIDTH

from imagesearch.faces import Person
from imagesearch.features import Classification, read_classes
from imagesearch.figures import (
    create_figure,
    draw_answer,
    show_answer,
    show_classifications,
    show_people,
    viewer,
)
from imagesearch.figures.style import choose_person_colour
from imagesearch.figures.viewer import WINDOW_INCHES, Detail, DetailSection, PagedPhotos, Viewer, draw_detail
from imagesearch.pipeline import Dataset
from imagesearch.query import ParsedQuery
from imagesearch.search import Answer, Query, SearchResult
from imagesearch.store import Vocabulary

OpenViewer = Callable[[], Viewer]


@pytest.fixture
def open_viewer(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenViewer]:
    """Return a function that opens a viewer of the photos that were last shown in a window."""
    shown: list[PagedPhotos] = []
    monkeypatch.setattr(viewer, "can_open_window", lambda: True)
    monkeypatch.setattr(viewer, "show_viewer", shown.append)
    yield lambda: Viewer(shown[-1], create_figure(WINDOW_INCHES))
    plt.close("all")


def read_texts(figure: plt.Figure) -> list[str]:
    inside = [text for axis in figure.axes for text in (*axis.texts, axis.title)]
    return [text.get_text() for text in (*inside, *figure.texts) if text.get_text()]


def click_axis(opened: Viewer, axis: int) -> None:
    opened.figure.canvas.draw()
    pictures = opened.figure.axes[0].images  # a contact sheet has all of them in one pair of axes
    box = (pictures[axis] if len(pictures) > 1 else opened.figure.axes[axis]).get_window_extent()
    opened.handle_click((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)


# --- 06 ----------------------------------------------------------------------------------------------------


def test_06_shows_all_classes_of_a_photo_and_its_people_in_their_colours(
    world: World, open_viewer: OpenViewer
) -> None:
    draw(0, (900, 600)).save(world.photos / "0.png")
    world.run("01_extract_features.py")
    dataset = Dataset(world.config())
    # another person with the same preferred colour was named earlier, so Maya gets the next free colour
    other = next(
        name
        for i in itertools.count()
        if choose_person_colour(name := f"Maya {i}") == choose_person_colour("Maya")
    )
    Vocabulary(cast=(other, "Maya")).write(dataset.folder)
    found = SearchResult(1, "0.png", 0.5, dataset.locate_file("0.png"), "a", 0.5, people=("Maya",))
    show_answer(Answer(Query(text="x"), ParsedQuery(), [found], photos=1), dataset, None, True)
    photos = open_viewer().photos
    sections = {section.heading: section for section in photos.load_detail(0, 800).sections}
    expected = [f"{label}  {p:.0%}" for label, p in read_classes(dataset, ["0.png"])["0.png"] if p >= 0.005]
    assert len(expected) > 1 and list(sections["classes"].lines) == expected
    assert (
        sections["people"].colours
        == (choose_person_colour("Maya", (other, "Maya")),)
        != (choose_person_colour("Maya"),)
    )
    assert photos.load_detail(0, 800).image.size == (800, 533)
    assert photos.load_detail(0, 1600).image.size == (900, 600)


def test_06_shows_which_parts_of_the_sentence_a_photo_fulfils(world: World, open_viewer: OpenViewer) -> None:
    draw(0).save(world.photos / "0.png")
    dataset = Dataset(world.config())
    found = SearchResult(1, "0.png", 0.5, dataset.locate_file("0.png"), "", 0.0, fulfils=("who", "when"))
    show_answer(Answer(Query(text="x"), ParsedQuery(), (found,), photos=1), dataset, None, True)
    opened = open_viewer()
    assert any("1 · score 0.500\nwho, when" in text for text in read_texts(opened.figure))
    sections = {section.heading: section.lines for section in opened.photos.load_detail(0, 800).sections}
    assert sections["match"] == ("score 0.5000", "fulfils who, when")


@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_06_shows_the_photos_of_the_query_in_one_cell(world: World, count: int) -> None:
    files = [world.photos / f"{i}.png" for i in range(count)]
    colours = [(20 * i, 255 - 20 * i, 120) for i in range(count)]
    for file, colour in zip(files, colours, strict=True):
        Image.new("RGB", (300, 200), colour).save(file)
    answer = Answer(Query(images=tuple(files)), ParsedQuery(), (), photos=count)
    figure = draw_answer(answer, Dataset(world.config()))
    drawn = np.asarray(figure.axes[0].images[0].get_array())[..., :3].reshape(-1, 3)
    plt.close(figure)
    assert max(figure.axes[0].images[0].get_array().shape) <= 480
    shown = [
        bool((np.abs(drawn.astype(int) - colour).max(axis=1) <= 2).sum() >= 50 * 50) for colour in colours
    ]
    assert shown == [number < 9 for number in range(count)]


# --- 03 ----------------------------------------------------------------------------------------------------


def test_03_turns_pages_of_people_and_a_face_opens_its_photo_with_boxes(
    tmp_path: Path, open_viewer: OpenViewer
) -> None:
    world = World(tmp_path, {})
    for i in range(2):
        photo = draw(i, (WIDTH, HEIGHT))
        for who, box in enumerate(PLACES):
            photo.paste((255, 40 + 20 * who, 40 + 100 * i), tuple(map(round, box)))
        photo.save(world.photos / f"{i}.png")
    people = make_people(["0.png", "1.png"], count=6)
    show_people(people, Dataset(world.config()), 1, None, window=True)
    opened = open_viewer()
    shown = read_texts(opened.figure)
    assert {"1 · Zoë", "2 · Maya", "person 3", "person 4", "4.2"} <= set(shown) and "person 5" not in shown
    opened.handle_key("right")
    shown = read_texts(opened.figure)
    assert {"person 5", "person 6", "6.2"} <= set(shown) and "person 4" not in shown
    click_axis(opened, 1)  # the second face of person 5
    detail = opened.photos.load_detail(opened.open_number, 500)
    path = people.faces.get_photo(int(people.persons[4].rows[1])).path
    assert detail.title == path and detail.image.size == (500, 400)
    assert [label for _, label in detail.faces] == [person.label for person in people.persons]
    for who, (box, _) in enumerate(detail.faces):
        inside = np.asarray(detail.image.crop(tuple(map(round, box))))[4:-4, 4:-4]
        skin = 255, 40 + 20 * who, 40 + 100 * int(path[0])
        assert inside.size and np.abs(inside.astype(int) - skin).max() <= 3
    sections = {section.heading: section for section in detail.sections}
    assert dict(zip(sections["people"].lines, sections["people"].colours, strict=True)) == {
        person.label: choose_person_colour(person.label, NAMES) for person in people.persons
    }


def test_03_saves_more_people_than_fit_in_a_figure_as_pages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, {})
    photo = draw(0, (WIDTH, HEIGHT))
    photo.save(world.photos / "0.png")
    people = make_people(["0.png"], count=6)
    persons = [Person(i + 1, "", people.persons[i % 6].rows) for i in range(50)]
    people, dataset = replace(people, persons=persons), Dataset(world.config())
    decoded = []
    decode = dataset.previews.load
    monkeypatch.setattr(dataset.previews, "load", lambda *args: decoded.append(args) or decode(*args))
    show_people(people, dataset, 1, tmp_path / "out" / "sheet.png", window=False)
    names = ["sheet.png", "sheet-2.png", "sheet-3.png"]
    assert capsys.readouterr().err == "".join(f"figure: {tmp_path / 'out' / name}\n" for name in names)
    heights = []
    for name in names:
        with Image.open(tmp_path / "out" / name) as figure:
            heights.append(figure.height)
    assert heights[0] == heights[1] > 4 * heights[2]
    assert len(decoded) == 3  # once for each figure, however many faces are in it
    monkeypatch.chdir(tmp_path)
    show_people(people, dataset, 1, None, window=False)
    said = capsys.readouterr().err.splitlines()
    assert said == ["the figure is page 1 of 3; --save FILE saves all pages", "figure: outputs/people.png"]
    assert [file.name for file in (tmp_path / "outputs").iterdir()] == ["people.png"]


# --- 07 ----------------------------------------------------------------------------------------------------


def make_classifications(folder: Path, count: int) -> list[Classification]:
    for i in range(count):
        draw(i, (900, 600)).save(folder / f"{i}.png")
    return [Classification(folder / f"{i}.png", ((f"beach {i}", 0.75), ("sea", 0.25))) for i in range(count)]


def test_07_turns_pages_and_reports_missing_photos(tmp_path: Path, open_viewer: OpenViewer) -> None:
    results = make_classifications(tmp_path, 6)
    show_classifications(results, 200, None, window=True)
    opened = open_viewer()
    assert opened.photos.title == "classes of 6 photos"
    assert {"0.png", "3.png"} <= set(read_texts(opened.figure)) and "4.png" not in read_texts(opened.figure)
    click_axis(opened, 2)
    assert {"1.png", "beach 1  75.0%"} <= set(read_texts(opened.figure))
    assert opened.photos.load_detail(1, 450).image.size == (450, 300)
    for i in (1, 5):
        results[i].file.unlink()
    opened.handle_key("right")
    opened.handle_key("left")
    assert any("No such file" in text for text in read_texts(opened.figure))
    opened.handle_key("escape")
    opened.handle_key("right")
    assert {"4.png", "5.png", "photo not found"} <= set(read_texts(opened.figure))


def test_the_window_of_07_has_the_name_of_a_single_photo(tmp_path: Path, open_viewer: OpenViewer) -> None:
    show_classifications(make_classifications(tmp_path, 1), 200, None, window=True)
    assert open_viewer().photos.title == "classes 0"


# --- a photo, large ----------------------------------------------------------------------------------------


def make_detail(*sections: DetailSection, title: str = "photo", missing: bool = False) -> Detail:
    return Detail(None if missing else Image.new("RGB", (300, 200)), title, sections, "it costs $5 or $6")


@pytest.mark.filterwarnings("ignore:Glyph")
def test_long_details_of_a_photo_stay_inside_the_panel() -> None:
    names = tuple(f"Somebody Nº {i}" for i in range(17))
    sections = (
        DetailSection("people", names, tuple(choose_person_colour(name, names) for name in names)),
        DetailSection(
            "place", ("東京都千代田区丸の内一丁目九番一号東京駅中央口八重洲北口改札前待合室内中央",)
        ),
        DetailSection(
            "classes", tuple(f"sandbar, sand bar of the sea and lake, shoal {i}  20%" for i in range(5))
        ),
        DetailSection("match", ("score 0.5", "fit 0.75")),
        DetailSection("file", ("a very long folder/" * 9,)),
    )
    figure = create_figure(WINDOW_INCHES)
    figure.set_layout_engine("none")
    draw_detail(figure, make_detail(*sections, title="a_name_without_any_spaces_" * 4))
    panel = figure.axes[1]
    boxes = [text.get_window_extent() for text in panel.texts]
    assert all(panel.bbox.padded(2).contains(*p) for box in boxes for p in box.get_points())
    inner = [box.padded(-1) for box in boxes]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(inner, 2))
    shown = [name for name in names if name in read_texts(figure)]
    assert shown and f"+{17 - len(shown)} more" in read_texts(figure)
    plt.close(figure)


def test_dollar_signs_in_the_reason_are_not_parsed_as_a_formula() -> None:
    figure = create_figure(WINDOW_INCHES)
    draw_detail(figure, make_detail(missing=True))
    (text,) = (t for t in figure.axes[0].texts)
    assert text.get_text() == "it costs $5 or $6" and not text.get_parse_math()
    plt.close(figure)


def test_other_keys_do_not_change_the_photo_and_q_closes() -> None:
    figure = create_figure(WINDOW_INCHES)
    photos = PagedPhotos(
        "x", [range(1)], lambda figure, page: [figure.subplots()], lambda number, pixels: make_detail()
    )
    opened = Viewer(photos, figure)
    opened.show_photo(0)
    figure.canvas.draw()
    picture = figure.axes[0]
    box = picture.get_window_extent()

    def press(key: str) -> None:
        at = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
        event = KeyEvent("key_press_event", figure.canvas, key, *at)
        figure.canvas.callbacks.process("key_press_event", event)

    before = np.asarray(figure.canvas.buffer_rgba()).copy()
    for key in "klLgGcv":
        press(key)
    figure.canvas.draw()
    assert picture.get_xscale() == picture.get_yscale() == "linear"
    assert np.array_equal(figure.canvas.buffer_rgba(), before)
    press("q")
    assert not plt.fignum_exists(figure.number)
