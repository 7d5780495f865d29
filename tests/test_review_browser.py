"""The review page in Chromium: keys, and that it can be read on small and large screens."""

import re
from typing import TYPE_CHECKING

import pytest

from pipeline.records import SegmentId
from pipeline.store import Store
from pipeline.store.decisions import load_decisions

from .browsing import at, marked
from .reviewing import NONE_SUGGESTED, transcript

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser
IDS = [segment.id for segment in transcript()[1]]
FIRST, SECOND, THIRD = IDS[:3]


def written(store: Store) -> list[tuple[SegmentId, str, str]]:
    return [(row.segment, row.theme, row.answer.value) for row in load_decisions(store, coder="Ria")]


def test_a_day_of_work_by_keys(page: "Page", store: Store) -> None:
    at(page, FIRST, "open")
    page.keyboard.press("a")
    at(page, SECOND)
    marked(page, FIRST, "Waiting")
    page.keyboard.press("x")
    at(page, THIRD)
    marked(page, SECOND, "no theme, 2 rejected")
    page.keyboard.press("u")
    at(page, IDS[3])
    marked(page, THIRD, "unsure")
    page.keyboard.press(" ")
    at(page, IDS[4])
    marked(page, IDS[3], "nothing fits")
    page.keyboard.press(" ")
    at(page, transcript("Group 2", "South")[1][0].id)
    assert [row for row in written(store) if row[0] in (FIRST, THIRD, IDS[4])] == [
        (FIRST, "Waiting", "accept"),
        (THIRD, "", "unsure"),
        (IDS[4], "", "nothing"),
    ]


def test_a_digit_accepts_and_takes_back(page: "Page", store: Store) -> None:
    page.keyboard.press("2")
    at(page, FIRST, "Kindness <of drivers>")
    page.keyboard.press("1")
    at(page, FIRST, "Kindness <of drivers>; Waiting")
    page.keyboard.press("2")
    at(page, FIRST, "Waiting")
    page.keyboard.press("9")
    assert [answer for _, _, answer in written(store)] == ["accept", "accept", "undo"]


def test_undo_by_key_goes_back_through_a_reload(page: "Page", store: Store) -> None:
    page.keyboard.press("a")
    at(page, SECOND)
    page.keyboard.press("x")
    at(page, THIRD)
    page.reload()
    at(page, THIRD)
    marked(page, FIRST, "Waiting")
    page.keyboard.press("Backspace")
    at(page, SECOND, "open")
    page.keyboard.press("Backspace")
    at(page, FIRST, "open")
    page.keyboard.press("Backspace")
    page.wait_for_selector(".note:text('nothing left')")
    assert len(written(store)) == 6


def test_a_theme_is_added_by_part_of_its_name(page: "Page", store: Store) -> None:
    page.keyboard.press("/")
    page.keyboard.type("eath")
    page.keyboard.press("Enter")
    at(page, FIRST, "Weather")
    assert written(store) == [(FIRST, "Weather", "add")]


def test_keys_mean_letters_while_typing(page: "Page", store: Store) -> None:
    page.keyboard.press("/")
    page.keyboard.type("axu 1")
    assert page.locator("#add").input_value() == "axu 1"
    page.keyboard.press("Enter")
    assert page.locator("#add").evaluate("field => field.validationMessage") == "The codebook has no such theme."
    page.keyboard.press("Escape")
    assert written(store) == []
    page.keyboard.press("j")
    at(page, SECOND)


def test_moving_between_segments_decides_nothing(page: "Page", store: Store) -> None:
    page.keyboard.press("j")
    at(page, SECOND)
    page.keyboard.press("ArrowRight")
    at(page, THIRD)
    page.keyboard.press("k")
    at(page, SECOND)
    page.keyboard.press("ArrowLeft")
    at(page, FIRST)
    page.keyboard.press("a")
    at(page, SECOND)
    page.keyboard.press("k")
    at(page, FIRST)
    page.keyboard.press("n")
    at(page, SECOND)
    page.go_back()
    at(page, FIRST)
    page.click(f"#s-{IDS[3]} .text")
    at(page, IDS[3])
    assert len(written(store)) == 1


def test_a_key_held_down_decides_once(page: "Page", store: Store) -> None:
    page.keyboard.down("a")
    for _ in range(5):
        page.keyboard.down("a")
    page.keyboard.up("a")
    at(page, SECOND)
    page.wait_for_timeout(300)
    assert len(written(store)) == 1


def test_where_nothing_is_suggested_only_the_space_bar_goes_on(page: "Page", store: Store) -> None:
    page.click(f"#s-{IDS[NONE_SUGGESTED]} .state a")
    at(page, IDS[NONE_SUGGESTED])
    page.keyboard.press("x")
    page.keyboard.press("a")
    page.wait_for_selector("#said.told:text('space bar')")
    assert written(store) == []


def test_the_list_of_keys_opens_and_closes(page: "Page", store: Store) -> None:
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("x")
    page.keyboard.press("Escape")
    assert not page.locator("#keys").is_visible()
    assert written(store) == []


def test_a_button_under_the_focus_keeps_the_space_bar(page: "Page", store: Store) -> None:
    page.locator("button:has-text('Accept first')").focus()
    page.keyboard.press(" ")
    at(page, SECOND)
    assert written(store) == [(FIRST, "Waiting", "accept")]
    assert page.evaluate("document.activeElement.id") == f"s-{SECOND}"


def focused(page: "Page") -> str:
    """Return what the button under the focus says, or which element has it."""
    told: str = page.evaluate(
        "(document.activeElement.matches('button') && document.activeElement.childNodes[0].data.trim())"
        " || document.activeElement.id"
    )
    return told


def test_space_pressed_again_on_a_card_takes_back_and_keeps_to_its_button(page: "Page", store: Store) -> None:
    page.locator(".offer").nth(1).get_by_role("button", name="Accept").focus()
    page.keyboard.press(" ")
    at(page, FIRST, "Kindness <of drivers>")
    assert focused(page) == "Take back"
    page.keyboard.press(" ")
    at(page, FIRST, "open")
    assert focused(page) == "Accept"
    assert [row[1:] for row in written(store)] == [
        ("Kindness <of drivers>", "accept"),
        ("Kindness <of drivers>", "undo"),
    ]


def test_space_after_a_button_went_away_decides_nothing(page: "Page", store: Store) -> None:
    page.fill("#add", "Weather")
    page.keyboard.press("Enter")
    at(page, FIRST, "Weather")
    page.locator(".own button").focus()
    page.keyboard.press(" ")
    at(page, FIRST, "open")
    page.keyboard.press(" ")
    page.wait_for_timeout(200)
    assert written(store) == [(FIRST, "Weather", "add"), (FIRST, "Weather", "undo")]


def test_undo_keeps_the_focus_wherever_it_leads(page: "Page", store: Store) -> None:
    page.keyboard.press("a")
    at(page, SECOND)
    page.keyboard.press("u")
    at(page, THIRD)
    page.locator(".bar button").first.focus()
    page.keyboard.press(" ")
    at(page, SECOND, "open")
    page.keyboard.press(" ")
    at(page, FIRST, "open")
    assert focused(page) == "Undo last"
    assert [row[2] for row in written(store)] == ["accept", "unsure", "undo", "undo"]


def slowed(page: "Page", seconds: float) -> None:
    """Let every answer take its time."""

    def late(route: "Route") -> None:
        page.wait_for_timeout(seconds * 1000)
        route.continue_()

    page.route(re.compile("/(segment|undo)"), late)


def test_letters_after_the_slash_are_never_decisions(page: "Page", store: Store) -> None:
    slowed(page, 0.3)
    page.keyboard.press("1")
    page.keyboard.press("/")
    page.keyboard.type("unu", delay=150)
    at(page, FIRST, "Waiting")
    assert (page.locator("#add").input_value(), focused(page)) == ("unu", "add")
    page.keyboard.type("xa")
    assert page.locator("#add").input_value() == "unuxa"
    assert written(store) == [(FIRST, "Waiting", "accept")]


def test_a_theme_typed_while_an_answer_is_on_its_way_is_added_after_it(page: "Page", store: Store) -> None:
    slowed(page, 0.4)
    page.keyboard.press("1")
    page.keyboard.press("/")
    page.keyboard.type("eath")
    page.keyboard.press("Enter")
    at(page, FIRST, "Waiting; Weather")
    assert page.locator("#add").input_value() == ""
    assert [row[2] for row in written(store)] == ["accept", "add"]


def test_what_was_unfolded_stays_so(page: "Page") -> None:
    page.click(".folded > summary")
    page.click(".offer:nth-child(2) .about summary")
    page.keyboard.press("1")
    at(page, FIRST, "Waiting")
    unfolded = page.locator("details[open]").evaluate_all(
        "all => all.map((one) => one.textContent.trim().slice(0, 11))"
    )
    assert unfolded == ["What it mea", "Less likely"]
    assert "Kindness" in page.locator(".about[open]").inner_text()
    page.keyboard.press("j")
    at(page, SECOND)
    assert page.locator("details[open]").count() == 0


@pytest.mark.parametrize("key", ["a", "x", " ", "u"])
def test_a_double_press_decides_one_segment_only(page: "Page", store: Store, key: str) -> None:
    page.keyboard.press(key)
    page.wait_for_selector(f"#s-{SECOND}.current")
    page.keyboard.press(key)
    page.wait_for_timeout(350)
    assert {row[0] for row in written(store)} == {FIRST}
    page.keyboard.press(key)
    at(page, THIRD)


def test_after_the_link_into_the_text_tab_leads_to_the_first_answer(page: "Page") -> None:
    page.keyboard.press("j")
    at(page, SECOND)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.closest('.panel, .passage').className")
    assert focused.startswith("panel")


def test_without_scripts_buttons_do_the_same(browser: "Browser", address: str, store: Store) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/next")
    page.click("button:has-text('Accept first')")
    at(page, SECOND)
    page.wait_for_load_state("load")
    assert re.search(rf"#s-{SECOND}$", page.url)
    assert not page.locator("kbd").first.is_visible()
    page.click("button:has-text('Undo last')")
    at(page, FIRST, "open")
    context.close()


@pytest.mark.parametrize("width", [320, 768, 1152, 1280, 1920])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_has_to_be_scrolled_sideways(browser: "Browser", address: str, width: int, scheme: str) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 700}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    for path in ("/", "/next?order=surest", "/codebook", "/nothing-fits", "/search", f"/similar/{FIRST}", "/next"):
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.goto(f"{address}/next")
    if width >= 1152:
        text, panel, bar = (page.locator(name).bounding_box() for name in (".current", ".panel", ".bar"))
        assert text and panel and bar
        assert text["x"] + text["width"] < panel["x"], "the panel stands beside the text"
        assert bar["y"] + bar["height"] <= panel["y"], "and under the bar"
        assert panel["y"] + panel["height"] <= 700
    assert _lowest_contrast(page) >= 4.5
    context.close()


def _lowest_contrast(page: "Page") -> float:
    """Return the lowest contrast of text to its ground (WCAG 2.2, 1.4.3) on a page."""
    found: float = page.evaluate("""() => {
      const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
      const linear = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
      const shine = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
      const ground = (e) => { for (; e; e = e.parentElement) {
        const c = parse(getComputedStyle(e).backgroundColor);
        if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
      return Math.min(...[...document.querySelectorAll('body *')]
        .filter((e) => e.checkVisibility() && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
        .map((e) => [shine(parse(getComputedStyle(e).color)), shine(ground(e))].sort((a, b) => b - a))
        .map(([light, dark]) => (light + 0.05) / (dark + 0.05)));
    }""")
    return found
