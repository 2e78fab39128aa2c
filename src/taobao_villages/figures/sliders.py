"""A figure with a slider: one picture for each position, chosen without a server."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Template

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from taobao_villages import PACKAGE
from taobao_villages.figures.shown import (
    MAX_SVG_BYTES,
    FigureError,
    check_struck,
    check_texts,
    checked,
    save,
    stop_grid,
)
from taobao_villages.figures.style import PAPER

# Its script shows the control, and on each move the step's marks and words; nothing else.
TEMPLATE = Template((PACKAGE / "figures" / "sliders.html").read_text("utf-8"))


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
        return TEMPLATE.substitute(
            box=f"slider-{self.name}",
            svg=self.svg,
            label=html.escape(self.label),
            last=len(self.steps) - 1,
            start=self.start,
            words=html.escape(self.steps[self.start][1]),
            steps=json.dumps(self.steps).replace("</", "<\\/"),
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
    alt, caption = checked(name, alt, caption, sources, frame)
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
        check_texts(name, figure)
        check_struck(name, figure)
    for position, marks in enumerate(groups):
        for number, mark in enumerate(marks):
            mark.set_visible(True)
            mark.set_gid(f"{name}-step-{position}-{number}")
    stop_grid(figure)
    svg = save(figure, "svg").decode("utf-8")
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
