"""How figures, names and moments of reports are put in words and cells."""

from collections.abc import Sequence
from datetime import datetime

from ..agreement import Estimate, Lack
from . import figures
from .page import Cell

NAMED = 8  # that are listed one by one


def told(found: Estimate) -> str:
    """Return a coefficient with its interval, or the word for what it lacks.

    >>> told(Estimate(value=0.467, low=0.28, high=0.655)), told(Estimate(value=Lack.UNDEFINED))
    ('0.47 [0.28, 0.66]', 'undefined')
    """
    if isinstance(found.value, Lack):
        return found.value.value
    if found.low is None or found.high is None:
        return f"{found.value:.2f}"
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"


def number(found: Estimate) -> float | None:
    """Return the value, None where there is none."""
    return None if isinstance(found.value, Lack) else found.value


def marked(found: Estimate) -> Cell:
    """Return a coefficient as a cell, marked if the whole interval clears a mark."""
    return Cell(text=told(found), mark="good" if found.verdict else "")


def drawn(name: str, found: Estimate, group: str = "") -> figures.Estimate:
    """Return a coefficient as figures take it."""
    return figures.Estimate(name=name, value=number(found), low=found.low, high=found.high, group=group)


def day(moment: datetime) -> str:
    """Return the day of a moment.

    >>> day(datetime(2026, 3, 2, 9, 0))
    '2026-03-02'
    """
    return moment.date().isoformat()


def share(value: float | None) -> str:
    """Return a share in percent.

    >>> share(0.125), share(None)
    ('12 %', '–')
    """
    return "–" if value is None else f"{100 * value:.0f} %"


def hundred(value: float | None) -> float | None:
    """Return a share as a figure in percent takes it."""
    return None if value is None else 100 * value


def counted(number: int, what: str) -> str:
    """Return a number with its thing.

    >>> counted(1, "word"), counted(1200, "word")
    ('1 word', '1,200 words')
    """
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def apart(name: str) -> str:
    """Return a name from a file so that the direction of its script stays its own within a sentence (Unicode's FSI).

    >>> apart("Tel Yaara") == chr(0x2068) + "Tel Yaara" + chr(0x2069)
    True
    """
    return f"\u2068{name}\u2069"


def listed(names: Sequence[str]) -> str:
    """Return names in a sentence: the first ones, and how many more there are."""
    more = len(names) - NAMED
    shown = ", ".join(map(apart, names[:NAMED]))
    return f"{shown} and {more} more" if more > 0 else shown
