"""House style of the figures: palette, sizes, maps of tiles and outlines, and how they are shown.

A notebook cell ends in ``figures.show(...)`` or ``figures.table(...)``. A figure without an
alt text, a caption or a source raises, so that none can reach a page.
"""

from __future__ import annotations

import base64
import html
import io
import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox
from PIL import Image

from taobao_villages import data

WIDTH = 5.625  # inches; 540 CSS pixels
PHONE = 316  # CSS pixels that a figure gets on a 360 px phone
MIN_PHONE_TEXT = 9  # CSS pixels, on that phone
MAX_SVG_BYTES = 200_000

INK = "#222222"
MUTED = "#595959"
GRID = "#dddddd"
PAPER = "#ffffff"
ACCENT = "#b5460f"  # burnt orange: what the text talks about
SECOND = "#1f5a85"  # deep blue: the contrast
GREY = "#8c8c8c"
LIGHT = "#c9c9c9"
NO_DATA = "#ffffff"

# A verdict has a colour and a shape, so that it can be told without colour.
VERDICTS: Mapping[str, tuple[str, str]] = {
    "reproduced": ("#1f5a85", "o"),
    "reproduced in part": ("#8fb3cc", "s"),
    "not reproduced": ("#c9c9c9", "D"),
    "contradicted": ("#b5460f", "X"),
    "not testable here": ("#ffffff", "P"),
}
# A forecast's verdict looks like the claim's verdict that says the same.
FORECASTS: Mapping[str, str] = {
    "right": "reproduced",
    "wrong": "contradicted",
    "open": "not testable here",
}
# Where a verdict fills a surface, a hatch tells in grey what the colour does not.
HATCHES: Mapping[str, str] = {
    "not reproduced": "...",
    "contradicted": "xxx",
    "not testable here": "////",
}
# Light to dark, readable in grey; white is kept for zero.
SEQUENCE = ("#fbe3d3", "#f3b48c", "#dd7f45", "#b5460f", "#6e2504")


def use_house_style() -> None:
    """Set the style of every figure of this session (seaborn theme and matplotlib settings)."""
    sns.set_theme(style="whitegrid", font="DejaVu Sans")
    mpl.rcParams.update(
        {
            "figure.figsize": (WIDTH, 3.6),
            "figure.dpi": 96,
            "figure.facecolor": PAPER,
            "axes.facecolor": PAPER,
            "savefig.facecolor": PAPER,
            "font.size": 12,
            "axes.titlesize": 14,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.labelsize": 12,
            "xtick.labelsize": 12,
            "ytick.labelsize": 12,
            "legend.fontsize": 12,
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.edgecolor": GREY,
            "xtick.color": INK,
            "ytick.color": INK,
            "grid.color": GRID,
            "grid.linewidth": 0.7,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "lines.linewidth": 2,
            "svg.fonttype": "none",
            "svg.hashsalt": "taobao-villages",
            "figure.constrained_layout.use": True,
        }
    )


class FigureError(ValueError):
    """A figure or table that a reader could not use as it is."""


@dataclass(frozen=True)
class Shown:
    """A finished figure: what a notebook displays and what the book's page is made from."""

    name: str
    mime: str
    content: bytes
    alt: str
    caption: str
    sources: tuple[str, ...]
    width: int
    height: int
    csv: str

    def _repr_mimebundle_(self, include=None, exclude=None):
        text = (
            self.content.decode("utf-8")
            if self.mime == "image/svg+xml"
            else base64.b64encode(self.content).decode("ascii")
        )
        about = {
            "name": self.name,
            "alt": self.alt,
            "caption": self.caption,
            "sources": list(self.sources),
            "width": self.width,
            "height": self.height,
            "csv": self.csv,
        }
        return {self.mime: text, "text/plain": self.alt}, {
            self.mime: {"width": self.width, "height": self.height},
            "taobao_villages": about,
        }


def show(
    figure: Figure,
    *,
    name: str,
    caption: str,
    alt: str,
    sources: Sequence[str],
    frame: pd.DataFrame,
) -> Shown:
    """Finish a figure: check it, close it and return what the notebook displays.

    Parameters
    ----------
    figure : matplotlib Figure
    name : str
        Lower case with hyphens, unique in the book: the figure's anchor and its download's name.
    caption : str
        What the reader sees below the figure, in one or two sentences.
    alt : str
        Chart type, axes, encodings and finding, 40 to 250 characters.
    sources : sequence of str
        Ids in ``data/sources.csv``.
    frame : DataFrame
        The numbers drawn: offered as a download and as a table.

    Raises
    ------
    FigureError
        For an alt text or caption that is missing or of the wrong length, an unknown source,
        a bad name, an empty frame, or text that a phone would show under 9 px, that runs out of
        the figure, that overlaps another text or that a line, bar or mark strikes.
    """
    alt, caption = _checked(name, alt, caption, sources, frame)
    _check_texts(name, figure)
    _check_struck(name, figure)
    _stop_grid(figure)

    svg = _save(figure, "svg")
    svg = re.sub(rb"<!--.*?-->|<metadata>.*?</metadata>", b"", svg, flags=re.S)
    small = len(svg) <= MAX_SVG_BYTES
    size = figure.get_size_inches() * 96
    shown = Shown(
        name=name,
        mime="image/svg+xml" if small else "image/png",
        content=svg if small else _save(figure, "png"),
        alt=alt,
        caption=caption,
        sources=tuple(sources),
        width=round(size[0]),
        height=round(size[1]),
        csv=frame.to_csv(index=False, lineterminator="\n"),
    )
    return shown


def _checked(
    name: str, alt: str, caption: str, sources: Sequence[str], frame: pd.DataFrame
) -> tuple[str, str]:
    """Alt text and caption on one line each, if all that a figure needs is there."""
    alt, caption = " ".join(alt.split()), " ".join(caption.split())
    if not 40 <= len(alt) <= 250:
        raise FigureError(f"figure {name}: the alt text has {len(alt)} characters, not 40 to 250")
    if len(caption) < 20:
        raise FigureError(f"figure {name}: the caption is missing or too short")
    if not re.fullmatch(r"[a-z][a-z0-9-]+", name):
        raise FigureError(f"figure {name!r}: use lower case letters, digits and hyphens")
    _check_sources(f"figure {name}", sources)
    if frame.empty:
        raise FigureError(f"figure {name}: the frame of drawn numbers is empty")
    return alt, caption


def _save(figure: Figure, form: str) -> bytes:
    buffer = io.BytesIO()
    stamp = {"Date": None} if form == "svg" else {"Software": None}
    figure.savefig(buffer, format=form, dpi=96 if form == "svg" else 192, metadata=stamp)
    if form == "svg":
        return buffer.getvalue()
    packed = io.BytesIO()  # flat colours: a palette of 256 halves the bytes
    Image.open(buffer).convert("RGB").quantize(256).save(packed, "png", optimize=True)
    return packed.getvalue()


def _check_sources(what: str, sources: Sequence[str]) -> None:
    unknown = [source for source in sources if source not in data.sources().index]
    if unknown or not sources:
        raise FigureError(f"{what}: unknown or missing source_id {unknown}; see data/sources.csv")


def _drawn_texts(figure: Figure) -> list[Text]:
    """Texts that a reader sees: not those of ticks outside the axes or of axes switched off."""
    unseen = set()
    for axes in figure.findobj(Axes):
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not axes.axison or not low <= tick.get_loc() <= high:
                    unseen |= {tick.label1, tick.label2}
            if not axes.axison:
                unseen |= {axis.label, axis.offsetText}
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and text not in unseen
    ]


def _check_texts(name: str, figure: Figure) -> None:
    """Every text is large enough for a phone, inside the figure and clear of the others."""
    figure.draw_without_rendering()
    texts = _drawn_texts(figure)
    scale = min(1.0, PHONE / (figure.get_size_inches()[0] * 96))
    boxes = [text.get_window_extent() for text in texts]
    for text, box in zip(texts, boxes, strict=True):
        pixels = float(text.get_fontsize()) * 96 / 72 * scale
        if pixels < MIN_PHONE_TEXT - 0.05:
            raise FigureError(
                f"figure {name}: {text.get_text()!r} would be {pixels:.1f} px high on a phone; "
                f"at least {MIN_PHONE_TEXT} are needed: use a larger font or a narrower figure"
            )
        frame, end = figure.bbox, box.x0 + 1.04 * box.width  # another font may be wider
        if min(box.x0 - frame.x0, box.y0 - frame.y0, frame.x1 - end, frame.y1 - box.y1) < -1:
            raise FigureError(f"figure {name}: {text.get_text()!r} runs out of the figure")
    for (one, box), (two, other) in combinations(zip(texts, boxes, strict=True), 2):
        wide = min(box.x1, other.x1) - max(box.x0, other.x0)
        high = min(box.y1, other.y1) - max(box.y0, other.y0)
        if wide > 1 and high > 3:  # boxes are higher than letters
            raise FigureError(
                f"figure {name}: {one.get_text()!r} and {two.get_text()!r} overlap: move one"
            )


def _stop_grid(figure: Figure) -> None:
    """Grid lines end where a label or a legend begins; nothing else is covered."""
    for axes in figure.findobj(Axes):
        inside = axes.transAxes.inverted()
        labels = [*axes.texts, *filter(None, [axes.get_legend()])]
        for label in filter(Artist.get_visible, labels):
            box = label.get_window_extent().padded(1).transformed(inside)
            paper = Rectangle(box.p0, box.width, box.height, transform=axes.transAxes)
            paper.set(facecolor=PAPER, edgecolor="none", in_layout=False)
            paper.set_zorder(0.55)  # the grid has 0.5, bars and areas 1, lines 2
            axes.add_patch(paper)


def _check_struck(name: str, figure: Figure) -> None:
    """No line, edge of a bar or mark runs through a label, unless the label has a ground."""
    for axes in figure.findobj(Axes):
        bars = [bar for container in axes.containers for bar in container.get_children()]
        artists = filter(Artist.get_visible, [*bars, *axes.lines, *axes.collections])
        shapes = [shape for artist in artists for shape in _outlines(artist, figure.dpi / 72)]
        for text in axes.texts:
            if not (text.get_visible() and text.get_text().strip()) or text.get_bbox_patch():
                continue
            box = text.get_window_extent()
            letters = Bbox([[box.x0 + 1, box.y0 + 3], [box.x1 - 1, box.y1 - 3]])
            if any(shape.intersects_bbox(letters, filled=False) for shape in shapes):
                raise FigureError(
                    f"figure {name}: a line, bar or mark strikes {text.get_text()!r}: move it"
                )


def _outlines(artist: Artist, point: float) -> list[Path]:
    """What an artist draws as a line, an edge or a mark, in pixels; areas have none.

    `point` is the size of a typographic point in pixels.
    """
    where = artist.get_transform()
    if isinstance(artist, Line2D):
        line = where.transform_path(artist.get_path())
        marked = artist.get_marker() not in ("None", "none", "", " ", None)
        size = artist.get_markersize() * point / 2
        marks = [Path.circle((x, y), size) for x, y in np.asarray(line.vertices)] if marked else []
        return marks if artist.get_linestyle() in ("None", "none", "", " ") else [line, *marks]
    if isinstance(artist, LineCollection):
        return [where.transform_path(path) for path in artist.get_paths()]
    if isinstance(artist, PathCollection):
        middles = np.asarray(artist.get_offset_transform().transform(artist.get_offsets()))
        sizes = np.resize(np.sqrt(artist.get_sizes()) * point / 2, len(middles))
        return [Path.circle((x, y), r) for (x, y), r in zip(middles, sizes, strict=True)]
    if isinstance(artist, Rectangle):
        return [where.transform_path(artist.get_path())]
    return []


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


def canvas(
    finding: str,
    measure: str,
    *,
    rows: int = 1,
    columns: int = 1,
    height: float = 3.6,
    **options: Any,
) -> tuple[Figure, Any]:
    """A figure with its title and subtitle set, and its axes.

    Parameters
    ----------
    finding : str
        The title: what the figure shows, in a few words.
    measure : str
        The subtitle: measure, unit, place and years.
    rows, columns : int
        Number of panels; `options` goes to ``Figure.subplots``.
    height : float
        Height in inches, titles included.

    Returns
    -------
    figure : matplotlib Figure
    axes : Axes, or an array of Axes when there is more than one panel
    """
    figure = Figure(figsize=(WIDTH, height), layout="constrained")  # not in pyplot: shown once
    finding, measure = textwrap.fill(finding, 43), textwrap.fill(measure, 60)
    figure.suptitle(finding, x=0.01, ha="left", fontsize=14, fontweight="bold")
    body = figure.add_subfigure(figure.add_gridspec(1, 1)[0, 0])
    body.suptitle(measure, x=0.01, ha="left", fontsize=12, color=MUTED)
    return figure, body.subplots(rows, columns, **options)


def table(frame: pd.DataFrame, *, caption: str, sources: Sequence[str], decimals: int = 1):
    """A small table for reading: at most 6 columns and 12 rows, units in the headers.

    Parameters
    ----------
    frame : DataFrame
        The index is printed as the row headers.
    caption : str
    sources : sequence of str
        Ids in ``data/sources.csv``.
    decimals : int
        Decimals of the numbers that are not whole.

    Raises
    ------
    FigureError
        If the frame is larger than a reader can take in, or has no caption or source.
    """
    if len(frame) > 12 or frame.shape[1] > 6:
        raise FigureError(f"table {caption!r}: {frame.shape} is more than 12 rows by 6 columns")
    if not caption.strip():
        raise FigureError("a table needs a caption")
    _check_sources(f"table {caption!r}", sources)
    return TableShown(frame, " ".join(caption.split()), tuple(sources), decimals)


@dataclass(frozen=True)
class TableShown:
    """A table as HTML with row and column headers marked as such."""

    frame: pd.DataFrame
    caption: str
    sources: tuple[str, ...]
    decimals: int

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self._repr_html_(), "text/plain": self.frame.to_string()}, {
            "taobao_villages": {"sources": list(self.sources)}
        }

    def _repr_html_(self) -> str:
        head = "".join(
            f'<th scope="col">{html.escape(str(name))}</th>'
            for name in [self.frame.index.name or "", *self.frame.columns]
        ).replace('<th scope="col"></th>', "<td></td>")
        body = "".join(
            f'<tr><th scope="row">{html.escape(str(label))}</th>'
            + "".join(f"<td>{html.escape(self._cell(value))}</td>" for value in row)
            + "</tr>"
            for label, row in zip(self.frame.index, self.frame.to_numpy(object), strict=True)
        )
        return (
            f'<div class="table-scroll" tabindex="0" role="region" '
            f'aria-label="{html.escape(self.caption)}"><table class="reading">'
            f"<caption>{html.escape(self.caption)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def _cell(self, value: Any) -> str:
        if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
            return "no data"
        if isinstance(value, bool | np.bool_):
            return "yes" if value else "no"
        if isinstance(value, int | np.integer):
            return f"{value:,}"
        if isinstance(value, float | np.floating):
            return f"{value:,.{self.decimals}f}"
        return str(value)


def listing(frame: pd.DataFrame, *, caption: str, source_column: str = "source_id") -> ListingShown:
    """A long table to look things up in: it scrolls, and on the page it sorts and filters.

    Parameters
    ----------
    frame : DataFrame
        One row an entry, the first column its row header; the index is not shown. Numbers and
        dates as text or numbers; units in the headers.
    caption : str
    source_column : str
        Column with the ids of each row's sources, separated by semicolons; on the page each is a
        link.

    Raises
    ------
    FigureError
        If there is no row, no caption, no such column, or a row without a known source.
    """
    caption = " ".join(caption.split())
    if frame.empty or not caption:
        raise FigureError(f"listing {caption!r}: it needs rows and a caption")
    if source_column not in frame.columns:
        raise FigureError(f"listing {caption!r}: no column {source_column!r}")
    for cell in frame[source_column]:
        _check_sources(f"listing {caption!r}", [part for part in str(cell).split(";") if part])
    return ListingShown(frame.reset_index(drop=True), caption, source_column)


@dataclass(frozen=True)
class ListingShown:
    """A long table: plain HTML in a notebook, links, sorting and a filter on the book's page."""

    frame: pd.DataFrame
    caption: str
    source_column: str

    def rows(self) -> list[list[str]]:
        """The cells as text, row by row."""
        return [[_printed(value) for value in row] for row in self.frame.to_numpy(object)]

    def _repr_mimebundle_(self, include=None, exclude=None):
        about = {
            "caption": self.caption,
            "head": [str(name) for name in self.frame.columns],
            "rows": self.rows(),
            "source_column": int(self.frame.columns.get_loc(self.source_column)),
        }
        plain = {"text/html": self._repr_html_(), "text/plain": self.frame.to_string()}
        return plain, {"taobao_villages": {"listing": about}}

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{html.escape(str(c))}</th>' for c in self.frame.columns)
        body = "".join(
            f'<tr><th scope="row">{html.escape(row[0])}</th>'
            + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
            + "</tr>"
            for row in self.rows()
        )
        return (
            f'<div class="long-table" style="max-height: 30rem; overflow: auto" tabindex="0" '
            f'role="region" aria-label="{html.escape(self.caption)}"><table class="reading">'
            f"<caption>{html.escape(self.caption)}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )


def _printed(value: Any) -> str:
    """A cell of a long table; missing is "no data"."""
    return "no data" if pd.isna(value) else str(value)


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


# ---- a figure with a slider --------------------------------------------------------------------

# Shows the control, and on each move the step's marks and words; nothing else on the page.
SLIDER_SCRIPT = """(function () {
  var box = document.getElementById(ID), control = box.querySelector("input");
  var said = box.querySelector("output");
  function show() {
    box.querySelectorAll("[data-step]").forEach(function (mark) {
      mark.style.display = mark.dataset.step === control.value ? "" : "none";
    });
    said.textContent = STEPS[control.value][1];
    control.setAttribute("aria-valuetext", STEPS[control.value][0]);
  }
  control.addEventListener("input", show);
  box.querySelector(".slider-control").hidden = false;
  show();
})();"""


@dataclass(frozen=True)
class Slider:
    """A figure of which a slider shows one step at a time; without scripts, the first shown."""

    name: str
    svg: str
    label: str
    steps: tuple[tuple[str, str], ...]
    start: int
    alt: str
    caption: str
    sources: tuple[str, ...]
    csv: str

    def _repr_mimebundle_(self, include=None, exclude=None):
        about = {
            "name": self.name,
            "caption": self.caption,
            "sources": list(self.sources),
            "csv": self.csv,
        }
        return {"text/html": self._repr_html_(), "text/plain": self.alt}, {"taobao_villages": about}

    def _repr_html_(self) -> str:
        box, last = f"slider-{self.name}", len(self.steps) - 1
        script = SLIDER_SCRIPT.replace("ID", json.dumps(box))
        script = script.replace("STEPS", json.dumps(self.steps).replace("</", "<\\/"))
        return (
            f'<div class="slider" id="{box}">{self.svg}'
            f'<p class="slider-control" hidden><label for="{box}-input">{html.escape(self.label)}'
            f'</label> <input id="{box}-input" type="range" min="0" max="{last}" step="1" '
            f'value="{self.start}"></p>'
            f'<p><output for="{box}-input" aria-live="polite">'
            f"{html.escape(self.steps[self.start][1])}</output></p>"
            f"<script>{script}</script></div>"
        )


def slider(
    figure: Figure,
    steps: Mapping[str, tuple[Sequence[Artist], str]],
    *,
    label: str,
    name: str,
    caption: str,
    alt: str,
    sources: Sequence[str],
    frame: pd.DataFrame,
    start: int = 0,
) -> Slider:
    """Finish a figure that shows one step of several at a time, moved by a slider.

    All steps are drawn at once into one SVG; a few lines of script, in the page itself, hide all
    but one. It needs no server, can be moved by the keyboard, says each step in words, and is a
    plain picture of the step `start` where scripts are off.

    Parameters
    ----------
    figure : matplotlib Figure
    steps : mapping of str to (sequence of Artist, str)
        At least two. The name of each step, the marks that belong to it alone, and a sentence
        that says what the step shows.
    label : str
        What is moved, for example "Cost of a shop".
    name, caption, alt, sources, frame
        As for `show`.
    start : int
        Position of the step that is shown first.

    Raises
    ------
    FigureError
        As `show`, with the texts checked step by step; for fewer than two steps, a step without
        marks or words, a `start` that is no step, or an SVG of more than `MAX_SVG_BYTES`.
    """
    alt, caption = _checked(name, alt, caption, sources, frame)
    if len(steps) < 2 or not all(marks and words.strip() for marks, words in steps.values()):
        raise FigureError(f"figure {name}: a slider needs two steps, each with marks and words")
    if not 0 <= start < len(steps):
        raise FigureError(f"figure {name}: start is {start}, not a step of {len(steps)}")
    if not label.strip():
        raise FigureError(f"figure {name}: a slider needs a label")
    groups = [list(marks) for marks, _ in steps.values()]
    for shown in groups:
        for marks in groups:
            for mark in marks:
                mark.set_visible(marks is shown)
        _check_texts(name, figure)
        _check_struck(name, figure)
    for position, marks in enumerate(groups):
        for number, mark in enumerate(marks):
            mark.set_visible(True)
            mark.set_gid(f"{name}-step-{position}-{number}")
    _stop_grid(figure)
    svg = _save(figure, "svg").decode("utf-8")
    if len(svg) > MAX_SVG_BYTES:
        raise FigureError(f"figure {name}: {len(svg)} bytes are too many: draw fewer points")
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg[svg.index("<svg ") :], flags=re.S)
    svg = svg.replace("*{stroke", f"#slider-{name} svg *{{stroke", 1)  # not the rest of the page
    svg = re.sub(
        rf'<g id="{name}-step-(\d+)-',
        lambda found: (
            f'<g data-step="{found[1]}"'
            + ("" if int(found[1]) == start else ' style="display:none"')
            + f' id="{name}-step-{found[1]}-'
        ),
        svg,
    )
    size = figure.get_size_inches() * 96
    svg = re.sub(
        r"<svg ([^>]*?)>",
        lambda found: (
            f'<svg role="img" aria-label="{html.escape(alt)}" '
            f'style="max-width:100%;width:{size[0]:.0f}px;height:auto;background:{PAPER}" '
            + re.sub(r'\b(?:width|height)="[^"]*"\s*', "", found[1])
            + ">"
        ),
        svg,
        count=1,
    )
    return Slider(
        name=name,
        svg=svg,
        label=label,
        steps=tuple((step, " ".join(words.split())) for step, (_, words) in steps.items()),
        start=start,
        alt=alt,
        caption=caption,
        sources=tuple(sources),
        csv=frame.to_csv(index=False, lineterminator="\n"),
    )
