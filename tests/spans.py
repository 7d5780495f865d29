"""A small invented study whose transcripts have segments of several sentences, and what a coder does to them."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.records import Role, Segment, SegmentId, Transcript, Turn, present, segment_id
from pipeline.store import Store
from pipeline.store.corpus import Source, load_segments, put_source
from pipeline.store.decisions import load_decisions
from pipeline.store.runs import Run, put_suggestions, start_run
from pipeline.store.vectors import put_vectors

from .reviewing import CODEBOOK, HASHING, Coder, at_the_page, study_in, suggestions

ONE, TWO, THREE = "The bus was late again.", "I stood there in the rain.", "Then the driver waved at me."
FOUR, FIVE = "My aunt paid for both of us.", "We laughed about it all the way home."
SAID = (("Moderator", "How was it?"), ("Ana", f"{ONE} {TWO} {THREE}"), ("Ben", "Mm-hm yes."), ("Ana", f"{FOUR} {FIVE}"))


def spoken(name: str = "Group 1") -> tuple[Transcript, list[Segment]]:
    """Return a transcript whose turns of several sentences are one segment each."""
    text, turns = f"{name}\n\n", []
    for line, (speaker, words) in enumerate(SAID, 3):
        text += f"{speaker}: "
        role = Role.MODERATOR if speaker == "Moderator" else Role.PARTICIPANT
        turns.append(Turn(speaker=speaker, role=role, start=len(text), end=len(text) + len(words), line=line))
        text += f"{words}\n\n"
    made = Transcript(site="North", name=name, source=f"north/{name}.txt", language="en", text=text, turns=tuple(turns))
    return made, [piece(made, at, name) for at, name in ((1, "s1"), (3, "s2"))]


def piece(made: Transcript, turn: int, name: str) -> Segment:
    start, end = made.turns[turn].start, made.turns[turn].end
    key, text = segment_id(made.id, start, end), made.text[start:end]
    return Segment(id=key, transcript=made.id, name=name, turn=turn, start=start, end=end, text=text)


MADE, (FIRST, SECOND) = spoken()


def span(words: str, made: Transcript = MADE) -> SegmentId:
    """Return the id of the span with these words."""
    start = made.text.index(words)
    return segment_id(made.id, start, start + len(words))


def put(store: Store, names: Sequence[str] = ("Group 1",)) -> None:
    began = datetime(2026, 3, 1, tzinfo=UTC)
    told = {"ranking": "r", "encoder": "e5", "settings": "s", "counts": {}}
    start_run(store, Run(id="run-1", codebook_revision=CODEBOOK.revision, started_at=began, **told), CODEBOOK)  # type: ignore[arg-type]
    for name in names:
        made, cut = spoken(name)
        put_source(store, Source(path=made.source, site="North", sha256=name, settings="s"), [(made, cut)])
        texts = [segment.text for segment in cut]
        put_vectors(store, HASHING.fingerprint, texts, HASHING.load().encode(texts))
        put_suggestions(store, "run-1", {made.id: [one for segment in cut for one in suggestions(segment)]})


@pytest.fixture
def ana(store: Store, tmp_path: Path) -> Iterator[Coder]:
    put(store)
    with at_the_page(store, study_in(tmp_path)) as somebody:
        yield somebody


def to(coder: Coder, segment: SegmentId) -> str:
    return coder.go(f"/transcript/{MADE.id}?segment={segment}")


def move(coder: Coder, segment: SegmentId, change: str) -> str:
    to(coder, segment)
    return coder.post(f"/span/{segment}/move", {"change": change, "at": coder.at})


def split(coder: Coder, segment: SegmentId, words: str) -> str:
    to(coder, segment)
    return coder.post(f"/span/{segment}/split", {"before": str(MADE.text.index(words)), "at": coder.at})


def mark(coder: Coder, words: str, said: str | None = None) -> str:
    start = MADE.text.index(words)
    form = {"start": str(start), "end": str(start + len(words)), "words": words if said is None else said}
    to(coder, FIRST.id)
    return coder.post(f"/mark/{MADE.id}", {**form, "at": coder.at})


def codings(store: Store) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the present codings by coder and words."""
    made = present(load_decisions(store))
    words = {one.id: one.text for one in load_segments(store, ids=[coding.segment for coding in made])}
    return {(coding.coder, words[coding.segment]): coding.themes for coding in made}


def current(coder: Coder) -> SegmentId:
    found = re.search(r'id="s-(\w+)" tabindex="-1"', coder.page)
    assert found
    return SegmentId(found[1])
