"""The whole loop in Chromium: hundreds of keys, each compared with what is written, whatever breaks between them."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.codebook import write_codebook
from pipeline.records import Mode, SegmentId
from pipeline.review.accounts import add_person
from pipeline.store import Store
from pipeline.store.decisions import load_decisions
from pipeline.store.people import Rights

from .browsing import Program, at, marked, running
from .reviewing import fill, transcript
from .test_codebook_at_work import BOOK
from .test_review_team import WORD

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
IDS = [segment.id for segment in transcript()[1]]
FIRST, SECOND, THIRD = IDS[:3]
WAIT, KIND = "Waiting", "Kindness <of drivers>"
KEYS = 200
Rows = list[tuple[str, str]]

ACCEPT, REJECT, KINDLY = (WAIT, "accept"), (WAIT, "reject"), (KIND, "accept")
UNKIND, UNSURE, NOTHING = (KIND, "reject"), ("", "unsure"), ("", "nothing")
TAKEN_BACK = (("Weather", "undo"), ("Money", "undo"))
# What a coder presses at one segment, and what each key writes there: themes and answers. The last key goes on.
SUGGESTED: tuple[tuple[tuple[str, Rows], ...], ...] = (
    (("a", [ACCEPT]),),
    (("1", [ACCEPT]), ("1", [(WAIT, "undo")]), ("2", [KINDLY]), ("1", [ACCEPT]), ("2", [(KIND, "undo")]), ("a", [])),
    (("2", [KINDLY]), ("x", [REJECT])),
    (("/eath", [("Weather", "add")]), ("1", [ACCEPT]), ("/mon", [("Money", "add")]), ("x", [UNKIND])),
    (("x", [REJECT, UNKIND]),),
    (("shift 1", [REJECT]), ("shift 2", [UNKIND]), ("2", [KINDLY]), ("shift 1", [(WAIT, "undo")]), ("a", [ACCEPT])),
    (("1", [ACCEPT]), ("2", [KINDLY]), ("/mon", [("Money", "add")]), (" ", [NOTHING, REJECT, UNKIND, TAKEN_BACK[1]])),
    (("u", [UNSURE]),),
    (("2", [KINDLY]), ("1", [ACCEPT]), ("1", [(WAIT, "undo")]), ("u", [UNSURE])),
)  # fmt: skip
OPEN: tuple[tuple[tuple[str, Rows], ...], ...] = (
    ((" ", [NOTHING]),),
    (("/weather", [("Weather", "add")]), ("/mon", [("Money", "add")]), (" ", [NOTHING, *TAKEN_BACK])),
    (("/kind", [(KIND, "add")]), ("u", [UNSURE])),
)  # fmt: skip


@dataclass
class Hands:
    """Somebody at the keyboard, who notes what was pressed where and what must be written for it."""

    page: "Page"
    noted: list[tuple[SegmentId, str, str]] = field(default_factory=list)
    pressed: int = 0

    @property
    def here(self) -> SegmentId:
        """The current segment."""
        return SegmentId((self.page.locator(".current").get_attribute("id") or "")[2:])

    def press(self, key: str, rows: Iterable[tuple[str, str]]) -> None:
        """Press a key, and wait until the page that follows is there."""
        was = self.here
        self.noted += [(was, *row) for row in rows]
        self.pressed += 1
        self.page.locator("#page").evaluate("page => { page.dataset.old = '' }")
        if key.startswith("/"):
            self.page.keyboard.press("/")
            self.page.keyboard.type(key[1:])
            self.page.keyboard.press("Enter")
        else:
            self.page.keyboard.press(key.replace("shift ", "Shift+Digit"))
        self.page.wait_for_selector("#page:not([data-old]) .current")
        if self.here != was:
            at(self.page, self.here)

    def code(self, count: int) -> None:
        """Code segments until so many keys have been pressed."""
        patterns = {True: itertools.cycle(SUGGESTED), False: itertools.cycle(OPEN)}
        while self.pressed < count:
            for key, rows in next(patterns[self.plain]):
                self.press(key, rows)

    @property
    def plain(self) -> bool:
        """Whether something is suggested here that is not folded away."""
        return self.page.locator("[data-key=a]").count() > 0


def written(store: Store, coder: str = "Ria") -> list[tuple[SegmentId, str, str]]:
    return [(row.segment, row.theme, row.answer.value) for row in load_decisions(store, coder=coder)]


@pytest.fixture
def groups() -> list[tuple[str, str]]:
    """The transcripts of a study in which nobody comes to the end."""
    return [("North" if number < 10 else "South", f"Group {number}") for number in range(1, 21)]


def test_what_two_hundred_keys_say_is_what_is_written(page: "Page", store: Store) -> None:
    hands = Hands(page)
    hands.code(KEYS // 2)
    place, address = hands.here, page.url
    page.reload()
    at(page, place, "open")
    assert page.url == address
    hands.code(KEYS)
    assert hands.pressed >= KEYS
    assert written(store) == hands.noted
    rows = load_decisions(store)
    assert all(row.mode is Mode.ROUTINE and row.request for row in rows)
    requests = [request for request, _ in itertools.groupby(row.request for row in rows)]
    assert len(requests) == len(set(requests)), "no key was written twice"
    page.goto(page.url.split("/transcript/")[0])
    decided = {segment for segment, _, answer in hands.noted if answer != "unsure"}
    assert f"{len(decided)} of 100 segments decided" in page.locator(".summary").inner_text()


def test_ten_are_taken_back_and_answered_otherwise(page: "Page", store: Store) -> None:
    hands = Hands(page)
    places = []
    for at_number in range(10):
        places.append(hands.here)
        rows: dict[str, Rows] = {"a": [ACCEPT], "x": [REJECT, UNKIND], " ": [NOTHING], "u": [UNSURE]}
        key = ("a", "x", "u")[at_number % 3] if hands.plain else " "
        hands.press(key, rows[key])
    after = hands.here
    for place in reversed(places):
        back = [(segment, theme, "undo") for segment, theme, _ in hands.noted if segment == place]
        page.keyboard.press("Backspace")
        at(page, place, "open")
        hands.noted += back
    for place in places:
        assert hands.here == place
        hands.press("u", [UNSURE])
    assert hands.here == after
    assert written(store) == hands.noted


def test_killed_while_answers_are_on_their_way_none_is_lost_and_none_counts_twice(
    page: "Page", store: Store, program: Program, complaints: list[str]
) -> None:
    answered = []
    for key, answer in (("a", "accept"), ("u", "unsure"), ("x", "reject")):
        place = Hands(page).here
        page.keyboard.press(key)
        program.kill()  # the answer is on its way, or written and its receipt is not, or neither
        program.again()
        page.wait_for_selector(f".current:not(#s-{place})")
        page.locator("#kept").wait_for(state="hidden")
        page.wait_for_function("() => !Object.keys(localStorage).some((name) => name.startsWith('themescout-outbox'))")
        page.wait_for_load_state("networkidle")
        at(page, Hands(page).here, "open")
        answered.append((place, answer))
    rows = written(store)
    assert list(dict.fromkeys((segment, answer) for segment, _, answer in rows)) == answered
    assert len(rows) == len(set(rows)), "none counts twice"
    complaints[:] = [told for told in complaints if "Failed to load resource" not in told]


@pytest.fixture
def team(store: Store, tmp_path: Path) -> Iterator[str]:
    """The address of a study in which two code and one leads."""
    fill(store, [("North", "Group 1"), ("North", "Group 2")])
    write_codebook(BOOK, tmp_path / "codebook.csv")
    for name, rights in (("Ria", Rights.CODER), ("Bo", Rights.CODER), ("Lea", Rights.LEAD)):
        add_person(store, name, rights, WORD)
    for program in running(tmp_path, coder=""):
        yield program.address


def logged_in(browser: "Browser", address: str, name: str) -> "Page":
    page = browser.new_context(reduced_motion="reduce").new_page()
    page.goto(f"{address}/")
    page.fill("#name", name)
    page.fill("#password", WORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Review by")
    page.goto(f"{address}/next")
    page.wait_for_selector(".current")
    at(page, Hands(page).here)
    return page


def test_two_code_by_turns_and_neither_sees_the_other(browser: "Browser", team: str, store: Store) -> None:
    ria, bo = (Hands(logged_in(browser, team, name)) for name in ("Ria", "Bo"))
    for _ in range(8):
        for hands, key, rows in ((ria, "a", [ACCEPT]), (bo, "x", [REJECT, UNKIND])):
            hands.press(*((key, rows) if hands.plain else (" ", [NOTHING])))
    told = {"accept": WAIT, "reject": "no theme, 2 rejected", "nothing": "nothing fits"}
    for hands, name, other in ((ria, "Ria", "Bo"), (bo, "Bo", "Ria")):
        assert written(store, name) == hands.noted
        said = {segment: told[answer] for segment, _, answer in hands.noted}
        hands.page.goto(f"{team}/transcript/{transcript()[0].id}")
        for segment in IDS:
            marked(hands.page, segment, said.get(segment, "open"))
        assert other not in hands.page.locator("#page").inner_text()
        hands.page.context.close()


def test_a_theme_that_somebody_renames_meanwhile_goes_on_under_its_new_name(
    browser: "Browser", team: str, store: Store
) -> None:
    ria = Hands(logged_in(browser, team, "Ria"))
    place = ria.here
    lea = logged_in(browser, team, "Lea")
    lea.goto(f"{team}/codebook/theme?theme={WAIT}")
    lea.fill("#r-into", "Standing around")
    lea.click("button:text('the new name')")
    lea.wait_for_selector(".note:text('The codebook says so now')")
    lea.context.close()
    ria.page.keyboard.press("a")  # the page has the old name still
    ria.page.wait_for_selector("#said.told, .panel .note")
    assert written(store) == [], "what was read under another name is not an answer to this one"
    marked(ria.page, place, "open")
    ria.page.wait_for_timeout(310)
    assert ria.page.locator(".offer h3").first.inner_text() == "Standing around"
    ria.press("a", [("Standing around", "accept")])
    ria.press("/stand", [("Standing around", "accept")])
    ria.press("x", [UNKIND])
    assert written(store) == ria.noted
    ria.page.context.close()


def test_without_scripts_segments_are_filtered_decided_taken_back_and_gone_on_from(
    browser: "Browser", team: str, store: Store
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{team}/")
    page.fill("#name", "Bo")
    page.fill("#password", WORD)
    page.click("button:text('Log in')")
    page.goto(f"{team}/filter")
    page.select_option("#f-chance", "any")
    page.click("button:text('Find')")
    page.click("a:text('Code them')")
    places, noted = [], []
    for button, rows in (("Accept first", [ACCEPT]), ("Reject all", [REJECT, UNKIND]), ("Unsure", [UNSURE])):
        places.append(Hands(page).here)
        page.click(f".go button:has-text('{button}')")
        page.wait_for_selector(f".current:not(#s-{places[-1]})")
        noted += [(places[-1], *row) for row in rows]
    assert "order=" in page.url, "it goes on within the filter"
    page.click("button:has-text('Undo last')")
    page.wait_for_selector(f"#s-{places[-1]}.current.open")
    page.click("a:has-text('Next open')")
    page.wait_for_selector(f".current:not(#s-{places[-1]})")
    assert written(store, "Bo") == [*noted, (places[-1], "", "undo")]
    context.close()
