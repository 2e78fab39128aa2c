"""Count models: Poisson and negative binomial with exposure, and checks of their input.

`count_model` is for few units, such as provinces. For many units in clusters, such as counties in
prefectures, `usable` says what a model can use, `poisson` and `dispersed` fit a formula, and
`ratios` prints; the intervals that decide come from `clustered`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf
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


# ---- many units in clusters -------------------------------------------------------------------


def usable(
    frame: pd.DataFrame,
    columns: Sequence[str],
    *,
    count: str,
    exposure: str | None = None,
    within: str | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The units that a model can use, and what is left out.

    Parameters
    ----------
    frame : DataFrame, n rows
        One row a unit.
    columns : sequence of str
        Covariates: a unit that lacks one is left out.
    count : str
        Column of counts or of 0 and 1, known everywhere.
    exposure : str, optional
        Units whose exposure is zero or missing are left out.
    within : str, optional
        Column of groups that the model gives effects of their own. Groups whose counts are all
        zero are left out: their effect has no finite estimate, and they tell nothing about the
        other coefficients (Correia, Guimaraes and Zylkin 2019).

    Returns
    -------
    kept : DataFrame
        The other units, indexed from 0.
    left_out : DataFrame
        One row a reason that applied, in order: `reason`, `n_units`, `n_counts`. A unit counts
        under its first reason.

    Raises
    ------
    ValueError
        If a count is missing or no unit remains.

    Examples
    --------
    >>> frame = pd.DataFrame({"n": [2, 0, 3, 0], "base": [9, 9, 0, 9], "group": list("aabb")})
    >>> usable(frame, [], count="n", exposure="base", within="group")[1].to_dict("list")
    {'reason': ['no base', 'group without n'], 'n_units': [1, 1], 'n_counts': [3, 0]}
    """
    if frame[count].isna().any():
        raise ValueError(f"{count}: missing in {int(frame[count].isna().sum())} rows")
    rows = []

    def drop(reason: str, gone: pd.Series) -> None:
        nonlocal frame
        if gone.any():
            rows.append((reason, int(gone.sum()), frame.loc[gone, count].sum()))
            frame = frame[~gone]

    if exposure is not None:
        drop(f"no {exposure}", ~(frame[exposure] > 0))
    for name in columns:
        drop(f"no {name}", frame[name].isna())
    if within is not None:
        drop(f"no {within}", frame[within].isna())
        drop(f"{within} without {count}", frame.groupby(within)[count].transform("sum") == 0)
    if frame.empty:
        raise ValueError("no unit is left")
    left_out = pd.DataFrame(rows, columns=["reason", "n_units", "n_counts"])
    return frame.reset_index(drop=True), left_out


def poisson(formula: str, frame: pd.DataFrame, *, exposure: str, clusters: str) -> Any:
    """Poisson pseudo maximum likelihood: rate ratios whose estimate needs no Poisson variance.

    Parameters
    ----------
    formula : str
        Such as ``"villages ~ manufacturing + C(province)"``.
    frame : DataFrame, n rows
        Without missing values and without groups of zeros: see `usable`.
    exposure : str
        Column of positive exposures, such as committees.
    clusters : str
        Column of labels: units of one cluster may be correlated.

    Returns
    -------
    GLMResults
        Its standard errors are clustered and corrected by G/(G - 1) * (n - 1)/(n - k), its
        intervals take t with G - 1 degrees of freedom. With large clusters they are too short.

    Notes
    -----
    Gourieroux, Monfort and Trognon (1984), Econometrica 52, 701-720; Santos Silva and Tenreyro
    (2006), Review of Economics and Statistics 88, 641-658. By statsmodels.

    Examples
    --------
    Rates of 2/10 and 6/10: a ratio of three.

    >>> frame = pd.DataFrame({"n": [1, 3, 5, 7], "x": [0, 0, 1, 1], "base": 10, "group": [*"abcd"]})
    >>> fit = poisson("n ~ x", frame, exposure="base", clusters="group")
    >>> float(np.exp(fit.params["x"]).round(3))
    3.0
    """
    model = smf.glm(
        formula, frame, exposure=frame[exposure], family=sm.families.Poisson(), missing="raise"
    )
    return model.fit(cov_type="cluster", cov_kwds={"groups": frame[clusters]}, use_t=True)


def dispersed(formula: str, frame: pd.DataFrame, *, exposure: str, clusters: str) -> Any:
    """The same rate ratios with weights for counts that vary more than Poisson counts.

    The variance is taken as mean + alpha * mean**2, so that a few units with very many villages
    do not decide alone. Alpha comes from the residuals of `poisson`. Like there, only the mean
    need be right. If it is not, the two differ: `poisson` fits totals, this fits typical units.

    Parameters
    ----------
    formula, frame, exposure, clusters
        As for `poisson`.

    Returns
    -------
    GLMResults
        As of `poisson`; alpha is ``fit.family.variance.alpha``, at least 0.000001.

    Notes
    -----
    Quasi-generalised pseudo maximum likelihood: Gourieroux, Monfort and Trognon (1984),
    Econometrica 52, 701-720; moments of alpha: Cameron and Trivedi (2013), Regression Analysis of
    Count Data, ch. 3.

    Examples
    --------
    >>> frame = pd.DataFrame({"n": [0, 4, 2, 10], "x": [0, 0, 1, 1], "base": 1, "group": [*"abcd"]})
    >>> fit = dispersed("n ~ x", frame, exposure="base", clusters="group")
    >>> float(fit.family.variance.alpha.round(3))  # (4 + 4 + 16 + 16 - 16) / (4 + 4 + 36 + 36)
    0.3
    """
    first = poisson(formula, frame, exposure=exposure, clusters=clusters)
    count, mean = first.model.endog, first.mu
    alpha = max(1e-6, ((count - mean) ** 2 - count).sum() / (mean**2).sum())
    family = sm.families.NegativeBinomial(alpha=alpha)
    model = smf.glm(formula, frame, exposure=frame[exposure], family=family)
    return model.fit(cov_type="cluster", cov_kwds={"groups": frame[clusters]}, use_t=True)


def ratios(
    fit: Any, steps: Mapping[str, float], *, intervals: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Ratios for a step of each covariate: a standard deviation, or ten percentage points.

    Parameters
    ----------
    fit : GLMResults
        With a logarithm as link (or logit: odds ratios).
    steps : mapping of str to float
        Name of the coefficient, and the difference in the covariate that the ratio is for.
    intervals : DataFrame, optional
        Columns `low` and `high`, indexed by coefficient, on the scale of the coefficients: of
        `jackknife` or `score_interval`. The fit's own if None.

    Returns
    -------
    DataFrame
        `covariate`, `step`, `ratio`, `low`, `high`.

    Examples
    --------
    >>> frame = pd.DataFrame({"n": [1, 3, 5, 7], "x": [0, 0, 1, 1], "base": 1, "group": [*"abcd"]})
    >>> fit = poisson("n ~ x", frame, exposure="base", clusters="group")
    >>> float(ratios(fit, {"x": 2})["ratio"][0].round(3))
    9.0
    """
    if intervals is None:
        intervals = fit.conf_int().set_axis(["low", "high"], axis=1)
    step = pd.Series(steps, dtype=float)
    table = intervals.loc[step.index, ["low", "high"]]
    table.insert(0, "ratio", fit.params[step.index])
    table = np.exp(table.mul(step, axis=0))
    table.insert(0, "step", step)
    return table.rename_axis("covariate").reset_index()


def leave_groups_out(
    frame: pd.DataFrame, statistic: Callable[[pd.DataFrame], float], *, label: str
) -> pd.Series:
    """A statistic without each group of rows in turn.

    Parameters
    ----------
    frame : DataFrame, n rows
    statistic : callable
        Takes a frame, returns a number.
    label : str
        Column of groups, such as the province.

    Returns
    -------
    Series
        Indexed by the group that is left out, in order of its name.

    Raises
    ------
    ValueError
        Fewer than two groups.

    Examples
    --------
    >>> frame = pd.DataFrame({"n": [1, 2, 6], "group": ["a", "a", "b"]})
    >>> leave_groups_out(frame, lambda rest: rest["n"].mean(), label="group").to_dict()
    {'a': 6.0, 'b': 1.5}
    """
    names = sorted(frame[label].dropna().unique())
    if len(names) < 2:
        raise ValueError(f"{label}: at least two groups, not {len(names)}")
    found = [float(statistic(frame[frame[label] != name])) for name in names]
    return pd.Series(found, index=pd.Index(names, name="left_out"))


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
