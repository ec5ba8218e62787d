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
from imagesearch.features.score_bands import ABSENT_TEXTS, EVERYDAY_TEXTS, measure_bands
from imagesearch_demo.album import make_album
from imagesearch_demo.scoring.model_scores import MODELS, list_album_facts, read_photos
from imagesearch_demo.scoring.presence_queries import (
    UNKNOWN_IN_SCENE,
    PresenceQuery,
    Rng,
    make_presence_queries,
)


@dataclass(frozen=True)
class Asked:
    """A sentence and its raw scores; which of these photos match; the bands of the album they are of."""

    sentence: PresenceQuery
    vector: np.ndarray
    scores: np.ndarray
    match: np.ndarray
    bands: ScoreBands


def ask(
    vectors: np.ndarray,
    held: Sequence[set[str]],
    asked: Sequence[PresenceQuery],
    encode: Callable[[Sequence[str]], np.ndarray],
) -> list[Asked]:
    """Score every photo for every sentence, against the album that the sentence is about."""
    everyday, nowhere = encode(EVERYDAY_TEXTS), encode(ABSENT_TEXTS)
    bands: dict[frozenset[str], ScoreBands] = {}
    done = []
    for sentence, query in zip(asked, encode([s.text for s in asked]), strict=True):
        left = np.array([not sentence.without & f for f in held])
        if sentence.without not in bands:
            bands[sentence.without] = measure_bands(vectors[left], everyday, nowhere)
        scores = vectors[left] @ query
        match = np.array([sentence.claims <= f for f in held])[left]
        order = np.argsort(-scores, kind="stable")
        done.append(Asked(sentence, query, scores[order], match[order], bands[sentence.without]))
    return done


def through_filter(rng: Rng, asked: Asked, photos: np.ndarray) -> dict[str, CalibratedScores]:
    """Judge five photos that a filter left: with a match among them, and without one."""
    verdicts, right, wrong = {}, np.flatnonzero(asked.match), np.flatnonzero(~asked.match)
    for name, some in (("one matches", right), ("none matches", wrong)):
        if len(some) and len(wrong) > 4:
            five = np.sort([rng.choice(some), *rng.choice(wrong[wrong != some[0]], 4, replace=False)])
            verdicts[name] = asked.bands.calibrate(asked.scores[five], asked.vector, photos)
    return verdicts


def flat_threshold(asked: Sequence[Asked], most_missed: float = 0.05) -> float:
    """Return the raw score that says "nothing" oftenest without saying it of more of what is there."""
    return float(np.quantile([a.scores[0] for a in asked if a.sentence.is_present], most_missed))


Relevant = Callable[[Asked], int]


def by_bands(asked: Asked) -> int:
    return asked.bands.calibrate(asked.scores, asked.vector).relevant_count


def table(asked: Sequence[Asked], relevant: Relevant) -> dict[str, tuple[float, float, float]]:
    """By kind, and for all: share of "nothing fits", and mean precision and recall of what was found."""
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for a in asked:
        n, right = relevant(a), int(a.match.sum())
        hit = int(a.match[:n].sum())
        row = (float(n == 0), hit / n if n else np.nan, hit / right if n and right else np.nan)
        total = "all that is there" if a.sentence.is_present else "all that is not"
        for kind in (a.sentence.kind, *([total] if a.sentence.kind != UNKNOWN_IN_SCENE else [])):
            rows.setdefault(kind, []).append(row)
    return {
        kind: tuple(mean_of(column) for column in zip(*values, strict=True)) for kind, values in rows.items()
    }


def mean_of(values: Sequence[float]) -> float:
    known = [value for value in values if value == value]
    return statistics.mean(known) if known else np.nan


def show(title: str, asked: Sequence[Asked], methods: dict[str, Relevant]) -> None:
    """Print "nothing fits" by kind for some methods, and what is found."""
    print(f"\n{title}: {len(asked)} sentences\n")
    tables = {name: table(asked, method) for name, method in methods.items()}
    print("| kind | " + " | ".join(f"{name}: nothing fits | precision | recall" for name in tables) + " |")
    print("| --- |" + " --- | --- | --- |" * len(tables))
    for kind in sorted(next(iter(tables.values())), key=lambda kind: kind.startswith("all that")):
        cells = [f"{v:.2f}" if v == v else "" for t in tables.values() for v in t[kind]]
        print(f"| {kind} | " + " | ".join(cells) + " |")


def shifted(rng: Rng, texts: Callable, move: float, noise: float) -> tuple[Callable, Callable]:
    """Return encoders of photos and texts whose scores move by text, and scatter by photo and text.

    This is what a larger CLIP does and the demo's hardly: similarities of a text to all photos lie higher or
    lower from text to text, and the details of a photo add to them at random.
    """
    size, known = 256, {}

    def of_texts(lines: Sequence[str]) -> np.ndarray:
        for line in lines:
            if line not in known:
                known[line] = np.append(rng.standard_normal(size) / 16, move * rng.standard_normal())
        return np.hstack([texts(lines), np.stack([known[line] for line in lines])])

    def of_photos(vectors: np.ndarray) -> np.ndarray:
        scatter = noise * rng.standard_normal((len(vectors), size))
        return np.hstack([vectors, scatter, np.ones((len(vectors), 1))])

    return of_photos, of_texts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seeds", type=int, nargs="*", default=[8201, 8202, 8203, 8204, 8205])
    parser.add_argument("--photos", type=int, default=240)
    parser.add_argument("--each", type=int, default=17, help="sentences of each kind, and album")
    parser.add_argument("--cache", type=Path, help="keep the albums' vectors in this folder")
    args = parser.parse_args()
    clip = ClipEncoder(str(MODELS / "clip"), "cpu", "float32")
    plain: list[Asked] = []
    filtered: dict[str, list[bool]] = {}
    harder: dict[tuple[float, float], list[Asked]] = {(0.02, 0.0): [], (0.0, 0.02): [], (0.02, 0.01): []}
    for seed in args.seeds:
        vectors, truth = album(clip, seed, args.photos, args.cache)
        rng, held = np.random.default_rng(seed), list_album_facts(truth)
        asked = list(make_presence_queries(rng, truth, args.each))
        plain += (one := ask(vectors, held, asked, clip.encode_texts))
        said = table(one, by_bands)
        print(f"seed {seed}: of what is there {said['all that is there'][0]:.3f}, of what is not "
              f"{said['all that is not'][0]:.3f}; {one[0].bands.usual:.3f} {one[0].bands.spread:.4f} "
              f"{one[0].bands.nowhere:.3f} {one[0].bands.slope:.3f}", flush=True)  # fmt: skip
        for a in one:
            if a.sentence.kind != UNKNOWN_IN_SCENE:
                for name, verdict in through_filter(rng, a, vectors).items():
                    there = "the album has it" if a.sentence.is_present else "the album has none"
                    filtered.setdefault(f"{there}, {name}", []).append(verdict.relevant_count == 0)
        for (move, noise), done in harder.items():
            of_photos, of_texts = shifted(rng, clip.encode_texts, move, noise)
            done += ask(of_photos(vectors), held, asked, of_texts)
    report("As the model scores", plain)
    print('\nFive photos of a filter: "nothing fits"')
    for name, said in filtered.items():
        print(f"- {name}: {statistics.mean(said):.3f} of {len(said)}")
    for (move, noise), done in harder.items():
        report(f"Scores moved by {move} from text to text, scattered by {noise}", done)
    times = []
    for a in plain[:200]:
        start = time.perf_counter()
        a.bands.calibrate(a.scores[:201], a.vector)
        times.append(1000 * (time.perf_counter() - start))
    print(f"\njudging 201 hits: {statistics.median(times):.3f} ms")


def report(title: str, asked: Sequence[Asked]) -> None:
    least = flat_threshold(asked)
    show(title, asked, {"bands": by_bands, f"flat {least:.3f}": lambda a: int((a.scores >= least).sum())})


def album(clip: ClipEncoder, seed: int, photos: int, cache: Path | None) -> tuple[np.ndarray, dict]:
    """Draw an album and return its CLIP vectors and its truth; from the cache if it is there."""
    kept = cache / f"{seed}-{photos}.npz" if cache else None
    if kept and kept.is_file():
        with np.load(kept) as both:
            return both["vectors"], json.loads(str(both["truth"]))
    with tempfile.TemporaryDirectory() as folder:
        truth = make_album(Path(folder) / "album", photos, seed)
        vectors = np.stack(list(clip.embed(read_photos(Path(folder) / "album", truth))))
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, vectors=vectors, truth=json.dumps(truth))
    return vectors, truth


if __name__ == "__main__":
    main()
