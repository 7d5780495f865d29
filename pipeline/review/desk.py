"""What one coder works with, and what the page asks the store for that coder."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from jinja2 import Environment

from ..config import Study
from ..records import Codebook, Segment, SegmentId, TranscriptId
from ..store import Store
from ..store.corpus import Entry, list_transcripts, load_segments
from ..store.decisions import load_decisions
from ..store.people import Rights, assigned
from ..store.runs import list_runs, load_suggestions
from .answers import Sight
from .queue import Standing, State, next_open, offered, standing, state_of, withheld

NEARBY = 12  # transcripts that are looked at one by one for something open, before all are


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """What one coder works with."""

    store: Store
    study: Study
    codebook: Codebook
    coder: str
    root: str
    templates: Environment
    rights: Rights | None = None  # of whoever is logged in; none where the page is for whoever has its address
    writing: threading.Lock = field(default_factory=threading.Lock)


def mine(desk: Desk) -> list[Entry]:
    """Return the transcripts in the coder's lists: those assigned to the coder, or all if nobody is assigned any."""
    entries = list_transcripts(desk.store)
    if desk.rights is not Rights.CODER or not (reading := assigned(desk.store)):
        return entries
    return [entry for entry in entries if desk.coder in reading.get((entry.site, entry.name), ())]


def sight_of(desk: Desk, segment: Segment) -> Sight:
    """Return what is in front of the coder at a segment."""
    made = load_suggestions(desk.store, segment.transcript).get(segment.id, [])
    blind = withheld(segment.id, desk.coder, desk.study.review.withhold)
    run = made[0].run if made else ""
    encoders = {known.id: known.encoder for known in list_runs(desk.store)} if run else {}
    return Sight(
        segment=segment.id,
        coder=desk.coder,
        suggestions=offered([m.suggestion for m in made], desk.codebook.names, blind=blind),
        blind=blind,
        run=run,
        encoder=encoders.get(run, ""),
        codebook_revision=desk.codebook.revision,
    )


def states(segments: Sequence[Segment], answers: Mapping[SegmentId, Standing]) -> dict[SegmentId, State]:
    """Return the state of every given segment."""
    return {segment.id: state_of(answers.get(segment.id, {})) for segment in segments}


def beside(
    desk: Desk, transcript: TranscriptId, segments: Sequence[Segment], current: Segment | None
) -> dict[str, str]:
    """Return the addresses of the segments before and after the current one, also over a transcript's edge."""
    at = segments.index(current) if current else 0
    before = address(desk, transcript, segments[at - 1].id) if current and at > 0 else ""
    after = address(desk, transcript, segments[at + 1].id) if current and at + 1 < len(segments) else ""
    if not (before and after):
        ids = [e.id for e in mine(desk) if e.segments or e.id == transcript]
        place = ids.index(transcript) if transcript in ids else 0
        if not before and place > 0:
            before = f"{desk.root}/transcript/{ids[place - 1]}?segment=last"
        if not after and place + 1 < len(ids):
            after = f"{desk.root}/transcript/{ids[place + 1]}?segment=first"
    return {"before": before, "after": after}


def onward(desk: Desk, segment: Segment) -> str:
    """Return the address of the next open segment after the given one, in its transcript or beyond."""
    segments = load_segments(desk.store, segment.transcript)
    answers = standing(load_decisions(desk.store, transcript=segment.transcript, coder=desk.coder))
    found = next_open([s.id for s in segments], states(segments, answers), segment.id)
    return address(desk, segment.transcript, found) if found else elsewhere(desk, segment.transcript)


def elsewhere(desk: Desk, after: TranscriptId) -> str:
    """Return the address of the first open segment in the transcripts after one, then in those before it."""
    entries = [entry for entry in mine(desk) if entry.segments]
    at = next((place + 1 for place, entry in enumerate(entries) if entry.id == after), 0)
    ahead = [*entries[at:], *entries[:at]]
    found = None
    for entry in ahead[:NEARBY]:
        found = found or _first_open(desk, [entry], load_segments(desk.store, entry.id), entry.id)
    if not found and len(ahead) > NEARBY:
        found = _first_open(desk, ahead[NEARBY:], load_segments(desk.store), None)
    if not found:
        return f"{desk.root}/?note=done"
    return address(desk, *found, note="next-transcript" if after and found[0] != after else "")


def _first_open(
    desk: Desk, entries: Sequence[Entry], segments: Sequence[Segment], only: TranscriptId | None
) -> tuple[TranscriptId, SegmentId] | None:
    answers = standing(load_decisions(desk.store, transcript=only, coder=desk.coder))
    first: dict[TranscriptId, SegmentId] = {}
    for segment in segments:
        if not answers.get(segment.id):
            first.setdefault(segment.transcript, segment.id)
    return next(((entry.id, first[entry.id]) for entry in entries if entry.id in first), None)


def address(desk: Desk, transcript: TranscriptId, segment: SegmentId, *, note: str = "") -> str:
    """Return the address at which a segment is the current one."""
    query = urlencode({"segment": segment} | ({"note": note} if note else {}))
    return f"{desk.root}/transcript/{transcript}?{query}#s-{segment}"
