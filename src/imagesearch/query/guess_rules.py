"""The rule that tags partial and mistyped names where a name is expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from imagesearch.query.gazetteer import Gazetteer, NameMatch
from imagesearch.query.lexicon import COMMON
from imagesearch.query.places.album_places import are_aliases
from imagesearch.query.tags import Position, Tag, TaggedSpan, TagKind


def may_be_guessed(at: Position) -> bool:
    """Whether a name is expected at a token."""
    return at.follows_place_lead or at.is_name_position


def tag_guess(at: Position) -> Tag | None:
    """Tag part of a name, or a name with a typing error. The longer one if there are both."""
    is_place = at.follows_place_lead
    partial, mistyped = _tag_partial(at, is_place), _tag_mistyped(at, is_place)
    if partial is None or mistyped is None:
        return partial or mistyped
    if mistyped.span.kind == "word":  # it could be several names
        return Tag(partial.span, partial.notes + mistyped.notes)
    return mistyped if mistyped.span.end > partial.span.end else partial  # "rio de janero" is not "rio de"


def _tag_partial(at: Position, is_place: bool) -> Tag | None:
    match = None if is_place else at.names.people.match_partly(at.tokens, at.i)
    if match:
        return _make_tag("person", at, match)
    match = at.names.places.match_partly(at.tokens, at.i)
    if match is None or _follows_other_place(at, match):
        return None
    has_kind = all(at.names.places.entries[key].kind for key in match.keys)
    if not is_place and match.end - at.i == 1 and (match.more or not has_kind):
        return None
    return _make_tag("place", at, match)


def _tag_mistyped(at: Position, is_place: bool) -> Tag | None:
    """Tag the only name that fits. If several do, tag a word, with a note that lists the names."""
    people, places = at.names.people, at.names.places
    found_places = [m for m in places.match_mistyped(at.tokens, at.i) if not _follows_other_place(at, m)]
    found_places = _drop_aliases(found_places)
    found_people = [] if is_place and found_places else people.match_mistyped(at.tokens, at.i)
    names = _map_names(found_places, places) | _map_names(found_people, people)
    if not names:
        return None
    if len(names) > 1:
        note = f'"{at.token.text}" could be {" or ".join(sorted(names.values()))}: read as text'
        return Tag(TaggedSpan("word", at.i, at.i + 1), (note,))
    match = (found_people or found_places)[0]
    typed = " ".join(token.text for token in at.tokens[at.i : match.end])
    note = f'read "{typed}" as {names[match.keys[0]]}'
    return _make_tag("person" if found_people else "place", at, replace(match, note=note))


def _drop_aliases(matches: Sequence[NameMatch]) -> list[NameMatch]:
    """Keep one of several names of the same place: Iceland and Ísland are stored with the same photos.

    A name that is also an everyday word, such as island, is kept only if there is no other.
    """
    kept: list[NameMatch] = []
    for match in [match for match in matches if match.keys[0] not in COMMON] or matches:
        if not any(are_aliases(match.keys[0], other.keys[0]) for other in kept):
            kept.append(match)
    return kept


def _map_names(matches: Sequence[NameMatch], known: Gazetteer) -> dict[str, str]:
    return {key: known.entries[key].name for match in matches for key in match.keys}


def _follows_other_place(at: Position, match: NameMatch) -> bool:
    """Whether the place before the token does not lie in the guess: in "york minster" no word is Münster."""
    return at.last_kind == "place" and not at.names.places.contains(match.keys[0], at.spans[-1].keys[0])


def _make_tag(kind: TagKind, at: Position, match: NameMatch) -> Tag:
    return Tag(TaggedSpan(kind, at.i, match.end, match.keys, match.is_possessive), (match.note,))
