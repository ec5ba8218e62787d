"""Names that cannot be used, or are probably not meant: a command, or another spelling of a known name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from imagesearch.errors import UserError, name_option
from imagesearch.filters import is_valid_element
from imagesearch.text import clean_text, normalize

_MAX_NAME_BYTES = 200
_COMMANDS = frozenset(
    {"?", "back", "cancel", "end", "exit", "help", "history", "ignore", "list", "merge", "next", "no", "ok"}
    | {"quit", "redo", "skip", "split", "stop", "undo", "yes"}
)
# what is written in place of a name, after an article if there is one
_NO_NAMES = frozenset(
    {"face", "no face", "nobody", "none", "not a face", "not a person", "person", "poster", "sculpture"}
    | {"someone", "somebody", "statue", "stranger", "strangers", "unknown", "unnamed", "dont know", "no idea"}
    | {"no name", "no one", "passer by", "unknown person", "other", "others"}
)


def looks_like_command(name: str) -> bool:
    """Whether a name looks like a command or an option: one letter, ``quit``, ``?``, ``--undo``.

    A single character of a script without upper and lower case, such as 李, is a name.
    """
    text = name.strip()
    is_letter = len(text) == 1 and (not text.isalpha() or text.lower() != text.upper())
    return is_letter or text.startswith("-") or text.casefold() in _COMMANDS


def stands_for_no_name(name: str) -> bool:
    """Whether a text says that there is no name: ``stranger``, ``a statue``, ``not a face``."""
    return normalize(name).removeprefix("a ").removeprefix("i ") in _NO_NAMES


def refuse_unlikely_name(name: str) -> None:
    """Raise `UserError` if a name in a file, which nobody can confirm, is probably not meant as one."""
    if stands_for_no_name(name):
        raise UserError(f"{name}: not stored as a name; use --ignore or --not-a-face")
    if looks_like_command(name):
        raise UserError(f"{name}: looks like a command, not stored as a name")


def find_near_name(name: str, names: Iterable[str]) -> str:
    """Return the known name that a new name is probably a typing error of; empty if there is none.

    One letter is missing, added or different, or two are swapped. Names of at least eight letters can have
    two such errors. The first letter of names of up to four letters must be the same: Kim and Tim are two
    names.
    """
    from rapidfuzz.distance import OSA

    typed = normalize(name)
    known = {normalize(other): other for other in names}
    if typed in known or not typed:
        return ""
    limits = {text: 2 if min(len(text), len(typed)) >= 8 else 1 for text in known}
    distances = {
        text: OSA.distance(typed, text)
        for text in known
        if min(len(text), len(typed)) >= 3 and (text[0] == typed[0] or min(len(text), len(typed)) > 4)
    }
    near = [text for text, distance in distances.items() if distance <= limits[text]]
    return known[min(near, key=lambda text: (distances[text], text))] if near else ""


def check_name(name: str) -> str:
    """Return a name in NFC and with single spaces.

    Raises
    ------
    UserError
        If it is empty, a number or ``person 12``, too long, or has characters that a filter in Milvus cannot
        contain.
    """
    cleaned = clean_text(name)
    if not normalize(cleaned):
        raise UserError(f"expected a name, such as {name_option('--name 3=Maya', 'Maya')}")
    if not is_valid_element(cleaned):
        raise UserError(f"{name!r}: a name cannot contain | % _ \\ or control characters")
    if re.fullmatch(r"(person )?[\d., ]+", normalize(cleaned)):
        raise UserError(f"{name!r}: reserved for people without a name")
    if len(cleaned.encode()) > _MAX_NAME_BYTES:
        raise UserError(f"{cleaned[:20]}...: a name has at most {_MAX_NAME_BYTES} bytes")
    return cleaned
