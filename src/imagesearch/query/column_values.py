"""Conditions on the columns of a list of photos: ``author=Ana``."""

from __future__ import annotations

from collections.abc import Mapping

from imagesearch.errors import UserError, name_option
from imagesearch.filters import Condition, Eq, HasText, Or, is_valid_element
from imagesearch.store import VocabularyColumn, mark_element
from imagesearch.text import find_similar, normalize


def make_column_condition(text: str, columns: Mapping[str, VocabularyColumn], notes: list[str]) -> Condition:
    """Return the condition that a column of a list has a value, or that its list of values contains it.

    Parameters
    ----------
    text
        ``COLUMN=VALUE``. The value is compared without case and accents with the column's known values.
    columns
        The columns in the collections.
    notes
        Gets a note if no photo has the value.

    Raises
    ------
    UserError
        If the text has another form, or there is no such column.
    """
    option = name_option("--where", "columns")
    name, equals, typed = (part.strip() for part in text.partition("="))
    if not equals or not name or not typed:
        raise UserError(f"{option} {text}: expected COLUMN=VALUE, such as author=Ana")
    column = columns.get(name.lower())
    if column is None:
        raise UserError(f"{option} {text}: {_explain_unknown_column(name.lower(), columns)}")
    known = {value: normalize(value) for value in column.values}
    spellings = [value for value, form in known.items() if form == normalize(typed)]
    if not spellings and known:
        near = find_similar(normalize(typed), set(known.values()))
        similar = next((value for value, form in known.items() if form in near), "")
        hint = f"; did you mean {similar}?" if similar else ""
        notes.append(f"no photo is known to have {name.lower()}={typed}{hint}")
    values = dict.fromkeys([*spellings, typed])
    contained = (HasText(column.field, mark_element(value)) for value in values if is_valid_element(value))
    return Or((*(Eq(column.field, value) for value in values), *contained))


def _explain_unknown_column(name: str, columns: Mapping[str, VocabularyColumn]) -> str:
    if not columns:
        return "the photos have no columns; they are those of a list, stored by 05_build_collections.py"
    near = [name for name in (f"source_{name}",) if name in columns] or find_similar(name, columns)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(columns)}"
    return f"no column {name}; {hint}"
