"""Whether agreement's figures and intervals are what they should be.

usage: agreement.py [DATA] [--reps N]

coverage  how often the 95 % interval of a theme's alpha holds the true value, for two coders of known quality whose
          documents differ in how often the theme occurs and in how hard they are to code; beside the interval that
          takes segments for independent. Written to benchmarks/agreement.txt.
real      alpha on public coding, beside what is known for it; nothing of the data is printed but the names of sets.
          DATA holds `data/`; without it THEMESCOUT_SHARED, then ../shared is used.
"""

import argparse
import csv
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import studies
from numpy.typing import NDArray

from pipeline.agreement import Estimate, Plan, Reading, measure, ratings
from pipeline.agreement.alpha import alpha_of
from pipeline.agreement.intervals import by_sums, estimates

HERE = Path(__file__).parent
Floats = NDArray[np.float64]
BINARY = np.array([0.0, 1.0])
SENSITIVITY, SPECIFICITY = 0.85, 0.97


@dataclass(frozen=True)
class Study:
    """A study to simulate: its size, how often the theme occurs, and how documents differ."""

    documents: int
    segments: int  # in each document
    share: float
    icc: float  # how much of the theme's variance lies between documents
    hardness: float  # sd of the logarithm of what multiplies the coders' errors in a document


GRID = (
    (Study(8, 50, 0.10, 0.1, 0.5), 0.933),
    (Study(10, 25, 0.10, 0.1, 0.5), 0.935),
    (Study(20, 25, 0.10, 0.1, 0.5), 0.928),
    (Study(40, 25, 0.10, 0.1, 0.5), 0.949),
    (Study(20, 25, 0.10, 0.0, 0.0), 0.941),
    (Study(20, 25, 0.10, 0.2, 0.8), 0.931),
    (Study(20, 25, 0.30, 0.1, 0.5), 0.952),
    (Study(40, 25, 0.03, 0.1, 0.5), 0.933),
)


def chances(study: Study, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Return, per document, how often the theme occurs, and the coders' chances to miss it and to give it wrongly."""
    share = np.full(shape, study.share)
    if study.icc:
        total = (1 - study.icc) / study.icc
        share = rng.beta(study.share * total, (1 - study.share) * total, size=shape)
    hard = np.exp(rng.normal(-(study.hardness**2) / 2, study.hardness, size=shape))
    return share, np.minimum((1 - SENSITIVITY) * hard, 0.5), np.minimum((1 - SPECIFICITY) * hard, 0.5)


def truth(study: Study, seed: int = 1) -> float:
    """Return alpha of endlessly many documents."""
    share, miss, wrong = chances(study, (2_000_000,), np.random.default_rng(seed))
    given = (share * (1 - miss) + (1 - share) * wrong).mean()
    apart = (2 * share * miss * (1 - miss) + 2 * (1 - share) * wrong * (1 - wrong)).mean()
    return float(1 - apart / (2 * given * (1 - given)))


def simulated(study: Study, reps: int, seed: int) -> Floats:
    """Return the coincidences of two coders: documents x reps x 2 x 2."""
    rng = np.random.default_rng(seed)
    shape = (study.documents, reps)
    share, miss, wrong = chances(study, shape, rng)
    has = rng.random((study.segments, *shape)) < share
    gave = [np.where(rng.random(has.shape) < np.where(has, miss, wrong), ~has, has) for _ in range(2)]
    both, one = (gave[0] & gave[1]).sum(axis=0), (gave[0] ^ gave[1]).sum(axis=0)
    neither = study.segments - both - one
    return np.stack([2 * neither, one, one, 2 * both], axis=-1).reshape(*shape, 2, 2).astype(np.float64)


def coverage(study: Study, reps: int, seed: int, plan: Plan) -> tuple[float, float, float]:
    """Return how many intervals hold the truth, how many studies have one, and the median width."""
    met = simulated(study, reps, seed)
    made = estimates(by_sums(met, lambda total: alpha_of(total, BINARY)), study.documents, plan)
    bounds = np.array([(e.low, e.high) for e in made if e.low is not None and e.high is not None])
    inside = (bounds[:, 0] <= truth(study)) & (truth(study) <= bounds[:, 1])
    return float(inside.mean()), len(bounds) / reps, float(np.median(np.diff(bounds)))


def segmentwise(study: Study, reps: int, seed: int) -> float:
    """Return the coverage of an interval that takes segments for independent (bootstrap of their four outcomes)."""
    met = simulated(study, reps, seed).sum(axis=0)
    cells = np.stack([met[:, 0, 0] / 2, met[:, 0, 1], met[:, 1, 1] / 2], axis=-1).astype(np.intp)
    rng, inside = np.random.default_rng(seed + 1), []
    true = truth(study)
    for cell in cells:
        drawn = rng.multinomial(cell.sum(), cell / cell.sum(), size=500).astype(np.float64)
        table = np.stack([2 * drawn[:, 0], drawn[:, 1], drawn[:, 1], 2 * drawn[:, 2]], axis=-1).reshape(-1, 2, 2)
        low, high = np.nanquantile(alpha_of(table, BINARY), [0.025, 0.975])
        inside.append(low <= true <= high)
    return float(np.mean(inside))


def coverages(reps: int) -> Iterator[str]:
    """Yield the table of coverage, line by line."""
    yield f"Coverage of the 95 % interval of a theme's alpha, two coders, {reps:,} simulated studies each, seed 0"
    yield "known: the coverage that delete-one-document jackknife-t is known to reach; chosen: what the audit prints"
    yield ""
    yield "documents  share  icc  hardness  true alpha  segments  jackknife-t  known  chosen  none  median width"
    for study, known in GRID:
        always, _, _ = coverage(study, reps, 0, Plan(bootstrap_from=10_000))
        chosen, has, width = coverage(study, reps, 0, Plan())
        yield (
            f"{study.documents:3d} x {study.segments:2d}   {study.share:5.2f} {study.icc:4.1f} {study.hardness:9.1f} "
            f"{truth(study):11.3f} {segmentwise(study, min(reps, 1500), 0):9.3f} {always:12.3f} {known:6.3f} "
            f"{chosen:7.3f} {1 - has:5.3f} {width:13.3f}"
        )


def readings(file: Path, keep: Callable[[dict[str, str]], bool], name: Callable[[str], str]) -> list[Reading]:
    """Return the readings of a table of coding; of two rows of one coder and segment the later one."""
    with file.open(encoding="utf-8", newline="") as opened:
        rows = {(r["doc_id"], r["segment_id"], r["coder"]): r for r in csv.DictReader(opened) if keep(r)}
    return [
        Reading(
            unit=f"{document}/{segment}",
            document=document,
            coder=coder,
            themes={name(code) for code in row["codes"].split(";") if code and name(code)},
        )
        for (document, segment, coder), row in rows.items()
    ]


def real(data: Path) -> Iterator[str]:
    """Yield the figures on public coding beside those known for it."""
    annomi = data / "annomi/segments_10coders.csv"
    sets: tuple[tuple[str, Path, Callable[[dict[str, str]], bool], Callable[[str], str], str], ...] = (
        ("AnnoMI, client talk", annomi, lambda r: r["speaker"] == "client", str, "sets .467 [.28, .66]; mean .47"),
        ("AnnoMI, therapist talk", annomi, lambda r: r["speaker"] == "therapist", str, "mean .44"),
        ("AnnoMI, therapist behaviours", annomi, lambda r: r["speaker"] == "therapist", behaviour,
         "nominal .663, Jaccard .724, MASI .702"),
        ("SIGHT", data / "sight_student_feedback/segments.csv", lambda _: True, str, "mean .82"),
        ("CrowdTruth", data / "crowdtruth_medrel/segments.csv", lambda _: True, str, "mean .18"),
    )  # fmt: skip
    for title, file, keep, name, known in sets:
        rows = readings(file, keep, name)
        made = measure(ratings(rows, sorted({theme for row in rows for theme in row.themes})))
        each = [theme.alpha.value for theme in made.themes if isinstance(theme.alpha.value, float)]
        n = made.counts
        yield f"{title}: {n.units:,} segments, {n.documents:,} documents, {n.coders} coders"
        yield f"  mean alpha of {len(each)} themes {np.mean(each):.3f}; " + "; ".join(
            f"sets, {kind} {told(found)}" for kind, found in made.sets.items()
        )
        yield f"  known: {known}"


def behaviour(code: str) -> str:
    """Return what kind of behaviour a code is; nothing for other talk."""
    return "" if code.endswith(":other") else code.split(":")[0]


def told(found: Estimate) -> str:
    """Return a coefficient with its interval."""
    interval = "" if found.low is None or found.high is None else f" [{found.low:.2f}, {found.high:.2f}]"
    return f"{found.value:.3f}{interval}"


def main() -> None:
    """Print everything, and keep the table of coverage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, help="the folder that holds data/")
    parser.add_argument("--reps", type=int, default=1500, help="simulated studies for each line")
    asked = parser.parse_args()
    lines = []
    for line in coverages(asked.reps):
        print(line, flush=True)
        lines.append(line)
    (HERE / "agreement.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    data = asked.data / "data" if asked.data else studies.data_folder()
    if not data.is_dir():
        sys.exit("skipped the public coding: there is no folder with the data")
    for line in real(data):
        print(line, flush=True)


if __name__ == "__main__":
    main()
