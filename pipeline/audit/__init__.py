"""A study's store -> what can be said of its coders' work: how far they agree, and where they differ.

gather   what the store knows up to a moment, under the names that the report may say
agreed   how far coders agree
places   where ordinary coding changes, beside a frozen model
drifted  who answers otherwise than before
swayed   what suggestions do to people
worked   what coding costs, and when it is enough
examples the segments behind what stands out
write    the report: a page, everything as JSON, tables
when     until when an audit looks
trust    whether the audit trail is whole
"""

import gc
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from .. import __version__
from .. import agreement as agree
from ..intake import Session
from ..records import Decision, Mode
from ..report import Audited, Head, Work
from .agreed import people, reliability
from .drifted import drifted
from .examples import changes, disputed
from .gather import Gathered, gather, readings
from .swayed import columns, judged, moved, swayed
from .trust import head_of, verified
from .when import end_of_last_month, moment_of
from .worked import worked
from .write import check_folder, write

__all__ = [
    "Asked",
    "Audited",
    "audit",
    "check_folder",
    "end_of_last_month",
    "head_of",
    "moment_of",
    "verified",
    "write",
]

LIBRARIES = ("numpy", "scipy", "statsmodels", "matplotlib")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What an audit should be of."""

    as_of: datetime | None = None  # decisions and runs after this moment are as if they had not been
    pseudonyms: bool = False
    seed: int = 0


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no cycles meanwhile: there are none among millions of records, and looking takes a tenth of the time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@_uncollected()
def audit(session: Session, asked: Asked) -> Audited:
    """Return what can be said of the study's coders. The same store, moment and seed give the same result.

    Raises ``StoreFault`` if there is no store, ``StudyFault`` if nothing was decided until then.
    """
    found = gather(session, as_of=asked.as_of, pseudonyms=asked.pseudonyms)
    together = readings(found)
    read = people(found, together)
    agreed = reliability(found, together, agree.Plan(seed=asked.seed))
    made, done = judged(found)
    judged_columns = columns(made, done)
    panel = swayed(judged_columns)
    followed = tuple(moved(found, panel, made, done))
    del made, done  # of large studies these are large
    changed = drifted(found, session.study.audit.priority, asked.seed)
    return Audited(
        study=found.study,
        until=found.until,
        decisions=len(found.decisions),
        pseudonyms=asked.pseudonyms,
        seed=asked.seed,
        versions={"themescout": __version__, "Python": platform.python_version()}
        | {name: version(name) for name in LIBRARIES},
        trail=Head(count=found.head.count, hash=found.head.hash),
        revisions=tuple(dict.fromkeys(d.codebook_revision for d in found.decisions if d.codebook_revision)),
        coders=tuple(_works(found)),
        readings=read,
        passages={str(segment): passage for segment, passage in found.passages.items()},
        reliability=agreed,
        drift=changed,
        influence=panel,
        effort=worked(found, read, judged_columns),
        signals=(
            *changes(found, changed),
            *followed,
            *disputed(found, read, agreed.everything),
        ),
    )


def _works(found: Gathered) -> list[Work]:
    """Return how much each coder has read."""
    made: dict[str, list[Decision]] = {}
    for decision in found.decisions:
        made.setdefault(decision.coder, []).append(decision)
    given = Counter[str]()
    for coding in found.codings:
        given[coding.coder] += len(coding.themes)
    return [_work(coder, made[coder], given[coder], found) for coder in sorted(made)]


def _work(coder: str, made: Sequence[Decision], given: int, found: Gathered) -> Work:
    mode_of = {decision.segment: decision.mode for decision in made}
    modes = Counter(mode.value for mode in mode_of.values())
    return Work(
        coder=coder,
        segments=len(mode_of),
        documents=len({found.document(segment) for segment in mode_of}),
        sites=tuple(sorted({found.passages[segment].site for segment in mode_of})),
        given=given,
        first=min(decision.decided_at for decision in made),
        last=max(decision.decided_at for decision in made),
        modes=dict(sorted(modes.items())) if set(modes) != {Mode.ROUTINE.value} else {},
    )
