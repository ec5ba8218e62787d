"""All steps in one run, as `make photos` makes them: a folder of photos in, sentences answered."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ROOT, Done, run_here
from drawn import Drawn, picture_of

from imagesearch.workflow import RunSummary, run_steps


@pytest.fixture
def drawn(tmp_path: Path) -> Drawn:
    """Two people on three photos, one file that is no photo, nothing extracted yet."""
    drawn = Drawn(tmp_path)
    for seed, people in enumerate((("Maya",), ("Maya", "Kofi"), ("Kofi",)), 1):
        picture_of(*people, seed=seed)[0].save(drawn.photos / f"{seed}.png")
    (drawn.photos / "broken.jpg").write_bytes(b"not much of a photo")
    return drawn


def run(drawn: Drawn, script: str, *args: str, code: int = 0) -> Done:
    done = run_here([str(ROOT / "scripts" / script), "-c", str(drawn.config_file), *args], drawn.folder)
    assert done.returncode == code, done.stderr
    return done


def test_one_run_makes_photos_searchable_and_a_second_one_finds_nothing_to_do(drawn: Drawn) -> None:
    done = run(drawn, "00_run_steps.py")
    assert done.stderr.count("broken.jpg") == 1, "named once, not by each step"
    assert "no person has a name yet; run 03_name_people.py" in done.stderr
    assert "01 features: 3 new" in done.stdout and "02 faces: 3 new" in done.stdout
    assert "04 places and times: 3 new" in done.stdout
    assert "05 album_clip: 3 photos: 3 new" in done.stdout and "05 album_faces: 4 faces: 4 new" in done.stdout

    run(drawn, "03_name_people.py", "--name", "1=Maya", "--no-show")
    found = json.loads(run(drawn, "06_search.py", "--person", "maya", "--json", "--no-show").stdout)
    assert len(found["results"]) == 2

    again = json.loads(run(drawn, "00_run_steps.py", "--json").stdout)
    assert [again[step]["new"] for step in ("features", "faces", "geo")] == [0, 0, 0]
    assert again["collections"]["clip"]["unchanged"] == again["collections"]["clip"]["rows"] == 3
    assert list(again["failed"]) == ["broken.jpg"]
    assert {person["name"] for person in again["faces"]["people"]} == {"Maya", ""}


def test_a_moved_photo_is_moved_in_every_step(drawn: Drawn) -> None:
    run(drawn, "00_run_steps.py")
    (drawn.photos / "2.png").rename(drawn.photos / "z.png")  # has two faces
    lines = run(drawn, "00_run_steps.py").stdout.splitlines()
    moved = {line.partition(":")[0]: line for line in lines if " moved" in line}
    assert moved.keys() == {
        "01 features",
        "02 faces",
        "04 places and times",
        "05 album_clip",
        "05 album_vit",
        "05 album_faces",
    }
    assert "3 photos: 0 new, 0 changed, 2 unchanged, 1 moved, 0 gone" in moved["05 album_clip"]
    assert "4 faces: 0 new, 0 changed, 2 unchanged, 2 moved, 0 gone" in moved["05 album_faces"]


def test_other_folders_are_remembered_for_the_later_steps(drawn: Drawn, tmp_path: Path) -> None:
    other = tmp_path / "Trip 2"
    other.mkdir()
    picture_of("Zoë", seed=7)[0].save(other / "zoe.png")
    run(drawn, "00_run_steps.py", "-i", str(other))
    found = json.loads(run(drawn, "06_search.py", "a person", "--json", "--no-show").stdout)
    assert [Path(result["file"]) for result in found["results"]] == [other / "zoe.png"]


def test_a_milvus_that_cannot_be_opened_is_reported_before_any_photo_is_read(drawn: Drawn) -> None:
    (drawn.folder / "milvus.db").write_text("somebody's notes")
    done = run(drawn, "00_run_steps.py", code=2)
    assert "milvus.db: not a Milvus Lite database" in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (drawn.folder / "processed").exists()


def test_a_mistyped_geocoder_is_reported_before_any_photo_is_read(drawn: Drawn) -> None:
    done = run(drawn, "00_run_steps.py", "--set", "geo.geocoder=nominatin", code=2)
    line = "geo.geocoder: expected a known geocoder, got 'nominatin'; did you mean nominatim?"
    assert line in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (drawn.folder / "processed" / "album" / "clip").exists()


def run_and_record(drawn: Drawn, retry_failed: bool = False) -> tuple[RunSummary, list[tuple]]:
    """Run all steps here; return the summary, and what the progress bars were told."""
    bars = []

    def record(items: Iterable, total: int, unit: str = "photo", label: str | None = None) -> Iterable:
        bars.append((label, total, unit))
        return items

    return run_steps(drawn.config(), drawn.dataset(), retry_failed=retry_failed, progress=record), bars


def test_each_step_has_its_bar_and_retry_failed_looks_again_in_every_step(drawn: Drawn) -> None:
    rows = [("clip", 3, "photo"), ("vit", 3, "photo"), ("faces", 4, "face")]
    for retry_failed, photos in ((False, 4), (False, 0), (True, 1)):
        _, bars = run_and_record(drawn, retry_failed)
        assert bars == [(step, photos, "photo") for step in ("features", "faces", "metadata")] + rows


def test_rows_that_milvus_could_not_take_are_named_whatever_their_collection(drawn: Drawn) -> None:
    summary, _ = run_and_record(drawn)
    reports = {
        kind: replace(summary.collections[kind], skipped={f"{kind}.png": "too long"})
        for kind in ("clip", "vit")
    }
    assert replace(summary, collections=summary.collections | reports).skipped == {
        "clip.png": "too long",
        "vit.png": "too long",
    }


def test_notes_of_every_step_are_passed_on(drawn: Drawn) -> None:
    summary, _ = run_and_record(drawn)
    geo = replace(summary.geo, unanswered=2, reason="timeout")
    people = replace(summary.people, outdated=True)
    people_note, geo_note, naming = replace(summary, geo=geo, people=people).notes
    assert "not applied to the clusters" in people_note
    assert "no response from the geocoder for 2 places (timeout)" in geo_note
    assert "no person has a name yet" in naming
