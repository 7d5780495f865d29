"""Sections of words, tables and figures -> one HTML file that needs no network, no script and no other file.

Text is escaped by the templates, whatever it is called; only the SVG of ``figures`` stands as it is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from .drawing import Figure, Value

_FIGURE = r"[-+]?[\d.,]+"
Verdict = Literal["", "none", "good", "watch", "bad"]  # "none": in words that may wrap, without a colour
SIGNS = {"good": "✓", "watch": "◐", "bad": "✕"}  # beside the colour, for whoever does not see it


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A cell of a table with something under it, or marked: in colour, with a sign, and in its own words."""

    text: str
    under: str = ""
    mark: Verdict = ""

    @property
    def sign(self) -> str:
        """The sign that goes with the mark."""
        return SIGNS.get(self.mark, "")


Row = tuple[Value | Cell, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table; the first cell of each row names it. Numbers are shown with two digits: give text for others."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """A paragraph that should not be missed."""

    text: str
    mark: Verdict = "watch"


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """A headline figure: what it is, its value, and how far it can be relied on."""

    name: str
    value: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """Words that somebody said: where, and what is to be noted about them."""

    text: str
    place: str
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Quotes:
    """Columns of quotes side by side, each under its heading."""

    columns: tuple[tuple[str, tuple[Quote, ...]], ...]


Part = str | Note | Table | Figure | Quotes | tuple[Card, ...] | tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A part of a page: paragraphs (text), lists (tuples of text), notes, tables, figures, rows of cards."""

    title: str
    parts: tuple[Part, ...]


def render(
    title: str,
    sections: Sequence[Section] = (),
    *,
    lead: str = "",
    template: str = "report.html",
    values: Mapping[str, Any] | None = None,
) -> str:
    """Return a page. ``values`` are for a template of one's own that extends ``base.html``."""
    numbered = [(f"part-{at}", section) for at, section in enumerate(sections, 1)]
    found = _templates().get_template(template)
    return str(found.render(title=title, lead=lead, sections=numbered, **(values or {})))


def kind(part: Part) -> str:
    """Return which of a section's parts this is, as the templates call it."""
    if isinstance(part, tuple):
        return "cards" if part and isinstance(part[0], Card) else "list"
    return "paragraph" if isinstance(part, str) else type(part).__name__.lower()


def shown(value: Value | Cell) -> str:
    """Return a cell as a reader sees it.

    >>> shown(0.7149), shown(1200), shown(None), shown("Trust")
    ('0.71', '1,200', '–', 'Trust')
    """
    if isinstance(value, Cell):
        return value.text
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) >= 10 else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else value


def as_cell(value: Value | Cell) -> Cell:
    """Return a value as a cell of a table."""
    return value if isinstance(value, Cell) else Cell(text=shown(value))


def numeric(value: Value | Cell) -> bool:
    """Tell whether a cell is a figure, which stands to the right.

    >>> numeric(0.5), numeric("68 %"), numeric("+0.12"), numeric("0.1 to 0.2"), numeric("4 % [2, 6]"), numeric("Trust")
    (True, True, True, True, True, False)
    """
    return re.fullmatch(rf"[-+–]?([\d.,]+( to {_FIGURE})?)?( %)?( \[{_FIGURE}, {_FIGURE}\])?", shown(value)) is not None


@cache
def _templates() -> Any:  # noqa: ANN401  # Jinja's environment
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    found = Environment(
        loader=PackageLoader(__package__),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals.update(kind=kind)
    found.filters.update(shown=shown, cell=as_cell)
    found.tests.update(number=numeric)
    return found
