"""What an audit found about influence and effort -> tables for spreadsheets and statistics programs."""

from collections.abc import Iterator
from dataclasses import fields

from ..influence import Estimate, Influence, Share
from .audit_drift_tables import Row, TableRows
from .audited import Effort

FIGURE = ("value", "low", "high", "documents", "count")


def influence_tables(found: Influence) -> Iterator[TableRows]:
    """Yield every table about influence; a coder without name stands for everybody."""
    yield "influence", ("coder", "figure", *FIGURE), list(_influence(found))
    rows: list[Row] = [(one.coder, one.first, one.last, one.length, one.median, one.usual) for one in found.hasty]
    yield "hasty_runs", ("coder", "first", "last", "accepts", "median_seconds", "usual_seconds"), rows


def _influence(found: Influence) -> Iterator[Row]:
    for coder, panel in {"": found.everybody, **found.coders}.items():
        for name in ("acceptance", "blind_agreement", "inflation", "effect"):
            yield coder, name, *_estimate(getattr(panel, name))
        for field in fields(panel.reliance):
            value = getattr(panel.reliance, field.name)
            yield coder, f"reliance_{field.name}", *(_share(value) if isinstance(value, Share) else _estimate(value))
    for part in (found.position, found.variety, found.found):
        for field in fields(part):
            value = getattr(part, field.name)
            name = f"{type(part).__name__.lower()}_{field.name}"
            yield "", name, *(_share(value) if isinstance(value, Share) else _estimate(value))


def _estimate(found: Estimate) -> Row:
    return found.value, found.low, found.high, found.documents, found.count


def _share(found: Share) -> Row:
    return found.value, found.low, found.high, None, found.of


def effort_tables(found: Effort) -> Iterator[TableRows]:
    """Yield every table about effort."""
    pace = ("segments", "actions", "minutes", "idle", "per_action", "per_segment", "per_minute")
    each = {"": found.pace, **found.coders}
    yield "pace", ("coder", *pace), [(coder, *(getattr(one, name) for name in pace)) for coder, one in each.items()]
    saved: list[Row] = [("gross", *_estimate(found.saving.gross)), ("net", *_estimate(found.saving.net))]
    saved += [(f"seconds_per_right_{mode.value}", *_estimate(one)) for mode, one in found.per_right.items()]
    saved += [(name, getattr(found.saving, name), None, None, None, None) for name in ("shown", "withheld", "checks")]
    yield "saving", ("figure", *FIGURE), saved
    columns = ("theme", "segments", "relevant", "tnr", "wss", "recall_10", "recall_20", "recall_30", "enough")
    rows: list[Row] = [
        (o.theme, o.segments, o.relevant, o.tnr, o.wss, *(recall for _, recall in o.recall), o.enough)
        for o in found.screened
    ]
    yield "screening", columns, rows
    grown = zip(found.saturation.new, found.saturation.seen, found.saturation.expected, strict=True)
    numbered: list[Row] = [(at, *row) for at, row in enumerate(grown, 1)]
    yield "saturation", ("documents", "new", "seen", "expected"), numbered
