"""The review page in Chromium: keys, and that it can be read on small and large screens."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.records import SegmentId
from pipeline.review import free_port
from pipeline.store import Store
from pipeline.store.decisions import load_decisions

from .reviewing import NONE_SUGGESTED, TOKEN, fill, transcript

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-sync",
    "--disable-component-update",
]
SERVER = """
import sys
from pathlib import Path
from pipeline.review import create_app, serve
from pipeline.store import open_store
from tests.reviewing import CODEBOOK, TOKEN, study_in
folder, port = Path(sys.argv[1]), int(sys.argv[2])
store = open_store(f"sqlite:///{folder / 'test.db'}")
app = create_app(store, study_in(folder), CODEBOOK, coder="Ria", token=TOKEN)
serve(app, port=port, ready=lambda: print("ready", flush=True))
print("ended", flush=True)
"""
IDS = [segment.id for segment in transcript()[1]]
FIRST, SECOND, THIRD = IDS[:3]


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("neither chromium nor google-chrome is installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium, args=ARGS)
        yield opened
        opened.close()


@pytest.fixture
def address(store: Store, tmp_path: Path) -> Iterator[str]:
    fill(store, [("North", "Group 1"), ("South", "Group 2")])
    port = free_port()
    root = Path(__file__).parent.parent
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path), str(port)],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout
        assert server.stdout.readline() == "ready\n"
        yield f"http://127.0.0.1:{port}/{TOKEN}"
        server.send_signal(signal.SIGINT)
        told, complained = server.communicate(timeout=20)
    assert (told, complained, server.returncode) == ("ended\n", "", 0), "the server is silent and ends in peace"


@pytest.fixture
def page(browser: "Browser", address: str) -> Iterator["Page"]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(f"{address}/next")
    opened.set_default_timeout(5000)
    opened.wait_for_timeout(310)
    yield opened
    context.close()
    assert complaints == [], "no script fails and no policy is broken"


def at(page: "Page", segment: SegmentId, mark: str | None = None) -> None:
    """Wait until a segment is the current one, and has its mark."""
    page.wait_for_selector(f"#s-{segment}.current")
    if mark is not None:
        marked(page, segment, mark)
    page.wait_for_timeout(310)  # keys decide nothing on a segment that has only just appeared


def marked(page: "Page", segment: SegmentId, mark: str) -> None:
    page.locator(f"#s-{segment} .mark").filter(has_text=re.compile(f"^{re.escape(mark)}$")).wait_for()


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
    for path in ("/", "/next", "/codebook"):
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
