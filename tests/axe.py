"""axe-core at a page: what somebody could not use who does not see it, or does not point at it.

The script comes with the development dependency axe-playwright-python (axe-core: MPL-2.0), so nothing is fetched. It is
evaluated beside the page, which may therefore forbid scripts.
"""

from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

PACKAGE = "axe_playwright_python"
# What WCAG 2.2 asks for at levels A and AA, and what axe's authors know to be good besides.
KINDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: "Page", within: str = "html") -> list[str]:
    """Return a line for every element, ``within`` a part of the page, that breaks a rule: rule, how bad, which.

    A page in a dialog, in the dark, or after a key is tested as it then is: set it up before.
    """
    pytest.importorskip(PACKAGE, reason="the package axe-playwright-python, which brings axe-core, is not installed")
    page.evaluate(files(PACKAGE).joinpath("axe.min.js").read_text(encoding="utf-8"))
    run = "([within, kinds]) => axe.run(within, {runOnly: {type: 'tag', values: kinds}, resultTypes: ['violations']})"
    found = page.evaluate(run, [within, KINDS])
    return [
        f"{broken['id']} ({broken['impact']}): {' '.join(map(str, node['target']))}: {node['failureSummary']}"
        for broken in found["violations"]
        for node in broken["nodes"]
    ]
