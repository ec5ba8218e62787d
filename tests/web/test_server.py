"""The options and messages of script 09."""

from __future__ import annotations

import asyncio
import logging
import os
import pty
import socket
import subprocess
import sys

import pytest
from conftest import ROOT
from web_fixtures import WebAlbum

from imagesearch.web.run import is_no_cancellation

SCRIPT = str(ROOT / "scripts" / "09_web_app.py")


def run(album: WebAlbum, *options: str, password: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, "-c", str(album.drawn.config_file), "--no-show", *options]
    env = album.env | ({"IMAGESEARCH_PASSWORD": password} if password else {})
    return subprocess.run(
        command,
        env=env,
        cwd=album.drawn.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("options", "password", "message"),
    [
        (("--port", "65536"), "", "--port: 65536 is not a whole number from 0 to 65535"),
        (("--port", "x"), "", "--port: x is not a whole number from 0 to 65535"),
        (
            ("--host", "0.0.0.0"),
            "",
            "--host 0.0.0.0: other machines could open the photos; this requires a password: set "
            "IMAGESEARCH_PASSWORD, or start it on a terminal, which asks for one",
        ),
        (("--host", "0.0.0.0"), "short", "the password is too short: expected at least 8 characters"),
        (
            ("--host", "no.such.example"),
            "long enough",
            "--host no.such.example: no such address of this machine",
        ),
        (
            ("--host", "192.0.2.1", "--port", "0"),
            "long enough",
            "192.0.2.1:0: cannot assign requested address; change --host",
        ),
    ],
)
def test_wrong_options_are_one_line(
    finished_album: WebAlbum, options: tuple[str, ...], password: str, message: str
) -> None:
    done = run(finished_album, *options, password=password)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"09_web_app.py: {message}\n")


def test_a_port_in_use_is_named(finished_album: WebAlbum) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run(finished_album, "--port", str(port))
    assert done.returncode == 2
    assert done.stderr == (
        f"09_web_app.py: 127.0.0.1:{port}: address already in use; select another one with --port\n"
    )


def type_passwords(album: WebAlbum, *typed: str) -> tuple[str, int]:
    """Start the script on a terminal, type a password twice, stop it once it listens; return its output."""
    pid, terminal = pty.fork()
    if pid == 0:
        arguments = [sys.executable, SCRIPT, "-c", str(album.drawn.config_file), "--no-show"]
        os.execve(sys.executable, [*arguments, "--host", "0.0.0.0", "--port", "0"], album.env)
    shown = ""
    answers = [("8 characters", typed[0]), ("same again", typed[1]), ("Ctrl-C stops it", "\x03")]
    try:
        for question, answer in answers:
            while question not in shown:
                shown += os.read(terminal, 1000).decode()
            os.write(terminal, answer.encode() + (b"" if answer == "\x03" else b"\n"))
        while True:
            shown += os.read(terminal, 1000).decode()
    except OSError:  # the script has ended
        pass
    finally:
        os.close(terminal)
    return shown, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_the_password_is_asked_on_a_terminal_and_not_shown(finished_album: WebAlbum) -> None:
    shown, code = type_passwords(finished_album, "correct horse", "correct horse")
    assert "on all addresses of this machine" in shown
    assert "horse" not in shown
    assert code == 130
    shown, code = type_passwords(finished_album, "correct horse", "correct house")
    assert "09_web_app.py: the two passwords are not the same" in shown
    assert code == 2


def test_without_the_packages_the_installation_is_named(finished_album: WebAlbum) -> None:
    code = "import sys, runpy; sys.modules['nicegui'] = None; "
    code += f"sys.argv[0] = {SCRIPT!r}; runpy.run_path({SCRIPT!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", code, "-c", str(finished_album.drawn.config_file)],
        env=finished_album.env,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (
        2,
        '09_web_app.py: the web app requires more packages; run pip install -e ".[web]"\n',
    )


def test_a_request_that_is_cancelled_when_the_server_stops_is_no_error() -> None:
    for error, is_printed in ((asyncio.CancelledError(), False), (ValueError(), True)):
        exc_info = (type(error), error, None)
        record = logging.LogRecord("uvicorn.error", logging.ERROR, "", 1, "Exception", (), exc_info)
        assert is_no_cancellation(record) == is_printed
    assert is_no_cancellation(logging.LogRecord("uvicorn.error", logging.INFO, "", 1, "started", (), None))
