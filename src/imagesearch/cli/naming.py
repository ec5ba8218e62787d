"""Naming people on the console: checks of a typed name, and the prompt of ``--interactive``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from imagesearch.cli.console import confirm, print_note, read_reply
from imagesearch.errors import UserError

if TYPE_CHECKING:
    from imagesearch.decisions import Decision
    from imagesearch.faces import PeopleEditor, Person

_MAX_OUTCOMES = 10
_COMMANDS = {
    "skip": ("", "skip"),
    "back": ("b", "back"),
    "undo": ("u", "undo"),
    "split": ("s", "split"),
    "reject": ("x", "not a face", "no face"),
    "ignore": ("i", "ignore"),
    "quit": ("q", "quit", "exit"),
    "help": ("?", "help"),
}
_NO_NAME_ADVICE = "type x if it is not a face, i to ignore the person"
_HELP = """\
type a name, or one of:
  Enter      skip this person
  b, back    go back to the person before, whose name can then be changed
  u, undo    undo the last decision
  s, split   this is several people: split them
  x          not a face, or not faces: leave out all that is shown
  i, ignore  leave out this person, such as a stranger or a statue, in new photos too
  q, quit    quit; so do Ctrl-D and Ctrl-C; the names are kept
  ?, help    this help
a name that is already in use adds the faces to that person"""


def check_typed_name(
    name: str, editor: PeopleEditor, replaced: str = "", advice: str = "use --ignore or --not-a-face"
) -> str:
    """Return the name that the user means, asking if it looks like a command or a typing error.

    Parameters
    ----------
    name
        The name as typed.
    editor
        Has the names in use.
    replaced
        The name that it replaces, if any: a new spelling is no typing error.
    advice
        What to do with a person who has no name, or with what is not a face.

    Raises
    ------
    UserError
        If the name looks like a command, or like a word in place of a name, and the user does not confirm it
        on a terminal.
    """
    from imagesearch.faces import find_near_name, looks_like_command, stands_for_no_name

    has_terminal = sys.stdin.isatty()
    if stands_for_no_name(name) and not confirm(f"{name} does not look like a name; is it one?"):
        confirmed = "" if has_terminal else "; to use it as a name, confirm it on a terminal"
        raise UserError(f"{name}: not stored as a name; {advice}{confirmed}")
    if looks_like_command(name) and not confirm(f"{name} looks like a command; is it a name?"):
        advice = "" if has_terminal else "; to use it as a name, confirm it on a terminal"
        raise UserError(f"{name}: looks like a command, not stored as a name{advice}")
    near = find_near_name(name, [known for known in editor.names if known != replaced or known == name])
    if near and confirm(f"{name}: did you mean {near}?"):
        return near
    if near and not has_terminal:
        print_note(f"{name} is a new name; if you meant {near}, use --undo")
    return name


def find_command(reply: str, commands: Mapping[str, Sequence[str]]) -> str:
    """Return the command that a reply is one of the words of; empty if there is none."""
    return next((name for name, words in commands.items() if reply.casefold() in words), "")


def confirm_undo(editor: PeopleEditor, decision: Decision) -> bool:
    """Whether to undo a decision: one of an earlier run is shown first, and confirmed on a terminal."""
    is_own = any(decision.edits == stored.edits for stored in editor.stored)
    question = f"the last decision was on {decision.at[:10]}: {decision.summary}; undo it?"
    return is_own or not sys.stdin.isatty() or confirm(question)


def print_outcomes(editor: PeopleEditor) -> None:
    """Print what the edits of this run did, one line each, also those that changed nothing."""
    print_edit_notes(editor)
    for line in editor.describe_stored(editor.stored[:_MAX_OUTCOMES]):
        print_note(line)
    if (hidden := len(editor.stored) - _MAX_OUTCOMES) > 0:
        print_note(f"and {hidden} more; --history lists them")


def print_edit_notes(editor: PeopleEditor) -> None:
    """Print what the edits did besides what the user requested, and which changed nothing."""
    for line in editor.notes[:_MAX_OUTCOMES]:
        print_note(line)
    if (hidden := len(editor.notes) - _MAX_OUTCOMES) > 0:
        print_note(f"and {hidden} more such edits")


def ask_names(editor: PeopleEditor, min_faces: int, show: Callable[[Person], None]) -> None:
    """Show each person without a name, and prompt for a name, until the user quits.

    Parameters
    ----------
    editor
        Stores the names.
    min_faces
        Minimum number of faces of a person.
    show
        Shows the faces of a person.
    """
    prompt = _NamePrompt(editor, min_faces, show)
    if not prompt.queue:
        print_note(f"nobody without a name has at least {min_faces} faces")
    try:
        while prompt.ask():
            pass
    except KeyboardInterrupt:
        print_note("\nstopped; the names are kept")
    editor.refresh()


class _NamePrompt:
    """The people to name, in order, and the one that is shown."""

    def __init__(self, editor: PeopleEditor, min_faces: int, show: Callable[[Person], None]) -> None:
        self.editor, self._show = editor, show
        self.queue = [person.number for person in editor.people.list_unnamed(min_faces)]
        self._position = 0
        self._shown = -1
        """Number of the person who was shown last."""
        self._joined: dict[int, int] = {}
        """Number of the decision by the number of each person to whom this prompt gave a name in use."""

    def ask(self) -> bool:
        """Ask about the person at the present position; return False at the end."""
        person = self._find_current()
        if person is None:
            return False
        if person.number != self._shown:
            self._show(person)
            self._shown = person.number
        count = f"{len(person.rows)} face{'' if len(person.rows) == 1 else 's'}"
        keys = "Enter: skip, b: back, u: undo, s: split, x: not a face, i: ignore, q: quit, ?: help"
        reply = read_reply(f"{person.label}, {count}; who is this? [{keys}] ", default="q")
        command = find_command(reply, _COMMANDS)
        if command == "quit":
            return False
        try:
            self._follow(command, reply, person)
        except UserError as error:
            print_note(str(error))
        return True

    def _follow(self, command: str, reply: str, person: Person) -> None:
        match command:
            case "skip":
                self._position += 1
            case "back":
                self._go_back()
            case "undo":
                self._undo()
            case "split":
                self._split(person)
            case "reject":
                self.editor.reject_faces(person.rows.tolist(), person.label)
                self._leave_out(person)
            case "ignore":
                self.editor.ignore(str(person.number))
                self._leave_out(person)
            case "help":
                print_note(_HELP)
            case _:
                self._name(person, reply)

    def _find_current(self) -> Person | None:
        """Return the person at the present position, after people that no longer exist."""
        while self._position < len(self.queue):
            if (person := self.editor.people.find_number(self.queue[self._position])) is not None:
                return person
            self._position += 1
        return None

    def _go_back(self) -> None:
        for position in range(self._position - 1, -1, -1):
            if self.editor.people.find_number(self.queue[position]) is not None:
                self._position = position
                return
        print_note("this is the first person")

    def _name(self, person: Person, reply: str) -> None:
        """Name a person. If the last answer joined two people, it is undone: a rename would be of both."""
        name = check_typed_name(self.editor.check_name(reply), self.editor, person.name, _NO_NAME_ADVICE)
        if name == person.name:
            print_note(f"{person.number} is {name} already")
            self._position += 1
            return
        if (decision := self._joined.pop(person.number, None)) is not None:
            self.editor.undo(decision)
        stored, is_in_use = len(self.editor.stored), self.editor.is_in_use(name)
        noted = len(self.editor.notes)
        self.editor.name_person(str(person.number), name)
        for line in self.editor.notes[noted:]:
            print_note(line)
        if len(self.editor.stored) > stored:
            if is_in_use:
                self._joined[person.number] = self.editor.list_decisions()[-1].number
            self._print_last()
        self._position += 1

    def _undo(self) -> None:
        """Undo the last decision; one of an earlier run is shown first, and confirmed on a terminal."""
        last = self.editor.find_last_decision()
        if not confirm_undo(self.editor, last):
            return
        self.editor.undo()
        self._joined = {number: given for number, given in self._joined.items() if given != last.number}
        self._return_to_affected()

    def _leave_out(self, person: Person) -> None:
        """Apply the edit that leaves out a person, print it, and go to the next person."""
        self.editor.refresh()
        self._joined.pop(person.number, None)
        self._print_last()
        self._position += 1

    def _split(self, person: Person) -> None:
        self.editor.split(str(person.number))
        self._return_to_affected()

    def _return_to_affected(self) -> None:
        """Apply the last edit, print what it did, and ask about the unnamed people that it changed."""
        if self.editor.stale:
            self.editor.refresh()
        self._print_last()
        affected = self.editor.find_affected(self.editor.stored[-1])
        numbers = [person.number for person in affected if not person.name]
        known = [number for number in numbers if number in self.queue]
        if known:
            self._position = min(map(self.queue.index, known))
        new = [number for number in numbers if number not in self.queue]
        self.queue[self._position + bool(known) : self._position + bool(known)] = new
        self._shown = -1

    def _print_last(self) -> None:
        for line in self.editor.describe_stored(self.editor.stored[-1:]):
            print_note(line)
