"""The part of a site's page that tells how much is left to decide, and how long that takes."""

from collections.abc import Iterator

from ..influence import Estimate
from .arrived import Workload
from .page import Part, Section, Table
from .telling import counted, share


def ahead_section(work: Workload) -> Section:
    """Return the section."""
    return Section(title="The work ahead", parts=tuple(_parts(work)))


def left(work: Workload) -> str:
    """Return the work in a sentence or two."""
    if not work.segments:
        return "There is nothing to decide on yet."
    some = f"{work.decided:,} of {counted(work.segments, 'segment')} are decided"
    if not work.decisions:
        return f"{some}: nothing is left to do."
    checks = f", about {share(work.checks)} of them blind checks" if work.checks else ""
    return f"{some}; {counted(work.decisions, 'decision')} to go{checks}. {_time(work)}"


def hours(work: Workload) -> str:
    """Return how long it takes one coder, in a few words."""
    found = work.hours
    if found.value is None:
        return "hours not known yet"
    low, high = (_figure(found.value if end is None else end, found.value) for end in (found.low, found.high))
    unit = "minutes" if found.value < 1 else "hours"
    return f"about {_figure(found.value, found.value)} {unit}" if low == high else f"{low} to {high} {unit}"


def _figure(some: float, of: float) -> str:
    """Return hours as a figure in the unit that fits ``of`` them: minutes below an hour."""
    return f"{60 * some:.0f}" if of < 1 else f"{some:,.1f}"


def _time(work: Workload) -> str:
    if work.pace.value is None:
        ten = work.decisions * 10 / 3600
        few = f"only {counted(work.timed, 'segment')} of this study were timed so far"
        why = few if work.timed else "no decision of this study was timed yet"
        each = f"every ten seconds for a segment make {_figure(ten, ten)} {'minutes' if ten < 1 else 'hours'}"
        return f"How many hours that takes cannot be told, as {why}: {each}."
    return f"At the study's own pace, {_pace(work.pace)} seconds for a segment, one coder needs {hours(work)}."


def _pace(found: Estimate) -> str:
    """Return seconds with their interval.

    >>> _pace(Estimate(value=12.04, low=11, high=13.25)), _pace(Estimate(value=9.0)), _pace(Estimate(value=None))
    ('12.0 [11.0, 13.2]', '9.0', '–')
    """
    if found.value is None:
        return "–"
    reach = "" if found.low is None or found.high is None else f" [{max(found.low, 0.0):.1f}, {found.high:.1f}]"
    return f"{found.value:.1f}{reach}"


def _parts(work: Workload) -> Iterator[Part]:
    yield left(work)
    if not work.decisions:
        return
    rows = (
        ("segments of this site", f"{work.segments:,}"),
        ("decided by anybody", f"{work.decided:,}"),
        ("decisions to go, blind checks among them", f"{work.decisions:,}"),
        ("seconds for a segment", _pace(work.pace)),
        ("segments in the whole study that this was measured on", f"{work.timed:,}"),
        ("hours for one coder", "–" if work.hours.value is None else f"{work.hours.value:,.1f}"),
    )
    yield Table(caption="One coder's work at this site", columns=("what", "figure"), rows=rows)
    yield (
        "A decision for each segment that nobody has decided on; coding everything twice takes twice as long. Actions "
        "of more than a minute do not count as work, nor does what is talked over."
    )
