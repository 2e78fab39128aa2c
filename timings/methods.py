"""Time the statistics: ``python -m timings.methods``.

Three questions. How much longer does a function of this package take than the plain use of the
library below it, at the size of the book? And how do time and memory grow with the number of
units: the slope of their logarithms over invented villages, with sparse weights. And how long do
the methods for units in clusters take, with as many units as China has counties and with 50,000?
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

from taobao_villages.methods import (
    association,
    clustered,
    counts,
    inequality,
    permutation,
    space,
    spread,
)
from taobao_villages.methods.counts import count_model
from taobao_villages.subjects import provinces
from taobao_villages.verdicts import ledger, multiverse
from timings.timing import RESULTS, median_seconds, ratio, save, stamp

GROWTH = "timings/growth.csv"
CLUSTERS = "timings/clusters.csv"
SIZES = (1_000, 10_000, 100_000)
COUNTIES = (2_855, 50_000)
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


def county_world(n: int) -> pd.DataFrame:
    """Invented counties, eight to a prefecture and in 31 provinces, about a tenth with villages.

    The country stays as large, so the units within 50 km grow with n, and their pairs with its
    square.
    """
    rng = np.random.default_rng([SEED, n])
    prefecture = np.arange(n) // 8
    frame = pd.DataFrame(
        {
            "prefecture": prefecture,
            "province": prefecture % 31,
            "committees": rng.integers(50, 400, size=n),
            "share": rng.gamma(2, 5, size=n),
            "poor": rng.random(n) < 0.3,
            "lon": 100 + 20 * rng.uniform(size=n),
            "lat": 20 + 10 * rng.uniform(size=n),
        }
    )
    noise = rng.gamma(2, 1 / 2, prefecture[-1] + 1)[prefecture] * rng.gamma(0.7, 1 / 0.7, size=n)
    first = rng.poisson(frame["committees"] / 3_000 * np.exp(frame["share"] / 20) * noise)
    more = rng.poisson(frame["committees"] / 3_000 * np.exp(frame["share"] / 20) * noise)
    return frame.assign(first=first, n=first + more, has=(first > 0).astype(int))


def clustered_steps(frame: pd.DataFrame) -> dict[str, Callable[[], Any]]:
    """What is measured on units in clusters."""
    formula = "n ~ share + C(province)"
    data = {"exposure": "committees", "clusters": "prefecture"}
    fit = counts.dispersed(formula, frame, **data)
    towns = frame["prefecture"]
    place = {"longitude": "lon", "latitude": "lat"}
    has, poor = frame["has"].to_numpy(), frame["poor"].to_numpy()
    return {
        "usable units": lambda: counts.usable(
            frame, ["share"], count="n", exposure="committees", within="province"
        ),
        "Poisson, clustered": lambda: counts.poisson(formula, frame, **data),
        "dispersed, clustered": lambda: counts.dispersed(formula, frame, **data),
        "logit, clustered": lambda: spread.binary(
            "has ~ share + C(province)", frame, clusters="prefecture"
        ),
        "jackknife of clusters": lambda: clustered.jackknife(fit, clusters=towns),
        "score bootstrap, one value, 999 draws": lambda: clustered.score_test(
            fit, "share", clusters=towns, seed=SEED
        ),
        "score bootstrap, interval, 999 draws": lambda: clustered.score_interval(
            fit, "share", clusters=towns, seed=SEED
        ),
        "influence of each unit": lambda: clustered.most_influential(fit, "share", towns),
        "villages within 50 km": lambda: spread.near(frame, "first", km=50, **place),
        "deepening, 99 draws": lambda: spread.deepening(
            frame, "first", "n", weight="committees", within="province", draws=99, seed=SEED
        ),
        "Mantel-Haenszel": lambda: association.mantel_haenszel(
            frame, "n", base="committees", marked="poor", within="province"
        ),
        f"shuffled within provinces, {SHUFFLES} times": lambda: permutation.permutation_test(
            lambda marks: has[marks].sum(),
            poor,
            within=frame["province"],
            permutations=SHUFFLES,
            seed=SEED,
        ),
    }


def clusters() -> list[dict[str, str]]:
    """Rows: seconds and megabytes for as many units as there are counties, and for 50,000."""
    rows: dict[str, dict[str, str]] = {}
    costs: dict[str, list[float]] = {}
    for n in COUNTIES:
        for name, action in clustered_steps(county_world(n)).items():
            seconds, most = median_seconds(action, 3), peak(action)
            row = rows.setdefault(name, {"Method": name})
            row |= {f"{n:,} units, s": f"{seconds:,.4g}", f"{n:,} units, MB": f"{most:,.0f}"}
            costs.setdefault(name, []).append(seconds)
            print(n, name, seconds, most, flush=True)
    step = np.log(COUNTIES[1] / COUNTIES[0])
    for name, (few, many) in costs.items():
        rows[name] |= {"Time grows as": f"{np.log(many / few) / step:.2f}"} | stamp()
    return list(rows.values())


def main() -> None:
    """Measure and write."""
    warnings.filterwarnings("ignore", message="The weights matrix is not fully connected")
    save(RESULTS, "methods", against_libraries())
    save(GROWTH, "methods", growth())
    save(CLUSTERS, "methods", clusters())


if __name__ == "__main__":
    main()
