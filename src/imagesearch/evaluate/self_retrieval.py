"""Self-retrieval: each photo of a collection searches for itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imagesearch.config import Config
from imagesearch.errors import UnreadablePhotoError, UserError
from imagesearch.evaluate.temporary_collection import (
    MAX_LISTED,
    extract_vectors,
    format_left_out,
    make_evaluation_dataset,
    open_temporary_collections,
)
from imagesearch.features import VECTOR_KINDS
from imagesearch.pipeline import Dataset, Progress
from imagesearch.search import Query, Searcher, SearchResult
from imagesearch.store import STEP_SCRIPTS, CollectionRef, Store
from imagesearch.text_table import format_count, format_table

_CUTOFF = 10
"""The k of recall@k: a photo that is not among its own first k results counts as not found."""


@dataclass(frozen=True)
class MissedPhoto:
    """A photo that is not its own first result, and the photo that is.

    ``--json`` prints the field names as keys.
    """

    path: str
    rank: int | None
    first: str
    first_score: float
    score: float | None

    def __str__(self) -> str:
        rank = self.rank or f"above {_CUTOFF}"
        is_twin = self.score is not None and self.first_score - self.score < 1e-4
        detail = "has the same vector" if is_twin else f"score {self.first_score:.4f}"
        return f"{self.path}: own rank {rank}; first result {self.first or 'none'} ({detail})"


@dataclass(frozen=True)
class SelfRanking:
    """The rank of each photo among its own results, for one kind of vectors."""

    kind: str
    model: str
    ranks: np.ndarray
    """(n,) int64, counted from 1; 0 where a photo is not among the first ten."""
    missed: tuple[MissedPhoto, ...]

    def compute_metrics(self) -> dict[str, float]:
        """Return hits@1, hits@5 and recall@10."""
        found = self.ranks > 0
        hits = {f"hits@{k}": float((found & (self.ranks <= k)).mean()) for k in (1, 5)}
        return hits | {"recall": float(found.mean())}


@dataclass(frozen=True)
class SelfReport:
    """Results of self-retrieval for each kind of vectors."""

    rankings: tuple[SelfRanking, ...]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            ranking.kind: {
                "model": ranking.model,
                "photos": len(ranking.ranks),
                **ranking.compute_metrics(),
                "missed": [vars(missed) for missed in ranking.missed],
            }
            for ranking in self.rankings
        }

    def __str__(self) -> str:
        rows = [[r.kind, len(r.ranks), *r.compute_metrics().values()] for r in self.rankings]
        lines = [format_table(["vectors", "photos", "hits@1", "hits@5", "recall"], rows)]
        for ranking in self.rankings:
            lines += [f"{ranking.kind}: {missed}" for missed in ranking.missed[:MAX_LISTED]]
            rest = len(ranking.missed) - MAX_LISTED
            lines += [f"{ranking.kind}: and {rest} more; --json lists all of them"] if rest > 0 else []
        return "\n".join(lines)


def evaluate_self(config: Config, folder: Path | None = None, progress: Progress | None = None) -> SelfReport:
    """Let each photo search for itself in its collection, as ``06_search.py --image --with-itself`` does.

    Each file is decoded and encoded again. So the result includes every loss between file and answer, for
    example by another decoder, half precision or an approximate index.

    Parameters
    ----------
    config
        Provides the models and the dataset.
    folder
        Photos to index in a temporary collection; None for the dataset's own collections.
    progress
        Optional; shows a progress bar.

    Raises
    ------
    UserError
        If there are no photos or no collections.
    """
    if folder is None:
        with Store(config.milvus, create=False) as store:
            return _evaluate_collections(Dataset(config), store, [], progress)
    extracted = extract_vectors(make_evaluation_dataset(config, folder), progress=progress)
    failed = [f"{extracted.dataset.locate_file(path)}: {reason}" for path, reason in extracted.failed.items()]
    with open_temporary_collections(extracted.dataset) as (temporary_config, store):
        return _evaluate_collections(Dataset(temporary_config), store, failed, progress)


def _evaluate_collections(
    dataset: Dataset, store: Store, failed: Sequence[str], progress: Progress | None
) -> SelfReport:
    """Let each photo search for itself in each collection of a dataset."""
    name = dataset.config.dataset.name
    kinds = [kind for kind in VECTOR_KINDS if store.collections.find(CollectionRef(name, kind))] or ["clip"]
    searcher = Searcher(dataset.config, dataset, store)
    rankings: list[SelfRanking] = []
    unreadable: dict[str, str] = {}
    absent: set[str] = set()
    for kind in kinds:
        stored, not_stored = _split_by_presence(dataset, store, kind)
        ranking, failed_here = _rank_photos(searcher, kind, stored, progress)
        absent |= not_stored
        unreadable |= failed_here
        if not len(ranking.ranks):
            reason = next(
                iter(unreadable.values()), f"{name} has none of its photos in the {kind} collection"
            )
            raise UserError(f"no photo can search for itself: {reason}; run 05_build_collections.py")
        rankings.append(ranking)
    notes = format_left_out([*failed, *unreadable.values()])
    if absent:
        photos = format_count(len(absent), "photo")
        notes.append(f"left out: {photos} not in the collections; run 05_build_collections.py")
    return SelfReport(tuple(rankings), tuple(notes))


def _split_by_presence(dataset: Dataset, store: Store, kind: str) -> tuple[list[str], set[str]]:
    """Return the paths of the photos in a collection, sorted, and of those that are not in it."""
    current = dataset.read_current_entries(kind)
    if not current:
        raise UserError(f"{dataset.folder}: no {kind} vectors of the photos; run {STEP_SCRIPTS[kind]}")
    ref = CollectionRef(dataset.config.dataset.name, kind)
    keys = {hit.id for hit in store.read_rows(ref, list(current), ())}
    stored = sorted(entry.path for key, entry in current.items() if key in keys)
    return stored, {entry.path for key, entry in current.items() if key not in keys}


def _rank_photos(
    searcher: Searcher, kind: str, paths: Sequence[str], progress: Progress | None
) -> tuple[SelfRanking, dict[str, str]]:
    """Let photos search one collection; also return, by path, why some photos cannot be read."""
    ranks, missed, unreadable = [], [], {}
    for path in progress(paths, len(paths)) if progress else paths:
        file = searcher.resources.dataset.locate_file(path)
        query = Query(images=(file,), by=kind, top_k=_CUTOFF, with_itself=True)
        try:
            results = searcher.search(query).results
        except UnreadablePhotoError as error:
            unreadable[path] = str(error)
            continue
        own_result = next((result for result in results if result.path == path), None)
        ranks.append(own_result.rank if own_result else 0)
        if ranks[-1] != 1:
            missed.append(_describe_missed(path, own_result, results))
    model = getattr(searcher.resources.config.models, kind)
    return SelfRanking(kind, model, np.asarray(ranks, np.int64), tuple(missed)), unreadable


def _describe_missed(
    path: str, own_result: SearchResult | None, results: Sequence[SearchResult]
) -> MissedPhoto:
    """Return the rank of a photo among its own results, and its first result."""
    first, first_score = (results[0].path, results[0].score) if results else ("", 0.0)
    rank, score = (own_result.rank, own_result.score) if own_result else (None, None)
    return MissedPhoto(path, rank, first, first_score, score)
