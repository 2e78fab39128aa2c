"""The economic sustainability of Taobao Villages (claims C32 to C37).

Poverty counties, infrastructure, competition and margins, and which villages stay on the list.
Counties and villages are never mixed: a county counts once, however many villages it has. The
lists are complete, so shares of them carry no sampling interval; what varies is the definition of
a poverty county and what is known of a county's status. Models between provinces are associations.
`entry` is an illustration and touches no claim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.outliers_influence import variance_inflation_factor

from taobao_villages import coding, data, provinces, statistics
from taobao_villages.claims import Claim, Evidence, Rule
from taobao_villages.provinces import LISTS, YEARS

SEED = 20170901  # the article's day of publication

# The two meanings of "national poverty county": columns of villages/poverty_status, and how many.
DEFINITIONS: Mapping[str, tuple[str, str]] = {
    "832 national poverty counties": (
        "national_poverty_county",
        "national-level poverty counties (832)",
    ),
    "592 key counties": ("key_county", "national-level poverty counties"),
}
WIDE, NARROW = DEFINITIONS
STATED_COUNTIES = 18  # in the article
# Lists for which the definition of a village itself changed; chapter after_2017 tells how.
REDEFINED = (2015, 2019, 2020)
# Provinces of the official East whose poverty counties were moved to other provinces in 2001.
# Hebei, Hainan and Guangxi lie on the coast too and kept theirs.
WITHOUT_POVERTY_COUNTIES = ("11", "12", "21", "31", "32", "33", "35", "37", "44")
ENGLISH = {  # poverty counties on the lists; Nankang was a city before it became a district
    "平乡县": "Pingxiang",
    "曲阳县": "Quyang",
    "安图县": "Antu",
    "郧西县": "Yunxi",
    "鹤庆县": "Heqing",
    "镇平县": "Zhenping",
    "南康市": "Nankang",
    "南康区": "Nankang",
}
OTHERS = ("all other counties", "without city districts", "same provinces only")
CHANCE = ("counties", "counties in the same provinces", "villages", "rural residents")


# ---- poverty counties: what the lists say (C36) ---------------------------------------------


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
    if year not in LISTS:
        raise ValueError(f"no complete list for {year}; complete are {', '.join(map(str, LISTS))}")
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
    units = data.load("provinces/county_units")
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


# ---- what chance would give -----------------------------------------------------------------


@cache
def chance(
    year: int = 2016,
    *,
    model: str = CHANCE[0],
    definition: str = WIDE,
    draws: int = 999,
    seed: int = SEED,
) -> np.ndarray:
    """Poverty counties that would have a village if place did not matter: a simulation.

    Which counties are poor is not known by name, only how many. So each draw first picks that
    many counties at random in the provinces that have poverty counties (no city districts), and
    then lets the villages fall.

    Parameters
    ----------
    year : {2014, 2015, 2016}
    model : str
        One of `CHANCE`. The first two keep the clustering: as many counties as have villages are
        drawn among all counties, or among those of the provinces with poverty counties. The other
        two drop each village by itself, in proportion to administrative villages, or to the rural
        residents of the province and its administrative villages within.
    definition : str
        One of `DEFINITIONS`.
    draws, seed : int

    Returns
    -------
    ndarray, shape (draws,)
        Poverty counties with at least one village.
    """
    rng = np.random.default_rng(seed)
    units, eligible, weights = _urn(model)
    poor = n_poverty_counties(definition)
    listed = listed_counties(year)
    if model == CHANCE[1]:
        listed = listed[~listed["province_code"].isin(WITHOUT_POVERTY_COUNTIES)]
    found = np.empty(draws, dtype=int)
    for draw in range(draws):
        member = np.zeros(len(units), dtype=bool)
        member[rng.choice(eligible, size=poor, replace=False)] = True
        if weights is None:
            found[draw] = member[rng.choice(len(units), size=len(listed), replace=False)].sum()
        else:
            fallen = rng.multinomial(listed["n_villages"].sum(), weights)
            found[draw] = (member & (fallen > 0)).sum()
    return found


def expected_by_chance(
    year: int = 2016, *, model: str = CHANCE[0], definition: str = WIDE
) -> float:
    """The mean of `chance`, worked out instead of simulated."""
    units, eligible, weights = _urn(model)
    poor = n_poverty_counties(definition)
    listed = listed_counties(year)
    if model == CHANCE[1]:
        listed = listed[~listed["province_code"].isin(WITHOUT_POVERTY_COUNTIES)]
    if weights is None:
        return float(len(listed) * poor / len(units))
    hit = 1 - (1 - weights) ** int(listed["n_villages"].sum())
    return float(hit[eligible].sum() * poor / len(eligible))


def _urn(model: str) -> tuple[pd.DataFrame, np.ndarray, np.ndarray | None]:
    """County units with villages to draw from, places that can be poor, and weights."""
    if model not in CHANCE:
        raise ValueError(f"model is {model!r}; use one of {', '.join(CHANCE)}")
    units = county_units(OTHERS[2] if model == CHANCE[1] else OTHERS[0])
    units = units[units["administrative_villages"] > 0].reset_index(drop=True)
    kept = ~units["province_code"].isin(WITHOUT_POVERTY_COUNTIES)
    eligible = np.flatnonzero(kept & (units["kind"] != "district"))
    weights = None
    if model in CHANCE[2:]:
        size = units["administrative_villages"].astype(float)
        if model == CHANCE[3]:
            within = size / size.groupby(units["province_code"]).transform("sum")
            size = within * units["province_code"].map(provinces.base("rural_population", 2016))
        weights = (size / size.sum()).to_numpy()
    return units, eligible, weights


def _coastal_villages(definition: str) -> int:
    """Villages of 2016 in counties known to be poor, in provinces with a coast."""
    listed = listed_counties(2016, definition=definition)
    coastal = data.load("provinces/provinces").set_index("province_code")["coastal"]
    here = listed["poor"].eq("yes") & listed["province_code"].map(coastal)
    return int(listed.loc[here, "n_villages"].sum())


POVERTY_SOURCES = ("zhwiki_poverty_counties", "nbs_divcodes_2016")


def poverty_evidence(
    *,
    definition: str = WIDE,
    unknown_status: str = "deduced",
    others: str = OTHERS[0],
    model: str = CHANCE[0],
    draws: int = 999,
) -> Evidence:
    """Evidence for C36: poverty counties with villages in 2016, against others and chance."""
    found = recount(2016, definition=definition, unknown=unknown_status)
    rest = other_counties(2016, definition=definition, unknown=unknown_status, others=others)
    total = n_poverty_counties(definition)
    random = chance(2016, model=model, definition=definition, draws=draws)
    share = 100 * found[["counties_low", "counties_high"]] / total
    status = data.load("villages/poverty_status")
    details: dict[str, float] = {name: int(value) for name, value in found.items()}
    details |= {
        "poor_total": total,
        "stated_counties": STATED_COUNTIES,
        "units": len(county_units()),
        "others_with": int(rest["with_low"]),
        "others_total": int(rest["total"]),
        "others_share": round(float(rest["share_low"]), 1),
        "ratio_low": round(float(rest["share_low"] / share.iloc[1]), 1),
        "ratio_high": round(float(rest["share_high"] / share.iloc[0]), 1),
        "chance": round(float(random.mean()), 1),
        "chance_low": round(float(np.quantile(random, 0.025))),
        "chance_high": round(float(np.quantile(random, 0.975))),
        "chance_share": round(100 * float(random.mean()) / total, 1),
        "as_few_by_chance": round(float(1 + (random <= found["counties_high"]).sum())
                                  / (1 + draws), 3),
        "coast_villages": _coastal_villages(definition),
        "listed": len(listed_counties(2016)),
        "same_provinces": int((~listed_counties(2016)["province_code"]
                               .isin(WITHOUT_POVERTY_COUNTIES)).sum()),
    }  # fmt: skip
    for key, name in zip(("any", "same", "by_village", "by_people"), CHANCE, strict=True):
        drawn = chance(2016, model=name, definition=definition, draws=draws)
        details |= {
            f"{key}_chance": round(float(drawn.mean())),
            f"{key}_low": round(float(np.quantile(drawn, 0.025))),
            f"{key}_high": round(float(np.quantile(drawn, 0.975))),
        }
    for year in YEARS:
        wide = recount(year)
        details[f"villages_{year}"] = int(wide["villages_low"])
        details[f"open_{year}"] = int(recount(year, unknown="left open")["counties_high"])
        printed = printed_villages().get(year)
        if printed:
            details[f"printed_{year}"] = printed[0]
    narrow = recount(2016, definition=NARROW)
    details |= {
        "wide": n_poverty_counties(WIDE),
        "key": n_poverty_counties(NARROW),
        "key_low": int(narrow["counties_low"]),
        "key_high": int(narrow["counties_high"]),
        "pingxiang": int(listed_counties(2016).set_index("county").loc["平乡县", "n_villages"]),
    }
    return Evidence(
        value=round(float(share.iloc[0]), 1),
        unit="%",
        interval=(round(float(share.iloc[0]), 1), round(float(share.iloc[1]), 1)),
        interval_kind="without and with the counties of unknown status; no sampling, a census",
        n=total,
        n_unit="poverty counties",
        sources=sorted(
            {
                "li2017",
                "ali2015en",
                *LISTS.values(),
                *POVERTY_SOURCES,
                *(part for ids in status["source_id"] for part in ids.split(";")),
            }
        ),
        details=details,
        limits=(
            "The official list was not found in full. The status of each listed county was looked "
            "up one by one, some of it in weak copies; the printed totals of 2014 and 2015 check "
            "it. The report that the article cites could not be read."
        ),
    )


def decide_poverty(evidence: Evidence) -> tuple[str, str]:
    """Rule of C36."""
    found = evidence.details
    fits = found["counties_low"] <= found["stated_counties"] <= found["counties_high"]
    if found["ratio_high"] < 1:
        return "contradicted", "Poverty counties stand on the list more often than others."
    if found["ratio_low"] <= 1:
        return (
            "reproduced in part" if fits else "not reproduced",
            "Whether poverty counties are rarer on the list depends on counties of unknown status.",
        )
    if fits:
        return "reproduced", "The recount allows the stated number, and other counties have more."
    return (
        "reproduced in part",
        "Poverty counties are rarer on the list than others, even more so than stated; but "
        f"{found['stated_counties']} is very likely not a number of counties: by our recount the "
        f"list has between {found['counties_low']} and {found['counties_high']} of them, with at "
        f"least {found['villages_low']} villages.",
    )


C36 = Claim(
    "C36",
    evidence=poverty_evidence,
    rule=Rule(
        "Reproduced if the stated number lies within the recount of counties from the list of "
        "2016, and poverty counties have villages less often than other counties, whatever the "
        "counties of unknown status are. In part if only one of the two holds, not reproduced if "
        "none; contradicted if poverty counties have villages more often.",
        decide_poverty,
    ),
    variants={
        "definition": (WIDE, NARROW),
        "unknown_status": ("deduced", "left open"),
        "others": OTHERS,
    },
)


# ---- what followed, for villages in poverty counties (C37) ----------------------------------


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
        if year in LISTS:
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


def returnees(after: int = 2017, *, coder: str = "first", doubtful: bool = True) -> set[str]:
    """Cases whose sources, dated after a year, tell of people coming back."""
    rows = coding.codes(coder=coder, doubtful=doubtful)
    rows = rows[rows["dimension"].eq("social_change") & rows["code"].eq("returnees")]
    dated = rows["source_id"].map(_source_year)
    return set(rows.loc[dated > after, "case_id"])


def _source_year(source: str) -> float:
    """Year of a source, NaN if it has none."""
    date = data.sources().loc[source, "date"]
    return float(date[:4]) if date else float("nan")


def after_evidence(
    *,
    first_list: int = 2016,
    last_list: int = 2018,
    unknown_status: str = "deduced",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C37: the share of villages that lie in poverty counties, before and after."""
    series = poverty_series(unknown=unknown_status)
    first, last, end = series.loc[first_list], series.loc[last_list], series.iloc[-1]
    low, high = last["share_low"] / first["share_high"], last["share_high"] / first["share_low"]
    back = returnees(coder=coder, doubtful=doubtful)
    poverty = data.load("villages/poverty")
    rows = poverty[
        poverty["year"].isin([first_list, last_list])
        & poverty["quantity"].eq("n_villages")
        & poverty["category"].eq("national-level poverty counties")
    ]
    counties = poverty[
        poverty["quantity"].eq("n_counties_with_villages") & poverty["year"].eq(2020)
    ]
    kept = persistence().set_index("to").loc[2016]
    counted = recount(2016, unknown=unknown_status)
    return Evidence(
        value=round(float(np.sqrt(low * high)), 2),
        unit=f"times the share of {first_list} in {last_list}, in the middle of the range",
        interval=(round(float(low), 2), round(float(high), 2)),
        interval_kind="range over sources and over the counties of unknown status",
        n=int(last["all_villages"]),
        n_unit=f"villages on the list of {last_list}",
        sources=sorted({*rows["source_id"], *counties["source_id"], *LISTS.values()}),
        details={
            "first": first_list,
            "last": last_list,
            "redefined": sum(first_list < year <= last_list for year in REDEFINED),
            "villages_start": int(counted["villages_low"]),
            "villages_start_high": int(counted["villages_high"]),
            "villages_end": int(end["printed_high"]),
            "start_low": round(float(series.loc[2016, "share_low"]), 2),
            "start_high": round(float(series.loc[2016, "share_high"]), 2),
            "last_low": round(float(last["share_low"]), 2),
            "last_high": round(float(last["share_high"]), 2),
            "share_end": round(float(end["share_high"]), 2),
            "counties_2016": int(counted["counties_low"]),
            "counties_2016_high": int(counted["counties_high"]),
            "counties_2020": int(counties["value"].iloc[0]),
            "returnee_cases": len(back),
            "dropped_low": int(kept["dropped_low"]),
            "dropped_high": int(kept["dropped_high"]),
            "dropped_share_low": round(float(kept["rate_low"]), 1),
            "dropped_share_high": round(float(kept["rate_high"]), 1),
            "renamed": int(kept["dropped_high"] - kept["dropped_low"]),
        },
        limits=(
            "It bears on the worry and cannot prove it wrong: the worry is conditional, and the "
            "definition of the lists changed in 2015, 2019 and 2020, so only the lists between "
            "compare. Nobody counted returning migrants by village."
        ),
    )


def decide_after(evidence: Evidence) -> tuple[str, str]:
    """Rule of C37."""
    low, high = evidence.interval or (np.nan, np.nan)
    if low <= 1 <= high:
        return (
            "reproduced in part",
            "The share may have fallen or risen: it depends on the counties of unknown status and "
            "on the source.",
        )
    if evidence.details["redefined"]:
        return (
            "reproduced in part",
            f"The share {'rose' if low > 1 else 'fell'}, but the definition of the lists changed "
            "between the two, and that alone may have moved it.",
        )
    if low > 1:
        return (
            "not reproduced",
            "What was feared did not come by then: poverty counties had a larger share of the "
            "villages than before.",
        )
    return "reproduced", "Poverty counties had a smaller share of the villages than before."


C37 = Claim(
    "C37",
    evidence=after_evidence,
    rule=Rule(
        "The worry is read as: poverty counties fall behind. Compared are two lists under one "
        "definition. Reproduced if their share of all villages fell between the two under every "
        "source and whatever the counties of unknown status are, not reproduced if it rose under "
        "all of them, in part otherwise. In part at best, either way, if the definition changed "
        "between the two lists. That people returned is reported beside it and does not decide: "
        "nobody counted them.",
        decide_after,
        changes=(
            "2026-11-26: compares 2016 with 2018, not with 2020, since the definition changed in "
            "2019 and 2020, and a pair that crosses a change is in part at best; the number of "
            "2016 is a range, as in C36. Before, the lowest number of 2016 was taken as exact. "
            "The verdict moved from not reproduced to in part.",
        ),
    ),
    variants={
        "first_list": (2016, 2015, 2017),
        "last_list": (2018, 2017),
        "unknown_status": ("deduced", "left open"),
    },
    skip=lambda first_list, last_list, unknown_status: (
        first_list == last_list or (first_list == 2017 and unknown_status == "left open")
    ),
)


# ---- persistence ----------------------------------------------------------------------------


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


# ---- infrastructure (C35) -------------------------------------------------------------------

ROADS = {"per area": "land", "per resident": "people"}
INCOMES = ("disposable income", "output")
ROAD_SOURCES = ("nbs_transport_ttc", "area_marioarace", "nbs_pop_2023", "renjiyi_compiled")


def road_frame(
    year: int = 2016,
    *,
    roads: str = "per area",
    income: str = "disposable income",
    exposure: str = "rural_population",
    sample: str = "all provinces",
) -> pd.DataFrame:
    """Provinces with villages, exposure and covariates in standard deviations of the logarithm.

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
        ``density`` (residents per square kilometre) and ``parcels`` (sent per resident in the
        first half of 2016; NaN for 8 provinces).
    """
    people = provinces.base("population", year)
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
            "parcels": np.log(parcels),
        }
    )
    size = provinces.base(exposure, year).rename("exposure")
    frame = pd.concat([provinces.villages(year), size, frame], axis=1)
    if sample == "inland provinces":
        coast = data.load("provinces/provinces").set_index("province_code")["coastal"]
        frame = frame[~coast]
    covariates = ["roads", "income", "density", "parcels"]
    frame[covariates] = (frame[covariates] - frame[covariates].mean()) / frame[covariates].std(
        ddof=0
    )
    return frame


def road_model(
    covariates: Sequence[str] = ("roads", "income"),
    *,
    family: statistics.Family = "quasi-poisson",
    **choices,
) -> statistics.CountModel:
    """Count model of villages by province; rate ratios for one standard deviation.

    Parameters
    ----------
    covariates : sequence of str
        Of ``roads``, ``income``, ``density``, ``parcels``; at most one for ten provinces.
        Provinces without a value are left out.
    family : str
        See `statistics.count_model`.
    **choices
        See `road_frame`.
    """
    frame = road_frame(**choices).dropna(subset=list(covariates))
    return statistics.count_model(
        frame, "n_villages", list(covariates), exposure="exposure", family=family
    )


def infrastructure_evidence(
    *,
    measure_of_roads: str = "per area",
    income: str = "disposable income",
    exposure: str = "rural_population",
    family: statistics.Family = "quasi-poisson",
    year: int = 2016,
    held_constant: str = "income",
    sample: str = "all provinces",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C35: roads and villages by province, and cases that name infrastructure."""
    choices = {"roads": measure_of_roads, "income": income, "exposure": exposure, "year": year}
    terms = ["roads", "income"] if held_constant == "income" else ["roads", "income", "density"]
    if sample != "all provinces":
        terms = terms[:2]  # 20 provinces allow two covariates
    model = road_model(terms, family=family, sample=sample, **choices)
    effect = model.effects.set_index("covariate").loc["roads"]
    named = coding.reported(
        "sustainability_pressure", "infrastructure", coder=coder, doubtful=doubtful
    )
    cases = data.load("cases/cases").set_index("case_id")
    inland = sorted(case for case in named if cases.loc[case, "region4"] != "East")
    codes = coding.codes(coder=coder, doubtful=doubtful)
    used = codes[
        codes["dimension"].eq("sustainability_pressure") & codes["concept"].eq("infrastructure")
    ]
    if not model.converged:
        return Evidence(None, "", (), limits="The model has no finite estimate for these choices.")
    return Evidence(
        value=round(float(effect["rate_ratio"]), 2),
        unit="times the villages for one standard deviation more roads, income held",
        interval=(round(float(effect["low"]), 2), round(float(effect["high"]), 2)),
        interval_kind="95% confidence interval",
        n=model.n,
        n_unit="provinces",
        sources=sorted({*ROAD_SOURCES, LISTS[year], *used["source_id"]}),
        details={
            "cases": len(named),
            "cases_inland": len(inland),
            "dispersion": round(float(model.dispersion), 1),
            **{
                f"{row['covariate']}_{end}": round(float(row[end]), 2)
                for row in model.effects.to_dict("records")
                for end in ("rate_ratio", "low", "high")
            },
        },
        limits=(
            "An association between provinces, not an effect of roads. Internet access and power "
            "by province are missing for these years, so utilities stand in the cases only. Roads "
            "are also built where people trade."
        ),
    )


def decide_infrastructure(evidence: Evidence) -> tuple[str, str]:
    """Rule of C35."""
    low, high = evidence.interval or (np.nan, np.nan)
    named = evidence.details["cases_inland"] >= 2
    if low > 1 and named:
        return "reproduced", "Roads go with villages between provinces, and inland cases say so."
    if low > 1:
        return "reproduced in part", "Roads go with villages between provinces; few cases say so."
    if high < 1:
        return "contradicted", "With income held, provinces with more roads have fewer villages."
    if named:
        return (
            "reproduced in part",
            "Sources on inland places name roads or networks as an obstacle; between provinces, "
            "with income held, an association with roads cannot be told from none.",
        )
    return "not reproduced", "Neither the provinces nor the cases bear it out."


C35 = Claim(
    "C35",
    evidence=infrastructure_evidence,
    rule=Rule(
        "Two kinds of evidence: the interval of the rate ratio of roads, with income held, lies "
        "above 1; and at least two inland cases have a source that names roads, transport or "
        "networks as an obstacle. Reproduced if both hold, in part if one, not reproduced if "
        "none; contradicted if the interval lies below 1.",
        decide_infrastructure,
    ),
    variants={
        "measure_of_roads": tuple(ROADS),
        "income": INCOMES,
        "exposure": ("rural_population", "administrative_villages", "population"),
        "family": ("quasi-poisson", "negative binomial"),
        "year": (2016, 2015),
        "held_constant": ("income", "income and density"),
        "sample": ("all provinces", "inland provinces"),
    },
    skip=lambda **choices: (
        choices["sample"] != "all provinces" and choices["held_constant"] != "income"
    ),
)


def specifications() -> pd.DataFrame:
    """Every model of the specification curve: the rate ratio of roads.

    Returns
    -------
    DataFrame
        Columns ``covariates``, ``roads``, ``income``, ``exposure``, ``family``, ``year``,
        ``rate_ratio``, ``low``, ``high``; sorted by the rate ratio. Fits that did not converge
        are left out.
    """
    rows = []
    for covariates in (("roads",), ("roads", "income"), ("roads", "income", "density")):
        for roads in ROADS:
            for income in INCOMES if "income" in covariates else INCOMES[:1]:
                for exposure in ("rural_population", "administrative_villages"):
                    for family in ("quasi-poisson", "negative binomial"):
                        for year in YEARS:
                            choices = {"roads": roads, "income": income, "exposure": exposure}
                            model = road_model(covariates, family=family, year=year, **choices)
                            effect = model.effects.set_index("covariate").loc["roads"]
                            rows.append(
                                {
                                    "covariates": " + ".join(covariates),
                                    **choices,
                                    "family": family,
                                    "year": year,
                                    **effect[["rate_ratio", "low", "high"]].astype(float),
                                }
                            )
    table = pd.DataFrame(rows).dropna(subset=["rate_ratio"])
    return table.sort_values("rate_ratio", ignore_index=True)


def inflation(frame: pd.DataFrame) -> pd.Series:
    """Variance inflation factor of each column given the others.

    Parameters
    ----------
    frame : DataFrame
        Covariates, one column each, without missing values.

    Returns
    -------
    Series
        1 where a covariate is unrelated to the others; 10 means that nine tenths of its variance
        are theirs.

    Notes
    -----
    1 / (1 - R squared) of the regression on the others; by statsmodels. Belsley, Kuh and Welsch
    (1980), Regression Diagnostics, ch. 3.
    """
    design = np.column_stack([np.ones(len(frame)), frame.to_numpy(float)])
    return pd.Series(
        [variance_inflation_factor(design, i + 1) for i in range(frame.shape[1])],
        index=frame.columns,
        name="inflation",
    )


# ---- competition (C33) ----------------------------------------------------------------------

IMITATION = {
    "copying or disputes over it": ("homogenisation", "ipr_dispute"),
    "copying": ("homogenisation",),
}
RIVALRY = {
    "price war or falling profit": ("price_war", "profit_decline"),
    "price war": ("price_war",),
}


def pressures(*, coder: str = "first", doubtful: bool = True) -> pd.DataFrame:
    """Cases for which a source names a pressure, and what is reported of each.

    Returns
    -------
    DataFrame of bool
        Indexed by case; columns ``copying``, ``dispute``, ``price_war``, ``falling_profit``,
        ``better_product``. False means not reported.
    """
    told: dict[str, Any] = {"coder": coder, "doubtful": doubtful}
    pressure = "sustainability_pressure"
    columns = {
        "copying": coding.reported(pressure, "homogenisation", **told),
        "dispute": coding.reported(pressure, "ipr_dispute", **told),
        "price_war": coding.reported(pressure, "price_war", **told),
        "falling_profit": coding.reported(pressure, "profit_decline", **told),
        "better_product": coding.reported("upgrading", "better_product", **told),
    }
    cases = sorted(coding.reported(pressure, **told))
    return pd.DataFrame(
        {name: [case in found for case in cases] for name, found in columns.items()},
        index=pd.Index(cases, name="case_id"),
    )


def co_reporting(
    imitation: str = "copying or disputes over it",
    rivalry: str = "price war or falling profit",
    *,
    among: str = "cases with a pressure",
    coder: str = "first",
    doubtful: bool = True,
) -> pd.Series:
    """Are imitation and rivalry reported for the same places more often than chance?

    Parameters
    ----------
    imitation, rivalry : str
        Keys of `IMITATION` and `RIVALRY`.
    among : {"cases with a pressure", "all cases"}
        Among all cases, places of which much is written score on everything.

    Returns
    -------
    Series
        ``both``, ``imitation_only``, ``rivalry_only``, ``neither`` (cases reported so), ``p``
        (Fisher's exact test, one-sided), ``share_low`` and ``share_high``: percent of the places
        with imitation that have rivalry, if none or all of the unreported had it.
    """
    told: dict[str, Any] = {"coder": coder, "doubtful": doubtful}
    pressure = "sustainability_pressure"
    one = coding.reported(pressure, *IMITATION[imitation], **told)
    two = coding.reported(pressure, *RIVALRY[rivalry], **told)
    n = (
        len(data.load("cases/cases"))
        if among == "all cases"
        else len(coding.reported(pressure, **told))
    )
    both = len(one & two)
    table = [[both, len(one) - both], [len(two) - both, n - len(one | two)]]
    low, high = statistics.share_bounds(both, 0, max(len(one), 1))
    return pd.Series(
        {
            "both": both,
            "imitation_only": table[0][1],
            "rivalry_only": table[1][0],
            "neither": table[1][1],
            "p": float(stats.fisher_exact(table, alternative="greater").pvalue),
            "share_low": 100 * low,
            "share_high": 100 * high if one else np.nan,
        }
    )


def competition_evidence(
    *,
    imitation: str = "copying or disputes over it",
    rivalry: str = "price war or falling profit",
    among: str = "cases with a pressure",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C33: places with imitation, rivalry and better products."""
    told: dict[str, Any] = {"coder": coder, "doubtful": doubtful}
    found = co_reporting(imitation, rivalry, among=among, **told)
    copies = coding.reported("sustainability_pressure", *IMITATION[imitation], **told)
    better = copies & coding.reported("upgrading", "better_product", **told)
    rows = coding.codes(**told)
    names = {*IMITATION[imitation], *RIVALRY[rivalry]}
    used = rows[rows["dimension"].eq("sustainability_pressure") & rows["concept"].isin(names)]
    if not copies:
        return Evidence(None, "", (), limits="No case has a source that reports imitation.")
    # No code says that a place did not improve its goods, so none of the others is a "no".
    better_low, better_high = statistics.share_bounds(len(better), 0, len(copies))
    return Evidence(
        value=int(found["both"]),
        unit=f"of {len(copies)} places with imitation that also have rivalry reported",
        interval=(round(float(found["share_low"]), 1), round(float(found["share_high"]), 1)),
        interval_kind="share in percent if none, or all, of the not-reported had it",
        n=int(found[["both", "imitation_only", "rivalry_only", "neither"]].sum()),
        n_unit="coded cases",
        sources=sorted(set(used["source_id"])),
        details={
            "imitation": len(copies),
            "rivalry_only": int(found["rivalry_only"]),
            "neither": int(found["neither"]),
            "p": round(float(found["p"]), 3),
            "better": len(better),
            "better_low": round(100 * better_low, 1),
            "better_high": round(100 * better_high, 1),
        },
        limits=(
            "Places that people wrote about, not a sample. Reported together is not cause and "
            "effect, and a source that looks for trouble finds several kinds of it."
        ),
    )


def decide_competition(evidence: Evidence) -> tuple[str, str]:
    """Rule of C33."""
    low, high = evidence.interval or (np.nan, np.nan)
    found = evidence.details
    together = found["p"] < 0.05
    little = found["better_high"] < 50
    if low >= 50 and together and little:
        return "reproduced", "Imitation comes with rivalry, and better products are rare."
    if low >= 50 or together:
        improving = (
            "at least half of these places are also reported to improve their goods"
            if found["better_low"] >= 50
            else "how many of these places improve their goods is not known: "
            f"{found['better_low']:g}% to {found['better_high']:g}%"
        )
        missing = [
            text
            for holds, text in (
                (low >= 50, "rivalry is reported for fewer than half of the places with imitation"),
                (together, "the two are not reported together more often than chance allows"),
                (little, improving),
            )
            if not holds
        ]
        return "reproduced in part", f"Some places show it; but {'; '.join(missing)}."
    if high < 50:
        return "contradicted", "Fewer than half of the places with imitation can have rivalry."
    return (
        "not reproduced",
        "Rivalry is reported for fewer than half of the places with imitation, and not more often "
        "than elsewhere.",
    )


C33 = Claim(
    "C33",
    evidence=competition_evidence,
    rule=Rule(
        "Reproduced if at least half of the places with imitation also have a source that reports "
        "a price war or falling profit; if the two are reported together more often than chance "
        "allows (Fisher's exact test, one-sided p under 0.05); and if fewer than half of these "
        "places can have better products, counting the not-reported as having them. In part if the "
        "first or the second holds. Contradicted if the highest possible share is under half.",
        decide_competition,
        changes=(
            "2026-11-26: a place for which no source reports better products no longer counts as "
            "one without them; the highest possible share must be under half. The verdict did not "
            "change, but two variants are in part instead of reproduced.",
        ),
    ),
    variants={
        "imitation": tuple(IMITATION),
        "rivalry": tuple(RIVALRY),
        "among": ("cases with a pressure", "all cases"),
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
)


# ---- margins and sales (C34) ----------------------------------------------------------------

SCALES = ("village", "town", "county", "prefecture")
UNSURE = ("expected", "guess")


def margins() -> pd.DataFrame:
    """Documented profit margins: one row a place and year.

    Returns
    -------
    DataFrame
        ``case_id``, ``year``, ``margin`` (percent), ``scale``, ``qualifier``, ``source_id``.
    """
    table = data.load("cases/case_series")
    table = table[table["indicator"] == "profit_margin_pct"].rename(columns={"value": "margin"})
    return table[["case_id", "year", "margin", "scale", "qualifier", "source_id"]].reset_index(
        drop=True
    )


def _annual_series() -> pd.DataFrame:
    """Documented series of places without guesses, forecasts and parts of a year."""
    table = data.load("cases/case_series")
    whole = table["period"] == "year"
    return table[table["scale"].isin(SCALES) & ~table["qualifier"].isin(UNSURE) & whole]


def sales_per_shop() -> pd.DataFrame:
    """Sales per shop where one place has both for a year, at the same scale.

    Returns
    -------
    DataFrame
        ``case_id``, ``year``, ``scale``, ``sales`` (million yuan), ``shops``, ``per_shop_low``,
        ``per_shop_high`` (million yuan; several sources give a range), ``source_id``.
    """
    table = _annual_series()
    key = ["case_id", "year", "scale"]
    sales = table[table["indicator"] == "sales_rmb_million"]
    shops = table[table["indicator"] == "shops"]
    both = sales.merge(shops, on=key, suffixes=("_sales", "_shops"))
    both["per_shop"] = both["value_sales"] / both["value_shops"]
    both["ids"] = both["source_id_sales"] + ";" + both["source_id_shops"]
    grouped = both.groupby(key)
    out = grouped.agg(
        sales=("value_sales", "max"),
        shops=("value_shops", "max"),
        per_shop_low=("per_shop", "min"),
        per_shop_high=("per_shop", "max"),
        source_id=("ids", lambda ids: ";".join(sorted({p for i in ids for p in i.split(";")}))),
    )
    return out.reset_index()


def sales_growth(*, until: int = 2025) -> pd.DataFrame:
    """First and last documented sales of each place, at the same scale.

    Parameters
    ----------
    until : int
        Leave later years out.

    Returns
    -------
    DataFrame
        ``case_id``, ``scale``, ``first``, ``last`` (years), ``sales_first``, ``sales_last``
        (million yuan), ``direction``: "rose" or "fell" if every source of the last year is above
        or below every one of the first, else "unclear".
    """
    table = _annual_series()
    table = table[table["indicator"].eq("sales_rmb_million") & table["year"].le(until)]
    rows = []
    for (case, scale), group in table.groupby(["case_id", "scale"]):
        years = sorted(set(group["year"]))
        if len(years) < 2:
            continue
        first, last = (group.loc[group["year"] == year, "value"] for year in (years[0], years[-1]))
        direction = (
            "rose"
            if last.min() > first.max()
            else "fell"
            if last.max() < first.min()
            else "unclear"
        )
        rows.append(
            {
                "case_id": case,
                "scale": scale,
                "first": years[0],
                "last": years[-1],
                "sales_first": float(first.max()),
                "sales_last": float(last.max()),
                "direction": direction,
            }
        )
    columns = ["case_id", "scale", "first", "last", "sales_first", "sales_last", "direction"]
    return pd.DataFrame(rows, columns=columns)


def thin_profit(
    *, sources: str = "press", until: int = 2025, coder: str = "first", doubtful: bool = True
) -> dict[str, set[str]]:
    """Places of which a source reports falling or little profit, with the sources.

    Parameters
    ----------
    sources : {"press", "any"}
        Press and its reprints, or every kind.
    until : int
        Year of the latest source to count.
    """
    rows = coding.codes(coder=coder, doubtful=doubtful)
    rows = rows[
        rows["dimension"].eq("sustainability_pressure") & rows["concept"].eq("profit_decline")
    ]
    rows = pd.concat([rows, data.bearing("market/evidence", "C34:thin_profit")])
    pairs = zip(rows["case_id"], rows["source_id"], strict=True)
    kinds = data.sources()["kind"]
    found: dict[str, set[str]] = {}
    for case, source in pairs:
        media = sources == "any" or kinds[source] in ("press", "reprint")
        if media and _source_year(source) <= until:
            found.setdefault(case, set()).add(source)
    return found


def profit_evidence(
    *,
    sources: str = "press",
    last_year_of_reports: int = 2017,
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C34: places with thin profit reported and growing sales documented."""
    thin = thin_profit(sources=sources, until=last_year_of_reports, coder=coder, doubtful=doubtful)
    growth = sales_growth(until=last_year_of_reports)
    growth = growth[growth["case_id"].isin(thin)]
    rose = set(growth.loc[growth["direction"] == "rose", "case_id"])
    fell = set(growth.loc[growth["direction"] == "fell", "case_id"]) - rose
    if not thin:
        return Evidence(None, "", (), limits="No source reports thin profit under these choices.")
    low, high = statistics.share_bounds(len(rose), len(fell), len(thin))
    known = margins()
    wantou = known[known["case_id"] == "wantou"].set_index("year")["margin"]
    shops = sales_per_shop().set_index(["case_id", "year"])
    yiwu = shops.loc["qingyanliu"]
    series = data.load("cases/case_series")
    used = series[
        series["case_id"].isin(thin)
        & series["indicator"].eq("sales_rmb_million")
        & series["year"].le(last_year_of_reports)
    ]
    return Evidence(
        value=len(rose),
        unit=f"of {len(thin)} places with thin profit reported whose sales grew",
        interval=(round(100 * low, 1), round(100 * high, 1)),
        interval_kind="share in percent if none, or all, of those without a series grew",
        n=len(thin),
        n_unit="places",
        sources=sorted({*set().union(*thin.values()), *used["source_id"], *known["source_id"]}),
        details={
            "fell": len(fell),
            "margins": len(known),
            "margin_places": known["case_id"].nunique(),
            "margin_first": int(wantou.iloc[0]),
            "margin_last": int(wantou.iloc[-1]),
            "shop_first": round(float(yiwu["per_shop_high"].iloc[0]), 2),
            "shop_last": round(float(yiwu["per_shop_high"].iloc[-1]), 2),
            "shop_first_year": str(yiwu.index[0]),
            "shop_last_year": str(yiwu.index[-1]),
        },
        limits=(
            "Margins are what sellers told reporters, in two places. Sales are claims of sellers "
            "or officials. A report of thin profit says nothing of those who are silent, and "
            "sellers who do well may not complain."
        ),
    )


def decide_profit(evidence: Evidence) -> tuple[str, str]:
    """Rule of C34."""
    rose, fell = int(evidence.value or 0), evidence.details["fell"]
    if rose >= 2 and rose > fell:
        return "reproduced", "At least two places have both: thin profit and growing sales."
    if rose >= 1:
        return "reproduced in part", "Growing sales are documented for one of these places only."
    return "not reproduced", "No place has both documented."


C34 = Claim(
    "C34",
    evidence=profit_evidence,
    rule=Rule(
        '"Some" is read as two. Reproduced if at least two places have both a press report of '
        "thin or falling profit and a documented growth of sales, and more than have falling "
        "sales. In part if only one has; not reproduced if none.",
        decide_profit,
    ),
    variants={
        "last_year_of_reports": (2017, 2016, 2021, 2025),
        "sources": ("press", "any"),
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
)


# ---- upgrading in the literature (C32) ------------------------------------------------------

# Results in cases/sustainability that diagnose a need to upgrade.
DIAGNOSES = ("reasons_for_losing_status",)


def works(*, which: str = "the article's") -> pd.DataFrame:
    """Research on Taobao Villages in the literature table, and whether a diagnosis is coded.

    Parameters
    ----------
    which : {"the article's", "later", "all"}
        Published to 2017, after, or all.

    Returns
    -------
    DataFrame
        Indexed by ``work_key``; ``year``, ``read`` and ``diagnoses`` (bool: a code of a pressure
        or a result that names the need to upgrade, talent included, rests on the work). False
        means not coded.
    """
    table = data.load("literature/works").set_index("work_key")
    chosen = table["on_villages"]
    if which != "all":
        early = table["year"] <= 2017
        chosen = chosen & (early if which == "the article's" else ~early)
    codes = coding.codes()
    coded = set(codes.loc[codes["dimension"] == "sustainability_pressure", "source_id"])
    results = data.load("cases/sustainability")
    coded |= set(results.loc[results["indicator"].isin(DIAGNOSES), "source_id"])
    table = table[chosen]
    return pd.DataFrame(
        {
            "year": table["year"],
            "read": table["read"],
            "diagnoses": [
                bool(coded & set(str(ids).split(";"))) for ids in table["read_source_id"].fillna("")
            ],
        }
    )


def literature_evidence(*, which: str = "the article's") -> Evidence:
    """Evidence for C32: works that diagnose a need to upgrade, with bounds."""
    table = works(which=which)
    n, named = len(table), int(table["diagnoses"].sum())
    low, high = statistics.share_bounds(named, 0, n)
    return Evidence(
        value=named,
        unit=f"of {n} works are coded as naming a need to upgrade",
        interval=(round(100 * low, 1), round(100 * high, 1)),
        interval_kind="share in percent if none, or all, of the works not coded name it",
        n=n,
        n_unit="works on Taobao Villages",
        sources=["project_bibliography", "li2017"],
        details={
            "unread": int((table["read"] == "not_read").sum()),
            "talent_cases": len(coding.reported("sustainability_pressure", "talent_shortage")),
            "pressure_cases": len(coding.reported("sustainability_pressure")),
        },
        limits=(
            "Most of the works could not be read, and those that could were read for their cases, "
            "not for what they advise. The article names none of them for this claim."
        ),
    )


def decide_literature(evidence: Evidence) -> tuple[str, str]:
    """Rule of C32."""
    low, high = evidence.interval or (np.nan, np.nan)
    if low > 50:
        return "reproduced", "More than half of the works name it, whatever the others say."
    if high <= 50:
        return "contradicted", "At most half of the works can name it."
    return (
        "not testable here",
        "The works that would decide it were not read: the share could be anything from "
        f"{low:g}% to {high:g}%.",
    )


C32 = Claim(
    "C32",
    evidence=literature_evidence,
    rule=Rule(
        '"Most" is read as more than half. Reproduced if the lowest possible share of works that '
        "name a need to upgrade is above 50%, contradicted if the highest is not. Not testable "
        "here while the works not coded could tip it either way.",
        decide_literature,
    ),
    variants={"which": ("the article's", "later", "all")},
)


# ---- what later studies found ---------------------------------------------------------------

SIGNS = {"better": "▲ better", "no_difference": "○ none found", "worse": "▼ worse"}


def later_studies() -> pd.DataFrame:
    """Studies of incomes and profits: design, number of units as the source gives it, direction.

    Returns
    -------
    DataFrame
        ``study``, ``design``, ``n``, ``outcome``, ``direction`` (for the people studied).
    """
    table = data.load("cases/sustainability").dropna(subset="direction")
    table = table.sort_values("design", kind="stable", ignore_index=True)
    return pd.DataFrame(
        {
            "study": table["short_name"],
            "design": table["design"],
            "n": table["n"],
            "outcome": table["outcome"],
            "direction": table["direction"].map(SIGNS),
            "source_id": table["source_id"],
        }
    )


# ---- an illustration of entry by imitation, never evidence ----------------------------------


def entry(
    buyers: np.ndarray | Sequence[float],
    *,
    entry_cost: float = 1.0,
    similarity: float = 1.0,
    top_price: float = 3.0,
    unit_cost: float = 1.0,
) -> pd.DataFrame:
    """Shops, margin and sales when anybody may copy a shop: an illustration.

    Each shop sells one good. Buyers pay less the more is sold of it and of goods like it. Shops
    enter until the last one just earns its entry cost.

    Parameters
    ----------
    buyers : array-like, shape (n,)
        Size of the online market, positive; 1 at the start.
    entry_cost : float
        What it costs to set up a shop, in profits of a lone seller at the start.
    similarity : float
        0 (goods have nothing in common) to 1 (all the same), above 0.
    top_price, unit_cost : float
        The price at which nobody buys, and what a piece costs the seller.

    Returns
    -------
    DataFrame
        ``buyers``, ``shops``, ``margin`` (percent of cost), ``sales``, ``sales_per_shop``.

    Raises
    ------
    ValueError
        For a parameter outside its range.

    Notes
    -----
    Demand p_i = a - q_i - s * (sum of the others), by buyer; with m buyers and n shops each sells
    q = (a - c) / (2 + (n - 1) s) per buyer at a price of c + q (Singh and Vives 1984). Free entry
    sets m * q**2 = F (Mankiw and Whinston 1986).
    """
    market = np.asarray(buyers, dtype=float)
    if not (0 < similarity <= 1 and entry_cost > 0 and top_price > unit_cost > 0):
        raise ValueError("similarity above 0 to 1, entry cost above 0, top price above unit cost")
    if (market <= 0).any():
        raise ValueError("buyers: positive numbers")
    alone = (top_price - unit_cost) / 2  # what a lone seller sells to a buyer, and earns on it
    fixed = entry_cost * alone**2
    shops = np.maximum(1.0, 1 + 2 * (alone * np.sqrt(market / fixed) - 1) / similarity)
    each = 2 * alone / (2 + (shops - 1) * similarity)
    sales = market * shops * each * (unit_cost + each)
    return pd.DataFrame(
        {
            "buyers": market,
            "shops": shops,
            "margin": 100 * each / unit_cost,
            "sales": sales,
            "sales_per_shop": sales / shops,
        }
    )
