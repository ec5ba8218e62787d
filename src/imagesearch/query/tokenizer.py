"""Splits a sentence into tokens: words, marks, quotes, file names, and prefixes such as ``person:``."""

from __future__ import annotations

import functools
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

from imagesearch.query.facts.file_names import FILE_NAME
from imagesearch.text import normalize

TokenKind = Literal["word", "mark", "quote", "prefix", "file"]
_PREFIXES = {"person": "person", "people": "person", "place": "place", "text": "text"}
# A name ends at these marks. Any other mark may stand between the words of one name.
HARD_MARKS = frozenset(',;:!?"()[]{}<>|=*\u3001\u3002\uff0c\u060c\u061b')
_QUOTES = frozenset('"\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02')
_APOSTROPHES = frozenset("'`\u2019\u2018\u02bb\u02bc\u02b9\u2032")
# Scripts without spaces between words: Thai to Lao, Burmese, Khmer, kana and Chinese characters.
_UNSPACED = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3005, 0x30FF), (0x3400, 0x9FFF),
             (0xF900, 0xFAFF), (0x20000, 0x3FFFF))  # fmt: skip
# One token, in the classes of its characters; `_classify_character` defines the letters.
_TOKEN = re.compile(r"q[^q]+q|w[wm]*(?:aw[wm]*)*a?|c[m]*|e[em]*|[pqa]")


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a sentence.

    Attributes
    ----------
    text
        The characters of the sentence; of a quote, those between the quotation marks.
    norm
        The normalized text, by which names are compared. For a mark it is the mark itself; for a prefix
        ``person``, ``place`` or ``text``.
    possessor
        The normalized word without its possessive ending: ``maya`` for ``maya's``. Empty if it has none.
    space_before
        Whether a space precedes the token.
    """

    text: str
    norm: str
    kind: TokenKind = "word"
    possessor: str = ""
    space_before: bool = True


class _CharacterClasses(dict[str, str]):
    """A cache: the class of each character, by `_classify_character`."""

    def __missing__(self, character: str) -> str:
        self[character] = character_class = _classify_character(character)
        return character_class


def _classify_character(character: str) -> str:
    """Return a letter for a character's class.

    ``a`` apostrophe, ``q`` quotation mark, ``w`` part of a word, ``c`` a word on its own (scripts without
    spaces), ``m`` combining mark, ``e`` emoji, ``p`` other mark, and a space for all else.
    """
    if character in _APOSTROPHES:
        return "a"
    if character in _QUOTES:
        return "q"
    category = unicodedata.category(character)
    if category[0] in "LN":
        return "c" if _is_unspaced(character) else "w"
    if category[0] == "M" or category == "Cf":
        return "m"
    if category == "So" or (category == "Sk" and ord(character) > 0xFFFF):
        return "e"
    return "p" if category[0] in "PS" else " "  # control characters, surrogates, unassigned code points


def _is_unspaced(character: str) -> bool:
    return any(low <= ord(character) <= high for low, high in _UNSPACED)


_CLASSES = _CharacterClasses()


def tokenize(sentence: str) -> list[Token]:
    """Return the tokens of a sentence. Accepts any text; characters that UTF-8 cannot encode are skipped."""
    tokens: list[Token] = []
    start = searched = quote_count = 0
    for match in FILE_NAME.finditer(sentence):
        quote_count += sum(character in _QUOTES for character in sentence[searched : match.start()])
        searched = match.end()
        if quote_count % 2:
            continue  # inside quotation marks
        tokens += _tokenize_words(sentence[start : match.start()])
        space_before = match.start() == 0 or sentence[match.start() - 1].isspace()
        tokens.append(Token(match[0], match[0], kind="file", space_before=space_before))
        start = match.end()
    return [*tokens, *_tokenize_words(sentence[start:])]


def _tokenize_words(sentence: str) -> list[Token]:
    """Return the tokens of a text that has no file names."""
    classes = "".join(map(_CLASSES.__getitem__, sentence))
    tokens: list[Token] = []
    end = 0
    for match in _TOKEN.finditer(classes):
        space_before = match.start() > end or bool(tokens and tokens[-1].kind == "quote")
        end = match.end()
        token = _make_token(sentence[match.start() : end], classes[match.start()], space_before)
        if token is None:
            continue
        if tokens and _is_prefix(tokens[-1], token):
            word = tokens.pop()
            token = replace(word, text=f"{word.text}:", norm=_PREFIXES[word.norm], kind="prefix")
        tokens.append(token)
    return tokens


def _is_prefix(word: Token, colon: Token) -> bool:
    is_colon = colon.kind == "mark" and colon.norm in (":", "\uff1a") and not colon.space_before
    return is_colon and word.kind == "word" and word.norm in _PREFIXES


@functools.lru_cache(maxsize=8192)
def _make_token(text: str, character_class: str, space_before: bool) -> Token | None:
    """Return the token for a text whose first character has the given class; None if it normalizes to ""."""
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
    """Return a word without its possessive ending, normalized; empty if it has none."""
    if len(text) > 2 and text[-1] in "sS" and text[-2] in _APOSTROPHES:
        return normalize(text[:-2])
    if len(text) > 2 and text[-2] in "sS" and text[-1] in _APOSTROPHES:
        return normalize(text[:-1])
    return ""


def split_words(name: str) -> tuple[str, ...]:
    """Return the normalized words of a name, in the form in which they are compared with a sentence."""
    if name.isascii() and name.replace(" ", "").isalnum():
        return tuple(name.lower().split())
    tokens = _tokenize_words(name)
    return tuple(token.norm for token in tokens if token.kind in ("word", "quote") and token.norm)


def find_name_words(tokens: Sequence[Token], start: int, limit: int) -> list[int]:
    """Return the positions of the words from a token on that may form one name: at most ``limit``."""
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
    """The tokens of a sentence, and a text in which regular expressions match.

    Attributes
    ----------
    text
        The normalized words and marks, separated by single spaces. A null character replaces other tokens.
    starts
        The offset of each token in the text, and the offset at which one more token would start.
    """

    tokens: Sequence[Token]
    text: str
    starts: list[int]

    @classmethod
    def from_tokens(cls, tokens: Sequence[Token]) -> Sentence:
        """Build the text from the tokens."""
        words = [token.norm if token.kind in ("word", "mark") else "\0" for token in tokens]
        return cls(tokens, " ".join(words), [0, *accumulate(len(word) + 1 for word in words)])

    def find_token(self, offset: int) -> int:
        """Return the position of the first token that starts at an offset of the text or after it."""
        return bisect_left(self.starts, offset)


def join_texts(tokens: Iterable[Token]) -> str:
    """Join the texts of tokens, with the spaces of the sentence; without quotation marks."""
    return "".join((" " if token.space_before else "") + token.text for token in tokens).strip()
