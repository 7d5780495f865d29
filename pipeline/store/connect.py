"""Open a store: connect, bring its schema up to date, and hand out transactions."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import exc

from ..errors import StoreFault
from .schema import HEAD

BUSY_SECONDS = 30


class Store:
    """A study's database. Everything that is read or written goes through ``reading`` or ``writing``."""

    def __init__(self, engine: sa.Engine, place: str) -> None:
        self._engine = engine
        self.place = place

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection that sees one state of the store throughout."""
        with _told_as_fault(self.place), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection whose changes are all kept or, when something fails, none."""
        with _told_as_fault(self.place), self._engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Let go of the database file."""
        self._engine.dispose()


def open_store(url: str, *, create: bool = True) -> Store:
    """Return the store at ``url`` with its schema up to date.

    An SQLite store of an older schema is copied beside itself before it is upgraded; a server's is left alone.
    Raises ``StoreFault`` if it cannot be opened, is of a newer schema, or does not exist and ``create`` is false.
    """
    file = _sqlite_file(url)
    place = str(file or url)
    if file and not file.exists() and not create:
        raise StoreFault(place, "there is no store yet", "`themescout suggest STUDY` makes it")
    look_at(url)
    store = Store(_engine(url), place)
    try:
        with store.reading() as connection:
            found = _revision(connection)
        if found != HEAD:
            _bring_up_to_date(store, found, file)
    except BaseException:
        store.close()
        raise
    return store


def look_at(url: str) -> None:
    """Raise ``StoreFault`` if this address, or what is there, cannot be a study's store; change nothing.

    Read past SQLAlchemy: even to open a store as we work with it writes to its file.
    """
    file = _sqlite_file(url)
    if file is None:
        _engine(url).dispose()
        return
    if not file.parent.is_dir():
        raise StoreFault(str(file), "its folder does not exist", "make the folder or correct `store` in study.toml")
    if not file.exists():
        return
    with _told_as_fault(str(file)):
        try:
            with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
                ours = "alembic_version" in tables
                found = connection.execute("SELECT version_num FROM alembic_version").fetchone() if ours else None
        except sqlite3.Error as error:
            raise exc.OperationalError(None, None, error) from error
    _refuse_newer(str(file), found[0] if found else None)
    if tables and not (ours and {"decisions", "segments", "transcripts"} <= tables):
        raise StoreFault(str(file), "is the database of another program", "give `store` in study.toml another name")


def has_store(url: str) -> bool:
    """Tell whether there is anything at ``url`` to open; a server is taken to be there."""
    file = _sqlite_file(url)
    return file is None or file.exists()


def _sqlite_file(url: str) -> Path | None:
    """Return the file of an SQLite address, nothing for another one.

    The whole rest of the address is the file's name: a folder may be called "Why?", which a URL would cut short.
    """
    if not url.startswith("sqlite:"):
        return None
    name = url.removeprefix("sqlite:///")
    if name in (url, "", ":memory:"):
        raise StoreFault("study.toml", "`store` names no file", "write it like sqlite:///themescout.db")
    return Path(name)


def _engine(url: str) -> sa.Engine:
    file = _sqlite_file(url)
    try:
        # Parameters hold what participants said: they must not appear in an error.
        address = sa.URL.create("sqlite", database=str(file)) if file else sa.make_url(url)
        if address.password is not None:
            remedy = "take it out and set it as PGPASSWORD in the environment"
            raise StoreFault("study.toml", "`store` holds a password", remedy)
        engine = sa.create_engine(address, hide_parameters=True)
    except (exc.ArgumentError, exc.NoSuchModuleError, ValueError):
        # Without its cause, which may quote a password.
        remedy = "write it like sqlite:///themescout.db"
        raise StoreFault("study.toml", "`store` is no database address", remedy) from None
    except ModuleNotFoundError as error:
        remedy = f"`pip install {error.name}`"
        raise StoreFault("study.toml", f"`store` needs the package {error.name}", remedy) from error
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy, not the driver, says when a transaction begins
    for pragma in (f"busy_timeout={BUSY_SECONDS * 1000}", "journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes the lock at once: a reader that later turns writer would fail where another wrote meanwhile.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _refuse_newer(place: str, found: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions()}
    if found is not None and found not in known:
        problem = f"was written by a newer version (schema {found})"
        raise StoreFault(place, problem, "update themescout to open it")


def _bring_up_to_date(store: Store, found: str | None, file: Path | None) -> None:
    _refuse_newer(store.place, found)
    if found is not None:
        if file is None:
            raise StoreFault(store.place, "is of an older schema", "upgrade it when nobody else works with it")
        _copy_aside(file, found)
    config = _alembic()
    with store.writing() as connection:
        # Two programs may start at once on a new store: the one that waited finds the work done.
        if _revision(connection) != HEAD:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _copy_aside(file: Path, revision: str) -> None:
    """Copy a store before its schema changes; the copy is whole even while others write."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    with closing(sqlite3.connect(file)) as old, closing(sqlite3.connect(f"{file}.{revision}.{stamp}.backup")) as new:
        old.backup(new)
    shutil.copymode(file, f"{file}.{revision}.{stamp}.backup")


@contextmanager
def _told_as_fault(place: str) -> Iterator[None]:
    """Turn what a database may do to us into a fault; a constraint we break ourselves stays a bug."""
    try:
        yield
    except exc.IntegrityError:
        raise
    except (exc.OperationalError, exc.DatabaseError) as error:
        said = str(error.orig)
        if "locked" in said:
            raise StoreFault(
                place, f"stayed locked for {BUSY_SECONDS} s", "end the other program that writes to it"
            ) from error
        if isinstance(error, exc.OperationalError) or "malformed" in said:
            raise StoreFault(
                place, f"cannot be used: {said}", "check the file, its folder and the free space"
            ) from error
        raise


def insert_missing(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Insert the rows whose key is not there yet."""
    if rows:
        dialect = __import__(f"sqlalchemy.dialects.{connection.dialect.name}", fromlist=["insert"])
        connection.execute(dialect.insert(table).on_conflict_do_nothing(), rows)
