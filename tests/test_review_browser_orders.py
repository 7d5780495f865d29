"""Orders, similar segments and reasons on the review page in Chromium, by keys."""

import re
from typing import TYPE_CHECKING

import pytest

from pipeline.records import SegmentId
from pipeline.store import Store
from pipeline.store.decisions import load_decisions

from .browsing import at
from .reviewing import transcript

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
IDS = [segment.id for segment in transcript()[1]]
FIRST, SECOND = IDS[:2]


def current(page: "Page") -> SegmentId:
    told: str = page.evaluate("document.querySelector('.current').id.slice(2)")
    page.wait_for_timeout(310)
    return SegmentId(told)


def test_an_order_is_chosen_and_followed_by_keys_alone(page: "Page", store: Store) -> None:
    at(page, FIRST)
    page.keyboard.press("o")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Surest first"
    page.keyboard.press("Enter")
    page.wait_for_url("**order=surest**")
    passed = [current(page)]
    for key in ("a", " ", "x", "j"):
        page.keyboard.press(key)
        page.wait_for_function("was => document.querySelector('.current').id.slice(2) !== was", arg=passed[-1])
        passed.append(current(page))
        assert "order=surest" in page.url
    assert len(set(passed)) == 5
    assert {row.queue for row in load_decisions(store, coder="Ria")} == {"surest"}
    page.keyboard.press("Backspace")
    page.wait_for_function("was => document.querySelector('.current').id.slice(2) === was", arg=passed[2])
    assert "order=surest" in page.url
    page.wait_for_timeout(310)
    page.keyboard.press("n")
    page.wait_for_function("was => document.querySelector('.current').id.slice(2) !== was", arg=passed[2])


def test_a_segment_and_marked_words_lead_to_what_is_similar(page: "Page") -> None:
    at(page, FIRST)
    page.keyboard.press("s")
    page.wait_for_url("**/similar/*")
    assert page.locator(".listed > li").count() == 9
    page.locator(".listed a").first.click()
    page.wait_for_selector(".current")
    page.goto(page.url.split("?")[0] + f"?segment={FIRST}")
    page.locator(".text", has_text="fare").evaluate("words => getSelection().selectAllChildren(words)")
    page.keyboard.press("s")
    page.wait_for_url("**/search")
    assert page.locator("#text").input_value() == "I cannot pay the fare every day."
    assert "fare" not in page.url
    assert page.locator(".listed .said-text").first.inner_text() == "I cannot pay the fare every day."


def test_what_carried_a_suggestion_is_underlined_and_numbered(page: "Page") -> None:
    at(page, FIRST)
    mark = page.locator(".current mark").nth(1)
    assert mark.inner_text() == "an hour in1 2"
    assert "underline" in mark.evaluate("mark => getComputedStyle(mark).textDecorationLine")
    page.click(".parts summary >> nth=0")
    assert page.locator(".parts[open] li").first.inner_text().split("\n") == ["all exemplars and decisions", "+0.9"]
    page.keyboard.press("2")
    at(page, FIRST, "Kindness <of drivers>")
    assert page.locator(".parts[open]").count() == 1, "what was unfolded stays so"


def test_without_scripts_an_order_and_a_search_work(browser: "Browser", address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/")
    page.click("text=Surest first")
    first = page.locator(".current").get_attribute("id")
    page.click("button:has-text('Nothing fits')")
    page.wait_for_load_state("load")
    assert page.locator(".current").get_attribute("id") != first
    assert "order=surest" in page.url
    page.goto(f"{address}/search")
    page.fill("#text", "who pays the fare?")
    page.click("button:has-text('Find')")
    assert re.search("fare", page.locator(".listed .said-text").first.inner_text())
    context.close()
