"""XMP packets as documents that can be changed: the packet in a photo, and sidecar files.

Packets are untrusted input: their size is limited, and entities and documents types are rejected.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from imagesearch.errors import UserError
from imagesearch.files import atomic_write
from imagesearch.photos.formats import RAW_EXTENSIONS, PhotoError, get_extension, open_photo
from imagesearch.photos.metadata_blocks import read_raw_xmp_packet, read_xmp_packet

if TYPE_CHECKING:
    from lxml.etree import _Element, _ElementTree

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_META = "adobe:ns:meta/"
_MAX_BYTES = 4 * 2**20
_EMPTY = f'<x:xmpmeta xmlns:x="{_META}"><rdf:RDF xmlns:rdf="{RDF}"/></x:xmpmeta>'


def parse_document(packet: bytes | str) -> _ElementTree:
    """Parse an XMP packet.

    Raises
    ------
    ValueError
        If the packet is too large, not XML, has a document type (whose entities could expand to gigabytes),
        or has no RDF in it.
    """
    from lxml import etree

    data = packet.encode() if isinstance(packet, str) else bytes(packet)
    if len(data) > _MAX_BYTES:
        raise ValueError("the XMP is too large")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        tree = etree.fromstring(data.strip(b"\0 \r\n\t"), parser).getroottree()
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ValueError(f"the XMP is not valid XML ({' '.join(str(error).split())[:100]})") from None
    if tree.docinfo.doctype:
        raise ValueError("the XMP declares a document type")
    if find_rdf(tree) is None:
        raise ValueError("the XMP has no rdf:RDF")
    return tree


def make_document() -> _ElementTree:
    """Return a document without properties."""
    return parse_document(_EMPTY)


def find_rdf(tree: _ElementTree) -> _Element | None:
    """Return the outermost ``rdf:RDF``, which has the properties of the photo itself."""
    return next(tree.getroot().iter(f"{{{RDF}}}RDF"), None)


def find_sidecar(file: Path) -> Path | None:
    """Return the sidecar of a photo: ``IMG.jpg.xmp`` (digiKam, darktable) or ``IMG.xmp`` (Adobe)."""
    candidates = (file.with_name(f"{file.name}.xmp"), file.with_suffix(".xmp"))
    upper = tuple(candidate.with_suffix(".XMP") for candidate in candidates)
    return next((candidate for candidate in (*candidates, *upper) if candidate.is_file()), None)


def read_sidecar(sidecar: Path) -> _ElementTree:
    """Read a sidecar.

    Raises
    ------
    PhotoError
        If it cannot be read, or is not XMP.
    """
    try:
        if sidecar.stat().st_size > _MAX_BYTES:
            raise PhotoError(f"{sidecar.name}: the XMP is too large")
        return parse_document(sidecar.read_bytes())
    except ValueError as error:
        raise PhotoError(f"{sidecar.name}: {error}") from None
    except OSError as error:
        raise PhotoError(f"{sidecar.name}: cannot be read ({error.strerror})") from None


def write_sidecar(sidecar: Path, tree: _ElementTree) -> None:
    """Replace a sidecar, or make it. Its permissions are kept.

    Raises
    ------
    PhotoError
        If it cannot be written, or is read-only.
    """
    from lxml import etree

    try:
        mode = sidecar.stat().st_mode if sidecar.exists() else None
        if mode is not None and not mode & 0o200:
            raise PhotoError(f"{sidecar.name}: is read-only")
        data = etree.tostring(tree, encoding="UTF-8", xml_declaration=True, pretty_print=mode is None)
        with atomic_write(sidecar) as unfinished:
            unfinished.write_bytes(data)
        if mode is not None:
            sidecar.chmod(mode & 0o777)
    except UserError as error:
        raise PhotoError(str(error).removeprefix(f"{sidecar.parent}{os.sep}")) from None
    except OSError as error:
        raise PhotoError(f"{sidecar.name}: cannot be written ({error.strerror})") from None


def read_embedded(file: Path) -> _ElementTree | None:
    """Return the XMP in a photo; None if it has none.

    Raises
    ------
    PhotoError
        If the photo or its XMP cannot be read.
    """
    if get_extension(file.name) in RAW_EXTENSIONS:
        packet = read_raw_xmp_packet(file)
    else:
        with open_photo(file) as image:
            packet = read_xmp_packet(image, file)
    if not packet:
        return None
    try:
        return parse_document(packet)
    except ValueError as error:
        raise PhotoError(str(error)) from None
