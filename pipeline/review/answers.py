"""What an action of a coder appends to the decisions, and what taking it back appends. Everything here is pure.

How actions are told apart in the decisions, from the rows alone: the rows of one action have the same ``decided_at``.
An action answers to what was shown, so its rows say after how many ``seconds``. Taking an action back appends rows
without ``seconds`` that put back, for each theme the action touched, what stood before. So replaying a coder's
decisions gives a stack of the actions that stand: an action goes onto it, and rows that put back what the action on
top changed take that one off. Other rows without ``seconds`` were imported: the page cannot take them back, nor what
lies under them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from ..records import POSITIVE, Answer, Decision, Mode, SegmentId, Suggestion, digest
from .queue import WHOLE, Standing
from .slots import Role

Place = tuple[SegmentId, str, bool]  # a segment, a theme, and whether the segment was read a second time
SETTLES = frozenset({"accept", "add", "nothing", "reject_all"})  # after these the coder is not unsure of the segment


class Ask(StrEnum):
    """What a button says."""

    ACCEPT = "accept"
    REJECT = "reject"
    UNSURE = "unsure"
    ADD = "add"
    NOTHING = "nothing"
    REJECT_ALL = "reject_all"
    TAKE_BACK = "undo"
    DONE = "done"  # what stands is all there is to say


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What was in front of a coder when a decision about a segment was made."""

    segment: SegmentId
    coder: str
    suggestions: Sequence[Suggestion]  # visible ones, with those folded away
    role: Role
    run: str
    encoder: str
    codebook_revision: str
    queue: str = ""  # the order in which the coder came to it
    span: bool = False  # whether it is a span of the coder's own
    cut_from: str = ""  # what a span is coded in place of: its suggestions are the span's
    closed: bool = False  # whether there are suggestions that the coder sees only after deciding

    @property
    def plain(self) -> list[Suggestion]:
        """The suggestions that are visible without unfolding anything."""
        return [suggestion for suggestion in self.suggestions if suggestion.suggested]

    @property
    def seen(self) -> str:
        """A digest of what the coder sees of the suggestions: the same for two sights that look alike.

        A withheld segment must look like one without suggestions, so whether it is withheld is no part of this.
        """
        return digest([_seen(suggestion) for suggestion in self.suggestions])


def _seen(one: Suggestion) -> tuple[object, ...]:
    """Return what a card shows of a suggestion, its reasons included; not what the reasons are worth."""
    reasons = (one.because, one.runner_up, one.near_accepted, one.near_rejected)
    return one.theme, one.rank, one.suggested, one.probability, one.exemplar, reasons


def to_append(ask: Ask, theme: str, sight: Sight, stands: Standing) -> list[tuple[str, Answer]]:
    """Return the answers by theme that an action appends: only those that change what stands, so none if repeated.

    Raises ``LookupError`` if the action is about a suggestion that is not visible (any more), or about a segment in
    place of which the coder's own spans are coded.
    """
    has = {name: decision.answer for name, decision in stands.items()}
    if has.get(WHOLE) is Answer.CUT:
        raise LookupError(sight.segment)
    given = [name for name, answer in has.items() if answer in POSITIVE]
    plain = [suggestion.theme for suggestion in sight.plain]
    about_one = ask in (Ask.ACCEPT, Ask.REJECT) or (ask is Ask.UNSURE and theme != WHOLE)
    if about_one and theme not in [suggestion.theme for suggestion in sight.suggestions]:
        raise LookupError(theme)
    wanted: list[tuple[str, Answer]] = []
    match ask:
        case Ask.ACCEPT | Ask.ADD if theme not in given:
            wanted = [(theme, Answer.ACCEPT if ask is Ask.ACCEPT or theme in plain else Answer.ADD)]
        case Ask.REJECT | Ask.UNSURE | Ask.TAKE_BACK:
            wanted = [(theme, Answer(ask.value))]
        case Ask.NOTHING:
            wanted = [(WHOLE, Answer.NOTHING), *((name, Answer.REJECT) for name in plain)]
            wanted += [(name, _instead(has[name])) for name in given if name not in plain]
        case Ask.REJECT_ALL:
            wanted = [(name, Answer.REJECT) for name in plain if name not in given]
    wanted += _settled(ask, has)
    if sight.span:  # it stays marked, whatever is taken back
        wanted = [(name, Answer.SPAN if (name, one) == (WHOLE, Answer.UNDO) else one) for name, one in wanted]
    return [(name, answer) for name, answer in wanted if has.get(name, Answer.UNDO) is not answer]


def _instead(answer: Answer) -> Answer:
    """Return what becomes of a theme that was given when nothing fits after all."""
    return Answer.REJECT if answer is Answer.ACCEPT else Answer.UNDO


def _settled(ask: Ask, has: dict[str, Answer]) -> list[tuple[str, Answer]]:
    """Return what takes back an answer to the segment as a whole that the action overrules."""
    whole = has.get(WHOLE)
    overruled = (whole is Answer.UNSURE and ask.value in SETTLES) or (
        whole is Answer.NOTHING and ask in (Ask.ACCEPT, Ask.ADD)
    )
    return [(WHOLE, Answer.UNDO)] if overruled and ask is not Ask.NOTHING else []


def decisions_for(
    wanted: Iterable[tuple[str, Answer]], sight: Sight, *, at: datetime, seconds: float, request: str = ""
) -> list[Decision]:
    """Return the decisions that give these answers, with what was seen when they were given."""
    by_theme = {suggestion.theme: suggestion for suggestion in sight.suggestions}
    made = []
    for theme, answer in wanted:
        seen = by_theme.get(theme) if answer is not Answer.ADD else None
        made.append(
            Decision(
                segment=sight.segment,
                coder=sight.coder,
                answer=answer,
                theme=theme,
                rank=seen.rank if seen else None,
                score=seen.score if seen else None,
                probability=seen.probability if seen else None,
                exemplar=seen.exemplar if seen else "",
                shown=bool(sight.suggestions),
                mode=sight.role.mode,
                seconds=seconds,
                decided_at=at,
                encoder=sight.encoder,
                codebook_revision=sight.codebook_revision,
                run=sight.run,
                chance=sight.role.chance,
                queue=sight.queue,
                cut_from=sight.cut_from,
                request=request,
            )
        )
    return made


def undo_last(decisions: Sequence[Decision], *, at: datetime, request: str = "") -> list[Decision]:
    """Return what takes back the latest action that stands, given one coder's decisions; nothing if there is none."""
    latest: dict[Place, Decision] = {}
    stack: list[dict[Place, tuple[Decision, Decision | None]]] = []
    for _, rows in groupby(decisions, key=lambda decision: decision.decided_at):
        action = {_place(row): (row, latest.get(_place(row))) for row in rows}
        if any(row.seconds is not None for row, _ in action.values()):
            stack.append(action)
        elif stack and _answers(action) == {place: _before(old) for place, (_, old) in stack[-1].items()}:
            stack.pop()
        else:
            stack.clear()
        latest.update({place: row for place, (row, _) in action.items()})
    return [_put_back(row, old, at, request) for row, old in stack[-1].values()] if stack else []


def _place(row: Decision) -> Place:
    return row.segment, row.theme, row.mode is Mode.DUPLICATE


def _answers(action: dict[Place, tuple[Decision, Decision | None]]) -> dict[Place, Answer]:
    return {place: row.answer for place, (row, _) in action.items()}


def _before(old: Decision | None) -> Answer:
    return old.answer if old else Answer.UNDO


def _put_back(row: Decision, old: Decision | None, at: datetime, request: str) -> Decision:
    if old is not None and old.answer is not Answer.UNDO:
        return replace(old, decided_at=at, seconds=None, request=request)
    return replace(row, answer=Answer.UNDO, decided_at=at, seconds=None, request=request)


def moment_after(now: datetime, decisions: Sequence[Decision]) -> datetime:
    """Return ``now``, or a microsecond later if the coder's latest decision was made at the very same moment."""
    return now + timedelta(microseconds=1) if decisions and decisions[-1].decided_at == now else now
