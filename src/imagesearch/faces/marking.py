"""Edits of names on photos: somebody is on a photo whose face is not found (`--present`, `--absent`)."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imagesearch.csv_files import read_csv, use_lines
from imagesearch.errors import UserError, name_option
from imagesearch.faces.edit_log import Edit
from imagesearch.faces.marks import MarkedName, refer_to_photo
from imagesearch.faces.name_checks import check_name, refuse_unlikely_name
from imagesearch.faces.people import People, Person
from imagesearch.photos import compute_photo_id
from imagesearch.pipeline import Dataset, find_photo_file
from imagesearch.text import normalize
from imagesearch.text_table import format_count

if TYPE_CHECKING:
    from imagesearch.faces.editor import PeopleEditor

_PATH_COLUMNS = ("photo", "path")
FindPhoto = Callable[[str], int]
"""Returns the id of a photo, however its name was typed."""


def make_photo_finder(people: People, dataset: Dataset, option: str = "") -> FindPhoto:
    """Return a function that finds the photos that a user has typed, if step 02 has processed them.

    The function raises `UserError` if there is no such photo, or more than one.
    """
    processed = people.faces.processed
    # also the photos that are gone, or that failed, for the message
    table = dataset.open_table("faces")
    paths = (*dataset.list_known_paths(), *table.list_paths(), *(e.path for e in processed.values()))
    known = list(dict.fromkeys(paths))
    read_errors = functools.cache(table.read_errors)

    def find_photo(typed: str) -> int:
        file = find_photo_file(typed, dataset, option=option, list_paths=lambda: known)
        paths = dataset.list_paths_of(file)
        photo = next((i for i in map(compute_photo_id, paths) if i in processed), None)
        if photo is None:
            name = dataset.config.dataset.name
            reason = "not processed yet; run 02_cluster_faces.py" if paths else f"not a photo of {name}"
            failed = read_errors()
            errors = [failed[photo_id] for photo_id in map(compute_photo_id, paths) if photo_id in failed]
            reason = f"02_cluster_faces.py failed: {errors[0]}" if errors else reason
            raise UserError(f"{option} {typed}: {reason}".strip())
        return photo

    return find_photo


def check_marked_name(editor: PeopleEditor, name: str) -> str:
    """Return the name to mark on photos, in the spelling in use. It can be the number of a named person.

    Raises
    ------
    UserError
        If it cannot be a name, or is that of an ignored person.
    """
    if re.fullmatch(r"(person )?\d+", normalize(name)):
        person = editor.people.find_person(name)
        if not person.name:
            raise UserError(f"{person.label} has no name; name it first: --name {person.number}=NAME")
        name = person.name
    name = _find_spelling(editor, name)
    for person in editor.people.ignored:
        if normalize(person.name) == normalize(name):
            raise make_ignored_error(name, person)
    return name


def mark_present(editor: PeopleEditor, name: str, photos: Sequence[int]) -> int:
    """Record, as one decision, that somebody is on photos where the face is not found.

    Nothing is recorded for photos where the person is already known to be; a note names them.

    Parameters
    ----------
    editor
        Stores the edit, and gets the notes.
    name
        The person; see `check_marked_name`.
    photos
        The ids of the photos, such as those of `make_photo_finder`.

    Returns
    -------
    new : int
        Number of photos that got the name.
    """
    people, name = editor.people, check_marked_name(editor, name)
    marked = people.find_marked(name)
    new = []
    for photo in dict.fromkeys(photos):
        entry = people.faces.processed[photo]
        if _find_face(people, name, photo):
            editor.notes.append(f"{name} is on {entry.path} already, by a face")
        elif marked and photo in marked.references:
            editor.notes.append(f"{name} is on {entry.path} already")
        else:
            new.append(refer_to_photo(entry))
    if new:
        editor.store_marking(Edit("present", name=name, photos=tuple(new)))
    return len(new)


def mark_absent(editor: PeopleEditor, name: str, photo: int) -> None:
    """Take a name off a photo that is marked with it.

    Raises
    ------
    UserError
        If the photo is not marked with the name.
    """
    people = editor.people
    marked, path = people.find_marked(name), people.faces.processed[photo].path
    if marked and photo in marked.references:
        editor.store_marking(Edit("absent", name=marked.name, photos=marked.references[photo], who=(path,)))
        return
    if face := _find_face(people, name, photo):
        raise UserError(f"--absent {path}={name}: is there by a face; use --not {face}={name}")
    raise UserError(f"--absent {path}={name}: the photo is not marked with this name")


def import_marks(
    editor: PeopleEditor, file: Path, find_photo: FindPhoto
) -> tuple[dict[str, int], dict[str, str]]:
    """Mark the photos in a file with names; each name is one decision.

    Parameters
    ----------
    editor
        Stores the edits.
    file
        CSV with a header line; requires the columns ``photo`` (or ``path``) and ``name``.
    find_photo
        See `make_photo_finder`.

    Returns
    -------
    used : dict
        Number of lines of each name, also of those whose photos had the name already.
    unused : dict
        The reason for each other line, by ``line N``.

    Raises
    ------
    UserError
        If the file cannot be read, or lacks a required column.
    """
    lines, columns = read_csv(file)
    column = next((name for name in _PATH_COLUMNS if name in columns), None)
    if column is None or "name" not in columns:
        raise UserError(f"{file}: expected the columns photo and name in the first line")
    photos_by_name: dict[str, list[int]] = {}
    spellings: dict[str, str] = {}

    def add_photo(line: dict[str, Any]) -> None:
        if not (line[column] or "").strip() or not (line["name"] or "").strip():
            raise UserError("expected a photo and a name")
        name = check_marked_name(editor, line["name"])
        refuse_unlikely_name(name)  # of a person's number: the person's name
        photo = find_photo(line[column].strip())
        name = spellings.setdefault(normalize(name), name)
        photos_by_name.setdefault(name, []).append(photo)

    unused = use_lines(lines, add_photo)
    for name, photos in photos_by_name.items():
        mark_present(editor, name, photos)
    return {name: len(photos) for name, photos in photos_by_name.items()}, unused


def _find_spelling(editor: PeopleEditor, name: str) -> str:
    """Return a name in the spelling that is in use; `UserError` if it cannot be a name."""
    checked = check_name(name)
    return next((known for known in editor.names if normalize(known) == normalize(checked)), checked)


def _find_face(people: People, name: str, photo: int) -> str:
    """Return the face of a person in a photo, such as ``3.2``; empty if there is none."""
    for person in people.persons:
        if person.name and normalize(person.name) == normalize(name):
            for position in np.flatnonzero(people.faces.photo_ids[person.rows] == photo).tolist():
                return f"{person.number}.{position + 1}"
    return ""


# --- names that are on photos only, edited like people ------------------------------------------------------


def find_marked_only(people: People, selector: str) -> MarkedName | None:
    """Return the name that a user selected, if no person with faces has it."""
    marked = people.find_marked(selector)
    return marked if marked in people.list_marked_only() else None


def rename_marked(editor: PeopleEditor, selector: str, name: str) -> bool:
    """Rename a name that is on photos only; return False if it is none."""
    marked = find_marked_only(editor.people, selector)
    if marked is None:
        return False
    name = check_name(name)
    if normalize(name) != normalize(marked.name):  # otherwise only the spelling changes
        name = check_marked_name(editor, name)
    if name == marked.name:
        editor.notes.append(f"{name} has this name already")
    else:
        editor.store_marking(Edit("rename", name=marked.name, new_name=name, who=(marked.name,)))
    return True


def forget_marked(editor: PeopleEditor, name: str) -> bool:
    """Remove a name that is on photos only; return False if it is none.

    If a person with faces has the name, a note says that it is removed from the marked photos too.
    """
    marked = editor.people.find_marked(name)
    if marked in editor.people.list_marked_only():
        editor.store_marking(Edit("forget", name=marked.name, who=(marked.name,)))
        return True
    if marked and marked.photos:
        photos = format_count(len(marked.photos), "photo")
        editor.notes.append(f"the name {marked.name} is also removed from {photos} marked with it")
    return False


def merge_marked(editor: PeopleEditor, selectors: Sequence[str]) -> bool:
    """Give a name that is on photos only to the people that are merged with it; False if there is none."""
    people = editor.people
    names = {marked.name for text in selectors if (marked := find_marked_only(people, text))}
    if not names:
        return False
    persons = [people.find_person(text) for text in selectors if not find_marked_only(people, text)]
    every_name = sorted(names | {person.name for person in persons if person.name})
    if len(every_name) > 1:
        raise make_names_error(every_name)
    if not persons:
        raise make_single_error(selectors)
    with editor.join_edits():
        for person in persons:
            editor.name_person(str(person.number), every_name[0])
    return True


def make_names_error(names: Sequence[str]) -> UserError:
    """Return the error that people to merge have different names."""
    text = f"{' and '.join(names)} have different names"
    typed = f'--merge: {text}; if they are one person, use --name "{names[1]}={names[0]}"'
    return UserError(name_option(typed, text))


def make_single_error(selectors: Sequence[str]) -> UserError:
    """Return the error that people to merge are one person."""
    option = name_option(f"--merge {' '.join(selectors)}", "merge")
    return UserError(f"{option}: requires at least two different people")


def make_ignored_error(name: str, person: Person) -> UserError:
    """Return the error that a person must be brought back first."""
    advice = name_option(f"use --bring-back {person.number} first", "bring the person back first")
    return UserError(f"{name}: is ignored; {advice}")
