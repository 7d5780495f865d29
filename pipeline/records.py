"""The records that stages hand to each other, and the content ids that tell whether work was already done."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

TranscriptId = NewType("TranscriptId", str)
SegmentId = NewType("SegmentId", str)
Digest = NewType("Digest", str)

ID_LENGTH = 20  # 80 bits: a collision among ten million segments has a chance of 4e-11


def digest(*parts: object) -> Digest:
    """Return a short hash of ``parts``, the same on every machine and in every session.

    Parts are compared as JSON, so that ``("ab", "c")`` and ``("a", "bc")`` differ.

    >>> digest("ab", 1) == digest("ab", 1), digest("ab", "c") == digest("a", "bc")
    (True, False)
    """
    told = json.dumps(parts, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return Digest(hashlib.sha256(told.encode()).hexdigest()[:ID_LENGTH])


class Role(StrEnum):
    """Whose talk a turn is: only participants' and unknown speakers' talk is coded."""

    PARTICIPANT = "participant"
    MODERATOR = "moderator"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """One contribution by one speaker: the span ``[start, end)`` of the transcript's text, without the label."""

    speaker: str  # the label as written, "" when there is none
    role: Role
    start: int
    end: int
    line: int  # 1-based line, paragraph or row in the file, to name a place
    began: float | None = None  # seconds in the recording
    ended: float | None = None
    segment: str | None = None  # the name a pre-segmented file gives it; such a turn is one segment and is not cut


@dataclass(frozen=True, kw_only=True, slots=True)
class Transcript:
    """One focus group or interview. Offsets count Unicode code points of ``text``, which never changes."""

    site: str
    name: str  # the document's name: the file's name without suffix, or the `document` cell of a table
    source: str  # the file, relative to the study's folder, with forward slashes
    language: str  # BCP-47
    text: str
    turns: tuple[Turn, ...]
    among: bool = False  # one of several documents in one file: many respondents say the very same words

    @property
    def id(self) -> TranscriptId:
        """Hash of the words, so that a renamed file is recognised; a document of a table is told apart by its name."""
        return TranscriptId(digest("transcript", self.text, *((self.site, self.name) if self.among else ())))

    @property
    def minutes(self) -> float | None:
        """How long was talked, as far as the times of the turns tell; None without times."""
        times = [time for turn in self.turns for time in (turn.began, turn.ended) if time is not None]
        return (max(times) - min(times)) / 60 if times else None


def segment_id(transcript: TranscriptId, start: int, end: int) -> SegmentId:
    """Return the id of a span of a transcript: the same words at the same place have the same id for ever."""
    return SegmentId(digest("segment", transcript, start, end))


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """The unit that is coded: ``text[start:end]`` of its transcript, inside one turn."""

    id: SegmentId
    transcript: TranscriptId
    name: str  # unique in its transcript: as a pre-segmented file gives it, else like t012s1
    turn: int  # index into the transcript's turns
    start: int
    end: int
    text: str


class Kind(StrEnum):
    """How an exemplar shows its theme."""

    TYPICAL = "typical"
    ATYPICAL = "atypical"
    NEAR_MISS = "near_miss"  # looks like the theme and is not


@dataclass(frozen=True, kw_only=True, slots=True)
class Exemplar:
    """A quote that shows a theme, or, as a near miss, what the theme is not."""

    text: str
    kind: Kind = Kind.TYPICAL
    source: str = ""  # `document` or `document#segment` it was taken from


@dataclass(frozen=True, kw_only=True, slots=True)
class Theme:
    """One code of the codebook."""

    name: str
    parent: str = ""
    definition: str = ""
    include: str = ""
    exclude: str = ""
    exemplars: tuple[Exemplar, ...] = ()
    formerly: tuple[str, ...] = ()  # names it had before: decisions on them are decisions on this theme


@dataclass(frozen=True, kw_only=True, slots=True)
class Codebook:
    """The themes of a study, in the order of the file."""

    themes: tuple[Theme, ...]

    @property
    def revision(self) -> Digest:
        """Hash of everything the codebook says; every suggestion and decision carries it."""
        return digest("codebook", [_plain(theme) for theme in self.themes])

    @property
    def names(self) -> tuple[str, ...]:
        """The themes' names, in order."""
        return tuple(theme.name for theme in self.themes)

    @property
    def current(self) -> dict[str, str]:
        """The name a theme has now, by every name it has or had; a name that a theme has is no former one."""
        former = {old: theme.name for theme in self.themes for old in theme.formerly}
        return former | {name: name for name in self.names}


def _plain(theme: Theme) -> list[Any]:
    quotes = [[e.text, e.kind.value, e.source] for e in theme.exemplars]
    said = [theme.name, theme.parent, theme.definition, theme.include, theme.exclude, quotes]
    return [*said, list(theme.formerly)] if theme.formerly else said


class Because(StrEnum):
    """What in a segment carried a suggestion."""

    NOTHING = ""  # not looked for, or nothing that could be pointed at
    SENTENCE = "sentence"
    WORDS = "words"


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggestion:
    """A theme proposed for a segment, and why.

    Similar segments are those that people decided on, in other transcripts: the machine must not tell a coder what
    another one said of this one.
    """

    segment: SegmentId
    rank: int  # from 1
    theme: str
    score: float
    probability: float
    suggested: bool  # whether it passed the abstention threshold
    exemplar: str  # the quote that matched best, "" if the theme has none
    exemplar_source: str
    parts: tuple[tuple[str, float], ...]  # what the score is the sum of
    because: tuple[tuple[int, int], ...] = ()  # spans that carried it, in code points of the segment's own text
    because_kind: Because = Because.NOTHING
    runner_up: str = ""  # the best of the other themes, "" if there is none
    runner_up_probability: float | None = None
    near_accepted: int = 0  # similar segments that were given the theme
    near_rejected: int = 0  # similar segments for which the theme was turned down
    nearest_accepted: SegmentId | None = None
    nearest_rejected: SegmentId | None = None


class Answer(StrEnum):
    """What a coder says to a theme for a segment."""

    ACCEPT = "accept"
    REJECT = "reject"
    UNSURE = "unsure"
    ADD = "add"  # a theme that was not suggested
    NOTHING = "nothing"  # read, and no theme fits; has no theme
    UNDO = "undo"  # takes the coder's answer to this theme back: as if never given
    CUT = "cut"  # of the machine's segment: the coder codes spans of their own in its place; has no theme
    SPAN = "span"  # of a span: the coder marked it, and has not said what it shows; has no theme


class Mode(StrEnum):
    """In what kind of work a decision was made."""

    ROUTINE = "routine"
    WITHHELD = "withheld"
    ANCHOR = "anchor"
    OVERLAP = "overlap"
    DUPLICATE = "duplicate"
    ADJUDICATION = "adjudication"  # a lead's answer where coders disagreed: it stands for the segment, beside theirs


BLIND = frozenset({Mode.WITHHELD, Mode.ANCHOR, Mode.OVERLAP, Mode.DUPLICATE})  # come without suggestions


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """A coder's answer, with everything the coder saw when giving it. Decisions are appended, never changed."""

    segment: SegmentId
    coder: str
    answer: Answer
    theme: str = ""  # empty for the segment as a whole: NOTHING, UNSURE and their UNDO
    rank: int | None = None
    score: float | None = None
    probability: float | None = None
    exemplar: str = ""
    shown: bool = False  # whether suggestions were visible
    mode: Mode = Mode.ROUTINE
    seconds: float | None = None
    decided_at: datetime
    encoder: str = ""
    codebook_revision: str = ""
    run: str = ""
    queue: str = ""  # the order in which the coder worked; "" for that of the transcripts
    chance: float | None = None  # probability with which the segment came in this mode, where chance decided that
    cut_from: str = ""  # of a coder's span: the machine's segment that it is coded in place of, "" if it is beside all
    request: str = ""  # what the page sent the answer as: sent again under the same name it counts once


POSITIVE = frozenset({Answer.ACCEPT, Answer.ADD})
UNDECIDED = frozenset({Answer.UNDO, Answer.UNSURE, Answer.SPAN})


@dataclass(frozen=True, kw_only=True, slots=True)
class Coding:
    """What one coder makes of one segment at present: the themes given; none means read, and nothing coded."""

    segment: SegmentId
    coder: str
    themes: tuple[str, ...]  # sorted
    rejected: tuple[str, ...] = ()  # sorted; suggestions the coder turned down
    coded_at: datetime
    adjudicated: bool = False  # whether it settles a disagreement, and is not the coder's own reading
    cut_from: str = ""  # of a coder's span: the machine's segment that it is coded in place of


def present(decisions: Iterable[Decision]) -> list[Coding]:
    """Return the present coding of every (segment, coder), in order of first decision, from decisions in their order.

    The latest answer per (segment, theme, coder) counts. A pair whose answers are all undone or unsure is left out:
    it is not decided. A segment that a coder cut otherwise has no coding by that coder: its spans have. What a coder
    said when asked about a segment a second time is a check, and no coding. What somebody adjudicates is a coding of
    its own beside what the same person coded.
    """
    latest: dict[tuple[SegmentId, str, bool], dict[str, Decision]] = {}
    for decision in decisions:
        if decision.mode is Mode.DUPLICATE:
            continue
        key = (decision.segment, decision.coder, decision.mode is Mode.ADJUDICATION)
        latest.setdefault(key, {})[decision.theme] = decision
    codings = []
    for (segment, coder, adjudicated), answers in latest.items():
        standing = [d for d in answers.values() if d.answer not in UNDECIDED]
        if standing and not any(d.answer is Answer.CUT for d in standing):
            codings.append(
                Coding(
                    segment=segment,
                    coder=coder,
                    themes=tuple(sorted(d.theme for d in standing if d.answer in POSITIVE)),
                    rejected=tuple(sorted(d.theme for d in standing if d.answer is Answer.REJECT)),
                    coded_at=max(d.decided_at for d in standing),
                    adjudicated=adjudicated,
                    cut_from=next((d.cut_from for d in answers.values() if d.cut_from), ""),
                )
            )
    return codings
