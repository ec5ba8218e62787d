"""Duplicates: copies of a photo in any form are found; photos that only look alike are not copies."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, run_here
from drawn import Drawn
from photo_files import make_exif, save_turned
from PIL import Image, ImageDraw

import imagesearch_demo.drawing.picture as picture_module
from imagesearch.duplicates import DuplicateGroup, GroupedPhoto, find_duplicates
from imagesearch.duplicates import candidates as candidates_module
from imagesearch.duplicates.candidates import find_similar_hashes, find_similar_vectors
from imagesearch.duplicates.groups import make_groups
from imagesearch.duplicates.same_shot import is_same_shot
from imagesearch.errors import UserError
from imagesearch.features import extract_features
from imagesearch.geo import extract_geo
from imagesearch_demo.drawing import CAST, PictureSpec, draw_picture

_SCENES = ("beach", "lake", "snow", "harbour", "city", "forest", "meadow", "street")
Change = Callable[[Image.Image], Image.Image]


def draw(seed: int, people: int = 1, framing: str = "mid", scale: float = 2.0) -> Image.Image:
    cast = list(CAST)
    who = tuple(cast[(seed + i) % len(cast)] for i in range(people))
    spec = PictureSpec(_SCENES[seed % len(_SCENES)], "day", (), who, seed, framing, seed % 3 == 0)
    return draw_picture(spec, scale)[0]


def encode(image: Image.Image, quality: int = 88) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(io.BytesIO(stream.getvalue())).convert("RGB")


def are_same(one: Image.Image, other: Image.Image) -> bool:
    return is_same_shot(lambda side: (one, other))


def crop(image: Image.Image, *shares: float) -> Image.Image:
    """Cut off shares of the width and the height: left, top, right, bottom."""
    left, top, right, bottom = shares
    width, height = image.size
    box = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
    return image.crop(tuple(map(round, box)))


def shrink(image: Image.Image, factor: float) -> Image.Image:
    return image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS)


COPIES: dict[str, Change] = {
    "quality 95": lambda image: encode(image, 95),
    "quality 50": lambda image: encode(image, 50),
    "half": lambda image: encode(shrink(image, 0.5), 80),
    "a third": lambda image: encode(shrink(image, 1 / 3), 70),
    "cropped by 3 %": lambda image: encode(crop(image, 0.03, 0.03, 0.03, 0.03)),
    "cropped on two sides": lambda image: encode(crop(image, 0.1, 0.0, 0.0, 0.07)),
    "cropped by 8 %": lambda image: encode(crop(image, 0.08, 0.08, 0.08, 0.08)),
    "a messenger's": lambda image: encode(shrink(crop(image, 0.0, 0.02, 0.0, 0.02), 0.62), 65),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_the_same_shot(name: str):
    pictures = [draw(seed, people=1 + seed % 3) for seed in range(8)]
    found = [are_same(encode(image), COPIES[name](image)) for image in pictures]
    assert sum(found) == len(found)
    assert are_same(COPIES[name](pictures[0]), encode(pictures[0]))  # in the other order too


def turn(image: Image.Image, degrees: float) -> Image.Image:
    """Turn the camera, and cut off the corners that it did not see."""
    return crop(image.rotate(degrees, Image.Resampling.BICUBIC), 0.02, 0.02, 0.02, 0.02)


def move_object(image: Image.Image) -> Image.Image:
    """Move a disc of 5 % of the width to another place."""
    frame, radius = image.copy(), image.width // 40
    x, y = image.width // 2, image.height // 3
    ImageDraw.Draw(frame).ellipse((x - radius, y - radius, x + radius, y + radius), fill=(200, 40, 30))
    return frame


FRAMES: dict[str, Change] = {
    "turned by a quarter of a degree": lambda image: turn(image, 0.25),
    "turned by one degree": lambda image: turn(image, 1.0),
    "an object that comes in": move_object,
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "a half of it": lambda image: crop(image, 0.5, 0.0, 0.0, 0.0),
}


@pytest.mark.parametrize("name", FRAMES)
def test_another_frame_is_not_the_same_shot(name: str):
    pictures = [draw(seed, people=1 + seed % 3) for seed in range(8)]
    assert not any(are_same(encode(image), encode(FRAMES[name](image))) for image in pictures)


@pytest.mark.parametrize("framing", ["close", "mid", "far"])
def test_a_smile_and_a_frown_are_not_the_same_shot(framing: str, monkeypatch: pytest.MonkeyPatch):
    """Two pictures differ by the mouth of one of up to three people only, and by the compression."""
    choose_mood = picture_module.choose_mood

    def draw_smile(seed: int, smile: float) -> Image.Image:
        moods = []

        def choose(rng):
            moods.append(choose_mood(rng))
            return replace(moods[-1], smile=smile, open_mouth=0.0) if len(moods) == 1 else moods[-1]

        monkeypatch.setattr(picture_module, "choose_mood", choose)
        return draw(seed, people=1 + seed % 3, framing=framing)

    for seed in range(6):
        smile, frown = draw_smile(seed, 0.8), draw_smile(seed, -0.3)
        assert are_same(encode(smile), encode(smile, 75))
        assert not are_same(encode(smile), encode(frown, 80))


def test_flat_pictures_are_not_compared():
    """There is nothing to align in a sky or a blank page."""
    gradient = Image.linear_gradient("L").resize((640, 480)).convert("RGB")
    assert not are_same(Image.new("RGB", (640, 480), "white"), Image.new("RGB", (320, 240), "white"))
    assert not are_same(gradient, Image.new("RGB", (640, 480), "grey"))


def test_pages_that_differ_in_one_line_are_not_the_same_shot():
    def draw_page(lines: list[str]) -> Image.Image:
        page = Image.new("RGB", (900, 1200), "white")
        for number, line in enumerate(lines):
            ImageDraw.Draw(page).text((60, 60 + 40 * number), line, fill="black", font_size=26)
        return page

    lines = [f"{number}. pay the bill of month {number}" for number in range(24)]
    page, other = draw_page(lines), draw_page([*lines[:20], "20. call the doctor", *lines[21:]])
    assert are_same(page, encode(page, 70))
    assert not are_same(page, other)


# --- pairs and groups --------------------------------------------------------------------------------------


def test_cells_find_the_pairs_that_comparing_all_finds(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(3_000, 32)).astype(np.float32)
    vectors[1::10] = vectors[0::10] + 0.05 * rng.normal(size=(300, 32))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    everything = find_similar_vectors(vectors, 0.95)
    monkeypatch.setattr(candidates_module, "_EXHAUSTIVE", 100)
    found = find_similar_vectors(vectors, 0.95)
    assert len(everything) == 300
    assert found.keys() <= everything.keys()
    assert len(found) >= 295


def test_hashes_are_paired_by_bands():
    hashes = [0x0123456789ABCDEF, 0x0123456789ABCDEE, 0xFEDCBA9876543210, 0x0123456789ABC000]
    assert find_similar_hashes(hashes, 4) == {(0, 1)}


def make_photo(path: str, **values) -> GroupedPhoto:
    defaults = {"width": 4000, "height": 3000, "file_size": 1000, "sharpness": 100.0}
    return GroupedPhoto(path, Path("/photos") / path, **(defaults | values))


def find_best(*photos: GroupedPhoto, kind: str = "shot") -> tuple[str, str]:
    pairs = [(0, number) for number in range(1, len(photos))]
    (group,) = make_groups(photos, {kind: pairs})
    return group.photos[0].path, group.reason


def test_the_best_photo_of_a_group_is_the_first_and_the_reason_is_given():
    small = make_photo("small.jpg", width=400, height=300)
    assert find_best(small, make_photo("large.jpg")) == ("large.jpg", "largest")
    sharp, blurred = make_photo("sharp.jpg", sharpness=200.0), make_photo("a.jpg", faces=2, rating=5)
    assert find_best(blurred, sharp, kind="burst") == ("sharp.jpg", "sharpest")
    assert find_best(make_photo("a.jpg"), make_photo("b.jpg", faces=2)) == ("b.jpg", "most faces")
    assert find_best(make_photo("a.jpg"), make_photo("b.jpg", rating=4)) == ("b.jpg", "highest rating")
    same = make_photo("a.jpg", mtime_ns=1), make_photo("b.jpg", mtime_ns=2, faces=2)  # after --not-a-face
    assert find_best(*same, kind="pixels") == ("a.jpg", "all are equal; the oldest file is first")
    old, new = make_photo("old.jpg", mtime_ns=1), make_photo("a.jpg", mtime_ns=2)
    assert find_best(new, old) == ("old.jpg", "all are equal; the oldest file is first")


def test_a_small_difference_of_sharpness_decides_nothing_and_what_is_known_decides_before_the_size():
    plain = make_photo("a.jpg", file_size=9000)
    assert find_best(plain, make_photo("b.jpg", taken_at=datetime(2024, 5, 1))) == ("b.jpg", "has a time")
    assert find_best(plain, make_photo("b.jpg", has_position=True)) == ("b.jpg", "has a position")
    both = (replace(photo, taken_at=datetime(2024, 5, 1)) for photo in (make_photo("b.jpg"), plain))
    assert find_best(*both) == ("a.jpg", "largest file")
    rated = make_photo("b.jpg", rating=3, sharpness=90.0, file_size=9001)
    assert find_best(plain, rated) == ("b.jpg", "highest rating")


@pytest.mark.parametrize(
    "copy", ["copies/a.jpg", "Copy of a.jpg", "a_copy.jpg", "a - Kopie.jpg", "a copy 2.jpg"]
)
def test_a_copy_by_its_name_is_not_the_best_of_equal_files(copy: str):
    reason = "all are equal; the others are named as copies"
    assert find_best(make_photo(copy), make_photo("2023/long/a.jpg", mtime_ns=9)) == (
        "2023/long/a.jpg",
        reason,
    )
    larger = make_photo(copy, width=5000)
    assert find_best(make_photo("a.jpg"), larger) == (copy, "largest")


def test_the_reason_for_the_first_of_equal_files_is_true():
    photocopy = make_photo("photocopy.jpg"), make_photo("scans/photocopy.jpg")
    assert find_best(*photocopy) == ("photocopy.jpg", "all are equal; the shortest path is first")
    same = make_photo("b.jpg"), make_photo("a.jpg")
    assert find_best(*same) == ("a.jpg", "all are equal; in the order of the paths")
    two_copies = make_photo("old.jpg", mtime_ns=1), make_photo("new.jpg", mtime_ns=2), make_photo("copy.jpg")
    assert find_best(*two_copies) == ("old.jpg", "all are equal; the oldest file is first")


def test_a_loose_group_has_only_the_best_photo_of_a_strict_one():
    photos = [
        make_photo("a.jpg", rating=5),
        make_photo("a2.jpg"),
        make_photo("a_small.jpg", width=40),
        make_photo("b.jpg"),
    ]
    pairs = {"pixels": [(0, 1)], "shot": [(1, 2)], "burst": [(2, 3), (0, 3), (1, 3)]}
    groups = make_groups(photos, pairs)
    assert [(group.kind, [photo.path for photo in group.photos]) for group in groups] == [
        ("pixels", ["a.jpg", "a2.jpg"]),
        ("shot", ["a.jpg", "a_small.jpg"]),
        ("burst", ["a.jpg", "b.jpg"]),
    ]


# --- real files --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """An album of drawn photos with copies in several forms, and a burst."""
    drawn = Drawn(tmp_path_factory.mktemp("duplicates"))
    folder = drawn.photos
    for seed in range(5):
        save_photo(draw(seed, 2, scale=1.5), folder / f"photo{seed}.jpg", f"2024:05:0{seed + 1} 10:00:00")
    photo0, photo1, photo2, photo3 = (Image.open(folder / f"photo{seed}.jpg") for seed in range(4))
    (folder / "backup").mkdir()
    (folder / "backup" / "photo0.jpg").write_bytes((folder / "photo0.jpg").read_bytes())
    photo0.save(folder / "photo0.png")
    shrink(photo1, 0.4).save(folder / "sent.jpg", quality=75)
    save_turned(photo2, folder / "turned.png", 6)
    crop(photo3, 0.05, 0.05, 0.0, 0.05).save(folder / "cropped.webp", quality=85)
    frame = draw(40, 2, scale=1.5)
    save_photo(frame, folder / "burst1.jpg", "2024:06:01 12:00:00")
    save_photo(turn(frame, 1.0), folder / "burst2.jpg", "2024:06:01 12:00:01")
    save_photo(turn(move_object(frame), 0.5), folder / "burst3.jpg", "2024:06:01 12:00:01")
    build(drawn)
    return drawn


def save_photo(image: Image.Image, file: Path, time: str) -> None:
    exif = make_exif(1)
    exif.get_ifd(0x8769)[0x9003] = time
    image.save(file, quality=92, exif=exif)


def build(drawn: Drawn) -> None:
    extract_features(drawn.config(), drawn.dataset())
    extract_geo(drawn.config(), drawn.dataset())


def find_groups(drawn: Drawn, **options) -> list[DuplicateGroup]:
    return find_duplicates(drawn.config(), drawn.dataset(), **options)


def list_paths(groups: list[DuplicateGroup]) -> list[tuple[str, list[str]]]:
    return [(group.kind, sorted(photo.path for photo in group.photos)) for group in groups]


def test_the_three_kinds_are_apart(album: Drawn):
    groups = find_groups(album)
    assert sorted(list_paths(groups)) == [
        ("burst", ["burst1.jpg", "burst2.jpg", "burst3.jpg"]),
        ("pixels", ["backup/photo0.jpg", "photo0.jpg", "photo0.png"]),
        ("pixels", ["photo2.jpg", "turned.png"]),
        ("shot", ["cropped.webp", "photo3.jpg"]),
        ("shot", ["photo1.jpg", "sent.jpg"]),
    ]
    best = {group.photos[0].path for group in groups if group.kind == "shot"}
    assert best == {"photo1.jpg", "photo3.jpg"}
    assert list_paths(find_groups(album, kinds=["burst"])) == [
        ("burst", ["burst1.jpg", "burst2.jpg", "burst3.jpg"])
    ]


def test_times_tell_bursts_from_copies_and_from_other_photos(tmp_path: Path):
    drawn = Drawn(tmp_path)
    times = {
        "two seconds": ("2024:06:01 12:00:00", "2024:06:01 12:00:02"),
        "three seconds": ("2024:06:02 12:00:00", "2024:06:02 12:00:03"),
        "another zone": ("2024:06:03 05:00:00", "2024:06:03 19:00:00"),
        "another day": ("2024:06:04 05:00:00", "2024:06:04 19:15:00"),
    }
    for seed, (name, (first, second)) in enumerate(times.items()):
        save_photo(draw(seed, 2, scale=0.8), drawn.photos / f"{name} 1.jpg", first)
        save_photo(encode(draw(seed, 2, scale=0.8), 60), drawn.photos / f"{name} 2.jpg", second)
    save_photo(draw(9, scale=0.8), drawn.photos / "another motif.jpg", times["two seconds"][0])
    build(drawn)
    assert list_paths(find_groups(drawn)) == [
        ("shot", ["another zone 1.jpg", "another zone 2.jpg"]),
        ("burst", ["two seconds 1.jpg", "two seconds 2.jpg"]),
    ]


def test_a_second_run_compares_nothing_again(album: Drawn, monkeypatch: pytest.MonkeyPatch):
    first = list_paths(find_groups(album))

    def refuse(*_: object) -> bool:
        raise AssertionError("compared again")

    monkeypatch.setattr("imagesearch.duplicates.verdicts.is_same_shot", refuse)
    assert list_paths(find_groups(album)) == first


def test_a_damaged_file_of_results_is_made_again(album: Drawn):
    expected = list_paths(find_groups(album))
    file = album.dataset().folder / "duplicate_verdicts.parquet"
    file.write_bytes(b"damaged")
    assert list_paths(find_groups(album)) == expected
    assert file.stat().st_size > 100


def search(album: Drawn, *options: str):
    command = [str(ROOT / "scripts" / "06_search.py"), "-c", str(album.config_file), "--duplicates"]
    return run_here([*command, *options], album.folder)


def test_the_script_prints_a_table_json_paths_and_csv(album: Drawn):
    before = {file: file.read_bytes() for file in album.photos.rglob("*") if file.is_file()}
    text = search(album, "--no-show").stdout
    assert "same shot, 2 photos; best: largest" in text
    assert "same pixels: 2 groups, 3 photos besides the best" in text
    groups = json.loads(search(album, "--json").stdout)["groups"]
    assert {group["kind"] for group in groups} == {"pixels", "shot", "burst"}
    assert all(group["best"] == group["photos"][0]["path"] for group in groups)
    others = search(album, "--paths").stdout.split()
    assert sorted(os.path.relpath(path, album.photos) for path in others) == sorted(
        photo["path"] for group in groups if group["kind"] != "burst" for photo in group["photos"][1:]
    )
    search(album, "--csv", "copies.csv", "--kind", "shot")
    with (album.folder / "copies.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["best"] for row in rows] == ["yes", "no"] * 2
    assert {file: file.read_bytes() for file in before} == before


def test_a_query_is_refused_beside_duplicates(album: Drawn):
    others = (["--copy-to", "x"], ["-k", "1"], ["--collapse"])
    for query in (["maya"], ["--under", "backup"], ["--year", "2024"], *others):
        done = search(album, *query)
        assert done.returncode == 2
        option = query[0] if query[0].startswith("-") else "a text"
        assert f"compares all photos of the dataset; it does not use {option}" in done.stderr


def test_a_file_that_cannot_be_written_is_one_line(album: Drawn):
    done = search(album, "--csv", "nowhere/copies.csv")
    assert done.returncode == 2
    assert done.stderr.endswith("--csv nowhere/copies.csv: cannot be written (No such file or directory)\n")
    command = [str(ROOT / "scripts" / "06_search.py"), "-c", str(album.config_file), "maya", "--kind", "shot"]
    assert "--kind and --csv require --duplicates" in run_here(command, album.folder).stderr


def test_the_figure_has_the_numbers_of_the_table_and_folders_for_equal_names(album: Drawn):
    done = search(album, "--save", "copies.svg")
    assert "figure: copies.svg" in done.stdout + done.stderr
    drawn = re.findall("<!-- (.*) -->", (album.folder / "copies.svg").read_text(encoding="utf-8"))
    numbers = re.findall(r"^ +(\d+)  ((?:same )?\w+), ", done.stdout, re.MULTILINE)
    assert len(numbers) == 5
    assert [line for line in drawn if " · " in line] == [f"{number} · {title}" for number, title in numbers]
    assert "photo0.jpg" in drawn and "backup/photo0.jpg" in drawn and "photo0.png" in drawn


def test_without_vectors_the_step_to_run_is_named(tmp_path: Path):
    drawn = Drawn(tmp_path)
    draw(1, scale=0.5).save(drawn.photos / "a.jpg")
    with pytest.raises(UserError, match=r"run 01_extract_features\.py"):
        find_duplicates(drawn.config(), drawn.dataset())
