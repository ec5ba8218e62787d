"""Imaginary photos and the sentences that should find them: what the tests of the query language compare.

A `Case` states a sentence and which photos it should find, as a predicate. `find_differences` parses the
sentence, evaluates its filter on every photo of `ALBUM`, and lists where it differs from the predicate.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from imagesearch.filters import Condition, is_fulfilled
from imagesearch.query import SentenceParser
from imagesearch.store import PHOTO_FIELDS, Vocabulary, VocabularyEntry
from imagesearch.store.file_names import list_name_words
from imagesearch.text import normalize

TODAY = date(2024, 6, 15)  # a Saturday
NAMES = ("Maya", "Noor", "Kim", "Zoe", "Kofi", "Anne-Marie")
# City, state, country, latitude, longitude.
PLACES = (
    ("Paris", "Île-de-France", "France", 48.857, 2.352),
    ("Rome", "Lazio", "Italy", 41.893, 12.483),
    ("Kraków", "Lesser Poland", "Poland", 50.062, 19.937),
    ("Tromsø", "Troms", "Norway", 69.649, 18.956),
    ("Copenhagen", "Capital Region", "Denmark", 55.676, 12.568),
    ("Anjuna", "Goa", "India", 15.573, 73.741),
    ("Bangkok", "Bangkok", "Thailand", 13.754, 100.501),
    ("Seoul", "Seoul", "South Korea", 37.566, 126.978),
    ("Pyongyang", "Pyongyang", "North Korea", 39.034, 125.754),
    ("Tehran", "Tehran", "Iran", 35.694, 51.421),
    ("Nairobi", "Nairobi County", "Kenya", -1.283, 36.817),
    ("Sydney", "New South Wales", "Australia", -33.868, 151.207),
    ("Banff", "Alberta", "Canada", 51.178, -115.571),
    ("Canmore", "Alberta", "Canada", 51.089, -115.359),  # 18 km from Banff
    ("Calgary", "Alberta", "Canada", 51.045, -114.057),  # 106 km from Banff
    ("Los Angeles", "California", "United States", 34.052, -118.244),
    ("San Francisco", "California", "United States", 37.775, -122.419),
    ("Washington, D.C.", "District of Columbia", "United States", 38.895, -77.037),
    ("Rio de Janeiro", "Rio de Janeiro", "Brazil", -22.911, -43.172),
)  # fmt: skip
CAMERAS = ("Apple iPhone 14 Pro", "Apple iPhone SE", "Canon EOS R6", "Google Pixel 7", "NIKON Z 6", "")
SIZES = ((4032, 3024), (3024, 4032), (1170, 2532), (3000, 3000), (12000, 3000), (1920, 1080))


@dataclass(frozen=True)
class Photo:
    """An imaginary photo; None and empty texts are unknown values."""

    name: str
    taken: datetime | None
    people: frozenset[str] = frozenset()
    strangers: int = 0  # faces without a name
    city: str = ""
    state: str = ""
    country: str = ""
    latitude: float | None = None
    longitude: float | None = None
    rating: int | None = None
    camera: str = ""
    width: int = 4032
    height: int = 3024
    indexed: datetime = datetime(2024, 1, 1)

    @property
    def keywords(self) -> tuple[str, ...]:
        return ("family",) if sum(map(int, filter(str.isdigit, self.name))) % 3 else ()

    @property
    def faces(self) -> int:
        return len(self.people) + self.strangers

    @property
    def day(self) -> date:
        """The day it was taken; year 1 if it is unknown."""
        return self.taken.date() if self.taken else date.min

    @property
    def hour(self) -> float:
        """The local time in hours, 18.5 for half past six; -1 if it is unknown."""
        return self.taken.hour + self.taken.minute / 60 if self.taken else -1.0

    @property
    def places(self) -> set[str]:
        return {self.city, self.state, self.country} - {""}


@dataclass(frozen=True)
class Case:
    """A sentence and its right result.

    Attributes
    ----------
    kind
        The row of the table of phrases that it stands for.
    matches
        Which photos pass the filter. None: the filter is not compared.
    text
        The caption that is encoded; ``""``: nothing is encoded. None: not compared.
    lacks
        Words that must not be in the caption.
    not_understood
        The parts of the sentence that are named as not understood.
    order
        ``oldest`` or ``newest`` first; empty: no order.
    count
        How many photos the sentence requests.
    excluded
        What the photos must not show.
    joined, join
        What they must show, joined by ``and`` or ``or``.
    note
        A part of one of the notes.
    """

    kind: str
    sentence: str
    matches: Callable[[Photo], bool] | None = None
    text: str | None = None
    lacks: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()
    order: str = ""
    count: int | None = None
    excluded: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    join: str = ""
    note: str = ""


def draw_album(seed: int = 7) -> list[Photo]:
    """Return photos of every day from 2018 to today, of fewer days before, and with every kind of fact."""
    rng = random.Random(seed)
    days = [date(2017, 12, 1) + timedelta(days=n) for n in range((TODAY - date(2017, 12, 1)).days + 1)]
    days += [date(1975, 1, 1) + timedelta(days=7 * n + n % 7) for n in range(2240)]
    photos = [_draw_photo(rng, n, day) for n, day in enumerate(days)]
    photos += [_draw_photo(rng, len(days) + n, None) for n in range(40)]
    return photos


def _draw_photo(rng: random.Random, n: int, day: date | None) -> Photo:
    taken = (
        None
        if day is None
        else datetime(day.year, day.month, day.day, rng.randrange(24), rng.randrange(1, 60))
    )
    place = rng.choice(PLACES) if rng.random() < 0.85 else ("", "", "", None, None)
    width, height = rng.choice(SIZES)
    is_screenshot = (width, height) == (1170, 2532) and rng.random() < 0.7
    name = (
        f"2023/Screenshot_{n:05}.png" if is_screenshot else f"2023/IMG_{n:04}.{rng.choice(['jpg', 'HEIC'])}"
    )
    return Photo(
        name=name,
        taken=taken,
        people=frozenset(person for person in NAMES if rng.random() < 0.3),
        strangers=rng.choice([0, 0, 0, 1, 2]),
        city=place[0], state=place[1], country=place[2], latitude=place[3], longitude=place[4],
        rating=rng.choice([None, None, 0, 1, 2, 3, 4, 5]),
        camera=rng.choice(CAMERAS),
        width=width, height=height,
        indexed=datetime(2024, 6, 15, 12) - timedelta(days=rng.choice([0, 1, 3, 6, 8, 12, 25, 60, 200])),
    )  # fmt: skip


def make_row(photo: Photo) -> dict[str, Any]:
    """Return the fields of a photo as a collection has them."""
    row = {item.name: item.unknown for item in PHOTO_FIELDS}
    row |= {
        "path": photo.name, "file_name": photo.name.rpartition("/")[2],
        "name_words": list_name_words(photo.name),
        "face_labels": sorted(photo.people),
        "face_count": photo.faces, "people_count_known": len(photo.people), "camera": photo.camera,
        "city": photo.city, "state": photo.state, "country": photo.country,
        "place_words": [normalize(name) for name in (photo.city, photo.state, photo.country) if name],
        "width": photo.width, "height": photo.height, "aspect": photo.width / photo.height,
        "keywords": list(photo.keywords),
        "rating": -1 if photo.rating is None else photo.rating,
        "indexed_at": int((photo.indexed - datetime(1970, 1, 1)).total_seconds()),
    }  # fmt: skip
    if photo.latitude is not None:
        row |= {"has_gps": True, "latitude": photo.latitude, "longitude": photo.longitude}
    if photo.taken is not None:
        row |= {"has_time": True, "taken_at": int((photo.taken - datetime(1970, 1, 1)).total_seconds())}
        row |= {name: getattr(photo.taken, name) for name in ("year", "month", "day", "hour")}
        row["weekday"] = photo.taken.weekday()
    return row


ALBUM = draw_album()
ROWS = [make_row(photo) for photo in ALBUM]


def make_parser() -> SentenceParser:
    """Return a parser that knows the names of the album."""
    places: dict[str, VocabularyEntry] = {}
    within: dict[str, tuple[str, ...]] = {}
    for city, state, country, latitude, longitude in PLACES:
        keys = [normalize(name) for name in (city, state, country)]
        for key, name, kind in reversed(
            list(zip(keys, (city, state, country), ("city", "state", "country"), strict=True))
        ):
            places.setdefault(key, VocabularyEntry(name, 50, kind, latitude, longitude))
        within[keys[0]] = tuple(key for key in keys[1:] if key != keys[0])
        within[keys[1]] = (keys[2],)
    people = {normalize(name): VocabularyEntry(name, 100) for name in NAMES}
    cameras = {camera: VocabularyEntry(camera, 100) for camera in CAMERAS if camera}
    return SentenceParser(Vocabulary(people=people, places=places, cameras=cameras, within=within))


PARSER = make_parser()


def find_differences(case: Case) -> list[str]:
    """Return what differs between a case and how its sentence is parsed; empty if nothing does."""
    parsed = PARSER.parse(case.sentence, TODAY)
    found = {
        "order": "" if parsed.order is None else ("newest" if parsed.order.newest_first else "oldest"),
        "count": parsed.order and parsed.order.count,
        "excluded": tuple(content.caption for content in parsed.excluded),
        "joined": tuple(content.caption for content in parsed.joined),
        "join": parsed.join,
        "not_understood": parsed.not_understood,
    }
    differences = [f"{name}: {value!r}" for name, value in found.items() if value != getattr(case, name)]
    if case.text is not None and parsed.caption != case.text:
        differences.append(f"caption: {parsed.caption!r}")
    words = parsed.caption.split()
    differences += [f"{word!r} is in the caption {parsed.caption!r}" for word in case.lacks if word in words]
    if case.note and not any(case.note in note for note in parsed.notes):
        differences.append(f"notes: {parsed.notes}")
    if case.matches is not None:
        differences += _compare_photos(case.matches, parsed.condition)
    return differences


def _compare_photos(matches: Callable[[Photo], bool], condition: Condition) -> list[str]:
    """Return some photos that a filter should find and does not, or finds and should not."""
    right = {n for n, photo in enumerate(ALBUM) if matches(photo)}
    found = {n for n, row in enumerate(ROWS) if is_fulfilled(condition, row)}
    sides = (("does not find", right - found), ("should not find", found - right))
    return [f"{verb} {len(photos)}, such as {ALBUM[min(photos)]}" for verb, photos in sides if photos]
