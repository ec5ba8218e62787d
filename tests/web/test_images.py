"""Photos by id: only those of the collection, whatever the address or the name of the file."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from drawn import picture_of
from http_requests import send
from PIL import Image
from web_fixtures import WebAlbum, WebServer, make_id

from imagesearch.web.photo_ids import format_photo_id, parse_photo_id

NAMES = {
    "html": "<img src=x onerror=alert(1)>.jpg",
    "script": "'\";alert(1);`${alert(1)}`{{alert(1)}}.jpg",
    "right to left": "\u202egpj.\u0645\u0627\u064a\u0627\u202c.jpg",
    "long": "\u00e9" * 123 + ".jpg",
    "percent": "%2e%2e%2fa?b#c&d=e.jpg",
}
PERSON = "<b onclick=alert(1)>Bobby</b>"


MAYA = make_id("2023/maya.jpg")


@pytest.fixture(scope="module")
def hostile_album(shared_album: WebAlbum) -> WebAlbum:
    """An album with names that are HTML, JavaScript, long or right to left; and files that are not in it."""
    album = shared_album
    for seed, name in enumerate(NAMES.values(), 20):
        picture_of("Noor", seed=seed)[0].save(album.drawn.photos / name, quality=92)
    album.run("00_run_steps.py")
    people = json.loads(album.run("03_name_people.py", "--json"))["people"]
    (noor,) = (person["number"] for person in people if person["photos"] == len(NAMES))
    album.run("03_name_people.py", "--name", f"{noor}={PERSON}", "--no-show")
    album.run("05_build_collections.py")
    picture_of("Maya", seed=40)[0].save(album.drawn.folder / "outside.jpg")
    picture_of("Maya", seed=41)[0].save(album.drawn.photos / "not built.jpg")
    return album


@pytest.fixture(scope="module")
def server(hostile_album: WebAlbum) -> Iterator[WebServer]:
    with WebServer(hostile_album) as running:
        yield running


def test_photos_thumbnails_and_faces_are_images(server: WebServer) -> None:
    photo = make_id("2023/maya.jpg")
    sizes = {}
    for path in (
        f"/thumbnail/{photo}",
        f"/thumbnail/{photo}?size=400",
        f"/photo/{photo}",
        f"/face/{photo}/0",
    ):
        reply = send(server.address, path)
        image = Image.open(io.BytesIO(reply.body))
        assert reply.headers["Content-Type"] == f"image/{image.format.lower()}"
        assert not image.getexif()
        sizes[path.partition(photo)[2], image.format] = max(image.size)
    assert sizes == {("", "WEBP"): 256, ("?size=400", "WEBP"): 512, ("", "JPEG"): 640, ("/0", "WEBP"): 224}


def test_a_browser_asks_again_only_if_a_photo_has_changed(server: WebServer) -> None:
    path = f"/thumbnail/{make_id('2023/kofi.jpg')}?size=256"
    first = send(server.address, path)
    etag = first.headers["ETag"]
    assert first.headers["Cache-Control"].startswith("private, max-age=")
    reply = send(server.address, path, {"If-None-Match": etag})
    assert (reply.status, reply.body, reply.headers["ETag"]) == (304, b"", etag)


def test_each_picture_and_each_version_of_a_photo_has_an_etag_of_its_own(
    hostile_album: WebAlbum, server: WebServer
) -> None:
    paths = [
        f"/thumbnail/{MAYA}?size=256",
        f"/thumbnail/{MAYA}?size=512",
        f"/photo/{MAYA}",
        f"/face/{MAYA}/0",
    ]
    etags = [send(server.address, path).headers["ETag"] for path in paths]
    assert len(set(etags)) == len(paths)
    file = hostile_album.drawn.photos / "2023/maya.jpg"
    before = file.stat()
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 10**9))  # another content of the same size
    for path, etag in zip(paths, etags, strict=True):
        reply = send(server.address, path, {"If-None-Match": etag})
        assert reply.status == 200 and reply.headers["ETag"] != etag
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("name", NAMES, ids=str)
def test_a_photo_with_a_hostile_name_is_shown_like_any_other(server: WebServer, name: str) -> None:
    photo = make_id(NAMES[name])
    assert send(server.address, f"/photo/{photo}").headers["Content-Type"] == "image/jpeg"
    reply = send(server.address, f"/api/photos/{photo}")
    assert reply.json["path"] == NAMES[name]
    assert reply.headers["Content-Type"] == "application/json"
    assert PERSON in reply.json["people"]
    found = send(server.address, "/api/search?person=%3Cb%20onclick%3Dalert(1)%3EBobby%3C%2Fb%3E").json
    assert {result["path"] for result in found["results"]} == set(NAMES.values())


@pytest.mark.parametrize(
    "path",
    [
        "/photo/../../etc/passwd",
        "/photo/..%2f..%2f..%2fetc%2fpasswd",
        "/photo/%2e%2e/%2e%2e/outside.jpg",
        "/photo/..%5c..%5coutside.jpg",
        "/photo/%00",
        "/photo/0",
        "/photo/-1",
        "/photo/ffffffffffffffff",
        "/photo/FFFFFFFFFFFFFFFF",
        "/photo/00000000000000001",
        f"/photo/{'9' * 5000}",
        "/photo/%F0%9F%98%80",
        "/photo/2023%2fmaya.jpg",
        "/photo//etc/passwd",
        "/static/../app.py",
        "/static/..%2fapp.py",
        f"/photo/{make_id('../outside.jpg')}",
        f"/photo/{make_id('outside.jpg')}",
        f"/photo/{make_id('/etc/passwd')}",
        f"/photo/{make_id('not built.jpg')}",
        f"/api/photos/{make_id('not built.jpg')}",
        "/api/photos/..%2fpeople",
        *(
            f"/thumbnail/{make_id('2023/maya.jpg')}?size={n}"
            for n in ("0", "-1", "a", "", "1e3", "9" * 99, "9" * 5000, "%00")
        ),
        *(f"/face/{MAYA}/{n}" for n in ("1", "-1", "99999", "9" * 99, "9" * 5000, "0.0", "%D9%A1")),
        f"/face/{make_id('2024/lake.jpg')}/0",
    ],
)
def test_everything_else_is_not_found(server: WebServer, path: str) -> None:
    reply = send(server.address, path)
    assert reply.status == 404
    if path.startswith(("/photo/", "/thumbnail/", "/face/")) and reply.body == b"no such photo":
        assert reply.headers["Cache-Control"] == "no-store"  # the photo may be there after the next build
    assert b"root:" not in reply.body
    assert b"Traceback" not in reply.body


def test_a_photo_that_was_removed_or_replaced_is_not_found(
    hostile_album: WebAlbum, server: WebServer, tmp_path: Path
) -> None:
    photo = make_id("2024/beach.jpg")
    file = hostile_album.drawn.photos / "2024/beach.jpg"
    assert send(server.address, f"/thumbnail/{photo}").status == 200
    kept = file.rename(tmp_path / "kept.jpg")
    assert send(server.address, f"/thumbnail/{photo}").status == 404
    file.write_bytes(b"<svg onload=alert(1)>")
    assert send(server.address, f"/thumbnail/{photo}").status == 404
    file.unlink()
    kept.rename(file)
    assert send(server.address, f"/thumbnail/{photo}").status == 200


def test_a_thumbnail_is_made_once_however_many_ask(hostile_album: WebAlbum, server: WebServer) -> None:
    photo = make_id("2023/maya and kofi.jpg")
    with ThreadPoolExecutor(8) as pool:
        bodies = {
            reply.body
            for reply in pool.map(lambda _: send(server.address, f"/thumbnail/{photo}?size=512"), range(16))
        }
    (made,) = (hostile_album.drawn.folder / "processed/album/thumbnails").rglob(f"{photo}-*-512.webp")
    assert bodies == {made.read_bytes()}
    time = made.stat().st_mtime_ns
    assert send(server.address, f"/thumbnail/{photo}?size=500").body == made.read_bytes()
    assert made.stat().st_mtime_ns == time


def test_a_photo_that_a_build_has_left_out_is_not_found(hostile_album: WebAlbum, server: WebServer) -> None:
    photo = make_id("2024/lake.jpg")
    assert send(server.address, f"/photo/{photo}").status == 200
    hostile_album.run("00_run_steps.py", "--set", "dataset.exclude=['2024/lake.jpg']")
    assert (hostile_album.drawn.photos / "2024/lake.jpg").exists()
    for path in (f"/photo/{photo}", f"/thumbnail/{photo}", f"/api/photos/{photo}"):
        assert send(server.address, path).status == 404
    assert send(server.address, f"/photo/{MAYA}").status == 200


def test_ids_are_16_digits_in_both_directions() -> None:
    for number in (0, 1, 2**62, 2**63 - 1, -1, -(2**63)):
        assert parse_photo_id(format_photo_id(number)) == number
    assert [parse_photo_id(text) for text in ("", "0" * 15, "0" * 17, "0" * 15 + "\n", "\u0661" * 16)] == [
        None
    ] * 5
