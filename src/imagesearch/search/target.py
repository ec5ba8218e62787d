"""Stage 3, encode: the query's texts, photos and face as vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imagesearch.query import Content
from imagesearch.search.face_search import QueryFace, read_query_face
from imagesearch.search.query_vector import encode_query
from imagesearch.search.request import ParsedRequest
from imagesearch.search.resources import SearchResources


@dataclass(frozen=True)
class SearchTarget:
    """What photos are compared with. Both are None if photos are only filtered.

    Attributes
    ----------
    vector : (d,) float32 or None
        Of unit length: the query's texts and photos.
    face : QueryFace or None
        If there is a vector too, the face is a filter.
    joined : (m, d) float32 or None
        Several things that photos must show, if their scores decide instead of the vector's.
    excluded : (m, d) float32 or None
        What photos must not show.
    """

    vector: np.ndarray | None = None
    face: QueryFace | None = None
    joined: np.ndarray | None = None
    excluded: np.ndarray | None = None

    @property
    def is_given(self) -> bool:
        """Whether photos are ranked by similarity, so that a search without a filter is meaningful."""
        return self.vector is not None or self.face is not None


def encode_target(request: ParsedRequest, resources: SearchResources) -> SearchTarget:
    """Encode the query's texts and photos, and the face in its other photo.

    Raises
    ------
    UserError
        If a photo cannot be read or has no face, or a model cannot be found.
    """
    query = request.visual_query
    face = read_query_face(query.face, resources) if query.face else None
    vector = encode_query(query, resources) if query.has_vector else None
    joined = request.parsed.joined if request.is_calibratable else ()
    return SearchTarget(
        vector,
        face,
        _encode_content(joined, resources),
        _encode_content(request.parsed.excluded, resources),
    )


def _encode_content(content: Sequence[Content], resources: SearchResources) -> np.ndarray | None:
    """Return the vectors of texts, (n, d) float32; None if there are none."""
    if not content:
        return None
    vectors = resources.models.clip.encode_texts([item.text for item in content])
    resources.check_dimension("clip", vectors[0])
    return vectors
