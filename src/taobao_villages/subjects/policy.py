"""Policy: documents, money, events and agreements, and which sources carry them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from taobao_villages import data
from taobao_villages.subjects import coding

ARTICLE = "li2017"  # the article is not held against itself
CENTRAL = ("CCP CC", "State Council", "ministry")
ISSUERS = {
    "all central": CENTRAL,
    "without ministries": ("CCP CC", "State Council"),
}
LEVELS = {
    "CCP CC": "Party centre",
    "State Council": "State Council",
    "ministry": "Ministries",
    "province": "Provinces",
    "county": "Counties, towns",
    "township": "Counties, towns",
    "party branch": "Party branches",
    "firm": "Firms",
    "other": "Media, others",
}
TEXTS = ("opinion", "decision", "plan", "action plan", "strategy")
INSTRUMENTS: dict[str, tuple[str, ...] | None] = {
    "documents and programmes": (*TEXTS, "programme", "demonstration programme", "fund"),
    "documents only": TEXTS,
    "all acts": None,  # with meetings, speeches, agreements
}
PRECISION = {"day": 0, "month": 1, "half": 2, "year": 3, "unknown": 4}
GRADES = {"all": "ABCD", "all but low-grade copies": "ABC"}


# ---- policy events -------------------------------------------------------------------------------


@data.cached
def events(
    *, levels: Sequence[str] | None = None, dating: str = "best source", doubtful: bool = True
) -> pd.DataFrame:
    """Policy events, one row an event; its several sources are joined.

    Parameters
    ----------
    levels : sequence of str, optional
        Levels of the issuer to keep, as in ``policy/events``; all by default.
    dating : {"best source", "earliest source"}
        Which row dates and describes an event that has several: the most exact one that is not
        the article itself, or the one with the earliest year.
    doubtful : bool
        Keep events whose date is inferred.

    Returns
    -------
    DataFrame
        Indexed by ``event_key`` in the order of dates, undated ones last: ``date``, ``year``
        (Int64), ``issuer``, ``issuer_level``, ``title_en``, ``instrument``, ``named_in_article``,
        ``source_id`` (ids separated by semicolons).

    Raises
    ------
    ValueError
        For another value of `dating`.
    """
    rows = data.load("policy/events")
    if levels is not None:
        rows = rows[rows["issuer_level"].isin(levels)]
    if not doubtful:
        rows = rows[~(rows["date_inferred"] & rows["date"].notna())]
    rows = rows.assign(
        year=pd.to_numeric(rows["date"].str[:4]).astype("Int64"),
        article=rows["source_id"] == ARTICLE,
        exactness=rows["precision"].map(PRECISION),
        order=np.arange(len(rows)),
    )
    orders = {
        "best source": ["article", "exactness", "order"],
        "earliest source": ["year", "article", "exactness", "order"],
    }
    if dating not in orders:
        raise ValueError(f"dating is {dating!r}; use one of {', '.join(orders)}")
    sources = rows.groupby("event_key")["source_id"].agg(lambda ids: ";".join(dict.fromkeys(ids)))
    first = rows.sort_values(orders[dating], na_position="last").drop_duplicates("event_key")
    first = first.set_index("event_key").assign(source_id=sources)
    columns = ["date", "year", "issuer", "issuer_level", "title_en", "instrument"]
    columns += ["named_in_article", "source_id"]
    return first.sort_values(["date", "order"], na_position="last")[columns]


def central_acts(
    *,
    instruments: str = "documents and programmes",
    issuers: str = "all central",
    dating: str = "best source",
    doubtful: bool = True,
) -> pd.DataFrame:
    """Events of the party centre, the State Council and its ministries; see `events`.

    Parameters
    ----------
    instruments : str
        A key of `INSTRUMENTS`.
    issuers : str
        A key of `ISSUERS`.
    """
    acts = events(levels=ISSUERS[issuers], dating=dating, doubtful=doubtful)
    kinds = INSTRUMENTS[instruments]
    return acts if kinds is None else acts[acts["instrument"].isin(kinds)]


def by_year(acts: pd.DataFrame, *, first: int = 2004, last: int = 2017) -> pd.DataFrame:
    """Acts a year with their yearly change; years without a recorded act count zero.

    Returns
    -------
    DataFrame
        Indexed by year: ``acts``, ``change`` (Int64, missing in the first year).
    """
    years = pd.RangeIndex(first, last + 1, name="year")
    count = acts["year"].value_counts().reindex(years, fill_value=0).astype("Int64")
    return pd.DataFrame({"acts": count, "change": count.diff()})


def by_issuer(*, first: int = 2006, last: int = 2023) -> pd.DataFrame:
    """Dated events by issuer (rows, in the order of `LEVELS`) and year (columns)."""
    found = events().dropna(subset="year")
    table = pd.crosstab(found["issuer_level"].map(LEVELS), found["year"].astype(int))
    rows = list(dict.fromkeys(LEVELS.values()))
    return table.reindex(index=rows, columns=range(first, last + 1), fill_value=0)


# ---- two documents -------------------------------------------------------------------------------


def versions(key: str, *, grades: str = "all") -> pd.DataFrame:
    """What the article and what other sources say of one document.

    Parameters
    ----------
    key : str
        ``event_key`` in ``policy/events``.
    grades : str
        A key of `GRADES`: which grades of sources count.

    Returns
    -------
    DataFrame
        ``teller`` ("article" or "others"), ``year``, ``issuer``, ``issuer_level``, ``source_id``.
    """
    rows = data.load("policy/events")
    rows = rows[rows["event_key"] == key]
    rows = rows[(rows["source_id"] == ARTICLE) | graded(rows["source_id"], grades)]
    return pd.DataFrame(
        {
            "teller": np.where(rows["source_id"] == ARTICLE, "article", "others"),
            "year": pd.to_numeric(rows["date"].str[:4]),
            "issuer": rows["issuer"],
            "issuer_level": rows["issuer_level"],
            "source_id": rows["source_id"],
        }
    ).reset_index(drop=True)


def agreement(table: pd.DataFrame) -> dict[str, bool | None]:
    """Whether year and level of the issuer agree; None if no other source was read."""
    article, others = (table[table["teller"] == who] for who in ("article", "others"))
    if others.empty:
        return {"year": None, "issuer": None}
    return {
        "year": set(others["year"]) == set(article["year"]),
        "issuer": set(others["issuer_level"]) == set(article["issuer_level"]),
    }


# ---- helpers -------------------------------------------------------------------------------------


def graded(source_ids: pd.Series, grades: str) -> pd.Series:
    """Which sources have one of the grades of reliability."""
    return source_ids.map(data.sources()["reliability"]).isin(list(GRADES[grades]))


USES = ("C38:use_logistics", "C38:use_centres", "C38:use_training")  # of the fund of 2015
# How the studies of the programme's effect compare, by the topic of their rows in market/evidence.
METHODS = {
    "effect of programme (RCT)": "experiment: villages drawn by lot",
    "effect of programme (DID)": "differences in differences of counties",
}


# ---- money ---------------------------------------------------------------------------------------


def money() -> pd.DataFrame:
    """The fund of 2015 for demonstration counties: as planned in May and as paid in July.

    Returns
    -------
    DataFrame
        Rows ``planned``, ``transferred`` and ``with second instalment`` (every county passes);
        columns ``counties``, ``per_county`` and ``total`` (RMB million), ``product`` (counties
        times amount) and ``sources``.
    """
    table = data.load("market/demo_counties")
    of_2015 = table[(table["scope"] == "national") & (table["year_to"] == 2015)]
    second = data.bearing("market/evidence", "C38:second_instalment").iloc[0]

    def row(per: str, total: str) -> dict[str, Any]:
        parts = [of_2015[of_2015["indicator"] == name] for name in ("n_counties", per, total)]
        counties, each, whole = (float(part["value"].mode()[0]) for part in parts)
        return {
            "counties": counties,
            "per_county": each,
            "total": whole,
            "product": counties * each,
            "sources": sorted({source for part in parts for source in part["source_id"]}),
        }

    planned = row("funding_per_county_planned", "funding_planned_total")
    paid = row("funding_per_county", "funding_total")
    each = paid["per_county"] + float(second["value"])
    best = paid | {
        "per_county": each,
        "total": np.nan,
        "product": paid["counties"] * each,
        "sources": sorted({*paid["sources"], second["source_id"]}),
    }
    return pd.DataFrame(
        [planned, paid, best], index=["planned", "transferred", "with second instalment"]
    )


# ---- the party as organiser ----------------------------------------------------------------------


def party_records(
    *,
    latest_report: str = "2024",
    inferred_dates: bool = True,
    youth_league: str = "not counted",
    article_as_witness: str = "not counted",
    coder: str = "first",
    doubtful: bool = True,
) -> pd.DataFrame:
    """Dated records of party branches or committees that organise e-commerce.

    Parameters
    ----------
    latest_report : str
        Last month or year, "2017-06" for what the article's author could know.
    inferred_dates : bool
        Keep records whose date is only that of the report.
    youth_league : {"not counted", "counted"}
        Records of the Youth League, which is no party branch.
    article_as_witness, coder, doubtful : str, str, bool
        See `order`.

    Returns
    -------
    DataFrame
        One row a source, by date: ``date``, ``what``, ``source_id``. From the policy events, the
        dated evidence, and the codes of the cases (dated by their source).
    """
    events = data.load("policy/events")
    events = events[events["instrument"] == "party-building"]
    events = events.assign(what=events["issuer"] + ": " + events["title_en"])
    guessed = set(events.loc[events["date_inferred"].astype(bool), "source_id"])
    young = set(data.bearing("policy/events", "C42:youth_league")["source_id"])
    evidence = data.load("market/evidence")
    topics = ["party branch in e-commerce", "party branch in Taobao village"]
    evidence = evidence[evidence["topic"].isin(topics)].assign(what=lambda rows: rows["statement"])
    codes = coding.witnessed("counted", coder, doubtful)
    codes = codes[(codes["dimension"] == "party_organ") & (codes["concept"] == "party_branch")]
    codes = codes.assign(
        date=codes["source_id"].map(data.sources()["date"]),
        what=codes["case_id"].map(coding.places()["place"]) + ": " + codes["paraphrase"],
    )
    parts = [part[["date", "what", "source_id"]] for part in (events, evidence, codes)]
    table = pd.concat(parts, ignore_index=True)
    if article_as_witness == "not counted":
        table = table[table["source_id"] != coding.ARTICLE]
    elif article_as_witness != "counted":
        raise ValueError(
            f"article_as_witness is {article_as_witness!r}; use 'not counted' or 'counted'"
        )
    if not inferred_dates:
        table = table[~table["source_id"].isin(guessed)]
    if youth_league == "not counted":
        table = table[~table["source_id"].isin(young)]
    elif youth_league != "counted":
        raise ValueError(f"youth_league is {youth_league!r}; use 'not counted' or 'counted'")
    table = table[
        table["date"].notna() & (table["date"].str.slice(0, len(latest_report)) <= latest_report)
    ]
    table = table.drop_duplicates("source_id").sort_values("date", kind="stable")
    return table.reset_index(drop=True)


# ---- what subsidies did --------------------------------------------------------------------------


def effect_studies() -> pd.DataFrame:
    """Published studies of what the programme did, with what each compares.

    Returns
    -------
    DataFrame
        ``study``, ``method``, ``finding`` (in our words), ``source_id``, by year.
    """
    rows = data.load("market/evidence")
    rows = rows[rows["topic"].isin(METHODS)].sort_values("date", ignore_index=True)
    return pd.DataFrame(
        {
            "study": rows["source_id"].map(data.sources()["title"]),
            "method": rows["topic"].map(METHODS),
            "finding": rows["statement"],
            "source_id": rows["source_id"],
        }
    )


def exposure(*, year: int = 2016) -> pd.DataFrame:
    """Villages of provinces in the programme, outside it, and unknown: an association at most.

    Parameters
    ----------
    year : int
        Batch of the programme, 2016 or 2017.

    Returns
    -------
    DataFrame
        Rows "in the programme", "not in it", "not known"; columns ``provinces`` and the villages
        in the lists of 2014, 2015 and 2016.
    """
    table = data.load("market/demo_counties")
    flags = table[(table["indicator"] == "in_programme") & (table["year_to"] == year)]
    flag = flags.drop_duplicates("province_code").set_index("province_code")["value"]
    codes = data.load("provinces/provinces")["province_code"]
    state = codes.map(flag).map({1.0: "in the programme", 0.0: "not in it"}).fillna("not known")
    lists = data.load("villages/province_year")
    lists = lists[lists["source_id"].isin(["xrwang2014", "xrwang2015", "xrwang2016"])]
    villages = lists.pivot_table(
        index="province_code", columns="year", values="n_villages", aggfunc="max"
    )
    villages = villages.reindex(codes).fillna(0).astype(int)  # complete lists: no row is none
    out = villages.groupby(state.to_numpy()).sum()
    out.insert(0, "provinces", state.value_counts().reindex(out.index))
    return out.reindex(["in the programme", "not in it", "not known"]).rename_axis(None)


# ---- exchange ------------------------------------------------------------------------------------
BARGAIN = {
    "government": (
        *("money", "premises", "staff", "first_choice", "sales_targets"),
        *("endorsement", "seat"),
    ),
    "platform": ("stations", "training", "investment", "credit", "local_goods", "staff"),
}


def exchange(
    *,
    article_as_witness: str = "not counted",
    documents_counted: str = "all documents",
    latest_report: str = "2024",
) -> pd.DataFrame:
    """What each side gives, by the number of documents that report it.

    Parameters
    ----------
    article_as_witness : {"not counted", "counted"}
        Documents for which the article is the only source.
    documents_counted : {"all documents", "agreements alone"}
        Agreements, orders, plans and reports; or agreements only.
    latest_report : str
        Last year or month; documents without a date are kept.

    Returns
    -------
    DataFrame
        ``side``, ``term``, ``documents`` (number), ``agreements`` (number among them), ``where``
        and ``sources`` (list); each term of `BARGAIN`, most frequent first within a side.
    """
    rows = data.load("policy/agreement_terms")
    if article_as_witness == "not counted":
        rows = rows[rows["source_id"] != coding.ARTICLE]
    elif article_as_witness != "counted":
        raise ValueError(
            f"article_as_witness is {article_as_witness!r}; use 'not counted' or 'counted'"
        )
    if documents_counted == "agreements alone":
        rows = rows[rows["kind"] == "agreement"]
    elif documents_counted != "all documents":
        raise ValueError(
            f"documents_counted is {documents_counted!r}; use 'all documents' or 'agreements alone'"
        )
    date = rows["date"]
    rows = rows[date.isna() | (date.str.slice(0, len(latest_report)) <= latest_report)]
    out = []
    for side, terms in BARGAIN.items():
        for term in terms:
            part = rows[(rows["side"] == side) & (rows["term"] == term)]
            agreed = part[part["kind"] == "agreement"]
            out.append(
                {
                    "side": side,
                    "term": term,
                    "documents": part["document"].nunique(),
                    "agreements": agreed["document"].nunique(),
                    "where": "; ".join(sorted(set(part["place"]))),
                    "sources": sorted(set(part["source_id"])),
                }
            )
    table = pd.DataFrame(out)
    return table.sort_values(
        ["side", "documents"], ascending=[True, False], kind="stable"
    ).reset_index(drop=True)
