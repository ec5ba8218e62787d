"""Identities of the drawn people: the named cast, strangers and look-alikes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from imagesearch_demo.drawing.canvas import Colour, mix
from imagesearch_demo.drawing.randomness import Rng, pick_option

SKINS: tuple[Colour, ...] = (
    (255, 226, 204), (248, 208, 178), (238, 190, 152), (222, 168, 124), (196, 140, 98), (164, 108, 72),
    (128, 82, 56), (94, 60, 44),
)  # fmt: skip
HAIRS: tuple[Colour, ...] = (
    (30, 26, 30), (62, 42, 34), (104, 66, 42), (146, 92, 50), (196, 146, 80), (236, 204, 130), (176, 74, 38),
    (170, 168, 172), (232, 230, 228),
)  # fmt: skip
SCARVES: tuple[Colour, ...] = (
    (36, 128, 132),
    (168, 60, 96),
    (92, 78, 160),
    (214, 152, 60),
    (70, 96, 62),
    (196, 180, 168),
)
IRISES: tuple[Colour, ...] = ((70, 44, 30), (110, 72, 38), (66, 116, 84), (62, 118, 176), (104, 116, 126))
FRAMES: tuple[Colour, ...] = ((34, 34, 40), (122, 72, 44), (176, 40, 52), (44, 84, 150), (204, 170, 92))

STYLES = ("bald", "buzz", "side", "quiff", "spiky", "afro", "curls", "bob", "long", "wavy", "bun", "ponytail",
          "pigtails", "scarf", "turban")  # fmt: skip
GLASSES = ("none", "none", "none", "round", "square", "half")
BEARDS = ("none", "none", "none", "full", "moustache", "goatee", "stubble")
FRINGES = ("straight", "swept", "parted", "none")


@dataclass(frozen=True)
class Identity:
    """The features that are the same in every picture of a person, in units of half the head's height.

    Attributes
    ----------
    skin, hair_colour, iris, frame : tuple of int
        RGB; for scarves and turbans, `hair_colour` is the colour of the cloth.
    width, jaw, chin : float
        Half the width of the head, its narrowing at the jaw, and the pointedness of the chin.
    style, fringe, glasses, beard : str
        One of `STYLES`, `FRINGES`, `GLASSES` and `BEARDS`.
    eye_gap, eye_size, eye_height, eye_slant : float
        Half the distance between the eyes, their radius, height above the middle, and slant.
    brow, brow_tilt : float
        Thickness and tilt of the eyebrows.
    nose_width, nose_length, mouth_width, lip, ear, freckles, cheeks, volume : float
        Sizes; 0 to 1 for `freckles` and `cheeks`.
    """

    skin: Colour
    width: float
    jaw: float
    chin: float
    style: str
    hair_colour: Colour
    fringe: str
    volume: float
    iris: Colour
    eye_gap: float
    eye_size: float
    eye_height: float
    eye_slant: float
    brow: float
    brow_tilt: float
    nose_width: float
    nose_length: float
    mouth_width: float
    lip: float
    ear: float
    glasses: str
    frame: Colour
    beard: str
    freckles: float
    cheeks: float


@dataclass(frozen=True)
class CastMember:
    """A person of an album: name, identity, and `weight`, the relative frequency in photos."""

    name: str
    identity: Identity
    weight: float = 1.0


# The range of each continuous trait: (minimum, maximum).
_TRAIT_RANGES: dict[str, tuple[float, float]] = {
    "width": (0.70, 0.90), "jaw": (0.05, 0.36), "chin": (0.0, 0.5), "volume": (0.0, 1.0),
        "eye_gap": (0.29, 0.39),
    "eye_size": (0.105, 0.165), "eye_height": (0.0, 0.12), "eye_slant": (-0.25, 0.35), "brow": (0.03, 0.085),
    "brow_tilt": (-0.3, 0.3), "nose_width": (0.07, 0.16), "nose_length": (0.16, 0.30),
    "mouth_width": (0.20, 0.36), "lip": (0.0, 1.0), "ear": (0.11, 0.19), "freckles": (0.0, 1.0),
    "cheeks": (0.2, 1.0),
}  # fmt: skip


def _choose_colour_near(rng: Rng, palette: tuple[Colour, ...]) -> Colour:
    """Choose a colour near those of a palette, so that exact tones do not identify a person."""
    base = mix(pick_option(rng, palette), pick_option(rng, palette), rng.uniform(0, 0.3))
    return tuple(int(v) for v in np.clip(np.array(base) + rng.normal(0, 5, 3), 0, 255))


def choose_identity(rng: Rng) -> Identity:
    """Choose a random identity; freckles, glasses and beards are rare."""
    traits = {name: float(rng.uniform(lo, hi)) for name, (lo, hi) in _TRAIT_RANGES.items()}
    traits["freckles"] = max(0.0, traits["freckles"] * 2.4 - 1.4)
    style = pick_option(rng, STYLES)
    covered = style in ("scarf", "turban")
    bearded = style not in ("scarf", "pigtails", "bob", "bun", "ponytail", "wavy")
    return Identity(
        skin=_choose_colour_near(rng, SKINS),
        style=style,
        hair_colour=_choose_colour_near(rng, SCARVES if covered else HAIRS),
        fringe=pick_option(rng, FRINGES),
        iris=pick_option(rng, IRISES),
        glasses=pick_option(rng, GLASSES),
        frame=pick_option(rng, FRAMES),
        beard=pick_option(rng, BEARDS) if bearded else "none",
        **traits,
    )


def make_strangers(count: int, seed: int) -> list[CastMember]:
    """Make random people named P01, P02, ..., who are unseen in training.

    Parameters
    ----------
    count : int
        Number of people.
    seed : int
        Seeds below 1,000,000 are free for albums and tests; training uses another stream of seeds.
    """
    rng = np.random.default_rng([seed, 0x0A1B])
    return [CastMember(f"P{i + 1:02d}", choose_identity(rng)) for i in range(count)]


def make_sibling(identity: Identity, seed: int, closeness: float = 0.8) -> Identity:
    """Make an identity similar to another one: the same hair, and slightly different features.

    Parameters
    ----------
    identity : Identity
        The identity to resemble.
    seed : int
        Another seed makes another sibling.
    closeness : float
        1.0 makes a twin; 0.0 keeps only the style and the colours.

    Returns
    -------
    Identity
    """
    rng = np.random.default_rng([seed, 0x51B])
    changes: dict[str, float | str | Colour] = {}
    for name, (lo, hi) in _TRAIT_RANGES.items():
        value, other = getattr(identity, name), rng.uniform(lo, hi)
        changes[name] = float(np.clip(value + (other - value) * (1 - closeness), 0, 1))
    noise = rng.normal(0, 12 * (1 - closeness), 3)
    changes["skin"] = tuple(int(v) for v in np.clip(np.array(identity.skin) + noise, 0, 255))
    return replace(identity, **changes)


def _make_cast_member(name: str, weight: float, **traits) -> CastMember:
    middle = {key: (lo + hi) / 2 for key, (lo, hi) in _TRAIT_RANGES.items()} | {"freckles": 0.0}
    plain = {"fringe": "none", "iris": IRISES[0], "glasses": "none", "frame": FRAMES[0], "beard": "none"}
    return CastMember(name, Identity(**(middle | plain | traits)), weight)


# The eight people of the demo. Each differs from the others in several traits; two are rarely photographed.
CAST: tuple[CastMember, ...] = (
    _make_cast_member(
        "Maya",
        5.0,
        skin=SKINS[4],
        width=0.76,
        jaw=0.26,
        chin=0.3,
        style="wavy",
        hair_colour=HAIRS[0],
        fringe="parted",
        volume=0.7,
        eye_size=0.155,
        eye_slant=0.25,
        lip=0.95,
        nose_width=0.09,
        brow=0.045,
    ),
    _make_cast_member(
        "Kofi",
        4.0,
        skin=SKINS[7],
        width=0.84,
        jaw=0.10,
        chin=0.1,
        style="buzz",
        hair_colour=HAIRS[0],
        beard="full",
        eye_size=0.125,
        brow=0.075,
        nose_width=0.15,
        mouth_width=0.33,
        lip=0.6,
    ),
    _make_cast_member(
        "Zoë",
        4.0,
        skin=SKINS[0],
        width=0.78,
        jaw=0.24,
        chin=0.35,
        style="bob",
        hair_colour=HAIRS[6],
        fringe="straight",
        volume=0.6,
        iris=IRISES[2],
        freckles=1.0,
        eye_size=0.15,
        nose_length=0.18,
        brow=0.04,
    ),
    _make_cast_member(
        "Kim",
        3.0,
        skin=SKINS[2],
        width=0.86,
        jaw=0.14,
        chin=0.05,
        style="spiky",
        hair_colour=HAIRS[0],
        volume=0.6,
        glasses="round",
        frame=FRAMES[2],
        eye_size=0.115,
        eye_slant=0.35,
        nose_width=0.11,
        mouth_width=0.25,
    ),
    _make_cast_member(
        "Noor",
        3.0,
        skin=SKINS[2],
        width=0.74,
        jaw=0.22,
        chin=0.25,
        style="scarf",
        hair_colour=SCARVES[0],
        iris=IRISES[2],
        eye_size=0.13,
        eye_slant=-0.15,
        lip=0.4,
        brow=0.07,
        brow_tilt=-0.25,
        nose_width=0.12,
        mouth_width=0.33,
    ),
    _make_cast_member(
        "Lars",
        2.0,
        skin=SKINS[1],
        width=0.80,
        jaw=0.06,
        chin=0.0,
        style="quiff",
        hair_colour=HAIRS[5],
        volume=0.7,
        iris=IRISES[3],
        beard="moustache",
        nose_length=0.29,
        nose_width=0.14,
        brow=0.06,
        brow_tilt=0.25,
    ),
    _make_cast_member(
        "Ana",
        0.0,
        skin=SKINS[3],
        width=0.88,
        jaw=0.16,
        chin=0.0,
        style="bun",
        hair_colour=HAIRS[8],
        volume=0.7,
        glasses="half",
        frame=FRAMES[3],
        eye_size=0.11,
        cheeks=1.0,
        lip=0.3,
        mouth_width=0.27,
    ),
    _make_cast_member(
        "Tariq",
        0.0,
        skin=SKINS[5],
        width=0.73,
        jaw=0.30,
        chin=0.4,
        style="afro",
        hair_colour=HAIRS[1],
        volume=0.5,
        beard="goatee",
        glasses="square",
        frame=FRAMES[0],
        nose_length=0.27,
        eye_gap=0.31,
    ),
)
