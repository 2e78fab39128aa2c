"""Taobao Villages by list: totals, dates, definitions, prefectures and printed regions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from statsmodels.stats.inter_rater import cohens_kappa

from taobao_villages import data
from taobao_villages.methods import growth, inequality
from taobao_villages.subjects import provinces

PARALLEL = 33  # degrees north: where the Qinling-Huaihe line crosses the eastern plain


# ---- growth --------------------------------------------------------------------------------------


def totals() -> pd.DataFrame:
    """National totals as every source prints them.

    Returns
    -------
    DataFrame
        Columns ``year``, ``n_villages``, ``source_id``, ``status``; one row a source and year.
    """
    table = data.load("villages/national")
    table = table[table["n_villages"].notna()]
    return table[["year", "n_villages", "source_id", "status"]].reset_index(drop=True)


def table_two(*, first: int = 2009, last: int = 2016) -> pd.DataFrame:
    """The article's Table 2 rebuilt: the range of the printed totals of each year.

    Returns
    -------
    DataFrame
        Indexed by every year from `first` to `last`; columns ``low``, ``high`` (villages, NaN
        where no source prints a total) and ``n_sources``.
    """
    years = pd.RangeIndex(first, last + 1, name="year")
    grouped = totals().groupby("year")["n_villages"]
    return pd.DataFrame(
        {"low": grouped.min(), "high": grouped.max(), "n_sources": grouped.size()}
    ).reindex(years)


def list_months(*, dates: str = "closing", first: str = "2013-12") -> pd.Series:
    """The month that each list stands for.

    Parameters
    ----------
    dates : {"closing", "publication", "calendar"}
        The month in which a list was closed where a source says so, else that of publication;
        publication always; or the December of its year.
    first : str
        Month of the list of 2013, for which no source gives one: "2013-01" to "2013-12".

    Returns
    -------
    Series of Period
        Indexed by year.

    Raises
    ------
    ValueError
        For another value of `dates`.
    """
    months = growth.list_months(data.load("villages/list_dates"), dates=dates)
    months[2013] = pd.Period(first, "M")
    return months


def count_months(
    years: Sequence[int], *, dates: str = "closing", first: str = "2013-12"
) -> pd.Series:
    """The month of each national total: that of its list, and before the lists December.

    Parameters
    ----------
    years : sequence of int
        Years that have a total.
    dates, first : str
        See `list_months`.

    Returns
    -------
    Series of Period
        Indexed by `years`.
    """
    months = list_months(dates=dates, first=first)
    for year in set(years) - set(months.index):  # no source says when these were counted
        months[year] = pd.Period(f"{year}-12", "M")
    return months.loc[list(years)]


# ---- definition ----------------------------------------------------------------------------------


def shops_needed(households: np.ndarray | Sequence[float], *, shops: int = 100, share: float = 10):
    """Online shops that a village needs, by its number of households.

    Parameters
    ----------
    households : array-like, shape (n,)
    shops : int
        The fixed number in the definition.
    share : float
        The share of households in the definition, in percent.

    Returns
    -------
    ndarray, shape (n,)
        The easier of the two conditions.
    """
    return np.minimum(shops, np.asarray(households, dtype=float) * share / 100)


def definitions(*, until: int = 2022) -> pd.DataFrame:
    """Published definitions of a Taobao Village, one row each.

    Parameters
    ----------
    until : int
        Leave out definitions of later years.

    Returns
    -------
    DataFrame
        Indexed by ``def_id``; columns ``version_year``, ``sales_rmb_million``, ``shops``,
        ``share_pct`` (NaN where a definition names no such threshold), ``source_id``.
    """
    table = data.load("villages/definitions")
    table = table[(table["object"] == "Taobao Village") & table["threshold_number"].notna()]
    table = table[table["version_year"] <= until]
    table = table[table["source_id"] != "li2017"]  # the article is not held against itself

    def largest(rows: pd.DataFrame, unit: str) -> float:
        return rows.loc[rows["unit"] == unit, "threshold_number"].max()

    out = {
        name: {
            "version_year": int(rows["version_year"].iloc[0]),
            "sales_rmb_million": largest(rows, "RMB") / 1e6,
            "shops": largest(rows, "shops"),
            "share_pct": largest(rows, "%"),
            "source_id": rows["source_id"].iloc[0],
        }
        for name, rows in table.groupby("def_id")
    }
    return pd.DataFrame.from_dict(out, orient="index").rename_axis("def_id")


# ---- what they sell ------------------------------------------------------------------------------


def by_product() -> pd.DataFrame:
    """Villages on the list of 2014 by the class of their goods, under both codings.

    A village with goods of two classes counts in both, so that a column sums to more than all.

    Returns
    -------
    DataFrame
        Indexed by the class of ``villages/product_classes``, most villages first; villages with a
        good of the class by the ``first`` and the ``second`` coding and as ``settled``; ``low``
        without goods that a coding doubts, ``high`` with those that could be of the class too.
    """
    table = data.load("villages/products_2014")
    goods = table.assign(product=table["product"].str.split("、")).explode("product")
    words = data.load("villages/product_classes")
    goods = goods.reset_index(names="group").merge(words, on="product")
    doubt = goods[["first_certainty", "second_certainty"]].eq("doubtful").any(axis=1)
    classes = pd.Index(pd.unique(goods[["first", "second", "settled"]].to_numpy().ravel()))

    def villages(told: pd.Series) -> int:
        return int(table.loc[sorted(set(goods.loc[told, "group"])), "n_villages"].sum())

    out = {
        name: {coding: villages(goods[coding] == name) for coding in ("first", "second", "settled")}
        | {
            "low": villages((goods["settled"] == name) & ~doubt),
            "high": villages(
                goods[["settled", "first_other", "second_other"]].eq(name).any(axis=1)
            ),
        }
        for name in classes
    }
    found = pd.DataFrame.from_dict(out, orient="index").rename_axis("class")
    return found.sort_values("settled", ascending=False, kind="stable")


def product_agreement() -> pd.Series:
    """How far the two codings of the goods on the list of 2014 agree.

    Returns
    -------
    Series
        Counts of words: ``words``, ``same`` class, ``doubtful_first``, ``doubtful_second``; and
        ``kappa`` of the classes (Cohen 1960).
    """
    table = data.load("villages/product_classes")
    classes = sorted({*table["first"], *table["second"]})
    crossed = pd.crosstab(table["first"], table["second"]).reindex(
        index=classes, columns=classes, fill_value=0
    )
    return pd.Series(
        {
            "words": len(table),
            "same": int((table["first"] == table["second"]).sum()),
            "doubtful_first": int(table["first_certainty"].eq("doubtful").sum()),
            "doubtful_second": int(table["second_certainty"].eq("doubtful").sum()),
            "kappa": float(cohens_kappa(crossed.to_numpy(), return_results=False)),
        }
    )


# ---- where they are ------------------------------------------------------------------------------


@data.cached
def by_prefecture(year: int) -> pd.DataFrame:
    """Villages by prefecture, all prefecture-level units, zeros included.

    Returns
    -------
    DataFrame
        Indexed by ``prefecture_code``; columns ``province_code``, ``name_zh``, ``lon``, ``lat``
        (degrees), ``n_villages``. Villages of unmatched names are in `unmatched`.
    """
    units = data.load("geo/prefectures")
    units = units[units["level"] != "county_under_province"].set_index("prefecture_code")
    table = data.load("villages/city_year")
    counts = table[table["year"] == year].groupby("prefecture_code")["n_villages"].sum()
    out = units[["province_code", "name_zh", "lon", "lat"]].copy()
    out["n_villages"] = counts.reindex(out.index, fill_value=0).astype(int)
    return out


def unmatched() -> pd.DataFrame:
    """Rows of the prefecture counts whose name has no unit with coordinates."""
    table = data.load("villages/city_year")
    known = set(by_prefecture(provinces.YEARS[0]).index)
    return table[~table["prefecture_code"].isin(known)]


def concentration(year: int, *, over: str = "rural_population") -> pd.Series:
    """Measures of concentration between provinces.

    Parameters
    ----------
    year : {2014, 2015, 2016}
    over : str
        Base of the comparison; see `base`.

    Returns
    -------
    Series
        ``gini`` over the base, ``hhi`` of shares, ``theil`` and its ``between``-regions share
        (percent), ``index`` (concentration index against GDP per resident).
    """
    count, size = provinces.villages(year), provinces.base(over, year)
    regions = data.load("provinces/provinces").set_index("province_code")["region4"]
    theil = inequality.theil(count, size, regions)
    return pd.Series(
        {
            "gini": inequality.gini(count, size),
            "hhi": inequality.hhi(count),
            "theil": theil["total"],
            "between": 100 * theil["between"] / theil["total"],
            "index": inequality.concentration_index(count, size, provinces.income(year)),
        },
        name=year,
    )


def location_quotient(year: int, inside: pd.Series, *, over: str = "rural_population") -> float:
    """Share of the villages that a group of provinces holds, over its share of a base.

    Parameters
    ----------
    year : {2014, 2015, 2016}
    inside : Series of bool, shape (31,)
        The group, indexed by ``province_code``.
    over : str
        See `provinces.base`.

    Returns
    -------
    float
        1 if the group has as many villages as its share of the base.
    """
    count, size = provinces.villages(year), provinces.base(over, year)
    return (count[inside].sum() / count.sum()) / (size[inside].sum() / size.sum())


def south_east(*, east: str = "coastal", south: str = "south") -> pd.Series:
    """Which provinces are both eastern (or coastal) and southern."""
    table = data.load("provinces/provinces").set_index("province_code")
    return table[east] & table[south]


# ---- east and south ------------------------------------------------------------------------------


def share(year: int, definition: str) -> float:
    """Percent of the listed villages inside a region.

    Parameters
    ----------
    year : {2014, 2015, 2016}
    definition : str
        A flag column of ``provinces/provinces``, or ``"seat_below_33n"``: prefectures whose
        point near the seat lies south of 33 degrees north, near the Qinling-Huaihe line, which
        splits Jiangsu and Anhui.
    """
    if definition == "seat_below_33n":
        units = by_prefecture(year)
        return (
            100 * units.loc[units["lat"] < PARALLEL, "n_villages"].sum() / units["n_villages"].sum()
        )
    count = provinces.villages(year)
    inside = data.load("provinces/provinces").set_index("province_code")[definition]
    return 100 * count[inside].sum() / count.sum()


def shares(definitions: Sequence[str], *, years: Sequence[int] = provinces.YEARS) -> pd.DataFrame:
    """Shares in percent: one row a definition, one column a year."""
    return pd.DataFrame(
        {year: [share(year, name) for name in definitions] for year in years},
        index=pd.Index(definitions, name="definition"),
    )


def leave_one_county_out(year: int, definition: str) -> tuple[float, float]:
    """Lowest and highest share, in percent, when any one county is left out.

    Counties stand in a province, so `definition` is a flag of ``provinces/provinces``.
    """
    table = data.load("villages/county_year")
    table = table[table["year"] == year]
    flag = data.load("provinces/provinces").set_index("province_code")[definition]
    inside = table["province_code"].map(flag)
    count = table["n_villages"]
    left = 100 * ((count * inside).sum() - count * inside) / (count.sum() - count)
    return float(left.min()), float(left.max())


def printed_regions() -> pd.DataFrame:
    """What sources other than the named lists print of the villages of the lists by region.

    Returns
    -------
    DataFrame
        One row a source and year up to 2016: ``year``, ``region``, ``n_villages`` (<NA> if the
        source prints a share), ``low`` and ``high`` (percent of all villages; they differ where a
        source says "over", or where two totals are printed), ``inland`` (whether the region is
        the centre and west), ``source_id``. Shares of new villages alone are left out.
    """
    table = data.load("villages/regions")
    table = table[(table["year"] <= 2016) & table["counted"].eq("all")]
    # Not what was worked out from the other rows.
    table = table[(table["status"] != "derived") & table["zone"].ne("northeast")]
    inland = table["zone"] == "centre_west"
    count = table["n_villages"].astype("Float64").astype(float)
    total = table_two().loc[table["year"]].set_axis(table.index)
    above_only = table["qualifier"].eq("gt")
    return pd.DataFrame(
        {
            "year": table["year"],
            "region": table["region"].where(~inland, "centre and west"),
            "n_villages": table["n_villages"],
            "low": (100 * count / total["high"]).fillna(table["share_pct"]),
            "high": (100 * count / total["low"]).fillna(table["share_pct"]).mask(above_only, 100.0),
            "inland": inland,
            "source_id": table["source_id"],
        }
    ).reset_index(drop=True)


def printed_south(definition: str = "south") -> pd.DataFrame:
    """Bounds of the south's share from the counts of provinces that other sources print.

    Parameters
    ----------
    definition : str
        A flag of ``provinces/provinces``.

    Returns
    -------
    DataFrame
        Indexed by year; ``provinces`` (with a printed count), ``low`` (percent, if no other
        southern province had a village) and ``high`` (if all other villages lay there).
    """
    table = data.load("villages/province_year")
    table = table[table["year"].isin(provinces.YEARS) & table["n_villages"].notna()]
    table = table[~table["source_id"].isin(provinces.LISTS.values())]
    flag = data.load("provinces/provinces").set_index("province_code")[definition]
    count = table.groupby(["year", "province_code"])["n_villages"].max().astype(float)
    inside = count.index.get_level_values("province_code").map(flag).to_numpy(bool)
    by_year = count.groupby("year")
    total = table_two().loc[list(by_year.groups), "high"]
    return pd.DataFrame(
        {
            "provinces": by_year.size(),
            "low": 100 * count.where(inside, 0).groupby("year").sum() / total,
            "high": 100 - 100 * count.where(~inside, 0).groupby("year").sum() / total,
        }
    )


def printed_coast(years: Sequence[int]) -> pd.DataFrame:
    """`printed_regions` of some years as shares of the eastern coast.

    What lies outside the centre and west counts as coast: the few villages of the north-east too.
    """
    table = printed_regions()
    table = table[table["year"].isin(years)]
    inland = table["inland"]
    low = table["low"].mask(inland, 100 - table["high"])
    return table.assign(low=low, high=table["high"].mask(inland, 100 - table["low"]))
