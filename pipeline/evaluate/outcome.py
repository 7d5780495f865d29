"""What an evaluation finds, as records, and as the plain values that ``evaluate --json`` promises."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .intervals import Span

Measures = Mapping[str, float | None]
Spans = Mapping[str, Span | None]
Mark = Literal["", "good", "watch", "bad"]  # "": nothing can be said


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Measures of one system, and how far each may be off; no interval where there are too few documents."""

    values: Measures
    spans: Spans


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """How much better themescout is than another system on the same documents."""

    against: str
    found: Found


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """How good the suggestions for held-out documents are after some decisions about others, by system."""

    decided: int
    systems: Mapping[str, Found]


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteResult:
    """How good the suggestions are at one site, by system."""

    site: str
    documents: int
    coded: int
    systems: Mapping[str, Found]


@dataclass(frozen=True, kw_only=True, slots=True)
class Operating:
    """What is suggested if everything from a probability on is: precision, coverage, found, wrongly.

    precision  share of suggestions that are right
    coverage   share of segments with a suggestion
    found      share of the themes that people gave that were suggested
    wrongly    share of segments without a theme that something was suggested for
    """

    threshold: float
    found: Found


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What can be had at a precision that one wants; None where no threshold gives it."""

    precision: float
    threshold: float | None
    coverage: float | None
    found: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ThemeResult:
    """How well the segments of one theme are found, and whether its suggestions hold."""

    theme: str
    positives: int
    documents: int  # in which anybody gave it
    chance: float  # the average precision of guessing
    average_precision: float | None  # None without positives
    span: Span | None
    suggested: int
    right: float | None  # share of its suggestions that are right
    right_span: Span | None
    found: float | None  # share of its segments that it was suggested for
    muted: bool  # the study's own decisions say that its suggestions are no better than chance
    mark: Mark
    says: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Reliable:
    """Suggestions of similar probability: how probable they were said to be, and how many were right."""

    probability: float
    right: float
    count: int
    span: Span | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Alike:
    """Agreement on the same segments: of people with one another, and of the machine with each of them."""

    theme: str  # "" for all together
    segments: int
    people: float | None
    people_span: Span | None
    machine: float | None
    machine_span: Span | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What the figures say in words, the most important first."""

    mark: Mark
    says: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """How good the suggestions are on human coding."""

    protocol: Mapping[str, Any]
    segments: int
    coded: int  # segments with at least one theme
    themes: int
    in_sight: int  # segments that somebody decided on with suggestions in sight
    systems: Mapping[str, Found]
    differences: tuple[Difference, ...]
    learning_curve: tuple[Step, ...]
    by_site: tuple[SiteResult, ...]
    by_theme: tuple[ThemeResult, ...]
    reliability: tuple[Reliable, ...]
    suggesting: Operating  # with the study's settings
    tradeoff: tuple[Operating, ...]
    targets: tuple[Target, ...]
    agreement: tuple[Alike, ...]  # empty unless several people read the same segments
    verdict: Verdict


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return the evaluation as plain values, in the shape that ``evaluate --json`` promises."""
    return {
        "protocol": dict(evaluation.protocol),
        "segments": evaluation.segments,
        "coded": evaluation.coded,
        "themes": evaluation.themes,
        "in_sight": evaluation.in_sight,
        "systems": {name: dict(found.values) for name, found in evaluation.systems.items()},
        "learning_curve": [
            {"decided": step.decided, **{name: _plain(found) for name, found in step.systems.items()}}
            for step in evaluation.learning_curve
        ],
        "intervals": {name: dict(found.spans) for name, found in evaluation.systems.items()},
        "differences": {one.against: _plain(one.found) for one in evaluation.differences},
        "by_site": [
            {"site": one.site, "documents": one.documents, "coded": one.coded}
            | {"systems": {name: _plain(found) for name, found in one.systems.items()}}
            for one in evaluation.by_site
        ],
        "by_theme": [asdict(theme) for theme in evaluation.by_theme],
        "reliability": [asdict(part) for part in evaluation.reliability],
        "suggesting": _point(evaluation.suggesting),
        "tradeoff": [_point(point) for point in evaluation.tradeoff],
        "targets": [asdict(target) for target in evaluation.targets],
        "agreement": [asdict(one) for one in evaluation.agreement],
        "verdict": asdict(evaluation.verdict),
    }


def _plain(found: Found) -> dict[str, Any]:
    return {**found.values, "intervals": dict(found.spans)}


def _point(point: Operating) -> dict[str, Any]:
    return {"threshold": point.threshold, **_plain(point.found)}
