"""What an evaluation says in words, and its page: never more than the intervals allow."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.evaluate import Evaluation, Found, Plan, Reader, evaluate
from pipeline.evaluate.intervals import Span
from pipeline.evaluate.outcome import Alike, Difference, Operating, ThemeResult, Verdict
from pipeline.evaluate.themes import in_words
from pipeline.evaluate.verdict import HEADLINES, verdict
from pipeline.records import Codebook, Theme
from pipeline.report.evaluation import evaluation_page

from .test_evaluate import material
from .test_report import HOSTILE, read

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def found(**given: tuple[float, Span | None]) -> Found:
    return Found(
        values={name.replace("_", "@"): value for name, (value, _) in given.items()},
        spans={name.replace("_", "@"): span for name, (_, span) in given.items()},
    )


def said(
    *,
    better: Span | None = (0.05, 0.1),
    right: Span | None = (0.6, 0.7),
    error: tuple[float, Span | None] = (0.03, (0.02, 0.04)),
    agreement: tuple[Alike, ...] = (),
    themes: tuple[ThemeResult, ...] = (),
) -> Verdict:
    point = found(precision=(0.65, right), coverage=(0.4, (0.3, 0.5)), wrongly=(0.1, (0.05, 0.15)))
    return verdict(
        found(hit_3=(0.8, (0.75, 0.85)), ece=error),
        [Difference(against="lexical", found=found(recall_3=(0.07, better)))],
        Operating(threshold=0.5, found=point),
        themes,
        agreement,
    )


@pytest.mark.parametrize(
    ("better", "right", "mark"),
    [
        ((0.05, 0.1), (0.6, 0.7), "good"),
        ((0.05, 0.1), (0.4, 0.7), "watch"),
        ((-0.01, 0.1), (0.6, 0.7), "watch"),
        ((-0.1, -0.01), (0.6, 0.7), "bad"),
        ((0.05, 0.1), (0.2, 0.4), "bad"),
        ((0.05, 0.1), None, "watch"),
        (None, None, ""),
    ],
)
def test_the_verdict_follows_from_the_intervals(better: Span | None, right: Span | None, mark: str) -> None:
    told = said(better=better, right=right)
    assert told.mark == mark
    assert told.says[0] == HEADLINES[told.mark]


@pytest.mark.parametrize(
    ("better", "words"),
    [
        ((0.05, 0.1), "first three hold 5 to 10 more than those of lexical, the best of the simple baselines here"),
        ((-0.05, 0.1), "cannot be told from those of lexical"),
        ((-0.1, -0.05), "hold fewer of the themes that people gave than those of lexical"),
        (None, "too few documents"),
    ],
)
def test_a_difference_is_claimed_only_where_its_interval_is_to_one_side(better: Span | None, words: str) -> None:
    assert words in said(better=better).says[2]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ((0.03, (0.02, 0.04)), "as they are"),
        ((0.03, (0.02, 0.06)), "as rough"),
        ((0.03, None), "as rough"),
        ((0.2, (0.1, 0.3)), "as an order, not as chances"),
    ],
)
def test_probabilities_are_called_right_only_where_that_is_sure(error: tuple[float, Span | None], words: str) -> None:
    assert any(words in line for line in said(error=error).says)


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        ((0.3, 0.5), "less than people with one another"),
        ((0.55, 0.65), "the difference may be chance"),
        ((0.8, 0.9), "may not read the codebook alike"),
    ],
)
def test_people_are_the_ceiling_the_machine_is_held_against(machine: Span, words: str) -> None:
    every = Alike(theme="", segments=50, people=0.65, people_span=(0.6, 0.7), machine=0.5, machine_span=machine)
    assert words in said(agreement=(every,)).says[-1]


def theme(**changed: object) -> ThemeResult:
    usual = ThemeResult(
        theme="Travel", positives=40, documents=9, chance=0.1, average_precision=0.6, span=(0.5, 0.7), suggested=30,
        right=0.7, right_span=(0.6, 0.8), found=0.5, muted=False, mark="", says="",
    )  # fmt: skip
    return replace(usual, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "mark", "words"),
    [
        ({}, "good", "most of its suggestions hold"),
        ({"positives": 4}, "", "given to 4 segments: nothing can be said"),
        ({"documents": 4}, "", "too few documents"),
        ({"span": None}, "", "too few documents"),
        ({"span": (0.1, 0.7)}, "bad", "cannot be told from guessing"),
        ({"suggested": 4}, "watch", "hardly ever suggested"),
        ({"suggested": 0, "right": None, "right_span": None}, "watch", "hardly ever suggested"),
        ({"right_span": (0.45, 0.8)}, "watch", "is open"),
        ({"right_span": (0.1, 0.49)}, "bad", "are wrong"),
        ({"muted": True}, "bad", "muted"),
    ],
)
def test_a_theme_is_told_what_its_intervals_allow(changed: dict[str, object], mark: str, words: str) -> None:
    told = in_words(theme(**changed))
    assert told[0] == mark
    assert words in told[1]


def test_decisions_with_suggestions_in_sight_are_told_as_a_caution() -> None:
    those = material(6, 8)
    seen = np.arange(48) < 30
    made = evaluate(replace(those, in_sight=seen), Plan(curve=False))
    assert made.in_sight == 30
    assert made.verdict.says[-1].startswith("On 30 of 48 segments people decided with suggestions in sight")
    assert evaluate(those, Plan(curve=False)).verdict.says == made.verdict.says[:-1]
    partly = evaluate(replace(those, in_sight=seen), Plan(train=("site0",), test=("site1",), curve=False))
    assert partly.in_sight == np.count_nonzero(seen & (np.array(those.sites) == "site1"))


def test_themes_that_fail_are_named_and_those_without_figures_are_counted() -> None:
    three = (theme(mark="good"), theme(theme="Shame", mark="bad"), theme(theme="Hope", mark=""))
    lines = said(themes=three).says
    assert "Suggestions hold for 1 of 3 themes." in lines
    assert "They are not to be relied on for: Shame." in lines
    assert any(line.startswith("Of 1 themes nothing can be said") for line in lines)


@pytest.fixture(scope="module")
def double_coded() -> Evaluation:
    those = material(8, 12)
    names = (HOSTILE, *those.codebook.names[1:])
    themes = tuple(
        Theme(name=name, definition=theme.definition, exemplars=theme.exemplars)
        for name, theme in zip(names, those.codebook.themes, strict=True)
    )
    every = those.gold[:, 0] | True
    other = those.gold.copy()
    other[::5] = False
    readers = (Reader(name="A", read=every, gave=those.gold), Reader(name="B", read=every, gave=other))
    vectors = {
        f"{HOSTILE}: {theme.definition}": those.codebook_vectors[f"Travel: {theme.definition}"] for theme in themes[:1]
    }
    return evaluate(
        replace(
            those,
            codebook=Codebook(themes=themes),
            readers=readers,
            codebook_vectors={**those.codebook_vectors, **vectors},
        )
    )


def test_the_page_tells_everything_that_was_found(double_coded: Evaluation) -> None:
    reader = read(evaluation_page(double_coded, f"Study {HOSTILE}"))
    assert "script" not in [tag for tag, _ in reader.tags]
    assert "<script>alert('x')</script>" in reader.words
    for line in double_coded.verdict.says:
        assert line in reader.words
    for title in ("In short", "Learning from decisions", "Probabilities", "Themes", "Sites", "People and machine"):
        assert title in reader.words
    ids = reader.attributes("id")
    assert len(ids) == len(set(ids))
    assert [tag for tag, _ in reader.tags].count("figure") == 7


def test_the_page_of_little_coding_leaves_out_what_it_does_not_know() -> None:
    made = evaluate(material(2, 8, sites=1), Plan(curve=False))
    words = read(evaluation_page(made, "Small")).words
    assert "too little coding for a learning curve" in words
    assert HEADLINES[""] in words
    assert "Sites" not in words
    assert "People and machine" not in words


def test_hundreds_of_themes_are_all_in_the_table_and_some_in_the_picture(double_coded: Evaluation) -> None:
    many = tuple(theme(theme=f"Theme {at}", positives=at) for at in range(100))
    told = evaluation_page(replace(double_coded, by_theme=many), "Study")
    svg = next(part for part in told.split("<figure>") if "the 60 most frequent themes" in part)
    drawn = svg[: svg.index("</svg>")]
    assert ">Theme 99<" in drawn
    assert ">Theme 39<" not in drawn
    assert '<th scope="row">Theme 0</th>' in told


def test_the_page_is_the_same_every_time(double_coded: Evaluation) -> None:
    assert evaluation_page(double_coded, "Study") == evaluation_page(double_coded, "Study")


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_fits_its_screen(browser: "Browser", double_coded: Evaluation, tmp_path: Path, width: int) -> None:
    file = tmp_path / "evaluation.html"
    file.write_text(evaluation_page(double_coded, "Study " + "long" * 30), encoding="utf-8")
    opened = browser.new_page(viewport={"width": width, "height": 800})
    opened.goto(file.as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") == width
    cut = "[...document.querySelectorAll('svg')].filter(svg => [...svg.querySelectorAll('text')].some(t => {"
    cut += "const a = t.getBoundingClientRect(), b = svg.getBoundingClientRect();"
    cut += "return a.left < b.left - 2 || a.right > b.right + 2})).map(svg => svg.getAttribute('aria-label'))"
    assert opened.evaluate(cut) == []  # no word of a figure is cut off
    opened.close()
