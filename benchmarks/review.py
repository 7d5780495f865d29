"""How the review page holds up: coders who decide at once, against one process with SQLite on this machine.

usage: review.py [--coders 20] [--decisions 500] [--suggestions 100000]

An invented study is filled with suggestions; every coder logs in and decides as fast as the page answers: read the
segment, send the answer, be led to the next. Told are the times of a decision (the answer sent until the page says
where to go on, when it is on disk) at the 50th, 95th and 99th percentile, how many were lost or doubled, and, as a
baseline in the same run, the time of a request that reads nothing.
"""

import argparse
import http.client
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parent.parent))

from pipeline.records import Suggestion
from pipeline.review import free_port
from pipeline.review.accounts import add_person
from pipeline.store import Store, open_store
from pipeline.store.corpus import Source, load_segments, put_source
from pipeline.store.decisions import load_decisions
from pipeline.store.people import Rights
from pipeline.store.runs import put_suggestions
from tests.reviewing import CODEBOOK, TOKEN, fill, suggestions, transcript

WORD = "a-word-for-all"
SERVER = """
import sys
from pathlib import Path
from pipeline.review import create_app, serve
from pipeline.store import open_store
from tests.reviewing import CODEBOOK, TOKEN, study_in
folder, port = Path(sys.argv[1]), int(sys.argv[2])
store = open_store(f"sqlite:///{folder / 'bench.db'}")
app = create_app(store, study_in(folder), CODEBOOK, coder=None, token=TOKEN)
serve(app, port=port, ready=lambda: print("ready", flush=True))
"""


@dataclass
class Client:
    """A coder with a connection that stays open, as a browser has it."""

    name: str
    port: int
    times: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    wanted: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.cookie = ""
        answer = self.send("POST", "/login", {"name": self.name, "password": WORD})
        self.cookie = answer.getheader("set-cookie", "").split(";")[0]

    def send(self, method: str, path: str, form: dict[str, str] | None = None) -> http.client.HTTPResponse:
        """Send a request and read the answer whole."""
        headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        path = path if path.startswith(f"/{TOKEN}") else f"/{TOKEN}{path}"
        self.connection.request(method, path, urlencode(form) if form else None, headers)
        answer = self.connection.getresponse()
        self.body = answer.read().decode()
        return answer

    def decide(self, segments: list[tuple[str, str]]) -> None:
        """Decide on segments one after another."""
        for at, (transcript_id, segment) in enumerate(segments):
            self.send("GET", f"/transcript/{transcript_id}?segment={segment}")
            hidden = dict(re.findall(r'name="(at|seen)" value="(\w+)"', self.body))
            theme = CODEBOOK.names[at % len(CODEBOOK.names)]
            began = time.perf_counter()
            answer = self.send("POST", f"/segment/{segment}?go=next", {"answer": "add", "theme": theme, **hidden})
            self.times.append(time.perf_counter() - began)
            if answer.status == 303:
                self.wanted.append((segment, theme))
            began = time.perf_counter()
            self.send("GET", "/static/mark.svg")
            self.idle.append(time.perf_counter() - began)


def filled(folder: Path, count: int) -> Store:
    """Return a store with ``count`` suggestions."""
    store = open_store(f"sqlite:///{folder / 'bench.db'}")
    fill(store)
    made, at = 0, 0
    while made < count:
        given: dict[str, list[Suggestion]] = {}
        for _ in range(200):
            at += 1
            document, cut = transcript(f"Group {at:05d}")
            source = Source(path=document.source, site="North", sha256=str(at), settings="s")
            put_source(store, source, [(document, cut)])
            given[document.id] = [one for segment in cut for one in suggestions(segment)]
            made += len(given[document.id])
        put_suggestions(store, "run-1", given)  # type: ignore[arg-type]  # ids are texts
    return store


def main() -> None:
    """Fill, serve, decide, count."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--coders", type=int, default=20)
    asked.add_argument("--decisions", type=int, default=500)
    asked.add_argument("--suggestions", type=int, default=100_000)
    wanted = asked.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        store = filled(folder, wanted.suggestions)
        add_person(store, "Lead", Rights.LEAD, WORD)
        names = [f"Coder {at:02d}" for at in range(wanted.coders)]
        for name in names:
            add_person(store, name, Rights.CODER, WORD)
        segments = [(segment.transcript, segment.id) for segment in load_segments(store)]
        port = free_port()
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER, scratch, str(port)],
            cwd=Path(__file__).parent.parent,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdout
        server.stdout.readline()
        try:
            clients = [Client(name, port) for name in names]
            began = time.perf_counter()
            step = max(1, len(segments) // len(clients))
            workers = [
                threading.Thread(target=client.decide, args=([*segments[at * step :], *segments][: wanted.decisions],))
                for at, client in enumerate(clients)
            ]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            took = time.perf_counter() - began
        finally:
            server.terminate()
            server.wait()
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        report(clients, store, took, used.ru_utime + used.ru_stime)


def report(clients: list[Client], store: Store, took: float, busy: float) -> None:
    """Print the figures."""
    rows = [(row.coder, row.segment, row.theme) for row in load_decisions(store)]
    said = [(client.name, *pair) for client in clients for pair in client.wanted]
    times = [1000 * t for client in clients for t in client.times]
    idle = [1000 * t for client in clients for t in client.idle]
    for what, values in (("a decision", times), ("a request that reads nothing", idle)):
        cuts = statistics.quantiles(values, n=100)
        print(f"{what}: p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms, p99 {cuts[98]:.1f} ms ({len(values):,})")
    print(f"{len(said):,} acknowledged in {took:.0f} s, {len(said) / took:.0f} a second, by {len(clients)} coders")
    print(f"{1000 * busy / len(said):.0f} ms of processor time in the program for a page and a decision")
    print(f"{len(set(said) - set(rows))} lost, {len(rows) - len(set(rows))} doubled, {len(times) - len(said)} refused")


if __name__ == "__main__":
    main()
