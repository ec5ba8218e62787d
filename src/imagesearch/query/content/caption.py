"""Builds the caption: the words of a sentence that CLIP encodes.

A neutral phrase ("a person") replaces the people. Places, dates and their leading words are removed. So are
trips to a place, what photos must not show, and what is not understood. Quotes and the text after ``text:``
are always kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import replace
from itertools import dropwhile
from types import MappingProxyType
from typing import Literal, NamedTuple

from imagesearch.query.content.excluded import find_excluded
from imagesearch.query.content.joined import divide_caption
from imagesearch.query.content.leftovers import find_leftovers
from imagesearch.query.content.trips import find_trip_words
from imagesearch.query.lexicon import ARTICLES, EMPTY, LEADING, PHOTOS, PLACE_LEADS, split_set
from imagesearch.query.tags import ENTITIES, TaggedSentence
from imagesearch.query.tokenizer import Token, join_texts

_AFTER_PHOTOS = split_set("of with from in at near where showing taken that which on by without")
_DROPPED_AFTER_PHOTOS = split_set("of taken where showing that which show shows")
_LAST_PHOTOS = frozenset(
    word for word in PHOTOS if word.endswith("s")
)  # not "photo": a group photo is a motif
_BEFORE_PHOTOS = ARTICLES | {"all", "any", "of"}
_NOT_AFTER_WITH = PLACE_LEADS | LEADING
_KEPT_LEADS = split_set("with by in on at near around from")  # "maya with a dog", "on the beaches"
_POLITE = split_set("my our please")
_ALL = PHOTOS | {"everything", "everywhere", "anything", "anywhere"}


class Caption(NamedTuple):
    """What CLIP can compare photos with.

    Attributes
    ----------
    text
        The words of the caption; empty if they do not describe a photo.
    words
        The words of the user in it.
    phrase
        The caption without the neutral phrase for the people: "on the beaches".
    joined, join
        The captions of several things in it, and how they are joined.
    excluded
        The captions of what photos must not show.
    excludes_people
        Whether photos must not show people: "without cars or people".
    not_understood
        The parts of the sentence that are neither understood nor in a caption.
    """

    text: str = ""
    words: str = ""
    joined: tuple[str, ...] = ()
    join: Literal["and", "or", ""] = ""
    excluded: tuple[str, ...] = ()
    excludes_people: bool = False
    not_understood: tuple[str, ...] = ()
    phrase: str = ""


def build_caption(
    tagged: TaggedSentence,
    leads: Set[int],
    neutral_phrases: Mapping[int, str],
    negated: Mapping[int, bool] = MappingProxyType({}),
) -> Caption:
    """Return the caption, and what else the words describe.

    Parameters
    ----------
    leads
        Positions of tokens that only lead to a person, a place or a date.
    neutral_phrases
        Maps the position of a token to the words that replace it.
    negated
        See `find_excluded`.
    """
    tokens = tagged.tokens
    dropped = leads | _find_dropped(tagged) | find_trip_words(tagged, leads)
    excluded = find_excluded(tagged, dropped, negated)
    dropped |= excluded.dropped
    leftovers = find_leftovers(tagged, dropped)
    dropped.update(i for part in leftovers for i in part)
    caption = Caption(
        excluded=tuple(dict.fromkeys(join_texts(_strip_stopwords(phrase)) for phrase in excluded.phrases)),
        excludes_people=excluded.excludes_people,
        not_understood=tuple(join_texts(tokens[i] for i in part) for part in leftovers),
    )
    kept = [i for i in range(len(tokens)) if i in neutral_phrases or i not in dropped]
    kept = _strip_photo_words(tokens, kept, dropped, neutral_phrases)
    if not _describes_photo(tagged, [i for i in kept if i not in dropped]):
        is_text = not (excluded.dropped or leftovers or _requests_photos(tagged))
        whole = join_texts(tokens)
        return caption._replace(text=whole, words=whole, phrase=whole) if is_text else caption
    words = _strip_stopwords([tokens[i] for i in kept if i not in neutral_phrases])
    text = _strip_stopwords(_insert_phrases(tokens, kept, neutral_phrases))
    things, join = divide_caption(words)
    joined = tuple(map(join_texts, things))
    phrase = join_texts(_make_phrase(tokens, kept, neutral_phrases))
    return caption._replace(
        text=join_texts(text), words=join_texts(words), phrase=phrase, joined=joined, join=join
    )


def _find_dropped(tagged: TaggedSentence) -> set[int]:
    """Return the tokens that are not in the caption: all but words, marks and quotes, and polite words."""
    dropped = {i for i, token in enumerate(tagged.tokens) if token.kind == "word" and token.norm in _POLITE}
    for span in tagged.spans:
        if span.kind == "quote":
            dropped.update(range(span.start, span.end - 1))  # the prefix text:
        elif span.kind not in ("word", "mark") and not (span.date and span.date.keeps_words):
            dropped.update(range(span.start, span.end))
    return dropped


def _describes_photo(tagged: TaggedSentence, kept: Sequence[int]) -> bool:
    """Whether there is a quote, or a word other than "the", "of" and the like."""
    quotes = {span.end - 1 for span in tagged.spans if span.kind == "quote"}
    return any(
        i in quotes or (tagged.tokens[i].kind == "word" and tagged.tokens[i].norm not in EMPTY) for i in kept
    )


def _requests_photos(tagged: TaggedSentence) -> bool:
    """Whether a sentence without a caption has a filter or requests all photos. Else all of it is text."""
    has_filter = any(span.kind in ENTITIES or span.kind in ("alone", "order") for span in tagged.spans)
    return has_filter or bool(tagged.not_understood) or any(token.norm in _ALL for token in tagged.tokens)


def _strip_photo_words(
    tokens: Sequence[Token], kept: list[int], dropped: Set[int], neutral_phrases: Collection[int]
) -> list[int]:
    """Remove "photos of" and "all the pictures with" at the start, and "photos" at the end."""

    def is_among(i: int, words: Set[str]) -> bool:
        return i not in neutral_phrases and tokens[i].norm in words

    rest = list(dropwhile(lambda i: is_among(i, _BEFORE_PHOTOS), kept))
    if rest and is_among(rest[0], PHOTOS):
        after = rest[0] + 1
        ends_phrase = after >= len(tokens) or after in dropped or tokens[after].kind != "word"
        if ends_phrase or tokens[after].norm in _AFTER_PHOTOS:
            kept = list(dropwhile(lambda i: is_among(i, _DROPPED_AFTER_PHOTOS), rest[1:]))
    while len(kept) > 1 and is_among(kept[-1], _LAST_PHOTOS):
        kept = kept[:-1]
    return kept


def _insert_phrases(
    tokens: Sequence[Token], kept: Sequence[int], neutral_phrases: Mapping[int, str]
) -> list[Token]:
    """Return the kept tokens with neutral phrases at their positions, each followed by a space."""
    caption: list[Token] = []
    for n, i in enumerate(kept):
        if i in neutral_phrases:
            phrase, following = neutral_phrases[i], tokens[kept[n + 1]].norm if n + 1 < len(kept) else "with"
            if following in _NOT_AFTER_WITH:  # what a person has is not in the caption: "maya's trip to goa"
                phrase = phrase.removesuffix(" with")
            caption.append(Token(phrase, phrase))
        elif n and kept[n - 1] in neutral_phrases and tokens[i].kind != "mark":
            caption.append(replace(tokens[i], space_before=True))
        else:
            caption.append(tokens[i])
    return caption


def _make_phrase(
    tokens: Sequence[Token], kept: Sequence[int], neutral_phrases: Collection[int]
) -> list[Token]:
    """Return the kept tokens without neutral phrases and without the words that lead to these.

    The words that lead from a person to the rest stay: "on the beaches", "a dog on a sofa".
    """
    phrase: list[Token] = []
    follows_neutral = False
    for i in kept:
        if i in neutral_phrases:
            while phrase and _is_among(phrase[-1], LEADING):
                phrase.pop()
            follows_neutral = not phrase
        elif phrase or not _is_among(tokens[i], LEADING - _KEPT_LEADS if follows_neutral else LEADING):
            phrase.append(tokens[i])
    while phrase and _is_among(phrase[-1], LEADING | {"the", "where"}):
        phrase.pop()
    return phrase


def _strip_stopwords(tokens: Sequence[Token]) -> Sequence[Token]:
    """Remove words at both ends that led to removed words."""
    first, last = 0, len(tokens)
    while first < last and _is_among(tokens[first], LEADING):
        first += 1
    while last > first and _is_among(tokens[last - 1], LEADING | {"the", "where"}):
        last -= 1
    return tokens[first:last]


def _is_among(token: Token, words: Set[str]) -> bool:
    return token.kind != "quote" and token.norm in words
