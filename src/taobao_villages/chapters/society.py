"""Transformation of rural society: goods, diffusion, trades, tradition, platform (C25 to C31).

The evidence is coded cases. A code that is absent was not reported, never absent in the place, so
every share has a lowest and a highest value; and the cases are places that people wrote about, not
a sample. The simulation at the end is an illustration and enters no verdict.
"""

from __future__ import annotations

import pandas as pd

from taobao_villages import data
from taobao_villages.subjects import cases, coding, platforms, retail, support
from taobao_villages.verdicts.claims import Claim, Evidence, Rule

HALF = 50  # percent of the cases, for "most"
EARLY = ("lirendong", "qingyanliu")  # the two early villages of the studies that C28 cites
TIES = ("kin", "kin or neighbours")
PERSONAL = ("kin", "neighbours", "hometown", "classmates")
CHANNELS = [*PERSONAL, "training", "lead_firm"]
SERVICES = ("delivery", "design and images", "office work", "shops and meals", "training")
FITTING = ("farm product", "craft", "bought nearby")
OTHER = ("made in own factories", "bought far away")


# ---- goods (C25) ---------------------------------------------------------------------------------


def goods_evidence(
    *,
    nearby_market: str = "wholesale market",
    cases_counted: str = "all cases",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C25: do the three sorts of goods cover what villages sell?"""
    table = cases.goods(
        nearby_market=nearby_market, cases_counted=cases_counted, coder=coder, doubtful=doubtful
    )
    count = table["origin"].value_counts()
    fit = int(count.reindex(FITTING, fill_value=0).sum())
    other = int(count.reindex(OTHER, fill_value=0).sum())
    low, high = cases.percent_bounds(fit, other, len(table))
    ranks = data.load("villages/products")
    ranks = ranks[ranks["rank"].notna()]
    details: dict[str, float | int | str] = {
        name.replace(" ", "_"): int(count.get(name, 0))
        for name in (*FITTING, *OTHER, "not reported")
    }
    details |= {
        "fit": fit,
        "cases": len(cases.cases(cases_counted)),
        "low": low,
        "high": high,
        "all_low": cases.percent_bounds(fit, other, len(cases.cases(cases_counted)))[0],
        "all_high": cases.percent_bounds(fit, other, len(cases.cases(cases_counted)))[1],
        "ranked": len(ranks),
        "ranked_year": str(ranks["year"].iloc[0]),
        "ranked_farm_or_craft": int((ranks["kind"] != "factory").sum()),
    }
    codes = cases.coded("spatial_precondition", coder=coder, doubtful=doubtful)
    codes = codes[codes["case_id"].isin(table.index)]
    return Evidence(
        value=low,
        unit="percent of the cases with known goods sell one of the three sorts, at the lowest",
        interval=(low, high),
        interval_kind="lowest and highest share, for the goods of unreported origin",
        n=len(table),
        n_unit="cases whose goods are known",
        sources=cases.outside_sources(table["source_id"], codes["source_id"], ranks["source_id"]),
        details=details,
        limits=(
            "The cases are places that people wrote about, not a sample. Goods are sorted by the "
            "one named first; farm, craft or factory is our reading."
        ),
    )


def decide_goods(evidence: Evidence) -> tuple[str, str]:
    """Rule of C25."""
    found = evidence.details
    present = [name for name in FITTING if found[name.replace(" ", "_")]]
    if found["high"] < HALF:
        return "not reproduced", "Most cases sell something else, whatever the unreported are."
    if len(present) < len(FITTING):
        return "reproduced in part", f"Only {len(present)} of the three sorts are found."
    if found["low"] > HALF:
        return "reproduced", "All three sorts are found, and together they are the usual goods."
    return (
        "reproduced in part",
        "All three sorts are found. But goods that villagers make in factories of their own are "
        "a sort that the list leaves out, so the three may be less than half.",
    )


C25 = Claim(
    "C25",
    evidence=goods_evidence,
    variants={
        "nearby_market": cases.NEARBY,
        "cases_counted": cases.CASES,
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
    rule=Rule(
        "Reproduced if farm products, crafts and goods from a nearby market are each found, and "
        "together are the goods of more than half of the cases even at the lowest. Not reproduced "
        "if they are fewer than half even at the highest; else in part.",
        decide_goods,
        threshold=(HALF, "half of the cases"),
    ),
)


# ---- diffusion (C26) -----------------------------------------------------------------------------


def kin_evidence(
    *,
    ties_counted: str = "kin",
    cases_counted: str = "all cases",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C26: is kin the channel that sources name?

    Parameters
    ----------
    ties_counted : str
        One of `TIES`: "kin", or neighbours too, who in a village are often kin.
    cases_counted, coder, doubtful
        See `channels`.
    """
    if ties_counted not in TIES:
        raise ValueError(f"ties_counted is {ties_counted!r}; use one of {', '.join(TIES)}")
    table = cases.channels(cases_counted=cases_counted, coder=coder, doubtful=doubtful)
    # Work in the household says where people sell, not from whom they learnt it.
    table = table[(table.reindex(columns=CHANNELS, fill_value=0) > 0).any(axis=1)]
    total, known = len(cases.cases(cases_counted)), len(table)
    if not known:
        return Evidence(None, "%", [], limits="No channel is coded under these choices.")

    def naming(*concepts: str) -> int:
        return int((table[[c for c in concepts if c in table]] > 0).any(axis=1).sum())

    wanted = ("kin",) if ties_counted == "kin" else ("kin", "neighbours")
    kin, personal = naming(*wanted), naming(*PERSONAL)
    homes = cases.household_cases(cases_counted=cases_counted)
    rows = cases.coded("diffusion", coder=coder, doubtful=doubtful)
    rows = rows[rows["case_id"].isin(table.index)]
    economy = data.load("villages/economy")
    solo = economy[economy["quantity"] == cases.SOLO].iloc[0]
    series = data.load("cases/case_series")
    series = series[series["indicator"].isin(cases.HOUSEHOLDS)]
    low, _ = cases.percent_bounds(kin, 0, known)
    details = {
        "kin": naming("kin"),
        "neighbours": naming("neighbours"),
        "named": kin,
        "named_low": low,
        "personal": personal,
        "personal_low": cases.percent_bounds(personal, 0, known)[0],
        "training": naming("training"),
        "firm": naming("lead_firm"),
        "known": known,
        "cases": total,
        "silent": total - known,
        "all_low": cases.percent_bounds(kin, 0, total)[0],
        "households": len(homes),
        "solo": float(solo["value"]),
        "solo_year": str(solo["year"]),
    }
    return Evidence(
        value=low,
        unit=f"percent of the cases with a known channel name {ties_counted}, at the lowest",
        interval=(low, 100.0),
        interval_kind="lowest: only those that name it; highest: all, since no source denies it",
        n=known,
        n_unit="cases with a known channel",
        sources=cases.outside_sources(
            rows["source_id"],
            [solo["source_id"]],
            series.loc[series["case_id"].isin(homes), "source_id"],
        ),
        details=details,
        limits=(
            f"For {total - known} of {total} cases no channel is reported. A reporter who writes "
            "that neighbours copied does not say whether they were kin."
        ),
    )


def decide_kin(evidence: Evidence) -> tuple[str, str]:
    """Rule of C26."""
    found = evidence.details
    if found["training"] + found["firm"] > found["personal"]:
        return "not reproduced", "Training or firms are named more often than personal ties."
    if found["households"] >= 3 and found["named_low"] > HALF:
        return "reproduced", "Households start the shops, and most known channels name these ties."
    if found["households"] >= 3 and found["personal_low"] > HALF:
        return (
            "reproduced in part",
            "Households start the shops, and trade spread through people who knew each other. "
            "But sources name neighbours more often than kin.",
        )
    return "not testable here", "Too few reports name a channel: silence leaves the claim open."


C26 = Claim(
    "C26",
    evidence=kin_evidence,
    variants={
        "ties_counted": TIES,
        "cases_counted": cases.CASES,
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
    rule=Rule(
        "Reproduced if selling households are counted in at least three cases and, of the cases "
        "whose channel is known, more than half name kin even at the lowest. In part if kin stay "
        "below, but personal ties of any sort (kin, neighbours, people of one hometown, "
        "classmates) pass half. Not reproduced if training or firms are named more often than "
        "personal ties. Else the reports are too few to test it.",
        decide_kin,
        threshold=(HALF, "half of the cases"),
    ),
)


# ---- trades and jobs (C27) -----------------------------------------------------------------------


def trades_evidence(
    *,
    cases_required: int = 3,
    cases_counted: str = "all cases",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C27: ancillary trades, tertiary jobs, jobs that need IT skills.

    Parameters
    ----------
    cases_required : int
        Cases that the rule asks for.
    cases_counted, coder, doubtful
        See `coded`; the trades themselves were read by one coder.
    """
    table = cases.trades(cases_counted=cases_counted, doubtful=doubtful)
    all_cases = cases.cases(cases_counted)
    jobs = cases.coded("social_change", "tertiary_jobs", coder=coder, doubtful=doubtful)
    jobs = jobs[jobs["case_id"].isin(all_cases.index)]
    rows = cases.told("trade", doubtful=doubtful)
    rows = rows[rows["case_id"].isin(all_cases.index)]
    tertiary = set(rows.loc[rows["kind"].isin(SERVICES), "case_id"]) | set(jobs["case_id"])
    skilled = set(rows.loc[rows["kind"] == "design and images", "case_id"])
    share = cases.percent_bounds(len(table), 0, len(all_cases))
    town = cases.series("shaji_town", "express_companies", scale="town")
    seat, last = town.iloc[0], town.iloc[-1]  # the first is of the town's seat, without Dongfeng
    village = cases.series("dongfeng_shaji", "express_companies").iloc[0]
    economy = data.load("villages/economy")
    work = economy[economy["quantity"].isin(["jobs", "direct_jobs"])]
    work = work[work["year"] <= 2016].sort_values("year")
    return Evidence(
        value=len(table),
        unit="cases name at least one ancillary trade",
        n=len(all_cases),
        n_unit="cases in all",
        sources=cases.outside_sources(
            rows["source_id"],
            jobs["source_id"],
            work["source_id"],
            [row["source_id"] for row in (seat, village, last)],
        ),
        details={
            "ancillary": len(table),
            "tertiary": len(tertiary),
            "skilled": len(skilled),
            "least": cases_required,
            "low": share[0],
            "high": share[1],
            "silent": len(all_cases) - len(table),
            "express_seat": int(seat["value"]),
            "express_village": int(village["value"]),
            "express_year_from": str(seat["year"]),
            "express_town": int(last["value"]),
            "express_year_to": str(last["year"]),
            "jobs_first": int(work["value"].iloc[0]),
            "jobs_first_year": str(work["year"].iloc[0]),
            "jobs_last": int(work["value"].iloc[-1]),
            "jobs_last_year": str(work["year"].iloc[-1]),
        },
        limits=(
            "Trades are named in passing, by reporters who were writing of something else. That "
            "a case names none says nothing. Image editing, photography and advertising stand "
            "for IT skills: no source counts IT technicians."
        ),
    )


def decide_trades(evidence: Evidence) -> tuple[str, str]:
    """Rule of C27."""
    found = evidence.details
    names = {
        "ancillary": "ancillary trades",
        "tertiary": "service jobs",
        "skilled": "jobs with images or design",
    }
    few = [words for key, words in names.items() if found[key] < found["least"]]
    if not few:
        return "reproduced", "Trades, service jobs and jobs with images are each well attested."
    if len(few) < len(names):
        return (
            "reproduced in part",
            f"Attested in fewer than {found['least']} cases: {', '.join(few)}. The rest is well "
            "attested.",
        )
    return "not testable here", "None of the three is reported often enough to say anything."


C27 = Claim(
    "C27",
    evidence=trades_evidence,
    variants={
        "cases_required": (3, 2, 5),
        "cases_counted": cases.CASES,
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
    rule=Rule(
        "Reproduced if ancillary trades, service jobs, and jobs with images or design are each "
        "named in at least three cases. In part if one or two of them are. Not testable here if "
        "none is: no source reports that a trade was missing, so nothing could contradict it.",
        decide_trades,
    ),
)


# ---- tradition (C28) -----------------------------------------------------------------------------


def tradition_evidence(
    *,
    subject: str = "any tradition",
    witnesses: str = "without the article",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C28: who attests that the two early villages kept their traditions?

    Parameters
    ----------
    subject : {"any tradition", "festivals or close ties"}
        What must have been kept.
    witnesses : {"without the article", "with the article"}
        The article cannot testify for itself; count it only to see what that changes.
    coder, doubtful
        See `coding.codes`. A village counts only if the coder also coded a tradition as kept.

    Raises
    ------
    ValueError
        For another word.
    """
    if subject not in ("any tradition", "festivals or close ties"):
        raise ValueError(f"subject is {subject!r}")
    if witnesses not in ("without the article", "with the article"):
        raise ValueError(f"witnesses is {witnesses!r}")
    named = cases.coded("social_change", "tradition_retained", coder=coder, doubtful=doubtful)
    rows = cases.told("tradition", doubtful=doubtful)
    narrow = rows["item"].isin(["festivals", "close ties"])
    kept = rows[
        (rows["kind"] == "kept")
        & rows["case_id"].isin(EARLY)
        & rows["case_id"].isin(named["case_id"])
    ]
    kept = kept[narrow.loc[kept.index]] if subject != "any tradition" else kept
    lost = rows[(rows["kind"] == "lost") & rows["case_id"].isin(EARLY) & narrow]
    if witnesses == "without the article":
        kept, lost = (part[part["source_id"] != cases.ARTICLE] for part in (kept, lost))
    if kept.empty and lost.empty:
        return Evidence(
            None,
            "villages",
            [],
            n=len(EARLY),
            n_unit="villages",
            limits="For both villages the article is the only source that we could read.",
        )
    others = rows[~rows["case_id"].isin(EARLY)]
    grades = data.sources()["reliability"]
    return Evidence(
        value=int(kept["case_id"].nunique()),
        unit="early village with a source for it other than the article",
        n=len(EARLY),
        n_unit="villages that the article speaks of",
        sources=sorted({*kept["source_id"], *lost["source_id"]}),
        details={
            "kept": int(kept["case_id"].nunique()),
            "lost": int(lost["case_id"].nunique()),
            "n_sources": int(kept["source_id"].nunique()),
            "best": min(grades.loc[kept["source_id"]], default=""),
            "others_kept": int(others.loc[others["kind"] == "kept", "case_id"].nunique()),
            "others_craft": int(
                others.loc[
                    (others["kind"] == "kept") & (others["item"] == "craft"), "case_id"
                ].nunique()
            ),
            "others_lost": int(others.loc[others["kind"] == "lost", "case_id"].nunique()),
        },
        limits=(
            "One of the two studies that the article cites could not be read; of the other only "
            "the opening, in a poor copy. It speaks of tradition in general, not of festivals."
        ),
    )


def decide_tradition(evidence: Evidence) -> tuple[str, str]:
    """Rule of C28."""
    found = evidence.details
    if found["lost"]:
        return "contradicted", "A source reports that festivals or close ties were lost."
    if found["kept"] == len(EARLY):
        return "reproduced", "For both villages a source says that traditions were kept."
    return (
        "reproduced in part",
        "For one of the two villages a source that we could read says so; the study of the other "
        "could not be read.",
    )


C28 = Claim(
    "C28",
    evidence=tradition_evidence,
    variants={
        "subject": ("any tradition", "festivals or close ties"),
        "witnesses": ("without the article", "with the article"),
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
    rule=Rule(
        "Reproduced if for each of the two villages a source other than the article says that "
        "traditions were kept. In part if for one; contradicted if a source says that festivals or "
        "close ties were lost; not testable here if the article alone speaks.",
        decide_tradition,
        threshold=(len(EARLY), "both villages"),
    ),
)


# ---- campaigns (C29) -----------------------------------------------------------------------------
COUNTED = {
    "orders and targets": ("order", "target"),
    "orders alone": ("order",),
    "orders, targets and rewards": ("order", "target", "reward"),
}


def campaign_evidence(
    *,
    signs_counted: str = "orders and targets",
    reports_about: str = "rural e-commerce",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C29: later reports of orders and targets.

    Parameters
    ----------
    signs_counted : str
        A key of `COUNTED`.
    reports_about : {"rural e-commerce", "Taobao Villages"}
        What a report must be about.
    coder, doubtful
        See `coding.codes`.

    Raises
    ------
    ValueError
        For another word.
    """
    if signs_counted not in COUNTED or reports_about not in ("rural e-commerce", "Taobao Villages"):
        raise ValueError(f"signs_counted is {signs_counted!r}, reports_about is {reports_about!r}")
    table = support.campaign_signs(coder=coder, doubtful=doubtful)
    bearing = table[table["sign"].isin(COUNTED[signs_counted])]
    if reports_about == "Taobao Villages":
        bearing = bearing[bearing["villages"]]
    later = bearing[bearing["later"]]
    before = bearing[~bearing["later"]]
    national = data.load("villages/national").groupby("year")["n_villages"].max()
    if later.empty:
        return Evidence(
            None,
            "reports",
            [],
            limits="No later report under these choices. Silence does not say that none happened.",
        )
    villages = later[later["villages"]]
    return Evidence(
        value=int(later["source_id"].nunique()),
        unit="reports after the article",
        n=len(table),
        n_unit="dated reports that bear on it",
        sources=sorted(set(table["source_id"])),
        details={
            "later": int(later["source_id"].nunique()),
            "villages": int(villages["source_id"].nunique()),
            "village_orders": int((villages["sign"] == "order").sum()),
            "orders": int(later.loc[later["sign"] == "order", "source_id"].nunique()),
            "before": int(before["source_id"].nunique()),
            "count_2016": int(national[2016]),
            "count_2022": int(national[2022]),
        },
        limits=(
            "A forecast of what may happen cannot be refuted by silence: coercion is seldom "
            "reported in a press that officials watch. No study of a village under orders, and "
            "none of forced resettlement for e-commerce, was found."
        ),
    )


def decide_campaign(evidence: Evidence) -> tuple[str, str]:
    """Rule of C29."""
    found = evidence.details
    if found["villages"] >= 2 and found["village_orders"]:
        return "reproduced", "Later reports describe orders and targets for Taobao Villages."
    return (
        "reproduced in part",
        "Later reports describe orders or targets in rural e-commerce, as was feared; that "
        "villages came to harm by them is not reported.",
    )


C29 = Claim(
    "C29",
    evidence=campaign_evidence,
    variants={
        "signs_counted": tuple(COUNTED),
        "reports_about": ("rural e-commerce", "Taobao Villages"),
    },
    rule=Rule(
        "A forecast, judged by reports dated after the article. Reproduced if at least two of "
        "them, one on orders, are about Taobao Villages. In part if any reports orders or targets "
        "in rural e-commerce. Not testable here if there is none: silence proves nothing.",
        decide_campaign,
    ),
)


# ---- dependence (C30) ----------------------------------------------------------------------------


def dependence_evidence(
    *,
    selling_elsewhere: str = "retail platforms",
    period: str = "all years",
    cases_counted: str = "all cases",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C30: is one platform all that villages have?"""
    table = cases.platform_use(
        selling_elsewhere=selling_elsewhere,
        period=period,
        cases_counted=cases_counted,
        coder=coder,
        doubtful=doubtful,
    )
    total = len(cases.cases(cases_counted))
    if table.empty:
        return Evidence(None, "%", [], limits="No report on platforms under these choices.")
    alone = int((table["only"] & ~table["elsewhere"]).sum())
    other = int(table["elsewhere"].sum())
    low, high = cases.percent_bounds(alone, other, total)
    shares = platforms.printed_shares().query("firm == 'Alibaba'")
    year = shares.groupby("year")["share"].agg(["min", "max"])
    codes = pd.concat(
        [
            cases.coded("sustainability_pressure", *cases.EXPOSED, coder=coder, doubtful=doubtful),
            cases.coded("upgrading", "cross_platform", coder=coder, doubtful=doubtful),
            cases.told("platform", doubtful=doubtful),
        ]
    )
    codes = codes[codes["case_id"].isin(table.index)]
    return Evidence(
        value=int(table["exposed"].sum()),
        unit="cases are reported as hurt by the platform's fees or rules",
        interval=(low, high),
        interval_kind=f"lowest and highest percent of all {total} that sell on one platform alone",
        n=len(table),
        n_unit="cases with any report on platforms",
        sources=cases.outside_sources(codes["source_id"], shares["source_id"]),
        details={
            "exposed": int(table["exposed"].sum()),
            "elsewhere": other,
            "both": int(((table["exposed"] | table["only"]) & table["elsewhere"]).sum()),
            "told": len(table),
            "silent": total - len(table),
            "low": low,
            "high": high,
            "early_year": "2014",
            "early_low": float(year.loc[2014, "min"]),
            "early_high": float(year.loc[2014, "max"]),
            "late": float(year["max"].iloc[-1]),
            "late_year": str(year.index[-1]),
        },
        limits=(
            "A Taobao Village is one by its sales on the platform's own sites: villages that sell "
            "elsewhere do not enter the lists. No source prints a village's sales by platform."
        ),
    )


def decide_dependence(evidence: Evidence) -> tuple[str, str]:
    """Rule of C30."""
    found = evidence.details
    if found["low"] > 50:
        return "reproduced", "Most cases sell on one platform alone, even at the lowest."
    if found["high"] < 50:
        return "contradicted", "Most cases are reported to sell elsewhere too."
    if found["exposed"]:
        also = "; others, or the same ones later, sell elsewhere too" if found["elsewhere"] else ""
        return (
            "reproduced in part",
            f"In some cases the platform's fees and rules hurt sellers{also}. How many "
            "households have nothing else, no source says.",
        )
    return "not testable here", "No report of harm, and the bounds leave the share wide open."


C30 = Claim(
    "C30",
    evidence=dependence_evidence,
    variants={
        "selling_elsewhere": ("retail platforms", "chat shops too"),
        "period": cases.PERIODS,
        "cases_counted": cases.CASES,
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
    rule=Rule(
        "Reproduced if more than half of the cases sell on one platform alone even at the lowest; "
        "contradicted if fewer than half do even at the highest. In part if the bounds leave that "
        "open, but at least one case was hurt by the platform's fees or rules; not testable here "
        "if no report says so.",
        decide_dependence,
    ),
)


# ---- rules and fees (C31) ------------------------------------------------------------------------


def rules_evidence(
    *,
    reports_dated: str = "before the article",
    village_agents: str = "counted",
    people_named: str = "all sellers",
) -> Evidence:
    """Evidence for C31: changes at the expense of sellers, as reported.

    Parameters
    ----------
    reports_dated : {"before the article", "until today"}
    village_agents : {"counted", "left out"}
        The agents of Rural Taobao order for villagers; they are not e-tailers.
    people_named : {"all sellers", "village people only"}

    Raises
    ------
    ValueError
        For another word.
    """
    if (
        reports_dated not in ("before the article", "until today")
        or village_agents not in ("counted", "left out")
        or people_named not in ("all sellers", "village people only")
    ):
        raise ValueError(
            f"reports_dated is {reports_dated!r}, village_agents is {village_agents!r}, "
            f"people_named is {people_named!r}"
        )
    table = retail.rule_changes()
    table = table[table["borne_by"].isin(retail.SELLERS)]
    if reports_dated == "before the article":
        table = table[(table["reported"] != "") & (table["reported"].str[:7] < support.PUBLISHED)]
    if village_agents == "left out":
        table = table[table["borne_by"] != "village agents"]
    if people_named == "village people only":
        table = table[table["village_sellers"]]
    if table.empty:
        return Evidence(None, "changes", [], limits="No such report was found.")
    fee = table[table["kind"] == "fee"]
    return Evidence(
        value=int(table["rule_key"].nunique()),
        unit="changes at sellers' expense",
        n=int(table["source_id"].nunique()),
        n_unit="reports",
        sources=sorted(set(table["source_id"])),
        details={
            "changes": int(table["rule_key"].nunique()),
            "reports": int(table["source_id"].nunique()),
            "villages": int(table.loc[table["village_sellers"], "source_id"].nunique()),
            "fee_before": int(fee["before"].max()) if len(fee) else 0,
            "fee_after": int(fee["after"].max()) if len(fee) else 0,
        },
        limits=(
            "The report that the article itself cites was not read, only another that quotes it. "
            "Protests are reported, quiet changes are not. In each dispute the platform "
            "gave reasons of its own."
        ),
    )


def decide_rules(evidence: Evidence) -> tuple[str, str]:
    """Rule of C31."""
    found = evidence.details
    if found["changes"] >= 2 and found["reports"] >= 2 and found["villages"]:
        return (
            "reproduced",
            f"{found['reports']} reports describe {found['changes']} changes that cost sellers; "
            f"{found['villages']} of them speak of people in villages.",
        )
    return (
        "reproduced in part",
        "Such reports exist, but fewer than two changes, or none on villages.",
    )


C31 = Claim(
    "C31",
    evidence=rules_evidence,
    variants={
        "reports_dated": ("before the article", "until today"),
        "village_agents": ("counted", "left out"),
        "people_named": ("all sellers", "village people only"),
    },
    rule=Rule(
        "Reproduced if at least two changes that cost sellers are described by at least two "
        "reports other than the one that the article cites, and at least one speaks of people in "
        "villages. In part if there are fewer; not testable here if there is none.",
        decide_rules,
    ),
)
