"""Search by sentence: quality compared with an earlier program, and time compared with the bare calls.

    python benchmarks/sentence_search.py album [--seed 6101] [--photos 240] [--folder FOLDER]
    python benchmarks/sentence_search.py speed [--models /tmp/full] [--rows 50000]

*album* draws and builds an album, names its people by the ground truth, and runs 200 sentences. It prints the
values of `imagesearch_demo.scoring.evaluate_search`, also with other indexes and after renaming a person, and
compares them with the strategy of an earlier program. That program finds photo indices by BM25 over the
labels and addresses of each photo, intersects or unites them with the photos whose label is in the sentence,
and ranks these photos by CLIP, in memory.

*speed* runs 50 sentences on a collection of random photos in Milvus Lite, with the text encoder of a
full-size CLIP. It compares the time with the minimum: encoding the text, plus the bare Milvus call with the
same filter. All calls alternate, so that other work on the machine affects all of them equally. The program
prints medians.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from filter_speed import (
    build_photo_collection,
    make_photo_rows,
    make_unchecked_searcher,
    measure_milliseconds,
)
from store_speed import make_clustered_vectors

from imagesearch.config import Config, load_config
from imagesearch.features import save_bands
from imagesearch.pipeline import Dataset
from imagesearch.search import Query, Searcher, plan_filter
from imagesearch.search.answer import MAX_COUNTED
from imagesearch.search.retrieval import RANKING_FIELDS
from imagesearch.store import (
    CollectionRef,
    Store,
    Vocabulary,
    VocabularyEntry,
    build_collections,
)
from imagesearch.text import normalize
from imagesearch_demo.album import get_truth_path, make_album, read_truth
from imagesearch_demo.scoring import (
    TOP,
    Question,
    ask_questions,
    build_album,
    compute_precision,
    evaluate_search,
    make_demo_config,
    make_questions,
    rename_in_truth,
    rename_person,
    summarize_outcomes,
)

# --- the strategy of an earlier program --------------------------------------------------------------------


class EarlierProgram:
    """Finds photos by BM25 combined with face labels, and ranks them by CLIP, in memory.

    Parameters
    ----------
    searcher
        Provides the photos and the text encoder.
    unites
        Whether the photo indices are united instead of intersected.
    """

    def __init__(self, searcher: Searcher, unites: bool) -> None:
        from rank_bm25 import BM25Okapi

        store, name = searcher.resources.store, searcher.resources.config.dataset.name
        rows = store.collections.open(CollectionRef(name, "clip")).rows
        fields = ("path", "face_labels", "address", "embedding")
        hits, _ = store.list_by_date(CollectionRef(name, "clip"), rows, fields=fields)
        self.paths = [hit.fields["path"] for hit in hits]
        self.labels = [[normalize(label) for label in hit.fields["face_labels"]] for hit in hits]
        self.vectors = np.asarray([hit.fields["embedding"] for hit in hits], np.float32)
        documents = [
            normalize(" ".join([*hit.fields["face_labels"], hit.fields["address"].replace(",", " ")])).split()
            for hit in hits
        ]
        self.ranking = BM25Okapi([document or [""] for document in documents])
        self.encode, self.unites = searcher.resources.models.clip.encode_texts, unites

    def search(self, sentence: str) -> list[str]:
        """Return the paths of the best photos."""
        normalized = normalize(sentence)
        words = normalized.replace(",", " ").split()
        by_words = set(np.flatnonzero(self.ranking.get_scores(words) > 0).tolist())
        by_label = {i for i, labels in enumerate(self.labels) if any(label in normalized for label in labels)}
        combined = by_words | by_label if self.unites else by_words & by_label
        chosen = np.asarray(sorted(combined or by_words or by_label or range(len(self.paths))))
        scores = self.vectors[chosen] @ self.encode([sentence])[0]
        return [self.paths[i] for i in chosen[np.argsort(-scores)[:TOP]]]


def compare_strategies(searcher: Searcher, questions: Sequence[Question]) -> dict[str, dict[str, float]]:
    """Return precision and median milliseconds of the strategies, which alternate."""

    def run_searcher(strategy: str, question: Question) -> list[str]:
        query = Query(text=question.text, today=question.today, top_k=TOP, strategy=strategy)
        return [result.path for result in searcher.search(query).results]

    strategies: dict[str, Callable[[Question], list[str]]] = {
        name: functools.partial(run_searcher, name) for name in ("filter", "hybrid", "semantic")
    }
    for name, unites in (("earlier program, intersected", False), ("earlier program, united", True)):
        earlier = EarlierProgram(searcher, unites)
        strategies[name] = lambda question, program=earlier: program.search(question.text)
    for search in strategies.values():
        search(questions[0])
    precisions: dict[str, list[float]] = {name: [] for name in strategies}
    times: dict[str, list[float]] = {name: [] for name in strategies}
    for question in questions:
        for name, search in strategies.items():
            start = time.perf_counter()
            found = search(question)
            times[name].append(1000 * (time.perf_counter() - start))
            if question.relevant:
                precisions[name].append(compute_precision(found, question.relevant))
    return {
        name: {"precision": statistics.mean(precisions[name]), "ms": statistics.median(times[name])}
        for name in strategies
    }


def measure_album(seed: int, photos: int, folder: Path) -> None:
    """Print the values of an album, which is drawn and built if it does not exist."""
    album = folder / "album"
    ready = folder / "config.yaml"
    if not (get_truth_path(album).is_file() and ready.is_file()):
        folder.mkdir(parents=True, exist_ok=True)
        truth = make_album(album, photos, seed)
        build_album(make_demo_config(folder, album), truth)
    truth = read_truth(album)
    config = load_config(ready)
    with Store(config.milvus) as store:
        searcher = Searcher(config, Dataset(config), store)
        print(json.dumps(evaluate_search(searcher, truth).values, indent=1), flush=True)
        for name, values in compare_strategies(searcher, make_questions(truth, 200)).items():
            print(f"{name:<32} precision {values['precision']:.3f}  {values['ms']:.1f} ms", flush=True)
    for index in ("IVF_FLAT", "HNSW"):
        variant = load_config(ready, [f"milvus.index.type={index}", f"milvus.uri={folder}/{index}.db"])
        print(index, json.dumps(measure_variant(variant, truth)), flush=True)
    rename_person(config, "Maya", "Anna Lena")
    renamed = rename_in_truth(truth, "Maya", "Anna Lena")
    print("renamed", json.dumps(measure_variant(config, renamed)), flush=True)
    rename_person(config, "Anna Lena", "Maya")


def measure_variant(config: Config, truth: dict) -> dict[str, float]:
    """Build the collections, and return the values of the sentences."""
    dataset = Dataset(config)
    with Store(config.milvus) as store:
        build_collections(config, dataset, store)
        return summarize_outcomes(ask_questions(Searcher(config, dataset, store), make_questions(truth, 200)))


# --- time --------------------------------------------------------------------------------------------------

_ROUNDS = 3  # for each sentence; the median counts
_WHO = ("ana", "bo", "ana and bo", "ana without bo", "ana or cy", "")
_WHERE = ("in goa", "in rome", "near india", "")
_WHEN = ("in 2012", "in may 2015", "in summer 2020", "before 2005", "")
_WHAT = (
    "on a beach at sunset",
    "with a red boat",
    "in the snow",
    "at a party at night",
    "next to a white car",
)


def make_sentences(count: int) -> list[str]:
    """Return different sentences, each with a part for CLIP and at least one filter."""
    rng = np.random.default_rng(0)
    made: dict[str, None] = {}
    while len(made) < count:
        parts = [str(rng.choice(options)) for options in (_WHO, _WHAT, _WHERE, _WHEN)]
        if parts[0] or parts[2] or parts[3]:
            made[" ".join(filter(None, parts))] = None
    return list(made)


def measure_times(models: Path, rows: int, count: int) -> dict[str, list[float]]:
    """Return the milliseconds of a search by sentence and of its parts, for each sentence.

    "minimum" is the sum of text encoding and the bare Milvus call.
    """
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "photos").mkdir()
        (Path(folder) / "photos" / "one.png").touch()
        file = Path(folder) / "config.yaml"
        file.write_text(
            "dataset: {name: bench, images: photos, processed: p}\nmilvus: {uri: milvus.db}\n"
            f"models: {{clip: {models / 'clip'}}}\n"
        )
        config = load_config(file)
        dataset = Dataset(config)
        with Store(config.milvus) as store:
            build_photo_collection(config, store, rows, 512)
            write_places(dataset, rows)
            save_bands(config, dataset, make_clustered_vectors(rows, 512))
            times = measure_parts(
                make_unchecked_searcher(config, Dataset(config), store), make_sentences(count)
            )
    parts = zip(times["text encoding"], times["bare Milvus call"], strict=True)
    return times | {"minimum": [encoding + call for encoding, call in parts]}


def measure_speed(models: Path, rows: int, count: int) -> None:
    """Print the times of a search by sentence and its parts, and its ratio to the minimum."""
    times = measure_times(models, rows, count)
    for name, values in times.items():
        print(f"{name:<40}{statistics.median(values):>9.2f} ms")
    pairs = zip(times["sentence to results"], times["minimum"], strict=True)
    ratio = statistics.median(whole / minimum for whole, minimum in pairs)
    print(f"sentence to results / (text encoding + bare Milvus call), median: {ratio:.3f}")


def write_places(dataset: Dataset, rows: int) -> None:
    words = make_photo_rows(np.zeros((rows, 1), np.float32)).scalars["place_words"].to_pylist()
    kinds = {"goa": ("Goa", "state"), "india": ("India", "country"), "rome": ("Rome", "city")}
    places = {
        key: VocabularyEntry(name, sum(key in w for w in words), kind) for key, (name, kind) in kinds.items()
    }
    replace(Vocabulary.read(dataset.folder), places=places).write(dataset.folder)


def measure_parts(searcher: Searcher, sentences: Sequence[str]) -> dict[str, list[float]]:
    """Return the milliseconds of a search and of its parts, for each sentence."""
    today, store = date(2024, 6, 15), searcher.resources.store
    for sentence in sentences[:3]:
        searcher.search(Query(text=sentence, today=today))
    times: dict[str, list[float]] = {}
    for sentence in sentences:
        query = Query(text=sentence, today=today)
        parsed = searcher.resources.parser.parse(sentence, today)
        (vector,) = searcher.resources.models.clip.encode_texts([parsed.text])
        where = store.format_filter(parsed.condition)
        assert parsed.text and plan_filter(parsed).parts and not searcher.search(query).relaxed, sentence

        def search_bare(v=vector, w=where) -> object:
            return store._client.search(
                "bench_clip", data=[v], anns_field="embedding", limit=10, filter=w,
                search_params={"metric_type": "IP"}, output_fields=["path"],
            )  # fmt: skip

        def search_store(v=vector, condition=parsed.condition) -> object:
            return store.search(
                CollectionRef("bench", "clip"), v, MAX_COUNTED + 1, where=condition, fields=RANKING_FIELDS
            )

        calls = {
            "text encoding": lambda t=parsed.text: searcher.resources.models.clip.encode_texts([t]),
            "bare Milvus call": search_bare,
            "sentence to results": lambda q=query: searcher.search(q),
            "- of it parsing the sentence": lambda s=sentence: searcher.resources.parser.parse(s, today),
            "- of it Milvus, 201 hits": search_store,
        }
        rounds = [{name: measure_milliseconds(call) for name, call in calls.items()} for _ in range(_ROUNDS)]
        for name in calls:
            times.setdefault(name, []).append(statistics.median(one[name] for one in rounds))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    album = commands.add_parser("album")
    album.add_argument("--seed", type=int, default=6101)
    album.add_argument("--photos", type=int, default=240)
    album.add_argument("--folder", type=Path, help="folder of the album, or for a new one")
    fast = commands.add_parser("speed")
    fast.add_argument("--models", type=Path, default=Path("/tmp/full"))
    fast.add_argument("--rows", type=int, default=50_000)
    fast.add_argument("--sentences", type=int, default=50)
    args = parser.parse_args()
    if args.command == "speed":
        measure_speed(args.models, args.rows, args.sentences)
    else:
        with tempfile.TemporaryDirectory() as folder:
            measure_album(args.seed, args.photos, args.folder or Path(folder))


if __name__ == "__main__":
    main()
