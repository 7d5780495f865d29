"""Anything that can be pressed on the review page, in any order: it is answered, nothing is lost, all can be undone."""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipeline.codebook import read_codebook, write_codebook
from pipeline.records import Codebook, Segment, present
from pipeline.store import Store, trail
from pipeline.store.corpus import load_segments, load_spans
from pipeline.store.decisions import add_decisions, load_decisions
from pipeline.store.memos import load_memos

from .reviewing import CODEBOOK, TOKEN, Coder, at_the_page, fill, study_in
from .test_slots import said

STEPS = 150
WORDS = ("Waiting", "weather", "Rain; and <cold>", "", "x" * 300, "\u202eback \0 \u200b", "שלום", "A theme of mine")
FINE = {200, 400, 404, 409}


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)  # name -> what can be chosen
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # name, value, action
    typed: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """The forms and links of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.select = ""
        self.inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "a" and (target := has.get("href", "")).startswith(f"/{TOKEN}/"):
            self.links.append(target)
        if tag == "form":
            self.forms.append(Form(has.get("action", ""), has.get("method", "get")))
            self.inside = True
        elif self.inside:
            self._part(tag, has)

    def _part(self, tag: str, has: Mapping[str, str]) -> None:
        form, name, value = self.forms[-1], has.get("name", ""), has.get("value", "")
        if tag == "button" and has.get("type") != "button":
            form.buttons.append((name, value, has.get("formaction", "")))
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select:
            form.fields.setdefault(self.select, []).append(value)
        elif tag == "textarea" or (tag == "input" and has.get("type", "text") in ("text", "search", "number")):
            form.typed.append(name)
        elif tag == "input" and name:
            form.fields.setdefault(name, []).append(value)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self.select = ""


def press(coder: Coder, chance: random.Random) -> None:
    """Follow a link of the present page, or fill in and send one of its forms."""
    page = Page(coder.page)
    posts = [form for form in page.forms if form.method.lower() == "post" and "logout" not in form.action]
    if not posts or (page.links and chance.random() < 0.2):
        coder.go(inside(chance.choice(page.links or [f"/{TOKEN}/next"])))
        return
    form = chance.choice(posts)
    told = {name: chance.choice(values) for name, values in form.fields.items()}
    told |= {name: chance.choice((*WORDS, *CODEBOOK.names)) for name in form.typed}
    name, value, action = chance.choice(form.buttons or [("", "", "")])
    coder.post(inside(action or form.action), told | ({name: value} if name else {}))


def inside(address: str) -> str:
    return re.sub(r"#.*", "", address).removeprefix(f"/{TOKEN}") or "/"


@pytest.fixture
def book(tmp_path: Path) -> Codebook:
    made = Codebook(themes=tuple(replace(theme, parent="") for theme in CODEBOOK.themes))
    write_codebook(made, tmp_path / "codebook.csv")
    return made


@pytest.fixture
def somebody(store: Store, tmp_path: Path, book: Codebook, request: pytest.FixtureRequest) -> Iterator[Coder]:
    fill(store, [("North", "Group 1"), ("South", "Group 2"), ("South", "Group 3")])
    add_decisions(store, said(load_segments(store)[5:12], "Tom"))
    study = study_in(tmp_path, withhold=0.2, decide_first=request.param)
    audit = study.audit.model_copy(update={"overlap": 0.2, "duplicates": 0.1, "elsewhere": 0.1})
    with at_the_page(store, study.model_copy(update={"audit": audit}), codebook=book) as coder:
        yield coder


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("somebody", [False, True], indirect=True, ids=["suggestions", "decide first"])
def test_whatever_is_pressed_is_answered_and_can_be_undone(somebody: Coder, seed: int, tmp_path: Path) -> None:
    chance, said = random.Random(seed), set()
    others = [row for row in load_decisions(somebody.store) if row.coder != somebody.name]
    somebody.go("/next")
    for step in range(STEPS):
        before = somebody.url
        press(somebody, chance)
        assert somebody.status in FINE, (step, before, somebody.url, somebody.status)
        said.add(somebody.status)
        if somebody.status != 200 or step % 10 == 9:  # not for ever among lists
            somebody.go("/next")
    rows = somebody.rows
    assert len(rows) > STEPS / 10
    assert 200 in said
    assert [row for row in load_decisions(somebody.store) if row.coder != somebody.name] == others
    assert read_codebook(tmp_path / "codebook.csv").themes
    for _ in range(len(rows) + 1):
        if 'name="at"' not in somebody.page:
            somebody.go(f"/segment/{rows[0].segment}")
        somebody.undo()
        assert somebody.status == 200
        if "nothing left to take back" in somebody.page:
            break
    assert not [one for one in present(load_decisions(somebody.store)) if one.coder == somebody.name]
    assert trail.verify(somebody.store).broken is None


def everything(coder: Coder, segments: list[Segment]) -> dict[str, str]:
    """Return all that the page says to a coder, without the time."""
    places = [
        "/",
        "/codebook",
        "/memos",
        "/filter",
        "/nothing-fits",
        "/codebook/history",
        "/next",
        "/next?order=surest",
    ]
    places += [f"/transcript/{piece.transcript}?segment={piece.id}" for piece in segments]
    places += [f"/{what}/{piece.id}" for piece in segments[:3] for what in ("segment", "similar", "span")]
    found = {place: re.sub(r'name="at" value="\d+"', "", coder.go(place)) for place in places}
    for name, words in (("state", "coded"), ("state", "open"), ("memo", "yes"), ("given", "Waiting")):
        coder.post("/filter", {name: words})
        found[f"{name} {words}"] = coder.page
    return found


def test_what_another_coder_does_changes_nothing_that_one_sees(store: Store, tmp_path: Path, book: Codebook) -> None:
    fill(store, [("North", "Group 1"), ("South", "Group 2")])
    segments, study = load_segments(store), study_in(tmp_path, withhold=0.2)
    with at_the_page(store, study, codebook=book) as ria, at_the_page(store, study, "Tom", codebook=book) as tom:
        ria.say(segments[1].id, "add", "Weather")
        before = everything(ria, segments)
        assert len(set(before.values())) > len(segments)
        for piece in segments:
            tom.say(piece.id, "add", "Waiting")
            tom.post("/memo", {"segment": piece.id, "about": "x", "base": "", "memo": "Secret thought", "at": tom.at})
        for piece in segments:
            for change in ("shorter", "later", "longer"):
                tom.go(f"/transcript/{piece.transcript}?segment={piece.id}")
                tom.post(f"/span/{piece.id}/move", {"change": change, "at": tom.at})
        assert load_memos(store, coder="Tom")
        assert load_spans(store)
        after = everything(ria, segments)
    assert [place for place in before if before[place] != after[place]] == []
