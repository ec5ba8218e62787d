"""Photos whose addresses are in a list: downloads, their limits, failures, and what is kept."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest
from conftest import ROOT, World
from PIL import Image
from url_server import KINDS, UrlServer, list_addresses, make_jpeg

from imagesearch.config import Config
from imagesearch.downloads import DownloadCache, DownloadSummary, download_photos
from imagesearch.downloads.fetch import Validators, _read_retry_after
from imagesearch.downloads.keeper import PhotoKeeper
from imagesearch.photos import compute_photo_id
from imagesearch.pipeline import Dataset
from imagesearch.workflow import FailedPhoto, read_overview

STEP = "04_extract_geo.py"  # the fastest of the steps that take photos
REASONS = {
    "missing": "404 Not Found",
    "busy_long": "429 Too Many Requests; the server asks to wait 7200 s",
    "slow": "no response within 0.5 s",
    "drip": "not finished within 1.5 s",
    "endless": "larger than 1 MB (downloads.max_megabytes)",
    "page": "not a photo: text/html",
    "not_a_photo": "not an image, or an image in an unsupported format",
    "loop": "more than 5 redirects",
    "to_loopback": "refused: 127.0.0.1 is not public",
    "to_metadata": "refused: 169.254.169.254 is not public",
    "huge": "larger than 1 MB (downloads.max_megabytes)",
    "truncated": "the connection failed: peer closed connection",
    "cut": "its end is missing",
    "compressed": "sent with Content-Encoding: gzip, which was not asked for",
    "broken": "500 Internal Server Error",
}


@pytest.fixture
def server() -> Iterator[UrlServer]:
    server = UrlServer()
    yield server
    server.close()


@pytest.fixture
def web(world: World, server: UrlServer) -> World:
    """A world whose list names photos of the server; the limits are low."""
    world.settings["dataset"] |= {"images": "photos.txt", "allow_hosts": [server.host]}
    world.settings["downloads"] = {
        "first_byte_seconds": 0.5,
        "seconds": 1.5,
        "retries": 0,
        "max_megabytes": 1,
    }
    world.write_config()
    return world


def write_list(world: World, *addresses: str) -> list[str]:
    (world.folder / "photos.txt").write_text("".join(f"{a}\n" for a in addresses), "utf-8")
    return list(addresses)


def download(config: Config, *addresses: str, **options: bool) -> DownloadSummary:
    cache = DownloadCache(config.dataset.folder)
    return download_photos(config, cache, {address: address for address in addresses}, **options)


def test_photos_of_addresses_are_photos_of_the_dataset(web: World, server: UrlServer) -> None:
    addresses = write_list(web, f"{server.url}/good/1.jpg?w=900#top", f"{server.url}/good/2.jpg")
    done = web.run(STEP)
    assert "2 downloaded; 2 new, 0 unchanged, 0 moved, 0 gone, 0 failed" in done.stdout
    photos = Dataset(web.config()).photos
    assert [photo.path for photo in photos] == [f"{server.url}/good/1.jpg", addresses[1]]
    assert [photo.photo_id for photo in photos] == [compute_photo_id(photo.path) for photo in photos]
    assert all(Path(photo.file).read_bytes().startswith(b"\xff\xd8") for photo in photos)
    agent = server.headers["/good/1.jpg"]["User-Agent"]
    assert agent.startswith("imagesearch/0.1.0")


def test_a_second_run_downloads_nothing(web: World, server: UrlServer) -> None:
    write_list(web, f"{server.url}/good/1.jpg", f"{server.url}/missing/2.jpg")
    web.run(STEP)
    requests = server.requests.copy()
    done = web.run(STEP, "-v")
    assert "0 new, 1 unchanged, 0 moved, 0 gone, 1 failed" in done.stdout and "downloaded" not in done.stdout
    assert "404 Not Found" in done.stderr
    assert server.requests == requests


def test_each_of_a_hundred_addresses_is_in_or_has_a_reason(web: World, server: UrlServer) -> None:
    addresses = list_addresses(server.url, 100)
    summary = download(web.config(), *addresses)
    assert summary.downloaded == 90 and len(summary.failed) == 10
    for path, reason in summary.failed.items():
        assert reason.startswith(REASONS[path.removeprefix(server.url).split("/")[1]]), path
    again = download(web.config(), *addresses)
    assert again.failed == summary.failed and again.downloaded == 0


@pytest.mark.parametrize("kind", REASONS)
def test_reasons(web: World, server: UrlServer, kind: str) -> None:
    assert set(REASONS) | {"busy"} == set(KINDS)
    summary = download(web.config(), f"{server.url}/{kind}/1.jpg")
    (reason,) = summary.failed.values()
    assert reason.startswith(REASONS[kind])
    assert not list((web.folder / "processed").rglob("*.part"))


def test_failures_that_can_be_temporary_are_repeated(web: World, server: UrlServer) -> None:
    config = web.config("downloads.retries=1")
    summary = download(config, f"{server.url}/busy/1.jpg", f"{server.url}/missing/2.jpg")
    assert summary.downloaded == 1 and server.requests["/busy/1.jpg"] == 2
    assert server.requests["/missing/2.jpg"] == 1


def test_failed_photos_are_asked_for_with_retry_failed(web: World, server: UrlServer) -> None:
    write_list(web, f"{server.url}/busy/1.jpg", f"{server.url}/good/2.jpg")
    done = web.run(STEP, "-v")
    assert "1 downloaded; 1 new" in done.stdout and "1 failed" in done.stdout
    assert f"{server.url}/busy/1.jpg: 429 Too Many Requests" in done.stderr
    assert "1 failed" in web.run(STEP).stdout
    assert (
        "1 downloaded; 1 new, 1 unchanged, 0 moved, 0 gone, 0 failed"
        in web.run(STEP, "--retry-failed").stdout
    )
    assert server.requests["/good/2.jpg"] == 1


def test_the_overview_has_the_photos_that_could_not_be_downloaded(web: World, server: UrlServer) -> None:
    missing, other = f"{server.url}/missing/2.jpg", f"{server.url}/missing/3.jpg"
    write_list(web, f"{server.url}/good/1.jpg", missing, other)
    web.run(STEP)
    write_list(web, f"{server.url}/good/1.jpg", missing)
    config = web.config()
    failed = read_overview(config, Dataset(config), None).failed
    assert failed == (FailedPhoto(missing, "download", "404 Not Found"),)


def test_refresh_asks_with_the_etag_and_reads_what_has_changed(web: World, server: UrlServer) -> None:
    write_list(web, f"{server.url}/good/1.jpg", f"{server.url}/good/2.jpg")
    web.run(STEP)
    etag = server.headers["/good/1.jpg"].get("If-None-Match")
    assert etag is None
    server.files["/good/2.jpg"] = make_jpeg(77)
    done = web.run(STEP, "--refresh")
    assert "1 downloaded; 1 new, 1 unchanged" in done.stdout
    assert server.headers["/good/1.jpg"]["If-None-Match"].startswith('"')
    assert "0 new, 2 unchanged" in web.run(STEP, "--refresh").stdout


def test_a_version_that_cannot_be_sent_in_a_header_is_not_sent() -> None:
    assert Validators('"é"', "Tue, 01 Jan 2030").make_headers() == {"If-Modified-Since": "Tue, 01 Jan 2030"}


def test_a_photo_that_cannot_be_refreshed_stays(web: World, server: UrlServer) -> None:
    write_list(web, f"{server.url}/good/1.jpg")
    web.run(STEP)
    server.files["/good/1.jpg"] = b"no photo any more"
    done = web.run(STEP, "--refresh", "-v")
    assert "0 new, 1 unchanged" in done.stdout
    assert "kept as it was: not an image" in done.stderr
    assert "1 unchanged, 0 moved, 0 gone, 0 failed" in web.run(STEP).stdout


def test_the_format_is_told_by_the_content(web: World, server: UrlServer) -> None:
    server.files["/good/1.jpg"] = make_jpeg(1, form="PNG")
    server.files["/good/2"] = make_jpeg(2, form="WEBP")
    addresses = f"{server.url}/good/1.jpg", f"{server.url}/good/2"
    config = web.config()
    download(config, *addresses)
    cache = DownloadCache(config.dataset.folder)
    assert [cache.locate(address).suffix for address in addresses] == [".png", ".webp"]


def test_photos_with_too_many_pixels_are_refused(web: World, server: UrlServer) -> None:
    server.files["/good/1.png"] = make_jpeg(1, (1200, 1000), "PNG")
    summary = download(web.config("extraction.max_megapixels=1"), f"{server.url}/good/1.png")
    assert summary.failed == {
        f"{server.url}/good/1.png": "too large: 1 megapixels (extraction.max_megapixels: 1)"
    }


def test_previews_are_kept_with_their_metadata(web: World, server: UrlServer) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x0110] = 6, "Fotoapparat"
    exif.get_ifd(0x8769)[0x9003] = "2023:05:06 07:08:09"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 30.0, 0.0), 3: "E", 4: (9.0, 0.0, 0.0)})
    server.files["/good/1.jpg"] = make_jpeg(1, (1200, 900), exif=exif)
    write_list(web, f"{server.url}/good/1.jpg")
    options = ("--set", "dataset.keep=preview", "--set", "extraction.preview_size=300")
    assert "1 with a position, 1 with an address, 1 with a time" in web.run(STEP, *options).stdout
    (photo,) = Dataset(web.config()).photos
    with Image.open(photo.file) as image:
        assert image.size == (225, 300) and image.getexif()[0x0112] == 1


def test_a_full_cache_keeps_previews_and_then_refuses(web: World, server: UrlServer) -> None:
    for n in range(3):
        server.files[f"/good/{n}.jpg"] = make_jpeg(n, (1600, 1200), quality=100)
    size = len(server.files["/good/0.jpg"])
    addresses = [f"{server.url}/good/{n}.jpg" for n in range(3)]
    settings = [f"dataset.cache_gb={1.2 * size / 1e9:.9f}", "extraction.preview_size=256"]
    config = web.config(*settings, "downloads.concurrency=1")
    summary = download(config, *addresses)
    cache = DownloadCache(config.dataset.folder)
    sizes = [cache.locate(address).stat().st_size for address in addresses]
    assert summary.downloaded == 3 and sizes[0] == size and max(sizes[1:]) < size / 10
    assert cache.measure() <= 1.2 * size
    smaller = web.config("dataset.cache_gb=0.000001", "dataset.name=other")
    assert set(download(smaller, *addresses).failed.values()) == {
        "no room in the cache (dataset.cache_gb: 1e-06)"
    }
    # files of photos that are not in the list any more make room
    assert download(config, f"{server.url}/good/9.jpg", refresh=True).downloaded == 1
    server.files["/good/5.jpg"] = server.files["/good/0.jpg"]
    assert download(config, f"{server.url}/good/5.jpg").downloaded == 1
    assert cache.locate(f"{server.url}/good/5.jpg").stat().st_size == size
    assert not cache.locate(addresses[0]).is_file()


def test_a_file_that_is_being_kept_counts_while_others_make_room(web: World, tmp_path: Path) -> None:
    content = make_jpeg(1, (1600, 1200), quality=100)
    limit = f"dataset.cache_gb={2.5 * len(content) / 1e9:.9f}"
    config = web.config(limit, "extraction.preview_size=256")
    cache = DownloadCache(config.dataset.folder)

    def keep(keeper: PhotoKeeper, path: str) -> None:
        part = cache.open_part(path)
        part.write_bytes(content)
        keeper.keep(path, part)

    keep(PhotoKeeper(config, cache, ["old"]), "old")
    keeper, rename = PhotoKeeper(config, cache, ["a", "b", "c"]), cache.keep

    def keep_another_first(*args: object) -> Path:
        cache.keep = rename
        keep(keeper, "b")  # removes the old photo
        return rename(*args)

    cache.keep = keep_another_first
    keep(keeper, "a")
    keep(keeper, "c")
    sizes = [cache.locate(path).stat().st_size for path in "abc"]
    assert sizes[:2] == [len(content)] * 2 and sizes[2] < len(content) / 10
    assert not cache.locate("old").is_file() and cache.measure() <= 2.5 * len(content)


def test_ids_of_a_column_replace_addresses(web: World, server: UrlServer) -> None:
    rows = f"nr,url\n7,{server.url}/good/1.jpg?n=7\n8,{server.url}/good/1.jpg?n=8\n"
    (web.folder / "photos.csv").write_text(rows, "utf-8")
    config = web.config("dataset.images=photos.csv", "dataset.id_column=nr")
    dataset = Dataset(config)
    assert dataset.download_photos() == 2
    assert [photo.path for photo in dataset.photos] == ["id:7", "id:8"]
    assert dataset.locate_file("id:7").is_file()
    assert dataset.list_paths_of(dataset.photos[1].file) == {"id:8"}


def test_files_and_addresses_in_one_list(web: World, server: UrlServer) -> None:
    web.add("a.png", 5)
    write_list(web, "photos/a.png", f"{server.url}/good/1.jpg")
    assert "1 downloaded; 2 new" in web.run(STEP).stdout
    assert [photo.path for photo in Dataset(web.config()).photos] == [
        "photos/a.png",
        f"{server.url}/good/1.jpg",
    ]


def test_a_host_that_is_not_listed_is_refused(web: World, server: UrlServer) -> None:
    write_list(web, f"{server.url}/good/1.jpg")
    done = web.run(STEP, "-v", "--set", "dataset.allow_hosts=[]")
    assert f"refused: 127.0.0.1 is not public; dataset.allow_hosts can list {server.host}" in done.stderr
    assert not server.requests


def test_no_more_downloads_at_the_same_time_than_allowed(web: World, server: UrlServer) -> None:
    server.delay = 0.1
    addresses = [f"{server.url}/good/{n}.jpg" for n in range(12)]
    assert download(web.config("downloads.per_host=3"), *addresses).downloaded == 12
    assert server.most_active == 3


def test_no_more_downloads_from_all_hosts_than_allowed(web: World, server: UrlServer) -> None:
    server.delay = 0.1
    port = server.host.rpartition(":")[2]
    hosts = [f"127.0.0.1:{port}", f"localhost:{port}"]
    addresses = [f"http://{host}/good/{n}.jpg" for host in hosts for n in range(6)]
    config = web.config(
        "downloads.concurrency=2", f"dataset.allow_hosts=['{hosts[0]}', '{hosts[1]}']", "downloads.per_host=2"
    )
    assert download(config, *addresses).downloaded == 12
    assert server.most_active == 2


def test_a_killed_run_is_continued(web: World, server: UrlServer) -> None:
    server.delay = 0.2
    write_list(web, *(f"{server.url}/good/{n}.jpg" for n in range(24)))
    command = [sys.executable, ROOT / "scripts" / STEP, "-c", web.config_file]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    cache = DownloadCache(web.config().dataset.folder)
    end = time.monotonic() + 60
    while len(list(cache.folder.glob("*/*.jpg"))) < 5 and time.monotonic() < end:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    kept = len(list(cache.folder.glob("*/*.jpg")))
    assert 5 <= kept < 24
    assert f"{24 - kept} downloaded; 24 new" in web.run(STEP).stdout
    assert not list(cache.folder.glob("*/*.part"))


def test_downloads_work_where_an_event_loop_runs_already(web: World, server: UrlServer) -> None:
    import asyncio

    async def call() -> DownloadSummary:
        return download(web.config(), f"{server.url}/good/1.jpg")

    assert asyncio.run(call()).downloaded == 1


def test_a_log_that_was_cut_or_damaged_is_read_as_far_as_possible(web: World, server: UrlServer) -> None:
    config = web.config()
    download(config, f"{server.url}/good/1.jpg", f"{server.url}/missing/2.jpg")
    log = config.dataset.folder / "downloads.jsonl"
    with log.open("a") as stream:
        stream.write('{"unknown": 1}\n{"path": "http')
    records = DownloadCache(config.dataset.folder).read_log()
    assert records[f"{server.url}/missing/2.jpg"].error == "404 Not Found"
    assert download(config, f"{server.url}/good/3.jpg").downloaded == 1


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), (" 120 ", 120), ("", None), ("soon", None), ("-5", None), ("²", None)]
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert _read_retry_after(text) == seconds


def test_retry_after_with_a_date() -> None:
    date = datetime.fromtimestamp(time.time() + 100, UTC)
    assert 95 < _read_retry_after(format_datetime(date, usegmt=True)) <= 100
    assert _read_retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


def test_a_cache_that_cannot_be_written_is_reported(web: World, server: UrlServer) -> None:
    write_list(web, f"{server.url}/good/1.jpg")
    folder = web.config().dataset.folder
    folder.mkdir(parents=True)
    (folder / "downloads").write_text("a file in its place")
    done = web.run(STEP, code=2)
    assert "downloads: cannot be created" in done.stderr and os.linesep not in done.stderr.strip()
