"""A photo's metadata: position, time, camera, rating and keywords. Implausible values are left out.

Times are the local time of the place, without a time zone, as a clock there showed it. EXIF stores local
times, and people search for them ("in the evening", "in June"). A UTC offset stored beside a local time does
not change it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from imagesearch.photos.formats import RAW_EXTENSIONS, PhotoError, get_extension, open_photo
from imagesearch.photos.metadata_blocks import MetadataBlocks, read_blocks, read_raw_blocks
from imagesearch.text import normalize

# Tags of the Exif standard (CIPA DC-008-2024) and of Windows.
_MAKE, _MODEL, _DATE_TIME, _RATING, _XP_KEYWORDS = 0x010F, 0x0110, 0x0132, 0x4746, 0x9C9E
_ORIGINAL, _DIGITIZED = 0x9003, 0x9004
_OFFSET, _OFFSET_ORIGINAL, _OFFSET_DIGITIZED = 0x9010, 0x9011, 0x9012
_SUBSEC, _SUBSEC_ORIGINAL, _SUBSEC_DIGITIZED = 0x9290, 0x9291, 0x9292
_TIME_TAGS = (
    *(_ORIGINAL, _DIGITIZED, _OFFSET, _OFFSET_ORIGINAL, _OFFSET_DIGITIZED),
    *(_SUBSEC, _SUBSEC_ORIGINAL, _SUBSEC_DIGITIZED),
)
_GPS_LATITUDE, _GPS_LONGITUDE, _GPS_TIME, _GPS_STATUS, _GPS_DATE = 2, 4, 7, 9, 29
_IPTC_KEYWORDS = (2, 25)

_FIRST_YEAR = 1826  # the year of the oldest existing photograph
# The time of a clock that was never set is the first second of its epoch.
_UNSET_CLOCKS = {datetime(year, 1, 1) for year in (1904, 1970, 1980, 2000)}
_DATE_TIME_PATTERN = re.compile(
    r"(\d{4})[-:/.](\d\d?)[-:/.](\d\d?)(?:[T ]+(\d\d?):(\d\d)(?::(\d\d)(\.\d+)?)?)?\s*(Z|[-+]\d\d:?\d\d)?",
    re.ASCII,
)
_OFFSET_PATTERN = re.compile(r"([-+])(\d\d):?(\d\d)", re.ASCII)
_MAX_OFFSET = 15 * 60  # minutes; the last time zone is +14:00
_XMP_ANGLE_PATTERN = re.compile(
    r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])", re.I | re.A
)
_MAX_TEXT_LENGTH = 100  # characters of a camera's name or of a keyword
_MAX_KEYWORDS = 200


@dataclass(frozen=True)
class PhotoMetadata:
    """The plausible values of a photo's metadata; None, "" or () for a value that is missing.

    Attributes
    ----------
    latitude, longitude : float or None
        Degrees in WGS84, negative in the south and west. Both are given or both are None.
    taken_at : datetime or None
        Local time without a time zone, to the millisecond.
    utc_offset : int or None
        Minutes by which the local time is ahead of UTC, if the file contains it.
    camera : str
        Make and model.
    rating : int or None
        0 to 5 stars.
    keywords : tuple of str
        Keywords as written in the file.
    remarks : tuple of str
        The values that were left out, with the reasons.
    """

    latitude: float | None = None
    longitude: float | None = None
    taken_at: datetime | None = None
    utc_offset: int | None = None
    camera: str = ""
    rating: int | None = None
    keywords: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def read_metadata(file: Path) -> PhotoMetadata:
    """Read a photo's metadata from EXIF, XMP and IPTC, without decoding its pixels.

    Raises
    ------
    PhotoError
        If the file cannot be opened as a photo. Damaged metadata raises no error; it adds a remark.
    """
    if get_extension(file.name) in RAW_EXTENSIONS:
        if not file.stat().st_size:
            raise PhotoError("the file is empty")
        return parse_metadata(read_raw_blocks(file))
    with open_photo(file) as image:
        return parse_metadata(read_blocks(image, file))


def parse_metadata(blocks: MetadataBlocks) -> PhotoMetadata:
    """Return the plausible values of a file's metadata. Never raises, whatever the blocks contain."""
    remarks = list(blocks.remarks)
    position = _read_position(blocks, remarks)
    taken_at, offset = _read_time(blocks, position, remarks)
    latitude, longitude = position or (None, None)
    return PhotoMetadata(
        latitude,
        longitude,
        taken_at,
        offset,
        _read_camera(blocks),
        _read_rating(blocks, remarks),
        _read_keywords(blocks),
        tuple(remark.encode("utf-8", "backslashreplace").decode() for remark in remarks),
    )


# --- position ----------------------------------------------------------------------------------------------


def parse_gps(gps: Mapping[int, Any]) -> tuple[tuple[float, float] | None, str]:
    """Return the latitude and longitude of an EXIF GPS block, or None and the reason.

    Parameters
    ----------
    gps
        Values of any type, by tag number.

    Returns
    -------
    position : tuple of float or None
        Degrees, in [-90, 90] and [-180, 180].
    reason : str
        Why a position in the block is not used; empty if it is used or if there is none.
    """
    if gps.get(_GPS_LATITUDE) is None and gps.get(_GPS_LONGITUDE) is None:
        has_time = _GPS_TIME in gps or _GPS_DATE in gps  # a receiver without a fix may still write the time
        return None, "the GPS block has none" if gps and not has_time else ""
    try:
        if _to_text(gps.get(_GPS_STATUS)).upper() == "V":
            raise ValueError("the receiver had no fix (status V)")
        latitude = _parse_angle(gps.get(_GPS_LATITUDE), _parse_reference(gps.get(1)), "NS", "latitude")
        longitude = _parse_angle(gps.get(_GPS_LONGITUDE), _parse_reference(gps.get(3)), "EW", "longitude")
        return _check_position(latitude, longitude), ""
    except ValueError as error:
        return None, str(error)


def _read_position(blocks: MetadataBlocks, remarks: list[str]) -> tuple[float, float] | None:
    """Return the position in EXIF, or if there is none, in XMP."""
    position, reason = parse_gps(blocks.gps)
    if reason:
        remarks.append(f"position left out: {reason}")
    texts = [_get_first_text(blocks.xmp, f"exif:GPS{name}") for name in ("Latitude", "Longitude")]
    if position or not all(texts):
        return position
    matches = [_XMP_ANGLE_PATTERN.fullmatch(text.strip()) for text in texts]
    try:
        if not all(matches):
            raise ValueError(f"{' '.join(texts)[:60]!r} is not degrees and minutes")
        angles = [
            _parse_angle([float(part or 0) for part in match.groups()[:3]], match[4].upper(), *axis)
            for match, axis in zip(matches, (("NS", "latitude"), ("EW", "longitude")), strict=True)
        ]
        return _check_position(*angles)
    except ValueError as error:
        remarks.append(f"XMP position left out: {error}")
        return None


def _parse_angle(value: Any, reference: str, references: str, name: str) -> float:
    """Convert degrees, minutes and seconds to signed degrees.

    Without a reference (N, S, E, W) the hemisphere is unknown, unless the number is negative.
    """
    if value is None:
        raise ValueError(f"no {name}")
    parts = value if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else (value,)
    numbers = [None if isinstance(part, (str, bytes)) else _to_float(part) for part in parts]
    if not 1 <= len(numbers) <= 3 or None in numbers:
        raise ValueError(f"{name} {_format_value(value)} is not degrees, minutes and seconds")
    degrees, minutes, seconds = [*numbers, 0.0, 0.0][:3]
    if not (0 <= minutes <= 60 and 0 <= seconds <= 60):
        raise ValueError(f"{name} {_format_value(value)} has minutes or seconds out of range")
    angle = abs(degrees) + minutes / 60 + seconds / 3600
    if reference and reference in references:
        if degrees < 0 and reference in "NE":
            raise ValueError(f"{name} {_format_value(value)} contradicts its reference {reference}")
        return -angle if reference in "SW" else angle
    if degrees < 0 and not reference:
        return -angle
    raise ValueError(f"{name} without {' or '.join(references[:2])}")


def _check_position(latitude: float, longitude: float) -> tuple[float, float]:
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise ValueError(f"{latitude:.6g}, {longitude:.6g} is out of range")
    if abs(latitude) < 1e-6 and abs(longitude) < 1e-6:
        raise ValueError("0, 0 is the position that a receiver without a fix writes")
    return latitude, longitude


def _parse_reference(value: Any) -> str:
    return _to_text(value)[:1].upper()


# --- time --------------------------------------------------------------------------------------------------


def _read_time(
    blocks: MetadataBlocks, position: tuple[float, float] | None, remarks: list[str]
) -> tuple[datetime | None, int | None]:
    """Return the local time from the first plausible tag, and its UTC offset in minutes."""
    xmp = blocks.xmp
    # scanners, and cameras that follow TIFF/EP, write the tags of the inner block into the outer block
    exif = {tag: blocks.exif.get(tag, blocks.main.get(tag)) for tag in _TIME_TAGS}
    candidates = [
        (exif.get(_ORIGINAL), exif.get(_SUBSEC_ORIGINAL), exif.get(_OFFSET_ORIGINAL)),
        (_get_first_text(xmp, "exif:DateTimeOriginal", "photoshop:DateCreated"), None, None),
        (exif.get(_DIGITIZED), exif.get(_SUBSEC_DIGITIZED), exif.get(_OFFSET_DIGITIZED)),
        (_get_first_text(xmp, "exif:DateTimeDigitized", "xmp:CreateDate"), None, None),
        (blocks.main.get(_DATE_TIME), exif.get(_SUBSEC), exif.get(_OFFSET)),
    ]
    for value, fraction, offset in candidates:
        text = _to_text(value)
        if not text.strip("0:/-. "):  # spaces and "0000:00:00 00:00:00" mean "unknown"
            continue
        try:
            moment, own_offset = _parse_date_time(text)
            digits = _to_text(fraction)
            if digits.isdecimal() and digits.isascii():
                moment = moment.replace(microsecond=0) + timedelta(milliseconds=int(f"{digits:0<3}"[:3]))
            return moment, own_offset if own_offset is not None else _parse_offset(_to_text(offset))
        except ValueError as error:
            remarks.append(f"time left out: {error}")
    return _read_gps_time(blocks, position, remarks)


def _read_gps_time(
    blocks: MetadataBlocks, position: tuple[float, float] | None, remarks: list[str]
) -> tuple[datetime | None, int | None]:
    """Return the GPS timestamp, which is in UTC, as local time; and the offset in minutes, if it is stored.

    Uses an offset tag if there is one. Otherwise one hour is added for each 15 degrees of longitude, which
    rarely differs from the local time by more than two hours. Without a position the time stays in UTC.
    """
    date, clock = _to_text(blocks.gps.get(_GPS_DATE)), blocks.gps.get(_GPS_TIME)
    if not date.strip("0:/-. ") or not isinstance(clock, Sequence) or isinstance(clock, (str, bytes)):
        return None, None
    numbers = [_to_float(part) for part in clock]
    try:
        if len(numbers) != 3 or None in numbers or not _is_valid_clock(*numbers):
            raise ValueError(f"the GPS timestamp {_format_value(clock)} is not hours, minutes and seconds")
        day, _ = _parse_date_time(date)
        hours, minutes, seconds = numbers
        moment = day + timedelta(milliseconds=round(3_600_000 * hours + 60_000 * minutes + 1000 * seconds))
    except (ValueError, OverflowError) as error:
        remarks.append(f"time left out: {error}")
        return None, None
    tags = (_OFFSET_ORIGINAL, _OFFSET_DIGITIZED, _OFFSET)
    offset = next(
        (m for tag in tags if (m := _parse_offset(_to_text(blocks.exif.get(tag)))) is not None), None
    )
    if offset is not None:
        remarks.append("time from the GPS timestamp, made local by the stored UTC offset")
        return moment + timedelta(minutes=offset), offset
    if position is not None:
        remarks.append("time from the GPS timestamp, made local by the longitude; may be an hour or two off")
        return moment + timedelta(hours=round(position[1] / 15)), None
    remarks.append("time from the GPS timestamp, in UTC: the local offset is unknown")
    return moment, None


def _is_valid_clock(hours: float, minutes: float, seconds: float) -> bool:
    return 0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds < 61  # 60 is a leap second


def _parse_date_time(text: str) -> tuple[datetime, int | None]:
    """Parse a date and time from EXIF or XMP, and the UTC offset in minutes if one follows."""
    match = _DATE_TIME_PATTERN.fullmatch(text)
    if not match:
        raise ValueError(f"{text[:40]!r} is not a date and time")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    # a leap second becomes the next second, and 24:00:00 the start of the next day
    carry = timedelta(seconds=1) if second == 60 else timedelta()
    if (hour, minute, second) == (24, 0, 0):
        hour, carry = 0, timedelta(days=1)
    try:
        moment = datetime(year, month, day, hour, minute, 59 if second == 60 else second) + carry
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text[:40]!r}: {error}") from None
    if match[7]:
        moment += timedelta(milliseconds=int(float(match[7]) * 1000))
    latest = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)  # in the east it is already tomorrow
    if moment.year < _FIRST_YEAR or moment > latest:
        raise ValueError(f"{text[:40]!r} is {'in the future' if moment > latest else 'before photography'}")
    if moment in _UNSET_CLOCKS:
        raise ValueError(f"{text[:40]!r} is a clock that was never set")
    return moment, 0 if match[8] == "Z" else _parse_offset(match[8] or "")


def _parse_offset(offset: str) -> int | None:
    match = _OFFSET_PATTERN.fullmatch(offset)
    if not match or int(match[3]) > 59:
        return None
    minutes = 60 * int(match[2]) + int(match[3])
    return (-minutes if match[1] == "-" else minutes) if minutes <= _MAX_OFFSET else None


# --- camera, rating, keywords ------------------------------------------------------------------------------


def _read_camera(blocks: MetadataBlocks) -> str:
    """Return make and model; the make is left out if the model starts with it."""
    make = _to_text(blocks.main.get(_MAKE)) or _get_first_text(blocks.xmp, "tiff:Make")
    model = _to_text(blocks.main.get(_MODEL)) or _get_first_text(blocks.xmp, "tiff:Model")
    first = make.split()[:1]  # "NIKON CORPORATION" and "NIKON D90"
    if first and model.casefold().startswith(first[0].casefold()):
        make = ""
    return f"{make} {model}".strip()[:_MAX_TEXT_LENGTH]


def _read_rating(blocks: MetadataBlocks, remarks: list[str]) -> int | None:
    """Return the number of stars, from XMP if it has one, because programs write it there.

    -1 means "rejected" and is not a number of stars.
    """
    for value in (_get_first_text(blocks.xmp, "xmp:Rating"), blocks.main.get(_RATING)):
        text = _to_text(value) if isinstance(value, (str, bytes)) else value
        number = None if text in (None, "") else _to_float(text)
        if number is not None and number in range(6):
            return int(number)
        if number == -1:
            return None
        if text not in (None, ""):
            remarks.append(f"rating left out: {_format_value(value)} is not 0 to 5")
    return None


def _read_keywords(blocks: MetadataBlocks) -> tuple[str, ...]:
    """Return the keywords in XMP, IPTC and the Windows tag, without duplicates in other case or accents."""
    windows = blocks.main.get(_XP_KEYWORDS)
    if isinstance(windows, (tuple, bytes)):
        try:
            windows = bytes(windows).decode("utf-16-le", "ignore").split(";")
        except (TypeError, ValueError):
            windows = []
    iptc = blocks.iptc.get(_IPTC_KEYWORDS, [])
    texts: Iterable[Any] = [
        *blocks.xmp.get("dc:subject", []),
        *(iptc if isinstance(iptc, list) else [iptc]),
        *(windows if isinstance(windows, list) else []),
    ]
    cleaned = (_to_text(text)[:_MAX_TEXT_LENGTH].strip() for text in texts)
    distinct = {normalized: text for text in cleaned if (normalized := normalize(text))}
    return tuple(distinct.values())[:_MAX_KEYWORDS]


# --- values of any type ------------------------------------------------------------------------------------


def _to_float(value: Any) -> float | None:
    """Return a finite number; None for a zero denominator, a text that is no number, or another type."""
    try:
        number = float(value)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return number if math.isfinite(number) and not isinstance(value, bool) else None


def _to_text(value: Any) -> str:
    """Return a text up to its first NUL, with single spaces and without control characters."""
    if isinstance(value, str):
        with suppress(UnicodeError):  # Pillow decodes ASCII tags as Latin-1, but phones write UTF-8
            value = value.encode("latin-1").decode("utf-8")
    elif isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            value = value.decode("latin-1")
    else:
        return ""
    text = value.partition("\0")[0].encode("utf-8", "ignore").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _get_first_text(xmp: Mapping[str, list[str]], *names: str) -> str:
    """Return the text of the first of these XMP properties that is not empty."""
    return next((text for name in names for item in xmp.get(name, [])[:1] if (text := _to_text(item))), "")


def _format_value(value: Any) -> str:
    """Format a value of any type and length for a remark."""
    try:
        return " ".join(repr(value).split())[:60]
    except Exception:  # for example a fraction of huge numbers
        return type(value).__name__
