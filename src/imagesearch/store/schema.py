"""What a collection of photos is made of: its fields, its specification, its rows, and their digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from imagesearch.store.vector_index import IndexSpec

COLLECTION_KINDS = ("clip", "vit", "faces")
STEP_SCRIPTS = {
    "clip": "01_extract_features.py",
    "vit": "01_extract_features.py",
    "faces": "02_cluster_faces.py",
}
"""The script that extracts each kind of vectors."""
MAX_HITS = 16_384
"""Milvus' own limit of one search."""
# What a field is in the tables on disk and on its way to Milvus.
ARROW_TYPES = {
    "VARCHAR": pa.string(),
    "WORDS": pa.string(),
    "LIST": pa.list_(pa.string()),
    "BOOL": pa.bool_(),
    "INT32": pa.int32(),
    "INT64": pa.int64(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
}


@dataclass(frozen=True)
class ScalarField:
    """A scalar field. ``unknown`` stands where nothing is known: there are no nulls, because filters
    such as ``country != "Japan"`` silently leave null rows out."""

    name: str
    type: str
    unknown: Any
    max_bytes: int = 0
    filtered: bool = False


PHOTO_FIELDS = (
    ScalarField("path", "VARCHAR", "", 4096, filtered=True),
    ScalarField("face_labels", "LIST", [], 8192, filtered=True),
    ScalarField("face_count", "INT32", -1, filtered=True),
    ScalarField("city", "VARCHAR", "", 512, filtered=True),
    ScalarField("county", "VARCHAR", "", 512),
    ScalarField("state", "VARCHAR", "", 512, filtered=True),
    ScalarField("country", "VARCHAR", "", 512, filtered=True),
    ScalarField("address", "VARCHAR", "", 4096),
    ScalarField("place_words", "LIST", [], 4096, filtered=True),
    ScalarField("has_gps", "BOOL", False),
    ScalarField("latitude", "DOUBLE", 0.0, filtered=True),
    ScalarField("longitude", "DOUBLE", 0.0, filtered=True),
    ScalarField("has_time", "BOOL", False),
    ScalarField("taken_at", "INT64", 0, filtered=True),
    ScalarField("year", "INT32", 0, filtered=True),
    ScalarField("month", "INT32", 0),
    ScalarField("day", "INT32", 0),
    ScalarField("weekday", "INT32", -1),
    ScalarField("camera", "VARCHAR", "", 512),
    ScalarField("rating", "INT32", -1),
    ScalarField("keywords", "LIST", [], 8192),
    ScalarField("class_label", "VARCHAR", "", 512, filtered=True),
    ScalarField("class_score", "FLOAT", 0.0),
    ScalarField("width", "INT32", 0),
    ScalarField("height", "INT32", 0),
)
# "words": every name and word known of a photo, normalized, for BM25 beside the vectors that texts search.
CLIP_FIELDS = (*PHOTO_FIELDS, ScalarField("words", "WORDS", "", 16_384))
WORDS_INDEX = "words_bm25"
LIST_FIELDS = frozenset(field.name for field in PHOTO_FIELDS if field.type == "LIST")
FACE_FIELDS = (
    ScalarField("photo_id", "INT64", 0),
    ScalarField("path", "VARCHAR", "", 4096, filtered=True),
    ScalarField("label", "VARCHAR", "", 512, filtered=True),
    ScalarField("cluster", "INT32", -1),
    ScalarField("det_score", "FLOAT", 0.0),
    *(ScalarField(side, "FLOAT", 0.0) for side in ("x1", "y1", "x2", "y2")),
)
FIELDS = {"clip": CLIP_FIELDS, "vit": PHOTO_FIELDS, "faces": FACE_FIELDS}
"""By kind of collection."""


@dataclass(frozen=True)
class CollectionRef:
    """Which collection: of a dataset, one kind of vectors (`COLLECTION_KINDS`)."""

    dataset: str
    kind: str

    @property
    def alias(self) -> str:
        """The name under which it is searched."""
        return f"{self.dataset}_{self.kind}"

    @property
    def key(self) -> str:
        """Name of its primary key."""
        return "face_id" if self.kind == "faces" else "photo_id"


@dataclass(frozen=True)
class Dialect:
    """What differs between Milvus Lite and a server."""

    lists_are_arrays: bool  # Lite evaluates arrays row by row in Python: 1.8 s where `like` takes 21 ms
    scalar_indexes: bool  # on Lite each costs 0.15 s a load of 50,000 rows and saves nothing
    has_bm25: bool  # servers have it from 2.5 on
    nested_params: bool  # Lite 3.2.2 reads nlist, M, ... only below "params", where pymilvus 3 puts none


LITE = Dialect(lists_are_arrays=False, scalar_indexes=False, has_bm25=True, nested_params=True)
SERVER = Dialect(lists_are_arrays=True, scalar_indexes=True, has_bm25=True, nested_params=False)


@dataclass(frozen=True)
class CollectionSpec:
    """What a collection is to be: which one, of which model's vectors, how indexed, with which fields."""

    ref: CollectionRef
    model: str
    fingerprint: str
    dimension: int
    index: IndexSpec
    fields: tuple[ScalarField, ...] = PHOTO_FIELDS


@dataclass(frozen=True)
class CollectionInfo:
    """What Milvus keeps about a collection; ``name`` is its own, not the alias under which it is searched."""

    name: str
    ref: CollectionRef
    model: str
    fingerprint: str
    dimension: int
    index: IndexSpec
    layout: str
    state: str
    rows: int

    @property
    def megabytes(self) -> float:
        """Size of its vectors."""
        return self.rows * self.dimension * 4 / 1e6

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        values = asdict(self)
        return {"name": values.pop("name"), **values.pop("ref"), **values, "megabytes": self.megabytes}


@dataclass(frozen=True)
class Hit:
    """One search result."""

    id: int
    score: float | None
    fields: dict[str, Any]


@dataclass(frozen=True)
class CollectionRows:
    """All rows a collection is to hold: scalars in a table with the key and the fields, and their vectors."""

    scalars: pa.Table
    vectors: np.ndarray

    def iterate_batches(self, positions: np.ndarray, size: int) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows at some positions as dicts, each with its ``embedding`` and its ``digest``."""
        for start in range(0, len(positions), size):
            batch = positions[start : start + size]
            rows = self.scalars.take(pa.array(batch)).to_pylist()
            for row, i in zip(rows, batch, strict=True):
                row["digest"] = _hash_row(row, self.vectors[i])
                row["embedding"] = self.vectors[i]
            yield rows


CollectionContent = tuple[CollectionSpec, CollectionRows]
"""What a collection is to be, and what it is to hold."""


def hash_layout(key: str, fields: tuple[ScalarField, ...], dialect: Dialect) -> str:
    """Return a short digest of a collection's fields; another layout requires another collection.

    The hashed text is spelled out here, whatever the classes are called today: collections keep this digest
    in their properties, and those of November 2026 stay valid.
    """
    field_texts = [
        f"Field(name={field.name!r}, type={field.type!r}, unknown={field.unknown!r}, "
        f"max_bytes={field.max_bytes!r}, filtered={field.filtered!r})"
        for field in fields
    ]
    dialect_text = (
        f"_Variant(lists_are_arrays={dialect.lists_are_arrays!r}, scalar_indexes={dialect.scalar_indexes!r}, "
        f"has_bm25={dialect.has_bm25!r}, nested_params={dialect.nested_params!r})"
    )
    text = f"({key!r}, ({', '.join(field_texts)}), {dialect_text})"
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def find_valid_rows(spec: CollectionSpec, rows: CollectionRows) -> tuple[np.ndarray, dict[str, str]]:
    """Return which rows Milvus can take, and why not the others.

    Returns
    -------
    positions : (n,) int64
        Of the valid rows.
    skipped : dict
        Reason by path, for the others: a vector that is not finite or not of unit length (Milvus accepts
        a NaN without an error), a text of more bytes than its field has.

    Raises
    ------
    ValueError
        If the vectors are not of the collection's dimension.
    """
    vectors = rows.vectors
    if vectors.ndim != 2 or vectors.shape[1] != spec.dimension:
        raise ValueError(f"{spec.ref.alias}: vectors of shape {vectors.shape}, not (n, {spec.dimension})")
    norms = np.linalg.norm(vectors, axis=1)
    off_unit = np.flatnonzero(~(abs(norms - 1) < 1e-2))  # NaN is not below either
    reasons = {int(i): "its vector is not a finite unit vector" for i in off_unit}
    for field in spec.fields:
        if not field.max_bytes:
            continue
        for i, value in enumerate(rows.scalars[field.name].to_pylist()):
            text = value if isinstance(value, str) else join_list(value)
            if len(text) * 4 > field.max_bytes and len(text.encode()) > field.max_bytes:
                reasons[i] = f"{field.name} is longer than {field.max_bytes} bytes"
    paths = rows.scalars["path"]
    positions = np.asarray([i for i in range(len(vectors)) if i not in reasons], np.int64)
    return positions, {paths[i].as_py(): reason for i, reason in reasons.items()}


def join_list(elements: list[str]) -> str:
    """Return a list as one string that ``like "%|element|%"`` finds elements in."""
    return "|" + "".join(f"{element}|" for element in elements)


def split_list(joined: str) -> list[str]:
    """Undo `join_list`."""
    return joined.strip("|").split("|") if joined != "|" else []


def make_hit(row: dict[str, Any], key: str, fields: Sequence[str]) -> Hit:
    """Return a row that a search found, with its score."""
    return Hit(row[key], float(row["distance"]), select_fields(row["entity"], fields))


def select_fields(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return some fields of a row, with lists as lists whatever they are kept as."""
    fields = {name: row[name] for name in names}
    for name in LIST_FIELDS & fields.keys():
        value = fields[name]
        fields[name] = split_list(value) if isinstance(value, str) else list(value)
    return fields


def _hash_row(row: dict[str, Any], vector: np.ndarray) -> str:
    """Return a digest that differs where a row has changed; those that collections keep stay valid."""
    digest = hashlib.blake2b(json.dumps(row, sort_keys=True).encode(), digest_size=16)
    digest.update(vector.tobytes())
    return digest.hexdigest()
