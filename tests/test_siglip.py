"""SigLIP tokenizes texts with SentencePiece: its tokenizer class loads, with the expected tokens."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import numpy as np
import pytest

from imagesearch.features import ClipEncoder
from imagesearch.features.reference_texts import ABSENT_TEXTS, EVERYDAY_TEXTS

CONTEXT = 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small SigLIP with random weights, and a tokenizer of the class that Google's models use."""
    import sentencepiece
    import torch
    from transformers import SiglipConfig, SiglipModel, SiglipTokenizer
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    folder = tmp_path_factory.mktemp("siglip")
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*EVERYDAY_TEXTS, *ABSENT_TEXTS]),
        model_writer=written,
        vocab_size=250,
        character_coverage=1.0,
        pad_id=-1,
        bos_id=-1,
        eos_id=1,
        unk_id=2,
        minloglevel=2,
    )
    (folder / "trained.model").write_bytes(written.getvalue())
    SiglipTokenizer(str(folder / "trained.model"), model_max_length=CONTEXT).save_pretrained(folder)
    torch.manual_seed(0)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4}
    config = SiglipConfig(
        text_config=small | {"vocab_size": 250, "max_position_embeddings": CONTEXT},
        vision_config=small | {"image_size": 32, "patch_size": 8},
    )
    SiglipModel(config).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    assert json.loads((folder / "tokenizer_config.json").read_text())["tokenizer_class"] == "SiglipTokenizer"
    return folder


@pytest.fixture(scope="module")
def encoder(folder: Path) -> ClipEncoder:
    return ClipEncoder(str(folder), "cpu", "float32")


def make_texts(count: int) -> list[str]:
    """Texts as people type them: capitals, punctuation, emoji, other scripts, far too long."""
    rng = random.Random(3)
    words = [word for text in (*EVERYDAY_TEXTS, *ABSENT_TEXTS) for word in text.split()]
    odd = ["Maya's", "DOG!!", "(beach)", "red, blue", "\N{DOG FACE}", "café", "naïve", "東京", "  ", "re-do"]
    odd += ["a/b", "#tag", "50%", "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"]
    texts = ["", " ", "a photo of a dog.", "A PHOTO OF A DOG!", "word " * 100]
    while len(texts) < count:
        parts = rng.choices([*words, *odd], k=rng.randint(1, 30))
        texts.append(rng.choice((str.lower, str.upper, str.title, str))(" ".join(parts)))
    return texts


def test_a_thousand_texts_have_the_tokens_of_transformers(folder: Path, encoder: ClipEncoder) -> None:
    from transformers import AutoTokenizer

    texts = make_texts(1000)
    theirs = AutoTokenizer.from_pretrained(folder)(
        texts, padding="max_length", truncation=True, max_length=CONTEXT, return_tensors="np"
    )
    ours = encoder.tokenize(texts)
    assert ours["input_ids"].shape == (1000, CONTEXT)
    np.testing.assert_array_equal(ours["input_ids"], theirs["input_ids"])


def test_case_and_punctuation_change_no_vector_and_words_do(encoder: ClipEncoder) -> None:
    plain, shouted, other = encoder.encode_texts(["a dog on a beach", "A Dog, on a BEACH!", "a red boat"])
    np.testing.assert_allclose(plain, shouted, atol=1e-6)
    assert np.linalg.norm(plain) == pytest.approx(1, abs=1e-5) and float(plain @ other) < 0.999
