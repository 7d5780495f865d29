"""Coder or site? A mixed model of errors, on segments that coders have in common, or why there can be none."""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .records import Effect, Error, Plan, Sites
from .team import Team

Values = NDArray[np.float64]
Numbers = NDArray[np.intp]

LEAST_COMMON = 20  # segments that coders of different sites both answered
MOST = 1500  # checks in the model
LARGE, CLEAR = 0.8, 2.33  # logits, and posterior standard deviations
START = np.exp(-0.5)  # standard deviations that the fit begins with
RESIDUAL = np.pi**2 / 3  # variance of the logistic distribution


@dataclass(frozen=True, slots=True)
class Model:
    """The fitted model: posterior means of the standard deviations, and of each coder's and site's effect."""

    spread: Mapping[str, float]
    effects: Mapping[str, tuple[Values, Values]]  # means, sds


def coder_or_site(team: Team, plan: Plan) -> Sites:
    """Return how much of the errors' variance is due to coders and to sites, and which of them stand out.

    The model is that of a logistic regression with a level for each theme and kind of error, a line in time, and random
    effects of coder, site, segment, and of each coder's line in time (variational Bayes, ``BinomialBayesMixedGLM`` of
    statsmodels). Where coders and sites cannot be told apart it says so, and why.
    """
    if reason := apart(team):
        return _none(reason)
    rows = _some(team, plan.seed)
    model = fitted(team, rows)
    if model is None:
        return _none("the model does not converge")
    total = sum(sd**2 for sd in model.spread.values()) + RESIDUAL
    shares = {name: sd**2 / total for name, sd in model.spread.items()} | {"residual": RESIDUAL / total}
    places = sorted({team.sites[row] for row in rows})
    coders = _effects([team.coders[at] for at in np.unique(team.coder[rows])], *model.effects["coder"])
    of_sites = _effects(places, *model.effects["site"])
    out = [f"coder {one.name}" for one in coders if one.different] + [
        f"site {one.name}" for one in of_sites if one.different
    ]
    words = f"errors differ by {', '.join(out)}" if out else "no coder and no site stands out"
    return Sites(identifiable=True, words=words, shares=shares, coders=coders, sites=of_sites)


def _none(reason: str) -> Sites:
    return Sites(identifiable=False, words=f"not identifiable: {reason}", shares={}, coders=(), sites=())


def apart(team: Team) -> str:
    """Return why coders and sites cannot be told apart, "" if they can.

    They can where coders work at several sites each, so that all sites hang together; or where every site has at least
    two coders and coders of different sites answered the same segments.
    """
    coders: dict[str, set[int]] = {}
    for place, coder in zip(team.sites, team.coder.tolist(), strict=True):
        coders.setdefault(place, set()).add(coder)
    if len(coders) < 2:
        return "all checks belong to one site"
    if len(team.coders) < 3:
        return "there are fewer than three coders"
    if _connected(list(coders.values())):
        return ""
    if min(len(some) for some in coders.values()) < 2:
        return "coders are nested in sites, and a site has only one coder"
    where: dict[str, set[str]] = {}
    for segment, place in zip(team.segments, team.sites, strict=True):
        where.setdefault(segment, set()).add(place)
    common = sum(len(places) > 1 for places in where.values())
    if common < LEAST_COMMON:
        return f"coders are nested in sites, and {common} segments were answered at several sites"
    return ""


def _connected(groups: list[set[int]]) -> bool:
    """Return whether groups hang together by common members."""
    reached, rest = set(groups[0]), groups[1:]
    while near := [group for group in rest if group & reached]:
        reached |= set().union(*near)
        rest = [group for group in rest if not group & reached]
    return not rest


def _some(team: Team, seed: int) -> Numbers:
    """Return the rows of the model: of segments that at least two coders answered, or of all if those are few.

    If they are many, segments are drawn by lot.
    """
    count = Counter(team.segments)
    common = sorted(segment for segment, times in count.items() if times > 1)
    names = common if len(common) >= LEAST_COMMON else sorted(count)
    mixed = np.random.default_rng(seed).permutation(len(names))
    enough = np.searchsorted(np.cumsum([count[names[at]] for at in mixed]), MOST, side="right")
    kept = {names[at] for at in mixed[: max(int(enough), 1)]}
    return np.array([row for row, segment in enumerate(team.segments) if segment in kept], dtype=np.intp)


def fitted(team: Team, rows: Numbers) -> Model | None:
    """Return the model of the errors in some rows, one observation per priority theme; None if it cannot be fitted."""
    from scipy.sparse import csr_matrix, hstack
    from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM

    row, theme = np.nonzero(team.known[rows][:, : team.watched])
    row = rows[row]
    kind = 2 * theme + team.present(Error.MISS)[row, theme]
    when = team.turn[row] / max(len(team.turn) - 1, 1) - 0.5
    fixed = np.column_stack([_dummies(kind), when])
    groups = {
        "coder": _dummies(np.unique(team.coder[row], return_inverse=True)[1]),
        "site": _dummies(_numbers([team.sites[at] for at in row])),
        "segment": _dummies(_numbers([team.segments[at] for at in row])),
    }
    groups["coder in time"] = groups["coder"] * when[:, None]
    ident = np.repeat(np.arange(len(groups)), [each.shape[1] for each in groups.values()])
    random = hstack([csr_matrix(each) for each in groups.values()]).tocsr()
    wrong = team.wrong[row, theme].astype(np.float64)
    model = BinomialBayesMixedGLM(wrong, fixed, random, ident, vcp_p=1, fe_p=10)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        begin = np.full(fixed.shape[1] + len(groups) + random.shape[1], START)  # else it draws them, with no seed
        made = model.fit_vb(sd=begin, fit_method="L-BFGS-B", verbose=False)
    if any("converge" in str(one.message) for one in told):
        return None
    effects = {name: (made.vc_mean[ident == at], made.vc_sd[ident == at]) for at, name in enumerate(groups)}
    return Model(spread=dict(zip(groups, np.exp(made.vcp_mean).tolist(), strict=True)), effects=effects)


def _numbers(names: Sequence[str]) -> Numbers:
    return np.unique(names, return_inverse=True)[1].reshape(-1).astype(np.intp)


def _dummies(number: Numbers) -> Values:
    """Return one column per value that occurs."""
    values, place = np.unique(number, return_inverse=True)
    return np.eye(len(values))[place.reshape(-1)]


def _effects(names: Sequence[str], mean: Values, sd: Values) -> tuple[Effect, ...]:
    """Return each one's effect less the mean of the others', which unlike the effect itself has a fixed zero.

    The one that is furthest from the others is judged first, and then left out of what the rest are compared with.
    """
    apart, spread = _contrasts(mean, sd)
    left, stand_out = np.arange(len(names)), set[int]()
    while len(left) > 1:
        here, unsure = _contrasts(mean[left], sd[left])
        most = int(np.abs(here).argmax())
        if abs(here[most]) < LARGE or abs(here[most]) <= CLEAR * unsure[most]:
            break
        stand_out |= {int(left[most])} if len(left) > 2 else {int(one) for one in left}
        left = np.delete(left, most) if len(left) > 2 else left[:0]
    return tuple(
        Effect(name=name, logit=float(apart[at]), sd=float(spread[at]), different=at in stand_out)
        for at, name in enumerate(names)
    )


def _contrasts(mean: Values, sd: Values) -> tuple[Values, Values]:
    rest = max(len(mean) - 1, 1)
    return mean - (mean.sum() - mean) / rest, np.sqrt(sd**2 + ((sd**2).sum() - sd**2) / rest**2)
