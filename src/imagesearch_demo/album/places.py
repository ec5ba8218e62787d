"""The places of the album: real coordinates with address and local time, and the scenes drawn there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A real place.

    Attributes
    ----------
    name : str
        Common name.
    city, state, country : str
        Address of the coordinates in GeoNames, as the `reverse_geocode` package returns it.
    latitude, longitude : float
        Degrees, WGS84. Photos are scattered around them by some hundred metres.
    utc : str
        UTC offset of the local time, without daylight saving time.
    scenes : tuple of str
        Scenes drawn there; a scene that is listed several times is drawn more often.
    """

    name: str
    city: str
    state: str
    country: str
    latitude: float
    longitude: float
    utc: str
    scenes: tuple[str, ...]


PLACES: tuple[Place, ...] = (
    Place("Goa", "Anjuna", "Goa", "India", 15.5790, 73.7440, "+05:30", ("beach", "beach", "beach", "party")),
    Place("Paris", "Paris", "Île-de-France", "France", 48.8534, 2.3488, "+01:00",
          ("street", "city", "party")),
    Place("Zermatt", "Zermatt", "Valais", "Switzerland", 46.0200, 7.7486, "+01:00", ("mountains", "snow")),
    Place("Tokyo", "Tokyo", "Tokyo", "Japan", 35.6895, 139.6917, "+09:00", ("city", "street", "party")),
    Place("New York", "New York City", "New York", "United States", 40.7143, -74.0060, "-05:00",
          ("city", "street", "party")),
    Place("Merzouga", "Moulay Ali Cherif", "Drâa-Tafilalet", "Morocco", 31.0802, -3.9760, "+01:00",
          ("desert",)),
    Place("Reykjavík", "Reykjavík", "Capital Region", "Iceland", 64.1355, -21.8954, "+00:00",
          ("harbour", "snow")),
    Place("Sydney", "Bondi Beach", "New South Wales", "Australia", -33.8908, 151.2785, "+10:00",
          ("beach", "harbour", "city")),
    Place("Nairobi", "Nairobi", "Nairobi County", "Kenya", -1.2833, 36.8167, "+03:00",
          ("savanna", "savanna", "city")),
    Place("Rio", "Rio de Janeiro", "Rio de Janeiro", "Brazil", -22.9064, -43.1822, "-03:00",
          ("beach", "city", "party")),
    Place("Bellagio", "Bellagio", "Lombardy", "Italy", 45.9877, 9.2618, "+01:00",
          ("lake", "harbour", "street")),
    Place("Banff", "Banff", "Alberta", "Canada", 51.1764, -115.5708, "-07:00",
          ("lake", "forest", "mountains")),
    Place("Bergen", "Bergen", "Vestland", "Norway", 60.3930, 5.3242, "+01:00", ("harbour", "forest")),
    Place("Interlaken", "Interlaken", "Bern", "Switzerland", 46.6839, 7.8664, "+01:00",
          ("meadow", "lake", "mountains")),
    Place("Rovaniemi", "Rovaniemi", "Lapland", "Finland", 66.5000, 25.7167, "+02:00", ("snow", "forest")),
    Place("Kyoto", "Kyoto", "Kyoto", "Japan", 35.0211, 135.7538, "+09:00", ("street", "forest", "party")),
    Place("Maun", "Maun", "North-West", "Botswana", -19.9833, 23.4167, "+02:00", ("savanna",)),
    Place("Killarney", "Killarney", "Munster", "Ireland", 52.0588, -9.5072, "+00:00",
          ("meadow", "forest", "lake")),
    Place("Queenstown", "Queenstown", "Otago", "New Zealand", -45.0302, 168.6627, "+12:00",
          ("lake", "meadow", "mountains")),
)  # fmt: skip
