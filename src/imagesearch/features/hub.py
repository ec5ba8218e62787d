"""The files of a model, in a local folder or downloaded from the Hugging Face hub, and their fingerprint."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
from pathlib import Path

from imagesearch.errors import UserError, describe_error
from imagesearch.features.model_cache import hash_file

_TEXT_FILES = ["*.json", "*.txt", "*.model"]
# Besides the weights, these settings decide the vector of a photo.
_SETTINGS_FILES = ("config.json", "preprocessor_config.json", "processor_config.json")


@functools.cache
def fetch_model(name: str, kind: str = "clip") -> Path:
    """Return the folder with a model's files; downloads a model of the hub that is not in the local cache.

    Parameters
    ----------
    name
        A folder, or a model's name on the Hugging Face hub, such as ``openai/clip-vit-base-patch32``. Only
        safetensors weights are downloaded, or ``.bin`` weights if the hub has no others.
    kind
        ``"clip"`` or ``"vit"``, for messages.

    Raises
    ------
    UserError
        If there is no such folder, if the hub has no such model, or if the hub cannot be reached.
    """
    folder = Path(name)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise UserError(f"{folder}: not a model folder in Hugging Face format: config.json is missing")
        return folder
    if folder.is_absolute():
        raise UserError(f"{folder}: no such model folder; correct it under models in the config")
    return _fetch_from_hub(name, kind)


def check_model_kind(kind: str, name: str, folder: Path) -> None:
    """Check that a model is of the kind that a setting requires, before it is loaded.

    Raises
    ------
    UserError
        If CLIP is given for ViT or ViT for CLIP, or if its config.json cannot be read.
    """
    file = folder / "config.json"
    try:
        settings = dict(json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"models.{kind}: {file}: cannot be read ({describe_error(error)})") from None
    is_dual = not {"text_config", "vision_config"}.isdisjoint(settings)
    if kind == "clip" and not is_dual:
        got = settings.get("model_type", "another model")
        raise UserError(
            f"{name}: models.clip: expected a model of photos and texts (CLIP, SigLIP), got {got}"
        )
    if kind == "vit" and is_dual:
        got = settings.get("model_type", "a model of photos and texts")
        raise UserError(f"{name}: models.vit: expected a model that classifies photos (ViT), got {got}")


def _fetch_from_hub(name: str, kind: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError, RepositoryNotFoundError

    # A model that is complete in the cache is used without requests to the hub.
    with contextlib.suppress(LocalEntryNotFoundError, HFValidationError):
        cached = Path(snapshot_download(name, local_files_only=True))
        if _is_complete(cached):
            return cached
    safetensors, bin_weights = [*_TEXT_FILES, "model*.safetensors"], [*_TEXT_FILES, "pytorch_model*.bin"]
    try:
        for patterns in (safetensors, bin_weights):
            fetched = Path(snapshot_download(name, allow_patterns=patterns))
            if _list_weights(fetched):
                return fetched
    except (RepositoryNotFoundError, HFValidationError):
        raise UserError(f"{name}: neither a folder nor a model on the Hugging Face hub") from None
    except (LocalEntryNotFoundError, OSError):
        raise UserError(
            f"{name}: not in the local cache, and the Hugging Face hub cannot be reached; "
            f"use a local folder instead (data/demo/models/{kind} works offline)"
        ) from None
    raise UserError(f"{name}: has no model.safetensors or pytorch_model.bin")


def _is_complete(folder: Path) -> bool:
    """Whether a cached model has all files that loading requires; other programs may download only some."""
    config, processor = folder / "config.json", folder / "preprocessor_config.json"
    if not (config.is_file() and processor.is_file() and _list_weights(folder)):
        return False
    indexes = [*folder.glob("model*.index.json"), *folder.glob("pytorch_model*.index.json")][:1]
    shards = set(json.loads(indexes[0].read_text("utf-8"))["weight_map"].values()) if indexes else set()
    has_text_encoder = "text_config" in json.loads(config.read_text("utf-8"))
    tokenizers = ("tokenizer.json", "vocab.json", "vocab.txt", "spiece.model", "tokenizer.model")
    has_tokenizer = any((folder / tokenizer).is_file() for tokenizer in tokenizers)
    return all((folder / shard).is_file() for shard in shards) and (has_tokenizer or not has_text_encoder)


def _list_weights(folder: Path) -> list[Path]:
    return sorted(folder.glob("model*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))


@functools.cache
def fingerprint_model(name: str, kind: str = "clip") -> str:
    """Return a hash of a model's weights and settings as 16 hexadecimal digits.

    It is computed by SHA-256 from the whole files, once: see `hash_file`. It does not depend on the folder
    they are in.
    """
    folder = fetch_model(name, kind)
    weights = _list_weights(folder)
    if not weights:
        raise UserError(f"{folder}: has no model.safetensors or pytorch_model.bin")
    digest = hashlib.sha256()
    for file in [*weights, *(folder / setting for setting in _SETTINGS_FILES)]:
        if file.is_file():
            digest.update(file.name.encode() + bytes.fromhex(hash_file(file)))
    return digest.hexdigest()[:16]
