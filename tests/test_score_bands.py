"""Score bands: relevance of hits, measured for a collection, independent of the model."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagesearch.features import CalibratedScores, ScoreBands
from imagesearch.features.reference_texts import ABSENT_TEXTS, EVERYDAY_TEXTS
from imagesearch.features.score_bands import measure_bands

THINGS, SIZE = 40, 64


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


class World:
    """Things with a direction each: photos of the first 20, captions of all; the rest is absent."""

    def __init__(self, photos: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.things = unit(rng.standard_normal((THINGS, SIZE)))
        self.shown = rng.integers(0, 20, photos)
        noise = rng.standard_normal((photos, SIZE)) / np.sqrt(SIZE)
        self.photos = unit(self.things[self.shown] + 0.4 * noise) if photos else np.empty((0, SIZE), "f4")
        self.everyday, self.absent = self.things[:30], self.things[30:]

    def bands(self) -> ScoreBands:
        return measure_bands(self.photos, self.everyday, self.absent)

    def ask(self, thing: int, among: np.ndarray | None = None, sample: bool = False) -> tuple:
        photos = self.photos if among is None else self.photos[among]
        scores = photos @ self.things[thing]
        order = np.argsort(-scores)
        verdict = self.bands().calibrate(scores[order], self.things[thing], self.photos if sample else None)
        return verdict, order


def test_all_photos_of_a_present_thing_are_relevant_and_none_of_an_absent_one() -> None:
    world = World(300)
    for thing in range(20):
        verdict, order = world.ask(thing)
        assert set(order[: verdict.relevant_count]) == set(np.flatnonzero(world.shown == thing))
    for thing in range(20, THINGS):
        assert world.ask(thing)[0].relevant_count == 0


def test_calibrated_scores_mean_the_same_and_keep_the_order() -> None:
    world = World(300)
    for thing in range(20):
        verdict, _ = world.ask(thing)
        assert np.all(np.diff(verdict.calibrated) <= 0)
        assert verdict.calibrated.min() >= 0 and verdict.calibrated.max() <= 1
        assert verdict.calibrated[0] >= 0.5
        assert np.array_equal(np.flatnonzero(verdict.calibrated >= 0.25), np.arange(verdict.relevant_count))
    assert max(world.ask(thing)[0].calibrated[0] for thing in range(20, THINGS)) < 0.5


@settings(max_examples=50, deadline=None)
@given(scale=st.floats(0.05, 20), offset=st.floats(-3, 3), thing=st.integers(0, THINGS - 1))
def test_other_units_change_no_decision(scale: float, offset: float, thing: int) -> None:
    world = World(120)
    photos = np.hstack([world.photos, np.ones((120, 1))]).astype(np.float64)
    texts = np.hstack([scale * world.things, np.full((THINGS, 1), offset)]).astype(np.float64)
    scores = -np.sort(-(photos @ texts[thing]))
    moved = measure_bands(photos, texts[:30], texts[30:]).calibrate(scores, texts[thing])
    plain, _ = world.ask(thing)
    assert moved.relevant_count == plain.relevant_count
    assert np.allclose(moved.calibrated, plain.calibrated, atol=1e-3)


def test_a_text_that_scores_higher_everywhere_is_judged_by_its_own_band() -> None:
    rng = np.random.default_rng(5)
    world = World(300)
    moves = rng.normal(0, 0.3, (THINGS, 1))
    photos = np.hstack([world.photos, np.ones((300, 1), np.float32)])
    texts = np.hstack([world.things, moves]).astype(np.float32)
    bands = measure_bands(photos, texts[:30], texts[30:])
    assert bands.slope > 0.5
    high = int(np.argmax(moves[20:30])) + 20  # no photo shows it
    scores = -np.sort(-(photos @ texts[high]))
    assert scores[0] > bands.calibrate(scores, texts[high]).relevance_threshold - 0.3
    assert bands.calibrate(scores, texts[high]).relevant_count == 0


def test_the_decision_is_the_same_for_few_photos_after_a_filter() -> None:
    world = World(300)
    without, with_one = np.flatnonzero(world.shown != 3)[:5], np.flatnonzero(world.shown == 3)[-1:]
    assert world.ask(3, without)[0].relevant_count == 0
    assert world.ask(3, without, sample=True)[0].relevant_count == 0
    verdict, order = world.ask(3, np.append(without, with_one), sample=True)
    assert verdict.relevant_count == 1 and order[0] == 5


def test_a_weaker_photo_is_relevant_if_the_sample_has_a_match() -> None:
    world = World(300)
    bands, query = world.bands(), world.things[3]
    verdict = bands.calibrate([], query)
    between = [(verdict.fit_threshold + verdict.relevance_threshold) / 2]
    assert bands.calibrate(between, query).relevant_count == 0
    assert bands.calibrate(between, query, world.photos).relevant_count == 1
    assert bands.calibrate(between, query, world.photos[world.shown != 3]).relevant_count == 0


@pytest.mark.parametrize("photos", [0, 1, 2, 5, 19, 20])
def test_tiny_collections(photos: int) -> None:
    world = World(photos)
    bands = world.bands()
    assert np.isfinite([bands.slope, bands.nowhere, bands.usual, bands.spread]).all()
    for thing in range(THINGS):
        verdict, order = world.ask(thing, sample=True)
        assert len(verdict.calibrated) == photos and np.isfinite(verdict.calibrated).all()
        shown = int((world.shown == thing).sum())
        assert (verdict.relevant_count > 0) == (shown > 0)
        assert set(world.shown[order[:shown]]) <= {thing}


def test_scores_that_are_all_equal() -> None:
    same = unit(np.ones((30, SIZE)))
    bands = measure_bands(same, World(1).everyday, World(1).absent)
    assert bands.spread == pytest.approx(0, abs=1e-6)
    verdict = bands.calibrate(same @ World(1).things[0], World(1).things[0])
    assert np.isfinite(verdict.calibrated).all() and verdict.relevant_count in (0, 30)
    assert np.ptp(verdict.calibrated) < 0.1  # equal but for rounding


def test_no_hits() -> None:
    verdict = World(50).bands().calibrate([], World(50).things[0])
    assert (
        isinstance(verdict, CalibratedScores)
        and verdict.relevant_count == 0
        and verdict.calibrated.shape == (0,)
    )


def test_many_photos_are_measured_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(100)
    whole = world.bands()
    monkeypatch.setattr("imagesearch.features.score_bands._BATCH_ROWS", 7)
    pieces = world.bands()
    assert np.allclose([pieces.usual, pieces.nowhere], [whole.usual, whole.nowhere], atol=1e-6)


def test_bands_are_the_same_after_json() -> None:
    bands = World(80).bands()
    again = ScoreBands.from_dict(json.loads(json.dumps(bands.to_dict())))
    assert np.allclose(again.centre, bands.centre, atol=1e-6)
    assert (again.slope, again.nowhere, again.usual, again.spread) == (
        bands.slope,
        bands.nowhere,
        bands.usual,
        bands.spread,
    )


def test_the_texts_are_different_and_plain() -> None:
    texts = EVERYDAY_TEXTS + ABSENT_TEXTS
    assert len(set(texts)) == len(texts)
    assert all(text == text.strip() and text.isascii() for text in texts)
