"""Ids of photos in addresses: 16 hexadecimal digits."""

from __future__ import annotations

import re

_MAX_SIGNED = 2**63


def format_photo_id(photo_id: int) -> str:
    """Return the id of a photo as it is written in an address."""
    return f"{photo_id % 2**64:016x}"


def parse_photo_id(text: str) -> int | None:
    """Return the id of a photo that `format_photo_id` has written; None if the text is not such an id."""
    if not re.fullmatch("[0-9a-f]{16}", text):
        return None
    number = int(text, 16)
    return number if number < _MAX_SIGNED else number - 2**64
