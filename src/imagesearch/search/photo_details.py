"""What is known of one photo, and the photos near it, read from the collections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagesearch.features import read_classes
from imagesearch.filters import And, Eq, WithinCircle
from imagesearch.great_circle import compute_distance_km
from imagesearch.local_times import make_time
from imagesearch.photos import is_present
from imagesearch.search.resources import SearchResources
from imagesearch.store import PHOTO_FIELDS, get_columns

_FIELDS = (
    *("path", "face_labels", "has_time", "taken_at", "time_source", "time_precision", "address", "city"),
    *("country", "has_gps", "latitude", "longitude", "camera", "rating", "keywords", "class_label"),
    *("class_score", "width", "height", "description", "trip"),
)
_UNKNOWN = {item.name: item.unknown for item in PHOTO_FIELDS if item.name in _FIELDS}
_RADII = (2.0, 20.0, 200.0)  # kilometres around a photo
_FEW_NEIGHBOURS = 8  # with fewer, the next larger radius is used


@dataclass(frozen=True)
class PhotoDetails:
    """What is known of one photo.

    Attributes
    ----------
    photo_id : int
        Its id; see `imagesearch.photos.compute_photo_id`.
    path : str
        Relative to the dataset's folder of photos.
    file : Path
        The file on disk.
    people : tuple of str
        The labels of the people in the photo, as the collections have them.
    classes : tuple of (str, float)
        ViT classes and their probabilities, the most probable first.
    address, city, country : str
        The place, or empty.
    position : tuple of float or None
        Latitude and longitude in degrees.
    taken_at, time_source, time_precision : str
        See `SearchResult`.
    camera, description, trip : str
        Empty if there is none.
    keywords : tuple of str
        The keywords in the photo's metadata.
    rating : int
        Number of stars; -1 if the photo is not rated.
    width, height : int
        Size of the upright photo in pixels; 0 if it is unknown.
    gone : bool
        Whether the file no longer exists.
    columns : dict of str to str or tuple of str
        The values of the photo's columns in a list of photos.
    """

    photo_id: int
    path: str
    file: Path
    people: tuple[str, ...] = ()
    classes: tuple[tuple[str, float], ...] = ()
    address: str = ""
    city: str = ""
    country: str = ""
    position: tuple[float, float] | None = None
    taken_at: str = ""
    time_source: str = ""
    time_precision: str = ""
    camera: str = ""
    description: str = ""
    trip: str = ""
    keywords: tuple[str, ...] = ()
    rating: int = -1
    width: int = 0
    height: int = 0
    gone: bool = False
    columns: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def date(self) -> str:
        """The date as far as it is known, such as ``1974-08``; empty if there is none."""
        return self.taken_at[: {"year": 4, "month": 7}.get(self.time_precision, 10)]


@dataclass(frozen=True)
class Neighbour:
    """A photo near another one: its id, path, position in degrees and distance in kilometres."""

    photo_id: int
    path: str
    latitude: float
    longitude: float
    km: float


def read_photo_details(resources: SearchResources, photo_id: int) -> PhotoDetails | None:
    """Return what the collections have of a photo; None if there is no photo with this id.

    Raises
    ------
    UserError
        If there are no collections, or Milvus cannot be reached.
    """
    return read_details_by_id(resources, [photo_id]).get(photo_id)


def read_details_by_id(resources: SearchResources, photo_ids: Sequence[int]) -> dict[int, PhotoDetails]:
    """Return what the collections have of some photos, without unknown ones; see `read_photo_details`."""
    resources.refresh()
    ref = resources.get_photo_collection_ref()
    collection = resources.store.collections.open(ref)
    known = collection.field_types
    extra = collection.extra
    names = [*(name for name in _FIELDS if name in known), *extra.values()]
    rows = resources.store.read_rows(ref, list(photo_ids), names)
    fields_by_id = {row.id: _UNKNOWN | row.fields for row in rows}
    classes = read_classes(resources.dataset, [fields["path"] for fields in fields_by_id.values()])
    return {
        photo_id: _make_details(photo_id, fields, classes.get(fields["path"], []), extra, resources)
        for photo_id, fields in fields_by_id.items()
    }


def _make_details(
    photo_id: int,
    fields: Mapping[str, Any],
    classes: Sequence[tuple[str, float]],
    extra: Mapping[str, str],
    resources: SearchResources,
) -> PhotoDetails:
    file = resources.dataset.locate_file(fields["path"])
    if not classes and fields["class_label"]:
        classes = [(fields["class_label"], fields["class_score"])]
    taken_at = make_time(fields["taken_at"]).isoformat() if fields["has_time"] else ""
    texts = ("address", "city", "country", "time_source", "time_precision", "camera", "description", "trip")
    return PhotoDetails(
        photo_id=photo_id,
        path=fields["path"],
        file=file,
        people=tuple(fields["face_labels"]),
        classes=tuple(classes),
        position=(fields["latitude"], fields["longitude"]) if fields["has_gps"] else None,
        taken_at=taken_at,
        keywords=tuple(fields["keywords"]),
        columns=get_columns(fields, extra),
        gone=resources.dataset.imported is None and not is_present(file),
        **{name: fields[name] for name in (*texts, "rating", "width", "height")},
    )


def find_neighbours(resources: SearchResources, details: PhotoDetails, count: int) -> list[Neighbour]:
    """Return up to `count` photos that were taken near a photo, the nearest first.

    They are at most 200 km away: fewer if there are enough photos that are nearer.
    """
    if details.position is None:
        return []
    ref, found = resources.get_photo_collection_ref(), []
    for km in _RADII:
        where = And((Eq("has_gps", True), WithinCircle(*details.position, km)))
        fields = ("path", "latitude", "longitude")
        hits, _ = resources.store.list_by_date(ref, 4 * count, where=where, fields=fields)
        found = [
            Neighbour(
                hit.id,
                hit.fields["path"],
                *(at := (hit.fields["latitude"], hit.fields["longitude"])),
                km=compute_distance_km(*details.position, *at),
            )
            for hit in hits
            if hit.id != details.photo_id
        ]
        if len(found) >= _FEW_NEIGHBOURS:
            break
    return sorted(found, key=lambda neighbour: neighbour.km)[:count]
