"""A sentence, taken apart: who, where and when become a filter, what is left a text for CLIP.

Of several people all are wanted, or one where *or* stands between; *or* binds its two neighbours ("maya and
noor or kim": Maya, and one of the others), and a comma is what the next *and* or *or* of the list is. Of
several places any will do, unless one is in the other ("anjuna, goa"). Who is taken out leaves a neutral
word; a place or a date leaves nothing. ``person:paris``, ``place:"st james"`` and ``text:summer`` say what a
word is, and what stands in quotes is text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from imagesearch.filters import Or
from imagesearch.query import date_ranges
from imagesearch.query.gazetteer import Names
from imagesearch.query.lexicon import (
    ARTICLES,
    EMPTY,
    JOINERS,
    LEADING,
    NEGATIONS,
    ONLY,
    PHOTOS,
    PLACE_LEADS,
    listed,
)
from imagesearch.query.parsed_query import People, Reading, When, neutral
from imagesearch.query.rewrites import reword
from imagesearch.query.tagger import ENTITIES, Item, Scanner
from imagesearch.query.tokenizer import Token, rejoin, tokenize
from imagesearch.store import Vocabulary

TEMPLATE = "a photo of {text}"
_LEADS = JOINERS | NEGATIONS | PLACE_LEADS | ONLY | {"of", "the", "by", "for", "on", "to"}
_AFTER_PHOTOS = listed("of with from in at near where showing taken that which on by without")
_PHOTOS = frozenset(word for word in PHOTOS if word.endswith("s"))  # a group photo is a kind of picture
_ADDS = listed("and with & plus")
_EVERYONE = listed("everyone everybody anyone anybody anything everything anywhere everywhere all")
_DROPPED = listed("my our please")
_ALL = PHOTOS | {"everything", "everywhere", "anything", "anywhere"}


class SentenceReader:
    """Reads sentences with one vocabulary, which it indexes once.

    Parameters
    ----------
    vocabulary
        The names there are.
    template
        What CLIP is given, with ``{text}`` for what is left of the sentence.
    """

    def __init__(self, vocabulary: Vocabulary, template: str = TEMPLATE) -> None:
        self.people, self.places = Names(vocabulary.people), Names(vocabulary.places, vocabulary.within)
        self._template = template

    def warm(self) -> None:
        """Make the parts of the index that are otherwise made by the first sentence that needs them."""
        self.people.warm()
        self.places.warm()

    def read(self, sentence: str, today: date) -> Reading:
        """Read a sentence. Any text has a reading.

        Parameters
        ----------
        today
            What *yesterday* and *last summer* count from.
        """
        tokens = reword(tokenize(sentence), self.people, self.places, today)
        scanner = Scanner(tokens, self.people, self.places, today)
        plan = _Plan(tokens, scanner.scan(), self.people, self.places)
        caption, words = plan.caption()
        return Reading(
            people=plan.who(),
            places=tuple(plan.where),
            not_places=tuple(dict.fromkeys(plan.not_where)),
            dates=plan.when(),
            text=self._template.replace("{text}", caption) if caption else "",
            caption=caption,
            words=words,
            notes=tuple(dict.fromkeys(scanner.notes + plan.notes)),
            spelled=plan.spelled(),
        )


def read_sentence(sentence: str, vocabulary: Vocabulary, today: date, template: str = TEMPLATE) -> Reading:
    """Read one sentence; for several, keep a `SentenceReader`."""
    return SentenceReader(vocabulary, template).read(sentence, today)


class _Plan:
    """What the items of a sentence ask for, and which of its words say so."""

    def __init__(self, tokens: Sequence[Token], items: Sequence[Item], people: Names, places: Names) -> None:
        self.tokens, self.items, self.people, self.places = tokens, items, people, places
        self.where: list[tuple[str, ...]] = []
        self.not_where: list[str] = []
        self._chains: list[Chain] = []
        self._without: list[str] = []
        self._only = False
        self._counted: tuple[int, int | None] | None = None
        self._other_than: int | None = None
        self.notes: list[str] = []
        self._count_at = -1
        self._open: list[int] = []
        self._dated: list[tuple[str, When]] = []
        self._denied: set[int] = set()
        self._dropped: set[int] = set()
        takers = {"person": self._person, "place": self._place, "date": self._date, "count": self._count,
                  "alone": self._alone, "only": self._alone, "frame": self._alone}  # fmt: skip
        self._quoted = {item.end - 1 for item in items if item.kind == "quote"}
        for k, item in enumerate(items):
            if item.kind == "quote":
                self._dropped.update(range(item.start, item.end - 1))
            if item.kind in takers:
                self._dropped.update(range(item.start, item.end))
                takers[item.kind](k, item)
                self._note_or(k)

    # --- who -----------------------------------------------------------------------------------------------

    def _leads(self, k: int) -> list[int]:
        """The items directly before one that only lead to it."""
        first = k
        while first and self._leads_on(self.items[first - 1]):
            first -= 1
        return list(range(first, k))

    def _leads_on(self, item: Item) -> bool:
        return item.kind == "only" or (
            item.kind in ("word", "mark") and self.tokens[item.start].folded in _LEADS
        )

    def _note_or(self, k: int) -> None:
        """A filter has no alternatives of different kinds."""
        leads = self._leads(k)
        before = self.items[k - len(leads) - 1] if k > len(leads) else None
        kinds = {self.items[k].kind, before.kind if before else ""}
        if len(kinds) == 2 and kinds <= ENTITIES and "or" in self._words(leads):
            self.notes.append(f'read "or" between a {" and a ".join(sorted(kinds))} as "and"')

    def _words(self, leads: list[int]) -> list[str]:
        return [self.tokens[self.items[k].start].folded for k in leads]

    def _drop(self, leads: list[int], words: frozenset[str] | set[str]) -> None:
        for k in leads:
            if self.tokens[self.items[k].start].folded in words:
                self._dropped.update(range(self.items[k].start, self.items[k].end))

    def _is_denied(self, k: int, leads: list[int], words: list[str]) -> bool:
        """Whether *without* or *not* leads to an item, or to the one of its kind that it continues."""
        before = k - len(leads) - 1
        continues = before in self._denied and self.items[before].kind == self.items[k].kind
        everyone = before >= 0 and self.tokens[self.items[before].start].folded in _EVERYONE
        denials = NEGATIONS & set(words)
        if denials == {"outside"} and "outside" not in (
            words[-1],
            *words[-2:-1] * (words[-1] in ("of", "the")),
        ):
            denials = frozenset()  # outside in goa: in Goa, and outdoors
        listed_on = bool(words) and not set(words) - {"and", "or", ",", "&", "in", "at"}
        return bool(denials) or (everyone and "but" in words) or (continues and listed_on)

    def _person(self, k: int, item: Item) -> None:
        leads = self._leads(k)
        words = self._words(leads)
        names = tuple(self.people.words[key].name if key in self.people.words else key for key in item.keys)
        before = k - len(leads) - 1
        if any(self.items[n].kind == "only" for n in leads) or ONLY & set(words):
            self._only = self._only or not (NEGATIONS - {"without", "no"}) & set(words)
            words = [word for n, word in zip(leads, words, strict=True) if self.items[n].kind != "only"]
            if not {"without", "no"} & set(words):
                words = [word for word in words if word not in NEGATIONS]
        self._drop(leads, ONLY | {"the"})
        if self._is_denied(k, leads, words):
            self._denied.add(k)
            self._without += names
            self._drop(leads, NEGATIONS | JOINERS | {"with", "of"})
            return
        joiner = "or" if {"or", "/"} & set(words) else "," if words == [","] else "and"
        chain = self._chains[-1] if self._chains else None
        if chain and chain.end == before and self.items[before].kind == "person":
            self._drop(leads, _LEADS)
        else:
            if chain or (before >= 0 and self.items[before].kind == "count"):
                self._drop(leads, JOINERS | {"with", "of", "by"})
            chain = Chain(item.start)
            self._chains.append(chain)
        chain.names.append((names, joiner))
        chain.end, chain.owns = k, item.owns

    def _alone(self, k: int, item: Item) -> None:
        self._only = self._only or item.kind == "alone"

    def _count(self, k: int, item: Item) -> None:
        leads = self._leads(k)
        low, high = item.count
        before = self.items[k - len(leads) - 1] if k > len(leads) else None
        if any(word in NEGATIONS for word in self._words(leads)):
            self._not_counted(leads, item)
            return
        adds = item.others or (
            before is not None and before.kind == "person" and bool(_ADDS & set(self._words(leads)))
        )
        if self._chains and self._counted is None and adds and high != 0:
            named = sum(len(groups_of(chain.names)) for chain in self._chains)
            low, high = low + named, None if high is None else high + named
            self._drop(leads, JOINERS | {"with"})
        self._counted = low, high
        if self._count_at < 0 and high != 0:
            self._count_at = item.start

    def _not_counted(self, leads: list[int], item: Item) -> None:
        """Not two people; not more than two are at most two."""
        self._drop(leads, NEGATIONS | JOINERS | {"with"})
        low, high = item.count
        if high is None:
            self._counted = min(1, max(low - 1, 0)), max(low - 1, 0)
        elif low < high or high == 0:
            self._counted = high + 1, None
        else:
            self._other_than = low
        self._count_at = item.start

    def who(self) -> People:
        """Return the people that are asked for."""
        all_of: dict[str, None] = {}
        any_of: dict[tuple[str, ...], None] = {}
        for chain in self._chains:
            for group in groups_of(chain.names):
                if len(group) == 1:
                    all_of[group[0]] = None
                else:
                    any_of[group] = None
        counted_out = self._counted not in (None, (0, 0))  # "and two others" are somebody else
        only = ((self._only and not counted_out) or self._counted == (0, 0)) and bool(all_of or any_of)
        without = tuple(dict.fromkeys(self._without))
        count = None if only else self._counted
        return People(tuple(all_of), tuple(any_of), without, only, count, self._other_than)

    # --- where ---------------------------------------------------------------------------------------------

    def _place(self, k: int, item: Item) -> None:
        leads = self._leads(k)
        words = self._words(leads)
        before = k - len(leads) - 1
        follows = before >= 0 and self.items[before].kind in ENTITIES
        denied = self._is_denied(k, leads, words)
        self._drop_to_place(k, leads, follows or denied)
        if denied:
            self._denied.add(k)
            self.not_where += item.keys
            return
        chosen = (
            {"or", "and", "&", "/", "to"} & set(words) and before >= 0 and self.items[before].kind == "place"
        )
        if self.where and not chosen and self._contains(item.keys[0], "," in words):
            for i in self._open:
                if item.keys[0] not in self.where[i]:
                    self.where[i] = (*self.where[i], item.keys[0])
            return
        self._open = []
        for key in item.keys:
            if (key,) not in self.where:
                self.where.append((key,))
            self._open.append(self.where.index((key,)))

    def _drop_to_place(self, k: int, leads: list[int], follows: bool) -> None:
        """Take out the little words that lead to a place: "in", "in the", "and in", but no "on the"."""
        after = self.items[k + 1] if k + 1 < len(self.items) else None
        led = False
        for n in reversed(leads):
            word = self.tokens[self.items[n].start].folded
            known = word in PLACE_LEADS or word in ("of", "to") or word in NEGATIONS
            leads_in = n > leads[0] and self.tokens[self.items[n - 1].start].folded in PLACE_LEADS
            bare = word == "on" and not (after and after.kind == "word" and not self._leads_on(after))
            known = known and not (word in PLACE_LEADS and led)
            if not (known or bare or (word in JOINERS and follows) or (word == "the" and leads_in)):
                return
            led = led or word in PLACE_LEADS
            self._dropped.add(self.items[n].start)

    def _contains(self, key: str, listed: bool) -> bool:
        """Whether a place may contain the last one; after a comma not the other way round."""
        last = self.where[self._open[-1]][-1] if self._open else ""
        contains = self.places.contains
        return key == last or contains(key, last) or (not listed and contains(last, key))

    def spelled(self) -> tuple[tuple[str, str], ...]:
        """Return how to name each place, with its kind."""
        keys = dict.fromkeys([key for option in self.where for key in option] + self.not_where)
        named = {key: self.places.words[key] for key in keys if key in self.places.words}
        return tuple(
            (k, f"{word.name} ({word.kind})" if word.kind else word.name) for k, word in named.items()
        )

    # --- when ----------------------------------------------------------------------------------------------

    def _date(self, k: int, item: Item) -> None:
        assert item.dated is not None
        leads = self._leads(k)
        words = self._words(leads)
        before = k - len(leads) - 1
        moment = item.dated.moment
        said = rejoin(self.tokens[max(item.start, item.dated.core) : item.end])
        condition, means = moment.condition, moment.means
        follows = before >= 0 and self.items[before].kind in ENTITIES
        if self._is_denied(k, leads, words):
            self._denied.add(k)
            self._drop(leads, NEGATIONS | JOINERS)
            self._dated.append(("not", When(f"not {said}", date_ranges.inverse(condition), means)))
            return
        self._drop(leads, JOINERS if follows else set())
        joined = before >= 0 and self.items[before].kind == "date" and self._dated
        alike = joined and self._dated[-1][0] == moment.family != "open"
        if joined and ("or" in words or (alike and set(words) <= {"and", ",", "&", "/"})):
            last = self._dated.pop()[1]
            either = Or((last.condition, condition))
            means = ", ".join(filter(None, (last.means, means)))
            self._dated.append((moment.family, When(f"{last.words} or {said}", either, means)))
            return
        self._dated.append((moment.family, When(said, condition, means)))

    def when(self) -> tuple[When, ...]:
        """Return the dates, all of which must hold."""
        return tuple(dict.fromkeys(when for _, when in self._dated))

    # --- what ----------------------------------------------------------------------------------------------

    def caption(self) -> tuple[str, str]:
        """Return what is left with neutral words for people, and as it stood; nothing if it says nothing."""
        put = self._neutral()
        self._dropped |= {i for i, t in enumerate(self.tokens) if t.kind == "word" and t.folded in _DROPPED}
        kept = [i for i in range(len(self.tokens)) if i in put or i not in self._dropped]
        kept = self._unframed(kept, put)
        words = [self.tokens[i] for i in kept if i not in self._dropped]
        said = self._quoted or any(t.kind == "word" and t.folded not in EMPTY for t in words)
        if not said:
            nothing_else = not any(item.kind in ENTITIES or item.kind == "alone" for item in self.items)
            nothing_else = nothing_else and not any(t.folded in _ALL for t in self.tokens)
            whole = rejoin(self.tokens) if nothing_else else ""
            return whole, whole
        pieces = [Token(put[i], put[i]) if i in put else self.tokens[i] for i in kept]
        for n, i in enumerate(kept[:-1]):
            if i in put and pieces[n + 1].kind != "mark":
                pieces[n + 1] = replace(pieces[n + 1], gap=True)
        bare = stripped([self.tokens[i] for i in kept if i not in put])
        return rejoin(stripped(pieces)), rejoin(bare)

    def _neutral(self) -> dict[int, str]:
        """What stands for the people, and at which token."""
        groups = sum(len(groups_of(chain.names)) for chain in self._chains)
        uncounted = (groups, groups) if groups or self._other_than is None else (1, None)
        low, high = self._counted or uncounted
        if not self._chains:
            return {self._count_at: neutral(low, high)} if self._count_at >= 0 else {}
        chain = self._chains[0]
        after = self.items[chain.end + 1] if chain.end + 1 < len(self.items) else None
        has = chain.owns and after is not None and after.kind == "word" and not self._leads_on(after)
        low = max(low, groups)
        return {chain.first: neutral(low, low if high is not None else None) + (" with" if has else "")}

    def _unframed(self, kept: list[int], put: dict[int, str]) -> list[int]:
        """Leave out "photos of", "all the pictures with", and photos at the end."""
        folded = [self.tokens[i].folded for i in kept]
        start = 0
        while (
            start < len(kept) and kept[start] not in put and folded[start] in ARTICLES | {"all", "any", "of"}
        ):
            start += 1
        if start < len(kept) and kept[start] not in put and folded[start] in PHOTOS:
            after = kept[start] + 1
            joins = after >= len(self.tokens) or after in self._dropped or self.tokens[after].kind != "word"
            if joins or self.tokens[after].folded in _AFTER_PHOTOS:
                kept = kept[start + 1 :]
                while kept and kept[0] not in put and self.tokens[kept[0]].folded in (
                    "of", "taken", "where", "showing", "that", "which", "show", "shows"):  # fmt: skip
                    kept = kept[1:]
        while kept and kept[-1] not in put and self.tokens[kept[-1]].folded in _PHOTOS and len(kept) > 1:
            kept = kept[:-1]
        return kept


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
