"""Lists, finds and opens collections in Milvus, and has the operations for building them.

The differences between Milvus Lite and the versions of a server are in ``dialect.py``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from imagesearch.config import MilvusConfig
from imagesearch.errors import UserError
from imagesearch.store.client import connect, get_data_types, make_bm25_function
from imagesearch.store.dialect import choose_dialect
from imagesearch.store.known_digests import KnownDigests, make_build_token
from imagesearch.store.schema import (
    BM25_PARAMETERS,
    COLLECTION_KINDS,
    FIELDS,
    MAX_ELEMENT_BYTES,
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
        The settings of the connection in the config.
    create
        Create a Milvus Lite database that does not exist.

    Attributes
    ----------
    client : LiteClient or ServerClient
        The connection, with the methods of `pymilvus.MilvusClient`.
    dialect : Dialect
        The capabilities of this Milvus.

    Raises
    ------
    UserError
        If the server does not answer, or a process has the file open that does not share it.
    """

    def __init__(self, milvus: MilvusConfig, *, create: bool = True) -> None:
        self.uri, self._milvus = milvus.display_uri, milvus
        self.client = connect(milvus, create=create)
        self.dialect = choose_dialect(str(self.client.get_server_version()), self.uri)
        self._loaded: dict[CollectionRef, CollectionInfo] = {}
        self._known_digests = KnownDigests()

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

    def has(self, ref: CollectionRef) -> bool:
        """Whether a dataset has a collection of one kind; Milvus is not asked about one that is open here."""
        return ref in self._loaded or self.find(ref) is not None

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
            self._load(ref.alias)
            self._loaded[ref] = collection
        return self._loaded[ref]

    def _load(self, name: str) -> None:
        """Load a collection into memory, and wait until it is loaded.

        On a server the number of replicas of a loaded collection cannot be changed.
        """
        if self.dialect.is_lite:
            self.client.load_collection(name)
        elif self.client.get_load_state(name)["state"].name != "Loaded":
            self.client.load_collection(name, replica_number=self._milvus.replicas)

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

    def list_loaded(self, dataset: str) -> list[CollectionInfo]:
        """List the collections of a dataset that are open here and complete."""
        loaded = [collection for ref, collection in self._loaded.items() if ref.dataset == dataset]
        return [collection for collection in loaded if collection.state == "ready"]

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
                for alias in self._list_aliases(name):
                    self.client.drop_alias(alias)
                self.client.drop_collection(name)
        self._loaded.clear()
        return names

    def _list_aliases(self, name: str) -> list[str]:
        """Return the aliases of a collection."""
        if self.dialect.has_alias_requests:
            return self.client.list_aliases(name)["aliases"]
        return self.client.describe_collection(name)["aliases"]

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
            field_types={field["name"]: field["type"].name for field in description["fields"]},
            extra=json.loads(properties.get("imagesearch.extra", "{}")),
            vocabulary=properties.get("imagesearch.vocabulary", ""),
        )

    # --- building; `build` calls these in order ------------------------------------------------------------

    def hash_layout(self, spec: CollectionSpec) -> str:
        """Return the digest of the fields of a collection with this specification."""
        return hash_layout(spec.ref.key, spec.fields, self.dialect)

    def is_current(self, collection: CollectionInfo) -> bool:
        """Whether a collection has the fields of this version; those of earlier versions can lack some."""
        ref = collection.ref
        return collection.layout == hash_layout(ref.key, FIELDS[ref.kind], self.dialect)

    def has_same_types(self, collection: CollectionInfo) -> bool:
        """Whether the fields that a collection has are of the types that searches expect."""
        types = collection.field_types
        return all(
            types.get(field.name) in (None, self._get_type_name(field))
            for field in FIELDS[collection.ref.kind]
        )

    def _get_type_name(self, field: ScalarField) -> str:
        if field.type == "LIST":
            return "ARRAY" if self.dialect.lists_are_arrays else "VARCHAR"
        return "VARCHAR" if field.type == "WORDS" else field.type

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
            consistency_level=self._milvus.consistency,
            num_shards=1 if self.dialect.is_lite else self._milvus.shards,
            properties={
                "imagesearch.spec": json.dumps(properties),
                "imagesearch.extra": json.dumps(dict(spec.extra)),
                "imagesearch.state": "updating",
            },
        )
        if not self.dialect.is_lite and self._milvus.replicas > 1:
            self.client.release_collection(name)  # pymilvus has loaded it with one replica

    def _make_schema(self, spec: CollectionSpec) -> Any:
        """Return the schema of a collection for pymilvus."""
        data_type = get_data_types()
        schema = self.client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field(spec.ref.key, data_type.INT64, is_primary=True)
        schema.add_field("digest", data_type.VARCHAR, max_length=32)
        for field in spec.fields:
            if field.type == "LIST" and self.dialect.lists_are_arrays:
                kinds = {"element_type": data_type.VARCHAR, "max_capacity": 1024}
                kinds["max_length"] = MAX_ELEMENT_BYTES
                schema.add_field(field.name, data_type.ARRAY, **kinds)
            elif field.type == "WORDS":
                self._add_words_field(schema, field)
            elif field.max_bytes:
                schema.add_field(field.name, data_type.VARCHAR, max_length=field.max_bytes)
            else:
                schema.add_field(field.name, data_type[field.type])
        schema.add_field("embedding", data_type.FLOAT_VECTOR, dim=spec.dimension)
        return schema

    def _add_words_field(self, schema: Any, field: ScalarField) -> None:
        data_type, has_bm25 = get_data_types(), self.dialect.has_bm25
        options = {"enable_analyzer": True} if has_bm25 else {}
        schema.add_field(field.name, data_type.VARCHAR, max_length=field.max_bytes, **options)
        if has_bm25:
            schema.add_field(WORDS_INDEX, data_type.SPARSE_FLOAT_VECTOR)
            schema.add_function(make_bm25_function(field.name, WORDS_INDEX))

    def _make_indexes(self, spec: CollectionSpec) -> Any:
        """Return the indexes of a collection for pymilvus."""
        indexes = self.client.prepare_index_params()
        self._add_index(indexes, "embedding", spec.index.type, "IP", spec.index.build)
        for field in spec.fields:
            if field.filtered and (kind := self.dialect.scalar_indexes.get(field.type)):
                indexes.add_index(field.name, index_type=kind)
            if field.type == "WORDS" and self.dialect.has_bm25:
                self._add_index(indexes, WORDS_INDEX, "SPARSE_INVERTED_INDEX", "BM25", BM25_PARAMETERS)
        return indexes

    def _add_index(self, indexes: Any, field: str, kind: str, metric: str, params: dict[str, Any]) -> None:
        nested = {"params": params} if self.dialect.nested_params else params
        indexes.add_index(field, index_type=kind, metric_type=metric, params=nested)

    def set_updating(self, name: str) -> None:
        """Set the state in a collection's properties to ``updating``."""
        self.client.alter_collection_properties(name, {"imagesearch.state": "updating"})

    def set_ready(self, name: str, vocabulary: str, digests: dict[int, str]) -> None:
        """Set the state of a collection to ``ready``; keep the digests of its rows for the next build."""
        token = make_build_token()
        properties = {"imagesearch.state": "ready", "imagesearch.vocabulary": vocabulary}
        self.client.alter_collection_properties(name, properties | {"imagesearch.build": token})
        self._known_digests.keep(name, token, digests)

    def read_digests(self, collection: CollectionInfo) -> dict[int, str]:
        """Return the digest of each row by key; the digest of a changed row differs."""
        name, key = collection.name, collection.ref.key
        properties = self.client.describe_collection(name).get("properties") or {}
        known = self._known_digests.take(name, properties.get("imagesearch.build", ""))
        if known is not None and collection.state == "ready":
            return known
        self.count_rows(name)  # waits until a server shows all rows that an interrupted build has written
        return {row[key]: row["digest"] for row in self.iterate_rows(name, [key, "digest"])}

    def upsert(self, name: str, spec: CollectionSpec, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows, or replace rows with the same key."""
        if not self.dialect.lists_are_arrays:
            lists = [field.name for field in spec.fields if field.type == "LIST"]
            rows = [row | {name: join_list(row[name]) for name in lists} for row in rows]
        self.client.upsert(name, list(rows))

    def delete(self, name: str, keys: Iterable[int]) -> None:
        """Delete rows by key."""
        keys = list(keys)
        for start in range(0, len(keys), _BATCH_ROWS):
            self.client.delete(name, ids=keys[start : start + _BATCH_ROWS])

    def flush(self, name: str) -> None:
        """Flush a collection. Without a flush, searches take eight times as long."""
        self.client.flush(name)

    def count_rows(self, name: str) -> int:
        """Load a collection and count its rows."""
        self._load(name)
        count = {"output_fields": ["count(*)"], "consistency_level": "Strong"}
        return int(self.client.query(name, filter="", **count)[0]["count(*)"])

    def publish(self, ref: CollectionRef, name: str) -> None:
        """Move the alias to a collection, and drop the collection that it replaces."""
        self._loaded.clear()
        if not self.client.has_collection(ref.alias):
            self.client.create_alias(name, ref.alias)
            return
        old = self.client.describe_collection(ref.alias)["collection_name"]
        if old != name:
            self.client.alter_alias(name, ref.alias)
            self.client.drop_collection(old)

    def list_unfinished(self, dataset: str) -> list[CollectionInfo]:
        """List the collections without an alias, which an interrupted build leaves, the newest first."""
        own = [collection for collection in self._list_own() if collection.ref.dataset == dataset]
        current = {ref: self.find(ref) for ref in {collection.ref for collection in own}}
        names = {collection.name for collection in current.values() if collection is not None}
        unfinished = [collection for collection in own if collection.name not in names]
        return sorted(unfinished, key=lambda collection: collection.build_number, reverse=True)

    def has_all_indexes(self, collection: CollectionInfo, spec: CollectionSpec) -> bool:
        """Whether a collection was created completely. A server creates the indexes one by one."""
        expected = {index.field_name for index in self._make_indexes(spec)}
        return expected <= set(self.client.list_indexes(collection.name))

    def drop_collection(self, name: str) -> None:
        """Drop a collection that has no alias."""
        self.client.drop_collection(name)

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
