"""A matplotlib figure -> SVG to stand inside a page: the same bytes every time, in the colours of the page.

Whatever is drawn takes one of the colours named here. In the SVG each becomes a CSS variable of the page with the
light colour to fall back on, so that one figure serves light and dark grounds and print. Words stay words: they can be
searched, read aloud, and are set in the page's own face, in any script that the reader's machine can show.
"""

import io
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from ..records import digest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Value = str | int | float | None

# Told apart with every colour vision, and never by colour alone: markers and dashes differ as well. Each has a
# contrast of at least 3 to the page's light ground, and its partner in report.css to the dark one.
INK, QUIET, GRID, GROUND = "#21242a", "#595f6b", "#d9d6ce", "#fbfaf7"
SERIES = ("#1b588b", "#b05a00", "#00795e", "#8a4a9e", "#6a6f79", "#a3324a")
NAMES = {INK: "ink", QUIET: "quiet", GRID: "line", GROUND: "paper"}
NAMES |= {colour: f"series-{at}" for at, colour in enumerate(SERIES)}
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", (0, (5, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)), (0, (1, 1)), (0, (9, 3)))

WIDTH = 7.2  # inches; 72 units each, of which a page shows 520 to 640 pixels' worth
LONGEST = 34  # characters of a name beside an axis; the table has it whole


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """What a figure says in words: its title, what a reader who does not see it should learn, and its axes."""

    title: str
    alt: str
    x: str = ""
    y: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A picture, what it shows in a sentence or two, and its numbers."""

    svg: str
    title: str
    alt: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


def draw(
    words: Words,
    height: float,
    paint: Callable[["Axes"], None],
    columns: Sequence[str],
    rows: Sequence[Sequence[Value]],
) -> Figure:
    """Return what ``paint`` draws on axes, ``height`` inches high, with its words and its numbers."""
    table = tuple(tuple(row) for row in rows)
    name = digest("figure", words.title, words.alt, words.x, words.y, list(columns), [list(row) for row in table])
    svg = _inline(_painted(words, height, paint), f"f{name}", words.alt)
    return Figure(svg=svg, title=words.title, alt=words.alt, columns=tuple(columns), rows=table)


def short(name: str) -> str:
    """Return a name that fits beside an axis."""
    name = " ".join(name.split())
    return name if len(name) <= LONGEST else name[: LONGEST - 1].rstrip() + "…"


_STYLE: Any = {  # matplotlib has a type of its own for these names
    "svg.fonttype": "none",
    "svg.hashsalt": "themescout",
    "text.parse_math": False,  # a theme may be called $x$
    "axes.unicode_minus": False,
    "font.size": 11,
    "font.family": "DejaVu Sans",
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "lines.linewidth": 2,
    "lines.markersize": 6,
}


def _painted(words: Words, height: float, paint: Callable[["Axes"], None]) -> str:
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas

    out = io.StringIO()
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # it measures; the reader's machine sets the text
        canvas = Canvas(figsize=(WIDTH, height), layout="constrained", facecolor="none")
        axes = canvas.subplots()
        axes.set_facecolor("none")
        axes.set_xlabel(words.x)
        axes.set_ylabel(words.y)
        paint(axes)
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        as_svg: Any = FigureCanvasSVG(canvas)  # without types
        as_svg.print_svg(out, metadata=nothing)
    return out.getvalue()


def _inline(drawn: str, name: str, alt: str) -> str:
    """Turn a whole SVG file into an element of a page: ids of its own, CSS colours, the page's face, a text for all."""
    body = drawn[drawn.index("<svg") :]
    body = re.sub(r"<!--.*?-->|<style.*?</style>|<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="[^"]*"', "<g", body)  # figure_1, axes_1: nothing refers to them
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = body.replace('"#', f'"#{name}-').replace("url(#", f"url(#{name}-")
    body = re.sub(r"font-family: [^;\"]*(; ?)?", "", body)
    body = re.sub(r"#[0-9a-f]{6}\b", lambda found: _variable(found[0]), body)
    box = re.search(r'viewBox="([^"]*)"', body)
    head = f'<svg class="drawn" role="img" aria-label="{escape(alt)}" viewBox="{box[1] if box else ""}" '
    head += 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" stroke-linejoin="round">'
    lines = (line.strip() for line in body[body.index(">") + 1 :].splitlines())
    return head + "\n".join(line for line in lines if line and line != "<defs></defs>") + "\n"


def _variable(colour: str) -> str:
    return f"var(--{NAMES[colour]}, {colour})" if colour in NAMES else colour
