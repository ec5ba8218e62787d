"""Conditions in Milvus' filter language, and the escaping of their values."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_store import rows, spec, update, vectors
from test_store import settings as milvus

from imagesearch.filters import (
    MATCH_ALL,
    And,
    Between,
    Condition,
    Contains,
    Eq,
    HasText,
    In,
    IsEmpty,
    MoreThan,
    Not,
    Or,
    PathPrefix,
    WithinCircle,
    format_filter,
    has_circle,
    is_fulfilled,
    list_fields,
)
from imagesearch.store import PHOTO_FIELDS, CollectionRef, Store

FIELDS = (
    *("path", "face_labels", "year", "class_label", "city", "has_gps", "has_time", "taken_at"),
    *("face_count", "people_count_known"),
)
SPEC = spec(fields=tuple(item for item in PHOTO_FIELDS if item.name in FIELDS))
MAYA = Contains("face_labels", "Maya")
PHOTOS = [
    {"face_labels": ["Maya", "Noor"], "year": 2020, "city": "Rome", "has_gps": True, "path": "a/0.jpg"},
    {"face_labels": ["Maya"], "year": 2021, "city": 'Ro"me', "has_gps": False, "path": "a/1.jpg"},
    {"face_labels": ["Maya B"], "year": 2022, "city": "", "has_gps": True, "path": "b/2.jpg"},
    {"face_labels": [], "year": 2023, "city": "Oslo", "has_gps": True, "path": "b/3.jpg"},
]


@pytest.mark.parametrize(
    ("condition", "lite", "server"),
    [
        (MATCH_ALL, "", ""),
        (MAYA, 'face_labels like "%|Maya|%"', 'array_contains(face_labels, "Maya")'),
        (And((MAYA, MATCH_ALL)), 'face_labels like "%|Maya|%"', 'array_contains(face_labels, "Maya")'),
        (Eq("has_gps", True), "has_gps == true", "has_gps == true"),
        (Between("year", 2020, None), "year >= 2020", "year >= 2020"),
        (MoreThan("face_count", "year"), "face_count > year", "face_count > year"),
        (IsEmpty("face_labels"), 'face_labels == "|"', "array_length(face_labels) == 0"),
        (HasText("words", "a b"), 'words like "%a b%"', 'words like "%a b%"'),
        (HasText("words", "50%"), 'path == ""', 'path == ""'),
        (Not(MATCH_ALL), 'path == ""', 'path == ""'),
        (Or((MAYA, MATCH_ALL)), "", ""),
        (Or(()), 'path == ""', 'path == ""'),
        (And((Eq("year", 1), Or((Eq("city", "a"), Eq("city", "b"))))),) + 2 *
        ('(year == 1) and ((city == "a") or (city == "b"))',),
        (Contains("face_labels", "100%"), 'path == ""', 'path == ""'),
    ],
)  # fmt: skip
def test_a_condition_is_formatted_for_each_engine(condition: Condition, lite: str, server: str) -> None:
    assert format_filter(condition, lists_are_arrays=False) == lite
    assert format_filter(condition, lists_are_arrays=True) == server


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory):
    columns = {name: [photo[name] for photo in PHOTOS] for name in PHOTOS[0]}
    columns |= {"has_time": [False] * 4, "taken_at": [0] * 4}
    columns |= {"face_count": [2, 3, 1, -1], "people_count_known": [2, 1, 0, -1]}
    with Store(milvus(tmp_path_factory.mktemp("filters"))) as opened:
        update(opened, SPEC, rows(vectors(len(PHOTOS)), **columns))
        yield opened


def passing(store: Store, condition: Condition) -> set[int]:
    found = store.search(CollectionRef("album", "clip"), vectors(1)[0], 10, where=condition)
    return {hit.id for hit in found}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (MAYA, {0, 1}),
        (Not(MAYA), {2, 3}),
        (And((MAYA, Contains("face_labels", "Noor"))), {0}),
        (Or((Contains("face_labels", "Noor"), Contains("face_labels", "Maya B"))), {0, 2}),
        (Contains("face_labels", "M_ya"), set()),
        (Not(Contains("face_labels", "%")), {0, 1, 2, 3}),
        (In("city", ('Ro"me', "Oslo")), {1, 3}),
        (In("city", ()), set()),
        (Between("year", 2021, 2023), {1, 2}),
        (MoreThan("face_count", "people_count_known"), {1, 2}),
        (Not(MoreThan("face_count", "people_count_known")), {0, 3}),
        (IsEmpty("face_labels"), {3}),
        (Not(IsEmpty("face_labels")), {0, 1, 2}),
        (And((Eq("has_gps", True), Not(Eq("city", "Oslo")))), {0, 2}),
        (And((PathPrefix("a"), Not(Or((MAYA, Eq("year", 2021)))))), set()),
    ],
)
def test_milvus_lite_returns_the_rows_that_pass(
    store: Store, condition: Condition, expected: set[int]
) -> None:
    assert passing(store, condition) == expected


texts = st.text(st.characters(codec="utf-8"), max_size=12) | st.text(
    string.punctuation + "\n|%_ or", max_size=12
)


@settings(max_examples=150, deadline=None)
@given(element=texts, city=texts, folder=texts)
def test_values_are_escaped(store: Store, element: str, city: str, folder: str) -> None:
    assert passing(store, And((Contains("face_labels", element), PathPrefix(folder)))) <= {0, 1, 2}
    assert passing(store, Eq("city", city)) == {i for i, photo in enumerate(PHOTOS) if photo["city"] == city}
    assert passing(store, Or((MAYA, In("city", (city, folder))))) >= {0, 1}


leaves = (
    st.builds(Contains, st.just("face_labels"), st.sampled_from(["Maya", "Noor", "Maya B", "M_ya", "%", ""]))
    | st.builds(Eq, st.just("city"), st.sampled_from(["Rome", 'Ro"me', "", "rome"]))
    | st.builds(Eq, st.just("has_gps"), st.booleans())
    | st.builds(In, st.just("year"), st.lists(st.integers(2019, 2024), max_size=3).map(tuple))
    | st.builds(Between, st.just("year"), *2 * (st.none() | st.integers(2019, 2024),))
    | st.just(MoreThan("face_count", "people_count_known"))
    | st.just(IsEmpty("face_labels"))
    | st.builds(PathPrefix, st.sampled_from(["", "a", "b", "/a/", "c"]))
)
conditions = st.recursive(
    leaves,
    lambda inner: st.builds(Not, inner) | st.builds(And, st.lists(inner, max_size=3).map(tuple))
    | st.builds(Or, st.lists(inner, max_size=3).map(tuple)),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(conditions)
def test_a_row_that_was_read_is_judged_as_by_milvus(store: Store, condition: Condition) -> None:
    names = sorted(list_fields(condition))
    read = store.read_rows(CollectionRef("album", "clip"), range(len(PHOTOS)), names)
    assert {hit.id for hit in read if is_fulfilled(condition, hit.fields)} == passing(store, condition)


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.builds(WithinCircle, st.floats(-90, 90), st.floats(-180, 180), st.floats(0.1, 12_000)),
        lambda inner: (
            st.builds(Not, inner) | st.builds(And, st.tuples(inner, inner)) | st.builds(Or, st.tuples(inner))
        ),
    ),
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.booleans(),
)
def test_the_boxes_of_a_circle_lose_no_photo(
    condition: Condition, latitude: float, longitude: float, has_gps: bool
) -> None:
    row = {"has_gps": has_gps, "latitude": latitude, "longitude": longitude}
    text = format_filter(condition, lists_are_arrays=False)
    passes = not text or eval(re.sub("== true", "", text), dict(row, path="x"))  # Python's grammar agrees
    assert has_circle(condition) and (passes or not is_fulfilled(condition, row))


def test_photos_are_listed_newest_first(tmp_path: Path) -> None:
    times = [5, 0, 30, 20, 0]
    columns = {"taken_at": times, "has_time": [t > 0 for t in times], "year": [1, 1, 2, 1, 2]}
    unknown = {"city": [""] * 5, "has_gps": [False] * 5}
    unknown |= dict.fromkeys(("face_count", "people_count_known"), [0] * 5)
    with Store(milvus(tmp_path)) as store:
        update(store, SPEC, rows(vectors(5), **columns, **unknown))
        listed, passed = store.list_by_date(CollectionRef("album", "clip"), 10, fields=["taken_at"])
        assert passed == 5
        assert [hit.id for hit in listed] == [2, 3, 0, 1, 4]
        assert [hit.fields["taken_at"] for hit in listed] == [30, 20, 5, 0, 0]
        assert [
            hit.id for hit in store.list_by_date(CollectionRef("album", "clip"), 2, where=Eq("year", 1))[0]
        ] == [3, 0]
