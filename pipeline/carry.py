"""What people did with words -> the segments that have these words now, when a transcript has changed.

Decisions are never changed: what is written down is which segment has the words of which (``store.carried``). Words
count, not spacing. What said the same words several times is told apart by its order.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

from .records import Segment, SegmentId, Transcript, TranscriptId, present, segment_id
from .store import Store, corpus, decisions
from .store import carried as kept

SAME = 0.5  # share of a transcript's segments that another one must have, to be taken for it under another name
LOOK_FOR = 200  # characters of a segment by which such a transcript is looked for

Words = tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What two versions of a transcript are compared by, at one place: who cut the segment, and its words."""

    segment: SegmentId
    words: Words
    by_coder: bool = False  # a span that a coder cut: it lies within what the machine cut


def said_in(pieces: Sequence[Segment], spans: Sequence[Segment] = ()) -> list[Said]:
    """Return what is compared of segments and of spans that coders cut, in the order of the text."""
    both = [(piece, False) for piece in pieces] + [(span, True) for span in spans]
    both.sort(key=lambda one: (one[0].start, one[0].end))
    return [Said(segment=piece.id, words=words_of(piece), by_coder=coder) for piece, coder in both]


def words_of(segment: Segment) -> Words:
    """Return the words of a segment, however they are spaced."""
    return tuple(segment.text.split())


def same_words(before: Sequence[Said], after: Sequence[Said]) -> dict[SegmentId, SegmentId]:
    """Return, for segments of an earlier version of a transcript, those of a later one that have the same words.

    First what stands in the same order, then what was moved and is there once only.
    """
    old, new = ([(one.by_coder, *one.words) for one in version] for version in (before, after))
    found: dict[int, int] = {}
    for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        found |= {block.a + step: block.b + step for step in range(block.size)}
    taken = set(found.values())
    asked = Counter(said for at, said in enumerate(old) if at not in found)
    free = Counter(said for at, said in enumerate(new) if at not in taken)
    place = {said: at for at, said in enumerate(new) if at not in taken and free[said] == 1}
    found |= {at: place[said] for at, said in enumerate(old) if at not in found and said in place and asked[said] == 1}
    return {before[at].segment: after[to].segment for at, to in found.items()}


def spans_saying(read: Transcript, texts: set[str]) -> list[Segment]:
    """Return the spans of a transcript, each inside one turn, that say one of some texts to the letter, in order."""
    key = read.id
    found = []
    for index, turn in enumerate(read.turns):
        for text in texts:
            start = read.text.find(text, turn.start, turn.end)
            while text and start >= 0:
                end = start + len(text)
                name, span = f"{start}-{end}", segment_id(key, start, end)
                found.append(Segment(id=span, transcript=key, name=name, turn=index, start=start, end=end, text=text))
                start = read.text.find(text, end, turn.end)
    return sorted(found, key=lambda piece: (piece.start, piece.end))


def carry_over(store: Store) -> int:
    """Find the words of what people worked on in the transcripts as they are now; return how many segments' moved.

    What is found is written down; running again finds nothing more. What is not found stays where it was last.
    """
    moved: dict[SegmentId, SegmentId] = {}
    strays = kept.strays(store)
    moved |= {stray.segment: stray.segment for stray in strays if stray.returned}
    gone = sorted((s for s in strays if not (s.returned or s.current)), key=lambda s: s.transcript)
    places = {(entry.site, entry.name): entry.id for entry in corpus.list_transcripts(store)} if gone else {}
    for transcript, group in groupby(gone, key=lambda stray: stray.transcript):
        some = list(group)
        pieces = corpus.load_segments(store, ids=kept.every_segment(store, transcript))
        later = places.get((some[0].site, some[0].name)) or _renamed(store, some[0].site, pieces)
        if later is not None:
            pairs = _pairs(store, pieces, {stray.last for stray in some}, later)
            moved |= {stray.segment: pairs[stray.last] for stray in some if stray.last in pairs}
    kept.put_carried(store, moved)
    return len(moved)


def _pairs(
    store: Store, before: Sequence[Segment], wanted: set[SegmentId], later: TranscriptId
) -> dict[SegmentId, SegmentId]:
    """Return where the wanted segments' words are in a later version; spans that a coder cut are cut there, too."""
    own = kept.cut_by_people(store, wanted)
    texts = {piece.text for piece in before if piece.id in own}
    old: list[Segment] = []
    new: list[Segment] = []
    if texts:
        read = corpus.load_transcripts(store, [before[0].transcript, later])
        old, new = (spans_saying(read[version], texts) for version in (before[0].transcript, later))
    pairs = same_words(
        said_in([piece for piece in before if piece.id not in own], old),
        said_in(corpus.load_segments(store, later), new),
    )
    found = {segment: now for segment, now in pairs.items() if segment in wanted}
    needed = {now for segment, now in found.items() if segment in own}
    corpus.add_person_segments(store, [span for span in new if span.id in needed])
    return found


def _renamed(store: Store, site: str, before: Sequence[Segment]) -> TranscriptId | None:
    """Return the present transcript of a site that a transcript is by its words, when its name is gone, too."""
    said = Counter(words_of(piece) for piece in before)
    longest = sorted(before, key=lambda piece: (-len(piece.text), piece.start))[:3]
    candidates = dict.fromkeys(id_ for piece in longest for id_ in kept.saying(store, site, piece.text[:LOOK_FOR]))
    best, most = None, SAME * sum(said.values())
    for candidate in candidates:
        here = Counter(words_of(piece) for piece in corpus.load_segments(store, candidate))
        if (share := (said & here).total()) >= most and share > 0:
            best, most = candidate, share + 0.5  # of two that are as alike the first
    return best


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """A segment with decisions that stand, whose words the study does not have any more."""

    site: str
    document: str
    segment: str  # its name, which the coders' tables have
    coders: tuple[str, ...]
    why: str

    @property
    def place(self) -> str:
        """Where it was, and why it is not there any more."""
        return f"{self.site} › {self.document}: {self.why}"


def lost(store: Store) -> list[Lost]:
    """Return what could not be carried over, by site, document and place in the text."""
    strays = {stray.last: stray for stray in kept.strays(store) if not stray.returned}
    if not strays:
        return []
    coders: dict[SegmentId, list[str]] = {}
    for coding in present(decisions.load_decisions(store)):
        if coding.segment in strays:
            coders.setdefault(coding.segment, []).append(coding.coder)
    named = {(entry.site, entry.name) for entry in corpus.list_transcripts(store)}
    return [
        Lost(
            site=strays[piece.id].site,
            document=strays[piece.id].name,
            segment=piece.name,
            coders=tuple(sorted(coders[piece.id])),
            why=_why(strays[piece.id], named),
        )
        for piece in corpus.load_segments(store, ids=coders)
    ]


def _why(stray: kept.Stray, named: set[tuple[str, str]]) -> str:
    if stray.current:
        return "the study cuts its words otherwise now"
    return "its words changed" if (stray.site, stray.name) in named else "its transcript is gone"
