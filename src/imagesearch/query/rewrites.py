"""Other ways to say the same, rewritten as the grammar knows it: "anyone other than kim" is "without kim".

Words are replaced only where a name or a date follows that gives them their sense: all else of a sentence
stays as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from imagesearch.query.date_ranges import MONTH_NAMES
from imagesearch.query.date_rewrites import DATE_RULES
from imagesearch.query.gazetteer import Gazetteer
from imagesearch.query.lexicon import COMMON, PHOTOS
from imagesearch.query.parsed_query import NUMBER_WORDS
from imagesearch.query.tokenizer import Sentence, Token, tokenize

_PHOTOS = "|".join(sorted(PHOTOS))
_NOBODY = "(?:nobody|no one|noone|none)"
_ANYBODY = r"(?:(?:every|any|some)(?:one|body|thing))"
_OTHER = "(?:other than|apart from|aside from)"
_NOT = "(?:(?:do|does|did) not|dont|doesnt|didnt)"
_HAS = "(?:show|have|has|include|contain|feature|want|like)"
_HIDE = "(?:exclude|hide|omit|skip|remove|leave out)"
_OF = "(?:of|with|from|in|at|showing|where)"
_MARKS = r"[?!,()\[\]{}]"
_LATEST = "latest|newest|most recent|recent|all|all the latest"

# Before a name of a person or a place.
_TO_NAME = [
    (rf"{_NOBODY}(?: else)? (?:but|except|besides|{_OTHER})", "only"),
    (rf"(?:any|every|some)where (?:else )?(?:but|except|{_OTHER})(?: in)?", "not in"),
    (rf"(?:{_ANYBODY}(?: else)? )?{_OTHER}|{_ANYBODY} (?:else )?(?:but|except)(?: for)?", "without"),
    ("rather than|instead of|w / o|without any", "without"),
    (rf"{_HIDE}(?: (?:all|any|the|my))*(?: (?:{_PHOTOS}) {_OF})?", "without"),
    (rf"(?:(?:which|that|who|where) )?{_NOT} {_HAS}(?: me)?(?: any)?(?: (?:{_PHOTOS}) {_OF})?", "without"),
    (rf"(?:no|not|without)(?: (?:any|an?|the))? (?:{_PHOTOS}) {_OF}", "without"),
    ("not (?:only|just|merely)", ""),
    (rf"(?:{_MARKS} ){{0,4}}(?P<as>or|and)(?: (?:maybe|perhaps|possibly|else))?(?: [(\[{{]){{0,4}}", "{as}"),
]  # fmt: skip
# After a name of a person.
_AFTER_PERSON = [
    (
        "(?:(?:is|was|are|were) )?not alone|"
        "(?:and|with|plus) (?:some(?:one|body) else|others|(?:some )?other people|company)",
        "with at least one other person",
    ),
]  # fmt: skip
_ABSENT = re.compile(
    r"(?:(?:is|are) (?:not|missing|absent)|isnt|arent|(?:does|do) not appear|(?:doesnt|dont) appear)"
    r"(?: (?:there|in it|in them|visible|around))?(?= [^a-z]|$)"
)
# Before a number of people.
_TO_COUNT = [("not (?:fewer|less) than", "at least"), ("not (?:at most|up to|only|just)", "more than")]
_TO_PHOTOS = [
    ("not (?:taken|shot|made)(?= (?:in|at|on|during|before|after|since|near) )", "not"),
    (rf"(?:the |my |our )?(?:{_LATEST})(?= (?:{_PHOTOS})(?: (?:of|from|with|in|at|taken)|$))", ""),
]
_COUNTRIES = (
    (re.compile(r"the (?:usa?|u \. s \.(?: a \.)?|states)(?= |$)"), "united states"),
    (re.compile(r"the (?:uk|u \. k \.)(?= |$)"), "united kingdom"),
)


def _compile_rules(rules: Sequence[tuple[str, str]]) -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(rf"(?:{text})(?= |$)"), replacement) for text, replacement in rules]


_NAME_RULES, _PERSON_RULES = _compile_rules(_TO_NAME), _compile_rules(_AFTER_PERSON)
_COUNT_RULES, _PHOTO_RULES = _compile_rules(_TO_COUNT), _compile_rules(_TO_PHOTOS)
_YEAR = re.compile(r"(?:19|20)\d\d")
_NUMBER = re.compile(rf"\d+|{'|'.join(NUMBER_WORDS[1:])}")
_MAX_TOKENS = 1200  # words and marks that are rewritten


def rewrite_tokens(tokens: list[Token], people: Gazetteer, places: Gazetteer, today: date) -> list[Token]:
    """Return a sentence in words that the grammar knows."""
    return _Rewriter(Sentence.from_tokens(tokens), people, places, today).rewrite()


class _Rewriter:
    def __init__(self, sentence: Sentence, people: Gazetteer, places: Gazetteer, today: date) -> None:
        self._tokens, self._text, self._starts = sentence.tokens, sentence.text, sentence.starts
        self._sentence, self._people, self._places, self._today = sentence, people, places, today

    def rewrite(self) -> list[Token]:
        tokens: list[Token] = []
        i = 0
        while i < min(len(self._tokens), _MAX_TOKENS):
            rewrite = self._find_rewrite(i)
            if absence := self._match_absence(i):
                back, i = absence
                tokens.insert(len(tokens) - back, Token("without", "without"))
            elif rewrite is None:
                tokens.append(self._tokens[i])
                i += 1
            else:
                text, i = rewrite
                tokens += [replace(token, space_before=True) for token in tokenize(text)]
        return [*tokens, *self._tokens[i:]]

    def _find_rewrite(self, i: int) -> tuple[str, int] | None:
        """The words to put at a token, and the token after those they stand for."""
        if self._tokens[i].kind not in ("word", "mark"):
            return None
        return (
            self._rewrite_sign(i)
            or self._rewrite_phrase(i)
            or self._rewrite_country(i)
            or self._rewrite_date(i)
        )

    def _rewrite_sign(self, i: int) -> tuple[str, int] | None:
        """A minus or an exclamation mark right before a name: "maya -kim"."""
        if self._tokens[i].norm not in ("-", "!", "\u2212") or (i and not self._tokens[i].space_before):
            return None
        is_close = i + 1 < len(self._tokens) and not self._tokens[i + 1].space_before
        return ("without", i + 1) if is_close and self._is_name(i + 1) else None

    def _rewrite_phrase(self, i: int) -> tuple[str, int] | None:
        for rules, fits in (
            (_NAME_RULES, lambda end: self._is_name(end)),
            (_PERSON_RULES, lambda _: self._follows_person(i)),
            (_COUNT_RULES, lambda end: _NUMBER.match(self._text, self._starts[end])),
            (_PHOTO_RULES, lambda _: True),
        ):
            for pattern, replacement in rules:
                match = pattern.match(self._text, self._starts[i])
                if match and fits(end := self._find_next(match)):
                    return replacement.format(**match.groupdict()), end
        return None

    def _match_absence(self, i: int) -> tuple[int, int] | None:
        """Of words that say somebody is not there: how far before them the name starts, and their end."""
        match = _ABSENT.match(self._text, self._starts[i])
        if match is None:
            return None
        starts = (k for k in range(max(0, i - 4), i) if self._is_person(k, i))
        return next(((i - k, self._find_next(match)) for k in starts), None)

    def _rewrite_country(self, i: int) -> tuple[str, int] | None:
        for pattern, name in _COUNTRIES:
            match = pattern.match(self._text, self._starts[i])
            if match and name in self._places:
                return name, self._find_next(match)
        return None

    def _rewrite_date(self, i: int) -> tuple[str, int] | None:
        before = self._tokens[i - 1].norm if i else ""
        for pattern, rule in DATE_RULES:
            match = pattern.match(self._text, self._starts[i])
            if match is None:
                continue
            try:
                replacement = rule(match, before, self._today)
            except (ValueError, OverflowError):  # no such day
                continue
            if replacement:
                return replacement, self._find_next(match)
        return None

    def _find_next(self, match: re.Match[str]) -> int:
        """The token after a match."""
        return self._sentence.find_token(match.end() + 1)

    def _is_name(self, i: int) -> bool:
        """Whether a person, a place, a month or a year is named at a token, maybe after *in* or *the*."""
        tokens = self._tokens
        while i < len(tokens) - 1 and tokens[i].norm in ("in", "at", "from", "the"):
            i += 1
        if i >= len(tokens):
            return False
        if tokens[i].kind == "explicit":
            return tokens[i].norm in ("person", "place")
        if tokens[i].norm in MONTH_NAMES or _YEAR.fullmatch(tokens[i].norm):
            return True
        is_everyday = tokens[i].norm in COMMON
        place = self._places.match_exact(tokens, i)
        return self._people.match_exact(tokens, i) is not None or (
            place is not None and (not is_everyday or place.end > i + 1)
        )

    def _follows_person(self, i: int) -> bool:
        return any(self._is_person(k, i) for k in range(max(0, i - 4), i))

    def _is_person(self, start: int, end: int) -> bool:
        """Whether a person is named from one token up to another."""
        match = self._people.match_exact(self._tokens, start)
        return match is not None and match.end == end
