"""The trips of an album: stretches away from home, by the times and positions of photos.

Start with `find_trips` in ``album.py``. ``homes.py`` finds the homes, ``sessions.py`` divides the photos,
``names.py`` names the trips, and ``decisions.py`` has the user's names.
"""

from imagesearch.trips.album import Trip, TripPhoto, find_trips
from imagesearch.trips.decisions import (
    TripName,
    append_trip_name,
    append_trip_undo,
    count_trip_lines,
    list_trip_decisions,
    locate_trip_lines,
    read_trip_lines,
    read_trip_names,
)

__all__ = [
    "Trip",
    "TripName",
    "TripPhoto",
    "append_trip_name",
    "append_trip_undo",
    "count_trip_lines",
    "find_trips",
    "list_trip_decisions",
    "locate_trip_lines",
    "read_trip_lines",
    "read_trip_names",
]
