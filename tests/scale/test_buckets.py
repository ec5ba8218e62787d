"""Photos in a bucket: the same tables as those of a folder, and nothing is read twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT, Done, run_here

from imagesearch.pipeline.tables import Table
from imagesearch_demo.album import make_album
from imagesearch_demo.scoring import make_demo_config

if TYPE_CHECKING:
    from s3_server import S3Server

pytest_plugins = ["s3_server"]
PHOTOS = 16
TABLES = ("clip", "vit", "classes", "faces", "geo")


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn album on the disk, with a config and the tables and collections of all steps."""
    folder = tmp_path_factory.mktemp("folder")
    make_album(folder / "album", PHOTOS, seed=21, workers=0)
    make_demo_config(folder, folder / "album")
    run(folder, "00_run_steps.py")
    return folder


def run(folder: Path, script: str, *args: str | Path, code: int = 0) -> Done:
    """Run a script with the config of a folder, and check its exit code."""
    done = run_here([str(ROOT / "scripts" / script), "-c", "config.yaml", *map(str, args)], folder)
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def read_tables(folder: Path) -> dict[str, list]:
    """Return the entries and rows of all tables, without the times of the files."""
    tables: dict[str, list] = {}
    for name in TABLES:
        table = Table(folder / "processed" / "album" / name)
        entries = table.read_processed()
        tables[f"{name} entries"] = sorted(
            (e.photo_id, e.path, e.size, e.content, e.width, e.height, e.error) for e in entries.values()
        )
        rows = table.read_rows(entries.values())
        tables[name] = sorted(rows.to_pylist(), key=repr)
    return tables


def test_a_bucket_gives_the_tables_and_answers_of_the_folder(
    s3: S3Server, album: Path, tmp_path: Path
) -> None:
    s3.put_folder(album / "album", "my album")
    s3.put("my album 2/other.jpg", b"not below the prefix")
    make_demo_config(tmp_path, Path("replaced"))
    use_bucket(tmp_path, "s3://photos/my album")
    run(tmp_path, "00_run_steps.py")
    assert read_tables(tmp_path) == read_tables(album)
    assert len(s3.take_reads()) == PHOTOS

    assert f"0 new, {PHOTOS} unchanged" in run(tmp_path, "00_run_steps.py").stdout
    assert s3.take_reads() == []

    question = ("06_search.py", "a party", "--json", "--no-show")
    answers = [json.loads(run(folder, *question).stdout)["results"] for folder in (album, tmp_path)]
    for result in answers[1]:
        assert result["file"] == f"s3://photos/my album/{result['path']}"
    for result in [*answers[0], *answers[1]]:
        del result["file"], result["indexed_at"]
    assert answers[0] == answers[1]

    folder = min((album / "album").iterdir()).name
    found = [
        run(tmp_path, "06_search.py", "--under", under, "--paths", "--no-show").stdout.splitlines()
        for under in (folder, f"s3://photos/my album/{folder}")
    ]
    assert found[0] == found[1] and found[0][0].startswith(f"s3://photos/my album/{folder}/")

    # names are not written beside objects
    run(tmp_path, "03_name_people.py", "--name", "1=Maya")
    error = run(tmp_path, "03_name_people.py", "--to-xmp", code=2).stderr
    assert (
        "no sidecar could be written" in error and "in a bucket, beside which no sidecar is written" in error
    )


def use_bucket(folder: Path, address: str) -> None:
    file = folder / "config.yaml"
    text = file.read_text("utf-8")
    start = text.index("images: ")
    line = text[start : text.index("\n", start)]
    file.write_text(text.replace(line, f"images: {address}"), "utf-8")
