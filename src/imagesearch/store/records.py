"""Collects the rows of a dataset's collections from all of its tables."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.faces import People, get_pack_id
from imagesearch.features import get_model_id
from imagesearch.geo import PhotoLocation
from imagesearch.local_times import count_seconds
from imagesearch.pipeline import Dataset, KnownResults, ProcessedPhoto
from imagesearch.store.file_names import get_file_name, list_name_words
from imagesearch.store.indexed_times import update_indexed_times
from imagesearch.store.known_rows import KnownRows, RowFields, make_scalars
from imagesearch.store.list_columns import ListColumns
from imagesearch.store.schema import (
    FIELDS,
    STEP_SCRIPTS,
    CollectionContent,
    CollectionInfo,
    CollectionRef,
    CollectionRows,
    CollectionSpec,
    fit_list,
)
from imagesearch.store.store import Store
from imagesearch.store.vector_index import choose_index
from imagesearch.text import is_numbered_label, normalize
from imagesearch.trips import Trip

_MAX_BM25_TEXT = 4000  # characters; the field has 16,384 bytes
_ADDRESS_FIELDS = ("city", "county", "state", "country", "address")


class _PhotoPeople(NamedTuple):
    """The labels of the people on a photo, sorted, and the number of faces and of people without one."""

    labels: tuple[str, ...] = ()
    faces: int = 0


_NO_PEOPLE = _PhotoPeople()


class _KnownClasses(KnownResults[tuple[str, float]]):
    """The most probable class of each photo."""


class _KnownPhotoFields(KnownResults[RowFields]):
    """The fields of each photo that its rows in both collections of photos have."""


class _KnownClipRows(KnownRows):
    """The rows of the collection ``clip``."""


class _KnownVitRows(KnownRows):
    """The rows of the collection ``vit``."""


class _KnownFaceRows(KnownRows):
    """The rows of the collection ``faces``."""


_KNOWN_ROWS: dict[str, type[KnownRows]] = {
    "clip": _KnownClipRows,
    "vit": _KnownVitRows,
    "faces": _KnownFaceRows,
}


def collect_rows(
    config: Config,
    dataset: Dataset,
    store: Store,
    people: People | None,
    locations: Mapping[int, PhotoLocation],
    trips: Sequence[Trip] = (),
    columns: ListColumns | None = None,
) -> list[CollectionContent]:
    """Return the specification and the rows of each collection of a dataset.

    A kind of vectors that was never extracted has no collection. If no photos are left, an existing
    collection gets no rows. `people` is None if face detection was never run.

    Raises
    ------
    UserError
        If vectors were made by a model other than the one in the config.
    """
    columns = columns or ListColumns()
    entries = {kind: dataset.read_current_entries(kind) for kind in ("clip", "vit")}
    times = update_indexed_times(dataset, (entries["clip"] | entries["vit"]).values())
    trip_names = {photo.photo_id: trip.name for trip in trips for photo in trip.photos}
    sources = (_get_classes(dataset), _count_people(people), locations, trip_names)
    sources = (*sources, columns.rows, columns.texts, times)
    inputs = ((photo, tuple(s.get(photo) for s in sources)) for photo in entries["clip"] | entries["vit"])

    def make_fields(changed: dict[int, tuple]) -> dict[int, RowFields]:
        return {photo: _make_photo_fields(*given) for photo, given in changed.items()}

    photo_fields = dataset.recall(_KnownPhotoFields).update(inputs, make_fields)
    contents = [
        _make_photo_rows(config, dataset, store, kind, current, photo_fields, columns.fields)
        for kind, current in entries.items()
    ]
    contents.append(_make_face_rows(config, dataset, store, people))
    return [content for content in contents if content is not None]


def _make_photo_rows(
    config: Config,
    dataset: Dataset,
    store: Store,
    kind: str,
    current: dict[int, ProcessedPhoto],
    photo_fields: dict[int, RowFields],
    extra: Mapping[str, str],
) -> CollectionContent | None:
    ref = CollectionRef(config.dataset.name, kind)
    if not current:
        return _make_empty_rows(store.collections.find(ref))
    fingerprint = _check_model(config, kind, current, get_model_id)
    ids, vectors = dataset.open_table(kind).read_vectors(current.values())
    spec = replace(_make_spec(config, store, ref, fingerprint, vectors), extra=extra)
    inputs = ((current[photo], photo_fields[photo]) for photo in ids.tolist())

    def make_row(position: int, entry: ProcessedPhoto, fields: RowFields) -> RowFields:
        return _get_file_fields(entry) | fields

    return spec, dataset.recall(_KNOWN_ROWS[kind]).update(spec, ids, inputs, make_row, vectors)


def _make_face_rows(
    config: Config, dataset: Dataset, store: Store, people: People | None
) -> CollectionContent | None:
    ref = CollectionRef(config.dataset.name, "faces")
    if people is None or not len(people.faces):
        return _make_empty_rows(store.collections.find(ref))
    faces = people.faces
    fingerprint = _check_model(config, "faces", faces.processed, lambda _, pack: get_pack_id(pack))
    shown = np.flatnonzero(~people.hidden)
    if not len(shown):
        return _make_empty_rows(store.collections.find(ref))
    labels, numbers = people.label_faces()
    spec = _make_spec(config, store, ref, fingerprint, faces.vectors[shown])
    photos = map(faces.processed.__getitem__, faces.photo_ids[shown].tolist())
    shown_labels = [labels[row] for row in shown.tolist()]
    inputs = zip(photos, shown_labels, numbers[shown].tolist(), strict=True)

    def make_row(position: int, entry: ProcessedPhoto, label: str, number: int) -> RowFields:
        row = shown[position]
        return {
            "photo_id": entry.photo_id,
            "path": entry.path,
            "label": label,
            "cluster": number,
            "det_score": float(faces.scores[row]),
            **dict(zip(("x1", "y1", "x2", "y2"), faces.boxes[row].tolist(), strict=True)),
        }

    known = dataset.recall(_KNOWN_ROWS["faces"])
    return spec, known.update(spec, faces.ids[shown], inputs, make_row, faces.vectors[shown])


def _make_spec(
    config: Config, store: Store, ref: CollectionRef, fingerprint: str, vectors: np.ndarray
) -> CollectionSpec:
    return CollectionSpec(
        ref,
        model=getattr(config.models, ref.kind),
        fingerprint=fingerprint,
        dimension=vectors.shape[1],
        index=choose_index(config.milvus.index, len(vectors), store.collections.dialect),
        fields=FIELDS[ref.kind],
    )


def _make_empty_rows(existing: CollectionInfo | None) -> CollectionContent | None:
    """Return an existing collection without rows, for a dataset without photos; None if there is none."""
    if existing is None:
        return None
    spec = CollectionSpec(
        existing.ref,
        existing.model,
        existing.fingerprint,
        existing.dimension,
        existing.index,
        FIELDS[existing.ref.kind],
        existing.extra,
    )
    vectors = np.empty((0, existing.dimension), np.float32)
    return spec, CollectionRows(make_scalars(spec, np.empty(0, np.int64), []), vectors)


def _check_model(
    config: Config, kind: str, current: dict[int, ProcessedPhoto], get_id: Callable[[str, str], str]
) -> str:
    """Return the id of the model that made the vectors; raise `UserError` if the config has another model."""
    # The part after the slash (precision, number of classes) does not prevent comparisons between vectors.
    used = next(iter(current.values())).fingerprint.partition("/")[0]
    name = getattr(config.models, kind)
    if used != (expected := get_id(kind, name)):
        raise UserError(
            f"models.{kind}: the config names {name} ({expected}), but the vectors were made by another "
            f"model ({used}); restore the setting, or run {STEP_SCRIPTS[kind]}"
        )
    return used


def _make_bm25_text(fields: RowFields, listed: Iterable[str] = ()) -> str:
    """Return all names and words of a photo, and those of its line in a list, as one normalized text."""
    names = filter(is_name, fields.get("face_labels", ()))
    lists = [*names, *fields.get("place_words", ()), *fields.get("keywords", ())]
    texts = [fields.get(name, "") for name in ("address", "class_label", "camera", "description")]
    return " ".join(normalize(text) for text in (*lists, *texts, *listed) if text)[:_MAX_BM25_TEXT]


def is_name(label: str) -> bool:
    """Whether a label is a name, and not ``person 12``."""
    return not is_numbered_label(label)


# --- fields of each photo from the tables ------------------------------------------------------------------


def _make_photo_fields(
    top_class: tuple[str, float] | None,
    people: _PhotoPeople | None,
    location: PhotoLocation | None,
    trip: str | None,
    listed: Mapping[str, str] | None,
    texts: Sequence[str] | None,
    indexed_at: int | None,
) -> RowFields:
    """Return the fields of a photo that do not follow from its file; unknown fields are omitted."""
    fields: RowFields = {}
    if top_class is not None:
        fields["class_label"], fields["class_score"] = top_class
    if people is not None:
        fields |= {"face_labels": list(people.labels), "face_count": people.faces}
        fields["people_count_known"] = sum(map(is_name, people.labels))
    if location is not None:
        fields |= get_location_fields(location)
    if trip is not None:
        fields["trip"] = trip
    fields |= listed or {}
    fields["words"] = _make_bm25_text(fields, texts or ())
    if indexed_at is not None:
        fields["indexed_at"] = indexed_at
    return fields


def _get_file_fields(entry: ProcessedPhoto) -> RowFields:
    """Return the fields that follow from the file."""
    fields = {"path": entry.path, "width": entry.width, "height": entry.height}
    fields |= {"file_name": get_file_name(entry.path), "name_words": list_name_words(entry.path)}
    if entry.width and entry.height:
        fields["aspect"] = entry.width / entry.height
    return fields


def _get_classes(dataset: Dataset) -> dict[int, tuple[str, float]]:
    """Return the most probable ViT class of each photo and its probability."""
    entries = dataset.read_current_entries("classes")

    def read(changed: dict[int, tuple]) -> dict[int, tuple[str, float]]:
        classes = dataset.open_table("classes").read_rows(entry for (entry,) in changed.values())
        if classes is None:
            return {}
        first = classes.filter(pc.equal(classes["rank"], 0))
        names = ("photo_id", "label", "score")
        rows = zip(*(first[name].to_pylist() for name in names), strict=True)
        return {photo: (label, score) for photo, label, score in rows}

    return dataset.recall(_KnownClasses).update(((photo, (e,)) for photo, e in entries.items()), read)


def _count_people(people: People | None) -> dict[int, _PhotoPeople]:
    """Return the labels of the people in each photo, and the number of faces and of people without one."""
    if people is None:
        return {}
    labels, _ = people.label_faces()
    shown = np.flatnonzero(~people.hidden)
    photos, starts = np.unique(people.faces.photo_ids[shown], return_index=True)  # faces are sorted by photo
    labels = [labels[row] for row in shown.tolist()]
    made: dict[tuple[str, ...], _PhotoPeople] = {}
    counted: dict[int, _PhotoPeople] = {}
    for photo, (start, end) in zip(
        photos.tolist(), itertools.pairwise((*starts.tolist(), len(labels))), strict=True
    ):
        found = tuple(labels[start:end])
        if found not in made:
            made[found] = _PhotoPeople(tuple(sorted({label for label in found if label})), len(found))
        counted[photo] = made[found]
    for marked in people.marked:  # counted like a face, so that "maya alone" is true of the people
        for photo in marked.photos:
            known = counted.get(photo, _NO_PEOPLE)
            counted[photo] = _PhotoPeople(tuple(sorted((*known.labels, marked.name))), known.faces + 1)
    return dict.fromkeys(people.faces.processed, _NO_PEOPLE) | counted


def list_marked_names(people: People) -> dict[str, tuple[str, ...]]:
    """Return the people who are on a photo without a face, by the photo's path."""
    names: dict[str, tuple[str, ...]] = {}
    for marked in people.marked:
        for photo in marked.photos:
            path = people.faces.processed[photo].path
            names[path] = (*names.get(path, ()), marked.name)
    return names


def list_portraits(people: People) -> dict[str, tuple[int, int]]:
    """Return the best face of each named person, as its photo and its position there, by normalized name."""
    faces = people.faces
    return {
        normalize(person.name): (int(faces.photo_ids[row]), int(faces.positions[row]))
        for person in people.persons
        if person.name
        for row in person.rows[:1]
    }


def get_location_fields(location: PhotoLocation) -> RowFields:
    """Return the metadata and the address of a photo as scalar fields; unknown fields are omitted.

    The lists contain normalized texts, because they are only compared with queries and never shown.
    """
    metadata, address = location.metadata, location.address
    fields: RowFields = {name: getattr(address, name) for name in _ADDRESS_FIELDS}
    fields |= {"camera": metadata.camera, "keywords": _make_list(metadata.keywords, "keywords")}
    fields["place_words"] = _make_list((name for name, _ in address.places), "place_words")
    if metadata.latitude is not None:
        fields |= {"has_gps": True, "latitude": metadata.latitude, "longitude": metadata.longitude}
    fields["description"] = metadata.description
    if metadata.taken_at is not None:
        fields |= _get_time_fields(metadata.taken_at, metadata.time_precision)
        fields["time_source"] = metadata.time_source
    if metadata.rating is not None:
        fields["rating"] = metadata.rating
    return fields


def _get_time_fields(taken_at: datetime, precision: str) -> RowFields:
    """Return the fields of a time. Those that are more precise than the time have no value."""
    if not precision:  # in tables of earlier versions, where midnight is a date without a time
        precision = "day" if taken_at.time() == time.min else "second"
    fields: RowFields = {"has_time": True, "taken_at": count_seconds(taken_at), "time_precision": precision}
    fields["year"] = taken_at.year
    if precision != "year":
        fields["month"] = taken_at.month
    if precision in ("day", "second"):
        fields |= {"day": taken_at.day, "weekday": taken_at.weekday()}
    if precision == "second":
        fields["hour"] = taken_at.hour
    return fields


def _make_list(names: Iterable[str], field: str) -> list[str]:
    """Return normalized names as a list that fits its field."""
    return fit_list(list(dict.fromkeys(filter(None, map(normalize, names)))), field)
