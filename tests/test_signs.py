"""A letter and a colour for each theme: the same wherever it is shown, whatever becomes of the codebook."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codebook import write_codebook
from pipeline.records import Codebook, Theme
from pipeline.review.signs import COLOURS, Signs, sign
from pipeline.store import Store

from .browsing import at
from .reviewing import at_the_page, fill, study_in, transcript
from .test_codebook_at_work import BOOK

if TYPE_CHECKING:
    from playwright.sync_api import Page

IDS = [segment.id for segment in transcript()[1]]


def book(*names: str, **formerly: str) -> Codebook:
    """Return a codebook of themes; some had another name."""
    return Codebook(
        themes=tuple(Theme(name=name, formerly=(formerly[name],) if name in formerly else ()) for name in names)
    )


def letters(signs: Signs, codebook: Codebook) -> str:
    """Return the letters of a codebook's themes in its order."""
    return " ".join(one.letter for one in signs.take_up(codebook).values())


def test_letters_go_on_and_colours_come_again() -> None:
    assert [sign(place).letter for place in (0, 7, 8, 25, 26, 51, 52)] == ["A", "H", "I", "Z", "AA", "AZ", "BA"]
    assert [sign(place).colour for place in range(COLOURS + 1)] == [*range(1, COLOURS + 1), 1]


@given(st.lists(st.permutations(["one", "two", "three", "four", "five"]).map(lambda names: names[:3]), min_size=1))
def test_a_theme_keeps_its_sign_and_shares_it_with_none(revisions: list[list[str]]) -> None:
    signs, known = Signs(), dict[str, str]()
    for names in revisions:
        for name, one in signs.take_up(book(*names)).items():
            assert known.setdefault(name, one.letter) == one.letter
    assert len(set(known.values())) == len(known)


def test_a_theme_with_another_name_keeps_its_sign_and_a_later_one_gets_its_own() -> None:
    signs = Signs()
    assert letters(signs, book("Waiting", "Money")) == "A B"
    assert letters(signs, book("Time", "Money", Time="Waiting")) == "A B"
    assert letters(signs, book("Waiting", "Time", "Money", Time="Waiting")) == "C A B"
    assert letters(signs, book("Money", "Weather")) == "B D", "what is gone leaves its place empty"


def test_a_theme_that_takes_in_another_keeps_its_own_sign() -> None:
    signs = Signs()
    assert letters(signs, book("Waiting", "Money")) == "A B"
    assert letters(signs, book("Money", Money="Waiting")) == "B"


def test_the_sign_outlives_the_program(store: Store, tmp_path: Path) -> None:
    fill(store)
    file = tmp_path / "codebook.csv"
    write_codebook(BOOK, file)
    for codebook, letter in ((BOOK, "D"), (Codebook(themes=BOOK.themes[1:]), "D")):
        write_codebook(codebook, file)
        with at_the_page(store, study_in(tmp_path)) as ria:
            assert f'data-sign="{letter}" aria-hidden="true"></i><bdi>Weather</bdi></h2>' in ria.go("/codebook")


def test_margin_card_and_codebook_show_the_same(store: Store, tmp_path: Path) -> None:
    fill(store)
    with at_the_page(store, study_in(tmp_path)) as ria:
        page = ria.say(IDS[0], "accept", "Waiting")
        assert ria.mark(IDS[1]) == "open"
        shown = re.findall(r'class="sign (c\d)" data-sign="(\w+)" aria-hidden="true"></i><bdi>(\w+)', page)
        assert shown.count(("c1", "A", "Waiting")) == 2
        assert ("c1", "A", "Waiting") in re.findall(
            r'class="sign (c\d)" data-sign="(\w+)" aria-hidden="true"></i><bdi>(\w+)', ria.go("/codebook")
        )


CONTRAST = """() => {
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const linear = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const shine = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  return [...Array(8).keys()].map((at) => {
    const one = Object.assign(document.createElement('i'), { className: `sign c${at + 1}` });
    one.dataset.sign = 'W';
    document.body.append(one);
    const style = getComputedStyle(one, '::before');
    const [light, dark] = [style.color, style.backgroundColor].map((told) => shine(parse(told))).sort((a, b) => b - a);
    return [style.backgroundColor, (light + 0.05) / (dark + 0.05), style.content];
  });
}"""


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_can_be_read_on_every_colour(page: "Page", scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    drawn = page.evaluate(CONTRAST)
    assert len({colour for colour, _, _ in drawn}) == COLOURS == len(drawn)
    assert min(contrast for _, contrast, _ in drawn) >= 4.5
    assert {content for _, _, content in drawn} == {'"W"'}


@pytest.mark.browser
def test_without_colours_the_letters_stay(page: "Page") -> None:
    page.keyboard.press("1")
    at(page, IDS[0], "Waiting")
    page.emulate_media(forced_colors="active")
    content = page.locator(f"#s-{IDS[0]} .sign").evaluate("one => getComputedStyle(one, '::before').content")
    assert content == '"A"'
