"""The role of the party-state: money, sequence, instruments, organisers, exchange (C38-C45, C58).

Most evidence here is coded cases: places that people wrote about, not a sample. A code that is
absent was not reported, so every share has bounds and "not reported" is never counted as "no".
Codes and documents whose only source is the article itself are left out by default: a claim
cannot be tested against the text that makes it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from taobao_villages import data
from taobao_villages.methods import association, shares
from taobao_villages.subjects import coding, policy, support
from taobao_villages.verdicts.claims import Claim, Evidence, Rule

WRITTEN = "2017-06"  # the article's latest access dates
# What the article lists for Dongfeng and Junpu, in the codebook's groups.
FORMS = (
    "infrastructure",
    "industrial_park",
    "service_centre",
    "loans",
    "tax",
    "admin_convenience",
    "training",
    "spatial_planning",
)
TWO_CASES = ("dongfeng_shaji", "junpu")
# Short words for figures, where a code would be too long.
SHORT = {
    "demonstration_county": "model",
    "service_centre": "centre",
    "industrial_park": "park",
    "brand_and_fairs": "brand",
    "infrastructure": "networks",
    "market_order": "order",
    "spatial_planning": "planning",
    "platform_partnership": "platform",
    "returnee_mobilisation": "returnees",
    "admin_convenience": "permits",
    "premises": "rooms, power",
    "first_choice": "first choice",
    "sales_targets": "sales targets",
    "seat": "seat in a public body",
    "stations": "village stations",
    "local_goods": "sales of local goods",
}


# ---- money (C38) ---------------------------------------------------------------------------------
STATED_FUND = {"total": 2000.0, "per_county": 10.0}  # RMB million, by the article


def money_evidence(*, account: str = "both", tolerance: float = 0.05) -> Evidence:
    """Evidence for C38: total, amount a county and uses, held against the article's.

    Parameters
    ----------
    account : {"both", "planned", "transferred"}
        The plan of May 2015, the transfer of July 2015, or both.
    tolerance : float
        How far a sum may lie from the article's, as a share of it.
    """
    table = policy.money().drop(index="with second instalment")
    same = pd.concat(
        [abs(table[name] / value - 1) <= tolerance for name, value in STATED_FUND.items()], axis=1
    ).all(axis=1)
    kept = table if account == "both" else table.loc[[account]]
    uses = data.bearing("market/evidence", *policy.USES)
    named = set(";".join(uses["bears_on"]).split(";")) & set(policy.USES)
    jilin = data.load("market/demo_counties").query("province_code == '22' and year_to == 2015")
    jilin = jilin.set_index("indicator")["value"]
    whole = policy.money()
    details = {
        "same": int(same[kept.index].sum()),
        "accounts": len(kept),
        "uses": len(named),
        "counties": int(table["counties"].max()),
        "planned_each": float(table.loc["planned", "per_county"]),
        "planned_bn": float(table.loc["planned", "total"]) / 1000,
        "paid_each": float(table.loc["transferred", "per_county"]),
        "paid_bn": float(table.loc["transferred", "total"]) / 1000,
        "best_each": float(whole.loc["with second instalment", "per_county"]),
        "best_bn": float(whole.loc["with second instalment", "product"]) / 1000,
        "consistent": int((abs(kept["product"] / kept["total"] - 1) <= 0.01).sum()),
        "jilin_counties": int(jilin["n_counties"]),
        "jilin_total": float(jilin["funding_total"]),
        "outside_share": round(
            100
            - float(
                data.load("market/demo_counties")
                .query("indicator == 'central_western_share'")["value"]
                .iloc[0]
            ),
            1,
        ),
    }
    return Evidence(
        value=float(kept["total"].iloc[0]),
        unit="RMB million for the counties of 2015",
        interval=(float(kept["total"].min()), float(kept["total"].max())),
        interval_kind="range over the plan of May and the transfer of July",
        n=int(kept["counties"].max()),
        n_unit="counties",
        sources=data.source_ids(uses["source_id"], *kept["sources"]),
        details=details,
        limits=(
            "The plan and the transfer were read in copies of press reports. Whether counties "
            "spent the money is another question."
        ),
    )


def decide_money(evidence: Evidence) -> tuple[str, str]:
    """Rule of C38."""
    found = evidence.details
    if not found["uses"]:
        return "not reproduced", "No source names the three uses."
    if found["same"] == found["accounts"]:
        return "reproduced", "Total, amount a county and the three uses are as the article says."
    if found["same"]:
        return (
            "reproduced in part",
            "The plan of May has the article's figures. The transfer reported in July of the same "
            "year was nearly twice as large, for the same number of counties.",
        )
    return "contradicted", "The sums that were paid differ from the article's, which are a plan's."


C38 = Claim(
    "C38",
    evidence=money_evidence,
    rule=Rule(
        "Reproduced if every account of the fund of 2015 has the article's total and amount a "
        "county within the tolerance (5%) and a source names the three uses. In part if only one "
        "account has; contradicted if none has.",
        decide_money,
        threshold=(STATED_FUND["total"], f"the article's {STATED_FUND['total']:,.0f} million"),
    ),
    variants={
        "account": ("both", "planned", "transferred"),
        "tolerance": (0.05, 0.1),
    },
)


# ---- sequence (C39) ------------------------------------------------------------------------------


def sequence_evidence(
    *,
    meaning_of_first: str = "when support came",
    general_policy: str = "not counted",
    cases_counted: str = "all cases",
    article_as_witness: str = "not counted",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C39: did entrepreneurs come before public support?"""
    choices: dict[str, Any] = {
        "meaning_of_first": meaning_of_first,
        "general_policy": general_policy,
        "cases_counted": cases_counted,
        "article_as_witness": article_as_witness,
        "coder": coder,
        "doubtful": doubtful,
    }
    cases, table = support.order(**choices), support.order_table(**choices)
    whole, east, inland = table.loc["all"], table.loc["East"], table.loc["inland"]
    first, second = int(whole[support.FIRST]), int(whole[support.GOVERNMENT])
    exact = stats.fisher_exact(
        [[row[support.FIRST], row[support.GOVERNMENT]] for row in (east, inland)]
    )
    return Evidence(
        value=first,
        unit=f"of {first + second} cases with a clear order had entrepreneurs first",
        interval=(round(float(whole["lowest"]), 1), round(float(whole["highest"]), 1)),
        interval_kind=(
            "share of all cases in percent if none, or all, of the mixed and not-reported had "
            "entrepreneurs first"
        ),
        n=len(cases),
        n_unit="coded cases",
        sources=data.source_ids(coding.CODEBOOK, *cases["sources"]),
        details={
            "first": first,
            "second": second,
            "mixed": int(whole[support.MIXED]),
            "not_reported": int(whole[support.UNKNOWN]),
            "p": round(association.sign_test(first, second), 2),
            "p_raw": association.sign_test(first, second),
            "east_first": int(east[support.FIRST]),
            "east_second": int(east[support.GOVERNMENT]),
            "inland_first": int(inland[support.FIRST]),
            "inland_second": int(inland[support.GOVERNMENT]),
            "p_region": round(float(exact.pvalue), 3),
            "clear_words": clear_words(association.sign_test(first, second), float(exact.pvalue)),
            "junpu_order": str(cases["order"].get(TWO_CASES[1], support.UNKNOWN)),
            "before": ", ".join(sorted(cases.loc[cases["order"] == support.GOVERNMENT, "place"])),
        },
        limits=(
            "The cases are places that people wrote about, not a sample, and some lie inside "
            "others. Most have no reported order. Support that nobody dated may have come earlier."
        ),
    )


def clear_words(split: float, region: float) -> str:
    """A sentence on which of two probabilities is below one in twenty."""
    clear = [
        name
        for name, p in (("the split", split), ("the difference of regions", region))
        if p < 0.05
    ]
    if len(clear) == 2:
        return "Both are below one in twenty, so both are clear."
    if clear:
        return f"Only {clear[0]} is below one in twenty, so only that is clear."
    return "Neither is below one in twenty, so neither is clear."


def decide_sequence(evidence: Evidence) -> tuple[str, str]:
    """Rule of C39."""
    low, high = evidence.interval or (np.nan, np.nan)
    first, second = evidence.details["first"], evidence.details["second"]
    clear = evidence.details["p_raw"] < 0.05
    if low >= 50:
        return "reproduced", "Entrepreneurs first in at least half, whatever the unknown ones were."
    if high < 50 or (clear and second > first):
        return "contradicted", "Where the order is known, the government came first more often."
    if clear:
        return (
            "reproduced in part",
            "Where the order is known, entrepreneurs came first more often than chance would "
            "have it; but the unknown cases could turn the share.",
        )
    return (
        "not reproduced",
        "Both orders are well documented, and neither is clearly more frequent: in some places "
        "entrepreneurs came first, in others the government did.",
    )


C39 = Claim(
    "C39",
    evidence=sequence_evidence,
    rule=Rule(
        "Read as: in most cases. Reproduced if the lowest possible share of cases with "
        "entrepreneurs first is at least 50%. In part if the sign test on the cases with a known "
        "order is clear (p under 0.05) in their favour. Contradicted if it is clear the other "
        "way, or if the highest possible share is under 50%. Otherwise not reproduced.",
        decide_sequence,
    ),
    variants={
        "meaning_of_first": ("when support came", "who opened the first shops"),
        "general_policy": ("not counted", "counted"),
        "cases_counted": ("all cases", "villages and towns", "places known to be listed"),
        "article_as_witness": ("not counted", "counted"),
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
    skip=lambda **chosen: (
        chosen.get("meaning_of_first") == "who opened the first shops"
        and chosen.get("general_policy") == "counted"
    ),
)


# ---- instruments (C40) ---------------------------------------------------------------------------


def instrument_evidence(
    *,
    article_as_witness: str = "not counted",
    share_required: float = 0.5,
    forms_found_in: str = "either village",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C40: forms of support in Dongfeng and Junpu that a second source reports.

    Parameters
    ----------
    article_as_witness : {"not counted", "counted"}
        Codes that rest on the article alone; with "counted" the article confirms itself.
    share_required : float
        Share of the article's forms that must have a source, for "in part".
    forms_found_in : {"either village", "both villages"}
        Whether a form must be reported for one of the two cases or for both.
    coder, doubtful : str, bool
        See `coding.codes`.
    """
    table = support.instruments(
        article_as_witness=article_as_witness, coder=coder, doubtful=doubtful
    )
    two = table.reindex(index=list(TWO_CASES), columns=list(FORMS)).fillna(False).astype(bool)
    seen = two.any() if forms_found_in == "either village" else two.all()
    rows = coding.witnessed(article_as_witness, coder, doubtful)
    used = rows[rows["dimension"] == "gov_support"]
    others = table.drop(index=list(TWO_CASES), errors="ignore")
    after = support.order(
        article_as_witness=article_as_witness, coder=coder, doubtful=doubtful
    ).reindex(list(TWO_CASES))["order"]
    return Evidence(
        value=int(seen.sum()),
        unit=f"of the {len(FORMS)} forms of support that the article lists",
        n=len(TWO_CASES),
        n_unit="cases",
        sources=data.source_ids(coding.CODEBOOK, used["source_id"]),
        details={
            "forms": len(FORMS),
            "share": float(seen.mean()),
            "needed": share_required,
            "named": ", ".join(name.replace("_", " ") for name in FORMS if seen[name]) or "none",
            "missing": ", ".join(name.replace("_", " ") for name in FORMS if not seen[name])
            or "none",
            "dongfeng": int(two.loc[TWO_CASES[0]].sum()),
            "junpu": int(two.loc[TWO_CASES[1]].sum()),
            "after": int(after.eq(support.FIRST).sum()),
            "others": len(others),
            "others_median": float(others.sum(axis=1).median()) if len(others) else 0.0,
            "most": table.columns[0].replace("_", " ") if table.shape[1] else "none",
            "most_cases": int(table.iloc[:, 0].sum()) if table.shape[1] else 0,
        },
        limits=(
            "That support was given does not show that growth came from it: no data tell how the "
            "two villages would have grown without. Of the studies that the article cites, only "
            "the abstract of one was read."
        ),
    )


def decide_instruments(evidence: Evidence) -> tuple[str, str]:
    """Rule of C40."""
    if evidence.details["share"] >= evidence.details["needed"]:
        return (
            "reproduced in part",
            "Sources other than the article report support in many of the forms that it lists. "
            "That growth was the result of it is not identified: cases cannot show this.",
        )
    return (
        "not reproduced",
        "Too few of the forms have a second source; and that growth was the result of support is "
        "not identified by cases.",
    )


C40 = Claim(
    "C40",
    evidence=instrument_evidence,
    rule=Rule(
        "In part if at least half of the forms of support that the article lists for Dongfeng and "
        "Junpu are reported for one of them by a source other than the article; otherwise not "
        "reproduced. Never more than in part: that growth was the result of support is not "
        "identified by cases.",
        decide_instruments,
    ),
    variants={
        "article_as_witness": ("not counted", "counted"),
        "share_required": (0.5, 0.75),
        "forms_found_in": ("either village", "both villages"),
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
)


# ---- regions (C41) -------------------------------------------------------------------------------


def constraint_evidence(
    *,
    inland: str = "region",
    base: str = "all",
    article_as_witness: str = "not counted",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C41: support and constraints in inland cases, compared with the coast."""
    table = support.constraints(
        inland=inland,
        base=base,
        article_as_witness=article_as_witness,
        coder=coder,
        doubtful=doubtful,
    )
    rows = coding.witnessed(article_as_witness, coder, doubtful)
    cases = coding.places()
    away = cases.index[cases["inland" if inland == "region" else "off_coast"]]
    helped = rows[
        rows["case_id"].isin(away)
        & rows["dimension"].eq("gov_support")
        & rows["concept"].ne("not_support")
    ]
    codes = [code for part in support.CONSTRAINTS.values() for code in part]
    named = rows[rows["dimension"].eq("sustainability_pressure") & rows["code"].isin(codes)]
    line = table.loc["any"]
    size = int(line["inland"])
    low, high = shares.share_bounds(int(line["inland_named"]), 0, size) if size else (0.0, 1.0)
    details: dict[str, Any] = {
        "supported": int(helped["case_id"].nunique()),
        "inland": size,
        "coast": int(line["coast"]),
        "p": round(float(line["p"]), 2),
        "p_raw": float(line["p"]),
        "p_words": "The groups differ no more than chance would make them"
        if line["p"] >= 0.05
        else "The groups differ more than chance alone would often make them",
        "inland_places": line["places"] or "none",
        "more_inland": bool(
            line["inland_named"] * line["coast"] > line["coast_named"] * line["inland"]
        ),
    }
    for name in support.CONSTRAINTS:
        details[f"{name}_inland"] = int(table.loc[name, "inland_named"])
        details[f"{name}_coast"] = int(table.loc[name, "coast_named"])
    return Evidence(
        value=int(line["inland_named"]),
        unit="inland cases whose sources name a lack of money, transport or talent",
        interval=(round(100 * low, 1), round(100 * high, 1)),
        interval_kind="share of inland cases in percent if none, or all, of the others had one",
        n=size,
        n_unit="inland cases",
        sources=data.source_ids(coding.CODEBOOK, helped["source_id"], named["source_id"]),
        details=details,
        limits=(
            "No source says that a place had no such problem, so the test compares what is "
            "written, not what was the case. What the cited study expected is not known."
        ),
    )


def decide_constraints(evidence: Evidence) -> tuple[str, str]:
    """Rule of C41."""
    found = evidence.details
    both = found["money_inland"] >= 2 and found["transport_inland"] >= 2
    either = found["money_inland"] + found["transport_inland"] >= 1
    if found["supported"] < 2 or not either:
        return "not reproduced", "Support or the two constraints are not reported for inland cases."
    if both and found["more_inland"] and found["p_raw"] < 0.05:
        return (
            "reproduced",
            "Support, lack of money and transport are reported for several inland cases, and "
            "constraints clearly more often than on the coast.",
        )
    return (
        "reproduced in part",
        "Inland governments support e-commerce. Of the inland cases a lack of money is named for "
        f"{found['money_inland']}, one of transport for {found['transport_inland']}. "
        "That these weigh more than on the coast, or more than expected, the cases do not show.",
    )


C41 = Claim(
    "C41",
    evidence=constraint_evidence,
    rule=Rule(
        "Reproduced if at least two inland cases report support, two a lack of money and two one "
        "of transport, and constraints are named more often inland (exact test, p under 0.05). In "
        "part if support is reported for two and money or transport for one. Otherwise not "
        "reproduced. Sources other than the article count.",
        decide_constraints,
    ),
    variants={
        "inland": ("region", "coastline"),
        "base": ("all", "with pressures"),
        "article_as_witness": ("not counted", "counted"),
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
)


# ---- the party as organiser (C42, C43, C58) ------------------------------------------------------
LEAST_RECORDS = 3  # make a pattern


def party_evidence(
    *,
    latest_report: str = "2024",
    inferred_dates: bool = True,
    youth_league: str = "not counted",
    records_required: int = LEAST_RECORDS,
    article_as_witness: str = "not counted",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C42: places where a party branch or committee organises e-commerce.

    Parameters
    ----------
    latest_report, inferred_dates, youth_league, article_as_witness, coder, doubtful
        See `party_records`.
    records_required : int
        How many records make a pattern.
    """
    choices: dict[str, Any] = {
        "inferred_dates": inferred_dates,
        "youth_league": youth_league,
        "article_as_witness": article_as_witness,
    }
    choices |= {"coder": coder, "doubtful": doubtful}
    table = policy.party_records(latest_report=latest_report, **choices)
    early = policy.party_records(latest_report=WRITTEN, **choices)
    rows = coding.witnessed(article_as_witness, coder, doubtful)
    organs = rows[rows["dimension"] == "party_organ"]
    led = set(organs.loc[organs["concept"] == "secretary_leads", "case_id"])
    return Evidence(
        value=len(table),
        unit="dated records of a party body that organises e-commerce, each from another source",
        n=len(early),
        n_unit="of them up to June 2017",
        sources=data.source_ids(coding.CODEBOOK, table["source_id"], organs["source_id"]),
        details={
            "least": records_required,
            "early": len(early),
            "secretary": len(led),
            "any_organ": int(organs["case_id"].nunique()),
            "cases": len(coding.places()),
            "first": str(table["date"].iloc[0])[:4] if len(table) else "none",
            "last": str(table["date"].iloc[-1])[:4] if len(table) else "none",
        },
        limits=(
            "Most records are party or local media, which report successes. They show that "
            "branches were set up and not what they changed. The report on Wantou that the "
            "article cites could not be read."
        ),
    )


def decide_party(evidence: Evidence) -> tuple[str, str]:
    """Rule of C42."""
    number, early = int(evidence.value or 0), evidence.details["early"]
    if number >= evidence.details["least"] and early:
        return (
            "reproduced",
            f"{number} dated records from {evidence.details['first']} to "
            f"{evidence.details['last']}, each from another source; {early} of them "
            "from before the article.",
        )
    if number:
        return "reproduced in part", "Few places are on record, or none from before the article."
    return "not reproduced", "No source other than the article tells of one."


C42 = Claim(
    "C42",
    evidence=party_evidence,
    rule=Rule(
        "Reproduced if at least three sources other than the article tell, with a date, of a party "
        "branch or committee that organises e-commerce, at least one of them up to June 2017. In "
        "part if there are fewer or only later ones; otherwise not reproduced.",
        decide_party,
        threshold=(LEAST_RECORDS, f"records that make a pattern: {LEAST_RECORDS}"),
    ),
    variants={
        "latest_report": ("2024", WRITTEN),
        "inferred_dates": (True, False),
        "youth_league": ("not counted", "counted"),
        "article_as_witness": ("not counted", "counted"),
    },
)


def youth_evidence(*, sources_required: int = 1, year: int = 2016) -> Evidence:
    """Evidence for C43: dated sources on the agreement of the Youth League with a platform.

    Parameters
    ----------
    sources_required : int
        Sources other than the article that must date it.
    year : int
        The year that the article gives.
    """
    rows = data.bearing("policy/events", "C43:agreement")
    rows = rows[rows["source_id"] != coding.ARTICLE]
    within = rows[rows["date"].str[:4] == str(year)]
    people = data.bearing("market/evidence", "C43:trainees").iloc[0]
    return Evidence(
        value=len(within),
        unit="sources other than the article date the agreement to that year",
        n=len(rows),
        n_unit="sources other than the article",
        sources=data.source_ids(rows["source_id"], [people["source_id"]]),
        details={
            "needed": sources_required,
            "million": float(people["value"]) / 1e6,
            "credit_bn": float(rows["amount_rmb_million"].max()) / 1000,
        },
        limits=(
            "The sources tell of an agreement to train. How many were trained is not known. They "
            "differ on the month (March and July), and both go back to one news agency."
        ),
    )


def decide_youth(evidence: Evidence) -> tuple[str, str]:
    """Rule of C43."""
    found = int(evidence.value or 0)
    if found >= evidence.details["needed"]:
        return "reproduced", "The agreement between the Youth League and Alibaba is dated."
    if evidence.n:
        return "reproduced in part", "The agreement is on record, in too few sources of that year."
    return "not reproduced", "No source other than the article tells of it."


C43 = Claim(
    "C43",
    evidence=youth_evidence,
    rule=Rule(
        "Reproduced if at least one source other than the article dates an agreement of the Youth "
        "League with a platform to train young sellers to 2016; in part if the sources have "
        "another date; otherwise not reproduced.",
        decide_youth,
    ),
    variants={"sources_required": (1, 2)},
)


def cadre_evidence(
    *,
    source_of_commentary: str = "read by us",
    records_dated: str = "at any time",
    coder: str = "first",
) -> Evidence:
    """Evidence for C58: cadres who sell or endorse, the dispute, and the commentary.

    Parameters
    ----------
    source_of_commentary : {"read by us", "cited by the article"}
        Whether the commentary must have been read by us, or the article's word is enough.
    records_dated : {"at any time", "before 2017-07"}
        Records of any date, or of the time that the article could know.
    coder : str
        See `coding.codes`.
    """
    evidence = data.load("market/evidence")
    promoters = evidence[evidence["topic"] == "officials as e-commerce promoters"]
    dispute = data.bearing("market/evidence", "C58:dispute")
    if records_dated == "before 2017-07":
        promoters = promoters[promoters["date"] <= "2017-06-30"]
        dispute = dispute[dispute["date"] <= "2017-06-30"]
    elif records_dated != "at any time":
        raise ValueError(
            f"records_dated is {records_dated!r}; use 'at any time' or 'before 2017-07'"
        )
    comment = data.bearing("policy/events", "C58:commentary")
    known = (
        comment
        if source_of_commentary == "cited by the article"
        else comment[comment["source_id"] != coding.ARTICLE]
    )
    rows = coding.witnessed("not counted", coder, True)
    sell = rows[(rows["dimension"] == "party_organ") & (rows["concept"] == "officials_promote")]
    return Evidence(
        value=len(promoters),
        unit="dated records of officials who sell or endorse local goods online",
        n=len(dispute),
        n_unit="records of dispute over it",
        sources=data.source_ids(promoters["source_id"], dispute["source_id"], comment["source_id"]),
        details={
            "dispute": len(dispute),
            "commentary": len(known),
            "likes": float(data.bearing("market/evidence", "C58:likes")["value"].iloc[0]),
            "minimum": int(data.bearing("market/evidence", "C58:least_purchase")["value"].iloc[0]),
            "cases": int(sell["case_id"].nunique()),
        },
        limits=(
            "The commentary itself could not be read: for its words the article is the only "
            "source. The event that it comments on, and the dispute, are known from others."
        ),
    )


def decide_cadres(evidence: Evidence) -> tuple[str, str]:
    """Rule of C58."""
    found = evidence.details
    if evidence.value and found["dispute"] and found["commentary"]:
        return "reproduced", "The dispute, the event and the commentary are on record."
    if evidence.value and found["dispute"]:
        return (
            "reproduced in part",
            "That officials sold online and that this was disputed is on record. The commentary "
            "is known from the article alone.",
        )
    return "not reproduced", "Either the practice or the dispute over it is not on record."


C58 = Claim(
    "C58",
    evidence=cadre_evidence,
    rule=Rule(
        "Reproduced if sources date officials who sell or endorse goods online, a dispute over it, "
        "and the commentary, the last one read by us. In part if practice and dispute are on "
        "record and the commentary is not. Otherwise not reproduced.",
        decide_cadres,
    ),
    variants={
        "source_of_commentary": ("read by us", "cited by the article"),
        "records_dated": ("at any time", "before 2017-07"),
    },
)


# ---- what subsidies did (C44) --------------------------------------------------------------------


def waste_evidence(
    *,
    meaning_of_waste: str = "useless sites",
    reports_required: int = 2,
    weak_sources: bool = True,
    latest_report: str = "2024",
) -> Evidence:
    """Evidence for C44: sources that report subsidised sites or stations of no use.

    Parameters
    ----------
    meaning_of_waste : {"useless sites", "useless sites or idle money"}
        Websites and stations only, or also money that was not spent.
    reports_required : int
        How many sources make "some".
    weak_sources : bool
        Keep sources of reliability D.
    latest_report : str
        Last year or month.
    """
    if meaning_of_waste not in ("useless sites", "useless sites or idle money"):
        raise ValueError(
            f"meaning_of_waste is {meaning_of_waste!r}; use 'useless sites' or "
            "'useless sites or idle money'"
        )
    roles = ("C44:useless",) if meaning_of_waste == "useless sites" else ("C44:useless", "C44:idle")
    every = data.bearing("market/evidence", *roles)
    rows = every[every["date"].str.slice(0, len(latest_report)) <= latest_report]
    if not weak_sources:
        rows = rows[rows["source_id"].map(data.sources()["reliability"]) != "D"]
    number = rows["source_id"].nunique()
    early = int((rows["date"].str.slice(0, 7) <= WRITTEN).sum())
    return Evidence(
        value=number,
        unit="sources report subsidised websites or stations that were of no use",
        n=number,
        n_unit="sources",
        sources=data.source_ids(every["source_id"]),
        details={
            "least": reports_required,
            "early": early,
            "first": str(rows["date"].min())[:4] if number else "none",
            "last": str(rows["date"].max())[:4] if number else "none",
        },
        limits=(
            "Reports of single places: they show that it happened and not how often. Whether "
            "subsidies worked is not identified by our data, since the programme and the complete "
            "lists both begin in 2014, and few provinces only are known to have been outside."
        ),
    )


def decide_waste(evidence: Evidence) -> tuple[str, str]:
    """Rule of C44."""
    number = int(evidence.value or 0)
    if number >= evidence.details["least"]:
        return (
            "reproduced",
            f"{number} sources of {evidence.details['first']} to {evidence.details['last']} name "
            "subsidised sites or stations of no use. Whether they are independent of each other "
            "we do not know. How common that was, and whether the subsidies had an effect, is not "
            "identified.",
        )
    if number:
        return "reproduced in part", "Fewer reports than that are on record."
    return "not reproduced", "No report is on record."


C44 = Claim(
    "C44",
    evidence=waste_evidence,
    rule=Rule(
        '"Some" is read as two. Reproduced if at least two sources report subsidised websites or '
        "stations that were of no use; in part if only one does; otherwise not reproduced.",
        decide_waste,
    ),
    variants={
        "meaning_of_waste": ("useless sites", "useless sites or idle money"),
        "reports_required": (2, 3),
        "weak_sources": (True, False),
        "latest_report": ("2024", WRITTEN),
    },
)


# ---- exchange (C45) ------------------------------------------------------------------------------


def exchange_evidence(
    *,
    article_as_witness: str = "not counted",
    documents_counted: str = "all documents",
    latest_report: str = "2024",
    documents_required: int = 2,
) -> Evidence:
    """Evidence for C45: documents that report what each side gives.

    Parameters
    ----------
    article_as_witness, documents_counted, latest_report
        See `exchange`.
    documents_required : int
        Documents a side that make a pattern.
    """
    table = policy.exchange(
        article_as_witness=article_as_witness,
        documents_counted=documents_counted,
        latest_report=latest_report,
    ).set_index("term")
    rows = data.load("policy/agreement_terms")
    rows = rows[rows["source_id"].isin({name for part in table["sources"] for name in part})]
    if documents_counted == "agreements alone":
        rows = rows[rows["kind"] == "agreement"]
    gives = rows.groupby("side")["document"].nunique()
    both = rows.groupby("document")["side"].nunique()
    return Evidence(
        value=int(rows["document"].nunique()),
        unit="documents name what one side gives",
        n=int(both.eq(2).sum()),
        n_unit="of them name both sides",
        sources=data.source_ids(*table["sources"]),
        details={
            "least": documents_required,
            "platform": int(gives.get("platform", 0)),
            "government": int(gives.get("government", 0)),
            "both_sides": int(both.eq(2).sum()),
            "targets": int(table.loc["sales_targets", "documents"]),
            "goods": int(table.loc[["stations", "training"], "documents"].max()),
            "first_choice": int(table.loc["first_choice", "documents"]),
        },
        limits=(
            "The full texts are not public, so a term that is not named may still be there; what "
            "is not disclosed cannot be tested. Documents that were written about are no sample."
        ),
    )


def decide_exchange(evidence: Evidence) -> tuple[str, str]:
    """Rule of C45."""
    found = evidence.details
    two_sided = min(found["platform"], found["government"]) >= found["least"]
    if two_sided and found["targets"] >= found["least"] and found["goods"] >= found["least"]:
        return (
            "reproduced",
            "Public goods on one side and sales targets on the other are on record.",
        )
    if found["platform"] and found["government"]:
        return (
            "reproduced in part",
            "Both sides give something, and what the platform gives is often a public good. Sales "
            "targets are on record too rarely to call them a pattern; undisclosed terms and "
            "motives cannot be tested.",
        )
    return "not reproduced", "Only one side's terms are on record."


C45 = Claim(
    "C45",
    evidence=exchange_evidence,
    rule=Rule(
        "Reproduced if at least two documents name what the platform gives, two what the "
        "government gives, two of them sales targets and two stations or training. In part if "
        "each side is named in at least one. Otherwise not reproduced. Documents known from the "
        "article alone do not count.",
        decide_exchange,
    ),
    variants={
        "article_as_witness": ("not counted", "counted"),
        "documents_counted": ("all documents", "agreements alone"),
        "latest_report": ("2024", WRITTEN),
        "documents_required": (2, 3),
    },
)
