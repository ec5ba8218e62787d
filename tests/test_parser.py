"""Parsing of sentences: the expected result of each, its filter, and that any text can be parsed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagesearch.filters import format_filter
from imagesearch.query import ParsedQuery, SentenceParser
from imagesearch.store import Vocabulary, VocabularyEntry
from imagesearch.text import normalize

TODAY = date(2024, 6, 15)  # a Saturday
PEOPLE = (
    "Maya", "Noor", "Kim", "Kim Lee", "Mary Ann", "Zoë", "Łukasz", "José", "小明", "محمد", "Мария", "O'Brien",
    "Paris", "May", "August", "Rose", "Beech", "James", "Anna", "Anne", "Charlotte", "Me", "Sandy", "Sunny",
    "person 12",
)  # fmt: skip
PLACES = (
    ("Goa", "state"), ("Anjuna", "city"), ("India", "country"), ("Paris", "city"), ("France", "country"),
    ("Île-de-France", "state"), ("Zermatt", "city"), ("Tokyo", "city"), ("Japan", "country"),
    ("New York City", "city"), ("New York", "state"), ("Rio de Janeiro", "city"), ("Rio Branco", "city"),
    ("Brazil", "country"), ("Nice", "city"), ("Maya Street", ""), ("St. James's Park", ""),
    ("St James Street", ""), ("Reykjavík", "city"), ("Bondi Beach", "city"), ("Nairobi", "city"),
    ("Kenya", "country"), ("Baker Street", ""), ("New South Wales", "state"), ("Switzerland", "country"),
    ("Reading", "city"), ("Park", ""), ("United States", "country"), ("UK", "country"), ("York", "city"),
    ("Münster", "city"),
)  # fmt: skip
WITHIN = {
    "anjuna": ("goa", "india"), "goa": ("india",), "paris": ("ile de france", "france"), "nice": ("france",),
    "zermatt": ("switzerland",), "tokyo": ("japan",), "new york city": ("new york", "united states"),
    "rio de janeiro": ("brazil",), "nairobi": ("kenya",), "bondi beach": ("new south wales",),
    "york": ("uk",), "reading": ("uk",),
}  # fmt: skip
VOCABULARY = Vocabulary(
    people={normalize(name): VocabularyEntry(name, 5) for name in PEOPLE},
    places={normalize(name): VocabularyEntry(name, 50 - i, kind) for i, (name, kind) in enumerate(PLACES)},
    within=WITHIN,
)
PARSER = SentenceParser(VOCABULARY)
LINES = (Path(__file__).parent / "sentences.txt").read_text("utf-8").splitlines()
TABLE = [tuple(line.split("  ->  ")) for line in LINES if "  ->  " in line]
# Sentences that do not fit on a line of sentences.txt, and sentences without a summary.
ODD = [
    ("", ""),
    (" \t\n", ""),
    ("maya\tand\nnoor", "Maya and Noor"),
    ("maya\x00in\x1bgoa", "Maya · Goa (state)"),
    ("maya \ud800 in goa", "Maya · Goa (state)"),
    ("\udcff", ""),
    ("31 february 2024", ""),  # not understood
    ("2024-13-45", ""),
    ("\u202emaya\u202c in goa", "Maya · Goa (state)"),
    ("ｍａｙａ in ＧＯＡ", "Maya · Goa (state)"),  # noqa: RUF001 - full-width letters
    ("zoe\u0308", "Zoë"),
    ("maya " * 2000, "Maya"),
    *((words, "newest first") for words in ("newest photos", "recent photos")),
    *((words, "") for words in ("all photos", "everywhere", "anywhere")),
    ('maya" or "1"=="1', 'Maya · "a person or 1== 1"'),
    ("in goa " + "x" * 10_000, 'Goa (state) · "' + "x" * 10_000 + '"'),
]


def summarize(parsed: ParsedQuery) -> str:
    """Return the summary with the caption that CLIP encodes in place of the user's words."""
    return replace(parsed, phrase=parsed.caption).summary


def write_filter(sentence: str) -> str:
    return format_filter(PARSER.parse(sentence, TODAY).condition, lists_are_arrays=False)


# --- the table ---------------------------------------------------------------------------------------------


def test_the_table_is_long_enough() -> None:
    assert len({sentence for sentence, _ in TABLE}) == len(TABLE) >= 300


@pytest.mark.parametrize(("sentence", "summary"), [*TABLE, *ODD], ids=lambda text: text[:40])
def test_a_sentence_has_the_expected_summary(sentence: str, summary: str) -> None:
    parsed = PARSER.parse(sentence, TODAY)
    assert summarize(parsed) == summary
    has_caption = re.search(r'(?:^|· )"', summary) is not None  # `without "a dog"` is not the caption
    assert bool(parsed.text) == has_caption and (not parsed.text or parsed.words)


# --- filters -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "written"),
    [
        ("maya", 'face_labels like "%|Maya|%"'),
        ("zoe or jose", '(face_labels like "%|Zoë|%") or (face_labels like "%|José|%")'),
        ("maya without noor", '(face_labels like "%|Maya|%") and (not (face_labels like "%|Noor|%"))'),
        ("maya alone", '(face_labels like "%|Maya|%") and (face_count == 1)'),
        ("nobody", "face_count == 0"),
        ("at least three people", "face_count >= 3"),
        ("at most 3 people", "face_count >= 1 and face_count < 4"),
        ("maya with two people", '(face_labels like "%|Maya|%") and (face_count == 3)'),
        ("in goa", 'place_words like "%|goa|%"'),
        ("in goa or tokyo", '(place_words like "%|goa|%") or (place_words like "%|tokyo|%")'),
        ("anjuna, goa", '(place_words like "%|anjuna|%") and (place_words like "%|goa|%")'),
        ("not in goa", 'not (place_words like "%|goa|%")'),
        ("person:bob", 'face_labels like "%|bob|%"'),
        ("person:100%", 'face_labels like "%|100|%"'),
        ('person:"100%"', 'path == ""'),
        ("a red boat", ""),
    ],
)  # fmt: skip
def test_a_sentence_becomes_a_filter(sentence: str, written: str) -> None:
    assert write_filter(sentence) == written


# --- the text and the notes --------------------------------------------------------------------------------


def test_the_caption_is_put_into_the_template() -> None:
    parsed = SentenceParser(VOCABULARY, "a drawing: {text}!").parse("maya on the beaches of goa", TODAY)
    assert parsed.text == "a drawing: a person on the beaches!"
    assert (parsed.caption, parsed.words) == ("a person on the beaches", "the beaches")
    assert PARSER.parse("{text} {0} {", TODAY).text == "a photo of {text} {0} {"


@pytest.mark.parametrize(
    ("sentence", "note"),
    [
        ("mayaa in goa", 'read "mayaa" as Maya'),
        ("photos of mary", 'read "mary" as Mary Ann'),
        ("in rio", 'read "rio" as Rio de Janeiro or Rio Branco'),
        ("on 6/3/2024", "read 6/3/2024 as 2024-06-03 (month/day/year)"),
        ("place:atlantis", 'no place is called "atlantis"'),
        ('person:"bob b"', 'nobody is called "bob b"'),
        ("maya or goa", 'read "or" between a person and a place as "and"'),
        ("in goa or in 2022", 'read "or" between a date and a place as "and"'),
        ("maya in goa or noor", 'read "or" between a person and a place as "and"'),
    ],
)
def test_words_that_are_not_taken_literally_have_a_note(sentence: str, note: str) -> None:
    assert PARSER.parse(sentence, TODAY).notes == (note,)


def test_a_typing_error_that_fits_two_names_is_text() -> None:
    people = {name: VocabularyEntry(name.title(), 1) for name in ("marina", "karina")}
    parser = SentenceParser(Vocabulary(people=people))
    parsed = parser.parse("photos of parina", TODAY)
    assert not parsed.people and parsed.notes == ('"parina" is read as text; did you mean Karina or Marina?',)
    assert parser.parse("marina", TODAY).people.all_of == ("Marina",)


@pytest.mark.parametrize(
    "typed", ["zermat", "zermattt", "szermatt", "ermatt", "sermatt", "zermatz", "zermtat", "ezrmatt"]
)
def test_a_name_with_one_typing_error_is_found(typed: str) -> None:
    parsed = PARSER.parse(f"in {typed}", TODAY)
    assert (parsed.places, parsed.notes) == ((("zermatt",),), (f'read "{typed}" as Zermatt',))


@pytest.mark.parametrize("typed", ["zerma", "zremtat", "ezrmat", "xzermatty", "ermatz", "matterzer"])
def test_a_name_with_two_typing_errors_is_text(typed: str) -> None:
    parsed = PARSER.parse(f"in {typed}", TODAY)
    assert not parsed.places and typed in parsed.text and not parsed.notes


def test_partial_names_are_sorted_by_match_then_by_photos() -> None:
    names = {"santa maria": 3, "santa rosa": 9, "santa maria de la cruz y los santos": 50, "rosa": 1}
    parser = SentenceParser(
        Vocabulary(places={name: VocabularyEntry(name.title(), n) for name, n in names.items()})
    )
    assert parser.parse("in santa", TODAY).places == (("santa rosa",), ("santa maria",))
    assert parser.parse("in la cruz", TODAY).places == (("santa maria de la cruz y los santos",),)


@pytest.mark.parametrize(
    ("sentence", "summary"),
    [
        ("a dog", '"a dog"'),
        ("photos of a", "A"),
        ("12 boats", '"12 boats"'),
        ("in 12", "12"),
        ("2023", "2023"),
        ("will and maya", "Will and maya"),
        ("a boat that will sail", '"a boat that will sail"'),
    ],
)
def test_everyday_words_and_numbers_are_names_only_where_a_name_is_expected(
    sentence: str, summary: str
) -> None:
    words = {name.casefold(): VocabularyEntry(name, 1) for name in ("A", "Will", "maya")}
    places = {name: VocabularyEntry(name, 1) for name in ("12", "2023")}
    parser = SentenceParser(Vocabulary(people=words, places=places))
    assert summarize(parser.parse(sentence, TODAY)) == summary


def test_a_parsed_sentence_can_be_written_as_json() -> None:
    parsed = PARSER.parse("only maya or noor in paris, france last summer with a dog", TODAY)
    again = json.loads(json.dumps(parsed.to_dict()))
    assert again["people"]["any_of"] == [["Maya", "Noor"]] and again["people"]["only"] is True
    assert again["places"]["any_of"] == [["paris", "france"]]
    assert again["text"] == "a photo of a person with a dog" and again["read_as"] == parsed.summary


# --- any text ----------------------------------------------------------------------------------------------

TABLE_WORDS = [word for line in LINES for word in line.split("  ->  ")[0].split()]
pieces = st.sampled_from(
    [*TABLE_WORDS, *PEOPLE, *(name for name, _ in PLACES), '"', "person:", "place:", "'s", ",", "("]
)
DATE_WORDS = """3 10 31 2019 2024 21st may june feb february march summer winter christmas easter sunday
weekend week year day days years ago last this the from between and to until before after
since in on of or every - / . , 90s new years eve yesterday not 2 two 29 1900 2099 0 00"""
date_sentences = st.lists(st.sampled_from(re.split(r"\s+", DATE_WORDS)), max_size=9).map(" ".join)
sentences = (
    date_sentences
    | st.text(max_size=60)
    | st.text(st.characters(categories=None) | st.sampled_from("\"'\\%_|()[]{}\n\0\ud800"), max_size=60)
    | st.lists(pieces, max_size=14).map(" ".join)
    | st.lists(pieces | st.text(max_size=5), max_size=14).map("".join)
)


def check(sentence: str, today: date = TODAY) -> None:
    """Check that a sentence can be parsed, and that no value of its filter ends outside its quotes."""
    parsed = PARSER.parse(sentence, today)
    for arrays in (False, True):
        written = format_filter(parsed.condition, lists_are_arrays=arrays)
        written.encode()
        bare = re.sub(r'"(?:[^"\\\n]|\\.)*"', "", written)
        assert re.fullmatch(r"[a-z_ ()=<>!.,0-9\[\]-]*", bare), written
        assert bare.count("(") == bare.count(")")
    parsed.text.encode()
    json.dumps(parsed.to_dict())
    assert isinstance(parsed.summary, str)
    if "person" not in sentence and "people" not in sentence:
        assert set(parsed.people.all_of) <= set(PEOPLE)


@settings(max_examples=600, deadline=None)
@given(sentences)
def test_any_sentence_can_be_parsed_and_filtered(sentence: str) -> None:
    check(sentence)


@settings(max_examples=150, deadline=None)
@given(date_sentences | st.lists(pieces, max_size=10).map(" ".join), st.dates())
def test_any_day_can_be_today(sentence: str, today: date) -> None:
    check(sentence, today)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4), sentences)
def test_any_vocabulary_is_accepted(names: dict[str, str], sentence: str) -> None:
    words = {normalize(key): VocabularyEntry(name, 1) for key, name in names.items()}
    parser = SentenceParser(Vocabulary(people=words, places=words))
    for text in (sentence, *names, *(f"in {name}" for name in names)):
        parser.parse(text, TODAY)


@pytest.mark.parametrize(
    "piece", ["maya and ", "in the ", "3 june 2024 ", "not ", '"', "(", "小明", "1 ", "between may and "]
)
def test_ten_thousand_characters_are_parsed(piece: str) -> None:
    check((piece * 10_000)[:10_000])


def test_many_other_places_change_no_sentence() -> None:
    parts = [
        a + b + c for a in ("gra", "ko", "mi", "no") for b in ("ba", "ru", "li", "te") for c in "aeiouxyzw"
    ]
    names = (f"{a} {b}" for i in range(3) for a in parts for b in parts[i::3])
    places = {name: VocabularyEntry(name.title(), 1, "city") for name in names} | dict(VOCABULARY.places)
    parser = SentenceParser(replace(VOCABULARY, places=places))
    for sentence, summary in TABLE:
        assert summarize(parser.parse(sentence, TODAY)) == summary
