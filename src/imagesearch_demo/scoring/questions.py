"""Sentences as people would ask them of a drawn album, each with the photos that are its answer.

Who, where, when and what are clauses: words, and what they ask of a photo of the truth. Nothing here reads
sentences: what a clause means is written beside its words. Mostly all clauses are made of what one photo
shows, so that there is an answer; of some sentences each clause is another photo's, until none passes all.

A photo whose file has no position has no place, whatever the truth knows, and has northern seasons. Who is in
a photo is what the truth says, whether or not a face can be found.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from imagesearch.text import normalize
from imagesearch_demo.album import SCENE_NOUNS, SCENE_PLACES, TIME_WORDS
from imagesearch_demo.scoring.model_scores import list_album_facts
from imagesearch_demo.scoring.presence_queries import Rng, name_thing, pick_phrase
from imagesearch_demo.scoring.time_phrases import TimePhrase, list_time_phrases

Photo = dict
Holds = Callable[[Photo], bool]

_FRAMES = ("", "", "", "", "photos of ", "pictures of ", "show me ", "all photos of ")
_EMPTY = 0.2  # share of the sentences that no photo passes
_ATTEMPTS = 300  # for each sentence: a few photos answer few different ones, and one passes all of its own
_NICKNAMES = {"Rio de Janeiro": "rio", "Bondi Beach": "bondi"}  # parts of a name that are said for it
# No "photos of" goes before these.
_LITTLE = ("in ", "on ", "at ", "by ", "near ", "nobody", "no people", "without ", "among ", "under ",
           "after ", "during ", "indoors", "inside", "downtown")  # fmt: skip
_NOBODY = ("nobody", "no people", "without people")
_NUMBERS = ("nobody", "one person", "two people", "three people", "four people")


@dataclass(frozen=True)
class Clause:
    """Some words of a sentence, and which photos they are true of; whether they name anybody."""

    words: str
    holds: Holds
    is_named: bool = True


@dataclass(frozen=True)
class What:
    """What a photo shows: a thing and a surrounding, either of which may be missing.

    Attributes
    ----------
    thing, around
        ``a red boat``, ``on a lake at sunset``.
    claims
        Facts of the photos that show it.
    """

    thing: str
    around: str
    claims: frozenset[str]


@dataclass(frozen=True)
class Question:
    """A sentence and its answer.

    Attributes
    ----------
    text, today
        What is asked, and on which day.
    passing
        Paths of the photos that who, where and when are true of.
    answer
        Of these, those that show what is asked for.
    asks
        Which of who, where, when and what it asks.
    """

    text: str
    today: date
    passing: frozenset[str]
    answer: frozenset[str]
    asks: tuple[str, ...]


def make_questions(truth: dict, count: int, seed: int = 0) -> list[Question]:
    """Return different sentences about an album, if there are so many; no photo passes a fifth of them.

    Parameters
    ----------
    truth
        Of `album.make_album`.
    count, seed
        How many, and which.
    """
    rng = np.random.default_rng([seed, 0x9E57])
    empty = round(_EMPTY * count)
    made: dict[str, Question] = {}
    for wanted, how_many in ((False, count - empty), (True, empty)):
        attempts = itertools.islice(_repeat_shuffled(rng, truth, mixed=wanted), _ATTEMPTS * how_many)
        fit = (q for q in attempts if (not q.passing) == wanted and (wanted or q.answer))
        new = (q for q in fit if q.text not in made)
        for question in itertools.islice(new, how_many):
            made[question.text] = question
    return list(made.values())


def rename_in_truth(truth: dict, name: str, to: str) -> dict:
    """Return the truth after somebody was given another name."""

    def people(photo: Photo) -> list[dict]:
        return [{**p, "name": to if p["name"] == name else p["name"]} for p in photo["people"]]

    cast = [to if other == name else other for other in truth["people"]]
    return {**truth, "people": cast, "photos": [{**p, "people": people(p)} for p in truth["photos"]]}


def _repeat_shuffled(rng: Rng, truth: dict, mixed: bool) -> Iterator[Question]:
    photos = truth["photos"]
    held = dict(zip((p["path"] for p in photos), list_album_facts(truth), strict=True))
    names = sorted({person["name"] for photo in photos for person in photo["people"]})
    while True:
        anchors = [pick_phrase(rng, photos) for _ in range(3)] if mixed else 3 * [pick_phrase(rng, photos)]
        asks = _choose_parts(rng, mixed)
        who = _make_who(rng, anchors[0], names) if "who" in asks else None
        where = _make_where(rng, anchors[1]) if "where" in asks else None
        when = (
            pick_phrase(rng, list(list_time_phrases(rng, _parse_time(anchors[2]), _is_south(anchors[2]))))
            if "when" in asks
            else None
        )
        what = _make_what(rng, anchors[0], held[anchors[0]["path"]]) if "what" in asks else None
        parts = {"who": who, "where": where, "when": when, "what": what}
        asks = tuple(name for name, part in parts.items() if part is not None)
        if not asks or (mixed and len(asks) < 2):
            continue
        text = _join_clauses(rng, who, where, when, what)
        conditions = [clause.holds for clause in (who, where) if clause is not None]
        if when is not None:
            conditions.append(lambda photo, w=when: w.holds(_parse_time(photo).date(), _is_south(photo)))
        passing = frozenset(p["path"] for p in photos if all(holds(p) for holds in conditions))
        claims = what.claims if what else frozenset()
        answer = frozenset(path for path in passing if claims <= held[path])
        today = when.today if when is not None and when.today else date(2026, 2, 11)
        yield Question(text, today, passing, answer, asks)


def _choose_parts(rng: Rng, mixed: bool) -> frozenset[str]:
    """Which of the four a sentence asks; for one that no photo passes at least two of the first three."""
    chances = {"who": 0.7, "where": 0.55, "when": 0.4, "what": 0.65}
    while True:
        asks = frozenset(name for name, chance in chances.items() if rng.random() < chance)
        if len(asks) > (1 if mixed else 0) and (not mixed or len(asks - {"what"}) > 1):
            return asks


# --- clauses -----------------------------------------------------------------------------------------------


def _list_names(photo: Photo) -> list[str]:
    return [person["name"] for person in photo["people"]]


def _parse_time(photo: Photo) -> datetime:
    return datetime.fromisoformat(photo["taken_at"])


def _is_south(photo: Photo) -> bool:
    return photo["latitude"] is not None and photo["latitude"] < 0


def _vary_spelling(rng: Rng, name: str) -> str:
    """A name as it is typed: mostly in lower case, often without its accents."""
    way = rng.random()
    return name if way < 0.25 else name.lower() if way < 0.6 else normalize(name)


def _make_who(rng: Rng, photo: Photo, names: Sequence[str]) -> Clause | None:
    """People of a photo, or their number."""
    there = [str(name) for name in rng.permutation(_list_names(photo))]
    others = [str(name) for name in rng.permutation([name for name in names if name not in there])]
    count = len(there)
    if not there or rng.random() < 0.1:
        return _make_count(rng, count)
    first = _vary_spelling(rng, there[0])
    options = [Clause(first, lambda p: there[0] in _list_names(p))] * 3
    if others:
        without = f"{first} {pick_phrase(rng, ('without', 'but not'))} {_vary_spelling(rng, others[0])}"
        options.append(
            Clause(without, lambda p: there[0] in _list_names(p) and others[0] not in _list_names(p))
        )
        either = f"{first} or {_vary_spelling(rng, others[0])}"
        options.append(Clause(either, lambda p: bool({there[0], others[0]} & set(_list_names(p)))))
    if count == 1:
        phrases = ("alone", "by herself" if there[0] == "Maya" else "and nobody else")
        alone = f"{first} {pick_phrase(rng, phrases)}"
        options.append(Clause(alone, lambda p: _list_names(p) == there))
    if count > 1:
        joined = f"{first} {pick_phrase(rng, ('and', '&', 'with'))} {_vary_spelling(rng, there[1])}"
        options += [Clause(joined, lambda p: set(there[:2]) <= set(_list_names(p)))] * 4
    if count == 2:
        only = f"only {first} and {_vary_spelling(rng, there[1])}"
        options.append(Clause(only, lambda p: set(_list_names(p)) == set(there) and len(p["people"]) == 2))
    if count > 2:
        listed = f"{first}, {_vary_spelling(rng, there[1])} and {_vary_spelling(rng, there[2])}"
        options.append(Clause(listed, lambda p: set(there[:3]) <= set(_list_names(p))))
    return pick_phrase(rng, options)


def _make_count(rng: Rng, count: int) -> Clause | None:
    """How many people are in a photo."""
    if count > 2 and rng.random() < 0.5:
        return Clause("at least three people", lambda p: len(p["people"]) >= 3, False)
    if not count and rng.random() < 0.75:  # few sentences are about nobody, many photos show nobody
        return None
    words = _NUMBERS[count] if count else pick_phrase(rng, _NOBODY)
    return Clause(words, lambda p: len(p["people"]) == count, False)


def _make_where(rng: Rng, photo: Photo) -> Clause | None:
    """Where a photo was taken, if its file says so; with another place at times, of which either will do."""
    if photo["latitude"] is None:
        return None

    def inside(p: Photo, names: set[str]) -> bool:
        places = {p["city"], p["state"], p["country"]}
        return p["latitude"] is not None and bool(names & places)

    level = pick_phrase(rng, ("city", "city", "state", "country", "country"))
    name, lead = photo[level], pick_phrase(rng, ("in", "in", "in", "near", "from"))
    words = (
        _NICKNAMES.get(name, _vary_spelling(rng, name)) if rng.random() < 0.5 else _vary_spelling(rng, name)
    )
    way = rng.random()
    if way < 0.12:
        other = pick_phrase(rng, ("Norway", "Japan", "Goa", "Kenya", "Banff"))
        return Clause(f"{lead} {words} or {_vary_spelling(rng, other)}", lambda p: inside(p, {name, other}))
    if way < 0.24 and level == "city" and name != photo["country"]:
        country = photo["country"]
        both = f"in {words}, {_vary_spelling(rng, country)}"
        return Clause(both, lambda p: inside(p, {name}) and inside(p, {country}))
    if way < 0.3 and len(name) > 6 and name.isascii() and name.isalpha():
        at = int(rng.integers(2, len(name) - 2))  # a letter is missing
        return Clause(f"in {name[:at].lower()}{name[at + 1 :]}", lambda p: inside(p, {name}))
    return Clause(f"{lead} {words}", lambda p: inside(p, {name}))


def _make_what(rng: Rng, photo: Photo, held: set[str]) -> What:
    """Something that a photo shows: a thing, its colour, the scene, the hour."""
    claims: set[str] = set()
    thing = around = ""
    if photo["things"] and rng.random() < 0.55:
        item = pick_phrase(rng, photo["things"])
        colour = item["colour"] if rng.random() < 0.5 else ""
        thing = name_thing(rng, item["kind"], colour)
        claims.add(f"thing:{colour} {item['kind']}".replace(": ", ":"))
    if not thing or rng.random() < 0.4:
        # "in winter" is a scene to a caption and a season to a search
        places = [words for words in SCENE_PLACES[photo["scene"]] if "winter" not in words]
        around = pick_phrase(rng, places)
        claims.add(f"scene:{photo['scene']}")
    if rng.random() < 0.3:
        around = f"{around} {pick_phrase(rng, TIME_WORDS[photo['time_of_day']])}".strip()
        claims.add(f"time:{photo['time_of_day']}")
    assert claims <= held
    return What(thing, around, frozenset(claims))


# --- sentences ---------------------------------------------------------------------------------------------


def _join_clauses(
    rng: Rng, who: Clause | None, where: Clause | None, when: TimePhrase | None, what: What | None
) -> str:
    """Join clauses in an order that people use."""
    subject = who.words if who else ""
    scene = _find_scene(what) if what else ""
    is_name = who is not None and who.is_named
    if what and what.thing:
        if not who:
            subject = what.thing
        elif is_name and " " not in who.words and rng.random() < 0.15:
            subject = f"{who.words}'s {what.thing.split(' ', 1)[1]}"
        elif who.words in _NOBODY:
            subject = f"{what.thing} without people"
        elif is_name and rng.random() < 0.2:
            subject = f"{what.thing} with {who.words}"
        else:
            subject = f"{who.words} {pick_phrase(rng, ('with', 'and', 'next to'))} {what.thing}"
    subject = f"{subject} {what.around if what else ''}".strip()
    if not who and what and not what.thing:
        subject = scene
    elif who and who.is_named and what and not what.thing and what.around != scene and rng.random() < 0.2:
        subject = f"{scene} with {who.words}"
    if where and what and what.around.endswith("s") and rng.random() < 0.5:  # "on the beaches of goa"
        where = Clause(f"of {where.words.split(' ', 1)[1]}", where.holds)
        return f"{subject} {where.words} {when.words if when else ''}".strip()
    late = [part for part in (where.words if where else "", when.words if when else "") if part]
    if rng.random() < 0.25:
        late.reverse()
    frame = pick_phrase(rng, _FRAMES) if subject else pick_phrase(rng, ("", "photos ", "photos taken "))
    if subject.startswith(_LITTLE):
        frame = ""
    if late and subject and not frame and rng.random() < 0.08 and "," not in late[0]:
        return " ".join([late[0], subject, *late[1:]])
    return f"{frame}{' '.join(filter(None, (subject, *late)))}"


def _find_scene(what: What) -> str:
    """A scene that nobody is said to be in: at times as a noun."""
    scene = next((claim.removeprefix("scene:") for claim in what.claims if claim.startswith("scene:")), "")
    words = what.around
    for place in SCENE_PLACES.get(scene, ()):
        if words.startswith(place):
            return SCENE_NOUNS[scene][1] + words.removeprefix(place)
    return words
