"""Tables of the book: short ones to read, long ones to sort and filter."""

from __future__ import annotations

import html
from collections.abc import Sequence
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
