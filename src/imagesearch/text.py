"""Texts as people type them: the normal form of a name, and which choice a mistyped text means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from imagesearch.errors import UserError

# Letters that Unicode does not decompose into a base and an accent, though keyboards without them do.
_BASE_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th"}
    | {"\N{LATIN SMALL LETTER DOTLESS I}": "i"}
)
# O'Brien, Hawai'i and St. Louis are also typed without; Saint-Denis with a space.
_DROPPED = frozenset(".'`’‘ʻʼʹ′")  # noqa: RUF001 - lookalikes are the point
_SPACES = frozenset("|%_\\-‐‑‒–—−")  # noqa: RUF001 - lookalikes are the point
# The combining marks of Latin, Greek and Cyrillic; those of other scripts are no ornaments.
_ACCENTS = range(0x0300, 0x0370)


def normalize(text: str) -> str:
    """Return a text as it is compared: lower case, no accents, no apostrophes and dots, single spaces.

    Hyphens become spaces, and so do control characters and those that a filter cannot hold (``| % _ \\``),
    so that what is returned can be an element of a list in Milvus. Normalizing twice changes nothing.

    Parameters
    ----------
    text
        In any script; one without case and accents comes back as it is, in Unicode NFKC.
    """
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    normalized = "".join(map(_normalize_character, decomposed.translate(_BASE_LETTERS)))
    return " ".join(unicodedata.normalize("NFKC", normalized).split())


def _normalize_character(character: str) -> str:
    category = unicodedata.category(character)
    if character in _SPACES or category in ("Cc", "Zs", "Zl", "Zp"):
        return " "
    if character in _DROPPED or ord(character) in _ACCENTS or category in ("Cf", "Cs"):
        return ""  # Cf: invisible marks of direction and joining; Cs: halves of characters, no UTF-8
    return character


def clean_text(text: str) -> str:
    """Return a text in Unicode NFC, with single spaces and none at its ends.

    Raises
    ------
    UserError
        If it is not valid UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UserError(f"{text!r}: not valid UTF-8; is the terminal set to another encoding?") from None
    return re.sub(" +", " ", unicodedata.normalize("NFC", text)).strip()


def find_similar(text: str, choices: Iterable[str], count: int = 1, min_ratio: float = 0.6) -> list[str]:
    """Return the choices that are most like a text, the most similar first: for "did you mean".

    Parameters
    ----------
    text, choices
        Compared as they are; normalize both where case does not matter.
    count
        At most this many.
    min_ratio
        0 to 1, the least similarity: twice the length of the longest common subsequence over the length of
        both texts (normalized Indel similarity).
    """
    from rapidfuzz import fuzz, process

    cutoff = 100 * min_ratio
    similar = process.extract(text, list(choices), scorer=fuzz.ratio, limit=count, score_cutoff=cutoff)
    return [choice for choice, _, _ in similar]
