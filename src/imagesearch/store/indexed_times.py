"""The file ``indexed.parquet``: when each photo was first put into the collections of a dataset."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from imagesearch.errors import UserError, describe_error
from imagesearch.files import atomic_write, lock_file
from imagesearch.pipeline import Dataset, ProcessedPhoto

_SCHEMA = pa.schema(
    [
        ("photo_id", pa.int64()),  # null: a photo that is gone
        ("content", pa.binary(16)),  # hash of the whole file; recognizes a moved photo
        ("indexed_at", pa.int64()),  # seconds since 1970, UTC
    ]
)


@dataclass
class _Times:
    """The content of the file.

    ``present`` has content and time by photo id; ``gone`` has the times of photos that are gone, by content.
    """

    present: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    gone: dict[bytes, list[int]] = field(default_factory=dict)


def update_indexed_times(dataset: Dataset, entries: Iterable[ProcessedPhoto]) -> dict[int, int]:
    """Return when each photo was first put into the collections, and store the times of new photos.

    A new photo gets the current time. If it has the content of a photo that is gone, now or since an earlier
    build, it was moved or has come back, and has that photo's time. The file is written before the
    collections are changed, so a killed build leaves the times that the next build uses.

    Parameters
    ----------
    dataset
        The dataset.
    entries
        The entries of the photos that are put into the collections.

    Returns
    -------
    times : dict
        Seconds since 1970, UTC, by photo id.

    Raises
    ------
    UserError
        If the file cannot be read.
    """
    if not dataset.folder.is_dir():
        return {}
    file = dataset.folder / "indexed.parquet"
    contents = {entry.photo_id: entry.content for entry in entries}
    with lock_file(dataset.folder / ".indexed.lock"):
        saved = _read(file)
        # Photos without vectors at present, such as those still to be extracted with another model, are kept.
        present = contents.keys() | {photo.photo_id for photo in dataset.photos}
        times = _update_times(saved, contents, present)
        if times != saved:
            _write(file, times)
    return {photo: seconds for photo, (_, seconds) in times.present.items()}


def _update_times(saved: _Times, contents: dict[int, bytes], present: set[int]) -> _Times:
    gone = {content: list(times) for content, times in saved.gone.items()}
    kept = {}
    for photo, (content, seconds) in saved.present.items():
        if photo in present:
            kept[photo] = (content, seconds)
        else:
            gone.setdefault(content, []).append(seconds)
    now = int(time.time())
    changed = {p: content for p, content in contents.items() if kept.get(p, (None, 0))[0] != content}
    replaced = {photo: kept[photo] for photo in changed if photo in kept}
    known = gone.keys() | {content for content, _ in replaced.values()}
    # of a photo with the content of another one, as after a swap, the former content is elsewhere or gone
    for photo in [photo for photo in replaced if changed[photo] in known]:
        content, seconds = replaced.pop(photo)
        gone.setdefault(content, []).append(seconds)
    for photo, content in changed.items():
        times = gone.get(content)
        kept[photo] = (content, times.pop() if times else kept.get(photo, (content, now))[1])
    for content, seconds in replaced.values():  # edited photos keep their times; the files can be restored
        gone.setdefault(content, []).append(seconds)
    return _Times(kept, {content: times for content, times in gone.items() if times})


def _read(file: Path) -> _Times:
    try:
        with pq.ParquetFile(file) as parquet:
            table = parquet.read()
        columns = [table[name].to_pylist() for name in _SCHEMA.names]
    except FileNotFoundError:
        return _Times()
    except (OSError, pa.ArrowException, KeyError) as error:
        raise UserError(
            f"{file}: cannot be read ({describe_error(error)}); "
            "delete it, and all photos count as new in the next build"
        ) from None
    times = _Times()
    for photo, content, seconds in zip(*columns, strict=True):
        if photo is None:
            times.gone.setdefault(content, []).append(seconds)
        else:
            times.present[photo] = (content, seconds)
    return times


def _write(file: Path, times: _Times) -> None:
    rows = [(photo, *row) for photo, row in times.present.items()]
    rows += [(None, content, seconds) for content, many in times.gone.items() for seconds in many]
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    table = pa.table(dict(zip(_SCHEMA.names, map(list, columns), strict=True)), schema=_SCHEMA)
    with atomic_write(file) as unfinished:
        pq.write_table(table, unfinished, compression="zstd")
