import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.report import Card, Cell, Figure, Note, Part, Section, Table, Words, drawing, figures, render

from .axe import violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = "<script>alert('x')</script> & \"quoted\" $x_1$ \x0b שלום 信頼"
TOLD = Words(title="A title", alt="What it shows.", x="across", y="up")
CSS = (Path(figures.__file__).parent / "templates/report.css").read_text(encoding="utf-8")


def line(name: str = "ours") -> figures.Series:
    return figures.Series(name=name, x=(0, 50, 200), y=(0.5, 0.6, None), low=(0.4, 0.5, None), high=(0.6, 0.7, None))


def estimates(name: str = "Travel") -> list[figures.Estimate]:
    return [
        figures.Estimate(name=name, value=0.5, low=0.4, high=0.6, group="ours"),
        figures.Estimate(name=name, value=None, group="theirs"),
        figures.Estimate(name="Shame", value=0.3, group="theirs"),
    ]


KINDS: dict[str, Callable[[str], Figure]] = {
    "lines": lambda name: figures.lines(TOLD, [line(name), line("theirs")], even=True),
    "steps": lambda name: figures.steps(
        TOLD, [line()], limits=[figures.Limit(name=name, value=0.5)], marks=[figures.Mark(name=name, at=20)]
    ),
    "reliability": lambda name: figures.reliability(
        Words(title=name, alt=name), [figures.Reliable(said=0.2, right=0.3, count=4, low=0.1, high=0.5)]
    ),
    "bars": lambda name: figures.bars(TOLD, estimates(name), x_range=(0, 1)),
    "intervals": lambda name: figures.intervals(
        TOLD, estimates(name), limits=[figures.Limit(name=name, value=0.5)], x_range=(0, 1)
    ),
}


def page(name: str = "Travel") -> str:
    parts: tuple[Part, ...] = (
        name,
        (name, "second"),
        (Card(name=name, value="0.61", detail=name),),
        Note(text=name, mark="bad"),
        Table(caption=name, columns=("theme", name), rows=((name, 0.5), ("B", Cell(text=name, mark="good")))),
        *(made(name) for made in KINDS.values()),
    )
    return render(name, [Section(title=f"{name} {at}", parts=parts) for at in range(1, 4)], lead=name)


class Reader(HTMLParser):
    """Collect what a page consists of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def attributes(self, name: str) -> list[str]:
        return [value for _, given in self.tags if (value := given.get(name)) is not None]


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    assert not reader.open
    return reader


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_is_the_same_bytes_every_time(kind: str) -> None:
    assert KINDS[kind]("Travel") == KINDS[kind]("Travel")


def test_a_figure_is_the_same_in_another_process() -> None:
    code = "from tests.test_report import KINDS; import hashlib; "
    code += "print(hashlib.sha256(''.join(k('T').svg for k in KINDS.values()).encode()).hexdigest())"
    root = Path(__file__).parent.parent
    run = [sys.executable, "-c", code]
    one, two = (subprocess.run(run, cwd=root, capture_output=True, text=True, check=True).stdout for _ in range(2))
    assert one == two != ""


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_has_its_words_and_its_numbers(kind: str) -> None:
    made = KINDS[kind]("Travel")
    svg = read(made.svg)
    assert svg.tags[0][0] == "svg"
    assert svg.tags[0][1]["role"] == "img"
    assert svg.tags[0][1]["aria-label"] == made.alt
    assert made.rows
    assert {len(row) for row in made.rows} == {len(made.columns)}


def test_the_table_of_a_figure_holds_every_number() -> None:
    assert KINDS["lines"]("ours").columns == ("line", "across", "up", "lowest", "highest")
    assert KINDS["lines"]("ours").rows[1] == ("ours", 50, 0.6, 0.5, 0.7)
    assert KINDS["steps"]("x").rows[-2:] == (("x", None, 0.5, None, None), ("x", 20, None, None, None))
    assert KINDS["bars"]("Travel").rows[1] == ("Travel", "theirs", None, None, None)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "reliability"])
def test_words_of_a_figure_stay_words(kind: str) -> None:
    assert "Travel" in read(KINDS[kind]("Travel").svg).words


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_takes_all_its_colours_from_the_page(kind: str) -> None:
    svg = KINDS[kind]("Travel").svg
    given = re.findall(r"(?:var\(--([\w-]+), )?(#[0-9a-f]{6})\b", svg)
    assert given
    assert {name for name, _ in given} <= set(drawing.NAMES.values())
    assert "style=" in svg
    assert "<style" not in svg
    assert "font-family" not in svg


def test_the_page_says_every_colour_of_a_figure_as_the_figure_does() -> None:
    light = CSS[: CSS.index("@media")]
    told = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    assert {name: told[name] for name in drawing.NAMES.values()} == {n: c for c, n in drawing.NAMES.items()}


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrasts_are_those_of_wcag_aa(scheme: str) -> None:
    light, dark = CSS.split("@media screen and (prefers-color-scheme: dark)")
    told = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    if scheme == "dark":
        told |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark[: dark.index("@media print")]))
    text = [(ink, ground) for ink in ("ink", "quiet", "link") for ground in ("paper", "card")]
    for mark in ("good", "watch", "bad"):
        text += [(mark, f"{mark}-ground"), ("ink", f"{mark}-ground")]
    lines = [(f"series-{at}", "paper") for at in range(len(drawing.SERIES))] + [("focus", "paper"), ("focus", "card")]
    for needed, pairs in ((4.5, text), (3.0, lines)):
        for ink, ground in pairs:
            assert contrast(told[ink], told[ground]) >= needed, (ink, ground)


def test_hostile_names_are_words_and_nothing_else() -> None:
    reader = read(page(HOSTILE))
    assert "script" not in [tag for tag, _ in reader.tags]
    assert not [name for _, given in reader.tags for name in given if name.startswith("on")]
    assert "<script>alert('x')</script>" in reader.words
    assert "信頼" in reader.words


def test_a_page_needs_no_other_file_and_no_network() -> None:
    reader = read(page())
    links = reader.attributes("href") + reader.attributes("src") + reader.attributes("xlink:href")
    assert links
    assert all(link.startswith("#") or link == "data:," for link in links)
    assert not re.search(r"@import|url\((?!#)", page())
    assert "default-src 'none'" in page()


def test_a_page_has_its_landmarks_headings_and_a_way_past_them() -> None:
    reader = read(page())
    count = Counter(tag for tag, _ in reader.tags)
    assert (count["main"], count["header"], count["footer"], count["nav"], count["h1"]) == (1, 1, 1, 1, 1)
    assert dict(reader.tags)["html"]["lang"] == "en"
    assert next(given["href"] for tag, given in reader.tags if tag == "a") == "#content"
    ids = reader.attributes("id")
    assert {link[1:] for link in reader.attributes("href") if link.startswith("#")} <= set(ids)
    assert {label for given in reader.attributes("aria-labelledby") for label in given.split()} <= set(ids)


def test_no_two_things_on_a_page_have_one_id() -> None:
    different = [figures.bars(Words(title=f"Figure {at}", alt=""), estimates()) for at in range(3)]
    ids = read(render("Page", [Section(title="One", parts=tuple(different))])).attributes("id")
    assert len(ids) == len(set(ids)) > 4


def test_tables_say_what_they_are_and_what_their_cells_belong_to() -> None:
    reader = read(page())
    tables = [tag for tag, _ in reader.tags if tag in ("table", "caption")]
    assert tables == ["table", "caption"] * (len(tables) // 2)
    scopes = Counter(given.get("scope") for tag, given in reader.tags if tag == "th")
    assert set(scopes) == {"row", "col"}
    around = [given for _, given in reader.tags if str(given.get("class", "")).startswith("scroll")]
    assert around
    assert all(given["tabindex"] == "0" and given["role"] == "group" and given["aria-label"] for given in around)


def test_a_mark_is_told_by_a_sign_too() -> None:
    table = Table(caption="T", columns=("a", "b"), rows=(("x", Cell(text="holds", mark="good")),))
    told = render("Page", [Section(title="S", parts=(table,))])
    assert re.search(r'class=" marked good"><span aria-hidden="true">✓</span> holds<', told)


def test_a_template_of_ones_own_extends_the_base() -> None:
    assert "<h1>Own</h1>" in render("Own", template="base.html")


def test_without_a_report_matplotlib_is_not_loaded() -> None:
    code = "import sys, pipeline.report, pipeline.report.figures; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 768, 1920])
def test_a_page_fits_its_screen_and_asks_for_nothing(
    browser: "Browser", tmp_path: Path, width: int, scheme: str
) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(HOSTILE + " " + "long" * 30), encoding="utf-8")
    asked: list[str] = []
    complaints: list[str] = []
    opened = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: complaints.append(message.text))
    opened.goto(file.as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") == width
    assert asked == [file.as_uri()]
    assert not complaints
    drawn = opened.evaluate("[...document.querySelectorAll('svg text')].map(t => getComputedStyle(t).fill)")
    ink = {"light": "rgb(33, 36, 42)", "dark": "rgb(227, 225, 219)"}[scheme]
    assert drawn.count(ink) > len(drawn) / 2
    opened.close()


@pytest.mark.browser
def test_a_page_is_printed_dark_on_white_whatever_the_screen(browser: "Browser", tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(), encoding="utf-8")
    opened = browser.new_page(color_scheme="dark")
    opened.goto(file.as_uri())
    opened.emulate_media(media="print", color_scheme="dark")
    look = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    assert opened.eval_on_selector("body", look) == ["rgb(33, 36, 42)", "rgb(255, 255, 255)"]
    assert "rgb(227, 225, 219)" not in opened.eval_on_selector_all(
        "svg text", "all => all.map(e => getComputedStyle(e).fill)"
    )
    assert not opened.is_visible("nav")
    opened.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_breaks_no_rule_of_accessibility(browser: "Browser", tmp_path: Path, scheme: str) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(), encoding="utf-8")
    opened = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    opened.goto(file.as_uri())
    opened.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert violations(opened) == []
    opened.close()


@pytest.mark.browser
def test_what_breaks_a_rule_of_accessibility_is_named(browser: "Browser") -> None:
    opened = browser.new_page()
    opened.set_content(
        "<!doctype html><title>T</title><main><h1>T</h1><img src='data:,'><p style='color:#ddd'>Pale</main>"
    )
    broken = {line.split(" ")[0] for line in violations(opened)}
    assert {"image-alt", "color-contrast", "html-has-lang"} <= broken
    assert "color-contrast" in violations(opened, "p")[0]
    opened.close()
