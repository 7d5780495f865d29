"""How a site's talk differs from that of other sites: in nearness to the exemplars, and in words. Pure functions."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..influence import Estimate, jackknife, ratio
from ..rank.evidence import unit
from ..report.arrived import Nearness, Off, Vocabulary, Word
from ..segment import words_of

TOGETHER = 2000  # segments that are compared with the exemplars at once
LEVELS = 41  # points of a curve
FEWEST = 3  # segments that say a word, in at least two transcripts where the site has so many
RARE = 0.01  # share of the segments elsewhere that may have it
SHOWN = 15  # words of each kind
STANDS_OUT = 2.0  # standard errors
SHORTEST = 3  # letters; shorter words are hardly ever a subject
PRIOR = 500.0  # words' worth of what is usual, which tames rare words
TINY = 1e-9  # what is left where one word is all that was said
Rows = NDArray[np.floating]
# Thai, Lao, Burmese, Khmer: written without spaces, and counted in pieces that are no words.
_PIECE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


@dataclass(frozen=True, kw_only=True)
class Talk:
    """Segments with where they were said, all in the same order."""

    sites: Sequence[str]
    documents: Sequence[str]  # names, unique within a site
    texts: Sequence[str]

    def at(self, site: str) -> NDArray[np.bool_]:
        """Tell which segments are of a site."""
        return np.array([one == site for one in self.sites], dtype=bool)

    @property
    def places(self) -> list[str]:
        """Site and document of every segment: unique in the study."""
        return [f"{site}/{document}" for site, document in zip(self.sites, self.documents, strict=True)]


@dataclass(frozen=True, kw_only=True)
class Quotes:
    """The exemplars, and definitions of themes that have none, with their vectors."""

    texts: Sequence[str]
    documents: Sequence[str]  # that each was taken from, "" where that is not known
    rows: Rows


def share(hits: Iterable[float], of: Iterable[float]) -> Estimate:
    """Return the share that hits are, both by document, with its interval over documents."""
    sums = np.column_stack([np.fromiter(hits, np.float64), np.fromiter(of, np.float64)])
    made = jackknife(sums, lambda s: ratio(s[..., 0], s[..., 1]), count=int(sums[:, 1].sum()))
    low, high = (None if end is None else min(max(end, 0.0), 1.0) for end in (made.low, made.high))
    return Estimate(value=made.value, low=low, high=high, documents=made.documents, count=made.count)


def nearest(talk: Talk, rows: Rows, quotes: Quotes) -> NDArray[np.float64]:
    """Return each segment's greatest cosine with a quote, rounded; nan where there is none to compare it with.

    Quotes that were taken from its own document, or say the very same, do not count: else the sites that the exemplars
    come from would seem nearer than others.
    """
    best = np.full(len(talk.texts), np.nan)
    if not (len(quotes.texts) and rows.size):
        return best
    place = _numbers([*talk.documents, *(document or None for document in quotes.documents)])
    said = _numbers([*talk.texts, *quotes.texts])
    mine, count = unit(quotes.rows), len(talk.texts)
    for at in range(0, count, TOGETHER):
        some = slice(at, min(at + TOGETHER, count))
        cosine = np.asarray(unit(rows[some]) @ mine.T, dtype=np.float64)
        own = place[some, None] == place[None, count:]
        cosine[own | (said[some, None] == said[None, count:])] = -np.inf
        best[some] = cosine.max(axis=1)
    best[np.isinf(best)] = np.nan
    return np.round(best, 6)


def _numbers(names: Sequence[str | None]) -> NDArray[np.int64]:
    """Return the same number for the same name, and one of its own for every name that is none."""
    known: dict[object, int] = {}
    keys: list[object] = [at if name is None else name for at, name in enumerate(names)]
    return np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.int64)


def nearness(talk: Talk, near: Rows, site: str) -> Nearness | None:
    """Return how near segments are to the exemplars, by site; nothing where none of the site's can be compared.

    A site's figure is the chance that one of its segments is farther off than one of all other sites (Mann & Whitney
    1947, ties count half): 0.5 is as near. Its interval is over its own documents, the others taken as they are.
    """
    there = np.isfinite(near)
    here = talk.at(site) & there
    if not here.any():
        return None
    others = there & ~here
    levels = np.linspace(float(near[there].min()), float(near[there].max()), LEVELS)

    def curve(some: Rows) -> tuple[float, ...]:
        return tuple((np.searchsorted(np.sort(some), levels, side="right") / len(some)).tolist())

    return Nearness(
        levels=tuple(levels.tolist()),
        here=curve(near[here]),
        elsewhere=curve(near[others]) if others.any() else (),
        sites={one: _off(talk, near, one, there) for one in dict.fromkeys([site, *talk.sites])},
    )


def _off(talk: Talk, near: Rows, site: str, there: NDArray[np.bool_]) -> Off:
    mine = talk.at(site) & there
    others = np.sort(near[there & ~mine])
    values = near[mine]
    places = _numbers(talk.places)[mine]
    farther = Estimate(value=None, count=len(values))
    if len(others) and len(values):
        below, level = np.searchsorted(others, values, side="left"), np.searchsorted(others, values, side="right")
        beaten = (len(others) - (below + level) / 2) / len(others)
        farther = share(np.bincount(places, weights=beaten), np.bincount(places))
    return Off(segments=len(values), cosine=float(np.median(values)) if len(values) else float("nan"), farther=farther)


def vocabulary(talk: Talk, site: str, beside: Collection[str], known: Iterable[str]) -> Vocabulary | None:
    """Return the words that a site says and others ``beside`` it hardly ever; nothing where nobody talks beside it.

    ``known`` are texts of the codebook: a word is new that neither others nor the codebook have. New ones come first,
    the commonest ahead, then those that stand out, by the log odds ratio with an informative Dirichlet prior in
    standard errors (Monroe, Colaresi & Quinn 2008, eq. 16 and 22), counted by segments that have the word.
    """
    here, there = Counter[str](), Counter[str]()
    places: dict[str, set[str]] = {}
    segments = Counter[bool]()
    for one, document, text in zip(talk.sites, talk.documents, talk.texts, strict=True):
        if one == site or one in beside:
            said = words_in(text)
            segments[one == site] += 1
            (here if one == site else there).update(said)
            for word in said if one == site else ():
                places.setdefault(word, set()).add(document)
    if not segments[False]:
        return None
    written = {word for text in known for word in words_in(text)}
    needed = min(2, len({document for one, document in zip(talk.sites, talk.documents, strict=True) if one == site}))
    scores = log_odds(here, there)
    found = [
        Word(
            word=word,
            here=count,
            transcripts=len(places[word]),
            elsewhere=there[word],
            stands_out=round(scores[word], 3),
            codebook=word in written,
        )
        for word, count in here.items()
        if count >= FEWEST and len(places[word]) >= needed and there[word] <= RARE * segments[False]
    ]
    return Vocabulary(beside=tuple(beside), here=segments[True], elsewhere=segments[False], words=_telling(found))


def _telling(found: Sequence[Word]) -> tuple[Word, ...]:
    new = sorted((word for word in found if word.new), key=lambda word: (-word.here, word.word))
    rest = [word for word in found if not word.new and word.stands_out >= STANDS_OUT]
    return (*new[:SHOWN], *sorted(rest, key=lambda word: (-word.stands_out, word.word))[:SHOWN])


def words_in(text: str) -> set[str]:
    """Return the words of a text that may be a subject: three letters or more, small and large ones alike.

    How an apostrophe is typed makes no difference.

    >>> sorted(words_in("The Bus, the BUS [laughs] at 10.30 didn’t come!"))
    ['bus', 'come', "didn't", 'the']
    """
    text = text.replace("’", "'").replace("ʼ", "'")
    words = (word.casefold() for word in words_of(text) if not word[0].isdigit() and not _PIECE.match(word))
    return {word for word in words if len(word) >= SHORTEST}


def log_odds(here: Mapping[str, int], there: Mapping[str, int]) -> dict[str, float]:
    """Return for every word of the first how far it stands out from the second, in standard errors."""
    total, other = sum(here.values()), sum(there.values())
    scale = PRIOR / (total + other) if total + other else 0.0
    found = {}
    for word, count in here.items():
        beside = there.get(word, 0)
        usual = (count + beside) * scale
        rest, other_rest = (max(all_ + PRIOR - one - usual, TINY) for all_, one in ((total, count), (other, beside)))
        odds = np.log((count + usual) / rest) - np.log((beside + usual) / other_rest)
        found[word] = float(odds / np.sqrt(1 / (count + usual) + 1 / (beside + usual)))
    return found
