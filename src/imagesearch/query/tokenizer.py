"""A sentence in tokens: words, marks, quotes, and the explicit ``person:``, ``place:`` and ``text:``."""

from __future__ import annotations

import functools
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from imagesearch.text import normalize

TokenKind = Literal["word", "mark", "quote", "explicit"]
EXPLICIT = {"person": "person", "people": "person", "place": "place", "text": "text"}
# The words of one name may be parted by any mark but these.
HARD_MARKS = frozenset(',;:!?"()[]{}<>|=*\u3001\u3002\uff0c\u060c\u061b')
_QUOTES = frozenset('"\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02')
_APOSTROPHES = frozenset("'`\u2019\u2018\u02bb\u02bc\u02b9\u2032")
# Thai to Lao, Burmese, Khmer, kana and Chinese characters: scripts that put no spaces between words.
_UNSPACED = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3005, 0x30FF), (0x3400, 0x9FFF),
             (0xF900, 0xFAFF), (0x20000, 0x3FFFF))  # fmt: skip
_TOKEN = re.compile(r"q[^q]+q|w[wm]*(?:aw[wm]*)*a?|c[m]*|e[em]*|[pqa]")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a sentence.

    Attributes
    ----------
    text
        As it stood; of a quote, what is between the marks.
    norm
        As names are compared; of a mark, the mark; of an explicit start, ``person``, ``place`` or ``text``.
    possessor
        What a word is without its possessive ending, normalized: ``maya`` of ``maya's``; else empty.
    space_before
        Whether there was space before it.
    """

    text: str
    norm: str
    kind: TokenKind = "word"
    possessor: str = ""
    space_before: bool = True


class _CharacterClasses(dict[str, str]):
    """The class of each character: Word, sole Character, Emoji, Mark that combines, ..."""

    def __missing__(self, character: str) -> str:
        self[character] = character_class = _classify_character(character)
        return character_class


def _classify_character(character: str) -> str:
    if character in _APOSTROPHES:
        return "a"
    if character in _QUOTES:
        return "q"
    category = unicodedata.category(character)
    if category[0] in "LN":
        return "c" if any(low <= ord(character) <= high for low, high in _UNSPACED) else "w"
    if category[0] == "M" or category == "Cf":
        return "m"
    if category == "So" or (category == "Sk" and not character.isascii() and ord(character) > 0xFFFF):
        return "e"
    return "p" if category[0] in "PS" else " "  # controls, surrogates and unassigned: nothing that is known


_CLASSES = _CharacterClasses()


def tokenize(sentence: str) -> list[Token]:
    """Take a sentence apart. Any text will do; what cannot be UTF-8 is left out."""
    classes = "".join(map(_CLASSES.__getitem__, sentence))
    tokens: list[Token] = []
    end = 0
    for match in _TOKEN.finditer(classes):
        space_before = match.start() > end or bool(tokens and tokens[-1].kind == "quote")
        end = match.end()
        token = _make_token(sentence[match.start() : end], classes[match.start()], space_before)
        if token is not None and not _merge_explicit(tokens, token):
            tokens.append(token)
    return tokens


@functools.lru_cache(maxsize=8192)
def _make_token(text: str, character_class: str, space_before: bool) -> Token | None:
    """Make a token of a piece whose first character is of a class; None if nothing of it is left."""
    if character_class in "pa" or (character_class == "q" and len(text) == 1):
        return Token(text, text, "mark", space_before=space_before)
    if character_class == "q":
        inside = "".join(c if _CLASSES[c] != " " else " " for c in text[1:-1])
        inside = " ".join(inside.split())
        return Token(inside, normalize(inside), "quote", space_before=space_before) if inside else None
    if text.isascii() and text.isalnum():
        return Token(text, text.lower(), space_before=space_before)
    norm = normalize(text)
    return Token(text, norm, possessor=_strip_possessive(text), space_before=space_before) if norm else None


def _strip_possessive(text: str) -> str:
    """Return a word without its possessive ending, normalized; nothing if it has none."""
    if len(text) > 2 and text[-1] in "sS" and text[-2] in _APOSTROPHES:
        return normalize(text[:-2])
    if len(text) > 2 and text[-2] in "sS" and text[-1] in _APOSTROPHES:
        return normalize(text[:-1])
    return ""


def _merge_explicit(tokens: list[Token], token: Token) -> bool:
    """Turn a word before a colon into an explicit start, which swallows the colon."""
    if token.norm not in (":", "\uff1a") or token.kind != "mark" or token.space_before or not tokens:
        return False
    last = tokens[-1]
    if last.kind != "word" or last.norm not in EXPLICIT:
        return False
    tokens[-1] = Token(last.text + ":", EXPLICIT[last.norm], "explicit", space_before=last.space_before)
    return True


def split_words(name: str) -> tuple[str, ...]:
    """Return the normalized words of a name, as a sentence's words are compared to them."""
    if name.isascii() and name.replace(" ", "").isalnum():
        return tuple(name.lower().split())
    return tuple(token.norm for token in tokenize(name) if token.kind in ("word", "quote") and token.norm)


def find_name_words(tokens: Sequence[Token], start: int, limit: int) -> list[int]:
    """Return the positions of the next words that could be of one name: at most so many, to a hard mark."""
    positions: list[int] = []
    for i in range(start, min(len(tokens), start + 2 * limit)):
        token = tokens[i]
        if token.kind == "word":
            positions.append(i)
            if len(positions) == limit:
                break
        elif token.kind != "mark" or token.norm in HARD_MARKS or not positions:
            break
    return positions


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence in tokens, and as one text for patterns.

    Attributes
    ----------
    text
        The normalized words and marks with one space between any two; other tokens are a null character.
    starts
        Where each token starts in the text, and where one more would.
    """

    tokens: Sequence[Token]
    text: str
    starts: list[int]

    @classmethod
    def from_tokens(cls, tokens: Sequence[Token]) -> Sentence:
        """Join the tokens."""
        words = [token.norm if token.kind in ("word", "mark") else "\0" for token in tokens]
        return cls(tokens, " ".join(words), [0, *accumulate(len(word) + 1 for word in words)])

    def find_token(self, offset: int) -> int:
        """Return the first token that starts at an offset of the text or after it."""
        return bisect_left(self.starts, offset)


def join_texts(tokens: Iterable[Token]) -> str:
    """Write tokens down again, with spaces where there were some; quotes lose their marks."""
    return "".join((" " if token.space_before else "") + token.text for token in tokens).strip()
