"""Suggestions made anew while people decide, so that what they have said counts for what they read next.

Nothing is embedded and no file is read: it takes about a second, in the background of a review page. Where anything but
decisions has changed since `suggest`, the rest is left to `suggest`; and while that works, to it alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from . import work
from .coded import Coded, Vectors
from .intake import Session, Tally
from .rank import Counted
from .records import Digest, Suggestion, TranscriptId, digest, present
from .store import corpus, decisions, runs, vectors


@dataclass(frozen=True, kw_only=True, slots=True)
class Refreshed:
    """What has new suggestions."""

    run: str
    transcripts: tuple[TranscriptId, ...]  # by site and name
    segments: int  # that were ranked


class _TakenError(Exception):
    """Another process does the machine's work."""


def refresh(
    session: Session,
    transcripts: Collection[TranscriptId] | None = None,
    coder: str | None = None,
    counted: Counted | None = None,
) -> Refreshed | None:
    """Make suggestions on the present decisions for transcripts that `suggest` has made some for; keep them.

    ``transcripts`` are those to be seen to, all if not said; with ``coder``, only those in which this coder has a
    segment left to decide. A transcript's suggestions are always of one run, so all of its segments are ranked.
    Whoever does this again and again saves time with ``counted``.

    Nothing is returned, and nothing done, if these rest on the present decisions already, if another process does
    the machine's work at this moment (it is not waited for), or if something else has changed since `suggest`: the
    codebook, study.toml or the encoder, or segments were coded that have no vectors. Safe to call from any thread.

    Two things are left to the next `suggest`, which therefore does these transcripts again: what is new or changed in
    files, and what has no vector yet. That is sentences for whose segment nothing was suggested before: until then
    words are marked in place of the sentence. And spans that coders cut: until then nothing is learned from them.
    """
    try:
        with session.store.alone(_give_way):
            coded = _that_can_be_learned(session, work.learned_from(session))
            due = [at for at in _behind(session, coded) if transcripts is None or at in transcripts]
            if due and coder is not None:
                due = _left_to(session, due, coder)
            return _rank(session, coded, due, counted) if due else None
    except _TakenError:
        return None


def _give_way() -> None:
    raise _TakenError


def _rank(session: Session, coded: Coded, due: Sequence[TranscriptId], counted: Counted | None) -> Refreshed | None:
    key = _key(session, coded)
    run, tally = digest("run", key, due), Tally()
    try:
        suggest = work.suggester(session, coded, tally, lambda texts: _known(session, texts), counted)
    except vectors.NoVectorError:
        return None
    known = {runs.REFRESHED: len(due)}
    work.begin_run(session, run, key, known)
    segments = corpus.load_segments(session.store, within=due)
    made: Mapping[TranscriptId, list[Suggestion]] = {at: [] for at in due} | suggest(segments)
    runs.put_suggestions(session.store, run, made)
    tally.add(ranked=len(segments), suggested=sum(s.suggested and s.rank == 1 for some in made.values() for s in some))
    runs.end_run(session.store, run, tally.counts | known)
    return Refreshed(run=run, transcripts=tuple(due), segments=len(segments))


def _key(session: Session, coded: Coded) -> Digest:
    return digest("refreshed", work.ranking(session, coded))


def _behind(session: Session, coded: Coded) -> list[TranscriptId]:
    """Return the transcripts whose present suggestions differ from what was asked for in the decisions alone."""
    made = {run.id: run for run in runs.list_runs(session.store)}
    up_to_date = {_key(session, coded), work.ranking(session, coded)}
    found = []
    for entry in corpus.list_transcripts(session.store):
        run = made.get(entry.run or "")
        if run is not None and run.ranking not in up_to_date and _same(session, run):
            found.append(entry.id)
    return found


def _same(session: Session, run: runs.Run) -> bool:
    told = (run.encoder, run.codebook_revision, run.settings)
    return told == (session.located.fingerprint, session.codebook.revision, session.study.digest)


def _left_to(session: Session, transcripts: Sequence[TranscriptId], coder: str) -> list[TranscriptId]:
    """Return the transcripts that hold a segment which a coder has not decided."""
    done = {coding.segment for coding in present(decisions.load_decisions(session.store, coder=coder))}
    segments = corpus.load_segments(session.store, within=transcripts)
    waiting = {piece.transcript for piece in segments if piece.id not in done}
    return [transcript for transcript in transcripts if transcript in waiting]


def _that_can_be_learned(session: Session, coded: Coded) -> Coded:
    """Return what was coded without the spans cut by coders that have no vectors yet."""
    cut = {span.id for span in corpus.load_spans(session.store)}
    spans = [piece for piece in coded.segments if piece.id in cut]
    if not spans:
        return coded
    known = work.around_segments(session, spans)
    texts = {span.id: {span.text, *known[span.id].texts} for span in spans}
    every = sorted({text for some in texts.values() for text in some})
    missing = set(vectors.without_vector(session.store, session.located.fingerprint, every))
    new = {span for span, some in texts.items() if some & missing}
    return replace(
        coded,
        segments=tuple(piece for piece in coded.segments if piece.id not in new),
        codings={segment: given for segment, given in coded.codings.items() if segment not in new},
    )


def _known(session: Session, texts: Sequence[str]) -> Vectors:
    missing = set(vectors.without_vector(session.store, session.located.fingerprint, texts))
    have = [text for text in texts if text not in missing]
    return vectors.load_vectors(session.store, session.located.fingerprint, have)
