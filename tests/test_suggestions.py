"""``03 --suggest``: which pairs are asked about, in which order, and what the answers do."""

from __future__ import annotations

import argparse
import io
import itertools
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from crowd import Crowd, count_faces
from drawn import Drawn
from synthetic import PLACES, people_vectors, row_of, vectors_of
from test_naming_prompt import Terminal

from imagesearch import cli
from imagesearch.errors import UserError
from imagesearch.faces import Suggester, Suggestion
from imagesearch.faces.edit_log import Edit, EditLog

LIMIT = 0.5


class Album(Crowd):
    """A crowd with people who are alike."""

    def add_alike(self, who: int, likeness: float, other: int, *paths: str, noise: float = 0.3) -> None:
        """Add faces of a person who is like another one: the cosine of the two is `likeness`."""
        people = people_vectors(8)
        mixed = likeness * people[other] + np.sqrt(1 - likeness**2) * people[who]
        for path in paths:
            vector = vectors_of([0], mixed[None], noise, seed=zlib.crc32(path.encode()))[0]
            self.items.setdefault(path, []).append((path, PLACES[len(self.items.get(path, []))], vector))

    def suggest(self, count: int = 50, limit: float = LIMIT) -> list[Suggestion]:
        return Suggester(self.people, limit).list_suggestions(count)

    def list_labels(self, **values) -> list[tuple[str, str]]:
        return [(s.one.label, s.other.label) for s in self.suggest(**values)]

    def answer(self, monkeypatch, *lines: str, count: int = 10) -> list[str]:
        """Type lines at the prompt of 03 --suggest; return the pairs that it showed."""
        monkeypatch.setattr("sys.stdin", Terminal("".join(f"{line}\n" for line in lines)))
        shown: list[str] = []
        ask = lambda s: shown.append(f"{s.one.label}, {s.other.label}")  # noqa: E731 - returns None: no window
        cli.ask_pairs(self.make_editor(), LIMIT, count, ask)
        return shown

    def find_label(self, path: str) -> str:
        return self.people.label_faces()[0][row_of(self.faces, path)]

    def are_apart(self, *parts: list[str]) -> bool:
        """Whether no face of one list is of the same person as a face of the other."""
        labels, faces = self.people.label_faces()[0], self.faces
        sides = [{labels[row_of(faces, path)] for path in paths} for paths in parts]
        return sides[0].isdisjoint(sides[1])


def name_photos(letter: str, count: int) -> list[str]:
    return [f"{letter}{i}.jpg" for i in range(count)]


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Album:
    """Maya as a child and as an adult are two people for the clustering: persons 1 and 2. A poor photo of
    person 3 is person 5; person 4 is like nobody."""
    album = Album(Drawn(tmp_path), monkeypatch)
    album.add_alike(0, 0.0, 1, *name_photos("a", 7))
    album.add_alike(4, 0.46, 0, *name_photos("b", 6))
    album.add_alike(1, 0.0, 0, *name_photos("c", 5))
    album.add_alike(2, 0.0, 0, *name_photos("d", 4))
    album.add_alike(5, 0.42, 1, "e0.jpg")
    people = album.cluster()
    assert [(p.number, count_faces(p)) for p in people.persons] == [(1, 7), (2, 6), (3, 5), (4, 4), (5, 1)]
    return album


CHILD, ADULT = name_photos("b", 6), name_photos("a", 7)


# --- which pairs, in which order ---------------------------------------------------------------------------


def test_the_pair_whose_answer_changes_most_comes_first(album: Album) -> None:
    assert album.list_labels() == [("person 1", "person 2"), ("person 3", "person 5")]
    first = album.suggest()[0]
    assert LIMIT < first.distance < LIMIT + 0.1 and not first.is_joined
    assert first.reason == "two people at present; the distance is above the limit of 0.50"


def test_a_person_with_a_name_comes_first(album: Album) -> None:
    album.apply_edits(lambda e: e.name_person("5", "Kofi"))
    assert album.list_labels()[0] == ("Kofi", "person 3")


def test_people_with_different_names_are_not_asked_about(album: Album) -> None:
    album.apply_edits(lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "Noor"))
    assert album.list_labels() == [("person 3", "person 5")]


def test_people_in_one_photo_are_not_asked_about(album: Album) -> None:
    album.add_alike(4, 0.5, 0, "a0.jpg")
    album.cluster()
    assert ("person 1", "person 2") not in album.list_labels()


def test_people_that_were_split_or_denied_are_not_asked_about(album: Album) -> None:
    album.apply_edits(lambda e: e.merge(["1", "2"]))
    album.apply_edits(lambda e: e.split("1"))
    album.apply_edits(lambda e: e.name_person("3", "Kofi"), lambda e: e.deny("5", "Kofi"))
    assert album.list_labels() == []


def test_a_person_of_two_kinds_of_faces_is_asked_about(album: Album) -> None:
    album.add_alike(6, 0.58, 2, *name_photos("f", 4))
    people = album.cluster()
    mixed = next(p for p in people.persons if count_faces(p) == 8)
    suggestion = next(s for s in album.suggest() if s.is_joined)
    assert suggestion.one.number == mixed.number and suggestion.other.label == f"4 faces of {mixed.label}"
    assert suggestion.reason.startswith("one person at present")
    paths = {album.faces.get_photo(int(row)).path for row in suggestion.other.rows}
    assert paths in (set(name_photos("f", 4)), set(name_photos("d", 4)))


def test_nothing_is_asked_about_people_who_are_clearly_apart(tmp_path: Path, monkeypatch) -> None:
    album = Album(Drawn(tmp_path), monkeypatch)
    for who, letter in enumerate("abc"):
        album.add_alike(who, 0.0, 7, *name_photos(letter, 4))
    album.cluster()
    assert album.list_labels() == []


# --- answers -----------------------------------------------------------------------------------------------


def test_yes_is_a_merge_and_is_not_asked_again(album: Album, monkeypatch, capsys) -> None:
    assert album.answer(monkeypatch, "y", "q") == ["person 1, person 2", "person 3, person 5"]
    assert "1: 1 and 2 are one person (13 faces)" in capsys.readouterr().err
    assert len({album.find_label(path) for path in CHILD + ADULT}) == 1
    album.cluster("faces.cluster_distance=0.0001")
    assert len({album.find_label(path) for path in CHILD + ADULT}) == 1
    album.cluster()
    assert album.list_labels() == [("person 3", "person 5")]


def test_yes_names_a_few_faces_of_a_person_with_a_name(album: Album, monkeypatch) -> None:
    album.apply_edits(lambda e: e.name_person("3", "Kofi"))
    album.answer(monkeypatch, "y", "q")
    assert album.find_label("e0.jpg") == "Kofi"
    decision = album.make_editor().list_decisions()[-1]
    assert decision.edits[0].action == "name" and decision.edits[0].confirmed
    assert decision.summary == "5 is Kofi (1 face)"


@pytest.mark.parametrize("name", ["", "Maya"])
def test_no_stays_no(album: Album, monkeypatch, name: str) -> None:
    if name:
        album.apply_edits(lambda e: e.name_person("1", name))
    album.answer(monkeypatch, "n", "q")
    assert album.are_apart(CHILD, ADULT)
    # photos of the years between, and other thresholds: one person for all, and one for each face
    album.add_alike(4, 0.8, 0, *name_photos("between", 5))
    for distance in (0.5, 0.8, 1.9, 0.2, 0.0001, 0.6):
        album.cluster(f"faces.cluster_distance={distance}")
        assert album.are_apart(CHILD, ADULT), distance
        for s in album.suggest(limit=distance):
            faces = [{album.faces.get_photo(int(row)).path for row in side.rows} for side in (s.one, s.other)]
            assert not any(a & set(CHILD) and b & set(ADULT) for a, b in itertools.permutations(faces))
    if name:
        assert {album.find_label(path) for path in ADULT} == {name}


def test_the_faces_of_one_side_of_a_no_need_not_be_one_person(album: Album, monkeypatch) -> None:
    album.answer(monkeypatch, "n", "q")
    album.cluster("faces.cluster_distance=0.0001")
    assert len({album.find_label(path) for path in CHILD}) == len(CHILD)


def test_people_who_are_not_the_same_can_get_names_and_become_the_same(album: Album, monkeypatch) -> None:
    album.answer(monkeypatch, "n", "q")
    album.apply_edits(lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "Noor"))
    assert {album.find_label(path) for path in CHILD} == {"Noor"}
    album.apply_edits(lambda e: e.name_person("Noor", "Maya"))
    assert {album.find_label(path) for path in CHILD + ADULT} == {"Maya"}


def test_a_no_separates_a_person_of_two_kinds_of_faces(album: Album, monkeypatch) -> None:
    album.add_alike(6, 0.58, 2, *name_photos("f", 4))
    album.cluster()
    position = next(i for i, s in enumerate(album.suggest()) if s.is_joined)
    album.answer(monkeypatch, *["s"] * position, "n", "q")
    assert album.are_apart(name_photos("f", 4), name_photos("d", 4))
    assert not any(s.is_joined for s in album.suggest())


def test_a_yes_about_one_person_is_not_asked_again(album: Album, monkeypatch) -> None:
    album.add_alike(6, 0.58, 2, *name_photos("f", 4))
    album.cluster()
    position = next(i for i, s in enumerate(album.suggest()) if s.is_joined)
    album.answer(monkeypatch, *["s"] * position, "y", "q")
    album.cluster("faces.cluster_distance=0.1")
    assert len({album.find_label(path) for path in name_photos("f", 4) + name_photos("d", 4)}) == 1
    assert not any(s.is_joined for s in album.suggest())


def test_a_large_person_is_separated_with_few_pairs(tmp_path: Path, monkeypatch) -> None:
    album = Album(Drawn(tmp_path), monkeypatch)
    album.add_alike(0, 0.0, 1, *name_photos("a", 120))
    album.add_alike(4, 0.46, 0, *name_photos("b", 110))
    album.cluster()
    album.answer(monkeypatch, "n", "q")
    assert len(album.people.constraints.cannot_link) == 1
    album.cluster("faces.cluster_distance=1.9")
    assert album.are_apart(name_photos("a", 120), name_photos("b", 110))


# --- the prompt --------------------------------------------------------------------------------------------


def test_a_skipped_question_comes_again_in_the_next_run(album: Album, monkeypatch) -> None:
    assert album.answer(monkeypatch, "", "s") == ["person 1, person 2", "person 3, person 5"]
    assert album.answer(monkeypatch, "q") == ["person 1, person 2"]
    assert album.make_editor().list_decisions() == []


def test_b_and_u_go_back_and_take_the_answer_back(album: Album, monkeypatch, capsys) -> None:
    pairs = ["person 1, person 2", "person 3, person 5"]
    assert album.answer(monkeypatch, "b", "n", "b", "y", "s", "q") == [pairs[0], pairs[1], *pairs]
    printed = capsys.readouterr().err
    assert "this is the first question" in printed and "undid 1: 1 and 2 are not the same person" in printed
    assert len({album.find_label(path) for path in CHILD + ADULT}) == 1
    shown = album.answer(monkeypatch, "u", "n", "u", "y", "q")  # of an earlier run: after a question
    assert "1 and 2 are one person (13 faces); undo it? [y/N]" in capsys.readouterr().err
    assert shown == ["person 3, person 5", "person 1, person 2"] and album.are_apart(CHILD, ADULT)
    album.answer(monkeypatch, "n", "u", "y", "u", "q")
    decisions = album.make_editor().list_decisions()
    assert all(d.undone_by for d in decisions if d.edits[0].action != "undo")
    assert album.list_labels() == [("person 1", "person 2"), ("person 3", "person 5")]


def test_the_number_of_questions_is_limited(album: Album, monkeypatch) -> None:
    assert album.answer(monkeypatch, "n", "n", count=1) == ["person 1, person 2"]


@pytest.mark.parametrize("end", ["q", "QUIT", "^C", None])
def test_however_the_prompt_ends_the_answers_are_kept(album: Album, monkeypatch, capsys, end) -> None:
    album.answer(monkeypatch, "yes", "?", "what?", *([end] if end else []))
    printed = capsys.readouterr().err
    assert "Traceback" not in printed and printed.count("they are the same person") == 2
    assert len({album.find_label(path) for path in CHILD + ADULT}) == 1


def test_without_a_terminal_a_closed_window_ends_the_questions(album: Album, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    replies = iter(["no", ""])
    cli.ask_pairs(album.make_editor(), LIMIT, 10, lambda s: next(replies))
    assert album.are_apart(CHILD, ADULT) and len(album.make_editor().list_decisions()) == 1


def test_several_answers_about_one_person_are_one_person(album: Album) -> None:
    """Each answer is taken into account at once, without a new clustering."""
    album.add_alike(6, 0.46, 0, *name_photos("g", 3))
    album.cluster()
    asked: list[str] = []

    def answer(suggestion: Suggestion) -> str:
        sides = (suggestion.one.rows, suggestion.other.rows)
        letters = [
            "".join(sorted({album.faces.get_photo(int(row)).path[0] for row in rows})) for rows in sides
        ]
        asked.append(" ".join(letters))
        return "yes" if set("".join(letters)) <= set("abg") else "no"

    cli.ask_pairs(album.make_editor(), LIMIT, 10, answer)
    assert asked[:2] == ["a b", "ab g"] and len(asked) == len(set(asked))
    assert len({album.find_label(path) for path in CHILD + ADULT + name_photos("g", 3)}) == 1
    assert album.list_labels() == []


# --- options -----------------------------------------------------------------------------------------------


def test_not_is_for_people_without_names_too(album: Album) -> None:
    album.apply_edits(lambda e: e.deny("2", "1"))
    assert album.make_editor().list_decisions()[-1].summary == "2 and 1 are not the same person (13 faces)"
    album.cluster("faces.cluster_distance=1.9")
    assert album.are_apart(CHILD, ADULT)
    album.apply_edits(lambda e: e.undo())
    album.cluster("faces.cluster_distance=1.9")
    assert not album.are_apart(CHILD, ADULT)


def test_a_face_is_not_of_its_person_without_a_name(album: Album) -> None:
    path = album.faces.get_photo(int(album.people.find_person("1").rows[2])).path
    album.apply_edits(lambda e: e.deny("1.3", "1"))
    assert album.are_apart([path], [other for other in ADULT if other != path])
    with pytest.raises(UserError, match="these are all faces of person 2"):
        album.make_editor().deny("2", "2")


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "1001"])
def test_a_wrong_number_of_questions_is_refused(text: str, capsys) -> None:
    parser = argparse.ArgumentParser()
    cli.add_suggest_option(parser)
    with pytest.raises(SystemExit):
        parser.parse_args([f"--suggest={text}"])
    assert "is not a whole number from 1 to 1000" in capsys.readouterr().err


def test_the_log_has_the_answer_and_older_logs_are_read(tmp_path: Path) -> None:
    log = EditLog(tmp_path / "people.jsonl")
    old = '{"at": "2024-01-01", "do": "merge", "faces": [[["a.jpg", "00", [0, 0, 1, 1]]]]}\n'
    log.file.write_text(old, "utf-8")
    faces = ((("a.jpg", "00", (0.0, 0.0, 1.0, 1.0)),), (("b.jpg", "11", (0.0, 0.0, 1.0, 1.0)),))
    log.append(Edit("differ", faces, who=("person 1", "person 2")))
    assert [edit.action for edit in log.read()] == ["merge", "differ"] and log.read()[1].faces == faces
    assert log.file.read_text("utf-8").startswith(old)


# --- the order, measured -----------------------------------------------------------------------------------


def test_answers_in_this_order_repair_more_pairs_than_by_distance_or_at_random(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from suggestions import ORDERS, make_face_vectors, measure_answers

    repaired = {}
    for order in ORDERS:
        scores = [
            list(measure_answers(*make_face_vectors(600, 128, seed=s), 0.5, order, s)) for s in range(3)
        ]
        before, after = np.mean(scores, axis=0)[[0, 10]]
        repaired[order] = after - before
    assert repaired["benefit"] > 0.01
    assert repaired["distance"] < 0.7 * repaired["benefit"] > repaired["random"]
