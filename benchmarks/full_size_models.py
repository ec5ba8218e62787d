"""Make full-size models with random weights: CLIP ViT-B/32, ViT-B/16, and a face pack.

They need as much time and memory as the real models, but they are not trained. CLIP and ViT are made from
their public configurations and saved in Hugging Face format; the face pack is saved as ONNX files:

    python benchmarks/full_size_models.py FOLDER      # makes FOLDER/clip, FOLDER/vit and FOLDER/faces
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def make_clip(folder: Path, seed: int = 0) -> Path:
    """Save a CLIPModel with the shape of openai/clip-vit-base-patch32, and a byte-level tokenizer."""
    import torch
    from transformers import CLIPConfig, CLIPModel
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    torch.manual_seed(seed)
    config = CLIPConfig()  # the defaults are those of ViT-B/32
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessorPil().save_pretrained(folder)
    make_byte_tokenizer(config.text_config.vocab_size - 2).save_pretrained(folder)
    return folder


def make_vit(folder: Path, labels: int = 1000, seed: int = 0) -> Path:
    """Save a ViTForImageClassification with the shape of google/vit-base-patch16-224."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    torch.manual_seed(seed)
    ViTForImageClassification(ViTConfig(num_labels=labels)).save_pretrained(folder)
    ViTImageProcessorPil().save_pretrained(folder)
    return folder


def make_byte_tokenizer(first_special: int):
    """Return a CLIP tokenizer whose tokens are single bytes, which is enough for an untrained model."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate([*letters, *(f"{c}</w>" for c in letters)])}
    vocabulary |= {"<|startoftext|>": first_special, "<|endoftext|>": first_special + 1}
    return CLIPTokenizer(vocab=vocabulary, merges=[])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    from full_size_faces import make_face_pack  # imports torch

    made = {
        "clip": make_clip(folder / "clip"),
        "vit": make_vit(folder / "vit"),
        "faces": make_face_pack(folder / "faces"),
    }
    print(json.dumps({kind: str(path) for kind, path in made.items()}))


if __name__ == "__main__":
    main()
