"""The blooming of Taobao Villages: growth and spatial concentration (claims C15 to C24).

The lists of 2014, 2015 and 2016 are complete, so shares of villages carry no sampling interval:
what varies is the definition of a region and the source, and the intervals here are ranges over
these. Models of association between provinces carry the usual intervals, and are no more than
that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from scipy import optimize, stats

from taobao_villages import data
from taobao_villages.methods import counts, inequality, permutation, shares, space
from taobao_villages.methods.growth import CURVES, constant_rate_test, growth_intervals
from taobao_villages.subjects import coding, provinces, villages
from taobao_villages.verdicts.claims import Claim, Evidence, Rule

EAST = ("coastal", "coastal_without_guangxi", "east_nbs", "six_coastal")
SOUTH = ("south", "south_jiangsu_north", "south_jiangsu_anhui_north", "seat_below_33n")
DELTA_PROVINCES = ("delta", "delta_with_anhui")
DELTAS = ("yrd_16", "yrd_26")
READINGS = ("lists", "printed")  # the named lists, and what other sources print of them
SEED = 20170901  # the article's day of publication


def each_of(values: tuple) -> tuple[tuple, ...]:
    """All values together, then each alone: the variants of a range."""
    return (values, *((value,) for value in values))


# ---- growth (C15, C17) ---------------------------------------------------------------------------


def growth(
    *,
    total_2014: int = 212,
    dates: str = "closing",
    first: str = "2013-12",
    years: Sequence[int] = (2013, *provinces.YEARS),
) -> pd.DataFrame:
    """Growth from list to list.

    Parameters
    ----------
    total_2014 : int
        212 (the named list) or 211 (the other printed total).
    dates, first : str
        The months between which villages grew; see `list_months`.
    years : sequence of int
        The lists to compare. A count before the list of 2013 is taken as that of December.

    Returns
    -------
    DataFrame
        One row an interval: ``from``, ``to``, ``months``, ``n_from``, ``n_to``, ``factor``,
        ``rate`` (continuous, a year), ``doubling_months``, ``additions`` (villages a year).
    """
    count = villages.table_two()["high"].astype(float)
    count[2014] = total_2014
    months = villages.count_months(years, dates=dates, first=first)
    return growth_intervals(count.loc[list(years)], months)


def growth_evidence(
    *, total_2014: int = 212, dates: str = "closing", first: str = "2013-12"
) -> Evidence:
    """Evidence for C15: is one constant rate compatible with 2013-2016?"""
    table = growth(total_2014=total_2014, dates=dates, first=first)
    test = constant_rate_test(table)
    rates = table["rate"]
    details = {"p": float(test["p"]), "inflation": round(float(test["inflation"]), 1)}
    for row in table.to_dict("records"):
        details[f"factor_{row['to']}"] = round(row["factor"], 2)
        details[f"rate_{row['to']}"] = round(row["rate"], 2)
        details[f"doubling_{row['to']}"] = round(row["doubling_months"], 1)
        details[f"additions_{row['to']}"] = round(row["additions"])
        details[f"months_{row['to']}"] = row["months"]
    known = villages.totals()["year"].between(2013, 2016)
    printed = villages.table_two().loc[2014]
    details |= {"low_2014": int(printed["low"]), "high_2014": int(printed["high"])}
    return Evidence(
        value=round(float(rates.max() / rates.min()), 2),
        unit="times as fast in the fastest interval as in the slowest",
        interval=(round(float(rates.min()), 2), round(float(rates.max()), 2)),
        interval_kind="slowest and fastest continuous growth rate a year",
        interval_unit="a year",
        n=len(table),
        n_unit="intervals between dated lists",
        sources=sorted(
            {*villages.totals()[known]["source_id"], *data.load("villages/list_dates")["source_id"]}
        ),
        details=details,
        limits=(
            "Three intervals. No source gives the month of the list of 2013: December is assumed. "
            "The call for the list of 2014 asks for fewer shops than later texts; two reports on "
            "that list do not. If the number rose, the factor of that interval is too low."
        ),
    )


def decide_growth(evidence: Evidence) -> tuple[str, str]:
    """Rule of C15."""
    found = evidence.details
    additions = [found[f"additions_{year}"] for year in provinces.YEARS]
    if found["p"] >= 0.05:
        return "reproduced", "One constant growth rate is compatible with all three intervals."
    if all(later > earlier for earlier, later in pairwise(additions)):
        return (
            "reproduced in part",
            "Growth was faster than linear: each interval added more villages a year than the one "
            "before. But no constant rate fits, so it was not exponential.",
        )
    if min(additions) > 0:
        return "not reproduced", "The number grew, but additions a year did not keep rising."
    return "contradicted", "The number fell in at least one interval."


C15 = Claim(
    "C15",
    evidence=growth_evidence,
    rule=Rule(
        "Reproduced if one constant rate fits the dated lists of 2013 to 2016 (likelihood ratio, "
        "p at least 0.05). In part if it does not, but villages added a year rise from interval "
        "to interval. Not reproduced if they do not rise; contradicted if the number falls.",
        decide_growth,
    ),
    variants={
        "total_2014": (212, 211),
        "dates": ("closing", "publication", "calendar"),
        "first": ("2013-12", "2013-06"),
    },
)


def first_villages() -> Evidence:
    """Evidence for C17: earliest year in the national series and in the coded cases."""
    national = villages.totals()
    earliest = int(national["year"].min())
    counts = national[national["year"] == earliest]
    cases = data.load("cases/cases").set_index("case_id")
    recognised = cases["year_first_recognised"].dropna().astype(int)
    named = sorted(cases.loc[recognised[recognised == earliest].index, "village_town"])
    return Evidence(
        value=earliest,
        unit="year",
        n=len(counts),
        n_unit="sources for that year",
        sources=sorted({*counts["source_id"], "li2017"}),
        details={
            "villages": int(counts["n_villages"].max()),
            "qingyanliu": int(recognised["qingyanliu"]),
            "named": len(named),
        },
        limits=(
            "The count for that year was made in hindsight, in reports printed years later. "
            "The name itself came into use afterwards."
        ),
    )


C17 = Claim(
    "C17",
    evidence=first_villages,
    rule=Rule(
        "Reproduced if 2009 is the earliest year of the national series and of Qingyanliu's entry "
        "among the cases; in part if only one of them.",
        lambda evidence: (
            ("reproduced", "National series and case table both begin with that year.")
            if evidence.value == 2009 == evidence.details["qingyanliu"]
            else ("reproduced in part", "National series and case table begin in other years.")
            if 2009 in (evidence.value, evidence.details["qingyanliu"])
            else ("not reproduced", "Neither series begins in 2009.")
        ),
    ),
    no_variants="The claim is one year, looked up in one national series and one case.",
)


# ---- definition (C16) ----------------------------------------------------------------------------


def definition_evidence(*, until: int = 2022) -> Evidence:
    """Evidence for C16: the article's three thresholds against each published definition."""
    table = villages.definitions(until=until)
    same = (table["sales_rmb_million"] == 10) & (table["shops"] == 100) & (table["share_pct"] == 10)
    other = table[~same]
    return Evidence(
        value=int(same.sum()),
        unit=f"of {len(table)} published definitions have all three thresholds",
        n=len(table),
        n_unit="definitions",
        sources=sorted(set(table["source_id"])),
        details={
            "same": int(same.sum()),
            "other": len(other),
            "sales": int(table["sales_rmb_million"].mode()[0]),
            "shops": int(table["shops"].mode()[0]),
            "share": int(table["share_pct"].mode()[0]),
            "other_shops": int((table["shops"].notna() & table["shops"].ne(100)).sum()),
            "partial": int(table[["shops", "share_pct"]].isna().any(axis=1).sum()),
            "shops_2014": int(other["shops"].min()),
            "turn": int(100 * table["shops"].mode()[0] / table["share_pct"].mode()[0]),
        },
        limits=(
            "Definitions are known from reports on them. Sources differ on whether a tenth of "
            "households must be engaged, or shops must equal a tenth of households."
        ),
    )


C16 = Claim(
    "C16",
    evidence=definition_evidence,
    rule=Rule(
        "Reproduced if every published definition has all three thresholds; in part if at least "
        "one has and at least one differs; not reproduced if none has.",
        lambda evidence: (
            ("reproduced", "All published definitions agree.")
            if evidence.details["other"] == 0
            else (
                "reproduced in part",
                f"{evidence.details['same']} definitions agree; {evidence.details['other_shops']} "
                f"name another number of shops and {evidence.details['partial']} leave out one of "
                "the conditions.",
            )
            if evidence.details["same"]
            else ("not reproduced", "No published definition has all three thresholds.")
        ),
    ),
    variants={"until": (2022, 2016)},
)


# ---- where they are ------------------------------------------------------------------------------


def south_east_evidence(
    *,
    base: str = "rural_population",
    family: counts.Family = "quasi-poisson",
    south: str = "south",
) -> Evidence:
    """Evidence for C18: south-eastern and relatively developed."""
    details: dict[str, float] = {}
    lows, quotients, indices = [], [], []
    for year in provinces.YEARS:
        count, size = provinces.villages(year), provinces.base(base, year)
        quotient = villages.location_quotient(year, villages.south_east(south=south), over=base)
        index = inequality.concentration_index(count, size, provinces.income(year))
        effect = provinces.association(year, exposure=base, family=family).effects.iloc[0]
        rank = stats.spearmanr(provinces.rates(year), provinces.income(year)).statistic
        quotients.append(quotient)
        indices.append(index)
        lows.append(effect["low"])
        details |= {
            f"quotient_{year}": round(float(quotient), 1),
            f"index_{year}": round(float(index), 2),
            f"ratio_{year}": round(float(effect["rate_ratio"]), 1),
            f"ratio_low_{year}": round(float(effect["low"]), 1),
            f"ratio_high_{year}": round(float(effect["high"]), 1),
            f"rank_{year}": round(float(rank), 2),
        }
    details |= {"lowest_ratio": round(float(min(lows)), 2), "lowest_index": round(min(indices), 2)}
    return Evidence(
        value=round(float(np.mean(quotients)), 1),
        unit="times as many villages in the south-eastern provinces as their share of the base",
        interval=(round(float(min(quotients)), 1), round(float(max(quotients)), 1)),
        interval_kind="lowest and highest of the three lists",
        n=31,
        n_unit="provinces",
        sources=sorted(
            {
                *provinces.SOURCES,
                *provinces.INCOME_SOURCES,
                "project_definition",
            }
        ),
        details=details,
        limits="An association between provinces. It says nothing about villages within them.",
    )


def decide_south_east(evidence: Evidence) -> tuple[str, str]:
    """Rule of C18."""
    found, lowest = evidence.details, (evidence.interval or (0, 0))[0]
    south_eastern = lowest > 1
    developed = found["lowest_index"] > 0 and found["lowest_ratio"] > 1
    if south_eastern and developed:
        return (
            "reproduced",
            "In every list the south-east holds more than its share, and richer provinces have "
            "more villages for their size.",
        )
    if south_eastern or developed:
        return "reproduced in part", "Only one of south-eastern and developed holds in every list."
    return "not reproduced", "Neither holds in every list."


C18 = Claim(
    "C18",
    evidence=south_east_evidence,
    rule=Rule(
        "Reproduced if in each of the three lists the south-eastern provinces have a location "
        "quotient above 1, the concentration index against GDP per resident is positive, and the "
        "rate ratio for one standard deviation of it has its whole interval above 1. In part if "
        "only the first or only the other two hold.",
        decide_south_east,
    ),
    variants={
        "base": provinces.BASES,
        "family": ("quasi-poisson", "negative binomial"),
        "south": ("south", "south_jiangsu_north", "south_jiangsu_anhui_north"),
    },
)


# ---- east and south (C19, C20, C22) --------------------------------------------------------------


def region_evidence(definitions: Sequence[str], years: Sequence[int]) -> Evidence:
    """Shares of a region under every definition, as a range."""
    table = villages.shares(definitions, years=years)
    central = table.loc[definitions[0]]
    details = {
        f"{name}_{year}": round(float(table.loc[name, year]), 1)
        for name in definitions
        for year in years
    }
    flags = [name for name in definitions if name != "seat_below_33n"]
    loo = [villages.leave_one_county_out(year, name) for name in flags for year in years]
    details["parallel"] = villages.PARALLEL
    if loo:
        details["county_low"] = round(min(low for low, _ in loo), 1)
        details["county_high"] = round(max(high for _, high in loo), 1)
    return Evidence(
        value=round(float(central.iloc[-1]), 1),
        unit="%",
        interval=(round(float(table.min(axis=None)), 1), round(float(table.max(axis=None)), 1)),
        interval_kind=f"range over {len(definitions)} definitions and the lists of the years",
        n=int(sum(provinces.villages(year).sum() for year in years)),
        n_unit="listed villages, all years",
        sources=sorted({*(provinces.LISTS[year] for year in years), "project_definition"}),
        details=details,
        limits="The list of 2013 (20 villages) is not known by province.",
    )


def east_evidence(
    *, definitions: Sequence[str] = EAST, years: Sequence[int] = (2014, 2015), source: str = "lists"
) -> Evidence:
    """Evidence for C19: share of the eastern coastal provinces.

    Parameters
    ----------
    definitions : sequence of str
        Borders of the coast; those of printed figures are their sources'.
    years : sequence of int
        Lists.
    source : {"lists", "printed"}
        The named lists, or the shares and counts that other sources print.

    Raises
    ------
    ValueError
        For another `source`.
    """
    if source not in READINGS:
        raise ValueError(f"source is {source!r}; use one of {', '.join(READINGS)}")
    found = villages.printed_coast(years)
    exact = found[found["high"] - found["low"] < 1]  # the others are bounds: "over 90%"
    low, high = (round(float(x), 1) for x in (exact["low"].min(), exact["high"].max()))
    details = {
        "printed_low": low,
        "printed_high": high,
        "printed_sources": found["source_id"].nunique(),
    }
    if source == "lists":
        listed = region_evidence(definitions, years)
        return replace(
            listed,
            details={**listed.details, **details},
            sources=sorted({*listed.sources, *found["source_id"]}),
        )
    return Evidence(
        value=round(float(exact["low"].iloc[-1]), 1),
        unit="%",
        interval=(low, high),
        interval_kind="range over printed figures",
        n=len(exact),
        n_unit="printed shares and counts",
        sources=sorted(
            {*exact["source_id"], *villages.totals().query("year in @years")["source_id"]}
        ),
        details=details,
        limits="Sources do not say where their coast ends, and copy each other.",
    )


def south_evidence(
    *, definitions: Sequence[str] = SOUTH, years: Sequence[int] = (2014, 2015)
) -> Evidence:
    """Evidence for C20: share of the south."""
    listed = region_evidence(definitions, years)
    bounds = villages.printed_south()
    details = {f"printed_low_{year}": round(float(bounds["low"][year]), 1) for year in years}
    counts = data.load("villages/province_year")
    counts = counts[counts["year"].isin(years) & counts["n_villages"].notna()]
    return replace(
        listed,
        details={**listed.details, **details},
        sources=sorted({*listed.sources, *counts["source_id"]}),
    )


LEAST_EAST, LEAST_SOUTH = 90, 70  # percent of the villages, by the article


def above(threshold: float) -> Callable[[Evidence], tuple[str, str]]:
    """A rule for a share over definitions: all, some or none above `threshold` percent."""

    def decide(evidence: Evidence) -> tuple[str, str]:
        low, high = evidence.interval or (np.nan, np.nan)
        if low > threshold:
            return "reproduced", f"Above {threshold:g}% under every definition and in every list."
        if high > threshold:
            return (
                "reproduced in part",
                f"Above {threshold:g}% under some definitions and not under others: "
                "the definition decides.",
            )
        return "contradicted", f"At most {threshold:g}% under every definition."

    return decide


C19 = Claim(
    "C19",
    evidence=east_evidence,
    rule=Rule(
        "Reproduced if the share is above 90% under every definition of the eastern coast in every "
        "list; in part if under some; contradicted if under none.",
        above(LEAST_EAST),
        threshold=(LEAST_EAST, f"the article's {LEAST_EAST}%"),
    ),
    variants={
        "definitions": each_of(EAST),
        "years": each_of((2014, 2015)),
        "source": READINGS,
    },
    skip=lambda definitions, source, **_: source == "printed" and tuple(definitions) != EAST,
)
C20 = Claim(
    "C20",
    evidence=south_evidence,
    rule=Rule(
        "Reproduced if the share is above 70% under every definition of the south in every list; "
        "in part if under some; contradicted if under none.",
        above(LEAST_SOUTH),
        threshold=(LEAST_SOUTH, f"the article's {LEAST_SOUTH}%"),
    ),
    variants={"definitions": each_of(SOUTH), "years": each_of((2014, 2015))},
)


def inland_evidence(*, definitions: Sequence[str] = EAST, source: str = "lists") -> Evidence:
    """Evidence for C22: villages outside the coast, number, share and growth.

    Parameters
    ----------
    definitions : sequence of str
        Borders of the coast; printed counts are of the centre and west.
    source : {"lists", "printed"}
        The named lists, or the counts that other sources print.

    Raises
    ------
    ValueError
        For another `source`.
    """
    if source not in READINGS:
        raise ValueError(f"source is {source!r}; use one of {', '.join(READINGS)}")
    found = villages.printed_regions().query("inland")
    details: dict[str, float] = {
        f"printed_{year}": int(rows["n_villages"].max()) for year, rows in found.groupby("year")
    }
    coast = villages.shares(definitions)
    for year in provinces.YEARS:
        total = int(provinces.villages(year).sum())
        if source == "printed":
            rows = found[found["year"] == year]
            low, high, count = rows["low"].min(), rows["high"].max(), details[f"printed_{year}"]
        else:
            outside = 100 - coast[year]
            low, high = outside.min(), outside.max()
            count = round(total * float(outside[definitions[0]]) / 100)
        details |= {
            f"low_{year}": round(float(low), 1),
            f"high_{year}": round(float(high), 1),
            f"count_{year}": count,
            f"coast_{year}": total - count,
        }
    details["factor_inland"] = round(details["count_2016"] / details["count_2014"], 1)
    details["factor_coast"] = round(details["coast_2016"] / details["coast_2014"], 1)
    printed = source == "printed"
    return Evidence(
        value=details["count_2016"],
        unit=f"villages {'in the centre and west' if printed else 'outside the coastal provinces'} "
        "in 2016",
        interval=(
            min(details[f"low_{year}"] for year in provinces.YEARS),
            max(details[f"high_{year}"] for year in provinces.YEARS),
        ),
        interval_kind="range of their share, in percent, over "
        + ("printed counts and totals" if printed else "definitions and lists"),
        n=int(provinces.villages(2016).sum()),
        n_unit="listed villages in 2016",
        sources=sorted({*provinces.LISTS.values(), *found["source_id"], "project_definition"}),
        details=details,
        limits="Growth factors start from a handful of villages.",
    )


def decide_inland(evidence: Evidence) -> tuple[str, str]:
    """Rule of C22."""
    low, high = evidence.interval or (np.nan, np.nan)
    exist = all(evidence.details[f"count_{year}"] > 0 for year in provinces.YEARS)
    if exist and high < 10:
        return "reproduced", "There are some in every list, and under a tenth of all."
    if exist and low < 10:
        return "reproduced in part", "Under a tenth under some definitions only."
    return "not reproduced", "There are none, or they are a tenth or more."


C22 = Claim(
    "C22",
    evidence=inland_evidence,
    rule=Rule(
        "Reproduced if every list has villages outside the coast and they are under 10% under "
        "every definition; in part if under some definitions only.",
        decide_inland,
    ),
    variants={"definitions": each_of(EAST), "source": READINGS},
    skip=lambda definitions, source: source == "printed" and tuple(definitions) != EAST,
)


# ---- next to the deltas (C21) --------------------------------------------------------------------


def distance_to_delta(*, definition: str = "yrd_16") -> pd.Series:
    """Distance from each prefecture to the nearest of a delta, between points near their seats.

    Parameters
    ----------
    definition : {"yrd_16", "yrd_26"}
        Extent of the Yangtze River Delta; the Pearl River Delta has nine cities under both.

    Returns
    -------
    Series
        Kilometres, 0 inside a delta, indexed by ``prefecture_code``.
    """
    units = villages.by_prefecture(2016)
    table = data.load("geo/delta_prefectures")
    inside = units.loc[
        units.index.isin(
            table.loc[table["definition"].isin([definition, "prd_9"]), "prefecture_code"]
        )
    ]
    lon, lat = units["lon"].to_numpy()[:, None], units["lat"].to_numpy()[:, None]
    apart = space.haversine_km(lon, lat, inside["lon"].to_numpy(), inside["lat"].to_numpy())
    return pd.Series(apart.min(axis=1), index=units.index, name="km").where(
        ~units.index.isin(inside.index), 0.0
    )


def delta_test(
    year: int,
    *,
    definition: str = "yrd_16",
    outside_only: bool = False,
    permutations: int = 1999,
    seed: int = SEED,
) -> permutation.PermutationResult:
    """Are prefectures with villages nearer to a delta than prefectures drawn at random?

    Parameters
    ----------
    year : {2014, 2015, 2016}
    definition : str
        Extent of the Yangtze River Delta.
    outside_only : bool
        Leave out the deltas' own prefectures: "next to" in the narrow sense.
    permutations : int
        Random draws of as many prefectures.

    Returns
    -------
    PermutationResult
        Mean distance in kilometres of prefectures with villages, its expectation under random
        location, and the one-sided p.
    """
    km = distance_to_delta(definition=definition)
    has = villages.by_prefecture(year)["n_villages"] > 0
    if outside_only:
        has, km = has[km > 0], km[km > 0]
    return permutation.permutation_test(
        lambda member: km.to_numpy()[member].mean(),
        has.to_numpy(),
        permutations=permutations,
        seed=seed + year,
        alternative="less",
    )


def delta_evidence(
    *,
    delta_provinces: Sequence[str] = DELTA_PROVINCES,
    definitions: Sequence[str] = DELTAS,
    permutations: int = 1999,
    seed: int = SEED,
) -> Evidence:
    """Evidence for C21: shares in delta provinces and prefectures, and distance to a delta."""
    details: dict[str, float] = {}
    ratios, ps = [], []
    for year in provinces.YEARS:
        people = provinces.base("population", year)
        for name in delta_provinces:
            inside = data.load("provinces/provinces").set_index("province_code")[name]
            of_people = 100 * people[inside].sum() / people.sum()
            of_villages = villages.share(year, name)
            ratios.append(of_villages / of_people)
            details[f"villages_{name}_{year}"] = round(float(of_villages), 1)
            details[f"people_{name}_{year}"] = round(float(of_people), 1)
        for name in definitions:
            units = villages.by_prefecture(year)
            km = distance_to_delta(definition=name)
            within = 100 * units.loc[km == 0, "n_villages"].sum() / units["n_villages"].sum()
            details[f"within_{name}_{year}"] = round(float(within), 1)
            for outside in (False, True):
                test = delta_test(
                    year,
                    definition=name,
                    outside_only=outside,
                    permutations=permutations,
                    seed=seed,
                )
                ps.append(test.p)
                key = f"{'outside' if outside else 'all'}_{name}_{year}"
                details[f"km_{key}"] = round(float(test.observed))
                details[f"expected_{key}"] = round(float(test.expected))
                details[f"p_{key}"] = round(float(test.p), 4)
    details |= {"largest_p": round(max(ps), 4), "tests": len(ps)}
    details["unmatched"] = int(villages.unmatched()["n_villages"].sum())
    return Evidence(
        value=round(float(np.mean(ratios)), 1),
        unit="times as many villages in the delta provinces as their share of people",
        interval=(round(float(min(ratios)), 1), round(float(max(ratios)), 1)),
        interval_kind="range over two definitions of the delta provinces and three lists",
        n=len(villages.by_prefecture(2016)),
        n_unit="prefecture-level units with coordinates",
        sources=sorted(
            {
                *provinces.LISTS.values(),
                "nbs_pop_2023",
                *data.load("geo/delta_prefectures")["source_id"],
                *data.load("geo/prefectures")["source_id"],
            }
        ),
        details=details,
        limits=(
            "Distance between points near the seats of prefectures, in a straight line. Nearness "
            "to a delta is also nearness to the coast, to rich cities and to ports."
        ),
    )


def decide_delta(evidence: Evidence) -> tuple[str, str]:
    """Rule of C21."""
    more = (evidence.interval or (0, 0))[0] > 1
    nearer = evidence.details["largest_p"] < 0.05
    if more and nearer:
        return (
            "reproduced",
            "More than their share under each definition, and prefectures with villages are nearer "
            "to a delta than chance would put them, also when the deltas themselves are left out.",
        )
    if more or nearer:
        return "reproduced in part", "Only one of share and distance holds under every definition."
    return "not reproduced", "Neither share nor distance holds under every definition."


C21 = Claim(
    "C21",
    evidence=delta_evidence,
    rule=Rule(
        "Reproduced if delta provinces hold more than their share of people under each definition, "
        "and prefectures with villages lie nearer to a delta than random ones (p under 0.05 in "
        "every list, with and without the deltas' own prefectures). In part if only one holds.",
        decide_delta,
    ),
    variants={"delta_provinces": each_of(DELTA_PROVINCES), "definitions": each_of(DELTAS)},
)


# ---- near hubs (C23, C24) ------------------------------------------------------------------------


def hub_table(
    *, until: int = 2014, disputed: str = "either", coder: str = "first", doubtful: bool = True
) -> pd.DataFrame:
    """Cases by whether a hub of trade or industry stood nearby before e-commerce.

    Parameters
    ----------
    until : int
        A case is early if it was first recognised in this year or before.
    disputed : {"either", "near", "not near"}
        How to count a case on which sources disagree; "either" puts it into the bounds.
    coder, doubtful : str, bool
        See `coding.codes`.

    Returns
    -------
    DataFrame
        Rows "early" and "later or unknown" (year of recognition); columns ``near``,
        ``not near``, ``disputed``, ``not reported`` (cases), ``lowest`` and ``highest`` share
        near, in percent.
    """
    cases = data.load("cases/cases").set_index("case_id")
    near, none = (
        coding.reported("spatial_precondition", concept, coder=coder, doubtful=doubtful)
        for concept in ("market_or_cluster", "none")
    )

    def state(case: str) -> str:
        if case in near and case in none:
            return "disputed" if disputed == "either" else disputed
        return "near" if case in near else "not near" if case in none else "not reported"

    states = pd.Series({case: state(case) for case in cases.index})
    early = cases["year_first_recognised"].le(until).fillna(False).astype(bool)
    kinds = ["near", "not near", "disputed", "not reported"]
    table = (
        pd.crosstab(np.where(early, "early", "later or unknown"), states.to_numpy())
        .reindex(columns=kinds, fill_value=0)
        .rename_axis(index="recognised", columns=None)
    )
    bounds = [
        shares.share_bounds(int(row["near"]), int(row["not near"]), int(row[kinds].sum()))
        for _, row in table.iterrows()
    ]
    table["lowest"] = [100 * low for low, _ in bounds]
    table["highest"] = [100 * high for _, high in bounds]
    return table


def hub_evidence(
    *,
    last_early_year: int = 2014,
    disputed: str = "either",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C23: share of early cases near a hub, with bounds."""
    table = hub_table(until=last_early_year, disputed=disputed, coder=coder, doubtful=doubtful)
    early, later = table.loc["early"], table.loc["later or unknown"]
    kinds = ["near", "not near", "disputed", "not reported"]
    cases = data.load("cases/cases").set_index("case_id")
    names = cases.index[
        cases["year_first_recognised"].le(last_early_year).fillna(False).astype(bool)
    ]
    codes = coding.codes(coder=coder, doubtful=doubtful)
    used = codes[codes["case_id"].isin(names) & codes["dimension"].eq("spatial_precondition")]
    return Evidence(
        value=int(early["near"]),
        unit=f"of {len(names)} early cases near a hub",
        interval=(round(float(early["lowest"]), 1), round(float(early["highest"]), 1)),
        interval_kind=(
            "share in percent if none, or all, of the disputed and not-reported were near one"
        ),
        n=len(names),
        n_unit="coded cases",
        sources=sorted(set(used["source_id"])),
        details={
            "not_near": int(early["not near"]),
            "disputed": int(early["disputed"]),
            "not_reported": int(early["not reported"]),
            "later_low": round(float(later["lowest"]), 1),
            "later_high": round(float(later["highest"]), 1),
            "later": int(later[kinds].sum()),
        },
        limits="The cases are places that people wrote about, not a sample.",
    )


def decide_hub(evidence: Evidence) -> tuple[str, str]:
    """Rule of C23."""
    low, high = evidence.interval or (np.nan, np.nan)
    if low >= 50:
        return "reproduced", "At least half of the early cases, whatever the unknown ones were."
    if high >= 50:
        return (
            "reproduced in part",
            "Half or more only if some of the disputed or not-reported cases were near a hub too.",
        )
    return "not reproduced", "Under half even if all of the unknown cases were near a hub."


C23 = Claim(
    "C23",
    evidence=hub_evidence,
    rule=Rule(
        '"Many" is read as half. Reproduced if the lowest possible share of early cases near a '
        "hub is at least 50%; in part if only the highest is; otherwise not reproduced.",
        decide_hub,
    ),
    variants={
        "last_early_year": (2014, 2013, 2015),
        "disputed": ("either", "near", "not near"),
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
)


def logistics_evidence(*, coder: str = "first", doubtful: bool = True) -> Evidence:
    """Evidence for C24: cases whose sources name a logistic advantage, and parcels by province."""
    cases = coding.reported("spatial_precondition", "logistics", coder=coder, doubtful=doubtful)
    codes = coding.codes(coder=coder, doubtful=doubtful)
    used = codes[codes["case_id"].isin(cases) & codes["dimension"].eq("spatial_precondition")]
    total = len(data.load("cases/cases"))
    low, high = shares.share_bounds(len(cases), 0, total)
    parcels = data.indicator("express_parcels_jan_jun", 2016, "express_2016h1")
    known = parcels.notna()
    rank = shares.rank_interval(
        (parcels / provinces.base("population", 2016))[known], provinces.rates(2016)[known]
    )
    return Evidence(
        value=len(cases),
        unit="cases whose sources name a logistic advantage",
        interval=(round(100 * low, 1), round(100 * high, 1)),
        interval_kind="share in percent if none, or all, of the not-reported had one",
        n=total,
        n_unit="coded cases",
        sources=sorted(
            {
                *used["source_id"],
                "express_2016h1",
                *provinces.SOURCES,
            }
        ),
        details={
            "rank": round(float(rank["rank"]), 2),
            "rank_low": round(float(rank["low"]), 2),
            "rank_high": round(float(rank["high"]), 2),
            "provinces": int(known.sum()),
        },
        limits=(
            "Parcels are counted where sellers are, so villages also make parcels; and a source "
            "that names an advantage does not show that it was the cause."
        ),
    )


def decide_logistics(evidence: Evidence) -> tuple[str, str]:
    """Rule of C24."""
    cases, together = int(evidence.value or 0), evidence.details["rank_low"] > 0
    if cases >= 2 and together:
        return (
            "reproduced",
            "Several sourced cases, and provinces that send more parcels have more villages.",
        )
    if cases >= 1 or together:
        return "reproduced in part", "Only the cases, or only the provinces, bear it out."
    return "not reproduced", "Neither the cases nor the provinces bear it out."


C24 = Claim(
    "C24",
    evidence=logistics_evidence,
    rule=Rule(
        '"Some" is read as two. Reproduced if at least two cases have a source that names a '
        "logistic advantage, and the rank correlation of parcels per resident with villages per "
        "rural resident has its interval above 0; in part if only one of them holds.",
        decide_logistics,
    ),
    variants={"coder": coding.CODERS, "doubtful": (True, False)},
)


# ---- growth rivals, for description (methods page) -----------------------------------------------


def rival_curves() -> pd.DataFrame:
    """Five growth curves fitted to the logarithm of the six dated totals, as description.

    Returns
    -------
    DataFrame
        One row a curve: ``curve``, ``parameters``, ``residual`` (root mean square, log scale),
        ``fit`` (fitted villages at each dated total) and ``best`` (the parameters, for time in
        years since the first total). Six totals cannot choose between them.
    """
    table = villages.table_two().dropna()
    months = villages.count_months(list(table.index))
    t = np.array([(month - months.iloc[0]).n / 12 for month in months])
    y = np.log(table["high"].to_numpy(float))
    rows = []
    for name, (curve, start) in CURVES.items():
        best, _ = optimize.curve_fit(curve, t, y, p0=start, maxfev=20_000)
        fitted = curve(t, *best)
        rows.append(
            {
                "curve": name,
                "parameters": len(start),
                "residual": float(np.sqrt(np.mean((y - fitted) ** 2))),
                "fit": np.exp(fitted),
                "best": best,
            }
        )
    return pd.DataFrame(rows)


# ---- neighbours (methods page) -------------------------------------------------------------------


def spatial_tests(*, permutations: int = 9999) -> pd.DataFrame:
    """Moran's I of rates and of counts under three sorts of neighbourhood, each list.

    Returns
    -------
    DataFrame
        Columns ``year``, ``values``, ``weights``, ``I``, ``expected``, ``p`` (one-sided).
    """
    rows = []
    kinds: tuple[Literal["contiguity", "knn", "distance"], ...] = ("contiguity", "knn", "distance")
    for kind in kinds:
        weights = provinces.neighbours(kind)
        for year in provinces.YEARS:
            for label, values in (
                ("rates", provinces.rates(year)),
                ("counts", provinces.villages(year)),
            ):
                test = space.moran(
                    values.to_numpy(float),
                    weights,
                    permutations=permutations,
                    seed=SEED,
                    alternative="greater",
                )
                rows.append(
                    {
                        "year": year,
                        "values": label,
                        "weights": kind,
                        "I": test.I,
                        "expected": test.expected,
                        "p": test.p,
                    }
                )
    return pd.DataFrame(rows)


def local_tests(year: int, *, permutations: int = 9999) -> pd.DataFrame:
    """How many provinces the local Moran's I marks, under each neighbourhood and sort of value.

    Parameters
    ----------
    year : {2014, 2015, 2016}
    permutations : int

    Returns
    -------
    DataFrame
        Columns ``values``, ``weights``, ``before`` (provinces with two-sided p under 0.05),
        ``after`` (of them with p under 0.05 after Benjamini and Hochberg) and ``high`` (those
        that are high among high).
    """
    rows = []
    kinds: tuple[Literal["contiguity", "knn", "distance"], ...] = ("contiguity", "knn", "distance")
    for label, values in (("rates", provinces.rates(year)), ("counts", provinces.villages(year))):
        for kind in kinds:
            local = space.local_moran(
                values.to_numpy(float),
                provinces.neighbours(kind),
                permutations=permutations,
                seed=SEED,
                alternative="two-sided",
            )
            marked = local["p_adjusted"] < 0.05
            rows.append(
                {
                    "values": label,
                    "weights": kind,
                    "before": int((local["p"] < 0.05).sum()),
                    "after": int(marked.sum()),
                    "high": int((marked & local["quadrant"].eq("HH")).sum()),
                }
            )
    return pd.DataFrame(rows)
