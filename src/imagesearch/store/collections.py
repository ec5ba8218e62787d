"""Collections in Milvus: what is there, and building them in small steps.

What differs between Milvus Lite (a file) and a server is the table `_LITE` / `_SERVER`, nothing elsewhere.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from imagesearch.config import MilvusConfig
from imagesearch.errors import UserError
from imagesearch.store.client import connect, disconnect, get_data_types, make_bm25_function, supports_bm25
from imagesearch.store.schema import (
    COLLECTION_KINDS,
    FIELDS,
    WORDS_INDEX,
    CollectionInfo,
    CollectionSpec,
    ScalarField,
    get_primary_key,
    hash_layout,
    join_list,
    make_alias,
)
from imagesearch.store.vector_index import IndexSpec

_ROWS_A_BATCH = 5_000


@dataclass(frozen=True)
class Dialect:
    """What differs between Milvus Lite and a server."""

    lists_are_arrays: bool  # Lite evaluates arrays row by row in Python: 1.8 s where `like` takes 21 ms
    scalar_indexes: bool  # on Lite each costs 0.15 s a load of 50,000 rows and saves nothing
    has_bm25: bool  # servers have it from 2.5 on
    nested_params: bool  # Lite 3.2.2 reads nlist, M, ... only below "params", where pymilvus 3 puts none


_LITE = Dialect(lists_are_arrays=False, scalar_indexes=False, has_bm25=True, nested_params=True)
_SERVER = Dialect(lists_are_arrays=True, scalar_indexes=True, has_bm25=True, nested_params=False)


class Collections:
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

    def __init__(self, milvus: MilvusConfig) -> None:
        self.uri, self._lite = milvus.uri, milvus.is_lite
        self._search_params = milvus.index.search_params
        self._client = connect(milvus)
        self.dialect = _LITE if self._lite else replace(_SERVER, has_bm25=supports_bm25(self._client))
        self._loaded: dict[str, CollectionInfo] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; of Milvus Lite the file too, when its compaction has ended."""
        disconnect(self._client, self.uri, self._lite)

    # --- what is there -------------------------------------------------------------------------------------

    def list_collections(self) -> list[CollectionInfo]:
        """List the collections that this program made and finished, by dataset and kind."""
        own = (self.find(c.dataset, c.kind) for c in self._list_own())
        found = {c.name: c for c in own if c is not None}
        return sorted(found.values(), key=lambda c: (c.dataset, COLLECTION_KINDS.index(c.kind)))

    def find(self, dataset: str, kind: str) -> CollectionInfo | None:
        """Return a dataset's collection of one kind, or None."""
        alias = make_alias(dataset, kind)
        if not self._client.has_collection(alias):
            return None
        found = self._describe(alias)
        if found is None or found.name == alias:
            raise UserError(f"{self.uri}: {alias} is not this program's; choose another dataset.name")
        return found

    def drop(self, dataset: str) -> list[str]:
        """Drop all collections of a dataset, finished or not; return their names."""
        names = [collection.name for collection in self._list_own() if collection.dataset == dataset]
        for name in names:
            for alias in self._client.list_aliases(name)["aliases"]:
                self._client.drop_alias(alias)
            self._client.drop_collection(name)
        self._loaded.clear()
        return names

    def _list_own(self) -> list[CollectionInfo]:
        """List the collections that this program made, finished or not."""
        described = (self._describe(name) for name in self._client.list_collections())
        return [collection for collection in described if collection is not None]

    def _describe(self, name: str) -> CollectionInfo | None:
        description = self._client.describe_collection(name)
        properties = description.get("properties") or {}
        if "imagesearch.spec" not in properties:
            return None
        spec = json.loads(properties["imagesearch.spec"])
        rows = int(self._client.get_collection_stats(name)["row_count"])
        return CollectionInfo(
            name=description["collection_name"],  # of an alias, the collection's own
            dataset=spec["dataset"],
            kind=spec["kind"],
            model=spec["model"],
            fingerprint=spec["fingerprint"],
            dimension=spec["dimension"],
            index=IndexSpec(**spec["index"]),
            layout=spec["layout"],
            state=properties.get("imagesearch.state", "updating"),
            rows=rows,
        )

    # --- building, in small steps; their order is in imagesearch.store.build -------------------------------------

    def hash_layout(self, spec: CollectionSpec) -> str:
        """Return the digest of the fields that a collection made now would have."""
        return hash_layout(spec.key, spec.fields, self.dialect)

    def has_all_fields(self, collection: CollectionInfo) -> bool:
        """Whether a collection has the fields that searches ask for; older programs made it without some."""
        fields = FIELDS[collection.kind]
        return collection.layout == hash_layout(get_primary_key(collection.kind), fields, self.dialect)

    def create(self, spec: CollectionSpec, name: str) -> None:
        """Create an empty collection, in the state of being updated."""
        data_type = get_data_types()
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field(spec.key, data_type.INT64, is_primary=True)
        schema.add_field("digest", data_type.VARCHAR, max_length=32)
        for item in spec.fields:
            if item.type == "LIST" and self.dialect.lists_are_arrays:
                kinds = {"element_type": data_type.VARCHAR, "max_capacity": 1024, "max_length": 512}
                schema.add_field(item.name, data_type.ARRAY, **kinds)
            elif item.type == "WORDS":
                self._add_bm25_field(schema, item)
            elif item.max_bytes:
                schema.add_field(item.name, data_type.VARCHAR, max_length=item.max_bytes)
            else:
                schema.add_field(item.name, data_type[item.type])
        schema.add_field("embedding", data_type.FLOAT_VECTOR, dim=spec.dimension)
        indexes = self._client.prepare_index_params()
        params = {"params": spec.index.build} if self.dialect.nested_params else spec.index.build
        indexes.add_index("embedding", index_type=spec.index.type, metric_type="IP", params=params)
        for item in spec.fields:
            if item.filtered and self.dialect.scalar_indexes:
                indexes.add_index(item.name, index_type="INVERTED")
            if item.type == "WORDS" and self.dialect.has_bm25:
                indexes.add_index(WORDS_INDEX, index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
        properties = {
            "dataset": spec.dataset,
            "kind": spec.kind,
            "model": spec.model,
            "fingerprint": spec.fingerprint,
            "dimension": spec.dimension,
            "index": {"type": spec.index.type, "build": spec.index.build},
            "layout": self.hash_layout(spec),
        }
        self._client.create_collection(
            name,
            schema=schema,
            index_params=indexes,
            consistency_level="Strong",
            properties={"imagesearch.spec": json.dumps(properties), "imagesearch.state": "updating"},
        )

    def _add_bm25_field(self, schema: Any, item: ScalarField) -> None:
        if self.dialect.has_bm25:
            data_type = get_data_types()
            schema.add_field(item.name, data_type.VARCHAR, max_length=item.max_bytes, enable_analyzer=True)
            schema.add_field(WORDS_INDEX, data_type.SPARSE_FLOAT_VECTOR)
            schema.add_function(make_bm25_function(item.name, WORDS_INDEX))

    def set_state(self, name: str, state: str) -> None:
        """Say in a collection's properties that it is ``updating`` or ``ready``."""
        self._client.alter_collection_properties(name, {"imagesearch.state": state})

    def read_digests(self, name: str, key: str) -> dict[int, str]:
        """Return each row's digest by key: what tells changed rows from unchanged ones."""
        self._client.load_collection(name)
        return {row[key]: row["digest"] for row in self.iterate_rows(name, [key, "digest"])}

    def upsert(self, name: str, spec: CollectionSpec, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows, or replace those of the same key."""
        if not self.dialect.has_bm25:
            rows = [{name: value for name, value in row.items() if name != "words"} for row in rows]
        if not self.dialect.lists_are_arrays:
            lists = [item.name for item in spec.fields if item.type == "LIST"]
            rows = [row | {name: join_list(row[name]) for name in lists} for row in rows]
        self._client.upsert(name, list(rows))

    def delete(self, name: str, keys: Iterable[int]) -> None:
        """Delete rows by key."""
        keys = list(keys)
        for start in range(0, len(keys), _ROWS_A_BATCH):
            self._client.delete(name, ids=keys[start : start + _ROWS_A_BATCH])

    def flush(self, name: str) -> int:
        """Flush a collection, without which every search slows down eightfold, and count its rows."""
        self._client.flush(name)
        self._client.load_collection(name)
        return int(self._client.query(name, filter="", output_fields=["count(*)"])[0]["count(*)"])

    def wait_for_index(self, name: str) -> None:
        """Return when a server's vector index covers all rows of a collection.

        It is built in the background, as that of Milvus Lite, which is complete when the file is closed.

        Raises
        ------
        UserError
            If the server could not build it.
        """
        while (found := self._client.describe_index(name, "embedding"))["pending_index_rows"]:
            if found["state"] == "Failed":
                raise UserError(f"{self.uri}: the index of {name} cannot be built; the server's log says why")
            time.sleep(0.5)

    def publish(self, spec: CollectionSpec, name: str) -> None:
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
        for collection in self._list_own():
            current = self.find(collection.dataset, collection.kind)
            if collection.dataset == dataset and (current is None or current.name != collection.name):
                self._client.drop_collection(collection.name)

    def iterate_rows(self, name: str, fields: Sequence[str], where: str = "") -> Iterator[dict[str, Any]]:
        iterator = self._client.query_iterator(
            name, batch_size=_ROWS_A_BATCH, filter=where, output_fields=list(fields)
        )
        try:
            while batch := iterator.next():
                yield from batch
        finally:
            iterator.close()
