"""An audit's page in Chromium: it fits every screen, asks for nothing, and keeps nobody out."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from pipeline.cli import main

from .auditing import MALLORY, check
from .axe import violations
from .test_audit_influence import worked

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of an audit with everything on it: charts, quotes, hostile names, a codebook's revision."""
    folder = tmp_path_factory.mktemp("study")
    session = worked(folder, follows=0.9)
    check(session, ("Ana", "Ben", MALLORY), narrows="Ben", revision_at=150)
    done = CliRunner().invoke(main, ["audit", str(folder)])
    assert done.exit_code == 0, done.output
    return folder / "audit/report.html"


def opened(browser: "Browser", file: Path, width: int, scheme: str) -> "Page":
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 768, 1280, 1920])
def test_the_page_of_an_audit_fits_its_screen(browser: "Browser", report: Path, width: int, scheme: str) -> None:
    page = opened(browser, report, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_an_audit_breaks_no_rule_of_accessibility(browser: "Browser", report: Path, scheme: str) -> None:
    page = opened(browser, report, 1280, scheme)
    assert violations(page) == []
    page.close()


def test_every_figure_of_an_audit_has_its_words_and_its_table(browser: "Browser", report: Path) -> None:
    page = opened(browser, report, 1280, "light")
    figures = page.locator("figure")
    assert figures.count() >= 4
    for at in range(figures.count()):
        one = figures.nth(at)
        assert len(one.locator("svg").get_attribute("aria-label") or "") > 40
        assert one.locator("details table tbody tr").count() > 0
    assert page.locator("img, script, iframe").count() == 0
    assert page.get_by_text(MALLORY, exact=False).count() > 0
    page.close()


def test_an_audit_prints_with_its_first_part_on_the_first_page(browser: "Browser", report: Path) -> None:
    page = opened(browser, report, 794, "dark")
    page.emulate_media(media="print", color_scheme="dark")
    table = page.locator("#part-1 ~ .scroll table").first.bounding_box()
    assert table and table["y"] < 1123  # A4 at 96 dots to the inch
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.close()
