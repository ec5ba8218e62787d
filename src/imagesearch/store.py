"""Milvus: collections behind aliases, filters, exact and approximate search.

What differs between Milvus Lite (a file) and a server is the table `_LITE` / `_SERVER`, nothing elsewhere.
"""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from imagesearch.config import Milvus
from imagesearch.connection import connect, data_types, disconnect
from imagesearch.errors import UserError
from imagesearch.filters import ANYTHING, Between, Condition, Every, Is, OneOf, expression
from imagesearch.indexes import IndexPlan
from imagesearch.schema import (
    KINDS,
    LIST_FIELDS,
    Collection,
    Hit,
    Spec,
    alias_of,
    join_list,
    key_of,
    layout_of,
    split_list,
)

_ROWS_A_BATCH = 5_000
_MOST_HITS = 16_384  # Milvus' own limit of one search


@dataclass(frozen=True)
class _Variant:
    """What differs between Milvus Lite and a server."""

    lists_are_arrays: bool  # Lite evaluates arrays row by row in Python: 1.8 s where `like` takes 21 ms
    scalar_indexes: bool  # on Lite each costs 0.15 s a load of 50,000 rows and saves nothing
    nested_params: bool  # Lite 3.2.2 reads nlist, M, ... only below "params", where pymilvus 3 puts none


_LITE = _Variant(lists_are_arrays=False, scalar_indexes=False, nested_params=True)
_SERVER = _Variant(lists_are_arrays=True, scalar_indexes=True, nested_params=False)


@dataclass(frozen=True)
class _Query:
    """One search, with everything settled."""

    collection: Collection
    vector: np.ndarray
    limit: int
    where: str
    min_score: float | None
    fields: tuple[str, ...]

    @property
    def alias(self) -> str:
        return alias_of(self.collection.dataset, self.collection.kind)


# --- the store ---------------------------------------------------------------------------------------------


class Store:
    """A connection to Milvus Lite or a server; a context manager.

    Parameters
    ----------
    milvus
        ``uri`` and ``token`` from the config.

    Raises
    ------
    UserError
        If the server does not answer, or another process has the file open.
    """

    def __init__(self, milvus: Milvus) -> None:
        self.uri, self._lite = milvus.uri, milvus.is_lite
        self._variant = _LITE if self._lite else _SERVER
        self._search_params = milvus.index.search_params
        self._client = connect(milvus)
        self._loaded: dict[str, Collection] = {}

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; of Milvus Lite the file too, when its compaction has ended."""
        disconnect(self._client, self.uri, self._lite)

    # --- what is there -------------------------------------------------------------------------------------

    def collections(self) -> list[Collection]:
        """List the collections that this program made and finished, by dataset and kind."""
        own = (self.find(c.dataset, c.kind) for c in self._own())
        found = {c.name: c for c in own if c is not None}
        return sorted(found.values(), key=lambda c: (c.dataset, KINDS.index(c.kind)))

    def find(self, dataset: str, kind: str) -> Collection | None:
        """Return a dataset's collection of one kind, or None."""
        alias = alias_of(dataset, kind)
        if not self._client.has_collection(alias):
            return None
        found = self._describe(alias)
        if found is None or found.name == alias:
            raise UserError(f"{self.uri}: {alias} is not this program's; choose another dataset.name")
        return found

    def drop(self, dataset: str) -> list[str]:
        """Drop all collections of a dataset, finished or not; return their names."""
        names = [collection.name for collection in self._own() if collection.dataset == dataset]
        for name in names:
            for alias in self._client.list_aliases(name)["aliases"]:
                self._client.drop_alias(alias)
            self._client.drop_collection(name)
        self._loaded.clear()
        return names

    def _own(self) -> list[Collection]:
        """List the collections that this program made, finished or not."""
        described = (self._describe(name) for name in self._client.list_collections())
        return [collection for collection in described if collection is not None]

    def _describe(self, name: str) -> Collection | None:
        description = self._client.describe_collection(name)
        properties = description.get("properties") or {}
        if "imagesearch.spec" not in properties:
            return None
        spec = json.loads(properties["imagesearch.spec"])
        rows = int(self._client.get_collection_stats(name)["row_count"])
        return Collection(
            name=description["collection_name"],  # of an alias, the collection's own
            dataset=spec["dataset"],
            kind=spec["kind"],
            model=spec["model"],
            fingerprint=spec["fingerprint"],
            dimension=spec["dimension"],
            index=IndexPlan(**spec["index"]),
            layout=spec["layout"],
            state=properties.get("imagesearch.state", "updating"),
            rows=rows,
        )

    # --- building, in small steps; their order is in imagesearch.build -------------------------------------

    def layout(self, spec: Spec) -> str:
        """Return the digest of the fields that a collection made now would have."""
        return layout_of(spec, self._variant)

    def create(self, spec: Spec, name: str) -> None:
        """Create an empty collection, in the state of being updated."""
        data_type = data_types()
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field(spec.key, data_type.INT64, is_primary=True)
        schema.add_field("digest", data_type.VARCHAR, max_length=32)
        for item in spec.fields:
            if item.type == "LIST" and self._variant.lists_are_arrays:
                kinds = {"element_type": data_type.VARCHAR, "max_capacity": 1024, "max_length": 512}
                schema.add_field(item.name, data_type.ARRAY, **kinds)
            elif item.max_bytes:
                schema.add_field(item.name, data_type.VARCHAR, max_length=item.max_bytes)
            else:
                schema.add_field(item.name, data_type[item.type])
        schema.add_field("embedding", data_type.FLOAT_VECTOR, dim=spec.dimension)
        indexes = self._client.prepare_index_params()
        params = {"params": spec.index.build} if self._variant.nested_params else spec.index.build
        indexes.add_index("embedding", index_type=spec.index.type, metric_type="IP", params=params)
        for item in spec.fields:
            if item.filtered and self._variant.scalar_indexes:
                indexes.add_index(item.name, index_type="INVERTED")
        properties = {
            "dataset": spec.dataset,
            "kind": spec.kind,
            "model": spec.model,
            "fingerprint": spec.fingerprint,
            "dimension": spec.dimension,
            "index": {"type": spec.index.type, "build": spec.index.build},
            "layout": self.layout(spec),
        }
        self._client.create_collection(
            name,
            schema=schema,
            index_params=indexes,
            consistency_level="Strong",
            properties={"imagesearch.spec": json.dumps(properties), "imagesearch.state": "updating"},
        )

    def set_state(self, name: str, state: str) -> None:
        """Say in a collection's properties that it is ``updating`` or ``ready``."""
        self._client.alter_collection_properties(name, {"imagesearch.state": state})

    def digests(self, name: str, key: str) -> dict[int, str]:
        """Return each row's digest by key: what tells changed rows from unchanged ones."""
        self._client.load_collection(name)
        return {row[key]: row["digest"] for row in self._every_row(name, [key, "digest"])}

    def upsert(self, name: str, spec: Spec, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows, or replace those of the same key."""
        if not self._variant.lists_are_arrays:
            lists = [item.name for item in spec.fields if item.type == "LIST"]
            rows = [row | {name: join_list(row[name]) for name in lists} for row in rows]
        self._client.upsert(name, list(rows))

    def delete(self, name: str, keys: Iterable[int]) -> None:
        """Delete rows by key."""
        keys = list(keys)
        for start in range(0, len(keys), _ROWS_A_BATCH):
            self._client.delete(name, ids=keys[start : start + _ROWS_A_BATCH])

    def finish(self, name: str) -> int:
        """Flush a collection, without which every search slows down eightfold, and count its rows."""
        self._client.flush(name)
        self._client.load_collection(name)
        return int(self._client.query(name, filter="", output_fields=["count(*)"])[0]["count(*)"])

    def publish(self, spec: Spec, name: str) -> None:
        """Let a collection be the one that is searched, and drop the one it replaces."""
        self._loaded.clear()
        if not self._client.has_collection(spec.alias):
            self._client.create_alias(name, spec.alias)
            return
        old = self._client.describe_alias(spec.alias)["collection_name"]
        if old != name:
            self._client.alter_alias(name, spec.alias)
            self._client.drop_collection(old)

    def drop_unfinished(self, dataset: str) -> None:
        """Drop what a killed rebuild left: collections behind no alias."""
        for collection in self._own():
            current = self.find(collection.dataset, collection.kind)
            if collection.dataset == dataset and (current is None or current.name != collection.name):
                self._client.drop_collection(collection.name)

    # --- searching -----------------------------------------------------------------------------------------

    def open(self, dataset: str, kind: str) -> Collection:
        """Return a collection, loaded for searching.

        Raises
        ------
        UserError
            If there is none.
        """
        alias = alias_of(dataset, kind)
        if alias not in self._loaded:
            collection = self.find(dataset, kind)
            if collection is None:
                others = sorted({c.dataset for c in self.collections()})
                hint = f"; there are: {', '.join(others)}" if others else ""
                raise UserError(
                    f"{self.uri}: no {kind} collection of dataset {dataset!r}{hint}; "
                    "run 05_build_collections.py, or name another dataset with -n"
                )
            self._client.load_collection(alias)
            self._loaded[alias] = collection
        return self._loaded[alias]

    def search(
        self,
        dataset: str,
        kind: str,
        vector: np.ndarray,
        limit: int,
        *,
        where: Condition = ANYTHING,
        min_score: float | None = None,
        fields: Sequence[str] = ("path",),
    ) -> list[Hit]:
        """Return the rows nearest to a vector, best first.

        No filter loses a row to an approximate index: when one gives fewer hits than asked for, the search
        is repeated exactly over the rows that pass the filter.

        Parameters
        ----------
        vector : (d,) float32
            Of unit length, so that the inner product is the cosine.
        limit
            At most so many.
        where
            What the rows must fulfil.
        min_score
            Leave out lower scores.
        fields
            To return with each hit.
        """
        # The same inner product comes out some 1e-7 apart from one search path to another
        least = None if min_score is None else min_score - 1e-6
        limit = min(limit, _MOST_HITS)
        written = self.expression(where)
        query = _Query(self.open(dataset, kind), vector, limit, written, least, tuple(fields))
        hits = self._approximate(query, exhaustive=bool(written))
        index = query.collection.index
        if len(hits) == limit or index.is_exact or query.collection.rows == 0:
            return hits
        if index.has_clusters:
            return hits if written else self._approximate(query, exhaustive=True)
        if least is not None:
            # Few above the score, or few found? An answer that is full without the score means: few above it.
            full = self._approximate(replace(query, min_score=None), exhaustive=False)
            if len(full) == limit:
                return [hit for hit in full if hit.score >= least]
        return self._exact(query)

    def newest(
        self,
        dataset: str,
        kind: str,
        limit: int,
        *,
        where: Condition = ANYTHING,
        fields: Sequence[str] = (),
        periods: Sequence[int] = (),
    ) -> list[Hit]:
        """Return the photos that pass a filter, newest first, those of unknown time last; without scores.

        Milvus Lite cannot order what it returns. So the newest stretch of time is looked through first; then,
        if not too many photos pass, all of them; else one stretch after another, back in time. ``periods``
        are the limits between them.
        """
        collection = self.open(dataset, kind)
        key = key_of(kind)

        def sorted_keys(condition: Condition, rows: Iterable[dict[str, Any]] | None = None) -> list[int]:
            if rows is None:
                written = self.expression(Every((where, condition)))
                rows = self._rows(collection.alias, [key, "has_time", "taken_at"], written)
            order = heapq.nsmallest(limit, rows, lambda r: (not r["has_time"], -r["taken_at"], r[key]))
            return [row[key] for row in order]

        edges = itertools.pairwise([None, *periods, None])
        stretches = [Every((Is("has_time", True), Between("taken_at", low, high))) for high, low in edges]
        keys = sorted_keys(stretches[0]) if periods else []
        if len(keys) < limit:
            written = self.expression(where)
            few = self._first_rows(collection.alias, [key, "has_time", "taken_at"], written)
            if len(few) < _ROWS_A_BATCH:
                return self.rows(dataset, kind, sorted_keys(ANYTHING, few), fields)
            for stretch in [*stretches[len(stretches) > 1 :], Is("has_time", False)]:
                keys += sorted_keys(stretch)
                if len(keys) >= limit:
                    break
        return self.rows(dataset, kind, keys[:limit], fields)

    def rows(
        self,
        dataset: str,
        kind: str,
        keys: Sequence[int],
        fields: Sequence[str],
        where: Condition = ANYTHING,
    ) -> list[Hit]:
        """Return the rows of some keys that pass a filter, in the order of the keys; without scores."""
        collection = self.open(dataset, kind)
        key = key_of(kind)
        found: dict[int, dict[str, Any]] = {}
        for start in range(0, len(keys), _ROWS_A_BATCH):
            these = OneOf(key, tuple(keys[start : start + _ROWS_A_BATCH]))
            written = self.expression(Every((these, where)))
            rows = self._client.query(collection.alias, filter=written, output_fields=[key, *fields])
            found |= {row[key]: _fields(row, fields) for row in rows}
        return [Hit(k, None, found[k]) for k in keys if k in found]

    def expression(self, where: Condition) -> str:
        """Write a condition as this engine wants it; empty where everything passes."""
        return expression(where, lists_are_arrays=self._variant.lists_are_arrays)

    def sample(self, dataset: str, kind: str, size: int) -> np.ndarray:
        """Return the vectors of some ``size`` rows, (n, d) float32; which rows is Milvus' choice."""
        self.open(dataset, kind)
        rows = self._client.query(alias_of(dataset, kind), limit=size, output_fields=["embedding"])
        return np.asarray([row["embedding"] for row in rows], np.float32)

    def _approximate(self, query: _Query, exhaustive: bool) -> list[Hit]:
        index = query.collection.index
        params: dict[str, Any] = dict(index.search_params(self._search_params, query.limit, exhaustive))
        if query.min_score is not None:
            params["radius"] = query.min_score
        found = self._client.search(
            query.alias,
            data=[np.asarray(query.vector, np.float32)],
            anns_field="embedding",
            limit=query.limit,
            filter=query.where,
            search_params={"metric_type": "IP", "params": params},
            output_fields=list(query.fields),
        )[0]
        key = key_of(query.collection.kind)
        return [Hit(hit[key], float(hit["distance"]), _fields(hit["entity"], query.fields)) for hit in found]

    def _exact(self, query: _Query) -> list[Hit]:
        """Score every row that passes the filter; only the best so far are kept in memory."""
        key = key_of(query.collection.kind)
        fields = [key, "embedding", *query.fields]
        best: list[Hit] = []
        for row in self._rows(query.alias, fields, query.where):
            score = float(np.dot(np.asarray(row["embedding"], np.float32), query.vector))
            if query.min_score is None or score >= query.min_score:
                best.append(Hit(row[key], score, _fields(row, query.fields)))
            if len(best) > 2 * query.limit:
                best = sorted(best, key=lambda hit: -hit.score)[: query.limit]
        return sorted(best, key=lambda hit: -hit.score)[: query.limit]

    def _rows(self, name: str, fields: Sequence[str], where: str) -> Iterable[dict[str, Any]]:
        """Return the rows that pass a filter."""
        # One request where that suffices, as it nearly always does: an iterator takes 0.2 s to set up
        rows = self._first_rows(name, fields, where)
        return self._every_row(name, fields, where) if len(rows) == _ROWS_A_BATCH else rows

    def _first_rows(self, name: str, fields: Sequence[str], where: str) -> list[dict[str, Any]]:
        return self._client.query(name, filter=where, output_fields=list(fields), limit=_ROWS_A_BATCH)

    def _every_row(self, name: str, fields: Sequence[str], where: str = "") -> Iterator[dict[str, Any]]:
        iterator = self._client.query_iterator(
            name, batch_size=_ROWS_A_BATCH, filter=where, output_fields=list(fields)
        )
        try:
            while batch := iterator.next():
                yield from batch
        finally:
            iterator.close()


# --- details -----------------------------------------------------------------------------------------------


def _fields(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return some fields of a row, with lists as lists whatever they are kept as."""
    fields = {name: row[name] for name in names}
    for name in LIST_FIELDS & fields.keys():
        value = fields[name]
        fields[name] = split_list(value) if isinstance(value, str) else list(value)
    return fields
