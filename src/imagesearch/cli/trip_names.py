"""Names of trips: the option ``--trip`` of step 03, and the runs that require no faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from imagesearch.cli.console import print_note
from imagesearch.cli.history import print_history, undo_decisions
from imagesearch.cli.name_updates import print_stored, update_collections
from imagesearch.cli.option_values import parse_assignment
from imagesearch.cli.people_edits import has_people_edits
from imagesearch.cli.printing import print_trips
from imagesearch.errors import UserError

if TYPE_CHECKING:
    import argparse

    from imagesearch.pipeline import Dataset
    from imagesearch.workflow import History


def is_about_trips(args: argparse.Namespace, undone: Sequence[int | None], history: History) -> bool:
    """Whether only trips are named, or the history is listed; neither requires faces."""
    output = (args.interactive, args.suggest, args.show, args.ignored, args.to_xmp, args.save)
    if has_people_edits(args) or any(output):
        return False
    return bool(undone or args.trip or args.history) and not history.has_people_to_undo(undone)


def edit_trips(
    dataset: Dataset, history: History, undone: Sequence[int | None], args: argparse.Namespace
) -> None:
    """Undo and give names of trips, update the collections, and list the trips or the history.

    Raises
    ------
    UserError
        If a name or an undo is refused, or if the collections cannot be updated.
    """
    from imagesearch.faces import load_people
    from imagesearch.store import Vocabulary, list_trips

    try:
        undo_decisions(history, undone)
        name_trips(dataset, args.trip)
    except UserError:
        report_stored_trips(dataset, may_build=not args.no_build)
        raise
    failure = None
    if undone or args.trip:
        print_note(dataset.roots_note)
        failure = None if args.no_build else update_collections(dataset)
    if args.history:
        print_history(history, load_people(dataset.config, dataset) if args.json else None)
    if failure:
        raise failure
    vocabulary = Vocabulary.read(dataset.folder)
    if not (args.history or args.no_build or vocabulary.trips is None):  # None after 05 --drop
        print_trips(list_trips(vocabulary), args.json)


def name_trips(dataset: Dataset, assignments: Sequence[str]) -> None:
    """Store names of trips, given as ``TRIP=NAME``, and print what that changed."""
    from imagesearch.store import name_trip

    for text in assignments:
        trip, name = parse_assignment(text, "--trip", 'TRIP=NAME, such as 7="Ana\'s wedding"')
        (old_name, has_changed), new_name = name_trip(dataset, trip, name), name.strip()
        if has_changed:
            print_note(f"{old_name}: named {new_name}" if new_name else f"{old_name}: name removed")
        else:
            print_note(f"{old_name} has {'this name already' if new_name else 'no other name'}")


def report_stored_trips(dataset: Dataset, may_build: bool) -> None:
    """After a refused name or undo, update the collections with those of the call that are stored."""
    from imagesearch.store import has_pending_edits

    if has_pending_edits(dataset):
        print_stored("the lines above are stored", dataset, may_build)
