"""The bank of anchors: segments whose gold coding is known, on which coders are checked without knowing which they are.

Half of them show a priority theme, half look like it and do not show it. Half, because a theme that is rare in talk
would otherwise hardly ever be checked; look like it, because what nobody could mistake tells nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from . import exchange, store
from .check import priority_faults
from .errors import CodingFault, Faults, StoreFault, StudyFault, raise_all
from .intake import Session
from .records import Coding, Mode, Segment, SegmentId, Transcript, TranscriptId, digest, present
from .results import refuse_own
from .store import anchors, corpus, decisions, runs, slots

WISHED = 40  # positives, and as many hard negatives, of every priority theme
LIKELY = 0.3  # share of all segments, by the theme's probability: a negative among them is a hard one


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A segment that may become an anchor: what its coders said, and which themes the machine finds likely."""

    segment: SegmentId
    document: str
    coders: tuple[str, ...]
    votes: Mapping[str, int]  # how many of the coders gave each theme
    likely: frozenset[str]  # themes for which it is among the likeliest segments
    suggested: frozenset[str]

    @property
    def agreed(self) -> bool:
        """Whether at least two coders say exactly the same."""
        return len(self.coders) > 1 and all(votes == len(self.coders) for votes in self.votes.values())

    def expected(self, theme: str) -> bool | None:
        """Tell whether it is expected to show a theme, from its coders or else from the machine; None: neither side."""
        if self.coders and self.votes.get(theme, 0) * 2 >= len(self.coders):
            return True
        if not self.coders and theme in self.suggested:
            return True
        return False if theme in self.likely else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """A candidate that is proposed, and for which sides of which themes."""

    candidate: Candidate
    sides: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ThemeBank:
    """How many anchors there are of a priority theme."""

    theme: str
    positive: int
    negative: int
    uncertain: int
    documents: int  # that the positives come from
    wished: int = WISHED  # of each side


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """How many blind checks a coder has had. What came of them is nobody's to know before the audit."""

    coder: str
    anchors: int
    overlap: int
    duplicates: int
    remaining: int  # anchors that the coder has not seen


def propose(candidates: Sequence[Candidate], themes: Sequence[str], wished: int) -> list[Proposal]:
    """Return segments for ``wished`` positives and hard negatives of every theme, from as many documents as possible.

    Those whose coders agree come first, then those on which they are split or alone, then those nobody has read. One
    segment serves all themes that it fits; rare themes choose first. Nothing is drawn by chance but ties.
    """
    order = sorted(candidates, key=lambda one: digest("anchor", one.segment))
    sides = {
        (theme, side): [c for c in order if c.expected(theme) is side] for theme in themes for side in (True, False)
    }
    chosen: dict[SegmentId, Candidate] = {}
    for _, fitting in sorted(sides.items(), key=lambda item: len(item[1])):
        mine = [one for one in fitting if one.segment in chosen]
        others = [one for one in fitting if one.segment not in chosen]
        chosen |= {one.segment: one for one in _spread(others, mine, wished - len(mine))}
    return [
        Proposal(candidate=one, sides=tuple((t, side) for t in themes if (side := one.expected(t)) is not None))
        for one in chosen.values()
    ]


def _spread(fitting: Sequence[Candidate], had: Sequence[Candidate], wanted: int) -> Iterator[Candidate]:
    """Yield the best candidates, always from the document that has fewest so far."""
    load = Counter(one.document for one in had)
    tiers: dict[int, dict[str, list[Candidate]]] = defaultdict(lambda: defaultdict(list))
    for one in fitting:
        tier = 0 if one.agreed else 1 if one.coders else 2
        tiers[tier][one.document].append(one)
    for tier in sorted(tiers):
        waiting = {document: iter(some) for document, some in tiers[tier].items()}
        while waiting and wanted > 0:
            document = min(waiting, key=lambda name: (load[name], digest(name)))
            found = next(waiting[document], None)
            if found is None:
                del waiting[document]
                continue
            load[document] += 1
            wanted -= 1
            yield found


def draw(session: Session, out: Path, *, wished: int = WISHED) -> tuple[int, list[ThemeBank]]:
    """Write a table of proposed anchors, to be adjudicated; return its number of rows, and what it would come to.

    Segments that are in the bank already are not proposed again. Raises ``Fault`` or ``Faults``.
    """
    themes = _priority(session)
    refuse_own(session, out)
    pieces = corpus.load_segments(session.store)
    read = corpus.load_transcripts(session.store)
    proposals = propose(_candidates(session, pieces, read), themes, wished)
    rows = _rows(proposals, {piece.id: piece for piece in pieces}, read)
    exchange.write_table(out, exchange.GOLD_COLUMNS, rows, format="xlsx" if out.suffix == ".xlsx" else "csv")
    return len(proposals), [_expected(theme, proposals, wished) for theme in themes]


def _priority(session: Session) -> tuple[str, ...]:
    """Return the priority themes. Raises ``Faults`` if there are none or the codebook lacks one, or ``StoreFault``."""
    study = session.study
    if not store.has_store(study.store_url):
        raise StoreFault(str(study.file), "there is no store yet", "`themescout suggest STUDY` makes it")
    if not study.audit.priority:
        problem = "names no themes to check coders on"
        raise StudyFault(str(study.file), problem, 'write them as `priority = ["...", "..."]` under [audit]')
    raise_all(priority_faults(study, session.codebook))
    return study.audit.priority


def _candidates(
    session: Session, pieces: Sequence[Segment], read: Mapping[TranscriptId, Transcript]
) -> list[Candidate]:
    themes = session.study.audit.priority
    chances = runs.load_chances(session.store)
    scores = {t: {s: c.probability for s, given in chances.items() for c in given if c.theme == t} for t in themes}
    most = round(LIKELY * len(pieces))
    likely = {theme: set(sorted(found, key=lambda s: (-found[s], s))[:most]) for theme, found in scores.items()}
    known = anchors.load_gold(session.store)
    codings: dict[SegmentId, list[Coding]] = {}
    for coding in present(d for d in decisions.load_decisions(session.store) if d.mode is not Mode.ADJUDICATION):
        codings.setdefault(coding.segment, []).append(coding)
    return [
        Candidate(
            segment=piece.id,
            document=f"{read[piece.transcript].site}/{read[piece.transcript].name}",
            coders=tuple(sorted(coding.coder for coding in codings.get(piece.id, ()))),
            votes=Counter(theme for coding in codings.get(piece.id, ()) for theme in coding.themes),
            likely=frozenset(theme for theme in themes if piece.id in likely[theme]),
            suggested=frozenset(c.theme for c in chances.get(piece.id, ()) if c.suggested),
        )
        for piece in pieces
        if piece.id not in known
    ]


def _rows(
    proposals: Sequence[Proposal], pieces: Mapping[SegmentId, Segment], read: Mapping[TranscriptId, Transcript]
) -> Iterator[tuple[exchange.Cell, ...]]:
    def place(proposal: Proposal) -> tuple[str, str, int]:
        piece = pieces[proposal.candidate.segment]
        return read[piece.transcript].site, read[piece.transcript].name, piece.start

    for proposal in sorted(proposals, key=place):
        one, piece = proposal.candidate, pieces[proposal.candidate.segment]
        site, document, start = place(proposal)
        number = len(one.coders)
        given = sorted(theme for theme, votes in one.votes.items() if votes * 2 >= number)
        split = sorted(theme for theme, votes in one.votes.items() if votes < number)
        where = (site, document, piece.name, start, piece.end, piece.text)
        said = "; ".join(f"{theme} {votes} of {number}" for theme, votes in sorted(one.votes.items()))
        said = said or (f"nothing, by {number}" if number else "")
        agreed = f"agreed by {', '.join(one.coders)}" if one.agreed else ""
        # Not for which side: what the machine thinks must not sway those who settle it.
        served = exchange.joined(theme for theme, _ in proposal.sides)
        yield (*where, exchange.joined(given), exchange.joined(split), agreed, said, served)


def _expected(theme: str, proposals: Sequence[Proposal], wished: int) -> ThemeBank:
    sides = [(one.candidate, side) for one in proposals for served, side in one.sides if served == theme]
    split = [one for one, _ in sides if 0 < one.votes.get(theme, 0) < len(one.coders)]
    return ThemeBank(
        theme=theme,
        positive=sum(side for _, side in sides),
        negative=sum(not side for _, side in sides),
        uncertain=len(split),
        documents=len({one.document for one, side in sides if side}),
        wished=wished,
    )


def import_gold(session: Session, file: Path) -> tuple[int, int, int]:
    """Keep the adjudicated rows of a table: all of them fit, or none is kept. Raises ``Faults``.

    Returns the number of rows, of those that say something new, and of those that are not adjudicated yet.
    """
    if not store.has_store(session.study.store_url):
        raise StoreFault(str(session.study.file), "there is no store yet", "`themescout suggest STUDY` makes it")
    rows, waiting = exchange.read_gold(file)
    if not rows:
        problem, remedy = "no row is adjudicated yet", "say in the column `adjudicated` who settled it"
        raise Faults([CodingFault(str(file), problem, remedy)])
    read, pieces = corpus.load_transcripts(session.store), corpus.load_segments(session.store)
    placed = exchange.place_gold(rows, read, pieces, session.codebook.names, place=str(file))
    now = datetime.now(UTC)
    made = [
        anchors.Gold(
            segment=one.segment,
            themes=one.themes,
            uncertain=one.uncertain,
            codebook_revision=session.codebook.revision,
            adjudicated_by=one.adjudicated,
            adjudicated_at=now,
        )
        for one in placed
    ]
    return len(rows), anchors.add_gold(session.store, made), waiting


def status(session: Session) -> tuple[list[ThemeBank], list[Served]]:
    """Return the bank's size per priority theme, and what each coder has had of it. Raises ``Faults``."""
    themes = _priority(session)
    gold = anchors.load_gold(session.store)
    pieces = {piece.id: piece for piece in corpus.load_segments(session.store)}
    there = {segment: told for segment, told in gold.items() if segment in pieces}
    banks = []
    for theme in themes:
        says = {segment: told.says(theme) for segment, told in there.items()}
        banks.append(
            ThemeBank(
                theme=theme,
                positive=sum(side is True for side in says.values()),
                negative=sum(side is False for side in says.values()),
                uncertain=sum(side is None for side in says.values()),
                documents=len({pieces[segment].transcript for segment, side in says.items() if side}),
            )
        )
    return banks, _served(session, set(there))


def _served(session: Session, bank: set[SegmentId]) -> list[Served]:
    had = Counter((slot.coder, slot.mode) for slot in slots.load_slots(session.store))
    read: dict[str, set[SegmentId]] = {}
    for decision in decisions.load_decisions(session.store):
        read.setdefault(decision.coder, set()).add(decision.segment)
    return [
        Served(
            coder=coder,
            anchors=had[coder, Mode.ANCHOR],
            overlap=had[coder, Mode.OVERLAP],
            duplicates=had[coder, Mode.DUPLICATE],
            remaining=len(bank - seen),
        )
        for coder, seen in sorted(read.items())
    ]
