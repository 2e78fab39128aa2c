"""Intervals of regressions whose units stand in clusters, and what one unit moves.

Units of one cluster (counties of one prefecture) are alike, and their counts vary more than Poisson
counts do. Estimates stand all the same; intervals need care: where few clusters hold most of the
villages, the sandwich of the fit is too short. In trials on drawn counties (``audits/clusters.py``)
`score_interval` of `counts.dispersed` held the truth as promised throughout: let that decide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import ArrayLike
from scipy import optimize, stats

from taobao_villages.methods import counts, given


def _parts(fit: Any, clusters: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores (n, k), weights of the information (n,) and numbers of clusters (n,) of a fit."""
    codes, names = pd.factorize(np.asarray(clusters))
    if len(codes) != fit.model.exog.shape[0] or (codes < 0).any():
        raise ValueError(f"clusters: {fit.model.exog.shape[0]} labels and none missing")
    if len(names) < 3:
        raise ValueError(f"clusters: at least three, not {len(names)}")
    scores = fit.model.exog * fit.model.score_factor(fit.params)[:, None]
    return scores, fit.model.hessian_factor(fit.params, observed=False), codes


def jackknife(fit: Any, *, clusters: ArrayLike, level: float = 0.95) -> pd.DataFrame:
    """Intervals from leaving out one cluster at a time.

    Parameters
    ----------
    fit : GLMResults
        Of `counts.poisson`, `counts.dispersed` or `spread.binary`.
    clusters : array_like, shape (n,)
        Labels in the order of the fitted rows.
    level : float
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        Indexed by coefficient: `estimate`, `se`, `effective` (how many equal clusters would tell
        as much), `low`, `high`. On the scale of the coefficients.

    Raises
    ------
    ValueError
        Fewer than three clusters, or labels missing or of another length.

    Notes
    -----
    One Newton step for each cluster, from the estimate of all: MacKinnon, Nielsen and Webb (2024),
    arXiv 2406.00650, for logit; the linear model's CV3: the same (2023), Journal of Applied
    Econometrics 38, 671-694. The t quantile takes effective
    clusters less one: Carter, Schnepel and Steigerwald (2017), Review of Economics and Statistics
    99, 698-709. Time and memory grow with clusters times the square of coefficients.

    Examples
    --------
    Mean of three: its jackknife is the usual standard error.

    >>> import statsmodels.formula.api as smf
    >>> frame = pd.DataFrame({"n": [4.0, 5.0, 6.0], "base": 1, "group": [*"abc"]})
    >>> fit = smf.glm("n ~ 1", frame).fit()
    >>> float(jackknife(fit, clusters=frame["group"])["se"].iloc[0].round(4))  # 1 / sqrt(3)
    0.5774
    """
    tail = given.tail(level)
    scores, weights, codes = _parts(fit, clusters)
    design, size = fit.model.exog, codes.max() + 1
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(size))
    score = np.add.reduceat(scores[order], starts)
    blocks = np.array(
        [(part.T * w) @ part for part, w in zip(
            np.split(design[order], starts[1:]), np.split(weights[order], starts[1:]), strict=True
        )]
    )  # fmt: skip
    whole = blocks.sum(axis=0)
    # A cluster can be all of a province: without it the province's effect is anything, hence pinv.
    shifts = np.einsum("gij,gj->gi", np.linalg.pinv(whole - blocks, hermitian=True), score)
    se = np.sqrt((size - 1) / size * (shifts**2).sum(axis=0))
    inverse = np.linalg.inv(whole)
    share = np.einsum("ji,gik,jk->gj", inverse, blocks, inverse) / np.diag(inverse)
    effective = size / (1 + ((share * size - 1) ** 2).mean(axis=0))
    half = stats.t.isf(tail / 2, np.maximum(effective - 1, 1)) * se
    columns = {"estimate": fit.params, "se": se, "effective": effective}
    columns |= {"low": fit.params - half, "high": fit.params + half}
    return pd.DataFrame(columns, index=fit.params.index)


def rate_ratios(
    fit: Callable[[str, pd.DataFrame], Any],
    formula: str,
    frame: pd.DataFrame,
    steps: Mapping[str, float],
    *,
    exposure: str,
    within: str,
    clusters: str,
) -> pd.DataFrame:
    """Fit a formula to the units that it can use, and tell its ratios with jackknife intervals.

    Parameters
    ----------
    fit : callable
        Takes formula and frame: `counts.poisson`, `counts.dispersed` or `spread.binary` with their
        other arguments given.
    formula : str
        Such as ``"villages ~ manufacturing + C(province)"``.
    frame : DataFrame, n rows
        Units that lack a column of the formula are left out: see `counts.usable`.
    steps : mapping of str to float
        As for `counts.ratios`; coefficients that the formula does not have are passed over.
    exposure, within, clusters : str
        Columns. Groups without counts are left out where the formula has ``C(within)``.

    Returns
    -------
    DataFrame
        As of `counts.ratios`, with `n_units` and `n_counts`.

    Examples
    --------
    >>> frame = pd.DataFrame({"n": [1, 3, 5, 7], "x": [0, 0, 1, None], "base": 10})
    >>> frame = frame.assign(group=[*"abcd"], all="one")
    >>> from functools import partial
    >>> fit = partial(counts.poisson, exposure="base", clusters="group")
    >>> groups = {"exposure": "base", "within": "all", "clusters": "group"}
    >>> rate_ratios(fit, "n ~ x", frame, {"x": 1}, **groups)[["ratio", "n_units"]].values.tolist()
    [[2.5, 3.0]]
    """
    count, right = (side.strip() for side in formula.split("~"))
    needed = [name for name in frame.columns if re.search(rf"\b{re.escape(name)}\b", right)]
    inside = within if f"C({within})" in right else None
    rows, _ = counts.usable(frame, needed, count=count, exposure=exposure, within=inside)
    model = fit(formula, rows)
    ends = jackknife(model, clusters=rows[clusters])
    known = {name: step for name, step in steps.items() if name in model.params}
    table = counts.ratios(model, known, intervals=ends)
    return table.assign(n_units=len(rows), n_counts=rows[count].sum())


def _score_draws(
    fit: Any, place: int, null: float, codes: np.ndarray, signs: np.ndarray
) -> tuple[float, np.ndarray]:
    """Sum of the clusters' scores at a null value, and the sums when clusters change sign."""
    model, size = fit.model, codes.max() + 1
    one, others = model.exog[:, place], np.delete(model.exog, place, axis=1)
    # Offset and logarithm of exposure together; statsmodels has no public name for their sum.
    fixed = np.zeros(len(one)) + model._offset_exposure + null * one
    bound = sm.GLM(model.endog, others, family=model.family, offset=fixed)
    # From the estimate the other coefficients move first as they do in a weighted regression.
    moved = _projected(one, others, model.hessian_factor(fit.params, observed=False))
    params = np.asarray(fit.params)
    start = np.delete(params, place) + (params[place] - null) * moved
    params = bound.fit(start_params=start, tol_criterion="params", tol=1e-8).params
    weights = bound.hessian_factor(params, observed=False)
    rest = one - others @ _projected(one, others, weights)
    score = np.bincount(codes, rest * bound.score_factor(params), minlength=size)
    told = np.bincount(codes, rest**2 * weights, minlength=size)
    leverage = told / told.sum()
    return float(score.sum()), signs @ (score / (1 - leverage))


def _projected(one: np.ndarray, others: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Coefficients of the weighted regression of one column on the others."""
    weighted = others * weights[:, None]
    return np.linalg.lstsq(weighted.T @ others, weighted.T @ one, rcond=None)[0]


def score_test(
    fit: Any, term: str, *, clusters: ArrayLike, null: float = 0, draws: int = 999, seed: int
) -> float:
    """Wild cluster bootstrap of scores: p-value of one value of a coefficient.

    Parameters
    ----------
    fit : GLMResults
        Of `counts.poisson`, `counts.dispersed` or `spread.binary`.
    term : str
        Name of the coefficient.
    clusters : array_like, shape (n,)
        Labels in the order of the fitted rows.
    null : float
        Value under test, on the scale of the coefficient.
    draws, seed : int
        Random signs, one a cluster and draw; same seed, same result.

    Returns
    -------
    float
        Two-sided, (b + 1) / (draws + 1).

    Raises
    ------
    ValueError
        As for `jackknife`, or a coefficient that the fit does not have, or no other beside it.

    Notes
    -----
    The model is fitted under the null; each cluster's efficient score gets a random sign; p tells
    how often their sum is as large as seen. Kline and Santos (2012), Journal of Econometric
    Methods 1, 23-41. Scores are enlarged by 1 / (1 - leverage), as MacKinnon, Nielsen and Webb
    (2023) do for the linear model, because a cluster that pulls the fit has a small residual.

    Examples
    --------
    In each of five clusters the second unit has more: two of 32 ways to give signs are as far off.

    >>> import statsmodels.formula.api as smf
    >>> frame = pd.DataFrame({"n": [1, 2, 1, 3, 2, 4, 3, 6, 2, 3], "x": [0, 1] * 5})
    >>> fit = smf.glm("n ~ x", frame, family=sm.families.Poisson()).fit()
    >>> p = score_test(fit, "x", clusters=[1, 1, 2, 2, 3, 3, 4, 4, 5, 5], draws=1999, seed=1)
    >>> abs(p - 2 / 32) < 0.02
    True
    """
    place, codes, signs = _prepared(fit, term, clusters, draws, seed)
    seen, drawn = _score_draws(fit, place, null, codes, signs)
    return _share(seen, drawn)


def _prepared(
    fit: Any, term: str, clusters: ArrayLike, draws: int, seed: int
) -> tuple[int, np.ndarray, np.ndarray]:
    """Column of the coefficient, numbers of clusters, and signs (draws, clusters)."""
    if term not in fit.model.exog_names or len(fit.model.exog_names) < 2:
        raise ValueError(f"term: {term!r} must be one of two or more: {fit.model.exog_names}")
    _, _, codes = _parts(fit, clusters)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(draws, codes.max() + 1))
    return fit.model.exog_names.index(term), codes, signs


def _share(seen: float, drawn: np.ndarray) -> float:
    """Share of draws at least as far from zero, with the one that was seen."""
    return float((np.sum(np.abs(drawn) >= abs(seen) * (1 - 1e-12)) + 1) / (len(drawn) + 1))


def score_interval(
    fit: Any,
    term: str,
    *,
    clusters: ArrayLike,
    level: float = 0.95,
    draws: int = 999,
    seed: int,
) -> pd.DataFrame:
    """All values of a coefficient that `score_test` does not reject.

    Parameters
    ----------
    fit, term, clusters, draws, seed
        As for `score_test`.
    level : float
        Coverage of the interval.

    Returns
    -------
    DataFrame, one row
        Indexed by `term`: `low`, `high`, on the scale of the coefficient. An end beyond fifty
        standard errors is infinite.

    Raises
    ------
    ValueError
        As for `score_test`.

    Notes
    -----
    Ends are found by bisection, to a hundredth of a standard error. Each of about 30 values costs
    a fit of all other coefficients and draws times clusters products.

    Examples
    --------
    Twenty clusters of two units with means 2 and 6: a ratio of three.

    >>> import statsmodels.formula.api as smf
    >>> frame = pd.DataFrame({"n": [1, 5, 3, 7] * 10, "x": [0, 1] * 20})
    >>> fit = smf.glm("n ~ x", frame, family=sm.families.Poisson()).fit()
    >>> ends = score_interval(fit, "x", clusters=frame.index // 2, seed=1)
    >>> np.exp(ends).round(1).to_numpy().tolist()
    [[2.6, 3.7]]
    """
    tail = given.tail(level)
    place, codes, signs = _prepared(fit, term, clusters, draws, seed)
    centre, unit = float(fit.params[term]), float(fit.bse[term])

    def excess(distance: float) -> float:
        return _share(*_score_draws(fit, place, centre + distance, codes, signs)) - tail

    ends = {}
    for name, side in (("low", -unit), ("high", unit)):
        steps = [1.0, 2.0, 3.0, 5.0, 8.0, 15.0, 50.0]
        far = next((step for step in steps if excess(step * side) <= 0), np.inf)
        if np.isfinite(far):
            far = optimize.bisect(lambda step, side=side: excess(step * side), 0, far, xtol=0.01)
        ends[name] = centre + far * side
    return pd.DataFrame(ends, index=pd.Index([term]))


# ---- influence --------------------------------------------------------------------------------


def group_interval(
    left_out: pd.Series, whole: float, *, level: float = 0.95
) -> tuple[float, float]:
    """Jackknife interval of a statistic from its values without each group.

    Parameters
    ----------
    left_out : Series, one value a group
        Of `counts.leave_groups_out`; take the logarithm of a ratio first.
    whole : float
        The statistic of all rows.
    level : float
        Coverage of the interval.

    Returns
    -------
    tuple of float
        Low, high: t quantile with groups - 1 degrees of freedom.

    Notes
    -----
    Efron and Stein (1981), Annals of Statistics 9, 586-596, about the value of the whole.

    Examples
    --------
    Mean of 4, 5 and 6: the usual interval, 5 plus or minus 4.303 / sqrt(3).

    >>> low, high = group_interval(pd.Series([5.5, 5.0, 4.5]), 5.0)
    >>> round(low, 3), round(high, 3)
    (2.516, 7.484)
    """
    groups = len(left_out)
    se = np.sqrt((groups - 1) / groups * ((left_out - whole) ** 2).sum())
    half = stats.t.isf(given.tail(level) / 2, groups - 1) * se
    return float(whole - half), float(whole + half)


def most_influential(fit: Any, term: str, names: pd.Series, *, number: int = 10) -> pd.DataFrame:
    """The units that move one coefficient most, by one Newton step without each.

    Parameters
    ----------
    fit : GLMResults
        Of `counts.poisson`, `counts.dispersed` or `spread.binary`.
    term : str
        Name of the coefficient.
    names : Series, shape (n,)
        What the units are called, in the order of the fitted rows.
    number : int
        How many units.

    Returns
    -------
    DataFrame, `number` rows
        `unit`; `ratio` without it; `dfbetas`, by how many standard errors (of the fit) the
        coefficient is larger with the unit. The largest first.

    Notes
    -----
    Pregibon (1981), Annals of Statistics 9, 705-724. The step is short of the full fit without
    the unit where its leverage is large; refit to be sure.

    Examples
    --------
    >>> import statsmodels.formula.api as smf
    >>> frame = pd.DataFrame({"n": [2, 2, 2, 9], "base": 1, "group": [*"abcd"]})
    >>> fit = smf.glm("n ~ 1", frame, family=sm.families.Poisson()).fit()
    >>> most_influential(fit, "Intercept", frame["group"], number=1)["unit"].tolist()
    ['d']
    """
    place = fit.model.exog_names.index(term)
    scores, weights, _ = _parts(fit, np.arange(len(names)))
    inverse = np.linalg.inv((fit.model.exog.T * weights) @ fit.model.exog)
    leverage = np.einsum("ij,jk,ik->i", fit.model.exog, inverse, fit.model.exog) * weights
    shift = scores @ inverse[place] / (1 - leverage)
    order = np.argsort(-np.abs(shift), kind="stable")[:number]
    found = {
        "unit": np.asarray(names)[order],
        "ratio": np.exp(fit.params.iloc[place] - shift[order]),
    }
    return pd.DataFrame(found | {"dfbetas": shift[order] / fit.bse.iloc[place]})
