"""README.md and docs/: examples print what is shown; options, settings, links and messages exist."""

from __future__ import annotations

import ast
import re
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from conftest import ROOT, Done, run_here
from newcomer import LEFT_OUT, Clone, Example, compare_pictures, diff_output, list_examples
from PIL import Image, ImageOps

from imagesearch.config import load_config
from imagesearch.query import SentenceParser
from imagesearch.store import Vocabulary, VocabularyEntry, VocabularyTrip

README = ROOT / "README.md"
# The README comes first. Each page leaves the demo album as it found it, so the order of the others is free.
PAGES = {
    file.relative_to(ROOT).as_posix(): file.read_text("utf-8")
    for file in (README, *sorted((ROOT / "docs").glob("*.md")))
}
LINKED_PAGES = PAGES | {
    name: (ROOT / name).read_text("utf-8")
    for name in ("CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md", "data/demo/models/README.md")
}
SCRIPTS = {file.relative_to(ROOT).as_posix() for file in (ROOT / "scripts").rglob("*.py")}
MAX_PAGE_LINES = 180


class PageExample(NamedTuple):
    page: str
    example: Example

    @property
    def label(self) -> str:
        script = next((Path(word).name for word in self.example.command.split() if word in SCRIPTS), "?")
        return f"{self.page} {script}"


EXAMPLES = [PageExample(page, example) for page, text in PAGES.items() for example in list_examples(text)]


@pytest.fixture(scope="module")
def typed(demo: Clone) -> dict[str, Done]:
    """The result of each command, run once, in the order of the pages: some use an earlier one's files."""
    commands = dict.fromkeys(shown.example.command for shown in EXAMPLES)
    return {command: demo.run_command(command) for command in commands}


@pytest.mark.parametrize("shown", EXAMPLES, ids=lambda shown: shown.label)
def test_a_command_prints_what_the_page_shows(shown: PageExample, typed: dict[str, Done]) -> None:
    done = typed[shown.example.command]
    found = diff_output(shown.example.output, done.stdout)
    if found or done.returncode != 0:
        reason = f"{shown.page} shows another output for this command (exit {done.returncode} now)"
        pytest.fail(f"{reason}:\n$ {shown.example.command}\n{found}", pytrace=False)


def test_no_command_is_left_out() -> None:
    for page, text in PAGES.items():
        examples = [shown.example for shown in EXAMPLES if shown.page == page]
        assert len(examples) == len(re.findall(r"^[\s>]*\$ ", text, re.MULTILINE)), page
        without_output = [example.command for example in examples if set(example.output) <= {LEFT_OUT}]
        assert not without_output, f"{page} shows no output"


def test_the_readme_has_an_example_of_each_script_that_it_names() -> None:
    readme = PAGES["README.md"]
    assert "make demo" in readme, "the examples require what make demo makes"
    run = {word for example in list_examples(readme) for word in example.command.split() if word in SCRIPTS}
    # they run until they are stopped, so their examples have no output; other tests start them
    servers = r"^    \.venv/bin/python (scripts/(?:09_web_app|10_serve_api)\.py)$"
    run |= set(re.findall(servers, readme, re.MULTILINE))
    named = set(re.findall(r"scripts/\d\d_\w+\.py", readme))
    assert named <= SCRIPTS and named - run == set(), "named without an example"
    assert {name for name in SCRIPTS if re.match(r"scripts/(?:0[1-9]|10)_", name)} <= run, "not shown"


def test_the_python_example_of_the_readme_runs(
    demo: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGES["README.md"], re.MULTILINE | re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 6
    monkeypatch.chdir(demo.folder)
    names: dict = {}
    exec(compile(code, "README.md", "exec"), names)
    answer = names["answer"]
    assert len(answer.results) == 5
    assert all("Maya" in result.people and "Goa" in result.path for result in answer.results)
    assert "figure: outputs/" in capsys.readouterr().err


# --- pictures ----------------------------------------------------------------------------------------------


def list_pictures(page: str) -> list[str]:
    """Return the paths of a page's pictures, from the root of the repository."""
    links = re.findall(r"!\[[^]]*\]\(([^)\s]+)\)", PAGES[page])
    return [((ROOT / page).parent / link).resolve().relative_to(ROOT).as_posix() for link in links]


PICTURES = sorted({picture for page in PAGES for picture in list_pictures(page)})


def test_every_picture_exists_and_is_shown() -> None:
    files = {
        file.relative_to(ROOT).as_posix()
        for pattern in ("*.png", "*.webp")
        for file in (ROOT / "docs").glob(pattern)
    }
    assert set(PICTURES) == files


def test_the_pictures_are_what_the_commands_draw(demo: Clone, typed: dict[str, Done]) -> None:
    drawn = [name for name in PICTURES if (demo.folder / name).is_file()]
    assert len(drawn) >= 4
    for name in drawn:
        with Image.open(ROOT / name) as old, Image.open(demo.folder / name) as new:
            assert old.size == pytest.approx(new.size, rel=0.03), f"{name} is another picture now"
            assert compare_pictures(old, new) < 0.15, f"{name} is not what the command draws now"


@pytest.mark.parametrize("name", ["map.png", "timeline.png", "truth.png", "search.png", "vectors.webp"])
def test_another_picture_is_another_picture(name: str) -> None:
    with Image.open(ROOT / "docs" / name) as opened:
        picture = opened.convert("RGB")
    assert compare_pictures(picture, picture) == 0
    assert compare_pictures(picture, ImageOps.mirror(picture)) > 0.2
    assert compare_pictures(picture, Image.new("RGB", picture.size, "white")) > 0.9


def test_make_demo_makes_every_file_that_it_lists(demo: Clone) -> None:
    lines = [line for line in demo.list_recipe("demo") if line.startswith("echo")]
    named = re.findall(
        r"(?:data|outputs)/[\w./]+", " ".join(line for line in lines if "scripts/" not in line)
    )
    assert len(named) > 5
    assert not [name for name in named if not (demo.folder / name).exists()]


# --- options, settings, links ------------------------------------------------------------------------------


def remove_foreign_commands(text: str) -> str:
    """Remove the commands of other programs, and their options, from a page."""
    programs = "pip|conda|rclip|docker|helm|kubectl|milvus-lite|systemctl|journalctl|ray"
    text = re.sub(rf"`(?:{programs}) [^`]*`", "", text)
    return re.sub(rf"^ {{4,}}(?!\$ )\S*(?:{programs}) .*$", "", text, flags=re.MULTILINE)


def test_every_option_is_known() -> None:
    helps = "".join(run_here([script, "--help"], ROOT).stdout for script in sorted(SCRIPTS))
    known = set(re.findall(r"--[a-z-]+", helps))
    for page, text in PAGES.items():
        options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", remove_foreign_commands(text)))
        assert options - known == set(), page
    assert "--set" in PAGES["README.md"]


def test_every_setting_is_known_and_every_value_is_valid(demo: Clone) -> None:
    sections = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))
    pattern = rf"`((?:{'|'.join(sections)})(?:\.\w+)+)(?:[:=] ?[^`]*)?`"
    for page, text in PAGES.items():
        for setting in set(re.findall(r"--set (\w+(?:\.\w+)+=[^\s`]+)", text)) - {"section.key=value"}:
            load_config(demo.folder / "config.yaml", [setting])
        for name in set(re.findall(pattern, text)) - {"downloads.jsonl"}:  # a file
            section, *keys = name.split(".")
            value = sections[section]
            for key in keys:
                assert isinstance(value, dict) and key in value, f"{page}: config.yaml has no {name}"
                value = value[key]


def make_anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives the headings of a Markdown text."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    missing = []
    for page, text in LINKED_PAGES.items():
        for link in re.findall(r"(?<!!)\[[^]]*\]\(([^)\s]+)\)", text):
            if re.match(r"https?:|mailto:", link):
                continue
            path, _, anchor = link.partition("#")
            file = ((ROOT / page).parent / path).resolve() if path else ROOT / page
            exists = file.exists()
            if exists and anchor:
                exists = anchor in make_anchors(file.read_text("utf-8"))
            if not exists:
                missing.append(f"{page}: {link}")
    assert not missing


def test_every_page_is_listed_and_short() -> None:
    listed = re.findall(r"\]\(([\w-]+\.md)\)", PAGES["docs/README.md"])
    assert sorted(listed) == sorted(Path(page).name for page in PAGES if Path(page).name != "README.md")
    pages = {page: len(text.splitlines()) for page, text in PAGES.items() if page != "README.md"}
    assert not {page: lines for page, lines in pages.items() if lines > MAX_PAGE_LINES}


# --- sentences ---------------------------------------------------------------------------------------------


def make_vocabulary() -> Vocabulary:
    people = {name.lower(): VocabularyEntry(name, 9) for name in ("Maya", "Noor", "Kim", "person 12")}
    places = {
        name.lower(): VocabularyEntry(name, 9, kind)
        for kind, names in (("city", "Anjuna Paris Rome"), ("state", "Goa"), ("country", "India"))
        for name in names.split()
    }
    cameras = {name: VocabularyEntry(name, 9) for name in ("Apple iPhone 14 Pro", "Canon EOS R6")}
    trips = (
        VocabularyTrip("Goa, May 2023", 9, 1_683_000_000, 1_683_400_000, {"goa": 9}),
        VocabularyTrip("Ana's wedding", 9, 1_693_000_000, 1_693_200_000, is_named=True),
    )
    return Vocabulary(people=people, places=places, cameras=cameras, trips=trips)


def test_the_sentences_in_the_table_are_read_as_their_row_says() -> None:
    table = PAGES["docs/search.md"].partition("| part | examples |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (\w+)[^|]* \| (.+) \|$", table, re.MULTILINE)
    parser = SentenceParser(make_vocabulary())
    for part, cell in rows:
        for sentence in re.findall(r"`([^`]+)`", cell):
            parsed = parser.parse(sentence, date(2026, 11, 25))
            found = {
                "who": bool(parsed.people),
                "where": bool(parsed.places or parsed.not_places or parsed.areas or parsed.not_areas),
                "when": bool(parsed.dates),
                "order": parsed.order is not None,
                "facts": bool(parsed.facts),
                "not": bool(parsed.excluded),
                "what": bool(parsed.caption),
            }
            kinds = [kind for kind, is_found in found.items() if is_found]
            if part == "not":
                kinds = [kind for kind in kinds if kind != "what"]  # what the photo must show
            assert kinds == [part] or (part == "exactly" and len(kinds) == 1), (sentence, kinds)
            assert not parsed.not_understood, sentence
    parts = ["who", *3 * ["where"], *8 * ["when"], "order", *3 * ["facts"], "what", "not", "exactly"]
    assert [part for part, _ in rows] == parts


# --- messages ----------------------------------------------------------------------------------------------


def list_source_texts(file: Path) -> list[str]:
    """Return the texts in a module; values in f-strings are "..."."""
    texts = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            texts.append("".join(p.value if isinstance(p, ast.Constant) else "..." for p in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)
    return texts


def list_explained_messages(text: str) -> list[str]:
    """Return the messages in the tables of a page whose first column is "message"."""
    tables = [part.partition("\n\n")[0] for part in text.split("| message |")[1:]]
    return [message for table in tables for message in re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)]


def test_the_messages_that_the_pages_explain_are_printed_by_the_program() -> None:
    explained = {page: list_explained_messages(text) for page, text in PAGES.items()}
    assert len(explained["docs/troubleshooting.md"]) >= 40
    sources = [*(ROOT / "src" / "imagesearch").rglob("*.py"), *(ROOT / name for name in SCRIPTS)]
    printed = [text for file in sources for text in list_source_texts(file)]
    unknown = [
        f"{page}: {message}"
        for page, messages in explained.items()
        for message in messages
        if not is_printed(message, printed)
    ]
    assert not unknown, "nothing prints this"


def is_printed(message: str, texts: list[str]) -> bool:
    """Return whether one text of the sources has a message, or several have its parts, which ";" divides."""
    return all(
        any(all(part in text for part in split_at_values(clause)) for text in texts)
        for clause in message.split("; ")
    )


def split_at_values(clause: str) -> list[str]:
    """Return the parts of a message around its values, which are written as "..."."""
    return [part for part in (part.strip(" ,?:") for part in clause.split("...")) if part]


def test_a_message_that_nothing_prints_is_found() -> None:
    text = "a\n\n| message | do |\n| --- | --- |\n| `one ... two` | x |\n| no code | y |\n\n| `three` | z |\n"
    assert list_explained_messages(text) == ["one ... two"]
    assert is_printed("one ... two; three", ["then one ...: two", "; three"])
    assert not is_printed("one ... two", ["one", "two"]) and not is_printed("one; four", ["one; three"])


# --- how the comparison itself behaves ---------------------------------------------------------------------


def test_commands_are_read_with_the_lines_below_them() -> None:
    text = "so\n\n    $ one \\\n      --more\n    a\n\n    b\n    $ two\n\nand `$ not`\n\n    three\n"
    assert list_examples(text) == [Example("one --more", ("a", "", "b")), Example("two", ())]


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
        (["9 new, 62.8 photos/s"], "9 new", True),
        (["one", "two"], "one", False),
        (["one"], "one\ntwo", False),
        (["one", "...", "four"], "one\ntwo\nthree\nfour", True),
        (["one", "...", "four"], "one\nfour\nfive", False),
    ],
)
def test_which_outputs_agree(shown: list[str], printed: str, agree: bool) -> None:
    assert (diff_output(shown, printed) == "") == agree


def test_a_difference_shows_only_what_differs() -> None:
    found = diff_output(["a 0.50", "b"], "a 0.51\nc\n")
    assert "-b" in found.splitlines() and "+c" in found.splitlines() and "a 0.51" not in found


def test_anchors_are_those_of_github() -> None:
    text = "# Step 01: `scripts/01_x.py`\n\n## What's new?\n"
    assert make_anchors(text) == {"step-01-scripts01_xpy", "whats-new"}
