"""docs/deploy: the systemd unit and the launchd agent of the watch are valid and name what exists."""

from __future__ import annotations

import configparser
import plistlib
import re
import shutil
import signal
import subprocess
from pathlib import Path

from conftest import ROOT

UNIT = ROOT / "docs/deploy/imagesearch-watch.service"
AGENT = ROOT / "docs/deploy/imagesearch-watch.plist"
WATCHING = (ROOT / "docs/watching.md").read_text("utf-8")


def check_command(python: str, script: str, *options: str) -> None:
    assert python.endswith("/imagesearch/.venv/bin/python")
    assert (ROOT / script).is_file()
    assert options == ("--watch",) and '"--watch"' in (ROOT / script).read_text("utf-8")


def test_the_unit_is_valid_and_stops_the_watch_as_ctrl_c_does(tmp_path: Path) -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str
    unit.read(UNIT)
    service = unit["Service"]
    check_command(*service["ExecStart"].split())
    assert service["WorkingDirectory"] == "%h/imagesearch"
    assert (signal.Signals[service["KillSignal"]], service["SuccessExitStatus"]) == (signal.SIGINT, "130")
    if tool := shutil.which("systemd-analyze"):
        checked = tmp_path / UNIT.name  # with a folder that exists
        checked.write_text(UNIT.read_text("utf-8").replace("%h/imagesearch", str(ROOT)), "utf-8")
        done = subprocess.run([tool, "verify", checked], capture_output=True, text=True)
        assert done.returncode == 0 and UNIT.name not in done.stderr, done.stderr


def test_the_agent_is_valid_and_all_its_paths_are_in_one_home() -> None:
    agent = plistlib.loads(AGENT.read_bytes())
    assert agent["Label"] == AGENT.stem
    check_command(*agent["ProgramArguments"])
    paths = re.findall(r">(/[^<]+)<", AGENT.read_text("utf-8"))
    assert len(paths) == 4 and all(path.startswith("/Users/me/imagesearch") for path in paths)
    assert agent["RunAtLoad"] is True and agent["KeepAlive"] == {"SuccessfulExit": False}


def test_the_page_names_both_files_and_the_settings() -> None:
    assert all(f"deploy/{file.name}" in WATCHING for file in (UNIT, AGENT))
    config = (ROOT / "config.yaml").read_text("utf-8")
    assert "polling: true" in WATCHING and "  polling: false" in config and "  list_seconds: 600" in config
