"""The 31 provinces: their villages, what these are compared with, and count models of them.

What more than one chapter asks of the provinces. Flags of regions stand in the table
``provinces/provinces``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from taobao_villages import data, statistics

YEARS = (2014, 2015, 2016)  # the complete lists
LISTS = {2014: "xrwang2014", 2015: "xrwang2015", 2016: "xrwang2016"}
BASES = ("rural_population", "population", "administrative_villages", "land_area")


def villages(year: int) -> pd.Series:
    """Villages by province from the complete list of a year, zeros included.

    Parameters
    ----------
    year : {2014, 2015, 2016}

    Returns
    -------
    Series, shape (31,)
        Number of villages, indexed by ``province_code``.

    Raises
    ------
    ValueError
        For a year without a complete list.
    """
    if year not in LISTS:
        raise ValueError(f"no complete list for {year}; complete are {', '.join(map(str, LISTS))}")
    table = data.load("villages/province_year")
    table = table[table["source_id"] == LISTS[year]]
    codes = data.load("provinces/provinces")["province_code"]
    return (
        table.set_index("province_code")["n_villages"]
        .reindex(codes, fill_value=0)
        .astype(int)
        .rename("n_villages")
    )


def base(name: str, year: int) -> pd.Series:
    """What villages are compared with: a base for rates, shares and inequality.

    Parameters
    ----------
    name : {"rural_population", "population", "administrative_villages", "land_area"}
    year : int
        Of the population; villagers' committees are those of 2016 and the land does not change.

    Returns
    -------
    Series, shape (31,)
        10,000 persons, villagers' committees or square kilometres, by ``province_code``.

    Raises
    ------
    ValueError
        For another name.
    """
    if name == "land_area":
        return data.indicator("land_area", 2000, "area_marioarace")
    if name == "administrative_villages":
        return data.indicator("administrative_villages", 2016, "nbs_divcodes_2016")
    people = data.indicator("population", year, "nbs_pop_2023")
    if name == "population":
        return people
    if name == "rural_population":
        return people * (1 - data.indicator("urbanisation_rate", year, "renjiyi_compiled") / 100)
    raise ValueError(f"base is {name!r}; use one of {', '.join(BASES)}")


def income(year: int) -> pd.Series:
    """GDP per resident, 10,000 yuan, in the vintage that the article's author could have seen."""
    return data.indicator("gdp", year, "nbs_gdp_v2018") / data.indicator(
        "population", year, "nbs_pop_2023"
    )


SOURCES = (*LISTS.values(), "nbs_pop_2023", "renjiyi_compiled")  # of villages and bases
INCOME_SOURCES = ("nbs_gdp_v2018", "nbs_pop_2023")


def rates(year: int) -> pd.Series:
    """Villages for each million rural residents, by province."""
    return (villages(year) / base("rural_population", year) * 100).rename("rate")


# ---- how concentrated (C18) -----------------------------------------------------------------


def model_frame(year: int, *, exposure: str = "rural_population") -> pd.DataFrame:
    """Provinces with villages, exposure and standardised covariates.

    Returns
    -------
    DataFrame, shape (31, 5)
        Indexed by ``province_code``; ``n_villages``, ``exposure``, and in standard deviations of
        the logarithm: ``income`` (GDP per resident), ``enterprise`` (private and self-employed
        workers per resident), ``density`` (residents per square kilometre).
    """
    people = base("population", year)
    workers = data.indicator("private_self_employed", year, "nbs_private_self_emp")
    logs = pd.DataFrame(
        {
            "income": np.log(income(year)),
            "enterprise": np.log(workers / people),
            "density": np.log(people / base("land_area", year)),
        }
    )
    return pd.concat(
        [
            villages(year),
            base(exposure, year).rename("exposure"),
            (logs - logs.mean()) / logs.std(ddof=0),
        ],
        axis=1,
    )


def association(
    year: int,
    covariates: Sequence[str] = ("income",),
    *,
    exposure: str = "rural_population",
    family: statistics.Family = "quasi-poisson",
) -> statistics.CountModel:
    """Count model of villages by province; rate ratios for one standard deviation."""
    return statistics.count_model(
        model_frame(year, exposure=exposure),
        "n_villages",
        list(covariates),
        exposure="exposure",
        family=family,
    )
