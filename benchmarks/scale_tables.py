"""The tables, the walk and step 05 with millions of photos: CPU seconds and memory.

    python benchmarks/scale_tables.py [PART ...]        # tables, compaction, append, walk, start, rows
    python benchmarks/scale_tables.py tables --rows 1000000

Each part runs in a process of its own, with a folder that is deleted afterwards. The results are printed, one
JSON object a line, and appended to ``outputs/scale.jsonl``. With 10 million rows, the entries of a table need
about 5 GB of memory; compaction needs 5 GB of disk for a million. Requires Linux.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from scale_parts import measure, report, run_parts

from imagesearch.config import Config, load_config
from imagesearch.geo import PhotoLocation, read_locations
from imagesearch.geo.address import Address
from imagesearch.geo.extract import _METADATA_SCHEMA
from imagesearch.geo.saved_addresses import SavedAddresses
from imagesearch.photos import Photo, PreviewCache, compute_photo_id, list_photos
from imagesearch.pipeline import Dataset, make_vector_column
from imagesearch.pipeline.pending import find_pending_work
from imagesearch.pipeline.processed_photo import PROCESSED_SCHEMA
from imagesearch.pipeline.steps import RunOptions, StepSpec
from imagesearch.pipeline.tables import _MANY_SHARDS, _PHOTOS_IN_COMPACTED_SHARD, Table
from imagesearch.store import Store
from imagesearch.store.records import collect_rows
from imagesearch.trips import Trip

ROOT = Path(__file__).parent.parent
FOLDER_PHOTOS = 500
FINGERPRINT = "bench/1"
DIMENSION = 512
FILE_BYTES, FILE_MTIME_NS = 100, 1_600_000_000_000_000_000  # of the files of a tree
# The photos of this many rows are compared with the folders too; more need too much memory for one machine.
MOST_PHOTOS = 3_000_000
# Tables of more rows have vectors of 8 dimensions; others need too much disk.
MOST_VECTORS = 1_000_000


def make_path(number: int) -> str:
    """Return a path as photo libraries have them, of about 35 bytes."""
    return f"{2000 + number // FOLDER_PHOTOS % 24}/album {number // FOLDER_PHOTOS:06d}/IMG_{number:08d}.jpg"


def make_entries(first: int, count: int) -> pa.Table:
    """Make the entries of some photos."""
    numbers = np.arange(first, first + count)
    paths = [make_path(number) for number in numbers.tolist()]
    contents = np.random.default_rng(first).bytes(16 * count)
    columns = {
        "photo_id": np.fromiter(map(compute_photo_id, paths), np.int64, count),
        "path": paths,
        "size": 3_000_000 + numbers,
        "mtime_ns": 1_600_000_000_000_000_000 + numbers,
        "content": pa.array([contents[i : i + 16] for i in range(0, 16 * count, 16)], pa.binary(16)),
        "width": np.full(count, 4032),
        "height": np.full(count, 3024),
        "error": pa.nulls(count, pa.string()),
    }
    return pa.table(
        {field.name: pa.array(columns[field.name]).cast(field.type) for field in PROCESSED_SCHEMA}
    )


def make_shards(
    rows: int, shard_rows: int, dimension: int, start: int = 0
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Yield the rows and the entries of each shard, to be appended; photo numbers begin at `start`."""
    for first in range(start, start + rows, shard_rows):
        entries = make_entries(first, min(shard_rows, start + rows - first))
        vectors = np.random.default_rng(first).standard_normal((len(entries), dimension), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        yield pa.table({"photo_id": entries["photo_id"], "vector": make_vector_column(vectors)}), entries


def measure_folder(folder: Path) -> dict[str, int]:
    """Return the number and the MB of the files of a table."""
    sizes = [file.stat().st_size for file in folder.iterdir() if file.suffix == ".parquet"]
    return {"files": len(sizes), "disk MB": sum(sizes) // 2**20}


def make_config(folder: Path) -> Config:
    """Return the config of an empty dataset."""
    (folder / "photos").mkdir(exist_ok=True)
    file = folder / "config.yaml"
    file.write_text(
        "dataset: {name: bench, images: photos, processed: p}\nmilvus: {uri: milvus.db}\n"
        f"models: {{clip: {ROOT / 'data/demo/models/clip'}}}\n",
        "utf-8",
    )
    return load_config(file)


# --- parts -------------------------------------------------------------------------------------------------


def measure_tables(rows: int, folder: Path) -> None:
    """Read the entries of a table, in shards as compaction leaves them, in each way that steps read them.

    The vectors have 8 dimensions; only the last but one part reads them.
    """
    dataset = Dataset(make_config(folder))
    table = dataset.open_table("clip")
    table.folder.mkdir(parents=True)
    for data, entries in make_shards(rows, 50_000, 8):
        table.append(FINGERPRINT, data, entries)
    with measure("read_content_hashes", rows):
        table.read_content_hashes()
    with measure("list_paths", rows):
        table.list_paths()
    with measure("read_processed", rows):
        processed = table.read_processed()
    if rows > MOST_PHOTOS:
        return
    file = Path("photo.jpg")  # one for all: the listing makes one for each photo, see "start"
    photos = [Photo(e.photo_id, e.path, file, e.size, e.mtime_ns) for e in processed.values()]
    del processed
    dataset.use_photos(photos)
    with measure("read_current_entries", rows):
        current = dataset.read_current_entries("clip")
    with measure("read_vectors, 8 dimensions", rows):
        table.read_vectors(current.values())
    del current
    spec = StepSpec("clip", (table,), FINGERPRINT, lambda: None)
    with measure("find_pending_work, nothing new", rows):
        work = find_pending_work(spec, photos, {}, RunOptions(32, 2, False, None), make_previews(folder))
    assert not work.missing and not work.removed


def make_previews(folder: Path) -> PreviewCache:
    return PreviewCache(folder / "previews", 512)


def measure_compaction(rows: int, folder: Path) -> None:
    """Append a table of vectors in just too many shards, and compact it; the same after more small shards.

    The small shards have 512 photos, as those that a step writes.
    """
    table = Table(folder / "clip")
    table.folder.mkdir()
    ids: list[int] = []
    dimension = DIMENSION if rows <= MOST_VECTORS else 8
    shards = _MANY_SHARDS + 6 + rows // _PHOTOS_IN_COMPACTED_SHARD
    append_shards(table, make_shards(rows, -(-rows // shards), dimension), dimension, ids)
    with measure(f"compact, {dimension} dimensions", rows) as values:
        table.compact(ids, FINGERPRINT)
        values |= measure_folder(table.folder)
    few = _MANY_SHARDS + 6 + rows // _PHOTOS_IN_COMPACTED_SHARD - measure_folder(table.folder)["files"] // 2
    append_shards(table, make_shards(512 * few, 512, dimension, start=rows), dimension, ids)
    with measure(f"compact, {few} shards of 512 photos more", rows) as values:
        table.compact(ids, FINGERPRINT)
        values |= measure_folder(table.folder)


def append_shards(
    table: Table, shards: Iterator[tuple[pa.Table, pa.Table]], dimension: int, ids: list[int]
) -> None:
    """Append shards, report the time without making them, and add the ids of their photos to a list."""
    before, seconds, photos = measure_folder(table.folder)["disk MB"], 0.0, len(ids)
    for data, entries in shards:
        start = time.process_time()
        table.append(FINGERPRINT, data, entries)
        seconds += time.process_time() - start
        ids += entries["photo_id"].to_pylist()
    values = {"CPU s": round(seconds, 2), "disk MB": measure_folder(table.folder)["disk MB"] - before}
    report(f"append, {dimension} dimensions", len(ids) - photos, **values)


def measure_append(shards: int, folder: Path) -> None:
    """Append a shard of 512 photos to a table that has many; the others are empty files."""
    table = Table(folder / "clip")
    table.folder.mkdir()
    for number in range(1, shards + 1):
        for kind in ("rows", "seen"):
            (table.folder / f"{kind}-{number:06d}.parquet").touch()
    pairs = list(make_shards(512 * 20, 512, DIMENSION))
    with measure("append 20 shards of 512 photos, to so many shards", shards):
        for data, entries in pairs:
            table.append(FINGERPRINT, data, entries)


def measure_walk(rows: int, folder: Path) -> None:
    """List a tree whose folders are in the cache of the system."""
    root = make_tree(folder, rows)
    for what in ("list_photos, first", "list_photos"):
        with measure(what, rows) as values:
            listed = list_photos([root]).photos
            values["photos"] = len(listed)
        del listed


def make_tree(folder: Path, rows: int) -> Path:
    """Make a tree of hard links, in folders of 500, and return it."""
    root, source = folder / "photos", folder / "photo.jpg"
    root.mkdir()
    for number in range(rows):
        if number % 60_000 == 0:  # a file of ext4 has at most 65,000 links
            source = folder / f"photo{number}.jpg"
            source.write_bytes(b"0" * FILE_BYTES)
            os.utime(source, ns=(FILE_MTIME_NS, FILE_MTIME_NS))
        file = root / make_path(number)
        if number % FOLDER_PHOTOS == 0:
            file.parent.mkdir(parents=True)
        os.link(source, file)
    return root


def measure_start(rows: int, folder: Path) -> None:
    """List a tree and compare its photos with a table that has all of them, as steps do at their start."""
    root, table = make_tree(folder, rows), Table(folder / "clip")
    table.folder.mkdir()
    for data, entries in make_shards(rows, 50_000, 8):
        for name, value in (("size", FILE_BYTES), ("mtime_ns", FILE_MTIME_NS)):
            column = pa.array(np.full(len(entries), value, np.int64))
            entries = entries.set_column(entries.column_names.index(name), name, column)
        table.append(FINGERPRINT, data, entries)
    spec = StepSpec("clip", (table,), FINGERPRINT, lambda: None)
    with measure("list_photos and find_pending_work, nothing new", rows):
        photos = list_photos([root]).photos
        work = find_pending_work(spec, photos, {}, RunOptions(32, 2, False, None), make_previews(folder))
    assert len(photos) == rows and not work.missing and not work.removed


def measure_rows(rows: int, folder: Path) -> None:
    """Collect the rows of step 05, with CLIP vectors of 512 dimensions, times, cameras and addresses."""
    config = make_config(folder)
    dataset = Dataset(config)
    photos = fill_dataset(dataset, rows)
    dataset.use_photos(photos)
    with Store(config.milvus) as store:
        with measure("read_locations", rows):
            locations = read_locations(dataset)
        with measure("collect_rows", rows) as values:
            contents = collect_rows(config, dataset, store, None, locations, list[Trip]())
            values["vectors MB"] = sum(r.vectors.nbytes for _, r in contents) // 2**20
            values["scalars MB"] = sum(r.scalars.nbytes for _, r in contents) // 2**20
        with measure("make and hash all rows", rows):
            for _, data in contents:
                for _ in data.iterate_batches(np.arange(rows), 5_000):
                    pass


def fill_dataset(dataset: Dataset, rows: int) -> list[Photo]:
    """Append tables of CLIP vectors and metadata, write the addresses, and return the photos."""
    clip, geo = dataset.open_table("clip"), dataset.open_table("geo")
    clip.folder.mkdir(parents=True)
    geo.folder.mkdir()
    photos, positions, addresses = [], [], []
    for data, entries in make_shards(rows, 50_000, DIMENSION):
        clip.append(get_clip_fingerprint(dataset.config), data, entries)
        ids, paths = entries["photo_id"].to_pylist(), entries["path"].to_pylist()
        numbers = range(len(photos), len(photos) + len(ids))
        geo.append("metadata/4", make_metadata(ids, numbers), entries)
        columns = (entries[name].to_pylist() for name in ("size", "mtime_ns"))
        rows_of_photos = zip(ids, paths, *columns, strict=True)
        photos += [Photo(i, path, Path("photo.jpg"), size, at) for i, path, size, at in rows_of_photos]
        positions += [(i, *make_position(n)) for i, n in zip(ids, numbers, strict=True)]
        addresses += [make_location(n).address for n in numbers]
    SavedAddresses().write(dataset, positions, addresses)
    return photos


def get_clip_fingerprint(config: Config) -> str:
    from imagesearch.features import get_model_id

    return f"{get_model_id('clip', config.models.clip)}/bf16"


def make_position(number: int) -> tuple[float, float]:
    return 15.0 + number % 2000 / 1000, 73.0 + number % 3000 / 1000


def make_metadata(ids: list[int], numbers: range) -> pa.Table:
    count, positions = len(ids), [make_position(number) for number in numbers]
    values = {
        "photo_id": ids,
        "latitude": [latitude for latitude, _ in positions],
        "longitude": [longitude for _, longitude in positions],
        "taken_at": [(1_000_000_000 + 300 * number) * 1000 for number in numbers],
        "camera": ["iPhone 13"] * count,
        "keywords": [["holiday"]] * count,
        "remarks": [[]] * count,
        "time_source": ["exif"] * count,
        "time_precision": ["second"] * count,
    }
    columns = [pa.array(values.get(f.name, [None] * count), f.type) for f in _METADATA_SCHEMA]
    return pa.table(columns, schema=_METADATA_SCHEMA)


def make_location(number: int) -> PhotoLocation:
    """Return the address of a photo, one of 1,000."""
    from imagesearch.photos import PhotoMetadata

    city, state = f"Town {number % 1000}", f"State {number % 50}"
    places = ((city, "city"), (state, "state"), ("India", "country"))
    address = Address(
        city=city, state=state, country="India", address=f"{city}, {state}, India", places=places
    )
    latitude, longitude = make_position(number)
    return PhotoLocation(PhotoMetadata(latitude=latitude, longitude=longitude), address)


PARTS = {
    "tables": measure_tables,
    "compaction": measure_compaction,
    "append": measure_append,
    "walk": measure_walk,
    "start": measure_start,
    "rows": measure_rows,
}
ROWS = {
    "tables": [1_000_000, 3_000_000, 10_000_000],
    "compaction": [200_000, 1_000_000, 10_000_000],
    "append": [100, 20_000],
    "walk": [300_000, 1_000_000],
    "start": [300_000, 1_000_000],
    "rows": [100_000, 300_000],
}

if __name__ == "__main__":
    run_parts(__doc__.splitlines()[0], PARTS, ROWS)
