"""Blind checks woven into the work: who gets them, how they look, and what becomes of the answers."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import AuditSettings, Study
from pipeline.records import Answer, Decision, Mode, Segment, SegmentId, present
from pipeline.review.orders import Reviewer
from pipeline.review.slots import Pool, due, next_slot, pick
from pipeline.store import Store, open_store, slots
from pipeline.store.anchors import Gold, add_gold, load_gold
from pipeline.store.corpus import load_segments
from pipeline.store.decisions import add_decisions, load_decisions
from pipeline.store.slots import Slot, load_slots

from .reviewing import CODEBOOK, NONE_SUGGESTED, QUOTE, TOKEN, Coder, at_the_page, fill, study_in, without_draft_names

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NONE = {"anchors": 0.0, "overlap": 0.0, "duplicates": 0.0, "elsewhere": 0.0}
PLACES = [("North" if n % 2 else "South", f"Group {n:02d}") for n in range(12)]
KIND = "Kindness <of drivers>"


def study(folder: Path, *, withhold: float = 0.0, **audit: object) -> Study:
    """Return a study in which only the checks that are told come."""
    told = AuditSettings(**NONE | {"priority": ("Waiting",)} | audit)  # type: ignore[arg-type]  # valid settings
    return study_in(folder, withhold=withhold).model_copy(update={"audit": told})


@pytest.fixture
def many(store: Store) -> list[Segment]:
    """Put twelve transcripts into the store, and return their 60 segments in the order of the transcripts."""
    fill(store, PLACES)
    return load_segments(store)


def adjudicate(store: Store, pieces: Sequence[Segment]) -> None:
    add_gold(
        store,
        [
            Gold(
                segment=piece.id, themes=frozenset({"Waiting"} if at % 2 else ()), codebook_revision="r",
                adjudicated_by="Ada and Ben", adjudicated_at=NOW,
            )
            for at, piece in enumerate(pieces)
        ],
    )  # fmt: skip


def said(pieces: Sequence[Segment], coder: str, answer: Answer = Answer.ADD) -> list[Decision]:
    theme = "Weather" if answer is Answer.ADD else ""
    return [Decision(segment=p.id, coder=coder, theme=theme, answer=answer, seconds=1, decided_at=NOW) for p in pieces]


def reviewer(store: Store, told: Study, coder: str = "Ria") -> Reviewer:
    return Reviewer(store=store, study=told, codebook=CODEBOOK, coder=coder)


def current(coder: Coder) -> SegmentId:
    """Return the segment that the present page is about."""
    found = re.search(r"[?&]segment=(\w+)", coder.url)
    assert found, coder.url
    return SegmentId(found[1])


def work(coder: Coder, steps: int) -> list[SegmentId]:
    """Answer one segment after the other, as the page leads; return them in their order."""
    coder.go("/next")
    done = []
    for _ in range(steps):
        if "segment=" not in coder.url:
            break
        done.append(current(coder))
        answer = {"answer": "nothing", "theme": "", "at": coder.at}
        coder.post(f"/segment/{done[-1]}?go=next", answer)
    return done


def test_each_anchor_comes_once_blind_and_is_answered_as_one(store: Store, many: list[Segment], tmp_path: Path) -> None:
    bank = many[30:40]
    adjudicate(store, bank)
    with at_the_page(store, study(tmp_path, anchors=0.3)) as ria:
        done = work(ria, 80)
        rows = ria.rows
    assert sorted(done) == sorted(piece.id for piece in many), "everything once, and nothing twice"
    drawn = load_slots(store, "Ria")
    assert len({slot.segment for slot in drawn}) == len(drawn) > 5
    assert {slot.segment for slot in drawn} <= {piece.id for piece in bank}
    modes = {row.segment: row.mode for row in rows}
    assert {s for s, mode in modes.items() if mode is Mode.ANCHOR} == {slot.segment for slot in drawn}
    told = {slot.segment: slot.chance for slot in drawn}
    for row in rows:
        if row.mode is Mode.ANCHOR:
            assert (row.shown, row.rank, row.chance) == (False, None, told[row.segment])
        else:
            assert (row.mode, row.chance) == (Mode.ROUTINE, 1.0)
    assert [slot.mode for slot in drawn] == [Mode.ANCHOR] * len(drawn)
    first = drawn[0]
    assert first.chance == pytest.approx(0.3 / 10)


def test_after_a_check_the_work_goes_on_where_it_was(store: Store, many: list[Segment], tmp_path: Path) -> None:
    adjudicate(store, many[40:50])
    with at_the_page(store, study(tmp_path, anchors=0.3)) as ria:
        done = work(ria, 60)
    checks = {slot.segment for slot in load_slots(store, "Ria")}
    order = [piece.id for piece in many]
    ordinary = [segment for segment in done if segment not in checks]
    assert ordinary == [segment for segment in order if segment not in checks]


def page_of(coder: Coder, segment: Segment) -> str:
    return coder.go(f"/transcript/{segment.transcript}?segment={segment.id}")


def alike(page: str, *names: str) -> str:
    """Return a page without what differs between any two segments."""
    page = without_draft_names(re.sub(r'name="at" value="\d+"', "", page))
    page = re.sub(r"Segment \d+ of", "Segment n of", page)
    for name in names:
        page = page.replace(name, "X")
    return page[page.index("<aside") : page.index("</aside>")]


def test_an_anchor_looks_like_a_segment_that_nothing_fits(store: Store, many: list[Segment], tmp_path: Path) -> None:
    anchor, bare = many[20], many[20 + NONE_SUGGESTED]
    told = study(tmp_path)
    with at_the_page(store, told) as ria:
        assert QUOTE in page_of(ria, anchor)
        with slots.drawing(store) as keep:
            keep(slot_at(anchor, Mode.ANCHOR, after=many[21]))
        checked = page_of(ria, anchor)
        assert QUOTE not in checked
        assert "No suggestions here" in checked
        assert alike(checked, anchor.id) == alike(page_of(ria, bare), bare.id)
        page_of(ria, anchor)
        seen = ria.seen
        page_of(ria, bare)
        assert seen == ria.seen


def slot_at(piece: Segment, mode: Mode, *, after: Segment, position: int = 1, coder: str = "Ria") -> Slot:
    return Slot(coder=coder, position=position, segment=piece.id, mode=mode, chance=0.01, after=after.id, drawn_at=NOW)


def test_checks_elsewhere_cannot_be_told_apart(tmp_path: Path) -> None:
    """Whether the coder has answered all of that transcript, another coder has, or nobody: to the letter the same."""
    looks = set()
    for mode in (Mode.ANCHOR, Mode.OVERLAP, Mode.DUPLICATE):
        opened = open_store(f"sqlite:///{tmp_path / mode.value}.db")
        fill(opened, PLACES)
        many = load_segments(opened)
        readers = {Mode.OVERLAP: "Tom", Mode.DUPLICATE: "Ria"}
        add_decisions(opened, said(many[20:25], readers[mode]) if mode in readers else [])
        with slots.drawing(opened) as keep:
            keep(slot_at(many[20], mode, after=many[0]))
        with at_the_page(opened, study(tmp_path)) as ria:
            ria.go("/next")
            assert current(ria) == many[20].id
            assert "from another transcript" in ria.page
            assert "0 of 5 decided" in ria.page
            looks.add(without_draft_names(re.sub(r'name="at" value="\d+"', "", ria.page)))
        opened.close()
    assert len(looks) == 1


def test_a_second_answer_stands_beside_the_first_and_never_shows_it(
    store: Store, many: list[Segment], tmp_path: Path
) -> None:
    piece = many[20]
    with at_the_page(store, study(tmp_path)) as ria:
        ria.say(piece.id, "accept", "Waiting")
        with slots.drawing(store) as keep:
            keep(slot_at(piece, Mode.DUPLICATE, after=many[0]))
        ria.go("/next")
        assert (current(ria), ria.mark(piece.id)) == (piece.id, "open")
        ria.post(f"/segment/{piece.id}", {"answer": "add", "theme": "Weather", "at": ria.at})
        assert ria.mark(piece.id) == "Weather"
        assert "Waiting</bdi> <span" not in ria.page
        ria.post(f"/segment/{piece.id}?go=next", {"answer": "add", "theme": "Money", "at": ria.at})
        assert current(ria) == many[1].id, "the coder goes on from before"
        ria.post(f"/segment/{many[1].id}", {"answer": "nothing", "theme": "", "at": ria.at})
        page_of(ria, piece)
        assert ria.mark(piece.id) == "Waiting", "afterwards the first answer is there again"
        rows = [row for row in ria.rows if row.segment == piece.id]
    assert [(row.mode, row.theme) for row in rows] == [
        (Mode.ROUTINE, "Waiting"),
        (Mode.DUPLICATE, "Weather"),
        (Mode.DUPLICATE, "Money"),
    ]
    assert {row.shown for row in rows[1:]} == {False}
    (coding,) = [coding for coding in present(load_decisions(store)) if coding.segment == piece.id]
    assert coding.themes == ("Waiting",)


def test_a_second_answer_is_taken_back_without_touching_the_first(
    store: Store, many: list[Segment], tmp_path: Path
) -> None:
    piece = many[20]
    with at_the_page(store, study(tmp_path)) as ria:
        ria.say(piece.id, "accept", "Waiting")
        with slots.drawing(store) as keep:
            keep(slot_at(piece, Mode.DUPLICATE, after=many[0]))
        ria.go("/next")
        ria.post(f"/segment/{piece.id}?go=next", {"answer": "add", "theme": "Waiting", "at": ria.at})
        ria.undo()
        assert (current(ria), ria.mark(piece.id)) == (piece.id, "open")
        assert (ria.rows[-1].mode, ria.rows[-1].answer) == (Mode.DUPLICATE, Answer.UNDO)
        ria.undo()
        assert (ria.rows[-1].mode, ria.rows[-1].answer) == (Mode.ROUTINE, Answer.UNDO)
    assert present(load_decisions(store)) == []


def test_only_what_was_answered_long_ago_comes_again_and_once(
    store: Store, many: list[Segment], tmp_path: Path
) -> None:
    add_decisions(store, said(many[:50], "Ria"))
    with at_the_page(store, study(tmp_path, duplicates=0.4, again_after=30)) as ria:
        work(ria, 30)
    again = [slot.segment for slot in load_slots(store, "Ria")]
    assert len(again) == len(set(again)) >= 4
    assert {slot.mode for slot in load_slots(store, "Ria")} == {Mode.DUPLICATE}
    assert set(again) <= {piece.id for piece in many[:32]}


def test_what_comes_again_is_not_chosen_by_the_coders_own_answer(
    store: Store, many: list[Segment], tmp_path: Path
) -> None:
    """Two coders answer the opposite everywhere, and are asked again about the very same segments."""
    told = study(tmp_path, duplicates=0.5, again_after=1)
    drawn = []
    for answer in (Answer.ADD, Answer.NOTHING):
        other = open_store(f"sqlite:///{tmp_path / answer.value}.db")
        fill(other, PLACES)
        add_decisions(other, said(many, "Ria", answer))
        drawn.append(_draw_all(other, told, many))
        other.close()
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) > 0


def _draw_all(opened: Store, told: Study, many: Sequence[Segment]) -> list[SegmentId]:
    found = []
    for seed in range(30):
        draw = told.model_copy(update={"audit": told.audit.model_copy(update={"seed": seed})})
        slot = next_slot(reviewer(opened, draw), many[0])
        if slot:
            found.append(slot.segment)
            break
    return found


def test_overlap_is_what_others_coded_and_this_coder_did_not(store: Store, many: list[Segment], tmp_path: Path) -> None:
    add_decisions(store, said(many[30:36], "Tom"))
    with at_the_page(store, study(tmp_path, overlap=0.5)) as ria:
        work(ria, 20)
        rows = {row.segment: row for row in ria.rows if row.mode is Mode.OVERLAP}
    assert set(rows) == {slot.segment for slot in load_slots(store, "Ria")} <= {piece.id for piece in many[30:36]}
    assert len(rows) >= 3
    assert not any(row.shown for row in rows.values())


def test_ordinary_work_from_elsewhere_hides_that_checks_are_elsewhere(
    store: Store, many: list[Segment], tmp_path: Path
) -> None:
    adjudicate(store, many[50:])
    with at_the_page(store, study(tmp_path, anchors=0.01, elsewhere=0.4)) as ria:
        done = work(ria, 20)
        ahead = [slot for slot in load_slots(store, "Ria") if slot.mode is Mode.ROUTINE]
        assert len(ahead) >= 4
        shown = {row.segment: row.shown for row in ria.rows}
    assert {slot.segment for slot in ahead} <= set(done)
    assert any(shown[slot.segment] for slot in ahead), "with its suggestions, where it has some"


def test_nobody_is_led_elsewhere_where_nothing_is_checked(store: Store, many: list[Segment], tmp_path: Path) -> None:
    with at_the_page(store, study(tmp_path, anchors=0.1, overlap=0.1, duplicates=0.1, elsewhere=0.2)) as ria:
        assert work(ria, 30) == [piece.id for piece in many[:30]]
    assert load_slots(store) == []


def test_a_coder_who_has_seen_all_anchors_is_asked_again_about_old_ones(
    store: Store, many: list[Segment], tmp_path: Path
) -> None:
    adjudicate(store, many[:10])
    add_decisions(store, said(many[:40], "Ria"))
    with at_the_page(store, study(tmp_path, anchors=0.4, again_after=20)) as ria:
        work(ria, 20)
    drawn = load_slots(store, "Ria")
    assert len(drawn) >= 3
    assert {slot.mode for slot in drawn} == {Mode.DUPLICATE}
    assert {slot.segment for slot in drawn} <= {piece.id for piece in many[:10]}


def test_gold_that_stays_uncertain_is_kept_and_not_served(store: Store, many: list[Segment], tmp_path: Path) -> None:
    split = Gold(
        segment=many[30].id, themes=frozenset({"Money"}), uncertain=frozenset({"Waiting"}), codebook_revision="r",
        adjudicated_by="Ada", adjudicated_at=NOW,
    )  # fmt: skip
    add_gold(store, [split])
    with at_the_page(store, study(tmp_path, anchors=0.5)) as ria:
        work(ria, 20)
    assert load_slots(store) == []
    assert load_gold(store)[many[30].id].says("Waiting") is None


def test_an_order_of_review_goes_on_after_a_check(store: Store, many: list[Segment], tmp_path: Path) -> None:
    adjudicate(store, many[50:])
    with at_the_page(store, study(tmp_path, anchors=0.5)) as ria:
        ria.go("/next?order=surest")
        for _ in range(12):
            assert "order=surest" in ria.url
            answer = {"answer": "nothing", "theme": "", "at": ria.at}
            ria.post(f"/segment/{current(ria)}?go=next&order=surest", answer)
        assert {row.queue for row in ria.rows} == {"surest"}
        assert sum(row.mode is Mode.ANCHOR for row in ria.rows) >= 2


def test_the_next_open_segment_leads_to_checks_too(store: Store, many: list[Segment], tmp_path: Path) -> None:
    adjudicate(store, many[50:])
    with at_the_page(store, study(tmp_path, anchors=0.5)) as ria:
        ria.go("/next")
        for _ in range(12):
            here = current(ria)
            ria.post(f"/segment/{here}", {"answer": "nothing", "theme": "", "at": ria.at})
            assert current(ria) == here
            link = re.search(r'data-key="n" href="/[\w-]+(/next[^"]*)"', ria.page)
            assert link
            ria.go(link[1].replace("&amp;", "&"))
    assert len(load_slots(store, "Ria")) >= 2


def test_a_check_that_is_not_answered_comes_first_again(store: Store, many: list[Segment], tmp_path: Path) -> None:
    adjudicate(store, many[50:])
    with at_the_page(store, study(tmp_path, anchors=0.5)) as ria:
        while not load_slots(store, "Ria"):
            work(ria, 1)
        (drawn,) = load_slots(store, "Ria")
        ria.go("/")
        ria.go("/next")
        assert current(ria) == drawn.segment
        ria.say(many[4].id, "nothing", go="?go=next")
        assert current(ria) == drawn.segment
    assert load_slots(store, "Ria") == [drawn]


def test_a_check_on_a_segment_that_is_gone_is_dropped(store: Store, many: list[Segment], tmp_path: Path) -> None:
    lost = many[20]
    with slots.drawing(store) as keep:
        keep(slot_at(lost, Mode.ANCHOR, after=many[0]))
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE segments SET current = 0 WHERE id = ?", (lost.id,))
    with at_the_page(store, study(tmp_path)) as ria:
        ria.go("/next")
        assert current(ria) == many[0].id


def test_who_is_killed_before_the_page_comes_gets_the_same(store: Store, many: list[Segment], tmp_path: Path) -> None:
    """What comes next follows from what is in the store: drawing it in a copy of the store gives the same."""
    adjudicate(store, many[40:])
    told = study(tmp_path, anchors=0.3, elsewhere=0.1)
    other = open_store(f"sqlite:///{tmp_path / 'copy.db'}")
    fill(other, PLACES)
    adjudicate(other, many[40:])
    for at, piece in enumerate(many[:30]):
        for opened in (store, other):
            add_decisions(opened, [replace(said([piece], "Ria")[0], decided_at=NOW.replace(second=at))])
        one, two = (next_slot(reviewer(opened, told), piece) for opened in (store, other))
        assert one == next_slot(reviewer(store, told), piece), "asked twice it is drawn once"
        assert (one is None) == (two is None)
        if one and two:
            assert replace(one, drawn_at=NOW) == replace(two, drawn_at=NOW)
            for opened in (store, other):
                add_decisions(opened, [replace(said([piece], "Ria")[0], segment=one.segment)])
    assert len(load_slots(store)) == len(load_slots(other)) > 3
    other.close()


def test_a_slot_that_fails_half_way_is_not_there(store: Store, many: list[Segment]) -> None:
    def fail() -> None:
        with slots.drawing(store) as keep:
            keep(slot_at(many[0], Mode.ANCHOR, after=many[1]))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert load_slots(store) == []


def test_two_programs_of_one_coder_draw_one_slot(store: Store, many: list[Segment], tmp_path: Path) -> None:
    adjudicate(store, many[30:])
    told = study(tmp_path, anchors=0.5)
    at = next(n for n in range(1, 9) if due(told.audit, "Ria", n))
    add_decisions(store, said(many[:at], "Ria"))
    others = [open_store(f"sqlite:///{store.place}") for _ in range(4)]
    with ThreadPoolExecutor(4) as hands:
        drawn = list(hands.map(lambda opened: next_slot(reviewer(opened, told), many[0]), others))
    assert len({slot.segment for slot in drawn if slot}) == 1
    assert len(load_slots(store)) == 1
    for opened in others:
        opened.close()


def test_two_coders_have_slots_of_their_own(store: Store, many: list[Segment], tmp_path: Path) -> None:
    adjudicate(store, many[30:])
    told = study(tmp_path, anchors=0.3)
    with both(store, told) as (ria, tom):
        for coder in (ria, tom):
            coder.go("/next")
        for _ in range(20):
            for coder in (ria, tom):
                coder.post(f"/segment/{current(coder)}?go=next", {"answer": "nothing", "theme": "", "at": coder.at})
    mine, other = ([s.position for s in load_slots(store, name)] for name in ("Ria", "Tom"))
    assert mine
    assert other
    assert mine != other
    assert len(load_decisions(store)) == 40 + _rejected(store)


def _rejected(store: Store) -> int:
    return sum(row.answer is Answer.REJECT for row in load_decisions(store))


@contextmanager
def both(store: Store, told: Study) -> Iterator[tuple[Coder, Coder]]:
    with at_the_page(store, told, "Ria") as ria, at_the_page(store, told, "Tom") as tom:
        yield ria, tom


@pytest.mark.parametrize("table", ["slots", "anchors"])
@pytest.mark.parametrize("change", ["UPDATE {} SET segment = segment", "DELETE FROM {}"])
def test_the_database_refuses_to_change_slots_and_gold(
    store: Store, many: list[Segment], table: str, change: str
) -> None:
    adjudicate(store, many[:1])
    with slots.drawing(store) as keep:
        keep(slot_at(many[0], Mode.ANCHOR, after=many[1]))
    with pytest.raises(Exception, match="appended, never changed"), store.writing() as connection:
        connection.exec_driver_sql(change.format(table))


def test_the_shares_are_what_the_settings_say() -> None:
    told = AuditSettings()
    came = Counter(found[0] if (found := due(told, f"c{n % 40}", n)) else None for n in range(20_000))
    wanted = {Mode.ANCHOR: 0.08, Mode.OVERLAP: 0.02, Mode.DUPLICATE: 0.02, Mode.ROUTINE: 0.04}
    for mode, share in wanted.items():
        assert came[mode] / 20_000 == pytest.approx(share, abs=3.5 * (share / 20_000) ** 0.5)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.integers(0, 10**6))
def test_a_draw_tells_its_chance(sizes: list[int], key: int) -> None:
    pools = [
        Pool(mode=Mode.DUPLICATE, segments=[SegmentId(f"{at}-{n}") for n in range(size)])
        for at, size in enumerate(sizes)
    ]
    found = pick(pools, key)
    assert found is not None
    pool = next(pool for pool in pools if found[1] in pool.segments)
    assert found[2] == pytest.approx(1 / len(sizes) / len(pool.segments))
    assert found == pick(pools, key)


def test_every_segment_of_a_pool_can_be_drawn_and_all_as_often() -> None:
    pool = Pool(mode=Mode.ANCHOR, segments=[SegmentId(f"s{n}") for n in range(7)])
    found = [pick([pool], n) for n in range(7000)]
    came = Counter(one[1] for one in found if one)
    assert len(came) == 7
    assert all(880 < times < 1120 for times in came.values())
    assert pick([], 1) is None


def test_the_page_of_a_check_has_the_address_of_any_segment(store: Store, many: list[Segment], tmp_path: Path) -> None:
    adjudicate(store, many[50:])
    with at_the_page(store, study(tmp_path, anchors=0.5)) as ria:
        addresses = []
        ria.go("/next")
        for _ in range(15):
            addresses.append(re.sub(r"[0-9a-f]{20}", "id", ria.url))
            ria.post(f"/segment/{current(ria)}?go=next", {"answer": "nothing", "theme": "", "at": ria.at})
    assert len(load_slots(store, "Ria")) >= 3
    plain = {re.sub(r"&note=next-transcript|#.*", "", address) for address in addresses}
    assert plain == {f"http://127.0.0.1:8000/{TOKEN}/transcript/id?segment=id"}
