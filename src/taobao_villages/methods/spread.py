"""Spread over units from list to list: who enters, near whom, and how much is deepening."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy.spatial import KDTree

from taobao_villages.methods import distance

# ---- entry ---------------------------------------------------------------------------------------


def near(frame: pd.DataFrame, count: str, *, longitude: str, latitude: str, km: float) -> pd.Series:
    """What the other units within a distance hold.

    Parameters
    ----------
    frame : DataFrame, n rows
    count : str
        Column of numbers, zero or more; missing counts as zero.
    longitude, latitude : str
        Columns of degrees.
    km : float
        Great-circle distance on a sphere of radius 6,371 km.

    Returns
    -------
    Series, n values
        Sum over the others within `km`; missing where the position is.

    Notes
    -----
    A tree of chords: time grows as n log n plus the number of pairs that are near, so with the
    square of n if all are near.

    Examples
    --------
    One degree of latitude is 111 km.

    >>> frame = pd.DataFrame({"n": [5, 2, 1], "lon": 0.0, "lat": [0.0, 1.0, 9.0]})
    >>> near(frame, "n", longitude="lon", latitude="lat", km=112).tolist()
    [2.0, 5.0, 0.0]
    """
    known = frame[[longitude, latitude]].notna().all(axis=1).to_numpy()
    points = distance.on_sphere(frame.loc[known, [longitude, latitude]])
    counts = frame.loc[known, count].fillna(0).to_numpy(float)
    full = counts > 0
    pairs = KDTree(points).sparse_distance_matrix(
        KDTree(points[full]), float(distance.chord(km)), output_type="coo_matrix"
    )
    found = np.full(len(frame), np.nan)
    # The tree finds a unit beside itself too, at distance zero.
    found[known] = np.bincount(pairs.row, counts[full][pairs.col], minlength=len(points)) - counts
    return pd.Series(found, index=frame.index)


def entry_frame(
    frame: pd.DataFrame,
    lists: Mapping[Any, str],
    *,
    group: str,
    longitude: str,
    latitude: str,
    km: Sequence[float] = (50, 100),
) -> pd.DataFrame:
    """Units that a list does not have, and whether the next list has them: discrete time.

    Parameters
    ----------
    frame : DataFrame, n rows
        One row a unit.
    lists : mapping of label to str
        Columns of counts in the order of time: ``{2014: "villages_2014", ...}``.
    group : str
        Column of groups, such as the prefecture.
    longitude, latitude : str
        Columns of degrees.
    km : sequence of float
        Distances for `near`.

    Returns
    -------
    DataFrame
        One row a unit and step at whose start it has none: the columns of `frame`, then `step`
        ("2014-2015"), `entered` (0 or 1), `in_group` (what the others of its group have at the
        start) and `within_50` ... for each distance. A unit that enters leaves the frame; one that
        falls off a list comes back.

    Raises
    ------
    ValueError
        Fewer than two lists, or a count missing.

    Notes
    -----
    Allison (1982), Discrete-time methods for the analysis of event histories, Sociological
    Methodology 13, 61-98.

    Examples
    --------
    >>> frame = pd.DataFrame({"group": [*"aab"], "lon": 0.0, "lat": [0.0, 1.0, 9.0]})
    >>> frame = frame.assign(one=[3, 0, 0], two=[4, 1, 0])
    >>> lists = {1: "one", 2: "two"}
    >>> table = entry_frame(frame, lists, group="group", longitude="lon", latitude="lat")
    >>> table[["group", "entered", "in_group", "within_100"]].values.tolist()
    [['a', 1, 3, 0.0], ['b', 0, 0, 0.0]]
    """
    columns = list(lists.values())
    if len(columns) < 2 or frame[columns].isna().any(axis=None):
        raise ValueError(f"lists: two or more, and every count known: {columns}")
    steps = []
    for (start, before), (end, after) in itertools.pairwise(lists.items()):
        step = frame.assign(
            step=f"{start}-{end}",
            entered=(frame[after] > 0).astype(int),
            in_group=frame.groupby(group)[before].transform("sum"),
        )
        for reach in km:
            step[f"within_{reach:g}"] = near(
                frame, before, longitude=longitude, latitude=latitude, km=reach
            )
        steps.append(step[frame[before] == 0])
    return pd.concat(steps, ignore_index=True)


def binary(formula: str, frame: pd.DataFrame, *, clusters: str, link: str = "Logit") -> Any:
    """Regress yes or no on covariates, by logit or by complementary log-log.

    Parameters
    ----------
    formula : str
        Such as ``"entered ~ near + np.log(committees) + C(province)"``.
    frame : DataFrame, n rows
        Outcome 0 and 1; no missing values.
    clusters : str
        Column of labels.
    link : {"Logit", "CLogLog"}
        Effects are ratios of odds, or ratios of rates between two looks at a process in
        continuous time (hazard ratios).

    Returns
    -------
    GLMResults
        Its standard errors are clustered, as of `counts.poisson`.

    Raises
    ------
    AttributeError
        If statsmodels has no link of this name.

    Notes
    -----
    Prentice and Gloeckler (1978), Biometrics 34, 57-67, for the complementary log-log.

    Examples
    --------
    Odds of 1/3 and of 3/1: a ratio of nine.

    >>> frame = pd.DataFrame({"y": [0, 0, 0, 1, 0, 1, 1, 1], "x": [0] * 4 + [1] * 4})
    >>> fit = binary("y ~ x", frame.assign(group=range(8)), clusters="group")
    >>> float(np.exp(fit.params["x"]).round(3))
    9.0
    """
    family = sm.families.Binomial(link=getattr(sm.families.links, link)())
    model = smf.glm(formula, frame, family=family, missing="raise")
    return model.fit(cov_type="cluster", cov_kwds={"groups": frame[clusters]}, use_t=True)


# ---- deepening -----------------------------------------------------------------------------------


def deepening(
    frame: pd.DataFrame,
    before: str,
    after: str,
    *,
    weight: str,
    within: str | None = None,
    draws: int = 1999,
    seed: int,
) -> pd.DataFrame:
    """Growth in units that already had some against first entries, and what chance would give.

    Parameters
    ----------
    frame : DataFrame, n rows
        One row a unit.
    before, after : str
        Columns of counts of two lists.
    weight : str
        Column of weights, zero or more, such as committees: by chance each added village falls
        into a unit in proportion to it, independently of the others.
    within : str, optional
        Column of groups that keep the number of villages added in them, such as provinces.
    draws, seed : int
        How often chance is tried; same seed, same result.

    Returns
    -------
    DataFrame
        Rows `added` (gains summed over units; losses are not set against them), `deepening` (of
        these, in units that had some), `share` (of deepening in added, percent) and `entered`
        (units with first villages); columns `observed`, `expected`, `low`, `high` (mean of the
        draws and the middle 95% of them).

    Raises
    ------
    ValueError
        If nothing was added, a weight is missing or negative, or villages were added in a group
        whose weights are all zero.

    Notes
    -----
    An extensive and an intensive margin; chance is a multinomial draw. Chance knows no
    difference between units but the weight, so it is far from any real process.

    Examples
    --------
    >>> frame = pd.DataFrame({"one": [2, 0, 1], "two": [5, 1, 0], "base": [10, 10, 20]})
    >>> table = deepening(frame, "one", "two", weight="base", seed=1)
    >>> table["observed"].to_dict()
    {'added': 4.0, 'deepening': 3.0, 'share': 75.0, 'entered': 1.0}
    >>> float(table.loc["share", "expected"].round())  # the first and third have 3/4 of the base
    75.0
    """
    if frame[[before, after]].isna().any(axis=None) or not (frame[weight] >= 0).all():
        raise ValueError(f"{before}, {after}, {weight}: none missing, no negative weight")
    had = frame[before].to_numpy() > 0
    gains = (frame[after] - frame[before]).clip(lower=0).to_numpy(int)
    weights = frame[weight].to_numpy(float)
    codes = np.zeros(len(frame), int) if within is None else pd.factorize(frame[within])[0]
    groups = [np.flatnonzero(codes == code) for code in np.unique(codes[gains > 0])]
    if not groups or any(weights[group].sum() == 0 for group in groups):
        raise ValueError(f"{after}: nothing is added, or added where every {weight} is zero")
    rng = np.random.default_rng(seed)

    def told(gains: np.ndarray) -> tuple[float, ...]:
        deep, added = gains[had].sum(), gains.sum()
        return added, deep, 100 * deep / added, (gains[~had] > 0).sum()

    drawn = np.zeros((draws, 4))
    placed = np.zeros(len(frame), int)
    for draw in range(draws):
        for group in groups:
            share = weights[group] / weights[group].sum()
            placed[group] = rng.multinomial(gains[group].sum(), share)
        drawn[draw] = told(placed)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    columns = {"observed": told(gains), "expected": drawn.mean(axis=0), "low": low, "high": high}
    rows = ["added", "deepening", "share", "entered"]
    return pd.DataFrame(columns, index=rows, dtype=float)
