"""Which texts say nearly the same, against counting by hand."""

import random
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import likeness

WORDS = st.lists(st.sampled_from([f"word{at}" for at in range(300)]), min_size=0, max_size=400)


def by_hand(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return {tuple(words[at : at + likeness.RUN]) for at in range(len(words) - likeness.RUN + 1)}


def talk(seed: int, count: int = 300) -> list[str]:
    chance = random.Random(seed)
    return [f"word{chance.randint(0, 900)}" for _ in range(count)]


@given(WORDS)
def test_runs_are_as_many_as_counted_by_hand(words: list[str]) -> None:
    runs = likeness.runs_of(" ".join(words))
    assert len(runs) == len(by_hand(" ".join(words)))
    assert np.all(np.diff(runs.astype(object)) > 0)


def test_case_signs_and_lines_do_not_count() -> None:
    one, other = "The bus -- it NEVER came, never!", "the bus\nit never came: never"
    assert np.array_equal(likeness.runs_of(one), likeness.runs_of(other))
    assert not np.intersect1d(likeness.runs_of("a b c d e"), likeness.runs_of("a b c e d")).size


@given(st.lists(st.integers(0, 299), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_shares_are_those_counted_by_hand(cuts: list[int], chance: random.Random) -> None:
    base = talk(1)
    texts = {f"t{at}": " ".join(base[cut:] + talk(chance.randint(2, 9), cut)) for at, cut in enumerate(cuts)}
    runs = {name: likeness.runs_of(text) for name, text in texts.items()}
    sets = {name: by_hand(text) for name, text in texts.items()}
    told = {(a, b): share for a, b, share in likeness.nearly_the_same(runs, least=0.0)}
    for a in texts:
        for b in texts:
            if a < b and len(sets[a] & sets[b]):
                expected = len(sets[a] & sets[b]) / min(len(sets[a]), len(sets[b]))
                assert told[a, b] == pytest.approx(expected)


def test_half_a_text_is_found_in_the_whole_and_others_are_not() -> None:
    whole, other = talk(1), talk(2)
    runs = {"whole": whole, "half": whole[:150], "other": other}
    found = likeness.nearly_the_same({name: likeness.runs_of(" ".join(words)) for name, words in runs.items()})
    assert found == [("whole", "half", 1.0)]


def test_short_answers_may_be_alike() -> None:
    runs = likeness.runs_of(" ".join(talk(1, likeness.FEWEST)))
    assert likeness.nearly_the_same({"a": runs, "b": runs}) == []
    assert likeness.nearly_the_same({}) == []


def test_a_turn_of_phrase_of_many_is_no_copy() -> None:
    phrase = talk(1, 100)
    runs = {f"t{at}": likeness.runs_of(" ".join(phrase + talk(at + 2, 60))) for at in range(likeness.USUAL + 1)}
    assert likeness.nearly_the_same(runs) == []
    runs.popitem()
    assert len(likeness.nearly_the_same(runs)) == likeness.USUAL * (likeness.USUAL - 1) // 2
