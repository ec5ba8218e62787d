"""The window with pages: keys and clicks, on a figure without a window and in a real window."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from albums import NAMES
from conftest import ROOT, World
from matplotlib.backend_bases import KeyEvent, MouseEvent
from matplotlib.colors import to_rgb
from PIL import Image
from synthetic import PLACES

from imagesearch.features import read_classes
from imagesearch.figures import Tile
from imagesearch.figures.grids import fill_grid
from imagesearch.figures.show_results import describe_result
from imagesearch.figures.style import choose_person_colour
from imagesearch.figures.viewer import Detail, PagedPhotos, Viewer, split_pages
from imagesearch.pipeline import Dataset
from imagesearch.search import SearchResult

SKINS = ((240, 20, 200), (20, 240, 240))


def choose_colour(number: int) -> tuple[int, int, int]:
    """Return the colour of a photo: different for each photo, and not used by the window."""
    return 20 + 5 * number, 250 - 5 * number, 90


def make_photos(count: int, page_size: int = 20) -> PagedPhotos:
    tiles = [
        Tile(Image.new("RGB", (30, 20), choose_colour(i)), f"{i + 1} · 0.3", f"{i}.jpg") for i in range(count)
    ]

    def draw_page(figure, page):
        return fill_grid(figure, 7, [1, 1, 1], "boats", [tiles[i] for i in page])

    def load_detail(number, pixels):
        return Detail(tiles[number].image, f"photo {number}", ())

    return PagedPhotos("boats", split_pages(count, page_size), draw_page, load_detail)


@pytest.fixture
def figure() -> Iterator[plt.Figure]:
    yield plt.figure(figsize=(12, 6), layout="constrained")
    plt.close("all")


def read_texts(figure: plt.Figure) -> str:
    inside = [text for axis in figure.axes for text in (*axis.texts, axis.title)]
    return "\n".join(text.get_text() for text in (*inside, *figure.texts))


def test_pages_contain_all_photos_and_there_is_at_least_one_page() -> None:
    assert split_pages(60, 20) == [range(20), range(20, 40), range(40, 60)]
    assert split_pages(21, 20)[1] == range(20, 21)
    assert split_pages(0, 20) == [range(0)]


def test_keys_turn_pages_and_stop_at_both_ends(figure: plt.Figure) -> None:
    viewer = Viewer(make_photos(50), figure)
    assert "page 1 of 3" in read_texts(figure) and "20.jpg" not in read_texts(figure)
    pages = []
    for key in ("left", "right", "pagedown", "right", "home", "end", "pageup"):
        assert viewer.handle_key(key)
        pages.append(viewer.page)
    assert pages == [0, 1, 2, 2, 0, 2, 1]
    assert (
        "page 2 of 3" in read_texts(figure)
        and "20.jpg" in read_texts(figure)
        and "40.jpg" not in read_texts(figure)
    )
    assert not viewer.handle_key("s") and not viewer.handle_key("escape")


def test_a_click_opens_a_photo_and_another_click_closes_it(figure: plt.Figure) -> None:
    viewer = Viewer(make_photos(50), figure)
    viewer.handle_key("right")
    figure.canvas.draw()
    photo, title = figure.axes[4].get_window_extent(), figure.axes[4].title.get_window_extent()
    for box in (photo, title):
        viewer.handle_click((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
        assert (
            viewer.open_number == 23 and "photo 23" in read_texts(figure) and "24 of 50" in read_texts(figure)
        )
        viewer.handle_click(5, 5)
        assert viewer.open_number is None and viewer.page == 1
        figure.canvas.draw()
    viewer.handle_click(1, 1)  # between the photos
    assert viewer.open_number is None


def test_keys_switch_between_open_photos_and_close_to_the_right_page(figure: plt.Figure) -> None:
    viewer = Viewer(make_photos(50), figure)
    viewer.show_photo(19)
    viewer.handle_key("right")
    assert viewer.open_number == 20 and "photo 20" in read_texts(figure)
    viewer.handle_key("escape")
    assert (viewer.open_number, viewer.page) == (None, 1)
    viewer.handle_key("enter")
    viewer.handle_key("home")
    viewer.handle_key("left")
    assert viewer.open_number == 0


def test_the_second_click_of_a_double_click_does_not_close_the_photo(figure: plt.Figure) -> None:
    viewer = Viewer(make_photos(3), figure)
    figure.canvas.draw()
    box = figure.axes[2].get_window_extent()
    at = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    for double in (False, True):
        event = MouseEvent("button_press_event", figure.canvas, *at, button=1, dblclick=double)
        figure.canvas.callbacks.process("button_press_event", event)
    assert viewer.open_number == 1
    figure.canvas.callbacks.process("key_press_event", KeyEvent("key_press_event", figure.canvas, "escape"))
    assert viewer.open_number is None


def test_without_results_keys_and_clicks_do_nothing(figure: plt.Figure) -> None:
    viewer = Viewer(make_photos(0), figure)
    for key in ("right", "end", "enter", "escape"):
        viewer.handle_key(key)
    viewer.handle_click(300, 300)
    assert (viewer.page, viewer.open_number) == (0, None) and "nothing found" in read_texts(figure)


def make_result(number: int, photos: Path = Path(), **known) -> SearchResult:
    name = f"{number:02d}.png"
    return SearchResult(
        number + 1, name, 0.5, photos / name, **({"class_label": "", "class_score": 0.0} | known)
    )


def test_the_details_of_a_result_have_only_known_values() -> None:
    assert [section.heading for section in describe_result(make_result(0))] == ["match", "file"]
    full = make_result(
        3,
        class_label="beach",
        class_score=0.9,
        people=("Maya", "Zoë"),
        address="Anjuna, Goa, India",
        taken_at="2025-08-02T18:02:11",
        calibrated_score=0.75,
    )
    sections = {
        section.heading: section
        for section in describe_result(full, [("beach", 0.9), ("sea", 0.09), ("x", 0.001)])
    }
    assert sections["people"].lines == ("Maya", "Zoë")
    assert sections["people"].colours == (choose_person_colour("Maya"), choose_person_colour("Zoë"))
    assert sections["time"].lines == ("Saturday, 2 August 2025, 18:02",)
    assert sections["place"].lines == ("Anjuna, Goa, India",)
    assert sections["classes"].lines == ("beach  90%", "sea  9%")
    assert sections["match"].lines[0] == "score 0.5000" and sections["match"].lines[1].startswith("fit 0.75")
    assert describe_result(full)[3].lines == ("beach  90%",)


def test_all_classes_of_photos_are_read_from_the_table(world: World) -> None:
    for seed in range(3):
        world.add(f"{seed}.png", seed)
    dataset = Dataset(world.config())
    assert read_classes(dataset, ["1.png"]) == {}
    world.run("01_extract_features.py")
    found = read_classes(dataset, ["2.png", "0.png", "missing.png"])
    assert set(found) == {"0.png", "2.png"} and found["0.png"] != found["2.png"]
    shown = json.loads(world.run("07_classify.py", "--json", "-k", "4", world.photos / "2.png").stdout)
    expected = [(c["label"], c["score"]) for c in shown["results"][0]["classes"]]
    assert [label for label, _ in found["2.png"]] == [label for label, _ in expected]
    assert np.allclose([p for _, p in found["2.png"]], [p for _, p in expected], atol=1e-3)


def test_the_reason_is_shown_for_a_photo_that_cannot_be_decoded(figure: plt.Figure) -> None:
    broken = Detail(None, "x.jpg", describe_result(make_result(0)), "cannot be decoded: broken")
    viewer = Viewer(
        PagedPhotos("x", [range(1)], make_photos(1).draw_page, lambda number, pixels: broken), figure
    )
    viewer.show_photo(0)
    assert "cannot be decoded: broken" in read_texts(figure)


# --- a real window -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """Start a virtual display with the screen size of a small laptop."""
    if shutil.which("Xvfb") is None:
        pytest.skip("no Xvfb: windows are not tested (Debian: apt-get install xvfb)")
    if importlib.util.find_spec("_tkinter") is None:
        pytest.skip("this Python has no tkinter: windows are not tested (Debian: apt-get install python3-tk)")
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1366x768x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with os.fdopen(reader) as ready:
            yield f":{ready.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


def read_pixels(picture: Path) -> np.ndarray:
    with Image.open(picture) as image:
        return np.asarray(image.convert("RGB"), np.int16)


def measure_shares(picture: Path) -> list[float]:
    """Return the share of a screenshot that has the colour of each photo."""
    # packed into one number per pixel: sorting rows is ten times slower
    packed, counts = np.unique(read_pixels(picture) @ np.asarray([65536, 256, 1]), return_counts=True)
    colours = np.stack([packed // 65536, packed // 256 % 256, packed % 256], axis=1)
    near = (np.abs(colours - choose_colour(i)).max(axis=-1) <= 1 for i in range(45))
    return [float(counts[which].sum() / counts.sum()) for which in near]


def measure_extent(picture: Path, rgb: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Return the left, top, right and bottom of a colour in the part of a screenshot with the photo."""
    pixels = read_pixels(picture)[:, :900]
    y, x = np.nonzero(np.abs(pixels - rgb).max(axis=-1) <= 1)
    return int(x.min()), int(y.min()), int(x.max()), int(y.max())


def test_windows_open_pages_turn_and_clicks_open_photos(display: str, tmp_path: Path) -> None:
    world = World(tmp_path, {})
    for i in range(44):
        Image.new("RGB", (300, 200), choose_colour(i)).save(world.photos / f"{i:02d}.png")
    faces = Image.new("RGB", (2000, 1600), choose_colour(44))
    for box, skin in zip(PLACES, SKINS, strict=False):
        faces.paste(skin, tuple(round(2 * v) for v in box))
    faces.save(world.photos / "44.png")
    steps = {
        "06": [
            *(
                ("capture", "page1"),
                ("key", "Right"),
                ("capture", "page2"),
                ("click", 4),
                ("capture", "large"),
            ),
            *(("key", "l"), ("key", "k"), ("key", "g"), ("capture", "same")),
            *(("key", "Right"), ("capture", "next"), ("key", "Escape"), ("capture", "back"), ("key", "q")),
        ],
        "03": [("capture", "sheet"), ("click", 0), ("capture", "face"), ("key", "q")],
        "07": [
            *(("capture", "classes"), ("click", 2), ("capture", "class"), ("key", "Escape")),
            *(("key", "Right"), ("capture", "classes2"), ("remove", "00.png"), ("key", "Left"), ("click", 0)),
            *(("capture", "gone"), ("key", "q")),
        ],
        "tall": [("capture", "tall"), ("key", "q")],
    }
    paths = os.pathsep.join(str(ROOT / folder) for folder in ("src", "tests"))
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "window_user.py", world.config_file, tmp_path, json.dumps(steps)],
        env=os.environ | {"MPLBACKEND": "TkAgg", "DISPLAY": display, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and "Warning" not in done.stderr, done.stderr
    log = json.loads((tmp_path / "log.json").read_text())
    shares = {name: measure_shares(tmp_path / f"{name}.png") for name in log}
    texts = {name: entry["texts"] for name, entry in log.items()}

    for entry in log.values():
        assert entry["size"][0] <= 1366 and entry["size"][1] <= 768 - 30, "no space for the title bar"
    assert {log[name]["title"] for name in ("page1", "large", "back")} == {"maya on the beach"}
    assert any("page 1 of 3" in line for line in texts["page1"])
    assert all(share > 0.005 for share in shares["page1"][:20]) and not any(shares["page1"][20:])
    assert all(share > 0.005 for share in shares["page2"][20:40]) and not any(shares["page2"][:20])
    # the fourth photo of the second page, then the fifth
    assert shares["large"][23] > 0.3 and not any(shares["large"][:23] + shares["large"][24:])
    assert shares["same"] == shares["large"]
    assert shares["next"][24] > 0.3 and not shares["next"][23]
    details = {"24 · 23.png", "Maya", "Anjuna, Goa, India", "beach  90%", "Saturday, 2 August 2025, 18:02"}
    assert details <= set(texts["large"])
    assert texts["back"] == texts["page2"] and shares["back"] == shares["page2"]

    # a click on a face shows its photo, with boxes around the faces
    assert {"1 · Zoë", "2 · Maya"} <= set(texts["sheet"]) and log["sheet"]["title"] == "people"
    assert shares["face"][44] > 0.3 and "44.png" in texts["face"]
    for name, skin in zip(NAMES, SKINS, strict=True):
        rgb = tuple(round(255 * v) for v in to_rgb(choose_person_colour(name, NAMES)))
        face, box = (measure_extent(tmp_path / "face.png", shade) for shade in (skin, rgb))
        assert face[2] - face[0] > 30 and abs(box[0] - face[0]) <= 8 and abs(box[3] - face[3]) <= 8

    assert log["classes"]["title"] == "classes of 5 photos"
    assert all(shares["classes"][:4]) and not any(shares["classes"][4:])
    assert shares["classes2"][4] and not any(shares["classes2"][:4])
    assert shares["class"][1] > 0.3 and {"beach  75.0%", "sea  25.0%"} <= set(texts["class"])
    assert any("00.png" in line for line in texts["gone"]) and not any(shares["gone"])
    assert {"person 0", "person 11"} <= set(texts["tall"])
