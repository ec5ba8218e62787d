"""Text as people type it: the normal form of names, and similar names for a misspelt one."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence

from imagesearch.errors import UserError

# Letters that Unicode does not decompose into a base letter and an accent, while people type the base letter.
_BASE_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th"}
    | {"\N{LATIN SMALL LETTER DOTLESS I}": "i"}
)
# People also type O'Brien, Hawai'i and St. Louis without these, and Saint-Denis with a space.
_DROPPED = frozenset(".'`’‘ʻʼʹ′")  # noqa: RUF001 - lookalikes are the point
_SPACES = frozenset("|%_\\-‐‑‒–—−")  # noqa: RUF001 - lookalikes are the point
# The combining marks of Latin, Greek and Cyrillic. Those of other scripts can change the meaning.
_ACCENTS = range(0x0300, 0x0370)
_MAX_CACHED = 2**14  # names of places and people are in thousands of photos


def normalize(text: str) -> str:
    """Return a text in the form in which names are compared.

    It is in lower case, without accents, apostrophes and dots, and with single spaces. Hyphens, control
    characters, and characters that a filter cannot contain (``| % _ \\``) become spaces, so the result can be
    an element of a list in Milvus. Normalizing twice changes nothing.

    Parameters
    ----------
    text
        Text in any script. In scripts without case and accents, only the Unicode form changes, to NFKC.
    """
    if text.isascii():
        return " ".join(text.lower().translate(_ASCII).split())
    return _normalize_unicode(text)


@functools.lru_cache(_MAX_CACHED)
def _normalize_unicode(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    normalized = "".join(map(_normalize_character, decomposed.translate(_BASE_LETTERS)))
    return " ".join(unicodedata.normalize("NFKC", normalized).split())


def _normalize_character(character: str) -> str:
    category = unicodedata.category(character)
    if character in _SPACES or category in ("Cc", "Zs", "Zl", "Zp"):
        return " "
    if character in _DROPPED or ord(character) in _ACCENTS or category in ("Cf", "Cs"):
        return ""  # Cf: invisible marks of direction and joining; Cs: lone surrogates
    return character


# The same for ASCII, in a tenth of the time: step 05 normalizes some 25 texts for each photo.
_ASCII = {number: _normalize_character(chr(number)) for number in range(128)}


def clean_text(text: str) -> str:
    """Return a text in Unicode NFC, with single spaces, and without spaces at its ends.

    Raises
    ------
    UserError
        If the text is not valid UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UserError(f"{text!r}: not valid UTF-8; set the terminal to UTF-8") from None
    return re.sub(" +", " ", unicodedata.normalize("NFC", text)).strip()


def enumerate_names(names: Sequence[str]) -> str:
    """Return names as a sentence lists them: ``Maya, Kofi and Noor``."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def find_similar(text: str, choices: Iterable[str], count: int = 1, min_ratio: float = 0.6) -> list[str]:
    """Return the choices that are most similar to a text, best first, for "did you mean" hints.

    Parameters
    ----------
    text, choices
        Texts to compare. To ignore case and accents, normalize them first.
    count
        Maximum number of results.
    min_ratio
        Minimum similarity, 0 to 1: twice the length of the longest common subsequence, divided by the total
        length of both texts (normalized Indel similarity).
    """
    from rapidfuzz import fuzz, process

    cutoff = 100 * min_ratio
    similar = process.extract(text, list(choices), scorer=fuzz.ratio, limit=count, score_cutoff=cutoff)
    return [choice for choice, _, _ in similar]


def is_numbered_label(label: str) -> bool:
    """Whether a label is that of a person without a name, such as ``person 12``."""
    return bool(re.fullmatch(r"person \d+", label))


def find_sorted_line(table: bytes, key: bytes) -> bytes | None:
    """Find a line by bisection; return what follows its key and a tab, or None if there is no such line.

    The lines of the table end with a line break, and are sorted by the bytes of their keys.
    """
    low, high = 0, len(table)
    while low < high:
        start = table.rfind(b"\n", 0, (low + high) // 2) + 1
        end = table.find(b"\n", start)
        found, _, rest = table[start:end].partition(b"\t")
        if found == key:
            return rest
        low, high = (end + 1, high) if found < key else (low, start)
    return None


def mask_passwords(text: str) -> str:
    """Replace the passwords in the addresses of a text: ``http://user:***@host``."""
    return re.sub(r"(\w://[^\s:/@]*):[^\s/]*@", r"\1:***@", text)


def shorten_reason(text: str, length: int = 200) -> str:
    """Return the message of a library as one line of about `length` characters, without passwords.

    It ends after a whole word, so that addresses and paths of files in it are complete.
    """
    words, end = mask_passwords(text).split(), 0
    for count, word in enumerate(words):
        if end >= length:
            return f"{' '.join(words[:count])} …"
        end += len(word) + 1
    return " ".join(words)
