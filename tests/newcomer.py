"""Runs the commands of the Makefile, the README and ``docs/`` in a fresh clone, and compares the output.

In a page, a command that is shown with its output is in an indented block, after ``$ ``. All of these are
run. A command that requires a connection or the reader's own photos is shown without ``$ `` and output.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from unittest.mock import patch

from conftest import ROOT, Done, run_here
from PIL import Image, ImageChops, ImageStat

LEFT_OUT = "..."
"""A line of a shown output that stands for any number of lines, also for none."""
_CLONED_PATHS = ("scripts", "data/demo/models", "data/demo/config.yaml", "config.yaml", "Makefile")
_RATE = re.compile(r", \d[\d,.]* photos/s\b")  # a run of less than half a second prints none
_DURATION = re.compile(r"\d[\d,.]*(?= ?(?:photos/s|ms|s)\b)")
_BAR = re.compile(r"[^\r\n]*\d+%\|[^\r\n]*[\r\n]?|\r")
_MEASURED = re.compile(r"(-?\d+\.\d+|\d+(?=%))")


@dataclass(frozen=True)
class Example:
    """A command that a page shows, and the lines that it prints according to the page."""

    command: str
    output: tuple[str, ...]


class _ReadmeDate(date):
    """The day on which the examples were run, for sentences such as "last summer"."""

    @classmethod
    def today(cls) -> date:
        return date(2026, 11, 25)


class Clone:
    """A folder with the files of a fresh clone that the demo requires."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def make(cls, folder: Path) -> Clone:
        """Copy the files into an empty folder."""
        for name in _CLONED_PATHS:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
            copy(ROOT / name, target)
        (folder / "pyproject.toml").touch()
        stamp = folder / ".venv" / ".installed"  # the commands run in the tests' own environment
        stamp.parent.mkdir()
        stamp.touch()
        return cls(folder)

    def run_command(self, command: str) -> Done:
        """Run a line that starts with ``python scripts/...``; stdout has what a terminal would show.

        The shell splits it into words. The script runs in this process, which has already loaded torch.
        """
        print_words = f"python() {{ printf '%s\\0' \"$@\"; }}\n{command}"
        done = subprocess.run(
            ["sh", "-c", print_words], cwd=self.folder, capture_output=True, text=True, check=True
        )
        arguments = done.stdout.split("\0")[:-1]
        assert arguments, f"not a command of ours: {command}"
        with patch("imagesearch.search.request.date", _ReadmeDate):
            return run_here(arguments, self.folder, together=True)

    def list_recipe(self, target: str) -> list[str]:
        """Return the shell commands of a make target, with ``python`` as the interpreter."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
        make = ["make", "--dry-run", "--no-print-directory", target, "PY=python"]
        done = subprocess.run(make, cwd=self.folder, env=clean, capture_output=True, text=True, check=True)
        return done.stdout.replace("\\\n", "").splitlines()


def list_examples(text: str) -> list[Example]:
    """Return the commands after ``$ `` in a Markdown text, each with the lines below it."""
    examples = []
    for is_code, lines in groupby(text.splitlines(), lambda line: not line or line.startswith("    ")):
        block = "\n".join(line[4:].rstrip() for line in lines) if is_code else ""
        for part in re.split(r"^\$ ", re.sub(r" *\\\n *", " ", block), flags=re.MULTILINE)[1:]:
            command, *output = part.rstrip().splitlines()
            examples.append(Example(command, tuple(output)))
    return examples


def diff_output(shown: Sequence[str], printed: str) -> str:
    """Return a diff between the lines of an example and the printed text; "" where they agree.

    Progress bars and durations are ignored. Measured numbers, which have a decimal point or a percent sign,
    may differ by two in their last digit, because processors round differently.
    """
    lines = [line.rstrip() for line in _BAR.sub("", printed).splitlines()]
    if _lines_agree(shown, lines):
        return ""
    close = [next((expected for expected in shown if _line_agrees(expected, line)), line) for line in lines]
    return "\n".join(difflib.unified_diff(shown, close, "shown", "printed", lineterm="", n=1))


def _lines_agree(shown: Sequence[str], lines: Sequence[str]) -> bool:
    if LEFT_OUT in shown:
        cut = shown.index(LEFT_OUT)
        if not _lines_agree(shown[:cut], lines[:cut]):
            return False
        return any(_lines_agree(shown[cut + 1 :], lines[start:]) for start in range(cut, len(lines) + 1))
    return len(shown) == len(lines) and all(map(_line_agrees, shown, lines))


def _line_agrees(shown: str, printed: str) -> bool:
    parts = [_MEASURED.split(_DURATION.sub("#", _RATE.sub("", line))) for line in (shown, printed)]
    if len(parts[0]) != len(parts[1]) or parts[0][::2] != parts[1][::2]:
        return False
    for one, other in zip(parts[0][1::2], parts[1][1::2], strict=True):
        digits = len(one.partition(".")[2])
        if digits != len(other.partition(".")[2]) or abs(float(one) - float(other)) > 2.001 * 10**-digits:
            return False
    return True


def compare_pictures(one: Image.Image, other: Image.Image) -> float:
    """Return the difference of two pictures, relative to the difference of the first from a white picture."""
    small = [image.convert("RGB").resize((128, 128)) for image in (one, other)]
    white = Image.new("RGB", small[0].size, "white")
    differences = [ImageStat.Stat(ImageChops.difference(small[0], image)).sum for image in (small[1], white)]
    return sum(differences[0]) / max(1.0, sum(differences[1]))
