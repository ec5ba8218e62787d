"""The tags of a sentence, and what a tag rule reads.

A rule is a function from a `Position` to a `Tag`, or to None if it does not apply. `tagger` lists the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from imagesearch.query.clauses import Area, PhotoFact, PhotoOrder
from imagesearch.query.gazetteer import KnownNames, NameMatch
from imagesearch.query.lexicon import NAME_LEADS, PLACE_LEADS
from imagesearch.query.times.engine import DateMatch
from imagesearch.query.tokenizer import Sentence, Token

TagKind = Literal[
    "word",
    "mark",
    "quote",
    "ignored",
    "person",
    "place",
    "area",
    "date",
    "fact",
    "order",
    "count",
    "only",
    "alone",
    "limit",
    "file",
]
ENTITIES = frozenset(("person", "place", "area", "date", "fact", "count"))


class TaggedSpan(NamedTuple):
    """Consecutive tokens of a sentence, and what they stand for.

    Attributes
    ----------
    kind
        *only* excludes people other than those after it, *alone* other than those before it. A *count* is
        a number of people. A *limit* says how many of the people before or after it are in the photo: "but
        not both", "exactly one of". *ignored* words do not describe photos: "please show me".
    start, end
        The position of its first token, and the position after its last.
    keys
        For people and places: the normalized name, or several names if the words are ambiguous.
    is_possessive
        Whether the name has a possessive ending.
    date
        For a date: how it was parsed.
    count
        For a number of people and a limit: minimum and maximum. None means no limit.
    counts_others
        Whether the number counts *other* people than those that are named.
    areas
        For an area: the region or circle, or several as alternatives.
    fact, order
        For a fact and an order: what it means.
    """

    kind: TagKind
    start: int
    end: int
    keys: tuple[str, ...] = ()
    is_possessive: bool = False
    date: DateMatch | None = None
    count: tuple[int, int | None] = (0, None)
    counts_others: bool = False
    areas: tuple[Area, ...] = ()
    fact: PhotoFact | None = None
    order: PhotoOrder | None = None


@dataclass(frozen=True, slots=True)
class TaggedSentence:
    """A sentence whose tokens are divided into spans.

    Attributes
    ----------
    spans
        Spans in order; each starts where the one before it ends.
    notes
        Notes for the user on corrected or ambiguous words.
    not_understood
        Parts of the sentence that are neither understood nor a description of a photo, as typed.
    unknown_names
        Words that are probably names of people, as typed, whom the vocabulary lacks.
    """

    tokens: Sequence[Token]
    spans: Sequence[TaggedSpan]
    notes: Sequence[str]
    not_understood: Sequence[str] = ()
    unknown_names: Sequence[str] = ()


class Tag(NamedTuple):
    """What a rule returns.

    Attributes
    ----------
    notes
        Notes for the user on how the words were read.
    dates_ahead
        The number of dates that the rule parsed after the span. They count towards the limit.
    not_understood
        The text of the span, if it is not understood.
    """

    span: TaggedSpan
    notes: tuple[str, ...] = ()
    dates_ahead: int = 0
    not_understood: tuple[str, ...] = ()


class Position(NamedTuple):
    """A token of a sentence, and all that a rule may read to decide what starts there.

    Attributes
    ----------
    i
        The position of the token.
    spans
        The spans before it.
    person, place, date
        The exact name of a person and of a place, and the date, that start at the token.
    dates_left
        The number of dates that may still be parsed.
    """

    sentence: Sentence
    i: int
    names: KnownNames
    today: date
    spans: Sequence[TaggedSpan]
    person: NameMatch | None
    place: NameMatch | None
    date: DateMatch | None
    dates_left: int

    @property
    def tokens(self) -> Sequence[Token]:
        return self.sentence.tokens

    @property
    def token(self) -> Token:
        return self.sentence.tokens[self.i]

    @property
    def last_kind(self) -> str:
        """The kind of the span before the token; empty at the start."""
        return self.spans[-1].kind if self.spans else ""

    @property
    def follows_place_lead(self) -> bool:
        """Whether *in* and the like stand before the token, with or without *the*."""
        return self.find_word_before("the") in PLACE_LEADS

    @property
    def is_name_position(self) -> bool:
        """Whether a name is expected: at the start, after *with* and the like, or after another name."""
        before = self.find_word_before()
        return before in NAME_LEADS or not before or self.last_kind in ENTITIES

    def find_word_before(self, skipped: str = "") -> str:
        """Return the normalized word or mark before the token, other than ``skipped``.

        Empty at the start of the sentence, and after the words that begin a request.
        """
        i = self.i
        while i and self.tokens[i - 1].norm == skipped:
            i -= 1
        follows_request = bool(self.spans) and self.spans[0].kind == "ignored" and self.spans[0].end == i
        return self.tokens[i - 1].norm if i and not follows_request else ""

    def get_norm(self, i: int, default: str = "") -> str:
        """Return the normalized text of a token; the default after the end of the sentence."""
        return self.tokens[i].norm if i < len(self.tokens) else default
