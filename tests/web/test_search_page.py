"""The search page in a real browser."""

from __future__ import annotations

import base64
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from web_fixtures import WebServer, open_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page
    from web_fixtures import WebAlbum

expect = pytest.importorskip("playwright.sync_api").expect
SELECTED = "() => (box => box.value.slice(box.selectionStart, box.selectionEnd))(document.activeElement)"
DROP = """data => {
    const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], "<img src=x onerror=alert(1)>.jpg", { type: "image/jpeg" }));
    for (const name of ["dragenter", "dragover", "drop"])
      document.body.dispatchEvent(new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer }));
}"""


@pytest.fixture
def album(named_album: WebAlbum, tmp_path: Path) -> WebAlbum:
    return named_album.copy_to(tmp_path / "album")


def search(page: Page, sentence: str) -> None:
    box = page.get_by_label("Search", exact=True)
    box.fill(sentence)
    box.press("Enter")


def chips(page: Page) -> list[str]:
    return page.locator(".chip-text").all_inner_texts()


def tiles(page: Page) -> Locator:
    return page.locator(".tile")


def expect_chips(page: Page, *expected: str) -> None:
    expect(page.locator(".chip-text")).to_have_text([re.compile(text) for text in expected])


def test_a_sentence_its_chips_and_the_address(page: Page) -> None:
    expect(tiles(page)).to_have_count(6)  # the newest photos, without a sentence
    search(page, "maya on a beach")
    expect_chips(page, "who.*Maya", "what.*beach")
    expect(page).to_have_url(re.compile(r"/\?q=maya\+on\+a\+beach$"))
    everything = tiles(page).count()

    page.get_by_role("button", name="Remove Maya").click()
    expect_chips(page, "what.*beach")
    expect(page.get_by_label("Search", exact=True)).to_have_value("on a beach")
    expect(page).to_have_url(re.compile(r"/\?q=on\+a\+beach$"))

    page.go_back()
    expect_chips(page, "who.*Maya", "what.*beach")
    expect(page.get_by_label("Search", exact=True)).to_have_value("maya on a beach")
    page.go_back()
    expect(page.locator(".chip")).to_have_count(0)
    page.go_forward()
    expect_chips(page, "who.*Maya", "what.*beach")
    page.reload()  # as a bookmark
    expect_chips(page, "who.*Maya", "what.*beach")
    expect(tiles(page)).to_have_count(everything)

    page.locator(".chip-text", has_text="Maya").click()
    assert page.evaluate(SELECTED).strip() == "maya"
    page.keyboard.type("kofi")
    page.keyboard.press("Enter")
    expect_chips(page, "who.*Kofi", "what.*beach")


def test_words_typed_while_an_answer_is_on_its_way_are_kept(page: Page) -> None:
    box = page.get_by_label("Search", exact=True)
    search(page, "maya")
    box.press_sequentially(" at night", delay=40)
    expect_chips(page, "who.*Maya")
    expect(box).to_have_value("maya at night")
    page.go_back()
    expect(box).to_have_value("")  # the history replaces the words


def test_notes_and_errors_are_in_plain_sight(page: Page) -> None:
    search(page, "maya 31 february 2023")
    expect(page.get_by_text('"31 february 2023" was not understood')).to_be_visible()
    expect(page.locator(".chip", has_text="not understood")).to_be_visible()
    page.get_by_role("button", name="Remove “31 february 2023”").click()
    expect_chips(page, "who.*Maya")
    search(page, "maya in 2019")
    expect(page.locator(".notice-relaxed")).to_contain_text("no photo")
    search(page, "31 february 2023")
    expect(page.get_by_role("alert")).to_contain_text("nothing to search for")
    page.goto("/?like=0000000000000001")
    expect(page.get_by_role("alert")).to_contain_text("no photo has this id")
    page.goto("/?k=many&q=%3Cscript%3Ealert(1)%3C/script%3E")
    expect(page.get_by_role("alert")).to_contain_text("k: expected a number")
    # the valid part of an address is in the box and the chips, and the next search has it
    page.goto("/?q=maya&folder=2023&rating=abc")
    expect(page.get_by_role("alert")).to_contain_text("rating: expected a number")
    expect(page.get_by_label("Search", exact=True)).to_have_value("maya")
    expect(page.locator(".chip-filter")).to_have_text(re.compile("2023"))
    page.get_by_label("Search", exact=True).press("Enter")
    expect(page).to_have_url(re.compile(r"q=maya&folder=2023$"))
    expect(tiles(page)).to_have_count(2)


def test_no_more_photos_than_the_address_permits(page: Page) -> None:
    expect(tiles(page)).to_have_count(6)
    page.goto("/?k=4&sort=date")
    expect(tiles(page)).to_have_count(4)
    expect(page.locator(".grid-end span")).to_have_count(0)
    last = page.locator(".tile a").last
    last.click()
    expect(page.get_by_text("4 of 4")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Remove at most 4 photos").click()
    expect(tiles(page)).to_have_count(6)


def test_completion_and_filters_by_keyboard(page: Page) -> None:
    box = page.get_by_label("Search", exact=True)
    box.press_sequentially("ko")
    option = page.get_by_role("option", name="Kofi")
    expect(option).to_be_visible()
    box.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "completion-0")
    box.press("Enter")
    expect(box).to_have_value("Kofi ")
    expect(page.get_by_role("option")).to_have_count(0)
    box.press_sequentially("and may")
    expect(page.get_by_role("option", name="Maya")).to_be_visible()
    box.press("Tab")
    box.press("Enter")
    expect_chips(page, "who.*Kofi", "who.*Maya")
    expect(tiles(page)).to_have_count(1)

    page.get_by_role("button", name="Filters").click()
    panel = page.get_by_label("filters", exact=True)
    page.locator("summary", has_text="Folder").press("Enter")
    panel.get_by_role("checkbox", name="2023").press("Space")
    expect(page).to_have_url(re.compile(r"folder=2023"))
    expect(page.locator(".chip-filter")).to_have_text(re.compile("2023"))
    panel.get_by_role("checkbox", name="Maya").check()
    expect(page).to_have_url(re.compile(r"person=Maya"))
    expect(panel.get_by_role("checkbox", name="Maya")).to_be_checked()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.locator(".chip-filter")).to_have_count(2)
    page.get_by_role("button", name="Remove Maya").last.click()
    expect(page).not_to_have_url(re.compile(r"person=Maya"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"person=Maya"))
    expect(page.locator(".chip-filter")).to_have_count(2)


def test_two_photos_are_selected_copied_and_downloaded(page: Page, album: WebAlbum) -> None:
    expect(tiles(page)).to_have_count(6)
    links = page.locator(".tile a")
    links.first.focus()
    page.keyboard.press(" ")
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    bar = page.get_by_role("toolbar", name="selected photos")
    expect(bar).to_contain_text("2 selected")
    with page.expect_download() as downloading:
        bar.get_by_role("button", name="Download").click()
    with zipfile.ZipFile(downloading.value.path()) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(names) == 2
        for name in names:
            assert archive.read(name) == (album.drawn.photos / name).read_bytes()
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }")
    bar.get_by_role("button", name="Copy paths").click()
    copied = page.get_by_role("textbox", name="paths")
    expect(copied).to_be_visible()
    assert copied.input_value().splitlines() == [str(album.drawn.photos / name) for name in names]
    page.get_by_role("button", name="Close", exact=True).click()

    page.keyboard.press("Escape")
    bar.get_by_role("button", name="Clear").click()
    tiles(page).nth(0).hover()
    page.locator(".tile-check").nth(0).click()
    links.nth(3).click(modifiers=["Shift"])
    expect(bar).to_contain_text("4 selected")
    for request, status in (
        ("ids=0000000000000001", 404),
        ("ids=../../etc/passwd", 404),
        ("ids=" + "0" * 300_000, 413),
    ):
        answer = page.request.post("/download", data=request, headers={"Origin": page.url.rstrip("/")})
        assert answer.status == status


def test_a_photo_is_dropped_and_searched_by(page: Page, album: WebAlbum) -> None:
    data = base64.b64encode((album.drawn.photos / "2024" / "beach.jpg").read_bytes()).decode()
    page.evaluate(DROP, data)
    photo = page.locator(".search-photo")
    expect(photo).to_contain_text("<img src=x onerror=alert(1)>.jpg")
    expect(tiles(page)).to_have_count(6)
    first = page.locator(".tile a").first.get_attribute("href") or ""
    search(page, "maya")
    expect_chips(page, "who.*Maya")
    expect(photo).to_be_visible()
    expect(tiles(page)).to_have_count(3)
    link = page.locator(".tile a").first.get_attribute("href") or ""
    assert "?" not in link  # an address does not have the photo, so that it does not lead back
    photo.click()
    expect(photo).to_have_count(0)
    page.goto("/?like=" + first.split("/")[2].split("?")[0] + "&itself=yes")
    expect(page.locator(".search-photo")).to_contain_text("beach.jpg")
    page.evaluate(DROP, base64.b64encode(b"no photo").decode())
    expect(page.get_by_role("alert")).to_be_visible()


def hold(page: Page, link: Locator) -> None:
    """Touch a photo for longer than a tap."""
    box = link.bounding_box()
    assert box is not None
    touch = page.context.new_cdp_session(page)
    point = {"x": box["x"] + 20, "y": box["y"] + 20}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    expect(page.locator(".tile.selected")).to_have_count(1)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_names_that_are_code_are_text(album: WebAlbum, browser: Browser) -> None:
    names = ("<img src=x onerror=alert(1)>", "{{ 7 * 7 }}');alert(1)//")
    album.run("03_name_people.py", "--name", f"Maya={names[0]}", "--name", f"Kofi={names[1]}")
    album.run("05_build_collections.py")
    dialogs = []
    with (
        WebServer(album) as server,
        open_page(browser, server, width=390, height=844, has_touch=True) as page,
    ):
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.goto("/")
        expect(tiles(page)).to_have_count(6)
        alts = " ".join(link.get_attribute("aria-label") or "" for link in page.locator(".tile a").all())
        assert all(name in alts for name in names)
        hold(page, page.locator(".tile a").nth(1))
        page.locator(".tile a").nth(0).tap()  # selects while something is selected
        bar = page.get_by_role("toolbar", name="selected photos")
        expect(bar).to_contain_text("2 selected")
        assert bar.evaluate("bar => bar.scrollWidth === bar.clientWidth")  # all buttons are on the screen
        bar.get_by_role("button", name="Clear").tap()
        page.get_by_role("button", name="Filters").tap()
        page.get_by_role("checkbox", name=names[0]).check()
        page.get_by_role("checkbox", name=names[1]).check()
        expect(page.locator(".chip-filter")).to_have_count(2)
        page.get_by_role("button", name="Close the filters").tap()
        assert page.evaluate("() => document.documentElement.scrollWidth") == 390
        page.reload()
        expect(page.locator(".chip-filter")).to_contain_text(list(names))
        expect(tiles(page)).to_have_count(1)
        page.get_by_label("Search", exact=True).press_sequentially("<im")
        expect(page.get_by_role("option", name=names[0])).to_be_visible()
    assert dialogs == []
