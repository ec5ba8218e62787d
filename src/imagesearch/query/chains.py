"""People named one after the other, and little words at either end of what is left of a sentence."""

from __future__ import annotations

from dataclasses import dataclass, field

from imagesearch.query.lexicon import LEADING
from imagesearch.query.tokenizer import Token


@dataclass
class Chain:
    """People named one after the other: "maya, noor or kim"."""

    first: int
    names: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    owns: bool = False
    end: int = 0


def groups_of(names: list[tuple[tuple[str, ...], str]]) -> list[tuple[str, ...]]:
    """Group people by who is an alternative to whom."""
    joiners: list[str] = []
    for _, joiner in reversed(names):
        joiners.append((joiners[-1] if joiners else "and") if joiner == "," else joiner)
    groups: list[tuple[str, ...]] = []
    for i, ((found, _), joiner) in enumerate(zip(names, reversed(joiners), strict=True)):
        if i and joiner == "or":
            groups[-1] = tuple(dict.fromkeys((*groups[-1], *found)))
        else:
            groups.append(found)
    return list(dict.fromkeys(groups))


def stripped(tokens: list[Token]) -> list[Token]:
    """Leave out little words at either end, which led to what is gone."""
    first, last = 0, len(tokens)
    while first < last and tokens[first].kind != "quote" and tokens[first].folded in LEADING:
        first += 1
    while (
        last > first
        and tokens[last - 1].kind != "quote"
        and tokens[last - 1].folded in LEADING | {"the", "where"}
    ):
        last -= 1
    return tokens[first:last]
