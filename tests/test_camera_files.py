"""Files as cameras, scanners and messengers write them: from the file to the answer of a search."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from conftest import World, draw
from PIL import Image, PngImagePlugin
from PIL.TiffImagePlugin import IFDRational

from imagesearch.geo import extract_geo, read_locations
from imagesearch.photos import PhotoMetadata, add_name_date, read_metadata
from imagesearch.pipeline import Dataset
from imagesearch.query import Criteria
from imagesearch.search import Query, Searcher
from imagesearch.store import Store


def save(
    file: Path,
    main: dict[int, Any] | None = None,
    exif: dict[int, Any] | None = None,
    gps: dict[int, Any] | None = None,
    iptc: dict[int, bytes] | None = None,
    **options: Any,
) -> Path:
    """Save a JPEG with values of EXIF by tag, and of IPTC by dataset."""
    block = Image.Exif()
    block.update(main or {})
    block[0x8769], block[0x8825] = exif or {}, gps or {}
    stream = io.BytesIO()
    draw(len(file.name), (64, 48)).save(
        stream, "JPEG", **({"exif": block} if main or exif or gps else {}), **options
    )
    data = stream.getvalue()
    if iptc:
        sets = b"".join(b"\x1c\x02" + struct.pack(">BH", n, len(text)) + text for n, text in iptc.items())
        resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(sets)) + sets + bytes(len(sets) % 2)
        segment = b"Photoshop 3.0\0" + resource
        data = data[:2] + b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment + data[2:]
    file.write_bytes(data)
    return file


def read(file: Path) -> PhotoMetadata:
    return add_name_date(read_metadata(file), file.name)


# --- what other writers do, one file for each -------------------------------------------------------------


def test_iptc_with_an_unknown_day(tmp_path: Path) -> None:
    found = read(save(tmp_path / "a.jpg", iptc={55: b"19740800", 120: "Großmutter am See".encode()}))
    assert (found.taken_at, found.time_precision) == (datetime(1974, 8, 1), "month")
    assert found.description == "Großmutter am See"


def test_blanks_of_the_exif_standard(tmp_path: Path) -> None:
    found = read(save(tmp_path / "a.jpg", exif={0x9003: "1974:08:      :  :  "}))
    assert (found.taken_at, found.time_precision) == (datetime(1974, 8, 1), "month")


def test_the_default_of_a_phones_camera_software(tmp_path: Path) -> None:
    main = {0x010F: "LGE", 0x0110: "Nexus 5", 0x0132: "2013:08:26 23:46:41"}
    found = read(save(tmp_path / "a.jpg", main, {0x9004: "2002:12:08 12:00:00", 0x829A: 0.01}))
    assert found.taken_at == datetime(2013, 8, 26, 23, 46, 41)


def test_date_and_time_of_a_press_photo(tmp_path: Path) -> None:
    found = read(save(tmp_path / "a.jpg", iptc={55: b"20151007", 60: b"074507+0200", 105: b"Finish line"}))
    assert (found.taken_at, found.utc_offset) == (datetime(2015, 10, 7, 7, 45, 7), 120)
    assert (found.time_source, found.description) == ("iptc", "Finish line")


def test_a_comment_in_utf_16_beside_the_makers_word(tmp_path: Path) -> None:
    comment = b"UNICODE\0" + "Oma im Garten".encode("utf-16-le")
    found = read(save(tmp_path / "a.jpg", {0x010E: "oznor", 0x010F: "HUAWEI"}, {0x9286: comment}))
    assert found.description == "Oma im Garten"


def test_the_text_of_a_png(tmp_path: Path) -> None:
    for compressed in (False, True):
        info = PngImagePlugin.PngInfo()
        info.add_text("Title", "Wedding of Ida", zip=compressed)
        info.add_itxt("Description", "Großmutter lacht", zip=compressed)
        info.add_text("Software", "gnome-screenshot")
        draw(1).save(tmp_path / "a.png", pnginfo=info)
        assert read(tmp_path / "a.png").description == "Wedding of Ida; Großmutter lacht"


def test_a_negative_angle_in_an_unsigned_number(tmp_path: Path) -> None:
    south = (IFDRational(2**32 - 33), IFDRational(51), IFDRational(24))
    found = read(save(tmp_path / "a.jpg", gps={1: "S", 2: south, 3: "E", 4: (151.0, 12.0, 30.0)}))
    assert (found.latitude, found.longitude) == pytest.approx((-33.856667, 151.208333))
    assert "minus sign" in found.remarks[0]


# --- from the files to the answers -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory, tiny_models: dict[str, Path]) -> World:
    world = World(tmp_path_factory.mktemp("cameras"), tiny_models)
    photos = world.photos
    save(photos / "year.jpg", exif={0x9003: "1974:00:00 00:00:00"})
    save(photos / "scanner.jpg", {0x010F: "EPSON"}, {0x9003: "1980:01:01 00:00:00"})
    save(photos / "month.jpg", exif={0x9003: "1974:08"})
    save(photos / "day.jpg", exif={0x9003: "1974:08:12 00:00:00"})
    save(
        photos / "time.jpg",
        {0x9C9B: "Großmutter erzählt".encode("utf-16-le")},
        {0x9003: "1974:08:12 10:15:00"},
    )
    save(photos / "IMG-20220528-WA0004.jpg")
    save(photos / "20220529_101112.jpg", {0x010E: "OLYMPUS DIGITAL CAMERA"})
    save(photos / "IMG_2022.jpg")
    world.run("01_extract_features.py", "--only", "clip")
    done = world.run("04_extract_geo.py", "-v")
    assert "7 with a time (2 from file names)" in done.stdout
    assert "remark: IMG-20220528-WA0004.jpg: time from the file name" in done.stderr
    world.run("05_build_collections.py")
    return world


@pytest.fixture
def searcher(album: World) -> Iterator[Searcher]:
    config = album.config()
    with Store(config.milvus) as store:
        yield Searcher(config, Dataset(config), store)


def find(searcher: Searcher, text: str = "", **criteria: Any) -> list[str]:
    query = Query(text=text, criteria=Criteria(**criteria), top_k=20)
    answer = searcher.search(query)
    return [] if answer.relaxed else [result.path for result in answer.results]


def test_a_partial_date_is_found_by_what_is_known(searcher: Searcher) -> None:
    nineteen_74 = {"year.jpg", "month.jpg", "day.jpg", "time.jpg"}
    assert set(find(searcher, years=(1974,))) == set(find(searcher, "in 1974")) == nineteen_74
    assert set(find(searcher, "august 1974")) == nineteen_74 - {"year.jpg"}
    assert set(find(searcher, months=("august",))) == nineteen_74 - {"year.jpg"}
    assert find(searcher, months=("january",)) == []
    assert set(find(searcher, "on mondays")) == {"day.jpg", "time.jpg"}
    assert find(searcher, "in 1980") == ["scanner.jpg"]
    assert find(searcher, years=(1974,))[-1] == "year.jpg"  # the newest first


def test_dates_in_names_are_found(searcher: Searcher) -> None:
    assert find(searcher, "may 2022") == ["20220529_101112.jpg", "IMG-20220528-WA0004.jpg"]
    assert find(searcher, "on 28 may 2022") == ["IMG-20220528-WA0004.jpg"]


def test_source_precision_and_description_are_shown(album: World) -> None:
    found = json.loads(album.run("06_search.py", "--after", "1900", "--json", "--no-show").stdout)["results"]
    results = {result["path"]: result for result in found}
    shown = {path: (r["taken_at"], r["time_source"], r["time_precision"]) for path, r in results.items()}
    assert shown["year.jpg"] == ("1974-01-01T00:00:00", "exif", "year")
    assert shown["IMG-20220528-WA0004.jpg"] == ("2022-05-28T00:00:00", "name", "day")
    assert results["time.jpg"]["description"] == "Großmutter erzählt"
    assert results["20220529_101112.jpg"]["description"] == ""
    lines = album.run("06_search.py", "--after", "1900", "-v", "--no-show").stdout.splitlines()
    pairs = zip(lines[1:], [*lines[2:], ""], strict=True)
    after = {line.split()[2]: next_line.strip() for line, next_line in pairs if line.split()[0].isdecimal()}
    assert after["year.jpg"] == "only the year is known" and after["time.jpg"] == "Großmutter erzählt"
    assert after["IMG-20220528-WA0004.jpg"] == "date from the file name"
    dates = [line.split()[1] for line in lines[1:] if line.split()[0].isdecimal()]
    assert dates[-2:] == ["1974-08", "1974"]


def test_a_description_is_found_by_its_words(searcher: Searcher) -> None:
    answer = searcher.search(Query(text="grossmutter erzahlt", strategy="hybrid", top_k=1))
    assert [result.path for result in answer.results] == ["time.jpg"]


def test_dates_in_names_can_be_switched_off_without_reading_photos_again(album: World) -> None:
    config = album.config("geo.date_from_name=false")
    summary = extract_geo(config, Dataset(config))
    assert (summary.photos.new, summary.times, summary.times_from_names) == (0, 5, 0)
    config = album.config()
    summary = extract_geo(config, Dataset(config))
    assert (summary.photos.new, summary.times, summary.times_from_names) == (0, 7, 2)


def test_a_renamed_photo_has_the_date_of_its_new_name(world: World) -> None:
    save(world.photos / "IMG-20220528-WA0004.jpg")
    names = {"IMG-20220528-WA0004.jpg": 2022, "IMG-20230101-WA0001.jpg": 2023, "beach.jpg": None}
    for name, year in names.items():
        (file,) = world.photos.iterdir()
        file.rename(world.photos / name)
        config = world.config()
        dataset = Dataset(config)
        extract_geo(config, dataset)
        (location,) = read_locations(dataset).values()
        taken = location.metadata.taken_at
        assert (taken and taken.year) == year


def test_a_table_of_an_earlier_version_is_read_and_then_made_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(world.photos / "a.jpg", {0x010E: "Oma"}, {0x9003: "2011:08:12 10:15:00"})
    config = world.config()
    with monkeypatch.context() as patch:
        patch.setattr("imagesearch.geo.extract._FINGERPRINT", "metadata/2")
        extract_geo(config, Dataset(config))
    (rows,) = (config.dataset.folder / "geo").glob("rows-*.parquet")
    table = pq.read_table(rows)
    pq.write_table(table.drop_columns(["time_source", "time_precision", "description"]), rows)
    (location,) = read_locations(Dataset(config)).values()
    assert location.metadata.taken_at == datetime(2011, 8, 12, 10, 15) and location.metadata.description == ""
    assert extract_geo(config, Dataset(config)).photos.new == 1
    (location,) = read_locations(Dataset(config)).values()
    assert (location.metadata.description, location.metadata.time_source) == ("Oma", "exif")
