"""The README followed word by word: each command that it shows with an output is run, and prints that."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from conftest import ROOT, Done, run_here
from newcomer import LEFT_OUT, Clone, ReadmeCommand, compare_pictures, diff_output, list_readme_commands
from PIL import Image, ImageOps

from imagesearch.config import load_config

README = (ROOT / "README.md").read_text("utf-8")
SHOWN = list_readme_commands(README)
SCRIPTS = {file.relative_to(ROOT).as_posix() for file in (ROOT / "scripts").rglob("*.py")}


def name_of(shown: ReadmeCommand) -> str:
    return next((Path(word).name for word in shown.command.split() if word in SCRIPTS), "?")


@pytest.fixture(scope="module")
def typed(demo: Clone) -> list[Done]:
    """All commands, typed one after another: some need what an earlier one has made."""
    return [demo.run_command(shown.command) for shown in SHOWN]


@pytest.mark.parametrize("place", range(len(SHOWN)), ids=lambda i: f"{i + 1} {name_of(SHOWN[i])}")
def test_a_command_prints_what_the_readme_shows(place: int, typed: list[Done]) -> None:
    shown, done = SHOWN[place], typed[place]
    found = diff_output(shown.output, done.stdout)
    if found or done.returncode != 0:
        reason = f"README.md has another output for this command (exit {done.returncode} now)"
        pytest.fail(f"{reason}:\n$ {shown.command}\n{found}", pytrace=False)


def test_no_command_is_left_out() -> None:
    assert len(SHOWN) == len(re.findall(r"^[\s>]*\$ ", README, re.MULTILINE))
    assert "    make demo " in README, "the examples stand on what make demo makes"
    run = {word for shown in SHOWN for word in shown.command.split() if word in SCRIPTS}
    named = set(re.findall(r"scripts/\d\d_\w+\.py", README))
    assert named <= SCRIPTS and named - run == set(), "shown without an example"
    assert len(run) >= 8
    assert not [shown.command for shown in SHOWN if set(shown.output) <= {LEFT_OUT}], "shows no output"


def test_the_pictures_are_what_the_commands_draw(demo: Clone, typed: list[Done]) -> None:
    pictures = re.findall(r"!\[[^]]*\]\((docs/[^)]+)\)", README)
    assert not [name for name in pictures if not (ROOT / name).is_file()]
    drawn = [name for name in pictures if (demo.folder / name).is_file()]
    assert len(drawn) >= 4
    for name in drawn:
        with Image.open(ROOT / name) as old, Image.open(demo.folder / name) as new:
            assert old.size == pytest.approx(new.size, rel=0.03), f"{name} is another picture now"
            assert compare_pictures(old, new) < 0.15, (
                f"{name} shows something else than the command draws now"
            )


@pytest.mark.parametrize("name", ["map.png", "timeline.png", "truth.png", "search.png", "vectors.webp"])
def test_another_picture_is_another_picture(name: str) -> None:
    with Image.open(ROOT / "docs" / name) as opened:
        picture = opened.convert("RGB")
    assert compare_pictures(picture, picture) == 0
    assert compare_pictures(picture, ImageOps.mirror(picture)) > 0.2
    assert compare_pictures(picture, Image.new("RGB", picture.size, "white")) > 0.9


def test_make_demo_has_made_all_it_tells_to_look_at(demo: Clone) -> None:
    lines = [line for line in demo.list_recipe("demo") if line.startswith("echo")]
    named = re.findall(
        r"(?:data|outputs)/[\w./]+", " ".join(line for line in lines if "scripts/" not in line)
    )
    assert len(named) > 5
    assert not [name for name in named if not (demo.folder / name).exists()]


def test_options_and_settings_of_the_readme_are_known(demo: Clone) -> None:
    text = re.sub(r"`pip [^`]*`", "", README)
    helps = "".join(run_here([script, "--help"], ROOT).stdout for script in sorted(SCRIPTS))
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
    assert options > {"--set", "--help"} and options - set(re.findall(r"--[a-z-]+", helps)) == set()
    for setting in set(re.findall(r"--set (\w+(?:\.\w+)+=[^\s`]+)", text)) - {"section.key=value"}:
        load_config(demo.folder / "config.yaml", [setting])


def _texts(file: Path) -> list[str]:
    """The texts in a module, those with values in them with "..." in place of each."""
    found = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            found.append("".join(p.value if isinstance(p, ast.Constant) else "..." for p in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return found


def test_the_errors_that_the_readme_explains_are_printed_by_the_program() -> None:
    table = README.partition("| it says |")[2].partition("\n\n")[0]
    messages = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    assert len(messages) >= 10
    said = [text for file in (ROOT / "src" / "imagesearch").rglob("*.py") for text in _texts(file)]
    for message in messages:
        parts = [part.strip(" ,?;") for part in message.split("...") if part.strip(" ,?;")]
        assert any(all(part in text for part in parts) for text in said) or all(
            any(part in text for text in said) for part in re.split(r"[;,]\s*", message.replace("...", ","))
        ), f"nothing prints {message!r}"


# --- how the comparison itself behaves ---------------------------------------------------------------------


def test_commands_are_read_with_what_stands_below_them() -> None:
    text = "so\n\n    $ one \\\n      --more\n    a\n\n    b\n    $ two\n\nand `$ not`\n\n    three\n"
    assert list_readme_commands(text) == [
        ReadmeCommand("one --more", ("a", "", "b")),
        ReadmeCommand("two", ()),
    ]


@pytest.mark.parametrize(
    ("shown", "printed", "agree"),
    [
        (["   1  0.1512  0.96  a.jpg"], "   1  0.1511  0.97  a.jpg\n", True),
        (["   1  0.1512  0.96  a.jpg"], "   1  0.1515  0.96  a.jpg\n", False),
        (["   1  0.1512  0.96  a.jpg"], "   1  0.1512  0.96  b.jpg\n", False),
        (["95%"], "97%", True),
        (["95%"], "98%", False),
        (["240 photos"], "241 photos", False),
        (["2022-02-15"], "2022-02-16", False),
        (["9 new, 62.8 photos/s"], "  3%|=   | 1/9 [00:30<]\r9 new, 17.2 photos/s", True),
        (["one", "two"], "one", False),
        (["one"], "one\ntwo", False),
        (["one", "...", "four"], "one\ntwo\nthree\nfour", True),
        (["one", "...", "four"], "one\nfour\nfive", False),
    ],
)
def test_what_counts_as_the_same(shown: list[str], printed: str, agree: bool) -> None:
    assert (diff_output(shown, printed) == "") == agree


def test_a_difference_shows_only_what_differs() -> None:
    found = diff_output(["a 0.50", "b"], "a 0.51\nc\n")
    assert "-b" in found.splitlines() and "+c" in found.splitlines() and "a 0.51" not in found
