"""A query of any kind, text or photo or both, to ranked photos."""

from __future__ import annotations

import functools
import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from imagesearch.config import Config
from imagesearch.content import STEPS
from imagesearch.criteria import Circle, Criteria
from imagesearch.dataset import Dataset
from imagesearch.detection import finder_of, shrink
from imagesearch.encoders import ClipEncoder, VitEncoder, model_id
from imagesearch.errors import UserError
from imagesearch.faces import FaceFinder, pack_id
from imagesearch.filters import ANYTHING, Condition, Every, No, OneOf, Under
from imagesearch.photos import EXTENSIONS, PhotoError, decode, path_below
from imagesearch.schema import Collection, Hit
from imagesearch.store import Store
from imagesearch.vocabulary import Vocabulary

# Similarities of a query to this many photos say how widely they scatter in the whole collection.
_SAMPLE = 500
_SHOWN = (
    *("path", "class_label", "class_score", "face_labels", "has_time", "taken_at"),
    *("city", "country", "latitude", "longitude"),
)
# So many nearest faces say who somebody is; so many at most are looked through for photos.
_NEAREST_FACES, _MOST_FACES = 100, 16_384
_MOST_HITS = 16_384  # of one search in Milvus


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


@dataclass(frozen=True)
class Term:
    """A unit vector in a query, what it came from, and how strongly it pulls (negative: away)."""

    vector: np.ndarray
    modality: str
    weight: float


@dataclass(frozen=True)
class _Face:
    """The face that is looked for, and whose it seems to be."""

    vector: np.ndarray
    said: str


class Searcher:
    """Answers queries about one dataset; the models are loaded when first needed, and stay.

    Parameters
    ----------
    config, dataset, store
        What to search, and where it is.
    """

    def __init__(self, config: Config, dataset: Dataset, store: Store) -> None:
        self.config, self.dataset, self.store = config, dataset, store

    def search(self, query: Query) -> Answer:
        """Answer a query.

        Raises
        ------
        UserError
            If the query is empty or contradicts itself, its photo cannot be read, there is no such
            collection, or it was built with another model than the config names.
        """
        _check(query)
        collection = self._collection(query.by)
        condition, unknown = query.criteria.condition(self._vocabulary)
        where = Every((Under(path_below(query.folder, self.dataset.roots)), query.where, condition))
        hits, said = self._hits(query, where)
        results = [self._result(rank, hit) for rank, hit in enumerate(hits, 1)]
        note = self._note(query, collection, len(results)) if not unknown else ""
        return Answer(query, results, "; ".join(filter(None, (said, *unknown, note))))

    def _hits(self, query: Query, where: Condition) -> tuple[list[Hit], str]:
        """Return the photos that answer a query, and what to say of them."""
        name, said = self.config.dataset.name, ""
        if query.face:
            face = self._face(query.face)
            said = face.said
            if not query.has_vector:
                return self._with_face(face, query, where), said
            photos = self._photos_with(face, self._same_person, _MOST_FACES)
            where = Every((where, OneOf("photo_id", tuple(photos))))
        vector = self._vector(query) if query.has_vector else None

        def fetch(condition: Condition, limit: int) -> list[Hit]:
            if vector is None:
                hits = self.store.newest(
                    name,
                    query.by,
                    limit,
                    where=condition,
                    fields=_SHOWN,
                    periods=self._vocabulary.periods,
                )
                return [replace(hit, score=None) for hit in hits]
            least = query.min_score
            return self.store.search(
                name, query.by, vector, limit, where=condition, min_score=least, fields=_SHOWN
            )

        circle = query.criteria.circle
        return _within(circle, fetch, where, query.top_k) if circle else fetch(where, query.top_k), said

    def _result(self, rank: int, hit: Hit) -> Result:
        fields = hit.fields
        taken = datetime(1970, 1, 1) + timedelta(seconds=fields["taken_at"])
        return Result(
            rank=rank,
            path=fields["path"],
            score=hit.score,
            file=self.dataset.file(fields["path"]),
            class_label=fields["class_label"],
            class_score=fields["class_score"],
            people=tuple(fields["face_labels"]),
            taken_at=taken.isoformat() if fields["has_time"] else "",
            city=fields["city"],
            country=fields["country"],
        )

    # --- by a face -----------------------------------------------------------------------------------------

    @property
    def _same_person(self) -> float:
        """The cosine from which two faces count as one person's, as in the clustering."""
        return 1 - self.config.faces.cluster_distance

    def _face(self, file: Path) -> _Face:
        """Read the largest face off a photo, and say whose it seems to be."""
        limit, side = self.config.extraction.max_megapixels, self.config.extraction.preview_size
        try:
            picture = shrink(decode(file, longest=side, max_megapixels=limit), self.config)
        except PhotoError as error:
            raise UserError(f"{file}: {error}") from None
        self._collection("faces")
        faces = [f for f in self._finder.find(picture.image) if f.score >= self.config.faces.min_score]
        if not faces:
            raise UserError(f"--face {file}: no face is found in it; cut it closer, or lower faces.min_score")
        nearest = self.store.search(
            self.config.dataset.name, "faces", faces[0].embedding, _NEAREST_FACES, fields=("label",)
        )
        said = [f"{len(faces)} faces are in {file.name}, the largest counts"] if len(faces) > 1 else []
        return _Face(faces[0].embedding, "; ".join([*said, self._who(nearest)]))

    def _who(self, nearest: Sequence[Hit]) -> str:
        """Say who has the most of the nearest faces that are near enough."""
        near = [hit for hit in nearest if hit.score >= self._same_person]
        labels = Counter(hit.fields["label"] for hit in near if hit.fields["label"])
        if not labels:
            return "nobody in this dataset looks like that; the nearest faces follow"
        label = labels.most_common(1)[0][0]
        best = max(hit.score for hit in near if hit.fields["label"] == label)
        return f"this looks like {label} ({best:.2f})"

    def _photos_with(self, face: _Face, least: float | None, limit: int) -> dict[int, float]:
        """Return the photos with the faces nearest to one, and each photo's best score, best first."""
        hits = self.store.search(
            self.config.dataset.name, "faces", face.vector, limit, min_score=least, fields=("photo_id",)
        )
        best: dict[int, float] = {}
        for hit in hits:
            best.setdefault(hit.fields["photo_id"], hit.score)
        return best

    def _with_face(self, face: _Face, query: Query, where: Condition) -> list[Hit]:
        """Return the photos that pass a filter by their nearest face, looking on until there are enough."""
        limit, circle = max(_NEAREST_FACES, 4 * query.top_k), query.criteria.circle
        while True:
            scores = self._photos_with(face, query.min_score, limit)
            name, keys = self.config.dataset.name, list(scores)
            hits = self.store.rows(name, query.by, keys, _SHOWN, where)
            hits = [hit for hit in hits if circle is None or _lies_in(circle, hit)][: query.top_k]
            everything = self.store.open(name, "faces").rows
            if len(hits) == query.top_k or limit >= min(_MOST_FACES, everything):
                return [replace(hit, score=scores[hit.id]) for hit in hits]
            limit *= 4

    # --- from a query to one vector ------------------------------------------------------------------------

    def _vector(self, query: Query) -> np.ndarray:
        if query.by == "vit":
            return self._encode_photo(query.image, "vit")
        texts = [(query.text, query.weight_text)] if query.text else []
        texts += [(text, 1.0) for text in query.plus] + [(text, -1.0) for text in query.minus]
        terms = []
        if texts:
            vectors = self._clip.encode_texts([text for text, _ in texts])
            terms += [Term(v, "text", weight) for v, (_, weight) in zip(vectors, texts, strict=True)]
        if query.image:
            terms.append(Term(self._encode_photo(query.image, "clip"), "image", query.weight_image))
        mixed = len({term.modality for term in terms}) > 1
        sample = self.store.sample(self.config.dataset.name, "clip", _SAMPLE) if mixed else None
        return combine(terms, sample)

    def _encode_photo(self, file: Path, kind: str) -> np.ndarray:
        encoder = self._clip if kind == "clip" else self._vit
        try:
            picture = decode(file, encoder.side, max_megapixels=self.config.extraction.max_megapixels)
        except PhotoError as error:
            raise UserError(f"{file}: {error}") from None
        prepared = [encoder.prepare(picture.image)]
        return encoder.encode_images(prepared)[0] if kind == "clip" else encoder.encode(prepared)[0][0]

    @functools.cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary.read(self.dataset.folder)

    @functools.cached_property
    def _finder(self) -> FaceFinder:
        return finder_of(self.config)

    @functools.cached_property
    def _clip(self) -> ClipEncoder:
        models = self.config.models
        return ClipEncoder(models.clip, models.device, models.precision)

    @functools.cached_property
    def _vit(self) -> VitEncoder:
        models = self.config.models
        return VitEncoder(models.vit, models.device, models.precision)

    # --- details -------------------------------------------------------------------------------------------

    def _collection(self, kind: str) -> Collection:
        """Open a collection that was built with the model the config names, or say what to do."""
        collection = self.store.open(self.config.dataset.name, kind)
        name = getattr(self.config.models, kind)
        wanted = pack_id(name) if kind == "faces" else model_id(kind, name)
        if collection.fingerprint != wanted:
            raise UserError(
                f"models.{kind}: the config names {name} ({wanted}), the collection was "
                f"built with {collection.model} ({collection.fingerprint}); "
                f"set it back, or run {STEPS[kind]} and 05_build_collections.py"
            )
        return collection

    def _note(self, query: Query, collection: Collection, found: int) -> str:
        if collection.state != "ready":
            return "the collection is being updated, or that was cut short: run 05_build_collections.py"
        if found:
            return ""
        if query.min_score is not None and (query.has_vector or query.face):
            return f"nothing scores {query.min_score:g} or more"
        if query.has_filter:
            return "no photo passes the filter"
        return f"no photos below {query.folder}" if query.folder else "the collection is empty"


def combine(terms: Sequence[Term], sample: np.ndarray | None = None) -> np.ndarray:
    """Merge the terms of a query into one unit vector.

    Similarities of texts to photos lie in a narrow band (with CLIP ViT-B/32 a spread of some 0.03), those of
    photos to photos in a wide one (some 0.1), so that in a plain sum the photo would decide alone. Each term
    is therefore divided by the standard deviation of its similarities to the collection: with equal weights
    both then move a photo's rank equally far. What a term adds to all photos alike changes no rank.

    Parameters
    ----------
    terms
        At least one.
    sample : (n, d) float32, optional
        Vectors of the collection; wanted where terms of several modalities meet.

    Raises
    ------
    UserError
        If the terms cancel each other out.
    """
    total = np.zeros_like(terms[0].vector)
    for term in terms:
        spread = float(np.std(sample @ term.vector)) if sample is not None and len(sample) > 1 else 1.0
        total += term.weight / max(spread, 1e-6) * term.vector
    norm = float(np.linalg.norm(total))
    if norm < 1e-6:
        raise UserError("the parts of this query cancel each other out, or weigh nothing; change the weights")
    return total / norm


def _within(
    circle: Circle, fetch: Callable[[Condition, int], list[Hit]], where: Condition, top_k: int
) -> list[Hit]:
    """Return the best photos in a circle, of which ``where`` knows the boxes around it.

    Asks on, without those already seen, until there are enough or no more: all but one may lie in a corner.
    """
    found: list[Hit] = []
    seen: list[int] = []
    limit = 2 * top_k
    while len(found) < top_k:
        limit = min(limit, _MOST_HITS)
        hits = fetch(Every((where, No(OneOf("photo_id", tuple(seen))))), limit)
        found += [hit for hit in hits if _lies_in(circle, hit)]
        seen += [hit.id for hit in hits]
        if len(hits) < limit:
            break
        limit *= 4
    return found[:top_k]


def _lies_in(circle: Circle, hit: Hit) -> bool:
    return circle.holds(hit.fields["latitude"], hit.fields["longitude"])


def _check(query: Query) -> None:
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
