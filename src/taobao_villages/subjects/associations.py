"""Associations of sellers in the coded places: ties, functions and roles."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from taobao_villages import data
from taobao_villages.methods import shares
from taobao_villages.subjects import coding

ARTICLE = "li2017"
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
LEADING = ("association_head", "party_secretary", "village_office", "deputy")
PATTERNS: Mapping[str, str] = {
    "state_follows": "Government follows sellers",
    "state_leads": "Government leads by plan or target",
    "hard_to_regulate": "Sellers are hard to regulate",
    "cadre_settles_conflict": "An official settles disputes",
    "sellers_in_office": "Sellers taken into office",
}


# ---- what is coded of the associations -----------------------------------------------------------


@data.cached
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
    coding.one_of("article_as_witness", article_as_witness, ARTICLE_CHOICES)
    coding.one_of("dongfeng_and_shaji", dongfeng_and_shaji, SHAJI)
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


@data.cached
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
    coding.one_of("accounts", accounts, ("any", "undisputed"))
    coding.one_of(
        "seller_side", seller_side, ("founder or work for members", "founder or autonomy")
    )
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
    coding.one_of("proposed_functions", proposed_functions, ARTICLE_CHOICES)
    coding.one_of("work_of_individuals", work_of_individuals, ARTICLE_CHOICES)
    coding.one_of("promotion", promotion, ("another function", "attracting investment"))
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
        low, high = shares.share_bounds(n, 0, len(all_of_them)) if all_of_them else (0, 1)
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
    coding.one_of("article_as_witness", article_as_witness, ARTICLE_CHOICES)
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
        low, high = shares.share_bounds(n, 0, total)
        ids = sorted(own["source_id"].unique())
        rows.append([label, ", ".join(names), n, 100 * low, 100 * high, ids])
    columns = ["label", "places", "reported", "lowest", "highest", "sources"]
    return pd.DataFrame(rows, columns=columns, index=list(PATTERNS))


# ---- persons in two roles, kin -------------------------------------------------------------------


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
