"""Replaces "the same evening as IMG_0042" and "newer than IMG_0042" by the date of that photo."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from imagesearch.query.times.slots import MONTH_NAMES
from imagesearch.query.tokenizer import Sentence, Token, tokenize

_MAX_PHOTOS = 3  # different times of photos with the same name
_DAYPARTS = ("morning", "afternoon", "evening", "night")
_UNITS = ("day", "date", "week", "weekend", "month", "year", "trip", *_DAYPARTS)
_PHOTO = "(?:(?:the )?(?:photo|picture|image|file) )?"
_COMPARED = "before|after|since|until|prior to|(?:older|newer|earlier|later) than"
_PATTERN = re.compile(
    rf"(?:(?:the |that )?same (?P<unit>{'|'.join(_UNITS)}) as|"
    rf"(?:the )?(?P<counted>day|week|{'|'.join(_DAYPARTS)}) (?P<side>before|after)|"
    rf"(?P<compared>{_COMPARED})) {_PHOTO}\0(?= |$)"
)
_NIGHT_END = 5  # o'clock


class PhotoMoment(NamedTuple):
    """The time of a photo, how precisely it is known, and its trip."""

    taken_at: datetime
    precision: str = "second"
    trip: str = ""


FindMoments = Callable[[str], Sequence[PhotoMoment]]
"""Returns the times of the photos with a file name."""


class SameAs(NamedTuple):
    """A rewritten sentence, notes for the user, and the parts that are not understood."""

    sentence: Sentence
    notes: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()


def rewrite_same_as(
    sentence: Sentence, find_moments: FindMoments | None, mark_trip: Callable[[str], str]
) -> SameAs:
    """Return a sentence with dates in place of "the same day as" a photo.

    Parameters
    ----------
    find_moments
        None if photos cannot be looked up; then the sentence is not changed.
    mark_trip
        Returns the word that stands for a trip with a name; empty if there is none.
    """
    if find_moments is None or "\0" not in sentence.text:
        return SameAs(sentence)
    tokens: list[Token] = []
    notes, not_understood = [], []
    i = 0
    while i < len(sentence.tokens):
        match = _PATTERN.match(sentence.text, sentence.starts[i])
        end = sentence.find_token(match.end() + 1) if match else i
        if match is None or sentence.tokens[end - 1].kind != "file":
            tokens.append(sentence.tokens[i])
            i += 1
            continue
        phrase = " ".join(token.text for token in sentence.tokens[i:end])
        file = sentence.tokens[end - 1].text
        moments = list(dict.fromkeys(find_moments(file)))[:_MAX_PHOTOS]
        words = [_describe(moment, match, mark_trip) for moment in moments]
        words = list(dict.fromkeys(filter(None, words)))
        if words:
            tokens += _make_tokens(words, phrase)
            notes.append(f"{file} was taken on {' or '.join(_format_day(moment) for moment in moments)}")
        else:
            is_trip = match["unit"] == "trip"
            notes.append(_explain(file, moments, is_trip))
            not_understood.append(phrase)
        i = end
    return SameAs(Sentence.from_tokens(tokens), tuple(notes), tuple(not_understood))


def _describe(moment: PhotoMoment, match: re.Match[str], mark_trip: Callable[[str], str]) -> str:
    """Return the time in words; empty if it is not known precisely enough."""
    unit = match["unit"] or match["counted"]
    if match["compared"]:
        taken = moment.taken_at
        parts = [str(taken.day), MONTH_NAMES[taken.month - 1], str(taken.year)]
        return " ".join([match["compared"], *parts[{"month": 1, "year": 2}.get(moment.precision, 0) :]])
    if unit == "trip":
        return mark_trip(moment.trip) if moment.trip else ""
    day = moment.taken_at
    if unit == "night" and moment.precision == "second" and day.hour < _NIGHT_END:
        day -= timedelta(days=1)  # the night of a day lasts to the next morning
    if unit == "year":
        return str(day.year)
    month = f"{MONTH_NAMES[day.month - 1]} {day.year}"
    if moment.precision == "year" or (moment.precision == "month" and unit != "month"):
        return ""
    if unit == "month":
        return month
    date = f"{day.day} {month}"
    if match["side"]:
        return f"{unit} {match['side']} {date}"
    return date if unit in ("day", "date") else f"{unit} of {date}"


def _make_tokens(phrases: Sequence[str], text: str) -> list[Token]:
    """Return the tokens of alternatives."""
    if phrases[0].startswith("\x01"):
        return [Token(text, phrases[0])]
    return [replace(token, space_before=True) for token in tokenize(" or ".join(phrases))]


def _explain(file: str, moments: Sequence[PhotoMoment], is_trip: bool) -> str:
    if not moments:
        return f'no photo with a time is called "{file}"'
    if is_trip:
        return f"{file} belongs to no trip"
    return f"the time of {file} is not known precisely enough"


def _format_day(moment: PhotoMoment) -> str:
    length = {"year": 4, "month": 7, "day": 10}.get(moment.precision, 16)
    return f"{moment.taken_at:%Y-%m-%d %H:%M}"[:length]
