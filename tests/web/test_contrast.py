"""The contrast of texts and controls with their background, computed from the stylesheets."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT

STATIC = ROOT / "src/imagesearch/web/static"
TEXT, CONTROL = 4.5, 3.0  # ratios of WCAG 2.1 AA: for text, and for what identifies a control
PLACES = ("background", "surface", "raised")
PAIRS = {
    **{(text, place): TEXT for text in ("text", "muted", "accent", "danger", "warning") for place in PLACES},
    **{("text", soft): TEXT for soft in ("accent-soft", "warning-soft")},
    ("muted", "accent-soft"): TEXT,  # the kind of a condition, on its chip
    ("on-accent", "accent"): TEXT,
    ("accent", "accent-soft"): TEXT,
    ("warning", "warning-soft"): TEXT,
}
"""The colours that stand on each other, by their names in ``style.css``."""

Colour = tuple[float, float, float]


def read_colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-fA-F]{3,8})\s*[;}]", css))


def read_schemes() -> dict[str, dict[str, str]]:
    """Return the colours of both schemes; the dark one inherits those that it does not change."""
    css = (STATIC / "style.css").read_text("utf-8")
    light, _, dark = css.partition("@media (prefers-color-scheme: dark)")
    light_colours = read_colours(light)
    return {"light": light_colours, "dark": light_colours | read_colours(dark.partition("\nbody")[0])}


def parse_colour(text: str) -> Colour:
    digits = text.lstrip("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    assert len(digits) == 6, f"{text}: a colour of a text must not be transparent"
    red, green, blue = (int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4))
    return red, green, blue


def measure_luminance(colour: Colour) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def measure_contrast(first: str, second: str) -> float:
    brighter, darker = sorted((measure_luminance(parse_colour(c)) for c in (first, second)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def list_rules() -> list[tuple[str, str, dict[str, str]]]:
    """Return the file, selector and declarations of each rule of all stylesheets."""
    rules = []
    for file in sorted(STATIC.glob("*.css")):
        css = re.sub(r"/\*.*?\*/", "", file.read_text("utf-8"), flags=re.S)
        for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
            pairs = (line.partition(":") for line in body.split(";") if ":" in line)
            rules.append(
                (
                    file.name,
                    " ".join(selector.split()),
                    {name.strip(): value.strip() for name, _, value in pairs},
                )
            )
    return rules


def find_variable(value: str) -> str:
    found = re.fullmatch(r"var\(--([\w-]+)\)", value)
    return found[1] if found else ""


def test_the_formula_is_that_of_the_standard() -> None:
    assert measure_contrast("#000", "#fff") == pytest.approx(21)
    assert measure_contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_that_stand_on_each_other(scheme: str) -> None:
    colours = read_schemes()[scheme]
    low = {
        pair: round(ratio, 2)
        for pair, least in PAIRS.items()
        if (ratio := measure_contrast(*(colours[name] for name in pair))) < least
    }
    assert low == {}
    for place in PLACES:  # the ring around what has the focus
        assert measure_contrast(colours["accent"], colours[place]) >= CONTROL, place


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_rules_that_set_both_colours(scheme: str) -> None:
    """Also pairs that only one rule has, in any stylesheet."""
    colours, low, count = read_schemes()[scheme], {}, 0
    for file, selector, rule in list_rules():
        text = find_variable(rule.get("color", ""))
        place = find_variable(rule.get("background", rule.get("background-color", "")))
        if text in colours and place in colours:
            count += 1
            if (ratio := measure_contrast(colours[text], colours[place])) < TEXT:
                low[f"{file} {selector}"] = (text, place, round(ratio, 2))
    assert count > 10
    assert low == {}


OWN_PAIRS = {
    "docs.css": [(text, place) for text in ("ink", "dim", "accent") for place in ("paper", "card")],
    "login.html": [("ink", "paper"), ("ink", "card"), ("dim", "card"), ("alarm", "card"), ("card", "ink")],
    "atlas.css": [("cluster-text", "cluster"), ("map-name", "map-land"), ("map-name", "map-water")],
}
"""Pairs of the files that have colours of their own."""


@pytest.mark.parametrize("file", OWN_PAIRS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_with_colours_of_their_own(file: str, scheme: str) -> None:
    light, _, rest = (STATIC / file).read_text("utf-8").partition("@media (prefers-color-scheme: dark)")
    colours = read_colours(light)
    if scheme == "dark":
        colours |= read_colours(re.split(r"\}\s*\}", rest, maxsplit=1)[0])
    low = [
        (pair, round(ratio, 2))
        for pair in OWN_PAIRS[file]
        if (ratio := measure_contrast(*(colours[name] for name in pair))) < TEXT
    ]
    assert low == []


def test_the_viewer_is_dark_in_both_schemes() -> None:
    rules = [(selector, rule) for file, selector, rule in list_rules() if file == "photo.css"]
    (ground,) = (
        rule["background"] for selector, rule in rules if selector == ".viewer" and "background" in rule
    )
    button = next(
        rule["background"] for selector, rule in rules if selector == ".viewer-link" and "background" in rule
    )
    for place, names in (
        (ground, ".viewer .empty-note|.viewer-link, .viewer-note"),
        (button, ".viewer-link, .viewer-note|.viewer-link .key"),
    ):
        for name in names.split("|"):
            (text,) = (rule["color"] for selector, rule in rules if selector == name and "color" in rule)
            assert measure_contrast(text, place) >= TEXT, name


def test_texts_have_colours_of_the_schemes() -> None:
    """A colour that is written in a rule is the same in both schemes, and cannot fit both."""
    names = set(read_schemes()["light"])
    own = {name for _, _, rule in list_rules() for name in rule if name.startswith("--")}
    wrong = []
    for file, selector, rule in list_rules():
        value = rule.get("color", "inherit")
        variable = find_variable(value)
        is_on_photo = re.search(r"tile|viewer|face|map|pin|mark", selector)
        if variable and variable not in names | {name[2:] for name in own}:
            wrong.append((file, selector, value))
        if value.startswith(("#", "rgb")) and not is_on_photo:
            wrong.append((file, selector, value))
    assert wrong == []
