"""Filters in Chromium: by keys alone, and without scripts."""

from typing import TYPE_CHECKING

import pytest

from pipeline.store import Store
from pipeline.store.decisions import load_decisions

from . import axe
from .browsing import at
from .reviewing import transcript

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
SOUTH = [segment.id for segment in transcript("Group 2", "South")[1]]


def test_a_filter_is_opened_set_and_worked_through_by_keys(page: "Page", store: Store) -> None:
    page.keyboard.press("g")
    page.wait_for_selector("h1:text('Filter')")
    page.wait_for_load_state()
    page.keyboard.press("/")
    page.keyboard.type("driver sings")
    for _ in range(20):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.id") == "f-site":
            break
    for _ in ("North", "South"):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("/")
    assert page.locator("#f-words").input_value() == "driver sings", "in a list, a key belongs to the list"
    page.locator("#f-words").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("h2:text('1 segment')")
    page.wait_for_load_state()
    assert "sings" not in page.url
    page.keyboard.press("n")
    page.wait_for_selector(f"#s-{SOUTH[3]}.current")
    page.wait_for_load_state()
    at(page, SOUTH[3], "open")
    page.keyboard.press("a")
    page.wait_for_selector(".note:text('That was the last one')")
    assert [(d.segment, d.queue) for d in load_decisions(store)] == [(SOUTH[3], "filter")]
    page.go_back()
    page.wait_for_selector(f"#s-{SOUTH[3]}.current")
    page.keyboard.press("g")
    page.wait_for_selector("h2:text('1 segment')")
    assert axe.violations(page) == []


def test_a_filter_works_without_scripts(browser: "Browser", address: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 700})
    page = context.new_page()
    page.goto(f"{address}/filter")
    page.select_option("#f-site", "South")
    page.select_option("#f-chance", "any")
    page.click("button:text('Find')")
    assert page.locator("h2").first.inner_text() == "4 segments"
    page.click("a:text('Code them')")
    assert page.locator(".current").get_attribute("id") == f"s-{SOUTH[0]}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
