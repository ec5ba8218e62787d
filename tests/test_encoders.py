"""CLIP and ViT through the real libraries: what comes out, and what is said when nothing can."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import draw
from PIL import Image

from imagesearch.errors import UserError
from imagesearch.features import ClipEncoder, VitEncoder, get_model_id
from imagesearch.features.encoders import fingerprint_encoder, select_top_k
from imagesearch.features.runtimes import Runtime


@pytest.fixture(scope="module", params=["torch", "openvino"])
def library(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def clip(tiny_models: dict[str, Path], library: str) -> ClipEncoder:
    encoder = ClipEncoder(str(tiny_models["clip"]), "cpu", "float32", library)
    assert encoder.runtime.library == library
    return encoder


@pytest.fixture(scope="module")
def vit(tiny_models: dict[str, Path], library: str) -> VitEncoder:
    return VitEncoder(str(tiny_models["vit"]), "cpu", "float32", library)


def load_processor(folder: Path):
    """Return the model's image processor as transformers has it."""
    from transformers import AutoImageProcessor

    return AutoImageProcessor.from_pretrained(folder, backend="pil")


def test_photos_and_texts_become_unit_vectors_of_one_space(clip: ClipEncoder) -> None:
    photos = clip.encode_images([clip.preprocess(draw(seed)) for seed in range(3)])
    texts = clip.encode_texts(["a red boat", "snow"])
    assert photos.dtype == texts.dtype == np.float32
    assert photos.shape == (3, 24) and texts.shape == (2, 24)
    np.testing.assert_allclose(np.linalg.norm(np.vstack([photos, texts]), axis=1), 1, atol=1e-6)


def test_a_photo_has_the_same_vector_alone_and_in_any_company(clip: ClipEncoder) -> None:
    pictures = [draw(seed) for seed in range(5)]
    together = np.stack(list(clip.encode_stream(pictures, batch_size=5)))
    alone = np.stack(list(clip.encode_stream(pictures, batch_size=1)))
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_text_has_the_same_vector_beside_a_longer_one(clip: ClipEncoder) -> None:
    alone = clip.encode_texts(["boat"])[0]
    beside = clip.encode_texts(["boat", "a much longer text about a boat"])[0]
    np.testing.assert_allclose(alone, beside, atol=1e-5)


def test_a_text_longer_than_the_model_reads_is_cut(clip: ClipEncoder) -> None:
    assert np.isfinite(clip.encode_texts(["boat " * 10_000])).all()


def test_a_photo_has_the_vector_that_transformers_gives_it(
    clip: ClipEncoder, tiny_models: dict[str, Path]
) -> None:
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(tiny_models["clip"]).eval()
    pixels = load_processor(tiny_models["clip"])(draw(1), return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        (expected,) = model.get_image_features(pixel_values=pixels).pooler_output.numpy()
    assert clip.preprocess(draw(1)).dtype == np.uint8
    (vector,) = clip.encode_images([clip.preprocess(draw(1))])
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-5)


@pytest.mark.parametrize("size", [(4000, 40), (40, 4000), (1, 1), (3000, 2)])
def test_strips_and_dots_are_encoded_without_growing(clip: ClipEncoder, size: tuple[int, int]) -> None:
    assert clip.preprocess(Image.new("RGB", size, "red")).shape == (3, 32, 32)


def test_the_middle_of_a_strip_is_what_the_processor_would_have_cropped(
    clip: ClipEncoder, tiny_models: dict[str, Path]
) -> None:
    strip = draw(3, (1200, 100))
    processor = load_processor(tiny_models["clip"])
    raw = processor(strip, do_rescale=False, do_normalize=False, return_tensors="np")
    difference = np.abs(raw["pixel_values"][0].astype(float) - clip.preprocess(strip))
    assert difference.mean() < 2


def test_a_vit_feature_is_the_cls_token_after_the_last_layernorm(
    vit: VitEncoder, tiny_models: dict[str, Path]
) -> None:
    import torch
    from transformers import AutoModelForImageClassification

    pictures = [draw(seed) for seed in range(3)]
    features, probabilities = vit.encode([vit.preprocess(picture) for picture in pictures])
    model = AutoModelForImageClassification.from_pretrained(tiny_models["vit"]).eval()
    pixels = load_processor(tiny_models["vit"])(pictures, return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        cls = model.vit(pixels).last_hidden_state[:, 0]
        wanted = torch.softmax(model.classifier(cls), dim=-1).numpy()
    np.testing.assert_allclose(features, cls / cls.norm(dim=-1, keepdim=True), atol=1e-5)
    np.testing.assert_allclose(probabilities, wanted, atol=1e-5)


def test_classes_come_most_probable_first(vit: VitEncoder) -> None:
    (classes,) = vit.classify_stream([draw(1)], top_k=3)
    scores = [score for _, score in classes]
    assert len(classes) == 3 and scores == sorted(scores, reverse=True)
    assert {label for label, _ in classes} < set("abcd")
    np.testing.assert_array_equal(select_top_k(np.array([0.1, 0.6, 0.3]), 9), [1, 2, 0])


def test_a_checkpoint_without_a_trained_head_gives_features_and_no_classes(
    tiny_models: dict[str, Path], tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(tiny_models["vit"], tmp_path / "vit")
    weights = load_file(tmp_path / "vit" / "model.safetensors")
    body = {name: tensor for name, tensor in weights.items() if not name.startswith("classifier")}
    save_file(body, tmp_path / "vit" / "model.safetensors", metadata={"format": "pt"})
    headless = VitEncoder(str(tmp_path / "vit"), "cpu", "float32")
    features, probabilities = headless.encode([headless.preprocess(draw(1))])
    assert headless.labels == [] and probabilities.shape == (1, 0) and features.shape == (1, 32)


def test_siglip_is_a_clip_too(tmp_path: Path) -> None:
    import torch
    from conftest import byte_tokenizer
    from transformers import SiglipConfig, SiglipModel
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    torch.manual_seed(0)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4}
    config = SiglipConfig(
        text_config=small | {"vocab_size": 514, "max_position_embeddings": 16},
        vision_config=small | {"image_size": 32, "patch_size": 8},
    )
    SiglipModel(config).save_pretrained(tmp_path / "s")
    SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(tmp_path / "s")
    byte_tokenizer().save_pretrained(tmp_path / "s")
    siglip = ClipEncoder(str(tmp_path / "s"), "cpu", "float32")
    texts = siglip.encode_texts(["boat", "a boat on a lake"])
    assert siglip.tokenize(["boat"])["input_ids"].shape == (1, 16), "texts have the full length"
    np.testing.assert_allclose(texts[0], siglip.encode_texts(["boat"])[0], atol=1e-5)
    assert next(siglip.encode_stream([draw(1)])).shape == texts[0].shape


def test_bfloat16_differs_by_little(tiny_models: dict[str, Path], clip: ClipEncoder) -> None:
    half = ClipEncoder(str(tiny_models["clip"]), "cpu", "bfloat16")
    inputs = [clip.preprocess(draw(seed)) for seed in range(4)]
    cosines = (clip.encode_images(inputs) * half.encode_images(inputs)).sum(axis=1)
    assert half.encode_images(inputs).dtype == np.float32
    assert cosines.min() > 0.99


def test_a_device_that_is_not_there_falls_back_to_the_cpu_and_says_so(capsys: pytest.CaptureFixture) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA, so nothing falls back")
    assert Runtime.choose("cuda", "float32").device == "cpu"
    assert "cuda is not available here; using the cpu" in capsys.readouterr().err


def test_a_fingerprint_follows_the_weights(tiny_models: dict[str, Path], tmp_path: Path) -> None:
    here = str(tiny_models["clip"])
    copy = shutil.copytree(here, tmp_path / "copy")
    assert get_model_id("clip", here) == get_model_id("clip", str(copy))
    assert fingerprint_encoder("clip", here, "cpu", "float32") != fingerprint_encoder(
        "clip", here, "cpu", "bfloat16"
    )
    weights = copy / "model.safetensors"
    changed = shutil.copytree(here, tmp_path / "changed")
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    (changed / "model.safetensors").write_bytes(data)
    assert get_model_id("clip", str(changed)) != get_model_id("clip", here)


def test_weights_in_the_older_bin_format_are_read_without_running_pickles(
    tiny_models: dict[str, Path], tmp_path: Path, clip: ClipEncoder
) -> None:
    import torch
    from safetensors.torch import load_file

    folder = shutil.copytree(tiny_models["clip"], tmp_path / "older")
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    older = ClipEncoder(str(folder), "cpu", "float32")
    np.testing.assert_allclose(older.encode_texts(["boat"]), clip.encode_texts(["boat"]), atol=1e-6)

    class Harmful:
        def __reduce__(self):
            return (Path(tmp_path / "harm").touch, ())

    evil = shutil.copytree(folder, tmp_path / "evil")
    torch.save({"x": Harmful()}, evil / "pytorch_model.bin")
    with pytest.raises(UserError, match="cannot be loaded"):
        ClipEncoder(str(evil), "cpu", "float32")
    assert not (tmp_path / "harm").exists()


def test_a_model_that_was_fetched_in_part_is_not_taken_for_whole(
    tiny_models: dict[str, Path], tmp_path: Path
) -> None:
    from imagesearch.features import hub

    snapshot = Path(shutil.copytree(tiny_models["clip"], tmp_path / "snapshot"))
    assert hub._is_complete(snapshot)
    for part in ("preprocessor_config.json", "tokenizer.json", "model.safetensors"):
        kept = (snapshot / part).read_bytes()
        (snapshot / part).unlink()
        assert not hub._is_complete(snapshot)
        (snapshot / part).write_bytes(kept)


def test_what_cannot_be_found_or_loaded_is_one_line(tiny_models: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    broken = shutil.copytree(tiny_models["clip"], tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"not weights")
    cases = {
        str(tmp_path / "nowhere"): "no such model folder",
        str(tmp_path / "empty"): "not a model folder",
        "openai/clip-vit-base-patch32": "the Hugging Face hub cannot be reached",
        str(tiny_models["vit"]): "expected a model of photos and texts",
        str(broken): "cannot be loaded as a clip model",
    }
    for name, message in cases.items():
        with pytest.raises(UserError, match=message) as caught:
            ClipEncoder(name, "cpu", "float32")
        assert "\n" not in str(caught.value)


def test_a_folder_of_another_kind_of_model_is_refused_in_one_line(
    tiny_models: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text((tiny_models["vit"] / "config.json").read_text("utf-8"), "utf-8")
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "config.json").write_text("[1")
    cases = {
        str(tiny_models["clip"]): r"models\.vit: expected a model that classifies photos \(ViT\), got clip",
        str(tmp_path): r"has no model\.safetensors or pytorch_model\.bin",
        str(damaged): r"models\.vit: .*config\.json: cannot be read",
        "google/vit-base-patch16-224": "data/demo/models/vit works offline",
    }
    for name, message in cases.items():
        for library in ("openvino", "torch") if "/clip" in name else ("openvino",):
            with pytest.raises(UserError, match=message) as caught:
                VitEncoder(name, "cpu", "float32", library)
            assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="data/demo/models/clip works offline"):
        ClipEncoder("openai/clip-vit-base-patch32", "cpu", "float32")
