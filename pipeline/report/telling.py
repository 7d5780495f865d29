"""How figures of an audit are put in words and cells."""

from datetime import datetime

from ..agreement import Estimate, Lack
from . import figures
from .page import Cell


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
