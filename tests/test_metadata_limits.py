"""Cameras and ratings in metadata, and limits for metadata of an enormous size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import draw
from test_metadata import PARIS, XMP, make_exif

from imagesearch.photos.metadata import parse_metadata
from imagesearch.photos.metadata_blocks import MetadataBlocks, parse_xmp, read_blocks

# --- camera, rating ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "Canon EOS 7D", "Canon EOS 7D"),
        ("NIKON CORPORATION", "NIKON D90", "NIKON D90"),
        ("Apple\0\0", "iPhone 13 ", "Apple iPhone 13"),
        ("", "X100", "X100"),
        ("Leica", None, "Leica"),
        (("wrong", "type"), 7, ""),
    ],
)
def test_a_camera_is_called_as_people_call_it(make: Any, model: Any, camera: str) -> None:
    assert parse_metadata(MetadataBlocks(main={0x010F: make, 0x0110: model})).camera == camera


@pytest.mark.parametrize(
    ("rating", "stars"), [(4, 4), ("5", 5), (0, 0), (-1, None), (99, None), ((1,), None)]
)
def test_a_rating_is_a_number_of_stars(rating: Any, stars: int | None) -> None:
    assert parse_metadata(MetadataBlocks(main={0x4746: rating})).rating == stars


def test_a_rejected_photo_has_no_stars_whatever_exif_says() -> None:
    for written, stars in (("-1", None), ("2", 2), ("", 3), ("many", 3)):
        assert parse_metadata(MetadataBlocks(main={0x4746: 3}, xmp={"xmp:Rating": [written]})).rating == stars


def test_blocks_beyond_all_measure_are_left_alone(tmp_path: Path) -> None:
    image = draw(1, (16, 8))
    image.format = "JPEG"
    image.info = {"exif": make_exif(gps=PARIS) + bytes(2**22)}
    blocks = read_blocks(image, tmp_path / "never read")
    assert not blocks.gps and "too large" in blocks.remarks[0]


def test_an_xmp_packet_cannot_keep_its_reader_busy() -> None:
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    for inner, times in (("<r:RDF><d><e>", 10_000), ("<d>", 500_000)):
        closing = "".join(f"</{tag[:-1]}>" for tag in reversed(inner.split("<")[1:]))
        packet = f"<a xmlns:r='{rdf}'>{inner * times}{closing * times}</a>"
        with pytest.raises(ValueError, match="too deep"):
            parse_xmp(packet)
    flat = f"<r:RDF xmlns:r='{rdf}'><d>{'<e/>' * 100_000}</d></r:RDF>"
    with pytest.raises(ValueError, match="too many"):
        parse_xmp(flat)
    nested = XMP.replace("</rdf:Description>", "</rdf:Description><x:y>" + XMP[XMP.index("<rdf:RDF") :], 1)
    nested = nested.replace("</x:xmpmeta></rdf:RDF>", "</x:y></rdf:RDF>")
    assert parse_xmp(nested)["xmp:Rating"] == ["4"]


def test_an_xmp_packet_cannot_unfold_to_gigabytes() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
    for packet in (bomb, bomb.encode(), bomb.encode("utf-16"), b" " * 5_000_000, "<x>" * 10):
        with pytest.raises((ValueError, SyntaxError)):
            parse_xmp(packet)
