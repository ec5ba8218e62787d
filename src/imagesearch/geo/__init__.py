"""Step 04: reads positions and times from the metadata of photos, and looks up addresses for the positions.

Start with `extract_geo` in ``extract.py``: it writes the table ``geo`` and ``addresses.parquet``, which
`read_locations` reads. Addresses come from ``offline.py`` or ``online.py`` (a geocoder of geopy), and
``reverse.py`` chooses between them. Offline, ``borders.py`` has the countries and ``geonames.py`` the places.
``great_circle.py`` computes distances and bounding boxes for ``--near``. geopy, reverse_geocode and shapely
are imported here only, when the first address is looked up.
"""

from imagesearch.geo.border_conversion import convert_borders
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
    "convert_borders",
    "count_without_address",
    "extract_geo",
    "make_bounding_boxes",
    "read_locations",
]
