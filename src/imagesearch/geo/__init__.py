"""Step 04: where and when photos were taken, from their metadata, and the addresses of these places.

Knows geopy and reverse_geocode, imported when an address is first looked up. Writes the table ``geo`` and
``addresses.parquet``.
"""

from imagesearch.geo.extract import Whereabouts, count_unlocated, extract_geo, read_whereabouts
from imagesearch.geo.great_circle import boxes, distance_km

__all__ = [
    "Whereabouts",
    "boxes",
    "count_unlocated",
    "distance_km",
    "extract_geo",
    "read_whereabouts",
]
