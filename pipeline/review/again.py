"""Segments to look at again: coded with a theme whose words have changed since."""

from dataclasses import dataclass

from ..records import POSITIVE, Answer, Codebook, SegmentId, Theme
from ..sheets import folded
from ..store.decisions import load_decisions
from ..store.runs import load_codebook
from .orders import Reviewer
from .queue import State, standing, state_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Again:
    """A theme that a coder gave a segment in other words than it has now."""

    theme: Theme
    before: Theme
    answer: Answer  # that was given

    @property
    def changed(self) -> list[tuple[str, str, str]]:
        """What says something else: which part, what it said, what it says."""
        parts = ("definition", "include", "exclude")
        told = [(part, getattr(self.before, part), getattr(self.theme, part)) for part in parts]
        return [one for one in told if folded(one[1]) != folded(one[2])]


def to_look_at(reviewer: Reviewer, among: list[SegmentId] | None = None) -> dict[SegmentId, list[Again]]:
    """Return the segments that one coder should look at again, with the themes that it is about.

    What counts is what a coder reads of a theme: definition, include and exclude. Another name or a further exemplar
    is no reason to look again; that the theme became part of another one, with other words, is.
    """
    now = {theme.name: theme for theme in reviewer.codebook.themes}
    current, books = reviewer.codebook.current, _Books(reviewer)
    found: dict[SegmentId, list[Again]] = {}
    for segment, answers in standing(load_decisions(reviewer.store, coder=reviewer.coder, among=among)).items():
        if state_of(answers) is State.CUT:
            continue  # what counts is said of the spans that are coded in its place
        given = {current[theme]: decision for theme, decision in answers.items() if theme in current}
        for name, decision in given.items():
            before = books.theme(decision.codebook_revision, decision.theme)
            if decision.answer in POSITIVE and before is not None:
                one = Again(theme=now[name], before=before, answer=decision.answer)
                if one.changed:
                    found.setdefault(segment, []).append(one)
    return found


class _Books:
    """Themes of earlier revisions, each loaded once."""

    def __init__(self, reviewer: Reviewer) -> None:
        self.reviewer = reviewer
        self.known: dict[str, dict[str, Theme]] = {reviewer.codebook.revision: _by_name(reviewer.codebook)}

    def theme(self, revision: str, name: str) -> Theme | None:
        """Return a theme as a revision has it; nothing if it is not known."""
        if revision not in self.known:
            try:
                self.known[revision] = _by_name(load_codebook(self.reviewer.store, revision))
            except KeyError:  # decided by a program that did not keep it
                self.known[revision] = {}
        return self.known[revision].get(name)


def _by_name(codebook: Codebook) -> dict[str, Theme]:
    themes = {theme.name: theme for theme in codebook.themes}
    return {old: themes[now] for old, now in codebook.current.items()}
