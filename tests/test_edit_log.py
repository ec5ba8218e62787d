"""The edit log: all edits are read back, also after a run was killed."""

from __future__ import annotations

from pathlib import Path

import pytest
from synthetic import NAMES, REFERENCE

from imagesearch.errors import UserError
from imagesearch.faces.edit_log import Edit, EditLog, needs_clustering


def test_edits_are_read_back_unchanged(tmp_path: Path) -> None:
    log = EditLog(tmp_path / "new folder" / "people.jsonl")
    assert log.read() == []
    edits = [Edit("name", ((REFERENCE,),), name=name, confirmed=True, at="2026-01-01") for name in NAMES]
    edits += [Edit("split", ((REFERENCE,), (REFERENCE, REFERENCE))), Edit("rename", name="a", new_name="b")]
    for edit in edits:
        log.append(edit)
    assert log.read() == edits


def test_an_incomplete_last_line_is_ignored_and_replaced_by_the_next_edit(tmp_path: Path) -> None:
    log = EditLog(tmp_path / "people.jsonl")
    first, second = (Edit("name", ((REFERENCE,),), name=name) for name in ("Zoë", "नूर"))
    log.append(first)
    first_end = log.file.stat().st_size
    log.append(second)
    complete = log.file.read_bytes()
    for end in range(first_end, len(complete) - 1):
        log.file.write_bytes(complete[:end])
        assert log.read() == [first], end
        log.append(second)
        assert log.file.read_bytes() == complete


def test_an_incomplete_first_line_is_ignored(tmp_path: Path) -> None:
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
def test_a_damaged_line_is_reported_with_its_number(tmp_path: Path, line: bytes) -> None:
    log = EditLog(tmp_path / "people.jsonl")
    good = Edit("forget", name="Maya").to_json().encode()
    log.file.write_bytes(good + b"\n" + line + b"\n" + good + b"\n")
    with pytest.raises(UserError, match=r"people.jsonl: .*line 2") as error:
        log.read()
    assert "\n" not in str(error.value)


def test_a_complete_last_line_without_a_line_break_is_kept(tmp_path: Path) -> None:
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


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ([Edit("rename", name="Maya", new_name="Maja")], False),
        ([Edit("rename", name="Maya", new_name="Maja"), Edit("rename", name="Maja", new_name="Maya")], False),
        ([Edit("rename", name="Maya", new_name="Noor")], True),
        ([Edit("forget", name="Noor"), Edit("rename", name="Maya", new_name="Noor")], False),
        ([Edit("rename", name="Maya", new_name="maya")], False),
        ([Edit("merge")], True),
    ],
)
def test_only_edits_that_join_or_part_people_require_a_new_clustering(
    edits: list[Edit], expected: bool
) -> None:
    applied = [Edit("name", ((REFERENCE,),), name=name) for name in ("Maya", "Noor")]
    assert needs_clustering([*applied, *edits], len(applied)) == expected
