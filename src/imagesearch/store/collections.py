"""Lists, finds and opens collections in Milvus, and has the operations for building them.

The differences between Milvus Lite (a file) and a server are in `schema.Dialect`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from imagesearch.config import MilvusConfig
from imagesearch.errors import UserError
from imagesearch.store.client import connect, get_data_types, make_bm25_function, supports_bm25
from imagesearch.store.schema import (
    COLLECTION_KINDS,
    FIELDS,
    LITE,
    SERVER,
    STEP_SCRIPTS,
    WORDS_INDEX,
    CollectionInfo,
    CollectionRef,
    CollectionSpec,
    ScalarField,
    hash_layout,
    join_list,
)
from imagesearch.store.vector_index import IndexSpec

_BATCH_ROWS = 5_000


class Collections:
    """The collections of Milvus Lite or a server.

    Parameters
    ----------
    milvus
        The settings ``uri`` and ``token`` in the config.

    Attributes
    ----------
    client : LiteClient or ServerClient
        The connection, with the methods of `pymilvus.MilvusClient`.
    dialect : Dialect
        The capabilities of this engine.

    Raises
    ------
    UserError
        If the server does not answer, or a process has the file open that does not share it.
    """

    def __init__(self, milvus: MilvusConfig) -> None:
        self.uri = milvus.uri
        self.client = connect(milvus)
        self.dialect = LITE if milvus.is_lite else replace(SERVER, has_bm25=supports_bm25(self.client))
        self._loaded: dict[CollectionRef, CollectionInfo] = {}

    def close(self) -> None:
        """Close the connection. For Milvus Lite, wait for its compaction and close the file."""
        self.client.close()

    # --- finding and dropping -------------------------------------------------------------------------------

    def list_all(self) -> list[CollectionInfo]:
        """List the finished collections of this program, sorted by dataset and kind."""
        current = (self.find(c.ref) for c in self._list_own())
        finished = {c.name: c for c in current if c is not None}
        return sorted(finished.values(), key=lambda c: (c.ref.dataset, COLLECTION_KINDS.index(c.ref.kind)))

    def find(self, ref: CollectionRef) -> CollectionInfo | None:
        """Return a dataset's collection of one kind, or None."""
        if not self.client.has_collection(ref.alias):
            return None
        collection = self._describe(ref.alias)
        if collection is None or collection.name == ref.alias:
            raise UserError(f"{self.uri}: another program created {ref.alias}; set another dataset.name")
        return collection

    def open(self, ref: CollectionRef) -> CollectionInfo:
        """Load a collection for searching, and return it.

        Raises
        ------
        UserError
            If the collection does not exist.
        """
        if ref not in self._loaded:
            collection = self.find(ref)
            if collection is None:
                hint = self._explain_missing(ref)
                raise UserError(f"{self.uri}: no {ref.kind} collection of dataset {ref.dataset!r}; {hint}")
            self.client.load_collection(ref.alias)
            self._loaded[ref] = collection
        return self._loaded[ref]

    def forget(self, *, unfinished_only: bool = False) -> None:
        """Describe the collections again when they are opened next, because another program changed them.

        Parameters
        ----------
        unfinished_only
            Only the collections that were being updated.
        """
        for ref, collection in list(self._loaded.items()):
            if not unfinished_only or collection.state != "ready":
                del self._loaded[ref]

    def have_changed(self) -> bool:
        """Whether another program has rebuilt or dropped a collection since it was opened here."""
        return any(self.find(ref) != collection for ref, collection in list(self._loaded.items()))

    def _explain_missing(self, ref: CollectionRef) -> str:
        """Return a hint for a collection that does not exist."""
        others = {c.ref.dataset for c in self.list_all()}
        if ref.dataset in others:
            return f"run {STEP_SCRIPTS[ref.kind]} and 05_build_collections.py"
        hint = f"existing datasets: {', '.join(sorted(others))}; " if others else ""
        return f"{hint}run 05_build_collections.py, or select another dataset with -n"

    def drop(self, dataset: str) -> list[str]:
        """Drop all collections of a dataset, including unfinished ones; return their names."""
        with self.client.lock_for_writing():
            names = [collection.name for collection in self._list_own() if collection.ref.dataset == dataset]
            for name in names:
                for alias in self.client.list_aliases(name)["aliases"]:
                    self.client.drop_alias(alias)
                self.client.drop_collection(name)
        self._loaded.clear()
        return names

    def _list_own(self) -> list[CollectionInfo]:
        """List the collections of this program, including unfinished ones."""
        collections = (self._describe(name) for name in self.client.list_collections())
        return [collection for collection in collections if collection is not None]

    def _describe(self, name: str) -> CollectionInfo | None:
        """Return a collection by its name or alias; None if another program created it."""
        description = self.client.describe_collection(name)
        properties = description.get("properties") or {}
        if "imagesearch.spec" not in properties:
            return None
        spec = json.loads(properties["imagesearch.spec"])
        rows = int(self.client.get_collection_stats(name)["row_count"])
        return CollectionInfo(
            name=description["collection_name"],  # never the alias
            ref=CollectionRef(spec["dataset"], spec["kind"]),
            model=spec["model"],
            fingerprint=spec["fingerprint"],
            dimension=spec["dimension"],
            index=IndexSpec(**spec["index"]),
            layout=spec["layout"],
            state=properties.get("imagesearch.state", "updating"),
            rows=rows,
        )

    # --- building; `build` calls these in order ------------------------------------------------------------

    def hash_layout(self, spec: CollectionSpec) -> str:
        """Return the digest of the fields of a collection with this specification."""
        return hash_layout(spec.ref.key, spec.fields, self.dialect)

    def has_all_fields(self, collection: CollectionInfo) -> bool:
        """Whether a collection has all fields that searches use; those of earlier versions can lack some."""
        ref = collection.ref
        return collection.layout == hash_layout(ref.key, FIELDS[ref.kind], self.dialect)

    def create(self, spec: CollectionSpec, name: str) -> None:
        """Create an empty collection in the state "updating"."""
        properties = {
            **asdict(spec.ref),
            "model": spec.model,
            "fingerprint": spec.fingerprint,
            "dimension": spec.dimension,
            "index": asdict(spec.index),
            "layout": self.hash_layout(spec),
        }
        self.client.create_collection(
            name,
            schema=self._make_schema(spec),
            index_params=self._make_indexes(spec),
            consistency_level="Strong",
            properties={"imagesearch.spec": json.dumps(properties), "imagesearch.state": "updating"},
        )

    def _make_schema(self, spec: CollectionSpec) -> Any:
        """Return the schema of a collection for pymilvus."""
        data_type = get_data_types()
        schema = self.client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field(spec.ref.key, data_type.INT64, is_primary=True)
        schema.add_field("digest", data_type.VARCHAR, max_length=32)
        for field in spec.fields:
            if field.type == "LIST" and self.dialect.lists_are_arrays:
                kinds = {"element_type": data_type.VARCHAR, "max_capacity": 1024, "max_length": 512}
                schema.add_field(field.name, data_type.ARRAY, **kinds)
            elif field.type == "WORDS":
                self._add_bm25_field(schema, field)
            elif field.max_bytes:
                schema.add_field(field.name, data_type.VARCHAR, max_length=field.max_bytes)
            else:
                schema.add_field(field.name, data_type[field.type])
        schema.add_field("embedding", data_type.FLOAT_VECTOR, dim=spec.dimension)
        return schema

    def _add_bm25_field(self, schema: Any, field: ScalarField) -> None:
        if self.dialect.has_bm25:
            data_type = get_data_types()
            schema.add_field(field.name, data_type.VARCHAR, max_length=field.max_bytes, enable_analyzer=True)
            schema.add_field(WORDS_INDEX, data_type.SPARSE_FLOAT_VECTOR)
            schema.add_function(make_bm25_function(field.name, WORDS_INDEX))

    def _make_indexes(self, spec: CollectionSpec) -> Any:
        """Return the indexes of a collection for pymilvus."""
        indexes = self.client.prepare_index_params()
        params = {"params": spec.index.build} if self.dialect.nested_params else spec.index.build
        indexes.add_index("embedding", index_type=spec.index.type, metric_type="IP", params=params)
        for field in spec.fields:
            if field.filtered and self.dialect.scalar_indexes:
                indexes.add_index(field.name, index_type="INVERTED")
            if field.type == "WORDS" and self.dialect.has_bm25:
                indexes.add_index(WORDS_INDEX, index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
        return indexes

    def set_state(self, name: str, state: str) -> None:
        """Set the state in a collection's properties, ``updating`` or ``ready``."""
        self.client.alter_collection_properties(name, {"imagesearch.state": state})

    def read_digests(self, name: str, key: str) -> dict[int, str]:
        """Return the digest of each row by key; the digest of a changed row differs."""
        self.client.load_collection(name)
        return {row[key]: row["digest"] for row in self.iterate_rows(name, [key, "digest"])}

    def upsert(self, name: str, spec: CollectionSpec, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows, or replace rows with the same key."""
        if not self.dialect.has_bm25:
            rows = [{name: value for name, value in row.items() if name != "words"} for row in rows]
        if not self.dialect.lists_are_arrays:
            lists = [field.name for field in spec.fields if field.type == "LIST"]
            rows = [row | {name: join_list(row[name]) for name in lists} for row in rows]
        self.client.upsert(name, list(rows))

    def delete(self, name: str, keys: Iterable[int]) -> None:
        """Delete rows by key."""
        keys = list(keys)
        for start in range(0, len(keys), _BATCH_ROWS):
            self.client.delete(name, ids=keys[start : start + _BATCH_ROWS])

    def flush(self, name: str) -> int:
        """Flush a collection and count its rows. Without a flush, searches take eight times as long."""
        self.client.flush(name)
        self.client.load_collection(name)
        return int(self.client.query(name, filter="", output_fields=["count(*)"])[0]["count(*)"])

    def wait_for_index(self, name: str) -> None:
        """Wait until a server's vector index includes all rows of a collection.

        The index is built in the background. On Milvus Lite it is complete when the file is closed.

        Raises
        ------
        UserError
            If the server cannot build the index.
        """
        while (index := self.client.describe_index(name, "embedding"))["pending_index_rows"]:
            if index["state"] == "Failed":
                raise UserError(f"{self.uri}: the index of {name} cannot be built; see the server's log")
            time.sleep(0.5)

    def publish(self, ref: CollectionRef, name: str) -> None:
        """Move the alias to a collection, and drop the collection that it replaces."""
        self._loaded.clear()
        if not self.client.has_collection(ref.alias):
            self.client.create_alias(name, ref.alias)
            return
        old = self.client.describe_alias(ref.alias)["collection_name"]
        if old != name:
            self.client.alter_alias(name, ref.alias)
            self.client.drop_collection(old)

    def drop_unfinished(self, dataset: str) -> None:
        """Drop the collections without an alias, which a killed rebuild leaves."""
        for collection in self._list_own():
            current = self.find(collection.ref)
            if collection.ref.dataset == dataset and (current is None or current.name != collection.name):
                self.client.drop_collection(collection.name)

    def iterate_rows(
        self, name: str, fields: Sequence[str], expression: str = ""
    ) -> Iterator[dict[str, Any]]:
        """Yield the given fields of all rows that pass a filter expression."""
        iterator = self.client.query_iterator(
            name, batch_size=_BATCH_ROWS, filter=expression, output_fields=list(fields)
        )
        try:
            while batch := iterator.next():
                yield from batch
        finally:
            iterator.close()
