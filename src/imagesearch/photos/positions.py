"""The position in a photo's metadata, from the EXIF GPS block or the XMP packet."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from imagesearch.photos.metadata_blocks import MetadataBlocks
from imagesearch.photos.metadata_values import format_value, get_first_text, to_float, to_text

Position = tuple[float, float]
GPS_TIME, GPS_DATE = 7, 29
_LATITUDE, _LONGITUDE, _STATUS = 2, 4, 9
_AXES = (("NS", "latitude"), ("EW", "longitude"))
_XMP_MINUTES_PATTERN = re.compile(
    r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])", re.I | re.A
)
_XMP_DEGREES_PATTERN = re.compile(r"([-+]?\d{1,3}(?:\.\d+)?)\s*([NSEW])?", re.I | re.A)


def read_position(blocks: MetadataBlocks, remarks: list[str]) -> Position | None:
    """Return the position in EXIF, or if there is none, in XMP."""
    position, remark = parse_gps(blocks.gps)
    if remark:
        remarks.append(f"position: {remark}" if position else f"position left out: {remark}")
    texts = [get_first_text(blocks.xmp, f"exif:GPS{name}") for name in ("Latitude", "Longitude")]
    if position or not all(texts):
        return position
    notes: list[str] = []
    try:
        latitude, longitude = (
            _parse_xmp_angle(text, *axis, notes) for text, axis in zip(texts, _AXES, strict=True)
        )
        position = _check_position(latitude, longitude)
    except ValueError as error:
        remarks.append(f"XMP position left out: {error}")
        return None
    remarks.extend(f"XMP position: {note}" for note in dict.fromkeys(notes))
    return position


def parse_gps(gps: Mapping[int, Any]) -> tuple[Position | None, str]:
    """Return the latitude and longitude of an EXIF GPS block, or None.

    Parameters
    ----------
    gps
        Values of any type, by tag number.

    Returns
    -------
    position : tuple of float or None
        Degrees, in [-90, 90] and [-180, 180].
    remark : str
        Why a position in the block is not used, or what is unusual about one that is used. Empty if there is
        no position, and for a usual one.
    """
    if gps.get(_LATITUDE) is None and gps.get(_LONGITUDE) is None:
        has_time = GPS_TIME in gps or GPS_DATE in gps  # a receiver without a fix may still write the time
        return None, "the GPS block has none" if gps and not has_time else ""
    notes: list[str] = []
    try:
        if to_text(gps.get(_STATUS)).upper() == "V":
            raise ValueError("the receiver had no fix (status V)")
        latitude = _parse_angle(gps.get(_LATITUDE), _parse_reference(gps.get(1)), *_AXES[0], notes)
        longitude = _parse_angle(gps.get(_LONGITUDE), _parse_reference(gps.get(3)), *_AXES[1], notes)
        return _check_position(latitude, longitude), "; ".join(notes)
    except ValueError as error:
        return None, str(error)


def _parse_xmp_angle(text: str, references: str, name: str, notes: list[str]) -> float:
    """Convert degrees and minutes with a reference, or signed decimal degrees, to signed degrees."""
    if match := _XMP_MINUTES_PATTERN.fullmatch(text.strip()):
        parts = [float(part or 0) for part in match.groups()[:3]]
        return _parse_angle(parts, match[4].upper(), references, name, notes)
    match = _XMP_DEGREES_PATTERN.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text[:30]!r} is not degrees and minutes")
    degrees, reference = float(match[1]), (match[2] or "").upper()
    notes.append("decimal degrees")
    return _parse_angle(degrees, reference or references[degrees < 0], references, name, [])


def _parse_angle(value: Any, reference: str, references: str, name: str, notes: list[str]) -> float:
    """Convert degrees, minutes and seconds to signed degrees.

    Without a reference (N, S, E, W) the hemisphere is unknown, unless the number is negative. A negative
    number is in the south or west, whatever its reference: programs that write a sign often write the same
    reference for all photos.
    """
    if value is None:
        raise ValueError(f"no {name}")
    parts = value if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else (value,)
    numbers = [None if isinstance(part, (str, bytes)) else _to_signed(part) for part in parts]
    if len(numbers) == 3 and numbers[2] is None and not isinstance(parts[2], (str, bytes, type(None))):
        numbers[2] = 0.0  # such as 0/0
        notes.append(f"{name} without seconds")
    if not 1 <= len(numbers) <= 3 or None in numbers:
        raise ValueError(f"{name} {format_value(value)} is not degrees, minutes and seconds")
    is_negative = any(number < 0 for number in numbers)
    if is_negative and all(number <= 0 for number in numbers[1:]):
        numbers[1:] = [-number for number in numbers[1:]]  # the sign is in all parts
    degrees, minutes, seconds = [*numbers, 0.0, 0.0][:3]
    if not (0 <= minutes <= 60 and 0 <= seconds <= 60) or (is_negative and degrees > 0):
        raise ValueError(f"{name} {format_value(value)} has minutes or seconds out of range")
    angle = abs(degrees) + minutes / 60 + seconds / 3600
    if reference and reference in references:
        if is_negative:
            notes.append(f"{name} with a minus sign and {reference}; read as {references[1]}")
        return -angle if is_negative or reference in "SW" else angle
    if is_negative and not reference:
        return -angle
    raise ValueError(f"{name} without {' or '.join(references)}")


def _to_signed(value: Any) -> float | None:
    """Return a number; a negative number that was written as an unsigned one becomes negative again.

    A negative numerator in the unsigned type of EXIF is 2**32 too large. The number is then much larger than
    any angle.
    """
    number = to_float(value)
    numerator, denominator = getattr(value, "numerator", None), getattr(value, "denominator", None)
    if number is None or number <= 360 or not isinstance(numerator, int) or not denominator:
        return number
    signed = (numerator - 2**32) / denominator
    return signed if -360 <= signed < 0 else number


def _check_position(latitude: float, longitude: float) -> Position:
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise ValueError(f"{latitude:.6g}, {longitude:.6g} is out of range")
    if abs(latitude) < 1e-6 and abs(longitude) < 1e-6:
        raise ValueError("0, 0 is the position that a receiver without a fix writes")
    return latitude, longitude


def _parse_reference(value: Any) -> str:
    return to_text(value)[:1].upper()
