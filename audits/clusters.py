"""Calibration of regressions on units in clusters: counties in prefectures, drawn as seen.

Like ``audits/calibration.py``, for the methods of many units. Villages are drawn for the real
units, committees, prefectures and covariates: mean of the model fitted to the list of 2016, times
a gamma variable for each prefecture and for each county. How far these two vary is chosen so that
the model's residuals in drawn data are, on average, as large and as alike within prefectures as
ours (matched by simulation: Gourieroux, Monfort and Renault 1993, Journal of Applied Econometrics
8). Entries are drawn with the chances fitted and with prefectures alike (Gaussian copula), so that
the planted odds ratio is the true one.

    python -m audits.clusters --draws 500

Writes ``audits/clusters.json``, which the book's colophon shows below the calibration.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, special

from taobao_villages import data
from taobao_villages.methods import clustered, counts, permutation, shares, spread
from taobao_villages.subjects import counties
from timings.timing import note

RESULT = Path(__file__).with_suffix(".json")
SEED = 20170901
SIGNS = 399  # draws of signs inside one test
PROVINCE, PREFECTURE = "province", "prefecture_code"
LISTS = {2014: "villages_2014", 2015: "villages_2015", 2016: "villages_2016"}

Told = dict[str, bool]  # for each interval: does it hold the truth? For each test: does it reject?
Draw = Callable[[np.random.Generator], Told]


def frame() -> pd.DataFrame:
    """Counties as `subjects.counties.frame` has them, with the logarithm of the density."""
    table = counties.frame()
    return table.assign(density=np.log(table["density"]), poor=table["poor"].astype(int))


def likeness(residual: np.ndarray, scale: np.ndarray, codes: np.ndarray) -> float:
    """Products of residuals of two units of a cluster, over those of their scales."""
    pairs = [np.bincount(codes, x) ** 2 - np.bincount(codes, x**2) for x in (residual, scale)]
    return float(pairs[0].sum() / pairs[1].sum())


def intervals(name: str, fit: Any, term: str, truth: float, clusters: pd.Series, seed: int) -> Told:
    """Which intervals of one fit hold the truth."""
    low, high = fit.conf_int().loc[term]
    jackknife = clustered.jackknife(fit, clusters=clusters).loc[term]
    p = clustered.score_test(fit, term, clusters=clusters, null=truth, draws=SIGNS, seed=seed)
    return {
        f"{name}, sandwich": bool(low <= truth <= high),
        f"{name}, jackknife": bool(jackknife["low"] <= truth <= jackknife["high"]),
        f"{name}, score bootstrap": p > 0.05,
    }


# ---- counts ---------------------------------------------------------------------------------


def gammas(rng: np.random.Generator, variance: float, size: int) -> np.ndarray:
    """Variables with mean one."""
    return rng.gamma(1 / variance, variance, size) if variance > 0 else np.ones(size)


def villages(table: pd.DataFrame, terms: list[str], provinces: bool, planted: bool) -> Draw:
    """Villages whose first covariate has the effect found, or none."""
    formula = "n ~ " + " + ".join(terms) + (f" + C({PROVINCE})" if provinces else "")

    def usable(table: pd.DataFrame) -> pd.DataFrame:
        within = PROVINCE if provinces else None
        return counts.usable(table, terms, count="n", exposure="committees", within=within)[0]

    def fitted(table: pd.DataFrame, formula: str = formula) -> Any:
        return counts.poisson(formula, table, exposure="committees", clusters=PREFECTURE)

    seen = usable(table.assign(n=table[LISTS[2016]]))
    codes = pd.factorize(seen[PREFECTURE])[0]
    fit = fitted(seen)
    truth = float(fit.params[terms[0]]) if planted else 0.0
    mean = fit.mu if planted else fitted(seen, formula.replace(f"{terms[0]} + ", "")).mu

    def moments(count: np.ndarray, mean: np.ndarray) -> np.ndarray:
        over = ((count - mean) ** 2 - count).sum() / (mean**2).sum()
        return np.array([likeness(count - mean, mean, codes), over])

    def drawn(rng: np.random.Generator, alike: float, over: float) -> np.ndarray:
        own = max(0.0, (1 + over) / (1 + alike) - 1)
        of_cluster = gammas(rng, alike, codes.max() + 1)[codes]
        return rng.poisson(mean * of_cluster * gammas(rng, own, len(mean)))

    target = moments(seen["n"].to_numpy(), fit.mu)
    variances = np.maximum(target, 0)
    for _ in range(4):
        rng = np.random.default_rng(SEED)
        found = []
        for _ in range(30):
            one = seen.assign(n=drawn(rng, *variances))
            # An empty province stays in: its units have no residual, whatever its effect.
            found.append(moments(one["n"].to_numpy(), fitted(one).mu))
        variances = np.maximum(variances + target - np.mean(found, axis=0), 0)
    print(formula, "variances of prefectures and in all:", variances.round(2), flush=True)

    def draw(rng: np.random.Generator) -> Told:
        one = usable(seen.assign(n=drawn(rng, *variances)))
        data = {"exposure": "committees", "clusters": PREFECTURE}
        seed = int(rng.integers(2**31))
        told = {}
        for name, method in (("Poisson", counts.poisson), ("dispersed", counts.dispersed)):
            fit = method(formula, one, **data)
            name = f"Rate ratio, {name}"
            told |= intervals(name, fit, terms[0], truth, one[PREFECTURE], seed)
        return told

    return draw


# ---- entry ----------------------------------------------------------------------------------


def entries(table: pd.DataFrame, planted: bool) -> Draw:
    """Entries that villages within 50 km make likelier as found, or do not."""
    steps = spread.entry_frame(
        table, LISTS, group=PREFECTURE, longitude="lon", latitude="lat", km=[50]
    )
    steps["near"] = np.log1p(steps["within_50"])
    steps["size"] = np.log(steps["committees"].where(steps["committees"] > 0))
    terms = ["near", "size"]
    seen, _ = counts.usable(steps, terms, count="entered", within=PROVINCE)
    formula = f"entered ~ near + size + C({PROVINCE}) + C(step)"
    fit = spread.binary(formula, seen, clusters=PREFECTURE)
    truth = float(fit.params["near"]) if planted else 0.0
    chance = fit.mu
    if not planted:
        without = formula.replace("near + ", "")
        chance = spread.binary(without, seen, clusters=PREFECTURE).mu
    codes = pd.factorize(seen[PREFECTURE])[0]

    def drawn(rng: np.random.Generator, alike: float) -> np.ndarray:
        of_cluster = rng.normal(size=codes.max() + 1)[codes]
        latent = np.sqrt(alike) * of_cluster + np.sqrt(1 - alike) * rng.normal(size=len(codes))
        return (special.ndtr(latent) < chance).astype(int)

    def excess(alike: float) -> float:
        rng = np.random.default_rng(SEED)
        scale = np.sqrt(chance * (1 - chance))
        found = [likeness(drawn(rng, alike) - chance, scale, codes) for _ in range(60)]
        target = likeness(seen["entered"] - fit.mu, np.sqrt(fit.mu * (1 - fit.mu)), codes)
        # The residuals of a fit are less alike than deviations from the truth: take twice as much.
        return float(np.mean(found)) - 2 * max(target, 0.01)

    alike = optimize.brentq(excess, 0.0, 0.9, xtol=0.01)
    print(formula, "latent correlation in prefectures:", round(alike, 2), flush=True)

    def draw(rng: np.random.Generator) -> Told:
        one = seen.assign(entered=drawn(rng, alike))
        one, _ = counts.usable(one, terms, count="entered", within=PROVINCE)
        seed = int(rng.integers(2**31))
        told = {}
        if not planted:
            near = (one["near"] > 0).to_numpy()
            test = permutation.permutation_test(
                lambda entered: entered[near].sum(),
                one["entered"].to_numpy(),
                within=(one[PROVINCE] + one["step"]).to_numpy(),
                permutations=199,
                seed=seed,
            )
            told["Entry, shuffled within provinces"] = test.p < 0.05
        fit = spread.binary(formula, one, clusters=PREFECTURE)
        return told | intervals("Odds ratio of entry", fit, "near", truth, one[PREFECTURE], seed)

    return draw


# ---- all of them ----------------------------------------------------------------------------


def experiments(table: pd.DataFrame) -> Iterator[tuple[str, Callable[[], Draw]]]:
    """What is drawn, and how."""
    share, poor = ["manufacturing"], ["poor"]
    both = ["manufacturing", "density"]
    yield "manufacturing as found, by province", lambda: villages(table, share, True, True)
    yield "manufacturing without effect, by province", lambda: villages(table, share, True, False)
    yield "manufacturing as found, and density", lambda: villages(table, both, True, True)
    yield "manufacturing as found, no provinces", lambda: villages(table, share, False, True)
    yield "poor counties as found, by province", lambda: villages(table, poor, True, True)
    yield "villages near as found, by province", lambda: entries(table, True)
    yield "villages near without effect, by province", lambda: entries(table, False)


def run(table: pd.DataFrame, number: int, draws: int) -> list[dict[str, Any]]:
    """One experiment: rows as of ``calibration.run``, one for each interval or test."""
    drawn, make = list(experiments(table))[number]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # separated draws warn, and count as they come out
        draw = make()
        rng = np.random.default_rng([SEED, 1000 + number])
        told = pd.DataFrame([draw(rng) for _ in range(draws)])
    rows = []
    for name, hits in told.sum().items():
        low, high = shares.wilson_interval(int(hits), draws)
        percent = {"percent": 100 * hits / draws, "low": 100 * low, "high": 100 * high}
        kind = "test" if "shuffled" in str(name) else "interval"
        row = {"method": name, "kind": kind, "claims": [], "n": len(table), "drawn": drawn}
        row |= {key: round(float(value), 1) for key, value in percent.items()}
        rows.append(row)
    return rows


def main() -> None:
    """Run every experiment and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=500)
    asked = parser.parse_args()
    table, rows = frame(), []
    for number in range(len(list(experiments(table)))):
        rows += run(table, number, asked.draws)
        print(pd.DataFrame(rows).tail(6).to_string(index=False), flush=True)
    note(RESULT, {"data_version": data.version(), "draws": asked.draws, "rows": rows})


if __name__ == "__main__":
    main()
