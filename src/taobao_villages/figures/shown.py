"""A finished figure: checked, saved as SVG, with its alt text, caption, sources and numbers.

A figure without an alt text, a caption or a source raises, so that none can reach a page.
"""

from __future__ import annotations

import base64
import io
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from taobao_villages import data
from taobao_villages.figures.style import MUTED, PAPER, WIDTH

PHONE = 316  # CSS pixels that a figure gets on a 360 px phone
MIN_PHONE_TEXT = 9  # CSS pixels, on that phone
MAX_SVG_BYTES = 200_000


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
    alt, caption = checked(name, alt, caption, sources, frame)
    check_texts(name, figure)
    check_struck(name, figure)
    stop_grid(figure)

    svg = save(figure, "svg")
    svg = re.sub(rb"<!--.*?-->|<metadata>.*?</metadata>", b"", svg, flags=re.S)
    small = len(svg) <= MAX_SVG_BYTES
    size = figure.get_size_inches() * 96
    shown = Shown(
        name=name,
        mime="image/svg+xml" if small else "image/png",
        content=svg if small else save(figure, "png"),
        alt=alt,
        caption=caption,
        sources=tuple(sources),
        width=round(size[0]),
        height=round(size[1]),
        csv=frame.to_csv(index=False, lineterminator="\n"),
    )
    return shown


def checked(
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
    check_sources(f"figure {name}", sources)
    if frame.empty:
        raise FigureError(f"figure {name}: the frame of drawn numbers is empty")
    return alt, caption


def save(figure: Figure, form: str) -> bytes:
    buffer = io.BytesIO()
    stamp = {"Date": None} if form == "svg" else {"Software": None}
    figure.savefig(buffer, format=form, dpi=96 if form == "svg" else 192, metadata=stamp)
    if form == "svg":
        return buffer.getvalue()
    packed = io.BytesIO()  # flat colours: a palette of 256 halves the bytes
    Image.open(buffer).convert("RGB").quantize(256).save(packed, "png", optimize=True)
    return packed.getvalue()


def check_sources(what: str, sources: Sequence[str]) -> None:
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


def check_texts(name: str, figure: Figure) -> None:
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


def stop_grid(figure: Figure) -> None:
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


def check_struck(name: str, figure: Figure) -> None:
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
