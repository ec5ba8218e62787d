"""Twelve processed photos, and the people in them as stored in Milvus."""

from __future__ import annotations

import shutil
from pathlib import Path

from conftest import draw
from drawn import Drawn, picture_of

from imagesearch.faces import People, cluster_people, load_people
from imagesearch.features import extract_features
from imagesearch.store import CollectionRef, Store, build_collections

_NAMES = ["Maya", "Maya", "Maya", "Maya", "Kofi", "Kofi", "Kofi", "Noor", "Noor"]


def process_twelve_photos(folder: Path) -> Drawn:
    """Draw nine photos of one person, one of two people and two of nobody; run the steps 01 and 02."""
    drawn = Drawn(folder)
    for i, name in enumerate(_NAMES):
        picture_of(name, seed=300 + i)[0].save(drawn.photos / f"{name.lower()}{i}.jpg", quality=92)
    picture_of("Maya", "Kofi", seed=320)[0].save(drawn.photos / "both.jpg", quality=92)
    picture_of(seed=321)[0].save(drawn.photos / "lake.jpg", quality=92)
    draw(1).save(drawn.photos / "discs.png")
    extract_features(drawn.config(), drawn.dataset())
    drawn.detect()
    cluster_people(drawn.config(), drawn.dataset())
    return drawn


def copy_world(source: Drawn, folder: Path) -> Drawn:
    """Copy photos and all results into a new folder below `folder`."""
    return Drawn(shutil.copytree(source.folder, folder / "world"))


def build(drawn: Drawn) -> None:
    with Store(drawn.config().milvus) as store:
        build_collections(drawn.config(), drawn.dataset(), store)


def read_photo_rows(drawn: Drawn, kind: str = "clip") -> dict[str, tuple[list[str], int]]:
    """Return the labels and the number of faces of each photo in Milvus, by path."""
    keys = [photo.photo_id for photo in drawn.dataset().photos]
    with Store(drawn.config().milvus) as store:
        hits = store.read_rows(CollectionRef("album", kind), keys, ("path", "face_labels", "face_count"))
    return {hit.fields["path"]: (list(hit.fields["face_labels"]), hit.fields["face_count"]) for hit in hits}


def read_face_rows(drawn: Drawn) -> dict[int, dict]:
    fields = ("photo_id", "label", "cluster", "det_score", "x1", "y1", "x2", "y2")
    with Store(drawn.config().milvus) as store:
        return {
            hit.id: hit.fields
            for hit in store.read_rows(CollectionRef("album", "faces"), drawn.faces().ids.tolist(), fields)
        }


def read_people(drawn: Drawn) -> People:
    return load_people(drawn.config(), drawn.dataset())
