"""What goes into and comes out of a study's store besides suggesting: status, human coding, tables, evaluation."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypedDict

import numpy as np

from . import adapt, carry, embed, exchange, intake, store, work
from . import evaluate as evaluating
from .coded import coded_segments, material, still_there, understood
from .config import Study
from .errors import Fault, Faults, StoreFault, StudyFault, raise_all
from .records import Coding, Mode, Segment, SegmentId, Transcript, TranscriptId, present
from .store import corpus, decisions, memos, runs, trail


class SiteStatus(TypedDict):
    """How far the work at one site has come."""

    site: str
    transcripts: int
    segments: int
    suggested: int  # segments with at least one suggestion that passed the threshold
    decided: int  # segments that at least one coder decided on
    quarantined: int  # files set aside
    coders: dict[str, int]  # segments decided on, by coder


def status(session: intake.Session) -> list[SiteStatus]:
    """Return how far the work has come, by site, without making a store."""
    if not store.has_store(session.study.store_url):
        return [_site_status(site.name, [], Counter(), Counter(), 0) for site in session.study.site]
    entries = corpus.list_transcripts(session.store)
    site_of = {entry.id: entry.site for entry in entries}
    suggested = Counter(site_of[transcript] for transcript in runs.suggested_transcripts(session.store))
    decided: dict[tuple[str, SegmentId], str] = {}
    places = {segment.id: site_of[segment.transcript] for segment in corpus.load_segments(session.store, people=True)}
    anybody: dict[SegmentId, str] = {}
    for coding in present(decisions.load_decisions(session.store)):
        if (site := places.get(coding.segment)) and not coding.adjudicated:
            segment = SegmentId(coding.cut_from or coding.segment)  # spans are coded in place of one segment
            decided[coding.coder, segment] = anybody[segment] = site
    aside = Counter(source.site for source in intake.quarantined(session))
    done = Counter(anybody.values())
    by_coder = Counter((site, coder) for (coder, _), site in decided.items())
    return [
        _site_status(site.name, [e for e in entries if e.site == site.name], suggested, done, aside[site.name])
        | {"coders": {coder: n for (at, coder), n in sorted(by_coder.items()) if at == site.name}}
        for site in session.study.site
    ]


def set_apart(session: intake.Session) -> tuple[dict[str, str], dict[str, int]]:
    """Return muted themes with the reason, and themes decided on that the codebook lacks, with their segments."""
    return work.set_apart(session) if store.has_store(session.study.store_url) else ({}, {})


def lost(session: intake.Session) -> list[carry.Lost]:
    """Return what people decided on and the study does not say any more, without making a store."""
    return carry.lost(session.store) if store.has_store(session.study.store_url) else []


def _site_status(
    site: str, entries: Sequence[corpus.Entry], suggested: Counter[str], decided: Counter[str], aside: int
) -> SiteStatus:
    return SiteStatus(
        site=site,
        transcripts=len(entries),
        segments=sum(entry.segments for entry in entries),
        suggested=suggested[site],
        decided=decided[site],
        quarantined=aside,
        coders={},
    )


def import_coding(
    session: intake.Session, file: Path, *, partly: bool, progress: intake.Progress
) -> tuple[int, int, Faults | None]:
    """Keep the human coding of a table; return its number of rows, of decisions made, and what did not fit.

    Transcripts are read first where the store does not have them. All rows must fit, unless ``partly``: then those
    that fit are kept. Importing the same table again makes no decision. Raises ``Faults``.
    """
    rows = exchange.read_coding(file)
    if not store.has_store(session.study.store_url):
        # Placed on what is only read so far, so that a table that does not fit leaves nothing behind.
        read, segments = _only_read(session)
        placed = exchange.place_coding(rows, read, segments, session.codebook.names, place=str(file))
        raise_all(() if partly else placed.faults)
    intake.read_pending(session, progress)
    read = corpus.load_transcripts(session.store)
    segments = corpus.load_segments(session.store, people=True)
    placed = exchange.place_coding(rows, read, segments, session.codebook.names, place=str(file))
    if placed.faults and not partly:
        raise_all(placed.faults)
    known = {segment.id for segment in segments}
    corpus.add_person_segments(session.store, [c.segment for c in placed.codings if c.segment.id not in known])
    now = datetime.now(UTC)
    codings = [
        Coding(segment=c.segment.id, coder=c.coder, themes=c.themes, coded_at=c.coded_at or now) for c in placed.codings
    ]
    made = decisions.add_coding(session.store, codings, session.codebook.revision)
    return len(rows), made, Faults(placed.faults) if placed.faults else None


def _only_read(session: intake.Session) -> tuple[dict[TranscriptId, Transcript], list[Segment]]:
    """Return the study's transcripts and segments without keeping them. Raises ``Faults`` if no file can be read."""
    faults: list[Fault] = []
    read: dict[TranscriptId, Transcript] = {}
    segments: list[Segment] = []
    for file in session.files.values():
        cut = intake.gathered(faults, lambda file=file: intake.read_and_cut(session.study, file))  # type: ignore[misc]
        for transcript, pieces in cut or ():
            read[transcript.id] = transcript
            segments.extend(pieces)
    if not read:
        raise_all(faults)
    return read, segments


def export(session: intake.Session, what: str, format: str, out: Path) -> int:  # noqa: A002  # the option's name
    """Write a table and return its number of rows. Raises ``Fault`` if it cannot be written."""
    if not store.has_store(session.study.store_url):
        raise StoreFault(str(session.study.file), "there is no store yet", "`themescout suggest STUDY` makes it")
    refuse_own(session, out)
    columns, rows = _TABLES[what](session)
    count = 0

    def counted() -> Iterator[tuple[exchange.Cell, ...]]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    exchange.write_table(out, columns, counted(), format=format)
    return count


def refuse_own(session: intake.Session, out: Path) -> None:
    """Raise ``Fault`` if a file to be written is the study's own, or would be taken for a transcript."""
    study = session.study
    own = (study.file, study.codebook_file, Path(session.store.place), *(f.path for f in session.files.values()))
    if among_transcripts(study, out) or out.resolve() in {path.resolve() for path in own}:
        raise Fault(str(out), "is a part of the study, which this would replace", "choose another file")


def among_transcripts(study: Study, out: Path) -> bool:
    """Tell whether a file would be taken for one of the study's transcripts."""
    target = out.resolve()
    folders = [study.folder / site.transcripts for site in study.site]
    inside = any(target.is_relative_to(folder.resolve()) for folder in folders if folder.is_dir())
    return inside or any(target.match(str(pattern)) for pattern in folders)  # a glob like transcripts/*.csv


_Table = tuple[Sequence[str], Iterator[tuple[exchange.Cell, ...]]]


def _suggestions(session: intake.Session) -> _Table:
    by_run = {run.id: run for run in runs.list_runs(session.store)}
    made = runs.load_suggestions(session.store)
    provenance = {}
    for segment, given in made.items():
        run = by_run[given[0].run]
        provenance[segment] = exchange.Provenance(
            encoder=run.encoder, codebook_revision=run.codebook_revision, run=run.id
        )
    segments = corpus.load_segments(session.store)
    read = corpus.load_transcripts(session.store)
    flat = [one.suggestion for given in made.values() for one in given]
    return exchange.SUGGESTION_COLUMNS, exchange.suggestion_rows(segments, read, flat, provenance=provenance)


def _decisions(session: intake.Session) -> _Table:
    given = decisions.load_decisions(session.store)
    segments = _segments(session, [decision.segment for decision in given])
    read = corpus.load_transcripts(session.store, {segment.transcript for segment in segments})
    return exchange.DECISION_COLUMNS, exchange.decision_rows(given, segments, read)


def _coding(session: intake.Session) -> _Table:
    read = corpus.load_transcripts(session.store)
    codings = [c for c in present(decisions.load_decisions(session.store)) if not c.adjudicated]
    segments = [s for s in _segments(session, [coding.segment for coding in codings]) if s.transcript in read]
    there = {segment.id for segment in segments}
    codings = [coding for coding in codings if coding.segment in there]
    return exchange.CODING_COLUMNS, exchange.coding_rows(codings, segments, read)


def _trail(session: intake.Session) -> _Table:
    given = decisions.load_as_made(session.store)
    chained = zip(given, trail.load_hashes(session.store), strict=False)  # some may have been made meanwhile
    segments = _segments(session, [decision.segment for decision in given])
    read = corpus.load_transcripts(session.store, {segment.transcript for segment in segments})
    return exchange.TRAIL_COLUMNS, exchange.trail_rows(chained, segments, read)


def _memos(session: intake.Session) -> _Table:
    written = memos.load_memos(session.store)
    segments = _segments(session, [memo.about.segment for memo in written if memo.about.segment])
    read = corpus.load_transcripts(session.store, {segment.transcript for segment in segments})
    return exchange.MEMO_COLUMNS, exchange.memo_rows(written, {one.id: one for one in segments}, read)


_TABLES = {
    "suggestions": _suggestions,
    "decisions": _decisions,
    "coding": _coding,
    "memos": _memos,
    "trail": _trail,
}


def _segments(session: intake.Session, ids: Sequence[SegmentId]) -> list[Segment]:
    return corpus.load_segments(session.store, ids=set(ids))


def evaluate(
    session: intake.Session, plan: evaluating.Plan, *, setfit: bool = False, progress: intake.Progress
) -> evaluating.Evaluation:
    """Tell how good suggestions are on the human coding in the store, beside the baselines.

    With ``setfit`` an encoder that is fine-tuned for each model is among these. Raises ``StudyFault``, and
    ``EncoderFault`` if the study's encoder cannot be fine-tuned.
    """
    remedy = "`themescout import STUDY FILE` brings human coding in, `themescout review STUDY` makes it"
    if not store.has_store(session.study.store_url):
        raise StudyFault(str(session.study.file), "has no human coding to measure against", remedy)
    read = corpus.load_transcripts(session.store)
    coded = still_there(coded_segments(session.store, now=True), read.keys())
    given = {theme for codings in coded.codings.values() for coding in codings for theme in coding.themes}
    if not coded.segments or not given:
        problem = "has no human coding to measure against" if not coded.segments else "has no coding that gives a theme"
        raise StudyFault(str(session.study.file), problem, remedy)
    coded = understood(coded, session.codebook)
    if not coded.segments or not given & session.codebook.current.keys():
        unknown = ", ".join(sorted(given)[:5])
        problem = f"all its human coding is of themes that the codebook does not have: {unknown}"
        raise StudyFault(str(session.study.file), problem, "give the themes in the codebook the names they had")
    if plan.transfer and len(session.study.site) < 2:
        raise StudyFault(str(session.study.file), "has one site: nothing to transfer from", "leave --transfer out")
    work.prepare(session, intake.Tally(), progress)
    work.embed_texts(session, work.texts_of(session, coded.segments), intake.Tally(), progress)
    near, known = work.nearby(session, coded.segments)
    shown = {d.segment for d in decisions.load_decisions(session.store) if d.shown and d.mode is Mode.ROUTINE}
    measured = replace(
        material(coded, session.codebook, known, read, near),
        in_sight=np.array([segment.id in shown for segment in coded.segments]),
    )
    others = {"setfit": evaluating.setfit(partial(embed.fine_tuned, adapt.base_of(session)))} if setfit else None
    return evaluating.evaluate(measured, plan, session.study.rank, others=others, tell=progress)
