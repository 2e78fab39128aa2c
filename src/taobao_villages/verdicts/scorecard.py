"""The scorecard: verdicts beside the strength of their sources, and why a claim holds in part."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from taobao_villages import data
from taobao_villages.verdicts import card
from taobao_villages.verdicts import ledger as registry
from taobao_villages.verdicts.claims import VERDICTS, Rule


def tally(verdicts: Sequence[str]) -> str:
    """How many claims have each verdict, as the predicate of a sentence that is right for any."""

    def told(verdict: str) -> str:
        count = verdicts.count(verdict)
        return f"{card.number(count)} are" if count > 1 else f"{count or 'none'} is"

    first, part, failed, against, _ = VERDICTS
    untested = verdicts.count(VERDICTS[-1])
    return (
        f"{told(first)} {first}, {told(part)} {part}, {told(failed)} {failed}, {told(against)} "
        f"{against}, and {f'{card.number(untested)} cannot' if untested else 'all can'} be tested"
    )


def strength(sources: Sequence[str]) -> str:
    """How well a claim's evidence is sourced.

    Parameters
    ----------
    sources : sequence of str
        Ids in ``data/sources.csv``.

    Returns
    -------
    {"strong", "medium", "thin"}
        Strong with at least two sources of grade A or B; medium with one of them, or with three
        or more others; else thin. It says nothing about the size of a sample.
    """
    grades = data.sources(sorted(set(sources)))["reliability"]
    good = int(grades.isin(["A", "B"]).sum())
    if good >= 2:
        return "strong"
    return "medium" if good == 1 or len(grades) >= 3 else "thin"


def scorecard(ledger: Sequence[dict] | None = None) -> pd.DataFrame:
    """Every claim with its verdict and the strength of its evidence.

    Parameters
    ----------
    ledger : sequence of dict, optional
        From `ledger.ledger`; computed if not given.

    Returns
    -------
    DataFrame
        Indexed by ``claim_id``; ``section``, ``argument``, ``verdict``, ``strength``,
        ``statement``.
    """
    rows = registry.ledger() if ledger is None else ledger
    return pd.DataFrame(
        [
            {
                "claim_id": row["id"],
                "section": row["section"],
                "argument": row["argument"],
                "verdict": row["verdict"],
                "strength": strength(row["sources"]) if row["sources"] else "thin",
                "statement": row["statement"],
            }
            for row in rows
        ]
    ).set_index("claim_id")


CAUSES = {  # why a claim is reproduced in part only: keys for the prose, words for the reader
    "cap": "the rule can say no more than in part",
    "unread": "a source that would decide was not read or not found",
    "choice": "another choice, of a definition say, gives reproduced",
    "other": "one part of the claim holds and another does not, or is not known",
}
UNREAD = re.compile(
    r"(?:could not|was not|were not) (?:be )?(?:read|found)|the article alone|No other source"
)


def can_be_reproduced(rule: Rule) -> bool:
    """Whether the code of a rule can return "reproduced" at all."""
    code = ast.parse(textwrap.dedent(inspect.getsource(rule.decide)).strip().rstrip(","))
    return any(
        isinstance(node, ast.Constant) and node.value == "reproduced" for node in ast.walk(code)
    )


def causes(rows: Sequence[Mapping[str, Any]]) -> pd.Series:
    """Why each claim in part is not reproduced in full: the first of `CAUSES` that applies.

    Parameters
    ----------
    rows : sequence of mapping
        The ledger with variants.

    Returns
    -------
    Series of str
        Indexed by ``claim_id``; keys of `CAUSES`.
    """
    declared = {claim.id: claim for claim in registry.declared()}
    found = {}
    for row in rows:
        if row["verdict"] != "reproduced in part":
            continue
        if not can_be_reproduced(declared[row["id"]].rule):
            cause = "cap"
        elif UNREAD.search(row["reason"]):
            cause = "unread"
        else:
            cause = "choice" if "reproduced" in row["variants"]["shares"] else "other"
        found[row["id"]] = cause
    return pd.Series(found, name="cause", dtype=str)
