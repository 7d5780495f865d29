"""What is known of the public sets, what is to be reached on them, and whether it was."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluate.intervals import Span, span

Matrix = NDArray[np.float64]
MEASURES = ("R@1", "R@3", "R@5", "MRR", "mAP", "ECE")
HYBRID, NEAREST, ADAPTED = "reference hybrid (known)", "nearest exemplar (known)", "fine-tuned + hybrid (known)"
KNOWN: Mapping[str, Mapping[str, tuple[float | None, ...]]] = {
    "NHS, codebook only": {HYBRID: (0.603, 0.713, 0.808, 0.724, 0.456), NEAREST: (0.448, 0.571, 0.687, 0.593, 0.218)},
    "NHS, codebook only, adapted": {ADAPTED: (0.656, 0.743, 0.828, 0.761, 0.527)},
    "NHS after 0 decisions": {HYBRID: (0.610, 0.719, 0.816, 0.731, 0.461), NEAREST: (None, 0.580, None, None, 0.236)},
    "NHS after 50 decisions": {HYBRID: (0.671, 0.768, 0.848, 0.777, 0.469), NEAREST: (None, 0.641, None, None, 0.222)},
    "NHS after 200 decisions": {HYBRID: (0.714, 0.809, 0.873, 0.810, 0.479), NEAREST: (None, 0.696, None, None, 0.208)},
    "NHS after 1,000 decisions": {
        HYBRID: (0.740, 0.841, 0.898, 0.833, 0.504),
        NEAREST: (None, 0.744, None, None, 0.202),
    },
    "Serdif, first five interviews": {
        HYBRID: (0.521, 0.745, None, 0.664, 0.443),
        NEAREST: (0.431, 0.671, None, 0.586, 0.319),
    },
    "Serdif, 5 quotes per theme": {
        HYBRID: (0.385, 0.622, None, 0.546, 0.337),
        NEAREST: (0.298, 0.519, None, 0.463, 0.253),
    },
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What one system reached on one test: each measure, and its value in every draw."""

    values: Mapping[str, float | None]
    drawn: Mapping[str, Matrix]
    documents: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """A figure to be reached: of themescout, more than cosine, or as a ratio to cosine."""

    test: str
    measure: str
    least: float
    against: str = ""  # "", "minus cosine" or "over cosine"


GOALS = (
    *(Goal(test="NHS, codebook only", measure=m, least=v) for m, v in (("R@3", 0.73), ("MRR", 0.74), ("mAP", 0.48))),
    *(
        Goal(test="NHS, codebook only, adapted", measure=m, least=v)
        for m, v in (("R@3", 0.76), ("MRR", 0.78), ("mAP", 0.55))
    ),
    Goal(test="NHS after 200 decisions", measure="R@3", least=0.83),
    Goal(test="NHS after 1,000 decisions", measure="R@3", least=0.86),
    Goal(test="NHS, NEAS to NHFT", measure="R@3", least=0.10, against="minus cosine"),
    Goal(test="NHS, NHFT to NEAS", measure="R@3", least=0.10, against="minus cosine"),
    Goal(test="Serdif, 5 quotes per theme", measure="R@3", least=0.66),
    Goal(test="Serdif, 5 quotes per theme", measure="mAP", least=0.37),
    Goal(test="Serdif replay from five interviews' quotes", measure="R@3", least=0.77),
    Goal(test="Serdif replay from definitions", measure="R@3", least=0.77),
)
MOST_ECE = 0.05
LEAST_RATIO = 1.5


def goals(results: Mapping[str, Mapping[str, Result]]) -> list[str]:
    """Return each goal with what was reached, its interval, and whether that is enough."""
    lines = ["## Goals", "", "| goal | at least | reached | 95 % | |", "|---|---|---|---|---|"]
    for goal in GOALS:
        name = f"{goal.test}: {goal.measure} {goal.against}".rstrip()
        if goal.test not in results:
            lines.append(f"| {name} | {goal.least:.2f} | | | not measured |")
            continue
        value, found = _reached(results[goal.test], goal)
        lines.append(f"| {name} | {goal.least:.2f} | {value:.3f} | {between(found)} | {_met(value >= goal.least)} |")
    for test, systems in results.items():
        ratio, found = _reached(systems, Goal(test=test, measure="mAP", least=LEAST_RATIO, against="over cosine"))
        told = f"| {test}: mAP over cosine | {LEAST_RATIO:.2f} | {ratio:.3f} | {between(found)} |"
        lines.append(f"{told} {_met(ratio >= LEAST_RATIO)} |")
    for test, systems in results.items():
        less = [k for k in MEASURES[:3] if _value(systems["themescout"], k) <= _value(systems["frequency"], k)]
        lines.append(
            f"| {test}: above frequency at every k | | | | {_met(not less)}{': ' + ', '.join(less) if less else ''} |"
        )
    after = "NHS after 200 decisions"
    if after in results:
        error = _value(results[after]["themescout"], "ECE")
        lines.append(f"| {after}: ECE at most | {MOST_ECE:.2f} | {error:.3f} | | {_met(error <= MOST_ECE)} |")
    return [*lines, ""]


def _reached(systems: Mapping[str, Result], goal: Goal) -> tuple[float, Span | None]:
    ours, its = systems["themescout"], systems["cosine"]
    combine: Callable[[Matrix, Matrix], Matrix] = {
        "": lambda a, _: a,
        "minus cosine": lambda a, b: a - b,
        "over cosine": lambda a, b: a / np.maximum(b, 1e-12),
    }[goal.against]
    key = goal.measure
    value = float(combine(np.array(_value(ours, key)), np.array(_value(its, key))))
    if key not in ours.drawn:
        return value, None
    return value, span(combine(ours.drawn[key], its.drawn[key]), value, ours.documents, (-1, float("inf")))


def _value(result: Result, key: str) -> float:
    return result.values[key] or 0.0


def _met(yes: bool) -> str:
    return "met" if yes else "**not met**"


def span_of(result: Result, key: str) -> Span | None:
    """Return the interval of a measure."""
    return span(result.drawn[key], result.values[key], result.documents) if key in result.drawn else None


def between(found: Span | None) -> str:
    """Return an interval as text."""
    return "" if found is None else f"[{found[0]:.3f}, {found[1]:.3f}]"
