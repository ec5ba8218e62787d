"""Step 04: writes the metadata of photos to a table, and the addresses of their positions to a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from imagesearch.config import Config
from imagesearch.files import lock_file
from imagesearch.geo.address import NO_ADDRESS, Address
from imagesearch.geo.listed_facts import add_listed_address, add_listed_metadata
from imagesearch.geo.online import NOT_ONLINE, OnlineGeocoder
from imagesearch.geo.reverse import LookupResult, find_addresses
from imagesearch.geo.saved_addresses import Position, SavedAddresses
from imagesearch.photos import (
    DecodedPhoto,
    Photo,
    PhotoMetadata,
    add_name_date,
    compute_photo_id,
    read_metadata,
)
from imagesearch.pipeline import BatchOutput, Dataset, KnownResults, Progress, StepSpec, StepSummary
from imagesearch.text_table import format_count

# Must change whenever the reading of metadata changes, so that all photos are read again.
_FINGERPRINT = "metadata/4"
_BATCH_SIZE = 64
_METADATA_SCHEMA = pa.schema(
    [
        ("photo_id", pa.int64()),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
        ("taken_at", pa.timestamp("ms")),  # local time, without a time zone
        ("utc_offset", pa.int16()),  # minutes
        ("camera", pa.string()),
        ("rating", pa.int8()),
        ("keywords", pa.list_(pa.string())),
        ("remarks", pa.list_(pa.string())),
        ("time_source", pa.string()),
        ("time_precision", pa.string()),
        ("description", pa.string()),
    ]
)


@dataclass(frozen=True)
class PhotoLocation:
    """The metadata of a photo, and the address of its position."""

    metadata: PhotoMetadata
    address: Address = NO_ADDRESS


class _KnownMetadata(KnownResults[PhotoMetadata]):
    """The metadata of photos."""


class _KnownLocations(KnownResults[PhotoLocation]):
    """The metadata and addresses of photos."""


@dataclass
class GeoSummary:
    """The result of a run. Counts are of photos, except ``asked`` and ``unanswered``."""

    photos: StepSummary
    positions: int = 0
    times: int = 0
    times_from_names: int = 0
    """Number of the times that are from the names of the files."""
    addresses: int = 0
    asked: int = 0
    """Number of places that the online geocoder returned an address for."""
    unanswered: int = 0
    """Number of places that are left without a response."""
    reason: str = ""
    """Why the last failed request failed."""
    remarks: dict[str, list[str]] = field(default_factory=dict)
    """By path: the metadata of a photo that was ignored or is unusual, and why."""

    @property
    def note(self) -> str:
        """A line about places without a response of the geocoder, or an empty string."""
        if not self.unanswered:
            return ""
        return (
            f"no response from the geocoder for {format_count(self.unanswered, 'place')} ({self.reason}); "
            "their photos have offline addresses; run 04_extract_geo.py again to retry"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        fields = asdict(self)
        return fields.pop("photos") | fields

    def __str__(self) -> str:
        counts = (
            f"{self.positions} with a position, {self.addresses} with an address, {self.times} with a time"
        )
        if self.times_from_names:
            counts += f" ({self.times_from_names} from file names)"
        online = f", {format_count(self.asked, 'place')} looked up online" if self.asked else ""
        return f"{self.photos}; {counts}{online}"


def extract_geo(
    config: Config,
    dataset: Dataset,
    *,
    retry_failed: bool = False,
    progress: Progress | None = None,
    keep_addresses: bool = False,
) -> GeoSummary:
    """Update the table ``geo`` from a dataset's photos, and write the addresses of their positions.

    All addresses are looked up in each run. So a change of the geocoder or the language takes seconds
    (offline) or uses the cache (online), and no photo is read again.

    Parameters
    ----------
    config
        The section ``geo`` selects the geocoder.
    dataset
        The photos, and the folder of the tables.
    retry_failed, progress
        See `imagesearch.pipeline.Dataset.update_tables`.
    keep_addresses
        Look up only positions that have no address from an earlier run. The settings of the geocoder must be
        those of that run.

    Raises
    ------
    UserError
        If a root of the dataset does not exist, another run is active, or the settings of the geocoder are
        not valid.
    """
    online = _make_online_geocoder(config, dataset)
    step = StepSpec("geo", (dataset.open_table("geo"),), _FINGERPRINT, MetadataProcessor)
    photos = dataset.update_tables(
        [step], batch_size=_BATCH_SIZE, retry_failed=retry_failed, progress=progress
    )
    busy = f"{dataset.folder}: another run is looking up addresses; wait until it has ended"
    with lock_file(dataset.folder / ".geo.lock", busy):
        metadata = _read_metadata_table(dataset)
        known = dataset.recall(SavedAddresses).read(dataset) if keep_addresses else {}
        lookup = _find_addresses(config, dataset, metadata, known, online, progress)
    paths = {photo.photo_id: photo.path for photo in dataset.photos}
    return GeoSummary(
        photos,
        positions=sum(m.latitude is not None for m in metadata.values()),
        times=sum(m.taken_at is not None for m in metadata.values()),
        times_from_names=sum(m.time_source == "name" for m in metadata.values()),
        addresses=sum(address != NO_ADDRESS for address in lookup.addresses),
        asked=lookup.answered,
        unanswered=lookup.unanswered,
        reason=lookup.reason,
        remarks={paths[i]: list(m.remarks) for i, m in metadata.items() if m.remarks},
    )


def read_locations(dataset: Dataset) -> dict[int, PhotoLocation]:
    """Return the metadata and the address of each current photo, by photo id; empty before the first run."""
    metadata = _read_metadata_table(dataset)
    addresses = dataset.recall(SavedAddresses).read(dataset) if metadata else {}
    values = _read_listed_values(dataset) if metadata else {}
    inputs = (
        (i, (m, addresses.get((i, m.latitude, m.longitude), NO_ADDRESS), values.get(i)))
        for i, m in metadata.items()
    )

    def join(changed: dict[int, tuple]) -> dict[int, PhotoLocation]:
        return {
            photo: PhotoLocation(found, add_listed_address(address, listed or {}))
            for photo, (found, address, listed) in changed.items()
        }

    return dataset.recall(_KnownLocations).update(inputs, join)


def count_without_address(dataset: Dataset) -> int:
    """Count the photos with a position that is new or has changed since the addresses were looked up."""
    metadata = _read_metadata_table(dataset)
    addresses = dataset.recall(SavedAddresses).read(dataset) if metadata else {}
    return sum(position not in addresses for position in _list_positions(metadata))


# --- from files to the table -------------------------------------------------------------------------------


class MetadataProcessor:
    """Reads metadata from the files; a `imagesearch.pipeline.steps.Processor`."""

    min_short_side = min_long_side = 0  # photos are not decoded

    def prepare(self, photo: Photo, decoded: DecodedPhoto | None) -> PhotoMetadata:
        return read_metadata(photo.file)

    def process(self, photo_ids: list[int], inputs: list[Any]) -> BatchOutput:
        rows = [{"photo_id": i} | asdict(metadata) for i, metadata in zip(photo_ids, inputs, strict=True)]
        return BatchOutput({"geo": pa.Table.from_pylist(rows, _METADATA_SCHEMA)})


def _read_metadata_table(dataset: Dataset) -> dict[int, PhotoMetadata]:
    """Return the metadata by photo id, with the dates in the names of the files if the config allows them.

    Photos of a list also have the metadata in its columns, which is not stored, so that edits of it count.

    Tables of earlier versions lack some columns. The dates in names are not stored, because a photo that is
    renamed keeps its rows.
    """
    entries, listed = dataset.read_current_entries("geo"), _read_listed_values(dataset)

    def read(changed: dict[int, tuple]) -> dict[int, PhotoMetadata]:
        table = dataset.open_table("geo").read_rows(entry for entry, _ in changed.values())
        if table is None:
            return {}
        names = [name for name in _METADATA_SCHEMA.names if name != "photo_id" and name in table.column_names]
        columns = zip(*(table[name].to_pylist() for name in names), strict=True)
        found = {}
        for photo, values in zip(table["photo_id"].to_pylist(), columns, strict=True):
            known = {name: value for name, value in zip(names, values, strict=True) if value is not None}
            for name in {"keywords", "remarks"} & known.keys():
                known[name] = tuple(known[name])
            metadata = PhotoMetadata(**known)
            if dataset.config.geo.date_from_name:
                metadata = add_name_date(metadata, entries[photo].path)
            found[photo] = add_listed_metadata(metadata, listed[photo]) if photo in listed else metadata
        return found

    inputs = ((photo, (entry, listed.get(photo))) for photo, entry in entries.items())
    return dataset.recall(_KnownMetadata).update(inputs, read)


def _read_listed_values(dataset: Dataset) -> dict[int, Mapping[str, str | tuple[str, ...]]]:
    """Return the columns of the photos in lists, by photo id."""
    return {compute_photo_id(path): line.values for path, line in dataset.lists.read().lines.items()}


def _list_positions(metadata: Mapping[int, PhotoMetadata]) -> list[Position]:
    """Return photo id, latitude and longitude of the photos with a position, in the order of the table."""
    return [(i, m.latitude, m.longitude) for i, m in metadata.items() if m.latitude is not None]


# --- from positions to addresses ---------------------------------------------------------------------------


def check_geocoder(config: Config, dataset: Dataset) -> None:
    """Check the settings of the geocoder, without a request.

    Raises
    ------
    UserError
        If the geocoder is unknown, or its options are not valid.
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
    known: Mapping[Position, Address],
    online: OnlineGeocoder | None,
    progress: Progress | None,
) -> LookupResult:
    """Look up and write the addresses of the photos with a position, except those that are known."""
    positions = _list_positions(metadata)
    unknown = [position for position in positions if position not in known]

    def join(found: Sequence[Address]) -> list[Address]:
        addresses = {**known, **dict(zip(unknown, found, strict=True))}
        return [addresses[position] for position in positions]

    def save(found: Sequence[Address]) -> None:
        dataset.recall(SavedAddresses).write(dataset, positions, join(found))

    if not unknown or config.geo.geocoder == "none":
        addresses = [NO_ADDRESS] * len(unknown)
        if not known or len(known) != len(positions):
            save(addresses)
        return LookupResult(join(addresses))
    if online is not None:
        online.reload_cache()
    _, latitudes, longitudes = zip(*unknown, strict=True)
    lookup = find_addresses(np.array(latitudes), np.array(longitudes), online, progress, save)
    return replace(lookup, addresses=join(lookup.addresses))
