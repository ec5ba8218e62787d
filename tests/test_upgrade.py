"""Collections of an earlier version: they answer until step 05 builds them again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from conftest import ROOT, BuiltAlbum, Done, World, run_here

from imagesearch import open_library
from imagesearch.config import load_config
from imagesearch.errors import UserError
from imagesearch.filters import And, Contains, Eq, Not, Or
from imagesearch.pipeline import Dataset
from imagesearch.store import Store, build, collections, records, schema
from imagesearch.store.dialect import LITE
from imagesearch.store.schema import ScalarField

# The fields of photos in the collections of the version of 28 November 2026. They are written out, although
# today's schema begins with them, because these collections exist and today's schema can change.
EARLIER_FIELDS = (
    ScalarField("path", "VARCHAR", "", 4096, filtered=True),
    ScalarField("face_labels", "LIST", [], 8192, filtered=True),
    ScalarField("face_count", "INT32", -1, filtered=True),
    ScalarField("city", "VARCHAR", "", 512, filtered=True),
    ScalarField("county", "VARCHAR", "", 512),
    ScalarField("state", "VARCHAR", "", 512, filtered=True),
    ScalarField("country", "VARCHAR", "", 512, filtered=True),
    ScalarField("address", "VARCHAR", "", 4096),
    ScalarField("place_words", "LIST", [], 4096, filtered=True),
    ScalarField("has_gps", "BOOL", False),
    ScalarField("latitude", "DOUBLE", 0.0, filtered=True),
    ScalarField("longitude", "DOUBLE", 0.0, filtered=True),
    ScalarField("has_time", "BOOL", False),
    ScalarField("taken_at", "INT64", 0, filtered=True),
    ScalarField("year", "INT32", 0, filtered=True),
    ScalarField("month", "INT32", 0),
    ScalarField("day", "INT32", 0),
    ScalarField("weekday", "INT32", -1),
    ScalarField("camera", "VARCHAR", "", 512),
    ScalarField("rating", "INT32", -1),
    ScalarField("keywords", "LIST", [], 8192),
    ScalarField("class_label", "VARCHAR", "", 512, filtered=True),
    ScalarField("class_score", "FLOAT", 0.0),
    ScalarField("width", "INT32", 0),
    ScalarField("height", "INT32", 0),
)
EARLIER_CLIP_FIELDS = (*EARLIER_FIELDS, ScalarField("words", "WORDS", "", 16_384))
EARLIER_DIGESTS = {"clip": "45b370adc814", "vit": "686778bdd836", "faces": "f22b5f136e93"}
NOTE = "was built by an earlier version of this program; run 05_build_collections.py to add the new fields"


def interrupt(*args: object, **options: object) -> None:
    raise KeyboardInterrupt


def create_as_before(self: collections.Collections, target: schema.CollectionSpec, name: str) -> None:
    """Create a collection with the properties of the earlier version."""
    properties = asdict(target.ref) | {
        "model": target.model,
        "fingerprint": target.fingerprint,
        "dimension": target.dimension,
        "index": asdict(target.index),
        "layout": EARLIER_DIGESTS[target.ref.kind],
    }
    self.client.create_collection(
        name,
        schema=self._make_schema(target),
        index_params=self._make_indexes(target),
        consistency_level="Strong",
        properties={"imagesearch.spec": json.dumps(properties), "imagesearch.state": "updating"},
    )


def build_as_before(run: Callable[[], object], *, words: bool = True) -> None:
    """Run a build that creates the collections of the earlier version."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(schema.FIELDS, "clip", EARLIER_CLIP_FIELDS if words else EARLIER_FIELDS)
        patch.setitem(schema.FIELDS, "vit", EARLIER_FIELDS)
        patch.setattr(collections.Collections, "create", create_as_before)
        patch.setattr(records, "update_indexed_times", lambda *_: {})
        run()


@pytest.fixture
def upgraded(world: World) -> World:
    """A world with collections of the earlier version."""
    for seed in range(6):
        world.add(f"2023/{seed}.png", seed)
    world.run("01_extract_features.py")
    build_as_before(lambda: world.run("05_build_collections.py"))
    return world


def answer(world: World, *args: str | Path) -> tuple[dict, str]:
    done = world.run("06_search.py", *args, "--json", "--no-show")
    return json.loads(done.stdout), done.stderr


QUERIES = (
    ("a boat", "-k", "3"),
    ("a boat", "--strategy", "hybrid"),
    ("--image", "photos/2023/3.png", "--by", "vit", "--under", "2023"),
    ("--faces", "0"),
    ("boat", "--collapse", "--year", "2023"),
)


def test_a_collection_of_an_earlier_version_answers_until_05_is_run(upgraded: World) -> None:
    before = [answer(upgraded, *query) for query in QUERIES]
    for found, stderr in before:
        (note,) = [note for note in found["notes"] if "version" in note]
        assert note in (f"album_clip {NOTE}", f"album_vit {NOTE}") and stderr.count(NOTE) == 1
        assert all(result.pop("indexed_at") == "" for result in found["results"])
        found["notes"].remove(note)
    built = upgraded.run("05_build_collections.py").stdout
    assert built.count("(rebuilt: different fields)") == 2
    for query, (found, _) in zip(QUERIES, before, strict=True):
        again, stderr = answer(upgraded, *query)
        assert NOTE not in stderr
        assert all(result.pop("indexed_at").endswith("Z") for result in again["results"])
        assert again == found and (found["results"] or "--year" in query or "--faces" in query)
    assert "rebuilt" not in upgraded.run("05_build_collections.py").stdout


def test_the_note_is_shown_once_in_a_run(upgraded: World) -> None:
    done = upgraded.run("06_search.py", "--no-show", stdin="a boat\nsnow\n2023\n\n")
    assert done.stderr.count(NOTE) == 1 and done.stdout.count("6 photos") >= 2
    with open_library(upgraded.config()) as library:
        notes = [library.search("boat").notes for _ in range(2)]
    assert notes == [(f"album_clip {NOTE}",), ()]


def test_a_search_that_uses_a_field_it_lacks_is_refused_in_one_line(world: World) -> None:
    world.add("a.png", 1)
    world.run("01_extract_features.py")
    build_as_before(lambda: world.run("05_build_collections.py"), words=False)
    done = world.run("06_search.py", "boat", "--strategy", "hybrid", "--no-show", code=2)
    assert done.stderr.splitlines()[-1].endswith(
        "milvus.db: album_clip has no field words_bm25; it was built by an earlier version: "
        "run 05_build_collections.py"
    )
    with open_library(world.config()) as library:
        for where in (Eq("hour", 3), Not(Or((Contains("name_words", "a"), Eq("year", 1))))):
            with pytest.raises(
                UserError, match=r"album_clip has no field (hour|name_words); it was built by"
            ):
                library.search(where=where)
    world.run("05_build_collections.py")
    with open_library(world.config()) as library:
        assert len(library.search(where=And((Contains("name_words", "a"), Eq("hour", -1)))).results) == 1
        with pytest.raises(UserError, match=r"album_clip has no field hours$"):
            library.search(where=Eq("hours", 3))


def test_the_earlier_collections_answer_while_05_fills_the_new_ones(
    upgraded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = upgraded.config()
    with Store(config.milvus) as store, monkeypatch.context() as patch:
        patch.setattr(collections.Collections, "publish", interrupt)
        with pytest.raises(KeyboardInterrupt):
            build.build_collections(config, Dataset(config), store)
    found, _ = answer(upgraded, "a boat")
    assert len(found["results"]) == 6 and any(NOTE in note for note in found["notes"])
    assert upgraded.run("05_build_collections.py").stdout.count("(rebuilt: different fields)") == 2
    assert answer(upgraded, "a boat")[0]["notes"] == []


def test_a_collection_with_fields_of_other_types_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add("a.png", 1)
    world.run("01_extract_features.py")
    with monkeypatch.context() as patch:
        arrays = replace(LITE, lists_are_arrays=True)
        patch.setattr(collections, "choose_dialect", lambda *_: arrays)
        world.run("05_build_collections.py")
    assert "built by another version of this program" in world.run("06_search.py", "boat", code=2).stderr
    assert "(rebuilt: different fields)" in world.run("05_build_collections.py").stdout
    assert answer(world, "boat")[0]["notes"] == []


@pytest.fixture
def earlier_album(built_album: BuiltAlbum, tmp_path: Path) -> Path:
    """The folder of a copy of the session's album with collections of the earlier version."""
    shutil.copytree(built_album.folder / "processed", tmp_path / "processed")
    for name in ("config.yaml", "album.truth.json"):
        shutil.copy(built_album.folder / name, tmp_path)
    config = load_config(tmp_path / "config.yaml")
    with Store(config.milvus) as store:
        build_as_before(lambda: build.build_collections(config, Dataset(config), store))
    return tmp_path


def run(folder: Path, script: str, *args: str, code: int = 0) -> Done:
    done = run_here([str(ROOT / "scripts" / script), "-c", "config.yaml", *args], folder)
    assert done.returncode == code, done.stderr
    return done


def test_a_field_that_an_earlier_version_lacks_is_named(earlier_album: Path) -> None:
    found = run(earlier_album, "06_search.py", "a person in the evening", code=2).stderr
    assert "album_clip has no field hour" in found and "run 05_build_collections.py" in found
    refused = run(earlier_album, "08_evaluate.py", "--truth", "album.truth.json", "--no-show", code=2).stderr
    assert "run 05_build_collections.py" in refused  # some of its sentences mean the clock


def test_step_08_works_with_collections_of_an_earlier_version(earlier_album: Path) -> None:
    report = json.loads(run(earlier_album, "08_evaluate.py", "--self", "--json", "--no-show").stdout)
    assert report["clip"]["photos"] == report["vit"]["photos"] == 64
    assert report["clip"]["hits@1"] == report["vit"]["hits@1"] == 1
    found = json.loads(run(earlier_album, "06_search.py", "a person", "--json", "--no-show").stdout)
    assert any(NOTE in note for note in found["notes"])


def test_step_03_rebuilds_collections_of_an_earlier_version(earlier_album: Path) -> None:
    people = json.loads(run(earlier_album, "03_name_people.py", "--json").stdout)["people"]
    done = run(earlier_album, "03_name_people.py", "--name", f"{people[0]['name']}=Someone New", "--no-show")
    assert done.stderr.count("(rebuilt: different fields)") == 3
    found = json.loads(run(earlier_album, "06_search.py", "someone new", "--json", "--no-show").stdout)
    assert found["people"] and found["results"] and found["notes"] == []


def test_figures_of_step_05_work_after_an_upgrade(earlier_album: Path) -> None:
    options = ("--map", "map.png", "--timeline", "time.png", "--no-show")
    assert (
        run(earlier_album, "05_build_collections.py", *options).stdout.count("(rebuilt: different fields)")
        == 3
    )
    assert (earlier_album / "map.png").is_file() and (earlier_album / "time.png").is_file()
