"""The fields of photos in collections: words of file names, other values, and the time of indexing."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from albums import make_people
from conftest import BuiltAlbum, World
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image
from test_store import ALBUM, rows, settings, spec, update, vectors

from imagesearch.config import load_config
from imagesearch.filters import (
    And,
    Between,
    Contains,
    Eq,
    In,
    Not,
    Or,
    PathPrefix,
    is_valid_element,
    list_fields,
)
from imagesearch.geo import PhotoLocation
from imagesearch.photos import PhotoMetadata
from imagesearch.store import (
    PHOTO_FIELDS,
    CollectionRef,
    Store,
    collections,
    indexed_times,
    records,
    schema,
)
from imagesearch.store.file_names import split_file_name
from imagesearch.store.records import get_location_fields
from imagesearch.store.schema import join_list
from imagesearch.text import normalize


def read_photos(config, *fields: str, kind: str = "clip") -> dict[str, dict]:
    """Return fields of all photos in a collection, by path."""
    with Store(config.milvus) as store:
        hits = store.read_all_rows(CollectionRef(config.dataset.name, kind), ("path", *fields))
        return {hit.fields["path"]: hit.fields for hit in hits}


# --- words of file names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("IMG_0042-beach sunset.jpg", ["img", "0042", "beach", "sunset"]),
        ("DSC00012.JPG", ["dsc", "00012"]),
        ("IMG-20230412-WA0003.jpeg", ["img", "20230412", "wa", "0003"]),
        ("PXL_20230412_101500123.MP.jpg", ["pxl", "20230412", "101500123", "mp"]),
        ("20230412T101500.heic", ["20230412", "t", "101500"]),
        ("2023.04.12 Goa (beach), Maya's 20th birthday.jpg",
         ["2023", "04", "12", "goa", "beach", "mayas", "20th", "birthday"]),
        ("1st_2nd-3rd 11th 112th 1street.png", ["1st", "2nd", "3rd", "11th", "112th", "1", "street"]),
        ("Zoë+Øyvind & Čapek.tif", ["zoe", "oyvind", "capek"]),
        ("गोवा की शाम 2.jpg", ["गोवा", "की", "शाम", "2"]),
        ("東京2023年.jpg", ["東京", "2023", "年"]),
        ("a a A.jpg", ["a"]),
        ("3f2504e0-4f89-9a0c03053e82.jpg", ["3f2504e0", "4", "f", "89", "9a0c03053e82"]),
        ("100%_a|b\\c.jpg", ["100", "a", "b", "c"]),
        ("🎂.jpg", []),
    ],
)  # fmt: skip
def test_a_file_name_is_split_into_words(name: str, words: list[str]) -> None:
    assert split_file_name(name) == words


@given(
    st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=255)
    | st.text("a1é٣Ⅷ² _%|", max_size=255)
)
@example("ﷺ" * 255)
@example("東" * 255)
@example(" ".join(map(str, range(1000))))
def test_the_words_of_every_file_name_can_be_stored(name: str) -> None:
    words = schema.fit_list(split_file_name(f"{name}.jpg"), "name_words")
    assert all(
        is_valid_element(word) and normalize(word) == word and len(word.encode()) <= 512 for word in words
    )
    assert len(set(words)) == len(words) <= 1024 and len(join_list(words).encode()) <= 2048
    assert not any(unicodedata.category(c)[0] in "PSZC" for word in words for c in word)


@given(st.text(st.characters(categories=["L", "Nd", "Zs"]), max_size=60))
def test_the_words_of_words_are_the_same(name: str) -> None:
    words = split_file_name(f"{name}.jpg")
    # ".jpg" has no extension, it is the name of a hidden file
    assert not words or split_file_name(f"{' '.join(words)}.jpg") == words


# --- values of the fields ----------------------------------------------------------------------------------


def test_fields_are_filled_from_the_tables(built_album: BuiltAlbum) -> None:
    config = load_config(built_album.config_file)
    names = [item.name for item in PHOTO_FIELDS]
    photos, others = (read_photos(config, *names[1:], kind=kind) for kind in ("clip", "vit"))
    assert photos == others and len(photos) == 64
    for path, fields in photos.items():
        assert set(fields) == set(names) and None not in fields.values()
        name = path.rpartition("/")[2]
        assert fields["file_name"] == name and fields["name_words"] == split_file_name(name) != []
        with Image.open(built_album.folder / "album" / path) as image:
            sides = image.size if image.getexif().get(0x0112, 1) < 5 else image.size[::-1]
        assert fields["aspect"] == pytest.approx(sides[0] / sides[1], abs=1e-6)
        taken = datetime(1970, 1, 1) + timedelta(seconds=fields["taken_at"])
        known = (taken.hour, taken.weekday()) if fields["has_time"] else (-1, -1)
        assert (fields["hour"], fields["weekday"]) == known
        named = [label for label in fields["face_labels"] if not label.startswith("person ")]
        assert fields["people_count_known"] == len(named)
        assert abs(datetime.now(UTC).timestamp() - fields["indexed_at"]) < 24 * 3600
        dated = ["exif", "second"] if fields["has_time"] else ["", ""]
        assert [fields["time_source"], fields["time_precision"]] == dated
        assert fields["trip"].endswith(str(taken.year)) or not fields["trip"]
        unused = ("description", *(f"extra_{i}" for i in range(1, 9)))
        assert [fields[name] for name in unused] == [""] * len(unused) and fields["region_words"] == []
    known = [fields["people_count_known"] for fields in photos.values()]
    assert min(known) == 0 and max(known) >= 2
    assert len({fields["hour"] for fields in photos.values()}) > 5
    assert any(fields["aspect"] < 1 for fields in photos.values()), "a photo that must be turned upright"


def test_midnight_is_a_date_without_an_hour() -> None:
    def fields_at(*time: int) -> dict:
        return get_location_fields(PhotoLocation(PhotoMetadata(taken_at=datetime(2023, 4, 12, *time))))

    assert "hour" not in fields_at() and fields_at()["weekday"] == 2
    assert fields_at(0, 0, 1)["hour"] == 0 and fields_at(23, 59)["hour"] == 23


def test_a_photo_without_face_detection_has_no_number_of_people(world: World) -> None:
    world.add("a.png", 1)
    world.run("01_extract_features.py")
    world.run("05_build_collections.py")
    (fields,) = read_photos(world.config(), "people_count_known", "hour", "aspect").values()
    assert (fields["people_count_known"], fields["hour"], fields["aspect"]) == (-1, -1, 1.5)


def test_people_with_a_name_are_counted() -> None:
    (people,) = records._count_people(make_people(["a.jpg"], 3)).values()
    fields = records._make_photo_fields(None, people, None, None, None, None, None)
    assert fields["face_labels"] == ["Maya", "Zoë", "person 3"]
    assert (fields["face_count"], fields["people_count_known"]) == (3, 2)


def test_a_label_is_a_name_unless_it_is_a_number() -> None:
    assert [records.is_name(label) for label in ("Maya", "person 12", "person of interest", "Person")] == [
        True, False, True, True,
    ]  # fmt: skip


def test_collections_have_at_most_the_64_fields_that_milvus_allows() -> None:
    own = ("photo_id", "digest", "embedding", schema.WORDS_INDEX)
    names = [*own, *(item.name for item in schema.FIELDS["clip"])]
    assert len(set(names)) == len(names) <= 64
    assert all(item.unknown is not None for fields in schema.FIELDS.values() for item in fields)


def test_the_fields_of_a_condition_are_found_at_any_depth() -> None:
    inner = Or((Eq("hour", 3), Not(And((Contains("name_words", "a"), Between("aspect", 1.0))))))
    assert list_fields(And((inner, In("trip", ("x",)), PathPrefix("a")))) == {
        "hour", "name_words", "aspect", "trip", "path",
    }  # fmt: skip
    assert list_fields(And((PathPrefix(""), Or(())))) == set()


# --- columns of the user's lists ---------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(settings(tmp_path)) as opened:
        yield opened


def test_the_fields_of_a_users_columns_are_stored_with_the_collection(store: Store) -> None:
    fields = tuple(item for item in PHOTO_FIELDS if item.name in ("path", "extra_1", "extra_2"))
    data = rows(vectors(3))
    table = data.scalars.select(["photo_id", "path"])
    for name in ("extra_1", "extra_2"):
        table = table.append_column(name, [[f"{name} {i}" for i in range(3)]])
    data = replace(data, scalars=table)
    mapped = spec(fields=fields, extra={"Event (café)": "extra_1", "from": "extra_2"})
    update(store, mapped, data)
    found = store.collections.find(ALBUM)
    assert found.extra == mapped.extra == found.to_dict()["extra"]
    (hit,) = store.search(
        ALBUM, data.vectors[0], 9, where=Eq(found.extra["Event (café)"], "extra_1 2"), fields=["path"]
    )
    assert hit.fields["path"] == "00002.jpg"
    assert update(store, mapped, data).rebuilt == ""
    assert update(store, spec(fields=fields, extra={"from": "extra_1"}), data).rebuilt == "different columns"
    assert store.collections.find(ALBUM).extra == {"from": "extra_1"}


# --- when a photo was first indexed ------------------------------------------------------------------------


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def set_clock(seconds: int) -> None:
        monkeypatch.setattr(indexed_times, "time", SimpleNamespace(time=lambda: seconds + 0.5))

    return set_clock


def build_counts(world: World, *args: str) -> dict[str, tuple[int, int, int]]:
    reports = json.loads(world.run("05_build_collections.py", "--json", *args).stdout)
    return {kind: (r["inserted"], r["updated"], r["deleted"]) for kind, r in reports.items()}


def read_times(world: World, *assignments: str, kind: str = "clip") -> dict[str, int]:
    photos = read_photos(world.config(*assignments), "indexed_at", kind=kind)
    return {path: fields["indexed_at"] for path, fields in sorted(photos.items())}


def test_the_time_of_indexing_survives_everything_but_the_photo(
    world: World, set_clock: Callable[[int], None]
) -> None:
    for seed in range(3):
        world.add(f"{seed}.png", seed)
    world.run("01_extract_features.py")
    set_clock(1000)
    build_counts(world)
    assert read_times(world) == read_times(world, kind="vit") == {"0.png": 1000, "1.png": 1000, "2.png": 1000}

    set_clock(2000)
    assert build_counts(world) == {"clip": (0, 0, 0), "vit": (0, 0, 0)}, "unchanged photos change no row"
    build_counts(world, "--rebuild")
    build_counts(world, "--set", "milvus.uri=other.db")
    assert set(read_times(world).values()) == set(read_times(world, "milvus.uri=other.db").values()) == {1000}

    (world.photos / "0.png").rename(world.photos / "moved.png")
    (world.photos / "1.png").unlink()
    (world.photos / "copy.png").write_bytes((world.photos / "2.png").read_bytes())
    world.add("2.png", 7)  # changed in place
    world.run("01_extract_features.py")
    assert build_counts(world)["clip"] == (1, 1, 1)
    assert read_times(world) == {"2.png": 1000, "copy.png": 2000, "moved.png": 1000}

    set_clock(3000)
    world.add("1.png", 1)  # comes back
    world.run("01_extract_features.py")
    assert build_counts(world)["clip"] == (1, 0, 0)
    assert read_times(world) == {"1.png": 1000, "2.png": 1000, "copy.png": 2000, "moved.png": 1000}
    rows = pq.read_table(world.folder / "processed" / "album" / "indexed.parquet")["photo_id"]
    assert (len(rows), rows.null_count) == (5, 1), "the content that 2.png had can come back"


def test_a_photo_that_another_model_has_not_extracted_yet_keeps_its_time(
    world: World, set_clock: Callable[[int], None]
) -> None:
    for seed in range(2):
        world.add(f"{seed}.png", seed)
    world.run("01_extract_features.py", "--only", "clip")
    set_clock(1000)
    build_counts(world)
    broken = (world.photos / "1.png").read_bytes()[:50]
    content = (world.photos / "1.png").read_bytes()
    (world.photos / "1.png").write_bytes(broken)
    world.run("01_extract_features.py", "--only", "clip")
    set_clock(2000)
    build_counts(world)
    assert read_times(world) == {"0.png": 1000}
    (world.photos / "1.png").write_bytes(content)
    world.run("01_extract_features.py", "--only", "clip")
    build_counts(world)
    assert read_times(world) == {"0.png": 1000, "1.png": 1000}


def test_a_killed_build_leaves_times_that_the_next_one_uses(
    world: World, set_clock: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(3):
        world.add(f"{seed}.png", seed)
    world.run("01_extract_features.py")
    file = world.folder / "processed" / "album" / "indexed.parquet"
    with monkeypatch.context() as patch:  # killed while the file is written
        patch.setattr(indexed_times.pq, "write_table", interrupt)
        world.run("05_build_collections.py", code=130)
    assert not file.exists()
    set_clock(1000)
    with monkeypatch.context() as patch:  # killed after a collection is complete
        patch.setattr(collections.Collections, "publish", interrupt)
        world.run("05_build_collections.py", code=130)
    set_clock(2000)
    assert build_counts(world)["clip"] == (0, 0, 0)  # the interrupted build is completed
    assert set(read_times(world).values()) == {1000}
    set_clock(3000)
    assert build_counts(world)["clip"] == (0, 0, 0)


def interrupt(*args: object, **options: object) -> None:
    raise KeyboardInterrupt


def test_a_damaged_file_of_times_is_one_line(world: World) -> None:
    world.add("a.png", 1)
    world.run("01_extract_features.py")
    file = world.folder / "processed" / "album" / "indexed.parquet"
    file.write_text("not a table")
    done = world.run("05_build_collections.py", code=2)
    assert f"{file}: cannot be read" in done.stderr.splitlines()[-1]
    file.unlink()
    world.run("05_build_collections.py")
