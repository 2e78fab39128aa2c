"""Transformation of rural society: goods, diffusion, trades, tradition, platform (C25 to C31).

The evidence is coded cases. A code that is absent was not reported, never absent in the place, so
every share has a lowest and a highest value; and the cases are places that people wrote about, not
a sample. The simulation at the end is an illustration and enters no verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import networkx as nx
import numpy as np
import pandas as pd

from taobao_villages import coding, data, retail, statistics
from taobao_villages.claims import Claim, Evidence, Rule

ARTICLE = "li2017"
PUBLISHED = "2017-09"
HALF = 50  # percent of the cases, for "most"
EARLY = ("lirendong", "qingyanliu")  # the two early villages of the studies that C28 cites
SEED = 20170901  # the article's day of publication

CASES = ("all cases", "all but counties and prefectures", "all but the article's own")
NEARBY = (
    "wholesale market",
    "wholesale market or garment cluster",
    "any market or factory cluster",
)
TIES = ("kin", "kin or neighbours")
HOUSEHOLDS = ("households_ecommerce", "share_households_ecommerce_pct")
SOLO = "share of village shops run by an individual without employees"
PERSONAL = ("kin", "neighbours", "hometown", "classmates")
CHANNELS = [*PERSONAL, "training", "lead_firm"]
SERVICES = ("delivery", "design and images", "office work", "shops and meals", "training")
FITTING = ("farm product", "craft", "bought nearby")
OTHER = ("made in own factories", "bought far away")


# ---- the cases ------------------------------------------------------------------------------


def cases(cases_counted: str = "all cases") -> pd.DataFrame:
    """The coded cases, indexed by ``case_id``.

    Parameters
    ----------
    cases_counted : str
        One of `CASES`.

    Raises
    ------
    ValueError
        For another word.
    """
    if cases_counted not in CASES:
        raise ValueError(f"cases is {cases_counted!r}; use one of {', '.join(CASES)}")
    table = data.load("cases/cases").set_index("case_id")
    if cases_counted == "all but counties and prefectures":
        return table[~table["level"].isin(["county", "district", "prefecture"])]
    if cases_counted == "all but the article's own":
        return table[~table["in_article"]]
    return table


def told(topic: str, *kinds: str, doubtful: bool = True) -> pd.DataFrame:
    """Statements of ``cases/society`` on one topic.

    Parameters
    ----------
    topic : {"goods", "trade", "tradition", "platform"}
    *kinds : str
        Only these kinds; all if none is given.
    doubtful : bool
        Keep rows that the coder inferred.
    """
    rows = data.load("cases/society")
    rows = rows[rows["topic"] == topic]
    if kinds:
        rows = rows[rows["kind"].isin(kinds)]
    if not doubtful:
        rows = rows[~rows["doubtful"]]
    return rows.reset_index(drop=True)


def coded(dimension: str, *names: str, coder: str = "first", doubtful: bool = True) -> pd.DataFrame:
    """Codes of a dimension by their own names, not by the concepts that join them."""
    rows = coding.codes(coder=coder, doubtful=doubtful)
    rows = rows[rows["dimension"] == dimension]
    return (rows[rows["code"].isin(names)] if names else rows).reset_index(drop=True)


def single_sourced(*, coder: str = "first", doubtful: bool = True) -> pd.DataFrame:
    """On how many sources each cell of this chapter rests.

    Returns
    -------
    DataFrame
        Columns ``topic``, ``case_id``, ``cell``, ``n_sources``; one row a case and concept, or
        a case, thing and kind; sorted.
    """
    codes = coding.codes(coder=coder, doubtful=doubtful)
    codes = codes[codes["dimension"].isin(["diffusion", "social_change"])]
    codes = codes.rename(columns={"dimension": "topic", "concept": "cell"})
    rows = data.load("cases/society")
    rows["cell"] = rows["item"] + ", " + rows["kind"]  # a craft kept and one lost are two cells
    rows = rows if doubtful else rows[~rows["doubtful"]]
    both = pd.concat([codes, rows])[["topic", "case_id", "cell", "source_id"]]
    grouped = both.groupby(["topic", "case_id", "cell"])["source_id"].nunique()
    return grouped.rename("n_sources").reset_index()


def _percent(yes: int, no: int, total: int) -> tuple[float, float]:
    low, high = statistics.share_bounds(yes, no, total)
    return round(100 * low, 1), round(100 * high, 1)


def _sources(*parts: Iterable[str]) -> list[str]:
    return sorted(set().union(*parts) - {ARTICLE})


# ---- goods (C25) ----------------------------------------------------------------------------


def goods(
    *,
    nearby_market: str = "wholesale market",
    cases_counted: str = "all cases",
    coder: str = "first",
    doubtful: bool = True,
) -> pd.DataFrame:
    """What each case sells and where the goods come from.

    Farm products and crafts are sorted by the good itself; other goods by their origin, where a
    source tells it.

    Parameters
    ----------
    nearby_market : str
        What counts as a nearby market, one of `NEARBY`.
    cases_counted : str
        One of `CASES`.
    coder, doubtful
        See `coding.codes`.

    Returns
    -------
    DataFrame
        Indexed by ``case_id``; ``item``, ``origin`` (one of `FITTING` or `OTHER`, or "not
        reported"), ``source_id``.

    Raises
    ------
    ValueError
        For another value of `nearby` or `which`.
    """
    if nearby_market not in NEARBY:
        raise ValueError(f"nearby_market is {nearby_market!r}; use one of {', '.join(NEARBY)}")
    table = told("goods", doubtful=doubtful).drop_duplicates("case_id").set_index("case_id")
    table = table[table.index.isin(cases(cases_counted).index)]
    before = coded("spatial_precondition", coder=coder, doubtful=doubtful)

    def having(*names: str) -> set[str]:
        return set(before.loc[before["code"].isin(names), "case_id"])

    market = having("near_wholesale_market")
    if nearby_market != NEARBY[0]:
        market |= having("near_garment_cluster")
    if nearby_market == NEARBY[2]:
        market |= having("existing_industrial_cluster")
    series = data.load("cases/case_series")
    made = having("existing_industrial_cluster", "existing_craft_cluster")
    made |= set(series.loc[series["indicator"] == "factories", "case_id"])
    far = having("none")

    def origin(case: str, kind: str) -> str:
        if kind != "factory":
            return {"farm": "farm product", "craft": "craft"}[kind]
        if case in market:
            return "bought nearby"
        if case in made:
            return "made in own factories"
        return "bought far away" if case in far else "not reported"

    origins = [origin(case, kind) for case, kind in table["kind"].items()]
    return table.assign(origin=origins)[["item", "origin", "source_id"]].sort_index()


def goods_evidence(
    *,
    nearby_market: str = "wholesale market",
    cases_counted: str = "all cases",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C25: do the three sorts of goods cover what villages sell?"""
    table = goods(
        nearby_market=nearby_market, cases_counted=cases_counted, coder=coder, doubtful=doubtful
    )
    count = table["origin"].value_counts()
    fit = int(count.reindex(FITTING, fill_value=0).sum())
    other = int(count.reindex(OTHER, fill_value=0).sum())
    low, high = _percent(fit, other, len(table))
    ranks = data.load("villages/products")
    ranks = ranks[ranks["rank"].notna()]
    details: dict[str, float | int | str] = {
        name.replace(" ", "_"): int(count.get(name, 0))
        for name in (*FITTING, *OTHER, "not reported")
    }
    details |= {
        "fit": fit,
        "cases": len(cases(cases_counted)),
        "low": low,
        "high": high,
        "all_low": _percent(fit, other, len(cases(cases_counted)))[0],
        "all_high": _percent(fit, other, len(cases(cases_counted)))[1],
        "ranked": len(ranks),
        "ranked_year": str(ranks["year"].iloc[0]),
        "ranked_farm_or_craft": int((ranks["kind"] != "factory").sum()),
    }
    codes = coded("spatial_precondition", coder=coder, doubtful=doubtful)
    codes = codes[codes["case_id"].isin(table.index)]
    return Evidence(
        value=low,
        unit="percent of the cases with known goods sell one of the three sorts, at the lowest",
        interval=(low, high),
        interval_kind="lowest and highest share, for the goods of unreported origin",
        n=len(table),
        n_unit="cases whose goods are known",
        sources=_sources(table["source_id"], codes["source_id"], ranks["source_id"]),
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
        "nearby_market": NEARBY,
        "cases_counted": CASES,
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


# ---- diffusion (C26) ------------------------------------------------------------------------


def channels(
    *, cases_counted: str = "all cases", coder: str = "first", doubtful: bool = True
) -> pd.DataFrame:
    """Through whom selling online spread, case by case.

    Returns
    -------
    DataFrame of int
        One row a case with at least one reported channel, one column a concept; the number of
        sources that report it. 0 means not reported, not absent.
    """
    rows = coding.codes(coder=coder, doubtful=doubtful)
    rows = rows[
        (rows["dimension"] == "diffusion") & rows["case_id"].isin(cases(cases_counted).index)
    ]
    known = data.load("cases/codebook")
    names = known.loc[known["dimension"] == "diffusion", "group"].unique()
    table = rows.groupby(["case_id", "concept"])["source_id"].nunique().unstack(fill_value=0)
    return table.reindex(columns=names, fill_value=0).astype(int)


def household_cases(*, cases_counted: str = "all cases") -> set[str]:
    """Cases for which a source counts households that sell online."""
    series = data.load("cases/case_series")
    counted = series["indicator"].isin(HOUSEHOLDS)
    return set(series.loc[counted, "case_id"]) & set(cases(cases_counted).index)


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
    table = channels(cases_counted=cases_counted, coder=coder, doubtful=doubtful)
    # Work in the household says where people sell, not from whom they learnt it.
    table = table[(table.reindex(columns=CHANNELS, fill_value=0) > 0).any(axis=1)]
    total, known = len(cases(cases_counted)), len(table)
    if not known:
        return Evidence(None, "%", [], limits="No channel is coded under these choices.")

    def naming(*concepts: str) -> int:
        return int((table[[c for c in concepts if c in table]] > 0).any(axis=1).sum())

    wanted = ("kin",) if ties_counted == "kin" else ("kin", "neighbours")
    kin, personal = naming(*wanted), naming(*PERSONAL)
    homes = household_cases(cases_counted=cases_counted)
    rows = coded("diffusion", coder=coder, doubtful=doubtful)
    rows = rows[rows["case_id"].isin(table.index)]
    economy = data.load("villages/economy")
    solo = economy[economy["quantity"] == SOLO].iloc[0]
    series = data.load("cases/case_series")
    series = series[series["indicator"].isin(HOUSEHOLDS)]
    low, _ = _percent(kin, 0, known)
    details = {
        "kin": naming("kin"),
        "neighbours": naming("neighbours"),
        "named": kin,
        "named_low": low,
        "personal": personal,
        "personal_low": _percent(personal, 0, known)[0],
        "training": naming("training"),
        "firm": naming("lead_firm"),
        "known": known,
        "cases": total,
        "silent": total - known,
        "all_low": _percent(kin, 0, total)[0],
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
        sources=_sources(
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
        "cases_counted": CASES,
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


# ---- documented places (figure of C26, C27) -------------------------------------------------


def series(
    case: str, indicator: str, *, scale: str = "village", first: int = 2000, last: int = 2030
) -> pd.DataFrame:
    """A case's dated figures, conflicts kept.

    Parameters
    ----------
    case, indicator : str
        For example "dongfeng_shaji", "shops".
    scale : str
        Only figures of this scale; those of a town are never joined to those of a village.
    first, last : int
        Years.

    Returns
    -------
    DataFrame
        ``year``, ``value``, ``qualifier``, ``source_id``, sorted by year.
    """
    rows = data.load("cases/case_series")
    rows = rows[
        (rows["case_id"] == case)
        & (rows["indicator"] == indicator)
        & (rows["scale"] == scale)
        & rows["year"].between(first, last)
    ]
    return rows.sort_values(["year", "value"])[
        ["year", "value", "qualifier", "source_id"]
    ].reset_index(drop=True)


def household_shares() -> pd.DataFrame:
    """Share of a village's households that sell online, where both numbers are known.

    Returns
    -------
    DataFrame
        ``case_id``, ``year``, ``low``, ``high`` (percent; they differ where sources give several
        totals), ``since_first`` (years since the first shop, NA where no source dates it),
        ``source_id``.
    """
    rows = data.load("cases/case_series")
    rows = rows[rows["scale"] == "village"]
    totals = rows[rows["indicator"] == "households_total"].groupby("case_id")["value"]
    totals = totals.agg(["min", "max"])
    shops = coded("outcome", "first_shop_year").groupby("case_id")["value"].first().astype(int)
    selling = rows[rows["indicator"] == "households_ecommerce"]
    out = selling[selling["case_id"].isin(totals.index)].drop_duplicates(
        ["case_id", "year", "value"]
    )
    base = totals.loc[out["case_id"]]
    start = out["case_id"].map(shops)
    return pd.DataFrame(
        {
            "case_id": out["case_id"].to_numpy(),
            "year": out["year"].to_numpy(),
            "low": 100 * out["value"].to_numpy() / base["max"].to_numpy(),
            "high": 100 * out["value"].to_numpy() / base["min"].to_numpy(),
            "since_first": (out["year"] - start).astype("Int64").to_numpy(),
            "source_id": out["source_id"].to_numpy(),
        }
    ).sort_values(["case_id", "year"], ignore_index=True)


# ---- trades and jobs (C27) ------------------------------------------------------------------


def trades(*, cases_counted: str = "all cases", doubtful: bool = True) -> pd.DataFrame:
    """Ancillary trades, case by case: number of things named of each kind; 0 is not reported."""
    rows = told("trade", doubtful=doubtful)
    rows = rows[rows["case_id"].isin(cases(cases_counted).index)]
    table = rows.groupby(["case_id", "kind"])["item"].nunique().unstack(fill_value=0)
    return table.astype(int)


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
    table = trades(cases_counted=cases_counted, doubtful=doubtful)
    all_cases = cases(cases_counted)
    jobs = coded("social_change", "tertiary_jobs", coder=coder, doubtful=doubtful)
    jobs = jobs[jobs["case_id"].isin(all_cases.index)]
    rows = told("trade", doubtful=doubtful)
    rows = rows[rows["case_id"].isin(all_cases.index)]
    tertiary = set(rows.loc[rows["kind"].isin(SERVICES), "case_id"]) | set(jobs["case_id"])
    skilled = set(rows.loc[rows["kind"] == "design and images", "case_id"])
    share = _percent(len(table), 0, len(all_cases))
    town = series("shaji_town", "express_companies", scale="town")
    seat, last = town.iloc[0], town.iloc[-1]  # the first is of the town's seat, without Dongfeng
    village = series("dongfeng_shaji", "express_companies").iloc[0]
    economy = data.load("villages/economy")
    work = economy[economy["quantity"].isin(["jobs", "direct_jobs"])]
    work = work[work["year"] <= 2016].sort_values("year")
    return Evidence(
        value=len(table),
        unit="cases name at least one ancillary trade",
        n=len(all_cases),
        n_unit="cases in all",
        sources=_sources(
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
        "cases_counted": CASES,
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


# ---- tradition (C28) ------------------------------------------------------------------------


def traditions(*, doubtful: bool = True) -> pd.DataFrame:
    """What was kept, changed or lost, with the strength of the evidence.

    Returns
    -------
    DataFrame
        ``case_id``, ``item``, ``kind``, ``year`` (latest), ``n_sources``, ``best`` (reliability of
        the best source, A to D), ``only_article`` (nothing but the article says so).
    """
    rows = told("tradition", doubtful=doubtful)
    rows["grade"] = data.sources()["reliability"].loc[rows["source_id"]].to_numpy()
    grouped = rows.groupby(["case_id", "item", "kind"])
    table = grouped.agg(
        year=("year", "max"),
        n_sources=("source_id", "nunique"),
        best=("grade", "min"),
        only_article=("source_id", lambda ids: set(ids) == {ARTICLE}),
    )
    return table.reset_index()


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
    named = coded("social_change", "tradition_retained", coder=coder, doubtful=doubtful)
    rows = told("tradition", doubtful=doubtful)
    narrow = rows["item"].isin(["festivals", "close ties"])
    kept = rows[
        (rows["kind"] == "kept")
        & rows["case_id"].isin(EARLY)
        & rows["case_id"].isin(named["case_id"])
    ]
    kept = kept[narrow.loc[kept.index]] if subject != "any tradition" else kept
    lost = rows[(rows["kind"] == "lost") & rows["case_id"].isin(EARLY) & narrow]
    if witnesses == "without the article":
        kept, lost = (part[part["source_id"] != ARTICLE] for part in (kept, lost))
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


# ---- campaigns (C29) ------------------------------------------------------------------------

SIGNS = {  # topics of market/evidence that bear on the forecast
    "administrative push": "order",
    "sales targets imposed by local government": "order",
    "targets": "target",
    "subsidy schedule": "reward",
    "refusal of Rural Taobao": "refusal",
}
COUNTED = {
    "orders and targets": ("order", "target"),
    "orders alone": ("order",),
    "orders, targets and rewards": ("order", "target", "reward"),
}


def campaign_signs(*, coder: str = "first", doubtful: bool = True) -> pd.DataFrame:
    """Dated reports that bear on whether support turned into a campaign.

    Returns
    -------
    DataFrame
        ``date``, ``sign`` (order, target, reward, refusal), ``villages`` (True if it is about
        Taobao Villages and not rural e-commerce at large), ``later`` (after the article),
        ``statement``, ``source_id``; sorted by date.
    """
    rows = data.load("market/evidence")
    rows = rows[rows["topic"].isin(SIGNS)].drop_duplicates(["topic", "source_id"])
    general = pd.DataFrame(
        {
            "date": rows["date"],
            "sign": rows["topic"].map(SIGNS),
            "villages": False,
            "statement": rows["statement"],
            "source_id": rows["source_id"],
        }
    )
    codes = coded("governance", "numeric_targets", coder=coder, doubtful=doubtful)
    local = pd.DataFrame(
        {
            "date": data.sources()["date"].loc[codes["source_id"]].to_numpy(),
            "sign": "target",
            "villages": True,
            "statement": codes["paraphrase"],
            "source_id": codes["source_id"],
        }
    )
    table = pd.concat([general, local], ignore_index=True)
    table["later"] = table["date"].str.ljust(7, "-") > PUBLISHED
    return table.sort_values(["date", "source_id"], ignore_index=True)


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
    table = campaign_signs(coder=coder, doubtful=doubtful)
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


# ---- dependence (C30) -----------------------------------------------------------------------

CHAT = ("WeChat",)
PERIODS = ("all years", "up to 2017", "after 2017")
EXPOSED = ("platform_fees", "platform_unilateral_change")


def platform_use(
    *,
    selling_elsewhere: str = "retail platforms",
    period: str = "all years",
    cases_counted: str = "all cases",
    coder: str = "first",
    doubtful: bool = True,
) -> pd.DataFrame:
    """What is reported of each case's dealings with platforms.

    Parameters
    ----------
    selling_elsewhere : {"retail platforms", "chat shops too"}
        What counts as selling elsewhere.
    period : str
        One of `PERIODS`. A code takes the year of its source; undated statements count in "all
        years" alone.
    cases_counted, coder, doubtful
        See `coded`.

    Returns
    -------
    DataFrame of bool
        Indexed by ``case_id``, cases with a report only; ``exposed`` (hurt by fees or rules),
        ``only`` (said to sell on one platform alone), ``elsewhere`` (sells elsewhere as well).
        False means not reported.

    Raises
    ------
    ValueError
        For another word.
    """
    if selling_elsewhere not in ("retail platforms", "chat shops too") or period not in PERIODS:
        raise ValueError(f"selling_elsewhere is {selling_elsewhere!r}, period is {period!r}")
    codes = pd.concat(
        [
            coded("sustainability_pressure", *EXPOSED, coder=coder, doubtful=doubtful).assign(
                kind="exposed"
            ),
            coded("upgrading", "cross_platform", coder=coder, doubtful=doubtful).assign(
                kind="elsewhere"
            ),
        ]
    )
    printed = data.sources()["date"].str[:4].loc[codes["source_id"]]
    codes["year"] = pd.to_numeric(printed, errors="coerce").to_numpy()
    rows = told("platform", doubtful=doubtful)
    if selling_elsewhere == "retail platforms":
        rows = rows[~rows["item"].isin(CHAT)]
    both = pd.concat([codes[["case_id", "kind", "year"]], rows[["case_id", "kind", "year"]]])
    both = both[both["case_id"].isin(cases(cases_counted).index)]
    year = pd.to_numeric(both["year"]).astype(float)
    if period != "all years":
        both = both[(year <= 2017) if period == "up to 2017" else (year > 2017)]
    table = both.groupby(["case_id", "kind"]).size().unstack(fill_value=0) > 0
    return table.reindex(columns=["exposed", "only", "elsewhere"], fill_value=False)


def dependence_evidence(
    *,
    selling_elsewhere: str = "retail platforms",
    period: str = "all years",
    cases_counted: str = "all cases",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C30: is one platform all that villages have?"""
    table = platform_use(
        selling_elsewhere=selling_elsewhere,
        period=period,
        cases_counted=cases_counted,
        coder=coder,
        doubtful=doubtful,
    )
    total = len(cases(cases_counted))
    if table.empty:
        return Evidence(None, "%", [], limits="No report on platforms under these choices.")
    alone = int((table["only"] & ~table["elsewhere"]).sum())
    other = int(table["elsewhere"].sum())
    low, high = _percent(alone, other, total)
    shares = retail.printed_shares().query("firm == 'Alibaba'")
    year = shares.groupby("year")["share"].agg(["min", "max"])
    codes = pd.concat(
        [
            coded("sustainability_pressure", *EXPOSED, coder=coder, doubtful=doubtful),
            coded("upgrading", "cross_platform", coder=coder, doubtful=doubtful),
            told("platform", doubtful=doubtful),
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
        sources=_sources(codes["source_id"], shares["source_id"]),
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
        "period": PERIODS,
        "cases_counted": CASES,
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


# ---- rules and fees (C31) -------------------------------------------------------------------

SELLERS = ("small shops", "shops selling elsewhere", "village agents")


def rule_changes() -> pd.DataFrame:
    """Changes of rules and fees, with who bore them; one row a source, sorted by date."""
    table = data.load("market/platform_rules")
    table["reported"] = data.sources()["date"].loc[table["source_id"]].to_numpy()
    return table.sort_values(["date", "rule_id"], ignore_index=True)


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
    table = rule_changes()
    table = table[table["borne_by"].isin(SELLERS)]
    if reports_dated == "before the article":
        table = table[(table["reported"] != "") & (table["reported"].str[:7] < PUBLISHED)]
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


# ---- simulation: an illustration, not evidence ----------------------------------------------

Channel = Literal["kin", "training", "both"]


def village_network(
    *,
    households: int = 400,
    clans: int = 10,
    within: float = 0.12,
    between: float = 0.002,
    seed: int,
) -> nx.Graph:
    """A made-up village: households in clans, many ties within a clan and few between.

    Parameters
    ----------
    households, clans : int
        Clans are of one size, as far as the numbers allow.
    within, between : float
        Chance of a tie between two households of one clan, and of two clans.
    seed : int

    Returns
    -------
    networkx Graph
        Nodes 0 to households - 1, those of one clan next to each other.
    """
    sizes = [len(part) for part in np.array_split(np.arange(households), clans)]
    return nx.random_partition_graph(sizes, within, between, seed=seed)


def spread(
    network: nx.Graph,
    *,
    channel: Channel = "kin",
    learn: float = 0.3,
    places: int = 40,
    success: float = 0.5,
    pioneers: Sequence[int] = (0, 1),
    years: int = 12,
    seed: int,
) -> np.ndarray:
    """Let selling online spread through one made-up village.

    Parameters
    ----------
    network : networkx Graph
        As returned by `village_network`.
    channel : {"kin", "training", "both"}
        Who teaches: tied households, a yearly course, or both.
    learn : float
        Chance a year that one selling household passes the trade on to one tied household.
    places : int
        Households that each year's course takes in, drawn at random from those that do not sell.
    success : float
        Chance that a trained household opens a shop.
    pioneers : sequence of int
        Households that sell in year 0.
    years : int
    seed : int

    Returns
    -------
    ndarray, shape (years + 1,)
        Percent of households that sell, by years since the first shop.

    Notes
    -----
    An independent-cascade model in which every seller tries again each year; compare Kempe,
    Kleinberg and Tardos (2003).
    """
    rng = np.random.default_rng(seed)
    ties = nx.to_numpy_array(network, nodelist=sorted(network))
    sells = np.zeros(len(ties), dtype=bool)
    sells[list(pioneers)] = True
    shares = [100 * sells.mean()]
    for _ in range(years):
        new = np.zeros_like(sells)
        if channel != "training":
            chance = 1 - (1 - learn) ** (ties @ sells)
            new |= rng.random(len(ties)) < chance
        if channel != "kin":
            idle = np.flatnonzero(~sells)
            taught = rng.choice(idle, size=min(places, len(idle)), replace=False)
            new[taught] |= rng.random(len(taught)) < success
        sells |= new
        shares.append(100 * sells.mean())
    return np.array(shares)


def simulate(
    *,
    channel: Channel = "kin",
    runs: int = 40,
    seed: int = SEED,
    households: int = 400,
    clans: int = 10,
    within: float = 0.12,
    between: float = 0.002,
    **choices: Any,
) -> pd.DataFrame:
    """Run `spread` in many made-up villages.

    Parameters
    ----------
    channel, **choices
        See `spread`.
    runs : int
        Villages, each with a network of its own.
    seed : int
    households, clans, within, between
        See `village_network`.

    Returns
    -------
    DataFrame
        Indexed by ``years_since_first``; ``low``, ``median``, ``high``: the middle run and the
        ends of the middle 80% of the runs, in percent of households.
    """
    seeds = np.random.default_rng(seed).integers(2**31, size=(runs, 2))
    paths = [
        spread(
            village_network(
                households=households, clans=clans, within=within, between=between, seed=int(one)
            ),
            channel=channel,
            seed=int(two),
            **choices,
        )
        for one, two in seeds
    ]
    low, median, high = np.quantile(paths, [0.1, 0.5, 0.9], axis=0)
    years = pd.RangeIndex(len(median), name="years_since_first")
    return pd.DataFrame({"low": low, "median": median, "high": high}, index=years)
