"""Public data -> what is ranked with what, for benchmarks/quality.py: the splits and definitions of the known rows.

nhs      4,902 patients' comments of two trusts; the codebook is the published framework with its example comments
serdif   highlights of seventeen usability interviews in the order of their coding
pdpilot  seven interviews with many themes that hardly occur
sight    comments on lectures that two people coded
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from studies import NOT_THEMES, each_once, five_each, folded, of_the_earlier_half, read

from pipeline.context import Context, around, sentences_of
from pipeline.evaluate import Material
from pipeline.evaluate.protocol import Fold, from_codebook, from_decisions
from pipeline.intake import splitter
from pipeline.rank import codebook_texts
from pipeline.records import Codebook, Exemplar, Segment, SegmentId, Theme, TranscriptId

ORDERS = 5  # random orders of decisions
HELD_OUT = 0.4
DECIDED = (0, 50, 200, 1000)
PARTS = 5  # of all comments, each ranked by what was learned from the others
Vectors = Callable[[Sequence[str]], Mapping[str, NDArray[np.float32]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Test:
    """Segments to rank. A test of several samples is measured on each, and the mean is told."""

    name: str
    material: Material
    samples: tuple[tuple[Fold, ...], ...]
    by_document: bool = False  # whether each document counts alike, however many segments it has

    @property
    def enough(self) -> int:
        """Positives that a theme needs to count in mAP."""
        tested = sum(len(fold.test) for fold in self.samples[0])
        return 10 if tested > 2000 else 5


def nhs(data: Path, vectors: Vectors) -> list[Test]:
    """Return tests on the comments: with the codebook alone, after decisions, from trust to trust."""
    material = _nhs_material(data, vectors)
    everything, nothing = np.arange(len(material.texts)), np.array([], dtype=np.intp)
    tests = [Test(name="NHS, codebook only", material=material, samples=((_fold(everything, nothing),),))]
    held = round(HELD_OUT * len(everything))
    orders = [np.random.default_rng(seed).permutation(everything) for seed in range(ORDERS)]
    for decided in DECIDED:
        samples = tuple((_fold(order[:held], order[held : held + decided]),) for order in orders)
        tests.append(Test(name=f"NHS after {decided:,} decisions", material=material, samples=samples))
    sites = np.array(material.sites)
    for site, other in (("NEAS", "NHFT"), ("NHFT", "NEAS")):
        fold = _fold(np.flatnonzero(sites == other), np.flatnonzero(sites == site))
        tests.append(Test(name=f"NHS, {site} to {other}", material=material, samples=((fold,),)))
    parts = np.array_split(orders[0], PARTS)
    mixed = tuple(_fold(np.sort(part), np.setdiff1d(everything, part)) for part in parts)
    tests.append(Test(name="NHS, mixed", material=material, samples=(mixed,)))
    return tests


def _nhs_material(data: Path, vectors: Vectors) -> Material:
    themes, rows = read(data / "nhs_fft/themes.csv"), read(data / "nhs_fft/segments.csv")
    quotes = {t["code"]: [q.strip() for q in t["examples"].split("||") if q.strip()] for t in themes}
    quotes = {theme: given for theme, given in quotes.items() if given and theme not in NOT_THEMES}
    seen = {folded(quote) for given in quotes.values() for quote in given}
    kept = []
    for row in rows:
        if any(code in quotes for code in row["codes"].split(";")) and folded(row["text"]) not in seen:
            seen.add(folded(row["text"]))
            kept.append(row)
    codebook = codebook_of({t["code"]: t["definition"] for t in themes if t["code"] in quotes}, quotes)
    # Each comment is another patient's: a document of its own.
    return material_of(kept, codebook, vectors, alone=True)


def serdif(data: Path, vectors: Vectors) -> list[Test]:
    """Return tests on the later twelve interviews: exemplars of the first five, or decisions joining one by one."""
    rows = read(data / "serdif_usability/segments_highlights.csv")
    definitions = {t["code"]: t["definition"] for t in read(data / "serdif_usability/themes.csv")}
    order = list(dict.fromkeys(row["doc_id"] for row in rows))
    first = np.array([at for at, row in enumerate(rows) if row["doc_id"] in order[:5]])
    gold = gold_of(rows, list(definitions))
    five = five_each(gold, first)
    later = [row for row in rows if row["doc_id"] in order[5:]]
    nothing = np.array([], dtype=np.intp)
    tests = []
    for name, pick in (("first five interviews", first.tolist()), ("5 quotes per theme", five)):
        quotes = {t: [rows[at]["text"].strip() for at in pick if gold[at, c]] for c, t in enumerate(definitions)}
        material = material_of(later, codebook_of(definitions, quotes), vectors, talk=True)
        tests.append(
            Test(name=f"Serdif, {name}", material=material, samples=((_fold(np.arange(len(later)), nothing),),))
        )
        if name == "first five interviews":
            tests.append(_replay("Serdif replay from five interviews' quotes", material, order[5:]))
    whole = material_of(rows, codebook_of(definitions, {}), vectors, talk=True)
    return [*tests, _replay("Serdif replay from definitions", whole, order, skip=5)]


def _replay(name: str, material: Material, order: Sequence[str], skip: int = 0) -> Test:
    """Return a test of each interview with what was decided on those before it."""
    place = np.array([order.index(document) for document in material.documents])
    folds = [_fold(np.flatnonzero(place == at), np.flatnonzero(place < at)) for at in range(skip, len(order))]
    return Test(name=name, material=material, samples=(tuple(folds),), by_document=True)


def pdpilot(data: Path, vectors: Vectors) -> list[Test]:
    """Return a test of each interview with the coding of the others; overlapping highlights of one text are one."""
    rows = read(data / "pdpilot_interviews/segments_highlights.csv")
    together: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        found = together.setdefault((row["doc_id"], row["text"]), dict(row) | {"codes": ""})
        found["codes"] = ";".join(filter(None, [found["codes"], row["codes"]]))
    told = {t["code"]: t["definition"] or t["parent_definition"] for t in read(data / "pdpilot_interviews/themes.csv")}
    material = material_of(list(together.values()), codebook_of(told, {}), vectors)
    return [Test(name="pdpilot, from other interviews", material=material, samples=(tuple(from_decisions(material)),))]


def sight(data: Path, vectors: Vectors) -> list[Test]:
    """Return tests on the comments: with definitions alone, with the coding of other lectures, with five quotes each.

    A theme counts where one of the two people gave it. The quotes are from the earlier half of the lectures, and the
    later half is ranked.
    """
    rows = each_once(read(data / "sight_student_feedback/segments.csv"))
    told = {t["code"]: t["definition"] for t in read(data / "sight_student_feedback/themes.csv")}
    material = material_of(rows, codebook_of(told, {}), vectors)
    early, gold = of_the_earlier_half(rows), gold_of(rows, list(told))
    five = five_each(gold, np.flatnonzero(early))
    quotes = {theme: [rows[at]["text"].strip() for at in five if gold[at, c]] for c, theme in enumerate(told)}
    later = [row for row, is_early in zip(rows, early, strict=True) if not is_early]
    quoted = material_of(later, codebook_of(told, quotes), vectors)
    alone = _fold(np.arange(len(later)), np.array([], dtype=np.intp))
    return [
        Test(name="SIGHT, definitions only", material=material, samples=(tuple(from_codebook(material)),)),
        Test(name="SIGHT, 5 quotes per theme", material=quoted, samples=((alone,),)),
        Test(name="SIGHT, from other lectures", material=material, samples=(tuple(from_decisions(material)),)),
    ]


SETS = {"nhs_fft": nhs, "serdif_usability": serdif, "pdpilot_interviews": pdpilot, "sight_student_feedback": sight}


def _fold(test: NDArray[np.intp], train: NDArray[np.intp]) -> Fold:
    return Fold(test=test, without=frozenset(), train=train)


def codebook_of(definitions: Mapping[str, str], quotes: Mapping[str, Sequence[str]]) -> Codebook:
    """Return themes; what stands before the last ``>`` of a name is the parent."""
    return Codebook(
        themes=tuple(
            Theme(
                name=name,
                parent=name.rpartition(" > ")[0],
                definition=definition,
                exemplars=tuple(Exemplar(text=quote) for quote in dict.fromkeys(quotes.get(name, ()))),
            )
            for name, definition in definitions.items()
        )
    )


def gold_of(rows: Sequence[Mapping[str, str]], themes: Sequence[str]) -> NDArray[np.bool_]:
    """Return which themes each row was given."""
    return np.array([[theme in row["codes"].split(";") for theme in themes] for row in rows])


def material_of(
    rows: Sequence[Mapping[str, str]], codebook: Codebook, vectors: Vectors, *, alone: bool = False, talk: bool = False
) -> Material:
    """Return rows as segments. ``alone``: each is a document of its own; ``talk``: one follows the other in each."""
    texts = tuple(row["text"].strip() for row in rows)
    documents = tuple(row["segment_id" if alone else "doc_id"] for row in rows)
    split = splitter("en")
    segments = [
        Segment(id=SegmentId(str(at)), transcript=TranscriptId(place), name="", turn=at, start=0, end=0, text=text)
        for at, (text, place) in enumerate(zip(texts, documents, strict=True))
    ]
    near = {
        piece.id: Context(
            before=texts[at - 1] if talk and at and documents[at - 1] == documents[at] else "",
            after=texts[at + 1] if talk and documents[at : at + 2] == (documents[at],) * 2 else "",
            sentences=sentences_of(piece.text, split),
        )
        for at, piece in enumerate(segments)
    }
    known = vectors([*texts, *codebook_texts(codebook), *(text for one in near.values() for text in one.texts)])
    return Material(
        texts=texts,
        vectors=np.stack([known[text] for text in texts]),
        gold=gold_of(rows, codebook.names),
        documents=documents,
        sites=tuple(row.get("site") or "" for row in rows),
        codebook=codebook,
        codebook_vectors={text: known[text] for text in codebook_texts(codebook)},
        around=around(segments, near, known),
    )
