"""The jobs of Rescue Box over HTTP, by flask-ml's own client: the bodies sent, and the answers of 06."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from conftest import ROOT, BuiltAlbum, run_here
from drawn import picture_of
from flask_ml.flask_ml_client import MLClient
from flask_ml.flask_ml_server.models import ResponseBody
from http_requests import send
from server_process import ServerProcess, copy_album

from imagesearch.api import forms
from imagesearch.api.body_checks import check_body, parse_body

SENTENCES = (
    "a beach", "snow", "a lake with a boat", "maya", "kofi and maya", "in goa", "a dog in the park",
    "the oldest photo of maya",
)  # fmt: skip
CLIENTS = 32


class Served:
    """A copy of a built album, served by script 10."""

    def __init__(self, source: Path, folder: Path) -> None:
        self.folder, self.config_file = folder, copy_album(source, folder)
        self.server = ServerProcess("10_serve_api.py", self.config_file)
        self.address = self.server.address

    def request(self, job: str, inputs: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
        """Send a job with flask-ml's client; return the response, or the error."""
        return MLClient(f"{self.address}/{job}").request(inputs, parameters)

    def search(self, sentence: str, dataset: str = "album", count: int = 5) -> dict[str, Any]:
        return self.request(
            "search_by_text", {"query": {"text": sentence}}, {"dataset": dataset, "count": count}
        )

    def get(self, path: str) -> Any:
        reply = send(self.address, path)
        assert reply.status == 200, reply.body
        return reply.json

    def list_datasets(self) -> list[str]:
        dataset = self.get("/search_by_text/task_schema")["parameters"][0]
        return [value["key"] for value in dataset["value"]["enum_vals"]]

    def run_script(self, script: str, *options: str) -> str:
        command = [str(ROOT / "scripts" / script), "-c", str(self.config_file), *options]
        done = run_here(command, self.folder)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def served(built_album: BuiltAlbum, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    running = Served(built_album.folder, tmp_path_factory.mktemp("rescue") / "album")
    yield running
    running.server.close()


@pytest.fixture(scope="module")
def new_photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of photos to ingest. The name of one of them is not valid UTF-8."""
    folder = tmp_path_factory.mktemp("new") / "photos"
    folder.mkdir()
    for seed in range(24):
        picture_of("Noor", seed=700 + seed)[0].save(folder / f"noor{seed}.jpg", quality=90)
    picture_of(seed=790)[0].save(folder / os.fsdecode(b"caf\xe9.jpg"), quality=90)
    (folder / "notes.jpg").write_text("no photo")
    return folder


def find_photo(served: Served, *people: str) -> Path:
    """Return the file of a photo that shows exactly some people."""
    answer = json.loads(served.run_script("06_search.py", *people[0].split(), "-k", "50", "--json"))
    return next(Path(one["file"]) for one in answer["results"] if one["people"] == list(people))


# --- searches ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_finds_what_06_finds(served: Served, sentence: str) -> None:
    expected = json.loads(served.run_script("06_search.py", sentence, "-k", "7", "--json"))
    found = served.search(sentence, count=7)
    assert found["output_type"] == "batchfile" and found["files"]
    assert [one["path"] for one in found["files"]] == [one["file"] for one in expected["results"]]
    for one, result in zip(found["files"], expected["results"], strict=True):
        assert (one["output_type"], one["file_type"]) == ("file", "img")
        score, place = result["score"], ", ".join(filter(None, (result["city"], result["country"])))
        assert score is None or one["title"].startswith(f"{score:.4f}")
        for part in (", ".join(result["people"]), place, result["taken_at"][:10]):
            assert part in one["title"]
        assert one["subtitle"].startswith(expected["read_as"])


def test_a_photo_finds_similar_ones_and_not_itself(served: Served) -> None:
    photo = find_photo(served, "Maya")
    expected = json.loads(served.run_script("06_search.py", "--image", str(photo), "-k", "3", "--json"))
    found = served.request(
        "search_by_image", {"photo": {"path": str(photo)}}, {"dataset": "album", "count": 3}
    )
    paths = [one["path"] for one in found["files"]]
    assert paths == [one["file"] for one in expected["results"]]
    assert len(paths) == 3 and str(photo) not in paths


def test_a_face_finds_the_photos_of_the_person(served: Served, tmp_path: Path) -> None:
    stranger = tmp_path / "somewhere else.png"
    picture_of("Maya", seed=990)[0].save(stranger)
    found = served.request(
        "search_by_face", {"photo": {"path": str(stranger)}}, {"dataset": "album", "count": 4}
    )
    assert len(found["files"]) == 4
    assert all("Maya" in one["title"] for one in found["files"])
    expected = json.loads(served.run_script("06_search.py", "--face", str(stranger), "-k", "4", "--json"))
    assert [one["path"] for one in found["files"]] == [one["file"] for one in expected["results"]]


def test_a_photo_without_a_face_is_named(served: Served, tmp_path: Path) -> None:
    lake = tmp_path / "lake.png"
    picture_of(seed=991)[0].save(lake)
    found = served.request("search_by_face", {"photo": {"path": str(lake)}}, {"dataset": "album", "count": 4})
    assert found["status"] == "VALIDATION_ERROR" and "no face" in found["error"]


# --- forms -------------------------------------------------------------------------------------------------


def test_the_jobs_and_their_forms(served: Served) -> None:
    routes = served.get("/api/routes")
    assert [(one["run_task"], one["order"]) for one in routes] == [
        ("/ingest", 0),
        ("/search_by_text", 1),
        ("/search_by_image", 2),
        ("/search_by_face", 3),
    ]
    ingest, *searches = [served.get(one["task_schema"]) for one in routes]
    assert [(one["key"], one["input_type"]) for one in ingest["inputs"]] == [("directory", "directory")]
    assert [(one["key"], one["value"]["parameter_type"]) for one in ingest["parameters"]] == [
        ("name", "text")
    ]
    kinds = [("query", "text"), ("photo", "file"), ("photo", "file")]
    assert [(one["inputs"][0]["key"], one["inputs"][0]["input_type"]) for one in searches] == kinds
    for one in searches:
        dataset, count = (parameter["value"] for parameter in one["parameters"])
        assert "album" in [value["key"] for value in dataset["enum_vals"]]
        assert count == {
            "default": 5,
            "parameter_type": "ranged_int",
            "range": {"min": 1, "max": forms.MAX_COUNT},
        }
    for one in routes:  # a sample of each job has the parts of its form
        sample, form = served.get(one["sample_payload"]), served.get(one["task_schema"])
        assert list(sample["parameters"]) and set(sample["inputs"]) == {form["inputs"][0]["key"]}
        assert "properties" in served.get(one["payload_schema"])


def test_the_page_of_the_documentation_shows_these_forms_and_valid_bodies() -> None:
    page = (ROOT / "docs" / "rescue-box.md").read_text("utf-8")
    blocks = re.findall(r"^```json\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    response, ingest, photo, *shown = map(json.loads, blocks)
    text_form, ingest_form = forms.make_text_form(["demo"]), forms.make_ingest_form()
    assert shown == [form.model_dump(mode="json") for form in (text_form, ingest_form)]
    ResponseBody.model_validate(response)
    check_body(ingest, ingest_form)
    check_body(photo, forms.make_photo_form(["pictures"], ""))
    (curl,) = re.findall(r"-d '(.*)'", page)
    check_body(parse_body(curl.encode()), text_form)
    assert len(response["files"]) == json.loads(curl)["parameters"]["count"]


def test_the_page_about_the_program(served: Served) -> None:
    about = served.get("/api/app_metadata")
    assert about["name"] == "Photo search" and about["version"] == "0.1.0"
    assert about["info"].startswith("# Photo search") and "Search by face" in about["info"]


# --- ingesting ---------------------------------------------------------------------------------------------


def send_and_leave(address: str, folder: Path, name: str) -> None:
    """Send an ingest job, and close the connection without waiting for the response."""
    body = json.dumps({"inputs": {"directory": {"path": str(folder)}}, "parameters": {"name": name}}).encode()
    place = urlsplit(address)
    head = f"POST /ingest HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\n"
    with socket.create_connection((place.hostname, place.port)) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        time.sleep(0.5)


def wait_for(condition: Callable[[], Any], seconds: float = 120) -> Any:
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.2)
    return value


def ingest(served: Served, folder: Path, name: str) -> dict[str, Any]:
    return served.request("ingest", {"directory": {"path": str(folder)}}, {"name": name})


def test_searches_during_an_ingest_are_right_and_its_client_may_leave(
    served: Served, new_photos: Path
) -> None:
    expected = {sentence: served.search(sentence) for sentence in SENTENCES}
    send_and_leave(served.address, new_photos, "second")

    def search(number: int) -> tuple[str, dict[str, Any]]:
        sentence = SENTENCES[number % len(SENTENCES)]
        return sentence, served.search(sentence)

    busy = wait_for(lambda: None if "files" in (one := ingest(served, new_photos, "third")) else one)
    assert "dataset second is being ingested" in busy["error"] and "one runs at a time" in busy["error"]
    answers: list[tuple[str, dict[str, Any]]] = []
    with ThreadPoolExecutor(CLIENTS) as clients:
        while "second" not in served.list_datasets() and len(answers) < 100 * CLIENTS:
            answers += clients.map(search, range(CLIENTS))
    assert len(answers) >= CLIENTS
    assert [one for one in answers if one[1] != expected[one[0]]] == []
    wait_for(lambda: "in use" in ingest(served, new_photos, "second")["error"])
    assert served.list_datasets() == ["album", "second"]  # the third was refused

    found = served.search("a person", "second", 30)
    names = {Path(one["path"]).name for one in found["files"]}
    assert names == {f"noor{seed}.jpg" for seed in range(24)} | {"caf\ufffd.jpg"}
    twin = json.loads(served.run_script("06_search.py", "-n", "second", "a person", "-k", "30", "--json"))
    titles = [one["title"] for one in found["files"]]
    assert [title.split(" ")[0] for title in titles] == [f"{one['score']:.4f}" for one in twin["results"]]


def test_an_ingest_that_was_interrupted_is_continued_and_other_names_are_kept(
    served: Served, new_photos: Path, tmp_path: Path
) -> None:
    photos = tmp_path / "half"
    photos.mkdir()
    for number in range(3):
        shutil.copy(new_photos / f"noor{number}.jpg", photos)
    (photos / "notes.jpg").write_text("no photo")
    served.run_script("01_extract_features.py", "-n", "half", str(photos))  # and no further step

    other = ingest(served, new_photos, "half")
    assert other["error"].startswith("dataset name half: in use; choose another one.")
    done = ingest(served, photos, "half")
    assert done["title"].startswith("half: ingested in ")
    lines = done["value"].splitlines()
    assert lines[0] == "01 features: 0 new, 3 unchanged, 0 moved, 0 gone, 1 failed"
    assert "05 half_clip: 3 photos: 3 new, 0 changed, 0 unchanged, 0 gone, 0 skipped" in lines
    assert any(line.startswith("  notes.jpg: ") for line in lines)
    assert ingest(served, photos, "half")["error"].startswith("dataset name half: in use")
    assert "half" in served.list_datasets()
    assert len(served.search("a person", "half")["files"]) == 3


@pytest.mark.parametrize("victim", ["steps", "server"])
def test_a_kill_during_an_ingest_loses_nothing(
    built_album: BuiltAlbum, new_photos: Path, tmp_path: Path, victim: str
) -> None:
    served = Served(built_album.folder, tmp_path / "album")
    try:
        send_and_leave(served.address, new_photos, "second")
        (steps,) = wait_for(lambda: psutil.Process(served.server.process.pid).children())
        wait_for(lambda: list((tmp_path / "album").glob("**/second/clip/.lock")))
        if victim == "steps":
            steps.kill()
        else:
            served.server.process.kill()
            served.server.process.communicate()
            steps.wait(120)  # it ends when its server has ended
            served.server = ServerProcess("10_serve_api.py", served.config_file)
            served.address = served.server.address
        assert served.list_datasets() == ["album"] and served.search("snow")["files"]
        done = wait_for(lambda: one if "value" in (one := ingest(served, new_photos, "second")) else None)
        assert done["title"].startswith("second: ingested in ")
        assert len(served.search("a person", "second", 30)["files"]) == 25
    finally:
        served.server.close()


def test_a_dataset_that_another_program_drops_is_no_error_of_the_server(
    served: Served, new_photos: Path, tmp_path: Path
) -> None:
    photos = tmp_path / "short"
    photos.mkdir()
    shutil.copy(new_photos / "noor1.jpg", photos)
    assert "title" in ingest(served, photos, "short")
    assert len(served.search("a person", "short")["files"]) == 1
    served.run_script("05_build_collections.py", "-n", "short", "--drop", "--yes")
    assert "no clip collection of dataset 'short'" in served.search("a person", "short")["error"]
    assert "short" not in served.list_datasets()
    assert served.search("a beach")["files"]


# --- before the first dataset, and the end -----------------------------------------------------------------


def test_the_first_dataset_of_a_new_config(built_album: BuiltAlbum, new_photos: Path, tmp_path: Path) -> None:
    config = built_album.config_file.read_text("utf-8")
    (tmp_path / "config.yaml").write_text(config)
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(new_photos / "noor1.jpg", photos)
    server = ServerProcess("10_serve_api.py", tmp_path / "config.yaml")
    try:
        form = send(server.address, "/search_by_text/task_schema").json["parameters"][0]["value"]
        assert (form["enum_vals"], form["message_when_empty"]) == ([], forms.NO_DATASET)
        for part in ("sample_payload", "payload_schema"):
            reply = send(server.address, f"/search_by_face/{part}")
            assert (reply.status, reply.json["error"]) == (409, forms.NO_DATASET)
        client = MLClient(f"{server.address}/search_by_text")
        inputs, parameters = {"query": {"text": "a beach"}}, {"dataset": "mine", "count": 5}
        assert client.request(inputs, parameters)["error"].endswith(forms.NO_DATASET)
        done = MLClient(f"{server.address}/ingest").request(
            {"directory": {"path": str(photos)}}, {"name": "mine"}
        )
        assert done["title"].startswith("mine: ingested")
        assert len(client.request(inputs, parameters)["files"]) == 1
    finally:
        server.close()
    assert server.process.returncode == 130  # after Ctrl-C, as all scripts
