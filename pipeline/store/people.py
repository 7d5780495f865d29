"""People who work on a study together: accounts, log-ins, who reads what, and which comparisons are open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

import sqlalchemy as sa

from .connect import Store
from .schema import assignments, logins, openings, people

Place = tuple[str, str]  # a transcript's site and name: it keeps them when its words change


class Rights(StrEnum):
    """What a person may do: a lead what a coder may, and look at everybody; an auditor look, and change nothing."""

    CODER = "coder"
    LEAD = "lead"
    AUDITOR = "auditor"


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody with an account. Who left is not active any more; what they decided stays theirs."""

    name: str
    rights: Rights
    secret: str  # argon2 hash of the password
    active: bool = True


def put_person(store: Store, person: Person) -> None:
    """Keep an account, in place of one of the same name; whoever was logged in with it is logged out."""
    with store.writing() as connection:
        row = {"rights": person.rights.value, "secret": person.secret, "active": person.active}
        changed = connection.execute(sa.update(people).where(people.c.name == person.name).values(**row))
        if not changed.rowcount:
            connection.execute(sa.insert(people), [{"name": person.name, **row}])
        connection.execute(sa.delete(logins).where(logins.c.person == person.name))


def list_people(store: Store) -> list[Person]:
    """Return all accounts by name, also those of people who left."""
    with store.reading() as connection:
        found = connection.execute(sa.select(people).order_by(people.c.name))
        return [_person(row) for row in found]


def _person(row: sa.Row[tuple[object, ...]]) -> Person:
    return Person(name=row.name, rights=Rights(row.rights), secret=row.secret, active=row.active)


def log_in(store: Store, name: str, token: str, *, now: datetime, lasting: timedelta) -> None:
    """Remember that whoever has ``token`` is this person; only the token's hash is kept."""
    with store.writing() as connection:
        connection.execute(sa.delete(logins).where(logins.c.ends_at < now.isoformat()))
        row = {"token_hash": _hashed(token), "person": name, "ends_at": (now + lasting).isoformat()}
        connection.execute(sa.insert(logins), [row])


def log_out(store: Store, token: str) -> None:
    """Forget a log-in."""
    with store.writing() as connection:
        connection.execute(sa.delete(logins).where(logins.c.token_hash == _hashed(token)))


def logged_in(store: Store, token: str, *, now: datetime) -> Person | None:
    """Return the active person who has this token, or nothing."""
    query = (
        sa.select(people)
        .join(logins, logins.c.person == people.c.name)
        .where(logins.c.token_hash == _hashed(token), logins.c.ends_at >= now.isoformat(), people.c.active.is_(True))
    )
    with store.reading() as connection:
        row = connection.execute(query).first()
        return _person(row) if row else None


def _hashed(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def assign(store: Store, wanted: Mapping[Place, Sequence[str]], *, by: str) -> None:
    """Write down who reads each of these transcripts from now on: exactly the given coders. Nothing is overwritten."""
    now = datetime.now(UTC).isoformat()
    with store.writing() as connection:
        present = _assigned(connection)
        rows = [
            {"site": site, "name": name, "coder": coder, "assigned": coder in coders, "assigned_by": by, "at": now}
            for (site, name), coders in wanted.items()
            for coder in sorted({*coders} ^ {*present.get((site, name), ())})
        ]
        if rows:
            connection.execute(sa.insert(assignments), rows)


def assigned(store: Store) -> dict[Place, tuple[str, ...]]:
    """Return who reads each transcript, coders by name; transcripts that nobody was assigned to are left out."""
    with store.reading() as connection:
        return _assigned(connection)


def _assigned(connection: sa.Connection) -> dict[Place, tuple[str, ...]]:
    standing: dict[tuple[str, str, str], bool] = {}
    for row in connection.execute(sa.select(assignments).order_by(assignments.c.id)):
        standing[row.site, row.name, row.coder] = row.assigned
    found: dict[Place, tuple[str, ...]] = {}
    for (site, name, coder), yes in sorted(standing.items()):
        if yes:
            found[site, name] = (*found.get((site, name), ()), coder)
    return found


def set_open(store: Store, place: Place, *, open_: bool, by: str) -> None:
    """Write down that coders may, or may not any more, see each other's answers to a transcript."""
    row = {"site": place[0], "name": place[1], "open": open_, "opened_by": by, "at": datetime.now(UTC).isoformat()}
    with store.writing() as connection:
        connection.execute(sa.insert(openings), [row])


def opened(store: Store) -> set[Place]:
    """Return the transcripts whose comparison is open."""
    with store.reading() as connection:
        rows = connection.execute(sa.select(openings).order_by(openings.c.id))
        standing = {(row.site, row.name): row.open for row in rows}
    return {place for place, is_open in standing.items() if is_open}
