"""Place, time, camera and such as people write them (goa, june, 48.858,2.294), to conditions on fields."""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from imagesearch.errors import UserError
from imagesearch.filters import And, Between, Condition, Contains, Eq, In, Not, Or
from imagesearch.geo import compute_distances_km, make_bounding_boxes
from imagesearch.store import Vocabulary, VocabularyEntry, suggest_names
from imagesearch.text import normalize

_EPOCH = datetime(1970, 1, 1)
_DATE = re.compile(r"(\d{4})(?:-(\d\d?)(?:-(\d\d?)(?:[T ](\d\d?):(\d\d))?)?)?", re.ASCII)
_FIRST = (1, 1, 1, 0, 0)  # of a year, a month, a day, an hour: where a shorter date begins
_FARTHEST_KM = 20_038.0  # half around the Earth: everywhere


@dataclass(frozen=True)
class Circle:
    """The places within some kilometres of a position in degrees."""

    latitude: float
    longitude: float
    km: float

    @property
    def condition(self) -> Condition:
        """The box around it, which is what a database can look for; `contains` tells exactly."""
        boxes = tuple(
            And(
                (
                    Between("latitude", south, _next_float(north)),
                    Between("longitude", west, _next_float(east)),
                )
            )
            for south, north, west, east in make_bounding_boxes(self.latitude, self.longitude, self.km)
        )
        return And((Eq("has_gps", True), Or(boxes)))

    def contains(self, latitude: float, longitude: float) -> bool:
        """Whether a position in degrees lies in the circle, by the great-circle distance."""
        km = compute_distances_km(self.latitude, self.longitude, latitude, longitude)
        return float(km) <= self.km


@dataclass(frozen=True)
class Criteria:
    """What photos must fulfil, all of it; texts as people type them.

    Parameters
    ----------
    people, without
        Who is in the photo, all of them, and who is not.
    any_person
        One of ``people`` will do; without any, anybody whose face is in it.
    faces
        So many faces or more.
    places, cameras, keywords
        Names, whatever their case and accents. A place is a whole name: "goa" is not Goalpara. Of a camera
        the beginnings of its words do: "iphone" is any of them.
    near, radius
        ``"48.858,2.294"`` in degrees, and kilometres around it.
    after, before
        From the beginning of this date or time on, and up to the beginning of that one: ``"2023"``,
        ``"2023-06"``, ``"2023-06-01"``, ``"2023-06-01 18:30"``.
    years, months
        One of these; a month by its number or its English name, or the first three letters of it.
    has_gps
        A position is known.
    rating
        So many stars or more.
    """

    people: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    any_person: bool = False
    faces: int | None = None
    places: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    near: str = ""
    radius: float | None = None
    after: str = ""
    before: str = ""
    years: tuple[int, ...] = ()
    months: tuple[str, ...] = ()
    has_gps: bool = False
    rating: int | None = None

    @property
    def title(self) -> str:
        """The criteria in words."""
        months_and_years = " or ".join([*self.months, *map(str, self.years)])
        parts = [
            self._people_title,
            *(f"without {name}" for name in self.without),
            f"{self.faces}+ faces" if self.faces is not None else "",
            *(f"in {place}" for place in self.places),
            f"within {self.km:g} km of {self.near}" if self.near else "",
            f"in {months_and_years}" if months_and_years else "",
            f"since {self.after}" if self.after else "",
            f"before {self.before}" if self.before else "",
            *(f"by {camera}" for camera in self.cameras),
            *(f"#{keyword}" for keyword in self.keywords),
            f"{self.rating}+ stars" if self.rating is not None else "",
            "with a position" if self.has_gps else "",
        ]
        return ", ".join(filter(None, parts))

    @property
    def _people_title(self) -> str:
        if self.any_person:
            return " or ".join(self.people) or "anybody"
        return " and ".join(self.people)

    @property
    def km(self) -> float:
        """The radius, by default 5 km."""
        return 5.0 if self.radius is None else self.radius

    @property
    def circle(self) -> Circle | None:
        """Where the photos must be.

        Raises
        ------
        UserError
            If ``near`` is no position, or the radius none of a circle.
        """
        if not self.near:
            if self.radius is not None:
                raise UserError("--radius wants --near LATITUDE,LONGITUDE")
            return None
        if not 0 < self.km <= _FARTHEST_KM:
            raise UserError(f"--radius {self.radius}: kilometres from 0 to {_FARTHEST_KM:g} are wanted")
        try:
            latitude, longitude = map(float, self.near.split(","))
        except ValueError:
            raise UserError(f"--near {self.near}: LATITUDE,LONGITUDE in degrees: 48.858,2.294") from None
        if not (abs(latitude) <= 90 and abs(longitude) <= 180):
            raise UserError(f"--near {self.near}: latitudes end at 90, longitudes at 180 degrees")
        return Circle(latitude, longitude, self.km)

    def make_condition(self, vocabulary: Vocabulary) -> tuple[Condition, list[str]]:
        """Return what the fields of the photos must fulfil, and notes on names that are not known.

        Raises
        ------
        UserError
            If a date, month or position cannot be read.
        """
        notes: list[str] = []
        parts = self._make_people_conditions(vocabulary.people, notes)
        parts += [_make_place_condition(place, vocabulary.places, notes) for place in self.places]
        parts += [self.circle.condition] if self.circle else []
        parts += [_make_camera_condition(camera, vocabulary.cameras, notes) for camera in self.cameras]
        parts += [_make_keyword_condition(keyword, vocabulary.keywords, notes) for keyword in self.keywords]
        parts += self._make_time_conditions()
        parts += [Eq("has_gps", True)] if self.has_gps else []
        parts += [Between("rating", self.rating)] if self.rating is not None else []
        return And(tuple(parts)), notes

    def _make_people_conditions(
        self, entries: Mapping[str, VocabularyEntry], notes: list[str]
    ) -> list[Condition]:
        people = tuple(_make_person_condition(name, entries, notes) for name in self.people)
        without = [Not(_make_person_condition(name, entries, notes)) for name in self.without]
        parts: list[Condition] = [Or(people)] if people and self.any_person else [*people]
        min_faces = self.faces
        if min_faces is None and self.any_person and not people:
            min_faces = 1
        if min_faces is None and without:
            min_faces = 0  # -1 is a photo in which no faces were looked for: nobody knows who is in it
        faces = [] if min_faces is None else [Between("face_count", min_faces)]
        return [*parts, *without, *faces]

    def _make_time_conditions(self) -> list[Condition]:
        parts: list[Condition] = []
        if self.after or self.before:
            low, high = _parse_seconds("--after", self.after), _parse_seconds("--before", self.before)
            parts += [Eq("has_time", True), Between("taken_at", low, high)]
        parts += [Eq("has_time", True)] if self.years or self.months else []  # without one, both are 0
        parts += [In("year", tuple(map(_check_year, self.years)))] if self.years else []
        parts += [In("month", tuple(map(_parse_month, self.months)))] if self.months else []
        return parts


def _make_person_condition(name: str, entries: Mapping[str, VocabularyEntry], notes: list[str]) -> Condition:
    if normalize(name) in entries:
        return Contains("face_labels", entries[normalize(name)].name)
    if entries:
        similar = suggest_names(name, entries)
        hint = f"did you mean {' or '.join(similar)}?" if similar else "03_name_people.py lists who is known"
        notes.append(f"nobody is called {name.strip()!r}; {hint}")
    else:
        notes.append("nobody is known yet; have 02_cluster_faces.py and 05 been run?")
    return Contains("face_labels", "")


def _make_place_condition(text: str, entries: Mapping[str, VocabularyEntry], notes: list[str]) -> Condition:
    """One of the photo's place words; of "Goa, India", which is nobody's name, both."""
    names = [text] if normalize(text) in entries else [part for part in text.split(",") if part.strip()]
    if not names:
        raise UserError("--place: the name of a place is wanted")
    for name in names:
        _check_known("place", name, entries, notes)
    return And(tuple(Contains("place_words", normalize(name)) for name in names))


def _make_camera_condition(text: str, entries: Mapping[str, VocabularyEntry], notes: list[str]) -> Condition:
    prefixes = normalize(text).split()
    cameras = [
        camera
        for camera in entries
        if prefixes
        and all(any(word.startswith(prefix) for word in normalize(camera).split()) for prefix in prefixes)
    ]
    if not cameras:
        notes.append(_explain_unknown("camera", text, entries))
    return In("camera", tuple(cameras))


def _make_keyword_condition(text: str, entries: Mapping[str, VocabularyEntry], notes: list[str]) -> Condition:
    _check_known("keyword", text, entries, notes)
    return Contains("keywords", normalize(text))


def _check_known(what: str, name: str, entries: Mapping[str, VocabularyEntry], notes: list[str]) -> None:
    if normalize(name) not in entries:
        notes.append(_explain_unknown(what, name, entries))


def _explain_unknown(what: str, name: str, entries: Mapping[str, VocabularyEntry]) -> str:
    if not entries:
        return f"no photo is known to have any {what}; have 04_extract_geo.py and 05 been run?"
    similar = suggest_names(name, entries)
    hint = f"the nearest: {', '.join(similar)}" if similar else "and nothing like it"
    return f"no photo has the {what} {name.strip()!r}; {hint}"


def _parse_seconds(option: str, text: str) -> int | None:
    """The beginning of a date, as `taken_at` counts."""
    if not text:
        return None
    match = _DATE.fullmatch(text.strip())
    if not match:
        raise UserError(f"{option} {text}: a date is wanted: 2023, 2023-06, 2023-06-01 or 2023-06-01T18:30")
    parts = [first if part is None else int(part) for part, first in zip(match.groups(), _FIRST, strict=True)]
    try:
        return int((datetime(*parts) - _EPOCH).total_seconds())
    except ValueError as error:
        raise UserError(f"{option} {text}: {error}") from None


def _check_year(year: int) -> int:
    if not 1 <= year <= 9999:
        raise UserError(f"--year {year}: years from 1 to 9999 are wanted")
    return year


def _parse_month(text: str) -> int:
    norm = normalize(text)
    if norm.isdecimal() and 1 <= int(norm) <= 12:
        return int(norm)
    names: Sequence[str] = [name.lower() for name in calendar.month_name]
    months = [i for i, name in enumerate(names) if len(norm) >= 3 and name.startswith(norm)]
    if len(months) != 1:
        raise UserError(f"--month {text}: a month is wanted, by name or number: june, jun, 6")
    return months[0]


def _next_float(limit: float) -> float:
    return math.nextafter(limit, math.inf)  # `Between` leaves its upper limit out
