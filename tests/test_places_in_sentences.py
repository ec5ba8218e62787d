"""Places in sentences: regions, distances, other names, and places where no photo was taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from conftest import BuiltAlbum
from query_photos import PARSER, PLACES, TODAY, Case, Photo, find_differences

from imagesearch.config import load_config
from imagesearch.geo import find_region, find_world_places
from imagesearch.geo.regions import SUBREGIONS
from imagesearch.great_circle import compute_distance_km
from imagesearch.pipeline import Dataset
from imagesearch.query import SentenceParser
from imagesearch.search import Answer, Query, Searcher
from imagesearch.store import Store, Vocabulary, VocabularyEntry
from imagesearch.text import normalize

EUROPE = {"France", "Italy", "Poland", "Norway", "Denmark"}
SOUTHEAST_ASIA = {"Thailand"}
ASIA = SOUTHEAST_ASIA | {"India", "South Korea", "North Korea", "Iran"}
POSITIONS = {city: (latitude, longitude) for city, _, _, latitude, longitude in PLACES}


def in_countries(*names: str) -> Callable[[Photo], bool]:
    return lambda photo: photo.country in names


def in_cities(*names: str) -> Callable[[Photo], bool]:
    return lambda photo: photo.city in names


def within(km: float, *cities: str) -> Callable[[Photo], bool]:
    return lambda photo: (
        photo.latitude is not None
        and any(
            compute_distance_km(*POSITIONS[city], photo.latitude, photo.longitude) <= km for city in cities
        )
    )


def at_latitude(low: float, high: float) -> Callable[[Photo], bool]:
    return lambda photo: photo.latitude is not None and low <= photo.latitude <= high


def nowhere(photo: Photo) -> bool:
    return False


def everywhere(photo: Photo) -> bool:
    return True


def case(sentence: str, matches: Callable[[Photo], bool], text: str = "", note: str = "") -> Case:
    return Case("", sentence, matches, text=text, note=note)


REGIONS = [
    case("in europe", in_countries(*EUROPE)),
    case("photos from Europe", in_countries(*EUROPE)),
    case("europe", in_countries(*EUROPE)),
    case("not in europe", lambda p: p.latitude is not None and p.country not in EUROPE),
    case("outside europe", lambda p: p.latitude is not None and p.country not in EUROPE),
    case("anywhere but europe", lambda p: p.latitude is not None and p.country not in EUROPE),
    case("south-east asia", in_countries(*SOUTHEAST_ASIA)),
    case("in southeast asia", in_countries(*SOUTHEAST_ASIA)),
    case("in South East Asia", in_countries(*SOUTHEAST_ASIA)),
    case("south-eastern asia", in_countries(*SOUTHEAST_ASIA)),
    case("east asia", in_countries("South Korea", "North Korea")),
    case("in southern asia", in_countries("India", "Iran")),
    case("in asia but not in india", in_countries(*ASIA - {"India"})),
    case("scandinavia", in_countries("Norway", "Denmark")),
    case("in the nordic countries", in_countries("Norway", "Denmark")),
    case("northern europe", in_countries("Norway", "Denmark")),
    case("in eastern europe", in_countries("Poland")),
    case("in western europe", in_countries("France")),
    case("southern europe", in_countries("Italy")),
    case("in central europe", in_countries("Poland")),
    case("in the middle east", in_countries("Iran")),
    case("in africa", in_countries("Kenya")),
    case("sub-saharan africa", in_countries("Kenya")),
    case("north africa", nowhere),
    case("in oceania", in_countries("Australia")),
    case("in north america", in_countries("Canada", "United States")),
    case("south america", in_countries("Brazil")),
    case("in latin america", in_countries("Brazil")),
    case("across the americas", in_countries("Brazil", "Canada", "United States")),
    case("in the eu", in_countries("France", "Italy", "Poland", "Denmark")),
    case("in the benelux", nowhere),
    case("in europe or japan", in_countries(*EUROPE), note="no photo was taken in Japan"),
    case("in europe, asia and africa", in_countries(*EUROPE, *ASIA, "Kenya")),
    case("in europe or australia", in_countries(*EUROPE, "Australia")),
    case("not in europe or asia", lambda p: p.latitude is not None and p.country not in EUROPE | ASIA),
    case("maya in europe", lambda p: "Maya" in p.people and p.country in EUROPE),
    case("maya on a beach in south-east asia in 2022",
         lambda p: "Maya" in p.people and p.country in SOUTHEAST_ASIA and p.day.year == 2022,
         "a person on a beach"),
    case("southern hemisphere", at_latitude(-90, 0)),
    case("in the northern hemisphere", at_latitude(0, 90)),
    case("north of the arctic circle", at_latitude(66.5636, 90)),
    case("above the arctic circle", at_latitude(66.5636, 90)),
    case("in the arctic", at_latitude(66.5636, 90)),
    case("south of the equator", at_latitude(-90, 0)),
    case("below the equator", at_latitude(-90, 0)),
    case("in the tropics", at_latitude(-23.4364, 23.4364)),
    case("south of the tropic of capricorn", at_latitude(-90, -23.4364)),
    case("in the rockies", in_cities("Banff", "Canmore")),
    case("hiking in the Rocky Mountains", in_cities("Banff", "Canmore"), "hiking"),
    case("in the alps", nowhere),
    case("not in the southern hemisphere", at_latitude(0, 90)),
    case("in northern norway", in_countries("Norway"), note='read "northern norway" as Norway'),
    case("in the south of france", in_countries("France")),
    case("north and south america", in_countries("Canada", "United States", "Brazil")),
    # words that stay in the text
    case("a european castle", everywhere, "a european castle"),
    case("mediterranean food on a table", everywhere, "mediterranean food on a table"),
    case("a caribbean beach", everywhere, "a caribbean beach"),
    case("an arctic fox", everywhere, "an arctic fox"),
    case("a black forest cake", everywhere, "a black forest cake"),
    case("an asian elephant", everywhere, "an asian elephant"),
    case("a house east of the river", everywhere, "a house east of the river"),
]  # fmt: skip
DISTANCES = [
    case("near banff", within(25, "Banff")),
    case("maya near Banff", lambda p: "Maya" in p.people and within(25, "Banff")(p)),
    case("a lake near banff", within(25, "Banff"), "a lake"),
    case("around banff", within(25, "Banff")),
    case("close to banff", within(25, "Banff")),
    case("in the vicinity of banff", within(25, "Banff")),
    case("not far from banff", within(25, "Banff")),
    case("in banff", in_cities("Banff")),
    case("within 10 km of banff", within(10, "Banff")),
    case("within 20 km of banff", within(20, "Banff")),
    case("within 20km of banff", within(20, "Banff")),
    case("within 12 miles of banff", within(12 * 1.609344, "Banff")),
    case("within a 20 km radius of banff", within(20, "Banff")),
    case("less than 200 kilometers from banff", within(200, "Banff")),
    case("200 km from banff", within(200, "Banff")),
    case("at most 17.5 km from banff", within(17.5, "Banff")),
    case("5 miles from paris", within(8.05, "Paris")),
    case("less than 3 km from anjuna", within(3, "Anjuna")),
    case("more than 1000 km from banff", lambda p: p.latitude is not None and not within(1000, "Banff")(p)),
    case("not near banff", lambda p: p.latitude is not None and not within(25, "Banff")(p)),
    case("not within 200 km of banff", lambda p: p.latitude is not None and not within(200, "Banff")(p)),
    case("near paris or rome", in_cities("Paris", "Rome")),
    case("near paris or in rome", in_cities("Paris", "Rome")),
    case("near banff, copenhagen and rome", in_cities("Banff", "Canmore", "Copenhagen", "Rome")),
    case("in the banff area", within(25, "Banff")),
    case("next to banff", within(25, "Banff")),
    case("in the vicinity of india", in_countries("India")),
    case("near banff, canada", within(25, "Banff")),
    case("near banff in canada", within(25, "Banff")),
    case("near banff in winter", lambda p: within(25, "Banff")(p) and p.taken and p.day.month in (12, 1, 2)),
    case("near india", in_countries("India")),
    case("near goa", in_cities("Anjuna")),
    case("within 50 km of goa", in_cities("Anjuna"), note="whose centre is not known"),
    case("between paris and rome", in_cities("Paris", "Rome")),
    case("between banff and calgary", in_cities("Banff", "Canmore", "Calgary")),
    case("between Rome and Copenhagen", in_cities("Rome", "Copenhagen", "Kraków", "Paris")),
    # words that stay in the text
    case("a cabin near a lake", everywhere, "a cabin near a lake"),
    case("a dog between two trees", everywhere, "a dog between two trees"),
    case("people dancing around a fire", everywhere, "people dancing around a fire"),
    case("a house close to the beach", everywhere, "a house close to the beach"),
]  # fmt: skip
MISSING = [
    case("in hanoi", nowhere,
         note="no photo was taken in Hanoi, Vietnam; the nearest are in Bangkok, some 990 km away"),
    case("near hanoi", nowhere, note="no photo was taken near Hanoi, Vietnam; the nearest are in Bangkok"),
    case("within 30 km of hanoi", nowhere,
         note="no photo was taken within 30 km of Hanoi, Vietnam; the nearest"),
    case("more than 100 km from hanoi", at_latitude(-90, 90)),
    case("in west virginia", nowhere, note="no photo was taken in West Virginia"),
    case("in Hà Nội", nowhere, note="no photo was taken in Hanoi, Vietnam"),
    case("maya in ha noi", nowhere, note="no photo was taken in Hanoi, Vietnam"),
    case("in vietnam", nowhere, note="no photo was taken in Vietnam; the nearest are in"),
    case("photos from ho chi minh city", nowhere, note="Ho Chi Minh City, Vietnam"),
    case("in saigon", nowhere, note="Ho Chi Minh City, Vietnam"),
    case("a temple in new delhi, india", nowhere, "a temple", note="no photo was taken in New Delhi, India"),
    case("in new delhi", nowhere, note="the nearest are in Anjuna"),
    case("street food around hanoi", nowhere, "street food"),
    case("in bavaria", nowhere, note="no photo was taken in Bavaria, Germany"),
    case("in the netherlands", nowhere, note="no photo was taken in the Netherlands"),
    case("in london or paris", in_cities("Paris"), note="no photo was taken in London, United Kingdom"),
    case("in paris or london", in_cities("Paris"), note="no photo was taken in London, United Kingdom"),
    case("not in hanoi", at_latitude(-90, 90), note="no photo was taken in Hanoi, Vietnam"),
    case("photos in Orange", nowhere, note="no photo was taken in Orange"),
    case("a beach in Nice", nowhere, "a beach", note="no photo was taken in Nice, France"),
    case("in nice, france", nowhere, note="no photo was taken in Nice, France"),
    case('a beach in "nice"', nowhere, "a beach", note="no photo was taken in Nice, France"),
    case("photos from Charlotte", nowhere, note="no photo was taken in Charlotte, United States"),
    case("in turkey", nowhere, note="no photo was taken in Turkey"),
    case("in hanoi in 2022", nowhere, note="no photo was taken in Hanoi, Vietnam"),
    *(case(text, everywhere, text) for text in (
        "a woman in orange", "a man in nice clothes", "a woman in a sari", "a child in a bath",
        "reading a book", "a dog in a van",
        "a girl in a jersey", "a boy at a mobile phone", "a man in a panama hat",
        "man in panama hat", "a log in split halves",
        "a boy in batman costume", "a view from paradise", "a train at the station",
        "a letter from charlotte",
        "WOMAN IN ORANGE", "A Woman In Orange", "children at bath time", "a woman in white",
        "a bird in flight",
        "children at play", "a lake from above", "hanoi street food", "a castle in ruins",
        "a duck in the bath",
    )),
]  # fmt: skip
OTHER_NAMES = [
    *(case(text, in_cities("Kraków")) for text in (
        "cracow", "in cracow", "Krakow", "in Cracovie", "near cracow")),
    *(case(text, in_cities("Los Angeles")) for text in (
        "in la", "LA", "photos from la", "in L.A.", "in los angeles, usa")),
    *(case(text, in_cities("San Francisco")) for text in ("in sf", "in S.F.", "photos in SF", "in frisco")),
    *(case(text, in_cities("Washington, D.C.")) for text in (
        "d.c.", "in d.c.", "in dc", "Washington DC", "washington d.c.")),
    *(case(text, in_countries("Iran")) for text in ("persia", "in Persia")),
    *(case(text, in_countries("South Korea", "North Korea")) for text in (
        "korea", "in korea", "not in europe but in korea")),
    case("in south korea", in_countries("South Korea")),
    case("seoul, korea", in_cities("Seoul")),
    *(case(text, in_countries("United States")) for text in (
        "usa", "in the usa", "in america", "in the states", "in the US", "in US", "in the U.S.", "in u.s.a.",
        "in the united states of america")),
    case("in siam", in_countries("Thailand")),
    case("maya in la at night", lambda p: (
        "Maya" in p.people and p.city == "Los Angeles" and (p.hour >= 22 or 0 <= p.hour < 5)),
         "a person at night"),
    case("in la and sf", in_cities("Los Angeles", "San Francisco")),
    case("in rio", in_cities("Rio de Janeiro")),
    *(case(text, everywhere, text) for text in (
        "la boheme", "la tomatina", "a singer in la boheme", "a persian rug", "dance for us")),
]  # fmt: skip
CASES = {"region": REGIONS, "distance": DISTANCES, "missing": MISSING, "other name": OTHER_NAMES}


@pytest.mark.parametrize(
    "stated", [pytest.param(case, id=f"{kind}: {case.sentence}") for kind in CASES for case in CASES[kind]]
)
def test_a_place_finds_its_photos(stated: Case) -> None:
    assert find_differences(stated) == []


def parse(sentence: str, **places: VocabularyEntry):
    return SentenceParser(Vocabulary(places=places)).parse(sentence, TODAY)


def test_a_name_of_the_album_comes_before_a_region_and_a_place_of_the_world() -> None:
    album = {"europe": VocabularyEntry("Europe", 3, "city"), "hanoi": VocabularyEntry("Hanoi", 2, "city")}
    assert parse("in europe", **album).places == (("europe",),)
    assert parse("in hanoi", **album).places == (("hanoi",),) and not parse("in hanoi", **album).notes
    people = Vocabulary(people={"asia": VocabularyEntry("Asia", 5)}, places=album)
    assert SentenceParser(people).parse("asia on a beach", TODAY).people.all_of == ("Asia",)


def test_without_any_position_the_note_names_no_nearest_place() -> None:
    parsed = parse("a dog in hanoi", norway=VocabularyEntry("Norway", 3, "country"))
    assert parsed.notes == ("no photo was taken in Hanoi, Vietnam",)
    assert parsed.caption == "a dog" and parsed.to_dict()["places"]["areas"] == ["Hanoi, Vietnam"]


def test_in_an_album_without_places_a_place_stays_in_the_text() -> None:
    assert parse("a dog in hanoi").caption == "a dog in hanoi"


def test_an_ambiguous_name_is_the_largest_place() -> None:
    found = find_world_places(["birmingham"])
    assert found is not None and found.places[0].full_name == "Birmingham, United Kingdom"
    assert "Birmingham, United States" in PARSER.parse("in birmingham, alabama", TODAY).summary


def test_another_name_means_the_album_only_if_the_country_agrees() -> None:
    naples = {
        "naples": VocabularyEntry("Naples", 3, "city", 26.142, -81.795),
        "united states": VocabularyEntry("United States", 3, "country", 26.142, -81.795),
    }
    parser = SentenceParser(Vocabulary(places=naples, within={"naples": ("united states",)}))
    parsed = parser.parse("in napoli", TODAY)
    assert not parsed.places and parsed.notes[0].startswith(
        "no photo was taken in Naples, Italy; the nearest"
    )


def test_regions_of_the_un_have_each_country_once() -> None:
    codes = [code for codes in SUBREGIONS.values() for code in codes.split()]
    assert len(codes) == len(set(codes)) == 250
    assert find_region(["south", "eastern", "asia"]) == find_region(["southeast", "asia"])
    europe = find_region(["europe"])
    assert europe is not None and {"FR", "RU", "GB", "XK", "CY"} <= europe.countries


# --- answers ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def search(built_album: BuiltAlbum) -> Iterator[Callable[..., Answer]]:
    config = load_config(built_album.config_file)
    with Store(config.milvus) as store:
        searcher = Searcher(config, Dataset(config), store)
        yield lambda text, **options: searcher.search(Query(text=text, today=TODAY, **options))


@pytest.fixture(scope="module")
def truth(built_album: BuiltAlbum) -> list[dict]:
    return built_album.truth["photos"]


def test_the_photos_of_the_nearest_place_are_listed(search: Callable[..., Answer]) -> None:
    answer = search("in ulan bator")
    (note,) = answer.notes
    assert note.startswith("no photo was taken in Ulan Bator, Mongolia; the nearest are in ")
    place = note.removesuffix(" away").rpartition(", some ")[0].partition("the nearest are in ")[2]
    assert answer.results and all(place in result.address for result in answer.results)
    assert answer.candidates == 0 and len(answer.relaxed) == 1
    assert search("in ulan bator", strict=True).results == ()
    assert search("in ulan bator", strict=True).notes == answer.notes


def test_a_text_ranks_the_photos_of_the_nearest_place(search: Callable[..., Answer]) -> None:
    answer = search("a beach in ulan bator")
    assert answer.parsed.caption == "a beach" and answer.results[0].score is not None
    assert {r.path for r in answer.results} <= {r.path for r in search("in ulan bator", top_k=100).results}


def test_an_answer_in_a_circle_has_all_its_photos(search: Callable[..., Answer], truth: list[dict]) -> None:
    photo = next(photo for photo in truth if photo["latitude"] is not None and photo["city"])
    for km in (3, 500, 5000):
        answer = search(f"within {km} km of {photo['city']}", top_k=100)
        centre = next(part for part in _list_circles(answer.parsed.areas[0].condition))
        right = {
            p["path"] for p in truth if p["latitude"] is not None
            and compute_distance_km(centre.latitude, centre.longitude, p["latitude"], p["longitude"]) <= km
        }  # fmt: skip
        assert {result.path for result in answer.results} == right


def _list_circles(condition):
    return [condition] if hasattr(condition, "km") else []


def test_regions_work_on_the_countries_of_an_album(search: Callable[..., Answer], truth: list[dict]) -> None:
    for sentence, sign in (("in the northern hemisphere", 1), ("southern hemisphere", -1)):
        right = {p["path"] for p in truth if p["latitude"] is not None and p["latitude"] * sign > 0}
        assert {r.path for r in search(sentence, top_k=100).results} == right
    europe = {"France", "Norway", "Iceland", "Finland", "Switzerland", "Ireland", "Italy", "Spain"}
    right = {p["path"] for p in truth if p["latitude"] is not None and p["country"] in europe}
    assert right <= {r.path for r in search("in europe", top_k=100).results}


@pytest.mark.parametrize(
    ("sentence", "name"), [("in icland", "Iceland"), ("in irland", "Ireland"), ("in colonge", "Cologne")]
)
def test_two_names_of_one_place_are_no_two_places(sentence: str, name: str) -> None:
    kinds = {"Iceland": "country", "Ísland": "country", "Ireland": "country"}
    kinds |= {"Cologne": "city", "Köln": "city", "Colonia": "city"}
    places = {normalize(place): VocabularyEntry(place, 9, kind) for place, kind in kinds.items()}
    parsed = SentenceParser(Vocabulary(places=places)).parse(sentence, TODAY)
    assert parsed.places == ((name.lower(),),) and parsed.caption == ""
