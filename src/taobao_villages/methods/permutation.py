"""Permutation tests: the statistic among what reshuffled labels, or redrawn counts, give."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from taobao_villages.methods import given

AT_ONCE = 100  # draws that are made together; another number would give other draws
Alternative = Literal["less", "greater", "two-sided", "directed"]


class Envelope(NamedTuple):
    """Statistics among their draws: a row each, and the p-value of all of them together."""

    table: pd.DataFrame
    p: float


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


def redrawn(
    count: ArrayLike,
    base: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    *,
    whole: bool = False,
    draws: int,
    seed: int,
) -> Iterator[np.ndarray]:
    """Counts redrawn among the units of the same group, one draw after the other.

    Parameters
    ----------
    count : array_like of whole numbers, shape (n,)
        Such as villages of each county. Each group keeps its sum.
    base : array_like, shape (n,), optional
        Positive sizes, such as committees; None gives each unit the same.
    groups : array_like, shape (n,), optional
        Such as the county's province; None is one group, the country.
    whole : bool
        False: every single village falls into a unit with a chance in proportion to its base,
        whatever the others do (multinomial). True: the counts are moved as they are, each to
        another unit, with the units drawn one after the other without putting back, in proportion
        to their base; so as many units as before have villages, and villages that stand in one
        unit stay together. With equal bases this is a permutation.
    draws : int
        How many.
    seed : int
        Same seed, same draws; the first of many are those of few.

    Yields
    ------
    ndarray of int, shape (n,)
        ``np.array(list(redrawn(...)))`` has the shape (draws, n).

    Raises
    ------
    ValueError
        Counts that are negative, missing, all zero or not whole, bases not positive, a group
        missing, lengths that differ, or no draws.

    Notes
    -----
    Duranton and Overman (2005), Review of Economic Studies 72, draw places of firms likewise from
    those that exist. Units without putting back: the first of exponential waiting times with the
    bases as rates (Efraimidis and Spirakis 2006, Information Processing Letters 97).

    Examples
    --------
    >>> np.array(list(redrawn([3, 0, 2], [1, 1, 5], ["a", "a", "b"], draws=2, seed=1)))
    array([[2, 1, 2],
           [3, 0, 2]])
    """
    units = {"count": count} | ({} if base is None else {"base": base})
    given.same_index(**units, **({} if groups is None else {"groups": groups}))
    counts, bases = given.counts(count, base)
    if (counts != np.floor(counts)).any():
        raise ValueError("count: whole numbers only")
    group = pd.Series(np.zeros(counts.size) if groups is None else np.asarray(groups))
    if group.size != counts.size or group.isna().any():
        raise ValueError(f"groups: one for each of {counts.size} units, none missing")
    if draws < 1:
        raise ValueError(f"draws: at least 1, not {draws}")
    members = [units.to_numpy() for units in group.index.groupby(group).values()]
    return _redraws(counts.astype(int), bases, members, whole, draws, np.random.default_rng(seed))


def _redraws(
    counts: np.ndarray,
    bases: np.ndarray,
    members: list[np.ndarray],
    whole: bool,
    draws: int,
    rng: np.random.Generator,
) -> Iterator[np.ndarray]:
    """The draws of `redrawn`; apart from it, so that what is wrong is said at once."""
    for done in range(0, draws, AT_ONCE):
        block = np.zeros((AT_ONCE, counts.size), dtype=int)
        for units in members:
            held, size = counts[units], bases[units]
            some = held[held > 0]
            if not some.size:
                continue
            if whole:
                waiting = rng.exponential(size=(AT_ONCE, units.size)) / size
                first = np.argpartition(waiting, some.size - 1, axis=1)[:, : some.size]
                moved = rng.permuted(np.tile(some, (AT_ONCE, 1)), axis=1)
                np.put_along_axis(block, units[first], moved, axis=1)
            else:
                block[:, units] = rng.multinomial(held.sum(), size / size.sum(), size=AT_ONCE)
        yield from block[: draws - done]


def envelope(
    observed: ArrayLike,
    draws: ArrayLike,
    *,
    alternative: Literal["less", "greater", "two-sided"] = "two-sided",
    level: float = 0.95,
) -> Envelope:
    """Several statistics among their values in draws: each alone, and all of them together.

    Parameters
    ----------
    observed : array_like, shape (k,)
        Statistics of the data, such as pairs within k distances.
    draws : array_like, shape (m, k)
        The same of each draw under the null hypothesis.
    alternative : {"two-sided", "greater", "less"}
        "greater": large values speak against the null.
    level : float
        Coverage of the intervals and envelopes, 0 to 1.

    Returns
    -------
    Envelope
        `table`, k rows: `observed`; `expected`, the mean of the draws; `ratio` of the two; `low`
        and `high`, within which so many draws lie, both tails cut; `p` of this statistic alone,
        which holds if only this one was to be tested; `all_low` and `all_high`, which so many
        draws leave nowhere (one side is infinite unless two-sided).
        `p`: of all together; it is below 1 - level just when the data leave the latter.

    Raises
    ------
    ValueError
        Missing values, shapes that do not fit, another alternative or level.

    Notes
    -----
    Together: the greatest studentised deviation from the mean, with mean and spread of data and
    draws (Myllymaki, Mrkvicka, Grabarnik, Seijo and Hahn 2017, Journal of the Royal Statistical
    Society B 79). Alone: as `permutation_test`; "two-sided" doubles the smaller tail.

    Examples
    --------
    Of 19 draws none has so many: (0 + 1) / (19 + 1).

    >>> envelope([30.0], np.arange(19.0)[:, None], alternative="greater").p
    0.05
    """
    (values,), tail = given.columns(observed=observed), given.tail(level)
    found = np.asarray(draws, dtype=float)
    if found.ndim != 2 or found.shape[1] != values.size or not np.isfinite(found).all():
        raise ValueError(f"draws: {values.size} numbers each, none missing, not {found.shape}")
    if alternative not in ("less", "greater", "two-sided"):
        raise ValueError(f"alternative: less, greater or two-sided, not {alternative!r}")
    every = np.vstack([values, found])
    centre, spread = every.mean(axis=0), every.std(axis=0)
    spread = np.where(spread > 1e-12 * np.abs(every).max(axis=0), spread, np.inf)
    scores = (every - centre) / spread  # 0 where nothing varies
    upper, lower = alternative != "less", alternative != "greater"
    worst = np.maximum(scores if upper else -np.inf, -scores if lower else -np.inf).max(axis=1)
    # Of m + 1 curves those beyond it are the share 1 - level; what is left of 1e-9 is rounding.
    limit = np.sort(worst)[::-1][int(tail * len(every) + 1e-9)]
    reach = limit * np.where(np.isinf(spread), 0, spread)
    low, high = np.quantile(found, [tail / 2, 1 - tail / 2], axis=0)
    table = pd.DataFrame({"observed": values, "expected": found.mean(axis=0)})
    table["ratio"] = table["observed"] / table["expected"]
    table = table.assign(
        low=low,
        high=high,
        p=pseudo_p(values, found, alternative),
        all_low=centre - reach if lower else -np.inf,
        all_high=centre + reach if upper else np.inf,
    )
    return Envelope(table, float(pseudo_p(worst[0], worst[1:], "greater")))


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
