"""Places to look at in ordinary coding: who codes otherwise than earlier, beside a model that did not learn from it."""

from collections.abc import Iterator, Sequence

import numpy as np

from .. import drift
from ..drift import Advice, Routine
from ..records import Coding, Mode, SegmentId
from .gather import Gathered, by_lot

PERMUTATIONS = 299  # these are no tests that anything rests on
MOST, OTHERS = 20, 8  # coders who are looked at, and others each is compared with: those with most work
ORDINARY = (Mode.ROUTINE, Mode.WITHHELD)


def places_to_look(gathered: Gathered, themes: Sequence[str], seed: int) -> Iterator[Advice]:
    """Yield in what the later half of each coder's ordinary work differs from the earlier half, by theme.

    What each theme's share is beside the probabilities of the last run before the coder began, which cannot have
    learned from that coder; without such a run the bare share, which follows the talk as well as the coder.
    """
    work = _ordinary(gathered)
    chosen = sorted(work, key=lambda coder: (-len(work[coder]), coder))[:MOST]
    for theme in themes:
        routines = {coder: _routine(gathered, coder, theme, work[coder]) for coder in sorted(chosen)}
        for coder, (routine, modelled) in routines.items():
            alike = [name for name in chosen if name != coder and routines[name][1] is modelled]
            others = [routines[name][0] for name in alike[:OTHERS]]
            for advice in drift.halves(routine, others, PERMUTATIONS, seed):
                if advice.what == "prevalence" or (modelled and advice.what == "residual mean"):
                    yield advice


def _ordinary(gathered: Gathered) -> dict[str, list[Coding]]:
    """Return what coders coded in ordinary work, in the order of time."""
    routine = {(d.segment, d.coder) for d in gathered.decisions if d.mode in ORDINARY}
    work: dict[str, list[Coding]] = {}
    some = by_lot(gathered, [coding for coding in gathered.codings if (coding.segment, coding.coder) in routine])
    for coding in sorted(some, key=lambda coding: (coding.coded_at, coding.segment)):
        work.setdefault(coding.coder, []).append(coding)
    return work


def _routine(gathered: Gathered, coder: str, theme: str, codings: Sequence[Coding]) -> tuple[Routine, bool]:
    """Return one coder's work on a theme, and whether a frozen model knows its segments."""
    before = [run for run, began in gathered.runs.items() if began < codings[0].coded_at]
    run = before[-1] if before else ""
    known = [coding for coding in codings if (coding.segment, run) in gathered.suggestions]
    modelled = len(known) * 2 > len(codings)
    some = known if modelled else codings
    return (
        Routine(
            coder=coder,
            theme=theme,
            at=tuple(coding.coded_at for coding in some),
            given=np.array([theme in coding.themes for coding in some], dtype=bool),
            chance=np.array([_chance(gathered, coding.segment, run, theme) for coding in some], dtype=np.float64),
            vectors=np.zeros((len(some), 1), dtype=np.float32),
            documents=tuple(gathered.document(coding.segment) for coding in some),
        ),
        modelled,
    )


def _chance(gathered: Gathered, segment: SegmentId, run: str, theme: str) -> float:
    """Return the theme's probability; 0 if it is not among those that were kept, which are the most probable ones."""
    made = gathered.suggestions.get((segment, run), ())
    return next((one.probability for one in made if one.theme == theme), 0.0)
