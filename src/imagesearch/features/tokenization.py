"""Texts to tokens without transformers: by a saved ``tokenizer.json``, or by SentencePiece for SigLIP."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_TOKENIZER_FILES = {"tokenizers": "tokenizer.json", "sentencepiece": "spiece.model"}
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_UNDERLINE = "\u2581"  # SentencePiece's mark for the start of a word


@dataclass(frozen=True)
class TokenizerSettings:
    """How a model's texts are tokenized.

    Parameters
    ----------
    library
        ``"tokenizers"`` or ``"sentencepiece"``.
    max_tokens
        The model's context length. Longer texts are cut off.
    pads_to_max
        Whether all texts have the full length; otherwise, that of the longest text of a batch.
    pad_id, pad_token
        The token that texts are padded with.
    returns_mask
        Whether the model receives an attention mask.
    lowercases
        For SentencePiece: whether texts are converted to lower case.
    """

    library: str
    max_tokens: int
    pads_to_max: bool
    pad_id: int
    pad_token: str
    returns_mask: bool
    lowercases: bool = False


def save_tokenizer(tokenizer: Any, settings: TokenizerSettings, folder: Path) -> None:
    """Write the file that `load_tokenizer` reads, given a tokenizer of transformers."""
    file = folder / _TOKENIZER_FILES[settings.library]
    if settings.library == "tokenizers":
        file.write_text(tokenizer.backend_tokenizer.to_str(), "utf-8")
    else:
        file.write_bytes(Path(tokenizer.vocab_file).read_bytes())


def load_tokenizer(settings: TokenizerSettings, folder: Path) -> TextTokenizer | SentencePieceTokenizer:
    """Return the tokenizer in a folder."""
    tokenizer = TextTokenizer if settings.library == "tokenizers" else SentencePieceTokenizer
    return tokenizer(settings, folder / _TOKENIZER_FILES[settings.library])


class TextTokenizer:
    """A tokenizer of the library ``tokenizers``, such as CLIP's."""

    def __init__(self, settings: TokenizerSettings, file: Path) -> None:
        from tokenizers import Tokenizer

        self._settings = settings
        self._tokenizer = Tokenizer.from_file(str(file))
        self._tokenizer.enable_truncation(settings.max_tokens)
        length = settings.max_tokens if settings.pads_to_max else None
        self._tokenizer.enable_padding(length=length, pad_id=settings.pad_id, pad_token=settings.pad_token)

    def tokenize(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """Return ``input_ids``, and ``attention_mask`` if the model receives one, (n, tokens) int64."""
        encodings = self._tokenizer.encode_batch(list(texts))
        tokens = {"input_ids": np.asarray([encoding.ids for encoding in encodings], np.int64)}
        if self._settings.returns_mask:
            masks = [encoding.attention_mask for encoding in encodings]
            tokens["attention_mask"] = np.asarray(masks, np.int64)
        return tokens


class SentencePieceTokenizer:
    """SigLIP's tokenizer: SentencePiece, after punctuation and repeated spaces are removed."""

    def __init__(self, settings: TokenizerSettings, file: Path) -> None:
        import sentencepiece

        self._settings = settings
        self._pieces = sentencepiece.SentencePieceProcessor(model_file=str(file))
        # SentencePiece removes a space at the start of a text. The unknown token in front of it prevents
        # that, and its pieces are removed again.
        self._prefix = "<unk>"
        self._prefix_length = len(self._pieces.encode(self._prefix))

    def tokenize(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """Return ``input_ids``, and ``attention_mask`` if the model receives one, (n, tokens) int64."""
        rows = [self._tokenize_text(text) for text in texts]
        longest = max(map(len, rows), default=0)
        length = self._settings.max_tokens if self._settings.pads_to_max else longest
        ids = np.full((len(rows), length), self._settings.pad_id, np.int64)
        mask = np.zeros_like(ids)
        for i, row in enumerate(rows):
            ids[i, : len(row)], mask[i, : len(row)] = row, 1
        return {"input_ids": ids} | ({"attention_mask": mask} if self._settings.returns_mask else {})

    def _tokenize_text(self, text: str) -> list[int]:
        text = _UNDERLINE + text.replace(_UNDERLINE, " ")
        text = text.lower() if self._settings.lowercases else text
        text = re.sub(r"\s+", " ", text.translate(_NO_PUNCTUATION)).strip()
        ids = self._pieces.encode(self._prefix + text)[self._prefix_length :]
        return [*ids[: self._settings.max_tokens - 1], self._pieces.eos_id()]
