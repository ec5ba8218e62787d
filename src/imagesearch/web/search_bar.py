"""The search box: `SearchBar` sends how a sentence was read to ``static/search_bar.js``."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import PurePath
from typing import Any, Literal

from nicegui.element import Element

from imagesearch.query import (
    ParsedQuery,
    Removal,
    SentenceClause,
    SentenceParser,
    find_removals,
    list_clauses,
)
from imagesearch.search import Answer
from imagesearch.serving import MAX_UPLOAD_BYTES, UploadedPhoto

_PARSED = ("filter", "union")  # strategies that use the clauses of a sentence


@dataclass(frozen=True)
class Chip:
    """A clause of a sentence. ``rest`` is the sentence without it; None if no words can be removed for it.

    ``pending`` says that these words are not known yet.
    """

    kind: str
    label: str
    start: int | None = None
    end: int | None = None
    rest: str | None = None
    pending: bool = False


@dataclass(frozen=True)
class Note:
    """A remark on the answer."""

    text: str
    kind: Literal["note", "relaxed", "nothing"] = "note"


class SearchBar(Element, component="static/search_bar.js"):
    """The search box, the chips, the notes, and the address of the page."""

    def __init__(self) -> None:
        super().__init__()
        self._props["text"] = ""
        self._props["serial"] = 0
        self._props["maxBytes"] = MAX_UPLOAD_BYTES

    def change(self, **props: Any) -> None:
        """Show other values: ``text``, ``chips``, ``filters``, ``notes``, ``error``, ``status``, ``busy``."""
        for name, value in props.items():
            is_list = isinstance(value, (list, tuple))
            self._props[name] = [asdict(one) for one in value] if is_list else value
        if "text" in props:
            self._props["serial"] += 1
        self.update()

    def visit(self, address: str) -> None:
        """Add an address to the history of the browser, unless it is the present one."""
        self.run_method("visit", address)

    def offer(self, completions: Sequence[Any], serial: int) -> None:
        """Show names that complete the word being typed."""
        self.run_method("offer", [asdict(one) for one in completions], serial)


@dataclass(frozen=True)
class FaceButton:
    """A face in the photo that was dropped on the page. ``src`` contains the picture, which is not stored."""

    label: str
    src: str


def make_face_button(face: UploadedPhoto) -> FaceButton:
    """Return the button that searches for the person with a face."""
    return FaceButton(PurePath(face.name).stem, "data:image/png;base64," + b64encode(face.data).decode())


def make_chips(answer: Answer) -> list[Chip]:
    """Return the clauses of an answer's sentence; see `add_removals` for the words of each."""
    clauses = list_clauses(answer.parsed)
    is_pending = answer.query.strategy in _PARSED
    return [_make_chip(clause, None, is_only=len(clauses) == 1, pending=is_pending) for clause in clauses]


def add_removals(answer: Answer, parser: SentenceParser, **finders: Any) -> list[Chip]:
    """Return the clauses of an answer's sentence, with the words of each; in the thread of the library.

    The sentence is parsed again and again, which takes up to 0.1 seconds for a long one.
    """
    query = answer.query
    text, clauses = query.text, list_clauses(answer.parsed)
    today = query.today or date.today()

    def parse(sentence: str) -> ParsedQuery:
        return parser.parse(sentence, today, **finders)

    removals = find_removals(text, parse) if query.strategy in _PARSED else {}
    return [_make_chip(clause, removals.get(clause), is_only=len(clauses) == 1) for clause in clauses]


def _make_chip(clause: SentenceClause, removal: Removal | None, is_only: bool, pending: bool = False) -> Chip:
    kind, label = clause.kind, clause.label
    if kind == "unknown":
        kind, label = "not understood", f"“{label}”"
    if kind == "not":
        label = label.removeprefix("not ")
    if removal is None:
        return Chip(kind, label, rest="" if is_only else None, pending=pending)
    return Chip(kind, label, removal.start, removal.end, removal.rest)


def list_notes(answer: Answer) -> list[Note]:
    """Return the remarks on an answer: first that the filter was relaxed or that nothing fits."""
    return [Note(text, _classify_note(n, text, answer)) for n, text in enumerate(answer.notes)]


def _classify_note(position: int, text: str, answer: Answer) -> Literal["note", "relaxed", "nothing"]:
    if answer.nothing_fits and text.startswith("nothing here looks like"):
        return "nothing"
    is_first_of_relaxed = bool(answer.relaxed) and position == 0
    return "relaxed" if is_first_of_relaxed or text.endswith("was not understood") else "note"
