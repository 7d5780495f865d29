"""What the figures of an evaluation say in words: whether the suggestions can be relied on, with this codebook.

Everything is said from intervals: where one holds both answers, the question is called open. Nothing here is a test of
the program in general.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .intervals import Span
from .outcome import Alike, Difference, Found, Mark, Operating, ThemeResult, Verdict

HALF = 0.5
CALIBRATED, MISLEADING = 0.05, 0.1  # calibration errors
HEADLINES: Mapping[Mark, str] = {
    "good": "With this codebook the suggestions help: they are better than what is simpler, and most of them hold.",
    "watch": "The figures do not settle whether the suggestions help with this codebook: look at each theme.",
    "bad": "With this codebook the suggestions should not be relied on.",
    "": "There is too little coding to tell whether the suggestions can be relied on with this codebook.",
}


def verdict(
    ours: Found,
    differences: Sequence[Difference],
    suggesting: Operating,
    themes: Sequence[ThemeResult],
    agreement: Sequence[Alike],
) -> Verdict:
    """Return what can be said; ``ours`` are themescout's measures, the last difference is that to the best baseline."""
    mark = _mark(differences[-1].found, suggesting.found)
    lines = [
        _ranked(ours),
        *(_against(one) for one in differences[-1:]),
        *_suggested(suggesting),
        _calibrated(ours),
        *_by_theme(themes),
        *_people(agreement),
    ]
    return Verdict(mark=mark, says=(HEADLINES[mark], *(line for line in lines if line)))


def with_caution(made: Verdict, in_sight: int, segments: int) -> Verdict:
    """Return a verdict that also says on how many segments people may have been swayed, if on any."""
    if not in_sight:
        return made
    said = (
        f"On {in_sight:,} of {segments:,} segments people decided with suggestions in sight, which may flatter these "
        "figures; what they coded without tells more."
    )
    return replace(made, says=(*made.says, said))


def _mark(best: Found, suggesting: Found) -> Mark:
    better, right = best.spans["recall@3"], suggesting.spans["precision"]
    if better is None:
        return ""
    if better[1] < 0 or (right is not None and right[1] < HALF):
        return "bad"
    return "good" if better[0] > 0 and right is not None and right[0] >= HALF else "watch"


def of_hundred(value: float | None, between: Span | None) -> str:
    """Return a share as people say it.

    >>> of_hundred(0.71, (0.684, 0.742)), of_hundred(0.71, None), of_hundred(0.5, (0.498, 0.502))
    ('68 to 74', 'about 71', '50')
    """
    if between is None:
        return f"about {100 * (value or 0):.0f}"
    low, high = (f"{100 * end:.0f}" for end in between)
    return low if low == high else f"{low} to {high}"


def _ranked(ours: Found) -> str:
    value = ours.values["hit@3"]
    if value is None:
        return ""
    told = of_hundred(value, ours.spans["hit@3"])
    return f"Of 100 segments with a theme, {told} have one that people gave among the first three of the ranking."


def _against(best: Difference) -> str:
    between, name = best.found.spans["recall@3"], best.against
    if between is None:
        return "There are too few documents to tell it from the simple baselines: five at least are needed."
    if between[0] > 0:
        return (
            f"Of 100 themes that people gave, its first three hold {of_hundred(None, between)} more than those of "
            f"{name}, the best of the simple baselines here."
        )
    if between[1] < 0:
        return f"Its first three hold fewer of the themes that people gave than those of {name}, which is simpler."
    return f"Its first three cannot be told from those of {name}, the best of the simple baselines here."


def _suggested(suggesting: Operating) -> list[str]:
    values, spans = suggesting.found.values, suggesting.found.spans
    if values["precision"] is None:
        return ["Nothing was sure enough to be suggested."]
    said = (
        f"Of 100 suggestions, {of_hundred(values['precision'], spans['precision'])} hold; "
        f"{of_hundred(values['coverage'], spans['coverage'])} of 100 segments have a suggestion."
    )
    if values["wrongly"] is None:
        return [said]
    told = of_hundred(values["wrongly"], spans["wrongly"])
    return [said, f"Of 100 segments that people gave no theme, {told} have a suggestion all the same."]


def _calibrated(ours: Found) -> str:
    error, between = ours.values["ece"], ours.spans["ece"]
    if error is None:
        return ""
    said = f"Probabilities are off by {100 * error:.0f} of 100 on average"
    if between is not None and between[1] <= CALIBRATED:
        return f"{said}: they can be taken as they are."
    if error > MISLEADING:
        return f"{said}: take them as an order, not as chances."
    return f"{said}: take them as rough."


def _by_theme(themes: Sequence[ThemeResult]) -> list[str]:
    by: dict[Mark, list[str]] = {"good": [], "watch": [], "bad": [], "": []}
    for theme in themes:
        by[theme.mark].append(theme.theme)
    told = [f"Suggestions hold for {len(by['good'])} of {len(themes)} themes."] if by["good"] else []
    if by["bad"]:
        told.append(f"They are not to be relied on for: {', '.join(by['bad'])}.")
    if by[""]:
        told.append(f"Of {len(by[''])} themes nothing can be said: they were given too seldom, or in few documents.")
    return told


def _people(agreement: Sequence[Alike]) -> list[str]:
    if not agreement or agreement[0].people is None or agreement[0].machine is None:
        return []
    every = agreement[0]
    people = of_hundred(every.people, every.people_span)
    machine = of_hundred(every.machine, every.machine_span)
    said = (
        f"Where several people read the same segments, they agree on {people} of 100 themes given, "
        f"and the suggestions with each of them on {machine}"
    )
    if every.people_span is None or every.machine_span is None:
        return [f"{said}."]
    if every.machine_span[1] < every.people_span[0]:
        return [f"{said}: less than people with one another."]
    if every.machine_span[0] > every.people_span[1]:
        return [f"{said}: more than people with one another, who may not read the codebook alike."]
    return [f"{said}: the difference may be chance."]
