"""Facts about imaginary photos that right values share: seasons, intervals, distances, regions."""

from __future__ import annotations

from datetime import date
from math import asin, cos, radians, sin, sqrt

from query_photos import PLACES, Photo

MORNING, AFTERNOON, EVENING = (5, 12), (12, 17), (17, 22)  # hours; the second is exclusive
EUROPE = frozenset({"France", "Italy", "Poland", "Norway", "Denmark"})
ASIA = frozenset({"India", "Thailand", "South Korea", "North Korea", "Iran"})
NORTH_AMERICA = frozenset({"Canada", "United States"})
SCANDINAVIA = frozenset({"Norway", "Denmark"})
KOREA = frozenset({"South Korea", "North Korea"})
SEASONS = ("winter", "spring", "summer", "autumn")
# Month and day of Holi in each year since 2001, as observed in most of India.
HOLI = {
    2001: (3, 10), 2002: (3, 29), 2003: (3, 18), 2004: (3, 7), 2005: (3, 26), 2006: (3, 15), 2007: (3, 4),
    2008: (3, 22), 2009: (3, 11), 2010: (3, 1), 2011: (3, 20), 2012: (3, 8), 2013: (3, 27), 2014: (3, 17),
    2015: (3, 6), 2016: (3, 24), 2017: (3, 13), 2018: (3, 2), 2019: (3, 21), 2020: (3, 10), 2021: (3, 29),
    2022: (3, 18), 2023: (3, 8), 2024: (3, 25),
}  # fmt: skip


def is_season(photo: Photo, season: str, year: int | None = None) -> bool:
    """Return whether the photo is of this season where it was taken; December counts to the next year."""
    if photo.taken is None:
        return False
    number = photo.day.month % 12 // 3
    if photo.latitude is not None and photo.latitude < 0:
        number = (number + 2) % 4
    season_year = photo.day.year + (photo.day.month == 12)
    return SEASONS[number] == season and year in (None, season_year)


def is_between(photo: Photo, first: date, last: date) -> bool:
    """Return whether the photo was taken from the first to the last day, both included."""
    return first <= photo.day <= last


def is_on(photo: Photo, year: int, month: int, day: int) -> bool:
    return photo.day == date(year, month, day)


def is_at(photo: Photo, hours: tuple[float, float]) -> bool:
    """Return whether the local time is in these hours, the second excluded."""
    return photo.taken is not None and hours[0] <= photo.hour < hours[1]


def is_night(photo: Photo) -> bool:
    return photo.taken is not None and (photo.hour >= 22 or photo.hour < 5)


def is_christmas(photo: Photo) -> bool:
    return photo.day.month == 12 and 24 <= photo.day.day <= 26


def is_thanksgiving(photo: Photo) -> bool:
    """Return whether it is the fourth Thursday of November."""
    return photo.day.month == 11 and photo.day.weekday() == 3 and 22 <= photo.day.day <= 28


def is_holi(photo: Photo) -> bool:
    return HOLI.get(photo.day.year) == (photo.day.month, photo.day.day)


def shows(photo: Photo, *names: str) -> bool:
    """Return whether all these people are in the photo."""
    return photo.people.issuperset(names)


def is_near(photo: Photo, city: str, kilometres: float) -> bool:
    """Return whether the photo was taken at most this far from a city of `PLACES`."""
    if photo.latitude is None or photo.longitude is None:
        return False
    latitude, longitude = next(place[3:] for place in PLACES if place[0] == city)
    return measure_distance(photo.latitude, photo.longitude, latitude, longitude) <= kilometres


def measure_distance(latitude_1: float, longitude_1: float, latitude_2: float, longitude_2: float) -> float:
    """Return the great-circle distance in kilometres of two points in degrees (haversine formula)."""
    phi_1, phi_2 = radians(latitude_1), radians(latitude_2)
    chord = sin((phi_2 - phi_1) / 2) ** 2
    chord += cos(phi_1) * cos(phi_2) * sin(radians(longitude_2 - longitude_1) / 2) ** 2
    return 2 * 6371.0 * asin(sqrt(chord))
