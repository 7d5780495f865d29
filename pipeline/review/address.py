"""Where the page is found: at the same port, under the same secret, at every start. So bookmarks and open tabs go on.

Port and secret are kept in the user's own state folder, in a file that nobody else can read; not beside the study,
which others may have too. A secret belongs to its port: when another program has that port, tabs that are still open
may have told it the secret, so a new one is made.
"""

import json
import os
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from ..errors import ReviewFault
from ..records import digest
from .serve import ADDRESS, free_port, listen, new_token

TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}")
WHOSE = 0o077  # the rights of everybody but the owner


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where the page is found."""

    host: str
    port: int
    token: str
    told: str = ""  # why it is another one than last time, or will be next time

    @property
    def url(self) -> str:
        """What a browser is given."""
        return f"http://{self.host}:{self.port}/{self.token}/"


def address_file(study: Path, coder: str | None, host: str = ADDRESS) -> Path:
    """Return the file that keeps the address for a study's folder and a coder, or for all who have an account."""
    name = digest("address", str(study.resolve()), coder is None, coder or "", host)
    return Path(platformdirs.user_state_dir("themescout")) / "review" / f"{name}.json"


def address_kept(file: Path, *, host: str = ADDRESS, port: int = 0, anew: bool = False) -> Address:
    """Return the address of last time, or a new one that is kept: if it is asked for, or the old one cannot be had.

    ``port`` 0 is the one of last time, or a free one. Raises ``ReviewFault`` if another one cannot be listened on.
    """
    kept, told = _read(file)
    if port:
        listen(port, host).close()
    if kept and not anew and port in (0, kept[0]):
        if _free(kept[0], host):
            return Address(host=host, port=kept[0], token=kept[1])
        told = f"Another program uses port {kept[0]}, so the address is a new one."
    made = Address(host=host, port=port or free_port(), token=new_token(), told=told)
    try:
        _write(file, made)
    except OSError as error:
        told = f"The address is for this time only: it cannot be kept ({(error.strerror or str(error)).lower()})."
        return Address(host=made.host, port=made.port, token=made.token, told=told)
    return made


def _free(port: int, host: str) -> bool:
    try:
        listen(port, host).close()
    except ReviewFault:
        return False
    return True


def _read(file: Path) -> tuple[tuple[int, str] | None, str]:
    """Return the port and the secret that a file keeps; or nothing, and why if somebody else could have read them."""
    try:
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(handle, encoding="ascii") as opened:
            about = os.fstat(opened.fileno())
            if os.name == "posix" and (about.st_uid != os.geteuid() or stat.S_IMODE(about.st_mode) & WHOSE):
                return None, "Others could read the address of last time, so it is a new one."
            told = json.load(opened)
        port, token = told["port"], told["token"]
        if isinstance(port, int) and 0 < port < 65536 and TOKEN.fullmatch(token):
            return (port, token), ""
    except (OSError, ValueError, LookupError, TypeError):
        pass
    return None, ""


def _write(file: Path, address: Address) -> None:
    """Keep an address for its user's eyes alone, at once: no half file is ever read."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=file.parent)  # made with the rights 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as opened:
            json.dump({"port": address.port, "token": address.token}, opened)
        Path(part).replace(file)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
