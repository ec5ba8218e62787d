"""Reads cameras in a sentence: "taken with an iphone or a canon", "nikon photos", "from my pixel 7"."""

from __future__ import annotations

import re

from imagesearch.filters import In
from imagesearch.query.clauses import PhotoFact
from imagesearch.query.facts.cameras import MAKES
from imagesearch.query.facts.conditions import explain_unknown
from imagesearch.query.lexicon import NEGATIONS, PHOTOS, split_set
from imagesearch.query.tags import Position

_DETERMINERS = r"(?:(?:an?|the|my|our|his|her|their|your|some|any|old|new) ){0,2}"
_SKIPPED = re.compile(_DETERMINERS)
_NEXT_CAMERA = re.compile(rf"(?:(?:and / or|, or|, and|and|or|,|/|&) ){_DETERMINERS}")
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th|s|mm|am|pm|k)")
_NOUNS = split_set("camera cameras phone phones smartphone slr dslr")
_PICTURES = PHOTOS | split_set("selfie selfies screenshot screenshots panorama panoramas")
_NOT_PEOPLE = frozenset(("place", "area", "date", "fact", "order"))

CameraFact = tuple[PhotoFact, int, str]
"""The fact, the position after its last token, and a note."""


def read_cameras(at: Position, start: int, may_be_model: bool) -> CameraFact | None:
    """Read the cameras that a photo was taken with, also a camera that is not in the album.

    Parameters
    ----------
    may_be_model
        Whether any word of letters and digits is a camera: "taken with a d850".
    """
    start = _skip_determiners(at, start)
    return _read_known(at, start) or _read_unknown(at, start, may_be_model)


def read_bare_cameras(at: Position, start: int, lead: str) -> CameraFact | None:
    """Read "with the pixel 7", unless it may be said of a person: "a man with a canon"."""
    may_be_of_photo = lead == "from" or describes_photo(at)
    return _read_known(at, _skip_determiners(at, start)) if may_be_of_photo else None


def describes_photo(at: Position) -> bool:
    """Whether words can be said of the photo, and not of what it shows: at the start, or after "photos"."""
    before = at.find_word_before()
    if before in PHOTOS:  # "photos with an iphone", but not "taking a picture with an iphone"
        words = [token.norm for token in at.tokens[max(0, at.i - 4) : at.i]]
        return not any(word.endswith("ing") or word in ("take", "takes") for word in words)
    return not before or before in NEGATIONS or at.last_kind in _NOT_PEOPLE


def read_camera_photos(at: Position) -> CameraFact | None:
    """Read "iphone photos" and "canon or nikon pictures"."""
    if at.person or at.place or not (at.token.norm in at.names.cameras.words or at.token.norm in MAKES):
        return None
    found = read_cameras(at, at.i, may_be_model=False)
    return found if found is not None and at.get_norm(found[1]) in _PICTURES else None


def _read_known(at: Position, start: int) -> CameraFact | None:
    """Read one camera or several: all of them are alternatives, because a photo has one."""
    names: set[str] = set()
    typed: list[str] = []
    end = start
    while (found := at.names.cameras.match(at.tokens, start)) is not None:
        names.update(found.names)
        typed.append(_join_words(at, start, found.end))
        end = found.end
        joiner = _NEXT_CAMERA.match(at.sentence.text, at.sentence.starts[end])
        if joiner is None:
            break
        start = at.sentence.find_token(joiner.end())
    return (_make_fact(" or ".join(typed), names), _skip_noun(at, end), "") if names else None


def _read_unknown(at: Position, start: int, may_be_model: bool) -> CameraFact | None:
    end = start
    while at.get_norm(end) in MAKES or ((may_be_model or end > start) and _is_model(at.get_norm(end))):
        end += 1
    if end == start:
        return None
    typed = _join_words(at, start, end)
    note = explain_unknown("camera", typed, at.names.cameras.entries)
    return _make_fact(typed, ()), _skip_noun(at, end), note


def _is_model(word: str) -> bool:
    """Whether a word can only be a model: "d850"."""
    return any(map(str.isdigit, word)) and any(map(str.isalpha, word)) and not _ORDINAL.fullmatch(word)


def _make_fact(typed: str, names: set[str] | tuple[str, ...]) -> PhotoFact:
    return PhotoFact(f"taken with {typed}", In("camera", tuple(sorted(names))), "camera")


def _join_words(at: Position, start: int, end: int) -> str:
    return " ".join(token.text for token in at.tokens[start:end])


def _skip_determiners(at: Position, start: int) -> int:
    match = _SKIPPED.match(at.sentence.text, at.sentence.starts[start])
    return at.sentence.find_token(match.end()) if match else start


def _skip_noun(at: Position, end: int) -> int:
    return end + (at.get_norm(end) in _NOUNS)
