"""The folders of photos that steps 00 to 04 are given, now and the next time."""

from __future__ import annotations

import json
import os
from pathlib import Path
from unittest.mock import patch

import pytest
from conftest import ROOT, World, draw, run_here

import imagesearch
from imagesearch import cli
from imagesearch.errors import UserError
from imagesearch.filters import format_filter
from imagesearch.pipeline import Dataset

STEP = "04_extract_geo.py"  # the fastest of the steps that take folders


@pytest.fixture
def folders(world: World) -> World:
    """Folders ``phone`` with three photos, ``cam`` with two, and a second ``phone`` on a drive."""
    for number, name in enumerate(
        ("phone/2023/a.png", "phone/b.png", "phone/c.png", "cam/a.png", "cam/d.png")
    ):
        save(world.folder / name, number)
    save(world.folder / "drive/phone/e.png", 5)
    world.settings["dataset"]["images"] = "phone"
    world.write_config()
    return world


def save(file: Path, seed: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draw(seed).save(file)


def count(world: World, *args: str | Path) -> tuple[int, ...]:
    """Run a step; return the photos that are new, unchanged, moved and gone."""
    summary = json.loads(world.run(STEP, "--json", *args).stdout)
    return tuple(summary[key] for key in ("new", "unchanged", "moved", "gone"))


def get_paths(world: World) -> list[str]:
    return sorted(photo.path for photo in Dataset(world.config()).photos)


def test_folders_need_no_option_wherever_they_stand(folders: World) -> None:
    assert count(folders, "phone") == (3, 0, 0, 0)
    assert count(folders, "phone", "--retry-failed") == (0, 3, 0, 0)
    assert count(folders, "--retry-failed", "phone", "-i", "phone/") == (0, 3, 0, 0)
    assert count(folders, "-i", "phone", "-v") == (0, 3, 0, 0)


def test_the_same_folders_written_differently_are_no_change(folders: World) -> None:
    (folders.folder / "link").symlink_to("phone", target_is_directory=True)
    count(folders)
    home = {"HOME": str(folders.folder)}
    with patch.dict(os.environ, home):
        for written in ("phone/", "./phone", "cam/../phone", folders.folder / "phone", "link", "~/phone"):
            assert count(folders, "-i", written) == (0, 3, 0, 0), written
    assert count(folders, "phone", "cam", "--add") == (2, 3, 0, 0)
    for written in (["cam", "phone"], ["link", "link/../cam/"], ["phone", "cam", "phone/2023"]):
        assert count(folders, *written) == (0, 5, 0, 0), written
    assert get_paths(folders) == ["2023/a.png", "b.png", "c.png", "cam/a.png", "cam/d.png"]


def test_other_folders_are_refused_in_one_line_and_nothing_changes(folders: World) -> None:
    count(folders)
    before = (folders.folder / "processed/album/images.json").read_text()
    for step in ("00_run_steps.py", "01_extract_features.py", "02_cluster_faces.py", STEP):
        done = folders.run(step, "-i", "cam", code=2)
        (line,) = done.stderr.splitlines()
        assert "--add" in line and "--replace" in line and "phone are used so far" in line and not done.stdout
    assert (folders.folder / "processed/album/images.json").read_text() == before
    assert count(folders) == (0, 3, 0, 0)


def test_folders_of_the_config_count_as_used(folders: World) -> None:
    count(folders)
    (folders.folder / "processed/album/images.json").unlink()  # as an earlier version left it
    folders.run(STEP, "cam", code=2)
    assert count(folders, "cam", "--add") == (2, 3, 0, 0)


def test_the_first_folders_are_not_questioned(folders: World) -> None:
    assert count(folders, "cam") == (2, 0, 0, 0)
    assert "photos in " in folders.run(STEP).stderr and get_paths(folders) == ["a.png", "d.png"]


def test_added_folders_leave_the_ids_of_the_others(folders: World) -> None:
    count(folders)
    assert count(folders, "cam", "--add") == (2, 3, 0, 0)
    assert count(folders, "drive/phone", "--add") == (1, 5, 0, 0)
    assert count(folders, "phone/2023", "--add") == (0, 6, 0, 0), "it is inside a folder that is used"
    assert count(folders) == (0, 6, 0, 0)
    assert get_paths(folders)[-1] == "phone/e.png"
    assert len(Dataset(folders.config()).roots) == 3
    assert count(folders, "phone", "cam", "--replace") == (0, 5, 0, 1)
    assert count(folders, "cam", "--replace") == (0, 0, 2, 3), "a folder that is alone has no label"
    assert get_paths(folders) == ["a.png", "d.png"]


def test_more_folders_than_before_lose_nothing_and_are_added(folders: World) -> None:
    count(folders)
    assert count(folders, "phone", "cam") == (2, 3, 0, 0)
    assert count(folders, ".") == (1, 5, 0, 0), "the folder above them"
    assert count(folders, ".") == count(folders, ".", "--replace") == (0, 6, 0, 0), "nothing to replace"


def test_a_folder_that_gets_the_name_of_a_root_hides_no_photo(folders: World) -> None:
    count(folders)
    count(folders, "cam", "--add")
    save(folders.folder / "phone/cam/a.png", 9)
    assert count(folders) == (1, 5, 0, 0)
    dataset = Dataset(folders.config())
    (photo,) = (photo for photo in dataset.photos if photo.path.startswith("./"))
    assert photo.path == "./cam/a.png"
    assert dataset.locate_file(photo.path) == folders.folder / "phone/cam/a.png"
    assert dataset.locate_file("cam/a.png") == folders.folder / "cam/a.png"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("none", "no such folder of photos"), ("config.yaml", "a file"), ("empty", "no photos in this folder")],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_folder_without_photos_is_refused_before_anything_else(
    folders: World, name: str, reason: str, is_first: bool
) -> None:
    (folders.folder / "empty").mkdir()
    if not is_first:
        count(folders)
    for args in (["-i", name], [name, "--add"], ["phone", name, "--replace"]):
        done = folders.run(STEP, *args, code=2)
        (line,) = done.stderr.splitlines()
        assert f"{name}: {reason}" in line
    assert count(folders) == ((3, 0, 0, 0) if is_first else (0, 3, 0, 0))


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read every folder")
def test_a_folder_that_cannot_be_read(folders: World) -> None:
    (folders.folder / "cam").chmod(0)
    assert "cam: cannot be read (Permission denied)" in folders.run(STEP, "cam", code=2).stderr


def test_add_and_replace_require_folders(folders: World) -> None:
    assert "--add requires a folder" in folders.run(STEP, "--add", code=2).stderr
    assert "not allowed with" in folders.run(STEP, "cam", "--add", "--replace", code=2).stderr


class Terminal:
    """A terminal: stdin with the replies of a user."""

    def __init__(self, *replies: str) -> None:
        self._replies = iter(replies)

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return f"{next(self._replies)}\n"


@pytest.mark.parametrize(
    ("replies", "expected"), [(["a"], "add"), (["?", "replace"], "replace"), (["s"], None), ([""], None)]
)
def test_on_a_terminal_the_user_decides(
    folders: World, monkeypatch: pytest.MonkeyPatch, capsys, replies: list[str], expected: str | None
) -> None:
    count(folders)
    parser = cli.make_parser("")
    cli.add_photo_options(parser)
    monkeypatch.chdir(folders.folder)
    monkeypatch.setattr("sys.argv", [STEP, "cam"])
    monkeypatch.setattr("sys.stdin", Terminal(*replies))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    args = cli.parse_photo_options(parser)
    if expected:
        assert cli.choose_folder_change(args, folders.config()) == expected
    else:
        with pytest.raises(UserError, match="nothing has been changed"):
            cli.choose_folder_change(args, folders.config())
    assert "[r]eplace" in capsys.readouterr().err


def test_a_program_decides_in_its_call(folders: World) -> None:
    count(folders)
    cam = folders.folder / "cam"
    with pytest.raises(UserError, match="used so far"):
        imagesearch.open_library(folders.config_file, images=cam)
    with imagesearch.open_library(folders.config_file, images=cam, change="add") as library:
        assert len(library.dataset.photos) == 5
    with imagesearch.open_library(folders.config_file, images=cam, change="replace") as library:
        assert len(library.dataset.photos) == 2


def test_folders_of_an_earlier_version_keep_their_labels(folders: World) -> None:
    file = folders.folder / "processed/album/images.json"
    phone, cam = folders.folder / "phone", folders.folder / "cam"
    count(folders, "phone", "cam")
    saved = json.loads(file.read_text())
    assert saved["labels"] == {str(phone): "phone/", str(cam): "cam/"}
    del saved["labels"]
    file.write_text(json.dumps(saved))
    assert count(folders) == (0, 5, 0, 0)
    assert count(folders, "cam", "phone") == (0, 5, 0, 0)
    file.write_text("{")
    assert "images.json: cannot be read" in folders.run(STEP, code=2).stderr


def test_a_folder_that_the_config_gets_besides_moves_nothing(folders: World) -> None:
    count(folders)
    folders.settings["dataset"]["images"] = ["phone", "cam"]
    folders.write_config()
    assert count(folders) == (2, 3, 0, 0)


def test_a_folder_is_a_filter_whichever_root_it_is(folders: World) -> None:
    count(folders)
    count(folders, "cam", "--add")
    roots = Dataset(folders.config()).photo_roots

    def describe(folder: str | Path) -> str:
        return format_filter(roots.make_folder_condition(str(folder)), lists_are_arrays=True)

    assert describe("") == describe(folders.folder) == ""
    assert describe(folders.folder / "cam") == describe("cam") == 'path >= "cam/" and path < "cam0"'
    assert (
        describe(folders.folder / "phone/2023") == describe("2023/") == 'path >= "2023/" and path < "20230"'
    )
    assert describe(folders.folder / "phone") == 'not (path >= "cam/" and path < "cam0")'
    with pytest.raises(UserError, match="not below"):
        describe("/elsewhere")


def test_make_photos_takes_a_folder() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    assert '00_run_steps.py $(if $(PHOTOS),-i "$(PHOTOS)")' in text
    help_text = run_here([str(ROOT / "scripts/00_run_steps.py"), "--help"], ROOT).stdout
    assert "--add" in help_text and "--replace" in help_text and "[DIR ...]" in help_text
