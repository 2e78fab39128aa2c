"""Association between marks of places: sign test, strata, Jaccard, a permutation of the table."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from taobao_villages.methods import given, permutation

SEED = 20170901


# ---- sequence ------------------------------------------------------------------------------------


def sign_test(first: int, second: int) -> float:
    """Two-sided sign test: how surprising is this split if either order were as likely?

    Parameters
    ----------
    first, second : int
        Cases with one order and with the other; undecided cases are left out.

    Returns
    -------
    float
        p-value; 1.0 if there is no case.

    Notes
    -----
    Conover (1999), Practical Nonparametric Statistics, 3rd ed., section 3.4.
    """
    return float(stats.binomtest(first, first + second).pvalue) if first + second else 1.0


# ---- marked units against others of the same stratum ---------------------------------------------


def mantel_haenszel(
    frame: pd.DataFrame, count: str, *, base: str, marked: str, within: str
) -> float:
    """Rate of marked units over the rate of the others, compared within strata only.

    Parameters
    ----------
    frame : DataFrame, n rows
        One row a unit.
    count, base : str
        Columns of counts and of positive bases, such as villages and committees.
    marked : str
        Column of True and False (or 1 and 0).
    within : str
        Column of strata, such as provinces.

    Returns
    -------
    float
        Rate ratio. NaN if no stratum with a count has units of both kinds.

    Notes
    -----
    Rothman, Greenland and Lash (2008), Modern Epidemiology, 3rd ed., ch. 15. Strata without both
    kinds, or without counts, have no weight. Counts of villages vary more than Poisson counts, so
    the textbook's interval is too short: shuffle the marks within the strata
    (`permutation.permutation_test`), or leave out clusters (`clustered.group_interval`).

    Examples
    --------
    Rates 2/10 against 1/10 in one stratum, 4/20 against 4/40 in the other: twice in both.

    >>> frame = pd.DataFrame({"n": [2, 1, 4, 4], "base": [10, 10, 20, 40], "poor": [1, 0, 1, 0]})
    >>> frame["province"] = [*"aabb"]
    >>> mantel_haenszel(frame, "n", base="base", marked="poor", within="province")
    2.0
    """
    sums = frame.groupby([within, frame[marked].astype(bool)])[[count, base]].sum()
    table = sums.unstack(fill_value=0).reindex(
        columns=pd.MultiIndex.from_product([[count, base], [True, False]]), fill_value=0
    )
    total = table[base].sum(axis=1)
    top = (table[count, True] * table[base, False] / total).sum()
    bottom = (table[count, False] * table[base, True] / total).sum()
    return float(top / bottom) if bottom else float("inf") if top else float("nan")


def completions(
    status: pd.Series,
    rank: pd.Series,
    *,
    yes: str = "yes",
    unknown: str = "unknown",
    total: int | None = None,
) -> pd.DataFrame:
    """The outermost ways to fill in who is marked, where it is not known of all.

    Parameters
    ----------
    status : Series of str, shape (n,)
        `yes`, `unknown`, or anything else for no.
    rank : Series, shape (n,)
        What the marks are held against, such as villages.
    total : int, optional
        How many are marked in all, if that is known.

    Returns
    -------
    DataFrame of bool, n rows
        `all no`, `all yes`: all unknown the one or the other. With `total` also `fewest` and
        `most`: so many of the unknown that the total is right, those with the smallest or with
        the largest `rank`. A count over the marked lies between the last two; a ratio need not.

    Raises
    ------
    ValueError
        If the known and the unknown cannot give the total, or the indexes differ.

    Notes
    -----
    Manski (2003), Partial Identification of Probability Distributions, ch. 1: worst-case bounds.

    Examples
    --------
    >>> status = pd.Series(["yes", "no", "unknown", "unknown"])
    >>> marked = completions(status, pd.Series([1, 1, 0, 5]), total=2)
    >>> marked.mul([1, 1, 0, 5], axis=0).sum().to_dict()
    {'all no': 1, 'all yes': 6, 'fewest': 1, 'most': 6}
    """
    given.same_index(status=status, rank=rank)
    known, open_ = status == yes, status == unknown
    columns = {"all no": known, "all yes": known | open_}
    if total is not None:
        needed = total - int(known.sum())
        if not 0 <= needed <= open_.sum():
            raise ValueError(f"total: {total}, with {known.sum()} known and {open_.sum()} unknown")
        place = rank[open_].rank(method="first")
        columns["fewest"] = known | (place <= needed).reindex(status.index, fill_value=False)
        most = place > open_.sum() - needed
        columns["most"] = known | most.reindex(status.index, fill_value=False)
    return pd.DataFrame(columns)


# ---- configurations and clusters (methods page) --------------------------------------------------


def jaccard(table: pd.DataFrame) -> pd.DataFrame:
    """Overlap of each pair of columns: cases with both, over cases with either.

    Parameters
    ----------
    table : DataFrame of bool, shape (cases, instruments)

    Returns
    -------
    DataFrame, shape (instruments, instruments)
        0 to 1; NaN where neither occurs.

    Notes
    -----
    Cases in which neither is reported do not enter, so "not reported" is not counted as "no".
    """
    marks = table.to_numpy(dtype=int)
    both = marks.T @ marks
    count = np.diag(both)
    either = count[:, None] + count[None, :] - both
    with np.errstate(invalid="ignore"):
        share = np.where(either > 0, both / either, np.nan)
    return pd.DataFrame(share, index=table.columns, columns=table.columns)


def _swap(marks: np.ndarray, rng: np.random.Generator, trades: int) -> np.ndarray:
    """Shuffle a 0-1 matrix with row and column sums kept (curveball trades of two rows)."""
    rows = [set(np.flatnonzero(row)) for row in marks]
    for _ in range(trades):
        one, two = rng.choice(len(rows), 2, replace=False)
        shared = rows[one] & rows[two]
        pool = sorted(rows[one] ^ rows[two])
        size = len(rows[one]) - len(shared)
        if not pool or size in (0, len(pool)):
            continue
        drawn = set(rng.permutation(pool)[:size].tolist())
        rows[one], rows[two] = shared | drawn, shared | (set(pool) - drawn)
    out = np.zeros_like(marks)
    for row, columns in enumerate(rows):
        out[row, sorted(columns)] = 1
    return out


def cluster_test(
    table: pd.DataFrame, *, permutations: int = 499, seed: int = SEED
) -> permutation.PermutationResult:
    """Do instruments come in bundles, beyond how frequent each is and how much is told of a case?

    Parameters
    ----------
    table : DataFrame of bool, shape (cases, instruments)
    permutations, seed : int

    Returns
    -------
    PermutationResult
        The mean squared number of cases that a pair of instruments shares, its mean under
        permutation, the share of permutations at least as large, and the permuted values.

    Notes
    -----
    Statistic of Roberts and Stone (1990), Oecologia 83, 560-567; matrices with the same row and
    column sums drawn as in Strona et al. (2014), Nature Communications 5, 4114.
    """
    marks, rng = table.to_numpy(dtype=int), np.random.default_rng(seed)
    pairs = np.triu_indices(marks.shape[1], 1)

    def shared(matrix: np.ndarray) -> float:
        return float(((matrix.T @ matrix)[pairs] ** 2).mean())

    observed, draws, state = shared(marks), [], _swap(marks, rng, 20 * len(marks))
    for _ in range(permutations):
        state = _swap(state, rng, 2 * len(marks))
        draws.append(shared(state))
    values = np.array(draws)
    p = (1 + int((values >= observed - 1e-12).sum())) / (1 + permutations)
    return permutation.PermutationResult(observed, float(values.mean()), p, values)


def sign_power(n: int, share: float, *, level: float = 0.05) -> float:
    """Chance that the sign test on n cases is clear if the true share is as given.

    Parameters
    ----------
    n : int
        Cases with a known order.
    share : float
        True share with entrepreneurs first, 0 to 1.
    level : float

    Returns
    -------
    float
        Probability, 0 to 1.
    """
    counts = np.arange(n + 1)
    clear = np.array([sign_test(int(k), int(n - k)) < level for k in counts])
    return float(stats.binom.pmf(counts, n, share)[clear].sum())
