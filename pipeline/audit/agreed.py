"""How far coders agree, from what was gathered."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .. import agreement as agree
from ..agreement import Agreement, Continuum, Plan, Ratings, Unitizing
from ..records import TranscriptId
from ..report import Beside, Machine, Reliability
from .gather import Gathered

MOST_BESIDE = 20  # coders who are compared with the machine: those with most segments


def reliability(gathered: Gathered, together: Ratings, plan: Plan) -> Reliability:
    """Return everything about agreement; ``together`` holds people's and the machine's readings."""
    read = people(gathered, together)
    return Reliability(
        everything=agree.measure(read, plan),
        blind=agree.measure(read.some(blind(gathered, read)), plan, two_by_two=False),
        sites=_by_site(read, plan),
        machine=_machine(gathered, together, plan),
        unitizing=_unitizing(gathered, plan),
    )


def people(gathered: Gathered, together: Ratings) -> Ratings:
    """Return people's readings alone."""
    return together.by(set(together.coders) - {gathered.machine_name})


def blind(gathered: Gathered, read: Ratings) -> NDArray[np.bool_]:
    """Tell which readings were made without suggestions in view; the machine's are."""
    pairs = zip(read.unit.tolist(), read.coder.tolist(), strict=True)
    shown = [(read.units[unit], read.coders[coder]) in gathered.shown for unit, coder in pairs]
    return ~np.array(shown, dtype=bool)


def _by_site(read: Ratings, plan: Plan) -> dict[str, Agreement]:
    """Return the agreement within each site, if there are several."""
    site = np.array([document.split("/")[0] for document in read.documents])
    names = sorted(set(site.tolist()))
    if len(names) < 2:
        return {}
    of_row = site[read.place[read.unit]]
    return {name: agree.measure(read.some(of_row == name), plan, two_by_two=False) for name in names}


def _machine(gathered: Gathered, together: Ratings, plan: Plan) -> Machine | None:
    """Return how the machine would stand among the coders, on segments that it made suggestions for."""
    name = gathered.machine_name
    if name not in together.coders:
        return None
    has = np.zeros(len(together.units), dtype=bool)
    has[together.unit[together.coder == together.coders.index(name)]] = True
    together = together.some(has[together.unit])
    unseen = together.some(blind(gathered, together))
    read = np.bincount(together.coder, minlength=len(together.coders))
    order = sorted(set(together.coders) - {name}, key=lambda coder: (-read[together.coders.index(coder)], coder))
    return Machine(
        name=name,
        coders=tuple(_beside(coder, name, together, unseen, plan) for coder in sorted(order[:MOST_BESIDE])),
        with_machine=agree.on_sets(together, plan),
        without=agree.on_sets(people(gathered, together), plan),
    )


def _beside(coder: str, machine: str, together: Ratings, unseen: Ratings, plan: Plan) -> Beside:
    everything = agree.pair(together, coder, machine, plan)
    alone = agree.pair(unseen, coder, machine, plan) if coder in unseen.coders else None
    return Beside(
        coder=coder,
        units=everything.units,
        everything=everything.kappa,
        blind_units=alone.units if alone else 0,
        blind=alone.kappa if alone else agree.NONE_READ_TWICE,
    )


def _unitizing(gathered: Gathered, plan: Plan) -> Unitizing | None:
    """Return the agreement on where themes lie, if coders cut for themselves.

    Who coded anything in a transcript is taken to have read all of it.
    """
    if not _cut_differently(gathered):
        return None
    read: dict[TranscriptId, set[str]] = {}
    spans = []
    for coding in gathered.codings:
        place = gathered.spans[coding.segment]
        read.setdefault(place.transcript, set()).add(coding.coder)
        spans += [
            agree.Span(document=place.transcript, coder=coding.coder, start=place.start, end=place.end, theme=theme)
            for theme in coding.themes
        ]
    continua = [
        Continuum(document=transcript, length=gathered.lengths[transcript], coders=coders)
        for transcript, coders in sorted(read.items())
    ]
    return agree.unitizing(continua, spans, gathered.themes, plan)


def _cut_differently(gathered: Gathered) -> bool:
    """Tell whether two segments that coders read overlap without being the same."""
    read = {gathered.spans[coding.segment] for coding in gathered.codings}
    return _any_overlap(sorted((span.transcript, span.start, span.end) for span in read))


def _any_overlap(spans: Iterable[tuple[str, int, int]]) -> bool:
    """Tell whether any two of some spans, in order, overlap.

    >>> _any_overlap([("a", 0, 5), ("a", 5, 9), ("b", 3, 4)]), _any_overlap([("a", 0, 5), ("a", 4, 9)])
    (False, True)
    """
    furthest = ("", 0)
    for one, start, end in spans:
        if furthest[0] == one and start < furthest[1]:
            return True
        furthest = (one, max(end, furthest[1]) if furthest[0] == one else end)
    return False
