"""Queries and answers: everything a search can be asked for, and everything it returns."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from imagesearch.errors import UserError
from imagesearch.filters import MATCH_ALL, Condition
from imagesearch.photos import EXTENSIONS
from imagesearch.query import Criteria, ParsedQuery

MAX_COUNTED = 200
"""Candidates are counted up to this many; beyond, counting would cost more than the search."""


@dataclass(frozen=True)
class Query:
    """What is searched for.

    Parameters
    ----------
    text
        A sentence: who, where, when, and what the photos should show.
    strategy
        ``"filter"``: who, where and when are a filter, what is left is compared by CLIP; ``"hybrid"``:
        CLIP and BM25 over names and places, fused; ``"semantic"``: CLIP alone, for the whole sentence.
    strict
        Never relax the sentence's filter when no photo passes it.
    today
        What *yesterday* and *last summer* are counted from; None is the day it is.
    image
        A photo that they should be like.
    face
        A photo of somebody who should be in them: its largest face counts.
    by
        Whose vectors are compared: ``"clip"``, or ``"vit"`` for a photo alone.
    plus, minus
        Texts whose vectors are added and subtracted.
    weight_text, weight_image
        How much text and photo pull, each relative to how its similarities scatter.
    folder
        Look only below this folder of the dataset.
    criteria, where
        What else the photos must fulfil, as people write it and as conditions on their fields. A query of
        these alone lists photos, newest first.
    top_k
        At most so many results.
    min_score, min_fit
        Leave out what scores less; the second is of calibrated scores, 0 to 1 for any query alike.
    sort
        ``"score"``, or ``"date"``: the relevant photos, newest first.
    collapse
        Show one photo of a burst.
    """

    text: str = ""
    strategy: str = "filter"
    strict: bool = False
    today: date | None = None
    image: Path | None = None
    face: Path | None = None
    by: str = "clip"
    plus: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    weight_text: float = 1.0
    weight_image: float = 1.0
    folder: str = ""
    criteria: Criteria = field(default_factory=Criteria)
    where: Condition = MATCH_ALL
    top_k: int = 10
    min_score: float | None = None
    min_fit: float | None = None
    sort: str = "score"
    collapse: bool = False

    def with_line(self, line: str, results: Sequence[SearchResult] = ()) -> Query:
        """Return this query with a line that a person typed: a sentence, the name of a photo, ``like 3``,
        or ``like 3 in goa``.

        Parameters
        ----------
        line
            As it was typed.
        results
            Of the last answer.

        Raises
        ------
        UserError
            If the last answer has no such result.
        """
        if like := re.fullmatch(r"(?:--)?like\s+(\d{1,5})(?:\s+(.*))?", line.strip(), re.IGNORECASE):
            rank, text = int(like[1]), like[2] or ""
            if not 1 <= rank <= len(results):
                raise UserError(f"{line}: the last answer has {len(results)} results")
            return replace(self, image=results[rank - 1].file, text=text)
        # os.path and not pathlib, which raises for "~nobody" and for lines too long to be names
        file = os.path.expanduser(line)  # noqa: PTH111 - see above
        is_photo = line.rpartition(".")[2].lower() in EXTENSIONS and os.path.isfile(file)  # noqa: PTH113 - see above
        return replace(self, image=Path(file)) if is_photo else replace(self, text=line)

    @property
    def has_vector(self) -> bool:
        """Whether photos are compared to something, and not only filtered."""
        return bool(self.text.strip() or self.image or self.plus)

    @property
    def has_filter(self) -> bool:
        """Whether photos have to fulfil something, besides lying below a folder."""
        return self.criteria != Criteria() or self.where != MATCH_ALL

    @property
    def is_one_text(self) -> bool:
        """Whether photos are compared to one text and nothing else, by CLIP's similarity."""
        mixed = self.image or self.plus or self.minus
        return bool(self.text and not mixed and self.by == "clip" and self.strategy != "hybrid")

    @property
    def filter_summary(self) -> str:
        """What options ask for besides, in words: it always holds."""
        folder = f"in {self.folder}" if self.folder else ""
        face = f"with the face in {self.face.name}" if self.face else ""
        options = ", ".join(filter(None, (face, folder, self.criteria.title)))
        return f"({options})" if options else ""

    @property
    def title(self) -> str:
        """The query in words."""
        return " ".join(filter(None, (self.text, self.non_text_summary)))

    @property
    def non_text_summary(self) -> str:
        """What is asked for besides the sentence, in words."""
        parts = [f"like {self.image.name}"] if self.image else []
        parts += [f"with the face in {self.face.name}"] if self.face else []
        parts += [f"+ {text}" for text in self.plus] + [f"- {text}" for text in self.minus]
        parts += [f"in {self.folder}"] if self.folder else []
        parts += [self.criteria.title] if self.criteria.title else []
        return " ".join(parts)


@dataclass(frozen=True)
class SearchResult:
    """One photo found.

    Attributes
    ----------
    score : float or None
        Cosine similarity, or the fused rank of a hybrid search; None where photos were only filtered.
    calibrated_score : float or None
        The score, calibrated: 0.5 and more is what a photo scores that shows what is asked for.
    taken_at : str
        Local time as ``2023-04-12T18:02:11``, or nothing.
    burst_count : int
        So many more photos of the same burst.
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

    def format_measure(self, digits: int) -> str:
        """Return what it is ranked by: its score, or the day it was taken."""
        return f"{self.score:.{digits}f}" if self.score is not None else self.taken_at[:10] or "no date"

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        values = asdict(self) | {"file": str(self.file), "people": list(self.people)}
        # under the names that --json has had from the start
        values |= {"fit": values.pop("calibrated_score"), "like_it": values.pop("burst_count")}
        rounded = {name: None if (v := values[name]) is None else round(v, 6) for name in ("score", "fit")}
        return values | rounded


@dataclass(frozen=True)
class RelaxedFilter:
    """A filter that was tried instead: in words, as Milvus was given it, and how many photos pass."""

    description: str
    filter_expression: str
    candidates: int

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "said": self.description,
            "filter": self.filter_expression,
            "candidates": self.candidates,
        }


@dataclass(frozen=True)
class Answer:
    """The photos found, best first, and how the query was read.

    Attributes
    ----------
    query, parsed
        What was asked, and how its sentence was read.
    results
        Best first.
    filter_expression : str
        The filter as Milvus was given it.
    relaxed : tuple of RelaxedFilter
        What is shown instead when no photo passed the filter; empty if some did.
    candidates : int
        Photos that passed the filter, counted up to `MAX_COUNTED`.
    photos : int
        In the collection.
    nothing_fits : bool
        No photo looks like what was asked for; the results are only the nearest.
    notes : tuple of str
        What the user should know.
    """

    query: Query
    parsed: ParsedQuery
    results: list[SearchResult]
    filter_expression: str = ""
    relaxed: tuple[RelaxedFilter, ...] = ()
    candidates: int = 0
    photos: int = 0
    nothing_fits: bool = False
    notes: tuple[str, ...] = ()

    @property
    def candidate_count(self) -> str:
        """The number of candidates, or ``200+``."""
        return f"{MAX_COUNTED}+" if MAX_COUNTED < self.candidates < self.photos else str(self.candidates)

    @property
    def read_as(self) -> str:
        """How the query was read: ``Maya · Goa (state) · "a person on the beaches" — 14 of 240 photos``."""
        summary = " · ".join(filter(None, (self.parsed.summary, self.query.non_text_summary)))
        count = f"{self.candidate_count} of {self.photos}" if self.filter_expression else f"{self.photos}"
        count += " photos"
        if self.relaxed:
            count += f"; shown are {len(self.results)} others"
        return f"{summary} — {count}" if summary else count

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
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


def check_query(query: Query) -> None:
    """Refuse a query that asks for nothing, or for what cannot be.

    Raises
    ------
    UserError
        With what is wrong with it.
    """
    _check_numbers(query)
    _check_encoding(query)
    if not (query.has_vector or query.face) and (query.minus or not query.has_filter):
        raise UserError('nothing to search for: give a text ("a red boat"), --image FILE or --plus TEXT')
    if query.by == "vit" and not query.image:
        raise UserError("--by vit compares photos: it wants --image FILE")
    if query.by == "vit" and (query.plus or query.minus):
        raise UserError("--by vit knows no texts: leave them out, or use --by clip")
    for option, file in (("--image", query.image), ("--face", query.face)):
        if file and not file.is_file():
            raise UserError(f"{option} {file}: no such file")


def check_visual_query(query: Query) -> None:
    """Refuse what cannot be done with what is left of a sentence when its names are taken out.

    Raises
    ------
    UserError
        With what is wrong with it.
    """
    if query.by == "vit" and query.text:
        raise UserError(f"--by vit knows no texts, such as {query.text!r}: leave it out, or use --by clip")
    if query.minus and not query.has_vector:
        raise UserError("--minus takes from a text or a photo, and this sentence is names and dates alone")


def _check_numbers(query: Query) -> None:
    numbers = (query.weight_text, query.weight_image, query.min_score or 0.0, query.min_fit or 0.0)
    if not all(map(math.isfinite, numbers)):
        raise UserError("weights and scores are finite numbers")


def _check_encoding(query: Query) -> None:
    try:
        "".join((query.text, *query.plus, *query.minus)).encode()
    except UnicodeEncodeError:
        raise UserError("the text is not valid UTF-8; is the terminal set to another encoding?") from None
