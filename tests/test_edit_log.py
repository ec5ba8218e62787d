"""The user's edits: a file that outlives a kill."""

from __future__ import annotations

from pathlib import Path

import pytest
from synthetic import NAMES, REFERENCE

from imagesearch.errors import UserError
from imagesearch.faces.edit_log import Edit, EditLog


def test_edits_come_back_as_they_were_given(tmp_path: Path) -> None:
    log = EditLog(tmp_path / "new folder" / "people.jsonl")
    assert log.read() == []
    edits = [Edit("name", ((REFERENCE,),), name=name, confirmed=True, at="2026-01-01") for name in NAMES]
    edits += [Edit("split", ((REFERENCE,), (REFERENCE, REFERENCE))), Edit("rename", name="a", new_name="b")]
    for edit in edits:
        log.append(edit)
    assert log.read() == edits


def test_a_line_cut_at_any_byte_loses_itself_alone_and_the_next_one_is_whole(tmp_path: Path) -> None:
    log = EditLog(tmp_path / "people.jsonl")
    first, second = (Edit("name", ((REFERENCE,),), name=name) for name in ("Zoë", "नूर"))
    log.append(first)
    kept = log.file.stat().st_size
    log.append(second)
    whole = log.file.read_bytes()
    for end in range(kept, len(whole) - 1):
        log.file.write_bytes(whole[:end])
        assert log.read() == [first], end
        log.append(second)
        assert log.file.read_bytes() == whole


def test_a_first_line_that_was_cut_is_nothing(tmp_path: Path) -> None:
    log = EditLog(tmp_path / "people.jsonl")
    log.file.write_bytes(b'{"do": "na')
    assert log.read() == []
    log.append(Edit("forget", name="Maya"))
    assert [edit.action for edit in log.read()] == ["forget"]


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"[]",
        b"3",
        b'{"do": "name"}',
        b'{"faces": []}',
        b'{"do": "name", "name": "Maya", "faces": [[["a.jpg", "00"]]]}',
        b'{"do": "name", "name": "Maya", "faces": [[["a.jpg", "00", [1, 2, 3]]]]}',
        b'{"do": null, "faces": []}',
        b'{"do": "join", "faces": []}',
        b'{"do": "rise", "faces": []}',
        b'{"do": 7, "faces": []}',
        b'{"do": "forget", "name": "\xff", "faces": []}',
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: bytes) -> None:
    log = EditLog(tmp_path / "people.jsonl")
    good = Edit("forget", name="Maya").to_json().encode()
    log.file.write_bytes(good + b"\n" + line + b"\n" + good + b"\n")
    with pytest.raises(UserError, match=r"people.jsonl: .*line 2") as error:
        log.read()
    assert "\n" not in str(error.value)


def test_a_last_line_without_its_end_counts_and_is_ended(tmp_path: Path) -> None:
    log = EditLog(tmp_path / "people.jsonl")
    edits = [Edit("forget", name=name) for name in ("Maya", "Zoë", "Noor")]
    for edit in edits[:2]:
        log.append(edit)
    log.file.write_bytes(log.file.read_bytes()[:-1])
    assert log.read() == edits[:2] and log.count() == 2
    log.append(edits[2])
    assert log.read() == edits and log.count() == 3


def test_empty_lines_are_skipped(tmp_path: Path) -> None:
    log = EditLog(tmp_path / "people.jsonl")
    log.append(Edit("forget", name="Maya"))
    log.file.write_bytes(b"\n  \n" + log.file.read_bytes() + b"\n")
    assert len(log.read()) == 1
