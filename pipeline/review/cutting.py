"""What cutting otherwise appends to the decisions. Everything here is pure.

The machine's segments stay as they are. A coder's span is a segment of its own, and the coder's because decisions on
it stand; the first says ``Answer.SPAN``. Where spans are coded in place of a machine's segment, ``Answer.CUT`` stands
on that, and they say ``cut_from``. All rows of one action have one moment, so that undoing takes all of them back.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ..records import POSITIVE, Answer, Decision, Mode, Segment, SegmentId
from .answers import Sight
from .queue import WHOLE, Standing
from .slots import Role

Answers = Mapping[SegmentId, Standing]
KEPT = frozenset({Mode.ROUTINE, Mode.WITHHELD, Mode.DUPLICATE})  # modes that a span has from its segment


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """By whom, in front of what, when and after how long something is done."""

    sight: Sight  # of the segment, or of the span, that is cut
    at: datetime
    seconds: float

    def says(self, segment: SegmentId, answer: Answer, cut_from: str = "") -> Decision:
        """Return an answer to a segment as a whole."""
        role = span_role(self.sight.role) if answer is Answer.SPAN else self.sight.role
        return Decision(
            segment=segment,
            coder=self.sight.coder,
            answer=answer,
            theme=WHOLE,
            shown=bool(self.sight.suggestions),
            mode=role.mode,
            seconds=self.seconds,
            decided_at=self.at,
            encoder=self.sight.encoder,
            codebook_revision=self.sight.codebook_revision,
            run=self.sight.run,
            queue=self.sight.queue,
            chance=role.chance,
            cut_from=cut_from,
        )

    def takes_back(self, stands: Standing) -> list[Decision]:
        """Return what takes back all that stands of a span."""
        return [replace(row, answer=Answer.UNDO, decided_at=self.at, seconds=self.seconds) for row in stands.values()]

    def gives(self, segment: SegmentId, row: Decision, cut_from: str) -> Decision:
        """Return a theme that was given to one segment as given to another."""
        role = span_role(Role(mode=row.mode, chance=1.0 if row.chance is None else row.chance))
        moved = replace(row, segment=segment, cut_from=cut_from, decided_at=self.at, seconds=self.seconds)
        return replace(moved, mode=role.mode, chance=role.chance)


def span_role(role: Role) -> Role:
    """Return as what the span of a segment is answered: a check's gold, and others' coding, are of the segment."""
    return role if role.mode in KEPT else Role(mode=Mode.ROUTINE, chance=1.0)


def cut_otherwise(
    act: Act, parts: Sequence[Segment], answers: Answers, machine: Collection[SegmentId]
) -> list[Decision]:
    """Return what codes ``parts`` in place of the segment, or of the span, in front of the coder.

    The themes that were given go along to each part. A part that is one of the ``machine``'s segments is no span; when
    nothing is coded in place of a segment any more, that stands again.
    """
    sight = act.sight
    source, old = sight.cut_from if sight.span else sight.segment, answers.get(sight.segment, {})
    own = [part.id for part in parts if part.id not in machine]
    left = [span for span in spans_of(source, answers) if span != sight.segment]
    cut = _is_cut(answers.get(SegmentId(source), {}))
    whole = any(part.id == source for part in parts)
    stays = not sight.span or (cut and not whole and bool(own or left))
    again = [SegmentId(source)] if cut and not stays else []
    again += [part.id for part in parts if part.id != source and _is_cut(answers.get(part.id, {}))]
    rows = [] if sight.span else [act.says(sight.segment, Answer.CUT)]
    rows += [act.says(one, Answer.UNDO) for one in again]
    rows += act.takes_back(old) if sight.span else []
    for part in parts:
        rows += _as_part(act, part.id, answers, source if stays and part.id in own else "", span=part.id in own)
    return rows


def _as_part(act: Act, part: SegmentId, answers: Answers, replaces: str, *, span: bool) -> list[Decision]:
    has, old = answers.get(part, {}), answers.get(act.sight.segment, {})
    given = [row for theme, row in old.items() if row.answer in POSITIVE and not _given(has, theme)]
    marked_now = [act.says(part, Answer.SPAN, replaces)] if span and not has else []
    return [*marked_now, *(act.gives(part, row, replaces) for row in given)]


def _is_cut(stands: Standing) -> bool:
    return WHOLE in stands and stands[WHOLE].answer is Answer.CUT


def _given(stands: Standing, theme: str) -> bool:
    return theme in stands and stands[theme].answer in POSITIVE


def marked(act: Act, span: Segment) -> list[Decision]:
    """Return what marks a span beside the machine's segments."""
    return [act.says(span.id, Answer.SPAN)]


def taken_away(act: Act, answers: Answers) -> list[Decision]:
    """Return what takes the coder's span away; with the last one cut from a segment, that stands again."""
    source = act.sight.cut_from
    others = [s for s in spans_of(source, answers) if s != act.sight.segment]
    again = [act.says(SegmentId(source), Answer.UNDO)] if source and not others else []
    return [*again, *act.takes_back(answers.get(act.sight.segment, {}))]


def as_it_was(act: Act, answers: Answers) -> list[Decision]:
    """Return what takes away all spans that were cut from a segment, so that it stands again."""
    rows = [act.says(act.sight.segment, Answer.UNDO)]
    for span in spans_of(act.sight.segment, answers):
        rows += act.takes_back(answers[span])
    return rows


def spans_of(source: str, answers: Answers) -> list[SegmentId]:
    """Return the coder's spans that are coded in place of a segment."""
    return [one for one, stands in answers.items() if source and any(row.cut_from == source for row in stands.values())]
