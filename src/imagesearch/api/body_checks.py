"""Checks what flask-ml does not: bodies that are no JSON, types, ranges, choices and paths."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from flask_ml.flask_ml_server.models import (
    EnumParameterDescriptor,
    InputSchema,
    InputType,
    ParameterSchema,
    RangedIntParameterDescriptor,
    TaskSchema,
)

from imagesearch.api.forms import NO_DATASET
from imagesearch.config import Config
from imagesearch.errors import UserError, describe_error
from imagesearch.photos import check_photo_folder, is_file, is_photo_name
from imagesearch.serving import MAX_UPLOAD_BYTES, check_upload

_MAX_TEXT = 4000  # characters of a text or a path
_SHOWN = 60  # characters of a wrong value in a message


def parse_body(data: bytes) -> dict[str, Any]:
    """Return the body of a request.

    Raises
    ------
    UserError
        If it is not a JSON object.
    """
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise UserError("the body of the request is not valid JSON") from None
    return _check_object(body, "body", ("inputs", "parameters"))


def check_body(body: dict[str, Any], form: TaskSchema) -> None:
    """Check the body of a request against the form of its job.

    Raises
    ------
    UserError
        If a key is missing or unknown, or a value has a wrong type or is out of its range.
    """
    inputs = _check_object(body["inputs"], "inputs", [one.key for one in form.inputs])
    parameters = _check_object(body["parameters"], "parameters", [one.key for one in form.parameters])
    for one in form.inputs:
        _check_input(inputs[one.key], one)
    for one in form.parameters:
        _check_parameter(parameters[one.key], one)


def check_folder(text: str, config: Config) -> Path:
    """Return the folder of photos that a client names.

    Raises
    ------
    UserError
        If it is not below ``api.root``, does not exist, cannot be read, or has no photos.
    """
    folder = _check_path(text, config)
    if is_file(folder):  # a list of photos could name files outside the root, and addresses
        raise UserError(f"{folder}: a file; give the folder that contains it")
    check_photo_folder(folder, config.dataset.exclude)
    return folder


def check_photo(text: str, config: Config) -> Path:
    """Return the file of a photo that a client names. Files that have no name of a photo are not opened.

    Raises
    ------
    UserError
        If it is not below ``api.root``, does not exist, is too large, or cannot be decoded.
    """
    file = _check_path(text, config)
    if not is_photo_name(file.name):
        raise UserError(f"{file}: expected a photo, such as .jpg, .png or .heic")
    check_upload(_read_file(file), file.name, config)
    return file


def _check_object(value: Any, name: str, keys: Collection[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UserError(f"{name}: expected an object with {_join(keys)}, got {_show(value)}")
    if missing := [key for key in keys if key not in value]:
        raise UserError(f"{name}: {_join(missing)} missing; expected {_join(keys)}")
    if unknown := [key for key in value if key not in keys]:
        raise UserError(f"{name}: unknown key {_show(unknown[0])}; expected {_join(keys)}")
    return value


def _check_input(value: Any, form: InputSchema) -> None:
    name = f"inputs.{form.key}"
    part = "text" if form.input_type == InputType.TEXT else "path"
    _check_text(_check_object(value, name, [part])[part], f"{name}.{part}")


def _check_parameter(value: Any, form: ParameterSchema) -> None:
    name, expected = f"parameters.{form.key}", form.value
    if isinstance(expected, RangedIntParameterDescriptor):
        low, high = expected.range.min, expected.range.max
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise UserError(f"{name}: expected a whole number from {low} to {high}, got {_show(value)}")
        return
    if isinstance(expected, EnumParameterDescriptor):
        choices = [str(one.key) for one in expected.enum_vals]
        if value not in choices:
            advice = f"expected one of {', '.join(choices)}" if choices else NO_DATASET
            raise UserError(f"{name}: no dataset {_show(value)}; {advice}")
        return
    _check_text(value, name)


def _check_text(value: Any, name: str) -> None:
    if not isinstance(value, str):
        raise UserError(f"{name}: expected a text, got {_show(value)}")
    if not value.strip():
        raise UserError(f"{name}: expected a text, got an empty one")
    if len(value) > _MAX_TEXT:
        raise UserError(f"{name}: too long; expected at most {_MAX_TEXT} characters")
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value):
        raise UserError(f"{name}: expected valid Unicode, without null characters")


def _check_path(text: str, config: Config) -> Path:
    """Return an absolute path, unless it is outside the folder that the config allows."""
    path, root = Path(text), config.api.root
    if not path.is_absolute():
        raise UserError(f"{text}: expected an absolute path")
    try:
        real, real_root = path.resolve(), root.resolve() if root else None
    except (OSError, RuntimeError) as error:  # such as links in a circle
        raise UserError(f"{text}: cannot be read ({describe_error(error)})") from None
    if real_root and not real.is_relative_to(real_root):
        raise UserError(f"{text}: outside {root}, the folder that api.root allows")
    return path


def _read_file(file: Path) -> bytes:
    """Return the content of a regular file, up to the maximum size and one byte."""
    try:
        # a pipe that nobody writes to would block the thread
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UserError(f"{file}: not a file; expected a photo")
            with open(descriptor, "rb", closefd=False) as stream:
                return stream.read(MAX_UPLOAD_BYTES + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise UserError(f"{file}: no such file") from None
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({describe_error(error)})") from None


def _join(keys: Collection[str]) -> str:
    return " and ".join(keys)


def _show(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True) if not isinstance(value, Mapping) else "an object"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
