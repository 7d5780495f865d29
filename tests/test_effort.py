"""What the work costs and when it is enough: published figures, counting by hand, and laws."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.effort import (
    chance_of_missing,
    curve,
    enough,
    paces,
    read_for,
    recall_at,
    saturation,
    saving,
    seconds_per_right,
    tnr,
    wss,
)
from pipeline.influence import Action, Judgement, actions, judgements
from pipeline.records import Mode

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def act(seconds: float, at: int, mode: Mode = Mode.ROUTINE, **told: object) -> Action:
    usual: dict[str, object] = {
        "coder": "Ada",
        "document": f"d{at % 8}",
        "segment": f"s{at}",
        "shown": mode is Mode.ROUTINE,
        "chance": 1.0,
    }
    return Action(
        site="North", mode=mode, accepted=False, seconds=seconds, decided_at=BEGAN + timedelta(minutes=at),
        **usual | told,  # type: ignore[arg-type]  # the usual values have the right types
    )  # fmt: skip


def test_idle_time_is_no_work() -> None:
    everybody, each = paces(actions([act(10, 1), act(20, 2), act(61, 3), act(5, 2)]))
    assert (everybody.segments, everybody.actions, everybody.idle) == (2, 3, 1)
    assert everybody.minutes == pytest.approx(35 / 60, rel=0.01)
    assert everybody.per_minute == pytest.approx(2 / (35 / 60), rel=0.01)
    assert [everybody.per_action, everybody.per_segment] == pytest.approx([10, 17.5], rel=0.02)
    assert list(each) == ["Ada"]


def test_a_long_time_counts_no_longer_than_almost_all_others() -> None:
    everybody, _ = paces(actions([act(2, n) for n in range(199)] + [act(59, 200)]))
    assert everybody.minutes == pytest.approx((199 * 2 + np.quantile([2] * 199 + [59], 0.99)) / 60)


def test_nobodys_pace_is_none() -> None:
    everybody, each = paces(actions([]))
    assert (everybody.segments, everybody.per_minute, everybody.per_action, each) == (0, None, None, {})
    told = saving(actions([]))
    assert (told.gross.value, told.net.value, told.shown, told.checks) == (None, None, None, 0.0)


def study(*, shown: float, withheld: float, check: float = 0.0, coder: str = "Ada") -> list[Action]:
    """Return 80 segments of ordinary work, every tenth withheld, and a check after every eighth."""
    made = []
    for n in range(80):
        blind = n % 10 == 0
        mode = Mode.WITHHELD if blind else Mode.ROUTINE
        made.append(act(withheld if blind else shown, n, mode, chance=0.1 if blind else 0.9, coder=coder))
        if check and n % 8 == 0:
            made.append(act(check, 1000 + n, Mode.ANCHOR, coder=coder))
    return made


def test_the_saving_is_beside_withheld_segments_and_the_checks_are_charged() -> None:
    told = saving(actions(study(shown=6, withheld=12, check=12)))
    assert told.gross.value == pytest.approx(0.5)
    assert told.net.value == pytest.approx(1 - (72 * 6 + 8 * 12 + 10 * 12) / (80 * 12))
    assert [told.shown, told.withheld] == pytest.approx([6, 12])
    assert told.checks == pytest.approx(120 / (72 * 6 + 8 * 12 + 120))
    assert told.gross.low == pytest.approx(0.5)


def test_what_costs_time_is_told_as_negative() -> None:
    assert (saving(actions(study(shown=12, withheld=10, check=5))).net.value or 0) < -0.2


def test_a_slow_coder_with_many_checks_does_not_pass_for_a_slow_machine() -> None:
    """Each coder is measured against the own manual time: else the mixture of coders would be the result."""
    slow = study(shown=20, withheld=20, coder="Slow")[:30]
    told = saving(actions([*slow, *study(shown=5, withheld=5, coder="Fast")]))
    assert told.gross.value == pytest.approx(0)
    alone = study(shown=1, withheld=1, coder="Never withheld")
    without = [one for one in alone if one.mode is Mode.ROUTINE]
    assert saving(actions([*slow, *without])).gross.value == pytest.approx(0)


def test_several_actions_on_a_segment_are_one_time() -> None:
    twice = [part for one in study(shown=6, withheld=12) for part in (one, one)]
    assert saving(actions(twice)).withheld == pytest.approx(24)


def test_the_time_of_a_right_theme_counts_all_reading() -> None:
    rows = [
        Judgement(
            coder="Ada", site="N", document=f"d{n % 6}", segment=f"s{n}", theme=theme, mode=mode, given=gives,
            offered=True, shown=True, decided_at=BEGAN, seconds=seconds, gold=gold,
        )
        for n in range(60)
        for mode, seconds in ([(Mode.ROUTINE, 4.0)] if n % 2 else [(Mode.WITHHELD, 9.0)])
        for theme, gives, gold in (("A", n % 3 == 0, True), ("B", True, False))
    ]  # fmt: skip
    told = seconds_per_right(judgements(rows))
    assert told[Mode.ROUTINE].value == pytest.approx(30 * 4 / 10)
    assert told[Mode.WITHHELD].value == pytest.approx(30 * 9 / 10)


def ranked(total: int, positives: int, read: int, recall: float) -> list[bool]:
    """Return an order in which the recall is reached at exactly the ``read``-th segment."""
    wanted = int(np.ceil(round(recall * positives, 9)))
    order = [True] * (wanted - 1) + [False] * (read - wanted) + [True]
    return order + [False] * (total - read - positives + wanted) + [True] * (positives - wanted)


def test_work_saved_is_as_published() -> None:
    order = ranked(2000, 100, 800, 0.95)
    assert len(order) == 2000
    assert read_for(order) == 800
    assert wss(order) == pytest.approx(0.55)
    assert tnr(order) == pytest.approx(0.629, abs=5e-4)


@pytest.mark.parametrize(("prevalence", "best"), [(0.05, 0.902), (0.15, 0.807), (0.30, 0.665)])
def test_the_best_work_saved_depends_on_how_much_there_is_and_the_normalised_does_not(
    prevalence: float, best: float
) -> None:
    positives = round(2000 * prevalence)
    order = [True] * positives + [False] * (2000 - positives)
    assert wss(order) == pytest.approx(best, abs=1e-3)
    assert tnr(order) == 1.0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=40), st.sampled_from([0.5, 0.8, 0.9, 0.95, 1.0]))
def test_screening_is_what_counting_gives(order: list[bool], recall: float) -> None:
    positives = sum(order)
    read = next(
        (n for n in range(1, len(order) + 1) if positives and sum(order[:n]) >= recall * positives - 1e-9), None
    )
    assert read_for(order, recall) == read
    if read is None:
        assert (wss(order, recall), tnr(order, recall), curve(order)) == (None, None, None)
        assert recall_at(order, [1]) == [None]
        return
    negatives = order[read:].count(False)
    missed = order[read:].count(True)
    assert wss(order, recall) == pytest.approx((negatives + missed) / len(order) - (1 - recall))
    if positives < len(order):
        assert tnr(order, recall) == pytest.approx(negatives / order.count(False))
    budgets = [0, 1, len(order) // 2, len(order), len(order) + 5]
    assert recall_at(order, budgets) == pytest.approx([sum(order[:n]) / positives for n in budgets])
    drawn = curve(order)
    assert drawn is not None
    assert drawn.recall.tolist() == pytest.approx([sum(order[:n]) / positives for n in range(len(order) + 1)])
    assert (drawn.best >= drawn.recall - 1e-12).all()
    assert (drawn.random[0], drawn.random[-1]) == (0, 1)


@pytest.mark.parametrize(
    ("total", "read", "hits", "ninety", "ninety_five"),
    [(2000, 600, 100, 309, 550), (2000, 600, 40, 631, 884), (500, 200, 30, 158, 233)],
)
def test_so_many_random_segments_without_a_hit_are_enough(
    total: int, read: int, hits: int, ninety: int, ninety_five: int
) -> None:
    assert enough(total - read, hits, recall=0.9) == ninety
    assert enough(total - read, hits, recall=0.95) == ninety_five


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 60), st.integers(0, 40), st.integers(0, 60), st.integers(0, 3), st.sampled_from([0.8, 0.9, 0.95]))
def test_the_chance_of_missing_is_the_hypergeometric_sum(
    rest: int, hits: int, sampled: int, more: int, recall: float
) -> None:
    sampled, more = min(sampled, rest), min(more, sampled)
    # the least number that was missed with which recall is below the wished one, found by counting up
    missed = next(k for k in range(1000) if (hits + more) < round(recall * (hits + k), 9))
    expected = 0.0
    if missed <= rest:
        ways = [comb(missed, x) * comb(rest - missed, sampled - x) for x in range(more + 1) if x <= sampled]
        expected = sum(ways) / comb(rest, sampled)
    assert chance_of_missing(rest, hits, sampled=sampled, hits=more, recall=recall) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 80), st.integers(0, 40))
def test_one_random_segment_fewer_would_not_be_enough(rest: int, hits: int) -> None:
    needed = enough(rest, hits)
    assert 0 <= needed <= rest
    if needed:
        assert chance_of_missing(rest, hits, sampled=needed - 1) >= 0.05 - 1e-12
    if needed < rest:
        assert chance_of_missing(rest, hits, sampled=needed) < 0.05 - 1e-12


THEMES = st.lists(st.sets(st.sampled_from("ABCDE")), max_size=5)


@settings(max_examples=80, deadline=None)
@given(THEMES)
def test_the_expected_number_of_themes_is_the_mean_over_all_orders(coded: list[set[str]]) -> None:
    told = saturation(coded)
    for some in range(1, len(coded) + 1):
        counts = [len(set().union(*order[:some])) for order in permutations(coded)]
        assert told.expected[some - 1] == pytest.approx(sum(counts) / len(counts))
    assert list(told.seen) == [len(set().union(*coded[: n + 1])) for n in range(len(coded))]
    assert sum(told.new) == len(set().union(*coded))


def coded(new: Sequence[int]) -> list[set[str]]:
    """Return transcripts of which each brings so many themes that were not there before."""
    return [{"all", *(f"{at}-{n}" for n in range(count - (at == 0)))} for at, count in enumerate(new)]


@pytest.mark.parametrize(
    ("new", "reached"),
    [
        ([10, 5, 3, 2, 1, 0], 6),
        ([10, 5, 3, 2, 1, 1, 0, 0], 7),
        ([10, 5, 3, 2, 2, 2, 2], None),
        ([10, 5, 3], None),
        ([1, 0, 0, 0, 0, 0], 6),
    ],
)
def test_saturation_is_reached_when_two_transcripts_bring_almost_nothing(new: list[int], reached: int | None) -> None:
    told = saturation(coded(new))
    assert list(told.new) == new
    assert told.reached == reached


def test_what_was_seen_once_tells_of_what_was_not_seen() -> None:
    told = saturation([{"A", "B", "C"}, {"A", "B", "D"}, {"A", "E"}])
    assert told.unseen == pytest.approx(2 / 3 * 3 * 2 / (2 * 2)), "C, D and E once, B twice"
    assert saturation([]).unseen == 0
