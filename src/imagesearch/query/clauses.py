"""What the mentions of a sentence ask for: people, places and dates.

Of several people all are required, or one where *or* stands between; *or* binds its two neighbours ("maya and
noor or kim": Maya, and one of the others), and a comma is what the next *and* or *or* of the list is. Of
several places any will do, unless one is in the other ("anjuna, goa").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from imagesearch.filters import Or
from imagesearch.query import date_ranges
from imagesearch.query.gazetteer import Gazetteer
from imagesearch.query.lexicon import JOINERS, NEGATIONS, ONLY, PLACE_LEADS, split_set
from imagesearch.query.mentions import LEADS, Mention
from imagesearch.query.parsed_query import DateClause, PeopleClause, make_neutral_phrase
from imagesearch.query.tokenizer import Token, join_texts

_ADDS = split_set("and with & plus")


@dataclass
class NameList:
    """People named one after the other: "maya, noor or kim".

    Attributes
    ----------
    names
        Of each person, the names that may be meant, and the word that joins it to the one before.
    start
        The first token.
    last
        The last person.
    """

    start: int
    last: Mention
    names: list[tuple[tuple[str, ...], str]] = field(default_factory=list)

    def group_alternatives(self) -> list[tuple[str, ...]]:
        """Group the people by who is an alternative to whom."""
        joiners: list[str] = []
        for _, joiner in reversed(self.names):
            joiners.append((joiners[-1] if joiners else "and") if joiner == "," else joiner)
        groups: list[tuple[str, ...]] = []
        for (names, _), joiner in zip(self.names, reversed(joiners), strict=True):
            if groups and joiner == "or":
                groups[-1] = tuple(dict.fromkeys((*groups[-1], *names)))
            else:
                groups.append(names)
        return list(dict.fromkeys(groups))


class PeopleBuilder:
    """Collects who must be in a photo; mentions are added in their order.

    Attributes
    ----------
    dropped
        The tokens that led to a person or a number, and say nothing else.
    """

    def __init__(self, people: Gazetteer) -> None:
        self._people = people
        self._lists: list[NameList] = []
        self._none_of: list[str] = []
        self._only = False
        self._count: tuple[int, int | None] | None = None
        self._other_than: int | None = None
        self._count_start = -1  # the token of the first number
        self._denied: set[int] = set()
        self.dropped: set[int] = set()

    def add(self, mention: Mention) -> None:
        """Add a person, a number of people, or that somebody is alone."""
        if mention.span.kind == "person":
            self._add_person(mention)
        elif mention.span.kind == "count":
            self._add_count(mention)
        else:
            self._only = True

    def _add_person(self, mention: Mention) -> None:
        entries = self._people.entries
        names = tuple(entries[key].name if key in entries else key for key in mention.span.keys)
        words = self._read_only(mention)
        self.dropped |= mention.find_leads(ONLY | {"the"})
        if mention.is_denied(words, self._denied):
            self._denied.add(mention.index)
            self._none_of += names
            self.dropped |= mention.find_leads(NEGATIONS | JOINERS | {"with", "of"})
            return
        if self._lists and self._lists[-1].last.index == mention.previous_index:
            self.dropped |= mention.find_leads(LEADS)
            self._lists[-1].last = mention
        else:
            if self._lists or (mention.previous is not None and mention.previous.kind == "count"):
                self.dropped |= mention.find_leads(JOINERS | {"with", "of", "by"})
            self._lists.append(NameList(mention.span.start, mention))
        joiner = "or" if {"or", "/"} & set(words) else "," if words == [","] else "and"
        self._lists[-1].names.append((names, joiner))

    def _read_only(self, mention: Mention) -> list[str]:
        """Note whether *only* leads to a person, and return the other leads."""
        words = list(mention.words)
        if not (ONLY & set(words) or any(lead.kind == "only" for lead in mention.leads)):
            return words
        self._only = self._only or not (NEGATIONS - {"without", "no"}) & set(words)
        words = [word for lead, word in zip(mention.leads, words, strict=True) if lead.kind != "only"]
        if {"without", "no"} & set(words):
            return words
        return [word for word in words if word not in NEGATIONS]

    def _add_count(self, mention: Mention) -> None:
        if NEGATIONS & set(mention.words):
            self._add_negated_count(mention)
            return
        low, high = mention.span.count
        follows_person = mention.previous is not None and mention.previous.kind == "person"
        is_added = mention.span.says_other or (follows_person and bool(_ADDS & set(mention.words)))
        if self._lists and self._count is None and is_added and high != 0:
            named = self._count_named()
            low, high = low + named, None if high is None else high + named
            self.dropped |= mention.find_leads(JOINERS | {"with"})
        self._count = low, high
        if self._count_start < 0 and high != 0:
            self._count_start = mention.span.start

    def _add_negated_count(self, mention: Mention) -> None:
        """Not two people; not more than two are at most two."""
        self.dropped |= mention.find_leads(NEGATIONS | JOINERS | {"with"})
        low, high = mention.span.count
        if high is None:
            self._count = min(1, max(low - 1, 0)), max(low - 1, 0)
        elif low < high or high == 0:
            self._count = high + 1, None
        else:
            self._other_than = low
        self._count_start = mention.span.start

    def _count_named(self) -> int:
        return sum(len(names.group_alternatives()) for names in self._lists)

    def build(self) -> PeopleClause:
        """Return who is asked for."""
        groups = list(dict.fromkeys(group for names in self._lists for group in names.group_alternatives()))
        has_others = self._count not in (None, (0, 0))  # "and two others" are somebody else
        only = bool(groups) and (self._count == (0, 0) or (self._only and not has_others))
        return PeopleClause(
            all_of=tuple(dict.fromkeys(group[0] for group in groups if len(group) == 1)),
            any_of=tuple(group for group in groups if len(group) > 1),
            none_of=tuple(dict.fromkeys(self._none_of)),
            only=only,
            count=None if only else self._count,
            other_than=self._other_than,
        )

    def make_neutral_phrases(self) -> dict[int, str]:
        """Return what stands for the people in a caption, by the token in whose place it stands."""
        named = self._count_named()
        uncounted = (named, named) if named or self._other_than is None else (1, None)
        low, high = self._count or uncounted
        if not self._lists:
            return {self._count_start: make_neutral_phrase(low, high)} if self._count_start >= 0 else {}
        first = self._lists[0]
        low = max(low, named)
        phrase = make_neutral_phrase(low, low if high is not None else None)
        has_text = first.last.span.is_possessive and first.last.precedes_text
        return {first.start: f"{phrase} with" if has_text else phrase}


@dataclass(frozen=True)
class PlaceClause:
    """Where a photo must be taken, and where not.

    Attributes
    ----------
    any_of
        Any of these; of each, all words must be among the photo's ``place_words``.
    names
        Pairs of a place word and how to name it: ``("goa", "Goa (state)")``.
    """

    any_of: tuple[tuple[str, ...], ...]
    none_of: tuple[str, ...]
    names: tuple[tuple[str, str], ...]


class PlaceBuilder:
    """Collects where a photo must be taken; mentions are added in their order.

    Attributes
    ----------
    dropped
        The tokens that led to a place, and say nothing else.
    """

    def __init__(self, places: Gazetteer) -> None:
        self._places = places
        self._any_of: list[tuple[str, ...]] = []
        self._none_of: list[str] = []
        self._last: list[int] = []  # which of any_of the last mention is: a larger place may complete it
        self._denied: set[int] = set()
        self.dropped: set[int] = set()

    def add(self, mention: Mention) -> None:
        """Add a place."""
        is_denied = mention.is_denied(mention.words, self._denied)
        self.dropped |= self._find_dropped_leads(mention, is_denied)
        keys = mention.span.keys
        if is_denied:
            self._denied.add(mention.index)
            self._none_of += keys
            return
        follows_place = mention.previous is not None and mention.previous.kind == "place"
        is_alternative = follows_place and bool({"or", "and", "&", "/", "to"} & set(mention.words))
        if self._any_of and not is_alternative and self._contains_last(keys[0], "," in mention.words):
            for i in self._last:
                if keys[0] not in self._any_of[i]:
                    self._any_of[i] = (*self._any_of[i], keys[0])
            return
        self._any_of += [(key,) for key in keys if (key,) not in self._any_of]
        self._last = [self._any_of.index((key,)) for key in keys]

    def _find_dropped_leads(self, mention: Mention, is_denied: bool) -> set[int]:
        """The little words right before a place that lead to it: "in", "in the", "and in", not "on the"."""
        dropped = set()
        has_lead = False
        for n in reversed(range(len(mention.leads))):
            word, before = mention.words[n], mention.words[n - 1] if n else ""
            if word in PLACE_LEADS:
                is_dropped = not has_lead
            elif word == "on":
                is_dropped = not mention.precedes_text
            else:
                is_dropped = (
                    word == "of"
                    or word in NEGATIONS
                    or (word in JOINERS and (mention.follows_entity or is_denied))
                    or (word == "the" and before in PLACE_LEADS)
                )
            if not is_dropped:
                break
            has_lead = has_lead or word in PLACE_LEADS
            dropped.add(mention.leads[n].start)
        return dropped

    def _contains_last(self, key: str, is_listed: bool) -> bool:
        """Whether a place may contain the last one; after a comma not the other way round."""
        last = self._any_of[self._last[-1]][-1] if self._last else ""
        contains = self._places.contains
        return key == last or contains(key, last) or (not is_listed and contains(last, key))

    def build(self) -> PlaceClause:
        """Return where is asked for."""
        keys = dict.fromkeys([*(key for words in self._any_of for key in words), *self._none_of])
        entries = {key: self._places.entries[key] for key in keys if key in self._places.entries}
        return PlaceClause(
            any_of=tuple(self._any_of),
            none_of=tuple(dict.fromkeys(self._none_of)),
            names=tuple(
                (key, f"{entry.name} ({entry.kind})" if entry.kind else entry.name)
                for key, entry in entries.items()
            ),
        )


class DateBuilder:
    """Collects when a photo must be taken; mentions are added in their order.

    Attributes
    ----------
    dropped
        The tokens that led to a date, and say nothing else.
    """

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._clauses: list[tuple[str, DateClause]] = []  # each with the family of its dates
        self._denied: set[int] = set()
        self.dropped: set[int] = set()

    def add(self, mention: Mention) -> None:
        """Add a date."""
        match = mention.span.date
        assert match is not None
        text = join_texts(self._tokens[max(mention.span.start, match.core) : mention.span.end])
        clause = DateClause(text, match.reference.condition, match.reference.dates)
        if mention.is_denied(mention.words, self._denied):
            self._denied.add(mention.index)
            self.dropped |= mention.find_leads(NEGATIONS | JOINERS)
            clause = DateClause(f"not {text}", date_ranges.negate(clause.condition), clause.dates)
            self._clauses.append(("not", clause))
            return
        self.dropped |= mention.find_leads(JOINERS if mention.follows_entity else set())
        family = match.reference.family
        if self._is_alternative(mention, family):
            _, last = self._clauses.pop()
            dates = ", ".join(filter(None, (last.dates, clause.dates)))
            clause = DateClause(f"{last.words} or {text}", Or((last.condition, clause.condition)), dates)
        self._clauses.append((family, clause))

    def _is_alternative(self, mention: Mention, family: str) -> bool:
        """Whether it is joined to the last date by *or*, or by *and* to one of its family."""
        if not self._clauses or mention.previous is None or mention.previous.kind != "date":
            return False
        is_same_family = self._clauses[-1][0] == family != "open"
        is_joined = is_same_family and set(mention.words) <= {"and", ",", "&", "/"}
        return "or" in mention.words or is_joined

    def build(self) -> tuple[DateClause, ...]:
        """Return when is asked for: all of these."""
        return tuple(dict.fromkeys(clause for _, clause in self._clauses))
