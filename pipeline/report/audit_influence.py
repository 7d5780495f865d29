"""The part of an audit's page that tells what suggestions do to the people who see them."""

from collections.abc import Iterator

from ..influence import Estimate, Haste, Influence, Panel
from . import figures
from .audited import Audited
from .drawing import Words
from .page import Cell, Note, Part, Section, Table

NOTHING = (
    "Nobody decided at the review page with suggestions in view: nothing can be said of the machine's influence. Of "
    "coding that was imported nobody knows what its coders saw."
)
EVERYBODY = "everybody"
MOST = 40  # coders


def influence_section(found: Audited) -> Section:
    """Return the section."""
    title = "What suggestions do to people"
    if found.influence is None:
        return Section(title=title, parts=(NOTHING,))
    return Section(title=title, parts=tuple(_parts(found.influence)))


def in_short(found: Influence | None) -> str:
    """Return the panel in a sentence."""
    if found is None:
        return "Influence of the machine: not known, as nobody worked with suggestions in view."
    effect = found.everybody.effect
    if effect.value is None:
        return "Influence of the machine: not known, as no segment's suggestions were kept back."
    return f"Influence of the machine: a suggestion in view adds {points(effect)} to how often its theme is given."


def points(found: Estimate) -> str:
    """Return a difference of shares in percentage points with its interval.

    >>> points(Estimate(value=0.124, low=-0.02, high=0.27)), points(Estimate(value=None))
    ('+12 points [-2, +27]', 'not estimable')
    """
    if found.value is None:
        return "not estimable"
    reach = "" if found.low is None or found.high is None else f" [{100 * found.low:+.0f}, {100 * found.high:+.0f}]"
    return f"{100 * found.value:+.0f} points{reach}"


def figure(found: Estimate, *, percent: bool = False) -> str:
    """Return a figure with its interval, as a share in percent if it is one."""
    if found.value is None:
        return "–"
    scale, digits = (100, 0) if percent else (1, 2)
    sign = " %" if percent else ""
    reach = ""
    if found.low is not None and found.high is not None:
        low, high = (max(found.low, 0.0), min(found.high, 1.0)) if percent else (found.low, found.high)
        reach = f" [{scale * low:.{digits}f}, {scale * high:.{digits}f}]"
    return f"{scale * found.value:.{digits}f}{sign}{reach}"


def _parts(found: Influence) -> Iterator[Part]:
    yield (
        "Agreement between coders cannot show that they follow the machine: who follows the same machine agrees. What "
        "shows it is chance: which segments come without suggestions is drawn. Intervals (95 %) are over documents."
    )
    panels = {EVERYBODY: found.everybody} | dict(sorted(found.coders.items())[:MOST])
    yield from _picture(panels)
    yield Table(
        caption="Suggestions in view beside those kept back, in the same band of probability",
        columns=("coder", "effect of showing", "inflation", "accepted when shown", "given when kept back"),
        rows=tuple(
            (
                name,
                points(p.effect),
                points(p.inflation),
                figure(p.acceptance, percent=True),
                figure(p.blind_agreement, percent=True),
            )
            for name, p in panels.items()
        ),
    )
    yield (
        "The effect compares routine with withheld segments, weighted by the chance with which they came to be so: it "
        "is cause. Inflation takes all blind segments (anchors, overlap, duplicates, too): steadier, and less "
        "certainly cause."
    )
    yield from _reliance(panels)
    yield from _habits(found)
    yield _variety(found)
    yield _missed(found)


def _picture(panels: dict[str, Panel]) -> Iterator[Part]:
    drawn = [
        figures.Estimate(name=name, value=one.value, low=one.low, high=one.high, group=group)
        for name, panel in panels.items()
        if name == EVERYBODY or panel.effect.value is not None or panel.inflation.value is not None
        for group, one in (("effect of showing", panel.effect), ("inflation", panel.inflation))
    ]
    if not any(one.value is not None for one in drawn):
        yield Note(
            text="No segment's suggestions were kept back ([review] withhold): the effect of showing is not known."
        )
        return
    most = panels[EVERYBODY]
    alt = f"Dots with intervals for each coder; 0 is no influence. Everybody: effect {points(most.effect)}, inflation "
    f"{points(most.inflation)}."
    yield figures.intervals(
        Words(
            title="How much more often a theme is given because it was suggested",
            alt=alt,
            x="difference of shares",
            y="coder",
        ),
        drawn,
        limits=[figures.Limit(name="no influence", value=0.0)],
    )


def _reliance(panels: dict[str, Panel]) -> Iterator[Part]:
    known = {
        name: panel.reliance
        for name, panel in panels.items()
        if panel.reliance.wrong.count or panel.reliance.right.count
    }
    if not known:
        yield "No suggestion in view has a gold coding: whether right or wrong ones are followed is not known."
        return
    yield Table(
        caption="Right and wrong suggestions, by the gold coding",
        columns=(
            "coder",
            "right ones accepted",
            "wrong ones accepted",
            "gap",
            "right ones given blind",
            "wrong ones given blind",
        ),
        rows=tuple(
            (
                name,
                figure(one.right, percent=True),
                figure(one.wrong, percent=True),
                points(one.gap),
                figure(one.blind_right, percent=True),
                figure(one.blind_wrong, percent=True),
            )
            for name, one in known.items()
        ),
    )
    bound = known.get(EVERYBODY)
    if bound and bound.wrong_accepted.of:
        wrong = bound.wrong_accepted
        yield (
            f"{wrong.hits} of {wrong.of} wrong suggestions were accepted: with 95 % confidence not more than "
            f"{100 * wrong.at_most:.0f} % are, as if suggestions were independent of one another."
        )


def _habits(found: Influence) -> Iterator[Part]:
    rank, order = found.position.rank, found.position.order
    if rank.value is None and order.value is None:
        yield "Place in the list and fatigue: not estimable (too few documents, or no variation)."
    else:
        yield (
            "Log-odds of accepting, beyond what the probability explains: "
            f"{figure(rank)} for each place further down the list, {figure(order)} for each hundred segments in a "
            "session."
        )
    if not found.hasty:
        yield "No run of twenty accepts in a row, each in less than two fifths of the coder's usual time."
        return
    yield Table(
        caption="Accepting without reading? Runs of fast accepts",
        columns=("coder", "accepts in a row", "median seconds", "usual seconds"),
        rows=tuple(map(_haste, found.hasty[:MOST])),
    )


def _haste(one: Haste) -> tuple[str | int | float, ...]:
    return one.coder, one.length, one.median, one.usual


def _variety(found: Influence) -> Table:
    v = found.variety
    return Table(
        caption="Variety: do suggestions narrow what is found?",
        columns=("what", "with suggestions", "kept back", "compared"),
        rows=(
            (
                "themes per segment",
                figure(v.themes_shown),
                figure(v.themes_withheld),
                f"difference {figure(v.themes_difference)}",
            ),
            (
                "effective number of themes",
                figure(v.kinds_shown),
                figure(v.kinds_withheld),
                f"ratio {figure(v.kinds_ratio)}",
            ),
            (
                "share of themes the machine did not suggest",
                figure(v.own_shown, percent=True),
                figure(v.own_withheld, percent=True),
                "–",
            ),
        ),
    )


def _missed(found: Influence) -> Part:
    recall, missed = found.found.recall, found.found.missed
    if not recall.of:
        return "What the suggestions miss is not known: no withheld or overlap segment was given a theme."
    return Table(
        caption="What suggestions miss, from segments that chance drew and that came without them",
        columns=("what", "share", "95 % bounds", "with 95 % confidence"),
        rows=(
            (
                Cell(text="themes given that the machine would have suggested"),
                f"{recall.hits}/{recall.of} ({100 * (recall.value or 0):.0f} %)",
                f"{100 * recall.low:.0f} to {100 * recall.high:.0f} %",
                f"at least {100 * recall.at_least:.0f} %",
            ),
            (
                Cell(text="segments without a suggestion that were given a theme"),
                f"{missed.hits}/{missed.of} ({100 * (missed.value or 0):.0f} %)",
                f"{100 * missed.low:.0f} to {100 * missed.high:.0f} %",
                f"at most {100 * missed.at_most:.0f} %",
            ),
        ),
    )
