"""Drawn pictures for tests of faces: the small models, pictures of the cast, and the boxes of their faces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from conftest import ROOT
from PIL import Image

from imagesearch.config import Config, load_config
from imagesearch.faces import detect_faces
from imagesearch.faces.extract import FaceTable, read_faces
from imagesearch.photos import compute_iou, compute_photo_id
from imagesearch.pipeline import Dataset, StepSummary
from imagesearch_demo.drawing import CAST, CastMember, PictureSpec, PictureTruth, draw_picture

MODELS = ROOT / "data" / "demo" / "models"
BY_NAME = {person.name: person for person in CAST}
_SCENES = ("beach", "lake", "snow", "harbour")


def picture_of(
    *people: str | CastMember, seed: int = 1, framing: str = "mid", scale: float = 1.0, upright: bool = False
) -> tuple[Image.Image, PictureTruth]:
    """Draw a picture of people, given by their names in the cast; another seed gives another picture."""
    who = tuple(BY_NAME[p] if isinstance(p, str) else p for p in people)
    spec = PictureSpec(_SCENES[seed % len(_SCENES)], "day", (), who, seed, framing, upright)
    return draw_picture(spec, scale)


def boxes_of(truth: PictureTruth) -> list[list[float]]:
    return [person["box"] for person in truth.people]


class Drawn:
    """A folder of drawn photos with a config for the small models, and the results of the steps."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.photos = folder, folder / "photos"
        self.photos.mkdir(parents=True, exist_ok=True)
        self.config_file = folder / "config.yaml"
        settings = {
            "dataset": {"name": "album", "images": "photos", "processed": "processed"},
            "models": {kind: str(MODELS / kind) for kind in ("clip", "vit", "faces")},
            "faces": {"det_size": 320, "min_size": 20},
            "milvus": {"uri": "milvus.db"},
        }
        self.config_file.write_text(yaml.safe_dump(settings), "utf-8")

    def config(self, *assignments: str) -> Config:
        return load_config(self.config_file, assignments)

    def dataset(self, *assignments: str) -> Dataset:
        """Return the dataset as a new run of a script reads it."""
        return Dataset(self.config(*assignments))

    def detect(self, *assignments: str) -> StepSummary:
        return detect_faces(self.config(*assignments), self.dataset(*assignments))

    def faces(self, *assignments: str) -> FaceTable:
        return read_faces(self.dataset(*assignments))

    def boxes(self, path: str, *assignments: str) -> np.ndarray:
        faces = self.faces(*assignments)
        return faces.boxes[faces.photo_ids == compute_photo_id(path)]


def are_where_they_are(found: Sequence, true: Sequence, least: float = 0.5) -> bool:
    """Return whether each true box overlaps a detected one, and there are no other detections."""
    best = [max((compute_iou(t, f) for f in np.asarray(found).tolist()), default=0.0) for t in true]
    return len(found) == len(true) and min(best, default=1.0) >= least
