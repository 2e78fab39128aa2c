"""The reconfiguration of rural governance (claims C46 to C52, C59 and C60).

Three kinds of evidence meet here. Coded cases tell who founded an association of sellers, who
pays, who heads it and what it does: what a source does not mention is not reported, never
absent, so shares have a lowest and a highest value. Coded statements tell what works of the
literature say for or against a claim, and which could not be read. An argument map, kept as a
table, holds what speaks for and against the forecast of party-state corporatism.

The article cannot be a witness for itself: codes that rest on the article alone are left out
unless a reader asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import networkx as nx
import pandas as pd

from taobao_villages import coding, data, statistics
from taobao_villages.claims import Claim, Evidence, Rule

ARTICLE = "li2017"
HALF = 50  # percent of the associations, for "half governmental, half public"
LEAST_JUDGED = 2  # associations, before their autonomy can be called contested
AFTER = 2017  # evidence on a forecast is later than this year
ARTICLE_CHOICES = ("not counted", "counted")
SHAJI = ("one association", "two associations")
FIVE: Mapping[str, str] = {  # what the article says that associations do
    "negotiate": "Negotiate with firms",
    "lobby": "Lobby for support",
    "attract_investment": "Attract investment",
    "settle_conflict": "Settle conflicts",
    "conduit": "Carry messages to officials",
}
OTHERS: Mapping[str, str] = {
    "norms": "Set or watch rules",
    "policy_service": "Help with policies",
    "promotion": "Promote the place",
    "registration": "Register shops, brands",
    "rights_protection": "Protect rights",
    "training": "Train sellers",
}
FUNCTIONS: Mapping[str, str] = {**FIVE, **OTHERS}
TIES = ("founder", "state_funds", "state_partner", "party_link", "village_link", "autonomy")
PARTY_CODES = data.TIED
KIN = ("kin", "kin_neighbours")
SOCIAL = (
    *KIN,
    "friends_neighbours",
    "neighbours",
    "fellow_townsmen",
    "migrant_networks",
    "migrant_classmates",
)
LEADING = ("association_head", "party_secretary", "village_office", "deputy")
PARTS: Mapping[str, str] = {
    "officials_wealth": "officials' own wealth",
    "lineages_temples": "lineages and temples",
    "gangs": "gangs",
}
PATTERNS: Mapping[str, str] = {
    "state_follows": "Government follows sellers",
    "state_leads": "Government leads by plan or target",
    "hard_to_regulate": "Sellers are hard to regulate",
    "cadre_settles_conflict": "An official settles disputes",
    "sellers_in_office": "Sellers taken into office",
}
NOT_A_SAMPLE = "The cases are places that people wrote about, not a sample."


def _one_of(name: str, value: str, allowed: Iterable[str]) -> None:
    if value not in (known := tuple(allowed)):
        raise ValueError(f"{name} is {value!r}; use one of {', '.join(known)}")


# ---- what is coded of the associations -------------------------------------------------------


def association_codes(
    *,
    article_as_witness: str = "not counted",
    dongfeng_and_shaji: str = "one association",
    coder: str = "first",
    doubtful: bool = True,
) -> pd.DataFrame:
    """Codes about associations of sellers, with whom each is about.

    Parameters
    ----------
    article_as_witness : {"not counted", "counted"}
        Codes whose only source is the article itself.
    dongfeng_and_shaji : {"one association", "two associations"}
        Dongfeng lies in Shaji town, and a source of 2020 names one head for both.
    coder, doubtful : str, bool
        See `coding.codes`.

    Returns
    -------
    DataFrame
        Columns ``association`` (a case), ``concept``, ``value``, ``by``, ``source_id``,
        ``paraphrase``. ``by`` is "association"; "individual" where the source tells of a single
        seller; "proposed" where an association is wanted and no source says that it exists; or
        "other body" where a source names a task only, perhaps of another body of the trade.

    Raises
    ------
    ValueError
        For another choice.
    """
    _one_of("article_as_witness", article_as_witness, ARTICLE_CHOICES)
    _one_of("dongfeng_and_shaji", dongfeng_and_shaji, SHAJI)
    codes = coding.codes(coder=coder, doubtful=doubtful)
    links = codes["code"].isin(PARTY_CODES)
    codes = codes[codes["dimension"].eq("association") | links].assign(association=codes["case_id"])
    codes.loc[links, "concept"] = "party_link"
    if article_as_witness == "not counted":
        codes = codes[codes["source_id"] != ARTICLE]
    if dongfeng_and_shaji == "one association":
        codes["association"] = codes["association"].replace("shaji_town", "dongfeng_shaji")
    there = codes[codes["concept"].isin(("exists", *TIES))]["association"].unique()
    wanted = codes[codes["concept"] == "demanded"]["association"].unique()
    codes["by"] = "other body"
    codes.loc[codes["association"].isin(wanted), "by"] = "proposed"
    codes.loc[codes["association"].isin(there), "by"] = "association"
    codes.loc[codes["about"] == "individual", "by"] = "individual"
    columns = ["association", "concept", "value", "by", "source_id", "paraphrase"]
    return codes[columns].reset_index(drop=True)


def existing(codes: pd.DataFrame) -> list[str]:
    """Associations that a source says exist, in the rows of `association_codes`."""
    return sorted(codes.loc[codes["by"] == "association", "association"].unique())


def founders(rows: pd.DataFrame) -> set[str]:
    """Who founded one association, by every account: "state", "sellers" or both."""
    values = rows.loc[rows["concept"] == "founder", "value"].dropna()  # not from the second pass
    return {"state" if value.startswith("government") else "sellers" for value in values}


def ties(
    *,
    article_as_witness: str = "not counted",
    dongfeng_and_shaji: str = "one association",
    accounts: str = "any",
    seller_side: str = "founder or work for members",
    coder: str = "first",
    doubtful: bool = True,
) -> pd.DataFrame:
    """Each association with what is reported of its ties to the state and to the sellers.

    Parameters
    ----------
    accounts : {"any", "undisputed"}
        Whether a founder counts on which sources disagree.
    seller_side : {"founder or work for members", "founder or autonomy"}
        What makes an association half public: founded by sellers, or free, or at work for them.
    article_as_witness, dongfeng_and_shaji, coder, doubtful : str, str, str, bool
        See `association_codes`.

    Returns
    -------
    DataFrame
        One row an association that exists; texts ``founder``, ``money``, ``office``,
        ``autonomy`` ("not reported" where no source tells), flags ``state`` and ``sellers``
        (a tie is reported), ``state_founder``, and ``sources`` (number).
    """
    _one_of("accounts", accounts, ("any", "undisputed"))
    _one_of("seller_side", seller_side, ("founder or work for members", "founder or autonomy"))
    codes = association_codes(
        article_as_witness=article_as_witness,
        dongfeng_and_shaji=dongfeng_and_shaji,
        coder=coder,
        doubtful=doubtful,
    )
    rows = {}
    for name in existing(codes):
        own = codes[codes["association"].eq(name) & codes["by"].eq("association")]
        has = set(own["concept"])
        by = founders(own)
        counted = by if accounts == "any" or len(by) == 1 else set()
        levels = set(own.loc[own["concept"] == "autonomy", "value"].dropna())
        work = bool(has & set(FUNCTIONS)) and seller_side == "founder or work for members"
        rows[name] = {
            "founder": _said(by, {"state": "state", "sellers": "sellers"}),
            "money": _said(has, {"state_funds": "subsidy", "state_partner": "joint work"}),
            "office": _said(has, {"party_link": "party", "village_link": "village office"}),
            "autonomy": _said(levels, {level: level for level in sorted(levels)}),
            "state": "state" in counted or bool(has & set(TIES[1:5])),
            "sellers": "sellers" in counted or "high" in levels or work,
            "state_founder": "state" in counted,
            "sources": own["source_id"].nunique(),
        }
    columns = ["founder", "money", "office", "autonomy", "state", "sellers", "state_founder"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=[*columns, "sources"])


def _said(found: set[str], words: Mapping[str, str]) -> str:
    """What is reported, in words; sources that disagree are both shown."""
    return " / ".join(word for key, word in words.items() if key in found) or "not reported"


def function_codes(
    codes: pd.DataFrame,
    *,
    proposed_functions: str = "not counted",
    work_of_individuals: str = "not counted",
    promotion: str = "another function",
) -> pd.DataFrame:
    """Codes of functions, with what counts as an association's own.

    Parameters
    ----------
    codes : DataFrame
        From `association_codes`.
    proposed_functions, work_of_individuals : {"not counted", "counted"}
        What an association that does not exist yet is wanted for; what a single seller did.
    promotion : {"another function", "attracting investment"}
        How to read that an association promotes its place to visitors.

    Returns
    -------
    DataFrame
        As `codes`, with ``counts``: whether the row counts as a function of an association.
    """
    _one_of("proposed_functions", proposed_functions, ARTICLE_CHOICES)
    _one_of("work_of_individuals", work_of_individuals, ARTICLE_CHOICES)
    _one_of("promotion", promotion, ("another function", "attracting investment"))
    rows = codes.copy()
    if promotion == "attracting investment":
        rows["concept"] = rows["concept"].replace("promotion", "attract_investment")
    rows = rows[rows["concept"].isin(FUNCTIONS)]
    taken = {"association"}
    taken |= {"proposed"} if proposed_functions == "counted" else set()
    taken |= {"individual"} if work_of_individuals == "counted" else set()
    return rows.assign(counts=rows["by"].isin(taken)).reset_index(drop=True)


def functions(
    *,
    article_as_witness: str = "not counted",
    dongfeng_and_shaji: str = "one association",
    proposed_functions: str = "not counted",
    work_of_individuals: str = "not counted",
    promotion: str = "another function",
    coder: str = "first",
    doubtful: bool = True,
) -> pd.DataFrame:
    """Of how many associations each function is reported, with bounds.

    Returns
    -------
    DataFrame
        Indexed by function, the article's five first; ``label``, ``reported`` (associations),
        ``total``, ``lowest`` and ``highest`` (percent, if none or all of the rest do it too) and
        ``sources`` (number). Parameters as in `association_codes` and `function_codes`.
    """
    codes = association_codes(
        article_as_witness=article_as_witness,
        dongfeng_and_shaji=dongfeng_and_shaji,
        coder=coder,
        doubtful=doubtful,
    )
    rows = function_codes(
        codes,
        proposed_functions=proposed_functions,
        work_of_individuals=work_of_individuals,
        promotion=promotion,
    )
    rows = rows[rows["counts"]]
    all_of_them = sorted({*existing(codes), *rows["association"]})
    table = []
    for name, label in FUNCTIONS.items():
        own = rows[rows["concept"] == name]
        n = own["association"].nunique()
        low, high = statistics.share_bounds(n, 0, len(all_of_them)) if all_of_them else (0, 1)
        table.append(
            [label, n, len(all_of_them), 100 * low, 100 * high, own["source_id"].nunique()]
        )
    columns = ["label", "reported", "total", "lowest", "highest", "sources"]
    return pd.DataFrame(table, index=list(FUNCTIONS), columns=columns)


def matrix(
    *, article_as_witness: str = "counted", coder: str = "first", doubtful: bool = True
) -> pd.DataFrame:
    """Places by the article's five functions, with how each is reported.

    Returns
    -------
    DataFrame
        Rows are places, columns the five; "association", "proposed", "individual" or "" where
        nothing is reported. Places with an association and no reported function have a row.
    """
    codes = association_codes(article_as_witness=article_as_witness, coder=coder, doubtful=doubtful)
    rows = function_codes(codes)
    rows = rows[rows["concept"].isin(FIVE) & rows["by"].ne("other body")]
    places = sorted({*existing(codes), *rows["association"]})
    table = pd.DataFrame("", index=places, columns=list(FIVE))
    for kind in ("individual", "proposed", "association"):  # the strongest is written last
        for row in rows[rows["by"] == kind].itertuples():
            table.loc[row.association, row.concept] = kind
    order = table.ne("").sum(axis=1) + table.eq("association").sum(axis=1)
    return table.loc[order.sort_values(ascending=False, kind="stable").index]


def cells(*, coder: str = "first", doubtful: bool = True) -> pd.DataFrame:
    """What is reported of each association, thing by thing, with the number of sources.

    Returns
    -------
    DataFrame
        Columns ``place``, ``what``, ``value``, ``n_sources``, ``sources``, ``only_article``.
        A cell with one source stands or falls with it.
    """
    codes = association_codes(article_as_witness="counted", coder=coder, doubtful=doubtful)
    codes = codes[codes["concept"].isin((*TIES, *FUNCTIONS))]
    codes = codes.assign(value=codes["value"].where(codes["value"] != "1", "reported"))
    names, rows = coding.places()["place"], []
    for (name, what, value), own in codes.groupby(["association", "concept", "value"]):
        ids = sorted(own["source_id"].unique())
        rows.append([names[name], what, value, len(ids), ", ".join(ids), ids == [ARTICLE]])
    columns = ["place", "what", "value", "n_sources", "sources", "only_article"]
    return pd.DataFrame(rows, columns=columns)


def patterns(
    *, article_as_witness: str = "not counted", coder: str = "first", doubtful: bool = True
) -> pd.DataFrame:
    """How government and sellers are said to deal with each other, over all cases.

    Returns
    -------
    DataFrame
        One row a pattern: ``label``, ``places`` (names), ``reported`` (cases), ``lowest`` and
        ``highest`` share of all cases in percent, and ``sources`` (ids). A case can have several.
    """
    _one_of("article_as_witness", article_as_witness, ARTICLE_CHOICES)
    codes = coding.codes(coder=coder, doubtful=doubtful)
    codes = codes[codes["dimension"] == "governance"]
    if article_as_witness == "not counted":
        codes = codes[codes["source_id"] != ARTICLE]
    places, rows = coding.places()["place"], []
    total = len(places)
    for concept, label in PATTERNS.items():
        own = codes[codes["concept"] == concept]
        names = sorted(places[own["case_id"]].unique())
        n = own["case_id"].nunique()
        low, high = statistics.share_bounds(n, 0, total)
        ids = sorted(own["source_id"].unique())
        rows.append([label, ", ".join(names), n, 100 * low, 100 * high, ids])
    columns = ["label", "places", "reported", "lowest", "highest", "sources"]
    return pd.DataFrame(rows, columns=columns, index=list(PATTERNS))


# ---- semi-governmental, semi-public (C47) ----------------------------------------------------


def nature_evidence(
    *,
    article_as_witness: str = "not counted",
    dongfeng_and_shaji: str = "one association",
    accounts: str = "any",
    seller_side: str = "founder or work for members",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C47: associations with a tie to the state and one to the sellers."""
    table = ties(
        article_as_witness=article_as_witness,
        dongfeng_and_shaji=dongfeng_and_shaji,
        accounts=accounts,
        seller_side=seller_side,
        coder=coder,
        doubtful=doubtful,
    )
    if table.empty:
        return _nothing("associations", "No source tells of an association.")
    both = int((table["state"] & table["sellers"]).sum())
    low, high = statistics.share_bounds(both, 0, len(table))
    codes = association_codes(
        article_as_witness=article_as_witness,
        dongfeng_and_shaji=dongfeng_and_shaji,
        coder=coder,
        doubtful=doubtful,
    )
    used = codes[codes["association"].isin(table.index) & codes["by"].eq("association")]
    checked = cells(coder=coder, doubtful=doubtful)
    return Evidence(
        value=both,
        unit=f"of {len(table)} associations with ties to both state and sellers",
        interval=(round(100 * low, 1), round(100 * high, 1)),
        interval_kind="share in percent if none, or all, of the rest had both too",
        n=len(table),
        n_unit="associations",
        sources=sorted(used["source_id"].unique()),
        details={
            "state": int(table["state"].sum()),
            "sellers": int(table["sellers"].sum()),
            "state_founders": int(table["state_founder"].sum()),
            "founders_reported": int((table["founder"] != "not reported").sum()),
            "disputed": int(table["founder"].str.contains("/").sum()),
            "cells": len(checked),
            "single": int((checked["n_sources"] == 1).sum()),
            "article_cells": int(checked["only_article"].sum()),
            "article_only": len(
                set(
                    ties(
                        article_as_witness="counted",
                        dongfeng_and_shaji=dongfeng_and_shaji,
                        coder=coder,
                        doubtful=doubtful,
                    ).index
                )
                - set(
                    ties(
                        dongfeng_and_shaji=dongfeng_and_shaji, coder=coder, doubtful=doubtful
                    ).index
                )
            ),
        },
        limits=f"{NOT_A_SAMPLE} One reported tie is enough to count; its weight is not known.",
    )


def decide_nature(evidence: Evidence) -> tuple[str, str]:
    """Rule of C47."""
    most = (evidence.interval or (0.0, 0.0))[0] >= HALF
    founded = evidence.details["state_founders"]
    if most and founded >= 2:
        return "reproduced", "Most have ties to both sides, and the state founded several."
    if most:
        return (
            "reproduced in part",
            "Most have ties to both sides, but "
            f"{'only one' if founded else 'none'} is said to be founded by the state.",
        )
    if founded:
        return (
            "reproduced in part",
            "The state is said to have founded one or more, but that most have ties to both sides "
            "is not sure.",
        )
    return "not reproduced", "Neither ties to both sides nor a founder in the state are reported."


C47 = Claim(
    "C47",
    evidence=nature_evidence,
    rule=Rule(
        '"Half governmental, half public" is read as a reported tie to the state and one to the '
        'sellers, and "some" as two. Reproduced if the lowest possible share of associations with '
        "both is at least 50% and at least two were founded by the state by the account of a "
        "source other than the article; in part if one of these holds, or one founder is found.",
        decide_nature,
        threshold=(HALF, "half of the associations"),
    ),
    variants={
        "article_as_witness": ARTICLE_CHOICES,
        "dongfeng_and_shaji": SHAJI,
        "accounts": ("any", "undisputed"),
        "seller_side": ("founder or work for members", "founder or autonomy"),
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
)


# ---- autonomy (C48) --------------------------------------------------------------------------


def autonomy_evidence(
    *,
    article_as_witness: str = "not counted",
    party_secretary_as_head: str = "says nothing of autonomy",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C48: associations by how free they are said to be.

    Parameters
    ----------
    party_secretary_as_head : {"says nothing of autonomy", "means low autonomy"}
        Whether a party branch inside, or a party secretary at the head, is read as low autonomy
        where no source judges it.
    article_as_witness, coder, doubtful : str, str, bool
        See `association_codes`.
    """
    _one_of(
        "party_secretary_as_head",
        party_secretary_as_head,
        ("says nothing of autonomy", "means low autonomy"),
    )
    table = ties(article_as_witness=article_as_witness, coder=coder, doubtful=doubtful)
    level = table["autonomy"].copy()
    if party_secretary_as_head == "means low autonomy":
        held = table["office"].str.contains("party") & level.eq("not reported")
        level[held] = "low"
    judged = level[level != "not reported"]
    both = table.loc[judged.index, "founder"].ne("not reported").sum()
    codes = association_codes(article_as_witness=article_as_witness, coder=coder, doubtful=doubtful)
    wanted = (
        ("autonomy", "party_link")
        if party_secretary_as_head == "means low autonomy"
        else ("autonomy",)
    )
    used = codes[codes["concept"].isin(wanted)]
    counted = ties(article_as_witness="counted", coder=coder, doubtful=doubtful)
    details = {
        "high": int(judged.str.contains("high").sum()),
        "low": int(judged.str.contains("low").sum()),
        "judged_with_article": int((counted["autonomy"] != "not reported").sum()),
        "associations": len(table),
        "with_founder": int(both),
        "with_founder_and_article": int(
            (counted["autonomy"].ne("not reported") & counted["founder"].ne("not reported")).sum()
        ),
    }
    if len(judged) < LEAST_JUDGED:
        return _nothing(
            "associations",
            f"Outside the article, sources judge the autonomy of {len(judged)} of {len(table)} "
            "associations; to say that it is contested takes two. The two studies that the article "
            "cites could not be read."
            if article_as_witness == "not counted"
            else f"Sources judge the autonomy of {len(judged)} of {len(table)} associations; to "
            "say that it is contested takes two.",
            details,
            {ARTICLE, *used["source_id"]},
        )
    return Evidence(
        value=len(judged),
        unit=f"of {len(table)} associations whose autonomy a source judges",
        interval=(float(details["high"]), float(len(table) - details["low"])),
        interval_kind="associations with high autonomy if none, or all, of the rest had it",
        n=len(table),
        n_unit="associations",
        sources=sorted(used["source_id"].unique()),
        details=details | {"article_needed": int(ARTICLE in set(used["source_id"]))},
        limits=f"{NOT_A_SAMPLE} High and low are the words of each source, not one measure.",
    )


def decide_autonomy(evidence: Evidence) -> tuple[str, str]:
    """Rule of C48."""
    high, low = evidence.details["high"], evidence.details["low"]
    if high and low and not evidence.details["article_needed"]:
        return "reproduced", "Sources other than the article report both high and low autonomy."
    if high and low:
        return (
            "reproduced in part",
            "Both levels are reported, but one of them by the article alone.",
        )
    return "not reproduced", "All associations that are judged are at the same level."


C48 = Claim(
    "C48",
    evidence=autonomy_evidence,
    rule=Rule(
        '"Contested" means that sources report both high and low autonomy. Reproduced if they do, '
        "without the article as a witness; in part if they do only with it; not reproduced if all "
        "that are judged are alike; not testable if fewer than two are judged.",
        decide_autonomy,
        threshold=(LEAST_JUDGED, f"judged, for a test: {LEAST_JUDGED}"),
    ),
    variants={
        "article_as_witness": ARTICLE_CHOICES,
        "party_secretary_as_head": ("says nothing of autonomy", "means low autonomy"),
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
)


# ---- functions (C49) -------------------------------------------------------------------------


def functions_evidence(
    *,
    article_as_witness: str = "not counted",
    dongfeng_and_shaji: str = "one association",
    proposed_functions: str = "not counted",
    work_of_individuals: str = "not counted",
    promotion: str = "another function",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C49: how many of the five functions any association is reported to have."""
    table = functions(
        article_as_witness=article_as_witness,
        dongfeng_and_shaji=dongfeng_and_shaji,
        proposed_functions=proposed_functions,
        work_of_individuals=work_of_individuals,
        promotion=promotion,
        coder=coder,
        doubtful=doubtful,
    )
    codes = association_codes(
        article_as_witness=article_as_witness,
        dongfeng_and_shaji=dongfeng_and_shaji,
        coder=coder,
        doubtful=doubtful,
    )
    rows = function_codes(
        codes,
        proposed_functions=proposed_functions,
        work_of_individuals=work_of_individuals,
        promotion=promotion,
    )
    rows = rows[rows["counts"]]
    if rows.empty:
        return _nothing("functions", "No source reports a function of an association.")
    five = table.loc[list(FIVE)]
    return Evidence(
        value=int((five["reported"] > 0).sum()),
        unit="of 5 functions reported for an association",
        interval=(round(float(five["lowest"].min()), 1), round(float(five["highest"].max()), 1)),
        interval_kind="range of the possible shares of associations with a function, in percent",
        n=int(table["total"].iloc[0]),
        n_unit="associations",
        sources=sorted(rows["source_id"].unique()),
        details={
            "five": len(FIVE),
            "most": int(five["reported"].max()),
            "others": int((table.loc[list(OTHERS), "reported"] > 0).sum()),
            "two_sources": int((five["sources"] >= 2).sum()),
            "most_any": int(table["reported"].max()),
        },
        limits=f"{NOT_A_SAMPLE} That a function is not reported does not say that it is absent.",
    )


def decide_functions(evidence: Evidence) -> tuple[str, str]:
    """Rule of C49."""
    found = int(evidence.value or 0)
    if found == len(FIVE):
        return "reproduced", "Each of the five is reported for at least one association."
    if found >= 2:
        return "reproduced in part", f"{found} of the five are reported; the others may exist."
    return "not reproduced", "At most one of the five is reported for an association."


C49 = Claim(
    "C49",
    evidence=functions_evidence,
    rule=Rule(
        "Reproduced if each of the five functions is reported for at least one association that "
        "exists, by a source other than the article; in part if at least two are; otherwise not "
        "reproduced. Silence never contradicts.",
        decide_functions,
    ),
    variants={
        "article_as_witness": ARTICLE_CHOICES,
        "dongfeng_and_shaji": SHAJI,
        "proposed_functions": ARTICLE_CHOICES,
        "work_of_individuals": ARTICLE_CHOICES,
        "promotion": ("another function", "attracting investment"),
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
)


# ---- persons in two roles, kin (C51) ---------------------------------------------------------


def roles() -> pd.DataFrame:
    """Persons who are said to hold several roles.

    Returns
    -------
    DataFrame
        One row a person; ``place``, ``case_id``, a flag for each role, ``joins`` (whether trade
        or association and party or public office meet in the person) and ``sources``.
    """
    table = data.load("cases/roles")
    names = ["seller", *LEADING]
    wide = pd.crosstab(table["person_id"], table["role"]).reindex(columns=names, fill_value=0) > 0
    first = table.groupby("person_id")["case_id"].first()
    wide.insert(0, "case_id", first)
    wide.insert(0, "place", first.map(coding.places()["place"]))
    trade = wide["seller"] | wide["association_head"]
    wide["joins"] = trade & wide[["party_secretary", "village_office", "deputy"]].any(axis=1)
    wide["sources"] = table.groupby("person_id")["source_id"].agg(
        lambda ids: ", ".join(sorted(set(ids)))
    )
    return wide.rename_axis(columns=None)


def role_network() -> nx.Graph:
    """Roles that meet in one person: an edge for each pair, its weight the persons.

    The projection of the network of persons and roles onto the roles.
    """
    table = data.load("cases/roles")
    both = nx.Graph()
    both.add_nodes_from(table["role"].unique(), kind="role")
    both.add_edges_from(table[["person_id", "role"]].itertuples(index=False, name=None))
    return nx.bipartite.weighted_projected_graph(both, sorted(table["role"].unique()))


def kin_evidence(
    *,
    position: str = "head of an association",
    channel: str = "kin",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C51: places where kin spread the trade and a seller leads.

    Parameters
    ----------
    position : {"head of an association", "any leading position"}
        Which position of a seller counts.
    channel : {"kin", "any social tie"}
        Through whom the trade spread.
    coder, doubtful : str, bool
        See `coding.codes`.
    """
    _one_of("position", position, ("head of an association", "any leading position"))
    _one_of("channel", channel, ("kin", "any social tie"))
    codes = coding.codes(coder=coder, doubtful=doubtful)
    codes = codes[codes["dimension"] == "diffusion"]
    used = codes[codes["code"].isin(KIN if channel == "kin" else SOCIAL)]
    spread = set(used["case_id"])
    persons = roles()
    leading = ["association_head"] if position.startswith("head") else list(LEADING)
    leads = persons[persons["seller"] & persons[leading].any(axis=1)]
    places = spread & set(leads["case_id"])
    if not spread:
        return _nothing("places", "No source tells through whom the trade spread.")
    low, high = statistics.share_bounds(len(places), 0, len(spread))
    sources = set(used["source_id"])
    table = data.load("cases/roles")
    sources |= set(table.loc[table["case_id"].isin(places), "source_id"])
    return Evidence(
        value=len(places),
        unit=f"of {len(spread)} places where both the channel and a leading seller are reported",
        interval=(round(100 * low, 1), round(100 * high, 1)),
        interval_kind="share in percent if none, or all, of the rest had a leading seller",
        n=len(spread),
        n_unit="places with that channel",
        sources=sorted(sources),
        details={"places": len(places), "kin_places": len(spread), "leaders": len(leads)},
        limits=(
            "No source measures what a kin group owns, or says that the leading seller belongs to "
            "the kin group through which the trade spread."
        ),
    )


def decide_kin(evidence: Evidence) -> tuple[str, str]:
    """Rule of C51."""
    if int(evidence.value or 0) >= 2:
        return (
            "reproduced in part",
            "In at least two places kin spread the trade and a seller leads; that both are of one "
            "family, or grew rich by it, no source says.",
        )
    return (
        "not testable here",
        "Fewer than two places report both, and no source measures the power of kin groups.",
    )


C51 = Claim(
    "C51",
    evidence=kin_evidence,
    rule=Rule(
        "Economic power of kin groups is not measured in any source that was read, so the claim "
        "can be reproduced in part at best: if at least two places report both kin as a channel "
        "and a seller who heads the association. Otherwise not testable here.",
        decide_kin,
    ),
    variants={
        "position": ("head of an association", "any leading position"),
        "channel": ("kin", "any social tie"),
        "coder": coding.CODERS,
        "doubtful": (True, False),
    },
)


# ---- statements of the literature (C46, C50, C59, C60) ---------------------------------------


def statements(
    claim: str | None = None,
    *,
    works: str = "all",
    statements_counted: str = "direct or partial",
    texts_counted: str = "any text",
) -> pd.DataFrame:
    """What works say of a claim.

    Parameters
    ----------
    claim : str, optional
        Id of the claim; all if it is not given.
    works : {"all", "cited by the article"}
    statements_counted : {"direct or partial", "direct"}
        Whether statements on something near the claim count.
    texts_counted : {"any text", "the authors' own text"}
        Whether reviews and publishers' descriptions count as reading a work.

    Returns
    -------
    DataFrame
        Rows of ``literature/statements`` with the ``year`` of the work. What does not count is
        turned into "not_read" (window) or "silent" (strength), not dropped.
    """
    _one_of("works", works, ("all", "cited by the article"))
    _one_of("statements_counted", statements_counted, ("direct or partial", "direct"))
    _one_of("texts_counted", texts_counted, ("any text", "the authors' own text"))
    rows = data.load("literature/statements")
    years = data.load("literature/works").set_index("work_key")["year"]
    rows = rows.assign(year=rows["work_key"].map(years))
    if claim:
        rows = rows[rows["claim_id"] == claim]
    if works != "all":
        rows = rows[rows["cited"]]
    rows = rows.copy()
    if texts_counted != "any text":
        rows.loc[rows["read"].isin(("description", "review")), "direction"] = "not_read"
    if statements_counted == "direct":
        rows.loc[rows["strength"] == "partial", "direction"] = "silent"
    return rows.reset_index(drop=True)


def short_name(work_key: str) -> str:
    """Family name of the first author, and year, of a work in ``literature/works``."""
    work = data.load("literature/works").set_index("work_key").loc[work_key]
    first = work["authors"].split(";")[0]
    family = first.split(",")[0] if "," in first else first.split()[0]
    return f"{family} {work['year']}"


def tally(rows: pd.DataFrame) -> dict[str, int]:
    """Number of works by what they say; a work that says two things counts in both."""
    count = rows.groupby("direction")["work_key"].nunique()
    kinds = ("supports", "qualifies", "contradicts", "silent")
    found = {kind: int(count.get(kind, 0)) for kind in kinds}
    read = set(rows.loc[rows["direction"] != "not_read", "work_key"])
    found["works"] = rows["work_key"].nunique()
    found["read"] = len(read)
    found["not_read"] = found["works"] - len(read)
    told = rows[rows["direction"] == "supports"]
    found["direct"] = told.loc[told["strength"] == "direct", "work_key"].nunique()
    found["cited"] = rows.loc[rows["cited"], "work_key"].nunique()
    found["cited_read"] = len(read & set(rows.loc[rows["cited"], "work_key"]))
    found["cited_direct"] = told.loc[
        told["cited"] & told["strength"].eq("direct"), "work_key"
    ].nunique()
    return found


def literature_evidence(
    claim: str,
    *,
    works: str = "all",
    statements_counted: str = "direct or partial",
    texts_counted: str = "any text",
) -> Evidence:
    """Works that support one claim on the literature; parameters as in `statements`."""
    rows = statements(
        claim, works=works, statements_counted=statements_counted, texts_counted=texts_counted
    )
    found = tally(rows)
    if not found["read"]:
        return _nothing("works", "None of the works could be read.", found, rows["source_id"])
    return Evidence(
        value=found["supports"],
        unit=f"of {found['read']} works that were read support it",
        n=found["works"],
        n_unit="works, read or not",
        sources=sorted(rows.loc[rows["direction"] != "not_read", "source_id"].unique()),
        details=found,
        limits=(
            f"{found['not_read']} of {found['works']} works could not be read; of the others "
            "abstracts, descriptions or reviews. The works were found by search, not drawn."
        ),
    )


def decide_literature(evidence: Evidence) -> tuple[str, str]:
    """Rule of C46 and C50."""
    found = evidence.details
    if found["contradicts"] > found["supports"]:
        return "contradicted", "More of the works that were read contradict it than support it."
    if found["direct"] >= 2 and found["cited_direct"] >= 1 and not found["contradicts"]:
        return "reproduced", "Several works say it directly, one of them cited by the article."
    if found["supports"]:
        gap = (
            "none of the works that the article cites could be read"
            if not found["cited_read"]
            else "the support is not direct, not several works, or not from the works cited"
        )
        return "reproduced in part", f"Works that were read support it, but {gap}."
    return "not reproduced", "None of the works that were read supports it."


LITERATURE_RULE = Rule(
    "Reproduced if at least two works that were read state it directly, one of them cited by the "
    "article, and none contradicts it; in part if fewer, or only other works, support it; "
    "contradicted if more contradict than support; not testable if no work could be read.",
    decide_literature,
)
LITERATURE_VARIANTS = {
    "works": ("all", "cited by the article"),
    "statements_counted": ("direct or partial", "direct"),
    "texts_counted": ("any text", "the authors' own text"),
}


def capacity_evidence(
    *,
    works: str = "all",
    statements_counted: str = "direct or partial",
    texts_counted: str = "any text",
) -> Evidence:
    """Evidence for C46: works on the means of local governments."""
    return literature_evidence(
        "C46", works=works, statements_counted=statements_counted, texts_counted=texts_counted
    )


C46 = Claim("C46", capacity_evidence, LITERATURE_RULE, LITERATURE_VARIANTS)


def participation_evidence(
    *,
    works: str = "all",
    statements_counted: str = "direct or partial",
    texts_counted: str = "any text",
) -> Evidence:
    """Evidence for C50: works on e-commerce and taking part in public affairs."""
    return literature_evidence(
        "C50", works=works, statements_counted=statements_counted, texts_counted=texts_counted
    )


C50 = Claim("C50", participation_evidence, LITERATURE_RULE, LITERATURE_VARIANTS)


def substitutes_evidence(
    *,
    works: str = "all",
    statements_counted: str = "direct or partial",
    texts_counted: str = "any text",
) -> Evidence:
    """Evidence for C59: works on each of the three powers beside the state."""
    rows = statements(
        "C59", works=works, statements_counted=statements_counted, texts_counted=texts_counted
    )
    found = tally(rows)
    if not found["read"]:
        return _nothing("works", "None of the works could be read.", found, rows["source_id"])
    by_part = {part: tally(rows[rows["part"] == part]) for part in PARTS}
    details = found | {
        f"{part}_{key}": own[key]
        for part, own in by_part.items()
        for key in ("supports", "qualifies", "cited_direct")
    }
    details["parts_supported"] = sum(own["supports"] > 0 for own in by_part.values())
    details["parts_cited"] = sum(own["cited_direct"] > 0 for own in by_part.values())
    return Evidence(
        value=details["parts_supported"],
        unit="of 3 powers that a work which was read names",
        n=found["works"],
        n_unit="works, read or not",
        sources=sorted(rows.loc[rows["direction"] != "not_read", "source_id"].unique()),
        details=details,
        limits=(
            "Read in abstracts, descriptions and reviews. In what was read, only the works on "
            "lineages and temples speak of public goods."
        ),
    )


def decide_substitutes(evidence: Evidence) -> tuple[str, str]:
    """Rule of C59."""
    found = evidence.details
    if found["contradicts"] > found["supports"]:
        return "contradicted", "More of the works that were read contradict it than support it."
    if found["parts_cited"] == len(PARTS):
        return "reproduced", "For each of the three a work that the article cites says it directly."
    if found["parts_supported"]:
        return (
            "reproduced in part",
            f"Works that were read support {found['parts_supported']} of the three powers, but "
            f"only for {found['parts_cited']} does a work that the article cites say it directly.",
        )
    return "not reproduced", "None of the works that were read supports any of the three."


C59 = Claim(
    "C59",
    substitutes_evidence,
    Rule(
        "Reproduced if for each of the three powers (officials' wealth, lineages and temples, "
        "gangs) a work that the article cites says directly that it supplied public goods; in "
        "part if a work that was read supports at least one; contradicted if more works "
        "contradict than support.",
        decide_substitutes,
    ),
    LITERATURE_VARIANTS,
)


# ---- reform and protection (C60) -------------------------------------------------------------


def voice_evidence(
    *,
    period: str = "after 2017",
    statements_counted: str = "direct or partial",
    dongfeng_and_shaji: str = "one association",
    coder: str = "first",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C60: what associations with a party tie are reported to have spoken for.

    Parameters
    ----------
    period : {"after 2017", "any year"}
        A forecast is tested on later works; earlier ones are what it was made from.
    statements_counted : {"direct or partial", "direct"}
        See `statements`.
    dongfeng_and_shaji, coder, doubtful : str, str, bool
        See `association_codes`.
    """
    _one_of("period", period, ("after 2017", "any year"))
    table = ties(dongfeng_and_shaji=dongfeng_and_shaji, coder=coder, doubtful=doubtful)
    linked = table.index[table["office"].str.contains("party")]
    codes = association_codes(dongfeng_and_shaji=dongfeng_and_shaji, coder=coder, doubtful=doubtful)
    own = codes[codes["association"].isin(linked) & codes["by"].eq("association")]
    speaks = own[own["concept"].isin(("lobby", "rights_protection"))]
    rows = statements("C60", statements_counted=statements_counted)
    if period == "after 2017":
        rows = rows[rows["year"] > AFTER]
    parts = {part: tally(rows[rows["part"] == part]) for part in ("reform", "protection")}
    details = {f"{part}_{key}": n for part, found in parts.items() for key, n in found.items()}
    details |= {
        "linked": len(linked),
        "speaks": speaks["association"].nunique(),
        "works": rows["work_key"].nunique(),
    }
    sources = sorted({*own["source_id"], *rows["source_id"]})
    if not sources:
        return _nothing("associations", "No source tells of an association tied to the party.")
    return Evidence(
        value=details["speaks"],
        unit=f"of {len(linked)} associations tied to the party said to protect or lobby",
        n=len(linked),
        n_unit="associations tied to the party",
        sources=sources,
        details=details,
        limits=(
            "No source was found that says whether an association spoke for or against its members "
            "in a dispute with the state or the platform, or that it asked for political reform."
        ),
    )


def decide_voice(evidence: Evidence) -> tuple[str, str]:
    """Rule of C60."""
    found = evidence.details
    if found["reform_contradicts"]:
        return "contradicted", "A work tells of associations that asked for political reform."
    held = [
        part
        for part in ("reform", "protection")
        if found[f"{part}_supports"] >= 2
        and found[f"{part}_supports"] > found[f"{part}_contradicts"]
    ]
    direct = all(found[f"{part}_direct"] >= 2 for part in ("reform", "protection"))
    if len(held) == 2 and direct:
        return "reproduced", "Later works say both directly of associations of sellers."
    if held:
        return (
            "reproduced in part",
            f"At least two works support the part on {' and '.join(held)}, of other associations.",
        )
    return (
        "not testable here",
        "The sources are silent on reform and on disputes, and silence is not evidence.",
    )


C60 = Claim(
    "C60",
    voice_evidence,
    Rule(
        "A forecast needs later evidence. Contradicted if a later work tells of such associations "
        "that asked for political reform; reproduced if at least two later works say of "
        "associations of sellers both that they do not and that interests lack protection; in part "
        "if two works support one of these of any associations. Otherwise not testable: that "
        "nothing is reported does not count as no.",
        decide_voice,
    ),
    {
        "period": ("after 2017", "any year"),
        "statements_counted": ("direct or partial", "direct"),
    },
)


# ---- party-state corporatism (C52) -----------------------------------------------------------


def argument(*, doubtful: bool = True) -> pd.DataFrame:
    """The argument map: ``literature/argument``, with or without doubtful evidence."""
    nodes = data.load("literature/argument")
    return nodes if doubtful else nodes[~nodes["doubtful"]].reset_index(drop=True)


def argument_graph(*, doubtful: bool = True) -> nx.DiGraph:
    """The argument map as a tree; edges lead from a node to what it rests on."""
    nodes = argument(doubtful=doubtful)
    graph = nx.DiGraph()
    for row in nodes.itertuples():
        graph.add_node(row.node_id, kind=row.kind, label=row.label, text=row.text)
    below = nodes[nodes["parent_id"].notna()]
    graph.add_edges_from(below[["parent_id", "node_id"]].itertuples(index=False, name=None))
    return graph


def premises(
    *,
    period: str = "after 2017",
    article_as_witness: str = "not counted",
    meaning_of_corporatism: str = "as in the article",
    doubtful: bool = True,
) -> pd.DataFrame:
    """How each premise of the argument stands.

    Parameters
    ----------
    period : {"after 2017", "any year"}
        The forecast looks ahead, so later evidence counts.
    article_as_witness : {"not counted", "counted"}
        Evidence whose source is the article.
    meaning_of_corporatism : {"as in the article", "with one licensed voice"}
        The second adds what the term means in political science: one association that the state
        licenses as the only voice of its trade.
    doubtful : bool
        Keep evidence that the coder inferred.

    Returns
    -------
    DataFrame
        One row a premise: ``label``, ``for``, ``against``, ``missing`` (entries) and ``stands``:
        "supported", "contested", "opposed" or "no later evidence".
    """
    _one_of("period", period, ("after 2017", "any year"))
    _one_of("article_as_witness", article_as_witness, ARTICLE_CHOICES)
    _one_of(
        "meaning_of_corporatism",
        meaning_of_corporatism,
        ("as in the article", "with one licensed voice"),
    )
    nodes = argument(doubtful=doubtful)
    told = nodes["kind"].isin(("for", "against"))
    late = nodes["year"].gt(AFTER).fillna(False).astype(bool) | (period == "any year")
    ours = nodes["source_id"].ne(ARTICLE) | (article_as_witness == "counted")
    nodes = nodes[~told | (late & ours)]
    rows = []
    for row in nodes[nodes["kind"] == "premise"].itertuples():
        if meaning_of_corporatism == "as in the article" and row.source_id != ARTICLE:
            continue
        kinds = nodes.loc[nodes["parent_id"] == row.node_id, "kind"].value_counts()
        n = {kind: int(kinds.get(kind, 0)) for kind in ("for", "against", "missing")}
        stands = {
            (True, False): "supported",
            (True, True): "contested",
            (False, True): "opposed",
            (False, False): "no later evidence" if period != "any year" else "no evidence",
        }[n["for"] > 0, n["against"] > 0]
        rows.append({"node_id": row.node_id, "label": row.label, **n, "stands": stands})
    return pd.DataFrame(rows).set_index("node_id")


def corporatism_evidence(
    *,
    period: str = "after 2017",
    article_as_witness: str = "not counted",
    meaning_of_corporatism: str = "as in the article",
    doubtful: bool = True,
) -> Evidence:
    """Evidence for C52: premises with evidence for and against; parameters as in `premises`."""
    table = premises(
        period=period,
        article_as_witness=article_as_witness,
        meaning_of_corporatism=meaning_of_corporatism,
        doubtful=doubtful,
    )
    stands = table["stands"].value_counts()
    supported = int(stands.get("supported", 0))
    contested = int(stands.get("contested", 0))
    nodes = argument(doubtful=doubtful)
    used = nodes[nodes["parent_id"].isin(table.index) & nodes["kind"].isin(("for", "against"))]
    if article_as_witness == "not counted":
        used = used[used["source_id"] != ARTICLE]
    if period == "after 2017":
        used = used[used["year"].gt(AFTER).fillna(False)]
    return Evidence(
        value=supported + contested,
        unit=f"of {len(table)} premises with evidence for them",
        interval=(float(supported), float(supported + contested)),
        interval_kind="premises with evidence for and none against, and with any evidence for",
        n=len(used),
        n_unit="pieces of evidence",
        sources=sorted(used["source_id"].unique()),
        details={
            "premises": len(table),
            "supported": supported,
            "contested": contested,
            "opposed": int(stands.get("opposed", 0)),
            "for": int(table["for"].sum()),
            "against": int(table["against"].sum()),
            "missing": int(table["missing"].sum()),
        },
        limits=(
            "One person chose the evidence. A premise counts as supported by one place; how many "
            "places are like it is not reported."
        ),
    )


def decide_corporatism(evidence: Evidence) -> tuple[str, str]:
    """Rule of C52."""
    found = evidence.details
    n, some = found["premises"], found["supported"] + found["contested"]
    if found["supported"] == n:
        return "reproduced", "Every premise has evidence for it and none against it."
    if 2 * found["opposed"] >= n:
        return "contradicted", "For at least half of the premises the evidence is only against."
    if 2 * some >= n:
        return (
            "reproduced in part",
            f"{some} of {n} premises have evidence for them, {found['contested']} of these also "
            "against.",
        )
    return "not reproduced", "Fewer than half of the premises have evidence for them."


C52 = Claim(
    "C52",
    corporatism_evidence,
    Rule(
        "Reproduced if every premise of the argument map has evidence later than the article and "
        "none against it; in part if at least half have such evidence, contested or not; "
        "contradicted if for at least half the later evidence is only against; else not "
        "reproduced.",
        decide_corporatism,
    ),
    {
        "period": ("after 2017", "any year"),
        "article_as_witness": ARTICLE_CHOICES,
        "meaning_of_corporatism": ("as in the article", "with one licensed voice"),
        "doubtful": (True, False),
    },
)


def argument_layout(*, doubtful: bool = True, gap: float = 1.2) -> pd.DataFrame:
    """Where the nodes of the argument map stand: evidence in rows, premises beside their middle.

    Parameters
    ----------
    doubtful : bool
        Keep evidence that the coder inferred.
    gap : float
        Rows left between two premises, besides one.

    Returns
    -------
    DataFrame
        The nodes below the thesis, premise by premise, with ``y`` (rows from the top),
        ``premise_y``, the height of the premise that a node belongs to, ``counts``: whether C52
        counts it by default, as later than the article and not from it, and ``sign``: plus,
        minus or question mark, in brackets if it does not count.
    """
    nodes = argument(doubtful=doubtful)
    parts, top = [], 0.0
    for _, premise in nodes[nodes["kind"] == "premise"].iterrows():
        below = nodes[nodes["parent_id"] == premise["node_id"]]
        rows = [top + i for i in range(len(below))]
        middle = sum(rows) / len(rows) if rows else top
        block = pd.concat([premise.to_frame().T, below])
        parts.append(block.assign(y=[middle, *rows], premise_y=middle))
        top += max(len(rows), 1) + gap
    laid = pd.concat(parts, ignore_index=True)
    late = laid["year"].fillna(AFTER).gt(AFTER) & laid["source_id"].ne(ARTICLE)
    sign = laid["kind"].map({"for": "+", "against": "–", "missing": "?"}).fillna("")
    counts = late | laid["kind"].isin(("premise", "missing"))
    return laid.assign(counts=counts, sign=sign.where(counts, "(" + sign + ")"))


def argument_outline(*, doubtful: bool = True) -> str:
    """The argument map as a nested list in Markdown, for reading aloud.

    A node that rests on a claim of this chapter names it with its verdict.
    """
    ledger = {claim.id: claim for claim in (C46, C47, C48, C49, C50, C51, C59, C60)}
    nodes = argument(doubtful=doubtful)
    told = nodes["claim_id"].map(
        {name: f" Claim {name}: {claim.judge().verdict}." for name, claim in ledger.items()}
    )
    nodes["text"] += told.fillna("")
    publisher = data.sources()["publisher"]
    lines = []
    for row in nodes[nodes["kind"] == "thesis"].itertuples():
        lines.append(f"- **Thesis.** {row.text}")
    for premise in nodes[nodes["kind"] == "premise"].itertuples():
        lines.append(f"    - **Premise.** {premise.text}")
        below = nodes[nodes["parent_id"] == premise.node_id]
        for kind in ("for", "against", "missing"):
            for row in below[below["kind"] == kind].itertuples():
                end = "" if kind == "missing" else f" ({publisher[row.source_id]}, {row.year})"
                doubt = " Doubtful: inferred by the coder." if row.doubtful else ""
                lines.append(f"        - *{kind.title()}.* {row.text}{doubt}{end}")
    return "\n".join(lines)


def _nothing(
    unit: str,
    why: str,
    details: Mapping[str, int] | None = None,
    sources: Iterable[str] = (ARTICLE,),
) -> Evidence:
    """Evidence that there is none to test with, and where it was looked for."""
    looked = sorted(set(sources))
    return Evidence(value=None, unit=unit, sources=looked, limits=why, details=dict(details or {}))
