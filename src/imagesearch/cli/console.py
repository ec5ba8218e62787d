"""The console: progress bars, prompts, notes on stderr, and one line for an error that the user can fix."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from imagesearch.errors import UserError, name_typed_options
from imagesearch.text_table import format_count

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")

# New objects before Python's garbage collector runs. Its default of 700 takes 0.5 s of the 2.3 s of CPU time
# of step 01 on 100,000 unchanged photos, and frees nothing: all of the objects are in use.
_OBJECTS_BEFORE_COLLECTION = 20_000


def run_script(main: Callable[[], int | None], *, is_step: bool = False) -> NoReturn:
    """Run a script's main function and exit with its exit code.

    The exit code is 0 if the script is done, 2 for an error that the user can fix, 130 after Ctrl-C, and 1
    for a bug.

    Parameters
    ----------
    is_step
        Whether a run that is stopped with Ctrl-C keeps its finished work, and the next run continues.
    """
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTION)
    for stream in (sys.stdout, sys.stderr):
        # some file names are not valid UTF-8, and some terminals do not support all of Unicode
        stream.reconfigure(errors="backslashreplace")
    name_typed_options(True)
    try:
        code = main() or 0
        sys.stdout.flush()
    except UserError as error:
        print(f"{_get_script_name()}: {error}", file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        advice = "; finished work is kept; run the script again to continue" if is_step else ""
        print(f"\n{_get_script_name()}: stopped{advice}", file=sys.stderr)
        code = 130
    except BrokenPipeError:  # the reader of the output, such as `head`, has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    finally:
        name_typed_options(False)
    sys.exit(code)


def show_progress(
    items: Iterable[T], total: int, unit: str = "photo", label: str | None = None
) -> Iterable[T]:
    """Wrap items in a progress bar on stderr. If stderr is a file, a line is written every 30 s."""
    from tqdm import tqdm

    intervals = {"mininterval": 0.1} if sys.stderr.isatty() else {"mininterval": 30.0, "delay": 30.0}
    return tqdm(items, total=total, unit=unit, desc=label, disable=not total, smoothing=0.1, **intervals)


def read_reply(question: str, default: str = "") -> str:
    """Print a prompt on stderr and read the reply. At the end of input the reply is the default."""
    print(question, end="", file=sys.stderr, flush=True)
    try:
        return input().strip()
    except EOFError:
        print(file=sys.stderr)
        return default


def read_password(question: str) -> str:
    """Ask for a new password, twice, without showing it. Without a terminal it is empty.

    Raises
    ------
    UserError
        If the two are not the same.
    """
    if not sys.stdin.isatty():
        return ""
    from getpass import getpass

    password = getpass(question)
    if getpass("The same again: ") != password:
        raise UserError("the two passwords are not the same")
    return password


def confirm(question: str) -> bool:
    """Ask a yes-no question on the terminal. Without a terminal, and for all replies but yes, it is no."""
    return sys.stdin.isatty() and read_reply(f"{question} [y/N] ").casefold() in ("y", "yes")


def print_json(value: Any) -> None:
    """Print one JSON object."""
    # NaN is not valid JSON; a NaN here is a bug
    print(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def print_note(line: str) -> None:
    """Print a note on stderr, if it is not empty."""
    if line:
        print(line, file=sys.stderr)


def report_failures(failures: dict[str, str], verbose: bool, heading: str = "failed") -> None:
    """Print which photos failed and why: all of them, or the first ten."""
    shown = list(failures.items()) if verbose else list(failures.items())[:10]
    for path, reason in shown:
        print(f"{heading}: {path}: {reason}", file=sys.stderr)
    if len(failures) > len(shown):
        print(f"{heading}: and {len(failures) - len(shown)} more; -v lists all of them", file=sys.stderr)


def report_photos(failed: dict[str, str], remarks: dict[str, str], verbose: bool) -> None:
    """Print which photos a step could not process, and, with `verbose`, the remarks on others."""
    report_failures(failed, verbose)
    if verbose:
        report_failures(remarks, verbose, "remark")


def report_used_lines(file: Path, used: int, unused: dict[str, str], verbose: bool) -> None:
    """Print how many lines of a file were used, and why the others were not.

    Raises
    ------
    UserError
        If no line can be used.
    """
    print_note(f"{file}: {format_count(used, 'line')} used")
    report_failures(unused, verbose, "not used")
    if not used:
        raise UserError(f"{file}: no line can be used")


def _get_script_name() -> str:
    return os.path.basename(sys.argv[0])  # noqa: PTH119 - no need to import pathlib for this
