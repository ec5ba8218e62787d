"""The other columns of a list of photos: shown, filtered by, and searched by their words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import World, draw

from imagesearch import open_library
from imagesearch.errors import UserError
from imagesearch.query import Criteria
from imagesearch.store.list_columns import _name_columns

ROWS = [
    {"path": "a.png", "author": "Ana", "title": "Boats at dawn", "tags": ["sea", "Boat"], "city": "Porto"},
    {"path": "b.png", "author": "ÁNA", "title": 'The "old" 100% mill', "tags": ["river"], "year_made": 1999},
    {"path": "c.png", "author": "Bruno", "title": "zeppelin over a lake", "tags": []},
    {"path": "d.png"},
]


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory, tiny_models: dict[str, Path]) -> World:
    world = World(tmp_path_factory.mktemp("listed"), tiny_models)
    for seed, row in enumerate(ROWS):
        draw(seed).save(world.folder / row["path"])
    (world.folder / "photos.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    world.settings["dataset"]["images"] = "photos.jsonl"
    world.write_config()
    world.run("01_extract_features.py")
    world.run("05_build_collections.py")
    return world


def find(world: World, *where: str) -> set[str]:
    arguments = [part for one in where for part in ("--where", one)]
    done = world.run("06_search.py", *arguments, "--json", "--no-show")
    return {result["path"] for result in json.loads(done.stdout)["results"]}


@pytest.mark.parametrize(
    ("where", "paths"),
    [
        (["author=Ana"], "ab"),
        (["Author = ana"], "ab"),
        (["author=Bruno"], "c"),
        (["tags=sea"], "a"),
        (["tags=boat"], "a"),
        (["tags=oat"], ""),
        (['title=The "old" 100% mill'], "b"),
        (["year_made=1999"], "b"),
        (["source_city=Porto"], "a"),
        (["author=ana", "tags=river"], "b"),
    ],
    ids=str,
)
def test_photos_are_filtered_by_columns(listed: World, where: list[str], paths: str) -> None:
    assert find(listed, *where) == {f"{name}.png" for name in paths}


def test_columns_are_shown(listed: World) -> None:
    done = listed.run("06_search.py", "--where", "tags=sea", "--json", "--no-show")
    (result,) = json.loads(done.stdout)["results"]
    assert result["columns"] == {
        "author": "Ana",
        "title": "Boats at dawn",
        "tags": ["sea", "Boat"],
        "source_city": "Porto",
    }
    line = listed.run("06_search.py", "--where", "tags=sea", "-v", "--no-show").stdout.splitlines()[-1]
    assert line.strip() == "author: Ana; title: Boats at dawn; tags: sea, Boat; source_city: Porto"


def test_words_of_columns_are_searched(listed: World) -> None:
    done = listed.run("06_search.py", "zeppelin", "--strategy", "hybrid", "--json", "--no-show")
    assert json.loads(done.stdout)["results"][0]["path"] == "c.png"


def test_a_value_that_no_photo_has_is_reported(listed: World) -> None:
    done = listed.run("06_search.py", "--where", "author=Brun", "--no-show")
    assert "no photo is known to have author=Brun; did you mean Bruno?" in done.stderr


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("autor=Ana", "--where autor=Ana: no column autor; did you mean author?"),
        ("city=Porto", "no column city; did you mean source_city?"),
        ("author", "--where author: expected COLUMN=VALUE, such as author=Ana"),
        ("author=", "expected COLUMN=VALUE"),
    ],
)
def test_columns_that_do_not_exist(listed: World, where: str, message: str) -> None:
    assert message in listed.run("06_search.py", "--where", where, "--no-show", code=2).stderr


def test_python_code_filters_too(listed: World) -> None:
    with open_library(listed.config_file) as library:
        answer = library.search(criteria=Criteria(columns=("author=Bruno",)))
        assert [result.columns["author"] for result in answer.results] == ["Bruno"]
        assert "author=Bruno" in answer.read_as
        with pytest.raises(UserError, match=r"^columns autor=Ana: no column autor"):
            library.search(criteria=Criteria(columns=("autor=Ana",)))


def test_no_two_columns_have_one_name() -> None:
    assert _name_columns(("source_city", "city", "author")) == {
        "source_city": "source_city",
        "city": "source_source_city",
        "author": "author",
    }


def test_changed_values_and_columns_reach_the_collections(listed: World, tmp_path: Path) -> None:
    changed = [row | {"author": "Eva"} if row["path"] == "a.png" else row for row in ROWS]
    file = listed.folder / "photos.jsonl"
    note = "the list of photos has changed since the collections were built; run 00_run_steps.py"
    assert note not in listed.run("06_search.py", "zeppelin", "--no-show").stderr
    file.write_text("".join(json.dumps(row) + "\n" for row in changed), "utf-8")
    assert note in listed.run("06_search.py", "zeppelin", "--no-show").stderr
    assert "0 new, 1 changed, 3 unchanged" in listed.run("05_build_collections.py").stdout
    assert note not in listed.run("06_search.py", "zeppelin", "--no-show").stderr
    assert find(listed, "author=eva") == {"a.png"}
    done = listed.run("05_build_collections.py", "--set", "dataset.columns=[tags]")
    assert "rebuilt: different columns" in done.stdout
    assert "columns that are searched and not shown or filtered by: author, title" in done.stderr
    assert find(listed, "tags=river") == {"b.png"}
    error = listed.run("05_build_collections.py", "--set", "dataset.columns=[tag]", code=2).stderr
    assert "dataset.columns: no list has a column tag; did you mean tags?" in error
