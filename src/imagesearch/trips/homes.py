"""Finds the homes of an album: the places where photos are taken most often, for each month.

A visit counts once in 15 days, so that a thousand photos of one holiday do not make a home. A home is a place
with many of the visits of a year. It can move, and there can be two at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagesearch.great_circle import compute_distances_km

HOME_KM = 40.0
"""Photos at most this far from a home are at home."""
DAY = 86_400
_PLACE_KM = 30.0  # photos that are this close to the centre of a place are at this place
_CELLS_PER_DEGREE = 10
_REACH = 3  # cells of latitude in 30 km
_MONTH = 30.4 * DAY
_WINDOW = 183 * DAY  # visits before and after a month that count for its home
_VISIT_DAYS, _SHORT_VISIT_DAYS = 15, 4
_SHORT_ALBUM = 180 * DAY
_MIN_VISITS, _MIN_SHARE = 5, 0.4
_MAX_MONTHS_WITHOUT = 18  # a month without a home has that of the nearest month with one


@dataclass(frozen=True)
class Homes:
    """The homes of each month.

    Attributes
    ----------
    start
        The time at which the first month starts, in seconds.
    centres
        The positions of the homes of each month in degrees, (n, 2) float64; n can be 0.
    """

    start: float
    centres: list[np.ndarray]

    def compute_distances(
        self, times: np.ndarray, latitudes: np.ndarray, longitudes: np.ndarray
    ) -> np.ndarray:
        """Return the distances to the nearest home at the time, (n,) in kilometres; NaN without a home."""
        distances = np.full(len(times), np.nan)
        months = np.clip((times - self.start) // _MONTH, 0, len(self.centres) - 1).astype(int)
        for month in np.unique(months).tolist():
            rows = np.flatnonzero(months == month)
            for latitude, longitude in self.centres[month].tolist():
                found = compute_distances_km(latitude, longitude, latitudes[rows], longitudes[rows])
                distances[rows] = np.fmin(distances[rows], found)
        return distances


def find_homes(times: np.ndarray, latitudes: np.ndarray, longitudes: np.ndarray) -> Homes:
    """Find the homes of each month.

    Parameters
    ----------
    times : (n,) float64
        Seconds, in ascending order; at least one.
    latitudes, longitudes : (n,) float64
        Degrees.
    """
    places, centres = _group_places(times, latitudes, longitudes)
    if len(centres) == 1:
        return Homes(float(times[0]), [centres])
    days = _SHORT_VISIT_DAYS if times[-1] - times[0] < _SHORT_ALBUM else _VISIT_DAYS
    order = np.argsort(places, kind="stable")
    groups = np.split(times[order], np.flatnonzero(np.diff(places[order])) + 1)
    visits = [_count_visits(group, days * DAY) for group in groups]
    everywhere = _count_visits(times, days * DAY)
    months = np.arange(times[0], times[-1] + 1, _MONTH) + _MONTH / 2
    is_home = _judge_places(visits, everywhere, months - _WINDOW, months + _WINDOW)
    always = _judge_places(visits, everywhere, times[:1], times[-1:] + 1)[:, 0]
    return Homes(float(times[0]), _fill_months(is_home, always, centres))


def _group_places(
    times: np.ndarray, latitudes: np.ndarray, longitudes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of each photo, (n,) int64, and the centres of the places, (places, 2).

    The place with the most days comes first; it contains all photos within 30 km of its most frequent cell.
    """
    cells = np.round(np.stack([latitudes, longitudes], 1) * _CELLS_PER_DEGREE).astype(np.int64)
    unique, cell_by_photo = np.unique(cells, axis=0, return_inverse=True)
    cell_by_photo = cell_by_photo.reshape(-1)
    days = np.unique(np.stack([cell_by_photo, (times // DAY).astype(np.int64)], 1), axis=0)
    day_counts = np.bincount(days[:, 0], minlength=len(unique))
    positions = unique / _CELLS_PER_DEGREE
    place_by_cell = np.full(len(unique), -1)
    centres: list[list[float]] = []
    for cell in np.argsort(-day_counts, kind="stable").tolist():
        if place_by_cell[cell] >= 0:
            continue
        # the cells are sorted by latitude; all others are farther away
        first, last = np.searchsorted(unique[:, 0], [unique[cell, 0] - _REACH, unique[cell, 0] + _REACH + 1])
        free = first + np.flatnonzero(place_by_cell[first:last] < 0)
        distances = compute_distances_km(*positions[cell].tolist(), *positions[free].T)
        place_by_cell[free[distances <= _PLACE_KM]] = len(centres)
        centres.append(positions[cell].tolist())
    return place_by_cell[cell_by_photo], np.asarray(centres, np.float64)


def _count_visits(times: np.ndarray, spacing: float) -> np.ndarray:
    """Return times at least `spacing` apart: the first, and each time the next after that."""
    visits, row = [], 0
    while row < len(times):
        visits.append(times[row])
        row = int(np.searchsorted(times, times[row] + spacing))
    return np.asarray(visits)


def _judge_places(
    visits: list[np.ndarray], everywhere: np.ndarray, starts: np.ndarray, ends: np.ndarray
) -> np.ndarray:
    """Return whether a place is a home in each window, (places, windows) bool."""
    totals = np.searchsorted(everywhere, ends) - np.searchsorted(everywhere, starts)
    counts = np.zeros((len(visits), len(starts)), np.int64)
    for place, found in enumerate(visits):
        if len(found) >= _MIN_VISITS:
            counts[place] = np.searchsorted(found, ends) - np.searchsorted(found, starts)
    return (counts >= _MIN_VISITS) & (counts >= _MIN_SHARE * totals)


def _fill_months(is_home: np.ndarray, always: np.ndarray, centres: np.ndarray) -> list[np.ndarray]:
    """Return the centres of the homes of each month, or of the nearest month, or of all months."""
    known = np.flatnonzero(is_home.any(axis=0))
    filled = []
    for month in range(is_home.shape[1]):
        places = is_home[:, month]
        if not places.any() and len(known):
            nearest = known[np.argmin(abs(known - month))]
            places = is_home[:, nearest] if abs(nearest - month) <= _MAX_MONTHS_WITHOUT else places
        filled.append(centres[places if places.any() else always])
    return filled
