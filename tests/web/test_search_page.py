"""The search page in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_a_sentence_is_answered(page: Page) -> None:
    page.get_by_label("Search", exact=True).fill("a beach")
    page.keyboard.press("Enter")
    page.get_by_text("6 photos").wait_for()
