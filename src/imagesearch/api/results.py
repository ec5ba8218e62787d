"""Describes photos found, and the summary of a run, as responses of flask-ml."""

from __future__ import annotations

import os
from pathlib import Path

from flask_ml.flask_ml_server.models import (
    BatchFileResponse,
    FileResponse,
    FileType,
    ResponseBody,
    TextResponse,
)

from imagesearch.search import Answer, SearchResult
from imagesearch.serving import RunState, format_duration
from imagesearch.text_table import format_count

_MAX_FAILURES = 10  # photos whose failures are listed
_SEPARATOR = " · "


def describe_answer(answer: Answer) -> ResponseBody:
    """Return the photos found as images. If there is none, the response is a text that says so.

    The subtitle of each image says how the query was read, and has the notes of the answer.
    """
    subtitle = _clean(_SEPARATOR.join((answer.read_as, *answer.notes)))
    files = [
        FileResponse(
            file_type=FileType.IMG,
            path=_clean(result.file),
            title=_clean(describe_result(result)),
            subtitle=subtitle,
        )
        for result in answer.present_results
    ]
    if not files:
        return ResponseBody(root=TextResponse(title="no photo found", value=subtitle))
    return ResponseBody(root=BatchFileResponse(files=files))


def describe_result(result: SearchResult) -> str:
    """Return the score, people, place and date of a photo: ``0.1507 (fit 0.95) · Maya · Anjuna, India``."""
    score = "" if result.score is None else f"{result.score:.4f}"
    if result.calibrated_score is not None:
        score += f" (fit {result.calibrated_score:.2f})"
    place = ", ".join(filter(None, (result.city, result.country)))
    parts = (score, ", ".join(result.names), place, result.date)
    return _SEPARATOR.join(filter(None, parts)) or result.path


def describe_run(name: str, state: RunState) -> ResponseBody:
    """Return the summary of the steps that have ingested a dataset."""
    failed = {**state.result.failed, **state.result.skipped}
    lines = [*state.lines, *state.result.notes]
    if failed:
        lines.append(f"{format_count(len(failed), 'photo')} failed:")
        lines += [f"  {path}: {reason}" for path, reason in list(failed.items())[:_MAX_FAILURES]]
    if len(failed) > _MAX_FAILURES:
        lines.append(
            f"  and {len(failed) - _MAX_FAILURES} more; 00_run_steps.py -n {name} -v lists all of them"
        )
    title = f"{name}: ingested in {format_duration(state.result.seconds)}"
    return ResponseBody(root=TextResponse(title=title, value=_clean("\n".join(lines))))


def _clean(text: str | Path) -> str:
    """Return a text for JSON: bytes of a file name that are not valid UTF-8 are replaced."""
    return os.fsencode(text).decode("utf-8", "replace")
