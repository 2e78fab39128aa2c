"""The article held against its future: its forecasts and worries, and what is known of 2017-2022.

This chapter declares no claim of the article. It declares forecasts: what follows if the article
is right about the time after it. Each has evidence and a rule, as a claim has, and its verdict is
"right", "wrong" or "open". Counts of single provinces are partial after 2016: what is not printed
is bounded, never filled.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from taobao_villages import data
from taobao_villages.methods import growth, shares
from taobao_villages.subjects import coding, literature, platforms
from taobao_villages.subjects.later import (
    DATES,
    FIRSTS,
    LAST_LIST,
    METHODS,
    SCHEMES,
    TOTALS_2014,
    all_villages,
    curves,
    forecast,
    inland,
    members,
    pace,
    poor,
    scores,
    share_limits,
    six_limits,
    source_ids,
    total_of,
    total_sources,
    totals,
)
from taobao_villages.verdicts.claims import Evidence, Rule
from taobao_villages.verdicts.forecasts import Forecast

# ---- dated totals, and forecasts made with those to 2016 -----------------------------------------


def growth_evidence(
    *, total_2014: int = 212, dates: str = "closing", first: str = "2013-12"
) -> Evidence:
    """Evidence on growth at an unchanged rate: the totals against the slowest rate seen."""
    table = totals(total_2014=total_2014, dates=dates, first=first)
    ahead = forecast("same growth", table)
    past = growth.growth_intervals(table.loc[2013:LAST_LIST, "n"], table["month"])
    since = growth.growth_intervals(table.loc[[LAST_LIST, 2022], "n"], table["month"]).iloc[0]
    each = growth.growth_intervals(table.loc[LAST_LIST:, "n"], table["month"])
    over = ahead["low"] / ahead["actual"]
    return Evidence(
        value=round(float(over.loc[2022]), 1),
        unit="times the total of 2022 is what the slowest rate of 2013-2016 foretold",
        interval=(round(float(over.min()), 2), round(float(over.max()), 2)),
        interval_kind="the same ratio in the best and in the worst year, 2017-2022",
        n=len(ahead),
        n_unit="later totals",
        sources=total_sources(),
        details={
            "reached": int((over <= 1).sum()),
            "reached_2018": int((over.loc[:2018] <= 1).sum()),
            "slowest": round(float(past["rate"].min()), 2),
            "rate": round(float(since["rate"]), 2),
            "added": round(float(since["additions"])),
            "added_fewest": round(float(each["additions"].min())),
            "added_most": round(float(each["additions"].max())),
            "added_before": round(float(past["additions"].iloc[-1])),
            "factor": round(float(since["factor"]), 1),
            "n_2016": int(table.loc[2016, "n"]),
            "n_2018": int(table.loc[2018, "n"]),
            "n_2022": int(table.loc[2022, "n"]),
        },
        limits="The lists of 2019 and 2020 changed what counts as a village; 2017 and 2018 did "
        "not. The month of the list of 2022 is that of the first dispatch found.",
    )


def decide_growth(evidence: Evidence) -> tuple[str, str]:
    """Rule of the forecast of unchanged growth."""
    reached, same = evidence.details["reached"], evidence.details["reached_2018"]
    if reached == evidence.n:
        return "right", "Every later total reached what the slowest earlier rate foretold."
    if reached == 0:
        return (
            "wrong",
            "No later total reached what even the slowest earlier rate foretold, and the miss is "
            "there already in 2017 and 2018, before the definition changed.",
        )
    if same == 0:
        return "open", "Some totals reached it, but only after the definition had changed."
    return "open", "Some totals reached it and others did not."


def model_evidence(
    *,
    train_from: int = 2009,
    total_2014: int = 212,
    dates: str = "closing",
    first: str = "2013-12",
) -> Evidence:
    """Evidence on the chosen growth curve: its errors and coverage against two naive forecasts."""
    known = totals(total_2014=total_2014, dates=dates, first=first)
    table, fits = scores(known, train_from=train_from), curves(known, train_from=train_from)
    own = table.loc["chosen curve"]
    details: dict[str, Any] = {"curve": fits["aicc"].idxmin(), "covered": int(own["covered"])}
    for name, method in zip(("growth", "increment", "curve"), METHODS, strict=True):
        row = table.loc[method]
        details |= {
            f"off_{name}": round(float(row["off_2022"]), 2),
            f"off_{name}_2018": round(float(row["off_2018"]), 2),
            f"covered_{name}": int(row["covered"]),
            f"too_low_{name}": int(row["n"] - row["too_high"]),
            f"width_{name}": round(float(row["width"]), 1),
        }
    naive = table.drop("chosen curve")["off_2022"]
    details |= {"beaten": int((own["off_2022"] < naive).sum()), "naive": len(naive)}
    ahead = fits.loc[details["curve"], "forecast"]
    details |= {
        "low_2022": round(float(ahead.loc[2022, "low"])),
        "high_2022": round(float(ahead.loc[2022, "high"])),
        "all_villages": int(all_villages()["value"].iloc[0]),
    }
    return Evidence(
        value=details["off_curve"],
        unit="times off on average, 2017-2022",
        interval=(details["low_2022"], details["high_2022"]),
        interval_kind="95% prediction interval for 2022, villages",
        n=int(own["n"]),
        n_unit="later totals",
        sources=sorted({*total_sources(), *all_villages()["source_id"]}),
        details=details,
        limits="Six totals make the curve. The interval takes the curve as true and its errors "
        "as independent; neither is known.",
    )


def decide_model(evidence: Evidence) -> tuple[str, str]:
    """Rule of the chosen growth curve."""
    found, n = evidence.details, int(evidence.n or 0)
    covers, beats = found["covered"] >= n - 1, found["beaten"] == found["naive"]
    if covers and beats:
        return "right", "Its interval held nearly every total, and it beat both naive forecasts."
    if 2 * found["covered"] < n or found["beaten"] == 0:
        return (
            "wrong",
            "Its interval missed most totals."
            if 2 * found["covered"] < n
            else "Both naive forecasts were nearer to the totals.",
        )
    return "open", "It was neither clearly better nor clearly worse than the naive forecasts."


# ---- where they are: bounds for years that are known in part -------------------------------------


def _place_sources(years: Sequence[int], *, provinces: bool = True) -> list[str]:
    """Sources of printed shares, and of counts and bounds of provinces, in these years."""
    table = data.load("villages/regions")
    tables = [table[table["region_scheme"].isin(SCHEMES)]]
    if provinces:
        tables += [data.load("villages/province_year"), data.load("villages/province_bounds")]
    named = {f"xrwang{year}" for year in years if year <= LAST_LIST}
    later = [year for year in years if year > LAST_LIST]
    return sorted(
        {*named, *source_ids(*(t[t["year"].isin(later)] for t in tables)), "nbs_region4_2011"}
    )


def coast_evidence(*, doubtful: bool = True) -> Evidence:
    """Evidence on concentration: the share of the East in the last year that has one."""
    table = inland(doubtful=doubtful)
    last = int(table.index.max())
    before, after = 100 - table.loc[LAST_LIST, "share_high"], 100 - table.loc[last, "share_high"]
    details: dict[str, Any] = {"last": str(last), "east_2016": round(before, 1)}
    details["fall"] = round(before - (100 - table.loc[last, "share_low"]), 1)
    details["fall_most"] = round(before - after, 1)
    for row in six_limits().itertuples():
        details |= {
            f"six_low_{row.Index}": round(row.low, 1),
            f"six_high_{row.Index}": round(row.high, 1),
        }
    return Evidence(
        value=round(float(after), 1),
        unit="%",
        interval=(round(float(after), 1), round(float(100 - table.loc[last, "share_low"]), 1)),
        interval_kind=f"lowest and highest share of the East that is printed for {last}",
        n=int(total_of(last)),
        n_unit=f"listed villages in {last}",
        sources=_place_sources(list(table.index)),
        details=details,
        limits="Later shares are printed, not counted from a list that we could check, and the "
        "sources draw the border of the East a little differently.",
    )


def decide_coast(evidence: Evidence) -> tuple[str, str]:
    """Rule of lasting concentration."""
    low, high = evidence.interval or (np.nan, np.nan)
    fell = evidence.details["fall"] > 0
    note = "The share has fallen, though." if fell else "The share has not fallen."
    if low > 90:
        return "right", f"Every printed share of the East is still above nine tenths. {note}"
    if high <= 90:
        return "wrong", "No printed share of the East is above nine tenths any more."
    return "open", "The printed shares lie on both sides of nine tenths."


def few_evidence(*, doubtful: bool = True) -> Evidence:
    """Evidence on the number inland: its highest share in a later year with a printed count."""
    table = inland(doubtful=doubtful)
    later = table.loc[LAST_LIST + 1 :]
    later = later[later["basis"] != "bounds"]
    last = int(later.index.max())
    return Evidence(
        value=round(float(later["share_high"].max()), 1),
        unit="%",
        interval=(
            round(float(later["share_low"].min()), 1),
            round(float(later["share_high"].max()), 1),
        ),
        interval_kind="lowest and highest printed share outside the East, 2018-2021",
        n=len(later),
        n_unit="later years with a printed count",
        sources=_place_sources([LAST_LIST, *later.index], provinces=False),
        details={
            "n_2016": int(table.loc[2016, "high"]),
            "n_2018": int(table.loc[2018, "high"]),
            "n_low_2019": int(table.loc[2019, "low"]),
            "n_high_2019": int(table.loc[2019, "high"]),
            "n_2020": int(table.loc[2020, "high"]),
            "share_2016": round(float(table.loc[2016, "share_high"]), 1),
            "share_2018": round(float(table.loc[2018, "share_high"]), 1),
            "share_2020": round(float(table.loc[2020, "share_high"]), 1),
            "last": str(last),
        },
        limits="Shares of a list, not of the country's people, most of whom live outside the East.",
    )


def catch_up_evidence(*, strict: bool = True) -> Evidence:
    """Evidence on inland growth: its factor against that of the East from 2016 to 2018."""
    table = pace(inland(), strict=strict)
    table = table[(table["from"] == LAST_LIST)].set_index("to")
    comparable = table[table["comparable"] & (table.index != 2017)]
    last = comparable.index.max()
    own, to_2020 = comparable.loc[last], table.loc[2020]
    return Evidence(
        value=round(float(own["part_low"] / own["other_high"]), 2),
        unit=f"times the factor of the East, 2016 to {last}",
        n=int(inland().loc[LAST_LIST, "high"]),
        n_unit="villages outside the East at the start",
        sources=_place_sources([LAST_LIST, int(last), 2020], provinces=False),
        details={
            "last": str(last),
            "faster": own["faster"],
            "inland": round(float(own["part_low"]), 1),
            "east": round(float(own["other_high"]), 1),
            "inland_2020": round(float(to_2020["part_low"]), 1),
            "east_2020": round(float(to_2020["other_high"]), 1),
        },
        limits="A factor from a few villages moves much with a few more. In villages added, the "
        "East is far ahead.",
    )


def decide_catch_up(evidence: Evidence) -> tuple[str, str]:
    """Rule of slow inland growth."""
    faster = evidence.details["faster"]
    if faster == "yes":
        return "wrong", "Under one definition, the number inland was multiplied by more."
    if faster == "no":
        return "right", "Under one definition, the number inland was multiplied by no more."
    return "open", "Whether it was multiplied by more depends on the source."


SOUTHS = ("south", "south_jiangsu_north")


def south_evidence(*, definitions: Sequence[str] = SOUTHS, stated: float = 70) -> Evidence:
    """Evidence on the south: bounds of its share in 2018, when six provinces are counted."""
    limits = {name: share_limits(2018, name) for name in definitions}
    details = {
        f"{end}_{name}": round(value, 1)
        for name, ends in limits.items()
        for end, value in zip(("low", "high"), ends, strict=True)
    }
    lowest, highest = (
        min(low for low, _ in limits.values()),
        max(high for _, high in limits.values()),
    )
    details |= {
        "article": stated,
        "over": int(sum(low > stated for low, _ in limits.values())),
        "under": int(sum(high <= stated for _, high in limits.values())),
        "definitions": len(limits),
    }
    return Evidence(
        value=details[f"low_{definitions[0]}"],
        unit="% at least, under the first definition",
        interval=(round(lowest, 1), round(highest, 1)),
        interval_kind="lowest and highest share possible, over the definitions",
        n=int(total_of(2018)),
        n_unit="listed villages in 2018",
        sources=_place_sources([2018]),
        details=details,
        limits="Six provinces are counted for 2018; the others can only be bounded.",
    )


def decide_south(evidence: Evidence) -> tuple[str, str]:
    """Rule of the southern share."""
    found = evidence.details
    if found["over"] == found["definitions"]:
        return "right", "Above the stated share under each definition of the south."
    if found["under"] == found["definitions"]:
        return "wrong", "At or under the stated share under each definition of the south."
    return "open", "As in the article's own years, where Jiangsu is put decides."


def delta_evidence(*, flag: str = "delta") -> Evidence:
    """Evidence on the deltas: least share of villages against the share of people."""
    years = (2017, 2018, 2019, 2020)
    inside = members(flag)
    details: dict[str, Any] = {}
    lows, highs = [], []
    for year in years:
        people = data.indicator("population", year, "nbs_pop_2023")
        of_people = 100 * people[people.index.isin(inside)].sum() / people.sum()
        low, high = share_limits(year, flag)
        lows.append(low / of_people)
        highs.append(high / of_people)
        details |= {f"least_{year}": round(low, 1), f"people_{year}": round(float(of_people), 1)}
    return Evidence(
        value=round(float(min(lows)), 1),
        unit="times their share of people, at least",
        interval=(round(float(min(lows)), 1), round(float(max(highs)), 1)),
        interval_kind="lowest and highest possible, 2017-2020",
        n=len(years),
        n_unit="years",
        sources=sorted({*_place_sources(years), "nbs_pop_2023"}),
        details=details,
        limits="Provinces only: no list by prefecture is at hand after 2016, so distance to a "
        "delta cannot be measured again.",
    )


def decide_delta(evidence: Evidence) -> tuple[str, str]:
    """Rule of the deltas."""
    low, high = evidence.interval or (np.nan, np.nan)
    if low > 1:
        return "right", "Even the least they can have held is more than their share of people."
    if high <= 1:
        return "wrong", "Even the most they can have held is no more than their share of people."
    return "open", "What is printed leaves it open."


# ---- poor counties -------------------------------------------------------------------------------


def poor_evidence(*, strict: bool = True, total_2014: int = 212) -> Evidence:
    """Evidence on poor counties: their villages against all villages, pair of years by pair."""
    table, pairs = poor(), pace(poor(), strict=strict, total_2014=total_2014, against="all")
    later = pairs[pairs["comparable"] & (pairs["to"] > LAST_LIST)]
    rows = data.load("villages/poverty")
    counties = rows[rows["quantity"] == "n_counties_with_villages"].set_index("year")["value"]
    listed = rows[rows["quantity"] == "n_counties_total"].groupby("category")["value"].max()
    first, last = int(table.index.min()), int(table.index.max())
    counted = rows["quantity"].isin(["n_villages", "n_counties_with_villages", "n_counties_total"])
    used = rows[counted & rows["category"].str.startswith("national")]
    whole = pairs.set_index(["from", "to"]).loc[(first, last)]
    return Evidence(
        value=round(float(table.loc[last, "share_high"]), 1),
        unit="%",
        interval=(
            round(float(table["share_low"].min()), 1),
            round(float(table["share_high"].max()), 1),
        ),
        interval_kind=f"lowest and highest share of all villages, {first}-{last}",
        n=len(later),
        n_unit="pairs of years under one definition",
        sources=sorted({*source_ids(used), *total_sources(first)}),
        details={
            "faster": int((later["faster"] == "yes").sum()),
            "slower": int((later["faster"] == "no").sum()),
            "pairs": len(later),
            "first_n": int(table.loc[first, "high"]),
            "last_n": int(table.loc[last, "high"]),
            "factor": round(float(whole["part_high"]), 1),
            "factor_all": round(float(whole["other_high"]), 1),
            "counties_2016": int(counties[2016]),
            "counties_2020": int(counties[2020]),
            "listed_old": int(listed["national-level poverty counties"]),
            "listed_all": int(listed["national-level poverty counties (832)"]),
            "share_2014": round(float(table.loc[2014, "share_high"]), 1),
            "share_2018": round(float(table.loc[2018, "share_high"]), 1),
            "share_2020": round(float(table.loc[2020, "share_high"]), 1),
        },
        limits="The series does not say whether a county that left the poverty list was still "
        "counted, nor which of two lists of poor counties is meant. It shows where villages "
        "arose, not whether anybody became less poor.",
    )


def decide_poor(evidence: Evidence) -> tuple[str, str]:
    """Rule of the poor left behind."""
    found = evidence.details
    if found["slower"] == found["pairs"]:
        return "right", "They grew more slowly than all villages in each pair of years."
    if found["faster"] == found["pairs"]:
        return "wrong", "They grew faster than all villages in each pair of years."
    return "open", "It depends on which years one compares: in some they gained, in others not."


# ---- the platform --------------------------------------------------------------------------------
NAMES = ("each name of the market", "latest figure alone", "online retail alone")


def platform_evidence(*, market: str = NAMES[0], forecasts: bool = True) -> Evidence:
    """Evidence on dependence: the platform's share of online selling, first and last printed.

    Parameters
    ----------
    market : {"each name of the market", "latest figure alone", "online retail alone"}
        Sources name the whole in different words. Take the last share under each name, the latest
        of all whatever it is called, or nothing but shares of "online retail".
    forecasts : bool
        Keep shares that were printed before their year was over.

    Raises
    ------
    ValueError
        For another value of `market`.
    """
    if market not in NAMES:
        raise ValueError(f"market is {market!r}; use one of {', '.join(NAMES)}")
    table = platforms.printed_shares()
    if not forecasts:
        table = table[table["covers"] != "printed before its end"]
    if market == "online retail alone":
        table = table[table["market"] == "online retail"]
    own, rival = (table[table["firm"] == firm] for firm in ("Alibaba", "Pinduoduo"))
    before, after = own[own["year"] <= LAST_LIST], own[own["year"] > LAST_LIST]
    users = data.load("market/platform_users")
    users = users[(users["quantity"] == "annual_active_buyers") & (users["date"] == "2020-12")]
    fine = data.bearing("policy/events", "C30:fine")
    sources = source_ids(own, rival, users, fine)
    if after.empty:
        return Evidence(
            None,
            "%",
            sources,
            limits=f"No share of a year after {LAST_LIST} is printed under these choices.",
        )
    latest = after["year"].max()
    if market != "latest figure alone":
        latest = after.groupby("market")["year"].transform("max")
    ends = after[after["year"] == latest].sort_values("share")
    low, high = (round(float(share), 1) for share in ends["share"].iloc[[0, -1]])
    # A share is held against earlier ones of the same name; without one it cannot have kept up.
    floors = ends["market"].map(before.groupby("market")["share"].min())
    whole = own[own["covers"] == "whole year"]
    buyers = users.set_index("platform")["value"]
    return Evidence(
        value=low,
        unit=f"% of {ends['market'].iloc[0]} in {ends['year'].iloc[0]}",
        interval=(low, high),
        interval_kind="last printed share of "
        + " and of ".join(f"{row.market} ({row.year})" for row in ends.itertuples()),
        n=len(own),
        n_unit="printed shares",
        sources=sources,
        details={
            "before_low": round(float(before["share"].min()), 1),
            "before_high": round(float(before["share"].max()), 1),
            "no_lower": bool((ends["share"] >= floors).all()),
            "last": str(ends["year"].iloc[0]),
            "other_market": ends["market"].iloc[-1],
            "other_last": str(ends["year"].iloc[-1]),
            "last_whole_year": str(whole["year"].max()),
            "rival_2015": round(float(rival.set_index("year")["share"].get(2015, np.nan)), 1),
            "buyers_own": int(buyers["Alibaba China retail"]),
            "buyers_rival": int(buyers["Pinduoduo"]),
            "fine_billion": round(float(fine["amount_rmb_million"].max()) / 1000, 1),
        },
        limits="Makers divide by different wholes: even in the article's time their shares of one "
        "year differ widely. The last whole year whose share was printed after its end is "
        f"{whole['year'].max()}. What part of the villages' own sales runs over one platform is "
        "printed nowhere that we know of; and a Taobao Village is defined by sales on it.",
    )


def decide_platform(evidence: Evidence) -> tuple[str, str]:
    """Rule of dependence on one platform."""
    low, high = evidence.interval or (np.nan, np.nan)
    if evidence.details["no_lower"]:
        return "right", "Its share of the market is no lower than before."
    if high < 50:
        return "wrong", "It no longer has half of the market."
    still = (
        "it still has about half"
        if low >= 50
        else "whether it still has half depends on what the share is of"
    )
    return (
        "open",
        f"Its hold on the market has weakened, but {still}; and no source tells what the villages "
        "themselves sell where.",
    )


def stations(*, doubtful: bool = True) -> pd.DataFrame:
    """Village service points of Rural Taobao, with the plan of 2014.

    Parameters
    ----------
    doubtful : bool
        Keep counts whose date is inferred.

    Returns
    -------
    DataFrame
        Columns ``date``, ``kind`` ("count" or "plan"), ``value``, ``qualifier``, ``source_id``.
    """
    table = data.load("market/rural_taobao")
    table = table[(table["operator"] == "Alibaba") & table["place"].isna()]
    if not doubtful:
        table = table[~table["date_inferred"]]
    kinds = {"villages": "count", "target_village_stations": "plan"}
    table = table[table["indicator"].isin(kinds)]
    out = table.assign(kind=table["indicator"].map(kinds)).sort_values(["date", "source_id"])
    return out[["date", "kind", "value", "qualifier", "source_id"]].reset_index(drop=True)


def stations_evidence(*, doubtful: bool = True) -> Evidence:
    """Evidence on Rural Taobao: the last known count of village points against the plan."""
    table = stations(doubtful=doubtful)
    plan, counts = table[table["kind"] == "plan"], table[table["kind"] == "count"]
    target, last = float(plan["value"].max()), counts.iloc[-1]
    months = (pd.Period(last["date"][:7], "M") - pd.Period(plan["date"].min()[:7], "M")).n
    evidence = data.load("market/evidence")
    exits = evidence[evidence["topic"] == "Rural Taobao partner exit"]
    return Evidence(
        value=round(100 * float(last["value"]) / target),
        unit="% of the planned village points at the last known count",
        n=len(counts),
        n_unit="counts",
        sources=source_ids(plan, counts, exits),
        details={
            "target": int(target),
            "reached": int(last["value"]),
            "months": int(months),
            "exits": len(exits),
        },
        limits="No count after the last is known; its year follows from another report. Reports of "
        "agents who left tell of places, not of how many.",
    )


def decide_stations(evidence: Evidence) -> tuple[str, str]:
    """Rule of the plan for Rural Taobao."""
    if evidence.value is not None and float(evidence.value) >= 100:
        return "right", "The plan was reached."
    if evidence.details["months"] >= 36 and float(evidence.value or 0) < 50:
        return "wrong", "More than three years on, under half of the plan stood; agents left later."
    return "open", "The last count known is too early to judge a plan for three to five years."


def decade_evidence() -> Evidence:
    """Evidence on the institute's own forecast of 2019: the last list against its number."""
    rows = data.load("villages/economy")
    row = rows[rows["status"] == "forecast"].iloc[0]
    table = totals()
    last = int(table.index.max())
    since = growth.growth_intervals(table.loc[[2019, last], "n"], table["month"]).iloc[0]
    left = (int(row["year"]) - last) + (12 - table.loc[last, "month"].month) / 12
    return Evidence(
        value=int(table.loc[last, "n"]),
        unit=f"villages in the last list, of {last}",
        n=1,
        n_unit="forecast",
        sources=sorted({row["source_id"], *total_sources(2019)}),
        details={
            "foretold": int(row["value"]),
            "due": str(row["year"]),
            "last": str(last),
            "added": round(float(since["additions"])),
            "needed": round((row["value"] - table.loc[last, "n"]) / left),
        },
        limits="We found no list after the last; whether there will be one is not known.",
    )


def decide_decade(evidence: Evidence) -> tuple[str, str]:
    """Rule of the institute's forecast."""
    if float(evidence.value or 0) > evidence.details["foretold"]:
        return "right", "A list has passed the number."
    if int(evidence.details["last"]) >= int(evidence.details["due"]):
        return "wrong", "The year has come and the number was not reached."
    return "open", "The time is not up, and there is no later list to look at."


# ---- villages and power --------------------------------------------------------------------------
ORDERS = (
    "administrative push",
    "targets",
    "sales targets",
    "sales targets imposed by local government",
)
FORCED = "sales targets imposed by local government"
# Codes of the codebook on who spread the trade, and on founders, heads and the party.
KIN = ("kin", "kin_neighbours")
LEADERS = ("founded_by", "leader_from_village_administration", "leader_is_party_secretary")
LED_BY_KIN: tuple[str, ...] = ()  # no source was found to code
PARTY_INSIDE = ("association_has_party_branch", "leader_is_party_secretary")


def campaign_evidence(*, coder: str = "first", doubtful: bool = True) -> Evidence:
    """Evidence on campaigns: reports after the article of orders, targets and force."""
    rows = data.load("market/evidence")
    rows = rows[(rows["date"] >= literature.PUBLISHED) & rows["topic"].isin(ORDERS)]
    codes = coding.codes(coder=coder, doubtful=doubtful)
    codes = codes[codes["code"] == "numeric_targets"]
    dates = data.sources()["date"]
    codes = codes[codes["source_id"].map(dates) >= literature.PUBLISHED[:4]]
    return Evidence(
        value=len(rows) + len(codes),
        unit="reports of orders or targets after the article",
        n=len(data.load("market/evidence").query("date >= @literature.PUBLISHED")),
        n_unit="statements dated after the article",
        sources=source_ids(rows, codes) or ["li2017"],
        details={"reports": len(rows) + len(codes), "forced": int((rows["topic"] == FORCED).sum())},
        limits="Press reports of single places. A campaign that nobody reported leaves no row, and "
        "places in which nothing happened are not written about.",
    )


def decide_campaign(evidence: Evidence) -> tuple[str, str]:
    """Rule of coercive campaigns."""
    if evidence.details["forced"] >= 2:
        return "right", "At least two reports tell of people made to comply."
    if evidence.details["reports"]:
        return (
            "open",
            "Orders and targets are reported, force on residents is not; and reports cannot "
            "show that there was none.",
        )
    return "open", "Nothing of the kind is reported, which does not show that there was none."


def kin_evidence(*, coder: str = "first", doubtful: bool = True) -> Evidence:
    """Evidence on kin groups: places where kin spread the trade and who leads the association."""
    codes = coding.codes(coder=coder, doubtful=doubtful)
    kin = codes[(codes["dimension"] == "diffusion") & codes["code"].isin(KIN)]
    own = codes[codes["case_id"].isin(kin["case_id"]) & (codes["dimension"] == "association")]
    led = own[own["code"].isin(LEADERS)]
    return Evidence(
        value=int(led["case_id"].nunique()),
        unit="of these places have an association with a known founder or head",
        n=int(kin["case_id"].nunique()),
        n_unit="places where kin spread the trade",
        sources=source_ids(kin, led) or ["li2017"],
        details={
            "kin": int(kin["case_id"].nunique()),
            "founder": ", ".join(
                sorted(set(led.loc[led["code"] == "founded_by", "value"].dropna()))
            )
            or "not reported",
            "by_kin": int(led["code"].isin(LED_BY_KIN).sum()),
        },
        limits="What a source does not mention is not reported; it is not absent.",
    )


def decide_kin(evidence: Evidence) -> tuple[str, str]:
    """Rule of the power of kin groups."""
    if evidence.details["by_kin"] >= 2:
        return "right", "In at least two places a kin group is reported to lead."
    return "open", "No source tells whether the kin who spread the trade came to lead."


def corporatism_evidence() -> Evidence:
    """Evidence on corporatism: dated acts that join party, e-tailers and platform."""
    events = data.load("policy/events")
    later = events[events["date"] >= literature.PUBLISHED]
    party = later[later["instrument"] == "party-building"]
    partners = later[later["instrument"] == "partnership"]
    joint = party[party.index.isin(data.bearing("policy/events", "C52:joint").index)]
    places = set(party["province_code"]) & set(partners["province_code"])
    return Evidence(
        value=int(party["event_key"].nunique()),
        unit="acts of party organs over e-commerce after the article",
        n=len(later),
        n_unit="dated acts after the article",
        sources=source_ids(party, partners),
        details={
            "provinces": int(party["province_code"].nunique()),
            "partnerships": int(partners["event_key"].nunique()),
            "both": len(places),
            "joint": int(joint["event_key"].nunique()),
        },
        limits="A list of acts that we came upon, not a count of all. The acts say what was set "
        "up, not who decides in it.",
    )


def decide_corporatism(evidence: Evidence) -> tuple[str, str]:
    """Rule of party-state corporatism."""
    found = evidence.details
    if found["provinces"] >= 3 and found["joint"] >= 1:
        return "right", "Party organs over e-tailers in three provinces, with the platform inside."
    if found["provinces"] >= 3:
        return (
            "open",
            "Half of it is there: party organs over e-commerce in several provinces. That the "
            "platform's people sit in them is not reported.",
        )
    return "open", "Too few acts are known."


def protection_evidence(*, coder: str = "first", doubtful: bool = True) -> Evidence:
    """Evidence on associations: how many are tied to the party, and later disputes."""
    codes = coding.codes(coder=coder, doubtful=doubtful)
    own = codes[codes["dimension"] == "association"]
    organs = codes[(codes["dimension"] == "party_organ") & codes["code"].isin(data.TIED)]
    tied = pd.concat([own[own["code"].isin(PARTY_INSIDE)], organs])
    cases = int(own["case_id"].nunique())
    low, high = shares.share_bounds(int(tied["case_id"].nunique()), 0, cases)
    rows = data.load("market/evidence")
    disputes = rows[(rows["topic"] == "protest") & (rows["date"] >= literature.PUBLISHED)]
    return Evidence(
        value=int(tied["case_id"].nunique()),
        unit="places whose association has a reported tie to the party",
        interval=(round(100 * low, 1), round(100 * high, 1)),
        interval_kind="share in percent if none, or all, of the not-reported have one",
        n=cases,
        n_unit="places with an association reported",
        sources=source_ids(own, organs),
        details={"disputes": len(disputes)},
        limits="The places are not a sample. A tie to the party does not show that an association "
        "is silent.",
    )


def decide_protection(evidence: Evidence) -> tuple[str, str]:
    """Rule of unprotected e-tailers: it needs later disputes in which associations took sides."""
    if evidence.details["disputes"] == 0:
        return (
            "open",
            "No dispute after the article is reported in which an association took sides.",
        )
    return "open", "Disputes are reported, and what the associations did in them is not coded."


# ---- the forecasts -------------------------------------------------------------------------------
FORECASTS = (
    Forecast(
        "growth",
        ("C15",),
        "Exponential growth, which the article sees up to 2016, goes on.",
        growth_evidence,
        Rule(
            "Right if every later total reaches what the slowest rate of growth of 2013-2016 "
            "foretells. Wrong if none does, the two of 2017 and 2018 included, which were made "
            "under the same definition. Else open.",
            decide_growth,
        ),
        {"total_2014": TOTALS_2014, "dates": DATES, "first": FIRSTS},
    ),
    Forecast(
        "model",
        ("C15",),
        "The growth curve that fits the totals to 2016 best foretells those of 2017-2022.",
        model_evidence,
        Rule(
            "Right if its 95% interval holds all later totals but one at most, and it comes "
            "nearer than both naive forecasts. Wrong if the interval misses most totals or both "
            "naive forecasts come nearer. Else open.",
            decide_model,
        ),
        {"train_from": (2009, 2012), "total_2014": TOTALS_2014, "dates": DATES, "first": FIRSTS},
    ),
    Forecast(
        "coast",
        ("C18", "C19"),
        "The villages stay where the article finds them: nine in ten in the developed East.",
        coast_evidence,
        Rule(
            "Right if every share of the East printed for the last known year is above 90%. "
            "Wrong if none is. Else open.",
            decide_coast,
        ),
        {"doubtful": (True, False)},
    ),
    Forecast(
        "inland",
        ("C22",),
        "Inland villages remain few.",
        few_evidence,
        Rule(
            "Right if the share outside the East stays under 10% in every later year with a "
            "printed count, the threshold of claim C22. Wrong if it is 10% or more in the last. "
            "Else open.",
            lambda evidence: (
                ("right", "Under a tenth in every later year that is known.")
                if float(evidence.value or 0) < 10
                else ("wrong", "A tenth or more.")
                if (evidence.interval or (0, 0))[0] >= 10
                else ("open", "Under a tenth in some years or sources only.")
            ),
        ),
        {"doubtful": (True, False)},
    ),
    Forecast(
        "catch_up",
        ("C22", "C54"),
        "Inland growth stays behind that of the coast.",
        catch_up_evidence,
        Rule(
            "Wrong if the number outside the East was multiplied by more than that of the East "
            "from 2016 to the last year under the same definition; right if by no more; open if "
            "that depends on the source.",
            decide_catch_up,
        ),
        {"strict": (True, False)},
    ),
    Forecast(
        "south",
        ("C20",),
        "The south keeps the share that the article names.",
        south_evidence,
        Rule(
            "Right if the lowest possible share in 2018 is above the article's under each "
            "definition of the south. Wrong if the highest possible is not, under each. Else open.",
            decide_south,
        ),
        {"definitions": (SOUTHS, ("south",), ("south_jiangsu_north",))},
    ),
    Forecast(
        "delta",
        ("C21",),
        "The villages stay next to the two deltas.",
        delta_evidence,
        Rule(
            "Right if the lowest possible share of the delta provinces is above their share of "
            "people in each year from 2017 to 2020. Wrong if the highest possible is not. Else "
            "open.",
            decide_delta,
        ),
        {"flag": ("delta", "delta_with_anhui")},
    ),
    Forecast(
        "poverty",
        ("C36", "C37"),
        "Poor counties are left behind as the villages spread.",
        poor_evidence,
        Rule(
            "Right if villages in poor counties were multiplied by no more than all villages in "
            "each pair of years under one definition that ends after 2016. Wrong if by more in "
            "each. Else open.",
            decide_poor,
        ),
        {"strict": (True, False), "total_2014": TOTALS_2014},
    ),
    Forecast(
        "platform",
        ("C30",),
        "One platform keeps its hold on online selling, and so on the villages.",
        platform_evidence,
        Rule(
            "Right if its last printed share of online retail is no lower than the lowest before "
            "2017. Wrong if it is under half. Else open. Where sources name the whole in "
            "different words, each has its own last share, and all must agree.",
            decide_platform,
            changes=(
                "2026-11-29: shares of what a source calls e-commerce, online sales or online "
                "shopping count too. Before, only those of online retail did, so that a later "
                "and lower one was left out without a word.",
            ),
        ),
        {"market": NAMES, "forecasts": (True, False)},
    ),
    Forecast(
        "stations",
        ("C12",),
        "Rural Taobao goes on to reach the number of villages that the company planned in 2014.",
        stations_evidence,
        Rule(
            "Right if a count reaches the plan. Wrong if the last count, three years or more "
            "after it, is under half. Else open.",
            decide_stations,
        ),
        {"doubtful": (True, False)},
    ),
    Forecast(
        "decade",
        (),
        "The platform's institute, in 2019: the number of villages will pass a round mark within "
        "ten years.",
        decade_evidence,
        Rule(
            "Right once a list passes the number. Wrong if the last list of the decade does not. "
            "Open until then.",
            decide_decade,
        ),
    ),
    Forecast(
        "campaign",
        ("C29",),
        "Local governments' attention turns future villages into coercive campaigns.",
        campaign_evidence,
        Rule(
            "Right if at least two reports dated after the article tell of people made to comply. "
            "Else open: reports cannot show that something did not happen.",
            decide_campaign,
        ),
        {"coder": coding.CODERS, "doubtful": (True, False)},
    ),
    Forecast(
        "kin",
        ("C51",),
        "Kin groups that spread e-commerce gain economic power.",
        kin_evidence,
        Rule(
            "Right if in at least two places a kin group is reported to lead the trade's "
            "association. Else open: what is not reported is not absent.",
            decide_kin,
        ),
        {"coder": coding.CODERS, "doubtful": (True, False)},
    ),
    Forecast(
        "corporatism",
        ("C52",),
        "Governance turns into party-state corporatism: e-tailers and the platform's people under "
        "the party's lead.",
        corporatism_evidence,
        Rule(
            "Right if acts dated after the article put party organs over e-tailers in at least "
            "three provinces, and at least one of them includes the platform. Else open.",
            decide_corporatism,
        ),
    ),
    Forecast(
        "protection",
        ("C60",),
        "Associations under the party do not push for reform, and e-tailers' interests go "
        "unprotected.",
        protection_evidence,
        Rule(
            "Needs disputes dated after the article in which associations spoke for or against "
            "their members. Open while none is known.",
            decide_protection,
        ),
        {"coder": coding.CODERS, "doubtful": (True, False)},
    ),
)
BY_KEY = {item.key: item for item in FORECASTS}
IN_NUMBERS = ("growth", "model", "coast", "inland", "catch_up", "south", "delta", "poverty")
LABELS = {
    "growth": "Growth stays exponential",
    "model": "The best curve foretells it",
    "coast": "Nine in ten stay in the East",
    "inland": "Inland villages remain few",
    "catch_up": "Inland growth stays behind",
    "south": "The south keeps its share",
    "delta": "They stay next to the deltas",
    "poverty": "Poor counties are left behind",
    "platform": "One platform keeps its hold",
    "stations": "Rural Taobao meets its plan",
    "decade": "The institute's mark is passed",
    "campaign": "Coercive campaigns follow",
    "kin": "Kin groups gain power",
    "corporatism": "Corporatism under the party",
    "protection": "E-tailers go unprotected",
}


def forecasts() -> list[dict[str, Any]]:
    """One entry a forecast under the default choices; ``details`` counts its variants.

    ``variants`` is the number of combinations, ``agree`` how many give the same verdict.
    """
    out = []
    with data.steady():
        for item in FORECASTS:
            judged = item.judge()
            verdicts = item.all_variants()["verdict"]
            counted = {"variants": len(verdicts), "agree": int((verdicts == judged.verdict).sum())}
            evidence = replace(judged.evidence, details={**judged.evidence.details, **counted})
            out.append(replace(judged, evidence=evidence).as_dict())
    return out


def forecasts_json() -> str:
    """The forecasts as JSON text (a list of objects)."""
    return json.dumps(forecasts(), ensure_ascii=False, indent=1, allow_nan=False)


def scorecard(keys: Sequence[str] = tuple(BY_KEY)) -> pd.DataFrame:
    """Forecasts with their verdicts.

    Parameters
    ----------
    keys : sequence of str
        Which forecasts, in this order.

    Returns
    -------
    DataFrame
        Indexed by a short label; columns ``claims``, ``verdict``, ``variants`` ("18 of 18" agree).
    """
    rows = {row["id"].removeprefix("F_"): row for row in forecasts()}
    return pd.DataFrame(
        {
            "forecast": LABELS[key],
            "claims": ", ".join(rows[key]["claim_ids"]) or "not the article's",
            "verdict": rows[key]["verdict"],
            "variants": "{agree} of {variants}".format(**rows[key]["details"]),
        }
        for key in keys
    ).set_index("forecast")
