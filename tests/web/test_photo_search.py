"""Photos that are pasted or dropped on the search page, the faces in them, and endless scrolling."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import TYPE_CHECKING

import pytest
from drawn import Drawn, picture_of
from web_fixtures import WebAlbum, WebServer, make_id, open_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

expect = pytest.importorskip("playwright.sync_api").expect
MAYA = {"2023/maya.jpg", "2023/maya and kofi.jpg", "2024/maya.jpg"}
KOFI = {"2023/maya and kofi.jpg", "2023/kofi.jpg"}
MANY = 150
SEND = """([data, name]) => {
    const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], "photo.png", { type: "image/png" }));
    const options = { bubbles: true, cancelable: true, dataTransfer: files, clipboardData: files };
    const target = name === "paste" ? document.activeElement : document.body;
    target.dispatchEvent(name === "paste" ? new ClipboardEvent(name, options) : new DragEvent(name, options));
}"""


def send_photo(page: Page, data: bytes, event: str) -> None:
    page.evaluate(SEND, [base64.b64encode(data).decode(), event])


def draw(*people: str, seed: int) -> bytes:
    stream = io.BytesIO()
    picture_of(*people, seed=seed)[0].save(stream, "PNG")
    return stream.getvalue()


def list_ids(page: Page) -> list[str]:
    return page.locator(".tile a").evaluate_all("links => links.map(link => link.pathname.split('/')[2])")


def make_ids(paths: set[str]) -> set[str]:
    return {make_id(path) for path in paths}


def test_a_photo_is_pasted(page: Page, album: WebAlbum) -> None:
    lake = (album.drawn.photos / "2024/lake.jpg").read_bytes()
    page.get_by_label("Search", exact=True).focus()
    send_photo(page, lake, "paste")
    expect(page.locator(".search-photo")).to_contain_text("photo.png")
    expect(page.locator(".search-status")).not_to_have_text(re.compile("newest"))
    assert list_ids(page)[0] in make_ids({"2024/lake.jpg"})
    expect(page.locator(".photo-face")).to_have_count(0)
    page.locator(".search-photo").click()
    # a text is pasted into the box as always
    page.evaluate(
        """() => { const data = new DataTransfer(); data.setData("text/plain", "maya");
        window.isKept = document.activeElement.dispatchEvent(
            new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: data })); }"""
    )
    assert page.evaluate("window.isKept")
    expect(page.locator(".search-photo")).to_have_count(0)


def test_a_face_in_a_dropped_photo_is_picked(page: Page, album: WebAlbum) -> None:
    send_photo(page, draw("Kofi", "Maya", seed=7), "drop")
    faces = page.locator(".photo-face")
    expect(faces).to_have_count(2)
    expect(page.locator(".tile")).to_have_count(6)
    assert page.locator(".photo-face img").first.evaluate("image => image.decode().then(() => true)")

    found = []
    for number in (0, 1):
        faces.nth(number).focus()
        page.keyboard.press("Enter")
        expect(faces.nth(number)).to_have_attribute("aria-pressed", "true")
        note = page.locator(".notice", has_text="this looks like person")
        expect(note).to_have_count(1)
        label = re.search(r"person \d", note.inner_text())
        assert label is not None
        expected = {"person 1": MAYA, "person 2": KOFI}[label[0]]
        assert set(list_ids(page)[: len(expected)]) == make_ids(expected)
        # others are apart, and the status counts the photos of this person only
        expect(page.locator(".grid-heading")).to_contain_text(f"Less alike {4 - len(expected)}")
        status = page.locator(".search-status")
        expect(status).to_contain_text(f"{len(expected)} of 6 photos have this face")
        expect(status).to_contain_text("this photo is not in the address")
        found.append(label[0])
    assert sorted(found) == ["person 1", "person 2"]

    # words beside the face
    box = page.get_by_label("Search", exact=True)
    box.fill("in 2023")
    box.press("Enter")
    expect(page.locator(".chip-text")).to_have_text([re.compile("when.*2023")])
    expect(faces.nth(1)).to_have_attribute("aria-pressed", "true")
    box.fill("")
    faces.nth(1).click()  # again: the whole photo
    expect(page.locator(".photo-face[aria-pressed=true]")).to_have_count(0)
    expect(page.locator(".tile")).to_have_count(6)

    # another photo replaces the faces, and a page of the history has none
    send_photo(page, (album.drawn.photos / "2023/kofi.jpg").read_bytes(), "drop")
    expect(faces).to_have_count(1)
    page.locator(".search-photo").click()
    expect(faces).to_have_count(0)
    expect(page.locator(".search-photo")).to_have_count(0)


def test_the_faces_of_a_dropped_photo_are_gone_on_the_page_before(page: Page, album: WebAlbum) -> None:
    page.goto(f"/?like={make_id('2024/beach.jpg')}")
    photo, faces = page.locator(".search-photo"), page.locator(".photo-face")
    expect(photo).to_contain_text("beach.jpg")
    send_photo(page, (album.drawn.photos / "2023/kofi.jpg").read_bytes(), "drop")
    expect(faces).to_have_count(1)
    page.go_back()
    expect(photo).to_contain_text("beach.jpg")
    expect(faces).to_have_count(0)


@pytest.fixture(scope="session")
def long_album(tmp_path_factory: pytest.TempPathFactory) -> WebAlbum:
    """Many small photos: few drawings, each a little different."""
    album = WebAlbum(Drawn(tmp_path_factory.mktemp("long")))
    drawings = [picture_of(seed=seed, scale=0.25)[0] for seed in range(6)]
    for number in range(MANY):
        drawing = drawings[number % len(drawings)]
        width, height = drawing.size
        cut = number // len(drawings)
        file = album.drawn.photos / f"{2000 + number % 20}/{number:03}.jpg"
        file.parent.mkdir(exist_ok=True)
        drawing.crop((cut, cut, width, height - cut % 5)).save(file, quality=85)
    album.run("00_run_steps.py")
    return album


def find_ids(album: WebAlbum, *options: str) -> list[str]:
    answer = json.loads(album.run("06_search.py", *options, "-k", str(MANY), "--json"))
    return [make_id(result["path"]) for result in answer["results"]]


def count_shown(page: Page) -> int:
    """Return the number of photos in the grid. Only those near the screen are drawn."""
    return int(page.locator(".grid-rows").get_attribute("data-shown") or 0)


def scroll_to_end(page: Page) -> tuple[int, list[str]]:
    """Scroll as a user does until no more photos come; return the number of batches and the ids in order."""
    batches, count, ids = 1, count_shown(page), list_ids(page)
    for _ in range(200):
        page.mouse.wheel(0, 900)
        page.wait_for_timeout(60)
        if (now := count_shown(page)) != count:
            batches, count = batches + 1, now
        drawn = list_ids(page)
        ids += [photo for photo in drawn if photo not in ids]
        if page.locator(".grid-end span").is_visible():
            continue  # before the end is looked for, which moves when more come
        if page.evaluate("() => scrollY + innerHeight >= document.documentElement.scrollHeight - 2"):
            break
    return batches, ids


def test_scrolling_shows_each_photo_once_and_in_order(long_album: WebAlbum, browser: Browser) -> None:
    with (
        WebServer(long_album) as server,
        open_page(browser, server, width=1000, height=700) as page,
    ):
        for address, options in (
            ("/?q=a+beach", ["a", "beach"]),
            ("/?q=a+beach&sort=date", ["a", "beach", "--sort", "date"]),
            ("/?q=snow&by=clip&folder=2001", ["snow", "--under", "2001"]),
        ):
            page.goto(address)
            page.mouse.move(500, 500)
            expected = find_ids(long_album, *options)
            expect(page.locator(".tile").first).to_be_visible()
            assert count_shown(page) == min(60, len(expected)), address
            batches, shown = scroll_to_end(page)
            assert count_shown(page) == len(expected), address
            assert shown == expected, address
            drawn = page.locator(".tile").count()
            assert 0 < drawn < len(expected) or drawn == len(expected) < 60, address
            assert batches == (2 if len(expected) > 60 else 1), address
        # back from the last photo, the list is as long and in the same place
        page.goto("/")
        _, shown = scroll_to_end(page)
        assert len(set(shown)) == count_shown(page) == MANY
        place = page.evaluate("scrollY")
        page.locator(".tile a").last.click()
        expect(page.locator(".viewer-photo")).to_be_visible()
        page.go_back()
        expect(page.locator(".grid-rows")).to_have_attribute("data-shown", str(MANY))
        page.wait_for_function("place => Math.abs(scrollY - place) < 400", arg=place)


def test_images_that_are_scrolled_away_do_not_keep_others_waiting(
    long_album: WebAlbum, browser: Browser
) -> None:
    with WebServer(long_album) as server, open_page(browser, server, width=1000, height=400) as page:
        requested, aborted = list[str](), list[str]()
        page.on("request", lambda request: requested.append(request.url))
        page.on("requestfailed", lambda request: aborted.append(request.url))
        page.route("**/thumbnail/**", lambda route: None)  # no image arrives
        page.goto("/")
        expect(page.locator(".tile").first).to_be_visible()
        page.wait_for_timeout(300)
        page.mouse.move(500, 300)
        for _ in range(20):
            page.mouse.wheel(0, 400)
            page.wait_for_timeout(20)
        page.wait_for_timeout(300)
        waiting = {url for url in requested if "/thumbnail/" in url} - set(aborted)
        assert len(waiting) <= page.locator(".tile").count()
        assert len(aborted) > 30
        page.unroute_all(behavior="ignoreErrors")
