"""What the templates show, as records. Everything here is pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
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
    """A segment, or a span of the coder's, in its place, with what the coder made of it."""

    segment: Segment
    number: int  # from 1, in its transcript
    state: State
    marks: tuple[str, ...]  # the state in words, each theme by itself
    span: bool = False  # whether it is a span of the coder's
    cut_from: int = 0  # the number of what a span is coded in place of, 0 if it is beside all


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Some characters of a transcript, with what lies there."""

    text: str
    at: int  # where they begin in the transcript
    numbers: tuple[int, ...]  # the suggestions that they carried
    spans: tuple[int, ...] = ()  # the numbers of the coder's spans
    begins: tuple[int, ...] = ()  # those of them that begin here
    here: bool = False  # whether one of them is the current one


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """Some text of a turn: a segment of the machine's, or what lies between them; with the spans that begin there."""

    text: str
    at: int  # where it begins in the transcript
    passage: Passage | None
    runs: tuple[Run, ...]
    spans: tuple[Passage, ...] = ()


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


# Scripts and languages that are written from right to left (Unicode CLDR; languages in their usual script).
SCRIPTS = "adlm arab hebr nkoo rohg syrc thaa"
LANGUAGES = "ar arc ckb dv fa glk he iw ks lrc mzn nqo pnb ps sd sdh syr ug ur yi"
FROM_RIGHT = frozenset(f"{SCRIPTS} {LANGUAGES}".split())


def direction(language: str) -> str:
    """Return in which direction a language, told as BCP 47 does, is written: its script counts, if it names one.

    >>> direction("he-IL"), direction("az-Arab"), direction("ur-Latn"), direction("en")
    ('rtl', 'rtl', 'ltr', 'ltr')
    """
    parts = language.lower().replace("_", "-").split("-")
    script = next((part for part in parts[1:] if len(part) == len("Arab") and part.isalpha()), "")
    return "rtl" if (script or parts[0]) in FROM_RIGHT else "ltr"


Carried = tuple[int, tuple[int, int]]  # the number of a suggestion, and a span of the transcript that carried it


def carried(segment: Segment, made: Sequence[Offer]) -> list[Carried]:
    """Return what in the transcript carried the suggestions for a segment that passed the threshold."""
    plain = [offer for offer in made if offer.suggestion.suggested]
    return [(o.number, (segment.start + a, segment.start + b)) for o in plain for a, b in o.suggestion.because]


def runs(text: str, at: int, told: Sequence[Carried], spans: Sequence[Passage], current: str | None) -> tuple[Run, ...]:
    """Return a text that begins at a place of its transcript in runs, with what lies in each."""
    lying = [(span.number, (span.segment.start, span.segment.end)) for span in spans]
    inner = {edge for _, span in (*told, *lying) for edge in span if at < edge < at + len(text)}
    here = {span.number for span in spans if span.segment.id == current}
    made = []
    for start, end in pairwise(sorted({at, at + len(text), *inner})):
        within = tuple(number for number, (a, b) in lying if a <= start and end <= b)
        made.append(
            Run(
                text=text[start - at : end - at],
                at=start,
                numbers=tuple(dict.fromkeys(number for number, (a, b) in told if a <= start and end <= b)),
                spans=within,
                begins=tuple(number for number, (a, _) in lying if a == start),
                here=not here.isdisjoint(within),
            )
        )
    return tuple(made)


def marks(answers: Standing) -> tuple[str, ...]:
    """Return in a few words what a coder made of a segment, with each theme by itself."""
    given = [decision.answer for decision in answers.values()]
    unsure = ["unsure"] if Answer.UNSURE in given else []
    match state_of(answers):
        case State.CODED:
            words = list(themes_of(answers))
        case State.CUT:
            words = ["cut otherwise"]
        case State.NOTHING:
            words = ["nothing fits"]
        case State.REJECTED:
            words = [f"no theme, {given.count(Answer.REJECT)} rejected"]
        case State.UNSURE:
            words = []
        case State.OPEN:
            words = ["open"]
    return (*words, *unsure)


def passages(
    units: Sequence[Segment], answers: Mapping[SegmentId, Standing], spans: Collection[SegmentId] = ()
) -> list[Passage]:
    """Return what is coded in a transcript as passages, numbered in their order; some of them are ``spans``."""
    number = {unit.id: at for at, unit in enumerate(units, 1)}

    def source(unit: Segment) -> int:
        rows = answers.get(unit.id, {}).values()
        return next((number.get(SegmentId(row.cut_from), 0) for row in rows if row.cut_from), 0)

    return [
        Passage(
            segment=unit,
            number=number[unit.id],
            state=state_of(answers.get(unit.id, {})),
            marks=marks(answers.get(unit.id, {})),
            span=unit.id in spans,
            cut_from=source(unit) if unit.id in spans else 0,
        )
        for unit in units
    ]


def document(
    transcript: Transcript, cut: Sequence[Passage], told: Sequence[Carried] = (), current: str | None = None
) -> list[Said]:
    """Return the whole text of a transcript in order: turns with their passages, and what stands between turns.

    ``told`` is what carried the suggestions for the ``current`` segment or span.
    """
    drawing = _Drawing(text=transcript.text, told=told, current=current)
    by_turn: dict[int, list[Passage]] = {}
    for passage in cut:
        by_turn.setdefault(passage.segment.turn, []).append(passage)
    said: list[Said] = []
    at = 0
    for index, turn in enumerate(transcript.turns):
        if words := _without_label(transcript.text[at : turn.start], turn.speaker):
            said.append(Said(turn=None, stretches=(Stretch(text=words, at=at, passage=None, runs=()),)))
        said.append(Said(turn=turn, stretches=tuple(_stretches(drawing, turn, by_turn.get(index, [])))))
        at = max(at, turn.end)
    if rest := transcript.text[at:].strip():
        said.append(Said(turn=None, stretches=(Stretch(text=rest, at=at, passage=None, runs=()),)))
    return said


def _without_label(gap: str, speaker: str) -> str:
    """Return the text before a turn without the line that names its speaker: the page names the speaker itself."""
    lines = gap.strip().split("\n")
    return "\n".join(lines[:-1] if speaker and speaker in lines[-1] else lines).strip()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Drawing:
    """What is the same for all of a transcript."""

    text: str
    told: Sequence[Carried]
    current: str | None

    def stretch(self, start: int, end: int, passage: Passage | None, spans: Sequence[Passage]) -> Stretch:
        text = self.text[start:end]
        return Stretch(text=text, at=start, passage=passage, runs=runs(text, start, self.told, spans, self.current))


def _stretches(drawing: _Drawing, turn: Turn, cut: Sequence[Passage]) -> list[Stretch]:
    spans = [passage for passage in cut if passage.span]
    made: list[Stretch] = []
    at = turn.start
    for passage in (passage for passage in cut if not passage.span):
        made += _between(drawing, at, passage.segment.start, spans)
        made.append(drawing.stretch(passage.segment.start, passage.segment.end, passage, spans))
        at = max(at, passage.segment.end)
    made += _between(drawing, at, turn.end, spans)
    lying: dict[int, list[Passage]] = {}
    for span in spans:
        where = next((n for n, one in enumerate(made) if span.segment.start < one.at + len(one.text)), len(made) - 1)
        lying.setdefault(where, []).append(span)
    return [replace(one, spans=tuple(lying.get(n, ()))) for n, one in enumerate(made)]


def _between(drawing: _Drawing, start: int, end: int, spans: Sequence[Passage]) -> list[Stretch]:
    words = drawing.text[start:end]
    if not words.strip():
        return []
    start += len(words) - len(words.lstrip())
    return [drawing.stretch(start, start + len(words.strip()), None, spans)]


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
