"""What the machine's influence and people's effort are measured on: who judged what, having seen what, in how long.

Rows are easily made and read, by ``decided`` from decisions, and by tests; columns of them are what is computed on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..records import BLIND, Mode

IDLE = 60.0  # seconds; an action that took longer was not all work, and its time is left out
MODES = tuple(Mode)  # a column of modes holds places in this
SAMPLED = frozenset({Mode.WITHHELD, Mode.OVERLAP})  # of these, the ones that are a random sample of all segments

Codes = NDArray[np.int64]
Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """Whether a coder gave a segment a theme, and what the machine had to do with it.

    There is one for every theme that the machine offers, or would have offered on a blind segment, and one for every
    other theme that the coder gave. A segment that was read with neither has one without theme, so that every segment
    that was read is there. A duplicate's judgements are beside those of the first reading.
    """

    coder: str
    site: str
    document: str  # unique in the study, also where two sites have documents of the same name
    segment: str
    theme: str  # "" where nothing was offered and nothing given
    mode: Mode
    given: bool  # what stands at present
    offered: bool  # whether the machine suggests the theme here, shown or not: it passed the threshold
    shown: bool  # whether the coder saw that suggestion
    decided_at: datetime  # when the segment was first answered
    rank: int | None = None  # of the theme among the machine's, from 1
    probability: float | None = None
    chance: float = 1.0  # probability with which the segment was assigned to its mode
    seconds: float | None = None  # spent on the segment, all actions together but those longer than ``IDLE``
    session: int = 1  # of the coder, from 1
    order: int = 1  # of the segment in the session, from 1
    gold: bool | None = None  # whether the theme is right, None where that is not known


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """One thing a coder did, as one key does it: some answers to one segment at the same moment."""

    coder: str
    site: str
    document: str
    segment: str
    mode: Mode
    shown: bool  # whether suggestions were visible
    accepted: bool  # whether all it did was to accept suggestions
    seconds: float  # since the segment came up, or since the action before
    decided_at: datetime
    chance: float = 1.0  # probability with which the segment was assigned to its mode
    session: int = 1
    order: int = 1  # of the segment in the session, from 1


@dataclass(frozen=True, kw_only=True)
class Judgements:
    """Judgements in columns, all of the same length. Names are places in the tuples of names."""

    coder: Codes
    site: Codes
    document: Codes
    segment: Codes
    theme: Codes
    mode: Codes
    given: Flags
    offered: Flags
    shown: Flags
    rank: Numbers  # nan where there is none
    probability: Numbers  # nan where there is none
    chance: Numbers
    seconds: Numbers  # nan where there is none
    session: Codes
    order: Codes
    gold: Numbers  # 1, 0, or nan where it is not known
    coders: tuple[str, ...]
    sites: tuple[str, ...]
    documents: tuple[str, ...]
    segments: tuple[str, ...]
    themes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.coder)

    @property
    def blind(self) -> Flags:
        """Which rows are of segments that came without suggestions, so that people could be compared."""
        return among(self.mode, BLIND)

    @property
    def reading(self) -> Codes:
        """Which reading of a segment by a coder a row belongs to, from 0: a duplicate is another one."""
        return _readings(self)


@dataclass(frozen=True, kw_only=True)
class Actions:
    """Actions in columns, each coder's in the order of time. Names are places in the tuples of names."""

    coder: Codes
    site: Codes
    document: Codes
    segment: Codes
    mode: Codes
    shown: Flags
    accepted: Flags
    seconds: Numbers
    chance: Numbers
    session: Codes
    order: Codes
    coders: tuple[str, ...]
    sites: tuple[str, ...]
    documents: tuple[str, ...]
    segments: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.coder)

    @property
    def reading(self) -> Codes:
        """Which reading of a segment by a coder a row belongs to, from 0: a duplicate is another one."""
        return _readings(self)


def among(modes: Codes, wanted: Iterable[Mode]) -> Flags:
    """Tell for a column of modes which are among the wanted ones."""
    return np.isin(modes, [MODES.index(mode) for mode in wanted])


Columns = TypeVar("Columns", Judgements, Actions)


def _readings(made: Judgements | Actions) -> Codes:
    duplicate = among(made.mode, {Mode.DUPLICATE})
    keys = (made.coder * max(len(made.segments), 1) + made.segment) * 2 + duplicate
    places: Codes = np.unique(keys, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return places


def judgements(rows: Iterable[Judgement]) -> Judgements:
    """Return the rows as columns; names are numbered in the order of their alphabet."""
    return Judgements(**_columns(rows, Judgement))


def actions(rows: Iterable[Action]) -> Actions:
    """Return the rows as columns, each coder's in the order of time."""
    return Actions(**_columns(sorted(rows, key=lambda row: (row.coder, row.decided_at)), Action))


def chosen(made: Columns, which: Flags | Codes) -> Columns:
    """Return some of the rows, by truth value or by place; the names stay as they are."""
    columns: dict[str, Any] = {}
    for name in (field.name for field in fields(made)):
        values = getattr(made, name)
        columns[name] = values if isinstance(values, tuple) else values[which]
    return type(made)(**columns)


def _columns(rows: Iterable[Judgement] | Iterable[Action], kind: type[Judgement] | type[Action]) -> dict[str, Any]:
    names = [field.name for field in fields(kind) if field.name != "decided_at"]
    listed: dict[str, list[Any]] = {name: [] for name in names}
    put = [(name, listed[name].append) for name in names]
    for row in rows:  # one by one: a generator of millions is never held whole
        for name, append in put:
            append(getattr(row, name))
    columns: dict[str, Any] = {}
    for name, values in listed.items():
        if name in ("coder", "site", "document", "segment", "theme"):
            columns[name], columns[f"{name}s"] = _numbered(values)
        elif name == "mode":
            place = {mode: at for at, mode in enumerate(MODES)}
            columns[name] = np.array([place[mode] for mode in values], dtype=np.int64)
        elif name in ("given", "offered", "shown", "accepted"):
            columns[name] = np.array(values, dtype=bool)
        elif name in ("session", "order"):
            columns[name] = np.array(values, dtype=np.int64)
        else:
            columns[name] = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return columns


def _numbered(values: Sequence[str]) -> tuple[Codes, tuple[str, ...]]:
    names = sorted(set(values))
    place = {name: at for at, name in enumerate(names)}
    return np.array([place[value] for value in values], dtype=np.int64), tuple(names)
