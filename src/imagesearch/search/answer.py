"""`Answer`: the photos found, and how the query was parsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from imagesearch.query import ParsedQuery
from imagesearch.search.query import Query
from imagesearch.text import is_numbered_label
from imagesearch.text_table import format_count

MAX_COUNTED = 200
"""Photos that pass a filter are counted up to this number. Counting more would cost more than the search."""


@dataclass(frozen=True)
class SearchResult:
    """One photo found.

    Attributes
    ----------
    rank : int
        Rank, counted from 1.
    path : str
        Relative to the dataset's folder of photos.
    score : float or None
        Cosine similarity, or the fused score of a hybrid search; None if photos were only filtered.
    file : Path
        The file on disk.
    class_label, class_score : str, float
        The most probable ViT class, and its probability.
    people : tuple of str
        The names of the people in the photo.
    marked : tuple of str
        Those of them whom the user put on the photo without a face.
    address, city, country : str
        The place, or empty.
    taken_at : str
        Local time in ISO format, ``2023-04-12T18:02:11``, or empty. If less is known, its beginning.
    calibrated_score : float or None
        The score on a scale from 0 to 1 that is the same for all queries. Photos that show what the query
        describes have at least 0.5.
    burst_count : int
        Number of photos of the same burst that are not shown.
    indexed_at : str
        When the photo was first put into the collections, in UTC, ``2026-11-28T12:31:25Z``, or empty.
    fulfils : tuple of str or None
        In a union: which of the sentence's parts ``who``, ``where`` and ``when`` the photo fulfils. None for
        other strategies.
    time_source, time_precision : str
        Where the time is from, such as ``"exif"`` or ``"name"`` for the file's name, and what is known of it:
        ``"second"``, ``"day"``, ``"month"`` or ``"year"``. Empty if there is no time.
    description : str
        The titles and captions in the photo's metadata.
    gone : bool
        Whether the file no longer exists. Photos of imported vectors are not checked.
    trip : str
        The name of the photo's trip, or empty.
    columns : dict of str to str or tuple of str
        The values of the photo's columns in a list of photos; a list is a tuple.
    trip_by : str
        Why it belongs to the trip: ``"position"``; or ``"time"`` for a photo without a position that was
        taken during the trip. Empty without a trip.
    """

    rank: int
    path: str
    score: float | None
    file: Path
    class_label: str
    class_score: float
    people: tuple[str, ...] = ()
    address: str = ""
    city: str = ""
    country: str = ""
    taken_at: str = ""
    calibrated_score: float | None = None
    burst_count: int = 0
    indexed_at: str = ""
    fulfils: tuple[str, ...] | None = None
    time_source: str = ""
    time_precision: str = ""
    description: str = ""
    gone: bool = False
    trip: str = ""
    trip_by: str = ""
    marked: tuple[str, ...] = ()
    columns: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The people, those with a name before those without, such as ``person 12``."""
        return tuple(sorted(self.people, key=is_numbered_label))

    @property
    def date(self) -> str:
        """The date as far as it is known, such as ``1974-08``; empty if there is none."""
        return self.taken_at[: {"year": 4, "month": 7}.get(self.time_precision, 10)]

    def to_dict(self) -> dict[str, Any]:
        """Return the values that ``--json`` prints."""
        values = asdict(self) | {"file": str(self.file), "people": list(self.people)}
        values["marked"] = list(self.marked)
        # names that --json has used since its first version
        values |= {"fit": values.pop("calibrated_score"), "like_it": values.pop("burst_count")}
        for name, absent in (("fulfils", None), ("columns", {})):
            if values[name] == absent:
                del values[name]
        rounded = {name: None if (v := values[name]) is None else round(v, 6) for name in ("score", "fit")}
        return values | rounded


@dataclass(frozen=True)
class RelaxedFilter:
    """A filter that was used because no photo passed the query's own filter.

    Attributes
    ----------
    description : str
        The filter in words.
    filter_expression : str
        The filter as a Milvus expression.
    candidates : int
        Number of photos that pass it, exact up to `MAX_COUNTED`.
    """

    description: str
    filter_expression: str
    candidates: int

    def to_dict(self) -> dict[str, Any]:
        """Return the values that ``--json`` prints."""
        return {
            "said": self.description,
            "filter": self.filter_expression,
            "candidates": self.candidates,
        }


@dataclass(frozen=True)
class Answer:
    """The answer to a query.

    Attributes
    ----------
    query : Query
        The query.
    parsed : ParsedQuery
        How its sentence was parsed.
    results : tuple of SearchResult
        The photos found, in the order shown.
    filter_expression : str
        The filter as a Milvus expression.
    relaxed : tuple of RelaxedFilter
        The filters used instead, if no photo passed the filter.
    candidates : int
        Number of photos that passed the filter, exact up to `MAX_COUNTED`.
    photos : int
        Number of photos in the collection.
    nothing_fits : bool
        Whether no photo shows what the query describes; then the results are the most similar photos.
    notes : tuple of str
        Remarks for the user, one line each.
    """

    query: Query
    parsed: ParsedQuery
    results: tuple[SearchResult, ...]
    filter_expression: str = ""
    relaxed: tuple[RelaxedFilter, ...] = ()
    candidates: int = 0
    photos: int = 0
    nothing_fits: bool = False
    notes: tuple[str, ...] = ()

    @property
    def present_results(self) -> tuple[SearchResult, ...]:
        """The photos found whose files exist."""
        return tuple(result for result in self.results if not result.gone)

    @property
    def is_ranked_by_face(self) -> bool:
        """Whether the scores are those of the photos' faces, and of nothing else."""
        return self.query.face is not None and not replace(self.query, text=self.parsed.text).has_vector

    @property
    def candidate_count(self) -> str:
        """The number of candidates, or ``200+``."""
        return f"{MAX_COUNTED}+" if MAX_COUNTED < self.candidates < self.photos else str(self.candidates)

    @property
    def read_as(self) -> str:
        """How the query was read: ``Maya · Goa (state) · "on the beaches" — 10 of 240 photos``.

        In a union: ``Maya, or Goa (state); those with more of these first · "a beach" — 80 of 240 photos``.
        """
        is_union = self.query.strategy == "union"
        sentence = self.parsed.union_summary if is_union else self.parsed.summary
        summary = " · ".join(filter(None, (sentence, self.query.options_title)))
        count = f"{self.candidate_count} of " if self.filter_expression else ""
        count += format_count(self.photos, "photo")
        if self.relaxed:
            shown = "shown is" if len(self.results) == 1 else "shown are"
            count += f"; {shown} {format_count(len(self.results), 'other')}"
        return f"{summary} — {count}" if summary else count

    def to_dict(self) -> dict[str, Any]:
        """Return the values that ``--json`` prints."""
        return {
            "query": self.query.title,
            **self.parsed.to_dict(),
            "read_as": self.read_as,
            "strategy": self.query.strategy,
            "filter": self.filter_expression,
            "relaxed": [step.to_dict() for step in self.relaxed],
            "candidates": int(count) if (count := self.candidate_count).isdecimal() else count,
            "photos": self.photos,
            "nothing_fits": self.nothing_fits,
            "notes": list(self.notes),
            "results": [result.to_dict() for result in self.results],
        }
