"""Drift without anchors: what people coded before, each coder compared with the others on the same segment."""

from collections import Counter
from collections.abc import Iterable, Sequence

from .records import Check, Coded

LEAST = 1  # other coders of a segment


def checks_of(coded: Sequence[Coded], others: int = LEAST) -> list[Check]:
    """Return a check for every segment that enough other coders read, right being what most of them gave.

    A theme that exactly half of them gave is uncertain. Of two codings of one segment by one coder the later counts.
    """
    latest = {(one.segment, one.coder): one for one in sorted(coded, key=lambda one: one.at)}
    readers = Counter(segment for segment, _ in latest)
    given: dict[str, Counter[str]] = {segment: Counter() for segment in readers}
    for one in latest.values():
        given[one.segment].update(one.themes)
    return [
        _check(one, given[one.segment], readers[one.segment] - 1)
        for one in latest.values()
        if readers[one.segment] > others
    ]


def _check(one: Coded, votes: Counter[str], others: int) -> Check:
    shares = {theme: (count - (theme in one.themes)) / others for theme, count in votes.items()}
    return Check(
        coder=one.coder,
        at=one.at,
        segment=one.segment,
        document=one.document,
        site=one.site,
        gold=frozenset(theme for theme, share in shares.items() if share > 0.5),
        given=one.themes,
        uncertain=frozenset(theme for theme, share in shares.items() if share == 0.5),
        shares={theme: share for theme, share in shares.items() if share},
        revision=one.revision,
    )


def most_common(checks: Iterable[Check], at_most: int = 5) -> tuple[str, ...]:
    """Return the themes that are right most often, the first to watch where nobody chose any."""
    count = Counter(theme for check in checks for theme in check.gold)
    return tuple(theme for theme, _ in sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))[:at_most])
