"""Measures the time to parse a sentence, and how it grows with the number of places and the length.

    python benchmarks/parse_speed.py [--places 20000] [--characters 10000] [--names 10000]

Prints medians. The two sides of each ratio are timed in turn, so that noise affects both.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from sentence_search import make_sentences

from imagesearch.query import SentenceParser
from imagesearch.store import Vocabulary, VocabularyEntry

TESTS = Path(__file__).parent.parent / "tests"
sys.path.append(str(TESTS))
from query_readers import READER_CASES  # noqa: E402 - in the folder of the tests
from query_samples import SAMPLES  # noqa: E402

TODAY = date(2024, 6, 15)
PEOPLE = {name.lower(): VocabularyEntry(name, 100) for name in ("Ana", "Bo", "Cy")}
PLACES = {
    "goa": VocabularyEntry("Goa", 100, "state"),
    "india": VocabularyEntry("India", 100, "country"),
    "rome": VocabularyEntry("Rome", 100, "city"),
}
# Texts that are repeated: names, dates, numbers and brackets to look up.
PIECES = ("ana and ", "in the ", "3 june 2024 ", "not ", '"', "(", "小明", "1 ", "between may and ")


def make_parser(places: int) -> SentenceParser:
    """Return a parser with a number of places that have invented names of two words."""
    syllables = (("gra", "ko", "mi", "no", "ve"), ("ba", "ru", "li", "te"), tuple("aeiouxyzw"))
    words = ["".join(parts) for parts in itertools.product(*syllables)]
    names = (f"{first} {second}" for second, first in itertools.product(words, words))
    invented = {name: VocabularyEntry(name.title(), 1, "city") for name in itertools.islice(names, places)}
    return SentenceParser(Vocabulary(people=PEOPLE, places=PLACES | invented))


def time_in_turn(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median milliseconds of each call."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def print_vocabulary_ratio(few: SentenceParser, many: SentenceParser, repeats: int) -> None:
    sentences = make_sentences(50)
    calls = {
        name: lambda parser=parser: [parser.parse(sentence, TODAY) for sentence in sentences]
        for name, parser in (("few", few), ("many", many))
    }
    few_ms, many_ms = (value / len(sentences) for value in time_in_turn(calls, repeats).values())
    print(f"a sentence: {few_ms:.3f} ms with few places, {many_ms:.3f} ms with many: {many_ms / few_ms:.2f}")


def print_length_ratios(parser: SentenceParser, characters: int, repeats: int) -> None:
    print(f"{characters:,} characters compared with a tenth of them")
    for piece in PIECES:
        text = (piece * characters)[:characters]
        calls = {
            "tenth": lambda text=text: parser.parse(text[: characters // 10], TODAY),
            "whole": lambda text=text: parser.parse(text, TODAY),
        }
        tenth, whole = time_in_turn(calls, repeats).values()
        print(f"{piece!r:<20}{tenth:8.2f} ms {whole:8.2f} ms {whole / tenth:8.1f}")


def print_reading_times(names: int, repeats: int) -> None:
    """Print how long the sentences of the tests take with many names of people."""
    lines = (TESTS / "sentences.txt").read_text("utf-8").splitlines()
    sentences = [line.partition("  ->  ")[0] for line in lines if line and not line.startswith("#")]
    sentences += [case.sentence for case in (*SAMPLES, *READER_CASES)]
    known = itertools.product("BDFGKLMNPRSTVZ", "aeiou", "lmnrst", "aeiou", "dgklmnrs")
    people = {name.lower(): VocabularyEntry(name, 9) for name in map("".join, itertools.islice(known, names))}
    parser = SentenceParser(Vocabulary(people=people | PEOPLE, places=PLACES))
    times = []
    for repeat in range(repeats + 1):
        for sentence in sentences:
            start = time.perf_counter()
            parser.parse(sentence, TODAY)
            times += [1000 * (time.perf_counter() - start)] if repeat else []  # the first time fills caches
    times.sort()
    middle, last = (f"{times[len(times) * share // 100]:.2f} ms" for share in (50, 99))
    print(f"{len(sentences)} sentences, {len(people):,} names: median {middle}, 99th percentile {last}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--places", type=int, default=20_000)
    parser.add_argument("--characters", type=int, default=10_000)
    parser.add_argument("--names", type=int, default=10_000, help="names of people")
    parser.add_argument("--repeats", type=int, default=15)
    args = parser.parse_args()
    few, many = make_parser(0), make_parser(args.places)
    print_vocabulary_ratio(few, many, args.repeats)
    print_length_ratios(few, args.characters, args.repeats)
    print_reading_times(args.names, args.repeats)


if __name__ == "__main__":
    main()
