"""What goes into the drift audit, and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One coder's answer about one segment whose right themes are known: a blind check, shown without suggestions.

    A theme that is in neither set is a 0: right not to be there, or not given. Times of one study have all a time zone
    or all none.
    """

    coder: str
    at: datetime
    segment: str
    document: str  # told apart from documents of the same name at other sites
    site: str = ""  # where the coder belongs, if people code for one site; else where the document comes from
    gold: frozenset[str]  # the right themes, adjudicated; or what most of the other coders gave (history.checks_of)
    given: frozenset[str]  # the coder's
    uncertain: frozenset[str] = frozenset()  # themes whose gold is a split vote: they count nowhere
    shares: Mapping[str, float] = field(default_factory=dict)
    """Theme -> share of the other coders who gave it, where gold is their majority: how hard the segment is."""
    revision: str = ""  # of the codebook the coder worked with


@dataclass(frozen=True, kw_only=True, slots=True)
class Coded:
    """What one coder gave one segment in ordinary coding without anchors; no theme means read and nothing coded."""

    coder: str
    at: datetime
    segment: str
    document: str
    site: str = ""
    themes: frozenset[str]
    revision: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What was decided before anybody was watched. The defaults are those the benchmark vouches for."""

    priority: tuple[str, ...]  # themes that are watched, at most five; all others are only described
    anchors: int = 120  # planned checks of one coder; charts keep their promise up to so many
    first: int | None = None  # of them, which certify the coder and give the baseline; see ``certifying``
    against: Literal["gold", "others"] = "gold"  # adjudicated gold, or what most of the other coders gave
    shuffled: bool = True  # checks are single segments in random order; else whole documents, as in plain double coding
    wordings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Revision -> theme -> hash of the theme's entry, so that only charts of themes that changed are restarted; for a
    revision that is missing here every theme counts as changed."""
    recalibrated: Mapping[str, datetime] = field(default_factory=dict)
    """Coder -> when the coder was trained again after an alarm: charts begin anew, certified by `again` checks."""
    again: int = 20
    permutations: int = 1999
    seed: int = 0

    @property
    def certifying(self) -> int:
        """How many first checks there are: 40, or 50 with several themes, whose baselines share them."""
        return self.first if self.first is not None else 40 if len(self.priority) == 1 else 50


class Error(StrEnum):
    """What can be wrong: each has its own chart, because their shares differ in what they mean and in size."""

    MISS = "miss"  # a right theme not given; the share of gold positives is 1 - sensitivity
    FALSE_ALARM = "false alarm"  # a theme given that is not right; the share of gold negatives is 1 - specificity


class Status(StrEnum):
    """What a chart or a test says at its latest point. No evidence is not evidence of none: see ``detectable``."""

    NONE = "no evidence"
    WATCH = "watch"
    ACTION = "action"
    INSUFFICIENT = "insufficient"


class Word(StrEnum):
    """What a signal may be called."""

    NONE = ""
    LEVEL = "level difference"  # an alarm without a change within the coder: always different, not drifting
    DRIFT = "drift"  # an alarm, and the coder's own earlier and later answers differ (p <= .10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """A share of checks with its 95 % Wilson interval; all None when there is no check."""

    errors: int
    trials: int
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Certification:
    """Whether a coder's first checks are good enough to be watched."""

    coder: str
    checks: int
    misses: Rate  # pooled over the priority themes
    false_alarms: Rate
    chance_misses: float | None  # posterior probability that the error is more than twice the team's
    chance_false_alarms: float | None
    passed: bool | None  # None: too few checks
    reason: str  # why not, "" if passed


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """A Bernoulli CUSUM at two levels of caution (Reynolds & Stoumbos 1999). The tuples hold one entry per check."""

    baseline: float  # posterior mean of the error after the first checks
    expected_watch: float  # the error taken as still normal: upper posterior quantiles
    expected_action: float
    limit_watch: float  # in log likelihood ratio units, as the sums
    limit_action: float
    chance: float  # of a false alarm during the planned checks, if the expected error is the true one
    planned: int  # checks of this kind
    at: tuple[datetime, ...]
    segments: tuple[str, ...]
    errors: tuple[bool, ...]
    watch: tuple[float, ...]  # the sums
    action: tuple[float, ...]
    restarts: tuple[bool, ...]  # the theme's wording changed before this check, and the sums began at 0
    watch_at: datetime | None  # first alarm since the last restart
    action_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """The retrospective test: did the error rise at some time (step), or slowly (trend)?"""

    p: float  # the smaller of the two, doubled
    p_step: float
    p_trend: float
    q: float | None  # Benjamini-Hochberg over all cells of the audit; None before they are together
    found: bool  # q <= .10 and the rise is at least the floor
    rise: float  # of the error at the split, within wordings and equally hard segments
    at: datetime  # the first check after the most likely change
    earliest: datetime  # 95 % profile likelihood interval
    latest: datetime
    before: Rate
    after: Rate


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """How a coder's error over the whole time compares with the other coders', which is not drift."""

    own: Rate
    others: float | None  # the other coders' error on equally hard segments; None without others
    chance: float | None  # posterior probability that the error is more than twice theirs
    different: bool  # chance >= .90


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """Everything about one coder, one theme and one kind of error."""

    coder: str
    theme: str  # "" for all priority themes together
    error: Error
    status: Status
    word: Word
    reason: str  # why data are insufficient, else ""
    detectable: float | None  # smallest rise of the error that is found with 80 % power; None: no rise would be
    level: Level
    chart: Chart | None  # None without shuffled checks, or with too few
    change: Change | None  # None with too few checks


@dataclass(frozen=True, kw_only=True, slots=True)
class Shared:
    """Whether everybody's error rose on one theme: a drifting definition, not a drifting coder."""

    theme: str
    error: Error
    change: Change | None
    status: Status  # never ACTION
    coders: int  # with checks before and after
    rising: int  # of them, whose error rose
    one_coder: bool  # without the coder who contributes most, there is no evidence
    detectable: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """A coder's errors on a theme that is not watched, in the earlier and the later half of the checks."""

    coder: str
    theme: str
    error: Error
    before: Rate
    after: Rate


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """How much more errors a coder or a site makes than the mean of the others, in logits, from the mixed model."""

    name: str
    logit: float  # posterior mean
    sd: float
    different: bool  # |logit| >= .8 and |logit| / sd > 2.33, the furthest left out of what the others are compared with


@dataclass(frozen=True, kw_only=True, slots=True)
class Sites:
    """Coder or site? From a mixed model of the errors in checks that coders have in common."""

    identifiable: bool
    words: str  # "not identifiable: ..." with the reason, or what was found
    shares: Mapping[str, float]  # coder, site, segment, residual: shares of the variance on the logit scale, sum 1
    coders: tuple[Effect, ...]
    sites: tuple[Effect, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """A place to look: a reason to check one coder more often on one theme, never an alarm."""

    coder: str
    theme: str
    what: str  # residual mean, residual direction, prevalence, overlap alpha, own duplicates
    before: float | None
    after: float | None
    p: float | None
    look: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftAudit:
    """The whole result. The same checks and plan give the same result, to the last bit."""

    plan: Plan
    reference: str  # what answers were compared with
    certifications: tuple[Certification, ...]
    cells: tuple[Cell, ...]  # coders in order of name; per coder all priority themes together first
    shared: tuple[Shared, ...]
    described: tuple[Described, ...]
    sites: Sites
    tested: int  # cells in the multiplicity correction
    expected_false: float  # of the changes found, how many are none in the mean, at most
    cannot_see: tuple[str, ...]  # sentences: what this design is blind to
    trust: tuple[str, ...]  # sentences on how the figures are made, with sources
