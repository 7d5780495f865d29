"""Passwords and log-ins. Hashing is argon2's with its library's present defaults (RFC 9106, low-memory profile)."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ..errors import ReviewFault
from ..store import Store
from ..store.people import Person, Rights, list_people, log_in, put_person

LASTING = timedelta(hours=12)  # a working day: then the password is asked for again
SHORTEST = 10  # characters; NIST SP 800-63B asks for 8 at least
TRIES = 5  # wrong passwords for one name before it has to wait
WAIT = 30.0  # seconds


def hashed(password: str, *, name: str) -> str:
    """Return what is kept of a password. Raises ``ReviewFault`` if it is too short or is the name."""
    from argon2 import PasswordHasher

    if len(password) < SHORTEST or password.casefold() == name.casefold():
        problem = f"the password should have {SHORTEST} characters or more and not be the name"
        raise ReviewFault(f"account {name}", problem, "choose another one")
    return PasswordHasher().hash(password)


def fits(password: str, secret: str) -> bool:
    """Tell whether a password is the one that was hashed; takes as long for an account that is not there (``""``)."""
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerifyMismatchError

    hasher = PasswordHasher()
    try:
        hasher.verify(secret or _nobodys(), password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return bool(secret)


_NOBODYS: list[str] = []


def _nobodys() -> str:
    """Return the hash of a password that nobody has, made once."""
    from argon2 import PasswordHasher

    if not _NOBODYS:
        _NOBODYS.append(PasswordHasher().hash(secrets.token_urlsafe()))
    return _NOBODYS[0]


@dataclass
class Door:
    """Lets people log in by name and password. It remembers wrong tries while the program runs, nothing else."""

    store: Store
    clock: Callable[[], float] = time.monotonic
    _wrong: dict[str, list[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def waits(self, name: str) -> bool:
        """Tell whether there were too many wrong passwords for a name lately."""
        with self._lock:
            recent = [at for at in self._wrong.get(name, []) if at > self.clock() - WAIT]
            self._wrong = {who: tries for who, tries in self._wrong.items() if tries[-1] > self.clock() - WAIT}
            return len(recent) >= TRIES

    def enter(self, name: str, password: str) -> str | None:
        """Return a token for a log-in, or nothing if name and password do not fit, whichever of them it is."""
        known = {person.name: person for person in list_people(self.store) if person.active}
        person = known.get(name)
        if not fits(password, person.secret if person else ""):
            with self._lock:
                self._wrong[name] = [*self._wrong.get(name, [])[-TRIES:], self.clock()]
            return None
        token = secrets.token_urlsafe(32)
        log_in(self.store, name, token, now=datetime.now(UTC), lasting=LASTING)
        return token


def add_person(store: Store, name: str, rights: Rights, password: str) -> None:
    """Make an account. Raises ``ReviewFault`` if there is one of that name, whatever its case, or it cannot be one."""
    name = name.strip()
    if not name or not name.isprintable() or len(name) > 100:
        raise ReviewFault("people", "that is no name for an account", "use up to 100 letters on one line")
    alike = [person.name for person in list_people(store) if person.name.casefold() == name.casefold()]
    if alike:
        raise ReviewFault(
            f"account {name}", f"there is {alike[0]} already", "choose another name, or `people change` it"
        )
    put_person(store, Person(name=name, rights=rights, secret=hashed(password, name=name)))


def change_person(
    store: Store,
    name: str,
    *,
    rights: Rights | None = None,
    password: str | None = None,
    active: bool | None = None,
) -> None:
    """Change an account. Raises ``ReviewFault`` if there is none, or if nobody would be left to lead."""
    known = {person.name: person for person in list_people(store)}
    if name not in known:
        raise ReviewFault(f"account {name}", "there is no such account", "`themescout people list STUDY` tells them")
    was = known[name]
    now = Person(
        name=name,
        rights=rights or was.rights,
        secret=hashed(password, name=name) if password is not None else was.secret,
        active=was.active if active is None else active,
    )
    leads = [p for p in (*(o for o in known.values() if o.name != name), now) if p.active and p.rights is Rights.LEAD]
    if not leads and was.rights is Rights.LEAD and was.active:
        raise ReviewFault(f"account {name}", "is the only lead", "make somebody else a lead first")
    put_person(store, now)


def somebody_leads(store: Store) -> None:
    """Raise ``ReviewFault`` if no account could assign transcripts and settle disagreements."""
    if not any(person.active and person.rights is Rights.LEAD for person in list_people(store)):
        remedy = "`themescout people add STUDY NAME --role lead` makes the first account"
        raise ReviewFault("--team", "nobody leads this study yet", remedy)
