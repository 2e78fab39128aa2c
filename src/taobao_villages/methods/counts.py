"""Count models: Poisson and negative binomial with exposure, and checks of their input."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize
from statsmodels.discrete.discrete_model import NegativeBinomial
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.stats.outliers_influence import variance_inflation_factor
from statsmodels.tools.sm_exceptions import ConvergenceWarning, HessianInversionWarning

from taobao_villages.methods import given

Family = Literal["poisson", "quasi-poisson", "negative binomial"]
UNITS_PER_COVARIATE = 10


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


# ---------------------------------------------------------------- count models --------------------


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
    tail = given.tail(level)
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
    data = dict(zip(used, given.columns(**{name: frame[name] for name in used}), strict=True))
    counts, _ = given.counts(data[outcome])
    if family != "quasi-poisson" and (counts != np.floor(counts)).any():
        raise ValueError(f"{outcome}: {family} needs whole numbers; quasi-poisson takes fractions")
    exposures = np.ones(n) if exposure is None else data[exposure]
    given.counts(counts, exposures)
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


# ---- infrastructure ------------------------------------------------------------------------------


def inflation(frame: pd.DataFrame) -> pd.Series:
    """Variance inflation factor of each column given the others.

    Parameters
    ----------
    frame : DataFrame
        Covariates, one column each, without missing values.

    Returns
    -------
    Series
        1 where a covariate is unrelated to the others; 10 means that nine tenths of its variance
        are theirs.

    Notes
    -----
    1 / (1 - R squared) of the regression on the others; by statsmodels. Belsley, Kuh and Welsch
    (1980), Regression Diagnostics, ch. 3.
    """
    design = np.column_stack([np.ones(len(frame)), frame.to_numpy(float)])
    return pd.Series(
        [variance_inflation_factor(design, i + 1) for i in range(frame.shape[1])],
        index=frame.columns,
        name="inflation",
    )
