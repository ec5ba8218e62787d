"""A search says what the steps have found since the collections were built, and which photos are gone."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, Done, World, draw, run_here
from drawn import Drawn, picture_of

import imagesearch
from imagesearch.pipeline import Dataset
from imagesearch.store import UnbuiltChanges, UnbuiltChangesFinder

SINCE = "photos since the collections were built: "


@pytest.fixture
def album(world: World) -> World:
    """Six photos, extracted and built."""
    for seed in range(6):
        world.add(f"{seed}.png", seed)
    world.run("01_extract_features.py")
    world.run("05_build_collections.py")
    return world


def search(world: World, *args: str | Path) -> Done:
    return world.run("06_search.py", "boat", "--no-show", *args)


def test_a_search_counts_what_01_has_found_since_05(album: World) -> None:
    assert search(album).stderr == ""
    album.add("new.png", 7)
    (album.photos / "0.png").rename(album.photos / "moved.png")
    (album.photos / "1.png").unlink()
    draw(9).save(album.photos / "2.png")
    os.utime(album.photos / "3.png", (1, 1))  # the same content
    assert SINCE not in search(album).stderr, "nothing is listed"
    album.run("01_extract_features.py")
    note = f"{SINCE}1 new, 1 moved, 1 changed, 1 gone; run 05_build_collections.py -c {album.config_file}\n"
    assert note in search(album).stderr
    assert note.partition(" -c")[0] in json.loads(search(album, "--json").stdout)["notes"]
    album.run("05_build_collections.py")
    assert search(album).stderr == ""


def test_the_command_has_the_options_as_they_were_typed(album: World) -> None:
    album.add("new.png", 7)
    album.run("01_extract_features.py")
    plain = [str(ROOT / "scripts/06_search.py"), "boat", "--no-show"]
    done = run_here(plain, album.folder)
    assert done.stderr.endswith("1 new; run 05_build_collections.py\n")
    done = run_here([*plain, "-c", "./config.yaml", "-n", "album"], album.folder)
    assert done.stderr.endswith("1 new; run 05_build_collections.py -c ./config.yaml -n album\n")


def test_a_photo_that_comes_back_is_new(album: World) -> None:
    (album.photos / "1.png").rename(album.folder / "aside.png")
    album.run("01_extract_features.py")
    assert f"{SINCE}1 gone;" in search(album).stderr
    (album.folder / "aside.png").rename(album.photos / "1.png")
    album.run("01_extract_features.py")
    assert SINCE not in search(album).stderr
    (album.photos / "1.png").rename(album.folder / "aside.png")
    album.run("01_extract_features.py")
    album.run("05_build_collections.py")
    assert SINCE not in search(album).stderr
    (album.folder / "aside.png").rename(album.photos / "1.png")
    album.run("01_extract_features.py")
    assert f"{SINCE}1 new;" in search(album).stderr


def test_a_photo_that_can_no_longer_be_read_has_changed(album: World) -> None:
    (album.photos / "1.png").write_bytes(b"no photo")
    album.run("01_extract_features.py")
    assert f"{SINCE}1 changed;" in search(album).stderr


def test_faces_and_places_that_were_read_since_count_too(tmp_path: Path) -> None:
    drawn = Drawn(tmp_path)
    for seed in range(3):
        picture_of("Maya", seed=seed)[0].save(drawn.photos / f"{seed}.png")

    def run(script: str, *args: str) -> Done:
        done = run_here([str(ROOT / "scripts" / script), "-c", str(drawn.config_file), *args], tmp_path)
        assert done.returncode == 0, done.stderr
        return done

    def get_note() -> str:
        lines = run("06_search.py", "boat", "--no-show").stderr.splitlines()
        return next((line for line in lines if line.startswith(SINCE)), "").partition(" -c")[0]

    run("01_extract_features.py")
    run("05_build_collections.py")
    assert get_note() == ""
    run("02_cluster_faces.py")
    assert get_note() == f"{SINCE}3 with faces read; run 05_build_collections.py"
    run("04_extract_geo.py")
    assert get_note() == (
        f"{SINCE}3 with faces read, 3 with places and dates read; run 05_build_collections.py"
    )
    run("05_build_collections.py")
    assert get_note() == ""
    picture_of("Kofi", seed=9)[0].save(drawn.photos / "new.png")
    run("01_extract_features.py")
    assert get_note() == f"{SINCE}1 new; run 00_run_steps.py", "02 and 04 have not read it"
    run("00_run_steps.py")
    assert get_note() == ""


def test_a_table_is_compared_once_while_its_files_stay(album: World, monkeypatch: pytest.MonkeyPatch) -> None:
    finder = UnbuiltChangesFinder(Dataset(album.config()))
    assert finder.find() == UnbuiltChanges()
    os.utime(next((album.folder / "processed/album/clip").glob("seen-*")))  # as a copied folder
    assert finder.find() == UnbuiltChanges()
    monkeypatch.setattr(finder, "_compare", lambda: pytest.fail("compared again"))
    assert finder.find() == UnbuiltChanges()


def test_a_table_that_was_made_again_is_no_change(album: World) -> None:
    shutil.rmtree(album.folder / "processed/album/clip")
    album.run("01_extract_features.py")
    assert SINCE not in search(album).stderr


@pytest.mark.parametrize("content", [None, b"", b"PAR1 damaged"])
def test_datasets_of_earlier_versions_and_damaged_files_have_no_note(
    album: World, content: bytes | None
) -> None:
    album.add("new.png", 7)
    album.run("01_extract_features.py")
    file = album.folder / "processed/album/built.parquet"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    assert search(album).stderr == ""
    album.run("05_build_collections.py")
    assert file.stat().st_size > 100


def test_photos_in_a_folder_that_cannot_be_read_are_not_called_gone(
    album: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (album.photos / "1.png").unlink()
    lstat = Path.lstat

    def refuse(path: Path) -> os.stat_result:  # root can enter every folder
        if path.name == "1.png":
            raise PermissionError(13, "Permission denied")
        return lstat(path)

    monkeypatch.setattr(Path, "lstat", refuse)
    noted = search(album).stderr
    assert "1 photo found is in a folder that cannot be read; check its permissions: 1.png" in noted
    assert "gone from the disk" not in noted


def test_photos_that_are_gone_are_marked_and_left_out(album: World) -> None:
    (album.photos / "1.png").unlink()
    done = search(album)
    assert "1 photo found is gone from the disk: 1.png; run 00_run_steps.py -c" in done.stderr
    assert [line for line in done.stdout.splitlines() if "[gone]" in line and "1.png" in line]
    results = json.loads(search(album, "--json").stdout)["results"]
    assert {result["path"] for result in results if result["gone"]} == {"1.png"}
    done = search(album, "--paths", "--copy-to", album.folder / "found")
    assert len(done.stdout.splitlines()) == 5 and all(
        Path(line).is_file() for line in done.stdout.splitlines()
    )
    assert len(list((album.folder / "found").iterdir())) == 5
    with imagesearch.open_library(album.config_file) as library:
        answer = library.search("boat")
        assert len(answer.results) == 6 and len(answer.present_results) == 5
    for name in "0235":
        (album.photos / f"{name}.png").unlink()
    assert (
        "5 photos found are gone from the disk: " in search(album).stderr and ", ...;" in search(album).stderr
    )


@pytest.mark.parametrize("is_mount_point", [False, True])
def test_a_drive_that_is_not_mounted_is_one_line(album: World, is_mount_point: bool) -> None:
    album.photos.rename(album.folder / "elsewhere")
    if is_mount_point:
        album.photos.mkdir()
    done = search(album)
    line = f"6 photos found are below {album.photos}, which is missing; is its drive mounted?"
    assert done.stderr.splitlines() == [line]
    assert search(album, "--paths").stdout == ""
