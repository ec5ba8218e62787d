"""How well a search knows what fits and when nothing does, on freshly drawn albums.

    python benchmarks/relevance.py [SEED ...] [--photos 240] [--each 17] [--cache FOLDER]

Of each album's truth it makes sentences about what is there and about what is not, each kind equally often,
and asks `imagesearch.features.score_bands`. For sentences about a thing or a scene of which nothing is there,
the photos that show it are left out of the album. Beside it stands a flat threshold on the raw score: the
best there is, chosen on the very sentences it is measured on.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imagesearch.features import CalibratedScores, ClipEncoder, ScoreBands
from imagesearch.features.reference_texts import ABSENT_TEXTS, EVERYDAY_TEXTS
from imagesearch.features.score_bands import measure_bands
from imagesearch_demo.album import list_album_facts, make_album
from imagesearch_demo.drawing import Rng
from imagesearch_demo.scoring import (
    MODELS,
    UNKNOWN_IN_SCENE,
    PresenceQuery,
    make_presence_queries,
    read_photos,
)


@dataclass(frozen=True)
class ScoredQuery:
    """A query and its raw scores; which of these photos match; the bands of the album they are of."""

    query: PresenceQuery
    vector: np.ndarray
    scores: np.ndarray
    is_match: np.ndarray
    bands: ScoreBands


def score_queries(
    vectors: np.ndarray,
    facts: Sequence[set[str]],
    queries: Sequence[PresenceQuery],
    encode: Callable[[Sequence[str]], np.ndarray],
) -> list[ScoredQuery]:
    """Score every photo for every query, against the album that the query is about."""
    everyday, absent = encode(EVERYDAY_TEXTS), encode(ABSENT_TEXTS)
    bands: dict[frozenset[str], ScoreBands] = {}
    scored = []
    for query, vector in zip(queries, encode([query.text for query in queries]), strict=True):
        left = np.array([not query.without & own for own in facts])
        if query.without not in bands:
            bands[query.without] = measure_bands(vectors[left], everyday, absent)
        scores = vectors[left] @ vector
        is_match = np.array([query.claims <= own for own in facts])[left]
        order = np.argsort(-scores, kind="stable")
        scored.append(ScoredQuery(query, vector, scores[order], is_match[order], bands[query.without]))
    return scored


def judge_filtered(rng: Rng, scored: ScoredQuery, photos: np.ndarray) -> dict[str, CalibratedScores]:
    """Judge five photos that a filter left: with a match among them, and without one."""
    verdicts, right, wrong = {}, np.flatnonzero(scored.is_match), np.flatnonzero(~scored.is_match)
    for name, some in (("one matches", right), ("none matches", wrong)):
        if len(some) and len(wrong) > 4:
            five = np.sort([rng.choice(some), *rng.choice(wrong[wrong != some[0]], 4, replace=False)])
            verdicts[name] = scored.bands.calibrate(scored.scores[five], scored.vector, photos)
    return verdicts


def find_flat_threshold(scored: Sequence[ScoredQuery], most_missed: float = 0.05) -> float:
    """Return the raw score that says "nothing" oftenest without saying it of more of what is there."""
    return float(np.quantile([a.scores[0] for a in scored if a.query.is_present], most_missed))


RelevantCounter = Callable[[ScoredQuery], int]


def count_by_bands(scored: ScoredQuery) -> int:
    return scored.bands.calibrate(scored.scores, scored.vector).relevant_count


def summarize_kinds(
    scored: Sequence[ScoredQuery], count_relevant: RelevantCounter
) -> dict[str, tuple[float, float, float]]:
    """By kind, and for all: share of "nothing fits", and mean precision and recall of what was found."""
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for a in scored:
        n, right = count_relevant(a), int(a.is_match.sum())
        hit = int(a.is_match[:n].sum())
        row = (float(n == 0), hit / n if n else np.nan, hit / right if n and right else np.nan)
        total = "all that is there" if a.query.is_present else "all that is not"
        for kind in (a.query.kind, *([total] if a.query.kind != UNKNOWN_IN_SCENE else [])):
            rows.setdefault(kind, []).append(row)
    return {
        kind: tuple(compute_mean(column) for column in zip(*values, strict=True))
        for kind, values in rows.items()
    }


def compute_mean(values: Sequence[float]) -> float:
    known = [value for value in values if value == value]
    return statistics.mean(known) if known else np.nan


def print_table(title: str, scored: Sequence[ScoredQuery], methods: dict[str, RelevantCounter]) -> None:
    """Print "nothing fits" by kind for some methods, and what is found."""
    print(f"\n{title}: {len(scored)} sentences\n")
    tables = {name: summarize_kinds(scored, method) for name, method in methods.items()}
    print("| kind | " + " | ".join(f"{name}: nothing fits | precision | recall" for name in tables) + " |")
    print("| --- |" + " --- | --- | --- |" * len(tables))
    for kind in sorted(next(iter(tables.values())), key=lambda kind: kind.startswith("all that")):
        cells = [f"{v:.2f}" if v == v else "" for t in tables.values() for v in t[kind]]
        print(f"| {kind} | " + " | ".join(cells) + " |")


def make_shifted_encoders(rng: Rng, texts: Callable, move: float, noise: float) -> tuple[Callable, Callable]:
    """Return encoders of photos and texts whose scores move by text, and scatter by photo and text.

    This is what a larger CLIP does and the demo's hardly: similarities of a text to all photos lie higher or
    lower from text to text, and the details of a photo add to them at random.
    """
    size, known = 256, {}

    def encode_texts(lines: Sequence[str]) -> np.ndarray:
        for line in lines:
            if line not in known:
                known[line] = np.append(rng.standard_normal(size) / 16, move * rng.standard_normal())
        return np.hstack([texts(lines), np.stack([known[line] for line in lines])])

    def encode_photos(vectors: np.ndarray) -> np.ndarray:
        scatter = noise * rng.standard_normal((len(vectors), size))
        return np.hstack([vectors, scatter, np.ones((len(vectors), 1))])

    return encode_photos, encode_texts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seeds", type=int, nargs="*", default=[8201, 8202, 8203, 8204, 8205])
    parser.add_argument("--photos", type=int, default=240)
    parser.add_argument("--each", type=int, default=17, help="sentences of each kind, and album")
    parser.add_argument("--cache", type=Path, help="keep the albums' vectors in this folder")
    args = parser.parse_args()
    clip = ClipEncoder(str(MODELS / "clip"), "cpu", "float32")
    plain: list[ScoredQuery] = []
    filtered: dict[str, list[bool]] = {}
    harder: dict[tuple[float, float], list[ScoredQuery]] = {
        (0.02, 0.0): [],
        (0.0, 0.02): [],
        (0.02, 0.01): [],
    }
    for seed in args.seeds:
        vectors, truth = load_album(clip, seed, args.photos, args.cache)
        rng, facts = np.random.default_rng(seed), list_album_facts(truth)
        queries = list(make_presence_queries(rng, truth, args.each))
        plain += (scored := score_queries(vectors, facts, queries, clip.encode_texts))
        shares = summarize_kinds(scored, count_by_bands)
        bands = scored[0].bands
        print(f"seed {seed}: of what is there {shares['all that is there'][0]:.3f}, of what is not "
              f"{shares['all that is not'][0]:.3f}; {bands.usual:.3f} {bands.spread:.4f} "
              f"{bands.nowhere:.3f} {bands.slope:.3f}", flush=True)  # fmt: skip
        for one in scored:
            if one.query.kind != UNKNOWN_IN_SCENE:
                for name, verdict in judge_filtered(rng, one, vectors).items():
                    there = "the album has it" if one.query.is_present else "the album has none"
                    filtered.setdefault(f"{there}, {name}", []).append(verdict.relevant_count == 0)
        for (move, noise), done in harder.items():
            encode_photos, encode_texts = make_shifted_encoders(rng, clip.encode_texts, move, noise)
            done += score_queries(encode_photos(vectors), facts, queries, encode_texts)
    print_report("As the model scores", plain)
    print('\nFive photos of a filter: "nothing fits"')
    for name, nothing in filtered.items():
        print(f"- {name}: {statistics.mean(nothing):.3f} of {len(nothing)}")
    for (move, noise), done in harder.items():
        print_report(f"Scores moved by {move} from text to text, scattered by {noise}", done)
    print_judging_times()


def print_judging_times(photos: int = 50_000, sample_size: int = 500, repeats: int = 200) -> None:
    """Print what judging 201 hits takes, and its ratio to scoring the photos; timed in turn, medians."""
    rng = np.random.default_rng(0)
    vectors, query = (rng.standard_normal(shape, np.float32) for shape in ((photos, 512), 512))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    query /= np.linalg.norm(query)
    sample = vectors[:sample_size]
    bands = ScoreBands(sample.mean(axis=0), 0.1, 0.2, 0.3, 0.01)
    scores = -np.sort(-(sample @ query))[:201]
    calls: dict[str, Callable[[], object]] = {
        "scoring": lambda: vectors @ query,
        "judging": lambda: bands.calibrate(scores, query),
        "judging with a sample": lambda: bands.calibrate(scores, query, sample),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(1000 * (time.perf_counter() - start))
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"\nscoring {photos:,} photos: {medians['scoring']:.3f} ms")
    for name in ("judging", "judging with a sample"):
        print(f"{name}: {medians[name]:.3f} ms, {medians[name] / medians['scoring']:.4f} of that")


def print_report(title: str, scored: Sequence[ScoredQuery]) -> None:
    least = find_flat_threshold(scored)
    print_table(
        title,
        scored,
        {"bands": count_by_bands, f"flat {least:.3f}": lambda a: int((a.scores >= least).sum())},
    )


def load_album(clip: ClipEncoder, seed: int, photos: int, cache: Path | None) -> tuple[np.ndarray, dict]:
    """Draw an album and return its CLIP vectors and its truth; from the cache if it is there."""
    kept = cache / f"{seed}-{photos}.npz" if cache else None
    if kept and kept.is_file():
        with np.load(kept) as both:
            return both["vectors"], json.loads(str(both["truth"]))
    with tempfile.TemporaryDirectory() as folder:
        truth = make_album(Path(folder) / "album", photos, seed)
        vectors = np.stack(list(clip.encode_stream(read_photos(Path(folder) / "album", truth))))
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, vectors=vectors, truth=json.dumps(truth))
    return vectors, truth


if __name__ == "__main__":
    main()
