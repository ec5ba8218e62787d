"""Finds what a sentence excludes: "a dog" in "beach without a dog", "-dog", "a cat but no dog".

A negation excludes the noun phrase after it. A list continues it: "without dogs or cats". The phrase ends at
a mark, at *with* and *but*, at the scene of the photo ("no dogs *on the beach*"), at a name or a date, and at
the end. Negations of names, dates and numbers of people are no concern of this module: they lead to mentions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from imagesearch.query.content.noun_phrases import (
    ANDS,
    CONJUNCTIONS,
    DESCRIBING,
    DETERMINERS,
    ORS,
    SCENE_LEADS,
    has_content,
    is_fixed_pair,
)
from imagesearch.query.lexicon import ARTICLES, EMPTY, NOUNS_IN_ING, PHOTOS, split_set
from imagesearch.query.tags import TaggedSentence
from imagesearch.query.tokenizer import Sentence, Token

_PHOTOS = f"(?:{'|'.join(sorted(PHOTOS))})"
_DO_NOT = r"(?:(?:do|does|did) not|dont|doesnt|didnt)"
_SHOW = r"(?:show|have|has|include|contain|feature|want|like|need|wear|see)"
_EXCEPT = r"(?:except|besides|other than|apart from|aside from)"
_ALL = r"(?:everything|anything|all|everywhere|anywhere)(?: else)?"
# Negations, the longest first. Those of `_ONE` exclude one phrase: "no dog and a cat" requires a cat.
_MANY = (
    rf"{_ALL} (?:but|{_EXCEPT})(?: for)?|(?:all )?{_PHOTOS} {_EXCEPT}(?: for)?|"
    rf"{_DO_NOT} {_SHOW}(?: me)?(?: any)?|"
    r"(?:with )?neither|without|w / o|except(?: for)?|excluding|excludes?|omit|"
    r"leave out|minus|other than|apart from|aside from|nor|"
    r"(?:not|never) (?:showing|containing|including|with)"
)
_ONE = r"(?:with )?no|not(?: any| a single)?|isnt|arent|wasnt|werent|never"
_NEGATION = re.compile(
    rf"(?:(?P<many>{_MANY})|(?P<one>{_ONE}))(?: (?:any|a single))?"
    rf"(?: (?:(?:an?|the|any|my) )?{_PHOTOS} (?:of|with|showing|from|where))?(?= )"
)
# Words that negate only together with the words before or after them, or nothing at all.
_NO_NEGATION = re.compile(
    r"no (?:(?:\w+ ){1,2}(?:signs?|zones?|symbols?|notices?|boards?)(?= |$)|(?:matter|longer|doubt|wonder|"
    r"problem|way|idea|mans land|strings attached|limits?|filter|vacancy|brainer|no|fear|pain)(?= |$)|"
    r"\.|\d)|without (?:a )?(?:doubt|borders|fail|end|name)(?= |$)|"
    r"not (?:only|just|merely|far|to|yet|sure|even|quite|much|many|so|too|all|bad)(?= |$)|"
    r"do not \w+ (?:signs?|zones?)|minus \d|never (?:mind|before|ending)|nor \d"
)
_BEFORE_IDIOM = split_set("me or why if dr mr doctors")  # "forget me not", "to be or not", "Dr. No"
_FIRST = (
    split_set(
        "everything anything all everywhere anywhere do does did dont doesnt didnt with neither without w "
        "except excluding exclude excludes omit leave minus other apart aside not never nor no isnt arent "
        "wasnt werent"
    )
    | PHOTOS
)
_TRIGGERS = split_set(
    "dont doesnt didnt neither without w except besides excluding exclude excludes omit leave minus other "
    "apart aside not never nor no isnt arent wasnt werent everything anything all everywhere anywhere"
)
_SIGNS = frozenset(("-", "!", "\u2212"))
# Words before a negation that only lead to it: "a beach where there are no dogs".
_LEADS = split_set(
    "but and or yet with is are was were be who that which has have does do did where there it its though "
    "although also however , ; ( \u2013 \u2014"
)
_PHRASE_LEADS = SCENE_LEADS | split_set("of to for with there is are any it")
_ENDS = split_set("but with yet without no not except minus excluding neither because if instead though only")
_PERSONS = split_set(
    "man woman boy girl child kid baby person lady guy men women boys girls children kids people"
)
_PEOPLE = split_set("people persons person humans human anyone anybody strangers")
_PRONOUNS = split_set("it them him her me us")
_MAX_LISTED = 8


@dataclass
class ExcludedContent:
    """What a sentence excludes.

    Attributes
    ----------
    dropped
        The positions of the tokens that negate or are excluded. They do not stand in the caption.
    phrases
        The tokens of each excluded phrase.
    excludes_people
        Whether people in general are among what is excluded: "without cars or people".
    """

    dropped: set[int] = field(default_factory=set)
    phrases: list[list[Token]] = field(default_factory=list)
    excludes_people: bool = False


def find_excluded(tagged: TaggedSentence, dropped: Set[int], negated: Mapping[int, bool]) -> ExcludedContent:
    """Find what a sentence excludes.

    Parameters
    ----------
    dropped
        Positions of tokens that are not text: names, dates, and what leads to them.
    negated
        The position after each negated mention, where its negation may go on: "without maya or a dog". Maps
        to whether *and* continues it before an article.
    """
    found = ExcludedContent()
    tokens = tagged.tokens
    if not negated and not any(token.norm in _TRIGGERS or token.norm in _SIGNS for token in tokens):
        return found
    reader = _Reader(tagged, dropped)
    i = 0
    while i < len(tokens):
        end = _continue_exclusion(reader, i, negated[i], found) if i in negated else None
        i = end or _read_exclusion(reader, i, found) or i + 1
    return found


def _continue_exclusion(reader: _Reader, i: int, excludes_many: bool, found: ExcludedContent) -> int | None:
    """Read what a list excludes after a negated mention, as `_read_exclusion` does."""
    start = reader.find_next(i, excludes_many)
    return None if start < 0 else _add(reader, i, reader.read_list(start, excludes_many), found)


def _read_exclusion(reader: _Reader, i: int, found: ExcludedContent) -> int | None:
    """Read an exclusion that starts at a token, and return the position after it; None if there is none."""
    if not reader.is_text(i):
        return None
    if reader.tokens[i].norm in _SIGNS:
        phrases = reader.read_signed(i)
    else:
        match = reader.match_negation(i)
        if match is None:
            return None
        start = reader.sentence.find_token(match.end() + 1)
        phrases = reader.read_list(start, bool(match["many"]))
    return _add(reader, reader.find_lead(i), phrases, found)


def _add(reader: _Reader, start: int, phrases: Sequence[Sequence[int]], found: ExcludedContent) -> int | None:
    """Add the phrases of an exclusion that starts at a token, and return the position after it."""
    words = [[reader.tokens[n].norm for n in phrase] for phrase in phrases]
    if not any(map(has_content, words)):
        return None
    end = phrases[-1][-1] + 1
    found.dropped.update(range(start, reader.skip_joiner(end)))
    for phrase, norms in zip(phrases, words, strict=True):
        content = [norm for norm in norms if norm not in EMPTY]
        if content and _PEOPLE.issuperset(content):
            found.excludes_people = True
        elif content:
            is_on_it = len(phrase) > 2 and norms[-1] in _PRONOUNS and norms[-2] in SCENE_LEADS
            found.phrases.append([reader.tokens[n] for n in (phrase[:-2] if is_on_it else phrase)])
    return end


class _Reader:
    """Reads negations and phrases in one sentence."""

    def __init__(self, tagged: TaggedSentence, dropped: Set[int]) -> None:
        self.tokens: Sequence[Token] = tagged.tokens
        self.sentence = Sentence.from_tokens(tagged.tokens)
        texts = {
            n for s in tagged.spans if s.kind in ("word", "mark", "quote") for n in range(s.start, s.end)
        }
        self._texts = texts - dropped

    def is_text(self, i: int) -> bool:
        return i in self._texts

    def _get_word(self, i: int) -> str:
        """Return a word or mark of the text; empty for what is not text, for quotes, and at the end."""
        return self.tokens[i].norm if i in self._texts and self.tokens[i].kind != "quote" else ""

    # --- the negation ----------------------------------------------------------------------------------

    def match_negation(self, i: int) -> re.Match[str] | None:
        if self._get_word(i) not in _FIRST:
            return None
        offset = self.sentence.starts[i]
        match = _NEGATION.match(self.sentence.text, offset)
        if match is None or _NO_NEGATION.match(self.sentence.text, offset):
            return None
        if match["one"] and self._get_word(i - 1) in _BEFORE_IDIOM and self._get_word(i) in ("no", "not"):
            return None
        end = self.sentence.find_token(match.end() + 1)
        return match if all(map(self.is_text, range(i, end))) else None

    def find_lead(self, i: int) -> int:
        """Return the first of the words directly before a negation that only lead to it."""
        while i and self._get_word(i - 1) in _LEADS:
            i -= 1
        return i

    def skip_joiner(self, end: int) -> int:
        """Return the position after *but* or *and* if *with* follows: "without a dog but with a cat"."""
        return end + (self._get_word(end) in ("but", "and", "yet") and self._get_word(end + 1) == "with")

    # --- what it excludes ------------------------------------------------------------------------------

    def read_signed(self, i: int) -> list[list[int]]:
        """Read the word or quote directly after a minus: "beach -dog"."""
        tokens = self.tokens
        is_sign = i == 0 or tokens[i].space_before or tokens[i - 1].norm in ("(", ",")
        after = i + 1
        if (
            not is_sign
            or not self.is_text(after)
            or (tokens[after].space_before and tokens[after].kind != "quote")
        ):
            return []
        if tokens[after].kind != "quote" and not tokens[after].norm[:1].isalpha():
            return []
        phrase = [after]
        while self._is_attached(phrase[-1] + 1):
            phrase.append(phrase[-1] + 1)
        return [phrase]

    def _is_attached(self, i: int) -> bool:
        """Whether a token continues a word with a hyphen: "t-shirt"."""
        if not self.is_text(i) or self.tokens[i].space_before or self.tokens[i].kind == "quote":
            return False
        is_hyphen = self.tokens[i].norm == "-" and self.is_text(i + 1) and not self.tokens[i + 1].space_before
        return is_hyphen or (self.tokens[i].kind == "word" and self.tokens[i - 1].norm == "-")

    def read_list(self, start: int, excludes_many: bool) -> list[list[int]]:
        """Read the phrases that one negation excludes."""
        phrases: list[list[int]] = []
        while len(phrases) < _MAX_LISTED:
            phrase = self._read_phrase(start)
            if not phrase:
                break
            phrases.append(phrase)
            start = self.find_next(phrase[-1] + 1, excludes_many)
            if start < 0:
                break
        return phrases

    def find_next(self, i: int, excludes_many: bool) -> int:
        """Return where the next phrase of a list starts, after a conjunction or comma; -1 if none follows."""
        word = self._get_word(i)
        if word == ",":
            return self._skip_comma(i, excludes_many)
        if word not in CONJUNCTIONS:
            return -1
        after = i + 1
        while self._get_word(after) in CONJUNCTIONS | {"any", "even"}:  # "and / or", "or any"
            after += 1
        following = self._get_word(after)
        if following in _ENDS or self.match_negation(after):
            return -1
        if word in ANDS and not excludes_many and following in DETERMINERS:
            return -1
        return after

    def _skip_comma(self, i: int, excludes_many: bool) -> int:
        """Return where a phrase after a comma starts, if the list ends with a conjunction."""
        if self._get_word(i + 1) in CONJUNCTIONS:
            return self.find_next(i + 1, excludes_many)
        after = i + 1
        for _ in range(_MAX_LISTED):
            phrase = self._read_phrase(after)
            if not phrase or self._get_word(phrase[0]) in _PHRASE_LEADS:
                return -1
            mark = phrase[-1] + 1
            mark += self._get_word(mark) == "," and self._get_word(mark + 1) in CONJUNCTIONS
            if self._get_word(mark) in CONJUNCTIONS:
                is_listed = self._get_word(mark) in ORS or excludes_many
                return i + 1 if is_listed and self.find_next(mark, excludes_many) > 0 else -1
            if self._get_word(mark) != ",":
                return -1
            after = mark + 1
        return -1

    def _read_phrase(self, start: int) -> list[int]:
        """Return the positions of a noun phrase, without its lead; empty if there is none."""
        while self._get_word(start) in _PHRASE_LEADS:
            start += 1
        phrase: list[int] = []
        i = start
        while self.is_text(i) and not self._ends_phrase(i, phrase):
            phrase.append(i)
            i += 1
        return (
            phrase if any(self.tokens[n].kind == "quote" for n in phrase) or self._has_content(phrase) else []
        )

    def _has_content(self, phrase: Sequence[int]) -> bool:
        return has_content([self.tokens[n].norm for n in phrase])

    def _ends_phrase(self, i: int, phrase: Sequence[int]) -> bool:
        token = self.tokens[i]
        if token.kind == "quote":
            return False
        if token.kind == "mark" and not self._is_attached(i) and token.norm not in CONJUNCTIONS:
            return True
        if token.norm in CONJUNCTIONS:
            return not self._is_one_thing(i, phrase)
        if token.norm in _ENDS or (token.norm in _SIGNS and not self._is_attached(i)):
            return True
        return token.norm in SCENE_LEADS and self._has_content(phrase) and not self._stays_in_phrase(i)

    def _is_one_thing(self, i: int, phrase: Sequence[int]) -> bool:
        """Whether a conjunction stands within one thing: "black and white cats", "fish and chips"."""
        left, right = self._get_word(i - 1), self._get_word(i + 1)
        if not phrase or not right:
            return False
        return is_fixed_pair(left, right) or (left in DESCRIBING and right not in DETERMINERS)

    def _stays_in_phrase(self, i: int) -> bool:
        """Whether a preposition belongs to the phrase: "a man in a hat", "sitting on a chair"."""
        before, word, after = self._get_word(i - 1), self._get_word(i), self._get_word(i + 1)
        is_verb = before.endswith("ing") and before not in NOUNS_IN_ING and len(before) > 4
        is_clothing = word == "in" and before in _PERSONS and after in (ARTICLES - {"the"}) | DESCRIBING
        return is_verb or is_clothing or after in _PRONOUNS
