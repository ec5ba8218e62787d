"""The scripts as a user runs them: photos in, the right photos out, and one line when something is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, World, draw


def extract(world: World, *args: str) -> dict:
    return json.loads(world.run("01_extract_features.py", "--json", *args).stdout)


def get_counts(summary: dict) -> tuple[int, ...]:
    return tuple(summary[key] for key in ("new", "unchanged", "moved", "gone"))


def search(world: World, *args: str | Path) -> list[dict]:
    return json.loads(world.run("06_search.py", "--json", *args).stdout)["results"]


def test_from_photos_to_the_right_photos_and_through_a_year_of_changes(world: World) -> None:
    for seed in range(6):
        world.add(f"2023/{seed}.png", seed)
    world.add("2024/ünï çödé.jpg", 6, quality=95)
    world.add("2024/b.heic", 7, quality=95)
    (world.photos / "2024" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much of a photo")

    summary = json.loads(world.run("01_extract_features.py", "--json", process=True).stdout)
    assert get_counts(summary) == (8, 0, 0, 0)
    assert list(summary["failed"]) == ["2024/broken.jpg"]
    built = world.run("05_build_collections.py", process=True).stdout
    assert "album_clip: 8 photos: 8 new" in built and "album_vit: 8 photos: 8 new" in built

    # every way in
    first = search(world, "--image", world.photos / "2024" / "b.heic", "--with-itself")[0]
    assert (first["rank"], first["path"]) == (1, "2024/b.heic") and first["score"] > 0.999
    others = search(world, "--by", "vit", "--image", world.photos / "2023" / "3.png")
    assert len(others) == 7 and "2023/3.png" not in {result["path"] for result in others}
    assert len(search(world, "a red boat", "-k", "3", "--under", "2023")) == 3
    assert len(search(world, "sea", "--image", world.photos / "2023" / "1.png", "--minus", "snow")) == 7
    assert search(world, "a red boat", "--min-score", "0.99") == []
    command = ("06_search.py", "boat", "--paths", "--copy-to", world.folder / "found")
    lines = world.run(*command, process=True).stdout
    assert len(lines.splitlines()) == 8 and all(Path(line).is_file() for line in lines.splitlines())
    assert len(list((world.folder / "found").iterdir())) == 8

    # a second run has nothing to do; then one file is touched, one moves, one goes
    assert get_counts(extract(world)) == (0, 8, 0, 0)
    os.utime(world.photos / "2023" / "0.png", (1, 1))
    (world.photos / "2023" / "1.png").rename(world.photos / "2024" / "moved.png")
    (world.photos / "2023" / "2.png").unlink()
    assert get_counts(extract(world)) == (0, 6, 1, 1), "only its time has changed"
    built = json.loads(world.run("05_build_collections.py", "--json").stdout)["clip"]
    assert [built[key] for key in ("rows", "inserted", "moved", "deleted")] == [7, 0, 1, 1]
    paths = {result["path"] for result in search(world, "boat", "-k", "50")}
    assert "2024/moved.png" in paths and not paths & {"2023/1.png", "2023/2.png"}


def test_one_kind_of_vectors_brought_up_to_date_does_not_make_the_other_look_fresh(world: World) -> None:
    file = world.add("a.png", 1)
    world.add("b.png", 2)
    extract(world)
    draw(3).save(file)
    assert get_counts(extract(world, "--only", "clip")) == (1, 1, 0, 0)
    assert get_counts(extract(world, "--only", "clip")) == (0, 2, 0, 0)
    assert get_counts(extract(world)) == (1, 1, 0, 0)
    assert get_counts(extract(world)) == (0, 2, 0, 0)


def test_vectors_are_exported_in_one_order(world: World) -> None:
    for seed in range(3):
        world.add(f"{seed}.png", seed)
    world.run("01_extract_features.py", "--export-npy", world.folder / "out" / "v")
    paths = (world.folder / "out" / "v_paths.txt").read_text().splitlines()
    clip, vit = (np.load(world.folder / "out" / f"v_{kind}.npy") for kind in ("clip", "vit"))
    assert paths == ["0.png", "1.png", "2.png"] and clip.shape == (3, 24) and vit.shape == (3, 32)
    world.run("05_build_collections.py")
    for path, vector in zip(paths, clip, strict=True):
        found = search(world, "--image", world.photos / path, "-k", "3", "--with-itself")
        scores = {result["path"]: result["score"] for result in found}
        np.testing.assert_allclose([scores[p] for p in paths], clip @ vector, atol=1e-4)


def test_folders_given_once_by_hand_are_used_by_the_later_steps(world: World, tmp_path: Path) -> None:
    for place, seed in (("one", 1), ("two", 2)):
        (tmp_path / place).mkdir()
        draw(seed).save(tmp_path / place / "same name.png")
    world.run("01_extract_features.py", "-i", tmp_path / "one", tmp_path / "two")
    world.run("05_build_collections.py")
    results = search(world, "x", "-k", "5")
    assert {result["path"] for result in results} == {"one/same name.png", "two/same name.png"}
    assert all(Path(result["file"]).is_file() for result in results)


def test_a_photo_that_goes_leaves_every_collection_even_if_a_step_lags_behind(world: World) -> None:
    for seed in range(3):
        world.add(f"{seed}.png", seed)
    extract(world)
    world.run("05_build_collections.py")
    for file in world.photos.iterdir():
        os.utime(file, (1, 1))
    extract(world, "--only", "vit")
    (world.photos / "1.png").unlink()
    done = world.run("05_build_collections.py")
    assert "clip: 2 photos are new or have changed; run 01" in done.stderr
    assert {result["path"] for result in search(world, "x")} == {"0.png", "2.png"}


def test_vectors_of_another_model_than_the_configs_are_not_built(world: World) -> None:
    world.add("a.png", 1)
    extract(world)
    other = f"models.clip={world.settings['models']['vit']}"
    done = world.run("05_build_collections.py", "--set", other, code=2)
    assert "models.clip: the config names" in done.stderr and "made by another model" in done.stderr


def test_folders_given_by_hand_are_mentioned_until_the_configs_are_given_again(world: World) -> None:
    world.add("a.png", 1)
    world.add("few/b.png", 2)
    world.run("01_extract_features.py", "-i", world.photos / "few")
    assert "photos in" in world.run("05_build_collections.py").stderr
    assert get_counts(extract(world, "-i", str(world.photos))) == (1, 1, 0, 0), (
        "the first folder keeps its ids"
    )
    assert "photos in" not in world.run("05_build_collections.py").stderr


def test_names_that_are_not_utf8_are_printed_in_every_way(world: World) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    try:
        draw(1).save(world.photos / name)
    except OSError:
        pytest.skip("this disk refuses such names")
    extract(world)
    world.run("05_build_collections.py")
    (found,) = search(world, "boat")
    assert found["path"] == "caf\\xe9.png"
    command = [sys.executable, ROOT / "scripts" / "06_search.py", "-c", world.config_file, "boat", "--paths"]
    printed = subprocess.run(command, capture_output=True, check=True).stdout.rstrip(b"\n")
    assert Path(os.fsdecode(printed)).is_file()
    world.run("07_classify.py", world.photos / name, "--save", world.folder / "bars")
    assert (world.folder / "bars.png").is_file()


def test_stdout_is_for_results_alone(world: World) -> None:
    world.add("a.png", 1)
    extract(world)
    world.run("05_build_collections.py")
    assert json.loads(world.run("06_search.py", "--json", stdin="a boat\n\n").stdout)["query"] == "a boat"
    dropped = json.loads(world.run("05_build_collections.py", "--drop", "--json", "--yes").stdout)["dropped"]
    assert dropped == ["album_clip__1", "album_vit__1"]


def test_one_kind_of_vectors_is_exported(world: World) -> None:
    world.add("a.png", 1)
    prefix = world.folder / "out" / "v"
    done = world.run("01_extract_features.py", "--only", "clip", "--export-npy", prefix)
    assert done.stdout.splitlines()[-1] == f"1 row each: {prefix}_clip.npy, {prefix}_paths.txt"
    assert np.load(f"{prefix}_clip.npy").shape[0] == 1 and not Path(f"{prefix}_vit.npy").exists()
    line = world.run("01_extract_features.py", "--only", "vit", "--export-npy", prefix, "--json")
    assert json.loads(line.stdout)["new"] == 1 and "1 row each" in line.stderr


def test_a_missing_folder_is_reported_before_a_missing_model(world: World) -> None:
    for script, model in (("01_extract_features.py", "clip"), ("02_cluster_faces.py", "faces")):
        options = ("--set", f"models.{model}=missing/model", "-i", world.folder / "none")
        assert "no such folder of photos" in world.run(script, *options, code=2).stderr


def test_a_name_that_exists_in_two_unicode_forms_is_reported(world: World) -> None:
    world.add("é.png", 1)
    world.add(unicodedata.normalize("NFD", "é.png"), 2)
    if len(list(world.photos.iterdir())) == 1:
        pytest.skip("the file system keeps one Unicode form of a name")
    for _ in range(2):
        done = world.run("01_extract_features.py")
        assert "1 failed" in done.stdout and "another Unicode form; rename one of them" in done.stderr


def test_queries_are_asked_for_until_the_end_of_input(world: World) -> None:
    world.add("a.png", 1)
    extract(world)
    world.run("05_build_collections.py")
    done = world.run(
        "06_search.py", "--no-show", "--with-itself", stdin=f"a boat\n\n{world.photos / 'a.png'}"
    )
    assert done.stdout.count("  a.png  ") == 2 and "1.0000  a.png" in done.stdout
    world.add("goa/b.png", 2)
    extract(world)
    world.run("05_build_collections.py")
    below = world.run("06_search.py", "--no-show", "--under", "goa").stdout  # a folder alone lists its photos
    assert "goa/b.png" in below and "  a.png" not in below


def test_a_saved_query_is_used_by_its_name(world: World) -> None:
    world.add("a.png", 1)
    extract(world)
    world.run("05_build_collections.py")
    saved = ("--set", "search.saved={boat: a red boat, Goa-2: a beach}")
    listed = world.run("06_search.py", *saved, "--saved").stdout
    assert listed.splitlines() == ["@boat   a red boat", "@Goa-2  a beach"]
    assert json.loads(world.run("06_search.py", *saved, "--saved", "--json").stdout)["boat"] == "a red boat"
    first, *_ = world.run("06_search.py", *saved, "@boat", "--no-show").stdout.splitlines()
    assert first.startswith('"a red boat"')
    longer = world.run("06_search.py", *saved, "--no-show", stdin="@Goa-2 at dawn\n\n").stdout
    assert longer.startswith('"a beach at dawn"')
    unknown = world.run("06_search.py", *saved, "@gao-2", code=2).stderr
    assert "@gao-2: no saved query has this name; did you mean @Goa-2?" in unknown
    assert "--saved lists" in world.run("06_search.py", "@boat", code=2).stderr
    assert "no saved queries" in world.run("06_search.py", "--saved").stdout


def test_photos_are_classified_without_any_collection(world: World) -> None:
    world.add("a.png", 1)
    (world.photos / "broken.jpg").write_bytes(b"no")
    done = world.run("07_classify.py", world.photos, "-k", "2", "--json")
    good, bad = json.loads(done.stdout)["results"]
    scores = [label["score"] for label in good["classes"]]
    assert scores == sorted(scores, reverse=True)
    assert len(good["classes"]) == 2 and "error" in bad
    world.run("07_classify.py", world.photos / "a.png", "--save", world.folder / "bars.png")
    (world.folder / "notes").write_text("mine")
    refused = world.run("07_classify.py", world.photos / "a.png", "--save", world.folder / "notes", code=2)
    assert "notes: is another file; expected a new name" in refused.stderr
    assert not (world.folder / "notes.png").exists()
    assert (world.folder / "bars.png").stat().st_size > 5000


def test_classify_names_what_it_leaves_out_below_a_folder(world: World) -> None:
    for name in ("Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}.png", "Zoe\N{COMBINING DIAERESIS}.png"):
        world.add(name, 1)
    results = json.loads(world.run("07_classify.py", world.photos, "--json", "--no-show").stdout)["results"]
    assert [result.get("error", "") for result in results] == [
        "",
        "another file has the same name in another Unicode form; rename one of them",
    ]


def test_datasets_are_listed_and_dropped(world: World) -> None:
    world.add("a.png", 1)
    extract(world)
    world.run("05_build_collections.py")
    assert "album                clip          1" in world.run("05_build_collections.py", "--list").stdout
    for answer in ("n\n", ""):
        assert "nothing dropped" in world.run("05_build_collections.py", "--drop", stdin=answer).stdout
    assert "dropped album_clip, album_vit" in world.run("05_build_collections.py", "--drop", "--yes").stdout
    assert json.loads(world.run("05_build_collections.py", "--list", "--json").stdout) == {"collections": []}


@pytest.mark.parametrize(
    ("script", "args", "message"),
    [
        (
            "01_extract_features.py",
            ["--set", "models.clp=x"],
            "models.clp: unknown key; did you mean models.clip?",
        ),
        ("01_extract_features.py", ["-i", "nowhere"], "no such folder of photos"),
        ("01_extract_features.py", [], "no photos in this folder"),
        ("01_extract_features.py", ["-n", "bad name"], "dataset.name: expected 1 to 100 letters"),
        ("05_build_collections.py", ["-c", "nowhere.yaml"], "nowhere.yaml: no such config file"),
        ("05_build_collections.py", ["--to", ""], "milvus.uri: expected a path that ends in .db"),
        ("05_build_collections.py", ["--to", "nowhere/m.db", "--list"], "nowhere/m.db: no such folder"),
        ("05_build_collections.py", ["--to", "http://a:99999"], "milvus.uri: expected an http(s) URL"),
        (
            "05_build_collections.py",
            ["--set", "milvus.index.options={M: abc}"],
            "milvus.index.options: Milvus Lite 3.2.2 has no further parameters",
        ),
        (
            "06_search.py",
            ["boat", "--set", "milvus.index.search_options={ef: abc}"],
            "milvus.index.search_options: Milvus Lite 3.2.2 has no further parameters",
        ),
        ("06_search.py", ["boat"], "milvus.db: no such database; run 05_build_collections.py"),
        ("06_search.py", ["boat", "--set", "milvus.uri=http://127.0.0.1:1"], "server does not answer"),
        ("06_search.py", ["--set", "milvus.uri=http://127.0.0.1:1"], "server does not answer"),
        ("06_search.py", ["boat", "-k", "0"], "0 is not a whole number from 1 to 16384"),
        ("06_search.py", ["boat", "--save", "a.xyz"], "expected a name ending in .png"),
        ("06_search.py", ["--minus", "snow"], "nothing to search for"),
        ("06_search.py", ["boat", "--weight-text", "nan"], "--weight-text: nan is not a number"),
        ("06_search.py", [os.fsdecode(b"caf\xe9")], "not valid UTF-8"),
        ("06_search.py", ["boat", "--set", "milvus.uri=config.db"], "not a Milvus Lite database"),
        ("01_extract_features.py", ["-i", ".", "--export-npy", "/"], "expected a prefix of file names"),
        ("01_extract_features.py", ["-i", ".", "--set", "dataset.processed=config.yaml/x"], "be created"),
        ("07_classify.py", ["nowhere.jpg"], "nowhere.jpg: no such file, and not a photo of album"),
        ("07_classify.py", ["config.yaml"], "no photo could be read"),
    ],
)
def test_what_the_user_can_fix_is_one_line(world: World, script: str, args: list[str], message: str) -> None:
    draw(1).save(world.folder / "here.png")
    (world.folder / "config.db").write_text("not a database")
    done = world.run(script, *args, code=2)
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_the_reader_of_our_output_may_leave(world: World) -> None:
    for seed in range(3):
        world.add(f"{seed}.png", seed)
    command = f"{sys.executable} {ROOT}/scripts/07_classify.py photos --no-show"
    shell = f"{command} -c config.yaml | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", shell], cwd=world.folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr
