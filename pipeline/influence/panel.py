"""All figures of the machine's influence together."""

from dataclasses import dataclass

from .habits import Haste, Position, hasty_runs, position
from .intervals import Estimate
from .judged import Actions, Judgements, chosen
from .reliance import Reliance, acceptance, blind_agreement, effect, inflation, reliance
from .variety import Found, Variety, found, variety


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """How much suggestions move some coders. ``inflation`` and ``effect`` are what to look at; 0 is no influence."""

    acceptance: Estimate
    blind_agreement: Estimate
    inflation: Estimate
    effect: Estimate
    reliance: Reliance


@dataclass(frozen=True, kw_only=True, slots=True)
class Influence:
    """The machine's influence on all coders together, with what only all together can tell, and on each of them."""

    everybody: Panel
    coders: dict[str, Panel]
    position: Position
    variety: Variety
    found: Found
    hasty: tuple[Haste, ...]


def influence(made: Judgements, done: Actions) -> Influence:
    """Return every figure of the machine's influence."""
    each = {coder: _panel(chosen(made, made.coder == at)) for at, coder in enumerate(made.coders)}
    return Influence(
        everybody=_panel(made),
        coders=each,
        position=position(made),
        variety=variety(made),
        found=found(made),
        hasty=tuple(hasty_runs(done)),
    )


def _panel(made: Judgements) -> Panel:
    return Panel(
        acceptance=acceptance(made),
        blind_agreement=blind_agreement(made),
        inflation=inflation(made),
        effect=effect(made),
        reliance=reliance(made),
    )
