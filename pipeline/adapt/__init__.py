"""Adapt a study's encoder to its codebook and to what people decided, and find out whether that helps.

material  what is learned from, and what is left out of it in turn
noise     how much better the adapted encoder is on what was left out, and whether that is more than noise
setting   the encoder's name into study.toml

The documents are dealt into parts. In rounds, one model per part learns from the other parts and is tried on the one it
has not seen. When rounds bring nothing more, or too many were made, the models are compared with the encoder as it was.
Only if they are better by more than noise a last one learns from everything, and is kept beside the study.
"""

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import embed, store, work
from ..coded import Coded
from ..embed import Lessons, Recipe, Trainee, train
from ..errors import EncoderFault, StudyFault
from ..intake import Progress, Session
from ..records import digest
from .material import PARTS, Ground, ground
from .noise import Gain, chosen_apart, gain, stalled
from .setting import use

__all__ = ["Adapted", "adapt", "caution", "use"]

ADAPTS = 2  # raised when adapting to the same material gives something else than before
MOST_ROUNDS = 8
LEAST = 12  # passages: with fewer there is nothing to judge a gain by
FOLDER = "encoder"  # in the study's folder
WORK = ".adapting-"

Matrix = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Adapted:
    """What came of adapting an encoder: figures of both, on passages that neither learned from."""

    base: str  # the encoder that was adapted, as study.toml calls it
    passages: int
    documents: int
    themes: int
    rounds: int  # of training that were best
    before: dict[str, float]  # mrr and recall@3
    after: dict[str, float]
    gain: Gain  # of mrr
    folder: str  # of the adapted encoder, relative to the study; "" if it is not better by more than noise


def adapt(session: Session, progress: Progress) -> Adapted:
    """Adapt the encoder of a study; what was done already for the same material is not done again.

    Raises ``StudyFault`` if there is too little to learn from, ``EncoderFault`` if the encoder cannot be trained.
    """
    base = base_of(session)
    here = session.study.folder / FOLDER
    material = ground(session.codebook, _coded(session))
    _check(session, material)
    key = digest("adapt", ADAPTS, base.fingerprint, material.digest, session.study.rank.digest, asdict(Recipe()))
    record, folder = here / f"adapted-{key}.json", here / f"adapted-{key}"
    known = _read(record)
    if known is not None and (not known.folder or folder.is_dir()):
        return known
    workplace = _workplace(here, key)
    found = _compared(session, base, material, workplace, progress)
    if found.gain.certain:
        found = replace(found, folder=f"{FOLDER}/{folder.name}")
        _learn_all(base, material, found.rounds, (workplace, folder), progress)
    _write(record, found)
    shutil.rmtree(workplace, ignore_errors=True)
    return found


def base_of(session: Session) -> embed.Located:
    """Return the encoder to start from: the study's own, or what that was made from if it is an adapted one."""
    located = session.located
    origin = embed.made_from(located.folder) if located.folder is not None else ""
    if origin:  # what learned from all passages cannot be judged on any
        settings = session.study.embed.model_copy(update={"encoder": origin})
        located = embed.locate(settings, session.study.folder)
    if located.folder is None or located.static:
        problem = f"encoder `{located.name}` cannot be adapted: it is no network"
        raise EncoderFault(str(session.study.file), problem, "set `encoder` to minilm or another model, then adapt it")
    return located


def caution(session: Session) -> str:
    """Return what to think of figures on decided segments, "" unless the study's encoder learned from such."""
    folder = session.located.folder
    decided = embed.origin(folder).get("decided", 0) if folder is not None else 0
    if not decided:
        return ""
    return (
        f"encoder {session.located.name} learned from {decided} decided segments: figures on these are too good; "
        "`themescout adapt` tells what it is worth on others"
    )


def _coded(session: Session) -> Coded:
    """Return what people decided; the machine's own suggestions have no part in it. No store is made for it."""
    if store.has_store(session.study.store_url):
        return work.learned_from(session)
    return Coded(segments=(), codings={}, places={})


def _check(session: Session, material: Ground) -> None:
    """Raise ``StudyFault`` if there are too few passages to learn from and to judge by."""
    file = str(session.study.file)
    remedy = "add exemplars to the codebook, or code some segments, then adapt"
    themes = {theme for passage in material.passages for theme in passage.themes}
    if len(session.codebook.themes) < 2:
        raise StudyFault(file, "has one theme: there is nothing to tell it from", "adapting needs two themes or more")
    if not themes:
        raise StudyFault(file, "has neither exemplars nor decisions that show a theme", remedy)
    if len(themes) < 2:
        raise StudyFault(file, "has exemplars or decisions for one theme only", remedy)
    count = len(material.passages)
    if count < LEAST:
        problem = f"has only {count} different texts that show a theme: too few to tell whether adapting helps"
        raise StudyFault(file, problem, f"with {LEAST} or more it can be tried; a hundred are better")
    if len(material.part_of) < PARTS:
        problem = (
            f"has exemplars and decisions from {len(material.part_of)} documents: none can be left out to try it on"
        )
        raise StudyFault(file, problem, f"adapting needs {PARTS} documents or more")


def _workplace(here: Path, key: str) -> Path:
    """Return the folder where training is kept until it is over; those of other material that nobody uses go."""
    place = here / f"{WORK}{key}"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EncoderFault(str(here), f"cannot be written: {error.strerror}", "mend the folder's rights") from error
    for other in here.glob(f"{WORK}*"):
        if other != place and time.time() - other.stat().st_mtime > 86_400:
            shutil.rmtree(other, ignore_errors=True)
    return place


def _compared(session: Session, base: embed.Located, material: Ground, workplace: Path, progress: Progress) -> Adapted:
    """Train with every part left out in turn, and return the figures before and after."""
    parts = {part: material.left_out(part) for part in range(PARTS)}
    settings = session.study.rank
    encoder = embed.load(base)
    own = _vectors(encoder.encode, material)
    del encoder
    told: dict[int, list[Any]] = {part: [] for part in parts}
    curve = [_spread(parts, {part: material.tried(part, own, settings) for part in parts})]
    steps = {part: train.steps_of(material.lessons(part), Recipe()) for part in parts}
    clock = _Clock(progress, "adapt", MOST_ROUNDS * sum(steps.values()))
    while len(curve) <= MOST_ROUNDS and not stalled([row[0].mean() for row in curve]):
        for part in parts:
            kept = workplace / f"part-{part}.pt"
            if len(told[part]) < len(curve):
                told[part] = _one_more(base, material, (part, kept), settings, clock.step, len(curve))
            clock.reach(sum(len(rounds) * steps[at] for at, rounds in told.items()))
        at = len(curve) - 1
        curve.append(_spread(parts, {part: rounds[at] for part, rounds in told.items()}))
    clock.end()
    return _summary(base, material, np.array(curve), parts)


def _one_more(
    base: embed.Located,
    material: Ground,
    where: tuple[int, Path],
    settings: Any,  # noqa: ANN401
    step: Callable[[], None],
    rounds: int,
) -> list[Any]:
    """Train the model of a part until so many rounds, try each, and return what every round so far was like."""
    part, kept = where
    trainee = Trainee(base, material.lessons(part), kept=kept)
    while trainee.rounds < rounds:
        trainee.train(step)
        trainee.notes.append(material.tried(part, _vectors(trainee.encode, material), settings))
        trainee.keep()
    return trainee.notes


def _vectors(encode: Callable[[list[str]], NDArray[np.float32]], material: Ground) -> dict[str, NDArray[np.float32]]:
    found: dict[str, NDArray[np.float32]] = {}
    for portion in embed.in_portions(material.texts):
        found.update(zip(portion, encode(portion), strict=True))
    return found


def _spread(parts: dict[int, list[int]], tried: dict[int, tuple[list[float], list[float]]]) -> Matrix:
    """Return 2 x passages: 1 / rank and recall@3, in the order of the passages."""
    out = np.zeros((2, sum(map(len, parts.values()))))
    for part, rows in parts.items():
        out[:, rows] = np.array(tried[part])
    return out


def _summary(base: embed.Located, material: Ground, curve: Matrix, parts: dict[int, list[int]]) -> Adapted:
    first, third = curve[:, 0], curve[:, 1]
    chosen, every = chosen_apart(first, parts), np.arange(first.shape[1])
    after = first[chosen, every]
    documents = [min(passage.documents) for passage in material.passages]
    best = int(np.argmax(first[1:].mean(axis=1))) + 1
    return Adapted(
        base=base.name,
        passages=len(material.passages),
        documents=len(set(documents)),
        themes=len(material.codebook.themes),
        rounds=best,
        before={"mrr": float(first[0].mean()), "recall@3": float(third[0].mean())},
        after={"mrr": float(after.mean()), "recall@3": float(third[chosen, every].mean())},
        gain=gain(first[0], after, documents),
        folder="",
    )


def _learn_all(
    base: embed.Located, material: Ground, rounds: int, where: tuple[Path, Path], progress: Progress
) -> None:
    """Train on everything and write the model."""
    workplace, folder = where
    if folder.is_dir():
        return
    lessons: Lessons = material.lessons(None)
    trainee = Trainee(base, lessons, kept=workplace / "all.pt")
    clock = _Clock(progress, "learn", rounds * train.steps_of(lessons, Recipe()))
    while trainee.rounds < rounds:
        clock.reach(trainee.rounds * train.steps_of(lessons, Recipe()))
        trainee.train(clock.step)
        trainee.keep()
    decided = len(material.coded.segments)
    origin = {
        "from": base.name,
        "fingerprint": base.fingerprint,
        "decided": decided,
        "passages": len(material.passages),
    }
    trainee.save(folder, json.dumps(origin, indent=1).encode())
    clock.end()


@dataclass
class _Clock:
    """Steps that are told to a progress bar. It changes while work goes on."""

    progress: Progress
    stage: str
    total: int
    done: int = 0

    def reach(self, done: int) -> None:
        self.done = done
        if done < self.total:
            self.progress(self.stage, done, self.total)

    def step(self) -> None:
        self.reach(self.done + 1)

    def end(self) -> None:
        self.progress(self.stage, self.total, self.total)


def _read(record: Path) -> Adapted | None:
    try:
        told = json.loads(record.read_text(encoding="utf-8"))
        return Adapted(**{**told, "gain": Gain(**told["gain"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _write(record: Path, found: Adapted) -> None:
    part = record.with_suffix(".part")
    try:
        part.write_text(json.dumps(asdict(found), indent=1) + "\n", encoding="utf-8")
        os.replace(part, record)  # noqa: PTH105  # at once, so that a record is never half a record
    except OSError as error:
        raise EncoderFault(str(record), f"cannot be written: {error.strerror}", "make room on the disk") from error
