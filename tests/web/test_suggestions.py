"""Questions whether two people are the same, in a real browser, with a clustering that is often unsure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from playwright.sync_api import expect
from web_fixtures import WebAlbum

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture
def album(finished_album: WebAlbum, tmp_path: Path) -> WebAlbum:
    """An album in which each face is a person of its own."""
    unsure = finished_album.copy_to(tmp_path / "album")
    settings = yaml.safe_load(unsure.drawn.config_file.read_text("utf-8"))
    settings["faces"]["cluster_distance"] = 0.05
    unsure.drawn.config_file.write_text(yaml.safe_dump(settings), "utf-8")
    unsure.run("02_cluster_faces.py")
    return unsure


def test_pairs_are_answered(page: Page) -> None:
    bar, sides = page.locator(".decision-bar"), page.locator(".side")
    page.goto("/people")
    expect(page.get_by_text("5 people, 0 with a name")).to_be_visible()
    page.goto("/people/suggestions")
    expect(sides).to_have_count(2)
    first = sides.all_inner_texts()
    for shortcut in ("Alt+n", "Meta+s", "Control+y"):  # of the browser and the system
        page.keyboard.press(shortcut)
    page.keyboard.press("s")
    expect(sides.first).not_to_have_text(first[0], use_inner_text=True)
    expect(bar).not_to_be_visible()
    second = sides.all_inner_texts()
    page.keyboard.press("n")
    expect(bar).to_contain_text("not the same person")
    expect(page.get_by_text("No pair of people is uncertain.")).to_be_visible()
    bar.get_by_role("button", name="Undo").click()
    expect(sides).to_have_count(2)
    assert sides.all_inner_texts() == second

    page.reload()
    expect(sides).to_have_count(2)
    page.get_by_role("button", name="Yes").click()
    expect(bar).to_contain_text("one person now")
    page.goto("/people")
    expect(page.get_by_text("4 people, 0 with a name")).to_be_visible()
