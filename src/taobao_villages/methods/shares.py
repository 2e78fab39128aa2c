"""Shares and rates: bounds for what is unknown, exact intervals, comparison of two rates."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import confint_poisson

from taobao_villages.methods import given


class RateRatio(NamedTuple):
    """Ratio of two rates, its exact interval and p-value."""

    ratio: float
    low: float
    high: float
    p: float


def share_bounds(yes: int, no: int, total: int) -> tuple[float, float]:
    """Lowest and highest share of "yes" when some cases are not reported.

    The lowest counts every case that is not reported as "no", the highest as "yes": nothing is
    assumed of them.

    Parameters
    ----------
    yes, no : int
        Cases reported as present, and as absent.
    total : int
        All cases, reported or not.

    Returns
    -------
    low, high : float
        Shares, 0 to 1.

    Raises
    ------
    ValueError
        A negative or fractional number, no cases, or more reported than there are.

    Notes
    -----
    Worst-case bounds of Manski (2003), Partial Identification of Probability Distributions, ch. 1.
    """
    given.whole(yes=yes, no=no, total=total)
    if total == 0 or yes + no > total:
        raise ValueError(f"total: {total} cases cannot hold {yes} yes and {no} no")
    return yes / total, (total - no) / total


def wilson_interval(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a share.

    Parameters
    ----------
    successes, n : int
        Cases with the property, and all cases.
    level : float
        Coverage, 0 to 1.

    Returns
    -------
    low, high : float
        Shares, 0 to 1.

    Raises
    ------
    ValueError
        Not 0 <= successes <= n, n zero, or a level outside (0, 1).

    Notes
    -----
    Wilson (1927); Brown, Cai and DasGupta (2001) recommend it for small n. By statsmodels.
    """
    given.whole(successes=successes, n=n)
    if n == 0 or successes > n:
        raise ValueError(f"successes: {successes} of {n} is no share")
    low, high = proportion_confint(successes, n, alpha=given.tail(level), method="wilson")
    return float(low), float(high)


def poisson_rate_interval(count: int, exposure: float, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of a Poisson rate.

    Parameters
    ----------
    count : int
        Events; zero is allowed (the low end is then 0).
    exposure : float
        What the events are counted over, such as years or administrative villages.
    level : float
        Coverage, 0 to 1.

    Returns
    -------
    low, high : float
        Events per unit of exposure.

    Raises
    ------
    ValueError
        A negative or fractional count, exposure not positive, or a level outside (0, 1).

    Notes
    -----
    Garwood (1936): half the chi-square quantiles with 2 * count and 2 * count + 2 degrees of
    freedom. Coverage is at least `level`, and more for small counts.
    """
    given.whole(count=count)
    given.exposed(exposure=exposure)
    low, high = confint_poisson(count, exposure, method="exact-c", alpha=given.tail(level))
    return float(low), float(high)


def rate_ratio_test(
    count_a: int, exposure_a: float, count_b: int, exposure_b: float, level: float = 0.95
) -> RateRatio:
    """Compare two Poisson rates exactly.

    Parameters
    ----------
    count_a, count_b : int
        Events in a and in b; one of them may be zero.
    exposure_a, exposure_b : float
        Exposures, in the same unit.
    level : float
        Coverage, 0 to 1.

    Returns
    -------
    RateRatio
        Rate of a over rate of b (infinite if b has no events), exact interval, and p against a
        ratio of 1.

    Raises
    ------
    ValueError
        Bad counts, exposures or level, or no event at all.

    Notes
    -----
    Given the sum of both counts, count_a is binomial with share ratio * exposure_a /
    (ratio * exposure_a + exposure_b) (Przyborowski and Wilenski 1940). The interval transforms
    that of Clopper and Pearson. p is twice the smaller tail, so that p < 1 - level just when the
    interval leaves 1 out (Fay 2010); R's poisson.test has the same interval but another p.
    """
    given.whole(count_a=count_a, count_b=count_b)
    given.exposed(exposure_a=exposure_a, exposure_b=exposure_b)
    tail = given.tail(level)
    if count_a + count_b == 0:
        raise ValueError("count_a, count_b: both are zero, so the ratio is undefined")
    share_if_equal = exposure_a / (exposure_a + exposure_b)
    test = [
        stats.binomtest(int(count_a), int(count_a + count_b), share_if_equal, alternative=side)
        for side in ("less", "greater", "two-sided")
    ]
    share = test[2].proportion_ci(1 - tail, method="exact")
    ratio, low, high = (
        float("inf") if s == 1 else float(s / (1 - s) * exposure_b / exposure_a)
        for s in (count_a / (count_a + count_b), share.low, share.high)
    )
    return RateRatio(ratio, low, high, min(1.0, 2 * float(min(test[0].pvalue, test[1].pvalue))))


def rank_interval(one: ArrayLike, two: ArrayLike, level: float = 0.95) -> pd.Series:
    """Spearman's rank correlation with an interval.

    Parameters
    ----------
    one, two : array_like, shape (n,)
        At least four units, in the same order.
    level : float
        Coverage of the interval.

    Returns
    -------
    Series
        ``rank``, ``low``, ``high``.

    Raises
    ------
    ValueError
        Fewer than four units, missing values, lengths or indexes that differ.

    Notes
    -----
    Fisher's transformation with the standard error of Fieller, Hartley and Pearson (1957),
    Biometrika 44: sqrt(1.06 / (n - 3)).
    """
    first, second = given.columns(one=one, two=two)
    if first.size < 4:
        raise ValueError(f"one, two: at least four units, not {first.size}")
    rank = float(stats.spearmanr(first, second).statistic)
    half = stats.norm.ppf(1 - given.tail(level) / 2) * np.sqrt(1.06 / (first.size - 3))
    low, high = np.tanh(np.arctanh(rank) + np.array([-half, half]))
    return pd.Series({"rank": rank, "low": float(low), "high": float(high)})
