"""Sentences as newcomers type them: people by number, "me", misspelled small words, "how many photos"."""

from __future__ import annotations

from datetime import date

import pytest

from imagesearch.query import ParsedQuery, SentenceParser
from imagesearch.query.english import find_word_level
from imagesearch.query.lexicon import COMMON
from imagesearch.store import Vocabulary, VocabularyEntry

TODAY = date(2024, 6, 15)
PEOPLE = ("Kofi", "Maya", "May", "person 12")
VOCABULARY = Vocabulary(
    people={name.lower(): VocabularyEntry(name, 5) for name in PEOPLE},
    places={"goa": VocabularyEntry("Goa", 5, "state")},
)
PARSER = SentenceParser(VOCABULARY)
NUMBERS = {1: "Kofi", 3: "May", 12: "person 12"}


def parse(sentence: str, parser: SentenceParser = PARSER) -> ParsedQuery:
    return parser.parse(sentence, TODAY, find_person=lambda number: NUMBERS.get(number, ""))


@pytest.mark.parametrize(
    ("sentence", "summary", "notes"),
    [
        ("person 1", "Kofi", ('read "person 1" as Kofi',)),
        ("person 12", "person 12", ()),
        ("Person #1 in goa", "Kofi · Goa (state)", ('read "person 1" as Kofi',)),
        ("person 99", "person 99", ("there is no person 99",)),
        ("persons 98 and 99", "person 98 and person 99", ("there is no person 98 and no person 99",)),
        ("without person 3", "without May", ('read "person 3" as May',)),
        ("persons 1, 3 and 12", "Kofi, May and person 12", None),
        ("person 1 or 99", "Kofi or person 99", None),
        ("person 1 and 2 dogs", 'Kofi · "2 dogs"', None),
        ("a person 2 metres tall", '"a person 2 metres tall"', ()),
        ("a person 2023", '2023 · "a person"', ()),
    ],
)
def test_a_number_is_a_person(sentence: str, summary: str, notes: tuple[str, ...] | None) -> None:
    parsed = parse(sentence)
    assert parsed.summary == summary and notes in (None, parsed.notes)


@pytest.mark.parametrize(
    ("sentence", "word", "summary"),
    [
        ("only photos with me", "me", ""),
        ("photos of us", "us", ""),
        ("me in goa", "me", "Goa (state)"),
        ("maya and me", "me", "Maya"),
        ("photos where I am on a beach", "I", '"a beach"'),
    ],
)
def test_me_is_nobody_who_is_known(sentence: str, word: str, summary: str) -> None:
    parsed = parse(sentence)
    advice = "name yourself with 03_name_people.py --name N=..., then type that name"
    assert parsed.notes == (f'it is not known who "{word}" is; {advice}',)
    assert parsed.not_understood == (word,) and parsed.summary == summary
    named = Vocabulary(people={word.lower(): VocabularyEntry(word.title(), 1)})
    assert not parse(sentence, SentenceParser(named)).not_understood


@pytest.mark.parametrize(
    "sentence", ["show me a dog", "i want to see maya", "in the us", "photos i took in goa"]
)
def test_me_is_not_always_the_person(sentence: str) -> None:
    assert not parse(sentence).notes


@pytest.mark.parametrize(
    ("sentence", "summary", "note"),
    [
        ("wihtout maya", "without Maya", 'read "wihtout" as without'),
        ("kofi wihout maya", "Kofi without Maya", 'read "wihout" as without'),
        ("yestreday", "yesterday (2024-06-14)", 'read "yestreday" as yesterday'),
        ("beetween 2020 and 2022", "between 2020 and 2022", 'read "beetween" as between'),
        ("maya in Febuary 2023", "Maya · february 2023", 'read "Febuary" as february'),
        ("maya adn kofi", "Maya and Kofi", 'read "adn" as and'),
        ("kofi an maya", "Kofi and Maya", 'read "an" as and'),
        ("kofi whith maya", "Kofi and Maya", 'read "whith" as with'),
        ("aftr 2022", "after 2022", 'read "aftr" as after'),
        ("photos form 2021", "2021", 'read "form" as from'),
        ("maya frm goa", "Maya · Goa (state)", 'read "frm" as from'),
        ("maya ni goa", "Maya · Goa (state)", 'read "ni" as in'),
        ("evry summer", "every summer", 'read "evry" as every'),
    ],
)
def test_small_words_are_corrected(sentence: str, summary: str, note: str) -> None:
    parsed = parse(sentence)
    assert parsed.summary == summary and parsed.notes == (note,)
    assert parse("maya last sumer").dates == parse("maya last summer").dates


@pytest.mark.parametrize(
    "sentence", ["a form in goa", "maya an artist", "photos of an elephant", "a great 2022"]
)
def test_words_beside_no_names_stay(sentence: str) -> None:
    assert not parse(sentence).notes


@pytest.mark.parametrize(
    ("sentence", "unknown"),
    [
        ("rose and kofi", ("rose",)),
        ("with rose and kofi", ("rose",)),
        ("maya, kofi and rose", ("rose",)),
        ("photos of rose", ()),
        ("kofi and a rose", ()),
        ("kofi and rose petals", ()),
        ("maya and summer", ()),
    ],
)
def test_a_flower_beside_a_person_is_a_name(sentence: str, unknown: tuple[str, ...]) -> None:
    assert parse(sentence).unknown_names == unknown


def test_right_words_stay_as_they_are() -> None:
    names = ("marco", "augusta", "wendy", "sundays", "summers", "juno", "april")
    for word in sorted({*COMMON, *names}):
        if find_word_level(word) or word in names:
            assert not any(note.startswith("read") for note in parse(f"a {word}").notes), word


@pytest.mark.parametrize(
    ("sentence", "summary"),
    [
        ("how many photos of kofi", "Kofi"),
        ("how many photos do I have of kofi in goa", "Kofi · Goa (state)"),
        ("How many pictures are there of maya", "Maya"),
        ("how many dogs", '"how many dogs"'),
    ],
)
def test_how_many_photos(sentence: str, summary: str) -> None:
    parsed = parse(sentence)
    assert parsed.summary == summary and not parsed.notes
