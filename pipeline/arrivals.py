"""A study's files over time -> those that have come to rest. The only place that knows watchfiles.

A file that is being copied grows, or its time of change moves: it is left alone until neither has for a while. What
counts is always what lies in the folders; what the system tells of changes only ends the waiting early, so nothing is
missed where it tells nothing, as on network drives.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path

from . import transcripts
from .config import Study, load_study
from .errors import StudyFault
from .intake import Session
from .transcripts.files import is_pattern

State = tuple[int, int]  # bytes, time of change in nanoseconds
AGAIN = 60.0  # seconds after which what failed is tried again


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """What lies there at a moment."""

    files: Mapping[str, State]  # transcripts, study.toml and the codebook
    away: bool  # whether a site has no files at all, or a folder that cannot be read: it may come back


def listing(path: Path) -> Listing:
    """Return what a study's folders hold now. Raises ``Faults`` if study.toml cannot be read."""
    study = load_study(path)
    found, faults = transcripts.find(study)
    paths = {file.source: file.path for file in found} | {str(p): p for p in (study.file, study.codebook_file)}
    files = {}
    for name, place in paths.items():
        with suppress(OSError):  # gone since it was found
            stat = place.stat()
            files[name] = (stat.st_size, stat.st_mtime_ns)
    return Listing(files=files, away=any(isinstance(fault, StudyFault) for fault in faults))


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What was seen so far. Moments are seconds of a clock that only goes forward."""

    since: Mapping[str, tuple[State, float]] = field(default_factory=dict)  # each file's state, and when that was new
    handled: Mapping[str, State] = field(default_factory=dict)  # as files were in the last round
    again: float | None = None  # when to try again after a failure


def looked(seen: Seen, found: Listing, now: float) -> Seen:
    """Return what was seen, with another look at the files."""
    new = {}
    for name, state in found.files.items():
        before = seen.since.get(name)
        new[name] = before if before is not None and before[0] == state else (state, now)
    return replace(seen, since=new)


def restless(seen: Seen, now: float, quiet: float) -> frozenset[str]:
    """Return the files that have not been the same for ``quiet`` seconds."""
    return frozenset(name for name, (_, since) in seen.since.items() if now - since < quiet)


def is_due(seen: Seen, now: float, quiet: float) -> bool:
    """Tell whether there is something to do: files at rest that are new, changed or gone, or a failure to try again."""
    if seen.again is not None and now >= seen.again:
        return True
    leave = restless(seen, now, quiet)
    at_rest = {name: state for name, (state, _) in seen.since.items() if name not in leave}
    gone = seen.handled.keys() - seen.since.keys()
    return bool(gone) or any(seen.handled.get(name) != state for name, state in at_rest.items())


def handled(seen: Seen, now: float, quiet: float, *, failed: bool) -> Seen:
    """Return what was seen after a round of work at ``now``; after a failure it is tried again by and by."""
    leave = restless(seen, now, quiet)
    done = {name: state for name, (state, _) in seen.since.items() if name not in leave}
    kept = {name: state for name, state in seen.handled.items() if name in leave}
    return replace(seen, handled=kept | done, again=now + AGAIN if failed else None)


def changed(session: Session, found: Listing) -> frozenset[str]:
    """Return the files that a session works on and that are not as they were found: they came or grew since."""
    sources = list(session.files)
    now = listing(session.study.file).files
    return frozenset(source for source in sources if now.get(source) != found.files.get(source))


def folders(study: Study) -> list[Path]:
    """Return the folders that transcripts lie in, as far as they are there; none lies in another."""
    found = []
    for site in study.site:
        place = study.folder / site.transcripts
        if is_pattern(site.transcripts) and not place.exists():
            place = Path(*takewhile(lambda part: not is_pattern(part), place.parts))
        with suppress(OSError):
            if place.exists():
                found.append((place if place.is_dir() else place.parent).resolve())
    return sorted({one for one in found if not any(other in one.parents for other in found)})


@dataclass
class Bell:
    """What ends the waiting. Without ``told`` nothing but time does."""

    told: bool = True  # whether the system is asked to tell of changes
    step: float = 1.0  # seconds: time is looked at so often meanwhile
    lost: str = ""  # why it cannot, if so
    ended: threading.Event = field(default_factory=threading.Event)  # ends any waiting
    _watched: tuple[tuple[Path, int], ...] = ()  # folders, each with what tells it from a later one of the same name
    _changes: Iterator[object] | None = None

    def wait(self, places: Sequence[Path], seconds: float) -> None:
        """Return after so many seconds, or as soon as something changes in these folders."""
        if not self.told or not places:
            self.ended.wait(seconds)
            return
        ends = time.monotonic() + seconds
        try:
            changes = self._of(places)
            while time.monotonic() < ends and not self.ended.is_set():
                if next(changes):
                    return
        except (OSError, RuntimeError, StopIteration) as error:
            self._watched = ()
            if not isinstance(error, (FileNotFoundError, StopIteration)):  # no more watches to be had
                self.told, self.lost = False, type(error).__name__
            self.ended.wait(max(ends - time.monotonic(), 0))

    def _of(self, places: Sequence[Path]) -> Iterator[object]:
        from watchfiles import watch

        wanted = tuple((place, place.stat().st_ino) for place in places)
        if self._changes is None or wanted != self._watched:
            paths = [place for place, _ in wanted]
            self._changes = watch(
                *paths,
                stop_event=self.ended,
                watch_filter=None,
                debounce=200,
                rust_timeout=int(1000 * self.step),
                yield_on_timeout=True,
            )
            self._watched = wanted
        return self._changes
