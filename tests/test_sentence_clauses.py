"""The clauses of a sentence, and the words that can be removed for each of them."""

from __future__ import annotations

import re
import time

import pytest
from conftest import ROOT
from test_parser import PARSER, TABLE, TODAY

from imagesearch.query import ParsedQuery, find_removals, list_clauses


def parse(text: str) -> ParsedQuery:
    return PARSER.parse(text, TODAY)


def remove(text: str) -> dict[str, str]:
    return {clause.label: removal.rest for clause, removal in find_removals(text, parse).items()}


def list_documented_sentences() -> list[str]:
    """Return the examples in the table of docs/search.md."""
    rows = re.findall(r"^\| (?:who|where|when|order|facts|what|not|exactly)\b.*\|$", DOCUMENT, re.MULTILINE)
    return [sentence for row in rows for sentence in re.findall(r"`([^`]+)`", row)]


DOCUMENT = (ROOT / "docs" / "search.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "maya on the beaches of goa in 2023",
            {
                "Maya": "on the beaches of goa in 2023",
                "Goa (state)": "maya on the beaches in 2023",
                "2023": "maya on the beaches of goa",
                "the beaches": "maya of goa in 2023",
            },
        ),
        ("maya and noor", {"Maya": "noor", "Noor": "maya"}),
        ("maya, noor and kim", {"Maya": "noor and kim", "Noor": "maya and kim", "Kim": "maya, noor"}),
        ("maya or noor on a beach", {"Maya or Noor": "on a beach", "a beach": "maya or noor"}),
        ("photos of maya with kim", {"Maya": "photos with kim", "Kim": "photos of maya"}),
        ("maya without noor", {"Maya": "without noor", "without Noor": "maya"}),
        ("zermatt or tokyo", {"Zermatt (city)": "tokyo", "or Tokyo (city)": "zermatt"}),
        ("maya alone in tokyo", {"only Maya": "alone in tokyo", "Tokyo (city)": "maya alone"}),
        ("photos of rio", {"Rio de Janeiro (city)": "photos", "or Rio Branco (city)": "photos"}),
        ("maya 31 february 2024", {"Maya": "31 february 2024", "31 february 2024": "maya"}),
        ("beach without a dog", {"beach": "without a dog", "without a dog": "beach"}),
        ("a dog in goa at sunset", {"a dog at sunset": "in goa", "Goa (state)": "a dog at sunset"}),
        ("", {}),
        ("maya " * 200, {}),
    ],
)
def test_each_clause_can_be_removed(text: str, expected: dict[str, str]) -> None:
    assert remove(text) == expected


def test_the_words_of_a_clause_are_selected_in_the_sentence() -> None:
    text = "maya and noor on the beaches of goa"
    removals = find_removals(text, parse)
    words = {clause.label: text[removal.start : removal.end] for clause, removal in removals.items()}
    assert words == {
        "Maya": "maya and",
        "Noor": "noor",
        "Goa (state)": "of goa",
        "the beaches": "on the beaches",
    }


@pytest.mark.parametrize(
    ("sentences", "least"),
    [([sentence for sentence, _ in TABLE], 0.99), (list_documented_sentences(), 0.97)],
    ids=["tested", "documented"],
)
def test_most_clauses_can_be_removed_and_no_other_changes(sentences: list[str], least: float) -> None:
    assert len(sentences) > 100
    start = time.perf_counter()
    removed = total = 0
    for sentence in sentences:
        clauses = list_clauses(parse(sentence))
        total += len(clauses)
        for clause, removal in find_removals(sentence, parse).items():
            removed += 1
            remaining = list_clauses(parse(removal.rest))
            assert clause not in remaining, sentence
            others = {one.kind for one in clauses if one not in remaining}
            assert others <= {clause.kind, "what", "where"}, sentence
            assert 0 <= removal.start < removal.end <= len(sentence)
    assert removed / total >= least
    assert (time.perf_counter() - start) / len(sentences) < 0.05
    print(f"{removed} of {total} clauses can be removed")
