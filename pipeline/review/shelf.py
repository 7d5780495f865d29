"""The codebook as it is now: read anew when its file changes, by whomever."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import Fault, Faults
from ..records import Codebook
from ..revise import present
from ..store import Store
from .signs import Sign, Signs, known_signs


@dataclass
class Shelf:
    """Where the codebook is taken from while the program runs."""

    store: Store
    file: Path
    codebook: Codebook
    fault: str = ""  # what is wrong with the file now; the codebook is what it said before
    _seen: tuple[int, ...] | None = None
    _signs: Signs | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> Codebook:
        """Return the codebook as its file says it now, or as it last did."""
        with self._lock:
            seen = self._look()
            if seen == self._seen:
                return self.codebook
            if seen is None:
                self.fault = f"{self.file.name} is not there any more"
            else:
                try:
                    self.codebook, self.fault = present(self.store, self.file), ""
                except Faults as faults:
                    self.fault = str(faults.exceptions[0])
                except Fault as fault:
                    self.fault = str(fault)
            self._seen = self._look()
            return self.codebook

    def signs(self) -> dict[str, Sign]:
        """Return the letter and the colour of each theme of the present codebook."""
        with self._lock:
            self._signs = self._signs or known_signs(self.store)
            return self._signs.take_up(self.codebook)

    def _look(self) -> tuple[int, ...] | None:
        try:
            state = self.file.stat()
        except OSError:
            return None
        return state.st_mtime_ns, state.st_size, state.st_ino
