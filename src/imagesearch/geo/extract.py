"""Step 04: what the files of photos say of where and when, as a table, and the addresses of the positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.files import atomic_write
from imagesearch.geo.address import NO_ADDRESS, Address
from imagesearch.geo.online import NOT_ONLINE, OnlineGeocoder
from imagesearch.geo.reverse import LookupResult, find_addresses
from imagesearch.photos import DecodedPhoto, Photo, PhotoMetadata, read_metadata
from imagesearch.pipeline import BatchOutput, Dataset, Progress, StepSpec, StepSummary

# Changes whenever metadata is read differently, so that the photos are read again.
_FINGERPRINT = "metadata/2"
_PHOTOS_A_BATCH = 64
_METADATA_SCHEMA = pa.schema(
    [
        ("photo_id", pa.int64()),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
        ("taken_at", pa.timestamp("ms")),  # the local wall clock, without a zone
        ("utc_offset", pa.int16()),  # minutes
        ("camera", pa.string()),
        ("rating", pa.int8()),
        ("keywords", pa.list_(pa.string())),
        ("remarks", pa.list_(pa.string())),
    ]
)
_PLACE = pa.struct([("name", pa.string()), ("kind", pa.string())])
_ADDRESS_SCHEMA = pa.schema(
    [
        ("photo_id", pa.int64()),
        ("latitude", pa.float64()),  # of what position this is the address
        ("longitude", pa.float64()),
        ("city", pa.string()),
        ("county", pa.string()),
        ("state", pa.string()),
        ("country", pa.string()),
        ("address", pa.string()),
        ("places", pa.list_(_PLACE)),
    ]
)


@dataclass(frozen=True)
class PhotoLocation:
    """What is known of one photo: what its file says, and the address of its position."""

    metadata: PhotoMetadata
    address: Address = NO_ADDRESS


@dataclass
class GeoSummary:
    """How a run went; counts are of photos, those of network look-ups of places."""

    photos: StepSummary
    positions: int = 0
    times: int = 0
    addresses: int = 0
    asked: int = 0
    unanswered: int = 0
    reason: str = ""
    """Why the geocoder did not answer, the last time it did not."""
    remarks: dict[str, list[str]] = field(default_factory=dict)
    """By path: what of a photo's metadata was left out, and why."""

    @property
    def note(self) -> str:
        """A line about places that the geocoder has not answered about; or nothing."""
        if not self.unanswered:
            return ""
        return (
            f"no answer about {self.unanswered} places ({self.reason}): their photos have offline addresses "
            "until the next run, which asks again"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        fields = asdict(self)
        return fields.pop("photos") | fields

    def __str__(self) -> str:
        counts = (
            f"{self.positions} with a position, {self.addresses} with an address, {self.times} with a time"
        )
        asked = f", {self.asked} places asked about" if self.asked else ""
        return f"{self.photos}; {counts}{asked}"


def extract_geo(
    config: Config,
    dataset: Dataset,
    *,
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> GeoSummary:
    """Bring the table ``geo`` up to date with a dataset's photos, and write their addresses beside it.

    The addresses are looked up anew each time, so that another geocoder or language is a matter of seconds
    (offline) or of the cache (over the network), and no photo is read again for it.

    Parameters
    ----------
    config
        Names the geocoder.
    dataset
        Its photos and tables.
    retry_failed, progress
        See `imagesearch.pipeline.Dataset.update_tables`.

    Raises
    ------
    UserError
        If a root of the dataset cannot be found, another run is writing or asking, or the geocoder cannot be
        set up.
    """
    online = _make_online_geocoder(config, dataset)
    step = StepSpec("geo", (dataset.open_table("geo"),), _FINGERPRINT, MetadataProcessor)
    photos = dataset.update_tables(
        [step], batch_size=_PHOTOS_A_BATCH, retry_failed=retry_failed, progress=progress
    )
    try:
        with FileLock(dataset.folder / ".geo.lock", blocking=False):
            metadata = _read_metadata_table(dataset)
            lookup = _find_addresses(config, dataset, metadata, online, progress)
    except Timeout:
        raise UserError(f"{dataset.folder}: another run is looking up addresses") from None
    paths = {photo.photo_id: photo.path for photo in dataset.photos}
    return GeoSummary(
        photos,
        positions=sum(m.latitude is not None for m in metadata.values()),
        times=sum(m.taken_at is not None for m in metadata.values()),
        addresses=sum(address != NO_ADDRESS for address in lookup.addresses),
        asked=lookup.asked,
        unanswered=lookup.unanswered,
        reason=lookup.reason,
        remarks={paths[i]: list(m.remarks) for i, m in metadata.items() if m.remarks},
    )


def read_locations(dataset: Dataset) -> dict[int, PhotoLocation]:
    """Return what step 04 found about the photos that are there, by photo id; empty before its first run."""
    metadata = _read_metadata_table(dataset)
    addresses = _read_addresses(dataset) if metadata else {}
    return {
        i: PhotoLocation(m, addresses.get((i, m.latitude, m.longitude), NO_ADDRESS))
        for i, m in metadata.items()
    }


def count_without_address(dataset: Dataset) -> int:
    """Count the photos whose position has changed, or was found, since addresses were last looked up."""
    metadata = _read_metadata_table(dataset)
    addresses = _read_addresses(dataset) if metadata else {}
    return sum(position not in addresses for position in _list_positions(metadata))


# --- from files to the table -------------------------------------------------------------------------------


class MetadataProcessor:
    """Reads metadata off the files themselves; a `imagesearch.pipeline.steps.Processor`."""

    min_short_side = min_long_side = 0  # no pixels

    def prepare(self, photo: Photo, decoded: DecodedPhoto | None) -> PhotoMetadata:
        return read_metadata(photo.file)

    def process(self, photo_ids: list[int], inputs: list[Any]) -> BatchOutput:
        rows = [{"photo_id": i} | asdict(metadata) for i, metadata in zip(photo_ids, inputs, strict=True)]
        return BatchOutput({"geo": pa.Table.from_pylist(rows, _METADATA_SCHEMA)})


def _read_metadata_table(dataset: Dataset) -> dict[int, PhotoMetadata]:
    table = dataset.open_table("geo").read_rows(dataset.read_current_entries("geo").values())
    if table is None:
        return {}
    names = [name for name in _METADATA_SCHEMA.names if name != "photo_id"]
    columns = zip(*(table[name].to_pylist() for name in names), strict=True)
    by_photo = {}
    for photo_id, values in zip(table["photo_id"].to_pylist(), columns, strict=True):
        metadata = PhotoMetadata(**dict(zip(names, values, strict=True)))
        by_photo[photo_id] = replace(
            metadata, keywords=tuple(metadata.keywords), remarks=tuple(metadata.remarks)
        )
    return by_photo


def _list_positions(metadata: Mapping[int, PhotoMetadata]) -> list[tuple[int, float, float]]:
    """Return photo id, latitude and longitude of the photos that have a position, in their order."""
    return [(i, m.latitude, m.longitude) for i, m in metadata.items() if m.latitude is not None]


# --- from positions to addresses ---------------------------------------------------------------------------


def check_geocoder(config: Config, dataset: Dataset) -> None:
    """Check that there is a geocoder as the config describes it, without asking it anything.

    Raises
    ------
    UserError
        If geopy knows no such geocoder, or not with these options.
    """
    _make_online_geocoder(config, dataset)


def _make_online_geocoder(config: Config, dataset: Dataset) -> OnlineGeocoder | None:
    if config.geo.geocoder in NOT_ONLINE:
        return None
    return OnlineGeocoder(config.geo, dataset.folder / "geocoder_answers.jsonl")


def _find_addresses(
    config: Config,
    dataset: Dataset,
    metadata: Mapping[int, PhotoMetadata],
    online: OnlineGeocoder | None,
    progress: Progress | None,
) -> LookupResult:
    """Return the addresses of the photos that have a position, in their order; written on the way."""
    positions = _list_positions(metadata)
    keep = partial(_write_addresses, dataset, positions)
    if not positions or config.geo.geocoder == "none":
        lookup = LookupResult([NO_ADDRESS] * len(positions))
        keep(lookup.addresses)
        return lookup
    if online is not None:
        online.reload_cache()
    _, latitudes, longitudes = zip(*positions, strict=True)
    return find_addresses(np.array(latitudes), np.array(longitudes), online, progress, keep)


def _write_addresses(
    dataset: Dataset, positions: Sequence[tuple[int, float, float]], addresses: Sequence[Address]
) -> None:
    """Write the addresses of all positions, the empty ones too, in place of the older ones."""
    rows = [
        {"photo_id": photo_id, "latitude": latitude, "longitude": longitude}
        | asdict(address)
        | {"places": [{"name": name, "kind": kind} for name, kind in address.places]}
        for (photo_id, latitude, longitude), address in zip(positions, addresses, strict=True)
    ]
    with atomic_write(_get_addresses_file(dataset)) as unfinished:
        pq.write_table(pa.Table.from_pylist(rows, _ADDRESS_SCHEMA), unfinished, compression="zstd")


def _read_addresses(dataset: Dataset) -> dict[tuple[int, float, float], Address]:
    """Return addresses by photo and position: one of another position is none of the photo's any more."""
    file = _get_addresses_file(dataset)
    try:
        with pq.ParquetFile(file) as parquet:
            table = parquet.read()
    except FileNotFoundError:  # a run was stopped between the positions and their addresses
        return {}
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{file}: cannot be read ({error}); run 04_extract_geo.py") from None
    if table.schema.names != _ADDRESS_SCHEMA.names:  # an earlier version wrote it
        return {}
    rows = table.to_pylist()
    for row in rows:
        row["places"] = tuple((place["name"], place["kind"]) for place in row["places"])
    return {(row.pop("photo_id"), row.pop("latitude"), row.pop("longitude")): Address(**row) for row in rows}


def _get_addresses_file(dataset: Dataset) -> Path:
    return dataset.folder / "addresses.parquet"
