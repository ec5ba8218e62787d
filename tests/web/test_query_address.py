"""Queries as addresses, and back."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagesearch.errors import UserError
from imagesearch.photos import compute_photo_id
from imagesearch.query import Criteria
from imagesearch.search import Query
from imagesearch.store import MAX_HITS
from imagesearch.web import query_address
from imagesearch.web.query_address import PARAMETERS, read_page_query, read_query, write_query

PATHS = ("2023/maya.jpg", "2024/a b & c.jpg")


@pytest.fixture(autouse=True)
def known_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    by_id = {compute_photo_id(path): path for path in PATHS}
    monkeypatch.setattr(query_address, "read_photo_path", lambda library, photo_id: by_id.get(photo_id))


def library_with(**defaults: Any) -> Any:
    return SimpleNamespace(make_query=lambda: Query(**defaults))


def read_back(query: Query, **defaults: Any) -> Query:
    return read_query(write_query(query, Query(**defaults)), library_with(**defaults))


CRITERIA = Criteria(
    people=("Maya", "<b>Zoë</b>"),
    without=("Kim & Co",),
    any_person=True,
    faces=2,
    places=("Goa, India",),
    cameras=("iPhone",),
    keywords=("a=b",),
    near="48.858,2.294",
    radius=2.5,
    after="2023",
    before="last summer",
    years=(2023, 2024),
    months=("june", "7"),
    has_gps=True,
    rating=0,
    no_gps=True,
    no_time=True,
    untagged=True,
    max_rating=0,
    shape="square",
    screenshots=False,
    names=("IMG_1.jpg",),
    unnamed=True,
    added_after="2024-01",
    added_before="2024-02",
    trips=("Goa 2023",),
    columns=("author=Ana", "tags=sea"),
)
WHOLE = Query(
    text="maya in goa?",
    strategy="union",
    strict=True,
    today=date(2024, 6, 15),
    images=tuple(map(Path, PATHS)),
    face=Path(PATHS[0]),
    by="vit",
    plus=("snow", "+"),
    minus=("rain",),
    weight_text=0.5,
    weight_image=2.0,
    folder="2023/a b",
    criteria=CRITERIA,
    top_k=60,
    min_score=0.1,
    min_fit=0.0,
    sort="oldest",
    collapse=True,
    with_itself=True,
)


def test_each_field_has_a_parameter() -> None:
    expected = {field.name for kind in (Query, Criteria) for field in fields(kind)}
    assert set(PARAMETERS.values()) == expected - {"criteria", "where"}
    changed = [
        field.name for field in fields(Query) if getattr(WHOLE, field.name) == getattr(Query(), field.name)
    ]
    assert changed == ["where"]
    assert all(getattr(CRITERIA, field.name) != getattr(Criteria(), field.name) for field in fields(Criteria))


@pytest.mark.parametrize("name", [field.name for field in fields(Query) if field.name != "where"])
def test_each_field_of_a_query_is_read_back(name: str) -> None:
    query = replace(Query(), **{name: getattr(WHOLE, name)})
    assert read_back(query) == query


@pytest.mark.parametrize("name", [field.name for field in fields(Criteria)])
def test_each_criterion_is_read_back(name: str) -> None:
    query = Query(criteria=replace(Criteria(), **{name: getattr(CRITERIA, name)}))
    assert read_back(query) == query


def test_a_whole_query_is_read_back_and_has_no_path() -> None:
    assert read_back(WHOLE) == WHOLE
    assert "maya.jpg" not in write_query(WHOLE)
    assert write_query(Query()) == ""


def test_defaults_of_the_config_are_left_out_and_replaced() -> None:
    defaults: dict[str, Any] = {"strategy": "hybrid", "min_fit": 0.5, "top_k": 20}
    assert write_query(Query("sea", **defaults), Query(**defaults)) == "q=sea"
    query = Query("sea")
    assert read_back(query, **defaults) == query
    assert read_query("q=sea", library_with(**defaults)) == Query("sea", **defaults)


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(), names=st.lists(st.text().filter(str.strip), max_size=3), near=st.text().filter(str.strip)
)
def test_any_text_is_read_back(text: str, names: list[str], near: str) -> None:
    query = Query(text, criteria=Criteria(people=tuple(names), near=near))
    read = read_back(query)
    assert read.criteria == query.criteria
    assert read.text == (text if text.strip() else "")


def test_links_of_other_pages_are_read() -> None:
    library = library_with()
    assert read_query("?q=maya+in%20goa&person=Maya&person=Kim", library) == Query(
        "maya in goa", criteria=Criteria(people=("Maya", "Kim"))
    )
    assert read_query({"near": "48.8,2.3", "radius": "2", "unknown": "1"}, library).criteria == Criteria(
        near="48.8,2.3", radius=2.0
    )
    assert (
        read_query([("after", "2023-01-01"), ("before", ""), ("q", " ")], library).criteria.after
        == "2023-01-01"
    )


def test_a_page_keeps_the_valid_parameters_and_has_no_limit_unless_it_is_given() -> None:
    params = "q=beach&rating=abc&year=2023&year=then&collapse=yes&k=0x"
    query, problem = read_page_query(params, library_with(top_k=20))
    expected = Query("beach", criteria=Criteria(years=(2023,)), collapse=True, top_k=MAX_HITS)
    assert query == expected
    for name in ("rating: expected a number, got 'abc'", "year: expected", "k: expected"):
        assert name in problem
    assert read_page_query("q=beach&k=20", library_with(top_k=20)) == (Query("beach", top_k=20), "")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("k=many", "k: expected a number, got 'many'"),
        ("faces=99999999999999999999", "faces: too large; expected at most 2147483647"),
        ("collapse=2", "collapse: expected yes or no, got '2'"),
        ("today=soon", "today: expected a date such as 2024-06-15, got 'soon'"),
        ("like=../../etc/passwd", "../../etc/passwd: no photo has this id"),
        ("face=0000000000000001", "0000000000000001: no photo has this id"),
    ],
)
def test_wrong_values_are_named(params: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        read_query(params, library_with())
    assert str(caught.value) == message
