"""Drives below a folder of photos: while one is not mounted, its photos are kept."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from conftest import World
from test_photo_roots import save

from imagesearch.geo import extract_geo
from imagesearch.photos import Drive, Photo, PhotoListing, compute_photo_id
from imagesearch.pipeline import Dataset, StepSummary
from imagesearch.pipeline.drives import keep_missing_drives, save_drives


class DriveStory:
    """The folder ``nas`` below ``photos``: two photos on another device."""

    def __init__(self, world: World, content: Path) -> None:
        self.world, self.content, self.away = world, content, content.with_name("away")
        self.place = world.folder / "photos/nas"
        save(world.folder / "photos/a.png", 1)
        save(content / "b.png", 2)
        save(content / "trip/c.png", 3)
        world.settings["dataset"]["images"] = ["photos"]
        world.write_config()

    def unmount(self) -> None:
        self.content.rename(self.away)

    def mount(self) -> None:
        self.away.rename(self.content)

    def extract(self, *assignments: str) -> StepSummary:
        config = self.world.config(*assignments)
        return extract_geo(config, Dataset(config)).photos

    def count(self, *assignments: str) -> tuple[int, int, int]:
        """Run a step; return the photos that are new, unchanged and gone."""
        summary = self.extract(*assignments)
        return summary.new, summary.unchanged, summary.gone


class MountedDrive(DriveStory):
    """A folder that is on another device while it is mounted, and empty while it is not."""

    def __init__(self, world: World) -> None:
        super().__init__(world, world.folder / "photos/nas")
        self.is_mounted = True

    def unmount(self) -> None:
        super().unmount()
        self.content.mkdir()
        self.is_mounted = False

    def mount(self) -> None:
        shutil.rmtree(self.content, ignore_errors=True)
        super().mount()
        self.is_mounted = True

    def simulate(self, monkeypatch: pytest.MonkeyPatch) -> None:
        get_status = os.stat

        def stat(path: object, *args: object, **options: object) -> os.stat_result:
            status = get_status(path, *args, **options)
            if self.is_mounted and Path(str(path)).is_relative_to(self.content):
                return os.stat_result((*status[:2], status.st_dev + 1, *status[3:]))
            return status

        monkeypatch.setattr(os, "stat", stat)


@pytest.fixture
def mounted(world: World, monkeypatch: pytest.MonkeyPatch) -> MountedDrive:
    drive = MountedDrive(world)
    drive.away = world.folder / "away"
    drive.simulate(monkeypatch)
    return drive


@pytest.fixture
def linked(world: World, second_device: Path) -> DriveStory:
    """The folder is a link to another device, so nothing is simulated."""
    drive = DriveStory(world, second_device / "content")
    drive.place.symlink_to(drive.content)
    return drive


@pytest.fixture(params=["mounted", "linked"])
def drive(request: pytest.FixtureRequest) -> DriveStory:
    return request.getfixturevalue(request.param)


def test_the_photos_of_a_drive_that_is_not_mounted_are_kept_until_it_is_back(drive: DriveStory) -> None:
    assert drive.count() == (3, 0, 0)
    drive.unmount()
    for _ in range(2):
        summary = drive.extract()
        assert (summary.new, summary.unchanged, summary.gone) == (0, 3, 0)
        assert summary.failed.keys() == {"nas/"}
        assert summary.failed["nas/"].startswith("its drive is not mounted; its photos are kept")
    drive.mount()
    (drive.content / "b.png").unlink()
    save(drive.content / "d.png", 4)
    summary = drive.extract()
    assert (summary.new, summary.unchanged, summary.gone) == (1, 2, 1) and not summary.failed


def test_all_photos_of_a_drive_that_is_mounted_can_be_deleted(drive: DriveStory) -> None:
    assert drive.count() == (3, 0, 0)
    shutil.rmtree(drive.content / "trip")
    (drive.content / "b.png").unlink()
    assert drive.count() == (0, 1, 2)


def test_a_folder_of_photos_in_place_of_a_drive_replaces_it(drive: DriveStory) -> None:
    assert drive.count() == (3, 0, 0)
    drive.unmount()
    if drive.place.is_symlink():
        drive.place.unlink()
    save(drive.place / "e.png", 5)
    assert drive.count() == (1, 1, 2)


def test_an_excluded_drive_is_not_missed(drive: DriveStory) -> None:
    assert drive.count() == (3, 0, 0)
    drive.unmount()
    assert drive.count('dataset.exclude=["nas"]') == (0, 1, 2)


def test_a_mount_point_that_is_removed_by_unmounting_keeps_its_photos(mounted: MountedDrive) -> None:
    assert mounted.count() == (3, 0, 0)
    mounted.unmount()
    mounted.content.rmdir()
    assert mounted.count() == (0, 3, 0)


def test_a_link_to_a_drive_that_is_removed_removes_its_photos(linked: DriveStory) -> None:
    assert linked.count() == (3, 0, 0)
    linked.place.unlink()
    assert linked.count() == (0, 1, 2)


def test_a_folder_of_the_same_device_that_becomes_empty_has_lost_its_photos(world: World) -> None:
    plain = DriveStory(world, world.folder / "photos/nas")
    assert plain.count() == (3, 0, 0)
    shutil.rmtree(plain.content)
    plain.content.mkdir()
    assert plain.count() == (0, 1, 2)


def test_a_damaged_note_of_drives_is_written_anew(drive: DriveStory) -> None:
    assert drive.count() == (3, 0, 0)
    note = Dataset(drive.world.config()).folder / "drives.json"
    for damage in ("", "[]", "{"):
        note.write_text(damage)
        assert drive.count() == (0, 3, 0)
        drive.unmount()
        assert drive.count() == (0, 3, 0)
        drive.mount()


def test_a_drive_below_a_missing_folder_is_known_when_the_folder_is_back(
    drive: DriveStory,
) -> None:
    photos = drive.world.folder / "photos"
    assert drive.count() == (3, 0, 0)
    photos.rename(drive.world.folder / "elsewhere")
    config = drive.world.config()
    summary = extract_geo(config, Dataset(config, keep_missing_roots=True)).photos
    assert (summary.unchanged, summary.gone, summary.failed.keys() & {"nas/"}) == (3, 0, set())
    (drive.world.folder / "elsewhere").rename(photos)
    drive.unmount()
    assert drive.count() == (0, 3, 0)


def test_photos_are_listed_again_after_downloads_while_a_drive_is_away(drive: DriveStory) -> None:
    assert drive.count() == (3, 0, 0)
    drive.unmount()
    config = drive.world.config()
    dataset = Dataset(config, keep_missing_roots=True)
    listed = dataset.photos
    dataset.__dict__.pop("photos")  # as a download does
    assert dataset.photos == listed and len(listed) == 3
    assert dataset.missing_drives == [drive.place] and dataset.missing_roots == []


def test_a_drive_below_a_folder_that_is_replaced_is_forgotten(drive: DriveStory) -> None:
    assert drive.count() == (3, 0, 0)
    other = drive.world.folder / "other"
    save(other / "x.png", 9)
    config = drive.world.config()
    summary = extract_geo(config, Dataset(config, [other], change="replace")).photos
    assert (summary.new, summary.gone, summary.failed) == (1, 3, {})


def test_an_interrupted_run_knows_the_drive(drive: DriveStory, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("imagesearch.pipeline.runner.compact_tables", interrupt)
        drive.count()
    drive.unmount()
    assert drive.count() == (0, 3, 0)


def test_a_folder_of_photos_can_have_the_name_of_an_excluded_folder(drive: DriveStory) -> None:
    save(drive.world.folder / "nas/z.png", 7)
    drive.world.settings["dataset"] |= {"images": ["photos", "nas"], "exclude": ["photos"]}
    drive.world.write_config()
    assert drive.count() == (4, 0, 0)
    drive.unmount()
    assert drive.count() == (0, 4, 0)


def test_a_link_to_a_drive_that_is_a_folder_of_photos_too_is_no_missing_drive(linked: DriveStory) -> None:
    assert linked.count() == (3, 0, 0)
    config = linked.world.config()
    summary = extract_geo(config, Dataset(config, [linked.content], change="add")).photos
    assert (summary.gone, summary.moved, summary.failed) == (0, 2, {})


def test_photos_of_a_drive_in_another_one_do_not_replace_it(tmp_path: Path) -> None:
    photos, tables = tmp_path / "photos", tmp_path / "tables"
    outer, inner = Drive(str(photos / "nas"), False), Drive(str(photos / "nas/in"), False)
    save_drives(tables, {"nas/": outer, "nas/in/": inner})

    def list_missing(*paths: str) -> dict[str, str]:
        found = [Photo(compute_photo_id(path), path, photos / path, 1, 1) for path in paths]
        listing = PhotoListing(found, drives={"nas/in/": inner})
        keep_missing_drives(tables, listing, {photos: ""}, (), photos.joinpath)
        return listing.left_out

    assert list_missing("nas/in/a.jpg", "b.jpg").keys() == {"nas/"}
    assert list_missing("nas/in/a.jpg", "nas/c.jpg") == {}
