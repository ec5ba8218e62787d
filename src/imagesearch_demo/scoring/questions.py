"""Generated sentences like those that people search an album with, each with its relevant photos.

A sentence consists of phrases for who, where, when and what. Each phrase has words, and a predicate or facts
for the photos that it is true of; no sentence is parsed here. Usually all phrases describe one photo, so that
at least this photo is relevant. In a fifth of the sentences each phrase describes another photo, and no photo
passes all of them.

A photo without a position has no place, even if the ground truth has one, and has northern seasons. The
people in a photo are those of the ground truth, even if a face cannot be detected. `Question.find_candidates`
finds the photos for other people, such as those whose faces were detected.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial

import numpy as np

from imagesearch.text import normalize
from imagesearch_demo.album import SCENE_NOUNS, SCENE_PLACES, TIME_WORDS, list_album_facts
from imagesearch_demo.drawing import Rng, pick_option
from imagesearch_demo.scoring.presence_queries import name_thing
from imagesearch_demo.scoring.time_phrases import CLOCK_HOURS, TimePhrase, list_time_phrases

Photo = dict  # an entry of the ground truth

_FRAMES = ("", "", "", "", "photos of ", "pictures of ", "show me ", "all photos of ")
_UNANSWERABLE_SHARE = 0.2  # share of the sentences that no photo passes
# Attempts for each sentence. They are limited because a small album has few different sentences, and with a
# single photo no sentence is without candidates.
_MAX_ATTEMPTS = 300
_NICKNAMES = {"Rio de Janeiro": "rio", "Bondi Beach": "bondi"}  # parts of a name that are used instead of it
# "photos of" is never added before these words.
_NEVER_FRAMED = ("in ", "on ", "at ", "by ", "near ", "nobody", "no people", "without ", "among ", "under ",
                 "after ", "during ", "indoors", "inside", "downtown")  # fmt: skip
_NOBODY = ("nobody", "no people", "without people")
_COUNT_WORDS = ("nobody", "one person", "two people", "three people", "four people")


@dataclass(frozen=True)
class FilterPhrase:
    """Words for who or where, a predicate for the photos they are true of, and whether they name people."""

    words: str
    holds: Callable[[Photo], bool]
    is_named: bool = True


@dataclass(frozen=True)
class ContentPhrase:
    """Words for what a photo shows: a thing and its surroundings, one of which may be empty.

    Attributes
    ----------
    thing, surroundings
        For example ``a red boat`` and ``on a lake at sunset``.
    claims
        The facts of the photos that show it.
    hours
        The hours of the clock that the words mean; empty if they mean none.
    """

    thing: str
    surroundings: str
    claims: frozenset[str]
    hours: Sequence[int] = ()


@dataclass(frozen=True)
class Question:
    """A sentence with its candidates and relevant photos.

    Attributes
    ----------
    text, today
        The sentence, and the day on which it is typed.
    candidates
        Paths of the photos that who, where and when are true of.
    relevant
        Paths of the candidates that also show the rest of the sentence.
    parts
        The parts of the sentence, of who, where, when and what.
    find_candidates
        Returns the candidates if the photos show other people: the name of each face, "" if it has none, by
        path.
    """

    text: str
    today: date
    candidates: frozenset[str]
    relevant: frozenset[str]
    parts: tuple[str, ...]
    find_candidates: Callable[[Mapping[str, Sequence[str]]], frozenset[str]] = field(
        repr=False, compare=False
    )


def make_questions(truth: dict, count: int, seed: int = 0) -> list[Question]:
    """Make different sentences about an album; a fifth of them have no candidates.

    Parameters
    ----------
    truth
        The ground truth, as returned by `imagesearch_demo.album.make_album`.
    count
        Number of sentences; a small album may give fewer.
    seed
        The same seed gives the same sentences.
    """
    rng = np.random.default_rng([seed, 0x9E57])
    unanswerable = round(_UNANSWERABLE_SHARE * count)
    made: dict[str, Question] = {}
    for is_mixed, number in ((False, count - unanswerable), (True, unanswerable)):
        drafts = itertools.islice(_generate_questions(rng, truth, is_mixed), _MAX_ATTEMPTS * number)
        usable = (q for q in drafts if (not q.candidates) == is_mixed and (is_mixed or q.relevant))
        new = (question for question in usable if question.text not in made)
        for question in itertools.islice(new, number):
            made[question.text] = question
    return list(made.values())


def rename_in_truth(truth: dict, name: str, to: str) -> dict:
    """Return the ground truth with another name for a person."""

    def rename_people(photo: Photo) -> list[dict]:
        return [{**p, "name": to if p["name"] == name else p["name"]} for p in photo["people"]]

    cast = [to if other == name else other for other in truth["people"]]
    return {**truth, "people": cast, "photos": [{**p, "people": rename_people(p)} for p in truth["photos"]]}


def _generate_questions(rng: Rng, truth: dict, is_mixed: bool) -> Iterator[Question]:
    """Yield an endless stream of questions; if mixed, each phrase describes another photo."""
    photos = truth["photos"]
    facts = dict(zip((p["path"] for p in photos), list_album_facts(truth), strict=True))
    names = sorted({person["name"] for photo in photos for person in photo["people"]})
    while True:
        sources = [pick_option(rng, photos) for _ in range(3)] if is_mixed else 3 * [pick_option(rng, photos)]
        chosen = _choose_parts(rng, is_mixed)
        who = _make_person_phrase(rng, sources[0], names) if "who" in chosen else None
        where = _make_place_phrase(rng, sources[1]) if "where" in chosen else None
        when = _make_time_phrase(rng, sources[2]) if "when" in chosen else None
        what = _make_content_phrase(rng, sources[0], facts[sources[0]["path"]]) if "what" in chosen else None
        phrases = {"who": who, "where": where, "when": when, "what": what}
        parts = tuple(name for name, phrase in phrases.items() if phrase is not None)
        if not parts or (is_mixed and len(parts) < 2):
            continue
        text = _join_phrases(rng, who, where, when, what)
        conditions = [phrase.holds for phrase in (who, where) if phrase is not None]
        if when is not None:
            conditions.append(lambda photo, w=when: w.holds(_parse_time(photo).date(), _is_south(photo)))
        if what and what.hours:
            conditions.append(lambda photo, hours=what.hours: _parse_time(photo).hour in hours)
        candidates = list_candidates(photos, conditions)
        claims = what.claims if what else frozenset()
        relevant = frozenset(path for path in candidates if claims <= facts[path])
        today = when.today if when is not None and when.today else date(2026, 2, 11)
        find_candidates = partial(list_candidates_with, photos, conditions)
        yield Question(text, today, candidates, relevant, parts, find_candidates)


def list_candidates(photos: Sequence[Photo], conditions: Sequence[Callable[[Photo], bool]]) -> frozenset[str]:
    return frozenset(photo["path"] for photo in photos if all(holds(photo) for holds in conditions))


def list_candidates_with(
    photos: Sequence[Photo],
    conditions: Sequence[Callable[[Photo], bool]],
    faces: Mapping[str, Sequence[str]],
) -> frozenset[str]:
    """Find the photos that meet the conditions with other people; see `Question.find_candidates`."""
    # A user can write a name in another way than the ground truth.
    spelling = {normalize(name): name for photo in photos for name in _list_names(photo)}

    def list_people(path: str) -> list[dict]:
        return [{"name": spelling.get(normalize(name), name)} for name in faces.get(path, ())]

    return list_candidates([{**photo, "people": list_people(photo["path"])} for photo in photos], conditions)


def _choose_parts(rng: Rng, is_mixed: bool) -> frozenset[str]:
    """Choose the parts of a sentence; a mixed one has at least two of who, where and when."""
    chances = {"who": 0.7, "where": 0.55, "when": 0.4, "what": 0.65}
    while True:
        parts = frozenset(name for name, chance in chances.items() if rng.random() < chance)
        if len(parts) > (1 if is_mixed else 0) and (not is_mixed or len(parts - {"what"}) > 1):
            return parts


# --- phrases -----------------------------------------------------------------------------------------------


def _list_names(photo: Photo) -> list[str]:
    return [person["name"] for person in photo["people"]]


def _parse_time(photo: Photo) -> datetime:
    return datetime.fromisoformat(photo["taken_at"])


def _is_south(photo: Photo) -> bool:
    return photo["latitude"] is not None and photo["latitude"] < 0


def _vary_spelling(rng: Rng, name: str) -> str:
    """Spell a name as people type it: usually in lower case, often without accents."""
    way = rng.random()
    return name if way < 0.25 else name.lower() if way < 0.6 else normalize(name)


def _make_person_phrase(rng: Rng, photo: Photo, names: Sequence[str]) -> FilterPhrase | None:
    """Make a phrase about the people in a photo, or about their number."""
    present = [str(name) for name in rng.permutation(_list_names(photo))]
    others = [str(name) for name in rng.permutation([name for name in names if name not in present])]
    count = len(present)
    if not present or rng.random() < 0.1:
        return _make_count_phrase(rng, count)
    first = _vary_spelling(rng, present[0])
    options = [FilterPhrase(first, lambda p: present[0] in _list_names(p))] * 3
    if others:
        without = f"{first} {pick_option(rng, ('without', 'but not'))} {_vary_spelling(rng, others[0])}"
        options.append(
            FilterPhrase(without, lambda p: present[0] in _list_names(p) and others[0] not in _list_names(p))
        )
        either = f"{first} or {_vary_spelling(rng, others[0])}"
        options.append(FilterPhrase(either, lambda p: bool({present[0], others[0]} & set(_list_names(p)))))
    if count == 1:
        phrases = ("alone", "by herself" if present[0] == "Maya" else "and nobody else")
        alone = f"{first} {pick_option(rng, phrases)}"
        options.append(FilterPhrase(alone, lambda p: _list_names(p) == present))
    if count > 1:
        joined = f"{first} {pick_option(rng, ('and', '&', 'with'))} {_vary_spelling(rng, present[1])}"
        options += [FilterPhrase(joined, lambda p: set(present[:2]) <= set(_list_names(p)))] * 4
    if count == 2:
        only = f"only {first} and {_vary_spelling(rng, present[1])}"
        options.append(
            FilterPhrase(only, lambda p: set(_list_names(p)) == set(present) and len(p["people"]) == 2)
        )
    if count > 2:
        listed = f"{first}, {_vary_spelling(rng, present[1])} and {_vary_spelling(rng, present[2])}"
        options.append(FilterPhrase(listed, lambda p: set(present[:3]) <= set(_list_names(p))))
    return pick_option(rng, options)


def _make_count_phrase(rng: Rng, count: int) -> FilterPhrase | None:
    """Make a phrase about the number of people in a photo."""
    if count > 2 and rng.random() < 0.5:
        return FilterPhrase("at least three people", lambda p: len(p["people"]) >= 3, False)
    if not count and rng.random() < 0.75:  # keeps such sentences rare, although many photos show nobody
        return None
    words = _COUNT_WORDS[count] if count else pick_option(rng, _NOBODY)
    return FilterPhrase(words, lambda p: len(p["people"]) == count, False)


def _make_place_phrase(rng: Rng, photo: Photo) -> FilterPhrase | None:
    """Make a phrase about the place of a photo with a position; sometimes with "or" and another place."""
    if photo["latitude"] is None:
        return None

    def is_inside(p: Photo, names: set[str]) -> bool:
        places = {p["city"], p["state"], p["country"]}
        return p["latitude"] is not None and bool(names & places)

    level = pick_option(rng, ("city", "city", "state", "country", "country"))
    name, lead = photo[level], pick_option(rng, ("in", "in", "in", "near", "from"))
    is_short = rng.random() < 0.5
    words = _vary_spelling(rng, name)
    words = _NICKNAMES.get(name, words) if is_short else words
    way = rng.random()
    if way < 0.12:
        other = pick_option(rng, ("Norway", "Japan", "Goa", "Kenya", "Banff"))
        return FilterPhrase(
            f"{lead} {words} or {_vary_spelling(rng, other)}", lambda p: is_inside(p, {name, other})
        )
    if way < 0.24 and level == "city" and name != photo["country"]:
        country = photo["country"]
        both = f"in {words}, {_vary_spelling(rng, country)}"
        return FilterPhrase(both, lambda p: is_inside(p, {name}) and is_inside(p, {country}))
    if way < 0.3 and len(name) > 6 and name.isascii() and name.isalpha():
        at = int(rng.integers(2, len(name) - 2))  # omit a letter
        return FilterPhrase(f"in {name[:at].lower()}{name[at + 1 :]}", lambda p: is_inside(p, {name}))
    return FilterPhrase(f"{lead} {words}", lambda p: is_inside(p, {name}))


def _make_time_phrase(rng: Rng, photo: Photo) -> TimePhrase:
    """Make a phrase about when a photo was taken."""
    return pick_option(rng, list(list_time_phrases(rng, _parse_time(photo), _is_south(photo))))


def _make_content_phrase(rng: Rng, photo: Photo, facts: set[str]) -> ContentPhrase:
    """Make a phrase about what a photo shows: a thing, its colour, the scene, the time of day."""
    claims: set[str] = set()
    hours: Sequence[int] = ()
    thing = surroundings = ""
    if photo["things"] and rng.random() < 0.55:
        item = pick_option(rng, photo["things"])
        colour = item["colour"] if rng.random() < 0.5 else ""
        thing = name_thing(rng, item["kind"], colour)
        claims.add(f"thing:{colour} {item['kind']}".replace(": ", ":"))
    if not thing or rng.random() < 0.4:
        # "in winter" and "in the alps" are scenes in captions, but a season and a region in a search
        places = [words for words in SCENE_PLACES[photo["scene"]] if not words.endswith(("winter", "alps"))]
        surroundings = pick_option(rng, places)
        claims.add(f"scene:{photo['scene']}")
    if rng.random() < 0.3:
        hour, lights = _parse_time(photo).hour, TIME_WORDS[photo["time_of_day"]]
        light = pick_option(rng, [words for words in lights if hour in CLOCK_HOURS.get(words, (hour,))])
        surroundings = f"{surroundings} {light}".strip()
        claims.add(f"time:{photo['time_of_day']}")
        hours = CLOCK_HOURS.get(light, ())
    assert claims <= facts
    return ContentPhrase(thing, surroundings, frozenset(claims), hours)


# --- sentences ---------------------------------------------------------------------------------------------


def _join_phrases(
    rng: Rng,
    who: FilterPhrase | None,
    where: FilterPhrase | None,
    when: TimePhrase | None,
    what: ContentPhrase | None,
) -> str:
    """Join phrases in a common order."""
    subject = _make_subject(rng, who, what)
    if where and what and what.surroundings.endswith("s") and rng.random() < 0.5:  # "on the beaches of goa"
        return f"{subject} of {where.words.split(' ', 1)[1]} {when.words if when else ''}".strip()
    late = [part for part in (where.words if where else "", when.words if when else "") if part]
    if rng.random() < 0.25:
        late.reverse()
    frame = pick_option(rng, _FRAMES) if subject else pick_option(rng, ("", "photos ", "photos taken "))
    if subject.startswith(_NEVER_FRAMED):
        frame = ""
    if late and subject and not frame and rng.random() < 0.08 and "," not in late[0]:
        return " ".join([late[0], subject, *late[1:]])
    return f"{frame}{' '.join(filter(None, (subject, *late)))}"


def _make_subject(rng: Rng, who: FilterPhrase | None, what: ContentPhrase | None) -> str:
    """Join who and what: "maya and a red boat on a lake"."""
    if what is None:
        return who.words if who else ""
    scene = _name_scene(what)
    if not what.thing:
        if who is None:
            return scene
        if who.is_named and what.surroundings != scene and rng.random() < 0.2:
            return f"{scene} with {who.words}"
        return f"{who.words} {what.surroundings}".strip()
    return f"{_join_thing(rng, who, what.thing)} {what.surroundings}".strip()


def _join_thing(rng: Rng, who: FilterPhrase | None, thing: str) -> str:
    if who is None:
        return thing
    if who.is_named and " " not in who.words and rng.random() < 0.15:
        return f"{who.words}'s {thing.split(' ', 1)[1]}"
    if who.words in _NOBODY:
        return f"{thing} without people"
    if who.is_named and rng.random() < 0.2:
        return f"{thing} with {who.words}"
    return f"{who.words} {pick_option(rng, ('with', 'and', 'next to'))} {thing}"


def _name_scene(what: ContentPhrase) -> str:
    """Return the surroundings with the scene as a noun, for sentences without a person or thing."""
    scene = next((claim.removeprefix("scene:") for claim in what.claims if claim.startswith("scene:")), "")
    words = what.surroundings
    for place in SCENE_PLACES.get(scene, ()):
        if words.startswith(place):
            return SCENE_NOUNS[scene][1] + words.removeprefix(place)
    return words
