"""Values of metadata as texts and numbers, whatever their type in the file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any


def to_float(value: Any) -> float | None:
    """Return a finite number; None for a zero denominator, a text that is no number, or another type."""
    try:
        number = float(value)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return number if math.isfinite(number) and not isinstance(value, bool) else None


def to_text(value: Any) -> str:
    """Return a text up to its first NUL, with single spaces and without control characters."""
    if not value or not isinstance(value, (str, bytes)):
        return ""
    if value.isascii():  # nearly all values: the general way takes three times as long
        plain = (value if isinstance(value, str) else value.decode("ascii")).partition("\0")[0]
        if plain.isprintable():
            return " ".join(plain.split())
    if isinstance(value, str):
        with suppress(UnicodeError):  # Pillow decodes ASCII tags as Latin-1, but phones write UTF-8
            value = value.encode("latin-1").decode("utf-8")
    else:
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            value = value.decode("latin-1")
    text = value.partition("\0")[0].encode("utf-8", "ignore").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def decode_windows_text(value: Any) -> str:
    """Return the text of one of the XP tags of Windows, which are UTF-16; "" for a value of another type."""
    if not isinstance(value, (tuple, bytes)):
        return ""
    try:
        return bytes(value).decode("utf-16-le", "ignore").partition("\0")[0]
    except (TypeError, ValueError):
        return ""


def get_first_text(xmp: Mapping[str, list[str]], *names: str) -> str:
    """Return the text of the first of these XMP properties that is not empty."""
    if not xmp:
        return ""
    return next((text for name in names for item in xmp.get(name, [])[:1] if (text := to_text(item))), "")


def list_values(value: Any) -> list[Any]:
    """Return the values of a dataset of IPTC, which is a list if the file has it several times."""
    return value if isinstance(value, list) else [] if value is None else [value]


def format_value(value: Any) -> str:
    """Format a value of any type and length for a remark."""
    try:
        return " ".join(repr(value).split())[:60]
    except Exception:  # for example a fraction of huge numbers
        return type(value).__name__
