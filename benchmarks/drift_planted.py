"""Made-up teams that drift in known ways, as arrays (projects, coders, checks, themes), and what is heard of it.

Sensitivity is .85 (sd .06 between coders), the share of false alarms .03 (gamma, sd half of it), both differ between
themes and a little between coders on a theme; segments come from 40 documents of unequal difficulty (sd .5 logits).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from pipeline.drift import Check, Plan, change
from pipeline.drift.rates import benjamini_hochberg
from pipeline.drift.records import Error
from pipeline.drift.verdict import FALSE_DISCOVERIES, FLOOR
from pipeline.drift.watch import Answers, chances, guards, watch

Flags = NDArray[np.bool_]
Values = NDArray[np.float64]
Numbers = NDArray[np.intp]

DOCUMENTS = 40
KINDS = ("flip", "narrow", "broaden", "swap", "ramp", "rotation")
HARD = 0.25  # of the gold negatives lie so near that a turned meaning reaches them


@dataclass(frozen=True, kw_only=True)
class Design:
    """What is planted: from ``tau`` of the checks on, every coder (or the first) drifts on the first theme."""

    projects: int = 400
    coders: int = 6
    checks: int = 120
    themes: int = 1
    positive: float = 0.5  # share of checks that are gold positive for a theme; with several themes one each
    kind: str = "none"
    delta: float = 0.0
    tau: float = 0.5
    everybody: bool = True  # every coder drifts, which makes no difference to the others' charts; else the first alone
    all_themes: bool = False
    first: int = 40  # certify; 50 with several themes
    difficulty: float = 0.5  # sd of documents, logits
    later_positive: float | None = None  # share of positives from tau on, if content shifts


@dataclass(frozen=True, kw_only=True)
class Planted:
    """Gold and given themes of every check, in order of time."""

    design: Design
    gold: Flags  # projects x coders x checks x themes
    given: Flags
    document: Numbers  # projects x coders x checks


def planted(design: Design, rng: np.random.Generator) -> Planted:
    """Return coders' answers."""
    gold = _gold(design, rng)
    shape = (design.projects, design.coders, 1, design.themes)
    sensitivity = rng.normal(0.85, 0.06, (*shape[:3], 1)) + (design.themes > 1) * (
        rng.normal(0, 0.04, (shape[0], 1, 1, shape[3])) + rng.normal(0, 0.03, shape)
    )
    alarms = rng.gamma(4, 0.03 / 4, (*shape[:3], 1))
    if design.themes > 1:
        alarms = alarms * rng.gamma(8, 1 / 8, (shape[0], 1, 1, shape[3])) * rng.gamma(16, 1 / 16, shape)
    error = np.where(gold, 1 - np.clip(sensitivity, 0.5, 0.98), np.clip(alarms, 0.002, 0.2))
    document = rng.integers(0, DOCUMENTS, gold.shape[:3])
    hard = rng.normal(0, design.difficulty, (design.projects, DOCUMENTS))
    logit = np.log(error / (1 - error)) + hard[np.arange(design.projects)[:, None, None], document][..., None]
    given = gold ^ (rng.random(gold.shape) < _drifted(1 / (1 + np.exp(-logit)), gold, design))
    if design.kind == "swap":
        _swap(given, gold, design, rng)
    return Planted(design=design, gold=gold, given=given, document=document)


def _gold(design: Design, rng: np.random.Generator) -> Flags:
    """Return which theme is right where, as often as the design says, in random order for each coder."""
    shape = (design.projects, design.coders, design.checks)
    change_at = round(design.tau * design.checks)
    parts = [(0, design.checks, design.positive)]
    if design.later_positive is not None:
        parts = [(0, change_at, design.positive), (change_at, design.checks, design.later_positive)]
    label = np.full(shape, -1)
    for begin, end, share in parts:
        if design.themes > 1 and share >= 1 / design.themes:
            row = np.arange(end - begin) % design.themes
        else:
            row = np.full(end - begin, -1)
            each = round(share * (end - begin))
            for theme in range(design.themes):
                row[theme * each : (theme + 1) * each] = theme
        label[..., begin:end] = rng.permuted(np.broadcast_to(row, (*shape[:2], end - begin)), axis=-1)
    return np.asarray(label[..., None] == np.arange(design.themes))


def _drifted(error: Values, gold: Flags, design: Design) -> Values:
    """Return the chances of an error with the drift in them."""
    place = np.arange(design.checks)[:, None] / design.checks
    amount = design.delta * (place >= design.tau)
    if design.kind == "ramp":
        amount = design.delta * np.clip((place - design.tau) / (1 - design.tau), 0, 1)
    after = {
        "none": error,
        "swap": error,
        "flip": error * (1 - amount) + (1 - error) * amount,
        "ramp": error * (1 - amount) + (1 - error) * amount,
        "narrow": np.where(gold, 1 - (1 - error) * (1 - amount), error),
        "broaden": np.where(gold, error, 1 - (1 - error) * (1 - amount)),
        "rotation": 1 - (1 - error) * (1 - np.where(gold, amount, HARD * amount)),
    }[design.kind]
    out = error.copy()
    who = slice(None) if design.everybody else slice(1)
    what = slice(None) if design.all_themes else slice(1)
    out[:, who, :, what] = after[:, who, :, what]
    return out


def _swap(given: Flags, gold: Flags, design: Design, rng: np.random.Generator) -> None:
    """Give the sibling (the second theme) in place of the first one, where that was right and given."""
    late = np.arange(design.checks) >= design.tau * design.checks
    moved = given[..., 0] & gold[..., 0] & late & (rng.random(given.shape[:3]) < design.delta)
    if not design.everybody:
        moved[:, 1:] = False
    given[..., 0] &= ~moved
    given[..., 1] |= moved


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What the charts said: the check of the first alarm of each coder, -1 for none; projects x coders."""

    watch: Numbers
    action: Numbers
    pooled: Flags  # whether a chart over all themes was among those that said WATCH
    single: Flags

    def share(self, who: slice = slice(None)) -> tuple[float, float]:
        """The shares of coders with WATCH and with ACTION."""
        return float((self.watch[:, who] >= 0).mean()), float((self.action[:, who] >= 0).mean())

    def delay(self, design: Design) -> float:
        """Median checks from the drift to WATCH, of those that came after it."""
        late = self.watch[self.watch >= design.tau * design.checks] - design.tau * design.checks + 1
        return float(np.median(late)) if late.size else np.nan


def heard(made: Planted) -> Heard:
    """Return the first alarms of all charts that the product would draw."""
    design = made.design
    wrong = made.gold != made.given
    never = np.iinfo(np.intp).max
    first = {level: np.full(wrong.shape[:2], never) for level in ("watch", "action", "pooled", "single")}
    for positive in (True, False):
        present = made.gold == positive
        for columns in _parts(design.themes):
            alarms = _alarms(wrong[..., columns], present[..., columns], design)
            kind = "pooled" if len(columns) == design.themes > 1 else "single"
            for level, at in (("watch", alarms[0]), ("action", alarms[1]), (kind, alarms[0])):
                first[level] = np.minimum(first[level], np.where(at < 0, never, at))
    told = {level: np.where(at == never, -1, at) for level, at in first.items()}
    return Heard(watch=told["watch"], action=told["action"], pooled=told["pooled"] >= 0, single=told["single"] >= 0)


def _parts(themes: int) -> list[list[int]]:
    single = [[theme] for theme in range(themes)]
    return [list(range(themes)), *single] if themes > 1 else single


def _alarms(wrong: Flags, present: Flags, design: Design) -> tuple[Numbers, Numbers]:
    """Return the checks of the first alarms at both levels."""
    width = wrong.shape[-1]
    flat = (*wrong.shape[:2], -1)
    first = np.broadcast_to(np.arange(design.checks)[:, None] < design.first, wrong.shape).reshape(flat)
    shown = present.reshape(flat)
    planned = np.ceil(shown.sum(axis=-1) / design.checks * (design.checks - design.first) - 1e-9).astype(np.intp)
    chance = chances(design.themes)[0 if width == design.themes else 1]
    given = Answers(errors=wrong.reshape(flat), present=shown, first=first)
    made = watch(given, planned, chance, guards(design.themes, design.checks, design.coders))
    alarms = [np.where(at < 0, -1, at // width).reshape(wrong.shape[:2]) for at in (made.watch_at, made.action_at)]
    return alarms[0], alarms[1]


def looked_back(made: Planted, most: int = 400) -> tuple[float, float]:
    """Return how often looking back finds a change in the first theme, and the median error of its date in checks.

    Both kinds of error are tested; it is found with q <= .10 over the two and at least the floor.
    """
    design = made.design
    gold, given = (part[..., 0].reshape(-1, design.checks)[:most] for part in (made.gold, made.given))
    found, off = [], []
    for right, said in zip(gold, given, strict=True):
        tests = {}
        for error, rows in ((Error.MISS, np.flatnonzero(right)), (Error.FALSE_ALARM, np.flatnonzero(~right))):
            tests[error] = (rows, change.rose(single(right[rows] != said[rows]), 1999, 0))
        q = benjamini_hochberg(np.array([test.p if test else np.nan for _, test in tests.values()]))
        hits = [
            rows[test.split]
            for (error, (rows, test)), each in zip(tests.items(), q, strict=True)
            if test and each <= FALSE_DISCOVERIES and test.rise >= FLOOR[error]
        ]
        found.append(bool(hits))
        off += [abs(at - design.tau * design.checks) for at in hits]
    return float(np.mean(found)), float(np.median(off)) if off else np.nan


def single(wrong: Flags) -> change.Units:
    """Return checks as units of their own."""
    one = np.ones(len(wrong), dtype=np.intp)
    share = np.full(len(wrong), wrong.mean() if len(wrong) else 0.0)
    return change.units(wrong.astype(np.intp), one, share, np.zeros(len(wrong), dtype=np.intp))


def checks_of(made: Planted, project: int, sites: Mapping[int, str] | None = None) -> list[Check]:
    """Return one project as the checks that a study would hand over."""
    begin = datetime(2026, 1, 5, 9)
    names = [f"T{theme}" for theme in range(made.design.themes)]
    return [
        Check(
            coder=f"C{coder}",
            at=begin + timedelta(hours=check),
            segment=f"s{coder}-{check}",
            document=f"d{made.document[project, coder, check]}",
            site=(sites or {}).get(coder, ""),
            gold=frozenset(names[t] for t in np.flatnonzero(made.gold[project, coder, check])),
            given=frozenset(names[t] for t in np.flatnonzero(made.given[project, coder, check])),
        )
        for coder in range(made.design.coders)
        for check in range(made.design.checks)
    ]


def plan_of(design: Design) -> Plan:
    """Return the plan that belongs to a design."""
    return Plan(
        priority=tuple(f"T{theme}" for theme in range(design.themes)), anchors=design.checks, first=design.first
    )


def as_one(design: Design) -> Design:
    """Return the design with only the first coder drifting."""
    return replace(design, everybody=False)
