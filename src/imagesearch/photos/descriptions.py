"""The description of a photo: titles and captions that people wrote, without the texts of cameras."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from imagesearch.photos.metadata_blocks import MetadataBlocks
from imagesearch.photos.metadata_values import decode_windows_text, list_values, to_text
from imagesearch.text import normalize

_IMAGE_DESCRIPTION, _USER_COMMENT, _MAKE = 0x010E, 0x9286, 0x010F
_XP_TITLE, _XP_COMMENT, _XP_SUBJECT = 0x9C9B, 0x9C9C, 0x9C9F
_IPTC_TITLES, _IPTC_CAPTION = ((2, 5), (2, 105)), (2, 120)  # object name, headline
_MAX_LENGTH = 2000  # characters: at most 8000 bytes in UTF-8, which fit the field of a collection
_MAX_ITEM_BYTES = 64 * 1024

# Texts that cameras, phones and programs write into every photo, as patterns of the whole text.
_JUNK = re.compile(
    "|".join(
        (
            r"(?:[\w&.-]+ ){0,3}(?:digital|game|trail)(?: still| game)? camera",
            r"(?:sony|minolta) dsc|samsung(?: camera pictures)?|konica minolta.*|dvc \d.*|oplus_\d+|[hs]dr",
            r"exif[_ ]jpeg.*|jpe?g|ascii|charset=.*|\(?binary .*|string with binary.*|_id_\d.*|applemark",
            r"default|untitled|unnamed|none|null|n/a|scanner|image|picture|photo|camera|title|comment",
            r"(?:image ?)?description|(?:exif )?user ?comments?",
            # folders and names of files
            r"dcim.*|\w:\\.*|\w+\\\S*|\S+\.[a-z]{3,4}",
            r"(?:dsc[fn]?|img|pict|dji|gopr|mvi|sam|pxl|cimg|hpim|sany|imgp)[-_]?\d{3,}",
            # programs, and where files are from
            r"created (?:by|with|using) (?:the )?(?:gimp|imlib|adobe|paint|imagemagick|accusoft).*",
            r"creator:.*|processed with (?:vsco|snapseed|rni).*|(?:file )?source:.*|iclarified",
            # settings of phones: in brackets, or at least three pairs of a key and a value
            r"<.*>|\{.*\}|\[.*[:=@\"].*\]|(?:\w+[=:]\s?[^\s,;]+(?:[,; ]+|$)){3,}",
        )
    ),
    re.IGNORECASE,
)
# Modes of the cameras of Huawei and Honor, such as edf, cof, rhdr, oznorWO and mde_soft.
_HUAWEI_MODE = re.compile(r"[a-z]{2,10}(?:_[a-z]+)?(?:WO|_HDRB)?")
_CODE = re.compile(r"[A-Za-z0-9+/=_-]{32,}|(?:[0-9a-f]{2} ?){8,}", re.IGNORECASE)


def read_description(blocks: MetadataBlocks) -> str:
    """Return the titles and captions in XMP, EXIF, IPTC, the tags of Windows and PNG as one line.

    A text that is part of another one is left out.
    """
    texts: dict[str, str] = {}
    for value in _list_texts(blocks):
        if not value:
            continue
        if isinstance(value, (str, bytes)) and len(value) > _MAX_ITEM_BYTES:
            value = value[:_MAX_ITEM_BYTES]
        text = to_text(value)[:_MAX_LENGTH]
        if text and not _is_junk(text) and not _is_huawei_mode(text, blocks):
            texts.setdefault(normalize(text), text)
    distinct = [
        text for key, text in texts.items() if not any(key in other for other in texts if other != key)
    ]
    return "; ".join(distinct)[:_MAX_LENGTH].strip()


def _is_huawei_mode(text: str, blocks: MetadataBlocks) -> bool:
    is_huawei = to_text(blocks.main.get(_MAKE)).casefold() in ("huawei", "honor")
    return is_huawei and bool(_HUAWEI_MODE.fullmatch(text))


def _list_texts(blocks: MetadataBlocks) -> Iterator[Any]:
    """Yield titles, then captions."""
    main, xmp, iptc = blocks.main, blocks.xmp, blocks.iptc
    yield from (text for name in ("dc:title", "photoshop:Headline") for text in xmp.get(name, ()))
    yield from (text for key in _IPTC_TITLES for text in list_values(iptc.get(key)))
    yield decode_windows_text(main.get(_XP_TITLE))
    yield from xmp.get("dc:description", ())
    yield main.get(_IMAGE_DESCRIPTION)
    yield from list_values(iptc.get(_IPTC_CAPTION))
    yield from (decode_windows_text(main.get(tag)) for tag in (_XP_SUBJECT, _XP_COMMENT))
    yield _decode_user_comment(blocks.exif.get(_USER_COMMENT))
    yield from xmp.get("exif:UserComment", ())
    yield from blocks.texts


def _decode_user_comment(value: Any) -> str | bytes:
    """Return the text of EXIF's user comment, whose first eight bytes are the name of its encoding."""
    if not isinstance(value, bytes):
        return value if isinstance(value, str) else ""
    code, text = value[:8], value[8:]
    if code == b"UNICODE\0":
        text = text[:_MAX_ITEM_BYTES]
        if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return text.decode("utf-16", "ignore")
        # the order of the bytes is not stored: most characters have the high byte of spaces and letters
        is_big = text[0::2].count(0) > text[1::2].count(0)
        return text.decode("utf-16-be" if is_big else "utf-16-le", "ignore")
    if code == b"JIS\0\0\0\0\0":
        return text.decode("iso2022_jp", "ignore")
    if code in (b"ASCII\0\0\0", bytes(8)):
        return text.lstrip(b"\0")
    return value  # without an encoding, as some programs write it


def _is_junk(text: str) -> bool:
    """Whether a text is not a person's: a camera's, a program's, a file name or a code."""
    is_short = text.isascii() and sum(character.isalpha() for character in text) < 2
    return is_short or "\ufffd" in text or bool(_JUNK.fullmatch(text) or _CODE.fullmatch(text))
