"""A query's texts and photos as one vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imagesearch.errors import UnreadablePhotoError, UserError
from imagesearch.photos import PhotoError, decode_photo
from imagesearch.search.query import Query
from imagesearch.search.resources import SearchResources

_MIN_NORM = 1e-6  # vectors whose sum is shorter cancel each other


@dataclass(frozen=True)
class QueryTerm:
    """One text of a query, or all of its photos.

    Attributes
    ----------
    vector : (d,) float32
        Of unit length.
    modality : str
        ``"text"`` or ``"image"``.
    weight : float
        Negative for a term that is subtracted.
    """

    vector: np.ndarray
    modality: str
    weight: float


def encode_query(query: Query, resources: SearchResources) -> np.ndarray:
    """Return the vector that photos are compared with, (d,) float32 of unit length."""
    if query.by == "vit":
        vector = _encode_photos(query.images, "vit", resources)
        resources.check_dimension("vit", vector)
        return vector
    terms = _encode_texts(query, resources)
    if query.images:
        vector = _encode_photos(query.images, "clip", resources)
        terms.append(QueryTerm(vector, "image", query.weight_image))
    resources.check_dimension("clip", terms[0].vector)
    is_mixed = len({term.modality for term in terms}) > 1
    return combine_terms(terms, resources.sample_vectors if is_mixed else None)


def _encode_texts(query: Query, resources: SearchResources) -> list[QueryTerm]:
    texts = [(query.text, query.weight_text)] if query.text else []
    texts += [(text, 1.0) for text in query.plus] + [(text, -1.0) for text in query.minus]
    if not texts:
        return []
    vectors = resources.models.clip.encode_texts([text for text, _ in texts])
    return [QueryTerm(v, "text", weight) for v, (_, weight) in zip(vectors, texts, strict=True)]


def _encode_photos(files: Sequence[Path], kind: str, resources: SearchResources) -> np.ndarray:
    return average_vectors(np.stack([_encode_photo(file, kind, resources) for file in files]))


def _encode_photo(file: Path, kind: str, resources: SearchResources) -> np.ndarray:
    encoder = resources.models.clip if kind == "clip" else resources.models.vit
    try:
        limit = resources.config.extraction.max_megapixels
        opened = resources.dataset.fetch_file(file)
        picture = decode_photo(opened, encoder.input_side, max_megapixels=limit)
        pixels = [encoder.preprocess(picture.image)]
    except PhotoError as error:
        raise UnreadablePhotoError(f"{file}: {error}") from None
    return encoder.encode_images(pixels)[0] if kind == "clip" else encoder.encode(pixels)[0][0]


def average_vectors(vectors: np.ndarray) -> np.ndarray:
    """Return the mean direction of unit vectors.

    Parameters
    ----------
    vectors : (n, d) float32
        One or more unit vectors.

    Returns
    -------
    (d,) float32
        Of unit length.

    Raises
    ------
    UserError
        If the vectors cancel each other.
    """
    if len(vectors) == 1:
        return vectors[0]
    mean = vectors.mean(axis=0, dtype=np.float64)
    norm = float(np.linalg.norm(mean))
    if norm < _MIN_NORM:
        raise UserError("the photos of this query cancel each other; use other photos")
    return (mean / norm).astype(np.float32)


def combine_terms(terms: Sequence[QueryTerm], sample: np.ndarray | None = None) -> np.ndarray:
    """Combine the terms of a query into one unit vector.

    Similarities of texts to photos have a small spread (some 0.03 with CLIP ViT-B/32), those of photos to
    photos a large one (some 0.1). In a plain sum the photo alone would decide the ranking. Each term is
    therefore divided by the standard deviation of its similarities to the collection, so that equal weights
    have equal influence on the ranking. A constant that a term adds to all scores does not change the
    ranking.

    Parameters
    ----------
    terms
        One or more terms.
    sample : (n, d) float32, optional
        Vectors of the collection; required if the terms have more than one modality.

    Raises
    ------
    UserError
        If the terms cancel each other.
    """
    total = np.zeros_like(terms[0].vector)
    for term in terms:
        spread = float(np.std(sample @ term.vector)) if sample is not None and len(sample) > 1 else 1.0
        total += term.weight / max(spread, 1e-6) * term.vector
    norm = float(np.linalg.norm(total))
    if norm < _MIN_NORM:
        raise UserError(
            "the parts of this query cancel each other, or their weights are 0; change the weights"
        )
    return total / norm
