"""The names a dataset knows: people, places, cameras, keywords; their spelling, and on how many photos."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from imagesearch.errors import UserError
from imagesearch.files import atomic_write
from imagesearch.geo import PhotoLocation
from imagesearch.text import find_similar, normalize

_NAME = "vocabulary.json"
PHOTOS_PER_PERIOD = 500


@dataclass(frozen=True)
class VocabularyEntry:
    """A name as mostly written, its number of photos, and of a place: city, county, state or country."""

    name: str
    photos: int
    kind: str = ""


@dataclass(frozen=True)
class Vocabulary:
    """Words by what filters look for: folded names; cameras as they are written."""

    people: Mapping[str, VocabularyEntry] = field(default_factory=dict)
    places: Mapping[str, VocabularyEntry] = field(default_factory=dict)
    cameras: Mapping[str, VocabularyEntry] = field(default_factory=dict)
    keywords: Mapping[str, VocabularyEntry] = field(default_factory=dict)
    periods: tuple[int, ...] = ()
    """Times (`taken_at`), the newest first, that part the photos into stretches of `PHOTOS_A_PERIOD`."""
    decisions: int = 0
    """How many of the user's decisions about people the collections follow."""
    within: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By folded place: the larger ones around it, by the addresses of photos taken there."""
    cast: tuple[str, ...] = ()
    """The people who have a name, in the order in which they got it: for their colours."""

    def write(self, folder: Path) -> None:
        """Write the vocabulary beside a dataset's tables, in place of an older one."""
        with atomic_write(folder / _NAME) as unfinished:
            unfinished.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1), "utf-8")

    @classmethod
    def read(cls, folder: Path) -> Vocabulary:
        """Read the vocabulary beside a dataset's tables; empty if there is none yet.

        Raises
        ------
        UserError
            If it cannot be read.
        """
        file = folder / _NAME
        try:
            sections = json.loads(file.read_text("utf-8"))
            words = ({key: VocabularyEntry(**word) for key, word in sections[s].items()} for s in _SECTIONS)
            periods = tuple(map(int, sections["periods"]))
            within = {place: tuple(around) for place, around in sections.get("within", {}).items()}
            cast = tuple(map(str, sections.get("cast", ())))
            return cls(*words, periods, int(sections.get("decisions", 0)), within, cast)
        except (FileNotFoundError, NotADirectoryError):
            return cls()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise UserError(f"{file}: cannot be read ({reason}); run 05_build_collections.py") from None


_SECTIONS = ("people", "places", "cameras", "keywords")


def count_names(names: Iterable[tuple[str, str]], folded: bool = True) -> dict[str, VocabularyEntry]:
    """Count names and their kinds; of several spellings and kinds the most frequent stands for all."""
    counts: dict[str, Counter[tuple[str, str]]] = {}
    for name, kind in names:
        counts.setdefault(normalize(name) if folded else name, Counter())[name, kind] += 1
    words = {}
    for key in sorted(counts):
        (name, kind), _ = min(counts[key].items(), key=lambda item: (-item[1], item[0]))
        words[key] = VocabularyEntry(name, counts[key].total(), kind)
    return words


def split_periods(times: Sequence[int]) -> tuple[int, ...]:
    """Return where to stop on the way back in time, with as many photos in each stretch."""
    return tuple(sorted(times, reverse=True)[PHOTOS_PER_PERIOD - 1 :: PHOTOS_PER_PERIOD])


def suggest_names(name: str, entries: Mapping[str, VocabularyEntry], count: int = 3) -> list[str]:
    """Return the known names that are most like a name: first those of which it is a word."""
    typed = normalize(name)
    names = {normalize(key): entry.name for key, entry in entries.items()}
    having = [known for known in names if typed in known.split()]
    similar = find_similar(typed, names, count)
    return [names[known] for known in dict.fromkeys([*having, *similar])][:count]


def count_vocabulary(known: Collection[PhotoLocation]) -> Vocabulary:
    """Count the places, cameras and keywords of some photos."""
    return Vocabulary(
        places=count_names(place for where in known for place in where.address.places),
        cameras=count_names(((w.metadata.camera, "") for w in known if w.metadata.camera), folded=False),
        keywords=count_names((word, "") for where in known for word in where.metadata.keywords),
        within=_find_containing({where.address.places for where in known}),
    )


def _find_containing(addresses: Iterable[Sequence[tuple[str, str]]]) -> dict[str, tuple[str, ...]]:
    """Return by folded place the larger ones that are on an address with it."""
    around: dict[str, set[str]] = {}
    for places in addresses:
        ranked = [(normalize(name), _KINDS.index(kind)) for name, kind in places if kind in _KINDS]
        for place, rank in ranked:
            around.setdefault(place, set()).update(name for name, other in ranked if other > rank)
    return {place: tuple(sorted(around[place])) for place in sorted(around) if around[place]}


_KINDS = ("city", "county", "state", "country")  # from small to large
