"""Normal forms of names, which match what people type and which Milvus can store; similar texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesearch.text import find_similar, normalize


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Île-de-France", "ile de france"),
        ("REYKJAVÍK", "reykjavik"),
        ("Łódź", "lodz"),
        ("Ærøskøbing", "aeroskobing"),
        ("İstanbul", "istanbul"),
        ("Straße", "strasse"),
        ("Nuku‘alofa", "nukualofa"),  # noqa: RUF001 - as the name is spelt
        ("  New \t York\n", "new york"),
        ("a|b%c_d\\e", "a b c d e"),
        ("東京", "東京"),
        ("서울", "서울"),
        ("St. John's", "st johns"),
        ("Washington, D.C.", "washington, dc"),
        ("", ""),
    ],
)
def test_the_normal_form_matches_what_people_type(written: str, typed: str) -> None:
    assert normalize(written) == typed == normalize(typed)


@given(st.text())
def test_the_normal_form_is_stable_and_can_be_a_list_element(text: str) -> None:
    norm = normalize(text)
    assert normalize(norm) == norm
    assert not set(norm) & set("|%_\\\n\r\t\0") and norm == norm.strip()
    norm.encode()


@pytest.mark.parametrize(
    ("text", "similar"),
    [
        ("goa", ["goa", "goalpara"]),
        ("gao", ["goa"]),
        ("nairobbi", ["nairobi"]),
        ("oslo", []),
        ("", []),
    ],
)
def test_similar_texts_are_sorted_by_similarity(text: str, similar: list[str]) -> None:
    assert find_similar(text, ["nairobi", "goalpara", "goa"], count=2, min_ratio=0.5) == similar
