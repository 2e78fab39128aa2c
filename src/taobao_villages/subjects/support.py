"""Support by the state in the coded places: who came first, by what means, what was lacking."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from taobao_villages import data
from taobao_villages.methods import shares
from taobao_villages.subjects import cases, coding

FIRST, GOVERNMENT, MIXED, UNKNOWN = (
    "entrepreneurs first",
    "government first",
    "mixed",
    "not reported",
)
ORDERS = (FIRST, GOVERNMENT, MIXED, UNKNOWN)
NOT_AN_INSTRUMENT = ("not_support", "policy_support")  # a trigger, and support of no stated kind
CONSTRAINTS = {
    "money": ("finance_shortage",),
    "transport": ("logistics_cost", "infrastructure"),
    "talent": ("talent_shortage",),
}


# ---- sequence ------------------------------------------------------------------------------------


def order(
    *,
    meaning_of_first: str = "when support came",
    general_policy: str = "not counted",
    cases_counted: str = "all cases",
    article_as_witness: str = "not counted",
    coder: str = "first",
    doubtful: bool = True,
) -> pd.DataFrame:
    """Who came first in each case, entrepreneurs or government: one code a case.

    Parameters
    ----------
    meaning_of_first : {"when support came", "who opened the first shops"}
        Public support before or after sellers took off; or who opened the first shops.
    general_policy : {"not counted", "counted"}
        Codes of "before" that tell of general policy, such as rebuilding a village, and not of
        support for e-commerce.
    cases_counted : {"all cases", "villages and towns", "places known to be listed"}
        All cases; villages and towns only; only places known to have been listed.
    article_as_witness : {"not counted", "counted"}
        Codes that rest on the article alone.
    coder, doubtful : str, bool
        See `coding.codes`.

    Returns
    -------
    DataFrame
        As `places`, with ``order`` (one of `ORDERS`) and ``sources`` (list of str). A case with
        codes of both kinds, or of support at the same time, is "mixed".
    """
    rows = coding.witnessed(article_as_witness, coder, doubtful)
    if meaning_of_first == "when support came":
        rows = rows[rows["dimension"] == "gov_timing"]
        kinds = {"after": FIRST, "before": GOVERNMENT}
        if general_policy == "not counted":
            rows = rows[rows["about"] != "general_policy"]
    elif meaning_of_first == "who opened the first shops":
        rows = rows[rows["dimension"] == "initiator"]
        kinds = {"entrepreneur": FIRST, "firm": FIRST, "government": GOVERNMENT}
    else:
        raise ValueError(
            f"meaning_of_first is {meaning_of_first!r}; use 'when support came' or "
            "'who opened the first shops'"
        )
    kind = rows["concept"].map(kinds).fillna(MIXED)
    found = kind.groupby(rows["case_id"]).agg(set)
    table = coding.places()
    table["order"] = [
        UNKNOWN if (seen := found.get(case)) is None else seen.copy().pop() if len(seen) == 1
        else MIXED
        for case in table.index
    ]  # fmt: skip
    by_case = rows.groupby("case_id")["source_id"].agg(lambda ids: sorted(set(ids)))
    table["sources"] = [by_case.get(case, []) for case in table.index]
    if cases_counted == "villages and towns":
        table = table[table["village"]]
    elif cases_counted == "places known to be listed":
        table = table[table["recognised"].notna()]
    elif cases_counted != "all cases":
        raise ValueError(
            f"cases_counted is {cases_counted!r}; use 'all cases', 'villages and towns' or "
            "'places known to be listed'"
        )
    return table


def order_table(**choices: Any) -> pd.DataFrame:
    """Cases by order, coast against inland, with the bounds of the share "entrepreneurs first".

    Parameters
    ----------
    **choices
        As for `order`.

    Returns
    -------
    DataFrame
        Rows "East", "inland" and "all"; a column for each of `ORDERS` (cases), and ``lowest``
        and ``highest``, in percent.
    """
    cases = order(**choices)
    side = cases["inland"].map({True: "inland", False: "East"})
    table = pd.crosstab(side, cases["order"]).reindex(
        index=["East", "inland"], columns=list(ORDERS), fill_value=0
    )
    table.loc["all"] = table.sum()
    bounds = [
        shares.share_bounds(int(row[FIRST]), int(row[GOVERNMENT]), int(row[list(ORDERS)].sum()))
        if row[list(ORDERS)].sum()
        else (np.nan, np.nan)
        for _, row in table.iterrows()
    ]
    table["lowest"] = [100 * low for low, _ in bounds]
    table["highest"] = [100 * high for _, high in bounds]
    return table.rename_axis(index=None, columns=None)


def milestones() -> pd.DataFrame:
    """Dated steps of the cases that have at least two of them.

    Returns
    -------
    DataFrame
        Indexed by ``case_id``; ``place``, ``shop``, ``recognised``, ``support`` (years, NaN if
        not reported), ``shop_bound`` and ``support_bound`` ("in" a year, or "by" it). The
        earliest year is taken where sources differ. Ordered by the earliest step.
    """
    rows = data.load("cases/milestones").sort_values("year").drop_duplicates(["case_id", "event"])
    wide = rows.pivot(index="case_id", columns="event", values=["year", "bound"])
    table = coding.places()[["place", "recognised"]].copy()
    for name, event in (("shop", "first shop"), ("support", "first public support")):
        table[name] = wide["year"][event].reindex(table.index).astype(float)
        table[f"{name}_bound"] = wide["bound"][event].reindex(table.index)
    steps = table[["shop", "recognised", "support"]]
    table = table[steps.notna().sum(axis=1) >= 2]
    return table.assign(start=steps.min(axis=1)).sort_values(["start", "place"])


# ---- instruments ---------------------------------------------------------------------------------


def instruments(
    *, article_as_witness: str = "not counted", coder: str = "first", doubtful: bool = True
) -> pd.DataFrame:
    """Which instruments of support the sources report for which case.

    Parameters
    ----------
    article_as_witness, coder, doubtful : str, str, bool
        See `order`.

    Returns
    -------
    DataFrame of bool
        Rows are cases with at least one, columns instruments; both by falling frequency. False
        is "not reported".
    """
    rows = coding.witnessed(article_as_witness, coder, doubtful)
    rows = rows[(rows["dimension"] == "gov_support") & ~rows["concept"].isin(NOT_AN_INSTRUMENT)]
    table = pd.crosstab(rows["case_id"], rows["concept"]).astype(bool)
    columns = table.sum().sort_index().sort_values(ascending=False, kind="stable").index
    lines = table.sum(axis=1).sort_index().sort_values(ascending=False, kind="stable").index
    return table.loc[lines, columns].rename_axis(index="case_id", columns=None)


# ---- regions -------------------------------------------------------------------------------------


def constraints(
    *,
    inland: str = "region",
    base: str = "all",
    article_as_witness: str = "not counted",
    coder: str = "first",
    doubtful: bool = True,
) -> pd.DataFrame:
    """Cases whose sources name a lack of money, transport or talent, inland against coast.

    Parameters
    ----------
    inland : {"region", "coastline"}
        Inland is all outside the statistics office's East, or all provinces without a coast.
    base : {"all", "with pressures"}
        All cases, or only those of which any pressure is reported: a place that is described in
        detail has more of everything.
    article_as_witness, coder, doubtful : str, str, bool
        See `order`.

    Returns
    -------
    DataFrame
        One row for each constraint and one, "any", for the three together; columns
        ``inland_named``, ``inland``, ``coast_named``, ``coast`` (cases), ``p`` (Fisher's exact
        test, two-sided) and ``places`` (inland places that name it).
    """
    rows = coding.witnessed(article_as_witness, coder, doubtful)
    rows = rows[rows["dimension"] == "sustainability_pressure"]
    cases = coding.places()
    if inland not in ("region", "coastline"):
        raise ValueError(f"inland is {inland!r}; use 'region' or 'coastline'")
    away = cases["inland" if inland == "region" else "off_coast"]
    if base == "with pressures":
        away = away[away.index.isin(rows["case_id"])]
    elif base != "all":
        raise ValueError(f"base is {base!r}; use 'all' or 'with pressures'")
    names = {**CONSTRAINTS, "any": tuple(code for codes in CONSTRAINTS.values() for code in codes)}
    out = {}
    for name, codes in names.items():
        told = pd.Series(away.index.isin(rows.loc[rows["code"].isin(codes), "case_id"]), away.index)
        cells = [int((told & away).sum()), int(away.sum())]
        cells += [int((told & ~away).sum()), int((~away).sum())]
        square = [[cells[0], cells[1] - cells[0]], [cells[2], cells[3] - cells[2]]]
        out[name] = [
            *cells,
            float(stats.fisher_exact(square).pvalue),
            ", ".join(sorted(cases.loc[told[told & away].index, "place"])),
        ]
    columns = ["inland_named", "inland", "coast_named", "coast", "p", "places"]
    return pd.DataFrame.from_dict(out, orient="index", columns=columns)


# ---- the party as organiser ----------------------------------------------------------------------


def party_roles(
    *, article_as_witness: str = "not counted", coder: str = "first", doubtful: bool = True
) -> pd.DataFrame:
    """How the party appears in the cases: roles, the number of cases, and their names.

    Returns
    -------
    DataFrame
        Indexed by ``role``; ``cases`` (number) and ``places``, the most frequent first.
    """
    rows = coding.witnessed(article_as_witness, coder, doubtful)
    rows = rows[(rows["dimension"] == "party_organ") & (rows["concept"] != "study_by_official")]
    rows = rows.assign(
        role=rows["concept"].str.replace("_", " "),
        place=rows["case_id"].map(coding.places()["place"]),
    )
    found = rows.groupby("role")["place"].agg(lambda names: ", ".join(sorted(set(names))))
    table = pd.DataFrame({"cases": rows.groupby("role")["case_id"].nunique(), "places": found})
    return table.sort_values("cases", ascending=False, kind="stable")


# ---- configurations and clusters (methods page) --------------------------------------------------


def conditions(
    *, article_as_witness: str = "not counted", coder: str = "first", doubtful: bool = True
) -> pd.DataFrame:
    """Four conditions of each case, each "yes", "no", "disputed" or "?" (not reported).

    Returns
    -------
    DataFrame
        Indexed by ``case_id``; columns ``hub``, ``entrepreneur``, ``support``, ``association``
        and ``listed`` (outcome). Only hub, entrepreneur and listed have explicit negatives.
    """
    rows = coding.witnessed(article_as_witness, coder, doubtful)

    def having(dimension: str, *concepts: str) -> set[str]:
        part = rows[rows["dimension"] == dimension]
        return set(part.loc[part["concept"].isin(concepts), "case_id"] if concepts else
                   part["case_id"])  # fmt: skip

    cases = coding.places()
    near, far = (
        having("spatial_precondition", "market_or_cluster"),
        having("spatial_precondition", "none"),
    )
    came = order(article_as_witness=article_as_witness, coder=coder, doubtful=doubtful)["order"]
    real = rows[(rows["dimension"] == "gov_support") & (rows["concept"] != "not_support")]
    helped = set(real["case_id"])
    joined = having("association")
    zero = rows[(rows["code"] == "taobao_villages_2019") & (rows["value"] == "0")]

    def three(case: str, yes: set[str], no: set[str]) -> str:
        return ("disputed" if case in no else "yes") if case in yes else "no" if case in no else "?"

    known = set(cases.index[cases["recognised"].notna()])
    return pd.DataFrame(
        {
            "hub": [three(case, near, far) for case in cases.index],
            "entrepreneur": [
                {FIRST: "yes", GOVERNMENT: "no", MIXED: "disputed"}.get(kind, "?") for kind in came
            ],
            "support": [three(case, helped, set()) for case in cases.index],
            "association": [three(case, joined, set()) for case in cases.index],
            "listed": [three(case, known, set(zero["case_id"])) for case in cases.index],
        },
        index=cases.index,
    )


def failures(*, coder: str = "first", doubtful: bool = True) -> pd.DataFrame:
    """Places of programmes of which a source tells failure or faults.

    Returns
    -------
    DataFrame
        Indexed by ``case_id``; ``place``, ``told`` (in our words), ``kind`` (the code),
        ``source_id``; sorted by kind and place.
    """
    rows = coding.codes(coder=coder, doubtful=doubtful)
    rows = rows[(rows["dimension"] == "outcome") & (rows["concept"] == "programme_failure")]
    table = rows.assign(
        place=rows["case_id"].map(coding.places()["place"]),
        told=rows["paraphrase"],
        kind=rows["code"].str.replace("_", " "),
    )
    table = table.drop_duplicates("case_id").sort_values(["kind", "place"])
    return table.set_index("case_id")[["place", "told", "kind", "source_id"]]


def outcomes(*, coder: str = "first", doubtful: bool = True) -> pd.DataFrame:
    """What is reported for listed places, and of programmes that failed or were faulted.

    Returns
    -------
    DataFrame of int
        Rows "known to be listed" and "failed or faulted"; ``cases``, and the number of cases of
        which a source reports a ``hub``, ``entrepreneurs`` first, ``government`` first,
        ``support`` and an ``association``. The rest is not reported, denied or disputed.
    """
    table = conditions(coder=coder, doubtful=doubtful)
    groups = {
        "known to be listed": table[table["listed"] == "yes"],
        "failed or faulted": table.loc[failures(coder=coder, doubtful=doubtful).index],
    }
    rows = {
        name: [
            len(part),
            int((part["hub"] == "yes").sum()),
            int((part["entrepreneur"] == "yes").sum()),
            int((part["entrepreneur"] == "no").sum()),
            int((part["support"] == "yes").sum()),
            int((part["association"] == "yes").sum()),
        ]
        for name, part in groups.items()
    }
    columns = ["cases", "hub", "entrepreneurs", "government", "support", "association"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def truth_table(table: pd.DataFrame, *, names: pd.Series | None = None) -> pd.DataFrame:
    """Cases by configuration: every combination of the conditions that any case shows.

    Parameters
    ----------
    table : DataFrame
        As `conditions`: conditions, and the outcome in the last column.
    names : Series, optional
        What to call each case.

    Returns
    -------
    DataFrame
        Conditions, ``n``, ``yes`` and ``no`` (cases with that outcome), ``contradiction`` (both
        occur) and ``cases``; the most frequent first.
    """
    *columns, outcome = table.columns
    label = pd.Series(table.index, index=table.index) if names is None else names
    out = []
    for values, part in table.groupby(columns, sort=True):
        yes, no = (int((part[outcome] == kind).sum()) for kind in ("yes", "no"))
        out.append(
            dict(zip(columns, values, strict=True))
            | {
                "n": len(part),
                "yes": yes,
                "no": no,
                "contradiction": bool(yes and no),
                "cases": ", ".join(sorted(label[part.index])),
            }
        )
    return pd.DataFrame(out).sort_values("n", ascending=False, kind="stable", ignore_index=True)


PUBLISHED = "2017-09"


# ---- campaigns -----------------------------------------------------------------------------------
SIGNS = {  # topics of market/evidence that bear on the forecast
    "administrative push": "order",
    "sales targets imposed by local government": "order",
    "targets": "target",
    "subsidy schedule": "reward",
    "refusal of Rural Taobao": "refusal",
}


def campaign_signs(*, coder: str = "first", doubtful: bool = True) -> pd.DataFrame:
    """Dated reports that bear on whether support turned into a campaign.

    Returns
    -------
    DataFrame
        ``date``, ``sign`` (order, target, reward, refusal), ``villages`` (True if it is about
        Taobao Villages and not rural e-commerce at large), ``later`` (after the article),
        ``statement``, ``source_id``; sorted by date. A report without a date is left out: it is
        neither before nor after.
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
    codes = cases.coded("governance", "numeric_targets", coder=coder, doubtful=doubtful)
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
    table = table[table["date"].fillna("") != ""].copy()
    table["later"] = table["date"].str.ljust(7, "-") > PUBLISHED
    return table.sort_values(["date", "source_id"], ignore_index=True)
