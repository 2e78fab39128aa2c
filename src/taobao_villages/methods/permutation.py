"""Permutation tests: the statistic among what reshuffled labels give."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

Alternative = Literal["less", "greater", "two-sided", "directed"]


class PermutationResult(NamedTuple):
    """Observed statistic, mean under permutation, p-value and the permuted statistics."""

    observed: float
    expected: float
    p: float
    draws: np.ndarray


def pseudo_p(
    observed: float | np.ndarray, draws: np.ndarray, alternative: Alternative
) -> np.ndarray:
    """Permutation p-values; draws lie along the first axis.

    Draws that equal the observed value, but for rounding, count as extreme on both sides. esda
    compares floats exactly and leaves ties out on the low side: for counts with many zeros (most
    provinces of 2014 have none) some of its p-values are several times smaller.
    """
    if alternative not in ("less", "greater", "two-sided", "directed"):
        raise ValueError(f"alternative: less, greater, two-sided or directed, not {alternative!r}")
    slack = 1e-12 * np.maximum(np.abs(draws).max(axis=0), np.abs(observed))
    more = len(draws) + 1
    less = ((draws <= observed + slack).sum(axis=0) + 1) / more
    greater = ((draws >= observed - slack).sum(axis=0) + 1) / more
    smaller = np.minimum(less, greater)
    p = {
        "less": less,
        "greater": greater,
        "directed": smaller,
        "two-sided": np.minimum(1.0, 2 * smaller),
    }
    return p[alternative]


def permutation_test(
    statistic: Callable[[np.ndarray], float],
    values: ArrayLike,
    *,
    permutations: int = 9999,
    seed: int,
    alternative: Alternative = "two-sided",
    within: ArrayLike | None = None,
) -> PermutationResult:
    """Compare a statistic with its values when `values` is shuffled over the units.

    Parameters
    ----------
    statistic : callable
        Takes an array like `values`, returns a number.
    values : array_like, shape (n,)
        Numbers, labels or True/False.
    permutations : int
        Random shuffles.
    seed : int
        Same seed, same result; nothing global is touched.
    alternative : {"less", "greater", "two-sided", "directed"}
        "two-sided" doubles the smaller tail. "directed" is the smaller tail alone, as esda gives
        it: the data choose the side, so it rejects a true null twice as often as it says.
    within : array_like, shape (n,), optional
        Labels such as provinces: values change places only among units of one label, so that what
        differs between labels is no evidence.

    Returns
    -------
    PermutationResult
        `observed`; `expected`, the mean of the draws; `p`; `draws`, shape (permutations,).

    Raises
    ------
    ValueError
        Missing values, fewer than two units, no permutations, an unknown alternative, a statistic
        that is not a number, or labels missing or of another length.

    Notes
    -----
    p = (b + 1) / (m + 1), with b of m draws at least as extreme as observed (Phipson and Smyth
    2010). scipy.stats.permutation_test is not used: for n of 7 or less it enumerates and drops
    the + 1, and its tolerance for ties is relative to an observed value that may be 0.

    Examples
    --------
    A subset against random subsets of its size: shuffle who is a member.

    >>> rates = np.array([1.0, 2.0, 9.0, 8.0])
    >>> south = np.array([False, False, True, True])
    >>> result = permutation_test(
    ...     lambda member: rates[member].mean(), south, permutations=99, seed=1,
    ...     alternative="greater",
    ... )
    >>> result.observed
    8.5

    Within pairs there are two ways each for two labels to fall: four in all, and one as seen.

    >>> result = permutation_test(
    ...     lambda member: rates[member].sum(), south[[0, 2, 1, 3]], within=[1, 1, 2, 2],
    ...     permutations=999, seed=1, alternative="less",
    ... )
    >>> float(result.observed), abs(result.p - 3 / 4) < 0.05  # 2 + 8; 1 + 9, 1 + 8 are no larger
    (10.0, True)
    """
    array = np.asarray(values)
    if array.ndim != 1 or array.size < 2:
        raise ValueError(f"values: one dimension and at least two units, not {array.shape}")
    if pd.isna(array).any():
        raise ValueError("values: missing values; drop or fill them")
    if permutations < 1:
        raise ValueError(f"permutations: at least 1, not {permutations}")
    generator = np.random.default_rng(seed)
    observed = float(statistic(array))
    shuffled: Iterator[np.ndarray]
    if within is None:
        shuffled = (generator.permutation(array) for _ in range(permutations))
    else:
        shuffled = _shuffled_within(array, np.asarray(within), permutations, generator)
    draws = np.array([statistic(order) for order in shuffled], float)
    if not np.isfinite(observed) or not np.isfinite(draws).all():
        raise ValueError("statistic: not a number for the observed or a permuted order")
    p = float(pseudo_p(observed, draws, alternative))
    return PermutationResult(observed, float(draws.mean()), p, draws)


def _shuffled_within(
    array: np.ndarray, labels: np.ndarray, permutations: int, generator: np.random.Generator
) -> Iterator[np.ndarray]:
    """Copies of the array whose values have changed places among units of one label."""
    if labels.shape != array.shape or pd.isna(labels).any():
        raise ValueError(f"within: {array.size} labels and none missing")
    codes = pd.factorize(labels)[0]
    places = np.argsort(codes, kind="stable")
    for _ in range(permutations):
        order = np.empty_like(array)
        order[places] = array[np.lexsort((generator.random(array.size), codes))]
        yield order


def marked_among_drawn(
    size: int,
    eligible: np.ndarray,
    marked: int,
    drawn: int,
    *,
    weights: np.ndarray | None = None,
    draws: int,
    seed: int,
) -> np.ndarray:
    """How many marked units are drawn if marks and draws know nothing of each other: a simulation.

    Each time marks fall on some of the units at random, and then units are drawn.

    Parameters
    ----------
    size : int
        Number of units.
    eligible : ndarray of int
        Positions of the units that can be marked.
    marked, drawn : int
        How many are marked; how many are drawn: different units, or, with `weights`, balls that
        fall into the units and may meet in one.
    weights : ndarray, shape (size,), optional
        Chance of each unit to take a ball; adds up to 1.
    draws, seed : int
        How often, and the seed of the random numbers.

    Returns
    -------
    ndarray of int, shape (draws,)
        Marked units that were drawn, or that took at least one ball.
    """
    rng = np.random.default_rng(seed)
    found = np.empty(draws, dtype=int)
    for draw in range(draws):
        member = np.zeros(size, dtype=bool)
        member[rng.choice(eligible, size=marked, replace=False)] = True
        if weights is None:
            found[draw] = member[rng.choice(size, size=drawn, replace=False)].sum()
        else:
            found[draw] = (member & (rng.multinomial(drawn, weights) > 0)).sum()
    return found


def expected_among_drawn(
    size: int,
    eligible: np.ndarray,
    marked: int,
    drawn: int,
    *,
    weights: np.ndarray | None = None,
) -> float:
    """The mean of `marked_among_drawn`, worked out instead of simulated."""
    if weights is None:
        return float(drawn * marked / size)
    hit = 1 - (1 - weights) ** drawn
    return float(hit[eligible].sum() * marked / len(eligible))
