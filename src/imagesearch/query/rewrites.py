"""Replaces phrases with equivalent phrases that the tag rules match: "anyone other than kim", "without kim".

Most phrases are replaced only next to a name or a number of people. All other words stay the same.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

from imagesearch.query.gazetteer import Gazetteer, KnownNames
from imagesearch.query.phrase_rewrites import (
    ABSENT,
    ANY_PHRASE,
    COUNTRIES,
    INITIALS,
    compile_phrase_rules,
    find_person_ending_at,
    is_name,
)
from imagesearch.query.tokenizer import Sentence, Token, tokenize

_MAX_TOKENS = 1200  # maximum number of words and marks that are rewritten


class _Rewrite(NamedTuple):
    """Words that replace the tokens of a sentence from a position up to ``end``.

    They are put ``back`` tokens before that position.
    """

    text: str
    end: int
    back: int = 0


def rewrite_sentence(sentence: Sentence, names: KnownNames) -> Sentence:
    """Return a sentence that means the same, in phrases that the tag rules match."""
    tokens: list[Token] = []
    is_changed = False
    i = 0
    while i < min(len(sentence.tokens), _MAX_TOKENS):
        rewrite = _find_rewrite(sentence, i, names)
        if rewrite is None:
            tokens.append(sentence.tokens[i])
            i += 1
        else:
            start = len(tokens) - rewrite.back
            tokens[start:start] = [replace(token, space_before=True) for token in tokenize(rewrite.text)]
            i = rewrite.end
            is_changed = True
    return Sentence.from_tokens([*tokens, *sentence.tokens[i:]]) if is_changed else sentence


def _find_rewrite(sentence: Sentence, i: int, names: KnownNames) -> _Rewrite | None:
    """Return the first rewrite that applies at a token."""
    if sentence.tokens[i].kind not in ("word", "mark"):
        return None
    return (
        _rewrite_absence(sentence, i, names.people)
        or _rewrite_sign(sentence, i, names)
        or _rewrite_phrase(sentence, i, names)
        or _rewrite_country(sentence, i, names.places)
        or _rewrite_initials(sentence, i, names.places)
    )


def _rewrite_absence(sentence: Sentence, i: int, people: Gazetteer) -> _Rewrite | None:
    """Rewrite "kim is not there" as "without kim"."""
    match = ABSENT.match(sentence.text, sentence.starts[i])
    start = None if match is None else find_person_ending_at(sentence.tokens, i, people)
    if match is None or start is None:
        return None
    return _Rewrite("without", _find_next(sentence, match), back=i - start)


def _rewrite_sign(sentence: Sentence, i: int, names: KnownNames) -> _Rewrite | None:
    """Rewrite a minus or an exclamation mark directly before a name: "maya -kim"."""
    tokens = sentence.tokens
    if tokens[i].norm not in ("-", "!", "\u2212") or (i and not tokens[i].space_before):
        return None
    is_attached = i + 1 < len(tokens) and not tokens[i + 1].space_before
    return _Rewrite("without", i + 1) if is_attached and is_name(tokens, i + 1, names) else None


def _rewrite_phrase(sentence: Sentence, i: int, names: KnownNames) -> _Rewrite | None:
    if not ANY_PHRASE.match(sentence.text, sentence.starts[i]):
        return None
    for pattern, replacement, applies in compile_phrase_rules():
        match = pattern.match(sentence.text, sentence.starts[i])
        if match and applies(sentence, i, end := _find_next(sentence, match), names):
            return _Rewrite(replacement.format(**match.groupdict()), end)
    return None


def _rewrite_country(sentence: Sentence, i: int, places: Gazetteer) -> _Rewrite | None:
    for pattern, name in COUNTRIES:
        match = pattern.match(sentence.text, sentence.starts[i])
        if match and name in places and (match[0] != "us" or sentence.tokens[i].text == "US"):
            return _Rewrite(name, _find_next(sentence, match))
    return None


def _rewrite_initials(sentence: Sentence, i: int, places: Gazetteer) -> _Rewrite | None:
    """Rewrite initials with dots as the album's place that they stand for: "d.c.", "DC"."""
    match = INITIALS.match(sentence.text, sentence.starts[i])
    if match is None:
        return None
    end = _find_next(sentence, match)
    is_one_word = not any(token.space_before for token in sentence.tokens[i + 1 : end])
    letters = match[0].replace(" ", "").replace(".", "")
    return _Rewrite(letters.upper(), end) if is_one_word and letters in places else None


def _find_next(sentence: Sentence, match: re.Match[str]) -> int:
    """Return the position of the token after a match."""
    return sentence.find_token(match.end() + 1)
