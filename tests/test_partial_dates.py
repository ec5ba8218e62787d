"""Dates of scans, of which only the year or the month is known; clocks that were never set; dates in IPTC."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from imagesearch.filters import is_fulfilled
from imagesearch.geo import PhotoLocation
from imagesearch.photos import PhotoMetadata
from imagesearch.photos.metadata import parse_metadata
from imagesearch.photos.metadata_blocks import MetadataBlocks
from imagesearch.query import SentenceParser
from imagesearch.store import PHOTO_FIELDS, Vocabulary
from imagesearch.store.records import get_location_fields

EXPOSURE = {0x829A: 0.01, 0x829D: 2.8}


def read(text: Any = None, make: str = "", model: str = "", **blocks: Any) -> PhotoMetadata:
    exif = {0x9003: text} | blocks.pop("exif", {})
    return parse_metadata(MetadataBlocks(main={0x010F: make, 0x0110: model}, exif=exif, **blocks))


@pytest.mark.parametrize(
    ("text", "moment", "precision"),
    [
        ("1974:00:00", datetime(1974, 1, 1), "year"),
        ("1974:00:00 00:00:00", datetime(1974, 1, 1), "year"),
        ("1974", datetime(1974, 1, 1), "year"),
        ("1974:  :     :  :  ", datetime(1974, 1, 1), "year"),
        ("1974:00:05", datetime(1974, 1, 1), "year"),
        ("1974:08", datetime(1974, 8, 1), "month"),
        ("1974-08", datetime(1974, 8, 1), "month"),
        ("1974:08:00", datetime(1974, 8, 1), "month"),
        ("1974:08:00 00:00:00", datetime(1974, 8, 1), "month"),
        ("1974:08:      :  :  ", datetime(1974, 8, 1), "month"),
        ("1974:08:12", datetime(1974, 8, 12), "day"),
        ("1974:08:12 00:00:00", datetime(1974, 8, 12), "day"),
        ("1974:08:12   :  :  ", datetime(1974, 8, 12), "day"),
        ("1974:01:01", datetime(1974, 1, 1), "day"),
        ("1974:08:12 10:15:00", datetime(1974, 8, 12, 10, 15), "second"),
        ("1980:01:01 00:00:00", datetime(1980, 1, 1), "year"),
        ("1970:01:01 00:00:00", datetime(1970, 1, 1), "year"),
        ("1904:01:01 00:00:00", datetime(1904, 1, 1), "year"),
        ("2000:01:01 00:00:00", datetime(2000, 1, 1), "year"),
        ("2010:01:02 24:00:00", datetime(2010, 1, 2), "second"),
        ("2010:01:02 24:30:15", datetime(2010, 1, 2, 0, 30, 15), "second"),
    ],
)
def test_the_precision_of_a_date(text: str, moment: datetime, precision: str) -> None:
    found = read(text)
    assert (found.taken_at, found.time_precision, found.time_source) == (moment, precision, "exif")
    found = parse_metadata(MetadataBlocks(xmp={"photoshop:DateCreated": [text]}))
    assert (found.taken_at, found.time_precision, found.time_source) == (moment, precision, "xmp")


@pytest.mark.parametrize(
    "text", ["1974:13", "0000:08:12", "1974:02:30", "19740812", "1800", "9999", "1974:8:"]
)
def test_texts_that_are_no_partial_date(text: str) -> None:
    assert read(text).taken_at is None or text == "1974:8:"


@pytest.mark.parametrize(
    ("make", "model", "exif", "precision"),
    [
        ("EPSON", "Perfection V600", {}, "year"),
        ("NORITSU KOKI", "QSS-32_33", {}, "year"),
        ("Canon", "CanoScan 9000F", {}, "year"),
        ("Canon", "MG5200 series", {}, "year"),
        ("Nikon", "SUPER COOLSCAN 5000 ED", {}, "year"),
        ("", "", {}, "year"),
        ("Canon", "Canon EOS 7D", {}, "day"),
        ("", "", EXPOSURE, "day"),
        ("Canon", "Canon EOS 7D", {0x9011: "+01:00"}, "second"),
        ("Apple", "iPhone 13", EXPOSURE | {0x9291: "250"}, "second"),
    ],
)
def test_midnight_of_1_january_is_a_year_if_no_camera_has_taken_the_photo(
    make: str, model: str, exif: dict, precision: str
) -> None:
    assert read("2012:01:01 00:00:00", make, model, exif=exif).time_precision == precision
    assert read("1962:01:01 00:00:00", make, model).time_precision == "year"


@pytest.mark.parametrize(
    ("year", "make", "model"),
    [
        (1970, "SAMSUNG", "SCX-4500 Series"),
        (2000, "FUJITSU", "fi-7160"),
        (2000, "KONICA MINOLTA", "bizhub C258"),
        (2000, "Canon", "imageRUNNER 2520"),
    ],
)
def test_scanners_of_makers_that_also_make_cameras(year: int, make: str, model: str) -> None:
    found = read(f"{year}:01:01 00:00:00", make, model)
    assert found.taken_at.year == year and found.time_precision == "year"


@pytest.mark.parametrize(
    ("text", "make", "model"),
    [
        ("1980:01:01 00:00:00", "Canon", "Canon PowerShot A70"),
        ("1980:01:01 07:12:31", "Canon", "Canon DIGITAL IXUS 400"),
        ("1970:01:01 01:00:00", "samsung", "SM-G930F"),
        ("1970:01:01 00:00:17", "RaspberryPi", "RP_imx477"),
        ("2000:01:01 00:00:00", "SONY", "DSC-P72"),
        ("2002:12:08 12:00:00", "LGE", "Nexus 5"),
        ("2002:12:08 12:00:00", "QCOM-AA", "QCAM-AA"),
    ],
)
def test_a_clock_that_was_never_set(text: str, make: str, model: str) -> None:
    found = read(text, make, model, exif=EXPOSURE)
    assert found.taken_at is None and "never set" in found.remarks[0]
    assert read(text, "EPSON", "Perfection V600").taken_at is not None
    assert read(text).taken_at is not None
    later = read(text, make, model, exif=EXPOSURE | {0x9004: "2014:05:06 07:08:09"})
    assert later.taken_at == datetime(2014, 5, 6, 7, 8, 9)


@pytest.mark.parametrize(
    ("text", "make"),
    [
        ("2000:01:01 00:00:15", "SONY"),  # fireworks
        ("1980:01:02 00:00:00", "Canon PowerShot"),
        ("1974:08:12 12:00:00", "samsung"),  # a phone's photo of a print, with the date of the print
        ("2002:12:08 12:00:01", "LGE"),
    ],
)
def test_a_clock_that_was_set(text: str, make: str) -> None:
    assert read(text, make, exif=EXPOSURE).taken_at is not None


@pytest.mark.parametrize(
    ("iptc", "moment", "precision"),
    [
        ({(2, 55): b"19740800"}, datetime(1974, 8, 1), "month"),
        ({(2, 55): b"19740000"}, datetime(1974, 1, 1), "year"),
        ({(2, 55): [b"20151007"], (2, 60): b"074507+0200"}, datetime(2015, 10, 7, 7, 45, 7), "second"),
        ({(2, 62): b"20151007", (2, 63): b"074507"}, datetime(2015, 10, 7, 7, 45, 7), "second"),
        ({(2, 55): b"2015-10-07"}, datetime(2015, 10, 7), "day"),
        ({(2, 55): b"00000000"}, None, ""),
        ({(2, 55): b"last summer", (2, 60): 5}, None, ""),
    ],
)
def test_dates_in_iptc(iptc: dict, moment: datetime | None, precision: str) -> None:
    found = parse_metadata(MetadataBlocks(iptc=iptc))
    assert (found.taken_at, found.time_precision) == (moment, precision)
    assert found.time_source == ("iptc" if moment else "")


def test_a_gps_time_has_a_source_and_without_a_position_no_hour() -> None:
    stamp = {7: (22.0, 30.0, 15.0), 29: "2023:12:31"}
    place = {1: "N", 2: (35.0, 41.0, 0.0), 3: "E", 4: (139.0, 41.0, 0.0)}
    assert parse_metadata(MetadataBlocks(gps=stamp)).time_precision == "day"
    found = parse_metadata(MetadataBlocks(gps=stamp | place))
    assert (found.time_source, found.time_precision) == ("gps", "second")
    for day in ("1970:01:01", "1980:01:06"):  # the epochs of Unix and of GPS: a receiver without a fix
        assert parse_metadata(MetadataBlocks(gps=stamp | {29: day})).taken_at is None


@pytest.mark.parametrize(
    ("precision", "unknown"),
    [
        ("year", ("month", "day", "weekday", "hour")),
        ("month", ("day", "weekday", "hour")),
        ("day", ("hour",)),
        ("second", ()),
    ],
)
def test_fields_that_the_precision_does_not_know_have_no_value(
    precision: str, unknown: tuple[str, ...]
) -> None:
    metadata = PhotoMetadata(taken_at=datetime(1974, 8, 12, 10), time_source="exif", time_precision=precision)
    fields = get_location_fields(PhotoLocation(metadata))
    expected = {"year": 1974, "month": 8, "day": 12, "weekday": 0, "hour": 10}
    assert {name: fields.get(name) for name in expected} == expected | dict.fromkeys(unknown)
    assert (fields["time_precision"], fields["time_source"]) == (precision, "exif") and fields["has_time"]


@pytest.mark.parametrize(("hour", "precision", "known"), [(0, "day", None), (10, "second", 10)])
def test_rows_of_an_earlier_version_have_no_precision(hour: int, precision: str, known: int | None) -> None:
    fields = get_location_fields(PhotoLocation(PhotoMetadata(taken_at=datetime(2011, 8, 12, hour))))
    assert (fields["time_precision"], fields["day"], fields.get("hour")) == (precision, 12, known)


@pytest.mark.parametrize(
    ("text", "found_in", "not_found_in"),
    [
        (
            "1974:00:00",
            ["in 1974", "in the 70s", "from 1970 to 1980", "before 1980"],
            ["on 1 january 1974", "january 1974", "in january", "from december 1973 to may 1974",
             "first week of january 1974", "new year 1974", "on a tuesday in 1974", "in the morning"],
        ),
        (
            "1974:08:00",
            ["in 1974", "august 1974", "in august", "summer 1974", "q3 1974"],
            ["on 1 august 1974", "first week of august 1974", "from 20 july to 5 august 1974", "on 1 august",
             "from 20 july to 5 august"],
        ),
        ("1974:08:01", ["on 1 august 1974", "on 1 august", "first week of august 1974"], ["in the morning"]),
    ],
)  # fmt: skip
def test_partial_dates_are_found_by_year_and_month_but_not_by_day(
    text: str, found_in: list[str], not_found_in: list[str]
) -> None:
    row = {item.name: item.unknown for item in PHOTO_FIELDS} | get_location_fields(PhotoLocation(read(text)))
    parser = SentenceParser(Vocabulary())
    for sentence in (*found_in, *not_found_in):
        condition = parser.parse(sentence, date(2024, 6, 15)).condition
        assert is_fulfilled(condition, row) == (sentence in found_in), sentence
