"""What differs between Milvus Lite and the versions of a Milvus server. It is chosen by the version alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from imagesearch.errors import UserError


@dataclass(frozen=True)
class Dialect:
    """The capabilities of the Milvus that is connected.

    Attributes
    ----------
    name : str
        Name and version, for messages.
    is_lite : bool
        Whether it is Milvus Lite, in this process or behind an address.
    lists_are_arrays : bool
        Whether lists are stored as arrays, and not as text. Lite evaluates arrays row by row in Python: a
        filter takes 1.8 s for 50,000 rows, and 21 ms with ``like`` on a text.
    scalar_indexes : dict
        The index of a scalar field, by type of field; a type without an entry has no index. On Lite each
        index adds 0.15 s to the loading of 50,000 rows, and searches are not faster.
    has_bm25 : bool
        Whether it ranks texts by BM25. Otherwise rank_bm25 does, in this process.
    has_alias_requests : bool
        Whether it can describe and list aliases.
    nested_params : bool
        Whether index parameters are read only from ``params``. pymilvus 3 does not add that level.
    index_types : frozenset of str
        The types of vector indexes.
    is_open_ended : bool
        Whether it is of the newest version in this module or newer, so that it may have further index types.
    """

    name: str
    is_lite: bool = False
    lists_are_arrays: bool = True
    scalar_indexes: dict[str, str] = field(default_factory=dict, hash=False)
    has_bm25: bool = True
    has_alias_requests: bool = True
    nested_params: bool = False
    index_types: frozenset[str] = frozenset()
    is_open_ended: bool = False

    def check_index_type(self, kind: str) -> None:
        """Raise `UserError` if there is no such index type."""
        if kind not in self.index_types and not self.is_open_ended:
            known = ", ".join(sorted(self.index_types))
            raise UserError(f"milvus.index.type: {self.name} has no index type {kind}; it has {known}")


LITE_INDEX_TYPES = frozenset({"FLAT", "HNSW", "IVF_FLAT", "IVF_SQ8"})
_SERVER_INDEX_TYPES = LITE_INDEX_TYPES | {"AUTOINDEX", "DISKANN", "IVF_PQ", "SCANN"}
_GPU_INDEX_TYPES = frozenset({"GPU_IVF_FLAT", "GPU_IVF_PQ"})
_INVERTED = dict.fromkeys(("VARCHAR", "LIST", "INT32", "INT64", "DOUBLE"), "INVERTED")
_OLDEST = (2, 3)
# The first version of each row. Inverted indexes came with 2.4, BM25 with 2.5.
_SERVERS: dict[tuple[int, int], dict[str, object]] = {
    (2, 3): {
        "scalar_indexes": {"VARCHAR": "Trie"} | dict.fromkeys(("INT32", "INT64", "DOUBLE"), "STL_SORT"),
        "has_bm25": False,
        "has_alias_requests": False,
        "index_types": _SERVER_INDEX_TYPES | _GPU_INDEX_TYPES,
    },
    (2, 4): {
        "scalar_indexes": _INVERTED,
        "has_bm25": False,
        "index_types": _SERVER_INDEX_TYPES | _GPU_INDEX_TYPES | {"GPU_BRUTE_FORCE", "GPU_CAGRA"},
    },
    (2, 5): {
        "scalar_indexes": _INVERTED,
        "index_types": _SERVER_INDEX_TYPES
        | _GPU_INDEX_TYPES
        | {"GPU_BRUTE_FORCE", "GPU_CAGRA", "HNSW_PQ", "HNSW_PRQ", "HNSW_SQ"},
    },
    (2, 6): {
        "scalar_indexes": _INVERTED,
        "index_types": _SERVER_INDEX_TYPES
        | _GPU_INDEX_TYPES
        | {"GPU_BRUTE_FORCE", "GPU_CAGRA", "HNSW_PQ", "HNSW_PRQ", "HNSW_SQ", "IVF_RABITQ"},
    },
}


def choose_dialect(version: str, where: str) -> Dialect:
    """Return the capabilities of a version.

    Parameters
    ----------
    version
        What the connection answers: ``"milvus_lite-3.2.2"``, ``"v2.4.1"``, ``"2.3.5"``, ``"2.6.0-dev"``.
    where
        The address, for the message.

    Raises
    ------
    UserError
        If the server is older than Milvus 2.3.
    """
    if version.startswith("milvus_lite"):
        return Dialect(
            name=f"Milvus Lite {version.rpartition('-')[2]}",
            is_lite=True,
            lists_are_arrays=False,
            nested_params=True,
            index_types=LITE_INDEX_TYPES,
        )
    match = re.search(r"(\d+)\.(\d+)", version)  # also "Cloud (compatible with Milvus 2.5)"
    # A server built from an unreleased state answers with a name and no number; it is newer than any release.
    number = (int(match[1]), int(match[2])) if match else max(_SERVERS)
    if number < _OLDEST:
        raise UserError(f"{where}: Milvus {version} is too old; expected Milvus 2.3 or later")
    row = max(first for first in _SERVERS if first <= number)
    is_open_ended = match is None or number >= max(_SERVERS)
    return Dialect(name=f"Milvus {version.removeprefix('v')}", is_open_ended=is_open_ended, **_SERVERS[row])  # type: ignore[arg-type]


LITE = choose_dialect("milvus_lite-3.2.2", "")
"""The capabilities of the Milvus Lite that this program installs."""
