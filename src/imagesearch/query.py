"""What can be asked, and what is answered."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from imagesearch.criteria import Criteria
from imagesearch.errors import UserError
from imagesearch.filters import ANYTHING, Condition
from imagesearch.photos import EXTENSIONS


@dataclass(frozen=True)
class Query:
    """What is looked for.

    Parameters
    ----------
    text
        What the photos should show.
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
    min_score
        Leave out what scores less.
    """

    text: str = ""
    image: Path | None = None
    face: Path | None = None
    by: str = "clip"
    plus: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    weight_text: float = 1.0
    weight_image: float = 1.0
    folder: str = ""
    criteria: Criteria = field(default_factory=Criteria)
    where: Condition = ANYTHING
    top_k: int = 10
    min_score: float | None = None

    def with_line(self, line: str) -> Query:
        """Return this query with a line that a person typed: the name of a photo, or a text."""
        # os.path and not pathlib, which raises for "~nobody" and for lines too long to be names
        file = os.path.expanduser(line)  # noqa: PTH111
        is_photo = line.rpartition(".")[2].lower() in EXTENSIONS and os.path.isfile(file)  # noqa: PTH113
        return replace(self, image=Path(file)) if is_photo else replace(self, text=line)

    @property
    def has_vector(self) -> bool:
        """Whether photos are compared to something, and not only filtered."""
        return bool(self.text.strip() or self.image or self.plus)

    @property
    def has_filter(self) -> bool:
        """Whether photos have to fulfil something, besides lying below a folder."""
        return self.criteria != Criteria() or self.where != ANYTHING

    @property
    def title(self) -> str:
        """The query in words."""
        words = [self.text] if self.text else []
        words += [f"like {self.image.name}"] if self.image else []
        words += [f"with the face in {self.face.name}"] if self.face else []
        words += [f"+ {text}" for text in self.plus] + [f"- {text}" for text in self.minus]
        words += [f"in {self.folder}"] if self.folder else []
        words += [self.criteria.title] if self.criteria.title else []
        return " ".join(words)


@dataclass(frozen=True)
class Result:
    """One photo found."""

    rank: int
    path: str
    score: float | None
    """None where photos were only filtered."""
    file: Path
    class_label: str
    class_score: float
    people: tuple[str, ...] = ()
    taken_at: str = ""
    """Local time as ``2023-04-12T18:02:11``, or nothing."""
    city: str = ""
    country: str = ""


@dataclass(frozen=True)
class Answer:
    """The photos found, best first, and what to know about them."""

    query: Query
    results: list[Result]
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        results = [
            {
                "rank": r.rank,
                "path": r.path,
                "score": None if r.score is None else round(r.score, 6),
                "file": str(r.file),
                "people": list(r.people),
                "taken_at": r.taken_at,
                "city": r.city,
                "country": r.country,
            }
            for r in self.results
        ]
        return {"query": self.query.title, "note": self.note, "results": results}


def check_query(query: Query) -> None:
    """Refuse a query that asks for nothing, or for what cannot be.

    Raises
    ------
    UserError
        Saying what is wrong with it.
    """
    if not all(map(math.isfinite, (query.weight_text, query.weight_image, query.min_score or 0.0))):
        raise UserError("weights and scores are finite numbers")
    try:
        "".join((query.text, *query.plus, *query.minus)).encode()
    except UnicodeEncodeError:
        raise UserError("the text is not valid UTF-8; is the terminal set to another encoding?") from None
    if not (query.has_vector or query.face) and (query.minus or not query.has_filter):
        raise UserError('nothing to search for: give a text ("a red boat"), --image FILE or --plus TEXT')
    if query.by == "vit" and not query.image:
        raise UserError("--by vit compares photos: it wants --image FILE")
    if query.by == "vit" and (query.text or query.plus or query.minus):
        raise UserError("--by vit knows no texts: leave them out, or use --by clip")
    for option, file in (("--image", query.image), ("--face", query.face)):
        if file and not file.is_file():
            raise UserError(f"{option} {file}: no such file")
