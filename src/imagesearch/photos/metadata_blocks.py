"""The metadata blocks of a file: EXIF, XMP and IPTC, read without decoding the pixels.

The blocks are untrusted input: sizes are limited, XML entities are rejected, and damaged parts are left out.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree

from PIL import Image, IptcImagePlugin

_EXIF_IFD, _GPS_IFD, _XMP_TAG = 0x8769, 0x8825, 0x02BC
_MAX_BYTES = 4 * 2**20  # in one block; Photoshop's longest histories are smaller
_MAX_ELEMENTS, _MAX_DEPTH = 100_000, 64  # in an XMP packet; histories have thousands, in about 12 levels
# Keywords of texts in PNG, and their names in the result of `read_png_blocks`.
_PNG_TEXTS = {b"Title": "title", b"Description": "description"}
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_PREFIXES = {
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://purl.org/dc/elements/1.1/": "dc",
}


@dataclass(frozen=True)
class MetadataBlocks:
    """A file's metadata as it is stored: values of any type, not checked.

    ``main``, ``exif`` and ``gps`` are EXIF values by tag number. ``xmp`` has lists of texts by prefixed name.
    ``iptc`` has values by record and dataset number. ``texts`` has the title and description of a PNG.
    ``remarks`` lists the blocks that could not be read.
    """

    main: Mapping[int, Any] = field(default_factory=dict)
    exif: Mapping[int, Any] = field(default_factory=dict)
    gps: Mapping[int, Any] = field(default_factory=dict)
    xmp: Mapping[str, list[str]] = field(default_factory=dict)
    iptc: Mapping[tuple[int, int], Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    texts: tuple[bytes, ...] = ()


def read_blocks(image: Image.Image, file: Path) -> MetadataBlocks:
    """Return the metadata blocks of an opened photo without decoding its pixels."""
    remarks: list[str] = []
    info, texts = dict(image.info), ()
    if image.format == "PNG":
        with file.open("rb") as stream:
            blocks = _try_read("PNG", remarks, lambda: read_png_blocks(stream)) or {}
        texts = tuple(blocks.pop(name) for name in _PNG_TEXTS.values() if name in blocks)
        info |= blocks
    exif = _try_read("EXIF", remarks, lambda: _read_exif(image, info))
    xmp = info.get("xmp") or info.get("XML:com.adobe.xmp") or _read_tag(exif, _XMP_TAG)
    iptc = _try_read("IPTC", remarks, lambda: IptcImagePlugin.getiptcinfo(image))
    return _collect_blocks(exif, xmp, iptc or {}, remarks, texts)


def read_raw_blocks(file: Path) -> MetadataBlocks:
    """Return the metadata blocks of a camera RAW based on TIFF (DNG, NEF, CR2, ARW, PEF), else none."""
    remarks: list[str] = []

    def load() -> MetadataBlocks:
        exif = Image.Exif()
        with file.open("rb") as stream:
            exif.load_from_fp(stream)
            return _collect_blocks(exif, _read_tag(exif, _XMP_TAG), {}, remarks)

    return _try_read("this kind of RAW", remarks, load) or MetadataBlocks(remarks=tuple(remarks))


def read_xmp_packet(image: Image.Image, file: Path) -> bytes | str | None:
    """Return the XMP packet of an opened photo as it is stored, or None if there is none or it is damaged."""
    info = dict(image.info)
    if image.format == "PNG":
        with file.open("rb") as stream:
            info |= _try_read("PNG", [], lambda: read_png_blocks(stream)) or {}
    packet = info.get("xmp") or info.get("XML:com.adobe.xmp")
    return _to_packet(packet or _read_tag(_try_read("EXIF", [], lambda: _read_exif(image, info)), _XMP_TAG))


def read_raw_xmp_packet(file: Path) -> bytes | str | None:
    """Return the XMP packet of a camera RAW based on TIFF, or None if there is none or it is damaged."""

    def load() -> object:
        exif = Image.Exif()
        with file.open("rb") as stream:
            exif.load_from_fp(stream)
            return _read_tag(exif, _XMP_TAG)

    return _to_packet(_try_read("RAW", [], load))


def _to_packet(value: object) -> bytes | str | None:
    if isinstance(value, tuple):  # Pillow returns some TIFF tags as tuples of bytes
        return bytes(value)
    return value if isinstance(value, (bytes, str)) else None


def _collect_blocks(
    exif: Image.Exif | None, xmp: Any, iptc: Mapping, remarks: list[str], texts: tuple[bytes, ...] = ()
) -> MetadataBlocks:
    main, exif_ifd, gps = {}, {}, {}
    if exif is not None:
        main = _try_read("EXIF", remarks, lambda: dict(exif)) or {}
        exif_ifd = _try_read("EXIF", remarks, lambda: dict(exif.get_ifd(_EXIF_IFD))) or {}
        gps = _try_read("the GPS block", remarks, lambda: dict(exif.get_ifd(_GPS_IFD))) or {}
    properties = _try_read("XMP", remarks, lambda: parse_xmp(xmp)) if xmp else None
    return MetadataBlocks(main, exif_ifd, gps, properties or {}, iptc, tuple(dict.fromkeys(remarks)), texts)


def _try_read(block: str, remarks: list[str], read: Callable[[], Any]) -> Any:
    """Return the result of ``read``; for any error return None and add a remark.

    Libraries raise errors of many types for damaged blocks.
    """
    try:
        return read()
    except Exception as error:
        reason = " ".join(str(error).split())[:100]
        remarks.append(f"{block} cannot be read ({type(error).__name__}: {reason})")
        return None


def _read_tag(exif: Image.Exif | None, tag: int) -> Any:
    try:
        return None if exif is None else exif.get(tag)
    except Exception:
        return None  # a damaged tag does not affect the others


def _read_exif(image: Image.Image, info: Mapping[str, Any]) -> Image.Exif:
    """Read the EXIF block. ``image.getexif`` is not used for PNG, because it would decode the pixels."""
    if hasattr(image, "tag_v2"):
        return image.getexif()
    exif, data = Image.Exif(), info.get("exif")
    raw = info.get("Raw profile type exif")  # EXIF in a PNG by ImageMagick: a header and hex digits
    if data is None and isinstance(raw, str):
        data = bytes.fromhex("".join(raw.split("\n")[3:]))
    if data is not None:
        if len(data) > _MAX_BYTES:
            raise ValueError("too large")
        exif.load(data)
    return exif


def read_png_blocks(stream: BinaryIO) -> dict[str, bytes]:
    """Return the blocks ``exif``, ``xmp``, ``title`` and ``description`` of a PNG; the pixels are skipped.

    They are stored before or after the pixels.

    References
    ----------
    PNG (Third Edition), W3C 2025, sections 11.3.3 (tEXt, zTXt, iTXt) and 11.3.4 (eXIf).
    """
    blocks: dict[str, bytes] = {}
    stream.seek(8)
    while len(head := stream.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            break
        if kind in (b"eXIf", b"iTXt", b"tEXt", b"zTXt") and length <= _MAX_BYTES:
            data = stream.read(length)
            stream.seek(4, 1)  # skip the checksum
            keyword = data.partition(b"\0")[0]
            if kind == b"eXIf":
                blocks.setdefault("exif", data)
            elif keyword == b"XML:com.adobe.xmp" and kind == b"iTXt":
                blocks.setdefault("xmp", _decode_international_text(data))
            elif keyword in _PNG_TEXTS:
                blocks.setdefault(_PNG_TEXTS[keyword], _decode_text(kind, data))
        else:
            stream.seek(length + 4, 1)
    return blocks


def _decode_text(kind: bytes, data: bytes) -> bytes:
    if kind == b"iTXt":
        return _decode_international_text(data)
    text = data.partition(b"\0")[2]
    return zlib.decompressobj().decompress(text[1:], _MAX_BYTES) if kind == b"zTXt" else text


def _decode_international_text(data: bytes) -> bytes:
    compressed = data[data.index(b"\0") + 1] == 1
    text = data.split(b"\0", 1)[1][2:].split(b"\0", 2)[2]
    return zlib.decompressobj().decompress(text, _MAX_BYTES) if compressed else text


def parse_xmp(packet: Any) -> dict[str, list[str]]:
    """Return the properties of an XMP packet in the supported namespaces, such as ``"xmp:Rating": ["4"]``.

    Raises
    ------
    ValueError
        If the packet is too large or too deep, declares entities (which could expand to gigabytes), or is not
        text.
    xml.etree.ElementTree.ParseError
        If the packet is not XML.

    References
    ----------
    XMP specification part 1 (ISO 16684-1), section 7: properties as attributes or as elements.
    """
    if isinstance(packet, tuple):  # Pillow returns some TIFF tags as tuples of bytes
        packet = bytes(packet)
    if len(packet) > _MAX_BYTES:
        raise ValueError("too large")
    text = packet if isinstance(packet, str) else packet.decode("utf-8-sig")
    text = text.strip("\0 \r\n\t\ufeff")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("it declares entities")
    properties: dict[str, list[str]] = {}
    parser = ElementTree.XMLParser(target=_LimitedTreeBuilder())
    parser.feed(text)
    rdf = next(parser.close().iter(f"{_RDF}RDF"), ())  # only the outermost, which contains the inner ones
    for description in rdf:  # nested descriptions are of other photos, from which this photo was made
        for name, value in description.items():
            _add_property(properties, name, [value])
        for element in description:
            items = [item.text or "" for item in element.iter(f"{_RDF}li")]
            _add_property(properties, element.tag, items or [element.text or ""])
    return properties


class _LimitedTreeBuilder(ElementTree.TreeBuilder):
    """Rejects packets with too many or too deeply nested elements, which would take too long to read."""

    def __init__(self) -> None:
        super().__init__()
        self._elements = self._depth = 0

    def start(self, tag: str, attrs: dict[str, str]) -> ElementTree.Element:
        self._elements, self._depth = self._elements + 1, self._depth + 1
        if self._elements > _MAX_ELEMENTS or self._depth > _MAX_DEPTH:
            raise ValueError("too many elements, or too deep")
        return super().start(tag, attrs)

    def end(self, tag: str) -> ElementTree.Element:
        self._depth -= 1
        return super().end(tag)


def _add_property(properties: dict[str, list[str]], tag: str, values: list[str]) -> None:
    namespace, _, name = tag.removeprefix("{").partition("}")
    if namespace in _PREFIXES:
        properties.setdefault(f"{_PREFIXES[namespace]}:{name}", []).extend(values)
