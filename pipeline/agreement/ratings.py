"""Who read which unit and what each made of it: what every coefficient is computed from."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One coder's reading of one unit. No themes: read and not coded. A unit that was not read has no reading."""

    unit: str
    document: str
    coder: str
    themes: Collection[str] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Ratings:
    """Readings as arrays, one row per (unit, coder) that was read, by document, unit and coder.

    Not read is no row; read and not coded is a row without a theme.
    """

    units: tuple[str, ...]  # by document
    documents: tuple[str, ...]
    coders: tuple[str, ...]
    themes: tuple[str, ...]
    place: Rows  # document of each unit, never decreasing
    unit: Rows  # unit of each row, never decreasing
    coder: Rows  # coder of each row
    given: NDArray[np.bool_]  # rows x themes

    @cached_property
    def readers(self) -> Rows:
        """How many coders read each unit."""
        return np.bincount(self.unit, minlength=len(self.units))

    @cached_property
    def counts(self) -> Floats:
        """Units x themes x 2: how many readers did not give the theme, and how many did."""
        given = summed(self.given, self.unit, len(self.units))
        return np.stack([self.readers[:, None] - given, given], axis=2)

    def paired(self) -> "Ratings":
        """Return the units that at least two coders read: agreement is about these alone."""
        return self.some(self.readers[self.unit] > 1)

    def by(self, coders: Collection[str]) -> "Ratings":
        """Return the readings of some of the coders."""
        return self.some(np.isin(np.array(self.coders), list(coders))[self.coder])

    def some(self, rows: NDArray[np.bool_]) -> "Ratings":
        """Return some of the readings, with the units, documents and coders that are left."""
        units, unit = np.unique(self.unit[rows], return_inverse=True)
        coders, coder = np.unique(self.coder[rows], return_inverse=True)
        documents, place = np.unique(self.place[units], return_inverse=True)
        return Ratings(
            units=tuple(self.units[at] for at in units),
            documents=tuple(self.documents[at] for at in documents),
            coders=tuple(self.coders[at] for at in coders),
            themes=self.themes,
            place=place,
            unit=unit,
            coder=coder,
            given=self.given[rows],
        )


def ratings(readings: Iterable[Reading], themes: Collection[str]) -> Ratings:
    """Return readings as arrays. Themes that are not among ``themes`` are left out of them.

    Raises ``ValueError`` if a coder read a unit twice, or a unit is in two documents.
    """
    rows = sorted(readings, key=lambda r: (r.document, r.unit, r.coder))
    if len({(r.unit, r.coder) for r in rows}) < len(rows):
        raise ValueError("a coder has two readings of one unit")
    units = dict.fromkeys((r.document, r.unit) for r in rows)
    if len({unit for _, unit in units}) < len(units):
        raise ValueError("a unit is in two documents")
    documents, coders = sorted({r.document for r in rows}), sorted({r.coder for r in rows})
    column = {name: at for at, name in enumerate(themes)}
    given = np.zeros((len(rows), len(column)), dtype=bool)
    for row, reading in enumerate(rows):
        given[row, [column[theme] for theme in reading.themes if theme in column]] = True
    document_at = {name: at for at, name in enumerate(documents)}
    unit_at, coder_at = {key: at for at, key in enumerate(units)}, {name: at for at, name in enumerate(coders)}
    return Ratings(
        units=tuple(unit for _, unit in units),
        documents=tuple(documents),
        coders=tuple(coders),
        themes=tuple(column),
        place=np.array([document_at[document] for document, _ in units], dtype=np.intp),
        unit=np.array([unit_at[r.document, r.unit] for r in rows], dtype=np.intp),
        coder=np.array([coder_at[r.coder] for r in rows], dtype=np.intp),
        given=given,
    )


def summed(rows: NDArray[np.generic], group: Rows, groups: int) -> Floats:
    """Return the sums of ``rows`` by group: ``groups`` x the shape of a row. ``group`` never decreases."""
    total = np.zeros((groups, *rows.shape[1:]))
    if len(rows):
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        total[group[starts]] = np.add.reduceat(rows, starts, axis=0, dtype=np.float64)
    return total


def value_counts(table: Floats) -> tuple[Floats, Floats]:
    """Return the distinct values (q) of a table of units x coders, NaN where not read, and units x q counts."""
    values = np.unique(table[~np.isnan(table)])
    return values, np.stack([(table == value).sum(axis=1) for value in values], axis=1, dtype=np.float64)
