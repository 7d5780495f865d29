"""Every page of the review page, light and dark: nobody is kept out, and hostile text is text."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.records import Codebook, Role, Theme, Transcript, Turn
from pipeline.review.accounts import add_person
from pipeline.store import Store
from pipeline.store.corpus import Source, put_source
from pipeline.store.decisions import load_decisions
from pipeline.store.people import Rights

from .axe import violations
from .browsing import at, running
from .reviewing import CODEBOOK, _segment, at_the_page, fill, study_in, transcript

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CUT = transcript()[1]
WORD = "a-word-for-all"
HOSTILE = "<script>alert(1)</script> \u202eneve\u202c a\u200bb 🚌👩‍👧 \x00 " + "word " * 200_000


@pytest.fixture
def team(store: Store, tmp_path: Path) -> Iterator[str]:
    fill(store, [("North", "Group 1")])
    add_person(store, "Lea", Rights.LEAD, WORD)
    for name, answer in (("Ria", "accept"), ("Bo", "reject")):
        add_person(store, name, Rights.CODER, WORD)
        with at_the_page(store, study_in(tmp_path), name) as coder:
            coder.say(CUT[0].id, answer, "Waiting")
    for program in running(tmp_path, coder=""):
        yield program.address


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_keeps_anybody_out(browser: "Browser", team: str, scheme: str) -> None:
    context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{team}/")
    assert violations(page) == []
    page.fill("#name", "Lea")
    page.fill("#password", WORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Coders and sites")
    where = CUT[0].transcript
    paths = ("/", "/next", "/next?order=surest", "/codebook", "/nothing-fits", "/search", "/filter", "/lead")
    for path in (*paths, f"/similar/{CUT[0].id}", f"/compare/{where}", f"/compare/{where}?show=all", "/none"):
        page.goto(team + path)
        page.wait_for_timeout(100)
        assert violations(page) == [], path
    context.close()


@pytest.mark.browser
def test_two_coders_at_once_do_not_see_and_do_not_disturb_each_other(
    browser: "Browser", team: str, store: Store
) -> None:
    both = {}
    for name in ("Ria", "Bo"):
        page = browser.new_context(reduced_motion="reduce").new_page()
        page.goto(f"{team}/")
        page.fill("#name", name)
        page.fill("#password", WORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Review by")
        page.goto(f"{team}/transcript/{CUT[0].transcript}?segment={CUT[1].id}")
        both[name] = page
    for page in both.values():
        at(page, CUT[1].id, "open")
    both["Ria"].keyboard.press("a")
    both["Bo"].keyboard.press("x")
    for page in both.values():
        at(page, CUT[2].id)
        page.context.close()
    rows = [(row.coder, row.theme, row.answer.value) for row in load_decisions(store) if row.segment == CUT[1].id]
    assert ("Ria", "Waiting", "accept") in rows
    assert {row[2] for row in rows if row[0] == "Bo"} == {"reject"}


@pytest.mark.browser
def test_hostile_text_is_shown_as_text(page: "Page", address: str, store: Store) -> None:
    words = HOSTILE.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    text = f"Eve: {words}\n"
    turn = Turn(speaker="Eve", role=Role.PARTICIPANT, start=5, end=len(text) - 1, line=1)
    made = Transcript(
        site="North", name="<b>Hostile</b>", source="North/h.txt", language="en", text=text, turns=(turn,)
    )
    piece = _segment(made, 1, (0, turn.start, turn.end))
    put_source(store, Source(path=made.source, site="North", sha256="h", settings="s"), [(made, [piece])])
    page.goto(f"{address}/transcript/{made.id}")
    page.wait_for_selector(".current")
    assert "<script>alert(1)</script>" in page.locator(".current .text").inner_text()
    assert page.locator("main script").count() == 0
    assert page.locator("h1").inner_text() == "<b>Hostile</b>"
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.wait_for_timeout(400)
    page.keyboard.press(" ")
    page.wait_for_url(lambda url: made.id not in url)
    assert [row.answer.value for row in load_decisions(store)] == ["nothing"]


def test_hostile_names_of_themes_are_text(store: Store, tmp_path: Path) -> None:
    name = "</option><script>x</script>\u202e"
    fill(store)
    with at_the_page(
        store, study_in(tmp_path), codebook=Codebook(themes=(*CODEBOOK.themes, Theme(name=name)))
    ) as coder:
        page = coder.say(CUT[0].id, "add", name)
    assert "<script>x" not in page
    assert coder.rows[-1].theme == name
