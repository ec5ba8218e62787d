"""Titles and captions of photos, and the texts that cameras and programs write instead."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from conftest import World
from PIL import Image

from imagesearch.photos.metadata import parse_metadata
from imagesearch.photos.metadata_blocks import MetadataBlocks

TITLE = "Wedding of Ida"


def read(**blocks: Any) -> str:
    return parse_metadata(MetadataBlocks(**blocks)).description


@pytest.mark.parametrize(
    "blocks",
    [
        {"xmp": {"dc:title": [TITLE]}},
        {"xmp": {"dc:description": [TITLE]}},
        {"xmp": {"photoshop:Headline": [TITLE]}},
        {"xmp": {"exif:UserComment": [TITLE]}},
        {"main": {0x010E: f"{TITLE}\0\0"}},
        {"main": {0x9C9B: TITLE.encode("utf-16-le") + b"\0\0"}},
        {"main": {0x9C9C: tuple(TITLE.encode("utf-16-le"))}},
        {"main": {0x9C9F: TITLE.encode("utf-16-le")}},
        {"iptc": {(2, 120): TITLE.encode()}},
        {"iptc": {(2, 5): [TITLE.encode()]}},
        {"iptc": {(2, 105): TITLE.encode()}},
        {"exif": {0x9286: b"ASCII\0\0\0" + TITLE.encode()}},
        {"exif": {0x9286: bytes(8) + TITLE.encode()}},
        {"exif": {0x9286: b"UNICODE\0" + TITLE.encode("utf-16-le")}},
        {"exif": {0x9286: b"UNICODE\0" + TITLE.encode("utf-16-be")}},
        {"exif": {0x9286: b"UNICODE\0" + TITLE.encode("utf-16")}},
        {"exif": {0x9286: TITLE.encode()}},
        {"texts": (TITLE.encode(),)},
    ],
)
def test_each_place_of_a_description(blocks: dict) -> None:
    assert read(**blocks) == TITLE


def test_texts_are_joined_without_doubles() -> None:
    xmp = {"dc:title": [TITLE], "dc:description": ["In the church.\nRain outside."]}
    main = {0x010E: "wedding of ida", 0x9C9C: "In the church".encode("utf-16-le")}
    assert read(xmp=xmp, main=main) == f"{TITLE}; In the church. Rain outside."
    assert read(xmp={"dc:title": ["Großmutter", "Grandmother"]}) == "Großmutter; Grandmother"


@pytest.mark.parametrize(
    "text",
    [
        "OLYMPUS DIGITAL CAMERA         ",
        "SONY DSC",
        "MINOLTA DIGITAL CAMERA",
        "KONICA MINOLTA DIGITAL CAMERA",
        "KODAK Digital Still Camera",
        "MOULTRIE DIGITAL GAME CAMERA",
        "SAMSUNG CAMERA PICTURES",
        "<KENOX S1050  / Samsung S1050>",
        "Exif_JPEG_PICTURE",
        "DCIM\\100MEDIA\\DJI_0001.JPG",
        "DCIM\\100GOPRO",
        "default",
        "charset=Ascii METADATA-START",
        "charset=InvalidCharsetId _ID_1",
        "binary comment",
        "Created with GIMP",
        "CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90",
        "Processed with VSCO with m5 preset",
        "oplus_1048608",
        '{"mirror":false,"sensor_type":"rear"}',
        "Type=N, Mode=P, DE=None",
        "[ISO=100 AWB=auto]",
        "IMG_1234.JPG",
        "DSC_0042",
        "untitled",
        "User Comments",
        "0",
        "---",
        "\ufffd\ufffd",
        "a3f5e1b2c4d60718293a4b5c6d7e8f90",
        " \0 junk",
    ],
)
def test_texts_of_cameras_and_programs_are_left_out(text: str) -> None:
    assert read(main={0x010E: text}) == "" and read(xmp={"dc:description": [text]}) == ""
    assert read(main={0x010E: text}, xmp={"dc:title": [TITLE]}) == TITLE


@pytest.mark.parametrize(
    "text",
    [
        "Oma's digital camera is new",
        "The default of the bank",
        "Photo: Anna",
        "海",
        "Created by Anna for Ida",
        "Room 101",
        "edf",
        "3 sisters",
        "[Lake Constance, 1974]",
        "[Anna] and [Ida]",
    ],
)
def test_texts_of_people_are_kept(text: str) -> None:
    assert read(xmp={"dc:description": [text]}) == text


def test_the_modes_of_huaweis_cameras_are_left_out() -> None:
    for text in ("edf", "cof", "oznorWO", "sdr_HDRB", "mde_soft"):
        assert read(main={0x010E: text, 0x010F: "HUAWEI"}) == ""
    assert read(main={0x010E: "Our cat", 0x010F: "HUAWEI"}) == "Our cat"


def test_long_and_odd_texts_take_no_time() -> None:
    start = time.monotonic()
    for text in ("a:b" * 20_000, "a=b " * 20_000, "w " * 50_000, "x\\" * 50_000, "<" * 100_000):
        assert len(read(main={0x010E: text}, exif={0x9286: b"UNICODE\0" + text.encode()})) <= 2000
    assert time.monotonic() - start < 5
    for value in (5, None, (1, 900), [5], b"UNICODE\0", b"UNICODE\0\xff", b"JIS\0\0\0\0\0\x1b$B", b""):
        assert read(exif={0x9286: value}) == ""
        assert len(read(main={0x9C9B: value, 0x010E: value}, iptc={(2, 120): value})) < 30


def test_a_quoted_text_is_looked_for_in_descriptions_first(world: World) -> None:
    for seed in range(30):
        exif = Image.Exif()
        if seed in (7, 21):
            exif[0x010E] = f"Großmutter's 80th Birthday-Party, photo {seed}"
        world.add(f"{seed:02}.jpg", seed, exif=exif)
    for script in ("01_extract_features.py", "04_extract_geo.py", "05_build_collections.py"):
        world.run(script)
    done = world.run("06_search.py", 'text:"birthday party"', "--json", "-k", "5")
    answer = json.loads(done.stdout)
    assert sorted(result["path"] for result in answer["results"][:2]) == ["07.jpg", "21.jpg"]
    assert "the first 2 photos have 'birthday party' in the description" in done.stderr
    assert not answer["nothing_fits"] and len(answer["results"]) == 5
    assert answer["results"][0]["score"] >= answer["results"][1]["score"]
    plain = json.loads(world.run("06_search.py", "birthday party", "--json", "-k", "5").stdout)
    assert plain["notes"] == [note for note in plain["notes"] if "description" not in note]
    none = world.run("06_search.py", "text:submarine", "--json", "-k", "2")
    assert len(json.loads(none.stdout)["results"]) == 2 and "description" not in none.stderr
