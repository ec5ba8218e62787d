"""Loading of a ground-truth file that a user gives, with validation."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from imagesearch.errors import UserError, describe_error
from imagesearch_demo.album.writer import MAKER

_TOO_LARGE = 1e9  # for degrees and pixels


def _is_box(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(map(_is_number, value))


def _is_number(value: Any) -> bool:
    # in Python, True is an int and json.loads accepts NaN
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _TOO_LARGE


def _are_things(value: Any) -> bool:
    return isinstance(value, list) and all(
        _has_valid(t, {"kind": _is_text, "colour": _is_text}) for t in value
    )


def _are_people(value: Any) -> bool:
    return isinstance(value, list) and all(_has_valid(p, {"name": _is_text, "box": _is_box}) for p in value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_angle(value: Any) -> bool:
    return value is None or _is_number(value)


def _is_time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is None
    except (TypeError, ValueError):
        return False


def _has_valid(value: Any, checks: dict[str, Callable[[Any], bool]]) -> bool:
    return isinstance(value, dict) and all(
        key in value and check(value[key]) for key, check in checks.items()
    )


# The fields that the measurements use; the others are optional.
_PHOTO_CHECKS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("path", "scene", "time_of_day", "place", "city", "state", "country"), _is_text),
    **dict.fromkeys(("latitude", "longitude"), _is_angle),
    "things": _are_things,
    "people": _are_people,
    "taken_at": _is_time,
}


def load_truth(file: Path) -> dict:
    """Load the ground truth of an album, in the format described in `imagesearch_demo.album.writer`.

    Raises
    ------
    UserError
        If the file does not exist, is not the ground truth of an album, or the drawing was interrupted.
    """
    try:
        truth = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"{file}: no such file; the ground truth of the album ALBUM is ALBUM.truth.json"
        ) from None
    except IsADirectoryError:
        raise UserError(
            f"{file}: is a folder; its ground truth is {file.name}.truth.json beside it"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read ({describe_error(error)})") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file}: not JSON ({error}); make_album.py writes ALBUM.truth.json") from None
    if not isinstance(truth, dict) or truth.get("made_by") != MAKER:
        raise UserError(
            f"{file}: not the ground truth of a drawn album; make_album.py writes ALBUM.truth.json"
        )
    if truth.get("complete") is not True:
        raise UserError(
            f"{file}: the drawing of the album was interrupted; run make_album.py again, then steps 01 to 05"
        )
    _check_photos(file, truth.get("photos"))
    return truth


def _check_photos(file: Path, photos: Any) -> None:
    if not isinstance(photos, list) or not photos:
        raise UserError(f"{file}: invalid: lists no photos; draw the album again with make_album.py")
    paths = set()
    for number, photo in enumerate(photos, 1):
        wrong = [key for key, check in _PHOTO_CHECKS.items() if not _has_valid(photo, {key: check})]
        if wrong:
            raise UserError(
                f"{file}: invalid: photo {number} has no valid {wrong[0]!r}; "
                "draw the album again with make_album.py"
            )
        if photo["path"] in paths:
            raise UserError(
                f"{file}: invalid: photo {number} is listed twice, {photo['path']}; "
                "draw the album again with make_album.py"
            )
        paths.add(photo["path"])
