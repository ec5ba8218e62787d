"""Quality of the "nothing fits" verdict and of the relevant photos, on drawn albums.

    python benchmarks/relevance.py [SEED ...] [--photos 240] [--each 17] [--cache FOLDER]

From the ground truth of each album, the program makes queries about what the album shows and does not show,
equally many of each kind. `imagesearch.features.score_bands` judges them. For some queries about a thing or a
scene, the photos that show it are left out of the album. The baseline is a fixed threshold on the raw score.
It is the best possible one, because it is chosen on the same queries that it is measured on.
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
    """A query, its raw scores, best first, whether each photo matches, and the score bands of the album."""

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
    """Score the photos for each query, without those that the query leaves out."""
    everyday, absent = encode(EVERYDAY_TEXTS), encode(ABSENT_TEXTS)
    bands: dict[frozenset[str], ScoreBands] = {}
    scored = []
    for query, vector in zip(queries, encode([query.text for query in queries]), strict=True):
        is_included = np.array([not query.without & photo for photo in facts])
        if query.without not in bands:
            bands[query.without] = measure_bands(vectors[is_included], everyday, absent)
        scores = vectors[is_included] @ vector
        is_match = np.array([query.claims <= photo for photo in facts])[is_included]
        order = np.argsort(-scores, kind="stable")
        scored.append(ScoredQuery(query, vector, scores[order], is_match[order], bands[query.without]))
    return scored


def judge_filtered(rng: Rng, scored: ScoredQuery, photos: np.ndarray) -> dict[str, CalibratedScores]:
    """Judge five photos, like those that pass a filter: with one match among them, and with none."""
    verdicts, matches, others = {}, np.flatnonzero(scored.is_match), np.flatnonzero(~scored.is_match)
    for name, first in (("one matches", matches), ("none matches", others)):
        if len(first) and len(others) > 4:
            five = np.sort([rng.choice(first), *rng.choice(others[others != first[0]], 4, replace=False)])
            verdicts[name] = scored.bands.calibrate(scored.scores[five], scored.vector, photos)
    return verdicts


def find_flat_threshold(scored: Sequence[ScoredQuery], most_missed: float = 0.05) -> float:
    """Return the highest threshold that gives "nothing fits" for at most a share of the present queries."""
    return float(np.quantile([a.scores[0] for a in scored if a.query.is_present], most_missed))


RelevantCounter = Callable[[ScoredQuery], int]


def count_by_bands(scored: ScoredQuery) -> int:
    return scored.bands.calibrate(scored.scores, scored.vector).relevant_count


def summarize_kinds(
    scored: Sequence[ScoredQuery], count_relevant: RelevantCounter
) -> dict[str, tuple[float, float, float]]:
    """Return, by kind and in total, the share of "nothing fits", and mean precision and recall otherwise."""
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for a in scored:
        n, matches = count_relevant(a), int(a.is_match.sum())
        found = int(a.is_match[:n].sum())
        row = (float(n == 0), found / n if n else np.nan, found / matches if n and matches else np.nan)
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
    """Print the share of "nothing fits", precision and recall of some methods, by kind of query."""
    print(f"\n{title}: {len(scored)} sentences\n")
    tables = {name: summarize_kinds(scored, method) for name, method in methods.items()}
    print("| kind | " + " | ".join(f"{name}: nothing fits | precision | recall" for name in tables) + " |")
    print("| --- |" + " --- | --- | --- |" * len(tables))
    for kind in sorted(next(iter(tables.values())), key=lambda kind: kind.startswith("all that")):
        cells = [f"{v:.2f}" if v == v else "" for t in tables.values() for v in t[kind]]
        print(f"| {kind} | " + " | ".join(cells) + " |")


def make_shifted_encoders(rng: Rng, texts: Callable, move: float, noise: float) -> tuple[Callable, Callable]:
    """Return encoders of photos and texts that shift scores by text and add noise by photo and text.

    This imitates a larger CLIP. There, all scores of a text are higher or lower than those of another text,
    and the details of a photo change each score at random. The demo's CLIP hardly does this.
    """
    size, known = 256, {}  # vectors of the texts encoded so far

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
    parser.add_argument("--each", type=int, default=17, help="queries of each kind for each album")
    parser.add_argument("--cache", type=Path, help="folder for the vectors of the albums, for later runs")
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
        print(f"seed {seed}: nothing fits: present {shares['all that is there'][0]:.3f}, absent "
              f"{shares['all that is not'][0]:.3f}; bands {bands.usual:.3f} {bands.spread:.4f} "
              f"{bands.nowhere:.3f} {bands.slope:.3f}", flush=True)  # fmt: skip
        for one in scored:
            if one.query.kind != UNKNOWN_IN_SCENE:
                for name, verdict in judge_filtered(rng, one, vectors).items():
                    presence = "in the album" if one.query.is_present else "not in the album"
                    filtered.setdefault(f"{presence}, {name}", []).append(verdict.relevant_count == 0)
        for (move, noise), done in harder.items():
            encode_photos, encode_texts = make_shifted_encoders(rng, clip.encode_texts, move, noise)
            done += score_queries(encode_photos(vectors), facts, queries, encode_texts)
    print_report("Scores of the model", plain)
    print('\nFive photos that pass a filter: share of "nothing fits"')
    for name, nothing in filtered.items():
        print(f"- {name}: {statistics.mean(nothing):.3f} of {len(nothing)}")
    for (move, noise), done in harder.items():
        print_report(f"Scores shifted by {move} from text to text, with noise of {noise}", done)
    print_judging_times()


def print_judging_times(photos: int = 50_000, sample_size: int = 500, repeats: int = 200) -> None:
    """Print the median time of judging 201 hits, and its ratio to scoring all photos; both alternate."""
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
        print(f"{name}: {medians[name]:.3f} ms, {medians[name] / medians['scoring']:.4f} of the scoring time")


def print_report(title: str, scored: Sequence[ScoredQuery]) -> None:
    threshold = find_flat_threshold(scored)
    print_table(
        title,
        scored,
        {"bands": count_by_bands, f"flat {threshold:.3f}": lambda a: int((a.scores >= threshold).sum())},
    )


def load_album(clip: ClipEncoder, seed: int, photos: int, cache: Path | None) -> tuple[np.ndarray, dict]:
    """Return the CLIP vectors and the ground truth of a drawn album, from the cache if possible."""
    file = cache / f"{seed}-{photos}.npz" if cache else None
    if file and file.is_file():
        with np.load(file) as arrays:
            return arrays["vectors"], json.loads(str(arrays["truth"]))
    with tempfile.TemporaryDirectory() as folder:
        truth = make_album(Path(folder) / "album", photos, seed)
        vectors = np.stack(list(clip.encode_stream(read_photos(Path(folder) / "album", truth))))
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, vectors=vectors, truth=json.dumps(truth))
    return vectors, truth


if __name__ == "__main__":
    main()
