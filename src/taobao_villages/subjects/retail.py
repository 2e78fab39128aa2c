"""Online retail: totals by publisher, platforms' sales and shares, firms and their owners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from taobao_villages import data
from taobao_villages.methods import growth

FIRST, LAST = 2012, 2016
ARTICLE = "li2017"  # not held against itself
PUBLISHERS: Mapping[str, str] = {
    "iResearch": "online_shopping_gmv_iresearch",
    "Statistics office": "online_retail_sales_nbs",
    "Ministry of Commerce": "online_retail_mofcom",
    "CNNIC": "online_retail_cnnic",
    "CECRC": "online_retail_cecrc",
    "Internet Society": "china_online_retail_isc",
    "Deloitte and post": "online_retail_deloitte_postbureau",
}
GOODS = "online_retail_physical_goods_nbs"
UNITED_STATES = "us_online_retail_commerce_dept"
RETAIL = "retail_sales_consumer_goods"
GDP = {"final": "gdp_china_final", "preliminary": "gdp_china_preliminary"}
BOTH, ALONE = "Taobao and Tmall", "Taobao alone"
MARKETS = ("iResearch", "Statistics office")  # publishers with annual totals for 2015 and 2016
PERIODS = ("same months", "2015", "2016")
SHORT: Mapping[str, str] = {
    BOTH: "Both",
    ALONE: "Taobao",
    "all online retail": "all",
    "mobile shopping": "mobile",
    "iResearch": "iRes.",
    "Statistics office": "stat. office",
}


# ---- totals --------------------------------------------------------------------------------------


@data.cached
def totals(indicator: str, *, forecasts: bool = False) -> pd.DataFrame:
    """Annual figures of one indicator as every source prints them.

    Parameters
    ----------
    indicator : str
        As in ``market/online_retail``.
    forecasts : bool
        Keep figures that were forecast before the year had ended.

    Returns
    -------
    DataFrame
        Columns ``year``, ``value``, ``unit``, ``source_id``, ``status``; one row a source and
        year, whole years only.

    Raises
    ------
    ValueError
        For an indicator without annual figures.
    """
    table = data.load("market/online_retail")
    table = table[(table["indicator"] == indicator) & (table["precision"] == "year")]
    if table.empty:
        raise ValueError(f"{indicator!r} has no annual figures in market/online_retail")
    if not forecasts:
        table = table[table["status"] != "forecast"]
    return table[["year", "value", "unit", "source_id", "status"]].reset_index(drop=True)


@data.cached
def series(indicator: str, *, pick: str = "lowest", forecasts: bool = False) -> pd.Series:
    """One figure a year, where sources may print several.

    Parameters
    ----------
    indicator : str
    pick : {"lowest", "highest"}
        Which figure stands for a year with several.
    forecasts : bool
        See `totals`.

    Returns
    -------
    Series
        Indexed by ``year``, in the indicator's unit; years without a figure are not there.

    Raises
    ------
    ValueError
        For another `pick`.
    """
    if pick not in ("lowest", "highest"):
        raise ValueError(f"pick is {pick!r}; use 'lowest' or 'highest'")
    grouped = totals(indicator, forecasts=forecasts).groupby("year")["value"]
    return grouped.min() if pick == "lowest" else grouped.max()


def exchange_rate() -> pd.Series:
    """Yuan for one US dollar, official average of each year, indexed by ``year``."""
    return series("exchange_rate_rmb_per_usd")


def online_retail(
    *, publishers: Sequence[str] = tuple(PUBLISHERS), forecasts: bool = False
) -> pd.DataFrame:
    """Online retail of China by publisher, year and source, in yuan and in dollars.

    Parameters
    ----------
    publishers : sequence of str
        Names in `PUBLISHERS`.
    forecasts : bool
        See `totals`.

    Returns
    -------
    DataFrame
        Columns ``publisher``, ``year``, ``rmb`` and ``usd`` (billion; the one that is not printed
        is converted at the year's average rate), ``source_id``, ``status``. Years without a rate
        are left out.
    """
    rate = exchange_rate()
    parts = []
    for name in publishers:
        rows = totals(PUBLISHERS[name], forecasts=forecasts)
        rows = rows[rows["year"].isin(rate.index)]
        factor = rows["year"].map(rate)
        dollars = rows["unit"] == "USD billion"
        parts.append(
            rows.assign(
                publisher=name,
                rmb=rows["value"].where(~dollars, rows["value"] * factor),
                usd=rows["value"].where(dollars, rows["value"] / factor),
            )
        )
    columns = ["publisher", "year", "rmb", "usd", "source_id", "status"]
    return pd.concat(parts, ignore_index=True)[columns]


def by_publisher(*, years: Sequence[int] = (FIRST, LAST), forecasts: bool = False) -> pd.DataFrame:
    """Lowest and highest figure of each publisher, without the article's own, in trillion yuan.

    Returns
    -------
    DataFrame
        Indexed by publisher, columns ``low_<year>`` and ``high_<year>``; NaN where nothing is
        printed. Publishers with no figure in any of the years are left out.
    """
    rows = online_retail(forecasts=forecasts)
    rows = rows[rows["source_id"] != ARTICLE]
    found = {}
    for year in years:
        grouped = rows[rows["year"] == year].groupby("publisher")["rmb"]
        found[f"low_{year}"] = grouped.min() / 1000
        found[f"high_{year}"] = grouped.max() / 1000
    return pd.DataFrame(found).reindex(list(PUBLISHERS)).dropna(how="all")


# ---- growth --------------------------------------------------------------------------------------


def growth_rates(
    *, publisher: str = "iResearch", gdp: str = "final", pick: str = "lowest", method: str = "ends"
) -> pd.DataFrame:
    """Growth of online retail, of all retail and of GDP over the same years.

    Parameters
    ----------
    publisher : str
        A name in `PUBLISHERS`.
    gdp : {"final", "preliminary"}
        As first published or as verified a year later.
    pick : {"lowest", "highest"}
        See `series`.
    method : {"ends", "fit"}
        Compound rate between the first and last common year, or the log-linear fit to every year
        between them.

    Returns
    -------
    DataFrame
        Rows ``online``, ``retail``, ``gdp``; columns ``first``, ``last`` (years), ``multiple``,
        ``rate``, ``low``, ``high`` (percent a year; the interval of the fit, NaN by the ends), and
        ``n`` (years used).

    Raises
    ------
    ValueError
        For another `method`.
    """
    if method not in ("ends", "fit"):
        raise ValueError(f"method is {method!r}; use 'ends' or 'fit'")
    # Only the CECRC's total of 2016 is a forecast; its other years alone cannot show growth.
    forecasts = publisher == "CECRC"
    found = {
        "online": series(PUBLISHERS[publisher], pick=pick, forecasts=forecasts),
        "retail": series(RETAIL, pick=pick),
        "gdp": series(GDP[gdp], pick=pick),
    }
    common = [
        year for year in range(FIRST, LAST + 1) if all(year in one.index for one in found.values())
    ]
    first, last = common[0], common[-1]
    rows = {}
    for name, values in found.items():
        own = values.loc[first:last]
        rate, low, high, n = growth.cagr(own[first], own[last], last - first), np.nan, np.nan, 2
        if method == "fit":
            rate, low, high, n = growth.log_linear(own)[0]
        rows[name] = {
            "first": first,
            "last": last,
            "multiple": own[last] / own[first],
            "rate": rate,
            "low": low,
            "high": high,
            "n": int(n),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


# ---- the seventy percent -------------------------------------------------------------------------


@data.cached
def platform_sales(platform: str, date: str) -> float:
    """Sales over a platform in the twelve months to a date, billion yuan (GMV)."""
    rows = data.load("market/platform_users")
    rows = rows[(rows["quantity"] == "gmv") & (rows["platform"] == platform)]
    return float(rows.set_index("date")["value"][date])


@data.cached
def market_size(publisher: str, period: str, *, part: str = "all") -> float:
    """Online retail in the period that Alibaba's fiscal year 2016 is divided by.

    Parameters
    ----------
    publisher : str
        A name in `MARKETS`.
    period : {"same months", "2015", "2016"}
        April 2015 to March 2016, taken as three quarters of 2015 and one of 2016; or a calendar
        year.
    part : {"all", "B2C", "C2C"}
        The whole, or iResearch's split of it into shops of firms and shops of persons.

    Returns
    -------
    float
        Billion yuan.

    Raises
    ------
    ValueError
        For another period or part, or a split that the publisher does not print.
    """
    if period not in PERIODS:
        raise ValueError(f"period is {period!r}; use one of {', '.join(PERIODS)}")
    if part not in ("all", "B2C", "C2C") or (part != "all" and publisher != "iResearch"):
        raise ValueError(f"{publisher} prints no total for {part!r}")
    total = series(PUBLISHERS[publisher])
    if part != "all":
        firms = series("b2c_share_of_online_shopping") / 100
        total = total * (firms if part == "B2C" else 1 - firms)
    if period == "same months":
        return float(0.75 * total[2015] + 0.25 * total[2016])
    return float(total[int(period)])


@data.cached
def sales_shares() -> pd.DataFrame:
    """Alibaba's sales of April 2015 to March 2016 over each total that they could be divided by.

    Returns
    -------
    DataFrame
        Columns ``whose``, ``market`` (publisher), ``period`` and ``share`` (percent of all online
        retail).
    """
    sales = {
        BOTH: platform_sales("Alibaba China retail", "2016-03"),
        ALONE: platform_sales("Taobao Marketplace", "2016-03"),
    }
    return pd.DataFrame(
        [
            {
                "whose": whose,
                "market": market,
                "period": period,
                "share": 100 * value / market_size(market, period),
            }
            for whose, value in sales.items()
            for market in MARKETS
            for period in PERIODS
        ]
    )


@data.cached
def denominators() -> pd.DataFrame:
    """The share of "Taobao" about 2016, under each whole that one could mean.

    Returns
    -------
    DataFrame
        One row a reading: ``whose``, ``of`` (the whole), ``how`` ("sales over market" or
        "published"), ``period``, ``share`` (percent), ``sources`` (list of ids) and ``label``,
        short enough for an axis.
    """
    sold = ["eczine2016_alibaba"]
    rows = []
    for row in sales_shares().query("period == 'same months'").to_dict("records"):
        name = PUBLISHERS[row["market"]]
        used = totals(name)
        ids = used[used["year"].isin([2015, 2016]) & (used["source_id"] != ARTICLE)]["source_id"]
        rows.append(
            {
                "whose": row["whose"],
                "of": f"all online retail ({row['market']})",
                "how": "sales over market",
                "period": "April 2015 to March 2016",
                "share": row["share"],
                "sources": sold + sorted(set(ids)),
            }
        )
    for whose, platform, part in ((ALONE, "Taobao Marketplace", "C2C"), ("Tmall", "Tmall", "B2C")):
        rows.append(
            {
                "whose": whose,
                "of": f"{part} (iResearch)",
                "how": "sales over market",
                "period": "April 2015 to March 2016",
                "share": 100
                * platform_sales(platform, "2016-03")
                / market_size("iResearch", "same months", part=part),
                "sources": [*sold, "m037", "m038"],
            }
        )
    shares = data.load("market/platform_share")
    shares = shares[(shares["year"] == LAST) & (shares["source_id"] != ARTICLE)]
    for market, platform, whose in (
        ("B2C", "Tmall", "Tmall"),
        ("mobile shopping", "Alibaba (all sites)", BOTH),
    ):
        own = shares[(shares["market"] == market) & (shares["platform"] == platform)]
        for (maker, start, end), same in own.groupby(["maker", "period_start", "period_end"]):
            rows.append(
                {
                    "whose": whose,
                    "of": f"{market} ({maker})",
                    "how": "published",
                    "period": start[:4]
                    if same["precision"].iloc[0] == "year"
                    else f"{start} to {end}",
                    "share": float(same["share_pct"].iloc[0]),
                    "sources": sorted(same["source_id"]),
                }
            )
    table = pd.DataFrame(rows).sort_values("share", ascending=False, ignore_index=True)
    label = table["whose"] + " of " + table["of"]
    for long, short in SHORT.items():
        label = label.str.replace(long, short, regex=False)
    return table.assign(
        label=label + table["how"].map({"published": "", "sales over market": " *"})
    )


# ---- China and the United States -----------------------------------------------------------------


def against_united_states(
    *, publisher: str = "each publisher", goods_only: bool = False, discount: float = 0
) -> pd.DataFrame:
    """Online retail of both countries by year, in billion dollars at the year's average rate.

    Parameters
    ----------
    publisher : str
        "each publisher", or a name in `PUBLISHERS`.
    goods_only : bool
        Goods without services, as the statistics office prints them, instead of `publisher`.
    discount : float
        Percent to take off every Chinese total: for orders that were never paid, were sent back
        or were made up.

    Returns
    -------
    DataFrame
        Indexed by every year from 2012 to 2016: ``china_low``, ``china_high`` (over publishers and
        sources), ``publishers`` (how many), ``united_states_low``, ``united_states_high`` and
        ``ratio`` (lowest Chinese over highest American figure); NaN where nothing is printed.
    """
    names = list(PUBLISHERS) if publisher == "each publisher" else [publisher]
    if goods_only:
        goods = totals(GOODS)
        goods = goods[goods["year"].isin(exchange_rate().index)]
        china = goods.assign(
            publisher="Statistics office", usd=goods["value"] / goods["year"].map(exchange_rate())
        )
    else:
        china = online_retail(publishers=names)
        china = china[china["source_id"] != ARTICLE]
    grouped = china.groupby("year")
    america = totals(UNITED_STATES).groupby("year")["value"]
    table = pd.DataFrame(
        {
            "china_low": grouped["usd"].min() * (1 - discount / 100),
            "china_high": grouped["usd"].max() * (1 - discount / 100),
            "publishers": grouped["publisher"].nunique(),
            "united_states_low": america.min(),
            "united_states_high": america.max(),
        }
    ).reindex(pd.RangeIndex(FIRST, LAST + 1, name="year"))
    return table.assign(ratio=table["china_low"] / table["united_states_high"])


# ---- rules and fees ------------------------------------------------------------------------------
SELLERS = ("small shops", "shops selling elsewhere", "village agents")


def rule_changes() -> pd.DataFrame:
    """Changes of rules and fees, with who bore them; one row a source, sorted by date."""
    table = data.load("market/platform_rules")
    table["reported"] = data.sources()["date"].loc[table["source_id"]].to_numpy()
    return table.sort_values(["date", "rule_id"], ignore_index=True)
