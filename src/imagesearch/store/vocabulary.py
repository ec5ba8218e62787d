"""The names a dataset knows: people, places, cameras, keywords; their spelling, and on how many photos."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from imagesearch.errors import UserError
from imagesearch.files import atomic_write
from imagesearch.geo import PhotoLocation
from imagesearch.text import find_similar, normalize

_FILE = "vocabulary.json"
_ENTRY_SECTIONS = ("people", "places", "cameras", "keywords")
_KEYS = {"edit_count": "decisions"}  # in the file, where they differ from the attributes
_KINDS = ("city", "county", "state", "country")  # from small to large
PHOTOS_PER_PERIOD = 500


@dataclass(frozen=True)
class VocabularyEntry:
    """A name as mostly written, its number of photos, and a place's kind: city, county, state, country."""

    name: str
    photos: int
    kind: str = ""


@dataclass(frozen=True)
class Vocabulary:
    """Entries by what filters look for: normalized names; cameras as they are written."""

    people: Mapping[str, VocabularyEntry] = field(default_factory=dict)
    places: Mapping[str, VocabularyEntry] = field(default_factory=dict)
    cameras: Mapping[str, VocabularyEntry] = field(default_factory=dict)
    keywords: Mapping[str, VocabularyEntry] = field(default_factory=dict)
    periods: tuple[int, ...] = ()
    """Times (`taken_at`), the newest first, that divide the photos into periods of `PHOTOS_PER_PERIOD`."""
    edit_count: int = 0
    """How many of the user's edits of people the collections follow; -1 if the clusters follow fewer."""
    within: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By normalized place: the larger ones around it, by the addresses of photos taken there."""
    cast: tuple[str, ...] = ()
    """The people who have a name, in the order in which they got it: for their colours."""

    def write(self, folder: Path) -> None:
        """Write the vocabulary beside a dataset's tables, in place of an older one."""
        sections = {_KEYS.get(name, name): value for name, value in asdict(self).items()}
        with atomic_write(folder / _FILE) as unfinished:
            unfinished.write_text(json.dumps(sections, ensure_ascii=False, indent=1), "utf-8")

    @classmethod
    def read(cls, folder: Path) -> Vocabulary:
        """Read the vocabulary beside a dataset's tables; empty if there is none yet.

        Raises
        ------
        UserError
            If it cannot be read.
        """
        file = folder / _FILE
        try:
            sections = json.loads(file.read_text("utf-8"))
            periods = tuple(map(int, sections["periods"]))
            within = {place: tuple(larger) for place, larger in sections.get("within", {}).items()}
            cast = tuple(map(str, sections.get("cast", ())))
            entries = (_parse_entries(sections[name]) for name in _ENTRY_SECTIONS)
            return cls(*entries, periods, int(sections.get(_KEYS["edit_count"], 0)), within, cast)
        except (FileNotFoundError, NotADirectoryError):
            return cls()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise UserError(f"{file}: cannot be read ({reason}); run 05_build_collections.py") from None


def _parse_entries(section: dict[str, dict[str, Any]]) -> dict[str, VocabularyEntry]:
    return {key: VocabularyEntry(**values) for key, values in section.items()}


def count_names(names: Iterable[tuple[str, str]], normalized: bool = True) -> dict[str, VocabularyEntry]:
    """Count names and their kinds; of several spellings and kinds the most frequent stands for all."""
    counts: dict[str, Counter[tuple[str, str]]] = {}
    for name, kind in names:
        counts.setdefault(normalize(name) if normalized else name, Counter())[name, kind] += 1
    entries = {}
    for key in sorted(counts):
        (name, kind), _ = min(counts[key].items(), key=lambda item: (-item[1], item[0]))
        entries[key] = VocabularyEntry(name, counts[key].total(), kind)
    return entries


def split_periods(times: Sequence[int]) -> tuple[int, ...]:
    """Return the times that divide photos into periods, the newest first."""
    return tuple(sorted(times, reverse=True)[PHOTOS_PER_PERIOD - 1 :: PHOTOS_PER_PERIOD])


def suggest_names(name: str, entries: Mapping[str, VocabularyEntry], count: int = 3) -> list[str]:
    """Return the known names that are most like a name: first those of which it is a word."""
    typed = normalize(name)
    names = {normalize(key): entry.name for key, entry in entries.items()}
    having = [known for known in names if typed in known.split()]
    similar = find_similar(typed, names, count)
    return [names[known] for known in dict.fromkeys([*having, *similar])][:count]


def count_vocabulary(locations: Collection[PhotoLocation]) -> Vocabulary:
    """Count the places, cameras and keywords of some photos."""
    metadata = [location.metadata for location in locations]
    return Vocabulary(
        places=count_names(place for location in locations for place in location.address.places),
        cameras=count_names(((one.camera, "") for one in metadata if one.camera), normalized=False),
        keywords=count_names((keyword, "") for one in metadata for keyword in one.keywords),
        within=_find_containing({location.address.places for location in locations}),
    )


def _find_containing(addresses: Iterable[Sequence[tuple[str, str]]]) -> dict[str, tuple[str, ...]]:
    """Return by normalized place the larger ones that are on an address with it."""
    larger: dict[str, set[str]] = {}
    for places in addresses:
        ranked = [(normalize(name), _KINDS.index(kind)) for name, kind in places if kind in _KINDS]
        for place, rank in ranked:
            larger.setdefault(place, set()).update(name for name, other in ranked if other > rank)
    return {place: tuple(sorted(larger[place])) for place in sorted(larger) if larger[place]}
