"""Answers, classes and people as lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from imagesearch.cli.console import print_json

if TYPE_CHECKING:
    from imagesearch.faces import People
    from imagesearch.features import Classification
    from imagesearch.search import Answer, SearchResult

_PARTIAL_DATES = ("year", "month")


def print_answer(answer: Answer, verbose: bool = False) -> None:
    """Print how the query was understood, and one line per result.

    With `verbose`, the text follows that CLIP compares photos with. The line of a union also has the parts of
    the sentence that the photo fulfils. A second line has the description, and the source of a time that is
    not from the camera's clock.
    """
    print(answer.read_as)
    if verbose and answer.parsed.text:
        print(f'      compared with "{answer.parsed.text}"')
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
    """Return the description, and what is unusual about the time."""
    source = {"name": "date from the file name", "gps": "time from GPS"}.get(result.time_source, "")
    known = f"only the {result.time_precision} is known" if result.time_precision in _PARTIAL_DATES else ""
    return "; ".join(filter(None, (result.description, source, known)))


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
