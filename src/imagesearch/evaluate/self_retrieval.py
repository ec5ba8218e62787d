"""Whether photos find themselves in the collection that they are in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imagesearch.config import Config
from imagesearch.errors import UnreadablePhotoError, UserError
from imagesearch.evaluate.temporary_collection import (
    MAX_NAMED,
    extract_vectors,
    list_left_out,
    make_evaluation_dataset,
    open_temporary_collections,
)
from imagesearch.features import VECTOR_KINDS
from imagesearch.pipeline import Dataset
from imagesearch.search import Query, Searcher
from imagesearch.store import STEP_SCRIPTS, CollectionRef, Store
from imagesearch.text_table import format_count, format_table

Progress = Callable[[Iterable[Any], int], Iterable[Any]]

_FOUND_AMONG = 10  # results that a photo has to be among to count as found


@dataclass(frozen=True)
class MissedPhoto:
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
    missed: tuple[MissedPhoto, ...]

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
        lines = [format_table(["vectors", "photos", "hits@1", "hits@5", "recall"], rows)]
        for ranking in self.rankings:
            lines += [f"{ranking.kind}: {missed}" for missed in ranking.missed[:MAX_NAMED]]
            rest = len(ranking.missed) - MAX_NAMED
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
            return _find_selves(Dataset(config), store, [], progress)
    photos = extract_vectors(make_evaluation_dataset(config, folder), progress=progress)
    failed = [f"{photos.dataset.locate_file(path)}: {reason}" for path, reason in photos.failed.items()]
    with open_temporary_collections(photos.dataset) as (scratch, store):
        return _find_selves(Dataset(scratch), store, failed, progress)


def _find_selves(
    dataset: Dataset, store: Store, failed: Sequence[str], progress: Progress | None
) -> SelfReport:
    config = dataset.config
    name = config.dataset.name
    kinds = [kind for kind in VECTOR_KINDS if store.collections.find(CollectionRef(name, kind))] or ["clip"]
    searcher = Searcher(config, dataset, store)
    rankings, unreadable, absent = [], {}, set()
    for kind in kinds:
        current = dataset.current_entries(kind)
        if not current:
            raise UserError(f"{dataset.folder}: no {kind} vectors of the photos; run {STEP_SCRIPTS[kind]}")
        stored = {hit.id for hit in store.read_rows(CollectionRef(name, kind), list(current), ())}
        absent |= {entry.path for key, entry in current.items() if key not in stored}
        paths = sorted(entry.path for key, entry in current.items() if key in stored)
        ranks, missed = [], []
        for path in progress(paths, len(paths)) if progress else paths:
            query = Query(image=dataset.locate_file(path), by=kind, top_k=_FOUND_AMONG)
            try:
                results = searcher.search(query).results
            except UnreadablePhotoError as error:
                unreadable[path] = str(error)
                continue
            itself = next((result for result in results if result.path == path), None)
            ranks.append(itself.rank if itself else 0)
            if ranks[-1] != 1:
                first = (results[0].path, results[0].score) if results else ("", 0.0)
                missed.append(MissedPhoto(path, ranks[-1] or None, *first, itself.score if itself else None))
        if not ranks:
            why = next(iter(unreadable.values()), f"{name} has none of its photos in the {kind} collection")
            raise UserError(f"no photo can look for itself: {why}; run 05_build_collections.py")
        rankings.append(
            SelfRanking(kind, getattr(config.models, kind), np.asarray(ranks, np.int64), tuple(missed))
        )
    notes = list_left_out([*failed, *unreadable.values()])
    if absent:
        lacking = f"{format_count(len(absent), 'photo')} that the collections lack"
        notes.append(f"left out: {lacking}; run 05_build_collections.py")
    return SelfReport(tuple(rankings), tuple(notes))
