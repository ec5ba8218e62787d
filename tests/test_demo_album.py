"""The drawn album: its ground truth agrees with its files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import reverse_geocode
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from imagesearch.errors import UserError
from imagesearch_demo.album import (
    ABSENT_KINDS,
    get_truth_path,
    list_facts,
    make_album,
    make_random_caption,
    match_captions,
    read_truth,
)
from imagesearch_demo.album.captions import make_truth_caption
from imagesearch_demo.album.places import PLACES
from imagesearch_demo.album.plan import plan_album
from imagesearch_demo.album.writer import ALBUM_KINDS
from imagesearch_demo.drawing import (
    CAST,
    PAINTS,
    SCENES,
    THINGS,
    TIMES,
    PictureSpec,
    PictureTruth,
    choose_identity,
    draw_picture,
    make_sibling,
    make_strangers,
)
from imagesearch_demo.scoring import read_photos

SCRIPT = Path(__file__).parents[1] / "scripts" / "demo" / "make_album.py"


@pytest.fixture(scope="module")
def album(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "my photos"
    make_album(folder, 48, seed=5, workers=0)
    return folder


@pytest.fixture(scope="module")
def photos(album) -> list[Image.Image]:
    return read_photos(album, read_truth(album))


def read_pixels(folder: Path) -> dict[str, bytes]:
    truth = read_truth(folder)
    return {p["path"]: i.tobytes() for p, i in zip(truth["photos"], read_photos(folder, truth), strict=True)}


def test_same_seed_gives_the_same_pixels_and_truth_however_many_processes(tmp_path):
    make_album(tmp_path / "one", 10, seed=3, workers=0)
    make_album(tmp_path / "two", 10, seed=3, workers=2)
    make_album(tmp_path / "other", 10, seed=4, workers=0)
    assert read_pixels(tmp_path / "one") == read_pixels(tmp_path / "two")
    assert get_truth_path(tmp_path / "one").read_bytes() == get_truth_path(tmp_path / "two").read_bytes()
    assert read_pixels(tmp_path / "one") != read_pixels(tmp_path / "other")


def test_the_ground_truth_is_beside_the_folder_and_lists_exactly_its_files(album):
    files = {p.relative_to(album).as_posix() for p in album.rglob("*") if p.is_file()}
    truth = read_truth(album)
    assert files == {p["path"] for p in truth["photos"]}
    assert truth["complete"]
    assert get_truth_path(album).parent == album.parent
    assert Counter(Path(f).suffix for f in files).keys() == {".jpg", ".heic", ".png"}


def test_exif_agrees_with_the_ground_truth(album):
    for photo in read_truth(album)["photos"]:
        with Image.open(album / photo["path"]) as image:
            exif = image.getexif()
            size = ImageOps.exif_transpose(image).size
        taken = exif.get_ifd(0x8769)[0x9003]
        assert taken == photo["taken_at"].replace("-", ":").replace("T", " ")
        assert exif.get_ifd(0x8769)[0x9011] == photo["utc_offset"]
        assert exif.get(0x0112, 1) == photo["orientation"]
        assert size == (photo["width"], photo["height"])
        gps = exif.get_ifd(0x8825)
        assert bool(gps) == (photo["latitude"] is not None)
        if gps:
            for key, sign, value in ((2, gps[1] == "S", "latitude"), (4, gps[3] == "W", "longitude")):
                d, m, s = (float(v) for v in gps[key])
                assert (-1 if sign else 1) * (d + m / 60 + s / 3600) == pytest.approx(photo[value], abs=2e-6)


def test_some_photos_are_stored_rotated_and_are_read_upright(album, photos):
    truth = read_truth(album)["photos"]
    turned = [(p, i) for p, i in zip(truth, photos, strict=True) if p["orientation"] in (5, 6, 7, 8)]
    assert turned
    specs = {shot.path: shot.spec for shot in plan_album(48, 5, CAST, ALBUM_KINDS)}
    for photo, image in turned:
        drawn, _ = draw_picture(specs[photo["path"]])
        assert image.size == (480, 640)
        # JPEG and grain change pixels by a few levels, a wrong rotation by tens of levels.
        assert np.abs(np.asarray(drawn, float) - np.asarray(image, float)).mean() < 6


def test_boxes_and_landmarks_are_in_the_picture_and_in_order(album):
    for photo in read_truth(album)["photos"]:
        for item in photo["things"] + photo["people"]:
            x1, y1, x2, y2 = item["box"]
            assert 0 <= x1 < x2 <= photo["width"] and 0 <= y1 < y2 <= photo["height"]
        for person in photo["people"]:
            x1, y1, x2, y2 = person["box"]
            assert y2 - y1 >= 24
            left, right, nose, mouth_left, mouth_right = person["landmarks"]
            assert left[0] < right[0] and mouth_left[0] < mouth_right[0]
            assert max(left[1], right[1]) < nose[1] + 0.25 * (y2 - y1)
            assert all(x1 <= x <= x2 and y1 <= y <= y2 for x, y in person["landmarks"])


def test_a_thing_has_its_colour_inside_its_box():
    rng = np.random.default_rng(0)
    for kind, thing in THINGS.items():
        colour = str(rng.choice([c for c in thing.colours if c not in ("white", "black", "brown")]))
        scene = "lake" if kind == "boat" else "snow"
        image, truth = draw_picture(PictureSpec(scene, "day", ((kind, colour),), (), 11))
        x1, y1, x2, y2 = (round(v) for v in truth.things[0]["box"])
        inside = np.asarray(image, float)[y1:y2, x1:x2]
        share = (np.abs(inside - PAINTS[colour]).max(axis=-1) < 45).mean()
        assert share > 0.04, (kind, colour, share)
        assert (y2 - y1) / 480 > 0.24, kind


def test_every_scene_can_be_drawn_at_every_time_in_both_orientations():
    for scene in SCENES:
        means = []
        for time in TIMES:
            image, _ = draw_picture(PictureSpec(scene, time, (), (), 1, upright=time == "sunset"), 0.25, 1)
            assert image.size == ((120, 160) if time == "sunset" else (160, 120))
            means.append(np.asarray(image).mean())
        assert means[2] < means[0], f"{scene} is not darker at night"


def test_the_default_album_has_maya_on_goas_beach_and_two_rare_friends():
    shots = plan_album(240, 1, CAST, ALBUM_KINDS)
    goa = [s for s in shots if s.place.name == "Goa" and s.spec.scene == "beach"]
    assert sum("Maya" in [p.name for p in s.spec.people] for s in goa) >= 3
    seen = Counter(p.name for s in shots for p in s.spec.people)
    assert len(seen) == 8 and seen["Ana"] == seen["Tariq"] == 2
    assert min(n for name, n in seen.items() if name not in ("Ana", "Tariq")) >= 12
    assert {s.spec.scene for s in shots} == set(SCENES)
    kinds = {kind for s in shots for kind, _ in s.spec.things}
    assert kinds == set(THINGS) - set(ABSENT_KINDS)
    assert sum(s.position is None for s in shots) == 24


def test_the_geocoder_finds_the_address_of_each_place():
    for place in PLACES:
        found = reverse_geocode.get((place.latitude, place.longitude))
        assert (found["city"], found["state"], found["country"]) == (place.city, place.state, place.country)


def test_people_can_be_chosen(tmp_path):
    people = make_strangers(3, seed=8)
    truth = make_album(tmp_path / "album", 12, seed=8, people=people, workers=0)
    assert truth["people"] == ["P01", "P02", "P03"]
    assert {p["name"] for photo in truth["photos"] for p in photo["people"]} <= set(truth["people"])
    assert make_strangers(3, seed=8) == people != make_strangers(3, seed=9)


def test_siblings_are_closer_than_strangers():
    def features(identity) -> np.ndarray:
        return np.array([identity.width, identity.eye_gap, identity.nose_length, identity.mouth_width])

    rng = np.random.default_rng(2)
    near, far = [], []
    for i in range(30):
        one, other = choose_identity(rng), choose_identity(rng)
        near.append(np.abs(features(one) - features(make_sibling(one, i))).sum())
        far.append(np.abs(features(one) - features(other)).sum())
        assert make_sibling(one, i).style == one.style
        assert make_sibling(one, i) != one
    assert np.mean(near) < 0.4 * np.mean(far)


_THING = st.sampled_from(sorted(THINGS)).flatmap(
    lambda kind: st.fixed_dictionaries(
        {"kind": st.just(kind), "colour": st.sampled_from(THINGS[kind].colours), "box": st.just([0, 0, 1, 1])}
    )
)
_TRUTH = st.builds(
    PictureTruth,
    st.sampled_from(sorted(SCENES)),
    st.sampled_from(TIMES),
    st.lists(_THING, max_size=2),
    st.lists(st.just({"name": "Maya", "box": [0, 0, 1, 1], "landmarks": []}), max_size=4),
)


@settings(max_examples=150, deadline=None)
@given(_TRUTH, st.integers(0, 2**32 - 1))
def test_a_caption_is_true_of_its_own_picture(truth, seed):
    caption = make_random_caption(np.random.default_rng(seed), truth)
    assert set(caption.claims) <= list_facts(truth)
    assert match_captions([caption], [list_facts(truth), set()]).tolist() == [[True, not caption.claims]]
    assert caption.text == caption.text.strip() and "  " not in caption.text
    assert make_truth_caption(truth)


def run_script(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_the_script_replaces_an_earlier_album(tmp_path):
    done = run_script(tmp_path / "album", "--photos", 4, "--seed", 2, "--workers", 0)
    assert (done.returncode, done.stderr) == (0, "")
    again = run_script(tmp_path / "album", "--photos", 3, "--seed", 9, "--workers", 0)
    assert again.returncode == 0
    assert sum(p.is_file() for p in (tmp_path / "album").rglob("*")) == 3


def test_the_script_refuses_a_folder_with_other_photos(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "wedding.jpg").write_bytes(b"precious")
    done = run_script(tmp_path / "mine", "--photos", 2)
    assert done.returncode == 2
    assert "not empty" in done.stderr and len(done.stderr.splitlines()) == 1
    assert (tmp_path / "mine" / "wedding.jpg").read_bytes() == b"precious"
    assert not get_truth_path(tmp_path / "mine").exists()


def test_an_interrupted_album_is_recognised_and_replaced(tmp_path, monkeypatch):
    def broken(_folder, shot):
        raise KeyboardInterrupt

    monkeypatch.setattr("imagesearch_demo.album.writer._make_photo", broken)
    with pytest.raises(KeyboardInterrupt):
        make_album(tmp_path / "album", 3, workers=0)
    (tmp_path / "album" / read_truth(tmp_path / "album")["photos"][0]["path"]).write_bytes(b"half a photo")
    monkeypatch.undo()
    assert make_album(tmp_path / "album", 2, workers=0)["complete"]


def test_invalid_arguments_are_refused_with_a_message(tmp_path):
    with pytest.raises(UserError, match="at least 1"):
        make_album(tmp_path / "album", 0)
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="expected a folder, got a file"):
        make_album(tmp_path / "file", 1)


def test_the_album_imports_no_engine():
    code = "import imagesearch_demo.album, sys, json; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
    assert not {"torch", "transformers", "insightface", "onnx", "sklearn", "cv2"} & set(loaded)
