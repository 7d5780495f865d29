"""Several people at one study: who reads what, how far everybody is, and where they disagree. Everything is pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ..records import Coding, Decision, Mode, Segment, SegmentId, TranscriptId, digest
from ..store.corpus import Entry
from ..store.people import Place

IDLE = 60.0  # seconds between two decisions that are not taken for work (as in the audit of effort)


def deal(
    places: Sequence[Place], coders: Sequence[str], *, double: float = 0.0, seed: str = ""
) -> dict[Place, tuple[str, ...]]:
    """Return who reads each transcript: dealt out at random within each site, so that no site is one coder's.

    Every coder gets as many transcripts of each site as any other, give or take one; a share ``double`` of all gets a
    second coder. The same places, coders and seed always give the same. With one coder there is nobody to double.
    """
    dealt: dict[Place, tuple[str, ...]] = {}
    turn = 0
    order = sorted(dict.fromkeys(coders), key=lambda coder: digest("coder", seed, coder))
    for site in sorted({site for site, _ in places}):
        here = sorted((p for p in places if p[0] == site), key=lambda place: digest("deal", seed, *place))
        for place in here:
            dealt[place] = (order[turn % len(order)],)
            turn += 1
    if len(order) > 1:
        mixed = sorted(dealt, key=lambda place: digest("double", seed, *place))
        for at, place in enumerate(mixed[: round(double * len(mixed))]):
            others = [coder for coder in order if coder not in dealt[place]]
            dealt[place] = tuple(sorted((*dealt[place], others[at % len(others)])))
    return dealt


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """How far one coder is at one site."""

    coder: str
    site: str
    transcripts: int  # assigned or begun
    segments: int  # in them
    decided: int
    pace: float | None  # decisions per minute of work, None before there were ten
    latest: datetime | None


def shares(
    entries: Sequence[Entry],
    segments: Iterable[tuple[SegmentId, TranscriptId]],
    decisions: Sequence[Decision],
    codings: Iterable[Coding],
    assigned: Mapping[Place, Sequence[str]],
) -> list[Share]:
    """Return how far every coder is with every site, by coder and site."""
    place_of = {entry.id: (entry.site, entry.name) for entry in entries}
    where = {segment: place_of[transcript] for segment, transcript in segments if transcript in place_of}
    size = {(entry.site, entry.name): entry.segments for entry in entries}
    reading: dict[tuple[str, str], set[Place]] = {}
    for place, coders in assigned.items():
        for coder in coders if place in size else ():
            reading.setdefault((coder, place[0]), set()).add(place)
    decided: dict[tuple[str, str], set[str]] = {}
    for coding in codings:
        if coding.segment in where and not coding.adjudicated:
            at = where[coding.segment]
            segment = coding.cut_from or coding.segment  # spans are coded in place of one segment
            decided.setdefault((coding.coder, at[0]), set()).add(segment)
            reading.setdefault((coding.coder, at[0]), set()).add(at)
    made: dict[tuple[str, str], list[Decision]] = {}
    for decision in decisions:
        if decision.segment in where and decision.mode is not Mode.ADJUDICATION:
            made.setdefault((decision.coder, where[decision.segment][0]), []).append(decision)
    return [
        Share(
            coder=coder,
            site=site,
            transcripts=len(places),
            segments=sum(size[place] for place in places),
            decided=len(decided.get((coder, site), ())),
            pace=pace(made.get((coder, site), [])),
            latest=max((d.decided_at for d in made.get((coder, site), [])), default=None),
        )
        for (coder, site), places in sorted(reading.items())
    ]


def pace(decisions: Sequence[Decision]) -> float | None:
    """Return segments decided at the page per minute of work, idle time left out; None for fewer than ten."""
    timed = {d.decided_at: min(d.seconds, IDLE) for d in decisions if d.seconds is not None}
    minutes = sum(timed.values()) / 60
    return len(timed) / minutes if len(timed) >= 10 and minutes > 0 else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """One segment with what each coder makes of it."""

    segment: Segment
    codings: tuple[Coding, ...]  # by coder
    adjudicated: Coding | None
    agreed: tuple[str, ...]  # themes that all gave
    disputed: tuple[str, ...]  # themes that some gave

    @property
    def settled(self) -> bool:
        """Whether there is nothing to talk about any more."""
        return not self.disputed or self.adjudicated is not None


def compare(segments: Sequence[Segment], codings: Iterable[Coding]) -> list[Compared]:
    """Return the segments that two coders or more have read, in their order.

    Who codes spans in place of a segment is taken to have given it the themes of all of them.
    """
    by_segment: dict[SegmentId, list[Coding]] = {}
    cut: dict[tuple[SegmentId, str], list[Coding]] = {}
    for coding in codings:
        by_segment.setdefault(coding.segment, []).append(coding)
        if coding.cut_from:
            cut.setdefault((SegmentId(coding.cut_from), coding.coder), []).append(coding)
    for (source, _), parts in cut.items():
        themes = tuple(sorted({theme for part in parts for theme in part.themes}))
        by_segment.setdefault(source, []).append(replace(parts[-1], segment=source, themes=themes))
    compared = []
    for segment in segments:
        given = by_segment.get(segment.id, [])
        own = tuple(sorted((c for c in given if not c.adjudicated), key=lambda c: c.coder))
        if len(own) > 1:
            sets = [set(coding.themes) for coding in own]
            agreed = set.intersection(*sets)
            compared.append(
                Compared(
                    segment=segment,
                    codings=own,
                    adjudicated=max((c for c in given if c.adjudicated), key=lambda c: c.coded_at, default=None),
                    agreed=tuple(sorted(agreed)),
                    disputed=tuple(sorted(set.union(*sets) - agreed)),
                )
            )
    return compared
