"""Answers, classes and people as lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from imagesearch.cli.console import print_json

if TYPE_CHECKING:
    from imagesearch.faces import People
    from imagesearch.features import Classification
    from imagesearch.search import Answer, SearchResult

_PARTIAL_DATES = ("year", "month")
_MAX_TRIP_NAMES = 4  # places, or people, in a line


def print_answer(answer: Answer, verbose: bool = False) -> None:
    """Print how the query was understood, and one line per result.

    With `verbose`, the line of a union also has the parts of the sentence that the photo fulfils. A second
    line has the description, and the source of a time that is not from the camera's clock.
    """
    print(answer.read_as)
    for result in answer.results:
        fit = f"  {result.calibrated_score:.2f}" if result.calibrated_score is not None else ""
        about = ", ".join(filter(None, (*result.people, result.city or result.country)))
        label = f"  ({result.class_label} {result.class_score:.0%})" if result.class_label else ""
        burst = f"  +{result.burst_count} alike" if result.burst_count else ""
        about = f"  {about}" if about else ""
        parts = f"  [{', '.join(result.fulfils)}]" if verbose and result.fulfils else ""
        print(f"{result.rank:>4}  {result.format_measure(4)}{fit}  {result.path}{label}{about}{burst}{parts}")
        if verbose and (details := _format_details(result)):
            print(f"      {details}")


def _format_details(result: SearchResult) -> str:
    """Return the description, and what is unusual about the time and the trip."""
    source = {"name": "date from the file name", "gps": "time from GPS"}.get(result.time_source, "")
    known = f"only the {result.time_precision} is known" if result.time_precision in _PARTIAL_DATES else ""
    trip = f"no position; by its time, on the trip {result.trip}" if result.trip_by == "time" else ""
    return "; ".join(filter(None, (result.description, source, known, trip)))


def print_saved_queries(saved: Mapping[str, str], as_json: bool = False) -> None:
    """Print the name and the sentence of each saved query."""
    if as_json:
        print_json(dict(saved))
    elif not saved:
        print("no saved queries; the config can have some: search.saved: {goa: maya in goa since 2023}")
    else:
        width = max(map(len, saved))
        for name, sentence in saved.items():
            print(f"@{name:<{width}}  {sentence}")


def print_classes(results: Sequence[Classification]) -> None:
    """Print the labels of each photo, or why it has none."""
    for result in results:
        print(result.file)
        if result.error:
            print(f"  failed: {result.error}")
        for label, score in result.classes:
            print(f"  {score:>6.1%}  {label}")


def print_people(people: People, min_faces: int) -> None:
    """Print the people with a name or at least ``min_faces`` faces, the most frequent first."""
    shown = [person for person in people.persons if person.name or len(person.rows) >= min_faces]
    if shown:
        print(f"{'number':>6}  {'faces':>5}  {'photos':>6}  name")
    for person in shown:
        photos = people.count_photos(person)
        print(f"{person.number:>6}  {len(person.rows):>5}  {photos:>6}  {person.name or '-'}")
    print(people)


def print_trips(trips: Sequence[Mapping[str, Any]], as_json: bool = False) -> None:
    """Print the trips of `imagesearch.store.list_trips`, the oldest first."""
    if as_json:
        print_json({"trips": list(trips)})
    elif not trips:
        print("no trips: no photos with a time and a position were taken away from home")
    else:
        names, places = ([_format_trip_names(trip, key) for trip in trips] for key in ("name", "places"))
        widths = max(map(len, ("name", *names))), max(map(len, ("places", *places)))
        titles = f"{'number':>6}  {'first day':<10}  {'last day':<10}  {'photos':>6}  {'name':<{widths[0]}}"
        print(f"{titles}  {'places':<{widths[1]}}  people")
        for trip, name, place in zip(trips, names, places, strict=True):
            days = f"{trip['first'][:10]}  {trip['last'][:10]}"
            line = f"{trip['number']:>6}  {days}  {trip['photos']:>6}  {name:<{widths[0]}}"
            print(f"{line}  {place:<{widths[1]}}  {_format_trip_names(trip, 'people')}".rstrip())


def _format_trip_names(trip: Mapping[str, Any], key: str) -> str:
    """Return the name of a trip, or its most frequent places or people and the number of the others."""
    if key == "name":
        return str(trip[key])
    names = list(trip[key])
    more = [f"{len(names) - _MAX_TRIP_NAMES} more"] if len(names) > _MAX_TRIP_NAMES else []
    return ", ".join([*names[:_MAX_TRIP_NAMES], *more])
