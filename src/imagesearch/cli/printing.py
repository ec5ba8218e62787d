"""Answers, classes and people as lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from imagesearch.cli.console import print_json, print_note
from imagesearch.cli.result_table import format_results, get_terminal_width
from imagesearch.text_table import format_table

if TYPE_CHECKING:
    from imagesearch.faces import MarkedName, People, Person
    from imagesearch.features import Classification
    from imagesearch.search import Answer

_MAX_TRIP_NAMES = 4  # places, or people, in a line


def print_answer(answer: Answer, verbose: bool = False, has_header: bool = True) -> None:
    """Print how the query was understood, and a table of the results; see `format_results`.

    Without a header, stdout has only the results, and how the query was understood is a note on stderr. With
    `verbose`, the text follows that CLIP compares photos with.
    """
    print_line = print if has_header else print_note
    print_line(answer.read_as)
    if verbose and answer.parsed.text:
        print_line(f'      compared with "{answer.parsed.text}"')
    for line in format_results(answer.results, verbose, has_header, get_terminal_width()):
        print(line)


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
    _print_people_table(people, [(person, person.name) for person in shown], people.list_marked_only())
    print(people)


def print_ignored(people: People) -> None:
    """Print the people who are ignored, and how many detections are not faces."""
    hidden = people.list_hidden()
    _print_people_table(people, [(p, p.name or ("" if p.number else p.label)) for p in hidden])
    if not hidden:
        print("nobody is ignored, and each detection is a face")


def _print_people_table(
    people: People, shown: Sequence[tuple[Person, str]], without_faces: Sequence[MarkedName] = ()
) -> None:
    """Print one line for each person; a column for marked photos only if there are any."""
    rows = [[p.number, len(p.rows), people.count_photos(p), name or "-"] for p, name in shown]
    rows += [["-", 0, len(marked.photos), marked.name] for marked in without_faces]
    header, align = ["number", "faces", "photos", "name"], ">>><"
    counts = {marked.name: len(marked.photos) for marked in people.marked if marked.photos}
    if any(row[-1] in counts for row in rows):
        header, align = [*header[:3], "marked", "name"], ">>>><"
        rows = [[*row[:3], counts.get(row[-1], 0), row[-1]] for row in rows]
    if rows:
        print(format_table(header, rows, align))


def print_trips(trips: Sequence[Mapping[str, Any]], as_json: bool = False) -> None:
    """Print the trips of `imagesearch.store.list_trips`, the oldest first."""
    if as_json:
        print_json({"trips": list(trips)})
    elif not trips:
        print("no trips: no photos with a time and a position were taken away from home")
    else:
        header = ("number", "first day", "last day", "photos", "name", "places", "people")
        print(format_table(header, [_list_trip_cells(trip) for trip in trips], "><<><<<"))


def _list_trip_cells(trip: Mapping[str, Any]) -> tuple[str | int, ...]:
    days = trip["first"][:10], trip["last"][:10]
    names = (_join_most_frequent(trip[key]) for key in ("places", "people"))
    return trip["number"], *days, trip["photos"], trip["name"], *names


def _join_most_frequent(names: Sequence[str]) -> str:
    """Return the first places or people of a trip, and the number of the others."""
    more = [f"{len(names) - _MAX_TRIP_NAMES} more"] if len(names) > _MAX_TRIP_NAMES else []
    return ", ".join([*names[:_MAX_TRIP_NAMES], *more])
