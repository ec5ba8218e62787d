"""The web app without a mouse: each step is a key, and the element that has the focus is always visible."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api").expect
FOCUSED = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const style = getComputedStyle(one);
    const after = getComputedStyle(one, "::after");
    const around = one.closest(".tool-button");
    const ring = (look) => look.outlineStyle !== "none" && parseFloat(look.outlineWidth) > 0;
    return {
      name: one.getAttribute("aria-label") || one.innerText || one.value || "",
      place: one.className,
      isVisible: one.getBoundingClientRect().width > 0,
      hasRing: ring(style) || style.boxShadow !== "none" || parseFloat(after.borderTopWidth) > 0
        || (around !== null && ring(getComputedStyle(around))),
    };
}"""


def press_until(page: Page, key: str, pattern: str, limit: int = 60) -> None:
    """Press a key until an element with a class and name has the focus; all on the way must show theirs."""
    seen = []
    for _ in range(limit):
        page.keyboard.press(key)
        focused = page.evaluate(FOCUSED)
        if focused is None:
            continue
        seen.append(focused["name"])
        assert focused["isVisible"], focused
        assert focused["hasRing"], focused
        assert focused["name"], focused
        if re.search(pattern, f"{focused['place']} {focused['name']}"):
            return
    raise AssertionError(f"{pattern}: not reached by {key}; passed {seen}")


def has_one_person(page: Page) -> bool:
    return (page.locator(":focus").get_attribute("aria-label") or "").startswith("1 unnamed")


def open_a_photo(page: Page) -> None:
    """Go from the search box to a photo of one unnamed person, and open it."""
    press_until(page, "Tab", "^chip-text")
    press_until(page, "Tab", "Squares")
    press_until(page, "Tab", "harbour|beach|lake|snow")  # the grid is one stop, arrow keys move in it
    first = page.evaluate("document.activeElement.href")
    for _ in range(6):
        if has_one_person(page):
            break
        page.keyboard.press("ArrowRight")
    assert has_one_person(page)
    chosen = page.evaluate("document.activeElement.href")
    page.keyboard.press("Home")
    page.wait_for_function("href => document.activeElement.href === href", arg=first)
    for _ in range(6):
        if page.evaluate("document.activeElement.href") == chosen:
            break
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")


def name_the_face(page: Page) -> None:
    """Open the menu of the only face, close it, open it again, and type a name."""
    expect(page.locator(".face-box")).to_have_count(1)
    press_until(page, "Tab", "^face-box")
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Who is this?")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".face-box")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Who is this?")).to_be_focused()
    page.keyboard.type("Maya")
    page.keyboard.press("Enter")
    expect(page.locator(".face-name")).to_have_text("Maya")
    expect(page.locator(".decision-bar")).to_contain_text("is Maya now")


def test_from_the_search_to_a_named_face_and_back(page: Page) -> None:
    expect(page.locator(".tile")).to_have_count(6)
    box = page.get_by_label("Search", exact=True)
    expect(box).to_be_focused()  # no key is needed to start
    page.keyboard.type("a beach")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?q=a\+beach$"))
    expect(page.locator(".chip-text")).to_have_count(1)
    open_a_photo(page)
    name_the_face(page)

    # back at the photos; the name is known to the search
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"\?q=a\+beach$"))
    expect(page.locator(".tile")).to_have_count(6)
    press_until(page, "Tab", "Squares")
    page.keyboard.press("/")
    expect(box).to_be_focused()  # with its text selected
    page.keyboard.type("maya")
    page.keyboard.press("Enter")
    expect(page.locator(".chip-text")).to_have_text([re.compile("who.*Maya")])
    press_until(page, "Tab", "Remove Maya")
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_count(0)
    expect(box).to_be_focused()


def test_all_pages_are_reached_by_tab(page: Page) -> None:
    for name in ("People", "Map", "Timeline", "Collection", "Search"):
        page.locator(".page-link").first.focus()
        if page.evaluate(FOCUSED)["name"] != name:
            press_until(page, "Tab", f"{name}$", limit=5)
        page.keyboard.press("Enter")
        expect(page.locator("[aria-current=page]")).to_have_text(name)
