"""A small invented study whose coders' work is audited: two sites, eight documents, three coders, a machine."""

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline import intake
from pipeline.records import Answer, Decision, Mode, Role, Segment, Suggestion, Transcript, Turn, segment_id
from pipeline.store import anchors, corpus, decisions, runs
from pipeline.store.anchors import Gold

HOSTILE = "<script>alert('theme')</script> & \"more\""
MALLORY = "<img src=x onerror=alert(1)>"
THEMES = ("Waiting", "Money", HOSTILE)
CODERS = ("Zoe", MALLORY, "Ana")
BEGAN = datetime(2026, 1, 5, 9, tzinfo=UTC)
DOCUMENTS, EACH = 8, 10
SAID = ("The bus came late", "The fare went up", "The driver sang", "Rain fell on the stop", "A goat crossed the road")


def study(
    folder: Path, *, coders: tuple[str, ...] = CODERS, machine: bool = True, documents: int = DOCUMENTS
) -> intake.Session:
    """Return a study with its store: ``coders`` have read every segment, half of them without suggestions."""
    folder.mkdir(parents=True, exist_ok=True)
    sites = "".join(f'\n[[site]]\nname = "{name}"\ntranscripts = "transcripts/{name}"\n' for name in ("North", "South"))
    told = f'name = "Bus stop study"\ncodebook = "codebook.csv"\n{sites}\n[embed]\nencoder = "hashing"\n'
    (folder / "study.toml").write_text(told, encoding="utf-8")
    with (folder / "codebook.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("theme", "definition"), *((name, "What it means.") for name in THEMES)])
    session = intake.open_session(folder)
    cut = [document(at) for at in range(documents)]
    for transcript, segments in cut:
        source = corpus.Source(path=transcript.source, site=transcript.site, sha256="-", settings="-")
        corpus.put_source(session.store, source, [(transcript, segments)])
    if machine:
        suggest(session, cut)
    for at, coder in enumerate(coders):
        decide(session, coder, seed=at)
    return session


def document(at: int) -> tuple[Transcript, list[Segment]]:
    """Return a document and its segments."""
    texts = [f"{SAID[(at + n) % len(SAID)]}, and that was talk {at} of day {n}." for n in range(EACH)]
    starts = [sum(len(text) + 1 for text in texts[:n]) for n in range(EACH)]
    turns = tuple(
        Turn(speaker="P1", role=Role.PARTICIPANT, start=start, end=start + len(text), line=n + 1)
        for n, (start, text) in enumerate(zip(starts, texts, strict=True))
    )
    site = "North" if at % 2 else "South"
    source = f"transcripts/{site}/fg{at}.txt"
    transcript = Transcript(site=site, name=f"FG{at}", source=source, language="en", text="\n".join(texts), turns=turns)
    return transcript, [
        Segment(
            id=segment_id(transcript.id, turn.start, turn.end),
            transcript=transcript.id,
            name=f"t{n:03}s1",
            turn=n,
            start=turn.start,
            end=turn.end,
            text=texts[n],
        )
        for n, turn in enumerate(turns)
    ]


def suggest(
    session: intake.Session, cut: list[tuple[Transcript, list[Segment]]], *, later: int = 0, beside: bool = False
) -> None:
    """Keep a run's suggestions: the first theme for every segment, surely enough for every other one.

    A run so many days ``later`` is sure of the others. It was made ``beside`` people who decided, or by `suggest`.
    """
    run = runs.Run(
        id=f"run-{later + 1}",
        ranking="r",
        encoder="hashing",
        codebook_revision=session.codebook.revision,
        settings="-",
        counts={runs.REFRESHED: len(cut)} if beside else {},
        started_at=BEGAN + timedelta(days=later - 1),
    )
    runs.start_run(session.store, run, session.codebook)
    for transcript, segments in cut:
        made = [suggestion(segment, 0.9 if (at + bool(later)) % 2 else 0.2) for at, segment in enumerate(segments)]
        runs.put_suggestions(session.store, run.id, {transcript.id: made})


def suggestion(segment: Segment, chance: float) -> Suggestion:
    """Return the only suggestion of a segment."""
    return Suggestion(
        segment=segment.id,
        rank=1,
        theme=THEMES[0],
        score=chance,
        probability=chance,
        suggested=chance >= 0.5,
        exemplar="",
        exemplar_source="",
        parts=(),
    )


def decide(session: intake.Session, coder: str, *, seed: int, mode: Mode = Mode.ROUTINE) -> None:
    """Let a coder read everything, one segment a minute from a day of their own on."""
    rng, made = random.Random(seed), []
    segments = corpus.load_segments(session.store)
    for at, segment in enumerate(segments):
        true = at % 4
        wrong = rng.random() < 0.25
        theme = THEMES[(true + wrong) % 3] if true < 3 else ""
        made.append(
            Decision(
                segment=segment.id,
                coder=coder,
                answer=Answer.ADD if theme else Answer.NOTHING,
                theme=theme,
                shown=at % 2 == 0,
                mode=mode,
                seconds=6.0,
                decided_at=BEGAN + timedelta(days=seed, minutes=at),
                encoder="hashing",
                codebook_revision=session.codebook.revision,
                run="run-1",
            )
        )
    decisions.add_decisions(session.store, made)


def check(session: intake.Session, coders: tuple[str, ...], *, narrows: str, revision_at: int | None = None) -> None:
    """Let coders answer every segment as an anchor, every other one showing the first theme.

    ``narrows`` misses 60 % of them in the later half. From ``revision_at`` on a revision that nobody kept is in use.
    """
    segments = corpus.load_segments(session.store)
    gold = [
        Gold(
            segment=segment.id,
            themes=frozenset({THEMES[0]} if at % 2 else ()),
            codebook_revision=session.codebook.revision,
            adjudicated_by="Team",
            adjudicated_at=BEGAN,
        )
        for at, segment in enumerate(segments)
    ]
    anchors.add_gold(session.store, gold)
    for number, coder in enumerate(coders):
        rng, made = random.Random(number), []
        for at, segment in enumerate(segments):
            late = coder == narrows and at >= len(segments) / 2
            given = rng.random() > (0.6 if late else 0.1) if at % 2 else rng.random() < 0.03
            made.append(
                Decision(
                    segment=segment.id,
                    coder=coder,
                    answer=Answer.ADD if given else Answer.NOTHING,
                    theme=THEMES[0] if given else "",
                    shown=False,
                    mode=Mode.ANCHOR,
                    seconds=6.0,
                    decided_at=BEGAN + timedelta(hours=at, minutes=number),
                    encoder="hashing",
                    codebook_revision="later" if revision_at and at >= revision_at else session.codebook.revision,
                    run="run-1",
                )
            )
        decisions.add_decisions(session.store, made)
