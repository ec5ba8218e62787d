"""The clauses of a parsed sentence, one by one, and the words to remove from the sentence for each of them.

`list_clauses` returns what a user interface can show as separate items: "Maya", "Goa (state)", "2023".
`find_removals` returns for each of them the sentence without it. The parser has no record of which words a
clause is from: it rewrites and corrects sentences first. Therefore runs of words are removed one after the
other, and the results are parsed and compared. At 0.2 ms a sentence this takes some milliseconds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from imagesearch.query.clauses import PeopleClause
from imagesearch.query.lexicon import LEADING
from imagesearch.query.parsed_query import ParsedQuery
from imagesearch.text import normalize

ClauseKind = Literal["who", "where", "when", "fact", "what", "not", "order", "unknown"]

_Key = tuple[str, str]  # the kind, and the words that must not change

MAX_RUN = 8  # words that are removed together, if the sentence is longer than the next number
_SHORT_SENTENCE = 16  # words
_LONGEST_SENTENCE = 48  # words; in a longer one, no words are looked for
_PIECES = re.compile(r'"[^"]*"|[,;]|[^\s,;"]+|"')
_JOINERS = r"(?:and|or|but|[,;&+])"
_PREPOSITIONS = r"(?:in|on|at|of|with|without|not|near|from|to|the|a|by|for|during|no)"
_OPENERS = r"(?:in|on|at|of|near|from|for|by)"
# What a sentence looks like from which too few words were removed: "and noor", "maya in", "maya and, paris".
_UNTIDY = re.compile(
    rf"^{_JOINERS}(?!\S)|^of(?!\S)|(?<!\S)(?:{_JOINERS}|{_PREPOSITIONS})$|[,;]$"
    rf"|(?:(?<!\S)|(?=[,;])){_JOINERS}\s+{_JOINERS}(?!\S)|(?<!\S){_PREPOSITIONS}\s+{_JOINERS}(?!\S)"
    rf"|(?<!\S)(?:{_OPENERS}|the|an?)\s+(?:{_OPENERS}|with|without|not|during)(?!\S)",
    re.IGNORECASE,
)
_OPEN_END = re.compile(rf"(?<!\S)(?:{_OPENERS}|the|an?)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class SentenceClause:
    """One clause of a sentence.

    Attributes
    ----------
    kind
        ``"not"`` for anything that the photo must not show, ``"unknown"`` for what was not understood.
    label
        The clause in words, for the user.
    """

    kind: ClauseKind
    label: str


@dataclass(frozen=True)
class Removal:
    """The words of a clause in a sentence.

    Attributes
    ----------
    start, end
        The words' positions in the sentence, in characters. There can be other words between them.
    rest
        The sentence without the clause.
    """

    start: int
    end: int
    rest: str


def list_clauses(parsed: ParsedQuery) -> tuple[SentenceClause, ...]:
    """Return the clauses of a sentence: who, where, when, facts, what, what not, and the order."""
    return (
        *_list_people(parsed.people),
        *_list_places(parsed),
        *(SentenceClause("when", str(clause)) for clause in parsed.dates),
        *(SentenceClause("fact", fact.words) for fact in parsed.facts),
        *([SentenceClause("what", topic)] if (topic := parsed.topic) else []),
        *(SentenceClause("not", f"without {content.caption}") for content in parsed.excluded),
        *([SentenceClause("order", str(parsed.order))] if parsed.order else []),
        *(SentenceClause("unknown", words) for words in parsed.not_understood),
    )


def _list_people(people: PeopleClause) -> Iterator[SentenceClause]:
    if people.only or people.at_most:
        # "only maya" is not Maya and something else
        yield SentenceClause("who", str(replace(people, none_of=())))
    else:
        for name in people.all_of:
            yield SentenceClause("who", name)
        for names in people.any_of:
            yield SentenceClause("who", " or ".join(names))
        numbers = PeopleClause(count=people.count, other_than=people.other_than)
        if numbers:
            yield SentenceClause("who", str(numbers))
    for name in people.none_of:
        yield SentenceClause("not", f"without {name}")


def _list_places(parsed: ParsedQuery) -> Iterator[SentenceClause]:
    for n, name in enumerate((*parsed.list_places(), *(area.name for area in parsed.areas))):
        yield SentenceClause("where", f"or {name}" if n else name)
    for name in parsed.excluded_places:
        yield SentenceClause("not", f"not {name}")


def find_removals(text: str, parse: Callable[[str], ParsedQuery]) -> dict[SentenceClause, Removal]:
    """Return for each clause of a sentence the words to remove, so that the other clauses stay the same.

    The shortest run of words is returned that leaves a tidy sentence: "noor" of "maya and noor", not "and
    noor". Some words stand for several clauses of one kind: without "rio" of "maya in rio", neither Rio de
    Janeiro nor Rio Branco is left. Clauses without such words are left out.

    Parameters
    ----------
    text
        The sentence.
    parse
        Parses a sentence.
    """
    clauses = list_clauses(parse(text))
    pieces = [match.span() for match in _PIECES.finditer(text)]
    if not clauses or len(pieces) > _LONGEST_SENTENCE:
        return {}
    counts = _count_clauses(clauses)
    best: dict[_Key, tuple[tuple[int, bool, int], Removal]] = {}
    for first, last in _list_runs(len(pieces)):
        start, end = pieces[first][0], pieces[last][1]
        rest = _cut(text, start, end)
        remaining = _count_clauses(list_clauses(parse(rest)))
        lost = counts - remaining
        if remaining - counts or len({kind for kind, _ in lost}) != 1:
            continue
        is_topic = any(kind == "what" for kind, _ in lost)  # "on the beaches", not "beaches"
        is_untidy = _UNTIDY.search(rest) or (is_topic and _OPEN_END.search(text[:start]))
        cost = (lost.total(), bool(is_untidy), last - first)
        for key in lost:
            if key not in best or cost < best[key][0]:
                best[key] = cost, Removal(start, end, rest)
        if all(key in best and best[key][0][:2] == (1, False) for key in counts):
            break  # the runs that follow are longer, and not better in any other way
    found = {one: best[key][1] for one in clauses if (key := _make_key(one)) in best}
    for topic in (one for one in clauses if one.kind == "what" and one not in found):
        if removal := _remove_topic(text, pieces, found.values(), parse, counts - _count_clauses([topic])):
            found[topic] = removal
    return found


def _remove_topic(
    text: str,
    pieces: Sequence[tuple[int, int]],
    removals: Collection[Removal],
    parse: Callable[[str], ParsedQuery],
    expected: Counter[_Key],
) -> Removal | None:
    """Remove what is not part of another clause: words of the picture can be anywhere in the sentence."""
    others = [piece for piece in pieces if any(r.start <= piece[0] < r.end for r in removals)]
    rest = " ".join(text[start:end] for start, end in others)
    if not others or _count_clauses(list_clauses(parse(rest))) != expected:
        return None
    own = [piece for piece in pieces if piece not in others]
    return Removal(own[0][0], own[-1][1], rest) if own else None


def _count_clauses(clauses: Iterable[SentenceClause]) -> Counter[_Key]:
    return Counter(map(_make_key, clauses))


def _list_runs(count: int) -> Iterator[tuple[int, int]]:
    """Return the first and last position of each run, the shortest first."""
    longest = count if count <= _SHORT_SENTENCE else MAX_RUN
    for length in range(1, longest + 1):
        for first in range(count - length + 1):
            yield first, first + length - 1


def _cut(text: str, start: int, end: int) -> str:
    before, after = text[:start].rstrip(), text[end:].lstrip()
    glue = "" if not before or after[:1] in (",", ";", "") else " "
    return f"{before}{glue}{after}"


def _make_key(clause: SentenceClause) -> _Key:
    """Return what must not change: the words of the picture without small words that only joined clauses."""
    if clause.kind == "where":
        return "where", clause.label.removeprefix("or ")
    if clause.kind == "what":
        return "what", " ".join(_strip_small_words(normalize(clause.label).split()))
    return clause.kind, clause.label


def _strip_small_words(words: Sequence[str]) -> Sequence[str]:
    small = LEADING | {"and", "or", "but", "a", "an", "the", ","}
    start = next((n for n, word in enumerate(words) if word not in small), len(words))
    end = next((n for n in range(len(words), start, -1) if words[n - 1] not in small), start)
    return words[start:end]
