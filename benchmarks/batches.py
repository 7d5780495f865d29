"""The example study's sentences -> as many transcripts as a batch should have, some of them broken.

usage: batches.py OUT [--transcripts 200] [--turns 60] [--sites 6] [--broken 10] [--encoder minilm] [--seed 0]

Every sentence is invented; turns are one to three of them drawn by chance, the same for the same seed. Broken files are
of eight kinds, in turn; which they are is written to OUT/broken.txt, one a line.
"""

import argparse
import io
import json
import random
import re
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pipeline import intake, transcripts
from pipeline.config import load_study, shipped

HEAD = "WEBVTT\n\n"
ALIKE = "Moderator: So?\n\nP1: These very words are in two files, and it would not do to count them twice.\n"


def sentences() -> list[str]:
    """Return the sentences of participants in the example study, each once, in their order."""
    study = load_study(shipped("data", "demo"))
    files, _ = transcripts.find(study)
    read = [transcript for file in files for transcript, _ in intake.read_and_cut(study, file)]
    talk = (t.text[turn.start : turn.end] for t in read for turn in t.turns if turn.role.value != "moderator")
    found = (s.strip() for said in talk for s in re.split(r"(?<=[.?!]) ", " ".join(said.split())))
    return list(dict.fromkeys(s for s in found if len(s.split()) >= 4))


def talk(chance: random.Random, said: Sequence[str], turns: int) -> str:
    """Return a focus group of so many turns, every sixth of them the moderator's."""
    lines = []
    for at in range(turns):
        words = " ".join(chance.sample(said, chance.randint(1, 3)))
        lines.append(f"{'Moderator' if at % 6 == 0 else f'P{1 + at % 5}'}: {words}")
    return "\n\n".join(lines) + "\n"


def not_word() -> bytes:
    """Return what calls itself a Word file and is none."""
    return b"this is no archive"


def cut_off() -> bytes:
    """Return an archive whose end is missing, as after a copy that was interrupted."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>" * 200)
    return whole.getvalue()[:-40]


BROKEN: Mapping[str, Callable[[], bytes]] = {
    "not-word.docx": not_word,
    "cut-off.xlsx": cut_off,
    "empty.txt": lambda: b" \n",
    "binary.txt": lambda: b"\0\1\2\3" * 300,
    "no-cues.vtt": lambda: HEAD.encode(),
    "no-text.csv": lambda: b"speaker,words\nP1,We waited\n",
    "other-site.csv": lambda: b"site,document,speaker,text\nNowhere,d1,P1,We waited for the nurse\n",
    "alike.txt": ALIKE.encode,
}


def make(out: Path, wanted: argparse.Namespace) -> list[str]:
    """Write a study; return the sources of the broken files."""
    chance, said = random.Random(wanted.seed), sentences()
    names = [f"Site {n + 1}" for n in range(wanted.sites)]
    folders = [out / "transcripts" / f"site{n + 1}" for n in range(wanted.sites)]
    for folder in folders:
        folder.mkdir(parents=True)
    whole = wanted.transcripts - wanted.broken
    for at in range(whole):
        text = talk(chance, said, wanted.turns)
        (folders[at % wanted.sites] / f"group{at:05d}.txt").write_text(text, encoding="utf-8")
    broken = []
    for at in range(wanted.broken):
        name, content = list(BROKEN.items())[at % len(BROKEN)]
        file = folders[at % wanted.sites] / f"x{at:05d}-{name}"
        file.write_bytes(content())
        broken.append(file.relative_to(out).as_posix())
    if wanted.broken >= len(BROKEN):  # the words that are there twice: the first of the two files is whole
        (folders[0] / "a-alike.txt").write_text(ALIKE, encoding="utf-8")
    shutil.copyfile(shipped("data", "demo", "codebook.csv"), out / "codebook.csv")
    lines = ['name = "A batch"', 'codebook = "codebook.csv"']
    for name, folder in zip(names, folders, strict=True):
        place = folder.relative_to(out).as_posix()
        lines += [
            "",
            "[[site]]",
            f"name = {json.dumps(name)}",
            f'transcripts = "{place}"',
            'moderators = ["Moderator"]',
        ]
    lines += ["", "[embed]", f"encoder = {json.dumps(wanted.encoder)}", ""]
    (out / "study.toml").write_text("\n".join(lines), encoding="utf-8")
    (out / "broken.txt").write_text("\n".join([*sorted(broken), ""]), encoding="utf-8")
    return sorted(broken)


def wishes(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what the command line asks for."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("out", type=Path)
    for name, number in (("transcripts", 200), ("turns", 60), ("sites", 6), ("broken", 10), ("seed", 0)):
        told.add_argument(f"--{name}", type=int, default=number)
    told.add_argument("--encoder", default="minilm")
    return told.parse_args(arguments)


if __name__ == "__main__":
    wanted = wishes()
    print(f"{len(make(wanted.out, wanted))} of {wanted.transcripts} files are broken")
