"""08_evaluate.py --truth: a built album against its ground truth; values, notes, figure and errors."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, BuiltAlbum, run_here

from imagesearch.config import load_config
from imagesearch.errors import UserError
from imagesearch.faces import PeopleEditor, cluster_people
from imagesearch.pipeline import Dataset
from imagesearch.store import Store, build_collections
from imagesearch_demo.scoring import draw_truth_report, evaluate_search, evaluate_truth, truth_report
from imagesearch_demo.scoring.truth_report import TruthMetric, TruthReport

SENTENCES = 40  # the script uses 200
NAMES = {
    "faces": ("bcubed_precision", "bcubed_recall", "bcubed_f1", "ari"),
    "places": ("city_accuracy", "country_accuracy"),
    "times": ("accuracy",),
    "sentences": (
        "precision",
        "exact_filter",
        "exact_filter_detected",
        "detected",
        "relaxation_said",
    ),
    "nothing_fits": ("said_when_absent", "said_when_present"),
}


def get_truth_file(album: BuiltAlbum) -> Path:
    return album.folder / "album.truth.json"


def write_truth(folder: Path, truth: dict) -> Path:
    file = folder / "changed.truth.json"
    file.write_text(json.dumps(truth), "utf-8")
    return file


def evaluate_album(album: BuiltAlbum, file: Path | None = None, count: int = SENTENCES) -> TruthReport:
    return evaluate_truth(load_config(album.config_file), file or get_truth_file(album), count=count)


def hash_files(folder: Path) -> dict[str, str]:
    """Return the hash of each file, without the locks of readers."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and file.name[0] != ".")
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture
def truth(built_album: BuiltAlbum) -> dict:
    """A copy of the ground truth that a test can change."""
    return copy.deepcopy(built_album.truth)


@pytest.fixture
def album(built_album: BuiltAlbum, tmp_path: Path) -> BuiltAlbum:
    """A copy of the session's album that a test can change; the photos are not copied."""
    for name in ("processed", "milvus.db"):
        shutil.copytree(built_album.folder / name, tmp_path / name)
    for name in ("config.yaml", "album.truth.json"):
        shutil.copy(built_album.folder / name, tmp_path)
    return BuiltAlbum(tmp_path, copy.deepcopy(built_album.truth))


# --- the report --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def report(built_album: BuiltAlbum) -> TruthReport:
    return evaluate_album(built_album)


def test_an_album_with_true_names_is_searched_itself_and_reaches_its_aims(report: TruthReport) -> None:
    assert report.notes == [] and report.photos == 64
    values = report.values
    assert values["faces.bcubed_f1"] >= 0.95 and values["faces.ari"] >= 0.9, values
    assert values["faces.detection_recall"] >= 0.97 and values["faces.detection_precision"] >= 0.97
    assert (
        values["places.country_accuracy"] == values["times.accuracy"] == 1 and values["places.invented"] == 0
    )
    assert values["places.city_accuracy"] >= 0.95
    assert values["sentences.precision"] >= 0.9 and values["sentences.exact_filter"] >= 0.85, values
    assert values["sentences.exact_filter_detected"] >= 0.9 and values["sentences.detected"] >= 0.9, values
    assert values["sentences.relaxation_said"] == 1
    assert (
        values["nothing_fits.said_when_absent"] >= 0.75 and values["nothing_fits.said_when_present"] <= 0.15
    )


def test_json_has_the_values_by_name_and_all_failures(report: TruthReport) -> None:
    printed = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    for section, keys in NAMES.items():
        for key in keys:
            assert printed[section][key] == round(report.values[f"{section}.{key}"], 4)
    wrong = printed["failures"]["nothing_fits.said_when_absent"]
    share = printed["nothing_fits"]["said_when_absent"]
    assert len(wrong) == round((1 - share) * SENTENCES / 2) and all(f["text"] and f["kind"] for f in wrong)


def test_the_table_has_each_value_with_its_aim_and_lists_failures(report: TruthReport) -> None:
    lines = str(report).splitlines()
    rows = {line.split()[0]: line for line in lines[: len(report.values) + 1]}
    assert set(rows) == {"measure", *report.values}
    assert rows["times.accuracy"].split(None, 1)[1].strip() == "1.000  at least 1.00"
    assert rows["nothing_fits.said_when_present"].rstrip().removesuffix("  missed").endswith("at most 0.05")
    worse = TruthReport("a", 9, {"faces.bcubed_f1": 0.5, "times.accuracy": None}, {}, [])
    assert str(worse).splitlines()[1].endswith("0.500  at least 0.97  missed")
    assert str(worse).splitlines()[2].split() == ["times.accuracy", "-", "at", "least", "1.00"]


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
def test_an_aim_is_a_minimum_or_a_maximum(
    value: float | None, aim: float | None, at_most: bool, missed: bool
) -> None:
    assert TruthMetric("m", value, aim, at_most).is_missed is missed


def test_two_runs_give_the_same_report(built_album: BuiltAlbum, report: TruthReport) -> None:
    assert evaluate_album(built_album).to_dict() == report.to_dict()


def test_the_script_prints_json_and_draws(
    built_album: BuiltAlbum, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        truth_report,
        "evaluate_search",
        lambda searcher, truth, count, seed, progress: evaluate_search(searcher, truth, 10, seed, progress),
    )
    script = [str(ROOT / "scripts" / "08_evaluate.py"), "-c", str(built_album.config_file)]
    options = ["--truth", str(get_truth_file(built_album)), "--json", "--save", "figure.png", "--no-show"]
    done = run_here([*script, *options], tmp_path)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert all(0 <= printed[section][key] <= 1 for section, keys in NAMES.items() for key in keys)
    assert (tmp_path / "figure.png").is_file()
    done = run_here([*script, "--truth", "none.truth.json"], tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "none.truth.json" in done.stderr


# --- names, and the temporary copy -------------------------------------------------------------------------


def test_wrong_names_are_reported_and_neither_searched_nor_changed(
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
    before = hash_files(album.folder / "processed")
    found = evaluate_album(album)
    assert found.notes == [
        "Kim, Maya and Noor have no name or a wrong one: "
        "the sentences run on a temporary copy with the true names"
    ]
    assert hash_files(album.folder / "processed") == before
    # the copy has the true names, although names were exchanged, so all values are the same
    assert found.values == report.values


def test_names_that_are_not_in_the_collections_yet_do_not_lower_the_values(album: BuiltAlbum) -> None:
    config = load_config(album.config_file)
    PeopleEditor(config, Dataset(config)).name_person("Maya", "MAYA")
    (note,) = evaluate_album(album, count=4).notes
    assert note.startswith("names have changed since the last run of 05_build_collections.py: ")


def test_faces_that_are_not_detected_do_not_lower_the_exact_filters_of_detected_faces(
    built_album: BuiltAlbum, truth: dict, tmp_path: Path, report: TruthReport
) -> None:
    box = next(photo for photo in truth["photos"] if photo["people"])["people"][0]["box"]
    empty = [photo for photo in truth["photos"] if not photo["people"]]
    for photo in empty:
        photo["people"] = [{"name": "Maya", "box": box, "landmarks": []}]
    found = evaluate_album(built_album, write_truth(tmp_path, truth))
    assert found.values["sentences.exact_filter"] < report.values["sentences.exact_filter"]
    assert found.values["sentences.detected"] < 0.95
    assert found.values["sentences.exact_filter_detected"] >= 0.9
    undetected = [f for f in found.failures["sentences.exact_filter"] if not f.details["detected"]]
    paths = {photo["path"] for photo in empty}
    assert undetected and all(
        paths & {*failure.details["missing"], *failure.details["surplus"]} for failure in undetected
    )


# --- photos that only the dataset or only the ground truth has ---------------------------------------------


def test_missing_photos_are_left_out_with_a_note(
    built_album: BuiltAlbum, truth: dict, tmp_path: Path, report: TruthReport
) -> None:
    truth["photos"] += [{**photo, "path": f"gone/{photo['path']}"} for photo in truth["photos"][:7]]
    found = evaluate_album(built_album, write_truth(tmp_path, truth))
    assert len(found.notes) == 1 and found.notes[0].startswith(
        "7 of the 71 photos of changed.truth.json are not in "
    )
    assert found.values == report.values


def test_a_path_that_no_file_can_have_is_a_missing_photo(
    built_album: BuiltAlbum, truth: dict, tmp_path: Path, report: TruthReport
) -> None:
    truth["photos"] += [{**truth["photos"][0], "path": path} for path in ("x" * 300, "a\0b", "\ud800")]
    found = evaluate_album(built_album, write_truth(tmp_path, truth))
    assert found.notes[0].startswith("3 of the 67 photos") and found.values == report.values


def test_photos_without_ground_truth_are_left_out(
    built_album: BuiltAlbum, truth: dict, tmp_path: Path
) -> None:
    truth["photos"] = truth["photos"][8:]
    found = evaluate_album(built_album, write_truth(tmp_path, truth), count=20)
    assert found.photos == 56 and len(found.notes) == 2
    assert (
        found.notes[0].startswith("8 photos in ")
        and "are not in changed.truth.json: left out" in found.notes[0]
    )
    assert found.notes[1].startswith("the collections contain photos that are not in the album: ")
    assert (
        found.values["sentences.exact_filter"] >= 0.85 and found.values["faces.detection_precision"] >= 0.97
    )


# --- errors that the user can fix --------------------------------------------------------------------------


def delete_time(truth: dict) -> None:
    del truth["photos"][1]["taken_at"]


def cut_box(truth: dict) -> None:
    next(photo for photo in truth["photos"] if photo["people"])["people"][0]["box"] = [1, 2]


def replace_box(value: object) -> Callable[[dict], None]:
    def change(truth: dict) -> None:
        next(photo for photo in truth["photos"] if photo["people"])["people"][0]["box"] = [0, 0, 1, value]

    return change


def replace_paths(start: str) -> Callable[[dict], None]:
    def change(truth: dict) -> None:
        for i, photo in enumerate(truth["photos"]):
            photo["path"] = f"{start}{i}"

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (replace_box(float("nan")), "has no valid 'people'"),
        (replace_box(10**400), "has no valid 'people'"),
        (replace_box(True), "has no valid 'people'"),
        (lambda truth: truth["photos"][4].update(latitude=float("inf")), "photo 5 has no valid 'latitude'"),
        (lambda truth: truth["photos"].append(truth["photos"][0]), "photo 65 is listed twice"),
        (
            lambda truth: [p.update(path=f"{'x' * 300}{i}") for i, p in enumerate(truth["photos"])],
            "none of its photos is in",
        ),
        (replace_paths("\0"), "none of its photos is in"),
        (lambda truth: truth.update(complete=False), "interrupted"),
        (lambda truth: truth.update(made_by="somebody"), "not the ground truth of a drawn album"),
        (lambda truth: truth.update(photos=[]), "lists no photos"),
        (lambda truth: truth.update(photos={"a": 1}), "lists no photos"),
        (delete_time, "photo 2 has no valid 'taken_at'"),
        (cut_box, "has no valid 'people'"),
        (
            lambda truth: truth.update(photos=[{**truth["photos"][0], "path": "a.jpg"}]),
            "none of its photos is in",
        ),
    ],
)
def test_an_invalid_ground_truth_is_refused_with_the_reason(
    built_album: BuiltAlbum, truth: dict, tmp_path: Path, change: Callable[[dict], None], message: str
) -> None:
    change(truth)
    check_refusal(built_album.config_file, write_truth(tmp_path, truth), message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"", "not JSON"),
        (b"{\xff", "cannot be read"),
        (b"[]", "not the ground truth"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_file_without_a_ground_truth_is_refused(
    built_album: BuiltAlbum, tmp_path: Path, content: bytes | None, message: str
) -> None:
    file = tmp_path / "odd.truth.json"
    if content is not None:
        file.write_bytes(content)
    check_refusal(built_album.config_file, file, message)


def test_the_albums_folder_instead_of_its_ground_truth_is_refused(built_album: BuiltAlbum) -> None:
    check_refusal(built_album.config_file, built_album.folder / "album", "album.truth.json beside it")


def test_steps_that_were_not_run_are_reported_one_after_another(album: BuiltAlbum) -> None:
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
        check_refusal(album.config_file, get_truth_file(album), f"run {script} first")
        for name in names:
            copied = shutil.copytree if (ready / name).is_dir() else shutil.copy
            copied(ready / name, folder / name)


def check_refusal(config_file: Path, file: Path, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        evaluate_truth(load_config(config_file), file)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


# --- the figure --------------------------------------------------------------------------------------------


def test_all_texts_are_inside_the_figure(report: TruthReport) -> None:
    values = {**report.values, "times.accuracy": None, "sentences.precision": 0.42}
    for name in ("album.truth.json", "a$very_{long}^name " * 20):
        figure = draw_truth_report(TruthReport(name, 240, values, {}))
        figure.canvas.draw()
        axis = figure.axes[0]
        texts = [*axis.texts, *axis.get_yticklabels(), *axis.get_xticklabels(), axis._left_title]
        whole = figure.bbox
        for text in texts:
            box = text.get_window_extent()
            assert whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1, (
                text
            )
        shown = [text.get_text() for text in axis.texts]
        assert "0.420" in shown and shown.count("nothing to measure") == 1
        shares = [name for name, value in values.items() if not isinstance(value, int)]
        assert len(axis.get_yticklabels()) == len(shares)
        # each bar has a track too; the value that was not measured has only a track
        assert len(axis.patches) == 2 * len(shares) - 1
        boxes = [label.get_window_extent() for label in axis.texts]
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
