"""The names in a dataset: people, places, cameras and keywords, with spelling and number of photos."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from imagesearch.errors import UserError, describe_error
from imagesearch.files import FileVersion, atomic_write, get_file_version
from imagesearch.geo import PhotoLocation
from imagesearch.store.list_columns import ListColumns
from imagesearch.text import find_similar, normalize

_FILE = "vocabulary.json"
_ENTRY_SECTIONS = ("people", "places", "cameras", "keywords")
_KEYS = {"edit_count": "decisions"}  # names in the file that differ from the attributes
_KINDS = ("city", "county", "state", "country")  # from small to large
_NUMBERED = re.compile(r"person \d+")  # people without a name
PHOTOS_PER_PERIOD = 500


@dataclass(frozen=True)
class VocabularyEntry:
    """A name in its most frequent spelling, with its number of photos; for places, also kind and position.

    The position is the median of the photos' positions, in degrees. Vocabularies of earlier versions have
    none.
    """

    name: str
    photos: int
    kind: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class VocabularyTrip:
    """A trip, with the times of its first and last photo in the seconds of ``taken_at``.

    ``places`` has the number of its photos at each place, by normalized name. ``cities`` and ``people`` have
    the cities and the named people, the most photographed first. ``is_named`` says whether the user named it.
    """

    name: str
    photos: int
    first: int
    last: int
    places: Mapping[str, int] = field(default_factory=dict)
    cities: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    is_named: bool = False

    @classmethod
    def parse(cls, values: dict[str, Any]) -> VocabularyTrip:
        """Return a trip from its values in the file."""
        return cls(**values | {name: tuple(values[name]) for name in ("cities", "people")})


@dataclass(frozen=True)
class VocabularyColumn:
    """A column of a list of photos: its field in the collections, and the photos of its frequent values."""

    field: str
    values: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Vocabulary:
    """The names in a dataset. The keys are the values that filters use: normalized names, except cameras."""

    people: Mapping[str, VocabularyEntry] = field(default_factory=dict)
    places: Mapping[str, VocabularyEntry] = field(default_factory=dict)
    cameras: Mapping[str, VocabularyEntry] = field(default_factory=dict)
    keywords: Mapping[str, VocabularyEntry] = field(default_factory=dict)
    periods: tuple[int, ...] = ()
    """Times (`taken_at`), newest first, that divide the photos into periods of `PHOTOS_PER_PERIOD`."""
    edit_count: int = 0
    """Number of the user's edits of people that the collections include; -1 if the clusters lack some."""
    within: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The larger places that contain a place, by normalized name, from the addresses of photos."""
    cast: tuple[str, ...] = ()
    """The named people, in the order in which they were named; it determines their colours."""
    trips: tuple[VocabularyTrip, ...] | None = None
    """The trips, the oldest first; None in the vocabularies of earlier versions."""
    trip_name_count: int = 0
    """Number of the user's decisions about names of trips, also undos, that the collections include."""
    marked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The people who are on a photo without a face, by the photo's path."""
    portraits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """The best face of each named person: its photo, and its position there. By normalized name."""
    columns: Mapping[str, VocabularyColumn] = field(default_factory=dict)
    """The columns of lists of photos that can be filtered by, by name."""
    digest: str = ""
    """Of all the above. The collections that were built with it have it in their properties."""

    def write(self, folder: Path) -> str:
        """Write the vocabulary to the folder of a dataset's tables, and return its digest."""
        sections = {_KEYS.get(name, name): value for name, value in asdict(self).items() if name != "digest"}
        for name in _ENTRY_SECTIONS:
            sections[name] = {key: _omit_unknown(entry) for key, entry in sections[name].items()}
        digest = hashlib.blake2b(json.dumps(sections).encode(), digest_size=8).hexdigest()
        sections["digest"] = digest
        with atomic_write(folder / _FILE) as unfinished:
            unfinished.write_text(json.dumps(sections, ensure_ascii=False, indent=1), "utf-8")
        return digest

    @staticmethod
    def get_version(folder: Path) -> FileVersion:
        """Return what changes when step 05 writes the vocabulary, at the end of each build."""
        return get_file_version(folder / _FILE)

    @classmethod
    def read(cls, folder: Path) -> Vocabulary:
        """Read the vocabulary from the folder of a dataset's tables; empty if the file does not exist.

        Raises
        ------
        UserError
            If the file cannot be read.
        """
        file = folder / _FILE
        try:
            sections = json.loads(file.read_text("utf-8"))
            periods = tuple(map(int, sections["periods"]))
            within = {place: tuple(larger) for place, larger in sections.get("within", {}).items()}
            cast = tuple(map(str, sections.get("cast", ())))
            entries = (_parse_entries(sections[name]) for name in _ENTRY_SECTIONS)
            edit_count, digest = int(sections.get(_KEYS["edit_count"], 0)), str(sections.get("digest", ""))
            trips = (
                None if (found := sections.get("trips")) is None else tuple(map(VocabularyTrip.parse, found))
            )
            trip_name_count = int(sections.get("trip_name_count", 0))
            marked = {path: tuple(names) for path, names in sections.get("marked", {}).items()}
            portraits = {
                name: (int(photo), int(at)) for name, (photo, at) in sections.get("portraits", {}).items()
            }
            columns = {
                name: VocabularyColumn(**values) for name, values in sections.get("columns", {}).items()
            }
            others = (periods, edit_count, within, cast, trips, trip_name_count, marked)
            others = (*others, portraits, columns, digest)
            return cls(*entries, *others)
        except (FileNotFoundError, NotADirectoryError):
            return cls()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = f"{type(error).__name__}: {describe_error(error)}"
            raise UserError(f"{file}: cannot be read ({reason}); run 05_build_collections.py") from None


def _omit_unknown(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _parse_entries(section: dict[str, dict[str, Any]]) -> dict[str, VocabularyEntry]:
    return {key: VocabularyEntry(**values) for key, values in section.items()}


def count_names(names: Iterable[tuple[str, str]], normalized: bool = True) -> dict[str, VocabularyEntry]:
    """Count the photos of each name; the entry has the most frequent spelling and kind."""
    counts: dict[str, Counter[tuple[str, str]]] = {}
    # each name is normalized once, not for each of its photos
    for (name, kind), photos in Counter(names).items():
        counts.setdefault(normalize(name) if normalized else name, Counter())[name, kind] = photos
    entries = {}
    for key in sorted(counts):
        (name, kind), _ = min(counts[key].items(), key=lambda item: (-item[1], item[0]))
        entries[key] = VocabularyEntry(name, counts[key].total(), kind)
    return entries


def split_periods(times: Sequence[int]) -> tuple[int, ...]:
    """Return the times that divide photos into periods, newest first."""
    return tuple(sorted(times, reverse=True)[PHOTOS_PER_PERIOD - 1 :: PHOTOS_PER_PERIOD])


def list_named(people: Mapping[str, VocabularyEntry]) -> dict[str, VocabularyEntry]:
    """Return the people whom the user has named: not those called ``person 12``."""
    return {key: entry for key, entry in people.items() if not _NUMBERED.fullmatch(entry.name)}


def suggest_names(name: str, entries: Mapping[str, VocabularyEntry], count: int = 3) -> list[str]:
    """Return the known names that are most similar to a name; names that contain it as a word come first."""
    typed = normalize(name)
    names = {normalize(key): entry.name for key, entry in entries.items()}
    containing = [known for known in names if typed in known.split()]
    similar = find_similar(typed, names, count)
    return [names[known] for known in dict.fromkeys([*containing, *similar])][:count]


def make_vocabulary_columns(columns: ListColumns) -> dict[str, VocabularyColumn]:
    """Return the columns of lists of photos."""
    return {name: VocabularyColumn(item, columns.values[name]) for name, item in columns.fields.items()}


def count_vocabulary(locations: Collection[PhotoLocation]) -> Vocabulary:
    """Count the places, cameras and keywords of photos."""
    metadata = [location.metadata for location in locations]
    return Vocabulary(
        places=_count_places(locations),
        cameras=count_names(((m.camera, "") for m in metadata if m.camera), normalized=False),
        keywords=count_names((keyword, "") for m in metadata for keyword in m.keywords),
        within=_find_containing({location.address.places for location in locations}),
    )


def _count_places(locations: Collection[PhotoLocation]) -> dict[str, VocabularyEntry]:
    """Count the photos of each place, and find its position."""
    by_places: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    for location in locations:
        latitude, longitude = location.metadata.latitude, location.metadata.longitude
        if latitude is not None and longitude is not None:
            by_places.setdefault(location.address.places, []).append((latitude, longitude))
    positions: dict[str, list[np.ndarray]] = {}
    for places, found in by_places.items():
        for name in {normalize(name) for name, _ in places}:
            positions.setdefault(name, []).append(np.array(found))
    entries = count_names(place for location in locations for place in location.address.places)
    for key in entries.keys() & positions.keys():
        latitude, longitude = _find_median(np.concatenate(positions[key]))
        entries[key] = replace(entries[key], latitude=latitude, longitude=longitude)
    return entries


def _find_median(positions: np.ndarray) -> tuple[float, float]:
    """Return the median of (n, 2) positions, in degrees with five decimals, about a metre."""
    middle = (len(positions) - 1) // 2
    first = positions[0, 1]  # longitudes are counted from it, so that the date line is no border
    offsets = (positions[:, 1] - first + 180) % 360 - 180
    latitude, offset = (float(np.partition(column, middle)[middle]) for column in (positions[:, 0], offsets))
    return round(latitude, 5), round((float(first) + offset + 180) % 360 - 180, 5)


def _find_containing(addresses: Iterable[Sequence[tuple[str, str]]]) -> dict[str, tuple[str, ...]]:
    """Return the larger places that share an address with each place; all names are normalized."""
    larger: dict[str, set[str]] = {}
    for places in addresses:
        ranked = [(normalize(name), _KINDS.index(kind)) for name, kind in places if kind in _KINDS]
        for place, rank in ranked:
            larger.setdefault(place, set()).update(name for name, other in ranked if other > rank)
    return {place: tuple(sorted(larger[place])) for place in sorted(larger) if larger[place]}
