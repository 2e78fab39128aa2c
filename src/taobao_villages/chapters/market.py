"""Internet giants and e-commerce in China: size, growth, shares and owners (C01 to C05, C57).

Nobody counts online retail from a list. Each publisher has its own estimate, and its own idea of
what belongs in it. So the intervals here are ranges over publishers and definitions; the one
exception, the interval of a log-linear fit, says so. Values are in current prices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from taobao_villages import data
from taobao_villages.methods import growth
from taobao_villages.subjects.firms import KEYS, SEGMENTS, STRATEGIC, concentration, owners
from taobao_villages.subjects.retail import (
    ALONE,
    ARTICLE,
    BOTH,
    FIRST,
    GDP,
    GOODS,
    LAST,
    MARKETS,
    PERIODS,
    PUBLISHERS,
    RETAIL,
    UNITED_STATES,
    against_united_states,
    denominators,
    growth_rates,
    market_size,
    online_retail,
    platform_sales,
    sales_shares,
    series,
    totals,
)
from taobao_villages.verdicts.claims import Claim, Evidence, Rule

STATED = {2012: 1200.0, 2016: 4700.0}  # the article's figures, RMB billion
COMMERCE: Mapping[str, Sequence[str]] = {
    "every definition": SEGMENTS["e-commerce"],
    "all online retail": ("online retail", "online sales", "e-commerce"),
    "B2C": ("B2C",),
    "mobile shopping": ("mobile shopping",),
}
SEARCH: Mapping[str, Sequence[str]] = {
    "every measure": ("share", "share_of_revenue", "share_of_use"),
    "revenue": ("share_of_revenue",),
    "use": ("share_of_use",),
}


# ---- growth (C01, C02) ---------------------------------------------------------------------------


def size_evidence(*, tolerance: float = 5, forecasts: bool = False) -> Evidence:
    """Evidence for C01: the article's two totals against those of other sources.

    A publisher agrees with a total if one of its printed figures lies within the tolerance.

    Parameters
    ----------
    tolerance : float
        How far a figure may lie from the article's, in percent of it.
    forecasts : bool
        See `totals`.
    """
    rows = online_retail(forecasts=forecasts)
    rows = rows[rows["year"].isin(STATED) & (rows["source_id"] != ARTICLE)]
    rows = rows.assign(off=100 * (rows["rmb"] / rows["year"].map(STATED) - 1))
    nearest = rows["off"].abs().groupby([rows["year"], rows["publisher"]]).min().round(6)
    details: dict[str, float] = {"tolerance": tolerance}
    low, high = {}, {}
    for year in STATED:
        own = rows[rows["year"] == year]
        low[year], high[year] = own["rmb"].min(), own["rmb"].max()
        details[f"stated_{year}"] = STATED[year] / 1000
        details[f"low_{year}"] = round(float(low[year]) / 1000, 2)
        details[f"high_{year}"] = round(float(high[year]) / 1000, 2)
        details[f"publishers_{year}"] = len(nearest[year])
        details[f"near_{year}"] = int((nearest[year] <= tolerance).sum())
        details[f"nearest_{year}"] = round(float(nearest[year].min()), 1)
        details[f"largest_{year}"] = round(float(own["off"].max()), 1)
    ends = growth.rounding_range(STATED[FIRST], STATED[LAST], LAST - FIRST, step=100)
    for end in ("low", "high"):
        details[f"multiple_{end}"] = round(float(ends.loc[end, "multiple"]), 1)
        details[f"cagr_{end}"] = round(float(ends.loc[end, "cagr"]), 1)
    details["cagr"] = round(growth.cagr(STATED[FIRST], STATED[LAST], LAST - FIRST), 1)
    return Evidence(
        value=round(STATED[LAST] / STATED[FIRST], 1),
        unit="times as much in 2016 as in 2012, by the article's figures",
        interval=(
            round(float(low[LAST] / high[FIRST]), 1),
            round(float(high[LAST] / low[FIRST]), 1),
        ),
        interval_kind="lowest and highest of other sources: any figure of 2016 over any of 2012",
        n=len(rows),
        n_unit="figures of other sources for the two years",
        sources=sorted(
            {*rows["source_id"], ARTICLE, *totals("exchange_rate_rmb_per_usd")["source_id"]}
        ),
        details=details,
        limits=(
            "iResearch's own page for 2012 was not found, only the article's mention of it. One "
            "source prints a larger total for 2016 than the statistics office that it names."
        ),
    )


def decide_size(evidence: Evidence) -> tuple[str, str]:
    """Rule of C01."""
    found = evidence.details
    near = [found[f"near_{year}"] for year in STATED]
    every = [found[f"publishers_{year}"] for year in STATED]
    if near == every:
        return "reproduced", "All other publishers agree with both figures within the tolerance."
    if any(near):
        return (
            "reproduced in part",
            f"{near[0]} of {every[0]} other publishers for 2012 and {near[1]} of {every[1]} for "
            "2016 agree within the tolerance; the rest have more or less.",
        )
    return "not reproduced", "No publisher agrees with either figure within the tolerance."


C01 = Claim(
    "C01",
    evidence=size_evidence,
    rule=Rule(
        "Each publisher's total for 2012 and 2016, read elsewhere than in the article, is compared "
        'with the article\'s. "About" is read as 5% either way. Reproduced if all publishers '
        "agree; in part if some do; not reproduced if none does.",
        decide_size,
    ),
    variants={"tolerance": (5, 3, 10, 15), "forecasts": (False, True)},
)


def speed_evidence(
    *,
    publisher: str = "iResearch",
    gdp: str = "final",
    pick: str = "lowest",
    method: str = "ends",
    times_as_fast: float = 2,
) -> Evidence:
    """Evidence for C02: how much faster online retail grew than all retail and GDP.

    Parameters
    ----------
    publisher, gdp, pick, method : str
        See `growth_rates`.
    times_as_fast : float
        What "extraordinary" is read as: so many times the faster of the other two rates.
    """
    rates = growth_rates(publisher=publisher, gdp=gdp, pick=pick, method=method)
    online = series(PUBLISHERS[publisher], pick=pick, forecasts=publisher == "CECRC")
    online = online.loc[int(rates.loc["online", "first"]) : int(rates.loc["online", "last"])]
    yearly = growth.year_on_year(online)
    summary, fit = (None, None) if len(online) < 3 else growth.log_linear(online)
    other = float(rates.loc[["retail", "gdp"], "rate"].max())
    details: dict[str, float] = {
        "times": times_as_fast,
        "other": round(other, 1),
        "ratio": round(float(rates.loc["online", "rate"]) / other, 1),
        "retail": round(float(rates.loc["retail", "rate"]), 1),
        "gdp": round(float(rates.loc["gdp", "rate"]), 1),
        "first": int(rates.loc["online", "first"]),
        "last": int(rates.loc["online", "last"]),
    }
    retail = series(RETAIL, pick=pick)
    for end in ("first", "last"):  # yuan online for a hundred yuan of all retail
        year = int(details[end])
        details[f"per_hundred_{end}"] = round(100 * float(online[year] / retail[year]), 1)
    for year, rate in yearly.items():
        details[f"growth_{year}"] = round(float(rate), 1)
    for name in ("online", "retail", "gdp"):
        details[f"multiple_{name}"] = round(float(rates.loc[name, "multiple"]), 2)
    interval = None
    if summary is not None and fit is not None:
        interval = (round(float(summary["low"]), 1), round(float(summary["high"]), 1))
        details["fit"] = round(float(summary["rate"]), 1)
        for year, residual in fit["residual"].items():
            details[f"residual_{year}"] = round(float(residual), 1)
    used = [PUBLISHERS[publisher], RETAIL, GDP[gdp]]
    sources = pd.concat([totals(name, forecasts=publisher == "CECRC") for name in used])
    return Evidence(
        value=round(float(rates.loc["online", "rate"]), 1),
        unit="percent a year",
        interval=interval,
        interval_kind="95% interval of the log-linear fit" if interval else "",
        n=len(online),
        n_unit="years with a total of online retail",
        sources=sorted(set(sources[sources["year"].between(FIRST, LAST)]["source_id"])),
        details=details,
        limits=(
            "Current prices, few years, rounded totals; iResearch's for 2012 is known only from "
            "the article. "
            "The fit takes years as independent, which neighbouring years are not: its interval "
            "describes the scatter about a line and is no margin of error of the totals."
        ),
    )


def decide_speed(evidence: Evidence) -> tuple[str, str]:
    """Rule of C02."""
    online, other = float(evidence.value or 0), evidence.details["other"]
    lowest = evidence.interval[0] if evidence.interval else online
    if online >= evidence.details["times"] * other and lowest > other:
        return (
            "reproduced",
            f"{evidence.details['ratio']} times as fast as the faster of all retail and GDP; even "
            "the low end of the fit is above both.",
        )
    if online > other:
        return (
            "reproduced in part",
            "Faster than all retail and GDP, but not by the factor asked for, or not clearly.",
        )
    return "contradicted", "No faster than all retail or GDP."


C02 = Claim(
    "C02",
    evidence=speed_evidence,
    rule=Rule(
        '"Extraordinary" is read as twice the rate of all retail sales and of GDP, whichever is '
        "faster. Reproduced if online retail grew at least that fast and the low end of the "
        "log-linear fit is above both; in part if it only grew faster; contradicted if it did not.",
        decide_speed,
    ),
    variants={
        "publisher": ("iResearch", "Statistics office", "CECRC"),
        "gdp": ("final", "preliminary"),
        "pick": ("lowest", "highest"),
        "method": ("ends", "fit"),
        "times_as_fast": (2, 1.5, 3),
    },
)


# ---- the seventy percent (C03) -------------------------------------------------------------------
SEVENTY = 70  # percent of online retail, by the article


def seventy_evidence(
    *,
    platforms: str = BOTH,
    market: str = "each publisher",
    period: str = "each period",
    tolerance: float = 5,
) -> Evidence:
    """Evidence for C03: the share of Taobao in all online retail under several readings.

    Parameters
    ----------
    platforms : {"Taobao and Tmall", "Taobao alone"}
        What "Taobao" means.
    market : str
        "each publisher", or one of `MARKETS`.
    period : str
        "each period", or one of `PERIODS`.
    tolerance : float
        What "around" means, in percentage points.
    """
    every = sales_shares()
    table = every[every["whose"] == platforms]
    if market != "each publisher":
        table = table[table["market"] == market]
    if period != "each period":
        table = table[table["period"] == period]
    shares = table["share"]
    details: dict[str, float] = {
        "tolerance": tolerance,
        "readings": len(shares),
        "within": int(((shares - SEVENTY).abs() <= tolerance).sum()),
        "below": int((shares < SEVENTY - tolerance).sum()),
        "above": int((shares > SEVENTY + tolerance).sum()),
    }
    every = every.set_index(["whose", "market", "period"])["share"]
    details |= {
        "both_iresearch": round(float(every[BOTH, "iResearch", "same months"]), 1),
        "both_office": round(float(every[BOTH, "Statistics office", "same months"]), 1),
        "both_2016": round(float(every[BOTH, "iResearch", "2016"]), 1),
        "office_2016": round(float(every[BOTH, "Statistics office", "2016"]), 1),
        "both_2015": round(float(every[BOTH, "iResearch", "2015"]), 1),
        "alone": round(float(every[ALONE, "iResearch", "same months"]), 1),
        "alone_low": round(float(every[ALONE].min()), 1),
        "alone_high": round(float(every[ALONE].max()), 1),
        "sales": round(platform_sales("Alibaba China retail", "2016-03") / 1000, 1),
        "sales_taobao": round(platform_sales("Taobao Marketplace", "2016-03") / 1000, 1),
        "sales_tmall": round(platform_sales("Tmall", "2016-03") / 1000, 1),
        "market": round(market_size("iResearch", "same months") / 1000, 2),
        "persons": round(market_size("iResearch", "same months", part="C2C") / 1000, 2),
    }
    wholes = denominators()
    published = wholes[wholes["how"] == "published"].groupby("whose")["share"]
    details |= {
        "tmall_low": float(published.min()["Tmall"]),
        "tmall_high": float(published.max()["Tmall"]),
        "mobile": float(published.max()[BOTH]),
        "of_persons": round(float(wholes.set_index("of")["share"]["C2C (iResearch)"]), 1),
    }
    shop = data.load("market/platform_share")
    shop = shop[shop["market"].eq("online retail") & shop["platform"].eq("Alibaba (all sites)")]
    for year, share in shop.groupby("year")["share_pct"].min().items():
        details[f"published_{year}"] = float(share)
    ids = {source for row in wholes["sources"] for source in row} | set(shop["source_id"])
    return Evidence(
        value=round(float(shares.iloc[0]), 1),
        unit=f"percent of all online retail ({platforms})",
        interval=(round(float(shares.min()), 1), round(float(shares.max()), 1)),
        interval_kind="range over publishers of the market's size and over periods",
        n=len(shares),
        n_unit="ways to divide",
        sources=sorted(ids | {ARTICLE, "sohu2017_gmv"}),
        details=details,
        limits=(
            "Sales over a platform (GMV) count orders whether or not they are paid, so shares are "
            "too high rather than too low. Calendar years are out of step with Alibaba's fiscal "
            "year. No source prints Taobao's share of all online retail for 2016 but the article."
        ),
    )


def decide_seventy(evidence: Evidence) -> tuple[str, str]:
    """Rule of C03."""
    found = evidence.details
    if found["within"] == found["readings"]:
        return "reproduced", "Around 70% under each way to divide."
    if found["within"]:
        return (
            "reproduced in part",
            f"Around 70% under {found['within']} of {found['readings']} ways to divide; "
            f"{found['above']} give more and {found['below']} less.",
        )
    if found["below"] and found["above"]:
        return "not reproduced", "Some ways to divide give more and some less, none around 70%."
    side = "less" if found["below"] else "more"
    return "contradicted", f"Each way to divide gives {side} than that."


C03 = Claim(
    "C03",
    evidence=seventy_evidence,
    rule=Rule(
        '"Around" is read as 5 points either way. "Taobao" is read as Taobao and Tmall together, '
        "as publishers give them and as favours the claim; Taobao alone is among the variants. "
        "Sales over the sites are divided by the size of the whole market, as each publisher has "
        "it, for the same months and for calendar 2015 and 2016. Reproduced if all shares are "
        "around 70%; in part if some are; contradicted if all lie on one side; else not "
        "reproduced.",
        decide_seventy,
        changes=(
            "2026-11-26: the words say which sites the default counts, and why. Nothing that is "
            "computed changed.",
        ),
        threshold=(SEVENTY, f"the article's {SEVENTY}%"),
    ),
    variants={
        "platforms": (BOTH, ALONE),
        "market": ("each publisher", *MARKETS),
        "period": ("each period", *PERIODS),
        "tolerance": (5, 3, 10),
    },
)


# ---- concentration (C04) -------------------------------------------------------------------------


def monopoly_evidence(
    *,
    measure: str = "leader's share",
    needed_share: float = 50,
    needed_hhi: float = 2500,
    online_market: str = "every definition",
    search_shares: str = "every measure",
    shares_by: str = "firm",
) -> Evidence:
    """Evidence for C04: in how many published sets of shares is there a near-monopoly?

    Parameters
    ----------
    measure : {"leader's share", "lowest HHI", "highest HHI"}
        What is held against `needed_share` or `needed_hhi`. A leader with half of a market makes
        an HHI of 2,500 all alone, so the HHI can add something only where the leader has less.
    needed_share : float
        The leader's share from which we speak of near-monopoly, percent.
    needed_hhi : float
        The HHI from which a market counts as highly concentrated.
    online_market : str
        Which market e-commerce is: a key of `COMMERCE`.
    search_shares : str
        What a share of search is a share of: a key of `SEARCH`.
    shares_by : {"firm", "brand"}
        See `market_shares`.

    Raises
    ------
    ValueError
        For another `measure`.
    """
    measures = {
        "leader's share": ("top", needed_share),
        "lowest HHI": ("low", needed_hhi),
        "highest HHI": ("high", needed_hhi),
    }
    if measure not in measures:
        raise ValueError(f"measure is {measure!r}; use one of {', '.join(measures)}")
    table = concentration(owner=shares_by)
    table = table[
        ((table["segment"] != "e-commerce") | table["market"].isin(COMMERCE[online_market]))
        & ((table["segment"] != "search") | table["measure"].isin(SEARCH[search_shares]))
    ]
    column, limit = measures[measure]
    holds = table[column] >= limit
    details: dict[str, float] = {"threshold": needed_hhi, "least": needed_share}
    details["holds"] = int(holds.sum())
    whole = 0
    for name in SEGMENTS:
        own, key = table["segment"] == name, KEYS[name]
        details[f"sets_{key}"] = int(own.sum())
        details[f"holds_{key}"] = int(holds[own].sum())
        whole += int(own.any() and holds[own].all())
        if own.any():
            details[f"top_low_{key}"] = round(float(table.loc[own, "top"].min()), 1)
            details[f"top_high_{key}"] = round(float(table.loc[own, "top"].max()), 1)
            details[f"hhi_low_{key}"] = round(float(table.loc[own, "low"].min()))
            details[f"hhi_high_{key}"] = round(float(table.loc[own, "high"].max()))
    details["segments_whole"] = whole
    details["one_name"] = int((table["n"] == 1).sum())
    lower = table[table["source_id"] == "e_reuters2014cc"]  # Euromonitor, far below the others
    if len(lower):
        details |= {
            "euromonitor_low": float(lower["top"].min()),
            "euromonitor_high": float(lower["top"].max()),
            "euromonitor_hhi_low": round(float(lower["low"].min())),
            "euromonitor_hhi_high": round(float(lower["high"].max())),
        }
    return Evidence(
        value=round(100 * float(holds.mean()), 1),
        unit="percent of the published sets of shares show a near-monopoly",
        n=len(table),
        n_unit="published sets of shares of the years 2012 to 2016",
        sources=sorted(set(table["source_id"])),
        details=details,
        limits=(
            "Sets are of different measures and makers and were not drawn as a sample; one that "
            "two sources print counts twice. Social media have no published division of one "
            "market; mobile messaging, for one month, stands for them. A share says "
            "nothing of the power to set prices."
        ),
    )


def decide_monopoly(evidence: Evidence) -> tuple[str, str]:
    """Rule of C04."""
    found = evidence.details
    if found["segments_whole"] == len(SEGMENTS):
        return "reproduced", "In each of the three segments, by every published set of shares."
    if found["holds"] == 0:
        return "contradicted", "In no segment and by no published set of shares."
    parts = [
        f"{found[f'holds_{key}']} of {found[f'sets_{key}']} in {name}" for name, key in KEYS.items()
    ]
    return "reproduced in part", f"By some of the published sets: {', '.join(parts)}."


C04 = Claim(
    "C04",
    evidence=monopoly_evidence,
    rule=Rule(
        "A set of shares shows a near-monopoly if the leader holds at least half; that alone makes "
        "an HHI of 2,500, the mark of a highly concentrated market. Reproduced if every published "
        "set of 2012 to 2016 does so, in search, in social media and in e-commerce; in part if "
        "some do; contradicted if none.",
        decide_monopoly,
        threshold=(100, "every set of shares"),
    ),
    variants={
        "measure": ("leader's share", "lowest HHI", "highest HHI"),
        "needed_share": (50, 66.7),
        "needed_hhi": (2500, 1800),
        "online_market": tuple(COMMERCE),
        "search_shares": tuple(SEARCH),
        "shares_by": ("firm", "brand"),
    },
    skip=lambda measure, needed_share, needed_hhi, **_: (
        needed_hhi != 2500 if measure == "leader's share" else needed_share != 50
    ),
)


# ---- China and the United States (C05) -----------------------------------------------------------
EQUAL = 1  # times the American total


def largest_evidence(
    *, publisher: str = "each publisher", goods_only: bool = False, unreal_orders_percent: float = 0
) -> Evidence:
    """Evidence for C05: is online retail larger in China than in the United States, and since when?

    Parameters
    ----------
    publisher, goods_only, discount
        See `against_united_states`.
    """
    table = against_united_states(
        publisher=publisher, goods_only=goods_only, discount=unreal_orders_percent
    )
    table = table[table["ratio"].notna()]
    highest = table["china_high"] / table["united_states_low"]
    details: dict[str, float | str] = {}
    for year in table.index:
        details[f"ratio_low_{year}"] = round(float(table.loc[year, "ratio"]), 2)
        details[f"ratio_high_{year}"] = round(float(highest[year]), 2)
    tested = table.loc[2013:]
    details |= {
        "years": len(tested),
        "leads": int((tested["ratio"] > EQUAL).sum()),
        "trails": int((highest.loc[2013:] <= EQUAL).sum()),
        "first": next((str(year) for year in table.index[table["ratio"] > EQUAL]), "never"),
        "last": int(tested.index[-1]) if len(tested) else 0,
    }
    if len(tested):
        last = tested.iloc[-1]
        details["leads_last"] = int(last["ratio"] > EQUAL)
        details["break_even"] = round(100 * (1 - 1 / float(last["ratio"])), 1)
        details["break_even_2013"] = (
            round(100 * (1 - 1 / float(table.loc[2013, "ratio"])), 1) if 2013 in table.index else 0
        )
    names = [GOODS] if goods_only else [PUBLISHERS[name] for name in PUBLISHERS]
    if publisher != "each publisher" and not goods_only:
        names = [PUBLISHERS[publisher]]
    used = pd.concat([totals(name) for name in (*names, UNITED_STATES)])
    used = used[used["year"].isin(table.index) & (used["source_id"] != ARTICLE)]
    enough = len(tested) > 0
    return Evidence(
        value=round(float(tested["ratio"].iloc[-1]), 2) if enough else None,
        unit=f"times the American total in {details['last']}" if enough else "",
        interval=(
            (
                round(float(tested["ratio"].iloc[-1]), 2),
                round(float(highest[tested.index[-1]]), 2),
            )
            if enough
            else None
        ),
        interval_kind="lowest and highest over publishers and sources" if enough else "",
        n=len(tested),
        n_unit="years from 2013 with totals for both countries",
        sources=sorted({*used["source_id"], *totals("exchange_rate_rmb_per_usd")["source_id"]}),
        details=details,
        limits=(
            "Only the United States is compared; it led before. What counts as online retail "
            "differs between publishers and countries. Converted at market rates."
            if enough
            else "This publisher has no total for 2013 or later that was read."
        ),
    )


def decide_largest(evidence: Evidence) -> tuple[str, str]:
    """Rule of C05."""
    found = evidence.details
    if found["leads"] == found["years"]:
        return (
            "reproduced",
            f"Larger than the United States in each of the {found['years']} years with data, by "
            "every publisher.",
        )
    if found["leads_last"]:
        return (
            "reproduced in part",
            f"Larger in {found['last']} by every publisher, but not in every year since 2013.",
        )
    if found["trails"] == found["years"]:
        return "contradicted", "Smaller than the United States in each year, by every publisher."
    return "not reproduced", f"Not larger in {found['last']} by every publisher."


C05 = Claim(
    "C05",
    evidence=largest_evidence,
    rule=Rule(
        "Reproduced if China's online retail is larger than that of the United States, the largest "
        "before, in each year from 2013 to 2016 with data and by every publisher; in part if it is "
        "so in the last year but not in each; contradicted if it is smaller in all of them; else "
        "not reproduced.",
        decide_largest,
        threshold=(EQUAL, "as large as the American market"),
    ),
    variants={
        "publisher": (
            "each publisher",
            "iResearch",
            "Statistics office",
            "Ministry of Commerce",
            "CNNIC",
            "CECRC",
            "Deloitte and post",
        ),
        "goods_only": (False, True),
        "unreal_orders_percent": (0, 20, 40),
    },
    skip=lambda publisher, goods_only, unreal_orders_percent: (
        goods_only and publisher != "Statistics office"
    ),
)


# ---- owners (C57) --------------------------------------------------------------------------------


def owner_evidence(
    *, internet: int = 2016, mixed: str = "unknown", weight: str = "firms", finance: bool = True
) -> Evidence:
    """Evidence for C57: state and private firms at the top of each sector.

    Parameters
    ----------
    internet, mixed, weight
        See `owners`.
    finance : bool
        Count finance, where joint-stock banks blur the line, among the strategic sectors.
    """
    table = owners(internet=internet, mixed=mixed, weight=weight)
    sectors = [name for name in STRATEGIC if finance or name != "finance"]
    details: dict[str, float] = {"sectors": len(sectors)}
    for sector, row in table.iterrows():
        for column in ("firms", "state", "private", "mixed", "not found"):
            details[f"{column.replace(' ', '_')}_{sector}"] = int(row[column])
        for column in ("state_low", "state_high", "private_low", "private_high"):
            details[f"{column}_{sector}"] = round(float(row[column]), 1)
    details["mostly_state"] = int((table.loc[sectors, "state_low"] > 50).sum())
    details["maybe_state"] = int((table.loc[sectors, "state_high"] > 50).sum())
    firms = data.load("market/leading_firms")
    firms = firms[firms["list_id"].isin(["top500_2016", f"internet100_{internet}"])]
    firms = firms[firms["sector"].isin([*sectors, "internet"])]
    ids = {
        source
        for cell in (*firms["source_id"], *firms["owner_source_id"].dropna())
        for source in cell.split(";")
    }
    return Evidence(
        value=int(table.loc["internet", "private"]),
        unit=f"of {int(table.loc['internet', 'firms'])} leading internet firms are private",
        interval=(
            round(float(table.loc["internet", "private_low"]), 1),
            round(float(table.loc["internet", "private_high"]), 1),
        ),
        interval_kind="share in percent if none, or all, of those not found are private",
        n=int(table.loc[[*sectors, "internet"], "firms"].sum()),
        n_unit="leading firms",
        sources=sorted(ids),
        details=details,
        limits=(
            "The largest firms only, and owners as sources of several years name them. Legal "
            "ownership is not control: what the ties between firms and government are is not "
            "measured here."
        ),
    )


def decide_owners(evidence: Evidence) -> tuple[str, str]:
    """Rule of C57."""
    found = evidence.details
    low, high = evidence.interval or (0.0, 0.0)
    ties = "The ties to government are not measured here"
    if found["mostly_state"] == found["sectors"] and low > 50:
        return (
            "reproduced in part",
            "The ownership is as claimed: mostly state in each of the strategic sectors, mostly "
            f"private in the internet sector. {ties}, so half of the claim stays open.",
        )
    if found["maybe_state"] == 0 or high <= 50:
        return "contradicted", "Strategic sectors are not mostly state, or the internet is."
    if found["mostly_state"] or low > 50:
        return (
            "reproduced in part",
            f"The ownership is as claimed in some sectors, or if unknown owners are. {ties}.",
        )
    return "not reproduced", f"The ownership is not known well enough. {ties}."


C57 = Claim(
    "C57",
    evidence=owner_evidence,
    rule=Rule(
        "In part, and no more, if over half of the leading firms in each strategic sector belong "
        "to the state and over half in the internet sector are private, whoever owns the firms "
        "whose owner was not found: the claim also speaks of ties, which are not measured. "
        "Contradicted if no strategic sector can be mostly state, or the internet cannot be "
        "mostly private.",
        decide_owners,
    ),
    variants={
        "internet": (2016, 2015, 2017),
        "mixed": ("unknown", "state", "private"),
        "weight": ("firms", "revenue"),
        "finance": (True, False),
    },
)
