"""How far coders agree, from what was gathered."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .. import agreement as agree
from ..agreement import Agreement, Continuum, Plan, Ratings, Unitizing
from ..records import TranscriptId
from ..report import Beside, Machine, Reliability
from .gather import Gathered, machine_readings, people_readings

MOST_BESIDE = 20  # coders who are compared with the machine: those with most segments


def reliability(gathered: Gathered, read: Ratings, plan: Plan) -> Reliability:
    """Return everything about agreement; ``read`` holds people's readings."""
    return Reliability(
        everything=agree.measure(read, plan),
        blind=agree.measure(read.some(_blind(gathered, read)), plan, two_by_two=False),
        sites=_by_site(read, plan),
        machine=_machine(gathered, plan),
        unitizing=_unitizing(gathered, plan),
    )


def _blind(gathered: Gathered, read: Ratings) -> NDArray[np.bool_]:
    pairs = zip(read.unit.tolist(), read.coder.tolist(), strict=True)
    return np.array([(read.units[unit], read.coders[coder]) in gathered.blind for unit, coder in pairs], dtype=bool)


def _by_site(read: Ratings, plan: Plan) -> dict[str, Agreement]:
    """Return the agreement within each site, if there are several."""
    site = np.array([document.split("/")[0] for document in read.documents])
    names = sorted(set(site.tolist()))
    if len(names) < 2:
        return {}
    of_row = site[read.place[read.unit]]
    return {name: agree.measure(read.some(of_row == name), plan, two_by_two=False) for name in names}


def _machine(gathered: Gathered, plan: Plan) -> Machine | None:
    """Return how the machine would stand among the coders, on segments that it made suggestions for."""
    machine = machine_readings(gathered)
    if not machine:
        return None
    name, known = gathered.machine_name, {reading.unit for reading in machine}
    people = [reading for reading in people_readings(gathered) if reading.unit in known]
    blind = [reading for reading in people_readings(gathered, blind=True) if reading.unit in known]
    together = agree.ratings([*people, *machine], gathered.themes)
    unseen = agree.ratings([*blind, *machine], gathered.themes)
    most = Counter(reading.coder for reading in people).most_common()
    chosen = sorted(coder for coder, _ in sorted(most, key=lambda pair: (-pair[1], pair[0]))[:MOST_BESIDE])
    return Machine(
        name=name,
        coders=tuple(_beside(coder, name, together, unseen, plan) for coder in chosen),
        with_machine=agree.on_sets(together, plan),
        without=agree.on_sets(together.by(set(together.coders) - {name}), plan),
    )


def _beside(coder: str, machine: str, together: Ratings, unseen: Ratings, plan: Plan) -> Beside:
    everything = agree.pair(together, coder, machine, plan)
    blind = agree.pair(unseen, coder, machine, plan)
    return Beside(
        coder=coder,
        units=everything.units,
        everything=everything.kappa,
        blind_units=blind.units,
        blind=blind.kappa,
    )


def _unitizing(gathered: Gathered, plan: Plan) -> Unitizing | None:
    """Return the agreement on where themes lie, if coders cut for themselves.

    Who coded anything in a transcript is taken to have read all of it.
    """
    read: dict[TranscriptId, set[str]] = {}
    for coding in gathered.codings:
        read.setdefault(gathered.spans[coding.segment].transcript, set()).add(coding.coder)
    if not _cut_differently(gathered):
        return None
    spans = [
        agree.Span(document=place.transcript, coder=coding.coder, start=place.start, end=place.end, theme=theme)
        for coding in gathered.codings
        for place in (gathered.spans[coding.segment],)
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
