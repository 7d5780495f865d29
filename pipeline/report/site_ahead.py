"""The part of a site's page that tells how much is left to decide, and how long that takes."""

from collections.abc import Iterator

from .arrived import Workload
from .audit_influence import figure as told
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
    if found.low is None or found.high is None or f"{found.low:.1f}" == f"{found.high:.1f}":
        return f"about {found.value:,.1f} hours"
    return f"{found.low:,.1f} to {found.high:,.1f} hours"


def _time(work: Workload) -> str:
    if work.pace.value is None:
        ten = f"{work.decisions * 10 / 3600:,.1f}"
        few = f"only {counted(work.timed, 'segment')} of this study were timed so far"
        why = few if work.timed else "no decision of this study was timed yet"
        return f"How many hours that takes cannot be told, as {why}: every ten seconds for a segment make {ten} hours."
    return f"At the study's own pace, {told(work.pace)} seconds for a segment, one coder needs {hours(work)}."


def _parts(work: Workload) -> Iterator[Part]:
    yield left(work)
    if not work.decisions:
        return
    rows = (
        ("segments of this site", f"{work.segments:,}"),
        ("decided by anybody", f"{work.decided:,}"),
        ("decisions to go, blind checks among them", f"{work.decisions:,}"),
        ("seconds for a segment", told(work.pace)),
        ("segments in the whole study that this was measured on", f"{work.timed:,}"),
        ("hours for one coder", told(work.hours)),
    )
    yield Table(caption="One coder's work at this site", columns=("what", "figure"), rows=rows)
    yield (
        "A decision for each segment that nobody has decided on; coding everything twice takes twice as long. Actions "
        "of more than a minute do not count as work, nor does what is talked over."
    )
