"""Encoding a query, its texts and photos, as one vector."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imagesearch.config import Config
from imagesearch.errors import UnreadablePhotoError, UserError
from imagesearch.features import ClipEncoder, VitEncoder
from imagesearch.photos import PhotoError, decode_photo
from imagesearch.search.query import Query
from imagesearch.store import CollectionRef, Store

# Similarities of a query to this many photos say how widely they scatter in the whole collection.
_SAMPLE_SIZE = 500


@dataclass(frozen=True)
class QueryTerm:
    """A unit vector in a query, what it came from, and how strongly it pulls (negative: away)."""

    vector: np.ndarray
    modality: str
    weight: float


class QueryEncoder:
    """Turns queries into vectors; the models are loaded when first needed, and stay.

    Parameters
    ----------
    config, store
        Name the models, and the collection that a query's terms are weighed in.
    """

    def __init__(self, config: Config, store: Store) -> None:
        self._config, self._store = config, store
        self._clip_ref = CollectionRef(config.dataset.name, "clip")

    def encode(self, query: Query) -> np.ndarray:
        """Return the vector that photos are compared to, (d,) float32 of unit length."""
        if query.by == "vit":
            return self._encode_photo(query.image, "vit")
        texts = [(query.text, query.weight_text)] if query.text else []
        texts += [(text, 1.0) for text in query.plus] + [(text, -1.0) for text in query.minus]
        terms = []
        if texts:
            vectors = self._clip.encode_texts([text for text, _ in texts])
            terms += [QueryTerm(v, "text", weight) for v, (_, weight) in zip(vectors, texts, strict=True)]
        if query.image:
            terms.append(QueryTerm(self._encode_photo(query.image, "clip"), "image", query.weight_image))
        mixed = len({term.modality for term in terms}) > 1
        sample = self._store.sample_vectors(self._clip_ref, _SAMPLE_SIZE) if mixed else None
        return combine_terms(terms, sample)

    def _encode_photo(self, file: Path, kind: str) -> np.ndarray:
        encoder = self._clip if kind == "clip" else self._vit
        try:
            limit = self._config.extraction.max_megapixels
            picture = decode_photo(file, encoder.input_side, max_megapixels=limit)
            pixels = [encoder.preprocess(picture.image)]
        except PhotoError as error:
            raise UnreadablePhotoError(f"{file}: {error}") from None
        return encoder.encode_images(pixels)[0] if kind == "clip" else encoder.encode(pixels)[0][0]

    @functools.cached_property
    def _clip(self) -> ClipEncoder:
        models = self._config.models
        return ClipEncoder(models.clip, models.device, models.precision)

    @functools.cached_property
    def _vit(self) -> VitEncoder:
        models = self._config.models
        return VitEncoder(models.vit, models.device, models.precision)


def combine_terms(terms: Sequence[QueryTerm], sample: np.ndarray | None = None) -> np.ndarray:
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
        Vectors of the collection; required where terms of several modalities meet.

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
