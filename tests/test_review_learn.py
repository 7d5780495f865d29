"""Suggestions made anew while people decide, and coders who say what they think before they see any."""

import re
import threading
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipeline import intake, work
from pipeline.errors import StoreFault
from pipeline.records import SegmentId
from pipeline.review import Learner, create_app, learn
from pipeline.review.orders import Order
from pipeline.store import Store, runs
from pipeline.store.corpus import load_segments

from .reviewing import CODEBOOK, NONE_SUGGESTED, TOKEN, Coder, at_the_page, fill, study_in

KIND = "Kindness <of drivers>"


def suggested(study: Path) -> intake.Session:
    session = intake.open_session(study)
    work.run_direct(session, work.look(session), intake.ALL, intake.no_progress)
    return session


def until(what: object, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not what():  # type: ignore[operator]  # a function
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_was_decided_counts_for_what_comes_next_and_not_for_what_is_on_the_page(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learn, "QUIET", 0.05)
    session = suggested(study)
    complaints: list[str] = []
    learner = Learner(lambda: session, complaints.append)
    app = create_app(session.store, session.study, session.codebook, coder="Ria", token=TOKEN, learner=learner)
    first, second = load_segments(session.store)[:2]
    with TestClient(app, base_url="http://localhost") as client:
        coder = Coder(client=client, store=session.store, name="Ria")
        coder.say(first.id, "add", "Money")
        assert coder.rows[0].theme == "Money"
        before = coder.run
        until(lambda: len(runs.list_runs(session.store)) > 1)
        until(lambda: before not in runs.present_runs(session.store))
        coder.go(f"/transcript/{first.transcript}?segment={first.id}")
        assert coder.run == before, "the segment that is on the page keeps its suggestions"
        coder.go(f"/transcript/{second.transcript}?segment={second.id}")
        assert coder.run != before
    assert complaints == []
    assert not any(thread.name == "learning" for thread in threading.enumerate())


def test_what_fails_in_the_background_is_told_to_who_began_the_program_alone(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learn, "QUIET", 0.01)
    told: list[str] = []

    def broken() -> intake.Session:
        if told:
            raise StoreFault("study.db", "is full", "make room")
        raise ValueError(segment.text)

    segment = fill(store)[0]
    app = create_app(
        store, study_in(tmp_path), CODEBOOK, coder="Ria", token=TOKEN, learner=Learner(broken, told.append)
    )
    with TestClient(app, base_url="http://localhost") as client:
        coder = Coder(client=client, store=store, name="Ria")
        for times in (1, 2):
            page = coder.say(segment.id, "add", CODEBOOK.names[times])
            until(lambda times=times: len(told) == times)
            assert coder.status == 200
            assert "made anew" not in page
    assert told[0].startswith("suggestions cannot be made anew, which is a bug: ValueError\n")
    assert segment.text not in told[0]
    assert told[1].startswith("study.db: is full")


def test_an_order_is_made_anew_after_what_was_passed(coder: Coder, store: Store) -> None:
    from dataclasses import replace

    from pipeline.review.desk import line, renew

    from .reviewing import rerank, transcript

    desk = replace(coder.client.app.state.desk, learns=True)  # type: ignore[attr-defined]  # a Starlette app
    before = line(desk, Order.SUREST).segments
    rerank(store, "run-2", transcript()[1], suggested=0)
    assert line(desk, Order.SUREST).segments == before, "nobody waits for it"
    renew(desk, Order.SUREST, before[3])
    after = line(desk, Order.SUREST).segments
    assert after[:4] == before[:4]
    assert len(set(after)) == len(after)
    assert after != before


def test_suggestions_that_nobody_saw_are_deleted_once_others_took_their_place(study: Path) -> None:
    from datetime import UTC, datetime, timedelta

    from pipeline.refresh import refresh

    session = suggested(study)
    segments = load_segments(session.store)
    made = []
    with at_the_page(session.store, session.study, codebook=session.codebook) as coder:
        for piece in segments[:3]:
            coder.say(piece.id, "add", "Money")
            done = refresh(session)
            assert done is not None
            made.append(done)
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert runs.drop_superseded(session.store, datetime.now(UTC) - timedelta(days=1)) == 0
    assert runs.drop_superseded(session.store, later) > 0
    for at, piece in enumerate(segments[1:3]):
        assert runs.suggested(session.store, piece.id, made[at].run)[0] == made[at].run, "what a decision names stays"
    assert runs.suggested(session.store, segments[0].id, made[0].run)[0] == made[2].run
    assert runs.drop_superseded(session.store, later) == 0


# --- deciding first --------------------------------------------------------------------------------------------------


@pytest.fixture
def first(store: Store, tmp_path: Path) -> object:
    fill(store, [("North", "Group 1")])
    with at_the_page(store, study_in(tmp_path, decide_first=True)) as coder:
        yield coder


def cards(page: str) -> list[str]:
    return re.findall(r"<h3>.*?<bdi>(.*?)</bdi></h3>", page)


def go_on(coder: Coder, segment: SegmentId, answer: str, theme: str = "") -> str:
    return coder.post(f"/segment/{segment}?go=next", {"answer": answer, "theme": theme, "at": coder.at})


def test_who_decides_first_sees_suggestions_after_the_own_answer_and_both_are_kept_apart(first: Coder) -> None:
    ids = [piece.id for piece in load_segments(first.store)]
    page = first.go("/next")
    assert cards(page) == []
    assert "Say first what you think" in page
    page = first.say(ids[0], "add", "Weather")
    assert cards(page) == [], "there may be more to say"
    page = go_on(first, ids[0], "done")
    assert "Your answer is written. This is what is suggested" in page
    assert f"segment={ids[0]}" in first.url
    assert "Waiting" in cards(page)
    first.post(f"/segment/{ids[0]}", {"answer": "accept", "theme": "Waiting", "at": first.at})
    go_on(first, ids[0], "done")
    assert f"segment={ids[1]}" in first.url
    kept = [(row.theme, row.answer.value, row.shown, row.rank) for row in first.rows]
    assert kept == [("Weather", "add", False, None), ("Waiting", "accept", True, 1)]


def test_what_was_seen_stays_seen(first: Coder) -> None:
    ids = [piece.id for piece in load_segments(first.store)]
    first.go("/next")
    page = go_on(first, ids[0], "nothing")
    assert "Waiting" in cards(page)
    page = first.undo()
    assert "Waiting" in cards(page)
    go_on(first, ids[0], "nothing")
    assert f"segment={ids[1]}" in first.url
    assert [row.shown for row in first.rows if row.answer.value == "nothing"] == [False, True]


def test_where_there_is_nothing_to_see_it_goes_on(first: Coder) -> None:
    ids = [piece.id for piece in load_segments(first.store)]
    first.go(f"/transcript/{first.where(ids[NONE_SUGGESTED])}?segment={ids[NONE_SUGGESTED]}")
    assert "Say first what you think" in first.page
    go_on(first, ids[NONE_SUGGESTED], "nothing")
    assert f"segment={ids[0]}" in first.url


def test_who_does_not_decide_first_is_not_offered_to_be_done(coder: Coder, ids: list[SegmentId]) -> None:
    coder.say(ids[0], "accept", "Waiting")
    assert 'value="done"' not in coder.page
