"""How good the suggestions are on public data, beside the baselines, known rows and goals: one table as Markdown.

usage: quality.py [DATA] [--cache DIR] [--encoder NAME] [--only SET ...] [--encoders] [--ablate] [--out FILE]

DATA is the folder that holds data/; without it the environment variable THEMESCOUT_SHARED, then ../shared is used. The
data keep their own licences and stay there: figures alone are written. Sets that are absent are skipped, and named.
Vectors are kept in the cache by the hash of their text: a second run encodes nothing.

recall, MRR, mAP   as in `themescout evaluate`; mAP over themes with at least 10 positives where more than 2,000
                   segments are tested, else 5
[ ]                95 % interval: documents drawn again (a comment is a document of its own), and, where decisions come
                   in several random orders, over these as well
--encoders         rows of the encoder that `themescout adapt` leaves a new study of NHS, Serdif and SIGHT with, of the
                   static one, and of one that is fine-tuned as SetFit does it: an hour the first time
--ablate           each part of the score taken away in turn
"""

import argparse
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from quality_encoders import other_encoders
from quality_goals import KNOWN, MEASURES, Result, between, goals, span_of
from quality_sets import SETS, Test
from studies import data_folder

from pipeline import __version__, embed, rank
from pipeline.config import EmbedSettings, RankSettings
from pipeline.evaluate.intervals import Draws, draw, precisions, share
from pipeline.evaluate.metrics import by_row, expected_calibration_error, mean_average_precision, reliability
from pipeline.evaluate.ranked import Ranked, lesson, simple
from pipeline.evaluate.ranked import rank as rank_folds
from pipeline.evaluate.systems import System

Matrix = NDArray[np.float64]
NAMES = {"recall@1": "R@1", "recall@3": "R@3", "recall@5": "R@5", "mrr": "MRR"}
REPLICATES = 1000
SETTINGS = RankSettings()


class Cache:
    """Vectors by the hash of their text, in one file for each encoder."""

    def __init__(self, folder: Path, encoder: str) -> None:
        self.located = embed.ready(embed.locate(EmbedSettings(encoder=encoder), Path()), lambda *_: None)
        self.file = folder / f"vectors-{self.located.fingerprint}.npz"
        self.rows: dict[str, NDArray[np.float32]] = {}
        if self.file.is_file():
            with np.load(self.file) as held:
                self.rows = dict(zip(held["keys"].tolist(), held["rows"], strict=True))

    def __call__(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vector of each text; those that are new are encoded and kept."""
        keys = {text: sha256(text.encode()).hexdigest()[:20] for text in texts}
        missing = [text for text, key in keys.items() if key not in self.rows]
        if missing:
            encoder = embed.load(self.located)
            for portion in embed.in_portions(missing):
                self.rows |= dict(zip((keys[text] for text in portion), encoder.encode(portion), strict=True))
            self.file.parent.mkdir(parents=True, exist_ok=True)
            np.savez(self.file, keys=np.array(list(self.rows)), rows=np.stack(list(self.rows.values())))
        return {text: self.rows[key] for text, key in keys.items()}


def main() -> None:
    """Read the command line, measure, and print the tables."""
    given = _arguments()
    data = data_folder(given.data)
    if not data.is_dir():
        sys.exit(f"skipped everything: {data} is not there; name the folder that holds data/, or set THEMESCOUT_SHARED")
    vectors = Cache(given.cache, given.encoder)
    tests, skipped = _tests(data, given.only, vectors)
    others: Mapping[str, Mapping[str, System]] = {}
    more: list[Test] = []
    about: list[str] = []
    if given.encoders:
        make = partial(Cache, given.cache)
        more, others, about = other_encoders(data, given.only, (given.cache, given.encoder), make)
    results = {}
    for test in (*tests, *more):
        print(f"measuring {test.name}", file=sys.stderr, flush=True)
        results[test.name] = measured(test, others.get(test.name, {}))
    lines = [*_head(vectors.located.fingerprint, skipped), *table(results), *goals(results), *about]
    if given.ablate:
        lines += ablation(tests)
    text = "\n".join(lines) + "\n"
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    print(text)


def _arguments() -> argparse.Namespace:
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("data", nargs="?", type=Path, metavar="DATA")
    told.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "themescout-quality")
    told.add_argument("--encoder", default="minilm")
    told.add_argument("--only", nargs="+", choices=list(SETS), default=list(SETS), metavar="SET")
    told.add_argument("--encoders", action="store_true")
    told.add_argument("--ablate", action="store_true")
    told.add_argument("--out", type=Path, metavar="FILE")
    return told.parse_args()


def _tests(data: Path, only: Sequence[str], vectors: Cache) -> tuple[list[Test], list[str]]:
    tests: list[Test] = []
    skipped = []
    for folder in only:
        if (data / folder).is_dir():
            print(f"reading {folder}", file=sys.stderr, flush=True)
            tests += SETS[folder](data, vectors)
        else:
            skipped.append(folder)
    return tests, skipped


def measured(test: Test, others: Mapping[str, System]) -> dict[str, Result]:
    """Return what every system reaches, on average over the samples of a test; ``others`` besides the baselines."""
    baselines = {**simple(test.material), **others}
    samples: dict[str, list[Result]] = {}
    for folds in test.samples:
        ranked = rank_folds(test.material, folds, SETTINGS, baselines, lambda *_: None)
        draws = draw(ranked.places, REPLICATES // len(test.samples))
        for name in ranked.scores:
            samples.setdefault(name, []).append(_result(test, ranked, name, draws))
    return {name: _mean(found) for name, found in samples.items()}


def _result(test: Test, ranked: Ranked, name: str, draws: Draws | None) -> Result:
    coded = np.flatnonzero(ranked.gold.any(axis=1))
    scores, gold, places = ranked.scores[name][coded], ranked.gold[coded], [ranked.places[row] for row in coded]
    each = {NAMES[key]: values for key, values in by_row(scores, gold).items() if key in NAMES}
    weight = _weights(places) if test.by_document else np.ones(len(gold))
    values: dict[str, float | None] = {key: float(np.average(v, weights=weight)) for key, v in each.items()}
    values["mAP"] = mean_average_precision(scores, gold, test.enough)
    ours = name == "themescout"
    values["ECE"] = expected_calibration_error(reliability(ranked.chance, ranked.gold)) if ours else None
    drawn: dict[str, Matrix] = {}
    if draws is not None:
        draws = replace(draws, of=draws.of[coded])
        drawn = {key: share(draws, v * weight, weight) for key, v in each.items()}
        drawn["mAP"] = np.nanmean(precisions(draws, scores, gold)[:, gold.sum(axis=0) >= test.enough], axis=1)
    return Result(values=values, drawn=drawn, documents=len(set(places)))


def _weights(places: Sequence[str]) -> Matrix:
    _, of, counts = np.unique(np.array(places), return_inverse=True, return_counts=True)
    return np.asarray(1 / counts[of])


def _mean(samples: Sequence[Result]) -> Result:
    values = {}
    for key in MEASURES:
        known = [v for sample in samples if (v := sample.values[key]) is not None]
        values[key] = float(np.mean(known)) if known else None
    drawn = {key: np.concatenate([sample.drawn[key] for sample in samples]) for key in samples[0].drawn}
    return Result(values=values, drawn=drawn, documents=min(sample.documents for sample in samples))


def _head(encoder: str, skipped: Sequence[str]) -> list[str]:
    libraries = ", ".join(
        f"{name} {version(name)}" for name in ("numpy", "scikit-learn", "sentence-transformers", "torch")
    )
    return [
        "# Quality of the suggestions",
        "",
        "Written by `python benchmarks/quality.py --encoders --ablate --out benchmarks/quality.md`: public data sets.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, themescout {__version__}, encoder {encoder}, "
        f"Python {platform.python_version()}, {libraries}; settings: the defaults of `[rank]`.",
        "",
        "In Serdif, where segments follow one another, the highlights beside each are what was said before and "
        "after it (columns `before` and `after` of the ablation); elsewhere nothing is around a segment but its own "
        "sentences.",
        *(f"Skipped, because it is absent: {folder}." for folder in skipped),
        "",
    ]


def table(results: Mapping[str, Mapping[str, Result]]) -> list[str]:
    """Return the rows of every system on every test, with those that are known."""
    lines = [
        "| test | system | " + " | ".join(MEASURES) + " | R@3 [95 %] |",
        "|---|---|" + "---|" * (len(MEASURES) + 1),
    ]
    for test, systems in results.items():
        for name, result in systems.items():
            strong = "**" if name == "themescout" else ""
            figures = " | ".join(_figure(result.values[key], strong) for key in MEASURES)
            lines.append(f"| {test} | {strong}{name}{strong} | {figures} | {between(span_of(result, 'R@3'))} |")
        for name, row in KNOWN.get(test, {}).items():
            figures = " | ".join(_figure(value) for value in (*row, None))
            lines.append(f"| {test} | {name} | {figures} | |")
    return [*lines, ""]


def _figure(value: float | None, strong: str = "") -> str:
    return "" if value is None else f"{strong}{value:.3f}{strong}"


def ablation(tests: Sequence[Test]) -> list[str]:
    """Return what each part of the score is worth: the change in R@3 and in mAP when it is taken away."""
    lines = [
        "## Ablation",
        "",
        "Change in R@3 / mAP when a part of the score is taken away, all else as it was fitted.",
        "",
    ]
    lines += ["| test | " + " | ".join(rank.PARTS) + " |", "|---|" + "---|" * len(rank.PARTS)]
    for test in tests:
        print(f"taking parts away, {test.name}", file=sys.stderr, flush=True)
        whole, without = _taken_away(test)
        cells = [f"{part[0] - whole[0]:+.3f} / {part[1] - whole[1]:+.3f}" for part in without]
        lines.append(f"| {test.name} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _taken_away(test: Test) -> tuple[tuple[float, float], list[tuple[float, float]]]:
    material = test.material
    rows = np.sort(np.concatenate([fold.test for fold in test.samples[0]]))
    totals = np.zeros((1 + len(rank.PARTS), len(rows), material.gold.shape[1]))
    for fold in test.samples[0]:
        taught = lesson(material, fold, SETTINGS)
        ranker = rank.fit(taught.codebook, taught.vectors, taught.labelled, taught.settings)
        near = material.around.part(fold.test) if material.around is not None else None
        found = rank.score(ranker, [material.texts[row] for row in fold.test], material.vectors[fold.test], near)
        kept = [found.total, *(found.total - found.parts[name] for name in rank.PARTS)]
        totals[:, np.searchsorted(rows, fold.test)] = np.stack(kept)
    coded = material.gold[rows].any(axis=1)
    totals, rows = totals[:, coded], rows[coded]
    gold = material.gold[rows]
    weight = _weights([material.places[row] for row in rows]) if test.by_document else np.ones(len(rows))
    figures = [
        (
            float(np.average(by_row(scores, gold)["recall@3"], weights=weight)),
            mean_average_precision(scores, gold, test.enough) or 0.0,
        )
        for scores in totals
    ]
    return figures[0], figures[1:]


if __name__ == "__main__":
    main()
