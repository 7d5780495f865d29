"""What is suggested at a site, and what is not, beside the other sites."""

from collections import Counter
from collections.abc import Mapping, Sequence

from ..influence import Estimate
from ..records import TranscriptId
from ..report.arrived import Share, Suggesting
from ..store.corpus import Entry
from .gather import Gathered
from .talk import share

Hits = Mapping[TranscriptId, int]
Entries = Sequence[Entry]


def suggesting(found: Gathered) -> Suggesting | None:
    """Return what is suggested at the site; None where no suggestions were made for a segment of it yet.

    Themes come in the order of the codebook, under their present names, after them those that it does not have.
    """
    sites: dict[str, list[Entry]] = {found.site: []}
    for entry in found.ranked:
        sites.setdefault(entry.site, []).append(entry)
    mine = sites[found.site]
    if not any(entry.segments for entry in mine):
        return None
    some: Hits = {entry.id: found.suggested(entry) for entry in found.ranked}
    here, elsewhere, each = _beside(found, some, sites)
    return Suggesting(
        transcripts=len(mine),
        segments=sum(entry.segments for entry in mine),
        suggested=sum(some[entry.id] for entry in mine),
        here=here,
        elsewhere=elsewhere,
        sites=each,
        themes=_themes(found, sites),
    )


def _themes(found: Gathered, sites: Mapping[str, Entries]) -> tuple[Share, ...]:
    current = found.session.codebook.current
    suggested: dict[str, Counter[TranscriptId]] = {name: Counter() for name in found.session.codebook.names}
    unsure: dict[str, Counter[TranscriptId]] = {}
    for tally in (tally for made in found.tallies.values() for tally in made):
        name = current.get(tally.theme, tally.theme)
        suggested.setdefault(name, Counter())[tally.transcript] += tally.suggested
        unsure.setdefault(name, Counter())[tally.transcript] += tally.unsure
    shares = []
    for name, hits in suggested.items():
        here, elsewhere, each = _beside(found, hits, sites)
        unsure_here = unsure.get(name, Counter())
        shares.append(
            Share(
                theme=name,
                suggested=sum(hits[entry.id] for entry in sites[found.site]),
                unsure=sum(unsure_here[entry.id] for entry in sites[found.site]),
                here=here,
                elsewhere=elsewhere,
                sites=each,
            )
        )
    return tuple(shares)


def _beside(
    found: Gathered, hits: Hits, sites: Mapping[str, Entries]
) -> tuple[Estimate, Estimate, dict[str, float | None]]:
    """Return the share of segments that hits are: at the site, at all others together, and at each of these."""
    others = {name: entries for name, entries in sites.items() if name != found.site}
    together = [entry for entries in others.values() for entry in entries]
    each = {name: _share(hits, entries).value for name, entries in others.items()}
    return _share(hits, sites[found.site]), _share(hits, together), each


def _share(hits: Hits, entries: Entries) -> Estimate:
    return share([hits.get(entry.id, 0) for entry in entries], [entry.segments for entry in entries])
