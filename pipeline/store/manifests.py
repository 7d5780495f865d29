"""What each run worked on and with, and what was suggested in the state it left."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from ..records import SegmentId, TranscriptId
from .connect import Store, insert_missing
from .corpus import portions
from .schema import manifests, runs, segments, suggestions


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A transcript that a study had when a run began."""

    id: TranscriptId
    site: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """All that a run's suggestions follow from, and what they were made with."""

    versions: Mapping[str, str]  # of this program, Python, and the packages that compute
    methods: Mapping[str, int]  # raised when reading or ranking the same gives something else than before
    encoder: str  # as the study calls it; its fingerprint is the run's
    settings: Mapping[str, Mapping[str, Any]]  # of study.toml, by section: those that suggestions depend on
    decisions: int  # how many there were
    trail: str  # the hash of the last of them, which stands for all
    learned: str  # digest of what was learned from them
    seed: int  # draws the blind checks; suggesting leaves nothing to chance
    files: Mapping[str, str]  # the study's files, each with its sha256
    documents: tuple[Document, ...]  # by site and name


def put_manifest(store: Store, run: str, manifest: Manifest) -> None:
    """Write down what a run works on; a run that goes on after it was cut off has it already."""
    with store.writing() as connection:
        insert_missing(connection, manifests, [{"run": run, "told": asdict(manifest)}])


def load_manifests(store: Store, some: Collection[str] | None = None) -> dict[str, Manifest]:
    """Return the manifests of runs, of all or of some; those of an earlier version have none."""
    query = sa.select(manifests)
    if some is not None:
        query = query.where(manifests.c.run.in_(some))
    with store.reading() as connection:
        return {row.run: _manifest(row.told) for row in connection.execute(query)}


def _manifest(told: Mapping[str, Any]) -> Manifest:
    return Manifest(**{**told, "documents": tuple(Document(**one) for one in told["documents"])})


class Told(NamedTuple):
    """A suggestion without its reasons."""

    rank: int
    theme: str
    probability: float
    suggested: bool


def suggested_by(
    store: Store, runs_: Collection[str], within: Collection[TranscriptId]
) -> dict[TranscriptId, dict[SegmentId, list[Told]]]:
    """Return what some runs suggested for segments of transcripts, by rank; of several runs what the latest did."""
    s = suggestions.c
    query = (
        sa.select(segments.c.transcript, s.segment, s.run, s.rank, s.theme, s.probability, s.suggested)
        .join(segments, segments.c.id == s.segment)
        .join(runs, runs.c.id == s.run)
        .where(s.run.in_(runs_))
        .order_by(runs.c.started_at, runs.c.id, segments.c.start, segments.c.end, s.rank)
    )
    made: dict[TranscriptId, dict[SegmentId, tuple[str, list[Told]]]] = {}
    with store.reading() as connection:
        for some in portions(sorted(within)):
            for transcript, segment, run, *told in connection.execute(query.where(segments.c.transcript.in_(some))):
                here = made.setdefault(transcript, {})
                if segment not in here or here[segment][0] != run:
                    here[segment] = (run, [])
                here[segment][1].append(Told(*told))
    return {transcript: {key: given for key, (_, given) in here.items()} for transcript, here in made.items()}
