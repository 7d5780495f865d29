"""What an audit found -> tables for spreadsheets and statistics programs, and everything as one JSON value."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..agreement import Counts, Estimate, ThemeAgreement, disagreements
from .audit_drift_tables import Row, TableRows, drift_tables
from .audit_influence_tables import effort_tables, influence_tables
from .audited import Audited, Work
from .plain import plain
from .telling import number

MEASURES = ("alpha", "positive", "negative", "percent", "kappa", "ac1", "pabak")


def tables(found: Audited) -> Iterator[TableRows]:
    """Yield every table; rows may be made as they are read."""
    yield _coders(found)
    yield _themes(found)
    yield _sets(found)
    yield _pairs(found)
    yield _disagreements(found)
    if found.drift:
        yield from drift_tables(found.drift)
    if found.influence:
        yield from influence_tables(found.influence)
    yield from effort_tables(found.effort)


def _estimate(found: Estimate) -> Row:
    lack = "" if number(found) is not None else str(found.value)
    return (number(found), found.low, found.high, lack or found.how)


def _four(name: str) -> tuple[str, ...]:
    return (name, f"{name}_low", f"{name}_high", f"{name}_how")


def _coders(found: Audited) -> TableRows:
    modes = sorted({mode for work in found.coders for mode in work.modes})
    columns = ("coder", "segments", "documents", "sites", "themes_given", "first", "last", *modes)
    return "coders", columns, [_coder(work, modes) for work in found.coders]


def _coder(work: Work, modes: Sequence[str]) -> Row:
    sites, days = ";".join(work.sites), (work.first.isoformat(), work.last.isoformat())
    return work.coder, work.segments, work.documents, sites, work.given, *days, *(work.modes.get(m, 0) for m in modes)


def _themes(found: Audited) -> TableRows:
    kinds = {"all": found.reliability.everything, "without_suggestions": found.reliability.blind}
    kinds |= {f"site: {name}": one for name, one in found.reliability.sites.items()}
    of = ("readings", "theme", "segments", "documents", "coders", "given", "segments_with", "word")
    columns = (*of, *(part for name in MEASURES for part in _four(name)))
    rows = [_theme(kind, agreed.counts, theme) for kind, agreed in kinds.items() for theme in agreed.themes]
    return "agreement_themes", columns, rows


def _theme(kind: str, n: Counts, theme: ThemeAgreement) -> Row:
    of = (kind, theme.theme, n.units, n.documents, n.coders, theme.positives, theme.units_with, theme.alpha.verdict)
    return *of, *(part for name in MEASURES for part in _estimate(getattr(theme, name)))


def _sets(found: Audited) -> TableRows:
    kinds: dict[str, Mapping[str, Estimate]] = {}
    kinds |= {"all": found.reliability.everything.sets, "without_suggestions": found.reliability.blind.sets}
    kinds |= {f"site: {name}": one.sets for name, one in found.reliability.sites.items()}
    if machine := found.reliability.machine:
        kinds |= {"machine among coders": machine.with_machine, "same segments without machine": machine.without}
    rows = [(kind, distance, *_estimate(one)) for kind, sets in kinds.items() for distance, one in sets.items()]
    return "agreement_sets", ("readings", "distance", *_four("alpha")), rows


def _pairs(found: Audited) -> TableRows:
    rows: list[Row] = [
        (pair.coder, pair.other, pair.units, pair.documents, pair.percent, *_estimate(pair.kappa))
        for pair in found.reliability.everything.pairs
    ]
    if machine := found.reliability.machine:
        rows += [(one.coder, machine.name, one.units, None, None, *_estimate(one.everything)) for one in machine.coders]
    return "agreement_pairs", ("coder", "other", "segments", "documents", "percent", *_four("kappa")), rows


def _disagreements(found: Audited) -> TableRows:
    columns = ("theme", "site", "document", "segment", "gave", "did_not", "text")
    return "disagreements", columns, _disagreement_rows(found)


def _disagreement_rows(found: Audited) -> Iterator[Row]:
    for one in disagreements(found.readings):
        place = found.passages[one.unit]
        gave, did_not = ";".join(one.gave), ";".join(one.did_not)
        yield one.theme, place.site, place.document, place.name, gave, did_not, place.text


def as_json(found: Audited) -> dict[str, Any]:
    """Return everything as plain values. The disagreements' words are in their table alone."""
    skipped = {"readings", "passages", "drift"}
    names = [name for name in Audited.__dataclass_fields__ if name not in skipped]
    drift = plain(replace(found.drift, checks=())) if found.drift else None
    return {name: plain(getattr(found, name)) for name in names} | {
        "drift": drift,
        "themes": list(found.themes),
        "disagreements": [
            {
                "theme": one.theme,
                "site": found.passages[one.unit].site,
                "document": found.passages[one.unit].document,
                "segment": found.passages[one.unit].name,
                "gave": list(one.gave),
                "did_not": list(one.did_not),
            }
            for one in disagreements(found.readings)
        ],
    }
