"""What is beside a photo: people, place, time, trip, camera, classes, file, and a small map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

import numpy as np
from nicegui import ui

from imagesearch.geo import MAP_ATTRIBUTION, find_map_shapes
from imagesearch.search import Neighbour, PhotoDetails
from imagesearch.text import is_numbered_label
from imagesearch.web.people_parts import CopyButton, PlaceMap
from imagesearch.web.photo_ids import format_photo_id

_SOURCES = {"exif": "from the camera", "xmp": "from a sidecar file", "name": "from the file's name"}
_MAP_WIDTH, _MAP_HEIGHT = 320.0, 200.0
_MIN_SPAN = 0.02  # degrees of latitude that a map shows at least
_MIN_PROBABILITY = 0.01
_MAX_CLASSES = 5


@dataclass(frozen=True)
class MapView:
    """A small map: the paths of its shapes by name, and its points in pixels."""

    shapes: dict[str, str]
    points: tuple[dict[str, object], ...]


def draw_panel(details: PhotoDetails, people: Sequence[tuple[str, int]]) -> None:
    """Draw what is known of a photo."""
    _draw_people(details, people)
    if details.description:
        ui.label(details.description).classes("photo-description").props('dir="auto"')
    with ui.element("dl").classes("facts"):
        _draw_time(details)
        if details.address or details.position:
            _draw_place(details)
        if details.trip:
            with _fact("Trip"):
                _link(details.trip, {"trip": details.trip})
        if details.camera:
            with _fact("Camera"):
                _link(details.camera, {"camera": details.camera})
        if details.keywords:
            with _fact("Keywords"):
                for keyword in details.keywords:
                    _link(keyword, {"keyword": keyword})
        for name, value in details.columns.items():
            with _fact(name):
                for text in (value,) if isinstance(value, str) else value:
                    _link(text, {"where": f"{name}={text}"})
        if details.rating > 0:
            with _fact("Rating"):
                ui.label("★" * details.rating).props["aria-label"] = f"{details.rating} stars"
        if details.classes:
            with _fact("Looks like"):
                _draw_classes(details.classes)
        with _fact("File"):
            ui.label(details.path).classes("photo-path").props('dir="auto"')
            size = f"{details.width} \N{MULTIPLICATION SIGN} {details.height}" if details.width else ""
            ui.label("the file no longer exists" if details.gone else size).classes("fact-note")
            CopyButton(str(details.file), "Copy path")


def draw_map(view: MapView | None) -> None:
    """Draw the map of a photo and its neighbours."""
    if view is not None:
        with ui.element("figure").classes("photo-map"):
            PlaceMap(view.shapes, (_MAP_WIDTH, _MAP_HEIGHT), view.points)
            ui.label(MAP_ATTRIBUTION).classes("map-credit")


def make_map(details: PhotoDetails, neighbours: Sequence[Neighbour]) -> MapView | None:
    """Return the map around a photo, in which its neighbours are; None if it has no position."""
    if details.position is None:
        return None
    latitude, longitude = details.position
    stretch = 1 / math.cos(math.radians(min(75.0, abs(latitude))))
    places = [(one.latitude - latitude, _wrap(one.longitude - longitude)) for one in neighbours]
    half = max([_MIN_SPAN / 2, *(1.15 * abs(north) for north, _ in places)])
    half = max([half, *(1.15 * abs(east) / stretch * _MAP_HEIGHT / _MAP_WIDTH for _, east in places)])
    scale = _MAP_HEIGHT / (2 * half)  # pixels of a degree of latitude
    half_width = half * _MAP_WIDTH / _MAP_HEIGHT * stretch
    found = find_map_shapes(
        (longitude - half_width, longitude + half_width),
        (max(-90.0, latitude - half), min(90.0, latitude + half)),
        0.4 / scale,
    )

    def project(lines: np.ndarray) -> np.ndarray:
        """Return longitudes and latitudes as pixels."""
        x = (lines[:, 0] - longitude) / stretch * scale + _MAP_WIDTH / 2
        return np.stack([x, (latitude - lines[:, 1]) * scale + _MAP_HEIGHT / 2], axis=1)

    shapes = {
        name: "".join(_write_path(project(line)) for line in getattr(found, name))
        for name in ("land", "water", "coasts", "borders")
    }
    points: list[dict[str, object]] = [
        {
            "x": round(east / stretch * scale + _MAP_WIDTH / 2, 1),
            "y": round(_MAP_HEIGHT / 2 - north * scale, 1),
            "href": f"/photos/{format_photo_id(one.photo_id)}",
            "label": f"{one.path}, {one.km:.1f} km away",
        }
        for one, (north, east) in zip(neighbours, places, strict=True)
    ]
    here = {"x": _MAP_WIDTH / 2, "y": _MAP_HEIGHT / 2, "href": "", "label": "this photo"}
    return MapView(shapes, (*reversed(points), here))


def _wrap(degrees: float) -> float:
    return (degrees + 180) % 360 - 180


def _write_path(line: np.ndarray) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line.tolist())


def _fact(title: str) -> ui.element:
    with ui.element("div").classes("fact"):
        with ui.element("dt"):
            ui.label(title)
        return ui.element("dd")


def _link(text: str, query: dict[str, str]) -> None:
    ui.link(text, f"/?{urlencode(query)}").classes("chip-link").props('dir="auto"')


def _draw_people(details: PhotoDetails, people: Sequence[tuple[str, int]]) -> None:
    if not people:
        return
    with ui.element("div").classes("photo-people"):
        for label, number in people:
            is_named = not is_numbered_label(label) or not number
            with ui.element("span").classes("photo-person"):
                _link(label, {"person": label} if is_named else {"q": label})
                if number:
                    faces = ui.link("faces", f"/people/{number}").classes("quiet-link")
                    faces.props["aria-label"] = f"faces of {label}"


def _draw_time(details: PhotoDetails) -> None:
    if not details.taken_at:
        return
    with _fact("Time"):
        if details.time_precision in ("month", "year"):
            text = details.date
        elif details.time_precision == "day":
            text = date.fromisoformat(details.date).strftime("%A, %-d %B %Y")
        else:
            text = date.fromisoformat(details.date).strftime("%A, %-d %B %Y") + f", {details.taken_at[11:16]}"
        ui.label(text)
        ui.label(_SOURCES.get(details.time_source, details.time_source)).classes("fact-note")
        if len(details.date) == 10:
            next_day = date.fromisoformat(details.date) + timedelta(days=1)
            _link("this day", {"after": details.date, "before": next_day.isoformat(), "sort": "date"})


def _draw_place(details: PhotoDetails) -> None:
    with _fact("Place"):
        ui.label(details.address or "no address").props('dir="auto"')
        if place := details.city or details.country:
            _link(place, {"place": place})
        if details.position:
            latitude, longitude = details.position
            ui.label(f"{latitude:.5f}, {longitude:.5f}").classes("fact-note")
            _link("within 5 km", {"near": f"{latitude:.5f},{longitude:.5f}", "radius": "5"})


def _draw_classes(classes: Sequence[tuple[str, float]]) -> None:
    for label, probability in classes[:_MAX_CLASSES]:
        if probability < _MIN_PROBABILITY and label != classes[0][0]:
            continue
        with ui.element("div").classes("class-row"):
            _link(label.split(",")[0], {"q": label.split(",")[0]})
            bar = ui.element("span").classes("class-bar").props("aria-hidden=true")
            bar.style(f"--share: {probability:.3f}")
            ui.label(f"{probability:.0%}").classes("class-share")
