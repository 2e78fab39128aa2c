"""The countryside goes online: policy, the digital divide, Rural Taobao (claims C06 to C14).

The list of policy events was gathered with hindsight, so every rate computed from it comes with
the number of early acts that would have to be missing before the result turned. The surveys of
internet users print no sampling errors that we know of: ranges here are over sources, readings
and rounding. Missing cells stay missing.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import lru_cache

import numpy as np
import pandas as pd

from taobao_villages import data
from taobao_villages.methods import growth, shares
from taobao_villages.subjects import internet, policy, provinces, rural_taobao
from taobao_villages.verdicts.claims import Claim, Evidence, Rule

TURN = 2014  # the year that the article names
CAUGHT = 10  # C06: the rule asks what holds if the list caught one early act in so many


# ---- policy events (C06) -------------------------------------------------------------------------


@lru_cache(maxsize=256, typed=True)
def early_acts_needed(
    early: int, early_years: float, late: int, late_years: float, *, level: float = 0.95
) -> int:
    """How many early acts there must have been for the two rates not to differ clearly.

    Parameters
    ----------
    early, late : int
        Acts recorded before and after.
    early_years, late_years : float
        Length of the two periods.
    level : float
        Coverage of the exact interval of the rate ratio.

    Returns
    -------
    int
        The smallest number, `early` or more, with which the interval of late over early reaches
        down to 1; `early` itself if it does so already.
    """

    def alike(acts: int) -> bool:
        return shares.rate_ratio_test(late, late_years, acts, early_years, level).low <= 1

    equal = math.ceil(late / late_years * early_years)  # as many make the rates equal
    return early + bisect_left(range(early, max(early, equal) + 1), True, key=alike)


def intensification_evidence(
    *,
    instruments: str = "documents and programmes",
    issuers: str = "all central",
    first: int = 2004,
    last: int = 2017,
    dating: str = "best source",
    undated_acts: str = "before 2014",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C06: central acts a year from 2014 against the years before.

    Parameters
    ----------
    first, last : int
        First year of the period before, and last year of the period from 2014.
    undated_acts : {"before 2014", "left out"}
        Events without a date belong to earlier plans; counting them works against the claim.
    instruments, issuers, dating, doubtful
        See `central_acts`.
    """
    acts = policy.central_acts(
        instruments=instruments, issuers=issuers, dating=dating, doubtful=doubtful
    )
    dated = acts[acts["year"].between(first, last).fillna(False)]
    loose = acts[acts["year"].isna()] if undated_acts == "before 2014" else acts.iloc[:0]
    early = int((dated["year"] < TURN).sum()) + len(loose)
    late = int((dated["year"] >= TURN).sum())
    years = (TURN - first, last - TURN + 1)
    test = shares.rate_ratio_test(late, years[1], early, years[0])
    needed = early_acts_needed(early, years[0], late, years[1])
    tenfold, fivefold = (
        shares.rate_ratio_test(late, years[1], times * early, years[0])
        for times in (CAUGHT, CAUGHT // 2)
    )
    yearly = policy.by_year(acts, first=first, last=last)
    low, high = shares.poisson_rate_interval(late, years[1])
    early_low, early_high = shares.poisson_rate_interval(early, years[0])
    details = {
        "early": early,
        "late": late,
        "early_years": years[0],
        "late_years": years[1],
        "rate_before": round(early / years[0], 2),
        "rate_before_low": round(early_low, 2),
        "rate_before_high": round(early_high, 2),
        "rate_from": round(late / years[1], 2),
        "rate_from_low": round(low, 2),
        "rate_from_high": round(high, 2),
        "ratio_low": round(test.low, 2),
        "needed": needed,
        "missing": needed - early,
        "caught": CAUGHT,
        "tenfold": CAUGHT * early,
        "tenfold_low": round(tenfold.low, 2),
        "fivefold": round(fivefold.ratio, 2),
        "fivefold_low": round(fivefold.low, 2),
        "peak_year": str(yearly["acts"].astype(int).idxmax()),
        "peak": int(yearly["acts"].max()),
        "undated": len(loose),
        "listed": len(policy.events()),
    }
    for year in range(TURN, last + 1):
        details[f"acts_{year}"] = int(yearly.loc[year, "acts"])
    infinite = not np.isfinite(test.ratio)
    return Evidence(
        value=round(test.low if infinite else test.ratio, 1),
        unit="times as many central acts a year from 2014" + (", or more" if infinite else ""),
        interval=None if infinite else (round(test.low, 1), round(test.high, 1)),
        interval_kind="" if infinite else "exact 95% interval of the ratio, counts as recorded",
        n=early + late,
        n_unit="central acts",
        sources=data.source_ids(pd.concat([dated, loose])["source_id"]),
        details=details,
        limits=(
            "The list was gathered with hindsight, from sources of 2015 and later and from the "
            "article itself: early acts are under-recorded. The interval knows chance only."
        ),
    )


def decide_intensification(evidence: Evidence) -> tuple[str, str]:
    """Rule of C06."""
    found = evidence.details
    if found["ratio_low"] > 1 and found["tenfold_low"] > 1:
        return (
            "reproduced",
            "More central acts a year from 2014, even if only one early act in ten was recorded.",
        )
    if found["ratio_low"] > 1:
        return (
            "reproduced in part",
            "As recorded there are clearly more central acts a year from 2014. But if only one "
            "early act in ten was recorded, the difference would be no more than chance.",
        )
    if found["rate_from"] >= found["rate_before"]:
        return "not reproduced", "The interval of the ratio reaches down to 1."
    return "contradicted", "Fewer central acts a year from 2014 than before."


C06 = Claim(
    "C06",
    evidence=intensification_evidence,
    rule=Rule(
        "Reproduced if the exact interval of the ratio of the two rates lies above 1, and still "
        "does so when the early acts are counted ten times, as if the list had caught only one in "
        "ten. In part if it does so only as recorded. Not reproduced if it reaches down to 1; "
        "contradicted if the rate fell.",
        decide_intensification,
    ),
    variants={
        "instruments": tuple(policy.INSTRUMENTS),
        "issuers": tuple(policy.ISSUERS),
        "first": (2004, 2009),
        "last": (2017, 2016),
        "dating": ("best source", "earliest source"),
        "undated_acts": ("before 2014", "left out"),
        "doubtful": (True, False),
    },
)


# ---- two documents (C07, C08) --------------------------------------------------------------------


def _event(role: str) -> str:
    """Key of the one event that bears on a claim in a role."""
    return data.bearing("policy/events", role)["event_key"].unique().item()


def opinion_evidence(*, sources_used: str = "all") -> Evidence:
    """Evidence for C07: the State Council's opinion on e-commerce of 2015."""
    key, defining = (_event(role) for role in ("C07:opinion", "C07:two_engines"))
    table = policy.versions(key, grades=sources_used)
    same = policy.agreement(table)
    wording = data.load("policy/wording")
    wording = wording[wording["named"] & policy.graded(wording["source_id"], sources_used)]
    own = wording[wording["event_key"] == key]
    defined = wording[(wording["event_key"] == defining) & (wording["concept"] == "two_engines")]
    if same["year"] is None:
        return Evidence(
            value=None,
            unit="year",
            sources=[],
            limits="No source but the article was read for this document.",
        )
    others = table[table["teller"] == "others"]
    return Evidence(
        value=int(others["year"].iloc[0]),
        unit="year",
        n=len(others),
        n_unit="source besides the article" if len(others) == 1 else "sources besides the article",
        sources=sorted({*others["source_id"], *own["source_id"], *defined["source_id"]}),
        details={
            "same_year": bool(same["year"]),
            "same_issuer": bool(same["issuer"]),
            "issuer": others["issuer"].iloc[0],
            "concepts": int(own["concept"].nunique()),
            "defined": len(defined),
        },
        limits=(
            "We read the document's opening only. It speaks of two engines without naming them; "
            "the opinion on Internet Plus of the same summer names the two."
        ),
    )


C07 = Claim(
    "C07",
    evidence=opinion_evidence,
    rule=Rule(
        "Reproduced if another source than the article gives 2015 and the same issuer, and the "
        "document itself names mass entrepreneurship and innovation, public goods and services, "
        "and two engines. In part if year and issuer agree but not all three are found. Not "
        "reproduced if year or issuer differ.",
        lambda evidence: (
            ("not reproduced", "Another source gives another year or issuer.")
            if not (evidence.details["same_year"] and evidence.details["same_issuer"])
            else ("reproduced", "Year, issuer and wording agree with the document.")
            if evidence.details["concepts"] == 3
            else ("reproduced in part", "Year and issuer agree; the wording could not be found.")
        ),
    ),
    variants={"sources_used": tuple(policy.GRADES)},
)
TWO_DOCUMENTS = ("rural", "poverty")  # as their roles in policy/events name them


def two_documents_evidence(*, sources_used: str = "all") -> Evidence:
    """Evidence for C08: year and issuer of the two documents of 2015."""
    keys = {name: _event(f"C08:{name}") for name in TWO_DOCUMENTS}
    tables = {name: policy.versions(key, grades=sources_used) for name, key in keys.items()}
    same = {name: policy.agreement(table) for name, table in tables.items()}
    if any(found["year"] is None for found in same.values()):
        return Evidence(
            value=None,
            unit="documents",
            sources=[],
            limits="No source but the article was read for one of the documents.",
        )
    others = pd.concat(tables.values())
    others = others[others["teller"] == "others"]
    return Evidence(
        value=sum(bool(found["year"] and found["issuer"]) for found in same.values()),
        unit=f"of {len(keys)} documents with year and issuer as the article gives them",
        n=len(others),
        n_unit="sources besides the article",
        sources=sorted(set(others["source_id"])),
        details={
            "years": sum(bool(found["year"]) for found in same.values()),
            "issuers": sum(bool(found["issuer"]) for found in same.values()),
            "documents": len(keys),
            "rural_issuer": others["issuer"].iloc[0],
            "poverty_issuer": others["issuer"].iloc[-1],
        },
        limits=(
            "Both documents are known from reports on them. Issuers are compared by level: party "
            "centre, State Council or ministry."
        ),
    )


C08 = Claim(
    "C08",
    evidence=two_documents_evidence,
    rule=Rule(
        "Reproduced if other sources than the article give both documents the year 2015 and the "
        "same level of issuer. In part if the years agree but an issuer does not. Not reproduced "
        "if a year differs.",
        lambda evidence: (
            ("not reproduced", "Another source gives another year.")
            if evidence.details["years"] < evidence.details["documents"]
            else ("reproduced", "Years and issuers agree.")
            if evidence.details["issuers"] == evidence.details["documents"]
            else (
                "reproduced in part",
                "Both date from 2015. But the guidance on rural e-commerce came from the General "
                "Office of the State Council, a level above the ministry that the article names.",
            )
        ),
        threshold=(len(TWO_DOCUMENTS), "both documents"),
    ),
    variants={"sources_used": tuple(policy.GRADES)},
)


# ---- the digital divide (C09) --------------------------------------------------------------------


def divide_evidence(
    *,
    series_2007: str = "first printed",
    mid_year: bool = True,
    derived: bool = True,
    last: int = 2016,
) -> Evidence:
    """Evidence for C09: penetration in cities and countryside."""
    table = internet.penetration_gap(series_2007=series_2007, mid_year=mid_year, derived=derived)
    table = table[table.index.year <= last]
    time = table.index.year + table.index.month / 12
    start, end = table.iloc[0], table.iloc[-1]
    details: dict[str, float | int | str] = {
        "lower": int((table["rural"] < table["urban"]).sum()),
        "dates": len(table),
        "first_month": str(table.index[0]),
        "last_month": str(table.index[-1]),
        "widest": round(float(table["gap"].max()), 1),
        "widest_year": str(table["gap"].idxmax().year),
    }
    for name in ("urban", "rural", "gap"):
        details |= {f"{name}_first": round(float(start[name]), 1)}
        details |= {f"{name}_last": round(float(end[name]), 1)}
    for end_name, point in (("first", start), ("last", end)):
        offline = (100 - point["rural"]) / (100 - point["urban"])
        details |= {f"offline_{end_name}": round(float(offline), 2)}
    for name in ("ratio", "odds_ratio"):
        details |= {f"{name}_first": round(float(start[name]), 2)}
        details |= {f"{name}_last": round(float(end[name]), 2)}
    for name in ("gap", "ratio", "odds_ratio"):
        trend, low, high = growth.slope(time, table[name])
        details |= {f"{name}_slope": round(trend, 2)}
        details |= {f"{name}_slope_low": round(low, 2), f"{name}_slope_high": round(high, 2)}
    return Evidence(
        value=round(float(end["gap"]), 1),
        unit="percentage points less in the countryside at the last date",
        interval=(round(float(table["gap"].min()), 1), round(float(table["gap"].max()), 1)),
        interval_kind="smallest and largest gap of all dates",
        n=len(table),
        n_unit="dates with both rates",
        sources=data.source_ids(table["source_id"]),
        details=details,
        limits=(
            "No rates by town and country for the ends of 2014 and 2015 were found. The reports "
            "were read in copies and in the press; their sampling errors are not known to us."
        ),
    )


C09 = Claim(
    "C09",
    evidence=divide_evidence,
    rule=Rule(
        "Reproduced if penetration is lower in the countryside at every date with both rates. In "
        "part if at some dates only; contradicted if at none. Whether the gap widens is shown "
        "beside it: the claim does not say.",
        lambda evidence: (
            ("reproduced", "Lower in the countryside at every date.")
            if evidence.details["lower"] == evidence.details["dates"]
            else ("contradicted", "At no date lower in the countryside.")
            if evidence.details["lower"] == 0
            else ("reproduced in part", "Lower in the countryside at some dates only.")
        ),
    ),
    variants={
        "series_2007": ("first printed", "recalculated"),
        "mid_year": (True, False),
        "derived": (True, False),
        "last": (2016, 2013),
    },
)


# ---- Table 1 (C10) -------------------------------------------------------------------------------


def informatisation_evidence(
    *,
    population: str = "as published",
    first: int = 2010,
    last: int = 2016,
    share_2012: float = 27.7,
    derived: bool = True,
) -> Evidence:
    """Evidence for C10: does the rural share of netizens show a partial success at best?

    Parameters
    ----------
    population : str
        See `rural_population`; 2009 is known for the third only.
    first, last : int
        Years compared.
    share_2012 : {27.7, 27.0}
        From the rural netizens of 2013 less their growth, or from the rates of 2012.
    derived : bool
        Keep years whose share is derived from other figures.
    """
    cells = internet.table_one(first=first, last=last)
    if 2012 in cells.index:
        cells.loc[2012, "share"] = share_2012
    if not derived:
        cells = cells[cells["share_status"] != "derived"]
    table = cells[["share"]].join(internet.rural_population(population), how="inner").dropna()
    years = table.index.to_numpy()
    if len(table) < 3 or years[0] != first or years[-1] != last:
        return Evidence(
            value=None,
            unit="points a year",
            sources=[],
            limits=f"No share of netizens and of population for both {first} and {last}.",
        )
    trend, low, high = growth.slope(years, table["share"])
    rural_trend, rural_low, rural_high = growth.slope(years, table["rural"])
    ends = table.iloc[[0, -1]]
    parts = internet.decompose(*ends["share"], *ends["rural"])
    index = table["share"] / table["rural"]
    rows = data.load("market/table1")
    used = (rows["column"] == "rural_share_of_netizens") & rows["year"].isin(years)
    return Evidence(
        value=round(trend, 2),
        unit="points a year: slope of the rural share of netizens",
        interval=(round(low, 2), round(high, 2)),
        interval_kind="95% interval of a straight line through the yearly points",
        n=len(table),
        n_unit="years",
        sources=sorted(
            {
                *data.source_ids(rows.loc[used, "source_id"]),
                *internet.population_sources(population),
            }
        ),
        details={
            "first": str(first),
            "last": str(last),
            "share_first": round(float(ends["share"].iloc[0]), 1),
            "share_last": round(float(ends["share"].iloc[1]), 1),
            "rural_first": round(float(ends["rural"].iloc[0]), 1),
            "rural_last": round(float(ends["rural"].iloc[1]), 1),
            "rural_slope": round(rural_trend, 2),
            "rural_slope_low": round(rural_low, 2),
            "rural_slope_high": round(rural_high, 2),
            "change": round(parts["change"], 1),
            "penetration": round(parts["penetration"], 1),
            "population": round(parts["population"], 1),
            "penetration_size": round(abs(parts["penetration"]), 1),
            "population_size": round(abs(parts["population"]), 1),
            "constant_last": round(
                float(internet.recombine(ends["rural"].iloc[0], parts["ratio_1"])), 1
            ),
            "ratio_first": round(parts["ratio_0"], 2),
            "ratio_last": round(parts["ratio_1"], 2),
            "index_first": round(float(index.iloc[0]), 2),
            "index_last": round(float(index.iloc[-1]), 2),
            "highest_index": round(float(index.max()), 2),
        },
        limits=(
            "A handful of yearly figures, some derived from rounded ones; the article's own Table "
            "1 is not known to us. CNNIC counts as rural those who live in the countryside four "
            "days a week or more, so its rural population is not that of the statistics office."
        ),
    )


def decide_informatisation(evidence: Evidence) -> tuple[str, str]:
    """Rule of C10."""
    found = evidence.details
    low = (evidence.interval or (np.nan, np.nan))[0]
    if found["highest_index"] >= 1:
        return "contradicted", "Rural people came to be as well represented online as others."
    if low > 0:
        return "not reproduced", "The rural share of netizens rose clearly."
    if found["penetration"] <= 0:
        return (
            "reproduced",
            "The rural share did not rise, and would not have risen had the rural population "
            "stayed as it was.",
        )
    return (
        "reproduced in part",
        "Rural people stayed under-represented and their share of netizens did not rise. But it "
        "stood still while their share of the population fell: at a constant population it would "
        "have risen. The table alone hides this.",
    )


C10 = Claim(
    "C10",
    evidence=informatisation_evidence,
    rule=Rule(
        "Reproduced if rural people stay under-represented among netizens, their share does not "
        "rise (slope's interval not above 0), and it would not have risen with a constant rural "
        "population either. In part if it would have: then the table understates what was "
        "achieved. Not reproduced if the share rises clearly; contradicted at parity.",
        decide_informatisation,
    ),
    variants={
        "population": internet.POPULATIONS,
        "first": (2010, 2009),
        "last": (2016, 2015),
        "share_2012": (27.7, 27.0),
        "derived": (True, False),
    },
    skip=lambda population="as published", first=2010, last=2016, derived=True, **others: (
        (first == 2009 and (population != "as CNNIC implies" or not derived))
        or (last == 2015 and population == "as CNNIC implies")
    ),
)


# ---- Rural Taobao (C11, C12) ---------------------------------------------------------------------


def announcement_evidence(*, sources_used: str = "all") -> Evidence:
    """Evidence for C11: date and amount of the plan announced in 2014."""
    rows = data.load("market/rural_taobao")
    rows = rows[rows["operator"] == "Alibaba"]

    def independent(indicator: str) -> pd.DataFrame:
        found = rows[(rows["indicator"] == indicator) & (rows["source_id"] != policy.ARTICLE)]
        return found[policy.graded(found["source_id"], sources_used)]

    money = independent("announced_investment")
    counties, villages = (
        independent(name) for name in ("target_county_centres", "target_village_stations")
    )
    if money.empty:
        return Evidence(
            value=None, unit="RMB billion", sources=[], limits="No source of this grade."
        )
    years = sorted(set(money["date"].str[:4].astype(int)))
    return Evidence(
        value=float(money["value"].median()),
        unit="RMB billion announced",
        interval=(float(money["value"].min()), float(money["value"].max())),
        interval_kind="range over the sources",
        n=int(money["source_id"].nunique()),
        n_unit="sources besides the article",
        sources=sorted({*money["source_id"], *counties["source_id"], *villages["source_id"]}),
        details={
            "year_first": years[0],
            "year_last": years[-1],
            "target_counties": int(counties["value"].max()),
            "target_villages": int(villages["value"].max()),
            "months_low": rural_taobao.TARGET_MONTHS[0],
            "months_high": rural_taobao.TARGET_MONTHS[1],
        },
        limits="An announcement is not a payment: how much was spent is not known to us.",
    )


C11 = Claim(
    "C11",
    evidence=announcement_evidence,
    rule=Rule(
        "Reproduced if every source besides the article dates the announcement to 2014 and puts "
        "it at 2 billion yuan or more (several billions), in at least two sources. In part if "
        "the year or the size differ between sources, or only one source is left.",
        lambda evidence: (
            (
                "reproduced",
                "All sources besides the article give the year and several billions.",
            )
            if evidence.details["year_first"] == evidence.details["year_last"] == TURN
            and (evidence.interval or (0, 0))[0] >= 2
            and (evidence.n or 0) >= 2
            else ("reproduced in part", "Sources differ on year or size, or only one is left.")
        ),
    ),
    variants={"sources_used": tuple(policy.GRADES)},
)
STATED = {"provinces": 29, "counties": 600, "villages": 30_000}
STATED_MONTH = pd.Period("2017-03", "M")
VILLAGE_BASES = {
    "villagers' committees, 2016": ("administrative_villages", "mca_2016"),
    "codes of the statistics office, 2016": ("administrative_villages", "nbs_divcodes_2016"),
}
COUNTY_BASES = {
    "all county-level units": "county_level_units",
    "without urban districts": "county_level_units_without_districts",
}


def reach_evidence(
    *,
    page_year: int = 2018,
    sources_used: str = "all",
    villages_of: str = "villagers' committees, 2016",
    counties_of: str = "all county-level units",
) -> Evidence:
    """Evidence for C12: what other sources say before and after March 2017.

    Parameters
    ----------
    page_year : {2018, 2017}
        See `rollout`.
    sources_used : str
        A key of `GRADES`.
    villages_of, counties_of : str
        What the counts are a share of: keys of `VILLAGE_BASES` and `COUNTY_BASES`.
    """
    details: dict[str, float | int | str] = {}
    sources: set[str] = set()
    same = inside = testable = 0
    for name, stated in STATED.items():
        path = rural_taobao.rollout(name, page_year=page_year)
        path = path[
            (path["source_id"] != policy.ARTICLE) & policy.graded(path["source_id"], sources_used)
        ]
        before, after = (
            path[path["month"] < STATED_MONTH],
            path[path["month"] > STATED_MONTH],
        )
        now = path[path["month"] == STATED_MONTH]
        floor = before["value"].max() if len(before) else np.nan
        # A roof needs a later count; there are no more than 31 provinces in any year.
        roof = 31 if name == "provinces" else after["value"].max() if len(after) else np.nan
        same += int((now["value"] == stated).any())
        testable += int(not np.isnan(floor) and not np.isnan(roof))
        inside += int(bool(floor <= stated <= roof))
        sources |= set(path["source_id"])
        details[f"{name}_before"] = "no data" if np.isnan(floor) else int(floor)
        details[f"{name}_after"] = "no data" if np.isnan(roof) else int(roof)
    plan = announcement_evidence().details
    start = rural_taobao.rollout_start()
    months = (STATED_MONTH - start).n
    steps = rural_taobao.pace(STATED["villages"], months, plan["target_villages"])
    soon, late = steps.to_dict("records")
    base = provinces.national_value(*VILLAGE_BASES[villages_of])
    units = provinces.national_value(COUNTY_BASES[counties_of])
    shares = [
        100 * STATED["villages"] / provinces.national_value(*where)
        for where in VILLAGE_BASES.values()
    ]
    county_shares = [
        100 * STATED["counties"] / provinces.national_value(c) for c in COUNTY_BASES.values()
    ]
    details |= {
        "same": same,
        "inside": inside,
        "testable": testable,
        "of": len(STATED),
        "stated_provinces": STATED["provinces"],
        "stated_counties": STATED["counties"],
        "stated_villages": STATED["villages"],
        "county_share": round(100 * STATED["counties"] / units, 1),
        "county_share_low": round(min(county_shares), 1),
        "county_share_high": round(max(county_shares), 1),
        "province_share": round(100 * STATED["provinces"] / 31, 1),
        "months": months,
        "so_far": round(soon["so_far"], -1),
        "from_the_start_soon": round(soon["from_the_start"], -1),
        "from_the_start_late": round(late["from_the_start"], -1),
        "from_now_soon": round(soon["from_now"], -1),
        "from_now_late": round(late["from_now"], -1),
        "times_soon": round(soon["times"], 1),
        "times_late": round(late["times"], 1),
        "target_share": round(100 * STATED["villages"] / plan["target_villages"]),
        "county_target_share": round(100 * STATED["counties"] / plan["target_counties"]),
    }
    return Evidence(
        value=round(100 * STATED["villages"] / base, 2),
        unit="percent of all administrative villages, if the stated count is right",
        interval=(round(min(shares), 2), round(max(shares), 2)),
        interval_kind="range over two counts of administrative villages",
        n=len(sources),
        n_unit="sources besides the article",
        sources=sorted(
            {
                *sources,
                *(source for _, source in VILLAGE_BASES.values()),
                "mca2016_communique2015",
            }
        ),
        details=details,
        limits=(
            "All counts are the company's own. No other source of March 2017 was found; the later "
            "one shows no year. A service point is a shop with a screen, not a Taobao Village, "
            "and closures were not published."
        ),
    )


def decide_reach(evidence: Evidence) -> tuple[str, str]:
    """Rule of C12."""
    found = evidence.details
    if found["same"] == found["of"]:
        return "reproduced", "Another source of the same month prints the same three counts."
    if found["inside"] == found["of"]:
        return (
            "reproduced in part",
            "No other source of that month was found, but each count lies between an earlier and "
            "a later one (for provinces: the number there are).",
        )
    if found["inside"] < found["testable"]:
        return "not reproduced", "A count lies outside what other sources allow."
    return (
        "reproduced in part",
        "No other source of that month was found. What can be checked fits, but for some counts "
        "there is no earlier or no later one.",
    )


C12 = Claim(
    "C12",
    evidence=reach_evidence,
    rule=Rule(
        "Reproduced if another source of March 2017 prints the same three counts. In part if "
        "there is none, but no count is below an earlier one or above a later one from other "
        "sources. Not reproduced if one is.",
        decide_reach,
    ),
    variants={
        "page_year": (2018, 2017),
        "sources_used": tuple(policy.GRADES),
        "villages_of": tuple(VILLAGE_BASES),
    },
)


# ---- shoppers (C13) ------------------------------------------------------------------------------


def shoppers_evidence(
    *, since: int = 2013, before: int = 2010, rural_share_2015: float = 22.0
) -> Evidence:
    """Evidence for C13: rural online shoppers before and after, beside those of the cities.

    Parameters
    ----------
    since : {2013, 2014}
        Growth "since 2014" begins at the end of 2013, or at the end of 2014.
    before : {2010, 2009}
        Year in which the comparison before 2014 begins; it ends with 2013.
    rural_share_2015 : float
        See `shoppers`; 21.5 and 22.5 are the limits of rounding.
    """
    table = internet.shoppers(share_2015=rural_share_2015)
    rural = growth.yearly_growth(table["rural"], since, 2015)
    urban = growth.yearly_growth(table["urban"], since, 2015)
    earlier = growth.yearly_growth(table["rural"], before, 2013)
    bounds = [
        growth.yearly_growth(internet.shoppers(share_2015=x)["rural"], since, 2015)
        for x in (21.5, 22.5)
    ]
    rows = data.load("market/cnnic")
    named = rows["indicator"].isin(["rural_online_shoppers", "online_shoppers_total"])
    used = named & rows["date"].str.endswith("-12") & rows["year"].between(before, 2015)
    return Evidence(
        value=round(rural, 1),
        unit=f"percent more rural online shoppers a year, end of {since} to end of 2015",
        interval=(round(min(bounds), 1), round(max(bounds), 1)),
        interval_kind="range that the rounded share of 2015 allows",
        n=2015 - since + 1,
        n_unit="yearly figures",
        sources=data.source_ids(rows.loc[used, "source_id"]),
        details={
            "urban": round(urban, 1),
            "earlier": round(earlier, 1),
            "growth_2014": round(growth.yearly_growth(table["rural"], 2013, 2014), 1),
            "growth_2015": round(growth.yearly_growth(table["rural"], 2014, 2015), 1),
            "urban_2014": round(growth.yearly_growth(table["urban"], 2013, 2014), 1),
            "urban_2015": round(growth.yearly_growth(table["urban"], 2014, 2015), 1),
            "rural_2013": round(float(table.loc[2013, "rural"]), 1),
            "rural_2014": round(float(table.loc[2014, "rural"]), 1),
            "rural_2015": round(float(table.loc[2015, "rural"]), 1),
            "added_2014": round(float(table["rural"][2014] - table["rural"][2013]), 1),
            "added_2015": round(float(table["rural"][2015] - table["rural"][2014]), 1),
            "share_of_shoppers": rural_share_2015,
            "before": str(before),
            "since": str(since),
            "gaps": int(table["rural"].isna().sum()),
        },
        limits=(
            "No figures for 2011, 2012 and 2016. One figure (2014) is printed; those around it "
            "are worked out from a growth rate and a rounded share."
        ),
    )


def decide_shoppers(evidence: Evidence) -> tuple[str, str]:
    """Rule of C13."""
    found, rate = evidence.details, evidence.value
    assert isinstance(rate, float)
    faster_than_cities, faster_than_before = rate > found["urban"], rate > found["earlier"]
    if rate <= 0:
        return "contradicted", "The number of rural online shoppers did not grow."
    if faster_than_cities and faster_than_before:
        return "reproduced", "Faster than in the cities, and faster than before."
    if faster_than_cities:
        return (
            "reproduced in part",
            "Faster than in the cities, but not faster than in the years before.",
        )
    if faster_than_before:
        return "reproduced in part", "Faster than before, but not faster than in the cities."
    return "not reproduced", "Neither faster than in the cities nor faster than before."


C13 = Claim(
    "C13",
    evidence=shoppers_evidence,
    rule=Rule(
        '"Remarkable since 2014" is read as two comparisons: rural online shoppers grew faster a '
        "year than urban ones, and faster than in the years before. Reproduced if both hold, in "
        "part if one does, not reproduced if neither, contradicted if they did not grow.",
        decide_shoppers,
    ),
    variants={
        "since": (2013, 2014),
        "before": (2010, 2009),
        "rural_share_2015": (22.0, 21.5, 22.5),
    },
)


# ---- all series on one page (C14) ----------------------------------------------------------------
OFFERED, DONE = "offered", "done"
SERIES = {  # name: (group, unit of its natural change)
    "Central acts, a year": (OFFERED, "count"),
    "Demonstration counties, in all": (OFFERED, "count"),
    "Rural Taobao villages": (OFFERED, "count"),
    "Rural share of netizens, %": (DONE, "share"),
    "Rural penetration, %": (DONE, "share"),
    "Rural shopping rate, %": (DONE, "share"),
    "Rural shoppers, million": (DONE, "count"),
    "Taobao Villages": (DONE, "count"),
}


def yearly_series(*, first: int = 2009, last: int = 2016) -> pd.DataFrame:
    """Every yearly series of the chapter, with gaps left open.

    Returns
    -------
    DataFrame
        Indexed by year, one column for each name in `SERIES`; NaN where there is no figure. What
        did not exist yet is 0: demonstration counties before their programme, Rural Taobao
        before its first station. Rural Taobao is the last count of a year, with none at the end
        of 2014.
    """
    years = pd.RangeIndex(first, last + 1, name="year")
    batches = _batches().groupby("year_from")["value"].max().reindex(years).fillna(0)
    villages = rural_taobao.rollout("villages")
    villages = villages[~villages["inferred"]].groupby(villages["month"].dt.year)["value"].last()
    villages = villages.reindex(years)
    villages[villages.index < TURN] = 0
    penetration = internet.penetration_gap(mid_year=False)
    penetration.index = penetration.index.year
    nation = _totals(last).set_index("year")["n_villages"]
    table = internet.table_one(first=first, last=last)
    columns = [
        policy.by_year(policy.central_acts(), first=first, last=last)["acts"].astype(float),
        batches.cumsum(),
        villages,
        table["share"],
        penetration["rural"].reindex(years),
        table["rate"],
        internet.shoppers()["rural"].reindex(years),
        nation.astype(float).reindex(years),
    ]
    return pd.concat(columns, axis=1, keys=SERIES)


def _batches() -> pd.DataFrame:
    """Rows of the national batches of demonstration counties."""
    rows = data.load("market/demo_counties")
    return rows[(rows["scope"] == "national") & (rows["indicator"] == "n_counties")]


def _totals(last: int) -> pd.DataFrame:
    """One row a year of the totals of Taobao Villages: the highest, from the best source."""
    rows = data.load("villages/national").dropna(subset="n_villages")
    rows = rows[rows["year"] <= last]
    grade = rows["source_id"].map(data.sources()["reliability"])
    ranked = rows.assign(grade=grade, least=-rows["n_villages"].astype(int))
    return ranked.sort_values(["year", "least", "grade"]).drop_duplicates("year")


def turn(values: pd.Series, group: str, *, relative: bool = False) -> int | None:
    """The year in which a series begins or rises most.

    Parameters
    ----------
    values : Series
        Indexed by year.
    group : str
        `OFFERED` or `DONE`. What was offered begins in 2014 if it is zero in every year before
        and not afterwards, even if its first count is a later one.
    relative : bool
        See `largest_rise`.
    """
    before = values[values.index < TURN]
    if group == OFFERED and (before == 0).all() and (values[values.index >= TURN] > 0).any():
        return TURN
    return growth.largest_rise(values, relative=relative)


def phase_evidence(*, changes: str = "by kind", window: int = 0, last: int = 2016) -> Evidence:
    """Evidence for C14: which series begin, or rise most, in 2014?

    Parameters
    ----------
    changes : {"by kind", "in units"}
        Rises of counts in percent and of shares in points; or all in units.
    window : int
        A rise this many years later still counts.
    last : int
        Last year.
    """
    table, acts = yearly_series(last=last), policy.central_acts()
    marked: dict[str, list[int]] = {OFFERED: [], DONE: []}
    details: dict[str, float | int | str] = {}
    unknown = 0
    for position, (name, (group, kind)) in enumerate(SERIES.items(), start=1):
        values = table[name]
        year = turn(values, group, relative=changes == "by kind" and kind == "count")
        if group == DONE and values[[TURN - 1, TURN]].isna().any():
            year = None  # the change of 2014 itself is not known
        details[f"year_{position}"] = "cannot tell" if year is None else year
        if year is None:
            unknown += 1
        else:
            marked[group].append(int(TURN <= year <= TURN + window))
    counts = {group: sum(found) for group, found in marked.items()}
    rate = table["Rural shopping rate, %"]
    details |= {
        "rate_2014": round(float(rate[TURN] - rate[TURN - 1]), 1),
        "rate_gap": round(float(rate[TURN - 1] - rate[2010]), 1),
        "offered": counts[OFFERED],
        "offered_of": len(marked[OFFERED]),
        "done": counts[DONE],
        "done_of": len(marked[DONE]),
        "unknown": unknown,
        "series": len(SERIES),
    }
    return Evidence(
        value=sum(counts.values()),
        unit=f"of {sum(map(len, marked.values()))} series begin or rise most in 2014"
        + (" or the year after" if window else ""),
        n=len(SERIES),
        n_unit="series, with those that cannot tell",
        sources=sorted(
            {
                *internet.table_one_sources(),
                *data.source_ids(internet.penetration_gap(mid_year=False)["source_id"]),
                *rural_taobao.rollout("villages")["source_id"],
                *data.source_ids(
                    acts.loc[acts["year"].between(2009, last).fillna(False), "source_id"]
                ),
                *_batches().query("year_from <= @last")["source_id"],
                *_totals(last)["source_id"],
            }
        ),
        details=details,
        limits=(
            "Six to eight yearly points a series, with gaps: too few for a model of a change "
            "point. What begins in 2014 was in part made to be counted from then on."
        ),
    )


def decide_phase(evidence: Evidence) -> tuple[str, str]:
    """Rule of C14."""
    found = evidence.details
    offered = found["offered_of"] > 0 and 2 * found["offered"] >= found["offered_of"]
    done = found["done_of"] > 0 and 2 * found["done"] >= found["done_of"]
    if offered and done:
        return (
            "reproduced",
            "Most of what state and platforms offered began in 2014, and at least half of what "
            "people did, where it can be told, rose most in that year.",
        )
    if offered:
        return (
            "reproduced in part",
            "What state and platforms offered began in 2014; what people did rose most in other "
            "years.",
        )
    if done:
        return (
            "reproduced in part",
            "What people did rose most in 2014; what was offered began in other years.",
        )
    return "not reproduced", "Neither what was offered nor what people did turns on 2014."


C14 = Claim(
    "C14",
    evidence=phase_evidence,
    rule=Rule(
        "A description, not a test. Reproduced if at least half of the series of what was offered "
        "and at least half of those of what people did begin, or rise most, in 2014; in part if "
        "this holds for one of the two kinds, not reproduced if for neither. A series without the "
        "figures of 2013 and 2014 cannot tell and does not count.",
        decide_phase,
    ),
    variants={"changes": ("by kind", "in units"), "window": (0, 1), "last": (2016, 2015)},
)
