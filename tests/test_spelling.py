"""Typing errors in names: short names, names of several words, hints, and that everyday words stay words."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from imagesearch.query import SentenceParser
from imagesearch.query.english import find_word_level
from imagesearch.query.first_names import find_name_kind
from imagesearch.query.lexicon import COMMON, split_set
from imagesearch.store import Vocabulary, VocabularyEntry
from imagesearch.text import normalize

TODAY = date(2024, 6, 15)
ROOT = Path(__file__).parents[1]
PEOPLE = sorted(
    name.title()
    for name in split_set(
        "maya priya kim noor sam rose eva ali ben jon lena nora zoe kofi anna ella lily liam noah emma owen "
        "ivan olga ravi sana omar yuki luis nina max nils lars marie clara elena aisha chloe hugo emil"
    )
)
PLACES = ("Da Nang", "Ho Chi Minh City", "Goa", "Hanoi", "Hội An", "Rome", "Los Angeles", "Rio de Janeiro")
WORDS = ROOT / "src" / "imagesearch" / "query" / "english_words.tsv"
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def make_parser(people: list[str]) -> SentenceParser:
    entries = {normalize(name): VocabularyEntry(name, 3) for name in people}
    places = {normalize(name): VocabularyEntry(name, 3, "city") for name in PLACES}
    return SentenceParser(Vocabulary(people=entries, places=places))


def make_names(count: int) -> list[str]:
    """Return invented names of two to eight letters."""
    rng = random.Random(5)
    starts = sorted(split_set("b c d f g h j k l m n p r s t v z br ch dr kh sh"))
    vowels = sorted(split_set("a e i o u ai ee ou"))
    names: dict[str, None] = {}
    while len(names) < count:
        syllables = [rng.choice(starts) + rng.choice(vowels) for _ in range(rng.choice((1, 2, 2, 3)))]
        names["".join(syllables).title() + rng.choice(("", "", "n", "r", "l", "s"))] = None
    return list(names)


@pytest.fixture(scope="module")
def parser() -> SentenceParser:
    return make_parser(PEOPLE)


# --- corrections and hints ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "summary"),
    [
        ("prya", "Priya"),
        ("photos of mya", "Maya"),
        ("mayya in goa", "Maya · Goa (city)"),
        ("amya on a boat", 'Maya · "on a boat"'),
        ("kmi and kimm", "Kim"),
        ("lenna's birthday", 'Lena · "birthday"'),
        ("danang", "Da Nang (city)"),
        ("in Đà Nẵng", "Da Nang (city)"),
        ("maya in đànẵng", "Maya · Da Nang (city)"),
        ("hochiminh", "Ho Chi Minh City (city)"),
        ("ho chi min", "Ho Chi Minh City (city)"),
        ("in ha noi", "Hanoi (city)"),
        ("hoian", "Hội An (city)"),
        ("da nag", "Da Nang (city)"),
        ("in danag", "Da Nang (city)"),
        ("in losangeles", "Los Angeles (city)"),
        ("in os angeles", "Los Angeles (city)"),
        ("in gao", "Goa (city)"),
    ],
)
def test_a_typing_error_is_corrected(parser: SentenceParser, sentence: str, summary: str) -> None:
    assert parser.parse(sentence, TODAY).summary == summary


@pytest.mark.parametrize(
    ("sentence", "hint"),
    [
        ("photos of tim", '"tim" is read as text; did you mean Kim?'),
        ("noar at the beach", '"noar" is read as text; did you mean Noah or Noor or Nora?'),
        ("riya in goa", '"riya" is read as text; did you mean Priya?'),
        ("in da nxyz", '"da nxyz" is read as text; did you mean Da Nang?'),
    ],
)
def test_where_it_is_not_sure_there_is_a_hint(parser: SentenceParser, sentence: str, hint: str) -> None:
    parsed = parser.parse(sentence, TODAY)
    assert parsed.notes == (hint,) and not parsed.people and "Da Nang" not in parsed.summary


@pytest.mark.parametrize("sentence", ["may in goa", "a boy and a bean", "the lean tower", "in chi"])
def test_a_word_is_no_name(parser: SentenceParser, sentence: str) -> None:
    parsed = parser.parse(sentence, TODAY)
    assert not parsed.people and not parsed.notes and not parsed.unknown_names


@pytest.mark.parametrize("count", [0, 10_000])
def test_no_everyday_word_becomes_a_name(count: int) -> None:
    names = [*PEOPLE, *make_names(count)] if count else PEOPLE
    parser, known = make_parser(names), {normalize(name) for name in (*names, *PLACES)}
    listed = [line for line in WORDS.read_text("ascii").splitlines() if "\t" not in line]
    texts = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "tests" / "sentences.txt"]
    written = {word for file in texts for word in file.read_text("utf-8").lower().split() if word in COMMON}
    words = {word for word in (*listed[::16], *COMMON, *written) if word.isalpha() and word.isascii()} - known
    assert len(words) > 5_000
    wrong = {}
    for word in sorted(words):
        if word.removesuffix("s") in known:
            continue  # "anna's"
        if find_name_kind(word) == "name":
            continue  # "photos of tom" seems to name somebody
        for sentence in (f"photos of {word}", f"in {word}"):
            parsed = parser.parse(sentence, TODAY)
            if any("read" in note or "did you mean" in note for note in parsed.notes) or parsed.unknown_names:
                wrong[sentence] = parsed.notes
    assert not wrong


def list_errors(name: str) -> Iterator[str]:
    """Yield a name with one letter omitted, doubled, swapped, or replaced by a neighbour."""
    near = defaultdict(set)
    for row in _ROWS:
        for a, b in pairwise(row):
            near[a].add(b)
            near[b].add(a)
    for i, letter in enumerate(name):
        yield name[:i] + name[i + 1 :]
        yield name[: i + 1] + name[i:]
        yield name[:i] + name[i + 1 : i + 2] + letter + name[i + 2 :]
        yield from (name[:i] + other + name[i + 1 :] for other in sorted(near[letter]))


@pytest.mark.parametrize("count", [0, 10_000])
def test_most_typing_errors_are_corrected_or_have_a_hint(count: int) -> None:
    names = [*PEOPLE, *make_names(count)] if count else PEOPLE
    parser, known = make_parser(names), {normalize(name) for name in names}
    helped, missed, wrong = 0, [], []
    for name in random.Random(2).sample([name for name in names if len(name) > 3], 30):
        for typed in {*list_errors(name.lower())} - known - {name.lower()}:
            if find_word_level(typed) == "everyday":
                continue
            parsed = parser.parse(f"photos of {typed}", TODAY)
            is_right = parsed.people.all_of == (name,)
            if parsed.people and not is_right:
                wrong.append((name, typed, parsed.people))
            elif is_right or "did you mean" in " ".join(parsed.notes):
                helped += 1
            else:
                missed.append((name, typed))
    assert helped > 300 and not wrong and len(missed) <= 0.05 * helped, (missed, wrong)


# --- names that nobody has ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "names"),
    [
        ("Zelda in Goa", ("Zelda",)),
        ("photos of zelda", ("zelda",)),
        ("zelda and xandra at the beach", ("zelda", "xandra")),
        ("zelda and zelda", ("zelda",)),
        ("me and zelda", ("zelda",)),
        ("zelda's birthday", ("zelda",)),
        ("the day when Zelda swam", ("Zelda",)),
        ("maya with Zelda dancing", ("Zelda",)),
        ("photos of maya", ()),
        *(
            (text, ())
            for text in ("Christmas with Santa", "Eiffel Tower", "a Mercedes", "Ferrari", "lego bricks")
        ),
        *(
            (text, ())
            for text in ("sunset over Kilimanjaro", "suset at the beach", "tiramisu", "in Atlantis")
        ),
        ("Tom in goa", ("Tom",)),
        ("tom and peter at the beach", ("tom", "peter")),
        ("uncle Bob at christmas", ("Bob",)),
        ("photos of Ruby", ("Ruby",)),
        ("photos of mary last summer", ("mary",)),
        ("mark and zelda", ("mark", "zelda")),
        *((text, ()) for text in ("Indien", "Norwegen", "rückblick", "xyz", "Indien 2023")),
        *((text, ()) for text in ("a ruby on a ring", "Ruby on a table", "ray of light", "frank talk")),
        *((text, ()) for text in ("photos of Oslo", "A Dog On A Sofa", "BEACH IN GOA", "new year's eve")),
    ],
)
def test_unknown_names_are_found(parser: SentenceParser, sentence: str, names: tuple[str, ...]) -> None:
    assert parser.parse(sentence, TODAY).unknown_names == names


def test_somebody_is_sought_where_nobody_is_named() -> None:
    parser = SentenceParser(Vocabulary(people={"person 1": VocabularyEntry("person 1", 3)}))
    sentences = ("maya and kim at the beach", "photos of maya", "me and anna", "Maya in Goa", "prya")
    found = [parser.parse(sentence, TODAY).unknown_names for sentence in sentences]
    assert found == [("maya", "kim"), ("maya",), ("anna",), ("Maya",), ("prya",)]


# --- the user's words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "phrase", "topic"),
    [
        ("maya on the beaches of goa", "on the beaches", "the beaches"),
        ("maya's birthday", "birthday", "birthday"),
        ("maya and a dog with kim", "a dog", "a dog"),
        ("a dog with maya on a sofa", "a dog on a sofa", "a dog on a sofa"),
        ("find images of two people dancing", "dancing", "dancing"),
        ("selfie of maya", "selfie", "selfie"),
        ("a red boat", "a red boat", "a red boat"),
    ],
)
def test_the_summary_has_the_words_of_the_user(
    parser: SentenceParser, sentence: str, phrase: str, topic: str
) -> None:
    parsed = parser.parse(sentence, TODAY)
    assert (parsed.phrase, parsed.topic) == (phrase, topic) and parsed.summary.endswith(f'"{phrase}"')
    assert parsed.to_dict()["caption"] == parsed.caption
