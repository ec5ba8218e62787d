"""The pages about people in a real browser: names, merges, single faces, questions and the history."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect
from web_fixtures import make_id

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page
    from web_fixtures import WebAlbum

LONG = "a" * 250
MARKUP = "<img src=x onerror=alert(1)>"
RIGHT_TO_LEFT = "מאיה כהן"


def get_card(page: Page, number: int) -> Locator:
    return page.locator(f".card[data-number='{number}']")


def name_card(page: Page, number: int, name: str) -> None:
    field = get_card(page, number).get_by_role("combobox")
    field.fill(name)
    field.press("Enter")


def find_paths(album: WebAlbum, *options: str) -> set[str]:
    """Return the photos that script 06 finds, as another program beside the server."""
    return {result["path"] for result in json.loads(album.run("06_search.py", *options, "--json"))["results"]}


def merge_by_keyboard_and_undo(page: Page) -> None:
    for label in ("select Maya", "select person 2"):
        page.get_by_label(label).focus()
        page.keyboard.press("Space")
    page.get_by_role("button", name="Merge").press("Enter")
    expect(page.locator(".card")).to_have_count(1)
    page.get_by_role("link", name="History").first.click()
    page.get_by_role("button", name="Undo decision").first.click()
    expect(page.locator(".history-row.is-undone")).to_have_count(2)
    page.get_by_role("button", name="Restore decision").first.click()
    expect(page.locator(".decision-bar")).to_contain_text("restored")
    page.get_by_role("button", name="Undo decision").first.click()
    expect(page.locator(".decision-bar")).to_contain_text("undid")
    page.goto("/?q=maya")  # is answered when the collections have the decision
    expect(page.locator(".tile")).to_have_count(3)


def test_people_are_named_merged_and_found(page: Page, album: WebAlbum) -> None:
    bar = page.locator(".decision-bar")
    page.goto("/people")
    expect(page.locator(".card")).to_have_count(2)

    name_card(page, 1, "Maya")
    expect(bar).to_contain_text("1 is Maya now: 3 photos")
    page.goto("/?q=maya")
    expect(page.locator(".tile")).to_have_count(3)
    maya = {"2023/maya.jpg", "2023/maya and kofi.jpg", "2024/maya.jpg"}
    assert find_paths(album, "maya") == maya

    # the known name is completed, and asks before two people become one
    page.goto("/people")
    field = get_card(page, 2).get_by_role("combobox")
    field.press_sequentially("ma")
    expect(page.get_by_role("option", name="Maya")).to_be_visible()
    field.press("ArrowDown")
    field.press("Enter")
    expect(page.get_by_text("Is this the same person?")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(get_card(page, 2).get_by_role("combobox")).to_have_value("")
    name_card(page, 2, "Mayo")
    expect(page.get_by_text("Did you mean Maya?")).to_be_visible()
    page.keyboard.press("Escape")

    # one card on another
    get_card(page, 2).drag_to(get_card(page, 1), source_position={"x": 20, "y": 20})
    expect(bar).to_contain_text("one person now")
    expect(page.locator(".card")).to_have_count(1)
    bar.get_by_role("button", name="Undo").click()
    expect(page.locator(".card")).to_have_count(2)
    expect(bar).to_contain_text("undid")

    merge_by_keyboard_and_undo(page)
    assert find_paths(album, "maya") == maya


def test_names_are_text_and_nothing_else(page: Page, album: WebAlbum) -> None:
    bar = page.locator(".decision-bar")
    page.on("dialog", lambda dialog: dialog.dismiss() or page.evaluate("window.wasOpened = true"))
    page.goto("/people")
    name_card(page, 1, LONG)
    expect(bar).to_contain_text("a name has at most 200 bytes")
    name_card(page, 2, "\t ")
    name_card(page, 1, MARKUP)
    expect(bar).to_contain_text(f"1 is {MARKUP} now")
    name_card(page, 2, RIGHT_TO_LEFT)
    expect(bar).to_contain_text(RIGHT_TO_LEFT)
    assert find_paths(album, "--person", RIGHT_TO_LEFT) == {"2023/maya and kofi.jpg", "2023/kofi.jpg"}
    for address in ("/people", "/people/1", "/people/2", "/people/history", "/people/suggestions"):
        page.goto(address)
        page.wait_for_timeout(200)
        assert page.locator("img[src='x']").count() == 0
    page.goto(f"/photos/{make_id('2023/maya and kofi.jpg')}")
    expect(page.locator(".face-name", has_text=MARKUP)).to_be_visible()
    page.locator(".face-box").first.click()
    expect(page.get_by_role("dialog").locator("strong")).to_have_text(re.compile("img|כהן"))
    assert page.locator("img[src='x']").count() == 0
    page.goto("/people/1")
    expect(page.get_by_role("heading", name=MARKUP)).to_be_visible()
    assert page.evaluate("window.wasOpened") is None

    # another program changes the people; the page knows when it is loaded again
    album.run("03_name_people.py", "--name", "1=Ana", "--no-show")
    page.reload()
    expect(page.get_by_role("heading", name="Ana")).to_be_visible()


def test_single_faces(page: Page, album: WebAlbum) -> None:
    album.run("03_name_people.py", "--name", "1=Maya", "--name", "2=Kofi", "--no-show")
    bar = page.locator(".decision-bar")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/people/1")
    expect(page.get_by_text("3 faces · 3 photos · number 1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(".face").last.click()
    page.get_by_role("button", name="Not Maya").click()
    expect(bar).to_contain_text("not Maya")
    expect(page.get_by_text("2 faces · 2 photos")).to_be_visible()
    bar.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("3 faces · 3 photos")).to_be_visible()

    page.locator(".face").first.press("Space")
    page.get_by_role("button", name="Not a face").click()
    expect(page.get_by_text("2 faces · 2 photos")).to_be_visible()
    page.goto("/people/0")
    page.locator(".face").first.click()
    page.get_by_role("button", name="Bring back").click()
    expect(bar).to_contain_text("back")

    page.goto("/people/2")
    page.get_by_role("button", name="Ignore").click()
    expect(bar).to_contain_text("is ignored now")
    page.get_by_role("button", name="Bring back").click()
    expect(page.get_by_role("button", name="Ignore")).to_be_visible()
    page.get_by_role("button", name="Split").click()
    expect(bar).to_contain_text("is 2 people now")
    bar.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 faces · 2 photos")).to_be_visible()
    page.get_by_role("button", name="Forget the name").click()
    expect(page.get_by_role("heading", name="person 2")).to_be_visible()
    assert find_paths(album, "--person", "Maya") == {
        "2023/maya.jpg",
        "2023/maya and kofi.jpg",
        "2024/maya.jpg",
    }


def test_a_button_is_refused_if_the_person_is_not_the_one_shown_any_more(page: Page) -> None:
    page.goto("/people/1")
    other = page.context.new_page()
    other.goto("/people/1")
    other.locator(".face").first.click()
    other.get_by_role("button", name="Not a face").click()
    expect(other.locator(".decision-line")).to_be_visible()
    page.get_by_role("button", name="Ignore").click()
    expect(page.locator(".decision-bar")).to_contain_text("changed by another program or page; look again")
    page.get_by_role("button", name="Ignore").click()
    expect(page.locator(".decision-bar")).to_contain_text("ignored")
