"""Searching photos of a person by a photo of the face."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.faces import FaceDetector, make_detector, shrink_for_detection
from imagesearch.filters import Condition
from imagesearch.photos import PhotoError, decode_photo
from imagesearch.store import MAX_HITS, CollectionRef, Hit, Store

# So many nearest faces say who somebody is; the search for photos begins with as many.
_NEAREST_FACES = 100
_NOBODY = "nobody in this dataset looks like that"


@dataclass(frozen=True)
class QueryFace:
    """The face that is searched for, and a note on whose it seems to be."""

    vector: np.ndarray
    note: str
    is_known: bool = True


class FaceSearcher:
    """Finds photos by a face; the models are loaded when first needed, and stay.

    Parameters
    ----------
    config, store
        Name the models and the collections.
    """

    def __init__(self, config: Config, store: Store) -> None:
        self._config, self._store = config, store
        self._faces_ref = CollectionRef(config.dataset.name, "faces")

    @property
    def _min_cosine(self) -> float:
        """The cosine from which two faces count as one person's, as in the clustering."""
        return 1 - self._config.faces.cluster_distance

    def read_face(self, file: Path) -> QueryFace:
        """Return the largest face in a photo, with whose it seems to be."""
        limit, side = self._config.extraction.max_megapixels, self._config.extraction.preview_size
        try:
            picture = shrink_for_detection(
                decode_photo(file, min_long_side=side, max_megapixels=limit), self._config
            )
        except PhotoError as error:
            raise UserError(f"{file}: {error}") from None
        faces = [f for f in self._detector.detect(picture.image) if f.score >= self._config.faces.min_score]
        if not faces:
            raise UserError(f"--face {file}: no face is found in it; cut it closer, or lower faces.min_score")
        vector = faces[0].embedding
        nearest = self._store.search(self._faces_ref, vector, _NEAREST_FACES, fields=("label",))
        notes = [f"{len(faces)} faces are in {file.name}, the largest counts"] if len(faces) > 1 else []
        identity = self._describe_identity(nearest)
        return QueryFace(vector, "; ".join([*notes, identity or _NOBODY]), bool(identity))

    def _describe_identity(self, nearest: Sequence[Hit]) -> str:
        """Return who has the most of the nearest faces that are near enough; nothing if none are."""
        near = [hit for hit in nearest if hit.score >= self._min_cosine]
        labels = Counter(hit.fields["label"] for hit in near if hit.fields["label"])
        if not labels:
            return ""
        label = labels.most_common(1)[0][0]
        best = max(hit.score for hit in near if hit.fields["label"] == label)
        return f"this looks like {label} ({best:.2f})"

    def find_photo_ids(self, face: QueryFace) -> tuple[int, ...]:
        """Return the ids of the photos with a face near enough to be the same person's."""
        return tuple(self._score_photos(face, self._min_cosine, MAX_HITS))

    def find_photos(
        self,
        face: QueryFace,
        ref: CollectionRef,
        top_k: int,
        where: Condition,
        min_score: float | None,
        fields: Sequence[str],
    ) -> list[Hit]:
        """Return the photos that pass a filter by their nearest face, best first.

        The search is repeated with more faces until there are enough photos.
        """
        limit = max(_NEAREST_FACES, 4 * top_k)
        most = min(MAX_HITS, self._store.collections.open(self._faces_ref).rows)
        while True:
            scores = self._score_photos(face, min_score, limit)
            hits = self._store.read_rows(ref, list(scores), fields, where)
            if len(hits) >= top_k or limit >= most:
                return [replace(hit, score=scores[hit.id]) for hit in hits[:top_k]]
            limit *= 4

    def _score_photos(self, face: QueryFace, min_score: float | None, limit: int) -> dict[int, float]:
        """Return the photos with the faces nearest to one, and each photo's best score, best first."""
        hits = self._store.search(
            self._faces_ref, face.vector, limit, min_score=min_score, fields=("photo_id",)
        )
        best: dict[int, float] = {}
        for hit in hits:
            best.setdefault(hit.fields["photo_id"], hit.score)
        return best

    @functools.cached_property
    def _detector(self) -> FaceDetector:
        return make_detector(self._config)
