"""The rule that tags places of the world which the album has under another name, or lacks: "in hanoi"."""

from __future__ import annotations

from imagesearch.query.lexicon import COMMON, NEGATIONS
from imagesearch.query.places.world import find_album_place, make_missing_area, match_world_place
from imagesearch.query.tags import Position, Tag, TaggedSpan
from imagesearch.query.tokenizer import join_texts
from imagesearch.query.trips.rewrite import TRIPS

_UNKNOWN_LEADS = frozenset(("in", "at", "near", "around", "from"))
_JOINERS = frozenset(("and", "or", ",", "&", "/"))


def tag_world_place(at: Position) -> Tag | None:
    """Tag a place that the album has under another name, or that it lacks, after *in* and the like."""
    known = at.names.places
    is_listed = (
        at.find_word_before() in _JOINERS and len(at.spans) > 1 and at.spans[-2].kind in ("place", "area")
    )
    if not known.entries or at.token.kind not in ("word", "quote"):
        return None
    if at.find_word_before("the") not in _UNKNOWN_LEADS and not is_listed and not _may_be_trip(at):
        return None
    match = match_world_place(at.tokens, at.i)
    if match is None or at.person or at.place or at.date:
        return None
    partial = known.match_partly(at.tokens, at.i) if at.token.kind == "word" else None
    if partial is not None and partial.end >= match.end:
        return None  # a part of a name of the album, which is guessed next
    key = find_album_place(match.places, known) or (
        known.match_quoted(at.token.text) if at.token.kind == "quote" else ""
    )
    if key:
        typed, name = join_texts(at.tokens[at.i : match.end]), known.entries[key].name
        return Tag(TaggedSpan("place", at.i, match.end, (key,)), (f'read "{typed}" as {name}',))
    if not match.is_certain:
        return None
    area, note = make_missing_area(match.places[0], known)
    is_negated = any(token.norm in NEGATIONS for token in at.tokens[max(at.i - 2, 0) : at.i])
    note = note.partition(";")[0] if is_negated else note
    return Tag(TaggedSpan("area", at.i, match.end, areas=(area,)), (note,))


def _may_be_trip(at: Position) -> bool:
    """Whether a trip to a place is named: "the trip to hanoi", "the hanoi trip"."""
    if not at.names.trips.are_known:
        return False
    if at.find_word_before("the") == "to":
        return any(token.norm in TRIPS for token in at.tokens[max(at.i - 3, 0) : at.i])
    match = match_world_place(at.tokens, at.i) if at.token.norm not in COMMON else None
    return match is not None and at.get_norm(match.end) in TRIPS
