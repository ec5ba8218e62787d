"""Vectors and paths of another program, and collections that are built from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from conftest import World

from imagesearch.store import CollectionRef, Store

DIMENSION = 24  # of the tests' CLIP
UNKNOWN_MODEL = "the vectors of v.npy are of unknown origin; the results are meaningful only if models.clip"


def unit(count: int, seed: int = 0, dimension: int = DIMENSION) -> np.ndarray:
    matrix = np.random.default_rng(seed).standard_normal((count, dimension))
    return (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)


def names(count: int) -> list[str]:
    return [f"p/{i:03d}.jpg" for i in range(count)]


def save(world: World, matrix: np.ndarray, paths: Sequence[str] | bytes) -> list[str]:
    """Write both files, and return the options that name them."""
    np.save(world.folder / "v.npy", matrix)
    content = paths if isinstance(paths, bytes) else "".join(f"{path}\n" for path in paths).encode()
    (world.folder / "v.txt").write_bytes(content)
    return ["--from-npy", "v.npy", "--paths", "v.txt", "-n", "old"]


def build_old(world: World, matrix: np.ndarray, paths: Sequence[str] | bytes, *args: str) -> dict:
    done = world.run("05_build_collections.py", *save(world, matrix, paths), "--json", *args)
    return json.loads(done.stdout)


def refuse(world: World, script: str, *args: str | Path) -> str:
    """Run a script that is refused, and return its line."""
    done = world.run(script, *args, code=2)
    assert "Traceback" not in done.stderr and done.stdout == ""
    return done.stderr.splitlines()[-1]


def search(world: World, *args: str | Path) -> list[dict]:
    return json.loads(world.run("06_search.py", "--json", "-k", "50", *args).stdout)["results"]


def read_rows(world: World) -> dict[str, np.ndarray]:
    """Return the vectors in the collection by path."""
    ref = CollectionRef("old", "clip")
    with Store(world.config().milvus) as store:
        hits = list(store.read_all_rows(ref, ("path",)))
        vectors = store.read_vectors(ref, [hit.id for hit in hits])
    return {hit.fields["path"]: vectors[hit.id] for hit in hits}


def count(report: dict) -> tuple[int, int, int, int]:
    return tuple(report["clip"][name] for name in ("inserted", "updated", "unchanged", "deleted"))
