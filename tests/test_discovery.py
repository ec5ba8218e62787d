"""Each photo is found once, with a path and an id that stay the same."""

from __future__ import annotations

import os
import sys
import unicodedata
from pathlib import Path

import pytest
from conftest import draw
from photo_files import get_paths, make_files

from imagesearch.errors import UserError
from imagesearch.photos import (
    Photo,
    compute_photo_id,
    find_photos,
    hash_content,
    list_photos,
    locate_file,
    make_path_prefix,
)
from imagesearch.photos.sources import label_roots


def test_the_id_of_a_path_never_changes() -> None:
    assert compute_photo_id("2023/goa/IMG_0001.jpg") == 7_087_223_810_011_399_214
    assert compute_photo_id("strände/é.jpg") == 186_441_636_118_847_722
    assert all(0 <= compute_photo_id(str(i)) < 2**63 for i in range(1000))


def test_hidden_files_and_other_formats_are_left_out(tmp_path: Path) -> None:
    wanted = ["a.jpg", "b/c d/é.JPEG", "b/not.eaDir/x.png"]
    make_files(
        tmp_path, *wanted, ".hidden.jpg", ".cache/a.jpg", "@eaDir/a.jpg", "b/@eaDir/SYNO/a.jpg", "b/._a.jpg",
        "__MACOSX/a.jpg", "$RECYCLE.BIN/a.jpg", "notes.txt", "jpg", "movie.mp4", "a.jpg.txt",
    )  # fmt: skip
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "broken.jpg").symlink_to("nowhere.jpg")
    assert get_paths(find_photos([tmp_path])) == wanted


def test_a_photo_has_its_file_size_and_time(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b.png"
    file.parent.mkdir()
    draw(1).save(file)
    (photo,) = find_photos([tmp_path])
    status = file.stat()
    assert photo == Photo(compute_photo_id("a/b.png"), "a/b.png", file, status.st_size, status.st_mtime_ns)


def test_the_order_stays_the_same(tmp_path: Path) -> None:
    names = [f"{folder}{name}.jpg" for folder in ("", "b/", "B/", "a b/", "ü/") for name in "zaM9é"]
    for name in names:
        make_files(tmp_path / "one", name)
    for name in reversed(names):
        make_files(tmp_path / "two", name)
    assert (
        get_paths(find_photos([tmp_path / "one"]))
        == get_paths(find_photos([tmp_path / "two"]))
        == sorted(names)
    )


def test_link_loops_end_and_photos_have_their_real_paths(tmp_path: Path) -> None:
    make_files(tmp_path, "z/real/a.jpg", "b.jpg")
    (tmp_path / "z" / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "z" / "real" / "self").symlink_to(".", target_is_directory=True)
    (tmp_path / "a-link").symlink_to("z/real", target_is_directory=True)
    assert get_paths(find_photos([tmp_path])) == ["b.jpg", "z/real/a.jpg"]


def test_a_link_to_a_photo_that_is_listed_is_left_out(tmp_path: Path) -> None:
    make_files(tmp_path, "root/z/a.jpg", "elsewhere/b.jpg")
    for name, target in (("0.jpg", "z/a.jpg"), ("1.jpg", "../elsewhere/b.jpg"), ("2.jpg", "1.jpg")):
        (tmp_path / "root" / name).symlink_to(target)
    assert get_paths(find_photos([tmp_path / "root"])) == ["1.jpg", "z/a.jpg"]
    both = [tmp_path / "root", tmp_path / "elsewhere"]
    assert get_paths(find_photos(both)) == ["root/z/a.jpg", "elsewhere/b.jpg"]


def test_a_hard_link_is_a_photo_of_its_own(tmp_path: Path) -> None:
    make_files(tmp_path, "a.jpg")
    (tmp_path / "b.jpg").hardlink_to(tmp_path / "a.jpg")
    assert get_paths(find_photos([tmp_path])) == ["a.jpg", "b.jpg"]


def test_a_link_to_another_folder_is_followed_once(tmp_path: Path) -> None:
    make_files(tmp_path, "elsewhere/a.jpg", "root/b.jpg")
    for name in ("one", "two"):
        (tmp_path / "root" / name).symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert get_paths(find_photos([tmp_path / "root"])) == ["b.jpg", "one/a.jpg"]


def test_several_roots_have_labels(tmp_path: Path) -> None:
    make_files(tmp_path, "ann/a.jpg", "bob/a.jpg")
    roots = [tmp_path / "bob", tmp_path / "ann"]
    assert get_paths(find_photos(roots)) == ["bob/a.jpg", "ann/a.jpg"]
    assert [locate_file(path, roots) for path in ("ann/a.jpg", "bob/a.jpg")] == [
        tmp_path / "ann/a.jpg",
        tmp_path / "bob/a.jpg",
    ]


@pytest.mark.parametrize("names", [["pics"], ["s1/pics", "s2/pics"]])
def test_a_folder_is_found_by_its_path_and_back(tmp_path: Path, names: list[str]) -> None:
    roots = [tmp_path / name for name in names]
    for root in roots:
        (root / "caf\u00e9").mkdir(parents=True)
        draw(1).save(root / "caf\u00e9" / "a.png")
    for photo in find_photos(roots):
        folder = photo.path.rpartition("/")[0]
        assert make_path_prefix(str(photo.file.parent), roots) == folder
        assert make_path_prefix(unicodedata.normalize("NFD", str(photo.file.parent)), roots) == folder
        assert make_path_prefix(unicodedata.normalize("NFD", folder) + "/", roots) == folder
        assert locate_file(photo.path, roots).is_file()
    with pytest.raises(UserError, match="not below"):
        make_path_prefix("/elsewhere", roots)


def test_roots_with_the_same_name_have_different_labels(tmp_path: Path) -> None:
    make_files(tmp_path, "ann/photos/a.jpg", "bob/photos/a.jpg", "bob/other/a.jpg")
    roots = [tmp_path / "ann/photos", tmp_path / "bob/photos", tmp_path / "bob/other"]
    assert label_roots(roots) == ["ann/photos/", "bob/photos/", "bob/other/"]
    found = find_photos(roots)
    assert len({photo.photo_id for photo in found}) == 3
    assert [locate_file(photo.path, roots) for photo in found] == [photo.file for photo in found]
    with pytest.raises(UserError, match="twice"):
        label_roots([tmp_path, tmp_path])


@pytest.mark.parametrize("inner_first", [False, True])
def test_a_root_inside_a_root_counts_once(tmp_path: Path, inner_first: bool) -> None:
    make_files(tmp_path, "all/2023/a.jpg", "all/b.jpg")
    roots = [tmp_path / "all/2023", tmp_path / "all"]
    found = find_photos(roots if inner_first else roots[::-1])
    assert sorted(photo.file for photo in found) == [tmp_path / "all/2023/a.jpg", tmp_path / "all/b.jpg"]


def test_a_root_without_photos_of_its_own(tmp_path: Path) -> None:
    make_files(tmp_path, "all/2023/a.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "all", target_is_directory=True)
    for roots in ([tmp_path / "all/2023", tmp_path / "all"], [tmp_path / "all", tmp_path / "link"]):
        assert len(find_photos(roots)) == 1


def test_a_photo_belongs_to_its_own_root_even_if_an_earlier_root_links_to_it(tmp_path: Path) -> None:
    make_files(tmp_path, "one/a.jpg", "two/b.jpg")
    (tmp_path / "one" / "link").symlink_to(tmp_path / "two", target_is_directory=True)
    assert get_paths(find_photos([tmp_path / "one", tmp_path / "two"])) == ["one/a.jpg", "two/b.jpg"]


@pytest.mark.parametrize("place", ["usb", "home/usb"])
def test_a_drive_that_is_not_mounted_does_not_look_like_deleted_photos(tmp_path: Path, place: str) -> None:
    make_files(tmp_path, "home/a.jpg")
    (tmp_path / place).mkdir()
    with pytest.raises(UserError, match=r"usb: no photos in this folder.*mounted"):
        find_photos([tmp_path / "home", tmp_path / place])
    with pytest.raises(UserError, match="no photos in this folder"):
        find_photos([tmp_path / place])


def test_a_root_that_is_missing_or_a_file(tmp_path: Path) -> None:
    make_files(tmp_path, "a.jpg")
    for root in (tmp_path / "none", tmp_path / "a.jpg"):
        with pytest.raises(UserError, match="no such folder"):
            find_photos([root])


def test_names_are_normalized_to_nfc(tmp_path: Path) -> None:
    nfc = "é/ü.jpg"
    make_files(tmp_path, unicodedata.normalize("NFD", nfc))
    (photo,) = find_photos([tmp_path])
    assert photo.path == nfc and photo.photo_id == compute_photo_id(nfc)
    assert locate_file(nfc, [tmp_path]) == photo.file
    assert photo.file.read_bytes() == b"x"


def test_two_files_that_differ_in_unicode_form_only_are_one_photo(tmp_path: Path) -> None:
    make_files(tmp_path, "é.jpg", unicodedata.normalize("NFD", "é.jpg"))
    found = find_photos([tmp_path])
    if len(list(tmp_path.iterdir())) == 2:  # some file systems keep only one form
        assert get_paths(found) == ["é.jpg"]
        ((name, reason),) = list_photos([tmp_path]).left_out.items()
        assert name.endswith(r"e\u0301.jpg") and "another Unicode form; rename one of them" in reason
    assert locate_file("é.jpg", [tmp_path]) == found[0].file


@pytest.mark.skipif(sys.platform == "darwin", reason="the disk refuses such names")
def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    make_files(tmp_path, b"caf\xe9/\xff.jpg")
    (photo,) = find_photos([tmp_path])
    assert photo.path == "caf\\xe9/\\xff.jpg"
    photo.path.encode()
    assert locate_file(photo.path, [tmp_path]) == photo.file
    assert photo.file.read_bytes() == b"x"
    assert hash_content(photo.file) == hash_content(photo.file)


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("*.gif", ["drafts/a.jpg", "x/drafts/a.jpg", "é.jpg"]),
        ("*/drafts/*", ["b.gif", "é.jpg"]),
        ("drafts", ["b.gif", "é.jpg"]),
        ("drafts/", ["b.gif", "é.jpg"]),
        ("drafts/*", ["b.gif", "x/drafts/a.jpg", "é.jpg"]),
        ("x/drafts/", ["b.gif", "drafts/a.jpg", "é.jpg"]),
        ("x", ["b.gif", "drafts/a.jpg", "é.jpg"]),
        (unicodedata.normalize("NFD", "é.*"), ["b.gif", "drafts/a.jpg", "x/drafts/a.jpg"]),
        ("nothing", ["b.gif", "drafts/a.jpg", "x/drafts/a.jpg", "é.jpg"]),
        ("[", ["b.gif", "drafts/a.jpg", "x/drafts/a.jpg", "é.jpg"]),
    ],
)
def test_patterns_leave_photos_out(tmp_path: Path, pattern: str, left: list[str]) -> None:
    make_files(tmp_path, "b.gif", "drafts/a.jpg", "x/drafts/a.jpg", "é.jpg")
    assert get_paths(find_photos([tmp_path], [pattern])) == left


def test_a_raw_and_the_jpeg_of_the_same_name_are_one_photo(tmp_path: Path) -> None:
    make_files(tmp_path, "a.CR2", "a.JPG", "b.nef", "c.dng", "c.heic", "d/c.dng", "e.f.dng", "e.jpg")
    assert get_paths(find_photos([tmp_path])) == ["a.JPG", "b.nef", "c.heic", "d/c.dng", "e.f.dng", "e.jpg"]


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_files(tmp_path, "a.jpg", "secret/b.jpg")
    scandir = os.scandir

    def refuse(folder):
        if str(folder).endswith("secret"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)  # root can read every folder
    listing = list_photos([tmp_path])
    assert get_paths(listing.photos) == ["a.jpg"]
    assert listing.left_out == {"secret/": "the folder cannot be read: Permission denied"}
