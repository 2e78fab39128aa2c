"""The coded cases: places that people wrote about, and what the sources say of each.

A code that is absent was not reported; it is not absent in the place. Codes that say the same
are joined to one concept by the codebook. The cases were coded twice; the second pass knew the
places and the codebook, not the first pass, and could often read the opening of a text only.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from statsmodels.stats.inter_rater import cohens_kappa

from taobao_villages import data

CODERS = ("first", "second", "either")
OTHER_TEXT = "project_second_pass"  # a text of the second pass that is not among the sources
# Dimensions whose concepts exclude one another: the passes contradict each other where each
# reports at least one and they share none.
EXCLUSIVE = ("gov_timing", "initiator")


@data.cached
def places() -> pd.DataFrame:
    """The cases, with the name that tables and figures give them and where they lie.

    Returns
    -------
    DataFrame
        Indexed by ``case_id``; columns ``place`` (short name), ``region4``, ``inland`` (True
        outside the statistics office's East), ``off_coast`` (True in a province without a
        coast), ``village`` (True for a village or town, False for a county or prefecture as a
        whole and for totals that hold other cases), ``recognised`` (year, NaN if not known).
    """
    cases = data.load("cases/cases").set_index("case_id")
    coast = data.load("provinces/provinces").set_index("province_code")["coastal"]
    return pd.DataFrame(
        {
            "place": cases["short_name"],
            "region4": cases["region4"],
            "inland": cases["region4"] != "East",
            "off_coast": ~cases["province_code"].map(coast).astype(bool),
            "village": cases["level"].isin(["village", "town"]),
            "recognised": cases["year_first_recognised"].astype(float),
        }
    )


@data.cached
def codes(*, coder: str = "first", doubtful: bool = True, later: bool = True) -> pd.DataFrame:
    """What is coded of the cases.

    Parameters
    ----------
    coder : {"first", "second", "either"}
        The pass of coding. "either" has every code of both; one that both have stands once, from
        the first.
    doubtful : bool
        Keep codes that the coder inferred.
    later : bool
        Keep codes that were added after the second pass, which could not find them.

    Returns
    -------
    DataFrame
        Columns ``case_id``, ``dimension``, ``code``, ``concept``, ``value``, ``about``,
        ``source_id``, ``paraphrase``; one row a code and source. The second pass has no values
        and does not say what a row is about.

    Raises
    ------
    ValueError
        For another coder.
    """
    if coder not in CODERS:
        raise ValueError(f"coder is {coder!r}; use one of {', '.join(CODERS)}")
    book = data.load("cases/codebook").rename(columns={"group": "concept"})
    parts = []
    if coder != "second":
        first = data.load("cases/case_codes")
        if not doubtful:
            first = first[first["certainty"] == "clear"]
        if not later:
            first = first[~first["since_second_pass"]]
        parts.append(first.drop(columns="certainty"))
    if coder != "first":
        second = data.load("cases/second_pass").rename(columns={"reason": "paraphrase"})
        if not doubtful:
            second = second[second["certainty"] == "clear"]
        unsaid = {name: pd.Series(dtype="str") for name in ("value", "about")}
        second = second.drop(columns="certainty").assign(**unsaid)
        if parts:
            keys = ["case_id", "dimension", "code"]
            new = ~pd.MultiIndex.from_frame(second[keys]).isin(
                pd.MultiIndex.from_frame(parts[0][keys])
            )
            second = second[new]
        parts.append(second)
    rows = pd.concat(parts).merge(
        book[["dimension", "code", "concept"]], on=["dimension", "code"], how="left"
    )
    columns = ["case_id", "dimension", "code", "concept", "value", "about", "source_id"]
    return rows[[*columns, "paraphrase"]].reset_index(drop=True)


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


# ---- do the two passes agree? --------------------------------------------------------------------


def units(*, doubtful: bool = True, listed: bool = False) -> pd.DataFrame:
    """Every pair of a case that was read twice and a concept; codes added later are left out.

    Parameters
    ----------
    doubtful : bool
        Keep codes that a coder inferred.
    listed : bool
        Of the second pass, only codes from texts that are among the sources, so that the first
        pass could have read them.

    Returns
    -------
    DataFrame
        Columns ``case_id``, ``dimension``, ``concept``, ``first``, ``second`` (reported or not).
    """
    coverage = data.load("cases/second_coverage")
    cases = coverage.loc[coverage["comparable"], "case_id"]
    book = data.load("cases/codebook").rename(columns={"group": "concept"})
    grid = book[["dimension", "concept"]].drop_duplicates().merge(cases, how="cross")
    for coder in ("first", "second"):
        found = codes(coder=coder, doubtful=doubtful, later=False)
        if listed and coder == "second":
            found = found[found["source_id"] != OTHER_TEXT]
        found = found[["case_id", "dimension", "concept"]].drop_duplicates()
        grid = grid.merge(found.assign(**{coder: True}), how="left")
        grid[coder] = grid[coder].eq(True)
    return grid[["case_id", "dimension", "concept", "first", "second"]]


def agreement(*, doubtful: bool = True, listed: bool = False) -> pd.DataFrame:
    """Agreement of the two passes by dimension.

    Parameters
    ----------
    doubtful, listed : bool
        See `units`.

    Returns
    -------
    DataFrame
        Indexed by ``dimension``, highest kappa first; counts ``both``, ``first_only``,
        ``second_only``, ``neither``; ``found_again`` (share of the first pass's codes that the
        second reports too, percent) and ``kappa`` (Cohen 1960; NaN where a pass reports nothing).

    Notes
    -----
    The second pass often saw the beginning of a text only, so a code that it lacks says little.
    """
    rows = {}
    for dimension, pairs in units(doubtful=doubtful, listed=listed).groupby("dimension"):
        first, second = pairs["first"], pairs["second"]
        table = np.array(
            [
                [(first & second).sum(), (first & ~second).sum()],
                [(~first & second).sum(), (~first & ~second).sum()],
            ]
        )
        told = first.any() and second.any()
        rows[dimension] = {
            "both": int(table[0, 0]),
            "first_only": int(table[0, 1]),
            "second_only": int(table[1, 0]),
            "neither": int(table[1, 1]),
            "found_again": 100 * table[0, 0] / table[0].sum() if first.any() else np.nan,
            "kappa": float(cohens_kappa(table, return_results=False)) if told else np.nan,
        }
    found = pd.DataFrame.from_dict(rows, orient="index").rename_axis("dimension")
    return found.sort_values("kappa", ascending=False)


def disagreements() -> pd.DataFrame:
    """Every pair of a case and a concept that one pass reports and the other does not.

    Returns
    -------
    DataFrame
        Columns ``case_id``, ``dimension``, ``concept``, ``reported_by`` ("first pass" or "second
        pass"), ``doubtful`` (whether that pass is sure of none of its codes for the concept) and
        ``source_id`` (where it read that, separated by semicolons).
    """
    keys = ["case_id", "dimension", "concept"]
    apart = units().query("first != second")
    parts = []
    for coder in ("first", "second"):
        found = codes(coder=coder, later=False).groupby(keys)["source_id"]
        where = found.agg(
            lambda ids: ";".join(sorted({i for cell in ids for i in cell.split(";")}))
        )
        rows = apart.loc[apart[coder], keys].merge(where.reset_index(), on=keys)
        sure = pd.MultiIndex.from_frame(codes(coder=coder, doubtful=False, later=False)[keys])
        doubtful = ~pd.MultiIndex.from_frame(rows[keys]).isin(sure)
        parts.append(rows.assign(reported_by=f"{coder} pass", doubtful=doubtful))
    columns = [*keys, "reported_by", "doubtful", "source_id"]
    return pd.concat(parts).sort_values(keys, ignore_index=True)[columns]


def contradictions() -> pd.DataFrame:
    """Cases on which the passes exclude each other, and how each was settled.

    Returns
    -------
    DataFrame
        Columns ``case_id``, ``dimension``, ``first``, ``second`` (concepts reported),
        ``decision`` and ``reason``; the last two from ``cases/settled``, missing if not settled.
    """
    sets = {}
    for coder in ("first", "second"):
        told = codes(coder=coder, later=False)
        told = told[told["dimension"].isin(EXCLUSIVE)]
        sets[coder] = told.groupby(["case_id", "dimension"])["concept"].agg(frozenset)
    pairs = pd.DataFrame(sets).dropna()
    apart = pairs[[not one & two for one, two in zip(pairs["first"], pairs["second"], strict=True)]]
    shown = apart.map(lambda concepts: ", ".join(sorted(concepts))).reset_index()
    settled = data.load("cases/settled")[["case_id", "dimension", "decision", "reason"]]
    return shown.merge(settled, how="left", on=["case_id", "dimension"])


def one_of(name: str, value: str, allowed: Iterable[str]) -> None:
    if value not in (known := tuple(allowed)):
        raise ValueError(f"{name} is {value!r}; use one of {', '.join(known)}")


ARTICLE = "li2017"
CODEBOOK = ("project_codebook",)  # whoever counts codes also uses it


# ---- what all of them need -----------------------------------------------------------------------


def witnessed(article_as_witness: str, coder: str, doubtful: bool) -> pd.DataFrame:
    """Codes of the cases, with or without those that rest on the article alone."""
    if article_as_witness not in ("not counted", "counted"):
        raise ValueError(
            f"article_as_witness is {article_as_witness!r}; use 'not counted' or 'counted'"
        )
    rows = codes(coder=coder, doubtful=doubtful)
    return rows if article_as_witness == "counted" else rows[rows["source_id"] != ARTICLE]
