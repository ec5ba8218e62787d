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
from imagesearch.query.gazetteer import Gazetteer
from imagesearch.query.lexicon import (
    ARTICLES,
    EMPTY,
    JOINERS,
    LEADING,
    NEGATIONS,
    ONLY,
    PHOTOS,
    PLACE_LEADS,
    split_set,
)
from imagesearch.query.parsed_query import DateClause, ParsedQuery, PeopleClause, make_neutral_phrase
from imagesearch.query.rewrites import rewrite_tokens
from imagesearch.query.tagger import ENTITIES, TaggedSpan, Tagger
from imagesearch.query.tokenizer import Token, join_texts, tokenize
from imagesearch.store import Vocabulary

TEMPLATE = "a photo of {text}"
_LEADS = JOINERS | NEGATIONS | PLACE_LEADS | ONLY | {"of", "the", "by", "for", "on", "to"}
_AFTER_PHOTOS = split_set("of with from in at near where showing taken that which on by without")
_PHOTOS = frozenset(word for word in PHOTOS if word.endswith("s"))  # a group photo is a kind of picture
_ADDS = split_set("and with & plus")
_EVERYONE = split_set("everyone everybody anyone anybody anything everything anywhere everywhere all")
_DROPPED = split_set("my our please")
_ALL = PHOTOS | {"everything", "everywhere", "anything", "anywhere"}


class SentenceParser:
    """Reads sentences with one vocabulary, which it indexes once.

    Parameters
    ----------
    vocabulary
        The names there are.
    template
        What CLIP is given, with ``{text}`` for what is left of the sentence.
    """

    def __init__(self, vocabulary: Vocabulary, template: str = TEMPLATE) -> None:
        self.people, self.places = (
            Gazetteer(vocabulary.people),
            Gazetteer(vocabulary.places, vocabulary.within),
        )
        self._template = template

    def build_indexes(self) -> None:
        """Make the parts of the index that are otherwise made by the first sentence that needs them."""
        self.people.build_indexes()
        self.places.build_indexes()

    def parse(self, sentence: str, today: date) -> ParsedQuery:
        """Read a sentence. Any text has a reading.

        Parameters
        ----------
        today
            What *yesterday* and *last summer* count from.
        """
        tokens = rewrite_tokens(tokenize(sentence), self.people, self.places, today)
        scanner = Tagger(tokens, self.people, self.places, today)
        plan = _QueryBuilder(tokens, scanner.tag(), self.people, self.places)
        caption, words = plan.build_caption()
        return ParsedQuery(
            people=plan.build_people(),
            places=tuple(plan.where),
            not_places=tuple(dict.fromkeys(plan.not_where)),
            dates=plan.build_dates(),
            text=self._template.replace("{text}", caption) if caption else "",
            caption=caption,
            words=words,
            notes=tuple(dict.fromkeys(scanner.notes + plan.notes)),
            place_names=plan.list_place_names(),
        )


def parse_sentence(
    sentence: str, vocabulary: Vocabulary, today: date, template: str = TEMPLATE
) -> ParsedQuery:
    """Read one sentence; for several, keep a `SentenceReader`."""
    return SentenceParser(vocabulary, template).parse(sentence, today)


class _QueryBuilder:
    """What the items of a sentence ask for, and which of its words say so."""

    def __init__(
        self, tokens: Sequence[Token], items: Sequence[TaggedSpan], people: Gazetteer, places: Gazetteer
    ) -> None:
        self.tokens, self.items, self.people, self.places = tokens, items, people, places
        self.where: list[tuple[str, ...]] = []
        self.not_where: list[str] = []
        self._chains: list[NameList] = []
        self._without: list[str] = []
        self._only = False
        self._counted: tuple[int, int | None] | None = None
        self._other_than: int | None = None
        self.notes: list[str] = []
        self._count_at = -1
        self._open: list[int] = []
        self._dated: list[tuple[str, DateClause]] = []
        self._denied: set[int] = set()
        self._dropped: set[int] = set()
        takers = {
            "person": self._add_person,
            "place": self._add_place,
            "date": self._add_date,
            "count": self._add_count,
            **dict.fromkeys(("alone", "only", "frame"), self._add_alone),
        }
        self._quoted = {item.end - 1 for item in items if item.kind == "quote"}
        for k, item in enumerate(items):
            if item.kind == "quote":
                self._dropped.update(range(item.start, item.end - 1))
            if item.kind in takers:
                self._dropped.update(range(item.start, item.end))
                takers[item.kind](k, item)
                self._note_or(k)

    # --- who -----------------------------------------------------------------------------------------------

    def _find_leads(self, k: int) -> list[int]:
        """The items directly before one that only lead to it."""
        first = k
        while first and self._leads_on(self.items[first - 1]):
            first -= 1
        return list(range(first, k))

    def _leads_on(self, item: TaggedSpan) -> bool:
        return item.kind == "only" or (
            item.kind in ("word", "mark") and self.tokens[item.start].norm in _LEADS
        )

    def _note_or(self, k: int) -> None:
        """A filter has no alternatives of different kinds."""
        leads = self._find_leads(k)
        before = self.items[k - len(leads) - 1] if k > len(leads) else None
        kinds = {self.items[k].kind, before.kind if before else ""}
        if len(kinds) == 2 and kinds <= ENTITIES and "or" in self._get_norms(leads):
            self.notes.append(f'read "or" between a {" and a ".join(sorted(kinds))} as "and"')

    def _get_norms(self, leads: list[int]) -> list[str]:
        return [self.tokens[self.items[k].start].norm for k in leads]

    def _drop(self, leads: list[int], words: frozenset[str] | set[str]) -> None:
        for k in leads:
            if self.tokens[self.items[k].start].norm in words:
                self._dropped.update(range(self.items[k].start, self.items[k].end))

    def _is_denied(self, k: int, leads: list[int], words: list[str]) -> bool:
        """Whether *without* or *not* leads to an item, or to the one of its kind that it continues."""
        before = k - len(leads) - 1
        continues = before in self._denied and self.items[before].kind == self.items[k].kind
        everyone = before >= 0 and self.tokens[self.items[before].start].norm in _EVERYONE
        denials = NEGATIONS & set(words)
        if denials == {"outside"} and "outside" not in (
            words[-1],
            *words[-2:-1] * (words[-1] in ("of", "the")),
        ):
            denials = frozenset()  # outside in goa: in Goa, and outdoors
        listed_on = bool(words) and not set(words) - {"and", "or", ",", "&", "in", "at"}
        return bool(denials) or (everyone and "but" in words) or (continues and listed_on)

    def _add_person(self, k: int, item: TaggedSpan) -> None:
        leads = self._find_leads(k)
        words = self._get_norms(leads)
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
            chain = NameList(item.start)
            self._chains.append(chain)
        chain.names.append((names, joiner))
        chain.end, chain.is_possessive = k, item.is_possessive

    def _add_alone(self, k: int, item: TaggedSpan) -> None:
        self._only = self._only or item.kind == "alone"

    def _add_count(self, k: int, item: TaggedSpan) -> None:
        leads = self._find_leads(k)
        low, high = item.count
        before = self.items[k - len(leads) - 1] if k > len(leads) else None
        if any(word in NEGATIONS for word in self._get_norms(leads)):
            self._add_negated_count(leads, item)
            return
        adds = item.others or (
            before is not None and before.kind == "person" and bool(_ADDS & set(self._get_norms(leads)))
        )
        if self._chains and self._counted is None and adds and high != 0:
            named = sum(len(group_alternatives(chain.names)) for chain in self._chains)
            low, high = low + named, None if high is None else high + named
            self._drop(leads, JOINERS | {"with"})
        self._counted = low, high
        if self._count_at < 0 and high != 0:
            self._count_at = item.start

    def _add_negated_count(self, leads: list[int], item: TaggedSpan) -> None:
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

    def build_people(self) -> PeopleClause:
        """Return the people that are asked for."""
        all_of: dict[str, None] = {}
        any_of: dict[tuple[str, ...], None] = {}
        for chain in self._chains:
            for group in group_alternatives(chain.names):
                if len(group) == 1:
                    all_of[group[0]] = None
                else:
                    any_of[group] = None
        counted_out = self._counted not in (None, (0, 0))  # "and two others" are somebody else
        only = ((self._only and not counted_out) or self._counted == (0, 0)) and bool(all_of or any_of)
        without = tuple(dict.fromkeys(self._without))
        count = None if only else self._counted
        return PeopleClause(tuple(all_of), tuple(any_of), without, only, count, self._other_than)

    # --- where ---------------------------------------------------------------------------------------------

    def _add_place(self, k: int, item: TaggedSpan) -> None:
        leads = self._find_leads(k)
        words = self._get_norms(leads)
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
            word = self.tokens[self.items[n].start].norm
            known = word in PLACE_LEADS or word in ("of", "to") or word in NEGATIONS
            leads_in = n > leads[0] and self.tokens[self.items[n - 1].start].norm in PLACE_LEADS
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

    def list_place_names(self) -> tuple[tuple[str, str], ...]:
        """Return how to name each place, with its kind."""
        keys = dict.fromkeys([key for option in self.where for key in option] + self.not_where)
        named = {key: self.places.words[key] for key in keys if key in self.places.words}
        return tuple(
            (k, f"{word.name} ({word.kind})" if word.kind else word.name) for k, word in named.items()
        )

    # --- when ----------------------------------------------------------------------------------------------

    def _add_date(self, k: int, item: TaggedSpan) -> None:
        assert item.date is not None
        leads = self._find_leads(k)
        words = self._get_norms(leads)
        before = k - len(leads) - 1
        moment = item.date.moment
        said = join_texts(self.tokens[max(item.start, item.date.core) : item.end])
        condition, means = moment.condition, moment.means
        follows = before >= 0 and self.items[before].kind in ENTITIES
        if self._is_denied(k, leads, words):
            self._denied.add(k)
            self._drop(leads, NEGATIONS | JOINERS)
            self._dated.append(("not", DateClause(f"not {said}", date_ranges.negate(condition), means)))
            return
        self._drop(leads, JOINERS if follows else set())
        joined = before >= 0 and self.items[before].kind == "date" and self._dated
        alike = joined and self._dated[-1][0] == moment.family != "open"
        if joined and ("or" in words or (alike and set(words) <= {"and", ",", "&", "/"})):
            last = self._dated.pop()[1]
            either = Or((last.condition, condition))
            means = ", ".join(filter(None, (last.dates, means)))
            self._dated.append((moment.family, DateClause(f"{last.words} or {said}", either, means)))
            return
        self._dated.append((moment.family, DateClause(said, condition, means)))

    def build_dates(self) -> tuple[DateClause, ...]:
        """Return the dates, all of which must hold."""
        return tuple(dict.fromkeys(when for _, when in self._dated))

    # --- what ----------------------------------------------------------------------------------------------

    def build_caption(self) -> tuple[str, str]:
        """Return what is left with neutral words for people, and as it stood; nothing if it says nothing."""
        put = self._make_neutral_words()
        self._dropped |= {i for i, t in enumerate(self.tokens) if t.kind == "word" and t.norm in _DROPPED}
        kept = [i for i in range(len(self.tokens)) if i in put or i not in self._dropped]
        kept = self._drop_frame(kept, put)
        words = [self.tokens[i] for i in kept if i not in self._dropped]
        said = self._quoted or any(t.kind == "word" and t.norm not in EMPTY for t in words)
        if not said:
            nothing_else = not any(item.kind in ENTITIES or item.kind == "alone" for item in self.items)
            nothing_else = nothing_else and not any(t.norm in _ALL for t in self.tokens)
            whole = join_texts(self.tokens) if nothing_else else ""
            return whole, whole
        pieces = [Token(put[i], put[i]) if i in put else self.tokens[i] for i in kept]
        for n, i in enumerate(kept[:-1]):
            if i in put and pieces[n + 1].kind != "mark":
                pieces[n + 1] = replace(pieces[n + 1], space_before=True)
        bare = strip_stopwords([self.tokens[i] for i in kept if i not in put])
        return join_texts(strip_stopwords(pieces)), join_texts(bare)

    def _make_neutral_words(self) -> dict[int, str]:
        """What stands for the people, and at which token."""
        groups = sum(len(group_alternatives(chain.names)) for chain in self._chains)
        uncounted = (groups, groups) if groups or self._other_than is None else (1, None)
        low, high = self._counted or uncounted
        if not self._chains:
            return {self._count_at: make_neutral_phrase(low, high)} if self._count_at >= 0 else {}
        chain = self._chains[0]
        after = self.items[chain.end + 1] if chain.end + 1 < len(self.items) else None
        has = chain.is_possessive and after is not None and after.kind == "word" and not self._leads_on(after)
        low = max(low, groups)
        return {
            chain.first: make_neutral_phrase(low, low if high is not None else None)
            + (" with" if has else "")
        }

    def _drop_frame(self, kept: list[int], put: dict[int, str]) -> list[int]:
        """Leave out "photos of", "all the pictures with", and photos at the end."""
        folded = [self.tokens[i].norm for i in kept]
        start = 0
        while (
            start < len(kept) and kept[start] not in put and folded[start] in ARTICLES | {"all", "any", "of"}
        ):
            start += 1
        if start < len(kept) and kept[start] not in put and folded[start] in PHOTOS:
            after = kept[start] + 1
            joins = after >= len(self.tokens) or after in self._dropped or self.tokens[after].kind != "word"
            if joins or self.tokens[after].norm in _AFTER_PHOTOS:
                kept = kept[start + 1 :]
                while kept and kept[0] not in put and self.tokens[kept[0]].norm in (
                    "of", "taken", "where", "showing", "that", "which", "show", "shows"):  # fmt: skip
                    kept = kept[1:]
        while kept and kept[-1] not in put and self.tokens[kept[-1]].norm in _PHOTOS and len(kept) > 1:
            kept = kept[:-1]
        return kept


@dataclass
class NameList:
    """People named one after the other: "maya, noor or kim"."""

    first: int
    names: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    is_possessive: bool = False
    end: int = 0


def group_alternatives(names: list[tuple[tuple[str, ...], str]]) -> list[tuple[str, ...]]:
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


def strip_stopwords(tokens: list[Token]) -> list[Token]:
    """Leave out little words at either end, which led to what is gone."""
    first, last = 0, len(tokens)
    while first < last and tokens[first].kind != "quote" and tokens[first].norm in LEADING:
        first += 1
    while (
        last > first
        and tokens[last - 1].kind != "quote"
        and tokens[last - 1].norm in LEADING | {"the", "where"}
    ):
        last -= 1
    return tokens[first:last]
