"""Maps of tiles and outlines, bars of verdicts, specification curves."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from taobao_villages import data
from taobao_villages.figures.shown import canvas
from taobao_villages.figures.style import (
    GREY,
    HATCHES,
    INK,
    LIGHT,
    MUTED,
    NO_DATA,
    PAPER,
    SEQUENCE,
    VERDICTS,
)


def tile_map(
    axes: Axes, values: pd.Series, *, breaks: Sequence[float], form: str = "{:,.0f}"
) -> None:
    """Draw the provinces as a grid of equal tiles, shaded by class.

    Parameters
    ----------
    axes : matplotlib Axes
    values : Series
        Indexed by ``province_code``; a missing code or NaN is hatched as "no data". Zero is white.
    breaks : sequence of float
        Upper ends of all shades but the last, ascending; at most 4.
    form : str
        Format of the number printed in the tile.

    Notes
    -----
    The grid keeps rough position, not neighbourhood or area.
    """
    grid = data.load("geo/tilegrid")
    shown = values.reindex(grid["province_code"]).to_numpy(float)
    for tile, value in zip(grid.itertuples(), shown, strict=True):
        known, some = not np.isnan(value), value > 0
        shade = SEQUENCE[int(np.searchsorted(breaks, value))] if some else NO_DATA
        axes.add_patch(
            Rectangle(
                (tile.col - 0.47, tile.row - 0.47),
                0.94,
                0.94,
                facecolor=shade,
                edgecolor=GREY,
                linewidth=0.7,
                hatch=None if known else "////",
            )
        )
        printed = form.format(value) if some else "0"
        if some and not float(printed):
            printed = f"<{printed[:-1]}1"  # some, not none
        axes.text(
            tile.col,
            tile.row,
            f"{tile.abbr}\n{printed}" if known else tile.abbr,
            ha="center",
            va="center",
            fontsize=11.5,
            linespacing=1.0,
            color=PAPER if shade in SEQUENCE[3:] else INK,
        )
    axes.set_xlim(grid["col"].min() - 0.6, grid["col"].max() + 0.6)
    axes.set_ylim(grid["row"].max() + 0.6, grid["row"].min() - 0.6)
    axes.set_aspect("equal")
    axes.axis("off")


def outline_map(axes: Axes, *, east_of: float = 73) -> None:
    """Draw the outlines of the mainland provinces in grey, for points to be set on.

    Parameters
    ----------
    axes : matplotlib Axes
    east_of : float
        Western end of the map, degrees of longitude.

    Notes
    -----
    Longitude is compressed by the cosine of 35 degrees, so that shapes look familiar. The
    outlines are for orientation and take no position on any boundary.
    """
    data.outlines().plot(ax=axes, facecolor="#f4f4f4", edgecolor=LIGHT, linewidth=0.7)
    axes.set(xlabel="", ylabel="", aspect=1 / np.cos(np.deg2rad(35)), xlim=(east_of, 135.5))
    axes.axis("off")


def verdict_bars(axes: Axes, shares: pd.DataFrame) -> None:
    """Draw one bar a claim, cut into the shares of its variants' verdicts.

    Parameters
    ----------
    axes : matplotlib Axes
    shares : DataFrame
        One row a claim, from top to bottom; columns are verdicts, values percent summing to 100.
    """
    left = np.zeros(len(shares))
    places = np.arange(len(shares))
    for verdict, (colour, _) in VERDICTS.items():
        if verdict in shares.columns:
            width = shares[verdict].to_numpy(float)
            light = verdict == "contradicted"  # its hatching is white on a dark ground
            axes.barh(
                places,
                width,
                left=left,
                height=0.7,
                color=colour,
                edgecolor=PAPER if light else MUTED,
                linewidth=0.6,
                hatch=HATCHES.get(verdict),
                label=verdict,
            )
            left += width
    axes.set_yticks(places, shares.index)
    axes.set(xlim=(0, 100), ylim=(len(shares) - 0.4, -0.6), xlabel="% of variants")
    axes.grid(visible=False, axis="y")
    whole = axes.get_figure(root=True)
    assert whole is not None  # axes in use have a figure
    handles = axes.get_legend_handles_labels()
    whole.legend(*handles, loc="outside lower left", ncols=2, frameon=False)


def specification_curve(
    finding: str,
    measure: str,
    rows: pd.DataFrame,
    labels: Mapping[str, Mapping[str, Sequence[int]]],
    threshold: tuple[float, str] | None = None,
) -> Figure:
    """A specification curve: each variant's result, and below it the choices it takes.

    Parameters
    ----------
    finding, measure : str
        Title and subtitle.
    rows : DataFrame, n rows
        Columns ``value``, ``low``, ``high`` (NaN where there is none) and ``verdict``, in the
        order in which they are drawn from left to right.
    labels : mapping
        By choice, by value of it: positions in `rows` of the variants that take it.
    threshold : (float, str), optional
        The number that the rule holds the results against, and what it is; drawn as a line.

    Returns
    -------
    matplotlib Figure

    Notes
    -----
    A variant without a result has a hatched column with the mark of its verdict at half height.
    Simonsohn, Simmons and Nelson (2020), Nature Human Behaviour 4.
    """
    broken = {value: textwrap.wrap(value, 26) for values in labels.values() for value in values}
    lines = sum(1 + sum(len(broken[value]) for value in values) for values in labels.values())
    figure, (top, low) = canvas(
        finding,
        measure,
        rows=2,
        height=3.9 + 0.25 * lines,
        sharex=True,
        height_ratios=[1, 0.105 * lines],
    )
    place = np.arange(len(rows))
    results = rows["value"].to_numpy(float)
    known = np.isfinite(results)
    top.vlines(place, rows["low"], rows["high"], color=LIGHT, linewidth=1.5)
    if threshold:
        top.axhline(threshold[0], color=INK, linewidth=1.2, linestyle="--", label=threshold[1])
    for verdict, (colour, marker) in VERDICTS.items():
        style = {"color": colour, "edgecolors": INK, "marker": marker, "zorder": 3}
        own = (rows["verdict"] == verdict).to_numpy()
        if (drawn := own & known).any():
            top.scatter(place[drawn], results[drawn], 28, label=verdict, linewidths=0.5, **style)
        if (empty := own & ~known).any():
            whole = {"transform": top.get_xaxis_transform()}
            top.bar(place[empty], 1, 1, color=PAPER, edgecolor=LIGHT, hatch="////", lw=0, **whole)
            height = np.full(empty.sum(), 0.5)
            top.scatter(place[empty], height, 42, label=f"{verdict} (no result)", **style, **whole)
    _result_axis(top, rows, threshold)
    handles, told = top.get_legend_handles_labels()
    half = -(-len(told) // 2)  # two columns, where both fit into the width
    wide = sum(max(map(len, part), default=0) for part in (told[:half], told[half:]))
    ncols = 2 if wide <= 46 else 1
    figure.legend(handles, told, loc="outside lower left", ncols=ncols, frameon=False)
    names, ticks, line = [], [], 0.0
    for choice, values in labels.items():
        names.append(f"{choice}:")
        ticks.append(line)
        line += 1
        for value, positions in values.items():
            middle = line + (len(broken[value]) - 1) / 2
            low.plot(positions, np.full(len(positions), middle), "|", color=INK, markersize=7)
            names.append("\n".join(broken[value]))
            ticks.append(middle)
            line += len(broken[value])
    low.set_yticks(ticks, names)
    for text, name in zip(low.get_yticklabels(), names, strict=True):
        text.set_fontweight("bold" if name.endswith(":") else "normal")
    low.set(ylim=(line - 0.4, -0.6), xticks=[], xlabel="Variants, sorted by result")
    low.grid(visible=False)
    return figure


def _result_axis(axes: Axes, rows: pd.DataFrame, threshold: tuple[float, str] | None) -> None:
    """Ticks of a curve's results: whole numbers for a count, no scale for a single value."""
    shown = rows[["value", "low", "high"]].to_numpy(float)
    marks = [*np.unique(shown[np.isfinite(shown)]), *([threshold[0]] if threshold else [])]
    if len(set(marks)) <= 2:
        axes.set_yticks(sorted(set(marks)))
    elif all(float(mark).is_integer() for mark in marks):
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
