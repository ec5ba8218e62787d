"""Trips with real photos and scripts: found by 05, named by 03, searched by 06, drawn in the timeline."""

import json
from datetime import datetime, timedelta

import numpy as np
import pytest
from PIL import Image

from imagesearch.figures.timeline import draw_timeline
from imagesearch.figures.trip_bands import TripBand

BERLIN, GOA = (52.52, 13.40), (15.58, 73.74)


def make_exif(time, position=None):
    exif = Image.Exif()
    exif[0x0110] = "Phone"
    exif.get_ifd(0x8769)[0x9003] = f"{time:%Y:%m:%d %H:%M:%S}"
    if position:
        values = [(abs(angle) // 1, abs(angle) % 1 * 60, 0.0) for angle in position]
        exif.get_ifd(0x8825).update({1: "N", 2: values[0], 3: "E", 4: values[1]})
    return exif


@pytest.fixture(scope="module")
def travels(tmp_path_factory, tiny_models):
    """Photos at home in Berlin, six days in Goa, one of them without a position, and a screenshot later."""
    from conftest import World

    world = World(tmp_path_factory.mktemp("travels"), tiny_models)
    start = datetime(2022, 1, 1, 18)
    for n in range(24):
        world.add(f"home/IMG_{n:04}.jpg", n, exif=make_exif(start + timedelta(days=15 * n), BERLIN))
    for n in range(12):
        time = datetime(2022, 5, 3, 9) + timedelta(hours=12 * n)
        world.add(f"goa/IMG_{100 + n}.jpg", 100 + n, exif=make_exif(time, None if n == 5 else GOA))
    for script in ("01_extract_features", "04_extract_geo", "05_build_collections"):
        world.run(f"{script}.py")
    return world


def search(world, *args):
    answer = json.loads(world.run("06_search.py", *args, "-k", "50", "--json").stdout)
    return answer, sorted(result["path"] for result in answer["results"])


def list_trips(world):
    return json.loads(world.run("05_build_collections.py", "--trips", "--json").stdout)["trips"]


def test_trips_are_listed(travels):
    (trip,) = list_trips(travels)
    assert (trip["number"], trip["photos"], trip["named"]) == (1, 12, False)
    assert (trip["first"], trip["last"]) == ("2022-05-03T09:00:00", "2022-05-08T21:00:00")
    assert trip["name"].endswith(", May 2022")
    lines = travels.run("05_build_collections.py", "--trips").stdout.splitlines()
    assert lines[0].split() == ["number", "first", "day", "last", "day", "photos", "name", "places", "people"]
    assert lines[1].split()[:4] == ["1", "2022-05-03", "2022-05-08", "12"]


def test_trips_are_searched_by_sentences_and_options(travels):
    answer, paths = search(travels, "the goa trip")
    assert paths == [f"goa/IMG_{100 + n}.jpg" for n in range(12)]
    assert {result["trip"] for result in answer["results"]} == set(answer["trips"])
    by_time = [result["path"] for result in answer["results"] if result["trip_by"] == "time"]
    assert by_time == ["goa/IMG_105.jpg"]
    assert search(travels, "--trip", "goa")[1] == search(travels, "--trip", "1")[1] == paths
    assert search(travels, "our last trip")[1] == paths
    assert search(travels, "the first day of the goa trip")[1] == paths[:2]
    assert search(travels, "the last evening of the trip to india")[1] == paths[-1:]
    assert search(travels, "same day as IMG_103.jpg")[1] == paths[2:4]
    assert search(travels, "same trip as IMG_103")[1] == paths
    done = travels.run("06_search.py", "same trip as IMG_0003", code=2)
    assert '"same trip as IMG_0003" was not understood; IMG_0003 belongs to no trip' in done.stderr
    done = travels.run("06_search.py", "the goa trip", "-k", "50", "-v", "--no-show")
    assert done.stdout.count("no position; by its time, on the trip") == 1


def test_a_trip_that_was_not_made(travels):
    answer, _ = search(travels, "our trip to berlin")
    assert answer["places"]["any_of"] == [["berlin"]]
    assert 'no trip to "berlin" was found' in answer["notes"]
    answer, paths = search(travels, "--trip", "berlin")
    assert paths == []
    assert any("no trip is called 'berlin'" in note for note in answer["notes"])


def test_a_name_is_kept_and_follows_the_trip(travels):
    done = travels.run("03_name_people.py", "--trip", "1=Ana's wedding")
    assert "named Ana's wedding" in done.stderr
    assert "Ana's wedding" in done.stdout
    (trip,) = list_trips(travels)
    assert (trip["name"], trip["named"]) == ("Ana's wedding", True)
    assert len(search(travels, "the day before the wedding")[1]) <= 50
    assert len(search(travels, "the wedding")[1]) == 12
    time = datetime(2022, 5, 9, 9)
    travels.add("goa/IMG_0200.jpg", 200, exif=make_exif(time, GOA))
    trip_before = [make_exif(datetime(2022, 3, 20, hour), (48.85, 2.35)) for hour in (9, 12, 15)]
    for n, exif in enumerate(trip_before):
        travels.add(f"paris/IMG_030{n}.jpg", 300 + n, exif=exif)
    for script in ("01_extract_features", "04_extract_geo", "05_build_collections"):
        travels.run(f"{script}.py")
    assert [(trip["name"], trip["photos"]) for trip in list_trips(travels)][1] == ("Ana's wedding", 13)
    done = travels.run("03_name_people.py", "--trip", "ana's wedding=", "--no-build")
    assert "name removed" in done.stderr
    answer, _ = search(travels, "the wedding")
    assert any("names have changed" in note for note in answer["notes"])
    travels.run("05_build_collections.py")
    assert not list_trips(travels)[1]["named"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("9=Ana", "no trip has this number"),
        ("Mars=Ana", "no trip has this name"),
        ("Ana", 'expected TRIP=NAME, such as 7="Ana\'s wedding"'),
        ("1=2020", "a number selects a trip; expected a name with letters"),
        (f"1={'a' * 101}", "expected a name of up to 100 characters"),
    ],
)
def test_names_that_cannot_be_used(travels, value, message):
    assert message in travels.run("03_name_people.py", "--trip", value, code=2).stderr


def test_photos_without_positions_have_no_trips(world):
    world.add("a.jpg", 1, exif=make_exif(datetime(2022, 1, 1)))
    world.add("b.jpg", 2)
    for script in ("01_extract_features", "04_extract_geo"):
        world.run(f"{script}.py")
    assert "run 05_build_collections.py" in world.run("05_build_collections.py", "--trips", code=2).stderr
    world.run("05_build_collections.py")
    assert world.run("05_build_collections.py", "--trips").stdout.startswith("no trips")
    assert "no trips" in world.run("06_search.py", "--trip", "goa", "--no-show").stderr


# --- the figure --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("years", [1, 5, 30])
def test_the_names_of_trips_do_not_meet(years):
    rng = np.random.default_rng(years)
    first = datetime(2000, 1, 1)
    starts = sorted(first + timedelta(days=int(day)) for day in rng.integers(0, 365 * years, 60))
    names = [f"{'Very long name of a place ' * (n % 3 == 0)}Trip {n}, May 2020" for n in range(60)]
    trips = [
        TripBand(name, n == 31, start, start + timedelta(days=5), n)
        for n, (name, start) in enumerate(zip(names, starts, strict=True))
    ]
    figure = draw_timeline(starts, [[]] * 60, "album", (), trips)
    figure.draw_without_rendering()
    (axis, *_) = figure.axes
    texts = [text for text in axis.texts if text.get_text() not in ("", "|")]
    assert any("Trip 31" in text.get_text() for text in texts)  # the user's name comes first
    assert 5 < len(texts) < 60
    boxes = [text.get_window_extent() for text in texts]
    title = axis.title.get_window_extent()
    for n, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[n + 1 :])
        assert not box.overlaps(title)
        assert 0 <= box.x0 < box.x1 <= figure.bbox.width
