"""Memos in Chromium: by keyboard alone, drafts that nothing loses, two tabs, offline, and for whoever does not see."""

from typing import TYPE_CHECKING

import pytest

from pipeline.records import SegmentId
from pipeline.store import Store
from pipeline.store.decisions import load_decisions
from pipeline.store.memos import load_memos

from .axe import violations
from .browsing import Program, at
from .reviewing import transcript

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
FIRST, SECOND = (segment.id for segment in transcript()[1][:2])
DRAFTS = "Object.keys(localStorage).filter((name) => name.startsWith('themescout-draft')).length"
BOX = ".panel .memo textarea"


def written(store: Store) -> list[tuple[SegmentId, str]]:
    return [(one.about.segment, one.text) for one in load_memos(store, coder="Ria")]


def box(page: "Page") -> str:
    """Open the memo of the current segment; returns what stands in it."""
    page.keyboard.press("m")
    assert page.evaluate("document.activeElement.matches('.panel .memo textarea')")
    return page.locator(BOX).input_value()


def save(page: "Page", text: str) -> None:
    box(page)
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)
    page.keyboard.press("Control+Enter")
    page.locator(".panel .note", has_text="memo").wait_for()


def test_a_memo_is_written_and_changed_by_keys_alone(page: "Page", store: Store) -> None:
    assert box(page) == ""
    page.keyboard.type("jax 1? u m")  # keys elsewhere
    page.keyboard.press("Enter")
    page.keyboard.type("ended")
    page.keyboard.press("Control+Enter")
    page.locator(".panel .note", has_text="Your memo is written.").wait_for()
    assert written(store) == [(FIRST, "jax 1? u m\nended")]
    assert not load_decisions(store), "what is typed decides nothing"
    assert page.locator("#said").inner_text().startswith("Your memo is written.")
    assert page.locator(f"#s-{FIRST} .noted").count() == 1
    assert page.locator(f"#s-{FIRST} .state a").inner_text().endswith("you have a memo on it")
    assert not page.locator(BOX).is_visible()
    assert page.evaluate(DRAFTS) == 0, "what is written is not kept in the browser besides"
    page.keyboard.press("a")  # keys are the segment's again
    at(page, SECOND)
    assert box(page) == ""
    page.keyboard.press("Escape")
    page.keyboard.press("k")
    at(page, FIRST)
    assert box(page) == "jax 1? u m\nended"


def test_escape_leaves_the_box_and_keeps_the_draft_also_when_the_browser_is_closed(page: "Page", store: Store) -> None:
    box(page)
    page.keyboard.type("half a thou")
    page.keyboard.press("Escape")
    page.locator("#said.told", has_text="not saved").wait_for()
    assert not page.locator(BOX).is_visible()
    page.keyboard.press("j")
    at(page, SECOND)
    assert box(page) == "", "a draft is of its own segment"
    page.keyboard.press("Escape")
    address, context = page.url, page.context
    page.close()
    again = context.new_page()
    again.goto(address)
    at(again, SECOND)
    again.keyboard.press("k")
    at(again, FIRST)
    assert "not saved" in again.locator(".panel .memo summary").first.inner_text()
    assert box(again) == "half a thou"
    again.keyboard.type("ght")
    again.keyboard.press("Control+Enter")
    again.locator(".panel .note").wait_for()
    assert written(store) == [(FIRST, "half a thought")]
    assert again.evaluate(DRAFTS) == 0


def test_offline_a_memo_waits_and_is_written_once(page: "Page", store: Store, complaints: list[str]) -> None:
    page.context.set_offline(True)
    box(page)
    page.keyboard.type("thought in a tunnel")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#kept:has-text('cannot be reached. 1 answer is kept')")
    assert "not sent" in page.locator(".panel .memo summary").first.inner_text()
    assert box(page) == "thought in a tunnel"
    page.keyboard.type(", and after")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#kept:has-text('2 answers are kept')")
    box(page)
    page.keyboard.type("; typed when it came back")
    page.context.set_offline(False)
    page.locator("#kept").wait_for(state="hidden", timeout=15000)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)  # what was written is loaded meanwhile
    page.keyboard.type("!")
    assert page.locator(BOX).input_value() == "thought in a tunnel, and after; typed when it came back!"
    page.keyboard.press("Control+Enter")
    page.locator(".panel .note", has_text="Your memo is written.").wait_for()
    texts = ["thought in a tunnel", ", and after", "; typed when it came back!"]
    assert written(store) == [(FIRST, "".join(texts[: n + 1])) for n in range(3)]
    assert not load_decisions(store)
    complaints[:] = [told for told in complaints if "Failed to load resource" not in told]


def test_killed_while_a_memo_is_sent_it_is_written_once(
    page: "Page", store: Store, program: Program, complaints: list[str]
) -> None:
    box(page)
    page.keyboard.type("before the power went")
    program.kill()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#kept:has-text('1 answer is kept')")
    program.again()
    page.locator("#kept").wait_for(state="hidden", timeout=15000)
    assert written(store) == [(FIRST, "before the power went")]
    complaints[:] = [told for told in complaints if "Failed to load resource" not in told]


def test_two_tabs_lose_nothing_of_each_other(page: "Page", store: Store) -> None:
    other = page.context.new_page()
    other.goto(page.url)
    at(other, FIRST)
    save(page, "from the first tab")
    save(other, "from the second tab")
    assert written(store)[-1] == (FIRST, "from the first tab\n\nfrom the second tab")
    assert "in another window" in other.locator(".panel .note").inner_text()


def test_hostile_text_stays_text_and_stays_in_its_place(page: "Page", store: Store) -> None:
    hostile = (
        "<script>window.hurt = 1</script><img src=x onerror='window.hurt = 1'> \u202etxet\u202c \u200b " + "W" * 3000
    )
    save(page, hostile)
    assert written(store) == [(FIRST, hostile)]
    page.reload()
    at(page, FIRST)
    assert page.locator(".panel .memo > .words").inner_text().startswith("<script>window.hurt = 1</script><img")
    assert page.evaluate("window.hurt") is None
    page.set_viewport_size({"width": 320, "height": 640})
    for path in ("", "/memos"):
        if path:
            page.goto(page.url.split("/transcript")[0] + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing reaches over the edge"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1000, 1920])
def test_who_does_not_see_the_page_can_use_the_box(page: "Page", width: int, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two
    page.set_viewport_size({"width": width, "height": 900})
    save(page, "one")
    save(page, "two")
    assert violations(page) == [], "closed"
    assert box(page) == "two"
    page.locator(".versions summary").first.click()
    assert page.locator(".versions .words").first.inner_text() == "one"
    assert violations(page) == [], "open"
    root = page.url.split("/transcript")[0]
    for path in ("/memos", "/codebook/theme?theme=Waiting", "/filter"):
        page.goto(root + path)
        assert violations(page) == [], path


def test_the_memo_of_a_transcript_and_of_a_theme_are_written_in_the_same_way(page: "Page", store: Store) -> None:
    fold = page.locator(".head .memo")
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("a loud group")
    page.keyboard.press("Control+Enter")
    page.locator(".panel .note", has_text="Your memo is written.").wait_for()
    page.goto(page.url.split("/transcript")[0] + "/codebook/theme?theme=Waiting")
    page.keyboard.press("m")
    page.keyboard.type("too wide?")
    page.keyboard.press("Control+Enter")
    page.locator("html.scripted main > .note", has_text="Your memo is written.").wait_for()
    rows = [(one.about.document, one.about.theme, one.text) for one in load_memos(store)]
    assert rows == [("Group 1", "", "a loud group"), ("", "Waiting", "too wide?")]
    page.keyboard.press("m")
    page.keyboard.type(" Yes.")
    page.keyboard.press("Escape")
    page.reload()
    assert "not saved" in page.locator(".memo summary").first.inner_text()
