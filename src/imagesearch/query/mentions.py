"""Groups the spans of a sentence into mentions: a person, place, date or number, with its leading words.

In "maya but not in goa", the mention of Goa has the leads "but", "not" and "in".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from imagesearch.query.lexicon import JOINERS, NEGATIONS, ONLY, PLACE_LEADS, split_set
from imagesearch.query.tags import ENTITIES, TaggedSentence, TaggedSpan
from imagesearch.query.tokenizer import Token

LEADS = JOINERS | NEGATIONS | PLACE_LEADS | ONLY | {"of", "the", "by", "for", "on", "to"}
_EVERYONE = split_set("everyone everybody anyone anybody anything everything anywhere everywhere all")
_WITHOUT = frozenset(("without", "no"))
_NO = frozenset(("no", "not", "nobody", "noone"))
_LIST_WORDS = frozenset(("and", "or", ",", "&", "in", "at"))  # a negation extends over them


class Lead(NamedTuple):
    """A span that leads to a mention, and its first word or mark."""

    word: str
    span: TaggedSpan


@dataclass(frozen=True)
class Mention:
    """A person, place, date, fact or number of people, *alone*, or a limit.

    Attributes
    ----------
    index
        The index of its span in the sentence.
    leads
        The spans directly before it that lead to it.
    words
        The words of the leads, except phrases such as "nobody but" and the negation in *not only*.
    previous
        The span before the leads; None at the start of the sentence.
    precedes_text
        Whether a word follows that does not lead to another mention.
    is_only
        Whether *only* leads to a person. *not only* has no effect.
    is_negated
        Whether *without* or *not* applies to it, directly or through a list: "not in goa or paris".
    """

    index: int
    span: TaggedSpan
    leads: tuple[Lead, ...]
    words: tuple[str, ...]
    previous: TaggedSpan | None
    precedes_text: bool
    is_only: bool
    is_negated: bool

    @property
    def previous_kind(self) -> str:
        """The kind of the span before the leads; empty at the start of the sentence."""
        return self.previous.kind if self.previous else ""

    @property
    def follows_entity(self) -> bool:
        """Whether the leads follow another mention."""
        return self.previous_kind in ENTITIES

    def follows(self, other: Mention) -> bool:
        """Whether only its leads stand between another mention and this one."""
        return self.index - len(self.leads) - 1 == other.index

    def find_leads(self, words: Collection[str]) -> set[int]:
        """Return the positions of the tokens of those leads whose word is among ``words``."""
        spans = [lead.span for lead in self.leads if lead.word in words]
        return {i for span in spans for i in range(span.start, span.end)}


def group_mentions(tagged: TaggedSentence) -> list[Mention]:
    """Return the mentions of a sentence, in order."""
    spans = tagged.spans
    leads = [Lead(tagged.tokens[span.start].norm, span) for span in spans]
    is_lead = [_is_lead(lead) for lead in leads]
    mentions: list[Mention] = []
    first = 0  # the first lead of the next mention
    for k, span in enumerate(spans):
        if k and not is_lead[k - 1]:
            first = k
        if span.kind in ENTITIES or span.kind in ("alone", "limit"):
            before = leads[first - 1] if first else None
            precedes_text = k + 1 < len(spans) and spans[k + 1].kind == "word" and not is_lead[k + 1]
            last = mentions[-1] if mentions else None
            mentions.append(_make_mention(k, span, leads[first:k], before, precedes_text, last))
    return mentions


def _is_lead(lead: Lead) -> bool:
    kind = lead.span.kind
    return kind == "only" or (kind in ("word", "mark") and lead.word in LEADS)


def _make_mention(
    index: int,
    span: TaggedSpan,
    leads: Sequence[Lead],
    before: Lead | None,
    precedes_text: bool,
    last: Mention | None,
) -> Mention:
    """Make a mention from the span before its leads, and from the last mention of the sentence."""
    words, is_only = [lead.word for lead in leads], False
    if span.kind == "person":
        words, is_only = _read_only(leads)
    if span.kind == "count":
        is_negated = not NEGATIONS.isdisjoint(words)
    else:
        is_exception = before is not None and before.word in _EVERYONE and "but" in words
        is_negated = _has_negation(words) or is_exception or _continues_negation(words, span, before, last)
    return Mention(
        index, span, tuple(leads), tuple(words), before and before.span, precedes_text, is_only, is_negated
    )


def _read_only(leads: Sequence[Lead]) -> tuple[list[str], bool]:
    """Return the words of a person's leads that join or negate, and whether *only* excludes other people.

    *not only* neither negates nor excludes other people. *without only* negates.
    """
    words = [lead.word for lead in leads]
    if ONLY.isdisjoint(words) and all(lead.span.kind != "only" for lead in leads):
        return words, False
    is_only = (NEGATIONS - _WITHOUT).isdisjoint(words)
    words = [lead.word for lead in leads if lead.span.kind != "only"]
    return [word for word in words if word not in NEGATIONS] if _WITHOUT.isdisjoint(words) else words, is_only


def _has_negation(words: Sequence[str]) -> bool:
    """Whether the words negate. "outside goa" does; "outside in goa" is in Goa, and outdoors."""
    negations = NEGATIONS.intersection(words)
    if negations != {"outside"}:
        return bool(negations)
    return (words[-2] if words[-1] in ("of", "the") else words[-1]) == "outside"


def _continues_negation(
    words: Sequence[str], span: TaggedSpan, before: Lead | None, last: Mention | None
) -> bool:
    """Whether a mention is listed after a negated one of the same kind: "not in goa or paris"."""
    if last is None or before is None or not last.is_negated or last.span != before.span:
        return False
    kinds = {"place" if kind == "area" else kind for kind in (last.span.kind, span.kind)}
    return len(kinds) == 1 and bool(words) and _LIST_WORDS.issuperset(words)


def find_negated_ends(mentions: Sequence[Mention], tokens: Sequence[Token]) -> dict[int, bool]:
    """Return the position after each negated person, and after *nobody*; see `find_excluded`."""
    ends: dict[int, bool] = {}
    for mention in mentions:
        span = mention.span
        is_nobody = span.kind == "count" and span.count == (0, 0)
        if is_nobody or (span.kind == "person" and mention.is_negated):
            ends[span.end] = _NO.isdisjoint((*mention.words, tokens[span.start].norm))
    return ends


def note_alternatives(mentions: Sequence[Mention]) -> list[str]:
    """Return a note for each *or* between mentions of different kinds, which a filter cannot express."""
    notes = []
    for mention in mentions:
        kinds = {"place" if kind == "area" else kind for kind in (mention.span.kind, mention.previous_kind)}
        if "or" in mention.words and len(kinds) == 2 and kinds <= ENTITIES:
            notes.append(f'read "or" between a {" and a ".join(sorted(kinds))} as "and"')
    return notes
