"""Results -> pages that anybody can open: one HTML file with its figures, no network and no script.

drawing  a matplotlib figure -> SVG that takes the page's colours
figures  numbers -> figures of the kinds that reports need, each with its words and its table
page     sections of words, tables and figures -> HTML
audited  what an audit found
audit    what an audit found -> its page, with a module for each large part
methods  the paragraph for a paper
audit_tables  what an audit found -> tables and JSON
arrived  what is known of a site
site     what is known of a site -> its page, with a module for each large part
"""

from .audit import audit_page
from .audit_drift import happened
from .audit_tables import as_json, tables
from .audited import (
    Audited,
    Beside,
    Drift,
    Effort,
    Example,
    Head,
    Machine,
    Passage,
    Reliability,
    Screened,
    Signal,
    Work,
)
from .drawing import Figure, Words
from .page import Card, Cell, Note, Part, Quote, Quotes, Section, Table, render

__all__ = [
    "Audited",
    "Beside",
    "Card",
    "Cell",
    "Drift",
    "Effort",
    "Example",
    "Figure",
    "Head",
    "Machine",
    "Note",
    "Part",
    "Passage",
    "Quote",
    "Quotes",
    "Reliability",
    "Screened",
    "Section",
    "Signal",
    "Table",
    "Words",
    "Work",
    "as_json",
    "audit_page",
    "happened",
    "render",
    "tables",
]
