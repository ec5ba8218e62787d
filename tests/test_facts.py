"""What is known of photos, in sentences and as options: ratings, cameras, shapes, file names, ..."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from query_photos import ALBUM, PARSER, ROWS, TODAY, Case, Photo, find_differences, make_parser

from imagesearch import cli
from imagesearch.errors import UserError
from imagesearch.filters import format_filter, is_fulfilled
from imagesearch.query import Criteria
from imagesearch.query.facts.conditions import SHAPES, require_name
from imagesearch.store import Vocabulary, VocabularyEntry


def is_rated(low: int, high: int = 5) -> Callable[[Photo], bool]:
    return lambda photo: photo.rating is not None and low <= photo.rating <= high


def is_unrated(photo: Photo) -> bool:
    return not photo.rating


def is_taken_with(*words: str) -> Callable[[Photo], bool]:
    return lambda photo: any(word in photo.camera for word in words)


def is_screenshot(photo: Photo) -> bool:
    return "Screenshot" in photo.name


def is_portrait(photo: Photo) -> bool:
    return photo.height > photo.width


def is_landscape(photo: Photo) -> bool:
    return photo.width > photo.height


def is_square(photo: Photo) -> bool:
    return photo.width == photo.height


def is_panorama(photo: Photo) -> bool:
    return photo.width >= 2 * photo.height


def has_position(photo: Photo) -> bool:
    return photo.latitude is not None


def is_unnamed(photo: Photo) -> bool:
    return photo.strangers > 0


def has_no_time(photo: Photo) -> bool:
    return photo.taken is None


def is_untagged(photo: Photo) -> bool:
    return not photo.keywords


def is_called(*stems: str) -> Callable[[Photo], bool]:
    return lambda photo: any(f"/{stem}." in photo.name for stem in stems)


def is_added(first: date, last: date = TODAY) -> Callable[[Photo], bool]:
    return lambda photo: first <= photo.indexed.date() <= last


HEIC = next(photo for photo in ALBUM if photo.name.endswith(".HEIC"))
HEIC_STEM = HEIC.name.split("/")[1].split(".")[0]
MARCH = is_added(date(2024, 3, 1), date(2024, 3, 31))

CASES = [
    # ratings
    Case("rating", "5 star photos", is_rated(5), ""),
    Case("rating", "five stars", is_rated(5), ""),
    Case("rating", "rated 4 or more", is_rated(4), ""),
    Case("rating", "rated at least 3", is_rated(3), ""),
    Case("rating", "4+ stars", is_rated(4), ""),
    Case("rating", "4 stars or better", is_rated(4), ""),
    Case("rating", "more than 3 stars", is_rated(4), ""),
    Case("rating", "rated above three", is_rated(4), ""),
    Case("rating", "rated 2 or less", is_rated(1, 2), ""),
    Case("rating", "rated below 3", is_rated(1, 2), ""),
    Case("rating", "photos with 3 stars", is_rated(3, 3), ""),
    Case("rating", "3 to 4 stars", is_rated(3, 4), ""),
    Case("rating", "4 or 5 stars", is_rated(4), ""),
    Case("rating", "with a rating of 5", is_rated(5), ""),
    Case("rating", "5-star pictures of maya", lambda p: p.rating == 5 and "Maya" in p.people, ""),
    Case("rating", "★★★★★", is_rated(5), ""),
    Case("rating", "unrated", is_unrated, ""),
    Case("rating", "not rated", is_unrated, ""),
    Case("rating", "photos without a rating", is_unrated, ""),
    Case("rating", "not rated 5", lambda p: p.rating != 5, ""),
    Case("rating", "kim in paris, rated 5",
         lambda p: p.rating == 5 and "Kim" in p.people and p.city == "Paris", ""),
    Case("rating", "top rated photos", is_rated(4), "", note='read "top rated" as rated 4 or more'),
    Case("rating", "3 stars in the sky", lambda p: True, "3 stars in the sky"),
    Case("rating", "a flag with five stars", lambda p: True, "a flag with five stars"),
    Case("rating", "a five star hotel", lambda p: True, "a five star hotel"),
    Case("rating", "5 stars only", is_rated(5), ""),
    Case("rating", "stars >= 4", is_rated(4), ""),
    Case("rating", "zero stars", is_unrated, ""),
    Case("rating", "between 3 and 4 stars", is_rated(3, 4), ""),
    Case("rating", "under 3 stars in paris", lambda p: is_rated(1, 2)(p) and p.city == "Paris", ""),
    Case("rating", "maya wearing a 5 star shirt", text="a person wearing a 5 star shirt"),
    # what is missing
    Case("missing", "photos without a date", has_no_time, ""),
    Case("missing", "undated photos", has_no_time, ""),
    Case("missing", "undated pictures of maya", lambda p: has_no_time(p) and "Maya" in p.people, ""),
    Case("missing", "no timestamp", has_no_time, ""),
    Case("missing", "maya, time unknown", lambda p: has_no_time(p) and "Maya" in p.people, ""),
    Case("missing", "without date and time", has_no_time, ""),
    Case("missing", "a beach without a date palm", lambda p: True, None,
         excluded=("a date palm",)),
    Case("missing", "a man with no time to lose", lambda p: True, None, excluded=("time to lose",)),
    Case("missing", "a woman on a date", lambda p: True, "a woman on a date"),
    Case("missing", "untagged photos", is_untagged, ""),
    Case("missing", "photos without keywords", is_untagged, ""),
    Case("missing", "not tagged, in paris", lambda p: is_untagged(p) and p.city == "Paris", ""),
    Case("missing", "photos with tags", lambda p: not is_untagged(p), ""),
    Case("missing", "a shirt with tags on it", lambda p: True, "a shirt with tags on it"),
    Case("missing", "untagged faces", is_unnamed, ""),
    # cameras
    Case("camera", "taken with an iphone", is_taken_with("iPhone"), ""),
    Case("camera", "shot on my canon", is_taken_with("Canon"), ""),
    Case("camera", "with the pixel 7", is_taken_with("Pixel 7"), ""),
    Case("camera", "by a nikon", is_taken_with("NIKON"), ""),
    Case("camera", "taken with a nikon z6", is_taken_with("NIKON Z 6"), ""),
    Case("camera", "made with the iphone se", is_taken_with("iPhone SE"), ""),
    Case("camera", "iphone photos", is_taken_with("iPhone"), ""),
    Case("camera", "canon eos r6 pictures of kim", lambda p: "Canon" in p.camera and "Kim" in p.people, ""),
    Case("camera", "from my iphone", is_taken_with("iPhone"), ""),
    Case("camera", "taken with an iphone or a canon", is_taken_with("iPhone", "Canon"), ""),
    Case("camera", "iphone or pixel photos", is_taken_with("iPhone", "Pixel"), ""),
    Case("camera", "not taken with an iphone", lambda p: "iPhone" not in p.camera, ""),
    Case("camera", "photos i took with my nikon", is_taken_with("NIKON"), ""),
    Case("camera", "a red boat shot on a canon camera", is_taken_with("Canon"), "a red boat"),
    Case("camera", "taken with a leica", lambda p: False, "", note="no photo has the camera 'leica'"),
    Case("camera", "shot with a d850", lambda p: False, "", note="no photo has the camera 'd850'"),
    Case("camera", "a man with a canon camera", lambda p: True, "a man with a canon camera"),
    Case("camera", "maya with an iphone", lambda p: "Maya" in p.people, "a person with an iphone"),
    Case("camera", "photos taken with kim", lambda p: "Kim" in p.people, ""),
    Case("camera", "camera: canon", is_taken_with("Canon"), ""),
    Case("camera", "iphone screenshots", lambda p: "iPhone" in p.camera and is_screenshot(p), ""),
    Case("camera", "taking a picture with an iphone", lambda p: True, "taking a picture with an iphone"),
    Case("camera", "a photo taken from a plane", lambda p: True, "a plane"),
    # positions
    Case("position", "without a location", lambda p: not has_position(p), ""),
    Case("position", "photos without gps", lambda p: not has_position(p), ""),
    Case("position", "no gps data", lambda p: not has_position(p), ""),
    Case("position", "not geotagged", lambda p: not has_position(p), ""),
    Case("position", "with a location", has_position, ""),
    Case("position", "geotagged photos of kim", lambda p: has_position(p) and "Kim" in p.people, ""),
    Case("position", "geo-tagged", has_position, ""),
    # shapes
    Case("shape", "portrait format", is_portrait, ""),
    Case("shape", "maya in portrait orientation", lambda p: is_portrait(p) and "Maya" in p.people, ""),
    Case("shape", "vertical photos", is_portrait, ""),
    Case("shape", "landscape format", is_landscape, ""),
    Case("shape", "horizontal photos of a dog", is_landscape, "a dog"),
    Case("shape", "square photos", is_square, ""),
    Case("shape", "square or vertical pictures", lambda p: is_square(p) or is_portrait(p), ""),
    Case("shape", "panoramas", is_panorama, ""),
    Case("shape", "panorama of the mountains", is_panorama, "the mountains"),
    Case("shape", "panoramic photos", is_panorama, ""),
    Case("shape", "no panoramas", lambda p: not is_panorama(p), ""),
    Case("shape", "a portrait of maya", lambda p: "Maya" in p.people, "a portrait of a person"),
    Case("shape", "a landscape with mountains", lambda p: True, "a landscape with mountains"),
    Case("shape", "a panoramic view of a lake", lambda p: True, "a panoramic view of a lake"),
    Case("shape", "a square with a fountain", lambda p: True, "a square with a fountain"),
    Case("shape", "vertical panoramas", lambda p: False, ""),
    Case("shape", "a vertical garden", lambda p: True, "a vertical garden"),
    # screenshots
    Case("screenshot", "screenshots", is_screenshot, ""),
    Case("screenshot", "no screenshots", lambda p: not is_screenshot(p), ""),
    Case("screenshot", "not screenshots", lambda p: not is_screenshot(p), ""),
    Case("screenshot", "a screenshot of a map", is_screenshot, "a map"),
    Case("screenshot", "maya without screenshots", lambda p: not is_screenshot(p) and "Maya" in p.people, ""),
    Case("screenshot", "screenshots and panoramas", lambda p: is_screenshot(p) or is_panorama(p), ""),
    Case("screenshot", "no screenshots or panoramas", lambda p: not (is_screenshot(p) or is_panorama(p)), ""),
    Case("screenshot", "hide screenshots", lambda p: not is_screenshot(p), ""),
    Case("screenshot", "no screenshots please", lambda p: not is_screenshot(p), ""),
    # file names
    Case("name", "IMG_0042", is_called("IMG_0042"), ""),
    Case("name", "img_0042", is_called("IMG_0042"), ""),
    Case("name", "IMG 0042", is_called("IMG_0042"), ""),
    Case("name", f"the file {HEIC_STEM}.heic", lambda p: p.name == HEIC.name, ""),
    Case("name", f"photo named {HEIC_STEM.lower()}.HEIC", lambda p: p.name == HEIC.name, ""),
    Case("name", f"{HEIC_STEM}.jpg", lambda p: False, ""),
    Case("name", "IMG_0042 or IMG_0043", is_called("IMG_0042", "IMG_0043"), ""),
    Case("name", "IMG_0042, IMG_0043 and IMG_0044", is_called("IMG_0042", "IMG_0043", "IMG_0044"), ""),
    Case("name", "DSC01234.JPG", lambda p: False, ""),
    Case("name", "PXL_20220528_101112", lambda p: False, ""),
    Case("name", "IMG-20220528-WA0004", lambda p: False, ""),
    Case("name", '"IMG_0042"', lambda p: True, "IMG_0042"),
    # the time of indexing
    Case("indexed", "added last week", is_added(date(2024, 6, 3), date(2024, 6, 9)), ""),
    Case("indexed", "added today", is_added(TODAY), ""),
    Case("indexed", "photos that were added since 3 june", is_added(date(2024, 6, 3)), ""),
    Case("indexed", "indexed yesterday", is_added(date(2024, 6, 14), date(2024, 6, 14)), ""),
    Case("indexed", "imported this month", is_added(date(2024, 6, 1)), ""),
    Case("indexed", "added before 2024", is_added(date(2000, 1, 1), date(2023, 12, 31)), ""),
    Case("indexed", "photos i added in the last two weeks", is_added(date(2024, 6, 2)), ""),
    Case("indexed", "added in march", MARCH, ""),
    Case("indexed", "recently added", is_added(date(2024, 6, 2)), "", note="last 14 days"),
    Case("indexed", "kim, added this week",
         lambda p: is_added(date(2024, 6, 10))(p) and "Kim" in p.people, ""),
    Case("indexed", "an added value", lambda p: True, "an added value"),
    Case("indexed", "added between 1 june and 10 june", is_added(date(2024, 6, 1), date(2024, 6, 10)), ""),
    # faces without a name
    Case("unnamed", "photos without names", is_unnamed, ""),
    Case("unnamed", "unnamed people", is_unnamed, ""),
    Case("unnamed", "unknown faces", is_unnamed, ""),
    Case("unnamed", "people without a name", is_unnamed, ""),
    Case("unnamed", "maya with unknown people", lambda p: is_unnamed(p) and "Maya" in p.people, ""),
    Case("unnamed", "no unknown faces", lambda p: not is_unnamed(p), ""),
    Case("unnamed", "a dog without a name", lambda p: True, "a dog without a name"),
    Case("unnamed", "people i have not named", is_unnamed, ""),
    Case("unnamed", "photos where everyone is named", lambda p: not is_unnamed(p), ""),
    # together
    Case(
        "all",
        "5 star iphone photos of maya in paris in 2022 in portrait format",
        lambda p: p.rating == 5 and "iPhone" in p.camera and "Maya" in p.people and p.city == "Paris"
        and p.day.year == 2022 and is_portrait(p),
        "",
    ),
    Case("all", "unrated or 5 star photos", lambda p: is_unrated(p) or p.rating == 5, ""),
    Case("all", "geotagged and rated 5", lambda p: has_position(p) and p.rating == 5, ""),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sentence)
def test_a_fact_finds_its_photos(case: Case) -> None:
    assert find_differences(case) == []


def test_each_fact_is_true_of_some_photos_and_not_of_all() -> None:
    for test in (is_unrated, is_screenshot, is_portrait, is_square, is_panorama, is_unnamed, has_position):
        assert 0 < sum(map(test, ALBUM)) < len(ALBUM)


@pytest.mark.parametrize(
    ("criteria", "matches"),
    [
        (Criteria(max_rating=0), is_unrated),
        (Criteria(rating=2, max_rating=3), is_rated(2, 3)),
        (Criteria(max_rating=3), is_rated(1, 3)),
        (Criteria(no_gps=True), lambda p: not has_position(p)),
        (Criteria(no_time=True), has_no_time),
        (Criteria(untagged=True), is_untagged),
        (Criteria(shape="portrait"), is_portrait),
        (Criteria(shape="panorama"), is_panorama),
        (Criteria(screenshots=True), is_screenshot),
        (Criteria(screenshots=False), lambda p: not is_screenshot(p)),
        (Criteria(names=("IMG_0042", f"{HEIC_STEM}.heic")),
         lambda p: p == HEIC or is_called("IMG_0042")(p)),
        (Criteria(unnamed=True), is_unnamed),
        (Criteria(added_after="2024-06-03", added_before="2024-06-10"),
         is_added(date(2024, 6, 3), date(2024, 6, 9))),
        (Criteria(cameras=("iph",)), is_taken_with("iPhone")),
    ],
)  # fmt: skip
def test_each_fact_is_an_option(criteria: Criteria, matches: Callable[[Photo], bool]) -> None:
    cameras = {photo.camera: VocabularyEntry(photo.camera, 1) for photo in ALBUM if photo.camera}
    condition, notes = criteria.make_condition(Vocabulary(cameras=cameras))
    found = [photo for photo, row in zip(ALBUM, ROWS, strict=True) if is_fulfilled(condition, row)]
    assert found == [photo for photo in ALBUM if matches(photo)] and not notes
    assert criteria.title and (criteria.names or found)


def test_an_unknown_shape_is_an_error() -> None:
    with pytest.raises(UserError, match="shape round: expected portrait, landscape, square, panorama"):
        Criteria(shape="round").make_condition(Vocabulary())


def test_unknown_values_pass_no_fact() -> None:
    unknown = dict(ROWS[0]) | {"aspect": 0.0, "rating": -1, "face_count": -1, "people_count_known": -1}
    unknown |= {"name_words": [], "file_name": "", "indexed_at": 0, "has_gps": False}
    assert not any(is_fulfilled(condition, unknown) for condition in SHAPES.values())
    for sentence in ("rated 1", "unknown faces", "no unknown faces", "added before 2030", "geotagged"):
        assert not is_fulfilled(PARSER.parse(sentence, TODAY).condition, unknown), sentence


def test_screenshots_of_several_systems_are_recognized() -> None:
    from imagesearch.store.file_names import list_name_words

    names = ["Screenshot_20230101-101112.png", "Screen Shot 2020-01-02 at 10.11.12.png",
             "Bildschirmfoto 2023-01-02.png", "Capture d’écran 2023.png", "Schermata 2020.png"]  # fmt: skip # noqa: RUF001
    condition = PARSER.parse("screenshots", TODAY).condition
    assert all(is_fulfilled(condition, {"name_words": list_name_words(name)}) for name in names)
    assert not is_fulfilled(condition, {"name_words": list_name_words("my screen.png")})


def test_a_name_with_an_extension_ignores_case() -> None:
    for stored in ("IMG_0042.HEIC", "img_0042.heic", "IMG_0042.heic", "img_0042.HEIC"):
        for typed in ("IMG_0042.heic", "img_0042.HEIC", "2023/goa/img_0042.heic"):
            assert is_fulfilled(require_name(typed), {"file_name": stored})
    assert not is_fulfilled(require_name("IMG_0042.heic"), {"file_name": "IMG_0042.jpg"})


def test_the_day_of_indexing_begins_at_local_midnight() -> None:
    midnight = int(datetime(2024, 6, 15).timestamp())
    condition = PARSER.parse("added today", TODAY).condition
    seconds = [midnight - 1, midnight, midnight + 86_399, midnight + int(timedelta(days=1).total_seconds())]
    assert [is_fulfilled(condition, {"indexed_at": s}) for s in seconds] == [False, True, True, False]


def test_people_who_are_called_like_a_camera_are_people() -> None:
    people = {"canon": VocabularyEntry("Canon", 1), "star": VocabularyEntry("Star", 1)}
    vocabulary = Vocabulary(people=people, cameras={"Canon EOS R6": VocabularyEntry("Canon EOS R6", 1)})
    parser = type(make_parser())(vocabulary)
    assert parser.parse("canon photos", TODAY).people.all_of == ("Canon",)
    assert parser.parse("photos of canon and star", TODAY).people.all_of == ("Canon", "Star")


def test_the_options_of_the_command_line_are_criteria() -> None:
    parser = cli.make_parser("Test.")
    cli.add_filter_options(parser)
    options = "--no-gps --max-rating 0 --shape panorama --no-screenshots --name IMG_0042 --unnamed"
    args = parser.parse_args([*options.split(), "--added-after", "2024", "--added-before", "2024-06"])
    assert cli.make_criteria(args) == Criteria(
        no_gps=True, max_rating=0, shape="panorama", screenshots=False, names=("IMG_0042",), unnamed=True,
        added_after="2024", added_before="2024-06",
    )  # fmt: skip
    assert cli.make_criteria(parser.parse_args(["--screenshots"])) == Criteria(screenshots=True)
    assert cli.make_criteria(parser.parse_args([])) == Criteria()


PIECES = [word for case in CASES for word in case.sentence.split()]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from([*PIECES, "oldest", "first", "last", "one", "of", "but", "both", '"']), max_size=12
    )
)
def test_any_words_of_facts_can_be_parsed(words: list[str]) -> None:
    parsed = PARSER.parse(" ".join(words), TODAY)
    is_fulfilled(parsed.condition, ROWS[0])
    format_filter(parsed.condition, lists_are_arrays=True).encode()
    json.dumps(parsed.to_dict())


@pytest.mark.parametrize(
    "piece", ["IMG_0042 ", "5 star ", "rated 4 or ", "screenshots and ", "the last ", "one of kim and "]
)
def test_long_texts_of_facts_are_parsed(piece: str) -> None:
    parsed = PARSER.parse((piece * 2000)[:10_000], TODAY)
    assert len(format_filter(parsed.condition, lists_are_arrays=False)) < 100_000
