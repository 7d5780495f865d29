"""The whole audit on small made-up teams: what it says, what it must not say, and what it cannot see."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from pipeline.drift import (
    Again,
    Cell,
    Check,
    Coded,
    DriftAudit,
    Error,
    Plan,
    Routine,
    Status,
    Word,
    audit,
    by_period,
    checks_of,
    duplicates,
    halves,
    most_common,
)
from pipeline.drift.verdict import judged

BEGIN = datetime(2026, 1, 5, 9)
CODERS = ("Ana", "Ben", "Cleo", "Dan", "Eve", "Fay")
ONE = Plan(priority=("Waiting",))

Errors = Callable[[str, int, bool], float]  # coder, turn, gold -> chance of an error


def usual(coder: str, turn: int, gold: bool) -> float:
    return 0.12 if gold else 0.03


def narrowing(who: str = "Ana", since: int = 60, to: float = 0.75) -> Errors:
    return lambda coder, turn, gold: to if gold and coder == who and turn >= since else usual(coder, turn, gold)


def team(errors: Errors = usual, turns: int = 120, coders: tuple[str, ...] = CODERS, seed: int = 0) -> list[Check]:
    """Return checks of one theme, half of them gold positive, each coder in an own random order."""
    rng = np.random.default_rng(seed)
    out = []
    for coder in coders:
        for turn, item in enumerate(rng.permutation(turns)):
            gold = bool(item % 2)
            given = gold != (rng.random() < errors(coder, turn, gold))
            out.append(
                Check(
                    coder=coder,
                    at=BEGIN + timedelta(hours=turn, minutes=coders.index(coder)),
                    segment=f"s{item}",
                    document=f"d{item % 30}",
                    gold=frozenset({"Waiting"} if gold else ()),
                    given=frozenset({"Waiting"} if given else ()),
                )
            )
    return out


def cell(made: DriftAudit, coder: str, error: Error = Error.MISS, theme: str = "Waiting") -> Cell:
    return next(one for one in made.cells if (one.coder, one.error, one.theme) == (coder, error, theme))


def alarmed(made: DriftAudit) -> set[str]:
    return {one.coder for one in made.cells if one.status in (Status.WATCH, Status.ACTION)}


def told(made: DriftAudit) -> str:
    """Return everything an audit says, for comparison."""
    return repr(made)


def test_a_coder_who_narrows_a_theme_is_found_and_dated() -> None:
    made = audit(team(narrowing()), ONE)
    ana = cell(made, "Ana")
    assert (ana.status, ana.word) == (Status.ACTION, Word.DRIFT)
    assert ana.chart is not None and ana.chart.watch_at is not None
    assert BEGIN + timedelta(hours=60) <= ana.chart.watch_at <= BEGIN + timedelta(hours=100)
    assert ana.change is not None and ana.change.found
    assert ana.change.earliest <= BEGIN + timedelta(hours=60) <= ana.change.latest
    assert ana.change.rise > 0.4
    assert (ana.change.before.rate or 0) < 0.25 < 0.5 < (ana.change.after.rate or 0)
    assert alarmed(made) == {"Ana"}
    assert all(one.status is Status.NONE for one in made.shared)


def test_nothing_is_found_where_nothing_changes() -> None:
    made = audit(team(seed=1), ONE)
    assert not alarmed(made)
    assert {one.status for one in made.cells} == {Status.NONE}
    assert all(one.detectable is not None and 0.05 < one.detectable < 0.6 for one in made.cells)
    assert made.tested == 14
    assert made.expected_false == 0


def test_more_checks_make_less_drift_detectable() -> None:
    short, long = (audit(team(turns=turns), replace(ONE, anchors=turns)) for turns in (120, 400))
    reach = [cell(made, "Ana").detectable for made in (short, long)]
    assert reach[0] is not None and reach[1] is not None and reach[1] < reach[0] - 0.03


def test_a_coder_who_always_differs_is_a_level_and_no_drift() -> None:
    made = audit(team(narrowing(since=0, to=0.55)), ONE)
    ana = cell(made, "Ana")
    assert ana.level.different
    assert not any(one.level.different for one in made.cells if one.coder != "Ana")
    assert ana.word is not Word.DRIFT
    assert ana.status not in (Status.WATCH, Status.ACTION)
    paper = next(one for one in made.certifications if one.coder == "Ana")
    assert paper.passed is False
    assert "sensitivity" in paper.reason
    assert paper.reason in ana.reason


def test_an_alarm_is_called_drift_only_with_an_own_change() -> None:
    made = audit(team(narrowing()), ONE)
    ana = cell(made, "Ana")
    papers = tuple(replace(paper, passed=True) for paper in made.certifications)
    assert ana.change is not None
    luck = replace(ana, change=replace(ana.change, p=0.2))
    assert judged((ana,), (), papers)[0][0].word is Word.DRIFT
    assert judged((luck,), (), papers)[0][0].word is Word.LEVEL
    refused = tuple(replace(paper, passed=False, reason="sensitivity") for paper in papers)
    assert judged((ana,), (), refused)[0][0].word is Word.DRIFT
    quiet = judged((luck,), (), refused)[0][0]
    assert (quiet.status, quiet.word, quiet.reason) == (Status.INSUFFICIENT, Word.NONE, "not certified: sensitivity")


def test_a_change_too_small_to_act_on_is_not_found() -> None:
    made = audit(team(narrowing()), ONE)
    ana = cell(made, "Ana")
    assert ana.change is not None
    small = replace(ana, chart=None, change=replace(ana.change, rise=0.14))
    large = replace(ana, chart=None, change=replace(ana.change, rise=0.15))
    told = [judged((one,), (), made.certifications)[0][0].status for one in (small, large)]
    assert told == [Status.NONE, Status.WATCH]


def test_everybody_at_once_is_told_apart_from_one() -> None:
    def everybody(coder: str, turn: int, gold: bool) -> float:
        return 0.4 if gold and turn >= 60 else usual(coder, turn, gold)

    shared = {one.error: one for one in audit(team(everybody), ONE).shared}
    assert shared[Error.MISS].status is Status.WATCH
    assert shared[Error.MISS].rising == shared[Error.MISS].coders == 6
    assert shared[Error.FALSE_ALARM].status is Status.NONE
    alone = next(one for one in audit(team(narrowing(to=1.0)), ONE).shared if one.error is Error.MISS)
    assert alone.change is not None and alone.change.found
    assert alone.one_coder
    assert alone.status is Status.NONE


def test_a_new_wording_is_no_drift() -> None:
    """What a changed codebook entry changes is meant; a change elsewhere in the codebook excuses nothing."""
    checks = [
        replace(check, revision="old" if check.at < BEGIN + timedelta(hours=60) else "new")
        for check in team(narrowing())
    ]
    same = {"old": {"Waiting": "a", "Money": "x"}, "new": {"Waiting": "a", "Money": "y"}}
    other = {"old": {"Waiting": "a"}, "new": {"Waiting": "b"}}
    assert cell(audit(checks, replace(ONE, wordings=same)), "Ana").word is Word.DRIFT
    for plan in (ONE, replace(ONE, wordings=other)):
        ana = cell(audit(checks, plan), "Ana")
        assert ana.chart is not None
        assert sum(ana.chart.restarts) == 1
        assert ana.change is not None and not ana.change.found
        assert ana.change.p > 0.05


def test_charts_begin_anew_after_training() -> None:
    checks = team(
        lambda coder, turn, gold: 0.75 if coder == "Ana" and gold and 50 <= turn < 70 else usual(coder, turn, gold)
    )
    ana = cell(audit(checks, ONE), "Ana").chart
    again = cell(audit(checks, replace(ONE, recalibrated={"Ana": BEGIN + timedelta(hours=70)})), "Ana").chart
    assert ana is not None and ana.watch_at is not None
    assert again is not None and again.watch_at is None
    assert min(again.at) > BEGIN + timedelta(hours=90)


def test_few_checks_say_nothing_and_say_so() -> None:
    made = audit(team(turns=30), ONE)
    assert {one.status for one in made.cells} == {Status.INSUFFICIENT}
    assert cell(made, "Ana").reason == "15 gold positives, 20 are needed"
    assert all(one.passed is None and one.reason.startswith("30 of 40 first checks") for one in made.certifications)
    assert all(one.chart is None for one in made.cells)
    assert audit([], ONE).cells == ()


def test_uncertain_gold_counts_nowhere() -> None:
    certain = team(narrowing())
    doubtful = [
        replace(check, segment=f"x{check.segment}", given=frozenset(), uncertain=frozenset({"Waiting"}))
        for check in certain
    ]
    without, beside = audit(certain, replace(ONE, first=60)), audit(certain + doubtful, replace(ONE, first=120))
    for one, other in zip(without.cells, beside.cells, strict=True):
        assert one.level == other.level
        assert one.change is not None and other.change is not None
        assert (one.change.p, one.change.before) == (other.change.p, other.change.before)


def test_one_theme_among_several_is_named() -> None:
    themes = ("Waiting", "Money", "Staff")
    rng = np.random.default_rng(5)
    checks = []
    for coder in CODERS:
        for turn, item in enumerate(rng.permutation(240)):
            gold = themes[item % 3]
            lost = rng.random() < (0.8 if coder == "Ben" and gold == "Money" and turn >= 120 else 0.1)
            extra = {theme for theme in themes if theme != gold and rng.random() < 0.02}
            given = frozenset(extra | ({gold} - ({gold} if lost else set())))
            at = BEGIN + timedelta(hours=turn)
            checks.append(
                Check(coder=coder, at=at, segment=f"s{item}", document="d", gold=frozenset({gold}), given=given)
            )
    made = audit(checks, Plan(priority=themes, anchors=240))
    words = {(one.coder, one.theme, one.error) for one in made.cells if one.word is Word.DRIFT}
    assert ("Ben", "Money", Error.MISS) in words
    assert {(coder, theme) for coder, theme, _ in words} <= {("Ben", "Money"), ("Ben", "")}
    fewer = audit(checks, Plan(priority=("Waiting",), anchors=240))
    assert {one.theme for one in fewer.described} == {"Money", "Staff"}
    lost_half = next(
        one for one in fewer.described if (one.coder, one.theme, one.error) == ("Ben", "Money", Error.MISS)
    )
    assert (lost_half.before.rate or 0) < 0.3 < 0.6 < (lost_half.after.rate or 0)


def test_the_same_checks_give_the_same_audit_in_whatever_order_they_come() -> None:
    checks = team(narrowing())
    mixed = [checks[at] for at in np.random.default_rng(0).permutation(len(checks))]
    assert told(audit(checks, ONE)) == told(audit(mixed, ONE))


def test_other_names_give_the_same_figures_under_other_names() -> None:
    checks = team(narrowing())
    names = dict(zip(CODERS, ("Zoe", "Yul", "Xia", "Wim", "Val", "Uma"), strict=True))
    first = audit(checks, ONE)
    second = audit([replace(check, coder=names[check.coder]) for check in checks], ONE)
    for one in first.cells:
        other = cell(second, names[one.coder], one.error)
        assert told_of(one) == told_of(other)
    assert [one.rising for one in first.shared] == [one.rising for one in second.shared]


def told_of(one: Cell) -> tuple[object, ...]:
    assert one.chart is not None and one.change is not None
    sums = tuple(round(height, 9) for height in one.chart.watch)
    return one.status, one.word, one.detectable, one.level, one.change.p, one.change.at, sums, one.chart.watch_at


@pytest.mark.parametrize("priority", [(), ("A", "A"), tuple("ABCDEF")])
def test_one_to_five_themes_have_priority(priority: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="one to 5 different priority themes"):
        audit(team(turns=10), Plan(priority=priority))


def coding(changed: Mapping[str, float], coders: tuple[str, ...] = CODERS[:4], more_talk: float = 0.0) -> list[Coded]:
    """Return four coders' coding of 24 documents; some leave the theme out in the later half with a probability."""
    rng = np.random.default_rng(7)
    document = np.repeat(np.arange(24), 20)
    gold = rng.random(480) < (rng.beta(4, 16, 24)[document] + more_talk * (document >= 12))
    out = []
    for coder in coders:
        for at in range(480):
            given = bool(gold[at]) != bool(rng.random() < (0.1 if gold[at] else 0.03))
            given = given and not (document[at] >= 12 and rng.random() < changed.get(coder, 0.0))
            out.append(
                Coded(
                    coder=coder,
                    at=BEGIN + timedelta(minutes=at),
                    segment=f"s{at}",
                    document=f"d{document[at]}",
                    themes=frozenset({"Waiting"} if given else ()),
                )
            )
    return out


HISTORY = replace(ONE, against="others", shuffled=False)


def test_plain_double_coding_shows_who_changed_and_says_what_it_cannot_see() -> None:
    made = audit(checks_of(coding({"Ana": 0.6})), HISTORY)
    assert cell(made, "Ana").word is Word.DRIFT
    assert alarmed(made) == {"Ana"}
    assert all(one.chart is None for one in made.cells)
    assert made.shared == ()
    assert made.reference == "what most of the other coders gave"
    assert any("all coders move together" in sentence for sentence in made.cannot_see)


def test_in_double_coding_nobody_is_seen_when_all_move_together() -> None:
    everybody = audit(checks_of(coding(dict.fromkeys(CODERS, 0.6))), HISTORY)
    assert not [one for one in everybody.cells if one.word is Word.DRIFT and one.error is Error.FALSE_ALARM]


def test_more_talk_of_a_theme_is_no_drift() -> None:
    assert not alarmed(audit(checks_of(coding({}, more_talk=0.3)), HISTORY))


def test_in_double_coding_whole_documents_are_exchanged() -> None:
    """Two odd documents among the last ones are no change, however many segments they have."""
    checks = [
        replace(check, given=frozenset()) if check.coder == "Ana" and check.document in ("d16", "d21") else check
        for check in checks_of(coding({}))
    ]
    by_document, by_check = (
        cell(audit(checks, replace(HISTORY, shuffled=each)), "Ana").change for each in (False, True)
    )
    assert by_document is not None and by_check is not None
    assert by_document.p > 0.05 > by_check.p


def test_right_is_what_most_of_the_others_gave() -> None:
    themes = {"Ana": {"A"}, "Ben": {"A", "B"}, "Cleo": {"B"}}
    coded = [
        Coded(coder=coder, at=BEGIN, segment="s", document="d", themes=frozenset(given))
        for coder, given in themes.items()
    ]
    again = Coded(coder="Ana", at=BEGIN - timedelta(days=1), segment="s", document="d", themes=frozenset({"C"}))
    alone = Coded(coder="Ana", at=BEGIN, segment="other", document="d", themes=frozenset({"A"}))
    checks = {check.coder: check for check in checks_of([*coded, again, alone])}
    assert set(checks) == set(themes)
    assert (checks["Ana"].gold, checks["Ana"].uncertain) == (frozenset("B"), frozenset("A"))
    assert (checks["Ben"].gold, checks["Ben"].uncertain) == (frozenset(), frozenset("AB"))
    assert checks["Cleo"].gold == {"A"}
    assert checks["Cleo"].shares == {"A": 1.0, "B": 0.5}
    assert checks["Ana"].given == {"A"}
    assert most_common(checks.values()) == ("A", "B")
    assert checks_of(coded, others=2) and not checks_of(coded, others=3)


def sited(place: Mapping[str, str], errors: Errors = usual, common: bool = True) -> DriftAudit:
    checks = [
        replace(check, site=place[check.coder], segment=check.segment if common else f"{check.coder}-{check.segment}")
        for check in team(errors)
    ]
    return audit(checks, ONE)


PAIRS = dict(zip(CODERS, "AABBCC", strict=True))


def test_coder_and_site_are_told_apart_where_they_can_be() -> None:
    def careless(*who: str) -> Errors:
        return lambda coder, turn, gold: usual(coder, turn, gold) * (3.5 if coder in who else 1)

    quiet = sited(PAIRS).sites
    assert quiet.identifiable
    assert quiet.words == "no coder and no site stands out"
    assert sum(quiet.shares.values()) == pytest.approx(1)
    coder = sited(PAIRS, careless("Ana")).sites
    assert [one.name for one in (*coder.coders, *coder.sites) if one.different] == ["Ana"]
    site = sited(PAIRS, careless("Ana", "Ben")).sites
    assert "A" in [one.name for one in site.sites if one.different]
    assert not any(one.different for one in site.coders)


def test_coders_who_work_at_all_sites_need_no_common_segments() -> None:
    checks = [
        replace(check, site="AB"[turn % 2], segment=f"{check.coder}-{check.segment}")
        for turn, check in enumerate(
            team(lambda coder, turn, gold: 0.4 if coder == "Ana" else usual(coder, turn, gold))
        )
    ]
    made = audit(checks, ONE).sites
    assert made.identifiable
    assert [one.name for one in (*made.coders, *made.sites) if one.different] == ["Ana"]


@pytest.mark.parametrize(
    ("place", "common", "why"),
    [
        (dict.fromkeys(CODERS, "A"), True, "all checks belong to one site"),
        (dict(zip(CODERS, "ABCDEF", strict=True)), True, "nested in sites, and a site has only one coder"),
        (PAIRS, False, "nested in sites, and 0 segments were answered at several sites"),
    ],
)
def test_where_coder_and_site_cannot_be_told_apart_it_says_why(
    place: Mapping[str, str], common: bool, why: str
) -> None:
    made = sited(place, common=common).sites
    assert not made.identifiable
    assert made.words.startswith("not identifiable: ")
    assert why in made.words
    assert (made.shares, made.coders, made.sites) == ({}, (), ())


def routine(narrow: float = 0.0, shift: float = 0.0, coder: str = "Ana", seed: int = 3) -> Routine:
    rng = np.random.default_rng(seed)
    document = np.repeat(np.arange(40), 25)
    late = document >= 20
    vectors = rng.normal(0, 1, (1000, 8))
    vectors[:, 0] += shift * late
    chance = 1 / (1 + np.exp(2 - 1.5 * vectors[:, 0]))
    given = (rng.random(1000) < chance) & ~(late & (rng.random(1000) < narrow))
    return Routine(
        coder=coder,
        theme="Waiting",
        at=tuple(BEGIN + timedelta(minutes=turn) for turn in range(1000)),
        given=given,
        chance=chance,
        vectors=vectors.astype(np.float32),
        documents=tuple(f"d{one}" for one in document),
    )


def test_what_changes_for_everybody_is_not_one_coders() -> None:
    """The frozen model is too sure in the later half: everybody seems to narrow the theme, and nobody does."""
    one, others = routine(narrow=0.5), [routine(narrow=0.5, coder=f"C{seed}", seed=seed) for seed in (4, 5)]
    alone, beside = (halves(one, some, permutations=499)[0] for some in ((), others))
    assert alone.look and alone.p is not None and alone.p < 0.01
    assert beside.p is not None and beside.p > 0.05
    assert halves(one, [routine()], permutations=499)[0].look


def test_residuals_show_narrowing_and_stay_quiet_when_the_talk_changes() -> None:
    looks = {
        name: {one.what: one.look for one in halves(work, permutations=499)}
        for name, work in {"same": routine(), "narrow": routine(narrow=0.5), "talk": routine(shift=1.0)}.items()
    }
    assert not any(looks["same"].values())
    assert looks["narrow"]["residual mean"]
    assert looks["talk"] == {"residual mean": False, "residual direction": False, "prevalence": True}
    assert halves(replace(routine(), documents=("one",) * 1000)) == ()


def test_advice_is_no_alarm() -> None:
    for one in (*halves(routine(narrow=0.9), permutations=199), *duplicates(twice("gold 1", lost=20, kept=10))):
        assert one.look in (True, False)
        assert not hasattr(one, "status")


def twice(drawn_as: str, lost: int, kept: int) -> list[Again]:
    answers = [(True, False)] * lost + [(True, True)] * kept
    return [Again(coder="Ana", theme="Waiting", earlier=a, later=b, drawn_as=drawn_as) for a, b in answers]


def test_repeated_codings_are_compared_inside_what_they_were_drawn_by() -> None:
    lost, same = twice("gold 1", lost=9, kept=11), twice("gold 0", lost=0, kept=20)
    made = {one.what: one for one in duplicates([*lost, *same])}
    assert made["own duplicates, gold 1"].p == pytest.approx(2 / 2**9)
    assert made["own duplicates, gold 1"].look
    assert (made["own duplicates, gold 1"].before, made["own duplicates, gold 1"].after) == (1.0, 0.55)
    assert made["own duplicates, gold 0"].p is None


def test_agreement_by_period_takes_any_coefficient() -> None:
    coded = coding({})
    middle = BEGIN + timedelta(minutes=240)
    (made,) = by_period(coded, ("Waiting",), lambda some: {"Waiting": float(len(some))}, middle)
    assert (made.before, made.after, made.p, made.look) == (960.0, 960.0, None, False)
