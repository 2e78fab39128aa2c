"""Axes of time: where a month lies, and years named between their ends."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes


def moment(month: pd.Period) -> float:
    """A month's place on an axis of years: its middle, so that December is in its own year."""
    return float(month.year + (month.month - 0.5) / 12)


def year_axis(axes: Axes, first: int, last: int, *, every: int = 1) -> None:
    """A time axis on which each year has its width: a line where it begins, its name within.

    Parameters
    ----------
    axes : matplotlib Axes
        Points are placed by `moment`.
    first, last : int
        The years named, from the first on; the axis may reach further.
    every : int
        2 names every second year.
    """
    axes.set_xticks(range(first, last + 2), [""] * (last + 2 - first))
    named = range(first, last + 1, every)
    axes.set_xticks([year + 0.5 for year in named], [str(year) for year in named], minor=True)
    axes.tick_params(axis="x", which="minor", length=0)
