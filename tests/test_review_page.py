"""What the review page shows and to whom, as a browser without scripts sees it."""

import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pipeline.errors import ReviewFault, StoreFault
from pipeline.records import Answer, Codebook, Decision, Mode, Role, Segment, SegmentId, Transcript, Turn
from pipeline.review import create_app, free_port, new_token, pages, serve
from pipeline.review.memos import draft_names
from pipeline.review.queue import withheld
from pipeline.review.serve import listen
from pipeline.store import Store
from pipeline.store.corpus import Source, put_source
from pipeline.store.decisions import add_decisions

from .reviewing import CODEBOOK, NONE_SUGGESTED, QUOTE, TOKEN, Coder, at_the_page, fill, study_in, transcript

KIND = "Kindness <of drivers>"


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
        scripts = re.findall(r"<script[^>]*>[^<]*", page)
        assert f'<script src="/{TOKEN}/static/review.js" type="module">' in scripts
        known = rf'<script src="/{TOKEN}/static/\w+\.js" type="module">\s*'
        assert all(re.fullmatch(known, script) for script in scripts)
        assert "http://" not in page.replace("http://www.w3.org", "")
        assert "https://" not in page


def test_nothing_said_or_named_becomes_markup(coder: Coder, ids: list[SegmentId]) -> None:
    page = coder.go(f"/transcript/{coder.where(ids[0])}?segment={ids[1]}")
    assert "<mark>&lt;b&gt;The ticket&lt;/b&gt;</mark>" in page
    page = page.replace("<mark>", "").replace("</mark>", "")
    assert "&lt;b&gt;The ticket&lt;/b&gt; &amp; the coat were wet." in page
    assert "Kindness &lt;of drivers&gt;" in page
    assert "Bus &lt;stop&gt; study" in page
    assert "<of" not in page
    assert "<b>The" not in page
    assert "&lt;script&gt;" in coder.say(ids[0], "add", "<script>")


def test_the_whole_transcript_is_there_once(coder: Coder, ids: list[SegmentId]) -> None:
    page = coder.go(f"/transcript/{coder.where(ids[0])}")
    article = page[page.index("<article") : page.index("</article>")]
    assert article.startswith('<article class="document" lang="en-GB" dir="ltr">')
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
    assert '<p data-at="3" class="between" dir="auto">🚌🚌</p>' in page
    assert f'<p data-at="6" class="text" dir="auto">{words[3:]}</p>' in page


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
        drafts = zip(draft_names(cut[0].id, ()).split(), draft_names(bare, ()).split(), strict=True)
        for name, there in ((cut[0].id, bare), *drafts):
            other = other.replace(name, there)
        assert other.replace("Segment 1 of", "Segment 5 of") == panel(0.0)
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


def test_answers_are_sent_at_once_and_not_held_back_for_a_receipt() -> None:
    with listen(free_port(), "127.0.0.1") as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
