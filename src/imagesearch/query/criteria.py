"""Makes conditions from the options of the command line: people, places, times, cameras and others."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from imagesearch.errors import UserError
from imagesearch.filters import And, Between, Condition, Contains, Eq, In, Not, Or, WithinCircle
from imagesearch.geo import find_region
from imagesearch.local_times import count_seconds
from imagesearch.query.column_values import make_column_condition
from imagesearch.query.criteria_phrases import PhraseReader, name_criterion
from imagesearch.query.facts.conditions import (
    HAS_NO_KEYWORDS,
    HAS_UNNAMED,
    IS_SCREENSHOT,
    explain_unknown,
    find_cameras,
    require_indexed,
    require_name,
    require_shape,
)
from imagesearch.query.parser import SentenceParser
from imagesearch.query.trips.known_trips import KnownTrips, select_trips
from imagesearch.store import Vocabulary, VocabularyEntry, list_named, suggest_names
from imagesearch.text import normalize
from imagesearch.text_table import format_count

_MAX_RADIUS_KM = 20_038.0  # half the Earth's circumference, which includes every position


@dataclass(frozen=True)
class Criteria:
    """Conditions as the user types them. A photo must fulfil all of them.

    Parameters
    ----------
    people, without
        People who must be in the photo, and people who must not.
    any_person
        Whether one of ``people`` is enough. If ``people`` is empty, any face is enough.
    faces
        Minimum number of faces.
    places, cameras, keywords
        Names, in any case, with or without accents. A place requires a whole name: "goa" does not match
        Goalpara. For a camera, the beginnings of words are enough: "iphone" matches all iPhones.
    near, radius
        A position ``"48.858,2.294"`` in degrees or the name of a place, and a radius around it in kilometres.
        Without a radius, a name means the same as in the sentence "near banff".
    after, before
        The photo must be taken at or after the start of one date, and before the start of the other. Formats:
        ``"2023"``, ``"2023-06"``, ``"2023-06-01"``, ``"2023-06-01 18:30"``, or as in a sentence:
        ``"01.06.2023"``, ``"last summer"``.
    trips
        Alternatives: the number of a trip, its name, a part of the user's name, or a place.
    years, months
        Alternatives. A month is a number, an English name, or at least its first three letters.
    has_gps, no_gps
        Whether the position must be known, or unknown.
    no_time, untagged
        Whether the time must be unknown; whether there must be no keywords.
    rating, max_rating
        Minimum and maximum number of stars. A maximum of 0 requires that the photo is not rated.
    shape
        ``"portrait"``, ``"landscape"``, ``"square"`` or ``"panorama"``.
    screenshots
        Whether the photo must be a screenshot, by its file name, or must not be one.
    names
        Alternatives: a file name with its extension, or words of a file name.
    unnamed
        Whether there must be a face without a name.
    columns
        Columns of a list of photos with the value that each must have: ``"author=Ana"``.
    added_after, added_before
        The photo must be indexed first at or after the start of one date, and before the start of the other,
        in the local time of this machine. Formats: as for ``after``.
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
    no_gps: bool = False
    no_time: bool = False
    untagged: bool = False
    max_rating: int | None = None
    shape: str = ""
    screenshots: bool | None = None
    names: tuple[str, ...] = ()
    unnamed: bool = False
    added_after: str = ""
    added_before: str = ""
    trips: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The criteria in words."""
        months, years = " or ".join(self.months), " or ".join(map(str, self.years))
        parts = [
            self._people_title,
            *(f"without {name}" for name in self.without),
            f"{self.faces}+ faces" if self.faces is not None else "",
            *(f"in {place}" for place in self.places),
            f"on the trip {' or '.join(self.trips)}" if self.trips else "",
            self._near_title,
            f"in {' '.join(filter(None, (months, years)))}" if months or years else "",
            f"since {self.after}" if self.after else "",
            f"before {self.before}" if self.before else "",
            *(f"by {camera}" for camera in self.cameras),
            *(f"#{keyword}" for keyword in self.keywords),
            *self.columns,
            *self._fact_titles,
        ]
        return ", ".join(filter(None, parts))

    @property
    def _fact_titles(self) -> list[str]:
        """The criteria on what is known of a photo besides people, place, time and camera."""
        most = "" if self.max_rating is None else f"at most {format_count(self.max_rating, 'star')}"
        return [
            f"{self.rating}+ stars" if self.rating is not None else "",
            most if self.max_rating else "not rated" if most else "",
            "with a position" if self.has_gps else "",
            "without a position" if self.no_gps else "",
            "without a time" if self.no_time else "",
            "without keywords" if self.untagged else "",
            f"{self.shape} format" if self.shape else "",
            "" if self.screenshots is None else "screenshots" if self.screenshots else "no screenshots",
            " or ".join(self.names),
            "with unnamed people" if self.unnamed else "",
            f"added since {self.added_after}" if self.added_after else "",
            f"added before {self.added_before}" if self.added_before else "",
        ]

    @property
    def _people_title(self) -> str:
        if self.any_person:
            return " or ".join(self.people) or "anybody"
        return " and ".join(self.people)

    @property
    def _near_title(self) -> str:
        if self.radius is None and not self._has_position:
            return f"near {self.near}" if self.near else ""
        return f"within {self.km:g} km of {self.near}"

    @property
    def _has_position(self) -> bool:
        """Whether ``near`` is a position, and not the name of a place."""
        return re.fullmatch(r"[-+\d.,;\s]+", self.near, re.ASCII) is not None

    @property
    def km(self) -> float:
        """The radius in kilometres. Default: 5."""
        return 5.0 if self.radius is None else self.radius

    @property
    def circle(self) -> WithinCircle | None:
        """The area where a photo must be taken; None if ``near`` is the name of a place.

        Raises
        ------
        UserError
            If ``near`` is not a position, or the radius is out of range.
        """
        if not self.near:
            if self.radius is not None:
                raise UserError(f"{name_criterion('radius')} requires {name_criterion('near')}")
            return None
        if not 0 < self.km <= _MAX_RADIUS_KM:
            expected = f"kilometres, more than 0 and at most {_MAX_RADIUS_KM:g}"
            raise UserError(f"{name_criterion('radius')} {self.radius}: expected {expected}")
        if not self._has_position:
            return None
        option = f"{name_criterion('near')} {self.near}"
        try:
            latitude, longitude = map(float, self.near.split(","))
        except ValueError:
            raise UserError(
                f"{option}: expected LATITUDE,LONGITUDE in degrees, such as 48.858,2.294, or a place"
            ) from None
        if not (abs(latitude) <= 90 and abs(longitude) <= 180):
            raise UserError(f"{option}: expected a latitude up to 90 and a longitude up to 180 degrees")
        return WithinCircle(latitude, longitude, self.km)

    def make_condition(
        self,
        vocabulary: Vocabulary,
        make_parser: Callable[[], SentenceParser] | None = None,
        today: date | None = None,
    ) -> tuple[Condition, list[str]]:
        """Return the condition on the fields of a photo, and notes on unknown names.

        Parameters
        ----------
        vocabulary
            The names in the collections.
        make_parser
            Returns what reads a place, and dates in words; by default, a parser with this vocabulary.
        today
            The day that "last summer" refers to; by default, the current date.

        Raises
        ------
        UserError
            If a date, month, place or position cannot be parsed.
        """
        notes: list[str] = []
        phrases = PhraseReader(vocabulary, make_parser, today or date.today(), notes)
        parts = self._make_people_conditions(vocabulary.people, notes)
        for place in self.places:
            if normalize(place) not in vocabulary.places and find_region(
                normalize(place).removeprefix("the ").split()
            ):
                parts.append(phrases.read("places", place, "in", "a place or a region, such as europe"))
            else:
                parts.append(_make_place_condition(place, vocabulary.places, notes))
        circle = self.circle
        parts += [circle] if circle else []
        if self.near and circle is None:
            lead = "near" if self.radius is None else f"within {self.km:g} km of"
            parts.append(phrases.read("near", self.near, lead, "a known place, or LATITUDE,LONGITUDE"))
        parts += [_make_camera_condition(camera, vocabulary, notes) for camera in self.cameras]
        parts += [_make_keyword_condition(keyword, vocabulary.keywords, notes) for keyword in self.keywords]
        parts += [make_column_condition(text, vocabulary.columns, notes) for text in self.columns]
        parts += [_make_trip_condition(self.trips, vocabulary, notes)] if self.trips else []
        parts += self._make_time_conditions(phrases)
        return And((*parts, *self._make_fact_conditions(phrases))), notes

    def _make_fact_conditions(self, phrases: PhraseReader) -> list[Condition]:
        """Return the conditions on what is known of a photo besides people, place, time and camera."""
        parts: list[Condition] = [Eq("has_gps", True)] if self.has_gps else []
        parts += [Eq("has_gps", False)] if self.no_gps else []
        parts += [Eq("has_time", False)] if self.no_time else []
        parts += [HAS_NO_KEYWORDS] if self.untagged else []
        parts += [Between("rating", self.rating)] if self.rating is not None else []
        if self.max_rating is not None:
            is_rated = Between("rating", 1) if self.max_rating else And()
            parts += [And((is_rated, Between("rating", None, self.max_rating + 1)))]
        parts += [require_shape(self.shape)] if self.shape else []
        if self.screenshots is not None:
            parts.append(IS_SCREENSHOT if self.screenshots else Not(IS_SCREENSHOT))
        parts += [Or(tuple(map(require_name, self.names)))] if self.names else []
        parts += [HAS_UNNAMED] if self.unnamed else []
        added, more = phrases.read_dates(
            {"added_after": self.added_after, "added_before": self.added_before}, "added "
        )
        parts += [require_indexed(*added)] if any(added) else []
        parts += more
        return parts

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
            min_faces = (
                0  # -1 means that face detection was not run on the photo: the person may be in the photo
            )
        faces = [] if min_faces is None else [Between("face_count", min_faces)]
        return [*parts, *without, *faces]

    def _make_time_conditions(self, phrases: PhraseReader) -> list[Condition]:
        parts: list[Condition] = []
        limits, more = phrases.read_dates({"after": self.after, "before": self.before})
        if any(limits):
            seconds = (None if limit is None else count_seconds(limit) for limit in limits)
            parts += [Eq("has_time", True), Between("taken_at", *seconds)]
        parts += more
        parts += (
            [Eq("has_time", True)] if self.years or self.months else []
        )  # an unknown time has year 0 and month 0
        parts += [In("year", tuple(map(_check_year, self.years)))] if self.years else []
        parts += [In("month", tuple(map(_parse_month, self.months)))] if self.months else []
        return parts


def _make_person_condition(name: str, entries: Mapping[str, VocabularyEntry], notes: list[str]) -> Condition:
    if normalize(name) in entries:
        return Contains("face_labels", entries[normalize(name)].name)
    if named := list_named(entries):
        similar = suggest_names(name, named)
        hint = f"did you mean {' or '.join(similar)}?" if similar else "03_name_people.py lists known people"
        if name.strip().isdecimal():
            hint = f'the person with this number is "person {name.strip()}", or has a name'
        notes.append(f"nobody is called {name.strip()!r}; {hint}")
    elif entries:
        notes.append("nobody is named yet; name people with 03_name_people.py --interactive")
    else:
        notes.append("there are no people yet; run 02_cluster_faces.py and 05_build_collections.py")
    return Contains("face_labels", "")


def _make_place_condition(text: str, entries: Mapping[str, VocabularyEntry], notes: list[str]) -> Condition:
    """Require a place word of the photo. "Goa, India" requires both words, unless it is a known name."""
    names = [text] if normalize(text) in entries else [part for part in text.split(",") if part.strip()]
    if not names:
        raise UserError(f"{name_criterion('places')}: expected the name of a place")
    for name in names:
        _check_known("place", name, entries, notes)
    return And(tuple(Contains("place_words", normalize(name)) for name in names))


def _make_trip_condition(names: Sequence[str], vocabulary: Vocabulary, notes: list[str]) -> Condition:
    known, found = KnownTrips(vocabulary.trips), []
    for name in names:
        trips = select_trips(name, known)
        found += [trip.name for trip in trips]
        if not known.trips:
            notes.append("there are no trips yet; run 04_extract_geo.py and 05_build_collections.py")
        elif not trips:
            notes.append(
                f"no trip is called {name.strip()!r}; 05_build_collections.py --trips lists the trips"
            )
    return In("trip", tuple(dict.fromkeys(found)))


def _make_camera_condition(text: str, vocabulary: Vocabulary, notes: list[str]) -> Condition:
    cameras = find_cameras(text, vocabulary)
    if not cameras:
        notes.append(explain_unknown("camera", text, vocabulary.cameras))
    return In("camera", cameras)


def _make_keyword_condition(text: str, entries: Mapping[str, VocabularyEntry], notes: list[str]) -> Condition:
    _check_known("keyword", text, entries, notes)
    return Contains("keywords", normalize(text))


def _check_known(field: str, name: str, entries: Mapping[str, VocabularyEntry], notes: list[str]) -> None:
    if normalize(name) not in entries:
        notes.append(explain_unknown(field, name, entries))


def _check_year(year: int) -> int:
    if not 1000 <= year <= 9999:
        raise UserError(f"{name_criterion('years')} {year}: expected a year of four digits, such as 2025")
    return year


def _parse_month(text: str) -> int:
    norm = normalize(text)
    if norm.isdecimal() and 1 <= int(norm) <= 12:
        return int(norm)
    names: Sequence[str] = [name.lower() for name in calendar.month_name]
    months = [i for i, name in enumerate(names) if len(norm) >= 3 and name.startswith(norm)]
    if len(months) != 1:
        raise UserError(
            f"{name_criterion('months')} {text}: expected a name or number, such as june, jun or 6"
        )
    return months[0]
