"""A person is named in several selected photos of the search page, in a real browser."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from imagesearch.photos import compute_photo_id
from imagesearch.web.photo_ids import format_photo_id

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page
    from web_fixtures import WebAlbum

expect = pytest.importorskip("playwright.sync_api").expect


def select(page: Page, *paths: str) -> Locator:
    """Select photos by their boxes, and return the bar."""
    for path in paths:
        link = page.locator(f".tile a[href^='/photos/{format_photo_id(compute_photo_id(path))}']")
        link.focus()
        page.keyboard.press("Space")
    return page.get_by_role("toolbar", name="selected photos")


def count_decisions(album: WebAlbum) -> int:
    return len(json.loads(album.run("03_name_people.py", "--history", "--json"))["history"])


def test_chosen_faces_of_selected_photos_get_a_name_as_one_decision(page: Page, album: WebAlbum) -> None:
    bar = select(page, "2023/maya.jpg", "2023/maya and kofi.jpg", "2024/beach.jpg")
    expect(bar).to_contain_text("3 selected")
    bar.get_by_role("button", name="Name", exact=True).click()
    sheet = page.get_by_role("dialog", name="Name a person in the selected photos")
    expect(sheet).to_contain_text("choose a face in 1 photo, or leave them out")
    rows = sheet.locator(".naming-photos li")
    expect(rows).to_have_count(3)
    expect(rows.nth(0).locator(".naming-face")).to_have_count(2)  # where there is a choice
    expect(rows.nth(0).locator("[aria-pressed=true]")).to_have_count(0)
    expect(rows.nth(1).locator("[aria-pressed=true]")).to_have_count(1)  # the only face
    expect(rows.nth(2)).to_contain_text("no face was found")
    expect(rows.nth(1).get_by_role("link", name=re.compile("^1 unnamed person, "))).to_have_count(1)
    label = rows.nth(1).locator(".naming-face span").inner_text()

    both = rows.nth(0).locator(".naming-face")
    both.nth(0).click()
    both.nth(1).click()  # of one photo, one face is chosen
    expect(rows.nth(0).locator("[aria-pressed=true]")).to_have_count(1)
    rows.nth(0).get_by_role("button", name=label).focus()
    if rows.nth(0).get_by_role("button", name=label).get_attribute("aria-pressed") == "false":
        page.keyboard.press("Space")
    sheet.get_by_role("combobox", name="Name").fill("<b>Maya</b>")
    sheet.get_by_role("button", name="Name 2 faces").click()
    done = page.locator(".decision-bar")
    expect(done).to_contain_text("<b>Maya</b>")
    expect(sheet).to_be_hidden()
    expect(page.locator(".tile.selected")).to_have_count(0)
    assert count_decisions(album) == 1
    page.goto("/?person=%3Cb%3EMaya%3C/b%3E")
    expect(page.locator(".tile")).to_have_count(3)  # also the third photo of the same person

    page.goto("/")
    bar = select(page, "2023/kofi.jpg", "2024/maya.jpg")
    bar.get_by_role("button", name="Name", exact=True).click()
    expect(rows.nth(1).locator("[aria-pressed=true]")).to_have_count(0)  # it has a name
    sheet.get_by_role("combobox", name="Name").fill("Kofi")
    page.keyboard.press("Enter")
    expect(done).to_contain_text("Kofi")
    assert count_decisions(album) == 2
    done.get_by_role("button", name="Undo").click()
    expect(done).to_contain_text("undid")
    assert count_decisions(album) == 3


def test_a_name_is_questioned_and_the_dialog_is_left_by_escape(page: Page, album: WebAlbum) -> None:
    bar = select(page, "2023/maya.jpg")
    bar.get_by_role("button", name="Name", exact=True).click()
    sheet = page.get_by_role("dialog", name="Name a person in the selected photos")
    field = sheet.get_by_role("combobox", name="Name")
    expect(field).to_be_focused()
    field.fill("unknown")
    page.keyboard.press("Enter")
    question = page.get_by_role("alertdialog")
    expect(question).to_contain_text("does not look like a name")
    question.get_by_role("button", name="Cancel").click()
    expect(question).to_be_hidden()
    field.focus()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(page.locator(".tile.selected")).to_have_count(1)
    assert count_decisions(album) == 0
