"""The schema of collections: fields, specifications, rows and their digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagesearch.store.dialect import Dialect
from imagesearch.store.vector_index import IndexSpec

COLLECTION_KINDS = ("clip", "vit", "faces")
STEP_SCRIPTS = {
    "clip": "01_extract_features.py",
    "vit": "01_extract_features.py",
    "faces": "02_cluster_faces.py",
}
"""The script that extracts the vectors, for each kind of collection."""
MAX_HITS = 16_384
"""Maximum number of results of one search in Milvus."""
MAX_ELEMENT_BYTES = 512
"""Maximum size of one element of a list."""
IMPORTED_PREFIX = "npy-"
"""How the fingerprint of a collection starts if its vectors were imported, so that their model is unknown."""
_BATCH_ROWS = 5_000
# The types of fields in Arrow tables, on disk and before they are sent to Milvus.
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
    """A scalar field.

    ``unknown`` is stored if the value is unknown. Nulls are not used, because filters such as
    ``country != "Japan"`` silently exclude rows with nulls.
    """

    name: str
    type: str
    unknown: Any
    max_bytes: int = 0
    filtered: bool = False


# Milvus allows 64 fields in a collection; `clip` has 49. A server estimates the size of a row, from which it
# computes the rows in a segment, with 256 bytes for each longer text, so a larger maximum costs nothing.
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
    ScalarField("aspect", "FLOAT", 0.0),  # width / height of the upright photo
    ScalarField("file_name", "VARCHAR", "", 1024),  # 255 characters, the most on any usual disk
    ScalarField("name_words", "LIST", [], 2048, filtered=True),
    ScalarField("hour", "INT32", -1, filtered=True),
    ScalarField("time_source", "VARCHAR", "", 16),  # "exif", "xmp" or "name"
    ScalarField("time_precision", "VARCHAR", "", 16),  # "second", "day", "month" or "year"
    ScalarField("region_words", "LIST", [], 4096, filtered=True),
    ScalarField("indexed_at", "INT64", 0, filtered=True),  # seconds since 1970, UTC
    ScalarField("people_count_known", "INT32", -1),  # people with a name
    ScalarField("description", "VARCHAR", "", 8192),
    ScalarField("trip", "VARCHAR", "", 512, filtered=True),
    # For the columns of the user's own lists of photos; `CollectionSpec.extra` maps columns to these fields.
    *(ScalarField(f"extra_{i}", "VARCHAR", "", 1024, filtered=True) for i in range(1, 9)),
)
# "words": all names and words of a photo, normalized, which BM25 searches in addition to the CLIP vectors.
CLIP_FIELDS = (*PHOTO_FIELDS, ScalarField("words", "WORDS", "", 16_384))
WORDS_INDEX = "words_bm25"
# The defaults of a Milvus server, for all: the default k1 of Milvus Lite is 1.5.
BM25_PARAMETERS = {"bm25_k1": 1.2, "bm25_b": 0.75}
_MAX_LIST_BYTES = {field.name: field.max_bytes for field in PHOTO_FIELDS if field.type == "LIST"}
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
"""The fields of each kind of collection."""


@dataclass(frozen=True)
class CollectionRef:
    """The collection of a dataset for one kind of vectors (`COLLECTION_KINDS`)."""

    dataset: str
    kind: str

    @property
    def alias(self) -> str:
        """The alias that searches use."""
        return f"{self.dataset}_{self.kind}"

    @property
    def key(self) -> str:
        """The name of the primary key."""
        return "face_id" if self.kind == "faces" else "photo_id"


@dataclass(frozen=True)
class CollectionSpec:
    """The specification of a collection: its model, vectors, index and fields."""

    ref: CollectionRef
    model: str
    fingerprint: str
    dimension: int
    index: IndexSpec
    fields: tuple[ScalarField, ...] = PHOTO_FIELDS
    extra: Mapping[str, str] = field(default_factory=dict)
    """The field, ``extra_1`` to ``extra_8``, by column of the user's list of photos."""


@dataclass(frozen=True)
class CollectionInfo:
    """An existing collection as described in Milvus; ``name`` is its own name, not the alias."""

    name: str
    ref: CollectionRef
    model: str
    fingerprint: str
    dimension: int
    index: IndexSpec
    layout: str
    state: str
    rows: int
    field_types: Mapping[str, str] = field(default_factory=dict)
    """Milvus' type of each field that the collection really has, by name."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """See `CollectionSpec`."""
    vocabulary: str = ""
    """The digest of the `Vocabulary` that it was built with; empty if it has none."""

    @property
    def is_imported(self) -> bool:
        """Whether the vectors were imported from a file, so that their model is unknown."""
        return self.fingerprint.startswith(IMPORTED_PREFIX)

    @property
    def build_number(self) -> int:
        """How often it was rebuilt, from the end of its name."""
        return int(self.name.rpartition("__")[2])

    @property
    def megabytes(self) -> float:
        """Size of the vectors."""
        return self.rows * self.dimension * 4 / 1e6

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        values = asdict(self)
        del values["field_types"]
        return {"name": values.pop("name"), **values.pop("ref"), **values, "megabytes": self.megabytes}


@dataclass(frozen=True)
class Hit:
    """One search result."""

    id: int
    score: float | None
    fields: dict[str, Any]


@dataclass(frozen=True)
class CollectionRows:
    """The rows of a collection to be built.

    Attributes
    ----------
    scalars : pyarrow.Table
        The key and the scalar fields.
    vectors : (n, d)
        The vectors; the matrix can be memory-mapped, because it is only read in batches.
    convert
        Returns a batch of the matrix as unit vectors, (m, d) float32. By default it is returned as it is.
    digests : dict
        The digests of rows, by key, that are known from an earlier build of this process. Those of the others
        are added when they are computed.
    """

    scalars: pa.Table
    vectors: np.ndarray
    convert: Callable[[np.ndarray], np.ndarray] = np.asarray
    digests: dict[int, str] = field(default_factory=dict)

    def read_vectors(self, positions: np.ndarray | slice) -> np.ndarray:
        """Return the vectors of a batch of rows, (m, d) float32."""
        return self.convert(self.vectors[positions])

    def iterate_batches(self, positions: np.ndarray, size: int) -> Iterator[list[dict[str, Any]]]:
        """Yield batches of the rows at some positions, as dicts with ``embedding`` and ``digest``."""
        for start in range(0, len(positions), size):
            batch = positions[start : start + size]
            rows = self.scalars.take(pa.array(batch)).to_pylist()
            for row, vector in zip(rows, self.read_vectors(batch), strict=True):
                row["digest"] = _hash_row(row, vector)
                row["embedding"] = vector
            yield rows


_ENCODER = json.JSONEncoder(sort_keys=True)  # json.dumps would make one for each row

CollectionContent = tuple[CollectionSpec, CollectionRows]
"""The specification and the rows of a collection to be built."""


def hash_layout(key: str, fields: tuple[ScalarField, ...], dialect: Dialect) -> str:
    """Return a short digest of a collection's fields. A collection with another digest must be rebuilt.

    Existing collections store the digest in their properties. A change of the hashed text therefore rebuilds
    all collections of all users.
    """
    field_texts = [f"{f.name} {f.type} {f.unknown!r} {f.max_bytes} {f.filtered}" for f in fields]
    features = {"lists_are_arrays": dialect.lists_are_arrays, "has_bm25": dialect.has_bm25}
    dialect_text = f"{features}, {sorted(dialect.scalar_indexes.items())}, {BM25_PARAMETERS}"
    text = "\n".join((key, *field_texts, dialect_text))
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def find_valid_rows(spec: CollectionSpec, rows: CollectionRows) -> tuple[np.ndarray, dict[str, str]]:
    """Return the rows that can be stored in Milvus, and the reasons for the others.

    Returns
    -------
    positions : (n,) int64
        Positions of the valid rows.
    skipped : dict
        Reason by path for the other rows: the vector is not finite or not of unit length (Milvus accepts NaN
        without an error), or a text is longer than its field.

    Raises
    ------
    ValueError
        If the vectors do not have the dimension of the collection.
    """
    vectors = rows.vectors
    if vectors.ndim != 2 or vectors.shape[1] != spec.dimension:
        raise ValueError(
            f"{spec.ref.alias}: expected vectors of shape (n, {spec.dimension}), got {vectors.shape}"
        )
    batches = (slice(start, start + _BATCH_ROWS) for start in range(0, len(vectors), _BATCH_ROWS))
    norms = np.concatenate([[], *(np.linalg.norm(rows.read_vectors(batch), axis=1) for batch in batches)])
    not_unit = np.flatnonzero(~(abs(norms - 1) < 1e-2))  # true for NaN too
    reasons = {int(i): "its vector is not a finite unit vector" for i in not_unit}
    for item in spec.fields:
        if item.max_bytes:
            lengths = _measure_texts(rows.scalars[item.name])
            for i in np.flatnonzero(lengths > item.max_bytes).tolist():
                reasons[i] = f"{item.name} is longer than {item.max_bytes} bytes"
    paths = rows.scalars["path"]
    positions = np.asarray([i for i in range(len(vectors)) if i not in reasons], np.int64)
    return positions, {paths[i].as_py(): reason for i, reason in reasons.items()}


def _measure_texts(column: pa.ChunkedArray) -> np.ndarray:
    """Return the length in bytes of each text, or of each list as `join_list` joins it; (n,) int64."""
    if pa.types.is_list(column.type):
        column = pc.binary_join(column.cast(ARROW_TYPES["LIST"]), "|")
        # "|" before and behind the elements; a list without elements is a single "|"
        return pc.binary_length(column).to_numpy().astype(np.int64) + 2
    return pc.binary_length(column).to_numpy().astype(np.int64)


def fit_list(elements: list[str], field: str) -> list[str]:
    """Return as many elements as fit a list field of photos; a longer list would exclude the photo."""
    while len(join_list(elements).encode()) > _MAX_LIST_BYTES[field]:
        elements.pop()
    return elements


def join_list(elements: list[str]) -> str:
    """Return a list as one string, in which ``like "%|element|%"`` finds an element."""
    return "|" + "".join(f"{element}|" for element in elements)


def split_list(joined: str) -> list[str]:
    """Return the list from a string of `join_list`."""
    return joined.strip("|").split("|") if joined != "|" else []


def make_hit(row: Any, fields: Sequence[str]) -> Hit:
    """Return a row from the results of a search, with its score."""
    # row.id and not the field's name: servers before 2.4 do not return that name
    return Hit(row.id, float(row["distance"]), select_fields(row["entity"], fields))


def select_fields(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return some fields of a row; lists are returned as lists, in whatever form they are stored."""
    fields = {name: row[name] for name in names}
    for name in LIST_FIELDS & fields.keys():
        value = fields[name]
        fields[name] = split_list(value) if isinstance(value, str) else list(value)
    return fields


def _hash_row(row: dict[str, Any], vector: np.ndarray) -> str:
    """Return a digest of a row and its vector. Collections store it, so its computation must not change."""
    digest = hashlib.blake2b(_ENCODER.encode(row).encode(), digest_size=16)
    digest.update(vector.tobytes())
    return digest.hexdigest()
