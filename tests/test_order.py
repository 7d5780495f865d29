"""In which order segments come: orders do what they promise, and give nothing of a withheld segment away."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.embed import HashingEncoder
from pipeline.rank import lexical, order, unexplained
from pipeline.rank.evidence import unit
from pipeline.rank.order import Waiting
from pipeline.records import SegmentId

THEMES = ("common", "seldom", "rare")


def waiting(number: int, *chances: float, withheld: bool = False) -> Waiting:
    ranked = sorted(zip(THEMES, chances, strict=False), key=lambda one: -one[1])
    best = max(chances, default=0.0)
    return Waiting(
        segment=SegmentId(f"s{number:04}"),
        chances=tuple(ranked),
        shown=best if best >= 0.5 and not withheld else 0.0,
        withheld=withheld,
    )


def vectors(some: Sequence[SegmentId]) -> NDArray[np.float64]:
    return np.stack([np.random.default_rng(int(one[1:])).normal(size=8) for one in some])


NOBODY = np.zeros((0, 8))


def informative(some: Sequence[Waiting], given: dict[str, float] | None = None) -> list[SegmentId]:
    return order.informative(some, given or {}, NOBODY, vectors, "Ria")


ORDERS = {"surest": lambda some: order.surest(some, "Ria"), "informative": informative}
chances = st.lists(st.sampled_from([0.0, 0.1, 0.3, 0.45, 0.5, 0.6, 0.8, 0.97]), min_size=3, max_size=3)
many = st.lists(st.tuples(chances, st.booleans()), max_size=30).map(
    lambda drawn: [waiting(at, *each, withheld=held) for at, (each, held) in enumerate(drawn)]
)


@pytest.mark.parametrize("name", ORDERS)
@settings(max_examples=40, deadline=None)
@given(some=many)
def test_every_segment_comes_once(name: str, some: list[Waiting]) -> None:
    assert sorted(ORDERS[name](some)) == sorted(one.segment for one in some)


@pytest.mark.parametrize("name", ORDERS)
@settings(max_examples=40, deadline=None)
@given(some=many, instead=chances)
def test_what_the_machine_thinks_of_a_withheld_segment_moves_nothing(
    name: str, some: list[Waiting], instead: list[float]
) -> None:
    changed = [waiting(at, *instead, withheld=True) if one.withheld else one for at, one in enumerate(some)]
    assert ORDERS[name](changed) == ORDERS[name](some)
    assert [one.segment for one in unexplained.far(changed)] == [one.segment for one in unexplained.far(some)]


@settings(max_examples=40, deadline=None)
@given(many)
def test_whether_a_bare_segment_is_withheld_does_not_move_it_among_the_surest(some: list[Waiting]) -> None:
    other = [replace(one, withheld=not one.withheld) if not one.shown else one for one in some]
    assert order.surest(other, "Ria") == order.surest(some, "Ria")


def test_the_surest_come_first_and_every_fifth_place_is_bare() -> None:
    some = [waiting(at, 0.5 + at / 100) for at in range(12)] + [waiting(at, 0.2) for at in range(12, 40)]
    ordered = order.surest(some, "Ria")
    visible = [one.segment for one in some if one.shown]
    assert [at for at, one in enumerate(ordered[:15]) if one not in visible] == [4, 9, 14]
    assert [one for one in ordered if one in visible] == visible[::-1]


def drawn(count: int, share: float) -> list[Waiting]:
    """Return segments of which a third has a suggestion, with a share of withheld ones."""
    random = np.random.default_rng(8)
    kinds = zip(random.random(count) < share, random.random(count), strict=True)
    return [waiting(at, 0.8 if strong < 1 / 3 else 0.2, withheld=bool(held)) for at, (held, strong) in enumerate(kinds)]


def test_a_bare_segment_among_the_surest_is_as_often_withheld_as_anywhere() -> None:
    some = drawn(3000, 0.1)
    held = {one.segment for one in some if one.withheld}
    bare = [one.segment for one in some if not one.shown]
    head = [one for one in order.surest(some, "Ria")[:800] if one in set(bare)]
    expected = len(held) / len(bare)
    assert abs(len(held & set(head)) / len(head) - expected) < 3 * np.sqrt(expected / len(head))


def test_withheld_segments_come_at_their_rate_however_often_the_order_is_made_anew() -> None:
    some = drawn(2000, 0.1)
    done: set[SegmentId] = set()
    for _ in range(12):
        done |= set(informative([one for one in some if one.segment not in done])[:50])
    held = {one.segment for one in some if one.withheld}
    assert len(done) == 600
    assert 35 <= len(done & held) <= 90


def slow(some: Sequence[Waiting], given: dict[str, float], seen: NDArray[np.float64]) -> list[SegmentId]:
    """Choose one segment after another, by the definition."""
    every = [one.segment for one in some]
    mean = np.vstack([vectors(every), seen]).mean(axis=0)
    rows = dict(zip(every, unit(vectors(every) - mean), strict=True))
    near = list(unit(seen - mean)) if len(seen) else []
    have, left, chosen = dict(given), list(some), []
    while left:

        def worth(one: Waiting) -> float:
            tells = sum(
                -(p * np.log2(p) + (1 - p) * np.log2(1 - p)) / (1 + have.get(theme, 0.0)) for theme, p in one.chances
            )
            alike = max((float(rows[one.segment] @ other) for other in near), default=0.0)
            return round(float(tells * (1 - max(alike, 0.0))), 9)

        best = max(left, key=worth)
        left.remove(best)
        chosen.append(best.segment)
        near.append(rows[best.segment])
        for theme, p in best.chances:
            have[theme] = have.get(theme, 0.0) + p
    return chosen


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000))
def test_what_is_most_informative_follows_from_the_definition(seed: int) -> None:
    random = np.random.default_rng(seed)
    some = [waiting(at, *random.uniform(0.01, 0.99, size=3).round(3)) for at in range(12)]
    had = {"common": 9.0, "seldom": 2.0}
    seen = random.normal(size=(3, 8))
    assert order.informative(some, had, seen, vectors, "Ria") == slow(some, had, seen)


def test_a_rare_theme_is_not_starved() -> None:
    some = [waiting(at, 0.5, 0.0, 0.0) for at in range(50)] + [waiting(50, 0.0, 0.0, 0.2)]
    assert informative(some, {"common": 40.0})[0] == "s0050"


def test_no_ten_of_a_kind_come_in_a_row() -> None:
    some = [waiting(at, 0.5) for at in range(10)] + [waiting(at, 0.45) for at in range(10, 13)]

    def rows(segments: Sequence[SegmentId]) -> NDArray[np.float64]:
        return np.stack([np.eye(5)[max(0, int(one[1:]) - 9)] for one in segments])

    ordered = order.informative(some, {}, np.zeros((0, 5)), rows, "Ria")
    assert {"s0010", "s0011", "s0012"} <= set(ordered[:4])


def test_a_long_line_keeps_everybody_beyond_those_that_are_chosen_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "AHEAD", 3)
    monkeypatch.setattr(order, "POOL", 6)
    some = [waiting(at, 0.01 * at) for at in range(1, 20)]
    ordered = informative(some)
    assert sorted(ordered) == [one.segment for one in some]
    assert ordered[3:] == [one for one in ["s0019", *[f"s{at:04}" for at in range(18, 0, -1)]] if one in ordered[3:]]


# --- search by example -----------------------------------------------------------------------------------------------

SAID = (
    "We waited an hour for the bus in the rain",
    "The ticket costs more than my lunch",
    "The bus was late and we waited again",
    "My aunt sings in the choir",
    "Waiting is what I do all day",
    "A dog sat on the ferry",
)


def test_what_resembles_an_example_most_comes_first() -> None:
    rows = HashingEncoder().encode(SAID)
    keys = [SegmentId(str(at)) for at in range(len(SAID))]
    text = "they waited for the bus"
    vector = HashingEncoder().encode([text])[0]
    hits = order.alike(text, vector, keys, SAID, rows)
    mean = rows.mean(axis=0)
    weights = lexical.learn(lexical.count([*SAID, text]))
    words = lexical.weigh(lexical.count([*SAID, text]), weights).toarray()
    expected = {
        key: float(unit((row - mean)[None])[0] @ unit((vector - mean)[None])[0] + word @ words[-1])
        for key, row, word in zip(keys, rows, words, strict=False)
    }
    assert [hit.segment for hit in hits] == sorted(keys, key=lambda key: -round(expected[key], 5))
    for hit in hits:
        assert hit.likeness + hit.wording == pytest.approx(expected[hit.segment], abs=1e-5)
    assert {hits[0].segment, hits[1].segment} == {"0", "2"}
    assert order.alike(text, vector, [], [], rows[:0]) == []


def test_a_segment_resembles_itself_most() -> None:
    rows = HashingEncoder().encode(SAID)
    keys = [SegmentId(str(at)) for at in range(len(SAID))]
    for at, text in enumerate(SAID):
        assert order.alike(text, rows[at], keys, SAID, rows)[0].segment == keys[at]


# --- what no theme explains ------------------------------------------------------------------------------------------

FERRY = [f"the ferry {verb} across the lake {time}" for verb in ("sails", "rows", "sank") for time in ("today", "late")]
GOATS = [f"our goats {verb} the garden {time}" for verb in ("eat", "ate", "like") for time in ("again", "too")]
LETTERS = np.random.default_rng(3).choice([*"abcdefghijklmnopqrstuvwxyz"], size=(40, 6, 7))
ELSE = [" ".join("".join(word) for word in sentence) for sentence in LETTERS]  # nobody says any of it twice


def meant(texts: Sequence[str]) -> NDArray[np.float64]:
    """Return vectors in which ferries are alike and goats are, and nothing else is."""
    random = np.random.default_rng(4)
    towards = {name: random.normal(size=64) for name in ("ferry", "goats")}
    rows = [sum(way * (name in text) for name, way in towards.items()) + 0.7 * random.normal(size=64) for text in texts]
    return unit(np.stack(rows))


def clusters(texts: list[str], documents: Sequence[str]) -> list[unexplained.Cluster]:
    """Return the clusters of all of these; the talk has as much that is said once as well."""
    every = [*texts, *ELSE]
    talk = unexplained.Talk(
        segments=[SegmentId(f"s{at:02}") for at in range(len(every))],
        texts=every,
        documents=[documents[at % len(documents)] for at in range(len(every))],
        vectors=meant(every),
    )
    return unexplained.clustered(talk.segments[: len(texts)], talk)


def test_what_is_alike_is_one_cluster_named_by_its_words_with_the_most_central_first() -> None:
    texts = [*FERRY, *ELSE, *GOATS]
    found = clusters(texts, "abc")
    members = [{texts[int(key[1:])] for key in one.segments} for one in found]
    assert sorted(members, key=sorted) == sorted([set(FERRY), set(GOATS)], key=sorted)
    (ferry,) = [one for one, texts_of in zip(found, members, strict=True) if set(FERRY) == texts_of]
    assert {"ferry", "lake", "across"} <= set(ferry.words)
    assert "today" not in ferry.words[:3]
    assert ferry.documents == 3
    rows = unit(meant([*texts, *ELSE]) - meant([*texts, *ELSE]).mean(axis=0))
    centre = rows[[int(key[1:]) for key in ferry.segments]].mean(axis=0)
    central = [float(rows[int(key[1:])] @ centre) for key in ferry.segments]
    assert central == sorted(central, reverse=True)


def test_too_few_segments_or_a_single_document_are_no_candidates() -> None:
    assert clusters(FERRY[:3], "abc") == []
    assert clusters([*FERRY[:3], *ELSE], "abc") == []
    assert clusters(ELSE, "abc") == []
    assert clusters(FERRY, ["a"] * len(FERRY) + ["b"] * len(ELSE)) == []
    assert len(clusters(FERRY, "a")) == 1, "a study of one document has no other"


def test_far_segments_have_no_likely_theme_and_are_not_withheld() -> None:
    some = [waiting(0, 0.29), waiting(1, 0.3), waiting(2, 0.05), waiting(3, 0.05, withheld=True), waiting(4, 0.9)]
    assert [one.segment for one in unexplained.far([*some, waiting(5)])] == ["s0005", "s0002", "s0000"]
