"""How a site's talk is told from that of others: each figure beside one that is counted by hand."""

import math
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import effort
from pipeline.influence import Action, Estimate, actions
from pipeline.portrait.talk import Quotes, Talk, log_odds, nearest, nearness, share, vocabulary, words_in
from pipeline.records import Mode
from pipeline.report.arrived import Nearness, Off
from pipeline.report.site_talk import told_off

SITES, DOCUMENTS = ("North", "South", "East"), ("d1", "d2", "d3")
SAID = st.lists(st.sampled_from(["bus", "stop", "rain", "goat", "fare", "driver"]), min_size=1, max_size=4).map(
    " ".join
)
SEGMENTS = st.lists(st.tuples(st.sampled_from(SITES), st.sampled_from(DOCUMENTS), SAID), min_size=1, max_size=30)


def talk_of(rows: list[tuple[str, str, str]]) -> Talk:
    sites, documents, texts = ([row[at] for row in rows] for at in range(3))
    return Talk(sites=sites, documents=documents, texts=texts)


def vector(text: str) -> list[float]:
    """Return an invented vector that is the same for the same words."""
    rng = np.random.default_rng(sum(map(ord, text)) + len(text))
    return [float(value) for value in rng.normal(size=4)]


@settings(deadline=None)
@given(SEGMENTS, st.lists(st.tuples(SAID, st.sampled_from(("", *DOCUMENTS))), max_size=6, unique_by=lambda q: q[0]))
def test_the_nearest_exemplar_is_found_and_never_one_of_the_same_document(
    rows: list[tuple[str, str, str]], quoted: list[tuple[str, str]]
) -> None:
    vectors = np.array([vector(row[2]) for row in rows])
    quotes = Quotes(
        texts=[text for text, _ in quoted],
        documents=[document for _, document in quoted],
        rows=np.array([vector(text) for text, _ in quoted]).reshape(-1, 4),
    )
    found = nearest(talk_of(rows), vectors, quotes)
    for (_, document, said), best in zip(rows, found, strict=True):
        mine = vector(said)
        others = [
            sum(a * b for a, b in zip(mine, vector(text), strict=True)) / math.hypot(*mine) / math.hypot(*vector(text))
            for text, source in quoted
            if text != said and source != document
        ]
        if others:
            assert best == pytest.approx(max(others), abs=1e-5)
        else:
            assert math.isnan(best)


NEAR = st.lists(
    st.tuples(st.sampled_from(SITES), st.sampled_from(DOCUMENTS), st.sampled_from([0.1, 0.2, 0.3, math.nan])),
    min_size=1,
    max_size=40,
)


@settings(deadline=None)
@given(NEAR, st.sampled_from(SITES))
def test_being_farther_is_counted_over_all_pairs(rows: list[tuple[str, str, float]], site: str) -> None:
    talk = Talk(sites=[r[0] for r in rows], documents=[r[1] for r in rows], texts=["" for _ in rows])
    found = nearness(talk, np.array([r[2] for r in rows]), site)
    there = [(one, near) for one, _, near in rows if not math.isnan(near)]
    if site not in {one for one, _ in there}:
        assert found is None
        return
    assert found is not None
    assert next(iter(found.sites)) == site
    for name, off in found.sites.items():
        mine = [near for one, near in there if one == name]
        others = [near for one, near in there if one != name]
        pairs = [1.0 if b > a else 0.5 if b == a else 0.0 for a in mine for b in others]
        assert off.segments == len(mine)
        assert off.farther.value == (pytest.approx(sum(pairs) / len(pairs)) if pairs else None)
    for level, part, rest in zip(found.levels, found.here, found.elsewhere or found.here, strict=True):
        mine, others = ([v for one, v in there if (one == site) is here] for here in (True, False))
        assert part == pytest.approx(sum(v <= level for v in mine) / len(mine))
        if others:
            assert rest == pytest.approx(sum(v <= level for v in others) / len(others))
    assert bool(found.elsewhere) == any(one != site for one, _ in there)


@settings(deadline=None)
@given(NEAR)
def test_one_of_two_sites_is_as_much_farther_as_the_other_is_nearer(rows: list[tuple[str, str, float]]) -> None:
    two = [(("North" if one == "North" else "South"), document, near) for one, document, near in rows]
    talk = Talk(sites=[r[0] for r in two], documents=[r[1] for r in two], texts=["" for _ in two])
    found = nearness(talk, np.array([r[2] for r in two]), "North")
    values = [off.farther.value for off in found.sites.values()] if found else []
    if len(values) == 2 and None not in values:
        assert sum(value for value in values if value is not None) == pytest.approx(1)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_a_share_is_hits_of_all_with_an_interval_from_five_documents_on(counts: list[tuple[int, int]]) -> None:
    counts = [(min(hits, of), of) for hits, of in counts]
    found = share([hits for hits, _ in counts], [of for _, of in counts])
    total = sum(of for _, of in counts)
    assert found.value == (pytest.approx(sum(hits for hits, _ in counts) / total) if total else None)
    some = [of for _, of in counts if of]
    if len(some) < 5:
        assert found.low is None
    if found.low is not None and found.high is not None and found.value is not None:
        assert 0 <= found.low <= found.value + 1e-12
        assert found.value - 1e-12 <= found.high <= 1


def test_the_interval_of_a_share_is_the_jackknifes() -> None:
    hits, of = [3, 1, 4, 1, 5, 2], [10, 9, 8, 7, 9, 6]
    found = share(hits, of)
    value = sum(hits) / sum(of)
    without = [(sum(hits) - h) / (sum(of) - n) for h, n in zip(hits, of, strict=True)]
    mean = sum(without) / 6
    reach = 2.5705818 * math.sqrt(5 / 6 * sum((one - mean) ** 2 for one in without))  # t of 5 degrees at 97.5 %
    assert found.low == pytest.approx(value - reach)
    assert found.high == pytest.approx(value + reach)


@settings(max_examples=200, deadline=None)
@given(SEGMENTS, st.sampled_from(SITES), st.sets(st.sampled_from(SITES)), SAID)
def test_words_of_its_own_are_counted_by_segment(
    rows: list[tuple[str, str, str]], site: str, beside: set[str], known: str
) -> None:
    beside = beside - {site}
    found = vocabulary(talk_of(rows), site, sorted(beside), [known])
    mine = [(document, set(re.findall("[a-z]+", text))) for one, document, text in rows if one == site]
    others = [set(re.findall("[a-z]+", text)) for one, _, text in rows if one in beside]
    if not others:
        assert found is None
        return
    assert found is not None
    assert (found.here, found.elsewhere) == (len(mine), len(others))
    expected = set()
    for word in set().union(*(said for _, said in mine)) if mine else set():
        here = sum(word in said for _, said in mine)
        places = {document for document, said in mine if word in said}
        there = sum(word in said for said in others)
        if here >= 3 and len(places) >= min(2, len({document for document, _ in mine})) and there <= len(others) / 100:
            expected.add((word, here, len(places), there, word in known.split()))
    told = {(w.word, w.here, w.transcripts, w.elsewhere, w.codebook) for w in found.words}
    assert told <= expected
    assert {one for one in expected if not one[3] and not one[4]} <= told, "every new word is told: there are few"
    assert [w.new for w in found.words] == sorted((w.new for w in found.words), reverse=True), "new ones first"
    assert {w.word for w in found.new} == {word for word, _, _, there, written in told if not (there or written)}


def test_a_word_is_the_sites_own_from_three_segments_in_two_transcripts_on() -> None:
    said = {"goat": ("d1", "d1", "d2"), "cow": ("d1", "d2"), "hen": ("d1", "d1", "d1")}
    rows = [("North", document, word) for word, documents in said.items() for document in documents]
    found = vocabulary(talk_of([*rows, ("South", "d1", "bus")]), "North", ["South"], [])
    assert found is not None
    assert [word.word for word in found.words] == ["goat"]


COUNTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 50), min_size=2).map(Counter)


@settings(deadline=None)
@given(COUNTS, COUNTS)
def test_what_stands_out_is_the_log_odds_of_monroe_colaresi_and_quinn(here: Counter[str], there: Counter[str]) -> None:
    prior = 500.0
    everything = here + there
    n, m, all_ = sum(here.values()), sum(there.values()), sum(everything.values())
    found = log_odds(here, there)
    for word in here:
        a = prior * everything[word] / all_
        first = math.log((here[word] + a) / (n + prior - here[word] - a))
        second = math.log((there[word] + a) / (m + prior - there[word] - a))
        variance = 1 / (here[word] + a) + 1 / (there[word] + a)
        assert found[word] == pytest.approx((first - second) / math.sqrt(variance))


@settings(deadline=None)
@given(COUNTS, COUNTS)
def test_what_stands_out_here_is_missing_there(here: Counter[str], there: Counter[str]) -> None:
    one, other = log_odds(here, there), log_odds(there, here)
    for word in here.keys() & there.keys():
        assert one[word] == pytest.approx(-other[word])


def test_one_word_that_is_all_that_anybody_says_breaks_nothing() -> None:
    rows = [(site, document, "bus") for site in ("North", "South") for document in DOCUMENTS]
    assert vocabulary(talk_of(rows), "North", ["South"], []) is not None
    assert log_odds({"bus": 3}, {"bus": 3}) == {"bus": 0.0}


def test_words_are_told_in_any_script_that_has_spaces() -> None:
    assert words_in("שלום, הָאוֹטוֹבּוּס! Ünï-code 2024 don't ok") == {"שלום", "הָאוֹטוֹבּוּס", "ünï-code", "don't"}
    assert words_in("हिन्दी में बात") == {"हिन्दी", "में", "बात"}
    assert words_in("เราพูดถึงรถเมล์") == set()
    assert words_in("<script>alert(1)</script>") == {"alert"}, "brackets hold a transcriber's notes"


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(DOCUMENTS), st.integers(0, 5), st.floats(0.5, 90)), min_size=1, max_size=30))
def test_the_pace_is_that_of_the_audit(rows: list[tuple[str, int, float]]) -> None:
    done = actions(
        Action(
            coder="Ana",
            site="North",
            document=document,
            segment=f"{document}-{segment}",
            mode=Mode.ROUTINE,
            shown=True,
            accepted=False,
            seconds=seconds,
            decided_at=datetime(2026, 1, 5, tzinfo=UTC) + timedelta(minutes=at),
        )
        for at, (document, segment, seconds) in enumerate(rows)
    )
    found, (pace, _) = effort.seconds_per_segment(done), effort.paces(done)
    assert found.count == pace.segments
    if pace.per_minute:
        assert found.value == pytest.approx(60 / pace.per_minute)
    else:
        assert found.value is None


@pytest.mark.parametrize(
    ("value", "low", "high", "verdict"),
    [
        (0.62, 0.55, 0.69, "it is farther, by more than chance"),
        (0.38, 0.31, 0.45, "it is nearer, by more than chance"),
        (0.62, 0.45, 0.79, "no more than chance would do"),
        (0.62, None, None, "there are too few transcripts to tell whether by chance"),
        (0.51, 0.505, 0.515, "about as near"),
        (0.51, None, None, "about as near"),
    ],
)
def test_farther_is_said_where_it_is_more_than_chance_and_more_than_little(
    value: float, low: float | None, high: float | None, verdict: str
) -> None:
    off = Off(segments=9, cosine=0.4, farther=Estimate(value=value, low=low, high=high))
    near = Nearness(levels=(0.1, 0.4), here=(0.0, 1.0), elsewhere=(0.0, 1.0), sites={"North": off})
    said = told_off("North", near)
    assert said.endswith(f": {verdict}.")
    assert f"in {100 * value:.0f}" in said
