"""Step 04: where and when photos were taken, from their metadata, and the addresses of these places.

Knows geopy and reverse_geocode, imported when an address is first looked up. Writes the table ``geo`` and
``addresses.parquet``.
"""

from imagesearch.geo.extract import (
    GeoSummary,
    PhotoLocation,
    check_geocoder,
    count_without_address,
    extract_geo,
    read_locations,
)
from imagesearch.geo.great_circle import compute_distances_km, make_bounding_boxes

__all__ = [
    "GeoSummary",
    "PhotoLocation",
    "check_geocoder",
    "compute_distances_km",
    "count_without_address",
    "extract_geo",
    "make_bounding_boxes",
    "read_locations",
]
