"""What tells each theme from the others: kernel ridge regression on themes (Saunders et al. 1998).

With K the kernel matrix of the rows, D the ridge of each row and P = (K + D)^-1, the coefficients are a = P y, and a
passage's prediction is k a. Without the rows B of one document the coefficients are a - P_:B s_B, and the prediction
of the rows B themselves is y_B - s_B, where s_B = P_BB^-1 a_B (Rasmussen and Williams 2006, section 5.4.2, there for
single rows): leaving out takes no refitting. With L the Cholesky factor of K + D, P_BB is the product of the columns B
of L^-1 with each other, so that P itself is needed only for texts that are not among the rows.

Numbers are single precision: no ridge is much below 1, so that the matrix is well conditioned.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import lapack
from .material import Rows

Floats = NDArray[np.floating]
WIDTH = 2.0  # of the kernel exp(WIDTH * (cosine - 1)): curved enough to follow exemplars, too flat to memorise them
RIDGE = 1.0  # of the same size as what one row adds to the kernel
BALANCE = 0.5  # 0: common themes teach most; 1: all themes teach alike


@dataclass(frozen=True, kw_only=True, slots=True)
class Learned:
    """The fitted regression."""

    base: NDArray[np.float64]  # k: the share of each theme among the rows
    coefficients: NDArray[np.float64]  # m x k
    residual: NDArray[np.float64]  # m x k: what was to be learned beyond the base
    factor: NDArray[np.float32]  # m x m: L, where L L' = K + D; lower triangle, zeros above


@dataclass(frozen=True, kw_only=True, slots=True)
class Apart:
    """What leaving documents out takes."""

    coefficients: NDArray[np.float64]  # m x k
    half: NDArray[np.float32]  # m x m: L^-1; lower triangle, zeros above

    def error(self, block: NDArray[np.intp]) -> Floats:
        """Return s_B: how far what is predicted for the rows of ``block`` without them is from what they are."""
        own = self.half[block.min() :, block]
        return np.asarray(np.linalg.solve((own.T @ own).astype(np.float64), self.coefficients[block]))

    def errors(self, groups: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the same for every row, each left out with the others of its group."""
        alone = np.bincount(groups)[groups] == 1
        found = np.empty(self.coefficients.shape)
        found[alone] = self.coefficients[alone] / np.einsum("ij,ij->j", self.half, self.half)[alone, None]
        for block in blocks(groups):
            if len(block) > 1:
                found[block] = self.error(block)
        return found

    def inverse(self) -> NDArray[np.float32]:
        """Return P, of which the upper triangle is zeros."""
        return lapack.product(self.half.copy(order="F"))


def apart(learned: Learned) -> Apart:
    """Return what leaving documents out takes; the factor is overwritten."""
    return Apart(coefficients=learned.coefficients, half=lapack.inverse_factor(learned.factor))


def columns(inverse: NDArray[np.float32], block: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return P_:B, given P without its upper triangle."""
    found = inverse[:, block] + inverse[block].T
    found[block, np.arange(len(block))] -= np.diag(inverse)[block]
    return found


def blocks(groups: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Return the rows of each group."""
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)


def closeness(cosines: Floats) -> Floats:
    """Return how much passages of such cosines teach each other by their meaning."""
    apart = cosines - 1
    apart *= WIDTH
    return np.asarray(np.exp(apart, out=apart))


def learn(rows: Rows, kernel: NDArray[np.float32]) -> Learned:
    """Return the regression on the rows' themes; ``kernel`` is overwritten."""
    from scipy.linalg.lapack import spotrs

    base, residual, ridge = problem(rows)
    kernel[np.diag_indices_from(kernel)] += ridge.astype(np.float32)
    # A symmetric matrix by rows is the same by columns, which is how LAPACK wants it.
    factor = lapack.factor(kernel.T)
    coefficients, _ = spotrs(factor, np.asfortranarray(residual, dtype=np.float32), lower=1)
    return Learned(base=base, coefficients=coefficients.astype(np.float64), residual=residual, factor=factor)


def problem(rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the base share of each theme, what is left to learn in each row, and the ridge of each row."""
    per_theme = rows.shares.sum(axis=0)
    rarity = (per_theme.mean() / per_theme) ** BALANCE
    themed = rows.shares.sum(axis=1)
    weight = np.divide(rows.shares @ rarity, themed, out=np.ones_like(themed), where=themed > 0)
    missed = np.zeros(len(weight), dtype=bool)
    missed[: rows.quotes] = rows.misses.any(axis=1)
    only = missed & (themed == 0)
    base = np.average(rows.shares[~only], axis=0, weights=weight[~only])
    residual = rows.targets - base
    # Of a near miss it is known what it is not; what else it may be is left open.
    residual[: rows.quotes][only[: rows.quotes, None] & ~rows.misses] = 0
    return base, residual, RIDGE / weight
