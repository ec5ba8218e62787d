"""Messages for mistakes in a config: ``section.key: expected X, got Y``.

For an unknown key, the message suggests the nearest known key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from imagesearch.text import find_similar, mask_passwords
from imagesearch.text_table import format_count

# Values that are never shown, like those of geo.options: they are, or contain, tokens and API keys.
_SECRET_KEYS = ("milvus", "milvus.token", "geo")
_EXPECTED_TYPES = {
    "string_type": "a string",
    "dict_type": "options, such as {name: value}",
    "model_type": "a section of settings",
}
_NUMBER_ERRORS = {
    *("int_type", "int_from_float", "float_type", "finite_number", "multiple_of"),
    *("greater_than", "greater_than_equal", "less_than", "less_than_equal"),
}


def describe_mistakes(error: ValidationError, config: type[BaseModel]) -> str:
    """Return one line about the first mistake in a config, and the number of further mistakes.

    Parameters
    ----------
    error
        What validation has raised.
    config
        The model of all sections.
    """
    problems = error.errors()
    first = problems[0]
    keys = [str(part) for part in first["loc"] if part != "[key]"]
    name = ".".join(keys)
    if first["type"] == "extra_forbidden":
        text = f"{name}: unknown key{_suggest_key(keys, config)}"
    else:
        is_secret = name in _SECRET_KEYS or name.startswith("geo.options")
        is_secret |= name == "milvus.uri" and "@" in str(first["input"])  # the URI has a password
        got = "" if is_secret else f", got {_format_value(first['input'])}"
        text = f"{name}: expected {_describe_expected(first, config)}{got}"
    rest = len({problem["loc"][:3] for problem in problems}) - 1
    return text + (f" (and {format_count(rest, 'more error')})" if rest else "")


def name_source(error: ValidationError, file: Path, assignments: Iterable[str], dataset: str | None) -> str:
    """Return where the first mistake in a config comes from, as the beginning of a message.

    Parameters
    ----------
    error
        What validation has raised.
    file, assignments, dataset
        See `imagesearch.config.load_config`.
    """
    first = error.errors()[0]
    keys = tuple(str(part) for part in first["loc"])
    if dataset is not None and keys == ("dataset", "name"):
        return "-n: "
    for assignment in assignments:
        assigned = tuple(assignment.partition("=")[0].strip().split("."))
        # a section that --set has made or changed; a value in its place is of the file
        is_above = assigned[: len(keys)] == keys and isinstance(first["input"], dict)
        if keys[: len(assigned)] == assigned or is_above:
            return "--set "
    return f"{file}: "


def _describe_expected(problem: Mapping[str, Any], config: type[BaseModel]) -> str:
    """Return what a setting accepts."""
    kind, message = problem["type"], problem["msg"]
    if kind == "value_error":  # raised by a validator in `imagesearch.config`
        return message.removeprefix("Value error, expected ")
    if kind == "literal_error":
        return problem["ctx"]["expected"]
    if kind == "invalid_key" or problem["loc"][-1] == "[key]":
        return "a string as the key"
    if kind in _NUMBER_ERRORS:
        return _describe_number(_get_field(problem["loc"], config))
    return _EXPECTED_TYPES.get(kind, f"a valid value ({message})")


def _get_field(keys: Sequence[Any], config: type[BaseModel]) -> FieldInfo:
    """Return the field of a setting, given the keys of its sections and its own."""
    section: Any = config
    for key in keys[:-1]:
        section = section.model_fields[key].annotation
    return section.model_fields[keys[-1]]


def _describe_number(field: FieldInfo) -> str:
    """Return the type and the range of a number, such as "a whole number from 1 to 1000"."""
    limits = {name: limit for item in field.metadata for name, limit in asdict(item).items()}
    text = "a whole number" if field.annotation is int else "a number"
    if "ge" in limits:
        text += f" from {limits['ge']} to {limits['le']}"
    else:
        top = f"below {limits['lt']}" if "lt" in limits else f"at most {limits['le']}"
        text += f" above {limits['gt']} and {top}"
    text += f" and a multiple of {limits['multiple_of']}" if "multiple_of" in limits else ""
    return text + (" or null" if field.annotation == float | None else "")


def _format_value(value: Any) -> str:
    """Return a value as it is written in YAML, texts in quotes."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return mask_passwords(repr(value))


def _suggest_key(keys: list[str], config: type[BaseModel]) -> str:
    """Return a hint for an unknown key: the same key in another section, or a similar key in its own."""
    all_keys = section = _map_keys(config)
    for key in keys[:-1]:
        section = section.get(key, {})
    same = [name for name in _list_keys(all_keys) if name.rpartition(".")[2] == keys[-1]]
    names = {key.lower(): ".".join([*keys[:-1], key]) for key in section}
    similar = [names[key] for key in find_similar(keys[-1].lower(), names, min_ratio=0.5)]
    if nearest := [*same, *similar]:
        return f"; did you mean {nearest[0]}?"
    return f"; expected one of {', '.join(section)}" if section else ""


def _list_keys(section: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield every key of a section and of the sections inside it, with its full name."""
    for name, inner in section.items():
        yield prefix + name
        yield from _list_keys(inner, f"{prefix}{name}.")


def _map_keys(model: type[BaseModel]) -> dict[str, Any]:
    """Return the keys of a section; the value of a nested section is a dict of its keys."""
    return {
        name: _map_keys(field.annotation)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        else {}
        for name, field in model.model_fields.items()
    }
