"""The machine's influence: what copying does shows, and what chance alone does, does not."""

import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.influence import (
    Action,
    Facts,
    Judgement,
    acceptance,
    actions,
    blind_agreement,
    by_document,
    effect,
    found,
    from_decisions,
    hasty_runs,
    inflation,
    influence,
    jackknife,
    judgements,
    position,
    ratio,
    reliance,
    share,
    variety,
)
from pipeline.records import Answer, Decision, Mode, SegmentId, Suggestion

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script> \u202e\0"


def judged(**told: object) -> Judgement:
    """Return a judgement of a shown suggestion, but for what is told otherwise."""
    usual: dict[str, object] = {
        "coder": "Ada",
        "site": "North",
        "document": "d1",
        "segment": "s1",
        "theme": "Waiting",
        "mode": Mode.ROUTINE,
        "given": True,
        "offered": True,
        "shown": told.get("mode", Mode.ROUTINE) is Mode.ROUTINE,
        "decided_at": BEGAN,
        "rank": 1,
        "probability": 0.7,
    }
    return Judgement(**usual | told)  # type: ignore[arg-type]  # the usual values have the right types


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """Return the benchmark's module, which makes invented studies of coders who copy the machine."""
    file = Path(__file__).parent.parent / "benchmarks/influence.py"
    spec = importlib.util.spec_from_file_location("influence_bench", file)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made  # its dataclasses look themselves up there
    spec.loader.exec_module(made)
    return made


def test_the_panel_orders_coders_who_copy_and_agreement_between_them_does_not(bench: ModuleType) -> None:
    between: list[float] = []
    right: list[float] = []
    effects, inflations, wrong = [], [], []
    for copied in (0.0, 0.3, 0.5, 0.8):
        study = bench.copying(copied, documents=40)
        told = bench.panel(study)
        for kappa, figure in zip((between, right), bench.kappas(study), strict=True):
            kappa.append(figure)
        effects.append(told.effect.value)
        inflations.append(told.inflation.value)
        wrong.append(told.reliance.wrong.value)
    for ordered in (effects, inflations, wrong, [-kappa for kappa in right]):
        assert ordered == sorted(ordered)
    assert between != sorted(between, reverse=True), "agreement between coders does not fall"
    assert between[3] > between[0], "it even rises"


def test_an_effect_that_is_there_lies_in_its_interval_and_none_is_not_told_as_one(bench: ModuleType) -> None:
    none = bench.panel(bench.copying(0.0, documents=40)).effect
    assert none.low < 0 < none.high
    some = bench.panel(bench.copying(0.5, documents=40)).effect
    assert some.low < 0.5 * 0.503 < some.high, "lambda x (1 - what coders would have given anyway)"
    assert some.low > 0


def brute_effect(rows: Sequence[Judgement], edges: Sequence[float]) -> float | None:
    """Return the effect by counting, one band after the other."""
    above, below = 0.0, 0.0
    for low, high in zip([-1.0, *edges], [*edges, 2.0], strict=True):
        arms = []
        for mode in (Mode.ROUTINE, Mode.WITHHELD):
            here = [r for r in rows if r.mode is mode and r.offered and low <= (r.probability or 0) < high]
            weight = sum(1 / r.chance for r in here)
            arms.append((weight, sum(r.given / r.chance for r in here)))
        (shown, given), (blind, own) = arms
        if shown and blind:
            above += shown * (given / shown - own / blind)
            below += shown
    return above / below if below else None


ROWS = st.lists(
    st.builds(
        judged,
        document=st.sampled_from(["d1", "d2", "d3", "d4", "d5", "d6"]),
        mode=st.sampled_from([Mode.ROUTINE, Mode.WITHHELD]),
        given=st.booleans(),
        offered=st.booleans(),
        chance=st.sampled_from([0.1, 0.5, 0.9]),
        probability=st.sampled_from([0.5, 0.6, 0.8]),
        segment=st.sampled_from([f"s{n}" for n in range(30)]),
        gold=st.sampled_from([True, False, None]),
    ).map(lambda row: replace(row, shown=row.offered and row.mode is Mode.ROUTINE)),
    max_size=60,
)


@settings(max_examples=80, deadline=None)
@given(ROWS)
def test_the_effect_is_what_counting_by_hand_gives(rows: list[Judgement]) -> None:
    made = judgements(rows)
    kept = [row for row in rows if row.offered]
    blind = sum(row.mode is Mode.WITHHELD for row in kept)
    bands = min(5, max(1, blind // 10))
    edges: list[float] = []
    if kept:
        edges = list(np.quantile([row.probability or 0 for row in kept], np.arange(1, bands) / bands))
    expected = brute_effect(rows, edges)
    assert (effect(made).value is None) == (expected is None)
    if expected is not None:
        assert effect(made).value == pytest.approx(expected, abs=1e-12)


@settings(max_examples=80, deadline=None)
@given(ROWS)
def test_reliance_is_what_counting_by_hand_gives(rows: list[Judgement]) -> None:
    told = reliance(judgements(rows))
    for right, estimate in ((True, told.right), (False, told.wrong)):
        here = [row.given for row in rows if row.shown and row.gold is right]
        assert estimate.value == (pytest.approx(sum(here) / len(here)) if here else None)
        assert estimate.count == len(here)
    if told.right.value is not None and told.wrong.value is not None:
        assert told.gap.value == pytest.approx(told.right.value - told.wrong.value)
    else:
        assert told.gap.value is None


def test_the_chance_of_being_withheld_evens_out_a_change_of_plan() -> None:
    """Withheld seldom while themes are frequent, often while they are rare: unweighted, this looks like influence."""
    rows = []
    for common, chance in ((0.8, 0.1), (0.2, 0.5)):
        for n in range(1000):
            withheld = n < 1000 * chance
            place = n if not withheld else n * 7
            of = 1000 - 1000 * chance if not withheld else 1000 * chance
            at = (n - 1000 * chance) if not withheld else n
            rows.append(
                judged(
                    document=f"d{n % 9}{common}",
                    segment=f"{common}-{place}",
                    mode=Mode.WITHHELD if withheld else Mode.ROUTINE,
                    given=at < common * of,
                    chance=chance if withheld else 1 - chance,
                )
            )
    assert effect(judgements(rows)).value == pytest.approx(0, abs=1e-9)
    assert inflation(judgements(rows)).value == pytest.approx(0.286, abs=0.01)


def jackknife_by_hand(values: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return a ratio and the standard error of leaving out one document after the other."""
    whole = sum(a for a, _ in values) / sum(b for _, b in values)
    left = []
    for out in range(len(values)):
        rest = [pair for at, pair in enumerate(values) if at != out]
        left.append(sum(a for a, _ in rest) / sum(b for _, b in rest))
    mean = sum(left) / len(left)
    n = len(values)
    return whole, ((n - 1) / n * sum((one - mean) ** 2 for one in left)) ** 0.5


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=5, max_size=12))
def test_the_interval_is_the_jackknifes(values: list[tuple[int, int]]) -> None:
    from scipy.stats import t

    sums = np.array(values, dtype=np.float64)
    told = jackknife(sums, lambda s: ratio(s[..., 0], s[..., 1]))
    whole, error = jackknife_by_hand(values)
    assert told.value == pytest.approx(whole)
    assert told.high is not None
    assert told.high - whole == pytest.approx(t.ppf(0.975, len(values) - 1) * error)


def test_no_interval_from_few_documents_or_where_one_document_is_all() -> None:
    four = jackknife(np.array([[1.0, 2.0]] * 4), lambda s: ratio(s[..., 0], s[..., 1]))
    assert (four.value, four.low, four.documents) == (0.5, None, 4)
    one = jackknife(np.array([[1.0, 2.0]] + [[1.0, 0.0]] * 6), lambda s: ratio(s[..., 0], s[..., 1]))
    assert (one.value, one.low) == (3.5, None)
    assert jackknife(np.zeros((7, 2)), lambda s: ratio(s[..., 0], s[..., 1])).value is None


@pytest.mark.parametrize(("hits", "of", "at_most"), [(0, 20, 0.139), (0, 60, 0.049), (0, 0, 1.0), (5, 5, 1.0)])
def test_nothing_accepted_of_a_few_still_leaves_much_possible(hits: int, of: int, at_most: float) -> None:
    assert share(hits, of).at_most == pytest.approx(at_most, abs=5e-4)


@pytest.mark.parametrize(("hits", "of"), [(0, 12), (3, 12), (12, 12), (40, 100)])
def test_exact_limits_are_those_of_another_library(hits: int, of: int) -> None:
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(hits, of, method="beta")
    told = share(hits, of)
    assert [told.low, told.high] == pytest.approx([np.nan_to_num(low), high])


def test_cells_are_summed_by_document() -> None:
    sums = by_document(np.array([5, 5, 2]), np.array([1, 1, 0]), np.array([0.5, 2.0, 3.0]), 2)
    assert sums.tolist() == [[3.0, 0.0], [0.0, 2.5]]


def test_acceptance_says_nothing_by_itself() -> None:
    rows = [judged(segment=f"s{n}", document=f"d{n % 6}") for n in range(60)]
    rows += [judged(segment=f"b{n}", document=f"d{n % 6}", mode=Mode.ANCHOR) for n in range(20)]
    made = judgements(rows)
    assert (acceptance(made).value, blind_agreement(made).value, inflation(made).value) == (1.0, 1.0, 0.0)
    assert effect(made).value is None, "nothing was withheld by chance"


def listed(rng: np.random.Generator, *, by_rank: float, by_order: float, documents: int = 40) -> list[Judgement]:
    """Return shown suggestions of which acceptance falls with rank and rises in the course of a session."""
    rows = []
    for document in range(documents):
        for order in range(1, 61):
            for rank in (1, 2, 3):
                z = 0.3 + by_rank * rank + by_order * order / 100
                rows.append(
                    judged(
                        coder=f"c{document % 3}",
                        document=f"d{document}",
                        segment=f"d{document}s{order}",
                        theme=f"t{rank}",
                        rank=rank,
                        order=order,
                        probability=float(rng.uniform(0.5, 0.9)),
                        given=bool(rng.random() < 1 / (1 + np.exp(-z))),
                    )
                )
    return rows


def test_effects_of_place_and_fatigue_are_found_where_they_are_and_only_there() -> None:
    rng = np.random.default_rng(4)
    told = position(judgements(listed(rng, by_rank=-0.6, by_order=1.5)))
    assert told.rank.low is not None
    assert told.order.low is not None
    assert told.rank.low < -0.6 < (told.rank.high or 0) < 0
    assert 0 < told.order.low < 1.5 < (told.order.high or 0)
    none = position(judgements(listed(rng, by_rank=0, by_order=0)))
    assert (none.rank.low or 1) < 0 < (none.rank.high or -1)
    assert (none.order.low or 1) < 0 < (none.order.high or -1)


def test_place_and_fatigue_are_not_told_where_they_cannot_be() -> None:
    rng = np.random.default_rng(4)
    rows = listed(rng, by_rank=0, by_order=0)
    for some in (
        [replace(row, given=True) for row in rows],
        [row for row in rows if row.document in ("d1", "d2", "d3")],
        [replace(row, given=row.rank == 1) for row in rows],  # rank foretells everything
        [],
    ):
        told = position(judgements(some))
        assert (told.rank.value, told.order.value) == (None, None)
    one = position(judgements([row for row in rows if row.rank == 1]))
    assert one.rank.value is None
    assert one.order.value is not None, "what does not vary does not stand in the way of the rest"


def done(seconds: float, *, accepted: bool = True, shown: bool = True, at: int = 0, coder: str = "Ada") -> Action:
    return Action(
        coder=coder, site="North", document="d", segment=f"s{at}", mode=Mode.ROUTINE, shown=shown, accepted=accepted,
        seconds=seconds, decided_at=BEGAN + timedelta(minutes=at),
    )  # fmt: skip


def test_accepting_without_reading_is_a_run_of_quick_accepts() -> None:
    calm = [done(10, at=n) for n in range(40)]
    quick = [done(3.9, at=40 + n) for n in range(20)]
    (run,) = hasty_runs(actions([*calm, *quick, done(10, at=60)]))
    assert (run.coder, run.first, run.last, run.length, run.median, run.usual) == ("Ada", "s40", "s59", 20, 3.9, 10)
    for spoilt in (
        [*calm, *quick[:19]],
        [*calm, *quick[:10], done(3.9, accepted=False, at=50), *quick[11:]],
        [*calm, *quick[:10], done(4.1, at=50), *quick[11:]],
        [*calm, *(replace(one, coder="Ben") for one in quick)],  # for whom this is usual
    ):
        assert hasty_runs(actions(spoilt)) == []


def test_the_usual_time_is_that_of_work_with_suggestions() -> None:
    blind = [done(30, shown=False, accepted=False, at=n) for n in range(40)]
    calm = [done(8, at=40 + n) for n in range(60)]
    assert hasty_runs(actions([*blind, *calm])) == []


def test_fewer_and_narrower_themes_with_suggestions_show() -> None:
    rows = []
    for n in range(400):
        withheld = n % 4 == 0
        themes = [f"t{(n // 4) % 5}", "own"] if withheld else ["t0"]
        rows += [
            judged(
                document=f"d{n % 10}", segment=f"s{n}", theme=theme, mode=Mode.WITHHELD if withheld else Mode.ROUTINE,
                offered=theme == "t0",
            )
            for theme in themes
        ]  # fmt: skip
    told = variety(judgements(rows))
    assert (told.themes_shown.value, told.themes_withheld.value, told.themes_difference.value) == (1.0, 2.0, -1.0)
    assert told.kinds_shown.value == pytest.approx(1.0)
    assert told.kinds_withheld.value == pytest.approx(200 * 199 / (100 * 99 + 5 * 20 * 19))
    assert told.kinds_ratio.value == pytest.approx(1 / (told.kinds_withheld.value or 0))
    assert told.own_shown.value == 0.0
    assert told.own_withheld.value == pytest.approx(180 / 200)


def test_a_segment_that_was_read_and_given_nothing_counts_as_read() -> None:
    rows = [judged(segment="a"), judged(segment="b", theme="", given=False, offered=False, shown=False)]
    assert variety(judgements(rows)).themes_shown.value == 0.5


def test_what_suggestions_miss_is_told_from_segments_that_came_without() -> None:
    rows = [judged(segment=f"s{n}", mode=Mode.WITHHELD, offered=n < 30, document=f"d{n % 6}") for n in range(40)]
    rows += [judged(segment=f"s{n}", mode=Mode.ANCHOR, offered=False) for n in range(50, 90)]  # no random sample
    rows += [judged(segment=f"n{n}", mode=Mode.OVERLAP, theme="", given=False, offered=False) for n in range(10)]
    told = found(judgements(rows))
    assert (told.recall.hits, told.recall.of) == (30, 40)
    assert told.recall.at_least == pytest.approx(0.6136, abs=1e-3)
    assert (told.missed.hits, told.missed.of) == (10, 20)
    assert told.by_document.value == 0.75


def test_nothing_at_all_is_told_as_nothing() -> None:
    told = influence(judgements([]), actions([]))
    assert (told.everybody.effect.value, told.everybody.reliance.gap.value, told.coders) == (None, None, {})
    assert (told.variety.kinds_ratio.value, told.found.recall.of, told.hasty) == (None, 0, ())


def suggestion(segment: str, theme: str, rank: int, *, suggested: bool = True) -> Suggestion:
    return Suggestion(
        segment=SegmentId(segment), rank=rank, theme=theme, score=1.0, probability=0.9 - rank / 10,
        suggested=suggested, exemplar="", exemplar_source="", parts=(),
    )  # fmt: skip


def decided(segment: str, theme: str, answer: Answer, **told: object) -> Decision:
    usual: dict[str, object] = {"coder": HOSTILE, "decided_at": BEGAN, "seconds": 5.0, "run": "r", "shown": True}
    return Decision(segment=SegmentId(segment), theme=theme, answer=answer, **usual | told)  # type: ignore[arg-type]


FACTS = Facts(
    places={SegmentId(name): ("North", "n1") for name in "abc"},
    suggestions={
        (SegmentId(name), "r"): [
            suggestion(name, "Waiting", 1),
            suggestion(name, "Money", 2),
            suggestion(name, "Rain", 3, suggested=False),
        ]
        for name in "abc"
    },
    gold={SegmentId("b"): frozenset({"Waiting", "Rain"})},
    uncertain={SegmentId("b"): frozenset({"Rain"})},
)


def test_decisions_become_judgements_with_what_was_offered_and_not_answered() -> None:
    rows, acts = from_decisions(
        [
            decided("a", "Waiting", Answer.ACCEPT),
            decided("a", "Waiting", Answer.UNDO, decided_at=BEGAN + timedelta(seconds=9), seconds=None),
            decided("a", "Rain", Answer.ADD, decided_at=BEGAN + timedelta(seconds=20), seconds=11.0),
        ],
        FACTS,
    )
    told = {row.theme: (row.given, row.offered, row.shown, row.rank) for row in rows}
    assert told == {
        "Money": (False, True, True, 2),
        "Rain": (True, False, False, 3),
        "Waiting": (False, True, True, 1),
    }
    assert {row.seconds for row in rows} == {16.0}
    assert [(act.accepted, act.seconds) for act in acts] == [(True, 5.0), (False, 11.0)]
    assert {row.coder for row in rows} == {HOSTILE}
    assert judgements(rows).coders == (HOSTILE,)


def test_a_blind_segment_is_judged_with_what_would_have_been_offered_and_its_gold() -> None:
    blind: dict[str, object] = {"mode": Mode.ANCHOR, "shown": False, "chance": 0.002}
    rows, _ = from_decisions([decided("b", "Rain", Answer.ADD, **blind)], FACTS)
    told = {row.theme: (row.given, row.offered, row.shown, row.gold) for row in rows}
    assert told == {
        "Money": (False, True, False, False),
        "Rain": (True, False, False, None),
        "Waiting": (False, True, False, True),
    }
    assert {row.chance for row in rows} == {0.002}


def test_a_second_reading_stands_beside_the_first() -> None:
    later: dict[str, object] = {"mode": Mode.DUPLICATE, "shown": False, "decided_at": BEGAN + timedelta(days=20)}
    rows, _ = from_decisions([decided("a", "Waiting", Answer.ACCEPT), decided("a", "", Answer.NOTHING, **later)], FACTS)
    waiting = {row.mode: row.given for row in rows if row.theme == "Waiting"}
    assert waiting == {Mode.ROUTINE: True, Mode.DUPLICATE: False}
    assert len(set(judgements(rows).reading.tolist())) == 2


def test_imported_coding_and_what_was_taken_back_are_no_judgements() -> None:
    rows, acts = from_decisions(
        [
            decided("a", "Waiting", Answer.ADD, run="", seconds=None),
            decided("b", "", Answer.UNSURE),
            decided("c", "Waiting", Answer.ACCEPT, decided_at=BEGAN + timedelta(seconds=30)),
            decided("c", "Waiting", Answer.UNDO, decided_at=BEGAN + timedelta(seconds=40), seconds=None),
            decided("elsewhere", "Waiting", Answer.ACCEPT),
        ],
        FACTS,
    )
    assert rows == []
    assert [act.segment for act in acts] == ["b", "c"]


def test_a_session_ends_with_a_pause_of_more_than_half_an_hour() -> None:
    times = [0, 29, 59, 90, 91]
    rows, acts = from_decisions(
        [
            decided("abcab"[at], "Waiting", Answer.ACCEPT, decided_at=BEGAN + timedelta(minutes=minutes))
            for at, minutes in enumerate(times)
        ],
        FACTS,
    )
    assert [(act.session, act.order) for act in acts] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]
    assert {(row.segment, row.session, row.order) for row in rows} == {("a", 1, 1), ("b", 1, 2), ("c", 1, 3)}
