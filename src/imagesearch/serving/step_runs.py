"""What a server and the process of the steps exchange, and the state of a run."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from imagesearch.config import Config


@dataclass(frozen=True)
class StepProgress:
    """The work in progress: its name, the number of items that are done and of all, and its duration."""

    label: str
    unit: str
    done: int
    total: int
    seconds: float


@dataclass(frozen=True)
class StepResult:
    """The result of a run: reasons of failed photos and skipped rows by path, notes, and its duration."""

    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


Outcome = Literal["", "running", "stopping", "done", "stopped", "failed"]


@dataclass(frozen=True)
class RunState:
    """What all pages show of the run in progress, or of the last one.

    Attributes
    ----------
    outcome
        ``""`` before the first run, ``"running"``, ``"stopping"`` after `StepRunner.stop`, or how it ended.
    progress
        The work in progress; None between two steps.
    lines
        The summary, one line for each step that is done.
    message
        Why the run has failed.
    result
        The result of a run that is done.
    started_at
        `time.monotonic` at the start.
    """

    outcome: Outcome = ""
    progress: StepProgress | None = None
    lines: tuple[str, ...] = ()
    message: str = ""
    result: StepResult = field(default_factory=StepResult)
    started_at: float = 0.0

    @property
    def is_active(self) -> bool:
        """Whether the process is running."""
        return self.outcome in ("running", "stopping")

    def apply(self, message: dict[str, Any]) -> RunState:
        """Return the state after a message of the process."""
        values = {name: value for name, value in message.items() if name != "kind"}
        match message["kind"]:
            case "progress":
                return replace(self, progress=StepProgress(**values))
            case "line":
                return replace(self, lines=(*self.lines, values["text"]), progress=None)
            case "done":
                return replace(self, outcome="done", progress=None, result=StepResult(**values))
            case "stopped":
                return replace(self, outcome="stopped", progress=None)
        return replace(self, outcome="failed", progress=None, message=values["text"])


def describe_progress(progress: StepProgress) -> str:
    """Return the work in progress as one line: ``features: 31 of 120 photos, 4.2 photos/s, 21 s left``."""
    units = progress.unit if progress.total == 1 else f"{progress.unit}s"
    line = f"{progress.label}: {progress.done:,} of {progress.total:,} {units}"
    if progress.done > 0 and progress.seconds > 1:
        rate = progress.done / progress.seconds
        line += f", {rate:.3g} {progress.unit}s/s"
        if progress.done < progress.total:
            line += f", {format_duration((progress.total - progress.done) / rate)} left"
    return line


def format_duration(seconds: float) -> str:
    """Return a duration as ``21 s``, ``4 min`` or ``2 h 10 min``."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def make_step_command(folders: Sequence[Path] = ()) -> list[str]:
    """Return the command of the process; the folders replace those of the config, see `PhotoLibrary`."""
    return [sys.executable, "-m", "imagesearch.serving.step_process", *map(str, folders)]


def write_config_line(config: Config) -> bytes:
    """Return a loaded config as a line of JSON; its paths are absolute."""
    return json.dumps(config.model_dump(), default=str).encode() + b"\n"


def read_config_line(line: bytes) -> Config:
    """Return the config in a line of `write_config_line`."""
    return Config.model_validate(json.loads(line), context={"base": Path.cwd()})


def make_run_error(text: str) -> dict[str, Any]:
    """Return the message that a run has failed."""
    return {"kind": "error", "text": text}
