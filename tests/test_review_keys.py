"""Keys that coders choose for themselves, themes found by typing, and the codebook beside the text, in Chromium."""

from typing import TYPE_CHECKING

import pytest

from pipeline.records import SegmentId
from pipeline.store import Store
from pipeline.store.decisions import load_decisions

from .axe import violations
from .browsing import at, marked
from .reviewing import transcript

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
IDS = [segment.id for segment in transcript()[1]]
FIRST, SECOND, THIRD = IDS[:3]
KIND = "Kindness <of drivers>"


def written(store: Store) -> list[tuple[SegmentId, str, str]]:
    return [(row.segment, row.theme, row.answer.value) for row in load_decisions(store, coder="Ria")]


def change(page: "Page", does: str, key: str) -> str:
    """Choose another key in the list of keys; returns what the list says."""
    page.keyboard.press("?")
    page.locator("#keys div", has_text=does).get_by_role("button", name="Change").click()
    page.keyboard.press(key)
    told = page.locator("#keys [role=status]").inner_text()
    page.keyboard.press("Escape")
    return told


def test_a_key_can_be_changed_and_the_page_shows_it(page: "Page", store: Store) -> None:
    told = change(page, "accept the first", "q")
    assert told == "q is now for: accept the first suggestion and go on."
    assert page.locator("button:has-text('Accept first') kbd").inner_text() == "q"
    page.keyboard.press("a")
    page.keyboard.press("q")
    at(page, SECOND)
    page.reload()
    at(page, SECOND)
    page.keyboard.press("q")
    at(page, THIRD)
    assert [row[2] for row in written(store)] == ["accept", "accept"]


def test_a_key_that_is_taken_is_refused(page: "Page", store: Store) -> None:
    assert change(page, "accept the first", "x").startswith("x is for: reject all")
    page.keyboard.press("Escape")
    assert change(page, "accept the first", "5") == "5 cannot be used here. Press another key."
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    at(page, SECOND)
    assert {row[2] for row in written(store)} == {"reject"}


def test_keys_can_be_exchanged_and_set_back(page: "Page", store: Store) -> None:
    change(page, "accept the first", "q")
    assert change(page, "reject all", "a") == "a is now for: reject all that are shown and not accepted, and go on."
    page.keyboard.press("a")
    at(page, SECOND)
    page.keyboard.press("?")
    page.get_by_role("button", name="All as usual").click()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    at(page, THIRD)
    assert [row[2] for row in written(store)] == ["reject", "reject", "accept"]


def test_keys_are_kept_for_each_coder_apart(page: "Page") -> None:
    change(page, "accept the first", "q")
    names = page.evaluate("Object.keys(localStorage)")
    who = page.locator("#page").get_attribute("data-who")
    assert names == [f"themescout-keys {who}"]


def test_a_suggestion_is_rejected_by_one_key_as_it_is_accepted(page: "Page", store: Store) -> None:
    page.keyboard.press("Shift+Digit2")
    at(page, FIRST, "no theme, 1 rejected")
    page.keyboard.press("Shift+Digit2")
    at(page, FIRST, "open")
    assert written(store) == [(FIRST, KIND, "reject"), (FIRST, KIND, "undo")]


def listed(page: "Page") -> list[str]:
    names = page.locator("#fitting [role=option]").evaluate_all("all => all.map((one) => one.dataset.name)")
    return [str(name) for name in names]


def test_themes_are_found_by_some_letters_and_recent_ones_come_first(page: "Page", store: Store) -> None:
    page.keyboard.press("/")
    assert listed(page) == ["Waiting", "Money", KIND, "Weather"]
    page.keyboard.type("wr")
    assert listed(page) == ["Weather"], "letters with gaps"
    page.keyboard.press("Enter")
    at(page, FIRST, "Weather")
    page.keyboard.press("/")
    assert listed(page) == ["Weather", "Waiting", "Money", KIND], "given lately"
    page.keyboard.type("w")
    assert listed(page) == ["Weather", "Waiting"]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    at(page, FIRST, "Weather; Waiting")
    page.keyboard.press("/")
    page.keyboard.type("of dr")
    page.locator("#fitting [role=option]").click()
    at(page, FIRST, f"Weather; Waiting; {KIND}")
    assert [row[1:] for row in written(store)] == [("Weather", "add"), ("Waiting", "accept"), (KIND, "accept")]


def test_what_fits_is_told_to_who_does_not_see_it(page: "Page") -> None:
    page.keyboard.press("/")
    page.keyboard.type("w")
    field = page.locator("#add")
    assert (field.get_attribute("role"), field.get_attribute("aria-expanded")) == ("combobox", "true")
    chosen = field.get_attribute("aria-activedescendant")
    assert page.locator(f"#{chosen}").get_attribute("aria-selected") == "true"
    assert violations(page) == []
    page.keyboard.press("Escape")
    assert field.get_attribute("aria-expanded") == "false"


def test_the_codebook_stands_beside_the_text_while_segments_are_decided(page: "Page", store: Store) -> None:
    page.keyboard.press("c")
    beside = page.locator("#beside")
    beside.get_by_text("Time spent at the stop").wait_for()
    assert "We stood at the stop until our feet were cold" in beside.inner_text()
    text, panel, book = (page.locator(name).bounding_box() for name in (".current", ".panel", "#beside"))
    assert text and panel and book
    assert text["x"] + text["width"] < book["x"]
    assert panel["y"] + panel["height"] <= book["y"], "nothing is covered"
    assert violations(page) == []
    page.keyboard.press("a")
    at(page, SECOND)
    assert beside.is_visible()
    beside.get_by_placeholder("Find").fill("fare")
    assert beside.locator("section:visible h2").all_inner_texts() == ["Money"]
    page.keyboard.press("x")
    assert written(store) == [(FIRST, "Waiting", "accept")], "letters in a field are letters"
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    assert not beside.is_visible()
    marked(page, FIRST, "Waiting")


def test_the_list_of_keys_can_be_used_without_seeing_it(page: "Page") -> None:
    page.keyboard.press("?")
    assert violations(page) == []
