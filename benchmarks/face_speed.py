"""Speed of step 02's face detection and recognition, compared with InsightFace's own loop.

    python benchmarks/face_speed.py --pack FOLDER [--photos 12] [--rounds 5] [--sweep] [--json]

FOLDER is ``faces`` of full_size_models.py, or ``data/demo/models/faces``. The library's loop is
``FaceAnalysis.get`` with its default session options: it detects faces photo by photo, and recognises them
one by one. Both sides process the same drawn pictures alternately, in one process. A ratio is the library's
time divided by this program's time in the same round. The output has medians.

Recognition gets two fixed boxes in each photo, and detection is measured alone. ``--sweep`` measures other
numbers of photos in flight, and of faces in one run of the recognition model.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from imagesearch.faces import FaceDetector
from imagesearch_demo.drawing import CAST, PictureSpec, draw_picture

MIN_SCORE = 0.3
SIDE = 1024  # of the photos, as extraction.preview_size
# The five landmarks of a face in a square, as shares of its side.
LANDMARKS = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
# Left and top corners and sides of the two fixed boxes, as shares of a photo's shorter side.
BOXES = ((0.1, 0.1, 0.3), (0.5, 0.4, 0.35))


def draw_photos(count: int) -> list[Image.Image]:
    """Draw pictures of one to three people."""
    photos = []
    for i in range(count):
        people = tuple(CAST[(i + j) % len(CAST)] for j in range(1 + i % 3))
        spec = PictureSpec(("beach", "lake", "snow", "harbour")[i % 4], "day", (), people, i, "mid", False)
        image, _ = draw_picture(spec, 2.0)
        image.thumbnail((SIDE, SIDE))
        photos.append(image)
    return photos


class LibraryLoop:
    """InsightFace's own loop: detection photo by photo, recognition face by face."""

    def __init__(self, pack: Path, det_size: int) -> None:
        from insightface.app import FaceAnalysis

        with contextlib.redirect_stdout(io.StringIO()):
            modules, providers = ["detection", "recognition"], ["CPUExecutionProvider"]
            self.app = FaceAnalysis(str(pack.absolute()), allowed_modules=modules, providers=providers)
            self.app.prepare(0, det_thresh=MIN_SCORE, det_size=(det_size, det_size))

    def run_all(self, photos: list[Image.Image]) -> list:
        return [self.app.get(to_bgr(photo)) for photo in photos]

    def run_detection(self, photos: list[Image.Image]) -> list:
        return [self.app.det_model.detect(to_bgr(photo)) for photo in photos]

    def run_recognition(self, photos: list[Image.Image]) -> np.ndarray:
        from insightface.app.common import Face

        model, embeddings = self.app.models["recognition"], []
        for photo in photos:
            bgr = to_bgr(photo)
            embeddings += [model.get(bgr, Face(kps=points)) for points in place_landmarks(photo)]
        return np.stack(embeddings)


def to_bgr(photo: Image.Image) -> np.ndarray:
    return np.ascontiguousarray(np.asarray(photo)[..., ::-1])


def place_landmarks(photo: Image.Image) -> list[np.ndarray]:
    shorter = min(photo.size)
    return [
        (shorter * (np.array([left, top]) + side * LANDMARKS)).astype(np.float32) for left, top, side in BOXES
    ]


class OnlyDetection(FaceDetector):
    """A detector that skips recognition."""

    def _embed_faces(self, crops):
        return [np.ones(512, np.float32) for _ in crops]


class OnlyRecognition(FaceDetector):
    """A detector that gets two fixed boxes in each photo instead of detecting."""

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self._detection = self

    def detect(self, bgr):
        points = place_landmarks(Image.fromarray(bgr[..., :1].repeat(3, -1)))
        boxes = [[*p.min(axis=0), *p.max(axis=0), 0.9] for p in points]
        return np.array(boxes, np.float32), np.stack(points)


def compare(sides: dict[str, Callable[[], object]], rounds: int, photos: int) -> dict[str, dict]:
    """Run the sides alternately, and return the time of each and its ratio to the first side."""
    for run in sides.values():
        run()  # warm-up
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for i in range(rounds):
        names = list(sides) if i % 2 == 0 else list(sides)[::-1]
        for name in names:
            start = time.perf_counter()
            sides[name]()
            seconds[name].append(time.perf_counter() - start)
    reference = seconds[next(iter(sides))]
    return {
        name: {
            "ms_per_photo": round(1000 * statistics.median(times) / photos, 1),
            "ratio": round(statistics.median(a / b for a, b in zip(reference, times, strict=True)), 2),
        }
        for name, times in seconds.items()
    }


def check_results(library: list, ours: list) -> dict:
    """Compare the faces of both sides: the largest difference of boxes, and the smallest cosine."""
    difference, cosine, faces = 0.0, 1.0, 0
    for expected, found in zip(library, ours, strict=True):
        if len(expected) != len(found):
            raise SystemExit(f"{len(found)} faces, expected {len(expected)}")
        boxes = [face.bbox.tolist() for face in expected]
        for face in found:
            distances = [np.abs(face.box - np.float32(box)).max() for box in boxes]
            nearest = expected[int(np.argmin(distances))]
            difference = max(difference, float(min(distances)))
            cosine = min(cosine, float(face.embedding @ nearest.normed_embedding))
            faces += 1
    return {"faces": faces, "box_difference": difference, "min_cosine": round(cosine, 6)}


def sweep_detection(pack: Path, det_size: int, library: LibraryLoop, photos, rounds: int) -> dict:
    sides: dict[str, Callable] = {"library": lambda: library.run_detection(photos)}
    cores = os.cpu_count() or 1
    for n in sorted({1, 2, cores, 2 * cores}):
        detector = OnlyDetection(str(pack.absolute()), "cpu", det_size, MIN_SCORE, n)
        sides[f"{n} in flight"] = lambda d=detector: d.detect_batch(photos)
    return compare(sides, rounds, len(photos))


def sweep_recognition(pack: Path, det_size: int, library: LibraryLoop, photos, rounds: int) -> dict:
    sides: dict[str, Callable] = {"library": lambda: library.run_recognition(photos)}
    for n in sorted({1, os.cpu_count() or 1}):
        for faces in (1, 2, 4, 8, 16, 32, 64):
            if n * faces > 2 * len(photos):
                continue
            detector = OnlyRecognition(str(pack.absolute()), "cpu", det_size, MIN_SCORE, n)
            detector._max_faces = faces
            sides[f"{n} in flight, {faces} faces"] = lambda d=detector: d.detect_batch(photos)
    return compare(sides, rounds, len(photos))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--det-size", type=int, default=640)
    parser.add_argument("--photos", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sweep", action="store_true", help="compare other numbers of photos and faces")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    args = parser.parse_args()
    photos, library = draw_photos(args.photos), LibraryLoop(args.pack, args.det_size)
    options = (str(args.pack.absolute()), "cpu", args.det_size, MIN_SCORE, min(os.cpu_count() or 1, 8))
    both, detection, recognition = (cls(*options) for cls in (FaceDetector, OnlyDetection, OnlyRecognition))
    result = {"equal": check_results(library.run_all(photos), both.detect_batch(photos))}
    if args.sweep:
        result["detection"] = sweep_detection(args.pack, args.det_size, library, photos, args.rounds)
        result["recognition"] = sweep_recognition(args.pack, args.det_size, library, photos, args.rounds)
    else:
        for part, theirs, ours in (
            ("detection", library.run_detection, detection),
            ("recognition", library.run_recognition, recognition),
            ("both", library.run_all, both),
        ):
            sides = {
                "library": lambda run=theirs: run(photos),
                "this": lambda run=ours.detect_batch: run(photos),
            }
            result[part] = compare(sides, args.rounds, len(photos))
    if args.json:
        print(json.dumps(result))
        return
    for part, row in result.items():
        print(part)
        for name, value in row.items():
            print(f"  {name}: {value}")


if __name__ == "__main__":
    main()
