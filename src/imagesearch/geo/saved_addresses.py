"""The file ``addresses.parquet``: the addresses of the photos' positions."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imagesearch.errors import UserError, describe_error
from imagesearch.files import FileVersion, atomic_write, get_file_version
from imagesearch.geo.address import Address
from imagesearch.pipeline import Dataset

_PLACE = pa.struct([("name", pa.string()), ("kind", pa.string())])
_SCHEMA = pa.schema(
    [
        ("photo_id", pa.int64()),
        ("latitude", pa.float64()),  # the position that the address belongs to
        ("longitude", pa.float64()),
        ("city", pa.string()),
        ("county", pa.string()),
        ("state", pa.string()),
        ("country", pa.string()),
        ("address", pa.string()),
        ("places", pa.list_(_PLACE)),
    ]
)

Position = tuple[int, float, float]
"""Photo id, latitude and longitude."""


class SavedAddresses:
    """Reads and writes the file; it is read again only if another program has written it."""

    def __init__(self) -> None:
        self._version: FileVersion | None = None
        self._table = _SCHEMA.empty_table()
        self._addresses: dict[Position, Address] = {}
        """In the order of the rows of the table."""

    def read(self, dataset: Dataset) -> dict[Position, Address]:
        """Return the addresses by photo and position; a photo with a new position has no address yet.

        Raises
        ------
        UserError
            If the file cannot be read.
        """
        file = _get_file(dataset)
        version = get_file_version(file)
        if version is None:  # a run was stopped before the first addresses were written
            return {}
        if version != self._version:
            self._keep(version, _read_table(file))
        return self._addresses

    def write(self, dataset: Dataset, positions: Sequence[Position], addresses: Sequence[Address]) -> None:
        """Replace the file; positions without an address are written too."""
        rows = {position: row for row, position in enumerate(self._addresses)}
        given = dict(zip(positions, addresses, strict=True))
        kept = [position for position, address in given.items() if self._addresses.get(position) is address]
        known = set(kept)
        new = [position for position in given if position not in known]
        old_rows = self._table.take(pa.array([rows[position] for position in kept], pa.int64()))
        new_rows = _make_table(new, [given[position] for position in new])
        table = pa.concat_tables([old_rows, new_rows]).combine_chunks()
        file = _get_file(dataset)
        with atomic_write(file) as unfinished:
            pq.write_table(table, unfinished, compression="zstd")
        self._addresses = {position: given[position] for position in (*kept, *new)}
        self._table, self._version = table, get_file_version(file)

    def _keep(self, version: FileVersion, table: pa.Table) -> None:
        lists = zip(*(table[name].to_pylist() for name in _SCHEMA.names[3:]), strict=True)
        addresses = (
            Address(*texts, tuple((p["name"], p["kind"]) for p in places)) for *texts, places in lists
        )
        self._addresses = dict(zip(_list_positions(table), addresses, strict=True))
        self._version, self._table = version, table


def _list_positions(table: pa.Table) -> list[Position]:
    return list(zip(*(table[name].to_pylist() for name in _SCHEMA.names[:3]), strict=True))


def _make_table(positions: Sequence[Position], addresses: Sequence[Address]) -> pa.Table:
    columns = dict(zip(_SCHEMA.names, zip(*positions, strict=True), strict=False)) if positions else {}
    for name in _SCHEMA.names[3:]:
        columns[name] = [getattr(address, name) for address in addresses]
    return pa.table({name: columns.get(name, []) for name in _SCHEMA.names}, schema=_SCHEMA)


def _read_table(file: Path) -> pa.Table:
    """Read the file; without rows, if it was written by an earlier version."""
    try:
        with pq.ParquetFile(file) as parquet:
            table = parquet.read()
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{file}: cannot be read ({describe_error(error)}); run 04_extract_geo.py") from None
    return table if table.schema.names == _SCHEMA.names else _SCHEMA.empty_table()


def hash_addresses(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return the ids of the photos with a position, and a hash of the address of each."""
    names = ("address", "city", "county", "state", "country")
    try:
        with pq.ParquetFile(_get_file(dataset)) as parquet:
            table = parquet.read(["photo_id", *names])
        texts = (pc.fill_null(table[name], "None") for name in names)
        joined = pc.binary_join_element_wise(*texts, "\n").combine_chunks().dictionary_encode()
    except (OSError, KeyError, pa.ArrowException):  # missing, damaged, or written by an earlier version
        return np.empty(0, np.int64), np.empty(0, np.int64)
    hashes = [zlib.crc32(text.encode()) for text in joined.dictionary.to_pylist()]
    return table["photo_id"].to_numpy(), np.array(hashes, np.int64)[joined.indices.to_numpy()]


def _get_file(dataset: Dataset) -> Path:
    return dataset.folder / "addresses.parquet"
