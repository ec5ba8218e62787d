"""`Query`: all inputs of a search."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from numbers import Real
from pathlib import Path

from imagesearch.errors import UserError, name_argument, name_option
from imagesearch.filters import MATCH_ALL, Condition
from imagesearch.query import Criteria
from imagesearch.store import MAX_HITS

STRATEGIES = ("filter", "union", "hybrid", "semantic")
SORTS = ("score", "date", "oldest")
_MAX_NAMED_PHOTOS = 4  # in a title


@dataclass(frozen=True)
class Query:
    """What to search for. A query of ``criteria``, ``where`` or ``folder`` alone lists photos, newest first.

    Parameters
    ----------
    text
        A sentence: people, places, dates, and what the photos show.
    strategy
        ``"filter"``: people, places and dates become a filter, and CLIP compares photos with the rest of the
        sentence. ``"union"``: the same, but one of people, places and dates is enough; photos that fulfil
        more of them come first. ``"hybrid"``: CLIP and BM25 over names and places, fused.
        ``"semantic"``: CLIP alone, with the whole sentence.
    strict
        Do not relax the filter of the sentence if no photo passes it, and raise an error if a part of the
        sentence is not understood.
    today
        The date that *yesterday* and *last summer* are relative to; default: the current date.
    images
        Find photos similar to these photos: to the mean of their unit vectors.
    face
        Find photos of the person with the largest face in this photo.
    by
        The model whose vectors are compared: ``"clip"``, or ``"vit"`` for ``images`` alone.
    plus, minus
        Texts whose vectors are added to and subtracted from the query's vector.
    weight_text, weight_image
        The weights of ``text`` and of all ``images`` together. Similarities are scaled by their spread, so
        equal weights have equal influence.
    folder
        Search only photos below this folder of the dataset.
    criteria, where
        Further conditions: as the user types them (``criteria``), and as conditions on fields (``where``).
        They are never relaxed.
    top_k
        Maximum number of results.
    min_score
        Leave out results with a lower score.
    min_fit
        Leave out results with a lower calibrated score, which is from 0 to 1 for every query.
    sort
        ``"score"``; or the relevant photos, newest first (``"date"``) or oldest first (``"oldest"``). A
        sentence such as "the oldest photo of maya" replaces it.
    collapse
        Show one photo of each burst.
    with_itself
        Also show the photos of ``images`` and ``face``, if they are photos of the dataset.
    """

    text: str = ""
    strategy: str = "filter"
    strict: bool = False
    today: date | None = None
    images: tuple[Path, ...] = ()
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
    with_itself: bool = False

    @property
    def has_vector(self) -> bool:
        """Whether photos are compared with a text or a photo, and not only filtered."""
        return bool(self.text.strip() or self.images or self.plus)

    @property
    def has_filter(self) -> bool:
        """Whether photos must fulfil a condition other than the folder."""
        return self.criteria != Criteria() or self.where != MATCH_ALL

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to search for."""
        return not (self.has_vector or self.face or self.minus or self.has_filter or self.folder)

    @property
    def is_text_only(self) -> bool:
        """Whether photos are compared with one text and nothing else."""
        return bool(self.text and not (self.images or self.plus or self.minus) and self.by == "clip")

    @property
    def title(self) -> str:
        """The query in words."""
        return " ".join(filter(None, (self.text, self.options_title)))

    @property
    def options_title(self) -> str:
        """The photos, face, added and subtracted texts, folder and criteria, in words."""
        parts = [
            self._images_title,
            self._face_title,
            *(f"+ {text}" for text in self.plus),
            *(f"- {text}" for text in self.minus),
        ]
        parts += [self._folder_title, self.criteria.title]
        return " ".join(filter(None, parts))

    @property
    def fixed_filter_title(self) -> str:
        """The conditions that are never relaxed, in words and in parentheses."""
        parts = ", ".join(filter(None, (self._face_title, self._folder_title, self.criteria.title)))
        return f"({parts})" if parts else ""

    @property
    def _images_title(self) -> str:
        names = [file.name for file in self.images]
        if len(names) > _MAX_NAMED_PHOTOS:
            names[_MAX_NAMED_PHOTOS - 1 :] = [f"{len(names) - _MAX_NAMED_PHOTOS + 1} other photos"]
        return f"like {' and '.join(filter(None, (', '.join(names[:-1]), names[-1])))}" if names else ""

    @property
    def _face_title(self) -> str:
        return f"with the face in {self.face.name}" if self.face else ""

    @property
    def _folder_title(self) -> str:
        return f"in {self.folder}" if self.folder else ""


def check_query(query: Query) -> None:
    """Raise an error for an empty or contradictory query. Its photos are not looked for.

    Raises
    ------
    UserError
        If the query is empty or contradictory; the message names the option.
    """
    _check_types(query)
    _check_choices(query)
    _check_numbers(query)
    _check_lists(query)
    _check_encoding(query)
    if not (query.has_vector or query.face) and (query.minus or not (query.has_filter or query.folder)):
        others = f"{name_option('--image FILE', 'image')} or {name_option('--plus TEXT', 'plus')}"
        raise UserError(f'nothing to search for: give a text ("a red boat"), {others}')
    if query.by == "vit":
        _check_vit_query(query)


def _check_vit_query(query: Query) -> None:
    if not query.images:
        image = name_option("--image FILE", "image")
        raise UserError(f"{name_by('vit')} compares photos with a photo: it requires {image}")
    if query.plus or query.minus:
        texts = f"{name_option('--plus', 'plus')} and {name_option('--minus', 'minus')}"
        raise UserError(
            f"{name_by('vit')} cannot compare photos with texts: omit {texts}, or use {name_by('clip')}"
        )


def name_by(model: str) -> str:
    """Return what a message calls the choice of a model."""
    return name_option(f"--by {model}", f'by="{model}"')


def _check_types(query: Query) -> None:
    """Raise `TypeError` for a mistake in Python code; the scripts give the right types."""
    for name, expected in (("text", str), ("criteria", Criteria), ("folder", str)):
        if not isinstance(value := getattr(query, name), expected):
            raise TypeError(f"{name}: expected {expected.__name__}, got {value!r}")


def _check_choices(query: Query) -> None:
    choices = {"strategy": STRATEGIES, "by": ("clip", "vit"), "sort": SORTS}
    for name, allowed in choices.items():
        if getattr(query, name) not in allowed:
            raise UserError(f"{name}: expected {' or '.join(allowed)}, got {getattr(query, name)!r}")


def _check_lists(query: Query) -> None:
    lists = [(name, getattr(query, name)) for name in ("plus", "minus")]
    names = ("people", "without", "places", "cameras", "keywords", "months", "names", "trips", "columns")
    lists += [(f"criteria.{name}", getattr(query.criteria, name)) for name in names]
    if isinstance(query.images, str | Path):
        raise UserError(f"images: expected a list or tuple of paths, got one path {str(query.images)!r}")
    for name, value in lists:
        if isinstance(value, str):
            raise UserError(f"{name}: expected a list or tuple of texts, got the text {value!r}")


def _check_numbers(query: Query) -> None:
    if not (isinstance(query.top_k, int) and 1 <= query.top_k <= MAX_HITS):
        expected = f"a whole number from 1 to {MAX_HITS}"
        raise UserError(f"{name_argument('top_k')}: expected {expected}, got {query.top_k!r}")
    limits = {"weight_text": (0, 1000), "weight_image": (0, 1000), "min_score": (-1, 1), "min_fit": (0, 1)}
    for name, (low, high) in limits.items():
        number = getattr(query, name)
        if number is None and name.startswith("min_"):
            continue
        if not isinstance(number, Real):
            raise TypeError(f"{name}: expected a number, got {number!r}")
        if not low <= number <= high:  # also if it is not a number (NaN)
            expected = f"a number from {low} to {high}"
            raise UserError(f"{name_argument(name)}: expected {expected}, got {number!r}")


def _check_encoding(query: Query) -> None:
    try:
        "".join((query.text, *query.plus, *query.minus)).encode()
    except UnicodeEncodeError:
        raise UserError("the text is not valid UTF-8; check the encoding of the terminal") from None
