"""House style of the figures: palette, sizes, and the look of every plot of a session."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import seaborn as sns

WIDTH = 5.625  # inches; 540 CSS pixels
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
