"""Suggestions and decisions -> rows, in the columns of their exports."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..records import Decision, Segment, SegmentId, Suggestion, Transcript, TranscriptId
from ..sheets import Cell

SUGGESTION_COLUMNS = (
    *("site", "document", "segment", "speaker", "start", "end", "text"),
    *("rank", "theme", "score", "probability", "suggested", "exemplar", "exemplar_source"),
    *("encoder", "codebook_revision", "run"),
    *("because", "because_spans", "runner_up", "runner_up_probability", "near_accepted", "near_rejected", "parts"),
)
DECISION_COLUMNS = (
    *("site", "document", "segment", "start", "end", "text", "coder", "theme", "answer"),
    *("rank", "score", "probability", "shown", "mode", "seconds", "decided_at", "encoder", "codebook_revision"),
    *("queue", "chance", "cut_from"),
)
# Who decided what, when, on which model's and codebook's word; not what participants said.
TRAIL_COLUMNS = (
    *("number", "coder", "site", "document", "segment", "theme", "answer", "mode", "shown", "rank", "probability"),
    *("seconds", "decided_at", "encoder", "codebook_revision", "run", "hash", "cut_from"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """What made the suggestions of a segment."""

    encoder: str
    codebook_revision: str
    run: str


def suggestion_rows(
    segments: Iterable[Segment],
    transcripts: Mapping[TranscriptId, Transcript],
    suggestions: Iterable[Suggestion],
    *,
    provenance: Mapping[SegmentId, Provenance],
) -> Iterator[tuple[Cell, ...]]:
    """Yield one row of ``SUGGESTION_COLUMNS`` per suggestion, by site, document, place in the text and rank.

    Every suggestion's segment must be among ``segments``, and its transcript among ``transcripts``.
    """
    by_id = {segment.id: segment for segment in segments}

    def place(suggestion: Suggestion) -> tuple[str, str, int, int, int]:
        segment = by_id[suggestion.segment]
        transcript = transcripts[segment.transcript]
        return transcript.site, transcript.name, segment.start, segment.end, suggestion.rank

    for s in sorted(suggestions, key=place):
        segment, made = by_id[s.segment], provenance[s.segment]
        transcript = transcripts[segment.transcript]
        speaker = transcript.turns[segment.turn].speaker
        where = (transcript.site, transcript.name, segment.name, speaker, segment.start, segment.end, segment.text)
        what = (s.rank, s.theme, s.score, s.probability, s.suggested, s.exemplar, s.exemplar_source)
        yield (*where, *what, made.encoder, made.codebook_revision, made.run, *_reasons(s, segment.text))


def _reasons(suggestion: Suggestion, text: str) -> tuple[Cell, ...]:
    """Return why a suggestion was made: the words of the segment that carried it, where they stand in it, and so on."""
    s = suggestion
    words = " … ".join(text[start:end] for start, end in s.because)
    spans = ";".join(f"{start}-{end}" for start, end in s.because)
    parts = ";".join(f"{name}={value:g}" for name, value in s.parts)
    return words, spans, s.runner_up, s.runner_up_probability, s.near_accepted, s.near_rejected, parts


def decision_rows(
    decisions: Iterable[Decision],
    segments: Iterable[Segment],
    transcripts: Mapping[TranscriptId, Transcript],
) -> Iterator[tuple[Cell, ...]]:
    """Yield one row of ``DECISION_COLUMNS`` per decision, in the order they are given, undone ones included.

    Every decision's segment must be among ``segments``, and its transcript among ``transcripts``.
    """
    by_id = {segment.id: segment for segment in segments}
    for d in decisions:
        segment = by_id[d.segment]
        transcript = transcripts[segment.transcript]
        where = (transcript.site, transcript.name, segment.name, segment.start, segment.end, segment.text)
        answer = (d.coder, d.theme, d.answer.value, d.rank, d.score, d.probability, d.shown, d.mode.value)
        yield (
            *where,
            *answer,
            d.seconds,
            d.decided_at,
            d.encoder,
            d.codebook_revision,
            d.queue,
            d.chance,
            _cut_from(d, by_id),
        )


def _cut_from(decision: Decision, segments: Mapping[SegmentId, Segment]) -> str:
    """Return the name of the segment that a coder's span is coded in place of; its coder has decided on that, too."""
    source = segments.get(SegmentId(decision.cut_from))
    return source.name if source else ""


def trail_rows(
    chained: Iterable[tuple[Decision, str]],
    segments: Iterable[Segment],
    transcripts: Mapping[TranscriptId, Transcript],
) -> Iterator[tuple[Cell, ...]]:
    """Yield one row of ``TRAIL_COLUMNS`` per decision with its hash, numbered in the order in which they were made.

    Every decision's segment must be among ``segments``, and its transcript among ``transcripts``.
    """
    by_id = {segment.id: segment for segment in segments}
    for number, (d, chain) in enumerate(chained, 1):
        segment = by_id[d.segment]
        transcript = transcripts[segment.transcript]
        where = (transcript.site, transcript.name, segment.name)
        answer = (d.theme, d.answer.value, d.mode.value, d.shown, d.rank, d.probability, d.seconds, d.decided_at)
        yield (number, d.coder, *where, *answer, d.encoder, d.codebook_revision, d.run, chain, _cut_from(d, by_id))
