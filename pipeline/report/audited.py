"""What an audit found, as its report and its tables tell it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ..agreement import Agreement, Estimate, Ratings, Unitizing


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
    signals: tuple[Signal, ...]

    @property
    def themes(self) -> tuple[str, ...]:
        """The themes that were looked at."""
        return self.readings.themes
