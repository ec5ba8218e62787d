"""Retrieval by category: photos of VAL search photos of the same category in TRAIN."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.evaluate.metrics import CUTOFFS, compute_average_precision, compute_precision_at
from imagesearch.evaluate.temporary_collection import (
    extract_vectors,
    format_left_out,
    make_evaluation_dataset,
    open_temporary_collections,
)
from imagesearch.features import VECTOR_KINDS
from imagesearch.pipeline import Dataset, ProcessedPhoto, Progress
from imagesearch.store import MAX_HITS, CollectionRef, Store
from imagesearch.text_table import format_count, format_table

_CONFUSION_CUTOFF = 5
"""Number of first results that the confusion of categories is measured on."""


@dataclass(frozen=True)
class CategoryRanking:
    """The ranking of the photos of TRAIN for each photo of VAL, by one kind of vectors.

    Attributes
    ----------
    kind, model
        ``clip`` or ``vit``, and the name of the model.
    query_categories : (queries,) of str
        The category of each photo of VAL.
    top_categories : (queries, 5) of str
        The categories of the first results in TRAIN; "" if there are fewer results.
    relevant : (queries, n) bool
        Whether each result is of the same category, most similar first; False if there are fewer results.
    relevant_counts : (queries,) int
        The number of photos of TRAIN of the same category.
    """

    kind: str
    model: str
    query_categories: np.ndarray
    top_categories: np.ndarray
    relevant: np.ndarray
    relevant_counts: np.ndarray

    @functools.cached_property
    def _metrics_by_query(self) -> dict[str, np.ndarray]:
        """Each metric for each photo of VAL, (queries,) float64."""
        precisions = {f"precision@{k}": compute_precision_at(self.relevant, k) for k in CUTOFFS}
        # row by row: the intermediate arrays take eight times the memory of `relevant`
        rows = zip(self.relevant, self.relevant_counts, strict=True)
        averages = [compute_average_precision(row[None], count)[0] for row, count in rows]
        return precisions | {"map": np.asarray(averages)}

    def compute_metrics(self, category: str | None = None) -> dict[str, float]:
        """Return precision@1, @5, @10 and mAP over the photos of one category, or of all."""
        rows = slice(None) if category is None else self.query_categories == category
        return {name: float(values[rows].mean()) for name, values in self._metrics_by_query.items()}

    def compute_confusion(self, category: str) -> dict[str, float]:
        """Return the share of each category among the first five results of a category, largest first."""
        top = self.top_categories[self.query_categories == category]
        counts = Counter(top[top != ""].tolist())
        return {name: count / counts.total() for name, count in counts.most_common()}


@dataclass(frozen=True)
class LabelledReport:
    """Results of retrieval by category for each kind of vectors."""

    train: int
    val: int
    rankings: tuple[CategoryRanking, ...]
    notes: tuple[str, ...] = ()

    @property
    def categories(self) -> list[str]:
        """The categories of VAL, sorted."""
        return sorted(set(self.rankings[0].query_categories.tolist()))

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        kinds = {
            ranking.kind: {
                "model": ranking.model,
                "all": ranking.compute_metrics(),
                "categories": {name: ranking.compute_metrics(name) for name in self.categories},
                "confusion": {name: ranking.compute_confusion(name) for name in self.categories},
            }
            for ranking in self.rankings
        }
        return {"train": self.train, "val": self.val, **kinds}

    def __str__(self) -> str:
        counts = Counter(self.rankings[0].query_categories.tolist())
        header = ["category", "val"]
        for ranking in self.rankings:
            header += [f"{ranking.kind} P@1", *(f"P@{k}" for k in CUTOFFS[1:]), "mAP"]
        rows = [[name, counts[name], *self._list_metrics(name)] for name in self.categories]
        rows.append(["all", self.val, *self._list_metrics()])
        head = (
            f"{format_count(self.val, 'photo of VAL searches', 'photos of VAL search')} {self.train} of TRAIN"
        )
        lines = [head, format_table(header, rows)]
        return "\n".join([*lines, *filter(None, map(self._format_confusion, self.rankings))])

    def _list_metrics(self, category: str | None = None) -> list[float]:
        """Return the metrics of one category, or of all, for each kind of vectors in order."""
        return [value for r in self.rankings for value in r.compute_metrics(category).values()]

    def _format_confusion(self, ranking: CategoryRanking) -> str:
        """Describe the three most frequent confusions of categories."""
        pairs = [
            (share, f"{other} instead of {name} {share:.0%}")
            for name in self.categories
            for other, share in ranking.compute_confusion(name).items()
            if other != name
        ]
        most = [text for _, text in sorted(pairs, key=lambda pair: -pair[0])[:3]]
        head = f"{ranking.kind} confusions in the first {_CONFUSION_CUTOFF} results"
        return f"{head}: {', '.join(most)}" if most else ""


def parse_category(path: str) -> str:
    """Return the category of a photo's path: its top folder, or its file name without the number.

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
    """Let each photo of VAL search the photos of TRAIN, by CLIP and by ViT vectors.

    A file that is in both folders is removed from its own results.

    Parameters
    ----------
    config
        Provides the models.
    train, val
        Folders of photos in categories; see `parse_category`.
    progress
        Optional; shows a progress bar.

    Raises
    ------
    UserError
        If a folder has no photos, if TRAIN has fewer than two categories, or if it has none of VAL's.
    """
    sides = [make_evaluation_dataset(config, folder) for folder in (train, val)]
    # checked by file names before the extraction, then again without the photos that cannot be read
    _count_categories((train, val), [[photo.path for photo in side.photos] for side in sides])
    extracted = [extract_vectors(side, progress=progress) for side in sides]
    entries = [side.read_current_entries("clip").values() for side in sides]
    counts = _count_categories((train, val), [[entry.path for entry in side] for side in entries])
    with open_temporary_collections(sides[0]) as (_, store):
        rankings = tuple(_rank_photos(store, kind, *sides, counts[0], progress) for kind in VECTOR_KINDS)
    if not len(rankings[0].query_categories):
        raise UserError(
            f"{val}: each photo is the only one of its category; expected several photos of a category"
        )
    failed = [
        f"{side.dataset.locate_file(path)}: {reason}"
        for side in extracted
        for path, reason in side.failed.items()
    ]
    notes = format_left_out(list(dict.fromkeys(failed)))
    notes += _describe_caveats(rankings[0], *counts, copies=_find_copies(*sides))
    return LabelledReport(counts[0].total(), len(rankings[0].query_categories), rankings, tuple(notes))


def _count_categories(
    folders: tuple[Path, Path], paths: Sequence[Sequence[str]]
) -> tuple[Counter[str], Counter[str]]:
    """Count the photos of each category of TRAIN and of VAL.

    Raises
    ------
    UserError
        If nothing can be measured with these categories.
    """
    train_counts, val_counts = (Counter(map(parse_category, side)) for side in paths)
    train, val = folders
    if len(train_counts) < 2:
        raise UserError(
            f"{train}: expected at least two categories, as subfolders or in file names (beach_3.jpeg); "
            f"found only {next(iter(train_counts), 'files that cannot be read')}"
        )
    if not train_counts.keys() & val_counts.keys():
        known = ", ".join(sorted(train_counts)[:8])
        raise UserError(f"{val}: none of its categories is in {train}, which has: {known}")
    return train_counts, val_counts


def _rank_photos(
    store: Store,
    kind: str,
    train: Dataset,
    val: Dataset,
    train_counts: Counter[str],
    progress: Progress | None,
) -> CategoryRanking:
    """Rank the photos of TRAIN by their similarity to each photo of VAL with a category of TRAIN."""
    entries, vectors = _read_queries(val, kind, train_counts)
    train_entries = train.read_current_entries(kind)
    category_of = {key: parse_category(entry.path) for key, entry in train_entries.items()}
    key_of = {train.locate_file(entry.path).resolve(): key for key, entry in train_entries.items()}
    query_categories = np.asarray([parse_category(entry.path) for entry in entries])
    limit = min(len(category_of), MAX_HITS)
    longest = max(map(len, train_counts))
    top_categories = np.full((len(entries), _CONFUSION_CUTOFF), "", dtype=f"<U{longest}")
    relevant = np.zeros((len(entries), limit), bool)
    relevant_counts = np.asarray([train_counts[name] for name in query_categories.tolist()], np.int64)
    pairs = list(enumerate(zip(entries, vectors, strict=True)))
    for row, (entry, vector) in progress(pairs, len(pairs)) if progress else pairs:
        own_key = key_of.get(val.locate_file(entry.path).resolve())
        hits = store.search(CollectionRef(train.config.dataset.name, kind), vector, limit, fields=())
        names = [category_of[hit.id] for hit in hits if hit.id != own_key]
        top_categories[row, : len(names)] = names[:_CONFUSION_CUTOFF]
        relevant[row, : len(names)] = [name == query_categories[row] for name in names]
        relevant_counts[row] -= own_key is not None
    rows = relevant_counts > 0  # without photos that are the only one of their category
    model = getattr(train.config.models, kind)
    columns = (query_categories, top_categories, relevant, relevant_counts)
    return CategoryRanking(kind, model, *(column[rows] for column in columns))


def _read_queries(
    val: Dataset, kind: str, train_counts: Counter[str]
) -> tuple[list[ProcessedPhoto], np.ndarray]:
    """Return the photos of VAL with a category of TRAIN, and their vectors in the same order."""
    current = val.read_current_entries(kind).items()
    entries = {key: entry for key, entry in current if parse_category(entry.path) in train_counts}
    ids, vectors = val.open_table(kind).read_vectors(entries.values())
    return [entries[key] for key in ids.tolist()], vectors


def _describe_caveats(
    ranking: CategoryRanking, train_counts: Counter[str], val_counts: Counter[str], *, copies: Sequence[str]
) -> list[str]:
    """Return notes on what was left out, and on what makes the metrics higher or lower than expected."""
    notes = []
    if unknown := sorted(val_counts.keys() - train_counts.keys()):
        count = format_count(sum(val_counts[name] for name in unknown), "photo")
        notes.append(f"left out: {count} of {', '.join(unknown[:8])}, which TRAIN does not contain")
    if few := sorted(set(ranking.query_categories[ranking.relevant_counts < CUTOFFS[-1]].tolist())):
        named = ", ".join(few[:8]) + (f" and {len(few) - 8} more" if len(few) > 8 else "")
        notes.append(
            f"TRAIN has fewer than {CUTOFFS[-1]} relevant photos of {named}: "
            f"precision@{CUTOFFS[-1]} cannot reach 1"
        )
    if copies:
        are = "is" if len(copies) == 1 else "are"
        named = ", ".join(copies[:3])
        count = format_count(len(copies), "photo")
        notes.append(f"{count} of VAL {are} also in TRAIN, which raises the metrics: {named}")
    comparable = sum(count for name, count in val_counts.items() if name in train_counts)
    if alone := comparable - len(ranking.query_categories):
        only = "is the only one of its category" if alone == 1 else "are the only ones of their category"
        notes.append(f"left out: {format_count(alone, 'photo')} that {only}")
    if train_counts.total() > MAX_HITS:
        notes.append(f"Milvus returns {MAX_HITS:,} photos at most: mAP counts all others as not found")
    return notes


def _find_copies(train: Dataset, val: Dataset) -> list[str]:
    """Return the photos of VAL that have an identical file with another path in TRAIN."""
    files: dict[bytes, set[Path]] = {}
    for entry in train.read_current_entries("clip").values():
        files.setdefault(entry.content, set()).add(train.locate_file(entry.path).resolve())
    entries = val.read_current_entries("clip").values()
    return sorted(
        e.path for e in entries if files.get(e.content, set()) - {val.locate_file(e.path).resolve()}
    )
