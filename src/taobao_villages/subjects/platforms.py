"""Platforms: the printed shares of Alibaba and its rivals.

One table and one way to draw it, so that no two pages can show different points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from taobao_villages import data

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ARTICLE = "li2017"
# What sources call the whole, with the mark of each in a figure.
MARKETS = {"online retail": "o", "e-commerce": "s", "online sales": "^", "online shopping": "v"}
FIRMS = {
    "Alibaba": (
        "Alibaba (all sites)",
        "Alibaba (Taobao + Tmall)",
        "Taobao (Marketplace + Mall)",
        "Taobao",
        "Taobao (Alibaba)",
    ),
    "JD.com": ("JD.com", "360buy (JD.com)"),
    "Pinduoduo": ("Pinduoduo",),
}
# What of its year a share covers, with how its mark is filled.
COVERS = {"whole year": "full", "part of the year": "left", "printed before its end": "none"}
# A later paper quotes these: the row's note says when the figure was made.
FIRST_PRINTED = {"deccan2024_platform_shares": "2023"}


@data.cached
def printed_shares() -> pd.DataFrame:
    """Every printed share of Alibaba and its two rivals in all online selling to consumers.

    Conflicting figures are all kept: they divide by different wholes, and makers measure them
    differently. The article's own figure, which is what is tested, is left out.

    Returns
    -------
    DataFrame
        A row each, by firm, year and share: ``firm`` (of `FIRMS`), ``year``, ``share`` (percent),
        ``market`` (the whole as the source names it, of `MARKETS`), ``covers`` (of `COVERS`; of a
        share without a date of print it is not known that it came too early), ``printed`` (date,
        or "not dated"), ``maker``, ``measure``, ``qualifier``, ``status``, ``source_id``, and
        ``time`` (the middle of its period, in years).
    """
    table = data.load("market/platform_share")
    firm = {name: key for key, names in FIRMS.items() for name in names}
    table = table[
        table["market"].isin(MARKETS)
        & table["platform"].isin(firm)
        & (table["source_id"] != ARTICLE)
    ]
    printed = table["source_id"].map(data.sources()["date"])
    printed = table["source_id"].map(FIRST_PRINTED).fillna(printed)
    # Dates are texts from year to day, so that "2021-10" and a bare "2021" both end by 2021-12.
    dated = printed != ""
    in_time = dated & (printed.str[:7] <= table["period_end"])
    ends = [pd.PeriodIndex(table[f"period_{end}"], freq="M") for end in ("start", "end")]
    first, last = (month.year + (month.month - 1) / 12 for month in ends)
    table = table.assign(
        firm=table["platform"].map(firm),
        share=table["share_pct"],
        covers=np.select(
            [table["precision"] != "year", in_time | (table["status"] == "forecast")],
            ["part of the year", "printed before its end"],
            "whole year",
        ),
        printed=printed.where(dated, "not dated"),
        time=(first + last + 1 / 12) / 2,
    )
    columns = ["firm", "year", "share", "market", "covers", "printed", "maker", "measure"]
    columns += ["qualifier", "status", "source_id", "time"]
    return table.sort_values(["firm", "year", "share"])[columns].reset_index(drop=True)


def draw_shares(axes: Axes, shares: pd.DataFrame, colour: str) -> None:
    """A mark for each share: its form names the whole, its filling what of the year it covers.

    Parameters
    ----------
    axes : Axes
        Takes years and percent.
    shares : DataFrame
        Rows of `printed_shares`.
    colour : str
        Of all marks.
    """
    for (market, covers), group in shares.groupby(["market", "covers"]):
        axes.plot(
            group["time"],
            group["share"],
            MARKETS[market],
            color=colour,
            # Smaller and on top: a month's share often lies upon that of its year.
            markersize=6 if covers == "part of the year" else 8,
            zorder=4 if covers == "part of the year" else 3,
            fillstyle=COVERS[covers],
            markerfacecoloralt="white",
            clip_on=False,
        )


KEY = (
    "Circle: share of online retail. Square: of e-commerce. Triangle: of online sales (up) or "
    "online shopping (down). Full: a whole year. Half full: a month or a quarter. Hollow: printed "
    "before the year was over. Sources mean different things by these names, and makers measure "
    "differently: Euromonitor has little more than half of what others have."
)
