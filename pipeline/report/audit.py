"""What an audit found -> its page. The first part is for whoever leads the study; the rest is what stands behind it."""

from collections.abc import Iterator, Sequence

from ..agreement import Estimate, Lack
from . import audit_effort, audit_influence
from .audit_agreement import agreement_section
from .audit_drift import NOTHING, drift_section, traffic
from .audited import Audited, Example, Signal, Work
from .methods import methods_section
from .page import Card, Note, Part, Quote, Quotes, Section, Table, render
from .telling import day, share

NOTHING_STANDS_OUT = "Nothing stands out. That is not evidence that nothing is wrong: see what this audit cannot see."
DISCUSS = "These are signals for discussion, not ratings of people."


def audit_page(found: Audited) -> str:
    """Return the page of an audit."""
    sections = [
        _glance(found),
        _signals(found),
        agreement_section(found),
        drift_section(found),
        audit_influence.influence_section(found),
        audit_effort.effort_section(found),
        _coders(found),
        methods_section(found),
        _provenance(found),
    ]
    return render(f"Audit of {found.study}", sections, lead=f"{_span(found)} {DISCUSS}")


def _span(found: Audited) -> str:
    first = min(work.first for work in found.coders)
    return f"Coding from {day(first)} to {day(max(work.last for work in found.coders))}."


def _glance(found: Audited) -> Section:
    agreed = found.reliability.everything
    n, units = agreed.counts, len(found.readings.units)
    sets = agreed.sets["Jaccard"]
    cards = (
        Card(name="Coders", value=f"{len(found.coders):,}", detail=f"{found.decisions:,} decisions"),
        Card(name="Segments read", value=f"{units:,}", detail=f"in {len(found.readings.documents):,} documents"),
        Card(name="Read by two or more", value=share(n.units / max(units, 1)), detail=f"{n.units:,} segments"),
        Card(
            name="Agreement on sets",
            value="–" if isinstance(sets.value, Lack) else f"{sets.value:.2f}",
            detail=_interval(sets),
        ),
        Card(
            name="To talk about",
            value=str(len(found.signals)),
            detail="signals" if len(found.signals) != 1 else "signal",
        ),
    )
    stands_out = tuple(f"{signal.title}. {signal.words}" for signal in found.signals) or (NOTHING_STANDS_OUT,)
    stands_out += tuple(_in_short(found))
    table = tuple(traffic(found.drift)) if found.drift else (Note(text=NOTHING),)
    return Section(title="At a glance", parts=(Note(text=DISCUSS, mark="good"), cards, stands_out, *table))


def _in_short(found: Audited) -> Iterator[str]:
    """Yield the other parts of the report in a sentence each."""
    yield audit_influence.in_short(found.influence)
    yield audit_effort.in_short(found.effort)
    if found.drift:
        yield f"Coder or site: {found.drift.audit.sites.words}."


def _interval(found: Estimate) -> str:
    if isinstance(found.value, Lack):
        return found.value.value
    if found.low is None or found.high is None:
        return "alpha (Jaccard), no interval"
    return f"alpha (Jaccard), {found.low:.2f} to {found.high:.2f}"


def _signals(found: Audited) -> Section:
    if not found.signals:
        return Section(title="To talk about", parts=(NOTHING_STANDS_OUT,))
    return Section(title="To talk about", parts=tuple(part for signal in found.signals for part in _signal(signal)))


def _signal(signal: Signal) -> Iterator[Part]:
    yield Note(text=f"{signal.title}. {signal.words}")
    yield Quotes(columns=tuple((heading, tuple(map(_quote, examples))) for heading, examples in signal.columns))


def _quote(example: Example) -> Quote:
    who = " · ".join(part for part in (example.coder, day(example.at) if example.at else "") if part)
    return Quote(
        text=example.passage.text, place=example.passage.place, note=f"{who}: {example.said}" if who else example.said
    )


def _coders(found: Audited) -> Section:
    modes = sorted({mode for work in found.coders for mode in work.modes})
    columns = ("coder", "segments", "documents", "sites", "themes given", "first", "last", *modes)
    rows = tuple(_coder(work, modes) for work in found.coders)
    return Section(title="Who read what", parts=(Table(caption="Coders", columns=columns, rows=rows),))


def _coder(work: Work, modes: Sequence[str]) -> tuple[str | int, ...]:
    sites, days = ", ".join(work.sites), (day(work.first), day(work.last))
    return work.coder, work.segments, work.documents, sites, work.given, *days, *(work.modes.get(m, 0) for m in modes)


def _provenance(found: Audited) -> Section:
    versions = ", ".join(f"{name} {number}" for name, number in found.versions.items())
    names = "Coders have pseudonyms." if found.pseudonyms else "Coders stand under their names."
    lines = (
        f"{found.decisions:,} decisions until {found.until.isoformat() if found.until else 'never'}.",
        f"Audit trail: {found.trail.count:,} decisions, the last with the hash {found.trail.hash}. `themescout audit "
        "STUDY --verify --against report.json` tells whether they are still as they were.",
        f"Codebook revisions, in order of use: {', '.join(found.revisions) or 'not known'}.",
        f"Seed {found.seed}; the same decisions, seed and versions give the same file, byte for byte.",
        f"Versions: {versions}.",
        f"{names} Examples quote transcripts: keep this file where you would keep the transcripts.",
    )
    return Section(title="Where this comes from", parts=(lines,))
