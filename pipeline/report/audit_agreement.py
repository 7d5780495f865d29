"""The part of an audit's page that tells how far coders agree."""

from collections.abc import Iterator, Mapping

from ..agreement import MISLEADS, Agreement, Estimate, ThemeAgreement, Unitizing, units_needed
from . import figures
from .audited import Audited, Machine
from .drawing import Words
from .page import Cell, Note, Part, Section, Table
from .telling import drawn, marked, told

MARKS = (figures.Limit(name=".667", value=0.667), figures.Limit(name=".800", value=0.8))
COLUMNS = ("alpha", "positive", "negative", "percent", "kappa", "ac1", "pabak")
MOST_PAIRS = 30  # of the pairs, which differ most; the table file has all that were computed


def agreement_section(found: Audited) -> Section:
    """Return the section."""
    agreed = found.reliability.everything
    if not agreed.counts.units:
        words = "No segment was read by two coders: agreement is not estimable. Nothing can be said of reliability."
        return Section(title="Agreement", parts=(Note(text=words), *_planning()))
    return Section(title="Agreement", parts=tuple(_parts(found, agreed)))


def _parts(found: Audited, agreed: Agreement) -> Iterator[Part]:
    n = agreed.counts
    yield (
        f"Computed on the {n.units:,} segments that two coders or more have read: {n.readings:,} readings by "
        f"{n.coders} coders in {n.documents:,} documents. A segment that somebody read and gave no theme counts as "
        "such; one that somebody did not read does not count for that coder. Intervals (95 %) are over whole documents."
    )
    yield _sets(found.reliability.everything, found.reliability.blind, found.reliability.sites)
    yield _figure(agreed)
    yield _themes(agreed, found.reliability.blind)
    yield (
        "A word is said of a theme only if the whole interval clears Krippendorff's mark: .800 “reliable”, .667 "
        "“good enough for tentative conclusions”. Undefined means no variation: everybody gave every segment the same."
    )
    if agreed.pairs:
        yield _pairs(agreed)
    if found.reliability.machine:
        yield from _machine(found.reliability.machine)
    if found.reliability.unitizing:
        yield from _unitizing(found.reliability.unitizing)
    yield "When each figure misleads:"
    yield tuple(MISLEADS[name] for name in (*COLUMNS, "pooled", "nominal", "Jaccard", "MASI"))


def _sets(everything: Agreement, blind: Agreement, sites: Mapping[str, Agreement]) -> Table:
    rows: list[tuple[Cell | str | int, ...]] = [
        ("all readings", everything.counts.units, everything.counts.documents, *_by_distance(everything.sets))
    ]
    rows.append(("read without suggestions", blind.counts.units, blind.counts.documents, *_by_distance(blind.sets)))
    rows += [
        (f"at {name}", one.counts.units, one.counts.documents, *_by_distance(one.sets)) for name, one in sites.items()
    ]
    return Table(
        caption="Krippendorff's alpha of whole sets of themes, by distance",
        columns=("readings", "segments", "documents", "Jaccard", "MASI", "equal or not"),
        rows=tuple(rows),
    )


def _by_distance(sets: Mapping[str, Estimate]) -> tuple[Cell, ...]:
    return tuple(marked(sets[name]) for name in ("Jaccard", "MASI", "nominal"))


def _figure(agreed: Agreement) -> Part:
    known = [theme for theme in agreed.themes if isinstance(theme.alpha.value, float)]
    if not known:
        return Note(text="No theme has an alpha: none was given in segments that two coders read.")
    lowest = min(known, key=lambda theme: float(theme.alpha.value))
    highest = max(known, key=lambda theme: float(theme.alpha.value))
    alt = (
        f"Dots with intervals for {len(known)} themes. Lowest: {lowest.theme} {told(lowest.alpha)}; "
        f"highest: {highest.theme} {told(highest.alpha)}."
    )
    least = min(0.0, *(theme.alpha.low or 0.0 for theme in known))
    return figures.intervals(
        Words(title="Krippendorff's alpha by theme, with 95 % intervals", alt=alt, x="alpha", y="theme"),
        [drawn(theme.theme, theme.alpha) for theme in known],
        limits=MARKS,
        x_range=(least - 0.02, 1.02),
    )


def _themes(agreed: Agreement, blind: Agreement) -> Table:
    kappa = "Cohen's kappa" if agreed.counts.coders == 2 else "Fleiss' kappa"
    unseen = {theme.theme: theme for theme in blind.themes}
    return Table(
        caption="Agreement by theme",
        columns=(
            "theme",
            "given",
            "segments with it",
            "alpha",
            "word",
            "alpha without suggestions",
            "positive agreement",
            "negative agreement",
            "percent",
            kappa,
            "AC1",
            "PABAK",
        ),
        rows=tuple(_theme(theme, unseen[theme.theme]) for theme in agreed.themes),
    )


def _theme(theme: ThemeAgreement, blind: ThemeAgreement) -> tuple[str | int | Cell, ...]:
    return (
        theme.theme,
        theme.positives,
        theme.units_with,
        marked(theme.alpha),
        Cell(text=theme.alpha.verdict or "–"),
        Cell(text=told(blind.alpha)),
        *(Cell(text=told(getattr(theme, name))) for name in COLUMNS[1:]),
    )


def _pairs(agreed: Agreement) -> Table:
    known = sorted(agreed.pairs, key=lambda pair: (str(pair.kappa.value), pair.coder, pair.other))
    shown = known[:MOST_PAIRS]
    of = f"the lowest {len(shown)} of {agreed.all_pairs:,} pairs" if agreed.all_pairs > len(shown) else "every pair"
    return Table(
        caption=f"Two by two: pooled kappa over all themes, {of}",
        columns=("coder", "and", "segments", "documents", "pooled kappa", "percent"),
        rows=tuple(
            (pair.coder, pair.other, pair.units, pair.documents, marked(pair.kappa), pair.percent) for pair in shown
        ),
    )


def _machine(machine: Machine) -> Iterator[Part]:
    yield Table(
        caption=f"The machine as one more coder (“{machine.name}” is no person)",
        columns=(
            "coder",
            "segments",
            "pooled kappa with the machine",
            "read without suggestions",
            "pooled kappa there",
        ),
        rows=tuple(
            (one.coder, one.units, Cell(text=told(one.everything)), one.blind_units, Cell(text=told(one.blind)))
            for one in machine.coders
        ),
    )
    with_it, without = machine.with_machine["Jaccard"], machine.without["Jaccard"]
    yield (
        f"On the segments it made suggestions for, alpha of sets (Jaccard) is {told(without)} among people and "
        f"{told(with_it)} with the machine among them. Agreement with the machine that is much higher where its "
        "suggestions were seen says that people follow it, not that it is right."
    )


def _unitizing(found: Unitizing) -> Iterator[Part]:
    rows: list[tuple[str | Cell, ...]] = [
        ("everything: where, and which theme (u-alpha)", marked(found.u)),
        ("worth coding at all (|u-alpha)", marked(found.binary)),
        ("which theme, where both coded (cu-alpha)", marked(found.cu)),
    ]
    rows += [(f"{one.theme}, against everything else", marked(one.against_rest)) for one in found.themes]
    yield Table(
        caption=f"Coders cut for themselves: {found.spans:,} spans of {found.coders} coders in {found.documents} "
        "documents (Krippendorff 2019; not the alpha-u of 1995 and 2004)",
        columns=("what", "alpha"),
        rows=tuple(rows),
    )
    yield (
        "Whoever coded anything in a document is taken to have read all of it. In the tables above, by segments, "
        "whoever coded spans in place of a segment is taken to have given it the themes of all of them."
    )
    yield tuple(MISLEADS[name] for name in ("u", "binary", "cu"))


def _planning() -> tuple[Part, ...]:
    rows = tuple(
        (f"{100 * share:.0f} %", units_needed(0.667, share), units_needed(0.8, share))
        for share in (0.03, 0.05, 0.1, 0.25)
    )
    return (
        Table(
            caption="How many segments two coders must both read for alpha of a theme (Bloch and Kraemer 1989, 5 %)",
            columns=("share of segments with the theme", "to tell .667", "to tell .800"),
            rows=rows,
        ),
    )
