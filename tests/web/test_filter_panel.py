"""The drawer of filters in a real browser: best faces of people, and folders as a tree, by keyboard."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from imagesearch.config import load_config
from imagesearch.faces import load_people
from imagesearch.photos import compute_photo_id
from imagesearch.pipeline import Dataset
from imagesearch.web.photo_ids import format_photo_id

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from web_fixtures import WebAlbum


def test_people_have_their_best_faces(page: Page, album: WebAlbum) -> None:
    beach = album.drawn.photos / "2024/beach.jpg"
    album.run(
        "03_name_people.py", "--name", "1=Maya", "--name", "2=Kofi", "--present", f"{beach}=Ben", "--no-show"
    )
    album.run("05_build_collections.py")
    config = load_config(album.drawn.config_file)
    people = load_people(config, Dataset(config))
    best = {
        person.name: f"/face/{format_photo_id(photo)}/{int(people.faces.positions[person.rows[0]])}"
        for person in people.persons
        for photo in (int(people.faces.photo_ids[person.rows[0]]),)
    }
    page.goto("/")
    page.get_by_role("button", name="Filters").press("Enter")
    panel = page.get_by_label("filters", exact=True)
    rows = panel.locator(".filter-row", has=page.locator(".filter-face"))
    expect(rows).to_have_count(3)
    for name in ("Maya", "Kofi"):
        face = rows.filter(has_text=name).locator("img")
        assert face.get_attribute("src") == best[name]
        assert face.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
    expect(rows.filter(has_text="Ben").locator("img")).to_have_count(0)
    panel.get_by_role("checkbox", name="Maya").press("Space")
    expect(page.locator(".tile")).to_have_count(3)
    # two at once, before the answer to the first
    page.evaluate(
        "document.querySelectorAll('[data-fields~=people] input:not(:checked)').forEach(one => one.click())"
    )
    expect(page).to_have_url(re.compile("person=Maya&person=(Kofi&person=Ben|Ben&person=Kofi)$"))


def test_folders_are_a_tree_for_the_keyboard(page: Page, album: WebAlbum) -> None:
    page.goto("about:blank")  # which shows no photo that is moved
    deep = album.drawn.photos / "2024/goa/beach/day 1/beach.jpg"
    deep.parent.mkdir(parents=True)
    (album.drawn.photos / "2024/beach.jpg").rename(deep)
    album.run("00_run_steps.py")
    page.goto("/")
    page.get_by_role("button", name="Filters").press("Enter")
    page.locator("summary", has_text="Folder").press("Enter")
    panel = page.get_by_label("filters", exact=True)
    row = panel.locator(".filter-tree .filter-row")
    expect(row).to_have_count(2)
    panel.get_by_role("checkbox", name="2023").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowDown", "ArrowRight", "ArrowDown", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    expect(row).to_have_count(5)
    page.keyboard.press("Space")
    expect(page).to_have_url(f"{page.url.partition('?')[0]}?folder=2024%2Fgoa%2Fbeach%2Fday+1")
    expect(page.locator(".tile")).to_have_count(1)
    assert format_photo_id(compute_photo_id("2024/goa/beach/day 1/beach.jpg")) in (
        page.locator(".tile a").get_attribute("href") or ""
    )
    # the node around it, which replaces it; then all are closed, and none is selected
    expect(panel.get_by_role("checkbox", name="day 1")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(panel.get_by_role("checkbox", name="beach")).to_be_focused()
    page.keyboard.press("Space")
    expect(page).to_have_url(f"{page.url.partition('?')[0]}?folder=2024%2Fgoa%2Fbeach")
    expect(panel.get_by_role("checkbox", name="day 1")).not_to_be_checked()
    page.keyboard.press("ArrowLeft")
    expect(row).to_have_count(4)
    page.keyboard.press("Space")
    expect(page.locator(".tile")).to_have_count(6)
    page.goto("/?folder=2024/goa/beach")
    page.get_by_role("button", name="Filters").click()
    expect(
        panel.get_by_role("checkbox", name="beach")
    ).to_be_checked()  # is opened where something is selected


def test_a_chip_opens_the_drawer_at_its_field_and_never_closes_it(page: Page, album: WebAlbum) -> None:
    page.goto("/?folder=2023&keyword=sea&no_gps=yes")
    chip = page.locator(".chip-filter")
    panel = page.get_by_label("filters", exact=True)
    folder = panel.get_by_role("checkbox", name="2023")
    for _ in range(2):
        chip.locator("button.chip-text", has_text="folder").click()
        expect(panel).to_be_visible()
        expect(folder).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(chip.filter(has_text="without a position").get_by_role("button")).to_have_count(1)  # to remove it

    # a filter without a field in the drawer is changed in its chip
    for typed, key, expected in (("x", "Escape", "sea"), ("#sea", "Enter", "%23sea"), ("", "Enter", None)):
        chip.nth(1).locator("button.chip-text", has_text="#sea").click()
        field = chip.get_by_role("textbox")
        expect(field).to_be_focused()
        field.fill(typed)
        field.press(key)
        expect(field).to_have_count(0)
        expect(chip).to_have_count(3 if expected else 2)
        if expected:
            expect(page).to_have_url(re.compile(f"keyword={expected}"))
    expect(page).not_to_have_url(re.compile("keyword"))
    expect(panel).to_be_hidden()


def test_photos_with_a_lower_score_are_left_out(page: Page) -> None:
    page.goto("/?q=a+beach")
    expect(page.locator(".tile")).to_have_count(6)
    page.get_by_role("button", name="Filters").click()
    page.locator("summary", has_text="How to search").click()
    page.get_by_label("Minimum score").fill("0.99")
    page.get_by_label("Minimum score").press("Enter")
    expect(page).to_have_url(re.compile("min_score=0.99"))
    expect(page.locator(".tile")).to_have_count(0)
    page.locator("button.chip-text", has_text="min score").click()
    expect(page.get_by_label("Minimum score")).to_be_focused()
    page.get_by_label("Minimum score").fill("")
    page.get_by_label("Minimum score").press("Enter")
    expect(page.locator(".tile")).to_have_count(6)
