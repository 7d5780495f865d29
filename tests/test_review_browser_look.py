"""The review page from right to left, on paper, and on screens that move or colour nothing."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.records import Role, Segment, Transcript, TranscriptId, Turn, segment_id
from pipeline.store import Store
from pipeline.store.corpus import Source, put_source

from . import axe
from .browsing import at
from .reviewing import transcript

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
IDS = [segment.id for segment in transcript()[1]]
FIRST, SECOND = IDS[:2]
# Invented, as everything here: who waits for the bus 18, and what the driver (Yael) said.
HEBREW = (
    ("מנחה", "איך זה לנסוע באוטובוס?"),
    ("נועה", "חיכינו שעה בגשם לקו 18, והנהגת (יעל) אמרה: „עוד רגע”."),
    ("דן", "הכרטיס עולה 6.90 ₪ וזה יקר, OK?"),
)
ARABIC = (
    ("الميسّر", "كيف هو ركوب الحافلة؟"),
    ("ليلى", "انتظرنا ساعة تحت المطر عند الموقف رقم ١٨، ثم جاءت Bus 7."),
    ("سامي", "التذكرة غالية، ولا أستطيع أن أدفع كل يوم."),
)


def put(store: Store, lines: tuple[tuple[str, str], ...], language: str) -> tuple[TranscriptId, list[Segment]]:
    """Put a transcript of three turns, the first a moderator's, into the store."""
    text, turns = "", list[Turn]()
    for line, (speaker, words) in enumerate(lines, 1):
        text += f"{speaker}: "
        role = Role.PARTICIPANT if turns else Role.MODERATOR
        turns.append(Turn(speaker=speaker, role=role, start=len(text), end=len(text) + len(words), line=line))
        text += words + "\n"
    source = f"North/{language}.txt"
    made = Transcript(site="North", name=lines[0][0], source=source, language=language, text=text, turns=tuple(turns))
    cut = [
        Segment(
            id=segment_id(made.id, turn.start, turn.end),
            transcript=made.id,
            name=f"s{at}",
            turn=at,
            start=turn.start,
            end=turn.end,
            text=text[turn.start : turn.end],
        )
        for at, turn in enumerate(turns)
        if turn.role is Role.PARTICIPANT
    ]
    put_source(store, Source(path=source, site="North", sha256=language, settings="s"), [(made, cut)])
    return made.id, cut


def box(page: "Page", selector: str) -> tuple[float, float]:
    """Return where an element begins and ends from left to right."""
    found = page.locator(selector).first.bounding_box()
    assert found
    return found["x"], found["x"] + found["width"]


@pytest.mark.parametrize(("lines", "language"), [(HEBREW, "he"), (ARABIC, "ar-JO")])
@pytest.mark.parametrize("width", [320, 1000, 1920])
def test_from_right_to_left_the_margin_is_on_the_right(
    page: "Page", address: str, store: Store, lines: tuple[tuple[str, str], ...], language: str, width: int
) -> None:
    found, cut = put(store, lines, language)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{address}/transcript/{found}")
    at(page, cut[0].id, "open")
    page.fill("#add", "Weather")
    page.keyboard.press("Enter")
    at(page, cut[0].id, "Weather")
    text = f"#s-{cut[0].id} .text"
    style = page.locator(text).evaluate(
        "one => ['direction', 'textAlign', 'borderRightWidth'].map((name) => getComputedStyle(one)[name])"
    )
    assert style == ["rtl", "start", "5px"], "the line at the current segment's side is where its words begin"
    if width >= 768:
        assert box(page, f"#s-{cut[0].id} .margin")[0] >= box(page, text)[1], "the margin is where lines begin"
        letter, name = (box(page, f"#s-{cut[0].id} .mark {part}") for part in (".sign", "bdi"))
        assert name[1] <= letter[0] + 1, "the letter stands before the name"
        gap = "one => getComputedStyle(one, '::before').marginLeft"
        assert float(page.locator(f"#s-{cut[0].id} .sign").evaluate(gap)[:-2]) > 3, "and does not touch it"
    if 768 <= width < 1152:
        assert abs(box(page, ".panel")[1] - box(page, text)[1]) <= 2, "the panel is under the text"
    if width >= 1152:
        assert box(page, ".panel")[0] > box(page, f"#s-{cut[0].id} .margin")[1]
    assert page.locator(".panel").evaluate("one => getComputedStyle(one).direction") == "ltr"
    speakers = page.locator(".speaker bdi").all_inner_texts()
    assert speakers == [speaker for speaker, _ in lines]
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert axe.violations(page) == []


def test_on_paper_a_transcript_has_its_codes_in_the_margin(page: "Page", tmp_path: Path) -> None:
    page.keyboard.press("2")
    at(page, FIRST, "Kindness <of drivers>")
    page.keyboard.press("a")
    at(page, SECOND)
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 673, "height": 950})  # a sheet of A4 less its margins
    for selector in (".bar", ".panel", ".orders", "#kept"):
        assert not page.locator(selector).first.is_visible(), selector
    assert page.locator("h1").is_visible()
    for segment in (FIRST, SECOND):
        assert box(page, f"#s-{segment} .margin")[1] <= box(page, f"#s-{segment} .text")[0]
    assert page.locator(f"#s-{FIRST} .mark").is_visible()
    assert not page.locator(f"#s-{SECOND} .state").is_visible(), "that a segment is open is no code"
    colours = "one => [getComputedStyle(one).color, getComputedStyle(document.body).backgroundColor]"
    assert page.locator(f"#s-{SECOND} .text").evaluate(colours) == ["rgb(0, 0, 0)", "rgba(0, 0, 0, 0)"]
    letter = "one => [getComputedStyle(one, '::before').content, getComputedStyle(one, '::before').printColorAdjust]"
    assert page.locator(f"#s-{FIRST} .sign").first.evaluate(letter) == ['"C"', "exact"]
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    printed = page.pdf(path=tmp_path / "printed.pdf", format="A4", prefer_css_page_size=True)
    assert printed.startswith(b"%PDF-")


@pytest.mark.parametrize("width", [1000, 1920, 2560])
def test_lines_stay_readable_on_wide_screens(page: "Page", width: int) -> None:
    page.set_viewport_size({"width": width, "height": 1000})
    characters = page.locator(f"#s-{FIRST} .text").evaluate("""one => {
      const style = getComputedStyle(one);
      const pen = Object.assign(document.createElement('canvas').getContext('2d'), { font: style.font });
      const inside = one.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
      return inside / (pen.measureText('The quick brown fox jumps over the lazy dog').width / 43);
    }""")
    assert 45 <= characters <= 90  # WCAG 2.2, 1.4.8, asks for 80 at most; a letter's width differs from font to font


def test_nothing_moves_where_nothing_should(page: "Page") -> None:
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    assert page.evaluate("document.getAnimations().length") == 0


def test_without_colours_of_its_own_the_page_says_where_one_is(page: "Page") -> None:
    page.emulate_media(forced_colors="active")
    edge = "one => [getComputedStyle(one).borderInlineStartWidth, getComputedStyle(one).borderInlineStartStyle]"
    assert page.locator(f"#s-{FIRST} .text").evaluate(edge) == ["5px", "solid"]
    assert page.locator(f"#s-{SECOND} .text").evaluate(edge) == ["3px", "solid"]
    page.keyboard.press("1")
    at(page, FIRST, "Waiting")
    told = page.locator(".offer button.on").first.evaluate(
        "one => [getComputedStyle(one).borderTopWidth, one.innerText]"
    )
    assert told[0] == "2px"
    assert told[1].startswith("Take back"), "what is chosen is said in words"
