"""Files, transcripts, turns and segments in the store."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ..records import Role, Segment, SegmentId, Transcript, TranscriptId, Turn
from .connect import Store, insert_missing
from .schema import segments, sources, transcripts, turns

BY_NAME = (transcripts.c.site, transcripts.c.name)
AT_ONCE = 500  # values in one IN (...): SQLite allows 32,766, older ones 999


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """What the store knows of a file: with the same hash and settings it need not be read again."""

    path: str
    site: str
    sha256: str
    settings: str
    quarantine: str = ""  # why it is set aside


def known_sources(store: Store) -> dict[str, Source]:
    """Return what is known of every file, by path."""
    with store.reading() as connection:
        return {row.path: Source(**row._mapping) for row in connection.execute(sa.select(sources))}


def put_source(store: Store, source: Source, cut: Sequence[tuple[Transcript, Sequence[Segment]]]) -> None:
    """Keep what was read from a file, in one transaction, in place of what was read from it before.

    ``cut`` holds its transcripts with their segments. What the file no longer says stays for the decisions
    attached to it, but is not current any more. A quarantined source leaves what it gave before untouched.
    """
    with store.writing() as connection:
        connection.execute(sa.delete(sources).where(sources.c.path == source.path))
        connection.execute(sa.insert(sources), [_row(source)])
        if source.quarantine:
            return
        connection.execute(sa.update(transcripts).where(transcripts.c.source == source.path).values(current=False))
        _retire([transcript.id for transcript, _ in cut], connection)
        _retire_namesakes(connection, [transcript for transcript, _ in cut])
        _put_transcripts(connection, [transcript for transcript, _ in cut])
        _put_segments(connection, [segment for _, pieces in cut for segment in pieces], origin="machine")


def forget_quarantine(store: Store, paths: Collection[str]) -> None:
    """Take away that these files are set aside, so that they are read again; what they gave before stays."""
    with store.writing() as connection:
        for some in portions(sorted(paths)):
            aside = sources.c.path.in_(some) & (sources.c.quarantine != "")
            connection.execute(sa.delete(sources).where(aside))


def _row(source: Source) -> dict[str, str]:
    return {column.name: getattr(source, column.name) for column in sources.columns}


def _retire(ids: Sequence[TranscriptId], connection: sa.Connection) -> None:
    """Make room for the transcripts' new segments and suggestions."""
    for some in portions(ids):
        connection.execute(sa.update(transcripts).where(transcripts.c.id.in_(some)).values(current=False, run=None))
        machine = segments.c.transcript.in_(some) & (segments.c.origin == "machine")
        connection.execute(sa.update(segments).where(machine).values(current=False))
        connection.execute(sa.delete(turns).where(turns.c.transcript.in_(some)))


def _retire_namesakes(connection: sa.Connection, read: Sequence[Transcript]) -> None:
    """Make room for the transcripts' names: who holds one still was read from a file that says otherwise by now."""
    named = sa.update(transcripts).where(
        transcripts.c.site == sa.bindparam("its_site"), transcripts.c.name == sa.bindparam("its_name")
    )
    if read:
        connection.execute(named.values(current=False), [{"its_site": t.site, "its_name": t.name} for t in read])


def _put_transcripts(connection: sa.Connection, read: Sequence[Transcript]) -> None:
    if not read:
        return
    rows = [
        {"id": t.id, "site": t.site, "name": t.name, "source": t.source, "language": t.language, "among": t.among}
        | {"text": t.text, "current": False}
        for t in read
    ]
    insert_missing(connection, transcripts, rows)
    told = ("site", "name", "source", "language")
    renew = (
        sa.update(transcripts)
        .where(transcripts.c.id == sa.bindparam("key"))
        .values({"current": True} | {name: sa.bindparam(f"new_{name}") for name in told})
    )
    connection.execute(renew, [{"key": t.id} | {f"new_{name}": getattr(t, name) for name in told} for t in read])
    said = [_turn_row(transcript.id, at, turn) for transcript in read for at, turn in enumerate(transcript.turns)]
    insert_missing(connection, turns, said)


def _turn_row(transcript: TranscriptId, position: int, turn: Turn) -> dict[str, object]:
    told = {name: getattr(turn, name) for name in ("speaker", "start", "end", "line", "began", "ended", "segment")}
    return {"transcript": transcript, "position": position, "role": turn.role.value, **told}


def _put_segments(connection: sa.Connection, cut: Sequence[Segment], *, origin: str) -> None:
    rows = [
        {"id": s.id, "transcript": s.transcript, "name": s.name, "turn": s.turn, "start": s.start, "end": s.end}
        | {"origin": origin, "current": True}
        for s in cut
    ]
    insert_missing(connection, segments, rows)
    if rows:
        again = (
            sa.update(segments)
            .where(segments.c.id == sa.bindparam("key"))
            .values(current=True, origin=origin, name=sa.bindparam("new_name"), turn=sa.bindparam("new_turn"))
        )
        connection.execute(again, [{"key": s.id, "new_name": s.name, "new_turn": s.turn} for s in cut])


def add_person_segments(store: Store, cut: Sequence[Segment]) -> None:
    """Keep spans that a person cut. A span that the machine cuts, too, stays the machine's."""
    with store.writing() as connection:
        rows = [
            {"id": s.id, "transcript": s.transcript, "name": s.name, "turn": s.turn, "start": s.start, "end": s.end}
            | {"origin": "person", "current": True}
            for s in cut
        ]
        insert_missing(connection, segments, rows)
        for some in portions([segment.id for segment in cut]):
            # The machine cut it so under other settings: now it is a person's.
            again = sa.update(segments).where(segments.c.id.in_(some), segments.c.current.is_(False))
            connection.execute(again.values(current=True, origin="person"))


def forget_sources(store: Store, gone: Collection[str]) -> None:
    """Take files that the study no longer has out of the present state; their transcripts and decisions stay."""
    with store.writing() as connection:
        for some in portions(sorted(gone)):
            connection.execute(sa.update(transcripts).where(transcripts.c.source.in_(some)).values(current=False))
            connection.execute(sa.delete(sources).where(sources.c.path.in_(some)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A current transcript in a list: what it is called, without its words."""

    id: TranscriptId
    site: str
    name: str
    source: str
    language: str
    segments: int
    run: str | None


def list_transcripts(store: Store, *, site: str | None = None) -> list[Entry]:
    """Return the current transcripts, by site and name, with the number of their machine segments."""
    query = _entries().order_by(transcripts.c.site, transcripts.c.name)
    with store.reading() as connection:
        return _read_entries(connection, query if site is None else query.where(transcripts.c.site == site))


def list_from(
    store: Store, transcript: TranscriptId, *, most: int | None = None, backwards: bool = False
) -> list[Entry]:
    """Return the current transcripts with segments after one, or before it, the nearest first; at ``most`` so many.

    None if there is no such transcript.
    """
    t = transcripts.c
    place = sa.tuple_(t.site, t.name)
    with store.reading() as connection:
        passed = connection.execute(sa.select(t.site, t.name).where(t.id == transcript)).first()
        if passed is None:
            return []
        here = sa.tuple_(*passed)
        query = _entries().where(place < here if backwards else place > here, _machine_segments().exists())
        order = (t.site.desc(), t.name.desc()) if backwards else (t.site, t.name)
        return _read_entries(connection, query.order_by(*order).limit(most))


def _machine_segments() -> sa.Select[Any]:
    s = segments.c
    of = sa.select(s.id).where(s.transcript == transcripts.c.id, s.current.is_(True), s.origin == "machine")
    return of.correlate(transcripts)


def _entries() -> sa.Select[Any]:
    t = transcripts.c
    count = _machine_segments().with_only_columns(sa.func.count()).scalar_subquery()
    return sa.select(t.id, t.site, t.name, t.source, t.language, t.run, count).where(t.current.is_(True))


def _read_entries(connection: sa.Connection, query: sa.Select[Any]) -> list[Entry]:
    return [
        Entry(id=TranscriptId(key), site=at, name=name, source=source, language=language, run=run, segments=number)
        for key, at, name, source, language, run, number in connection.execute(query).tuples()
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """Where the words or the name of a transcript are held already."""

    id: TranscriptId
    site: str
    name: str
    source: str


def alike(store: Store, read: Sequence[Transcript]) -> list[Held]:
    """Return the current transcripts that have the words, or site and name, of one of these; by site and name."""
    t = transcripts.c
    query = sa.select(t.id, t.site, t.name, t.source).where(t.current.is_(True))
    named = sa.tuple_(t.site, t.name)
    found: dict[str, Held] = {}
    with store.reading() as connection:
        for some in portions(read):
            same = t.id.in_([one.id for one in some]) | named.in_([(one.site, one.name) for one in some])
            found |= {row.id: Held(**row._mapping) for row in connection.execute(query.where(same))}
    return sorted(found.values(), key=lambda held: (held.site, held.name))


def load_places(store: Store) -> dict[TranscriptId, tuple[str, str]]:
    """Return site and name of every transcript there ever was, by id: versions of one transcript share them."""
    with store.reading() as connection:
        rows = connection.execute(sa.select(transcripts.c.id, transcripts.c.site, transcripts.c.name)).all()
    return {TranscriptId(row.id): (row.site, row.name) for row in rows}


def load_transcripts(store: Store, ids: Iterable[TranscriptId] | None = None) -> dict[TranscriptId, Transcript]:
    """Return transcripts with their turns, by id: the given ones, or all current ones."""
    wanted = None if ids is None else list(ids)
    found: dict[TranscriptId, Transcript] = {}
    with store.reading() as connection:
        for some in [None] if wanted is None else portions(wanted):
            here = transcripts.c.current.is_(True) if some is None else transcripts.c.id.in_(some)
            said: dict[str, list[Turn]] = {}
            spoken = sa.select(turns).join(transcripts).where(here).order_by(turns.c.transcript, turns.c.position)
            for row in connection.execute(spoken):
                said.setdefault(row.transcript, []).append(_turn(row))
            for row in connection.execute(sa.select(transcripts).where(here).order_by(*BY_NAME)):
                found[row.id] = Transcript(
                    site=row.site,
                    name=row.name,
                    source=row.source,
                    language=row.language,
                    text=row.text,
                    among=row.among,
                    turns=tuple(said.get(row.id, ())),
                )
    return found


def _turn(row: sa.Row[tuple[object, ...]]) -> Turn:
    told = {name: getattr(row, name) for name in ("speaker", "start", "end", "line", "began", "ended", "segment")}
    return Turn(role=Role(row.role), **told)


def load_segments(
    store: Store,
    transcript: TranscriptId | None = None,
    *,
    within: Collection[TranscriptId] | None = None,
    people: bool = False,
    ids: Collection[SegmentId] | None = None,
) -> list[Segment]:
    """Return segments with their words, by site, transcript and position.

    All current ones that the machine cut, those of one transcript, or those ``within`` some; with ``people`` also
    spans cut by coders; with ``ids`` exactly these, current or not.
    """
    s, t = segments.c, transcripts.c
    base = _segments_in_order()
    if ids is not None:
        queries = [base.where(s.id.in_(some)) for some in portions(sorted(ids))]
    else:
        query = base.where(s.current.is_(True), t.current.is_(True))
        query = query if people else query.where(s.origin == "machine")
        query = query if transcript is None else query.where(s.transcript == transcript)
        queries = [query] if within is None else [query.where(t.id.in_(some)) for some in portions(list(within))]
    return _read_segments(store, queries)


def load_spans(store: Store, transcript: TranscriptId | None = None) -> list[Segment]:
    """Return the current spans that coders cut, whoever did, by site, transcript and position."""
    s = segments.c
    query = _segments_in_order().where(s.current.is_(True), transcripts.c.current.is_(True), s.origin == "person")
    return _read_segments(store, [query if transcript is None else query.where(s.transcript == transcript)])


def _segments_in_order() -> sa.Select[Any]:
    s, t = segments.c, transcripts.c
    query = sa.select(s.id, s.transcript, s.name, s.turn, s.start, s.end).join(transcripts)
    return query.order_by(t.site, t.name, s.transcript, s.start, s.end)


def _read_segments(store: Store, queries: Sequence[sa.Select[Any]]) -> list[Segment]:
    t = transcripts.c
    with store.reading() as connection:
        rows = [row for query in queries for row in connection.execute(query)]
        words: dict[str, str] = {}
        for some in portions(sorted({row.transcript for row in rows})):
            words.update(connection.execute(sa.select(t.id, t.text).where(t.id.in_(some))).tuples().all())
    # Cut here and not by SQL's substr, which knows neither NUL characters nor, everywhere, code points.
    return [Segment(**row._mapping, text=words[row.transcript][row.start : row.end]) for row in rows]


def load_lengths(store: Store, ids: Collection[TranscriptId]) -> dict[TranscriptId, int]:
    """Return how long the texts of transcripts are, in code points."""
    with store.reading() as connection:
        found = [
            row
            for some in portions(sorted(ids))
            for row in connection.execute(
                sa.select(transcripts.c.id, transcripts.c.text).where(transcripts.c.id.in_(some))
            )
        ]
    return {TranscriptId(row.id): len(row.text) for row in found}


def portions(values: Sequence[Any]) -> list[Sequence[Any]]:
    """Cut values into portions that fit into one statement."""
    return [values[at : at + AT_ONCE] for at in range(0, len(values), AT_ONCE)]
