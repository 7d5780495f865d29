"""A transcript as one coder has it: the machine's segments, and the spans that the coder marked."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..records import Decision, Segment, SegmentId, Suggestion, TranscriptId
from ..store import Store
from ..store.corpus import load_segments, load_spans
from ..store.decisions import load_decisions
from ..store.slots import Slot
from . import slots
from .cutting import spans_of
from .orders import Reviewer
from .queue import Standing, State, standing, state_of

Answers = Mapping[SegmentId, Standing]


@dataclass(frozen=True, kw_only=True, slots=True)
class Own:
    """What a span of the coder's is coded in place of: a segment of the machine's, or nothing."""

    source: Segment | None

    def inside(self, span: Segment, suggestion: Suggestion) -> Suggestion:
        """Return a suggestion for the segment with what carried it as places in the span."""
        if self.source is None:
            return suggestion
        by, most = self.source.start - span.start, span.end - span.start
        moved = [(max(start + by, 0), min(end + by, most)) for start, end in suggestion.because]
        return replace(suggestion, because=tuple((start, end) for start, end in moved if start < end))


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A transcript as one coder has it."""

    store: Store
    transcript: TranscriptId
    spans: Sequence[Segment]  # the coder's own
    answers: Answers
    again: frozenset[SegmentId] = frozenset()  # just now read a second time: the answers are those of this reading
    others: frozenset[SegmentId] = frozenset()  # spans that are not the coder's: as if they were not there

    @cached_property
    def segments(self) -> list[Segment]:
        """The machine's segments; asked for only where they are needed, as one answer does not need them."""
        return load_segments(self.store, self.transcript)

    @property
    def units(self) -> list[Segment]:
        """All that the coder codes, in the order of the text: what spans were cut from comes before them."""
        return in_order([*self.segments, *self.spans])

    def cut_from(self, span: SegmentId) -> str:
        """Return what a span is coded in place of, "" if of nothing."""
        return next((row.cut_from for row in self.answers.get(span, {}).values() if row.cut_from), "")

    def own(self, unit: SegmentId) -> Own | None:
        """Return what a span is coded in place of; None for a segment of the machine's."""
        if all(span.id != unit for span in self.spans):
            return None
        source = self.cut_from(unit)
        return Own(source=next((segment for segment in self.segments if segment.id == source), None))

    def stands_for(self, unit: Segment) -> Segment:
        """Return the machine's segment that a span is coded in place of, or what is given."""
        own = self.own(unit.id)
        return own.source if own and own.source else unit

    def family(self, unit: Segment) -> list[SegmentId]:
        """Return a segment with the spans that are coded in place of it, given it or one of them."""
        source = self.stands_for(unit).id
        return [source, *spans_of(source, self.answers)]

    def home(self, unit: Segment) -> Segment:
        """Return from which of the machine's segments the coder goes on after a unit: after a span, where it lies."""
        own = self.own(unit.id)
        if own is None and unit.id not in self.others:
            return unit
        if own and own.source:
            return own.source
        return next((one for one in self.segments if one.end > unit.start), unit)

    def there(self, unit: Segment) -> Segment:
        """Return a unit, or where it lay if the coder has it no more."""
        return unit if any(one.id == unit.id for one in self.units) else self.home(unit)

    def left_beside(self, unit: Segment) -> SegmentId | None:
        """Return what comes first after a span: an open one cut from the same segment, or the segment it lies in."""
        if self.own(unit.id) is None:
            return None
        family = self.family(unit)
        cut = [span for span in self.spans if span.id in family]
        beside = cut if self.cut_from(unit.id) else [self.home(unit)]
        others = [one.id for one in beside if one.id != unit.id]
        return next((one for one in others if state_of(self.answers.get(one, {})) is State.OPEN), None)

    def only(self, units: Collection[SegmentId]) -> "Reading":
        """Return the reading as if nothing else had been answered."""
        kept = {unit: self.answers.get(unit, {}) for unit in units}
        spans = [span for span in self.spans if span.id in kept]
        return replace(self, spans=spans, answers=kept)


def in_order(units: Iterable[Segment]) -> list[Segment]:
    """Return segments and spans in the order of the text of one transcript, the longer first."""
    return sorted(units, key=lambda unit: (unit.start, -unit.end))


def with_spans(
    segments: Sequence[Segment], spans: Sequence[Segment], answers: Mapping[SegmentId, object]
) -> list[Segment]:
    """Return segments and the spans that the coder answered, of each transcript in the order of its text."""
    own = [span for span in spans if answers.get(span.id)]
    if not own:
        return list(segments)
    by_transcript: dict[TranscriptId, list[Segment]] = {}
    for unit in (*segments, *own):
        by_transcript.setdefault(unit.transcript, []).append(unit)
    return [unit for units in by_transcript.values() for unit in in_order(units)]


def read(reviewer: Reviewer, transcript: TranscriptId, slot: Slot | None = None) -> Reading:
    """Return a transcript as the coder has it, who may be in a slot."""
    made = load_decisions(reviewer.store, transcript=transcript, coder=reviewer.coder)
    return as_read(reviewer, transcript, made, slot)


def as_read(reviewer: Reviewer, transcript: TranscriptId, made: Sequence[Decision], slot: Slot | None) -> Reading:
    """Return a transcript as the coder has it, given the coder's decisions in it."""
    again = slots.read_again(slot, made)
    answers = standing(made, again)
    every = load_spans(reviewer.store, transcript)
    return Reading(
        store=reviewer.store,
        transcript=transcript,
        spans=[span for span in every if answers.get(span.id)],
        answers=answers,
        again=again,
        others=frozenset(span.id for span in every if not answers.get(span.id)),
    )
