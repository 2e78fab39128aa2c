"""The way from a claim, a table, a row or a source to the sources: ``sources C19``."""

from __future__ import annotations

import re

import pandas as pd

from taobao_villages import data

NO_EVIDENCE = {"claims", "sources"}  # read by every claim, for its wording and its sources' names
RUNS = 12  # a longer list of lines is cut


def trace(what: str) -> list[str]:
    """The way from a claim, a table, a row or a source to the sources, a line each.

    Raises
    ------
    DataError
        If there is nothing of that name.
    """
    table, _, line = what.partition(":")
    if re.fullmatch("C[0-9]{2}", what):
        return _claim(what)
    if table in data.tables():
        return _row(table, line) if line else _table(table)
    if what in data.sources().index:
        used = ", ".join(data.used_by().get(what, []))
        return [*_source(what), f"  used in {used}"]
    remedy = "use a claim (C19), a table, a table with a line (villages/national:12) or a source id"
    raise data.DataError([f"there is no claim, table or source {what!r}. Remedy: {remedy}"])


def _source(source: str) -> list[str]:
    row = data.sources([source]).iloc[0]
    date = row["date"] or "no date"
    lines = [
        f"{source}: {row['title']}",
        f"  {row['publisher']}, {date}; {row['kind']}, reliability {row['reliability']}",
    ]
    if row["address"]:
        lines.append(f"  {row['address']}")
    if row["address_read"] and row["address_read"] != row["address"]:
        lines.append(f"  read at {row['address_read']}")
    return lines


def _claim(claim_id: str) -> list[str]:
    from taobao_villages.verdicts import (
        card,
        ledger,  # chapters are slow to import
    )

    table = data.load("claims").set_index("claim_id")
    if claim_id not in table.index:
        raise data.DataError([f"there is no claim {claim_id}. Remedy: see data/claims.csv"])
    declared = {claim.id: claim for claim in ledger.declared()}
    if claim_id not in declared:
        named = [n for n in data.tables() if claim_id in data.schema(n).get("used_for", [])]
        return [
            f"{claim_id}, in our words: {table.loc[claim_id, 'paraphrase']}",
            "  no chapter computes it yet",
            f"  tables meant for it: {', '.join(named) or 'none'}",
        ]
    with data.reads() as read:
        entry = declared[claim_id].judge().as_dict()
    lines = [f"{claim_id}, in our words: {entry['statement']}"]
    lines += [f"  {term}: {text}" for term, text in card.panel_lines(entry)[1:]]
    for name in sorted(read - NO_EVIDENCE):
        lines += [_lines_read(name, set(entry["sources"])), *_lines_chosen(name, claim_id)]
    used = data.used_by()
    for source in entry["sources"]:
        lines += [*_source(source), f"  used in {', '.join(used.get(source, []))}"]
    return lines


def _lines_read(table: str, sources: set[str]) -> str:
    """A table that a claim read, with the lines of its file that rest on the claim's sources."""
    rows = data.load(table)
    lines = [n for n, ids in enumerate(data.cited(table), start=2) if ids & sources]
    runs: list[list[int]] = []
    for line in lines:
        if runs and line == runs[-1][1] + 1:
            runs[-1][1] = line
        else:
            runs.append([line, line])
    told = [str(a) if a == b else f"{a}-{b}" for a, b in runs]
    if len(told) > RUNS:
        told = [*told[:RUNS], f"and {sum(b - a + 1 for a, b in runs[RUNS:])} more"]
    where = f": lines {', '.join(told)}" if told else ""
    return f"  reads {table}, {len(lines)} of {len(rows)} rows from the sources below{where}"


def _lines_chosen(table: str, claim_id: str) -> list[str]:
    """The lines of a table that bear on a claim in a role of their own, by role."""
    lines = []
    for role, meaning in data.roles(table).items():
        if role.startswith(f"{claim_id}:"):
            rows = [str(index + 2) for index in data.bearing(table, role).index]
            lines.append(f"    {role} ({meaning}): lines {', '.join(rows) or 'none'}")
    return lines


def _table(table: str) -> list[str]:
    from taobao_villages.verdicts import card

    about = data.schema(table)
    rows = data.load(table)
    lines = [
        f"{table}: {about['title']}",
        f"  {card.counted(len(rows), 'row')} in data/{about['path']}",
    ]
    if about.get("used_for"):
        lines.append(f"  meant for {', '.join(about['used_for'])}")
    lines += [f"  gap: {gap}" for gap in about.get("gaps", [])]
    if table == "sources":
        return lines
    citing = rows["source_id"].str.split(";").explode().value_counts()
    for source in data.source_ids(rows["source_id"]):
        lines += [*_source(source), f"  {card.counted(citing[source], 'row')}"]
    return lines


def _row(table: str, line: str) -> list[str]:
    rows = data.load(table)
    if not line.isdecimal() or not 2 <= int(line) <= len(rows) + 1:
        remedy = f"use 2 to {len(rows) + 1}; line 1 is the header"
        raise data.DataError([f"{table} has no row in line {line!r}. Remedy: {remedy}"])
    row = rows.iloc[int(line) - 2]
    lines = [f"{table}, line {line}"]
    lines += [f"  {name}: {value}" for name, value in row.items() if not pd.isna(value)]
    if table == "sources":
        return lines
    if "figure" in data.schema(table):
        number = data.support(table).iloc[int(line) - 2]
        one = "one source only" if number == 1 else f"{number} sources"
        lines.append(f"  the figure rests on {one} in this table")
    for source in data.source_ids([row["source_id"]]):
        lines += _source(source)
    return lines
