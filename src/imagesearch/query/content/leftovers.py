"""Finds what is neither understood nor plausible in a description of a photo: "'22", "1234567", "the week".

Two kinds are named: numbers that count nothing, among them dates and ids, and words of time and connectives
that lead to nothing or to a date: "two days", "between". Words that describe are never among them: a number
stays before a noun ("12 boats") and, if short, after one ("route 66").
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Sequence, Set

from imagesearch.query.lexicon import ARTICLES, EMPTY, JOINERS, LEADING, NEGATIONS, split_set
from imagesearch.query.tags import TaggedSentence
from imagesearch.query.tokenizer import HARD_MARKS, Sentence, Token, join_texts

_SEPARATORS = frozenset(".,:/-'\u2019\u2018`\u2013#")
_CODE_MARKS = frozenset('={}<>[]|*"\\%')
_NUMBER_IDIOMS = frozenset(("24/7", "9/11", "50/50"))
_MAX_LABEL_DIGITS = 3  # "boeing 747", "route 66"
_MIN_ID_DIGITS = 4  # of a word with letters and digits: "dsc0042"
_MIN_ID_GROUPS = 3  # "x1b2c3"
_COUNT = re.compile(r"#?\d{1,4}(?:[-.,:/\u2013]\d{1,4})?|\d{1,3}(?:,\d{3})+|\d+000")  # "12 boats", "3/4 view"

_N = (
    r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|few|several|some|couple of|a|an|the|this|that|"
    r"these|those|last|next|previous|past|first|second|third|same|whole|entire|every|each|other|number of)"
)
_UNITS = r"(?:days|weeks?|months?|years?|hours|minutes|decades?|fortnights?)"
_AFTER = r"(?:ago|before|after|later|earlier|from now|since|until|till|of|back|prior to|or so|in|to|from)"
_CONNECTIVE = r"(?:between|before|after|since|until|till|during|ago|prior to|from|to|and|or|the|of|by|up)"
_STRONG = r"(?:between|before|after|since|until|till|during|ago|prior to|from to)"
# A whole run of words between names, dates, marks and the ends of the sentence.
_WHOLE = re.compile(
    rf"(?:{_CONNECTIVE} )*(?:{_N} )*{_UNITS}(?: {_AFTER})*(?: the)?|"
    rf"(?!before and after)(?=(?:.* )?{_STRONG}(?: |$))(?:{_CONNECTIVE}(?: |$))+"
)
# The end of a run before a date or a place.
_BEFORE_DATE = re.compile(
    rf"(?:^|(?<= ))(?:(?:{_N} )+(?:{_UNITS}(?: {_AFTER})*|(?:day|night)(?: {_AFTER})+)|"
    r"(?:between|before|after|since|until|till|prior to)(?: the)?)$"
)
# Anywhere.
_COUNTED = re.compile(
    rf"(?:^|(?<= ))(?:(?:{_N} )*{_UNITS} (?:ago|from now|later|earlier)(?= |$)|between(?: and)?$|"
    r"(?:within|inside|less than|more than) \d+ (?:kms?|kilomet(?:re|er)s?|miles?|m|met(?:re|er)s)"
    r"(?:$| (?:of|from)(?= |$)))"
)
_MAX_WHOLE = 12  # words
_CONNECTIVES = ARTICLES | JOINERS | LEADING | NEGATIONS
_TIME_WORDS = split_set(
    "days week weeks month months year years hours minutes decade decades fortnight fortnights between "
    "before after since until till during ago prior from day night"
)


def find_leftovers(tagged: TaggedSentence, dropped: Set[int]) -> list[list[int]]:
    """Return the positions of the tokens of each part that is not understood, in order.

    Parameters
    ----------
    dropped
        Positions of tokens that are not text: names, dates, what leads to them, and excluded content.
    """
    tokens = tagged.tokens
    may_have = any(
        token.kind != "quote" and (token.norm in _TIME_WORDS or any(map(str.isdigit, token.norm)))
        for token in tokens
    )
    if _is_empty(tagged):
        return [list(range(len(tokens)))]
    if not may_have:
        return []
    is_text = _list_text(tagged, dropped)
    found = [part for run in _list_runs(tokens, is_text) for part in _find_numbers(tokens, run)]
    for i in (i for part in found for i in part):
        is_text[i] = False
    dates = {s.start for s in tagged.spans if s.kind in ("date", "place", "area")}
    for run in _list_runs(tokens, is_text):
        found += _find_times(tokens, run, _precedes_date(run[-1] + 1, dates, dropped))
    return _merge_adjacent(sorted(found))


def _merge_adjacent(parts: Sequence[list[int]]) -> list[list[int]]:
    merged: list[list[int]] = []
    for part in parts:
        if merged and merged[-1][-1] + 1 == part[0]:
            merged[-1] += part
        else:
            merged.append(part)
    return merged


def _is_empty(tagged: TaggedSentence) -> bool:
    """Whether a sentence has only marks and connectives: "?", "of the"."""
    kinds = {span.kind for span in tagged.spans}
    norms = [token.norm for token in tagged.tokens]
    return kinds <= {"word", "mark"} and all(
        n in _CONNECTIVES or set(n).issubset(string.punctuation) for n in norms
    )


def _list_text(tagged: TaggedSentence, dropped: Set[int]) -> list[bool]:
    is_text = [False] * len(tagged.tokens)
    for span in tagged.spans:
        if span.kind in ("word", "mark"):
            for i in range(span.start, span.end):
                is_text[i] = i not in dropped
    return is_text


def _list_runs(tokens: Sequence[Token], is_text: Sequence[bool]) -> Iterator[list[int]]:
    """Yield the positions of consecutive tokens of the text, without the marks between them."""
    run: list[int] = []
    for i, token in enumerate(tokens):
        ends = not is_text[i] or (token.norm in HARD_MARKS and token.kind == "mark" and _is_apart(tokens, i))
        if not ends:
            run.append(i)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _is_apart(tokens: Sequence[Token], i: int) -> bool:
    """Whether a mark is not within a number: "1,000"."""
    return i + 1 == len(tokens) or tokens[i + 1].space_before or tokens[i].space_before


def _precedes_date(i: int, dates: Set[int], dropped: Set[int]) -> bool:
    """Whether a date or a place follows, after words that only lead to it."""
    while i in dropped and i not in dates:
        i += 1
    return i in dates


# --- numbers -----------------------------------------------------------------------------------------------


def _find_numbers(tokens: Sequence[Token], run: Sequence[int]) -> Iterator[list[int]]:
    """Yield the numbers of a run that count and name nothing."""
    groups = _group_attached(tokens, run)
    for n, group in enumerate(groups):
        text = join_texts(tokens[i] for i in group)
        if not any(map(str.isdigit, text)):
            continue
        following = tokens[groups[n + 1][0]] if n + 1 < len(groups) else None
        before = tokens[groups[n - 1][-1]] if n else None
        counts = following is not None and following.kind == "word" and _describes(following)
        names = before is not None and before.kind == "word" and _describes(before)
        beside = [tokens[i] for i in (group[0] - 1, group[-1] + 1) if 0 <= i < len(tokens)]
        is_code = any(token.kind == "quote" or token.norm in _CODE_MARKS for token in beside)
        if not (is_code or _is_plausible(text, counts, names)):
            yield group


def _group_attached(tokens: Sequence[Token], run: Sequence[int]) -> list[list[int]]:
    """Return the tokens of a run in groups without spaces: "03.06.23", "#3", "IMG_0042"."""
    groups: list[list[int]] = []
    for i in run:
        if groups and groups[-1][-1] == i - 1 and not tokens[i].space_before:
            groups[-1].append(i)
        else:
            groups.append([i])
    for group in groups:  # a mark at the end belongs to the sentence
        while len(group) > 1 and tokens[group[-1]].norm in ".:-'" and tokens[group[-1]].kind == "mark":
            group.pop()
    return groups


def _describes(token: Token) -> bool:
    return token.norm not in EMPTY | LEADING and token.norm[:1].isalpha()


def _is_plausible(text: str, counts: bool, names: bool) -> bool:
    """Whether a text with digits can describe a photo.

    Parameters
    ----------
    counts, names
        Whether a noun follows and precedes.
    """
    digits = sum(map(str.isdigit, text))
    if any(map(str.isalpha, text)):
        is_id = len(re.findall(r"\d+", text)) >= _MIN_ID_GROUPS and len(text) > 5 and "-" not in text
        is_file = digits >= _MIN_ID_DIGITS if text.isalnum() or "_" in text else digits > _MIN_ID_DIGITS
        return not (is_id or is_file)
    if (counts and _COUNT.fullmatch(text)) or text in _NUMBER_IDIOMS:
        return True
    if not all(c.isdigit() or c in _SEPARATORS for c in text):
        return True  # "$5", "100%"
    return text.isdigit() and names and digits <= _MAX_LABEL_DIGITS


# --- words of time and connectives -------------------------------------------------------------------------


def _find_times(tokens: Sequence[Token], run: list[int], precedes_date: bool) -> Iterator[list[int]]:
    """Yield the parts of a run that are only words of time and connectives."""
    while run and tokens[run[0]].kind == "mark":
        run = run[1:]
    while run and tokens[run[-1]].kind == "mark":
        run = run[:-1]
    if not run:
        return
    sentence = Sentence.from_tokens([tokens[i] for i in run])
    if len(run) <= _MAX_WHOLE and _WHOLE.fullmatch(sentence.text):
        yield run
        return
    patterns = [_COUNTED, _BEFORE_DATE] if precedes_date else [_COUNTED]
    end = len(run)
    for pattern in patterns:
        for match in pattern.finditer(sentence.text):
            first, last = sentence.find_token(match.start()), sentence.find_token(match.end() + 1)
            if last <= end:
                end = first
                yield run[first:last]
