"""Builds a searchable drawn album: runs all steps, and names the people by the ground truth."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import yaml

from imagesearch.config import Config, load_config
from imagesearch.faces import People, PeopleEditor, cluster_people, detect_faces
from imagesearch.features import extract_features
from imagesearch.geo import extract_geo
from imagesearch.photos import compute_iou
from imagesearch.pipeline import Dataset
from imagesearch.store import Store, build_collections
from imagesearch_demo.scoring.model_scores import DET_SIZE, MODELS

_SAME_FACE = 0.5  # minimum intersection over union of a detected and a true box


def make_demo_config(folder: Path, photos: Path) -> Config:
    """Write a config file for an album with the demo's models into a folder; return the loaded config."""
    file = folder / "config.yaml"
    settings = {
        "dataset": {"name": "album", "images": str(photos.absolute()), "processed": "processed"},
        "models": {kind: str(MODELS / kind) for kind in ("clip", "vit", "faces")},
        "faces": {"det_size": DET_SIZE, "min_size": 20},
        "milvus": {"uri": "milvus.db"},
    }
    file.write_text(yaml.safe_dump(settings), "utf-8")
    return load_config(file)


def build_album(config: Config, truth: dict) -> None:
    """Run steps 01 to 05 on an album, and name its people by the ground truth."""
    dataset = Dataset(config)
    extract_features(config, dataset)
    detect_faces(config, dataset)
    cluster_people(config, dataset)
    name_people(config, dataset, truth)
    extract_geo(config, dataset)
    with Store(config.milvus) as store:
        build_collections(config, dataset, store)


def name_people(config: Config, dataset: Dataset, truth: dict) -> None:
    """Name each cluster after the person with most faces in it, as a user would who knows all of them."""
    editor = PeopleEditor(config, dataset)
    names = match_true_names(editor.people, truth)
    for person in editor.people.persons:
        ((name, _),) = Counter(names[row] for row in person.rows.tolist()).most_common(1)
        if name:
            editor.name_person(str(person.number), name)
    editor.refresh()


def rename_person(config: Config, name: str, to: str) -> None:
    """Rename a person, and update the collections."""
    dataset = Dataset(config)
    editor = PeopleEditor(config, dataset)
    editor.name_person(name, to)
    editor.refresh()
    with Store(config.milvus) as store:
        build_collections(config, dataset, store)


def match_true_names(people: People, truth: dict) -> list[str]:
    """Return the true name of each face; "" if nobody was drawn there."""
    drawn = {photo["path"]: photo["people"] for photo in truth["photos"]}
    names = []
    for row in range(len(people.faces)):
        box = people.faces.boxes[row].tolist()
        ious = [
            (compute_iou(box, person["box"]), person["name"])
            for person in drawn[people.faces.get_photo(row).path]
        ]
        best, name = max(ious, default=(0.0, ""))
        names.append(name if best >= _SAME_FACE else "")
    return names
