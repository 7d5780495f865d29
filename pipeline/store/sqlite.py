"""A store in one SQLite file: its address, its connections, and a lock that only one worker holds."""

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from ..errors import StoreFault

BUSY_SECONDS = 30  # how long a writer waits for another one
PAUSE = 0.25  # seconds between two looks at a lock that somebody else holds


def file_of(url: str) -> Path | None:
    """Return the file of an SQLite address, nothing for another one. Raises ``StoreFault`` if it names none.

    The whole rest of the address is the file's name: a folder may be called "Why?", which a URL would cut short.
    """
    if not url.startswith("sqlite:"):
        return None
    name = url.removeprefix("sqlite:///")
    if name in (url, "", ":memory:"):
        raise StoreFault("study.toml", "`store` names no file", "write it like sqlite:///themescout.db")
    return Path(name)


def engine(file: Path) -> sa.Engine:
    """Return the engine of a file, which is opened when the engine is first used."""
    # Parameters hold what participants said: they must not appear in an error.
    made = sa.create_engine(sa.URL.create("sqlite", database=str(file)), hide_parameters=True)
    sa.event.listen(made, "connect", _prepare)
    sa.event.listen(made, "begin", _begin)
    return made


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy, not the driver, says when a transaction begins
    for pragma in (f"busy_timeout={BUSY_SECONDS * 1000}", "journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    # A writer takes the lock at once: a reader that later turns writer would fail where another wrote meanwhile.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def tables_and_revision(file: Path) -> tuple[set[str], str | None]:
    """Return the names of a file's tables and the revision of its schema, reading it without changing a byte.

    Read past SQLAlchemy: even to open a store as we work with it writes to its file. Raises ``sqlite3.Error``.
    """
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        ours = "alembic_version" in tables
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone() if ours else None
    return tables, found[0] if found else None


def copy_aside(file: Path, revision: str) -> None:
    """Copy a store before its schema changes; the copy is whole even while others write."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    with closing(sqlite3.connect(file)) as old, closing(sqlite3.connect(f"{file}.{revision}.{stamp}.backup")) as new:
        old.backup(new)
    shutil.copymode(file, f"{file}.{revision}.{stamp}.backup")


@contextmanager
def alone(file: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock beside a store's file, calling ``waiting`` as long as another process has it.

    The lock is another, empty database's: SQLite knows how to lock files everywhere it runs, and the operating system
    lets go of it when the process ends, however it ends.
    """
    with closing(sqlite3.connect(f"{file}.lock", timeout=0, isolation_level=None)) as lock:
        while not _locked(lock):
            waiting()
            time.sleep(PAUSE)
        yield


def _locked(lock: sqlite3.Connection) -> bool:
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            return False
        raise
    return True
