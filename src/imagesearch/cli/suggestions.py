"""``03 --suggest``: questions whether two people are the same, in a window, on a terminal or as a table."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from imagesearch.cli.console import print_json, print_note, read_reply
from imagesearch.cli.naming import confirm_undo, find_command
from imagesearch.cli.option_values import parse_whole_number
from imagesearch.cli.printing import print_people
from imagesearch.errors import UserError

if TYPE_CHECKING:
    from imagesearch.faces import People, PeopleEditor, Side, Suggestion
    from imagesearch.pipeline import Dataset

_MAX_SELECTED = 8  # faces that an option in the table lists one by one
_COMMANDS = {
    "yes": ("y", "yes"),
    "no": ("n", "no"),
    "skip": ("", "s", "skip"),
    "back": ("b", "back"),
    "undo": ("u", "undo"),
    "quit": ("q", "quit", "exit"),
    "help": ("?", "help"),
}
_KEYS = "y: yes, n: no, Enter: skip, b: back, u: undo, q: quit, ?: help"
_HELP = """\
type one of:
  y, yes         they are the same person
  n, no          they are not, permanently: also after new photos and with another threshold
  Enter, s       skip this question
  b, back        go back to the question before; its answer is undone
  u, undo        undo the last decision
  q, quit        quit; so do Ctrl-D and Ctrl-C; the answers are kept
  ?, help        this help"""

Ask = Callable[["Suggestion"], str | None]
"""Shows the faces of a suggestion, and returns the answer of the window; None if there is no window."""


def add_suggest_option(group: argparse._ArgumentGroup) -> None:
    """Add the option ``--suggest``."""
    group.add_argument(
        "--suggest",
        type=_parse_count,
        nargs="?",
        const=10,
        metavar="N",
        help="ask about at most N pairs that are probably, but not surely, one person; default: 10",
    )


def _parse_count(text: str) -> int:
    return parse_whole_number(text, 1, 1000)


def ask_suggestions(editor: PeopleEditor, dataset: Dataset, args: argparse.Namespace) -> People:
    """Ask about pairs of people, where there is a window or a terminal; return the people afterwards."""
    if not _can_ask(args):
        return editor.people
    from imagesearch.figures import ask_same

    def ask(suggestion: Suggestion) -> str | None:
        return ask_same(suggestion, editor.people, dataset, args.save, window=not args.no_show)

    ask_pairs(editor, dataset.config.faces.cluster_distance, args.suggest, ask)
    return editor.people


def report_suggestions(people: People, dataset: Dataset, args: argparse.Namespace) -> None:
    """Print the people after the answers; where nothing can be asked, print the pairs."""
    if _can_ask(args):
        print_people(people, args.min_faces)
        return
    from imagesearch.faces import Suggester

    suggester = Suggester(people, dataset.config.faces.cluster_distance)
    suggestions = suggester.list_suggestions(args.suggest)
    if args.json:
        rows = [suggestion.to_dict() | _make_answers(suggestion) for suggestion in suggestions]
        print_json(people.to_dict() | {"suggestions": rows})
    else:
        print_suggestions(suggestions)


def _can_ask(args: argparse.Namespace) -> bool:
    if args.json or sys.stdin.isatty():
        return not args.json
    from imagesearch.figures import can_open_window

    return not args.no_show and can_open_window()


def print_suggestions(suggestions: list[Suggestion]) -> None:
    """Print a table of pairs, with the options that answer each."""
    if not suggestions:
        print("no pair of people is uncertain")
        return
    answers = [_make_answers(suggestion) for suggestion in suggestions]
    names = [
        f"{suggestion.other.label} {'in' if suggestion.is_joined else 'and'} {suggestion.one.label}"
        for suggestion in suggestions
    ]
    widths = [max(map(len, column)) for column in (names, [answer["yes"] for answer in answers])]
    print(f"distance  {'faces':>11}  {'same person?':<{widths[0]}}  {'yes':<{widths[1]}}  no")
    for suggestion, name, answer in zip(suggestions, names, answers, strict=True):
        faces = f"{len(suggestion.other.rows)} + {len(suggestion.one.rows)}"
        print(
            f"{suggestion.distance:>8.2f}  {faces:>11}  {name:<{widths[0]}}  "
            f"{answer['yes']:<{widths[1]}}  {answer['no']}"
        )
    print_note("to answer, use these options, or --suggest on a terminal")


def _make_answers(suggestion: Suggestion) -> dict[str, str]:
    """Return the options of script 03 that answer yes and no; yes may need none."""
    one, other = suggestion.one, suggestion.other
    if not suggestion.is_joined:
        return {
            "yes": f"--merge {one.selector} {other.selector}",
            "no": f"--not {other.selector}={one.selector}",
        }
    few = len(other.rows) <= _MAX_SELECTED
    yes = "--name " + shlex.quote(f"{other.selector}={one.name}") if few and one.name else "-"
    return {"yes": yes, "no": f"--not {other.selector}={one.selector}" if few else f"--split {one.selector}"}


def ask_pairs(editor: PeopleEditor, limit: float, count: int, ask: Ask) -> None:
    """Ask whether two people are the same, until the user quits or `count` questions are answered.

    Parameters
    ----------
    editor
        Stores the answers.
    limit
        The distance below which the clustering merges people.
    count
        Maximum number of questions.
    ask
        Shows the faces of a suggestion, and returns the answer of the window, if there is one.
    """
    prompt = _SamePrompt(editor, limit, count, ask)
    if prompt.suggestion is None:
        print_note("no pair of people is uncertain")
    try:
        while prompt.ask():
            pass
    except KeyboardInterrupt:
        print_note("\nstopped; the answers are kept")
    editor.refresh()


class _SamePrompt:
    """The questions that are answered, in order, and the present one."""

    def __init__(self, editor: PeopleEditor, limit: float, count: int, ask: Ask) -> None:
        self.editor, self._limit, self._count, self._ask = editor, limit, count, ask
        self._load()

    def _load(self) -> None:
        from imagesearch.faces import Suggester

        self._suggester = Suggester(self.editor.people, self._limit)
        self._answered: list[int] = []
        """For each question before the present one, the number of the decision; 0 if it was skipped."""
        self._find_next()

    def _find_next(self) -> None:
        self.suggestion = self._suggester.find_next() if len(self._answered) < self._count else None
        self._is_shown = False

    def ask(self) -> bool:
        """Ask the present question; return False at the end."""
        if self.suggestion is None:
            return False
        command = self._read_command(self.suggestion)
        if command == "quit":
            return False
        try:
            self._follow(command, self.suggestion)
        except UserError as error:
            print_note(str(error))
        return True

    def _read_command(self, suggestion: Suggestion) -> str:
        """Return the answer of the window; without one, that of the terminal."""
        question = f"{len(self._answered) + 1} of {self._count}: {_describe(suggestion)}; the same? "
        if not self._is_shown:
            self._is_shown = True
            reply = self._ask(suggestion)
            if reply or (reply is not None and not sys.stdin.isatty()):
                print_note(f"{question}{reply or 'quit'}")
                return reply or "quit"
        return find_command(read_reply(f"{question}[{_KEYS}] ", default="q"), _COMMANDS)

    def _follow(self, command: str, suggestion: Suggestion) -> None:
        from imagesearch.faces import store_no, store_yes

        match command:
            case "yes":
                store_yes(self.editor, suggestion)
                self._suggester.accept()
                self._print_decision()
            case "no":
                store_no(self.editor, suggestion)
                self._suggester.refuse()
                self._print_decision()
            case "skip":
                self._suggester.skip()
                self._answered.append(0)
            case "back":
                if not self._answered:
                    raise UserError("this is the first question")
                self._go_back()
            case "undo":
                if not self._undo():
                    return
            case _:
                print_note(_HELP)
                return
        self._find_next()

    def _print_decision(self) -> None:
        decision = self.editor.list_decisions()[-1]
        self._answered.append(decision.number)
        print_note(f"{decision.number}: {decision.summary}")

    def _go_back(self) -> None:
        """Take the answer to the question before back."""
        if number := self._answered[-1]:
            decision = self.editor.undo(number)
            print_note(f"undid {number}: {decision.summary}")
        self._answered.pop()
        self._suggester.go_back()

    def _undo(self) -> bool:
        """Undo the last decision: go back to its question, or undo one of an earlier run, if confirmed."""
        last = self.editor.find_last_decision()
        if last.number in self._answered:
            while self._answered[-1] != last.number:
                self._go_back()
            self._go_back()
            return True
        if not confirm_undo(self.editor, last):
            return False
        self.editor.undo()
        self.editor.refresh()
        print_note(f"undid {last.number}: {last.summary}")
        self._load()
        return True


def _describe(suggestion: Suggestion) -> str:
    one, other = suggestion.one, suggestion.other
    rest = f"the other {len(one.rows)} of {one.label}" if suggestion.is_joined else _count_faces(one)
    return f"{_count_faces(other)} and {rest}, distance {suggestion.distance:.2f}"


def _count_faces(side: Side) -> str:
    if side.places:
        return side.label
    return f"{side.label} ({len(side.rows)} face{'' if len(side.rows) == 1 else 's'})"
