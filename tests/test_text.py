"""Folding: what people type meets what is written, and Milvus can hold it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesearch.text import normalize


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Île-de-France", "ile de france"),
        ("REYKJAVÍK", "reykjavik"),
        ("Łódź", "lodz"),
        ("Ærøskøbing", "aeroskobing"),
        ("İstanbul", "istanbul"),
        ("Straße", "strasse"),
        ("Nuku‘alofa", "nukualofa"),  # noqa: RUF001
        ("  New \t York\n", "new york"),
        ("a|b%c_d\\e", "a b c d e"),
        ("東京", "東京"),
        ("서울", "서울"),
        ("St. John's", "st johns"),
        ("Washington, D.C.", "washington, dc"),
        ("", ""),
    ],
)
def test_names_fold_to_what_people_type(written: str, typed: str) -> None:
    assert normalize(written) == typed == normalize(typed)


@given(st.text())
def test_what_is_folded_is_stable_and_can_stand_in_a_list(text: str) -> None:
    folded = normalize(text)
    assert normalize(folded) == folded
    assert not set(folded) & set("|%_\\\n\r\t\0") and folded == folded.strip()
    folded.encode()
