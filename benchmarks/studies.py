"""Public data -> themescout studies, to try and to measure the program on.

usage: studies.py nhs|serdif|sight|haski|annomi [DATA] OUT [--five]

nhs     4,902 patients' comments from two trusts with their coding; the codebook is the published framework
serdif  highlights of twelve usability interviews with their coding; exemplars are those of the first five interviews,
        or five per theme of them (--five)
sight   what students wrote under the later half of the lectures, and what two coders gave it; exemplars are five
        comments per theme on the earlier half
haski   three German interviews as DOCX; the codebook is made up
annomi  six counselling dialogues, each as VTT, SRT and TXT, one site per format; themes without exemplars

DATA is the folder that holds `data/`; without it the environment variable THEMESCOUT_SHARED, then ../shared is used.
The data keep their own licences: nothing of them belongs into this repository.
"""

import argparse
import csv
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Row = Mapping[str, str]
CODEBOOK = ("theme", "parent", "definition", "include", "exclude", "exemplar", "kind", "source")
SEGMENTS = ("document", "segment", "speaker", "text")
CODING = ("document", "segment", "coder", "codes", "coded_at", "site")
NOT_THEMES = {"Labelling not possible", "Not assigned"}


def nhs(data: Path, out: Path) -> None:
    """Write the comments that the framework's themes with examples were given to, each text once."""
    themes, rows = read(data / "nhs_fft/themes.csv"), read(data / "nhs_fft/segments.csv")
    quotes = {t["code"]: [q.strip() for q in t["examples"].split("||") if q.strip()] for t in themes}
    quotes = {theme: given for theme, given in quotes.items() if given and theme not in NOT_THEMES}
    seen = {folded(quote) for given in quotes.values() for quote in given}
    kept, skipped = [], Counter[str]()
    for row in rows:
        if not any(code in quotes for code in row["codes"].split(";")):
            skipped["rows with none of the themes"] += 1
        elif folded(row["text"]) in seen:
            skipped["rows that repeat an exemplar or another row"] += 1
        else:
            seen.add(folded(row["text"]))
            kept.append(row)
    definitions = {t["code"]: t["definition"] for t in themes}
    entries = [
        {"theme": theme, "definition": definitions[theme], "exemplar": quote}
        for theme, given in quotes.items()
        for quote in given
    ]
    sites = list(dict.fromkeys(row["site"] for row in kept))
    write(out / "codebook.csv", CODEBOOK, entries)
    for site in sites:
        write(out / "transcripts" / site / "comments.csv", SEGMENTS, segments(r for r in kept if r["site"] == site))
    write(out / "coding.csv", CODING, coding(kept, set(quotes), "team"))
    study(out, "NHS comments", [{"name": site, "transcripts": f"transcripts/{site}"} for site in sites], min_words=1)
    tell(skipped, f"{len(kept)} segments, {len(quotes)} themes, {len(entries)} exemplars, sites {', '.join(sites)}")


def serdif(data: Path, out: Path, *, five: bool) -> None:
    """Write the highlights of the later twelve interviews; the first five give the exemplars."""
    rows = read(data / "serdif_usability/segments_highlights.csv")
    definitions = {t["code"]: t["definition"] for t in read(data / "serdif_usability/themes.csv")}
    order = list(dict.fromkeys(row["doc_id"] for row in rows))
    first = np.array([at for at, row in enumerate(rows) if row["doc_id"] in order[:5]])
    gold = np.array([[theme in row["codes"].split(";") for theme in definitions] for row in rows])
    entries = exemplars(definitions, rows, gold, five_each(gold, first) if five else first.tolist())
    later = [row for row in rows if row["doc_id"] in order[5:]]
    write(out / "codebook.csv", CODEBOOK, entries)
    write(out / "transcripts/highlights.csv", SEGMENTS, segments(later))
    write(out / "coding.csv", CODING, coding(later, set(definitions), "admin"))
    study(out, "Serdif usability", [{"name": "Serdif", "transcripts": "transcripts"}], min_words=1)
    tell({}, f"{len(later)} segments, {len(definitions)} themes, {len(entries)} rows of codebook")


def sight(data: Path, out: Path) -> None:
    """Write comments on the later half of the lectures; those on the earlier half give five exemplars per theme."""
    given = read(data / "sight_student_feedback/segments.csv")
    definitions = {t["code"]: t["definition"] for t in read(data / "sight_student_feedback/themes.csv")}
    rows = each_once(given)
    early = of_the_earlier_half(rows)
    gold = np.array([[theme in row["codes"].split(";") for theme in definitions] for row in rows])
    entries = exemplars(definitions, rows, gold, five_each(gold, np.flatnonzero(early)))
    later = [row for row, is_early in zip(rows, early, strict=True) if not is_early]
    documents = {row["doc_id"] for row in later}
    write(out / "codebook.csv", CODEBOOK, entries)
    write(out / "transcripts/comments.csv", SEGMENTS, segments(later))
    lines = [
        line
        for coder in sorted({row["coder"] for row in given})
        for line in coding(
            [r | {"site": "SIGHT"} for r in given if r["coder"] == coder and r["doc_id"] in documents],
            set(definitions),
            coder,
        )
    ]
    write(out / "coding.csv", CODING, lines)
    study(out, "Comments on lectures", [{"name": "SIGHT", "transcripts": "transcripts"}], min_words=1)
    tell({}, f"{len(later)} segments, {len(definitions)} themes, {len(entries)} rows of codebook")


def each_once(rows: Iterable[Row]) -> list[dict[str, str]]:
    """Return a row for each segment, with the codes that any of its coders gave."""
    together: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        found = together.setdefault((row["doc_id"], row["segment_id"]), dict(row) | {"codes": ""})
        found["codes"] = ";".join(filter(None, [found["codes"], row["codes"]]))
    return list(together.values())


def of_the_earlier_half(rows: Sequence[Row]) -> list[bool]:
    """Tell of each row whether its document is among the first half of them."""
    order = list(dict.fromkeys(row["doc_id"] for row in rows))
    return [order.index(row["doc_id"]) < len(order) // 2 for row in rows]


def five_each(gold: NDArray[np.bool_], among: NDArray[np.intp]) -> list[int]:
    """Return five rows of each theme (gold is rows x themes), drawn from some rows."""
    rng = np.random.default_rng(0)
    return sorted({int(at) for theme in gold.T for at in rng.permutation(among[theme[among]])[:5]})


def exemplars(
    definitions: Mapping[str, str], rows: Sequence[Row], gold: NDArray[np.bool_], pick: Sequence[int]
) -> list[Row]:
    """Return the rows of a codebook whose exemplars are some coded segments, each with its source."""
    entries: list[Row] = []
    for column, (theme, definition) in enumerate(definitions.items()):
        mine = [rows[at] for at in pick if gold[at, column]]
        quotes = {row["text"].strip(): f"{row['doc_id']}#{row['segment_id']}" for row in reversed(mine)}
        entry = {"theme": theme, "definition": definition}
        given = [{**entry, "exemplar": text, "source": source} for text, source in reversed(quotes.items())]
        entries += given or [entry]
    return entries


HASKI = {
    "Qualität der Rückmeldung": (
        "Wie hilfreich, genau oder verständlich die schriftliche Rückmeldung des Programms ist.",
        (
            "Der Hinweis hat mir gesagt, welcher Gedanke noch fehlt.",
            "Die Kritik war mir zu ungenau.",
        ),
    ),
    "Verständlichkeit der Punktzahl": (
        "Ob klar ist, was die Punktzahl oder bestanden und nicht bestanden bedeutet.",
        ("Ich wusste nicht, ob 70 Punkte nun gut sind.", "An der Zahl sehe ich sofort, wo ich stehe."),
    ),
    "Motivation": (
        "Ob das Werkzeug Lust macht, weiterzuüben, oder sie nimmt.",
        (
            "Ich wollte unbedingt noch ein paar Punkte mehr schaffen.",
            "Nach drei Versuchen hatte ich keine Lust mehr.",
        ),
    ),
    "Prüfungsvorbereitung": (
        "Nutzen für die Klausur: Nähe zu echten Aufgaben, Sicherheit vor der Prüfung.",
        ("So eine Aufgabe könnte genau so in der Klausur stehen.",),
    ),
    "Bedienung": (
        "Wie leicht das Programm zu bedienen ist, auch Grenzen wie die Zeichenzahl.",
        ("Ich habe den Knopf zum Abschicken erst nicht gefunden.",),
    ),
    "Vertrauen in die KI": (
        "Ob man der Bewertung durch die Maschine glaubt.",
        ("Ich bin nicht sicher, ob die Maschine das wirklich versteht.",),
    ),
    "Wünsche": ("Was verbessert oder ergänzt werden soll.", ("Schön wäre eine Musterlösung am Ende.",)),
}


def haski(data: Path, out: Path) -> None:
    """Write the three German interviews with a made-up codebook."""
    entries = [
        {"theme": theme, "definition": definition, "exemplar": quote}
        for theme, (definition, quotes) in HASKI.items()
        for quote in quotes
    ]
    write(out / "codebook.csv", CODEBOOK, entries)
    copied = copy(sorted((data / "transcripts_raw/haski_de_docx").glob("*.docx")), out / "transcripts")
    site = {"name": "HASKI", "transcripts": "transcripts", "language": "de", "moderators": ["I"]}
    study(out, "HASKI-Interviews", [site])
    tell({}, f"{copied} interviews, {len(HASKI)} themes, {len(entries)} exemplars")


def annomi(data: Path, out: Path) -> None:
    """Write six dialogues in each of three formats, one site per format."""
    files = sorted((data / "transcripts_raw/annomi_en_vtt_srt_txt").iterdir())
    sites = []
    for suffix in (".vtt", ".srt", ".txt"):
        mine = [file for file in files if file.suffix == suffix]
        copy(mine, out / "transcripts" / suffix[1:])
        sites.append({"name": suffix[1:], "transcripts": f"transcripts/{suffix[1:]}", "moderators": ["Therapist"]})
    themes = [t for t in read(data / "annomi/themes.csv") if t["code"].startswith("client:")]
    write(out / "codebook.csv", CODEBOOK, [{"theme": t["code"], "definition": t["definition"]} for t in themes])
    study(out, "Counselling dialogues", sites)
    tell({}, f"{len(files)} files, {len({file.stem for file in files})} dialogues")


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    csv.field_size_limit(10**9)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write rows of a CSV file, cells without a value empty."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def segments(rows: Iterable[Row]) -> list[Row]:
    """Return rows of pre-segmented text. Raises ``SystemExit`` if a document has two segments of one name."""
    found: list[Row] = [
        {"document": r["doc_id"], "segment": r["segment_id"], "speaker": r["speaker"], "text": r["text"].strip()}
        for r in rows
    ]
    twice = [name for name, n in Counter((r["document"], r["segment"]) for r in found).items() if n > 1]
    if twice:
        sys.exit(f"{len(twice)} segments have the same name in the same document, the first is {twice[0]}")
    return found


def coding(rows: Iterable[Row], themes: set[str], coder: str) -> list[Row]:
    """Return rows of human coding, without codes that the codebook does not have."""
    return [
        {
            "document": row["doc_id"],
            "segment": row["segment_id"],
            "coder": coder,
            "codes": ";".join(code for code in row["codes"].split(";") if code in themes),
            "coded_at": row["timestamp"].replace(" ", "T"),
            "site": row.get("site") or "Serdif",
        }
        for row in rows
    ]


def copy(files: Sequence[Path], to: Path) -> int:
    """Copy files into a folder and return how many."""
    to.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, to / file.name)
    return len(files)


def study(out: Path, name: str, sites: Iterable[Mapping[str, object]], min_words: int = 4) -> None:
    """Write study.toml."""
    lines = [f"name = {json.dumps(name)}", 'codebook = "codebook.csv"']
    for site in sites:
        lines += ["", "[[site]]", *(f"{key} = {json.dumps(value)}" for key, value in site.items())]
    lines += ["", "[segment]", f"min_words = {min_words}", ""]
    (out / "study.toml").write_text("\n".join(lines), encoding="utf-8")


def tell(skipped: Mapping[str, int], done: str) -> None:
    """Print what was written and what was not."""
    print(done)
    for what, count in skipped.items():
        print(f"skipped {count} {what}")


def folded(text: str) -> str:
    """Return a text without differences of case, spaces and outer full stops."""
    return " ".join(text.lower().split()).strip(". ")


def data_folder(given: Path | None = None) -> Path:
    """Return the folder with the data, which need not be there: a given one, that of the environment, or ../shared."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    return (given or Path(os.environ.get("THEMESCOUT_SHARED", beside))) / "data"


def main() -> None:
    """Read the command line and write one study."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("which", choices=("nhs", "serdif", "sight", "haski", "annomi"))
    told.add_argument("paths", nargs="+", type=Path, metavar="[DATA] OUT")
    told.add_argument("--five", action="store_true", help="serdif: five exemplars per theme")
    given = told.parse_args()
    *before, out = given.paths
    data = data_folder(before[0] if before else None)
    if not data.is_dir():
        sys.exit(
            f"skipped {given.which}: {data} is not there; name the folder that holds data/, or set THEMESCOUT_SHARED"
        )
    out.mkdir(parents=True, exist_ok=True)
    if given.which == "serdif":
        serdif(data, out, five=given.five)
    else:
        {"nhs": nhs, "sight": sight, "haski": haski, "annomi": annomi}[given.which](data, out)


if __name__ == "__main__":
    main()
