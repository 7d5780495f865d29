"""Codebook and what somebody wants changed -> the next codebook. Faults never quote an exemplar."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from .errors import CodebookFault
from .records import Codebook, Digest, Exemplar, Kind, Theme, digest
from .sheets import folded

PLACE = "the codebook"
LONGEST_NAME = 200  # characters
LONGEST_TEXT = 10_000
# What no file can hold, or not every format: it would not be read back as it was written.
_ILLEGAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Act(StrEnum):
    """What is done to a theme."""

    EXEMPLAR = "exemplar"  # a quote is added
    WITHDRAW = "withdraw"  # a quote is taken out
    WORDS = "words"  # definition, include and exclude say something else
    PROPOSE = "propose"  # the theme is new
    RENAME = "rename"
    MERGE = "merge"  # into another theme


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """One change somebody wants. Which fields count follows from the act."""

    act: Act
    theme: str
    text: str = ""  # of the exemplar
    kind: Kind = Kind.TYPICAL
    source: str = ""
    parent: str = ""  # of a new theme
    definition: str = ""
    include: str = ""
    exclude: str = ""
    into: str = ""  # the new name, or the theme that this one becomes part of

    @property
    def plain(self) -> dict[str, str]:
        """The edit as texts, to be kept."""
        return {name: str(value) for name, value in asdict(self).items() if value}


def edit_of(plain: Mapping[str, Any]) -> Edit:
    """Return the edit that was kept as texts."""
    told = {name: str(value) for name, value in plain.items() if name not in ("act", "kind")}
    return Edit(act=Act(plain["act"]), kind=Kind(plain.get("kind", Kind.TYPICAL)), **told)


def cleaned(edit: Edit) -> Edit:
    """Return the edit with texts as every codebook format can hold them: no control characters, plain line ends."""

    def line(text: str) -> str:
        return " ".join(_legal(text).split())

    def lines(text: str) -> str:
        return _legal(text).strip()

    return replace(
        edit,
        theme=line(edit.theme),
        into=line(edit.into),
        parent=line(edit.parent),
        source=line(edit.source),
        text=lines(edit.text),
        definition=lines(edit.definition),
        include=lines(edit.include),
        exclude=lines(edit.exclude),
    )


def _legal(text: str) -> str:
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return _ILLEGAL.sub("", re.sub("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", " ", plain))


def about(codebook: Codebook, edit: Edit) -> Digest:
    """Return a hash of all that the codebook says of the themes an edit is about: who asks for it has seen that."""
    names = {folded(edit.theme), folded(edit.into)}
    of = Codebook(themes=tuple(theme for theme in codebook.themes if folded(theme.name) in names))
    return digest("about", of.revision)


def apply(codebook: Codebook, edit: Edit) -> Codebook:
    """Return the codebook with one change made; the order of themes and exemplars stays, what is new comes last.

    Raises ``CodebookFault`` where the change does not fit: no such theme, a name that is taken, a text too long.
    """
    _refuse_long(edit)
    if edit.act is Act.PROPOSE:
        return _with_new(codebook, edit)
    theme = next((theme for theme in codebook.themes if theme.name == edit.theme), None)
    if theme is None:
        raise CodebookFault(PLACE, f"there is no theme `{edit.theme}` any more", "look at the codebook as it is now")
    match edit.act:
        case Act.EXEMPLAR:
            return _put(codebook, replace(theme, exemplars=_and_one(theme, edit)))
        case Act.WITHDRAW:
            kept = tuple(one for one in theme.exemplars if (one.text, one.kind) != (edit.text, edit.kind))
            return _put(codebook, replace(theme, exemplars=kept))
        case Act.WORDS:
            said = replace(theme, definition=edit.definition, include=edit.include, exclude=edit.exclude)
            return _put(codebook, said)
        case Act.RENAME:
            return _renamed(codebook, theme, edit.into)
    return _merged(codebook, theme, edit.into)


def _refuse_long(edit: Edit) -> None:
    texts = (edit.text, edit.definition, edit.include, edit.exclude)
    if max(map(len, texts)) > LONGEST_TEXT:
        raise CodebookFault(PLACE, f"a text has more than {LONGEST_TEXT:,} characters", "shorten it")
    if edit.act in (Act.RENAME, Act.PROPOSE):
        name = edit.into if edit.act is Act.RENAME else edit.theme
        if not name or len(name) > LONGEST_NAME:
            raise CodebookFault(PLACE, "the theme has no name, or a very long one", "give it a short name")
        if ";" in name:
            raise CodebookFault(PLACE, "the name holds a semicolon", "it separates themes in tables: use another sign")


def _refuse_taken(codebook: Codebook, name: str, but: str = "") -> None:
    for theme in codebook.themes:
        if theme.name != but and folded(theme.name) == folded(name):
            raise CodebookFault(PLACE, f"there is a theme `{theme.name}` already", "choose another name, or merge them")
        if theme.name != but and folded(name) in map(folded, theme.formerly):
            problem = f"`{name}` is a former name of theme `{theme.name}`, whose decisions count for that"
            raise CodebookFault(PLACE, problem, "choose another name")


def _with_new(codebook: Codebook, edit: Edit) -> Codebook:
    _refuse_taken(codebook, edit.theme)
    if edit.parent and edit.parent not in codebook.names:
        raise CodebookFault(PLACE, f"there is no theme `{edit.parent}`", "choose its parent among the themes")
    quotes = (Exemplar(text=edit.text, kind=edit.kind, source=edit.source),) if edit.text else ()
    made = Theme(
        name=edit.theme,
        parent=edit.parent,
        definition=edit.definition,
        include=edit.include,
        exclude=edit.exclude,
        exemplars=quotes,
    )
    return Codebook(themes=(*codebook.themes, made))


def _and_one(theme: Theme, edit: Edit) -> tuple[Exemplar, ...]:
    if not edit.text:
        raise CodebookFault(PLACE, "there are no words to be an exemplar", "choose a segment with words")
    for one in theme.exemplars:
        if folded(one.text) == folded(edit.text):
            told = "a near miss" if one.kind is Kind.NEAR_MISS else "an exemplar"
            raise CodebookFault(PLACE, f"this is {told} of theme `{theme.name}` already", "nothing is to be done")
    return (*theme.exemplars, Exemplar(text=edit.text, kind=edit.kind, source=edit.source))


def _put(codebook: Codebook, changed: Theme) -> Codebook:
    return Codebook(themes=tuple(changed if theme.name == changed.name else theme for theme in codebook.themes))


def _renamed(codebook: Codebook, theme: Theme, name: str) -> Codebook:
    _refuse_taken(codebook, name, but=theme.name)
    former = tuple(old for old in dict.fromkeys((*theme.formerly, theme.name)) if folded(old) != folded(name))
    if name == theme.name:
        former = theme.formerly
    changed = replace(theme, name=name, formerly=former)
    themes = (changed if one.name == theme.name else one for one in codebook.themes)
    return Codebook(themes=tuple(replace(t, parent=name) if t.parent == theme.name else t for t in themes))


def _merged(codebook: Codebook, theme: Theme, into: str) -> Codebook:
    """Return the codebook in which one theme is part of another, whose words stay: its quotes and decisions go there.

    A theme that was the parent of others is not: what it held together goes to where it goes.
    """
    goal = next((one for one in codebook.themes if one.name == into), None)
    if goal is None or goal.name == theme.name:
        raise CodebookFault(PLACE, "there is no other theme to merge it into", "choose one of the codebook's themes")
    have = {folded(one.text) for one in goal.exemplars}
    more = tuple(one for one in theme.exemplars if folded(one.text) not in have)
    former = dict.fromkeys((*goal.formerly, theme.name, *theme.formerly))
    whole = replace(goal, exemplars=(*goal.exemplars, *more), formerly=tuple(former))
    if whole.parent == theme.name:
        whole = replace(whole, parent=theme.parent if theme.parent != goal.name else "")
    themes = (whole if one.name == goal.name else one for one in codebook.themes if one.name != theme.name)
    return Codebook(themes=tuple(replace(t, parent=goal.name) if t.parent == theme.name else t for t in themes))
