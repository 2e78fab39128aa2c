"""What more than one chapter computes: bounds, rates, inequality, space, count models.

Each function is thin over a library. It takes arrays (or columns) and returns numbers or a tidy
frame; nothing here reads a file or knows a chapter. n is the number of units, for example 31
provinces. A unit with a count of zero is a unit: leave it in.

Columns are matched by position. Two pandas Series with different indexes raise, because a silent
mismatch of provinces would give a number that looks right.
"""

from __future__ import annotations

import copy
import itertools
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import optimize, special, stats
from statsmodels.discrete.discrete_model import NegativeBinomial
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.stats.proportion import proportion_confint
from statsmodels.tools.sm_exceptions import ConvergenceWarning, HessianInversionWarning

from taobao_villages.libraries import needs

if TYPE_CHECKING:  # libpysal and esda take a second to import: only the spatial functions pay it
    from libpysal.weights import W

Alternative = Literal["less", "greater", "two-sided", "directed"]
Family = Literal["poisson", "quasi-poisson", "negative binomial"]

EARTH_RADIUS_KM = 6371.0  # libpysal's value, so that both measure the same distances
UNITS_PER_COVARIATE = 10


class RateRatio(NamedTuple):
    """Ratio of two rates, its exact interval and p-value."""

    ratio: float
    low: float
    high: float
    p: float


class PermutationResult(NamedTuple):
    """Observed statistic, mean under permutation, p-value and the permuted statistics."""

    observed: float
    expected: float
    p: float
    draws: np.ndarray


class MoranResult(NamedTuple):
    """Moran's I, its expectation and standard score under permutation, pseudo p-value, units."""

    I: float  # noqa: E741 - the name of the statistic
    expected: float
    z: float
    p: float
    n: int


class CountModel(NamedTuple):
    """A fitted count model.

    Attributes
    ----------
    effects : DataFrame
        One row a covariate: `covariate`, `rate_ratio`, `low`, `high`, `p`. All four numbers are
        NaN when the fit did not converge.
    dispersion : float
        Pearson chi-square over residual degrees of freedom; 1 if the family's variance is right.
    n : int
        Units in the fit.
    family : str
    converged : bool
    aic : float
        NaN for quasi-Poisson, which has no likelihood.
    alpha : float
        Variance is mean + alpha * mean**2. 0 for Poisson, NaN for quasi-Poisson.
    """

    effects: pd.DataFrame
    dispersion: float
    n: int
    family: Family
    converged: bool
    aic: float
    alpha: float


# ---------------------------------------------------------------- checks of what is given


def _same_index(**named: ArrayLike) -> None:
    """Raise if two of the columns are Series with different indexes."""
    indexes = [column.index for column in named.values() if isinstance(column, pd.Series)]
    if any(not index.equals(indexes[0]) for index in indexes[1:]):
        raise ValueError(
            f"{', '.join(named)}: the indexes differ; align the Series, or pass arrays"
        )


def _columns(**named: ArrayLike) -> tuple[np.ndarray, ...]:
    """Float arrays of one length, one dimension, without missing values; else ValueError."""
    _same_index(**named)
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


def _counts(count: ArrayLike, base: ArrayLike | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Counts (not negative, not all zero) and their base (positive; ones if None)."""
    if base is None:
        (counts,) = _columns(count=count)
        bases = np.ones_like(counts)
    else:
        counts, bases = _columns(count=count, base=base)
    if (counts < 0).any():
        where = np.flatnonzero(counts < 0).tolist()
        raise ValueError(f"count: negative at positions {where}")
    if counts.sum() == 0:
        raise ValueError("count: all are zero, so shares are undefined")
    if (bases <= 0).any():
        where = np.flatnonzero(bases <= 0).tolist()
        raise ValueError(f"base: zero or negative at positions {where}; a rate needs a base")
    return counts, bases


def _whole(**named: float) -> None:
    """Raise unless each number is a whole number of cases, zero or more."""
    for name, number in named.items():
        if not np.isfinite(number) or number < 0 or number != int(number):
            raise ValueError(f"{name}: a whole number, zero or more, not {number}")


def _exposed(**named: float) -> None:
    """Raise unless each exposure is positive and finite."""
    for name, number in named.items():
        if not np.isfinite(number) or number <= 0:
            raise ValueError(f"{name}: must be positive, not {number}")


def _tail(level: float) -> float:
    """Both tails together, 1 - level."""
    if not 0 < level < 1:
        raise ValueError(f"level: between 0 and 1, such as 0.95, not {level}")
    return 1 - level


# ---------------------------------------------------------------- shares and rates


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
    _whole(yes=yes, no=no, total=total)
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
    _whole(successes=successes, n=n)
    if n == 0 or successes > n:
        raise ValueError(f"successes: {successes} of {n} is no share")
    low, high = proportion_confint(successes, n, alpha=_tail(level), method="wilson")
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
    _whole(count=count)
    _exposed(exposure=exposure)
    tail = _tail(level) / 2
    low = stats.chi2.ppf(tail, 2 * count) / 2 if count else 0.0
    high = stats.chi2.isf(tail, 2 * count + 2) / 2
    return float(low / exposure), float(high / exposure)


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
    _whole(count_a=count_a, count_b=count_b)
    _exposed(exposure_a=exposure_a, exposure_b=exposure_b)
    tail = _tail(level)
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
    first, second = _columns(one=one, two=two)
    if first.size < 4:
        raise ValueError(f"one, two: at least four units, not {first.size}")
    rank = float(stats.spearmanr(first, second).statistic)
    half = stats.norm.ppf(1 - _tail(level) / 2) * np.sqrt(1.06 / (first.size - 3))
    low, high = np.tanh(np.arctanh(rank) + np.array([-half, half]))
    return pd.Series({"rank": rank, "low": float(low), "high": float(high)})


# ---------------------------------------------------------------- inequality


def lorenz(count: ArrayLike, base: ArrayLike) -> pd.DataFrame:
    """Lorenz curve of a count over a base, such as villages over rural people.

    Parameters
    ----------
    count : array_like, shape (n,)
        Counts, zeros included.
    base : array_like, shape (n,)
        Positive sizes of the units.

    Returns
    -------
    DataFrame
        n + 1 rows: `cum_base` and `cum_count`, cumulated shares from (0, 0) to (1, 1), units in
        ascending order of count / base.

    Raises
    ------
    ValueError
        Negative or missing values, all counts zero, a base not positive, lengths that differ.

    Notes
    -----
    Cowell (2011), Measuring Inequality, ch. 2.
    """
    counts, bases = _counts(count, base)
    order = np.argsort(counts / bases, kind="stable")
    return pd.DataFrame(
        {
            "cum_base": np.append(0, np.cumsum(bases[order]) / bases.sum()),
            "cum_count": np.append(0, np.cumsum(counts[order]) / counts.sum()),
        }
    )


def gini(count: ArrayLike, base: ArrayLike | None = None) -> float:
    """Gini coefficient of a count over base units.

    Parameters
    ----------
    count : array_like, shape (n,)
        Counts, zeros included.
    base : array_like, shape (n,), optional
        Positive sizes of the units; None gives each unit the same size, the simple Gini.

    Returns
    -------
    float
        0 if every unit has the same rate. With all in one unit, 1 minus that unit's share of the
        base: (n - 1) / n for the simple Gini, so that values of different n do not compare.

    Raises
    ------
    ValueError
        As `lorenz`.

    Notes
    -----
    One minus twice the area under the Lorenz curve (Cowell 2011, ch. 2). No correction for small
    n: the units are all there are, not a sample.
    """
    counts, bases = _counts(count, base)
    curve = lorenz(counts, bases)
    return float(1 - 2 * np.trapezoid(curve["cum_count"], curve["cum_base"]))


def hhi(count: ArrayLike) -> float:
    """Herfindahl-Hirschman index: the sum of squared shares.

    Parameters
    ----------
    count : array_like, shape (n,)
        Counts, zeros included (they do not change it).

    Returns
    -------
    float
        1 / n if all are equal, 1 if one unit has all. Competition law multiplies by 10,000.

    Raises
    ------
    ValueError
        Negative or missing counts, or all zero.

    Notes
    -----
    Hirschman (1964), American Economic Review 54, p. 761.
    """
    counts, _ = _counts(count)
    return float(np.square(counts / counts.sum()).sum())


def theil(count: ArrayLike, base: ArrayLike, groups: ArrayLike) -> pd.Series:
    """Theil index of a count over a base, split between and within groups.

    Parameters
    ----------
    count, base : array_like, shape (n,)
        Counts (zeros contribute 0) and positive sizes.
    groups : array_like, shape (n,)
        Group of each unit, such as its region.

    Returns
    -------
    Series
        `total`, `between`, `within` in nats; total is the sum of the other two.

    Raises
    ------
    ValueError
        As `lorenz`, or a group that is missing.

    Notes
    -----
    With count shares s and base shares b, total = sum of s ln(s / b); between is the same over
    the groups' shares (Theil 1967, ch. 4; Cowell 2011, ch. 3).
    """
    _same_index(count=count, base=base, groups=groups)
    counts, bases = _counts(count, base)
    group = pd.Series(groups).reset_index(drop=True)
    if group.size != counts.size or group.isna().any():
        raise ValueError(f"groups: one for each of {counts.size} units, none missing")
    share = pd.Series(counts / counts.sum())
    size = pd.Series(bases / bases.sum())
    group_share = share.groupby(group).transform("sum")
    group_size = size.groupby(group).transform("sum")
    between = special.rel_entr(share.groupby(group).sum(), size.groupby(group).sum()).sum()
    return pd.Series(
        {
            "total": special.rel_entr(share, size).sum(),
            "between": between,
            "within": special.rel_entr(share, group_share * size / group_size).sum(),
        }
    )


def location_quotient(count: ArrayLike, base: ArrayLike) -> np.ndarray:
    """Location quotient: a unit's share of the count over its share of the base.

    Parameters
    ----------
    count, base : array_like, shape (n,)
        Counts, zeros included, and positive sizes.

    Returns
    -------
    ndarray, shape (n,)
        1 where the unit has what its size lets expect, 2 where it has twice that.

    Raises
    ------
    ValueError
        As `lorenz`.

    Notes
    -----
    Florence (1939); Isard (1960), Methods of Regional Analysis, ch. 5.
    """
    counts, bases = _counts(count, base)
    return (counts / counts.sum()) / (bases / bases.sum())


def concentration_index(count: ArrayLike, base: ArrayLike, rank_by: ArrayLike) -> float:
    """Concentration of a count over a base when units are ranked by another variable.

    Parameters
    ----------
    count, base : array_like, shape (n,)
        Counts, zeros included, and positive sizes.
    rank_by : array_like, shape (n,)
        The variable that ranks the units, such as income a head. Units that tie share the
        average rank.

    Returns
    -------
    float
        -1 to 1: positive if the count gathers where `rank_by` is high. With all in the top unit
        it is 1 minus that unit's share of the base. Ranked by count / base it is the Gini.

    Raises
    ------
    ValueError
        As `lorenz`, or `rank_by` missing or of another length.

    Notes
    -----
    Twice the sum of count shares times fractional ranks, minus 1; the fractional rank is the
    base share below the unit plus half its own (Kakwani, Wagstaff and van Doorslaer 1997,
    Journal of Econometrics 77).
    """
    counts, bases = _counts(count, base)
    _, ranking = _columns(count=count, rank_by=rank_by)
    below = bases @ (ranking[:, None] < ranking)
    tied = bases @ (ranking[:, None] == ranking)
    rank = (below + tied / 2) / bases.sum()
    return float(2 * (counts / counts.sum()) @ rank - 1)


# ---------------------------------------------------------------- permutation


def _pseudo_p(
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

    Returns
    -------
    PermutationResult
        `observed`; `expected`, the mean of the draws; `p`; `draws`, shape (permutations,).

    Raises
    ------
    ValueError
        Missing values, fewer than two units, no permutations, an unknown alternative, or a
        statistic that is not a number.

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
    draws = np.array([statistic(generator.permutation(array)) for _ in range(permutations)], float)
    if not np.isfinite(observed) or not np.isfinite(draws).all():
        raise ValueError("statistic: not a number for the observed or a permuted order")
    p = float(_pseudo_p(observed, draws, alternative))
    return PermutationResult(observed, float(draws.mean()), p, draws)


# ---------------------------------------------------------------- space


def haversine_km(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> np.ndarray:
    """Great-circle distance.

    Parameters
    ----------
    lon1, lat1, lon2, lat2 : array_like
        Degrees; shapes that broadcast.

    Returns
    -------
    ndarray
        Kilometres on a sphere of radius 6,371 km (within 0.6% of the ellipsoid).

    Raises
    ------
    ValueError
        Missing values, or degrees out of range (longitude and latitude swapped?).

    Notes
    -----
    Haversine formula (Sinnott 1984, Sky and Telescope 68).
    """
    given = [np.asarray(degrees, dtype=float) for degrees in (lon1, lat1, lon2, lat2)]
    for degrees, limit in zip(given, (180, 90, 180, 90), strict=True):
        if not (np.abs(degrees) <= limit).all():  # also False for NaN
            raise ValueError(f"degrees missing or beyond {limit}: is longitude first?")
    east1, north1, east2, north2 = (np.radians(degrees) for degrees in given)
    half_chord = (
        np.sin((north2 - north1) / 2) ** 2
        + np.cos(north1) * np.cos(north2) * np.sin((east2 - east1) / 2) ** 2
    )
    # For antipodes it can be 1 and one last digit; the root takes that back to 1.
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(half_chord))


def spatial_weights(
    kind: Literal["contiguity", "knn", "distance"],
    codes: Sequence,
    *,
    neighbours: pd.DataFrame | None = None,
    coordinates: ArrayLike | None = None,
    k: int = 4,
    threshold_km: float | None = None,
) -> W:
    """Row-standardised spatial weights.

    Parameters
    ----------
    kind : {"contiguity", "knn", "distance"}
        Who is a neighbour: who shares a border; the k nearest; all within a distance.
    codes : sequence of length n
        Unique codes of the units. They become the ids, in this order: give values in it too.
    neighbours : DataFrame, for contiguity
        Columns `province_code_a`, `province_code_b`: one row a border, in either direction. Pairs
        with a code outside `codes` are left out.
    coordinates : array_like, shape (n, 2), for knn and distance
        Longitude and latitude in degrees, in the order of `codes`.
    k : int
        Nearest neighbours. They need not be mutual, so these weights are not symmetric.
    threshold_km : float
        Greatest great-circle distance of neighbours, kilometres.

    Returns
    -------
    libpysal.weights.W
        Rows sum to 1.

    Raises
    ------
    ValueError
        Units without a neighbour (named), repeated codes, coordinates missing, repeated or out of
        range, or the option of the kind missing.

    Notes
    -----
    Anselin and Rey (2014), Modern Spatial Econometrics in Practice, ch. 3. By libpysal.
    """
    with needs("A spatial statistic"):
        from libpysal.weights import KNN, DistanceBand, W

    ids = np.asarray(codes).tolist()
    if len(set(ids)) < len(ids):
        raise ValueError(f"codes: repeated {sorted({i for i in ids if ids.count(i) > 1})}")
    if kind == "contiguity":
        if neighbours is None:
            raise ValueError("contiguity needs neighbours, a frame of pairs")
        linked: dict = {code: set() for code in ids}
        pairs = neighbours[["province_code_a", "province_code_b"]].itertuples(index=False)
        for a, b in pairs:
            if a in linked and b in linked and a != b:
                linked[a].add(b)
                linked[b].add(a)
        lists = {code: [other for other in ids if other in linked[code]] for code in ids}
        weights = W(lists, id_order=ids, silence_warnings=True)
    elif kind in ("knn", "distance"):
        points = _points(coordinates, len(ids))
        if kind == "knn":
            if not 1 <= k < len(ids):
                raise ValueError(f"k: 1 to {len(ids) - 1} neighbours, not {k}")
            weights = KNN(points, k=k, ids=ids, radius=EARTH_RADIUS_KM, silence_warnings=True)
        else:
            if threshold_km is None or not threshold_km > 0:
                raise ValueError(f"distance needs a positive threshold_km, not {threshold_km}")
            weights = DistanceBand(
                points, threshold_km, ids=ids, radius=EARTH_RADIUS_KM, silence_warnings=True
            )
    else:
        raise ValueError(f"kind: contiguity, knn or distance, not {kind!r}")
    if weights.islands:
        raise ValueError(
            f"no neighbour for {weights.islands}: leave them out, link them or widen the band"
        )
    weights.transform = "r"
    return weights


def _points(coordinates: ArrayLike | None, n: int) -> np.ndarray:
    """Longitudes and latitudes, shape (n, 2), distinct and in range."""
    points = np.asarray(() if coordinates is None else coordinates, dtype=float)
    if points.shape != (n, 2):
        raise ValueError(f"coordinates: longitude and latitude of {n} units, not {points.shape}")
    haversine_km(points[:, 0], points[:, 1], 0, 0)  # checks the ranges
    if len(np.unique(points, axis=0)) < n:
        # libpysal's distance band reads a distance of 0 as "no link"
        raise ValueError("coordinates: two units share a position")
    return points


def _on_map(values: ArrayLike, weights: W) -> tuple[np.ndarray, W]:
    """Values in the order of the weights, and a row-standardised copy of the weights.

    A copy, because esda changes the transformation of the weights it is given.
    """
    ids = list(weights.id_order)
    if weights.islands:
        raise ValueError(f"weights: no neighbour for {weights.islands}")
    (array,) = _columns(values=values)
    if array.size != weights.n:
        raise ValueError(f"lengths differ: values {array.size}, weights {weights.n}")
    given = list(values.index) if isinstance(values, pd.Series) else ids
    if given != ids and set(given) == set(ids):
        raise ValueError("values: not in the order of the weights; use .loc[weights.id_order]")
    if np.ptp(array) == 0:
        raise ValueError("values: all are equal, so there is no pattern to test")
    standardised = copy.deepcopy(weights)
    standardised.transform = "r"
    return array, standardised


def moran(
    values: ArrayLike,
    weights: W,
    *,
    permutations: int = 9999,
    seed: int,
    alternative: Alternative = "directed",
) -> MoranResult:
    """Moran's I: are near units alike?

    Parameters
    ----------
    values : array_like, shape (n,)
        One number a unit, in the order of the weights. Use rates: raw counts follow size.
    weights : libpysal.weights.W
        Taken as row-standardised, and left as it was.
    permutations : int
        Random maps for p.
    seed : int
        Same seed, same p.
    alternative : {"directed", "greater", "less", "two-sided"}
        "directed" is the one-sided pseudo p as esda gives it: the tail on the side where I fell.
        It equals "greater" when I is high. The side is chosen after looking, so at 0.05 a map
        without pattern is called patterned one time in ten; state "greater" for a claim of
        clustering, "two-sided" when any pattern would do.

    Returns
    -------
    MoranResult
        `I`; `expected` = -1 / (n - 1); `z`, the standard score with the exact mean and variance
        under permutation; `p`, a permutation pseudo p-value; `n`.

    Raises
    ------
    ValueError
        Missing or constant values, lengths that differ, a Series in another order than the
        weights, a unit without neighbour, or fewer than 4 units.

    Notes
    -----
    Moran (1950); moments from Cliff and Ord (1981), Spatial Processes, ch. 2, by esda. The
    random maps are drawn here: esda shuffles numpy's global generator.
    """
    with needs("A spatial statistic"):
        from esda.moran import Moran

    array, standardised = _on_map(values, weights)
    if array.size < 4:
        raise ValueError(f"values: Moran's I needs at least 4 units, not {array.size}")
    result = Moran(array, standardised, permutations=0)
    matrix, deviations = standardised.sparse, array - array.mean()
    scale = deviations @ deviations
    test = permutation_test(
        lambda shuffled: shuffled @ (matrix @ shuffled) / scale,
        deviations,
        permutations=permutations,
        seed=seed,
        alternative=alternative,
    )
    return MoranResult(
        float(result.I), float(result.EI), float(result.z_rand), test.p, int(array.size)
    )


def local_moran(
    values: ArrayLike,
    weights: W,
    *,
    permutations: int = 9999,
    seed: int,
    alternative: Alternative = "directed",
) -> pd.DataFrame:
    """Local Moran's I: which units stand in a cluster, and which stand out of theirs?

    Parameters
    ----------
    values : array_like, shape (n,)
        One number a unit, in the order of the weights.
    weights : libpysal.weights.W
        Taken as row-standardised, and left as it was.
    permutations : int
        Random draws of each unit's neighbours, its own value held.
    seed : int
        0 to 2**32 - 1. Same seed, same p.
    alternative : {"directed", "greater", "less", "two-sided"}
        "directed" is the one-sided pseudo p as esda gives it, the smaller tail; "two-sided"
        doubles it, which esda's authors advise.

    Returns
    -------
    DataFrame, n rows, indexed by the weights' ids
        `value`; `local_i`; `quadrant`, HH, LH, LL or HL: the unit above (H) or not (L) the mean,
        then its neighbours' mean likewise; `p`, a permutation pseudo p-value; `p_adjusted`, p
        after Benjamini and Hochberg over the n units.

    Raises
    ------
    ValueError
        As `moran`.

    Notes
    -----
    Anselin (1995), Geographical Analysis 27; by esda. Ties count on both sides, so p is higher
    than esda's where zeros surround zeros. esda seeds numpy's global generator; it is put back,
    but do not run this in threads beside code that draws from it.
    """
    with needs("A spatial statistic"):
        from esda.moran import Moran_Local

    array, standardised = _on_map(values, weights)
    if array.size < 4:
        raise ValueError(f"values: local Moran needs at least 4 units, not {array.size}")
    if permutations < 1:
        raise ValueError(f"permutations: at least 1, not {permutations}")
    state = np.random.get_state()  # noqa: NPY002 - esda seeds the global generator
    try:
        # Also puts back the filters, to which esda adds one at every call.
        with warnings.catch_warnings():
            # esda announces another default for its p; ours is computed below from the draws.
            warnings.filterwarnings("ignore", "The alternative hypothesis", DeprecationWarning)
            result = Moran_Local(
                array, standardised, permutations=permutations, seed=seed, n_jobs=1
            )
    finally:
        np.random.set_state(state)  # noqa: NPY002
    p = _pseudo_p(result.Is, result.sim, alternative)
    return pd.DataFrame(
        {
            "value": array,
            "local_i": result.Is,
            "quadrant": pd.Series(result.q).map({1: "HH", 2: "LH", 3: "LL", 4: "HL"}).to_numpy(),
            "p": p,
            "p_adjusted": stats.false_discovery_control(p, method="bh"),
        },
        index=pd.Index(standardised.id_order, name="unit"),
    )


def join_counts(member: ArrayLike, weights: W, *, permutations: int = 9999, seed: int) -> pd.Series:
    """Join counts: do members border members more often than chance lets expect?

    Parameters
    ----------
    member : array_like of bool (or 0 and 1), shape (n,)
        True for black (a member), False for white, in the order of the weights.
    weights : libpysal.weights.W
        Taken as binary, and left as it was. With k nearest neighbours a link that goes one way
        counts half a join.
    permutations : int
        Random maps with as many members.
    seed : int
        Same seed, same p.

    Returns
    -------
    Series
        `BB`, `WW`, `BW`: joins between members, between others, and across; `p_BB`: one-sided
        pseudo p, the share of random maps with at least as many BB.

    Raises
    ------
    ValueError
        Not true or false, all the same, lengths that differ, a Series in another order than the
        weights, or a unit without neighbour.

    Notes
    -----
    Cliff and Ord (1981), ch. 1. Not by esda.Join_Counts: it takes 17 s for 9,999 maps of 31
    units, never ends if all are members, and raises pandas deprecations; the tests compare.
    """
    black, standardised = _on_map(member, weights)
    if not np.isin(black, (0, 1)).all():
        raise ValueError("member: True or False for each unit")
    links = (standardised.sparse != 0).astype(float)
    test = permutation_test(
        lambda shuffled: shuffled @ (links @ shuffled) / 2,
        black,
        permutations=permutations,
        seed=seed,
        alternative="greater",
    )
    white = 1 - black
    both_white = white @ (links @ white) / 2
    across = links.sum() / 2 - test.observed - both_white
    return pd.Series({"BB": test.observed, "WW": both_white, "BW": across, "p_BB": test.p})


# ---------------------------------------------------------------- count models


def count_model(
    frame: pd.DataFrame,
    outcome: str,
    covariates: Sequence[str],
    *,
    exposure: str | None,
    family: Family = "poisson",
    level: float = 0.95,
) -> CountModel:
    """Regress a count on covariates; effects are rate ratios.

    Parameters
    ----------
    frame : DataFrame, n rows
        One row a unit.
    outcome : str
        Column of counts, zeros included.
    covariates : sequence of str
        Numeric or boolean columns, at most one for ten units (31 provinces: three).
    exposure : str or None
        Column of positive exposures, such as rural population; None if all are equal.
    family : {"poisson", "quasi-poisson", "negative binomial"}
        Quasi-Poisson multiplies the variance by the dispersion and takes t quantiles, as R does.
        Negative binomial has variance mean + alpha * mean**2 (NB2), alpha by maximum likelihood.
    level : float
        Coverage of the intervals (Wald, on the log scale).

    Returns
    -------
    CountModel
        Rate ratios per one unit of each covariate as given: standardise before, if you want them
        per standard deviation. A fit that did not converge has `converged` False and no effects.

    Raises
    ------
    ValueError
        A column missing or repeated, missing values, negative counts (or fractions, except for
        quasi-Poisson), an exposure not positive, too many covariates, covariates that are constant
        or collinear, or zeros that a covariate separates (its rate ratio has no finite estimate).

    Notes
    -----
    McCullagh and Nelder (1989), ch. 6; Cameron and Trivedi (2013), Regression Analysis of Count
    Data, ch. 3; by statsmodels. If the counts do not vary more than Poisson, alpha is 0 and the
    negative binomial is the Poisson model.
    """
    counts, design, scale, exposures = _model_data(frame, outcome, covariates, exposure, family)
    n, parameters = design.shape
    tail = _tail(level)
    alpha, aic, converged = 0.0, float("nan"), True
    quasi = family == "quasi-poisson"
    with warnings.catch_warnings():
        # A fit that statsmodels warns about is a fit that did not converge: flag, never print.
        warnings.simplefilter("error", ConvergenceWarning)
        warnings.simplefilter("error", HessianInversionWarning)
        try:
            fit = GLM(counts, design, family=families.Poisson(), exposure=exposures).fit(
                scale="X2" if quasi else None, use_t=quasi
            )
            mean = fit.fittedvalues
            aic = float("nan") if quasi else float(fit.aic)
            # Slope of the likelihood in alpha at alpha = 0 (Cameron and Trivedi 2013, ch. 3.4): if
            # it does not rise, alpha is 0, where the optimiser would search without end.
            if family == "negative binomial":
                aic += 2  # alpha is a parameter too
                excess = (counts - mean) ** 2 - counts
                if excess.sum() > 0:
                    start = max(0.05, float((excess / mean**2).sum() / (n - parameters)))
                    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
                        fit = NegativeBinomial(counts, design, exposure=exposures).fit(
                            start_params=np.append(fit.params, start), maxiter=500, disp=0
                        )
                    alpha, aic = float(fit.params[-1]), float(fit.aic)
                    mean = fit.predict()
        except (ConvergenceWarning, HessianInversionWarning, np.linalg.LinAlgError):
            converged = False
    effects = pd.DataFrame({"covariate": list(covariates)})
    columns = ["rate_ratio", "low", "high", "p"]
    dispersion = float("nan")
    if converged:
        slopes = slice(1, parameters)
        table = np.column_stack(
            [
                np.exp(fit.params[slopes] / scale),
                np.exp(fit.conf_int(alpha=tail)[slopes] / scale[:, None]),
                fit.pvalues[slopes],
            ]
        )
        converged = bool(np.isfinite(table).all())
    if converged:
        effects[columns] = table
        residual = (counts - mean) ** 2 / (mean + alpha * mean**2)
        dispersion = float(residual.sum() / (n - parameters))
    else:
        effects[columns] = np.nan
        alpha, aic = float("nan"), float("nan")
    if quasi:
        alpha = float("nan")
    return CountModel(effects, dispersion, n, family, converged, aic, alpha)


def _model_data(
    frame: pd.DataFrame, outcome: str, covariates: Sequence[str], exposure: str | None, family: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Counts, design matrix of standardised covariates, their scales, exposures; all checked."""
    if family not in ("poisson", "quasi-poisson", "negative binomial"):
        raise ValueError(f"family: poisson, quasi-poisson or negative binomial, not {family!r}")
    if isinstance(covariates, str) or len(covariates) == 0:
        raise ValueError("covariates: a list with at least one column")
    used = [outcome, *covariates, *([] if exposure is None else [exposure])]
    absent = [name for name in used if name not in frame.columns]
    if absent or len(set(used)) < len(used):
        raise ValueError(f"columns missing {absent} or used twice in {used}")
    n = len(frame)
    if len(covariates) * UNITS_PER_COVARIATE > n:
        raise ValueError(
            f"{len(covariates)} covariates for {n} units: at most one for {UNITS_PER_COVARIATE}"
        )
    data = dict(zip(used, _columns(**{name: frame[name] for name in used}), strict=True))
    counts, _ = _counts(data[outcome])
    if family != "quasi-poisson" and (counts != np.floor(counts)).any():
        raise ValueError(f"{outcome}: {family} needs whole numbers; quasi-poisson takes fractions")
    exposures = np.ones(n) if exposure is None else data[exposure]
    _counts(counts, exposures)
    x = np.column_stack([data[name] for name in covariates])
    scale = x.std(axis=0)
    constant = [name for name, spread in zip(covariates, scale, strict=True) if spread == 0]
    if constant:
        raise ValueError(f"covariates without variation: {constant}")
    # Standardised inside, so that income in yuan and shares in per cent fit equally well.
    design = np.column_stack([np.ones(n), (x - x.mean(axis=0)) / scale])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise ValueError(f"covariates are collinear: {list(covariates)}")
    if _separated(counts, design):
        raise ValueError(
            f"{outcome}: {list(covariates)} separate zeros from the rest, so a rate ratio is 0 or "
            "infinite; drop or merge a covariate"
        )
    return counts, design, scale, exposures


def _separated(counts: np.ndarray, design: np.ndarray) -> bool:
    """Do the covariates separate units with count 0, so that no finite estimate exists?

    True if some combination of columns is 0 wherever the count is positive, and never positive
    but somewhere negative where it is 0 (Correia, Guimaraes and Zylkin 2019).
    """
    positive, zero = design[counts > 0], design[counts == 0]
    if not len(zero) or np.linalg.matrix_rank(positive) == design.shape[1]:
        return False
    found = optimize.linprog(
        zero.sum(axis=0),
        A_ub=zero,
        b_ub=np.zeros(len(zero)),
        A_eq=positive,
        b_eq=np.zeros(len(positive)),
        bounds=(-1, 1),
    )
    return bool(found.fun < -1e-6)


def leave_one_out(
    frame: pd.DataFrame, fit: Callable[[pd.DataFrame], pd.Series], *, label: str
) -> pd.DataFrame:
    """Fit without each row in turn: does one unit carry the result?

    Parameters
    ----------
    frame : DataFrame, n rows
    fit : callable
        Takes a frame of n - 1 rows, returns a Series of results.
    label : str
        Column with the units' names, each once.

    Returns
    -------
    DataFrame, n rows
        `left_out`, then the results, in the order of `frame`.

    Raises
    ------
    ValueError
        Fewer than two rows, or the label missing or repeated.

    Notes
    -----
    Belsley, Kuh and Welsch (1980), Regression Diagnostics, ch. 2.
    """
    if len(frame) < 2:
        raise ValueError(f"frame: at least two rows, not {len(frame)}")
    names = frame[label].dropna().tolist() if label in frame.columns else []
    if len(set(names)) < len(frame):
        raise ValueError(f"label: {label!r} must be a column that names each row once")
    rows = np.arange(len(frame))
    results = pd.DataFrame([fit(frame.iloc[rows != row]) for row in rows])
    results = results.reset_index(drop=True)
    results.insert(0, "left_out", names)
    return results


# ---- growth between dated counts --------------------------------------------------------------


def list_months(events: pd.DataFrame, *, dates: str = "closing") -> pd.Series:
    """The month that each list stands for.

    Parameters
    ----------
    events : DataFrame
        Columns ``year``, ``event`` ("closing" or "publication") and ``month`` ("2016-08").
    dates : {"closing", "publication", "calendar"}
        The month in which a list was closed where one is known, else that of publication;
        publication always; or the December of its year.

    Returns
    -------
    Series of Period
        Indexed by year, without the years of which no month is known.

    Raises
    ------
    ValueError
        For another value of `dates`.
    """
    if dates not in ("closing", "publication", "calendar"):
        raise ValueError(f"dates is {dates!r}; use 'closing', 'publication' or 'calendar'")
    table = events.pivot(index="year", columns="event", values="month")
    if dates == "calendar":
        months = pd.Series({year: f"{year}-12" for year in table.index})
    elif dates == "publication":
        months = table["publication"]
    else:
        months = table["closing"].fillna(table["publication"])
    return months.dropna().map(lambda month: pd.Period(month, "M"))


def growth_intervals(count: pd.Series, months: pd.Series) -> pd.DataFrame:
    """Growth from each dated count to the next.

    Parameters
    ----------
    count : Series
        Positive counts in the order of time.
    months : Series of Period
        The month of each count, by the same index; more months do no harm.

    Returns
    -------
    DataFrame
        One row an interval: ``from``, ``to``, ``months``, ``n_from``, ``n_to``, ``factor``,
        ``rate`` (continuous, a year), ``doubling_months``, ``additions`` (a year).
    """
    rows = []
    for start, end in itertools.pairwise(count.index):
        taken = (months[end] - months[start]).n
        factor = count[end] / count[start]
        rate = np.log(factor) / (taken / 12)
        rows.append(
            {
                "from": start,
                "to": end,
                "months": taken,
                "n_from": int(count[start]),
                "n_to": int(count[end]),
                "factor": factor,
                "rate": rate,
                "doubling_months": 12 * np.log(2) / rate,
                "additions": (count[end] - count[start]) / (taken / 12),
            }
        )
    return pd.DataFrame(rows)
