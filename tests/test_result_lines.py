"""The lines of results as a user sees them: in a pipe, on a terminal, with long names; copies; counts."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, World

from imagesearch.cli.result_table import format_results
from imagesearch.search import SearchResult
from imagesearch.text import mask_passwords, shorten_reason
from imagesearch.text_table import fit_names, format_count, measure_width, shorten_middle

MANY = ("person 7", "Maya", "Great-grandmother Elisabeth", "Kim", "Zoë", "Noor")


def make_result(rank: int, path: str, **values: object) -> SearchResult:
    fields = {"score": 0.25, "class_label": "beach", "class_score": 0.96, "city": "Anjuna"} | values
    return SearchResult(rank=rank, path=path, file=Path(path), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("Goa", 3),
        ("日本", 4),
        ("e\u0301te\u0301", 3),
        ("😀", 2),
        ("👩\u200d👩\u200d👧", 2),
        ("❤\ufe0f", 2),
        ("한국", 4),
    ],
)
def test_the_width_on_a_terminal(text: str, width: int) -> None:
    assert measure_width(text) == width


@pytest.mark.parametrize("width", range(4, 30))
def test_what_is_shortened_fits(width: int) -> None:
    for text in ("a very long name of a photo.jpg", "日本の写真日本の写真日本の写真.jpg", "e\u0301" * 40):
        assert measure_width(shorten_middle(text, width)) <= width
        assert measure_width(fit_names([text, "Kim"], width)) <= max(width, 5)


def test_columns_are_aligned_whatever_the_script_of_a_name() -> None:
    paths = ["IMG_1.jpg", "北海道の夏.jpg", "😀 party.jpg", "e\u0301te\u0301.jpg"]
    header, *lines = format_results([make_result(i, path) for i, path in enumerate(paths, 1)])
    starts = {measure_width(line[: line.index("beach")]) for line in lines}
    assert starts == {header.index("class")}
    assert header.split() == ["rank", "score", "file", "class", "place"]


def test_nothing_is_cut_without_a_terminal() -> None:
    result = make_result(1, f"{'folder/' * 30}a.jpg", people=MANY, city="Llanfair" * 9, calibrated_score=0.5)
    _, line = format_results([result])
    assert all(text in line for text in (*MANY, result.path, result.city, "0.2500", "0.50", "beach 96%"))
    assert line.index("Maya") < line.index("person 7"), "people with a name come first"


@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_table_fits_the_terminal_and_names_stay_whole(width: int) -> None:
    paths = ["2025-08 Goa/IMG_0001.jpg", "2025-08 Goa/IMG_0002.jpg"]
    results = [
        make_result(1, paths[0], people=MANY, calibrated_score=0.5, taken_at="2025-08-24"),
        make_result(2, paths[1], people=("Kim",), calibrated_score=0.5, city="Llanfairpwllgwyngyll"),
    ]
    lines = format_results(results, width=width)
    assert len(lines) == 3 and all(measure_width(line) <= width for line in lines)
    assert all(path in line for path, line in zip(paths, lines[1:], strict=True))
    assert "Maya, Kim" in lines[1] and " +" in lines[1] and "Kim" in lines[2]
    assert ("…" in lines[2]) == (width < 120), "the place is shortened only where it has to be"


def test_a_long_path_is_not_cut_but_has_a_line_of_its_own() -> None:
    path = "Phone Backup/2023/WhatsApp Images/IMG-20230412-WA0012.jpg"
    lines = format_results([make_result(1, path, people=("Maya",))], width=80)
    assert [line.split() for line in lines[:2]] == [["rank", "score", "file"], ["class", "people", "place"]]
    assert lines[2].endswith(path) and lines[3].split() == ["beach", "96%", "Maya", "Anjuna"]


def test_names_in_captions_are_whole() -> None:
    assert fit_names(("Maya", "Kim", "Zoë"), 25) == "Maya, Kim, Zoë"
    assert fit_names(("Maya", "Kim", "Elisabeth"), 14) == "Maya, Kim +1"
    assert fit_names(("Maya", "Great-grandmother Elisabeth", "Kim", "person 1"), 14) == "Maya, Kim +2"
    assert fit_names(("Great-grandmother Elisabeth von Hohenzollern",), 25) == "Great-grandmother …"


# --- the script --------------------------------------------------------------------------------------------


@pytest.fixture
def copied(world: World) -> World:
    """Two photos, and three copies of the first: in two folders, without a time and with another one."""
    first = world.add("a.png", 1)
    world.add("b.png", 2)
    for name in ("copy of a.png", "old phone/a.png", "old phone/IMG_20190412_180211.png"):
        target = world.photos / name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(first, target)
    for script in ("01_extract_features.py", "04_extract_geo.py", "05_build_collections.py"):
        world.run(script)
    return world


def test_copies_are_shown_once_with_collapse(copied: World) -> None:
    command = ("06_search.py", "a beach", "--no-show")
    shown = json.loads(copied.run(*command, "--json", "--collapse").stdout)["results"]
    assert sorted(result["like_it"] for result in shown) == [0, 3]
    assert len(json.loads(copied.run(*command, "--json").stdout)["results"]) == 5
    lines = copied.run(*command, "--collapse").stdout.splitlines()
    assert len(lines) == 4 and sum(line.endswith("  +3 alike") for line in lines) == 1


def test_without_a_header_stdout_has_only_the_results(copied: World) -> None:
    done = copied.run("06_search.py", "a beach", "--no-show", "--no-header")
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2", "3", "4", "5"]
    assert '"a beach" — 5 photos' in done.stderr
    assert "rank" in copied.run("06_search.py", "a beach", "--no-show").stdout


def test_a_terminal_is_asked_for_its_width(copied: World) -> None:
    script = [sys.executable, ROOT / "scripts" / "06_search.py", "-c", copied.config_file, "a beach"]
    reader, writer = pty.openpty()
    with subprocess.Popen(
        [*script, "--no-show", "--min-fit", "0"],
        stdout=writer,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "30"},
        cwd=copied.folder,
    ) as process:
        process.wait()
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        lines = stream.read1(100_000).decode().split("\r\n")
    assert lines[1].split()[0] == "rank" and lines[2].split() == ["class"]


def test_one_photo_is_one_photo(world: World) -> None:
    world.add("a.png", 1)
    world.run("01_extract_features.py")
    assert "album_clip: 1 photo: 1 new" in world.run("05_build_collections.py").stdout
    assert world.run("06_search.py", "a beach", "--no-show").stdout.splitlines()[0] == '"a beach" — 1 photo'
    assert "copied 1 photo to" in world.run("06_search.py", "x", "--no-show", "--copy-to", "out").stderr


def test_counts_agree_with_their_nouns() -> None:
    assert [format_count(n, "photo") for n in (0, 1, 1000)] == ["0 photos", "1 photo", "1,000 photos"]
    assert [format_count(n, "person", "people") for n in (1, 2)] == ["1 person", "2 people"]


def test_addresses_in_errors_are_complete_and_have_no_password() -> None:
    address = "https://root:se:cret@geocoder.example.org:8080/reverse/of/a/place"
    reason = shorten_reason(f"{'no answer ' * 19}from {address} after 30 s; try again, or use another")
    assert "https://root:***@geocoder.example.org:8080/reverse/of/a/place" in reason
    assert "cret" not in reason and reason.endswith(" …") and len(reason) < 300
    assert mask_passwords("http://host:1/a@b and a:b@c") == "http://host:1/a@b and a:b@c"
