"""Completes JPEGs whose end is missing, as viewers do, if nearly all of their pixels are there.

The decoder gets a copy of the bytes with an end mark. Pillow's own switch, ``LOAD_TRUNCATED_IMAGES``, is not
used: it is a setting of the whole process, and it accepts any part of a photo.
"""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass

import numpy as np
from PIL import Image

MIN_SHARE = 0.95
"""Minimum share of the pixels of a photo that must be there, unless it is progressive."""

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_SOS, _DHT, _DQT, _DRI, _COM = 0xDA, 0xC4, 0xDB, 0xDD, 0xFE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {_DHT, 0xC8, 0xCC}
_PROGRESSIVE = 0xC2
_BETWEEN_SCANS = frozenset((_SOS, _DHT, _DQT, _DRI, _COM))
# Inside the data of a scan, 0xFF is followed by 0x00 or by a restart marker, 0xD0 to 0xD7.
_NEXT_MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
# Any data, without 0xFF: the decoder makes other pixels of it than of the end of the file.
_OTHER_DATA = bytes((i * 167 + i * i * 31 + 13) % 255 for i in range(256))


@dataclass(frozen=True)
class CompletedJpeg:
    """A JPEG with an end mark, and a remark that says what is missing."""

    data: bytes
    remark: str


@dataclass(frozen=True)
class _Scans:
    """What is there of a JPEG: its components, those whose means are complete, and the end of its data."""

    is_progressive: bool
    components: frozenset[int]
    with_means: frozenset[int]
    end: int


def complete_jpeg(data: bytes) -> CompletedJpeg | None:
    """Return a copy with an end mark of a JPEG that has none.

    Returns None if the file has an end mark, is not a JPEG, or if too much of it is missing: more than 5% of
    the pixels or, of a progressive JPEG, a part of the first scan of a component. That scan has the mean of
    each block of 8 x 8 pixels.
    """
    scans = _find_scans(data)
    if scans is None:
        return None
    if scans.is_progressive:
        if scans.with_means != scans.components:
            return None
        return CompletedJpeg(data[: scans.end] + _EOI, "damaged, read in part: its end is missing")
    kept = data[: scans.end].rstrip(b"\0\xff")  # a file of the full size whose end was not written
    share = _measure_share(kept)
    if share < MIN_SHARE:
        return None
    missing = "its end mark is missing" if share == 1 else f"{math.floor(100 * share)}% of its rows are there"
    return CompletedJpeg(kept + _EOI, f"damaged, read in part: {missing}")


def _find_scans(data: bytes) -> _Scans | None:
    """Return what is there of a JPEG without an end mark; None for another file, or one without a scan."""
    if data[:2] != _SOI:
        return None
    frame, components, with_means = 0, frozenset[int](), set[int]()
    position, end = 2, 0
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
            continue
        if marker == _EOI[1]:
            return None
        segment_end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if segment_end > len(data) or (end and marker not in _BETWEEN_SCANS):
            break  # the segment is not complete, or it is not a part of a JPEG
        header = data[position + 4 : segment_end]
        if marker in _FRAMES:
            frame, components = marker, frozenset(header[6::3][: header[5]] if len(header) > 5 else b"")
        position = segment_end
        if marker == _SOS and header:
            found = _NEXT_MARKER.search(data, segment_end)
            position = end = found.start() if found else len(data)
            # any other marker is in data behind the photo, and a part of the scan can be missing before it
            is_complete = found is not None and found[0][-1] in _BETWEEN_SCANS
            if is_complete and len(header) > 1 + 2 * header[0] and header[1 + 2 * header[0]] == 0:
                with_means.update(header[1 : 1 + 2 * header[0] : 2])
    if not end or not frame:
        return None
    return _Scans(frame == _PROGRESSIVE, components, frozenset(with_means), end)


def _measure_share(data: bytes) -> float:
    """Return the share of the pixels, from the top, that the data of a JPEG determines.

    The data is decoded twice, at 1/8 of its size: followed by an end mark, and by other data. The first block
    of pixels that differs is the first that the data does not determine. If there is none, the data is
    complete, because the decoder has not used what follows it.
    """
    try:
        pixels, block_rows = _decode_eighth(data + _EOI)
        others, _ = _decode_eighth(data + _OTHER_DATA + _EOI)
    except Exception:  # whatever is wrong with it, the photo is refused
        return 0.0
    differs = np.any(pixels != others, axis=2)
    rows = np.flatnonzero(differs.any(axis=1))
    if not len(rows):
        return 1.0
    height, width = differs.shape
    top = rows[0] // block_rows * block_rows
    block = differs[top : top + block_rows]
    column = np.flatnonzero(block.any(axis=0))[0]
    return float(top + column / width * len(block)) / height


def _decode_eighth(data: bytes) -> tuple[np.ndarray, int]:
    """Return the pixels of a JPEG at 1/8 of its size, and the rows of pixels in one row of blocks."""
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        full_height = image.height
        image.draft(None, (1, 1))
        image.load()
        rows = 8 * max((layer[2] for layer in getattr(image, "layer", ())), default=1)
        pixels = np.asarray(image)
        block_rows = max(1, round(rows * pixels.shape[0] / full_height))
        return np.atleast_3d(pixels), block_rows
