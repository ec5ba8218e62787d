"""A process that updates a dataset again and again: what it keeps never changes the collections."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml
from conftest import ROOT, run_here
from drawn import Drawn, picture_of

from imagesearch.faces import assign_new_faces, cluster_people, detect_faces
from imagesearch.faces.saved_clusters import read_clusters, write_clusters
from imagesearch.features import extract_features
from imagesearch.geo import extract_geo
from imagesearch.geo.saved_addresses import SavedAddresses
from imagesearch.pipeline import Dataset, KnownResults, ProcessMemory
from imagesearch.pipeline.known_entries import KnownEntries
from imagesearch.pipeline.processed_photo import make_processed_table
from imagesearch.pipeline.tables import Table
from imagesearch.store import (
    PHOTO_FIELDS,
    BuildReport,
    CollectionRef,
    Store,
    Vocabulary,
    build_collections,
    known_rows,
    name_trip,
)
from imagesearch.store.known_rows import make_scalars

GOA, KYOTO = ("15.55", "73.75"), ("35.01", "135.77")


class Updates:
    """An album that is updated by one process, with a memory, through one connection."""

    def __init__(self, folder: Path) -> None:
        self.drawn, self.memory = Drawn(folder), ProcessMemory()
        settings = yaml.safe_load(self.drawn.config_file.read_text("utf-8"))
        settings["dataset"]["images"] = ["photos", "photos.csv"]
        settings["geo"] = {"date_from_name": True}
        self.drawn.config_file.write_text(yaml.safe_dump(settings), "utf-8")
        self.config = self.drawn.config()
        self.store: Store | None = None

    def save(self, name: str, *people: str, seed: int) -> None:
        picture_of(*people, seed=seed)[0].save(self.drawn.photos / name)

    def write_list(self, titles: dict[str, str], in_kyoto: Sequence[str] = ()) -> None:
        names = ("path", "title", "photo_location_latitude", "photo_location_longitude")
        with (self.drawn.folder / "photos.csv").open("w", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(names)
            for name, title in titles.items():
                lines.writerow((f"photos/{name}", title, *(KYOTO if name in in_kyoto else GOA)))

    def update(self, cluster: bool = False) -> dict[str, BuildReport]:
        config = self.config
        dataset = Dataset(config, memory=self.memory)
        extract_features(config, dataset)
        detect_faces(config, dataset)
        (cluster_people if cluster else assign_new_faces)(config, dataset)
        extract_geo(config, dataset, keep_addresses=self.store is not None)
        self.store = self.store or Store(config.milvus)
        return build_collections(config, dataset, self.store)

    def check(self) -> None:
        """Assert that the collections and the vocabulary are those of a build that remembers nothing."""
        vocabulary = Vocabulary.read(Dataset(self.config).folder)
        uri = str(self.drawn.folder / "other.db")
        other = self.config.model_copy(update={"milvus": self.config.milvus.model_copy(update={"uri": uri})})
        with Store(other.milvus) as store:
            build_collections(other, Dataset(other), store, rebuild=True)
            assert read_rows(self.store) == read_rows(store)
        assert Vocabulary.read(Dataset(self.config).folder) == vocabulary


def read_rows(store: Store) -> dict[str, dict[int, dict[str, Any]]]:
    rows = {}
    for collection in store.collections.list_all():
        described = store.collections.client.describe_collection(collection.name)
        names = [field["name"] for field in described["fields"]]
        found = store.collections.iterate_rows(collection.name, names)
        rows[collection.ref.kind] = {row[collection.ref.key]: row for row in found}
    return rows


@pytest.fixture
def updates(tmp_path: Path) -> Updates:
    updates = Updates(tmp_path)
    for number, people in enumerate((("Maya",), ("Maya", "Kofi"), ("Kofi",), ("Maya",)), 1):
        updates.save(f"2024010{number}_101500.png", *people, seed=number)
    updates.write_list({"20240101_101500.png": "one", "20240102_101500.png": "two"})
    updates.update(cluster=True)
    yield updates
    updates.store.close()


def test_photos_that_come_change_move_and_go(updates: Updates) -> None:
    photos = updates.drawn.photos
    updates.save("20240105_101500.png", "Maya", seed=9)
    reports = updates.update()
    assert (reports["clip"].inserted, reports["clip"].updated, reports["clip"].unchanged) == (1, 0, 4)
    updates.check()

    updates.save("20240103_101500.png", "Maya", "Kofi", seed=11)
    (photos / "20240104_101500.png").rename(photos / "20230704_101500.png")
    (photos / "20240105_101500.png").unlink()
    reports = updates.update()
    assert (reports["clip"].updated, reports["clip"].moved, reports["clip"].deleted) == (1, 1, 1)
    updates.check()


def test_names_trips_and_lists_that_others_edit(updates: Updates) -> None:
    update_names(updates, "1=Ana")
    updates.update()
    rows = read_rows(updates.store)["clip"].values()
    assert any("Ana" in row["face_labels"] for row in rows)
    updates.check()

    updates.save("20240301_101500.png", seed=13)
    in_kyoto = [f"2024010{number}_101500.png" for number in (1, 2, 3)]
    titles = dict(zip((*in_kyoto, "20240301_101500.png"), ("first", "two", "three", "home"), strict=True))
    updates.write_list(titles, in_kyoto)
    updates.update()
    rows = {row["path"]: row for row in read_rows(updates.store)["clip"].values()}
    assert rows["photos/20240101_101500.png"]["extra_1"] == "first"
    assert rows["photos/20240103_101500.png"]["country"] == "Japan"
    updates.check()

    trips = Vocabulary.read(Dataset(updates.config).folder).trips
    name_trip(Dataset(updates.config), trips[0].name, "New Year")
    updates.update()
    assert "New Year" in {row["trip"] for row in read_rows(updates.store)["clip"].values()}
    updates.check()


def test_an_update_without_changes_makes_no_rows(updates: Updates, monkeypatch: pytest.MonkeyPatch) -> None:
    updates.update()
    made = []

    def count_rows(spec, ids, rows):
        made.extend(rows)
        return make_scalars(spec, ids, rows)

    monkeypatch.setattr("imagesearch.store.known_rows.make_scalars", count_rows)
    reports = updates.update()
    assert made == [] and {report.updated + report.inserted for report in reports.values()} == {0}
    updates.save("20240106_101500.png", seed=12)
    updates.update()
    assert len(made) == 2  # of clip and vit


def test_clusters_and_addresses_that_others_write_are_read_again(updates: Updates) -> None:
    dataset, other = Dataset(updates.config, memory=updates.memory), Dataset(updates.config)
    known = read_clusters(dataset)
    assert known.members and read_clusters(dataset) is known
    write_clusters(other, replace(known, members={}))
    assert read_clusters(dataset).members == {}

    addresses = dataset.recall(SavedAddresses)
    position, address = next(iter(addresses.read(dataset).items()))
    changed = replace(address, city="Elsewhere")
    SavedAddresses().write(other, [position], [changed])
    assert addresses.read(dataset) == {position: changed}


def update_names(updates: Updates, name: str) -> None:
    command = [str(ROOT / "scripts" / "03_name_people.py"), "-c", str(updates.drawn.config_file)]
    done = run_here([*command, "--name", name], updates.drawn.folder)
    assert done.returncode == 0, done.stderr


def append(table: Table, *photos: tuple[int, int], error: str | None = None) -> None:
    seen = [(photo, f"{photo}.jpg", size, 0, bytes(16), 1, 1, error) for photo, size in photos]
    table.append("f", pa.table({"photo_id": pa.array([p for p, _ in photos])}), make_processed_table(seen))


def test_only_new_files_of_a_table_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = KnownEntries()
    reads: list[int] = []
    original = Table._load_shard

    def load(self, kind, shard, columns=None):
        reads.append(shard)
        return original(self, kind, shard, columns)

    monkeypatch.setattr(Table, "_load_shard", load)
    table = Table(tmp_path / "clip", known)
    append(table, (1, 10), (2, 20))
    first = table.read_processed()
    assert table.read_processed() is first and reads == [1]
    append(table, (2, 21), (3, 30), error="broken")
    sizes = {photo: entry.size for photo, entry in Table(tmp_path / "clip", known).read_processed().items()}
    assert (sizes, reads) == ({1: 10, 2: 21, 3: 30}, [1, 2])
    assert {photo: entry.size for photo, entry in first.items()} == {1: 10, 2: 20}
    assert table.read_errors() == {2: "broken", 3: "broken"}
    assert list(table.read_processed(pa.array([3, 4], pa.int64()))) == [3]


def test_a_table_that_was_made_again_is_read_in_full(tmp_path: Path) -> None:
    table = Table(tmp_path / "clip", KnownEntries())
    append(table, (1, 10), (2, 20))
    assert set(table.read_processed()) == {1, 2}
    for file in table.folder.iterdir():
        file.unlink()
    assert table.read_processed() == {}
    append(table, (3, 300))
    assert set(table.read_processed()) == {3}


def test_results_are_computed_for_changed_inputs_only() -> None:
    known: KnownResults[int] = KnownResults()
    computed: list[int] = []

    def double(changed: dict[int, tuple]) -> dict[int, int]:
        computed.extend(changed)
        return {key: 2 * value for key, (value,) in changed.items() if value >= 0}

    assert known.update([(1, (5,)), (2, (6,)), (3, (-1,))], double) == {1: 10, 2: 12}
    assert known.update([(1, (5,)), (2, (7,)), (3, (-1,))], double) == {1: 10, 2: 14}
    assert known.update([(1, (5,))], double) == {1: 10}
    assert known.update([(2, (7,)), (1, (5,))], double) == {2: 14, 1: 10}
    assert computed == [1, 2, 3, 2, 2]
    last = known.update([(2, (7,)), (1, (5,))], double)
    assert last is known.update([(1, (5,)), (2, (7,))], double)


def test_a_memory_keeps_one_object_of_each_class(tmp_path: Path) -> None:
    config, memory = Drawn(tmp_path).config(), ProcessMemory()
    one, other = Dataset(config, memory=memory), Dataset(config, memory=memory)
    assert one.recall(KnownEntries) is other.recall(KnownEntries)
    assert Dataset(config).recall(KnownEntries) is not Dataset(config).recall(KnownEntries)


def test_rows_made_in_blocks_have_the_order_of_their_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_rows, "_BLOCK_ROWS", 2)
    spec: Any = SimpleNamespace(ref=CollectionRef("album", "clip"), fields=PHOTO_FIELDS)
    rows = known_rows.KnownRows()

    def update(numbers: dict[int, int]) -> list[tuple[int, str]]:
        ids = np.array(list(numbers), np.int64)
        inputs = ((number,) for number in numbers.values())
        vectors = np.zeros((len(ids), 4), np.float32)
        made = rows.update(spec, ids, inputs, lambda position, n: {"path": f"{ids[position]}-{n}"}, vectors)
        return list(zip(*(made.scalars[name].to_pylist() for name in ("photo_id", "path")), strict=True))

    assert update({5: 0, 3: 0, 9: 0, 1: 0, 7: 0}) == [(i, f"{i}-0") for i in (5, 3, 9, 1, 7)]
    changed = update({3: 1, 9: 0, 1: 2, 7: 3, 4: 0})
    assert changed == [(3, "3-1"), (9, "9-0"), (1, "1-2"), (7, "7-3"), (4, "4-0")]
    assert update({}) == []
