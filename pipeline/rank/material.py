"""What a ranker is fitted on: the rows of a codebook and of people's decisions, as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..records import Codebook, Exemplar, Kind, Theme
from .around import Around, join, nothing_around

Vectors = Mapping[str, NDArray[np.float32]]
MOST = 3000  # decided segments that are learned from; fitting takes time with the cube of their number
NEAR_MISS = -0.5  # what the learned part aims at for the theme that a quote only looks like
REJECTED = -0.1  # the same for a suggestion turned down: hardly below 0, stronger targets made rankings worse
HALF = 0.5 - 1e-9  # at least half of the coders, whatever the rounding of shares
ENOUGH_DOCUMENTS = 5  # with exemplars from fewer documents, leaving one out would leave a theme without any


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelled:
    """What people decided about segments, beside the codebook.

    ``gold`` is the share of a segment's coders who gave each theme; ``rejected`` marks suggestions that were turned
    down. A row without any theme is a segment that was read and fits nothing. ``documents`` names the document of
    each row, so that what is said about one document is never learned from the same document.
    """

    texts: tuple[str, ...]
    vectors: NDArray[np.float32]  # n x d, rows of length 1
    gold: NDArray[np.floating]  # n x k, from 0 to 1
    rejected: NDArray[np.bool_]  # n x k
    documents: tuple[str, ...]
    around: Around | None = None  # no text of it is shared by two documents


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """Everything that teaches: quotes first, then decided segments, then one definition for each theme."""

    texts: tuple[str, ...]
    vectors: NDArray[np.float32]
    gold: NDArray[np.float64]  # of the passages, n x k: what they show, or the share of coders who gave it
    positive: NDArray[np.bool_]  # the passages that show a theme
    shares: NDArray[np.float64]  # how much of each row is each theme; rows sum to at most 1
    targets: NDArray[np.float64]  # the same for the learned part; below 0 where a theme was said not to fit
    misses: NDArray[np.bool_]  # quotes that only look like a theme
    excluded: NDArray[np.float64]  # k x d: what each theme says it is not; zeros where it says nothing
    groups: NDArray[np.intp]  # rows from one document
    quotes: int
    decided: int
    around: Around  # of the passages; quotes have nothing around them
    families: NDArray[np.float64]  # k x k: in each column, equal shares of a theme's relatives
    sources: tuple[tuple[Exemplar | None, ...], ...]  # for each quote, the exemplar it is of each theme

    @property
    def shown(self) -> int:
        """How many rows are passages, not definitions."""
        return self.quotes + self.decided

    @property
    def told(self) -> NDArray[np.bool_]:
        """Of which passages the themes are known: of a near miss alone it is known what it is not."""
        known = np.ones(self.shown, dtype=bool)
        known[: self.quotes] = self.positive[: self.quotes].any(axis=1)
        return known

    @property
    def given(self) -> NDArray[np.float64]:
        """How much of each decided segment is each theme."""
        return self.shares[self.quotes : self.shown]


def definition_text(theme: Theme) -> str:
    """Return what stands for a theme's definition, which may be no more than its name.

    >>> definition_text(Theme(name="Trust", definition="Relying on staff.", include="also on peers"))
    'Trust: Relying on staff. also on peers'
    """
    said = " ".join(part for part in (theme.definition, theme.include) if part)
    return f"{theme.name}: {said}" if said else theme.name


def codebook_texts(codebook: Codebook) -> tuple[str, ...]:
    """Return every text of a codebook that ranking needs a vector of, without repeats, in the codebook's order."""
    quotes = [exemplar.text for theme in codebook.themes for exemplar in theme.exemplars]
    excluded = [theme.exclude for theme in codebook.themes if theme.exclude]
    return tuple(dict.fromkeys([*quotes, *excluded, *(definition_text(theme) for theme in codebook.themes)]))


def source_document(source: str) -> str:
    """Return the document's name out of an exemplar's source, which may name a site and a segment as well.

    >>> source_document("Kampala/FG2#t012s1"), source_document("")
    ('FG2', '')
    """
    return source.partition("#")[0].rpartition("/")[2].strip()


def gather(codebook: Codebook, vectors: Vectors, labelled: Labelled | None) -> Rows:
    """Return the rows of a codebook and of decisions; a quote given to several themes is one row shared by them."""
    themes = codebook.themes
    texts = tuple(dict.fromkeys(exemplar.text for theme in themes for exemplar in theme.exemplars))
    sources = _sources(codebook, texts)
    positive = np.array([[e is not None and e.kind is not Kind.NEAR_MISS for e in row] for row in sources], dtype=bool)
    misses = np.array([[e is not None and e.kind is Kind.NEAR_MISS for e in row] for row in sources], dtype=bool)
    positive, misses = positive.reshape(-1, len(themes)), misses.reshape(-1, len(themes))
    decided = _evenly(labelled) if labelled is not None else None
    gold = decided.gold.astype(np.float64) if decided is not None else np.zeros((0, len(themes)))
    shares = _shares(np.vstack([positive, gold, np.eye(len(themes))]))
    rejected = decided.rejected if decided is not None else np.zeros((0, len(themes)), dtype=bool)
    definitions = tuple(definition_text(theme) for theme in themes)
    known = [vectors[text] for text in (*texts, *definitions)]
    middle = [decided.vectors] if decided is not None else []
    return Rows(
        texts=(*texts, *(decided.texts if decided is not None else ()), *definitions),
        vectors=np.vstack([*known[: len(texts)], *middle, *known[len(texts) :]]).astype(np.float32),
        gold=np.vstack([positive, gold]),
        positive=np.vstack([positive, gold >= HALF]),
        shares=shares,
        targets=_targets(shares, misses, rejected),
        misses=misses,
        excluded=np.stack([vectors[theme.exclude] if theme.exclude else 0 * known[0] for theme in themes]),
        groups=_groups(sources, decided.documents if decided is not None else (), len(themes)),
        quotes=len(texts),
        decided=len(gold),
        around=_around(decided, len(texts), known[0].size),
        families=_families(codebook),
        sources=sources,
    )


def _around(decided: Labelled | None, quotes: int, dimensions: int) -> Around:
    parts = [nothing_around(quotes, dimensions)]
    if decided is not None:
        parts.append(decided.around or nothing_around(len(decided.texts), dimensions))
    return join(parts)


def _families(codebook: Codebook) -> NDArray[np.float64]:
    """Return equal shares of the other themes in the family of each: its parent, its children, its parent's others."""
    themes = codebook.themes
    related = [
        [
            one is not other
            and (one.parent == other.name or other.parent == one.name or one.parent == other.parent != "")
            for other in themes
        ]
        for one in themes
    ]
    found = np.array(related, dtype=np.float64)
    return np.asarray(found / np.maximum(found.sum(axis=0), 1))


def _sources(codebook: Codebook, texts: tuple[str, ...]) -> tuple[tuple[Exemplar | None, ...], ...]:
    """Find the exemplar that each text is of each theme; where a theme has it twice, the first counts."""
    found: dict[tuple[str, int], Exemplar] = {}
    for column, theme in enumerate(codebook.themes):
        for exemplar in theme.exemplars:
            found.setdefault((exemplar.text, column), exemplar)
    return tuple(tuple(found.get((text, column)) for column in range(len(codebook.themes))) for text in texts)


def _evenly(labelled: Labelled) -> Labelled:
    """Return at most ``MOST`` of the decided segments, taken at equal distances."""
    if len(labelled.texts) <= MOST:
        return labelled
    pick = np.linspace(0, len(labelled.texts) - 1, MOST).round().astype(int)
    return Labelled(
        texts=tuple(labelled.texts[i] for i in pick),
        vectors=labelled.vectors[pick],
        gold=labelled.gold[pick],
        rejected=labelled.rejected[pick],
        documents=tuple(labelled.documents[i] for i in pick),
        around=labelled.around.part(pick) if labelled.around is not None else None,
    )


def _shares(given: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide each row among its themes: a quote of two themes shows each of them half as clearly."""
    return np.asarray(given / np.maximum(given.sum(axis=1, keepdims=True), 1))


def _targets(
    shares: NDArray[np.float64], misses: NDArray[np.bool_], rejected: NDArray[np.bool_]
) -> NDArray[np.float64]:
    targets = shares.copy()
    quotes, decided = targets[: len(misses)], targets[len(misses) : len(misses) + len(rejected)]
    quotes[misses] = NEAR_MISS
    decided[rejected & (decided <= 0)] = REJECTED
    return targets


def _groups(
    sources: tuple[tuple[Exemplar | None, ...], ...], documents: tuple[str, ...], themes: int
) -> NDArray[np.intp]:
    """Number the documents that rows come from; a quote of unknown source, or a definition, is one of its own."""
    of = [next((source_document(e.source) for e in row if e is not None and e.source), "") for row in sources]
    decided = [document.rpartition("/")[2] for document in documents]
    many = len({name for name in of if name}) >= ENOUGH_DOCUMENTS
    joined = [name if name and (many or name in set(decided)) else None for name in of]
    names: list[object] = [*joined, *decided, *([None] * themes)]
    keys = [("", i) if name is None else (name, -1) for i, name in enumerate(names)]
    number = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    return np.array([number[key] for key in keys], dtype=np.intp)
