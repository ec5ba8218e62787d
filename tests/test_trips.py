"""Trips are stretches away from home, found by the times and positions of photos."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from imagesearch.errors import UserError
from imagesearch.trips import TripName, TripPhoto, append_trip_name, find_trips, read_trip_names

PLACES = {
    "Berlin": (52.52, 13.40, "Germany"), "Potsdam": (52.40, 13.06, "Germany"),
    "Leipzig": (51.34, 12.37, "Germany"), "Goa": (15.58, 73.74, "India"), "Hampi": (15.33, 76.46, "India"),
    "Paris": (48.85, 2.35, "France"), "Lyon": (45.76, 4.84, "France"), "Tokyo": (35.69, 139.69, "Japan"),
    "Kyoto": (35.02, 135.75, "Japan"), "Los Angeles": (34.05, -118.24, "United States"),
    "Lima": (-12.05, -77.04, "Peru"), "Suva": (-18.14, 178.44, "Fiji"), "Apia": (-13.83, -171.77, "Samoa"),
    "Sydney": (-33.87, 151.21, "Australia"), "Bangkok": (13.75, 100.5, "Thailand"),
}  # fmt: skip


class Album:
    """Photos that are planned day by day."""

    def __init__(self):
        self.photos = []

    def add(self, place, day, count=3, hour=9, has_gps=True, step=2, camera=""):
        start = datetime.fromisoformat(day) + timedelta(hours=hour)
        latitude, longitude, country = PLACES[place]
        for n in range(count):
            number = len(self.photos)
            where = {"latitude": latitude + 0.001 * n, "longitude": longitude} if has_gps else {}
            places = ((place, "city"), (country, "country")) if has_gps else ()
            taken_at = start + timedelta(hours=step * n)
            reference = (f"{number}.jpg", f"{number:016x}")
            self.photos.append(TripPhoto(number, reference, taken_at, **where, places=places, camera=camera))
        return self

    def stay(self, place, day, days, **options):
        for n in range(days):
            self.add(place, f"{datetime.fromisoformat(day) + timedelta(days=n):%Y-%m-%d}", **options)
        return self

    def live(self, place, first, last, every=9):
        day = datetime.fromisoformat(first)
        while day <= datetime.fromisoformat(last):
            self.add(place, f"{day:%Y-%m-%d}", count=1, hour=18)
            day += timedelta(days=every)
        return self

    def list_names(self, *names):
        return [trip.name for trip in find_trips(self.photos, names)]


@pytest.fixture
def berlin():
    return Album().live("Berlin", "2022-01-01", "2023-12-31")


def test_a_trip_is_a_stretch_away_from_home(berlin):
    berlin.stay("Goa", "2022-08-03", 6).stay("Paris", "2023-03-03", 4)
    assert berlin.list_names() == ["Goa, August 2022", "Paris, March 2023"]


def test_a_long_trip_with_many_photos_is_no_home(berlin):
    berlin.stay("Goa", "2022-08-03", 40, count=20, step=0.1)
    assert berlin.list_names() == ["Goa, August to September 2022"]


def test_a_day_trip(berlin):
    berlin.add("Leipzig", "2023-05-06")
    assert berlin.list_names() == ["Leipzig, May 2023"]
    berlin.add("Potsdam", "2023-06-03")  # 26 km from the centre of Berlin
    assert berlin.list_names() == ["Leipzig, May 2023"]


def test_a_single_photo_with_a_wrong_position_is_no_trip(berlin):
    assert berlin.add("Lima", "2022-05-06", count=1).list_names() == []


def test_a_trip_around_the_world_is_one_trip(berlin):
    stops = ["Bangkok", "Tokyo", "Sydney", "Suva", "Apia", "Los Angeles", "Lima"]
    for n, place in enumerate(stops):
        berlin.stay(place, f"2023-02-{3 + 3 * n:02}", 2)
    (trip,) = find_trips(berlin.photos)
    assert trip.name == "7 countries, February 2023"
    assert len(trip.photos) == 6 * len(stops)


def test_a_flight_over_the_date_line_that_arrives_before_it_departs(berlin):
    berlin.stay("Tokyo", "2023-02-03", 3).add("Tokyo", "2023-02-06", hour=6, count=6)
    berlin.add("Los Angeles", "2023-02-06", hour=11, count=6, step=1)  # local time
    (trip,) = find_trips(berlin.photos)
    assert len(trip.photos) == 21


def test_two_trips_back_to_back_are_divided_by_a_photo_at_home(berlin):
    berlin.stay("Goa", "2022-08-03", 4).add("Berlin", "2022-08-08", hour=20).stay("Lyon", "2022-08-10", 3)
    assert berlin.list_names() == ["Goa, August 2022", "Lyon, August 2022"]


def test_two_trips_back_to_back_without_a_photo_at_home(berlin):
    berlin.stay("Goa", "2022-08-13", 4).stay("Paris", "2022-08-19", 3)  # home is on the way from Goa to Paris
    assert berlin.list_names() == ["Goa, August 2022", "Paris, August 2022"]


def test_photos_at_home_of_another_person_do_not_divide_a_trip(berlin):
    berlin.stay("Goa", "2022-08-03", 6).stay("Berlin", "2022-08-03", 6)
    assert berlin.list_names() == ["Goa, August 2022"]


def test_trips_of_two_people_at_the_same_time(berlin):
    berlin.stay("Tokyo", "2022-08-03", 5).stay("Paris", "2022-08-03", 5)
    assert sorted(berlin.list_names()) == ["Paris, August 2022", "Tokyo, August 2022"]


def test_home_moves():
    album = Album().live("Berlin", "2020-01-01", "2021-06-30").live("Lyon", "2021-07-01", "2022-12-31")
    assert album.list_names() == []
    album.stay("Lyon", "2020-04-03", 3).stay("Berlin", "2022-10-03", 3)
    assert album.list_names() == ["Lyon, April 2020", "Berlin, October 2022"]


def test_photos_of_one_place_have_no_trips():
    assert Album().stay("Goa", "2022-08-03", 6).stay("Goa", "2023-08-03", 6).list_names() == []


def test_an_album_of_travels_without_a_home():
    album = Album().stay("Goa", "2022-08-03", 4).stay("Paris", "2022-08-09", 3).stay("Lyon", "2022-08-12", 3)
    album.stay("Tokyo", "2023-05-01", 3).stay("Kyoto", "2023-05-04", 3)
    assert album.list_names() == ["Goa, August 2022", "France, August 2022", "Japan, May 2023"]


def test_a_short_album_has_a_home_too():
    album = Album().live("Berlin", "2022-05-01", "2022-07-20", every=5).stay("Goa", "2022-06-04", 4)
    assert album.list_names() == ["Goa, June 2022"]


def test_photos_without_a_position_belong_to_the_trip_around_them(berlin):
    berlin.stay("Goa", "2022-08-03", 5)
    inside, edge, later = len(berlin.photos), len(berlin.photos) + 1, len(berlin.photos) + 2
    berlin.add("Goa", "2022-08-05", count=1, hour=23, has_gps=False)
    berlin.add("Goa", "2022-08-07", count=1, hour=23, has_gps=False)
    berlin.add("Goa", "2022-08-12", count=1, has_gps=False)
    (trip,) = find_trips(berlin.photos)
    found = {photo.photo_id for photo in trip.photos}
    assert {inside, edge} <= found
    assert later not in found


def test_a_photo_without_a_position_belongs_to_the_trip_of_its_camera(berlin):
    berlin.stay("Tokyo", "2022-08-03", 5, camera="A").stay("Paris", "2022-08-03", 5, camera="B", hour=10)
    number = len(berlin.photos)
    berlin.add("Paris", "2022-08-05", count=1, hour=9, has_gps=False, camera="B")
    trips = {trip.name: {photo.photo_id for photo in trip.photos} for trip in find_trips(berlin.photos)}
    assert number in trips["Paris, August 2022"]


def test_times_without_positions_and_positions_without_times():
    photos = [TripPhoto(n, (f"{n}.jpg", ""), datetime(2022, 1, 1 + n)) for n in range(9)]
    assert find_trips(photos) == []
    assert find_trips([TripPhoto(1, ("1.jpg", ""), None, 15.0, 73.0)] * 5) == []
    assert find_trips([]) == []


def test_trips_of_one_month_have_their_days_in_the_name(berlin):
    berlin.stay("Leipzig", "2023-05-06", 1).stay("Lyon", "2023-05-20", 2).stay("Lyon", "2023-05-10", 1)
    assert berlin.list_names() == ["Leipzig, May 2023", "Lyon, 10 May 2023", "Lyon, 20 to 21 May 2023"]


def test_a_name_follows_the_photos_of_a_trip(berlin):
    berlin.stay("Goa", "2022-08-03", 4)
    (trip,) = find_trips(berlin.photos)
    name = TripName("Ana's wedding", tuple(photo.reference for photo in trip.photos))
    berlin.stay("Paris", "2022-03-03", 3).add("Goa", "2022-08-07")  # an earlier trip, and one day more
    names = [(trip.name, len(trip.photos)) for trip in find_trips(berlin.photos, [name])]
    assert names == [("Paris, March 2022", 9), ("Ana's wedding", 15)]
    assert berlin.list_names(name, TripName("", name.photos)) == ["Paris, March 2022", "Goa, August 2022"]


def test_two_trips_with_one_name_are_one_trip(berlin):
    berlin.stay("Goa", "2022-08-03", 2).stay("Goa", "2022-08-20", 2)
    both = [
        TripName("Goa summer", tuple(p.reference for p in trip.photos)) for trip in find_trips(berlin.photos)
    ]
    assert [(trip.name, len(trip.photos)) for trip in find_trips(berlin.photos, both)] == [("Goa summer", 12)]


def test_a_named_trip_is_kept_if_its_photos_are_no_trip_any_more():
    album = Album().live("Berlin", "2022-01-01", "2022-12-31").stay("Leipzig", "2022-05-06", 2)
    (trip,) = find_trips(album.photos)
    name = TripName("Class reunion", tuple(photo.reference for photo in trip.photos))
    album.live("Leipzig", "2022-01-02", "2022-12-31")
    assert album.list_names() == []
    assert album.list_names(name) == ["Class reunion"]


def test_names_are_kept_in_a_file(tmp_path):
    assert read_trip_names(tmp_path) == []
    append_trip_name(tmp_path, "Ana's wedding", (("goa/1.jpg", "00ff"),))
    with (tmp_path / "trips.jsonl").open("a") as stream:
        stream.write('{"name": "Cut o')  # left by a killed run
    append_trip_name(tmp_path, "Übung", (("2.jpg", "01"),))
    assert [(n.name, n.photos) for n in read_trip_names(tmp_path)] == [
        ("Ana's wedding", (("goa/1.jpg", "00ff"),)), ("Übung", (("2.jpg", "01"),))
    ]  # fmt: skip
    (tmp_path / "trips.jsonl").write_text('{"name": 3}\n{}\n')
    with pytest.raises(UserError, match=r"trips.jsonl: line 1 cannot be read"):
        read_trip_names(tmp_path)


def test_many_photos_are_grouped_in_a_second():
    rng = np.random.default_rng(0)
    album = Album().live("Berlin", "2000-01-01", "2020-01-01", every=1)
    for year in range(2000, 2020):
        place = str(rng.choice(["Goa", "Paris", "Tokyo", "Lima"]))
        album.stay(place, f"{year}-08-03", 9, count=20, step=0.3)
    assert len(find_trips(album.photos)) == 20
