"""Step 05: builds and updates a dataset's collections in Milvus from its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.faces import load_people, open_edit_log
from imagesearch.features import save_bands
from imagesearch.files import lock_file
from imagesearch.geo import PhotoLocation, read_locations
from imagesearch.pipeline import Dataset, Progress
from imagesearch.store.built_state import TableSnapshot, save_built_state, take_snapshot
from imagesearch.store.collection_updates import BuildReport, update_collections
from imagesearch.store.dataset_trips import count_trips, find_dataset_trips
from imagesearch.store.list_columns import read_list_columns
from imagesearch.store.moved_rows import find_moved_rows
from imagesearch.store.records import collect_rows, list_marked_names, list_portraits
from imagesearch.store.schema import (
    CollectionContent,
    CollectionRef,
    CollectionRows,
    CollectionSpec,
)
from imagesearch.store.store import Store, check_milvus
from imagesearch.store.vocabulary import (
    Vocabulary,
    count_names,
    count_vocabulary,
    make_vocabulary_columns,
    split_periods,
)
from imagesearch.trips import Trip, count_trip_lines


def build_collections(
    config: Config, dataset: Dataset, store: Store, rebuild: bool = False, progress: Progress | None = None
) -> dict[str, BuildReport]:
    """Update a dataset's collections from its tables.

    New and changed rows are upserted, rows of deleted photos are deleted, and then the collection is flushed.
    If the model, the index or the fields have changed, a new collection is filled under another name. When
    all collections are filled and counted, the aliases are moved to the new collections and the old ones are
    dropped. Until then the state of the collections is "updating". If a build is interrupted, the next build
    completes it.

    Parameters
    ----------
    config, dataset, store
        The source and the destination.
    rebuild
        Rebuild all collections.
    progress
        Shows the rows that are processed, with the kind of collection as the label.

    Returns
    -------
    reports : dict
        Report by kind of collection.

    Raises
    ------
    UserError
        If the tables have no vectors, or another build of this dataset is running.
    """
    _refuse_imported(config, dataset, store)
    # first, so that edits and results of steps during the build belong to the next one
    edit_count = open_edit_log(dataset).count()
    snapshot = take_snapshot(dataset)
    people = load_people(config, dataset) if dataset.open_table("faces").folder.is_dir() else None
    if people is not None and people.outdated:
        edit_count = -1  # the clusters do not include all edits, so the collections do not either
    trip_name_count, locations = count_trip_lines(dataset.folder), read_locations(dataset)
    trips = find_dataset_trips(dataset, locations)
    columns = read_list_columns(dataset)
    contents = collect_rows(config, dataset, store, people, locations, trips, columns)
    names = {"cast": people.cast, "marked": list_marked_names(people)} if people is not None else {}
    names |= {} if people is None else {"portraits": list_portraits(people)}
    if not contents:
        raise _make_no_vectors_error(dataset)

    def save_search_data() -> str:
        counted = _count_vocabulary(contents, locations, trips)
        counts = {"edit_count": edit_count, "trip_name_count": trip_name_count}
        vocabulary = replace(counted, columns=make_vocabulary_columns(columns), **counts, **names)
        return _save_search_data(config, dataset, contents, vocabulary, snapshot)

    moves = partial(find_moved_rows, dataset)
    with lock_build(dataset):
        reports = update_collections(store, contents, rebuild, progress, save_search_data, moves)
    for kind, report in reports.items():
        report.waiting = dataset.count_waiting(kind)
    if people is not None and "faces" in reports:
        reports["faces"].undone = people.list_pending()
    return reports


def check_before_build(config: Config, dataset: Dataset) -> None:
    """Raise `UserError` if a build would create a database and has no vectors to put into it."""
    dataset.refuse_imported()
    if config.milvus.is_missing:
        check_milvus(config.milvus)
        if not any(dataset.open_table(kind).folder.is_dir() for kind in ("clip", "vit")):
            raise _make_no_vectors_error(dataset)


def _make_no_vectors_error(dataset: Dataset) -> UserError:
    roots = ", ".join(map(str, dataset.roots))
    return UserError(
        f"{dataset.folder}: no vectors of the photos in {roots}; run 01_extract_features.py first"
    )


@contextmanager
def lock_build(dataset: Dataset) -> Iterator[None]:
    """Prevent two builds of one dataset at the same time.

    Raises
    ------
    UserError
        If another build of this dataset is running.
    """
    busy = f"{dataset.folder}: another build of this dataset is running; wait until it ends"
    with lock_file(dataset.folder / ".build.lock", busy):
        yield


def _refuse_imported(config: Config, dataset: Dataset, store: Store) -> None:
    """Raise `UserError` if the dataset has imported vectors, which a build without tables would delete."""
    dataset.refuse_imported()
    collection = store.collections.find(CollectionRef(config.dataset.name, "clip"))
    if collection is not None and collection.is_imported:
        raise UserError(
            f"{collection.ref.alias}: its vectors were imported from {collection.model}; select another "
            "dataset with -n, or remove them with --drop"
        )


def has_pending_edits(dataset: Dataset) -> bool:
    """Whether people were edited, or trips were named, since the collections were built."""
    vocabulary = Vocabulary.read(dataset.folder)
    if count_trip_lines(dataset.folder) != vocabulary.trip_name_count:
        return True
    return open_edit_log(dataset).count() != vocabulary.edit_count


def _save_search_data(
    config: Config,
    dataset: Dataset,
    contents: Sequence[CollectionContent],
    vocabulary: Vocabulary,
    snapshot: TableSnapshot,
) -> str:
    """Save the data that searches use in addition to the collections; return the vocabulary's digest."""
    for spec, rows in contents:
        if spec.ref.kind == "clip":
            save_bands(config, dataset, rows.vectors)
    photos = {i for spec, rows in contents if spec.ref.kind != "faces" for i in _list_keys(spec, rows)}
    save_built_state(dataset, snapshot, photos)
    # Last, because running searches reload everything when this file has changed.
    return vocabulary.write(dataset.folder)


def _list_keys(spec: CollectionSpec, rows: CollectionRows) -> list[int]:
    return rows.scalars[spec.ref.key].to_pylist()


def _count_vocabulary(
    contents: Sequence[CollectionContent], locations: Mapping[int, PhotoLocation], trips: Sequence[Trip]
) -> Vocabulary:
    """Count the names in the photos of the collections."""
    labels: dict[int, list[str]] = {}
    times: dict[int, int] = {}
    for spec, rows in contents:
        if spec.ref.kind != "faces":
            names = (spec.ref.key, "face_labels", "has_time", "taken_at")
            columns = (rows.scalars[name].to_pylist() for name in names)
            for photo, face_labels, has_time, taken_at in zip(*columns, strict=True):
                labels[photo] = face_labels
                if has_time:
                    times[photo] = taken_at
    vocabulary = count_vocabulary([location for photo, location in locations.items() if photo in labels])
    people = count_names((label, "") for face_labels in labels.values() for label in face_labels)
    periods = split_periods(list(times.values()))
    return replace(vocabulary, people=people, periods=periods, trips=count_trips(trips, labels))
