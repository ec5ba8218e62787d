"""What the API for Rescue Box refuses: one clear error each, and the server stays up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, BuiltAlbum, World
from drawn import Drawn
from http_requests import Reply, send
from PIL import Image
from server_process import ServerProcess, copy_album

from imagesearch.api import body_checks
from imagesearch.api.app import explain_error, make_app
from imagesearch.api.body_checks import check_folder, check_photo
from imagesearch.api.datasets import DatasetSession
from imagesearch.api.ingest import ConflictError, Ingestion
from imagesearch.api.results import describe_answer
from imagesearch.config import Config
from imagesearch.errors import ServerUnavailableError, UserError
from imagesearch.query import ParsedQuery
from imagesearch.search import Answer, Query
from imagesearch.serving import HostNames

JSON = {"Content-Type": "application/json"}
GOOD: dict[str, Any] = {
    "inputs": {"query": {"text": "a beach"}},
    "parameters": {"dataset": "album", "count": 2},
}


@pytest.fixture(scope="module")
def server(built_album: BuiltAlbum, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    file = copy_album(built_album.folder, tmp_path_factory.mktemp("refused") / "album")
    running = ServerProcess("10_serve_api.py", file)
    yield running
    running.close()


def post(server: ServerProcess, job: str, body: Any, headers: dict[str, str] | None = None) -> Reply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return send(server.address, f"/{job}", JSON | (headers or {}), "POST", data)


def read_error(reply: Reply, status: int) -> str:
    """Check that a reply is one error, and that it shows nothing of the program; return its message."""
    assert reply.status == status, reply.body
    assert set(reply.json) == {"error", "status"}
    assert reply.json["status"] == ("VALIDATION_ERROR" if status < 500 else "SERVER_ERROR")
    message = reply.json["error"]
    assert isinstance(message, str) and "\n" not in message and "Traceback" not in message
    return message


def search(**parameters: Any) -> dict[str, Any]:
    return GOOD | {"parameters": GOOD["parameters"] | parameters}


def photo_body(path: object) -> dict[str, Any]:
    return GOOD | {"inputs": {"photo": {"path": path}}}


def ingest_body(path: object, name: object = "new") -> dict[str, Any]:
    return {"inputs": {"directory": {"path": path}}, "parameters": {"name": name}}


# --- bodies ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("job", "body", "message"),
    [
        ("search_by_text", b"", "the body of the request is not valid JSON"),
        ("search_by_text", b"{", "the body of the request is not valid JSON"),
        ("search_by_text", b'"\xff"', "the body of the request is not valid JSON"),
        ("search_by_text", b"[" * 50_000, "the body of the request is not valid JSON"),
        ("search_by_text", b"null", "body: expected an object with inputs and parameters, got null"),
        ("search_by_text", [], "body: expected an object with inputs and parameters, got []"),
        ("search_by_text", {"inputs": {}}, "body: parameters missing; expected inputs and parameters"),
        ("search_by_text", GOOD | {"x": 1}, 'body: unknown key "x"; expected inputs and parameters'),
        ("search_by_text", GOOD | {"inputs": []}, "inputs: expected an object with query, got []"),
        ("search_by_text", GOOD | {"inputs": {}}, "inputs: query missing; expected query"),
        (
            "search_by_text",
            GOOD | {"inputs": {"query": "a beach"}},
            'inputs.query: expected an object with text, got "a beach"',
        ),
        (
            "search_by_text",
            GOOD | {"inputs": {"query": {"text": 5}}},
            "inputs.query.text: expected a text, got 5",
        ),
        (
            "search_by_text",
            GOOD | {"inputs": {"query": {"text": " "}}},
            "inputs.query.text: expected a text, got an empty one",
        ),
        (
            "search_by_text",
            GOOD | {"inputs": {"query": {"text": "x" * 4001}}},
            "inputs.query.text: too long; expected at most 4000 characters",
        ),
        (
            "search_by_text",
            GOOD | {"inputs": {"query": {"text": "a\ud800"}}},
            "inputs.query.text: expected valid Unicode, without null characters",
        ),
        (
            "search_by_text",
            GOOD | {"parameters": {"dataset": "album"}},
            "parameters: count missing; expected dataset and count",
        ),
        (
            "search_by_text",
            GOOD | {"parameters": 3},
            "parameters: expected an object with dataset and count, got 3",
        ),
        *(
            (
                "search_by_text",
                search(count=count),
                f"parameters.count: expected a whole number from 1 to 1000, got {shown}",
            )
            for count, shown in (
                (0, "0"),
                (-1, "-1"),
                (1001, "1001"),
                (True, "true"),
                ("5", '"5"'),
                (5.0, "5.0"),
            )
        ),
        *(
            (
                "search_by_text",
                search(dataset=dataset),
                f"parameters.dataset: no dataset {shown}; expected one of album",
            )
            for dataset, shown in (("other", '"other"'), (None, "null"), ({"a": 1}, "an object"), ([], "[]"))
        ),
        ("ingest", ingest_body("photos"), "photos: expected an absolute path"),
        ("ingest", ingest_body("/no/such"), "/no/such: no such folder of photos"),
        (
            "ingest",
            ingest_body("/tmp/a\0b"),
            "inputs.directory.path: expected valid Unicode, without null characters",
        ),
        ("ingest", ingest_body("/" + "x" * 3000), f"/{'x' * 3000}: cannot be read (File name too long)"),
        ("ingest", ingest_body("/tmp", ["a"]), 'parameters.name: expected a text, got ["a"]'),
        ("search_by_image", photo_body("a.jpg"), "a.jpg: expected an absolute path"),
        ("search_by_image", photo_body("/no/such.jpg"), "/no/such.jpg: no such file"),
        (
            "search_by_face",
            photo_body("/etc/passwd"),
            "/etc/passwd: expected a photo, such as .jpg, .png or .heic",
        ),
        ("search_by_image", photo_body(5), "inputs.photo.path: expected a text, got 5"),
    ],
)
def test_a_wrong_body_is_one_error(server: ServerProcess, job: str, body: Any, message: str) -> None:
    assert read_error(post(server, job, body), 400) == message


def test_names_that_a_dataset_cannot_have(server: ServerProcess, built_album: BuiltAlbum) -> None:
    photos = str(built_album.folder / "album")
    for name in ("../x", "1st", "a b", "ä", "x" * 101):
        message = read_error(post(server, "ingest", ingest_body(photos, name)), 400)
        assert message.startswith("dataset name") and "without a digit first" in message
    assert "in use" in read_error(post(server, "ingest", ingest_body(photos, "album")), 409)


def test_files_that_are_no_photos(server: ServerProcess, tmp_path: Path) -> None:
    text, huge, pipe, folder = (
        tmp_path / name for name in ("text.jpg", "huge.jpg", "pipe.jpg", "folder.jpg")
    )
    text.write_text("no photo")
    with huge.open("wb") as stream:
        stream.truncate(33 * 2**20)
    os.mkfifo(pipe)
    folder.mkdir()
    bomb = tmp_path / "bomb.png"
    Image.new("1", (15_000, 15_000)).save(bomb)
    for job in ("search_by_image", "search_by_face"):
        for file, expected in (
            (text, "text.jpg: "),
            (huge, "huge.jpg: too large; expected at most 32 MB"),
            (pipe, f"{pipe}: not a file; expected a photo"),
            (folder, f"{folder}: not a file; expected a photo"),
            (bomb, "bomb.png: "),
        ):
            assert read_error(post(server, job, photo_body(str(file))), 400).startswith(expected)
    empty = tmp_path / "empty"
    empty.mkdir()
    message = read_error(post(server, "ingest", ingest_body(str(empty))), 400)
    assert message.startswith(f"{empty}: no photos in this folder")
    message = read_error(post(server, "ingest", ingest_body(str(text))), 400)
    assert message == f"{text}: a file; give the folder that contains it"


def test_other_requests_that_are_refused(server: ServerProcess) -> None:
    port = server.address.rpartition(":")[2]
    for headers in (
        {"Host": "photos.example"},
        {"Host": f"photos.example:{port}"},
        {"Origin": "http://photos.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        assert read_error(post(server, "search_by_text", GOOD, headers), 403)
        assert read_error(send(server.address, "/api/routes", headers), 403)
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        assert "application/json" in read_error(
            post(server, "search_by_text", GOOD, {"Content-Type": kind}), 415
        )
    assert "too large" in read_error(post(server, "search_by_text", b"x" * 100_000), 413)
    assert "no such address" in read_error(send(server.address, "/static/x"), 404)
    assert "not answered" in read_error(send(server.address, "/ingest"), 405)
    # refused before it is received
    assert post(server, "search_by_text", b"", {"Content-Length": str(17 * 2**20)}).status == 413


def test_the_server_stays_up_under_wrong_requests(server: ServerProcess) -> None:
    bodies = [GOOD, b"{", search(count=0), search(dataset="x"), GOOD, {"inputs": 1, "parameters": 2}] * 20
    with ThreadPoolExecutor(32) as clients:
        replies = list(clients.map(lambda body: post(server, "search_by_text", body), bodies))
    assert [reply.status for reply in replies] == [200 if body is GOOD else 400 for body in bodies]
    good = [reply.json for reply in replies if reply.status == 200]
    assert all(one == good[0] for one in good) and len(good[0]["files"]) == 2
    headers = replies[0].headers
    assert headers["Cache-Control"] == "no-store" and headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Server"] is None
    assert server.process.poll() is None


# --- what may be opened ------------------------------------------------------------------------------------


@pytest.fixture
def guarded(tmp_path: Path) -> Config:
    """A config that allows one folder, with a photo in it and one beside it."""
    drawn = Drawn(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    for file in (drawn.photos / "a.png", outside / "b.png"):
        Image.new("RGB", (20, 20)).save(file)
    (drawn.photos / "link").symlink_to(outside)
    (drawn.photos / "link.png").symlink_to(outside / "b.png")
    (drawn.photos / "circle").symlink_to(drawn.photos / "circle")
    return drawn.config(f"api.root={drawn.photos}")


def test_only_the_folder_that_the_config_allows(guarded: Config, tmp_path: Path) -> None:
    photos = guarded.api.root
    assert photos is not None
    assert check_folder(str(photos), guarded) == photos
    assert check_photo(f"{photos}/a.png", guarded) == photos / "a.png"
    for path in (tmp_path, photos / "link", f"{photos}/../outside", "/no/such"):
        with pytest.raises(UserError, match=r"outside .*, the folder that api\.root allows"):
            check_folder(str(path), guarded)
    for path in (tmp_path / "outside/b.png", photos / "link.png", photos / "link/b.png", "/no/such.png"):
        with pytest.raises(UserError, match=r"outside .*, the folder that api\.root allows"):
            check_photo(str(path), guarded)
    for name in ("list.csv", "list.txt"):  # its lines could name other files
        (photos / name).write_text(f"path\n{tmp_path}/outside/b.png\n", "utf-8")
        with pytest.raises(UserError, match="a file; give the folder that contains it"):
            check_folder(str(photos / name), guarded)
    with pytest.raises(UserError, match="circle"):
        check_folder(f"{photos}/circle", guarded)


def test_a_file_without_the_name_of_a_photo_is_not_opened(
    guarded: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert guarded.api.root is not None
    secret = guarded.api.root / "secret.txt"
    secret.write_text("secret")
    opened: list[Path] = []
    read = body_checks._read_file
    monkeypatch.setattr(body_checks, "_read_file", lambda file: opened.append(file) or read(file))
    with pytest.raises(UserError, match="expected a photo"):
        check_photo(str(secret), guarded)
    assert opened == []
    check_photo(str(guarded.api.root / "a.png"), guarded)
    assert opened == [guarded.api.root / "a.png"]


# --- errors of the server ----------------------------------------------------------------------------------


class BrokenSession(DatasetSession):
    """A session with a bug, or whose Milvus is away."""

    error: Exception = RuntimeError("secret detail")

    def list_names(self, expected: object = None) -> list[str]:
        return ["album"]

    def search(self, name: str, query: Query) -> Answer:
        raise self.error


def test_a_bug_is_an_error_without_details(guarded: Config, capsys: pytest.CaptureFixture[str]) -> None:
    session = BrokenSession(guarded)
    client = make_app(session, Ingestion(session), HostNames("localhost", 80)).test_client()
    reply = client.post("/search_by_text", json=GOOD)
    assert (reply.status_code, reply.json["status"]) == (500, "SERVER_ERROR")
    assert reply.json["error"] == "internal error; the terminal of 10_serve_api.py has the details"
    assert "secret detail" in capsys.readouterr().err
    session.error = ServerUnavailableError("Milvus does not answer")
    reply = client.post("/search_by_text", json=GOOD)
    assert (reply.status_code, reply.json["error"]) == (503, "Milvus does not answer")
    session.close()


def test_the_status_of_each_kind_of_error() -> None:
    assert explain_error(ConflictError("x"))[0] == 409 and explain_error(UserError("x")) == (400, "x")


def test_an_answer_without_photos_is_a_text_that_says_why() -> None:
    empty = Answer(Query("snow"), ParsedQuery("snow"), (), photos=3, notes=("nothing here looks like it",))
    response = describe_answer(empty).model_dump(mode="json")
    assert response["output_type"] == "text" and response["title"] == "no photo found"
    assert "3 photos" in response["value"] and "nothing here looks like it" in response["value"]


# --- the script --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--port", "65536"), "--port: 65536 is not a whole number from 0 to 65535"),
        (
            ("--host", "0.0.0.0"),
            "--host 0.0.0.0: other machines could open the photos, and the API has no password; use "
            "127.0.0.1, ::1 or localhost, and from another machine a tunnel, such as ssh -L",
        ),
        (("--set", "api.rot=x"), "--set api.rot: unknown key; did you mean api.root?"),
    ],
)
def test_wrong_options_are_one_line(world: World, options: tuple[str, ...], message: str) -> None:
    done = world.run("10_serve_api.py", *options, code=2)
    assert (done.stdout, done.stderr) == ("", f"10_serve_api.py: {message}\n")


def test_a_port_in_use_is_named(world: World, server: ServerProcess) -> None:
    port = server.address.rpartition(":")[2]
    done = world.run("10_serve_api.py", "--port", port, code=2)
    expected = f"127.0.0.1:{port}: address already in use; select another one with --port"
    assert done.stderr == f"10_serve_api.py: {expected}\n"


@pytest.mark.parametrize("package", ["flask", "flask_ml", "waitress"])
def test_without_the_packages_the_installation_is_named(world: World, package: str) -> None:
    script = str(ROOT / "scripts" / "10_serve_api.py")
    code = f"import sys, runpy; sys.modules[{package!r}] = None; sys.argv[0] = {script!r}; "
    code += f"runpy.run_path({script!r}, run_name='__main__')"
    command = [sys.executable, "-c", code, "-c", str(world.config_file)]
    done = subprocess.run(command, capture_output=True, text=True)
    expected = '10_serve_api.py: the API requires more packages; run pip install -e ".[api]"\n'
    assert (done.returncode, done.stderr) == (2, expected)
