"""Chromium at the review page: what its tests need."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.records import SegmentId
from pipeline.review import free_port
from pipeline.store import Store

from .reviewing import TOKEN, fill

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-sync",
    "--disable-component-update",
]
SERVER = """
import sys
from pathlib import Path
from pipeline.review import create_app, serve
from pipeline.store import open_store
from tests.reviewing import CODEBOOK, HASHING, TOKEN, study_in
folder, port = Path(sys.argv[1]), int(sys.argv[2])
store = open_store(f"sqlite:///{folder / 'test.db'}")
coder = sys.argv[3] or None
app = create_app(store, study_in(folder), CODEBOOK, coder=coder, token=TOKEN, encoding=HASHING)
serve(app, port=port, ready=lambda: print("ready", flush=True))
print("ended", flush=True)
"""


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("neither chromium nor google-chrome is installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium, args=ARGS)
        yield opened
        opened.close()


@dataclass
class Program:
    """The review program in a process of its own, always at the same address."""

    folder: Path
    port: int
    process: "subprocess.Popen[str]"
    coder: str = "Ria"  # nobody, where everybody logs in

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/{TOKEN}"

    def end(self) -> None:
        """End it as a person does."""
        self.process.send_signal(signal.SIGINT)
        told, complained = self.process.communicate(timeout=20)
        assert (told, complained, self.process.returncode) == ("ended\n", "", 0), "it is silent and ends in peace"

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.communicate(timeout=20)

    def again(self) -> None:
        """Begin it again after it was killed."""
        self.process = begun(self.folder, self.port, self.coder)


def begun(folder: Path, port: int, coder: str = "Ria") -> "subprocess.Popen[str]":
    root = Path(__file__).parent.parent
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder), str(port), coder],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stdout
    assert server.stdout.readline() == "ready\n"
    return server


@pytest.fixture
def groups() -> list[tuple[str, str]]:
    """Sites and names of the study's transcripts."""
    return [("North", "Group 1"), ("South", "Group 2")]


@pytest.fixture
def program(store: Store, tmp_path: Path, groups: list[tuple[str, str]]) -> Iterator[Program]:
    fill(store, groups)
    yield from running(tmp_path)


def running(folder: Path, coder: str = "Ria") -> Iterator[Program]:
    """Give the program, and end it afterwards."""
    port = free_port()
    program = Program(folder=folder, port=port, process=begun(folder, port, coder), coder=coder)
    try:
        yield program
    except BaseException:
        program.kill()
        raise
    program.end()


@pytest.fixture
def address(program: Program) -> str:
    return program.address


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained of; a test that provokes it clears this."""
    return []


@pytest.fixture
def page(browser: "Browser", address: str, complaints: list[str]) -> Iterator["Page"]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    opened = context.new_page()
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(f"{address}/next")
    opened.set_default_timeout(5000)
    opened.wait_for_timeout(310)
    yield opened
    context.close()
    assert complaints == [], "no script fails and no policy is broken"


def at(page: "Page", segment: SegmentId, mark: str | None = None) -> None:
    """Wait until a segment is the current one, and has its mark."""
    page.wait_for_selector(f"#s-{segment}.current")
    if mark is not None:
        marked(page, segment, mark)
    page.wait_for_timeout(310)  # keys decide nothing on a segment that has only just appeared


def marked(page: "Page", segment: SegmentId, mark: str) -> None:
    page.locator(f"#s-{segment} .mark").first.filter(has_text=re.compile(f"^{re.escape(mark)}$")).wait_for()
