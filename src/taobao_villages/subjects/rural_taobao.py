"""Rural Taobao: how many counties, stations and villages its programme had reached when."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from taobao_villages import data

TARGET_MONTHS = (36, 60)  # "three to five years"


def rollout(indicator: str, *, page_year: int = 2018) -> pd.DataFrame:
    """Published counts of Rural Taobao for all of China.

    Parameters
    ----------
    indicator : {"villages", "counties", "provinces"}
        Or any other indicator of ``market/rural_taobao``.
    page_year : {2018, 2017}
        Year of a page that shows 21 June without one.

    Returns
    -------
    DataFrame
        In the order of dates: ``month`` (Period; December for a figure dated by year only),
        ``value``, ``qualifier`` (empty where exact), ``inferred``, ``source_id``.
    """
    rows = data.load("market/rural_taobao")
    rows = rows[
        (rows["operator"] == "Alibaba") & (rows["indicator"] == indicator) & rows["place"].isna()
    ]
    dates = rows["date"].where(rows["precision"] != "year", rows["date"] + "-12")
    dates = dates.where(~rows["date_inferred"], f"{page_year}-06")
    return (
        pd.DataFrame(
            {
                "month": pd.PeriodIndex(dates, freq="M"),
                "value": rows["value"],
                "qualifier": rows["qualifier"].fillna(""),
                "inferred": rows["date_inferred"],
                "source_id": rows["source_id"],
            }
        )
        .sort_values(["month", "value"])
        .reset_index(drop=True)
    )


def pace(
    reached: float,
    months: int,
    target: float,
    *,
    deadlines: Sequence[int] = TARGET_MONTHS,
) -> pd.DataFrame:
    """Pace so far and the pace that a target still asks for.

    Parameters
    ----------
    reached : float
        Count after `months`.
    months : int
        Months since the start.
    target : float
    deadlines : sequence of int
        Months from the start to the deadline.

    Returns
    -------
    DataFrame
        One row a deadline: ``deadline``, ``so_far`` (a month), ``from_the_start`` (a month, had
        the pace been even), ``from_now`` (a month), ``times`` (from_now over so_far; infinite if
        the deadline has passed).
    """
    so_far = reached / months
    rows = []
    for deadline in deadlines:
        left = deadline - months
        from_now = (target - reached) / left if left > 0 else np.inf
        rows.append(
            {
                "deadline": deadline,
                "so_far": so_far,
                "from_the_start": target / deadline,
                "from_now": from_now,
                "times": from_now / so_far,
            }
        )
    return pd.DataFrame(rows)


def rollout_start() -> pd.Period:
    """Month of the first station."""
    rows = data.load("market/rural_taobao")
    return pd.Period(rows.loc[rows["indicator"] == "first_station", "date"].iloc[0], "M")
