"""Collections from a .npy file and a list of paths: the same results, what is refused, updates, and kills."""

from __future__ import annotations

import json
import tracemalloc
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import Done, World

from imagesearch.errors import UserError
from imagesearch.evaluate import evaluate_index
from imagesearch.features import read_classes
from imagesearch.pipeline import Dataset
from imagesearch.store import CollectionRef, CollectionSpec, IndexSpec, Store, build, read_npy_vectors
from imagesearch.store.collections import Collections
from imagesearch.store.npy_import import _make_rows
from imagesearch.store.schema import FIELDS, find_valid_rows

DIMENSION = 24  # of the tests' CLIP
UNKNOWN_MODEL = "the vectors of v.npy are of unknown origin; the results are meaningful only if models.clip"


def unit(count: int, seed: int = 0, dimension: int = DIMENSION) -> np.ndarray:
    matrix = np.random.default_rng(seed).standard_normal((count, dimension))
    return (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)


def names(count: int) -> list[str]:
    return [f"p/{i:03d}.jpg" for i in range(count)]


def save(world: World, matrix: np.ndarray, paths: Sequence[str] | bytes) -> list[str]:
    """Write both files, and return the options that name them."""
    np.save(world.folder / "v.npy", matrix)
    content = paths if isinstance(paths, bytes) else "".join(f"{path}\n" for path in paths).encode()
    (world.folder / "v.txt").write_bytes(content)
    return ["--from-npy", "v.npy", "--paths", "v.txt", "-n", "old"]


def build_old(world: World, matrix: np.ndarray, paths: Sequence[str] | bytes, *args: str) -> dict:
    done = world.run("05_build_collections.py", *save(world, matrix, paths), "--json", *args)
    return json.loads(done.stdout)


def refuse(world: World, script: str, *args: str | Path) -> str:
    """Run a script that is refused, and return its line."""
    done = world.run(script, *args, code=2)
    assert "Traceback" not in done.stderr and done.stdout == ""
    return done.stderr.splitlines()[-1]


def search(world: World, *args: str | Path) -> list[dict]:
    return json.loads(world.run("06_search.py", "--json", "-k", "50", *args).stdout)["results"]


def read_rows(world: World) -> dict[str, np.ndarray]:
    """Return the vectors in the collection by path."""
    ref = CollectionRef("old", "clip")
    with Store(world.config().milvus) as store:
        hits = list(store.read_all_rows(ref, ("path",)))
        vectors = store.read_vectors(ref, [hit.id for hit in hits])
    return {hit.fields["path"]: vectors[hit.id] for hit in hits}


def count(report: dict) -> tuple[int, int, int, int]:
    return tuple(report["clip"][name] for name in ("inserted", "updated", "unchanged", "deleted"))


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
        options = ["--image", exported.photos / photo, "--by", kind]
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


# --- photos ------------------------------------------------------------------------------------------------


def test_missing_photos_are_named_and_found_and_shown_as_gone(world: World) -> None:
    world.add("p/000.jpg", 1)
    options = save(world, unit(15), [f"photos/{path}" for path in names(15)])
    done = world.run("05_build_collections.py", *options, "--map", "map.png", "--no-show")
    assert [line for line in done.stderr.splitlines() if line.startswith("missing: ")] == [
        *(f"missing: {i:03d}.jpg: no such file" for i in range(1, 11)),
        "missing: and 4 more; -v lists all of them",
    ]
    assert (
        f"v.txt: 14 of 15 photos do not exist below {world.photos / 'p'}; a search finds them" in done.stderr
    )
    assert (world.folder / "map.png").is_file()
    found = search(world, "-n", "old", "boat", "--save", "grid.png")
    assert len(found) == 15 and (world.folder / "grid.png").is_file()
    assert sum(Path(result["file"]).is_file() for result in found) == 1
    assert build_old(world, unit(15), [f"photos/{path}" for path in names(15)])["missing"] == [
        f"{i:03d}.jpg" for i in range(1, 15)
    ]


def test_relative_paths_belong_to_the_folder_that_has_them(world: World, tmp_path: Path) -> None:
    world.add("a/x.png", 1)
    world.add("b/y.png", 2)
    here, images, cwd, absolute = (
        [f"{prefix}{path}" for path in ("a/x.png", "b/y.png")]
        for prefix in ("../photos/", "", "photos/", f"{world.photos}/")
    )
    (world.folder / "lists").mkdir()
    for paths, note in (
        (here, ""),
        (images, "lists/v.txt: the paths are relative to photos\n"),
        (cwd, f"the paths are relative to {tmp_path}"),
        (absolute, ""),
        (["a/gone.png", "b/y.png"], "the paths are relative to photos\n"),
        ([here[0], absolute[1]], ""),
    ):
        options = save(world, unit(2), paths)
        (world.folder / "v.txt").rename(world.folder / "lists" / "v.txt")
        options[3] = "lists/v.txt"
        done = world.run("05_build_collections.py", *options)
        assert note in done.stderr and bool(note) == ("relative to" in done.stderr)
        assert {r["path"]: Path(r["file"]) for r in search(world, "-n", "old", "x")} == {
            path: world.photos / path
            for path in ("a/gone.png" if "a/gone.png" in paths else "a/x.png", "b/y.png")
        }


def test_paths_are_kept_to_the_letter(world: World) -> None:
    files = [
        "plain.png",
        "ends in a blank ",
        " starts with one",
        "é.png",
        "日本/写真.png",
        "one\u2028line.png",
    ]
    for seed, path in enumerate(files):
        on_disk = unicodedata.normalize("NFD", path) if path == "é.png" else path
        world.add(on_disk, seed, format="PNG")
    lines = [f"photos/{unicodedata.normalize('NFC', path)}" for path in files]
    for content in (
        "\n".join(lines),
        "\n".join(lines) + "\n",
        "\r\n".join(lines) + "\r\n\r\n",
        "\ufeff" + "\n".join(lines) + "\n\n",
        "\n".join(unicodedata.normalize("NFD", line) for line in lines),
    ):
        report = build_old(world, unit(len(files)), content.encode())
        assert report["missing"] == []
        rows = read_rows(world)
        for path, vector in zip(files, unit(len(files)), strict=True):
            np.testing.assert_allclose(rows[path], vector, atol=1e-6)
    assert count(report) == (0, 0, len(files), 0)  # the same photos with each of the lists
    found = search(world, "-n", "old", "x")
    assert len(found) == len(files) and all(Path(result["file"]).is_file() for result in found)


# --- vectors -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_vectors_of_any_length_are_stored_as_unit_vectors(world: World, dtype: str, order: str) -> None:
    matrix = unit(40)
    scaled = matrix * np.linspace(2, 20, 40)[:, np.newaxis]
    for source, lines in ((matrix, 0), (scaled, 1)):
        options = save(world, np.asarray(source, dtype, order=order), names(40))
        done = world.run("05_build_collections.py", *options, "--rebuild")
        assert done.stderr.count("40 of 40 vectors are not of unit length (norms 2 to 20)") == lines
        assert done.stderr.count("unit length") == lines
        rows = read_rows(world)
        stored = np.asarray([rows[path.removeprefix("p/")] for path in names(40)])
        assert abs(np.linalg.norm(stored.astype(np.float64), axis=1) - 1).max() < 1e-6
        np.testing.assert_allclose(stored, matrix, atol=1e-3 if dtype == "<f2" else 1e-6)
    if dtype == "<f4":  # as it is, if only rounding makes the difference
        matrix *= np.float32(1 + 5e-7)
        build_old(world, matrix, names(40))
        assert all((read_rows(world)[f"{i:03d}.jpg"] == matrix[i]).all() for i in range(40))


def test_rows_that_are_zero_or_not_finite_are_skipped_and_named(world: World) -> None:
    matrix = 3 * unit(6).astype(np.float64)
    matrix[1, 3], matrix[2], matrix[4, 0], matrix[5, 0] = np.nan, 0, np.inf, 1e300
    report = build_old(world, matrix, names(6))
    skipped = dict.fromkeys(
        ["001.jpg", "002.jpg", "004.jpg", "005.jpg"], "its vector is not a finite unit vector"
    )
    assert report["clip"]["skipped"] == skipped and report["clip"]["rows"] == 2
    assert report["not_unit"]["vectors"] == 2 and np.allclose(report["not_unit"]["norms"], 3)
    assert set(read_rows(world)) == {"000.jpg", "003.jpg"}
    long = "ü" * 3000 + ".jpg"
    done = world.run("05_build_collections.py", *save(world, unit(2), ["p/000.jpg", f"p/{long}"]))
    assert "1 gone, 1 skipped" in done.stdout and "path is longer than 4096 bytes" in done.stderr


def test_a_large_matrix_is_read_in_batches(world: World) -> None:
    rows, dimension = 20_000, 512
    matrix = np.random.default_rng(0).standard_normal((rows, dimension))  # float64: 80 MB
    save(world, matrix, [f"{i // 100}/{i}.jpg" for i in range(rows)])
    expected = (matrix[-1] / np.linalg.norm(matrix[-1])).astype(np.float32)
    del matrix
    tracemalloc.start()
    vectors = read_npy_vectors(world.config(), world.folder / "v.npy", world.folder / "v.txt")
    content = _make_rows(vectors)
    fields = FIELDS["clip"]
    spec = CollectionSpec(CollectionRef("old", "clip"), "", "npy-", dimension, IndexSpec("FLAT", {}), fields)
    positions, _ = find_valid_rows(spec, content)
    for batch in content.iterate_batches(positions, 1_000):
        last = batch[-1]["embedding"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(positions) == rows and np.allclose(last, expected, atol=1e-7)
    assert peak < 40e6, f"{peak / 1e6:.0f} MB"  # float32 vectors alone are 41 MB


# --- refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (unit(4)[0], "v.npy: expected a matrix with one vector per row, got an array of 1 dimensions (24)"),
        (unit(4)[np.newaxis], "got an array of 3 dimensions (1 x 4 x 24)"),
        (np.eye(4, 24, dtype=np.int64), "v.npy: expected float16, float32 or float64, got int64"),
        (unit(4).astype(np.complex64), "got complex64"),
        (unit(4).astype(object), "v.npy: not a .npy file of numbers ("),
        (np.full((4, 24), np.nan), "v.npy: every vector is zero or not finite"),
        (unit(4)[:, :1], "expected at least one vector of 2 to 32,768 dimensions, got 4 x 1"),
        (unit(4)[:0], "got 0 x 24"),
        (unit(3), "v.txt: 4 paths, but v.npy has 3 vectors of 24 dimensions; line 4 has no vector"),
        (
            unit(6),
            "v.txt: 4 paths, but v.npy has 6 vectors of 24 dimensions; row 5 has no path: line 5 is missing",
        ),
        (unit(24)[:, :4], "24 vectors of 4 dimensions; the matrix seems to be transposed; save it with"),
    ],
)
def test_a_matrix_that_is_not_a_list_of_vectors_is_refused(
    world: World, matrix: np.ndarray, message: str
) -> None:
    assert message in refuse(world, "05_build_collections.py", *save(world, matrix, names(4)))
    assert not (world.folder / "processed").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a.jpg\n\nb.jpg\nc.jpg\n", "v.txt: line 2 is blank"),
        (b"a.jpg\n  \nb.jpg\nc.jpg\n", "v.txt: line 2 is blank"),
        (b"\na.jpg\nb.jpg\nc.jpg\n", "v.txt: line 1 is blank"),
        (b"a.jpg\nb.jpg\nc.jpg\na.jpg\n", "v.txt: line 4 has the same path as line 1: a.jpg"),
        (b"x/a.jpg\nb.jpg\nc.jpg\n./x/../b.jpg\n", "v.txt: line 4 has the same path as line 2: b.jpg"),
        ("\u00e9\nb\nc\ne\u0301\n".encode(), "v.txt: line 4 has the same path as line 1: é"),
        (b"a.jpg\nb.jpg\ncaf\xe9.jpg\nd.jpg\n", "v.txt: line 3 is not valid UTF-8"),
        ("a\nb\nc\nd\n".encode("utf-16"), "v.txt: line 1 is not valid UTF-8"),
        (b"a.jpg\nb\0.jpg\nc.jpg\nd.jpg\n", "v.txt: line 2 is not a path"),
        (b"", "v.txt: 0 paths, but v.npy has 4 vectors of 24 dimensions; row 1 has no path"),
    ],
)
def test_a_list_with_a_wrong_line_is_refused(world: World, content: bytes, message: str) -> None:
    assert message in refuse(world, "05_build_collections.py", *save(world, unit(4), content))
    assert not (world.folder / "processed").exists()


def test_files_that_cannot_be_read_are_refused(world: World) -> None:
    options = save(world, unit(4), names(4))
    (world.folder / "text.npy").write_text("no")
    whole = (world.folder / "v.npy").read_bytes()
    (world.folder / "cut.npy").write_bytes(whole[:-50])
    np.savez(world.folder / "many.npz", a=unit(4))
    for name, message in (
        ("gone.npy", "gone.npy: not a .npy file of numbers (No such file or directory)"),
        ("text.npy", "text.npy: not a .npy file of numbers"),
        ("cut.npy", "cut.npy: not a .npy file of numbers"),
        ("many.npz", "many.npz: an archive of several arrays"),
    ):
        assert message in refuse(world, "05_build_collections.py", "--from-npy", name, *options[2:])
    line = refuse(world, "05_build_collections.py", *options[:3], "gone.txt", "-n", "old")
    assert "gone.txt: cannot be read (No such file or directory)" in line


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--from-npy", "v.npy", "-n", "old"], "--from-npy requires --paths FILE.txt and -n NAME"),
        (["--from-npy", "v.npy", "--paths", "v.txt"], "--from-npy requires --paths FILE.txt and -n NAME"),
        (["--paths", "v.txt"], "--paths requires --from-npy"),
        (["--from-npy", "v.npy", "--list"], "cannot be combined with --list and --drop"),
        (["--from-npy", "v.npy", "--drop"], "cannot be combined with --list and --drop"),
    ],
)
def test_options_that_are_incomplete_are_refused(world: World, args: list[str], message: str) -> None:
    assert message in refuse(world, "05_build_collections.py", *args)


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
        cut.setattr(build, "_BATCH_ROWS", 20)
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


def test_links_are_followed_when_photos_are_looked_for(world: World) -> None:
    for name in ("a.png", "b.png"):
        world.add(name, 1)
    (world.photos / "loop.png").symlink_to("loop.png")
    (world.photos / "broken.png").symlink_to("nowhere.png")
    (world.photos / "link.png").symlink_to("a.png")
    paths = [f"photos/{name}.png" for name in ("a", "b", "loop", "broken", "link")]
    report = build_old(world, unit(5), paths)
    assert sorted(path.rpartition("/")[2] for path in report["missing"]) == ["broken.png", "loop.png"]


def test_the_index_of_imported_vectors_can_be_evaluated(world: World) -> None:
    build_old(world, unit(120), names(120))
    report = evaluate_index(world.config("dataset.name=old"))
    assert (report.rows, report.dimension) == (114, DIMENSION)
    (world.folder / "v.npy").unlink()
    with pytest.raises(UserError, match=r"not a \.npy file of numbers"):
        evaluate_index(world.config("dataset.name=old"))
