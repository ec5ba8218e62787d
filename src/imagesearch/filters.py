"""Conditions on the scalar fields of a collection, and their form in Milvus' filter language.

A condition is a tree of small dataclasses. Code that builds a condition does not use filter syntax, and every
value is escaped here. Milvus Lite and a server store lists differently, so only a store can format a
condition.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagesearch.great_circle import compute_distance_km, make_bounding_boxes, make_inner_box

Scalar = str | int | float | bool

# No stored list element contains these: `like` cannot escape "%" and "_", and "|" separates the elements.
_NOT_IN_ELEMENTS = frozenset("%_|\\")
# Passes no row, because every row has a path.
_MATCH_NONE = 'path == ""'


@dataclass(frozen=True)
class Contains:
    """A list field contains this element."""

    field: str
    element: str


@dataclass(frozen=True)
class Eq:
    """A field equals this value."""

    field: str
    value: Scalar


@dataclass(frozen=True)
class In:
    """A field equals one of these values."""

    field: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True)
class Between:
    """A field's value is at least ``low`` and less than ``high``; None means no limit."""

    field: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class MoreThan:
    """A field's value is greater than that of another field of the same row."""

    field: str
    other: str


@dataclass(frozen=True)
class IsEmpty:
    """A list has no elements."""

    field: str


@dataclass(frozen=True)
class HasText:
    """A text field contains this text, which is normalized like the field."""

    field: str
    text: str


@dataclass(frozen=True)
class PathPrefix:
    """The photo is below this folder, given as a path in the collection; "" means all photos."""

    folder: str


@dataclass(frozen=True)
class WithinCircle:
    """The position is known and lies within a radius in kilometres around a position in degrees.

    A filter cannot compute distances, so it has boxes instead: the circle's bounding box or, where the circle
    is negated, a box inside it. Then too many photos pass and none is lost. `is_fulfilled` is exact, and
    `has_circle` is true for a condition whose rows must be judged by it.
    """

    latitude: float
    longitude: float
    km: float


@dataclass(frozen=True)
class And:
    """All of these conditions hold; without conditions, every row passes."""

    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Or:
    """At least one of these conditions holds; without conditions, no row passes."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """This condition does not hold."""

    condition: Condition


Condition = (
    Contains | IsEmpty | Eq | In | Between | MoreThan | HasText | PathPrefix | WithinCircle | And | Or | Not
)
MATCH_ALL = And()


def format_filter(condition: Condition, *, lists_are_arrays: bool, negated: bool = False) -> str:
    """Return a condition in Milvus' filter language.

    Parameters
    ----------
    condition
        Nested to any depth.
    lists_are_arrays
        Whether lists are stored as arrays (a server) or as ``|``-separated text (Milvus Lite).
    negated
        Whether it is part of an odd number of negations; see `WithinCircle`.

    Returns
    -------
    str
        Empty if every row passes.
    """

    def format_part(part: Condition) -> str:
        return format_filter(part, lists_are_arrays=lists_are_arrays, negated=negated)

    match condition:
        case Contains(field, element):
            return _format_contains(field, element, lists_are_arrays)
        case IsEmpty(field):
            return f"array_length({field}) == 0" if lists_are_arrays else f'{field} == "|"'
        case Eq(field, value):
            return f"{field} == {_format_literal(value)}"
        case In(field, values):
            return _format_in(field, values)
        case Between(field, low, high):
            return _format_between(field, low, high)
        case MoreThan(field, other):
            return f"{field} > {other}"
        case HasText(field, text):
            return f"{field} like {quote_string(f'%{text}%')}" if is_valid_element(text) else _MATCH_NONE
        case PathPrefix(folder):
            return _format_path_prefix(folder)
        case WithinCircle():
            return format_part(_make_boxes(condition, negated))
        case Not(inner):
            return _format_not(format_filter(inner, lists_are_arrays=lists_are_arrays, negated=not negated))
        case And(parts):
            return _format_and([format_part(part) for part in parts])
        case Or(parts):
            return _format_or([format_part(part) for part in parts])
    raise TypeError(f"not a condition: {condition!r}")


def list_conjuncts(condition: Condition) -> list[Condition]:
    """Return the conditions that must all hold, without those that every row passes."""
    match condition:
        case And(parts):
            return [leaf for part in parts for leaf in list_conjuncts(part)]
        case PathPrefix(folder):
            return [condition] if folder.strip("/") else []
    return [condition]


def get_bounds(condition: Condition, field: str) -> tuple[float, float]:
    """Return a lower bound (inclusive) and an upper bound (exclusive) of a field in the rows that pass."""
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


def has_circle(condition: Condition) -> bool:
    """Whether a condition has a circle: rows that pass its filter must be judged by `is_fulfilled`."""
    match condition:
        case And(parts) | Or(parts):
            return any(map(has_circle, parts))
        case Not(inner):
            return has_circle(inner)
    return isinstance(condition, WithinCircle)


def list_fields(condition: Condition) -> set[str]:
    """Return the names of the fields that a condition uses."""
    match condition:
        case PathPrefix(folder):
            return {"path"} if folder.strip("/") else set()
        case And(parts) | Or(parts):
            return {name for part in parts for name in list_fields(part)}
        case Not(inner):
            return list_fields(inner)
        case MoreThan(field, other):
            return {field, other}
        case WithinCircle():
            return {"has_gps", "latitude", "longitude"}
    return {condition.field}


def is_fulfilled(condition: Condition, row: Mapping[str, Any]) -> bool:
    """Whether a row that was read from a collection passes, as Milvus would decide.

    Parameters
    ----------
    condition
        Nested to any depth.
    row
        The values of the condition's fields; see `list_fields`.
    """
    match condition:
        case Contains(field, element):
            return element in row[field]
        case IsEmpty(field):
            return not row[field]
        case Eq(field, value):
            return row[field] == value
        case In(field, values):
            return row[field] in values
        case Between(field, low, high):
            return (low is None or row[field] >= low) and (high is None or row[field] < high)
        case MoreThan(field, other):
            return row[field] > row[other]
        case HasText(field, text):
            return text in row[field]
        case PathPrefix(folder):
            return not folder.strip("/") or row["path"].startswith(f"{folder.strip('/')}/")
        case WithinCircle(latitude, longitude, km):
            position = row["latitude"], row["longitude"]
            return row["has_gps"] and compute_distance_km(latitude, longitude, *position) <= km
        case Not(inner):
            return not is_fulfilled(inner, row)
        case And(parts):
            return all(is_fulfilled(part, row) for part in parts)
        case Or(parts):
            return any(is_fulfilled(part, row) for part in parts)
    raise TypeError(f"not a condition: {condition!r}")


def _make_boxes(circle: WithinCircle, negated: bool) -> Condition:
    """Return boxes around a circle or, if it is negated, in it."""
    make = make_inner_box if negated else make_bounding_boxes
    return And((Eq("has_gps", True), make_box_condition(make(circle.latitude, circle.longitude, circle.km))))


def make_box_condition(boxes: Sequence[tuple[float, float, float, float]]) -> Condition:
    """Return the condition that a position lies in one of the boxes: south, north, west, east in degrees.

    All limits are inclusive. Rows without a position have the position 0, 0.
    """
    return Or(
        tuple(
            And(
                (
                    Between("latitude", south, _next_float(north)),
                    Between("longitude", west, _next_float(east)),
                )
            )
            for south, north, west, east in boxes
        )
    )


def _next_float(limit: float) -> float:
    return math.nextafter(limit, math.inf)  # `Between` excludes its upper limit


def is_valid_element(text: str) -> bool:
    """Whether a text can be an element of a list field: not empty, no wildcards, no control characters."""
    return bool(text) and not any(c in _NOT_IN_ELEMENTS or unicodedata.category(c) == "Cc" for c in text)


def quote_string(text: str) -> str:
    """Return a string literal of Milvus' filter language. Every text in a filter is quoted here."""
    for character, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(character, escaped)
    return f'"{text}"'


def _format_literal(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quote_string(value)
    if not math.isfinite(value):
        raise ValueError(f"expected a finite number in a filter, got {value}")
    return repr(value)


def _format_contains(field: str, element: str, lists_are_arrays: bool) -> str:
    if not is_valid_element(element):
        return _MATCH_NONE
    if lists_are_arrays:
        return f"array_contains({field}, {quote_string(element)})"
    return f"{field} like {quote_string(f'%|{element}|%')}"


def _format_in(field: str, values: Sequence[Scalar]) -> str:
    return f"{field} in [{', '.join(map(_format_literal, values))}]" if values else _MATCH_NONE


def _format_between(field: str, low: float | None, high: float | None) -> str:
    limits = [] if low is None else [f"{field} >= {_format_literal(low)}"]
    limits += [] if high is None else [f"{field} < {_format_literal(high)}"]
    return " and ".join(limits)


def _format_path_prefix(folder: str) -> str:
    """Return a range of paths, since `like` cannot escape ``%`` and ``_``; "0" is the character after "/"."""
    folder = folder.strip("/")
    return f"path >= {quote_string(folder + '/')} and path < {quote_string(folder + '0')}" if folder else ""


# An empty text stands for a condition that every row passes.


def _format_not(text: str) -> str:
    return f"not ({text})" if text else _MATCH_NONE


def _format_and(texts: Sequence[str]) -> str:
    return _join_texts("and", [text for text in texts if text])


def _format_or(texts: Sequence[str]) -> str:
    if not texts:
        return _MATCH_NONE
    return _join_texts("or", texts) if all(texts) else ""


def _join_texts(operator: str, texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f" {operator} ".join(f"({text})" for text in texts)
