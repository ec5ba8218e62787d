"""The prompt of the search script: reads queries and their options, and has commands such as ``help``."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from subprocess import DEVNULL
from typing import TYPE_CHECKING, NoReturn

from imagesearch.cli.arguments import suggest
from imagesearch.cli.console import print_note
from imagesearch.errors import UserError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

_PROMPT = "search> "
_WELCOME = 'type what to find: maya in goa. After an answer: like 3. "help" lists more, "q" or Ctrl-D quits'
_REMINDER = '"q" or Ctrl-D quits, "help" lists what can be typed'
_HELP = """\
a line can be:
  maya in goa last summer    a sentence: people, places, dates, and what the photos show
  like 3                     photos like the third result; like 3 5: like both; like 3 in goa: those in Goa
  2023/IMG_0042.jpg          photos like this one: a path as printed, a file on the disk, or a file name
  @goa                       a saved query of the config
  "help"                     in quotes: photos of these words, and never a command
  more, more 20              the next results; so do next and more -k 20
  open 3                     opens the third result in the program for photos; open 3 5: both
  help, ?                    this help
  quit, exit, q, Ctrl-D      end
A line can have options, which are for this line only: maya -k 20 --year 2023. Those that are given when the
script is started are for all lines. 06_search.py --help lists them"""
# Also as other programs have them: :q, \\q, .exit, quit(), --help.
_QUIT = re.compile(r"[:\\/.]?(?:q|quit|exit|bye|goodbye)(?:\(\))?[!.;]*|:wq!?|:x", re.IGNORECASE)
_HINTS = {
    "like": "like 3: photos like the third result of the last answer",
    "open": "open 3: opens the third result",
}
_MORE = re.compile(
    r"(?:show )?(?:me )?(?:(?:the )?(?:more|next)(?: (?P<count>[1-9]\d{0,3}))?|(?P<first>[1-9]\d{0,3}) more)"
    r"(?: (?:photos|results|page))?[.!]*",
    re.IGNORECASE,
)
_OPEN = re.compile(r"open\s+#?\d{1,5}(?:(?:\s*(?:,|&|\band\b)\s*|\s+)#?\d{1,5})*[.!]*", re.IGNORECASE)
# Options of the connection and of the models, which are open already.
_FIXED = ("config", "dataset", "set", "duplicates", "kind", "csv", "saved")
_HELP_OPTION = re.compile(r"(?<!\S)(?:-h|--help)(?!\S)")
_SHOW_HELP = re.compile(r"(?:[:\\/.]|--?)?(?:h|help|\?)(?:\(\))?[!?.;]*", re.IGNORECASE)


def read_queries(handle_query: Callable[[str], None]) -> None:
    """Read queries until ``quit`` or the end of input. A query that fails does not end the loop.

    An empty line prints a reminder. Notes and help go to stderr, because stdout is for results.
    """
    with suppress(ImportError):  # Windows has none
        importlib.import_module("readline")  # arrow keys, and earlier lines
    print_note(_WELCOME)
    while (line := _read_line()) is not None:
        if _QUIT.fullmatch(line):
            return
        if not line or _asks_for_help(line):
            print_note(_HELP if line else _REMINDER)
            continue
        if line.lower() in _HINTS:
            print_note(_HINTS[line.lower()])
            continue
        try:
            handle_query(line)
        except UserError as error:
            print(error, file=sys.stderr)


def _asks_for_help(line: str) -> bool:
    is_option = _HELP_OPTION.search(re.sub(r"\"[^\"]*\"", "", line))
    return bool(is_option or _SHOW_HELP.fullmatch(line))


def _read_line() -> str | None:
    """Return the next line; None at the end of input, and if Ctrl-C is pressed."""
    try:
        if sys.stdin.isatty() and sys.stdout.isatty():
            return input(_PROMPT).strip()  # readline has to know the prompt
        print(_PROMPT, end="", file=sys.stderr, flush=True)
        return input().strip()
    except (EOFError, KeyboardInterrupt):
        print(file=sys.stderr)
        return None


def read_more(sentence: str, options: Sequence[str] = ()) -> int | None:
    """Return the number in ``more 20`` or ``more -k 20``, 0 for ``more``; None for any other line.

    Raises
    ------
    UserError
        If there is another option.
    """
    match = _MORE.fullmatch(sentence.strip())
    if match is None:
        return None
    if options and (options[0] != "-k" or len(options) > 2):
        advice = "for other photos, type the sentence with its options"
        raise UserError(f"{sentence}: expected no option but -k, as in more -k 20; {advice}")
    return int(options[1] if options else match["count"] or match["first"] or 0)


def read_ranks_to_open(sentence: str, options: Sequence[str] = ()) -> list[int]:
    """Return the ranks in ``open 3`` or ``open 3 5``; empty for any other line.

    Raises
    ------
    UserError
        If there are options.
    """
    if not _OPEN.fullmatch(sentence.strip()):
        return []
    if options:
        raise UserError(f"{sentence}: expected numbers of results and no options, as in open 3 5")
    return [int(rank) for rank in re.findall(r"\d+", sentence)]


def open_file(file: Path) -> None:
    """Open a file in the program that the system has for it; without one, print where it is.

    Raises
    ------
    UserError
        If the file no longer exists.
    """
    if not file.is_file():
        raise UserError(f"{file}: no such file")
    if sys.platform == "win32":
        os.startfile(file)
        return
    program = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    has_screen = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if program is None or not has_screen:
        print_note(f"no program was found to open it: {file}")
        return
    subprocess.Popen([program, file], stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True)


def split_options(line: str, parser: argparse.ArgumentParser) -> tuple[str, list[str]]:
    """Divide a line of the prompt into the sentence and the arguments of options in it.

    Words with a hyphen that are no option belong to the sentence: "beach -dog".

    Raises
    ------
    UserError
        If an option is unknown, lacks its value, or cannot be given at the prompt.
    """
    actions = {name: action for action in parser._actions for name in action.option_strings}
    words = [(match.start(), match[0]) for match in re.finditer(r"(?:\"[^\"]*\"|\S)+", line)]
    kept: list[str] = []
    arguments: list[str] = []
    i = 0
    while i < len(words):
        name, has_value, value = words[i][1].partition("=")
        i += 1
        if re.fullmatch(r"-k\d+", name):
            name, has_value, value = "-k", "=", name[2:]
        action = actions.get(name)
        if action is None:
            if re.match(r"--[a-z]", name) and name != "--like":
                hint = suggest(name, [option for option in actions if option.startswith("--")])
                raise UserError(f"{name}: no such option{hint or '; 06_search.py --help lists the options'}")
            kept.append(words[i - 1][1])
            continue
        if action.dest in _FIXED:
            raise UserError(f"{name}: give this option when you start the script: 06_search.py {name} ...")
        arguments.append(name)
        if action.nargs == 0:
            continue
        if not has_value:
            if i >= len(words):
                raise UserError(f"{name}: expected a value, such as {name} {action.metavar or 'N'}")
            value, i = words[i][1], i + 1
        value = value.strip('"')
        # a value such as -33.9,151.2 is no option
        arguments[-1:] = [f"{name}={value}"] if name.startswith("--") else [name, value]
    return (" ".join(kept), arguments) if arguments else (line, [])


@contextmanager
def raise_errors(parser: argparse.ArgumentParser) -> Iterator[None]:
    """Raise `UserError` for a mistake in options, instead of ending the program."""

    def fail(message: str) -> NoReturn:
        raise UserError(message)

    parser.error = fail  # type: ignore[method-assign]
    try:
        yield
    finally:
        del parser.error  # type: ignore[method-assign]
