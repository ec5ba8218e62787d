"""All steps in one run, as `make photos` makes them: a folder of photos in, sentences answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import ROOT, Done, run_here
from drawn import Drawn, picture_of


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
    assert "nobody has a name yet; run 03_name_people.py" in done.stderr
    assert "01 features: 4 new" in done.stdout and "02 faces: 4 new" in done.stdout
    assert "04 places and times: 4 new" in done.stdout
    assert "05 album_clip: 3 photos: 3 new" in done.stdout and "05 album_faces: 4 faces: 4 new" in done.stdout

    run(drawn, "03_name_people.py", "--name", "1=Maya", "--no-show")
    found = json.loads(run(drawn, "06_search.py", "--person", "maya", "--json", "--no-show").stdout)
    assert len(found["results"]) == 2

    again = json.loads(run(drawn, "00_run_steps.py", "--json").stdout)
    assert [again[step]["new"] for step in ("features", "faces", "geo")] == [0, 0, 0]
    assert again["collections"]["clip"]["unchanged"] == again["collections"]["clip"]["rows"] == 3
    assert list(again["failed"]) == ["broken.jpg"]
    assert {person["name"] for person in again["faces"]["people"]} == {"Maya", ""}


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
    assert "no such geocoder; did you mean nominatim?" in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (drawn.folder / "processed" / "album" / "clip").exists()
