"""Transcripts arrive: watch."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import Fault, Faults
from .terminal import FAULTY, QUARANTINED, STUDY, count, example, flat, loud, loudness, print_json_line, say

if TYPE_CHECKING:
    from ..arrivals import Bell, Listing
    from ..intake import Part, Session, Tally
    from ..work import Pending

EVERY = 10.0  # seconds after which folders are looked at even if the system tells of no change
SECONDS = click.FloatRange(min=0.05)


@dataclass(kw_only=True)
class _Watch:
    """A watch over a study: how it is done, whether it has ended, and what was told, as nothing is told twice."""

    study: Path
    direct: bool
    as_json: bool
    bell: "Bell"
    working: bool = False
    told: set[str] = field(default_factory=set)

    @property
    def ended(self) -> threading.Event:
        """What is set when the watch is to end."""
        return self.bell.ended

    def tell(self, lines: list[str]) -> None:
        """Print lines on standard error that were not among the last ones."""
        for line in lines if loud() else ():
            if line not in self.told:
                click.echo(line, err=True)
        self.told = set(lines)


@click.command(epilog=example("themescout watch my-study"))
@STUDY
@click.option("--once", is_flag=True, help="Do what is to be done and end: for cron.")
@click.option("--poll", is_flag=True, help="Look by itself instead of being told by the system: for network drives.")
@click.option("--every", type=SECONDS, default=EVERY, show_default=True, help="Seconds between two looks at the most.")
@click.option(
    "--settle",
    type=SECONDS,
    default=2.0,
    show_default=True,
    help="Seconds a file must stay the same before.",
)
@click.option("--direct", is_flag=True, help="Without Prefect.")
@click.option("--json", "as_json", is_flag=True, help="Tell of every round as one line of JSON.")
@loudness
def watch(study: Path, *, once: bool, poll: bool, every: float, settle: float, direct: bool, as_json: bool) -> None:
    """Suggest on transcripts as they arrive: do as `suggest` does whenever files are new, changed or gone.

    Files that are still being copied are left alone until they stay the same. A line is printed for every round of
    work. What goes wrong is told and tried again a minute later. Ctrl-C ends it.
    """
    from .. import arrivals, config

    bell = arrivals.Bell(told=not poll, step=min(settle, 1.0))
    watching = _Watch(study=study, direct=direct, as_json=as_json, bell=bell)
    sites = config.load_study(study).site  # a study that cannot be read at the beginning is no study to watch
    if once:
        raise click.exceptions.Exit(_once(watching, settle))
    if not as_json:
        say(f"Watching {count(len(sites), 'site')} of {study}. Ctrl-C ends it.")
    with _ending(watching):
        _watch(watching, every, settle)
    if not as_json:
        say("Ended.")


@contextmanager
def _ending(watching: _Watch) -> Iterator[None]:
    """Let Ctrl-C, or being told to terminate, end the watch as one should: with status 0.

    Work is cut off, which it survives. Elsewhere the end is only noted: an exception would be lost that comes while
    something is being cleared away.
    """

    def end(_number: int, _frame: object) -> None:
        watching.ended.set()
        if watching.working:
            raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as in the background of a shell
            signal.signal(number, end)
    try:
        yield
    except (KeyboardInterrupt, SystemExit):  # the other one from within a flow
        watching.ended.set()


def _watch(watching: _Watch, every: float, settle: float) -> None:
    """Go on until ended."""
    from .. import arrivals, config

    seen = arrivals.Seen()
    while not watching.ended.is_set():
        try:
            found = arrivals.listing(watching.study)
            places = arrivals.folders(config.load_study(watching.study))
        except Faults as faults:  # study.toml is being written, or is wrong now
            watching.tell([_line(fault) for fault in flat(faults)])
            watching.bell.wait([], every)
            continue
        seen = arrivals.looked(seen, found, time.monotonic())
        if arrivals.is_due(seen, now := time.monotonic(), settle):
            failed = _round(watching, found, arrivals.restless(seen, now, settle)) == FAULTY
            seen = arrivals.handled(seen, now, settle, failed=failed)
        waits = bool(arrivals.restless(seen, time.monotonic(), settle))
        watching.bell.wait(places, min(settle, every) if waits else every)
        if watching.bell.lost:
            why, watching.bell.lost = watching.bell.lost, ""
            watching.tell([f"note: the system cannot tell of changes ({why}); looking every {every:g} s instead"])


def _once(watching: _Watch, settle: float) -> int:
    """Do one round on the files that stay the same for ``settle`` seconds; return the exit status."""
    from .. import arrivals

    seen = arrivals.looked(arrivals.Seen(), arrivals.listing(watching.study), time.monotonic())
    time.sleep(settle)
    found = arrivals.listing(watching.study)
    seen = arrivals.looked(seen, found, now := time.monotonic())
    return _round(watching, found, arrivals.restless(seen, now, settle))


def _round(watching: _Watch, found: "Listing", leave: frozenset[str]) -> int:
    """Do what `suggest` does, but to files that are still changing; tell of it; return its exit status."""
    from .. import arrivals, intake

    try:
        session = intake.open_session(watching.study)
        leave |= arrivals.changed(session, found)
        return _suggested(watching, session, intake.Part(leave=leave, forgets=not found.away))
    except Fault as fault:
        watching.tell([_line(fault)])
    except Faults as faults:
        watching.tell([_line(fault) for fault in flat(faults)])
    return FAULTY


def _suggested(watching: _Watch, session: "Session", part: "Part") -> int:
    from .. import intake, work
    from .suggesting import work_on

    watching.working = True
    try:
        pending, tally = work_on(session, part, watching.direct, intake.no_progress)
    finally:
        watching.working = False
    aside = intake.left_out(session, part)
    sites = list(work.by_site(session, pending))
    waiting = sorted(part.leave)
    if watching.as_json:
        made = {"at": datetime.now().astimezone().isoformat(timespec="seconds"), "sites": sites, **tally.counts}
        print_json_line(made | {"gone": len(pending.gone), "quarantined": aside.files, "waiting": waiting})
    else:
        say(f"{datetime.now():%H:%M:%S}  {_told(pending, tally, sites, len(aside.files), len(waiting))}")
        watching.tell([f"note: {line}" for line in aside.sites] + [f"quarantined: {line}" for line in aside.files])
    return QUARANTINED if aside.files else 0


def _told(pending: "Pending", tally: "Tally", sites: list[str], aside: int, waiting: int) -> str:
    """Return a round in one line."""
    parts = []
    if tally.files:
        parts.append(f"{count(tally.transcripts, 'transcript')} read, {count(tally.segments, 'segment')}")
    if pending.sources or tally.ranked:
        ranked = f"{count(tally.ranked, 'segment')} ranked, {tally.suggested:,} with a suggestion"
        parts.append(f"{count(tally.embedded, 'text')} embedded, {ranked}")
    parts += [f"{count(len(pending.gone), 'file')} gone"] if pending.gone else []
    parts = parts or ["nothing was new"]
    parts += [f"{count(aside, 'file')} set aside"] if aside else []
    parts += [f"{count(waiting, 'file')} still arriving"] if waiting else []
    return (f"{', '.join(sites)}: " if sites else "") + "; ".join(parts)


def _line(fault: Fault) -> str:
    return " ".join(str(fault).split())
