"""What the collections of a dataset are to hold: every row, with every field that any table knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.faces import People, get_pack_id
from imagesearch.features import get_model_id
from imagesearch.geo import PhotoLocation, read_locations
from imagesearch.pipeline import Dataset, ProcessedPhoto
from imagesearch.store.schema import (
    ARROW_TYPES,
    FIELDS,
    PHOTO_FIELDS,
    STEP_SCRIPTS,
    CollectionInfo,
    CollectionRef,
    CollectionRows,
    CollectionSpec,
    ScalarField,
    join_list,
)
from imagesearch.store.store import Store
from imagesearch.store.vector_index import choose_index
from imagesearch.text import normalize

RowFields = dict[str, Any]
_MOST_WORDS = 4000  # characters, of the 16,384 bytes there are


def collect_rows(
    config: Config, dataset: Dataset, store: Store, people: People | None
) -> list[tuple[CollectionSpec, CollectionRows]]:
    """Return what each collection of a dataset is to hold.

    A kind of vectors that was never extracted has none; one whose photos are all gone is emptied.
    `people` are those in the photos, or None if faces were never looked for.

    Raises
    ------
    UserError
        If vectors were made by another model than the config names.
    """
    facts = _collect_photo_fields(dataset, people)
    for known in facts.values():
        known["words"] = _join_words(known)
    jobs = [_make_photo_rows(config, dataset, store, kind, facts) for kind in ("clip", "vit")]
    jobs.append(_make_face_rows(config, dataset, store, people))
    return [job for job in jobs if job is not None]


def _make_photo_rows(
    config: Config, dataset: Dataset, store: Store, kind: str, facts: dict[int, RowFields]
) -> tuple[CollectionSpec, CollectionRows] | None:
    current = dataset.current_entries(kind)
    if not current:
        return _make_empty_rows(
            store.collections.find(CollectionRef(config.dataset.name, kind)), FIELDS[kind]
        )
    made_by = _check_model(config, kind, current, get_model_id)
    ids, vectors = dataset.table(kind).read_vectors(current.values())
    entries = [current[photo] for photo in ids.tolist()]
    rows = [
        {"path": e.path, "width": e.width, "height": e.height, **facts.get(e.photo_id, {})} for e in entries
    ]
    return _make_rows(config, kind, made_by, ids, rows, vectors)


def _make_face_rows(
    config: Config, dataset: Dataset, store: Store, people: People | None
) -> tuple[CollectionSpec, CollectionRows] | None:
    if people is None or not len(people.faces):
        return _make_empty_rows(
            store.collections.find(CollectionRef(config.dataset.name, "faces")), FIELDS["faces"]
        )
    faces = people.faces
    made_by = _check_model(config, "faces", faces.processed, lambda _, pack: get_pack_id(pack))
    labels, numbers = people.label_faces()
    rows = [
        {
            "photo_id": photo,
            "path": faces.processed[photo].path,
            "label": label,
            "cluster": number,
            "det_score": score,
            **dict(zip(("x1", "y1", "x2", "y2"), box, strict=True)),
        }
        for photo, label, number, score, box in zip(
            faces.photo_ids.tolist(),
            labels,
            numbers.tolist(),
            faces.scores.tolist(),
            faces.boxes.tolist(),
            strict=True,
        )
    ]
    return _make_rows(config, "faces", made_by, faces.ids, rows, faces.vectors)


def _make_rows(
    config: Config, kind: str, made_by: str, ids: np.ndarray, rows: list[RowFields], vectors: np.ndarray
) -> tuple[CollectionSpec, CollectionRows]:
    spec = CollectionSpec(
        dataset=config.dataset.name,
        kind=kind,
        model=getattr(config.models, kind),
        fingerprint=made_by,
        dimension=vectors.shape[1],
        index=choose_index(config.milvus.index, len(ids), config.milvus.is_lite),
        fields=FIELDS[kind],
    )
    return spec, CollectionRows(_make_scalars(spec, ids, rows), vectors)


def _make_empty_rows(
    existing: CollectionInfo | None, fields: tuple[ScalarField, ...]
) -> tuple[CollectionSpec, CollectionRows] | None:
    """What is left of a collection when nothing of it is there any more: nothing, of the same kind."""
    if existing is None:
        return None
    spec = CollectionSpec(
        existing.dataset,
        existing.kind,
        existing.model,
        existing.fingerprint,
        existing.dimension,
        existing.index,
        fields,
    )
    nothing = np.empty((0, existing.dimension), np.float32)
    return spec, CollectionRows(_make_scalars(spec, np.empty(0, np.int64), []), nothing)


def _check_model(
    config: Config, kind: str, current: dict[int, ProcessedPhoto], id_of: Callable[[str, str], str]
) -> str:
    """Return what stands for the model that made some vectors, if it is the config's."""
    # what follows the slash, precision or number of classes, does not keep vectors from being compared
    made_by = next(iter(current.values())).fingerprint.partition("/")[0]
    name = getattr(config.models, kind)
    if made_by != (wanted := id_of(kind, name)):
        raise UserError(
            f"models.{kind}: the config names {name} ({wanted}), the vectors were made by another model "
            f"({made_by}); set it back, or run {STEP_SCRIPTS[kind]}"
        )
    return made_by


def _make_scalars(spec: CollectionSpec, ids: np.ndarray, rows: list[RowFields]) -> pa.Table:
    """Return the key and every scalar field of some rows, "unknown" where no table knows better."""
    columns = {spec.key: pa.array(ids)}
    for item in spec.fields:
        values = [row.get(item.name, item.unknown) for row in rows]
        columns[item.name] = pa.array(values, ARROW_TYPES[item.type])
    return pa.table(columns)


def _join_words(known: RowFields) -> str:
    """Every name known of a photo, folded, for BM25."""
    names = [label for label in known.get("face_labels", ()) if not label.startswith("person ")]
    lists = [*names, *known.get("place_words", ()), *known.get("keywords", ())]
    texts = [known.get(name, "") for name in ("address", "class_label", "camera")]
    return " ".join(normalize(text) for text in (*lists, *texts) if text)[:_MOST_WORDS]


# --- what the tables know of each photo --------------------------------------------------------------------


def _collect_photo_fields(dataset: Dataset, people: People | None) -> dict[int, RowFields]:
    facts: dict[int, RowFields] = {}
    places = {photo: get_location_fields(where) for photo, where in read_locations(dataset).items()}
    for source in (_get_class_fields(dataset), _get_face_fields(people), places):
        for photo, fields in source.items():
            facts.setdefault(photo, {}).update(fields)
    return facts


def _get_class_fields(dataset: Dataset) -> dict[int, RowFields]:
    """The most probable ViT class of each photo, and its probability."""
    classes = dataset.table("classes").read_rows(dataset.current_entries("classes").values())
    if classes is None:
        return {}
    names = ("photo_id", "rank", "label", "score")
    rows = zip(*(classes[name].to_pylist() for name in names), strict=True)
    return {
        photo: {"class_label": label, "class_score": score} for photo, rank, label, score in rows if rank == 0
    }


def _get_face_fields(people: People | None) -> dict[int, RowFields]:
    """Who is in each photo, and how many faces; none in those that were looked at in vain."""
    if people is None:
        return {}
    facts: dict[int, RowFields] = {
        photo: {"face_labels": [], "face_count": 0} for photo in people.faces.processed
    }
    labels, _ = people.label_faces()
    for photo, label in zip(people.faces.photo_ids.tolist(), labels, strict=True):
        facts[photo]["face_count"] += 1
        if label and label not in facts[photo]["face_labels"]:
            facts[photo]["face_labels"].append(label)
    for fields in facts.values():
        fields["face_labels"].sort()
    return facts


def get_location_fields(where: PhotoLocation) -> dict[str, Any]:
    """Return what is known of a photo as scalar fields of its collections; what is unknown is left out.

    The lists hold folded words: they are compared with what people type, not shown.
    """
    facts, address = where.metadata, where.address
    fields: dict[str, Any] = {name: getattr(address, name) for name in _TEXTS}
    fields |= {"camera": facts.camera, "keywords": _list_elements(facts.keywords, "keywords")}
    fields["place_words"] = _list_elements((name for name, _ in address.places), "place_words")
    if facts.latitude is not None:
        fields |= {"has_gps": True, "latitude": facts.latitude, "longitude": facts.longitude}
    if facts.taken_at is not None:
        seconds = (facts.taken_at - datetime(1970, 1, 1)) // timedelta(seconds=1)
        fields |= {"has_time": True, "taken_at": seconds}
        fields |= {name: getattr(facts.taken_at, name) for name in ("year", "month", "day")}
        fields["weekday"] = facts.taken_at.weekday()
    if facts.rating is not None:
        fields["rating"] = facts.rating
    return fields


_TEXTS = ("city", "county", "state", "country", "address")


_LIMITS = {item.name: item.max_bytes for item in PHOTO_FIELDS if item.type == "LIST"}


def _list_elements(names: Iterable[str], name: str) -> list[str]:
    """Fold names to elements of a list field, as many as it holds: more would cost the whole photo."""
    elements = list(dict.fromkeys(filter(None, map(normalize, names))))
    while len(join_list(elements).encode()) > _LIMITS[name]:
        elements.pop()
    return elements
