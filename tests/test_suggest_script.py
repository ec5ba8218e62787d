"""``03 --suggest`` in the window and as a script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import ROOT, Done, run_here
from drawn import Drawn
from people_rows import copy_world

from imagesearch.faces import Side, Suggestion, cluster_people, load_people
from imagesearch.figures.same_people import SameViewer, make_question

# --- the window --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "reply"), [("y", "yes"), ("n", "no"), ("s", "skip"), ("q", "quit")])
def test_keys_answer_in_the_window(twelve_photos: Drawn, key: str, reply: str) -> None:
    import matplotlib.pyplot as plt

    people = load_people(twelve_photos.config(), twelve_photos.dataset())
    one, other = people.persons[:2]
    suggestion = Suggestion(
        Side(one.number, "", one.rows), Side(other.number, "", other.rows), distance=0.6, gain=1.0, limit=0.5
    )
    viewer = SameViewer(
        make_question(suggestion, people, twelve_photos.dataset()), plt.figure(figsize=(12, 6))
    )
    texts = "\n".join(text.get_text() for axis in viewer.figure.findobj(plt.Axes) for text in axis.texts)
    assert "person 1 (5 faces)" in texts and "person 2 (4 faces)" in texts and "2.4" in texts
    assert "y: yes" in viewer.footer and viewer.reply == ""
    picture = next(axis for axis in viewer.figure.findobj(plt.Axes) if axis.images).images[0]
    viewer.handle_click(*picture.get_window_extent().get_points().mean(axis=0))
    assert viewer.open_number == 0 and "back" in viewer.footer
    viewer.handle_key("escape")
    assert viewer.open_number is None and viewer.reply == ""
    assert viewer.handle_key(key) and viewer.reply == reply
    assert not plt.fignum_exists(viewer.figure.number)


# --- the script --------------------------------------------------------------------------------------------


def run(drawn: Drawn, *args: str) -> Done:
    script = str(ROOT / "scripts" / "03_name_people.py")
    return run_here([script, "-c", str(drawn.config_file), *args, "--no-build"], drawn.folder)


def test_without_a_terminal_the_script_prints_how_to_answer(twelve_photos: Drawn, tmp_path: Path) -> None:
    drawn = copy_world(twelve_photos, tmp_path)
    done = run(drawn, "--suggest")
    assert (done.returncode, done.stdout) == (0, "no pair of people is uncertain\n")
    setting = ("--set", "faces.cluster_distance=0.05")
    cluster_people(drawn.config("faces.cluster_distance=0.05"), drawn.dataset())
    done = run(drawn, "--suggest", "3", *setting)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) == 4 and "to answer, use these options" in done.stderr
    done = run(drawn, "--suggest", "1", "--json", *setting)
    (suggestion,) = json.loads(done.stdout)["suggestions"]
    assert suggestion["one_person"] is False and suggestion["reason"].startswith("two people at present")
    numbers = [side["number"] for side in suggestion["sides"]]
    faces = [side["faces"] for side in suggestion["sides"]]
    assert suggestion["yes"] == f"--merge {numbers[0]} {numbers[1]}" and suggestion["yes"] in lines[1]
    assert suggestion["no"] == f"--not {numbers[1]}={numbers[0]}" and lines[1].endswith(suggestion["no"])
    done = run(drawn, *suggestion["no"].split(), *setting, "--no-show")
    assert "are not the same person; now" in done.stderr and done.returncode == 0, done.stderr
    done = run(drawn, "--suggest", "1000", "--json", *setting)
    asked = [[side["number"] for side in s["sides"]] for s in json.loads(done.stdout)["suggestions"]]
    assert numbers not in asked and numbers[::-1] not in asked and asked
    done = run(drawn, "--undo", "--merge", *map(str, numbers), *setting, "--json")
    assert sum(faces) in [person["faces"] for person in json.loads(done.stdout)["people"]]
