"""The segments behind what an audit says: a few for each signal, side by side."""

from collections.abc import Iterator

import numpy as np

from ..agreement import Agreement, Ratings
from ..report import Example, Signal
from .gather import Gathered

MOST = 4  # segments in a column
THEMES = 3  # on which agreement is worst
LOW = 0.667  # agreement whose interval does not reach this is worth talking about


def disputed(gathered: Gathered, read: Ratings, agreed: Agreement) -> Iterator[Signal]:
    """Yield the themes on which coders agree least, each with segments that divide them most.

    Only themes whose whole interval lies under .667: of the others nothing is known, or nothing bad.
    """
    low = [theme for theme in agreed.themes if theme.alpha.high is not None and theme.alpha.high < LOW]
    for theme in sorted(low, key=lambda theme: (float(theme.alpha.value), theme.theme))[:THEMES]:
        column = read.themes.index(theme.theme)
        yield Signal(
            title=f"{theme.theme}: coders understand it differently",
            words=f"Alpha {theme.alpha.value:.2f} [{theme.alpha.low:.2f}, {theme.alpha.high:.2f}]: the whole interval "
            f"lies under {LOW}.",
            columns=(("Segments that divide coders most", tuple(_divided(gathered, read, column))),),
        )


def _divided(gathered: Gathered, read: Ratings, column: int) -> Iterator[Example]:
    counts = read.counts[:, column]
    evenly = counts.min(axis=1)
    order = np.lexsort((np.arange(len(evenly)), -counts.sum(axis=1), -evenly))
    for unit in order[:MOST]:
        if not evenly[unit]:
            return
        rows = np.flatnonzero(read.unit == unit)
        gave = [read.coders[c] for c in read.coder[rows[read.given[rows, column]]]]
        did_not = [read.coders[c] for c in read.coder[rows[~read.given[rows, column]]]]
        yield Example(
            at=None,
            coder="",
            passage=gathered.passages[read.units[unit]],
            said=f"given by {', '.join(gave)}; not by {', '.join(did_not)}",
        )
