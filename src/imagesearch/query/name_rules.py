"""Rules that tag exact names of people and places, and decide whether such words are names in a sentence."""

from __future__ import annotations

from imagesearch.query.gazetteer import NameMatch
from imagesearch.query.lexicon import (
    ADJECTIVES,
    COMMON,
    EMPTY,
    JOINERS,
    LEADING,
    NOUNS,
    NOUNS_IN_ING,
    PLACE_LEADS,
)
from imagesearch.query.places.world import is_capitalized
from imagesearch.query.tags import ENTITIES, Position, Tag, TaggedSpan, TagKind
from imagesearch.query.tokenizer import Token
from imagesearch.text import is_numbered_label, normalize


def tag_prefix(at: Position) -> Tag:
    """Tag ``person:``, ``place:`` or ``text:`` with the quote, known name or word after it."""
    kind, start = at.token.norm, at.i + 1
    if start >= len(at.tokens) or at.tokens[start].kind not in ("word", "quote"):
        return Tag(TaggedSpan("mark", at.i, start))
    if kind == "text":
        return Tag(TaggedSpan("quote", at.i, start + 1))
    return _tag_prefixed_name("person" if kind == "person" else "place", at)


def _tag_prefixed_name(kind: TagKind, at: Position) -> Tag:
    token, end = at.tokens[at.i + 1], at.i + 2
    names = at.names.people if kind == "person" else at.names.places
    if token.kind == "quote":
        key = names.match_quoted(token.text)
        match = None if key is None else NameMatch((key,), end)
    else:
        match = names.match_exact(at.tokens, at.i + 1)
    if match is not None:
        return Tag(TaggedSpan(kind, at.i, match.end, match.keys, match.is_possessive))
    if kind == "person" and is_numbered_label(token.text):  # `name_numbers` has noted it
        return Tag(TaggedSpan(kind, at.i, end, (token.text,)))
    if kind == "person":
        note, key = f'nobody is called "{token.text}"', token.text
    else:
        note, key = f'no place is called "{token.text}"', normalize(token.text)
    return Tag(TaggedSpan(kind, at.i, end, (key,)), (note,))


def tag_name(at: Position) -> Tag | None:
    """Tag the name of a person or a place, the longer one if there are both."""
    person, place = at.person, at.place
    if person and place and person.end != place.end:
        person, place = (person, None) if person.end > place.end else (None, place)
    is_place = place is not None and person is not None and _prefers_place(at, place)
    if person and not is_place and _is_person(at, person):
        return Tag(TaggedSpan("person", at.i, person.end, person.keys, person.is_possessive))
    if place and _is_place(at, place):
        return Tag(TaggedSpan("place", at.i, place.end, place.keys, place.is_possessive))
    return None


# --- a person or a place -----------------------------------------------------------------------------------


def _prefers_place(at: Position, match: NameMatch) -> bool:
    """Whether a name of both a person and a place is a place: after *in*, or next to other places."""
    if at.follows_place_lead:
        return True
    before = at.find_word_before()
    is_joined = before in ("and", "or", ",", "&") and len(at.spans) > 1
    joined_kind = at.spans[-2].kind if is_joined else ""
    if joined_kind in ENTITIES and (before, joined_kind) != (",", "place"):
        return joined_kind == "place"
    return _precedes_place(at, match) or _is_inside_next(at, match)


def _precedes_place(at: Position, match: NameMatch) -> bool:
    """Whether *and* or *or* and a name that is only a place follow."""
    after = match.end + 1
    is_joined = after < len(at.tokens) and at.tokens[match.end].norm in ("and", "or", "&")
    return (
        is_joined
        and at.names.places.match_exact(at.tokens, after) is not None
        and at.names.people.match_exact(at.tokens, after) is None
    )


def _is_inside_next(at: Position, place: NameMatch) -> bool:
    """Whether a place that may contain this one follows directly: "paris, france"."""
    after = place.end
    if at.get_norm(after) == ",":
        after += 1
    larger = at.names.places.match_exact(at.tokens, after) if after < len(at.tokens) else None
    if larger is None or (after == place.end and at.names.people.match_exact(at.tokens, after)):
        return False
    return at.names.places.contains(larger.keys[0], place.keys[0])


# --- a name or an everyday word ----------------------------------------------------------------------------


def _is_person(at: Position, match: NameMatch) -> bool:
    """Whether the name of a person stands for that person and not for an everyday word."""
    if match.end - at.i > 1:
        return True
    before = at.find_word_before()
    if (before in ("a", "an") and not match.is_possessive) or _is_adjective(at):
        return False
    if not before and at.token.norm in EMPTY:  # "me and maya" names Me, "a dog" does not name A
        return at.get_norm(match.end, default="and") in JOINERS
    return at.is_name_position or not _is_everyday(at.token)


def _is_adjective(at: Position) -> bool:
    """Whether a name describes the next word: "a sandy beach" does not name Sandy, "sandy dancing" does."""
    if at.token.norm not in ADJECTIVES or at.i + 1 >= len(at.tokens):
        return False
    after = at.tokens[at.i + 1]
    is_verb = after.norm.endswith("ing") and after.norm not in NOUNS_IN_ING
    return after.kind == "word" and after.norm in NOUNS and not is_verb


def _is_place(at: Position, match: NameMatch) -> bool:
    """Whether the name of a place stands for that place and not for an everyday word."""
    if match.end - at.i > 1:
        return True
    before = at.find_word_before()
    is_listed = before == "," and len(at.spans) > 1 and at.spans[-2].kind == "place"
    if _is_short(at.token):
        follows_place = len(at.spans) > 1 and at.spans[-2].kind in ("place", "area")
        is_led = not before or before in PLACE_LEADS or (before in JOINERS and follows_place)
        return (is_led and ends_phrase(at, match.end)) or is_capitalized(at.tokens, at.i, match.end)
    if not _is_everyday(at.token):
        return True
    return before in PLACE_LEADS or is_listed or _is_inside_next(at, match)


def _is_short(token: Token) -> bool:
    """Whether a name of two letters can be a word of another name: "la" in "la boheme"."""
    return len(token.norm) <= 2 and token.norm.isascii() and token.norm.isalpha() and token.norm != "uk"


def ends_phrase(at: Position, end: int) -> bool:
    """Whether no other word follows that could belong to a name: "in la at night", not "in la boheme"."""
    if end >= len(at.tokens) or at.tokens[end].kind != "word":
        return True
    following = at.tokens[end].norm
    if following in EMPTY or following in LEADING or following.isdigit():
        return True
    return any(names.match_exact(at.tokens, end) for names in (at.names.people, at.names.places))


def _is_everyday(token: Token) -> bool:
    return token.norm in COMMON or token.norm.isdigit()
