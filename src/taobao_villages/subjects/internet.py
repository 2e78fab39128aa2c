"""Internet users and online shoppers in towns and villages, by CNNIC's reports."""

from __future__ import annotations

import numpy as np
import pandas as pd

from taobao_villages import data

# ---- the divide between town and country ---------------------------------------------------------


def printed(indicator: str, date: str) -> list[float]:
    """What the sources print for an indicator of ``market/cnnic`` at a date."""
    table = data.load("market/cnnic")
    return sorted(
        set(table.loc[(table["indicator"] == indicator) & (table["date"] == date), "value"])
    )


def gap(higher: float, lower: float, *, measure: str = "points") -> float:
    """Distance between two percentages.

    Parameters
    ----------
    higher, lower : float
        Percent.
    measure : {"points", "odds ratio"}

    Raises
    ------
    ValueError
        For another measure.
    """
    if measure == "points":
        return higher - lower
    if measure == "odds ratio":
        return (higher / (100 - higher)) / (lower / (100 - lower))
    raise ValueError(f"measure is {measure!r}; use 'points' or 'odds ratio'")


def divide(*, first_year: int = 2013, measure: str = "points") -> pd.DataFrame:
    """Gaps between town and country before and after the platforms went to the countryside.

    Parameters
    ----------
    first_year : {2013, 2009}
        The earlier year; the later is the last with figures before the article, 2016 for being
        online and 2015 for shopping.
    measure : {"points", "odds ratio"}

    Returns
    -------
    DataFrame
        Rows "being online" (urban against rural residents) and "shopping online" (all against
        rural internet users); ``from``, ``to`` (years), ``before``, ``after`` (means of what
        sources print).
    """
    rows = {}
    for name, later in (("being online", 2016), ("shopping online", 2015)):
        found = []
        for year in (first_year, later):
            if name == "being online":
                high = printed("internet_penetration_urban", f"{year}-12")
                low = printed("internet_penetration_rural", f"{year}-12")
            else:
                users = np.mean(printed("netizens_total", f"{year}-12"))
                share = printed("online_shoppers_share_of_netizens", f"{year}-12")
                buyers = printed("online_shoppers_total", f"{year}-12")
                high = [100 * float(buyer / users) for buyer in buyers] or share
                low = printed("rural_netizens_online_shopping_rate", f"{year}-12")
            if not high or not low:
                found.append(float("nan"))
            else:
                found.append(gap(float(np.mean(high)), float(np.mean(low)), measure=measure))
        rows[name] = {"from": first_year, "to": later, "before": found[0], "after": found[1]}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("gap")


# ---- the digital divide --------------------------------------------------------------------------


def odds(percent: float | np.ndarray | pd.Series):
    """Odds of a share in percent: those who have it for each one who has not."""
    return percent / (100 - percent)


def penetration_gap(
    *, series_2007: str = "first printed", mid_year: bool = True, derived: bool = True
) -> pd.DataFrame:
    """Internet penetration in cities and countryside, and three measures of the gap.

    Parameters
    ----------
    series_2007 : {"first printed", "recalculated"}
        The rates of 2007: as its report printed them, or as CNNIC recalculated them later.
    mid_year : bool
        Keep the figures of June.
    derived : bool
        Keep dates of which a rate is derived from the printed gap (2011, June 2017).

    Returns
    -------
    DataFrame
        Indexed by month (Period), only dates with both rates: ``urban``, ``rural`` (percent),
        ``gap`` (points), ``ratio`` (urban over rural), ``odds_ratio``, ``status`` (that of the
        weaker of the two), ``source_id`` (separated by semicolons).

    Raises
    ------
    ValueError
        For another value of `series_2007`.
    """
    other = {"first printed": "e_kong2020", "recalculated": "m023"}
    if series_2007 not in other:
        raise ValueError(f"series_2007 is {series_2007!r}; use one of {', '.join(other)}")
    rows = data.load("market/cnnic")
    rows = rows[~rows["suspect"]]
    rows = rows[~((rows["date"] == "2007-12") & (rows["source_id"] == other[series_2007]))]
    sides = []
    for side in ("urban", "rural"):
        of_side = rows[rows["indicator"] == f"internet_penetration_{side}"]
        sides.append(of_side.drop_duplicates("date").set_index("date").add_prefix(f"{side}_"))
    both = sides[0].join(sides[1], how="inner").sort_index()
    urban, rural = both["urban_value"], both["rural_value"]
    ranked = ["as_printed", "rounded", "derived"]
    weaker = both[["urban_status", "rural_status"]].map(ranked.index).max(axis=1)
    pairs = zip(both["urban_source_id"], both["rural_source_id"], strict=True)
    table = pd.DataFrame(
        {
            "urban": urban,
            "rural": rural,
            "gap": urban - rural,
            "ratio": urban / rural,
            "odds_ratio": odds(urban) / odds(rural),
            "status": weaker.map(lambda rank: ranked[rank]),
            "source_id": [";".join(dict.fromkeys(pair)) for pair in pairs],
        }
    )
    table.index = pd.PeriodIndex(table.index, freq="M", name="month")
    keep = np.ones(len(table), dtype=bool) if mid_year else table.index.month == 12
    if not derived:
        keep &= (table["status"] != "derived").to_numpy()
    return table[keep]


# ---- Table 1 -------------------------------------------------------------------------------------


def table_one(*, first: int = 2009, last: int = 2016) -> pd.DataFrame:
    """The article's Table 1 rebuilt, with the status of every cell.

    Returns
    -------
    DataFrame
        Indexed by every year: ``share`` (rural share of netizens) and ``rate`` (rural netizens
        who shop online), percent, NaN where no figure was found; ``share_status``,
        ``rate_status`` ("no data" there); ``rate_low``, ``rate_high`` where rounding was worked
        out.
    """
    rows = data.load("market/table1").set_index("year")
    years = pd.RangeIndex(first, last + 1, name="year")
    out = pd.DataFrame(index=years)
    names = {"share": "rural_share_of_netizens", "rate": "rural_online_shopping_rate"}
    for name, column in names.items():
        cells = rows[rows["column"] == column].reindex(years)
        out[name] = cells["value_pct"]
        out[f"{name}_status"] = cells["status"].fillna("no data")
        if name == "rate":
            out["rate_low"], out["rate_high"] = cells["low_pct"], cells["high_pct"]
    return out


def table_one_sources() -> list[str]:
    """Ids of the sources of Table 1."""
    return data.source_ids(data.load("market/table1")["source_id"])


POPULATIONS = ("as published", "revised after 2020", "as CNNIC implies")


def rural_population(source: str = "as published") -> pd.Series:
    """Share of the population that lives in the countryside, at the end of each year.

    Parameters
    ----------
    source : {"as published", "revised after 2020", "as CNNIC implies"}
        The national rate of urbanisation as it was published at the time (2010 to 2016); the sum
        of the provinces as revised after the census of 2020 (2010 to 2020); or what CNNIC's own
        figures imply: rural share of netizens times total over rural penetration.

    Returns
    -------
    Series
        Percent, indexed by year; only years with a figure.

    Raises
    ------
    ValueError
        For another source.
    """
    if source == "as published":
        rows = data.load("provinces/national")
        rows = rows[rows["indicator"] == "urbanisation_rate"].set_index("year")
        return (100 - rows["value"]).sort_index().rename("rural")
    if source == "revised after 2020":
        panel = data.load("provinces/panel")
        wide = {
            name: panel[(panel["indicator"] == name) & (panel["source_id"] == source_id)].pivot(
                index="year", columns="province_code", values="value"
            )
            for name, source_id in zip(
                ("population", "urbanisation_rate"), REVISED_SOURCES, strict=True
            )
        }
        people = wide["population"]
        rural = people * (100 - wide["urbanisation_rate"])
        return (rural.sum(axis=1) / people.sum(axis=1)).rename("rural")
    if source == "as CNNIC implies":
        rows = data.load("market/cnnic")
        rows = rows[rows["date"].str.endswith("-12")]
        rate = {
            side: rows[rows["indicator"] == f"internet_penetration_{side}"]
            .drop_duplicates("year")
            .set_index("year")["value"]
            for side in ("total", "rural")
        }
        share = table_one()["share"]
        return (share * rate["total"] / rate["rural"]).dropna().rename("rural")
    raise ValueError(f"source is {source!r}; use one of {', '.join(POPULATIONS)}")


REVISED_SOURCES = ("nbs_pop_2023", "renjiyi_compiled")


def population_sources(source: str = "as published") -> list[str]:
    """Ids of the sources behind `rural_population`."""
    if source == "revised after 2020":
        return sorted(REVISED_SOURCES)
    if source == "as published":
        rows = data.load("provinces/national")
        return data.source_ids(rows.loc[rows["indicator"] == "urbanisation_rate", "source_id"])
    rows = data.load("market/cnnic")
    named = ("internet_penetration_total", "internet_penetration_rural")
    used = rows["indicator"].isin(named) & rows["year"].between(2009, 2016)
    return data.source_ids(rows.loc[used & rows["date"].str.endswith("-12"), "source_id"])


def recombine(rural: float, ratio: float) -> float:
    """Rural share of netizens, in percent.

    Parameters
    ----------
    rural : float
        Rural share of the population, percent.
    ratio : float
        Rural over urban penetration.
    """
    mixed = odds(rural) * ratio
    return 100 * mixed / (1 + mixed)


def decompose(share_0: float, share_1: float, rural_0: float, rural_1: float) -> dict[str, float]:
    """Split the change of the rural share of netizens into penetration and population.

    The odds that a netizen is rural are the odds that a person is rural times the ratio of rural
    to urban penetration. So on the log scale the change splits exactly; in points it depends on
    which of the two moves first, and the mean of both orders is taken.

    Parameters
    ----------
    share_0, share_1 : float
        Rural share of netizens at the start and the end, percent.
    rural_0, rural_1 : float
        Rural share of the population, percent.

    Returns
    -------
    dict
        ``change``, ``penetration``, ``population`` (points; the first is the sum of the others),
        ``log_penetration``, ``log_population`` (log odds), ``ratio_0``, ``ratio_1`` (rural over
        urban penetration as the shares imply it).

    Notes
    -----
    Kitagawa (1955), Das Gupta (1993): the mean over orders of two factors.
    """
    ratio_0, ratio_1 = (odds(s) / odds(p) for s, p in ((share_0, rural_0), (share_1, rural_1)))
    penetration = (
        recombine(rural_0, ratio_1)
        - recombine(rural_0, ratio_0)
        + recombine(rural_1, ratio_1)
        - recombine(rural_1, ratio_0)
    ) / 2
    return {
        "change": share_1 - share_0,
        "penetration": penetration,
        "population": share_1 - share_0 - penetration,
        "log_penetration": float(np.log(ratio_1 / ratio_0)),
        "log_population": float(np.log(odds(rural_1) / odds(rural_0))),
        "ratio_0": ratio_0,
        "ratio_1": ratio_1,
    }


def held_constant(*, population: str = "as published", first: int = 2010) -> pd.DataFrame:
    """The rural share of netizens beside what it would be had the population not moved.

    Returns
    -------
    DataFrame
        Indexed by year from `first`: ``share``, ``rural`` (population), ``constant`` (the share
        with the rural population of `first` and the penetration of each year), percent.
    """
    table = table_one()[["share"]].join(rural_population(population), how="inner").loc[first:]
    ratio = odds(table["share"]) / odds(table["rural"])
    constant = [recombine(table["rural"].iloc[0], value) for value in ratio]
    return table.assign(constant=constant)


# ---- shoppers ------------------------------------------------------------------------------------


def shoppers(*, share_2015: float = 22.0) -> pd.DataFrame:
    """Online shoppers in countryside and cities, millions, at the end of the year.

    Parameters
    ----------
    share_2015 : float
        Percent of all shoppers of 2015 who live in townships and villages; printed as 22.

    Returns
    -------
    DataFrame
        Indexed by every year from 2009 to 2016: ``rural``, ``total``, ``urban`` (total less
        rural); NaN where no figure was found.
    """
    rows = data.load("market/cnnic")
    rows = rows[rows["date"].str.endswith("-12")]
    years = pd.RangeIndex(2009, 2017, name="year")
    out = pd.DataFrame(index=years)
    for name in ("rural", "total"):
        indicator = "rural_online_shoppers" if name == "rural" else "online_shoppers_total"
        values = rows[rows["indicator"] == indicator].drop_duplicates("year").set_index("year")
        out[name] = values["value"].reindex(years)
    out.loc[2015, "rural"] = share_2015 / 100 * out.loc[2015, "total"]
    return out.assign(urban=out["total"] - out["rural"])
