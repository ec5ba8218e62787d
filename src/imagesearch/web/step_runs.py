"""Runs the numbered steps in a separate process: one run at a time for all pages, with progress."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from imagesearch.config import Config
from imagesearch.library import PhotoLibrary
from imagesearch.web.session import PhotoSession
from imagesearch.web.step_process import StepProgress, StepResult, write_config_line

_MODULE = "imagesearch.web.step_process"
_SECONDS_TO_STOP = 10.0  # when the server ends
_MAX_LINE = 64 * 2**20  # the reasons of all failed photos are one line

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


class StepRunner:
    """Starts and stops the process, and keeps its state.

    Parameters
    ----------
    session
        Its library shows the new photos after a run.
    """

    def __init__(self, session: PhotoSession) -> None:
        self._session = session
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self.state = RunState()
        self.finished_runs = 0
        """Changes when a run has ended."""

    def start(self) -> bool:
        """Start a run; False if one is in progress. Must be called in the event loop."""
        if self.state.is_active:
            return False
        self.state = RunState("running", started_at=time.monotonic())
        self._task = asyncio.get_running_loop().create_task(self._run())
        return True

    def stop(self) -> None:
        """Interrupt the run as Ctrl-C does. What was finished is kept."""
        if self.state.outcome == "running":
            self.state = replace(self.state, outcome="stopping")
            self._close_input()

    async def close(self) -> None:
        """Interrupt the run, and wait until its process has ended."""
        self.stop()
        process = self._process
        if process is None or process.returncode is not None:
            return
        try:
            await asyncio.wait_for(process.wait(), _SECONDS_TO_STOP)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()

    def _close_input(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    async def _run(self) -> None:
        """Run the process. The run is active until the pages have the new photos."""
        ending = _make_error("the process of the steps ended without a result; see the server's terminal")
        try:
            # With Milvus Lite, the process that opens the file serves it to others. It must be this one: the
            # other one ends soon.
            await self._session.run(_open_store)
            ending = await self._watch(self._session.library.config) or ending
            await self._session.run(PhotoLibrary.reload)
        except Exception as error:  # such as no memory for a process: a page shows it
            ending = _make_error(f"the steps cannot be run ({type(error).__name__}: {error})")
        self.state = self.state.apply(ending)
        self.finished_runs += 1

    async def _watch(self, config: Config) -> dict[str, Any] | None:
        """Start the process, show its progress, wait until it has ended, and return its last message."""
        self._process = process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", _MODULE),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_MAX_LINE,
            start_new_session=True,  # Ctrl-C in the terminal reaches only the server
        )
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(write_config_line(config))
        if self.state.outcome == "stopping":
            self._close_input()
        ending = None
        async for line in process.stdout:
            message = json.loads(line)
            if message["kind"] in ("progress", "line"):
                self.state = self.state.apply(message)
            else:
                ending = message
        await process.wait()
        return ending


def _make_error(text: str) -> dict[str, Any]:
    return {"kind": "error", "text": text}


def _open_store(library: PhotoLibrary) -> None:
    if not library.config.milvus.is_missing:
        library.open()
