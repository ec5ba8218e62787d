"""Text queries about what an album shows and does not show, with the facts of relevant photos."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from imagesearch_demo.album import (
    ABSENT_KINDS,
    SCENE_NOUNS,
    SCENE_PLACES,
    THING_WORDS,
    TIME_WORDS,
    add_article,
    list_album_facts,
)
from imagesearch_demo.drawing import THINGS, Rng, can_show, pick_option
from imagesearch_demo.scoring.time_phrases import CLOCK_HOURS

OPENINGS = ("", "", "a photo of ", "a picture of ")
# Things that the demo's CLIP has never seen, neither in a picture nor in a caption.
UNKNOWN_THINGS = (
    "elephant", "submarine", "piano", "helicopter", "washing machine", "penguin", "volcano", "violin",
    "dinosaur", "tractor", "skateboard", "microscope", "giraffe", "rocket", "laptop", "pizza", "zebra",
    "castle", "statue", "waterfall", "motorbike", "bridge", "shark", "typewriter", "tennis racket", "train",
    "airplane", "horse", "swimming pool", "fire engine", "spider", "windmill", "bottle of wine", "telephone",
    "crocodile", "trumpet", "hammer", "toothbrush", "sandwich", "robot",
)  # fmt: skip
NOT_LEARNED = "a name that was not learned"
# Not included in totals: the demo's CLIP is trained to ignore unknown words.
UNKNOWN_IN_SCENE = "unknown thing in a scene"


@dataclass(frozen=True)
class PresenceQuery:
    """A text query, the facts that it claims, and whether a photo has all of them.

    Attributes
    ----------
    kind
        The kind of query, for example "thing", "scene at an hour" or "kind never drawn".
    text
        The text of the query.
    claims
        The facts of a relevant photo.
    is_present
        Whether the album has a relevant photo.
    without
        Photos with any of these facts are left out of the album.
    """

    kind: str
    text: str
    claims: frozenset[str]
    is_present: bool
    without: frozenset[str] = frozenset()


Draft = tuple[str, Sequence[str], Sequence[str]] | None
"""The text, claims and ``without`` facts of a query; None if the random choice is impossible."""


def name_thing(rng: Rng, kind: str, colour: str = "") -> str:
    """Return a random word for a thing, with its colour and an article."""
    return add_article(f"{colour} {pick_option(rng, THING_WORDS[kind])}".strip())


def _list_present_makers(rng: Rng, truth: dict) -> dict[str, Callable[[], Draft]]:
    """Return functions, by kind of query, that make queries about what a photo shows."""

    def pick_photo(needs: str = "scene") -> dict:
        return pick_option(rng, [p for p in truth["photos"] if p[needs]])

    def make_thing() -> Draft:
        kind = pick_option(rng, pick_photo("things")["things"])["kind"]
        return name_thing(rng, kind), [f"thing:{kind}"], ()

    def make_coloured_thing() -> Draft:
        item = pick_option(rng, pick_photo("things")["things"])
        claim = f"thing:{item['colour']} {item['kind']}"
        return name_thing(rng, item["kind"], item["colour"]), [claim], ()

    def make_thing_in_scene() -> Draft:
        photo = pick_photo("things")
        kind, scene = pick_option(rng, photo["things"])["kind"], photo["scene"]
        text = f"{name_thing(rng, kind)} {pick_option(rng, SCENE_PLACES[scene])}"
        return text, [f"thing:{kind}", f"scene:{scene}"], ()

    def make_scene() -> Draft:
        name = pick_photo()["scene"]
        return pick_option(rng, SCENE_NOUNS[name]), [f"scene:{name}"], ()

    def make_scene_at_hour() -> Draft:
        photo = pick_photo()
        lights = [words for words in TIME_WORDS[photo["time_of_day"]] if words not in CLOCK_HOURS]
        text = f"{pick_option(rng, SCENE_NOUNS[photo['scene']])} {pick_option(rng, lights)}"
        return text, [f"scene:{photo['scene']}", f"time:{photo['time_of_day']}"], ()

    def make_person_in_scene() -> Draft:
        name = pick_photo("people")["scene"]
        return f"a person {pick_option(rng, SCENE_PLACES[name])}", ["people:1+", f"scene:{name}"], ()

    of_things = {
        "thing": make_thing,
        "coloured thing": make_coloured_thing,
        "thing in a scene": make_thing_in_scene,
    }
    makers = of_things if any(p["things"] for p in truth["photos"]) else {}
    makers |= {"scene": make_scene, "scene at an hour": make_scene_at_hour}
    of_people = {"person in a scene": make_person_in_scene}
    return makers | (of_people if any(p["people"] for p in truth["photos"]) else {})


def _list_absent_makers(rng: Rng, kinds: list[str]) -> dict[str, Callable[[], Draft]]:
    """Return functions, by kind of query, that make queries about what may be absent.

    `kinds` are the kinds of things in the album.
    """
    scenes = list(SCENE_PLACES)

    def make_undrawn_thing() -> Draft:
        kind, scene = pick_option(rng, ABSENT_KINDS), pick_option(rng, scenes)
        colour = pick_option(rng, ("", pick_option(rng, THINGS[kind].colours)))
        place = pick_option(rng, ("", f" {pick_option(rng, SCENE_PLACES[scene])}"))
        return f"{name_thing(rng, kind, colour)}{place}", [f"thing:{kind}"], ()

    def make_unknown_thing() -> Draft:
        return add_article(pick_option(rng, UNKNOWN_THINGS)), [NOT_LEARNED], ()

    def make_unknown_thing_in_scene() -> Draft:
        text = add_article(pick_option(rng, UNKNOWN_THINGS))
        return f"{text} {pick_option(rng, SCENE_PLACES[pick_option(rng, scenes)])}", [NOT_LEARNED], ()

    def make_other_colour() -> Draft:
        kind = pick_option(rng, kinds)
        colour = pick_option(rng, THINGS[kind].colours)
        return name_thing(rng, kind, colour), [f"thing:{colour} {kind}"], ()

    def make_other_scene() -> Draft:
        kind, scene = pick_option(rng, kinds), pick_option(rng, scenes)
        text = f"{name_thing(rng, kind)} {pick_option(rng, SCENE_PLACES[scene])}"
        return (text, [f"thing:{kind}", f"scene:{scene}"], ()) if can_show(kind, scene) else None

    def make_scene_left_out() -> Draft:
        claim = f"scene:{(scene := pick_option(rng, scenes))}"
        return pick_option(rng, SCENE_NOUNS[scene]), [claim], [claim]

    def make_thing_left_out() -> Draft:
        claim = f"thing:{(kind := pick_option(rng, kinds))}"
        return name_thing(rng, kind), [claim], [claim]

    makers = {"kind never drawn": make_undrawn_thing, "unknown thing": make_unknown_thing}
    if kinds:
        makers |= {
            "known thing, other colour": make_other_colour,
            "known thing, other scene": make_other_scene,
        }
    makers |= {"scene left out": make_scene_left_out}
    if kinds:
        makers |= {"thing left out": make_thing_left_out}
    return makers | {UNKNOWN_IN_SCENE: make_unknown_thing_in_scene}


def make_presence_queries(rng: Rng, truth: dict, each: int) -> Iterator[PresenceQuery]:
    """Yield different queries, at most `each` of each kind."""
    facts = list_album_facts(truth)
    kinds = sorted({thing["kind"] for photo in truth["photos"] for thing in photo["things"]})
    makers = {True: _list_present_makers(rng, truth), False: _list_absent_makers(rng, kinds)}
    for is_present, by_kind in makers.items():
        for kind, make_draft in by_kind.items():
            texts: set[str] = set()
            for attempt in range(400 * each):
                draft = make_draft()
                if len(texts) == each or (attempt >= 200 * each and not texts):
                    break
                if draft is None or draft[0] in texts:
                    continue
                query = PresenceQuery(kind, draft[0], frozenset(draft[1]), is_present, frozenset(draft[2]))
                if is_present == any(query.claims <= photo and not query.without & photo for photo in facts):
                    texts.add(query.text)
                    yield replace(query, text=f"{pick_option(rng, OPENINGS)}{query.text}")
