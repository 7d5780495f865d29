"""Memos in the store: appended, never changed; the latest version counts (see ``memos``)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ..memos import About, Memo
from ..records import SegmentId, TranscriptId
from .carried import is_among, now_of
from .connect import Store
from .schema import memos, segments


@contextmanager
def noting(store: Store) -> Iterator[Callable[[Sequence[Memo]], None]]:
    """Give a function that appends versions of memos; until the block ends nobody else writes.

    So what is read within the block still holds when they are appended. They are on disk when the block ends.
    """
    with store.writing() as connection:
        yield lambda made: _append(connection, made)


def _append(connection: sa.Connection, made: Sequence[Memo]) -> None:
    if made:
        connection.execute(sa.insert(memos), [_row(memo) for memo in made])


def load_memos(
    store: Store,
    *,
    coder: str | None = None,
    transcript: TranscriptId | None = None,
    segment: SegmentId | None = None,
    place: tuple[str, str] | None = None,
    themes: Sequence[str] | None = None,
) -> list[Memo]:
    """Return all versions of memos in the order they were written: of everybody or one coder.

    Those on anything, or those on segments of a transcript, on one segment, on a transcript by its site and name, on
    themes by their names; several of these are either or. A memo on a segment is on the one that has its words now.
    """
    m = memos.c
    wanted: list[Any] = []
    if transcript is not None:
        there = sa.select(segments.c.id).where(segments.c.transcript == transcript)
        wanted.append(is_among(m.segment, there))
    if segment is not None:
        wanted.append(is_among(m.segment, [segment]))
    if place is not None:
        wanted.append((m.site == place[0]) & (m.document == place[1]))
    if themes is not None:
        wanted.append(m.theme.in_([theme for theme in themes if theme]))
    query = sa.select(memos, now_of(m.segment).label("now")).order_by(m.id)
    query = query.where(sa.or_(*wanted)) if wanted else query
    query = query if coder is None else query.where(m.coder == coder)
    with store.reading() as connection:
        return [_memo(row) for row in connection.execute(query)]


def _row(memo: Memo) -> dict[str, object]:
    about = memo.about
    return {
        "coder": memo.coder,
        "segment": about.segment or None,
        "theme": about.theme,
        "site": about.site,
        "document": about.document,
        "again": about.again,
        "text": memo.text,
        "written_at": memo.written_at.astimezone(UTC).isoformat(),
        "request": memo.request,
    }


def _memo(row: sa.Row[Any]) -> Memo:
    return Memo(
        coder=row.coder,
        about=About(
            segment=SegmentId(row.now or ""),
            theme=row.theme,
            site=row.site,
            document=row.document,
            again=row.again,
        ),
        text=row.text,
        written_at=datetime.fromisoformat(row.written_at),
        request=row.request,
    )
