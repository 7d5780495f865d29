"""Orders, similar segments and reasons on the review page, as a browser without scripts sees them."""

import re
from pathlib import Path

import pytest

from pipeline.embed import HashingEncoder
from pipeline.errors import EncoderFault
from pipeline.records import Mode, SegmentId
from pipeline.review import Encoding, Order, in_order, pages
from pipeline.review.desk import Desk
from pipeline.store import Store

from .reviewing import (
    CODEBOOK,
    HASHING,
    NONE_SUGGESTED,
    Coder,
    at_the_page,
    fill,
    rerank,
    study_in,
    suggestions,
    transcript,
    without_draft_names,
)

KIND = "Kindness <of drivers>"
BOTH = [("North", "Group 1"), ("South", "Group 2")]


def desk_of(coder: Coder) -> Desk:
    desk = coder.client.app.state.desk  # type: ignore[attr-defined]  # a Starlette app
    assert isinstance(desk, Desk)
    return desk


def answered(coder: Coder, answer: str = "accept", theme: str = "Waiting") -> SegmentId:
    """Press a button that leads on, as the page has it; return the segment it was about."""
    found = re.search(r'formaction="/a-secret(/segment/(\w+)\?go=next[^"]*)"', coder.page)
    assert found
    coder.post(found[1].replace("&amp;", "&"), {"answer": answer, "theme": theme, "at": coder.at})
    return SegmentId(found[2])


def current(coder: Coder) -> str:
    found = re.search(r'id="s-(\w+)" tabindex="-1"', coder.page)
    assert found
    return found[1]


# --- orders ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["surest", "informative"])
def test_an_order_leads_from_segment_to_segment_and_is_kept_with_every_decision(coder: Coder, order: str) -> None:
    every = in_order(desk_of(coder), Order(order))
    assert len(every) == 10
    coder.go(f"/next?order={order}")
    for place, expected in enumerate(every, 1):
        assert current(coder) == expected
        assert f"order={order}" in coder.url
        assert f"{place} of 10" in coder.page
        answered(coder, "nothing", "")
    assert "Nothing is open any more in that order." in coder.page
    assert {row.queue for row in coder.rows} == {order}


def test_decisions_in_the_order_of_the_transcripts_say_so(coder: Coder, ids: list[SegmentId]) -> None:
    coder.go("/next")
    answered(coder)
    assert coder.rows[0].queue == ""
    assert current(coder) == ids[1]


def test_an_order_can_be_linked_to_and_left(coder: Coder, ids: list[SegmentId]) -> None:
    where = coder.where(ids[2])
    page = coder.go(f"/transcript/{where}?segment={ids[2]}&order=surest")
    assert current(coder) == ids[2]
    assert '/next?order=surest" aria-current="true">Surest first</a>' in page
    assert f'<a href="/a-secret/transcript/{where}?segment={ids[2]}#s-{ids[2]}">As they were said</a>' in page
    coder.go(f"/transcript/{where}?segment={ids[2]}&order=nonsense")
    assert 'aria-current="true">As they were said</a>' in coder.page


def test_next_and_previous_follow_the_order(coder: Coder) -> None:
    every = in_order(desk_of(coder), Order.SUREST)
    coder.go("/next?order=surest")
    assert 'rel="prev"' not in coder.page
    (after,) = re.findall(r'rel="next" data-key="j" href="/a-secret([^"]+)"', coder.page)
    coder.go(after.replace("&amp;", "&"))
    assert current(coder) == every[1]
    (before,) = re.findall(r'rel="prev" data-key="k" href="/a-secret([^"]+)"', coder.page)
    coder.go(before.replace("&amp;", "&"))
    assert current(coder) == every[0]


def test_undo_stays_in_the_order(coder: Coder) -> None:
    coder.go("/next?order=surest")
    first = answered(coder)
    action = re.search(r'action="/a-secret(/undo[^"]*)"', coder.page)
    assert action
    coder.post(action[1], {"at": coder.at})
    assert current(coder) == first
    assert "order=surest" in coder.url


def test_an_order_is_made_anew_when_suggestions_change_and_not_before(
    coder: Coder, store: Store, ids: list[SegmentId]
) -> None:
    first = in_order(desk_of(coder), Order.SUREST)
    coder.go("/next?order=surest")
    coder.say(first[3], "nothing")
    coder.go(f"/transcript/{coder.where(first[2])}?segment={first[2]}&order=surest")
    assert "3 of 10" in coder.page, "what was answered keeps its place in the line"
    rerank(store, "run-2", transcript()[1], suggested=0)
    coder.go("/next?order=surest")
    assert "1 of 9" in coder.page
    assert current(coder) in {segment.id for segment in transcript("Group 2", "South")[1]}


def test_what_somebody_else_has_answered_is_open_for_me(
    coder: Coder, store: Store, ids: list[SegmentId], tmp_path: Path
) -> None:
    coder.say(ids[0], "nothing")
    with at_the_page(store, study_in(tmp_path), "Tom") as tom:
        assert set(ids) <= set(in_order(desk_of(tom), Order.SUREST))
    assert ids[0] not in in_order(desk_of(coder), Order.SUREST)


def test_a_withheld_segment_in_an_order_looks_like_one_without_suggestions(store: Store, tmp_path: Path) -> None:
    cut = fill(store)
    strong, bare = cut[0].id, cut[NONE_SUGGESTED].id

    def panel(share: float, segment: SegmentId) -> str:
        with at_the_page(store, study_in(tmp_path, withhold=share)) as somebody:
            page = without_draft_names(somebody.go(f"/transcript/{cut[0].transcript}?segment={segment}&order=surest"))
            return re.sub(r'name="at" value="\d+"|\d of 5', "", page[page.index("<aside") : page.index("</aside>")])

    assert panel(1.0, strong).replace(strong, bare) == panel(0.0, bare)
    with at_the_page(store, study_in(tmp_path, withhold=1.0)) as somebody:
        page = somebody.go(f"/transcript/{cut[0].transcript}?segment={strong}&order=surest")
        assert "<mark>" not in page
        answered(somebody, "add", "Waiting")
        assert [(row.mode, row.queue) for row in somebody.rows] == [(Mode.WITHHELD, "surest")]
        assert "Waiting" not in somebody.go(f"/similar/{cut[1].id}").replace("<bdi>Waiting</bdi>", "", 1)


def test_the_overview_leads_to_every_order(coder: Coder) -> None:
    page = coder.go("/")
    for path in ("/next?order=surest", "/next?order=informative", "/nothing-fits", "/search"):
        assert f'href="/a-secret{path}"' in page
        coder.go(path)
        assert coder.status == 200


# --- what no theme explains ------------------------------------------------------------------------------------------


def test_what_no_theme_explains_is_shown_in_clusters_and_can_be_coded(store: Store, tmp_path: Path) -> None:
    names = [("North", f"Group {n}") for n in range(6)]
    fill(store, names)
    with at_the_page(store, study_in(tmp_path)) as somebody:
        page = somebody.go("/nothing-fits")
        assert "No segments that no theme explains" in page, "Waiting was likely everywhere"
        for name in names:
            cut = transcript(name[1], name[0])[1]
            rerank(store, f"run {name}", cut, suggested=2, weak=cut[4:])
        page = somebody.go("/nothing-fits")
        assert "6 segments in 6 transcripts" in page
        assert "moon" in page[page.index("<h2>") : page.index("</h2>")]
        assert "3 more" in page
        assert page.count("The moon is far away today.") == 6
        somebody.go("/next?order=nothing-fits")
        assert "Nothing fits, 1 of 6" in somebody.page
        mine = answered(somebody, "add", "Weather")
        assert somebody.rows[0].queue == "nothing-fits"
        assert "2 of 6" in somebody.page
        page = somebody.go("/nothing-fits")
        assert mine not in page, "it has a theme now"
        assert "5 segments" in page


# --- search by example -----------------------------------------------------------------------------------------------


def test_segments_like_a_segment_are_listed_with_my_own_answers_alone(
    coder: Coder, ids: list[SegmentId], store: Store, tmp_path: Path
) -> None:
    other = transcript("Group 2", "South")[1]
    with at_the_page(store, study_in(tmp_path), "Tom") as tom:
        tom.say(other[2].id, "add", "Weather")
    coder.say(other[2].id, "reject", "Waiting")
    page = coder.go(f"/similar/{ids[2]}")
    listed = re.findall(r'segment=(\w+)#s-\w+"><bdi>', page)
    assert listed[:2] == [ids[2], other[2].id], "itself as the example, then its twin in the other transcript"
    assert len(listed) == 10
    assert "no theme, 1 rejected" in page
    assert "Weather" not in page
    assert KIND.replace("<", "&lt;").replace(">", "&gt;") not in page
    assert "likely" not in page
    coder.go("/similar/none")
    assert coder.status == 404


def test_a_typed_text_finds_what_resembles_it_and_is_in_no_address(coder: Coder, ids: list[SegmentId]) -> None:
    assert "What resembles this text" in coder.go("/search")
    page = coder.post("/search", {"text": "who can pay such a fare <every> day"})
    assert coder.url.endswith("/search")
    assert re.findall(r'segment=(\w+)#s-\w+"><bdi>', page)[0] in (ids[2], transcript("Group 2", "South")[1][2].id)
    assert "&lt;every&gt;" in page
    assert "<every>" not in page
    assert "The nearest" not in coder.post("/search", {"text": "   "})
    assert "The nearest" not in coder.post("/search", {})


def test_without_an_encoder_the_page_says_so_and_the_rest_works(store: Store, tmp_path: Path) -> None:
    cut = fill(store)

    def broken() -> HashingEncoder:
        raise EncoderFault("models/x", "holds no model that can be loaded (OSError)", "give another folder")

    broken_one = Encoding(fingerprint=HASHING.fingerprint, load=broken)
    with at_the_page(store, study_in(tmp_path), encoding=broken_one) as somebody:
        page = somebody.post("/search", {"text": "the bus"})
        assert somebody.status == 503
        assert "models/x: holds no model that can be loaded" in page
        assert "The nearest 4" in somebody.go(f"/similar/{cut[0].id}")
    with at_the_page(store, study_in(tmp_path), encoding=None) as somebody:
        assert "cannot be loaded" in somebody.post("/search", {"text": "the bus"})
        assert "Nothing can be compared with it" in somebody.go(f"/similar/{cut[0].id}")


def test_new_segments_are_found_as_soon_as_they_have_vectors(store: Store, tmp_path: Path) -> None:
    (first, *_) = fill(store)
    with at_the_page(store, study_in(tmp_path)) as somebody:
        assert "The nearest 4" in somebody.go(f"/similar/{first.id}")
        fill(store, [BOTH[1]])
        assert "The nearest 9" in somebody.go(f"/similar/{first.id}")


# --- reasons ---------------------------------------------------------------------------------------------------------


def test_what_carried_a_suggestion_is_marked_with_its_number_where_there_are_several(
    coder: Coder, ids: list[SegmentId]
) -> None:
    page = coder.go(f"/transcript/{coder.where(ids[0])}?segment={ids[0]}")
    marks = re.findall(r'<mark>(.*?)<sup aria-hidden="true">(.*?)</sup></mark>', page)
    assert marks == [("waited ", "1"), ("an hour in", "1 2"), (" the rai", "2")]
    assert "Carried by: <bdi>waited an hour in</bdi>" in page
    page = coder.go(f"/transcript/{coder.where(ids[0])}?segment={ids[1]}")
    assert re.findall(r"<mark>(.*?)</mark>", page) == ["&lt;b&gt;The ticket&lt;/b&gt;", "e co"]
    assert "<sup" not in page


def test_marks_leave_no_letter_out_and_add_none() -> None:
    segment = transcript()[1][0]
    made = pages.offers(suggestions(segment), {}, {theme.name: theme for theme in CODEBOOK.themes})
    carried = pages.carried(segment, made)
    assert "".join(run.text for run in pages.runs(segment.text, segment.start, carried, [], None)) == segment.text


def test_similar_segments_and_the_next_best_theme_are_told(coder: Coder, ids: list[SegmentId]) -> None:
    page = coder.go(f"/transcript/{coder.where(ids[0])}?segment={ids[0]}")
    assert f'<a href="/a-secret/similar/{ids[0]}">3 similar segments were rejected, 1 accepted</a>' in page
    assert "Next best" not in page, "it is offered itself"
    assert "all exemplars and decisions" in page
    assert ">+0.9<" in page
    assert ">−0.4<" in page
    assert "everything else" not in page


def test_the_next_best_theme_is_told_where_one_is_suggested(store: Store, tmp_path: Path) -> None:
    cut = fill(store)
    rerank(store, "run-2", cut, suggested=1)
    with at_the_page(store, study_in(tmp_path)) as somebody:
        page = somebody.go(f"/transcript/{cut[0].transcript}?segment={cut[0].id}")
        assert "Next best: <bdi>Kindness &lt;of drivers&gt;</bdi>, likely, 71\N{NO-BREAK SPACE}%." in page


def test_scores_can_be_hidden(store: Store, tmp_path: Path) -> None:
    cut = fill(store)
    rerank(store, "run-2", cut, suggested=1)
    with at_the_page(store, study_in(tmp_path, show_scores=False)) as somebody:
        page = somebody.go(f"/transcript/{cut[0].transcript}?segment={cut[0].id}")
        assert "%" not in page[page.index("<aside") : page.index("</aside>")]
        assert "very likely" not in page
        assert "<svg" not in page
        assert "Next best: <bdi>Kindness" in page
        assert "<mark>" in page
        somebody.say(cut[0].id, "accept", "Waiting")
        assert somebody.rows[0].probability == 0.91, "what ranking said is kept all the same"


def test_a_score_is_shown_in_its_largest_parts() -> None:
    parts = [("learned", 4.0), ("rivals", -2.0), ("terms", 1.0), ("nearest", 0.5), ("words", -0.3), ("asked", 0.2)]
    bars = pages.bars([*parts, ("a new one", 0.1), ("definition", 0.0)])
    assert [(bar.name, bar.value, bar.start, bar.width) for bar in bars[:2]] == [
        ("all exemplars and decisions", 4.0, 50.0, 50.0),
        ("other themes that fit too", -2.0, 25.0, 25.0),
    ]
    assert bars[-1].name == "everything else"
    assert bars[-1].value == pytest.approx(0.3)
    assert sum(bar.value for bar in bars) == pytest.approx(3.5)
    assert pages.bars([("definition", 0.0)]) == []
