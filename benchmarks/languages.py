"""How well encoders find themes across languages, and in languages that they do not know.

usage: languages.py [ENCODER...]        (`minilm static` unless others are named; folders work too)

SIB-200 (Adelani et al. 2024): the same sentences in several languages, each of one of seven themes. A codebook of ten
exemplars per theme is drawn from the training part, in English or in the language of the test sentences; the other
parts are ranked by this program with that codebook alone. Figures are means over 20 draws, with the standard deviation
between draws; beside them, what always naming the commonest themes of the training part would reach.
The sentences lie in sib200_multilingual of the folder THEMESCOUT_SHARED or ../shared, and are not part of this program.

Prints one table, and the figures as they stand in models/manifest.toml.
"""

import csv
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import studies
from numpy.typing import NDArray

from pipeline import embed, rank
from pipeline.config import EmbedSettings, RankSettings
from pipeline.records import Codebook, Exemplar, Theme

DRAWS = 20
EXEMPLARS = 10  # per theme
Vectors = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentences:
    """The sentences of one language."""

    texts: tuple[str, ...]
    themes: tuple[str, ...]
    train: tuple[bool, ...]  # whether each belongs to the part that exemplars come from


def main() -> None:
    """Measure the encoders that were named."""
    data = studies.data_folder() / "sib200_multilingual" / "segments.csv"
    if not data.is_file():
        sys.exit(f"skipped: there is no {data}")
    languages = read(data)
    for name in sys.argv[1:] or ["minilm", "static"]:
        located = embed.ready(embed.locate(EmbedSettings(encoder=name), Path.cwd()), lambda *_: None)
        encoder = embed.load(located)
        vectors = {text: row for one in languages.values() for text, row in encoded(encoder, one.texts).items()}
        vectors |= encoded(encoder, sorted(set(languages["en"].themes)))
        report(name, languages, vectors)


def read(file: Path) -> dict[str, Sentences]:
    """Return the sentences by language, English first."""
    with file.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    found = {}
    for language in sorted({row["lang"] for row in rows}, key=lambda tag: (tag != "en", tag)):
        own = [row for row in rows if row["lang"] == language]
        found[language] = Sentences(
            texts=tuple(row["text"] for row in own),
            themes=tuple(row["codes"] for row in own),
            train=tuple(row["split"] == "train" for row in own),
        )
    return found


def encoded(encoder: embed.Encoder, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Return a vector per text."""
    return {
        text: row
        for portion in embed.in_portions(texts)
        for text, row in zip(portion, encoder.encode(portion), strict=True)
    }


def report(name: str, languages: Mapping[str, Sentences], vectors: Vectors) -> None:
    """Print the figures of one encoder."""
    often = [theme for theme, _ in Counter(trained(languages["en"])).most_common()]
    print(f"{name}: hit@1 and hit@3 with their standard deviations over {DRAWS} draws")
    figures: dict[str, list[float]] = {}
    for language, test in languages.items():
        asked = [theme for theme, train in zip(test.themes, test.train, strict=True) if not train]
        chance = [np.mean([theme in often[:k] for theme in asked]) for k in (1, 3)]
        for label, source in {"English exemplars": languages["en"], "its own": test}.items():
            drawn = np.array([hits(source, test, vectors, seed) for seed in range(DRAWS)])
            mean, spread = drawn.mean(axis=0), drawn.std(axis=0)
            told = "   ".join(f"{m:.3f} ± {s:.3f}" for m, s in zip(mean, spread, strict=True))
            print(f"  {language}  {label:18s} {told}   commonest {chance[0]:.3f}, {chance[1]:.3f}")
            if source is languages["en"]:
                figures[language] = [round(float(value), 2) for value in mean]
    figures["commonest"] = [round(float(value), 2) for value in chance]
    print("\n".join(f"{language} = {pair}" for language, pair in figures.items()), flush=True)


def trained(some: Sentences) -> list[str]:
    """Return the themes of the training part."""
    return [theme for theme, train in zip(some.themes, some.train, strict=True) if train]


def hits(source: Sentences, test: Sentences, vectors: Vectors, seed: int) -> tuple[float, float]:
    """Return for how many test sentences the right theme comes first, and among the first three."""
    rng = np.random.default_rng(seed)
    names = sorted(set(test.themes))
    usable = rng.permutation(np.flatnonzero(source.train))
    of = {name: [source.texts[i] for i in usable if source.themes[i] == name][:EXEMPLARS] for name in names}
    codebook = Codebook(
        themes=tuple(Theme(name=name, exemplars=tuple(Exemplar(text=text) for text in of[name])) for name in names)
    )
    ranker = rank.fit(codebook, vectors, None, RankSettings())
    asked = [at for at, train in enumerate(test.train) if not train]
    texts = [test.texts[at] for at in asked]
    scores = rank.score(ranker, texts, np.stack([vectors[text] for text in texts])).total
    order = np.argsort(-scores, axis=1, kind="stable")
    gold = np.array([names.index(test.themes[at]) for at in asked])[:, None]
    return float((order[:, :1] == gold).any(axis=1).mean()), float((order[:, :3] == gold).any(axis=1).mean())


if __name__ == "__main__":
    main()
