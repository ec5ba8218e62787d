"""The plan of an album: the journeys of a few friends, photo by photo, before anything is drawn."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from imagesearch_demo.album.places import PLACES, Place
from imagesearch_demo.drawing import TIMES, CastMember, PictureSpec, Rng, choose_framing, choose_things

ALBUM = 0xA1B0  # first word of every album's seed; training uses another one, so they share no picture
PER_JOURNEY = 8
HOURS = {"day": (9.0, 16.5), "sunset": (17.3, 19.4), "night": (20.6, 23.7)}
CAMERAS = (("Sketchbook", "Sketchbook One"), ("Sketchbook", "Sketchbook Two"), ("Crayon", "Crayon Pro 4"))


@dataclass(frozen=True)
class Shot:
    """A planned photo: what is drawn, and the metadata of its file.

    Attributes
    ----------
    spec : PictureSpec
        What is drawn.
    path : str
        Relative to the album's folder, with `/` as separator.
    place : Place
        Where it is taken.
    position : tuple of float or None
        Latitude and longitude for EXIF; None for a camera without GPS.
    taken_at : datetime
        Local time, in whole seconds.
    camera : tuple of str
        Make and model.
    orientation : int
        EXIF orientation of the stored pixels, 1 to 8.
    rating : int
        0 (none) to 5.
    """

    spec: PictureSpec
    path: str
    place: Place
    position: tuple[float, float] | None
    taken_at: datetime
    camera: tuple[str, str]
    orientation: int
    rating: int


def plan_album(photos: int, seed: int, people: Sequence[CastMember], kinds: Sequence[str]) -> list[Shot]:
    """Plan an album.

    Parameters
    ----------
    photos : int
        Number of photos.
    seed : int
        The same seed gives the same plan.
    people : sequence of CastMember
        The people who may be in it. The first one travels to Goa. A person of weight 0 is in two photos.
    kinds : sequence of str
        Kinds of things that may be in it.

    Returns
    -------
    list of Shot
        Journey by journey, each sorted by time.
    """
    rng = np.random.default_rng([ALBUM, seed])
    journeys = max(1, math.ceil(photos / PER_JOURNEY))
    order = [0, *(1 + rng.permutation(len(PLACES) - 1))]
    shots: list[Shot] = []
    for number in range(journeys):
        place = PLACES[order[number % len(order)]]
        count = min(PER_JOURNEY, photos - len(shots))
        scenes = _choose_scenes(rng, place, count, Counter(shot.spec.scene for shot in shots))
        shots += _plan_journey(
            rng, place, _choose_companions(rng, people, number == 0), scenes, tuple(kinds), number == 0
        )
    _add_rare_people(rng, shots, [p for p in people if p.weight == 0])
    for i in rng.permutation(len(shots))[: round(0.1 * len(shots))]:  # cameras without GPS
        shots[i] = replace(shots[i], position=None)
    return [replace(shot, path=shot.path.format(number + 1)) for number, shot in enumerate(shots)]


def _choose_scenes(rng: Rng, place: Place, count: int, seen: Counter) -> list[str]:
    """Choose the scenes of a journey; scenes that the album has few of so far are more likely."""
    seen = seen.copy()
    chosen = []
    for _ in range(count):
        options = sorted(set(place.scenes), key=lambda scene: (seen[scene], scene))
        chosen.append(options[0] if rng.random() < 0.5 else str(rng.choice(place.scenes)))
        seen[chosen[-1]] += 1
    return chosen


def _choose_companions(rng: Rng, people: Sequence[CastMember], first: bool) -> list[CastMember]:
    """Choose two to four people by their weights; the first person is always on the first journey."""
    usual = [p for p in people if p.weight > 0]
    if not usual:
        return []
    weights = np.array([p.weight for p in usual])
    count = min(len(usual), int(rng.integers(2, 5)))
    chosen = [usual[i] for i in rng.choice(len(usual), count, replace=False, p=weights / weights.sum())]
    if first:
        chosen = [usual[0], *(p for p in chosen if p is not usual[0])]
    return chosen


def _plan_journey(
    rng: Rng,
    place: Place,
    friends: list[CastMember],
    scenes: list[str],
    kinds: tuple[str, ...],
    first: bool,
) -> list[Shot]:
    start = datetime(2019, 1, 5) + timedelta(days=int(rng.integers(0, 365 * 6 + 300)))
    days = int(rng.integers(2, 5))
    camera = CAMERAS[rng.integers(len(CAMERAS))]
    shots = []
    for i, scene in enumerate(scenes):
        time = str(rng.choice(TIMES, p=(0.5, 0.27, 0.23)))
        if first and i < 4:  # the README searches for friends on the beach in Goa: these photos must exist
            scene, time = "beach", ("day", "sunset", "sunset", "night")[i]
        cast = friends[:1] if first and i < 2 else _choose_people(rng, friends)
        spec = _make_spec(rng, scene, time, cast, kinds)
        hour = float(rng.uniform(*HOURS[time]))
        taken = start + timedelta(days=int(rng.integers(days)), seconds=round(hour * 3600))
        shots.append(_make_shot(rng, spec, place, taken, camera))
    return sorted(shots, key=lambda shot: shot.taken_at)


def _choose_people(rng: Rng, friends: list[CastMember]) -> list[CastMember]:
    count = min(len(friends), int(rng.choice(5, p=(0.34, 0.32, 0.20, 0.10, 0.04))))
    return [friends[i] for i in rng.choice(len(friends), count, replace=False)]


def _make_spec(
    rng: Rng, scene: str, time: str, cast: list[CastMember], kinds: tuple[str, ...]
) -> PictureSpec:
    odds = {0: (0.10, 0.66, 0.24), 1: (0.25, 0.63, 0.12), 2: (0.40, 0.60, 0.0)}.get(
        len(cast), (0.7, 0.3, 0.0)
    )
    things = choose_things(rng, scene, int(rng.choice(3, p=odds)), kinds)
    framing = choose_framing(rng, len(cast), len(things))
    return PictureSpec(
        scene, time, things, tuple(cast), int(rng.integers(2**31)), framing, bool(rng.random() < 0.14)
    )


def _make_shot(rng: Rng, spec: PictureSpec, place: Place, taken: datetime, camera: tuple[str, str]) -> Shot:
    """Plan the file of a picture: its format, orientation and position."""
    ending = str(rng.choice(("jpg", "heic", "png"), p=(0.88, 0.07, 0.05)))
    if ending != "jpg":
        spec = replace(spec, upright=False)
        orientation = 1
    elif spec.upright:
        orientation = int(rng.choice((6, 8, 5, 7), p=(0.6, 0.3, 0.05, 0.05)))
    else:
        orientation = int(rng.choice((1, 3, 2, 4), p=(0.9, 0.06, 0.02, 0.02)))
    drift = rng.uniform(-0.002, 0.002, 2)
    position = (round(place.latitude + float(drift[0]), 6), round(place.longitude + float(drift[1]), 6))
    rating = int(rng.choice((0, 3, 4, 5), p=(0.7, 0.08, 0.12, 0.10)))
    path = f"{taken:%Y-%m} {place.name}/IMG_{{:04d}}.{ending}"
    return Shot(spec, path, place, position, taken, camera, orientation, rating)


def _add_rare_people(rng: Rng, shots: list[Shot], rare: list[CastMember]) -> None:
    """Put each rarely photographed person into two photos, in place of the only person there."""
    single = [i for i, shot in enumerate(shots) if len(shot.spec.people) == 1 and i >= PER_JOURNEY]
    places = rng.permutation(single)[: 2 * len(rare)]
    for i, person in zip(places, [p for p in rare for _ in range(2)], strict=False):
        shots[i] = replace(shots[i], spec=replace(shots[i].spec, people=(person,)))
