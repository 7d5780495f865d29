"""A process that is killed at a random moment loses nothing: the next run ends as an undisturbed one does."""

import csv
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from pipeline.config import shipped

ROOT = str(Path(__file__).parent.parent)
ENVIRONMENT = os.environ | {"PYTHONPATH": ROOT}


def themescout(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "pipeline", *map(str, arguments)]


def run(*arguments: object) -> None:
    subprocess.run(themescout(*arguments), env=ENVIRONMENT, check=True, capture_output=True)


def example(folder: Path) -> Path:
    """Copy the example study, with the encoder that takes no time, and many more transcripts."""
    shutil.copytree(shipped("data", "demo"), folder)
    text = (folder / "study.toml").read_text(encoding="utf-8") + '\n[embed]\nencoder = "hashing"\n'
    (folder / "study.toml").write_text(text, encoding="utf-8")
    for file in sorted(folder.glob("transcripts/*/*.txt")):
        for version in range(8):
            again = file.read_text(encoding="utf-8") + f"\nModerator: Thank you all, group {version}.\n"
            file.with_name(f"{file.stem}_{version}.txt").write_text(again, encoding="utf-8")
    return folder


def exported(study: Path) -> list[list[str]]:
    run("export", study, "--what", "suggestions", "--out", study / "out.csv", "-q")
    with (study / "out.csv").open(encoding="utf-8-sig", newline="") as table:
        return list(csv.reader(table))


def kept(study: Path) -> int:
    """Return how many files a store holds, as another process sees it."""
    try:
        with closing(sqlite3.connect(f"{(study / 'themescout.db').as_uri()}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM sources").fetchone()[0])
    except sqlite3.Error:
        return 0  # not made yet


def test_killed_three_times_and_run_again(tmp_path: Path) -> None:
    undisturbed, study = example(tmp_path / "undisturbed"), example(tmp_path / "killed")
    run("suggest", undisturbed, "--direct", "-q")
    files = kept(undisturbed)
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    for third in range(3):
        # In the first three quarters of the files, so that it is not over before the signal arrives.
        enough = 1 + third * (files // 4) + chance.randrange(files // 4)
        process = subprocess.Popen(themescout("suggest", study, "--direct", "-q"), env=ENVIRONMENT)
        while kept(study) < enough and process.poll() is None:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.02))
        assert process.poll() is None, f"seed {seed}: over before it could be killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
    run("suggest", study, "--direct", "-q")
    assert exported(study) == exported(undisturbed), f"seed {seed}"
