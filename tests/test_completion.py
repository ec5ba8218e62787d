"""Completion of the names that a user is typing."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesearch.query import NameCompleter
from imagesearch.store import Vocabulary, VocabularyEntry, VocabularyTrip
from imagesearch.text import normalize

PEOPLE = {"Maya": 54, "Mary Ann": 3, "Zoë": 48, "Łukasz": 2, "person 12": 90, "小明": 4, "<b>Mia</b>": 1}
PLACES = {"Rio de Janeiro": 15, "Goa": 20, "Delhi": 7, "India": 30, "Rio Branco": 2, "Île-de-France": 8}


def list_entries(counts: dict[str, int]) -> dict[str, VocabularyEntry]:
    return {normalize(name): VocabularyEntry(name, count) for name, count in counts.items()}


VOCABULARY = Vocabulary(
    people=list_entries(PEOPLE),
    places=list_entries(PLACES),
    cameras=list_entries({"Canon EOS R6": 12, "iPhone 15": 9}),
    trips=(VocabularyTrip("Ana's wedding", 9, 0, 1, is_named=True), VocabularyTrip("Goa, May 2023", 8, 0, 1)),
)
COMPLETER = NameCompleter(VOCABULARY)


def complete(text: str, cursor: int | None = None) -> list[str]:
    return [completion.label for completion in COMPLETER.complete(text, cursor)]


def insert(text: str, cursor: int | None = None) -> str:
    first = COMPLETER.complete(text, cursor)[0]
    return text[: first.start] + first.insert + text[first.end :]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ma", ["Maya", "Mary Ann"]),
        ("zoe", []),  # the whole name
        ("zo", ["Zoë"]),
        ("luk", ["Łukasz"]),
        ("maya in rio", ["Rio de Janeiro", "Rio Branco"]),
        ("maya in rio de", ["Rio de Janeiro", "Delhi"]),
        ("jan", ["Rio de Janeiro"]),
        ("fra", ["Île-de-France"]),
        ("go", ["Goa", "Goa, May 2023"]),
        ("wed", ["Ana's wedding"]),
        ("can", ["Canon EOS R6"]),
        ("iph", ["iPhone 15"]),
        ("小", ["小明"]),
        ("person", []),
        ("in", []),
        ("ind", ["India"]),
        ("maya ", []),
        ("", []),
        ("   ", []),
        ("\ud800", []),
    ],
)
def test_names_are_found(text: str, expected: list[str]) -> None:
    assert complete(text) == expected


@pytest.mark.parametrize(
    ("text", "cursor", "expected"),
    [
        ("ma", None, "Maya"),
        ("zo in goa", 2, "Zoë in goa"),
        ("maya in rio de", None, "maya in Rio de Janeiro"),
        ("wed", None, "Ana's wedding trip"),
        ("can", None, "taken with Canon EOS R6"),
        ("maya, ind", None, "maya, India"),
    ],
)
def test_a_name_replaces_what_was_typed(text: str, cursor: int | None, expected: str) -> None:
    assert insert(text, cursor) == expected


def test_kinds_and_counts_are_given() -> None:
    first = COMPLETER.complete("may")[0]
    assert (first.kind, first.count, first.start, first.end) == ("person", 54, 0, 3)


@given(st.text(), st.integers(-3, 30))
def test_any_text_is_accepted(text: str, cursor: int) -> None:
    for completion in COMPLETER.complete(text, cursor):
        assert 0 <= completion.start <= completion.end <= len(text)


def test_ten_thousand_names_take_less_than_five_milliseconds() -> None:
    letters = random.Random(0)
    names = ["".join(letters.choices("abcdefgm", k=7)) + " maria " + str(n) for n in range(10_000)]
    completer = NameCompleter(
        Vocabulary(people={name: VocabularyEntry(name, n) for n, name in enumerate(names)})
    )
    typed = ["m", "ma", "mari", "a", "abc", "maria 99", "one two three four mar"]
    times = []
    for text in typed * 3:
        start = time.perf_counter()
        assert len(completer.complete(text)) <= 8
        times.append(time.perf_counter() - start)
    assert sorted(times)[len(times) // 2] < 0.005
