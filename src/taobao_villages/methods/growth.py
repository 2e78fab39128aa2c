"""Growth: rates between dated counts, curves, and the test that one rate fits all."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import optimize, stats

# ---- growth --------------------------------------------------------------------------------------


def constant_rate_test(intervals: pd.DataFrame) -> pd.Series:
    """Likelihood-ratio test that one growth rate fits all intervals.

    Growth is taken as a pure birth (Yule) process: each village begets others at a constant
    rate, so the additions in an interval are negative binomial given its start. The test
    compares one rate for all intervals with one rate for each.

    Parameters
    ----------
    intervals : DataFrame
        As returned by `growth`.

    Returns
    -------
    Series
        ``common_rate`` (a year), ``statistic``, ``df``, ``p``, and ``inflation``: by what factor
        clustering would have to raise the variance before the test no longer rejects at 5%.

    Notes
    -----
    Keiding, N. (1974), Estimation in the birth process, Biometrika 61, 71-80.
    """
    years = intervals["months"].to_numpy() / 12
    start, end = intervals["n_from"].to_numpy(), intervals["n_to"].to_numpy()

    def loglik(rates: np.ndarray) -> float:
        return stats.nbinom.logpmf(end - start, start, np.exp(-rates * years)).sum()

    separate = intervals["rate"].to_numpy()
    best = optimize.minimize_scalar(
        lambda rate: -loglik(np.full(len(years), rate)),
        bounds=(separate.min(), separate.max() + 1e-9),
        method="bounded",
    )
    statistic = 2 * (loglik(separate) + best.fun)
    df = len(years) - 1
    return pd.Series(
        {
            "common_rate": best.x,
            "statistic": statistic,
            "df": df,
            "p": stats.chi2.sf(statistic, df),
            "inflation": statistic / stats.chi2.isf(0.05, df),
        }
    )


# ---- growth rivals, for description (methods page) -----------------------------------------------
CURVES: dict[str, tuple[Callable[..., np.ndarray], tuple[float, ...]]] = {
    "exponential": (lambda t, a, b: a + b * t, (1.0, 1.0)),
    "power": (lambda t, a, b: a + b * np.log(t + 1), (1.0, 3.0)),
    "quadratic": (lambda t, a, b, c: a + b * t + c * t**2, (1.0, 0.5, 0.05)),
    "logistic": (lambda t, top, b, mid: top - np.log1p(np.exp(-b * (t - mid))), (8.0, 1.5, 6.0)),
    "Gompertz": (lambda t, top, b, c: top - b * np.exp(-c * t), (9.0, 8.5, 0.2)),
}


# ---- the digital divide --------------------------------------------------------------------------


def slope(x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray, *, level: float = 0.95):
    """Straight line through yearly points: its slope and interval.

    Parameters
    ----------
    x, y : array-like, shape (n,)
        Times in years and values, at least three.
    level : float
        Coverage of the interval.

    Returns
    -------
    tuple of float
        Slope a year, low, high.

    Notes
    -----
    Least squares by scipy. The interval takes deviations from the line as independent, which
    yearly figures seldom are: read it as the least of the doubt.
    """
    fit = stats.linregress(x, y)
    half = stats.t.ppf((1 + level) / 2, len(x) - 2) * fit.stderr
    return float(fit.slope), float(fit.slope - half), float(fit.slope + half)


# ---- shoppers ------------------------------------------------------------------------------------


def yearly_growth(values: pd.Series, start: int, end: int) -> float:
    """Growth a year between two years, percent: the constant rate that leads from one to the other.

    Raises
    ------
    ValueError
        If one of the years has no figure, or if `end` is not after `start`.
    """
    if end <= start or values[[start, end]].isna().any():
        raise ValueError(f"no growth from {start} to {end}: a figure is missing or the order wrong")
    return float(100 * ((values[end] / values[start]) ** (1 / (end - start)) - 1))


# ---- all series on one page ----------------------------------------------------------------------


def largest_rise(values: pd.Series, *, relative: bool = False) -> int | None:
    """The year with the largest rise over the year before, or with the first figure after zeros.

    Parameters
    ----------
    values : Series
        Indexed by year; only changes between two years that both have a figure count.
    relative : bool
        Compare rises in percent of the year before instead of in units.

    Returns
    -------
    int or None
        None if no two successive years have figures, or none rises. A start from zero is, in
        percent, larger than any other rise.
    """
    before = values.shift()
    change = values - before
    if relative:
        start = (before == 0) & (values > 0)
        change = (change / before.where(before != 0)).where(~start, np.inf)
    change = change.dropna()
    return None if change.empty or change.max() <= 0 else int(change.idxmax())


# ---- growth --------------------------------------------------------------------------------------


def cagr(first: float, last: float, years: float) -> float:
    """Compound annual growth rate: the constant yearly rate between two values.

    Parameters
    ----------
    first, last : float
        Positive values at the two ends.
    years : float
        Time between them.

    Returns
    -------
    float
        Percent a year.

    Raises
    ------
    ValueError
        If a value or the time is not positive.
    """
    if min(first, last, years) <= 0:
        raise ValueError(f"growth from {first} to {last} in {years} years: all must be positive")
    return 100 * ((last / first) ** (1 / years) - 1)


def rounding_range(first: float, last: float, years: float, *, step: float) -> pd.DataFrame:
    """What two rounded figures can still mean.

    Parameters
    ----------
    first, last, years : float
        As in `cagr`.
    step : float
        Size of the last printed digit; the true value lies within half of it either way.

    Returns
    -------
    DataFrame
        Rows ``low`` and ``high``, columns ``multiple`` and ``cagr`` (percent a year).
    """
    half = step / 2
    ends = {"low": (first + half, last - half), "high": (first - half, last + half)}
    return pd.DataFrame(
        {name: {"multiple": b / a, "cagr": cagr(a, b, years)} for name, (a, b) in ends.items()}
    ).T


def log_linear(values: pd.Series, *, level: float = 0.95) -> tuple[pd.Series, pd.DataFrame]:
    """Fit one constant growth rate to all years: a straight line through the logarithms.

    Parameters
    ----------
    values : Series, shape (n,)
        Positive, indexed by year; at least three.
    level : float
        Coverage of the interval.

    Returns
    -------
    summary : Series
        ``rate``, ``low``, ``high`` (percent a year; the interval is Student's t with n - 2 degrees
        of freedom) and ``n``.
    fit : DataFrame
        Indexed by year: ``value``, ``fitted`` and ``residual`` (percent above or below the line).

    Raises
    ------
    ValueError
        Fewer than three values, or one that is not positive.

    Notes
    -----
    Wooldridge, Introductory Econometrics, ch. 6: the slope of log(y) in t is a rate of growth.
    """
    values = values.dropna().sort_index()
    if len(values) < 3 or (values <= 0).any():
        raise ValueError("a log-linear fit needs at least three positive values")
    years = values.index.to_numpy(float)
    line = sm.OLS(np.log(values.to_numpy(float)), sm.add_constant(years - years[0])).fit()
    low, high = line.conf_int(alpha=1 - level)[1]
    rate, low, high = (100 * np.expm1(slope) for slope in (line.params[1], low, high))
    fitted = np.exp(line.fittedvalues)
    fit = pd.DataFrame(
        {
            "value": values.to_numpy(float),
            "fitted": fitted,
            "residual": 100 * (values.to_numpy(float) / fitted - 1),
        },
        index=values.index,
    )
    return pd.Series({"rate": rate, "low": low, "high": high, "n": len(values)}), fit


def year_on_year(values: pd.Series) -> pd.Series:
    """Growth on the year before in percent, for years whose year before is known."""
    values = values.sort_index()
    before = values.reindex(values.index - 1).to_numpy()
    return (100 * (values / before - 1)).dropna()


# ---- growth between dated counts -----------------------------------------------------------------


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
