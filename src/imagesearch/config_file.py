"""Reads a config file as plain data: YAML without duplicate keys, and ``section.key=value`` overrides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from imagesearch.errors import UserError, describe_error


def read_config_file(
    path: Path, assignments: Iterable[str] = (), dataset: str | None = None
) -> dict[str, Any]:
    """Return the sections of a config file, not yet validated.

    Parameters
    ----------
    path, assignments, dataset
        See `imagesearch.config.load_config`.

    Raises
    ------
    UserError
        If the file is missing or is not valid YAML, or an assignment is not ``section.key=value``.
    """
    try:
        raw = _read_yaml(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such config file; name one with -c FILE") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({describe_error(error)})") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML: {_describe_yaml_error(error)}") from None
    if raw is None:
        raw = {}
    if not isinstance(raw, dict):
        got = "a list" if isinstance(raw, list) else "a single value"
        raise UserError(f"{path}: expected sections such as 'dataset:' at the top level, got {got}")
    for assignment in assignments:
        _apply_assignment(raw, assignment)
    if dataset is not None:
        _set_key(raw, ["dataset", "name"], dataset)  # not parsed as YAML: "no" is a valid name
    return raw


class _Loader(yaml.SafeLoader):
    """A YAML loader that rejects duplicate keys; PyYAML silently keeps the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            if key.value in keys:
                problem = f"duplicate key {key.value!r}"
                raise yaml.constructor.ConstructorError(problem=problem, problem_mark=key.start_mark)
            keys.add(key.value)
        return super().construct_mapping(node, deep)


def _read_yaml(text: str) -> Any:
    try:
        return yaml.load(text, _Loader)
    except (ValueError, RecursionError) as error:  # such as the date 2024-13-01
        raise yaml.YAMLError(str(error)) from None


def _describe_yaml_error(error: yaml.YAMLError) -> str:
    """Return the problem and its position, without the text of the line, which can contain a token."""
    mark = getattr(error, "problem_mark", None)
    place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    return f"{getattr(error, 'problem', None) or ' '.join(str(error).split())}{place}"


def _apply_assignment(raw: dict[str, Any], assignment: str) -> None:
    name, equals, text = assignment.partition("=")
    keys = name.strip().split(".")
    if not equals or len(keys) < 2 or not all(keys):
        raise UserError(f"--set {name}: expected section.key=value, such as search.top_k=20")
    try:
        value = _read_value(text)
    except yaml.YAMLError:
        raise UserError(f"--set {name}: the value is not valid YAML; put it in quotes") from None
    _set_key(raw, keys, value)


def _read_value(text: str) -> Any:
    """Read a value in YAML, in which ``#`` does not begin a comment: "/photos/Trip #2" is a folder."""
    node = yaml.compose(text, _Loader)
    rest = text[node.end_mark.index if node else 0 :].strip()
    if not rest.startswith("#"):
        return _read_yaml(text)
    if isinstance(node, yaml.CollectionNode) or (node and node.style):  # a list or a quoted text
        raise yaml.YAMLError("text after the value")
    return text.strip()


def _set_key(raw: dict[str, Any], keys: Sequence[str], value: Any) -> None:
    node = raw
    for key in keys[:-1]:
        if node.get(key) is None:
            node[key] = {}
        node = node[key]
        if not isinstance(node, dict):
            return  # the file has a value in place of this section; validation reports it
    node[keys[-1]] = value
