"""Whether a file is complete, or another program is still writing it."""

from __future__ import annotations

import os
from pathlib import Path

from imagesearch.photos.decoding import decode_photo
from imagesearch.photos.formats import PhotoError

# Bytes at the end of a JPEG that are searched for its end mark; some cameras write padding behind it.
_TAIL_BYTES = 4096
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_PNG_START, _PNG_END = b"\x89PNG", b"IEND"
_SMALL_SIDE = 64  # pixels; a JPEG is decoded at 1/8 of its size


def is_complete(file: Path) -> bool:
    """Whether a photo has its end, or can be decoded without a remark.

    The ends of JPEG and PNG, and the lengths of the parts of HEIC and AVIF, are read without decoding.
    """
    try:
        with file.open("rb") as stream:
            start = stream.read(12)
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - _TAIL_BYTES))
            tail = stream.read()
            if start[4:8] == b"ftyp":
                return _ends_with_box(stream, size)
    except OSError:
        return False
    if start.startswith(_PNG_START):
        return _PNG_END in tail
    if start.startswith(_JPEG_START) and _JPEG_END in tail:
        return True
    try:  # a JPEG can have a video behind its end mark
        return not decode_photo(file, _SMALL_SIDE).remark
    except (PhotoError, OSError):
        return False


def _ends_with_box(stream, size: int) -> bool:
    """Whether a file of the ISO base media format ends where its last box ends."""
    position = 0
    while position < size:
        stream.seek(position)
        header = stream.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:  # the length is in the next eight bytes
            length = int.from_bytes(header[8:16], "big")
        elif length == 0:  # the last box; its end is that of the file
            return header[4:8].isalnum()
        if length < 8:
            return False
        position += length
    return position == size
