"""How well photos find photos of the same category."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.evaluate.metrics import CUTOFFS, average_precision, precision_at
from imagesearch.evaluate.temporary_collection import (
    extract_vectors,
    list_left_out,
    make_evaluation_dataset,
    open_temporary_collections,
)
from imagesearch.features import VECTOR_KINDS
from imagesearch.pipeline import Dataset
from imagesearch.store import MAX_HITS, CollectionRef, Store
from imagesearch.text_table import format_count, format_table

Progress = Callable[[Iterable[Any], int], Iterable[Any]]

_CONFUSED_AMONG = 5  # results whose categories say what a category is taken for


@dataclass(frozen=True)
class CategoryRanking:
    """How one kind of vectors ranked the photos of TRAIN for each photo of VAL.

    Attributes
    ----------
    kind, model
        ``clip`` or ``vit``, and which one.
    category : (queries,) of str
        Of each photo of VAL.
    first : (queries, 5) of str
        Categories of the photos of TRAIN that come first; "" beyond the end.
    relevant : (queries, n) bool
        Whether each photo of TRAIN is of the same category, the most similar first; False beyond the end.
    total : (queries,) int
        How many photos of TRAIN are of the same category.
    """

    kind: str
    model: str
    category: np.ndarray
    first: np.ndarray
    relevant: np.ndarray
    total: np.ndarray

    @functools.cached_property
    def _by_query(self) -> dict[str, np.ndarray]:
        """Each figure of each photo of VAL, (queries,) float64."""
        precise = {f"precision@{k}": precision_at(self.relevant, k) for k in CUTOFFS}
        # one at a time: what is worked out on the way is eight times as large as `relevant`
        rows = zip(self.relevant, self.total, strict=True)
        return precise | {"map": np.asarray([average_precision(r[None], t)[0] for r, t in rows])}

    def figures(self, category: str | None = None) -> dict[str, float]:
        """Return precision@1, @5, @10 and mAP, averaged over the photos of one category or all."""
        rows = slice(None) if category is None else self.category == category
        return {name: float(values[rows].mean()) for name, values in self._by_query.items()}

    def confusion(self, category: str) -> dict[str, float]:
        """Return what the first five results of a category's photos are, as shares, the largest first."""
        first = self.first[self.category == category]
        counts = Counter(first[first != ""].tolist())
        return {name: count / counts.total() for name, count in counts.most_common()}


@dataclass(frozen=True)
class LabelledReport:
    """How well the photos of VAL find those of their category in TRAIN, by each kind of vectors."""

    train: int
    val: int
    rankings: tuple[CategoryRanking, ...]
    notes: tuple[str, ...] = ()

    @property
    def categories(self) -> list[str]:
        """Those of VAL, in order."""
        return sorted(set(self.rankings[0].category.tolist()))

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        kinds = {
            ranking.kind: {
                "model": ranking.model,
                "all": ranking.figures(),
                "categories": {name: ranking.figures(name) for name in self.categories},
                "confusion": {name: ranking.confusion(name) for name in self.categories},
            }
            for ranking in self.rankings
        }
        return {"train": self.train, "val": self.val, **kinds}

    def __str__(self) -> str:
        counts = Counter(self.rankings[0].category.tolist())
        header = ["category", "val"]
        for ranking in self.rankings:
            header += [f"{ranking.kind} P@1", *(f"P@{k}" for k in CUTOFFS[1:]), "mAP"]
        rows = [
            [name, counts[name], *(v for r in self.rankings for v in r.figures(name).values())]
            for name in self.categories
        ]
        rows.append(["all", self.val, *(v for r in self.rankings for v in r.figures().values())])
        lines = [f"{self.val} photos of VAL search {self.train} of TRAIN", format_table(header, rows)]
        return "\n".join([*lines, *filter(None, map(self._most_confused, self.rankings))])

    def _most_confused(self, ranking: CategoryRanking) -> str:
        pairs = [
            (share, f"{name} for {other} {share:.0%}")
            for name in self.categories
            for other, share in ranking.confusion(name).items()
            if other != name
        ]
        most = [text for _, text in sorted(pairs, key=lambda pair: -pair[0])[:3]]
        return f"{ranking.kind} takes {', '.join(most)} (of the first {_CONFUSED_AMONG})" if most else ""


def parse_category(path: str) -> str:
    """Return the category that a photo's path gives: its uppermost folder, or its name without a number.

    ``beach/IMG_1.jpg``, ``beach_3.jpeg``, ``Beach (2).png`` and ``beach.jpg`` are all ``beach``.
    """
    folder, slash, _ = path.partition("/")
    if slash:
        return folder.casefold()
    stem = path.rpartition(".")[0] or path
    return (re.sub(r"[\s_.(-]*\d+\)?$", "", stem) or stem).casefold()


def evaluate_labelled(
    config: Config, train: Path, val: Path, progress: Progress | None = None
) -> LabelledReport:
    """Let each photo of VAL search those of TRAIN, by CLIP and by ViT.

    A photo that lies in both folders does not find itself.

    Parameters
    ----------
    config
        Names the models.
    train, val
        Folders of photos in categories; see `category_of`.
    progress
        For a progress bar.

    Raises
    ------
    UserError
        If a folder has no photos, or TRAIN has one category only, or none of VAL's.
    """
    sides = [make_evaluation_dataset(config, folder) for folder in (train, val)]
    # before the photos are looked at, and again without those that cannot be read
    _count_categories((train, val), [[photo.path for photo in side.photos] for side in sides])
    extracted = [extract_vectors(side, progress=progress) for side in sides]
    entries = [side.current_entries("clip").values() for side in sides]
    known, asked = _count_categories((train, val), [[entry.path for entry in side] for side in entries])
    with open_temporary_collections(sides[0]) as (_, store):
        rankings = tuple(_rank_photos(store, kind, *sides, known, progress) for kind in VECTOR_KINDS)
    searched = len(rankings[0].category)
    if not searched:
        raise UserError(f"{val}: each photo is the only one of its category; more of a category are wanted")
    failed = [
        f"{e.dataset.locate_file(path)}: {reason}" for e in extracted for path, reason in e.failed.items()
    ]
    notes = list_left_out(list(dict.fromkeys(failed)))
    notes += _note_categories(rankings[0], known, asked)
    if copies := _find_copies(*sides):
        are = "is" if len(copies) == 1 else "are"
        named = ", ".join(copies[:3])
        notes.append(
            f"{format_count(len(copies), 'photo')} of VAL {are} also in TRAIN, which flatters: {named}"
        )
    if alone := sum(count for name, count in asked.items() if name in known) - searched:
        only = "is the only one of its category" if alone == 1 else "are the only ones of their category"
        notes.append(f"left out: {format_count(alone, 'photo')} that {only}")
    if known.total() > MAX_HITS:
        notes.append(f"Milvus returns {MAX_HITS:,} photos at most: mAP counts those after them as not found")
    return LabelledReport(known.total(), searched, rankings, tuple(notes))


def _count_categories(
    folders: tuple[Path, Path], paths: Sequence[Sequence[str]]
) -> tuple[Counter[str], Counter[str]]:
    """Count the photos of each category of TRAIN and of VAL; refuse what there is nothing to measure with."""
    known, asked = (Counter(map(parse_category, side)) for side in paths)
    train, val = folders
    if len(known) < 2:
        raise UserError(
            f"{train}: categories are wanted, a subfolder each or in the names (beach_3.jpeg); "
            f"there is only {next(iter(known), 'nothing that can be read')}"
        )
    if not known.keys() & asked.keys():
        raise UserError(f"{val}: no photo is of a category that {train} has: {', '.join(sorted(known)[:8])}")
    return known, asked


def _rank_photos(
    store: Store,
    kind: str,
    train: Dataset,
    val: Dataset,
    known: Counter[str],
    progress: Progress | None,
) -> CategoryRanking:
    config, current = train.config, train.current_entries(kind)
    categories = {key: parse_category(entry.path) for key, entry in current.items()}
    files = {train.locate_file(entry.path).resolve(): key for key, entry in current.items()}
    entries = {k: e for k, e in val.current_entries(kind).items() if parse_category(e.path) in known}
    ids, vectors = val.table(kind).read_vectors(entries.values())
    asked = [entries[key] for key in ids.tolist()]
    category = np.asarray([parse_category(entry.path) for entry in asked])
    first = np.full((len(ids), _CONFUSED_AMONG), "", dtype=f"<U{max(map(len, known))}")
    most = min(len(categories), MAX_HITS)
    relevant = np.zeros((len(ids), most), bool)
    total = np.asarray([known[name] for name in category.tolist()], np.int64)
    pairs = list(enumerate(zip(asked, vectors, strict=True)))
    for row, (entry, vector) in progress(pairs, len(pairs)) if progress else pairs:
        itself = files.get(val.locate_file(entry.path).resolve())
        hits = store.search(CollectionRef(config.dataset.name, kind), vector, most, fields=())
        names = [categories[hit.id] for hit in hits if hit.id != itself]
        first[row, : len(names)] = names[:_CONFUSED_AMONG]
        relevant[row, : len(names)] = [name == category[row] for name in names]
        total[row] -= itself is not None
    rows = total > 0  # not the only one of its category, found in both folders
    name = getattr(config.models, kind)
    return CategoryRanking(kind, name, category[rows], first[rows], relevant[rows], total[rows])


def _note_categories(ranking: CategoryRanking, known: Counter[str], asked: Counter[str]) -> list[str]:
    """Say what makes the figures other than they look."""
    notes = []
    if unknown := sorted(asked.keys() - known.keys()):
        count = format_count(sum(asked[name] for name in unknown), "photo")
        notes.append(f"left out: {count} of {', '.join(unknown[:8])}, which TRAIN does not have")
    if few := sorted(set(ranking.category[ranking.total < CUTOFFS[-1]].tolist())):
        named = ", ".join(few[:8]) + (f" and {len(few) - 8} more" if len(few) > 8 else "")
        notes.append(
            f"TRAIN has fewer than {CUTOFFS[-1]} photos of {named} to be found: "
            f"precision@{CUTOFFS[-1]} cannot reach 1 there"
        )
    return notes


def _find_copies(train: Dataset, val: Dataset) -> list[str]:
    """Return the photos of VAL that TRAIN has too, byte for byte, under another name or in another place."""
    files: dict[bytes, set[Path]] = {}
    for entry in train.current_entries("clip").values():
        files.setdefault(entry.content, set()).add(train.locate_file(entry.path).resolve())
    entries = val.current_entries("clip").values()
    return sorted(
        e.path for e in entries if files.get(e.content, set()) - {val.locate_file(e.path).resolve()}
    )
