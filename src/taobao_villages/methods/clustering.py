"""Clustering in space told apart from size and groups: pairs of villages and nearest neighbours.

Villages lie near each other because counties differ in size, because provinces differ, or because
neighbours do. Each test here compares the map with maps on which the villages are redrawn
(`permutation.redrawn`). Without `groups` the null hypothesis is "somewhere in the country"; with
provinces as groups it is "somewhere in the same province", and what is then left is clustering
inside provinces and across their borders. Run both: the difference is the point.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, vstack
from scipy.spatial import KDTree

from taobao_villages.methods import distance, given, permutation

Side = Literal["less", "greater", "two-sided"]
BLOCK = 1000  # units whose neighbours are looked up together


class Pairs(NamedTuple):
    """Pairs of villages by distance, those in one unit, and p of all distances together."""

    between: pd.DataFrame
    inside: pd.Series
    p: float


def pairs_within(
    count: ArrayLike,
    base: ArrayLike,
    coordinates: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    radii_km: Sequence[float] = (25, 50, 100, 150),
    whole: bool = False,
    draws: int = 999,
    seed: int,
    alternative: Side = "greater",
    level: float = 0.95,
) -> Pairs:
    """Pairs of villages within some distances, against villages redrawn among the units.

    Parameters
    ----------
    count : array_like of whole numbers, shape (n,)
        Villages of each unit, such as a county; zeros included.
    base : array_like, shape (n,)
        Positive sizes to which chances are proportional, such as committees.
    coordinates : array_like, shape (n, 2)
        Longitude and latitude of each unit's seat in degrees. It stands for the whole unit, so
        distances below the usual one between seats say little.
    groups : array_like, shape (n,), optional
        Villages stay in their group; None: in the country.
    radii_km : sequence of float
        Distances, each counted from 0 and included.
    whole : bool
        How to redraw: see `permutation.redrawn`. False asks whether villages know of each other
        at all: villages that gather inside single units raise the spread of all counts of pairs,
        and a small p may come from that alone. True keeps them together, and asks whether units
        with villages lie near each other.
    draws : int
        Maps.
    seed : int
        Same seed, same p.
    alternative : {"greater", "less", "two-sided"}
        "greater": are there more pairs than chance lets expect?
    level : float
        Coverage of intervals and envelopes.

    Returns
    -------
    Pairs
        `between`, a row for each radius, of pairs in two different units: `within_km` and the
        columns of `permutation.envelope`; its `p` holds for a radius that was declared before.
        `inside`, the same columns without `within_km` and the `all_` ones, for pairs in one unit,
        whose distance is not known. `p`, of all radii together.

    Raises
    ------
    ValueError
        As `permutation.redrawn` and `distance.on_sphere`; another number of coordinates; radii
        not positive or not rising; another alternative or level.

    Notes
    -----
    Ripley (1977), Journal of the Royal Statistical Society B 39: the K function times a constant,
    for points that may stand only where units are, without correction at the border since the
    draws have the same one. Monte Carlo test of Besag and Diggle (1977), Applied Statistics 26.
    Time and memory grow with the number of neighbours within the largest radius: quadratic in the
    units when the radius, and not the number of neighbours, is held. A pair of neighbours takes 5
    bytes, and only those of units with villages are looked at in a draw.

    Examples
    --------
    Two villages in one place, one some 11 km away: one pair inside, two between.

    >>> found = pairs_within([2, 1, 0], [1, 1, 1], [(0, 0), (0.1, 0), (9, 9)], draws=19, seed=1)
    >>> float(found.inside["observed"]), found.between["observed"].tolist()
    (1.0, [2.0, 2.0, 2.0, 2.0])
    """
    radii = np.asarray(radii_km, dtype=float)
    if radii.ndim != 1 or not radii.size or not (np.diff(radii, prepend=0) > 0).all():
        raise ValueError(f"radii_km: positive and rising, not {list(radii_km)}")
    maps = permutation.redrawn(count, base, groups, whole=whole, draws=draws, seed=seed)
    observed = np.asarray(count, dtype=int)
    near = _neighbours(_located(coordinates, observed.size), radii)
    found = np.array([_pairs(one, near, radii.size) for one in (observed, *maps)])
    between = permutation.envelope(
        found[0, 1:], found[1:, 1:], alternative=alternative, level=level
    )
    inside = permutation.envelope(
        found[0, :1], found[1:, :1], alternative=alternative, level=level
    ).table.iloc[0]
    between.table.insert(0, "within_km", radii)
    return Pairs(between.table, inside.drop(["all_low", "all_high"]), between.p)


def _located(coordinates: ArrayLike, n: int) -> np.ndarray:
    """Unit vectors of n units."""
    vectors = distance.on_sphere(coordinates)
    if len(vectors) != n:
        raise ValueError(f"lengths differ: count {n}, coordinates {len(vectors)}")
    return vectors


def _neighbours(vectors: np.ndarray, radii: np.ndarray) -> csr_array:
    """Each pair of units within the largest radius once: the number of its smallest radius, from 1.

    Unit by unit, so that the whole list of distances never exists.
    """
    tree, limits, n = KDTree(vectors), distance.chord(radii), len(vectors)
    blocks = []
    for start in range(0, n, BLOCK):
        part = vectors[start : start + BLOCK]
        pairs = KDTree(part).sparse_distance_matrix(tree, limits[-1], output_type="ndarray")
        pairs = pairs[pairs["j"] > pairs["i"] + start]
        band = (np.searchsorted(limits, pairs["v"]) + 1).astype(np.int8)
        index = pairs["i"].astype(np.int32), pairs["j"].astype(np.int32)
        blocks.append(csr_array((band, index), shape=(len(part), n)))
    return vstack(blocks, format="csr")


def _pairs(count: np.ndarray, near: csr_array, bands: int) -> np.ndarray:
    """Pairs inside units, then between units up to each radius, shape (1 + bands,)."""
    units = np.flatnonzero(count)
    first, many = near.indptr[units], near.indptr[units + 1] - near.indptr[units]
    # The places of these units' rows; near[units] gives the same but takes longer.
    place = np.repeat(first - np.cumsum(many) + many, many) + np.arange(many.sum())
    pairs = np.repeat(count[units], many) * count[near.indices[place]]
    between = np.bincount(near.data[place], weights=pairs, minlength=bands + 1)
    inside = (count * (count - 1.0)).sum() / 2
    return np.append(inside, np.cumsum(between[1:]))


def nearest_other(
    count: ArrayLike,
    base: ArrayLike | None,
    coordinates: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    draws: int = 999,
    seed: int,
    alternative: Side = "less",
    level: float = 0.95,
) -> pd.Series:
    """Mean distance of units with a village to the nearest other such unit, against redrawn ones.

    Parameters
    ----------
    count : array_like, shape (n,)
        Villages of each unit, or True and False; only whether there is one counts.
    base : array_like, shape (n,), or None
        Positive sizes to which the chance to be drawn first is proportional; None: all the same.
    coordinates, groups, draws, seed, level
        As `pairs_within`. Each group keeps its number of units with villages.
    alternative : {"less", "greater", "two-sided"}
        "less": do they lie nearer to each other than chance lets expect?

    Returns
    -------
    Series
        `observed` and `expected` in kilometres, `ratio`, `low`, `high`, `p` as
        `permutation.envelope`; `units`, how many have a village.

    Raises
    ------
    ValueError
        As `pairs_within`, or fewer than two units with a village.

    Notes
    -----
    Clark and Evans (1954), Ecology 35, with the expectation under redrawing in place of that in
    an unbounded plane. About m log m steps a draw for m units with villages.

    Examples
    --------
    >>> found = nearest_other([1, 1, 0], None, [(0, 0), (1, 0), (9, 9)], draws=19, seed=1)
    >>> float(found["observed"].round(1))
    111.2
    """
    counts, _ = given.counts(count)
    member = (counts > 0).astype(int)
    vectors = _located(coordinates, member.size)
    if member.sum() < 2:
        raise ValueError("count: at least two units with a village")
    maps = permutation.redrawn(member, base, groups, whole=True, draws=draws, seed=seed)
    found = np.array([[_to_nearest(vectors[one > 0])] for one in (member, *maps)])
    row = permutation.envelope(found[0], found[1:], alternative=alternative, level=level).table
    told = row.iloc[0].drop(["all_low", "all_high"])
    return pd.concat([told, pd.Series({"units": member.sum()})])


def _to_nearest(vectors: np.ndarray) -> float:
    """Mean kilometres from each to the nearest other."""
    chords, _ = KDTree(vectors).query(vectors, k=2)
    return float(distance.arc_km(chords[:, 1]).mean())
