"""The review page, as a browser without scripts sees it."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import Message

from pipeline.errors import ReviewFault, StoreFault
from pipeline.records import Answer, Codebook, Decision, Mode, Role, Segment, SegmentId, Transcript, Turn, present
from pipeline.review import create_app, free_port, new_token, pages, serve
from pipeline.review.answers import undo_last
from pipeline.review.queue import DECIDED, next_open, standing, state_of, withheld
from pipeline.store import Store, open_store
from pipeline.store.corpus import Source, put_source
from pipeline.store.decisions import add_decisions, decided_counts, load_decisions

from .reviewing import CODEBOOK, NONE_SUGGESTED, QUOTE, TOKEN, Coder, at_the_page, fill, rerank, study_in, transcript

KIND = "Kindness <of drivers>"


@pytest.fixture
def coder(store: Store, tmp_path: Path) -> Iterator[Coder]:
    fill(store, [("North", "Group 1"), ("South", "Group 2")])
    with at_the_page(store, study_in(tmp_path)) as somebody:
        yield somebody


@pytest.fixture
def ids() -> list[SegmentId]:
    return [segment.id for segment in transcript()[1]]


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
    rows = [Decision(segment=SegmentId("s"), coder="c", theme=t, answer=a, decided_at=at) for t, a in said]
    assert (state_of(standing(rows).get(SegmentId("s"), {})) in DECIDED) == bool(present(rows))


def test_progress_is_what_the_store_counts(coder: Coder, ids: list[SegmentId], store: Store) -> None:
    coder.say(ids[0], "reject", "Waiting")
    coder.say(ids[1], "unsure", "Waiting")
    coder.say(ids[2], "nothing")
    assert list(decided_counts(store, "Ria").values()) == [2]
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
def test_suggestions_that_changed_under_an_open_page_are_not_answered(
    coder: Coder, ids: list[SegmentId], store: Store, answer: str
) -> None:
    coder.go(f"/transcript/{coder.where(ids[0])}?segment={ids[0]}")
    cut = transcript()[1]
    rerank(store, "run-2", cut, suggested=3)
    page = coder.post(f"/segment/{ids[0]}?go=next", {"answer": answer, "theme": "Waiting", "at": coder.at})
    assert "The suggestions have changed" in page
    assert f"segment={ids[0]}" in coder.url
    assert coder.rows == []
    coder.post(f"/segment/{ids[0]}", {"answer": answer, "theme": "Waiting", "at": coder.at})
    assert coder.rows[0].run == "run-2", "the page that said so can be answered"
    seen = coder.seen
    rerank(store, "run-3", cut, suggested=3)
    coder.go(f"/transcript/{coder.where(ids[0])}?segment={ids[0]}")
    assert coder.seen == seen, "another run that suggests the same changes nothing"


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
    assert '<span class="mark"><bdi>Waiting</bdi>; <bdi>Weather</bdi></span>' in coder.page


def test_less_likely_themes_are_unfolded_once_one_has_an_answer(coder: Coder, ids: list[SegmentId]) -> None:
    coder.say(ids[0], "accept", "Waiting")
    assert '<details class="folded">' in coder.page
    coder.say(ids[0], "reject", "Money")
    assert '<details class="folded" open>' in coder.page


def test_unknown_pages_are_told_in_plain_words(coder: Coder) -> None:
    assert "There is no such page" in coder.go("/transcript/none")
    assert coder.status == 404
    coder.go("/undo")
    assert coder.status == 405


@pytest.mark.parametrize(
    "path", ["/", "/wrong/", f"/{TOKEN}x/", "/wrong/static/review.css", "/%C3%A9/", f"/{TOKEN[:-1]}/"]
)
def test_without_the_token_there_is_nothing(coder: Coder, path: str) -> None:
    answer = coder.client.get(path)
    assert (answer.status_code, answer.text) == (404, "There is nothing here.")
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "192.168.0.7:8000"]
)
def test_under_another_name_there_is_nothing(coder: Coder, host: str) -> None:
    assert coder.client.get(f"/{TOKEN}/", headers={"host": host}).status_code == 404
    assert coder.client.post(f"/{TOKEN}/undo", headers={"host": host}, data={"at": "1"}).status_code == 404


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:9999", "localhost:8000", "LOCALHOST", "[::1]:8000", "[::1]"])
def test_this_machines_names_are_welcome(coder: Coder, host: str) -> None:
    assert coder.client.get(f"/{TOKEN}/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/codebook", "/static/review.css", "/static/review.js", "/none", "/transcript/{}"]
)
def test_a_browser_is_told_to_keep_and_fetch_nothing(coder: Coder, ids: list[SegmentId], path: str) -> None:
    answer = coder.client.get(f"/{TOKEN}{path.format(coder.where(ids[0]))}")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
    assert "unsafe" not in policy


def test_quick_clicks_are_one_answer(coder: Coder, ids: list[SegmentId], store: Store) -> None:
    class Slow(Store):
        def __init__(self) -> None:
            super().__init__(store._engine, store.place)

        @contextmanager
        def writing(self) -> Iterator[Connection]:
            time.sleep(0.1)
            with super().writing() as connection:
                yield connection

    app = coder.client.app
    assert isinstance(app, Starlette)
    app.state.desk = replace(app.state.desk, store=Slow())
    coder.go("/next")
    form = {"answer": "accept", "theme": "Waiting", "at": coder.at, "seen": coder.seen}

    def click(_: int) -> int:
        return coder.client.post(f"/{TOKEN}/segment/{ids[0]}", data=form, follow_redirects=False).status_code

    with ThreadPoolExecutor(4) as hands:
        assert set(hands.map(click, range(4))) == {303}
    assert len(coder.rows) == 1


def test_a_store_that_fails_is_told_in_plain_words(coder: Coder) -> None:
    class Busy(Store):
        def __init__(self) -> None:
            pass

        def reading(self) -> NoReturn:
            raise StoreFault("study.db", "stayed locked for 30 s", "end the other program that writes to it")

    app = coder.client.app
    assert isinstance(app, Starlette)
    app.state.desk = replace(app.state.desk, store=Busy())
    page = coder.go("/")
    assert coder.status == 503
    assert "study.db: stayed locked for 30 s; end the other program that writes to it" in page


def test_a_bug_of_ours_shows_no_traceback(store: Store, tmp_path: Path) -> None:
    app = create_app(store, study_in(tmp_path), CODEBOOK, coder="Ria", token=TOKEN)
    app.state.desk = None
    answer = TestClient(app, base_url="http://localhost", raise_server_exceptions=False).get(f"/{TOKEN}/")
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_pages_hold_no_inline_style_and_no_inline_script(coder: Coder, ids: list[SegmentId]) -> None:
    coder.say(ids[0], "accept", "Waiting")
    for page in (coder.page, coder.go("/"), coder.go("/codebook"), coder.go("/none")):
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)
        assert re.findall(r"<script[^>]*>[^<]*", page) == [f'<script src="/{TOKEN}/static/review.js" defer>']
        assert "http://" not in page.replace("http://www.w3.org", "")
        assert "https://" not in page


def test_nothing_said_or_named_becomes_markup(coder: Coder, ids: list[SegmentId]) -> None:
    page = coder.go(f"/transcript/{coder.where(ids[0])}?segment={ids[1]}")
    assert "&lt;b&gt;The ticket&lt;/b&gt; &amp; the coat were wet." in page
    assert "Kindness &lt;of drivers&gt;" in page
    assert "Bus &lt;stop&gt; study" in page
    assert "<of" not in page
    assert "<b>The" not in page
    assert "&lt;script&gt;" in coder.post(f"/segment/{ids[0]}", {"answer": "add", "theme": "<script>", "at": "1"})


def test_the_whole_transcript_is_there_once(coder: Coder, ids: list[SegmentId]) -> None:
    page = coder.go(f"/transcript/{coder.where(ids[0])}")
    article = page[page.index("<article") : page.index("</article>")]
    assert article.startswith('<article class="document" lang="en-GB">')
    for words in ("Recorded for Group 1", "What is it like to take the bus?", "Mm-hm.", "One driver sings"):
        assert article.count(words) == 1
    assert "Ben:" not in article
    assert article.count('class="passage') == 5


def test_offsets_count_code_points_and_scripts_may_run_from_right_to_left(store: Store, tmp_path: Path) -> None:
    words = "🚌🚌 האוטובוס מאחר היום שוב"
    text = f"👵: {words}"
    made = Transcript(
        site="North",
        name="קבוצה",
        source="north/k.txt",
        language="he",
        text=text,
        turns=(Turn(speaker="👵", role=Role.PARTICIPANT, start=3, end=len(text), line=1),),
    )
    cut = [transcript()[1][0]]
    cut = [type(cut[0])(id=SegmentId("k"), transcript=made.id, name="k", turn=0, start=6, end=len(text), text=text[6:])]
    put_source(store, Source(path="north/k.txt", site="North", sha256="k", settings="s"), [(made, cut)])
    with at_the_page(store, study_in(tmp_path)) as somebody:
        page = somebody.go(f"/transcript/{made.id}")
    assert 'lang="he"' in page
    assert '<p class="between" dir="auto">🚌🚌</p>' in page
    assert f'<p class="text" dir="auto">{words[3:]}</p>' in page


def test_a_suggestion_says_how_likely_it_is_and_which_exemplar_it_resembles(coder: Coder, ids: list[SegmentId]) -> None:
    page = coder.go(f"/transcript/{coder.where(ids[0])}?segment={ids[0]}")
    assert "very likely, 91\N{NO-BREAK SPACE}%" in page
    assert QUOTE in page
    assert "Old#t1s1" in page
    assert "Time spent at the stop" in page
    folded = page[page.index("Less likely (1)") :]
    assert "<bdi>Money</bdi>" in folded
    assert "unlikely, 20" in folded


def test_a_theme_that_the_codebook_has_no_more_is_not_suggested(store: Store, tmp_path: Path) -> None:
    segment = fill(store)[0]
    shorter = Codebook(themes=CODEBOOK.themes[1:])
    with at_the_page(store, study_in(tmp_path), codebook=shorter) as somebody:
        page = somebody.go(f"/transcript/{segment.transcript}?segment={segment.id}")
        assert "Waiting" not in page
        somebody.say(segment.id, "reject_all")
        assert somebody.last == [(KIND, "reject")]
        assert somebody.rows[0].codebook_revision == shorter.revision


def test_a_withheld_segment_looks_like_one_without_suggestions(store: Store, tmp_path: Path) -> None:
    cut = fill(store)
    bare = cut[NONE_SUGGESTED].id

    def panel(share: float) -> str:
        with at_the_page(store, study_in(tmp_path, withhold=share)) as somebody:
            page = somebody.go(f"/transcript/{cut[0].transcript}?segment={bare}")
            return re.sub(r'name="at" value="\d+"', "", page[page.index("<aside") : page.index("</aside>")])

    assert panel(1.0) == panel(0.0)
    with at_the_page(store, study_in(tmp_path, withhold=1.0)) as somebody:
        page = somebody.go(f"/transcript/{cut[0].transcript}?segment={cut[0].id}")
        other = re.sub(r'name="at" value="\d+"', "", page[page.index("<aside") : page.index("</aside>")])
        assert other.replace(cut[0].id, bare).replace("Segment 1 of", "Segment 5 of") == panel(0.0)
        assert "No suggestions here: code it as you see it." in other
        assert QUOTE not in page
        assert somebody.mark(cut[0].id) == "open"
        somebody.say(cut[0].id, "add", "Waiting")
    (row,) = somebody.rows
    assert (row.answer, row.mode, row.shown, row.rank, row.exemplar) == (Answer.ADD, Mode.WITHHELD, False, None, "")
    assert row.run == "run-1"


def test_where_nothing_is_suggested_the_decision_says_so(coder: Coder, ids: list[SegmentId]) -> None:
    coder.say(ids[NONE_SUGGESTED], "nothing")
    (row,) = coder.rows
    assert (row.answer, row.theme, row.mode, row.shown) == (Answer.NOTHING, "", Mode.ROUTINE, False)


def test_a_fixed_share_is_withheld_from_each_coder() -> None:
    many = [SegmentId(f"segment {n}") for n in range(4000)]
    mine = {one for one in many if withheld(one, "Ria", 0.1)}
    assert 320 < len(mine) < 480
    assert mine == {one for one in many if withheld(one, "Ria", 0.1)}
    assert mine < {one for one in many if withheld(one, "Ria", 0.2)}
    assert mine != {one for one in many if withheld(one, "Tom", 0.1)}
    assert not any(withheld(one, "Ria", 0.0) for one in many)
    assert all(withheld(one, "Ria", 1.0) for one in many)


def test_coders_do_not_see_each_other(coder: Coder, ids: list[SegmentId], store: Store, tmp_path: Path) -> None:
    coder.say(ids[0], "add", "Weather")
    with at_the_page(store, study_in(tmp_path), "Tom") as tom:
        assert "0</b> of 10 segments decided" in tom.go("/")
        page = tom.go(f"/transcript/{tom.where(ids[0])}?segment={ids[0]}")
        assert tom.mark(ids[0]) == "open"
        assert "Ria" not in page
        assert "added" not in page
        assert "nothing left to take back" in tom.undo()
        tom.say(ids[0], "add", "Weather")
        assert tom.last == [("Weather", "add")], "what another coder said makes nothing of this a repetition"
    coder.go(f"/transcript/{coder.where(ids[0])}")
    assert coder.mark(ids[0]) == "Weather"
    assert len(coder.rows) == 1


def test_a_study_without_transcripts_says_what_to_do(store: Store, tmp_path: Path) -> None:
    with at_the_page(store, study_in(tmp_path)) as somebody:
        assert "No transcripts yet" in somebody.go("/")
        assert "themescout suggest" in somebody.page
        somebody.go("/next")
        assert somebody.url.endswith(f"/{TOKEN}/?note=done")


def test_a_transcript_without_segments_can_be_read(store: Store, tmp_path: Path) -> None:
    made, _ = transcript()
    put_source(store, Source(path="n", site="North", sha256="n", settings="s"), [(made, [])])
    with at_the_page(store, study_in(tmp_path)) as somebody:
        assert "nothing to code" in somebody.go("/")
        assert "nothing to code" in somebody.go(f"/transcript/{made.id}")
        assert "Mm-hm." in somebody.page


def test_the_overview_shows_a_hundred_transcripts_a_page_and_finds_by_name(store: Store, tmp_path: Path) -> None:
    cut: list[tuple[Transcript, list[Segment]]] = []
    for n in range(230):
        text = f"comment number {n}"
        turn = Turn(speaker="", role=Role.UNKNOWN, start=0, end=len(text), line=n + 1)
        name = f"c{n:03}"
        cut.append((Transcript(site="South", name=name, source="s", language="en", text=text, turns=(turn,)), []))
    put_source(store, Source(path="s", site="South", sha256="s", settings="s"), cut)
    with at_the_page(store, study_in(tmp_path)) as somebody:
        assert somebody.go("/").count("/transcript/") == 100
        assert "Page 1 of 3" in somebody.page
        assert somebody.go("/?page=3").count("/transcript/") == 30
        assert somebody.go("/?page=99").count("/transcript/") == 30
        assert somebody.go("/?page=x").count("/transcript/") == 100
        assert re.findall(r">(c\d+)</a>", somebody.go("/?search=C07")) == [f"c07{n}" for n in range(10)]
        assert "No transcript is called that." in somebody.go("/?search=%3Cnone%3E")
        assert "&lt;none&gt;" in somebody.page


def test_a_far_open_segment_is_found(store: Store, tmp_path: Path) -> None:
    names = [("North", f"Group {n:02}") for n in range(20)]
    fill(store, names)
    now = datetime.now(UTC)
    done = [s.id for site, name in names[:-1] for s in transcript(name, site)[1]]
    add_decisions(
        store, [Decision(segment=one, coder="Ria", answer=Answer.NOTHING, seconds=1, decided_at=now) for one in done]
    )
    with at_the_page(store, study_in(tmp_path)) as somebody:
        somebody.go("/next")
        assert transcript("Group 19", "North")[1][0].id in somebody.url


def test_text_between_turns_is_shown_without_the_speakers_label() -> None:
    text = "Title\n\n00:01\nAna: Hello there.\n(laughter)\nBen\nYes, hello."
    first, second = text.index("Hello"), text.index("Yes")
    turns = (
        Turn(speaker="Ana", role=Role.PARTICIPANT, start=first, end=first + 12, line=4),
        Turn(speaker="Ben", role=Role.PARTICIPANT, start=second, end=len(text), line=7),
    )
    made = Transcript(site="N", name="n", source="n", language="en", text=text, turns=turns)
    told = [(bool(said.turn), said.stretches[0].text) for said in pages.document(made, [])]
    assert told == [(False, "Title\n\n00:01"), (True, "Hello there."), (False, "(laughter)"), (True, "Yes, hello.")]


def test_tokens_differ_and_cannot_be_guessed() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(r"[\w-]{22}", token) for token in tokens)


def test_a_taken_port_is_a_fault(coder: Coder) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ReviewFault, match=rf"127\.0\.0\.1:{port}: cannot be listened on"):
            serve(coder.client.app, port=port, ready=lambda: None)
    with pytest.raises(ReviewFault, match="no such port"):
        serve(coder.client.app, port=99999, ready=lambda: None)
    assert 1024 <= free_port() < 65536
