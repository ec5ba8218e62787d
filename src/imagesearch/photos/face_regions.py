"""Faces with names in XMP, as other programs read and write them: the MWG's regions and Microsoft's.

Coordinates in XMP are of the photo as it is stored. Here, boxes are of the upright photo.

References
----------
Metadata Working Group, Guidelines for Handling Image Metadata 2.0, section 5.9 (``mwg-rs``); Microsoft,
People Tagging Overview (``MP``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imagesearch.photos.formats import (
    RAW_EXTENSIONS,
    PhotoError,
    get_extension,
    open_photo,
    read_orientation,
)
from imagesearch.photos.metadata_blocks import read_raw_blocks
from imagesearch.photos.region_boxes import Box, PhotoFrame, is_same_region, turn_box, turn_box_back
from imagesearch.photos.xmp_document import (
    RDF,
    find_rdf,
    find_sidecar,
    make_document,
    read_embedded,
    read_sidecar,
    write_sidecar,
)

if TYPE_CHECKING:
    from lxml.etree import _Element, _ElementTree

_RS = "http://www.metadataworkinggroup.com/schemas/regions/"
_AREA = "http://ns.adobe.com/xmp/sType/Area#"
_DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
_MP_INFO = "http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
_MP_REGION = "http://ns.microsoft.com/photo/1.2/t/Region#"
_PREFIXES = {"rdf": RDF, "mwg-rs": _RS, "stArea": _AREA, "stDim": _DIMENSIONS}
_ORIENTATION_TAG = 0x0112
_MAX_NAME_LENGTH = 200


@dataclass(frozen=True)
class FaceRegion:
    """A face with a name: left, top, right, bottom as fractions of the upright photo's width and height."""

    name: str
    box: Box


def read_face_regions(file: Path, upright_size: tuple[int, int]) -> tuple[list[FaceRegion], list[str]]:
    """Return the named faces in a photo's sidecar and in the photo itself, each once.

    Parameters
    ----------
    file
        The photo.
    upright_size
        Its width and height in pixels, upright.

    Returns
    -------
    regions : list of FaceRegion
        Those of the sidecar first.
    remarks : list of str
        What was ignored, and why.

    Raises
    ------
    PhotoError
        If the photo cannot be opened. XMP that cannot be read adds a remark.
    """
    frame = PhotoFrame(_read_file_orientation(file), upright_size)
    regions: list[FaceRegion] = []
    remarks: list[str] = []
    for tree in _read_documents(file, remarks):
        for region in _parse_regions(tree, frame, remarks):
            if not any(
                known.name == region.name and is_same_region(known.box, region.box) for known in regions
            ):
                regions.append(region)
    return regions, list(dict.fromkeys(remarks))


def write_face_regions(
    file: Path, regions: Sequence[FaceRegion], upright_size: tuple[int, int]
) -> Path | None:
    """Write named faces to a photo's sidecar; the photo and all other properties stay as they are.

    A region that is there already gets the name; a face without a region gets one. A new sidecar is named
    ``IMG.jpg.xmp``, and has the regions of the photo's own XMP too.

    Parameters
    ----------
    file, upright_size
        See `read_face_regions`.
    regions
        The faces.

    Returns
    -------
    sidecar : Path or None
        The file, or None if it has all these names already.

    Raises
    ------
    PhotoError
        If the sidecar is not XMP, is read-only or cannot be written, or the photo cannot be read.
    """
    sidecar = find_sidecar(file)
    tree = read_sidecar(sidecar) if sidecar else make_document()
    frame = PhotoFrame(_read_file_orientation(file), upright_size)
    if sidecar is None:  # other programs read only the sidecar, if there is one
        embedded = read_embedded(file)
        known = [] if embedded is None else list(_parse_regions(embedded, frame, []))
        if all(
            any(one.name == other.name and is_same_region(one.box, other.box) for other in known)
            for one in regions
        ):
            return None
        new = [one for one in known if not any(is_same_region(one.box, other.box) for other in regions)]
        regions = [*new, *regions]
    changes = [_update_region(tree, region, frame) for region in regions]
    if not any(changes):
        return None
    sidecar = sidecar or file.with_name(f"{file.name}.xmp")
    write_sidecar(sidecar, tree)
    return sidecar


# --- reading -----------------------------------------------------------------------------------------------


def _read_file_orientation(file: Path) -> int:
    if get_extension(file.name) in RAW_EXTENSIONS:
        value = read_raw_blocks(file).main.get(_ORIENTATION_TAG, 1)
        return value if value in range(1, 9) else 1
    with open_photo(file) as image:
        return read_orientation(image)


def _read_documents(file: Path, remarks: list[str]) -> Iterator[_ElementTree]:
    sidecar = find_sidecar(file)
    if sidecar:
        try:
            yield read_sidecar(sidecar)
        except PhotoError as error:
            remarks.append(str(error))
    try:
        if (tree := read_embedded(file)) is not None:
            yield tree
    except PhotoError as error:
        remarks.append(str(error))


def _parse_regions(tree: _ElementTree, frame: PhotoFrame, remarks: list[str]) -> Iterator[FaceRegion]:
    for element, orientation in _list_mwg_regions(tree, frame, remarks):
        kind = _get_value(element, _RS, "Type")
        if kind.casefold() in ("", "face"):
            yield from _check_region(
                _get_value(element, _RS, "Name"), _read_area(element), orientation, remarks
            )
    rdf = find_rdf(tree)
    for region in rdf.iter(f"{{{_MP_INFO}}}Regions") if rdf is not None else ():
        for element in _list_items(region):
            name = _get_value(element, _MP_REGION, "PersonDisplayName")
            rectangle = _read_rectangle(_get_value(element, _MP_REGION, "Rectangle"))
            yield from _check_region(name, rectangle, frame.orientation, remarks)


def _list_mwg_regions(
    tree: _ElementTree, frame: PhotoFrame, remarks: list[str]
) -> Iterator[tuple[_Element, int]]:
    """Yield the elements of regions, and the orientation that their coordinates are relative to."""
    rdf = find_rdf(tree)
    for regions in rdf.iter(f"{{{_RS}}}Regions") if rdf is not None else ():
        orientation = frame.choose_orientation(_read_applied_size(regions))
        if orientation is None:
            remarks.append("its face regions are of another shape of the photo; it was cropped since")
            continue
        for region_list in regions.iter(f"{{{_RS}}}RegionList"):
            for element in _list_items(region_list):
                yield element, orientation


def _list_items(parent: _Element) -> Iterator[_Element]:
    """Yield the items of a bag, sequence or list of RDF. An item may be a description inside the item."""
    for item in parent.iter(f"{{{RDF}}}li"):
        yield _get_structure(item)


def _get_value(element: _Element, namespace: str, name: str) -> str:
    """Return a property that is an attribute or an element, as XMP allows both."""
    tag = f"{{{namespace}}}{name}"
    child = element.find(tag)
    return (element.get(tag) or (child.text if child is not None else "") or "").strip()


def _get_structure(element: _Element) -> _Element:
    """Return the element with the fields of a structure: a description inside the element, or itself."""
    description = element.find(f"{{{RDF}}}Description")
    return element if description is None else description


def _find_structure(element: _Element, namespace: str, name: str) -> _Element | None:
    child = element.find(f"{{{namespace}}}{name}")
    return None if child is None else _get_structure(child)


def _read_applied_size(regions: _Element) -> tuple[float, float] | None:
    """Return the size that regions apply to, or None if it is missing or not valid."""
    dimensions = _find_structure(_get_structure(regions), _RS, "AppliedToDimensions")
    if dimensions is None:
        return None
    width, height = (_to_number(_get_value(dimensions, _DIMENSIONS, side)) for side in "wh")
    return (width, height) if width > 0 and height > 0 else None


def _read_area(element: _Element) -> Box | None:
    """Return the box of an area, whose x and y are its centre."""
    area = _find_structure(element, _RS, "Area")
    if area is None:
        return None
    x, y, width, height = (_to_number(_get_value(area, _AREA, name)) for name in "xywh")
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _read_rectangle(text: str) -> Box | None:
    """Return the box of Microsoft's rectangle: left, top, width, height."""
    values = [_to_number(value) for value in text.split(",")]
    if len(values) != 4:
        return None
    left, top, width, height = values
    return left, top, left + width, top + height


def _check_region(name: str, box: Box | None, orientation: int, remarks: list[str]) -> Iterator[FaceRegion]:
    """Yield a region with a name and a plausible box."""
    name = " ".join(name.split())
    if not name:
        return  # a face that nobody has named
    if len(name) > _MAX_NAME_LENGTH or not name.isprintable():
        remarks.append("the name of a face region is too long or has control characters")
        return
    # NaN fails every comparison
    is_inside = box is not None and box[0] < box[2] and box[1] < box[3]
    is_inside = is_inside and box[0] < 1 and box[1] < 1 and box[2] > 0 and box[3] > 0 and min(box) > -0.5
    if not (is_inside and max(box) < 1.5):
        remarks.append(f"the face region of {name} is not inside the photo")
        return
    left, top, right, bottom = (min(1.0, max(0.0, value)) for value in box)
    yield FaceRegion(name, turn_box((left, top, right, bottom), orientation))


def _to_number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


# --- writing -----------------------------------------------------------------------------------------------


def _update_region(tree: _ElementTree, region: FaceRegion, frame: PhotoFrame) -> bool:
    """Write a face; return whether the document has changed."""
    for element, orientation in _list_mwg_regions(tree, frame, []):
        box = _read_area(element)
        if box is not None and is_same_region(turn_box(box, orientation), region.box):
            return _set_name(element, region.name)
    _add_region(tree, region, frame)
    return True


def _set_name(element: _Element, name: str) -> bool:
    tag = f"{{{_RS}}}Name"
    child = element.find(tag)
    if _get_value(element, _RS, "Name") == name:
        return False
    if child is not None:
        child.text = name
    else:
        element.set(tag, name)
    return True


def _add_region(tree: _ElementTree, region: FaceRegion, frame: PhotoFrame) -> None:
    from lxml import etree

    bag, orientation = _find_or_add_bag(tree, frame)
    left, top, right, bottom = turn_box_back(region.box, orientation)
    item = etree.SubElement(bag, f"{{{RDF}}}li", {f"{{{RDF}}}parseType": "Resource"})
    etree.SubElement(item, f"{{{_RS}}}Name").text = region.name
    etree.SubElement(item, f"{{{_RS}}}Type").text = "Face"
    area = etree.SubElement(item, f"{{{_RS}}}Area", {f"{{{RDF}}}parseType": "Resource"})
    values = {"x": (left + right) / 2, "y": (top + bottom) / 2, "w": right - left, "h": bottom - top}
    for name, value in values.items():
        etree.SubElement(area, f"{{{_AREA}}}{name}").text = f"{value:.6f}"
    etree.SubElement(area, f"{{{_AREA}}}unit").text = "normalized"


def _find_or_add_bag(tree: _ElementTree, frame: PhotoFrame) -> tuple[_Element, int]:
    """Return the list of regions that fit the photo, and the orientation of their coordinates."""
    from lxml import etree

    rdf = find_rdf(tree)
    for regions in list(rdf.iter(f"{{{_RS}}}Regions")):
        orientation = frame.choose_orientation(_read_applied_size(regions))
        bag = next(regions.iter(f"{{{RDF}}}Bag", f"{{{RDF}}}Seq"), None)
        if orientation is None:
            raise PhotoError(
                "its sidecar has face regions of another shape of the photo; it was cropped since"
            )
        if bag is None:
            region_list = etree.SubElement(_get_structure(regions), f"{{{_RS}}}RegionList")
            bag = etree.SubElement(region_list, f"{{{RDF}}}Bag")
        return bag, orientation
    description = etree.SubElement(rdf, f"{{{RDF}}}Description", {f"{{{RDF}}}about": ""}, nsmap=_PREFIXES)
    resource = {f"{{{RDF}}}parseType": "Resource"}
    regions = etree.SubElement(description, f"{{{_RS}}}Regions", resource)
    dimensions = etree.SubElement(regions, f"{{{_RS}}}AppliedToDimensions", resource)
    width, height = frame.stored_size
    for name, value in (("w", str(width)), ("h", str(height)), ("unit", "pixel")):
        etree.SubElement(dimensions, f"{{{_DIMENSIONS}}}{name}").text = value
    region_list = etree.SubElement(regions, f"{{{_RS}}}RegionList")
    return etree.SubElement(region_list, f"{{{RDF}}}Bag"), frame.orientation
