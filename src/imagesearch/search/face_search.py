"""Identifies the face in a query, and finds photos with similar faces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from imagesearch.errors import UserError, name_option
from imagesearch.faces import DetectedFace, shrink_for_detection
from imagesearch.filters import Condition
from imagesearch.photos import PhotoError, decode_photo
from imagesearch.search.resources import SearchResources
from imagesearch.store import MAX_HITS, CollectionRef, Hit

# Number of nearest faces used to identify the person, and used in the first search for photos.
_NEAREST_FACES = 100
# Half the side of a picture of one face, in the longer sides of the face. The face detector misses faces that
# fill the whole picture.
_CROP_MARGIN = 1.0


@dataclass(frozen=True)
class QueryFace:
    """The face to search for.

    Attributes
    ----------
    vector : (d,) float32
        Of unit length.
    note : str
        A note on the person that the face seems to belong to.
    is_known : bool
        Whether a similar face in the dataset has a label.
    """

    vector: np.ndarray
    note: str
    is_known: bool = True


def read_query_face(file: Path, resources: SearchResources) -> QueryFace:
    """Detect the largest face in a photo, and identify the person.

    Raises
    ------
    UserError
        If there is no collection of faces, the photo cannot be read, or no face is detected.
    """
    collection = resources.open_collection("faces")
    _, faces = _detect_faces(file, resources)
    if not faces:
        raise UserError(
            f"{name_option('--face', 'face')} {file}: no face was detected; "
            "crop the photo to the face, or lower faces.min_score"
        )
    vector = faces[0].embedding
    nearest = resources.store.search(collection.ref, vector, _NEAREST_FACES, fields=("label",))
    notes = [f"{file.name} has {len(faces)} faces; the largest is used"] if len(faces) > 1 else []
    identity = _describe_identity(nearest, get_min_face_score(resources))
    notes.append(identity or "nobody in this dataset has a similar face")
    return QueryFace(vector, "; ".join(notes), bool(identity))


def crop_query_faces(file: Path, resources: SearchResources, max_faces: int = 12) -> list[Image.Image]:
    """Return the faces of a photo as pictures to search by, the largest face first.

    Each picture is a square around one face. Other faces in it are painted over, so that none of them is the
    largest when the picture is searched by.

    Parameters
    ----------
    file
        The photo.
    resources
        Has the face models.
    max_faces
        Maximum number of pictures.

    Raises
    ------
    UserError
        If the photo cannot be read.
    """
    image, faces = _detect_faces(file, resources)
    boxes = [face.box.tolist() for face in faces[:max_faces]]
    return [_crop_alone(image, box, [face.box.tolist() for face in faces]) for box in boxes]


def _detect_faces(file: Path, resources: SearchResources) -> tuple[Image.Image, list[DetectedFace]]:
    """Return a photo in the size of detection, and its faces, the largest first."""
    config = resources.config
    limit, side = config.extraction.max_megapixels, config.extraction.preview_size
    try:
        opened = resources.dataset.fetch_file(file)
        picture = shrink_for_detection(decode_photo(opened, min_long_side=side, max_megapixels=limit), config)
    except PhotoError as error:
        raise UserError(f"{file}: {error}") from None
    detected = resources.models.face_detector.detect(picture.image)
    return picture.image, [face for face in detected if face.score >= config.faces.min_score]


def _crop_alone(image: Image.Image, box: list[float], boxes: list[list[float]]) -> Image.Image:
    """Crop a square around a face, and paint over the other faces where they do not overlap it."""
    alone = image.copy()
    for other in boxes:
        if other != box:
            alone.paste((127, 127, 127), tuple(map(round, other)))
    kept = (max(0, round(box[0])), max(0, round(box[1])), round(box[2]), round(box[3]))
    alone.paste(image.crop(kept), kept[:2])
    half = _CROP_MARGIN * max(box[2] - box[0], box[3] - box[1])
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return alone.crop((round(x - half), round(y - half), round(x + half), round(y + half)))


def find_photo_ids(face: QueryFace, resources: SearchResources) -> tuple[int, ...]:
    """Return the ids of the photos with a face similar enough to be the same person's."""
    return tuple(_score_photos(face, get_min_face_score(resources), MAX_HITS, resources))


def find_photos_by_face(
    face: QueryFace,
    ref: CollectionRef,
    top_k: int,
    where: Condition,
    min_score: float | None,
    fields: Sequence[str],
    resources: SearchResources,
) -> list[Hit]:
    """Return the photos that pass a filter, ordered by their most similar face.

    The search is repeated with more faces until there are enough photos.

    Parameters
    ----------
    ref
        The collection of photos.
    top_k
        Maximum number of photos.
    where
        What the photos must fulfil.
    min_score
        Leave out photos whose most similar face has a lower cosine similarity.
    fields
        Fields to return with each photo.
    """
    limit = max(_NEAREST_FACES, 4 * top_k)
    faces = resources.store.collections.open(resources.get_collection_ref("faces"))
    most = min(MAX_HITS, faces.rows)
    while True:
        scores = _score_photos(face, min_score, limit, resources)
        hits = resources.store.read_rows(ref, list(scores), fields, where)
        if len(hits) >= top_k or limit >= most:
            return [replace(hit, score=scores[hit.id]) for hit in hits[:top_k]]
        limit *= 4


def get_min_face_score(resources: SearchResources) -> float:
    """Return the minimum cosine similarity of two faces of one person, as in the clustering."""
    return 1 - resources.config.faces.cluster_distance


def _describe_identity(nearest: Sequence[Hit], min_cosine: float) -> str:
    """Return the most frequent person among the faces that are similar enough; empty if there is none."""
    near = [hit for hit in nearest if hit.score >= min_cosine]
    labels = Counter(hit.fields["label"] for hit in near if hit.fields["label"])
    if not labels:
        return ""
    label = labels.most_common(1)[0][0]
    best = max(hit.score for hit in near if hit.fields["label"] == label)
    return f"this looks like {label} ({best:.2f})"


def _score_photos(
    face: QueryFace, min_score: float | None, limit: int, resources: SearchResources
) -> dict[int, float]:
    """Return the score of each photo's most similar face, by photo id, best first."""
    ref = resources.get_collection_ref("faces")
    hits = resources.store.search(ref, face.vector, limit, min_score=min_score, fields=("photo_id",))
    best: dict[int, float] = {}
    for hit in hits:
        best.setdefault(hit.fields["photo_id"], hit.score)
    return best
