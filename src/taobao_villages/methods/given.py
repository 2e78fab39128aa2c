"""Input of the methods: one error that says what does not fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def same_index(**named: ArrayLike) -> None:
    """Raise if two of the columns are Series with different indexes."""
    indexes = [column.index for column in named.values() if isinstance(column, pd.Series)]
    if any(not index.equals(indexes[0]) for index in indexes[1:]):
        raise ValueError(
            f"{', '.join(named)}: the indexes differ; align the Series, or pass arrays"
        )


def columns(**named: ArrayLike) -> tuple[np.ndarray, ...]:
    """Float arrays of one length, one dimension, without missing values; else ValueError."""
    same_index(**named)
    arrays = {name: np.asarray(column, dtype=float) for name, column in named.items()}
    for name, array in arrays.items():
        if array.ndim != 1 or array.size == 0:
            raise ValueError(f"{name}: one dimension and at least one unit, not {array.shape}")
        if not np.isfinite(array).all():
            where = np.flatnonzero(~np.isfinite(array)).tolist()
            raise ValueError(f"{name}: missing or infinite at positions {where}; drop or fill them")
    if len({array.size for array in arrays.values()}) > 1:
        sizes = ", ".join(f"{name} {array.size}" for name, array in arrays.items())
        raise ValueError(f"lengths differ: {sizes}")
    return tuple(arrays.values())


def counts(count: ArrayLike, base: ArrayLike | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Counts (not negative, not all zero) and their base (positive; ones if None)."""
    if base is None:
        (counts,) = columns(count=count)
        bases = np.ones_like(counts)
    else:
        counts, bases = columns(count=count, base=base)
    if (counts < 0).any():
        where = np.flatnonzero(counts < 0).tolist()
        raise ValueError(f"count: negative at positions {where}")
    if counts.sum() == 0:
        raise ValueError("count: all are zero, so shares are undefined")
    if (bases <= 0).any():
        where = np.flatnonzero(bases <= 0).tolist()
        raise ValueError(f"base: zero or negative at positions {where}; a rate needs a base")
    return counts, bases


def whole(**named: float) -> None:
    """Raise unless each number is a whole number of cases, zero or more."""
    for name, number in named.items():
        if not np.isfinite(number) or number < 0 or number != int(number):
            raise ValueError(f"{name}: a whole number, zero or more, not {number}")


def exposed(**named: float) -> None:
    """Raise unless each exposure is positive and finite."""
    for name, number in named.items():
        if not np.isfinite(number) or number <= 0:
            raise ValueError(f"{name}: must be positive, not {number}")


def tail(level: float) -> float:
    """Both tails together, 1 - level."""
    if not 0 < level < 1:
        raise ValueError(f"level: between 0 and 1, such as 0.95, not {level}")
    return 1 - level
