"""Trips in sentences: which photos a sentence finds in an album with trips."""

from datetime import date, datetime, timedelta

import pytest

from imagesearch.filters import is_fulfilled
from imagesearch.query import Criteria, PhotoMoment, SentenceParser
from imagesearch.store import Vocabulary, VocabularyEntry, VocabularyTrip

TODAY = date(2024, 6, 1)
EPOCH = datetime(1970, 1, 1)
PLACES = {"goa": "state", "anjuna": "city", "india": "country", "japan": "country", "tokyo": "city",
          "paris": "city", "france": "country", "berlin": "city", "germany": "country"}  # fmt: skip


def make_trip(name, first, last, places, is_named=False):
    times = [(datetime.fromisoformat(time) - EPOCH) // timedelta(seconds=1) for time in (first, last)]
    return VocabularyTrip(name, 10, *times, dict.fromkeys(places, 9), is_named=is_named)


GOA_1 = make_trip("Goa, August 2020", "2020-08-03T10:00", "2020-08-07T11:30", ("goa", "anjuna", "india"))
WEDDING = make_trip("Ana's wedding", "2022-05-06T09:00", "2022-05-08T23:00", ("paris", "france"), True)
JAPAN = make_trip("Tokyo, March 2023", "2023-03-10T08:00", "2023-04-20T20:00", ("japan", "tokyo"))
GOA_2 = make_trip("Goa, May 2024", "2024-05-03T10:00", "2024-05-06T20:00", ("goa", "india"))
TRIPS = (GOA_1, WEDDING, JAPAN, GOA_2)
ENTRIES = {key: VocabularyEntry(key.title(), 20, kind, 48.0, 2.0) for key, kind in PLACES.items()}
WITHIN = {"anjuna": ("goa", "india"), "goa": ("india",), "tokyo": ("japan",), "paris": ("france",)}
PEOPLE = {"maya": VocabularyEntry("Maya", 9), "kim": VocabularyEntry("Kim", 9)}


def make_row(taken_at, trip, people):
    time = datetime.fromisoformat(taken_at)
    return {
        "has_time": True, "taken_at": (time - EPOCH) // timedelta(seconds=1), "trip": trip, "face_count": 1,
        "year": time.year, "month": time.month, "day": time.day, "hour": time.hour, "weekday": time.weekday(),
        "face_labels": people, "place_words": [], "latitude": 0.0, "longitude": 0.0, "has_gps": False,
        "file_name": "", "name_words": [],
    }  # fmt: skip


def list_rows():
    """Return three photos of each day around the trips, at 9, 19 and 23 o'clock, with and without a trip."""
    for trip in TRIPS:
        first, last = (EPOCH + timedelta(seconds=time) for time in (trip.first, trip.last))
        day = first.date() - timedelta(days=2)
        while day <= last.date() + timedelta(days=2):
            for hour in (9, 19, 23):
                time = datetime(day.year, day.month, day.day, hour)
                is_on_trip = first <= time <= last
                people = ["Maya"] if hour == 19 else []
                yield make_row(time.isoformat(), trip.name if is_on_trip else "", people)
                if is_on_trip:  # another person was at home
                    yield make_row(time.isoformat(), "", people)
            day += timedelta(days=1)


ROWS = list(list_rows())


def parse(sentence, trips=TRIPS, **options):
    vocabulary = Vocabulary(people=PEOPLE, places=ENTRIES, within=WITHIN, trips=trips)
    return SentenceParser(vocabulary).parse(sentence, TODAY, **options)


def find(sentence, **options):
    """Return the days, hours and trips of the photos that pass the filter of a sentence."""
    parsed = parse(sentence, **options)
    assert not parsed.not_understood, parsed.not_understood
    rows = [row for row in ROWS if is_fulfilled(parsed.condition, row)]
    return {
        (f"{EPOCH + timedelta(seconds=row['taken_at']):%Y-%m-%d %H}", row["trip"]) for row in rows
    }, parsed


def on_trip(*trips, days=(), hours=()):
    found = {(f"{EPOCH + timedelta(seconds=row['taken_at']):%Y-%m-%d %H}", row["trip"]) for row in ROWS}
    names = {trip.name for trip in trips}
    return {
        (time, trip)
        for time, trip in found
        if trip in names and (not days or time[:10] in days) and (not hours or int(time[-2:]) in hours)
    }


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("the goa trip", on_trip(GOA_1, GOA_2)),
        ("Goa trip", on_trip(GOA_1, GOA_2)),
        ("photos of our trip to goa", on_trip(GOA_1, GOA_2)),
        ("the goa trip in 2020", on_trip(GOA_1)),
        ("the 2020 goa trip", on_trip(GOA_1)),
        ("goa trip 2024", on_trip(GOA_2)),
        ("the 2019 goa trip", set()),
        ("the trip to anjuna, goa", on_trip(GOA_1)),
        ("the last goa trip", on_trip(GOA_2)),
        ("our first trip to goa", on_trip(GOA_1)),
        ("the second trip to goa", on_trip(GOA_2)),
        ("the trip to japan", on_trip(JAPAN)),
        ("our holiday in tokyo", on_trip(JAPAN)),
        ("our last trip", on_trip(GOA_2)),
        ("my most recent trip", on_trip(GOA_2)),
        ("the last two trips", on_trip(JAPAN, GOA_2)),
        ("trips in 2020", on_trip(GOA_1)),
        ("photos from trips", on_trip(*TRIPS)),
        ("maya on the goa trip", on_trip(GOA_1, GOA_2, hours=(19,))),
        ("maya's trip to japan", on_trip(JAPAN, hours=(19,))),
        ("maya on a trip", on_trip(*TRIPS, hours=(19,))),
        ("Ana's wedding", on_trip(WEDDING)),
        ("anas wedding", on_trip(WEDDING)),
        ("the wedding", on_trip(WEDDING)),
        ("photos of the wedding", on_trip(WEDDING)),
        ("maya at ana’s wedding", on_trip(WEDDING, hours=(19,))),  # noqa: RUF001 - as phones type it
        ("the paris trip", on_trip(WEDDING)),
        ("the first day of the trip to japan", on_trip(JAPAN, days=("2023-03-10",))),
        ("on the last day of the japan trip", on_trip(JAPAN, days=("2023-04-20",))),
        ("the second day of the goa trip in 2020", on_trip(GOA_1, days=("2020-08-04",))),
        ("day 2 of the wedding", on_trip(WEDDING, days=("2022-05-07",))),
        ("the first two days of the japan trip", on_trip(JAPAN, days=("2023-03-10", "2023-03-11"))),
        ("the last evening of the wedding", on_trip(WEDDING, days=("2022-05-08",), hours=(19,))),
        ("the last evening of the goa trip in 2020", on_trip(GOA_1, days=("2020-08-06",), hours=(19,))),
        ("the first morning of the goa trip in 2024", on_trip(GOA_2, days=("2024-05-03",), hours=(9,))),
        ("evenings on the goa trip", on_trip(GOA_1, GOA_2, hours=(19,))),
        ("in the evening on the goa trip", on_trip(GOA_1, GOA_2, hours=(19,))),
        ("the end of the goa trip in 2020", on_trip(GOA_1, days=("2020-08-06", "2020-08-07"))),
    ],
)  # fmt: skip
def test_sentences_with_trips(sentence, expected):
    found, parsed = find(sentence)
    assert found == expected
    assert not parsed.caption
    assert not [note for note in parsed.notes if "trips:" not in note]


@pytest.mark.parametrize(
    ("sentence", "days"),
    [
        ("the day before the wedding", {"2022-05-05"}),
        ("the day after the trip to japan", {"2023-04-21"}),
        ("the day before the goa trip", {"2020-08-02", "2024-05-02"}),
        ("2 days after the wedding", {"2022-05-10"}),
        ("after the last goa trip", {"2024-05-07", "2024-05-08"}),
    ],
)
def test_days_counted_from_a_trip(sentence, days):
    found, _ = find(sentence)
    assert {time[:10] for time, _ in found} == days


@pytest.mark.parametrize(
    ("sentence", "caption"),
    [
        ("a boat trip", "a boat trip"),
        ("a road trip", "a road trip"),
        ("the wedding cake", "the wedding cake"),
        ("a wedding", "a wedding"),
        ("a beach on the goa trip", "a beach"),
        ("sunset on our last trip", "sunset"),
        ("a dog at ana's wedding", "a dog"),
    ],
)
def test_content_is_kept(sentence, caption):
    assert parse(sentence).caption == caption


def test_a_phrase_for_several_trips_has_a_note():
    assert parse("the goa trip").notes == ('"goa trip" is 2 trips: Goa, August 2020; Goa, May 2024',)
    assert parse("all goa trips").notes == ()


def test_the_trips_are_in_the_summary_and_in_json():
    parsed = parse("maya on the first day of the japan trip")
    assert parsed.summary == "Maya · first day of the japan trip (2023-03-10)"
    assert parsed.to_dict()["trips"] == ["Tokyo, March 2023"]
    assert parse("the wedding").summary == "wedding (Ana's wedding: 2022-05-06 to 2022-05-08)"


@pytest.mark.parametrize("sentence", ["the berlin trip", "our trip to berlin", "maya on the berlin trip"])
def test_a_trip_that_does_not_exist_is_searched_as_a_place(sentence):
    parsed = parse(sentence)
    assert parsed.places == (("berlin",),)
    assert parsed.notes == ('no trip to "berlin" was found',)
    assert not parsed.caption.removeprefix("a person")


def test_a_trip_to_a_place_without_photos():
    parsed = parse("the trip to Iceland")
    assert [str(area) for area in parsed.areas] == ["in Iceland"]
    assert 'no trip to "Iceland" was found' in parsed.notes


def test_vocabularies_of_earlier_versions_have_no_trips():
    parsed = parse("our trip to goa", trips=None)
    assert (parsed.places, parsed.notes) == ((("goa",),), ())


def test_the_time_of_another_photo():
    moments = {
        "IMG_0042": [PhotoMoment(datetime(2020, 8, 4, 18), trip=GOA_1.name)],
        "late.jpg": [PhotoMoment(datetime(2020, 8, 5, 1, 30))],
        "scan.jpg": [PhotoMoment(datetime(1974, 1, 1), "year")],
        "two.jpg": [PhotoMoment(datetime(2020, 8, 4, 8)), PhotoMoment(datetime(2022, 5, 7, 8))],
    }

    def search(sentence):
        return find(sentence, find_moments=lambda file: moments.get(file, []))

    found, parsed = search("same day as IMG_0042")
    assert {time for time, _ in found} == {f"2020-08-04 {hour:02}" for hour in (9, 19, 23)}
    assert parsed.notes == ("IMG_0042 was taken on 2020-08-04 18:00",)
    assert {time for time, _ in search("maya on the same evening as IMG_0042")[0]} == {"2020-08-04 19"}
    assert search("the same trip as the photo IMG_0042")[0] == on_trip(GOA_1)
    assert {time[:10] for time, _ in search("the day after IMG_0042")[0]} == {"2020-08-05"}
    assert {time for time, _ in search("same night as late.jpg")[0]} == {"2020-08-04 23"}
    assert {time[:10] for time, _ in search("same day as two.jpg")[0]} == {"2020-08-04", "2022-05-07"}
    assert {time for time, _ in search("photos before IMG_0042")[0]} < {time for time, _ in search("")[0]}
    assert min(time for time, _ in search("maya newer than IMG_0042")[0])[:10] > "2020-08-04"
    assert (
        parse("older than scan.jpg", find_moments=moments.get).summary
        == "older than 1974 (before 1974-01-01)"
    )
    for sentence, note in (
        ("same day as scan.jpg", "the time of scan.jpg is not known precisely enough"),
        ("same day as IMG_9999", 'no photo with a time is called "IMG_9999"'),
    ):
        parsed = parse(sentence, find_moments=lambda file: moments.get(file, []))
        assert (parsed.not_understood, parsed.notes[0]) == ((sentence,), note)


def test_the_time_of_a_photo_is_used_as_precisely_as_it_is_known():
    moments = {
        "album.jpg": [PhotoMoment(datetime(2020, 8, 1), "month")],
        "letter.jpg": [PhotoMoment(datetime(2020, 8, 4), "day")],
        "IMG_0042": [PhotoMoment(datetime(2020, 8, 4, 8)), PhotoMoment(datetime(2020, 8, 4, 18))],
    }

    def summarize(sentence):
        parsed = parse(sentence, find_moments=lambda file: moments.get(file, []))
        return parsed.summary, parsed.notes

    assert summarize("older than album.jpg")[0] == "older than august 2020 (before 2020-08-01)"
    assert summarize("earlier than letter.jpg") == (
        "earlier than 4 august 2020 (before 2020-08-04)",
        ("letter.jpg was taken on 2020-08-04",),
    )
    month, notes = summarize("same month as album.jpg")
    assert "august 2020" in month and notes == ("album.jpg was taken on 2020-08",)
    assert "not known precisely enough" in summarize("same day as album.jpg")[1][0]
    assert "2020-08-04" in summarize("same night as letter.jpg")[0], "not the night before"
    assert summarize("same day as IMG_0042")[0] == summarize("4 august 2020")[0]
    assert summarize("same trip as IMG_0042")[1][0] == "IMG_0042 belongs to no trip"


@pytest.mark.parametrize(
    ("trips", "found"),
    [
        (("4",), on_trip(GOA_2)),
        (("goa, august 2020",), on_trip(GOA_1)),
        (("wedding",), on_trip(WEDDING)),
        (("Goa",), on_trip(GOA_1, GOA_2)),
        (("japan", "wedding"), on_trip(JAPAN, WEDDING)),
        (("mars",), set()),
    ],
)
def test_trips_as_an_option(trips, found):
    condition, notes = Criteria(trips=trips).make_condition(Vocabulary(places=ENTRIES, trips=TRIPS))
    rows = [row for row in ROWS if is_fulfilled(condition, row)]
    assert {(f"{EPOCH + timedelta(seconds=r['taken_at']):%Y-%m-%d %H}", r["trip"]) for r in rows} == found
    assert bool(notes) == (trips == ("mars",))
