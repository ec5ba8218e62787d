"""Edits of dataset.images; folders of photos that are renamed, copied or cannot be read."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import World
from test_photo_roots import STEP, count, get_paths, save

import imagesearch
from imagesearch.config import load_config
from imagesearch.errors import UserError
from imagesearch.pipeline import Dataset
from imagesearch.query import Criteria
from imagesearch.store import indexed_times


@pytest.fixture
def folders(world: World) -> World:
    """Folders ``phone`` with five photos, three of them in ``phone/family``, and ``cam`` with two."""
    names = ["phone/family/a.png", "phone/family/b.png", "phone/family/c.png", "phone/d.png", "phone/e.png"]
    for number, name in enumerate([*names, "cam/a.png", "cam/x.png"]):
        save(world.folder / name, number)
    configure(world, "phone")
    return world


def configure(world: World, *folders: str) -> None:
    world.settings["dataset"]["images"] = list(folders)
    world.write_config()


def read_saved(world: World) -> str:
    return (world.folder / "processed/album/images.json").read_text()


# --- edits of the config -----------------------------------------------------------------------------------


def test_an_edit_that_would_lose_photos_is_refused_in_one_line_and_nothing_changes(folders: World) -> None:
    count(folders)
    before = read_saved(folders)
    configure(folders, "cam")
    for step in ("00_run_steps.py", "01_extract_features.py", "02_cluster_faces.py", STEP):
        done = folders.run(step, code=2)
        (line,) = done.stderr.splitlines()
        assert "phone are used so far" in line and "cam of dataset.images" in line and not done.stdout
        assert "--add" in line and "--replace" in line
    assert read_saved(folders) == before
    assert Dataset(folders.config()).roots == [folders.folder / "phone"], "a search still finds the photos"
    assert "run 00_run_steps.py with --add or --replace" in Dataset(folders.config()).roots_note
    noted = folders.run("06_search.py", "boat", code=2).stderr  # there is no collection
    assert "run 00_run_steps.py with --add or --replace" in noted
    with pytest.raises(UserError, match="used so far"), imagesearch.open_library(folders.config()) as library:
        library.update()
    configure(folders, "phone")
    assert count(folders) == (0, 5, 0, 0)


def test_an_edit_is_answered_with_add_or_replace(folders: World) -> None:
    count(folders)
    configure(folders, "cam")
    assert count(folders, "--add") == (2, 5, 0, 0)
    assert count(folders) == (0, 7, 0, 0)
    assert "--add requires a folder of photos, or a change" in folders.run(STEP, "--add", code=2).stderr
    configure(folders, "phone")
    assert count(folders, "--replace") == (0, 5, 0, 2)
    configure(folders, "cam")
    with imagesearch.open_library(folders.config(), change="replace") as library:
        assert [photo.path for photo in library.dataset.photos] == ["a.png", "x.png"]


def test_folders_that_were_added_are_not_forgotten_when_the_config_changes_and_changes_back(
    folders: World,
) -> None:
    count(folders)
    count(folders, "cam", "--add")
    save(folders.folder / "third/t.png", 30)
    configure(folders, "third")
    assert "cam are used so far, not" in folders.run(STEP, code=2).stderr
    configure(folders, "phone")
    assert count(folders) == (0, 7, 0, 0)


def test_an_edit_that_loses_nothing_is_not_asked_about(folders: World) -> None:
    count(folders)
    configure(folders, "phone", "cam")
    assert count(folders) == (2, 5, 0, 0)
    shutil.copytree(folders.folder / "phone", folders.folder / "backup")
    configure(folders, "backup", "cam")
    assert "backup is used in place of" in folders.run(STEP).stderr
    assert count(folders) == (0, 7, 0, 0)
    assert get_paths(folders)[-1] == "family/c.png", "its paths are those of the folder it replaces"
    shutil.copytree(folders.folder / "cam", folders.folder / "backup/cam")
    configure(folders, "backup")
    assert count(folders) == (0, 7, 0, 0), "the other folder is in it"
    configure(folders, ".")
    assert count(folders)[3] == 0, "the folder above them"


def test_an_edit_to_a_folder_that_is_not_there_is_named(folders: World) -> None:
    count(folders)
    configure(folders, "fone")
    assert "fone: no such folder of photos" in folders.run(STEP, code=2).stderr
    assert Dataset(folders.config()).roots == [folders.folder / "phone"]


def test_a_copy_of_photos_and_tables_uses_its_own_photos(folders: World, tmp_path: Path) -> None:
    count(folders)
    shutil.copytree(folders.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("copy"))
    copy = load_config(tmp_path / "copy" / folders.config_file.name)
    (tmp_path / "copy/phone/e.png").unlink()
    dataset = Dataset(copy)
    assert dataset.photo_roots.refused is None and not dataset.roots_note
    assert dataset.roots == [tmp_path / "copy/phone"] and len(dataset.photos) == 4


def test_paths_have_no_prefix_when_one_of_several_folders_is_left(folders: World) -> None:
    configure(folders, "phone", "cam")
    count(folders)
    assert get_paths(folders)[-1] == "phone/family/c.png"
    condition = Dataset(folders.config()).photo_roots.make_folder_condition("family")
    assert "phone/family" in str(condition), "--under family finds them with the prefix too"
    configure(folders, "phone")
    assert count(folders, "--replace") == (0, 0, 5, 2)
    assert get_paths(folders)[-1] == "family/c.png"


def test_the_folders_of_the_config_written_differently_are_no_edit(folders: World) -> None:
    count(folders, "cam/../phone")
    assert Dataset(folders.config()).roots == [folders.folder / "phone"], "cam may be removed"
    count(folders, "cam", "--add")
    (folders.folder / "link").symlink_to("phone", target_is_directory=True)
    configure(folders, "link")
    assert count(folders) == (0, 7, 0, 0)
    save(folders.folder / "third/t.png", 30)
    assert "inside" not in folders.run(STEP, "link", "third", "--add").stderr


def test_without_tables_the_folders_of_the_config_are_used(folders: World) -> None:
    assert count(folders, "cam", "--add") == (7, 0, 0, 0), "the first run"
    shutil.rmtree(folders.folder / "processed/album/geo")
    configure(folders, "phone/family")
    assert count(folders) == (3, 0, 0, 0)


def test_folders_outside_a_copied_project_stay_where_they_are(folders: World, tmp_path: Path) -> None:
    count(folders)
    count(folders, "cam", "--add")
    for name in ("phone", "processed", folders.config_file.name):
        source, target = folders.folder / name, tmp_path / "copy" / name
        target.parent.mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    dataset = Dataset(load_config(tmp_path / "copy" / folders.config_file.name))
    assert dataset.roots == [tmp_path / "copy/phone", folders.folder / "cam"]


def test_a_new_folder_gets_a_label_that_no_path_begins_with(folders: World) -> None:
    save(folders.folder / "phone/cam/a.png", 20)
    count(folders)
    assert count(folders, "cam", "--add") == (2, 6, 0, 0)
    assert len(set(get_paths(folders))) == 8


def test_a_new_folder_gets_a_label_that_begins_no_other_label(folders: World) -> None:
    save(folders.folder / "old/phone/d.png", 21)
    save(folders.folder / "drive/old/phone/d.png", 22)
    configure(folders, "phone", "old/phone")
    assert count(folders) == (6, 0, 0, 0) and "old/phone/d.png" in get_paths(folders)
    assert count(folders, "drive/old", "--add") == (1, 6, 0, 0)
    dataset = Dataset(folders.config())
    files = {dataset.locate_file(photo.path) for photo in dataset.photos}
    assert len(files) == 7 and folders.folder / "drive/old/phone/d.png" in files


# --- renamed folders ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_edit", [False, True])
def test_a_renamed_folder_is_recognized_without_a_question(folders: World, is_edit: bool) -> None:
    count(folders)
    (folders.folder / "phone").rename(folders.folder / "handy")
    line = folders.run(STEP, code=2).stderr
    assert "phone: no such folder of photos; mount its drive" in line and "-i NEW_NAME" in line
    if is_edit:
        configure(folders, "handy")
    done = folders.run(STEP, *([] if is_edit else ["handy"]))
    assert "handy is used in place of" in done.stderr and "(missing): it has 5 of its 5 photos" in done.stderr
    assert "0 new, 5 unchanged, 0 moved, 0 gone" in done.stdout
    assert "in place of" not in folders.run(STEP).stderr


def test_one_of_several_folders_is_renamed(folders: World) -> None:
    count(folders, "phone", "cam")
    (folders.folder / "cam").rename(folders.folder / "camera")
    assert count(folders, "camera") == (0, 7, 0, 0), "the other folder is still used"
    (folders.folder / "camera").rename(folders.folder / "canon")
    assert count(folders, "canon", "--add") == (0, 7, 0, 0)
    assert get_paths(folders)[0] == "cam/a.png"


def test_a_renamed_folder_with_fewer_photos_keeps_the_other_folders_with_add(folders: World) -> None:
    count(folders, "phone", "cam")
    (folders.folder / "phone").rename(folders.folder / "handy")
    (folders.folder / "handy/e.png").unlink()
    line = folders.run(STEP, "handy", code=2).stderr
    assert "--add to use the new folder in place of the missing one, and the other folders" in line
    assert count(folders, "handy", "--add") == (0, 6, 0, 1)


def test_another_folder_is_no_new_name_of_a_missing_one(folders: World) -> None:
    count(folders)
    shutil.rmtree(folders.folder / "phone")
    assert "--replace" in folders.run(STEP, "cam", code=2).stderr
    assert count(folders, "cam", "--replace") == (2, 0, 0, 5)


def test_a_folder_with_fewer_photos_than_a_missing_one_is_asked_about(folders: World) -> None:
    count(folders)
    shutil.copytree(folders.folder / "phone", folders.folder / "backup")
    (folders.folder / "backup/e.png").unlink()
    (folders.folder / "phone").rename(folders.folder / "away")  # its drive is not mounted
    line = folders.run(STEP, "backup", code=2).stderr
    assert "backup has 4 of the 5 photos of" in line and "--replace" in line
    assert count(folders, "backup", "--replace") == (0, 4, 0, 1)
    assert get_paths(folders)[-1] == "family/c.png"


def test_a_copy_replaces_no_folder_that_is_there_unless_it_has_all_photos(folders: World) -> None:
    count(folders)
    shutil.copytree(folders.folder / "phone", folders.folder / "backup")
    (folders.folder / "backup/e.png").unlink()
    configure(folders, "backup")
    line = folders.run(STEP, code=2).stderr
    assert "used so far" in line and "missing" not in line
    configure(folders, "phone")
    shutil.copy(folders.folder / "phone/e.png", folders.folder / "backup")
    assert count(folders, "backup", "--add") == (5, 5, 0, 0)


def test_a_missing_folder_is_not_left_out_because_another_one_is_added(folders: World) -> None:
    count(folders)
    shutil.copytree(folders.folder / "phone/family", folders.folder / "backup")  # three of the five photos
    (folders.folder / "phone").rename(folders.folder / "away")
    assert "which is missing" not in folders.run(STEP, "backup", code=2).stderr
    line = folders.run(STEP, "backup", "--add", code=2).stderr
    assert "phone: no such folder of photos; mount its drive, or use --replace" in line


def test_photos_that_were_deleted_or_moved_before_are_not_missed_in_a_renamed_folder(folders: World) -> None:
    count(folders)
    (folders.folder / "phone/e.png").unlink()
    (folders.folder / "phone/d.png").rename(folders.folder / "phone/family/f.png")
    assert count(folders) == (0, 3, 1, 1)
    (folders.folder / "phone").rename(folders.folder / "handy")
    done = folders.run(STEP, "cam", "handy")
    assert "handy is used in place of" in done.stderr and "it has 4 of its 4 photos" in done.stderr
    assert get_paths(folders) == ["cam/a.png", "cam/x.png", *(f"family/{name}.png" for name in "abcf")]


def test_other_photos_with_the_same_names_are_no_copies(folders: World) -> None:
    count(folders, "cam")
    for number, name in enumerate(("a.png", "x.png")):
        save(folders.folder / "other" / name, 40 + number)
    shutil.rmtree(folders.folder / "cam")
    assert "used so far" in folders.run(STEP, "other", code=2).stderr


def test_one_copy_does_not_replace_two_folders_with_the_same_photos(folders: World) -> None:
    shutil.copytree(folders.folder / "cam", folders.folder / "card")
    shutil.copytree(folders.folder / "cam", folders.folder / "backup")
    count(folders, "cam", "card")
    assert "used so far" in folders.run(STEP, "backup", "--json", code=2).stderr
    configure(folders, "backup")
    assert "used so far" in folders.run(STEP, code=2).stderr


def test_photos_of_a_folder_that_stays_are_no_copies_of_another_folder(folders: World) -> None:
    shutil.copytree(folders.folder / "cam", folders.folder / "card")
    count(folders, "cam", "card")
    assert "used so far" in folders.run(STEP, "cam", code=2).stderr
    configure(folders, "cam")
    assert "used so far" in folders.run(STEP, code=2).stderr


def test_a_folder_that_is_excluded_below_another_one_is_lost(folders: World) -> None:
    count(folders, "cam", "phone/family")
    folders.settings["dataset"]["exclude"] = ["fam*"]
    configure(folders, "phone", "cam")
    assert "used so far" in folders.run(STEP, code=2).stderr


def test_a_folder_inside_another_one_is_named(folders: World) -> None:
    count(folders)
    done = folders.run(STEP, "phone/family", "--add")
    assert "family: inside" in done.stderr and "nothing to add" in done.stderr
    assert "given with -i" not in done.stderr


# --- folders that cannot be read ---------------------------------------------------------------------------


@pytest.mark.parametrize("number", [13, 5])  # no permission; a network drive that does not answer
def test_photos_of_a_folder_that_cannot_be_read_are_kept(
    folders: World, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    count(folders)
    scandir = os.scandir

    def refuse(folder):
        if str(folder).endswith("family"):
            raise OSError(number, os.strerror(number))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)  # root can read every folder
    done = folders.run(STEP)
    assert "0 new, 5 unchanged, 0 moved, 0 gone, 1 failed" in done.stdout
    assert f"failed: family/: the folder cannot be read: {os.strerror(number)}" in done.stderr
    monkeypatch.undo()
    assert count(folders) == (0, 5, 0, 0)


def test_a_root_that_cannot_be_read_is_not_an_empty_one(
    folders: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    count(folders)

    def refuse(folder):
        raise OSError(5, os.strerror(5))

    monkeypatch.setattr(os, "scandir", refuse)
    assert "phone: the folder cannot be read: Input/output error" in folders.run(STEP, code=2).stderr


# --- the collections ---------------------------------------------------------------------------------------


def test_the_collections_follow_and_photos_that_come_back_were_added_before(
    folders: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(seconds: int, *args: str) -> tuple[int, ...]:
        monkeypatch.setattr(indexed_times, "time", SimpleNamespace(time=lambda: seconds))
        folders.run("01_extract_features.py", *args)
        reports = json.loads(folders.run("05_build_collections.py", "--json").stdout)
        keys = ("inserted", "moved", "unchanged", "deleted")
        return tuple(reports["clip"][key] for key in keys)

    def find_added(day: str) -> set[str]:
        with imagesearch.open_library(folders.config()) as library:
            answer = library.search("", top_k=20, criteria=Criteria(added_after=day))
            return {result.path for result in answer.results}

    january, february, march = 1_704_200_000, 1_707_000_000, 1_709_500_000  # of 2024
    assert build(january) == (5, 0, 0, 0)
    configure(folders, "cam")
    assert build(february, "--replace") == (2, 0, 0, 5)
    configure(folders, "phone", "cam")
    assert build(march) == (5, 0, 2, 0)
    assert find_added("2024-01-15") == {"a.png", "x.png"}
    assert find_added("2024-02-15") == set()
    (folders.folder / "phone/family").rename(folders.folder / "phone/we")
    done = folders.run("01_extract_features.py")
    assert "0 new, 4 unchanged, 3 moved, 0 gone" in done.stdout
    done = folders.run("05_build_collections.py")
    assert "7 photos: 0 new, 0 changed, 4 unchanged, 3 moved, 0 gone, 0 skipped" in done.stdout
    assert find_added("2024-02-15") == set()


def test_copies_in_a_folder_of_the_album_are_noted(folders: World, tmp_path: Path) -> None:
    folders.run("01_extract_features.py")
    folders.run("05_build_collections.py")
    options = ("--name", "d.png", "--no-show")
    done = folders.run("06_search.py", *options, "--copy-to", "phone/selection")
    assert "phone/selection is inside" in done.stderr and "00_run_steps.py adds the copies" in done.stderr
    assert "is inside" not in folders.run("06_search.py", *options, "--copy-to", "selection").stderr
    assert "is inside" not in folders.run("06_search.py", *options, "--copy-to", "phone/.selection").stderr
