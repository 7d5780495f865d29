"""The whole audit on made-up projects, and its parts that look back, tell coder from site, or only advise."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np
from drift_planted import Design, Flags, Numbers, Values, as_one, checks_of, plan_of, planted, single
from drift_tables import Lines, head, prose, row, sized

from pipeline.drift import (
    Advice,
    Again,
    Check,
    Coded,
    DriftAudit,
    Plan,
    Routine,
    Status,
    Word,
    audit,
    change,
    charts,
    duplicates,
    halves,
)
from pipeline.drift import checks_of as checks_of_coded

SEED = 20261126


def audits(design: Design, part: int) -> Iterator[DriftAudit]:
    """Yield the audit of every project of a design."""
    for begin in range(0, design.projects, 50):
        made = planted(design, np.random.default_rng([SEED, part, begin]))
        for project in range(min(50, design.projects - begin)):
            yield audit(checks_of(made, project), plan_of(design))


def whole(share: float) -> Lines:
    """Everything together: certification, charts, changes with Benjamini-Hochberg over the audit, words."""
    yield "## The whole audit, project by project"
    yield from prose(
        """Six coders. Shares of coders without drift with a chart's WATCH or ACTION and with the word drift in any
        cell; certified: shares of coders; changes: false discovery proportion, mean over projects (bound .11);
        power: the drifting coder (the first of six) has WATCH or ACTION, and the word drift; date: the change
        lies in its interval."""
    )
    yield from head(
        "project",
        "projects",
        "certified",
        "false WATCH",
        "false ACTION",
        "false drift",
        "FDR",
        "power",
        "word drift",
        "date in interval",
        "median width, checks",
    )
    cases = [
        ("one theme, nobody", Design(projects=sized(2000, share))),
        ("one theme, flip .2", as_one(Design(projects=sized(400, share), kind="flip", delta=0.2))),
        ("one theme, flip .3", as_one(Design(projects=sized(400, share), kind="flip", delta=0.3))),
        ("one theme, narrow .5", as_one(Design(projects=sized(400, share), kind="narrow", delta=0.5))),
        ("five themes, nobody", Design(projects=sized(250, share), themes=5, checks=200, first=50)),
        (
            "five themes, flip .3 in one",
            as_one(Design(projects=sized(120, share), themes=5, checks=200, first=50, kind="flip", delta=0.3)),
        ),
        (
            "five themes, narrow .5 in one",
            as_one(Design(projects=sized(120, share), themes=5, checks=200, first=50, kind="narrow", delta=0.5)),
        ),
    ]
    for number, (name, design) in enumerate(cases):
        yield row(name, design.projects, *_summed([_one(made, design) for made in audits(design, number)]))


def _one(made: DriftAudit, design: Design) -> dict[str, list[float]]:
    """Return what one audit contributes."""
    drifter = design.kind != "none"
    moved = {"", "T0"} if drifter else set()
    out: dict[str, list[float]] = {
        name: [] for name in ("certified", "watch", "action", "drift", "fdr", "power", "word", "date", "width")
    }
    out["certified"] = [float(paper.passed is True) for paper in made.certifications]
    for coder in sorted({cell.coder for cell in made.cells}):
        own = [cell for cell in made.cells if cell.coder == coder]
        alarms = [c for c in own if c.chart and c.status in (Status.WATCH, Status.ACTION) and c.chart.watch_at]
        if drifter and coder == "C0":
            out["power"] = [float(any(c.status in (Status.WATCH, Status.ACTION) for c in own))]
            out["word"] = [float(any(c.word is Word.DRIFT for c in own))]
            continue
        out["watch"].append(float(bool(alarms)))
        out["action"].append(float(any(c.status is Status.ACTION for c in alarms)))
        out["drift"].append(float(any(c.word is Word.DRIFT for c in own)))
    found = [(c.coder == "C0" and c.theme in moved) for c in made.cells if c.change and c.change.found]
    found += [False for one in made.shared if one.status is Status.WATCH and one.theme not in moved]
    out["fdr"] = [1 - float(np.mean(found)) if found else 0.0]
    truth = datetime(2026, 1, 5, 9) + timedelta(hours=round(design.tau * design.checks))
    for cell in made.cells:
        if drifter and cell.coder == "C0" and cell.theme == "T0" and cell.change and cell.change.found:
            out["date"].append(float(cell.change.earliest <= truth <= cell.change.latest))
            out["width"].append((cell.change.latest - cell.change.earliest).total_seconds() / 3600)
    return out


def _summed(parts: Sequence[dict[str, list[float]]]) -> list[object]:
    together = {name: [x for part in parts for x in part[name]] for name in parts[0]}
    shares: list[object] = [float(np.mean(together[name])) if together[name] else "" for name in list(together)[:-1]]
    return [*shares, f"{np.median(together['width']):.0f}" if together["width"] else ""]


def changes(share: float) -> Lines:
    """Looking back: documents as clusters, everybody at once, double coding, and the minimum detectable drift."""
    yield "## Looking back"
    yield from prose(
        """Type I error at p <= .05 when documents coded one after another are unequally difficult (150 checks in
        30 documents, sd in logits), with documents exchanged as the product does, and with single checks:"""
    )
    yield from head("sd of documents", "documents", "single checks")
    for sd in (0.0, 0.5, 0.8, 1.2):
        yield row(sd, *_clustered(sd, sized(400, share)))
    yield ""
    yield from _everybody(share)
    yield ""
    yield from _double(share)
    yield ""
    yield from _reach(share)


def _clustered(sd: float, count: int) -> tuple[float, float]:
    rng = np.random.default_rng([SEED, 20, int(10 * sd)])
    hits = np.zeros((count, 2))
    for at in range(count):
        document = np.repeat(np.arange(30), 5)
        error = 1 / (1 + np.exp(1.7 - rng.normal(0, sd, 30)[document]))
        wrong = rng.random(150) < error
        by_document = change.units(
            np.bincount(document, weights=wrong).astype(np.intp),
            np.bincount(document).astype(np.intp),
            np.full(30, 5 * wrong.mean()),
            np.zeros(30, dtype=np.intp),
        )
        for column, made in enumerate((by_document, single(wrong))):
            found = change.rose(made, 1999, 0)
            hits[at, column] = found is not None and found.p <= 0.05
    return float(hits[:, 0].mean()), float(hits[:, 1].mean())


def _everybody(share: float) -> Lines:
    yield from prose(
        """Everybody on one theme (120 checks, six coders): share of projects in which the theme is found to drift."""
    )
    yield from head("planted at half", "projects", "theme drifts (WATCH)", "any coder's cell WATCH or ACTION")
    cases = [
        ("nobody", Design()),
        ("one coder flips .3", as_one(Design(kind="flip", delta=0.3))),
        ("everybody flips .1", Design(kind="flip", delta=0.1)),
        ("everybody narrows .2", Design(kind="narrow", delta=0.2)),
        ("everybody narrows .3", Design(kind="narrow", delta=0.3)),
    ]
    for number, (name, base) in enumerate(cases):
        design = Design(**{**base.__dict__, "projects": sized(300, share)})
        made = list(audits(design, 30 + number))
        theme = np.mean([any(one.status is Status.WATCH for one in each.shared) for each in made])
        coder = np.mean([any(c.status in (Status.WATCH, Status.ACTION) for c in each.cells) for each in made])
        yield row(name, design.projects, float(theme), float(coder))


def _double(share: float) -> Lines:
    yield from prose(
        """Without anchors: four coders code the same 24 documents of 25 segments one after another (theme in 20 %
        of segments, documents differ), compared with what most of the others gave; the first coder narrows or
        flips at half."""
    )
    yield from head(
        "planted", "projects", "first coder found", "another coder found (any)", "content shift in addition"
    )
    for number, (kind, delta) in enumerate(
        (("none", 0.0), ("narrow", 0.3), ("narrow", 0.5), ("flip", 0.2), ("flip", 0.3))
    ):
        found = np.array(
            [
                _history(kind, delta, shift, [SEED, 40, number, at])
                for at in range(sized(200, share))
                for shift in (False, True)
            ]
        )
        still, shifted = found[::2], found[1::2]
        yield row(
            f"{kind} {delta or ''}",
            len(still),
            *(float(x) for x in still.mean(axis=0)),
            " / ".join(f"{x:.3f}" for x in shifted.mean(axis=0)),
        )


def _history(kind: str, delta: float, shift: bool, seed: Sequence[int]) -> tuple[bool, bool]:
    rng = np.random.default_rng(seed)
    documents, each, coders = 24, 25, 4
    document = np.repeat(np.arange(documents), each)
    late = document >= documents // 2
    rate = np.clip(rng.beta(4, 16, documents)[document] * (1 + 1.0 * (shift & late)), 0, 0.9)
    gold = rng.random(documents * each) < rate
    hard = rng.normal(0, 0.5, documents)[document]
    begin, coded = datetime(2026, 1, 5), []
    for coder in range(coders):
        error = np.where(gold, rng.uniform(0.1, 0.2), rng.uniform(0.02, 0.04))
        error = 1 / (1 + (1 - error) / error * np.exp(-hard))
        if coder == 0 and kind == "narrow":
            error = np.where(gold & late, 1 - (1 - error) * (1 - delta), error)
        elif coder == 0 and kind == "flip":
            error = np.where(late, error * (1 - delta) + (1 - error) * delta, error)
        given = gold ^ (rng.random(len(gold)) < error)
        coded += [
            Coded(
                coder=f"C{coder}",
                at=begin + timedelta(minutes=at),
                segment=f"s{at}",
                document=f"d{document[at]}",
                themes=frozenset({"T0"} if given[at] else ()),
            )
            for at in range(len(gold))
        ]
    made = audit(checks_of_coded(coded), Plan(priority=("T0",), against="others", shuffled=False))
    alarmed = {cell.coder for cell in made.cells if cell.status in (Status.WATCH, Status.ACTION)}
    return "C0" in alarmed, bool(alarmed - {"C0"})


def _reach(share: float) -> Lines:
    yield from prose(
        """The minimum detectable drift that a cell prints, and how often a rise of that size is in fact found
        (should be .80):"""
    )
    yield from head("by", "checks of the kind", "error before", "printed rise", "found")
    rng = np.random.default_rng([SEED, 50])
    count = sized(4000, share)
    for error, checks in ((0.03, 60), (0.15, 60), (0.15, 120), (0.25, 120)):
        p0 = charts.expected(np.array([error]))
        reach = charts.detectable(float(p0[0]), error, checks, 0.025)
        tuned = charts.tuned(p0, np.array([checks]), 0.025)
        wrong = rng.random((count, checks)) < np.where(np.arange(checks) < checks // 2, error, error + (reach or 0))
        sums = charts.paths(wrong, np.ones_like(wrong), tuned)
        yield row("chart", checks, error, reach, float((sums.max(axis=1) >= tuned.limit[0]).mean()))
    for error, checks in ((0.05, 200), (0.15, 60), (0.15, 120), (0.25, 120)):
        reach = change.smallest_rise(single(np.arange(checks) % round(1 / error) == 0), 1999, 0)
        hits = []
        for _ in range(sized(400, share)):
            wrong = rng.random(checks) < np.where(np.arange(checks) < checks // 2, error, error + (reach or 0))
            found = change.rose(single(wrong), 1999, 0)
            hits.append(found is not None and found.p_step <= 0.025)
        yield row("looking back", checks, error, reach, float(np.mean(hits)))


def sites(share: float) -> Lines:
    """Coder or site?"""
    yield "## Coder or site"
    yield from prose(
        """Three sites of two coders, 90 segments that everybody answered, honest coders differ by .25 logits (sd).
        Shares of projects in which the first coder, any other coder, the first site, any other site stands out."""
    )
    yield from head(
        "planted (logits)", "projects", "first coder", "another coder", "first site", "another site", "words"
    )
    for name, coder, site, common in (
        ("nothing", 0.0, 0.0, True),
        ("first coder +1.2", 1.2, 0.0, True),
        ("first site +1.2", 0.0, 1.2, True),
        ("nothing, no common segments", 0.0, 0.0, False),
        ("first site +1.2, no common segments", 0.0, 1.2, False),
    ):
        told, words = [], Counter[str]()
        for at in range(sized(60, share)):
            made = audit(_sited(coder, site, common, [SEED, 60, at]), Plan(priority=("T0",), anchors=90)).sites
            words[made.words.split(":")[0] if not made.identifiable else "identifiable"] += 1
            if made.identifiable:
                flags = [one.different for one in (*made.coders, *made.sites)]
                told.append([flags[0], any(flags[1:6]), flags[6], any(flags[7:])])
        shares = [float(x) for x in np.mean(told, axis=0)] if told else [""] * 4
        yield row(name, sized(60, share), *shares, ", ".join(f"{word} {n}" for word, n in words.items()))


def _sited(coder_shift: float, site_shift: float, common: bool, seed: Sequence[int]) -> list[Check]:
    rng = np.random.default_rng(seed)
    hard, honest = rng.normal(0, 0.5, 90), rng.normal(0, 0.25, 6)
    out = []
    for coder in range(6):
        shift = honest[coder] + coder_shift * (coder == 0) + site_shift * (coder < 2)
        for turn, item in enumerate(rng.permutation(90)):
            right = bool(item % 2)
            logit = np.log(0.15 / 0.85) if right else np.log(0.05 / 0.95)
            wrong = bool(rng.random() < 1 / (1 + np.exp(-(logit + hard[item] + shift))))
            place = "" if common else f"{coder}-"
            out.append(
                Check(
                    coder=f"C{coder}",
                    at=datetime(2026, 1, 5) + timedelta(hours=turn),
                    segment=f"s{place}{item}",
                    document=f"d{place}{item % 30}",
                    site="ABC"[coder // 2],
                    gold=frozenset({"T0"} if right else ()),
                    given=frozenset({"T0"} if right != wrong else ()),
                )
            )
    return out


def advice(share: float) -> Lines:
    """What is never an alarm: how often it would make somebody look."""
    yield "## Advisory only: how often it says look (1,000 segments in 40 documents, made-up vectors; p <= .05)"
    yield ""
    names = ("residual mean", "residual direction", "prevalence")
    yield from head("planted at half", "studies", *names)
    count = sized(200, share)
    for number, what in enumerate(("nothing", "narrow .3", "narrow .5", "flip .1", "rotation 45", "content shift")):
        looks = [[one.look for one in _routine(what, [SEED, 70, number, at])] for at in range(count)]
        yield row(what, count, *(float(x) for x in np.mean(looks, axis=0)))
    yield from prose(
        """Segments coded twice by one coder who does not drift: how often an exact test on changed answers says
        look, by how the segments were drawn (60 per study). The first is what the product takes; the other is
        why."""
    )
    yield from head("drawn by", "studies", "look")
    for how in ("gold", "own earlier answer"):
        hits = [any(one.look for one in duplicates(_twice(how, [SEED, 80, at]))) for at in range(sized(1000, share))]
        yield row(how, sized(1000, share), float(np.mean(hits)))


def _routine(what: str, seed: Sequence[int]) -> Sequence[Advice]:
    rng = np.random.default_rng(seed)
    documents, each, size = 40, 25, 16
    document = np.repeat(np.arange(documents), each)
    late = document >= documents // 2
    x = rng.normal(0, 1, (documents * each, size)) + rng.normal(0, 0.5, (documents, size))[document]
    if what == "content shift":
        x[late, 0] += 0.7
    axis = np.zeros((len(x), size))
    axis[:, 0] = 1
    frozen = _likely(x, axis)
    if what == "rotation 45":
        axis[late, :2] = np.sqrt(0.5)
    true = _likely(x, axis)
    given = rng.random(len(x)) < true
    if what.startswith("narrow"):
        given &= ~(late & (rng.random(len(x)) < float(what.split()[1])))
    elif what.startswith("flip"):
        given ^= late & (rng.random(len(x)) < float(what.split()[1]))
    work = Routine(
        coder="C0",
        theme="T0",
        at=tuple(datetime(2026, 1, 5) + timedelta(minutes=row) for row in range(len(x))),
        given=given,
        chance=frozen,
        vectors=x.astype(np.float32),
        documents=tuple(f"d{d}" for d in document),
    )
    return halves(work, permutations=499)


def _likely(x: Values, axis: Values) -> Values:
    return np.asarray(1 / (1 + np.exp(2.2 - 1.5 * (x * axis).sum(axis=1))))


def _twice(how: str, seed: Sequence[int]) -> list[Again]:
    rng = np.random.default_rng(seed)
    gold = rng.random(1500) < 0.15
    chance = np.where(gold, 0.85, 0.03)
    first, second = (rng.random(1500) < chance for _ in range(2))
    by: Flags = gold if how == "gold" else first
    some: Numbers = np.concatenate(
        [rng.choice(np.flatnonzero(by == side), 30, replace=False) for side in (True, False)]
    )
    return [
        Again(coder="C0", theme="T0", earlier=bool(first[at]), later=bool(second[at]), drawn_as=f"{how} {int(by[at])}")
        for at in some
    ]
