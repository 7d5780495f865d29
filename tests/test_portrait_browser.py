"""A site's report in Chromium: it fits every screen, asks for nothing, and keeps nobody out, also with little in it."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline import intake, portrait

from .axe import violations
from .portraits import MALLORY, TEL_AVIV, study, suggested, unsure_of
from .test_portrait import decision

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
STATES = ("whole", "other language", "unranked", "empty")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return pages by what there is to report: everything, hostile names too; little; no suggestions; nothing."""
    session = suggested(tmp_path_factory.mktemp("whole"))
    away = unsure_of(session, "goat")
    from pipeline.store import corpus, decisions

    apart = {segment.id for segment in away}
    others = [segment for segment in corpus.load_segments(session.store) if segment.id not in apart]
    decisions.add_decisions(session.store, [decision(segment, at) for at, segment in enumerate(others[:40])])
    fresh = intake.open_session(study(tmp_path_factory.mktemp("fresh")))
    empty = portrait.portrait(fresh, "South") if fresh.store else None
    intake.read_pending(fresh)
    found = {
        "whole": (session, portrait.portrait(session, "North")),
        "other language": (session, portrait.portrait(session, TEL_AVIV)),
        "unranked": (fresh, portrait.portrait(fresh, "North")),
        "empty": (fresh, empty),
    }
    out = tmp_path_factory.mktemp("out")
    return {name: portrait.write(of, told, out / name)[0] for name, (of, told) in found.items() if told}


def opened(browser: "Browser", file: Path, width: int, scheme: str, asked: list[str]) -> "Page":
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    return page


@pytest.mark.parametrize("state", STATES)
def test_a_sites_report_fits_its_screen_and_asks_for_nothing(
    browser: "Browser", pages: dict[str, Path], state: str
) -> None:
    for width in (320, 1000, 1920):
        asked: list[str] = []
        page = opened(browser, pages[state], width, "light", asked)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert [url for url in asked if not url.startswith("data:")] == [pages[state].as_uri()]
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_a_sites_report_breaks_no_rule_of_accessibility(
    browser: "Browser", pages: dict[str, Path], state: str, scheme: str
) -> None:
    page = opened(browser, pages[state], 1000, scheme, [])
    assert violations(page) == []
    page.close()


def test_every_figure_of_a_sites_report_has_its_words_and_its_table(browser: "Browser", pages: dict[str, Path]) -> None:
    page = opened(browser, pages["whole"], 1000, "light", [])
    figures = page.locator("figure")
    assert figures.count() == 6
    for at in range(figures.count()):
        one = figures.nth(at)
        assert len(one.locator("svg").get_attribute("aria-label") or "") > 40
        assert one.locator("details table tbody tr").count() > 0
    assert page.locator("img, script, iframe, b").count() == 0
    assert page.get_by_text(MALLORY, exact=False).count() > 0
    page.close()


def test_the_figures_of_a_row_of_cards_stand_at_one_height(browser: "Browser", pages: dict[str, Path]) -> None:
    page = opened(browser, pages["whole"], 1000, "light", [])
    tops = page.evaluate(
        "[...document.querySelectorAll('.cards strong')].map(each => each.getBoundingClientRect().top)"
    )
    assert len(tops) == 5
    assert len(set(tops)) == 1
    page.close()
