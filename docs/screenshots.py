"""Take the pictures of the review page that the documents show, from the example study: they never go stale.

usage: screenshots.py [STUDY] [--all FOLDER]         (`make pictures`)

STUDY is a folder in which `themescout demo` has run, else it is run in a temporary one. Without --all, docs/review.png
is written; with it, every page at four widths, light and dark, into FOLDER, to be looked at.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HERE = Path(__file__).parent
ROOT = HERE.parent
WIDTHS = {320: 640, 768: 1024, 1440: 900, 1920: 1080}
CODER = "Asha"
CODED = 5  # segments with a theme before the one in the picture
COLOURS = 256


def main() -> None:
    """Read the command line and take the pictures."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("study", nargs="?", type=Path)
    told.add_argument("--all", type=Path, metavar="FOLDER")
    given = told.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "demo"
        if given.study:
            shutil.copytree(given.study, folder)
        else:
            run("demo", folder, "--direct", "-q")
        with reviewing(folder) as address, browser() as chromium:
            if given.all:
                everything(chromium, address, given.all)
            else:
                one(chromium, address, HERE / "review.png")


def run(*arguments: object) -> None:
    """Run a command of the program."""
    subprocess.run([sys.executable, "-m", "pipeline", *map(str, arguments)], check=True, cwd=ROOT)


@contextmanager
def reviewing(folder: Path) -> Iterator[str]:
    """Give the address of the study's review page."""
    command = [sys.executable, "-m", "pipeline", "review", str(folder), "--coder", CODER, "--no-open"]
    env = os.environ | {"XDG_STATE_HOME": str(folder.parent / "state")}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        found = re.search(r"http://\S+/", server.stdout.readline())
        assert found
        yield found[0].rstrip("/")
        server.terminate()


@contextmanager
def browser() -> Iterator["Browser"]:
    """Give Chromium."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


def one(chromium: "Browser", address: str, file: Path) -> None:
    """Take the picture of a suggestion with its reasons, below segments that were coded before."""
    page = chromium.new_page(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
    page.goto(f"{address}/next")
    settled(page)
    coded = 0
    while coded < CODED or not page.locator("[data-key=a]").count():
        accepts = page.locator("[data-key=a]").count() > 0
        coded += accepts
        page.keyboard.press("a" if accepts else " ")
        settled(page)
    page.screenshot(path=file)
    slim(file)


def slim(file: Path) -> None:
    """Give a picture the few colours that it needs: a page of text gets a third of the size, and looks the same."""
    from PIL import Image  # comes with matplotlib

    with Image.open(file) as picture:
        few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(file, optimize=True)


def everything(chromium: "Browser", address: str, folder: Path) -> None:
    """Take pictures of every page."""
    folder.mkdir(parents=True, exist_ok=True)
    for width, height in WIDTHS.items():
        for scheme in ("light", "dark"):
            context = chromium.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
                reduced_motion="reduce",
            )
            page = context.new_page()
            for name, path in {
                "overview": "/",
                "segment": "/next?order=surest",
                "informative": "/next?order=informative",
                "nothing-fits": "/nothing-fits",
                "search": "/search",
                "codebook": "/codebook",
            }.items():
                page.goto(address + path)
                settled(page)
                page.screenshot(path=folder / f"{name}-{width}-{scheme}.png")
                if name == "segment":
                    page.click("[data-key=s]")
                    settled(page)
                    page.screenshot(path=folder / f"similar-{width}-{scheme}.png")
            context.close()


def settled(page: "Page") -> None:
    """Wait until nothing moves any more."""
    page.wait_for_load_state("load")
    page.wait_for_timeout(400)


if __name__ == "__main__":
    main()
