"""Concentration and inequality: Lorenz curve, Gini, Theil, HHI, location quotient."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

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


def theil_levels(
    count: ArrayLike, base: ArrayLike, levels: Mapping[str, ArrayLike]
) -> pd.DataFrame:
    """Theil index of a count over a base, split over nested levels.

    Parameters
    ----------
    count, base : array_like, shape (n,)
        Counts (zeros contribute 0) and positive sizes.
    levels : mapping of str to array_like, shape (n,)
        Group of each unit, from the coarsest level to the finest: provinces, then prefectures.

    Returns
    -------
    DataFrame, one row a level and the last row "within"
        `nats`: what lies between the groups of the level inside their group of the level above,
        and last between units inside the finest groups; they add up to Theil's index. `share` of
        it, 0 to 1 (missing if the index is 0).

    Raises
    ------
    ValueError
        As `lorenz`, or a level that misses a group or does not lie inside the one above.

    Notes
    -----
    With count shares s and base shares b, the index is the sum of s ln(s / b) over units; over
    groups it is what lies between them, and the difference of two levels is what the finer adds
    (Theil 1967, ch. 4; Akita 2003, Annals of Regional Science 37, for two nested levels).

    Examples
    --------
    Half of the count in each province, whose bases are equal; in the first all of it in one of
    two prefectures of one county each.

    >>> levels = {"province": list("aabb"), "prefecture": list("xyzz")}
    >>> theil_levels([2, 0, 1, 1], [1, 1, 1, 1], levels)["nats"].round(3).tolist()
    [0.0, 0.347, 0.0]
    """
    given.same_index(count=count, base=base, **levels)
    counts, bases = given.counts(count, base)
    units = pd.DataFrame({"count": counts / counts.sum(), "base": bases / bases.sum()})
    share, has = units["count"], counts > 0
    above, outer = pd.Series(1.0, index=units.index), pd.Series(0, index=units.index)
    names, parts = [*levels, "within"], []
    for name, labels in zip(names, [*levels.values(), units.index], strict=True):
        group = pd.Series(np.asarray(labels))
        if group.size != counts.size or group.isna().any():
            raise ValueError(f"{name}: one group for each of {counts.size} units, none missing")
        if pd.DataFrame({0: outer, 1: group}).drop_duplicates()[1].duplicated().any():
            raise ValueError(f"{name}: a group lies in several groups of the level above")
        held = units.groupby(group).transform("sum")
        rate = held["count"] / held["base"]
        parts.append(share[has] @ np.log(rate[has] / above[has]))
        above, outer = rate, group
    nats = pd.Series(parts, index=names)
    total = nats.sum()
    # Equal rates leave some 1e-16 of rounding, of which shares would mean nothing.
    return pd.DataFrame({"nats": nats, "share": nats / total if total > 1e-12 else np.nan})


def theil(count: ArrayLike, base: ArrayLike, groups: ArrayLike) -> pd.Series:
    """Theil index of a count over a base, split between and within groups: `theil_levels` of one.

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
    """
    between, within = theil_levels(count, base, {"groups": groups})["nats"]
    return pd.Series({"total": between + within, "between": between, "within": within})


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
    tied = pd.Series(bases).groupby(ranking).sum()
    rank = (tied.cumsum() - tied / 2)[ranking].to_numpy() / bases.sum()
    return float(2 * (counts / counts.sum()) @ rank - 1)
