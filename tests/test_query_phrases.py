"""The query language: each kind of phrase finds what an ordinary reader expects."""

from __future__ import annotations

import pytest
from query_photos import Case, find_differences
from query_readers import READER_CASES
from query_samples import SAMPLES
from query_second_reader import SECOND_READER_CASES


@pytest.mark.parametrize(
    "case", [*SAMPLES, *READER_CASES, *SECOND_READER_CASES], ids=lambda case: case.sentence
)
def test_phrase(case: Case) -> None:
    differences = find_differences(case)
    assert not differences, "\n".join([f"{case.kind}: {case.sentence}", *differences])
