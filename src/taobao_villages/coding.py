"""The coded cases: places that people wrote about, and what the sources say of each.

A code that is absent was not reported; it is not absent in the place. Codes that say the same
are joined to one concept by the codebook.
"""

from __future__ import annotations

import pandas as pd

from taobao_villages import data

CODERS = ("first",)


def codes(*, coder: str = "first", doubtful: bool = True) -> pd.DataFrame:
    """What is coded of the cases.

    Parameters
    ----------
    coder : str
        The pass of coding, one of `CODERS`.
    doubtful : bool
        Keep codes that the coder inferred.

    Returns
    -------
    DataFrame
        Columns ``case_id``, ``dimension``, ``code``, ``concept``, ``value``, ``source_id``,
        ``paraphrase``; one row a code and source.

    Raises
    ------
    ValueError
        For another coder.
    """
    if coder not in CODERS:
        raise ValueError(f"coder is {coder!r}; use one of {', '.join(CODERS)}")
    book = data.load("cases/codebook").rename(columns={"group": "concept"})
    rows = data.load("cases/case_codes").merge(
        book[["dimension", "code", "concept"]], on=["dimension", "code"]
    )
    if not doubtful:
        rows = rows[~rows["paraphrase"].fillna("").str.contains("coder")]
    return rows.reset_index(drop=True)


def reported(
    dimension: str, *concepts: str, coder: str = "first", doubtful: bool = True
) -> set[str]:
    """Cases with at least one code of a dimension.

    Parameters
    ----------
    dimension : str
        For example "spatial_precondition".
    *concepts : str
        Only these, for example "market_or_cluster"; all of the dimension if none is given.
    coder, doubtful : str, bool
        See `codes`.

    Raises
    ------
    ValueError
        For a dimension or concept that the codebook does not have.
    """
    book = data.load("cases/codebook")
    known = set(book.loc[book["dimension"] == dimension, "group"])
    unknown = sorted(set(concepts) - known) if known else [dimension]
    if unknown:
        raise ValueError(f"the codebook has no {', '.join(unknown)}; see cases/codebook")
    rows = codes(coder=coder, doubtful=doubtful)
    told = rows["dimension"] == dimension
    if concepts:
        told &= rows["concept"].isin(concepts)
    return set(rows.loc[told, "case_id"])
