"""Faces of several photos at once: the same as in InsightFace's own loop, and an error stays in its photo."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from drawn import MODELS, Drawn, picture_of
from insightface.app import FaceAnalysis
from PIL import Image

from imagesearch.faces import FaceDetector
from imagesearch.faces.detector import DetectedFace
from imagesearch.photos import compute_photo_id

PEOPLE = (("Maya",), ("Kofi", "Zoë"), (), ("Maya", "Kofi", "Zoë", "Kim"), ("Noor",), ("Kim", "Noor", "Maya"))


def draw_images() -> list[Image.Image]:
    return [picture_of(*people, seed=71 + i)[0] for i, people in enumerate(PEOPLE)]


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the demo's pack with a variable number of faces in one run, as InsightFace's packs have it."""
    folder = tmp_path_factory.mktemp("pack")
    shutil.copy(MODELS / "faces" / "det_drawn.onnx", folder)
    model = onnx.load(MODELS / "faces" / "rec_drawn.onnx")
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    del model.graph.value_info[:]
    (reshape,) = (node for node in model.graph.node if node.op_type == "Reshape")
    (shape,) = (tensor for tensor in model.graph.initializer if tensor.name == reshape.input[1])
    sizes = onnx.numpy_helper.to_array(shape)
    shape.CopyFrom(onnx.numpy_helper.from_array(np.array([-1, *sizes[1:]], np.int64), shape.name))
    onnx.save(model, folder / "rec_drawn.onnx")
    return folder


def make_detector(pack: Path, in_flight: int = 2) -> FaceDetector:
    return FaceDetector(str(pack), "cpu", 320, 0.5, in_flight)


def record_runs(detector: FaceDetector, check: Callable[[list[np.ndarray]], None]) -> list[int]:
    """Call ``check`` before each run of the recogniser; return the list that gets the sizes of the runs."""
    embed, sizes = detector._recognition.get_feat, []

    def run(crops: list[np.ndarray]) -> np.ndarray:
        sizes.append(len(crops))
        check(crops)
        return embed(crops)

    detector._recognition.get_feat = run
    return sizes


@pytest.fixture(scope="module")
def library() -> FaceAnalysis:
    modules, providers = ["detection", "recognition"], ["CPUExecutionProvider"]
    app = FaceAnalysis(str(MODELS / "faces"), allowed_modules=modules, providers=providers)
    app.prepare(0, det_thresh=0.5, det_size=(320, 320))
    return app


def sort_faces(faces: list) -> list:
    return sorted(faces, key=lambda f: -float((f.bbox[2] - f.bbox[0]) * (f.bbox[3] - f.bbox[1])))


def assert_equal_faces(found: list[DetectedFace], expected: list) -> None:
    assert len(found) == len(expected)
    for face, other in zip(found, sort_faces(expected), strict=True):
        np.testing.assert_allclose(face.box, other.bbox, atol=1e-3)
        np.testing.assert_allclose(face.landmarks, other.kps, atol=1e-3)
        assert face.score == pytest.approx(float(other.det_score), abs=1e-6)
        assert float(face.embedding @ other.normed_embedding) >= 0.9999


def assert_same_photos(found: list, expected: list) -> None:
    for faces, others in zip(found, expected, strict=True):
        for face, other in zip(faces, others, strict=True):
            assert (face.box == other.box).all() and float(face.embedding @ other.embedding) >= 0.9999


@pytest.mark.parametrize("in_flight", [1, 2, 8])
def test_faces_are_those_of_the_librarys_loop_in_the_same_order(
    pack: Path, library: FaceAnalysis, in_flight: int
) -> None:
    images, detector = draw_images(), make_detector(pack, in_flight)
    sizes = record_runs(detector, lambda crops: None)
    found = detector.detect_batch(images)
    assert [len(faces) for faces in found] == [len(people) for people in PEOPLE]
    assert max(sizes) == {1: 8, 2: 6, 8: 2}[in_flight]
    for image, faces in zip(images, found, strict=True):
        assert_equal_faces(faces, library.get(np.ascontiguousarray(np.asarray(image)[..., ::-1])))


def test_a_recogniser_with_a_fixed_batch_axis_gets_one_face_at_a_time(pack: Path) -> None:
    images, detector = draw_images(), make_detector(MODELS / "faces")
    sizes = record_runs(detector, lambda crops: None)
    found = detector.detect_batch(images)
    assert sizes == [1] * sum(len(people) for people in PEOPLE)
    assert_same_photos(found, make_detector(pack).detect_batch(images))


def test_a_photo_that_fails_leaves_the_others_of_its_batch_unchanged(pack: Path) -> None:
    images, detector = draw_images(), make_detector(pack)
    expected = detector.detect_batch(images)
    failing = Image.new("L", (200, 200))  # OpenCV refuses a photo without colour channels
    found = detector.detect_batch([images[0], failing, *images[1:]])
    assert isinstance(found.pop(1), Exception)
    assert_same_photos(found, expected)
    assert detector.detect_batch([]) == []


def test_faces_are_embedded_one_by_one_if_batches_fail(pack: Path) -> None:
    images, detector = draw_images(), make_detector(pack)
    expected = detector.detect_batch(images)

    def refuse_batches(crops: list[np.ndarray]) -> None:
        if len(crops) > 1:
            raise RuntimeError("out of memory")

    sizes = record_runs(detector, refuse_batches)
    assert_same_photos(detector.detect_batch(images), expected)
    assert max(sizes) > 1
    sizes.clear()
    assert_same_photos(detector.detect_batch(images), expected)
    assert max(sizes) == 1, "batches that always fail are not tried again"


def test_one_bad_face_fails_only_its_photo(pack: Path) -> None:
    images, detector = draw_images(), make_detector(pack)
    expected = detector.detect_batch(images)
    bad = detector._find_faces(images[3])[2].crop

    def refuse_bad(crops: list[np.ndarray]) -> None:
        if any(np.array_equal(crop, bad) for crop in crops):
            raise RuntimeError("bad face")

    record_runs(detector, refuse_bad)
    found = detector.detect_batch(images)
    with pytest.raises(RuntimeError, match="bad face"):
        detector.detect(images[3])
    assert str(found.pop(3)) == "bad face"
    del expected[3]
    assert_same_photos(found, expected)


def test_several_photos_are_processed_at_the_same_time(pack: Path) -> None:
    detector, barrier = make_detector(pack), threading.Barrier(2, timeout=60)
    detect = detector._detection.detect

    def detect_together(bgr: np.ndarray):
        barrier.wait()  # raises an error unless another photo is in flight
        return detect(bgr)

    detector._detection.detect = detect_together
    assert [len(faces) for faces in detector.detect_batch(draw_images()[:2])] == [1, 2]


@pytest.fixture
def drawn(tmp_path: Path) -> Drawn:
    return Drawn(tmp_path)


def test_one_photo_that_fails_does_not_end_the_step(drawn: Drawn, monkeypatch) -> None:
    for i, image in enumerate(draw_images()):
        image.save(drawn.photos / f"{i}.png")
    find = FaceDetector._find_faces

    def fail_one(detector: FaceDetector, image: Image.Image):
        faces = find(detector, image)
        return RuntimeError("no result") if len(faces) == 4 else faces

    monkeypatch.setattr(FaceDetector, "_find_faces", fail_one)
    summary = drawn.detect()
    assert summary.failed == {"3.png": "face detection failed: RuntimeError: no result"}
    faces = drawn.faces()
    counts = [int((faces.photo_ids == compute_photo_id(f"{i}.png")).sum()) for i in range(len(PEOPLE))]
    assert counts == [1, 2, 0, 0, 1, 3]
    for i in (1, 5):
        sizes = np.prod(drawn.boxes(f"{i}.png")[:, 2:] - drawn.boxes(f"{i}.png")[:, :2], axis=1)
        assert (np.diff(sizes) <= 0).all()
