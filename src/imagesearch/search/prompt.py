"""Lines typed at the search prompt, as queries."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from imagesearch.errors import UserError
from imagesearch.photos import EXTENSIONS
from imagesearch.query import NUMBER_WORDS
from imagesearch.search.answer import SearchResult
from imagesearch.search.query import Query
from imagesearch.text_table import format_count

FindPhoto = Callable[[str], Path]
"""Returns the file of a photo as it was typed, or raises `UserError`."""

# Ranks are separated by commas, or by spaces or *and* if only numbers follow: "like 3 5". After a space, a
# number of four digits is a year: "like 3 2023".
_MORE_RANKS = (
    r"(?:\s*,\s*#?\d{1,5}|(?:\s*,)?\s+(?:(?:and|plus|[&+])\s+)?#?\d{1,3}(?=(?:[\s\d,&+#]|and|plus)*$))*"
)
_LIKE = re.compile(rf"(?:--)?like\s+#?(\d{{1,5}}{_MORE_RANKS})(?:\s*,?\s+(.*))?", re.IGNORECASE)
_LIKE_WORD = re.compile(rf"(?:--)?like\s+(?:number\s+)?({'|'.join(NUMBER_WORDS[1:])})", re.IGNORECASE)
_LIKE_PHOTO = re.compile(r"(?:--)?like\s+(.*)", re.IGNORECASE)
_FOLDER = re.compile(r"[/\\]")
_QUOTED = re.compile(r"""(["'])(.*)\1""")
_MAX_PATH = 4096  # characters


def parse_prompt_line(
    line: str, template: Query, results: Sequence[SearchResult] = (), find_photo: FindPhoto | None = None
) -> Query:
    """Return the query for a line.

    Parameters
    ----------
    line
        A sentence, the path of a photo, ``like IMG_0042.jpg``, ``like 3``, ``like 3 5``, or
        ``like 3, 5 in goa``.
    template
        A query with all other options. Its photos are used besides those of the line.
    results
        The results of the last answer; ``like 3`` refers to the third of them, ``like 3 5`` to two.
    find_photo
        Finds a photo by its name; by default, all photos are files on the disk.

    Raises
    ------
    UserError
        If the last answer has no such result, or there is no such photo.
    """
    line, find_photo = line.strip(), find_photo or _find_on_disk
    if word := _LIKE_WORD.fullmatch(line):
        line = f"like {NUMBER_WORDS.index(word[1].lower())}"
    if like := _LIKE.fullmatch(line):
        ranks, text = [int(rank) for rank in re.findall(r"\d+", like[1])], like[2] or ""
        if not all(1 <= rank <= len(results) for rank in ranks):
            raise UserError(f"{line}: the last answer has {format_count(len(results), 'result')}")
        return replace(
            template, images=(*(results[rank - 1].file for rank in ranks), *template.images), text=text
        )
    like = _LIKE_PHOTO.fullmatch(line)
    if like and (name := _read_photo_name(like[1])):
        return replace(template, images=(find_photo(name), *template.images))
    photo = _find_typed_photo(line, find_photo) or (_find_named(like[1], find_photo) if like else None)
    return replace(template, images=(photo, *template.images)) if photo else replace(template, text=line)


def _find_typed_photo(line: str, find_photo: FindPhoto) -> Path | None:
    """Return the photo if the line is the name of one.

    A file name in quotes is a sentence. So is one that no photo, or more than one, has: the answer lists the
    photos of that name.
    """
    name = _read_photo_name(line)
    has_folder = bool(_FOLDER.search(name))
    if not name or (_QUOTED.fullmatch(line) and not has_folder):
        return None
    return find_photo(name) if has_folder else _find_named(name, find_photo)


def _find_named(name: str, find_photo: FindPhoto) -> Path | None:
    try:
        return find_photo(name[:_MAX_PATH])
    except UserError:
        return None


def _read_photo_name(text: str) -> str:
    """Return the path in a text if it looks like a photo's, without the marks of a shell; else empty.

    A terminal puts a file that is dropped on it in quotes, or a backslash before each space.
    """
    quoted = _QUOTED.fullmatch(text.strip())
    name = quoted[2] if quoted else text.strip()
    if not quoted and os.sep == "/":
        name = re.sub(r"\\([ '&()\[\],])", r"\1", name)
    is_photo = name.rpartition(".")[2].lower() in EXTENSIONS and len(name) <= _MAX_PATH
    return name if is_photo else ""


def _find_on_disk(name: str) -> Path:
    try:
        file = Path(name).expanduser()
        if file.is_file():
            return file
    except (RuntimeError, OSError, ValueError):  # "~nobody", or too long to be a file name
        pass
    raise UserError(f"{name}: no such file")
