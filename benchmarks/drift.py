"""False alarms and power of the drift audit on made-up teams, and on real coders if their data are found.

usage: drift.py [--short] [--out FILE]

Writes Markdown, the whole table of which is kept as benchmarks/drift.md. --short takes a fiftieth of the projects. Real
coders are those of AnnoMI and CrowdTruth in THEMESCOUT_SHARED or ../shared; without them their part says why it is left
out. Everything is made by the code that runs in a study (pipeline.drift), with fixed seeds.
"""

import argparse
import itertools
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import drift_real
import drift_whole
import numpy as np
from drift_planted import KINDS, Design, Heard, heard, looked_back, planted
from drift_tables import Lines, head, prose, row, sized

SEED = 20261125
AT_ONCE = 250  # projects in memory


def main() -> None:
    """Measure everything and write it."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--short", action="store_true")
    given.add_argument("--out", type=Path)
    given.add_argument("--only", nargs="*", default=list(PARTS), choices=list(PARTS))
    asked = given.parse_args()
    share = 0.02 if asked.short else 1.0
    out = asked.out.open("w", encoding="utf-8") if asked.out else sys.stdout
    for name in asked.only:
        for line in PARTS[name](share):
            print(line, file=out, flush=True)
        print(file=out, flush=True)


def many(design: Design, part: int) -> tuple[Heard, Design]:
    """Return what is heard in all projects of a design, made in portions."""
    heards = []
    for begin in range(0, design.projects, AT_ONCE):
        rng = np.random.default_rng([SEED, part, begin])
        heards.append(heard(planted(replace(design, projects=min(AT_ONCE, design.projects - begin)), rng)))
    fields = ("watch", "action", "pooled", "single")
    return Heard(**{name: np.concatenate([getattr(one, name) for one in heards]) for name in fields}), design


def beginning(share: float) -> Lines:
    """What was measured with what."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "statsmodels"))
    yield "# False alarms and power of the drift audit"
    yield from prose(
        f"""Made by benchmarks/drift.py on {date.today()} with the code of pipeline.drift; Python {python_version()},
        {libraries}; seeds {SEED}, {drift_whole.SEED}, {drift_real.SEED}{"; a short run" if share < 1 else ""}. A
        column `bound` says what a figure must keep. Shares of 12,000 have a standard error of about .002 near .05 and
        .004 near .8; coders of one project share their baseline, which makes it a little larger."""
    )
    yield from prose(
        """Made-up coders: sensitivity .85 (sd .06), share of false alarms .03 (gamma, sd .015); with several themes
        these differ by theme (sd .04; factor with sd .35) and by coder on a theme (sd .03; factor with sd .25);
        segments come from 40 documents whose difficulty has sd .5 on the logit scale. `flip` turns a share of the
        answers round, `narrow` loses a share of the given themes, `broaden` gives the theme to a share of the other
        segments, `ramp` flips more and more, `swap` gives the sibling theme in place of the right one, `rotation` loses
        a share of the positives and takes a quarter as many of the negatives. Projects: half of the checks are gold
        positive; with several themes each check is positive for one. Early checks certify and give the baseline. A
        coder-project is one coder in one project, over all of the coder's charts."""
    )


def single(share: float) -> Lines:
    """One priority theme, 120 checks, half of them positive, six coders."""
    yield "## One theme, 120 checks (first 40 certify), six coders"
    yield from head("planted at half", "coder-projects", "WATCH", "ACTION", "median delay, checks", "bound")
    bounds = {
        ("none", 0.0): "WATCH <= .08, ACTION <= .025",
        ("flip", 0.2): "WATCH >= .80, delay <= 30",
        ("flip", 0.3): "WATCH >= .95",
        ("narrow", 0.5): "WATCH >= .92",
    }
    for kind, delta in [*bounds, ("flip", 0.1), ("narrow", 0.3), ("broaden", 0.1), ("broaden", 0.2)]:
        made, design = many(Design(projects=sized(2000, share), kind=kind, delta=delta), 1)
        yield row(
            f"{kind} {delta or ''}",
            made.watch.size,
            *made.share(),
            f"{made.delay(design):.0f}",
            bounds.get((kind, delta), ""),
        )


def several(share: float) -> Lines:
    """Several priority themes."""
    yield "## Several themes in one project, drift in one of them at half, m gold positives per theme"
    yield from head(
        "themes", "m", "planted", "coder-projects", "pooled", "per theme", "any WATCH", "any ACTION", "bound"
    )
    bounds = {("none", 0.0): "WATCH <= .06", ("flip", 0.2): "WATCH >= .85", ("flip", 0.3): "WATCH >= .97"}
    cases = [
        ("none", 0.0),
        ("narrow", 0.3),
        ("narrow", 0.5),
        ("narrow", 0.7),
        ("flip", 0.1),
        ("flip", 0.2),
        ("flip", 0.3),
    ]
    for themes, m in ((5, 40), (3, 40), (5, 20), (5, 80)):
        for kind, delta in [*cases, ("all narrow", 0.2), ("all flip", 0.1)]:
            projects = sized(2000 if (themes, m, kind) == (5, 40, "none") else 500, share)
            design = Design(
                projects=projects,
                themes=themes,
                checks=themes * m,
                first=min(50, themes * m // 2),
                kind=kind.removeprefix("all "),
                delta=delta,
                all_themes="all" in kind,
            )
            made, _ = many(design, 4)
            bound = bounds.get((kind, delta), "") if (themes, m) == (5, 40) else ""
            yield row(
                themes,
                m,
                f"{kind} {delta or ''}",
                made.watch.size,
                float(made.pooled.mean()),
                float(made.single.mean()),
                *made.share(),
                bound,
            )


def teams(share: float) -> Lines:
    """How few coders there may be."""
    yield "### By the size of the team, whose other coders give the baseline"
    yield from head(
        "themes", "coders", "checks", "coder-projects", "false WATCH", "false ACTION", "flip .2 WATCH", "flip .2 ACTION"
    )
    sizes = [*((1, c, 120) for c in (1, 2, 3, 4, 5, 6, 8, 12)), (1, 6, 60), (1, 3, 240), (1, 6, 240)]
    for themes, coders, checks in [*sizes, *((5, c, 200) for c in (1, 2, 3, 4, 5, 8))]:
        first = 50 if themes > 1 else 30 if checks == 60 else 40
        projects = sized((12000 if themes == 1 else 6000) // coders, share)
        some = Design(projects=projects, themes=themes, coders=coders, checks=checks, first=first)
        none, drift = many(some, 2)[0], many(replace(some, kind="flip", delta=0.2), 3)[0]
        yield row(themes, coders, checks, none.watch.size, *none.share(), *drift.share())


def content(share: float) -> Lines:
    """What is talked about changes, nobody drifts."""
    yield "## Content shifts, coders do not: false alarms of the charts"
    yield from head("share of positives before", "after", "coder-projects", "WATCH", "ACTION")
    for before, after in ((0.3, 0.6), (0.6, 0.3), (0.5, 0.1)):
        made, _ = many(Design(projects=sized(1000, share), positive=before, later_positive=after), 5)
        yield row(before, after, made.watch.size, *made.share())


def grid(share: float) -> Lines:
    """Every kind, size, moment, length and prevalence."""
    yield "## Scenario grid"
    yield from prose(
        """One watched theme (two for swap: the theme and its sibling), six coders. `positive` is the share of gold
        positives among the checks: .5 is what enriched anchors give, the others are what unselected segments
        would. W and A are the shares of coders with WATCH and ACTION, R the share in which looking back finds a
        change (q <= .10 over both kinds of error, at least the floor). Columns are delta .1, .2, .3, .5; the
        row `none` has false alarms."""
    )
    yield from head(
        "planted", "n", "positive", "tau", *(f"{what} {d}" for d in (".1", ".2", ".3", ".5") for what in "WAR")
    )
    for checks, positive in itertools.product((60, 120, 240), (0.03, 0.15, 0.3, 0.5)):
        base = Design(projects=sized(200, share), checks=checks, positive=positive, first=30 if checks == 60 else 40)
        yield row("none", checks, f"{positive:g}", "", *_cell(base, 6), *[""] * 9)
        for kind, tau in itertools.product(KINDS, (0.3, 0.5, 0.75)):
            own = replace(base, kind=kind, tau=tau)
            if kind == "swap":
                own = replace(own, themes=2, positive=positive / 2)
            found = [share for delta in (0.1, 0.2, 0.3, 0.5) for share in _cell(replace(own, delta=delta), 7)]
            yield row(kind, checks, f"{positive:g}", f"{tau:g}", *found)


def _cell(design: Design, part: int) -> tuple[str, str, str]:
    """Return the shares of WATCH, ACTION and of changes found by looking back."""
    made = planted(design, np.random.default_rng([SEED, part]))
    back, _ = looked_back(made, max(design.projects // 2, 20))
    watch, action, past = (f"{share:.2f}".removeprefix("0") for share in (*heard(made).share(), back))
    return watch, action, past


PARTS: dict[str, Callable[[float], Lines]] = {
    "beginning": beginning,
    "single": single,
    "several": several,
    "teams": teams,
    "content": content,
    "whole": drift_whole.whole,
    "changes": drift_whole.changes,
    "sites": drift_whole.sites,
    "advice": drift_whole.advice,
    "real": drift_real.real,
    "grid": grid,
}

if __name__ == "__main__":
    main()
