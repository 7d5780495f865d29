"""How many units to code twice, before anybody codes them."""

import math

from scipy import special


def units_needed(alpha: float, share: float, risk: float = 0.05) -> int:
    """Return how many units two coders must both read, for alpha of a theme that ``share`` of the units have.

    With fewer, the smallest acceptable ``alpha`` cannot be told from a smaller one but with more than the ``risk`` of
    being wrong (Bloch & Kraemer 1989, as given by Krippendorff 2019, 11.4). Clustering by document asks for more.
    Raises ``ValueError`` for shares and alphas that are not between 0 and 1.
    """
    if not (0 < alpha < 1 and 0 < share < 1 and 0 < risk < 1):
        raise ValueError("alpha, share and risk are between 0 and 1")
    z = float(special.ndtri(1 - risk))
    parts = (1 + alpha) * (3 - alpha) / (4 * (1 - alpha) * share * (1 - share))
    return math.ceil(2 * z * z * (parts - alpha))
