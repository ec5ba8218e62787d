"""The people, places, dates and numbers in a sentence, each with the words that lead to it: "not in" goa."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from imagesearch.query.lexicon import JOINERS, NEGATIONS, ONLY, PLACE_LEADS, split_set
from imagesearch.query.tagger import ENTITIES, TaggedSpan
from imagesearch.query.tokenizer import Token

LEADS = JOINERS | NEGATIONS | PLACE_LEADS | ONLY | {"of", "the", "by", "for", "on", "to"}
_EVERYONE = split_set("everyone everybody anyone anybody anything everything anywhere everywhere all")


@dataclass(frozen=True)
class Mention:
    """A person, place, date or number of people, or that somebody is *alone*.

    Attributes
    ----------
    index
        Which of the sentence's spans it is.
    leads
        The spans right before it that only lead to it.
    words
        The first word or mark of each of these.
    previous
        The span before these; None at the start of the sentence.
    previous_word
        The first word of that span.
    precedes_text
        Whether a word follows that leads to no other mention.
    """

    index: int
    span: TaggedSpan
    leads: tuple[TaggedSpan, ...]
    words: tuple[str, ...]
    previous: TaggedSpan | None
    previous_word: str
    precedes_text: bool

    @property
    def previous_index(self) -> int:
        """Which of the spans the previous one is; -1 if there is none."""
        return self.index - len(self.leads) - 1

    @property
    def follows_entity(self) -> bool:
        """Whether it is listed behind another mention."""
        return self.previous is not None and self.previous.kind in ENTITIES

    def find_leads(self, words: Collection[str]) -> set[int]:
        """Return the tokens of the leads that are among some words."""
        spans = [lead for lead, word in zip(self.leads, self.words, strict=True) if word in words]
        return {i for span in spans for i in range(span.start, span.end)}

    def is_denied(self, words: Sequence[str], denied: Collection[int]) -> bool:
        """Whether *without* or *not* leads to it, or to the one of its kind that it continues.

        Parameters
        ----------
        words
            Those of its leads that may deny it.
        denied
            Indices of the denied mentions of its kind.
        """
        denials = NEGATIONS & set(words)
        if denials == {"outside"}:
            last = words[-2] if words[-1] in ("of", "the") else words[-1]
            denials = denials if last == "outside" else frozenset()  # outside in goa: in Goa, and outdoors
        is_exception = self.previous_word in _EVERYONE and "but" in words
        is_listed = bool(words) and set(words) <= {"and", "or", ",", "&", "in", "at"}
        return bool(denials) or is_exception or (is_listed and self.previous_index in denied)


def find_mentions(tokens: Sequence[Token], spans: Sequence[TaggedSpan]) -> list[Mention]:
    """Return the mentions of a sentence, in order."""
    words = [tokens[span.start].norm for span in spans]
    is_lead = [
        span.kind == "only" or (span.kind in ("word", "mark") and word in LEADS)
        for span, word in zip(spans, words, strict=True)
    ]
    mentions = []
    first = 0  # of the leads to the next mention
    for k, span in enumerate(spans):
        if k and not is_lead[k - 1]:
            first = k
        if span.kind in ENTITIES or span.kind == "alone":
            mentions.append(
                Mention(
                    index=k,
                    span=span,
                    leads=tuple(spans[first:k]),
                    words=tuple(words[first:k]),
                    previous=spans[first - 1] if first else None,
                    previous_word=words[first - 1] if first else "",
                    precedes_text=k + 1 < len(spans) and spans[k + 1].kind == "word" and not is_lead[k + 1],
                )
            )
    return mentions


def list_or_notes(mentions: Sequence[Mention]) -> list[str]:
    """Return notes on each *or* between mentions of different kinds: a filter has no such alternatives."""
    notes = []
    for mention in mentions:
        kinds = {mention.span.kind, mention.previous.kind if mention.previous else ""}
        if "or" in mention.words and len(kinds) == 2 and kinds <= ENTITIES:
            notes.append(f'read "or" between a {" and a ".join(sorted(kinds))} as "and"')
    return notes
