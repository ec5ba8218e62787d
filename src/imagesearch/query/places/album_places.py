"""Other names of the album's places, from the tables of `geo`. Collections need not be rebuilt."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from imagesearch.geo import list_alias_groups
from imagesearch.query.tokenizer import split_words
from imagesearch.store import VocabularyEntry
from imagesearch.text import normalize


def find_aliases(
    entries: Mapping[str, VocabularyEntry], within: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Return the other names of places, as words separated by spaces, with the keys that they stand for.

    A name of several places stands for all of them: "korea" for South Korea and North Korea.

    Parameters
    ----------
    entries
        The places of the album by normalized name.
    within
        The larger places that contain a place.
    """
    targets: dict[tuple[str, str], list[str]] = {}
    for kind, countries, group in list_alias_groups():
        names = list(map(normalize, group))
        present = [name for name in names if is_place_of(name, kind, countries, entries, within)]
        for name in names if present else ():
            targets.setdefault((" ".join(split_words(name)), kind), []).append(present[0])
    found: dict[str, dict[str, None]] = {}
    for (words, kind), keys in targets.items():
        own = entries.get(words)
        # A name that is a key too covers its photos, unless those of an earlier version lack it.
        if own is None or (own.kind == kind and own.photos < sum(entries[key].photos for key in keys)):
            found.setdefault(words, {}).update(dict.fromkeys(keys))
    starts = {key.partition(" ")[0]: key for key in entries if " " in key}
    aliases = {}
    for words, keys in found.items():
        if starts.get(words, next(iter(keys))) not in keys:
            continue  # "rio" is a part of Rio Branco too
        aliases[words] = tuple(key for key in keys if keys.keys().isdisjoint(within.get(key, ())))
    return aliases


@functools.cache
def _map_alias_groups() -> dict[str, set[int]]:
    groups: dict[str, set[int]] = {}
    for number, (_, _, names) in enumerate(list_alias_groups()):
        for name in names:
            groups.setdefault(normalize(name), set()).add(number)
    return groups


def are_aliases(one: str, other: str) -> bool:
    """Whether two normalized names can be of one place, such as Iceland and Ísland."""
    groups = _map_alias_groups()
    return not groups.get(one, set()).isdisjoint(groups.get(other, ()))


def is_place_of(
    name: str,
    kind: str,
    countries: Sequence[str],
    entries: Mapping[str, VocabularyEntry],
    within: Mapping[str, tuple[str, ...]],
) -> bool:
    """Whether the album has a place of a kind with a normalized name, in one of some countries.

    A place whose country is unknown may lie in any.
    """
    if name not in entries or entries[name].kind not in ("", kind):
        return False
    larger = within.get(name, ())
    return not countries or not larger or not {normalize(country) for country in countries}.isdisjoint(larger)
