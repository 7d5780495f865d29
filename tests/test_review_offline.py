"""The review page while its program cannot be reached: nothing is lost, nothing counts twice, and the page says so."""

import re
from typing import TYPE_CHECKING

import pytest

from pipeline.records import SegmentId
from pipeline.store import Store
from pipeline.store.decisions import load_decisions

from .browsing import Program, at, marked
from .reviewing import transcript

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser
CUT = transcript()[1]
IDS = [segment.id for segment in CUT]
FIRST, SECOND, THIRD = IDS[:3]
WAITING = "[...Object.keys(localStorage)].filter((name) => name.startsWith('themescout-outbox')).length"


def written(store: Store) -> list[tuple[SegmentId, str, str]]:
    return [(row.segment, row.theme, row.answer.value) for row in load_decisions(store, coder="Ria")]


def fetched(page: "Page") -> None:
    """Wait until the pages of the next segments are there."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)


def sent(page: "Page") -> None:
    page.locator("#kept").wait_for(state="hidden", timeout=15000)
    page.wait_for_function(f"{WAITING} === 0")


@pytest.fixture(autouse=True)
def _complains(page: "Page", complaints: list[str]) -> object:
    """The browser says for itself that it could not reach the program; all else is still a complaint."""
    yield
    complaints[:] = [told for told in complaints if "Failed to load resource" not in told]


def test_offline_keys_go_on_and_are_sent_in_order_when_the_program_is_back(page: "Page", store: Store) -> None:
    fetched(page)
    page.context.set_offline(True)
    page.keyboard.press("1")
    page.wait_for_selector("#kept:has-text('cannot be reached. 1 answer is kept in this browser')")
    marked(page, FIRST, "Waiting, not sent yet")
    page.keyboard.press("2")
    page.keyboard.press(" ")
    at(page, SECOND, "open")
    page.keyboard.press("a")
    at(page, THIRD, "open")
    page.keyboard.press("x")
    at(page, IDS[3], "open")
    page.wait_for_selector("#kept:has-text('5 answers are kept')")
    assert written(store) == []
    page.context.set_offline(False)
    sent(page)
    at(page, IDS[3], "open")
    marked(page, SECOND, "Waiting")
    marked(page, THIRD, "no theme, 2 rejected")
    rows = written(store)
    assert rows[:2] == [(FIRST, "Waiting", "accept"), (FIRST, "Kindness <of drivers>", "accept")]
    assert rows[2:5] == [
        (FIRST, "", "nothing"),
        (FIRST, "Waiting", "reject"),
        (FIRST, "Kindness <of drivers>", "reject"),
    ]
    assert [row[0] for row in rows[5:]] == [SECOND, THIRD, THIRD]
    assert all(row.run == "run-1" and row.shown for row in load_decisions(store))


def test_offline_answers_can_be_taken_back_one_by_one(page: "Page", store: Store) -> None:
    fetched(page)
    page.context.set_offline(True)
    page.keyboard.press("a")
    at(page, SECOND)
    page.keyboard.press("1")
    marked(page, SECOND, "Waiting, not sent yet")
    assert page.locator(".offer").first.get_by_role("button", name="Take back").is_visible()
    page.keyboard.press("1")
    marked(page, SECOND, "taken back, not sent yet")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    marked(page, SECOND, "open")
    page.keyboard.press("Backspace")
    at(page, FIRST, "open")
    page.wait_for_selector("#kept:has-text('6 answers are kept')")
    page.context.set_offline(False)
    sent(page)
    at(page, FIRST, "open")
    marked(page, SECOND, "open")
    assert [row[2] for row in written(store)] == ["accept", "accept", "undo", "accept", "undo", "undo"]


def test_what_waits_survives_that_the_page_is_closed(page: "Page", store: Store, address: str) -> None:
    page.context.set_offline(True)
    page.keyboard.press("a")
    page.wait_for_selector("#kept:has-text('also when the page is closed')")
    kept = page.evaluate("JSON.stringify(localStorage)")
    assert "Waiting" in kept
    assert not any(word in kept for word in ("hour", "rain", "stop", "feet")), "no words of a transcript or a quote"
    context = page.context
    page.close()
    context.set_offline(False)
    again = context.new_page()
    again.goto(f"{address}/")
    sent(again)
    again.wait_for_selector("text=1 of 10 segments decided")
    assert written(store) == [(FIRST, "Waiting", "accept")]


def test_killed_between_two_keys_nothing_is_lost_and_nothing_doubled(
    page: "Page", store: Store, program: Program
) -> None:
    fetched(page)
    page.keyboard.press("a")
    at(page, SECOND)
    marked(page, FIRST, "Waiting")
    program.kill()
    assert written(store) == [(FIRST, "Waiting", "accept")], "what the page said is on disk"
    page.keyboard.press("a")
    at(page, THIRD, "open")
    page.keyboard.press("u")
    program.again()
    sent(page)
    marked(page, SECOND, "Waiting")
    marked(page, THIRD, "unsure")
    assert [row[0::2] for row in written(store)] == [(FIRST, "accept"), (SECOND, "accept"), (THIRD, "unsure")]


def test_an_answer_whose_receipt_got_lost_counts_once(page: "Page", store: Store) -> None:
    tries = []

    def deaf(route: "Route") -> None:
        tries.append(route.request.post_data)
        if len(tries) == 1:
            route.fetch(max_redirects=0)  # it arrives and is written
            route.abort()
        else:
            route.continue_()

    page.route(re.compile("/segment/"), deaf)
    page.keyboard.press("1")
    page.wait_for_selector("#kept:has-text('1 answer is kept')")
    assert written(store) == [(FIRST, "Waiting", "accept")]
    sent(page)
    marked(page, FIRST, "Waiting")
    assert len(tries) == 2
    assert written(store) == [(FIRST, "Waiting", "accept")]


def test_while_the_store_is_locked_answers_wait_and_the_page_says_why(page: "Page", store: Store) -> None:
    told = "<main><h1>The store cannot be used just now</h1><p>study.db: stayed locked</p><p><a>Back</a></p></main>"
    page.route(re.compile("/segment/"), lambda route: route.fulfill(status=503, content_type="text/html", body=told))
    page.keyboard.press("1")
    page.wait_for_selector("#kept:has-text('cannot be used just now. study.db: stayed locked. 1 answer is kept')")
    page.unroute_all()
    sent(page)
    assert written(store) == [(FIRST, "Waiting", "accept")]


def test_an_answer_that_is_refused_is_told_and_not_sent_again(page: "Page", store: Store) -> None:
    page.locator(".go input[name=theme]").first.evaluate("field => { field.value = 'Unknown' }")
    page.keyboard.press("a")
    page.wait_for_selector(
        "#said.told:text('Your answer was NOT saved. Nothing was written. The codebook has no theme')"
    )
    page.wait_for_function(f"{WAITING} === 0")
    page.keyboard.press("x")
    at(page, SECOND)
    assert [row[2] for row in written(store)] == ["reject", "reject"]


def test_an_answer_that_waited_and_does_not_fit_any_more_is_told_with_its_place(page: "Page", store: Store) -> None:
    fetched(page)
    page.context.set_offline(True)
    page.locator(".go input[name=seen]").first.evaluate("field => { field.value = 'another' }")
    page.keyboard.press("a")
    at(page, SECOND)
    page.context.set_offline(False)
    page.wait_for_selector("#kept:has-text('An answer was NOT written')")
    assert f"segment={FIRST}" in (page.locator("#kept a").get_attribute("href") or "")
    assert written(store) == []


def test_where_nothing_was_fetched_ahead_the_page_waits(page: "Page", store: Store) -> None:
    page.context.set_offline(True)
    page.keyboard.press("a")
    page.wait_for_selector(".panel:has-text('What comes next is shown once')")
    page.keyboard.press("a")
    page.keyboard.press("x")
    page.context.set_offline(False)
    sent(page)
    at(page, SECOND)
    assert written(store) == [(FIRST, "Waiting", "accept")]


def test_a_browser_that_keeps_nothing_warns(page: "Page", store: Store) -> None:
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full') } }")
    page.context.set_offline(True)
    page.keyboard.press("1")
    page.wait_for_selector("#kept:has-text('do NOT close it')")
    page.context.set_offline(False)
    page.locator("#kept").wait_for(state="hidden", timeout=15000)
    assert written(store) == [(FIRST, "Waiting", "accept")]
