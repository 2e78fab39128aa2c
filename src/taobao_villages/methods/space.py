"""Space: distances, neighbours, Moran's I, local Moran, join counts."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from taobao_villages.data.libraries import needs
from taobao_villages.methods import permutation
from taobao_villages.methods.given import columns

if TYPE_CHECKING:
    from libpysal.weights import W

EARTH_RADIUS_KM = 6371.0  # libpysal's value, so that both measure the same distances


class MoranResult(NamedTuple):
    """Moran's I, its expectation and standard score under permutation, pseudo p-value, units."""

    I: float  # noqa: E741 - the name of the statistic
    expected: float
    z: float
    p: float
    n: int


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
    (array,) = columns(values=values)
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
    alternative: permutation.Alternative = "directed",
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
    test = permutation.permutation_test(
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
    alternative: permutation.Alternative = "directed",
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
    p = permutation.pseudo_p(result.Is, result.sim, alternative)
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
    test = permutation.permutation_test(
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
