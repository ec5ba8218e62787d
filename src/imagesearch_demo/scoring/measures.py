"""Comparison of the results of all steps with the ground truth: faces, places, times, trips, sentences.

Each function returns values, and the failures that lower each value.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from imagesearch.evaluate import compare_clusterings
from imagesearch.faces import People
from imagesearch.geo import PhotoLocation
from imagesearch.photos import compute_photo_id
from imagesearch.text import normalize
from imagesearch.text_table import format_count
from imagesearch.trips import Trip
from imagesearch_demo.scoring.model_scores import match_faces
from imagesearch_demo.scoring.search_scores import TOP, QuestionOutcome, SearchEvaluation
from imagesearch_demo.scoring.trip_questions import iterate_pairs, list_true_trips

MetricValue = float | int | None


@dataclass(frozen=True)
class Failure:
    """A failure: a message of one line, and the details for ``--json``."""

    message: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {"said": self.message, **self.details}


@dataclass(frozen=True)
class Measurement:
    """Values by name, None if there is nothing to measure; and by the same names the failures."""

    values: dict[str, MetricValue]
    failures: dict[str, list[Failure]]


# --- faces -------------------------------------------------------------------------------------------------


def measure_faces(people: People, truth: dict) -> Measurement:
    """Compare the detected faces and their clusters with the drawn people.

    A detected face matches a drawn person if the intersection over union of their boxes is at least 0.5; each
    of them is matched at most once. BCubed and ARI are computed on the matched faces that are clustered.
    False detections are not included, because they have no true class: a class for each would reward a
    program that leaves its false detections in clusters of one. Detection precision counts them. Matched
    faces that are too small to be clustered are not included either; they are counted separately.

    Parameters
    ----------
    people
        The people in the album's photos, without other photos.
    truth
        The ground truth, as described in `imagesearch_demo.album.writer`.
    """
    boxes: dict[str, list[dict]] = {photo["path"]: [] for photo in truth["photos"]}
    for row in range(len(people.faces)):
        boxes[people.faces.get_photo(row).path].append({"box": people.faces.boxes[row], "row": row})
    pairs = match_faces([boxes[photo["path"]] for photo in truth["photos"]], truth)
    name_of = {face["row"]: person["name"] for face, person in pairs}
    numbers = people.label_faces()[1]
    rows = np.asarray([row for row in sorted(name_of) if numbers[row] >= 0], np.int64)
    names = np.asarray([name_of[row] for row in rows.tolist()])
    drawn = sum(len(photo["people"]) for photo in truth["photos"])
    agreement = compare_clusterings(numbers[rows], names) if len(rows) else None
    values: dict[str, MetricValue] = {
        "faces.detection_recall": _compute_share(len(pairs), drawn),
        "faces.detection_precision": _compute_share(len(pairs), len(people.faces)),
        "faces.bcubed_precision": agreement and agreement.precision,
        "faces.bcubed_recall": agreement and agreement.recall,
        "faces.bcubed_f1": agreement and agreement.f1,
        "faces.ari": agreement and agreement.ari,
        "faces.clustered": len(rows),
        "faces.unclustered": len(pairs) - len(rows),
    }
    matched = {id(person) for _, person in pairs}
    failures = {
        "faces.detection_recall": list(_list_missed_faces(truth, matched)),
        "faces.detection_precision": list(_list_false_faces(people, name_of)),
        "faces.bcubed_precision": list(_list_mixed_clusters(people, rows, names)),
        "faces.bcubed_recall": list(_list_split_people(people, rows, names)),
    }
    return Measurement(values, failures)


def list_misnamed_people(people: People, names: Sequence[str]) -> list[str]:
    """List the people whose largest cluster has no name or a wrong name.

    Parameters
    ----------
    people
        The clusters, with the names given in the dataset.
    names
        The true name of each face; "" if nobody was drawn there.
    """
    largest: dict[str, tuple[int, str]] = {}
    for person in people.persons:
        for name, count in Counter(names[row] for row in person.rows.tolist()).items():
            largest[name] = max(largest.get(name, (0, "")), (count, person.name))
    return [name for name in sorted(largest) if name and normalize(largest[name][1]) != normalize(name)]


def _list_missed_faces(truth: dict, matched: set[int]) -> Iterable[Failure]:
    for photo in truth["photos"]:
        for person in photo["people"]:
            if id(person) not in matched:
                left, top, right, bottom = person["box"]
                size = f"{right - left:.0f} x {bottom - top:.0f} pixels"
                details = {"path": photo["path"], "name": person["name"], "box": person["box"]}
                yield Failure(f"not detected: {person['name']} in {photo['path']}, {size}", details)


def _list_false_faces(people: People, name_of: Mapping[int, str]) -> Iterable[Failure]:
    for row in range(len(people.faces)):
        if row not in name_of:
            box = [round(v, 1) for v in people.faces.boxes[row].tolist()]
            path, score = people.faces.get_photo(row).path, round(float(people.faces.scores[row]), 3)
            details = {"path": path, "box": box, "score": score}
            yield Failure(f"false detection: {path}, at {box[0]:.0f}, {box[1]:.0f}", details)


def _list_mixed_clusters(people: People, rows: np.ndarray, names: np.ndarray) -> Iterable[Failure]:
    """List clusters that contain several people."""
    for person in people.persons:
        clustered = np.isin(rows, person.rows)
        counts = dict(Counter(names[clustered].tolist()).most_common())
        if len(counts) > 1:
            others = names[clustered] != next(iter(counts))
            paths = [people.faces.get_photo(row).path for row in rows[clustered][others].tolist()]
            details = {"number": person.number, "label": person.label, "faces": counts, "paths": paths}
            yield Failure(
                f"cluster {person.label} contains {_format_counts(counts)}: {_format_paths(paths)}", details
            )


def _list_split_people(people: People, rows: np.ndarray, names: np.ndarray) -> Iterable[Failure]:
    """List people whose faces are in several clusters."""
    labels, _ = people.label_faces()
    for name in sorted(set(names.tolist())):
        own_rows = rows[names == name].tolist()
        counts = dict(Counter(labels[row] for row in own_rows).most_common())
        if len(counts) > 1:
            others = [row for row in own_rows if labels[row] != next(iter(counts))]
            paths = [people.faces.get_photo(row).path for row in others]
            details = {"name": name, "clusters": counts, "paths": paths}
            yield Failure(
                f"{name} is in {len(counts)} clusters, {_format_counts(counts)}: {_format_paths(paths)}",
                details,
            )


# --- places and times --------------------------------------------------------------------------------------


def measure_places(locations: Mapping[int, PhotoLocation], truth: dict) -> Measurement:
    """Compare the places of photos with a position with the ground truth, and count invented ones of others.

    A city is correct if it is any of the cities in the address, because a search finds all of them: a
    position can be in a suburb and in the city around it.

    Parameters
    ----------
    locations
        Locations by photo id, as returned by `imagesearch.geo.read_locations`.
    truth
        The ground truth, as described in `imagesearch_demo.album.writer`.
    """
    wrong: dict[str, list[Failure]] = {"city": [], "country": []}
    invented: list[Failure] = []
    placed = 0
    for photo in truth["photos"]:
        location = locations.get(compute_photo_id(photo["path"]))
        if photo["latitude"] is None:
            if location and (location.metadata.latitude is not None or location.address.places):
                found = location.address.address or "a position"
                line = f"{photo['path']}: expected no position, found {found}"
                invented.append(Failure(line, {"path": photo["path"], "found": location.address.address}))
            continue
        placed += 1
        places = location.address.places if location else ()
        for kind, failures in wrong.items():
            if (normalize(photo[kind]), kind) not in {(normalize(name), of) for name, of in places}:
                found = _describe_place(location)
                details = {"path": photo["path"], kind: photo[kind], "found": found}
                failures.append(Failure(f"{photo['path']}: expected {photo[kind]}, found {found}", details))
    values: dict[str, MetricValue] = {
        f"places.{kind}_accuracy": _compute_share(placed - len(failures), placed)
        for kind, failures in wrong.items()
    }
    by_value = {f"places.{kind}_accuracy": failures for kind, failures in wrong.items()}
    return Measurement(values | {"places.invented": len(invented)}, by_value | {"places.invented": invented})


def _describe_place(location: PhotoLocation | None) -> str:
    if location is None or location.metadata.latitude is None:
        return "no position"
    return location.address.address or "no address"


def measure_times(locations: Mapping[int, PhotoLocation], truth: dict) -> Measurement:
    """Compare the times of the photos with the ground truth, to the second."""
    failures = []
    for photo in truth["photos"]:
        location = locations.get(compute_photo_id(photo["path"]))
        found = location.metadata.taken_at if location else None
        if found != datetime.fromisoformat(photo["taken_at"]):
            found_text = found.isoformat() if found else "no time"
            details = {"path": photo["path"], "taken_at": photo["taken_at"], "found": found_text}
            message = f"{photo['path']}: expected {photo['taken_at']}, found {found_text}"
            failures.append(Failure(message, details))
    count = len(truth["photos"])
    return Measurement(
        {"times.accuracy": _compute_share(count - len(failures), count)}, {"times.accuracy": failures}
    )


def measure_trips(trips: Sequence[Trip], truth: dict) -> Measurement:
    """Compare the trips that were found with those of the ground truth, by pairs of photos of one trip."""
    true_trips = list_true_trips(truth)
    position_by_id = {
        compute_photo_id(photo["path"]): n for n, photo in enumerate(p for trip in true_trips for p in trip)
    }
    true_numbers = [number for number, trip in enumerate(true_trips) for _ in trip]
    found = [-1] * len(true_numbers)
    for number, trip in enumerate(trips):
        for photo in trip.photos:
            if photo.photo_id in position_by_id:
                found[position_by_id[photo.photo_id]] = number
    true_pairs, found_pairs = (set(iterate_pairs(numbers)) for numbers in (true_numbers, found))
    right = len(true_pairs & found_pairs)
    values: dict[str, MetricValue] = {
        "trips.pairwise_precision": _compute_share(right, len(found_pairs)),
        "trips.pairwise_recall": _compute_share(right, len(true_pairs)),
        "trips.pairwise_f1": _compute_share(2 * right, len(true_pairs) + len(found_pairs)),
    }
    failures = list(_list_wrong_trips(true_trips, found, trips))
    return Measurement(values, {"trips.pairwise_f1": failures})


def _list_wrong_trips(
    true_trips: Sequence[Sequence[dict]], found: Sequence[int], trips: Sequence[Trip]
) -> Iterable[Failure]:
    """List the trips of the ground truth that were divided, or lack photos."""
    numbers = iter(found)
    for trip in true_trips:
        counts = Counter(trips[n].name if n >= 0 else "no trip" for n in (next(numbers) for _ in trip))
        if len(counts) > 1:
            name = f"{trip[0]['place']}, {trip[0]['taken_at'][:10]}"
            message = f"the trip to {name} is in {_format_counts(counts)}"
            yield Failure(message, {"place": trip[0]["place"], "first": trip[0]["taken_at"], "found": counts})


# --- sentences ---------------------------------------------------------------------------------------------


def measure_sentences(evaluation: SearchEvaluation) -> Measurement:
    """Return the values of a search evaluation, and list the wrong answers, worst first."""
    values: dict[str, MetricValue] = {
        name: None if math.isnan(value) else value for name, value in evaluation.values.items()
    }
    outcomes = evaluation.outcomes
    imprecise = [o for o in outcomes if o.precision is not None and o.precision < 1]
    inexact = [o for o in outcomes if o.question.candidates and not o.is_exact]
    of_trips = [o for o in evaluation.trip_outcomes if not o.is_exact]
    failures = {
        "sentences.precision": [
            _describe_imprecise(o) for o in sorted(imprecise, key=lambda o: o.precision or 0)
        ],
        "sentences.exact_filter": [_describe_inexact(o) for o in inexact],
        "trips.exact_filter": [_describe_inexact(o) for o in of_trips],
        "sentences.relaxation_said": [
            _make_question_failure(o, "the answer does not report that no photo passes")
            for o in outcomes
            if not o.question.candidates and not o.reports_relaxation
        ],
    }
    for name, is_present in (("absent", False), ("present", True)):
        failures[f"nothing_fits.said_when_{name}"] = [
            Failure(f"{query.text!r} ({query.kind})", {"text": query.text, "kind": query.kind})
            for query, nothing_fits in evaluation.verdicts
            if query.is_present == is_present and nothing_fits == is_present
        ]
    return Measurement(values, failures)


def _make_question_failure(outcome: QuestionOutcome, line: str, **details: Any) -> Failure:
    text, today = outcome.question.text, outcome.question.today.isoformat()
    read_as = outcome.answer.read_as
    return Failure(f"{text!r}: {line}", {"text": text, "today": today, "read_as": read_as, **details})


def _describe_imprecise(outcome: QuestionOutcome) -> Failure:
    relevant = outcome.question.relevant
    depth = min(TOP, len(relevant))
    first = [result.path for result in outcome.answer.results[:depth]]
    wrong, missing = [path for path in first if path not in relevant], sorted(relevant - set(first))
    line = f"relevant: {len(relevant & set(first))} of the first {depth} results"
    return _make_question_failure(
        outcome, line, precision=round(outcome.precision or 0.0, 4), wrong=wrong, missing=missing
    )


def _describe_inexact(outcome: QuestionOutcome) -> Failure:
    missing = sorted(outcome.question.candidates - outcome.candidates)
    surplus = sorted(outcome.candidates - outcome.question.candidates)
    counts = ((len(surplus), "surplus"), (len(missing), "missing"))
    differences = [f"{count} {kind}" for count, kind in counts if count]
    expected = f"expected {format_count(len(outcome.question.candidates), 'photo')} to pass the filter"
    line = f"{expected}; {' and '.join(differences)}"
    line += "" if outcome.is_detected else "; the stored faces differ from the ground truth"
    return _make_question_failure(
        outcome, line, detected=outcome.is_detected, missing=missing, surplus=surplus
    )


# --- details -----------------------------------------------------------------------------------------------


def _compute_share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _format_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in counts.items())


def _format_paths(paths: Sequence[str]) -> str:
    return ", ".join(paths[:2]) + (f" and {len(paths) - 2} more" if len(paths) > 2 else "")
