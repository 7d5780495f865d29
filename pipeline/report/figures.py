"""Numbers -> figures of the kinds that reports need. Every one has its numbers as a table beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .drawing import DASHES, GROUND, INK, MARKERS, QUIET, SERIES, WIDTH, Figure, Value, Words, draw, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINE_HEIGHT, ROW, ROOM = 4.0, 0.3, 1.1  # inches: of a figure with lines, of a row of bars or dots, of axis and legend
CHARACTER, HANDLE = 6.8, 55  # units that a letter of a legend takes, and the sign before a name
Range = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """A line: its points from left to right, and how far each may be off; None where there is no figure."""

    name: str
    x: tuple[float, ...]
    y: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    band: bool = True  # whether the picture shows that, or the table alone


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """One figure with its interval; ``group`` tells figures of one row apart. None: could not be estimated."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    group: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reliable:
    """Answers of similar probability: how probable they were said to be, and the share that was right."""

    said: float
    right: float
    count: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """A level worth knowing, drawn across the whole figure."""

    name: str
    value: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A moment worth knowing, drawn from bottom to top."""

    name: str
    at: float


def lines(
    words: Words, series: Sequence[Series], *, y_range: Range | None = None, even: bool = False, marked: bool = True
) -> Figure:
    """Return lines with bands of uncertainty.

    ``even`` puts the x values at equal distances, for 0, 50, 200, 1,000; ``marked`` puts a marker on each point.
    """
    xs = sorted({x for one in series for x in one.x})
    place = {x: float(at) if even else x for at, x in enumerate(xs)}

    def paint(axes: "Axes") -> None:
        for at, one in enumerate(series):
            x = [place[value] for value in one.x]
            look = _look(at)
            marker = MARKERS[at % len(MARKERS)] if marked else ""
            axes.plot(x, _gaps(one.y), label=short(one.name), marker=marker, **look)
            if one.low and one.band:
                band = {"color": look["color"], "alpha": 0.18, "linewidth": 0}
                axes.fill_between(x, _gaps(one.low), _gaps(one.high), **band)
        if even:
            axes.set_xticks(range(len(xs)), [f"{x:,g}" for x in xs])
        _finish(axes, y_range, legend=len(series) > 1)

    return draw(words, LINE_HEIGHT, paint, *_series_table(words, series))


def steps(
    words: Words, series: Sequence[Series], *, limits: Sequence[Limit] = (), marks: Sequence[Mark] = ()
) -> Figure:
    """Return lines that change in steps (a CUSUM), with levels across and moments from bottom to top."""

    def paint(axes: "Axes") -> None:
        for at, one in enumerate(series):
            axes.step(one.x, _gaps(one.y), where="post", label=short(one.name), **_look(at))
        for limit in limits:
            axes.axhline(limit.value, color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
            _beside(axes, limit)
        for mark in marks:
            axes.axvline(mark.at, color=QUIET, linewidth=1.2, linestyle=(0, (1, 1.5)))
            across = axes.get_xaxis_transform()
            axes.text(mark.at, 1.01, short(mark.name), transform=across, ha="center", va="bottom", fontsize=10)
        _finish(axes, None, legend=len(series) > 1)

    columns, rows = _series_table(words, series)
    blank = [None] * (len(columns) - 3)
    levels = [(limit.name, None, limit.value, *blank) for limit in limits]
    moments = [(mark.name, mark.at, None, *blank) for mark in marks]
    return draw(words, LINE_HEIGHT, paint, columns, [*rows, *levels, *moments])


def reliability(words: Words, bins: Sequence[Reliable]) -> Figure:
    """Return what was said against what was right: on the diagonal, a probability means what it says."""

    def paint(axes: "Axes") -> None:
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=1.2, linestyle=(0, (4, 3)), label="as said")
        most = max((one.count for one in bins), default=1)
        for one in bins:
            if one.low is not None and one.high is not None:
                axes.plot([one.said] * 2, [one.low, one.high], color=SERIES[0], linewidth=1.5)
        x, y = [one.said for one in bins], [one.right for one in bins]
        axes.plot(x, y, color=SERIES[0], linewidth=1, alpha=0.6)
        size = [30 + 70 * one.count / most for one in bins]
        axes.scatter(x, y, s=size, color=SERIES[0], zorder=3, label="as found")
        axes.set_xlim(-0.02, 1.02)
        _finish(axes, (-0.02, 1.02), legend=True)

    columns = (words.x or "said", words.y or "right", "lowest", "highest", "count")
    return draw(words, 4.6, paint, columns, [(b.said, b.right, b.low, b.high, b.count) for b in bins])


def bars(words: Words, estimates: Sequence[Estimate], *, x_range: Range | None = None) -> Figure:
    """Return horizontal bars, one row for each name and one bar in it for each group."""
    from matplotlib.ticker import MaxNLocator

    names, groups = _names(estimates), list(dict.fromkeys(one.group for one in estimates))
    thick = 0.8 / max(len(groups), 1)

    def paint(axes: "Axes") -> None:
        for at, group in enumerate(groups):
            mine = [one for one in estimates if one.group == group and one.value is not None]
            where = [names.index(one.name) - 0.4 + thick * (at + 0.5) for one in mine]
            colour = SERIES[at % len(SERIES)]
            look: dict[str, Any] = {"facecolor": "none" if at % 2 else colour, "edgecolor": colour, "linewidth": 1.5}
            axes.barh(where, _gaps([one.value for one in mine]), thick * 0.86, label=short(group), **look)
            for y, one in zip(where, mine, strict=True):
                _interval(axes, one, y, GROUND, 4.5)  # a rim, to be seen upon the bar
                _interval(axes, one, y, INK)
        if all(isinstance(one.value, int) for one in estimates):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))  # nothing is between two segments
        _rows(axes, names, x_range)
        _finish(axes, None, legend=len(groups) > 1)

    height = ROOM + max(ROW, 0.22 * len(groups)) * max(len(names), 1)
    return draw(words, height, paint, *_estimate_table(words, estimates))


def intervals(
    words: Words, estimates: Sequence[Estimate], *, limits: Sequence[Limit] = (), x_range: Range | None = None
) -> Figure:
    """Return a dot with its interval for each estimate, one row for each name; limits are upright lines."""
    names, groups = _names(estimates), list(dict.fromkeys(one.group for one in estimates))
    apart = 0.6 / max(len(groups), 1)

    def paint(axes: "Axes") -> None:
        for limit in limits:
            axes.axvline(limit.value, color=QUIET, linewidth=1.2, linestyle=(0, (4, 3)))
            across = axes.get_xaxis_transform()
            axes.text(limit.value, 1.01, short(limit.name), transform=across, ha="center", va="bottom", fontsize=10)
        for at, group in enumerate(groups):
            colour, marker = SERIES[at % len(SERIES)], MARKERS[at % len(MARKERS)]
            mine = [one for one in estimates if one.group == group and one.value is not None]
            where = [names.index(one.name) + apart * (at - (len(groups) - 1) / 2) for one in mine]
            for y, one in zip(where, mine, strict=True):
                _interval(axes, one, y, colour)
            look: dict[str, Any] = {"color": colour, "marker": marker, "linestyle": "none", "label": short(group)}
            axes.plot(_gaps([one.value for one in mine]), where, **look)
        _rows(axes, names, x_range)
        _finish(axes, None, legend=len(groups) > 1)

    height = ROOM + max(ROW, 0.2 * len(groups)) * max(len(names), 1) + (0.2 if limits else 0)
    return draw(words, height, paint, *_estimate_table(words, estimates))


def _look(at: int) -> dict[str, Any]:
    return {"color": SERIES[at % len(SERIES)], "linestyle": DASHES[at % len(DASHES)]}


def _gaps(values: Sequence[float | None]) -> list[float]:
    return [float("nan") if value is None else value for value in values]


def _interval(axes: "Axes", one: Estimate, y: float, colour: str, width: float = 1.8) -> None:
    if one.low is not None and one.high is not None:
        axes.plot([one.low, one.high], [y, y], color=colour, linewidth=width, solid_capstyle="butt")


def _beside(axes: "Axes", limit: Limit) -> None:
    """Write a level's name above its line, at the right end."""
    along = axes.get_yaxis_transform()
    axes.text(1, limit.value, short(limit.name), transform=along, ha="right", va="bottom", fontsize=10)


def _names(estimates: Sequence[Estimate]) -> list[str]:
    return list(dict.fromkeys(one.name for one in estimates))


def _rows(axes: "Axes", names: Sequence[str], x_range: Range | None) -> None:
    axes.set_yticks(range(len(names)), [short(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.set_ylabel("")  # the names say what they are; the table has the word
    if x_range is not None:
        axes.set_xlim(*x_range)


def _finish(axes: "Axes", y_range: Range | None, *, legend: bool) -> None:
    if y_range is not None:
        axes.set_ylim(*y_range)
    if legend:
        handles, labels = axes.get_legend_handles_labels()
        each = CHARACTER * max(map(len, labels)) + HANDLE
        columns = max(1, min(len(labels), int(WIDTH * 72 / each)))
        axes.figure.legend(handles, labels, loc="outside upper left", ncols=columns, columnspacing=1.4, borderpad=0)


def _series_table(words: Words, series: Sequence[Series]) -> tuple[tuple[str, ...], list[tuple[Value, ...]]]:
    banded = any(one.low for one in series)
    columns = ("line", words.x, words.y, *(("lowest", "highest") if banded else ()))
    rows: list[tuple[Value, ...]] = []
    for one in series:
        low, high = one.low or (None,) * len(one.x), one.high or (None,) * len(one.x)
        points = zip(one.x, one.y, low, high, strict=True)
        rows += [(one.name, x, y, *((least, most) if banded else ())) for x, y, least, most in points]
    return columns, rows


def _estimate_table(words: Words, estimates: Sequence[Estimate]) -> tuple[tuple[str, ...], list[tuple[Value, ...]]]:
    grouped = any(one.group for one in estimates)
    columns = (words.y or "name", *(("of",) if grouped else ()), words.x or "value", "lowest", "highest")
    return columns, [(one.name, *((one.group,) if grouped else ()), one.value, one.low, one.high) for one in estimates]
