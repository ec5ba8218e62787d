"""What a screen reader is given on each page: the language, the main part, one main heading, alt texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from web_fixtures import WebServer, make_id

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

expect = pytest.importorskip("playwright.sync_api").expect
PAGES = {
    "/": "Search",
    f"/photos/{make_id('2024/lake.jpg')}": "lake.jpg",
    "/photos/0000000000000001": "Not found",
    "/people": "People",
    "/people/1": "person 1",
    "/people/99": "Not found",
    "/people/suggestions": "The same person?",
    "/people/history": "History",
    "/people/ignored": "Left out",
    "/map": "Map",
    "/timeline": "Timeline",
    "/collection": "album",
    "/nothing": "There is no such page",
}


def test_each_page_has_a_language_a_main_part_and_one_heading(browser: Browser, server: WebServer) -> None:
    page = browser.new_page(base_url=server.address)  # its console has an error for each page that is missing
    for address, heading in PAGES.items():
        page.goto(address)
        main = page.get_by_role("main")
        expect(main).to_have_count(1)
        expect(main.get_by_role("heading", level=1)).to_have_text([heading])
        assert (page.locator("html").get_attribute("lang") or "").startswith("en")
    page.close()


def test_a_photo_has_the_same_words_on_the_search_page_and_on_its_own(page: Page) -> None:
    page.goto("/?q=a+beach")
    expect(page.locator(".tile")).to_have_count(6)
    texts = page.locator(".tile a").evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    page.locator(".tile a").first.click()
    expect(page.locator(".strip-photo")).to_have_count(5)
    shown = page.locator(".viewer-photo, .strip-photo img").evaluate_all("all => all.map(one => one.alt)")
    assert sorted(shown) == sorted(texts)
