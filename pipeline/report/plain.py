"""Records of results -> plain values, as JSON needs them."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import numpy as np


def plain(value: object) -> Any:  # noqa: ANN401  # whatever JSON can hold
    """Return records, tuples and mappings as lists and dictionaries, moments in ISO 8601, words of enums.

    >>> plain((1, datetime(2026, 3, 2, 9)))
    [1, '2026-03-02T09:00:00']
    """
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(one) for one in value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and value != value:  # NaN, which JSON does not have
        return None
    return value
