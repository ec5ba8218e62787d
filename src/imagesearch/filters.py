"""Conditions on the scalar fields of a collection, and how Milvus' filter language writes them.

A condition is a small tree of values: what builds one knows no syntax, and every value in a filter is escaped
here. Milvus Lite and servers keep lists in different forms, so only a store can write a condition down.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

Scalar = str | int | float | bool

# No stored element of a list has one of these: `like` cannot escape the first two, "|" parts the elements.
_NOT_IN_ELEMENTS = frozenset("%_|\\")
# True of no row: each has a path.
_MATCH_NONE = 'path == ""'


@dataclass(frozen=True)
class Contains:
    """A list field has this element."""

    field: str
    element: str


@dataclass(frozen=True)
class Eq:
    """A field has this value."""

    field: str
    value: Scalar


@dataclass(frozen=True)
class In:
    """A field has one of these values."""

    field: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True)
class Between:
    """A field's value is at least ``low`` and less than ``high``; None is no limit."""

    field: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class PathPrefix:
    """The photo lies below this folder, given as its path in the collection; "" is everything."""

    folder: str


@dataclass(frozen=True)
class And:
    """All of these hold; of none, anything does."""

    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Or:
    """At least one of these holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """This does not hold."""

    condition: Condition


Condition = Contains | Eq | In | Between | PathPrefix | And | Or | Not
MATCH_ALL = And()


def format_filter(condition: Condition, *, lists_are_arrays: bool) -> str:
    """Write a condition in Milvus' filter language.

    Parameters
    ----------
    condition
        Nested to any depth.
    lists_are_arrays
        Whether lists are kept as arrays (a server) or as ``|``-separated text (Milvus Lite).

    Returns
    -------
    str
        Empty where everything passes.
    """

    def write(part: Condition) -> str:
        return format_filter(part, lists_are_arrays=lists_are_arrays)

    match condition:
        case Contains(field, element):
            return _format_contains(field, element, lists_are_arrays)
        case Eq(field, value):
            return f"{field} == {_format_literal(value)}"
        case In(field, values):
            return f"{field} in [{', '.join(map(_format_literal, values))}]" if values else _MATCH_NONE
        case Between(field, low, high):
            limits = [] if low is None else [f"{field} >= {_format_literal(low)}"]
            limits += [] if high is None else [f"{field} < {_format_literal(high)}"]
            return " and ".join(limits)
        case PathPrefix(folder):
            return _format_path_prefix(folder)
        case Not(inner):
            return f"not ({text})" if (text := write(inner)) else _MATCH_NONE
        case And(parts):
            return _join("and", [text for text in map(write, parts) if text])
        case Or(parts):
            texts = [write(part) for part in parts]
            return _join("or", texts) if all(texts) and texts else "" if texts else _MATCH_NONE
    raise TypeError(f"not a condition: {condition!r}")


def list_conjuncts(condition: Condition) -> list[Condition]:
    """Return the conditions that all must hold, without those that anything fulfils."""
    match condition:
        case And(parts):
            return [leaf for part in parts for leaf in list_conjuncts(part)]
        case PathPrefix(folder):
            return [condition] if folder.strip("/") else []
    return [condition]


def get_bounds(condition: Condition, field: str) -> tuple[float, float]:
    """Return limits that every passing value of a field keeps: at least the first, less than the second."""
    match condition:
        case Between(name, low, high) if name == field:
            return -math.inf if low is None else low, math.inf if high is None else high
        case And(parts) if parts:
            lows, highs = zip(*(get_bounds(part, field) for part in parts), strict=True)
            return max(lows), min(highs)
        case Or(parts) if parts:
            lows, highs = zip(*(get_bounds(part, field) for part in parts), strict=True)
            return min(lows), max(highs)
    return -math.inf, math.inf


def is_valid_element(text: str) -> bool:
    """Whether a text can be stored in a list, and so looked for: not empty, no wildcards, no controls."""
    return bool(text) and not any(c in _NOT_IN_ELEMENTS or unicodedata.category(c) == "Cc" for c in text)


def quote_string(text: str) -> str:
    """Return a string literal of Milvus' filter language. Every text in a filter goes through here."""
    for character, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(character, escaped)
    return f'"{text}"'


def _format_literal(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quote_string(value)
    if not math.isfinite(value):
        raise ValueError(f"{value} in a filter")
    return repr(value)


def _format_contains(field: str, element: str, lists_are_arrays: bool) -> str:
    if not is_valid_element(element):
        return _MATCH_NONE
    if lists_are_arrays:
        return f"array_contains({field}, {quote_string(element)})"
    return f"{field} like {quote_string(f'%|{element}|%')}"


def _format_path_prefix(folder: str) -> str:
    """A range of paths, since `like` cannot escape ``%`` and ``_``; "0" is the character after "/"."""
    folder = folder.strip("/")
    return f"path >= {quote_string(folder + '/')} and path < {quote_string(folder + '0')}" if folder else ""


def _join(word: str, texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f" {word} ".join(f"({text})" for text in texts)
