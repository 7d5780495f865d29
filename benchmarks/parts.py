"""What parts of the score are worth that public sets have no data for: tests made up from what they do have.

usage: parts.py [DATA] [--cache DIR] [--out FILE]

DATA is the folder that holds data/, and the cache that of benchmarks/quality.py. Each test ranks the same segments
twice, without what the part lives on and with it, everything else being equal:

near miss   NHS: comments of a first half for which a theme came out on top that nobody gave them, three for each theme,
            as its near misses, which a coder makes of them with a key: the surest, or any; the second half is ranked
rejected    NHS: two hundred decided comments of the first half, with the suggestions that were turned down, or as if
            nobody had been shown any
exclude     NHS: each theme says that the theme it was most mistaken for in the first half is not meant
family      NHS: the framework's groups as parents, with few exemplars for each theme, or for every other one;
            pdpilot: themes with their parents, from other interviews
asked       Serdif, whole interviews: each coded paragraph with the last thing a moderator asked or set as a task
before      the same with the paragraph before
after       the same with the paragraph after, unless a moderator speaks first
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from quality import SETTINGS, Cache
from quality_sets import Test, Vectors, codebook_of, gold_of, material_of, nhs, pdpilot
from studies import data_folder, five_each, read

from pipeline import rank
from pipeline.evaluate import Material
from pipeline.evaluate.metrics import by_row, mean_average_precision
from pipeline.evaluate.ranked import lesson
from pipeline.records import Codebook, Exemplar, Kind

Matrix = NDArray[np.float64]
Rows = NDArray[np.intp]
REPLICATES = 1000
MISSES = 3  # near misses of each theme
DECIDED = 200
SPEAKERS = {"moderator", "task_prompt"}  # who asks, in Serdif


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """Scores of the same segments without a part and with it."""

    part: str
    name: str
    gold: NDArray[np.bool_]
    places: Sequence[str]
    without: Matrix
    having: Matrix


def main() -> None:
    """Read the command line, measure, and print the table."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("data", nargs="?", type=Path, metavar="DATA")
    told.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "themescout-quality")
    told.add_argument("--out", type=Path, metavar="FILE")
    given = told.parse_args()
    data = data_folder(given.data)
    if not data.is_dir():
        sys.exit(f"skipped everything: {data} is not there; name the folder that holds data/, or set THEMESCOUT_SHARED")
    vectors = Cache(given.cache, "minilm")
    test = nhs(data, vectors)[0]
    pairs = [*confusions(test, vectors), *families(data, test, vectors), *surroundings(data, vectors)]
    text = "\n".join([*HEAD, *(line(pair) for pair in pairs)]) + "\n"
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    print(text)


HEAD = (
    "# Parts of the score, each where it has something to live on",
    "",
    "Written by `python benchmarks/parts.py --out benchmarks/parts.md`, whose head says what each test is. In brackets",
    "the change and its 95 % interval, documents drawn again; in NHS each comment is a document of its own.",
    "",
    "| part | test | segments | R@3 without | with | MRR without | with | mAP without | with |",
    "|---|---|---|---|---|---|---|---|---|",
)


def confusions(test: Test, vectors: Vectors) -> list[Pair]:
    """Return tests on what themes are mistaken for, found on a first half of the comments and tried on the second."""
    whole = test.material
    order = np.random.default_rng(0).permutation(len(whole.texts))
    seen, later = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
    plain = scores(whole, seen)
    wrong = ~whole.gold[seen] & (plain >= plain.max(axis=1, keepdims=True))  # a theme on top that nobody gave

    def pair(part: str, name: str, having: Matrix, without: Matrix | None = None) -> Pair:
        base = scores(whole, later) if without is None else without
        return Pair(
            part=part,
            name=name,
            gold=whole.gold[later],
            places=[whole.places[row] for row in later],
            without=base,
            having=having,
        )

    surest = with_vectors(whole, near_misses(whole, seen, wrong, plain), vectors)
    chance = np.random.default_rng(1).random(plain.shape)
    anyone = with_vectors(whole, near_misses(whole, seen, wrong, chance), vectors)
    noted = with_vectors(whole, notes(whole.codebook, whole.gold[seen], wrong), vectors)
    decided = order[:DECIDED]
    said = rank.Labelled(
        texts=tuple(whole.texts[row] for row in decided),
        vectors=whole.vectors[decided],
        gold=whole.gold[decided].astype(float),
        rejected=np.zeros((DECIDED, len(whole.codebook.themes)), dtype=bool),
        documents=tuple(whole.places[row] for row in decided),
    )
    turned = replace(said, rejected=wrong[np.searchsorted(seen, decided)])
    return [
        pair("near miss", f"NHS, the {MISSES} surest for each theme", scores(surest, later)),
        pair("near miss", f"NHS, any {MISSES} for each theme", scores(anyone, later)),
        pair("rejected", f"NHS after {DECIDED} decisions", scores(whole, later, turned), scores(whole, later, said)),
        pair("exclude", "NHS, what each theme is mistaken for", scores(noted, later)),
    ]


def near_misses(whole: Material, seen: Rows, wrong: NDArray[np.bool_], first: Matrix) -> Codebook:
    """Return the codebook with a few mistakes of each theme as its near misses: those with the largest ``first``."""
    themes = []
    for column, theme in enumerate(whole.codebook.themes):
        rows = np.flatnonzero(wrong[:, column])
        some = rows[np.argsort(-first[rows, column], kind="stable")][:MISSES]
        quotes = (Exemplar(text=whole.texts[seen[row]], kind=Kind.NEAR_MISS) for row in some)
        themes.append(replace(theme, exemplars=(*theme.exemplars, *quotes)))
    return Codebook(themes=tuple(themes))


def notes(codebook: Codebook, gold: NDArray[np.bool_], wrong: NDArray[np.bool_]) -> Codebook:
    """Return the codebook in which each theme excludes what the theme it is most often mistaken for is about."""
    often = wrong.T.astype(float) @ gold
    about = [theme.definition or theme.name for theme in codebook.themes]
    return Codebook(
        themes=tuple(
            replace(theme, exclude=about[int(row.argmax())] if row.any() else "")
            for theme, row in zip(codebook.themes, often, strict=True)
        )
    )


def families(data: Path, test: Test, vectors: Vectors) -> list[Pair]:
    """Return tests of themes with parents and little of their own."""
    groups = {theme["code"]: theme["group"] for theme in read(data / "nhs_fft/themes.csv")}
    kept: Mapping[str, Callable[[int], int]] = {
        "one exemplar for each theme": lambda _at: 1,
        "two exemplars for every other theme": lambda at: 2 * (at % 2),
        "all exemplars, one for every other theme": lambda at: 1 if at % 2 else 1000,
    }
    made = [(f"NHS, {name}", test, related(test.material, groups, some)) for name, some in kept.items()]
    (other,) = pdpilot(data, vectors)
    made.append((other.name, other, other.material))
    return [
        Pair(
            part="family",
            name=name,
            gold=material.gold,
            places=material.places,
            without=ranked(replace(of, material=orphaned(material))),
            having=ranked(replace(of, material=material)),
        )
        for name, of, material in made
    ]


def related(material: Material, groups: Mapping[str, str], keep: Callable[[int], int]) -> Material:
    """Return themes with their groups as parents, and as many exemplars as ``keep`` says, drawn by chance."""
    rng, themes = np.random.default_rng(0), []
    for at, theme in enumerate(material.codebook.themes):
        quotes = [theme.exemplars[row] for row in rng.permutation(len(theme.exemplars))]
        themes.append(replace(theme, parent=groups[theme.name], exemplars=tuple(quotes[: keep(at)])))
    return replace(material, codebook=Codebook(themes=tuple(themes)))


def orphaned(material: Material) -> Material:
    """Return the same themes without parents."""
    themes = tuple(replace(theme, parent="") for theme in material.codebook.themes)
    return replace(material, codebook=Codebook(themes=themes))


def surroundings(data: Path, vectors: Vectors) -> list[Pair]:
    """Return tests on whole interviews: what participants said in the later ones, from five quotes of the others."""
    folder = data / "serdif_usability"
    marked = read(folder / "segments_highlights.csv")
    definitions = {theme["code"]: theme["definition"] for theme in read(folder / "themes.csv")}
    order = list(dict.fromkeys(row["doc_id"] for row in marked))
    gold = gold_of(marked, list(definitions))
    five = five_each(gold, np.array([at for at, row in enumerate(marked) if row["doc_id"] in order[:5]]))
    quotes = {t: [marked[at]["text"].strip() for at in five if gold[at, c]] for c, t in enumerate(definitions)}
    rows = [row for row in read(folder / "segments.csv") if row["text"].strip()]
    material = material_of(rows, codebook_of(definitions, quotes), vectors)
    coded = [bool(row["codes"]) and row["speaker"] not in SPEAKERS and row["doc_id"] in order[5:] for row in rows]
    some = np.flatnonzero(coded)
    known = {"asked": _asked(rows), "before": _beside(rows, -1), "after": _beside(rows, 1)}
    every = _with_around(material, known)
    return [
        Pair(
            part=part,
            name="Serdif, whole interviews, 5 quotes per theme",
            gold=material.gold[some],
            places=[material.places[row] for row in some],
            without=scores(_with_around(material, {key: v for key, v in known.items() if key != part}), some),
            having=scores(every, some),
        )
        for part in known
    ]


def _asked(rows: Sequence[Mapping[str, str]]) -> Rows:
    found, last = np.full(len(rows), rank.NONE), rank.NONE
    for at, row in enumerate(rows):
        last = last if at and rows[at - 1]["doc_id"] == row["doc_id"] else rank.NONE
        found[at] = last
        last = at if row["speaker"] in SPEAKERS else last
    return found


def _beside(rows: Sequence[Mapping[str, str]], step: int) -> Rows:
    """Return the row before or after each; after it, no moderator's."""
    found = np.arange(len(rows)) + step
    for at in range(len(rows)):
        there = 0 <= found[at] < len(rows) and rows[found[at]]["doc_id"] == rows[at]["doc_id"]
        if not there or (step > 0 and rows[found[at]]["speaker"] in SPEAKERS):
            found[at] = rank.NONE
    return found


def _with_around(material: Material, known: Mapping[str, Rows]) -> Material:
    around = material.around
    assert around is not None
    texts = len(around.vectors)
    shifted = {part: np.where(rows == rank.NONE, rank.NONE, rows + texts) for part, rows in known.items()}
    return replace(material, around=replace(around, vectors=np.vstack([around.vectors, material.vectors]), **shifted))


def with_vectors(material: Material, codebook: Codebook, vectors: Vectors) -> Material:
    """Return the material with another codebook."""
    known = vectors(rank.codebook_texts(codebook))
    return replace(material, codebook=codebook, codebook_vectors=dict(known))


def ranked(test: Test) -> Matrix:
    """Return the scores of all segments of a test."""
    material = test.material
    found = np.zeros(material.gold.shape)
    for part in test.samples[0]:
        taught = lesson(material, part, SETTINGS)
        found[part.test] = scores(replace(material, codebook=taught.codebook), part.test, taught.labelled)
    return found


def scores(material: Material, rows: Rows, labelled: rank.Labelled | None = None) -> Matrix:
    """Return the scores of some segments."""
    ranker = rank.fit(material.codebook, material.codebook_vectors, labelled, SETTINGS)
    around = material.around.part(rows) if material.around is not None else None
    return rank.score(ranker, [material.texts[row] for row in rows], material.vectors[rows], around).total


def line(pair: Pair) -> str:
    """Return the row of a table."""
    some = pair.gold.any(axis=1)
    gold, places = pair.gold[some], np.array(pair.places)[some]
    without, having = (by_row(found[some], gold) for found in (pair.without, pair.having))
    cells = []
    for key in ("recall@3", "mrr"):
        low, high = np.percentile(drawn(having[key] - without[key], places), [2.5, 97.5])
        change = having[key].mean() - without[key].mean()
        cells.append(f"{without[key].mean():.3f} | {having[key].mean():.3f} ({change:+.3f} [{low:+.3f}, {high:+.3f}])")
    enough = 10 if len(gold) > 2000 else 5
    first, second = (mean_average_precision(found[some], gold, enough) or 0.0 for found in (pair.without, pair.having))
    return f"| {pair.part} | {pair.name} | {len(gold):,} | {' | '.join(cells)} | {first:.3f} | {second:.3f} |"


def drawn(values: Matrix, places: NDArray[np.str_]) -> Matrix:
    """Return the mean in samples of documents drawn with replacement."""
    _, of = np.unique(places, return_inverse=True)
    sums, counts = np.bincount(of, values), np.bincount(of)
    pick = np.random.default_rng(0).integers(0, len(counts), (REPLICATES, len(counts)))
    return np.asarray(sums[pick].sum(axis=1) / counts[pick].sum(axis=1))


if __name__ == "__main__":
    main()
