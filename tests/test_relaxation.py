"""Relaxation: the steps that are tried if no photo passes the filter, their order and descriptions."""

from __future__ import annotations

from datetime import date

import pytest

from imagesearch.filters import And, format_filter
from imagesearch.query import SentenceParser
from imagesearch.search import plan_filter
from imagesearch.search.relaxation import list_relaxations
from imagesearch.store import Vocabulary, VocabularyEntry

PLACES = (("Goa", "state"), ("India", "country"), ("Norway", "country"))
VOCABULARY = Vocabulary(
    people={name.lower(): VocabularyEntry(name, 5) for name in ("Maya", "Noor", "Kim")},
    places={name.lower(): VocabularyEntry(name, 5, kind) for name, kind in PLACES},
)
PARSER = SentenceParser(VOCABULARY)
TODAY = date(2024, 6, 15)
ANYTHING = ["anything"]
MAYA = 'face_labels like "%|Maya|%"'
GOA = 'place_words like "%|goa|%"'


def describe_steps(sentence: str, has_target: bool = False) -> list[list[str]]:
    """Return the descriptions of the steps for a sentence."""
    parsed = PARSER.parse(sentence, TODAY)
    return [
        [step.description for step in steps]
        for steps in list_relaxations(plan_filter(parsed).parts, has_target)
    ]


@pytest.mark.parametrize(
    ("sentence", "steps"),
    [
        ("", [[""]]),
        ("maya", [["of Maya"]]),
        ("maya in goa", [["of Maya in Goa (state)"], ["of Maya", "in Goa (state)"]]),
        ("maya in goa or norway", [["of Maya in Goa (state) or Norway (country)"],
                                   ["of Maya", "in Goa (state) or Norway (country)"]]),
        ("maya in goa, india", [["of Maya in Goa (state), India (country)"],
                                ["of Maya", "in Goa (state), India (country)"]]),
        ("maya not in goa", [["of Maya"]]),
        ("maya and noor", [["of Maya and Noor"], ["of Maya or Noor"]]),
        ("only maya and noor", [["of only Maya and Noor"], ["of Maya and Noor"], ["of Maya or Noor"]]),
        ("maya alone in goa", [["of only Maya in Goa (state)"], ["of Maya in Goa (state)"],
                               ["of only Maya", "in Goa (state)"]]),
        ("maya without kim", [["of Maya"]]),
        ("nobody in goa", [["of nobody in Goa (state)"], ["of nobody", "in Goa (state)"]]),
        ("goa before 2020", [["in Goa (state) (before 2020)"], ["in Goa (state)", "(before 2020)"]]),
        ("maya and noor without kim", [["of Maya and Noor"], ["of Maya or Noor"]]),
        ("two people in goa", [["of two people in Goa (state)"], ["of two people", "in Goa (state)"]]),
        (
            "maya and noor in goa in 2023",
            [
                ["of Maya and Noor in Goa (state) (2023)"],
                ["of Maya or Noor in Goa (state) (2023)"],
                ["of Maya and Noor in Goa (state)", "of Maya and Noor (2023)", "in Goa (state) (2023)"],
                ["of Maya and Noor", "in Goa (state)", "(2023)"],
            ],
        ),
    ],
)  # fmt: skip
def test_parts_are_dropped_one_by_one_starting_with_the_last(sentence: str, steps: list[list[str]]) -> None:
    assert describe_steps(sentence) == steps


def test_with_a_text_the_last_step_is_anything() -> None:
    assert describe_steps("maya on a beach in goa", has_target=True)[-1] == ANYTHING
    assert describe_steps("a beach", has_target=True) == [[""]]


def test_the_first_step_is_the_whole_filter_and_the_last_none() -> None:
    parsed = PARSER.parse("maya on a beach in goa", TODAY)
    steps = list(list_relaxations(plan_filter(parsed).parts, has_target=True))
    written = [
        [format_filter(step.condition, lists_are_arrays=False) for step in together] for together in steps
    ]
    assert written == [[f"({MAYA}) and ({GOA})"], [MAYA, GOA], [""]]
    assert format_filter(And((parsed.condition,)), lists_are_arrays=False) == written[0][0]


@pytest.mark.parametrize(
    ("sentence", "required", "exclusions"),
    [
        ("maya without kim", '(not (face_labels like "%|Kim|%")) and (face_count >= 0)', "without Kim"),
        ("maya not in goa", f"(not ({GOA})) and (has_gps == true)", "not in Goa (state)"),
        ("maya", "", ""),
    ],
)
def test_negated_parts_are_never_dropped(sentence: str, required: str, exclusions: str) -> None:
    plan = plan_filter(PARSER.parse(sentence, TODAY))
    assert format_filter(plan.required, lists_are_arrays=False) == required and plan.exclusions == exclusions
