"""Distances on the sphere: to the nearest place or line, and what lies within some of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.spatial import KDTree

from taobao_villages.methods import given
from taobao_villages.methods.space import EARTH_RADIUS_KM, haversine_km

PIECE_KM = 50.0  # lines are cut into pieces of at most this length


def on_sphere(coordinates: ArrayLike) -> np.ndarray:
    """Points on a sphere of radius 1, for trees that know straight lines only.

    Parameters
    ----------
    coordinates : array_like, shape (n, 2)
        Longitude and latitude in degrees.

    Returns
    -------
    ndarray, shape (n, 3)
        Unit vectors. The straight line between two of them, `chord`, grows with the great circle,
        so that the nearest by one is the nearest by the other.

    Raises
    ------
    ValueError
        No point, another shape, missing values, or degrees out of range.
    """
    points = np.asarray(coordinates, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"coordinates: longitude and latitude of each, not {points.shape}")
    haversine_km(points[:, 0], points[:, 1], 0, 0)  # checks the ranges
    east, north = np.radians(points).T
    return np.column_stack(
        [np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)]
    )


def chord(km: ArrayLike) -> np.ndarray:
    """Straight line through a sphere of radius 1 under a great circle of so many kilometres."""
    half = np.minimum(np.asarray(km, dtype=float) / EARTH_RADIUS_KM, np.pi) / 2
    return 2 * np.sin(half)


def arc_km(chords: ArrayLike) -> np.ndarray:
    """Kilometres of the great circle over a straight line through a sphere of radius 1."""
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(np.asarray(chords, dtype=float) / 2, 1))


def nearest_km(points: ArrayLike, places: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Distance from each point to the nearest of some places.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        Longitude and latitude in degrees.
    places : array_like, shape (m, 2)
        Likewise.

    Returns
    -------
    km : ndarray, shape (n,)
        Great circle, kilometres; 0 for a point that is a place.
    place : ndarray of int, shape (n,)
        Position in `places` of the nearest.

    Raises
    ------
    ValueError
        As `on_sphere`.

    Notes
    -----
    By scipy's KDTree, in about (n + m) log m steps: no matrix of all distances.

    Examples
    --------
    >>> km, place = nearest_km([(0, 0), (80, 0)], [(1, 0), (90, 0)])
    >>> km.round(1).tolist(), place.tolist()
    ([111.2, 1111.9], [0, 1])
    """
    chords, place = KDTree(on_sphere(places)).query(on_sphere(points))
    return arc_km(chords), place


def line_km(points: ArrayLike, lines: Sequence[ArrayLike]) -> np.ndarray:
    """Distance from each point to the nearest of some lines, such as roads or a coast.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        Longitude and latitude in degrees.
    lines : sequence of array_like, shape (m, 2) each
        Corners of a line in order, m of 2 or more; between two of them it follows the great
        circle. (A line drawn straight on a map of degrees departs from it: by less than 300 m in
        the middle of 100 km at the latitudes of China.)

    Returns
    -------
    ndarray, shape (n,)
        Kilometres; 0 on a line.

    Raises
    ------
    ValueError
        As `on_sphere`; no line, a line of one corner, or corners half the earth apart.

    Notes
    -----
    The distance to an arc from a to b is that to its great circle, arcsin |p . n| with n = a x b
    of length 1, where the foot lies between a and b, and else that to the nearer end. Lines are
    cut into pieces, and only those are measured whose middle is so near that they can be the
    nearest: quadratic only where all pieces are as near as each other.

    Examples
    --------
    One degree north of a line along the equator, and one degree beyond its end.

    >>> line_km([(5, 1), (11, 0)], [[(0, 0), (10, 0)]]).round(1).tolist()
    [111.2, 111.2]
    """
    corners = [on_sphere(line) for line in lines]
    if not corners or min(map(len, corners)) < 2:
        raise ValueError("lines: at least one, and at least two corners for each")
    start, end = _pieces(
        np.concatenate([line[:-1] for line in corners]),
        np.concatenate([line[1:] for line in corners]),
    )
    middle = start + end
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    at, tree = on_sphere(points), KDTree(middle)
    # The nearest piece is not farther than the nearest middle, and its own middle half its length.
    half = arc_km(np.linalg.norm(end - start, axis=1)).max() / 2 + 1e-6
    found = tree.query_ball_point(at, chord(arc_km(tree.query(at)[0]) + half), return_sorted=False)
    many = np.array([len(one) for one in found])
    near = np.concatenate([np.asarray(one, dtype=int) for one in found])
    p, a, b = np.repeat(at, many, axis=0), start[near], end[near]
    normal = np.cross(a, b)
    length = np.linalg.norm(normal, axis=1)
    between = (
        (length > 0)
        & (np.einsum("ij,ij->i", np.cross(normal, a), p) >= 0)
        & (np.einsum("ij,ij->i", np.cross(b, normal), p) >= 0)
    )
    ends = np.minimum(np.linalg.norm(p - a, axis=1), np.linalg.norm(p - b, axis=1))
    across = np.abs(np.einsum("ij,ij->i", normal, p)) / np.where(between, length, 1)
    km = np.where(between, EARTH_RADIUS_KM * np.arcsin(np.minimum(across, 1)), arc_km(ends))
    return np.minimum.reduceat(km, np.append(0, np.cumsum(many)[:-1]))


def _pieces(start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Arcs cut into equal pieces of at most `PIECE_KM`: their starts and ends, shape (k, 3)."""
    chords = np.linalg.norm(end - start, axis=1)
    if chords.max() > 2 - 1e-9:
        raise ValueError("lines: two corners half the earth apart; which way does the line go?")
    parts = np.maximum(np.ceil(arc_km(chords) / PIECE_KM), 1).astype(int)
    arc, of = np.repeat(np.arange(len(parts)), parts), np.repeat(parts, parts)
    place = np.arange(len(arc)) - np.repeat(np.cumsum(parts) - parts, parts)
    angle = (arc_km(chords) / EARTH_RADIUS_KM)[arc]

    def along(share: np.ndarray) -> np.ndarray:
        """Points that lie a share of the way along their arcs."""
        sine = np.where(angle > 0, np.sin(angle), 1)
        first = np.where(angle > 0, np.sin((1 - share) * angle) / sine, 1)
        return first[:, None] * start[arc] + (np.sin(share * angle) / sine)[:, None] * end[arc]

    return along(place / of), along((place + 1) / of)


def shares_within(
    km: ArrayLike, count: ArrayLike, base: ArrayLike, *, limits_km: Sequence[float] = (50, 100, 150)
) -> pd.DataFrame:
    """How much of a count, and of a base, lies within some distances of a place.

    Parameters
    ----------
    km : array_like, shape (n,)
        Distance of each unit, such as `nearest_km` or `line_km` gives it.
    count, base : array_like, shape (n,)
        Counts, zeros included, and positive sizes.
    limits_km : sequence of float
        Distances, each counted from 0 and included.

    Returns
    -------
    DataFrame, one row a distance
        `within_km`; `units`, how many; `count` and `base` there, and their shares of the whole, 0
        to 1; `location_quotient`, one share over the other (missing where no unit is so near).

    Raises
    ------
    ValueError
        As `inequality.lorenz`; a distance missing or negative, or no limit.

    Examples
    --------
    >>> shares_within([10, 60, 400], [3, 1, 0], [1, 1, 2])["location_quotient"].tolist()
    [3.0, 2.0, 2.0]
    """
    counts, bases = given.counts(count, base)
    far, _ = given.columns(km=km, count=count)
    if (far < 0).any() or not len(limits_km):
        raise ValueError("km: not negative, and at least one limit")
    rows = [
        {
            "within_km": float(limit),
            "units": int((far <= limit).sum()),
            "count": counts[far <= limit].sum(),
            "base": bases[far <= limit].sum(),
        }
        for limit in limits_km
    ]
    table = pd.DataFrame(rows)
    table["count_share"] = table["count"] / counts.sum()
    table["base_share"] = table["base"] / bases.sum()
    return table.assign(location_quotient=table["count_share"] / table["base_share"])
