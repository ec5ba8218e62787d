"""The watch as a program: killed in the middle of a batch, started again, and ended with Ctrl-C."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import ROOT, draw
from drawn import Drawn, picture_of
from watch_stories import assert_equals_build_from_scratch, read_paths

LINE_SECONDS = 120
HALF_SECONDS = 10  # during which a file is incomplete


class WatchProcess:
    """A running ``01_extract_features.py --watch``, whose lines are read with a time limit."""

    def __init__(self, drawn: Drawn) -> None:
        script = ROOT / "scripts" / "01_extract_features.py"
        command = [sys.executable, script, "-c", drawn.config_file, "--watch"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=drawn.folder
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self._lines.put(line)

    def read_until(self, text: str) -> str:
        """Return the first line with a text."""
        before: list[str] = []
        while True:
            try:
                line = self._lines.get(timeout=LINE_SECONDS)
            except queue.Empty:
                self.process.kill()
                pytest.fail(f"no line with {text!r}: {before}, {self.process.stderr.read()}")
            if text in line:
                return line
            before.append(line)

    def end(self, number: signal.Signals) -> str:
        """Send a signal, and return what was written to stderr."""
        self.process.send_signal(number)
        self.process.wait(LINE_SECONDS)
        self._reader.join(LINE_SECONDS)
        errors = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return errors


def wait_for(folder: Path, pattern: str, count: int) -> None:
    deadline = time.monotonic() + LINE_SECONDS
    while len(list(folder.glob(pattern))) < count:
        assert time.monotonic() < deadline, f"{folder}: less than {count} {pattern}"
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("table", ["clip", "geo"])
def test_a_kill_in_the_middle_of_a_burst_loses_nothing(tmp_path: Path, table: str) -> None:
    drawn = Drawn(tmp_path)
    for seed, people in enumerate((("Maya",), ("Maya", "Kofi"), ("Kofi",)), 1):
        picture_of(*people, seed=seed)[0].save(drawn.photos / f"{seed}.png")
    watch = WatchProcess(drawn)
    assert "3 new or changed" in watch.read_until("3 photos to search")

    burst = drawn.photos / "burst"
    burst.mkdir()
    for number in range(60):
        draw(number, (24, 16)).save(burst / f"{number}.png")
    picture_of("Maya", seed=9)[0].save(burst / "maya.png")
    (drawn.photos / "2.png").rename(drawn.photos / "moved.png")
    wait_for(drawn.folder / "processed" / "album" / table, "seen-*.parquet", 2)
    watch.end(signal.SIGKILL)
    assert watch.process.returncode == -signal.SIGKILL
    assert len(read_paths(drawn.config())) < 64
    (drawn.photos / "3.png").unlink()  # while no watch is running

    watch = WatchProcess(drawn)
    assert "faces clustered" in watch.read_until("63 photos to search")
    draw(99).save(burst / "last.png")
    watch.read_until("64 photos to search")
    errors = watch.end(signal.SIGINT)
    assert watch.process.returncode == 130
    assert "stopped; finished work is kept" in errors and "Traceback" not in errors

    assert_equals_build_from_scratch(drawn.config(), drawn.folder)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_thousand_files_at_once_one_half_written_moved_deleted_and_a_kill(tmp_path: Path) -> None:
    drawn = Drawn(tmp_path)
    for seed, people in enumerate((("Maya",), ("Maya", "Kofi"), ("Kofi",)), 1):
        picture_of(*people, seed=seed)[0].save(drawn.photos / f"{seed}.png")
    burst = drawn.folder / "burst"
    burst.mkdir()
    for number in range(999):
        draw(number, (24, 16)).save(burst / f"{number}.png")
    picture_of("Maya", "Kofi", seed=9, scale=2.0)[0].save(drawn.folder / "whole.jpg")
    content = (drawn.folder / "whole.jpg").read_bytes()
    watch = WatchProcess(drawn)
    assert "3 new or changed" in watch.read_until("3 photos to search")

    burst.rename(drawn.photos / "burst")
    half = drawn.photos / "half.jpg"
    half.write_bytes(content[: len(content) // 2])
    complete = threading.Timer(HALF_SECONDS, lambda: half.write_bytes(content))
    complete.start()
    (drawn.photos / "2.png").rename(drawn.photos / "moved.png")
    (drawn.photos / "1.png").unlink()
    first = watch.read_until(" to search")
    assert "256 new or changed" in first and "0 failed" in first
    wait_for(drawn.folder / "processed" / "album" / "clip", "seen-*.parquet", 4)  # in the second batch
    watch.end(signal.SIGKILL)
    assert watch.process.returncode == -signal.SIGKILL
    found = read_paths(drawn.config())
    assert 256 < len(found) < 1000 and "half.jpg" not in found

    watch = WatchProcess(drawn)
    line = watch.read_until("1,002 photos to search")
    complete.join()
    assert "1 new or changed" in line and "0 failed" in line
    errors = watch.end(signal.SIGINT)
    assert watch.process.returncode == 130 and "half.jpg" not in errors
    paths = read_paths(drawn.config())
    assert len(paths) == 1002 and {"moved.png", "3.png", "half.jpg", "burst/998.png"} <= paths
    assert_equals_build_from_scratch(drawn.config(), drawn.folder)
