"""The rule that tags dates, and decides whether such words are a date: "summer", but not "a summer dress"."""

from __future__ import annotations

from dataclasses import replace

from imagesearch.query.lexicon import ARTICLES, JOINERS, NEGATIONS, ONLY, PHOTOS, PLACE_LEADS, split_set
from imagesearch.query.tags import ENTITIES, Position, Tag, TaggedSpan
from imagesearch.query.times.engine import DateMatch, match_date
from imagesearch.query.tokenizer import join_texts
from imagesearch.query.trips.known_trips import MARK

_UNITS = split_set("people persons m km meters metres feet miles dollars euros cars things times mm")
_PHRASE_ENDS = JOINERS | PLACE_LEADS | NEGATIONS | ONLY | PHOTOS | split_set(
    "of on by for with the when where who alone is was day time holidays season taken shot made captured "
    "photographed rated added indexed imported uploaded"
)  # fmt: skip


def tag_date(at: Position) -> Tag | None:
    """Tag a date, unless a name is more likely or the date describes the word after it."""
    match = at.date
    if match is None:
        return None
    before = at.find_word_before()
    if match.must_start and before and before not in NEGATIONS and at.last_kind not in ENTITIES:
        return None
    if _is_name(at, match):
        return None
    if match.reference is None:
        text = join_texts(at.tokens[match.core : match.end])
        return Tag(TaggedSpan("ignored", at.i, match.end), not_understood=(text,))
    precedes_date = False
    if match.must_end_phrase and not _ends_phrase(at, match):
        precedes_date = match.reference.family != "year" and _precedes_date(at, match.end)
        if not precedes_date:
            return None
    if before in NEGATIONS:
        match = replace(match, keeps_words=False)
    return Tag(TaggedSpan("date", at.i, match.end, date=match), match.notes, dates_ahead=int(precedes_date))


def _is_name(at: Position, match: DateMatch) -> bool:
    """Whether a name is longer than the date, or a person has the name of a date that is not certain."""
    person, place = at.person, at.place
    if match.core != at.i:
        person, place = (
            names.match_exact(at.tokens, match.core) for names in (at.names.people, at.names.places)
        )
    if any(name and name.end > match.end for name in (person, place, at.person, at.place)):
        return True
    return person is not None and not match.is_certain


def _ends_phrase(at: Position, match: DateMatch) -> bool:
    """Whether a year, season or holiday does not describe the next word: "2000 cars", "a summer dress"."""
    following = at.get_norm(match.end)
    if following.startswith(MARK):
        return True  # "the 2019 goa trip"
    if match.reference is not None and match.reference.family == "year":
        return match.core != at.i or not (at.find_word_before() in ARTICLES or following in _UNITS)
    if match.end >= len(at.tokens) or at.tokens[match.end].kind != "word" or following in _PHRASE_ENDS:
        return True
    return any(names.match_exact(at.tokens, match.end) for names in (at.names.people, at.names.places))


def _precedes_date(at: Position, end: int) -> bool:
    return (
        at.dates_left > 0
        and match_date(at.sentence, end, at.today, at.names.feasts, at.names.trips) is not None
    )
