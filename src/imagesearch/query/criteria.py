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
        words = [(" or " if self.any_person else " and ").join(self.people)] if self.people else []
        words += ["anybody"] if self.any_person and not self.people else []
        words += [f"without {name}" for name in self.without]
        words += [f"{self.faces}+ faces"] if self.faces is not None else []
        words += [f"in {place}" for place in self.places]
        words += [f"within {self.km:g} km of {self.near}"] if self.near else []
        words += (
            [f"in {' or '.join([*self.months, *map(str, self.years)])}"] if self.months or self.years else []
        )
        words += [f"since {self.after}"] if self.after else []
        words += [f"before {self.before}"] if self.before else []
        words += [f"by {camera}" for camera in self.cameras] + [f"#{keyword}" for keyword in self.keywords]
        words += [f"{self.rating}+ stars"] if self.rating is not None else []
        words += ["with a position"] if self.has_gps else []
        return ", ".join(words)

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
        """Return what the fields of the photos must fulfil, and what to say of names nobody knows.

        Raises
        ------
        UserError
            If a date, month or position cannot be read.
        """
        said: list[str] = []
        parts = self._make_people_conditions(vocabulary.people, said)
        parts += [_match_place(place, vocabulary.places, said) for place in self.places]
        parts += [self.circle.condition] if self.circle else []
        parts += [_match_camera(camera, vocabulary.cameras, said) for camera in self.cameras]
        parts += [_match_keyword(keyword, vocabulary.keywords, said) for keyword in self.keywords]
        if self.after or self.before:
            low, high = _parse_seconds("--after", self.after), _parse_seconds("--before", self.before)
            parts += [Eq("has_time", True), Between("taken_at", low, high)]
        parts += [Eq("has_time", True)] if self.years or self.months else []  # without one, both are 0
        parts += [In("year", tuple(map(_check_year, self.years)))] if self.years else []
        parts += [In("month", tuple(map(_parse_month, self.months)))] if self.months else []
        parts += [Eq("has_gps", True)] if self.has_gps else []
        parts += [Between("rating", self.rating)] if self.rating is not None else []
        return And(tuple(parts)), said

    def _make_people_conditions(
        self, known: Mapping[str, VocabularyEntry], said: list[str]
    ) -> list[Condition]:
        wanted = tuple(_match_person(name, known, said) for name in self.people)
        parts: list[Condition] = [Or(wanted)] if wanted and self.any_person else [*wanted]
        least = self.faces if self.faces is not None else 1 if self.any_person and not wanted else None
        parts += [Not(_match_person(name, known, said)) for name in self.without]
        # -1 is a photo in which no faces were looked for: nobody knows that she is not in it
        least = 0 if self.without and least is None else least
        return parts + ([Between("face_count", least)] if least is not None else [])


def _match_person(name: str, known: Mapping[str, VocabularyEntry], said: list[str]) -> Condition:
    if normalize(name) in known:
        return Contains("face_labels", known[normalize(name)].name)
    if known:
        near = suggest_names(name, known)
        hint = f"did you mean {' or '.join(near)}?" if near else "03_name_people.py lists who is known"
        said.append(f"nobody is called {name.strip()!r}; {hint}")
    else:
        said.append("nobody is known yet; have 02_cluster_faces.py and 05 been run?")
    return Contains("face_labels", "")


def _match_place(text: str, known: Mapping[str, VocabularyEntry], said: list[str]) -> Condition:
    """One of the photo's place words; of "Goa, India", which is nobody's name, both."""
    names = [text] if normalize(text) in known else [part for part in text.split(",") if part.strip()]
    if not names:
        raise UserError("--place: the name of a place is wanted")
    for name in names:
        _check_known("place", name, known, said)
    return And(tuple(Contains("place_words", normalize(name)) for name in names))


def _match_camera(text: str, known: Mapping[str, VocabularyEntry], said: list[str]) -> Condition:
    typed = normalize(text).split()
    fitting = [
        camera
        for camera in known
        if typed and all(any(word.startswith(part) for word in normalize(camera).split()) for part in typed)
    ]
    if not fitting:
        said.append(_explain_unknown("camera", text, known))
    return In("camera", tuple(fitting))


def _match_keyword(text: str, known: Mapping[str, VocabularyEntry], said: list[str]) -> Condition:
    _check_known("keyword", text, known, said)
    return Contains("keywords", normalize(text))


def _check_known(what: str, name: str, known: Mapping[str, VocabularyEntry], said: list[str]) -> None:
    if normalize(name) not in known:
        said.append(_explain_unknown(what, name, known))


def _explain_unknown(what: str, name: str, known: Mapping[str, VocabularyEntry]) -> str:
    if not known:
        return f"no photo is known to have any {what}; have 04_extract_geo.py and 05 been run?"
    near = suggest_names(name, known)
    hint = f"the nearest: {', '.join(near)}" if near else "and nothing like it"
    return f"no photo has the {what} {name.strip()!r}; {hint}"


def _parse_seconds(option: str, text: str) -> int | None:
    """The beginning of a date, as `taken_at` counts."""
    if not text:
        return None
    match = _DATE.fullmatch(text.strip())
    if not match:
        raise UserError(f"{option} {text}: a date is wanted: 2023, 2023-06, 2023-06-01 or 2023-06-01T18:30")
    parts = [
        default if part is None else int(part) for part, default in zip(match.groups(), _FIRST, strict=True)
    ]
    try:
        moment = datetime(*parts)
        return int((moment - _EPOCH).total_seconds())
    except ValueError as error:
        raise UserError(f"{option} {text}: {error}") from None


def _check_year(year: int) -> int:
    if not 1 <= year <= 9999:
        raise UserError(f"--year {year}: years from 1 to 9999 are wanted")
    return year


def _parse_month(text: str) -> int:
    folded = normalize(text)
    if folded.isdecimal() and 1 <= int(folded) <= 12:
        return int(folded)
    names: Sequence[str] = [name.lower() for name in calendar.month_name]
    found = [i for i, name in enumerate(names) if len(folded) >= 3 and name.startswith(folded)]
    if len(found) != 1:
        raise UserError(f"--month {text}: a month is wanted, by name or number: june, jun, 6")
    return found[0]


def _next_float(limit: float) -> float:
    return math.nextafter(limit, math.inf)  # `Between` leaves its upper limit out
