"""The article's assertions against the claims that are to test them."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from taobao_villages.data.loading import fault_at, load

TABLE = "literature/coverage"
PLACE = ["section", "paragraph", "sentence", "part"]
NEAR = ("hedge_dropped", "other_thing")  # grounds on which a claim comes near and does not say it
GROUNDS = {  # by status; a covered assertion needs none
    "covered": ("",),
    "missing": ("no_claim", *NEAR),
    "excused": ("definition", "article", "judgement", "background", "repetition"),
}


def assertion_faults() -> Iterator[str]:
    """Every assertion has its claims or its reason, and every claim stands for an assertion."""
    rows = load(TABLE).fillna("")
    first: dict[str, str] = {}  # ground of each row so far
    before = ("", 0, 0)
    for index, row in rows.iterrows():
        here = (row["section"], row["paragraph"], row["sentence"])
        if here not in _may_follow(before, row["section"]):
            problem = f"{' '.join(map(str, here))} after {' '.join(map(str, before)).strip()}"
            remedy = "keep the article's order; each sentence has a row"
            yield fault_at(TABLE, int(str(index)), "sentence", problem, remedy)
        before = here
        for column, problem, remedy in _faults_of(row, first):
            yield fault_at(TABLE, int(str(index)), column, problem, remedy)
        first[" ".join(map(str, row[PLACE]))] = row["ground"]
    named = set(rows["claim_ids"].str.split(";").explode())
    for index, claim in load("claims")["claim_id"].items():
        if claim not in named:
            problem, remedy = f"no assertion of {TABLE} names {claim}", "name it at the sentence"
            yield fault_at("claims", int(str(index)), "claim_id", problem, remedy)


def _may_follow(before: tuple[str, int, int], section: str) -> list[tuple[str, int, int]]:
    """Places of a row in `section` after the row `before`: of the same sentence or the next."""
    last, paragraph, sentence = before
    if section != last:
        return [(section, 1, 1)]
    return [before, (section, paragraph, sentence + 1), (section, paragraph + 1, 1)]


def _faults_of(row: pd.Series, first: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Column, problem and remedy for each fault of a row; `first` has the rows before it."""
    status, ground = row["status"], row["ground"]
    if ground not in GROUNDS[status]:
        remedy = f"use {' or '.join(name or 'none' for name in GROUNDS[status])}"
        yield "ground", f"{ground or 'none'} for an assertion that is {status}", remedy
    if (row["claim_ids"] != "") != (status == "covered" or ground in NEAR):
        problem = f"{row['claim_ids'] or 'no claim'} for {' '.join((status, ground)).strip()}"
        yield "claim_ids", problem, "name the claims, or correct status or ground"
    if (row["reason"] != "") != (status != "covered"):
        problem = "covered, with a reason" if row["reason"] else f"{status} without a reason"
        yield "reason", problem, "say what is missing, or why it is excused; no more"
    if ground == "judgement" and row["kind"] != "judgement":
        yield "ground", f"{row['kind']}, excused as a judgement", "correct kind or ground"
    if (row["repeats"] != "") != (ground == "repetition"):
        problem = f"{row['repeats'] or 'no place'} for {ground or 'no ground'}"
        yield "repeats", problem, "name the row that says it first, or correct the ground"
    elif row["repeats"] and first.get(row["repeats"], "repetition") == "repetition":
        problem = f"{row['repeats']!r} is no row before this one that says it first"
        yield "repeats", problem, "name the row that says it first"
