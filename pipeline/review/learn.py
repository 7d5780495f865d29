"""Learning while people decide: suggestions made anew in the background of the page, in nobody's way.

Only transcripts that somebody is about to read are seen to. What is on a page stays: it holds on to the run whose
suggestions it shows. What comes later is suggested from what was decided meanwhile.
"""

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ..errors import Fault, Faults
from ..intake import Session
from ..rank import Counted
from ..records import Segment, TranscriptId
from ..refresh import refresh
from ..store.runs import drop_superseded
from .desk import Desk, coming, renew
from .filters import Way

ENOUGH = 10  # new decisions after which it is not waited any longer
QUIET = 5.0  # seconds without a decision after which fewer are enough
SHARE = 4.0  # times as long as it took it is waited at least before it is done again
KEPT = timedelta(days=7)  # for which suggestions that nobody answered stay: a page may show them yet
FORGET = 3600.0  # seconds after which somebody has gone home


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody decides."""

    desk: Desk
    segment: Segment
    order: Way
    at: float  # seconds of a clock


class Learner:
    """Makes suggestions anew after decisions, in one thread; ``opened`` opens the study as it is then."""

    def __init__(self, opened: Callable[[], Session], told: Callable[[str], None]) -> None:
        self._opened = opened
        self._told = told
        self._places: dict[str, Place] = {}
        self._new = 0  # decisions since suggestions were last made
        self._changed = threading.Condition()
        self._counted = Counted()  # what was counted for the fit before
        self._ended = False
        self._said = ""
        self._thread = threading.Thread(target=self._work, name="learning", daemon=True)

    def start(self) -> None:
        """Begin to wait for decisions."""
        self._thread.start()

    def end(self) -> None:
        """Stop after what is being done."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(timeout=10)

    def decided(self, desk: Desk, segment: Segment, order: Way) -> None:
        """Hear that somebody has decided; returns at once."""
        with self._changed:
            self._places[desk.coder] = Place(desk, segment, order, time.monotonic())
            self._new += 1
            self._changed.notify()

    def _work(self) -> None:
        session, pause = None, 0.0
        while self._due(pause):
            began = time.monotonic()
            try:
                session = self._opened()
                if not pause:
                    drop_superseded(session.store, datetime.now(UTC) - KEPT)
                self.learn(session)
            except (Fault, Faults) as fault:
                self._tell(str(fault))
            except Exception as error:  # people decide on: they learn of it from whoever began the program
                where = "".join(traceback.format_tb(error.__traceback__))
                self._tell(f"suggestions cannot be made anew, which is a bug: {type(error).__name__}\n{where}")
            pause = SHARE * (time.monotonic() - began)

    def learn(self, session: Session) -> None:
        """Make suggestions anew for what is about to be read, and the orders in which people read."""
        with self._changed:
            recent = time.monotonic() - FORGET
            places = [place for place in self._places.values() if place.at > recent]
        wanted: set[TranscriptId] = set()
        for place in places:
            wanted.update(coming(place.desk, place.segment, place.order))
        refresh(session, wanted, counted=self._counted)
        for place in places:
            renew(place.desk, place.order, place.segment.id)

    def _due(self, pause: float) -> bool:
        """Wait until there is something to learn and nobody is kept waiting by it. Returns false at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended, timeout=pause)
            while not self._ended:
                if not self._new:
                    self._changed.wait()
                    continue
                left = max(place.at for place in self._places.values()) + QUIET - time.monotonic()
                if self._new >= ENOUGH or left <= 0:
                    self._new = 0
                    return True
                self._changed.wait(left)
            return False

    def _tell(self, what: str) -> None:
        if what != self._said:  # not again and again
            self._told(what)
        self._said = what
