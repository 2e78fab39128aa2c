"""Simulations that show a mechanism. They are made up, and no verdict rests on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import networkx as nx
import numpy as np
import pandas as pd

SEED = 20170901  # the article's day of publication


# ---- simulation: an illustration, not evidence ---------------------------------------------------
Channel = Literal["kin", "training", "both"]


def village_network(
    *,
    households: int = 400,
    clans: int = 10,
    within: float = 0.12,
    between: float = 0.002,
    seed: int,
) -> nx.Graph:
    """A made-up village: households in clans, many ties within a clan and few between.

    Parameters
    ----------
    households, clans : int
        Clans are of one size, as far as the numbers allow.
    within, between : float
        Chance of a tie between two households of one clan, and of two clans.
    seed : int

    Returns
    -------
    networkx Graph
        Nodes 0 to households - 1, those of one clan next to each other.
    """
    sizes = [len(part) for part in np.array_split(np.arange(households), clans)]
    return nx.random_partition_graph(sizes, within, between, seed=seed)


def spread(
    network: nx.Graph,
    *,
    channel: Channel = "kin",
    learn: float = 0.3,
    places: int = 40,
    success: float = 0.5,
    pioneers: Sequence[int] = (0, 1),
    years: int = 12,
    seed: int,
) -> np.ndarray:
    """Let selling online spread through one made-up village.

    Parameters
    ----------
    network : networkx Graph
        As returned by `village_network`.
    channel : {"kin", "training", "both"}
        Who teaches: tied households, a yearly course, or both.
    learn : float
        Chance a year that one selling household passes the trade on to one tied household.
    places : int
        Households that each year's course takes in, drawn at random from those that do not sell.
    success : float
        Chance that a trained household opens a shop.
    pioneers : sequence of int
        Households that sell in year 0.
    years : int
    seed : int

    Returns
    -------
    ndarray, shape (years + 1,)
        Percent of households that sell, by years since the first shop.

    Notes
    -----
    An independent-cascade model in which every seller tries again each year; compare Kempe,
    Kleinberg and Tardos (2003).
    """
    rng = np.random.default_rng(seed)
    ties = nx.to_numpy_array(network, nodelist=sorted(network))
    sells = np.zeros(len(ties), dtype=bool)
    sells[list(pioneers)] = True
    shares = [100 * sells.mean()]
    for _ in range(years):
        new = np.zeros_like(sells)
        if channel != "training":
            chance = 1 - (1 - learn) ** (ties @ sells)
            new |= rng.random(len(ties)) < chance
        if channel != "kin":
            idle = np.flatnonzero(~sells)
            taught = rng.choice(idle, size=min(places, len(idle)), replace=False)
            new[taught] |= rng.random(len(taught)) < success
        sells |= new
        shares.append(100 * sells.mean())
    return np.array(shares)


def simulate(
    *,
    channel: Channel = "kin",
    runs: int = 40,
    seed: int = SEED,
    households: int = 400,
    clans: int = 10,
    within: float = 0.12,
    between: float = 0.002,
    **choices: Any,
) -> pd.DataFrame:
    """Run `spread` in many made-up villages.

    Parameters
    ----------
    channel, **choices
        See `spread`.
    runs : int
        Villages, each with a network of its own.
    seed : int
    households, clans, within, between
        See `village_network`.

    Returns
    -------
    DataFrame
        Indexed by ``years_since_first``; ``low``, ``median``, ``high``: the middle run and the
        ends of the middle 80% of the runs, in percent of households.
    """
    seeds = np.random.default_rng(seed).integers(2**31, size=(runs, 2))
    paths = [
        spread(
            village_network(
                households=households, clans=clans, within=within, between=between, seed=int(one)
            ),
            channel=channel,
            seed=int(two),
            **choices,
        )
        for one, two in seeds
    ]
    low, median, high = np.quantile(paths, [0.1, 0.5, 0.9], axis=0)
    years = pd.RangeIndex(len(median), name="years_since_first")
    return pd.DataFrame({"low": low, "median": median, "high": high}, index=years)


# ---- an illustration of entry by imitation, never evidence ---------------------------------------


def entry(
    buyers: np.ndarray | Sequence[float],
    *,
    entry_cost: float = 1.0,
    similarity: float = 1.0,
    top_price: float = 3.0,
    unit_cost: float = 1.0,
) -> pd.DataFrame:
    """Shops, margin and sales when anybody may copy a shop: an illustration.

    Each shop sells one good. Buyers pay less the more is sold of it and of goods like it. Shops
    enter until the last one just earns its entry cost.

    Parameters
    ----------
    buyers : array-like, shape (n,)
        Size of the online market, positive; 1 at the start.
    entry_cost : float
        What it costs to set up a shop, in profits of a lone seller at the start.
    similarity : float
        0 (goods have nothing in common) to 1 (all the same), above 0.
    top_price, unit_cost : float
        The price at which nobody buys, and what a piece costs the seller.

    Returns
    -------
    DataFrame
        ``buyers``, ``shops``, ``margin`` (percent of cost), ``sales``, ``sales_per_shop``.

    Raises
    ------
    ValueError
        For a parameter outside its range.

    Notes
    -----
    Demand p_i = a - q_i - s * (sum of the others), by buyer; with m buyers and n shops each sells
    q = (a - c) / (2 + (n - 1) s) per buyer at a price of c + q (Singh and Vives 1984). Free entry
    sets m * q**2 = F (Mankiw and Whinston 1986).
    """
    market = np.asarray(buyers, dtype=float)
    if not (0 < similarity <= 1 and entry_cost > 0 and top_price > unit_cost > 0):
        raise ValueError("similarity above 0 to 1, entry cost above 0, top price above unit cost")
    if (market <= 0).any():
        raise ValueError("buyers: positive numbers")
    alone = (top_price - unit_cost) / 2  # what a lone seller sells to a buyer, and earns on it
    fixed = entry_cost * alone**2
    shops = np.maximum(1.0, 1 + 2 * (alone * np.sqrt(market / fixed) - 1) / similarity)
    each = 2 * alone / (2 + (shops - 1) * similarity)
    sales = market * shops * each * (unit_cost + each)
    return pd.DataFrame(
        {
            "buyers": market,
            "shops": shops,
            "margin": 100 * each / unit_cost,
            "sales": sales,
            "sales_per_shop": sales / shops,
        }
    )
