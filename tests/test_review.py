"""Deciding on the review page, as a browser without scripts does it."""

import asyncio
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from starlette.types import Message

from pipeline.records import Answer, Codebook, Decision, Mode, SegmentId, present
from pipeline.review import pages
from pipeline.review.answers import undo_last
from pipeline.review.queue import DECIDED, State, next_open, standing, state_of
from pipeline.store import Store, open_store
from pipeline.store.decisions import add_decisions, load_decisions

from .reviewing import CODEBOOK, QUOTE, TOKEN, Coder, at_the_page, rerank, study_in, transcript

KIND = "Kindness <of drivers>"


def test_a_transcript_is_coded_from_begin_to_end_without_scripts(coder: Coder, ids: list[SegmentId]) -> None:
    assert "0</b> of 10 segments decided" in coder.go("/")
    coder.go("/next")
    assert ids[0] in coder.url
    coder.post(f"/segment/{ids[0]}?go=next", {"answer": "accept", "theme": "Waiting", "at": coder.at})
    assert f"segment={ids[1]}" in coder.url
    coder.post(f"/segment/{ids[1]}?go=next", {"answer": "reject_all", "theme": "", "at": coder.at})
    coder.post(f"/segment/{ids[2]}?go=next", {"answer": "unsure", "theme": "", "at": coder.at})
    coder.post(f"/segment/{ids[3]}", {"answer": "add", "theme": "Weather", "at": coder.at})
    assert f"segment={ids[3]}" in coder.url
    assert [coder.mark(one) for one in ids] == ["Waiting", "no theme, 2 rejected", "unsure", "Weather", "open"]
    assert "3 of 5 decided, 1 unsure" in coder.page
    coder.go("/next")
    coder.post(f"/segment/{ids[4]}?go=next", {"answer": "nothing", "theme": "", "at": coder.at})
    assert transcript("Group 2", "South")[1][0].id in coder.url
    assert "Here is the next" in coder.page
    assert "4</b> of 10 segments decided, 1 unsure" in coder.go("/")


def test_a_decision_keeps_what_was_on_the_page(coder: Coder, ids: list[SegmentId]) -> None:
    before = datetime.now(UTC)
    coder.say(ids[0], "accept", "Waiting")
    (row,) = coder.rows
    assert (row.segment, row.coder, row.theme, row.answer) == (ids[0], "Ria", "Waiting", Answer.ACCEPT)
    assert (row.rank, row.probability, row.exemplar) == (1, 0.91, QUOTE)
    assert row.score == pytest.approx(0.81)
    assert (row.run, row.encoder, row.codebook_revision) == ("run-1", "e5", CODEBOOK.revision)
    assert (row.shown, row.mode) == (True, Mode.ROUTINE)
    assert row.seconds is not None
    assert 0 <= row.seconds < 30
    assert before <= row.decided_at <= datetime.now(UTC)


def test_the_time_since_the_page_was_rendered_is_kept(coder: Coder, ids: list[SegmentId]) -> None:
    coder.go("/next")
    at = str(int((time.time() - 12) * 1e6))
    coder.post(f"/segment/{ids[0]}", {"answer": "reject", "theme": "Waiting", "at": at})
    assert coder.rows[0].seconds == pytest.approx(12, abs=2)


@pytest.mark.parametrize(
    ("answer", "theme", "rows"),
    [
        ("accept", "Waiting", [("Waiting", "accept")]),
        ("accept", "Money", [("Money", "accept")]),  # folded away, but there
        ("reject", KIND, [(KIND, "reject")]),
        ("unsure", KIND, [(KIND, "unsure")]),
        ("unsure", "", [("", "unsure")]),
        ("add", "Weather", [("Weather", "add")]),
        ("add", "weather", [("Weather", "add")]),
        ("add", "Waiting", [("Waiting", "accept")]),  # it was visible
        ("add", "Money", [("Money", "add")]),  # it was folded away
        ("nothing", "", [("", "nothing"), ("Waiting", "reject"), (KIND, "reject")]),
        ("reject_all", "", [("Waiting", "reject"), (KIND, "reject")]),
    ],
)
def test_what_an_answer_writes(
    coder: Coder, ids: list[SegmentId], answer: str, theme: str, rows: list[tuple[str, str]]
) -> None:
    coder.say(ids[0], answer, theme)
    assert coder.last == rows
    written = len(coder.rows)
    coder.say(ids[0], answer, theme)
    assert len(coder.rows) == written, "the same answer again writes nothing"


def test_an_added_theme_was_not_ranked(coder: Coder, ids: list[SegmentId]) -> None:
    coder.say(ids[0], "add", "Money")
    assert (coder.rows[0].rank, coder.rows[0].probability, coder.rows[0].shown) == (None, None, True)


def test_rejecting_the_rest_keeps_what_was_accepted(coder: Coder, ids: list[SegmentId]) -> None:
    coder.say(ids[0], "accept", KIND)
    assert "Reject the rest" in coder.page
    coder.say(ids[0], "reject_all")
    assert coder.last == [("Waiting", "reject")]
    assert coder.mark(ids[0]) == KIND


def test_nothing_fits_overrules_themes_given_before_and_the_other_way_round(coder: Coder, ids: list[SegmentId]) -> None:
    coder.say(ids[0], "add", "Weather")
    coder.say(ids[0], "accept", "Waiting")
    coder.say(ids[0], "nothing")
    assert coder.last == [("", "nothing"), ("Waiting", "reject"), (KIND, "reject"), ("Weather", "undo")]
    assert present(coder.rows)[0].themes == ()
    coder.say(ids[0], "accept", KIND)
    assert coder.last == [(KIND, "accept"), ("", "undo")]
    assert coder.mark(ids[0]) == KIND


def test_a_theme_is_taken_back_by_its_button(coder: Coder, ids: list[SegmentId]) -> None:
    coder.say(ids[0], "accept", "Waiting")
    assert coder.page.count("Take back") == 1
    coder.say(ids[0], "undo", "Waiting")
    assert coder.last == [("Waiting", "undo")]
    assert coder.mark(ids[0]) == "open"
    coder.say(ids[0], "undo", "Waiting")
    assert len(coder.rows) == 2


def test_undo_goes_back_three_actions_and_no_further(coder: Coder, ids: list[SegmentId]) -> None:
    coder.say(ids[0], "reject", "Waiting")
    coder.say(ids[0], "accept", "Waiting")
    coder.say(ids[1], "nothing")
    assert coder.mark(ids[1]) == "nothing fits"
    coder.undo()
    assert (coder.mark(ids[0]), coder.mark(ids[1])) == ("Waiting", "open")
    assert f"segment={ids[1]}" in coder.url
    coder.undo()
    assert f"segment={ids[0]}" in coder.url
    assert coder.mark(ids[0]) == "no theme, 1 rejected"
    assert coder.rows[-1].rank == 1, "the earlier answer stands again with all that was seen then"
    coder.undo()
    assert coder.mark(ids[0]) == "open"
    written = len(coder.rows)
    assert "nothing left to take back" in coder.undo()
    assert len(coder.rows) == written
    assert present(coder.rows) == []


def test_undo_works_after_a_restart_and_after_new_answers(
    coder: Coder, ids: list[SegmentId], store: Store, tmp_path: Path
) -> None:
    coder.say(ids[0], "accept", "Waiting")
    coder.say(ids[1], "accept", "Waiting")
    coder.undo()
    coder.say(ids[2], "accept", KIND)
    with at_the_page(store, study_in(tmp_path)) as again:
        again.go(f"/transcript/{again.where(ids[0])}")
        again.undo()
        assert [again.mark(one) for one in ids[:3]] == ["Waiting", "open", "open"]
        again.undo()
        assert [again.mark(one) for one in ids[:3]] == ["open", "open", "open"]


def test_the_same_undo_sent_twice_goes_back_once(coder: Coder, ids: list[SegmentId]) -> None:
    coder.say(ids[0], "accept", "Waiting")
    coder.say(ids[1], "accept", "Waiting")
    at = coder.at
    coder.post("/undo", {"at": at, "segment": ids[1]})
    assert "out of date" in coder.post("/undo", {"at": at, "segment": ids[1]})
    assert coder.mark(ids[0]) == "Waiting"


def test_what_was_imported_is_not_taken_back(coder: Coder, ids: list[SegmentId], store: Store) -> None:
    coder.say(ids[0], "accept", "Waiting")
    now = datetime.now(UTC)
    add_decisions(store, [Decision(segment=ids[1], coder="Ria", theme="Money", answer=Answer.ADD, decided_at=now)])
    coder.go(f"/transcript/{coder.where(ids[0])}")
    assert "nothing left to take back" in coder.undo()
    assert coder.mark(ids[1]) == "Money"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["accept", "reject", "unsure", "undo"])), max_size=8))
def test_undoing_everything_leaves_nothing(said: list[tuple[str, str]]) -> None:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        Decision(segment=SegmentId("s"), coder="c", theme=theme, answer=Answer(answer), seconds=1.0, decided_at=at)
        for at, (theme, answer) in zip((began + timedelta(minutes=n) for n in range(99)), said, strict=False)
    ]
    states = [standing(rows[:n]).get(SegmentId("s"), {}) for n in range(len(rows) + 1)]
    for n in range(len(said), 0, -1):
        back = undo_last(rows, at=began + timedelta(days=100 - n))
        rows += back
        stands = {theme: row.answer for theme, row in standing(rows).get(SegmentId("s"), {}).items()}
        assert stands == {theme: row.answer for theme, row in states[n - 1].items()}
    assert undo_last(rows, at=began + timedelta(days=200)) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.sampled_from(list(Answer))), max_size=6))
def test_a_segment_is_decided_when_it_has_a_coding(said: list[tuple[str, Answer]]) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    said = [("" if a in (Answer.CUT, Answer.SPAN) else t, a) for t, a in said]
    rows = [Decision(segment=SegmentId("s"), coder="c", theme=t, answer=a, decided_at=at) for t, a in said]
    state = state_of(standing(rows).get(SegmentId("s"), {}))
    assert (state in DECIDED and state is not State.CUT) == bool(present(rows))


def test_progress_is_what_the_store_counts(coder: Coder, ids: list[SegmentId], store: Store) -> None:
    coder.say(ids[0], "reject", "Waiting")
    coder.say(ids[1], "unsure", "Waiting")
    coder.say(ids[2], "nothing")
    assert len(present(load_decisions(store, coder="Ria"))) == 2
    assert "2 of 5 decided, 1 unsure" in coder.page


def test_the_next_open_segment_is_looked_for_ahead_and_then_from_the_start() -> None:
    a, b, c = (SegmentId(name) for name in "abc")
    assert next_open([a, b, c], {}, b) == c
    assert next_open([a, b, c], {}, c) == a
    assert next_open([a, b, c], {}, None) == a
    done = state_of({"": Decision(segment=a, coder="c", answer=Answer.NOTHING, decided_at=datetime.now(UTC))})
    assert next_open([a, b, c], {a: done, c: done}, b) is None
    assert next_open([], {}, None) is None


def test_when_nothing_is_open_the_overview_says_so(coder: Coder) -> None:
    every = [s.id for name in (("Group 1", "North"), ("Group 2", "South")) for s in transcript(*name)[1]]
    for one in every[:-1]:
        coder.say(one, "nothing", go="?go=next")
    coder.say(every[-1], "unsure", go="?go=next")
    assert "Nothing is open any more." in coder.page
    assert "You were unsure of 1" in coder.page
    assert "Continue" not in coder.page


def test_next_and_previous_go_over_the_edge_of_a_transcript(coder: Coder, ids: list[SegmentId]) -> None:
    other = [segment.id for segment in transcript("Group 2", "South")[1]]
    page = coder.go(f"/transcript/{coder.where(ids[0])}?segment=last")
    assert f'id="s-{ids[-1]}" tabindex="-1"' in page
    assert f"/transcript/{coder.where(other[0])}?segment=first" in page
    page = coder.go(f"/transcript/{coder.where(other[0])}?segment=first")
    assert f"/transcript/{coder.where(ids[0])}?segment=last" in page


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/segment/{}", {"answer": "accept", "theme": "Envy", "at": "1"}),
        ("/segment/{}", {"answer": "add", "theme": "", "at": "1"}),
        ("/segment/{}", {"answer": "approve", "theme": "Waiting", "at": "1"}),
        ("/segment/{}", {"theme": "Waiting", "at": "1"}),
        ("/segment/{}", {"answer": "accept", "theme": "Waiting"}),
        ("/segment/{}", {"answer": "accept", "theme": "Waiting", "at": "-1"}),
        ("/segment/{}", {"answer": "accept", "theme": "Waiting", "at": "1", "seen": ""}),
        ("/segment/none", {"answer": "accept", "theme": "Waiting", "at": "1"}),
        ("/undo", {}),
    ],
)
def test_a_form_that_is_not_ours_writes_nothing(
    coder: Coder, ids: list[SegmentId], path: str, form: dict[str, str]
) -> None:
    coder.go("/next")
    page = coder.post(path.format(ids[0]), form)
    assert coder.status == 400
    assert "Nothing was written" in page
    assert coder.rows == []


def test_an_answer_to_a_suggestion_that_is_gone_writes_nothing(coder: Coder, ids: list[SegmentId]) -> None:
    assert "The suggestions have changed" in coder.say(ids[0], "accept", "Weather")
    assert coder.rows == []


@pytest.mark.parametrize("answer", ["reject_all", "nothing", "accept"])
def test_an_answer_counts_for_the_suggestions_that_were_on_the_page(
    coder: Coder, ids: list[SegmentId], store: Store, answer: str
) -> None:
    coder.go(f"/transcript/{coder.where(ids[0])}?segment={ids[0]}")
    rerank(store, "run-2", transcript()[1], suggested=1, best=0.6)
    coder.post(f"/segment/{ids[0]}?go=next", {"answer": answer, "theme": "Waiting", "at": coder.at})
    themed = [row for row in coder.rows if row.theme]
    seen = [(row.theme, row.run, row.rank, row.probability) for row in themed]
    assert seen == [("Waiting", "run-1", 1, 0.91), (KIND, "run-1", 2, 0.71)][: 1 if answer == "accept" else 2]
    coder.post(f"/segment/{ids[1]}", {"answer": answer, "theme": "Waiting", "at": coder.at})
    assert (coder.rows[-1].run, coder.rows[-1].probability) == ("run-2", 0.6), "what comes next is suggested anew"


def test_what_is_on_the_page_stays_while_suggestions_are_made_anew(
    coder: Coder, ids: list[SegmentId], store: Store
) -> None:
    here = f"/transcript/{coder.where(ids[0])}?segment="
    coder.go(here + ids[0])
    rerank(store, "run-2", transcript()[1], suggested=1, best=0.6)
    coder.post(f"/segment/{ids[0]}", {"answer": "accept", "theme": KIND, "at": coder.at})
    assert coder.run == "run-1", "after an answer that stays at the segment"
    assert "very likely" in coder.go(here + ids[0]), "after a reload"
    coder.go(f"{here}{ids[1]}&ahead=1")
    assert coder.run == "run-2"
    assert "very likely" in coder.go(here + ids[0]), "what a browser fetches ahead is not on the screen"
    coder.go(here + ids[1])
    assert "very likely" not in coder.go(here + ids[0]), "once the coder has left it, it is as anything else"


def test_an_answer_to_a_page_of_another_codebook_writes_nothing(
    coder: Coder, ids: list[SegmentId], store: Store, tmp_path: Path
) -> None:
    coder.go("/next")
    form = {"answer": "reject_all", "at": coder.at, "seen": coder.seen, "run": coder.run}
    with at_the_page(store, study_in(tmp_path), codebook=Codebook(themes=CODEBOOK.themes[1:])) as later:
        assert "The suggestions have changed" in later.post(f"/segment/{ids[0]}?go=next", form)
    assert f"segment={ids[0]}" in later.url
    assert coder.rows == []


def test_an_answer_that_is_sent_again_counts_once(coder: Coder, ids: list[SegmentId]) -> None:
    coder.go("/next")
    first = {"answer": "accept", "theme": "Waiting", "at": coder.at, "request": "one"}
    seen = {"seen": coder.seen, "run": coder.run}
    coder.post(f"/segment/{ids[0]}?go=next", first | seen)
    assert f"segment={ids[1]}" in coder.url
    coder.undo()
    coder.post(f"/segment/{ids[0]}?go=next", first | seen)
    assert f"segment={ids[1]}" in coder.url, "it leads on as it did"
    assert [(row.answer.value, row.request) for row in coder.rows] == [("accept", "one"), ("undo", "")]


def test_an_undo_that_is_sent_again_goes_back_one_step(coder: Coder, ids: list[SegmentId]) -> None:
    coder.say(ids[0], "accept", "Waiting")
    coder.say(ids[1], "accept", "Waiting")
    back = {"at": str(time.time_ns() // 1000), "request": "back"}
    for _ in range(2):
        assert "Taken back." in coder.post("/undo", back)
        assert f"segment={ids[1]}" in coder.url
    assert [row.answer.value for row in coder.rows] == ["accept", "accept", "undo"]


def test_an_undo_that_waited_behind_answers_takes_the_last_of_them_back(coder: Coder, ids: list[SegmentId]) -> None:
    """Where the program could not be reached, all were made on pages that are older than what was written since."""
    coder.go("/next")
    at, seen = coder.at, {"seen": coder.seen, "run": coder.run}
    told = [{"answer": "accept", "theme": theme, "at": at, "request": theme[:3]} | seen for theme in ("Waiting", KIND)]
    for form in told:
        coder.post(f"/segment/{ids[0]}", form)
    assert "out of date" in coder.post("/undo", {"at": at, "request": "u0"})
    coder.post("/undo", {"at": at, "request": "u1", "after": "Wai Kin"})
    coder.post("/undo", {"at": at, "request": "u2", "after": "Wai Kin u1"})
    assert [(row.theme, row.answer.value) for row in coder.rows[2:]] == [(KIND, "undo"), ("Waiting", "undo")]


def test_time_in_which_an_answer_waited_is_not_time_spent(coder: Coder, ids: list[SegmentId]) -> None:
    coder.go("/next")
    at = str(int((time.time() - 60) * 1e6))
    coder.post(f"/segment/{ids[0]}", {"answer": "nothing", "theme": "", "at": at, "waited": str(50 * 10**6)})
    assert coder.rows[0].seconds == pytest.approx(10, abs=2)


@pytest.mark.parametrize("told", [{"request": "a b"}, {"request": "x" * 41}, {"waited": "-1"}])
def test_a_form_that_no_page_of_ours_sends_writes_nothing(
    coder: Coder, ids: list[SegmentId], told: dict[str, str]
) -> None:
    coder.go("/next")
    page = coder.post(f"/segment/{ids[0]}", {"answer": "nothing", "theme": "", "at": coder.at} | told)
    assert "The form is incomplete." in page
    assert coder.rows == []


def test_two_programs_of_one_coder_write_an_answer_once(coder: Coder, ids: list[SegmentId], tmp_path: Path) -> None:
    other = open_store(f"sqlite:///{coder.store.place}")
    coder.go("/next")
    form = {"answer": "accept", "theme": "Waiting", "at": coder.at, "seen": coder.seen}
    with at_the_page(other, study_in(tmp_path)) as again:
        both = [coder.client, again.client]
        for path, rows in ((f"/segment/{ids[0]}", 1), ("/undo", 2)):
            data = form | {"at": str(time.time_ns() // 1000)}
            ready = Barrier(2, timeout=20)
            with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as hands:
                patch.setattr("pipeline.review.app.load_decisions", slowly(load_decisions))
                sent = [hands.submit(post_together, client, path, data, ready) for client in both]
                assert [answer.result() for answer in sent] == [303, 303]
            assert len(coder.rows) == rows
    other.close()


def slowly(load: Callable[..., list[Decision]]) -> Callable[..., list[Decision]]:
    def loaded(*given: object, **named: object) -> list[Decision]:
        found = load(*given, **named)
        time.sleep(0.2)
        return found

    return loaded


def post_together(client: TestClient, path: str, data: dict[str, str], ready: Barrier) -> int:
    ready.wait()
    return client.post(f"/{TOKEN}{path}", data=data, follow_redirects=False).status_code


@pytest.mark.parametrize("path", ["/undo", "/segment/any"])
def test_a_browser_that_goes_away_while_it_sends_is_no_bug(coder: Coder, path: str) -> None:
    told: list[Message] = []
    sent: list[Message] = [
        {"type": "http.request", "body": b"at=1", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return sent.pop(0)

    async def send(message: Message) -> None:
        told.append(message)

    kind = (b"content-type", b"application/x-www-form-urlencoded")
    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/{TOKEN}{path}",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), kind],
    }

    async def visit() -> None:
        await coder.client.app(scope, receive, send)

    asyncio.run(visit())
    assert told[0]["status"] == 400
    assert coder.rows == []


@pytest.mark.parametrize(
    ("probability", "told"),
    [(0.296, "possible, 30"), (0.294, "unlikely, 29"), (0.8999, "very likely, 90"), (0.0, "unlikely, 1"), (1.0, "99")],
)
def test_the_word_fits_the_percentage_beside_it(probability: float, told: str) -> None:
    assert told in pages.likelihood(probability)


def test_each_theme_in_the_margin_keeps_its_own_direction(coder: Coder, ids: list[SegmentId]) -> None:
    coder.say(ids[0], "accept", "Waiting")
    coder.say(ids[0], "add", "Weather")
    marks = coder.page[coder.page.index('<span class="mark">') :]
    assert re.match(
        r'<span class="mark"><i [^>]*></i><bdi>Waiting</bdi>; <i [^>]*></i><bdi>Weather</bdi></span>', marks
    )


def test_less_likely_themes_are_unfolded_once_one_has_an_answer(coder: Coder, ids: list[SegmentId]) -> None:
    coder.say(ids[0], "accept", "Waiting")
    assert '<details class="folded">' in coder.page
    coder.say(ids[0], "reject", "Money")
    assert '<details class="folded" open>' in coder.page
