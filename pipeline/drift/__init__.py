"""Checks of coders over time -> who or what changed, and what could not have been seen.

records   what goes in and comes out
rates     shares, their intervals, what a team makes likely of a coder, many tests at once
charts    the Bernoulli CUSUM: limits and power by an exact Markov chain
watch     charts of many coders (and projects) at once, with what is normal of each
change    change point and trend by permutation
team      checks as arrays
certify   first checks, and levels
charting  a team's charts
dating    a team's changes, each coder's and everybody's
verdict   what may be said of each cell
sites     coder or site?
history   checks without anchors
advice    places to look, never an alarm
"""

from collections.abc import Sequence

from .advice import Again, Routine, by_period, duplicates, halves
from .certify import certified, described
from .dating import everybody
from .history import checks_of, most_common
from .records import (
    Advice,
    Cell,
    Certification,
    Change,
    Chart,
    Check,
    Coded,
    DriftAudit,
    Error,
    Plan,
    Shared,
    Status,
    Word,
)
from .sites import coder_or_site
from .team import gathered
from .verdict import FALSE_DISCOVERIES, cells, judged
from .watch import BUDGET

__all__ = [
    "Advice",
    "Again",
    "Cell",
    "Certification",
    "Change",
    "Chart",
    "Check",
    "Coded",
    "DriftAudit",
    "Error",
    "Plan",
    "Routine",
    "Shared",
    "Status",
    "Word",
    "audit",
    "by_period",
    "checks_of",
    "duplicates",
    "halves",
    "most_common",
]

MOST = 5  # priority themes: more leave no power for any


def audit(checks: Sequence[Check], plan: Plan) -> DriftAudit:
    """Return who or what changed over some checks. The same checks and plan give the same result.

    Raises ``ValueError`` if the plan names no priority theme, or more than five, or one twice.
    """
    if not 1 <= len(set(plan.priority)) == len(plan.priority) <= MOST:
        raise ValueError(f"one to {MOST} different priority themes are watched, not {len(plan.priority)}")
    team = gathered(checks, plan)
    papers = certified(team, plan)
    others = plan.against == "others"
    own: tuple[Cell, ...] = ()
    all_coders: tuple[Shared, ...] = ()
    if checks:
        own, all_coders = judged(cells(team, plan, papers), () if others else everybody(team, plan), papers)
    changes = [*(one.change for one in own), *(one.change for one in all_coders)]
    tested = [one for one in changes if one]
    return DriftAudit(
        plan=plan,
        reference="what most of the other coders gave" if others else "adjudicated gold",
        certifications=papers,
        cells=own,
        shared=all_coders,
        described=described(team),
        sites=coder_or_site(team, plan),
        tested=len(tested),
        expected_false=FALSE_DISCOVERIES * sum(change.found for change in tested),
        cannot_see=_cannot_see(plan),
        trust=_trust(plan),
    )


def _cannot_see(plan: Plan) -> tuple[str, ...]:
    """Return what checks of this kind are blind to, in sentences."""
    said = ["No evidence of drift is not evidence of none: each cell tells the smallest rise it would have found."]
    if plan.against == "others":
        said += [
            "Without anchors nobody knows what is right: when all coders move together, nothing shows.",
            "Where a segment has two coders, a difference does not tell which of them moved; with few coders, one who "
            "moves takes the majority along, and others seem to change too.",
            "A theme that is narrowed quietly hardly shows in ordinary coding if it is rare.",
        ]
    else:
        said += ["Gold is an interpretation too: anchors that half of the coders miss should be adjudicated again."]
    if not plan.shuffled:
        said += [
            "Documents were coded one after another, so there are no charts: only looking back, over whole documents.",
            "What documents are about may change over time as well as coders do.",
        ]
    return (*said, "Themes without priority are described, not tested.")


def _trust(plan: Plan) -> tuple[str, ...]:
    """Return how the figures are made, in sentences for a methods section."""
    charts = (
        f"Bernoulli CUSUM charts (Page 1954; Reynolds & Stoumbos 1999) of misses and of false alarms; limits by an "
        f"exact Markov chain for an error budget of {BUDGET:.0%} per coder and project; baselines by empirical Bayes "
        f"from each coder's first {plan.certifying} checks and the other coders' (Kleinman 1973), with a guard band."
    )
    looking_back = (
        f"Change points and trends by {plan.permutations:,} permutations of "
        f"{'checks' if plan.shuffled else 'documents'}, seed {plan.seed}; Benjamini & Hochberg (1995) at "
        f"{FALSE_DISCOVERIES:.2f} over all cells."
    )
    last = "Shares have Wilson (1927) intervals. These are signals for discussion, not ratings of people."
    return (*((charts,) if plan.shuffled else ()), looking_back, last)
