"""The part of a site's page that tells what is suggested, and what is not, beside the other sites."""

from collections.abc import Iterator, Sequence

from ..influence import Estimate
from . import figures
from .arrived import Arrived, Share, Suggesting
from .drawing import Figure, Words
from .page import Part, Row, Section, Table
from .telling import apart, counted, hundred

OTHERS = "other sites"
ROWS, DRAWN = 200, 20  # of a table, of a figure
SMALL = 0.1  # share from which on no decimals are told
SIDE_BY_SIDE = 8  # other sites that have a column of their own
NOT_YET = "No suggestions were made for this site yet: `themescout suggest` makes them."


def suggested_section(found: Arrived) -> Section:
    """Return the section."""
    return Section(title="What is suggested", parts=tuple(_parts(found)))


def unlike(made: Suggesting) -> Iterator[str]:
    """Yield which themes are farthest from their share elsewhere, a sentence for each side."""
    both = [one for one in made.themes if one.here.value is not None and one.elsewhere.value is not None]
    for one, word, sign in (
        (max(both, key=_more, default=None), "above", 1),
        (min(both, key=_more, default=None), "below", -1),
    ):
        if one is not None and sign * _more(one) > 0:
            beside = f"{_few(one.here.value)} of the segments, elsewhere {_few(one.elsewhere.value)}"
            yield f"Farthest {word} the {OTHERS}: {apart(one.theme)}, suggested for {beside}."


def _few(value: float | None) -> str:
    """Return a share in percent, with a decimal where it is small: most themes are in few segments.

    >>> _few(0.456), _few(0.0321), _few(0.0), _few(None)
    ('46 %', '3.2 %', '0 %', '–')
    """
    return "–" if value is None else f"{100 * value:.{_digits(value)}f} %"


def _digits(value: float) -> int:
    return int(0 < value < SMALL)


def _percent(found: Estimate) -> str:
    """Return a share in percent with its interval.

    >>> _percent(Estimate(value=0.0321, low=0.011, high=0.049)), _percent(Estimate(value=0.5))
    ('3.2 % [1.1, 4.9]', '50 %')
    """
    if found.value is None or found.low is None or found.high is None:
        return _few(found.value)
    digits = _digits(found.value)
    return f"{_few(found.value)} [{100 * found.low:.{digits}f}, {100 * found.high:.{digits}f}]"


def _more(one: Share) -> float:
    return (one.here.value or 0.0) - (one.elsewhere.value or 0.0)


def _parts(found: Arrived) -> Iterator[Part]:
    made = found.suggesting
    if made is None:
        yield NOT_YET
        return
    of = f"{made.suggested:,} of {counted(made.segments, 'segment')}"
    beside = f", at the {OTHERS} for {_percent(made.elsewhere)}" if made.elsewhere.value is not None else ""
    rest = "" if made.suggested == made.segments else " For the rest no theme is probable enough."
    yield f"Something is suggested for {of}: {_percent(made.here)}{beside}.{rest}"
    shown = [one for one in made.themes if one.here.value or one.elsewhere.value]
    if shown:
        yield _shares(found.site, shown)
    yield _table(made)
    yield (
        "Likeliest, not suggested: segments without any suggestion whose likeliest theme it is. Intervals (95 %) are "
        "over transcripts, where there are five or more."
    )


def _shares(site: str, themes: Sequence[Share]) -> Figure:
    most = sorted(themes, key=lambda one: -max(one.here.value or 0, one.elsewhere.value or 0))[:DRAWN]
    ordered = sorted(most, key=lambda one: -(one.here.value or 0))
    shown = [
        figures.Estimate(
            name=one.theme, value=hundred(of.value), low=hundred(of.low), high=hundred(of.high), group=group
        )
        for one in ordered
        for group, of in ((site, one.here), (OTHERS, one.elsewhere))
        if of.value is not None
    ]
    first = ordered[0]
    alt = (
        f"Bars for {counted(len(ordered), 'theme')}, {site} beside the {OTHERS}, the most suggested here first: "
        f"{first.theme}, {_few(first.here.value)} here and {_few(first.elsewhere.value)} elsewhere."
    )
    words = Words(title="How often each theme is suggested", alt=alt, x="% of segments", y="theme")
    return figures.bars(words, shown)


def _table(made: Suggesting) -> Table:
    sites = list(made.sites) if 1 < len(made.sites) <= SIDE_BY_SIDE else []
    rows: list[Row] = [
        (
            *(one.theme, one.suggested, _percent(one.here), _percent(one.elsewhere)),
            *(_few(one.sites[name]) for name in sites),
            one.unsure,
        )
        for one in made.themes[:ROWS]
    ]
    some = ("any theme", made.suggested, _percent(made.here), _percent(made.elsewhere))
    first: Row = (*some, *(_few(made.sites[name]) for name in sites), made.segments - made.suggested)
    columns = ("theme", "segments", "share here", OTHERS, *sites, "likeliest, not suggested")
    return Table(caption="Suggestions theme by theme, as shares of segments", columns=columns, rows=(first, *rows))
