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

_LIKE = re.compile(r"(?:--)?like\s+(\d{1,5})(?:\s+(.*))?", re.IGNORECASE)


def parse_prompt_line(line: str, template: Query, results: Sequence[SearchResult] = ()) -> Query:
    """Return the query for a line.

    Parameters
    ----------
    line
        A sentence, the path of a photo, ``like 3``, or ``like 3 in goa``.
    template
        A query with all other options.
    results
        The results of the last answer; ``like 3`` refers to the third of them.

    Raises
    ------
    UserError
        If the last answer has no such result.
    """
    if like := _LIKE.fullmatch(line.strip()):
        rank, text = int(like[1]), like[2] or ""
        if not 1 <= rank <= len(results):
            raise UserError(f"{line}: the last answer has {len(results)} results")
        return replace(template, image=results[rank - 1].file, text=text)
    # os.path, because pathlib raises an error for "~nobody" and for lines too long to be file names
    file = os.path.expanduser(line)  # noqa: PTH111 - see above
    is_photo = line.rpartition(".")[2].lower() in EXTENSIONS and os.path.isfile(file)  # noqa: PTH113 - see above
    return replace(template, image=Path(file)) if is_photo else replace(template, text=line)
