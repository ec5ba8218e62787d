"""The caption: what is left of a sentence for CLIP once people, places and dates are taken out.

Who is taken out leaves neutral words ("a person"); a place or a date leaves nothing. What stands in quotes,
and what follows ``text:``, is always left.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import replace
from itertools import dropwhile

from imagesearch.query.lexicon import ARTICLES, EMPTY, LEADING, PHOTOS, split_set
from imagesearch.query.tagger import ENTITIES, TaggedSpan
from imagesearch.query.tokenizer import Token, join_texts

_AFTER_PHOTOS = split_set("of with from in at near where showing taken that which on by without")
_DROPPED_AFTER_PHOTOS = split_set("of taken where showing that which show shows")
_LAST_PHOTOS = frozenset(word for word in PHOTOS if word.endswith("s"))  # a group photo is a kind of picture
_BEFORE_PHOTOS = ARTICLES | {"all", "any", "of"}
_POLITE = split_set("my our please")
_ALL = PHOTOS | {"everything", "everywhere", "anything", "anywhere"}


def build_caption(
    tokens: Sequence[Token],
    spans: Sequence[TaggedSpan],
    dropped_leads: Set[int],
    neutral_phrases: Mapping[int, str],
) -> tuple[str, str]:
    """Return the caption, and the words of the sentence in it; empty texts if they say nothing.

    Parameters
    ----------
    dropped_leads
        Positions of tokens that only led to a person, a place or a date.
    neutral_phrases
        What stands for the people, by the token in whose place it stands.
    """
    dropped = dropped_leads | _find_dropped(tokens, spans)
    kept = [i for i in range(len(tokens)) if i in neutral_phrases or i not in dropped]
    kept = _strip_photo_words(tokens, kept, dropped, neutral_phrases)
    is_text = any(span.kind == "quote" for span in spans) or any(
        tokens[i].kind == "word" and tokens[i].norm not in EMPTY for i in kept if i not in dropped
    )
    if not is_text:
        whole = "" if _asks_for_photos(tokens, spans) else join_texts(tokens)
        return whole, whole
    words = [tokens[i] for i in kept if i not in neutral_phrases]
    caption = _insert_phrases(tokens, kept, neutral_phrases)
    return join_texts(_strip_stopwords(caption)), join_texts(_strip_stopwords(words))


def _find_dropped(tokens: Sequence[Token], spans: Sequence[TaggedSpan]) -> set[int]:
    """The tokens that are no text: all but words, marks and quotes, without what is merely polite."""
    dropped = {i for i, token in enumerate(tokens) if token.kind == "word" and token.norm in _POLITE}
    for span in spans:
        if span.kind == "quote":
            dropped.update(range(span.start, span.end - 1))  # text:
        elif span.kind not in ("word", "mark"):
            dropped.update(range(span.start, span.end))
    return dropped


def _asks_for_photos(tokens: Sequence[Token], spans: Sequence[TaggedSpan]) -> bool:
    """Whether a sentence without a text asks for photos of somebody, somewhere, sometime, or for all."""
    has_clause = any(span.kind in ENTITIES or span.kind == "alone" for span in spans)
    return has_clause or any(token.norm in _ALL for token in tokens)


def _strip_photo_words(
    tokens: Sequence[Token], kept: list[int], dropped: Set[int], neutral_phrases: Collection[int]
) -> list[int]:
    """Leave out "photos of", "all the pictures with", and photos at the end."""

    def is_among(i: int, words: Set[str]) -> bool:
        return i not in neutral_phrases and tokens[i].norm in words

    rest = list(dropwhile(lambda i: is_among(i, _BEFORE_PHOTOS), kept))
    if rest and is_among(rest[0], PHOTOS):
        after = rest[0] + 1
        is_cut = after >= len(tokens) or after in dropped or tokens[after].kind != "word"
        if is_cut or tokens[after].norm in _AFTER_PHOTOS:
            kept = list(dropwhile(lambda i: is_among(i, _DROPPED_AFTER_PHOTOS), rest[1:]))
    while len(kept) > 1 and is_among(kept[-1], _LAST_PHOTOS):
        kept = kept[:-1]
    return kept


def _insert_phrases(
    tokens: Sequence[Token], kept: Sequence[int], neutral_phrases: Mapping[int, str]
) -> list[Token]:
    """Put the neutral phrases in their places, with space behind them."""
    caption: list[Token] = []
    for n, i in enumerate(kept):
        if i in neutral_phrases:
            caption.append(Token(neutral_phrases[i], neutral_phrases[i]))
        elif n and kept[n - 1] in neutral_phrases and tokens[i].kind != "mark":
            caption.append(replace(tokens[i], space_before=True))
        else:
            caption.append(tokens[i])
    return caption


def _strip_stopwords(tokens: Sequence[Token]) -> Sequence[Token]:
    """Leave out little words at either end, which led to what is gone."""
    first, last = 0, len(tokens)
    while first < last and _is_among(tokens[first], LEADING):
        first += 1
    while last > first and _is_among(tokens[last - 1], LEADING | {"the", "where"}):
        last -= 1
    return tokens[first:last]


def _is_among(token: Token, words: Set[str]) -> bool:
    return token.kind != "quote" and token.norm in words
