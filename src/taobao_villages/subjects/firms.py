"""Firms of the internet: their shares of each segment, how concentrated these are, and owners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from taobao_villages import data
from taobao_villages.methods import inequality, shares
from taobao_villages.subjects import retail

STRATEGIC = ("telecommunications", "petroleum", "electricity", "finance")
# Who owns what, as far as the tables of shares name it.
FIRMS: Mapping[str, str] = {
    "360buy (JD.com)": "JD.com",
    "AliWangwang": "Alibaba",
    "Alibaba (Taobao + Tmall)": "Alibaba",
    "Alibaba (all sites)": "Alibaba",
    "Feixin (China Mobile)": "China Mobile",
    "Mobile Taobao (Alibaba)": "Alibaba",
    "Soso (Tencent)": "Tencent",
    "Taobao": "Alibaba",
    "Taobao (Marketplace + Mall)": "Alibaba",
    "Tencent QQ": "Tencent",
    "Tmall": "Alibaba",
    "WeChat": "Tencent",
}
SUMS = ("Tencent QQ + WeChat", "Tmall, JD.com and Vipshop together")  # of rows that stand beside
SEGMENTS: Mapping[str, Sequence[str]] = {
    "search": ("search engine", "search engine (PC)", "search engine (mobile)"),
    "social media": ("mobile instant messaging",),
    "e-commerce": ("online retail", "online sales", "e-commerce", "B2C", "mobile shopping"),
}
KEYS = {"search": "search", "social media": "social", "e-commerce": "commerce"}  # of details
LEADERS = {"search": "Baidu", "social media": "Tencent", "e-commerce": "Alibaba"}
# A user can use several: such shares add up to more than a hundred and divide no market.
OVERLAPPING = ("penetration_of_users", "reach_of_internet_users", "named_as_most_used")


# ---- concentration -------------------------------------------------------------------------------


@data.cached
def market_shares(*, owner: str = "firm") -> pd.DataFrame:
    """Published shares of 2012 to 2016 in the three segments that the article names.

    Parameters
    ----------
    owner : {"firm", "brand"}
        Join the brands of one firm, such as QQ and WeChat, or leave them apart.

    Returns
    -------
    DataFrame
        Columns ``segment``, ``market``, ``measure``, ``rule``, ``period_start``, ``period_end``,
        ``source_id``, ``name`` (firm or brand), ``firm``, ``share_pct``. Without the article's own,
        without sums of rows that stand beside them, and without measures that overlap.

    Raises
    ------
    ValueError
        For another `owner`.
    """
    if owner not in ("firm", "brand"):
        raise ValueError(f"owner is {owner!r}; use 'firm' or 'brand'")
    table = data.load("market/platform_share")
    segment = {market: name for name, markets in SEGMENTS.items() for market in markets}
    table = table.assign(segment=table["market"].map(segment), rule=table["rule"].fillna(""))
    table = table[
        table["segment"].notna()
        & table["year"].between(retail.FIRST, retail.LAST)
        & ~table["measure"].isin(OVERLAPPING)
        & ~table["platform"].isin(SUMS)
        & (table["source_id"] != retail.ARTICLE)
        & (table["status"] != "forecast")
    ]
    table = table.assign(firm=table["platform"].map(lambda name: FIRMS.get(name, name)))
    keys = ["segment", "market", "measure", "rule", "period_start", "period_end", "source_id"]
    name = table["firm"] if owner == "firm" else table["platform"]
    grouped = table.assign(name=name).groupby([*keys, "name", "firm"], as_index=False)
    return grouped["share_pct"].sum()


@data.cached
def concentration(*, owner: str = "firm", rest: str = "smaller than the smallest") -> pd.DataFrame:
    """Share of the leader and bounds of the HHI for every published set of shares.

    A set that does not report the firm that the article names for the segment is left out: its
    leader is not known.

    Parameters
    ----------
    owner : {"firm", "brand"}
        See `market_shares`.
    rest : str
        See `hhi_bounds`.

    Returns
    -------
    DataFrame
        One row a set, in the order of segment and date: ``segment``, ``market``, ``measure``,
        ``rule``, ``period_start``, ``period_end``, ``source_id``, ``leader``, ``top`` (percent),
        ``reported`` (percent, of ``n`` names) and ``low``, ``high`` (HHI).
    """
    keys = ["segment", "market", "measure", "rule", "period_start", "period_end", "source_id"]
    rows = []
    for key, group in market_shares(owner=owner).groupby(keys):
        about = dict(zip(keys, key, strict=True))
        if LEADERS[about["segment"]] not in set(group["firm"]):
            continue
        largest = group.loc[group["share_pct"].idxmax()]
        low, high = inequality.hhi_bounds(group["share_pct"], rest=rest)
        rows.append(
            about
            | {
                "leader": largest["name"],
                "top": largest["share_pct"],
                "reported": group["share_pct"].sum(),
                "n": len(group),
                "low": low,
                "high": high,
            }
        )
    order = pd.Categorical([row["segment"] for row in rows], list(SEGMENTS))
    table = pd.DataFrame(rows).assign(order=order.codes)
    return table.sort_values(["order", "period_end", "market"], ignore_index=True).drop(
        columns="order"
    )


# ---- owners --------------------------------------------------------------------------------------


def owners(*, internet: int = 2016, mixed: str = "unknown", weight: str = "firms") -> pd.DataFrame:
    """Who owns the leading firms of each sector, with bounds for owners that were not found.

    Parameters
    ----------
    internet : {2015, 2016, 2017}
        Year of the list of internet companies; its first ten are taken.
    mixed : {"unknown", "state", "private"}
        How to count firms in which no one holds a majority.
    weight : {"firms", "revenue"}
        Count firms, or weigh them by revenue. The internet list prints no revenue: there firms
        are counted always.

    Returns
    -------
    DataFrame
        Indexed by sector, the strategic ones first: ``firms``, ``state``, ``private``, ``mixed``,
        ``not found`` (numbers of firms) and ``state_low``, ``state_high``, ``private_low``,
        ``private_high`` (percent).

    Raises
    ------
    ValueError
        For another value of a choice.

    Notes
    -----
    A firm whose revenue was not read ranks below the others, so its revenue is taken as that of
    the smallest of them: the most it can be, which gives the widest bounds.
    """
    if mixed not in ("unknown", "state", "private"):
        raise ValueError(f"mixed is {mixed!r}; use 'unknown', 'state' or 'private'")
    if weight not in ("firms", "revenue"):
        raise ValueError(f"weight is {weight!r}; use 'firms' or 'revenue'")
    table = data.load("market/leading_firms")
    lists = ["top500_2016", f"internet100_{internet}"]
    if not table["list_id"].eq(lists[1]).any():
        raise ValueError(f"there is no list of internet companies of {internet}")
    table = table[table["list_id"].isin(lists)]
    rows = {}
    for sector in (*STRATEGIC, "internet"):
        own = table[table["sector"] == sector]
        kind = own["ownership"].fillna("not found")
        counted = kind if mixed == "unknown" else kind.replace("mixed", mixed)
        size = pd.Series(1, index=own.index)
        if weight == "revenue" and sector != "internet":
            size = own["revenue_rmb_10k"].fillna(own["revenue_rmb_10k"].min()).astype("int64")
        state, private = (int(size[counted == name].sum()) for name in ("state", "private"))
        whole = int(size.sum())
        row: dict[str, float] = {"firms": len(own)}
        for name in ("state", "private", "mixed", "not found"):
            row[name] = int((kind == name).sum())
        for name, yes, no in (("state", state, private), ("private", private, state)):
            low, high = shares.share_bounds(yes, no, whole)
            row[f"{name}_low"], row[f"{name}_high"] = 100 * low, 100 * high
        rows[sector] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("sector")
