"""How well photos find photos: those of the same category, and themselves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imagesearch.config import Config
from imagesearch.dataset import Dataset
from imagesearch.errors import UserError
from imagesearch.features import KINDS
from imagesearch.metrics import average_precision, precision_at
from imagesearch.query import Query
from imagesearch.scratch import Extracted, extract, searchable
from imagesearch.search import Searcher
from imagesearch.store import Store
from imagesearch.tabular import table

Progress = Callable[[Iterable[Any], int], Iterable[Any]]

CUTOFFS = (1, 5, 10)
_MOST_HITS = 16_384  # of one search in Milvus
_CONFUSED_AMONG = 5  # results whose categories say what a category is taken for
_FOUND_AMONG = 10  # results that a photo has to be among to count as found
_NAMED = 10  # failures on the terminal


# --- categories --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ranking:
    """How one kind of vectors ranked the photos of TRAIN for each photo of VAL.

    Attributes
    ----------
    kind, model
        ``clip`` or ``vit``, and which one.
    category : (queries,) of str
        Of each photo of VAL.
    found : (queries, n) of str
        Categories of the photos of TRAIN, the most similar first; "" beyond the end.
    total : (queries,) int
        How many photos of TRAIN are of the same category.
    """

    kind: str
    model: str
    category: np.ndarray
    found: np.ndarray
    total: np.ndarray

    @property
    def relevant(self) -> np.ndarray:
        """Whether each photo found is of the same category: (queries, n) bool."""
        return self.found == self.category[:, None]

    def figures(self, category: str | None = None) -> dict[str, float]:
        """Return precision@1, @5, @10 and mAP, averaged over the photos of one category or all."""
        rows = slice(None) if category is None else self.category == category
        relevant = self.relevant[rows]
        figures = {f"precision@{k}": float(precision_at(relevant, k).mean()) for k in CUTOFFS}
        return figures | {"map": float(average_precision(relevant, self.total[rows]).mean())}

    def confusion(self, category: str) -> dict[str, float]:
        """Return what the first five results of a category's photos are, as shares, the largest first."""
        first = self.found[self.category == category, :_CONFUSED_AMONG].ravel()
        return {str(name): count / len(first) for name, count in Counter(first.tolist()).most_common()}


@dataclass(frozen=True)
class LabelledReport:
    """How well the photos of VAL find those of their category in TRAIN, by each kind of vectors."""

    train: int
    val: int
    rankings: tuple[Ranking, ...]
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
        lines = [f"{self.val} photos of VAL search {self.train} of TRAIN", table(header, rows)]
        return "\n".join([*lines, *filter(None, map(self._most_confused, self.rankings))])

    def _most_confused(self, ranking: Ranking) -> str:
        pairs = [
            (share, f"{name} for {other} {share:.0%}")
            for name in self.categories
            for other, share in ranking.confusion(name).items()
            if other not in (name, "")
        ]
        most = [text for _, text in sorted(pairs, key=lambda pair: -pair[0])[:3]]
        return f"{ranking.kind} takes {', '.join(most)} (of the first {_CONFUSED_AMONG})" if most else ""


def category_of(path: str) -> str:
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
    sides = [extract(config, folder, progress=progress) for folder in (train, val)]
    known = Counter(category_of(entry.path) for entry in sides[0].dataset.current("clip").values())
    if len(known) < 2:
        raise UserError(
            f"{train}: categories are wanted, a subfolder each or in the names (beach_3.jpeg); "
            f"there is only {next(iter(known), 'nothing that can be read')}"
        )
    with searchable(sides[0]) as (scratch, store):
        rankings = tuple(_rank(scratch, store, kind, *sides, known, progress) for kind in KINDS)
    if not len(rankings[0].category):
        raise UserError(f"{val}: no photo is of a category that {train} has: {', '.join(sorted(known)[:8])}")
    notes = [*_failures(sides), *_about_categories(*sides, known)]
    searched = len(rankings[0].category)
    alone = sum(category_of(e.path) in known for e in sides[1].dataset.current("clip").values()) - searched
    notes += [f"left out: {alone} photos that are the only ones of their category"] if alone else []
    return LabelledReport(sum(known.values()), searched, rankings, tuple(notes))


def _rank(
    config: Config,
    store: Store,
    kind: str,
    train: Extracted,
    val: Extracted,
    known: Counter[str],
    progress: Progress | None,
) -> Ranking:
    categories = {key: category_of(entry.path) for key, entry in train.dataset.current(kind).items()}
    files = {train.dataset.file(e.path).resolve(): key for key, e in train.dataset.current(kind).items()}
    entries = {k: e for k, e in val.dataset.current(kind).items() if category_of(e.path) in known}
    ids, vectors = val.dataset.table(kind).vectors(entries.values())
    most = min(len(categories), _MOST_HITS)
    found = np.full((len(ids), most), "", dtype=f"<U{max(map(len, known))}")
    asked = [entries[key] for key in ids.tolist()]
    total = np.asarray([known[category_of(entry.path)] for entry in asked], np.int64)
    pairs = list(enumerate(zip(asked, vectors, strict=True)))
    for row, (entry, vector) in progress(pairs, len(pairs)) if progress else pairs:
        hits = store.search(config.dataset.name, kind, vector, most, fields=())
        itself = files.get(val.dataset.file(entry.path).resolve())
        names = [categories[hit.id] for hit in hits if hit.id != itself]
        found[row, : len(names)] = names
        total[row] -= itself is not None
    asked_for = np.asarray([category_of(entry.path) for entry in asked], found.dtype)
    findable = total > 0  # not the only one of its category, found in both folders
    return Ranking(kind, getattr(config.models, kind), asked_for[findable], found[findable], total[findable])


def _failures(sides: Iterable[Extracted]) -> list[str]:
    failed = [f"{side.dataset.file(p)}: {reason}" for side in sides for p, reason in side.failed.items()]
    rest = len(failed) - _NAMED
    return [f"left out: {line}" for line in failed[:_NAMED]] + (
        [f"left out: and {rest} more photos"] if rest > 0 else []
    )


def _about_categories(train: Extracted, val: Extracted, known: Counter[str]) -> list[str]:
    """Say what makes the figures other than they look."""
    notes = []
    entries = val.dataset.current("clip").values()
    asked = Counter(category_of(entry.path) for entry in entries)
    unknown = sorted(asked.keys() - known.keys())
    if unknown:
        count = sum(asked[name] for name in unknown)
        notes.append(f"left out: {count} photos of {', '.join(unknown[:8])}, which TRAIN does not have")
    few = sorted(name for name in asked if 0 < known[name] < CUTOFFS[-1])
    if few:
        named = ", ".join(few[:8]) + (f" and {len(few) - 8} more" if len(few) > 8 else "")
        notes.append(
            f"TRAIN has fewer than {CUTOFFS[-1]} photos of {named}: "
            f"precision@{CUTOFFS[-1]} cannot reach 1 there"
        )
    copies = _copies(train.dataset, val.dataset)
    if copies:
        notes.append(
            f"{len(copies)} photos of VAL are also in TRAIN, which flatters: {', '.join(copies[:3])}"
        )
    return notes


def _copies(train: Dataset, val: Dataset) -> list[str]:
    """Return the photos of VAL that TRAIN has too, byte for byte, under another name or in another place."""
    files: dict[bytes, set[Path]] = {}
    for entry in train.current("clip").values():
        files.setdefault(entry.content, set()).add(train.file(entry.path).resolve())
    entries = val.current("clip").values()
    return sorted(e.path for e in entries if files.get(e.content, set()) - {val.file(e.path).resolve()})


# --- itself ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Missed:
    """A photo that was not the first to be found by itself, and what was."""

    path: str
    rank: int | None
    first: str
    first_score: float
    score: float | None

    def __str__(self) -> str:
        where = f"at {self.rank}" if self.rank else f"not among the first {_FOUND_AMONG}"
        twins = self.score is not None and self.first_score - self.score < 1e-4
        why = "which looks the same to this model" if twins else f"with {self.first_score:.4f}"
        return f"{self.path} finds itself {where}; first is {self.first or 'nothing'}, {why}"


@dataclass(frozen=True)
class SelfRanking:
    """Where the photos of a collection find themselves, by one kind of vectors."""

    kind: str
    model: str
    ranks: np.ndarray
    """(n,) int64; 0 where a photo is not among the first ten."""
    missed: tuple[Missed, ...]

    def figures(self) -> dict[str, float]:
        """Return hits@1, hits@5 and recall among the first ten."""
        found = self.ranks > 0
        hits = {f"hits@{k}": float((found & (self.ranks <= k)).mean()) for k in (1, 5)}
        return hits | {"recall": float(found.mean())}


@dataclass(frozen=True)
class SelfReport:
    """Whether the photos of a collection find themselves."""

    rankings: tuple[SelfRanking, ...]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            ranking.kind: {
                "model": ranking.model,
                "photos": len(ranking.ranks),
                **ranking.figures(),
                "missed": [vars(missed) for missed in ranking.missed],
            }
            for ranking in self.rankings
        }

    def __str__(self) -> str:
        rows = [[r.kind, len(r.ranks), *r.figures().values()] for r in self.rankings]
        lines = [table(["vectors", "photos", "hits@1", "hits@5", "recall"], rows)]
        for ranking in self.rankings:
            lines += [f"{ranking.kind}: {missed}" for missed in ranking.missed[:_NAMED]]
            rest = len(ranking.missed) - _NAMED
            lines += [f"{ranking.kind}: and {rest} more; --json has them all"] if rest > 0 else []
        return "\n".join(lines)


def evaluate_self(config: Config, folder: Path | None = None, progress: Progress | None = None) -> SelfReport:
    """Let each photo search the collection that it is in, as ``06_search.py --image`` does.

    Its file is decoded and encoded anew, by itself: what the whole way from the file to the answer loses,
    through another decoder, half precision or an approximate index, is seen here.

    Parameters
    ----------
    config
        Names the models, and the dataset.
    folder
        Photos to index in a scratch collection; None for the dataset's own collections.
    progress
        For a progress bar.

    Raises
    ------
    UserError
        If there are no photos or collections.
    """
    if folder is None:
        with Store(config.milvus) as store:
            return _find_selves(config, Dataset(config), store, [], progress)
    photos = extract(config, folder, progress=progress)
    with searchable(photos) as (scratch, store):
        return _find_selves(scratch, photos.dataset, store, _failures([photos]), progress)


def _find_selves(
    config: Config, dataset: Dataset, store: Store, notes: Sequence[str], progress: Progress | None
) -> SelfReport:
    kinds = [kind for kind in KINDS if store.find(config.dataset.name, kind)] or ["clip"]
    searcher = Searcher(config, dataset, store)
    rankings, notes = [], list(notes)
    for kind in kinds:
        ranks, missed = [], []
        paths = sorted(entry.path for entry in dataset.current(kind).values())
        for path in progress(paths, len(paths)) if progress else paths:
            query = Query(image=dataset.file(path), by=kind, top_k=_FOUND_AMONG)
            try:
                results = searcher.search(query).results
            except UserError as error:
                if not ranks:
                    raise
                notes.append(f"left out: {error}")
                continue
            itself = next((result for result in results if result.path == path), None)
            ranks.append(itself.rank if itself else 0)
            if ranks[-1] != 1:
                first = (results[0].path, results[0].score) if results else ("", 0.0)
                missed.append(Missed(path, ranks[-1] or None, *first, itself.score if itself else None))
        if not ranks:
            raise UserError(f"{dataset.folder}: no {kind} vectors of the photos; run 01_extract_features.py")
        rankings.append(
            SelfRanking(kind, getattr(config.models, kind), np.asarray(ranks, np.int64), tuple(missed))
        )
    return SelfReport(tuple(rankings), tuple(notes))
