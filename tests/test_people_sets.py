"""Sets of people: sentences are compared with predicates on all subsets of the people, and strangers."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from query_photos import NAMES, PARSER, TODAY, Case, find_differences

from imagesearch.filters import And, is_fulfilled
from imagesearch.query import PeopleClause, SentenceParser
from imagesearch.search import plan_filter
from imagesearch.search.relaxation import list_relaxations
from imagesearch.store import Vocabulary, VocabularyEntry
from imagesearch.text import normalize

# Every set of named people with up to three strangers.
PHOTOS = [
    (frozenset(group), strangers)
    for size in range(len(NAMES) + 1)
    for group in itertools.combinations(NAMES, size)
    for strangers in range(4)
]
People = frozenset[str]


def count(people: People, *names: str) -> int:
    return len(people & set(names))


# Sentences, and which photos they find: from the named people and the number of faces.
SETS: list[tuple[str, Callable[[People, int], bool]]] = [
    ("kim or zoe but not both", lambda p, n: count(p, "Kim", "Zoe") == 1),
    ("either kim or zoe, but not both", lambda p, n: count(p, "Kim", "Zoe") == 1),
    ("kim or zoe (not both)", lambda p, n: count(p, "Kim", "Zoe") == 1),
    ("maya and noor, not together", lambda p, n: count(p, "Maya", "Noor") == 1),
    ("maya and noor separately", lambda p, n: count(p, "Maya", "Noor") == 1),
    ("maya or noor but not in the same photo", lambda p, n: count(p, "Maya", "Noor") == 1),
    ("maya and kim or zoe but not both", lambda p, n: "Maya" in p and count(p, "Kim", "Zoe") == 1),
    ("maya, noor or kim but not all three", lambda p, n: count(p, "Maya", "Noor", "Kim") in (1, 2)),
    ("maya, noor and kim but not all of them", lambda p, n: count(p, "Maya", "Noor", "Kim") in (1, 2)),
    ("exactly one of maya and kim", lambda p, n: count(p, "Maya", "Kim") == 1),
    ("only one of maya, noor and kim", lambda p, n: count(p, "Maya", "Noor", "Kim") == 1),
    ("one of maya, noor and kim", lambda p, n: count(p, "Maya", "Noor", "Kim") >= 1),
    ("two of maya, noor and kim", lambda p, n: count(p, "Maya", "Noor", "Kim") >= 2),
    ("exactly two of maya, noor, kim and zoe", lambda p, n: count(p, "Maya", "Noor", "Kim", "Zoe") == 2),
    ("at least 3 of maya, noor, kim and zoe", lambda p, n: count(p, "Maya", "Noor", "Kim", "Zoe") >= 3),
    ("at most one of maya and kim", lambda p, n: count(p, "Maya", "Kim") <= 1),
    ("no more than two of maya, noor and kim", lambda p, n: count(p, "Maya", "Noor", "Kim") <= 2),
    ("not both maya and kim", lambda p, n: count(p, "Maya", "Kim") <= 1),
    ("zoe with one of maya and kim", lambda p, n: "Zoe" in p and count(p, "Maya", "Kim") >= 1),
    ("maya and noor but neither kim nor zoe",
     lambda p, n: count(p, "Maya", "Noor") == 2 and count(p, "Kim", "Zoe") == 0),
    ("neither of kim and zoe", lambda p, n: count(p, "Kim", "Zoe") == 0),
    ("kim or zoe but not both, without maya", lambda p, n: count(p, "Kim", "Zoe") == 1 and "Maya" not in p),
    ("noor, kim and someone else", lambda p, n: count(p, "Noor", "Kim") == 2 and n >= 3),
    ("noor, kim, and others", lambda p, n: count(p, "Noor", "Kim") == 2 and n >= 3),
    ("maya with another person", lambda p, n: "Maya" in p and n >= 2),
    ("maya and/or kim", lambda p, n: count(p, "Maya", "Kim") >= 1),
    ("both maya and kim", lambda p, n: count(p, "Maya", "Kim") == 2),
    ("everyone but kim", lambda p, n: "Kim" not in p),
    ("group photos", lambda p, n: n >= 3),
    ("group pictures of maya", lambda p, n: "Maya" in p and n >= 3),
    ("a group photo of maya and kim", lambda p, n: count(p, "Maya", "Kim") == 2 and n >= 3),
    ("kim in a group photo", lambda p, n: "Kim" in p and n >= 3),
    ("no group photos", lambda p, n: n < 3),
    ("maya or kim, one or the other", lambda p, n: count(p, "Maya", "Kim") == 1),
    ("big group photos", lambda p, n: n >= 3),
    ("annemarie", lambda p, n: "Anne-Marie" in p),
    ("annemarie's photos with kim", lambda p, n: count(p, "Anne-Marie", "Kim") == 2),
    ("anne marie or kim but not both", lambda p, n: count(p, "Anne-Marie", "Kim") == 1),
]  # fmt: skip


def make_row(people: People, strangers: int) -> dict:
    return {"face_labels": sorted(people), "face_count": len(people) + strangers}


@pytest.mark.parametrize(("sentence", "matches"), SETS, ids=[sentence for sentence, _ in SETS])
def test_a_set_of_people_finds_its_photos(sentence: str, matches: Callable[[People, int], bool]) -> None:
    parsed = PARSER.parse(sentence, TODAY)
    for people, strangers in PHOTOS:
        found = is_fulfilled(parsed.condition, make_row(people, strangers))
        assert found == matches(people, len(people) + strangers), (people, strangers)
    assert not parsed.caption and not parsed.notes


@pytest.mark.parametrize(
    ("sentence", "summary"),
    [
        ("kim or zoe but not both", "Kim or Zoe, but not both"),
        ("maya and kim or zoe but not both", "Maya and (Kim or Zoe), but not both"),
        ("at most one of maya and kim", "at most one of Maya and Kim"),
        ("maya, noor or kim but not all three", "Maya or Noor or Kim, at most two of them"),
        ("no group photos", "0 to 2 people"),
    ],
)
def test_a_set_is_described(sentence: str, summary: str) -> None:
    assert PARSER.parse(sentence, TODAY).summary == summary


@pytest.mark.parametrize(
    "case",
    [
        Case("who", "kim or zoe but not both on a beach", text="a person on a beach"),
        Case("who", "either kim or zoe on a boat", text="a person on a boat"),
        Case("who", "at most one of maya and kim on a beach", text="a beach"),
        Case("who", "exactly two of maya, noor and kim on a boat", text="two people on a boat"),
        Case("who", "group photos on a beach", lambda p: p.faces >= 3, "a group of people on a beach"),
        Case("who", "no group photos of a beach", lambda p: p.faces < 3, "a beach"),
        Case("who", "a group of trees", lambda p: True, "a group of trees"),
        Case("who", "maya and not all dogs", lambda p: "Maya" in p.people, "a person and not all dogs"),
        Case("who", "one of my dogs", lambda p: True, "one of dogs"),
    ],
    ids=lambda case: case.sentence,
)
def test_what_remains_is_the_caption(case: Case) -> None:
    assert find_differences(case) == []


def test_names_are_found_with_and_without_spaces() -> None:
    names = ("Maryann", "Jo Anne", "Forrest", "Sun Rise", "Rosemary", "Carlos")
    parser = SentenceParser(Vocabulary(people={normalize(name): VocabularyEntry(name, 1) for name in names}))
    found = {
        "mary ann": "Maryann", "mary-ann in a park": "Maryann", "mary ann's dog": "Maryann",
        "joanne": "Jo Anne", "joanne's dog": "Jo Anne", "jo-anne": "Jo Anne",
    }  # fmt: skip
    for sentence, name in found.items():
        assert parser.parse(sentence, TODAY).people.all_of == (name,), sentence
    for sentence in ("a bed for rest", "a sunrise", "the car los angeles", "rose, mary", "mary, ann"):
        assert not parser.parse(sentence, TODAY).people, sentence


def test_an_exact_name_comes_before_one_without_spaces() -> None:
    people = {name.lower(): VocabularyEntry(name, 1) for name in ("Anne", "Marie", "Annemarie", "Anne Marie")}
    parser = SentenceParser(Vocabulary(people=people))
    assert parser.parse("annemarie", TODAY).people.all_of == ("Annemarie",)
    assert parser.parse("anne marie", TODAY).people.all_of == ("Anne Marie",)


@pytest.mark.parametrize(
    "sentence",
    ["kim or zoe but not both in paris", "exactly two of maya, noor and kim", "not both maya and kim"],
)
def test_a_limit_holds_in_every_relaxation(sentence: str) -> None:
    parsed = PARSER.parse(sentence, TODAY)
    plan = plan_filter(parsed)
    limit = And(PeopleClause(at_most=parsed.people.at_most).conditions)
    attempts = [attempt for step in list_relaxations(plan.parts, True) for attempt in step]
    for people, strangers in PHOTOS:
        row = make_row(people, strangers) | {"place_words": []}
        for attempt in attempts:
            if is_fulfilled(And((plan.required, attempt.condition)), row):
                assert is_fulfilled(limit, row)
    assert not is_fulfilled(plan.required, {"face_labels": [], "face_count": -1})
    assert plan.exclusions.startswith("with at most ")


def test_a_long_list_is_read_without_its_limit() -> None:
    names = [f"{letter}{letter}{letter}x" for letter in "abcdefghijkl"]
    parser = SentenceParser(Vocabulary(people={name: VocabularyEntry(name.title(), 1) for name in names}))
    assert not parser.parse(f"exactly one of {', '.join(names)}", TODAY).people.at_most
    assert parser.parse(f"exactly one of {', '.join(names[:10])}", TODAY).people.at_most
