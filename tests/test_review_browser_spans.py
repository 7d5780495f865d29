"""Spans in Chromium: by keys alone, with the mouse, and what can be read on small and large screens."""

from typing import TYPE_CHECKING

import pytest

from pipeline.records import SegmentId, present, segment_id
from pipeline.store import Store
from pipeline.store.corpus import load_segments
from pipeline.store.decisions import load_decisions

from .axe import violations
from .browsing import at, marked
from .reviewing import transcript

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
MADE, CUT = transcript()
FIRST, SECOND = CUT[0].id, CUT[1].id
BOTH = "We waited an hour in the rain. <b>The ticket</b> & the coat were wet."
MARK_WORDS = """([from, to]) => {
  const node = [...document.querySelectorAll(".document p")].find((p) => p.textContent.includes(from));
  const walk = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  for (let text = walk.nextNode(); text; text = walk.nextNode()) {
    if (text.data.includes(from)) range.setStart(text, text.data.indexOf(from));
    if (text.data.includes(to)) range.setEnd(text, text.data.indexOf(to) + to.length);
  }
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}"""


def span(words: str) -> SegmentId:
    start = MADE.text.index(words)
    return segment_id(MADE.id, start, start + len(words))


def coded(store: Store) -> dict[str, tuple[str, ...]]:
    made = present(load_decisions(store, coder="Ria"))
    words = {one.id: one.text for one in load_segments(store, ids=[coding.segment for coding in made])}
    return {words[coding.segment]: coding.themes for coding in made}


def test_a_segment_is_made_longer_coded_and_undone_by_keys(page: "Page", store: Store) -> None:
    at(page, FIRST, "open")
    page.keyboard.press("+")
    at(page, span(BOTH), "open")
    marked(page, FIRST, "cut otherwise")
    page.keyboard.press("1")
    at(page, span(BOTH), "Waiting")
    assert coded(store) == {BOTH: ("Waiting",)}
    page.keyboard.press(">")
    at(page, SECOND, "Waiting")
    assert coded(store) == {"<b>The ticket</b> & the coat were wet.": ("Waiting",)}, "just what the machine cut"
    marked(page, FIRST, "open")
    for place, mark in ((span(BOTH), "Waiting"), (span(BOTH), "open"), (FIRST, "open")):
        page.keyboard.press("Backspace")
        at(page, place, mark)
    page.reload()
    at(page, FIRST, "open")
    assert coded(store) == {}
    assert page.locator(".own").count() == 0


def test_where_the_turn_ends_nothing_is_written_and_the_page_says_why(
    page: "Page", store: Store, complaints: list[str]
) -> None:
    page.keyboard.press("<")
    page.locator("#said.told", has_text="a span lies inside one turn").wait_for()
    assert not load_decisions(store)
    complaints[:] = [one for one in complaints if "400" not in one]


def test_sentences_are_chosen_by_keys_alone(page: "Page", store: Store) -> None:
    page.keyboard.press("t")
    page.wait_for_url("**/span/*")
    page.locator("input[name=first]:checked").wait_for()
    page.keyboard.press("Tab")  # from the first radio to the last one
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    at(page, span(BOTH), "open")
    marked(page, FIRST, "cut otherwise")
    page.keyboard.press("t")
    page.wait_for_url("**/span/*")
    page.get_by_role("button", name="Split before it").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/transcript/*")
    at(page, FIRST, "open")
    assert page.locator(".own").count() == 0, "both parts are the machine's own segments again"
    assert {row.answer.value for row in load_decisions(store)} == {"cut", "span", "undo"}


@pytest.mark.parametrize(
    ("start", "end", "words"), [("ited", "the ra", "waited an hour in the rain"), ("Mm", "hm", "Mm-hm")]
)
def test_marked_words_are_coded(page: "Page", store: Store, start: str, end: str, words: str) -> None:
    page.evaluate(MARK_WORDS, [start, end])
    page.keyboard.press("t")
    at(page, span(words), "open")
    marked(page, FIRST, "open")
    page.keyboard.press("/")
    page.keyboard.type("Weather")
    page.keyboard.press("Enter")
    at(page, span(words), "Weather")
    assert coded(store) == {words: ("Weather",)}
    page.evaluate(MARK_WORDS, ["One dr", "sin"])
    page.keyboard.press("t")
    at(page, span("One driver sings"), "open")
    page.keyboard.press("Backspace")
    page.wait_for_selector(".own.current", state="detached")
    assert coded(store) == {words: ("Weather",)}


def test_words_are_found_behind_the_numbers_that_the_page_put_there(page: "Page", store: Store) -> None:
    page.evaluate(MARK_WORDS, ["hour", "hour"])
    page.keyboard.press("t")
    at(page, span("hour"), "open")
    page.keyboard.press("k")
    at(page, FIRST)
    page.evaluate(MARK_WORDS, [" the rai", " the rai"])
    page.keyboard.press("t")
    at(page, span("the rain"), "open")


def test_while_the_program_cannot_be_reached_nothing_is_cut(page: "Page", store: Store, complaints: list[str]) -> None:
    page.context.set_offline(True)
    page.keyboard.press("+")
    page.locator("#said.told", has_text="That was NOT done").wait_for()
    page.context.set_offline(False)
    page.keyboard.press("+")
    at(page, span(BOTH), "open")
    complaints[:] = [one for one in complaints if "ERR_INTERNET_DISCONNECTED" not in one]


@pytest.mark.parametrize("width", [320, 768, 1440])
def test_spans_can_be_read_on_every_screen(page: "Page", width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.keyboard.press("+")
    at(page, span(BOTH), "open")
    page.locator(".cutting summary").click()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), "nothing is beside the screen"
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator("#panel-title").focus()
    page.keyboard.press("t")
    page.wait_for_url("**/span/*")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert violations(page) == []
