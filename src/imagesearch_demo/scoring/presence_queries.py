"""Sentences about what an album shows and about what it does not, with what photos would have to show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from imagesearch_demo.album import ABSENT, SCENE_NOUNS, SCENE_PLACES, THING_WORDS, TIME_WORDS
from imagesearch_demo.drawing import THINGS
from imagesearch_demo.drawing import can_show as may_be_in
from imagesearch_demo.scoring.model_scores import list_album_facts

LEADS = ("", "", "a photo of ", "a picture of ")
# Nothing that the demo's CLIP has seen a picture or a name of.
UNKNOWN = (
    "elephant", "submarine", "piano", "helicopter", "washing machine", "penguin", "volcano", "violin",
    "dinosaur", "tractor", "skateboard", "microscope", "giraffe", "rocket", "laptop", "pizza", "zebra",
    "castle", "statue", "waterfall", "motorbike", "bridge", "shark", "typewriter", "tennis racket", "train",
    "airplane", "horse", "swimming pool", "fire engine", "spider", "windmill", "bottle of wine", "telephone",
    "crocodile", "trumpet", "hammer", "toothbrush", "sandwich", "robot",
)  # fmt: skip
NOT_LEARNED = "a name that was not learned"
# Not counted among "all": the demo's CLIP was taught to pass over words that it does not know.
ASIDE = "unknown thing in a scene"


@dataclass(frozen=True)
class Sentence:
    """A sentence, and what it claims; photos that show what is in `without` are left out of the album."""

    kind: str
    text: str
    claims: frozenset[str]
    there: bool
    without: frozenset[str] = frozenset()


Made = tuple[str, Sequence[str], Sequence[str]] | None
Rng = np.random.Generator


def pick_phrase(rng: Rng, options: Sequence) -> Any:
    """Return one of some options."""
    return options[int(rng.integers(len(options)))]


def name_thing(rng: Rng, kind: str, colour: str = "") -> str:
    """Name a thing in one of its words, with an article."""
    words = f"{colour} {pick_phrase(rng, THING_WORDS[kind])}".strip()
    return ("an " if words[0] in "aeiou" else "a ") + words


def list_present_makers(rng: Rng, truth: dict) -> dict[str, Callable[[], Made]]:
    """What is there, as some photo shows it."""

    def photo(needs: str = "scene") -> dict:
        return pick_phrase(rng, [p for p in truth["photos"] if p[needs]])

    def thing() -> Made:
        kind = pick_phrase(rng, photo("things")["things"])["kind"]
        return name_thing(rng, kind), [f"thing:{kind}"], ()

    def coloured() -> Made:
        item = pick_phrase(rng, photo("things")["things"])
        claim = f"thing:{item['colour']} {item['kind']}"
        return name_thing(rng, item["kind"], item["colour"]), [claim], ()

    def placed() -> Made:
        shown = photo("things")
        kind, scene = pick_phrase(rng, shown["things"])["kind"], shown["scene"]
        text = f"{name_thing(rng, kind)} {pick_phrase(rng, SCENE_PLACES[scene])}"
        return text, [f"thing:{kind}", f"scene:{scene}"], ()

    def scene() -> Made:
        name = photo()["scene"]
        return pick_phrase(rng, SCENE_NOUNS[name]), [f"scene:{name}"], ()

    def hour() -> Made:
        shown = photo()
        scene, time = SCENE_NOUNS[shown["scene"]], TIME_WORDS[shown["time_of_day"]]
        text = f"{pick_phrase(rng, scene)} {pick_phrase(rng, time)}"
        return text, [f"scene:{shown['scene']}", f"time:{shown['time_of_day']}"], ()

    def person() -> Made:
        name = photo("people")["scene"]
        return f"a person {pick_phrase(rng, SCENE_PLACES[name])}", ["people:1+", f"scene:{name}"], ()

    of_things = {"thing": thing, "coloured thing": coloured, "thing in a scene": placed}
    makers = of_things if any(p["things"] for p in truth["photos"]) else {}
    makers |= {"scene": scene, "scene at an hour": hour}
    return makers | ({"person in a scene": person} if any(p["people"] for p in truth["photos"]) else {})


def list_absent_makers(rng: Rng, shown: list[str]) -> dict[str, Callable[[], Made]]:
    """What may not be there; `shown` are the kinds of things in the album."""
    scenes = list(SCENE_PLACES)

    def never() -> Made:
        kind, scene = pick_phrase(rng, ABSENT), pick_phrase(rng, scenes)
        colour = pick_phrase(rng, ("", pick_phrase(rng, THINGS[kind].colours)))
        place = pick_phrase(rng, ("", f" {pick_phrase(rng, SCENE_PLACES[scene])}"))
        return f"{name_thing(rng, kind, colour)}{place}", [f"thing:{kind}"], ()

    def unknown() -> Made:
        name = pick_phrase(rng, UNKNOWN)
        return ("an " if name[0] in "aeiou" else "a ") + name, [NOT_LEARNED], ()

    def aside() -> Made:
        text, claims, _ = unknown()
        return f"{text} {pick_phrase(rng, SCENE_PLACES[pick_phrase(rng, scenes)])}", claims, ()

    def colour() -> Made:
        kind = pick_phrase(rng, shown)
        paint = pick_phrase(rng, THINGS[kind].colours)
        return name_thing(rng, kind, paint), [f"thing:{paint} {kind}"], ()

    def place() -> Made:
        kind, scene = pick_phrase(rng, shown), pick_phrase(rng, scenes)
        text = f"{name_thing(rng, kind)} {pick_phrase(rng, SCENE_PLACES[scene])}"
        return (text, [f"thing:{kind}", f"scene:{scene}"], ()) if may_be_in(kind, scene) else None

    def no_scene() -> Made:
        claim = f"scene:{(scene := pick_phrase(rng, scenes))}"
        return pick_phrase(rng, SCENE_NOUNS[scene]), [claim], [claim]

    def no_thing() -> Made:
        claim = f"thing:{(kind := pick_phrase(rng, shown))}"
        return name_thing(rng, kind), [claim], [claim]

    elsewhere = {"known thing, other colour": colour, "known thing, other scene": place} if shown else {}
    makers = {"kind never drawn": never, "unknown thing": unknown, **elsewhere, "scene left out": no_scene}
    return makers | ({"thing left out": no_thing} if shown else {}) | {ASIDE: aside}


def make_sentences(rng: Rng, truth: dict, each: int) -> Iterator[Sentence]:
    """Yield so many sentences of each kind, different ones as far as there are so many."""
    held = list_album_facts(truth)
    shown = sorted({thing["kind"] for photo in truth["photos"] for thing in photo["things"]})
    for there, makers in ((True, list_present_makers(rng, truth)), (False, list_absent_makers(rng, shown))):
        for kind, make in makers.items():
            texts: set[str] = set()
            for attempt in range(400 * each):
                made = make()
                if len(texts) == each or (attempt >= 200 * each and not texts):
                    break
                if made is None or made[0] in texts:
                    continue
                sentence = Sentence(kind, made[0], frozenset(made[1]), there, frozenset(made[2]))
                if there == any(sentence.claims <= f and not sentence.without & f for f in held):
                    texts.add(sentence.text)
                    yield replace(sentence, text=f"{pick_phrase(rng, LEADS)}{sentence.text}")
