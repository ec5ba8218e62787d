"""What to look for, and what instead if no photo passes the filter."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from imagesearch.filters import ANYTHING, Between, Condition, Every, Eq
from imagesearch.query import People, Reading


@dataclass(frozen=True)
class Part:
    """One side of what a sentence asks for: who, where or when.

    Attributes
    ----------
    said : str
        It in words: ``of Maya and Noor``, ``in Goa``, ``2023``.
    condition : Condition
        What it asks of a photo.
    looser : tuple of Part
        What would do instead before giving it up, the nearest first: not only these people, one of them.
    """

    said: str
    condition: Condition
    looser: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Who, where and when of a sentence, as far as it says so.

    Attributes
    ----------
    parts : list of Part
        What may be given up.
    always : Condition
        What may not: who or what place is *not* wanted.
    excluded : str
        That in words.
    """

    parts: list[Part]
    always: Condition = ANYTHING
    excluded: str = ""

    @property
    def condition(self) -> Condition:
        """All of it."""
        return Every((self.always, *(part.condition for part in self.parts)))


@dataclass(frozen=True)
class Step:
    """One filter to try."""

    condition: Condition
    said: str


def plan_of(reading: Reading) -> Plan:
    """Return what a sentence asks for besides its text."""
    parts, always, excluded = [], [], []
    people = replace(reading.people, none_of=())
    if people:
        parts.append(_who(people))
    if reading.people.none_of:
        # -1 is a photo in which no faces were looked for: nobody knows that she is not in it
        always += [*replace(People(), none_of=reading.people.none_of).conditions, Between("face_count", 0)]
        excluded.append(f"without {' or '.join(reading.people.none_of)}")
    spelled = dict(reading.spelled)
    if reading.places:
        said = " or ".join(", ".join(spelled.get(word, word) for word in words) for words in reading.places)
        wanted = replace(reading, not_places=())
        parts.append(Part(f"in {said}", Every(wanted.place_conditions)))
    if reading.not_places:
        unwanted = replace(reading, places=())
        always += [*unwanted.place_conditions, Eq("has_gps", True)]
        excluded.append(f"not in {' or '.join(spelled.get(word, word) for word in reading.not_places)}")
    if reading.dates:
        said = ", ".join(when.words for when in reading.dates)
        parts.append(Part(said, Every(tuple(when.condition for when in reading.dates))))
    return Plan(parts, Every(tuple(always)), ", ".join(excluded))


def steps(parts: Sequence[Part], has_text: bool) -> Iterator[list[Step]]:
    """Yield what to try, the strictest first; what is tried together is shown one after another.

    All parts have to hold. If no photo passes: others may be in it where only some people were asked for;
    one of the people is enough where several were asked for together; then one part is given up, each in
    turn, the last given first; then two; and at last all, if there is a text left to compare photos to.
    Since nothing passed all parts together, the steps that give up one have no photo in common.

    Parameters
    ----------
    parts
        Who, where, when, as far as they are asked for.
    has_text
        Whether a search without any filter means something.
    """
    yield [_step(parts)]
    for i, part in enumerate(parts):
        for looser in part.looser:
            yield [_step([*parts[:i], looser, *parts[i + 1 :]])]
    for kept in range(len(parts) - 1, 0, -1):
        # combinations come with the first parts first: who outlives where, where outlives when
        yield [_step(some) for some in itertools.combinations(parts, kept)]
    if parts and has_text:
        yield [Step(ANYTHING, "anything")]


def _who(people: People) -> Part:
    looser = []
    if people.named and (people.only or people.count or people.other_than):
        looser.append(replace(people, only=False, count=None, other_than=None))
    if people.named > 1:
        one_of = (*people.all_of, *(name for group in people.any_of for name in group))
        looser.append(People(any_of=(one_of,)))
    return Part(
        _of(people), Every(people.conditions), tuple(Part(_of(p), Every(p.conditions)) for p in looser)
    )


def _of(people: People) -> str:
    return "of nobody" if people.count == (0, 0) and not people.named else f"of {people}"


def _step(parts: Sequence[Part]) -> Step:
    said = " ".join(part.said if part.said.startswith(("of ", "in ")) else f"({part.said})" for part in parts)
    return Step(Every(tuple(part.condition for part in parts)), said)
