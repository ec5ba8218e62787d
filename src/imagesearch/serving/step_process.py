"""The process that runs the numbered steps for a server.

It is started with the command of `make_step_command`. The config comes as a line of JSON on stdin. What
happens goes to stdout as JSON lines, whose ``kind`` is

- ``progress``: the work in progress, with the fields of `StepProgress`,
- ``line``: a line of the summary, as soon as its step is done,
- ``done``: the result, with the fields of `StepResult`,
- ``stopped``: the run was interrupted; what was finished is kept,
- ``error``: why the run has ended, in one line.

The process is interrupted, as by Ctrl-C, when its stdin is closed: by the server to stop it, or by the system
when the server has ended in any way.
"""

from __future__ import annotations

import _thread
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from imagesearch.config import Config
from imagesearch.errors import UserError
from imagesearch.library import PhotoLibrary
from imagesearch.serving.step_runs import StepProgress, StepResult, read_config_line

T = TypeVar("T")
Report = Callable[[dict[str, Any]], None]

_SECONDS_BETWEEN_REPORTS = 0.2
_SECONDS_TO_STOP = 60.0  # for a batch of the models and the shard; then the process ends at once
_NICENESS = 5  # searches of the server come first


def report_progress(
    report: Report, items: Iterable[T], total: int, unit: str = "photo", label: str | None = None
) -> Iterator[T]:
    """Yield items, and report how many of them are done; see `imagesearch.pipeline.Progress`."""
    start = time.monotonic()
    reported = -_SECONDS_BETWEEN_REPORTS

    def tell(done: int) -> None:
        report({"kind": "progress"} | asdict(StepProgress(label or "", unit, done, total, seconds)))

    done = 0
    for done, item in enumerate(items):
        seconds = time.monotonic() - start
        if seconds - reported >= _SECONDS_BETWEEN_REPORTS:
            reported = seconds
            tell(done)
        yield item
    if total:
        seconds = time.monotonic() - start
        tell(total)


def run(config: Config, folders: Sequence[Path], report: Report) -> None:
    """Run the steps, and report what happens."""
    with PhotoLibrary(config, folders) as library:
        summary = library.update(
            progress=lambda *args, **names: report_progress(report, *args, **names),
            report=lambda line: report({"kind": "line", "text": line}),
        )
    result = StepResult(summary.failed, summary.skipped, summary.notes, summary.seconds)
    report({"kind": "done"} | asdict(result))


def main() -> None:
    """Read the config from stdin, run the steps, and write JSON lines to stdout."""
    config = read_config_line(sys.stdin.buffer.readline())
    lines = _take_stdout()
    lock = threading.Lock()

    def report(message: dict[str, Any]) -> None:
        with lock:
            lines.write(json.dumps(message).encode() + b"\n")

    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored where the server runs with "&"
    try:
        threading.Thread(target=_wait_for_end, daemon=True).start()
        run(config, list(map(Path, sys.argv[1:])), report)
    except UserError as error:
        report({"kind": "error", "text": str(error)})
    except KeyboardInterrupt:
        report({"kind": "stopped"})
    except BrokenPipeError:
        pass  # the server has ended
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # there is nothing left to interrupt


def _take_stdout() -> BinaryIO:
    """Return stdout for the messages; what libraries print goes to stderr."""
    lines = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return lines


def _wait_for_end() -> None:
    """Interrupt the main thread when stdin is closed, and end the process if it does not end itself."""
    while os.read(0, 1):  # not sys.stdin, whose lock would be held when the process ends
        pass
    if hasattr(signal, "pthread_kill"):  # also wakes the main thread if it waits for another thread
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        _thread.interrupt_main()
    time.sleep(_SECONDS_TO_STOP)
    os._exit(1)


if __name__ == "__main__":
    main()
