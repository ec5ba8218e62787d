"""How well a search knows what fits and when nothing does, on freshly drawn albums.

    python benchmarks/relevance.py [SEED ...] [--photos 240] [--each 17] [--cache FOLDER]

Of each album's truth it makes sentences about what is there and about what is not, each kind equally often,
and asks `imagesearch.relevance`. For sentences about a thing or a scene of which nothing is there, the photos
that show it are left out of the album. Beside it stands a flat threshold on the raw score: the best there is,
chosen on the very sentences it is measured on.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from imagesearch.demo.album import ABSENT, make_album
from imagesearch.demo.captions import SCENE_NOUNS, SCENE_PLACES, THING_WORDS, TIME_WORDS
from imagesearch.demo.evaluate import MODELS, facts, read_photos
from imagesearch.demo.picture import fits as may_be_in
from imagesearch.demo.things import THINGS
from imagesearch.encoders import ClipEncoder
from imagesearch.relevance import EVERYDAY, NOWHERE, Bands, Verdict, measure

LEADS = ("", "", "a photo of ", "a picture of ")
# Nothing that the demo's CLIP has seen a picture or a name of.
UNKNOWN = (
    "elephant", "submarine", "piano", "helicopter", "washing machine", "penguin", "volcano", "violin",
    "dinosaur", "tractor", "skateboard", "microscope", "giraffe", "rocket", "laptop", "pizza", "zebra",
    "castle", "statue", "waterfall", "motorbike", "bridge", "shark", "typewriter", "tennis racket", "train",
    "airplane", "horse", "swimming pool", "fire engine", "spider", "windmill", "bottle of wine", "telephone",
    "crocodile", "trumpet", "hammer", "toothbrush", "sandwich", "robot",
)  # fmt: skip
NOT_LEARNED = "a name that was not learned"
# Not counted among "all": the demo's CLIP was taught to pass over words that it does not know.
ASIDE = "unknown thing in a scene"


@dataclass(frozen=True)
class Sentence:
    """A sentence, and what it claims; photos that show what is in `without` are left out of the album."""

    kind: str
    text: str
    claims: frozenset[str]
    there: bool
    without: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Asked:
    """A sentence and its raw scores; which of these photos match; the bands of the album they are of."""

    sentence: Sentence
    vector: np.ndarray
    scores: np.ndarray
    match: np.ndarray
    bands: Bands


Made = tuple[str, Sequence[str], Sequence[str]] | None
Rng = np.random.Generator


def pick(rng: Rng, options: Sequence) -> object:
    return options[int(rng.integers(len(options)))]


def named(rng: Rng, kind: str, colour: str = "") -> str:
    words = f"{colour} {pick(rng, THING_WORDS[kind])}".strip()
    return ("an " if words[0] in "aeiou" else "a ") + words


def present_makers(rng: Rng, truth: dict) -> dict[str, Callable[[], Made]]:
    """What is there, as some photo shows it."""

    def photo(needs: str = "scene") -> dict:
        return pick(rng, [p for p in truth["photos"] if p[needs]])

    def thing() -> Made:
        kind = pick(rng, photo("things")["things"])["kind"]
        return named(rng, kind), [f"thing:{kind}"], ()

    def coloured() -> Made:
        item = pick(rng, photo("things")["things"])
        claim = f"thing:{item['colour']} {item['kind']}"
        return named(rng, item["kind"], item["colour"]), [claim], ()

    def placed() -> Made:
        shown = photo("things")
        kind, scene = pick(rng, shown["things"])["kind"], shown["scene"]
        text = f"{named(rng, kind)} {pick(rng, SCENE_PLACES[scene])}"
        return text, [f"thing:{kind}", f"scene:{scene}"], ()

    def scene() -> Made:
        name = photo()["scene"]
        return pick(rng, SCENE_NOUNS[name]), [f"scene:{name}"], ()

    def hour() -> Made:
        shown = photo()
        text = f"{pick(rng, SCENE_NOUNS[shown['scene']])} {pick(rng, TIME_WORDS[shown['time_of_day']])}"
        return text, [f"scene:{shown['scene']}", f"time:{shown['time_of_day']}"], ()

    def person() -> Made:
        name = photo("people")["scene"]
        return f"a person {pick(rng, SCENE_PLACES[name])}", ["people:1+", f"scene:{name}"], ()

    return {
        "thing": thing,
        "coloured thing": coloured,
        "thing in a scene": placed,
        "scene": scene,
        "scene at an hour": hour,
        "person in a scene": person,
    }


def absent_makers(rng: Rng, shown: list[str]) -> dict[str, Callable[[], Made]]:
    """What may not be there; `shown` are the kinds of things in the album."""
    scenes = list(SCENE_PLACES)

    def never() -> Made:
        kind, scene = pick(rng, ABSENT), pick(rng, scenes)
        colour = pick(rng, ("", pick(rng, THINGS[kind].colours)))
        place = pick(rng, ("", f" {pick(rng, SCENE_PLACES[scene])}"))
        return f"{named(rng, kind, colour)}{place}", [f"thing:{kind}"], ()

    def unknown() -> Made:
        name = pick(rng, UNKNOWN)
        return ("an " if name[0] in "aeiou" else "a ") + name, [NOT_LEARNED], ()

    def aside() -> Made:
        text, claims, _ = unknown()
        return f"{text} {pick(rng, SCENE_PLACES[pick(rng, scenes)])}", claims, ()

    def colour() -> Made:
        kind = pick(rng, shown)
        paint = pick(rng, THINGS[kind].colours)
        return named(rng, kind, paint), [f"thing:{paint} {kind}"], ()

    def place() -> Made:
        kind, scene = pick(rng, shown), pick(rng, scenes)
        text = f"{named(rng, kind)} {pick(rng, SCENE_PLACES[scene])}"
        return (text, [f"thing:{kind}", f"scene:{scene}"], ()) if may_be_in(kind, scene) else None

    def no_scene() -> Made:
        claim = f"scene:{(scene := pick(rng, scenes))}"
        return pick(rng, SCENE_NOUNS[scene]), [claim], [claim]

    def no_thing() -> Made:
        claim = f"thing:{(kind := pick(rng, shown))}"
        return named(rng, kind), [claim], [claim]

    return {
        "kind never drawn": never,
        "unknown thing": unknown,
        "known thing, other colour": colour,
        "known thing, other scene": place,
        "scene left out": no_scene,
        "thing left out": no_thing,
        ASIDE: aside,
    }


def sentences(rng: Rng, truth: dict, each: int) -> Iterator[Sentence]:
    """Yield so many sentences of each kind, different ones as far as there are so many."""
    held = facts(truth)
    shown = sorted({thing["kind"] for photo in truth["photos"] for thing in photo["things"]})
    for there, makers in ((True, present_makers(rng, truth)), (False, absent_makers(rng, shown))):
        for kind, make in makers.items():
            texts: set[str] = set()
            for attempt in range(400 * each):
                made = make()
                if len(texts) == each or (attempt >= 200 * each and not texts):
                    break
                if made is None or made[0] in texts:
                    continue
                sentence = Sentence(kind, made[0], frozenset(made[1]), there, frozenset(made[2]))
                if there == any(sentence.claims <= f and not sentence.without & f for f in held):
                    texts.add(sentence.text)
                    yield replace(sentence, text=f"{pick(rng, LEADS)}{sentence.text}")


def ask(
    vectors: np.ndarray,
    held: Sequence[set[str]],
    asked: Sequence[Sentence],
    encode: Callable[[Sequence[str]], np.ndarray],
) -> list[Asked]:
    """Score every photo for every sentence, against the album that the sentence is about."""
    everyday, nowhere = encode(EVERYDAY), encode(NOWHERE)
    bands: dict[frozenset[str], Bands] = {}
    done = []
    for sentence, query in zip(asked, encode([s.text for s in asked]), strict=True):
        left = np.array([not sentence.without & f for f in held])
        if sentence.without not in bands:
            bands[sentence.without] = measure(vectors[left], everyday, nowhere)
        scores = vectors[left] @ query
        match = np.array([sentence.claims <= f for f in held])[left]
        order = np.argsort(-scores, kind="stable")
        done.append(Asked(sentence, query, scores[order], match[order], bands[sentence.without]))
    return done


def through_filter(rng: Rng, asked: Asked, photos: np.ndarray) -> dict[str, Verdict]:
    """Judge five photos that a filter left: with a match among them, and without one."""
    verdicts, right, wrong = {}, np.flatnonzero(asked.match), np.flatnonzero(~asked.match)
    for name, some in (("one matches", right), ("none matches", wrong)):
        if len(some) and len(wrong) > 4:
            five = np.sort([rng.choice(some), *rng.choice(wrong[wrong != some[0]], 4, replace=False)])
            verdicts[name] = asked.bands.judge(asked.scores[five], asked.vector, photos)
    return verdicts


def flat_threshold(asked: Sequence[Asked], most_missed: float = 0.05) -> float:
    """Return the raw score that says "nothing" oftenest without saying it of more of what is there."""
    return float(np.quantile([a.scores[0] for a in asked if a.sentence.there], most_missed))


Relevant = Callable[[Asked], int]


def by_bands(asked: Asked) -> int:
    return asked.bands.judge(asked.scores, asked.vector).relevant


def table(asked: Sequence[Asked], relevant: Relevant) -> dict[str, tuple[float, float, float]]:
    """By kind, and for all: share of "nothing fits", and mean precision and recall of what was found."""
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for a in asked:
        n, right = relevant(a), int(a.match.sum())
        hit = int(a.match[:n].sum())
        row = (float(n == 0), hit / n if n else np.nan, hit / right if n and right else np.nan)
        total = "all that is there" if a.sentence.there else "all that is not"
        for kind in (a.sentence.kind, *([total] if a.sentence.kind != ASIDE else [])):
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
        rng, held = np.random.default_rng(seed), facts(truth)
        asked = list(sentences(rng, truth, args.each))
        plain += (one := ask(vectors, held, asked, clip.encode_texts))
        said = table(one, by_bands)
        print(f"seed {seed}: of what is there {said['all that is there'][0]:.3f}, of what is not "
              f"{said['all that is not'][0]:.3f}; {one[0].bands.usual:.3f} {one[0].bands.spread:.4f} "
              f"{one[0].bands.nowhere:.3f} {one[0].bands.slope:.3f}", flush=True)  # fmt: skip
        for a in one:
            if a.sentence.kind != ASIDE:
                for name, verdict in through_filter(rng, a, vectors).items():
                    there = "the album has it" if a.sentence.there else "the album has none"
                    filtered.setdefault(f"{there}, {name}", []).append(verdict.relevant == 0)
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
        a.bands.judge(a.scores[:201], a.vector)
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
