"""Evaluation of all steps on a drawn album, against its ground truth."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.evaluate import use_temporary_milvus
from imagesearch.faces import People, load_people
from imagesearch.geo import read_locations
from imagesearch.pipeline import Dataset, Progress
from imagesearch.search import Searcher
from imagesearch.store import (
    Store,
    Vocabulary,
    build_collections,
    find_dataset_trips,
    has_pending_edits,
)
from imagesearch.text_table import format_count, format_table
from imagesearch_demo.album import load_truth
from imagesearch_demo.scoring.measures import (
    Failure,
    Measurement,
    MetricValue,
    list_misnamed_people,
    measure_faces,
    measure_places,
    measure_sentences,
    measure_times,
    measure_trips,
)
from imagesearch_demo.scoring.model_scores import MIN_MODEL_SCORES
from imagesearch_demo.scoring.search_scores import (
    MAX_SEARCH_SCORES,
    MIN_SEARCH_SCORES,
    SearchEvaluation,
    evaluate_search,
    ignore_progress,
)
from imagesearch_demo.scoring.searchable_album import match_true_names, name_people

_STEP_SCRIPTS = {"clip": "01_extract_features.py", "faces": "02_cluster_faces.py", "geo": "04_extract_geo.py"}
_FAILURES_SHOWN = 3  # maximum for each value on the terminal

# The minimum of each value. Cities have no aim: positions are scattered around their place, and GeoNames may
# return the suburb of such a position.
MIN_SCORES = {
    "faces.detection_recall": MIN_MODEL_SCORES["detection_recall"],
    "faces.detection_precision": MIN_MODEL_SCORES["detection_precision"],
    "faces.bcubed_f1": MIN_MODEL_SCORES["cluster_f1"],
    "places.country_accuracy": 1.0,
    "times.accuracy": 1.0,
    "trips.pairwise_f1": 0.95,
    **MIN_SEARCH_SCORES,
}
MAX_SCORES = {"places.invented": 0, **MAX_SEARCH_SCORES}


@dataclass(frozen=True)
class TruthMetric:
    """A value with its aim.

    Attributes
    ----------
    name
        Section and key as in ``--json``, for example ``faces.bcubed_f1``.
    value
        A share between 0 and 1, or a count; None if there is nothing to measure.
    aim
        The minimum or maximum; None if there is no aim.
    at_most
        Whether the aim is a maximum.
    """

    name: str
    value: MetricValue
    aim: MetricValue = None
    at_most: bool = False

    @property
    def is_missed(self) -> bool:
        """Whether there is an aim, and it is not reached."""
        if self.value is None or self.aim is None:
            return False
        return self.value > self.aim if self.at_most else self.value < self.aim

    @property
    def aim_text(self) -> str:
        """The aim in words; "" if there is none."""
        if self.aim is None:
            return ""
        aim = f"{self.aim:.2f}" if isinstance(self.aim, float) else str(self.aim)
        return f"{'at most' if self.at_most else 'at least'} {aim}"


@dataclass(frozen=True)
class TruthReport:
    """The results of the steps on an album, measured against its ground truth.

    Attributes
    ----------
    album
        Name of the ground-truth file.
    photos
        Number of photos measured.
    values, failures
        Values and failures by name; see `imagesearch_demo.scoring.measures.Measurement`.
    notes
        Notes for the user, one line each.
    """

    album: str
    photos: int
    values: dict[str, MetricValue]
    failures: dict[str, list[Failure]]
    notes: Sequence[str] = ()

    @property
    def metrics(self) -> list[TruthMetric]:
        """The values with their aims, in the order in which they are shown."""
        return [
            TruthMetric(name, value, MAX_SCORES.get(name, MIN_SCORES.get(name)), name in MAX_SCORES)
            for name, value in self.values.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints: values by section and name, and all failures."""
        sections: dict[str, dict[str, MetricValue]] = {}
        for name, value in self.values.items():
            section, _, key = name.partition(".")
            sections.setdefault(section, {})[key] = round(value, 4) if isinstance(value, float) else value
        failures = {name: [f.to_dict() for f in found] for name, found in self.failures.items()}
        aims = {"at_least": MIN_SCORES, "at_most": MAX_SCORES}
        about = {"album": self.album, "photos": self.photos}
        return {**about, **sections, "aims": aims, "failures": failures, "notes": list(self.notes)}

    def __str__(self) -> str:
        rows = [(m.name, m.value, m.aim_text or None, "missed" if m.is_missed else "") for m in self.metrics]
        lines = [format_table(("measure", "value", "aim", ""), rows)]
        for name, failures in self.failures.items():
            lines += [f"\n{name}: {format_count(len(failures), 'failure')}"] if failures else []
            lines += [f"  {failure.message}" for failure in failures[:_FAILURES_SHOWN]]
            lines += [
                f"  and {len(failures) - _FAILURES_SHOWN} more" if len(failures) > _FAILURES_SHOWN else ""
            ]
        lines = [line for line in lines if line]
        more = any(len(failures) > _FAILURES_SHOWN for failures in self.failures.values())
        return "\n".join([*lines, *(["\n--json lists all failures"] if more else [])])


def evaluate_truth(
    config: Config, file: Path, *, count: int = 200, seed: int = 0, progress: Progress = ignore_progress
) -> TruthReport:
    """Measure the results of the steps on a drawn album against its ground truth.

    Faces, places and times are measured on the dataset as it is. Sentences contain names. So they run on the
    dataset only if all people in it have their true names, and otherwise on a temporary copy with the true
    names. The dataset itself is never changed.

    Parameters
    ----------
    config
        Config of the dataset, which requires steps 01, 02, 04 and 05.
    file
        ``ALBUM.truth.json``, as written by `imagesearch_demo.album.make_album`.
    count, seed
        Number of sentences, and the seed; see `imagesearch_demo.scoring.evaluate_search`.
    progress
        Wraps the sentences as they run.

    Raises
    ------
    UserError
        If the file is not the ground truth of an album, the dataset is of other photos, or a step has not
        been run.
    """
    truth = load_truth(file)
    dataset, truth, notes = _load_common_photos(config, file, truth)
    people = load_people(config, dataset)
    if len(people.faces) and not people.persons:
        raise UserError(f"{dataset.folder}: no faces are clustered yet; run {_STEP_SCRIPTS['faces']} first")
    notes += people.list_pending()
    locations = read_locations(dataset)
    evaluation, note = _answer_sentences(config, dataset, people, truth, count, seed, progress)
    parts: list[Measurement] = [
        measure_faces(people, truth),
        measure_places(locations, truth),
        measure_times(locations, truth),
        measure_sentences(evaluation),
        measure_trips(find_dataset_trips(dataset, locations), truth),
    ]
    values = {name: value for part in parts for name, value in part.values.items()}
    failures = {name: found for part in parts for name, found in part.failures.items()}
    return TruthReport(file.name, len(truth["photos"]), values, failures, [*notes, *note])


def _load_common_photos(config: Config, file: Path, truth: dict) -> tuple[Dataset, dict, list[str]]:
    """Load the photos that are both in the dataset and in the ground truth, and notes about the others."""
    everything = Dataset(config)
    available = {photo.path for photo in everything.photos}
    listed = {photo["path"] for photo in truth["photos"]}
    roots = ", ".join(map(str, everything.roots))
    if not available & listed:
        raise UserError(
            f"{file}: none of its photos is in {roots}; "
            "give the config of its album with -c, or set dataset.images to its folder"
        )
    dataset = Dataset(config, paths=listed)
    notes = []
    if missing := len(listed - available):
        are = "is" if missing == 1 else "are"
        notes.append(f"{missing} of the {len(listed)} photos of {file.name} {are} not in {roots}: left out")
    if additional := len(available - listed):
        are = "is" if additional == 1 else "are"
        notes.append(f"{format_count(additional, 'photo')} in {roots} {are} not in {file.name}: left out")
    for name, script in _STEP_SCRIPTS.items():
        if not dataset.read_current_entries(name):
            raise UserError(f"{dataset.folder}: the album's photos are not processed yet; run {script} first")
        if waiting := dataset.count_waiting(name):
            are = "is" if waiting == 1 else "are"
            notes.append(f"{format_count(waiting, 'photo')} {are} new or changed; run {script} again")
    if Vocabulary.read(dataset.folder) == Vocabulary():
        raise UserError(f"{dataset.folder}: no collections yet; run 05_build_collections.py first")
    return dataset, {**truth, "photos": [p for p in truth["photos"] if p["path"] in available]}, notes


# --- sentences ---------------------------------------------------------------------------------------------


def _answer_sentences(
    config: Config, dataset: Dataset, people: People, truth: dict, count: int, seed: int, progress: Progress
) -> tuple[SearchEvaluation, list[str]]:
    """Run the sentences on the dataset or on a temporary copy; also return a note about the copy."""
    reason = _explain_copy(dataset, people, truth)
    if not reason:
        with Store(config.milvus, create=False) as store:
            return evaluate_search(Searcher(config, dataset, store), truth, count, seed, progress), []
    note = f"{reason}: the sentences run on a temporary copy with the true names"
    with tempfile.TemporaryDirectory(prefix="imagesearch-") as folder:
        copy, copied = _copy_dataset(config, dataset, {photo["path"] for photo in truth["photos"]}, folder)
        if people.persons:
            name_people(copy, copied, truth)
        with Store(copy.milvus) as store:
            build_collections(copy, copied, store)
            return evaluate_search(Searcher(copy, copied, store), truth, count, seed, progress), [note]


def _explain_copy(dataset: Dataset, people: People, truth: dict) -> str:
    """Explain why the sentences cannot run on the dataset's own collections; "" if they can."""
    wrong = list_misnamed_people(people, match_true_names(people, truth))
    if wrong:
        *some, last = wrong if len(wrong) < 7 else [*wrong[:5], f"{len(wrong) - 5} more"]
        have = f"{', '.join(some)} and {last} have" if some else f"{last} has"
        return f"{have} no name or a wrong one"
    if has_pending_edits(dataset):
        return "names have changed since the last run of 05_build_collections.py"
    if len(Dataset(dataset.config).photos) > len(dataset.photos):
        return "the collections contain photos that are not in the album"
    return ""


def _copy_dataset(
    config: Config, dataset: Dataset, paths: Collection[str], folder: str
) -> tuple[Config, Dataset]:
    """Copy the tables of a dataset, without the user's edits of people, to build other collections."""
    processed = Path(folder) / "processed"
    left_out = shutil.ignore_patterns("previews", "people.jsonl", "trips.jsonl", ".*")
    shutil.copytree(dataset.folder, processed / config.dataset.name, ignore=left_out)
    copied = config.dataset.model_copy(update={"processed": processed})
    copy = use_temporary_milvus(config, folder).model_copy(update={"dataset": copied})
    return copy, Dataset(copy, paths=paths)
