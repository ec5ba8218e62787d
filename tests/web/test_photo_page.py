"""The page of one photo in a real browser."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from imagesearch.photos import compute_photo_id
from imagesearch.web.photo_ids import format_photo_id

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from web_fixtures import WebAlbum

TOGETHER = "2023/maya and kofi.jpg"

SWIPE_LEFT = """
    const viewer = document.querySelector(".viewer");
    const send = (type, x, lists) => {
      const touch = new Touch({ identifier: 1, target: viewer, clientX: x, clientY: 200 });
      viewer.dispatchEvent(new TouchEvent(type, { touches: lists ? [touch] : [], changedTouches: [touch] }));
    };
    send("touchstart", 300, true);
    send("touchend", 120, false);
"""


def get_address(path: str) -> str:
    return f"/photos/{format_photo_id(compute_photo_id(path))}"


def test_a_face_is_named_and_found(page: Page, album: WebAlbum) -> None:
    bar = page.locator(".decision-bar")
    page.goto(get_address("2024/maya.jpg"))
    page.locator(".face-box").click()
    expect(page.get_by_role("dialog")).to_contain_text("Names person 1, who is on 3 photos.")
    page.get_by_role("combobox", name="Who is this?").fill("Maya")
    page.keyboard.press("Enter")
    expect(bar).to_contain_text("1 is Maya now: 3 photos")
    expect(page.locator(".face-name")).to_have_text("Maya")
    answer = json.loads(album.run("06_search.py", "maya", "--json"))
    assert {"2023/maya.jpg", TOGETHER, "2024/maya.jpg"} == {result["path"] for result in answer["results"]}

    # in the other photo of her she has the name too; there she is taken away, and comes back
    page.goto(get_address(TOGETHER))
    expect(page.locator(".face-box")).to_have_count(2)
    box = page.get_by_role("button", name="Maya", exact=True)
    box.click()
    page.get_by_role("button", name="Not Maya").click()
    expect(bar).to_contain_text("not Maya")
    expect(box).to_have_count(0)
    bar.get_by_role("button", name="Undo").click()
    expect(box).to_have_count(1)
    page.get_by_role("button", name="person 2").click()
    page.get_by_role("button", name="Not a face").click()
    expect(page.locator(".face-box")).to_have_count(1)
    box.click()
    page.get_by_role("link", name="Photos of Maya").click()
    expect(page).to_have_url(re.compile(r"/\?person=Maya"))


def test_keys_similar_photos_and_a_phone(page: Page) -> None:
    page.goto("/?q=a+beach")
    page.locator(".tile a").first.click()
    strip = page.locator(".strip-photo")
    expect(strip).to_have_count(5)
    page.get_by_role("button", name="by class").click()
    expect(page.get_by_role("button", name="by class")).to_have_attribute("aria-pressed", "true")
    expect(strip).to_have_count(5)
    assert page.locator(".strip-photo img").first.evaluate("image => image.decode().then(() => true)")
    note = page.locator(".viewer-note")
    expect(note).to_have_text("1 of 6")
    page.keyboard.press("ArrowRight")
    expect(note).to_have_text("2 of 6")
    page.keyboard.press("ArrowRight")
    expect(note).to_have_text("3 of 6")
    page.keyboard.press("ArrowLeft")
    expect(note).to_have_text("2 of 6")
    page.evaluate(SWIPE_LEFT)
    expect(note).to_have_text("3 of 6")
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"/\?q=a\+beach$"))
    expect(page.locator(".tile")).to_have_count(6)

    page.goto("/")  # all photos are a search too
    page.locator(".tile a").nth(1).click()
    expect(note).to_have_text("2 of 6")
    page.keyboard.press("ArrowRight")
    expect(note).to_have_text("3 of 6")

    page.goto(get_address(TOGETHER))
    expect(page.locator(".face-box")).to_have_count(2)
    page.keyboard.press("f")
    expect(page.locator(".face-box")).to_have_count(0)
    page.keyboard.press("f")
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator(".face-box").first.click()
    expect(page.get_by_role("dialog")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".similar")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for wrong in ("0000000000000001", "x", "..%2f..%2fetc%2fpasswd"):
        answer = page.request.get(f"/photos/{wrong}")
        assert answer.status == 404, wrong
