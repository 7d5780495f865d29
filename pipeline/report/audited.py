"""What an audit found, as its report and its tables tell it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ..agreement import Agreement, Estimate, Ratings, Unitizing
from ..drift import Advice, Check, DriftAudit
from ..effort import Pace, Saturation, Saving
from ..influence import Estimate as ByDocument
from ..influence import Influence
from ..records import Mode


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A segment as a reader finds it again."""

    site: str
    document: str
    name: str
    text: str

    @property
    def place(self) -> str:
        """Where it stands: site, document, segment."""
        return f"{self.site} / {self.document} / {self.name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """How much one coder has read, and what."""

    coder: str
    segments: int
    documents: int
    sites: tuple[str, ...]
    given: int  # themes given
    first: datetime
    last: datetime
    modes: Mapping[str, int]  # segments by the kind of work, as far as there is more than routine


@dataclass(frozen=True, kw_only=True, slots=True)
class Beside:
    """How far a coder agrees with the machine: on everything, and on what the coder read without suggestions."""

    coder: str
    units: int
    everything: Estimate  # pooled kappa
    blind_units: int
    blind: Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """How the machine would stand among the coders, on the segments that it made suggestions for."""

    name: str  # marks it as no person
    coders: tuple[Beside, ...]  # those with most segments
    with_machine: Mapping[str, Estimate]  # alpha of code sets with the machine as one more coder
    without: Mapping[str, Estimate]  # of people alone, on the same segments


@dataclass(frozen=True, kw_only=True, slots=True)
class Reliability:
    """How far coders agree."""

    everything: Agreement
    blind: Agreement  # on readings without suggestions alone
    sites: Mapping[str, Agreement]  # where there is more than one
    machine: Machine | None  # None without suggestions
    unitizing: Unitizing | None  # where coders cut for themselves


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """Who answers otherwise than before."""

    audit: DriftAudit
    checks: tuple[Check, ...]  # what it was made of
    chosen: bool  # whether the study says which themes are watched
    anchors: int  # that were answered, also where they were too few to go by
    documents: int  # that the answers come from
    drawn_from: int  # documents, of which those were drawn by lot, as there were very many answers; 0 where all count
    revisions: tuple[tuple[datetime, str], ...]  # when somebody first worked with each revision of the codebook
    advice: tuple[Advice, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Screened:
    """What reading in the machine's order finds of one theme, among the segments that people read."""

    theme: str
    segments: int
    relevant: int  # of them, that at least half of their coders gave the theme
    tnr: float | None  # at 95 % recall
    wss: float | None
    recall: tuple[tuple[float, float | None], ...]  # by share of segments read
    enough: int  # random segments without a hit after the largest of these shares, for 90 % recall
    curve: tuple[float, ...]  # recall at equal steps from nothing read to everything


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """What coding costs, what suggestions save, and when it is enough."""

    pace: Pace
    coders: Mapping[str, Pace]
    saving: Saving
    per_right: Mapping[Mode, ByDocument]  # seconds per right theme
    screened: tuple[Screened, ...]
    saturation: Saturation


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One segment behind a signal, and what a coder made of it."""

    at: datetime | None
    coder: str
    passage: Passage
    said: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Signal:
    """Something to talk about, with the segments that show it, in one column or two side by side."""

    title: str
    words: str
    columns: tuple[tuple[str, tuple[Example, ...]], ...]  # each under its heading


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """Where the audit trail stood: the hash of the last of so many decisions, which stands for all of them."""

    count: int
    hash: str


@dataclass(frozen=True, kw_only=True)
class Audited:
    """Everything that an audit found."""

    study: str
    until: datetime | None  # the last decision that counts
    decisions: int
    pseudonyms: bool
    seed: int
    versions: Mapping[str, str]
    trail: Head  # at the last decision that counts
    revisions: tuple[str, ...]  # of the codebook, in the order in which decisions were made with them
    coders: tuple[Work, ...]
    readings: Ratings
    passages: Mapping[str, Passage]  # by segment
    reliability: Reliability
    drift: Drift | None  # None where nothing can be compared with anything
    influence: Influence | None  # None where nobody worked with suggestions in view
    effort: Effort
    signals: tuple[Signal, ...]

    @property
    def themes(self) -> tuple[str, ...]:
        """The themes that were looked at."""
        return self.readings.themes
