"""What suggestions do to the people who see them, and the segments behind it, from what was gathered."""

from collections.abc import Iterator, Sequence

import numpy as np

from ..influence import (
    Action,
    Actions,
    Estimate,
    Facts,
    Haste,
    Influence,
    Judgement,
    Judgements,
    from_decisions,
    influence,
    judgements,
)
from ..influence import actions as in_columns
from ..records import Mode, SegmentId
from ..report import Example, Passage, Signal
from .gather import Gathered

MUCH = 0.10  # of acceptance because a suggestion was shown, from which it is worth talking about
MOST, RUNS = 4, 3  # segments in a column, runs of hasty accepts
Columns = tuple[Judgements, Actions]


def judged(gathered: Gathered) -> tuple[list[Judgement], list[Action]]:
    """Return what coders judged and did at the review page; imported coding has no part in it."""
    facts = Facts(
        places={segment: (place.site, place.document) for segment, place in gathered.passages.items()},
        suggestions=gathered.suggestions,
        gold={segment: gold.themes for segment, gold in gathered.gold.items()},
        uncertain={segment: gold.uncertain for segment, gold in gathered.gold.items()},
    )
    return from_decisions(gathered.decisions, facts)


def columns(made: Sequence[Judgement], done: Sequence[Action]) -> Columns:
    """Return judgements and actions as what figures are computed on."""
    return judgements(made), in_columns(done)


def swayed(found: Columns) -> Influence | None:
    """Return the machine's influence; None where nobody worked at the review page with suggestions in view."""
    made, done = found
    return influence(made, done) if made.shown.any() else None


def moved(
    gathered: Gathered, panel: Influence | None, made: Sequence[Judgement], done: Sequence[Action]
) -> Iterator[Signal]:
    """Yield what stands out of the machine's influence, each with its segments."""
    if panel is None:
        return
    for coder, one in sorted(panel.coders.items()):
        if _much(one.effect):
            yield _followed(gathered, coder, one.effect, [row for row in made if row.coder == coder])
        wrong, blind = one.reliance.wrong, one.reliance.blind_wrong
        if wrong.low is not None and blind.value is not None and wrong.low > blind.value + MUCH:
            yield _misled(gathered, coder, (wrong, blind), [row for row in made if row.coder == coder])
    for haste in sorted(panel.hasty, key=lambda haste: -haste.length)[:RUNS]:
        yield _hasty(gathered, haste, [one for one in done if one.coder == haste.coder])


def _much(effect: Estimate) -> bool:
    return effect.value is not None and effect.low is not None and effect.low > 0 and effect.value >= MUCH


def _followed(gathered: Gathered, coder: str, effect: Estimate, rows: Sequence[Judgement]) -> Signal:
    offered = [row for row in rows if row.offered]
    yes = [row for row in offered if row.shown and row.given and row.mode is Mode.ROUTINE]
    no = [row for row in offered if row.mode is Mode.WITHHELD and not row.given]
    return Signal(
        title=f"{coder}: gives themes more often where they are suggested",
        words=f"A suggestion in view adds {100 * (effect.value or 0):.0f} points [{100 * (effect.low or 0):.0f}, "
        f"{100 * (effect.high or 0):.0f}] to how often its theme is given, beside withheld ones as probable.",
        columns=(
            ("Suggested, and given", _some(gathered, yes)),
            ("The same was kept back, and not given", _some(gathered, no)),
        ),
    )


def _misled(gathered: Gathered, coder: str, shares: tuple[Estimate, Estimate], rows: Sequence[Judgement]) -> Signal:
    wrong, blind = shares
    offered = [row for row in rows if row.offered and row.gold is False]
    return Signal(
        title=f"{coder}: accepts wrong suggestions",
        words=f"{100 * (wrong.value or 0):.0f} % of the suggestions that are wrong by the gold coding were accepted; "
        f"without seeing them the same themes were given {100 * (blind.value or 0):.0f} % of the time.",
        columns=(
            ("Wrong by gold, suggested, and given", _some(gathered, [r for r in offered if r.shown and r.given])),
            (
                "Wrong by gold, kept back, and not given",
                _some(gathered, [r for r in offered if not r.shown and not r.given]),
            ),
        ),
    )


def _hasty(gathered: Gathered, haste: Haste, done: Sequence[Action]) -> Signal:
    order = sorted(done, key=lambda one: one.decided_at)
    ends = range(haste.length, len(order) + 1)  # a segment may have been decided on before, too
    end = next(end for end in ends if _is_run(order[end - haste.length : end], haste))
    run = order[end - haste.length : end]
    picked = [run[at] for at in np.unique(np.linspace(0, len(run) - 1, MOST).round().astype(int))]
    said = (
        Example(at=o.decided_at, coder=o.coder, passage=_passage(gathered, o.segment), said=f"{o.seconds:.1f} s")
        for o in picked
    )
    return Signal(
        title=f"{haste.coder}: {haste.length} suggestions accepted in a row, fast",
        words=f"Half of them in less than {haste.median:.1f} s; this coder usually takes {haste.usual:.1f} s. A run of "
        "easy segments looks the same: read some.",
        columns=(("From the first to the last of them", tuple(said)),),
    )


def _is_run(run: Sequence[Action], haste: Haste) -> bool:
    there = run[0].segment == haste.first and run[-1].segment == haste.last
    return there and all(one.accepted and one.seconds < haste.usual for one in run)


def _some(gathered: Gathered, rows: Sequence[Judgement]) -> tuple[Example, ...]:
    """Return some judgements as examples, the surest suggestions first and no segment twice."""
    order = sorted(rows, key=lambda row: (-(row.probability or 0.0), row.decided_at, row.theme))
    first = {row.segment: row for row in reversed(order)}
    chosen = sorted(first.values(), key=order.index)[:MOST] if len(order) < 500 else order[:MOST]
    return tuple(
        Example(at=row.decided_at, coder=row.coder, passage=_passage(gathered, row.segment), said=_said(row))
        for row in chosen
    )


def _said(row: Judgement) -> str:
    right = {None: "", True: "; right by gold", False: "; wrong by gold"}[row.gold]
    chance = "" if row.probability is None else f" (probability {row.probability:.2f})"
    return f"{row.theme}{chance}: {'given' if row.given else 'not given'}{right}"


def _passage(gathered: Gathered, segment: str) -> Passage:
    return gathered.passages[SegmentId(segment)]
