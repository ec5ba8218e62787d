"""Step 04: reads positions and times from the metadata of photos, and looks up addresses for the positions.

Start with `extract_geo` in ``extract.py``: it writes the table ``geo`` and ``addresses.parquet``, which
`read_locations` reads. Addresses come from ``offline.py`` or ``online.py`` (a geocoder of geopy), and
``reverse.py`` chooses between them. Offline, ``borders.py`` has the countries and ``geonames.py`` the places.
``map_shapes.py`` has the land and the borders for maps. Sentences use ``place_aliases.py`` (other names of
places), ``regions.py`` and ``world_places.py``. geopy, reverse_geocode and shapely are imported here only,
when the first address is looked up or a map is drawn.
"""

from imagesearch.geo.border_conversion import convert_borders
from imagesearch.geo.coast_conversion import convert_coasts
from imagesearch.geo.extract import (
    GeoSummary,
    PhotoLocation,
    check_geocoder,
    count_without_address,
    extract_geo,
    read_locations,
)
from imagesearch.geo.geonames import load_places
from imagesearch.geo.map_shapes import MAP_ATTRIBUTION, MapShapes, find_map_shapes
from imagesearch.geo.place_aliases import list_alias_groups, list_aliases
from imagesearch.geo.regions import (
    MAX_REGION_WORDS,
    PARALLELS,
    REGION_WORDS,
    SUBREGIONS,
    Region,
    find_region,
)
from imagesearch.geo.saved_addresses import hash_addresses
from imagesearch.geo.world_places import (
    MAX_NAME_WORDS,
    NamedPlaces,
    WorldPlace,
    find_country_code,
    find_world_places,
)

__all__ = [
    "MAP_ATTRIBUTION",
    "MAX_NAME_WORDS",
    "MAX_REGION_WORDS",
    "PARALLELS",
    "REGION_WORDS",
    "SUBREGIONS",
    "GeoSummary",
    "MapShapes",
    "NamedPlaces",
    "PhotoLocation",
    "Region",
    "WorldPlace",
    "check_geocoder",
    "convert_borders",
    "convert_coasts",
    "count_without_address",
    "extract_geo",
    "find_country_code",
    "find_map_shapes",
    "find_region",
    "find_world_places",
    "hash_addresses",
    "list_alias_groups",
    "list_aliases",
    "load_places",
    "read_locations",
]
