"""In which order one coder comes to segments, and which of them resemble an example: `rank.order` over a store."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..config import Study
from ..errors import EncoderFault
from ..records import Codebook, Segment, SegmentId, TranscriptId, present
from ..store import Store
from ..store.corpus import Entry, list_from, list_transcripts, load_segments, load_spans
from ..store.decisions import load_decisions
from ..store.people import Rights, assigned
from ..store.runs import Chance, load_chances
from ..store.vectors import load_vectors, without_vector
from .queue import State, standing, state_of, withheld

if TYPE_CHECKING:
    from ..embed import Encoder
    from ..rank.order import Hit, Waiting
    from ..rank.unexplained import Cluster

SEEN = 2000  # segments answered last that others are compared with


class Order(StrEnum):
    """In which order segments come. The value is kept with every decision that is made in it."""

    TRANSCRIPT = ""
    SUREST = "surest"
    INFORMATIVE = "informative"
    NOTHING_FITS = "nothing-fits"
    LOOK_AGAIN = "look-again"  # answered segments, under words that a theme has no more


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoding:
    """The encoder that a study's vectors are of; it takes seconds to load, which is left until a text is typed."""

    fingerprint: str
    load: Callable[[], "Encoder"]


@dataclass(frozen=True, kw_only=True)
class Reviewer:
    """One coder with a study. Without ``encoding`` the study's vectors are unknown: nothing resembles anything."""

    store: Store
    study: Study
    codebook: Codebook
    coder: str
    encoding: Encoding | None = None
    rights: Rights | None = None  # of whoever is logged in; none where the page is for whoever has its address
    indexes: dict[str, "Index"] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Index:
    """The segments that have a vector, with their vectors."""

    segments: tuple[Segment, ...]
    rows: NDArray[np.float32]
    place: Mapping[SegmentId, int]


def mine(reviewer: Reviewer) -> list[Entry]:
    """Return the transcripts in the coder's lists: those assigned to the coder, or all if nobody is assigned any."""
    reading = _assigned(reviewer)
    return [one for one in list_transcripts(reviewer.store) if reading is None or (one.site, one.name) in reading]


def mine_from(reviewer: Reviewer, transcript: TranscriptId, *, most: int = 1, backwards: bool = False) -> list[Entry]:
    """Return the coder's transcripts with segments after one, or before it, the nearest first; at most so many."""
    reading = _assigned(reviewer)
    if reading is None:
        return list_from(reviewer.store, transcript, most=most, backwards=backwards)
    others = list_from(reviewer.store, transcript, backwards=backwards)
    return [one for one in others if (one.site, one.name) in reading][:most]


def _assigned(reviewer: Reviewer) -> set[tuple[str, str]] | None:
    """Return which transcripts are the coder's, by site and name; None if all are."""
    if reviewer.rights is not Rights.CODER or not (reading := assigned(reviewer.store)):
        return None
    return {place for place, coders in reading.items() if reviewer.coder in coders}


def in_order(reviewer: Reviewer, order: Order) -> list[SegmentId]:
    """Return the segments that the coder has not answered, in an order; those to look at again are answered ones."""
    from ..rank import order as ordering

    if order is Order.LOOK_AGAIN:
        from .again import to_look_at
        from .own import with_spans

        again = to_look_at(reviewer)
        units = with_spans(load_segments(reviewer.store), load_spans(reviewer.store), again)
        return [unit.id for unit in units if unit.id in again]
    states = _states(reviewer)
    if order is Order.NOTHING_FITS:
        every = [segment for cluster in unexplained(reviewer) for segment in cluster.segments]
        return [segment for segment in every if states.get(segment, State.OPEN) is State.OPEN]
    waiting = [one for one in _waiting(reviewer) if states.get(one.segment, State.OPEN) is State.OPEN]
    if order is Order.SUREST:
        return ordering.surest(waiting, reviewer.coder)
    if order is Order.INFORMATIVE:
        found = index(reviewer)
        waiting = [one for one in waiting if one.segment in found.place]
        answered = [segment for segment in states if segment in found.place][-SEEN:]
        named = reviewer.codebook.current  # decisions on a theme that was renamed count for it
        codings = present(load_decisions(reviewer.store))
        given = Counter(named[theme] for coding in codings for theme in coding.themes if theme in named)
        return ordering.informative(
            waiting, given, _rows(found, answered), lambda some: _rows(found, some), reviewer.coder
        )
    return [one.segment for one in waiting]


def unexplained(reviewer: Reviewer) -> list["Cluster"]:
    """Return the clusters of segments that no theme explains, without those that the coder gave a theme."""
    from ..rank.unexplained import Talk, clustered, far

    found = index(reviewer)
    states = _states(reviewer)
    themed = {segment for segment, state in states.items() if state is State.CODED}
    away = [one.segment for one in far(_waiting(reviewer)) if one.segment in found.place and one.segment not in themed]
    names = {entry.id: f"{entry.site}/{entry.name}" for entry in list_transcripts(reviewer.store)}
    talk = Talk(
        segments=[piece.id for piece in found.segments],
        texts=[piece.text for piece in found.segments],
        documents=[names[piece.transcript] for piece in found.segments],
        vectors=found.rows,
    )
    return clustered(away, talk)


def like_text(reviewer: Reviewer, text: str, limit: int) -> list["Hit"]:
    """Return the segments that resemble a text. Raises ``EncoderFault`` if the encoder cannot be loaded."""
    if reviewer.encoding is None:
        raise EncoderFault("the encoder", "was not given to this page", "begin it with `themescout review STUDY`")
    return _hits(index(reviewer), text, reviewer.encoding.load().encode([text])[0], limit)


def like_segment(reviewer: Reviewer, segment: Segment, limit: int) -> list["Hit"]:
    """Return the segments that resemble another one, without itself; none if it has no vector yet."""
    found = index(reviewer)
    if segment.id not in found.place:
        return []
    hits = _hits(found, segment.text, found.rows[found.place[segment.id]], limit + 1)
    return [hit for hit in hits if hit.segment != segment.id][:limit]


def _hits(found: Index, text: str, vector: NDArray[np.float32], limit: int) -> list["Hit"]:
    from ..rank.order import alike

    segments = [piece.id for piece in found.segments]
    return alike(text, vector, segments, [piece.text for piece in found.segments], found.rows)[:limit]


def index(reviewer: Reviewer) -> Index:
    """Return the segments that have a vector. Kept until the study's transcripts or their segments change."""
    entries = [(entry.id, entry.segments, entry.run) for entry in list_transcripts(reviewer.store)]
    key = hashlib.sha256(repr(entries).encode()).hexdigest()
    if key not in reviewer.indexes:
        segments = load_segments(reviewer.store)
        fingerprint = reviewer.encoding.fingerprint if reviewer.encoding else ""
        missing = set(without_vector(reviewer.store, fingerprint, [piece.text for piece in segments]))
        having = tuple(piece for piece in segments if piece.text not in missing)
        vectors = load_vectors(reviewer.store, fingerprint, [piece.text for piece in having])
        rows = np.stack([vectors[piece.text] for piece in having]) if having else np.zeros((0, 1), np.float32)
        made = Index(segments=having, rows=rows, place={piece.id: at for at, piece in enumerate(having)})
        reviewer.indexes.clear()
        reviewer.indexes[key] = made
        return made
    return reviewer.indexes[key]


def _rows(found: Index, segments: Sequence[SegmentId]) -> NDArray[np.float32]:
    return found.rows[[found.place[segment] for segment in segments]]


def _states(reviewer: Reviewer) -> dict[SegmentId, State]:
    """Return the state of every segment that the coder has answered, in the order of the first answers."""
    answers = standing(load_decisions(reviewer.store, coder=reviewer.coder))
    return {segment: state_of(given) for segment, given in answers.items() if given}


def _waiting(reviewer: Reviewer) -> list["Waiting"]:
    """Return what ranking thinks of every segment, in the order of the transcripts."""
    from ..rank.order import Waiting

    named, share = reviewer.codebook.current, reviewer.study.review.withhold
    chances = load_chances(reviewer.store)
    waiting = []
    for piece in load_segments(reviewer.store):
        kept = [one for one in chances.get(piece.id, ()) if one.theme in named]
        blind = withheld(piece.id, reviewer.coder, share)
        seen = [one.probability for one in kept if one.suggested and not blind]
        waiting.append(
            Waiting(
                segment=piece.id,
                chances=_named(kept, named),
                shown=max(seen, default=0.0),
                withheld=blind,
            )
        )
    return waiting


def _named(kept: Sequence[Chance], named: Mapping[str, str]) -> tuple[tuple[str, float], ...]:
    """Return the probability of each theme under its present name, best first; of two that were merged the better."""
    found: dict[str, float] = {}
    for one in kept:
        found.setdefault(named[one.theme], one.probability)
    return tuple(found.items())
