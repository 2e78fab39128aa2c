"""The 31 provinces: their villages, what these are compared with, and count models of them.

What more than one chapter asks of the provinces. Flags of regions stand in the table
``provinces/provinces``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from taobao_villages import data
from taobao_villages.methods import counts, space

# ---- neighbours (methods page) -------------------------------------------------------------------


def neighbours(
    kind: Literal["contiguity", "knn", "distance"] = "contiguity", *, ferry: bool = True
):
    """Spatial weights between the 31 provinces.

    Parameters
    ----------
    kind : {"contiguity", "knn", "distance"}
        Land borders, the four nearest, or all within the distance that leaves none alone.
    ferry : bool
        Join Hainan to Guangdong; without it Hainan has no neighbour and contiguity raises.
    """
    codes = data.load("provinces/provinces")["province_code"].tolist()
    if kind == "contiguity":
        pairs = data.load("geo/adjacency")
        if not ferry:
            pairs = pairs[pairs["link_type"] == "land"]
        return space.spatial_weights("contiguity", codes, neighbours=pairs)
    points = data.load("geo/centroids").set_index("province_code").loc[codes]
    return space.spatial_weights(
        kind,
        codes,
        coordinates=points[["lon_centroid", "lat_centroid"]].to_numpy(),
        k=4,
        threshold_km=1300,
    )


DELTAS = {"16 cities": "yrd_16", "26 cities": "yrd_26"}  # of the Yangtze, by two plans


# ---- what holds the inland back ------------------------------------------------------------------


def hub_distance(*, yangtze_delta: str = "16 cities") -> pd.Series:
    """Kilometres from each province's centre to a point near the nearest delta prefecture's seat.

    Parameters
    ----------
    yangtze_delta : {"16 cities", "26 cities"}
        Extent of the Yangtze River Delta; the Pearl River Delta has nine cities under both.

    Returns
    -------
    Series, shape (31,)
        Indexed by ``province_code``.
    """
    table = data.load("geo/delta_prefectures")
    wanted = table.loc[
        table["definition"].isin([DELTAS[yangtze_delta], "prd_9"]), "prefecture_code"
    ]
    seats = data.load("geo/prefectures")
    seats = seats[seats["prefecture_code"].isin(wanted)]
    centres = data.load("geo/centroids").set_index("province_code")
    km = space.haversine_km(
        centres["lon_centroid"].to_numpy()[:, None],
        centres["lat_centroid"].to_numpy()[:, None],
        seats["lon"].to_numpy(),
        seats["lat"].to_numpy(),
    )
    codes = data.load("provinces/provinces")["province_code"]
    return pd.Series(km.min(axis=1), index=centres.index, name="km").reindex(codes)


@data.cached
def barriers(
    year: int,
    *,
    roads: str = "per area",
    yangtze_delta: str = "16 cities",
    villages_per: str = "rural_population",
) -> pd.DataFrame:
    """Provinces with villages, exposure, and what the article names as barriers.

    Parameters
    ----------
    year : {2014, 2015, 2016}
    roads : {"per area", "per rural resident"}
        What the length of highways is divided by.
    yangtze_delta, villages_per : str
        See `hub_distance` and `provinces.base`.

    Returns
    -------
    DataFrame, shape (31, 6)
        ``n_villages``, ``exposure``, ``coastal``; in standard deviations ``roads`` (logarithm),
        ``distance`` and ``income``.

    Raises
    ------
    ValueError
        For another value of `roads`.
    """
    bases = {"per area": "land_area", "per rural resident": "rural_population"}
    if roads not in bases:
        raise ValueError(f"roads is {roads!r}; use one of {', '.join(bases)}")
    length = data.indicator("highway_length", year, "nbs_transport_ttc")
    raw = pd.DataFrame(
        {
            "roads": np.log(length / base(bases[roads], year)),
            "distance": hub_distance(yangtze_delta=yangtze_delta),
        }
    )
    frame = model_frame(year, exposure=villages_per)[["n_villages", "exposure", "income"]]
    coastal = data.load("provinces/provinces").set_index("province_code")["coastal"]
    return frame.join((raw - raw.mean()) / raw.std(ddof=0)).join(coastal)


def gap_explained(frame: pd.DataFrame, effects: pd.DataFrame) -> float:
    """Share of the gap between coast and inland that a count model's covariates account for.

    Parameters
    ----------
    frame : DataFrame
        From `barriers`.
    effects : DataFrame
        Of a `counts.CountModel`: ``covariate``, ``rate_ratio``.

    Returns
    -------
    float
        Logarithm of the ratio of the predicted rates, coast over inland, divided by that of the
        observed rates. 1 if the covariates account for the whole gap.
    """
    slopes = np.log(effects.set_index("covariate")["rate_ratio"])
    expected = frame["exposure"] * np.exp(frame[list(slopes.index)] @ slopes)
    coast = frame["coastal"]

    def gap(count: pd.Series) -> float:
        exposure = frame["exposure"]
        inland = count[~coast].sum() / exposure[~coast].sum()
        return float(np.log(count[coast].sum() / exposure[coast].sum() / inland))

    return gap(expected) / gap(frame["n_villages"])


# ---- Rural Taobao --------------------------------------------------------------------------------


def national_value(indicator: str, source: str | None = None) -> float:
    """One national value; the source is needed where several print one."""
    rows = data.load("provinces/national")
    rows = rows[rows["indicator"] == indicator]
    if source is not None:
        rows = rows[rows["source_id"] == source]
    return float(rows["value"].squeeze())


YEARS = (2014, 2015, 2016)  # the complete lists
LISTS = {2014: "xrwang2014", 2015: "xrwang2015", 2016: "xrwang2016"}
BASES = ("rural_population", "population", "administrative_villages", "land_area")


@data.cached
def agricultural_census(year: int) -> pd.DataFrame:
    """Villages with roads, electricity, broadband and e-commerce stations, percent.

    Parameters
    ----------
    year : {2006, 2016}
        Of the second and the third agricultural census.

    Returns
    -------
    DataFrame
        Indexed by place: China, then the provinces that have a value, by code. One column for each
        thing that is counted. Missing where no value was found.

    Raises
    ------
    ValueError
        For a year without a census.
    """
    table = data.load("provinces/agricultural_census")
    names = {
        "villages_with_road": "Road",
        "villages_with_electricity": "Electricity",
        "villages_with_broadband": "Broadband",
        "villages_with_ecommerce_station": "E-commerce station",
    }
    rows = table[table["year"].eq(year) & table["level"].isin(["nation", "province"])]
    rows = rows[rows["indicator"].isin(names)]
    if rows.empty:
        raise ValueError(f"no agricultural census of {year}; there are those of 2006 and 2016")
    order = rows.sort_values("province_code", na_position="first")["place"].unique()
    wide = rows.pivot_table("value", "place", "indicator", aggfunc="first").reindex(order)
    return wide.rename(columns=names)[[n for k, n in names.items() if k in wide]]


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


@data.cached
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


@data.cached
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


# ---- how concentrated ----------------------------------------------------------------------------


@data.cached
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


@data.cached
def association(
    year: int,
    covariates: Sequence[str] = ("income",),
    *,
    exposure: str = "rural_population",
    family: counts.Family = "quasi-poisson",
) -> counts.CountModel:
    """Count model of villages by province; rate ratios for one standard deviation."""
    return counts.count_model(
        model_frame(year, exposure=exposure),
        "n_villages",
        list(covariates),
        exposure="exposure",
        family=family,
    )


# ---- infrastructure ------------------------------------------------------------------------------


@data.cached
def road_frame(
    year: int = 2016,
    *,
    roads: str = "per area",
    income: str = "disposable income",
    exposure: str = "rural_population",
    sample: str = "all provinces",
) -> pd.DataFrame:
    """Provinces with villages, exposure and covariates in standard deviations of the logarithm.

    The share of internet users is taken as it is, without a logarithm.

    Parameters
    ----------
    year : {2014, 2015, 2016}
    roads : {"per area", "per resident"}
        Length of highways over land area, or over residents.
    income : {"disposable income", "output"}
        Per resident: disposable income of all residents, or GDP.
    exposure : str
        See `base`.
    sample : {"all provinces", "inland provinces"}

    Returns
    -------
    DataFrame
        Indexed by ``province_code``; ``n_villages``, ``exposure``, ``roads``, ``income``,
        ``density`` (residents per square kilometre), ``internet`` (internet users in percent of
        residents) and ``parcels`` (sent per resident in the first half of 2016; NaN for 8
        provinces).
    """
    people = base("population", year)
    land = data.indicator("land_area", 2000, "area_marioarace")
    length = data.indicator("highway_length", year, "nbs_transport_ttc")
    money = (
        data.indicator("disposable_income_all_residents", year, "nbs_transport_ttc")
        if income == "disposable income"
        else data.indicator("gdp", year, "nbs_gdp_v2018") / people
    )
    parcels = data.indicator("express_parcels_jan_jun", 2016, "express_2016h1") / people
    frame = pd.DataFrame(
        {
            "roads": np.log(length / (land if roads == "per area" else people)),
            "income": np.log(money),
            "density": np.log(people / land),
            "internet": data.indicator("internet_penetration", year, "nbs_internet_nfu"),
            "parcels": np.log(parcels),
        }
    )
    size = base(exposure, year).rename("exposure")
    frame = pd.concat([villages(year), size, frame], axis=1)
    if sample == "inland provinces":
        coast = data.load("provinces/provinces").set_index("province_code")["coastal"]
        frame = frame[~coast]
    covariates = ["roads", "income", "density", "internet", "parcels"]
    frame[covariates] = (frame[covariates] - frame[covariates].mean()) / frame[covariates].std(
        ddof=0
    )
    return frame
