"""Ingests a dataset: runs the numbered steps in a process of their own, one run at a time."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from imagesearch.api.datasets import DatasetSession, select_dataset
from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.pipeline import Dataset, OtherFoldersError
from imagesearch.serving import (
    RunState,
    describe_progress,
    make_run_error,
    make_step_command,
    write_config_line,
)

_SECONDS_TO_STOP = 10.0  # when the server ends


class ConflictError(UserError):
    """The request is valid, but not now, or not with this name."""


class Ingestion:
    """Runs the steps on a folder of photos, as ``00_run_steps.py -n NAME DIR`` does.

    The caller waits for the end of the run. If the client has gone away, the run goes on.

    Parameters
    ----------
    session
        The datasets.
    """

    def __init__(self, session: DatasetSession) -> None:
        self._session = session
        self._lock = threading.Lock()  # of the two attributes below
        self._name = ""  # of the dataset in progress
        self._process: subprocess.Popen[bytes] | None = None
        self._state = RunState()

    def run(self, find_folder: Callable[[], Path], name: str) -> RunState:
        """Run the steps until they are done, and return the summary.

        Parameters
        ----------
        find_folder
            Returns the folder of photos. It is called when no other run is in progress: a large folder takes
            long to check.
        name
            The name of the dataset.

        Raises
        ------
        ConflictError
            If another run is in progress, or the name is in use.
        UserError
            If a dataset cannot have this name, or the steps have failed.
        """
        config = select_dataset(self._session.config, name)
        with self._lock:
            if self._name:
                raise ConflictError(f"{self._describe_run()}; try again when it is done: one runs at a time")
            self._name, self._state = name, RunState("running")
        try:
            folder = find_folder()
            self._check_name(config, folder)
            self._session.open()
            return self._run_process(config, folder)
        finally:
            self._name = ""

    def close(self) -> None:
        """Interrupt the run as Ctrl-C does, and wait for its process. What was finished is kept."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        _close_input(process)
        try:
            process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()

    def _describe_run(self) -> str:
        progress = self._state.progress
        done = f" ({describe_progress(progress)})" if progress else ""
        return f"dataset {self._name} is being ingested{done}"

    def _check_name(self, config: Config, folder: Path) -> None:
        """Raise an error if a dataset has the name, unless its run on the same folder was interrupted."""
        name = config.dataset.name
        error = ConflictError(
            f"dataset name {name}: in use; choose another one. New photos in the folders of a dataset are "
            f"added by 00_run_steps.py -n {name}"
        )
        try:
            dataset = Dataset(config, [folder])
        except OtherFoldersError:
            raise error from None
        # else the tables have photos of another folder, which this one contains or replaces
        is_same = len(dataset.roots) == 1 and not dataset.photo_roots.note
        if dataset.imported is not None or not is_same or self._session.has_collections(name):
            raise error

    def _run_process(self, config: Config, folder: Path) -> RunState:
        ending = make_run_error("the process of the steps ended without a result; see the server's terminal")
        try:
            with self._start_process(folder) as process:
                assert process.stdin is not None and process.stdout is not None
                process.stdin.write(write_config_line(config))
                process.stdin.flush()
                for line in process.stdout:
                    message = json.loads(line)
                    if message["kind"] in ("progress", "line"):
                        self._state = self._state.apply(message)
                    else:
                        ending = message
        except OSError as error:  # such as no memory for a process, or a process that has ended
            ending = make_run_error(f"the steps cannot be run ({error})")
        return _check_ending(self._state, ending)

    def _start_process(self, folder: Path) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            make_step_command([folder]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in the terminal reaches only the server
        )
        return self._process


def _check_ending(state: RunState, ending: dict[str, Any]) -> RunState:
    state = state.apply(ending)
    if state.outcome == "failed":
        raise UserError(state.message)
    if state.outcome == "stopped":
        raise ConflictError("the server was stopped; finished work is kept: ingest the same folder again")
    return state


def _close_input(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
