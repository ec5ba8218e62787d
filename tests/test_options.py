"""Options and settings as a newcomer types them: wrong ones are one line, before anything is done or made."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from conftest import World
from drawn import Drawn
from test_run_steps import drawn, run

from imagesearch import open_library
from imagesearch.errors import UserError

__all__ = ["drawn"]  # a fixture


@pytest.mark.parametrize(
    ("script", "args", "line"),
    [
        ("06_search.py", ["--untaged", "x"], "unrecognized arguments: --untaged; did you mean --untagged?"),
        ("06_search.py", ["--colapse"], "unrecognized arguments: --colapse; did you mean --collapse?"),
        ("06_search.py", ["--foo"], "unrecognized arguments: --foo; --help lists the options"),
        ("03_name_people.py", ["--mergee", "1"], "unrecognized arguments: --mergee 1; did you mean --merge?"),
        ("03_name_people.py", ["--min-faces", "x"], "--min-faces: x is not a whole number from 0 to 10000"),
        ("03_name_people.py", ["--min-faces", "-1"], "--min-faces: -1 is not a whole number from 0 to 10000"),
        (
            "01_extract_features.py",
            ["--only", "vitt"],
            "--only vitt: expected clip or vit; did you mean vit?",
        ),
        ("06_search.py", ["x", "--min-fit", "2"], "--min-fit: 2 is not a number from 0 to 1"),
        ("06_search.py", ["x", "--min-score", "-2"], "--min-score: -2 is not a number from -1 to 1"),
        ("06_search.py", ["x", "--radius", "0"], "--radius: 0 is not a number more than 0, at most 20038"),
        ("06_search.py", ["x", "--weight-text", "-1"], "--weight-text: -1 is not a number of at least 0"),
        ("06_search.py", ["--saved", "x"], "--saved prints the saved queries; it does not use a text"),
        ("06_search.py", ["--saved", "-k", "3"], "--saved prints the saved queries; it does not use -k"),
        (
            "05_build_collections.py",
            ["--to", "other.db", "--trips"],
            "--to cannot be combined with --trips: trips are read from the dataset's tables",
        ),
        ("05_build_collections.py", ["--yes"], "--yes requires --drop"),
        ("06_search.py", ["--year", "25"], "--year: 25 is not a year of four digits, such as 2025"),
        ("06_search.py", ["x", "--json", "--paths"], "--paths: not allowed with --json"),
        ("07_classify.py", ["-k", "0", "x"], "-k: 0 is not a whole number from 1 to 1000"),
        (
            "06_search.py",
            ["x", "--save", "figures/"],
            "--save: figures/: no such folder; make it, or give a file name",
        ),
        ("03_name_people.py", ["--from-csv", "no.csv"], "no.csv: cannot be read (No such file or directory)"),
        (
            "06_search.py",
            ["--set", "dataset.name=x", "-c", "photos"],
            "photos: cannot be read (Is a directory)",
        ),
    ],
)
def test_a_wrong_option_or_value_is_one_line(drawn: Drawn, script: str, args: list[str], line: str) -> None:
    if script == "03_name_people.py" and "--from-csv" in args:
        run(drawn, "02_cluster_faces.py")
    done = run(drawn, script, *args, code=2)
    assert done.stderr.splitlines() == [f"{script}: {line}"] and not done.stdout


@pytest.mark.parametrize(
    "command",
    [
        ("06_search.py", "boat", "--set", "milvus.uri=nope.db"),
        ("05_build_collections.py", "--to", "nope.db", "--list"),
        ("05_build_collections.py", "--to", "nope.db", "--drop", "--yes"),
        ("08_evaluate.py", "--self", "--set", "milvus.uri=nope.db"),
    ],
)
def test_a_mistyped_database_is_not_made(world: World, command: tuple[str, ...]) -> None:
    world.add("a.png", 1)
    assert "nope.db: no such database; run 05" in world.run(*command, code=2).stderr
    assert not list(world.folder.glob("nope.db*"))


def test_a_build_without_vectors_and_names_without_a_build_make_no_database(drawn: Drawn) -> None:
    assert "no vectors of the photos" in run(drawn, "05_build_collections.py", code=2).stderr
    run(drawn, "02_cluster_faces.py")
    run(drawn, "03_name_people.py", "--name", "1=Maya", "--no-show")
    assert not list(drawn.folder.glob("milvus.db*"))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("models.clip=nowhere/clip", "nowhere/clip"),
        ("models.vit=./nowhere", "no such model folder"),
        ("models.faces=./nowhere", "models.faces"),
        ("milvus.index.type=NOPE", "has no index type NOPE"),
    ],
)
def test_all_that_the_config_names_is_checked_before_the_first_step(
    drawn: Drawn, setting: str, message: str
) -> None:
    done = run(drawn, "00_run_steps.py", "--set", setting, code=2)
    assert message in done.stderr and len(done.stderr.splitlines()) == 1 and not done.stdout
    assert not (drawn.folder / "processed" / "album" / "clip").exists()
    assert not (drawn.folder / "milvus.db").exists()


def test_the_lines_of_finished_steps_are_printed_if_a_later_step_fails(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise UserError("the disk is full")

    monkeypatch.setattr(sys.modules["imagesearch.workflow.run_steps"], "extract_geo", fail)
    done = run(drawn, "00_run_steps.py", code=2)
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [
        "01 features",
        "02 faces",
        "02 people",
    ]
    assert "the disk is full" in done.stderr


def test_figures_are_saved_in_a_folder_under_their_own_names(world: World) -> None:
    world.add("a.png", 1)
    world.run("01_extract_features.py")
    world.run("05_build_collections.py")
    figures = world.folder / "figures"
    figures.mkdir()
    world.run("06_search.py", "a boat", "--save", "figures", "--no-show")
    world.run("05_build_collections.py", "--map", "figures", "--no-show")
    with open_library(world.config_file) as library:
        library.show(library.search("sea"), figures, window=False)
    assert {"vectors.png"} < {file.name for file in figures.iterdir()}
    assert len(list(figures.iterdir())) == 3 and not list(world.folder.glob("figures.*"))


def test_photos_are_not_copied_to_a_file(world: World) -> None:
    world.add("a.png", 1)
    world.run("01_extract_features.py")
    world.run("05_build_collections.py")
    done = world.run("06_search.py", "boat", "--copy-to", "config.yaml", "--no-show", code=2)
    assert "--copy-to config.yaml: this is a file; give a folder" in done.stderr
    world.run("05_build_collections.py", "--drop", "--yes", "-n", "other")
    dropped = world.run("05_build_collections.py", "--drop", "--yes", "-n", "other").stdout
    assert "has no collection of other; it has album" in dropped


def test_python_is_told_the_names_of_its_arguments(world: World) -> None:
    world.add("a.png", 1)
    world.run("01_extract_features.py")
    world.run("05_build_collections.py")
    with open_library(world.config_file) as library:
        with pytest.raises(UserError, match=r"^image nope.jpg: no such file"):
            library.search(image="nope.jpg")
        with pytest.raises(UserError, match=r"image or plus$"):
            library.search("")
        with pytest.raises(UserError, match=r'^by="vit" compares'):
            library.search("boat", by="vit")
    assert "--image nope.jpg: no such file" in world.run("06_search.py", "--image", "nope.jpg", code=2).stderr


def test_a_vit_as_clip_is_refused_by_a_search_as_by_step_01(world: World) -> None:
    world.add("a.png", 1)
    world.run("01_extract_features.py")
    world.run("05_build_collections.py")
    vit = f"models.clip={world.settings['models']['vit']}"
    for script in ("06_search.py", "01_extract_features.py"):
        args = ("boat",) if script == "06_search.py" else ()
        assert "expected a model of photos and texts" in world.run(script, *args, "--set", vit, code=2).stderr


def test_dates_and_places_of_options_are_read_as_in_sentences(demo) -> None:
    def count(options: str) -> int:
        command = f"python scripts/06_search.py -c data/demo/config.yaml {options} --json --no-show"
        done = demo.run_command(command)
        return len(json.loads(done.stdout[done.stdout.index("{") :])["results"])

    assert count("--after 01.08.2025 --before 2025-09 -k 50") == count("--year 2025 --month august -k 50") > 0
    assert count('--after "last summer" -k 300') == count('"since last summer" -k 300')
    assert count("--near goa -k 50") == count('"near goa" -k 50') > 0
    assert count("--near anjuna --radius 3 -k 50") > 0
    assert count("--place europe -k 50") == count('"in europe" -k 50') > 0
    assert count("before 1900 -k 50") == count("in 2018 -k 50") > 0  # the nearest day with photos
    done = demo.run_command("python scripts/06_search.py -c data/demo/config.yaml --near foo --no-show")
    assert "--near foo: expected a known place, or LATITUDE,LONGITUDE" in done.stdout


def test_a_stopped_search_has_no_work_to_keep(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("imagesearch.config.load_config", stop)
    assert world.run("06_search.py", "boat", code=130).stderr.strip() == "06_search.py: stopped"
    step = world.run("01_extract_features.py", code=130).stderr
    assert "stopped; finished work is kept; run the script again to continue" in step


def test_a_folder_that_cannot_be_listed_in_a_message_has_no_error_number(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be read \(Is a directory\)$"):
        open_library(tmp_path)
