"""Two runs -> which suggestions changed between them, and why.

What a run left is known for every transcript the study had then: suggestions for given words follow from the run's
``ranking`` alone, so any run with the same one made them. Causes that came together are told together: which of them
it was, only another run would tell.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .carry import said_in, same_words
from .errors import StudyFault
from .records import Codebook, Segment
from .store import Store, corpus, decisions, manifests, runs
from .store.manifests import Document, Manifest, Told

AT_ONCE = 200  # transcripts that are compared together: a large study would not fit in memory
DIGITS = 3  # of a probability: less is no change that anybody would see


class How(StrEnum):
    """What became of a suggestion."""

    GAINED = "gained"
    LOST = "lost"
    MOVED = "moved"  # suggested in both, at another rank or probability


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A theme that is suggested for a segment in at least one of two runs, and not alike in both."""

    site: str
    document: str
    segment: Segment  # as it is in the later run, or was
    theme: str
    how: How
    before: Told | None
    after: Told | None
    why: str


@dataclass(frozen=True, kw_only=True)
class State:
    """What a run left: its manifest, and the runs that made what was suggested then."""

    run: runs.Run
    manifest: Manifest
    codebook: Codebook
    made_by: Sequence[str]


def state(store: Store, run: runs.Run) -> State:
    """Return what a run left. Raises ``StudyFault`` if it kept no manifest: it left other transcripts as they were."""
    alike = [one.id for one in runs.list_runs(store) if one.ranking == run.ranking]
    known = manifests.load_manifests(store, alike)
    if run.id not in known:
        remedy = "runs since then can be compared; `themescout runs STUDY` lists all"
        raise StudyFault(
            f"run {run.id}", "was made by an earlier version, which did not write down what it was", remedy
        )
    mine = known[run.id]
    return State(
        run=run,
        manifest=mine,
        codebook=runs.load_codebook(store, run.codebook_revision),
        made_by=[id_ for id_ in alike if id_ in known and known[id_].settings["segment"] == mine.settings["segment"]],
    )


def changes(store: Store, before: State, after: State) -> Iterator[Change]:
    """Yield what changed from one run to another, by site and document as they are in the later one."""
    causes = Causes.between(store, before, after)
    pairs = _documents(before.manifest.documents, after.manifest.documents)
    for at in range(0, len(pairs), AT_ONCE):
        some = pairs[at : at + AT_ONCE]
        was = manifests.suggested_by(store, before.made_by, [old.id for old, _ in some if old])
        now = manifests.suggested_by(store, after.made_by, [new.id for _, new in some if new])
        ids = {segment for made in (was, now) for given in made.values() for segment in given}
        pieces = {piece.id: piece for piece in corpus.load_segments(store, ids=ids)}
        for old, new in some:
            first, last = (was.get(old.id, {}) if old else {}, now.get(new.id, {}) if new else {})
            document = new or old
            assert document is not None
            for one, other in _aligned([pieces[key] for key in first], [pieces[key] for key in last]):
                given = first[one.id] if one else (), last[other.id] if other else ()
                yield from _changed(document, (one, other), given, causes)


def _documents(before: Sequence[Document], after: Sequence[Document]) -> list[tuple[Document | None, Document | None]]:
    """Return the documents of two runs, those of the same words together, else those of the same place."""
    there, here = {one.id: one for one in before}, {one.id for one in after}
    by_place = {(one.site, one.name): one for one in before if one.id not in here}
    pairs = [(there.get(one.id) or by_place.get((one.site, one.name)), one) for one in after]
    taken = {old.id for old, _ in pairs if old}
    return [*pairs, *((one, None) for one in before if one.id not in taken)]


def _aligned(old: Sequence[Segment], new: Sequence[Segment]) -> Iterator[tuple[Segment | None, Segment | None]]:
    """Yield the segments of two versions of a document, those of the same words together."""
    was = {piece.id: piece for piece in old}
    same = {piece.id for piece in new if piece.id in was}
    rest = ([piece for piece in version if piece.id not in same] for version in (old, new))
    found = {key: key for key in same} | {now: before for before, now in same_words(*map(said_in, rest)).items()}
    for piece in new:
        yield was.pop(found[piece.id]) if piece.id in found else None, piece
    yield from ((piece, None) for piece in was.values())


def _changed(
    document: Document,
    pair: tuple[Segment | None, Segment | None],
    given: tuple[Sequence[Told], Sequence[Told]],
    causes: "Causes",
) -> Iterator[Change]:
    """Yield the themes that are not suggested alike for a segment of two runs."""
    piece = pair[1] or pair[0]
    assert piece is not None
    for theme, how, before, after in _differing(*given):
        why = causes.of(theme, *pair)
        yield Change(
            site=document.site,
            document=document.name,
            segment=piece,
            theme=theme,
            how=how,
            before=before,
            after=after,
            why=why,
        )


def _differing(before: Sequence[Told], after: Sequence[Told]) -> Iterator[tuple[str, How, Told | None, Told | None]]:
    """Yield the themes that are not suggested alike, in the order of the later run's ranks."""
    old, new = ({one.theme: one for one in told} for told in (before, after))
    for theme in dict.fromkeys([*new, *old]):
        one, other = old.get(theme), new.get(theme)
        there, here = one is not None and one.suggested, other is not None and other.suggested
        if here and not there:
            yield theme, How.GAINED, one, other
        elif there and not here:
            yield theme, How.LOST, one, other
        elif there and here and one and other and _seen(one) != _seen(other):
            yield theme, How.MOVED, one, other


def _seen(told: Told) -> tuple[int, float]:
    return told.rank, round(told.probability, DIGITS)


@dataclass(frozen=True, kw_only=True)
class Causes:
    """What differs between two runs, whatever the words are."""

    documents: str  # how many are new, changed and gone
    codebook: bool
    themes: Collection[str]  # those about which the codebook says something else
    decided: Collection[str] | None  # themes that were decided on meanwhile; None if nothing else was learned from
    others: Sequence[str]  # encoder, settings, version

    @classmethod
    def between(cls, store: Store, before: State, after: State) -> "Causes":
        """Return what differs."""
        old, new = before.manifest, after.manifest
        first, last = sorted((old.decisions, new.decisions))
        learned = old.learned != new.learned
        return cls(
            documents=_other_documents(old.documents, new.documents),
            codebook=before.run.codebook_revision != after.run.codebook_revision,
            themes=_other_themes(before.codebook, after.codebook),
            decided={one.theme for one in decisions.load_as_made(store)[first:last]} if learned else None,
            others=list(_others(before, after)),
        )

    def of(self, theme: str, old: Segment | None, new: Segment | None) -> str:
        """Return why what is suggested of a theme differs for a segment."""
        if old is None or new is None:
            return "its words are new" if old is None else "its words are gone"
        told = [] if old.id == new.id else ["words around it changed"]
        if self.codebook:
            told.append("codebook: this theme" if theme in self.themes else "codebook: other themes")
        if self.decided is not None:
            told.append("decisions: this theme" if theme in self.decided else "decisions: other themes")
        return "; ".join([*told, *self.others])

    @property
    def general(self) -> list[str]:
        """What differs, without regard to themes."""
        told = [f"transcripts: {self.documents}"] if self.documents else []
        told += [f"codebook: {', '.join(sorted(self.themes)) or 'the order of its themes'}"] if self.codebook else []
        told += ["decisions"] if self.decided is not None else []
        return [*told, *self.others]


def _other_documents(before: Sequence[Document], after: Sequence[Document]) -> str:
    told = Counter(
        "changed" if old and new else "new" if new else "gone"
        for old, new in _documents(before, after)
        if not (old and new and old.id == new.id)
    )
    return ", ".join(f"{number} {what}" for what, number in sorted(told.items()))


def _other_themes(before: Codebook, after: Codebook) -> set[str]:
    old, new = ({theme.name: theme for theme in book.themes} for book in (before, after))
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def _others(before: State, after: State) -> Iterator[str]:
    if before.run.encoder != after.run.encoder:
        yield f"encoder: {before.manifest.encoder} → {after.manifest.encoder}"
    for section in ("segment", "rank"):  # another encoder is told by its fingerprint, whatever it is called
        old, new = before.manifest.settings[section], after.manifest.settings[section]
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) != new.get(name):
                yield f"settings: {section}.{name} {old.get(name)} → {new.get(name)}"
    if before.manifest.methods != after.manifest.methods:
        yield f"themescout {before.manifest.versions['themescout']} → {after.manifest.versions['themescout']}"


COLUMNS = (
    *("site", "document", "segment", "start", "end", "text", "theme", "change", "why"),
    *("rank_before", "rank_after", "probability_before", "probability_after"),
)


def row(change: Change) -> tuple[str | int | float | None, ...]:
    """Return a change in ``COLUMNS``."""
    piece, old, new = change.segment, change.before, change.after
    where = (change.site, change.document, piece.name, piece.start, piece.end, piece.text)
    ranks = (old.rank if old else None, new.rank if new else None)
    return (
        *(*where, change.theme, change.how.value, change.why, *ranks),
        *(old.probability if old else None, new.probability if new else None),
    )
