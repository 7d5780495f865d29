"""What an audit found about change -> tables for spreadsheets and statistics programs."""

from collections.abc import Iterable, Iterator

from ..drift import Cell, Change, Chart, DriftAudit, Shared
from ..drift.records import Rate
from .audited import Drift

Row = tuple[str | int | float | None, ...]
TableRows = tuple[str, tuple[str, ...], Iterable[Row]]  # name, columns, rows

CHANGE = (
    *("p", "p_step", "p_trend", "q", "found", "rise", "since", "earliest", "latest"),
    *("errors_before", "checks_before", "errors_since", "checks_since"),
)
CHART = ("baseline", "limit_watch", "limit_action", "chart_checks", "watch_at", "action_at")


def drift_tables(drift: Drift) -> Iterator[TableRows]:
    """Yield every table; an empty theme stands for all watched themes together."""
    of = ("coder", "theme", "error", "status", "word", "reason", "detectable_rise")
    level = ("errors", "checks", "rate", "rate_low", "rate_high", "rate_of_others", "chance_twice", "level_different")
    yield "drift", (*of, *level, *CHANGE, *CHART), [_cell(cell) for cell in drift.audit.cells]
    yield (
        "drift_charts",
        ("coder", "theme", "error", "check", "at", "wrong", "watch", "action", "restart"),
        _charts(drift),
    )
    shared = ("theme", "error", "status", "coders", "rising", "one_coder", "detectable_rise")
    yield "drift_shared", (*shared, *CHANGE), [_shared(one) for one in drift.audit.shared]
    yield _certifications(drift.audit)
    yield _described(drift.audit)
    yield _sites(drift.audit)
    places = ("coder", "theme", "what", "earlier", "later", "p", "look")
    rows = [(o.coder, o.theme, o.what, o.before, o.after, o.p, int(o.look)) for o in drift.advice]
    yield "places_to_look", places, rows


def _cell(cell: Cell) -> Row:
    level = cell.level
    return (
        *(cell.coder, cell.theme, cell.error.value, cell.status.value, cell.word.value, cell.reason, cell.detectable),
        *_rate(level.own),
        *(level.others, level.chance, int(level.different)),
        *_change(cell.change),
        *_chart(cell.chart),
    )


def _rate(rate: Rate) -> Row:
    return rate.errors, rate.trials, rate.rate, rate.low, rate.high


def _change(change: Change | None) -> Row:
    if change is None:
        return (None,) * len(CHANGE)
    dates = (change.at.isoformat(), change.earliest.isoformat(), change.latest.isoformat())
    sides = (change.before.errors, change.before.trials, change.after.errors, change.after.trials)
    return change.p, change.p_step, change.p_trend, change.q, int(change.found), change.rise, *dates, *sides


def _chart(chart: Chart | None) -> Row:
    if chart is None:
        return (None,) * len(CHART)
    alarms = (at.isoformat() if at else None for at in (chart.watch_at, chart.action_at))
    return chart.baseline, chart.limit_watch, chart.limit_action, len(chart.at), *alarms


def _charts(drift: Drift) -> Iterator[Row]:
    for cell in drift.audit.cells:
        if chart := cell.chart:
            points = zip(chart.at, chart.errors, chart.watch, chart.action, chart.restarts, strict=True)
            for number, (at, wrong, watch, action, restart) in enumerate(points, 1):
                of = (cell.coder, cell.theme, cell.error.value, number, at.isoformat())
                yield *of, int(wrong), watch, action, int(restart)


def _shared(one: Shared) -> Row:
    of = (one.theme, one.error.value, one.status.value, one.coders, one.rising, int(one.one_coder), one.detectable)
    return *of, *_change(one.change)


def _certifications(audit: DriftAudit) -> TableRows:
    columns = ("coder", "first_checks", "missed", "of", "false_alarms", "of_negatives", "certified", "why")
    rows: list[Row] = [
        (
            *(paper.coder, paper.checks, paper.misses.errors, paper.misses.trials),
            *(paper.false_alarms.errors, paper.false_alarms.trials),
            {True: "yes", False: "no", None: "not known"}[paper.passed],
            paper.reason,
        )
        for paper in audit.certifications
    ]
    return "certification", columns, rows


def _described(audit: DriftAudit) -> TableRows:
    columns = ("coder", "theme", "error", "errors_before", "checks_before", "errors_since", "checks_since")
    rows: list[Row] = [
        (o.coder, o.theme, o.error.value, o.before.errors, o.before.trials, o.after.errors, o.after.trials)
        for o in audit.described
    ]
    return "drift_described", columns, rows


def _sites(audit: DriftAudit) -> TableRows:
    rows: list[Row] = [("", "", audit.sites.words, None, None, None)]
    for kind, effects in (("site", audit.sites.sites), ("coder", audit.sites.coders)):
        rows += [(kind, one.name, "", one.logit, one.sd, int(one.different)) for one in effects]
    rows += [("share of variance", name, "", value, None, None) for name, value in audit.sites.shares.items()]
    return "sites", ("kind", "name", "words", "value", "sd", "stands_out"), rows
