"""A query of any kind, text or photo or both, to ranked photos."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from imagesearch.config import Config
from imagesearch.dataset import Dataset
from imagesearch.encoders import ClipEncoder, VitEncoder, model_id
from imagesearch.errors import UserError
from imagesearch.filters import ANYTHING, Condition, Every, Under
from imagesearch.photos import EXTENSIONS, PhotoError, decode, path_below
from imagesearch.store import Collection, Store

# Similarities of a query to this many photos say how widely they scatter in the whole collection.
_SAMPLE = 500
_SHOWN = ("path", "class_label", "class_score")


@dataclass(frozen=True)
class Query:
    """What is looked for.

    Parameters
    ----------
    text
        What the photos should show.
    image
        A photo that they should be like.
    by
        Whose vectors are compared: ``"clip"``, or ``"vit"`` for a photo alone.
    plus, minus
        Texts whose vectors are added and subtracted.
    weight_text, weight_image
        How much text and photo pull, each relative to how its similarities scatter.
    folder
        Look only below this folder of the dataset.
    where
        What else the photos must fulfil. A query of conditions alone lists photos, newest first.
    top_k
        At most so many results.
    min_score
        Leave out what scores less.
    """

    text: str = ""
    image: Path | None = None
    by: str = "clip"
    plus: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    weight_text: float = 1.0
    weight_image: float = 1.0
    folder: str = ""
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
    def title(self) -> str:
        """The query in words."""
        words = [self.text] if self.text else []
        words += [f"like {self.image.name}"] if self.image else []
        words += [f"+ {text}" for text in self.plus] + [f"- {text}" for text in self.minus]
        words += [f"in {self.folder}"] if self.folder else []
        return " ".join(words)


@dataclass(frozen=True)
class Result:
    """One photo found."""

    rank: int
    path: str
    score: float
    file: Path
    class_label: str
    class_score: float


@dataclass(frozen=True)
class Answer:
    """The photos found, best first, and what to know about them."""

    query: Query
    results: list[Result]
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        results = [
            {"rank": r.rank, "path": r.path, "score": round(r.score, 6), "file": str(r.file)}
            for r in self.results
        ]
        return {"query": self.query.title, "results": results}


@dataclass(frozen=True)
class Term:
    """A unit vector in a query, what it came from, and how strongly it pulls (negative: away)."""

    vector: np.ndarray
    modality: str
    weight: float


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
        where = Every((Under(path_below(query.folder, self.dataset.roots)), query.where))
        name, fields = self.config.dataset.name, _SHOWN
        if query.has_vector:
            vector, least = self._vector(query), query.min_score
            hits = self.store.search(
                name, query.by, vector, query.top_k, where=where, min_score=least, fields=fields
            )
        else:
            hits = self.store.newest(name, query.by, query.top_k, where=where, fields=fields)
        results = [
            Result(
                rank=rank,
                path=(path := hit.fields["path"]),
                score=hit.score,
                file=self.dataset.file(path),
                class_label=hit.fields["class_label"],
                class_score=hit.fields["class_score"],
            )
            for rank, hit in enumerate(hits, 1)
        ]
        return Answer(query, results, self._note(query, collection, len(results)))

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
        if collection.fingerprint != (wanted := model_id(kind, name)):
            raise UserError(
                f"models.{kind}: the config names {name} ({wanted}), the collection was "
                f"built with {collection.model} ({collection.fingerprint}); "
                "set it back, or run 01_extract_features.py and 05_build_collections.py"
            )
        return collection

    def _note(self, query: Query, collection: Collection, found: int) -> str:
        if collection.state != "ready":
            return "the collection is being updated, or that was cut short: run 05_build_collections.py"
        if found:
            return ""
        if query.min_score is not None:
            return f"nothing scores {query.min_score:g} or more"
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


def _check(query: Query) -> None:
    if not all(map(math.isfinite, (query.weight_text, query.weight_image, query.min_score or 0.0))):
        raise UserError("weights and scores are finite numbers")
    try:
        "".join((query.text, *query.plus, *query.minus)).encode()
    except UnicodeEncodeError:
        raise UserError("the text is not valid UTF-8; is the terminal set to another encoding?") from None
    if not query.has_vector and (query.minus or query.where == ANYTHING):
        raise UserError('nothing to search for: give a text ("a red boat"), --image FILE or --plus TEXT')
    if query.by == "vit" and not query.image:
        raise UserError("--by vit compares photos: it wants --image FILE")
    if query.by == "vit" and (query.text or query.plus or query.minus):
        raise UserError("--by vit knows no texts: leave them out, or use --by clip")
    if query.image and not query.image.is_file():
        raise UserError(f"--image {query.image}: no such file")
