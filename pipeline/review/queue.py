"""Where each segment stands for one coder, and which one comes next. Everything here is pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ..records import POSITIVE, Answer, Decision, Mode, Segment, SegmentId, Suggestion, TranscriptId, digest

Standing = dict[str, Decision]  # a coder's answers to one segment by theme, without those taken back

WHOLE = ""  # the theme of an answer to the segment as a whole: nothing fits, or unsure
HASH_SPACE = 16**12


class State(StrEnum):
    """What a coder has made of a segment so far."""

    OPEN = "open"
    UNSURE = "unsure"
    REJECTED = "rejected"  # suggestions were turned down and no theme was given
    NOTHING = "nothing"
    CODED = "coded"
    CUT = "cut"  # the coder's own spans are coded in its place


DECIDED = frozenset({State.REJECTED, State.NOTHING, State.CODED, State.CUT})  # but for CUT: has a ``records.Coding``


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a coder is with a transcript."""

    segments: int = 0
    decided: int = 0
    unsure: int = 0

    @property
    def open(self) -> int:
        """How many segments the coder has not looked at yet, or has taken everything back from."""
        return self.segments - self.decided - self.unsure


def standing(decisions: Iterable[Decision], again: Collection[SegmentId] = frozenset()) -> dict[SegmentId, Standing]:
    """Return what stands of one coder's decisions, by segment; themes in the order in which they were last answered.

    What a coder said when reading a segment a second time is no part of it; for the segments that are just now being
    read ``again`` it is all there is. What the same person adjudicated is not a coder's answer.
    """
    answers: dict[SegmentId, Standing] = {}
    for decision in decisions:
        if decision.mode is Mode.ADJUDICATION or (decision.mode is Mode.DUPLICATE) is not (decision.segment in again):
            continue
        here = answers.setdefault(decision.segment, {})
        here.pop(decision.theme, None)
        if decision.answer is not Answer.UNDO:
            here[decision.theme] = decision
    return answers


def state_of(answers: Standing) -> State:
    """Return the state that a coder's answers put a segment in."""
    given = {decision.answer for decision in answers.values()}
    if Answer.CUT in given:
        return State.CUT
    if given & POSITIVE:
        return State.CODED
    if Answer.NOTHING in given:
        return State.NOTHING
    if Answer.REJECT in given:
        return State.REJECTED
    return State.UNSURE if Answer.UNSURE in given else State.OPEN


def themes_of(answers: Standing) -> tuple[str, ...]:
    """Return the themes that a coder gave a segment."""
    return tuple(theme for theme, decision in answers.items() if decision.answer in POSITIVE)


def withheld(segment: SegmentId, coder: str, share: float) -> bool:
    """Tell whether a coder sees a segment without suggestions, as blind control.

    The same segment and coder always get the same answer; over segments, ``share`` of the answers are yes. A larger
    share keeps every segment of a smaller one.
    """
    return int(digest("withheld", segment, coder)[:12], 16) < share * HASH_SPACE


def offered(suggestions: Sequence[Suggestion], themes: Iterable[str], *, blind: bool) -> list[Suggestion]:
    """Return the suggestions that a coder gets to see, best first.

    None if they are withheld, and none if not even the best passed the threshold: so the two look alike. Themes that
    the codebook no longer has are left out.
    """
    known = set(themes)
    kept = [suggestion for suggestion in suggestions if suggestion.theme in known]
    return [] if blind or not any(suggestion.suggested for suggestion in kept) else kept


def under_present_names(suggestions: Sequence[Suggestion], current: Mapping[str, str]) -> list[Suggestion]:
    """Return suggestions with the names that themes have now; of themes that were merged, the best one's."""
    found: dict[str, Suggestion] = {}
    for one in suggestions:
        name, other = current.get(one.theme, one.theme), current.get(one.runner_up, one.runner_up)
        same = (name, other) == (one.theme, one.runner_up)
        found.setdefault(name, one if same else replace(one, theme=name, runner_up="" if other == name else other))
    return list(found.values())


def next_open(
    order: Sequence[SegmentId], states: Mapping[SegmentId, State], after: SegmentId | None
) -> SegmentId | None:
    """Return the next open segment after the given one, else the first open one, else nothing.

    Segments the coder was unsure of are not open: they would come back at once.
    """
    start = order.index(after) + 1 if after in order else 0
    ahead = [*order[start:], *order[:start]]
    return next((s for s in ahead if s != after and states.get(s, State.OPEN) is State.OPEN), None)


def progress(
    segments: Iterable[tuple[SegmentId, TranscriptId]], answers: Mapping[SegmentId, Standing]
) -> dict[TranscriptId, Progress]:
    """Return how far a coder is with each transcript that has segments."""
    counts: dict[TranscriptId, list[int]] = {}
    for segment, transcript in segments:
        state = state_of(answers.get(segment, {}))
        count = counts.setdefault(transcript, [0, 0, 0])
        count[0] += 1
        count[1] += state in DECIDED
        count[2] += state is State.UNSURE
    return {key: Progress(segments=n, decided=decided, unsure=unsure) for key, (n, decided, unsure) in counts.items()}


def first_to_read(segments: Sequence[Segment], answers: Mapping[SegmentId, Standing]) -> Segment | None:
    """Return the first open segment, else the first undecided one, else the first."""
    by_state: dict[bool | State, Segment] = {}
    for segment in segments:
        state = state_of(answers.get(segment.id, {}))
        by_state.setdefault(state, segment)
        by_state.setdefault(state in DECIDED, segment)
    return by_state.get(State.OPEN) or by_state.get(False) or by_state.get(True)
