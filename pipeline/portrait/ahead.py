"""How much of a site is left to decide, and how long that takes at the study's own pace."""

from collections.abc import Collection

from .. import effort
from ..influence import Actions, Estimate, Facts, actions, from_decisions
from ..records import SegmentId
from ..report.arrived import Workload
from ..store import corpus
from .gather import Gathered

ENOUGH = 30  # timed readings of segments, from which on the study has a pace of its own


def workload(found: Gathered, segments: Collection[SegmentId]) -> Workload:
    """Return what deciding on the site's segments will take one coder.

    A segment that anybody has decided on is done. The pace is that of all coders at all sites.
    """
    audit = found.session.study.audit
    decided = {coding.segment for coding in found.codings if not coding.adjudicated}
    pace = effort.seconds_per_segment(_done(found))
    return Workload(
        segments=len(segments),
        decided=len(decided & set(segments)),
        checks=round(audit.anchors + audit.overlap + audit.duplicates, 6),
        timed=pace.count,
        pace=pace if pace.count >= ENOUGH else Estimate(value=None, documents=pace.documents, count=pace.count),
    )


def _done(found: Gathered) -> Actions:
    """Return what coders did at the review page."""
    places = corpus.load_places(found.session.store)
    pieces = corpus.load_segments(found.session.store, ids={decision.segment for decision in found.decisions})
    facts = Facts(places={piece.id: places[piece.transcript] for piece in pieces}, suggestions={})
    return actions(from_decisions(found.decisions, facts)[1])
