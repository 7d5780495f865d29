"""Real coders: AnnoMI with planted narrowing, CrowdTruth as it is. Their data stay where they are."""

import csv
import os
import resource
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from drift_tables import Lines, head, prose, row

from pipeline.drift import Check, Coded, DriftAudit, Plan, Status, Word, audit, checks_of, most_common

SEED = 20261127
REPLAYS = 40
THEMES = {"reflection": "reflection", "therapist input": "therapist_input", "question": "question"}


def data_folder() -> Path:
    """Return where the public data lie, if they are there."""
    return Path(os.environ.get("THEMESCOUT_SHARED", Path(__file__).parents[2] / "shared")) / "data"


def real(share: float) -> Lines:
    """Both sets, or why not."""
    for name, part in (("annomi/segments_10coders.csv", annomi), ("crowdtruth_medrel/segments.csv", crowdtruth)):
        file = data_folder() / name
        yield from (
            part(file, share)
            if file.is_file()
            else [f"Left out: there is no {name} in THEMESCOUT_SHARED or ../shared."]
        )
        yield ""


def annomi(file: Path, share: float) -> Lines:
    """Ten coders of seven dialogues; each coder's answers are served as single checks in random order, many times."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    yield "## Real coders, planted narrowing: AnnoMI (10 coders, 7 dialogues)"
    yield from prose(
        f"""Right is what most of the other nine gave. From half of the checks on every coder leaves the theme out
        with the planted probability. {max(int(REPLAYS * share), 3)} replays in random order; balanced checks;
        first 40 certify. `worst` is the one coder with the most alarms; `drift` the share with the word, which
        needs the coder's own change."""
    )
    yield from head(
        "theme",
        "checks",
        "narrowed by",
        "certified",
        "WATCH",
        "ACTION",
        "drift",
        "worst coder: WATCH",
        "worst coder: drift",
    )
    for name, prefix in THEMES.items():
        for delta in (0.0, 0.2, 0.3, 0.5):
            made = [_replay(rows, prefix, delta, at) for at in range(max(int(REPLAYS * share), 3))]
            yield row(name, made[0][1], delta or "nothing", *_shares([one for one, _ in made]))
    yield ""
    yield from _dialogues(rows, share)


def _coded(
    rows: Sequence[dict[str, str]], prefix: str, delta: float, narrowing: set[str], rng: np.random.Generator
) -> list[Coded]:
    """Return the coding of one family of codes as one theme; there are no times, so they are in order of dialogues."""
    order = {name: at for at, name in enumerate(dict.fromkeys(row["segment_id"] for row in rows))}
    late = {name for name, at in order.items() if at >= len(order) / 2}
    out = []
    for one in rows:
        given = any(code.startswith(prefix) for code in one["codes"].split(";"))
        if given and one["coder"] in narrowing and one["segment_id"] in late:
            given = rng.random() >= delta
        out.append(
            Coded(
                coder=one["coder"],
                at=datetime(2026, 1, 5) + timedelta(minutes=order[one["segment_id"]]),
                segment=one["segment_id"],
                document=one["doc_id"],
                themes=frozenset({"T"} if given else ()),
            )
        )
    return out


def _replay(rows: Sequence[dict[str, str]], prefix: str, delta: float, at: int) -> tuple[DriftAudit, int]:
    """Return the audit of balanced checks in random order, everybody narrowing, and how many checks a coder has."""
    rng = np.random.default_rng([SEED, at])
    everything = checks_of(_coded([row for row in rows if row["speaker"] == "therapist"], prefix, 0.0, set(), rng))
    out: list[Check] = []
    for coder in sorted({check.coder for check in everything}):
        own = [check for check in everything if check.coder == coder and not check.uncertain]
        right = [check for check in own if check.gold]
        wrong = [check for check in own if not check.gold]
        size = min(len(right), len(wrong), 60)
        drawn = [some[i] for some in (right, wrong) for i in rng.permutation(len(some))[:size]]
        for turn, place in enumerate(rng.permutation(len(drawn))):
            check = drawn[place]
            lost = turn >= len(drawn) / 2 and bool(check.given) and rng.random() < delta
            out.append(
                replace(
                    check, at=datetime(2026, 1, 5) + timedelta(hours=turn), given=frozenset() if lost else check.given
                )
            )
    count = max(sum(check.coder == coder for check in out) for coder in {check.coder for check in out})
    return audit(out, Plan(priority=("T",), anchors=count, against="others", seed=at)), count


def _shares(made: Sequence[DriftAudit]) -> list[float]:
    """Return the shares of coders over all replays."""
    watch, action, drift = ({c.coder: 0.0 for c in made[0].certifications} for _ in range(3))
    for one in made:
        for coder in watch:
            own = [cell for cell in one.cells if cell.coder == coder]
            watch[coder] += any(cell.status in (Status.WATCH, Status.ACTION) for cell in own) / len(made)
            action[coder] += any(cell.status is Status.ACTION for cell in own) / len(made)
            drift[coder] += any(cell.word is Word.DRIFT for cell in own) / len(made)
    passed = float(np.mean([paper.passed is True for one in made for paper in one.certifications]))
    worst = max(watch, key=lambda coder: watch[coder])
    means = [float(np.mean(list(shares.values()))) for shares in (watch, action, drift)]
    return [passed, *means, watch[worst], drift[worst]]


def _dialogues(rows: Sequence[dict[str, str]], share: float) -> Lines:
    yield from prose(
        """The same as whole dialogues in a row, as plain double coding would be (seven documents; one coder
        narrows at half, each in turn): how often p <= .05 for misses of the coder who narrows, and of one who
        does not."""
    )
    yield from head("theme", "narrowed by", "studies", "p <= .05, narrowing", "p <= .05, others")
    therapist = [row for row in rows if row["speaker"] == "therapist"]
    coders = sorted({row["coder"] for row in rows})
    dialogues = sorted({row["doc_id"] for row in rows})
    for name, prefix in THEMES.items():
        for delta in (0.3, 0.5):
            hits: dict[bool, list[bool]] = {True: [], False: []}
            for at in range(max(int(5 * share), 1)):
                rng = np.random.default_rng([SEED, 90, at])
                place = {document: turn for turn, document in enumerate(rng.permutation(dialogues))}
                some = sorted(therapist, key=lambda row: place[row["doc_id"]])
                for coder in coders:
                    checks = checks_of(_coded(some, prefix, delta, {coder}, rng))
                    made = audit(checks, Plan(priority=("T",), against="others", shuffled=False))
                    for cell in made.cells:
                        if cell.error == "miss" and cell.change:
                            hits[cell.coder == coder].append(cell.change.p <= 0.05)
            yield row(name, delta, len(hits[True]), float(np.mean(hits[True])), float(np.mean(hits[False])))


def crowdtruth(file: Path, share: float) -> Lines:
    """Every worker against the other workers on the same sentence: always different, or changed?"""
    began = time.perf_counter(), time.process_time()
    with file.open(encoding="utf-8", newline="") as lines:
        coded = [
            Coded(
                coder=one["coder"],
                at=datetime.fromisoformat(one["timestamp"]),
                segment=one["segment_id"],
                document=one["doc_id"],
                site=one["site"],
                themes=frozenset(code for code in one["codes"].split(";") if code and code != "NONE"),
            )
            for one in csv.DictReader(lines)
        ]
    checks = checks_of(coded, others=4)
    made = audit(checks, Plan(priority=most_common(checks), against="others", shuffled=False))
    wall, seconds = time.perf_counter() - began[0], time.process_time() - began[1]
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    workers = {check.coder for check in checks}
    yield "## Real coders as they are: CrowdTruth (paid crowd, 14 months)"
    watched, variance = ", ".join(made.plan.priority), made.sites.shares.items()
    yield from prose(
        f"""{len(coded):,} judgements of {len(workers)} workers, {len(checks):,} compared; watched: {watched}.
        Reading and audit: {seconds:.0f} s of one processor (bound 60; {wall:.0f} s on a shared machine), {
            gigabytes:.2f} GB (bound 2; of the whole process so
        far). Coder or site: {made.sites.words}; shares of variance: {
            ", ".join(f"{name} {x:.2f}" for name, x in variance) or "none"
        }."""
    )
    yield from _split(made)
    rng = np.random.default_rng(SEED)
    again = [audit(_mixed(checks, rng), made.plan) for _ in range(max(int(3 * share), 1))]
    counts = [str(sum(bool(cell.change and cell.change.found) for cell in one.cells)) for one in again]
    yield from prose(
        f"""The same judgements with each worker's times exchanged at random, so that nobody can have changed:
        changes found in {" / ".join(counts)} cells."""
    )


def _split(made: DriftAudit) -> Lines:
    told = [cell for cell in made.cells if cell.status is not Status.INSUFFICIENT]
    workers = len({cell.coder for cell in told})
    yield from prose(f"""{len(made.cells):,} cells, {len(told):,} with enough checks, of {workers} workers:""")
    yield from head("", "level like the others'", "level different")
    for name, changed in (("no change found", False), ("change found", True)):
        counts = [
            sum(bool(c.change and c.change.found) is changed and c.level.different is level for c in told)
            for level in (False, True)
        ]
        yield row(name, *counts)


def _mixed(checks: Sequence[Check], rng: np.random.Generator) -> list[Check]:
    """Return the checks with the times of each coder exchanged."""
    own: dict[str, list[Check]] = {}
    for check in checks:
        own.setdefault(check.coder, []).append(check)
    return [
        replace(check, at=some[place].at)
        for some in own.values()
        for check, place in zip(some, rng.permutation(len(some)), strict=True)
    ]
