"""The trips of an album's ground truth, and generated sentences about them.

The ground truth lists an album journey by journey. All photos of a journey belong to a trip, whether or not
they have a position.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial

import numpy as np

from imagesearch.text import normalize
from imagesearch_demo.drawing import Rng, pick_option
from imagesearch_demo.scoring.questions import Question, list_candidates, list_candidates_with

Photo = dict  # an entry of the ground truth
Condition = Callable[[Photo], bool]

_TODAY = date(2026, 2, 11)
_MAX_PAUSE = timedelta(days=4)  # between two photos of a journey
_MAX_ATTEMPTS = 50
_TRIPS = ("{} trip", "trip to {}", "holiday in {}")
_DAY = timedelta(days=1)


def list_true_trips(truth: dict) -> list[list[Photo]]:
    """Return the photos of each trip, in the order of the ground truth."""
    trips: list[list[Photo]] = []
    for photo in truth["photos"]:
        last = trips[-1][-1] if trips else None
        is_same = last is not None and last["place"] == photo["place"]
        if (
            last is not None
            and is_same
            and timedelta(0) <= _parse_time(photo) - _parse_time(last) <= _MAX_PAUSE
        ):
            trips[-1].append(photo)
        else:
            trips.append([photo])
    return trips


def make_trip_questions(truth: dict, count: int, seed: int = 0) -> list[Question]:
    """Make different sentences about the trips of an album, each with at least one candidate.

    Parameters
    ----------
    truth, count, seed
        See `imagesearch_demo.scoring.questions.make_questions`.
    """
    rng = np.random.default_rng([seed, 0x7217])
    trips = list_true_trips(truth)
    made: dict[str, Question] = {}
    for _ in range(_MAX_ATTEMPTS * count):
        if len(made) == count:
            break
        text, conditions, parts = _make_sentence(rng, trips)
        candidates = list_candidates(truth["photos"], conditions)
        if candidates and text not in made:
            find = partial(list_candidates_with, truth["photos"], conditions)
            made[text] = Question(text, _TODAY, candidates, candidates, parts, find)
    return list(made.values())


def _make_sentence(rng: Rng, trips: Sequence[list[Photo]]) -> tuple[str, list[Condition], tuple[str, ...]]:
    """Return a sentence, the conditions on its photos, and its parts."""
    trip = pick_option(rng, trips)
    photo = trip[int(rng.integers(len(trip)))]
    if rng.random() < 0.08:
        year = _parse_time(photo).year
        return f"trips in {year}", [lambda p: _parse_time(p).year == year], ("when",)
    words, meant = _make_trip(rng, trips, trip)
    names = [person["name"] for person in photo["people"]]
    way = rng.random()
    if way < 0.3 and names:
        name = names[0]
        who = [lambda p: any(person["name"] == name for person in p["people"])]
        return f"{name.lower()} on the {words}", [_is_in(meant), *who], ("who", "when")
    phrases: list[tuple[str, Callable[[list[Photo]], tuple[datetime, datetime]]]] = [
        ("the first day of the {}", lambda t: (_find_day(t, 0), _find_day(t, 0) + _DAY)),
        ("on the last day of the {}", lambda t: (_find_day(t, -1), _find_day(t, -1) + _DAY)),
    ]
    if way < 0.7:
        phrase, find_span = pick_option(rng, phrases)
        return phrase.format(words), [_is_in(meant), _is_between(meant, find_span)], ("when",)
    if way < 0.8 and len(meant) == 1:
        counted = pick_option(rng, ("the day before the {}", "the 20 days after the {}"))
        is_before = "before" in counted
        limits = _find_day(meant[0], 0) - _DAY, _find_day(meant[0], -1) + _DAY
        span = (limits[0], limits[0] + _DAY) if is_before else (limits[1], limits[1] + 20 * _DAY)
        return counted.format(words), [_is_between(meant, lambda t: span)], ("when",)
    lead = pick_option(rng, ("the ", "our ", "photos of our ", "during the "))
    return f"{lead}{words}", [_is_in(meant)], ("when",)


def _make_trip(rng: Rng, trips: Sequence[list[Photo]], trip: list[Photo]) -> tuple[str, list[list[Photo]]]:
    """Return words for a trip or several trips to a place, and these trips."""
    level = pick_option(rng, ("city", "state", "country"))
    name = trip[0][level]

    def is_there(other: list[Photo]) -> bool:
        return normalize(name) in {normalize(other[0][key]) for key in ("city", "state", "country")}

    meant = sorted(filter(is_there, trips), key=lambda t: _find_day(t, 0))
    way, words = rng.random(), pick_option(rng, _TRIPS).format(name.lower())
    if way < 0.4:
        year = _find_day(trip, 0).year
        in_year = [t for t in meant if any(_parse_time(p).year == year for p in t)]
        if all(_parse_time(p).year == year for t in in_year for p in t):
            return f"{words} in {year}", in_year
    if way < 0.6 and len(meant) > 1:
        order, index = pick_option(rng, (("first", 0), ("last", -1)))
        return f"{order} {words}", [meant[index]]
    return words, meant


def _is_in(trips: Sequence[list[Photo]]) -> Condition:
    paths = {photo["path"] for trip in trips for photo in trip}
    return lambda photo: photo["path"] in paths


def _is_between(
    trips: Sequence[list[Photo]], find_span: Callable[[list[Photo]], tuple[datetime, datetime]]
) -> Condition:
    spans = [find_span(trip) for trip in trips]
    return lambda photo: any(first <= _parse_time(photo) < end for first, end in spans)


def _find_day(trip: Sequence[Photo], index: int) -> datetime:
    """Return midnight of the first or the last day of a trip."""
    time = sorted(map(_parse_time, trip))[index]
    return datetime(time.year, time.month, time.day)


def _parse_time(photo: Photo) -> datetime:
    return datetime.fromisoformat(photo["taken_at"])


def iterate_pairs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of positions with the same number, without those of a negative number."""
    groups: dict[int, list[int]] = {}
    for position, number in enumerate(numbers):
        if number >= 0:
            groups.setdefault(number, []).append(position)
    for group in groups.values():
        yield from ((a, b) for n, a in enumerate(group) for b in group[n + 1 :])
