"""The three steps of LAPACK that a fit takes, so that the other thread of the fit goes on meanwhile.

SciPy's own functions for them hold Python's lock as long as they take. What they call is also there as addresses of
functions (``scipy.linalg.cython_lapack``), and ``ctypes`` lets the lock go. All matrices are single precision, square,
ordered by columns and overwritten; what counts is the lower triangle.
"""

import ctypes
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Square = NDArray[np.float32]


def factor(matrix: Square) -> Square:
    """Return L, where L L' is the matrix, zeros above. Raises ``ArithmeticError`` if it is not positive definite."""
    if _call("spotrf", matrix, b"L"):
        raise ArithmeticError("the kernel matrix is not positive definite")
    return _below(matrix)


def inverse_factor(lower: Square) -> Square:
    """Return the inverse of a lower triangle, zeros above. Raises ``ArithmeticError`` if it has none."""
    if _call("strtri", lower, b"L", b"N"):
        raise ArithmeticError("the triangle has no inverse")
    return lower


def product(lower: Square) -> Square:
    """Return the lower triangle of L' L of a lower triangle L, zeros above."""
    _call("slauum", lower, b"L")
    return lower


def _below(matrix: Square) -> Square:
    """Return the matrix without what is above its diagonal."""
    for column in range(1, len(matrix)):  # along columns, which lie together
        matrix[:column, column] = 0
    return matrix


def _call(name: str, matrix: Square, *options: bytes) -> int:
    if not (matrix.dtype == np.float32 and matrix.flags.f_contiguous and matrix.shape[0] == matrix.shape[1]):
        raise ValueError("LAPACK wants single precision, by columns")
    size, told = ctypes.c_int(len(matrix)), ctypes.c_int(0)
    first = ctypes.c_int(max(len(matrix), 1))
    _function(name, len(options))(*options, size, matrix.ctypes.data, first, told)
    return told.value


@cache
def _function(name: str, options: int) -> Any:  # noqa: ANN401  # a foreign function
    from scipy.linalg import cython_lapack

    python = ctypes.pythonapi
    python.PyCapsule_GetName.restype, python.PyCapsule_GetName.argtypes = ctypes.c_char_p, [ctypes.py_object]
    python.PyCapsule_GetPointer.restype = ctypes.c_void_p
    python.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    capsule = cython_lapack.__pyx_capi__[name]
    address = python.PyCapsule_GetPointer(capsule, python.PyCapsule_GetName(capsule))
    number = ctypes.POINTER(ctypes.c_int)
    kinds: list[Any] = [*[ctypes.c_char_p] * options, number, ctypes.c_void_p, number, number]
    return ctypes.CFUNCTYPE(None, *kinds)(address)
