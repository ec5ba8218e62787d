"""Captions of pictures, with synonyms, and the facts that each caption claims.

A fact is a short text such as ``scene:beach``, ``time:night``, ``thing:boat``, ``thing:red boat`` or
``people:2``. A caption is true of a picture if the picture has all facts that the caption claims. So any
number of captions can be matched with any number of pictures: for training targets, and for evaluations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from imagesearch_demo.drawing import THINGS, PictureTruth, Rng, pick_option

# Nouns for each scene. The ground-truth caption uses the first.
SCENE_NOUNS: dict[str, tuple[str, ...]] = {
    "beach": ("a beach", "the beach", "beaches", "a sandy beach", "the seaside", "the seashore", "the shore",
              "a coast", "the ocean", "the sea"),
    "city": ("a city", "the city", "cities", "a skyline", "skyscrapers", "downtown", "a big city",
             "tall buildings"),
    "desert": ("a desert", "the desert", "deserts", "sand dunes", "dunes", "a dune"),
    "forest": ("a forest", "the forest", "forests", "the woods", "woodland", "a wood", "the jungle"),
    "harbour": ("a harbour", "the harbour", "harbours", "a harbor", "a port", "the docks", "a quay",
                "a lighthouse"),
    "lake": ("a lake", "the lake", "lakes", "a lakeside", "a pond"),
    "meadow": ("a meadow", "the meadow", "meadows", "a field of flowers", "flowers", "a field",
               "the countryside", "green hills"),
    "mountains": ("mountains", "the mountains", "a mountain", "the alps", "peaks", "snowy peaks",
                  "high mountains"),
    "party": ("a party", "the party", "parties", "a birthday party", "a celebration", "indoors", "a room",
              "inside"),
    "savanna": ("a savanna", "the savanna", "savannas", "a safari", "acacia trees", "golden grass",
                "the grassland"),
    "snow": ("snow", "the snow", "a snowy landscape", "winter", "a winter landscape", "a snowfield"),
    "street": ("a street", "the street", "streets", "a road", "the road", "houses", "an avenue"),
}  # fmt: skip

# Phrases for something in the scene, as in "a dog on the beach".
SCENE_PLACES: dict[str, tuple[str, ...]] = {
    "beach": ("on a beach", "on the beach", "at the beach", "on the beaches", "at the seaside", "by the sea",
              "by the ocean", "on the shore", "on the coast", "on the sand"),
    "city": ("in a city", "in the city", "downtown", "in front of a skyline", "by the skyscrapers",
             "in the cities"),
    "desert": ("in a desert", "in the desert", "on the dunes", "in the dunes", "in the deserts"),
    "forest": ("in a forest", "in the forest", "in the woods", "among the trees", "in the forests",
               "in the jungle"),
    "harbour": ("in a harbour", "in the harbour", "at the harbour", "at the port", "at the docks",
                "on the quay", "in the harbor"),
    "lake": ("on a lake", "at a lake", "at the lake", "by the lake", "on the lake", "at the lakes"),
    "meadow": ("in a meadow", "in the meadow", "in a field", "among the flowers", "in the countryside",
               "on the grass", "in the meadows"),
    "mountains": ("in the mountains", "in front of the mountains", "on a mountain", "in the alps",
                  "near the mountains", "on the mountains"),
    "party": ("at a party", "at the party", "indoors", "at a birthday party", "inside", "in a room",
              "at parties"),
    "savanna": ("on a savanna", "in the savanna", "on safari", "on a safari", "in the grassland",
                "on the savanna"),
    "snow": ("in the snow", "in snow", "in winter", "on the snow", "in a snowy landscape"),
    "street": ("in a street", "on the street", "in the street", "on the road", "on a road", "in the streets"),
}  # fmt: skip

# Phrases that fit several scenes.
LOOSE_PLACES: dict[str, tuple[str, ...]] = {
    "by the water": ("beach", "harbour", "lake"),
    "near the water": ("beach", "harbour", "lake"),
    "in town": ("city", "street"),
    "in a town": ("city", "street"),
    "in nature": ("forest", "lake", "meadow", "mountains", "savanna"),
    "outdoors": ("beach", "city", "desert", "forest", "harbour", "lake", "meadow", "mountains", "savanna",
                 "snow", "street"),
}  # fmt: skip

TIME_WORDS: dict[str, tuple[str, ...]] = {
    "day": ("by day", "during the day", "in daylight", "on a sunny day", "in the afternoon", "in the morning",
            "under a blue sky"),
    "sunset": ("at sunset", "at sunset", "in the evening", "at dusk", "at sundown", "in the evening light"),
    "night": ("at night", "at night", "by night", "after dark", "in the dark", "at midnight",
              "under the stars"),
}  # fmt: skip
TIME_NOUNS = {"day": ("a sunny day", "daylight"), "sunset": ("a sunset", "sunset", "the evening", "sunsets"),
              "night": ("night", "the night", "a night scene", "a starry night")}  # fmt: skip

THING_WORDS: dict[str, tuple[str, ...]] = {
    "ball": ("ball", "ball", "beach ball"),
    "balloon": ("balloon",),
    "bicycle": ("bicycle", "bike", "cycle"),
    "boat": ("boat", "boat", "sailing boat", "sailboat", "ship", "yacht"),
    "cake": ("cake", "cake", "birthday cake"),
    "car": ("car", "car", "automobile"),
    "cat": ("cat", "cat", "kitten", "kitty"),
    "chair": ("chair", "deck chair", "deckchair"),
    "dog": ("dog", "dog", "puppy"),
    "guitar": ("guitar",),
    "kite": ("kite",),
    "suitcase": ("suitcase", "suitcase", "piece of luggage"),
    "tent": ("tent",),
    "umbrella": ("umbrella", "umbrella", "parasol"),
}
COLOUR_WORDS = {"purple": ("purple", "purple", "violet"), "orange": ("orange",)}

ONE_PERSON = ("a person", "a person", "someone", "somebody", "a man", "a woman", "a face", "a portrait")
TWO_PEOPLE = ("two people", "two persons", "two friends", "a couple")
MANY_PEOPLE = ("people", "people", "friends", "persons", "a group of people", "a family")
OPENINGS = ("", "", "", "a photo of ", "a photo of ", "photo of ", "a picture of ", "picture of ",
            "photos of ", "an image of ", "pictures of ")  # fmt: skip


@dataclass(frozen=True)
class Caption:
    """A caption and the facts it claims; it is true of a picture that has all of them."""

    text: str
    claims: tuple[str, ...]


def list_facts(truth: PictureTruth) -> set[str]:
    """Return all facts of a picture."""
    facts = {f"scene:{truth.scene}", f"time:{truth.time}"}
    facts |= {f"place:{place}" for place, scenes in LOOSE_PLACES.items() if truth.scene in scenes}
    for thing in truth.things:
        facts |= {f"thing:{thing['kind']}", f"thing:{thing['colour']} {thing['kind']}"}
    heads = len(truth.people)
    facts |= {"people:0"} if heads == 0 else {"people:1+"}
    facts |= {"people:2+"} if heads > 1 else set()
    return facts | ({"people:2"} if heads == 2 else set())


def list_album_facts(truth: dict) -> list[set[str]]:
    """Return the facts of each photo of an album, given its ground truth."""
    return [
        list_facts(PictureTruth(p["scene"], p["time_of_day"], p["things"], p["people"]))
        for p in truth["photos"]
    ]


def match_captions(captions: Sequence[Caption], facts: Sequence[set[str]]) -> np.ndarray:
    """Return which captions are true of which pictures: bool, (len(captions), len(facts))."""
    index = {fact: i for i, fact in enumerate(sorted({c for caption in captions for c in caption.claims}))}
    claimed = np.zeros((len(captions), len(index)), dtype=np.float32)
    present = np.zeros((len(facts), len(index)), dtype=np.float32)
    for row, caption in enumerate(captions):
        claimed[row, [index[claim] for claim in caption.claims]] = 1
    for row, picture_facts in enumerate(facts):
        present[row, [index[fact] for fact in picture_facts if fact in index]] = 1
    return claimed @ present.T >= claimed.sum(axis=1, keepdims=True) - 0.5


def add_article(noun: str) -> str:
    """Put "a" or "an" before a noun."""
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def make_truth_caption(truth: PictureTruth) -> str:
    """Make the caption of the ground truth: people, things, scene and time of day."""
    parts = [add_article(f"{t['colour']} {t['kind']}") for t in truth.things]
    heads = len(truth.people)
    if heads:
        parts.insert(0, ("a person", "two people", "a group of people")[min(heads, 3) - 1])
    place = SCENE_PLACES[truth.scene][0] if parts else SCENE_NOUNS[truth.scene][0]
    return " ".join([" and ".join(parts), place, TIME_WORDS[truth.time][0]]).strip()


def make_thing_phrase(rng: Rng, kind: str, colour: str | None) -> str:
    """Make a random phrase for a thing, with an article or in the plural."""
    words = [pick_option(rng, THING_WORDS[kind])]
    if colour:
        words.insert(0, pick_option(rng, COLOUR_WORDS.get(colour, (colour,))))
    phrase = " ".join(words)
    way = rng.random()
    if way < 0.72 or kind == "suitcase":
        return add_article(phrase)
    return phrase if way < 0.86 else f"the {phrase}" if way < 0.92 else f"{phrase}s"


def _make_people_phrase(rng: Rng, heads: int) -> tuple[str, str]:
    if heads == 2 and rng.random() < 0.4:
        return pick_option(rng, TWO_PEOPLE), "people:2"
    if heads > 1 and rng.random() < 0.5:
        return pick_option(rng, MANY_PEOPLE), "people:2+"
    return pick_option(rng, ONE_PERSON), "people:1+"


def make_random_caption(rng: Rng, truth: PictureTruth) -> Caption:
    """Make a true caption of a picture, about random parts of it and with random synonyms."""
    subjects: list[str] = []
    claims: list[str] = []
    things = list(truth.things)
    names_thing = things and rng.random() < 0.72
    if truth.people and rng.random() < (0.35 if names_thing else 0.62):
        phrase, claim = _make_people_phrase(rng, len(truth.people))
        subjects.append(phrase)
        claims.append(claim)
    if names_thing:
        rng.shuffle(things)
        for thing in things[: 2 if rng.random() < 0.3 else 1]:
            colour = thing["colour"] if rng.random() < 0.6 else None
            subjects.append(make_thing_phrase(rng, thing["kind"], colour))
            claims.append(f"thing:{colour} {thing['kind']}" if colour else f"thing:{thing['kind']}")
    if rng.random() < 0.5:
        subjects.reverse()
    names_scene, names_time = rng.random() < (0.6 if subjects else 0.93), rng.random() < 0.36
    if not subjects and not names_scene:
        return Caption(
            pick_option(rng, OPENINGS) + pick_option(rng, TIME_NOUNS[truth.time]), (f"time:{truth.time}",)
        )
    text = pick_option(rng, (" and ", " and ", " with ", " next to ", " near ")).join(subjects)
    if names_scene:
        phrase, claim = _make_scene_phrase(rng, truth.scene, bool(subjects))
        text, claims = f"{text} {phrase}".strip(), [*claims, claim]
    if names_time:
        text, claims = f"{text} {pick_option(rng, TIME_WORDS[truth.time])}", [*claims, f"time:{truth.time}"]
    if not subjects and text.split()[0] in ("on", "in", "at", "by", "near", "among"):
        return Caption(text, tuple(claims))  # a fragment, as remains of a sentence without its names
    return Caption(pick_option(rng, OPENINGS) + text, tuple(claims))


def make_pointed_caption(rng: Rng, truth: PictureTruth) -> Caption:
    """Make a caption of one thing, often with its colour or scene; without things, a random caption."""
    if not truth.things:
        return make_random_caption(rng, truth)
    thing = pick_option(rng, truth.things)
    colour = thing["colour"] if rng.random() < 0.75 else None
    text = make_thing_phrase(rng, thing["kind"], colour)
    claims = [f"thing:{colour} {thing['kind']}" if colour else f"thing:{thing['kind']}"]
    if rng.random() < (0.4 if colour else 0.8):
        phrase, claim = _make_scene_phrase(rng, truth.scene, True)
        text, claims = f"{text} {phrase}", [*claims, claim]
    return Caption(pick_option(rng, OPENINGS) + text, tuple(claims))


def make_near_miss(rng: Rng, truth: PictureTruth) -> PictureTruth:
    """Make a ground truth that differs in one detail: a thing's colour or kind, the scene or the time."""
    way = rng.random()
    if truth.things and way < 0.75:
        thing = pick_option(rng, truth.things)
        colours = THINGS[thing["kind"]].colours
        # a thing in the colour of another thing in the picture: the hardest error for the model
        swapped = [other["colour"] for other in truth.things if other["colour"] in colours]
        if way < 0.3 and len(truth.things) > 1 and swapped:
            return replace(truth, things=[{**thing, "colour": pick_option(rng, swapped)}])
        if way < 0.45:
            return replace(truth, things=[{**thing, "colour": pick_option(rng, colours)}])
        others = [kind for kind in THINGS if thing["colour"] in THINGS[kind].colours]
        return replace(truth, things=[{**thing, "kind": pick_option(rng, others)}])
    if way < 0.92:
        return replace(truth, scene=pick_option(rng, list(SCENE_NOUNS)))
    return replace(truth, time=pick_option(rng, list(TIME_WORDS)))


def _make_scene_phrase(rng: Rng, scene: str, has_subject: bool) -> tuple[str, str]:
    loose = [place for place, scenes in LOOSE_PLACES.items() if scene in scenes]
    if has_subject and loose and rng.random() < 0.07:
        place = pick_option(rng, loose)
        return place, f"place:{place}"
    if has_subject or rng.random() < 0.25:
        return pick_option(rng, SCENE_PLACES[scene]), f"scene:{scene}"
    noun = pick_option(rng, SCENE_NOUNS[scene])
    if rng.random() < 0.15:
        noun = noun.removeprefix("a ").removeprefix("an ").removeprefix("the ")
    return noun, f"scene:{scene}"


_SYLLABLES = ("ba", "ko", "mi", "ra", "tu", "el", "no", "sha", "vi", "gra", "zo", "ph", "qu", "ter", "ix",
              "we", "lo", "man", "dri", "ow", "ju", "ck", "ny", "fe", "ssa", "urn")  # fmt: skip


def make_nonsense_word(rng: Rng) -> str:
    """Make up a word. In training captions it teaches the model to ignore unknown words."""
    if rng.random() < 0.3:
        return "".join(chr(97 + int(v)) for v in rng.integers(0, 26, int(rng.integers(3, 9))))
    return "".join(pick_option(rng, _SYLLABLES) for _ in range(int(rng.integers(2, 5))))
