"""The order and number of photos that a sentence requests: what is parsed, and what is shown."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from query_photos import ALBUM, NAMES, PARSER, ROWS, TODAY, Case, Photo, find_differences
from test_answer import ConstantEncoder, MadeResources

from imagesearch.config import load_config
from imagesearch.errors import UserError
from imagesearch.filters import is_fulfilled
from imagesearch.pipeline import Dataset
from imagesearch.search import Query, Searcher
from imagesearch.store import (
    ARROW_TYPES,
    CollectionRef,
    CollectionRows,
    CollectionSpec,
    IndexSpec,
    Store,
    Vocabulary,
    VocabularyEntry,
    fill_collection,
)
from imagesearch.store.schema import FIELDS
from imagesearch.store.vocabulary import split_periods


def shows(name: str) -> object:
    return lambda photo: name in photo.people


CASES = [
    Case("order", "oldest photo of maya", shows("Maya"), "", order="oldest", count=1),
    Case("order", "first photos of kofi", shows("Kofi"), "", order="oldest"),
    Case("order", "the last three photos in paris", lambda p: p.city == "Paris", "", order="newest", count=3),
    Case("order", "latest photos of zoe", shows("Zoe"), "", order="newest"),
    Case("order", "earliest photo", lambda p: True, "", order="oldest", count=1),
    Case("order", "newest picture from goa", lambda p: p.state == "Goa", "", order="newest", count=1),
    Case("order", "most recent 5 photos", lambda p: True, "", order="newest", count=5),
    Case(
        "order", "my first photo of noor in 2022", lambda p: "Noor" in p.people and p.day.year == 2022, "",
        order="oldest", count=1,
    ),
    Case("order", "maya's first photo", shows("Maya"), "", order="oldest", count=1),
    Case("order", "last photo", lambda p: True, "", order="newest", count=1),
    Case("order", "show me the very first picture of kim", shows("Kim"), "", order="oldest", count=1),
    Case("order", "the 12 oldest pictures", lambda p: True, "", order="oldest", count=12),
    Case("order", "last couple of photos of noor", shows("Noor"), "", order="newest", count=2),
    Case("order", "kim's most recent photos", shows("Kim"), "", order="newest"),
    Case("order", "recent photos of zoe", shows("Zoe"), "", order="newest"),
    Case("order", "photos of maya, oldest first", shows("Maya"), "", order="oldest"),
    Case("order", "maya in chronological order", shows("Maya"), "", order="oldest"),
    Case("order", "kofi from newest to oldest", shows("Kofi"), "", order="newest"),
    Case("order", "the oldest photo of a red boat", lambda p: True, "a red boat", order="oldest", count=1),
    Case("order", "latest beach photos", lambda p: True, "beach", order="newest"),
    Case("order", "oldest selfie of maya", shows("Maya"), "selfie of a person", order="oldest", count=1),
    Case("order", "latest screenshots", lambda p: "Screenshot" in p.name, "", order="newest"),
    Case("order", "newest iphone photos", lambda p: "iPhone" in p.camera, "", order="newest"),
    Case("order", "last group photo of maya and kim",
         lambda p: {"Maya", "Kim"} <= p.people and p.faces >= 3, "", order="newest", count=1),
    Case("order", "the first 2023 photos of kim", lambda p: "Kim" in p.people and p.day.year == 2023, "",
         order="oldest"),
    Case("order", "photos older than 2020", lambda p: p.taken is not None and p.day.year < 2020, ""),
    Case("order", "newer than 2020, kim",
         lambda p: p.taken is not None and p.day.year > 2020 and "Kim" in p.people, ""),
    Case("order", "a tree older than a house", lambda p: True, "a tree older than a house"),
    Case("order", "photos from last year", lambda p: p.day.year == 2023, ""),
    Case("order", "first birthday photos of noor", shows("Noor"), "first birthday photos of a person"),
    Case("order", "the last supper", lambda p: True, "the last supper"),
    Case("order", "first snow", lambda p: True, "first snow"),
    Case("order", "the oldest tree", lambda p: True, "the oldest tree"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sentence)
def test_an_order_is_parsed(case: Case) -> None:
    assert find_differences(case) == []


# --- the search ---------------------------------------------------------------------------------------------

COUNT = 900  # photos in the collection


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    """The last imaginary photos, some of them without a time, with vectors at random."""
    folder = tmp_path_factory.mktemp("order")
    for row in ROWS[-COUNT:]:  # a photo whose file is missing would be noted
        photo = folder / "photos" / row["path"]
        photo.parent.mkdir(parents=True, exist_ok=True)
        photo.touch()
    file = folder / "config.yaml"
    file.write_text("dataset: {name: made, images: photos, processed: p}\nmilvus: {uri: milvus.db}\n")
    config = load_config(file)
    dataset = Dataset(config)
    dataset.folder.mkdir(parents=True)
    times = [row["taken_at"] for row in ROWS[-COUNT:] if row["has_time"]]
    people = {name.lower(): VocabularyEntry(name, 1) for name in NAMES}
    Vocabulary(people=people, periods=split_periods(times)).write(dataset.folder)
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((COUNT, 8)).astype(np.float32)
    columns = {"photo_id": pa.array(range(COUNT), pa.int64())}
    for item in FIELDS["clip"]:
        values = [row.get(item.name, item.unknown) for row in ROWS[-COUNT:]]
        columns[item.name] = pa.array(values, ARROW_TYPES[item.type])
    rows = CollectionRows(pa.table(columns), vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    with Store(config.milvus) as store:
        ref, index = CollectionRef("made", "clip"), IndexSpec("FLAT", {})
        spec = CollectionSpec(ref, "random", "random", 8, index, FIELDS["clip"])
        fill_collection(store, spec, rows)
        searcher = Searcher(config, dataset, store)
        searcher.resources = MadeResources(config, dataset, store, SimpleNamespace(clip=ConstantEncoder()))
        searcher.resources.__dict__["parser"] = PARSER
        yield searcher


def list_by_hand(sentence: str, newest_first: bool) -> list[Photo]:
    """The photos that the filter of a sentence lets pass, by date; those of unknown time last or left out."""
    condition = PARSER.parse(sentence, TODAY).condition
    passing = [n for n, row in enumerate(ROWS[-COUNT:]) if is_fulfilled(condition, row)]
    photos = [ALBUM[-COUNT:][n] for n in passing]
    dated = sorted((p for p in photos if p.taken), key=lambda p: p.taken, reverse=newest_first)  # type: ignore[arg-type,return-value]
    return dated + ([p for p in photos if not p.taken] if newest_first else [])


@pytest.mark.parametrize(
    ("sentence", "newest_first", "count"),
    [
        ("oldest photo of maya", False, 1),
        ("first photos of kofi", False, 10),
        ("the last three photos in paris", True, 3),
        ("the 25 oldest photos", False, 25),
        ("latest photos of maya and noor", True, 10),
        ("the last 400 photos of kim", True, 400),
        ("first 700 photos", False, 700),
    ],
)
def test_photos_are_shown_in_the_order_of_the_sentence(
    searcher: Searcher, sentence: str, newest_first: bool, count: int
) -> None:
    answer = searcher.search(Query(sentence, today=TODAY))
    expected = list_by_hand(sentence, newest_first)
    assert [result.path for result in answer.results] == [photo.name for photo in expected[:count]]
    assert not answer.notes


def test_with_a_text_the_relevant_photos_are_sorted(searcher: Searcher) -> None:
    oldest = searcher.search(Query("oldest photo of a red boat", today=TODAY))
    by_score = searcher.search(Query("a red boat", today=TODAY, sort="oldest"))
    assert len(oldest.results) == 1 and oldest.parsed.caption == "a red boat"
    assert oldest.results[0].path == by_score.results[0].path
    times = [result.taken_at for result in by_score.results]
    assert times == sorted(times) and all(times)


def test_photos_of_unknown_time_are_not_the_oldest(searcher: Searcher) -> None:
    path = next(photo.name for photo in ALBUM[-40:] if not photo.taken).rpartition("/")[2]
    newest = searcher.search(Query(f"latest photo {path}", today=TODAY))
    assert [result.path.rpartition("/")[2] for result in newest.results] == [path] and not newest.notes
    oldest = searcher.search(Query(f"oldest photo {path}", today=TODAY))
    assert not oldest.results
    assert oldest.notes == ("the time of these photos is unknown, so none is the oldest",)


def test_an_order_is_an_option(searcher: Searcher) -> None:
    answer = searcher.search(Query("maya", sort="oldest", top_k=20, today=TODAY))
    expected = [photo.name for photo in list_by_hand("maya", newest_first=False)[:20]]
    assert [result.path for result in answer.results] == expected
    with pytest.raises(UserError, match="sort: expected score or date or oldest, got 'newest'"):
        searcher.search(Query("maya", sort="newest"))


def test_an_order_holds_for_relaxed_filters_and_other_strategies(searcher: Searcher) -> None:
    relaxed = searcher.search(Query("oldest photo of maya in nairobi before 1990", today=TODAY))
    assert len(relaxed.results) == 1 and relaxed.relaxed
    assert relaxed.notes[0].startswith("no photo of Maya in Nairobi (city) (before 1990); these are of Maya")
    union = searcher.search(Query("last 5 photos of maya in nairobi", today=TODAY, strategy="union"))
    times = [result.taken_at for result in union.results]
    assert len(times) == 5 and times == sorted(times, reverse=True)
    facts = searcher.search(Query("last 4 photos rated 5 of a boat", today=TODAY, strategy="hybrid"))
    assert len(facts.results) <= 4 and "rating" in facts.filter_expression


# --- what Milvus answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sentence",
    [
        *("rated 4 or more", "unrated", "taken with an iphone", "without a location", "portrait format"),
        *("panoramas", "square photos", "screenshots", "no screenshots", "IMG_6500", "IMG_6500.HEIC"),
        *("added last week", "unknown faces", "no unknown faces", "kim or zoe but not both"),
        *("at most one of maya, noor and kim", "group photos", "not rated 5 or taken with a canon"),
    ],
)
def test_milvus_finds_the_photos_of_a_fact(searcher: Searcher, sentence: str) -> None:
    condition = PARSER.parse(sentence, TODAY).condition
    store, ref = searcher.resources.store, CollectionRef("made", "clip")
    hits, _ = store.list_by_date(ref, COUNT, where=condition)
    expected = {n for n, row in enumerate(ROWS[-COUNT:]) if is_fulfilled(condition, row)}
    assert {hit.id for hit in hits} == expected
