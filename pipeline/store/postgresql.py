"""A store in a PostgreSQL database: its address, its connections, and a lock that only one worker holds.

Writers take turns, as they do with SQLite: what a writing transaction has read still holds when it writes what
follows from it, and no two of them can wait for each other.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from ..errors import StoreAway, StoreFault
from .sqlite import BUSY_SECONDS, PAUSE

DRIVER = "postgresql+psycopg"
CONNECT_SECONDS = 10
WRITING, WORKING = 7_461_001, 7_461_002  # keys of the two advisory locks, which are the database's own
SIGN = "\1"  # begins what stands for a NUL, or for this sign itself
LOCKED = "55P03"  # SQLSTATEs: another one holds the lock
REFUSED = ("42501", "25006")  # no right to, or a server that only reads
AWAY = ("08", "57P01", "57P02", "57P03", "53300")  # connection lost, server going down or not up, full


def engine(url: str) -> sa.Engine:
    """Return the engine of a database, which is connected to when the engine is first used.

    Raises ``StoreFault`` if this is no address of a PostgreSQL database, or holds a password.
    """
    remedy = "write it like sqlite:///themescout.db or postgresql+psycopg://user@host/database"
    try:
        address = sa.make_url(url)
        if address.password is not None or "password" in address.query:
            raise StoreFault("study.toml", "`store` holds a password", "take it out and set PGPASSWORD instead")
        if address.drivername not in (DRIVER, "postgresql"):
            raise StoreFault("study.toml", "`store` is no database address that is known here", remedy)
        made = sa.create_engine(
            address.set(drivername=DRIVER),
            hide_parameters=True,  # they hold what participants said
            pool_pre_ping=True,  # a server that was started again meanwhile is connected to anew
            connect_args={"connect_timeout": CONNECT_SECONDS, "application_name": "themescout"},
        )
    except (exc.ArgumentError, ValueError):
        # Without its cause, which may quote a password.
        raise StoreFault("study.toml", "`store` is no database address", remedy) from None
    except ModuleNotFoundError as error:
        remedy = "`pip install 'themescout[postgresql]'`"
        raise StoreFault("study.toml", f"`store` needs the package {error.name}", remedy) from error
    sa.event.listen(made, "connect", _prepare)
    sa.event.listen(made, "begin", _begin)
    sa.event.listen(made, "handle_error", _without_detail)
    return made


def _begin(connection: sa.Connection) -> None:
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITING})")
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _without_detail(context: sa.engine.ExceptionContext) -> None:
    """Leave out of an error what the server quotes of a row: it may hold what participants said."""
    told = getattr(context.original_exception, "diag", None)
    if told is not None and told.message_primary:
        context.original_exception.args = (told.message_primary,)
        if context.sqlalchemy_exception is not None:
            context.sqlalchemy_exception.args = (told.message_primary,)


def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401  # psycopg's Connection, if it is installed
    dump, load = _adapters()
    connection.adapters.register_dumper(str, dump)
    for kind in ("text", "varchar"):
        connection.adapters.register_loader(kind, load)


@cache
def _adapters() -> tuple[type, type]:
    """Return how words go to the server and come back: a PostgreSQL text cannot hold a NUL, a transcript can."""
    from psycopg.types.string import StrDumperUnknown, TextLoader

    class Dump(StrDumperUnknown):
        def dump(self, obj: str) -> Any:  # noqa: ANN401  # psycopg's Buffer
            return super().dump(escaped(obj))

    class Load(TextLoader):
        def load(self, data: Any) -> str:  # noqa: ANN401  # psycopg's Buffer
            return unescaped(str(super().load(data)))

    return Dump, Load


def escaped(text: str) -> str:
    r"""Return a text without NUL that ``unescaped`` gives back as it was; one without control signs is the same.

    >>> escaped("a\0b\1"), unescaped(escaped("a\0b\1")) == "a\0b\1"
    ('a\x010b\x011', True)
    """
    return text.replace(SIGN, SIGN + "1").replace("\0", SIGN + "0") if "\0" in text or SIGN in text else text


def unescaped(text: str) -> str:
    """Return what ``escaped`` was given."""
    return text.replace(SIGN + "0", "\0").replace(SIGN + "1", SIGN) if SIGN in text else text


def tables_and_revision(made: sa.Engine) -> tuple[set[str], str | None]:
    """Return the names of a database's tables and the revision of its schema, changing nothing."""
    with made.connect() as connection, connection.begin():
        tables = set(sa.inspect(connection).get_table_names())
        query = sa.text("SELECT version_num FROM alembic_version")
        return tables, connection.execute(query).scalar() if "alembic_version" in tables else None


def state_of(error: Exception) -> str | None:
    """Return the SQLSTATE of a server's error, "08" where connecting failed; nothing if no server made it."""
    original = getattr(error, "orig", error)
    if not type(original).__module__.startswith("psycopg"):
        return None
    unknown = "08" if isinstance(error, exc.OperationalError) else ""
    return getattr(original, "sqlstate", None) or unknown


def fault(place: str, error: Exception, said: str) -> StoreFault | None:
    """Return what a server's error means for who runs the program; nothing if it is a bug of ours."""
    state = state_of(error)
    if state is None:
        return None
    if "password authentication failed" in said or "no password supplied" in said:
        return StoreFault(place, "the server wants a password", "set PGPASSWORD in the environment")
    if "does not exist" in said and state.startswith(("08", "3D")):
        return StoreFault(place, "the server has no such database or user", "make it, or correct `store` in study.toml")
    if state in REFUSED:
        return StoreFault(place, f"may not be written to: {said}", "let its user make tables in it and change them")
    if state.startswith(AWAY) or getattr(error, "connection_invalidated", False):
        problem = f"the server cannot be reached, or went away: {said}"
        return StoreAway(place, problem, "start it, and run the command again: what was done is kept")
    return None


@contextmanager
def alone(made: sa.Engine, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold a lock of the database, calling ``waiting`` as long as another process has it.

    The server lets go of it when the connection ends, however it ends.
    """
    with made.connect().execution_options(isolation_level="AUTOCOMMIT") as lock:
        while not lock.exec_driver_sql(f"SELECT pg_try_advisory_lock({WORKING})").scalar():
            waiting()
            time.sleep(PAUSE)
        try:
            yield
        finally:
            with suppress(exc.DBAPIError):  # the server went away, and the lock with it
                lock.exec_driver_sql(f"SELECT pg_advisory_unlock({WORKING})")
