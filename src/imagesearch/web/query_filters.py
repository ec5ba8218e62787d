"""The conditions of a query besides its sentence, one by one: in words, and how to remove each."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal

from imagesearch.query import Criteria
from imagesearch.search import Query
from imagesearch.text_table import format_count

_FIELDS_BY_KIND = {
    "who": ("people", "faces", "any_person", "unnamed", "face"),
    "not": ("without",),
    "where": ("places", "near", "has_gps", "no_gps"),
    "when": ("after", "before", "years", "months", "no_time"),
    "trip": ("trips",),
    "camera": ("cameras",),
    "rating": ("rating", "max_rating"),
    "folder": ("folder",),
    "added": ("added_after", "added_before"),
    "order": ("sort",),
    "search": (
        *("strategy", "strict", "by", "min_fit", "min_score", "collapse", "plus", "minus"),
        *("weight_text", "weight_image", "with_itself", "top_k"),
    ),
}
_KINDS = {name: kind for kind, names in _FIELDS_BY_KIND.items() for name in names}
_OPTIONS = (
    "strategy",
    "strict",
    "today",
    "face",
    "by",
    "plus",
    "minus",
    "weight_text",
    "weight_image",
    "with_itself",
    "folder",
    "sort",
    "min_fit",
    "min_score",
    "collapse",
    "top_k",
)
_IN_DRAWER = frozenset(
    (
        "people",
        "any_person",
        "after",
        "before",
        "places",
        "cameras",
        "trips",
        "folder",
        "rating",
        "sort",
        "strategy",
        "min_fit",
        "min_score",
        "collapse",
    )
)
_ORDERS = {"date": "newest first", "oldest": "oldest first"}


@dataclass(frozen=True)
class FilterChip:
    """One condition. ``name`` and ``value`` identify it.

    ``edit`` is where it is changed: in the drawer, or as a text. It is empty if it can be removed only.
    """

    name: str
    value: str
    kind: str
    label: str
    edit: Literal["drawer", "text", ""] = ""


def describe_filters(query: Query, default: Query | None = None) -> list[FilterChip]:
    """Return the conditions of a query that differ from the defaults."""
    default, chips = default or Query(), []
    for source, empty, names in (
        (query, default, _OPTIONS),
        (query.criteria, Criteria(), [field.name for field in fields(Criteria)]),
    ):
        for name in names:
            value = getattr(source, name)
            if value == getattr(empty, name) or name == "radius":
                continue
            for item in value if isinstance(value, tuple) else (value,):
                label = _describe(name, item, query)
                kind, edit = _KINDS.get(name, "filter"), _find_edit(name, item)
                chips.append(FilterChip(name, str(item), kind, label, edit))
    return chips


def _find_edit(name: str, value: object) -> Literal["drawer", "text", ""]:
    if name in _IN_DRAWER:
        return "drawer"
    return "" if name == "by" or isinstance(value, (bool, Path)) else "text"


def _describe(name: str, value: object, query: Query) -> str:
    if name == "face":
        return f"the face in {query.face.name}" if query.face else ""
    if name == "sort":
        return _ORDERS.get(str(value), "best first")
    if name == "min_fit":
        return "no minimum fit" if value is None else f"fit at least {value:g}"
    if name == "top_k":
        return f"at most {format_count(query.top_k, 'photo')}"
    if name in ("weight_text", "weight_image"):
        return f"weight of the {'text' if name == 'weight_text' else 'photos'} {value}"
    if name == "with_itself":
        return "with the photo itself"
    if name == "by":
        return f"compared by {value}"
    if name in ("plus", "minus"):
        return f"{'+' if name == 'plus' else '-'} {value}"
    if name in ("strategy", "folder"):
        return str(value)
    if name in ("strict", "collapse"):
        return {"strict": "strict", "collapse": "one photo of each burst"}[name] if value else f"not {name}"
    if name in ("today", "min_score"):
        return f"{name.replace('_', ' ')} {value}"
    if name in ("people", "without"):
        return str(value)
    single = (value,) if isinstance(getattr(Criteria(), name), tuple) else value
    changes = {name: single} | ({"radius": query.criteria.radius} if name == "near" else {})
    return replace(Criteria(), **changes).title or name.replace("_", " ")


def drop_filter(query: Query, name: str, value: str, default: Query | None = None) -> Query:
    """Return a query without one of its conditions; the query itself if it has no such condition."""
    default = default or Query()
    if name in _OPTIONS:
        return replace(query, **{name: _drop(getattr(query, name), value, getattr(default, name))})
    if name not in {field.name for field in fields(Criteria)}:
        return query
    changes = {name: _drop(getattr(query.criteria, name), value, getattr(Criteria(), name))}
    if name == "near":
        changes["radius"] = None
    return replace(query, criteria=replace(query.criteria, **changes))


def _drop(present: object, value: str, default: object) -> object:
    if isinstance(present, tuple):
        return tuple(item for item in present if str(item) != value)
    return default
