"""The words of a file name, as elements of a list in a collection."""

from __future__ import annotations

import re
import unicodedata

from imagesearch.store.schema import MAX_ELEMENT_BYTES, fit_list
from imagesearch.text import normalize

_PART = re.compile(r"[0-9]*(?:1st|2nd|3rd|1[0-3]th|[04-9]th)\Z|\d+|\D+")
_ASCII_SEPARATORS = {number: " " for number in range(128) if not chr(number).isalnum()}
_MAX_PARTS = 4  # a word of more parts, such as 3f2504e04f89, is an identifier


def get_file_name(path: str) -> str:
    """Return the file name at the end of a path in a collection."""
    return path.rpartition("/")[2]


def list_name_words(path: str) -> list[str]:
    """Return the words of the file name at the end of a path, as many as fit the field ``name_words``."""
    return fit_list(split_file_name(get_file_name(path)), "name_words")


def split_file_name(name: str) -> list[str]:
    """Return the normalized words of a file name without its extension, each once, in their order.

    A word ends at any character that is neither a letter nor a digit, and between a letter and a digit:
    ``IMG_0042-beach sunset.jpg`` has the words ``img``, ``0042``, ``beach`` and ``sunset``. Ordinal numbers
    such as ``20th``, and identifiers such as ``3f2504e04f89``, are one word. An apostrophe does not end a
    word: ``Maya's`` is ``mayas``.
    """
    # `normalize` would remove dots and so join words
    dot = name.rfind(".")
    text = normalize((name[:dot] if 0 < dot < len(name) - 1 else name).replace(".", " "))
    if text.isascii():
        text = text.translate(_ASCII_SEPARATORS)
    else:
        text = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in text)
    words = dict.fromkeys(word for chunk in text.split() for word in _split_chunk(chunk))
    return [word for word in words if len(word.encode()) <= MAX_ELEMENT_BYTES]


def _split_chunk(chunk: str) -> list[str]:
    parts = _PART.findall(chunk)
    return parts if len(parts) <= _MAX_PARTS else [chunk]
