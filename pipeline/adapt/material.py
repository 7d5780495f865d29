"""What an encoder is adapted to: passages that people said show a theme, and which documents they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .. import rank
from ..coded import Coded, labelled
from ..config import RankSettings
from ..embed import Lessons
from ..evaluate.protocol import Material, folded, forbidden, reduced
from ..records import Codebook, Digest, Kind, digest

PARTS = 3  # of the documents: each is left out once, and what was learned from the others is tried on it
MOST = 1500  # decided segments that are learned from, taken at equal distances: training takes long enough
HALF = 0.5 - 1e-9  # at least half of a segment's coders

Place = tuple[int, int]  # theme and exemplar in the codebook
Vectors = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A quote or a decided segment that shows at least one theme."""

    text: str
    themes: frozenset[int]
    documents: frozenset[str]  # what it is left out with; a quote of unknown origin is a document of its own


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A codebook with all that people said shows its themes."""

    codebook: Codebook
    coded: Coded  # only what shows a theme
    origins: Mapping[Place, frozenset[str]]  # the documents that each exemplar comes from

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """Every passage once, whatever the number of its themes; exemplars first, near misses left out."""
        found: dict[str, tuple[str, set[int], set[str]]] = {}
        for (column, at), documents in self.origins.items():
            exemplar = self.codebook.themes[column].exemplars[at]
            if exemplar.kind is not Kind.NEAR_MISS:
                _add(found, exemplar.text, {column}, documents)
        for row, place in enumerate(self.places):
            _add(found, self.coded.segments[row].text, set(np.flatnonzero(self._given[row]).tolist()), {place})
        return tuple(
            Passage(text=text, themes=frozenset(themes), documents=frozenset(documents))
            for text, themes, documents in found.values()
        )

    @cached_property
    def places(self) -> list[str]:
        """The document of each decided segment."""
        return ["/".join(self.coded.places[segment.transcript]) for segment in self.coded.segments]

    @cached_property
    def _given(self) -> NDArray[np.bool_]:
        return given(self.coded, self.codebook)

    @cached_property
    def part_of(self) -> dict[str, int]:
        """The part that each document belongs to: dealt in turn, so that each theme's quotes are spread."""
        documents = dict.fromkeys(name for passage in self.passages for name in sorted(passage.documents))
        return {name: at % PARTS for at, name in enumerate(documents)}

    def left_out(self, part: int) -> list[int]:
        """Return the passages that are tried in a part; every passage is in one."""
        return [at for at, passage in enumerate(self.passages) if self.part_of[min(passage.documents)] == part]

    def lessons(self, part: int | None) -> Lessons:
        """Return what is learned from when a part is left out, or from everything: passages and definitions."""
        learned = [one for one in self.passages if part is None or not self._touches(one.documents, part)]
        rows = [(one.text, one.themes) for one in learned]
        rows += [(rank.definition_text(theme), frozenset({at})) for at, theme in enumerate(self.codebook.themes)]
        shows = np.zeros((len(rows), len(self.codebook.themes)), dtype=bool)
        for row, (_, themes) in enumerate(rows):
            shows[row, list(themes)] = True
        return Lessons(texts=tuple(text for text, _ in rows), shows=shows)

    def _touches(self, documents: frozenset[str], part: int) -> bool:
        return any(self.part_of.get(document) == part for document in documents)

    @property
    def texts(self) -> list[str]:
        """Every text that trying needs a vector of."""
        return list(dict.fromkeys([*rank.codebook_texts(self.codebook), *self.coded.texts]))

    def tried(self, part: int, vectors: Vectors, settings: RankSettings) -> tuple[list[float], list[float]]:
        """Return, for each passage left out, 1 / the rank of its first theme, and its recall@3.

        The ranker knows nothing of the documents of that part, and ``vectors`` should be of an encoder that does not.
        """
        without = frozenset(place for place, documents in self.origins.items() if self._touches(documents, part))
        kept = {s.id for s, place in zip(self.coded.segments, self.places, strict=True) if self.part_of[place] != part}
        codebook = reduced(self.codebook, without)
        said = labelled(self.coded, self.codebook, vectors, lambda segment: segment.id in kept)
        ranker = rank.fit(codebook, vectors, said, settings)
        asked = [self.passages[at] for at in self.left_out(part)]
        if not asked:
            return [], []
        texts = [passage.text for passage in asked]
        order = np.argsort(-rank.score(ranker, texts, np.stack([vectors[text] for text in texts])).total, kind="stable")
        hits = [[theme in passage.themes for theme in row] for row, passage in zip(order, asked, strict=True)]
        first = [1 / (hit.index(True) + 1) for hit in hits]
        third = [sum(hit[:3]) / min(3, len(one.themes)) for hit, one in zip(hits, asked, strict=True)]
        return first, third

    @property
    def digest(self) -> Digest:
        """Hash of everything that adapting depends on besides the encoder."""
        told = [[one.text, sorted(one.themes), sorted(one.documents)] for one in self.passages]
        return digest("ground", PARTS, self.codebook.revision, told)


def ground(codebook: Codebook, coded: Coded) -> Ground:
    """Return what there is to adapt to."""
    shown = np.flatnonzero(given(coded, codebook).any(axis=1))
    if len(shown) > MOST:
        shown = shown[np.linspace(0, len(shown) - 1, MOST).round().astype(int)]
    coded = replace(coded, segments=tuple(coded.segments[row] for row in shown))
    return Ground(codebook=codebook, coded=coded, origins=_origins(codebook, coded))


def given(coded: Coded, codebook: Codebook) -> NDArray[np.bool_]:
    """Return which themes at least half of the coders gave to each segment, n x k."""
    nothing = dict.fromkeys(coded.texts, np.zeros(1, np.float32))
    said = labelled(coded, codebook, nothing)
    return said.gold >= HALF if said is not None else np.zeros((0, len(codebook.themes)), dtype=bool)


def _origins(codebook: Codebook, coded: Coded) -> dict[Place, frozenset[str]]:
    """Tell which documents exemplars come from, by their sources and by their words among decided segments."""
    where = [coded.places[segment.transcript] for segment in coded.segments]
    material = Material(
        texts=tuple(coded.texts),
        vectors=np.zeros((len(where), 1), np.float32),
        gold=np.zeros((len(where), len(codebook.themes)), dtype=bool),
        documents=tuple(name for _, name in where),
        sites=tuple(site for site, _ in where),
        codebook=codebook,
        codebook_vectors={},
    )
    inside: dict[Place, set[str]] = {}
    for document, places in forbidden(material).items():
        for place in places:
            inside.setdefault(place, set()).add(document)
    found = {}
    for column, theme in enumerate(codebook.themes):
        for at, exemplar in enumerate(theme.exemplars):
            named = folded(rank.source_document(exemplar.source)) or f"quote {folded(exemplar.text)}"
            found[column, at] = frozenset(inside.get((column, at), {named}))
    return found


def _add(
    found: dict[str, tuple[str, set[int], set[str]]], text: str, themes: set[int], documents: set[str] | frozenset[str]
) -> None:
    _, all_themes, all_documents = found.setdefault(folded(text), (text, set(), set()))
    all_themes |= themes
    all_documents |= documents
