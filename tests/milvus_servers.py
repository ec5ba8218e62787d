"""Starts and stops Milvus servers for tests: Milvus Lite's own server, and a standalone server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STANDALONE = os.environ.get("IMAGESEARCH_MILVUS_SERVER", "")
"""The program ``milvus-server``; empty if tests with a standalone server are not run."""
_START_SECONDS = 90


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def run_lite_server(folder: Path, port: int | None = None) -> Iterator[str]:
    """Run Milvus Lite's server on a loopback port, and yield its URI."""
    port = port or find_free_port()
    options = ["--data-dir", folder / "lite.db", "--host", "127.0.0.1", "--port", port]
    command = [sys.executable, "-m", "milvus_lite", "server", *map(str, options)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for_port(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


class StandaloneServer:
    """A standalone Milvus server with its data in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, find_free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen | None = None

    @property
    def is_running(self) -> bool:
        """Whether the server was started and not stopped."""
        return self._process is not None

    def start(self) -> None:
        """Start the server and wait until it answers queries."""
        environment = dict(os.environ)
        if (self.folder / "configs").is_dir():
            # The program of the first start takes another port if a closed connection still uses this one.
            command = [str(self.folder / "bin/milvus"), "run", "standalone"]
            environment |= {"DEPLOY_MODE": "STANDALONE", "METRICS_PORT": str(find_free_port())}
            environment |= {"MILVUS_RUN_DIR": str(self.folder / "run")}
            environment |= {"LD_LIBRARY_PATH": str(self.folder / "bin")}
        else:
            self.folder.mkdir(exist_ok=True)
            command = [STANDALONE, "--data", str(self.folder), "--proxy-port", str(self.port)]
        self._process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        _wait_for_port(self.port, self._process)
        self._wait_until_ready()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the server, such as SIGKILL or SIGSTOP."""
        if self._process is not None:
            os.killpg(self._process.pid, number)

    def stop(self) -> None:
        """Stop the server."""
        if self._process is not None:
            self.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _wait_until_ready(self) -> None:
        from pymilvus import MilvusClient

        end = time.monotonic() + _START_SECONDS
        while True:
            try:
                client = MilvusClient(self.uri, timeout=5, dedicated=True)
                client.list_collections(timeout=5)
                client.close()
                return
            except Exception:
                if time.monotonic() > end:
                    raise
                time.sleep(0.5)


@contextmanager
def run_standalone(folder: Path) -> Iterator[StandaloneServer]:
    """Run a standalone server, and stop it afterwards."""
    server = StandaloneServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _wait_for_port(port: int, process: subprocess.Popen) -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            raise RuntimeError(f"the server has ended with exit code {process.returncode}")
        if time.monotonic() > end:
            raise TimeoutError(f"no server on port {port} after {_START_SECONDS} s")
        time.sleep(0.1)
