"""Association between marks of places: sign test, Jaccard, and a permutation of the table."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from taobao_villages.methods import permutation

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
