"""The JSON API: the answers of the scripts, with ids; errors as JSON; photos to search with."""

from __future__ import annotations

import http.client
import io
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from drawn import picture_of
from http_requests import send
from PIL import Image
from web_fixtures import WebAlbum, WebServer, make_id

from imagesearch.config import load_config
from imagesearch.errors import UserError
from imagesearch.serving import MAX_UPLOAD_BYTES, check_upload, clean_file_name
from imagesearch.web.api_parameters import PARAMETER_DOCS
from imagesearch.web.query_address import PARAMETERS


@pytest.fixture(scope="module")
def api_album(shared_album: WebAlbum, tmp_path_factory: pytest.TempPathFactory) -> WebAlbum:
    """An album whose processes have a folder of their own for temporary files."""
    shared_album.env["TMPDIR"] = str(tmp_path_factory.mktemp("temporary"))
    return shared_album


@pytest.fixture(scope="module")
def server(api_album: WebAlbum) -> Iterator[WebServer]:
    with WebServer(api_album) as running:
        yield running


def make_body(image: Image.Image, form: str = "PNG") -> bytes:
    stream = io.BytesIO()
    image.save(stream, form)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("address", "options"),
    [
        ("q=a%20beach&k=3", ["a", "beach", "-k", "3"]),
        (
            f"like={make_id('2024/lake.jpg')}&by=vit&k=2",
            ["--image", "2024/lake.jpg", "--by", "vit", "-k", "2"],
        ),
        (f"face={make_id('2023/maya.jpg')}", ["--face", "2023/maya.jpg"]),
        (
            "q=snow&strategy=semantic&folder=2023&sort=date",
            ["snow", "--strategy", "semantic", "--under", "2023", "--sort", "date"],
        ),
        ("faces=2&folder=2023", ["--faces", "2", "--under", "2023"]),
    ],
)
def test_an_answer_is_that_of_the_script(
    api_album: WebAlbum, server: WebServer, address: str, options: list[str]
) -> None:
    reply = send(server.address, f"/api/search?{address}")
    assert reply.status == 200, reply.body
    answer: dict[str, Any] = reply.json
    for result in answer["results"]:
        assert result.pop("id") == make_id(result["path"])
    assert answer == json.loads(api_album.run("06_search.py", *options, "--json"))
    assert answer["results"]


def test_lists_are_those_of_the_scripts(api_album: WebAlbum, server: WebServer) -> None:
    assert send(server.address, "/api/people").json == json.loads(
        api_album.run("03_name_people.py", "--json")
    )
    expected = json.loads(api_album.run("05_build_collections.py", "--list", "--json"))
    assert send(server.address, "/api/collections").json == expected
    assert send(server.address, "/api/places").json == {"places": []}
    photo = send(server.address, f"/api/photos/{make_id('2023/maya and kofi.jpg')}").json
    assert photo["id"] == make_id(photo["path"])
    assert [face["position"] for face in photo["faces"]] == [0, 1]


@pytest.mark.parametrize(
    ("address", "status", "message"),
    [
        ("search", 400, "nothing to search for"),
        ("search?peron=maya", 400, "peron: unknown parameter; did you mean person?"),
        ("search?q=a&k=0", 400, "k: expected a whole number from 1 to"),
        ("search?q=a&k=many", 400, "k: expected a number, got 'many'"),
        ("search?q=a&k=999999999999999999999", 400, "expected a whole number"),
        ("search?q=a&fit=2", 400, "fit: expected a number from 0 to 1, got 2.0"),
        ("search?q=a&by=vit", 400, "it requires like"),
        ("search?place=%20x&year=5", 400, "year 5: expected a year"),
        ("search?q=a&min_score=nan", 400, "expected a number from -1 to 1"),
        ("search?q=a&weight_text=inf", 400, "expected a number from 0 to 1000"),
        ("search?q=a&by=all", 400, "by: expected clip or vit"),
        ("search?like=../../etc/passwd", 400, "no photo has this id"),
        ("search?face=/etc/passwd", 400, "no photo has this id"),
        (f"search?q={'a' * 5000}", 400, "q: too long"),
        ("search?q=%FF%FE%00", 200, ""),
        ("search?near=1000,1000", 400, "near"),
        ("search?after=%3Cscript%3E", 400, "<script>"),
        ("photos/123", 404, "no photo has this id"),
        (f"photos/{'f' * 16}", 404, "no photo has this id"),
        ("nothing", 404, "no such address"),
        ("", 404, "no such address"),
    ],
)
def test_an_error_is_one_line_of_json(server: WebServer, address: str, status: int, message: str) -> None:
    reply = send(server.address, f"/api/{address}")
    assert reply.status == status, reply.body
    assert reply.headers["Content-Type"] == "application/json"
    assert status == 200 or (list(reply.json) == ["error"] and message in reply.json["error"])
    assert "\n" not in reply.json.get("error", "")


def test_a_photo_can_be_searched_with_and_is_not_stored(api_album: WebAlbum, server: WebServer) -> None:
    before = set(api_album.drawn.folder.rglob("*"))
    body = (api_album.drawn.photos / "2023/kofi.jpg").read_bytes()
    answer = send(server.address, "/api/search?k=3&by=vit", {}, "POST", body).json
    assert answer["results"][0]["path"] == "2023/kofi.jpg"
    assert set(api_album.drawn.folder.rglob("*")) == before
    assert not list(Path(api_album.env["TMPDIR"]).glob("imagesearch-*/photo"))


def make_bomb(side: int) -> bytes:
    """Return a PNG of some hundred kilobytes with `side` times `side` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = side.to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00"
    pixels = zlib.compress(bytes(1000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the file is empty"),
        (b"<svg onload=alert(1)>", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "not an image"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "photo: "),
        (make_bomb(20_000), "too large: 400 megapixels; expected at most 100"),
        (make_bomb(60_000), "too large: 3600 megapixels; expected at most 100"),
    ],
)
def test_what_is_no_photo_is_refused(server: WebServer, body: bytes, message: str) -> None:
    status = Path(f"/proc/{server.process.pid}/status")
    before = read_peak(status)
    reply = send(server.address, "/api/search", {}, "POST", body)
    assert (reply.status, list(reply.json)) == (400, ["error"])
    assert message in reply.json["error"]
    assert "/tmp" not in reply.json["error"]
    assert read_peak(status) - before < 150


def read_peak(status: Path) -> int:
    """Return the maximum memory of a process so far, in MB."""
    return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) // 1024


def test_too_many_bytes_are_refused_before_they_are_read(server: WebServer) -> None:
    headers = {"Content-Length": str(10**10)}
    assert send(server.address, "/api/search", headers, "POST").status == 413
    connection = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=20)
    parts = (b"x" * 2**20 for _ in range(33))
    connection.request("POST", "/api/search", parts, {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    reply = connection.getresponse()
    assert (reply.status, json.loads(reply.read())) == (
        400,
        {"error": "photo: too large; expected at most 32 MB"},
    )
    connection.close()
    with pytest.raises(UserError, match=r"a\.jpg: too large; expected at most 32 MB"):
        check_upload(bytes(MAX_UPLOAD_BYTES + 1), "a.jpg", load_config_of_nothing())


def load_config_of_nothing() -> Any:
    from conftest import ROOT

    return load_config(ROOT / "config.yaml")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\beach.JPG", "beach.JPG"),
        ("<img src=x onerror=alert(1)>.jpg", "img src_x onerror_alert(1)_.jpg"),
        ("\u00e9t\u00e9 \u6d77.heic", "\u00e9t\u00e9 \u6d77.heic"),
        (".\x00..", "photo"),
        ("", "photo"),
        ("a" * 300 + ".jpeg", "a" * 95 + ".jpeg"),
        ("-rf.png", "rf.png"),
    ],
)
def test_names_of_uploads_are_made_safe(name: str, expected: str) -> None:
    assert clean_file_name(name) == expected


def test_an_upload_keeps_its_name_and_is_removed() -> None:
    picture, _ = picture_of("Maya", seed=50)
    photo = check_upload(make_body(picture), "../beach.png", load_config_of_nothing())
    with photo.open() as file:
        assert file.name == "beach.png"
        assert file.parent.stat().st_mode & 0o077 == 0
    assert not file.parent.exists()
    assert "data" not in repr(photo)


def test_the_description_lists_each_parameter_and_has_no_script(server: WebServer) -> None:
    assert PARAMETER_DOCS.keys() == PARAMETERS.keys()
    page = send(server.address, "/docs")
    html = page.body.decode()
    assert "<script" not in html
    assert not re.findall(r"(?:src|href)=.https?:", html)
    assert all(f"<code>{name}</code>" in html for name in PARAMETER_DOCS)
    paths = send(server.address, "/openapi.json").json["paths"]
    assert {
        "/api/search",
        "/api/photos/{photo}",
        "/api/people",
        "/api/places",
        "/api/collections",
    } <= paths.keys()
    assert all(quote(path, safe="/{}") in html for path in paths)
