"""Several people at one study: log in, read what one is assigned, compare, settle."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from pipeline.coded import coded_segments, counting, own
from pipeline.errors import ReviewFault
from pipeline.records import Answer, Decision, Mode, present
from pipeline.review import create_app, somebody_leads
from pipeline.review.accounts import TRIES, WAIT, Door, add_person, change_person, fits, hashed
from pipeline.review.team import compare, deal, pace
from pipeline.store import Store
from pipeline.store.corpus import list_transcripts, load_segments
from pipeline.store.decisions import load_decisions
from pipeline.store.people import Rights, assign, assigned, logged_in, opened

from .reviewing import CODEBOOK, TOKEN, Coder, fill, study_in

WORD = "correct-horse-1"


@pytest.fixture
def team(store: Store) -> Store:
    """Return a store with two transcripts, a lead, two coders and an auditor."""
    fill(store, [("North", "Group 1"), ("South", "Group 2")])
    for name, rights in (("Lea", "lead"), ("Asha", "coder"), ("Ben", "coder"), ("Odo", "auditor")):
        add_person(store, name, Rights(rights), WORD)
    return store


@contextmanager
def somebody(store: Store, folder: Path, name: str, password: str = WORD) -> Iterator[Coder]:
    """Give somebody who has sent name and password."""
    app = create_app(store, study_in(folder), CODEBOOK, coder=None, token=TOKEN)
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        person = Coder(client=client, store=store, name=name)
        answer = client.post(f"/{TOKEN}/login", data={"name": name, "password": password})
        person.page, person.url, person.status = answer.text, str(answer.url), answer.status_code
        yield person


def code(coder: Coder, themes: dict[int, str]) -> None:
    segments = load_segments(coder.store)
    for at, theme in themes.items():
        coder.say(segments[at].id, "add" if theme else "nothing", theme)


def test_nobody_comes_in_without_logging_in(team: Store, tmp_path: Path) -> None:
    app = create_app(team, study_in(tmp_path), CODEBOOK, coder=None, token=TOKEN)
    segment = load_segments(team)[0].id
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        for path in ("/", "/lead", "/codebook", f"/transcript/{list_transcripts(team)[0].id}"):
            assert client.get(f"/{TOKEN}{path}").url.path == f"/{TOKEN}/login", path
        answer = client.post(f"/{TOKEN}/segment/{segment}", data={"answer": "nothing"}, follow_redirects=False)
        assert answer.status_code == 303
    assert not load_decisions(team)


def test_decisions_carry_the_name_of_whoever_is_logged_in(team: Store, tmp_path: Path) -> None:
    with somebody(team, tmp_path, "Asha") as asha, somebody(team, tmp_path, "Ben") as ben:
        code(asha, {0: "Waiting"})
        code(ben, {0: "Money"})
    assert {(d.coder, d.theme) for d in load_decisions(team)} == {("Asha", "Waiting"), ("Ben", "Money")}


def test_two_people_in_one_transcript_at_once_overwrite_nothing(team: Store, tmp_path: Path) -> None:
    segments = [segment for segment in load_segments(team) if segment.transcript == load_segments(team)[0].transcript]
    with somebody(team, tmp_path, "Asha") as asha, somebody(team, tmp_path, "Ben") as ben:
        for segment in segments:
            asha.say(segment.id, "add", "Weather")
            ben.say(segment.id, "nothing")
    codings = {(c.segment, c.coder): c.themes for c in present(load_decisions(team))}
    assert codings == {
        **{(s.id, "Asha"): ("Weather",) for s in segments},
        **{(s.id, "Ben"): () for s in segments},
    }


@pytest.mark.parametrize(("name", "password"), [("Asha", "wrong"), ("Nobody", WORD), ("Asha", ""), ("", "")])
def test_a_wrong_password_and_an_unknown_name_are_told_alike(
    team: Store, tmp_path: Path, name: str, password: str
) -> None:
    with somebody(team, tmp_path, name, password) as person:
        assert person.status == 403
        assert "Name and password do not fit." in person.page
        assert "Nobody" not in re.sub(r'value="[^"]*"', "", person.page)


def test_too_many_wrong_passwords_make_one_name_wait_and_no_other(team: Store) -> None:
    now = [0.0]
    door = Door(team, clock=lambda: now[0])
    for _ in range(TRIES):
        assert not door.waits("Asha")
        assert door.enter("Asha", "wrong") is None
    assert door.waits("Asha")
    assert not door.waits("Ben")
    now[0] += WAIT + 1
    assert not door.waits("Asha")


def test_a_log_in_outlives_the_program_and_ends_by_itself(team: Store) -> None:
    token = Door(team).enter("Asha", WORD)
    assert token
    now = datetime.now(UTC)
    found = logged_in(team, token, now=now)
    assert found
    assert found.name == "Asha"
    assert logged_in(team, token, now=now + timedelta(hours=13)) is None
    assert logged_in(team, token + "x", now=now) is None


@pytest.mark.parametrize("change", [{"password": "another-word-9"}, {"active": False}])
def test_a_changed_account_is_logged_out(team: Store, change: dict[str, bool]) -> None:
    token = Door(team).enter("Asha", WORD)
    assert token
    change_person(team, "Asha", **change)  # type: ignore[arg-type]  # one of two kinds
    assert logged_in(team, token, now=datetime.now(UTC)) is None
    assert Door(team).enter("Asha", WORD) is None


def test_logging_out_ends_the_log_in(team: Store, tmp_path: Path) -> None:
    with somebody(team, tmp_path, "Asha") as asha:
        asha.go("/")
        assert "Review by" in asha.page
        asha.client.post(f"/{TOKEN}/logout")
        asha.go("/")
        assert asha.url.endswith("/login")


def test_passwords_are_kept_as_argon2_hashes_that_differ() -> None:
    one, two = hashed(WORD, name="Asha"), hashed(WORD, name="Asha")
    assert one.startswith("$argon2id$")
    assert one != two
    assert fits(WORD, one)
    assert not fits(WORD + " ", one)
    assert not fits(WORD, "")


@pytest.mark.parametrize(("name", "password"), [("Asha", "short"), ("Asha-the-first", "asha-the-first"), ("", WORD)])
def test_weak_passwords_and_empty_names_are_refused(store: Store, name: str, password: str) -> None:
    with pytest.raises(ReviewFault):
        add_person(store, name, Rights.CODER, password)


def test_names_that_differ_in_case_only_are_one_account(team: Store) -> None:
    with pytest.raises(ReviewFault, match="there is Asha already"):
        add_person(team, "asha", Rights.CODER, WORD)


def test_the_only_lead_stays(team: Store) -> None:
    with pytest.raises(ReviewFault, match="only lead"):
        change_person(team, "Lea", active=False)
    change_person(team, "Ben", rights=Rights.LEAD)
    change_person(team, "Lea", active=False)
    somebody_leads(team)


def test_a_team_without_a_lead_is_told_how_to_get_one(store: Store) -> None:
    with pytest.raises(ReviewFault, match="--role lead"):
        somebody_leads(store)


def test_an_auditor_looks_and_changes_nothing(team: Store, tmp_path: Path) -> None:
    segment = load_segments(team)[0]
    with somebody(team, tmp_path, "Odo") as odo:
        assert "Coders and sites" in odo.go("/lead")
        odo.go(f"/transcript/{segment.transcript}?segment={segment.id}")
        odo.post(f"/segment/{segment.id}", {"answer": "nothing", "at": odo.at})
        assert odo.status == 403
        odo.post("/lead/deal", {"coder": "Asha", "double": "0"})
        assert odo.status == 403
    assert not load_decisions(team)
    assert not assigned(team)


@pytest.mark.parametrize("path", ["/lead", "/compare/{}"])
def test_a_coder_does_not_see_the_others(team: Store, tmp_path: Path, path: str) -> None:
    with somebody(team, tmp_path, "Asha") as asha, somebody(team, tmp_path, "Ben") as ben:
        code(asha, {0: "Money"})
        code(ben, {0: "Weather"})
        ben.go(path.format(list_transcripts(team)[0].id))
        assert ben.status == 403
        assert "Asha" not in ben.page


def test_coders_compare_once_the_lead_opens_it(team: Store, tmp_path: Path) -> None:
    entry = list_transcripts(team)[0]
    with (
        somebody(team, tmp_path, "Lea") as lea,
        somebody(team, tmp_path, "Asha") as asha,
        somebody(team, tmp_path, "Ben") as ben,
    ):
        code(asha, {0: "Money", 1: "Weather"})
        code(ben, {0: "Weather", 1: "Weather"})
        lea.post(f"/compare/{entry.id}/open", {"open": "yes"})
        assert opened(team) == {(entry.site, entry.name)}
        ben.go(f"/compare/{entry.id}")
        assert "They differ on 1" in ben.page
        assert ben.page.count('class="disputed"') == 1
        assert "Settle" not in ben.page
        lea.post(f"/compare/{entry.id}/open", {"open": "no"})
        ben.go(f"/compare/{entry.id}")
        assert ben.status == 403


def test_settling_appends_a_coding_of_its_own_that_learning_goes_by(team: Store, tmp_path: Path) -> None:
    entry = list_transcripts(team)[0]
    segment = load_segments(team)[0].id
    with (
        somebody(team, tmp_path, "Lea") as lea,
        somebody(team, tmp_path, "Asha") as asha,
        somebody(team, tmp_path, "Ben") as ben,
    ):
        code(asha, {0: "Money"})
        code(ben, {0: "Weather"})
        code(lea, {0: "Waiting"})  # the lead's own reading
        for themes in (["Money"], [], ["Money", "Weather"]):  # changing one's mind is another decision
            lea.post(f"/compare/{entry.id}/settle", {"segment": segment, "theme": themes})  # type: ignore[dict-item]
        assert "Settled by" in lea.page
        assert lea.go(f"/transcript/{entry.id}?segment={segment}")
        assert lea.mark(segment) == "Waiting"
        undone = lea.undo()
        assert "Taken back" in undone
    codings = {(c.coder, c.adjudicated): c.themes for c in present(load_decisions(team)) if c.segment == segment}
    assert codings == {("Asha", False): ("Money",), ("Ben", False): ("Weather",), ("Lea", True): ("Money", "Weather")}
    given = coded_segments(team).codings[segment]
    assert [c.themes for c in counting(given)] == [("Money", "Weather")], "learning goes by what was settled"
    assert {c.coder: c.themes for c in own(given)} == {"Asha": ("Money",), "Ben": ("Weather",)}, "agreement by own work"


@pytest.mark.parametrize("form", [{"segment": "x"}, {"theme": "No such theme"}])
def test_settling_what_is_not_there_writes_nothing(team: Store, tmp_path: Path, form: dict[str, str]) -> None:
    entry = list_transcripts(team)[0]
    with somebody(team, tmp_path, "Lea") as lea:
        lea.post(f"/compare/{entry.id}/settle", {"segment": load_segments(team)[0].id, **form})
        assert lea.status == 400
    assert not load_decisions(team)


def test_coders_find_only_what_they_are_assigned_in_their_lists(team: Store, tmp_path: Path) -> None:
    assign(team, {("South", "Group 2"): ["Asha"]}, by="Lea")
    with somebody(team, tmp_path, "Asha") as asha, somebody(team, tmp_path, "Ben") as ben:
        asha.go("/")
        assert "Group 2" in asha.page
        assert "Group 1" not in asha.page
        asha.go("/next")
        assert "Group 2" in asha.page
        ben.go("/")
        assert "No transcripts" in ben.page
    with somebody(team, tmp_path, "Lea") as lea:
        lea.go("/")
        assert "Group 1" in lea.page


def test_assignments_are_appended_and_the_latest_counts(team: Store) -> None:
    place = ("North", "Group 1")
    assign(team, {place: ["Asha", "Ben"]}, by="Lea")
    assign(team, {place: ["Ben"]}, by="Lea")
    assert assigned(team) == {place: ("Ben",)}
    assign(team, {place: []}, by="Lea")
    assert assigned(team) == {}


def test_hostile_names_are_shown_as_text(team: Store, tmp_path: Path) -> None:
    add_person(team, "<script>alert(1)</script>", Rights.CODER, WORD)
    with somebody(team, tmp_path, "Lea") as lea:
        lea.go("/lead")
        assert "<script>alert" not in lea.page
        assert "&lt;script&gt;alert" in lea.page


@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    coders=st.integers(1, 5),
    double=st.floats(0, 1),
)
def test_dealing_is_even_within_every_site(sizes: list[int], coders: int, double: float) -> None:
    places = [(f"site {at}", f"t{n}") for at, size in enumerate(sizes) for n in range(size)]
    names = [f"coder {n}" for n in range(coders)]
    dealt = deal(places, names, double=double, seed="s")
    assert set(dealt) == set(places)
    assert dealt == deal(list(reversed(places)), list(reversed(names)), double=double, seed="s")
    for site in {site for site, _ in places}:
        once = deal(places, names, seed="s")
        counts = [sum(name in who for place, who in once.items() if place[0] == site) for name in names]
        assert max(counts) - min(counts) <= 1
    second = sum(len(who) == 2 for who in dealt.values())
    assert second == (round(double * len(places)) if coders > 1 else 0)
    assert all(len(set(who)) == len(who) for who in dealt.values())


def test_pace_counts_work_and_leaves_idle_time_out() -> None:
    def decision(n: int, seconds: float | None) -> Decision:
        moment = datetime(2026, 5, 1, 9, 0, n, tzinfo=UTC)
        return Decision(segment="s", coder="A", answer=Answer.NOTHING, seconds=seconds, decided_at=moment)  # type: ignore[arg-type]

    assert pace([decision(n, 6.0) for n in range(10)]) == pytest.approx(10.0)
    # An hour at lunch counts as a minute: 9 x 6 s + 60 s for ten segments.
    assert pace([*(decision(n, 6.0) for n in range(9)), decision(9, 3600.0)]) == pytest.approx(10 / (114 / 60))
    assert pace([decision(n, 6.0) for n in range(9)]) is None
    assert pace([decision(n, None) for n in range(20)]) is None


def test_comparing_leaves_out_what_one_coder_read_alone(team: Store, tmp_path: Path) -> None:
    with somebody(team, tmp_path, "Asha") as asha, somebody(team, tmp_path, "Ben") as ben:
        code(asha, {0: "Money", 1: "Money", 2: ""})
        code(ben, {1: "Money", 2: ""})
    compared = compare(load_segments(team), present(load_decisions(team)))
    assert [(c.agreed, c.disputed, c.settled) for c in compared] == [(("Money",), (), True), ((), (), True)]


def test_adjudications_are_of_a_mode_of_their_own(team: Store, tmp_path: Path) -> None:
    entry = list_transcripts(team)[0]
    with somebody(team, tmp_path, "Lea") as lea:
        lea.post(f"/compare/{entry.id}/settle", {"segment": load_segments(team)[0].id})
    assert {d.mode for d in load_decisions(team)} == {Mode.ADJUDICATION}
