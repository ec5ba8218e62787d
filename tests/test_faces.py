"""Face detection: boxes and embeddings are correct, and each photo is processed once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import draw
from drawn import MODELS, Drawn, are_where_they_are, boxes_of, picture_of
from PIL import Image

from imagesearch.errors import UserError
from imagesearch.faces import FaceDetector, get_pack_id
from imagesearch.faces import detector as detector_module
from imagesearch.faces import extract as extract_module
from imagesearch.faces.detector import fetch_pack
from imagesearch.figures import draw_photo_with_faces, show_figure
from imagesearch.photos import compute_photo_id


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector(str(MODELS / "faces"), "cpu", 320)


@pytest.fixture
def drawn(tmp_path: Path) -> Drawn:
    return Drawn(tmp_path)


def turn_image(image: Image.Image) -> tuple[Image.Image, bytes]:
    """Return the pixels as a rotated camera stores them, and the EXIF block with the orientation."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return image.transpose(Image.Transpose.ROTATE_90), exif.tobytes()


def read_landmarks(drawn: Drawn) -> np.ndarray:
    table = (
        drawn.dataset().open_table("faces").read_rows(drawn.dataset().read_current_entries("faces").values())
    )
    return np.asarray(table["landmarks"].to_pylist()).reshape(-1, 5, 2)


# --- boxes and landmarks -----------------------------------------------------------------------------------


def save_as(file: Path, image: Image.Image, kind: str) -> None:
    if kind == "turned.jpg":
        stored, exif = turn_image(image)
        stored.save(file, quality=92, exif=exif)
    elif kind == "turned.png":
        stored, exif = turn_image(image)
        stored.save(file, exif=exif)
    else:
        image.save(file, **({} if kind.endswith(".png") else {"quality": 92}))


@pytest.mark.parametrize(
    ("name", "scale", "preview"),
    [
        ("turned.jpg", 1.0, 1024),
        ("turned.png", 1.0, 1024),
        ("a.heic", 1.0, 1024),
        ("a.png", 1.0, 1024),
        ("a.jpg", 1.0, 1024),
        ("large.jpg", 2.0, 512),
        ("large.png", 2.6, 512),
        ("large.heic", 1.4, 512),
        ("turned.jpg", 2.0, 512),
    ],
)
def test_boxes_and_landmarks_are_in_pixels_of_the_upright_photo(
    drawn: Drawn, name: str, scale: float, preview: int
) -> None:
    image, truth = picture_of("Maya", "Kofi", seed=21, scale=scale, upright=name.startswith("turned"))
    save_as(drawn.photos / name, image, name)
    size = f"extraction.preview_size={preview}"
    for _ in range(2):  # the second time from the preview, if there is one
        shutil.rmtree(drawn.dataset().folder / "faces", ignore_errors=True)
        assert drawn.detect(size).new == 1
        found = drawn.boxes(name, size)
        assert are_where_they_are(found, boxes_of(truth)), (found, boxes_of(truth))
    (entry,) = drawn.faces(size).processed.values()
    assert (entry.width, entry.height) == image.size
    true = np.asarray([person["landmarks"] for person in truth.people])
    error = min(np.abs(read_landmarks(drawn)[list(order)] - true).max() for order in ((0, 1), (1, 0)))
    assert error < 0.25 * min(box[2] - box[0] for box in boxes_of(truth))
    save_with_boxes(image, found, drawn.folder / f"{scale:g} {name}.png")


def save_with_boxes(image: Image.Image, boxes: np.ndarray, file: Path) -> None:
    """Save a figure of the boxes, for visual inspection."""
    figure = draw_photo_with_faces(
        image, [(box, f"person {i}") for i, box in enumerate(boxes.tolist())], file.name
    )
    assert all(text.get_position()[0] >= 0 for text in figure.axes[0].texts), "a name beyond the edge"
    show_figure(figure, "faces", save=file, window=False)
    assert file.stat().st_size > 5000


@pytest.mark.parametrize("side", ["left", "right", "bottom"])
def test_a_face_at_the_edge_of_a_photo_has_a_correct_box(drawn: Drawn, side: str) -> None:
    image, truth = picture_of("Zoë", seed=5, framing="close")
    x1, y1, x2, y2 = boxes_of(truth)[0]
    width, height = x2 - x1, y2 - y1
    frame = {
        "left": (x1 + 0.2 * width, 0, image.width, image.height),
        "right": (0, 0, x2 - 0.2 * width, image.height),
        "bottom": (0, 0, image.width, y2 - 0.15 * height),
    }[side]
    frame = tuple(round(v) for v in frame)
    cut = image.crop(frame)
    cut.save(drawn.photos / "cut.png")
    drawn.detect()
    found = drawn.boxes("cut.png")
    whole = [x1 - frame[0], y1 - frame[1], x2 - frame[0], y2 - frame[1]]
    assert are_where_they_are(found, [whole])
    save_with_boxes(cut, found, drawn.folder / f"cut {side}.png")


def test_tight_and_tiny_photos_raise_no_error(detector: FaceDetector) -> None:
    image, truth = picture_of("Maya", seed=9, framing="close")
    tight = image.crop(tuple(round(v) for v in boxes_of(truth)[0]))
    assert len(detector.detect(tight)) <= 1
    assert detector.detect(Image.new("RGB", (1, 1))) == []
    for size in ((3000, 2), (320, 1), (1, 320), (321, 1), (1, 9000)):
        assert detector.detect(Image.new("RGB", size)) == [], size


# --- embeddings --------------------------------------------------------------------------------------------


def test_embeddings_are_of_unit_length_and_similar_only_for_one_person(detector: FaceDetector) -> None:
    names = ["Maya", "Kofi", "Zoë", "Noor"] * 3
    found = [detector.detect(picture_of(name, seed=60 + i)[0]) for i, name in enumerate(names)]
    assert [len(faces) for faces in found] == [1] * len(names)
    vectors = np.stack([faces[0].embedding for faces in found])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    cosines = vectors @ vectors.T
    same = np.asarray(names)[:, None] == np.asarray(names)
    assert cosines[same].min() > 0.6 and cosines[~same].max() < 0.5


def test_faces_are_sorted_by_size_in_each_run(detector: FaceDetector) -> None:
    image, _ = picture_of("Maya", "Kofi", "Zoë", "Kim", seed=31)
    first, again = detector.detect(image), detector.detect(image)
    areas = [float(np.prod(face.box[2:] - face.box[:2])) for face in first]
    assert len(first) == 4 and areas == sorted(areas, reverse=True)
    for a, b in zip(first, again, strict=True):
        assert (a.box == b.box).all() and (a.embedding == b.embedding).all() and a.score == b.score
    assert all(0.5 <= face.score <= 1 and face.landmarks.shape == (5, 2) for face in first)


# --- the step ----------------------------------------------------------------------------------------------


@pytest.fixture
def three(drawn: Drawn) -> Drawn:
    """Return two photos with faces and one without, all processed."""
    for name, people in (("a.jpg", ("Maya",)), ("b.jpg", ("Kofi", "Zoë")), ("none.jpg", ())):
        picture_of(*people, seed=41)[0].save(drawn.photos / name, quality=92)
    assert drawn.detect().new == 3
    return drawn


def test_each_photo_is_processed_once_also_without_faces(three: Drawn, monkeypatch) -> None:
    monkeypatch.setattr(extract_module, "make_detector", None)  # making a detector would fail
    summary = three.detect()
    assert (summary.new, summary.unchanged) == (0, 3)
    assert len(three.faces()) == 3 and compute_photo_id("none.jpg") in three.faces().processed


def test_another_minimum_score_requires_no_new_detection(three: Drawn) -> None:
    scores = three.faces().scores
    middle = float(np.sort(scores)[1]) + 1e-4
    assert three.detect(f"faces.min_score={middle}").new == 0
    assert len(three.faces(f"faces.min_score={middle}")) == int((scores >= middle).sum()) < 3
    assert (
        three.faces(f"faces.min_score={middle}").ids.tolist() == three.faces().ids[scores >= middle].tolist()
    )
    assert three.detect("faces.min_score=0.2").new == 3


def test_another_detection_or_preview_size_requires_a_new_detection(three: Drawn) -> None:
    before = three.faces()
    assert three.detect("faces.det_size=640").new == 3
    after = three.faces("faces.det_size=640")
    assert len(after) == len(before) and not (after.boxes == before.boxes).all()
    assert three.detect("faces.det_size=640", "extraction.preview_size=512").new == 3


def test_a_moved_photo_keeps_its_faces(three: Drawn, monkeypatch) -> None:
    before = three.boxes("b.jpg")
    (three.photos / "2023").mkdir()
    (three.photos / "b.jpg").rename(three.photos / "2023" / "c.jpg")
    monkeypatch.setattr(extract_module, "make_detector", None)
    summary = three.detect()
    assert (summary.new, summary.moved, summary.gone) == (0, 1, 0)
    assert (three.boxes("2023/c.jpg") == before).all() and len(three.boxes("b.jpg")) == 0


def test_deleted_and_broken_photos_have_no_faces(three: Drawn) -> None:
    (three.photos / "a.jpg").unlink()
    (three.photos / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much")
    assert list(three.detect().failed) == ["broken.jpg"]
    assert len(three.faces()) == 2 and set(three.faces().processed) == {
        compute_photo_id("b.jpg"),
        compute_photo_id("none.jpg"),
    }


def test_an_album_without_faces_has_an_empty_table(drawn: Drawn) -> None:
    draw(1).save(drawn.photos / "a.png")
    drawn.detect()
    faces = drawn.faces()
    assert len(faces) == 0 and faces.boxes.shape == (0, 4) and len(faces.sizes) == 0
    assert list(faces.processed) == [compute_photo_id("a.png")]


# --- packs that cannot be used -----------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def clear_caches() -> None:
    for function in (
        detector_module.fetch_pack,
        detector_module.get_pack_id,
        detector_module._choose_providers,
    ):
        function.cache_clear()


def get_line(error: pytest.ExceptionInfo[UserError]) -> str:
    line = str(error.value)
    assert "\n" not in line and line.startswith("models.faces: ")
    return line


def test_a_missing_or_empty_folder_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        FaceDetector(str(tmp_path / "nowhere"))
    assert "nowhere: no such folder" in get_line(error)
    with pytest.raises(UserError) as error:
        FaceDetector(str(tmp_path))
    assert get_line(error).endswith(
        "the folder has no .onnx models; a pack has two: one detects faces, the other recognizes them"
    )


@pytest.mark.parametrize("pack", ["data/demo/models", "nowhere/pack", "somebody/buffalo_l"])
def test_a_folder_is_never_downloaded(tmp_path: Path, monkeypatch, capfd, pack: str) -> None:
    monkeypatch.setattr(detector_module, "_PACKS", tmp_path / "packs")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "demo" / "models" / "clip").mkdir(parents=True)
    with pytest.raises(UserError) as error:
        fetch_pack(pack)
    assert f"{pack}: " in get_line(error) and ("no .onnx models" if "demo" in pack else "no such folder") in (
        get_line(error)
    )
    assert "downloading" not in capfd.readouterr().err and not (tmp_path / "packs").exists()


def test_an_empty_downloaded_pack_can_be_downloaded_again(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(detector_module, "_PACKS", tmp_path)
    (tmp_path / "models" / "buffalo_xyz").mkdir(parents=True)
    with pytest.raises(UserError) as error:
        fetch_pack("buffalo_xyz")
    assert "has no .onnx models; remove the folder to download the pack again" in get_line(error)


@pytest.mark.parametrize(
    ("left_out", "message"), [("rec", "no recognition model"), ("det", "cannot be loaded")]
)
def test_a_pack_that_lacks_one_of_the_two_models_is_refused(
    tmp_path: Path, left_out: str, message: str
) -> None:
    shutil.copytree(MODELS / "faces", tmp_path / "pack")
    (tmp_path / "pack" / f"{left_out}_drawn.onnx").unlink()
    with pytest.raises(UserError) as error:
        FaceDetector(str(tmp_path / "pack"))
    assert message in get_line(error)


@pytest.mark.parametrize("file", ["det_drawn.onnx", "rec_drawn.onnx"])
@pytest.mark.parametrize("damage", ["cut", "noise", "empty"])
def test_a_damaged_model_is_reported_in_one_line(tmp_path: Path, file: str, damage: str) -> None:
    shutil.copytree(MODELS / "faces", tmp_path / "pack")
    content = (MODELS / "faces" / file).read_bytes()
    noise = np.random.default_rng(0).bytes(1000)
    (tmp_path / "pack" / file).write_bytes(
        {"cut": content[: len(content) // 2], "noise": noise, "empty": b""}[damage]
    )
    with pytest.raises(UserError) as error:
        FaceDetector(str(tmp_path / "pack"))
    assert "cannot be loaded" in get_line(error)


def test_a_failed_download_is_reported_in_one_line(tmp_path: Path, monkeypatch, capfd) -> None:
    import requests

    def offline(*args, **options):
        raise requests.ConnectionError("no\nroute to host " * 50)

    monkeypatch.setattr(detector_module, "_PACKS", tmp_path)
    monkeypatch.setattr("requests.sessions.Session.request", offline)
    monkeypatch.setattr("requests.get", offline)
    with pytest.raises(UserError) as error:
        fetch_pack("buffalo_xyz")
    line = get_line(error)
    assert "buffalo_xyz: not in" in line and "cannot be downloaded" in line and "works offline" in line
    assert len(line) < 400
    assert capfd.readouterr().out == ""


def test_the_id_of_a_pack_depends_on_the_content_of_its_files(tmp_path: Path) -> None:
    shutil.copytree(MODELS / "faces", tmp_path / "pack")
    assert get_pack_id(str(tmp_path / "pack")) == get_pack_id(str(MODELS / "faces"))
    with (tmp_path / "pack" / "rec_drawn.onnx").open("ab") as stream:
        stream.write(b"\0")
    get_pack_id.cache_clear()
    assert get_pack_id(str(tmp_path / "pack")) != get_pack_id(str(MODELS / "faces"))


def test_an_unavailable_device_is_reported_once_and_the_cpu_is_used(capsys, monkeypatch) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    for _ in range(2):
        detector = FaceDetector(str(MODELS / "faces"), "cuda", 320)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "models.device: cuda is not available to ONNX Runtime; using the cpu for faces\n"
    assert len(detector.detect(picture_of("Maya", seed=3)[0])) == 1
    FaceDetector(str(MODELS / "faces"), "auto", 320)
    assert capsys.readouterr().err == ""


def test_an_available_device_is_preferred_to_the_cpu(monkeypatch) -> None:
    available = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: available)
    assert detector_module._choose_providers("auto") == available
    assert detector_module._choose_providers("cuda") == available
    assert detector_module._choose_providers("cpu") == ["CPUExecutionProvider"]


def test_loading_a_pack_prints_nothing() -> None:
    code = f"from imagesearch.faces import FaceDetector; FaceDetector({str(MODELS / 'faces')!r}, 'cpu', 320)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "" and done.stderr == ""
