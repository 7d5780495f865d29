"""What is known of a site, as its report and its JSON tell it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..influence import Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One transcript of the site."""

    name: str
    source: str
    turns: int
    words: int  # of its segments
    minutes: float | None  # as far as times are known
    segments: int
    suggested: int | None  # segments with a suggestion; None before suggestions were made


@dataclass(frozen=True, kw_only=True, slots=True)
class Voice:
    """One speaker's label at the site; in two transcripts it may be two people."""

    label: str
    role: str
    transcripts: int
    turns: int
    words: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """How often a theme is suggested, here and at the other sites."""

    theme: str
    suggested: int  # segments here that it is suggested for
    unsure: int  # segments here without any suggestion that it is the likeliest theme of
    here: Estimate  # share of segments that it is suggested for
    elsewhere: Estimate  # at all other sites together
    sites: Mapping[str, float | None]  # at each of them


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggesting:
    """What is suggested at the site, of transcripts that suggestions were made for."""

    transcripts: int
    segments: int
    suggested: int  # segments with a suggestion
    here: Estimate  # share of segments with a suggestion
    elsewhere: Estimate
    sites: Mapping[str, float | None]
    themes: tuple[Share, ...]  # in the order of the codebook


@dataclass(frozen=True, kw_only=True, slots=True)
class Off:
    """How far a site's talk is from the exemplars."""

    segments: int
    cosine: float  # of the median segment with the exemplar that is nearest to it
    farther: Estimate  # chance that a segment is farther off than one of all other sites; 0.5: as near


@dataclass(frozen=True, kw_only=True, slots=True)
class Nearness:
    """How near talk is to the exemplars: the greatest cosine between a segment and any of them."""

    levels: tuple[float, ...]
    here: tuple[float, ...]  # share of the segments at most so near
    elsewhere: tuple[float, ...]  # empty without another site
    sites: Mapping[str, Off]  # the report's own first


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A word that is said here and hardly elsewhere."""

    word: str
    here: int  # segments
    transcripts: int
    elsewhere: int  # segments
    stands_out: float  # log odds beside the other sites, in standard errors
    codebook: bool  # whether the codebook has it

    @property
    def new(self) -> bool:
        """Whether nobody says it elsewhere and the codebook does not have it."""
        return not self.elsewhere and not self.codebook


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """What is said here and hardly elsewhere, in segments that were looked at."""

    beside: tuple[str, ...]  # sites of the same language, which it is compared with
    here: int  # segments
    elsewhere: int
    words: tuple[Word, ...]  # new ones first, the commonest ahead, then those that stand out most

    @property
    def new(self) -> tuple[Word, ...]:
        """The words that are new."""
        return tuple(word for word in self.words if word.new)


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """A segment as a reader finds it again."""

    text: str
    place: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Unexplained:
    """Segments that resemble each other and no theme."""

    words: tuple[str, ...]  # that tell them from the rest of the talk
    here: int
    elsewhere: int
    central: tuple[Said, ...]  # of this site, the most central first


@dataclass(frozen=True, kw_only=True, slots=True)
class Workload:
    """What deciding on the site will take one coder."""

    segments: int  # of the site
    decided: int  # by anybody
    checks: float  # share of a coder's work that blind checks are
    timed: int  # readings of segments in the whole study whose time is known
    pace: Estimate  # seconds for one segment, on average; no value before enough of them were timed

    @property
    def decisions(self) -> int:
        """Segments to be read, with the blind checks between them."""
        return round((self.segments - self.decided) / (1 - self.checks)) if self.checks < 1 else 0

    @property
    def hours(self) -> Estimate:
        """Hours, from and to; no value without a pace."""
        value, low, high = (
            None if seconds is None else self.decisions * max(seconds, 0.0) / 3600
            for seconds in (self.pace.value, self.pace.low, self.pace.high)
        )
        return Estimate(value=value, low=low, high=high, documents=self.pace.documents, count=self.timed)


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """What a report was made from."""

    encoder: str
    codebook_revision: str
    runs: tuple[str, ...]  # that made the present suggestions of the site
    looked_at: int  # segments whose words and vectors were compared, of all sites
    of: int  # segments of all sites


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrived:
    """Everything that a site's report tells."""

    study: str
    site: str
    language: str  # as study.toml declares it
    spoken: Mapping[str, float] = field(default_factory=dict)  # share of passages by language, as it was found
    notes: tuple[str, ...]
    aside: tuple[str, ...]  # files that are set aside, each with its reason
    documents: tuple[Document, ...]
    voices: tuple[Voice, ...]  # the commonest first
    others: tuple[str, ...]  # the other sites
    suggesting: Suggesting | None  # None before suggestions were made
    nearness: Nearness | None
    vocabulary: Vocabulary | None  # None where no other site has talk in this language
    unexplained: tuple[Unexplained, ...]
    workload: Workload
    provenance: Provenance

    @property
    def segments(self) -> int:
        """Segments of all transcripts."""
        return sum(one.segments for one in self.documents)

    @property
    def words(self) -> int:
        """Words of all segments."""
        return sum(one.words for one in self.documents)

    @property
    def timed(self) -> tuple[float, ...]:
        """Minutes of every transcript whose times are known."""
        return tuple(one.minutes for one in self.documents if one.minutes is not None)
