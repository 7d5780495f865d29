"""The part of an audit's page that tells who answers otherwise than before, and what could not have been seen."""

from collections.abc import Iterator, Sequence

from ..drift import Advice, Certification, Change, Chart, DriftAudit, Error, Shared, Status, Word
from ..drift import Cell as Found
from . import figures
from .audited import Audited, Drift
from .drawing import Words
from .page import Cell, Note, Part, Section, Table, Verdict
from .telling import day, share

MARKS: dict[Status, Verdict] = {
    Status.ACTION: "bad",
    Status.WATCH: "watch",
    Status.NONE: "none",
    Status.INSUFFICIENT: "none",
}
GRAVE = (Status.ACTION, Status.WATCH, Status.NONE, Status.INSUFFICIENT)
SERIOUS = (Status.ACTION, Status.WATCH)
MOST_CHARTS, MOST_CHANGES, MOST_CODERS, MOST_ADVICE = 8, 12, 40, 30
MOST_ACROSS = 4  # coders who have a column each; of more, each has a row
ALL = "all watched themes"
ERRORS = {Error.MISS: "missed", Error.FALSE_ALARM: "given too often"}
NOTHING = (
    "No segment has an answer to compare with: nobody answered anchors, and no segment was read by two coders. Nothing "
    "can be said of change over time. `themescout anchors draw` begins a bank of anchors."
)


def happened(cell: Found | Shared, reference: str) -> tuple[str, str]:
    """Return what a cell with an alarm says: a title without the coder, and what stands behind it."""
    level = isinstance(cell, Found) and cell.word is Word.LEVEL
    how = "often" if level else "more often than before" if cell.error is Error.MISS else "more than before"
    word = f"{cell.word.value}, " if isinstance(cell, Found) and cell.word else ""
    title = f"{cell.theme or ALL}: {ERRORS[cell.error]} {how} ({word}{cell.status.value})"
    parts = []
    if cell.change:
        parts.append(_dated(cell.change, cell.error))
    chart = cell.chart if isinstance(cell, Found) else None
    if chart and (at := chart.action_at or chart.watch_at):
        parts.append(f"The chart alarmed on {day(at)}.")
    if isinstance(cell, Shared):
        parts.append(
            f"The error rose for {cell.rising} of {cell.coders} coders: the theme may be understood otherwise."
        )
    return title, " ".join((*parts, f"Compared with {reference}."))


def _dated(change: Change, error: Error) -> str:
    of = "of what fits was missed" if error is Error.MISS else "of what does not fit was given"
    return (
        f"{share(change.before.rate)} {of} before and {share(change.after.rate)} since {day(change.at)} (95 % interval "
        f"{day(change.earliest)} to {day(change.latest)}; {change.before.trials} and {change.after.trials} checks; "
        f"p = {change.p:.3f}, q = {_q(change)})."
    )


def _q(change: Change) -> str:
    return "–" if change.q is None else f"{change.q:.3f}"


def traffic(drift: Drift) -> Iterator[Part]:
    """Yield the table coder x theme, with a line on how it is to be read."""
    cells: dict[tuple[str, str], list[Found]] = {}
    for cell in drift.audit.cells:
        cells.setdefault((cell.coder, cell.theme), []).append(cell)
    themes = list(dict.fromkeys(cell.theme for cell in drift.audit.cells))
    coders = list(dict.fromkeys(cell.coder for cell in drift.audit.cells))
    shown = sorted(coders, key=lambda coder: _gravity(coder, cells, themes))[:MOST_CODERS]
    shown = [coder for coder in coders if coder in shown]
    caption = f"Drift, coder by theme, compared with {drift.audit.reference}"
    if len(shown) <= MOST_ACROSS:
        rows: list[tuple[str | Cell, ...]] = [
            (theme or ALL, *(_light(cells[coder, theme]) for coder in shown)) for theme in themes
        ]
        yield Table(caption=caption, columns=("theme", *shown), rows=tuple(rows))
    else:
        rows = [(coder, *(_light(cells[coder, theme]) for theme in themes)) for coder in shown]
        yield Table(caption=caption, columns=("coder", *(theme or ALL for theme in themes)), rows=tuple(rows))
    if len(coders) > len(shown):
        yield f"Those with the most serious signs and the most checks; drift.csv has all {len(coders):,} coders."
    yield (
        "Action: talk it over now. Watch: a lead. No evidence is not evidence of none: under it stands the smallest "
        "rise of the error that would have been found in four of five cases, in percentage points. Insufficient: too "
        "few checks to say anything."
    )


def _gravity(coder: str, cells: dict[tuple[str, str], list[Found]], themes: Sequence[str]) -> tuple[int, int]:
    mine = [cell for theme in themes for cell in cells[coder, theme]]
    return min(GRAVE.index(cell.status) for cell in mine), -sum(cell.level.own.trials for cell in mine)


def _light(cells: Sequence[Found]) -> Cell:
    """Return the more serious of the two kinds of error, and under it what it rests on."""
    worst = min(cells, key=lambda cell: GRAVE.index(cell.status))
    if worst.status in SERIOUS:
        moved = worst.change
        under = f"{ERRORS[worst.error]}: {worst.word.value or 'alarm'}"
        if moved:
            under += f"; {share(moved.before.rate)} → {share(moved.after.rate)} since {day(moved.at)}"
        return Cell(text=worst.status.value, under=f"{under}; would show: {_reach(worst)}", mark=MARKS[worst.status])
    return Cell(text=worst.status.value, under=f"would show: {_reach(*cells)}", mark=MARKS[worst.status])


def _reach(*cells: Found) -> str:
    """Return the minimum detectable drift of each kind of error."""
    short = {Error.MISS: "missed", Error.FALSE_ALARM: "too often"}
    rises = ("no rise" if cell.detectable is None else f"+{100 * cell.detectable:.0f}" for cell in cells)
    return ", ".join(f"{rise} {short[cell.error]}" for rise, cell in zip(rises, cells, strict=True))


def drift_section(found: Audited) -> Section:
    """Return the section."""
    if found.drift is None:
        return Section(title="Change over time", parts=(Note(text=NOTHING),))
    return Section(title="Change over time", parts=tuple(_parts(found.drift)))


def _parts(drift: Drift) -> Iterator[Part]:
    yield _basis(drift)
    yield "What this cannot see:"
    yield drift.audit.cannot_see
    yield _multiplicity(drift.audit)
    yield from _charts(drift)
    yield _changes(drift.audit)
    yield _levels(drift.audit)
    yield _certifications(drift.audit.certifications)
    yield from _shared(drift.audit)
    yield from _sites(drift.audit)
    yield from _advice(drift.advice)


def _basis(drift: Drift) -> str:
    plan = drift.audit.plan
    who = "as study.toml says" if drift.chosen else "those that are right most often, as study.toml names none"
    words = f"{len(drift.checks):,} answers in {drift.documents:,} documents were compared with "
    words += f"{drift.audit.reference}. Watched themes ({who}): "
    words += f"{', '.join(plan.priority)}."
    if drift.drawn_from:
        words += f" These documents were drawn by lot from {drift.drawn_from:,}: more make no test surer."
    if plan.against == "others" and drift.anchors:
        words += f" {drift.anchors:,} anchors were answered too: too few by any coder to go by."
    return words


def _multiplicity(audit: DriftAudit) -> Note:
    return Note(
        text=f"{audit.tested:,} cells were tested for a change (Benjamini–Hochberg, q ≤ .10): of the changes that "
        f"count as found, at most {audit.expected_false:.1f} are expected to be none. A cell counts only if the error "
        "also rose by at least 15 points (missed) or 8 points (given too often).",
        mark="good",
    )


def _charts(drift: Drift) -> Iterator[Part]:
    charted = [cell for cell in drift.audit.cells if cell.chart and cell.chart.at]
    if not charted:
        yield (
            "There are no charts: they need checks in random order, as anchors are, and enough of them to know what is "
            "usual of a coder."
        )
        return
    order = sorted(charted, key=lambda cell: (GRAVE.index(cell.status), bool(cell.theme), -_highest(cell)))
    alarmed = [cell for cell in order if cell.status in SERIOUS]
    yield (
        "Each chart adds up what speaks for a risen error and takes off what speaks against it. At 1 it alarms: watch "
        "takes more for normal than the baseline says, action still more. Dotted lines: the theme's entry in the "
        "codebook was changed, and the chart began anew; or a revision of the codebook that left the theme as it was."
    )
    for cell in (alarmed or order)[:MOST_CHARTS] if alarmed else order[:2]:
        yield _chart(drift, cell)


def _highest(cell: Found) -> float:
    return max((value / cell.chart.limit_watch for value in cell.chart.watch), default=0.0) if cell.chart else 0.0


def _chart(drift: Drift, cell: Found) -> Part:
    chart = cell.chart
    assert chart is not None
    x = tuple(float(at) for at in range(1, len(chart.at) + 1))
    title = f"{cell.coder}, {cell.theme or ALL}: {ERRORS[cell.error]}"
    alarms = f"Watch: {_when(chart.watch_at)}; action: {_when(chart.action_at)}."
    alt = (
        f"CUSUM over {len(x)} checks from {day(chart.at[0])} to {day(chart.at[-1])}, {sum(chart.errors)} of them "
        f"wrong; it ends at {chart.watch[-1] / chart.limit_watch:.2f} of the watch limit. {alarms}"
    )
    return figures.steps(
        Words(title=title, alt=alt, x="check", y="share of the limit"),
        [
            figures.Series(name="watch", x=x, y=tuple(value / chart.limit_watch for value in chart.watch)),
            figures.Series(name="action", x=x, y=tuple(value / chart.limit_action for value in chart.action)),
        ],
        limits=[figures.Limit(name="alarm", value=1.0)],
        marks=_marks(drift, chart),
    )


def _when(moment: object) -> str:
    return "no alarm" if moment is None else f"alarm on {str(moment)[:10]}"


def _marks(drift: Drift, chart: Chart) -> list[figures.Mark]:
    restarts = {at: "codebook: restart" for at, again in enumerate(chart.restarts, 1) if again}
    for begun, _ in drift.revisions[1:]:
        at = sum(moment < begun for moment in chart.at) + 1
        if 1 < at <= len(chart.at):
            restarts.setdefault(at, "codebook revision")
    return [figures.Mark(name=name, at=float(at)) for at, name in sorted(restarts.items())]


def _changes(audit: DriftAudit) -> Table | str:
    order = sorted(
        (cell for cell in audit.cells if cell.change), key=lambda cell: cell.change.p if cell.change else 1.0
    )
    if not order:
        return "No cell had enough checks before and after any moment to be tested for a change."
    return Table(
        caption=f"When an error rose: the clearest {min(len(order), MOST_CHANGES)} of {len(order):,} tested",
        columns=("coder", "theme", "most likely since", "wrong before", "wrong since", "p", "q", "found"),
        rows=tuple(_change(cell) for cell in order[:MOST_CHANGES]),
    )


def _change(cell: Found) -> tuple[str | float | Cell, ...]:
    moved = cell.change
    assert moved is not None
    return (
        cell.coder,
        Cell(text=cell.theme or ALL, under=ERRORS[cell.error], mark="none"),
        Cell(text=day(moved.at), under=f"{day(moved.earliest)} to {day(moved.latest)}"),
        _rate(moved.before),
        _rate(moved.after),
        f"{moved.p:.3f}",
        _q(moved),
        Cell(text="yes", mark="watch") if moved.found else "no",
    )


def _rate(rate: object) -> str:
    errors, trials = getattr(rate, "errors", 0), getattr(rate, "trials", 0)
    return f"{errors}/{trials} ({share(getattr(rate, 'rate', None))})"


def _levels(audit: DriftAudit) -> Table | str:
    different = [cell for cell in audit.cells if cell.level.different]
    if not different:
        return "Level: no coder's error is surely more than twice the others'. A level is no drift."
    return Table(
        caption="Level, which is no drift: coders whose error is very probably more than twice the others' all along",
        columns=("coder", "theme", "error", "own", "the others'", "probability", "and a change?"),
        rows=tuple(
            (
                cell.coder,
                cell.theme or ALL,
                ERRORS[cell.error],
                _rate(cell.level.own),
                share(cell.level.others),
                share(cell.level.chance),
                "yes" if cell.change and cell.change.found else "no",
            )
            for cell in different[:MOST_CODERS]
        ),
    )


def _certifications(papers: Sequence[Certification]) -> Table:
    said = {True: "certified", False: "not certified", None: "not yet known"}
    shown = sorted(papers, key=lambda paper: -paper.checks)[:MOST_CODERS]
    return Table(
        caption="Certification by the first checks" + (", most checked coders" if len(shown) < len(papers) else ""),
        columns=("coder", "first checks", "missed", "given too often", "word", "why"),
        rows=tuple(
            (
                paper.coder,
                paper.checks,
                _rate(paper.misses),
                _rate(paper.false_alarms),
                said[paper.passed],
                Cell(text=paper.reason or "–", mark="none"),
            )
            for paper in sorted(shown, key=lambda paper: paper.coder)
        ),
    )


def _shared(audit: DriftAudit) -> Iterator[Part]:
    if not audit.shared:
        yield "Consensual drift, everybody moving together on one theme, cannot be seen without anchors."
        return
    yield Table(
        caption="Consensual drift: does everybody's error on a theme rise?",
        columns=(
            "theme",
            "error",
            "status",
            "since",
            "before",
            "since then",
            "coders whose error rose",
            "q",
            "sees a rise of",
        ),
        rows=tuple(
            (
                one.theme,
                ERRORS[one.error],
                Cell(text=one.status.value, mark=MARKS[one.status]),
                day(one.change.at) if one.change else "–",
                _rate(one.change.before) if one.change else "–",
                _rate(one.change.after) if one.change else "–",
                f"{one.rising} of {one.coders}",
                _q(one.change) if one.change else "–",
                "–" if one.detectable is None else f"+{100 * one.detectable:.0f} points",
            )
            for one in audit.shared
        ),
    )


def _sites(audit: DriftAudit) -> Iterator[Part]:
    sites = audit.sites
    yield Note(
        text=f"Coder or site? {sites.words[:1].upper()}{sites.words[1:]}.",
        mark="good" if sites.identifiable else "watch",
    )
    if not sites.identifiable:
        return
    effects = [("site", one) for one in sites.sites] + [("coder", one) for one in sites.coders]
    yield Table(
        caption="How much more errors than the others make, in logits: a mixed model of checks coders have in common",
        columns=("who or where", "kind", "logit", "sd", "stands out"),
        rows=tuple(
            (one.name, kind, one.logit, one.sd, Cell(text="yes", mark="watch") if one.different else "no")
            for kind, one in effects[:MOST_CODERS]
        ),
    )
    parts = ", ".join(f"{name} {share(value)}" for name, value in sites.shares.items())
    yield f"Where the errors' variance lies: {parts}."


def _advice(advice: Sequence[Advice]) -> Iterator[Part]:
    if not advice:
        return
    order = sorted(advice, key=lambda one: (not one.look, one.p if one.p is not None else 2.0, one.coder, one.theme))
    yield Table(
        caption="Places to look: signs in ordinary coding, never an alarm",
        columns=("coder", "theme", "what", "earlier", "later", "p", "look"),
        rows=tuple(
            (
                one.coder or "everybody",
                one.theme,
                one.what,
                one.before,
                one.after,
                "–" if one.p is None else f"{one.p:.3f}",
                Cell(text="look here", mark="watch") if one.look else "–",
            )
            for one in order[:MOST_ADVICE]
        ),
    )
    yield (
        "Prevalence and residuals (the theme given less the probability that a model frozen before the coder began "
        "gives it) are those beyond the other coders' in the same time. They follow the talk as well as the coder."
    )
    if len(order) > MOST_ADVICE:
        yield f"places_to_look.csv has all {len(order):,}."
