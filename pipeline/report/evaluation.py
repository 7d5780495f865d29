"""An evaluation -> one page: whether to rely on the suggestions, the figures, and how they came about."""

from collections.abc import Sequence

from ..evaluate import Evaluation, Found
from ..evaluate.intervals import Span
from ..evaluate.outcome import Alike, Operating, Step
from . import figures
from .drawing import Figure, Words
from .page import Card, Cell, Note, Part, Row, Section, Table, render

MOST = 60  # themes in a picture; the table has all
COLUMNS = {"recall@1": "recall@1", "recall@3": "recall@3", "recall@5": "recall@5", "mrr": "MRR", "map": "mAP"}
SYSTEMS = {
    "themescout": "themescout",
    "cosine": "nearest exemplar (cosine)",
    "definition": "nearest definition (cosine)",
    "lexical": "shared words (TF-IDF)",
    "frequency": "always the most frequent",
    "setfit": "fine-tuned encoder (SetFit-like)",
}
WORDS = (
    "recall@k: of the themes that people gave a segment (at most k of them), the share that the ranking has among its "
    "first k.",
    "MRR: one over the place of the first right theme, on average: 1 when it is always first, 0.5 when it is second.",
    "mAP: how pure the list of a theme's segments is, best first, on average over themes with at least five segments.",
    "Intervals come from drawing the documents again and again, with repeats, widened where there are few: they say "
    "how much the figures might differ with other documents like these.",
)


def evaluation_page(made: Evaluation, study: str) -> str:
    """Return the page of a study's evaluation."""
    sections = [
        Section(title="In short", parts=_in_short(made)),
        Section(title="Beside simpler ways", parts=_systems(made)),
        Section(title="Learning from decisions", parts=_curve(made.learning_curve, made.differences[-1].against)),
        Section(title="What is suggested", parts=_suggesting(made)),
        Section(title="Probabilities", parts=_reliability(made)),
        Section(title="Themes", parts=_themes(made)),
        Section(title="Sites", parts=_sites(made)),
        Section(title="People and machine", parts=_people(made.agreement)),
        Section(title="How this was measured", parts=_protocol(made)),
    ]
    title = "How good the suggestions are"
    lead = f"{study}: {made.segments:,} segments in {made.protocol['documents']:,} documents"
    return render(title, [section for section in sections if section.parts], lead=lead)


def between(span: Span | None) -> str:
    """Return an interval as text, nothing if there is none.

    >>> between((0.684, 0.742)), between(None)
    ('0.68 to 0.74', '')
    """
    return "" if span is None else f"{span[0]:.2f} to {span[1]:.2f}"


def _with(found: Found, name: str) -> Cell:
    """Return a measure with its interval under it."""
    value = found.values[name]
    return Cell(text="–" if value is None else f"{value:.2f}", under=between(found.spans[name]))


def _told(found: Found, name: str) -> str:
    cell = _with(found, name)
    return f"{cell.text} ({cell.under})" if cell.under else cell.text


def _signed(found: Found, name: str) -> Cell:
    value, span = found.values[name], found.spans[name]
    if value is None:
        return Cell(text="–")
    return Cell(text=_plus(value), under=f"{_plus(span[0])} to {_plus(span[1])}" if span else "")


def _plus(value: float) -> str:
    return f"{round(value, 2) + 0.0:+.2f}"  # never -0.00


def _in_short(made: Evaluation) -> tuple[Part, ...]:
    headline, *rest = made.verdict.says
    ours, point = made.systems["themescout"], made.suggesting.found
    cards = (
        _card("A right theme is first", ours, "hit@1"),
        _card("A right theme is among three", ours, "hit@3"),
        _card("Suggestions that hold", point, "precision"),
        _card("Segments with a suggestion", point, "coverage"),
    )
    return Note(text=headline, mark=made.verdict.mark), cards, tuple(rest)


def _card(name: str, found: Found, measure: str) -> Card:
    value, span = found.values[measure], found.spans[measure]
    told = "–" if value is None else f"{100 * value:.0f} %"
    return Card(name=name, value=told, detail=f"{100 * span[0]:.0f} to {100 * span[1]:.0f} %" if span else "")


def _systems(made: Evaluation) -> tuple[Part, ...]:
    rows: list[Row] = [(_name(name), *(_with(found, m) for m in COLUMNS)) for name, found in made.systems.items()]
    apart: list[Row] = [
        (f"more than {_name(one.against)}", *(_signed(one.found, m) for m in COLUMNS)) for one in made.differences
    ]
    unique = list(dict.fromkeys(apart))
    table = Table(
        caption="Ranking of the themes of coded segments, with 95 % intervals under the figures",
        columns=("system", *COLUMNS.values()),
        rows=tuple(rows),
    )
    difference = Table(
        caption="How much better themescout is on the same documents",
        columns=("", *COLUMNS.values()),
        rows=tuple(unique),
    )
    shown = [
        figures.Estimate(name=_name(name), value=found.values["recall@3"], low=low, high=high)
        for name, found in made.systems.items()
        for low, high in [found.spans["recall@3"] or (None, None)]
    ]
    alt = "; ".join(f"{_name(name)} {_told(found, 'recall@3')}" for name, found in made.systems.items())
    words = Words(title="Right themes among the first three", alt=f"recall@3: {alt}.", x="recall@3", y="system")
    return (WORDS[:3], figures.intervals(words, shown, x_range=(0, 1)), table, difference)


def _name(system: str) -> str:
    return SYSTEMS.get(system, system)


def _curve(steps: Sequence[Step], best: str) -> tuple[Part, ...]:
    if not steps:
        return ("There is too little coding for a learning curve: some documents are held out, and the rest teaches.",)
    x = tuple(float(step.decided) for step in steps)

    def drawn(title: str, measure: str) -> Figure:
        series = [
            figures.Series(
                name=_name(name),
                x=x,
                y=tuple(step.systems[name].values[measure] for step in steps),
                band=name in ("themescout", best),
                low=tuple((step.systems[name].spans[measure] or (None, None))[0] for step in steps),
                high=tuple((step.systems[name].spans[measure] or (None, None))[1] for step in steps),
            )
            for name in steps[0].systems
        ]
        first, last = (step.systems["themescout"].values[measure] or 0 for step in (steps[0], steps[-1]))
        gain = f"from {first:.2f} to {last:.2f} after {steps[-1].decided:,} segments"
        alt = f"{COLUMNS[measure]} of themescout goes {gain}."
        words = Words(title=title, alt=alt, x="segments decided on before", y=COLUMNS[measure])
        return figures.lines(words, series, even=True)

    said = (
        "Documents are held out, and segments of the others are decided on in random order; every system learns from "
        "the same decisions. Bands, in the picture of two systems only, are 95 % intervals over held-out "
        "documents and random orders."
    )
    return said, drawn("Right themes among the first three", "recall@3"), drawn("Purity of each theme's list", "map")


def _suggesting(made: Evaluation) -> tuple[Part, ...]:
    point = made.suggesting
    table = Table(
        caption=f"With this study's settings, `precision` = {point.threshold:g}",
        columns=("", "share", "95 % interval"),
        rows=tuple(
            (told, _percent(point.found.values[name]), _percents(point.found.spans[name]))
            for name, told in (
                ("precision", "suggestions that hold"),
                ("coverage", "segments with a suggestion"),
                ("found", "themes given by people that were suggested"),
                ("wrongly", "segments without a theme that have a suggestion"),
            )
        ),
    )
    targets = Table(
        caption="What another threshold would have given",
        columns=("wanted: suggestions that hold", "probability from", "segments with a suggestion", "themes found"),
        rows=tuple((_percent(t.precision), t.threshold, _percent(t.coverage), _percent(t.found)) for t in made.targets),
    )
    said = (
        "`precision` under [rank] in study.toml says from which probability on suggestions are made; a theme whose "
        "suggestions people found right less often needs a higher one. The thresholds below are the same for all "
        "themes, and were chosen on the documents that they are measured on: expect a little less elsewhere."
    )
    return table, _tradeoff(made.tradeoff), said, targets


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _percents(span: Span | None) -> str:
    return "" if span is None else f"{100 * span[0]:.0f} to {100 * span[1]:.0f} %"


def _tradeoff(points: Sequence[Operating]) -> Figure:
    names = {
        "precision": "suggestions that hold",
        "coverage": "segments with a suggestion",
        "found": "themes found",
        "wrongly": "wrongly on segments without",
    }
    series = [
        figures.Series(
            name=told,
            x=tuple(point.threshold for point in points),
            y=tuple(point.found.values[name] for point in points),
            low=tuple((point.found.spans[name] or (None, None))[0] for point in points),
            high=tuple((point.found.spans[name] or (None, None))[1] for point in points),
        )
        for name, told in names.items()
        if any(point.found.values[name] is not None for point in points)
    ]
    alt = "The higher the probability that is asked for, the more suggestions hold and the fewer segments have one."
    words = Words(
        title="What a higher threshold gives and takes", alt=alt, x="suggested from this probability on", y="share"
    )
    return figures.lines(words, series, y_range=(0, 1.02), marked=False)


def _reliability(made: Evaluation) -> tuple[Part, ...]:
    bins = [
        figures.Reliable(said=b.probability, right=b.right, count=b.count, low=low, high=high)
        for b in made.reliability
        for low, high in [b.span or (None, None)]
    ]
    error = _told(made.systems["themescout"], "ece")
    alt = f"On average they are {error} apart: the expected calibration error."
    words = Words(title="How probable it was said to be, and how often it was right", alt=alt, x="said", y="right")
    said = (
        "The three best suggestions of every segment in ten groups of equal size. On the dashed line, a probability "
        f"means what it says. The mean distance from it (expected calibration error) is {error}."
    )
    return said, figures.reliability(words, bins)


def _themes(made: Evaluation) -> tuple[Part, ...]:
    rows = tuple(
        (
            t.theme,
            Cell(text=t.says, mark=t.mark or "none"),
            t.positives,
            Cell(text="–" if t.average_precision is None else f"{t.average_precision:.2f}", under=between(t.span)),
            t.chance,
            t.suggested,
            Cell(text=_percent(t.right), under=_percents(t.right_span)),
            _percent(t.found),
        )
        for t in made.by_theme
    )
    columns = ("theme", "in words", "segments", "AP", "AP of guessing", "suggested", "hold", "found")
    found = [t for t in made.by_theme if t.average_precision is not None]
    frequent = sorted(found, key=lambda t: -t.positives)[:MOST]
    ordered = sorted(frequent, key=lambda t: -(t.average_precision or 0))
    shown = [
        figures.Estimate(name=t.theme, value=t.average_precision, low=low, high=high)
        for t in ordered
        for low, high in [t.span or (None, None)]
    ]
    alt = "From the theme whose segments are found best to the one whose are found worst."
    which = "each theme" if len(found) <= MOST else f"the {MOST} most frequent themes"
    words = Words(title=f"Average precision of {which}", alt=alt, x="average precision", y="theme")
    said = (
        "AP is how pure the list of a theme's segments is, best first. Suggested: how many segments it was suggested "
        "for; hold: how many of these people gave it; found: how many of its segments it was suggested for."
    )
    table = Table(caption="Theme by theme", columns=columns, rows=rows)
    return (said, table, figures.intervals(words, shown, x_range=(0, 1))) if shown else (said, table)


def _sites(made: Evaluation) -> tuple[Part, ...]:
    if not made.by_site:
        return ()
    systems = ("themescout", made.differences[-1].against)
    rows: tuple[Row, ...] = tuple(
        (
            site.site,
            site.documents,
            site.coded,
            *(_with(site.systems[name], m) for name in systems for m in ("recall@3", "map")),
        )
        for site in made.by_site
    )
    columns = (
        "site",
        "documents",
        "coded segments",
        *(f"{_name(s)}: {m}" for s in systems for m in ("recall@3", "mAP")),
    )
    return (Table(caption="Site by site, beside the best baseline", columns=columns, rows=rows),)


def _people(agreement: Sequence[Alike]) -> tuple[Part, ...]:
    if not agreement:
        return ()
    shown: list[figures.Estimate] = []
    rows: list[Row] = []
    for one in agreement:
        name = one.theme or "all themes"
        for group, value, span in (
            ("people with one another", one.people, one.people_span),
            ("suggestions with each of them", one.machine, one.machine_span),
        ):
            low, high = span or (None, None)
            shown.append(figures.Estimate(name=name, value=value, low=low, high=high, group=group))
        told = (
            Cell(text="–" if value is None else f"{value:.2f}", under=between(span))
            for value, span in ((one.people, one.people_span), (one.machine, one.machine_span))
        )
        rows.append((name, one.segments, *told))
    columns = ("theme", "segments", "people", "suggestions")
    table = Table(caption="Agreement on segments that several people have read", columns=columns, rows=tuple(rows))
    alt = "Agreement of people with one another, and of the suggestions with each of them, theme by theme."
    words = Words(
        title="People with one another, and the suggestions with them", alt=alt, x="positive agreement", y="theme"
    )
    said = (
        "Positive agreement is the share of the themes given by two that both gave (F1). Nothing can agree with people "
        "much better than they do with one another: that is the ceiling."
    )
    return said, figures.intervals(words, shown, x_range=(0, 1)), table


def _protocol(made: Evaluation) -> tuple[Part, ...]:
    told = made.protocol
    learned = {"codebook": "the codebook alone", "decisions": "the codebook and the coding of other documents"}
    sites = (
        f" at {', '.join(told['train_sites'])}; tested on {', '.join(told['test_sites'])}" if told["test_sites"] else ""
    )
    lines = (
        f"{made.segments:,} segments that people read, {made.coded:,} with a theme, {made.themes} themes, "
        f"{told['documents']:,} documents, {told['sites']} sites, {told['coders']} coders.",
        f"Learned from {learned[told['from']]}{sites}, never from the same {told['left_out']}.",
        f"{told['exemplars_withheld']} of {told['exemplars']} exemplars were withheld from their own documents.",
        "A theme counts as given where at least half of the people who read the segment gave it.",
        f"Intervals: {told['intervals']}.",
        f"Learning curve: {told['learning_curve']}.",
        *WORDS[3:],
    )
    return (lines,)
