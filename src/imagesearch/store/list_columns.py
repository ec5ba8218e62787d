"""The columns of lists of photos as fields of collections: their names, values and words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from imagesearch.errors import UserError
from imagesearch.photos import ListedPhoto, compute_photo_id, is_address
from imagesearch.pipeline import Dataset
from imagesearch.store.schema import CLIP_FIELDS, PHOTO_FIELDS
from imagesearch.text import find_similar

Value = str | tuple[str, ...]
_FIELDS = {item.name: item.max_bytes for item in PHOTO_FIELDS if item.name.startswith("extra_")}
_OUR_NAMES = frozenset(item.name for item in CLIP_FIELDS) | {"photo_id", "embedding", "digest"}
_PREFIX = "source_"
# Between the elements of a list, and before and after them: a filter can contain it, unlike "|".
_SEPARATOR = ";"
# Of the data set of Unsplash, whose first columns are of no use to filters.
_UNSPLASH_COLUMNS = (
    *("photographer_username", "photographer_first_name", "photographer_last_name", "photo_featured"),
    *("photo_submitted_at", "photo_location_name", "ai_primary_landmark_name", "photo_url"),
)
_NO_WORDS = ("blur_hash", "photo_aspect_ratio", "stats_")  # beginnings of columns that have no words
_MAX_VALUES = 1000  # of a column, that the vocabulary has


@dataclass(frozen=True)
class ListColumns:
    """The columns of a dataset's lists.

    Attributes
    ----------
    fields : dict of str to str
        The field, ``extra_1`` to ``extra_8``, by column that can be filtered by.
    unfiltered : tuple of str
        The other columns, whose words are only searched.
    rows : dict of int to dict of str to str
        The values of the fields, by photo id.
    texts : dict of int to list of str
        All values of a photo, by photo id.
    values : dict of str to dict of str to int
        By column, the number of photos with each of its most frequent values.
    """

    fields: dict[str, str] = field(default_factory=dict)
    unfiltered: tuple[str, ...] = ()
    rows: dict[int, dict[str, str]] = field(default_factory=dict)
    texts: dict[int, list[str]] = field(default_factory=dict)
    values: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """A line about columns without a field; empty if there are none."""
        if not self.unfiltered:
            return ""
        return (
            f"columns that are searched and not shown or filtered by: {', '.join(self.unfiltered)}; "
            f"dataset.columns can name up to {len(_FIELDS)} others"
        )


def read_list_columns(dataset: Dataset) -> ListColumns:
    """Read the columns of a dataset's lists; those with the name of a field of ours get a prefix.

    Raises
    ------
    UserError
        If a list cannot be read, or ``dataset.columns`` names one that no list has.
    """
    content = dataset.lists.read()
    names = _name_columns(content.columns)
    chosen = _choose_columns(tuple(names), dataset.config.dataset.columns)
    fields = dict(zip((names[column] for column in chosen), _FIELDS, strict=False))
    columns = ListColumns(fields, tuple(names[c] for c in names if c not in chosen))
    counts: dict[str, Counter[str]] = {name: Counter() for name in fields}
    for path, line in content.lines.items():
        photo_id = compute_photo_id(path)
        columns.texts[photo_id] = [
            text
            for column, value in line.values.items()
            if not column.startswith(_NO_WORDS)
            for text in _list_texts(value)
            if not is_address(text)
        ]
        columns.rows[photo_id] = _make_row(line, names, fields)
        for column in chosen:
            counts[names[column]].update(_list_texts(line.values.get(column, ())))
    columns.values.update({name: dict(count.most_common(_MAX_VALUES)) for name, count in counts.items()})
    return columns


def split_value(stored: str) -> Value:
    """Return the value of a field as the list had it: one that was a list is a tuple."""
    if len(stored) > 1 and stored[0] == stored[-1] == _SEPARATOR:
        return tuple(stored.strip(_SEPARATOR).split(_SEPARATOR))
    return stored


def mark_element(text: str) -> str:
    """Return the text that a field contains if its value is a list with this element."""
    return f"{_SEPARATOR}{text}{_SEPARATOR}"


def get_columns(row: Mapping[str, object], fields: Mapping[str, str]) -> dict[str, Value]:
    """Return the values that a row of a collection has, by the name of the column."""
    return {name: split_value(str(row[item])) for name, item in fields.items() if row.get(item)}


def _name_columns(columns: Sequence[str]) -> dict[str, str]:
    """Return the name of each column: with a prefix if it is one of ours, and with more if it is taken."""
    names: dict[str, str] = {}
    for column in columns:
        name = column
        while name in _OUR_NAMES or name in _FIELDS or (name != column and name in columns):
            name = f"{_PREFIX}{name}"
        names[column] = name
    return names


def _choose_columns(columns: Sequence[str], named: Sequence[str]) -> list[str]:
    """Return the columns that get a field: those that the config names, or else the first ones."""
    if not columns or not named:
        unsplash = [column for column in _UNSPLASH_COLUMNS if column in columns]
        return unsplash if "photographer_username" in unsplash else list(columns[: len(_FIELDS)])
    if len(named) > len(_FIELDS):
        raise UserError(f"dataset.columns: expected at most {len(_FIELDS)} columns, got {len(named)}")
    for column in named:
        if column not in columns:
            near = find_similar(column, columns)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(columns)}"
            raise UserError(f"dataset.columns: no list has a column {column}; {hint}")
    return list(named)


def _make_row(line: ListedPhoto, names: Mapping[str, str], fields: Mapping[str, str]) -> dict[str, str]:
    row = {}
    for column, value in line.values.items():
        if item := fields.get(names[column]):
            row[item] = _format_value(value, _FIELDS[item])
    return row


def _format_value(value: Value, max_bytes: int) -> str:
    """Return a value as it is stored, shortened to the size of the field."""
    if isinstance(value, str):
        return value.encode()[:max_bytes].decode("utf-8", "ignore")
    elements = [element.replace(_SEPARATOR, ",") for element in value]
    while elements and len(mark_element(_SEPARATOR.join(elements)).encode()) > max_bytes:
        elements.pop()
    return mark_element(_SEPARATOR.join(elements)) if elements else ""


def _list_texts(value: Value) -> Iterable[str]:
    return (value,) if isinstance(value, str) else value
