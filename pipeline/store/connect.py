"""Open a store: connect, bring its schema up to date, and hand out transactions."""

import sqlite3
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import exc

from ..errors import StoreFault
from . import postgresql, sqlite
from .schema import HEAD

OURS = {"decisions", "segments", "transcripts"}  # tables that every store has


class Store:
    """A study's database. Everything that is read or written goes through ``reading`` or ``writing``."""

    def __init__(self, engine: sa.Engine, place: str) -> None:
        self._engine = engine
        self.place = place  # the file, or the server's address
        weakref.finalize(self, engine.dispose)  # a server is told when nobody needs its connections any more

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection that sees one state of the store throughout."""
        with _told_as_fault(self.place), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection whose changes are all kept or, when something fails, none; nobody else writes meanwhile."""
        with _told_as_fault(self.place), self._engine.connect() as connection:
            connection = connection.execution_options(writes=True)
            with connection.begin():
                yield connection

    @contextmanager
    def alone(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Let one process at a time do the machine's work; ``waiting`` is called as long as another one does it.

        People decide meanwhile: reading and writing are not kept out.
        """
        in_file = self._engine.dialect.name == "sqlite"
        lock = sqlite.alone(Path(self.place), waiting) if in_file else postgresql.alone(self._engine, waiting)
        with ExitStack() as held:
            with _told_as_fault(self.place):
                held.enter_context(lock)
            yield

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def open_store(url: str, *, create: bool = True, upgrade: bool = False) -> Store:
    """Return the store at ``url`` with its schema up to date.

    An SQLite store of an older schema is copied beside itself before it is upgraded; a server's is upgraded only if
    ``upgrade`` says so, as others may be working with it. Raises ``StoreFault`` if the store cannot be opened, is of a
    newer schema, or does not exist and ``create`` is false.
    """
    file = sqlite.file_of(url)
    place = str(file or url)
    if not create and not has_store(url):
        raise StoreFault(place, "there is no store yet", "`themescout suggest STUDY` makes it")
    look_at(url)
    store = Store(_engine(url), place)
    try:
        with store.reading() as connection:
            found = _revision(connection)
        if found != HEAD:
            _bring_up_to_date(store, found, file, asked=upgrade)
    except BaseException:
        store.close()
        raise
    return store


def open_as_it_is(url: str) -> Store | None:
    """Return the store at ``url`` without changing it; nothing if there is none, or one of an older schema.

    Raises ``StoreFault`` if what is there cannot be a study's store.
    """
    return open_store(url, create=False) if look_at(url) == HEAD else None


def look_at(url: str) -> str | None:
    """Return the revision of the store at this address, nothing if there is none yet; change nothing.

    Raises ``StoreFault`` if this address, or what is there, cannot be a study's store.
    """
    file = sqlite.file_of(url)
    place = str(file or url)
    if file and not file.parent.is_dir():
        raise StoreFault(place, "its folder does not exist", "make the folder or correct `store` in study.toml")
    tables, found = _tables_and_revision(url, file, place)
    _refuse_newer(place, found)
    if tables and not (found and tables >= OURS):
        raise StoreFault(place, "is the database of another program", "give `store` in study.toml another name")
    return found


def _tables_and_revision(url: str, file: Path | None, place: str) -> tuple[set[str], str | None]:
    engine = _engine(url)
    with _told_as_fault(place):
        if file is None:
            try:
                return postgresql.tables_and_revision(engine)
            finally:
                engine.dispose()
        try:
            return sqlite.tables_and_revision(file) if file.exists() else (set(), None)
        except sqlite3.Error as error:
            raise exc.OperationalError(None, None, error) from error


def has_store(url: str) -> bool:
    """Tell whether there is anything at ``url`` to open. Raises ``StoreFault`` if a server cannot be asked."""
    file = sqlite.file_of(url)
    return file.exists() if file else look_at(url) is not None


def _engine(url: str) -> sa.Engine:
    file = sqlite.file_of(url)
    return sqlite.engine(file) if file else postgresql.engine(url)


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


def _bring_up_to_date(store: Store, found: str | None, file: Path | None, *, asked: bool) -> None:
    _refuse_newer(store.place, found)
    if found is not None:
        if file is not None:
            sqlite.copy_aside(file, found)
        elif not asked:
            remedy = "when nobody else works with it, and after a backup: `themescout store upgrade STUDY`"
            raise StoreFault(store.place, f"is of an older schema ({found})", remedy)
    config = _alembic()
    with store.writing() as connection:
        # Two programs may start at once on a new store: the one that waited finds the work done.
        if _revision(connection) != HEAD:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


@contextmanager
def _told_as_fault(place: str) -> Iterator[None]:
    """Turn what a database may do to us into a fault; a constraint we break ourselves stays a bug."""
    try:
        yield
    except exc.IntegrityError:
        raise
    except (exc.DatabaseError, sqlite3.Error) as error:
        said = " ".join(str(getattr(error, "orig", error)).split())
        if "database is locked" in said or postgresql.state_of(error) == postgresql.LOCKED:
            problem = f"stayed locked for {sqlite.BUSY_SECONDS} s"
            raise StoreFault(place, problem, "end the other program that writes to it") from error
        if fault := postgresql.fault(place, error, said):
            raise fault from error
        if isinstance(error, (exc.OperationalError, sqlite3.Error)) or "malformed" in said:
            remedy = "check the file, its folder and the free space"
            raise StoreFault(place, f"cannot be used: {said}", remedy) from error
        raise


def insert_missing(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Insert the rows whose key is not there yet."""
    if rows:
        dialect = __import__(f"sqlalchemy.dialects.{connection.dialect.name}", fromlist=["insert"])
        connection.execute(dialect.insert(table).on_conflict_do_nothing(), rows)
