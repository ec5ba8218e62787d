"""Runs a watch in the tests' process, as a story that is told batch by batch; compares collections."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from imagesearch.config import Config
from imagesearch.pipeline import Dataset
from imagesearch.store import CollectionRef, Store
from imagesearch.workflow import BatchSummary, WatchTiming, run_steps, watch_photos

Story = Generator[None, "BatchSummary | str", None]
"""Receives each batch and each note of a watch, which ends when the story ends."""
LIMIT_SECONDS = 120
QUICK = {"settle": 0.3, "busy": 0.3, "retry": 0.3, "max_incomplete": 30.0}


class _StoryEndsError(Exception):
    pass


def run_watch(config: Config, tell: Callable[[], Story], **timing: Any) -> None:
    """Run a watch until its story ends."""
    story = tell()
    next(story)

    def send(event: BatchSummary | str) -> None:
        try:
            story.send(event)
        except StopIteration:
            raise _StoryEndsError from None

    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(LIMIT_SECONDS)
    try:
        dataset = Dataset(config, keep_missing_roots=True)
        watch_photos(config, dataset, report=send, note=send, timing=WatchTiming(**{**QUICK, **timing}))
    except _StoryEndsError:
        pass
    except KeyboardInterrupt:
        pytest.fail(f"nothing happened for {LIMIT_SECONDS} seconds")
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def tell_first_batch() -> Story:
    yield


def read_paths(config: Config) -> set[str]:
    """Return the paths of the photos that can be searched."""
    with Store(config.milvus, create=False) as store:
        return {hit.fields["path"] for hit in store.read_all_rows(CollectionRef("album", "clip"), ["path"])}


def read_collections(config: Config) -> dict[str, Any]:
    """Return all rows without what differs between two builds: times of indexing and numbers of people."""
    photo_fields = (
        "path",
        "face_labels",
        "face_count",
        "address",
        "taken_at",
        "trip",
        "class_label",
        "place_words",
    )
    face_fields = ("label",)
    with Store(config.milvus, create=False) as store:
        faces = list(store.read_all_rows(CollectionRef("album", "faces"), face_fields))
        photos = {
            kind: list(store.read_all_rows(CollectionRef("album", kind), photo_fields))
            for kind in ("clip", "vit")
        }
        vectors = {
            kind: store.read_vectors(CollectionRef("album", kind), [hit.id for hit in hits])
            for kind, hits in photos.items()
        }
    members: dict[str, set] = {}
    for hit in faces:
        members.setdefault(hit.fields["label"], set()).add(hit.id)
    people = {label: frozenset(found) for label, found in members.items() if label}
    described = {}
    for kind, hits in photos.items():
        for hit in hits:
            fields = dict(hit.fields)
            fields["face_labels"] = {people[label] for label in fields["face_labels"]}
            described[kind, fields["path"]] = fields
    return {
        "people": set(people.values()),
        "faces": {hit.id for hit in faces},
        "photos": described,
        "vectors": {
            (kind, photo): vector for kind, found in vectors.items() for photo, vector in found.items()
        },
    }


def assert_equals_build_from_scratch(config: Config, folder: Path) -> None:
    """Assert that the collections are those of a run of all steps with other tables and another database."""
    found, expected = read_collections(config), read_collections(build_from_scratch(config, folder))
    vectors, expected_vectors = found.pop("vectors"), expected.pop("vectors")
    assert found == expected
    assert vectors.keys() == expected_vectors.keys()
    # the photos of a batch are encoded together, which changes the last digits
    assert all(vector @ expected_vectors[key] > 0.999 for key, vector in vectors.items())


def build_from_scratch(config: Config, folder: Path) -> Config:
    """Run all steps on the same photos with other tables and another database; return their config."""
    dataset = config.dataset.model_copy(update={"processed": folder / "scratch"})
    milvus = config.milvus.model_copy(update={"uri": str(folder / "scratch.db")})
    other = config.model_copy(update={"dataset": dataset, "milvus": milvus})
    run_steps(other, Dataset(other))
    return other
