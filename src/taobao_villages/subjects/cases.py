"""The coded places: names, goods, channels, trades, series, margins and platforms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from taobao_villages import data
from taobao_villages.methods import shares
from taobao_villages.subjects import coding

ARTICLE = "li2017"
CASES = ("all cases", "all but counties and prefectures", "all but the article's own")
NEARBY = (
    *("wholesale market", "wholesale market or garment cluster", "any market or factory cluster"),
)
HOUSEHOLDS = ("households_ecommerce", "share_households_ecommerce_pct")
SOLO = "share of village shops run by an individual without employees"


# ---- the cases -----------------------------------------------------------------------------------


@data.cached
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


@data.cached
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


def percent_bounds(yes: int, no: int, total: int) -> tuple[float, float]:
    low, high = shares.share_bounds(yes, no, total)
    return round(100 * low, 1), round(100 * high, 1)


def outside_sources(*parts: Iterable[str]) -> list[str]:
    return sorted(set().union(*parts) - {ARTICLE})


# ---- goods ---------------------------------------------------------------------------------------


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


# ---- diffusion -----------------------------------------------------------------------------------


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


# ---- documented places (figure of C26, C27) ------------------------------------------------------


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


# ---- trades and jobs -----------------------------------------------------------------------------


def trades(*, cases_counted: str = "all cases", doubtful: bool = True) -> pd.DataFrame:
    """Ancillary trades, case by case: number of things named of each kind; 0 is not reported."""
    rows = told("trade", doubtful=doubtful)
    rows = rows[rows["case_id"].isin(cases(cases_counted).index)]
    table = rows.groupby(["case_id", "kind"])["item"].nunique().unstack(fill_value=0)
    return table.astype(int)


# ---- tradition -----------------------------------------------------------------------------------


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


# ---- dependence ----------------------------------------------------------------------------------
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


# ---- what followed, for villages in poverty counties ---------------------------------------------


def returnees(after: int = 2017, *, coder: str = "first", doubtful: bool = True) -> set[str]:
    """Cases whose sources, dated after a year, tell of people coming back."""
    rows = coding.codes(coder=coder, doubtful=doubtful)
    rows = rows[rows["dimension"].eq("social_change") & rows["code"].eq("returnees")]
    dated = rows["source_id"].map(_source_year)
    return set(rows.loc[dated > after, "case_id"])


def _source_year(source: str) -> float:
    """Year of a source, NaN if it has none."""
    date = data.sources().loc[source, "date"]
    return float(date[:4]) if date else float("nan")


# ---- competition ---------------------------------------------------------------------------------
IMITATION = {
    "copying or disputes over it": ("homogenisation", "ipr_dispute"),
    "copying": ("homogenisation",),
}
RIVALRY = {
    "price war or falling profit": ("price_war", "profit_decline"),
    "price war": ("price_war",),
}


def pressures(*, coder: str = "first", doubtful: bool = True) -> pd.DataFrame:
    """Cases for which a source names a pressure, and what is reported of each.

    Returns
    -------
    DataFrame of bool
        Indexed by case; columns ``copying``, ``dispute``, ``price_war``, ``falling_profit``,
        ``better_product``. False means not reported.
    """
    told: dict[str, Any] = {"coder": coder, "doubtful": doubtful}
    pressure = "sustainability_pressure"
    columns = {
        "copying": coding.reported(pressure, "homogenisation", **told),
        "dispute": coding.reported(pressure, "ipr_dispute", **told),
        "price_war": coding.reported(pressure, "price_war", **told),
        "falling_profit": coding.reported(pressure, "profit_decline", **told),
        "better_product": coding.reported("upgrading", "better_product", **told),
    }
    cases = sorted(coding.reported(pressure, **told))
    return pd.DataFrame(
        {name: [case in found for case in cases] for name, found in columns.items()},
        index=pd.Index(cases, name="case_id"),
    )


def co_reporting(
    imitation: str = "copying or disputes over it",
    rivalry: str = "price war or falling profit",
    *,
    among: str = "cases with a pressure",
    coder: str = "first",
    doubtful: bool = True,
) -> pd.Series:
    """Are imitation and rivalry reported for the same places more often than chance?

    Parameters
    ----------
    imitation, rivalry : str
        Keys of `IMITATION` and `RIVALRY`.
    among : {"cases with a pressure", "all cases"}
        Among all cases, places of which much is written score on everything.

    Returns
    -------
    Series
        ``both``, ``imitation_only``, ``rivalry_only``, ``neither`` (cases reported so), ``p``
        (Fisher's exact test, one-sided), ``share_low`` and ``share_high``: percent of the places
        with imitation that have rivalry, if none or all of the unreported had it.
    """
    told: dict[str, Any] = {"coder": coder, "doubtful": doubtful}
    pressure = "sustainability_pressure"
    one = coding.reported(pressure, *IMITATION[imitation], **told)
    two = coding.reported(pressure, *RIVALRY[rivalry], **told)
    n = (
        len(data.load("cases/cases"))
        if among == "all cases"
        else len(coding.reported(pressure, **told))
    )
    both = len(one & two)
    table = [[both, len(one) - both], [len(two) - both, n - len(one | two)]]
    low, high = shares.share_bounds(both, 0, max(len(one), 1))
    return pd.Series(
        {
            "both": both,
            "imitation_only": table[0][1],
            "rivalry_only": table[1][0],
            "neither": table[1][1],
            "p": float(stats.fisher_exact(table, alternative="greater").pvalue),
            "share_low": 100 * low,
            "share_high": 100 * high if one else np.nan,
        }
    )


# ---- margins and sales ---------------------------------------------------------------------------
SCALES = ("village", "town", "county", "prefecture")
UNSURE = ("expected", "guess")


def margins() -> pd.DataFrame:
    """Documented profit margins: one row a place and year.

    Returns
    -------
    DataFrame
        ``case_id``, ``year``, ``margin`` (percent), ``scale``, ``qualifier``, ``source_id``.
    """
    table = data.load("cases/case_series")
    table = table[table["indicator"] == "profit_margin_pct"].rename(columns={"value": "margin"})
    return table[["case_id", "year", "margin", "scale", "qualifier", "source_id"]].reset_index(
        drop=True
    )


def _annual_series() -> pd.DataFrame:
    """Documented series of places without guesses, forecasts and parts of a year."""
    table = data.load("cases/case_series")
    whole = table["period"] == "year"
    return table[table["scale"].isin(SCALES) & ~table["qualifier"].isin(UNSURE) & whole]


def sales_per_shop() -> pd.DataFrame:
    """Sales per shop where one place has both for a year, at the same scale.

    Returns
    -------
    DataFrame
        ``case_id``, ``year``, ``scale``, ``sales`` (million yuan), ``shops``, ``per_shop_low``,
        ``per_shop_high`` (million yuan; several sources give a range), ``source_id``.
    """
    table = _annual_series()
    key = ["case_id", "year", "scale"]
    sales = table[table["indicator"] == "sales_rmb_million"]
    shops = table[table["indicator"] == "shops"]
    both = sales.merge(shops, on=key, suffixes=("_sales", "_shops"))
    both["per_shop"] = both["value_sales"] / both["value_shops"]
    both["ids"] = both["source_id_sales"] + ";" + both["source_id_shops"]
    grouped = both.groupby(key)
    out = grouped.agg(
        sales=("value_sales", "max"),
        shops=("value_shops", "max"),
        per_shop_low=("per_shop", "min"),
        per_shop_high=("per_shop", "max"),
        source_id=("ids", lambda ids: ";".join(sorted({p for i in ids for p in i.split(";")}))),
    )
    return out.reset_index()


def sales_growth(*, until: int = 2025) -> pd.DataFrame:
    """First and last documented sales of each place, at the same scale.

    Parameters
    ----------
    until : int
        Leave later years out.

    Returns
    -------
    DataFrame
        ``case_id``, ``scale``, ``first``, ``last`` (years), ``sales_first``, ``sales_last``
        (million yuan), ``direction``: "rose" or "fell" if every source of the last year is above
        or below every one of the first, else "unclear"; ``sources``: ids of both years' sources.
    """
    table = _annual_series()
    table = table[table["indicator"].eq("sales_rmb_million") & table["year"].le(until)]
    rows = []
    for (case, scale), group in table.groupby(["case_id", "scale"]):
        years = sorted(set(group["year"]))
        if len(years) < 2:
            continue
        ends = group[group["year"].isin([years[0], years[-1]])]
        first, last = (ends.loc[ends["year"] == year, "value"] for year in (years[0], years[-1]))
        direction = (
            "rose"
            if last.min() > first.max()
            else "fell"
            if last.max() < first.min()
            else "unclear"
        )
        rows.append(
            {
                "case_id": case,
                "scale": scale,
                "first": years[0],
                "last": years[-1],
                "sales_first": float(first.max()),
                "sales_last": float(last.max()),
                "direction": direction,
                "sources": ", ".join(sorted(set(ends["source_id"]))),
            }
        )
    columns = ["case_id", "scale", "first", "last", "sales_first", "sales_last", "direction"]
    return pd.DataFrame(rows, columns=[*columns, "sources"])


def thin_profit(
    *, sources: str = "press", until: int = 2025, coder: str = "first", doubtful: bool = True
) -> dict[str, set[str]]:
    """Places of which a source reports falling or little profit, with the sources.

    Parameters
    ----------
    sources : {"press", "any"}
        Press and its reprints, or every kind.
    until : int
        Year of the latest source to count.
    """
    rows = coding.codes(coder=coder, doubtful=doubtful)
    rows = rows[
        rows["dimension"].eq("sustainability_pressure") & rows["concept"].eq("profit_decline")
    ]
    rows = pd.concat([rows, data.bearing("market/evidence", "C34:thin_profit")])
    pairs = zip(rows["case_id"], rows["source_id"], strict=True)
    kinds = data.sources()["kind"]
    found: dict[str, set[str]] = {}
    for case, source in pairs:
        media = sources == "any" or kinds[source] in ("press", "reprint")
        if media and _source_year(source) <= until:
            found.setdefault(case, set()).add(source)
    return found
