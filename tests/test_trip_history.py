"""Names of trips in the history of step 03, undone and restored, alone and together with names of people."""

import json
import shutil
from datetime import datetime, timedelta

import pytest
from conftest import ROOT, World, draw, run_here
from drawn import Drawn, picture_of
from test_trip_scripts import BERLIN, GOA, make_exif

from imagesearch.errors import UserError
from imagesearch.store import has_pending_edits
from imagesearch.trips import list_trip_decisions, locate_trip_lines, read_trip_lines, read_trip_names
from imagesearch.trips.decisions import TripName, append_trip_name


class Album(Drawn):
    """Photos at home and in Goa; the methods run scripts on them."""

    def run(self, script, *args, code=0, stdin=""):
        command = [str(ROOT / "scripts" / script), "-c", str(self.config_file), *args]
        done = run_here(command, self.folder, stdin)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def name(self, *args, **options):
        return self.run("03_name_people.py", "--no-show", *args, **options)

    def list_history(self):
        """Return the lines of the history without the times."""
        return [line[:6].strip() + line[22:] for line in self.name("--history").stdout.splitlines()]

    def list_trips(self):
        trips = json.loads(self.run("05_build_collections.py", "--trips", "--json").stdout)["trips"]
        return [trip["name"] for trip in trips]

    def find(self, text):
        answer = json.loads(self.run("06_search.py", text, "-k", "50", "--json").stdout)
        return [result["path"] for result in answer["results"]], answer["notes"]

    @property
    def log(self):
        return self.dataset().folder / "trips.jsonl"


def draw_album(folder):
    """Draw 24 photos at home, and six of Goa, with Maya in three of them and Kofi in the others."""
    album = Album(folder)
    start = datetime(2022, 1, 1, 18)
    for n in range(24):
        exif = make_exif(start + timedelta(days=15 * n), BERLIN)
        draw(n).save(album.photos / f"home{n:02}.jpg", exif=exif)
    for n in range(6):
        exif = make_exif(datetime(2022, 5, 3, 9) + timedelta(hours=12 * n), GOA)
        picture_of("Maya" if n < 3 else "Kofi", seed=300 + n)[0].save(
            album.photos / f"goa{n}.jpg", quality=92, exif=exif
        )
    return album


@pytest.fixture(scope="module")
def processed(tmp_path_factory):
    album = draw_album(tmp_path_factory.mktemp("album"))
    steps = ("01_extract_features", "02_cluster_faces", "04_extract_geo", "05_build_collections")
    for script in steps:
        album.run(f"{script}.py", *(["--no-show"] if script.startswith("02") else []))
    return album


@pytest.fixture
def album(processed, tmp_path):
    shutil.copytree(processed.folder, tmp_path / "album")
    return Album(tmp_path / "album")


@pytest.fixture
def goa(album):
    """The name that the trip has by itself."""
    (name,) = album.list_trips()
    return name


def test_names_of_trips_and_people_are_one_history(album, goa):
    album.name("--name", "1=Maya")
    album.name("--trip", "1=Ana's wedding")
    album.name("--name", "2=Kofi", "--no-build")
    assert album.list_history() == [
        "1  1 is Maya (3 faces)",
        f"2  trip {goa}: named Ana's wedding",
        "3  2 is Kofi (3 faces)",
    ]
    history = json.loads(album.name("--history", "--json").stdout)["history"]
    assert [(one["number"], one["about"], one["action"]) for one in history] == [
        (1, "people", "name"),
        (2, "trip", "name trip"),
        (3, "people", "name"),
    ]


def test_undo_takes_back_the_latest_decision_of_people_or_trips(album, goa):
    album.name("--name", "1=Maya", "--no-build")
    album.name("--trip", "1=Ana's wedding")
    album.name("--name", "2=Kofi", "--no-build")
    assert "undid 3: 2 is Kofi" in album.name("--undo").stderr
    assert album.list_trips() == ["Ana's wedding"]
    assert sorted(album.find("the wedding")[0]) == [f"goa{n}.jpg" for n in range(6)]
    done = album.name("--undo")
    assert f"undid 2: trip {goa}: named Ana's wedding; now {goa}\n" in done.stderr
    assert goa in done.stdout  # the list of trips, as after --trip
    assert album.list_trips() == [goa]
    assert "undid 1: 1 is Maya" in album.name("--undo").stderr
    assert "no decision is left to undo" in album.name("--undo", code=2).stderr
    assert album.list_history()[3:] == [
        "4  undid 3: 2 is Kofi (3 faces)",
        f"5  undid 2: trip {goa}: named Ana's wedding",
        "6  undid 1: 1 is Maya (3 faces)",
    ]
    done = album.name("--undo", "5", "6", "--show", "Maya")  # of both kinds in one call
    assert f"restored 2: trip {goa}: named Ana's wedding; now Ana's wedding" in done.stderr
    assert "restored 1: 1 is Maya" in done.stderr
    assert album.list_trips() == ["Ana's wedding"]
    assert album.list_history()[1] == f"2  trip {goa}: named Ana's wedding"


def test_a_trip_returns_to_the_name_before(album, goa):
    for name in ("Ana's wedding", "The wedding", ""):
        album.name("--trip", f"1={name}")
    assert album.list_history() == [
        f"1  trip {goa}: named Ana's wedding",
        "2  trip Ana's wedding: named The wedding",
        "3  trip The wedding: name removed",
    ]
    assert "has no other name" in album.name("--trip", "1=").stderr
    assert album.list_trips() == [goa]
    for name in ("The wedding", "Ana's wedding", goa):
        assert album.name("--undo").stderr.splitlines()[0].endswith(f"; now {name}")
        assert album.list_trips() == [name]
    error = album.name("--undo", "2", code=2).stderr
    assert "--undo 2: already undone by 5; --undo 5 restores it" in error
    album.name("--undo", "5")
    assert album.list_trips() == ["The wedding"]
    album.name("--undo", "--trip", "1=Safari")  # the undo comes first
    assert album.list_trips() == ["Safari"]
    refused = album.name("--trip", "1=Tour", "--trip", "99=Nothing", code=2).stderr.splitlines()
    assert refused[:2] == ["Safari: named Tour", "the lines above are stored"]
    assert not has_pending_edits(album.dataset()) and album.list_trips() == ["Tour"]
    assert "named Safari" in album.name("--trip", "1=Safari").stderr
    lines = len(album.list_history())
    assert "Safari has this name already" in album.name("--trip", "1=Safari").stderr
    assert len(album.list_history()) == lines
    assert "no such decision; the last decision is 11" in album.name("--undo", "99", code=2).stderr


def test_searches_and_step_05_notice_that_a_name_was_undone(album, goa):
    album.name("--trip", "1=Ana's wedding")
    assert not has_pending_edits(album.dataset())
    album.name("--undo", "--no-build")
    assert has_pending_edits(album.dataset())
    assert any("names have changed" in note for note in album.find("goa")[1])
    album.name("--trip", "1=Safari", "--no-build")  # as many names as before
    assert has_pending_edits(album.dataset())
    album.name("--undo", "--no-build")
    album.run("05_build_collections.py")
    assert not has_pending_edits(album.dataset())
    assert album.list_trips() == [goa]


def test_names_of_an_earlier_version_are_placed_by_their_time_and_undone(album, goa):
    album.name("--name", "1=Maya", "--no-build")
    album.name("--trip", "1=Ana's wedding", "--no-build")
    album.name("--name", "2=Kofi", "--no-build")
    people = album.log.with_name("people.jsonl")
    first, second = map(json.loads, people.read_text("utf-8").splitlines())
    first["at"], second["at"] = "2025-05-01T12:00:00+02:00", "2025-05-01T12:20:00+02:00"
    people.write_text("".join(json.dumps(line) + "\n" for line in (first, second)), "utf-8")
    line = {key: json.loads(album.log.read_text("utf-8"))[key] for key in ("do", "name", "photos")}
    old = json.dumps({"at": "2025-05-01T10:10:00+00:00"} | line) + "\n"  # the same day, in UTC
    album.log.write_text(old, "utf-8")
    assert album.list_history()[1] == "2  a trip of 6 photos: named Ana's wedding"
    album.run("05_build_collections.py")
    assert album.list_trips() == ["Ana's wedding"]
    album.name("--undo", "2")
    assert album.list_trips() == [goa]
    assert album.log.read_text("utf-8").startswith(old)  # nothing is removed
    assert album.list_history()[3] == "4  undid 2: a trip of 6 photos: named Ana's wedding"


def test_numbers_stay_if_the_clock_is_set_back(album, goa):
    album.name("--name", "1=Maya", "--no-build")
    album.name("--trip", "1=Ana's wedding", "--no-build")
    line = json.loads(album.log.read_text("utf-8"))
    album.log.write_text(json.dumps(line | {"at": "2099-01-01T00:00:00+00:00"}) + "\n", "utf-8")
    album.name("--name", "2=Kofi", "--no-build")
    album.name("--undo", "--no-build")
    assert [line.split("  ")[1][:12] for line in album.list_history()] == [
        "1 is Maya (3",
        f"trip {goa}"[:12],
        "2 is Kofi (3",
        "undid 3: 2 i",
    ]


def test_a_killed_run_leaves_half_a_line(album, goa):
    album.name("--trip", "1=Ana's wedding")
    album.name("--undo", "--no-build")
    whole = album.log.read_bytes()
    album.log.write_bytes(whole[:-40])  # the undo was killed while it was written
    assert album.list_history() == [f"1  trip {goa}: named Ana's wedding"]
    assert not has_pending_edits(album.dataset())
    album.name("--undo")
    assert album.list_history()[1:] == [f"2  undid 1: trip {goa}: named Ana's wedding"]
    album.log.write_bytes(album.log.read_bytes().rstrip(b"\n"))  # by an editor: the line is complete
    album.name("--trip", "1=Safari")
    assert [name.name for name in read_trip_names(album.log.parent)] == ["Safari"]
    assert len(read_trip_lines(album.log.parent)) == 3
    album.log.write_text('{"do": "sing"}\n', "utf-8")
    with pytest.raises(UserError, match=r"line 1 cannot be read \(unknown action 'sing'\); correct"):
        read_trip_names(album.log.parent)


def test_the_prompt_undoes_people_and_has_the_numbers_of_the_history(album, goa):
    album.name("--trip", "1=Ana's wedding")
    done = album.name("--interactive", "--no-build", stdin="Maya\nu\nq\n")
    assert "undid 2: 1 is Maya" in done.stderr
    assert album.list_trips() == ["Ana's wedding"]
    assert album.list_history()[2] == "3  undid 2: 1 is Maya (3 faces)"


def test_an_album_without_faces_has_a_history_of_trips(tmp_path, tiny_models):
    world = World(tmp_path, tiny_models)
    for n in range(8):
        time = datetime(2022, 1, 1, 18) + timedelta(days=15 * n)
        world.add(f"home{n}.jpg", n, exif=make_exif(time, BERLIN))
    for n in range(3):
        world.add(f"goa{n}.jpg", 50 + n, exif=make_exif(datetime(2022, 3, 20, 9 + n), GOA))
    for script in ("01_extract_features", "04_extract_geo", "05_build_collections"):
        world.run(f"{script}.py")
    assert world.run("03_name_people.py", "--history").stdout == "no decisions yet\n"
    world.run("03_name_people.py", "--trip", "1=Ana's wedding")
    assert world.run("03_name_people.py", "--history").stdout.endswith(": named Ana's wedding\n")
    history = json.loads(world.run("03_name_people.py", "--history", "--json").stdout)
    assert history["people"] == [] and history["history"][0]["about"] == "trip"
    assert "undid 1: trip " in world.run("03_name_people.py", "--undo").stderr
    assert "Ana" not in world.run("05_build_collections.py", "--trips").stdout


def test_lines_of_trips_keep_their_place_among_the_edits_of_people(tmp_path):
    append_trip_name(tmp_path, "Goa", (("a.jpg", "12"),), edit_count=0)
    (line,) = read_trip_lines(tmp_path)
    assert line.edit_count == 0, "before the first edit, though in the same second"
    edits = ["2025-05-01T12:00:00+02:00", "2025-05-01T12:20:00+02:00"]

    def locate(*lines):
        return locate_trip_lines(lines, edits)

    assert locate(TripName(at=edits[0]), TripName(at="2025-05-01T10:10:00+00:00")) == [1, 1]
    assert locate(TripName(at="someday")) == [0], "a time that the user has changed"
    assert locate(TripName(edit_count=5)) == [2], "edits were removed by hand"
    assert locate(TripName(edit_count=2), TripName(edit_count=1)) == [2, 2], "in the order of the file"
    undo = TripName(action="undo", undoes=((9, "none"),), at="someday")
    (decision,) = list_trip_decisions([undo], [2], [0, 1])
    text = "undid a name of a trip that is no longer in the file"
    assert (decision.number, str(decision)) == (3, f"   3  someday           {text}")
