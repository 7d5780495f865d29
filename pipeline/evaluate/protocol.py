"""Who is ranked with what: no segment meets an exemplar, a decision or a statistic of its own document."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..errors import CodingFault
from ..rank import Around, Labelled
from ..records import Codebook

FOLDS = 20  # up to so many documents each is left out alone; more are left out in this many groups
HELD_OUT = 0.4  # of the segments, for the learning curve
STEPS = (0, 50, 100, 200, 500, 1000)  # decided segments
ORDERS = 5  # random choices of held-out documents and of what is decided first
CURVE_FOLDS = 4  # models for each step of a curve, where exemplars come from the documents under test
SEED = 0
LONG = 8  # words that two people hardly say alike

Place = tuple[int, int]  # theme and exemplar in the codebook


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """A coder: which segments this person has read, and which themes were given to them."""

    name: str
    read: NDArray[np.bool_]  # n
    gave: NDArray[np.bool_]  # n x k


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """Segments that people have read, and the codebook they read them with.

    A theme is gold when at least half of the coders who read the segment gave it; a row without gold was read and
    nothing coded. All vectors have length 1; ``codebook_vectors`` has one for each of ``rank.codebook_texts``.
    """

    texts: tuple[str, ...]
    vectors: NDArray[np.float32]  # n x d
    gold: NDArray[np.bool_]  # n x k
    documents: tuple[str, ...]
    sites: tuple[str, ...]
    codebook: Codebook
    codebook_vectors: Mapping[str, NDArray[np.float32]]
    around: Around | None = None
    readers: tuple[Reader, ...] = ()
    in_sight: NDArray[np.bool_] | None = None  # n: somebody decided on the segment with suggestions in sight

    @property
    def places(self) -> tuple[str, ...]:
        """The document of each segment, told apart from those of the same name at other sites."""
        return tuple(f"{site}/{document}" for site, document in zip(self.sites, self.documents, strict=True))


@dataclass(frozen=True, kw_only=True, slots=True)
class Fold:
    """Segments that are ranked together, with what."""

    test: NDArray[np.intp]
    without: frozenset[Place]  # exemplars that come from the documents under test
    train: NDArray[np.intp]  # segments whose coding is known; none of the documents under test


def from_codebook(material: Material) -> list[Fold]:
    """Return folds that know exemplars and definitions only, documents with the same forbidden exemplars together."""
    own = forbidden(material)
    return _alike(
        [own[place] for place in material.places], np.arange(len(material.texts)), np.array([], dtype=np.intp)
    )


def from_decisions(material: Material) -> list[Fold]:
    """Return folds that know the coding of all other documents.

    Raises ``CodingFault`` if only one document is coded.
    """
    places = list(dict.fromkeys(material.places))
    if len(places) < 2:
        remedy = "code a second one, or leave --from decisions out"
        raise CodingFault("evaluation", "only one document is coded", remedy)
    groups = [places[at :: min(FOLDS, len(places))] for at in range(min(FOLDS, len(places)))]
    return _apart(material, [set(group) for group in groups])


def from_other_sites(material: Material) -> list[Fold]:
    """Return one fold for each site, which knows the coding of the others. Raises ``CodingFault`` if there is one."""
    sites = list(dict.fromkeys(material.sites))
    if len(sites) < 2:
        remedy = "code segments of a second one, or leave --transfer out"
        raise CodingFault("evaluation", "only one site is coded", remedy)
    of_site = [{p for p, s in zip(material.places, material.sites, strict=True) if s == site} for site in sites]
    return _apart(material, of_site)


def from_some_sites(material: Material, train: Collection[str], test: Collection[str]) -> list[Fold]:
    """Return one fold for each site to test on, which knows the coding of the sites to train on.

    Raises ``CodingFault`` if nothing is coded at one of these sites.
    """
    sites = np.array(material.sites)
    for site in (*train, *test):
        if not (sites == site).any():
            raise CodingFault("evaluation", f"nothing is coded at site {site}", "choose another site")
    known = np.flatnonzero(np.isin(sites, list(train)))
    own = forbidden(material)
    folds = []
    for site in dict.fromkeys(test):
        rows = np.flatnonzero(sites == site)
        without = frozenset[Place]().union(*(own[material.places[row]] for row in rows))
        folds.append(Fold(test=rows, without=without, train=known))
    return folds


def curve_plans(material: Material) -> list[dict[int, list[Fold]]]:
    """Return, for each of ``ORDERS``, folds by how many segments teach; they rank the same held-out documents.

    Each order holds other documents out, and decides on the rest in another order. None for a single document.
    """
    places = np.array(material.places)
    names = np.unique(places)
    if len(names) < 2:
        return []
    own = forbidden(material)
    plans = []
    for order in range(ORDERS):
        rng = np.random.default_rng(SEED + order)
        documents = rng.permutation(names)
        sizes = np.array([np.count_nonzero(places == document) for document in documents])
        enough = int(np.searchsorted(np.cumsum(sizes), HELD_OUT * len(places))) + 1
        held = np.isin(places, documents[: min(enough, len(documents) - 1)])
        train, test = rng.permutation(np.flatnonzero(~held)), np.flatnonzero(held)
        of = [own[places[row]] for row in test]
        plans.append({n: _alike(of, test, train[:n], CURVE_FOLDS) for n in STEPS if n <= len(train)})
    return plans


def reduced(codebook: Codebook, without: frozenset[Place]) -> Codebook:
    """Return the codebook without some of its exemplars."""
    themes = [
        replace(theme, exemplars=tuple(e for at, e in enumerate(theme.exemplars) if (column, at) not in without))
        for column, theme in enumerate(codebook.themes)
    ]
    return Codebook(themes=tuple(themes))


def learned(material: Material, rows: NDArray[np.intp]) -> Labelled | None:
    """Return the coding of some segments as decisions to learn from, None for no segments."""
    if not len(rows):
        return None
    return Labelled(
        texts=tuple(material.texts[row] for row in rows),
        vectors=material.vectors[rows],
        gold=material.gold[rows].astype(np.float64),
        rejected=np.zeros((len(rows), material.gold.shape[1]), dtype=bool),
        documents=tuple(material.places[row] for row in rows),
        around=material.around.part(rows) if material.around is not None else None,
    )


def _apart(material: Material, groups: Sequence[set[str]]) -> list[Fold]:
    """Return one fold per group of documents, which knows the coding of all others."""
    own = forbidden(material)
    folds = []
    for group in groups:
        inside = np.array([place in group for place in material.places])
        without = frozenset[Place]().union(*(own[place] for place in group))
        folds.append(Fold(test=np.flatnonzero(inside), without=without, train=np.flatnonzero(~inside)))
    return folds


def _alike(
    of: Sequence[frozenset[Place]], test: NDArray[np.intp], train: NDArray[np.intp], most: int = FOLDS
) -> list[Fold]:
    """Return folds of documents with the same forbidden exemplars, at most ``most`` and one without any.

    ``of`` are those of each row of ``test``. Where there would be more folds, several documents share one and go
    without the exemplars of all of them: that can only make the result worse than it is.
    """
    kinds = [kind for kind in dict.fromkeys(of) if kind]
    number = {kind: at % most for at, kind in enumerate(kinds)} | {frozenset[Place](): -1}
    fold_of = np.array([number[kind] for kind in of], dtype=np.intp)
    return [
        Fold(
            test=test[fold_of == fold],
            without=frozenset[Place]().union(*(kind for kind in kinds if number[kind] == fold)),
            train=train,
        )
        for fold in np.unique(fold_of)
    ]


def forbidden(material: Material) -> dict[str, frozenset[Place]]:
    """Return for each document the exemplars that come from it.

    They are told by their source, by being word for word a segment of the document, or part of one if they are long.
    """
    by_source: dict[str, set[Place]] = {}
    by_words: dict[str, set[Place]] = {}
    for column, theme in enumerate(material.codebook.themes):
        for at, exemplar in enumerate(theme.exemplars):
            by_words.setdefault(folded(exemplar.text), set()).add((column, at))
            if document := _document(exemplar.source.partition("#")[0]):
                by_source.setdefault(document, set()).add((column, at))
    long = [words for words in by_words if len(words.split()) >= LONG]
    said: dict[str, list[str]] = {}
    for text, place in zip(material.texts, material.places, strict=True):
        said.setdefault(place, []).append(folded(text))
    found = {}
    for place, document in dict(zip(material.places, material.documents, strict=True)).items():
        whole = "\n".join(said[place])
        words = {*said[place], *(quote for quote in long if quote in whole)}
        named = by_source.get(_document(document), set()) | by_source.get(_document(place), set())
        found[place] = frozenset(named.union(*(by_words.get(quote, set()) for quote in words)))
    return found


def _document(name: str) -> str:
    """Return a document's name as people may write it otherwise: in another case, or with its file's suffix."""
    return re.sub(r"\.[a-z]{2,4}$", "", folded(name))


def folded(text: str) -> str:
    """Return a text without differences of case, spaces and outer full stops.

    >>> folded("  The bus WAS late. ")
    'the bus was late'
    """
    return " ".join(text.casefold().split()).strip(". ")
