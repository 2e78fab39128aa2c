"""Do the intervals cover, and do the tests reject, as often as they say? Simulated data.

For each interval that a verdict uses: data are drawn many times from a model whose truth is
known, at the sample size and with the covariates at hand; the share of intervals that hold the
truth should be 95%. For each test: data are drawn without an effect; the share of p-values
below 0.05 should be 5%. What is drawn says nothing about villages; it says how far a method can
be trusted with so few units.

    make audit-deep        (or: python -m audits.calibration --draws 2000)

Writes ``audits/calibration.json``, which the book's colophon shows.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import joblib
import numpy as np
import pandas as pd
from scipy import stats

from taobao_villages import data
from taobao_villages.chapters import blooming
from taobao_villages.methods import association, clustering, growth, permutation, shares, space
from taobao_villages.methods.counts import Family, count_model
from taobao_villages.subjects import later, provinces, villages
from timings.timing import note

RESULT = Path(__file__).with_suffix(".json")
SEED = 20170901
SHUFFLES = 199  # permutations inside one test

# One draw: does the interval hold the truth, or is p under 0.05?
Draw = Callable[[np.random.Generator], bool]
Spread = Literal["proportional", "square"]  # how the variance of counts grows with their mean


def holds(low: float, high: float, truth: float) -> bool:
    """Does an interval hold the truth?"""
    return bool(low <= truth <= high)


# ---- intervals ------------------------------------------------------------------------------


def rate(rng: np.random.Generator) -> bool:
    """Central acts before 2014: ten years at the rate that was seen."""
    low, high = shares.poisson_rate_interval(rng.poisson(0.5 * 10), 10)
    return holds(low, high, 0.5)


def rate_ratio(rng: np.random.Generator) -> bool:
    """Central acts, four years against ten, at the rates that were seen."""
    late, early = rng.poisson(5.5 * 4), rng.poisson(0.5 * 10)
    found = shares.rate_ratio_test(late, 4, early, 10)
    return holds(found.low, found.high, 11)


def rank() -> Draw:
    """Villages against a covariate in 31 provinces, with the rates and their ties as seen."""
    rates = np.sort(provinces.rates(2016).to_numpy(float))

    def pair(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        one = rng.normal(size=n)
        two = 0.6 * one + 0.8 * rng.normal(size=n)
        place = np.minimum((stats.norm.cdf(two) * len(rates)).astype(int), len(rates) - 1)
        return one, rates[place]

    truth = float(stats.spearmanr(*pair(np.random.default_rng(SEED), 1_000_000)).statistic)

    def draw(rng: np.random.Generator) -> bool:
        found = shares.rank_interval(*pair(rng, len(rates)))
        return holds(found["low"], found["high"], truth)

    return draw


def slope(carry: float) -> Draw:
    """A line through seven yearly points; `carry` is what a deviation leaves to the next year."""
    years = np.arange(2010, 2017)

    def draw(rng: np.random.Generator) -> bool:
        noise = [rng.normal()]
        for _ in years[1:]:
            noise.append(carry * noise[-1] + np.sqrt(1 - carry**2) * rng.normal())
        _, low, high = growth.slope(years, 27 + 0.1 * (years - 2010) + np.array(noise))
        return holds(low, high, 0.1)

    return draw


def growth_line(rng: np.random.Generator) -> bool:
    """Online retail: five years that grow by a half, with deviations of a twentieth."""
    years = np.arange(2012, 2017)
    values = np.exp(np.log(1.5) * (years - 2012) + rng.normal(scale=0.05, size=len(years)))
    found, _ = growth.log_linear(pd.Series(values, index=years))
    return holds(found["low"], found["high"], 50)


def counts(family: Family, covariates: tuple[str, ...], spread: Spread, *, effect: float) -> Draw:
    """Villages in 31 provinces, drawn from a count model with the covariates seen.

    Intercept, other slopes and spread are those fitted to the list of 2016: a variance that is
    so many times the mean (quasi-Poisson), or that grows with its square (negative binomial).
    `effect` is the logarithm of the rate ratio of the first covariate.
    """
    frame = model_frame()
    source: Family = "quasi-poisson" if spread == "proportional" else "negative binomial"
    fitted = count_model(frame, "n_villages", list(covariates), exposure="exposure", family=source)
    slopes = np.log(fitted.effects["rate_ratio"].to_numpy())
    slopes[0] = effect
    shape = np.exp(frame[list(covariates)].to_numpy() @ slopes) * frame["exposure"].to_numpy()
    mean = shape / shape.sum() * frame["n_villages"].sum()
    size = mean / (fitted.dispersion - 1) if spread == "proportional" else 1 / fitted.alpha

    def draw(rng: np.random.Generator) -> bool:
        drawn = frame.assign(n_villages=rng.negative_binomial(size, size / (size + mean)))
        try:
            found = count_model(
                drawn, "n_villages", list(covariates), exposure="exposure", family=family
            )
        except ValueError:  # separated: the chapter would stop and say so
            return draw(rng)
        first = found.effects.iloc[0]
        return found.converged and holds(first["low"], first["high"], np.exp(effect))

    return draw


def model_frame() -> pd.DataFrame:
    """Provinces in 2016 with every covariate that a claim uses."""
    return provinces.model_frame(2016).join(provinces.barriers(2016)[["roads", "distance"]])


def forecast() -> Draw:
    """The total of 2022, foreseen from six totals that grow at one rate, with noise."""
    table = later.totals()
    t = table["years"].to_numpy(float)
    known = table.index <= later.LAST_LIST

    def draw(rng: np.random.Generator) -> bool:
        line = np.exp(1 + 0.9 * t + rng.normal(scale=0.3, size=len(t)))
        curve = later.curves(table.assign(n=line)).loc["exponential", "forecast"]
        return holds(curve["low"].iloc[-1], curve["high"].iloc[-1], line[~known][-1])

    return draw


# ---- tests ----------------------------------------------------------------------------------


def one_rate(rng: np.random.Generator) -> bool:
    """Growth at one rate from twenty villages, over the three dated intervals."""
    table = blooming.growth()
    years = table["months"].to_numpy() / 12
    start, n = [], int(table["n_from"].iloc[0])
    for length in years:
        start.append(n)
        n += int(rng.negative_binomial(n, np.exp(-1.6 * length)))
    drawn = table.assign(n_from=start, n_to=[*start[1:], n])
    drawn["rate"] = np.log(drawn["n_to"] / drawn["n_from"]) / years
    return bool(growth.constant_rate_test(drawn)["p"] < 0.05)


def equal_rates(rng: np.random.Generator) -> bool:
    """Acts at the same rate before and after 2014."""
    total = 27 / 14
    late, early = rng.poisson(total * 4), rng.poisson(total * 10)
    return shares.rate_ratio_test(late, 4, early, 10).p < 0.05


def sign(rng: np.random.Generator) -> bool:
    """Either order as likely, in 25 cases with a clear one."""
    first = int(rng.binomial(25, 0.5))
    return association.sign_test(first, 25 - first) < 0.05


def fisher(rng: np.random.Generator) -> bool:
    """The same share on the coast (11 cases) and inland (14 cases)."""
    east, inland = rng.binomial(11, 0.32), rng.binomial(14, 0.32)
    table = [[east, 11 - east], [inland, 14 - inland]]
    return float(stats.fisher_exact(table).pvalue) < 0.05


def moran(kind: Literal["contiguity", "knn"]) -> Draw:
    """The rates of 2016 in random order on the map of provinces."""
    values = provinces.rates(2016)
    weights = provinces.neighbours(kind)

    def draw(rng: np.random.Generator) -> bool:
        found = space.moran(
            rng.permutation(values.to_numpy(float)),
            weights,
            permutations=SHUFFLES,
            seed=int(rng.integers(2**31)),
            alternative="greater",
        )
        return found.p < 0.05

    return draw


def subset() -> Draw:
    """Prefectures with villages, drawn at random, and their mean distance to a delta."""
    km = blooming.distance_to_delta().to_numpy()
    members = int((villages.by_prefecture(2016)["n_villages"] > 0).sum())

    def draw(rng: np.random.Generator) -> bool:
        member = np.zeros(len(km), dtype=bool)
        member[rng.choice(len(km), size=members, replace=False)] = True
        found = permutation.permutation_test(
            lambda picked: km[picked].mean(),
            member,
            permutations=SHUFFLES,
            seed=int(rng.integers(2**31)),
            alternative="less",
        )
        return found.p < 0.05

    return draw


def small_country() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An invented country: coordinates, committees and provinces of 80 counties."""
    rng = np.random.default_rng(SEED)
    points = np.column_stack([rng.uniform(112, 118, 80), rng.uniform(30, 34, 80)])
    return points, rng.integers(20, 600, 80).astype(float), (points[:, 0] // 1.5).astype(int)


def pairs(rng: np.random.Generator, draws: int = SHUFFLES, *, whole: bool) -> float:
    """P of pairs within four distances, of villages that know nothing of their neighbours.

    Each falls into any county of its province; or counties have a number each, in any order.
    """
    points, committees, province = small_country()
    if whole:
        committees = np.ones(len(points))
        count = np.where(rng.random(len(points)) < 0.4, rng.geometric(0.3, len(points)), 0)
    else:
        count = rng.multinomial(70, committees / committees.sum())
    found = clustering.pairs_within(
        count,
        committees,
        points,
        province,
        whole=whole,
        draws=draws,
        seed=int(rng.integers(2**31)),
    )
    return found.p


def nearest(rng: np.random.Generator, draws: int = SHUFFLES) -> float:
    """P of the distance to the nearest other county with a village, of 25 counties at random."""
    points, _, province = small_country()
    member = np.zeros(len(points), dtype=int)
    member[rng.choice(len(points), size=25, replace=False)] = 1
    found = clustering.nearest_other(
        member, None, points, province, draws=draws, seed=int(rng.integers(2**31))
    )
    return float(found["p"])


# What is drawn, and the p-value of one draw.
CLUSTERING: dict[str, tuple[str, Callable[..., float]]] = {
    "Pairs of villages": ("villages of a province in any county", partial(pairs, whole=False)),
    "Pairs of villages, counties whole": (
        "counties' counts in any order",
        partial(pairs, whole=True),
    ),
    "Nearest county with a village": ("counties of a province at random", nearest),
}


def no_effect(family: Family, spread: Spread) -> Draw:
    """A covariate without effect in a count model of 31 provinces."""
    covered = counts(family, ("roads", "income"), spread, effect=0.0)
    return lambda rng: not covered(rng)


# ---- all of them ----------------------------------------------------------------------------


def experiments() -> Iterator[tuple[str, str, str, int, str, Draw]]:
    """Name, kind, claims that rest on it, units, what is drawn, and the draw."""
    interval, test = "interval", "test"
    ratio = float(np.log(3.7))
    yield "Rate, exact", interval, "C06", 10, "5 acts expected in 10 years", rate
    yield "Rate ratio, exact", interval, "C06", 14, "rates as seen, 14 years", rate_ratio
    yield "Rank correlation", interval, "C24 C53", 31, "normal pair, rates tied as seen", rank()
    yield "Slope of a line", interval, "C10", 7, "independent deviations", slope(0.0)
    yield "Slope of a line", interval, "C10", 7, "half of a deviation carries over", slope(0.5)
    yield "Growth rate, log-linear", interval, "C02", 5, "independent deviations", growth_line
    families: dict[str, Family] = {
        "Poisson": "poisson",
        "quasi-Poisson": "quasi-poisson",
        "negative binomial": "negative binomial",
    }
    told: dict[Spread, str] = {
        "proportional": "variance in proportion to mean",
        "square": "variance as the square of mean",
    }
    for name, family in families.items():
        for spread in told:
            for terms in (("income",), ("income", "roads")):
                drawn = f"{told[spread]}, covariates: {len(terms)}"
                draw = counts(family, terms, spread, effect=ratio)
                yield f"Rate ratio, {name}", interval, "C18 C35 C53 C54", 31, drawn, draw
    yield "Forecast of 2022", interval, "forecasts", 6, "one rate, independent noise", forecast()
    yield "One rate for all intervals", test, "C15", 3, "births at one rate", one_rate
    yield "Two rates, exact", test, "C06", 14, "equal rates", equal_rates
    yield "Sign test, exact", test, "C39", 25, "either order as likely", sign
    yield "Fisher's exact test", test, "C33 C41", 25, "equal shares", fisher
    for kind in ("contiguity", "knn"):
        yield f"Moran's I, {kind}", test, "C21", 31, "rates in random order", moran(kind)
    yield "Distance to a delta", test, "C21", 333, "prefectures at random", subset()
    for name, family in families.items():
        for spread in told:
            draw = no_effect(family, spread)
            yield f"Rate ratio of 1, {name}", test, "C35 C54", 31, told[spread], draw
    for name, (drawn, p_value) in CLUSTERING.items():
        yield name, test, "", 80, drawn, lambda rng, p_value=p_value: p_value(rng) < 0.05


def run(number: int, draws: int) -> dict[str, Any]:
    """One experiment: how often the interval holds, or the test rejects."""
    name, kind, used, n, drawn, draw = list(experiments())[number]
    rng = np.random.default_rng([SEED, number])
    hits = sum(draw(rng) for _ in range(draws))
    low, high = shares.wilson_interval(hits, draws)
    rates = {"percent": 100 * hits / draws, "low": 100 * low, "high": 100 * high}
    row = {"method": name, "kind": kind, "claims": used.split(), "n": n, "drawn": drawn}
    return row | {key: round(value, 1) for key, value in rates.items()}


def main() -> None:
    """Run every experiment and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    numbers = range(len(list(experiments())))
    work = (joblib.delayed(run)(number, asked.draws) for number in numbers)
    rows = joblib.Parallel(n_jobs=asked.jobs, verbose=5)(work)
    note(RESULT, {"data_version": data.version(), "draws": asked.draws, "rows": rows})
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
