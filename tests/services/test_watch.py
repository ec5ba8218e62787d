"""Watching folders: what arrives, changes, moves and goes is in the collections after the next batch."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml
from conftest import BuiltAlbum, World, draw
from drawn import Drawn, picture_of
from url_server import UrlServer
from watch_stories import (
    Story,
    assert_equals_build_from_scratch,
    read_paths,
    run_watch,
    tell_first_batch,
)

from imagesearch.errors import UserError
from imagesearch.pipeline import Dataset
from imagesearch.workflow.folder_watcher import FolderWatcher


@pytest.fixture
def drawn(tmp_path: Path) -> Drawn:
    """Two people on three photos; nothing extracted yet."""
    drawn = Drawn(tmp_path)
    for seed, people in enumerate((("Maya",), ("Maya", "Kofi"), ("Kofi",)), 1):
        picture_of(*people, seed=seed)[0].save(drawn.photos / f"{seed}.png")
    return drawn


def save(drawn: Drawn, name: str, seed: int) -> Path:
    """Save a picture of nobody."""
    file = drawn.photos / name
    file.parent.mkdir(exist_ok=True)
    draw(seed).save(file)
    return file


def test_photos_come_change_move_and_go(drawn: Drawn, built_album: BuiltAlbum) -> None:
    whole = draw(7, (400, 300))
    originals = sorted((built_album.folder / "album").glob("*/IMG_*.jpg"))[:3]  # with times and places

    def story() -> Story:
        first = yield
        assert (first.new, first.failed, first.people) == (3, {}, "2 people")
        whole.save(drawn.folder / "whole.jpg")
        content = (drawn.folder / "whole.jpg").read_bytes()
        (drawn.photos / "half.jpg").write_bytes(content[: len(content) // 2])
        for file in originals:
            shutil.copy(file, drawn.photos)
        batch = yield
        assert (batch.new, batch.waiting, batch.failed) == (3, 1, {})
        assert "half.jpg" not in read_paths(drawn.config())

        (drawn.photos / "half.jpg").write_bytes(content)
        batch = yield
        assert (batch.new, batch.waiting, batch.failed) == (1, 0, {})

        (drawn.photos / "half.jpg").rename(drawn.photos / "moved.jpg")
        batch = yield
        assert (batch.new, batch.moved, batch.gone) == (0, 1, 0)

        (drawn.photos / originals[0].name).unlink()
        picture_of("Kofi", seed=8)[0].save(drawn.photos / "1.png")
        batch = yield
        assert (batch.new, batch.moved, batch.gone) == (1, 0, 1)

    run_watch(drawn.config(), story)
    names = {"1.png", "2.png", "3.png", "moved.jpg", originals[1].name, originals[2].name}
    assert read_paths(drawn.config()) == names

    run_watch(drawn.config(), tell_first_batch)  # clusters the faces, as a run from scratch does
    assert_equals_build_from_scratch(drawn.config(), drawn.folder)


def test_hidden_and_unfinished_names_are_ignored(drawn: Drawn) -> None:
    def story() -> Story:
        yield
        for name in (".hidden.png", "1.png~", "new.png.part", "@eaDir/thumb.png"):
            save(drawn, "x.png", 5).rename(drawn.folder / "x.png")
            (drawn.photos / name).parent.mkdir(exist_ok=True)
            shutil.copy(drawn.folder / "x.png", drawn.photos / name)
        save(drawn, "trip/new.png", 6)
        batch = yield
        assert (batch.new, batch.moved, batch.gone, batch.failed) == (1, 0, 0, {})

    run_watch(drawn.config(), story)
    assert read_paths(drawn.config()) == {"1.png", "2.png", "3.png", "trip/new.png"}


def test_a_broken_photo_is_named_once_and_tried_again_when_it_changes(drawn: Drawn) -> None:
    def story() -> Story:
        yield
        (drawn.photos / "broken.jpg").write_bytes(b"not much of a photo")
        batch = yield
        assert list(batch.failed) == ["broken.jpg"] and batch.new == 0

        save(drawn, "other.png", 9)
        batch = yield
        assert (batch.new, batch.failed) == (1, {})

        draw(4).save(drawn.photos / "broken.jpg")
        batch = yield
        assert (batch.new, batch.failed) == (1, {})

    run_watch(drawn.config(), story, max_incomplete=0.5)
    assert "broken.jpg" in read_paths(drawn.config())


def test_a_burst_is_worked_in_batches(drawn: Drawn) -> None:
    sizes = []

    def story() -> Story:
        yield
        for number in range(20):
            save(drawn, f"burst/{number}.png", 100 + number)
        while sum(sizes) < 20:
            batch = yield
            assert batch.waiting or sum(sizes) + batch.new == 20
            sizes.append(batch.new)

    run_watch(drawn.config(), story, batch_size=8)
    assert max(sizes) == 8
    assert len(read_paths(drawn.config())) == 23


def test_a_missing_drive_keeps_its_photos_and_comes_back(drawn: Drawn) -> None:
    usb = drawn.folder / "usb"
    usb.mkdir()
    draw(1).save(usb / "a.png")
    settings = yaml.safe_load(drawn.config_file.read_text("utf-8"))
    settings["dataset"]["images"] = ["photos", "usb"]
    drawn.config_file.write_text(yaml.safe_dump(settings), "utf-8")

    def story() -> Story:
        first = yield
        assert first.new == 4
        usb.rename(drawn.folder / "away")
        line = yield
        assert line.startswith(f"{usb}: missing")

        usb.mkdir()  # the mount point
        save(drawn, "meanwhile.png", 2)
        batch = yield
        assert (batch.new, batch.gone, batch.photos) == (1, 0, 5)

        usb.rmdir()
        (drawn.folder / "away").rename(usb)
        line = yield
        assert line == f"{usb}: back"
        draw(3).save(usb / "b.png")
        batch = yield
        assert (batch.new, batch.gone, batch.photos) == (1, 0, 6)

    run_watch(drawn.config(), story)
    assert {"usb/a.png", "usb/b.png", "photos/meanwhile.png"} <= read_paths(drawn.config())


def test_a_drive_below_the_folder_keeps_its_photos_and_comes_back(drawn: Drawn, second_device: Path) -> None:
    usb, content = drawn.photos / "usb", second_device / "content"
    content.mkdir()
    draw(1).save(content / "a.png")
    usb.symlink_to(content)

    def story() -> Story:
        first = yield
        assert first.new == 4
        content.rename(second_device / "away")
        save(drawn, "meanwhile.png", 2)
        line = yield
        assert line == f"{usb}: missing or without photos; its photos are kept until it is back"
        batch = yield
        assert (batch.new, batch.gone, batch.photos) == (1, 0, 5)

        (second_device / "away").rename(content)
        draw(3).save(content / "b.png")
        save(drawn, "afterwards.png", 4)
        line = yield
        assert line == f"{usb}: back"
        batch = yield
        assert (batch.new, batch.gone, batch.photos) == (2, 0, 7)

    run_watch(drawn.config(), story)
    assert {"usb/a.png", "usb/b.png"} <= read_paths(drawn.config())


def test_a_drive_that_is_missing_at_the_start_is_waited_for(drawn: Drawn) -> None:
    run_watch(drawn.config(), tell_first_batch)
    drawn.photos.rename(drawn.folder / "away")

    def story() -> Story:
        line = yield
        assert "missing" in line
        batch = yield
        assert (batch.gone, batch.photos) == (0, 3)
        (drawn.folder / "away").rename(drawn.photos)
        line = yield
        assert line.endswith("back")

    run_watch(drawn.config(), story)
    assert len(read_paths(drawn.config())) == 3


def test_another_run_is_waited_for(drawn: Drawn) -> None:
    def story() -> Story:
        yield
        with Dataset(drawn.config()).open_table("faces").lock():
            save(drawn, "new.png", 5)
            line = yield
            assert "another run is writing here" in line
            assert "new.png" not in read_paths(drawn.config())
        batch = yield
        assert batch.photos == 4

    run_watch(drawn.config(), story)
    assert "new.png" in read_paths(drawn.config())


def test_another_run_is_waited_for_at_the_start_too(drawn: Drawn) -> None:
    lock = Dataset(drawn.config()).open_table("clip").lock()
    lock.__enter__()

    def story() -> Story:
        line = yield
        assert "another run is writing here" in line
        lock.__exit__(None, None, None)
        batch = yield
        assert batch.new == 3

    run_watch(drawn.config(), story)


@pytest.mark.parametrize("has_events", [True, False])
def test_folders_are_polled_if_they_have_no_events(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch, has_events: bool
) -> None:
    import watchfiles

    polled = []

    def watch(*paths: str, force_polling: bool, original=watchfiles.watch, **options):
        polled.append(force_polling)
        if not force_polling:
            raise OSError("OS file watch limit reached")
        return original(*paths, force_polling=True, **options)

    monkeypatch.setattr(watchfiles, "watch", watch)

    def story() -> Story:
        if not has_events:
            line = yield
            assert "limit reached" in line and "polled instead" in line
        yield
        save(drawn, "new.png", 5)
        batch = yield
        assert batch.new == 1

    run_watch(drawn.config(f"watch.polling={str(has_events).lower()}"), story)
    assert polled == ([True] if has_events else [False, True])


def test_an_edited_list_is_read_soon(drawn: Drawn) -> None:
    file = drawn.folder / "photos.txt"
    file.write_text("photos/1.png\n")
    server = UrlServer()
    lists = {"images": "photos.txt", "allow_hosts": [server.host]}
    settings = yaml.safe_load(drawn.config_file.read_text("utf-8"))
    settings["dataset"] |= lists
    drawn.config_file.write_text(yaml.safe_dump(settings), "utf-8")

    def story() -> Story:
        batch = yield
        assert batch.new == 1
        with file.open("a") as lines:
            lines.write(f"photos/2.png\n{server.url}/good/1.jpg\n")
        batch = yield
        assert (batch.new, batch.failed, batch.photos) == (2, {}, 3)
        file.write_text(f"photos/2.png\n{server.url}/good/1.jpg\n")
        batch = yield
        assert (batch.new, batch.gone) == (0, 1)

    try:
        run_watch(drawn.config(), story)
    finally:
        server.close()


def test_a_list_that_is_being_written_is_not_read_yet(tmp_path: Path) -> None:
    file = tmp_path / "photos.txt"
    file.write_text("a.jpg\nb.jpg\n")
    folders = FolderWatcher((), False, print, settle_seconds=3600)
    assert folders.wait([file]), "the first time, however new the list is"
    file.write_text("a.jpg\n")
    assert not folders.wait([file])
    os.utime(file, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns - 3601 * 10**9))
    assert folders.wait([file])
    assert not folders.wait([file])
    folders.close()


def test_a_config_that_names_nothing_ends_the_watch_at_once(world: World, drawn: Drawn) -> None:
    with pytest.raises(UserError, match="no such folder"):
        run_watch(drawn.config("dataset.images=nowhere"), tell_first_batch)
    for options in (["--json"], ["--only", "clip"], ["--thumbnails"], ["--refresh"]):
        done = world.run("01_extract_features.py", "--watch", *options, code=2)
        assert "--watch: cannot be combined" in done.stderr and len(done.stderr.splitlines()) == 1
