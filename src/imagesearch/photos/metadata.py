"""A photo's metadata: position, time, camera, rating, keywords, description; without implausible values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from imagesearch.photos.descriptions import read_description
from imagesearch.photos.formats import RAW_EXTENSIONS, PhotoError, get_extension, open_photo
from imagesearch.photos.metadata_blocks import MetadataBlocks, read_blocks, read_raw_blocks
from imagesearch.photos.metadata_values import (
    decode_windows_text,
    format_value,
    get_first_text,
    list_values,
    to_float,
    to_text,
)
from imagesearch.photos.name_dates import parse_name_date
from imagesearch.photos.positions import read_position
from imagesearch.photos.times import get_latest_time, make_local, read_time
from imagesearch.text import normalize

# Tags of the Exif standard (CIPA DC-008-2024) and of Windows.
_MAKE, _MODEL, _RATING, _XP_KEYWORDS = 0x010F, 0x0110, 0x4746, 0x9C9E
_IPTC_KEYWORDS = (2, 25)
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
        Local time without a time zone, to the millisecond. If less is known than the second, its beginning.
    time_source : str
        ``"exif"``, ``"xmp"``, ``"iptc"``, ``"gps"``, or ``"name"`` for a time from the file's name.
    time_precision : str
        What is known of the time: ``"second"``, ``"day"``, ``"month"`` or ``"year"``.
    utc_offset : int or None
        Minutes by which the local time is ahead of UTC, if the file contains it.
    camera : str
        Make and model.
    rating : int or None
        0 to 5 stars.
    keywords : tuple of str
        Keywords as written in the file.
    description : str
        Titles and captions in one line.
    remarks : tuple of str
        The values that were left out or are unusual, with the reasons.
    """

    latitude: float | None = None
    longitude: float | None = None
    taken_at: datetime | None = None
    utc_offset: int | None = None
    camera: str = ""
    rating: int | None = None
    keywords: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    time_source: str = ""
    time_precision: str = ""
    description: str = ""


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
    position = read_position(blocks, remarks)
    time = read_time(blocks, position, remarks)
    latitude, longitude = position or (None, None)
    return PhotoMetadata(
        latitude,
        longitude,
        time.moment if time else None,
        time.offset if time else None,
        _read_camera(blocks),
        _read_rating(blocks, remarks),
        _read_keywords(blocks),
        tuple(remark.encode("utf-8", "backslashreplace").decode() for remark in remarks),
        time.source if time else "",
        time.precision if time else "",
        read_description(blocks),
    )


def add_name_date(metadata: PhotoMetadata, name: str) -> PhotoMetadata:
    """Return metadata with the date in the file's name, if it has no time and the name has one.

    Some names have a time in UTC (see `imagesearch.photos.name_dates`). It becomes local by the longitude of
    the photo's position. Without a position, only its day counts as known.
    """
    found = parse_name_date(name, get_latest_time()) if metadata.taken_at is None else None
    if found is None:
        return metadata
    moment, precision, remark = found.moment, found.precision, "time from the file name"
    if found.is_utc:
        moment, precision, how = make_local(moment, metadata.longitude)
        remark = f"{remark}, {how}"
    remarks = (*metadata.remarks, remark)
    return replace(metadata, taken_at=moment, time_source="name", time_precision=precision, remarks=remarks)


# --- camera, rating, keywords ------------------------------------------------------------------------------


def join_camera(make: str, model: str) -> str:
    """Return make and model; the make is left out if the model starts with it."""
    first = make.split()[:1]  # "NIKON CORPORATION" and "NIKON D90"
    if first and model.casefold().startswith(first[0].casefold()):
        make = ""
    return f"{make} {model}".strip()[:_MAX_TEXT_LENGTH]


def _read_camera(blocks: MetadataBlocks) -> str:
    make = to_text(blocks.main.get(_MAKE)) or get_first_text(blocks.xmp, "tiff:Make")
    model = to_text(blocks.main.get(_MODEL)) or get_first_text(blocks.xmp, "tiff:Model")
    return join_camera(make, model)


def _read_rating(blocks: MetadataBlocks, remarks: list[str]) -> int | None:
    """Return the number of stars, from XMP if it has one, because programs write it there.

    -1 means "rejected" and is not a number of stars.
    """
    for value in (get_first_text(blocks.xmp, "xmp:Rating"), blocks.main.get(_RATING)):
        text = to_text(value) if isinstance(value, (str, bytes)) else value
        number = None if text in (None, "") else to_float(text)
        if number is not None and number in range(6):
            return int(number)
        if number == -1:
            return None
        if text not in (None, ""):
            remarks.append(f"rating left out: {format_value(value)} is not 0 to 5")
    return None


def _read_keywords(blocks: MetadataBlocks) -> tuple[str, ...]:
    """Return the keywords in XMP, IPTC and the Windows tag, without duplicates in other case or accents."""
    texts: Iterable[Any] = [
        *blocks.xmp.get("dc:subject", []),
        *list_values(blocks.iptc.get(_IPTC_KEYWORDS)),
        *decode_windows_text(blocks.main.get(_XP_KEYWORDS)).split(";"),
    ]
    cleaned = (to_text(text)[:_MAX_TEXT_LENGTH].strip() for text in texts)
    distinct = {normalized: text for text in cleaned if (normalized := normalize(text))}
    return tuple(distinct.values())[:_MAX_KEYWORDS]
