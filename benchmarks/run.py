"""How fast the program is, as ratios against a baseline in the same run: machines differ, and are shared.

usage: run.py [STUDY]

STUDY is a folder of benchmarks/studies.py; without one the NHS study is made if its data are found (THEMESCOUT_SHARED
or ../shared), else the example study is used. Each figure is printed as its ratio, with the smallest and the largest of
several pairs, beside the bound it should keep.

embedding   texts per second of the embedding stage / of a bare SentenceTransformer.encode on the same texts, in turn
static      texts per second of the static encoder / of the one it is made from, in turn; skipped if it was never made
the rest    seconds for reading, segmenting, ranking and storing / seconds for embedding, of the same whole run
--help      `python -m pipeline --help` / `python -c "import click"`, whole processes in turn
unchanged   whether `suggest --direct` on an unchanged study imports torch
quality     on the NHS study, from the codebook alone: recall@1, recall@3, recall@5, mrr, map beside the rows that are
            known for it (map over themes with at least 10 positives, as there)
"""

import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import studies

from pipeline import embed, intake, results, work
from pipeline.config import EmbedSettings, shipped
from pipeline.evaluate import Plan
from pipeline.store import corpus

HERE = Path(__file__).parent.parent
PAIRS = 9
TEXTS = 1024  # in each of them
STARTS = 15
KNOWN = {  # of the reference hybrid, and of the baselines
    "themescout": (0.603, 0.713, 0.808, 0.724, 0.456),
    "cosine": (0.448, 0.571, 0.687, 0.593, 0.218),
    "definition": (0.364, 0.518, 0.642, 0.529, 0.193),
    "lexical": (0.348, 0.465, 0.572, 0.492, 0.211),
}
BOUNDS = dict.fromkeys(KNOWN, "within 0.02") | {"themescout": "at least the second and the last"}


def main() -> None:
    """Run every benchmark and print its ratio."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = study(Path(scratch) / "study")
        texts, tally = whole_run(folder)
        embedding(texts)
        static(texts)
        rest = sum(seconds for stage, seconds in tally.seconds.items() if stage != "embed")
        stages = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in tally.seconds.items())
        report(
            "the rest / embedding", [rest / tally.seconds["embed"]], "at most 0.25", f"{len(texts):,} texts: {stages}"
        )
        starting()
        unchanged(folder)
        if (folder / "coding.csv").is_file() and len(sys.argv) < 2:
            quality(folder)


def study(folder: Path) -> Path:
    """Return a study to run on, in a folder that may be written to."""
    if len(sys.argv) > 1:
        shutil.copytree(sys.argv[1], folder, ignore=shutil.ignore_patterns("*.db*"))
    elif studies.data_folder().is_dir():
        studies.nhs(studies.data_folder(), folder)
    else:
        print("skipped the NHS comments: there is no folder with the data; using the example study")
        shutil.copytree(shipped("data", "demo"), folder)
    return folder


def whole_run(folder: Path) -> tuple[list[str], intake.Tally]:
    """Run everything once on a fresh store, and return the segments' texts and what took how long."""
    session = intake.open_session(folder)
    session.encoder.encode(["warm up"])  # loading the model is no stage's work
    tally = work.run_direct(session, work.look(session), intake.ALL, intake.no_progress)
    return [segment.text for segment in corpus.load_segments(session.store)], tally


def embedding(texts: Sequence[str]) -> None:
    """Encode the same texts by the stage and by the bare library, in turn, each with a fresh store."""
    from sentence_transformers import SentenceTransformer

    located = embed.locate(EmbedSettings(), Path())
    encoder, bare = embed.load(located), SentenceTransformer(str(located.folder), local_files_only=True)
    texts = list(dict.fromkeys(texts))
    some = random.Random(0).sample(texts, min(TEXTS, len(texts)))

    def stage() -> None:
        for portion in embed.in_portions(some):
            encoder.encode(portion)

    def library() -> None:
        bare.encode(some, batch_size=embed.BATCH, show_progress_bar=False)

    library()  # the first call is slower than those that follow
    pairs = [(seconds(library), seconds(stage)) for _ in range(PAIRS)]
    best = min(taken for _, taken in pairs)
    report("embedding / bare encode", [a / b for a, b in pairs], "at least 0.9", f"{len(some) / best:,.0f} texts/s")


def static(texts: Sequence[str]) -> None:
    """Encode the same texts by the static encoder and by its teacher, in turn."""
    located = embed.locate(EmbedSettings(encoder="static"), Path())
    if not located.made:
        print("skipped the static encoder: `themescout encoder distill` makes it")
        return
    fast, slow = embed.load(located), embed.load(embed.locate(EmbedSettings(), Path()))
    texts = list(dict.fromkeys(texts))
    many = random.Random(0).sample(texts, min(TEXTS, len(texts)))
    few = many[: TEXTS // 16]

    def rate(encoder: embed.Encoder, some: Sequence[str]) -> float:
        def encode() -> None:
            encoder.encode(some)

        return len(some) / seconds(encode)

    pairs = [(rate(fast, many), rate(slow, few)) for _ in range(PAIRS)]
    told = f"{max(a for a, _ in pairs):,.0f} texts/s"
    report("static / its teacher", [a / b for a, b in pairs], "at least 50", told)


def starting() -> None:
    """Start Python for the help and for click alone, in turn."""
    help_ = [sys.executable, "-m", "pipeline", "--help"]
    click = [sys.executable, "-c", "import click"]
    pairs = [(process(help_), process(click)) for _ in range(STARTS)]
    told = f"{1000 * statistics.median(a for a, _ in pairs):.0f} ms"
    report("--help / import click", [a / b for a, b in pairs], "at most 3", told)


def unchanged(folder: Path) -> None:
    """Look at what a run on an unchanged study imports."""
    code = "import sys; from pipeline.cli import main; main(sys.argv[1:], standalone_mode=False)"
    code += "; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, "suggest", str(folder), "--direct"],
        capture_output=True, text=True, check=True, cwd=HERE,
    )  # fmt: skip
    said, torch = done.stdout.splitlines()
    print(f"unchanged study: {said} torch imported: {torch} (should be False)")


def quality(folder: Path) -> None:
    """Evaluate on the study's human coding, beside what others measured on the same comments."""
    session = intake.open_session(folder)
    results.import_coding(session, folder / "coding.csv", partly=False, progress=intake.no_progress)
    made = results.evaluate(session, Plan(curve=False), progress=intake.no_progress)
    for system, known in KNOWN.items():
        found = made.systems[system].values
        figures = [found[name] for name in ("recall@1", "recall@3", "recall@5", "mrr", "map_10")]
        told = "  ".join(f"{value or 0:.3f} ({row:.3f})" for value, row in zip(figures, known, strict=True))
        print(f"quality, {system:10s} {told}  {BOUNDS[system]}", flush=True)


def seconds(action: Callable[[], None]) -> float:
    """Return how long an action takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def process(command: list[str]) -> float:
    """Return how long a whole process takes."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=HERE)
    return time.perf_counter() - began


def report(name: str, ratios: Sequence[float], bound: str, more: str) -> None:
    """Print a figure: the median ratio, its range, and its bound."""
    middle = statistics.median(ratios)
    print(f"{name}: {middle:.2f} ({min(ratios):.2f} to {max(ratios):.2f}; {bound}); {more}", flush=True)


if __name__ == "__main__":
    main()
