"""08_evaluate.py --truth: a drawn album that was built, beside the truth; and what lowers each figure."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from conftest import ROOT, BuiltAlbum, run_here

from imagesearch.config import Config, load_config
from imagesearch.errors import UserError
from imagesearch.faces import People, PeopleEditor, cluster_people, load_people
from imagesearch.geo import read_locations
from imagesearch.pipeline import Dataset
from imagesearch.store import Store, build_collections
from imagesearch_demo.scoring import draw_truth_report, evaluate_truth
from imagesearch_demo.scoring import truth_report as module
from imagesearch_demo.scoring.measures import (
    MeasuredStep,
    measure_faces,
    measure_places,
    measure_sentences,
    measure_times,
)
from imagesearch_demo.scoring.presence_queries import Sentence
from imagesearch_demo.scoring.questions import Question, make_questions
from imagesearch_demo.scoring.search_scores import AnsweredQuestions, Outcome, score_presence
from imagesearch_demo.scoring.truth_report import TruthMeasure, TruthReport

ASKED = 40  # sentences; the script asks 200
NAMES = {
    "faces": ("bcubed_precision", "bcubed_recall", "bcubed_f1", "ari"),
    "places": ("city_accuracy", "country_accuracy"),
    "times": ("accuracy",),
    "sentences": ("precision", "exact_filter", "relaxation_said"),
    "nothing_fits": ("said_when_absent", "said_when_present"),
}


def truth_file(album: BuiltAlbum) -> Path:
    return album.folder / "album.truth.json"


def rewritten(folder: Path, truth: dict) -> Path:
    file = folder / "changed.truth.json"
    file.write_text(json.dumps(truth), "utf-8")
    return file


def measured(album: BuiltAlbum, file: Path | None = None, count: int = ASKED) -> TruthReport:
    return evaluate_truth(load_config(album.config_file), file or truth_file(album), count=count)


def digests(folder: Path) -> dict[str, str]:
    """What is in each file, the locks of readers aside."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and file.name[0] != ".")
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture
def truth(built_album: BuiltAlbum) -> dict:
    """The truth, to be falsified."""
    return copy.deepcopy(built_album.truth)


@pytest.fixture
def album(built_album: BuiltAlbum, tmp_path: Path) -> BuiltAlbum:
    """The session's album, to be changed at will; the photos are the same ones."""
    for name in ("processed", "milvus.db"):
        shutil.copytree(built_album.folder / name, tmp_path / name)
    for name in ("config.yaml", "album.truth.json"):
        shutil.copy(built_album.folder / name, tmp_path)
    return BuiltAlbum(tmp_path, copy.deepcopy(built_album.truth))


# --- all of it ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report(built_album: BuiltAlbum) -> TruthReport:
    return measured(built_album)


def test_an_album_named_by_the_truth_is_asked_itself_and_reaches_its_aims(report: TruthReport) -> None:
    assert report.notes == [] and report.photos == 64
    figures = report.figures
    assert figures["faces.bcubed_f1"] >= 0.95 and figures["faces.ari"] >= 0.9, figures
    assert figures["faces.detection_recall"] >= 0.97 and figures["faces.detection_precision"] >= 0.97
    assert (
        figures["places.country_accuracy"] == figures["times.accuracy"] == 1
        and figures["places.invented"] == 0
    )
    assert figures["places.city_accuracy"] >= 0.95
    assert figures["sentences.precision"] >= 0.9 and figures["sentences.exact_filter"] >= 0.85, figures
    assert figures["sentences.relaxation_said"] == 1
    assert (
        figures["nothing_fits.said_when_absent"] >= 0.75 and figures["nothing_fits.said_when_present"] <= 0.15
    )


def test_json_has_the_figures_by_name_and_all_failures(report: TruthReport) -> None:
    said = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    for section, keys in NAMES.items():
        for key in keys:
            assert said[section][key] == round(report.figures[f"{section}.{key}"], 4)
    wrong = said["failures"]["nothing_fits.said_when_absent"]
    share = said["nothing_fits"]["said_when_absent"]
    assert len(wrong) == round((1 - share) * ASKED / 2) and all(f["text"] and f["kind"] for f in wrong)


def test_the_table_has_each_figure_with_its_aim_and_names_failures(report: TruthReport) -> None:
    lines = str(report).splitlines()
    rows = {line.split()[0]: line for line in lines[: len(report.figures) + 1]}
    assert set(rows) == {"measure", *report.figures}
    assert rows["times.accuracy"].split(None, 1)[1].strip() == "1.000  at least 1.00"
    assert rows["nothing_fits.said_when_present"].rstrip().removesuffix("  missed").endswith("at most 0.05")
    worse = TruthReport("a", 9, {"faces.bcubed_f1": 0.5, "times.accuracy": None}, {}, [])
    assert str(worse).splitlines()[1].endswith("0.500  at least 0.97  missed")
    assert str(worse).splitlines()[2].split() == ["times.accuracy", "-", "at", "least", "1.00"]


def test_two_runs_say_the_same(built_album: BuiltAlbum, report: TruthReport) -> None:
    assert measured(built_album).to_dict() == report.to_dict()


def test_the_script_prints_json_and_draws(
    built_album: BuiltAlbum, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = module.answer_questions
    monkeypatch.setattr(module, "answered", lambda s, t, count, seed, p: few(s, t, 10, seed, p))
    script = [str(ROOT / "scripts" / "08_evaluate.py"), "-c", str(built_album.config_file)]
    options = ["--truth", str(truth_file(built_album)), "--json", "--save", "figure.png", "--no-show"]
    done = run_here([*script, *options], tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert all(0 <= said[section][key] <= 1 for section, keys in NAMES.items() for key in keys)
    assert (tmp_path / "figure.png").is_file()
    done = run_here([*script, "--truth", "none.truth.json"], tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "none.truth.json" in done.stderr


# --- names, and the scratch copy ---------------------------------------------------------------------------


def test_wrong_names_are_noticed_and_neither_asked_nor_changed(
    album: BuiltAlbum, report: TruthReport
) -> None:
    config = load_config(album.config_file)
    dataset = Dataset(config)
    editor = PeopleEditor(config, dataset)
    for name, to in (("Maya", "Somebody"), ("Noor", "Maya"), ("Somebody", "Noor")):
        editor.name_person(name, to)
    editor.forget("Kim")
    cluster_people(config, dataset)
    with Store(config.milvus) as store:
        build_collections(config, dataset, store)
    before = digests(album.folder / "processed")
    found = measured(album)
    assert found.notes == [
        "Kim, Maya and Noor have no name or not the true one: sentences are asked of a scratch copy, "
        "in which everybody has their true name"
    ]
    assert digests(album.folder / "processed") == before
    # who is whom is said rightly in the copy, whatever names were exchanged: all is as with true names
    assert found.figures == report.figures


def test_names_that_the_collections_lack_are_not_held_against_them(album: BuiltAlbum) -> None:
    config = load_config(album.config_file)
    PeopleEditor(config, Dataset(config)).name_person("Maya", "MAYA")
    (note,) = measured(album, count=4).notes
    assert note.startswith("names have changed since 05_build_collections.py was run: ")


# --- photos that only one of the two knows -----------------------------------------------------------------


def test_photos_that_are_gone_are_left_out_and_said_to_be(
    built_album: BuiltAlbum, truth: dict, tmp_path: Path, report: TruthReport
) -> None:
    truth["photos"] += [{**photo, "path": f"gone/{photo['path']}"} for photo in truth["photos"][:7]]
    found = measured(built_album, rewritten(tmp_path, truth))
    assert len(found.notes) == 1 and found.notes[0].startswith(
        "7 of the 71 photos of changed.truth.json are not in "
    )
    assert found.figures == report.figures


def test_a_path_that_no_file_can_have_is_gone(
    built_album: BuiltAlbum, truth: dict, tmp_path: Path, report: TruthReport
) -> None:
    truth["photos"] += [{**truth["photos"][0], "path": path} for path in ("x" * 300, "a\0b", "\ud800")]
    found = measured(built_album, rewritten(tmp_path, truth))
    assert found.notes[0].startswith("3 of the 67 photos") and found.figures == report.figures


def test_photos_that_the_truth_does_not_know_are_left_out(
    built_album: BuiltAlbum, truth: dict, tmp_path: Path
) -> None:
    truth["photos"] = truth["photos"][8:]
    found = measured(built_album, rewritten(tmp_path, truth), count=20)
    assert found.photos == 56 and len(found.notes) == 2
    assert (
        found.notes[0].startswith("8 photos in ")
        and "are not of changed.truth.json: left out" in found.notes[0]
    )
    assert found.notes[1].startswith("the collections hold photos that are not the album's: ")
    assert (
        found.figures["sentences.exact_filter"] >= 0.85 and found.figures["faces.detection_precision"] >= 0.97
    )


# --- what lowers which figure ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def config(built_album: BuiltAlbum) -> Config:
    return load_config(built_album.config_file)


@pytest.fixture(scope="module")
def people(config: Config) -> People:
    return load_people(config, Dataset(config))


def lowered(before: MeasuredStep, after: MeasuredStep) -> set[str]:
    return {name for name, value in after.figures.items() if value != before.figures[name]}


def test_two_people_of_one_name_lower_recall_and_one_of_two_names_lowers_precision(
    people: People, truth: dict
) -> None:
    faces = measure_faces(people, truth)
    assert faces.figures["faces.bcubed_precision"] == 1, "the clusters are pure, or the sums below are others"
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
    assert lowered(faces, after) == {"faces.bcubed_recall", "faces.bcubed_f1", "faces.ari"}
    clustered = faces.figures["faces.clustered"]
    assert faces.figures["faces.bcubed_recall"] == 1 and clustered == counts.total()
    # each of a sees b/(a + b) of its class elsewhere, and the reverse
    loss = 2 * a * b / (a + b) / clustered
    assert after.figures["faces.bcubed_recall"] == pytest.approx(1 - loss)
    (failure,) = (f for f in after.failures["faces.bcubed_recall"] if f.details["name"] == one)
    assert set(failure.details["clusters"]) >= {one, other}
    after = measure_faces(people, parted)
    assert "faces.bcubed_precision" in lowered(faces, after)
    assert not {"faces.detection_recall", "faces.detection_precision"} & lowered(faces, after)
    (failure,) = after.failures["faces.bcubed_precision"]
    assert set(failure.details["faces"]) == {one, f"{one} too"}


def test_a_face_that_is_not_there_lowers_detection(people: People, truth: dict) -> None:
    before = measure_faces(people, truth)
    drawn = sum(len(photo["people"]) for photo in truth["photos"])
    photo = next(photo for photo in truth["photos"] if len(photo["people"]) == 1)
    photo["people"][0]["box"] = [0, 0, 3, 3]
    after = measure_faces(people, truth)
    recall, precision = "faces.detection_recall", "faces.detection_precision"
    assert after.figures[recall] == pytest.approx(before.figures[recall] - 1 / drawn)
    assert after.figures[precision] == pytest.approx(before.figures[precision] - 1 / len(people.faces))
    assert photo["path"] in {failure.details["path"] for failure in after.failures[recall]}
    assert photo["path"] in {failure.details["path"] for failure in after.failures[precision]}


def test_without_anybody_there_is_nothing_to_measure(people: People, truth: dict) -> None:
    for photo in truth["photos"]:
        photo["people"] = []
    figures = measure_faces(people, truth).figures
    assert figures["faces.detection_recall"] is None and figures["faces.ari"] is None
    assert figures["faces.detection_precision"] == 0


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
        assert after.figures[name] == pytest.approx(before.figures[name] - 1 / len(placed))
    assert {"Utopia"} == {f.details["country"] for f in after.failures["places.country_accuracy"]}
    right[2]["latitude"] = right[2]["longitude"] = None  # then the place that is known was invented
    again = measure_places(known, truth)
    assert again.figures["places.invented"] == 1
    assert again.failures["places.invented"][0].details["path"] == right[2]["path"]


def test_a_wrong_time_lowers_the_times(config: Config, truth: dict) -> None:
    known = read_locations(Dataset(config))
    assert measure_times(known, truth).figures == {"times.accuracy": 1.0}
    truth["photos"][3]["taken_at"] = "2019-01-01T00:00:01"
    after = measure_times(known, truth)
    assert after.figures["times.accuracy"] == pytest.approx(1 - 1 / 64)
    (failure,) = after.failures["times.accuracy"]
    assert failure.details["path"] == truth["photos"][3]["path"] in failure.said
    assert measure_times({}, truth).figures == {"times.accuracy": 0.0}


def outcome(first: list[str], passed: set[str]) -> Outcome:
    """A sentence that a and b are right for and a, b and c pass, answered somehow."""
    question = Question("text", date(2024, 5, 6), frozenset("abc"), frozenset("ab"), ("what",))
    results = tuple(SimpleNamespace(path=path) for path in first)
    answer = SimpleNamespace(results=results, read_as="read", notes=(), relaxed=())
    return Outcome(question, answer, frozenset(passed))


def test_a_weak_answer_names_what_is_wrong_and_what_is_missing() -> None:
    outcomes = [outcome(["a", "b"], set("abc")), outcome(["a", "x", "b"], set("abxy"))]
    failures = measure_sentences(AnsweredQuestions(outcomes, [])).failures
    (weak,) = failures["sentences.precision"]
    assert (weak.details["wrong"], weak.details["missing"]) == (["x"], ["b"])
    assert weak.details["precision"] == 0.5 and weak.said == "'text': right are 1 of the first 2"
    (loose,) = failures["sentences.exact_filter"]
    assert (loose.details["missing"], loose.details["surplus"]) == (["c"], ["x", "y"])
    assert loose.said == "'text': 3 photos should pass, 2 too many and 1 missing"


def test_what_is_said_to_fit_and_what_is_not_fails_where_it_is_wrong() -> None:
    said = [
        (Sentence("plain", f"{there} {nothing}", frozenset(), there), nothing)
        for there in (True, False)
        for nothing in (True, False)
    ]
    failures = measure_sentences(AnsweredQuestions([], said)).failures
    texts = {name: [f.details["text"] for f in found] for name, found in failures.items()}
    assert texts["nothing_fits.said_when_present"] == ["True True"]
    assert texts["nothing_fits.said_when_absent"] == ["False False"]


@pytest.mark.parametrize(
    ("value", "aim", "at_most", "missed"),
    [
        (0.9, 0.9, False, False),
        (0.89, 0.9, False, True),
        (0.91, 0.9, False, False),
        (0.05, 0.05, True, False),
        (0.06, 0.05, True, True),
        (0.04, 0.05, True, False),
        (None, 0.05, True, False),
        (0.5, None, False, False),
    ],
)
def test_an_aim_is_missed_from_its_own_side(
    value: float | None, aim: float | None, at_most: bool, missed: bool
) -> None:
    assert TruthMeasure("m", value, aim, at_most).is_missed is missed


# --- small albums ------------------------------------------------------------------------------------------


def test_an_album_of_one_photo_has_as_many_sentences_as_can_be_made(truth: dict) -> None:
    one = truth | {"photos": [photo for photo in truth["photos"] if photo["people"]][:1]}
    asked = make_questions(one, 40)
    assert 0 < len(asked) <= 32 and all(question.passing for question in asked), "no sentence passes it by"
    bare = truth | {"photos": [{**photo, "people": [], "things": []} for photo in truth["photos"][:3]]}
    assert make_questions(bare, 10) and {s.there for s in score_presence(bare, 10)} == {True, False}


# --- what the user can fix ---------------------------------------------------------------------------------


def without_time(truth: dict) -> None:
    del truth["photos"][1]["taken_at"]


def with_half_a_box(truth: dict) -> None:
    next(photo for photo in truth["photos"] if photo["people"])["people"][0]["box"] = [1, 2]


def with_a_box_of(value: object) -> Callable[[dict], None]:
    def change(truth: dict) -> None:
        next(photo for photo in truth["photos"] if photo["people"])["people"][0]["box"] = [0, 0, 1, value]

    return change


def with_paths_from(start: str) -> Callable[[dict], None]:
    def change(truth: dict) -> None:
        for i, photo in enumerate(truth["photos"]):
            photo["path"] = f"{start}{i}"

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (with_a_box_of(float("nan")), "has no valid 'people'"),
        (with_a_box_of(10**400), "has no valid 'people'"),
        (with_a_box_of(True), "has no valid 'people'"),
        (lambda truth: truth["photos"][4].update(latitude=float("inf")), "photo 5 has no valid 'latitude'"),
        (lambda truth: truth["photos"].append(truth["photos"][0]), "photo 65 is named twice"),
        (
            lambda truth: [p.update(path=f"{'x' * 300}{i}") for i, p in enumerate(truth["photos"])],
            "not those",
        ),
        (with_paths_from("\0"), "photos are not those"),
        (lambda truth: truth.update(complete=False), "cut short"),
        (lambda truth: truth.update(made_by="somebody"), "not the truth about a drawn album"),
        (lambda truth: truth.update(photos=[]), "names no photos"),
        (lambda truth: truth.update(photos={"a": 1}), "names no photos"),
        (without_time, "photo 2 has no valid 'taken_at'"),
        (with_half_a_box, "has no valid 'people'"),
        (
            lambda truth: truth.update(photos=[{**truth["photos"][0], "path": "a.jpg"}]),
            "photos are not those",
        ),
    ],
)
def test_a_truth_that_cannot_be_used_says_why(
    built_album: BuiltAlbum, truth: dict, tmp_path: Path, change: Callable[[dict], None], said: str
) -> None:
    change(truth)
    refused(built_album.config_file, rewritten(tmp_path, truth), said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        (b"", "not JSON"),
        (b"{\xff", "cannot be read"),
        (b"[]", "not the truth"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_file_that_is_no_truth_says_so(
    built_album: BuiltAlbum, tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "odd.truth.json"
    if content is not None:
        file.write_bytes(content)
    refused(built_album.config_file, file, said)


def test_the_albums_folder_in_place_of_its_truth_says_so(built_album: BuiltAlbum) -> None:
    refused(built_album.config_file, built_album.folder / "album", "album.truth.json beside it")


def test_steps_that_were_not_run_are_named_in_turn(album: BuiltAlbum) -> None:
    settings = yaml.safe_load(album.config_file.read_text("utf-8"))
    settings["dataset"]["processed"] = "elsewhere"
    album.config_file.write_text(yaml.safe_dump(settings), "utf-8")
    ready, folder = album.folder / "processed" / "album", album.folder / "elsewhere" / "album"
    folder.mkdir(parents=True)
    for script, *names in (
        ("01_extract_features.py", "clip", "vit", "classes"),
        ("02_cluster_faces.py", "faces"),
        ("04_extract_geo.py", "geo", "addresses.parquet"),
        ("05_build_collections.py", "vocabulary.json"),
        ("02_cluster_faces.py",),
    ):
        refused(album.config_file, truth_file(album), f"run {script} first")
        for name in names:
            copied = shutil.copytree if (ready / name).is_dir() else shutil.copy
            copied(ready / name, folder / name)


def refused(config_file: Path, file: Path, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        evaluate_truth(load_config(config_file), file)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


# --- the figure --------------------------------------------------------------------------------------------


def test_all_that_the_figure_says_is_in_it(report: TruthReport) -> None:
    figures = {**report.figures, "times.accuracy": None, "sentences.precision": 0.42}
    for name in ("album.truth.json", "a$very_{long}^name " * 20):
        figure = draw_truth_report(TruthReport(name, 240, figures, {}))
        figure.canvas.draw()
        axis = figure.axes[0]
        texts = [*axis.texts, *axis.get_yticklabels(), *axis.get_xticklabels(), axis._left_title]
        whole = figure.bbox
        for text in texts:
            box = text.get_window_extent()
            assert whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1, (
                text
            )
        values = [text.get_text() for text in axis.texts]
        assert "0.420" in values and values.count("nothing to measure") == 1
        shares = [name for name, value in figures.items() if not isinstance(value, int)]
        assert len(axis.get_yticklabels()) == len(shares)
        # of each bar its track too, of the one that was not measured only that
        assert len(axis.patches) == 2 * len(shares) - 1
        boxes = [label.get_window_extent() for label in axis.texts]
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
