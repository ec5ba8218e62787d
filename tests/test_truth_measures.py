"""Values of 08_evaluate.py --truth: which errors lower which value, and which failures are listed."""

from __future__ import annotations

import copy
from collections import Counter
from datetime import date
from types import SimpleNamespace

import pytest
from conftest import BuiltAlbum

from imagesearch.config import Config, load_config
from imagesearch.faces import People, load_people
from imagesearch.geo import read_locations
from imagesearch.pipeline import Dataset
from imagesearch_demo.scoring import PresenceQuery, Question, make_questions
from imagesearch_demo.scoring.measures import (
    Measurement,
    measure_faces,
    measure_places,
    measure_sentences,
    measure_times,
)
from imagesearch_demo.scoring.search_scores import QuestionOutcome, SearchEvaluation, choose_presence_queries


@pytest.fixture
def truth(built_album: BuiltAlbum) -> dict:
    """A copy of the ground truth that a test can change."""
    return copy.deepcopy(built_album.truth)


@pytest.fixture(scope="module")
def config(built_album: BuiltAlbum) -> Config:
    return load_config(built_album.config_file)


@pytest.fixture(scope="module")
def people(config: Config) -> People:
    return load_people(config, Dataset(config))


def list_changed_values(before: Measurement, after: Measurement) -> set[str]:
    return {name for name, value in after.values.items() if value != before.values[name]}


def test_two_people_of_one_name_lower_recall_and_one_of_two_names_lowers_precision(
    people: People, truth: dict
) -> None:
    faces = measure_faces(people, truth)
    assert faces.values["faces.bcubed_precision"] == 1, "the sums below require pure clusters"
    counts = Counter(person["name"] for photo in truth["photos"] for person in photo["people"])
    (one, a), (other, b) = counts.most_common(2)
    united, parted = copy.deepcopy(truth), copy.deepcopy(truth)
    for photo in united["photos"]:
        for person in photo["people"]:
            person["name"] = one if person["name"] == other else person["name"]
    for i, photo in enumerate(parted["photos"]):
        for person in photo["people"]:
            person["name"] += " too" if person["name"] == one and i % 2 else ""
    after = measure_faces(people, united)
    assert list_changed_values(faces, after) == {"faces.bcubed_recall", "faces.bcubed_f1", "faces.ari"}
    clustered = faces.values["faces.clustered"]
    assert faces.values["faces.bcubed_recall"] == 1 and clustered == counts.total()
    # each of the a faces misses b/(a + b) of its class, and the reverse
    loss = 2 * a * b / (a + b) / clustered
    assert after.values["faces.bcubed_recall"] == pytest.approx(1 - loss)
    (failure,) = (f for f in after.failures["faces.bcubed_recall"] if f.details["name"] == one)
    assert set(failure.details["clusters"]) >= {one, other}
    after = measure_faces(people, parted)
    assert "faces.bcubed_precision" in list_changed_values(faces, after)
    assert not {"faces.detection_recall", "faces.detection_precision"} & list_changed_values(faces, after)
    (failure,) = after.failures["faces.bcubed_precision"]
    assert set(failure.details["faces"]) == {one, f"{one} too"}


def test_a_face_at_a_wrong_position_lowers_detection(people: People, truth: dict) -> None:
    before = measure_faces(people, truth)
    drawn = sum(len(photo["people"]) for photo in truth["photos"])
    photo = next(photo for photo in truth["photos"] if len(photo["people"]) == 1)
    photo["people"][0]["box"] = [0, 0, 3, 3]
    after = measure_faces(people, truth)
    recall, precision = "faces.detection_recall", "faces.detection_precision"
    assert after.values[recall] == pytest.approx(before.values[recall] - 1 / drawn)
    assert after.values[precision] == pytest.approx(before.values[precision] - 1 / len(people.faces))
    assert photo["path"] in {failure.details["path"] for failure in after.failures[recall]}
    assert photo["path"] in {failure.details["path"] for failure in after.failures[precision]}


def test_without_people_there_is_nothing_to_measure(people: People, truth: dict) -> None:
    for photo in truth["photos"]:
        photo["people"] = []
    values = measure_faces(people, truth).values
    assert values["faces.detection_recall"] is None and values["faces.ari"] is None
    assert values["faces.detection_precision"] == 0


def test_a_wrong_city_or_country_lowers_only_its_value(config: Config, truth: dict) -> None:
    locations = read_locations(Dataset(config))
    before = measure_places(locations, truth)
    placed = [photo for photo in truth["photos"] if photo["latitude"] is not None]
    right = [
        p
        for p in placed
        if p["path"] not in {f.details["path"] for f in before.failures["places.city_accuracy"]}
    ]
    right[0]["city"], right[1]["country"] = "Atlantis", "Utopia"
    after = measure_places(locations, truth)
    for kind in ("city", "country"):
        name = f"places.{kind}_accuracy"
        assert after.values[name] == pytest.approx(before.values[name] - 1 / len(placed))
    assert {"Utopia"} == {f.details["country"] for f in after.failures["places.country_accuracy"]}
    right[2]["latitude"] = right[2]["longitude"] = None  # then the place in the dataset counts as invented
    again = measure_places(locations, truth)
    assert again.values["places.invented"] == 1
    assert again.failures["places.invented"][0].details["path"] == right[2]["path"]


def test_a_wrong_time_lowers_the_accuracy_of_times(config: Config, truth: dict) -> None:
    locations = read_locations(Dataset(config))
    assert measure_times(locations, truth).values == {"times.accuracy": 1.0}
    truth["photos"][3]["taken_at"] = "2019-01-01T00:00:01"
    after = measure_times(locations, truth)
    assert after.values["times.accuracy"] == pytest.approx(1 - 1 / 64)
    (failure,) = after.failures["times.accuracy"]
    assert failure.details["path"] == truth["photos"][3]["path"] in failure.message
    assert measure_times({}, truth).values == {"times.accuracy": 0.0}


def make_outcome(paths: list[str], candidates: set[str], is_detected: bool = True) -> QuestionOutcome:
    """Make the outcome of a sentence with the relevant photos a and b and the candidates a, b and c."""
    expected = frozenset("abc")
    question = Question(
        "text", date(2024, 5, 6), expected, frozenset("ab"), ("what",), lambda faces: expected
    )
    results = tuple(SimpleNamespace(path=path) for path in paths)
    answer = SimpleNamespace(results=results, read_as="read", notes=(), relaxed=())
    return QuestionOutcome(question, answer, frozenset(candidates), is_detected)


def test_a_wrong_answer_lists_wrong_and_missing_photos() -> None:
    outcomes = [make_outcome(["a", "b"], set("abc")), make_outcome(["a", "x", "b"], set("abxy"))]
    failures = measure_sentences(SearchEvaluation(outcomes, [])).failures
    (imprecise,) = failures["sentences.precision"]
    assert (imprecise.details["wrong"], imprecise.details["missing"]) == (["x"], ["b"])
    assert imprecise.details["precision"] == 0.5
    assert imprecise.message == "'text': relevant: 1 of the first 2 results"
    (inexact,) = failures["sentences.exact_filter"]
    assert (inexact.details["missing"], inexact.details["surplus"]) == (["c"], ["x", "y"])
    assert inexact.message == "'text': expected 3 photos to pass the filter; 2 surplus and 1 missing"


def test_exact_filters_are_also_counted_without_the_sentences_about_undetected_faces() -> None:
    outcomes = [
        make_outcome([], set("abc")),
        make_outcome([], set("abc")),
        make_outcome([], set("a")),
        make_outcome([], set("b"), is_detected=False),
    ]
    measured = measure_sentences(SearchEvaluation(outcomes, []))
    values = {name: measured.values[f"sentences.{name}"] for name in ("exact_filter", "detected")}
    assert values == {"exact_filter": 0.5, "detected": 0.75}
    assert measured.values["sentences.exact_filter_detected"] == pytest.approx(2 / 3, abs=1e-4)
    detected, undetected = measured.failures["sentences.exact_filter"]
    assert detected.details["detected"] and detected.message.endswith("filter; 2 missing")
    assert not undetected.details["detected"]
    assert undetected.message.endswith("filter; 2 missing; the stored faces differ from the ground truth")
    without = measure_sentences(SearchEvaluation(outcomes[-1:], [])).values
    assert without["sentences.exact_filter_detected"] is None and without["sentences.detected"] == 0


def test_a_question_finds_its_candidates_by_the_faces_that_it_is_given(truth: dict) -> None:
    faces = {photo["path"]: [person["name"] for person in photo["people"]] for photo in truth["photos"]}
    typed = {path: [name.upper() for name in names] for path, names in faces.items()}
    unnamed = {path: [""] * len(names) for path, names in faces.items()}
    questions = [question for question in make_questions(truth, 200) if question.candidates]
    assert all(q.find_candidates(faces) == q.find_candidates(typed) == q.candidates for q in questions)
    # numbers of people do not require names
    assert [q for q in questions if "who" in q.parts and q.find_candidates(unnamed) == q.candidates]
    for question in questions:
        expected = question.candidates if "who" not in question.parts else frozenset()
        is_about_nobody = any(words in question.text for words in ("nobody", "no people", "without people"))
        assert is_about_nobody or question.find_candidates({}) == expected, question.text


def test_wrong_verdicts_on_what_fits_are_listed() -> None:
    verdicts = [
        (PresenceQuery("plain", f"{is_present} {nothing_fits}", frozenset(), is_present), nothing_fits)
        for is_present in (True, False)
        for nothing_fits in (True, False)
    ]
    failures = measure_sentences(SearchEvaluation([], verdicts)).failures
    texts = {name: [f.details["text"] for f in found] for name, found in failures.items()}
    assert texts["nothing_fits.said_when_present"] == ["True True"]
    assert texts["nothing_fits.said_when_absent"] == ["False False"]


# --- small albums ------------------------------------------------------------------------------------------


def test_an_album_of_one_photo_gives_only_sentences_with_candidates(truth: dict) -> None:
    one = truth | {"photos": [photo for photo in truth["photos"] if photo["people"]][:1]}
    questions = make_questions(one, 40)
    assert 0 < len(questions) <= 32 and all(question.candidates for question in questions)
    bare = truth | {"photos": [{**photo, "people": [], "things": []} for photo in truth["photos"][:3]]}
    assert make_questions(bare, 10) and {s.is_present for s in choose_presence_queries(bare, 10)} == {
        True,
        False,
    }
