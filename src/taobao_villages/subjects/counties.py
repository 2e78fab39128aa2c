"""Counties: those on the lists, those that are poor, and the official units of 2016."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from taobao_villages import data
from taobao_villages.subjects import provinces

# The two meanings of "national poverty county": columns of villages/poverty_status, and how many.
DEFINITIONS: Mapping[str, tuple[str, str]] = {
    "832 national poverty counties": (
        "national_poverty_county",
        "national-level poverty counties (832)",
    ),
    "592 key counties": ("key_county", "national-level poverty counties"),
}
WIDE, NARROW = DEFINITIONS
# Provinces of the official East whose poverty counties were moved to other provinces in 2001.
# Hebei, Hainan and Guangxi lie on the coast too and kept theirs.
WITHOUT_POVERTY_COUNTIES = ("11", "12", "21", "31", "32", "33", "35", "37", "44")
OTHERS = ("all other counties", "without city districts", "same provinces only")


# ---- poverty counties: what the lists say --------------------------------------------------------


@data.cached
def listed_counties(year: int, *, definition: str = WIDE, unknown: str = "deduced") -> pd.DataFrame:
    """Counties on a list, and whether each is a poverty county.

    Parameters
    ----------
    year : {2014, 2015, 2016}
    definition : str
        One of `DEFINITIONS`.
    unknown : {"deduced", "left open"}
        What to make of counties whose status no source gives. AliResearch printed how many
        villages stood in poverty counties in 2014 and 2015. Where the counties known to be poor
        already hold that many, none is left for the others: "deduced" makes them "no".

    Returns
    -------
    DataFrame
        Columns ``province_code``, ``province``, ``city``, ``county``, ``n_villages``, ``poor``
        ("yes", "no" or "unknown").

    Raises
    ------
    ValueError
        For a year without a complete list, or another definition or treatment of the unknown.
    """
    if year not in provinces.LISTS:
        raise ValueError(
            f"no complete list for {year}; complete are {', '.join(map(str, provinces.LISTS))}"
        )
    if definition not in DEFINITIONS or unknown not in ("deduced", "left open"):
        raise ValueError(f"definition {definition!r}, unknown {unknown!r}: see the docstring")
    table = data.load("villages/county_year")
    key = ["province_code", "city", "county"]
    status = data.load("villages/poverty_status")[[*key, "national_poverty_county", "key_county"]]
    table = table.merge(status, on=key, how="left")
    flags = ["national_poverty_county", "key_county"]
    east = table["province_code"].isin(WITHOUT_POVERTY_COUNTIES)
    table[flags] = table[flags].fillna("no").where(~east, "no")
    if unknown == "deduced":
        excluded = set()
        for listed, printed in printed_villages().items():
            rows = table[table["year"] == listed]
            known = rows.loc[rows[flags[0]] == "yes", "n_villages"].sum()
            if len(printed) == 1 and printed[0] == known:
                excluded |= set(
                    rows.loc[rows[flags[0]] == "unknown", key].itertuples(index=False, name=None)
                )
        settled = [row in excluded for row in table[key].itertuples(index=False, name=None)]
        table.loc[settled, flags] = "no"
    table = table[table["year"] == year].rename(columns={DEFINITIONS[definition][0]: "poor"})
    return table[["province_code", "province", "city", "county", "n_villages", "poor"]].reset_index(
        drop=True
    )


def printed_villages() -> dict[int, list[int]]:
    """Villages in national poverty counties as printed: the different numbers of each year."""
    table = data.load("villages/poverty")
    table = table[
        table["category"].eq("national-level poverty counties") & table["quantity"].eq("n_villages")
    ]
    return {
        int(year): sorted({int(value) for value in rows["value"]})
        for year, rows in table.groupby("year")
    }


def recount(year: int, *, definition: str = WIDE, unknown: str = "deduced") -> pd.Series:
    """Poverty counties with villages, and villages in them, counted from the list.

    Returns
    -------
    Series
        ``counties_low``, ``counties_high``, ``villages_low``, ``villages_high``: without and with
        the counties of unknown status.
    """
    table = listed_counties(year, definition=definition, unknown=unknown)
    sure, maybe = table[table["poor"] == "yes"], table[table["poor"] != "no"]
    return pd.Series(
        {
            "counties_low": len(sure),
            "counties_high": len(maybe),
            "villages_low": int(sure["n_villages"].sum()),
            "villages_high": int(maybe["n_villages"].sum()),
        },
        name=year,
    )


def n_poverty_counties(definition: str = WIDE) -> int:
    """How many counties a definition names: 832 or 592."""
    table = data.load("villages/poverty")
    rows = table[
        table["category"].eq(DEFINITIONS[definition][1]) & table["quantity"].eq("n_counties_total")
    ]
    return int(rows["value"].max())


def county_units(others: str = OTHERS[0]) -> pd.DataFrame:
    """County-level units with at least one committee, in the official codes of 2016.

    Parameters
    ----------
    others : str
        One of `OTHERS`: all of them; counties and county-level cities (a few poverty "counties"
        are districts, so this overstates the others a little); or all in the provinces that have
        poverty counties.
    """
    units = data.load("counties/units")
    units = units[units["administrative_villages"] + units["residents_committees"] > 0]
    if others == OTHERS[1]:
        units = units[units["kind"] != "district"]
    elif others == OTHERS[2]:
        units = units[~units["province_code"].isin(WITHOUT_POVERTY_COUNTIES)]
    elif others != OTHERS[0]:
        raise ValueError(f"others is {others!r}; use one of {', '.join(OTHERS)}")
    return units.reset_index(drop=True)


def other_counties(
    year: int, *, definition: str = WIDE, unknown: str = "deduced", others: str = OTHERS[0]
) -> pd.Series:
    """How often counties that are not poverty counties have villages.

    Returns
    -------
    Series
        ``with_low``, ``with_high`` (counties with villages), ``total`` (counties), ``share_low``,
        ``share_high`` (percent).
    """
    listed = listed_counties(year, definition=definition, unknown=unknown)
    if others == OTHERS[1]:
        listed = listed[~listed["county"].str.endswith("区")]
    elif others == OTHERS[2]:
        listed = listed[~listed["province_code"].isin(WITHOUT_POVERTY_COUNTIES)]
    total = len(county_units(others)) - n_poverty_counties(definition)
    low, high = int((listed["poor"] == "no").sum()), int((listed["poor"] != "yes").sum())
    return pd.Series(
        {
            "with_low": low,
            "with_high": high,
            "total": total,
            "share_low": 100 * low / total,
            "share_high": 100 * high / total,
        }
    )


# ---- what followed, for villages in poverty counties ---------------------------------------------


def poverty_series(*, last: int = 2020, unknown: str = "deduced") -> pd.DataFrame:
    """Villages in national poverty counties by year, recounted and printed, and their share.

    Parameters
    ----------
    last : int
        Last year to show.
    unknown : {"deduced", "left open"}
        See `listed_counties`.

    Returns
    -------
    DataFrame
        Indexed by year from 2014; ``recounted_low`` and ``recounted_high`` (villages, the lists
        of 2014 to 2016, without and with the counties of unknown status), ``printed_low``,
        ``printed_high``, ``all_villages`` (largest printed total), ``share_low`` and
        ``share_high`` (percent of all). NaN where there is no number.
    """
    totals = data.load("villages/national").groupby("year")["n_villages"].max()
    rows = {}
    printed = printed_villages()
    for year in range(2014, last + 1):
        counted: list[float] = []
        if year in provinces.LISTS:
            found = recount(year, unknown=unknown)
            counted = [float(found["villages_low"]), float(found["villages_high"])]
        values = [*printed.get(year, []), *counted]
        rows[year] = {
            "recounted_low": min(counted, default=np.nan),
            "recounted_high": max(counted, default=np.nan),
            "printed_low": min(printed[year]) if year in printed else np.nan,
            "printed_high": max(printed[year]) if year in printed else np.nan,
            "all_villages": float(totals[year]),
            "share_low": 100 * min(values) / totals[year] if values else np.nan,
            "share_high": 100 * max(values) / totals[year] if values else np.nan,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("year")


# ---- persistence ---------------------------------------------------------------------------------


def persistence() -> pd.DataFrame:
    """Villages dropped from list to list, over the rules of matching names.

    Returns
    -------
    DataFrame
        One row a pair of lists: ``from``, ``to``, ``months``, ``n_from``, ``dropped_low``,
        ``dropped_high``, ``rate_low``, ``rate_high`` (percent of the first list) and the same
        ``a_year`` (percent, at a constant rate).
    """
    dates = data.load("villages/list_dates").pivot(index="year", columns="event", values="month")
    month = dates["closing"].fillna(dates["publication"]).map(lambda m: pd.Period(m, "M"))
    rows = []
    for (start, end), pair in data.load("villages/survival").groupby(["year_from", "year_to"]):
        months = (month[end] - month[start]).n
        rate = 100 * pair["n_dropped"] / pair["n_from"]
        row = {
            "from": int(start),
            "to": int(end),
            "months": months,
            "n_from": int(pair["n_from"].max()),
            "dropped_low": int(pair["n_dropped"].min()),
            "dropped_high": int(pair["n_dropped"].max()),
            "rate_low": rate.min(),
            "rate_high": rate.max(),
        }
        for end_name in ("low", "high"):
            kept = 1 - row[f"rate_{end_name}"] / 100
            row[f"a_year_{end_name}"] = 100 * (1 - kept ** (12 / months))
        rows.append(row)
    table = pd.DataFrame(rows)
    return table[table["to"] - table["from"] == 1].reset_index(drop=True)


def rename_effect() -> pd.DataFrame:
    """What each rule of matching names does to the number of dropped villages.

    Returns
    -------
    DataFrame
        Indexed by rule ("exact", "normalised", "loose"); one column a pair of lists.
    """
    table = data.load("villages/survival")
    rule = table["match_rule"].str.partition(":")[0]
    pair = table["year_from"].astype(str) + " to " + table["year_to"].astype(str)
    return pd.crosstab(rule, pair, table["n_dropped"], aggfunc="sum").rename_axis(
        index="rule", columns=None
    )
