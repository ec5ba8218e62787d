"""The nearest days with photos, if none was taken on the days of a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from test_answer import ConstantEncoder, MadeResources

from imagesearch.config import load_config
from imagesearch.pipeline import Dataset
from imagesearch.search import Answer, Query, Searcher
from imagesearch.store import (
    ARROW_TYPES,
    PHOTO_FIELDS,
    CollectionRef,
    CollectionRows,
    CollectionSpec,
    IndexSpec,
    Store,
    Vocabulary,
    VocabularyEntry,
    fill_collection,
)

TODAY = date(2024, 6, 15)
PHOTOS = {
    "morning.jpg": (datetime(2020, 5, 10, 9), "second"),
    "night.jpg": (datetime(2020, 5, 10, 23, 30), "second"),
    "trip/letter.jpg": (datetime(2020, 5, 20), "day"),
    "scan.jpg": (datetime(2021, 1, 1), "year"),
    "last.jpg": (datetime(2022, 3, 3, 12), "second"),
    "unknown.jpg": (None, ""),
}
MAY_10, MAY_20 = {"morning.jpg", "night.jpg"}, {"trip/letter.jpg"}


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    folder = tmp_path_factory.mktemp("days")
    (folder / "photos/trip").mkdir(parents=True)
    for path in PHOTOS:
        (folder / "photos" / path).touch()
    file = folder / "config.yaml"
    file.write_text("dataset: {name: made, images: photos, processed: p}\nmilvus: {uri: milvus.db}\n")
    config = load_config(file)
    dataset = Dataset(config)
    dataset.folder.mkdir(parents=True)
    Vocabulary(people={"maya": VocabularyEntry("Maya", 1)}).write(dataset.folder)
    seconds = [int((at - datetime(1970, 1, 1)).total_seconds()) if at else 0 for at, _ in PHOTOS.values()]
    known = {
        "path": list(PHOTOS),
        "face_labels": [["Maya"], *([] for _ in range(len(PHOTOS) - 1))],
        "face_count": [1] * len(PHOTOS),
        "has_time": [at is not None for at, _ in PHOTOS.values()],
        "taken_at": seconds,
        "time_precision": [precision for _, precision in PHOTOS.values()],
        "month": [at.month if at and precision != "year" else 0 for at, precision in PHOTOS.values()],
    }
    columns = {"photo_id": pa.array(range(len(PHOTOS)), pa.int64())}
    for item in PHOTO_FIELDS:
        values = known.get(item.name, [item.unknown] * len(PHOTOS))
        columns[item.name] = pa.array(values, ARROW_TYPES[item.type])
    rows = CollectionRows(pa.table(columns), np.eye(8, dtype=np.float32)[: len(PHOTOS)])
    with Store(config.milvus) as store:
        spec = CollectionSpec(CollectionRef("made", "clip"), "random", "random", 8, IndexSpec("FLAT", {}))
        fill_collection(store, spec, rows)
        searcher = Searcher(config, dataset, store)
        searcher.resources = MadeResources(config, dataset, store, SimpleNamespace(clip=ConstantEncoder()))
        yield searcher


def search(searcher: Searcher, text: str, **options) -> tuple[set[str], Answer]:
    answer = searcher.search(Query(text, today=TODAY, **options))
    return {result.path for result in answer.results}, answer


@pytest.mark.parametrize(
    ("text", "found", "note"),
    [
        ("on 15 may 2020", MAY_10 | MAY_20,
         "no photo of 15 may 2020; these are of 10 May 2020 and 20 May 2020"),
        ("2020-05-15", MAY_10 | MAY_20, "no photo of 15 May 2020; these are of 10 May 2020"),
        ("between 12 and 18 may 2020", MAY_10 | MAY_20, "these are of 10 May 2020 and 20 May 2020"),
        # of the scan, only the year is known
        ("in december 2020", MAY_20 | {"last.jpg"}, "these are of 20 May 2020 and 3 March 2022"),
        ("in 2019", MAY_10, "no photo of 2019; these are of 10 May 2020"),
        ("in 2023", {"last.jpg"}, "no photo of 2023; these are of 3 March 2022"),
        ("pre-2019", MAY_10, "these are of 10 May 2020"),
        ("before 1900", MAY_10, "no photo before 1900; these are of 10 May 2020"),
        ("from 2023 on", {"last.jpg"}, "these are of 3 March 2022"),
        ("newer than 6 months", {"last.jpg"}, "these are of 3 March 2022"),
        ("in 2018 or 2019", MAY_10, "no photo of 2018 or 2019; these are of 10 May 2020"),
    ],
)  # fmt: skip
def test_the_photos_of_the_nearest_days_are_shown(
    searcher: Searcher, text: str, found: set[str], note: str
) -> None:
    paths, answer = search(searcher, text)
    assert paths == found and note in answer.notes[0], answer.notes
    assert search(searcher, text, strict=True)[0] == set()


@pytest.mark.parametrize("text", ["in july", "after 2010 and before 2012", "on 15 may 2020 or before 2012"])
def test_there_are_none_if_the_days_recur_or_are_open_on_a_side(searcher: Searcher, text: str) -> None:
    paths, answer = search(searcher, text)
    assert paths == set() and answer.notes[0].startswith("no photo"), answer.notes


def test_other_filters_hold_on_the_nearest_days_too(searcher: Searcher) -> None:
    paths, answer = search(searcher, "on 15 may 2020", folder="trip")
    assert paths == MAY_20 and "these are of 20 May 2020" in answer.notes[0]
    paths, answer = search(searcher, "15 may 2020 without maya")
    assert paths == set() and answer.notes == ("no photo (15 may 2020) without Maya",)


def test_a_text_is_not_searched_on_the_nearest_days_alone(searcher: Searcher) -> None:
    paths, answer = search(searcher, "a boat on 15 may 2020")
    assert paths == set(PHOTOS) and "these are the nearest of all" in answer.notes[0]
    assert "10 May" not in search(searcher, "maya on 15 may 2020")[1].notes[0]
