"""The prompt of ``03 --interactive``, and names that are probably not meant."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from crowd import Crowd, count_faces, make_crowd
from synthetic import row_of

from imagesearch import cli
from imagesearch.errors import UserError
from imagesearch.faces import find_near_name, looks_like_command


@pytest.fixture
def crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crowd:
    return make_crowd(tmp_path, monkeypatch)


class Terminal(io.StringIO):
    """What a user types at a terminal; Ctrl-C is typed as ``^C``."""

    def isatty(self) -> bool:
        return True

    def readline(self, size: int = -1, /) -> str:
        line = super().readline(size)
        if line == "^C\n":
            raise KeyboardInterrupt
        return line


class Prompt:
    """The prompt for names, with the numbers of the people that it showed."""

    def __init__(self, crowd: Crowd, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
        self.crowd, self._patch, self._capsys = crowd, monkeypatch, capsys

    def type(self, *lines: str, terminal: bool = True) -> str:
        """Type lines; return what is printed."""
        text = "".join(f"{line}\n" for line in lines)
        self._patch.setattr("sys.stdin", Terminal(text) if terminal else io.StringIO(text))
        self.shown: list[int] = []
        cli.ask_names(self.crowd.make_editor(), 2, lambda person: self.shown.append(person.number))
        return self._capsys.readouterr().err

    @property
    def names(self) -> list[str]:
        """The names of the three people, as they are stored."""
        people = self.crowd.cluster()
        rows = [row_of(self.crowd.faces, f"{letter}1.jpg", 0) for letter in "abc"]
        return [next(p.name for p in people.persons if row in p.rows) for row in rows]


@pytest.fixture
def prompt(crowd: Crowd, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Prompt:
    return Prompt(crowd, monkeypatch, capsys)


def test_enter_skips_and_each_name_is_confirmed_with_its_photos(prompt: Prompt) -> None:
    printed = prompt.type("Maya", "", "Noor")
    assert "1 is Maya now: 5 photos" in printed and "3 is Noor now: 3 photos" in printed
    assert prompt.names == ["Maya", "", "Noor"] and prompt.shown == [1, 2, 3]


def test_b_goes_back_and_the_name_can_be_changed(prompt: Prompt) -> None:
    printed = prompt.type("Mia", "b", "Maya", "b", "b", "", "Noor", "q")
    assert "this is the first person" in printed and "Mia is Maya now (number 1): 5 photos" in printed
    assert prompt.names == ["Maya", "Noor", ""] and prompt.shown == [1, 2, 1, 2, 1, 2, 3]


def test_the_same_name_again_and_the_return_of_an_ignored_person_have_a_line(prompt: Prompt) -> None:
    assert "1 is Maya already\n" in prompt.type("Maya", "b", "Maya", "q")
    prompt.crowd.apply_edits(lambda e: e.ignore("Maya"))
    printed = prompt.type("Maya", "q")
    assert "Maya was ignored, and is back\n" in printed and "2 is Maya now" in printed


def test_a_wrong_answer_that_joined_two_people_is_changed_for_one_of_them(prompt: Prompt) -> None:
    assert "2 is Maya now: 9 photos" in prompt.type("Maya", "Maya", "b", "Noor", "q")
    assert prompt.names == ["Maya", "Noor", ""]


def test_u_undoes_the_last_decision_and_shows_the_person_again(prompt: Prompt) -> None:
    printed = prompt.type("Maya", "Kofi", "u", "Noor", "q")
    assert "undid 2: 2 is Kofi (4 faces); now person 2 (4 faces in 4 photos)" in printed
    assert prompt.names == ["Maya", "Noor", ""] and prompt.shown == [1, 2, 3, 2, 3]


def test_u_undoes_a_decision_of_an_earlier_run_after_a_question(prompt: Prompt) -> None:
    prompt.type("Maya", "q")
    printed = prompt.type("u", "n", "q")
    assert "the last decision was on 20" in printed and "1 is Maya (5 faces); undo it? [y/N]" in printed
    assert prompt.names == ["Maya", "", ""]
    prompt.type("u", "y", "q")
    assert prompt.names == ["", "", ""] and prompt.shown == [2, 1]
    assert "no decision is left to undo" in prompt.type("u", "q")


def test_s_splits_and_asks_about_each_part(prompt: Prompt) -> None:
    printed = prompt.type("", "s", "Noor", "Kofi", "u", "u", "u", "q")
    assert "2 is 2 people now: person 2 (3 faces in 3 photos), person 4 (1 face in 1 photo)" in printed
    assert prompt.shown[:4] == [1, 2, 2, 4]
    assert prompt.names == ["", "", ""]  # all three decisions are undone
    assert len(prompt.crowd.make_editor().list_decisions()) == 6


@pytest.mark.parametrize("typed", ["?", "help", "HELP"])
def test_help_is_no_name(prompt: Prompt, typed: str) -> None:
    printed = prompt.type(typed, "Maya", "q")
    assert "go back to the person before" in printed and prompt.names == ["Maya", "", ""]


@pytest.mark.parametrize("end", ["q", "quit", "EXIT", "^C", "", None])
def test_however_the_prompt_ends_the_names_are_kept(prompt: Prompt, end: str | None) -> None:
    printed = prompt.type("Maya", *([] if end is None else [end] * 2))  # None is Ctrl-D
    assert "Traceback" not in printed and prompt.names == ["Maya", "", ""]


@pytest.mark.parametrize("typed", ["z", "-n", "--undo", "list", "Ж"])
def test_a_name_that_looks_like_a_command_is_taken_only_after_yes(prompt: Prompt, typed: str) -> None:
    printed = prompt.type(typed, "n", "q")
    assert f"{typed} looks like a command; is it a name? [y/N]" in printed
    assert prompt.names == ["", "", ""] and prompt.shown == [1]
    printed = prompt.type(typed, "q", terminal=False)
    assert "looks like a command, not stored as a name; to use it as a name, confirm it on a" in printed
    assert prompt.names == ["", "", ""]
    prompt.type(typed, "y", "q")
    assert prompt.names == [typed, "", ""]


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("x", "1 is left out: not faces"),
        ("not a face", "1 is left out: not faces"),
        ("i", "1 is ignored now, with 5 faces"),
        ("Ignore", "1 is ignored now, with 5 faces"),
    ],
)
def test_a_false_detection_or_a_stranger_is_left_out_and_not_asked_about_again(
    prompt: Prompt, typed: str, line: str
) -> None:
    printed = prompt.type(typed, "Noor", "q")
    assert line in printed and "2 is Noor now: 4 photos" in printed and prompt.shown == [1, 2, 3]
    people = prompt.crowd.people
    assert [person.label for person in people.persons] == ["Noor", "person 3"]
    assert sum(len(person.rows) for person in people.list_hidden()) == 5
    prompt.type("q")
    assert prompt.shown == [3]


@pytest.mark.parametrize("typed", ["x", "i"])
def test_u_brings_back_what_was_left_out_and_asks_again(prompt: Prompt, typed: str) -> None:
    printed = prompt.type("Maya", typed, "u", "Noor", "q")
    assert "undid 2: 2 " in printed and "now person 2 (4 faces in 4 photos)" in printed
    assert prompt.shown == [1, 2, 3, 2, 3] and prompt.names == ["Maya", "Noor", ""]
    assert not prompt.crowd.people.list_hidden()


def test_the_keys_for_leaving_out_are_in_the_question_and_in_the_help(prompt: Prompt) -> None:
    printed = prompt.type("?", "q")
    assert "x: not a face, i: ignore" in printed
    assert "x          not a face" in printed and "i, ignore  leave out this person" in printed


@pytest.mark.parametrize("typed", ["stranger", "a Statue", "unknown", "I don't know", "no-one"])
def test_what_stands_for_no_name_is_taken_as_a_name_only_after_yes(prompt: Prompt, typed: str) -> None:
    printed = prompt.type(typed, "n", "q")
    assert f"{typed} does not look like a name; is it one? [y/N]" in printed
    assert f"{typed}: not stored as a name; type x if it is not a face, i to ignore the person\n" in printed
    assert "confirm it on a terminal" in prompt.type(typed, terminal=False)
    assert prompt.names == ["", "", ""]
    prompt.type(typed, "y", "q")
    assert prompt.names == [typed, "", ""]


def test_an_invalid_name_is_explained_and_asked_again(prompt: Prompt) -> None:
    printed = prompt.type("a|b", "Maya", "q")
    assert "a name cannot contain" in printed and prompt.names == ["Maya", "", ""] and prompt.shown == [1, 2]


def test_a_misspelt_name_is_asked_about(prompt: Prompt) -> None:
    prompt.type("Maya", "q")
    assert "Mya: did you mean Maya? [y/N]" in prompt.type("Mya", "y", "q")
    assert count_faces(prompt.crowd.people.find_person("Maya")) == 9
    prompt.type("u", "y", "Mya", "n", "q")
    assert prompt.names == ["Maya", "Mya", ""]
    assert "Maia is a new name; if you meant Maya, use --undo" in prompt.type("Maia", terminal=False)


def test_nobody_is_left_to_name(prompt: Prompt) -> None:
    prompt.type("Maya", "Noor", "Kofi")
    assert prompt.type() == "nobody without a name has at least 2 faces\n"


@pytest.mark.parametrize(
    ("typed", "known", "meant"),
    [
        ("Mya", "Maya", "Maya"),
        ("maay", "Maya", "Maya"),
        ("Mayaa", "Maya", "Maya"),
        ("Zo\u00eb Mller", "Zo\u00eb M\u00fcller", "Zo\u00eb M\u00fcller"),
        ("Krisotpher", "Kristopher", "Kristopher"),
        ("Maya", "Maya", ""),
        ("MAYA", "Maya", ""),
        ("Kim", "Tim", ""),
        ("Al", "Ali", ""),
        ("Maya Rao", "Maya", ""),
        ("Bob", "Maya", ""),
        ("李", "王", ""),
    ],
)
def test_which_names_are_probably_typing_errors(typed: str, known: str, meant: str) -> None:
    assert find_near_name(typed, ["Noor", known]) == meant


@pytest.mark.parametrize("name", ["李", "김", "Al", "Bo", "O'Brien", "Jean-Luc", "नू", "Undine"])
def test_short_names_are_no_commands(name: str) -> None:
    assert not looks_like_command(name)


def test_a_name_that_looks_like_a_command_is_refused_without_a_terminal(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(UserError, match="quit: looks like a command"):
        cli.check_typed_name("quit", crowd.make_editor())
