"""Figures and tables of the book: the house style, maps, and how they are shown.

A notebook cell ends in ``figures.show(...)`` or ``figures.table(...)``. A figure without an
alt text, a caption or a source raises, so that none can reach a page.
"""

from taobao_villages.figures.axes import moment, year_axis
from taobao_villages.figures.maps import (
    outline_map,
    specification_curve,
    tile_map,
    verdict_bars,
)
from taobao_villages.figures.shown import FigureError, Shown, canvas, show
from taobao_villages.figures.sliders import Slider, slider
from taobao_villages.figures.style import (
    ACCENT,
    FORECASTS,
    GREY,
    GRID,
    HATCHES,
    INK,
    LIGHT,
    MUTED,
    NO_DATA,
    PAPER,
    SECOND,
    SEQUENCE,
    VERDICTS,
    WIDTH,
    use_house_style,
)
from taobao_villages.figures.tables import listing, table

__all__ = [
    "ACCENT",
    "FORECASTS",
    "GREY",
    "GRID",
    "HATCHES",
    "INK",
    "LIGHT",
    "MUTED",
    "NO_DATA",
    "PAPER",
    "SECOND",
    "SEQUENCE",
    "VERDICTS",
    "WIDTH",
    "FigureError",
    "Shown",
    "Slider",
    "canvas",
    "listing",
    "moment",
    "outline_map",
    "show",
    "slider",
    "specification_curve",
    "table",
    "tile_map",
    "use_house_style",
    "verdict_bars",
    "year_axis",
]
