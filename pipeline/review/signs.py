"""A letter and a colour for each theme: the same on every page, and from revision to revision of the codebook."""

from dataclasses import dataclass, field

from ..records import Codebook
from ..store import Store
from ..store.revisions import list_revisions
from ..store.runs import load_codebooks

COLOURS = 8  # that people of every colour vision tell apart; then they come again, and letters go on
ALPHABET = 26


@dataclass(frozen=True, kw_only=True, slots=True)
class Sign:
    """What a theme is known by at a glance; its name stands beside it."""

    letter: str
    colour: int  # from 1


def sign(place: int) -> Sign:
    """Return the sign of the theme that came into the codebook at a place from 0.

    >>> [sign(place).letter for place in (0, 25, 26, 701, 702)], sign(9).colour
    (['A', 'Z', 'AA', 'ZZ', 'AAA'], 2)
    """
    letters, left = "", place + 1
    while left:
        left, at = divmod(left - 1, ALPHABET)
        letters = chr(ord("A") + at) + letters
    return Sign(letter=letters, colour=place % COLOURS + 1)


@dataclass
class Signs:
    """The places of themes, in the order in which they came into the codebook. What is gone keeps its place."""

    count: int = 0
    places: dict[str, int] = field(default_factory=dict)

    def take_up(self, codebook: Codebook) -> dict[str, Sign]:
        """Return the signs of a codebook's themes; those that it is the first to have get the next ones.

        A theme with another name than before keeps its sign; a later theme with the old name gets one of its own.
        """
        for theme in codebook.themes:
            gone = [old for old in theme.formerly if old in self.places and old not in codebook.names]
            former = [self.places.pop(old) for old in gone]
            if theme.name in self.places:
                continue
            if not former:
                self.count += 1
            self.places[theme.name] = former[0] if former else self.count - 1
        return {name: sign(self.places[name]) for name in codebook.names}


def known_signs(store: Store) -> Signs:
    """Return the places of all themes that the codebook has had, as its history in the store tells."""
    books, made = load_codebooks(store), Signs()
    for codebook in (books[one.revision] for one in list_revisions(store)):
        made.take_up(codebook)
    return made
