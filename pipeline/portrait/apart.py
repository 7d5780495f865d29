"""What is said at a site and no theme explains, in clusters of like segments: candidates for new themes."""

from collections.abc import Iterator, Sequence

from ..rank.order import Waiting
from ..rank.unexplained import Talk, clustered, far
from ..report.arrived import Said, Unexplained
from ..store import runs
from .gather import Gathered, Looked, known

CENTRAL = 4  # segments that are quoted of a cluster
FEWEST = 2  # segments of this site, without which a cluster is told at another one


def unexplained(found: Gathered, looked: Looked) -> list[Unexplained]:
    """Return the clusters at the site of what no theme explains, the largest first, with what is said here in them.

    Clusters are made of the talk of all sites, as on the review page, so that one tells whether others say it too;
    where there is too much of it, the site's own comes first. What people gave a theme is explained.
    """
    place = {piece.id: at for at, piece in enumerate(looked.pieces)}
    having = known(looked.rows)
    places = looked.talk.places
    kept = [at for at in place.values() if having[at]]
    talk = Talk(
        segments=[looked.pieces[at].id for at in kept],
        texts=[looked.talk.texts[at] for at in kept],
        documents=[places[at] for at in kept],
        vectors=looked.rows[kept],
    )
    away = [one.segment for one in far(list(_waiting(found, looked))) if having[place[one.segment]]]
    mine = {segment for segment in away if looked.talk.sites[place[segment]] == found.site}
    others = [segment for segment in away if segment not in mine]
    told = []
    for cluster in clustered([*(segment for segment in away if segment in mine), *others], talk):
        here = [place[segment] for segment in cluster.segments if segment in mine]
        if len(here) >= FEWEST:
            rest = len(cluster.segments) - len(here)
            told.append(
                Unexplained(words=cluster.words, here=len(here), elsewhere=rest, central=_central(looked, here))
            )
    return sorted(told, key=lambda one: -one.here)


def _waiting(found: Gathered, looked: Looked) -> Iterator[Waiting]:
    """Yield what ranking thinks of the segments that nobody gave a theme."""
    themed = {coding.segment for coding in found.codings if coding.themes}
    within = {piece.transcript for piece in looked.pieces}
    chances = runs.load_chances(found.session.store, within=within)
    for piece in looked.pieces:
        kept: Sequence[runs.Chance] = chances.get(piece.id, ())
        if kept and piece.id not in themed:
            shown = max((one.probability for one in kept if one.suggested), default=0.0)
            probable = tuple((one.theme, one.probability) for one in kept)
            yield Waiting(segment=piece.id, chances=probable, shown=shown, withheld=False)


def _central(looked: Looked, here: Sequence[int]) -> tuple[Said, ...]:
    return tuple(
        Said(text=looked.talk.texts[at], place=f"{looked.talk.documents[at]} / {looked.pieces[at].name}")
        for at in here[:CENTRAL]
    )
