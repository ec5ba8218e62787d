"""Writes a query as the parameters of an address, and reads it: ``q=maya+in+goa&after=2023&sort=date``.

Each field of `Query` and `Criteria` has one parameter. Photos are written as ids, never as paths.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

from imagesearch.errors import UserError
from imagesearch.filters import Eq, Not
from imagesearch.library import PhotoLibrary
from imagesearch.photos import compute_photo_id
from imagesearch.query import Criteria
from imagesearch.search import Query
from imagesearch.store import MAX_HITS
from imagesearch.web.photo_ids import format_photo_id, parse_photo_id
from imagesearch.web.session import read_photo_path

Kind = Literal["text", "texts", "int", "ints", "float", "limit", "flag", "date", "photo", "photos"]
ANY_PHOTO = Not(Eq("path", ""))
"""The condition of a query without any other: it lists all photos, the newest first."""
_FLAGS = {"yes": True, "no": False}
_MAX_INT = 2**31 - 1  # of a filter in Milvus


@dataclass(frozen=True)
class _Parameter:
    """A parameter of an address: the field that it stands for, and how its value is written."""

    field: str
    kind: Kind = "text"


_QUERY = {
    "q": _Parameter("text"),
    "strategy": _Parameter("strategy"),
    "strict": _Parameter("strict", "flag"),
    "today": _Parameter("today", "date"),
    "like": _Parameter("images", "photos"),
    "face": _Parameter("face", "photo"),
    "by": _Parameter("by"),
    "plus": _Parameter("plus", "texts"),
    "minus": _Parameter("minus", "texts"),
    "weight_text": _Parameter("weight_text", "float"),
    "weight_image": _Parameter("weight_image", "float"),
    "folder": _Parameter("folder"),
    "k": _Parameter("top_k", "int"),
    "min_score": _Parameter("min_score", "limit"),
    "fit": _Parameter("min_fit", "limit"),
    "sort": _Parameter("sort"),
    "collapse": _Parameter("collapse", "flag"),
    "itself": _Parameter("with_itself", "flag"),
}
_CRITERIA = {
    "person": _Parameter("people", "texts"),
    "without": _Parameter("without", "texts"),
    "any_person": _Parameter("any_person", "flag"),
    "faces": _Parameter("faces", "int"),
    "place": _Parameter("places", "texts"),
    "camera": _Parameter("cameras", "texts"),
    "keyword": _Parameter("keywords", "texts"),
    "near": _Parameter("near"),
    "radius": _Parameter("radius", "float"),
    "after": _Parameter("after"),
    "before": _Parameter("before"),
    "trip": _Parameter("trips", "texts"),
    "year": _Parameter("years", "ints"),
    "month": _Parameter("months", "texts"),
    "gps": _Parameter("has_gps", "flag"),
    "no_gps": _Parameter("no_gps", "flag"),
    "no_time": _Parameter("no_time", "flag"),
    "untagged": _Parameter("untagged", "flag"),
    "rating": _Parameter("rating", "int"),
    "max_rating": _Parameter("max_rating", "int"),
    "shape": _Parameter("shape"),
    "screenshots": _Parameter("screenshots", "flag"),
    "name": _Parameter("names", "texts"),
    "where": _Parameter("columns", "texts"),
    "unnamed": _Parameter("unnamed", "flag"),
    "added_after": _Parameter("added_after"),
    "added_before": _Parameter("added_before"),
}
PARAMETERS = {name: parameter.field for name, parameter in (_QUERY | _CRITERIA).items()}
"""The field of a query, or of its criteria, that each parameter stands for."""
ARGUMENT_NAMES = {field: name for name, field in PARAMETERS.items()} | {"image": "like"}
"""The parameter that messages name in place of an argument of a Python call."""

Params = str | Mapping[str, str] | Iterable[tuple[str, str]]


def write_query(query: Query, default: Query | None = None) -> str:
    """Return a query as the parameters of an address, without a question mark.

    Parameters
    ----------
    query
        The query. Its photos are paths as results have them. ``where`` is not written.
    default
        What has the values of this query is left out; see `PhotoLibrary.make_query`.
    """
    pairs = _write_fields(query, default or Query(), _QUERY)
    pairs += _write_fields(query.criteria, Criteria(), _CRITERIA)
    return urlencode(pairs)


def read_query(params: Params, library: PhotoLibrary) -> Query:
    """Return the query of an address. Must be called in the thread of the library.

    Parameters
    ----------
    params
        The parameters, as the text after the question mark, or as pairs. Unknown ones are ignored.
    library
        Has the defaults, and the photos.

    Raises
    ------
    UserError
        If a parameter has no valid value, or there is no photo with an id.
    """
    query, problems = _read_parameters(params, library, library.make_query())
    if problems:
        raise UserError(problems[0])
    return query


def read_page_query(params: Params, library: PhotoLibrary) -> tuple[Query, str]:
    """Return the query of a page's address. Must be called in the thread of the library.

    Parameters
    ----------
    params, library
        See `read_query`. Without ``k``, there is no limit: a page loads more photos when it is scrolled.

    Returns
    -------
    query : Query
        The query of the valid parameters.
    problem : str
        What is wrong with the others; empty if there are none.
    """
    query, problems = _read_parameters(params, library, make_page_default(library))
    return query, "; ".join(problems)


def make_page_default(library: PhotoLibrary) -> Query:
    """Return the query of a page's address that has no parameters."""
    return replace(library.make_query(), top_k=MAX_HITS)


def _read_parameters(params: Params, library: PhotoLibrary, default: Query) -> tuple[Query, list[str]]:
    """Return the query of the valid parameters, and what is wrong with the others."""
    if isinstance(params, str):
        params = parse_qsl(params.removeprefix("?"), keep_blank_values=True)
    given: dict[str, list[str]] = {}
    for name, value in params.items() if isinstance(params, Mapping) else params:
        given.setdefault(name, []).append(value)
    problems: list[str] = []
    options = _read_fields(given, _QUERY, library, problems)
    criteria = Criteria(**_read_fields(given, _CRITERIA, library, problems))
    return replace(default, **options, criteria=criteria), problems


def change_value(
    query: Query, name: str, value: str, text: str, library: PhotoLibrary, default: Query
) -> Query:
    """Return a query in which a value of one of its fields is another one, as an address has it.

    Must be called in the thread of the library. The query is the same if the field has no such value.

    Raises
    ------
    UserError
        If the text is no value of the field.
    """
    pair = ARGUMENT_NAMES.get(name), value
    pairs = parse_qsl(write_query(query, default), keep_blank_values=True)
    query, problems = _read_parameters(
        [(one[0], text) if one == pair else one for one in pairs], library, default
    )
    if problems:
        raise UserError(problems[0])
    return query


def _write_fields(
    values: Query | Criteria, defaults: Query | Criteria, parameters: Mapping[str, _Parameter]
) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, parameter in parameters.items():
        value = getattr(values, parameter.field)
        if value != getattr(defaults, parameter.field):
            items = value if isinstance(value, tuple) else ("" if value is None else value,)
            pairs += [(name, _format_value(item)) for item in items]
    return pairs


def _format_value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Path):
        return format_photo_id(compute_photo_id(value.as_posix()))
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else str(value)


def _read_fields(
    given: Mapping[str, Sequence[str]],
    parameters: Mapping[str, _Parameter],
    library: PhotoLibrary,
    problems: list[str],
) -> dict[str, Any]:
    """Return the valid values by field, and add what is wrong with the others to `problems`."""
    values: dict[str, Any] = {}
    for name, (field, kind) in {name: (one.field, one.kind) for name, one in parameters.items()}.items():
        read = []
        for text in filter(str.strip, given.get(name, ())):
            try:
                read.append(_read_value(name, text, kind, library))
            except UserError as error:
                problems.append(str(error))
        if name in given and kind in ("texts", "ints", "photos"):
            values[field] = tuple(read)
        elif read:
            values[field] = read[-1]
        elif name in given and kind == "limit" and not given[name][-1].strip():
            values[field] = None  # no limit, in place of the config's
    return values


def _read_value(name: str, text: str, kind: Kind, library: PhotoLibrary) -> Any:
    try:
        match kind:
            case "int" | "ints":
                number = int(text)
                if abs(number) > _MAX_INT and name != "k":  # it has a limit of its own
                    raise UserError(f"{name}: too large; expected at most {_MAX_INT}")
                return number
            case "float" | "limit":
                return float(text)
            case "date":
                return date.fromisoformat(text)
            case "flag":
                return _FLAGS[text.lower()]
    except (ValueError, KeyError):
        expected = {"date": "a date such as 2024-06-15", "flag": "yes or no"}.get(kind, "a number")
        raise UserError(f"{name}: expected {expected}, got {text[:40]!r}") from None
    return _find_photo(text, library) if kind in ("photo", "photos") else text


def _find_photo(text: str, library: PhotoLibrary) -> Path:
    photo_id = parse_photo_id(text)
    path = None if photo_id is None else read_photo_path(library, photo_id)
    if path is None:
        raise UserError(f"{text[:40]}: no photo has this id")
    return Path(path)
