"""Do the verdict rules find what is there, and only that? Shuffled and planted data.

For claims of location and association. In a shuffled data set the villages have nothing to do
with the places that the claim names; a claim that is reproduced there is a false positive. In a
planted one they do by construction; a claim that is not reproduced there was missed.

    make audit-deep        (or: python -m audits.placebo --sets 500)

Writes ``audits/placebo.json``, which the book's chapter on the multiverse shows.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

from taobao_villages import data
from taobao_villages.methods import shares
from taobao_villages.subjects import provinces
from taobao_villages.verdicts import ledger, multiverse
from timings.timing import note

RESULT = Path(__file__).with_suffix(".json")
PERMUTATIONS = 99
VARIANTS = 4  # sampled for each claim and data set, the default among them
LOCATION = ("C21",)
ASSOCIATION = ("C18", "C53", "C54", "C35")
PARCELS = ("C24",)
# Shares in percent that each claim's default variant must keep to: "reproduced" at most so often
# in shuffled data, and at least so often in planted data. 80 is the usual wish. C35 asks for roads
# with income held, and C54 for roads and distance at once; between 31 provinces these go together,
# so a true effect is often missed: a dozen trial sets told us before the floors were set.
CEILING = 6
FLOORS = {"C18": 80, "C21": 80, "C24": 80, "C35": 60, "C53": 80, "C54": 20}
# Other claims on where villages are, and why shuffled data say nothing of their rules.
LEFT_OUT = {
    "C15": "growth over time: there are no places to shuffle; its forecasts are scored instead",
    "C19": "a share of a complete list against a stated number: no test to be fooled",
    "C20": "a share of a complete list against a stated number: no test to be fooled",
    "C22": "a share of a complete list against a threshold: no test to be fooled",
    "C23": "coded cases: bounds of the not-reported, no test",
    "C36": "a recount of a list against a stated number; chance is shown, and does not decide",
    "C41": "coded cases: its exact test is tried in the calibration",
}


def relocated(rates: dict[int, pd.Series]) -> dict[str, pd.DataFrame]:
    """Tables of villages with new rates by province, and the old totals of each list.

    Parameters
    ----------
    rates : dict of int to Series
        By year: villages per unit of rural population, by ``province_code``, up to a factor.
    """
    table = data.load("villages/province_year")
    listed = table["source_id"].isin(provinces.LISTS.values())
    names = data.load("provinces/provinces").set_index("province_code")["name_en"]
    rows = []
    for year, source in provinces.LISTS.items():
        share = rates[year] * provinces.base("rural_population", year)
        total = int(provinces.villages(year).sum())
        count = whole(share / share.sum() * total)
        frame = pd.DataFrame({"n_villages": count})
        frame = frame[frame["n_villages"] > 0].rename_axis("province_code").reset_index()
        rows.append(frame.assign(year=year, source_id=source))
    new = pd.concat(rows)
    new["province"] = new["province_code"].map(names)
    return {"villages/province_year": pd.concat([table[~listed], new])[table.columns]}


def whole(expected: pd.Series) -> pd.Series:
    """Whole numbers with the same sum: largest remainders first."""
    low = np.floor(expected).astype(int)
    missing = round(float(expected.sum())) - int(low.sum())
    order = (expected - low).sort_values(ascending=False, kind="stable").index[:missing]
    low[order] += 1
    return low


def shuffled_provinces(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """The provinces' rates in random order, the same order in each list."""
    order = rng.permutation(31)
    return relocated(
        {
            year: pd.Series(provinces.rates(year).to_numpy()[order], provinces.rates(year).index)
            for year in provinces.YEARS
        }
    )


def planted_provinces(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Rates that follow output, enterprise, roads and nearness to the deltas, with noise."""
    from taobao_villages.subjects import provinces

    rates = {}
    noise = rng.normal(scale=0.5, size=31)
    for year in provinces.YEARS:
        frame = provinces.model_frame(year).join(provinces.barriers(year)[["roads", "distance"]])
        drive = frame[["income", "enterprise", "roads"]].sum(axis=1) - 2 * frame["distance"]
        rates[year] = np.exp(0.6 * drive + noise)
    return relocated(rates)


def planted_parcels(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Rates that follow parcels per resident, with noise; without a number, the mean."""
    parcels = data.indicator("express_parcels_jan_jun", 2016, "express_2016h1")
    each = np.log(parcels / provinces.base("population", 2016))
    drive = ((each - each.mean()) / each.std()).fillna(0.0)
    noise = rng.normal(scale=0.5, size=31)
    return relocated({year: np.exp(drive + noise) for year in provinces.YEARS})


def by_prefecture(weights: np.ndarray, codes: pd.Index, rng: np.random.Generator):
    """Tables in which prefectures hold the lists' counts, drawn in order of `weights`."""
    cities = data.load("villages/city_year")
    names = data.load("provinces/provinces").set_index("province_code")["name_en"]
    places, regions = [], []
    for year, source in provinces.LISTS.items():
        counts = cities.loc[cities["year"] == year, "n_villages"].sort_values(ascending=False)
        drawn = rng.choice(codes, size=len(counts), replace=False, p=weights / weights.sum())
        frame = pd.DataFrame({"prefecture_code": drawn, "n_villages": counts.to_numpy()})
        frame["province_code"] = frame["prefecture_code"].str[:2]
        frame["province"] = frame["province_code"].map(names)
        places.append(frame.assign(year=year, source_id=source, city=drawn))
        summed = frame.groupby(["province_code", "province"])["n_villages"].sum().reset_index()
        regions.append(summed.assign(year=year, source_id=source))
    table = data.load("villages/province_year")
    rest = table[~table["source_id"].isin(provinces.LISTS.values())]
    return {
        "villages/city_year": pd.concat(places).reindex(columns=cities.columns),
        "villages/province_year": pd.concat([rest, *regions])[table.columns],
    }


def units() -> tuple[pd.Index, np.ndarray]:
    """Prefectures and their distance to the nearest delta."""
    from taobao_villages.chapters import blooming

    km = blooming.distance_to_delta()
    return km.index, km.to_numpy()


def shuffled_prefectures(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """The prefectures' counts in random places."""
    codes, km = units()
    return by_prefecture(np.ones_like(km), codes, rng)


def planted_prefectures(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """The prefectures' counts in places that grow rarer with distance to a delta."""
    codes, km = units()
    return by_prefecture(np.exp(-km / 250), codes, rng)


def one(number: int, kind: str) -> list[dict[str, str]]:
    """Verdicts of the sampled variants on one data set."""
    rng = np.random.default_rng([20170901, number, kind == "planted"])
    makers = {
        LOCATION: {"shuffled": shuffled_prefectures, "planted": planted_prefectures},
        ASSOCIATION: {"shuffled": shuffled_provinces, "planted": planted_provinces},
        PARCELS: {"shuffled": shuffled_provinces, "planted": planted_parcels},
    }
    found = []
    declared = {claim.id: claim for claim in ledger.declared()}
    for group, maker in makers.items():
        frames = maker[kind](rng)
        for claim_id in group:
            claim = declared[claim_id]
            choices = multiverse.combinations(claim)
            picked = rng.choice(len(choices) - 1, size=VARIANTS - 1, replace=False) + 1
            with data.replaced(frames):
                for index in [0, *picked]:
                    task = multiverse.Task(claim_id, int(index), choices[index], PERMUTATIONS)
                    verdict = multiverse.judge(task)["verdict"]
                    row = {"claim_id": claim_id, "kind": kind, "verdict": verdict}
                    found.append(row | {"default": index == 0})
    return found


def main() -> None:
    """Run and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=500, help="data sets of each kind (500)")
    sets = parser.parse_args().sets
    work = [joblib.delayed(one)(n, kind) for kind in ("shuffled", "planted") for n in range(sets)]
    runs = pd.DataFrame(
        [row for rows in joblib.Parallel(n_jobs=-1, verbose=1)(work) for row in rows]
    )
    rates = {}
    for (claim_id, kind), rows in runs.groupby(["claim_id", "kind"]):
        full, part = rows["verdict"] == "reproduced", rows["verdict"] == "reproduced in part"
        first = rows["default"]  # one a data set, so these alone are independent runs
        low, high = shares.wilson_interval(int(full[first].sum()), int(first.sum()))
        rates.setdefault(claim_id, {})[kind] = {
            "sets": int(first.sum()),
            "reproduced": round(100 * float(full[first].mean()), 1),
            "low": round(100 * low, 1),
            "high": round(100 * high, 1),
            "in_part": round(100 * float(part[first].mean()), 1),
            "variants": len(rows),
            "variants_reproduced": round(100 * float(full.mean()), 1),
        }
    found = {
        "data_version": data.version(),
        "sets": sets,
        "permutations": PERMUTATIONS,
        "cores": os.cpu_count(),
        "ceiling": CEILING,
        "floors": FLOORS,
        "left_out": LEFT_OUT,
        "rates": rates,
    }
    note(RESULT, found)
    print(json.dumps(rates, indent=1))


if __name__ == "__main__":
    main()
