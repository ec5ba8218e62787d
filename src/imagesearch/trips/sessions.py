"""Divides the photos of an album into stretches away from home, by gaps in time and distance.

With a home, a trip lasts until a photo is taken at home, or none for four days (three, if the next one is
more than 500 km away). Without a home, it also ends where the next photo is more than 500 km away, or at
another place and after more than 36 hours. Photos that one person cannot have taken, in Goa and in Paris on
the same afternoon, belong to different trips.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from imagesearch.great_circle import compute_distance_km
from imagesearch.trips.homes import DAY, HOME_KM, find_homes

NO_TRIP = -1
_HOUR = 3600
_MAX_GAP, _MAX_JUMP_GAP = 4 * DAY, 3 * DAY
_MAX_MOVE_GAP = 36 * _HOUR  # without a home, to another place
_JUMP_KM = 500.0  # farther away is another trip without a home, and with one if the gap is longer
# Photos at home between photos of the same place are of other people, if the gap is at most this long.
_SAME_PLACE_GAP, _FAR_SAME_PLACE_GAP, _COMMUTE_KM = 12 * _HOUR, 36 * _HOUR, 100.0
_FLIGHT_KMH = 900.0
_CLOCK_ERROR = 2 * _HOUR  # of the time that is computed from the longitude
_RETURN_KMH, _RETURN_HOURS = 700.0, 5.0  # door to door, for each way
_FAR_KM = 300.0  # farther away, it takes these hours
_STOPOVER_GAP, _STOPOVER_DETOUR = 36 * _HOUR, 1.2
_MAX_UNLOCATED_GAP = 36 * _HOUR
_MIN_PHOTOS = 3


@dataclass
class _Group:
    """The photos of a trip that is not over, by row; the last one's time, position and distance from home."""

    time: float
    latitude: float
    longitude: float
    home_km: float
    rows: list[int] = field(default_factory=list)


def group_trips(
    times: np.ndarray, latitudes: np.ndarray, longitudes: np.ndarray, cameras: Sequence[str] = ()
) -> np.ndarray:
    """Group photos into trips.

    Parameters
    ----------
    times : (n,) float64
        Local times of the camera in seconds; NaN if unknown.
    latitudes, longitudes : (n,) float64
        Degrees; NaN if unknown.
    cameras
        The camera of each photo, empty if unknown; or nothing.

    Returns
    -------
    trips : (n,) int64
        The number of each photo's trip, from 0, or `NO_TRIP`. A photo without a position belongs to the trip
        in whose time it was taken, or else to that of the nearest photo within 36 hours. Photos of the same
        camera within 36 hours come first: they are of the same person.
    """
    trips = np.full(len(times), NO_TRIP)
    located = np.flatnonzero(~(np.isnan(times) | np.isnan(latitudes) | np.isnan(longitudes)))
    if len(located):
        # the time of the sun stands for UTC, so that flights over many time zones keep their order
        universal = times[located] - longitudes[located] / 15 * _HOUR
        order = np.argsort(universal, kind="stable")
        rows = located[order]
        trips[rows] = _drop_small(_group_located(universal[order], latitudes[rows], longitudes[rows]), 2)
        unlocated = np.flatnonzero(~np.isnan(times) & np.isnan(latitudes))
        _add_unlocated(trips, times, located, unlocated)
        _add_by_camera(trips, times, located, unlocated, np.asarray(cameras))
    return _drop_small(trips, _MIN_PHOTOS)


def _group_located(times: np.ndarray, latitudes: np.ndarray, longitudes: np.ndarray) -> np.ndarray:
    """Group photos with a position, in the order of their times."""
    distances = find_homes(times, latitudes, longitudes).compute_distances(times, latitudes, longitudes)
    trips = np.full(len(times), NO_TRIP)
    home_times = times[distances <= HOME_KM].tolist()
    finished: list[_Group] = []
    groups: list[_Group] = []
    columns = (column.tolist() for column in (times, latitudes, longitudes, distances))
    for row, (time, latitude, longitude, home_km) in enumerate(zip(*columns, strict=True)):
        if home_km <= HOME_KM:
            continue
        finished += [group for group in groups if time - group.time > _MAX_GAP]
        groups = [group for group in groups if time - group.time <= _MAX_GAP]
        photo = _Group(time, latitude, longitude, home_km, [row])
        joined = [
            (km, group) for group in groups if (km := _measure_step(group, photo, home_times)) is not None
        ]
        if joined:
            _, group = min(joined, key=lambda pair: pair[0])
            group.time, group.latitude, group.longitude, group.home_km = time, latitude, longitude, home_km
            group.rows.append(row)
        else:
            groups.append(photo)
    for number, group in enumerate([*finished, *groups]):
        trips[group.rows] = number
    return trips


def _measure_step(group: _Group, photo: _Group, home_times: Sequence[float]) -> float | None:
    """Return the distance of a photo from the last of a group; None if it does not belong to the group."""
    gap = photo.time - group.time
    km = compute_distance_km(group.latitude, group.longitude, photo.latitude, photo.longitude)
    if np.isnan(photo.home_km) or np.isnan(group.home_km):
        return km if km <= HOME_KM or (km <= _JUMP_KM and gap <= _MAX_MOVE_GAP) else None
    is_far = min(group.home_km, photo.home_km) > _COMMUTE_KM
    if km <= HOME_KM and gap <= (_FAR_SAME_PLACE_GAP if is_far else _SAME_PLACE_GAP):
        return km
    if gap < km / _FLIGHT_KMH * _HOUR - _CLOCK_ERROR or (km > _JUMP_KM and gap > _MAX_JUMP_GAP):
        return None
    was_home = bisect_right(home_times, group.time) < bisect_left(home_times, photo.time)
    if was_home and gap >= _find_return_time(group.home_km) + _find_return_time(photo.home_km):
        return None
    is_on_the_way = group.home_km + photo.home_km <= _STOPOVER_DETOUR * km
    return None if gap > _STOPOVER_GAP and is_on_the_way else km


def _find_return_time(km: float) -> float:
    """Return the seconds that a way home takes at least."""
    return (km / _RETURN_KMH + (_RETURN_HOURS if km > _FAR_KM else 0)) * _HOUR


def _add_unlocated(trips: np.ndarray, times: np.ndarray, located: np.ndarray, unlocated: np.ndarray) -> None:
    """Add photos without a position to the trip in whose time they are, or to that of the nearest photo."""
    nearest, is_near = _find_nearest(times, located, unlocated)
    found = np.where(is_near, trips[nearest], NO_TRIP)
    if len(in_trips := located[trips[located] != NO_TRIP]):
        before, after = _find_neighbours(times, in_trips, unlocated)
        is_inside = (before != after) & (trips[before] == trips[after])
        found = np.where(is_inside, trips[before], found)
    trips[unlocated] = found


def _add_by_camera(
    trips: np.ndarray, times: np.ndarray, located: np.ndarray, unlocated: np.ndarray, cameras: np.ndarray
) -> None:
    """Add photos without a position to the trip of the nearest photo of the same camera."""
    for camera in np.unique(cameras[unlocated]) if len(cameras) else ():
        rows, known = (found[cameras[found] == camera] for found in (unlocated, located))
        if camera and len(known):
            nearest, is_near = _find_nearest(times, known, rows)
            trips[rows[is_near]] = trips[nearest[is_near]]


def _find_nearest(times: np.ndarray, known: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the known row that is nearest to each row in time, and whether it is within 36 hours."""
    before, after = _find_neighbours(times, known, rows)
    gaps = np.stack([abs(times[rows] - times[before]), abs(times[after] - times[rows])])
    return np.where(gaps[0] <= gaps[1], before, after), gaps.min(axis=0) <= _MAX_UNLOCATED_GAP


def _find_neighbours(times: np.ndarray, known: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the known rows before and after each row in time; at both ends, the same row twice."""
    order = known[np.argsort(times[known], kind="stable")]
    after = np.searchsorted(times[order], times[rows])
    return order[np.clip(after - 1, 0, None)], order[np.clip(after, None, len(order) - 1)]


def _drop_small(trips: np.ndarray, min_photos: int) -> np.ndarray:
    """Return the trips without those of few photos, numbered without gaps."""
    counts = np.bincount(trips[trips != NO_TRIP], minlength=1)
    numbers = np.where(counts >= min_photos, np.cumsum(counts >= min_photos) - 1, NO_TRIP)
    return np.where(trips == NO_TRIP, NO_TRIP, numbers[trips])
