"""Tables of the book: short ones to read, long ones to sort and filter."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from taobao_villages.figures.shown import FigureError, check_sources


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
    check_sources(f"table {caption!r}", sources)
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
        head = [self.frame.index.name or "", *self.frame.columns]
        cells = [map(self._cell, row) for row in self.frame.to_numpy(object)]
        rows = [[label, *row] for label, row in zip(self.frame.index, cells, strict=True)]
        return marked_up(self.caption, head, rows, '"table-scroll"')

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
        check_sources(f"listing {caption!r}", [part for part in str(cell).split(";") if part])
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
        kind = '"long-table" style="max-height: 30rem; overflow: auto"'
        return marked_up(self.caption, self.frame.columns, self.rows(), kind)


def marked_up(caption: str, head: Iterable[Any], rows: Iterable[Sequence[Any]], kind: str) -> str:
    """HTML of a table in a box of that kind that scrolls, its headers marked as such.

    Pandas' own HTML names no scope of a header, and a reader's voice then reads cells alone.
    """
    told = html.escape(caption)
    heads = [f'<th scope="col">{html.escape(str(name))}</th>' for name in head]
    lines = [
        f'<tr><th scope="row">{html.escape(str(row[0]))}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    ]
    return (
        f'<div class={kind} tabindex="0" role="region" aria-label="{told}">'
        f'<table class="reading"><caption>{told}</caption><thead><tr>'
        + "".join(heads).replace('<th scope="col"></th>', "<td></td>")
        + f"</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _printed(value: Any) -> str:
    """A cell of a long table; missing is "no data"."""
    return "no data" if pd.isna(value) else str(value)
