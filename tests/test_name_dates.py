"""Dates in the names of files, as devices and messengers write them, and names that have none."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesearch.photos import PhotoMetadata, add_name_date
from imagesearch.photos.name_dates import parse_name_date

LATEST = datetime(2026, 11, 30, 12)
MORNING = datetime(2022, 5, 28, 10, 11, 12)
DAY = datetime(2022, 5, 28)


def parse(name: str) -> tuple[datetime, str] | None:
    found = parse_name_date(name, LATEST)
    return found and (found.moment.replace(microsecond=0), found.precision)


@pytest.mark.parametrize(
    "name",
    [
        "20220528_101112.jpg",  # Samsung
        "20220528_101112(0).jpg",
        "20220528_101112_001_n.jpg",
        "20220528_101112_HDR.jpg",
        "IMG_20220528_101112.jpg",
        "VID_20220528_101112.jpg",
        "MVIMG_20220528_101112.jpg",
        "IMG20220528101112.jpg",  # OPPO
        "IMG_20220528_101112_345.jpg",
        "Screenshot_20220528-101112.png",
        "Screenshot_20220528-101112_Chrome.jpg",
        "Screenshot_2022-05-28-10-11-12-345_com.android.chrome.png",
        "Screenshot 2022-05-28 at 10.11.12.png",
        "Screen Shot 2022-05-28 at 10.11.12 AM.png",
        "Screenshot 2022-05-28 at 10.11.12\u202fAM (2).png",
        "Screenshot 2022-05-28 101112.png",  # Windows
        "Screenshot from 2022-05-28 10-11-12.png",  # GNOME
        "Bildschirmfoto 2022-05-28 um 10.11.12.png",
        "Bildschirmfoto vom 2022-05-28 10-11-12.png",
        "Capture d\u2019écran 2022-05-28 à 10.11.12.png",
        "signal-2022-05-28-101112.jpg",
        "signal-2022-05-28-10-11-12-345.jpg",
        "signal-attachment-2022-05-28-101112_001.jpeg",
        "photo_2022-05-28_10-11-12.jpg",  # Telegram
        "photo_2022-05-28_10-11-12 (3).jpg",
        "photo_17@28-05-2022_10-11-12.jpg",
        "2022-05-28 10.11.12.jpg",  # Dropbox
        "2022-05-28 10.11.12-1.jpg",
        "WhatsApp Image 2022-05-28 at 10.11.12.jpeg",
        "00000012-PHOTO-2022-05-28-10-11-12.jpg",  # exports of WhatsApp
        "WP_20220528_10_11_12_Pro.jpg",
        "WIN_20220528_10_11_12_Pro.jpg",
        "00001IMG_00001_BURST20220528101112_COVER.jpg",
        "DJI_20220528101112_0001_D.JPG",
        "KakaoTalk_Photo_2022-05-28-10-11-12 001.jpeg",
        "Viber Image 2022-05-28 , 10.11.12.jpg",
        "album/2022-05-28T10_11_12.jpg",
    ],
)
def test_a_date_and_time(name: str) -> None:
    assert parse(name) == (MORNING, "second")


@pytest.mark.parametrize(
    "name",
    [
        "IMG-20220528-WA0004.jpg",
        "IMG-20220528-WA0004(1).jpeg",
        "Copy of IMG-20220528-WA0004.jpg",
        "STK-20220528-WA0004.webp",
        "IMG-20220528-00012.jpg",  # BlackBerry
        "WP_20220528_001.jpg",
        "20220528.jpg",
        "20220528 wedding.jpg",
        "20220528-001.jpg",
        "2022-05-28.jpg",
        "2022-05-28 Oma 75.jpg",
        "wedding 2022.05.28 (12).jpg",
        "2022-05-28 99.99.99.jpg",
    ],
)
def test_a_date_alone(name: str) -> None:
    assert parse(name) == (DAY, "day")


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("2011-07-19 11.36.39.jpg", datetime(2011, 7, 19, 11, 36, 39)),
        ("Screen Shot 2018-05-28 at 1.11.12 PM.png", datetime(2018, 5, 28, 13, 11, 12)),
        ("Screen Shot 2018-05-28 at 12.11.12 AM.png", datetime(2018, 5, 28, 0, 11, 12)),
        ("Captura 2018-05-28 a las 1.11.12 p. m..png", datetime(2018, 5, 28, 13, 11, 12)),
        ("1974-08-12 Hochzeit 003.jpg", datetime(1974, 8, 12)),
        ("IMG_20240229_235959.jpg", datetime(2024, 2, 29, 23, 59, 59)),
    ],
)
def test_other_dates(name: str, moment: datetime) -> None:
    assert parse(name)[0] == moment


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".jpg",
        "DSC20225281.jpg",
        "DSC20220528.jpg",
        "DSC_0001.jpg",
        "IMG_2022.jpg",
        "IMG_0528.JPG",
        "20221345.jpg",  # month 13
        "20220230.jpg",  # 30 February
        "IMG_20230229_101112.jpg",  # not a leap year
        "IMG-20221328-WA0004.jpg",
        "20220528_251112.jpg",  # a date, but no time behind it: an id
        "IMG_20220528_991112.jpg",
        "491512022052801.jpg",  # a number of a phone
        "+49 1512 20220528.jpg",
        "0049-170-2022-0528.jpg",
        "1202205281.jpg",
        "100020220528101112999.jpg",
        "20120512_0a1b2c3d4e_o.jpg",  # Flickr
        "12345678_10153822334455667_1234567890123456789_n.jpg",  # Facebook
        "20190512_10150123456789_1234567_n.jpg",
        "20101010_123456_7890123_o.jpg",
        "20190512_12345678_n.jpg",
        "received_1015382233445566.jpeg",
        "article-0-20110719abc.jpg",
        "19700101_000000.jpg",
        "30220528_101112.jpg",
        "20991231_101112.jpg",
        "2026-12-24 10.11.12.jpg",  # in the future
        "Screenshot (12).png",
        "1280x1024.jpg",
        "2022-05.jpg",
        "2022-13-28 10.11.12.jpg",
        "mmexport9562345678901.jpg",
        "FB_IMG_15623456789.jpg",
    ],
)
def test_digits_that_are_no_plausible_date(name: str) -> None:
    assert parse(name) is None


def test_times_in_utc_become_local_by_the_longitude() -> None:
    for name in (
        "PXL_20220528_201112123.jpg",
        "PXL_20220528_201112123.MP.jpg",
        "PXL_20220528_201112.NIGHT.jpg",
    ):
        assert parse_name_date(name, LATEST).is_utc
        here = add_name_date(PhotoMetadata(latitude=35.7, longitude=139.7), name)
        assert here.taken_at.replace(microsecond=0) == datetime(2022, 5, 29, 5, 11, 12)
        assert (here.time_source, here.time_precision) == ("name", "second") and "longitude" in here.remarks[
            0
        ]
        somewhere = add_name_date(PhotoMetadata(), name)  # the hour is not known
        assert somewhere.taken_at.replace(microsecond=0) == datetime(2022, 5, 28, 20, 11, 12)
        assert somewhere.time_precision == "day" and "UTC" in somewhere.remarks[0]
    assert not parse_name_date("IMG_20220528_201112.jpg", LATEST).is_utc
    for name in ("FB_IMG_1562345678901.jpg", "mmexport1562345678901.jpg"):
        found = parse_name_date(name, LATEST)
        assert found.is_utc and found.moment.replace(microsecond=0) == datetime(2019, 7, 5, 16, 54, 38)


def test_a_time_in_the_metadata_is_kept() -> None:
    metadata = PhotoMetadata(taken_at=datetime(2011, 1, 1, 8), time_source="exif", time_precision="second")
    assert add_name_date(metadata, "IMG_20220528_101112.jpg") is metadata
    assert add_name_date(PhotoMetadata(), "IMG_0001.jpg") == PhotoMetadata()


@given(
    st.text(max_size=30)
    | st.from_regex(r"[A-Z]{0,4}[-_ ]?\d{4}[-_. ]?\d\d[-_.]?\d\d[-_ T]?\d{0,9}", fullmatch=True)
)
def test_no_name_raises_an_error_or_gives_an_implausible_date(name: str) -> None:
    found = parse_name_date(name, LATEST)
    assert found is None or (datetime(1900, 1, 1) <= found.moment <= LATEST)
    assert (
        found is None
        or found.precision == "second"
        or found.moment - DAY == timedelta((found.moment - DAY).days)
    )
