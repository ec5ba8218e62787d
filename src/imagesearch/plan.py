"""What to look for, and what instead if no photo passes the filter."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from imagesearch.filters import Condition, Every
from imagesearch.reading import Reading


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


def parts_of(reading: Reading) -> list[Part]:
    """Return who, where and when of a sentence, as far as it says so."""
    parts = []
    if reading.people:
        people = reading.people
        one_of = (*people.all_of, *(name for group in people.any_of for name in group))
        looser = replace(people, all_of=(), any_of=(one_of,), only=False, count=None)
        together = people.named > 1
        parts.append(
            Part(
                f"of {people}",
                Every(people.conditions),
                Every(looser.conditions) if together else None,
                f"of {looser}" if together else "",
            )
        )
    if reading.places or reading.not_places:
        parts.append(Part(_where(reading), Every(reading.place_conditions)))
    if reading.dates:
        said = " ".join(when.words for when in reading.dates)
        parts.append(Part(f"from {said}", Every(tuple(when.condition for when in reading.dates))))
    return parts


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


def _where(reading: Reading) -> str:
    spelled = dict(reading.spelled)
    places = [", ".join(spelled.get(word, word) for word in words) for words in reading.places]
    said = [f"in {' or '.join(places)}"] if places else []
    return " ".join([*said, *(f"not in {spelled.get(word, word)}" for word in reading.not_places)])


def _step(parts: Sequence[Part]) -> Step:
    return Step(Every(tuple(part.condition for part in parts)), " ".join(part.said for part in parts))
