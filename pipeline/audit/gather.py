"""What the store knows up to a moment, under the names that the report may say."""

import string
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from .. import store
from ..agreement import Ratings, Reading, ratings
from ..errors import StoreFault, StudyFault
from ..intake import Session
from ..records import Codebook, Coding, Decision, Mode, SegmentId, Suggestion, TranscriptId, digest, present
from ..report import Passage
from ..store import corpus, decisions, runs, trail
from ..store.anchors import Gold, load_gold
from ..store.trail import Head

MACHINE = "the machine"
ENOUGH = 100_000  # codings, for what looks at change over time
REMEDY = "`themescout import STUDY FILE` brings human coding in, `themescout review STUDY` makes it"


@dataclass(frozen=True, kw_only=True)
class Span:
    """Where a segment lies in its transcript."""

    transcript: TranscriptId
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What an audit is made of: nothing in it is later than the last decision that counts."""

    study: str
    decisions: Sequence[Decision]  # in their order
    codings: Sequence[Coding]  # what stands of them; second readings of a segment by the same coder left out
    shown: frozenset[tuple[str, str]]  # segments that a coder read with suggestions in view
    passages: Mapping[SegmentId, Passage]
    spans: Mapping[SegmentId, Span]
    lengths: Mapping[TranscriptId, int]  # of the transcripts that segments lie in
    codebook: Codebook
    codebooks: Mapping[str, Codebook]  # by revision, those that decisions were made with
    gold: Mapping[SegmentId, Gold]  # what segments of known gold coding are
    head: Head  # of the audit trail, at the last decision that counts
    runs: Mapping[str, datetime]  # when each began, in that order; without those made while people decided
    suggestions: Mapping[tuple[SegmentId, str], Sequence[Suggestion]]  # by segment and run
    machine: Mapping[SegmentId, frozenset[str]]  # what the machine last suggested for a segment that people read

    @cached_property
    def until(self) -> datetime:
        """When the last decision was made that counts."""
        return max(decision.decided_at for decision in self.decisions)

    @cached_property
    def themes(self) -> tuple[str, ...]:
        """The codebook's themes, and after them those that were given and are not in it any more."""
        known = self.codebook.names
        given = {theme for coding in self.codings for theme in coding.themes}
        return (*known, *sorted(given - set(known)))

    @cached_property
    def machine_name(self) -> str:
        """What the machine is called among coders: never like a person."""
        coders = {coding.coder for coding in self.codings}
        name = MACHINE
        while name in coders:
            name += "*"
        return name

    @cached_property
    def _documents(self) -> dict[SegmentId, str]:
        return {segment: f"{place.site}/{place.document}" for segment, place in self.passages.items()}

    def document(self, segment: SegmentId) -> str:
        """Return a segment's document, told apart from those of the same name at other sites."""
        return self._documents[segment]


def gather(session: Session, *, as_of: datetime | None, pseudonyms: bool) -> Gathered:
    """Return what people decided until ``as_of``, and what they and the machine did it on.

    A theme that was renamed goes by the name it has in the codebook that suggestions were last made with.
    Raises ``StoreFault`` if there is no store, ``StudyFault`` if nothing was decided.
    """
    if not store.has_store(session.study.store_url):
        raise StoreFault(str(session.study.file), "there is no store yet", REMEDY)
    opened = session.store
    every = decisions.load_decisions(opened, at=as_of)
    counting = [at for at, d in enumerate(every) if as_of is None or d.decided_at <= as_of]
    made = [every[at] for at in counting if every[at].mode is not Mode.ADJUDICATION]  # that is no coder's
    if not made:
        when = "" if as_of is None else f" until {as_of.isoformat()}"
        raise StudyFault(str(session.study.file), f"nobody decided anything{when}", REMEDY)
    if pseudonyms:
        name = pseudonym_of(decision.coder for decision in made)
        made = [replace(decision, coder=name[decision.coder]) for decision in made]
    codebook = _codebook(session, as_of)
    former = {was: now for was, now in codebook.current.items() if was != now}
    made = [replace(d, theme=former[d.theme]) if d.theme in former else d for d in made]
    places = corpus.load_places(opened)
    segments = corpus.load_segments(opened, ids={decision.segment for decision in made})
    given = _under_present_names(runs.suggestions_until(opened, as_of), former)
    return Gathered(
        study=session.study.name,
        decisions=made,
        codings=present(made),
        shown=frozenset((decision.segment, decision.coder) for decision in made if decision.shown),
        passages={
            s.id: Passage(site=places[s.transcript][0], document=places[s.transcript][1], name=s.name, text=s.text)
            for s in segments
        },
        spans={s.id: Span(transcript=s.transcript, start=s.start, end=s.end) for s in segments},
        lengths=corpus.load_lengths(opened, {segment.transcript for segment in segments}),
        codebook=codebook,
        codebooks=_codebooks(session, {decision.codebook_revision for decision in made}),
        gold={segment: _renamed(gold, former) for segment, gold in load_gold(opened, as_of).items()},
        head=Head(count=counting[-1] + 1, hash=trail.hash_at(opened, counting[-1])),
        runs=_of_suggest(opened, as_of),
        suggestions=given,
        machine=_last(given),
    )


def _of_suggest(opened: store.Store, as_of: datetime | None) -> dict[str, datetime]:
    known = [run for run in runs.list_runs(opened) if runs.REFRESHED not in run.counts]
    return {run.id: run.started_at for run in known if as_of is None or run.started_at <= as_of}


def _under_present_names(
    given: Mapping[tuple[SegmentId, str], Sequence[Suggestion]], former: Mapping[str, str]
) -> Mapping[tuple[SegmentId, str], Sequence[Suggestion]]:
    if not former:
        return given
    return {
        key: [replace(one, theme=former.get(one.theme, one.theme)) for one in suggestions]
        for key, suggestions in given.items()
    }


def _renamed(gold: Gold, former: Mapping[str, str]) -> Gold:
    themes, uncertain = (
        frozenset(former.get(theme, theme) for theme in some) for some in (gold.themes, gold.uncertain)
    )
    return replace(gold, themes=themes, uncertain=uncertain)


def by_lot(gathered: Gathered, codings: Sequence[Coding]) -> Sequence[Coding]:
    """Return codings of whole documents, drawn by a hash, until there are enough: more make no test more certain."""
    if len(codings) <= ENOUGH:
        return codings
    size = Counter(gathered.document(coding.segment) for coding in codings)
    kept, total = set(), 0
    for document in sorted(size, key=lambda name: digest("drift", name)):
        if total + size[document] > ENOUGH:
            break
        kept.add(document)
        total += size[document]
    return [coding for coding in codings if gathered.document(coding.segment) in kept]


def pseudonym_of(names: Iterable[str]) -> dict[str, str]:
    """Return Coder A, Coder B and so on for names in the order in which they first come: later coders change nothing.

    >>> pseudonym_of(["Zoe", "Ana", "Zoe"])
    {'Zoe': 'Coder A', 'Ana': 'Coder B'}
    """
    return {name: f"Coder {_letters(at)}" for at, name in enumerate(dict.fromkeys(names))}


def _letters(number: int) -> str:
    """Return A for 0, Z for 25, AA for 26."""
    before, here = divmod(number, 26)
    return (_letters(before - 1) if before else "") + string.ascii_uppercase[here]


def _codebook(session: Session, as_of: datetime | None) -> Codebook:
    """Return the codebook that suggestions were last made with until then; the study's own if there were none."""
    used = [run for run in runs.list_runs(session.store) if as_of is None or run.started_at <= as_of]
    return runs.load_codebook(session.store, used[-1].codebook_revision) if used else session.codebook


def _codebooks(session: Session, revisions: Collection[str]) -> dict[str, Codebook]:
    """Return the codebooks of some revisions, as far as they are known."""
    known = {session.codebook.revision: session.codebook} | runs.load_codebooks(session.store)
    return {revision: known[revision] for revision in sorted(revisions) if revision in known}


def _last(given: Mapping[tuple[SegmentId, str], Sequence[Suggestion]]) -> dict[SegmentId, frozenset[str]]:
    """Return the themes that passed the threshold in the last run; runs come in their order."""
    return {
        segment: frozenset(one.theme for one in suggestions if one.suggested)
        for (segment, _), suggestions in given.items()
    }


def readings(gathered: Gathered) -> Ratings:
    """Return people's readings and, under the machine's name, the machine's of the segments that people read.

    Who codes spans in place of a segment is taken to have given it the themes of all of them: left out, segments that
    are hard to cut would be missing from the agreement. Where the spans lie is what unitizing alpha is about.
    """
    return ratings(_all_readings(gathered), gathered.themes)


def _all_readings(gathered: Gathered) -> Iterator[Reading]:
    given: dict[tuple[SegmentId, str], set[str]] = {}
    for coding in gathered.codings:
        unit = SegmentId(coding.cut_from or coding.segment)
        given.setdefault((unit, coding.coder), set()).update(coding.themes)
    for (unit, coder), themes in given.items():
        yield _reading(gathered, unit, coder, sorted(themes))
    for segment in dict.fromkeys(unit for unit, _ in given):
        if segment in gathered.machine:
            yield _reading(gathered, segment, gathered.machine_name, gathered.machine[segment])


def _reading(gathered: Gathered, segment: SegmentId, coder: str, themes: Collection[str]) -> Reading:
    return Reading(unit=segment, document=gathered.document(segment), coder=coder, themes=themes)
