"""Share of positions with the right country, with and without borders, compared with the time zones of tzfpy.

    python benchmarks/border_accuracy.py [--positions 20000]

The positions are 8 km and 30 km from random places of GeoNames, in random directions. The country of a
position is that of its time zone, by the table zone.tab of the tz database. Left out are positions at sea and
disputed regions: where time zones of two countries overlap, the zones in `DISPUTED_ZONES`, and `KOSOVO`.
"""

from __future__ import annotations

import argparse
import zoneinfo
from collections import Counter, defaultdict
from importlib.resources import files
from pathlib import Path

import numpy as np
import tzfpy

from imagesearch.geo.borders import make_borders
from imagesearch.geo.geonames import load_places
from imagesearch.geo.offline import OfflineGeocoder, get_offline_geocoder, make_offline_geocoder
from imagesearch.great_circle import EARTH_KM

DISTANCES_KM = (8, 30)
DISPUTED_ZONES = {"Europe/Simferopol", "Africa/El_Aaiun"}  # Crimea, Western Sahara
KOSOVO = (41.8, 43.3, 19.9, 21.9)  # south, north, west, east; the tz database has one zone for it and Serbia
# The north of Vietnam has the zone of Thailand, since their clocks have been equal since 1970.
SHARED_ZONES = {"Asia/Bangkok": {"TH", "VN"}}


def read_zones() -> dict[str, set[str]]:
    """Return the codes of the countries of each time zone."""
    folders = [Path(folder) for folder in zoneinfo.TZPATH]
    table = next((f / "zone.tab" for f in folders if (f / "zone.tab").is_file()), None)
    text = (table or files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8")
    zones: dict[str, set[str]] = defaultdict(set)
    for line in text.splitlines():
        if line and not line.startswith("#"):
            code, _, zone, *_ = line.split("\t")
            zones[zone].add(code)
    return zones | SHARED_ZONES


def move(latitudes: np.ndarray, longitudes: np.ndarray, km: float, bearings: np.ndarray) -> np.ndarray:
    """Return the positions at a distance from others, (2, n) degrees."""
    a, b, angle = np.radians(latitudes), np.radians(longitudes), km / EARTH_KM
    north = np.arcsin(np.sin(a) * np.cos(angle) + np.cos(a) * np.sin(angle) * np.cos(bearings))
    east = np.arctan2(np.sin(bearings) * np.sin(angle) * np.cos(a), np.cos(angle) - np.sin(a) * np.sin(north))
    return np.stack([np.degrees(north), (np.degrees(b + east) + 180) % 360 - 180])


def find_true_countries(latitude: float, longitude: float, zones: dict[str, set[str]]) -> set[str]:
    """Return the possible countries of a position; an empty set if it is left out."""
    names = tzfpy.get_tzs(longitude, latitude)
    countries = [zones.get(name, set()) for name in names]
    south, north, west, east = KOSOVO
    is_kosovo = "Europe/Belgrade" in names and south < latitude < north and west < longitude < east
    if is_kosovo or DISPUTED_ZONES & set(names) or any(other != countries[0] for other in countries):
        return set()
    return countries[0] if countries else set()


def find_codes(geocoder: OfflineGeocoder, latitudes: np.ndarray, longitudes: np.ndarray) -> list[str]:
    """Return the code of the country in each address."""
    codes = {name: code for code, name in geocoder.places.country_names.items()}
    return [codes.get(address.country, "") for address in geocoder.find_addresses(latitudes, longitudes)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--positions", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng, zones, places = np.random.default_rng(args.seed), read_zones(), load_places()
    no_borders = make_borders(np.array([], object), np.array([], "U2"), {})
    geocoders = {
        "nearest place": make_offline_geocoder(places, no_borders),
        "borders": get_offline_geocoder(),
    }
    for km in DISTANCES_KM:
        rows = rng.integers(len(places.cities), size=args.positions)
        bearings = rng.uniform(0, 2 * np.pi, args.positions)
        latitudes, longitudes = move(places.latitudes[rows], places.longitudes[rows], km, bearings)
        pairs = zip(latitudes.tolist(), longitudes.tolist(), strict=True)
        truth = [find_true_countries(*position, zones) for position in pairs]
        used = np.array([bool(countries) for countries in truth])
        print(f"{km} km: {used.sum():,} of {args.positions:,} positions")
        for name, geocoder in geocoders.items():
            found = find_codes(geocoder, latitudes, longitudes)
            wrong = [
                f"{'/'.join(sorted(countries))} as {code or 'no country'}"
                for countries, code in zip(truth, found, strict=True)
                if countries and code not in countries
            ]
            most = ", ".join(f"{pair} {count}" for pair, count in Counter(wrong).most_common(5))
            print(f"  {name}: {100 * (1 - len(wrong) / used.sum()):.2f}% right; wrong: {most}")


if __name__ == "__main__":
    main()
