"""A small invented study for the tests of the review page, and a coder without scripts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

from starlette.testclient import TestClient

from pipeline.config import ReviewSettings, Site, Study
from pipeline.embed import HashingEncoder
from pipeline.records import (
    Because,
    Codebook,
    Decision,
    Exemplar,
    Role,
    Segment,
    SegmentId,
    Suggestion,
    Theme,
    Transcript,
    Turn,
    segment_id,
)
from pipeline.review import Encoding, create_app
from pipeline.store import Store
from pipeline.store.corpus import Source, put_source
from pipeline.store.decisions import load_decisions
from pipeline.store.runs import Run, put_suggestions, start_run
from pipeline.store.vectors import put_vectors

TOKEN = "a-secret"
QUOTE = "We stood at the stop until our feet were cold"
CODEBOOK = Codebook(
    themes=(
        Theme(
            name="Waiting", definition="Time spent at the stop", exemplars=(Exemplar(text=QUOTE, source="Old#t1s1"),)
        ),
        Theme(name="Money", parent="Means", definition="What the fare costs"),
        Theme(name="Kindness <of drivers>", include="Help & greetings"),
        Theme(name="Weather"),
    )
)
LINES = (
    ("Moderator", "What is it like to take the bus?"),
    ("Ana", "We waited an hour in the rain. <b>The ticket</b> & the coat were wet."),
    ("Ben", "Mm-hm."),
    ("Ben", "I cannot pay the fare every day."),
    ("Ana", "One driver sings, and he waits for my aunt."),
    ("Ben", "The moon is far away today."),
)
# What carried a suggestion, by segment and theme; the second segment has markup in its text.
REASONS = {
    ("s1", "Waiting"): ((3, 20),),
    ("s1", "Kindness <of drivers>"): ((10, 28),),
    ("s2", "Waiting"): ((0, 17), (22, 26)),
}
SPOKEN = (1, 3, 4, 5)  # the turns that have a segment; the first of them has two
HASHING = Encoding(fingerprint=HashingEncoder.fingerprint, load=HashingEncoder)
NONE_SUGGESTED = 4  # the last segment: nothing passed the threshold there


def transcript(name: str = "Group 1", site: str = "North") -> tuple[Transcript, list[Segment]]:
    """Return a transcript of five segments; other names give other words."""
    text = f"Recorded for {name}\n\n"
    turns = []
    for line, (speaker, words) in enumerate(LINES):
        text += f"{speaker}: "
        role = Role.MODERATOR if speaker == "Moderator" else Role.PARTICIPANT
        turns.append(Turn(speaker=speaker, role=role, start=len(text), end=len(text) + len(words), line=line + 3))
        text += f"{words}\n\n"
    made = Transcript(
        site=site, name=name, source=f"{site}/{name}.txt", language="en-GB", text=text, turns=tuple(turns)
    )
    spans = [(turn, made.turns[turn].start, made.turns[turn].end) for turn in SPOKEN]
    first = text.index("rain.") + 5
    spans[:1] = [(1, spans[0][1], first), (1, first + 1, spans[0][2])]
    return made, [_segment(made, at, span) for at, span in enumerate(spans, 1)]


def _segment(made: Transcript, at: int, span: tuple[int, int, int]) -> Segment:
    turn, start, end = span
    key = segment_id(made.id, start, end)
    name = f"s{at}"
    return Segment(id=key, transcript=made.id, name=name, turn=turn, start=start, end=end, text=made.text[start:end])


def suggestions(segment: Segment, *, suggested: int = 2, best: float = 0.91) -> list[Suggestion]:
    """Return three suggestions for a segment; the first ``suggested`` passed the threshold."""
    ranked = (("Waiting", best), ("Kindness <of drivers>", min(0.71, best)), ("Money", min(0.2, best)))
    return [
        Suggestion(
            segment=segment.id,
            rank=rank,
            theme=theme,
            score=probability - 0.1,
            probability=probability,
            suggested=rank <= suggested,
            exemplar=QUOTE if rank == 1 else "",
            exemplar_source="Old#t1s1" if rank == 1 else "",
            parts=(("learned", probability), ("rivals", -0.04), ("frequency", -0.4)),
            because=REASONS.get((segment.name, theme), ()),
            because_kind=Because.SENTENCE if (segment.name, theme) in REASONS else Because.NOTHING,
            runner_up="Waiting" if rank > 1 else "Kindness <of drivers>",
            runner_up_probability=0.91 if rank > 1 else 0.71,
            near_accepted=1 if rank == 1 else 0,
            near_rejected=3 if rank == 1 else 0,
        )
        for rank, (theme, probability) in enumerate(ranked, 1)
    ]


def study_in(folder: Path, *, withhold: float = 0.0, show_scores: bool = True, decide_first: bool = False) -> Study:
    """Return the settings of a study with a share of withheld segments."""
    return Study(
        name="Bus <stop> study",
        codebook="codebook.csv",
        site=(Site(name="North", transcripts="north"), Site(name="South", transcripts="south")),
        review=ReviewSettings(withhold=withhold, show_scores=show_scores, decide_first=decide_first),
        folder=folder,
    )


def fill(store: Store, names: Sequence[tuple[str, str]] = (("North", "Group 1"),)) -> list[Segment]:
    """Put transcripts with suggestions into the store; returns the segments of the first."""
    began = datetime(2026, 3, 1, tzinfo=UTC)
    run = Run(
        id="run-1",
        ranking="r",
        encoder="e5",
        codebook_revision=CODEBOOK.revision,
        settings="s",
        counts={},
        started_at=began,
    )
    start_run(store, run, CODEBOOK)
    filled = []
    for site, name in names:
        made, cut = transcript(name, site)
        put_source(store, Source(path=made.source, site=site, sha256=name, settings="s"), [(made, cut)])
        ranked = [s for at, seg in enumerate(cut) for s in suggestions(seg, suggested=0 if at == NONE_SUGGESTED else 2)]
        put_suggestions(store, run.id, {made.id: ranked})
        texts = [segment.text for segment in cut]
        put_vectors(store, HASHING.fingerprint, texts, HashingEncoder().encode(texts))
        filled.append(cut)
    return filled[0]


def rerank(
    store: Store, run: str, cut: Sequence[Segment], *, suggested: int, weak: Sequence[Segment] = (), best: float = 0.91
) -> None:
    """Make a later run's suggestions the present ones of a transcript; nothing is likely for the weak segments."""
    began = datetime(2026, 3, 2, tzinfo=UTC)
    revision = CODEBOOK.revision
    made = Run(id=run, ranking=run, encoder="e5", codebook_revision=revision, settings="s", counts={}, started_at=began)
    start_run(store, made, CODEBOOK)
    ranked = [
        one for segment in cut if segment not in weak for one in suggestions(segment, suggested=suggested, best=best)
    ]
    ranked += [one for segment in weak for one in suggestions(segment, suggested=0, best=0.1)]
    put_suggestions(store, run, {cut[0].transcript: ranked})


@dataclass
class Coder:
    """Somebody at the page, without scripts: sees the HTML, sends the forms."""

    client: TestClient
    store: Store
    name: str
    page: str = ""
    url: str = ""

    def go(self, path: str) -> str:
        """Open a page; returns its HTML."""
        return self._arrived("GET", path, None)

    def post(self, path: str, data: Mapping[str, str]) -> str:
        """Send a form of the present page; returns the HTML of the page it leads to."""
        return self._arrived("POST", path, {"seen": self.seen, "run": self.run} | dict(data))

    def _arrived(self, method: str, path: str, data: Mapping[str, str] | None) -> str:
        answer = self.client.request(method, f"/{TOKEN}{path}", data=data)
        self.page, self.url = answer.text, str(answer.url)
        self.status = answer.status_code
        return self.page

    def say(self, segment: SegmentId, answer: str, theme: str = "", *, go: str = "") -> str:
        """Press a button of a segment's panel."""
        self.go(f"/transcript/{self.where(segment)}?segment={segment}")
        return self.post(f"/segment/{segment}{go}", {"answer": answer, "theme": theme, "at": self.at})

    def undo(self) -> str:
        """Press undo on the present page."""
        segment = re.search(r'name="segment" value="(\w+)"', self.page)
        return self.post("/undo", {"at": self.at} | ({"segment": segment[1]} if segment else {}))

    @property
    def at(self) -> str:
        """When the present page was rendered, as its forms say."""
        found = re.search(r'name="at" value="(\d+)"', self.page)
        assert found
        return found[1]

    @property
    def seen(self) -> str:
        """Which suggestions the present page shows, as its forms say."""
        found = re.search(r'name="seen" value="(\w+)"', self.page)
        return found[1] if found else ""

    @property
    def run(self) -> str:
        """Whose suggestions the present page shows, as its forms say."""
        found = re.search(r'name="run" value="([\w-]+)"', self.page)
        return found[1] if found else ""

    def where(self, segment: SegmentId) -> str:
        """Return the transcript of a segment."""
        from pipeline.store.corpus import load_segments

        return load_segments(self.store, ids=[segment])[0].transcript

    def mark(self, segment: SegmentId) -> str:
        """Return the state of a segment as the present page says it."""
        found = re.search(rf'id="s-{segment}".*?<span class="mark">(.*?)</span>', self.page, flags=re.DOTALL)
        assert found
        return unescape(re.sub("</?(bdi|i)\\b[^>]*>", "", found[1]))

    @property
    def rows(self) -> list[Decision]:
        """All that was written for this coder."""
        return load_decisions(self.store, coder=self.name)

    @property
    def last(self) -> list[tuple[str, str]]:
        """What the latest action wrote: themes and answers."""
        rows = self.rows
        return [(row.theme, row.answer.value) for row in rows if row.decided_at == rows[-1].decided_at]


@contextmanager
def at_the_page(
    store: Store, study: Study, name: str = "Ria", codebook: Codebook = CODEBOOK, encoding: Encoding | None = HASHING
) -> Iterator[Coder]:
    """Give a coder at the page."""
    app = create_app(store, study, codebook, coder=name, token=TOKEN, encoding=encoding)
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        yield Coder(client=client, store=store, name=name)


def without_draft_names(page: str) -> str:
    """Return a page without the names of memos' drafts, which are hashes that tell nothing."""
    return re.sub(r'((?:data-about|name="about" value)="|memo-)[0-9a-f]{20}(?: [0-9a-f]{20})?', r"\1", page)
