"""How long an audit takes and how much memory it needs, on a large study that is made up and on public coding.

usage: audit.py large|crowdtruth [DATA] [--keep FOLDER]

large       10 coders with 50,000 decisions each, 30 themes, 400 documents at 4 sites, suggestions, one codebook change;
            the report should take at most 60 s and 1.5 GB
crowdtruth  468 coders over 14 months, 3,397 sentences, 14 themes; at most 60 s and 2 GB. DATA holds `data/`; without it
            THEMESCOUT_SHARED, then ../shared is used

The study is made first; what is measured is `themescout audit` alone, as a process of its own.
"""

import argparse
import csv
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import studies

from pipeline import intake
from pipeline.records import Answer, Decision, Mode, Role, Segment, Suggestion, Transcript, Turn, segment_id
from pipeline.store import corpus, decisions, runs

HERE = Path(__file__).parent.parent
THEMES, CODERS, EACH = 30, 10, 50_000
DOCUMENTS, SEGMENTS, SITES = 400, 120, 4
BEGAN = datetime(2025, 1, 6, 8, tzinfo=UTC)
WORDS = ("river", "garden", "ticket", "window", "doctor", "morning", "market", "teacher", "bicycle", "letter")


def large(folder: Path) -> None:
    """Write a large study with everything that an audit looks at."""
    rng = np.random.default_rng(0)
    names = [f"Theme {at:02}" for at in range(THEMES)]
    write_study(folder, names)
    session = intake.open_session(folder)
    cut = [document(at) for at in range(DOCUMENTS)]
    for transcript, segments in cut:
        source = corpus.Source(path=transcript.source, site=transcript.site, sha256="-", settings="-")
        corpus.put_source(session.store, source, [(transcript, segments)])
    segments = [segment for _, pieces in cut for segment in pieces]
    share = rng.beta(0.6, 12, size=THEMES)
    true = rng.random((len(segments), THEMES)) < share
    suggest(session, names, cut, true, rng)
    for coder in range(CODERS):
        decisions.add_decisions(session.store, list(decided(coder, segments, names, true, rng)))
        print(f"coder {coder + 1} of {CODERS}", file=sys.stderr, flush=True)


def write_study(folder: Path, themes: Sequence[str]) -> None:
    """Write study.toml and the codebook; no encoder is needed."""
    folder.mkdir(parents=True, exist_ok=True)
    sites = "".join(f'\n[[site]]\nname = "Site {at}"\ntranscripts = "transcripts/{at}"\n' for at in range(SITES))
    (folder / "study.toml").write_text(
        f'name = "A large study"\ncodebook = "codebook.csv"\n{sites}\n[embed]\nencoder = "hashing"\n', encoding="utf-8"
    )
    with (folder / "codebook.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("theme", "definition"), *((name, f"About {name}.") for name in themes)])


def document(at: int) -> tuple[Transcript, list[Segment]]:
    """Return one invented transcript with its segments."""
    rng = random.Random(at)
    texts = [" ".join(rng.choices(WORDS, k=25)) + f" {at} {n}." for n in range(SEGMENTS)]
    starts = np.cumsum([0, *(len(text) + 1 for text in texts)])
    turns = tuple(
        Turn(speaker=f"P{n % 6}", role=Role.PARTICIPANT, start=int(s), end=int(s) + len(text), line=n + 1)
        for n, (s, text) in enumerate(zip(starts, texts, strict=False))
    )
    site = f"Site {at % SITES}"
    transcript = Transcript(
        site=site, name=f"FG{at:03}", source=f"transcripts/{at % SITES}/fg{at:03}.txt", language="en",
        text="\n".join(texts), turns=turns,
    )  # fmt: skip
    segments = [
        Segment(
            id=segment_id(transcript.id, turn.start, turn.end), transcript=transcript.id, name=f"t{n:03}s1", turn=n,
            start=turn.start, end=turn.end, text=texts[n],
        )
        for n, turn in enumerate(turns)
    ]  # fmt: skip
    return transcript, segments


def suggest(
    session: intake.Session,
    names: Sequence[str],
    cut: Sequence[tuple[Transcript, list[Segment]]],
    true: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Keep the suggestions of one run: five for each segment, right ones more probable."""
    run = runs.Run(
        id="run-1", ranking="ranking", encoder="hashing", codebook_revision=session.codebook.revision,
        settings="-", counts={}, started_at=BEGAN - timedelta(days=1),
    )  # fmt: skip
    runs.start_run(session.store, run, session.codebook)
    chance = np.clip(rng.beta(1, 6, size=true.shape) + 0.5 * true * rng.random(true.shape), 0, 1)
    row = 0
    for transcript, segments in cut:
        made = []
        for segment in segments:
            for rank, theme in enumerate(np.argsort(-chance[row])[:5], 1):
                p = float(chance[row, theme])
                made.append(
                    Suggestion(
                        segment=segment.id, rank=rank, theme=names[theme], score=p, probability=p, suggested=p >= 0.5,
                        exemplar="", exemplar_source="", parts=(),
                    )
                )  # fmt: skip
            row += 1
        runs.put_suggestions(session.store, run.id, {transcript.id: made})
    runs.end_run(session.store, run.id, {})


def decided(
    coder: int, segments: Sequence[Segment], names: Sequence[str], true: np.ndarray, rng: np.random.Generator
) -> Iterator[Decision]:
    """Yield one coder's decisions in the order of time; every third coder drifts on the first theme."""
    moment, made = BEGAN + timedelta(minutes=coder), 0
    miss = rng.uniform(0.05, 0.25)
    for done, at in enumerate(rng.permutation(len(segments))):
        given = np.where(true[at], rng.random(THEMES) > miss, rng.random(THEMES) < 0.01)
        if coder % 3 == 0 and done > len(segments) / 2 and rng.random() < 0.5:
            given[0] = False
        answers = [(names[int(theme)], Answer.ADD) for theme in np.flatnonzero(given)] or [("", Answer.NOTHING)]
        moment += timedelta(seconds=float(rng.gamma(3, 8)))
        for theme, answer in answers:
            yield Decision(
                segment=segments[at].id, coder=f"Coder {coder}", answer=answer, theme=theme, shown=bool(at % 10),
                mode=Mode.ROUTINE if at % 10 else Mode.WITHHELD, seconds=8.0, decided_at=moment, encoder="hashing",
                codebook_revision="b0" if done < len(segments) / 2 else "b1", run="run-1",
            )  # fmt: skip
            made += 1
        if made >= EACH:
            return


def crowdtruth(data: Path, folder: Path) -> None:
    """Write the public judgements as a study: each sentence a document, coding imported with its times."""
    with (data / "crowdtruth_medrel/segments.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    themes = sorted({code for row in rows for code in row["codes"].split(";") if code})
    (folder / "transcripts").mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(
        'name = "Medical relations"\ncodebook = "codebook.csv"\n\n[[site]]\nname = "Crowd"\n'
        'transcripts = "transcripts"\n\n[segment]\nmin_words = 1\n\n[embed]\nencoder = "hashing"\n',
        encoding="utf-8",
    )
    studies.write(folder / "codebook.csv", ("theme", "definition"), [{"theme": t, "definition": t} for t in themes])
    units = {(row["doc_id"], row["segment_id"]): row["text"] for row in rows}
    told = [{"document": d, "segment": s, "speaker": "", "text": text} for (d, s), text in units.items()]
    studies.write(folder / "transcripts/sentences.csv", ("document", "segment", "speaker", "text"), told)
    judged = {(row["doc_id"], row["segment_id"], row["coder"]): row for row in rows}
    coding = [
        {"document": d, "segment": s, "coder": coder, "codes": row["codes"], "coded_at": f"{row['timestamp']}+00:00"}
        for (d, s, coder), row in sorted(judged.items(), key=lambda pair: pair[1]["timestamp"])
    ]
    studies.write(folder / "coding.csv", ("document", "segment", "coder", "codes", "coded_at"), coding)
    session = intake.open_session(folder)
    from pipeline import results

    results.import_coding(session, folder / "coding.csv", partly=False, progress=intake.no_progress)


def measured(folder: Path) -> None:
    """Run the audit as a process of its own; print its time and the most memory it had."""
    command = [sys.executable, "-m", "pipeline", "audit", str(folder), "--out", str(folder / "audit")]
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, cwd=HERE, env=os.environ | {"OMP_NUM_THREADS": "1"})
    took, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    size = (folder / "audit/report.html").stat().st_size / 1024**2
    most = used.ru_maxrss / 1024**2
    print(f"{processor:.1f} s of one processor, {took:.1f} s, {most:.2f} GB at most, page of {size:.1f} MB")


def main() -> None:
    """Make the study and measure its audit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=["large", "crowdtruth"])
    parser.add_argument("data", nargs="?", type=Path, help="the folder that holds data/")
    parser.add_argument("--keep", type=Path, help="make the study here, or take it if it is there")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.keep or Path(scratch) / "study"
        if not (folder / "study.toml").exists():
            if asked.which == "large":
                large(folder)
            else:
                crowdtruth(studies.data_folder(asked.data), folder)
        measured(folder)


if __name__ == "__main__":
    main()
