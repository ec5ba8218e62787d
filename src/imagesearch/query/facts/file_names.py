"""Recognizes file names in a sentence: ``IMG_0042``, ``the file IMG_0093.heic``, ``PXL_20220528_101112``."""

from __future__ import annotations

import re

EXTENSIONS = (
    r"(?:jpe?g|jpe|heic|heif|png|webp|gif|tiff?|bmp|avif|dng|nef|nrw|cr[23]|arw|orf|rw2|raf|pef|srw|mp4|mov)"
)
"""The extensions of photos, as a pattern."""
# A name starts at a word and has no spaces, so that a long text is searched in linear time.
FILE_NAME = re.compile(
    r"(?<![\w.@/\\~-])"
    rf"(?:(?:[\w.~-]+[/\\])*[\w~-]+(?:\.[\w~-]+)*?\.{EXTENSIONS}|"  # any name with an extension
    r"[a-z]{2,}_(?=[\w-]*\d{3})[\w-]+|"  # IMG_0042, PXL_20220528_101112
    r"\d{8}_\d{4,}[\w-]*|"  # 20220528_101112
    r"_(?:dsc|mg|igp)_?\d{3,}[\w-]*|"
    r"(?:img|dsc[fn]?|pxl|mvi|vid|dji|gopr|cimg|imgp|kimg|hpim|pict|screenshot)-?\d{3,}[\w-]*|"
    r"(?:img|vid)-\d{8}-wa\d+|"
    r"(?:p[0-9a-c]|g[hpx])\d{6}|"  # P1010001, GX010042
    r"(?:img|dsc[fn]?|pxl|mvi|dji|gopr)[ ]\d{4,5})"
    r"(?![\w/\\])",
    re.IGNORECASE | re.ASCII,
)
