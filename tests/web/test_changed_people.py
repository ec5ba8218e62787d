"""Buttons about people, after another program has changed the people between the drawing and the click."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from imagesearch.config import load_config
from imagesearch.faces import PeopleEditor, mark_present, merge_as, open_edit_log
from imagesearch.photos import compute_photo_id
from imagesearch.pipeline import Dataset
from imagesearch.web.photo_ids import format_photo_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page
    from web_fixtures import WebAlbum

Change = Callable[[PeopleEditor], object]
REFUSED = "the people were changed by another program or page; look again"


def edit(album: WebAlbum, *changes: Change) -> None:
    """Change the people as script 03 does, beside the server."""
    config = load_config(album.drawn.config_file)
    editor = PeopleEditor(config, Dataset(config))
    for change in changes:
        change(editor)
        editor.refresh()


def read_log(album: WebAlbum) -> bytes:
    return open_edit_log(Dataset(load_config(album.drawn.config_file))).file.read_bytes()


@contextmanager
def changed(album: WebAlbum, *changes: Change) -> Iterator[None]:
    """Change the people, and undo it at the end. Nothing else may be stored inside the block."""
    edit(album, *changes)
    log = read_log(album)
    yield
    assert read_log(album) == log
    edit(album, *[lambda editor: editor.undo()] * len(changes))


def rename(editor: PeopleEditor) -> None:
    editor.name_person("Maya", "Ana")


def merge(editor: PeopleEditor) -> None:
    merge_as(editor, ["Maya", "Kofi"], "Maya")


def split(editor: PeopleEditor) -> None:
    editor.split("Maya")


SWAP = (rename, lambda editor: editor.name_person("Kofi", "Maya"))


def expect_refused(page: Page) -> None:
    expect(page.locator(".decision-bar")).to_contain_text(REFUSED)
    page.get_by_role("button", name="Close").click()


@pytest.mark.parametrize(
    "changes", [(rename,), (merge,), (split,), SWAP], ids=["name", "merge", "split", "swap"]
)
def test_buttons_of_a_person_who_was_changed_are_refused(
    page: Page, album: WebAlbum, changes: tuple[Change, ...]
) -> None:
    edit(album, lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "Kofi"))
    for button in ("Split", "Forget the name", "Ignore"):
        page.goto("/people/1")
        expect(page.get_by_role("heading", name="Maya")).to_be_visible()
        with changed(album, *changes):
            page.get_by_role("button", name=button).click()
            expect_refused(page)
    page.goto("/people")
    expect(page.locator(".card")).to_have_count(2)
    with changed(album, *changes):
        page.get_by_role("combobox", name="Name of Maya").fill("Noor")
        page.keyboard.press("Enter")
        expect_refused(page)
    page.goto("/people")
    for name in ("select Maya", "select Kofi"):
        page.get_by_label(name).check()
    with changed(album, *changes):
        page.get_by_role("button", name="Merge").click()
        expect_refused(page)


def test_not_maya_is_about_maya(page: Page, album: WebAlbum) -> None:
    edit(album, lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "Kofi"))
    together = f"/photos/{format_photo_id(compute_photo_id('2023/maya and kofi.jpg'))}"
    for changes in ((rename,), SWAP):
        page.goto("/people/1")
        page.locator(".face").last.click()
        with changed(album, *changes):
            page.get_by_role("button", name="Not Maya").click()
            expect_refused(page)
        page.goto(together)
        page.get_by_role("button", name="Maya", exact=True).click()
        with changed(album, *changes):
            page.get_by_role("button", name="Not Maya").click()
            expect_refused(page)
        expect(page.get_by_role("button", name="Ana", exact=True)).to_be_visible()  # as it was at the click
    # she is the same person while others of her faces change
    page.goto(together)
    page.get_by_role("button", name="Maya", exact=True).click()
    edit(album, lambda e: e.reject_faces(e.select_faces("1.3")))
    page.get_by_role("button", name="Not Maya").click()
    expect(page.locator(".decision-bar")).to_contain_text("is not Maya")


def test_a_face_without_a_name_is_that_of_the_person_who_was_shown(page: Page, album: WebAlbum) -> None:
    page.goto(f"/photos/{format_photo_id(compute_photo_id('2023/maya and kofi.jpg'))}")
    face, name = page.get_by_role("button", name="person 1"), lambda e: e.name_person("1", "Ana")
    for change in (name, lambda e: e.merge(["1", "2"])):
        face.click()
        with changed(album, change):
            page.get_by_role("button", name="Not this person").click()
            expect_refused(page)
        page.reload()
        face.click()
        with changed(album, change):
            page.get_by_role("combobox", name="Who is this?").fill("Noor")
            page.keyboard.press("Enter")
            expect_refused(page)
        page.reload()


def test_an_answer_is_about_the_person_in_the_question(page: Page, album: WebAlbum) -> None:
    edit(album, lambda e: e.name_person("1", "Maya"))
    for address in ("/people", "/people/2", f"/photos/{format_photo_id(compute_photo_id('2023/kofi.jpg'))}"):
        page.goto(address)
        if address.startswith("/people/"):
            page.locator(".face").first.click()
        elif address.startswith("/photos"):
            page.locator(".face-box").click()
        field = page.get_by_role("combobox").last
        field.fill("maya")
        field.press("Enter")
        expect(page.get_by_text("Is this the same person?")).to_be_visible()
        with changed(album, rename):
            page.get_by_role("button", name="Yes, this is Maya").click()
            expect_refused(page)


def test_a_name_without_a_face_has_a_card_and_is_merged_with_one_undo(page: Page, album: WebAlbum) -> None:
    beach = compute_photo_id("2024/beach.jpg")
    edit(album, lambda e: e.name_person("1", "Maya"), lambda e: e.name_person("2", "Kofi"))
    edit(album, lambda e: mark_present(e, "Ben", [beach]))
    album.run("05_build_collections.py")
    card, bar = page.locator(".card", has=page.get_by_label("select Ben")), page.locator(".decision-bar")
    page.goto("/people")
    expect(page.locator(".people-summary")).to_have_text(
        "2 people, 2 with a name; 1 name on photos without a face"
    )
    expect(card).to_contain_text("1 photo")
    expect(card).to_contain_text("no face")
    assert card.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
    field = card.get_by_role("combobox")
    field.fill("Benno")
    field.press("Enter")
    expect(bar).to_contain_text("Benno")
    page.get_by_label("photos of Benno").click()
    expect(page.locator(".tile")).to_have_count(1)
    page.goto("/people")
    with changed(album, lambda e: e.name_person("Benno", "Bo")):
        page.get_by_label("select Benno").check()
        page.get_by_label("select Kofi").check()
        page.get_by_role("button", name="Merge").click()
        expect_refused(page)
    page.goto("/people")
    for label in ("select Maya", "select Kofi", "select Benno"):
        page.get_by_label(label).check()
    page.get_by_role("button", name="Merge").click()
    page.get_by_role("button", name="Kofi", exact=True).click()
    expect(bar).to_contain_text("Maya, Benno and Kofi are one person now")
    expect(page.locator(".card")).to_have_count(1)
    bar.get_by_role("button", name="Undo").click()
    expect(page.locator(".card")).to_have_count(3)
    for label in ("select Maya", "select Kofi", "select Benno"):
        expect(page.get_by_label(label)).to_be_visible()
