"""What a claim's card says, as text: its lines, and numbers as the book prints them.

Strings only, so that a page, Jupyter and the command line show the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Our own definitions, constructs and codebook: they say how to count and are no evidence.
DEFINITIONS = frozenset({"project_codebook", "project_construct", "project_definition"})
# What stands before a claim's statement: it is no quotation.
STATEMENT = "In our words, the article says"


def panel_lines(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Term and text of each line of a claim panel, from an entry of the ledger."""
    lines = [(STATEMENT, row["statement"])]
    if row["value"] is not None:
        found = with_unit(row["value"], row["unit"])
        if row["interval"] is not None:
            found += f" ({interval_text(row)}: {row['interval_kind']})"
        if row["n"] is not None:
            found += f"; {number(row['n'])} {row['n_unit']}"
        lines.append(("The data show", found))
    lines += [("Rule", row["rule"]), ("Verdict", f"{row['verdict']}. {row['reason']}")]
    if row["limits"] and row["value"] is not None:
        lines.append(("Limits", row["limits"]))
    if row["value"] is not None and len(set(row["sources"]) - DEFINITIONS) == 1:
        lines.append(("One source", "All evidence comes from a single source."))
    if "variants" in row:
        lines.append(("Variants", row["variants"]["sentence"]))
    return lines


def counted(count: int, noun: str) -> str:
    """A count with its noun in the number that it asks for: "1 row", "2 rows"."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def number(value: Any) -> str:
    """A number as the book prints it: thousands separated, no trailing zeros."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "no data" if value is None else str(value)
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.6f}".rstrip("0")


def with_unit(value: Any, unit: str) -> str:
    """A number with its unit; the percent sign stands close, and a year is not a quantity."""
    if unit == "year":
        return str(value)
    text = number(value)
    return f"{text}%" if unit == "%" else f"{text} {unit}".strip()


def interval_text(row: Mapping[str, Any]) -> str:
    """The interval of a ledger entry in words, empty where there is none."""
    if row["interval"] is None:
        return ""
    low, high = row["interval"]
    if low == high:
        return f"{number(low)} throughout"
    return f"{number(low)} to {number(high)}"
