"""Borders: each position is in its country, and its city is in the same country."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from imagesearch.errors import UserError
from imagesearch.geo import borders, convert_borders
from imagesearch.geo.address import NO_ADDRESS, Address
from imagesearch.geo.borders import load_borders
from imagesearch.geo.geonames import load_places
from imagesearch.geo.offline import get_offline_geocoder
from imagesearch.text import normalize


def at(latitude: float, longitude: float) -> Address:
    (address,) = get_offline_geocoder().find_addresses(np.array([latitude]), np.array([longitude]))
    return address


def list_countries(address: Address) -> set[str]:
    return {normalize(name) for name, kind in address.places if kind == "country"}


BORDERS = {
    "a valley in Sikkim": (27.8886, 88.7032, "Mangan", "India"),
    "Rio de Onor": (41.867, -6.591, "Bragança", "Portugal"),
    "Waldmünchen": (49.412, 12.71, "Waldmünchen", "Germany"),
    "Dobrudja": (43.978, 27.919, "Krushari", "Bulgaria"),
    "Niagara Falls, left bank": (43.0896, -79.0849, "Niagara Falls", "Canada"),
    "Niagara Falls, right bank": (43.0830, -79.0680, "Niagara Falls", "United States"),
    "Tijuana": (32.5330, -117.0200, "Tijuana", "Mexico"),
    "San Ysidro": (32.5505, -117.0450, "Imperial Beach", "United States"),
    "Iguazú": (-25.6953, -54.4367, "Puerto Iguazú", "Argentina"),
    "Khumbu": (27.9600, 86.9300, "Lobuche", "Nepal"),
}
ENCLAVES = {
    "Maseru": (-29.3100, 27.4800, "Maseru", "Lesotho"),
    "the Vatican's gardens": (41.9035, 12.4500, "Vatican City", "Holy See (Vatican City State)"),
    "Trastevere": (41.8890, 12.4700, "Rome", "Italy"),
    "San Marino": (43.9360, 12.4470, "San Marino", "San Marino"),
    "Monaco": (43.7384, 7.4246, "Monte-Carlo", "Monaco"),
    "Baarle-Hertog": (51.4370, 4.9330, "Baarle-Hertog", "Belgium"),
    "Baarle-Hertog, a part to the north": (51.4479, 4.9403, "", "Belgium"),
    "Baarle-Nassau": (51.4475, 4.9292, "Baarle-Nassau", "Netherlands"),
    "Büsingen": (47.6967, 8.6900, "Büsingen", "Germany"),
    "Schaffhausen": (47.6965, 8.6340, "Schaffhausen", "Switzerland"),
    "Campione": (45.9700, 8.9715, "Campione", "Italy"),
    "Lugano": (46.0040, 8.9510, "Lugano", "Switzerland"),
    "Llívia": (42.4640, 1.9810, "Llívia", "Spain"),
    "Ceuta": (35.8894, -5.3213, "Ceuta", "Spain"),
    "Melilla": (35.2923, -2.9381, "Melilla", "Spain"),
    "Kaliningrad": (54.7104, 20.4522, "Kaliningrad", "Russian Federation"),
    "Nakhchivan": (39.2090, 45.4122, "Nax\u00e7\u0131van", "Azerbaijan"),
    "Cabinda": (-5.5500, 12.2000, "Cabinda", "Angola"),
    "Madha, in the Emirates": (25.2820, 56.3160, "", "Oman"),
    "Nahwa, in Madha": (25.2694, 56.2801, "", "United Arab Emirates"),
}
ISLANDS_AND_SHIPS = {
    "Gran Canaria": (28.1000, -15.4200, "Las Palmas de Gran Canaria", "Spain"),
    "the Azores": (37.7400, -25.6700, "Ponta Delgada", "Portugal"),
    "the Galápagos": (-0.7400, -90.3100, "Puerto Ayora", "Ecuador"),
    "Easter Island": (-27.1500, -109.4300, "Hanga Roa", "Chile"),
    "Little Diomede": (65.7567, -168.9200, "", "United States"),
    "Big Diomede, two miles away": (65.7800, -169.0600, "", "Russian Federation"),
    "a ship in the Channel": (50.9800, 1.5000, "", "France"),
    "a ship in the Sound": (55.9000, 12.6800, "", "Sweden"),
    "a ship 8 miles off Lisbon": (38.7000, -9.6600, "", "Portugal"),
    "a ship 11 miles off Mumbai": (18.9500, 72.6200, "Mumbai", "India"),
    "a ship 9 miles off Sydney": (-33.8600, 151.4600, "Sydney", "Australia"),
    "a ship 11 miles off Sicily": (36.5400, 14.8900, "", "Italy"),
    "Lake Constance": (47.6000, 9.4000, "", "Germany"),
}
DATE_LINE_AND_POLES = {
    "Taveuni": (-16.8500, 179.9900, "", "Fiji"),
    "Taveuni, east of the line": (-16.8500, -179.9900, "", "Fiji"),
    "on the line": (-16.8500, 180.0000, "", "Fiji"),
    "on the line, from the west": (-16.8500, -180.0000, "", "Fiji"),
    "Anadyr": (64.7340, 177.5150, "Anadyr", "Russian Federation"),
    "Chukotka, east of the line": (66.0000, -171.5000, "", "Russian Federation"),
    "Wrangel Island": (71.0000, 180.0000, "", "Russian Federation"),
    "Attu, west of the line": (52.9000, 172.9000, "", "United States"),
    "the South Pole": (-90.0000, 0.0000, "", "Antarctica"),
    "Antarctica's peninsula": (-64.8300, -63.5000, "", "Antarctica"),
    "the Greenland ice": (72.6000, -38.5000, "", "Greenland"),
    "the Outback": (-25.0000, 125.0000, "", "Australia"),
}
POSITIONS = BORDERS | ENCLAVES | ISLANDS_AND_SHIPS | DATE_LINE_AND_POLES


@pytest.mark.parametrize("name", POSITIONS)
def test_a_position_is_in_its_country_and_so_is_its_city(name: str) -> None:
    latitude, longitude, city, country = POSITIONS[name]
    address = at(latitude, longitude)
    assert address.country == country and address.address.endswith(country)
    if city:
        assert city in {name for name, _ in address.places}


def test_the_high_seas_and_the_north_pole_are_in_no_country() -> None:
    for position in ((30.0, -45.0), (0.0, -140.0), (56.5, 3.0), (90.0, 0.0), (89.9, -180.0)):
        assert at(*position) == NO_ADDRESS


def test_a_ship_beyond_all_borders_has_the_nearest_place_within_100_km() -> None:
    position = (36.3, -8.2)  # 75 km off the Algarve
    assert load_borders().find_countries(*np.array(position)[:, None]) == [""]
    assert at(*position).address == "Faro, Portugal"


TERRITORIES = {
    "Réunion": (-20.8800, 55.4500, "France"),
    "Hong Kong": (22.2850, 114.1580, "China"),
    "Macao": (22.1970, 113.5400, "China"),
    "Greenland": (64.1800, -51.7200, "Denmark"),
    "Faroe Islands": (62.0100, -6.7700, "Denmark"),
    "Puerto Rico": (18.4660, -66.1050, "USA"),
    "Svalbard and Jan Mayen": (78.9000, 14.0000, "Norway"),
    "Åland Islands": (60.0970, 19.9350, "Finland"),
    "Gibraltar": (36.1408, -5.3536, "UK"),
    "Guernsey": (49.4300, -2.3600, "United Kingdom"),
    "Saint Helena": (-37.0700, -12.3100, "United Kingdom"),
    "British Indian Ocean Territory": (-7.3100, 72.4100, "United Kingdom"),
    "Bonaire, Saint Eustatius and Saba": (12.1500, -68.2700, "Netherlands"),
    "Curaçao": (12.1100, -68.9300, "Holland"),
    "Saint Martin": (18.0700, -63.0800, "France"),
    "Sint Maarten": (18.0300, -63.0500, "Netherlands"),
    "French Southern Territories": (-49.3500, 70.2200, "France"),
}


@pytest.mark.parametrize("name", TERRITORIES)
def test_a_territory_has_its_own_name_and_is_found_by_its_state(name: str) -> None:
    latitude, longitude, state = TERRITORIES[name]
    address = at(latitude, longitude)
    assert address.country == name and normalize(name) in {normalize(place) for place, _ in address.places}
    assert normalize(state) in list_countries(address)
    assert state not in address.address


def test_a_country_is_not_found_by_the_name_of_another() -> None:
    assert list_countries(at(48.8584, 2.2945)) == {"france"}
    assert list_countries(at(25.0300, 121.5600)) <= {"taiwan"}


DISPUTED = {
    "Crimea": (44.9500, 34.1000, "Simferopol", "Russian Federation"),
    "Laayoune": (27.1500, -13.2000, "Laayoune", "Morocco"),
    "the Golan": (33.2000, 35.7700, "Mas\u2018adah", "Israel"),
    "Ramallah": (31.9000, 35.2000, "Ramallah", "Palestinian Territory"),
    "Pristina": (42.6600, 21.1650, "Pristina", "Kosovo"),
    "Kyrenia": (35.3382, 33.3190, "Kyrenia", "Cyprus"),  # no country in the source: the nearest place's
}


@pytest.mark.parametrize("name", DISPUTED)
def test_a_disputed_region_follows_the_source_and_keeps_its_places(name: str) -> None:
    latitude, longitude, city, country = DISPUTED[name]
    address = at(latitude, longitude)
    assert (address.city, address.country) == (city, country)


# --- the file of the borders -------------------------------------------------------------------------------


def test_every_code_has_a_name() -> None:
    known = load_borders()
    names = load_places().country_names
    assert set(known.codes.tolist()) | set(known.parents.values()) <= set(names)
    assert set(known.parents) <= set(known.codes.tolist()) and not set(known.parents) & {"FR", "CN", "US"}
    assert not {"FX", "IC", "EA", "AC", "TA", "DG", "CQ", "CP"} & set(known.codes.tolist())


def test_a_large_batch_has_the_same_countries_as_single_positions() -> None:
    rng = np.random.default_rng(0)
    latitudes, longitudes = rng.uniform(-90, 90, 2000), rng.uniform(-180, 180, 2000)
    together = load_borders().find_countries(latitudes, longitudes)
    alone = [
        load_borders().find_countries(latitudes[[i]], longitudes[[i]])[0] for i in range(0, len(together), 20)
    ]
    assert together[::20].tolist() == alone and 0.3 < np.mean(together != "") < 0.8


def square(west: float, south: float, size: float) -> list[list[float]]:
    corners = ((0, 0), (size, 0), (size, size), (0, size), (0, 0))
    return [[west + x, south + y] for x, y in corners]


def make_source(file: Path) -> Path:
    """Write a source with a state, a part, a territory in a hole, a reserved code and a region of nobody."""

    def feature(geometry: list | None, **properties: object) -> dict:
        shape = geometry and {"type": "MultiPolygon", "coordinates": geometry}
        return {"properties": properties, "geometry": shape}

    features = [
        feature(None, iso1A2="FR", nameEn="France"),
        feature(None, iso1A2="TF", nameEn="Southern Territories", country="FR"),
        feature([[square(0, 0, 4), square(1, 1, 1)]], iso1A2="FX", isoStatus="excRes", country="FR"),
        feature([[square(1, 1, 1)]], iso1A2="RE", country="FR"),
        feature([[square(10, 0, 0.5)]], country="FR", groups=["EU", "TF"]),
        feature([[square(20, 0, 1)], [square(20.5, 0.5, 2)]], iso1A2="IT"),
        feature([[square(20.2, 0.2, 0.5)]], iso1A2="VA"),
        feature([[square(30, 0, 1)]], nameEn="nobody's"),
    ]
    file.write_text(json.dumps({"features": features}), "utf-8")
    return file


def test_the_conversion_maps_codes_to_countries_and_territories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "borders.npz"
    summary = convert_borders(make_source(tmp_path / "borders.json"), target)
    assert summary == f"{target}: 5 countries and territories, 6 polygons, 35 points"
    monkeypatch.setattr(borders, "files", lambda package: tmp_path)
    known = load_borders.__wrapped__()
    longitudes = np.array([0.5, 1.5, 10.2, 20.1, 20.3, 22.0, 30.5])
    latitudes = np.array([0.5, 1.5, 0.2, 0.1, 0.3, 2.0, 0.5])
    assert known.find_countries(latitudes, longitudes).tolist() == ["FR", "RE", "TF", "IT", "VA", "IT", ""]
    assert known.parents == {"RE": "FR", "TF": "FR"}


def test_a_source_or_a_file_of_another_kind_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.json").write_text('{"features": [{}]}')
    for name in ("missing.json", "other.json"):
        with pytest.raises(UserError, match=f"{name}: expected borders.json of country-coder"):
            convert_borders(tmp_path / name, tmp_path / "borders.npz")
    assert not (tmp_path / "borders.npz").exists()
    monkeypatch.setattr(borders, "files", lambda package: tmp_path)
    for damage in (None, b"", b"no archive"):
        if damage is not None:
            (tmp_path / "borders.npz").write_bytes(damage)
        with pytest.raises(
            UserError, match=r"borders\.npz: cannot be read \(.*\); install imagesearch again"
        ):
            load_borders.__wrapped__()


def test_the_license_is_beside_the_borders_and_both_are_installed() -> None:
    folder = ROOT / "src/imagesearch/geo"
    text = (folder / "borders.LICENSE.txt").read_text("utf-8")
    assert "ISC License" in text and "OpenStreetMap contributors" in text and "Open Database License" in text
    pyproject = (ROOT / "pyproject.toml").read_text("utf-8")
    assert "geo/borders.npz" in pyproject and "geo/borders.LICENSE.txt" in pyproject
