"""Time the statistics: ``python -m timings.methods``.

Three questions. How much longer does a function of this package take than the plain use of the
library below it, at the size of the book? What do methods for counties take, in seconds and
megabytes, for as many units as China has counties and for as many as it has towns and more? And
how do time and memory grow with the number of units: the slope of their logarithms over invented
villages, with sparse weights.
"""

from __future__ import annotations

import dataclasses
import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from esda.moran import Moran
from inequality.gini import Gini
from libpysal.weights import KNN
from scipy.spatial import KDTree
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM

from taobao_villages.methods import clustering, distance, inequality, permutation, space
from taobao_villages.methods.counts import count_model
from taobao_villages.subjects import provinces
from taobao_villages.verdicts import ledger, multiverse
from timings.timing import RESULTS, median_seconds, ratio, save, stamp

GROWTH = "timings/growth.csv"
SIZES = (1_000, 10_000, 100_000)
UNITS = (2_855, 50_000)  # counties of 2016; more than there are towns
SHUFFLES = 99
RUNS = 5
SEED = 20170901
SAMPLE = ("C02", "C18", "C39")  # claims that run in a second: a series, a model, cases


def against_libraries() -> list[dict[str, str]]:
    """Rows: milliseconds of ours and of the library's own call, for 31 provinces."""
    frame = provinces.model_frame(2016)
    rates = provinces.rates(2016).to_numpy(float)
    weights = provinces.neighbours("contiguity")
    weights.transform = "R"
    counts = frame["n_villages"].to_numpy(float)
    exposure = frame["exposure"].to_numpy(float)
    design = np.column_stack([np.ones(len(frame)), frame["income"].to_numpy(float)])

    def model() -> Any:
        return GLM(counts, design, family=families.Poisson(), exposure=exposure).fit().conf_int()

    def ours() -> Any:
        return count_model(frame, "n_villages", ["income"], exposure="exposure")

    some = [claim for claim in ledger.declared() if claim.id in SAMPLE]

    def plain() -> Any:
        return [
            dataclasses.replace(claim).judge(**task.choices).as_dict()
            for claim in some
            for task in multiverse.tasks([claim])
        ]

    pairs: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "Moran's I, 9,999 shuffles": (
            lambda: space.moran(rates, weights, seed=SEED),
            lambda: Moran(rates, weights, permutations=9_999),
        ),
        "Gini": (lambda: inequality.gini(counts), lambda: Gini(counts)),
        "Poisson model": (ours, model),
        "multiverse, one worker": (lambda: multiverse.run(some, jobs=1), plain),
    }
    rows = []
    for name, pair in pairs.items():
        own, library = (1e3 * median_seconds(action, RUNS) for action in pair)
        rows.append(ratio(name, own, "the library alone", library, "ms", runs=RUNS))
    return rows


def village_world(n: int) -> dict[str, Any]:
    """Invented places at random on a square, with a count each and a covariate."""
    rng = np.random.default_rng([SEED, n])
    points = rng.uniform(size=(n, 2))
    slope = rng.normal(size=n)
    return {
        "points": points,
        "counts": rng.poisson(np.exp(0.5 * slope)),
        "frame": pd.DataFrame({"n": rng.poisson(np.exp(0.5 * slope)), "slope": slope}),
        "exposed": rng.uniform(1, 2, size=n),
    }


def steps(world: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    """What is measured on one world."""
    degrees = np.column_stack([100 + world["points"][:, 0], 30 + world["points"][:, 1]])
    weights = KNN(KDTree(world["points"]), k=8)
    weights.transform = "R"
    values = world["counts"].astype(float)
    frame, exposed = world["frame"], world["exposed"]
    return {
        "weights, 8 nearest": lambda: space.spatial_weights(
            "knn", range(len(degrees)), coordinates=degrees, k=8
        ),
        f"Moran's I, {SHUFFLES} shuffles": lambda: space.moran(
            values, weights, permutations=SHUFFLES, seed=SEED
        ),
        "Gini": lambda: inequality.gini(values, exposed),
        "Poisson model": lambda: count_model(frame, "n", ["slope"], exposure=None),
        "negative binomial model": lambda: count_model(
            frame, "n", ["slope"], exposure=None, family="negative binomial"
        ),
    }


def county_world(n: int) -> dict[str, Any]:
    """Invented counties on an area like that of eastern China, nested, most without villages."""
    rng = np.random.default_rng([SEED, n])
    points = np.column_stack([rng.uniform(100, 122, n), rng.uniform(22, 42, n)])
    province = (points[:, 0] // 4 * 10 + points[:, 1] // 4).astype(int)
    city = province * 100 + rng.integers(0, 12, n)
    base = rng.uniform(10, 600, n)
    # 1,300 villages in one unit of thirteen, as in 2016.
    places = rng.choice(n, size=n // 13, replace=False)
    count = np.zeros(n, dtype=int)
    count[places] = rng.multinomial(1_300, np.full(places.size, 1 / places.size))
    return {
        "points": points,
        "base": base,
        "count": count,
        "levels": {"province": province, "city": city},
    }


def county_steps(world: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    """What is measured on one world of counties."""
    points, count, base = world["points"], world["count"], world["base"]
    province = world["levels"]["province"]
    lines = [points[start : start + 50] for start in range(0, 1_000, 50)]
    maps: dict[str, Any] = {"draws": SHUFFLES, "seed": SEED}
    return {
        "Theil's index, three levels": lambda: inequality.theil_levels(
            count, base, world["levels"]
        ),
        "Lorenz curve": lambda: inequality.lorenz(count, base),
        "concentration index": lambda: inequality.concentration_index(count, base, base),
        "nearest of 100 places": lambda: distance.nearest_km(points, points[:100]),
        "nearest of 20 lines of 50 corners": lambda: distance.line_km(points, lines),
        f"{SHUFFLES} maps, villages one by one": lambda: sum(
            one[0] for one in permutation.redrawn(count, base, province, **maps)
        ),
        f"{SHUFFLES} maps, counts whole": lambda: sum(
            one[0] for one in permutation.redrawn(count, base, province, whole=True, **maps)
        ),
        f"pairs within 150 km, {SHUFFLES} maps": lambda: clustering.pairs_within(
            count, base, points, province, **maps
        ),
        f"nearest other, {SHUFFLES} maps": lambda: clustering.nearest_other(
            count, base, points, province, **maps
        ),
    }


def by_units() -> list[dict[str, str]]:
    """Rows: seconds and megabytes of the methods for counties, for many units against few."""
    few, many = (county_steps(county_world(n)) for n in UNITS)
    rows = []
    for name in few:
        what, against = f"{name}, {UNITS[1]:,} units", f"{UNITS[0]:,} units"
        taken = [median_seconds(steps[name], RUNS) for steps in (many, few)]
        rows.append(ratio(what, taken[0], against, taken[1], "s", runs=RUNS))
        held = [peak(steps[name]) for steps in (many, few)]
        rows.append(ratio(f"{what}, memory", held[0], against, held[1], "MB", runs=RUNS))
    return rows


def peak(action: Callable[[], Any]) -> float:
    """Megabytes that a call has at most at one time, beyond what was there."""
    tracemalloc.start()
    action()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1e6


def growth() -> list[dict[str, str]]:
    """Rows: seconds by size, and the slope of logarithms between the last two, of MB too."""
    costs: dict[str, dict[str, list[float]]] = {}
    for n in SIZES:
        for name, action in steps(village_world(n)).items():
            cost = costs.setdefault(name, {"Time grows as": [], "Memory as": []})
            cost["Time grows as"].append(median_seconds(action))
            cost["Memory as"].append(peak(action))
            print(n, name, *(values[-1] for values in cost.values()), flush=True)
    decades = np.log10(SIZES[-1] / SIZES[-2])
    rows = []
    for name, cost in costs.items():
        seconds = zip(SIZES, cost["Time grows as"], strict=True)
        row = {"Method": name} | {f"{n:,} places, s": f"{one:,.4g}" for n, one in seconds}
        row |= {k: f"{np.log10(v[-1] / v[-2]) / decades:.2f}" for k, v in cost.items()}
        rows.append(row | stamp())
    return rows


def main() -> None:
    """Measure and write."""
    warnings.filterwarnings("ignore", message="The weights matrix is not fully connected")
    save(RESULTS, "methods", against_libraries() + by_units())
    save(GROWTH, "methods", growth())


if __name__ == "__main__":
    main()
