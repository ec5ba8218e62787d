"""Vectors and hashes as columns of Parquet files, and as arrays."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def make_vector_column(vectors: np.ndarray) -> pa.FixedSizeListArray:
    """Return an (n, d) float32 matrix as a column of fixed-size lists, without copying it."""
    flat = pa.array(np.ascontiguousarray(vectors, np.float32).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])


def get_matrix(column: pa.FixedSizeListArray) -> np.ndarray:
    """Return a column of fixed-size lists as an (n, d) float32 matrix, without copying it."""
    return column.flatten().to_numpy(zero_copy_only=True).reshape(-1, column.type.list_size)


def shorten_hashes(column: pa.ChunkedArray) -> np.ndarray:
    """Return the first eight bytes of each hash in a column, as (n,) int64; 0 for null."""
    hashes = pc.fill_null(column, bytes(column.type.byte_width)).combine_chunks()
    data = np.frombuffer(hashes.buffers()[1], np.int64).reshape(-1, column.type.byte_width // 8)
    return data[hashes.offset : hashes.offset + len(hashes), 0].copy()
