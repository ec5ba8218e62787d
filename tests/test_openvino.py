"""Models on OpenVINO: the same pixels, tokens and vectors as PyTorch's, converted once, without a network."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, World, draw
from PIL import Image

from imagesearch.features import ClipEncoder, VitEncoder
from imagesearch.features import conversion as conversion_module
from imagesearch.features.image_preparation import ImagePreparation
from imagesearch.features.model_cache import get_cache_folder, hash_file, make_cached_folder

DEMO = ROOT / "data" / "demo" / "models"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv("IMAGESEARCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def make_processors() -> dict:
    from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    return {
        "clip": CLIPImageProcessorPil(),
        "clip 336": CLIPImageProcessorPil(size={"shortest_edge": 336}, crop_size=336),
        "vit": ViTImageProcessorPil(),
        "siglip": SiglipImageProcessorPil(),
        "deit": DeiTImageProcessorPil(),
        "dinov2": BitImageProcessorPil(size={"shortest_edge": 256}, crop_size=224),
    }


@pytest.mark.parametrize("name", ["clip", "clip 336", "vit", "siglip", "deit", "dinov2"])
def test_pixels_are_those_of_transformers_for_photos_of_any_size(name: str) -> None:
    processor = make_processors()[name]
    preparation = ImagePreparation.from_processor(processor)
    assert preparation is not None
    generator, noise = random.Random(5), draw(8, (64, 48))
    for _ in range(170):  # a thousand sizes in all
        width = generator.randint(3, 900)
        size = width, max(1, min(900, int(width * generator.uniform(0.34, 2.9))))
        photo = noise.resize(size, Image.Resampling.BILINEAR)
        expected = processor(photo, do_rescale=False, do_normalize=False, return_tensors="np")["pixel_values"]
        np.testing.assert_array_equal(preparation.prepare(photo), expected[0].astype(np.uint8), str(size))


def test_an_image_processor_that_does_more_is_not_imitated() -> None:
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    class OtherProcessor(ViTImageProcessorPil):
        pass

    for processor in (
        OtherProcessor(),
        ViTImageProcessorPil(do_resize=False),
        CLIPImageProcessorPil(size={"shortest_edge": 200}, crop_size=224),
        CLIPImageProcessorPil(size={"shortest_edge": 224, "longest_edge": 400}),
    ):
        assert ImagePreparation.from_processor(processor) is None


def test_a_thousand_texts_have_the_tokens_of_transformers() -> None:
    from test_siglip import make_texts
    from transformers import AutoTokenizer

    texts = make_texts(1000)
    length = json.loads((DEMO / "clip" / "config.json").read_text())["text_config"]["max_position_embeddings"]
    theirs = AutoTokenizer.from_pretrained(DEMO / "clip")(
        texts, padding=True, truncation=True, max_length=length, return_tensors="np"
    )
    ours = ClipEncoder(str(DEMO / "clip"), "cpu", "float32", "openvino").tokenize(texts)
    assert sorted(ours) == ["attention_mask", "input_ids"]
    for key in ours:
        np.testing.assert_array_equal(ours[key], theirs[key])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_vectors_are_those_of_torch(precision: str) -> None:
    model = str(DEMO / "clip")
    ours = ClipEncoder(model, "cpu", precision, "openvino")
    theirs = ClipEncoder(model, "cpu", "float32", "torch")
    assert (ours.runtime.library, theirs.runtime.library) == ("openvino", "torch")
    texts = ["a dog", "a red boat on a lake at sunset", "", "word " * 200]
    inputs = [theirs.preprocess(draw(seed, (200, 150))) for seed in range(7)]
    pairs = [(ours.encode_texts(texts), theirs.encode_texts(texts))]
    pairs += [(ours.encode_images(inputs[:n]), theirs.encode_images(inputs[:n])) for n in (1, 7)]
    for found, expected in pairs:
        assert found.dtype == np.float32 and found.shape == expected.shape
        assert (found * expected).sum(axis=1).min() >= 0.999
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-4)


def test_features_and_classes_of_a_vit_are_those_of_torch() -> None:
    ours, theirs = (VitEncoder(str(DEMO / "vit"), "cpu", "float32", lib) for lib in ("openvino", "torch"))
    inputs = [theirs.preprocess(draw(seed, (200, 150))) for seed in range(5)]
    (features, classes), (their_features, their_classes) = ours.encode(inputs), theirs.encode(inputs)
    assert ours.labels == theirs.labels
    assert (features * their_features).sum(axis=1).min() >= 0.999
    np.testing.assert_allclose(classes, their_classes, atol=2e-3)


def test_a_model_is_converted_once_and_again_if_the_cache_is_deleted(
    cache: Path, tiny_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    conversions = []
    convert = conversion_module._convert_clip
    monkeypatch.setattr(
        conversion_module, "_convert_clip", lambda *args: (conversions.append(args), convert(*args))[1]
    )
    for _ in range(2):
        encoder = ClipEncoder(str(tiny_models["clip"]), "cpu", "float32", "openvino")
    assert len(conversions) == 1
    shutil.rmtree(cache)
    assert encoder.encode_texts(["a boat"]).shape == (1, 24)
    assert len(conversions) == 2
    assert not list(cache.rglob("*.part"))


def test_both_precisions_share_a_converted_model(cache: Path, tiny_models: dict[str, Path]) -> None:
    for precision in ("float32", "bfloat16", "float32"):
        ClipEncoder(str(tiny_models["clip"]), "cpu", precision, "openvino").encode_texts(["a boat"])
    assert len(list(cache.rglob("text.xml"))) == 1


def test_two_threads_that_need_the_model_while_it_is_converted_do_not_block_each_other(
    cache: Path, tiny_models: dict[str, Path]
) -> None:
    model = str(tiny_models["clip"])
    vectors: list[np.ndarray] = []
    loaded = ClipEncoder(model, "cpu", "float32", "openvino")
    shutil.rmtree(cache)
    works = [
        lambda: vectors.append(loaded.encode_texts(["a boat"])),
        lambda: vectors.append(ClipEncoder(model, "cpu", "float32", "openvino").encode_texts(["a boat"])),
    ]
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=100)
    assert not any(thread.is_alive() for thread in threads)
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)


def test_a_model_that_cannot_be_converted_runs_on_torch_with_a_message(
    cache: Path, tiny_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(conversion_module, "MIN_COSINE", 1.1)
    encoder = ClipEncoder(str(tiny_models["clip"]), "cpu", "float32")
    assert encoder.runtime.library == "torch" and encoder.encode_texts(["a boat"]).shape == (1, 24)
    message = capsys.readouterr().err
    assert message.count("\n") == 1 and "runs on torch" in message and "differ" in message
    assert not list(cache.rglob("*.xml")), "nothing of it is left in the cache"


def test_a_model_that_cannot_be_converted_is_tried_once(
    cache: Path, tiny_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    conversions = []

    def fail(name: str, folder: Path) -> dict[str, float]:
        conversions.append(name)
        (folder / "image.xml").write_text("half")
        raise RuntimeError("an operation is unknown")

    monkeypatch.setattr(conversion_module, "_convert_clip", fail)
    for _ in range(2):
        assert ClipEncoder(str(tiny_models["clip"]), "cpu", "float32").runtime.library == "torch"
    assert len(conversions) == 1 and not list(cache.rglob("*.xml"))
    assert "RuntimeError: an operation is unknown" in capsys.readouterr().err


@pytest.fixture(scope="module")
def converted(tiny_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with the CLIP model."""
    folder = tmp_path_factory.mktemp("converted") / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMAGESEARCH_CACHE", str(folder))
        ClipEncoder(str(tiny_models["clip"]), "cpu", "float32", "openvino")
    return folder


@pytest.mark.parametrize("file", ["text.bin", "text.xml", "model.json", "outcome.json"])
def test_a_damaged_conversion_is_made_again(
    cache: Path, converted: Path, tiny_models: dict[str, Path], file: str
) -> None:
    model = str(tiny_models["clip"])
    shutil.copytree(converted, cache)
    expected = ClipEncoder(model, "cpu", "float32", "openvino").encode_texts(["a boat"])
    (damaged,) = cache.rglob(file)
    damaged.write_bytes(b"")
    found = ClipEncoder(model, "cpu", "float32", "openvino").encode_texts(["a boat"])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert damaged.stat().st_size > 0


def test_a_model_too_inexact_in_bfloat16_is_computed_in_float32(
    cache: Path, tiny_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    convert = conversion_module._convert_clip
    monkeypatch.setattr(
        conversion_module, "_convert_clip", lambda *args: convert(*args) | {"bfloat16": float("nan")}
    )
    model, texts = str(tiny_models["clip"]), ["a boat", "a dog on a beach"]
    vectors = [ClipEncoder(model, "cpu", p, "openvino").encode_texts(texts) for p in ("bfloat16", "float32")]
    np.testing.assert_array_equal(*vectors)


def test_without_a_writable_cache_models_run_on_torch(
    tmp_path: Path,
    tiny_models: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("IMAGESEARCH_CACHE", str(tmp_path / "file" / "cache"))
    encoder = ClipEncoder(str(tiny_models["clip"]), "cpu", "float32")
    assert encoder.runtime.library == "torch" and encoder.encode_texts(["a boat"]).shape == (1, 24)
    message = capsys.readouterr().err
    assert message.count("\n") == 1 and "the cache of converted models cannot be used" in message


def test_a_folder_of_the_cache_is_filled_by_one_thread_and_complete_or_missing(cache: Path) -> None:
    filled = []

    def fill(folder: Path) -> None:
        filled.append(folder)
        (folder / "a").write_text("1")
        threading.Event().wait(0.05)
        (folder / "b").write_text("2")

    found: list[list[str]] = []

    def use() -> None:
        found.append(sorted(file.name for file in make_cached_folder("m", "1", fill).iterdir()))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [["a", "b"]] * 4 and len(filled) == 1

    def fail(folder: Path) -> None:
        (folder / "a").write_text("1")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        make_cached_folder("m", "2", fail)
    assert not (cache / "models" / "m" / "2").exists()
    assert make_cached_folder("m", "3", fill).is_dir()
    assert [folder.name for folder in (cache / "models" / "m").iterdir() if folder.is_dir()] == ["3"]


def test_a_hash_is_computed_again_only_for_a_changed_file(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"one")
    first = hash_file(file)
    with monkeypatch.context() as patch:
        patch.setattr("hashlib.file_digest", None)
        assert hash_file(file) == first
    file.write_bytes(b"two")
    assert hash_file(file) != first
    (get_cache_folder() / "file_hashes.json").write_text("not json")
    file.write_bytes(b"one")
    assert hash_file(file) == first


OFFLINE = """
import socket, sys
connections = []
socket.socket.connect = lambda self, address: connections.append(address)
socket.getaddrinfo = lambda *args, **kwargs: connections.append(args) or []
from imagesearch.features import ClipEncoder, VitEncoder
clip = ClipEncoder(sys.argv[1] + "/clip", "cpu", "float32")
clip.encode_texts(["a boat"])
vit = VitEncoder(sys.argv[1] + "/vit", "cpu", "float32")
assert clip.runtime.library == vit.runtime.library == "openvino"
import openvino_telemetry
assert not hasattr(openvino_telemetry, "main"), "the real telemetry is loaded"
print("connections:", connections)
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"torch", "transformers"}), "loaded")
"""


def test_nothing_is_sent_and_a_converted_model_needs_no_torch(cache: Path) -> None:
    for loaded in ("torch transformers loaded", "loaded"):
        done = subprocess.run(
            [sys.executable, "-c", OFFLINE, str(DEMO)], capture_output=True, text=True, cwd=ROOT
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == ["connections: []", loaded]


def test_extraction_and_search_import_no_torch_after_the_conversion(world: World) -> None:
    world.settings["models"] = {kind: str(DEMO / kind) for kind in ("clip", "vit", "faces")}
    world.write_config()
    for seed in range(3):
        world.add(f"{seed}.jpg", seed)
    world.run("01_extract_features.py", process=True)  # converts
    shutil.rmtree(world.folder / "processed")
    code = "import runpy, sys; sys.argv = sys.argv[1:]; sys.path.insert(0, ''); "
    code += "run = lambda: runpy.run_path(sys.argv[0], run_name='__main__')\n"
    code += "try:\n    run()\nexcept SystemExit as end:\n    assert not end.code\n"
    code += "print({'torch', 'transformers'} & set(sys.modules), file=sys.stderr)"
    for arguments in (
        ["01_extract_features.py"],
        ["05_build_collections.py"],
        ["06_search.py", "a boat", "--json", "--no-show"],
        ["07_classify.py", str(world.photos / "0.jpg"), "--no-show"],
    ):
        command = [str(ROOT / "scripts" / arguments[0]), "-c", str(world.config_file), *arguments[1:]]
        done = subprocess.run(
            [sys.executable, "-c", code, *command], capture_output=True, text=True, cwd=world.folder
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr.splitlines()[-1] == "set()", arguments


EXIT = """
import sys, time
from imagesearch.config import load_config
from imagesearch.search.query_models import QueryModels
QueryModels(load_config(sys.argv[1])).preload_text_encoder()
time.sleep(float(sys.argv[2]))
"""


def test_a_script_can_end_while_the_text_encoder_is_being_loaded(world: World) -> None:
    ClipEncoder(str(DEMO / "clip"), "cpu")  # converts
    world.settings["models"] = {"clip": str(DEMO / "clip")}
    world.write_config()
    for milliseconds in range(0, 180, 20):  # loading takes some 150 ms
        done = subprocess.run(
            [sys.executable, "-c", EXIT, str(world.config_file), str(milliseconds / 1000)],
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
