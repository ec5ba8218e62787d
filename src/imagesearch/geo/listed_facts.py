"""Places, cameras and descriptions of photos in a list with the columns of the Unsplash data set.

The photos of Unsplash have no metadata in their files. What their files do have comes first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from imagesearch.geo.address import NO_ADDRESS, Address, make_address
from imagesearch.photos import PhotoMetadata, join_camera

_MAX_LENGTH = 500  # characters; a line can contain anything

Value = str | tuple[str, ...]


def add_listed_metadata(metadata: PhotoMetadata, values: Mapping[str, Value]) -> PhotoMetadata:
    """Return metadata with the position, camera and description of a line, where the file has none.

    Parameters
    ----------
    metadata
        That of the file.
    values
        The columns of the line: ``photo_location_latitude``, ``photo_location_longitude``,
        ``exif_camera_make``, ``exif_camera_model`` and ``photo_description``. All others are ignored.
    """
    changes: dict[str, object] = {}
    position = _read_position(values)
    if metadata.latitude is None and position is not None:
        changes["latitude"], changes["longitude"] = position
    if not metadata.camera:
        changes["camera"] = join_camera(*(_get_text(values, f"exif_camera_{n}") for n in ("make", "model")))
    if not metadata.description:
        changes["description"] = _get_text(values, "photo_description")
    return replace(metadata, **changes)  # type: ignore[arg-type]  # each value has the type of its field


def add_listed_address(address: Address, values: Mapping[str, Value]) -> Address:
    """Return an address with the places of a line: ``photo_location_city``, ``_country`` and ``_name``."""
    city, country, name = (
        _get_text(values, f"photo_location_{part}") for part in ("city", "country", "name")
    )
    if not (city or country or name):
        return address
    parts = [part.strip() for part in name.split(",")]
    others = [part for part in parts if part and part not in (city, country)]
    listed = make_address(city, "", "", country, name or ", ".join(filter(None, (city, country))), others)
    if address == NO_ADDRESS:
        return listed
    known = {place for place, _ in address.places}
    return replace(address, places=(*address.places, *(p for p in listed.places if p[0] not in known)))


def _read_position(values: Mapping[str, Value]) -> tuple[float, float] | None:
    """Return latitude and longitude in degrees; None if there are none, or if they are not plausible."""
    try:
        latitude, longitude = (
            float(_get_text(values, f"photo_location_{name}")) for name in ("latitude", "longitude")
        )
    except ValueError:
        return None
    if not (math.isfinite(latitude) and abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    return None if latitude == longitude == 0 else (latitude, longitude)


def _get_text(values: Mapping[str, Value], name: str) -> str:
    value = values.get(name, "")
    return (value if isinstance(value, str) else ", ".join(value))[:_MAX_LENGTH]
