"""Lines typed at the search prompt, as queries."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from imagesearch.errors import UserError
from imagesearch.photos import EXTENSIONS
from imagesearch.search.answer import SearchResult
from imagesearch.search.query import Query
from imagesearch.text_table import format_count

# Ranks are separated by commas, or by spaces if only numbers follow: "like 3 5". After a space, a number of
# four digits is a year: "like 3 2023".
_MORE_RANKS = r"(?:\s*,\s*\d{1,5}|\s+\d{1,3}(?=[\s\d]*$))*"
_LIKE = re.compile(rf"(?:--)?like\s+(\d{{1,5}}{_MORE_RANKS})(?:\s+(.*))?", re.IGNORECASE)


def parse_prompt_line(line: str, template: Query, results: Sequence[SearchResult] = ()) -> Query:
    """Return the query for a line.

    Parameters
    ----------
    line
        A sentence, the path of a photo, ``like 3``, ``like 3 5``, or ``like 3, 5 in goa``.
    template
        A query with all other options.
    results
        The results of the last answer; ``like 3`` refers to the third of them, ``like 3 5`` to two.

    Raises
    ------
    UserError
        If the last answer has no such result.
    """
    if like := _LIKE.fullmatch(line.strip()):
        ranks, text = [int(rank) for rank in re.findall(r"\d+", like[1])], like[2] or ""
        if not all(1 <= rank <= len(results) for rank in ranks):
            raise UserError(f"{line}: the last answer has {format_count(len(results), 'result')}")
        return replace(template, images=tuple(results[rank - 1].file for rank in ranks), text=text)
    # os.path, because pathlib raises an error for "~nobody" and for lines too long to be file names
    file = os.path.expanduser(line)  # noqa: PTH111 - see above
    is_photo = line.rpartition(".")[2].lower() in EXTENSIONS and os.path.isfile(file)  # noqa: PTH113 - see above
    return replace(template, images=(Path(file),)) if is_photo else replace(template, text=line)
