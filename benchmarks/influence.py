"""What the influence panel sees when coders copy the machine, and what agreement between them does not.

usage: influence.py

An invented study: two coders read the same segments of many documents. By themselves they find 85 % of what is there
and 3 % of what is not; the machine finds 75 % and 10 %. Where its answer is shown they copy it with probability lambda.
One line per lambda: Cohen's kappa between the coders and with the truth, then what the panel says.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from pipeline.influence import Estimate, Judgement, Panel, actions, influence, judgements
from pipeline.records import Mode

Grid = NDArray[np.bool_]  # documents x segments

PREVALENCE = 0.15
CODER = (0.85, 0.03)  # finds what is there, and what is not
MACHINE = (0.75, 0.10)
SURE = 0.7  # how sure it says it is, always
WITHHELD = 0.10
BEGAN = datetime(2026, 1, 5, 9, tzinfo=UTC)
COPYING = (0.0, 0.3, 0.5, 0.8)


@dataclass(frozen=True)
class Study:
    """What two coders judged, and the truth for every segment."""

    made: list[Judgement]
    truth: dict[str, bool]


def copying(share: float, *, documents: int = 60, segments: int = 50, seed: int = 1) -> Study:
    """Return an invented study of two coders who copy what they are shown with this probability."""
    rng = np.random.default_rng(seed)
    size = (documents, segments)
    truth: Grid = rng.random(size) < rng.beta(1.5, 8.5, documents)[:, None]  # documents differ; 15 % on average
    said = _answers(rng, truth, MACHINE)
    made: list[Judgement] = []
    for coder in ("Ada", "Ben"):
        blind = rng.random(size) < WITHHELD
        copies = ~blind & (rng.random(size) < share)
        given = np.where(copies, said, _answers(rng, truth, CODER))
        made += [_row(coder, place, given, said, blind, truth) for place in np.ndindex(size)]
    return Study(made, {_name(*place): bool(truth[place]) for place in np.ndindex(size)})


def _answers(rng: np.random.Generator, truth: Grid, skill: tuple[float, float]) -> Grid:
    return np.asarray(rng.random(truth.shape) < np.where(truth, *skill))


def _name(document: int, segment: int) -> str:
    return f"d{document:03d}s{segment:03d}"


def _row(coder: str, place: tuple[int, ...], given: Grid, said: Grid, blind: Grid, truth: Grid) -> Judgement:
    document, segment = place
    offered, withheld = bool(said[place]), bool(blind[place])
    named = bool(given[place]) or offered
    return Judgement(
        coder=coder,
        site="North" if document % 2 else "South",
        document=f"d{document:03d}",
        segment=_name(document, segment),
        theme="Waiting" if named else "",
        mode=Mode.WITHHELD if withheld else Mode.ROUTINE,
        given=bool(given[place]),
        offered=offered,
        shown=offered and not withheld,
        decided_at=BEGAN + timedelta(hours=document, seconds=30 * segment),
        rank=1 if offered else None,
        probability=SURE if offered else None,
        chance=WITHHELD if withheld else 1 - WITHHELD,
        order=segment + 1,
        gold=bool(truth[place]) if named else None,
    )


def kappas(study: Study) -> tuple[float, float]:
    """Return Cohen's kappa between the two coders, and the mean of their kappas with the truth."""
    from sklearn.metrics import cohen_kappa_score

    given = {(row.coder, row.segment): row.given for row in study.made}
    ada, ben = ([given[coder, name] for name in study.truth] for coder in ("Ada", "Ben"))
    right = list(study.truth.values())
    with_truth = [float(cohen_kappa_score(coder, right)) for coder in (ada, ben)]
    return float(cohen_kappa_score(ada, ben)), sum(with_truth) / 2


def panel(study: Study) -> Panel:
    """Return what the influence panel says of both coders together."""
    return influence(judgements(study.made), actions([])).everybody


def main() -> None:
    """Print a line for every lambda."""
    print("lambda  kappa(coders)  kappa(truth)  effect                inflation             wrong accepted")
    for share in COPYING:
        study = copying(share)
        between, right = kappas(study)
        told = panel(study)
        figures = (told.effect, told.inflation, told.reliance.wrong)
        print(f"{share:6.1f}  {between:13.3f}  {right:12.3f}  {'  '.join(map(_told, figures))}")


def _told(estimate: Estimate) -> str:
    return f"{estimate.value:5.3f} [{estimate.low:6.3f},{estimate.high:6.3f}]"


if __name__ == "__main__":
    main()
