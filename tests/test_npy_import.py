"""Collections from a .npy file: the same results as normal ones, no mixed datasets, updates and kills."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import Done, World
from npy_albums import (
    DIMENSION,
    UNKNOWN_MODEL,
    build_old,
    count,
    names,
    read_rows,
    refuse,
    save,
    search,
    unit,
)

from imagesearch.errors import UserError
from imagesearch.evaluate import evaluate_index
from imagesearch.features import read_classes
from imagesearch.pipeline import Dataset
from imagesearch.store import CollectionRef, Store, collection_updates
from imagesearch.store.collections import Collections

# --- searching ---------------------------------------------------------------------------------------------


@pytest.fixture
def exported(world: World) -> World:
    """A world with a normal dataset ``album`` of six photos, and its vectors in .npy files."""
    for seed in range(6):
        world.add(f"2024/{seed}.png" if seed % 2 else f"{seed}.png", seed)
    world.run("01_extract_features.py", "--export-npy", world.folder / "out" / "v")
    world.run("05_build_collections.py")
    return world


def import_kind(world: World, kind: str) -> Done:
    files = ["--from-npy", f"out/v_{kind}.npy", "--paths", "out/v_paths.txt"]
    return world.run("05_build_collections.py", *files, "-n", "old")


@pytest.mark.parametrize("kind", ["clip", "vit"])
def test_searches_find_the_same_photos_in_the_same_order_as_in_the_normal_collection(
    exported: World, kind: str
) -> None:
    done = import_kind(exported, kind)
    assert done.stdout == "old_clip: 6 photos: 6 new, 0 changed, 0 unchanged, 0 gone, 0 skipped\n"
    assert "out/v_paths.txt: the paths are relative to photos\n" in done.stderr  # those of `01 --export-npy`
    assert "missing" not in done.stderr and "unit length" not in done.stderr
    for photo in ("0.png", "2024/3.png"):
        options = ["--image", exported.photos / photo, "--by", kind, "--with-itself"]
        normal, imported = search(exported, *options), search(exported, *options, "-n", "old")
        assert len(normal) == 6 and len({result["score"] for result in normal}) == 6
        for name in ("path", "file", "score"):
            assert [result[name] for result in imported] == [result[name] for result in normal]
    noted = exported.run("06_search.py", "--no-show", "-n", "old", *options)
    assert (
        f"v_{kind}.npy are of unknown origin; the results are meaningful only if models.{kind}"
        in noted.stderr
    )
    below = search(exported, "--under", "2024", *options, "-n", "old")
    assert {result["path"] for result in below} == {"2024/1.png", "2024/3.png", "2024/5.png"}


def test_texts_are_compared_with_imported_vectors_without_calibration(exported: World) -> None:
    import_kind(exported, "clip")
    normal, imported = search(exported, "boat"), search(exported, "boat", "-n", "old")
    assert [r["path"] for r in imported] == [r["path"] for r in normal]
    assert all(result["fit"] is None for result in imported)
    mixed = [
        search(exported, "boat", "--image", exported.photos / "0.png", "-n", n) for n in ("album", "old")
    ]
    assert [r["path"] for r in mixed[0]] == [r["path"] for r in mixed[1]]


def test_a_model_of_another_dimension_is_refused(exported: World) -> None:
    import_kind(exported, "vit")
    for query in (
        ["boat"],
        ["--image", exported.photos / "0.png"],
        ["a", "--image", exported.photos / "0.png"],
    ):
        line = refuse(exported, "06_search.py", "-n", "old", *query)
        assert "makes vectors of 24 dimensions, those of v_vit.npy have 32" in line
    import_kind(exported, "clip")
    line = refuse(exported, "06_search.py", "-n", "old", "--image", exported.photos / "0.png", "--by", "vit")
    assert "makes vectors of 32 dimensions, those of v_clip.npy have 24" in line


def test_names_and_dates_find_nothing_and_a_note_says_why(world: World) -> None:
    build_old(world, unit(3), names(3))
    note = "imported photos have no people, places, dates, cameras or keywords"
    for query in (["--person", "maya"], ["--place", "goa"], ["--year", "2023"], ["boat in june 2021"]):
        done = world.run("06_search.py", "--no-show", "-n", "old", *query)
        assert note in done.stderr and "run 0" not in done.stderr
        assert (UNKNOWN_MODEL in done.stderr) == (query == ["boat in june 2021"])
    assert note not in world.run("06_search.py", "--no-show", "-n", "old", "boat").stderr


# --- datasets ----------------------------------------------------------------------------------------------


def test_a_dataset_with_photos_of_its_own_is_not_mixed_with_imported_vectors(world: World) -> None:
    world.add("a.png", 1)
    world.run("01_extract_features.py", "--only", "vit")
    world.run("05_build_collections.py")
    options = [*save(world, unit(4), names(4))[:-1], "album"]
    assert "vit: dataset 'album' has tables of its own photos" in refuse(
        world, "05_build_collections.py", *options
    )
    (world.folder / "processed").rename(world.folder / "away")
    assert "album_vit: built from photos by" in refuse(world, "05_build_collections.py", *options)
    (world.folder / "processed" / "album").mkdir(parents=True)
    (world.folder / "processed" / "album" / "people.jsonl").touch()
    assert "people.jsonl: dataset 'album' has" in refuse(world, "05_build_collections.py", *options)


def test_no_other_step_uses_a_dataset_of_imported_vectors(world: World) -> None:
    world.add("a.png", 1)
    build_old(world, unit(4), names(4))
    message = (
        f"old: its vectors were imported from {world.folder / 'v.npy'}, and it has no tables, faces or places"
    )
    nothing = "models.clip=nowhere/at-all"
    for script, *args in (
        ["00_run_steps.py"],
        ["01_extract_features.py", "-i", str(world.photos), "--set", nothing],
        ["02_cluster_faces.py"],
        ["03_name_people.py"],
        ["04_extract_geo.py"],
        ["05_build_collections.py"],
        ["05_build_collections.py", "--rebuild"],
        ["06_search.py", "--face", str(world.photos / "a.png")],
        ["08_evaluate.py", "--self"],
    ):
        assert message in refuse(world, script, "-n", "old", *args), script
    assert [
        file.name for file in (world.folder / "processed" / "old").iterdir() if file.suffix != ".lock"
    ] == ["imported.json"]
    assert len(search(world, "-n", "old", "boat")) == 4
    dataset = Dataset(world.config("dataset.name=old"))
    assert read_classes(dataset, ["000.jpg"]) == {} and dataset.roots_note == ""
    # the collection is protected even if the dataset's folder is lost
    (world.folder / "processed").rename(world.folder / "away")
    world.run("01_extract_features.py", "-n", "old")
    line = refuse(world, "05_build_collections.py", "-n", "old")
    assert "old_clip: its vectors were imported from v.npy; select another dataset" in line
    assert len(read_rows(world)) == 4


# --- updates and kills -------------------------------------------------------------------------------------


def test_a_changed_file_changes_only_its_rows(world: World) -> None:
    matrix, paths = unit(30), names(30)
    assert count(build_old(world, matrix, paths)) == (30, 0, 0, 0)
    assert count(build_old(world, matrix, paths)) == (0, 0, 30, 0)
    more = np.concatenate([matrix, unit(2, seed=1)])
    more[3] = unit(1, seed=2)
    report = build_old(world, more, [*paths, "p/x.jpg", "p/y.jpg"])
    assert count(report) == (2, 1, 29, 0) and report["clip"]["rebuilt"] == ""
    report = build_old(world, more[::-1][2:], paths[::-1])
    assert count(report) == (0, 0, 30, 2) and report["clip"]["rebuilt"] == ""
    assert (read_rows(world)["003.jpg"] == more[3]).all()
    # another folder: the paths of all photos change
    report = build_old(world, matrix, [*paths[:-1], "q/029.jpg"])
    assert set(read_rows(world)) == {*paths[:-1], "q/029.jpg"}
    assert search(world, "-n", "old", "x", "--under", "q")[0]["file"] == str(world.folder / "q" / "029.jpg")


def test_vectors_of_another_model_rebuild_the_collection(world: World) -> None:
    build_old(world, unit(30), names(30))
    for matrix in (unit(30, seed=1), unit(30, dimension=8)):
        report = build_old(world, matrix, names(30))
        assert count(report) == (30, 0, 0, 0) and report["clip"]["rebuilt"] == "different model"
    assert build_old(world, matrix, names(30), "--rebuild")["clip"]["rebuilt"] == "requested"


@pytest.mark.parametrize("before", [0, 30])
def test_the_next_run_completes_an_interrupted_one(
    world: World, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    if before:
        build_old(world, unit(before), names(before))
    options, real, calls = save(world, unit(60), names(60)), Collections.upsert, []

    def upsert_once(*args: object) -> None:
        if calls:
            raise KeyboardInterrupt
        calls.append(real(*args))

    with monkeypatch.context() as cut:
        cut.setattr(collection_updates, "_BATCH_ROWS", 20)
        cut.setattr(Collections, "upsert", upsert_once)
        world.run("05_build_collections.py", *options, code=130)
    assert "its vectors were imported" in refuse(world, "01_extract_features.py", "-n", "old")
    if before:
        assert len(search(world, "-n", "old", "boat")) >= before
        noted = world.run("06_search.py", "--no-show", "-n", "old", "boat").stderr
        assert "an update was interrupted" in noted
    else:
        assert "no clip collection" in refuse(world, "06_search.py", "-n", "old", "boat")
    report = json.loads(world.run("05_build_collections.py", *options, "--json").stdout)
    assert report["clip"]["rows"] == 60 and set(read_rows(world)) == {f"{i:03d}.jpg" for i in range(60)}
    assert "interrupted" not in world.run("06_search.py", "--no-show", "-n", "old", "boat").stderr
    with Store(world.config().milvus) as store:
        assert len(store.collections.client.list_collections()) == 1


def test_imported_vectors_are_listed_and_dropped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add("a.png", 1)
    options = save(world, unit(4), names(4))
    folder = world.folder / "processed" / "old"
    world.run("05_build_collections.py", *options)
    listed = world.run("05_build_collections.py", "--list").stdout.splitlines()[1].split()
    assert listed == ["old", "clip", "4", "0.0", "24", "FLAT", "ready", "v.npy"]
    assert "nothing" in world.run("05_build_collections.py", "-n", "old", "--drop", stdin="n\n").stdout
    assert folder.is_dir()
    dropped = world.run("05_build_collections.py", "-n", "old", "--drop", "--yes").stdout
    assert dropped == "dropped old_clip; 05 --from-npy can build it again\n" and not folder.exists()
    monkeypatch.setattr(Collections, "upsert", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    world.run("05_build_collections.py", *options, code=130)
    dropped = world.run("05_build_collections.py", "-n", "old", "--drop", "--yes").stdout
    assert dropped.startswith("dropped the unfinished collection of old;") and not folder.exists()
    monkeypatch.undo()
    world.run("01_extract_features.py", "-n", "old")
    world.run("05_build_collections.py", "-n", "old")
    assert [result["path"] for result in search(world, "-n", "old", "boat")] == ["a.png"]


def test_dropping_in_another_milvus_leaves_the_dataset(world: World) -> None:
    options = save(world, unit(4), names(4))
    world.run("05_build_collections.py", *options)
    source = world.folder / "processed" / "old" / "imported.json"
    other = ("-n", "old", "--to", "other.db")
    assert "nothing dropped" in world.run("05_build_collections.py", *other, "--drop", "--yes").stdout
    world.run("05_build_collections.py", *options, "--to", "other.db")
    assert "dropped old_clip" in world.run("05_build_collections.py", *other, "--drop", "--yes").stdout
    assert source.is_file()
    assert "old" in world.run("05_build_collections.py", "--list").stdout


def test_the_index_of_imported_vectors_can_be_evaluated(world: World) -> None:
    build_old(world, unit(120), names(120))
    report = evaluate_index(world.config("dataset.name=old"))
    assert (report.rows, report.dimension) == (114, DIMENSION)
    (world.folder / "v.npy").unlink()
    with pytest.raises(UserError, match=r"not a \.npy file of numbers"):
        evaluate_index(world.config("dataset.name=old"))


def test_the_fields_of_the_file_name_are_known(world: World) -> None:
    build_old(world, unit(2), ["a/Beach sunset_0042.jpg", "b/Zoë.png"])
    with Store(world.config().milvus) as store:
        hits = store.read_all_rows(CollectionRef("old", "clip"), ("path", "file_name", "name_words", "year"))
        fields = {hit.fields.pop("path"): hit.fields for hit in hits}
    assert fields == {
        "a/Beach sunset_0042.jpg": {
            "file_name": "Beach sunset_0042.jpg",
            "name_words": ["beach", "sunset", "0042"],
            "year": 0,
        },
        "b/Zoë.png": {"file_name": "Zoë.png", "name_words": ["zoe"], "year": 0},
    }
