"""Metadata of photos: every format, every way to write it, and nothing that cannot be trusted."""

from __future__ import annotations

import io
import struct
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from conftest import draw
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from imagesearch.geo.extract import MetadataProcessor
from imagesearch.photos import PhotoError, PhotoMetadata, read_metadata
from imagesearch.photos.metadata import parse_metadata
from imagesearch.photos.metadata_blocks import MetadataBlocks, read_blocks
from imagesearch.photos.positions import parse_gps

PARIS = {1: "N", 2: (48.0, 51.0, 30.24), 3: "E", 4: (2.0, 17.0, 40.2)}
EIFFEL = (48.8584, 2.2945)
XMP = """<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>
<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about=''
 xmlns:exif='http://ns.adobe.com/exif/1.0/' xmlns:xmp='http://ns.adobe.com/xap/1.0/'
 xmlns:tiff='http://ns.adobe.com/tiff/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'
 exif:GPSLatitude='48,51.504N' exif:GPSLongitude='2,17.67E' xmp:Rating='4' tiff:Model='Scanner 3'>
<exif:DateTimeOriginal>2021-07-14T22:30:05.25+02:00</exif:DateTimeOriginal>
<dc:subject><rdf:Bag><rdf:li>Wedding</rdf:li><rdf:li>fête</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def make_exif(main: dict[int, Any] | None = None, gps: dict | None = None, exif: dict | None = None) -> bytes:
    result = Image.Exif()
    result.update(main or {})
    result[0x8769] = exif or {}
    if gps is not None:
        result[0x8825] = gps
    return result.tobytes()


def read_time(text: Any, **other: Any) -> PhotoMetadata:
    return parse_metadata(MetadataBlocks(exif={0x9003: text, **other.pop("exif", {})}, **other))


# --- formats -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["jpg", "heic", "avif", "webp", "png", "tif"])
def test_every_format_says_where_when_and_with_what(tmp_path: Path, ending: str) -> None:
    main = {0x010F: "Apple", 0x0110: "iPhone 13", 0x4746: 3}
    exif = make_exif(main, PARIS, {0x9003: "2023:04:12 18:02:11", 0x9011: "+02:00", 0x9291: "25"})
    file = tmp_path / f"photo.{ending}"
    if ending == "heic":
        pillow_heif.from_pillow(draw(1)).save(file, exif=exif)
    else:
        draw(1).save(file, exif=exif)
    metadata = read_metadata(file)
    assert (metadata.latitude, metadata.longitude) == pytest.approx(EIFFEL, abs=1e-6)
    assert metadata.taken_at == datetime(2023, 4, 12, 18, 2, 11, 250_000) and metadata.utc_offset == 120
    assert (metadata.camera, metadata.rating, metadata.remarks) == ("Apple iPhone 13", 3, ())


@pytest.mark.parametrize("ending", ["jpg", "webp", "avif", "heic", "tif", "png"])
def test_the_xmp_packet_says_what_exif_does_not(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"photo.{ending}"
    if ending == "png":
        file.write_bytes(make_png_with(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP.encode()))
    elif ending == "tif":
        draw(1).save(file, tiffinfo={700: XMP.encode()})
    elif ending == "heic":
        pillow_heif.from_pillow(draw(1)).save(file, xmp=XMP.encode())
    else:
        draw(1).save(file, xmp=XMP.encode())
    metadata = read_metadata(file)
    assert (metadata.latitude, metadata.longitude) == pytest.approx(EIFFEL, abs=1e-6)
    assert metadata.taken_at == datetime(2021, 7, 14, 22, 30, 5, 250_000) and metadata.utc_offset == 120
    assert (metadata.camera, metadata.rating, metadata.keywords) == ("Scanner 3", 4, ("Wedding", "fête"))


def make_png_with(kind: bytes, data: bytes) -> bytes:
    """A PNG with a chunk after its pixels, where Pillow would find it only by decoding them."""
    buffer = io.BytesIO()
    draw(1).save(buffer, "PNG")
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return buffer.getvalue()[:-12] + chunk + buffer.getvalue()[-12:]


def test_a_png_is_read_without_decoding_its_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "late.png"
    file.write_bytes(make_png_with(b"eXIf", make_exif(gps=PARIS)[6:]))
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded"))
    assert read_metadata(file).latitude == pytest.approx(EIFFEL[0], abs=1e-6)


def test_iptc_and_windows_keywords_join_without_doubles(tmp_path: Path) -> None:
    iptc = b"".join(b"\x1c\x02\x19" + struct.pack(">H", len(w)) + w for w in (b"WEDDING", "Čaj".encode()))
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + b"\0" * (len(iptc) % 2)
    block = b"Photoshop 3.0\0" + resource
    buffer = io.BytesIO()
    exif = make_exif({0x9C9E: "wedding;Oma".encode("utf-16-le") + b"\0\0"})
    draw(1).save(buffer, "JPEG", exif=exif)
    data = buffer.getvalue()
    file = tmp_path / "a.jpg"
    file.write_bytes(data[:2] + b"\xff\xed" + struct.pack(">H", len(block) + 2) + block + data[2:])
    assert [word.lower() for word in read_metadata(file).keywords] == ["wedding", "čaj", "oma"]


def test_a_raw_file_built_like_a_tiff_is_read(tmp_path: Path) -> None:
    draw(1).save(tmp_path / "a.tif", exif=make_exif({0x0110: "D90"}, PARIS))
    (tmp_path / "a.tif").rename(tmp_path / "a.dng")
    assert read_metadata(tmp_path / "a.dng").latitude == pytest.approx(EIFFEL[0], abs=1e-6)
    (tmp_path / "b.cr3").write_bytes(b"\0\0\0\x18ftypcrx something else")
    metadata = read_metadata(tmp_path / "b.cr3")
    assert metadata.latitude is None and "this kind of RAW cannot be read" in metadata.remarks[0]


def test_files_that_are_no_photos_are_errors_and_damaged_metadata_is_a_remark(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no photo")
    (tmp_path / "empty.jpg").touch()
    for name in ("text.jpg", "empty.jpg"):
        with pytest.raises(PhotoError):
            read_metadata(tmp_path / name)
    draw(1).save(tmp_path / "odd.jpg", exif=b"Exif\0\0nonsense", xmp=b"<not xml")
    metadata = read_metadata(tmp_path / "odd.jpg")
    assert metadata.latitude is None and len(metadata.remarks) == 2


# --- position ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gps", "position"),
    [
        ({1: "S", 2: (33.0, 51.0, 24.48), 3: "W", 4: (70.0, 0.0, 0.0)}, (-33.8568, -70.0)),
        ({1: b"N\0", 2: (48.8584,), 3: "e", 4: (2.0, 17.67)}, EIFFEL),
        ({2: (-33.5, 0, 0), 4: (-70.25, 0, 0)}, (-33.5, -70.25)),  # its sign says what the reference does not
        ({1: "N", 2: (IFDRational(97717, 2000), 0, 0), 3: "E", 4: 2.2945}, (48.8585, 2.2945)),
    ],
)
def test_positions_are_read(gps: dict, position: tuple[float, float]) -> None:
    found, reason = parse_gps(gps)
    assert found == pytest.approx(position, abs=1e-6) and not reason


@pytest.mark.parametrize(
    ("gps", "reason"),
    [
        ({}, ""),
        ({0: b"\x02\x03\0\0"}, "has none"),
        ({7: (1.0, 2.0, 3.0), 29: "2023:12:31"}, ""),  # a receiver without a fix knows the time
        (PARIS | {9: "V"}, "no fix"),
        (PARIS | {1: None}, "without N or S"),
        (PARIS | {3: ""}, "without E or W"),
        (PARIS | {1: "E"}, "without N or S"),
        (PARIS | {2: (IFDRational(48, 0), 0, 0)}, "not degrees"),
        (PARIS | {2: (48, IFDRational(0, 0), 0)}, "not degrees"),
        (PARIS | {2: "48.8584"}, "not degrees"),
        (PARIS | {2: (48, 61, 0)}, "minutes or seconds out of range"),
        (PARIS | {2: (48, -51, 0)}, "minutes or seconds out of range"),
        (PARIS | {2: None}, "no latitude"),
        (PARIS | {2: (91.0, 0, 0)}, "out of range"),
        (PARIS | {4: (181.0, 0, 0)}, "out of range"),
        (PARIS | {2: (0, 0, 0), 4: (0, 0, 0)}, "0, 0"),
        (PARIS | {2: (1, 2, 3, 4)}, "not degrees"),
        (PARIS | {2: float("nan")}, "not degrees"),
    ],
)
def test_positions_that_cannot_be_trusted_are_left_out_with_a_reason(gps: dict, reason: str) -> None:
    position, message = parse_gps(gps)
    assert position is None and reason in message and bool(reason) == bool(message)
    assert parse_metadata(MetadataBlocks(gps=gps)).latitude is None


@pytest.mark.parametrize(
    ("gps", "position", "remark"),
    [
        (PARIS | {2: (48, 51, IFDRational(0, 0))}, (48.85, 2.2945), "latitude without seconds"),
        (PARIS | {4: (2, 17.67, IFDRational(0, 0))}, EIFFEL, "longitude without seconds"),
        (PARIS | {1: "S", 2: (-33, 51, 24)}, (-33.856667, 2.2945), "a minus sign and S; read as S"),
        (PARIS | {1: "N", 2: (-33, 51, 24)}, (-33.856667, 2.2945), "a minus sign and N; read as S"),
        (PARIS | {3: "W", 4: (-70, -30, 0)}, (48.8584, -70.5), "a minus sign and W; read as W"),
        (PARIS | {3: "W", 4: (0, -30, 0)}, (48.8584, -0.5), "a minus sign"),
        (PARIS | {3: "W", 4: (IFDRational(2**32 - 705, 10), 0, 0)}, (48.8584, -70.5), "a minus sign"),
    ],
)
def test_unusual_positions_are_kept_with_a_remark(gps: dict, position: tuple, remark: str) -> None:
    found = parse_metadata(MetadataBlocks(gps=gps))
    assert (found.latitude, found.longitude) == pytest.approx(position, abs=1e-4)
    assert found.remarks[0].startswith("position: ") and remark in found.remarks[0]


def test_large_unsigned_numbers_stay_positive() -> None:
    seconds = IFDRational(2_576_100_059, 50_000_000)
    assert parse_gps(PARIS | {2: (43, 51, seconds)})[0][0] == pytest.approx(43.864312, abs=1e-6)


@pytest.mark.parametrize(
    ("latitude", "longitude", "position"),
    [
        ("-33.8688", "151.2093", (-33.8688, 151.2093)),
        ("48.8584", "+2.2945", EIFFEL),
        ("33,52.5S", "151,12.5E", (-33.875, 151.208333)),
        ("33,52,30S", "151,12,30E", (-33.875, 151.208333)),
        ("33.875S", "70.5 w", (-33.875, -70.5)),
        ("48", "2", (48.0, 2.0)),
        ("91.5", "2.5", None),
        ("0.0", "0.0", None),
        ("48.8584", "east", None),
        ("48.8584E", "2.2945", None),
        ("1e3", "nan", None),
    ],
)
def test_positions_in_xmp(latitude: str, longitude: str, position: tuple[float, float] | None) -> None:
    found = parse_metadata(
        MetadataBlocks(xmp={"exif:GPSLatitude": [latitude], "exif:GPSLongitude": [longitude]})
    )
    assert (found.latitude, found.longitude) == (
        pytest.approx(position, abs=1e-6) if position else (None, None)
    )
    assert bool(found.remarks) == ("," not in latitude)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=8)
    | st.builds(IFDRational, st.integers(-(2**32), 2**32), st.integers(0, 3))
    | st.sampled_from(["N", "S", "E", "W", b"N\0"]),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner, inner),
    max_leaves=6,
)
# Most blocks have the shape of a position, with one thing or another wrong; else hardly any would be one.
NUMBERS = st.integers(-5, 200).map(float) | st.builds(
    IFDRational, st.integers(-99, 40_000), st.integers(0, 99)
)
ANGLES = st.tuples(NUMBERS, st.floats(-1, 61), st.floats(-1, 61)) | st.tuples(st.floats(-200, 200))
DATES = st.sampled_from(["2023:12:31", "2023:06:15 12:30:01.98765", "1822:01:01 00:00:00"])
CLOCKS = st.tuples(*[st.floats(-1, 61)] * 3)
SHAPED = st.fixed_dictionaries(
    {1: st.sampled_from(["N", "S"]), 2: ANGLES, 3: st.sampled_from(["E", "W"]), 4: ANGLES},
    optional={7: CLOCKS, 29: DATES, 9: st.sampled_from("AV"), 0: VALUES},
)
ODD = st.dictionaries(st.sampled_from([0, 1, 2, 3, 4, 5, 7, 29, 99]), VALUES | DATES | CLOCKS, max_size=8)


@settings(max_examples=300, deadline=None)
@given(
    gps=SHAPED | SHAPED | ODD,
    other=st.dictionaries(st.sampled_from([0x9003, 0x9291, 0x9011, 0x4746, 0x010F]), VALUES | DATES),
)
def test_no_gps_block_whatever_stands_in_it_makes_the_parser_stumble(gps: dict, other: dict) -> None:
    metadata = parse_metadata(MetadataBlocks(main=other, exif=other, gps=gps))
    assert (metadata.latitude is None) == (metadata.longitude is None)
    if metadata.latitude is not None:
        assert -90 <= metadata.latitude <= 90 and -180 <= metadata.longitude <= 180
    assert metadata.rating in (None, 0, 1, 2, 3, 4, 5)
    assert len(MetadataProcessor().process([1], [metadata]).rows["geo"]) == 1  # and the table takes it


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80), st.binary(max_size=60))
def test_no_bytes_in_place_of_metadata_make_the_reader_stumble(exif: bytes, xmp: bytes) -> None:
    image = draw(1, (16, 8))
    image.format = "JPEG"
    image.info = {"exif": b"Exif\0\0II*\0\x08\0\0\0" + exif, "xmp": xmp}
    metadata = parse_metadata(read_blocks(image, Path("never read")))
    assert metadata.latitude is None or abs(metadata.latitude) <= 90


# --- time --------------------------------------------------------------------------------------------------


def test_the_first_time_that_can_be_trusted_counts() -> None:
    digitized, changed = {0x9004: "2011:02:03 04:05:06"}, {0x0132: "2012:01:01 10:00:00"}
    assert read_time("2010:01:02 03:04:05", exif=digitized, main=changed).taken_at == datetime(
        2010, 1, 2, 3, 4, 5
    )
    assert read_time("0000:00:00 00:00:00", exif=digitized).taken_at == datetime(2011, 2, 3, 4, 5, 6)
    assert read_time("    :  :     :  :  ", main=changed).taken_at == datetime(2012, 1, 1, 10)
    metadata = read_time("2010:13:02 03:04:05", main=changed)
    assert metadata.taken_at == datetime(2012, 1, 1, 10) and "2010:13:02" in metadata.remarks[0]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "1700:01:01 00:00:00",
            "2010:01:01 25:00:01",
            "2010:01:01 24:60:00",
            "yesterday",
            "2010:02:30 01:01:01",
            5,
            None,
            b"\xff\xfe",
        ),
        # in the future; a whole year, so that two processes collect the same test
        f"{datetime.now(UTC) + timedelta(days=400):%Y:01:01} 00:00:00",
    ],
)
def test_times_that_cannot_be_are_left_out(text: Any) -> None:
    assert read_time(text).taken_at is None


@pytest.mark.parametrize(
    "text", ["2010:01:02 03:04:05\0junk", "2010-01-02T03:04:05", " 2010/01/02 03:04:05 "]
)
def test_times_are_read_as_programs_write_them(text: str) -> None:
    assert read_time(text).taken_at == datetime(2010, 1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2016:12:31 23:59:60", datetime(2017, 1, 1)),
        ("2010:01:02 24:00:00", datetime(2010, 1, 2)),
        ("2019:01:01 24:04:20", datetime(2019, 1, 1, 0, 4, 20)),
        ("2000:01:01 00:00:01", datetime(2000, 1, 1, 0, 0, 1)),
    ],
)
def test_leap_seconds_and_hour_24(text: str, moment: datetime) -> None:
    assert read_time(text).taken_at == moment


def test_times_are_found_wherever_programs_keep_them() -> None:
    assert parse_metadata(MetadataBlocks(main={0x9003: "2010:01:02 03:04:05"})).taken_at == datetime(
        2010, 1, 2, 3, 4, 5
    )
    xmp = {"exif:DateTimeDigitized": ["2011-02-03T04:05:06"]}
    late = {0x0132: "2012:01:01 10:00:00"}
    assert parse_metadata(MetadataBlocks(xmp=xmp, main=late)).taken_at == datetime(2011, 2, 3, 4, 5, 6)


def test_an_offset_never_moves_the_wall_clock_and_fractions_are_kept() -> None:
    metadata = read_time("2010:01:02 03:04:05", exif={0x9011: "-03:30", 0x9291: "7 "})
    assert metadata.taken_at == datetime(2010, 1, 2, 3, 4, 5, 700_000) and metadata.utc_offset == -210
    assert read_time("2010:01:02 03:04:05", exif={0x9011: "+99:00", 0x9291: "x"}).utc_offset is None


def test_the_gps_stamp_becomes_local_time() -> None:
    stamp = {7: (22.0, 30.0, 15.5), 29: "2023:12:31"}
    tokyo = {1: "N", 2: (35.0, 41.0, 0.0), 3: "E", 4: (139.0, 41.0, 0.0)}
    assert parse_metadata(MetadataBlocks(gps=stamp)).taken_at == datetime(2023, 12, 31, 22, 30, 15, 500_000)
    by_sun = parse_metadata(MetadataBlocks(gps=stamp | tokyo))
    assert by_sun.taken_at == datetime(2024, 1, 1, 7, 30, 15, 500_000) and "longitude" in by_sun.remarks[0]
    noted = parse_metadata(MetadataBlocks(gps=stamp | tokyo, exif={0x9010: "+01:00"}))
    assert noted.taken_at == datetime(2023, 12, 31, 23, 30, 15, 500_000) and noted.utc_offset == 60
    for clock in ((25.0, 59.0, 0.0), (30.0, 0.0, 0.0), (60, 60, 60), (23.0, 60.0, 0.0), (1.0, 1.0, 61.0)):
        assert parse_metadata(MetadataBlocks(gps={7: clock, 29: "2023:12:31"})).taken_at is None
