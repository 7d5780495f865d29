"""What other encoders are worth to a new study, for benchmarks/quality.py: adapted, static, tuned as SetFit does it.

A study of each set is written into the cache, adapted there as `themescout adapt` does it, and kept for the next time.
"""

import contextlib
import io
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import studies
from quality_sets import SETS, Test, Vectors

from pipeline import adapt, embed, evaluate, intake
from pipeline.config import EmbedSettings
from pipeline.evaluate.systems import System

ALONE = {
    "nhs_fft": "NHS, codebook only",
    "serdif_usability": "Serdif, 5 quotes per theme",
    "sight_student_feedback": "SIGHT, 5 quotes per theme",
}
WRITERS: Mapping[str, Callable[[Path, Path], None]] = {
    "nhs_fft": studies.nhs,
    "serdif_usability": partial(studies.serdif, five=True),
    "sight_student_feedback": studies.sight,
}
LATER = "NHS after 200 decisions"  # what becomes of probabilities whose encoder learned from the exemplars
TIMED = 300  # texts that both encoders are timed on
Make = Callable[[str], Vectors]  # an encoder's name or folder -> its vectors


def other_encoders(
    data: Path, only: Sequence[str], where: tuple[Path, str], make: Make
) -> tuple[list[Test], dict[str, Mapping[str, System]], list[str]]:
    """Return tests with the adapted and the static encoder, the SetFit-like system for each set, and lines that tell.

    ``where`` is the cache and the encoder that all are made from.
    """
    cache, encoder = where
    tests: list[Test] = []
    systems: dict[str, Mapping[str, System]] = {}
    lines = _head()
    for folder in (name for name in ALONE if name in only and (data / name).is_dir()):
        session = intake.open_session(_study(folder, data, cache, encoder))
        print(f"adapting to {folder}", file=sys.stderr, flush=True)
        found = adapt.adapt(session, lambda *_: None)
        lines.append(_told(ALONE[folder], found))
        kept = str(session.study.folder / found.folder) if found.folder else encoder
        for what, name in (("adapted", kept), ("static", _static(encoder))):
            tests += [
                Test(name=f"{test.name}, {what}", material=test.material, samples=test.samples)
                for test in SETS[folder](data, make(name))
                if test.name in (ALONE[folder], LATER)
            ]
        systems[ALONE[folder]] = {"setfit": evaluate.setfit(partial(embed.fine_tuned, adapt.base_of(session)))}
    return tests, systems, [*lines, "", *_speed(tests, encoder)]


def _study(folder: str, data: Path, cache: Path, encoder: str) -> Path:
    """Return the study of a set, which is written if it is not there."""
    made = cache / "studies" / folder
    if not (made / "study.toml").is_file():
        made.mkdir(parents=True, exist_ok=True)
        with contextlib.redirect_stdout(io.StringIO()):  # what it skips is no part of the table
            WRITERS[folder](data, made)
        adapt.use(made / "study.toml", encoder)
    return made


def _static(encoder: str) -> str:
    return "static" if encoder == "minilm" else f"static:{encoder}"


def _head() -> list[str]:
    return [
        "## Encoders",
        "",
        "What `themescout adapt` found on each codebook, on passages whose documents were left out, and what it kept: "
        "the rows `adapted` above are with that. `setfit` is a system of its own: the encoder fine-tuned, and logistic "
        "regression on its vectors.",
        "",
        "| codebook | passages | documents | rounds | MRR before | adapted | gain [90 %] | kept |",
        "|---|---|---|---|---|---|---|---|",
    ]


def _told(name: str, found: adapt.Adapted) -> str:
    gain = found.gain
    return (
        f"| {name} | {found.passages} | {found.documents} | {found.rounds} | {found.before['mrr']:.3f} "
        f"| {found.after['mrr']:.3f} | {gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}] "
        f"| {'the adapted one' if found.folder else 'the old one'} |"
    )


def _speed(tests: Sequence[Test], encoder: str) -> list[str]:
    """Tell how many texts the encoder and its static one go through in a second of one core's time."""
    texts = list(dict.fromkeys(text for test in tests for text in test.material.texts))[:TIMED]
    if not texts:
        return []
    slow, fast = (_rate(name, texts) for name in (encoder, _static(encoder)))
    return [
        f"The static encoder went through {fast:,.0f} texts in a second of processor time, the one it was made from "
        f"through {slow:,.0f}: {fast / slow:,.0f} times as many ({len(texts)} texts, the better of three runs each).",
        "",
    ]


def _rate(encoder: str, texts: Sequence[str]) -> float:
    loaded = embed.load(embed.ready(embed.locate(EmbedSettings(encoder=encoder), Path()), lambda *_: None))
    loaded.encode(texts[:8])
    spent = []
    for _ in range(3):
        began = time.process_time()
        loaded.encode(texts)
        spent.append(time.process_time() - began)
    return len(texts) / max(min(spent), 1e-9)
