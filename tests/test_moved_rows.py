"""Photos that are moved, swapped and edited between two builds: the rows are those of a full build."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, run_here
from drawn import Drawn, picture_of

from imagesearch.store import Store, indexed_times

JANUARY, MARCH = 1_704_200_000, 1_709_500_000  # of 2024


@pytest.fixture
def drawn(tmp_path: Path) -> Drawn:
    """Six photos of two people, in two folders."""
    drawn = Drawn(tmp_path)
    people = (("Maya",), ("Maya", "Kofi"), ("Kofi",), ("Maya",), ("Kofi",), ("Kofi", "Maya"))
    for seed, (names, path) in enumerate(zip(people, ["a", "b", "c", "d", "x/e", "x/f"], strict=True), 1):
        save(drawn, f"{path}.png", *names, seed=seed)
    return drawn


def save(drawn: Drawn, path: str, *people: str, seed: int) -> None:
    (drawn.photos / path).parent.mkdir(exist_ok=True)
    picture_of(*people, seed=seed)[0].save(drawn.photos / path)


def run(drawn: Drawn, script: str, *args: str) -> str:
    done = run_here([str(ROOT / "scripts" / script), "-c", str(drawn.config_file), *args], drawn.folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def build(drawn: Drawn, *args: str) -> dict[str, dict[str, int]]:
    for script in ("01_extract_features.py", "02_cluster_faces.py", "04_extract_geo.py"):
        run(drawn, script)
    reports = json.loads(run(drawn, "05_build_collections.py", "--json", *args))
    keys = ("inserted", "updated", "moved", "unchanged", "deleted")
    return {kind: {key: report[key] for key in keys} for kind, report in reports.items()}


def read_rows(drawn: Drawn) -> dict[str, dict[int, dict[str, Any]]]:
    """Return all fields of all rows, by collection and key."""
    store = Store(drawn.config().milvus)
    rows: dict[str, dict[int, dict[str, Any]]] = {}
    for collection in store.collections.list_all():
        fields = [f["name"] for f in store.collections.client.describe_collection(collection.name)["fields"]]
        key = collection.ref.key
        found = store.collections.iterate_rows(collection.name, fields)
        rows[collection.ref.kind] = {row[key]: row for row in found}
    store.close()
    return rows


def compare(rows: dict[int, dict[str, Any]], others: dict[int, dict[str, Any]], ignored: set[str]) -> None:
    assert rows.keys() == others.keys()
    for key, row in rows.items():
        for name in row.keys() - ignored:
            if isinstance(row[name], list) and row[name] and isinstance(row[name][0], np.floating | float):
                np.testing.assert_allclose(row[name], others[key][name], atol=1e-5, err_msg=name)
            else:
                assert row[name] == others[key][name], (name, row["path"])


def test_the_rows_after_moves_swaps_and_edits_are_those_of_a_full_build(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(indexed_times, "time", SimpleNamespace(time=lambda: JANUARY))
    build(drawn)
    photos = drawn.photos
    (photos / "x").rename(photos / "y")  # x/e, x/f
    save(drawn, "y/f.png", "Maya", seed=9)  # moved and edited
    (photos / "a.png").rename(photos / "swap")
    (photos / "b.png").rename(photos / "a.png")
    (photos / "swap").rename(photos / "b.png")
    (photos / "d.png").rename(photos / "z.png")  # a chain: d is z, c is d
    (photos / "c.png").rename(photos / "d.png")
    save(drawn, "new.png", "Kofi", seed=10)
    monkeypatch.setattr(indexed_times, "time", SimpleNamespace(time=lambda: MARCH))
    counts = build(drawn)
    assert counts["clip"] == {"inserted": 3, "updated": 3, "moved": 1, "unchanged": 0, "deleted": 2}

    updated = read_rows(drawn)
    times = {row["path"]: row["indexed_at"] for row in updated["clip"].values()}
    assert {path for path, time in times.items() if time == MARCH} == {"new.png", "y/f.png"}
    build(drawn, "--rebuild")
    rebuilt = read_rows(drawn)
    (tmp_path / "fresh").mkdir()
    fresh = Drawn(tmp_path / "fresh")
    shutil.copytree(photos, fresh.photos, dirs_exist_ok=True)
    build(fresh)
    new = read_rows(fresh)
    for kind in ("clip", "vit", "faces"):
        compare(updated[kind], rebuilt[kind], set())
        # the numbers of persons depend on the former clusters
        compare(updated[kind], new[kind], {"indexed_at", "digest", "person", "people", "person_key"})


def test_photos_that_moved_twice_between_builds_are_counted_once(drawn: Drawn) -> None:
    build(drawn)
    photos = drawn.photos
    (photos / "a.png").rename(photos / "z.png")
    run(drawn, "01_extract_features.py")
    (photos / "z.png").unlink()
    (photos / "b.png").rename(photos / "z.png")
    counts = build(drawn)
    assert counts["clip"] == {"inserted": 0, "updated": 0, "moved": 1, "unchanged": 4, "deleted": 1}
    assert counts["vit"] == counts["clip"]
