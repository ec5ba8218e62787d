"""Makes a large album for `web_speed.py`: a drawn album, whose rows and files are repeated.

    python benchmarks/web_album.py FOLDER [--photos 50000] [--clip /tmp/full/clip]

The photos of the drawn album get all their values from the steps. Each copy is a row with another path and
date, and with noise in its vectors. Its file is a hard link to the drawn photo, and its thumbnails are hard
links to those of the drawn photo. The oldest photos have no thumbnails.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import yaml

from imagesearch.config import Config, load_config
from imagesearch.faces import load_people, open_edit_log
from imagesearch.features import save_bands
from imagesearch.geo import PhotoLocation, read_locations
from imagesearch.photos import Photo, compute_photo_id
from imagesearch.pipeline import Dataset
from imagesearch.store import CollectionRef, CollectionRows, Store, build, collection_updates, records
from imagesearch_demo.album import make_album
from imagesearch_demo.scoring import build_album, make_demo_config

DRAWN = 240
WITHOUT_THUMBNAILS = 5_000
"""The number of oldest photos that have no thumbnails."""
_DAYS = 20 * 365  # the copies are up to so many days older than the drawn photos
_NOISE = 0.35  # length of the noise in a vector, which has length 1


def make_large_album(folder: Path, photos: int, clip: Path | None = None) -> Config:
    """Make the album in a folder, unless it is there; return its config."""
    ready = folder / "ready"
    if ready.exists():
        return load_config(folder / "config.yaml")
    folder.mkdir(parents=True, exist_ok=True)
    album = folder / "album"
    truth = make_album(album, DRAWN, seed=6101)
    config = make_demo_config(folder, album)
    if clip is not None:
        settings = yaml.safe_load((folder / "config.yaml").read_text("utf-8"))
        settings["models"]["clip"] = str(clip)
        (folder / "config.yaml").write_text(yaml.safe_dump(settings), "utf-8")
        config = load_config(folder / "config.yaml")
    _report("drawn")
    build_album(config, truth)
    _report("steps finished")
    with Store(config.milvus) as store:
        repeat_rows(config, store, photos)
    _report("rows repeated")
    link_files(config, photos)
    _report("files linked")
    ready.touch()
    return config


def _report(text: str) -> None:
    print(f"{time.strftime('%X')} {text}", flush=True)


def name_copy(path: str, number: int) -> str:
    """Return the path of a photo's copy; 0 is the photo itself."""
    return f"copies/{number:03d}/{path}" if number else path


def list_shifts(copies: int) -> np.ndarray:
    """Return by how many days each copy of the album is older."""
    shifts = np.random.default_rng(5).integers(30, _DAYS, copies)
    shifts[0] = 0
    return shifts


def repeat_rows(config: Config, store: Store, photos: int) -> None:
    """Fill the collections of photos with copies of their rows. The collection of faces stays as it is."""
    dataset = Dataset(config)
    locations = read_locations(dataset)
    contents = records.collect_rows(config, dataset, store, load_people(config, dataset), locations)
    repeated, found = [], dict(locations)
    for spec, rows in contents:
        if spec.ref.kind == "faces":
            continue
        repeated.append((spec, _repeat(rows, photos)))
        found |= _repeat_locations(repeated[-1][1], rows, locations)

    def save_search_data() -> str:
        for spec, rows in repeated:
            if spec.ref.kind == "clip":
                save_bands(config, dataset, rows.vectors)
        vocabulary = build._count_vocabulary(repeated, found, [])
        return replace(vocabulary, edit_count=open_edit_log(dataset).count()).write(dataset.folder)

    collection_updates.update_collections(store, repeated, before_ready=save_search_data)


def _repeat(rows: CollectionRows, photos: int) -> CollectionRows:
    originals = rows.scalars.to_pylist()
    vectors = rows.read_vectors(slice(0, len(originals)))
    rng, made = np.random.default_rng(6), []
    for number, days in enumerate(list_shifts(-(-photos // len(originals))).tolist()):
        for original in originals[: photos - len(made)]:
            path = name_copy(original["path"], number)
            row = original | {"path": path, "photo_id": compute_photo_id(path), "trip": ""}
            if original["has_time"]:
                row["taken_at"] = original["taken_at"] - 86_400 * days
                day = datetime.fromtimestamp(row["taken_at"], UTC)
                row |= {"year": day.year, "month": day.month, "day": day.day, "weekday": day.weekday()}
            made.append(row)
    noise = rng.standard_normal((len(made), vectors.shape[1]), dtype=np.float32)
    noise *= _NOISE / np.sqrt(vectors.shape[1])
    noise[: len(originals)] = 0
    noisy = vectors[np.arange(len(made)) % len(originals)] + noise
    noisy /= np.linalg.norm(noisy, axis=1, keepdims=True)
    return CollectionRows(pa.Table.from_pylist(made, rows.scalars.schema), noisy)


def _repeat_locations(
    repeated: CollectionRows, rows: CollectionRows, locations: dict[int, PhotoLocation]
) -> dict[int, PhotoLocation]:
    old = rows.scalars["photo_id"].to_pylist()
    new = repeated.scalars["photo_id"].to_pylist()
    pairs = ((photo, locations.get(old[n % len(old)])) for n, photo in enumerate(new))
    return {photo: location for photo, location in pairs if location is not None}


def link_files(config: Config, photos: int) -> None:
    """Make the files of the copies, and the thumbnails of all photos except the oldest, by hard links."""
    dataset = Dataset(config)
    drawn = list(dataset.photos)
    for photo in drawn:
        dataset.thumbnails.make(photo)
    with Store(config.milvus) as store:
        hits = list(store.read_all_rows(CollectionRef("album", "clip"), ("path", "taken_at", "has_time")))
    hits.sort(key=lambda hit: hit.fields["taken_at"] if hit.fields["has_time"] else 0)
    without = {hit.fields["path"] for hit in hits[:WITHOUT_THUMBNAILS]}
    root, sources = dataset.roots[0], {photo.path: photo for photo in drawn}
    for hit in hits:
        path = hit.fields["path"]
        if not path.startswith("copies/"):
            continue
        source = sources[path.split("/", 2)[2]]
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        os.link(source.file, root / path)
        if path not in without:
            _link_thumbnails(dataset, source, replace(source, photo_id=compute_photo_id(path), path=path))


def _link_thumbnails(dataset: Dataset, source: Photo, copy: Photo) -> None:
    for size in (256, 512):
        file = dataset.thumbnails._locate(copy, size)
        file.parent.mkdir(parents=True, exist_ok=True)
        os.link(dataset.thumbnails._locate(source, size), file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=50_000)
    parser.add_argument("--clip", type=Path, help="folder of a CLIP model; default: the demo's")
    args = parser.parse_args()
    make_large_album(args.folder, args.photos, args.clip)


if __name__ == "__main__":
    main()
