"""Concentration and inequality: Lorenz curve, Gini, Theil, HHI, location quotient."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from taobao_villages.methods import given

# ---- concentration -------------------------------------------------------------------------------


def hhi_bounds(
    shares: ArrayLike, *, rest: str = "smaller than the smallest"
) -> tuple[float, float]:
    """Lowest and highest Herfindahl-Hirschman index when only the largest shares are known.

    Parameters
    ----------
    shares : array_like, shape (n,)
        Known shares in percent; together at most 100.
    rest : {"smaller than the smallest", "one firm"}
        How large an unreported firm may be at most: as large as the smallest reported one, or as
        large as the largest reported one.

    Returns
    -------
    low, high : float
        0 to 10,000. The lowest spreads the rest over infinitely many firms, so that it adds
        nothing; the highest puts it into as few firms as `rest` allows.

    Raises
    ------
    ValueError
        For no shares, a share that is not positive, a sum above 100, or another `rest`.

    Notes
    -----
    Squares grow faster than shares, so a given rest adds most when it is held by the fewest
    firms: as many of the largest allowed size as fit, and one with what is left.
    """
    known = np.asarray(shares, dtype=float)
    if known.size == 0 or not (known > 0).all() or known.sum() > 100 + 1e-6:
        raise ValueError("shares: positive, and together at most 100%")
    sizes = {"smaller than the smallest": known.min(), "one firm": known.max()}
    if rest not in sizes:
        raise ValueError(f"rest is {rest!r}; use one of {', '.join(sizes)}")
    left, size = max(0.0, 100 - known.sum()), sizes[rest]
    whole = int(left / size + 1e-9)
    low = float(np.square(known).sum())
    return low, float(low + whole * size**2 + max(0.0, left - whole * size) ** 2)


# ---------------------------------------------------------------- inequality ----------------------


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
    counts, bases = given.counts(count, base)
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
    counts, bases = given.counts(count, base)
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
    counts, _ = given.counts(count)
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
    given.same_index(count=count, base=base, groups=groups)
    counts, bases = given.counts(count, base)
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
    counts, bases = given.counts(count, base)
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
    counts, bases = given.counts(count, base)
    _, ranking = given.columns(count=count, rank_by=rank_by)
    below = bases @ (ranking[:, None] < ranking)
    tied = bases @ (ranking[:, None] == ranking)
    rank = (below + tied / 2) / bases.sum()
    return float(2 * (counts / counts.sum()) @ rank - 1)
