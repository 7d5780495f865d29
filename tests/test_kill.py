"""A process that is killed at a random moment loses nothing: the next run ends as an undisturbed one does."""

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from pipeline.config import shipped

ROOT = str(Path(__file__).parent.parent)
ENVIRONMENT = os.environ | {"PYTHONPATH": ROOT}


def themescout(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "pipeline", *map(str, arguments)]


def run(*arguments: object) -> None:
    subprocess.run(themescout(*arguments), env=ENVIRONMENT, check=True, capture_output=True)


def example(folder: Path) -> Path:
    """Copy the example study, with the encoder that takes no time, and twice the transcripts."""
    shutil.copytree(shipped("data", "demo"), folder)
    text = (folder / "study.toml").read_text(encoding="utf-8") + '\n[embed]\nencoder = "hashing"\n'
    (folder / "study.toml").write_text(text, encoding="utf-8")
    for file in sorted(folder.glob("transcripts/*/*.txt")):
        again = file.read_text(encoding="utf-8") + "\nModerator: Thank you all.\n"
        file.with_name(f"{file.stem}_again.txt").write_text(again, encoding="utf-8")
    return folder


def exported(study: Path) -> list[list[str]]:
    run("export", study, "--what", "suggestions", "--out", study / "out.csv", "-q")
    with (study / "out.csv").open(encoding="utf-8-sig", newline="") as table:
        return list(csv.reader(table))


def test_killed_three_times_and_run_again(tmp_path: Path) -> None:
    undisturbed = example(tmp_path / "undisturbed")
    began = time.monotonic()
    run("suggest", undisturbed, "--direct", "-q")
    whole = time.monotonic() - began
    seed = random.SystemRandom().randrange(10**6)
    chance, study, killed = random.Random(seed), example(tmp_path / "killed"), 0
    for _ in range(3):
        process = subprocess.Popen(themescout("suggest", study, "--direct", "-q"), env=ENVIRONMENT)
        time.sleep(chance.uniform(0.2, 1.0) * whole)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
    run("suggest", study, "--direct", "-q")
    assert exported(study) == exported(undisturbed), f"seed {seed}, killed {killed} times"
