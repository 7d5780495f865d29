"""A short version of benchmarks/drift.py, which has the whole table: the same made-up teams, fewer of them."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pipeline.drift import Status, audit


def unsure(share: float, count: int) -> float:
    """Return two standard errors of a share: so much fewer projects than in the benchmark may miss its bound by."""
    return float(2 * np.sqrt(share * (1 - share) / count))


def load() -> ModuleType:
    file = Path(__file__).parent.parent / "benchmarks/drift_planted.py"
    spec = importlib.util.spec_from_file_location("drift_planted", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["drift_planted"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


planting = load()
SEED = 20261125
SINGLE = planting.Design(projects=250)
SEVERAL = planting.Design(projects=80, themes=5, checks=200, first=50)


@pytest.mark.parametrize(
    ("design", "watch", "action"), [(SINGLE, 0.08, 0.025), (SEVERAL, 0.06, 0.025)], ids=["one theme", "five themes"]
)
def test_stable_coders_raise_few_alarms(design: object, watch: float, action: float) -> None:
    made = planting.heard(planting.planted(design, np.random.default_rng(SEED)))
    for share, bound in zip(made.share(), (watch, action), strict=True):
        assert share <= bound + unsure(bound, made.watch.size)


@pytest.mark.parametrize(
    ("design", "kind", "delta", "least"),
    [
        (SINGLE, "flip", 0.2, 0.80),
        (SINGLE, "flip", 0.3, 0.95),
        (SINGLE, "narrow", 0.5, 0.92),
        (SEVERAL, "flip", 0.2, 0.85),
        (SEVERAL, "flip", 0.3, 0.97),
    ],
)
def test_planted_drift_is_found(design: object, kind: str, delta: float, least: float) -> None:
    planned = replace(design, kind=kind, delta=delta)  # type: ignore[type-var]
    found = planting.heard(planting.planted(planned, np.random.default_rng(SEED)))
    assert found.share()[0] >= least - unsure(least, found.watch.size)
    if (design, delta) == (SINGLE, 0.2):
        assert found.delay(planned) <= 30


@pytest.mark.parametrize(("before", "after"), [(0.3, 0.6), (0.6, 0.3)])
def test_other_content_raises_no_more_alarms(before: float, after: float) -> None:
    design = replace(SINGLE, positive=before, later_positive=after)
    made = planting.heard(planting.planted(design, np.random.default_rng(SEED)))
    for share, bound in zip(made.share(), (0.08, 0.025), strict=True):
        assert share <= bound + unsure(bound, made.watch.size)


def test_false_discoveries_over_whole_audits_are_few() -> None:
    design = replace(SINGLE, projects=60)
    made = planting.planted(design, np.random.default_rng(SEED))
    audits = [audit(planting.checks_of(made, project), planting.plan_of(design)) for project in range(60)]
    assert np.mean([any(cell.change and cell.change.found for cell in one.cells) for one in audits]) <= 0.11
    alarms = [[cell.status in (Status.WATCH, Status.ACTION) for cell in one.cells] for one in audits]
    assert np.mean(np.reshape(alarms, (60 * 6, 2)).any(axis=1)) <= 0.08


def test_coders_at_sites_of_their_own_are_not_identifiable() -> None:
    design = replace(SINGLE, projects=3)
    made = planting.planted(design, np.random.default_rng(0))
    for project in range(3):
        checks = planting.checks_of(made, project, sites={coder: f"site {coder}" for coder in range(6)})
        assert audit(checks, planting.plan_of(design)).sites.words.startswith("not identifiable")
