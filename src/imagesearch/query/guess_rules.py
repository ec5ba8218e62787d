"""The rule that tags partial and mistyped names where a name is expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from imagesearch.query.english import find_word_level, is_everyday
from imagesearch.query.first_names import is_first_name
from imagesearch.query.gazetteer import Gazetteer, NameMatch
from imagesearch.query.lexicon import COMMON
from imagesearch.query.places.album_places import are_aliases
from imagesearch.query.places.world import is_place_name
from imagesearch.query.tags import Position, Tag, TaggedSpan, TagKind

_MAX_SHORT = 3  # letters of an everyday word that is no part of a place's name
_MAX_HINTS = 3  # maximum number of names in a hint
_MIN_SIMILARITY = 50  # percent; from this on, an unknown word is meant as a word of a name


def may_be_guessed(at: Position) -> bool:
    """Whether a name is expected at a token."""
    return at.follows_place_lead or at.is_name_position


def tag_guess(at: Position) -> Tag | None:
    """Tag part of a name, or a name with a typing error. The longer one if there are both."""
    is_place = at.follows_place_lead
    partial, mistyped = _tag_partial(at, is_place), _tag_mistyped(at, is_place)
    if partial is None or mistyped is None:
        return partial or mistyped
    if partial.span.kind == "word":
        return mistyped if mistyped.span.kind != "word" else partial
    if mistyped.span.kind == "word":  # it could be several names
        return Tag(partial.span, partial.notes + mistyped.notes)
    return mistyped if mistyped.span.end > partial.span.end else partial  # "rio de janero" is not "rio de"


def _tag_partial(at: Position, is_place: bool) -> Tag | None:
    match = None if is_place else at.names.people.match_partly(at.tokens, at.i)
    if match:
        return _make_partial_tag("person", at, match, at.names.people)
    match = at.names.places.match_partly(at.tokens, at.i)
    if match is None or _follows_other_place(at, match):
        return None
    is_word = match.end - at.i == 1 and is_everyday(at.token.norm)
    if is_word and (not is_place or len(at.token.norm) <= _MAX_SHORT):  # "chi" is not Ho Chi Minh City
        tag = _make_partial_tag("place", at, match, at.names.places) if is_place else None
        return tag if tag and tag.span.kind == "word" else None
    has_kind = all(at.names.places.entries[key].kind for key in match.keys)
    if not is_place and match.end - at.i == 1 and (match.more or not has_kind):
        return None
    return _make_partial_tag("place", at, match, at.names.places)


def _make_partial_tag(kind: TagKind, at: Position, match: NameMatch, known: Gazetteer) -> Tag:
    """Tag a part of a name; or only give a hint if the next word seems to be meant as part of it too."""
    if not _has_unknown_rest(kind, at, match, known):
        return _make_tag(kind, at, match)
    typed = " ".join(token.text for token in at.tokens[at.i : match.end + 1])
    names = [known.entries[key].name for key in match.keys]
    return Tag(TaggedSpan("word", at.i, match.end + 1), (_make_hint(typed, names),))


def _has_unknown_rest(kind: TagKind, at: Position, match: NameMatch, known: Gazetteer) -> bool:
    """Whether an unknown word follows that is meant as a word of the name: "da neng", "anna smyhte"."""
    if match.end >= len(at.tokens) or at.tokens[match.end].kind != "word" or match.is_possessive:
        return False
    following = at.tokens[match.end]
    word = following.possessor or following.norm
    if not word.isalpha() or is_everyday(word) or at.names.people.match_exact(at.tokens, match.end):
        return False
    if at.names.places.match_exact(at.tokens, match.end):
        return False
    if kind == "person" or all(len(token.norm) < 3 for token in at.tokens[at.i : match.end]):
        return not find_word_level(word)
    from rapidfuzz import fuzz

    rests = {rest for key in match.keys for rest in key.split()}
    return any(len(rest) > 2 and fuzz.ratio(word, rest) >= _MIN_SIMILARITY for rest in rests)


def _tag_mistyped(at: Position, is_place: bool) -> Tag | None:
    """Tag the only name that fits. If several do, or if it is not sure, tag a word, with a hint."""
    people, places = at.names.people, at.names.places
    follows_place = at.last_kind in ("place", "area")
    is_name = not is_place and not follows_place and is_first_name(at.token.possessor or at.token.norm)
    # a first name is no mistyped place: Albert is not Alberta
    found_places = [] if is_name else places.match_mistyped(at.tokens, at.i)
    found_places = [match for match in found_places if not _follows_other_place(at, match)]
    found_places = _drop_aliases(found_places)
    found_people = [] if is_place and found_places else people.match_mistyped(at.tokens, at.i)
    names = _map_names(found_places, places) | _map_names(found_people, people)
    if not names:
        return None
    match = (found_people or found_places)[0]
    typed = " ".join(token.text for token in at.tokens[at.i : match.end])
    if len(names) > 1 or not match.is_sure:
        if not match.is_sure and is_place_name(at.token.norm):
            return None
        return Tag(TaggedSpan("word", at.i, at.i + 1), (_make_hint(typed, list(names.values())),))
    note = f'read "{typed}" as {names[match.keys[0]]}'
    return _make_tag("person" if found_people else "place", at, replace(match, note=note))


def _make_hint(typed: str, names: Sequence[str]) -> str:
    shown = sorted(names)[:_MAX_HINTS]
    return f'"{typed}" is read as text; did you mean {" or ".join(shown)}?'


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
