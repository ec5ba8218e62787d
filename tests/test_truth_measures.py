"""What lowers which of the values that 08_evaluate.py --truth measures, and what is said to have failed."""

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
    """The truth, to be falsified."""
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
    assert faces.values["faces.bcubed_precision"] == 1, "the clusters are pure, or the sums below are others"
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
    # each of a sees b/(a + b) of its class elsewhere, and the reverse
    loss = 2 * a * b / (a + b) / clustered
    assert after.values["faces.bcubed_recall"] == pytest.approx(1 - loss)
    (failure,) = (f for f in after.failures["faces.bcubed_recall"] if f.details["name"] == one)
    assert set(failure.details["clusters"]) >= {one, other}
    after = measure_faces(people, parted)
    assert "faces.bcubed_precision" in list_changed_values(faces, after)
    assert not {"faces.detection_recall", "faces.detection_precision"} & list_changed_values(faces, after)
    (failure,) = after.failures["faces.bcubed_precision"]
    assert set(failure.details["faces"]) == {one, f"{one} too"}


def test_a_face_that_is_not_there_lowers_detection(people: People, truth: dict) -> None:
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


def test_without_anybody_there_is_nothing_to_measure(people: People, truth: dict) -> None:
    for photo in truth["photos"]:
        photo["people"] = []
    values = measure_faces(people, truth).values
    assert values["faces.detection_recall"] is None and values["faces.ari"] is None
    assert values["faces.detection_precision"] == 0


def test_a_wrong_place_lowers_what_it_is_wrong_about(config: Config, truth: dict) -> None:
    known = read_locations(Dataset(config))
    before = measure_places(known, truth)
    placed = [photo for photo in truth["photos"] if photo["latitude"] is not None]
    right = [
        p
        for p in placed
        if p["path"] not in {f.details["path"] for f in before.failures["places.city_accuracy"]}
    ]
    right[0]["city"], right[1]["country"] = "Atlantis", "Utopia"
    after = measure_places(known, truth)
    for kind in ("city", "country"):
        name = f"places.{kind}_accuracy"
        assert after.values[name] == pytest.approx(before.values[name] - 1 / len(placed))
    assert {"Utopia"} == {f.details["country"] for f in after.failures["places.country_accuracy"]}
    right[2]["latitude"] = right[2]["longitude"] = None  # then the place that is known was invented
    again = measure_places(known, truth)
    assert again.values["places.invented"] == 1
    assert again.failures["places.invented"][0].details["path"] == right[2]["path"]


def test_a_wrong_time_lowers_the_times(config: Config, truth: dict) -> None:
    known = read_locations(Dataset(config))
    assert measure_times(known, truth).values == {"times.accuracy": 1.0}
    truth["photos"][3]["taken_at"] = "2019-01-01T00:00:01"
    after = measure_times(known, truth)
    assert after.values["times.accuracy"] == pytest.approx(1 - 1 / 64)
    (failure,) = after.failures["times.accuracy"]
    assert failure.details["path"] == truth["photos"][3]["path"] in failure.message
    assert measure_times({}, truth).values == {"times.accuracy": 0.0}


def make_outcome(first: list[str], passed: set[str]) -> QuestionOutcome:
    """A sentence that a and b are right for and a, b and c pass, answered somehow."""
    question = Question("text", date(2024, 5, 6), frozenset("abc"), frozenset("ab"), ("what",))
    results = tuple(SimpleNamespace(path=path) for path in first)
    answer = SimpleNamespace(results=results, read_as="read", notes=(), relaxed=())
    return QuestionOutcome(question, answer, frozenset(passed))


def test_a_weak_answer_names_what_is_wrong_and_what_is_missing() -> None:
    outcomes = [make_outcome(["a", "b"], set("abc")), make_outcome(["a", "x", "b"], set("abxy"))]
    failures = measure_sentences(SearchEvaluation(outcomes, [])).failures
    (weak,) = failures["sentences.precision"]
    assert (weak.details["wrong"], weak.details["missing"]) == (["x"], ["b"])
    assert weak.details["precision"] == 0.5 and weak.message == "'text': right are 1 of the first 2"
    (loose,) = failures["sentences.exact_filter"]
    assert (loose.details["missing"], loose.details["surplus"]) == (["c"], ["x", "y"])
    assert loose.message == "'text': 3 photos should pass, 2 too many and 1 missing"


def test_what_is_said_to_fit_and_what_is_not_fails_where_it_is_wrong() -> None:
    said = [
        (PresenceQuery("plain", f"{there} {nothing}", frozenset(), there), nothing)
        for there in (True, False)
        for nothing in (True, False)
    ]
    failures = measure_sentences(SearchEvaluation([], said)).failures
    texts = {name: [f.details["text"] for f in found] for name, found in failures.items()}
    assert texts["nothing_fits.said_when_present"] == ["True True"]
    assert texts["nothing_fits.said_when_absent"] == ["False False"]


# --- small albums ------------------------------------------------------------------------------------------


def test_an_album_of_one_photo_has_as_many_sentences_as_can_be_made(truth: dict) -> None:
    one = truth | {"photos": [photo for photo in truth["photos"] if photo["people"]][:1]}
    asked = make_questions(one, 40)
    assert 0 < len(asked) <= 32 and all(question.candidates for question in asked), "no sentence passes it by"
    bare = truth | {"photos": [{**photo, "people": [], "things": []} for photo in truth["photos"][:3]]}
    assert make_questions(bare, 10) and {s.is_present for s in choose_presence_queries(bare, 10)} == {
        True,
        False,
    }
