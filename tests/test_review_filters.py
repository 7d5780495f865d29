"""Filters of the review page: what they find, that they are in the address, and that they give nothing away."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.records import Answer, Decision, Mode, SegmentId
from pipeline.review import Reviewer, queue, slots
from pipeline.review.accounts import add_person
from pipeline.review.filters import BANDS, STATES, Filter, made, matching, way, words_of
from pipeline.review.orders import Order
from pipeline.store import Store
from pipeline.store.corpus import list_transcripts, load_segments, load_transcripts
from pipeline.store.decisions import add_decisions, load_decisions
from pipeline.store.people import Rights, assign, set_open
from pipeline.store.reveals import reveal
from pipeline.store.runs import load_suggestions
from pipeline.store.slots import Slot, drawing
from pipeline.transcripts import group

from .reviewing import CODEBOOK, Coder, at_the_page, fill, study_in
from .test_review_team import WORD, somebody

NAMES = [("North", "Group 1"), ("South", "Group 2"), ("South", "Group 3")]
NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def full(store: Store) -> Store:
    fill(store, NAMES)
    return store


@pytest.fixture
def ria(full: Store, tmp_path: Path) -> Iterator[Coder]:
    with at_the_page(full, study_in(tmp_path)) as coder:
        yield coder


def reviewer(store: Store, folder: Path, *, withhold: float = 0.0, name: str = "Ria") -> Reviewer:
    return Reviewer(store=store, study=study_in(folder, withhold=withhold), codebook=CODEBOOK, coder=name)


def said(segment: SegmentId, theme: str, answer: Answer, **more: object) -> Decision:
    return Decision(segment=segment, coder="Ria", theme=theme, answer=answer, decided_at=NOW, **more)  # type: ignore[arg-type]


def test_a_filter_is_in_the_address_and_comes_back_from_it() -> None:
    wanted = Filter(site="A & B", suggested="Kindness <of drivers>", chance="70", state="open", by=Order.SUREST)
    assert way(wanted.value) == wanted
    assert way("surest") is Order.SUREST
    assert way("no such order") is Order.TRANSCRIPT


@given(
    told=st.dictionaries(st.sampled_from(["site", "speaker", "chance", "state", "by", "find"]), st.text(max_size=30))
)
def test_whatever_an_address_says_is_a_filter_or_left_out(told: dict[str, str]) -> None:
    found = made(told)
    assert found.chance in ("", *BANDS)
    assert found.state in ("", *STATES)
    assert way(found.value) == found


def test_what_a_speaker_is_leaves_numbers_out() -> None:
    assert {group(label) for label in ("PSW1", "PSW 2", "PSW-12")} == {"PSW"}
    assert group("12") == "12"


def brute(who: Reviewer, wanted: Filter, text: str) -> list[SegmentId]:
    """Find what fits one by one, with what the page itself uses for a single segment."""
    answers = queue.standing(load_decisions(who.store, coder=who.coder))
    entries = {entry.id: entry for entry in list_transcripts(who.store)}
    read = load_transcripts(who.store)
    made_of = load_suggestions(who.store)
    found = []
    for piece in load_segments(who.store):
        stands = answers.get(piece.id, {})
        blind = slots.role_of(who, piece.id).mode is not Mode.ROUTINE
        made = [one.suggestion for one in made_of.get(piece.id, [])]
        shown = [s for s in queue.offered(made, who.codebook.names, blind=blind) if s.suggested]
        about = [s for s in shown if s.theme == wanted.suggested or not wanted.suggested]
        best = max((s.probability for s in about), default=-1.0)
        least, below = BANDS.get(wanted.chance, (-2.0, 2.0))
        asked = bool(wanted.suggested or wanted.chance)
        state = queue.state_of(stands)
        fits = [
            not wanted.site or entries[piece.transcript].site == wanted.site,
            not wanted.speaker or group(read[piece.transcript].turns[piece.turn].speaker) == wanted.speaker,
            not asked or (not about if wanted.chance == "none" else bool(about) and least <= best < below),
            not wanted.state or state.value in {"decided": queue.DECIDED}.get(wanted.state, {wanted.state}),
            not wanted.given or wanted.given in queue.themes_of(stands),
            all(word.lower() in piece.text.lower() for word in words_of(text)),
        ]
        if all(fits):
            found.append(piece.id)
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    wanted=st.builds(
        Filter,
        site=st.sampled_from(["", "South", "East"]),
        speaker=st.sampled_from(["", "Ana", "Ben"]),
        suggested=st.sampled_from(["", "Waiting", "Kindness <of drivers>"]),
        chance=st.sampled_from(["", *BANDS]),
        state=st.sampled_from(["", *STATES]),
        given=st.sampled_from(["", "Weather", "Money"]),
    ),
    text=st.sampled_from(["", "THE", "the bus", '"in the rain"', "moon today"]),
)
def test_a_filter_finds_what_looking_one_by_one_finds(full: Store, tmp_path: Path, wanted: Filter, text: str) -> None:
    who = reviewer(full, tmp_path, withhold=0.3)
    if not load_decisions(full):
        ids = [piece.id for piece in load_segments(full)]
        add_decisions(
            full,
            [
                *(said(ids[0], "Weather", Answer.ADD), said(ids[1], "", Answer.NOTHING)),
                *(said(ids[2], "Waiting", Answer.REJECT), said(ids[3], "", Answer.UNSURE)),
                *(said(ids[4], "Money", Answer.ACCEPT), said(ids[4], "Money", Answer.UNDO)),
                *(said(ids[5], "Money", Answer.ACCEPT), said(ids[5], "", Answer.UNSURE)),
                said(ids[6], "Money", Answer.ADD, mode=Mode.DUPLICATE),
                said(ids[7], "Money", Answer.ADD, mode=Mode.ADJUDICATION),
            ],
        )
        with drawing(full) as keep:
            for at, mode in ((8, Mode.ANCHOR), (9, Mode.OVERLAP)):
                keep(Slot(coder="Ria", position=at, segment=ids[at], mode=mode, chance=0.1, after=ids[0], drawn_at=NOW))
    key = Filter(**{**wanted.told, "find": "key" if text else "", "by": Order.TRANSCRIPT})  # type: ignore[arg-type]
    assert matching(who, key, text) == brute(who, wanted, text)


def test_a_renamed_theme_is_found_by_what_was_given_under_its_old_name(full: Store, tmp_path: Path) -> None:
    segment = load_segments(full)[0].id
    add_decisions(full, [said(segment, "Rain", Answer.ADD)])
    who = reviewer(full, tmp_path)
    assert matching(who, Filter(given="Weather")) == []
    themes = tuple(
        type(theme)(name=theme.name, formerly=("Rain",)) if theme.name == "Weather" else theme
        for theme in CODEBOOK.themes
    )
    later = Reviewer(store=full, study=who.study, codebook=type(CODEBOOK)(themes=themes), coder="Ria")
    assert matching(later, Filter(given="Weather")) == [segment]


def test_no_filter_tells_withheld_segments_from_those_without_a_suggestion(full: Store, tmp_path: Path) -> None:
    who = reviewer(full, tmp_path, withhold=1.0)
    everything = [piece.id for piece in load_segments(full)]
    assert matching(who, Filter(chance="none")) == everything
    for hidden in (Filter(chance="any"), Filter(suggested="Waiting"), *(Filter(chance=b) for b in ("90", "70", "50"))):
        assert matching(who, hidden) == []


def test_a_segment_that_is_read_again_stands_as_open_meanwhile(full: Store, tmp_path: Path) -> None:
    first, second = (piece.id for piece in load_segments(full)[:2])
    add_decisions(full, [said(first, "Weather", Answer.ADD)])
    with drawing(full) as keep:
        again = Slot(
            coder="Ria", position=1, segment=first, mode=Mode.DUPLICATE, chance=0.1, after=second, drawn_at=NOW
        )
        keep(again)
    who = reviewer(full, tmp_path)
    assert matching(who, Filter(given="Weather")) == []
    assert first in matching(who, Filter(state="open"))
    assert first in matching(who, Filter(chance="none"))
    add_decisions(full, [said(first, "", Answer.NOTHING, mode=Mode.DUPLICATE), said(second, "", Answer.NOTHING)])
    assert matching(who, Filter(given="Weather")) == [first]


def ask(who: Coder, /, **form: str) -> str:
    who.go("/filter")
    return who.post("/filter", form)


def test_the_page_tells_how_many_and_goes_on_within_the_filter(ria: Coder) -> None:
    page = ask(ria, site="South", suggested="Waiting")
    assert "8 segments" in page
    assert page.count('class="said-text"') == 8
    ria.go(re.search(r'data-key="n" href="/a-secret(/next[^"]*)"', page)[1].replace("&amp;", "&"))  # type: ignore[index]
    assert "Filtered, 1 of 8" in ria.page
    visited = []
    for _ in range(8):
        segment = re.search(r'current" id="s-(\w+)"', ria.page)[1]  # type: ignore[index]
        visited.append(SegmentId(segment))
        onward = re.search(r'formaction="/a-secret(/segment/[^"]*)"', ria.page)[1].replace("&amp;", "&")  # type: ignore[index]
        ria.post(onward, {"answer": "nothing", "at": ria.at})
    places = {entry.id: entry.site for entry in list_transcripts(ria.store)}
    assert {places[piece.transcript] for piece in load_segments(ria.store, ids=visited)} == {"South"}
    assert len(set(visited)) == 8
    assert "/filter?" in ria.url
    assert "That was the last one" in ria.page
    assert {decision.queue for decision in ria.rows} == {"filter"}


def test_typed_words_are_in_no_address(ria: Coder) -> None:
    page = ask(ria, words='moon "far away"', site="South")
    assert "2 segments" in page
    assert "moon" not in ria.url
    assert not re.search(r'(?:href|action)="[^"]*moon', page)
    assert 'value="moon &#34;far away&#34;"' in page
    ria.go(f"/filter?order={Filter(find='of-yesterday').value}")
    assert "are not kept" in ria.page


def test_an_empty_result_says_how_to_widen(ria: Coder) -> None:
    page = ask(ria, site="South", speaker="Ana", given="Weather")
    assert "No segment fits all of this" in page
    assert re.findall(r"</span>: (\d+)</a>", page) == ["0", "0", "6"]


def test_what_is_not_decided_any_more_is_gone_through_where_it_was_asked_for(ria: Coder) -> None:
    ids = [piece.id for piece in load_segments(ria.store)]
    for segment in ids[:2]:
        ria.say(segment, "unsure")
    ask(ria, state="unsure")
    ria.go(re.search(r'data-key="n" href="/a-secret(/next[^"]*)"', ria.page)[1])  # type: ignore[index]
    assert f'current" id="s-{ids[0]}"' in ria.page
    ria.go(re.search(r'data-key="n" href="/a-secret(/next[^"]*)"', ria.page)[1].replace("&amp;", "&"))  # type: ignore[index]
    assert f'current" id="s-{ids[1]}"' in ria.page


def test_a_link_leads_to_a_segment(ria: Coder) -> None:
    segment = load_segments(ria.store)[7]
    ria.go(f"/segment/{segment.id}")
    assert f'current" id="s-{segment.id}"' in ria.page
    ria.go("/segment/nowhere")
    assert ria.status == 404


@pytest.mark.parametrize(
    "told", ["filter:", "filter:site=%00", "filter:state=x&by=nothing-fits", "filter:" + "a" * 500]
)
def test_strange_filters_are_answered(ria: Coder, told: str) -> None:
    ria.client.get("/a-secret/filter", params={"order": told})
    ria.client.get("/a-secret/next", params={"order": told})
    ria.go("/filter?order=filter:transcript%3Dnone")
    assert ria.status == 200
    assert "one that is not here" in ria.page


def test_hostile_words_are_shown_as_text(ria: Coder) -> None:
    page = ask(ria, words="<script>alert(1)</script>", speaker="\u202ex<b>")
    assert "<script>alert" not in page
    assert "x<b>" not in page


@pytest.fixture
def team(store: Store) -> Store:
    fill(store, NAMES)
    for name, rights in (("Lea", Rights.LEAD), ("Ria", Rights.CODER), ("Ben", Rights.CODER), ("Odo", Rights.AUDITOR)):
        add_person(store, name, rights, WORD)
    return store


def test_other_coders_answers_are_found_by_those_alone_who_may_compare(team: Store, tmp_path: Path) -> None:
    (first, *_), entry = (piece.id for piece in load_segments(team)), list_transcripts(team)[0]
    add_decisions(team, [said(first, "Weather", Answer.ADD)])
    hidden = Filter(coder="Ria", given="Weather")
    with somebody(team, tmp_path, "Ben") as ben, somebody(team, tmp_path, "Odo") as odo:
        assert 'name="coder"' not in ben.go("/filter")
        assert "No segment fits" in ben.go(f"/filter?order={hidden.value.replace('&', '%26')}")
        assert "1 segment<" in odo.go(f"/filter?order={hidden.value.replace('&', '%26')}")
        assert "1 segment<" in ask(odo, coder="Ria", state="coded"), "an auditor may ask: nothing is written"
        set_open(team, (entry.site, entry.name), open_=True, by="Lea")
        assert 'name="coder"' in ben.go("/filter")
        assert "1 segment<" in ben.go(f"/filter?order={hidden.value.replace('&', '%26')}")
        assign(team, {(entry.site, entry.name): ["Ria"]}, by="Lea")
        assert "No segment fits" in ben.go(f"/filter?order={hidden.value.replace('&', '%26')}")


def test_without_accounts_only_ones_own_answers_are_found(full: Store, tmp_path: Path) -> None:
    first = load_segments(full)[0].id
    add_decisions(full, [said(first, "Weather", Answer.ADD)])
    ben = reviewer(full, tmp_path, name="Ben")
    assert matching(ben, Filter(coder="Ria", given="Weather")) == []
    assert matching(ben, Filter(given="Weather")) == []


def test_no_filter_tells_what_is_suggested_before_a_coder_who_decides_first_has_decided(
    full: Store, tmp_path: Path
) -> None:
    study = study_in(tmp_path)
    first = study.model_copy(update={"review": study.review.model_copy(update={"decide_first": True})})
    who = Reviewer(store=full, study=first, codebook=CODEBOOK, coder="Ria")
    segments = [piece.id for piece in load_segments(full)]
    assert matching(who, Filter(chance="any")) == matching(who, Filter(suggested="Waiting")) == []
    assert matching(who, Filter(chance="none")) == segments
    reveal(full, "Ria", segments[1], "run-1")
    assert matching(who, Filter(chance="any")) == [segments[1]]
