"""The part of an audit's page that tells what coding costs, what suggestions save, and when it is enough."""

from collections.abc import Iterator

from ..effort import Pace
from ..influence import Estimate
from ..records import Mode
from . import figures
from .audit_influence import EVERYBODY, figure
from .audited import Audited, Effort, Screened
from .drawing import Words
from .page import Part, Section, Table
from .telling import share

MOST, DRAWN = 40, 4  # coders or themes in a table, themes in the figure


def effort_section(found: Audited) -> Section:
    """Return the section."""
    return Section(title="What coding costs, and when it is enough", parts=tuple(_parts(found.effort)))


def in_short(found: Effort) -> str:
    """Return effort in a sentence."""
    if not found.pace.actions:
        return "Effort: not known, as no decision was timed at the review page."
    pace = f"Effort: {_per_minute(found.pace)} segments a minute"
    if found.saving.gross.value is None:
        return f"{pace}; what suggestions save is not known, as no segment's suggestions were kept back."
    return (
        f"{pace}; suggestions save {_saved(found.saving.gross)} of the time per segment, "
        f"{_saved(found.saving.net)} when the blind checks are charged to them."
    )


def _saved(found: Estimate) -> str:
    if found.value is None:
        return "an unknown share"
    reach = "" if found.low is None or found.high is None else f" [{100 * found.low:.0f}, {100 * found.high:.0f}]"
    return f"{100 * found.value:.0f} %{reach}"


def _per_minute(pace: Pace) -> str:
    return "–" if pace.per_minute is None else f"{pace.per_minute:.1f}"


def _parts(found: Effort) -> Iterator[Part]:
    yield from _paces(found)
    yield from _screening(found)
    yield from _saturation(found)


def _paces(found: Effort) -> Iterator[Part]:
    if not found.pace.actions:
        yield "No decision was timed: coding that was imported does not say how long it took."
        return
    yield (
        in_short(found)
        + " Actions that took longer than a minute were left out as idle; the longest of a coder are cut."
    )
    rows = [(EVERYBODY, found.pace), *sorted(found.coders.items())[:MOST]]
    yield Table(
        caption="Pace",
        columns=(
            "coder",
            "segments",
            "minutes",
            "segments a minute",
            "seconds per action",
            "seconds per segment",
            "idle actions",
        ),
        rows=tuple(
            (name, p.segments, p.minutes, _per_minute(p), _seconds(p.per_action), _seconds(p.per_segment), p.idle)
            for name, p in rows
        ),
    )
    saving = found.saving
    yield Table(
        caption="Time with suggestions and without, on segments that chance chose, within coders",
        columns=("what", "figure"),
        rows=(
            ("mean seconds per segment with suggestions", _seconds(saving.shown)),
            ("mean seconds per segment kept back", _seconds(saving.withheld)),
            ("time saved per segment", _saved(saving.gross)),
            ("net of withheld segments and blind checks", _saved(saving.net)),
            ("share of the time that went into blind checks", share(saving.checks)),
            ("seconds per right theme with suggestions", figure(found.per_right[Mode.ROUTINE])),
            ("seconds per right theme kept back", figure(found.per_right[Mode.WITHHELD])),
        ),
    )


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _screening(found: Effort) -> Iterator[Part]:
    if not found.screened:
        yield "No theme was given often enough on segments with suggestions to tell what reading in the machine's "
        "order finds."
        return
    themes = sorted(found.screened, key=lambda one: -one.relevant)
    yield _curves(themes[:DRAWN])
    budgets = [budget for budget, _ in themes[0].recall]
    yield Table(
        caption="Reading in the machine's order, theme by theme",
        columns=(
            "theme",
            "segments with it",
            "TNR at 95 % recall",
            *(f"found in {100 * budget:.0f} %" for budget in budgets),
            f"random segments to stop after {100 * budgets[-1]:.0f} %",
        ),
        rows=tuple(
            (one.theme, one.relevant, _share(one.tnr), *(_share(recall) for _, recall in one.recall), f"{one.enough:,}")
            for one in themes[:MOST]
        ),
    )
    yield (
        "TNR: the share of segments without the theme that need not be read to find 95 % of those with it. Last "
        f"column: after {100 * budgets[-1]:.0f} % were read in this order, so many random segments of the rest "
        "without a single hit make a recall of 90 % sure at 95 % (Callaghan & Müller-Hansen 2020). What people coded "
        "with suggestions in view flatters all of these."
    )


def _share(value: float | None) -> str:
    return share(value)


def _curves(themes: list[Screened]) -> Part:
    steps = len(themes[0].curve) - 1
    x = tuple(100 * at / steps for at in range(steps + 1))
    first = themes[0]
    alt = (
        f"Share found against share read for {len(themes)} themes; the diagonal is reading at random. {first.theme}: "
        f"{share(first.recall[0][1])} found after a tenth, {share(first.recall[-1][1])} after three tenths."
    )
    series = [figures.Series(name=one.theme, x=x, y=one.curve) for one in themes]
    series.append(figures.Series(name="at random", x=(0.0, 100.0), y=(0.0, 1.0)))
    words = Words(
        title="What is found by when", alt=alt, x="% of segments read in the machine's order", y="share found"
    )
    return figures.lines(words, series, y_range=(-0.02, 1.02), marked=False)


def _saturation(found: Effort) -> Iterator[Part]:
    grown = found.saturation
    if len(grown.seen) < 2:
        return
    x = tuple(float(at) for at in range(1, len(grown.seen) + 1))
    reached = "not yet reached" if grown.reached is None else f"reached after {grown.reached} documents"
    alt = (
        f"{grown.seen[-1]} themes in {len(grown.seen)} documents; the last two brought {sum(grown.new[-2:])} new. "
        f"About {grown.unseen:.1f} more are to be expected. Saturation {reached}."
    )
    yield figures.lines(
        Words(title="Themes by document: would more documents bring more?", alt=alt, x="documents coded", y="themes"),
        [
            figures.Series(name="in the order they were coded", x=x, y=tuple(map(float, grown.seen))),
            figures.Series(name="in any order", x=x, y=grown.expected),
        ],
        y_range=(0.0, 1.1 * grown.seen[-1] + 0.1),
        marked=len(x) <= 30,
    )
    yield (
        f"Saturation {reached} (Guest, Namey & Chen 2020: four documents as the base, runs of two, 5 % new). Estimated "
        f"themes still unseen: {grown.unseen:.1f} (Chao 2). It counts themes of the codebook, not what they mean."
    )
