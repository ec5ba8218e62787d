"""The photos, filters and queries of engine_speed.py, and the results of exact search."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from filter_speed import make_photo_rows
from store_speed import make_clustered_vectors

from imagesearch.filters import MATCH_ALL, And, Condition, Contains, Eq, In, PathPrefix
from imagesearch.store import CollectionRows

QUERIES = 40  # for each filter
NO_FILTER, OTHER_CLUSTERS = "no filter", "no filter, queries of other clusters"
FILTERS: dict[str, Condition] = {
    NO_FILTER: MATCH_ALL,
    OTHER_CLUSTERS: MATCH_ALL,
    "a person": Contains("face_labels", "Ana"),
    "a place": Contains("place_words", "goa"),
    "a person in a place": And((Contains("face_labels", "Bo"), Contains("place_words", "goa"))),
    "a year": And((Eq("has_time", True), In("year", (2020,)))),
    "a folder": PathPrefix("1"),
    "a rare person": Contains("face_labels", "Cy"),
}


def make_rows(rows: int, dimension: int) -> CollectionRows:
    """Make photos with vectors in clusters."""
    return describe_vectors(make_clustered_vectors(QUERIES + rows, dimension)[QUERIES:])


def describe_vectors(vectors: np.ndarray, seed: int = 0, first: int = 0) -> CollectionRows:
    """Make the photos of filter_speed.py, with a value in each field that most photos have."""
    table, rows = make_photo_rows(vectors, seed, first).scalars, len(vectors)
    numbers = np.arange(first, first + rows)
    has_time = table["has_time"].to_numpy()
    times = table["taken_at"].to_numpy().astype("datetime64[s]")
    months = times.astype("datetime64[M]")
    is_goa = np.asarray(["goa" in words for words in table["place_words"].to_pylist()])
    values: dict[str, Any] = {
        "file_name": [f"IMG_{i:06d}.jpg" for i in numbers],
        "name_words": [["img", f"{i:06d}"] for i in numbers],
        "city": np.where(is_goa, "Panaji", "Rome"),
        "country": np.where(is_goa, "India", "Italy"),
        "address": np.where(is_goa, "Panaji, Goa, India", "Rome, Lazio, Italy"),
        "has_gps": np.ones(rows, bool),
        "latitude": np.where(is_goa, 15.5, 41.9) + numbers % 1000 / 1e4,
        "longitude": np.where(is_goa, 73.8, 12.5) + numbers % 700 / 1e4,
        "year": np.where(has_time, months.astype(int) // 12 + 1970, 0),
        "month": np.where(has_time, months.astype(int) % 12 + 1, 0),
        "day": np.where(has_time, (times.astype("datetime64[D]") - months).astype(int) + 1, 0),
        "hour": np.where(has_time, numbers % 24, -1),
        "camera": np.full(rows, "iPhone 13"),
        "width": np.full(rows, 4032),
        "height": np.full(rows, 3024),
        "aspect": np.full(rows, 4 / 3),
        "indexed_at": 1_764_000_000 + numbers // 100,
    }
    for name, column in values.items():
        position = table.column_names.index(name)
        table = table.set_column(position, name, pa.array(column).cast(table.schema.field(name).type))
    texts = zip(table["face_labels"].to_pylist(), table["address"].to_pylist(), strict=True)
    words = [" ".join([*labels, address]).lower().replace(",", "") for labels, address in texts]
    return CollectionRows(table.append_column("words", pa.array(words)), vectors)


def make_queries(rows: int, dimension: int) -> dict[str, np.ndarray]:
    """Return the queries of each filter. They are from the clusters of the photos, except one set."""
    queries = make_clustered_vectors(QUERIES + rows, dimension)[:QUERIES].copy()
    others = make_clustered_vectors(QUERIES, dimension, seed=1)
    return {name: others if name == OTHER_CLUSTERS else queries for name in FILTERS}


def find_passing(photos: CollectionRows) -> dict[str, np.ndarray]:
    """Return the positions of the photos that pass each filter."""
    names = ("face_labels", "place_words", "path", "year")
    labels, words, paths, years = (photos.scalars[name].to_pylist() for name in names)
    people = {name: np.asarray([name in on_photo for on_photo in labels]) for name in ("Ana", "Bo", "Cy")}
    is_goa = np.asarray(["goa" in on_photo for on_photo in words])
    passing = {
        NO_FILTER: np.ones(len(paths), bool),
        OTHER_CLUSTERS: np.ones(len(paths), bool),
        "a person": people["Ana"],
        "a place": is_goa,
        "a person in a place": people["Bo"] & is_goa,
        "a year": np.asarray(years) == 2020,
        "a folder": np.asarray([path.startswith("1/") for path in paths]),
        "a rare person": people["Cy"],
    }
    return {name: np.flatnonzero(mask) for name, mask in passing.items()}


def find_nearest(vectors: np.ndarray, positions: np.ndarray, queries: np.ndarray) -> list[set[int]]:
    """Return the positions of the ten nearest of some vectors for each query, by exact search."""
    scores = vectors @ queries.T
    return [set(positions[np.argsort(-column[positions])[:10]].tolist()) for column in scores.T]
