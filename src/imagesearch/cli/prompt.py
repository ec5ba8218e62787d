"""The prompt of the search script: reads queries, and has the commands ``help`` and ``quit``."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from contextlib import suppress

from imagesearch.cli.console import print_note
from imagesearch.errors import UserError

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
  help, ?                    this help
  quit, exit, q, Ctrl-D      end
Options, such as -k 20 or --year 2023, are given when the script is started: 06_search.py --help"""
# Also as other programs have them: :q, \\q, .exit, quit(), --help.
_QUIT = re.compile(r"[:\\/.]?(?:q|quit|exit|bye|goodbye)(?:\(\))?[!.;]*|:wq!?|:x", re.IGNORECASE)
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
        if not line or _SHOW_HELP.fullmatch(line):
            print_note(_HELP if line else _REMINDER)
            continue
        try:
            handle_query(line)
        except UserError as error:
            print(error, file=sys.stderr)


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
