"""The time in a photo's metadata, how precisely it is known, and which part of the metadata it is from.

Times are the local time of the place, without a time zone, as a clock there showed it. EXIF stores local
times, and people search for them ("in the evening", "in June"). A UTC offset stored beside a local time does
not change it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from imagesearch.photos.metadata_blocks import MetadataBlocks
from imagesearch.photos.metadata_values import format_value, get_first_text, list_values, to_float, to_text
from imagesearch.photos.positions import GPS_DATE, GPS_TIME, Position

# Tags of the Exif standard (CIPA DC-008-2024), and datasets of IPTC IIM.
_MAKE, _MODEL, _SOFTWARE, _DATE_TIME = 0x010F, 0x0110, 0x0131, 0x0132
_ORIGINAL, _DIGITIZED = 0x9003, 0x9004
_OFFSET, _OFFSET_ORIGINAL, _OFFSET_DIGITIZED = 0x9010, 0x9011, 0x9012
_SUBSEC, _SUBSEC_ORIGINAL, _SUBSEC_DIGITIZED = 0x9290, 0x9291, 0x9292
_TIME_TAGS = (
    *(_ORIGINAL, _DIGITIZED, _OFFSET, _OFFSET_ORIGINAL, _OFFSET_DIGITIZED),
    *(_SUBSEC, _SUBSEC_ORIGINAL, _SUBSEC_DIGITIZED),
)
_EXPOSURE_TAGS = (0x829A, 0x829D, 0x8827, 0x920A)  # time, aperture, sensitivity, focal length
_IPTC_CREATED, _IPTC_DIGITIZED = ((2, 55), (2, 60)), ((2, 62), (2, 63))  # date and time

_FIRST_YEAR = 1826  # the year of the oldest existing photograph
_FIRST_DIGITAL_YEAR = 1990  # no earlier photo was taken by a digital camera that people had at home
_DATE_TIME_PATTERN = re.compile(
    r"(\d{4})(?:[-:/.](\d\d?)(?:[-:/.](\d\d?)"
    r"(?:[T ]+(\d\d?):(\d\d)(?::(\d\d)(\.\d+)?)?)?\s*(Z|[-+]\d\d:?\d\d)?)?)?",
    re.ASCII,
)
_IPTC_DATE_PATTERN = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)", re.ASCII)
_IPTC_TIME_PATTERN = re.compile(r"(\d\d):?(\d\d):?(\d\d)([-+]\d\d:?\d\d)?", re.ASCII)
_OFFSET_PATTERN = re.compile(r"([-+])(\d\d):?(\d\d)", re.ASCII)
_MAX_OFFSET = 15 * 60  # minutes; the last time zone is +14:00

_SCANNER = re.compile(
    r"scan|epson|perfection|opticfilm|plustek|reflecta|pacific image|imacon|flextight|noritsu|qss|frontier"
    r"|\bsp-?[1-9]\d{3}\b|pakon|microtek|umax|lide|doxie|brother|lexmark|officejet|photosmart c|deskjet"
    r"|laserjet|\bscx-|\bclx-|\bsl-[cm]\d|bizhub|\bfi-\d{4}|image(?:class|runner|formula)"
    r"|\bm[pgx]\d{3,4}\b|\bts\d{3,4}\b|\bmf\d{3,4}|photomyne|\bls-?\d{2,4}\b",
    re.IGNORECASE,
)
_ANDROID = (
    r"samsung|htc|lge|\blg\b|motorola|google|huawei|honor|xiaomi|redmi|oppo|realme|vivo|oneplus|nothing"
    r"|sony.*xperia|sony [cdefghl]\d{4}|asus|zte|lenovo|hmd|\bnokia [1-9]|fairphone|q(?:com|ti|cam)-aa"
)
_CAMERAS = "canon|casio|eastman kodak|fuji(?!tsu)|kodak|konica|minolta|nikon|olympus|panasonic|pentax|sony"
# Clocks that were never set: the camera, the time at which its clock starts, and for how long such times are
# left out. The days of 1970 and 1980 are before there were such cameras, so a clock that runs is recognized.
_UNSET_CLOCKS = (
    # Linux starts at the epoch of Unix; on a phone or a Raspberry Pi without a network it stays there.
    (re.compile(rf"{_ANDROID}|raspberrypi", re.I), datetime(1970, 1, 1), timedelta(days=1)),
    # RawTherapee writes the epoch for a photo without a time (its issue 7134).
    (re.compile("rawtherapee", re.I), datetime(1970, 1, 1), timedelta(seconds=1)),
    # The first day of the FAT file system, at which these cameras start.
    (re.compile(r"canon (?:digital|eos|ixus|ixy|powershot)", re.I), datetime(1980, 1, 1), timedelta(days=1)),
    (re.compile(rf"^(?:{_CAMERAS})", re.I), datetime(2000, 1, 1), timedelta(seconds=1)),
    # Qualcomm's camera software writes it on Android (Android issue 36967504).
    (re.compile(_ANDROID, re.I), datetime(2002, 12, 8, 12), timedelta(seconds=1)),
)


@dataclass(frozen=True)
class PhotoTime:
    """A time, what is known of it, and its source.

    Attributes
    ----------
    moment : datetime
        Local time without a time zone, to the millisecond; the start of what is known.
    precision : str
        ``"second"``, ``"day"``, ``"month"`` or ``"year"``.
    offset : int or None
        Minutes by which the local time is ahead of UTC, if the file contains it.
    source : str
        ``"exif"``, ``"xmp"``, ``"iptc"`` or ``"gps"``; ``"name"`` for a time from the file's name.
    """

    moment: datetime
    precision: str
    offset: int | None = None
    source: str = ""


def read_time(blocks: MetadataBlocks, position: Position | None, remarks: list[str]) -> PhotoTime | None:
    """Return the first plausible time."""
    for source, value, fraction, offset in _list_candidates(blocks):
        if not value:
            continue
        text = to_text(value)
        if not text.strip("0:/-. "):  # spaces and "0000:00:00 00:00:00" mean "unknown"
            continue
        try:
            time = _parse_date_time(text)
            digits = to_text(fraction)
            if digits.isdecimal() and digits.isascii() and time.precision in ("second", "midnight"):
                milliseconds = int(f"{digits:0<3}"[:3])
                time = replace(
                    time, moment=time.moment.replace(microsecond=0) + timedelta(milliseconds=milliseconds)
                )
            if time.offset is None:
                time = replace(time, offset=_parse_offset(to_text(offset)))
            camera, has_exposure = _get_camera(blocks)
            _check_clock(time.moment, text, camera, has_exposure)
            return replace(time, source=source, precision=_find_precision(time, camera, has_exposure))
        except ValueError as error:
            remarks.append(f"time left out: {error}")
    return _read_gps_time(blocks, position, remarks)


def _list_candidates(blocks: MetadataBlocks) -> list[tuple[str, Any, Any, Any]]:
    """Return source, date and time, fraction of the second and offset of each time, the best first."""
    xmp = blocks.xmp
    # scanners, and cameras that follow TIFF/EP, write the tags of the inner block into the outer block
    exif = {tag: blocks.exif.get(tag, blocks.main.get(tag)) for tag in _TIME_TAGS}
    return [
        ("exif", exif[_ORIGINAL], exif[_SUBSEC_ORIGINAL], exif[_OFFSET_ORIGINAL]),
        ("xmp", get_first_text(xmp, "exif:DateTimeOriginal", "photoshop:DateCreated"), None, None),
        ("iptc", _join_iptc_time(blocks, *_IPTC_CREATED), None, None),
        ("exif", exif[_DIGITIZED], exif[_SUBSEC_DIGITIZED], exif[_OFFSET_DIGITIZED]),
        ("xmp", get_first_text(xmp, "exif:DateTimeDigitized", "xmp:CreateDate"), None, None),
        ("iptc", _join_iptc_time(blocks, *_IPTC_DIGITIZED), None, None),
        ("exif", blocks.main.get(_DATE_TIME), exif[_SUBSEC], exif[_OFFSET]),
    ]


def _join_iptc_time(blocks: MetadataBlocks, date_key: tuple[int, int], time_key: tuple[int, int]) -> str:
    """Return a date and time of IPTC in the form of EXIF. IPTC writes 00 for an unknown month or day."""
    if not blocks.iptc:
        return ""
    dates, clocks = (list_values(blocks.iptc.get(key)) for key in (date_key, time_key))
    date = _IPTC_DATE_PATTERN.fullmatch(to_text(dates[0])) if dates else None
    clock = _IPTC_TIME_PATTERN.fullmatch(to_text(clocks[0])) if clocks else None
    if date is None:
        return ""
    text = ":".join(date.groups())
    return f"{text} {':'.join(clock.groups()[:3])}{clock[4] or ''}" if clock else text


def _read_gps_time(blocks: MetadataBlocks, position: Position | None, remarks: list[str]) -> PhotoTime | None:
    """Return the GPS timestamp, which is in UTC, as local time.

    Uses an offset tag if there is one. Otherwise one hour is added for each 15 degrees of longitude, which
    rarely differs from the local time by more than two hours. Without a position the time stays in UTC, and
    only its day is known.
    """
    date, clock = to_text(blocks.gps.get(GPS_DATE)), blocks.gps.get(GPS_TIME)
    if not date.strip("0:/-. ") or not isinstance(clock, Sequence) or isinstance(clock, (str, bytes)):
        return None
    numbers = [to_float(part) for part in clock]
    try:
        if len(numbers) != 3 or None in numbers or not _is_valid_clock(*numbers):
            raise ValueError(f"the GPS timestamp {format_value(clock)} is not hours, minutes and seconds")
        day = _parse_date_time(date).moment
        if day.year < _FIRST_DIGITAL_YEAR:
            raise ValueError(f"the GPS date {date[:40]!r} is before GPS receivers in cameras")
        hours, minutes, seconds = numbers
        moment = day + timedelta(milliseconds=round(3_600_000 * hours + 60_000 * minutes + 1000 * seconds))
    except (ValueError, OverflowError) as error:
        remarks.append(f"time left out: {error}")
        return None
    tags = (_OFFSET_ORIGINAL, _OFFSET_DIGITIZED, _OFFSET)
    offset = next(
        (m for tag in tags if (m := _parse_offset(to_text(blocks.exif.get(tag)))) is not None), None
    )
    if offset is not None:
        remarks.append("time from the GPS timestamp, made local by the stored UTC offset")
        return PhotoTime(moment + timedelta(minutes=offset), "second", offset, "gps")
    local, precision, how = make_local(moment, None if position is None else position[1])
    remarks.append(f"time from the GPS timestamp, {how}")
    return PhotoTime(local, precision, None, "gps")


def make_local(moment: datetime, longitude: float | None) -> tuple[datetime, str, str]:
    """Return a time in UTC as local time by the longitude, its precision, and how it was made local."""
    if longitude is None:
        return moment, "day", "in UTC: the local offset is unknown"
    local = moment + timedelta(hours=round(longitude / 15))
    return local, "second", "made local by the longitude; may be an hour or two off"


def _is_valid_clock(hours: float, minutes: float, seconds: float) -> bool:
    return 0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds < 61  # 60 is a leap second


# --- from text to time -------------------------------------------------------------------------------------


def get_latest_time() -> datetime:
    """Return the latest plausible local time: in the east it is already tomorrow."""
    return datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)


def _parse_date_time(text: str) -> PhotoTime:
    """Parse a date and time from EXIF or XMP. A month or day that is missing, blank or 0 is unknown.

    The precision is ``"midnight"`` if the text has a time of exactly 00:00:00.
    """
    match = _DATE_TIME_PATTERN.fullmatch(text.rstrip(":/-. "))
    if not match:
        raise ValueError(f"{text[:40]!r} is not a date and time")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    precision = "year" if not month else "month" if not day else "second" if match[4] else "day"
    if precision != "second":
        hour = minute = second = 0
    elif (hour, minute, second) == (0, 0, 0) and not (match[7] or "").strip(".0"):
        precision = "midnight"
    # a leap second becomes the next second; some phones write 24 for hour 0 of the same day
    carry = timedelta(seconds=second == 60)
    try:
        clock = (0 if hour == 24 else hour, minute, 59 if second == 60 else second)
        moment = datetime(year, month or 1, day if month and day else 1, *clock) + carry
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text[:40]!r}: {error}") from None
    if match[7]:
        moment += timedelta(milliseconds=int(float(match[7]) * 1000))
    if moment.year < _FIRST_YEAR or moment > get_latest_time():
        reason = "before photography" if moment.year < _FIRST_YEAR else "in the future"
        raise ValueError(f"{text[:40]!r} is {reason}")
    return PhotoTime(moment, precision, 0 if match[8] == "Z" else _parse_offset(match[8] or ""))


def _parse_offset(offset: str) -> int | None:
    match = _OFFSET_PATTERN.fullmatch(offset)
    if not match or int(match[3]) > 59:
        return None
    minutes = 60 * int(match[2]) + int(match[3])
    return (-minutes if match[1] == "-" else minutes) if minutes <= _MAX_OFFSET else None


# --- what a camera or scanner means by a time --------------------------------------------------------------


def _get_camera(blocks: MetadataBlocks) -> tuple[str, bool]:
    """Return make, model and software, and whether the photo has an exposure; a scanner writes none."""
    names = (blocks.main.get(tag) for tag in (_MAKE, _MODEL, _SOFTWARE))
    has_exposure = any(blocks.exif.get(tag) is not None for tag in _EXPOSURE_TAGS)
    return " ".join(filter(None, map(to_text, names))), has_exposure


def _check_clock(moment: datetime, text: str, camera: str, has_exposure: bool) -> None:
    """Raise ValueError for the time of a clock that was never set, if its camera and first time are known."""
    for cameras, start, duration in _UNSET_CLOCKS:
        if not start <= moment < start + duration or not cameras.search(camera):
            continue
        if has_exposure or not _SCANNER.search(camera):
            raise ValueError(f"{text[:40]!r} is a clock that was never set")


def _find_precision(time: PhotoTime, camera: str, has_exposure: bool) -> str:
    """Return the precision of a time. Midnight is a date without a time, unless it has a fraction.

    Midnight of 1 January is what scanners and programs write for a year. It is a year if the photo is no
    camera's: if it has neither an exposure nor the name of a camera, or is older than digital cameras.
    """
    if time.precision != "midnight":
        return time.precision
    if time.moment.microsecond:
        return "second"
    is_scan = not has_exposure and (not camera or bool(_SCANNER.search(camera)))
    if is_scan or time.moment.year < _FIRST_DIGITAL_YEAR:
        return "year" if (time.moment.month, time.moment.day) == (1, 1) else "day"
    return "day" if time.offset is None else "second"
