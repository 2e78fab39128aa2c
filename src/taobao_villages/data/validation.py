"""One table against its description: form of the file, cells, keys and references."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from taobao_villages.data.files import (
    cells_of,
    described_roles,
    fault_line,
    file_name,
    file_text,
    parsed_rows,
    schema,
)

SPELLINGS = {  # stricter than Frictionless, which takes 1_000, NaN, fullwidth digits and 1 for true
    "integer": (re.compile("-?[0-9]{1,15}"), "a whole number such as 1311"),
    "number": (re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?"), "a number such as 1311 or 0.5"),
    "boolean": (re.compile("true|false"), "true or false"),
}
BROKEN = {
    "type": "is not of type",
    "minimum": "is below the minimum",
    "maximum": "is above the maximum",
    "enum": "is not one of",
    "pattern": "does not have the form",
}


def file_faults(about: dict[str, Any], text: str) -> list[str]:
    """Columns that are not as described, and files that are cut off."""
    expected = [field["name"] for field in about["schema"]["fields"]]
    lines = parsed_rows(about, text)
    header = lines[0] if lines else []
    back = "put it back, as in datapackage.json"
    out = "take it out, or describe it in datapackage.json"
    faults = [fault_line(about, 1, c, "missing", back) for c in expected if c not in header]
    strange = [c for c in header if c not in expected]
    faults += [
        fault_line(about, 1, c.strip() or "without a title", "not described", out) for c in strange
    ]
    if not faults and header != expected:
        problem = f"the columns are not once each, in the order {', '.join(expected)}"
        faults.append(fault_line(about, 1, header[0], problem, "restore the header"))
    if not faults and not text.endswith("\n"):
        problem = "no line end after the last line: the file may be cut off"
        faults.append(
            fault_line(about, len(lines), expected[-1], problem, "restore it, or end the line")
        )
    if not faults and len(lines) - 1 < about["rows"]:
        problem = f"the file ends after {len(lines) - 1} rows, {about['rows']} are declared"
        remedy = "restore it; if rows were taken out on purpose, lower rows in datapackage.json"
        faults.append(fault_line(about, len(lines), expected[0], problem, remedy))
    return faults


def cell_faults(about: dict[str, Any], text: str) -> list[str]:
    """Rows that are cut off, cells that Frictionless refuses, keys that occur twice."""
    import frictionless  # slow to import, and only a check needs it

    # Its fields are used alone: its Resource first checks the description with jsonschema, which
    # takes 2 s a process and is the part of `frictionless validate`.
    fields = {field["name"]: field for field in about["schema"]["fields"]}
    readers = {
        name: getattr(frictionless.fields, f"{field['type'].title()}Field")(
            name=name, constraints=field.get("constraints", {})
        ).create_cell_reader()
        for name, field in fields.items()
    }
    broken_by = cache(lambda column, cell: readers[column](cell)[1])  # most cells repeat
    key = about["schema"].get("primaryKey", list(fields))
    first: dict[tuple[str, ...], int] = {}
    faults = []
    for row, cells in enumerate(parsed_rows(about, text), start=1):
        if len(cells) != len(fields):
            column = list(fields)[min(len(cells), len(fields) - 1)]
            problem = f"{len(cells)} cells instead of {len(fields)}"
            remedy = "restore the row; a cell with a comma needs quotes"
            faults.append(fault_line(about, row, column, problem, remedy))
            continue
        if row == 1:
            continue
        named = dict(zip(fields, cells, strict=True))
        for column, cell in named.items():
            plain, told = SPELLINGS.get(fields[column]["type"], (None, ""))
            broken = broken_by(column, cell)
            if plain and cell and not broken and not plain.fullmatch(cell):
                remedy = f"write {told}, in plain digits or letters, or leave the cell empty"
                faults.append(fault_line(about, row, column, f"{cell!r} is not {told}", remedy))
            for rule in broken or ():
                limit = {**fields[column].get("constraints", {}), **fields[column]}[rule]
                problem = f"{cell!r} {BROKEN.get(rule, rule)} {limit}" if cell else "empty"
                remedy = "correct the cell, or the rule in datapackage.json"
                faults.append(fault_line(about, row, column, problem, remedy))
        value = tuple(named[name] for name in key)
        if first.setdefault(value, row) != row:
            problem = f"{' / '.join(value)!r} stands in row {first[value]} already"
            faults.append(fault_line(about, row, " and ".join(key), problem, "take one row out"))
    return faults


def _listed_in(field: dict[str, Any]) -> tuple[str, str]:
    """Table and column that have the ids of a list: those of the sources, if nothing is said."""
    there = field.get("lists", {"resource": "sources", "fields": "source_id"})
    return there["resource"], there["fields"]


def reference_faults(about: dict[str, Any], text: str) -> list[str]:
    """Rows that refer to something that is not there."""
    references = [
        (key["fields"], key["reference"]["resource"], key["reference"]["fields"], None)
        for key in about["schema"].get("foreignKeys", [])
    ] + [
        (field["name"], *_listed_in(field), field["separator"])
        for field in about["schema"]["fields"]
        if "separator" in field and "roles" not in field
    ]  # an empty cell refers to nothing; whether it may be empty, the schema says
    faults = []
    if roles := described_roles(about):
        for row, (cell,) in enumerate(cells_of(text, "bears_on"), start=2):
            named = cell.split(";") if cell else []
            for role in sorted({r for r in named if r not in roles or named.count(r) > 1}):
                problem = f"{role!r} stands twice" if role in roles else f"{role!r} is no role"
                remedy = f"use each once, of {', '.join(roles)}, or describe it in datapackage.json"
                faults.append(fault_line(about, row, "bears_on", problem, remedy))
    for columns, table, there, separator in references:
        target = schema(table)
        known = set(cells_of(file_text(target), there))
        for row, value in enumerate(cells_of(text, columns), start=2):
            parts = [(part,) for part in value[0].split(separator)] if separator else [value]
            for part in parts if any(value) else []:
                if part not in known:
                    column = columns if isinstance(columns, str) else " and ".join(columns)
                    problem = f"{' / '.join(part)!r} is not in {file_name(target)}"
                    remedy = "correct the cell, or add the row there"
                    faults.append(fault_line(about, row, column, problem, remedy))
    return faults
