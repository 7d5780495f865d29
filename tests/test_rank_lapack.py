"""The steps of LAPACK that let other threads go on: the same as SciPy's, to the bit."""

import numpy as np
import pytest
from scipy.linalg import lapack as scipys

from pipeline.rank import lapack


def kernel(size: int) -> lapack.Square:
    rows = np.random.default_rng(size).normal(size=(size, 5)).astype(np.float32)
    return np.asfortranarray(rows @ rows.T + np.eye(size, dtype=np.float32))


@pytest.mark.parametrize("size", [1, 2, 65, 300])
def test_the_steps_are_those_of_scipy(size: int) -> None:
    factor, _ = scipys.spotrf(kernel(size), lower=1, clean=1)
    inverse, _ = scipys.strtri(factor, lower=1)
    product, _ = scipys.slauum(inverse, lower=1)
    found = lapack.factor(kernel(size))
    np.testing.assert_array_equal(found, factor)
    np.testing.assert_array_equal(lapack.inverse_factor(found), inverse)
    np.testing.assert_array_equal(lapack.product(found), product)
    np.testing.assert_allclose(np.tril(product), np.tril(np.linalg.inv(kernel(size))), atol=1e-4)


def test_what_has_no_factor_or_no_inverse_is_an_error() -> None:
    with pytest.raises(ArithmeticError):
        lapack.factor(-kernel(4))
    with pytest.raises(ArithmeticError):
        lapack.inverse_factor(np.zeros((3, 3), dtype=np.float32, order="F"))


def test_a_matrix_that_lapack_would_misread_is_refused() -> None:
    for wrong in (np.eye(3), np.ones((3, 2), dtype=np.float32, order="F"), np.ones((3, 3), dtype=np.float32)[::2, ::2]):
        with pytest.raises(ValueError, match="single precision"):
            lapack.factor(wrong)  # type: ignore[arg-type]
