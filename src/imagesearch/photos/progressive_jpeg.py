"""Removes the scans of a progressive JPEG that do not affect its pixels at 1/8 of its size."""

from __future__ import annotations

import re

_SOI, _EOI, _SOS, _SOF2 = 0xD8, 0xD9, 0xDA, 0xC2
# EXIF, MPF and ICC, which decoding does not use; APP0 and APP14 are kept, because they state the color space.
_METADATA = (0xE1, 0xE2)
# Inside the data of a scan, 0xFF is followed by 0x00 or by a restart marker, 0xD0 to 0xD7.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def select_scans_for_eighth(data: bytes) -> bytes | None:
    """Return a progressive JPEG without the scans that decoding at 1/8 of its size does not need.

    At 1/8, libjpeg uses one coefficient of each block of 8 x 8 pixels: the mean, which has scans of its own.
    Most of the file and of the decoding time is for the other coefficients. Components with fewer samples,
    usually the two of color, are decoded at 1/4 instead, so all of their scans are kept. The first scan of
    the other coefficients is also kept, because libjpeg smooths the means without it. The decoded pixels are
    equal to those of the whole file.

    Parameters
    ----------
    data
        Content of the file.

    Returns
    -------
    bytes or None
        A JPEG without metadata. None if the file is not a complete progressive JPEG.
    """
    if data[:2] != bytes([0xFF, _SOI]):
        return None
    kept, position = [data[:2]], 2
    eighth: set[int] = set()  # the components that are decoded at 1/8, by id
    started: set[int] = set()  # those of them with a scan of other coefficients that was kept
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        header = data[position + 4 : end]
        if marker == _SOF2:
            eighth = _list_full_resolution_components(header)
        if marker == _SOS and header:
            found = _NEXT_MARKER.search(data, end)
            if found is None or len(header) < 4 + 2 * header[0]:
                return None
            end = found.start()
            is_kept = _is_scan_kept(header, eighth, started)
        else:
            is_kept = marker not in _METADATA
        if is_kept:
            kept.append(data[position:end])
        position = end
        if data[position : position + 2] == bytes([0xFF, _EOI]):
            return b"".join([*kept, data[position : position + 2]]) if eighth else None
    return None


def _list_full_resolution_components(frame: bytes) -> set[int]:
    """Return the ids of the components that libjpeg does not decode at a larger scale than the others."""
    components = [
        (c[0], c[1] >> 4, c[1] & 15) for c in (frame[i : i + 3] for i in range(6, len(frame) - 2, 3))
    ]
    width, height = (max((c[i] for c in components), default=0) for i in (1, 2))
    return {name for name, across, down in components if across == width or down == height}


def _is_scan_kept(scan: bytes, eighth: set[int], started: set[int]) -> bool:
    """Whether a scan is kept, by its header; the components of ``started`` are updated."""
    count = scan[0]
    first_component, first_coefficient = scan[1], scan[1 + 2 * count]
    if first_coefficient == 0 or first_component not in eighth:
        return True
    if first_component in started:
        return False
    started.add(first_component)
    return True
