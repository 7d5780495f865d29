"""What the templates show, as records. Everything here is pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import ceil

from ..records import Answer, Segment, SegmentId, Suggestion, Theme, Transcript, TranscriptId, Turn
from ..store.corpus import Entry
from .queue import Progress, Standing, State, state_of, themes_of

PAGE = 100  # transcripts on one page of the overview
# In words first: coders read a bare number as more certain than it is.
WORDS = ((90, "very likely"), (70, "likely"), (50, "more likely than not"), (30, "possible"), (0, "unlikely"))

# What the parts of a score are, in the words of a coder.
PLAIN = {
    "learned": "all exemplars and decisions",
    "nearest": "the nearest exemplar",
    "centre": "the theme's exemplars together",
    "definition": "the definition",
    "words": "wording of the exemplars",
    "terms": "wording of the definition",
    "near miss": "a near miss",
    "exclude": "what the theme is not",
    "sentence": "its best sentence alone",
    "family": "related themes",
    "asked": "the question asked",
    "before": "what was said before",
    "after": "what was said next",
    "frequency": "how often the theme is given",
    "rivals": "other themes that fit too",
}
BARS = 5  # parts that are shown one by one
LEAST = 0.05  # parts of less weight cannot be seen


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A segment in its place, with what the coder made of it."""

    segment: Segment
    number: int  # from 1, in its transcript
    state: State
    marks: tuple[str, ...]  # the state in words, each theme by itself


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """Some text of a turn: a passage, or what lies between passages."""

    text: str
    passage: Passage | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """A turn with its stretches, or, without a turn, text that nobody says."""

    turn: Turn | None
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A part of a score, as a bar from the middle of 100 to the right or, if it speaks against, to the left."""

    name: str
    value: float
    start: float
    width: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A suggestion with its theme and the coder's answer to it."""

    number: int  # the key that accepts it
    suggestion: Suggestion
    theme: Theme
    answer: str  # "" if there is none
    next_best: str  # the best of the other themes, "" if there is none or the codebook has it no more

    @property
    def likelihood(self) -> str:
        """The probability in words and rounded, never as certainty."""
        return likelihood(self.suggestion.probability)

    @property
    def given(self) -> bool:
        """Whether the coder gave the segment this theme."""
        return self.answer in ("accept", "add")

    @property
    def runner_up(self) -> str:
        """How probable the best of the other themes is, in words and rounded."""
        probability = self.suggestion.runner_up_probability
        return likelihood(probability) if probability is not None else ""

    @property
    def near(self) -> str:
        """What people said of similar segments, "" if they said nothing."""
        return told_of_similar(accepted=self.suggestion.near_accepted, rejected=self.suggestion.near_rejected)

    @property
    def bars(self) -> list[Bar]:
        """What the score is made of."""
        return bars(self.suggestion.parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Some characters of a segment's text, with the suggestions that they carried."""

    text: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A segment in a list of segments."""

    segment: Segment
    place: str  # site and transcript
    address: str
    marks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A transcript in the overview."""

    entry: Entry
    progress: Progress


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """One page of the overview."""

    sites: tuple[tuple[str, tuple[Row, ...]], ...]
    total: Progress
    found: int  # transcripts that match the search
    page: int  # from 1
    pages: int


def likelihood(probability: float) -> str:
    """Return a probability in words and as a percentage.

    >>> likelihood(0.71), likelihood(0.9999)
    ('likely, 71\\xa0%', 'very likely, 99\\xa0%')
    """
    percent = min(max(round(100 * probability), 1), 99)
    words = next(told for floor, told in WORDS if percent >= floor)
    return f"{words}, {percent}\N{NO-BREAK SPACE}%"


def told_of_similar(*, accepted: int, rejected: int) -> str:
    """Return in words how many similar segments were given the theme, and how many refused it.

    >>> told_of_similar(accepted=1, rejected=3), told_of_similar(accepted=1, rejected=0)
    ('3 similar segments were rejected, 1 accepted', '1 similar segment was accepted')
    """
    if not (accepted or rejected):
        return ""
    first, word = (rejected, "rejected") if rejected else (accepted, "accepted")
    told = f"{first} similar segment{'s were' if first > 1 else ' was'} {word}"
    return f"{told}, {accepted} accepted" if rejected and accepted else told


def bars(parts: Sequence[tuple[str, float]]) -> list[Bar]:
    """Return the few largest parts of a score as bars, and all others as one."""
    ordered = sorted(((PLAIN.get(name, name), value) for name, value in parts), key=lambda part: -abs(part[1]))
    rest = sum(value for _, value in ordered[BARS:])
    seen = [part for part in (*ordered[:BARS], ("everything else", rest)) if abs(part[1]) >= LEAST]
    longest = max((abs(value) for _, value in seen), default=1.0)
    made = []
    for name, value in seen:
        width = round(50 * abs(value) / longest, 1)
        made.append(Bar(name=name, value=value, start=50.0 if value > 0 else 50 - width, width=width))
    return made


def marked(text: str, made: Sequence[Offer]) -> list[Run]:
    """Return a segment's text in runs: each says which of the suggestions that passed the threshold it carried."""
    told = [(offer.number, offer.suggestion.because) for offer in made if offer.suggestion.suggested]
    ends = {0, len(text), *(end for _, spans in told for span in spans for end in span if 0 < end < len(text))}
    return [
        Run(
            text=text[start:end],
            numbers=tuple(number for number, spans in told if any(a <= start and end <= b for a, b in spans)),
        )
        for start, end in pairwise(sorted(ends))
    ]


def marks(answers: Standing) -> tuple[str, ...]:
    """Return in a few words what a coder made of a segment, with each theme by itself."""
    given = [decision.answer for decision in answers.values()]
    unsure = ["unsure"] if Answer.UNSURE in given else []
    match state_of(answers):
        case State.CODED:
            words = list(themes_of(answers))
        case State.NOTHING:
            words = ["nothing fits"]
        case State.REJECTED:
            words = [f"no theme, {given.count(Answer.REJECT)} rejected"]
        case State.UNSURE:
            words = []
        case State.OPEN:
            words = ["open"]
    return (*words, *unsure)


def passages(segments: Sequence[Segment], answers: Mapping[SegmentId, Standing]) -> list[Passage]:
    """Return the segments of a transcript as passages, numbered in their order."""
    return [
        Passage(
            segment=segment,
            number=number,
            state=state_of(answers.get(segment.id, {})),
            marks=marks(answers.get(segment.id, {})),
        )
        for number, segment in enumerate(segments, 1)
    ]


def document(transcript: Transcript, cut: Sequence[Passage]) -> list[Said]:
    """Return the whole text of a transcript in order: turns with their passages, and what stands between turns."""
    by_turn: dict[int, list[Passage]] = {}
    for passage in cut:
        by_turn.setdefault(passage.segment.turn, []).append(passage)
    said: list[Said] = []
    at = 0
    for index, turn in enumerate(transcript.turns):
        if words := _without_label(transcript.text[at : turn.start], turn.speaker):
            said.append(Said(turn=None, stretches=(Stretch(text=words, passage=None),)))
        said.append(Said(turn=turn, stretches=tuple(_stretches(transcript.text, turn, by_turn.get(index, [])))))
        at = max(at, turn.end)
    if rest := transcript.text[at:].strip():
        said.append(Said(turn=None, stretches=(Stretch(text=rest, passage=None),)))
    return said


def _without_label(gap: str, speaker: str) -> str:
    """Return the text before a turn without the line that names its speaker: the page names the speaker itself."""
    lines = gap.strip().split("\n")
    return "\n".join(lines[:-1] if speaker and speaker in lines[-1] else lines).strip()


def _stretches(text: str, turn: Turn, cut: Sequence[Passage]) -> list[Stretch]:
    stretches: list[Stretch] = []
    at = turn.start
    for passage in cut:
        if between := text[at : passage.segment.start].strip():
            stretches.append(Stretch(text=between, passage=None))
        stretches.append(Stretch(text=passage.segment.text, passage=passage))
        at = max(at, passage.segment.end)
    if rest := text[at : turn.end].strip():
        stretches.append(Stretch(text=rest, passage=None))
    return stretches


def offers(suggestions: Sequence[Suggestion], answers: Standing, themes: Mapping[str, Theme]) -> list[Offer]:
    """Return visible suggestions as offers, numbered in their order; those that passed the threshold come first."""
    ordered = sorted(suggestions, key=lambda suggestion: (not suggestion.suggested, suggestion.rank))
    return [
        Offer(
            number=number,
            suggestion=suggestion,
            theme=themes[suggestion.theme],
            answer=answers[suggestion.theme].answer.value if suggestion.theme in answers else "",
            next_best=suggestion.runner_up if suggestion.runner_up in themes else "",
        )
        for number, suggestion in enumerate(ordered, 1)
    ]


def overview(
    entries: Sequence[Entry], done: Mapping[TranscriptId, Progress], *, search: str = "", page: int = 1
) -> Overview:
    """Return one page of the transcripts whose name or site contains the search words, by site."""
    words = search.casefold().split()
    found = [e for e in entries if all(word in f"{e.site} {e.name}".casefold() for word in words)]
    pages = max(1, ceil(len(found) / PAGE))
    page = min(max(page, 1), pages)
    rows = [Row(entry=e, progress=done.get(e.id, Progress())) for e in found[(page - 1) * PAGE : page * PAGE]]
    sites = tuple((site, tuple(group)) for site, group in groupby(rows, key=lambda row: row.entry.site))
    counted = [done[e.id] for e in entries if e.id in done]
    total = Progress(
        segments=sum(p.segments for p in counted),
        decided=sum(p.decided for p in counted),
        unsure=sum(p.unsure for p in counted),
    )
    return Overview(sites=sites, total=total, found=len(found), page=page, pages=pages)
