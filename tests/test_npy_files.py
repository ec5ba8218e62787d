"""The .npy file and the list of paths: photos that are found, vectors that are stored, what is refused."""

from __future__ import annotations

import tracemalloc
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from conftest import World
from npy_albums import (
    build_old,
    count,
    names,
    read_rows,
    refuse,
    save,
    search,
    unit,
)

from imagesearch.store import CollectionRef, CollectionSpec, IndexSpec, read_npy_vectors
from imagesearch.store.npy_import import _make_rows
from imagesearch.store.schema import FIELDS, find_valid_rows

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


def test_links_are_followed_when_photos_are_looked_for(world: World) -> None:
    for name in ("a.png", "b.png"):
        world.add(name, 1)
    (world.photos / "loop.png").symlink_to("loop.png")
    (world.photos / "broken.png").symlink_to("nowhere.png")
    (world.photos / "link.png").symlink_to("a.png")
    paths = [f"photos/{name}.png" for name in ("a", "b", "loop", "broken", "link")]
    report = build_old(world, unit(5), paths)
    assert sorted(path.rpartition("/")[2] for path in report["missing"]) == ["broken.png", "loop.png"]


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
    assert "1 gone, 1 skipped" in done.stdout and "is longer than" in done.stderr


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
        (["--from-npy", "v.npy", "--list"], "cannot be combined with --list, --trips and --drop"),
        (["--from-npy", "v.npy", "--drop"], "cannot be combined with --list, --trips and --drop"),
    ],
)
def test_options_that_are_incomplete_are_refused(world: World, args: list[str], message: str) -> None:
    assert message in refuse(world, "05_build_collections.py", *args)
