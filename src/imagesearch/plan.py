"""What to look for, and what instead if no photo passes the filter."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imagesearch.filters import Condition, Every


@dataclass(frozen=True)
class Part:
    """One side of what a sentence asks for: who, where or when.

    Attributes
    ----------
    said : str
        It in words: ``of Maya and Noor``, ``in Goa``, ``in 2023``.
    condition : Condition
        What it asks of a photo.
    looser : Condition or None
        What would do instead before giving it up: one of several people.
    looser_said : str
        That in words.
    """

    said: str
    condition: Condition
    looser: Condition | None = None
    looser_said: str = ""


@dataclass(frozen=True)
class Step:
    """One filter to try."""

    condition: Condition
    said: str


def steps(parts: Sequence[Part], has_text: bool) -> Iterator[list[Step]]:
    """Yield what to try, the strictest first; what is tried together is shown one after another.

    All parts have to hold. If no photo passes: one of the people is enough where several were asked for
    together; then one part is given up, each in turn, the last given first; then two; and at last all, if
    there is a text left to compare photos to. Since nothing passed all parts together, the steps that give
    up one have no photo in common.

    Parameters
    ----------
    parts
        Who, where, when, as far as they are asked for.
    has_text
        Whether a search without any filter means something.
    """
    yield [_step(parts)]
    loose = [part for part in parts if part.looser is not None]
    if loose:
        weaker = [Part(p.looser_said, p.looser) if p.looser is not None else p for p in parts]
        yield [_step(weaker)]
    for kept in range(len(parts) - 1, 0, -1):
        # combinations come with the first parts first: who outlives where, where outlives when
        yield [_step(some) for some in itertools.combinations(parts, kept)]
    if parts and has_text:
        yield [Step(Every(), "anything")]


def _step(parts: Sequence[Part]) -> Step:
    return Step(Every(tuple(part.condition for part in parts)), " ".join(part.said for part in parts))
