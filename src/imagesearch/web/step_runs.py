"""Runs the numbered steps in a separate process: one run at a time for all pages, with progress."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

from imagesearch.config import Config
from imagesearch.library import PhotoLibrary
from imagesearch.serving import RunState, make_run_error, make_step_command, write_config_line
from imagesearch.web.session import PhotoSession

_SECONDS_TO_STOP = 10.0  # when the server ends
_MAX_LINE = 64 * 2**20  # the reasons of all failed photos are one line


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
        ending = make_run_error("the process of the steps ended without a result; see the server's terminal")
        try:
            # With Milvus Lite, the process that opens the file serves it to others. It must be this one: the
            # other one ends soon.
            await self._session.run(_open_store)
            ending = await self._watch(self._session.library.config) or ending
            await self._session.run(PhotoLibrary.reload)
        except Exception as error:  # such as no memory for a process: a page shows it
            ending = make_run_error(f"the steps cannot be run ({type(error).__name__}: {error})")
        self.state = self.state.apply(ending)
        self.finished_runs += 1

    async def _watch(self, config: Config) -> dict[str, Any] | None:
        """Start the process, show its progress, wait until it has ended, and return its last message."""
        self._process = process = await asyncio.create_subprocess_exec(
            *make_step_command(),
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


def _open_store(library: PhotoLibrary) -> None:
    if not library.config.milvus.is_missing:
        library.open()
