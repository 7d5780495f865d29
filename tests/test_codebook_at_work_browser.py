"""The codebook changed in Chromium, by keys alone, while people code."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.codebook import read_codebook, write_codebook
from pipeline.records import Codebook, Kind
from pipeline.store import Store
from pipeline.store.decisions import load_decisions
from pipeline.store.revisions import list_revisions

from . import axe
from .browsing import at, marked
from .reviewing import transcript
from .test_codebook_at_work import BOOK

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
FIRST, SECOND, *_ = [segment.id for segment in transcript()[1]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "codebook.csv"
    write_codebook(BOOK, made)
    return made


@pytest.fixture
def address(file: Path, address: str) -> Iterator[str]:  # the file is there when the page begins
    yield address


def saying(file: Path, theme: str) -> Codebook:
    return Codebook(themes=tuple(one for one in read_codebook(file).themes if one.name == theme))


def test_exemplars_and_near_misses_are_made_by_one_key(page: "Page", file: Path, complaints: list[str]) -> None:
    page.keyboard.press("2")
    at(page, FIRST, "Kindness <of drivers>")
    page.keyboard.press("Shift+Digit1")
    marked(page, FIRST, "Kindness <of drivers>")
    page.wait_for_selector("button[data-key=w]")
    page.keyboard.press("e")
    page.wait_for_selector(".panel .note:text('an exemplar in the codebook')")
    page.keyboard.press("w")
    page.wait_for_selector(".panel .note:text('a near miss in the codebook')")
    was = read_codebook(file)
    page.route("**/exemplar*", lambda route: route.abort())
    page.keyboard.press("e")
    page.wait_for_selector("#kept:not([hidden])")
    page.unroute("**/exemplar*")
    page.wait_for_selector("#kept", state="hidden")
    assert read_codebook(file) == was, "what is there already is not made twice"
    complaints.clear()
    (given,), (refused,) = saying(file, "Kindness <of drivers>").themes, saying(file, "Waiting").themes
    assert [one.kind for one in given.exemplars] == [Kind.TYPICAL]
    assert [one.kind for one in refused.exemplars] == [Kind.TYPICAL, Kind.NEAR_MISS]
    assert axe.violations(page) == []
    page.keyboard.press("c")
    page.locator("#beside").get_by_text("Near miss: not this theme").wait_for()


def test_a_definition_is_changed_and_what_was_coded_is_looked_at_again(page: "Page", store: Store, file: Path) -> None:
    page.keyboard.press("a")
    at(page, SECOND)
    root = page.url.split("/transcript/")[0]
    page.goto(f"{root}/codebook/theme?theme=Waiting")
    assert axe.violations(page) == []
    page.locator("#w-definition").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("Waiting of any kind")
    page.locator("#why-words").focus()
    page.keyboard.type("pilot")
    page.keyboard.press("Enter")
    page.wait_for_selector(".note:text('The codebook says so now')")
    page.wait_for_load_state()
    assert axe.violations(page) == []
    assert [one.why for one in list_revisions(store)] == ["", "pilot"]
    page.goto(f"{root}/codebook/history")
    page.get_by_text("Waiting of any kind").wait_for()
    assert axe.violations(page) == []
    page.goto(f"{root}/")
    page.keyboard.press("5")
    at(page, FIRST, "Waiting")
    assert axe.violations(page) == []
    page.keyboard.press("y")
    page.wait_for_selector(".note:text('Nothing is open any more in that order')")
    assert [d.queue for d in load_decisions(store)] == ["", "look-again"]
    page.goto(f"{root}/codebook/new")
    assert axe.violations(page) == []


def test_the_codebook_is_changed_without_scripts(browser: "Browser", address: str, file: Path) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 700})
    page = context.new_page()
    page.goto(f"{address}/codebook")
    page.click("a:text('New theme')")
    page.fill("#n-name", "Buses")
    page.click("button.main")
    page.click("section:has(h2 :text-is('Buses')) a")
    page.select_option("#m-into", "Waiting")
    page.click("button:text('the merger')")
    assert read_codebook(file).themes[0].formerly == ("Buses",)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
