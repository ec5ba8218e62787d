"""The trips of a dataset: found in its tables, named by the user, and counted for the vocabulary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from imagesearch.decisions import Decision
from imagesearch.errors import UserError
from imagesearch.faces import open_edit_log
from imagesearch.geo import PhotoLocation, read_locations
from imagesearch.local_times import count_seconds, make_time, measure_seconds
from imagesearch.pipeline import Dataset, KnownResults, ProcessedPhoto
from imagesearch.store.records import is_name
from imagesearch.store.vocabulary import Vocabulary, VocabularyTrip
from imagesearch.text import clean_text, normalize
from imagesearch.trips import (
    Trip,
    TripName,
    TripPhoto,
    append_trip_name,
    append_trip_undo,
    find_trips,
    read_trip_names,
)

_NOON = timedelta(hours=12)
_MAX_NAME_LENGTH = 100


def find_dataset_trips(dataset: Dataset, locations: Mapping[int, PhotoLocation]) -> list[Trip]:
    """Return the trips of the current photos of a dataset, the oldest first."""
    if not locations:
        return []
    entries = dataset.read_current_entries("geo")
    inputs = (
        (photo, (entry, locations[photo])) for photo, entry in sorted(entries.items()) if photo in locations
    )
    photos = dataset.recall(_KnownTripPhotos).update(
        inputs, lambda changed: {photo: _make_photo(*given) for photo, given in changed.items()}
    )
    return find_trips(list(photos.values()), read_trip_names(dataset.folder))


class _KnownTripPhotos(KnownResults[TripPhoto]):
    """What is known of the photos of trips."""


def _make_photo(entry: ProcessedPhoto, location: PhotoLocation) -> TripPhoto:
    reference = entry.path, entry.content.hex()[:16]
    metadata = location.metadata
    taken_at = metadata.taken_at
    if metadata.time_precision in ("month", "year"):
        taken_at = None
    elif taken_at is not None and metadata.time_precision == "day":
        taken_at += _NOON  # a day without an hour is stored at its beginning
    places = location.address.places
    position = metadata.latitude, metadata.longitude
    return TripPhoto(entry.photo_id, reference, taken_at, *position, places, metadata.camera)


def count_trips(trips: Sequence[Trip], labels: Mapping[int, Sequence[str]]) -> tuple[VocabularyTrip, ...]:
    """Return the trips for the vocabulary.

    Parameters
    ----------
    labels
        The people in each photo of the collections, by photo id.
    """
    counted = []
    for trip in trips:
        photos = [photo.photo_id for photo in trip.photos if photo.photo_id in labels]
        people = Counter(name for photo in photos for name in labels[photo] if is_name(name))
        first, last = map(count_seconds, (trip.first, trip.last))
        if photos:
            counted.append(
                VocabularyTrip(
                    trip.name,
                    len(photos),
                    first,
                    last,
                    dict(sorted(trip.places.items())),
                    tuple(trip.cities),
                    _sort_by_count(people),
                    trip.is_named,
                )
            )
    return tuple(counted)


def _sort_by_count(counts: Counter[str]) -> tuple[str, ...]:
    return tuple(sorted(counts, key=lambda name: (-counts[name], name)))


def list_trips(vocabulary: Vocabulary) -> list[dict[str, Any]]:
    """Return what ``05 --trips --json`` prints for each trip, the oldest first.

    Raises
    ------
    UserError
        If the vocabulary is of an earlier version, so that no trips were found yet.
    """
    if vocabulary.trips is None:
        raise UserError("no trips were found yet; run 05_build_collections.py first")
    return [
        {
            "number": number,
            "name": trip.name,
            "named": trip.is_named,
            "first": make_time(trip.first).isoformat(),
            "last": make_time(trip.last).isoformat(),
            "photos": trip.photos,
            "places": list(trip.cities),
            "people": list(trip.people),
        }
        for number, trip in enumerate(vocabulary.trips, 1)
    ]


def name_trip(dataset: Dataset, selector: str, name: str) -> tuple[str, bool]:
    """Store the user's name of a trip permanently, or remove it if the name is empty.

    Returns the old name, and whether that has changed anything: the trip could have this name already.

    Parameters
    ----------
    selector
        The number of a trip in `list_trips`, or its name.

    Raises
    ------
    UserError
        If there is no such trip, or the name cannot be used.
    """
    name = clean_text(name)
    if normalize(name).isdecimal():
        raise UserError(f"--trip {selector}={name}: a number selects a trip; expected a name with letters")
    if name and (not normalize(name) or len(name) > _MAX_NAME_LENGTH):
        raise UserError(f"--trip {selector}={name}: expected a name of up to {_MAX_NAME_LENGTH} characters")
    known = _find_known(Vocabulary.read(dataset.folder), selector)
    trips = find_dataset_trips(dataset, read_locations(dataset))
    trip = max(trips, key=lambda trip: _rate_match(trip, known), default=None)
    if trip is None or not any(_rate_match(trip, known)):
        raise UserError(f"--trip {selector}: its photos are no trip any more; run 05_build_collections.py")
    if name == (trip.name if trip.is_named else ""):
        return trip.name, False
    references = tuple(photo.reference for photo in trip.photos)
    append_trip_name(dataset.folder, name, references, known.name, open_edit_log(dataset).count())
    return known.name, True


def undo_trip_name(dataset: Dataset, decision: Decision[TripName], photos: Sequence[tuple[str, str]]) -> str:
    """Undo a decision about a trip permanently; return what the trip is called now, or nothing if it is none.

    Parameters
    ----------
    decision
        A name that was given or removed, or an undo.
    photos
        References to the photos of the trip.
    """
    append_trip_undo(dataset.folder, decision, open_edit_log(dataset).count())
    paths, contents = {path for path, _ in photos}, {content for _, content in photos} - {""}
    shared = {
        trip.name: sum(p.reference[0] in paths or p.reference[1] in contents for p in trip.photos)
        for trip in find_dataset_trips(dataset, read_locations(dataset))
    }
    name = max(shared, key=shared.__getitem__, default="")
    return name if shared.get(name) else ""


def _find_known(vocabulary: Vocabulary, selector: str) -> VocabularyTrip:
    """Return the trip with a number or a name."""
    trips = vocabulary.trips
    if trips is None:
        raise UserError(f"--trip {selector}: no trips were found yet; run 05_build_collections.py first")
    if selector.strip().isdecimal():
        number = int(selector)
        if not 1 <= number <= len(trips):
            raise UserError(
                f"--trip {selector}: no trip has this number; 05_build_collections.py --trips lists "
                f"{len(trips)} trips"
            )
        return trips[number - 1]
    found = [trip for trip in trips if normalize(trip.name) == normalize(selector)]
    if not found:
        raise UserError(
            f"--trip {selector}: no trip has this name; 05_build_collections.py --trips lists the trips"
        )
    return found[0]


def _rate_match(trip: Trip, known: VocabularyTrip) -> tuple[bool, float]:
    """Return how well a trip matches one of the vocabulary: by its name, and the seconds that they share."""
    first, last = map(measure_seconds, (trip.first, trip.last))
    shared = min(last, known.last) - max(first, known.first) + 1
    return normalize(trip.name) == normalize(known.name), max(0.0, shared)
