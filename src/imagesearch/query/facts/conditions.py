"""Conditions on what is known of a photo besides people, place and time: rating, shape, file name, ...

Sentences and options of the command line use the same conditions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import PurePosixPath

from imagesearch.errors import UserError, name_option
from imagesearch.filters import And, Between, Condition, Contains, Eq, In, IsEmpty, MoreThan, Not, Or
from imagesearch.query.facts.file_names import EXTENSIONS
from imagesearch.store import Vocabulary, VocabularyEntry, split_file_name, suggest_names
from imagesearch.text import normalize

MAX_RATING = 5
_HAS_EXTENSION = re.compile(rf".+\.{EXTENSIONS}", re.IGNORECASE | re.DOTALL)
# The name of a screenshot on phones and computers in several languages; all words of one must be in it.
_SCREENSHOT_NAMES = (
    "screenshot", "screenshots", "screen shot", "screencap", "screen capture", "screenclip", "scrnshot",
    "bildschirmfoto", "capture decran", "captura", "schermata", "schermafbeelding", "skarmavbild",
    "skjermbilde", "skaermbillede", "zrzut ekranu", "снимок экрана",
)  # fmt: skip

IS_UNRATED: Condition = Between("rating", None, 1)
"""0 means no stars: programs write it for a rating that was removed."""
IS_SCREENSHOT: Condition = Or(
    tuple(
        And(tuple(Contains("name_words", word) for word in normalize(name).split()))
        for name in _SCREENSHOT_NAMES
    )
)
# A stored aspect of 0 means that the size is unknown.
_KNOWN_ASPECT = 0.001
SHAPES: dict[str, Condition] = {
    "portrait": Between("aspect", _KNOWN_ASPECT, 0.99),
    "landscape": Between("aspect", 1.01),
    "square": Between("aspect", 0.99, 1.01),
    # Phones have screens of up to 9:22, so a vertical panorama is still narrower.
    "panorama": And(
        (Or((Between("aspect", 2.0), Between("aspect", _KNOWN_ASPECT, 0.38))), Not(IS_SCREENSHOT))
    ),
}
"""The condition of each shape, by name. Width and height of a square may differ by one percent."""
HAS_NO_KEYWORDS: Condition = IsEmpty("keywords")
HAS_UNNAMED: Condition = MoreThan("face_count", "people_count_known")
ALL_NAMED: Condition = And((Between("face_count", 0), Not(HAS_UNNAMED)))


def require_rating(low: int | None, high: int | None = None) -> Condition:
    """Return the condition on the number of stars, from ``low`` to ``high``. None means no limit."""
    return Between("rating", low, None if high is None else high + 1)


def require_shape(shape: str) -> Condition:
    """Return the condition of a shape.

    Raises
    ------
    UserError
        If there is no such shape.
    """
    if shape not in SHAPES:
        raise UserError(f"{name_option('--shape', 'shape')} {shape}: expected {', '.join(SHAPES)}")
    return SHAPES[shape]


def require_name(text: str) -> Condition:
    """Return the condition on the file name.

    A name with an extension must be equal, except for upper and lower case. Of any other text, all words must
    be in the name: "IMG_0042" is in ``IMG_0042-edited.jpg``.
    """
    name = re.split(r"[/\\]", text.strip())[-1]
    if _HAS_EXTENSION.fullmatch(name):
        return In("file_name", _list_spellings(name))
    words = split_file_name(text.replace(".", " "))
    return And(tuple(Contains("name_words", word) for word in words)) if words else Eq("file_name", text)


def _list_spellings(name: str) -> tuple[str, ...]:
    """Return a file name in upper and lower case. Filters cannot ignore the case."""
    path = PurePosixPath(name)
    stem, extension = path.stem, path.suffix
    stems = (stem, stem.upper(), stem.lower(), stem.capitalize(), stem.title())
    extensions = (extension, extension.lower(), extension.upper())
    return tuple(dict.fromkeys(s + e for s in stems for e in extensions))


def require_indexed(start: date | None, end: date | None) -> Condition:
    """Return the condition that a photo was first indexed from ``start`` until before ``end``.

    Days begin at midnight, and the times of a `datetime` are local times of this machine.
    """
    low, high = (None if day is None else _to_utc_seconds(day) for day in (start, end))
    return Between("indexed_at", max(low or 1, 1), high)  # 0 means unknown


def _to_utc_seconds(day: date) -> int:
    local = day if isinstance(day, datetime) else datetime.combine(day, time())
    try:
        return int(local.timestamp())
    except (OverflowError, ValueError, OSError):  # years 1 and 9999 in some time zones
        return 0 if day.year < 1971 else 1 << 40


def find_cameras(text: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the cameras with words that begin with the words of a text."""
    prefixes = normalize(text).split()
    return tuple(
        camera
        for camera in vocabulary.cameras
        if prefixes
        and all(any(word.startswith(prefix) for word in normalize(camera).split()) for prefix in prefixes)
    )


def explain_unknown(field: str, name: str, entries: Mapping[str, VocabularyEntry]) -> str:
    """Return a note that no photo has this name of a place, camera or keyword."""
    if not entries:
        return f"no photo has a known {field}; 04_extract_geo.py reads them from photos, 05 stores them"
    similar = suggest_names(name, entries)
    hint = f"similar: {', '.join(similar)}" if similar else "there is no similar name"
    return f"no photo has the {field} {name.strip()!r}; {hint}"
