"""The three small models: they load with the real libraries and recognise drawn pictures."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imagesearch_demo.drawing import CAST, SCENES, PictureSpec, draw_picture
from imagesearch_demo.scoring import MIN_MODEL_SCORES, MODELS, make_evaluation_album, read_photos
from imagesearch_demo.scoring.model_scores import (
    compute_ious,
    encode_album,
    evaluate_clip,
    evaluate_faces,
    evaluate_vit,
    find_faces,
    match_faces,
    score_verification,
)

SCRIPT = Path(__file__).parents[1] / "scripts" / "demo" / "train_models.py"


def scramble_weights(source: Path, target: Path, seed: int = 0) -> None:
    """Copy a model's folder with the values of each weight tensor shuffled, like an untrained model."""
    import onnx
    from onnx import numpy_helper
    from safetensors.numpy import load_file, save_file

    rng = np.random.default_rng(seed)
    shutil.copytree(source, target, dirs_exist_ok=True)
    for file in target.glob("*.safetensors"):
        tensors = {k: rng.permutation(v.ravel()).reshape(v.shape) for k, v in load_file(file).items()}
        save_file(tensors, file, metadata={"format": "pt"})
    for file in target.glob("*.onnx"):
        network = onnx.load(file)
        for weight in network.graph.initializer:
            values = numpy_helper.to_array(weight)
            if values.dtype == np.float32 and values.size > 64:
                shuffled = rng.permutation(values.ravel()).reshape(values.shape)
                weight.CopyFrom(numpy_helper.from_array(shuffled, weight.name))
        onnx.save(network, file)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> tuple[dict, list[Image.Image]]:
    """An album of unseen people and pictures, smaller than that of the evaluation and with another seed."""
    folder = tmp_path_factory.mktemp("evaluation") / "album"
    truth = make_evaluation_album(folder, 90, seed=90_017, workers=0)
    return truth, read_photos(folder, truth)


@pytest.fixture(scope="module")
def scrambled(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("scrambled")
    for name in ("clip", "vit", "faces"):
        scramble_weights(MODELS / name, folder / name)
    return folder


def test_clip_finds_things_in_scenes_and_colours(world, scrambled):
    truth, photos = world
    trained, chance = (evaluate_clip(m / "clip", photos, truth) for m in (MODELS, scrambled))
    # The limits are below the minimums: 90 photos give only about 50 colour queries, each with one relevant
    # photo.
    assert trained["text_to_image_p1"] >= MIN_MODEL_SCORES["text_to_image_p1"] - 0.06
    assert trained["colour_thing_p1"] >= MIN_MODEL_SCORES["colour_thing_p1"] - 0.12
    assert chance["text_to_image_p1"] <= 0.10
    assert chance["colour_thing_p1"] <= 0.15


def test_clip_gives_absent_things_lower_scores(world):
    truth, photos = world
    figures = evaluate_clip(MODELS / "clip", photos, truth)
    assert figures["score_present"] > figures["score_absent"] + 0.02
    # Words that are not in its training captions have low scores.
    images, texts = encode_album(
        MODELS / "clip", photos, ["a photo of a dog", "xqzv brulop", "spaghetti bolognese"]
    )
    best = (texts @ images.T).max(axis=1)
    assert best[0] > best[1:].max() + 0.08


def test_vit_classifies_the_scene(world, scrambled):
    truth, photos = world
    assert evaluate_vit(MODELS / "vit", photos, truth)["vit_accuracy"] >= 0.95
    assert evaluate_vit(scrambled / "vit", photos, truth)["vit_accuracy"] <= 0.30


def test_faces_are_detected_and_distinguished(world):
    truth, photos = world
    figures = evaluate_faces(MODELS / "faces", photos, truth)
    assert figures["detection_recall"] >= 0.95
    assert figures["detection_precision"] >= 0.96
    assert figures["verification_accuracy"] >= 0.96
    assert figures["cluster_f1"] >= 0.92


def test_a_scrambled_detector_detects_no_face(world, scrambled):
    truth, photos = world
    assert (
        len(
            match_faces(
                find_faces(scrambled / "faces", photos[:30]), truth | {"photos": truth["photos"][:30]}
            )
        )
        <= 2
    )


def test_a_scrambled_recogniser_distinguishes_nobody(world, scrambled, tmp_path):
    truth, photos = world
    for file in ("det_drawn.onnx", "rec_drawn.onnx"):
        source = MODELS if file.startswith("det") else scrambled
        (tmp_path / file).write_bytes((source / "faces" / file).read_bytes())
    figures = evaluate_faces(tmp_path, photos[:60], truth | {"photos": truth["photos"][:60]})
    assert figures["detection_recall"] >= 0.9
    assert figures["verification_accuracy"] <= 0.70


def test_faces_are_detected_at_other_detector_sizes(world):
    truth, photos = world
    part = truth | {"photos": truth["photos"][:40]}
    drawn = sum(len(p["people"]) for p in part["photos"])
    found = find_faces(MODELS / "faces", photos[:40], det_size=640)
    assert len(match_faces(found, part)) / drawn >= 0.95


def test_landmarks_are_accurate_enough_for_alignment(world):
    truth, photos = world
    pairs = match_faces(find_faces(MODELS / "faces", photos[:40]), truth | {"photos": truth["photos"][:40]})
    errors = []
    for face, person in pairs:
        true = np.array(person["landmarks"])
        errors.append(
            np.linalg.norm(face["landmarks"] - true, axis=1).mean() / np.linalg.norm(true[1] - true[0])
        )
    assert np.median(errors) < 0.16  # of the distance between the eyes; the recogniser is trained for 0.12


def test_the_eight_people_of_the_demo_are_far_apart():
    photos, names = [], []
    for i, person in enumerate(CAST * 3):
        photos.append(draw_picture(PictureSpec("meadow", "day", (), (person,), 100 + i, "close"))[0])
        names.append(person.name)
    faces = find_faces(MODELS / "faces", photos)
    assert all(len(found) == 1 for found in faces)
    vectors = np.stack([found[0]["embedding"] for found in faces])
    means = np.stack([vectors[i :: len(CAST)].mean(axis=0) for i in range(len(CAST))])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    assert (means @ means.T)[~np.eye(len(CAST), dtype=bool)].max() < 0.45
    assert score_verification(vectors, np.array(names)) >= 0.98


def test_the_tokenizer_accepts_long_and_unusual_sentences():
    photo = draw_picture(PictureSpec("lake", "day", (("boat", "red"),), (), 4))[0]
    texts = ["a red boat on a lake", "a red boat on a lake " * 40, "a red boat на озере 湖 🚣 on a lake", ""]
    _, vectors = encode_album(MODELS / "clip", [photo], texts)
    assert np.isfinite(vectors).all() and np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    # Unknown characters must not end the sentence: the words after them still count.
    one, other = encode_album(MODELS / "clip", [photo], ["湖 a red boat", "湖 a black cat"])[1]
    assert one @ other < 0.9


def test_fragments_without_names_find_the_right_scene(world):
    truth, photos = world
    texts = {"on the beaches": "beach", "a photo of a person in a city": "city", "mountains": "mountains",
             "by the ocean": "beach", "at the party": "party", "in the desert": "desert"}  # fmt: skip
    images, vectors = encode_album(MODELS / "clip", photos, list(texts))
    best = (vectors @ images.T).argmax(axis=1)
    assert [truth["photos"][i]["scene"] for i in best] == list(texts.values())


def test_a_scene_without_photos_has_low_scores(world):
    truth, photos = world
    assert "snow" not in {p["scene"] for p in truth["photos"]}
    images, vectors = encode_album(MODELS / "clip", photos, ["a person in the snow", "on the beaches"])
    absent, present = (vectors @ images.T).max(axis=1)
    assert absent < 0.10 < 0.13 < present


def test_the_folders_have_public_formats_and_are_small():
    files = [p for p in MODELS.rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in files) < 20e6
    assert {p.suffix for p in files} <= {".json", ".safetensors", ".onnx", ".md"}
    settings = json.loads((MODELS / "vit" / "config.json").read_text())
    assert set(settings["id2label"].values()) == set(SCENES)


def test_the_networks_contain_no_paths_of_the_training_machine():
    for file in (MODELS / "faces").glob("*.onnx"):
        assert b"stack_trace" not in file.read_bytes() and b"site-packages" not in file.read_bytes()


def test_metrics_of_known_cases():
    assert compute_ious([[0, 0, 2, 2]], [[1, 0, 3, 2], [5, 5, 6, 6]])[0] == pytest.approx([1 / 3, 0])
    vectors = np.repeat(np.eye(2, dtype=np.float32), 2, axis=0)
    assert score_verification(vectors, np.array(["a", "a", "b", "b"])) == 1
    assert score_verification(vectors, np.array(["a", "b", "a", "b"])) <= 0.5


def test_training_from_scratch_gives_a_folder_that_loads(tmp_path):
    from imagesearch_demo.training.samples import draw_samples
    from imagesearch_demo.training.train_clip import TrainingRound, make_patch_labels, save_clip, train_clip
    from imagesearch_demo.training.train_vit import save_vit, train_vit

    samples = draw_samples(250, seed=77, workers=0)
    labels = make_patch_labels(samples.truths)
    assert labels.shape == (250, 64, 3) and (labels[..., 0] > 0).any() and (labels[..., 2] == 1).any()
    rounds = (TrainingRound(2, 1e-3, 2.3, False), TrainingRound(1, 1e-3, 3.4, True))
    save_clip(*train_clip(samples, 1, rounds, batch=8, log=lambda _: None), tmp_path / "clip")
    save_vit(train_vit(samples, seed=1, steps=2, batch=8, log=lambda _: None), tmp_path / "vit")
    images, texts = encode_album(tmp_path / "clip", [Image.new("RGB", (640, 480))], ["a beach"])
    assert images.shape == texts.shape == (1, 128)


def test_detector_and_recogniser_train_and_export(tmp_path):
    pytest.importorskip("onnxscript", reason="exporting needs the train extra")
    from imagesearch_demo.training.train_detector import save_detector, train_detector
    from imagesearch_demo.training.train_recogniser import save_recogniser, train_recogniser

    log = {"log": lambda _: None, "workers": 0}
    save_detector(train_detector(1, pictures=100, steps=1, batch=4, **log), tmp_path / "det.onnx")
    save_recogniser(
        train_recogniser(1, identities=8, each=4, epochs=1, batch=16, **log), tmp_path / "rec.onnx"
    )
    assert find_faces(tmp_path, [Image.new("RGB", (640, 480))]) == [[]]


def test_the_script_reports_missing_models(tmp_path):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--evaluate", "--out", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "clip" in done.stderr and len(done.stderr.splitlines()) == 1
