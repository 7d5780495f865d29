"""How long it takes to learn from decisions anew and to rank many segments, beside bare arithmetic in the same run.

usage: refit.py [--segments 100000] [--decisions 2000] [--pairs 7]

Texts are sentences of the example study, all invented, drawn by chance; vectors are drawn by chance around one centre
per theme. Times are of processor cores, not of the clock: what else the machine does then counts less. Of a fit,
which uses two cores, the quickest is told by the clock as well.

refit      `rank.fit` on so many decisions in 40 themes of seven exemplars, alone and with questions and sentences
           around them / bare LAPACK: factor and inverse of the kernel matrix, in single precision; `again` is with the
           n-grams of the texts remembered from the fit before, as a review page has it
again      from a store: refitting and ranking the segments left, as a review page has it done in the background
ranking    `rank.suggest` for so many segments in 40 themes of 17 exemplars / counting the n-grams of the same texts by
           scikit-learn alone; with the most memory the process had, and had before
"""

import argparse
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from batches import sentences, talk
from numpy.typing import NDArray

from pipeline import intake, rank, refresh, work
from pipeline.config import RankSettings
from pipeline.records import Answer, Codebook, Decision, Exemplar, SegmentId, Theme
from pipeline.store import corpus, decisions

THEMES, QUOTES, MANY_QUOTES, WIDTH = 40, 7, 17, 384
BLOCK = 4096  # segments whose suggestions are held together, as a store's are
COUNTED = 5000  # texts that scikit-learn counts
SETTINGS = RankSettings()
Rows = NDArray[np.float32]


def main() -> None:
    """Measure, and print one line for each figure."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, number in (("segments", 100_000), ("decisions", 2000), ("pairs", 7)):
        told.add_argument(f"--{name}", type=int, default=number)
    given = told.parse_args()
    refitting(given.decisions, given.pairs)
    again(given.decisions)
    ranking(given.segments)


def material(decided: int, quotes: int) -> tuple[Codebook, dict[str, Rows], rank.Labelled]:
    """Return a codebook, the vectors of its texts, and decisions on documents of sixty segments."""
    chance, rng = random.Random(0), np.random.default_rng(0)
    texts = said(chance, THEMES * quotes + decided + THEMES)
    centres = rng.normal(size=(THEMES, WIDTH))
    book = Codebook(
        themes=tuple(
            Theme(
                name=f"Theme {at}",
                definition=texts[-at - 1],
                exemplars=tuple(Exemplar(text=text) for text in texts[at * quotes : (at + 1) * quotes]),
            )
            for at in range(THEMES)
        )
    )
    known = {e.text: near(rng, centres[[at]])[0] for at, theme in enumerate(book.themes) for e in theme.exemplars}
    known |= {rank.definition_text(theme): near(rng, centres[[at]])[0] for at, theme in enumerate(book.themes)}
    of = rng.integers(0, THEMES, decided)
    gold = np.eye(THEMES)[of] * (rng.random((decided, 1)) < 0.6)
    return (
        book,
        known,
        rank.Labelled(
            texts=tuple(texts[THEMES * quotes : THEMES * quotes + decided]),
            vectors=near(rng, centres[of]),
            gold=gold,
            rejected=np.zeros(gold.shape, dtype=bool),
            documents=tuple(f"D{at // 60}" for at in range(decided)),
        ),
    )


def said(chance: random.Random, count: int) -> list[str]:
    """Return different texts of one to three sentences."""
    known = sentences()
    found: dict[str, None] = {}
    while len(found) < count:
        found[" ".join(chance.sample(known, chance.randint(1, 3)))] = None
    return list(found)


def near(rng: np.random.Generator, centres: NDArray[np.float64]) -> Rows:
    """Return a vector of length 1 near each centre."""
    rows = centres + 1.5 * rng.normal(size=centres.shape)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def surrounded(labelled: rank.Labelled) -> rank.Labelled:
    """Return decisions with a question for every four, what was said before and after, sentences in a tenth."""
    count = len(labelled.texts)
    every, long = np.arange(count), np.arange(0, count, 10)
    before = np.where(every % 60 == 0, rank.NONE, every - 1)  # never over the edge of a document
    around = rank.Around(
        vectors=np.vstack([labelled.vectors, labelled.vectors[::4]]),
        asked=count + every // 4,
        before=before,
        after=np.where(every % 60 == 59, rank.NONE, (every + 1) % count),
        sentences=np.repeat(long, 2),
        of=np.repeat(long, 2),
    )
    return replace(labelled, around=around)


def refitting(decided: int, pairs: int) -> None:
    """Fit and do the arithmetic that no fit can do without, in turn."""
    from scipy.linalg import lapack
    from threadpoolctl import threadpool_limits

    book, known, labelled = material(decided, QUOTES)
    rows = np.vstack([*known.values(), labelled.vectors])
    kernel = np.exp(2 * (rows @ rows.T - 1)) + np.eye(len(rows), dtype=np.float32)

    def bare() -> None:
        with threadpool_limits(1, user_api="blas"):
            lapack.spotri(lapack.spotrf(kernel, lower=1)[0], lower=1)

    every = surrounded(labelled)
    kinds = (("refit", labelled), ("refit again", labelled), ("refit again, with what is around", every))
    for name, taught in kinds:
        counted = rank.Counted() if "again" in name else None
        clock: list[float] = []

        def fit(
            taught: rank.Labelled = taught, counted: rank.Counted | None = counted, clock: list[float] = clock
        ) -> None:
            began = time.perf_counter()
            rank.fit(book, known, taught, SETTINGS, counted)
            clock.append(time.perf_counter() - began)

        fit()  # the first call loads libraries
        found = [(seconds(fit), seconds(bare)) for _ in range(pairs)]
        least = f"{1000 * min(own for own, _ in found):.0f} ms of cores, {1000 * min(clock):.0f} ms by the clock"
        told = f"{decided:,} decisions in {THEMES} themes: {least}"
        report(f"{name} / bare factor and inverse", [own / plain for own, plain in found], told)


def again(decided: int) -> None:
    """Refit and rank what is left of a study half again as large as what was decided, from and to its store."""
    with tempfile.TemporaryDirectory() as scratch:
        session = study(Path(scratch), decided)
        segments = corpus.load_segments(session.store)
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        for last in range(3):  # one more decision each time; the first one loads libraries
            piece = segments[decided + last]
            told = Decision(segment=piece.id, coder="A", theme="Theme 1", answer=Answer.ADD, decided_at=moment)
            decisions.add_decisions(session.store, [told])
            began = time.process_time()
            made = refresh.refresh(session, coder="A")
            taken = time.process_time() - began
        assert made is not None
        print(f"again, {decided:,} decisions, {made.segments:,} segments ranked and kept: {taken:.2f} s", flush=True)
        session.store.close()


def study(folder: Path, decided: int) -> intake.Session:
    """Return a study with suggestions and decisions; its vectors count words, as no model is what is measured."""
    chance, known = random.Random(0), sentences()
    (folder / "transcripts").mkdir()
    for at in range(decided * 3 // 2 // 50):
        (folder / f"transcripts/t{at:04d}.txt").write_text(talk(chance, known, 61), encoding="utf-8")
    quotes = iter(chance.sample([quote for quote in known if '"' not in quote], THEMES * QUOTES))
    rows = [f'Theme {at},"{next(quotes)}"' for at in range(THEMES) for _ in range(QUOTES)]
    (folder / "codebook.csv").write_text("\n".join(["theme,exemplar", *rows, ""]), encoding="utf-8")
    site = '[[site]]\nname = "A"\ntranscripts = "transcripts"\nmoderators = ["Moderator"]\n'
    toml = f'name = "Refit"\ncodebook = "codebook.csv"\n{site}[embed]\nencoder = "hashing"\n'
    (folder / "study.toml").write_text(toml, encoding="utf-8")
    session = intake.open_session(folder)
    work.run_direct(session, work.look(session), intake.ALL, intake.no_progress)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    made = [
        Decision(
            segment=piece.id,
            coder="A",
            theme="" if (none := chance.random() < 0.4) else f"Theme {int(THEMES * chance.random() ** 2)}",
            answer=Answer.NOTHING if none else Answer.ADD,
            decided_at=moment,
        )
        for piece in corpus.load_segments(session.store)[:decided]
    ]
    decisions.add_decisions(session.store, made)
    return session


def ranking(count: int) -> None:
    """Rank many segments, and count the n-grams of some of them by scikit-learn."""
    from sklearn.feature_extraction.text import HashingVectorizer

    book, known, labelled = material(2000, MANY_QUOTES)
    ranker = rank.fit(book, known, labelled, SETTINGS)
    texts = labelled.texts * (count // len(labelled.texts) + 1)
    rng = np.random.default_rng(1)
    before = memory()

    def ranked() -> None:
        for at in range(0, count, BLOCK):
            some = min(BLOCK, count - at)
            ids = [SegmentId(str(at + row)) for row in range(some)]
            rank.suggest(ranker, ids, texts[at : at + some], near(rng, np.zeros((some, WIDTH))), SETTINGS)

    began = time.perf_counter()
    taken, clock, most = seconds(ranked), time.perf_counter() - began, memory()
    pieces = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5))
    plain = seconds(lambda: pieces.transform(texts[:COUNTED])) / min(COUNTED, len(texts)) * count
    quotes = f"{THEMES} themes of {MANY_QUOTES} exemplars and 2,000 decisions"
    took = f"{taken:.1f} s of cores, {clock:.1f} s by the clock"
    told = f"{count:,} segments, {quotes}: {took}, {most:.2f} GB (before: {before:.2f} GB)"
    report("ranking / counting alone", [taken / plain], told)


def memory() -> float:
    """Return the most memory this process has had so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9


def seconds(action: Callable[[], object]) -> float:
    """Return how much time of processor cores an action takes."""
    began = time.process_time()
    action()
    return time.process_time() - began


def report(name: str, ratios: Sequence[float], more: str) -> None:
    """Print a figure: the median ratio, its range, and what it comes from."""
    middle = statistics.median(ratios)
    print(f"{name}: {middle:.2f} ({min(ratios):.2f} to {max(ratios):.2f}); {more}", flush=True)


if __name__ == "__main__":
    main()
